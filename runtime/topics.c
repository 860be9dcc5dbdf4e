/* runtime/topics.c: what statements ask of a broker. It may take its time, so nobody else waits: `control` is given back meanwhile. */
#include "connectors/topics.h"

#include "runtime/execute.h"

#define LOOK_US 200000 /* between two looks at a topic that is waited for */

static Error *placed(Error *error, Span at)
{
    if (error && error->at.length == 0)
        error->at = at;
    return error;
}

/* ---- SHOW TOPICS ---- */

static Error *list_topics(Execution *execution, const PlannedStatement *planned, PlannedRows *rows)
{
    static const char *const names[] = { "topic", "partitions", "replicas", "records", "consumers", "consumer_groups" };
    Arena *arena = &execution->scratch;
    TopicDescription *topics = NULL;
    *rows = (PlannedRows){ 0 };
    TRY(topics_list(arena, &execution->runtime->connectors, planned->topics.options, planned->topics.internal, planned->topics.extended, &topics, &rows->row_count));
    const int width = rows->schema.column_count = planned->topics.extended ? 6 : 3;
    rows->schema.columns = ARENA_ARRAY(arena, Column, width);
    rows->rows = ARENA_ARRAY(arena, Value, (size_t)rows->row_count * (size_t)width + 1);
    for (int c = 0; c < width; c++)
        rows->schema.columns[c] = (Column){ .name = names[c], .type = type_scalar(c ? TYPE_BIGINT : TYPE_VARCHAR) };
    for (int i = 0; i < rows->row_count; i++) {
        Value *row = &rows->rows[i * width];
        const int64_t numbers[] = { topics[i].partitions, topics[i].replicas, topics[i].records, topics[i].consumers, topics[i].groups };
        row[0] = (Value){ .type = rows->schema.columns[0].type, .text = str_c(topics[i].name) };
        for (int c = 1; c < width; c++)
            row[c] = numbers[c - 1] < 0 ? value_null(type_scalar(TYPE_BIGINT)) : (Value){ .type = type_scalar(TYPE_BIGINT), .integer = numbers[c - 1] };
    }
    return NULL;
}

/* ---- ASSERT TOPIC ---- */

static Error *check_topic(Execution *execution, const PlannedStatement *planned)
{
    TopicDescription topic;
    bool found;
    TRY(topic_describe(&execution->scratch, &execution->runtime->connectors, planned->topics.options, planned->topics.name, &topic, &found));
    if (found == planned->topics.negated)
        return error_at(ERR_ASSERT, planned->topics.at, "there is %s topic '%s'", found ? "a" : "no", topic.name);
    if (planned->topics.partitions && planned->topics.partitions != topic.partitions)
        return error_at(ERR_ASSERT, planned->topics.partitions_at, "topic '%s' has %d partition%s", topic.name, topic.partitions, topic.partitions == 1 ? "" : "s");
    if (planned->topics.replicas && planned->topics.replicas != topic.replicas)
        return error_at(ERR_ASSERT, planned->topics.replicas_at, "topic '%s' has %d replica%s", topic.name, topic.replicas, topic.replicas == 1 ? "" : "s");
    return NULL;
}

/* Looks again until it holds, or the time is over. */
static Error *assert_topic(Execution *execution, const PlannedStatement *planned)
{
    Clock *clock = execution->runtime->options.clock;
    const int64_t until_us = clock->now_us(clock) + planned->topics.timeout_us;
    for (;;) {
        Error *error = check_topic(execution, planned);
        const int64_t now_us = clock->now_us(clock);
        if (!error || error->code != ERR_ASSERT || now_us >= until_us)
            return error;
        error_free(error);
        clock->sleep_until_us(clock, now_us + LOOK_US < until_us ? now_us + LOOK_US : until_us);
    }
}

/* ---- the doors ---- */

static Error *ask(Execution *execution, const PlannedStatement *planned, PlannedRows *rows)
{
    switch (planned->topics.kind) {
    case TOPICS_SHOW: return list_topics(execution, planned, rows);
    case TOPICS_ASSERT: return assert_topic(execution, planned);
    case TOPICS_PRINT: break;
    }
    return error_new(ERR_INTERNAL, "PRINT is the caller's to run");
}

Error *execute_topics(Execution *execution, const PlannedStatement *planned)
{
    PlannedRows rows = { 0 };
    Error *error;
    pthread_mutex_unlock(&execution->runtime->control);
    MEMORY_GUARDED(error, ask(execution, planned, &rows));
    pthread_mutex_lock(&execution->runtime->control);
    if (error)
        return placed(error, execution->statement->at);
    TRY(session_begin(execution->session));
    return planned->topics.kind == TOPICS_SHOW ? show_rows(execution, &rows) : execution_status(execution, "topic", planned->topics.name, "assert", NULL, "");
}

static Error *change(Execution *execution, const PlannedStatement *planned)
{
    const ConnectorContext *context = &execution->runtime->connectors;
    bool made, existed;
    if (planned->make_topic.name) {
        const TopicWish wish = topic_wish(planned->make_topic.options);
        TRY(placed(topic_ensure(context, planned->make_topic.options, planned->make_topic.name, &wish, &made), planned->make_topic.at));
    }
    if (planned->delete_topic.name)
        TRY(placed(topic_delete(context, planned->delete_topic.options, planned->delete_topic.name, &existed), planned->delete_topic.at));
    return NULL;
}

/* Made before anything reads or writes it. */
Error *change_topics(Execution *execution, const PlannedStatement *planned)
{
    Error *error;
    MEMORY_GUARDED(error, change(execution, planned));
    return error;
}
