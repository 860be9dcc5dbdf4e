/* planner/statement.c: SELECT, INSERT, CREATE .. AS -> sink nodes.
 *
 * A query without EMIT gives final results where all its input ends and its target takes no updates, else changes. Whether input
 * ends is known only after binding, so such a query is bound for final results first and again for changes if need be. */
#include "planner/shards.h"
#include "planner/statement.h"
#include "planner/ast_map.h"

const AstQuery *statement_query(const AstStatement *statement)
{
    switch (statement->kind) {
    case AST_STMT_QUERY:
    case AST_STMT_INSERT_QUERY: return statement->query;
    case AST_STMT_CREATE_AS:
    case AST_STMT_CREATE_VIEW: return statement->create->query;
    default: return NULL;
    }
}

const AstName *statement_target(const AstStatement *statement)
{
    if (statement->kind == AST_STMT_INSERT_QUERY || statement->kind == AST_STMT_INSERT_VALUES)
        return &statement->name;
    return statement->kind == AST_STMT_QUERY ? ast_query_into(statement->query) : NULL;
}

Error *bind_statement_query(Binder *binder, const AstStatement *statement, Relation *relation)
{
    const AstQuery *query = statement_query(statement);
    if (!query)
        return error_at(ERR_INTERNAL, statement->at, "a statement without a query");
    const AstName *into = statement->kind == AST_STMT_QUERY ? ast_query_into(query) : NULL;
    return bind_query(binder, query, (QueryContext){ .top_level = true, .persistent = statement->kind == AST_STMT_CREATE_AS, .shown = statement->kind == AST_STMT_QUERY && !into, .into = into }, relation);
}

/* ---- the rows of an INSERT in the target's columns ---- */

Schema statement_record_schema(Arena *arena, const CatalogEntry *target)
{
    Schema schema = { 0, ARENA_ARRAY(arena, Column, target->column_count + 1) };
    for (int i = 0; i < target->column_count; i++)
        if (!target->columns[i].computed)
            schema.columns[schema.column_count++] = (Column){ .name = target->columns[i].name, .type = target->columns[i].type, .is_key = target->columns[i].is_key, .not_null = target->columns[i].not_null };
    return schema;
}

/* The declared column behind a column of the record schema. */
static const CatalogColumn *record_column(const CatalogEntry *target, int column)
{
    int i = 0;
    while (target->columns[i].computed || column-- > 0)
        i++;
    return &target->columns[i];
}

/* INSERT INTO t (b, a): columns of the record schema in the order given; without a list the first `width`. */
static Error *listed_columns(Binder *binder, const AstStatement *statement, const CatalogEntry *target, const Schema *schema, int width, int *columns, int *count)
{
    *count = 0;
    if (statement->columns.count == 0) {
        for (int i = 0; i < width; i++)
            columns[(*count)++] = i;
        return NULL;
    }
    for (int i = 0; i < statement->columns.count; i++) {
        const AstName *name = &statement->columns.items[i];
        int column = schema_find(schema, name->text);
        if (column < 0) {
            const char **names = ARENA_ARRAY(binder->arena, const char *, schema->column_count + 1);
            for (int c = 0; c < schema->column_count; c++)
                names[c] = schema->columns[c].name;
            return error_suggest(error_at(ERR_BIND, name->at, "no column '%s' in %s", name->text, target->name), name->text, names, schema->column_count);
        }
        for (int before = 0; before < *count; before++)
            if (columns[before] == column)
                return error_at(ERR_BIND, name->at, "column '%s' is named twice", name->text);
        columns[(*count)++] = column;
    }
    return NULL;
}

static bool is_default(const AstExpr *expr)
{
    return expr->kind == AST_NAME && expr->path.count == 1 && !expr->path.items[0].quoted && name_equal(expr->path.items[0].text, "default");
}

/* VALUES (1, DEFAULT): the word stands for what the column's declaration says. */
static AstExprs with_defaults(Arena *arena, const AstExprs *row, const CatalogEntry *target, const int *columns)
{
    AstExprs values = { 0 };
    for (int i = 0; i < row->count; i++) {
        AstExpr *value = row->items[i];
        if (is_default(value)) {
            const AstExpr *declared = record_column(target, columns[i])->default_value;
            value = arena_copy(arena, value, sizeof *value);
            *value = declared ? *declared : (AstExpr){ .kind = AST_LITERAL, .value = value_null(type_scalar(TYPE_NULL)) };
            value->at = row->items[i]->at;
        }
        LIST_ADD(arena, &values, value);
    }
    return values;
}

static Error *insert_rows(Binder *binder, const AstStatement *statement, const CatalogEntry *target, const Schema *schema, const int *columns, int count, Relation *rows)
{
    if (statement->kind != AST_STMT_INSERT_VALUES)
        return bind_statement_query(binder, statement, rows);
    Schema listed = { count, ARENA_ARRAY(binder->arena, Column, count + 1) };
    for (int i = 0; i < count; i++)
        listed.columns[i] = schema->columns[columns[i]];
    for (int r = 0; r < statement->rows.count; r++)
        if (statement->rows.items[r].count != count)
            return error_at(ERR_BIND, statement->rows.items[r].count ? statement->rows.items[r].items[0]->at : statement->at, "'%s' takes %d value%s, this row has %d",
                            target->name, count, count == 1 ? "" : "s", statement->rows.items[r].count);
    AstExprs *values = ARENA_ARRAY(binder->arena, AstExprs, statement->rows.count + 1);
    for (int r = 0; r < statement->rows.count; r++)
        values[r] = with_defaults(binder->arena, &statement->rows.items[r], target, columns);
    return bind_values(binder, values, statement->rows.count, statement->at, &listed, rows);
}

/* What a column gets that the statement does not name. */
static Error *missing_value(Binder *binder, const AstStatement *statement, const CatalogEntry *target, int column, Expr **value)
{
    const CatalogColumn *declared = record_column(target, column);
    if (declared->default_value) {
        bool foreign = target->text != binder->text;
        TRY(bind_default(binder, declared, value));
        if (foreign)
            (*value)->at = statement->at;
        return NULL;
    }
    if (declared->not_null)
        return error_at(ERR_BIND, statement->at, "column '%s' of '%s' is NOT NULL and gets no value", declared->name, target->name);
    Value null = value_null(declared->type);
    *value = expr_constant(binder->arena, &null, statement->at);
    return NULL;
}

Error *bind_insert(Binder *binder, const AstStatement *statement, const CatalogEntry *target, Relation *relation)
{
    return bind_earlier_insert(binder, statement, target, statement_record_schema(binder->arena, target).column_count, relation);
}

Error *bind_earlier_insert(Binder *binder, const AstStatement *statement, const CatalogEntry *target, int width, Relation *relation)
{
    Arena *arena = binder->arena;
    Schema schema = statement_record_schema(arena, target);
    int *columns = ARENA_ARRAY(arena, int, schema.column_count + statement->columns.count + 1), count = 0;
    bool message_rows = target->source && is_record_connector(target->source->connector);
    const int rowtime = message_rows && statement->kind == AST_STMT_INSERT_VALUES ? schema.column_count : -1;
    if (rowtime >= 0) /* INSERT INTO t (ROWTIME, ..): the message's time */
        schema.columns[schema.column_count++] = (Column){ .name = "ROWTIME", .type = type_scalar(TYPE_BIGINT) };
    TRY(listed_columns(binder, statement, target, &schema, width, columns, &count));
    Relation rows;
    TRY(insert_rows(binder, statement, target, &schema, columns, count, &rows));
    binder->query_rows = arena_copy(arena, &rows, sizeof rows);
    int *given = ARENA_ARRAY(arena, int, rows.schema.column_count + 1), given_count = 0;
    for (int i = 0; i < rows.schema.column_count; i++)
        if (!rows.schema.columns[i].hidden)
            given[given_count++] = i;
    if (message_rows && statement->kind == AST_STMT_INSERT_QUERY)
        TRY(bind_message_selected(&rows, statement->at));
    if (message_rows && statement->kind == AST_STMT_INSERT_QUERY && statement->columns.count == 0 && given_count == count && !target->source->flink_keys)
        bind_message_order(arena, &rows, target, given, count);
    const AstQuery *query = statement_query(statement);
    if (given_count != count)
        return error_at(ERR_BIND, query ? query->at : statement->at, "'%s' takes %d column%s, the query gives %d", target->name, count, count == 1 ? "" : "s", given_count);
    Expr **exprs = ARENA_ARRAY(arena, Expr *, schema.column_count + 1);
    Error *errors = NULL;
    MEMORY_HOLD(error_unwind, &errors);
    for (int i = 0; i < count; i++) {
        Span at = query && query->kind == AST_SELECT && i < query->items.count && query->items.items[i].expr->kind != AST_STAR ? query->items.items[i].expr->at : query ? query->at : statement->at;
        Expr *expr = binder_column(arena, &rows.schema, given[i], at);
        errors = error_append(errors, binder_assign(binder, expr, schema.columns[columns[i]].type, schema.columns[columns[i]].name, &exprs[columns[i]]));
    }
    if (errors)
        return errors;
    Expr *time = NULL;
    if (rowtime >= 0 && exprs[rowtime])
        TRY(binder_from_ms(arena, exprs[rowtime], &time));
    schema.column_count -= rowtime >= 0;
    for (int i = 0; i < schema.column_count; i++) {
        if (!exprs[i])
            TRY(missing_value(binder, statement, target, i, &exprs[i]));
    }
    MessageColumns *message = NULL;
    WindowColumns window = { .start = -1, .end = -1, .time = -1 };
    if (target->source && target->source->rows)
        TRY(bind_process_rest(binder, &rows, target, statement->at, &exprs, &schema));
    if (message_rows)
        TRY(bind_message_rest(binder, &rows, target, time, &exprs, &schema, &window, &message));
    LogicalNode *node = binder_project(binder, &rows, exprs, schema.columns, schema.column_count, statement->at);
    *relation = (Relation){ .input = main_port(node), .schema = node->schema, .time_column = -1, .window = window, .message = message, .dead_letter = rows.dead_letter,
                            .letters = rows.letters, .on_expr_error = rows.on_expr_error };
    return NULL;
}

/* ---- sinks ---- */

static Error *record_places(Binder *binder, const CatalogEntry *target, const int *columns, int count, Span at, int **result)
{
    *result = ARENA_ARRAY(binder->arena, int, count + 1);
    for (int i = 0; i < count; i++) {
        int place = 0;
        if (target->columns[columns[i]].computed)
            return error_at(ERR_BIND, at, "'%s' of '%s' is computed and not written", target->columns[columns[i]].name, target->name);
        for (int c = 0; c < columns[i]; c++)
            place += target->columns[c].computed == NULL;
        (*result)[i] = place;
    }
    return NULL;
}

bool traits_determine(const EdgeTraits *traits, const int *key, int key_count)
{
    for (int k = 0; k < traits->key_count; k++) {
        bool inside = true;
        for (int c = 0; c < traits->keys[k].count && inside; c++) {
            inside = false;
            for (int i = 0; i < key_count; i++)
                inside |= key[i] == traits->keys[k].columns[c];
        }
        if (inside)
            return true;
    }
    return false;
}

static Error *check_updates(Binder *binder, const CatalogEntry *target, const SinkSpec *spec, const EdgeTraits *traits, Span at)
{
    const ConnectorType *connector = spec->connector;
    (void)binder;
    if (traits->changes == CHANGES_APPEND)
        return NULL;
    if (is_record_connector(connector) && target->kind == CATALOG_STREAM)
        return error_hint(error_at(ERR_BIND, at, "the query updates earlier results, and the stream '%s' takes none", target->name), "CREATE TABLE %s AS ..", target->name);
    if (!connector->sink->takes_updates)
        return error_hint(error_at(ERR_BIND, at, "the query updates earlier results, and '%s' takes none: connector '%s' only appends", target->name, connector->name),
                          "use a window with EMIT FINAL, or a table that takes updates");
    if (connector->sink->needs_key && spec->key_count == 0)
        return error_hint(error_at(ERR_BIND, at, "the query updates earlier results, and '%s' has no primary key to find them by", target->name),
                          "declare it: CREATE TABLE %s (k BIGINT PRIMARY KEY, ..)", target->name);
    if (connector->sink->needs_key && !traits_determine(traits, spec->key_columns, spec->key_count))
        return error_hint(error_at(ERR_BIND, at, "the primary key of '%s' does not tell the query's rows apart", target->name), "make it the query's GROUP BY columns");
    return NULL;
}

Error *statement_add_sink(Binder *binder, CatalogEntry *target, const Relation *rows, Span at, Outputs *outputs)
{
    Arena *arena = binder->arena;
    const CatalogSource *source = target->source;
    if (source->rows) {
        LogicalNode *sink = NULL;
        TRY(bind_process_sink(binder, target, rows, at, &sink));
        binder_use(binder, target->name);
        LIST_ADD(arena, outputs, ((PhysicalOutput){ .name = target->name, .sink = sink }));
        return NULL;
    }
    if (!source->connector->sink)
        return error_at(ERR_BIND, at, "'%s' cannot be written: connector '%s' only gives rows", target->name, source->connector->name);
    if (source->format && !source->format->encoder_open)
        return error_at(ERR_BIND, at, "'%s' cannot be written: format '%s' is only read", target->name, source->format->name);
    LogicalNode *node = logical_node(arena, PLAN_SINK, at, 1, &rows->input);
    node->schema = *schema_copy(arena, &rows->schema);
    SinkSpec *spec = &node->sink.spec;
    int *keys = NULL, *partitions = NULL;
    TRY(record_places(binder, target, target->key_columns, target->key_count, at, &keys));
    TRY(record_places(binder, target, target->partition_columns, target->partition_count, at, &partitions));
    *spec = (SinkSpec){ source->connector, source->connector_options, &node->schema, partitions, target->partition_count, keys, target->key_count,
                        false, .upserts = source->format && is_message_table(target), .windowed_keys = source->key_window != KEY_WINDOW_NONE, .refused = source->refused,
                        .letter_options = source->letter_options, .like = rows->message && rows->message->from ? rows->message->from->connector_options : NULL,
                        .format_name = source->format ? source->format->name : NULL };
    node->sink.connector = source->connector;
    node->sink.format = source->format;
    node->sink.format_options = source->format_options;
    if (is_record_connector(source->connector))
        bind_message_sink(binder, target, rows, node);
    logical_derive(arena, node);
    TRY(check_updates(binder, target, spec, &node->traits, at));
    node->sink.with_kinds = node->traits.changes != CHANGES_APPEND && !source->connector->sink->row_sink;
    binder_use(binder, target->name);
    LIST_ADD(arena, outputs, ((PhysicalOutput){ .name = target->name, .sink = node }));
    return NULL;
}

static PlanKind side_kind(const PhysicalOutput *output) { return output->sink->inputs[0].node->inputs[0].node->kind; }

static bool same_side(const PhysicalOutput *a, const PhysicalOutput *b)
{
    return a->side_of && b->side_of && strcmp(a->side_of, b->side_of) == 0 && strcmp(a->name, b->name) == 0 && side_kind(a) == side_kind(b);
}

/* Several statements of a job read a source once: its bad records are put aside once. */
static void drop_repeated_sides(Outputs *outputs)
{
    int kept = 0;
    for (int o = 0; o < outputs->count; o++) {
        bool repeated = false;
        for (int k = 0; k < kept; k++)
            repeated |= same_side(&outputs->items[k], &outputs->items[o]);
        if (!repeated)
            outputs->items[kept++] = outputs->items[o];
    }
    outputs->count = kept;
}

/* Several statements that write into one target share its sink: two writers would overwrite each other. */
void outputs_merge(Arena *arena, Outputs *outputs)
{
    int kept = 0;
    drop_repeated_sides(outputs);
    for (int o = 0; o < outputs->count; o++) {
        PhysicalOutput *output = &outputs->items[o], *first = NULL;
        for (int k = 0; k < kept && output->name && !first; k++)
            if (outputs->items[k].name && strcmp(outputs->items[k].name, output->name) == 0)
                first = &outputs->items[k];
        if (!first) {
            outputs->items[kept++] = *output;
            continue;
        }
        LogicalNode *sink = first->sink, *together = sink->inputs[0].node;
        if (together->kind != PLAN_UNION || !together->at.length || together->at.start != sink->at.start) {
            PlanInput inputs[2] = { sink->inputs[0], output->sink->inputs[0] };
            together = logical_union(arena, inputs, 2, sink->at);
        } else {
            PlanInput *inputs = ARENA_ARRAY(arena, PlanInput, together->input_count + 1);
            memcpy(inputs, together->inputs, sizeof *inputs * (size_t)together->input_count);
            inputs[together->input_count++] = output->sink->inputs[0];
            together->inputs = inputs;
            logical_derive(arena, together);
        }
        sink->inputs[0] = main_port(together);
        logical_derive(arena, sink);
        sink->sink.with_kinds |= output->sink->sink.with_kinds;
        sink->sink.spec.replaces |= output->sink->sink.spec.replaces;
    }
    outputs->count = kept;
}

/* ---- final results or changes ---- */

static const AstEmit *statement_emit(const AstStatement *statement)
{
    const AstQuery *query = statement_query(statement);
    return query ? &query->emit : NULL;
}

static Error *bind_once(Binder *binder, const AstStatement *statement, CatalogEntry *target, bool final_results, Relation *relation)
{
    binder->final_results = final_results;
    binder->needs_final = false;
    binder->sides.count = 0;
    binder->nameless_letters = NULL;
    binder->stack.count = 0;
    binder->ctes = NULL;
    binder->bound_from.count = 0;
    if (target && target->source && target->source->rows && statement->kind == AST_STMT_CREATE_AS) {
        TRY(bind_statement_query(binder, statement, relation));
        return bind_normalize(binder, relation, false, statement->at);
    }
    return target ? bind_insert(binder, statement, target, relation) : bind_statement_query(binder, statement, relation);
}

static Error *bind_rows(Binder *binder, const AstStatement *statement, CatalogEntry *target, Relation *relation)
{
    const AstEmit *emit = statement_emit(statement);
    bool explicit_changes = emit && emit->kind != AST_EMIT_NONE && emit->kind != AST_EMIT_FINAL;
    binder->pull = binder_rules(binder)->pull_select && statement->kind == AST_STMT_QUERY && !target && emit && emit->kind == AST_EMIT_NONE;
    const bool of_process = target && target->source && target->source->rows && statement->kind == AST_STMT_CREATE_AS;
    binder->pull_tables = false;
    binder->explicit_changes = explicit_changes;
    if (explicit_changes || of_process) { /* who reads a stream or table of the process waits for no end */
        TRY(bind_once(binder, statement, target, false, relation));
        if (binder->needs_final)
            return error_at(ERR_BIND, emit->at.length ? emit->at : statement_query(statement)->at, "ORDER BY and ranks need final results: they do not go with this EMIT");
        return NULL;
    }
    binder->pull_tables = binder->connectors && binder->connectors->process && statement->kind == AST_STMT_QUERY && !target;
    TRY(bind_once(binder, statement, target, true, relation));
    binder->pull_tables = false;
    bool bounded = port_traits(binder->arena, relation->input).bounded;
    const SinkType *sink = target && target->source && target->source->connector ? target->source->connector->sink : NULL;
    bool takes_updates = sink && sink->takes_updates && sink->needs_key && target->key_count > 0 && !target->source->appends_keyed;
    if (bounded && !takes_updates)
        return NULL;
    TRY(bind_once(binder, statement, target, false, relation));
    if (binder->needs_final && bounded)
        TRY(bind_once(binder, statement, target, true, relation));
    return NULL;
}

/* A table of a server that is written elsewhere: beside that its query keeps it, to be read as it is now. */
static Error *add_kept(Binder *binder, CatalogEntry *target, Span at, Outputs *outputs)
{
    Relation rows = *binder->query_rows;
    TRY(bind_normalize(binder, &rows, false, at));
    const Schema *names = &target->source->kept->names;
    bool same = rows.schema.column_count == names->column_count;
    for (int i = 0; same && i < names->column_count; i++)
        same = type_equal(rows.schema.columns[i].type, names->columns[i].type);
    if (!same) /* final results may be made otherwise than changes */
        return NULL;
    LogicalNode *sink = NULL;
    TRY(bind_process_sink(binder, target, &rows, at, &sink));
    LIST_ADD(binder->arena, outputs, ((PhysicalOutput){ .name = arena_printf(binder->arena, "%s as it is", target->name), .sink = sink }));
    return NULL;
}

static Error *bind_outputs(Binder *binder, const AstStatement *statement, CatalogEntry *target, Outputs *outputs)
{
    Arena *arena = binder->arena;
    Relation relation;
    const AstQuery *query = statement_query(statement);
    Span at = target && statement_target(statement) ? statement_target(statement)->at : target ? statement->create->name.at : query ? query->at : statement->at;
    TRY(bind_rows(binder, statement, target, &relation));
    if (binder->nameless_letters)
        return error_hint(error_at(ERR_BIND, binder->nameless_letters->at, "no stream is named for the rows whose expressions fail"),
                          "SET 'dead_letter' = 'stream name'");
    if (target) {
        TRY(statement_add_sink(binder, target, &relation, at, outputs));
        outputs->items[outputs->count - 1].sink->sink.spec.replaces = statement_target(statement) == NULL || statement->overwrite;
        if (target->source->kept && statement->kind == AST_STMT_CREATE_AS)
            TRY(add_kept(binder, target, at, outputs));
        return statement_side_sinks(binder, at, outputs);
    }
    int *columns = ARENA_ARRAY(arena, int, relation.schema.column_count + 1), count = 0;
    for (int i = 0; i < relation.schema.column_count; i++)
        if (!relation.schema.columns[i].hidden)
            columns[count++] = i;
    TRY(bind_normalize(binder, &relation, false, at));
    LogicalNode *pick = logical_pick(arena, relation.input, columns, count, at);
    LogicalNode *node = logical_node(arena, PLAN_SINK, at, 1, &(PlanInput){ pick, PORT_MAIN });
    node->schema = (Schema){ count, ARENA_ARRAY(arena, Column, count + 1) };
    for (int i = 0; i < count; i++) /* names are the relation's: aliases of FROM rename nothing below */
        node->schema.columns[i] = relation.schema.columns[columns[i]];
    node->sink.spec.schema = &node->schema;
    logical_derive(arena, node);
    node->sink.with_kinds = node->traits.changes != CHANGES_APPEND;
    LIST_ADD(arena, outputs, ((PhysicalOutput){ .sink = node }));
    return statement_side_sinks(binder, at, outputs);
}

Error *statement_outputs(Binder *binder, const AstStatement *statement, CatalogEntry *target, Outputs *outputs)
{
    if (statement->kind == AST_STMT_CREATE_SOURCE) {
        LogicalNode *sink = NULL;
        TRY(bind_process_keeper(binder, target, statement->create->name.at, &sink));
        LIST_ADD(binder->arena, outputs, ((PhysicalOutput){ .name = target->name, .sink = sink }));
        return NULL;
    }
    TRY(bind_outputs(binder, statement, target, outputs));
    return shards_check(binder->arena, outputs);
}
