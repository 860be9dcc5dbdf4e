/* planner/topics.c: statements about topics as such: SHOW TOPICS, PRINT, ASSERT TOPIC, DROP .. DELETE TOPIC. The session does what they say: nothing
 * here asks a broker. */
#include "planner/statement.h"

#include "common/decimal.h"
#include "connectors/topics.h"

/* ---- which broker ---- */

/* What the declared streams and tables over topics say of how those are reached. */
typedef struct Declared {
    const void *over;    /* options of one over the topic itself; NULL: none */
    const void *any;
    bool several;        /* brokers */
} Declared;

static Declared declared_options(Planner *planner, Arena *arena, const char *topic)
{
    Declared declared = { 0 };
    int count = 0;
    CatalogEntry **entries = planner->catalog->list(planner->catalog, arena, &count);
    for (int i = 0; i < count; i++) {
        const CatalogSource *source = entries[i]->source;
        if (!source || !source->connector || !is_record_connector(source->connector))
            continue;
        if (topic && connector_reads_topic(source->connector, source->connector_options, topic))
            declared.over = source->connector_options;
        declared.several |= declared.any && !connector_same_broker(declared.any, source->connector_options);
        declared.any = source->connector_options;
    }
    return declared;
}

static bool names_entry(const OptionEntry *entries, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (option_name_equal(entries[i].name, name))
            return true;
    return false;
}

Error *planner_topic_options(Planner *planner, Arena *arena, const OptionEntry *given, int given_count, const void **options)
{
    const ConnectorType *kafka = connector_find("kafka");
    const PlannerSettings *settings = &planner->settings;
    OptionEntry *entries = ARENA_ARRAY(arena, OptionEntry, (size_t)settings->topic_property_count + (size_t)given_count + 1);
    void *result = arena_calloc(arena, 1, kafka->options_size + 1);
    const OptionTarget target = { kafka->options, result, NULL };
    int count = 0;
    for (int i = 0; i < given_count; i++)
        entries[count++] = (OptionEntry){ .name = given[i].name, .value = given[i].value };
    for (int i = 0; i < settings->topic_property_count; i++)
        if (!names_entry(given, given_count, settings->topic_properties[i].name))
            entries[count++] = (OptionEntry){ .name = settings->topic_properties[i].name, .value = settings->topic_properties[i].value };
    *options = result;
    return options_parse(arena, entries, count, &target, 1, SPAN_NONE);
}

/* topic: NULL for all. */
static Error *broker_options(Planner *planner, Arena *arena, const char *topic, Span at, const void **options)
{
    const Declared declared = declared_options(planner, arena, topic);
    *options = declared.over;
    if (declared.over)
        return NULL;
    if (planner->connectors->topics || setting_property(&planner->settings, "properties.bootstrap.servers"))
        return planner_topic_options(planner, arena, &(OptionEntry){ .name = "topic", .value = "" }, 1, options);
    if (declared.several)
        return error_hint(error_at(ERR_BIND, at, "the declared topics are of several Kafka clusters: which one is asked is not said"), "SET 'properties.bootstrap.servers' = 'host:9092'");
    if (!declared.any)
        return error_hint(error_at(ERR_BIND, at, "which Kafka to connect to is not said"), "SET 'properties.bootstrap.servers' = 'host:9092'");
    *options = declared.any;
    return NULL;
}

/* ---- the statements ---- */

static void begin(PlannedStatement *planned, PlannedTopicsKind kind, const char *name, Span at)
{
    planned->kind = PLANNED_TOPICS;
    planned->topics.kind = kind;
    planned->topics.name = name;
    planned->topics.at = at;
    planned->topics.interval = 1;
    planned->topics.limit = -1;
}

void plan_make_topic(const AstStatement *statement, const CatalogEntry *entry, PlannedStatement *planned)
{
    const CatalogSource *source = entry->source;
    if (statement->kind != AST_STMT_CREATE_SOURCE || !source || !source->connector || !is_record_connector(source->connector))
        return;
    const char *topic = connector_topic(source->connector, source->connector_options);
    if (!topic || strchr(topic, ';') || !topic_wish(source->connector_options).partitions)
        return;
    planned->make_topic.name = topic;
    planned->make_topic.options = source->connector_options;
    planned->make_topic.at = statement->create->name.at;
}

Error *plan_show_topics(Planner *planner, Arena *arena, const AstStatement *statement, PlannedStatement *planned)
{
    if (planner->pending_count) {
        planned->kind = PLANNED_AFTER_JOB;
        return NULL;
    }
    begin(planned, TOPICS_SHOW, NULL, statement->at);
    planned->topics.internal = statement->all;
    planned->topics.extended = statement->extended;
    return broker_options(planner, arena, NULL, statement->at, &planned->topics.options);
}

static Error *print_number(const AstExpr *expr, const char *what, int64_t minimum, int64_t *number)
{
    if (!expr)
        return NULL;
    if (expr->kind != AST_LITERAL || !type_is_integer(expr->value.type) || expr->value.integer < minimum)
        return error_at(ERR_BIND, expr->at, "%s is a whole number, at least %lld", what, (long long)minimum);
    *number = expr->value.integer;
    return NULL;
}

/* PRINT s, of a stream or table that has another topic, is most likely a mistake; topics go first all the same. */
Error *plan_print(Planner *planner, Arena *arena, const AstStatement *statement, PlannedStatement *planned)
{
    if (planner->pending_count) {
        planned->kind = PLANNED_AFTER_JOB;
        return NULL;
    }
    const char *name = statement->path ? statement->path : statement->name.text;
    const void *options = NULL;
    begin(planned, TOPICS_PRINT, name, statement->path ? statement->at : statement->name.at);
    TRY(print_number(statement->interval, "INTERVAL", 1, &planned->topics.interval));
    TRY(print_number(statement->limit, "LIMIT", 0, &planned->topics.limit));
    TRY(broker_options(planner, arena, name, planned->topics.at, &options));
    planned->topics.from_beginning = statement->from_beginning;
    planned->topics.options = connector_print_options(arena, options, name, statement->from_beginning);
    return NULL;
}

static Error *wish_number(const OptionEntry *property, int64_t *number)
{
    if (int64_parse(property->value, strlen(property->value), number) && *number > 0)
        return NULL;
    return error_at(ERR_BIND, property->value_at, "'%s' is a whole number, not '%s'", property->name, property->value);
}

Error *plan_assert_topic(Planner *planner, Arena *arena, const AstStatement *statement, PlannedStatement *planned)
{
    if (planner->pending_count) {
        planned->kind = PLANNED_AFTER_JOB;
        return NULL;
    }
    begin(planned, TOPICS_ASSERT, statement->name.text, statement->name.at);
    planned->topics.negated = statement->negated;
    for (int i = 0; i < statement->properties.count; i++) {
        const OptionEntry *property = &statement->properties.items[i];
        const bool partitions = option_name_equal(property->name, "partitions"), replicas = option_name_equal(property->name, "replicas");
        if (!partitions && !replicas)
            return error_at(ERR_BIND, property->name_at, "a topic has 'partitions' and 'replicas', not '%s'", property->name);
        TRY(wish_number(property, partitions ? &planned->topics.partitions : &planned->topics.replicas));
        if (partitions)
            planned->topics.partitions_at = property->value_at;
        else
            planned->topics.replicas_at = property->value_at;
    }
    if (statement->timeout.interval.months || statement->timeout.interval.us < 0)
        return error_at(ERR_BIND, statement->timeout.at, "a timeout is a time from now, and no months");
    planned->topics.timeout_us = statement->timeout.interval.us;
    return broker_options(planner, arena, statement->name.text, statement->name.at, &planned->topics.options);
}
