/* planner/settings.h: what SET changes about planning. Small, and copied into every catalog entry: a query keeps the settings it
 * was written under. */
#pragma once
#include "planner/dialect.h"
#include "planner/plan.h"
#include "common/options.h"

#define MATCH_LIMIT_DEFAULT 10000

/* One bit a rewrite, in the order of rewrite.c's table. */
typedef uint32_t RewriteSet;

typedef struct PlannerSettings {
    Dialect dialect;
    int conflate;                 /* changes of a key between two outputs are one: 1 on, 0 off; -1: the preset's */
    int on_error, on_expr_error;  /* RowPolicy; -1: the preset's */
    const char *dead_letter;      /* stream that takes rows whose expressions failed; NULL: the source's */
    int64_t idle_timeout_us;      /* of live sources; -1: the source's own */
    int64_t max_skew_us;          /* of live sources */
    int64_t max_ahead_us;         /* of live sources */
    int64_t shard, shards;        /* this process is the one of that number, of so many; 0 shards: it is alone */
    const char *topic_prefix;     /* of topics that are named by their stream; NULL: none */
    const struct OptionEntry *topic_properties; /* 'properties.*' of all topics; in the planner's arena, replaced when one changes */
    int topic_property_count;
    const char *key_format, *value_format; /* of topics that do not say; NULL: none */
    int64_t match_limit;          /* MATCH_RECOGNIZE: most ways to match that are followed at once in a partition */
    int64_t list_limit, set_limit; /* most values that COLLECT_LIST, COLLECT_SET keep; 0: no limit */
    int64_t lua_steps, lua_memory; /* limits of functions in Lua that are made: instructions of a call, bytes */
    const TimeZone *time_zone;    /* between TIMESTAMP and TIMESTAMP WITH TIME ZONE; NULL: UTC */
    int64_t join_retention_us;    /* of rows that joins keep; 0: no limit */
    bool join_time_bounds;        /* conditions on event times end rows that joins keep */
    const OptionEntry *registry; int registry_count; /* SET 'schema.registry.url' and the like: of formats with a registry that do not say it */
    RewriteSet rewrites_off;
} PlannerSettings;

/* What SET says of a property of all topics ('properties.bootstrap.servers'); NULL: nothing. */
const char *setting_property(const PlannerSettings *settings, const char *name);
/* The limit that an aggregate names (AggregateFunction.limit_setting); 0: there is none. */
int64_t settings_list_limit(const PlannerSettings *settings, const char *which);

/* A setting of Flink or ksqlDB by its name here; *no_effect: it says how a cluster works, and nothing here. foreign_settings.c */
const char *foreign_setting(const char *name, bool *no_effect);
