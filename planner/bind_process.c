/* planner/bind_process.c: streams and tables without a connector, in a server: channels between jobs.
 *
 * Elsewhere the query of such a stream is put into each that reads it. In a server it runs once, and who reads it gets its rows as a relation that is
 * the same as the query's own: columns that do not show, event time with its lag, windows, keys. */
#include "common/calendar.h"
#include "connectors/channel.h"
#include "planner/binder.h"
#include "planner/statement.h"

bool is_process_connector(const ConnectorType *connector) { return connector == &process_connector; }

/* A table keeps windows for a day at least, as ksqlDB does. */
#define RETENTION_US US_PER_DAY

static const ProcessOptions *process_options_for(Arena *arena, const CatalogEntry *entry, bool now)
{
    ProcessOptions *options = ARENA_NEW(arena, ProcessOptions);
    *options = (ProcessOptions){ .stream = entry->name, .now = now };
    return options;
}

void bind_process_options(Binder *binder, const CatalogEntry *entry, CatalogSource *source)
{
    source->connector_options = process_options_for(&binder->catalog->arena, entry, false);
}

/* Names of the channel's columns: hidden ones may have any name, and several the same. */
static Schema channel_schema(Arena *arena, const Schema *names)
{
    Schema channel = *schema_copy(arena, names);
    for (int i = 0; i < channel.column_count; i++)
        if (channel.columns[i].hidden)
            channel.columns[i].name = arena_printf(arena, "$%d", i);
    return channel;
}

static void copy_keys(Arena *arena, const EdgeTraits *traits, CatalogRows *rows)
{
    rows->keys = ARENA_ARRAY(arena, ColumnSet, traits->key_count + 1);
    rows->key_count = traits->key_count;
    for (int k = 0; k < traits->key_count; k++)
        rows->keys[k] = (ColumnSet){ traits->keys[k].count, arena_copy(arena, traits->keys[k].columns, sizeof(int) * (size_t)(traits->keys[k].count + 1)) };
}

static CatalogRows *describe_rows(Arena *arena, Arena *scratch, const Relation *relation)
{
    EdgeTraits traits = port_traits(scratch, relation->input);
    CatalogRows *rows = ARENA_NEW(arena, CatalogRows);
    rows->names = *schema_copy(arena, &relation->schema);
    rows->channel = channel_schema(arena, &relation->schema);
    rows->changes = traits.changes;
    copy_keys(arena, &traits, rows);
    for (int c = 0; traits.key_count && c < traits.keys[0].count; c++)
        rows->names.columns[traits.keys[0].columns[c]].is_key = true;
    rows->time_column = -1;
    const TimeColumn *time = relation->time_column >= 0 ? traits_time(&traits, relation->time_column) : NULL;
    if (time && (!traits.clocks || time->processing)) { /* the clocks of keys end where the rows of all of them are passed on */
        rows->time_column = relation->time_column;
        rows->lag_us = time->lag_us;
        rows->processing_time = time->processing;
    }
    rows->windowed = relation->window.windowed;
    rows->window_start = relation->window.start;
    rows->window_end = relation->window.end;
    rows->window_time = relation->window.time;
    rows->window = relation->window.spec;
    return rows;
}

/* Rows of a stream are never taken back: readers of its channel are told that it is appended to alone. */
static Error *check_stream(Binder *binder, const CatalogEntry *entry, const Relation *rows, Span at)
{
    if (entry->kind != CATALOG_STREAM || port_traits(binder->arena, rows->input).changes == CHANGES_APPEND)
        return NULL;
    return error_hint(error_at(ERR_BIND, at, "the query updates earlier results, and the stream '%s' takes none", entry->name), "CREATE TABLE %s AS ..", entry->name);
}

Error *bind_process_target(Binder *binder, Relation *relation, CatalogEntry *entry, Span at)
{
    TRY(bind_normalize(binder, relation, false, at));
    TRY(check_stream(binder, entry, relation, at));
    entry->source->rows = describe_rows(&binder->catalog->arena, binder->arena, relation);
    return NULL;
}

Error *bind_process_kept(Binder *binder, const Relation *relation, CatalogEntry *entry, Span at)
{
    Relation rows = *relation;
    TRY(bind_normalize(binder, &rows, false, at));
    if (port_traits(binder->arena, rows.input).key_count)
        entry->source->kept = describe_rows(&binder->catalog->arena, binder->arena, &rows);
    return NULL;
}

/* What INSERT INTO gives to CREATE STREAM s (columns), and when. */
static CatalogRows *declared_rows(Binder *binder, const CatalogEntry *entry)
{
    static const char *const time = "$record_time"; /* where bind_source_columns looks for a time that nobody declared */
    Arena *arena = &binder->catalog->arena;
    CatalogRows *rows = ARENA_NEW(arena, CatalogRows);
    rows->names.columns = ARENA_ARRAY(arena, Column, entry->column_count + 2);
    for (int i = 0; i < entry->column_count; i++)
        if (!entry->columns[i].computed)
            rows->names.columns[rows->names.column_count++] = (Column){ .name = entry->columns[i].name, .type = entry->columns[i].type, .is_key = entry->columns[i].is_key };
    rows->time_column = -1;
    rows->window_start = rows->window_end = rows->window_time = -1;
    if (!entry->source->watermark_column && !entry->source->timestamp_column) {
        rows->time_column = rows->names.column_count++;
        rows->names.columns[rows->time_column] = (Column){ .name = time, .type = type_scalar(TYPE_TIMESTAMP), .hidden = true };
    }
    rows->channel = channel_schema(arena, &rows->names);
    return rows;
}

/* Newer rows take older ones' place by the primary key, unless that is only a promise. */
static void key_inserted(Arena *arena, const CatalogEntry *entry, CatalogRows *rows)
{
    if (entry->key_count == 0 || entry->source->key_not_enforced)
        return;
    rows->changes = CHANGES_UPSERT;
    rows->keys = ARENA_NEW(arena, ColumnSet);
    rows->key_count = 1;
    rows->keys->columns = ARENA_ARRAY(arena, int, entry->key_count + 1);
    for (int k = 0; k < entry->key_count; k++) {
        int place = 0;
        for (int c = 0; c < entry->key_columns[k]; c++)
            place += entry->columns[c].computed == NULL;
        rows->keys->columns[rows->keys->count++] = place;
    }
}

static Error *bind_inserted(Binder *binder, CatalogEntry *entry, Span at, Relation *relation);

Error *bind_process_declared(Binder *binder, CatalogEntry *entry, Span at)
{
    Arena *arena = &binder->catalog->arena;
    CatalogRows *rows = declared_rows(binder, entry);
    if (entry->kind != CATALOG_TABLE) {
        entry->source->rows = rows;
        return NULL;
    }
    Relation relation;
    key_inserted(arena, entry, rows);
    entry->source->inserted = rows;
    entry->source->inserted_channel = arena_printf(arena, "%s$inserted", entry->name);
    TRY(bind_inserted(binder, entry, at, &relation));
    entry->source->rows = describe_rows(arena, binder->arena, &relation);
    return NULL;
}

/* ---- reading ---- */

static const CatalogRows *rows_of(const CatalogEntry *entry) { return entry->source->rows ? entry->source->rows : entry->source->kept; }

static LogicalNode *process_scan(Binder *binder, const CatalogEntry *entry, const CatalogRows *rows, const ProcessOptions *options, Span at)
{
    Arena *arena = binder->arena;
    const int count = rows->channel.column_count;
    LogicalNode *scan = logical_node(arena, PLAN_SCAN, at, 0, NULL);
    scan->schema = *schema_copy(arena, &rows->names);
    scan->scan.columns = ARENA_ARRAY(arena, DecodeColumn, count + 1);
    const char **names = ARENA_ARRAY(arena, const char *, count + 1);
    RecordPart *parts = ARENA_ARRAY(arena, RecordPart, count + 1);
    for (int i = 0; i < count; i++) {
        names[i] = rows->channel.columns[i].name;
        parts[i] = RECORD_VALUE;
        scan->scan.columns[i] = (DecodeColumn){ .path = &names[i], .path_length = 1, .field_index = i, .type = rows->channel.columns[i].type, .part = RECORD_VALUE };
    }
    scan->scan.source_name = entry->name;
    scan->scan.connector = &process_connector;
    scan->scan.connector_options = options;
    scan->scan.declared_count = count;
    scan->scan.declared_names = names;
    scan->scan.declared_parts = parts;
    scan->scan.on_error = POLICY_FAIL;
    scan->scan.bounded = options->now;
    scan->scan.retracts = rows->changes == CHANGES_RETRACT && !options->now;
    scan->scan.upsert = rows->changes == CHANGES_UPSERT;
    scan->traits.keys = rows->keys;
    scan->traits.key_count = rows->key_count;
    logical_derive(arena, scan);
    return scan;
}

/* Rows that bring their watermarks along. */
static LogicalNode *passed_time(Binder *binder, LogicalNode *scan, const CatalogRows *rows, Span at)
{
    LogicalNode *stamp = logical_node(binder->arena, PLAN_WATERMARK, at, 1, &(PlanInput){ scan, PORT_MAIN });
    stamp->watermark.time_column = rows->time_column;
    stamp->watermark.passed = true;
    stamp->watermark.lag_us = rows->lag_us;
    stamp->watermark.on_error = POLICY_SKIP;
    logical_derive(binder->arena, stamp);
    return stamp;
}

Error *bind_process_scan(Binder *binder, CatalogEntry *entry, const AstExpr *timestamp_by, Span at, Relation *relation)
{
    const CatalogRows *rows = rows_of(entry);
    const bool now = (binder->pull_tables && entry->kind == CATALOG_TABLE) || (binder->pull && entry->of_server);
    LogicalNode *scan = process_scan(binder, entry, rows, process_options_for(binder->arena, entry, now), at), *node = scan;
    if (entry->statement && entry->statement->kind == AST_STMT_CREATE_SOURCE && !entry->source->inserted)
        return bind_source_columns(binder, entry, main_port(scan), timestamp_by, at, relation);
    if (rows->time_column >= 0 && !rows->processing_time)
        node = passed_time(binder, scan, rows, at);
    *relation = (Relation){ .input = main_port(node), .alias = entry->name, .schema = rows->names, .time_column = rows->time_column,
                            .window = { rows->windowed, rows->window_start, rows->window_end, rows->window_time, rows->window } };
    return timestamp_by ? bind_timestamp_by(binder, timestamp_by, relation) : NULL;
}

/* The rows of a declared table as its readers shall see them: computed columns, times, the newest row of each key. */
static Error *bind_inserted(Binder *binder, CatalogEntry *entry, Span at, Relation *relation)
{
    ProcessOptions *options = ARENA_NEW(binder->arena, ProcessOptions);
    *options = (ProcessOptions){ .stream = entry->source->inserted_channel };
    LogicalNode *scan = process_scan(binder, entry, entry->source->inserted, options, at);
    TRY(bind_source_columns(binder, entry, main_port(scan), NULL, at, relation));
    return bind_normalize(binder, relation, false, at);
}

/* ---- writing ---- */

/* What INSERT INTO does not name: the time of the rows, or that of their arrival; no window. */
Error *bind_process_rest(Binder *binder, const Relation *given, const CatalogEntry *target, Span at, Expr ***exprs, Schema *schema)
{
    Arena *arena = binder->arena;
    const CatalogRows *rows = target->source->inserted ? target->source->inserted : target->source->rows;
    const Schema *names = &rows->names;
    Expr **all = ARENA_ARRAY(arena, Expr *, names->column_count + 1);
    Column *columns = ARENA_ARRAY(arena, Column, names->column_count + 1);
    for (int i = 0, next = 0; i < names->column_count; i++) {
        columns[i] = names->columns[i];
        if (!names->columns[i].hidden) {
            all[i] = (*exprs)[next++];
            continue;
        }
        Value null = value_null(names->columns[i].type);
        all[i] = expr_constant(arena, &null, at);
        if (i != rows->time_column)
            continue;
        Expr *time = given->time_column >= 0 ? binder_column(arena, &given->schema, given->time_column, at) : bind_arrival_time(binder, at);
        TRY(binder_cast(arena, time, names->columns[i].type, &all[i]));
    }
    *exprs = all;
    *schema = (Schema){ names->column_count, columns };
    return NULL;
}

/* Bounds of windows stand last: rows are also found by what stands before them. */
static void group_keys(Arena *arena, const CatalogRows *rows, LogicalNode *sink)
{
    int *keys = ARENA_ARRAY(arena, int, sink->sink.table_key_count + 1), count = 0, groups = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < sink->sink.table_key_count; i++) {
            const int column = sink->sink.table_keys[i];
            const bool bound = column == rows->window_start || column == rows->window_end || column == rows->window_time;
            if (bound == (pass == 1))
                keys[count++] = column;
        }
        groups = pass == 0 ? count : groups;
    }
    sink->sink.table_keys = keys;
    sink->sink.table_group_count = groups < count ? groups : 0;
}

/* The key by which the kept rows are found: all of it among the rows' columns. */
static void keep_table(Binder *binder, const CatalogRows *rows, LogicalNode *sink)
{
    sink->sink.keeps_table = true;
    sink->sink.table_window_end = -1;
    for (int k = 0; k < rows->key_count; k++) {
        const ColumnSet *key = &rows->keys[k];
        if (sink->sink.table_keys && key->count >= sink->sink.table_key_count)
            continue;
        sink->sink.table_keys = arena_copy(binder->arena, key->columns, sizeof(int) * (size_t)(key->count + 1));
        sink->sink.table_key_count = key->count;
        sink->sink.table_of_one = key->count == 0;
    }
    const WindowSpec *window = &rows->window;
    if (!rows->windowed || rows->window_end < 0)
        return;
    group_keys(binder->arena, rows, sink);
    int64_t least_us = time_add(window->size_us, window->grace_us);
    sink->sink.table_window_end = rows->window_end;
    sink->sink.table_retention_us = window->retention_us ? window->retention_us : least_us > RETENTION_US ? least_us : RETENTION_US;
}

static LogicalNode *process_sink(Binder *binder, const CatalogRows *made, const ProcessOptions *options, const Relation *rows, Span at)
{
    LogicalNode *node = logical_node(binder->arena, PLAN_SINK, at, 1, &rows->input);
    node->schema = *schema_copy(binder->arena, &made->channel);
    node->sink.spec = (SinkSpec){ .connector = &process_connector, .options = options, .schema = &node->schema };
    node->sink.connector = &process_connector;
    return node;
}

/* The sink of the query that makes the rows. */
static LogicalNode *own_sink(Binder *binder, const CatalogEntry *target, const Relation *rows, Span at)
{
    LogicalNode *node = process_sink(binder, rows_of(target), process_options_for(binder->arena, target, false), rows, at);
    if (target->kind == CATALOG_TABLE)
        keep_table(binder, rows_of(target), node);
    logical_derive(binder->arena, node);
    return node;
}

Error *bind_process_sink(Binder *binder, const CatalogEntry *target, const Relation *rows, Span at, LogicalNode **node)
{
    const CatalogRows *inserted = target->source->inserted;
    if (!inserted) {
        TRY(check_stream(binder, target, rows, at));
        *node = own_sink(binder, target, rows, at);
        return NULL;
    }
    EdgeTraits traits = port_traits(binder->arena, rows->input);
    if (traits.changes != CHANGES_APPEND && inserted->key_count == 0)
        return error_hint(error_at(ERR_BIND, at, "the query updates earlier results, and '%s' has no primary key to find them by", target->name),
                          "declare it: CREATE TABLE %s (k BIGINT PRIMARY KEY, ..)", target->name);
    if (traits.changes != CHANGES_APPEND && !traits_determine(&traits, inserted->keys->columns, inserted->keys->count))
        return error_hint(error_at(ERR_BIND, at, "the primary key of '%s' does not tell the query's rows apart", target->name), "make it the query's GROUP BY columns");
    ProcessOptions *options = ARENA_NEW(binder->arena, ProcessOptions);
    *options = (ProcessOptions){ .stream = target->source->inserted_channel };
    *node = process_sink(binder, inserted, options, rows, at);
    logical_derive(binder->arena, *node);
    return NULL;
}

Error *bind_process_keeper(Binder *binder, CatalogEntry *entry, Span at, LogicalNode **sink)
{
    Relation rows;
    TRY(bind_inserted(binder, entry, at, &rows));
    *sink = own_sink(binder, entry, &rows, at);
    return NULL;
}
