/* planner/bind_scan.c: what reads a source: up to three nodes. Scan decodes the columns that come from the record, Project computes the others and
 * the hidden ROWTIME, Watermark stamps event time. */
#include "common/calendar.h"
#include "planner/binder.h"
#include "planner/expr.h"
#include "planner/rewrite/rewrite.h"
#include "planner/session_zone.h"

Expr *bind_arrival_time(Binder *binder, Span at)
{
    Expr *expr = NULL;
    Error *error = expr_call(binder->arena, "proctime", at, 0, NULL, &expr);
    if (error) {
        error_free(error);
        error = expr_call(binder->arena, "now", at, 0, NULL, &expr);
        error_free(error);
    }
    return expr;
}

/* A timestamp out of whatever names the event time: TIMESTAMP, epoch milliseconds, text. */
static Error *as_time(Binder *binder, const CatalogSource *source, Expr *expr, Expr **time)
{
    if (type_is_timestamp(expr->type)) {
        *time = expr;
        return NULL;
    }
    if (type_is_integer(expr->type))
        return binder_from_ms(binder->arena, expr, time);
    if (expr->type->kind == TYPE_VARCHAR && source && source->timestamp_format) {
        Expr *format = ARENA_NEW(binder->arena, Expr);
        *format = (Expr){ .kind = EXPR_CONSTANT, .type = type_scalar(TYPE_VARCHAR), .at = expr->at };
        format->value = (Value){ .type = format->type, .text = str_c(source->timestamp_format) };
        Expr *args[2] = { expr, format };
        return expr_call(binder->arena, "parse_timestamp", expr->at, 2, args, time);
    }
    if (expr->type->kind == TYPE_VARCHAR || expr->type->kind == TYPE_DATE)
        return binder_cast(binder->arena, expr, type_scalar(TYPE_TIMESTAMP), time);
    return error_at(ERR_BIND, expr->at, "an event time cannot be made from %s", type_text(binder->arena, expr->type));
}

/* ksqlDB knows no time before 1970: such a row has none. */
static Error *time_from_epoch(Binder *binder, Expr **time)
{
    Arena *arena = binder->arena;
    Value epoch = { .type = (*time)->type };
    Expr *args[2] = { *time, expr_constant(arena, &epoch, (*time)->at) }, *after = NULL;
    TRY(expr_call(arena, ">=", (*time)->at, 2, args, &after));
    Value none = value_null((*time)->type);
    Expr *choice = ARENA_NEW(arena, Expr);
    *choice = (Expr){ .kind = EXPR_CASE, .type = (*time)->type, .at = (*time)->at, .arg_count = 3, .args = ARENA_ARRAY(arena, Expr *, 3) };
    choice->args[0] = after;
    choice->args[1] = expr_copy(arena, *time);
    choice->args[2] = expr_constant(arena, &none, (*time)->at);
    *time = choice;
    return NULL;
}

Error *bind_event_time(Binder *binder, const CatalogSource *source, Expr *expr, Expr **time)
{
    TRY(as_time(binder, source, expr, time));
    return binder_rules(binder)->windows_from_epoch ? time_from_epoch(binder, time) : NULL;
}

typedef struct Columns {
    Expr **exprs;
    Column *columns;
    int count;
} Columns;

static void add_column(Columns *columns, Expr *expr, Column column)
{
    column.type = expr->type;
    columns->exprs[columns->count] = expr;
    columns->columns[columns->count++] = column;
}

/* Declared columns in their order; computed ones may use those declared before them. */
static Error *compute_columns(Binder *binder, const CatalogEntry *entry, PlanInput input, Columns *columns)
{
    Schema under = port_schema(binder->arena, input);
    Relation scope = { .input = input, .alias = entry->name, .time_column = -1, .window = { .start = -1, .end = -1, .time = -1 } };
    /* all physical columns are in scope, wherever they stand */
    Schema all = { 0, ARENA_ARRAY(binder->arena, Column, entry->column_count + under.column_count + 1) };
    Expr **with = ARENA_ARRAY(binder->arena, Expr *, entry->column_count + under.column_count + 1);
    int physical = 0;
    for (int i = 0; i < entry->column_count; i++)
        if (!entry->columns[i].computed) {
            with[all.column_count] = binder_column(binder->arena, &under, physical++, entry->columns[i].at);
            all.columns[all.column_count++] = (Column){ .name = entry->columns[i].name, .type = entry->columns[i].type };
        }
    for (int i = physical; i < under.column_count; i++) { /* beside them: facts of messages */
        with[all.column_count] = binder_column(binder->arena, &under, i, SPAN_NONE);
        all.columns[all.column_count++] = (Column){ .name = under.columns[i].name, .type = under.columns[i].type, .hidden = true };
    }
    physical = 0;
    for (int i = 0; i < entry->column_count; i++) {
        const CatalogColumn *declared = &entry->columns[i];
        Column column = { .name = declared->name, .is_key = declared->is_key, .not_null = declared->not_null };
        if (!declared->computed) {
            add_column(columns, binder_column(binder->arena, &under, physical++, declared->at), column);
            continue;
        }
        scope.schema = all;
        Expr *expr = NULL;
        TRY(binder_expr(binder, &scope, declared->computed, &expr));
        expr = rewrite_substitute(binder->arena, expr, with);
        if (declared->type)
            TRY(binder_cast(binder->arena, expr, declared->type, &expr));
        with[all.column_count] = expr;
        all.columns[all.column_count++] = (Column){ .name = declared->name, .type = expr->type };
        add_column(columns, expr, column);
    }
    return NULL;
}

/* What a message has beside the declared columns; the window of its key also as ksqlDB knows it. */
static Error *add_facts(Binder *binder, const CatalogEntry *entry, PlanInput input, Columns *columns)
{
    Schema under = port_schema(binder->arena, input);
    int first = 0;
    for (int i = 0; i < entry->column_count; i++)
        first += entry->columns[i].computed == NULL;
    for (int i = first; i < under.column_count; i++) {
        Expr *fact = binder_column(binder->arena, &under, i, SPAN_NONE), *ms = NULL;
        add_column(columns, fact, under.columns[i]);
        bool start = strcmp(under.columns[i].name, "$key_start") == 0, end = strcmp(under.columns[i].name, "$key_end") == 0;
        if (!start && !end)
            continue;
        TRY(binder_to_ms(binder->arena, fact, &ms));
        add_column(columns, ms, (Column){ .name = start ? "WINDOWSTART" : "WINDOWEND", .hidden = true });
    }
    return NULL;
}

/* The time that a message itself has; -1: rows are no messages. */
static int record_time(const Columns *columns)
{
    for (int i = 0; i < columns->count; i++)
        if (columns->columns[i].hidden && strcmp(columns->columns[i].name, "$record_time") == 0)
            return i;
    return -1;
}

/* A message that deletes has no columns to take a time from: its own counts. */
static Error *time_of_delete(Binder *binder, const CatalogEntry *entry, const Columns *columns, Expr **time)
{
    int record = record_time(columns);
    if (!is_message_table(entry) || record < 0)
        return NULL;
    Expr *either = ARENA_NEW(binder->arena, Expr);
    *either = (Expr){ .kind = EXPR_COALESCE, .type = (*time)->type, .at = (*time)->at, .arg_count = 2, .args = ARENA_ARRAY(binder->arena, Expr *, 2) };
    Schema schema = { columns->count, columns->columns };
    either->args[0] = *time;
    TRY(binder_cast(binder->arena, binder_column(binder->arena, &schema, record, (*time)->at), (*time)->type, &either->args[1]));
    *time = either;
    return NULL;
}

/* Which column is the event time: an existing one or a hidden one added behind. *arrival: none was named. */
static Error *time_column(Binder *binder, const CatalogEntry *entry, Columns *columns, const AstExpr *timestamp_by, Span at, int *column, bool *arrival)
{
    const CatalogSource *source = entry->source;
    Schema declared = { columns->count, columns->columns };
    Relation scope = { .alias = entry->name, .schema = declared, .time_column = -1, .window = { .start = -1, .end = -1, .time = -1 } };
    const char *named = source->watermark_column ? source->watermark_column : source->timestamp_column;
    Span named_at = source->watermark_column ? source->watermark_at : source->timestamp_at;
    Expr *expr = NULL;
    *arrival = false;
    if (timestamp_by) {
        TRY(binder_expr(binder, &scope, timestamp_by, &expr));
    } else if (named) {
        int found = schema_find(&declared, named);
        if (found < 0)
            return bind_no_column(binder, entry, named, named_at);
        if (source->watermark_column && !type_is_timestamp(declared.columns[found].type))
            return error_hint(error_at(ERR_BIND, named_at, "WATERMARK FOR needs a TIMESTAMP column, '%s' is %s", named, type_text(binder->arena, declared.columns[found].type)),
                              "declare it as TIMESTAMP(3), or add a computed column");
        expr = binder_column(binder->arena, &declared, found, named_at);
    } else if (record_time(columns) >= 0) {
        *column = record_time(columns);
        return NULL;
    } else {
        *arrival = true;
        *column = columns->count;
        add_column(columns, bind_arrival_time(binder, at), (Column){ .name = "$time", .hidden = true });
        return NULL;
    }
    Expr *time = NULL;
    TRY(bind_event_time(binder, source, expr, &time));
    TRY(time_of_delete(binder, entry, columns, &time));
    if (time->kind == EXPR_COLUMN) {
        *column = time->column;
        return NULL;
    }
    *column = columns->count;
    add_column(columns, rewrite_substitute(binder->arena, time, columns->exprs), (Column){ .name = "$time", .hidden = true });
    return NULL;
}

static void note_dead_letters(Binder *binder, const CatalogEntry *entry, LogicalNode *node)
{
    if (entry->source->dead_letter)
        binder_note_letters(binder, entry->source->dead_letter, NULL, entry->name, node);
    if (entry->source->dead_letter_topic)
        binder_note_letters(binder, NULL, entry, entry->name, node);
}

Error *bind_source_columns(Binder *binder, CatalogEntry *entry, PlanInput input, const AstExpr *timestamp_by, Span at, Relation *relation)
{
    Arena *arena = binder->arena;
    const CatalogSource *source = entry->source;
    int room = entry->column_count + 3 + MESSAGE_FACTS + 2;
    Columns columns = { ARENA_ARRAY(arena, Expr *, room), ARENA_ARRAY(arena, Column, room), 0 };
    TRY(compute_columns(binder, entry, input, &columns));
    TRY(add_facts(binder, entry, input, &columns));
    bool arrival = false;
    int time = -1;
    TRY(time_column(binder, entry, &columns, timestamp_by, at, &time, &arrival));
    Expr *rowtime = NULL;
    if (schema_find(&(Schema){ columns.count, columns.columns }, "rowtime") == -1) {
        TRY(binder_to_ms(arena, columns.exprs[time], &rowtime));
        add_column(&columns, rowtime, (Column){ .name = "ROWTIME", .hidden = true });
    }
    LogicalNode *node = logical_project(arena, input, columns.exprs, columns.columns, columns.count, source->on_expr_error, at);
    bool can_fail = false;
    for (int i = 0; i < columns.count; i++)
        can_fail |= expr_can_fail(columns.exprs[i]);
    if (can_fail && source->on_expr_error == POLICY_DEAD_LETTER)
        note_dead_letters(binder, entry, node);
    if (!arrival) {
        Expr *watermark = NULL;
        int64_t extra = 0;
        if (source->watermark && !timestamp_by) {
            Relation scope = { .alias = entry->name, .schema = node->schema, .time_column = -1, .window = { .start = -1, .end = -1, .time = -1 } };
            TRY(binder_expr(binder, &scope, source->watermark, &watermark));
            if (!type_is_timestamp(watermark->type))
                return error_at(ERR_BIND, source->watermark->at, "a watermark is a TIMESTAMP, this is %s", type_text(arena, watermark->type));
            if (watermark->kind == EXPR_COLUMN && watermark->column == time)
                watermark = NULL;
            extra = dialect_rules(binder->settings->dialect)->watermark_inclusive ? US_PER_SECOND : 0;
            for (int digit = 0; digit < node->schema.columns[time].type->precision && extra > 1; digit++)
                extra /= 10;
        }
        LogicalNode *stamp = logical_node(arena, PLAN_WATERMARK, at, 1, &(PlanInput){ node, PORT_MAIN });
        stamp->watermark.time_column = time;
        stamp->watermark.watermark = watermark;
        stamp->watermark.extra_us = extra;
        const CatalogRows *rows = source->inserted ? source->inserted : source->rows;
        stamp->watermark.passed = rows && rows->time_column >= 0 && !timestamp_by;
        stamp->watermark.max_ahead_us = source->max_ahead_us;
        stamp->watermark.on_error = source->on_error;
        logical_derive(arena, stamp);
        node = stamp;
        if (source->on_error == POLICY_DEAD_LETTER)
            note_dead_letters(binder, entry, node);
    }
    *relation = (Relation){ .input = main_port(node), .alias = entry->name, .schema = node->schema, .time_column = time, .processing_time = arrival,
                            .window = { .start = -1, .end = -1, .time = -1 }, .dead_letter = source->dead_letter,
                            .letters = source->dead_letter_topic ? entry : NULL, .on_expr_error = source->on_expr_error_given ? &source->on_expr_error : NULL };
    if (is_record_connector(source->connector))
        bind_message_source(binder, entry, relation);
    return NULL;
}

/* Row sources name their columns; a wrong name is better said here than while running. */
static Error *check_row_columns(Binder *binder, const CatalogEntry *entry, Span at)
{
    const CatalogSource *source = entry->source;
    if (!source->connector->source->row_source || !source->connector->source->schema || binder->catalog->outside_unknown)
        return NULL;
    Schema *schema = NULL;
    Error *error = source->connector->source->schema(binder->arena, binder->connectors, source->connector_options, &schema);
    if (error) {
        error->at = at;
        return error;
    }
    for (int i = 0; i < entry->column_count; i++) {
        const CatalogColumn *column = &entry->columns[i];
        if (column->computed || schema_find(schema, column->name) != -1)
            continue;
        const char **names = ARENA_ARRAY(binder->arena, const char *, schema->column_count + 1);
        for (int c = 0; c < schema->column_count; c++)
            names[c] = schema->columns[c].name;
        Span place = entry->text == binder->text ? column->at : at;
        return error_suggest(error_at(ERR_BIND, place, "connector '%s' has no column '%s'", source->connector->name, column->name), column->name, names, schema->column_count);
    }
    return NULL;
}

/* PRIMARY KEY (..) NOT ENFORCED: its rows only come, and each has another key. */
static void note_declared_key(Arena *arena, const CatalogEntry *entry, LogicalNode *scan)
{
    ColumnSet *key = ARENA_NEW(arena, ColumnSet);
    if (!entry->key_count || !entry->source->key_not_enforced || scan->scan.upsert)
        return;
    key->columns = ARENA_ARRAY(arena, int, entry->key_count + 1);
    for (int k = 0; k < entry->key_count; k++) {
        int column = 0;
        if (entry->columns[entry->key_columns[k]].computed)
            return;
        for (int i = 0; i < entry->key_columns[k]; i++)
            column += entry->columns[i].computed == NULL;
        key->columns[key->count++] = column;
    }
    scan->traits.keys = key;
    scan->traits.key_count = 1;
}

/* Of a stream whose messages have the key's columns in the value, too, those are read: keys may be missing. A table needs its key. */
static RecordPart scanned_part(const CatalogEntry *entry, int column, bool records)
{
    const RecordPart part = entry->columns[column].part;
    return records && part == RECORD_KEY && entry->source->value_holds_key && !is_message_table(entry) ? RECORD_VALUE : part;
}

/* Where the column stands among those of the key; -1: it is none of them. */
static int key_place(const CatalogEntry *entry, int column)
{
    for (int k = 0; k < entry->key_count; k++)
        if (entry->key_columns[k] == column)
            return k;
    return -1;
}

static int keys_scanned(const CatalogEntry *entry, bool records)
{
    int count = 0;
    for (int i = 0; i < entry->column_count; i++)
        count += !entry->columns[i].computed && scanned_part(entry, i, records) == RECORD_KEY && key_place(entry, i) >= 0;
    return count;
}

Error *bind_source_scan(Binder *binder, CatalogEntry *entry, const AstExpr *timestamp_by, Span at, Relation *relation)
{
    Arena *arena = binder->arena;
    const CatalogSource *source = entry->source;
    if (!source->connector->source)
        return error_at(ERR_BIND, at, "'%s' cannot be read: connector '%s' only takes rows", entry->name, source->connector->name);
    const bool records = is_record_connector(source->connector);
    if (source->rows || (source->kept && binder->pull_tables))
        return bind_process_scan(binder, entry, timestamp_by, at, relation);
    if (entry->kind == CATALOG_TABLE && entry->key_count && !source->key_not_enforced && !source->connector->source->row_source)
        return error_hint(binder_unsupported(at, "reading '%s', a table with a primary key over connector '%s',", entry->name, source->connector->name),
                          "add NOT ENFORCED if its rows are inserts only");
    TRY(check_row_columns(binder, entry, at));
    LogicalNode *scan = logical_node(arena, PLAN_SCAN, at, 0, NULL);
    int physical = 0;
    for (int i = 0; i < entry->column_count; i++)
        physical += entry->columns[i].computed == NULL;
    scan->schema.columns = ARENA_ARRAY(arena, Column, physical + MESSAGE_FACTS + 1);
    DecodeColumn *columns = ARENA_ARRAY(arena, DecodeColumn, physical + MESSAGE_FACTS + 1);
    const char **names = ARENA_ARRAY(arena, const char *, physical + 1);
    RecordPart *parts = ARENA_ARRAY(arena, RecordPart, physical + 1);
    const Type **types = ARENA_ARRAY(arena, const Type *, physical + 1);
    int in_part[RECORD_NO_VALUE + 1] = { 0 }, slots = keys_scanned(entry, records);
    for (int i = 0; i < entry->column_count; i++) {
        const CatalogColumn *declared = &entry->columns[i];
        if (declared->computed)
            continue;
        int at_column = scan->schema.column_count++;
        const RecordPart part = scanned_part(entry, i, records);
        const int key = part == RECORD_KEY ? key_place(entry, i) : -1, slot = key >= 0 ? key : slots++;
        const int field = key >= 0 ? key : in_part[part]++;
        in_part[RECORD_VALUE] += key >= 0 && source->value_holds_key;
        names[slot] = declared->header ? declared->header : part == RECORD_KEY ? key_field_name(source, declared->name) : declared->name;
        parts[slot] = part;
        types[slot] = declared->type;
        scan->schema.columns[at_column] = (Column){ .name = declared->name, .type = declared->type, .is_key = declared->is_key, .not_null = declared->not_null };
        columns[at_column] = (DecodeColumn){ .path = &names[slot], .path_length = 1, .field_index = field, .type = declared->type, .part = part,
                                             .timestamp_format = type_is_timestamp(declared->type) ? source->timestamp_format : NULL, .not_null = declared->not_null };
    }
    scan->scan.source_name = entry->name;
    for (int i = 0; i < scan->schema.column_count; i++)
        if (type_holds_instants(scan->schema.columns[i].type))
            scan->scan.zone = session_zone();
    scan->scan.connector = source->connector;
    scan->scan.connector_options = source->connector_options;
    scan->scan.format = source->format;
    scan->scan.format_options = source->format_options;
    scan->scan.columns = columns;
    scan->scan.declared_count = physical;
    scan->scan.declared_names = names;
    scan->scan.declared_parts = parts;
    scan->scan.declared_types = types;
    if (records) {
        bind_message_facts(binder, entry, &scan->schema, columns);
        bind_message_scan(binder, entry, scan);
    }
    note_declared_key(arena, entry, scan);
    scan->scan.on_error = source->on_error == POLICY_NULL ? POLICY_SKIP : source->on_error;
    scan->scan.bounded = source->bounded;
    const char *reset = setting_property(binder->settings, "properties.auto.offset.reset");
    if (reset)
        connector_read_from(arena, source->connector, source->connector_options, reset, &scan->scan.connector_options);
    if (binder->pull && !source->bounded && connector_read_now(arena, source->connector, source->connector_options, &scan->scan.connector_options))
        scan->scan.bounded = true;
    scan->scan.max_ahead_us = source->max_ahead_us;
    scan->scan.idle_timeout_us = source->idle_timeout_us;
    scan->scan.max_skew_us = source->max_skew_us;
    scan->scan.max_errors_per_min = source->max_errors_per_min;
    scan->scan.max_error_ratio = source->max_error_ratio;
    logical_derive(arena, scan);
    if (source->on_error == POLICY_DEAD_LETTER)
        note_dead_letters(binder, entry, scan);
    return bind_source_columns(binder, entry, main_port(scan), timestamp_by, at, relation);
}
