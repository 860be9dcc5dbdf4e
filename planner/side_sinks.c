/* planner/side_sinks.c: rows put aside (late rows, dead letters) that leave the job: into a declared stream, by the names of columns, or as
 * messages into a topic of dead letters. */
#include "planner/statement.h"

/* ---- into a stream ---- */

/* A stream of dead letters may have every column of the port, also those that a reader in the process does not see. */
static int find_column(const SidePort *side, const Schema *port, const char *name)
{
    for (int c = 0; c < side->column_count; c++)
        if (name_equal(port->columns[side->columns[c]].name, name))
            return side->columns[c];
    for (int c = DEAD_LETTER_SHOWN; side->input.port == PORT_DEAD_LETTER && c < LETTER_ALL_HEADERS; c++)
        if (name_equal(port->columns[c].name, name))
            return c;
    return -1;
}

/* The event times of late rows: those of the input that they were late for. Hops count a late row once: a filter stands between. */
static EdgeTraits late_times(Arena *arena, PlanInput input)
{
    if (input.port == PORT_MAIN && input.node->kind == PLAN_FILTER)
        input = input.node->inputs[0];
    return port_traits(arena, input.port == PORT_LATE ? input.node->inputs[0] : input);
}

/* The event time of the rows, as the time of their messages: behind the target's columns. */
static int add_time(Arena *arena, PlanInput input, const Schema *port, Expr **exprs, Schema *schema)
{
    EdgeTraits traits = late_times(arena, input);
    for (int i = 0; i < traits.time_count; i++) {
        if (traits.times[i].processing)
            continue;
        int column = traits.times[i].column;
        exprs[schema->column_count] = binder_column(arena, port, column, SPAN_NONE);
        schema->columns[schema->column_count] = (Column){ .name = "$record_time", .type = port->columns[column].type, .hidden = true };
        return schema->column_count++;
    }
    return -1;
}

static Error *stream_sink(Binder *binder, const SidePort *side, CatalogEntry *target, Span at, Outputs *outputs)
{
    Arena *arena = binder->arena;
    Schema port = port_schema(arena, side->input), declared = statement_record_schema(arena, target);
    Schema schema = { declared.column_count, ARENA_ARRAY(arena, Column, declared.column_count + 1) };
    Expr **exprs = ARENA_ARRAY(arena, Expr *, schema.column_count + 1);
    for (int i = 0; i < declared.column_count; i++) {
        schema.columns[i] = declared.columns[i];
        int found = find_column(side, &port, declared.columns[i].name);
        if (found < 0)
            return error_at(ERR_BIND, at, "'%s' has a column '%s' that the rows put aside do not have", target->name, declared.columns[i].name);
        TRY(binder_assign(binder, binder_column(arena, &port, found, at), declared.columns[i].type, declared.columns[i].name, &exprs[i]));
    }
    MessageColumns message = { .time = -1, .no_value = -1, .headers = -1 };
    if (is_record_connector(target->source->connector) && side->input.port != PORT_DEAD_LETTER)
        message.time = add_time(arena, side->input, &port, exprs, &schema);
    LogicalNode *node = logical_project(arena, side->input, exprs, schema.columns, schema.column_count, POLICY_FAIL, at);
    Relation rows = { .input = main_port(node), .schema = node->schema, .time_column = -1, .window = { .start = -1, .end = -1, .time = -1 },
                      .message = arena_copy(arena, &message, sizeof message) };
    TRY(statement_add_sink(binder, target, &rows, at, outputs));
    outputs->items[outputs->count - 1].side_of = side->source;
    return NULL;
}

/* ---- into a topic of dead letters ---- */

/* What fails would come back, and fail again. */
static Error *check_loop(Binder *binder, const CatalogEntry *entry, Span at)
{
    for (int u = 0; u < binder->uses.count; u++) {
        const CatalogEntry *used = binder->catalog->find(binder->catalog, binder->uses.items[u], SPACE_RELATIONS);
        const CatalogSource *source = used ? used->source : NULL;
        if (source && source->connector && connector_reads_topic(source->connector, source->connector_options, entry->source->dead_letter_topic))
            return error_at(ERR_BIND, at, "the dead letters of '%s' go to the topic '%s', which the query reads as '%s'", entry->name,
                            entry->source->dead_letter_topic, used->name);
    }
    return NULL;
}

/* The message: key and value as they came, the original headers and those that say what went wrong, the original time. */
static Error *letter_sink(Binder *binder, const SidePort *side, Span at, Outputs *outputs)
{
    static const int columns[] = { LETTER_KEY, LETTER_RAW, LETTER_ALL_HEADERS, LETTER_TIME };
    static const RecordPart parts[] = { RECORD_KEY, RECORD_VALUE, RECORD_HEADERS, RECORD_TIMESTAMP };
    Arena *arena = binder->arena;
    const CatalogEntry *entry = side->letters;
    TRY(check_loop(binder, entry, at));
    LogicalNode *pick = logical_pick(arena, side->input, columns, 4, at), *node = logical_node(arena, PLAN_SINK, at, 1, &(PlanInput){ pick, PORT_MAIN });
    const ConnectorType *kafka = connector_find("kafka");
    int *key = ARENA_ARRAY(arena, int, 1);
    node->schema = *schema_copy(arena, &pick->schema);
    node->sink.spec = (SinkSpec){ .connector = kafka, .options = entry->source->letter_options, .schema = &node->schema, .key_columns = key, .key_count = 1,
                                  .format_name = "raw" };
    node->sink.connector = kafka;
    node->sink.format = node->sink.key_format = format_find("raw");
    node->sink.parts = parts;
    node->sink.on_error = POLICY_FAIL;
    logical_derive(arena, node);
    const char *name = arena_printf(arena, "topic '%s'", entry->source->dead_letter_topic);
    LIST_ADD(arena, outputs, ((PhysicalOutput){ .name = name, .sink = node, .side_of = side->source }));
    return NULL;
}

Error *statement_side_sinks(Binder *binder, Span at, Outputs *outputs)
{
    for (int s = 0; s < binder->sides.count; s++) {
        const SidePort *side = &binder->sides.items[s];
        if (side->letters) {
            TRY(letter_sink(binder, side, at, outputs));
            continue;
        }
        CatalogEntry *target = binder->catalog->find(binder->catalog, side->name, SPACE_RELATIONS);
        if (target && target->origin == ORIGIN_CONNECTOR)
            TRY(stream_sink(binder, side, target, at, outputs));
    }
    return NULL;
}
