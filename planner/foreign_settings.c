/* planner/foreign_settings.c: settings of Flink and ksqlDB that scripts set: some have another name here, some say how a cluster does its work, which
 * decides nothing about results and has no counterpart in one process. */
#include "planner/settings.h"

#include "common/options.h"

typedef struct Foreign { const char *name, *own; } Foreign;

static const Foreign renamed[] = {
    { "table.exec.source.idle_timeout", "source.idle_timeout" },
    { "table.local_time_zone", "time_zone" },
};

/* Names, and beginnings of names with a '.' at the end. */
static const char *const without_effect[] = {
    /* Flink */
    "parallelism.default", "pipeline.", "execution.runtime_mode", "execution.checkpointing.", "execution.attached", "execution.target", "restart_strategy", "restart_strategy.", "state.", "table.optimizer.",
    "table.exec.mini_batch.", "table.exec.resource.", "table.exec.async_lookup.", "table.exec.spill_compression.", "table.exec.sort.", "table.exec.state.ttl", "table.exec.sink.upsert_materialize",
    "table.exec.sink.not_null_enforcer", "table.exec.legacy_cast_behaviour", "table.dml_sync", "table.plan.", "table.sql_dialect", "taskmanager.", "jobmanager.", "sql_client.", "akka.", "rest.",
    /* ksqlDB */
    "processing.guarantee", "cache.max.bytes.buffering", "statestore.cache.max.bytes", "commit.interval.ms", "num.stream.threads", "num.standby.replicas", "ksql.query.pull.table.scan.enabled", "ksql.streams.processing.guarantee",
    "ksql.streams.cache.max.bytes.buffering", "ksql.streams.commit.interval.ms", "ksql.streams.num.stream.threads", "ksql.streams.state.dir", "ksql.query.pull.max.allowed.offset.lag",
};

/* As option_name_equal does: without case, '-' is '_'. */
static bool begins_with(const char *name, const char *beginning)
{
    for (; *beginning; name++, beginning++) {
        char c = *name == '-' ? '_' : *name >= 'A' && *name <= 'Z' ? (char)(*name - 'A' + 'a') : *name;
        if (c != *beginning)
            return false;
    }
    return true;
}

const char *foreign_setting(const char *name, bool *no_effect)
{
    *no_effect = false;
    for (size_t i = 0; i < sizeof renamed / sizeof *renamed; i++)
        if (option_name_equal(name, renamed[i].name))
            return renamed[i].own;
    for (size_t i = 0; i < sizeof without_effect / sizeof *without_effect; i++) {
        const char *known = without_effect[i];
        *no_effect |= known[strlen(known) - 1] == '.' ? begins_with(name, known) : option_name_equal(name, known);
    }
    return name;
}
