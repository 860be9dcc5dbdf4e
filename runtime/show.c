/* runtime/show.c: SHOW, DESCRIBE and EXPLAIN as rows; queries and entities as data. */
#include <string.h>

#include "engine/status.h"
#include "runtime/execute.h"

/* ---- rows ---- */

static RuntimeShow show_kind(const AstStatement *statement)
{
    if (statement->kind == AST_STMT_DESCRIBE)
        return statement->all ? (statement->object == AST_OBJECT_TABLE ? SHOW_TABLES : SHOW_STREAMS) : SHOW_DESCRIPTION;
    if (statement->kind == AST_STMT_DESCRIBE_FUNCTION)
        return SHOW_FUNCTION;
    if (statement->kind == AST_STMT_EXPLAIN)
        return statement->explained ? SHOW_PLAN : SHOW_QUERY;
    switch (statement->show) {
    case AST_SHOW_STREAMS: return SHOW_STREAMS;
    case AST_SHOW_TABLES: return SHOW_TABLES;
    case AST_SHOW_VIEWS: return SHOW_VIEWS;
    case AST_SHOW_QUERIES: return SHOW_QUERIES;
    case AST_SHOW_TOPICS: return SHOW_TOPICS;
    case AST_SHOW_FUNCTIONS: return SHOW_FUNCTIONS;
    case AST_SHOW_TYPES: return SHOW_TYPES;
    case AST_SHOW_VARIABLES: return SHOW_VARIABLES;
    case AST_SHOW_PROPERTIES: return SHOW_PROPERTIES;
    case AST_SHOW_LAG: return SHOW_LAG;
    case AST_SHOW_CREATE:
    case AST_SHOW_CONNECTORS: break;
    }
    return SHOW_OTHER;
}

static Error *give_rows(Execution *execution, const PlannedRows *rows, const char *entity, const char *query_id)
{
    const AstStatement *statement = execution->statement;
    const char *text = execution_text(execution);
    RuntimeResult result = { .kind = RESULT_ROWS, .text = text, .length = strlen(text), .entity_name = entity,
        .query_id = query_id, .message = "", .show = show_kind(statement), .extended = statement->extended, .some = statement->kind == AST_STMT_SHOW && statement->like,
        .rows = { rows->schema, rows->rows, rows->row_count, rows->preformatted } };
    return execution->output->result ? execution->output->result(execution->output->caller, &result) : NULL;
}

typedef struct Table { /* rows of text under construction */
    Arena *arena;
    struct { Value *items; int count, capacity; } values;
    PlannedRows rows;
} Table;

static Table table_start(Arena *arena, int count, const char *const *names)
{
    Table table = { .arena = arena };
    table.rows.schema = (Schema){ count, ARENA_ARRAY(arena, Column, (size_t)count + 1) };
    for (int i = 0; i < count; i++)
        table.rows.schema.columns[i] = (Column){ .name = names[i], .type = type_scalar(TYPE_VARCHAR) };
    return table;
}

static void table_add(Table *table, const char *const *texts)
{
    for (int i = 0; i < table->rows.schema.column_count; i++) {
        Value value = texts[i] ? (Value){ .type = type_scalar(TYPE_VARCHAR), .text = str_c(texts[i]) } : value_null(type_scalar(TYPE_VARCHAR));
        LIST_ADD(table->arena, &table->values, value);
    }
    table->rows.row_count++;
    table->rows.rows = table->values.items;
}

static const char *joined(Arena *arena, const char *const *names, int count)
{
    const char *text = "";
    for (int i = 0; i < count; i++)
        text = arena_printf(arena, "%s%s%s", text, i ? ", " : "", names[i]);
    return text;
}

static Error *show_queries(Execution *execution)
{
    static const char *const names[] = { "id", "type", "state", "sink", "sources", "restarts", "reason", "query" };
    Table table = table_start(&execution->scratch, 8, names);
    for (const Query *query = execution->runtime->queries; query; query = query->next)
        table_add(&table, (const char *[]){ query->id, query->persistent ? "PERSISTENT" : "PUSH", query_state_name(query->state), query->sink ? query->sink : "",
                                            joined(&execution->scratch, query->sources, query->source_count),
                                            arena_printf(&execution->scratch, "%d", query->restarts), query->reason ? query->reason : "", query->sql });
    return give_rows(execution, &table.rows, NULL, NULL);
}

static Error *show_variables(Execution *execution)
{
    static const char *const names[] = { "name", "value" };
    const RuntimeSession *session = execution->session;
    Table table = table_start(&execution->scratch, 2, names);
    for (int i = 0; i < session->variables.count; i++)
        if (session->variable_values.items[i])
            table_add(&table, (const char *[]){ session->variables.items[i], secret_value_shown(&execution->scratch, session->variables.items[i], session->variable_values.items[i]) });
    return give_rows(execution, &table.rows, NULL, NULL);
}

static Error *show_properties(Execution *execution)
{
    static const char *const names[] = { "name", "value", "meaning" };
    int count;
    Table table = table_start(&execution->scratch, 3, names);
    table_add(&table, (const char *[]){ "auto.offset.reset", execution->session->from_now ? "latest" : "earliest", "latest: push queries over tables begin with what changes" });
    const int64_t analyze_us = execution->session->analyze_us ? execution->session->analyze_us : ANALYZE_US;
    table_add(&table, (const char *[]){ "explain.analyze.time", arena_printf(&execution->scratch, "%lld ms", (long long)(analyze_us / 1000)), "how long EXPLAIN ANALYZE of a SELECT runs at most" });
    const PlannerSetting *settings = planner_settings(execution->runtime->planner, &execution->scratch, &count);
    for (int i = 0; i < count; i++)
        table_add(&table, (const char *[]){ settings[i].name, settings[i].value ? settings[i].value : "", settings[i].doc });
    return give_rows(execution, &table.rows, NULL, NULL);
}

static Error *show_lag(Execution *execution)
{
    const char *const *names, *cells[LAG_COLUMNS];
    int count = lag_columns(execution->statement->extended, &names);
    Table table = table_start(&execution->scratch, count, names);
    for (Query *query = execution->runtime->queries; query; query = query->next) {
        JobStatus status = { 0 };
        if (query->job) /* who closes it needs what we hold */
            job_status(query->job, &execution->scratch, &status);
        for (int i = 0; i < status.split_count; i++) {
            lag_cells(&execution->scratch, query->id, &status.splits[i], runtime_now(execution->runtime), cells);
            table_add(&table, cells);
        }
    }
    return give_rows(execution, &table.rows, NULL, NULL);
}

Error *show_own(Execution *execution, AstShowKind show)
{
    if (show == AST_SHOW_QUERIES)
        return show_queries(execution);
    if (show == AST_SHOW_VARIABLES)
        return show_variables(execution);
    return show == AST_SHOW_LAG ? show_lag(execution) : show_properties(execution);
}

/* DESCRIBE also names the queries that read and write what it describes. */
static PlannedRows with_queries(Execution *execution, const PlannedRows *rows, const char *name)
{
    Arena *arena = &execution->scratch;
    Table table = { .arena = arena, .rows = { .schema = rows->schema } };
    const char *readers = "", *writers = "";
    for (const Query *query = execution->runtime->queries; query; query = query->next) {
        if (query->persistent && !query->keeps && query_reads(query, name))
            readers = arena_printf(arena, "%s%s%s", readers, *readers ? ", " : "", query->id);
        if (query->persistent && query->sink && name_equal(query->sink, name))
            writers = arena_printf(arena, "%s%s%s", writers, *writers ? ", " : "", query->id);
    }
    for (int i = 0; i < rows->row_count * rows->schema.column_count; i++)
        LIST_ADD(arena, &table.values, rows->rows[i]);
    table.rows.row_count = rows->row_count;
    table.rows.rows = table.values.items;
    if (*readers || *writers)
        table_add(&table, (const char *[]){ "", "", "", "" });
    if (*readers)
        table_add(&table, (const char *[]){ "read by the queries", readers, "", "" });
    if (*writers)
        table_add(&table, (const char *[]){ "written by the queries", writers, "", "" });
    return table.rows;
}

Error *show_rows(Execution *execution, const PlannedRows *rows)
{
    const AstStatement *statement = execution->statement;
    if (statement->kind == AST_STMT_DESCRIBE && !statement->all && statement->name.text && rows->schema.column_count == 4) {
        PlannedRows described = with_queries(execution, rows, statement->name.text);
        return give_rows(execution, &described, statement->name.text, NULL);
    }
    return give_rows(execution, rows, NULL, NULL);
}

Error *show_lines(Execution *execution, const char *text, const char *query_id)
{
    static const char *const names[] = { "plan" };
    Table table = table_start(&execution->scratch, 1, names);
    table.rows.preformatted = true;
    for (const char *line = text; *line;) {
        const char *end = strchr(line, '\n');
        size_t length = end ? (size_t)(end - line) : strlen(line);
        table_add(&table, (const char *[]){ arena_strndup(&execution->scratch, line, length) });
        line += length + (end != NULL);
    }
    return give_rows(execution, &table.rows, NULL, query_id);
}

/* Of a query that works now its nodes are as they were a moment ago. */
static Error *read_status(Query *query, Arena *arena, JobStatus *status)
{
    if (pthread_mutex_trylock(&query->step) == 0) {
        job_note_nodes(query->job);
        pthread_mutex_unlock(&query->step);
    }
    job_status(query->job, arena, status);
    return NULL;
}

/* EXPLAIN query_id: its plan, and where it stands; with ANALYZE also what each operator has done since the query was started last. */
Error *show_query(Execution *execution)
{
    const AstStatement *statement = execution->statement;
    Query *query = query_find(execution->runtime, statement->name.text);
    if (!query)
        return error_at(ERR_BIND, statement->name.at, "no query '%s'", statement->name.text);
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    text_printf(&text, "%s %s %s\n", query->id, query->persistent ? "PERSISTENT" : "PUSH", query_state_name(query->state));
    if (query->reason)
        text_printf(&text, "reason: %s\n", query->reason);
    text_printf(&text, "%s\n", query->sql);
    JobStatus status = { 0 };
    if (query->job)
        TRY(read_status(query, &execution->scratch, &status));
    if (query->plan && statement->explain == AST_EXPLAIN_EXTENDED)
        explain_edges(query->plan, &text);
    else if (query->plan && statement->explain == AST_EXPLAIN_ANALYZE && status.nodes)
        explain_run(query->plan, status.nodes, &text);
    else if (query->plan)
        explain_plan(query->plan, &text);
    if (query->job)
        status_print(&status, &text);
    Error *error = show_lines(execution, text_c(&text), query->id);
    text_release(&text);
    return error;
}

/* ---- queries as data ---- */

static void fill_info(Query *query, QueryInfo *info)
{
    pthread_mutex_lock(&query->runtime->tasks);
    *info = query->info;
    pthread_mutex_unlock(&query->runtime->tasks);
    info->id = query->id;
    info->sql = query->sql;
    info->written = query->secret_sql;
    info->persistent = query->persistent;
    info->state = query->state;
    info->reason = query->reason;
    info->sink = query->sink;
    info->sources = query->sources;
    info->source_count = query->source_count;
    info->restarts = query->restarts;
    info->started_us = query->started_us;
    info->checkpoint = query->checkpoint;
    info->checkpoint_us = query->checkpoint_us;
    info->plan = query->plan;
    pthread_mutex_lock(&query->feed);
    for (const Subscription *each = query->subscribers; each; each = each->next)
        info->subscribers++;
    pthread_mutex_unlock(&query->feed);
}

void runtime_queries(Runtime *runtime, void (*visit)(void *caller, const QueryInfo *query), void *caller)
{
    pthread_mutex_lock(&runtime->control);
    for (Query *query = runtime->queries; query; query = query->next) {
        QueryInfo info = { 0 };
        fill_info(query, &info);
        visit(caller, &info);
    }
    pthread_mutex_unlock(&runtime->control);
}

static void fill_queues(const Query *query, Arena *arena, QueryInfo *info)
{
    QueueFill *queues = ARENA_ARRAY(arena, QueueFill, (size_t)query->port.readers.count + 1);
    for (int i = 0; i < query->port.readers.count; i++)
        queues[i] = (QueueFill){ channel_reader_name(query->port.readers.items[i]), channel_reader_fill(query->port.readers.items[i]) };
    info->queues = queues;
    info->queue_count = query->port.readers.count;
}

bool runtime_status(Runtime *runtime, const char *id, void (*visit)(void *caller, const QueryInfo *query, const JobStatus *status), void *caller)
{
    Arena arena;
    arena_init(&arena, NULL);
    pthread_mutex_lock(&runtime->control);
    bool found = false;
    const Subscription *read = id && !query_find(runtime, id) ? feed_find(runtime, id) : NULL; /* one of several that read a query */
    for (Query *query = runtime->queries; query; query = query->next) {
        QueryInfo info = { 0 };
        JobStatus status = { .watermark_us = TIME_MIN };
        if (id && !name_equal(query->id, id) && (!read || read->query != query))
            continue;
        fill_info(query, &info);
        Error *error = NULL;
        if (query->job) {
            MEMORY_GUARDED(error, read_status(query, &arena, &status));
            fill_queues(query, &arena, &info);
        }
        error_free(error);
        visit(caller, &info, &status);
        found = true;
    }
    pthread_mutex_unlock(&runtime->control);
    arena_release(&arena);
    return found;
}

/* ---- entities as data ---- */

static const char *window_name(const CatalogEntry *entry)
{
    static const char *const names[] = { [WINDOW_TUMBLING] = "TUMBLING", [WINDOW_HOPPING] = "HOPPING", [WINDOW_CUMULATING] = "CUMULATING", [WINDOW_SNAPSHOT] = "SNAPSHOT",
                                         [WINDOW_SLIDING] = "SLIDING", [WINDOW_COUNT] = "COUNT", [WINDOW_SESSION] = "SESSION" };
    const CatalogSource *source = entry->source;
    const CatalogRows *rows = !source ? NULL : source->rows ? source->rows : source->kept;
    if (rows && rows->windowed)
        return names[rows->window.kind];
    if (source && source->key_window != KEY_WINDOW_NONE)
        return source->key_window == KEY_WINDOW_SESSION ? "SESSION" : "TUMBLING";
    return NULL;
}

static void describe_entry(Runtime *runtime, Arena *arena, const CatalogEntry *entry, EntityInfo *info)
{
    const CatalogSource *source = entry->source;
    const char **readers = ARENA_ARRAY(arena, const char *, (size_t)runtime->persistent_count + 1), **writers = ARENA_ARRAY(arena, const char *, (size_t)runtime->persistent_count + 1);
    *info = (EntityInfo){ .name = entry->name, .type = catalog_kind_name(entry->kind), .sql = entry->shown, .written = entry->sql, .read_only = entry->read_only, .schema = &entry->schema,
        .readers = readers, .writers = writers, .window_type = window_name(entry) };
    info->windowed = info->window_type != NULL;
    if (source) {
        info->connector = source->connector ? source->connector->name : NULL;
        info->topic = source->connector ? connector_topic(source->connector, source->connector_options) : NULL;
        info->key_format = source->key_format ? source->key_format->name : NULL;
        info->value_format = source->format ? source->format->name : NULL;
        info->timestamp_column = source->watermark_column ? source->watermark_column : source->timestamp_column;
    }
    for (const Query *query = runtime->queries; query; query = query->next) {
        if (query->persistent && !query->keeps && query_reads(query, entry->name))
            readers[info->reader_count++] = query->id;
        if (query->persistent && query->sink && name_equal(query->sink, entry->name))
            writers[info->writer_count++] = query->id;
    }
}

typedef struct Visit {
    Runtime *runtime;
    const char *name;
    void (*visit)(void *caller, const EntityInfo *entity);
    void *caller;
    bool found;
} Visit;

static Error *visit_entities(Visit *visit, Arena *arena)
{
    Catalog *catalog = visit->runtime->catalog;
    int count = 0;
    CatalogEntry **entries = catalog->list(catalog, arena, &count), *only = visit->name ? catalog->find(catalog, visit->name, SPACE_RELATIONS) : NULL;
    for (int i = 0; i < count; i++) {
        EntityInfo info;
        if (visit->name && entries[i] != only)
            continue;
        describe_entry(visit->runtime, arena, entries[i], &info);
        visit->visit(visit->caller, &info);
        visit->found = true;
    }
    return NULL;
}

bool runtime_entities(Runtime *runtime, const char *name, void (*visit)(void *caller, const EntityInfo *entity), void *caller)
{
    Visit all = { runtime, name, visit, caller, false };
    Arena arena;
    Error *error;
    arena_init(&arena, NULL);
    pthread_mutex_lock(&runtime->control);
    MEMORY_GUARDED(error, visit_entities(&all, &arena));
    pthread_mutex_unlock(&runtime->control);
    arena_release(&arena);
    error_free(error);
    return all.found;
}
