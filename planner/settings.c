/* planner/settings.c: SET and what it changes about planning. */
#include "planner/settings.h"
#include "common/secrets.h"

#include <stdlib.h>
#include "common/calendar.h"
#include "common/decimal.h"
#include "common/options.h"
#include "planner/binder.h"
#include "planner/explain.h"
#include "planner/rewrite/rewrite.h"
#include "planner/shards.h"
#include "planner/statement.h"

static const char *const policy_names[] = { "fail", "skip", "null", "dead_letter", NULL }; /* order of RowPolicy */

void settings_init(PlannerSettings *settings)
{
    *settings = (PlannerSettings){ .dialect = DIALECT_BIDSQL, .conflate = -1, .on_error = -1, .on_expr_error = -1, .max_ahead_us = US_PER_DAY, .idle_timeout_us = -1, .max_skew_us = US_PER_HOUR,
                                   .match_limit = MATCH_LIMIT_DEFAULT, .join_time_bounds = true, .lua_steps = LUA_STEPS_DEFAULT, .lua_memory = LUA_MEMORY_DEFAULT };
}

#define REWRITE_PREFIX "planner.rewrite."

static int find_rewrite(const char *name)
{
    size_t prefix = strlen(REWRITE_PREFIX);
    if (strncasecmp(name, REWRITE_PREFIX, prefix) != 0)
        return -1;
    for (int r = 0; rewrite_rules[r].name; r++)
        if (option_name_equal(name + prefix, rewrite_rules[r].name))
            return r;
    return -1;
}

static Error *bad_value(Span at, const char *value, const char *name, const char *const *choices)
{
    int count = 0;
    while (choices[count])
        count++;
    return error_suggest(error_at(ERR_BIND, at, "'%s' is no value of '%s'", value, name), value, choices, count);
}

static Error *set_policy(const char *name, const char *value, Span at, bool is_expr, int *policy)
{
    *policy = -1;
    for (int i = 0; value && policy_names[i]; i++)
        if (name_equal(value, policy_names[i]))
            *policy = i;
    bool fits = *policy >= 0 && (is_expr || *policy != POLICY_NULL);
    return !value || fits ? NULL : bad_value(at, value, name, policy_names);
}

static Error *set_duration(const char *name, const char *value, Span at, int64_t absent, int64_t *us)
{
    *us = absent;
    if (value && (!duration_parse(value, us) || *us < 0))
        return error_hint(error_at(ERR_BIND, at, "'%s' is no length of time for '%s'", value, name), "10 s, 5 minutes, 500 ms");
    return NULL;
}

static Error *set_limit(const char *name, const char *value, Span at, int64_t *limit)
{
    char *end = NULL;
    *limit = 0;
    if (!value)
        return NULL;
    *limit = strtoll(value, &end, 10);
    return end > value && !*end && *limit >= 0 ? NULL : error_hint(error_at(ERR_BIND, at, "'%s' is no number of values for '%s'", value, name), "0: no limit");
}

static Error *set_match_limit(const char *name, const char *value, Span at, int64_t *limit)
{
    *limit = MATCH_LIMIT_DEFAULT;
    if (value && (!int64_parse(value, strlen(value), limit) || *limit < 1))
        return error_at(ERR_BIND, at, "'%s' wants a number from 1, not '%s'", name, value);
    return NULL;
}

#define LUA_STEPS_LEAST 1000
#define LUA_MEMORY_LEAST (256ll << 10) /* its libraries want some */

static Error *set_lua_steps(const char *name, const char *value, Span at, int64_t *steps)
{
    *steps = LUA_STEPS_DEFAULT;
    if (value && (!int64_parse(value, strlen(value), steps) || *steps < LUA_STEPS_LEAST))
        return error_at(ERR_BIND, at, "'%s' wants a number from %d, not '%s'", name, LUA_STEPS_LEAST, value);
    return NULL;
}

static Error *set_lua_memory(const char *name, const char *value, Span at, int64_t *bytes)
{
    *bytes = LUA_MEMORY_DEFAULT;
    if (value && (!bytes_parse(value, bytes) || *bytes < LUA_MEMORY_LEAST))
        return error_at(ERR_BIND, at, "'%s' wants a size from 256KiB, such as 64MiB, not '%s'", name, value);
    return NULL;
}

int64_t settings_list_limit(const PlannerSettings *settings, const char *which)
{
    if (!which)
        return 0;
    return strcmp(which, "collect_list") == 0 ? settings->list_limit : settings->set_limit;
}

static Error *set_zone(const char *value, Span at, const TimeZone **zone)
{
    *zone = NULL;
    Error *error = value ? timezone_find(value, strlen(value), zone) : NULL;
    if (error)
        error->at = at;
    return error;
}

static Error *set_switch(const char *value, Span at, bool *on)
{
    *on = !value || name_equal(value, "on") || name_equal(value, "true");
    return *on || name_equal(value, "off") || name_equal(value, "false") ? NULL : error_at(ERR_BIND, at, "'%s' is neither on nor off", value);
}

static Error *set_rewrites(Planner *planner, const char *name, const char *value, Span name_at, Span value_at)
{
    bool on = !value || name_equal(value, "on") || name_equal(value, "true");
    if (!on && !name_equal(value, "off") && !name_equal(value, "false"))
        return error_at(ERR_BIND, value_at, "'%s' is neither on nor off", value);
    int rule = find_rewrite(name);
    RewriteSet bits = rule >= 0 ? (RewriteSet)1 << rule : (RewriteSet)-1;
    if (rule < 0 && !option_name_equal(name, REWRITE_PREFIX "all")) {
        const char *names[32];
        int count = 0;
        for (; rewrite_rules[count].name; count++)
            names[count] = rewrite_rules[count].name;
        return error_suggest(error_at(ERR_BIND, name_at, "no rewrite '%s'", name + strlen(REWRITE_PREFIX)), name + strlen(REWRITE_PREFIX), names, count);
    }
    planner->settings.rewrites_off = on ? planner->settings.rewrites_off & ~bits : planner->settings.rewrites_off | bits;
    return NULL;
}

static Error *set_format(Planner *planner, const char *value, Span at, const char **format)
{
    *format = NULL;
    if (!value || !*value)
        return NULL;
    if (!format_find(value)) {
        const char *names[32];
        int count = 0;
        const FormatType *const *all = formats_all(&count);
        count = count < 32 ? count : 32;
        for (int i = 0; i < count; i++)
            names[i] = all[i]->name;
        return error_suggest(error_at(ERR_BIND, at, "no format '%s'", value), value, names, count);
    }
    *format = arena_strdup(&planner->arena, value);
    return NULL;
}

/* ---- properties of all topics ---- */

#define PROPERTIES_PREFIX "properties."

/* 'bootstrap.servers' and 'ksql.streams.sasl.username' are 'properties.'.. here. NULL: the name is none of these. */
static const char *topic_property_name(Arena *arena, const char *name)
{
    static const char *const prefixes[] = { PROPERTIES_PREFIX, "ksql.streams.", "" };
    const ConnectorType *kafka = connector_find("kafka");
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        size_t length = strlen(prefixes[i]);
        const char *full = strncasecmp(name, prefixes[i], length) == 0 ? arena_printf(arena, PROPERTIES_PREFIX "%s", name + length) : "";
        for (const OptionSpec *spec = kafka->options; spec->name; spec++)
            if (option_name_equal(spec->name, full))
                return full;
    }
    return NULL;
}

const char *setting_property(const PlannerSettings *settings, const char *name)
{
    for (int i = 0; i < settings->topic_property_count; i++)
        if (option_name_equal(settings->topic_properties[i].name, name))
            return settings->topic_properties[i].value;
    return NULL;
}

/* NULL as the value: it is no longer said. */
static Error *set_topic_property(Planner *planner, const char *name, const char *value, Span name_at, Span value_at)
{
    PlannerSettings *settings = &planner->settings;
    const ConnectorType *kafka = connector_find("kafka");
    OptionEntry property = { .name = name, .value = value ? arena_strdup(&planner->arena, value) : NULL, .name_at = name_at, .value_at = value_at };
    struct { OptionEntry *items; int count, capacity; } list = { 0 };
    for (int i = 0; i < settings->topic_property_count; i++)
        if (!option_name_equal(settings->topic_properties[i].name, name))
            LIST_ADD(&planner->arena, &list, settings->topic_properties[i]);
    if (value) { /* those that are refused say why */
        OptionEntry topic = { .name = "topic", .value = "" };
        OptionEntry both[] = { property, topic };
        const OptionTarget target = { kafka->options, arena_calloc(&planner->arena, 1, kafka->options_size), "connector 'kafka'" };
        TRY(options_parse(&planner->arena, both, 2, &target, 1, name_at));
        LIST_ADD(&planner->arena, &list, property);
    }
    settings->topic_properties = list.items;
    settings->topic_property_count = list.count;
    return NULL;
}

static Error *set_shard(const char *value, Span at, PlannerSettings *settings)
{
    settings->shard = settings->shards = 0;
    if (value && !shard_parse(value, &settings->shard, &settings->shards))
        return error_hint(error_at(ERR_BIND, at, "'%s' is no shard", value), "'0/3' is the first of three");
    return NULL;
}

Error *planner_set(Planner *planner, const char *name, const char *value, Span name_at, Span value_at, bool *known)
{
    PlannerSettings *settings = &planner->settings;
    bool no_effect;
    *known = true;
    name = foreign_setting(name, &no_effect);
    if (no_effect)
        return NULL;
    if (option_name_equal(name, "dialect")) {
        Dialect dialect = DIALECT_BIDSQL;
        if (value && !dialect_find(value, &dialect))
            return bad_value(value_at, value, "dialect", dialect_names);
        settings->dialect = dialect;
        return NULL;
    }
    if (option_name_equal(name, "on_error"))
        return set_policy(name, value, value_at, false, &settings->on_error);
    if (option_name_equal(name, "on_expr_error"))
        return set_policy(name, value, value_at, true, &settings->on_expr_error);
    if (option_name_equal(name, "dead_letter")) {
        settings->dead_letter = value && *value ? arena_strdup(&planner->arena, value) : NULL;
        return NULL;
    }
    if (option_name_equal(name, "shard"))
        return set_shard(value, value_at, settings);
    if (option_name_equal(name, "topic.key_format") || option_name_equal(name, "ksql.persistence.default.format.key")) {
        return set_format(planner, value, value_at, &settings->key_format);
    }
    if (option_name_equal(name, "topic.value_format") || option_name_equal(name, "ksql.persistence.default.format.value")) {
        return set_format(planner, value, value_at, &settings->value_format);
    }
    if (option_name_equal(name, "exec.conflate")) {
        settings->conflate = -1;
        if (value && !name_equal(value, "on") && !name_equal(value, "off") && !name_equal(value, "true") && !name_equal(value, "false"))
            return error_at(ERR_BIND, value_at, "'%s' is neither on nor off", value);
        if (value)
            settings->conflate = name_equal(value, "on") || name_equal(value, "true");
        return NULL;
    }
    if (option_name_equal(name, "join.retention"))
        return set_duration(name, value, value_at, 0, &settings->join_retention_us);
    if (option_name_equal(name, "join.time_bounds"))
        return set_switch(value, value_at, &settings->join_time_bounds);
    if (option_name_equal(name, "topic.prefix") || option_name_equal(name, "ksql.output.topic.name.prefix")) {
        settings->topic_prefix = value && *value ? arena_strdup(&planner->arena, value) : NULL;
        return NULL;
    }
    if (option_name_equal(name, "ksql.functions.substring.legacy.args")) { /* positions from 0, of servers before 2018 */
        if (value && !name_equal(value, "false"))
            return error_hint(error_at(ERR_UNSUPPORTED, value_at, "positions in SUBSTRING count from 1"), "SET '%s' = 'false'", name);
        return NULL;
    }
    if (option_name_equal(name, "time_zone"))
        return set_zone(value, value_at, &settings->time_zone);
    if (option_name_equal(name, "source.idle_timeout"))
        return set_duration(name, value, value_at, -1, &settings->idle_timeout_us);
    if (option_name_equal(name, "source.max_watermark_skew"))
        return set_duration(name, value, value_at, US_PER_HOUR, &settings->max_skew_us);
    if (option_name_equal(name, "event_time.max_ahead"))
        return set_duration(name, value, value_at, US_PER_DAY, &settings->max_ahead_us);
    if (option_name_equal(name, "collect_list.limit") || option_name_equal(name, "ksql.functions.collect_list.limit"))
        return set_limit(name, value, value_at, &settings->list_limit);
    if (option_name_equal(name, "collect_set.limit") || option_name_equal(name, "ksql.functions.collect_set.limit"))
        return set_limit(name, value, value_at, &settings->set_limit);
    if (option_name_equal(name, "match.max_partial_matches"))
        return set_match_limit(name, value, value_at, &settings->match_limit);
    if (option_name_equal(name, "lua.max_steps"))
        return set_lua_steps(name, value, value_at, &settings->lua_steps);
    if (option_name_equal(name, "lua.max_memory"))
        return set_lua_memory(name, value, value_at, &settings->lua_memory);
    const char *property = topic_property_name(&planner->arena, name);
    if (property)
        return set_topic_property(planner, property, value, name_at, value_at);
    if (registry_setting_known(name))
        return registry_setting_set(&planner->arena, settings, name, value, name_at, value_at);
    if (strncasecmp(name, REWRITE_PREFIX, strlen(REWRITE_PREFIX)) == 0)
        return set_rewrites(planner, name, value, name_at, value_at);
    *known = false;
    return NULL;
}

/* ---- listing ---- */

static const char *duration_value(Arena *arena, int64_t us)
{
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    explain_duration(us, &text);
    const char *copy = arena_strdup(arena, text_c(&text));
    text_release(&text);
    return copy;
}

const PlannerSetting *planner_settings(const Planner *planner, Arena *arena, int *count)
{
    const PlannerSettings *settings = &planner->settings;
    const DialectRules *rules = dialect_rules(settings->dialect);
    PlannerSetting *list = ARENA_ARRAY(arena, PlannerSetting, rewrite_count() + 26);
    int used = 0;
    list[used++] = (PlannerSetting){ "collect_list.limit", arena_printf(arena, "%lld", (long long)settings->list_limit), "0", "Most values that COLLECT_LIST keeps; 0: no limit" };
    list[used++] = (PlannerSetting){ "collect_set.limit", arena_printf(arena, "%lld", (long long)settings->set_limit), "0", "Most values that COLLECT_SET keeps; 0: no limit" };
    list[used++] = (PlannerSetting){ "dead_letter", settings->dead_letter ? settings->dead_letter : "", "", "The stream that takes rows whose expressions failed" };
    list[used++] = (PlannerSetting){ "dialect", rules->name, "bidsql", "Whose rules count where SQL dialects contradict each other" };
    list[used++] = (PlannerSetting){ "event_time.max_ahead", duration_value(arena, settings->max_ahead_us), "1 d", "On live input a row further ahead of the clock is bad" };
    list[used++] = (PlannerSetting){ "exec.conflate", (settings->conflate >= 0 ? settings->conflate : rules->conflate) ? "on" : "off", rules->conflate ? "on" : "off",
                                     "Changes of one key between two outputs come out as one; off: every row's change comes out" };
    list[used++] = (PlannerSetting){ "join.retention", duration_value(arena, settings->join_retention_us), "0 s", "How long joins keep rows that no condition on times ends; 0: for ever" };
    list[used++] = (PlannerSetting){ "join.time_bounds", settings->join_time_bounds ? "on" : "off", "on", "Conditions on event times end the rows that joins keep; off: rows are kept for ever" };
    list[used++] = (PlannerSetting){ "lua.max_memory", arena_printf(arena, "%lldKiB", (long long)settings->lua_memory >> 10), "16384KiB", "What a function in Lua that is made may hold" };
    list[used++] = (PlannerSetting){ "match.max_partial_matches", arena_printf(arena, "%lld", (long long)settings->match_limit), "10000", "How many ways to match MATCH_RECOGNIZE follows at once in a partition" };
    list[used++] = (PlannerSetting){ "lua.max_steps", arena_printf(arena, "%lld", (long long)settings->lua_steps), "1000000", "What a call of a function in Lua that is made may take" };
    list[used++] = (PlannerSetting){ "on_error", policy_names[settings->on_error >= 0 ? settings->on_error : (int)rules->on_error], policy_names[rules->on_error], "What becomes of a record that does not decode" };
    list[used++] = (PlannerSetting){ "on_expr_error", policy_names[settings->on_expr_error >= 0 ? settings->on_expr_error : (int)rules->on_expr_error], policy_names[rules->on_expr_error], "What becomes of a row whose expression fails" };
    int first = used;
    for (int r = 0; rewrite_rules[r].name; r++) {
        PlannerSetting setting = { arena_printf(arena, REWRITE_PREFIX "%s", rewrite_rules[r].name), settings->rewrites_off >> r & 1 ? "off" : "on", "on", rewrite_rules[r].doc };
        int at = used++;
        for (; at > first && strcmp(list[at - 1].name, setting.name) > 0; at--)
            list[at] = list[at - 1];
        list[at] = setting;
    }
    const char *registry_url = "";
    for (int i = 0; i < settings->registry_count; i++)
        if (strcmp(settings->registry[i].name, "schema.registry.url") == 0)
            registry_url = secret_value_shown(arena, settings->registry[i].name, settings->registry[i].value);
    list[used++] = (PlannerSetting){ "schema.registry.url", registry_url, "", "The schema registry of AVRO, PROTOBUF and JSON_SR; several between commas" };
    list[used++] = (PlannerSetting){ "shard", settings->shards ? arena_printf(arena, "%lld/%lld", (long long)settings->shard, (long long)settings->shards) : "", "", "Which of the processes this is that share the partitions of topics: 0/3 is the first of three" };
    list[used++] = (PlannerSetting){ "source.idle_timeout", settings->idle_timeout_us < 0 ? "" : duration_value(arena, settings->idle_timeout_us), "", "After this long without rows a live split no longer holds time back; 0: never. By default 10 s for topics, else never" };
    list[used++] = (PlannerSetting){ "source.max_watermark_skew", duration_value(arena, settings->max_skew_us), "1 h", "A live split that is further ahead of others with unread rows waits for them; 0: none does" };
    list[used++] = (PlannerSetting){ "time_zone", settings->time_zone ? timezone_name(settings->time_zone) : "UTC", "UTC", "Stands between TIMESTAMP and TIMESTAMP WITH TIME ZONE" };
    list[used++] = (PlannerSetting){ "topic.key_format", settings->key_format ? settings->key_format : "kafka", "kafka", "How keys of topics are written that do not say it" };
    list[used++] = (PlannerSetting){ "topic.value_format", settings->value_format ? settings->value_format : "", "", "How values of topics are written that do not say it" };
    list[used++] = (PlannerSetting){ "topic.prefix", settings->topic_prefix ? settings->topic_prefix : "", "", "What stands before the names of topics that are named by their stream" };
    *count = used;
    return list;
}
