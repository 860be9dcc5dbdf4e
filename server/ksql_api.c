/* server/ksql_api.c: ksqlDB's REST API, so that its clients work unchanged. */
#include <string.h>
#include <strings.h>

#include "server/server_internal.h"

/* ---- requests ---- */

static json_t *body_of(Call *call)
{
    json_error_t where;
    json_t *body = json_loadb(call->request->body, call->request->body_length, JSON_REJECT_DUPLICATES * 0, &where);
    if (json_is_object(body))
        return body;
    json_decref(body);
    char message[256];
    snprintf(message, sizeof message, "the body is no JSON object: %s", body ? "it is something else" : where.text);
    answer_ksql_error(call, 40000, message);
    return NULL;
}

static const char *text_of(const json_t *body, const char *name) { return json_string_value(json_object_get(body, name)); }

/* What clients of ksqlDB set and what has no meaning here is taken and ignored. */
static bool is_foreign(const char *name) { return strncmp(name, "ksql.", 5) == 0 || strstr(name, "cache.max.bytes") || strstr(name, "commit.interval"); }

static Error *set_all(RuntimeSession *session, const json_t *settings)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)settings, name, value)
    {
        char number[40];
        const char *text = json_string_value(value);
        const char *known = strncmp(name, "ksql.streams.", 13) == 0 ? name + 13 : name;
        if (json_is_integer(value))
            snprintf(number, sizeof number, "%lld", (long long)json_integer_value(value));
        else if (json_is_boolean(value))
            snprintf(number, sizeof number, "%s", json_is_true(value) ? "true" : "false");
        Error *error = runtime_session_set(session, known, text ? text : json_is_null(value) ? NULL : number);
        if (error && is_foreign(name)) {
            error_free(error);
            error = NULL;
        }
        TRY(error);
    }
    return NULL;
}

static Error *define_all(RuntimeSession *session, const json_t *variables)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)variables, name, value)
    {
        if (!json_string_value(value))
            return error_new(ERR_USAGE, "the variable '%s' is no text", name);
        TRY(runtime_session_define(session, name, json_string_value(value)));
    }
    return NULL;
}

Error *session_for(Call *call, const char *dialect, const json_t *settings, const json_t *variables, RuntimeSession **session)
{
    TRY(runtime_session_new(call->server->runtime, session));
    Error *error = dialect ? runtime_session_set(*session, "dialect", dialect) : NULL;
    if (!error && json_is_object(settings))
        error = set_all(*session, settings);
    if (!error && json_is_object(variables))
        error = define_all(*session, variables);
    if (!error)
        return NULL;
    runtime_session_free(*session);
    *session = NULL;
    return error;
}

static const char *dialect_of(const Call *call) { return call->server->options.dialect ? call->server->options.dialect : "ksql"; }

static bool new_session(Call *call, const json_t *settings, const json_t *variables, RuntimeSession **session)
{
    Error *error = session_for(call, dialect_of(call), settings, variables, session);
    if (error)
        answer_ksql_error(call, 40000, error->message);
    error_free(error);
    return *session != NULL;
}

/* ---- /ksql ---- */

typedef struct Statements {
    Call *call;
    struct { KsqlEntity *items; int count, capacity; } done; /* in the call's arena */
} Statements;

static Error *take_result(void *caller, const RuntimeResult *result)
{
    Statements *statements = caller;
    KsqlEntity entity;
    if (result->kind == RESULT_SELECT)
        return error_new(ERR_USAGE, "SELECT");
    ksql_entity_begin(statements->call->server, result, &entity);
    LIST_ADD(&statements->call->arena, &statements->done, entity);
    return NULL;
}

static json_t *entities_of(Statements *statements)
{
    json_t *list = json_array();
    for (int i = 0; i < statements->done.count; i++) {
        json_t *entity = ksql_entity_end(statements->call->server, &statements->done.items[i]);
        if (entity)
            json_array_append_new(list, entity);
    }
    statements->done.count = 0;
    return list;
}

static void answer_statement_error(Call *call, const Error *error, const char *text, size_t length, Span failed, json_t *entities)
{
    bool is_select = error->code == ERR_USAGE && strcmp(error->message, "SELECT") == 0;
    Text message = { 0 };
    MEMORY_HOLD(text_unwind, &message);
    if (is_select)
        text_add_c(&message, "SELECT and PRINT go to the endpoint /query or /query-stream, which streams their rows");
    else
        error_message(error, text, length, &message);
    int code = is_select ? 40002 : ksql_error_code(error);
    json_t *body = ksql_error(code, text_c(&message));
    json_object_set_new(body, "@type", json_string("statement_error"));
    bool placed = failed.length && (size_t)failed.start + failed.length <= length;
    json_object_set_new(body, "statementText", json_string(secrets_shown(&call->arena, placed ? text + failed.start : text, placed ? failed.length : length)));
    json_object_set_new(body, "entities", entities);
    answer_json(call, code / 100, body);
    text_release(&message);
}

static void run_statements(Call *call, RuntimeSession *session, const char *text)
{
    Statements statements = { .call = call };
    const RuntimeOutput output = { take_result, &statements };
    Span failed = SPAN_NONE;
    size_t length = strlen(text);
    Error *error = runtime_execute(session, text, length, false, &output, &failed);
    if (error)
        answer_statement_error(call, error, text, length, failed, entities_of(&statements));
    else
        answer_json(call, 200, entities_of(&statements));
    error_free(error);
}

static void post_ksql(Call *call)
{
    json_t *body = body_of(call);
    RuntimeSession *session = NULL;
    if (!body)
        return;
    const char *text = text_of(body, "ksql");
    json_t *number = json_object_get(body, "commandSequenceNumber");
    if (!text)
        answer_ksql_error(call, 40000, "the body has no text 'ksql'");
    else if (json_is_integer(number) && json_integer_value(number) > call->server->commands)
        answer_ksql_error(call, 50301, "that command has not been done here");
    else if (call->role < ROLE_ADMIN && !script_only_reads(text, strlen(text)))
        answer_ksql_error(call, 40300, "you may read, and no more");
    else if (new_session(call, json_object_get(body, "streamsProperties"), json_object_get(body, "sessionVariables"), &session))
        run_statements(call, session, text);
    runtime_session_free(session);
    json_decref(body);
}

/* Every query ends, and every stream and table goes. */
typedef struct Names { Arena *arena; struct { const char **items; int count, capacity; } list; } Names;

static void note_drop(void *caller, const EntityInfo *entity)
{
    Names *names = caller;
    const char *type = strcmp(entity->type, "table") == 0 ? "TABLE" : strcmp(entity->type, "stream") == 0 ? "STREAM" : NULL;
    if (type)
        LIST_ADD(names->arena, &names->list, arena_printf(names->arena, "DROP %s IF EXISTS `%s`;", type, entity->name));
}

static void post_terminate_cluster(Call *call)
{
    Names names = { .arena = &call->arena };
    RuntimeSession *session = NULL;
    Statements statements = { .call = call };
    const RuntimeOutput output = { take_result, &statements };
    if (!new_session(call, NULL, NULL, &session))
        return;
    Error *error = runtime_execute(session, "TERMINATE ALL;", 14, false, &output, NULL);
    runtime_entities(call->server->runtime, NULL, note_drop, &names);
    for (bool progress = true; !error && progress;) { /* what others read goes after them */
        progress = false;
        for (int i = 0; i < names.list.count; i++) {
            Error *kept = names.list.items[i] ? runtime_execute(session, names.list.items[i], strlen(names.list.items[i]), false, &output, NULL) : NULL;
            if (names.list.items[i] && !kept) {
                names.list.items[i] = NULL;
                progress = true;
            }
            error_free(kept);
        }
    }
    if (error)
        answer_statement_error(call, error, "TERMINATE ALL;", 14, SPAN_NONE, entities_of(&statements));
    else
        answer_json(call, 200, entities_of(&statements));
    error_free(error);
    runtime_session_free(session);
}

/* ---- /query, /query-stream ---- */

static bool accepts(const Call *call, const char *type)
{
    const char *accept = http_header(call->request, "accept");
    return accept && strstr(accept, type);
}

static void post_select(Call *call, const char *sql_name, const char *settings_name, RowsFormat format)
{
    json_t *body = body_of(call);
    RuntimeSession *session = NULL;
    if (!body)
        return;
    const char *sql = text_of(body, sql_name);
    if (!sql) {
        char message[80];
        snprintf(message, sizeof message, "the body has no text '%s'", sql_name);
        answer_ksql_error(call, 40000, message);
    } else if (call->role < ROLE_ADMIN && !script_only_reads(sql, strlen(sql))) {
        answer_ksql_error(call, 40300, "you may read, and no more");
    } else if (new_session(call, json_object_get(body, settings_name), json_object_get(body, "sessionVariables"), &session)) {
        run_select(call, session, sql, strlen(sql), script_prints(sql, strlen(sql)) ? ROWS_DELIMITED : format);
    }
    runtime_session_free(session);
    json_decref(body);
}

static void post_query(Call *call) { post_select(call, "ksql", "streamsProperties", ROWS_KSQL_JSON); }

static void post_query_stream(Call *call)
{
    RowsFormat format = accepts(call, "vnd.ksql.v1+json") ? ROWS_KSQL_JSON : accepts(call, "application/json") ? ROWS_JSON_ARRAY : ROWS_DELIMITED;
    post_select(call, "sql", "properties", format);
}

static void post_close_query(Call *call)
{
    json_t *body = body_of(call);
    if (!body)
        return;
    const char *id = text_of(body, "queryId");
    if (!id) {
        answer_ksql_error(call, 40000, "the body has no text 'queryId'");
    } else if (runtime_close_query(call->server->runtime, id)) {
        answer_text(call, 200, "application/json", "", 0);
    } else {
        char message[200];
        snprintf(message, sizeof message, "No query with id %.100s", id);
        answer_ksql_error(call, 40000, message);
    }
    json_decref(body);
}

/* ---- /ws/query ---- */

static void refuse_websocket(Call *call, const char *reason)
{
    http_accept_websocket(call->exchange, NULL);
    http_close_websocket(call->exchange, 1003, reason);
}

static void get_ws_query(Call *call)
{
    const char *request = http_parameter(call->request, &call->arena, "request");
    json_t *body = request ? json_loads(request, 0, NULL) : NULL;
    const char *sql = text_of(body, "ksql");
    RuntimeSession *session = NULL;
    Error *error = NULL;
    if (!call->request->websocket) {
        answer_ksql_error(call, 40000, "a WebSocket is expected here");
    } else if (!sql) {
        refuse_websocket(call, "the parameter 'request' holds no statement");
    } else if (call->role < ROLE_ADMIN && !script_only_reads(sql, strlen(sql))) {
        refuse_websocket(call, "you may read, and no more");
    } else if ((error = session_for(call, dialect_of(call), json_object_get(body, "streamsProperties"), json_object_get(body, "sessionVariables"), &session)) != NULL) {
        refuse_websocket(call, error->message);
    } else {
        http_accept_websocket(call->exchange, NULL);
        run_select(call, session, sql, strlen(sql), ROWS_WEBSOCKET);
    }
    error_free(error);
    runtime_session_free(session);
    json_decref(body);
}

/* ---- what the server says of itself ---- */

static void get_info(Call *call)
{
    answer_json(call, 200, json_pack("{s:{s:s,s:s,s:s,s:s,s:s}}", "KsqlServerInfo", "version", "7.9.0", "kafkaClusterId", call->server->id, "ksqlServiceId", "bidsql_",
                                     "serverStatus", call->server->ready ? "RUNNING" : "INITIALIZING", "bidsqlVersion", BIDSQL_VERSION));
}

static void get_root(Call *call)
{
    http_add_header(call->exchange, "location", "/info");
    answer_text(call, 307, "text/plain", "", 0);
}

static void get_healthcheck(Call *call)
{
    bool healthy = call->server->ready && !call->server->stopping;
    json_t *state = json_string(healthy ? "READY" : "NOT_READY");
    answer_json(call, 200, json_pack("{s:b,s:{s:{s:b},s:{s:b},s:{s:b}},s:o}", "isHealthy", healthy, "details", "metastore", "isHealthy", healthy, "kafka", "isHealthy", healthy,
                                     "commandRunner", "isHealthy", healthy, "serverState", state));
}

static void add_status(void *caller, const EntityInfo *entity)
{
    char id[600];
    snprintf(id, sizeof id, "%s/%s/create", entity->type, entity->name);
    json_object_set_new(caller, id, json_string("SUCCESS"));
}

static void get_status(Call *call)
{
    json_t *statuses = json_object();
    runtime_entities(call->server->runtime, NULL, add_status, statuses);
    answer_json(call, 200, json_pack("{s:o}", "commandStatuses", statuses));
}

static void get_one_status(Call *call)
{
    json_t *statuses = json_object();
    char id[900];
    runtime_entities(call->server->runtime, NULL, add_status, statuses);
    snprintf(id, sizeof id, "%s/%s/%s", call->captures[0], call->captures[1], call->captures[2]);
    if (json_object_get(statuses, id))
        answer_json(call, 200, json_pack("{s:s,s:s,s:n}", "status", "SUCCESS", "message", "", "queryId"));
    else
        answer_ksql_error(call, 40400, "Command not found");
    json_decref(statuses);
}

static void get_is_valid_property(Call *call)
{
    RuntimeSession *session = NULL;
    if (!new_session(call, NULL, NULL, &session))
        return;
    const char *name = call->captures[0], *known = strncmp(name, "ksql.streams.", 13) == 0 ? name + 13 : name;
    Error *error = is_foreign(name) ? NULL : runtime_session_set(session, known, NULL);
    if (error)
        answer_ksql_error(call, 40000, error->message);
    else
        answer_json(call, 200, json_true());
    error_free(error);
    runtime_session_free(session);
}

static json_t *cluster_scope(const Call *call)
{
    return json_pack("{s:s,s:{s:[],s:{s:s,s:s}}}", "id", "", "scope", "path", "clusters", "kafka-cluster", call->server->id, "ksql-cluster", "bidsql_");
}

static void get_metadata(Call *call) { answer_json(call, 200, json_pack("{s:s,s:o}", "version", BIDSQL_VERSION, "clusterId", cluster_scope(call))); }
static void get_metadata_id(Call *call) { answer_json(call, 200, cluster_scope(call)); }

const Route ksql_routes[] = {
    { "GET", "/", get_root, ROLE_NONE, false, NULL },
    { "POST", "/ksql", post_ksql, ROLE_READER, true, NULL }, /* what changes something asks for more: see guard */
    { "POST", "/ksql/terminate", post_terminate_cluster, ROLE_ADMIN, true, NULL },
    { "POST", "/query", post_query, ROLE_READER, true, NULL },
    { "POST", "/query-stream", post_query_stream, ROLE_READER, true, NULL },
    { "POST", "/close-query", post_close_query, ROLE_READER, true, NULL },
    { "GET", "/ws/query", get_ws_query, ROLE_READER, true, NULL },
    { "GET", "/info", get_info, ROLE_NONE, false, NULL },
    { "GET", "/healthcheck", get_healthcheck, ROLE_NONE, false, NULL },
    { "GET", "/status", get_status, ROLE_READER, true, NULL },
    { "GET", "/status/*/*/*", get_one_status, ROLE_READER, true, NULL },
    { "GET", "/is_valid_property/*", get_is_valid_property, ROLE_READER, true, NULL },
    { "GET", "/v1/metadata", get_metadata, ROLE_READER, false, NULL },
    { "GET", "/v1/metadata/id", get_metadata_id, ROLE_READER, false, NULL },
    { NULL, NULL, NULL, ROLE_NONE, false, NULL },
};
