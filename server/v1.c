/* server/v1.c: our own resources: statements, queries, streams, tables and their rows. docs/openapi.json describes them. */
#include <string.h>
#include <strings.h>

#include "common/value_text.h"
#include "parser/parser.h"
#include "server/server_internal.h"

/* ---- errors ---- */

static int status_of(const Error *error)
{
    switch (error->code) {
    case ERR_USAGE: case ERR_PARSE: case ERR_BIND: case ERR_UNSUPPORTED: case ERR_ROW: case ERR_ASSERT: return 400;
    case ERR_TOO_MANY_BAD: case ERR_IO: case ERR_CONNECT: case ERR_MEMORY: case ERR_CLOSED: case ERR_INTERRUPTED: case ERR_INTERNAL: case ERR_BUSY: return 500;
    }
    return 500;
}

static void answer_problem(Call *call, int status, const char *message)
{
    answer_json(call, status, json_pack("{s:[{s:s}]}", "errors", "message", message));
}

/* ---- statements ---- */

static json_t *type_json(const Type *type)
{
    Text text = { 0 };
    ksql_type_text(type, &text);
    json_t *json = json_string(text_c(&text));
    text_release(&text);
    return json;
}

static json_t *columns_json(const Schema *schema)
{
    json_t *columns = json_array();
    for (int i = 0; schema && i < schema->column_count; i++) {
        json_t *column = json_pack("{s:s,s:o}", "name", schema->columns[i].name, "type", type_json(schema->columns[i].type));
        if (schema->columns[i].is_key)
            json_object_set_new(column, "key", json_true());
        json_array_append_new(columns, column);
    }
    return columns;
}

static json_t *value_json(const Value *value)
{
    if (value->is_null || !value->type)
        return json_null();
    if (value->type->kind == TYPE_VARCHAR)
        return json_stringn(str_bytes(&value->text), value->text.length);
    if (value->type->kind == TYPE_BOOLEAN)
        return json_boolean(value->integer);
    if (type_is_integer(value->type))
        return json_integer(value->integer);
    return value->type->kind == TYPE_DOUBLE ? json_real(value->number) : json_null();
}

static json_t *rows_json(const RuntimeRows *rows)
{
    json_t *all = json_array();
    for (int row = 0; row < rows->row_count; row++) {
        json_t *values = json_array();
        for (int i = 0; i < rows->schema.column_count; i++)
            json_array_append_new(values, value_json(&rows->rows[row * rows->schema.column_count + i]));
        json_array_append_new(all, values);
    }
    return all;
}

static void set_text(json_t *json, const char *name, const char *text)
{
    if (text)
        json_object_set_new(json, name, json_string(text));
}

static Error *take_result(void *caller, const RuntimeResult *result)
{
    json_t *json = json_object();
    json_object_set_new(json, "statement", json_stringn(result->text, result->length));
    switch (result->kind) {
    case RESULT_STATUS:
        json_object_set_new(json, "kind", json_string("status"));
        set_text(json, "message", result->message);
        set_text(json, "type", result->entity_type);
        set_text(json, "name", result->entity_name);
        set_text(json, "action", result->action);
        set_text(json, "query", result->query_id);
        break;
    case RESULT_ROWS:
        json_object_set_new(json, "kind", json_string("rows"));
        json_object_set_new(json, "columns", columns_json(&result->rows.schema));
        json_object_set_new(json, "rows", rows_json(&result->rows));
        json_object_set_new(json, "preformatted", json_boolean(result->rows.preformatted));
        break;
    case RESULT_SELECT:
    case RESULT_HOSTED:
    case RESULT_SCRIPT: json_object_set_new(json, "kind", json_string("select")); break;
    }
    json_array_append_new(caller, json);
    return NULL;
}

static json_t *body_of(Call *call)
{
    json_error_t where;
    json_t *body = json_loadb(call->request->body, call->request->body_length, 0, &where);
    if (json_is_object(body))
        return body;
    json_decref(body);
    answer_problem(call, 400, "the body is no JSON object");
    return NULL;
}

static RuntimeSession *session_of(Call *call, const json_t *body)
{
    RuntimeSession *session = NULL;
    Error *error = session_for(call, call->server->options.dialect, json_object_get(body, "settings"), json_object_get(body, "variables"), &session);
    if (error)
        answer_json(call, status_of(error), json_pack("{s:o}", "errors", errors_json(error, "", 0)));
    error_free(error);
    return session;
}

static bool may_run(Call *call, const char *sql)
{
    if (call->role >= ROLE_ADMIN || script_only_reads(sql, strlen(sql)))
        return true;
    answer_problem(call, 403, "you may read, and no more");
    return false;
}

/* Runs statements, answers with what they gave. */
static void run_in(Call *call, RuntimeSession *session, const char *sql, bool check_only, int made_status)
{
    if (!session)
        return;
    json_t *results = json_array();
    const RuntimeOutput output = { take_result, results };
    Span failed = SPAN_NONE;
    Error *error = runtime_execute(session, sql, strlen(sql), check_only, &output, &failed);
    json_t *json = json_pack("{s:o}", "results", results);
    if (error)
        json_object_set_new(json, "errors", errors_json(error, sql, strlen(sql)));
    answer_json(call, error ? status_of(error) : made_status, json);
    error_free(error);
    runtime_session_free(session);
}

static void run_statements(Call *call, const json_t *body, const char *sql, bool check_only, int made_status) { run_in(call, session_of(call, body), sql, check_only, made_status); }

/* The query that the statement starts has this id. */
static void run_named(Call *call, const json_t *body, const char *sql, const char *id)
{
    RuntimeSession *session = session_of(call, body);
    if (session)
        runtime_session_query_id(session, id);
    run_in(call, session, sql, false, 201);
}

static const char *sql_of(Call *call, const json_t *body)
{
    const char *sql = json_string_value(json_object_get(body, "sql"));
    if (!sql)
        answer_problem(call, 400, "the body has no text 'sql'");
    return sql;
}

static void post_statements(Call *call)
{
    json_t *body = body_of(call);
    const char *sql = body ? sql_of(call, body) : NULL;
    if (sql && may_run(call, sql))
        run_statements(call, body, sql, json_is_true(json_object_get(body, "check")), 200);
    json_decref(body);
}

/* ---- SELECT ---- */

static RowsFormat format_for(const Call *call)
{
    const char *accept = http_header(call->request, "accept");
    return accept && strstr(accept, "text/event-stream") ? ROWS_EVENTS : ROWS_CHANGES;
}

static void select_rows(Call *call, const json_t *body, const char *sql, RowsFormat format)
{
    if (!may_run(call, sql))
        return;
    RuntimeSession *session = session_of(call, body);
    if (session)
        run_select(call, session, sql, strlen(sql), format);
    runtime_session_free(session);
}

static void post_query(Call *call)
{
    json_t *body = body_of(call);
    const char *sql = body ? sql_of(call, body) : NULL;
    if (sql)
        select_rows(call, body, sql, format_for(call));
    json_decref(body);
}

/* For EventSource and WebSocket, which send no body. */
static void get_query(Call *call)
{
    const char *sql = http_parameter(call->request, &call->arena, "sql");
    if (!sql) {
        answer_problem(call, 400, "the parameter 'sql' is missing");
        return;
    }
    if (call->request->websocket)
        http_accept_websocket(call->exchange, NULL);
    select_rows(call, NULL, sql, call->request->websocket ? ROWS_WEBSOCKET : ROWS_EVENTS);
}

/* ---- queries ---- */

static json_t *query_json(const QueryInfo *query, const JobStatus *status)
{
    json_t *sources = json_array();
    for (int i = 0; i < query->source_count; i++)
        json_array_append_new(sources, json_string(query->sources[i]));
    json_t *json = json_pack("{s:s,s:s,s:s,s:b,s:o,s:i,s:i,s:I,s:I,s:I,s:I}", "id", query->id, "sql", query->sql ? query->sql : "", "state", query_state_name(query->state), "persistent",
                             query->persistent, "sources", sources, "restarts", query->restarts, "subscribers", query->subscribers, "recordsIn", (json_int_t)status->counters.rows_in,
                             "recordsOut", (json_int_t)status->counters.rows_out, "lateRecords", (json_int_t)status->counters.late_rows, "stateBytes", (json_int_t)query->state_bytes);
    set_text(json, "sink", query->sink);
    set_text(json, "reason", query->reason);
    if (status->watermark_us != TIME_MIN && status->watermark_us != TIME_MAX)
        json_object_set_new(json, "watermarkMs", json_integer(status->watermark_us / 1000));
    return json;
}

static void add_query(void *caller, const QueryInfo *query, const JobStatus *status) { json_array_append_new(caller, query_json(query, status)); }

static void get_queries(Call *call)
{
    json_t *list = json_array();
    runtime_status(call->server->runtime, NULL, add_query, list);
    answer_json(call, 200, json_pack("{s:o}", "queries", list));
}

static json_t *one_query(Call *call)
{
    json_t *list = json_array();
    runtime_status(call->server->runtime, call->captures[0], add_query, list);
    json_t *one = json_incref(json_array_get(list, 0));
    json_decref(list);
    return one;
}

static void get_one_query(Call *call)
{
    json_t *query = one_query(call);
    if (query)
        answer_json(call, 200, query);
    else
        answer_problem(call, 404, "there is no such query");
}

/* Names in paths become quoted names: nothing in them is SQL. */
static const char *quoted(Call *call, const char *name)
{
    Text text = { 0 };
    text_add_char(&text, '`');
    for (; *name; name++) {
        if (*name == '`')
            text_add_char(&text, '`');
        text_add_char(&text, *name);
    }
    text_add_char(&text, '`');
    const char *copy = arena_strdup(&call->arena, text_c(&text));
    text_release(&text);
    return copy;
}

static void act_on_query(Call *call, const char *verb)
{
    json_t *query = one_query(call);
    if (query)
        run_statements(call, NULL, arena_printf(&call->arena, "%s %s;", verb, quoted(call, call->captures[0])), false, 200);
    else
        answer_problem(call, 404, "there is no such query");
    json_decref(query);
}

/* One statement that starts a query and makes nothing else; NULL: it is something else, or (*parses false) none. */
static const AstStatement *parse_insert(Call *call, const json_t *body, const char *sql, bool *parses)
{
    const json_t *given = json_object_get(body, "variables");
    const size_t count = json_is_object(given) ? json_object_size(given) : 0;
    const char **names = ARENA_ARRAY(&call->arena, const char *, count + 1), **values = ARENA_ARRAY(&call->arena, const char *, count + 1);
    ParserVariables variables = { names, values, 0 };
    for (void *at = json_object_iter((json_t *)(uintptr_t)given); at; at = json_object_iter_next((json_t *)(uintptr_t)given, at)) {
        names[variables.count] = json_object_iter_key(at);
        values[variables.count++] = json_string_value(json_object_iter_value(at)) ? json_string_value(json_object_iter_value(at)) : "";
    }
    AstScript script = { 0 };
    Error *error = parse_script(&call->arena, sql, strlen(sql), &variables, &script);
    const AstStatement *statement = !error && script.statement_count == 1 ? script.statements[0] : NULL;
    *parses = !error;
    error_free(error);
    return statement && (statement->kind == AST_STMT_INSERT_QUERY || statement->kind == AST_STMT_STATEMENT_SET || (statement->kind == AST_STMT_QUERY && statement->query->into.text)) ? statement : NULL;
}

/* WITH (QUERY_ID = ..) may only say what the path says. */
static bool names_other(const AstStatement *statement, const char *id)
{
    for (int i = 0; i < statement->properties.count; i++)
        if (option_name_equal(statement->properties.items[i].name, "query_id") && strcasecmp(statement->properties.items[i].value, id) != 0)
            return true;
    return false;
}

typedef struct QueryComparison {
    Call *call;
    const AstStatement *given;
    bool found, same;
} QueryComparison;

static void compare_query(void *caller, const QueryInfo *query, const JobStatus *status)
{
    QueryComparison *comparison = caller;
    (void)status;
    comparison->found = true;
    bool parses;
    const AstStatement *kept = comparison->given && query->written ? parse_insert(comparison->call, NULL, query->written, &parses) : NULL;
    comparison->same = kept && ast_equal_statement(comparison->given, kept);
}

static bool is_query_id(const char *id)
{
    size_t length = strlen(id);
    return length <= 200 && strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-") == length;
}

/* The same statement again changes nothing, whatever state its query is in; another one under the same id is a conflict. */
static void put_query(Call *call)
{
    const char *id = call->captures[0];
    json_t *body = body_of(call);
    const char *sql = body ? sql_of(call, body) : NULL;
    bool parses = false;
    QueryComparison comparison = { .call = call, .given = sql ? parse_insert(call, body, sql, &parses) : NULL };
    if (comparison.given)
        runtime_status(call->server->runtime, id, compare_query, &comparison);
    if (!sql)
        ; /* it is answered */
    else if (!parses)
        run_statements(call, body, sql, true, 400); /* tells what is wrong with it */
    else if (!is_query_id(id))
        answer_problem(call, 400, "the id of a query has letters, digits, '_', '-' and '.', 200 at most");
    else if (!comparison.given)
        answer_problem(call, 400, "one INSERT INTO .. SELECT or EXECUTE STATEMENT SET is expected here: PUT /v1/streams/NAME and /v1/tables/NAME take CREATE .. AS");
    else if (comparison.given && names_other(comparison.given, id))
        answer_problem(call, 400, "the statement gives its query another id than the path's");
    else if (comparison.same)
        get_one_query(call);
    else if (comparison.found)
        answer_problem(call, 409, "a query of that id is there, made by another statement");
    else
        run_named(call, body, sql, id);
    json_decref(body);
}

static void delete_query(Call *call) { act_on_query(call, "TERMINATE"); }
static void pause_query(Call *call) { act_on_query(call, "PAUSE"); }
static void resume_query(Call *call) { act_on_query(call, "RESUME"); }

/* ---- streams and tables ---- */

static json_t *entity_json(const EntityInfo *entity)
{
    json_t *json = json_pack("{s:s,s:s,s:s,s:o,s:b}", "name", entity->name, "type", entity->type, "sql", entity->sql ? entity->sql : "", "columns", columns_json(entity->schema), "windowed",
                             entity->windowed);
    json_t *readers = json_array(), *writers = json_array();
    for (int i = 0; i < entity->reader_count; i++)
        json_array_append_new(readers, json_string(entity->readers[i]));
    for (int i = 0; i < entity->writer_count; i++)
        json_array_append_new(writers, json_string(entity->writers[i]));
    json_object_set_new(json, "readers", readers);
    json_object_set_new(json, "writers", writers);
    set_text(json, "connector", entity->connector);
    set_text(json, "topic", entity->topic);
    set_text(json, "keyFormat", entity->key_format);
    set_text(json, "valueFormat", entity->value_format);
    return json;
}

typedef struct Wanted {
    const char *type;
    json_t *list;
} Wanted;

static void add_entity(void *caller, const EntityInfo *entity)
{
    Wanted *wanted = caller;
    if (strcmp(entity->type, wanted->type) == 0)
        json_array_append_new(wanted->list, entity_json(entity));
}

static void list_entities(Call *call, const char *type, const char *name)
{
    Wanted wanted = { type, json_array() };
    runtime_entities(call->server->runtime, NULL, add_entity, &wanted);
    answer_json(call, 200, json_pack("{s:o}", name, wanted.list));
}

static json_t *one_entity(Call *call, const char *type)
{
    Wanted wanted = { type, json_array() };
    runtime_entities(call->server->runtime, call->captures[0], add_entity, &wanted);
    json_t *one = json_incref(json_array_get(wanted.list, 0));
    json_decref(wanted.list);
    return one;
}

static void get_entity(Call *call, const char *type)
{
    json_t *entity = one_entity(call, type);
    if (entity)
        answer_json(call, 200, entity);
    else
        answer_problem(call, 404, "there is no such name");
}

/* One CREATE statement; NULL: it is something else. */
static const AstStatement *parse_create(Arena *arena, const char *sql)
{
    AstScript script = { 0 };
    Error *error = parse_script(arena, sql, strlen(sql), NULL, &script);
    bool fits = !error && script.statement_count == 1 && (script.statements[0]->kind == AST_STMT_CREATE_SOURCE || script.statements[0]->kind == AST_STMT_CREATE_AS);
    error_free(error);
    return fits ? script.statements[0] : NULL;
}

typedef struct Comparison {
    Call *call;
    const AstStatement *given;
    bool same;
} Comparison;

static void compare_entity(void *caller, const EntityInfo *entity)
{
    Comparison *comparison = caller;
    const AstStatement *kept = comparison->given && entity->written ? parse_create(&comparison->call->arena, entity->written) : NULL;
    comparison->same = kept && ast_equal_statement(comparison->given, kept);
}

/* The same statement again changes nothing; another one for the same name is a conflict. */
static void put_entity(Call *call, const char *type)
{
    json_t *body = body_of(call), *entity = body ? one_entity(call, type) : NULL;
    const char *sql = body ? sql_of(call, body) : NULL;
    const AstStatement *given = sql ? parse_create(&call->arena, sql) : NULL;
    Comparison comparison = { call, given, false };
    if (entity)
        runtime_entities(call->server->runtime, call->captures[0], compare_entity, &comparison);
    if (!sql)
        ; /* it is answered */
    else if (comparison.same)
        answer_json(call, 200, json_incref(entity));
    else if (entity)
        answer_problem(call, 409, "that name is there, made by another statement");
    else if (given && strcasecmp(given->create->name.text, call->captures[0]) != 0)
        answer_problem(call, 400, "the statement makes another name than the path's");
    else
        run_statements(call, body, sql, false, 201);
    json_decref(entity);
    json_decref(body);
}

static void delete_entity(Call *call, const char *type)
{
    json_t *entity = one_entity(call, type);
    if (entity)
        run_statements(call, NULL, arena_printf(&call->arena, "DROP %s %s;", type, quoted(call, json_string_value(json_object_get(entity, "name")))), false, 200);
    else
        answer_problem(call, 404, "there is no such name");
    json_decref(entity);
}

static void get_streams(Call *call) { list_entities(call, "stream", "streams"); }
static void get_tables(Call *call) { list_entities(call, "table", "tables"); }
static void get_stream(Call *call) { get_entity(call, "stream"); }
static void get_table(Call *call) { get_entity(call, "table"); }
static void put_stream(Call *call) { put_entity(call, "stream"); }
static void put_table(Call *call) { put_entity(call, "table"); }
static void delete_stream(Call *call) { delete_entity(call, "stream"); }
static void delete_table(Call *call) { delete_entity(call, "table"); }

/* ---- rows of tables ---- */

static void add_row(const Schema *schema, const Batch *batch, uint32_t row, Text *out)
{
    bool first = true;
    text_add_char(out, '{');
    for (int i = 0; i < batch->column_count && i < schema->column_count; i++) {
        if (schema->columns[i].hidden)
            continue;
        if (!first)
            text_add_char(out, ',');
        first = false;
        text_add_json_string(out, schema->columns[i].name, strlen(schema->columns[i].name));
        text_add_char(out, ':');
        text_add_value_json(out, batch->columns[i], row);
    }
    text_add_char(out, '}');
}

/* The rows of one key, behind those before it. */
static void add_rows(const Schema *schema, const Batch *rows, Text *out)
{
    for (uint32_t i = 0; rows && i < rows->selection.count; i++) {
        if (out->length)
            text_add_char(out, ',');
        add_row(schema, rows, selection_row(&rows->selection, i), out);
    }
}

typedef Error *(*PullKey)(Runtime *runtime, const char *table, const RuntimeKey *key, const Schema **schema, bool *windowed, Batch **rows);

/* The path's key, then those that the parameter `key` names. */
static Error *pull_rows(Call *call, PullKey pull, bool *several, bool *found, Text *out)
{
    const HttpRequest *request = call->request;
    RuntimeKey key = { .text = call->captures[1], .from = http_parameter(request, &call->arena, "from"), .to = http_parameter(request, &call->arena, "to") };
    for (int number = 0; key.text; number++) {
        const Schema *schema = NULL;
        bool windowed = false;
        Batch *rows = NULL;
        TRY(pull(call->server->runtime, call->captures[0], &key, &schema, &windowed, &rows));
        MEMORY_HOLD(batch_unwind, &rows);
        *several |= windowed || number > 0;
        *found |= rows != NULL;
        add_rows(schema, rows, out);
        batch_release(rows);
        key.text = http_parameter_at(request, &call->arena, "key", number);
    }
    return NULL;
}

static void answer_rows(Call *call, Text *rows, bool several, bool found, Error *error)
{
    if (error)
        answer_json(call, error->code == ERR_BIND ? 404 : status_of(error), json_pack("{s:o}", "errors", errors_json(error, "", 0)));
    else if (!found)
        answer_problem(call, 404, "the table has no such key");
    else {
        const char *body = arena_printf(&call->arena, several ? "[%s]" : "%s", rows->length ? text_c(rows) : "");
        answer_text(call, 200, "application/json", body, strlen(body));
    }
}

static bool pull_row(Call *call, PullKey pull)
{
    Text rows = { 0 };
    MEMORY_HOLD(text_unwind, &rows);
    bool several = false, found = false;
    Error *error = pull_rows(call, pull, &several, &found, &rows);
    const bool busy = error && error->code == ERR_BUSY;
    if (!busy)
        answer_rows(call, &rows, several, found, error);
    error_free(error);
    text_release(&rows);
    return !busy;
}

static bool try_row(Call *call) { return pull_row(call, runtime_try_pull_key); }
static void get_row(Call *call) { pull_row(call, runtime_pull_key); }

const Route v1_routes[] = {
    { "POST", "/v1/statements", post_statements, ROLE_READER, true, NULL },
    { "POST", "/v1/query", post_query, ROLE_READER, true, NULL },
    { "GET", "/v1/query", get_query, ROLE_READER, true, NULL },
    { "GET", "/v1/queries", get_queries, ROLE_READER, true, NULL },
    { "GET", "/v1/queries/*", get_one_query, ROLE_READER, true, NULL },
    { "PUT", "/v1/queries/*", put_query, ROLE_ADMIN, true, NULL },
    { "DELETE", "/v1/queries/*", delete_query, ROLE_ADMIN, true, NULL },
    { "POST", "/v1/queries/*/pause", pause_query, ROLE_ADMIN, true, NULL },
    { "POST", "/v1/queries/*/resume", resume_query, ROLE_ADMIN, true, NULL },
    { "GET", "/v1/streams", get_streams, ROLE_READER, true, NULL },
    { "GET", "/v1/streams/*", get_stream, ROLE_READER, true, NULL },
    { "PUT", "/v1/streams/*", put_stream, ROLE_ADMIN, true, NULL },
    { "DELETE", "/v1/streams/*", delete_stream, ROLE_ADMIN, true, NULL },
    { "GET", "/v1/tables", get_tables, ROLE_READER, true, NULL },
    { "GET", "/v1/tables/*", get_table, ROLE_READER, true, NULL },
    { "PUT", "/v1/tables/*", put_table, ROLE_ADMIN, true, NULL },
    { "DELETE", "/v1/tables/*", delete_table, ROLE_ADMIN, true, NULL },
    { "GET", "/v1/tables/*/*", get_row, ROLE_READER, true, try_row },
    { NULL, NULL, NULL, ROLE_NONE, false, NULL },
};
