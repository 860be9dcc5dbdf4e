/* engine/topics.c: SHOW TOPICS, ASSERT TOPIC, DROP .. DELETE TOPIC: what is asked of a broker, or of topics in this process. */
#include "connectors/topics.h"

#include "engine/session_internal.h"

#define LOOK_US 200000 /* between two looks at a topic that is waited for */

/* ---- SHOW TOPICS ---- */

static void add_cell(Value *row, int column, int64_t number)
{
    row[column] = number < 0 ? value_null(type_scalar(TYPE_BIGINT)) : (Value){ .type = type_scalar(TYPE_BIGINT), .integer = number };
}

static Error *show(Session *session, Arena *arena, const PlannedStatement *planned, const SessionOutput *output, const char *title)
{
    static const char *const names[] = { "topic", "partitions", "replicas", "records", "consumers", "consumer_groups" };
    const bool extended = planned->topics.extended;
    TopicDescription *topics = NULL;
    PlannedRows rows = { 0 };
    TRY(topics_list(arena, &session->connectors, planned->topics.options, planned->topics.internal, extended, &topics, &rows.row_count));
    const int width = rows.schema.column_count = extended ? 6 : 3;
    rows.schema.columns = ARENA_ARRAY(arena, Column, width);
    rows.rows = ARENA_ARRAY(arena, Value, (size_t)rows.row_count * (size_t)width + 1);
    for (int c = 0; c < width; c++)
        rows.schema.columns[c] = (Column){ .name = names[c], .type = type_scalar(c ? TYPE_BIGINT : TYPE_VARCHAR) };
    for (int i = 0; i < rows.row_count; i++) {
        Value *row = &rows.rows[i * width];
        row[0] = (Value){ .type = rows.schema.columns[0].type, .text = str_c(topics[i].name) };
        add_cell(row, 1, topics[i].partitions);
        add_cell(row, 2, topics[i].replicas);
        if (!extended)
            continue;
        add_cell(row, 3, topics[i].records);
        add_cell(row, 4, topics[i].consumers);
        add_cell(row, 5, topics[i].groups);
    }
    return session_emit_rows(output, &rows, title);
}

/* ---- ASSERT TOPIC ---- */

static Error *check_topic(Session *session, Arena *arena, const PlannedStatement *planned)
{
    TopicDescription topic;
    bool found;
    TRY(topic_describe(arena, &session->connectors, planned->topics.options, planned->topics.name, &topic, &found));
    if (found == planned->topics.negated)
        return error_at(ERR_ASSERT, planned->topics.at, "there is %s topic '%s'", found ? "a" : "no", topic.name);
    if (planned->topics.partitions && planned->topics.partitions != topic.partitions)
        return error_at(ERR_ASSERT, planned->topics.partitions_at, "topic '%s' has %d partition%s", topic.name, topic.partitions, topic.partitions == 1 ? "" : "s");
    if (planned->topics.replicas && planned->topics.replicas != topic.replicas)
        return error_at(ERR_ASSERT, planned->topics.replicas_at, "topic '%s' has %d replica%s", topic.name, topic.replicas, topic.replicas == 1 ? "" : "s");
    return NULL;
}

/* Looks again until it holds, or the time is over. */
static Error *assert_topic(Session *session, Arena *arena, const PlannedStatement *planned)
{
    Clock *clock = session->options.clock;
    const int64_t until_us = clock->now_us(clock) + planned->topics.timeout_us;
    for (;;) {
        Error *error = check_topic(session, arena, planned);
        const int64_t now_us = clock->now_us(clock);
        if (!error || error->code != ERR_ASSERT || now_us >= until_us || session->interrupted)
            return error;
        error_free(error);
        clock->sleep_until_us(clock, now_us + LOOK_US < until_us ? now_us + LOOK_US : until_us);
    }
}

/* ---- the doors ---- */

static Error *placed(Error *error, Span at)
{
    if (error && error->at.length == 0)
        error->at = at;
    return error;
}

Error *session_change_topics(Session *session, const AstStatement *statement, const PlannedStatement *planned)
{
    bool made, existed;
    if (planned->make_topic.name) {
        const TopicWish wish = topic_wish(planned->make_topic.options);
        Error *error = topic_ensure(&session->connectors, planned->make_topic.options, planned->make_topic.name, &wish, &made);
        if (error)
            planner_forget(session->planner, statement->create->name.text);
        TRY(placed(error, planned->make_topic.at));
    }
    if (planned->delete_topic.name)
        TRY(placed(topic_delete(&session->connectors, planned->delete_topic.options, planned->delete_topic.name, &existed), planned->delete_topic.at));
    return NULL;
}

Error *session_topics(Session *session, Arena *arena, const PlannedStatement *planned, const SessionOutput *output, const char *title)
{
    if (session->options.check_only || session->options.explain_only)
        return NULL;
    switch (planned->topics.kind) {
    case TOPICS_SHOW: return show(session, arena, planned, output, title);
    case TOPICS_PRINT: return session_print(session, arena, planned, output);
    case TOPICS_ASSERT: return assert_topic(session, arena, planned);
    }
    return NULL;
}
