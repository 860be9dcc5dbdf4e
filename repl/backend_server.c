/* repl/backend_server.c: statements run on a server, over its resources /v1/statements and /v1/query.
 *
 * The server knows no session: what SET and DEFINE say is kept here and goes with every request. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "repl/backend.h"
#include "repl/server_client.h"
#include "repl/server_rows.h"
#include "repl/sql_text.h"

/* The push query that is being read, for whoever asks how far it is. */
typedef struct Watched {
    pthread_mutex_t lock;
    ServerClient client;            /* of the thread that asks */
    char id[100];                   /* "": none is read */
    uint64_t rows_out;              /* that have come here */
    uint64_t rows_before, late_before; /* that it had read for others */
    bool begun;
    int64_t looked_ms;              /* when the server was asked */
    SessionProgress known;
} Watched;

typedef struct ServerBackend {
    Backend base;
    ServerClient client;
    json_t *settings, *variables;
    json_t *entities;               /* streams and tables, for completion */
    time_t entities_at;
    Session *words;                 /* knows the language: what may be completed and is not the server's */
    Watched watched;
} ServerBackend;

static ServerBackend *server_of(Backend *backend) { return (ServerBackend *)backend; }

static char *request_body(const ServerBackend *server, const char *sql, size_t length)
{
    json_t *body = json_pack("{s:o,s:O,s:O}", "sql", json_stringn(sql, length), "settings", server->settings, "variables", server->variables);
    char *text = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    return text;
}

/* ---- errors ---- */

/* As the server found them; places are those in the statement. */
static Error *server_error(const json_t *answer, long status, size_t start)
{
    const json_t *list = json_object_get(answer, "errors"), *one;
    Error *errors = NULL;
    size_t i;
    json_array_foreach(list, i, one)
    {
        const char *message = json_string_value(json_object_get(one, "message")), *hint = json_string_value(json_object_get(one, "hint"));
        Error *error = error_new(ERR_BIND, "%s", message ? message : "the server says no more");
        if (hint)
            error_hint(error, "%s", hint);
        if (json_object_get(one, "length"))
            error->at = (Span){ (uint32_t)(json_integer_value(json_object_get(one, "start")) + (json_int_t)start), (uint32_t)json_integer_value(json_object_get(one, "length")) };
        errors = error_append(errors, error);
    }
    if (errors)
        return errors;
    const char *message = json_string_value(json_object_get(answer, "message"));
    return error_new(ERR_BIND, "%s (status %ld)", message ? message : "the server refuses", status);
}

/* ---- rows ---- */

static Error *give_rows(const SessionOutput *output, const Schema *schema, const json_t *rows)
{
    size_t total = json_array_size(rows);
    for (size_t done = 0; done < total;) {
        uint32_t count = total - done < BATCH_ROWS ? (uint32_t)(total - done) : BATCH_ROWS;
        Batch *batch = batch_for_schema(NULL, schema, count);
        for (uint32_t row = 0; row < count; row++)
            server_row(batch, schema, row, json_array_get(rows, done + row), NULL, 0);
        batch->row_count = count;
        batch->selection = (Selection){ count, NULL };
        Error *error = output->rows ? output->rows(output->caller, batch) : NULL;
        batch_release(batch);
        TRY(error);
        done += count;
    }
    return NULL;
}

static Error *give_result(const json_t *result, const SessionOutput *output)
{
    const char *kind = json_string_value(json_object_get(result, "kind")), *message = json_string_value(json_object_get(result, "message"));
    if (!kind || strcmp(kind, "rows") != 0) {
        if (message && *message && output->notice)
            output->notice(output->caller, message);
        return NULL;
    }
    Arena arena;
    arena_init(&arena, NULL);
    MEMORY_HOLD(arena_unwind, &arena);
    Schema schema = { 0 };
    json_t *names = json_array(), *types = json_array(), *column;
    size_t i;
    json_array_foreach(json_object_get(result, "columns"), i, column)
    {
        json_array_append(names, json_object_get(column, "name"));
        json_array_append(types, json_object_get(column, "type"));
    }
    server_schema(&arena, names, types, &schema);
    json_decref(names);
    json_decref(types);
    ResultInfo info = { .schema = &schema, .preformatted = json_is_true(json_object_get(result, "preformatted")) };
    Error *error = output->begin ? output->begin(output->caller, &info) : NULL;
    if (!error)
        error = give_rows(output, &schema, json_object_get(result, "rows"));
    if (!error && output->end)
        error = output->end(output->caller);
    arena_release(&arena);
    return error;
}

/* ---- SELECT ---- */

typedef struct Rows {
    ServerBackend *server;
    const SessionOutput *output;
    Arena arena;
    Schema schema;
    Text line;
    bool begun, failed;
    Batch *batch;                   /* rows of the piece of the answer at hand */
} Rows;

static Error *flush_rows(Rows *rows)
{
    Batch *batch = rows->batch;
    rows->batch = NULL;
    if (!batch)
        return NULL;
    batch->selection = (Selection){ batch->row_count, NULL };
    pthread_mutex_lock(&rows->server->watched.lock);
    rows->server->watched.rows_out += batch->row_count;
    pthread_mutex_unlock(&rows->server->watched.lock);
    Error *error = rows->output->rows ? rows->output->rows(rows->output->caller, batch) : NULL;
    batch_release(batch);
    return error;
}

static RowKind kind_of(const char *text)
{
    for (int kind = 0; text && kind < 4; kind++)
        if (strcmp(row_kind_text((RowKind)kind), text) == 0)
            return (RowKind)kind;
    return ROW_INSERT;
}

/* From now on that query; NULL: none. */
static void watch(ServerBackend *server, const char *id)
{
    Watched *watched = &server->watched;
    pthread_mutex_lock(&watched->lock);
    snprintf(watched->id, sizeof watched->id, "%s", id ? id : "");
    watched->rows_out = watched->rows_before = watched->late_before = 0;
    watched->looked_ms = 0;
    watched->begun = false;
    watched->known = (SessionProgress){ .running = id != NULL, .in_rows = true, .bytes_total = -1, .watermark_us = TIME_MIN };
    pthread_mutex_unlock(&watched->lock);
}

static Error *begin_rows(Rows *rows, const json_t *line)
{
    const json_t *header = json_object_get(line, "header");
    server_schema(&rows->arena, json_object_get(header, "columnNames"), json_object_get(header, "columnTypes"), &rows->schema);
    ResultInfo info = { .schema = &rows->schema, .updating = json_is_true(json_object_get(line, "updating")), .continuous = json_is_true(json_object_get(line, "continuous")), .preformatted = json_is_true(json_object_get(line, "preformatted")), .is_query = true };
    rows->begun = true;
    if (info.continuous)
        watch(rows->server, json_string_value(json_object_get(header, "queryId")));
    return rows->output->begin ? rows->output->begin(rows->output->caller, &info) : NULL;
}

static Error *take_line(Rows *rows, const json_t *line)
{
    const json_t *row = json_object_get(line, "row"), *dropped = json_object_get(line, "dropped"), *error = json_object_get(line, "error");
    if (json_object_get(line, "header"))
        return begin_rows(rows, line);
    if (error)
        return error_new(ERR_IO, "%s", json_string_value(json_object_get(error, "message")) ? json_string_value(json_object_get(error, "message")) : "the query failed");
    if (dropped && rows->output->notice) {
        char text[80];
        snprintf(text, sizeof text, "%lld rows were dropped: they came faster than they were read", (long long)json_integer_value(dropped));
        TRY(flush_rows(rows));
        rows->output->notice(rows->output->caller, text);
    }
    if (!row || !rows->begun)
        return NULL;
    if (!rows->batch) {
        rows->batch = batch_for_schema(NULL, &rows->schema, BATCH_ROWS);
        rows->batch->row_count = 0;
        rows->batch->kinds = ARENA_ARRAY(&rows->batch->arena, uint8_t, BATCH_ROWS);
    }
    rows->batch->kinds[rows->batch->row_count] = (uint8_t)kind_of(json_string_value(json_object_get(line, "op")));
    server_row(rows->batch, &rows->schema, rows->batch->row_count, row, text_c(&rows->line), rows->line.length);
    rows->batch->row_count++;
    return rows->batch->row_count == BATCH_ROWS ? flush_rows(rows) : NULL;
}

static Error *take_rows(Request *request, const char *bytes, size_t length)
{
    Rows *rows = request->caller;
    while (length) {
        const char *end = memchr(bytes, '\n', length);
        size_t part = end ? (size_t)(end - bytes) : length;
        text_add(&rows->line, bytes, part);
        bytes += part + (end != NULL);
        length -= part + (end != NULL);
        if (!end)
            break;
        json_t *line = json_loadb(text_c(&rows->line), rows->line.length, 0, NULL);
        Error *error = line ? take_line(rows, line) : NULL;
        rows->line.length = 0;
        json_decref(line);
        TRY(error);
    }
    return flush_rows(rows);
}

static Error *run_select(ServerBackend *server, const char *sql, size_t length, size_t start, const SessionOutput *output)
{
    Rows rows = { .server = server, .output = output };
    char *body = request_body(server, sql, length);
    arena_init(&rows.arena, NULL);
    MEMORY_HOLD(arena_unwind, &rows.arena);
    MEMORY_HOLD(text_unwind, &rows.line);
    Request request = { .client = &server->client, .take = take_rows, .caller = &rows };
    Error *error = client_send(&request, "/v1/query", body ? body : "{}");
    free(body);
    watch(server, NULL);
    if (!error && !rows.begun) { /* a refusal is one object */
        json_t *answer = json_loadb(text_c(&rows.line), rows.line.length, 0, NULL);
        error = server_error(answer, request.status, start);
        json_decref(answer);
    }
    if (rows.begun && output->end) {
        Error *ended = output->end(output->caller);
        if (error)
            error_free(ended);
        else
            error = ended;
    }
    batch_release(rows.batch);
    arena_release(&rows.arena);
    text_release(&rows.line);
    return error;
}

/* ---- statements ---- */

/* What a piece says: without its quotes, which stand twice within. */
static json_t *said(const char *sql, const SqlPiece *piece)
{
    const bool quoted = piece->kind == PIECE_STRING || piece->kind == PIECE_NAME;
    if (!quoted)
        return json_stringn(sql + piece->start, piece->length);
    const char quote = sql[piece->start];
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    for (size_t i = 1; i + 1 < piece->length; i++) {
        text_add_char(&text, sql[piece->start + i]);
        i += sql[piece->start + i] == quote;
    }
    json_t *value = json_stringn(text_c(&text), text.length);
    text_release(&text);
    return value;
}

/* SET 'a' = 'b', UNSET 'a', DEFINE a = 'b', UNDEFINE a: for the requests to come. */
static void remember(ServerBackend *server, const char *sql, size_t length)
{
    SqlPiece pieces[5];
    int count = 0;
    for (size_t at = 0; count < 5 && sql_piece_next(sql, length, &at, &pieces[count]);)
        count += pieces[count].kind != PIECE_COMMENT;
    if (count < 2)
        return;
    bool set = sql_piece_is(sql, &pieces[0], "set"), define = sql_piece_is(sql, &pieces[0], "define");
    bool unset = sql_piece_is(sql, &pieces[0], "unset"), undefine = sql_piece_is(sql, &pieces[0], "undefine");
    json_t *list = set || unset ? server->settings : define || undefine ? server->variables : NULL;
    if (!list)
        return;
    json_t *name = said(sql, &pieces[1]);
    if (!name)
        return;
    if (unset || undefine)
        json_object_del(list, json_string_value(name));
    else if (count >= 4)
        json_object_set_new(list, json_string_value(name), said(sql, &pieces[3]));
    json_decref(name);
}

static Error *run_one(ServerBackend *server, const char *sql, size_t length, size_t start, const SessionOutput *output)
{
    char *body = request_body(server, sql, length);
    json_t *answer = NULL, *result;
    long status = 0;
    Error *error = client_ask(&server->client, "/v1/statements", body ? body : "{}", &answer, &status);
    free(body);
    if (!error && (status != 200 || json_object_get(answer, "errors")))
        error = server_error(answer, status, start);
    bool select = false;
    size_t i;
    json_array_foreach(json_object_get(answer, "results"), i, result)
    {
        const char *kind = json_string_value(json_object_get(result, "kind"));
        select |= kind && strcmp(kind, "select") == 0;
        if (!error && !select)
            error = give_result(result, output);
    }
    json_decref(answer);
    if (!error)
        remember(server, sql, length);
    server->entities_at = 0;
    return !error && select ? run_select(server, sql, length, start, output) : error;
}

/* All mistakes of several statements at once: one in the second leaves the first undone. */
static Error *check_all(ServerBackend *server, const char *text, size_t length)
{
    json_t *body = json_pack("{s:o,s:O,s:O,s:b}", "sql", json_stringn(text, length), "settings", server->settings, "variables", server->variables, "check", 1), *answer = NULL;
    char *json = json_dumps(body, JSON_COMPACT);
    long status = 0;
    json_decref(body);
    Error *error = client_ask(&server->client, "/v1/statements", json ? json : "{}", &answer, &status);
    free(json);
    if (!error && (status != 200 || json_object_get(answer, "errors")))
        error = server_error(answer, status, 0);
    json_decref(answer);
    return error;
}

static bool is_several(const char *text, size_t length)
{
    SqlPiece piece;
    for (size_t at = 0; sql_piece_next(text, length, &at, &piece);)
        if (sql_piece_is(text, &piece, ";") && sql_is_finished(text, at))
            return !sql_is_blank(text + at, length - at);
    return false;
}

/* One statement after the other, each with its `;`. */
static Error *server_run(Backend *backend, const char *text, size_t length, const SessionOutput *output)
{
    ServerBackend *server = server_of(backend);
    SqlPiece piece;
    size_t start = 0, at = 0;
    server->client.interrupted = false;
    if (is_several(text, length))
        TRY(check_all(server, text, length));
    while (sql_piece_next(text, length, &at, &piece)) {
        if (!sql_piece_is(text, &piece, ";") || !sql_is_finished(text + start, at - start))
            continue;
        TRY(run_one(server, text + start, at - start, start, output));
        start = at;
    }
    return sql_is_blank(text + start, length - start) ? NULL : run_one(server, text + start, length - start, start, output);
}

static void server_interrupt(Backend *backend) { client_interrupt(&server_of(backend)->client); }

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* What the server says of the query. A query that others read, too, has read rows before. */
static void take_status(Watched *watched, const json_t *query)
{
    const uint64_t rows = (uint64_t)json_integer_value(json_object_get(query, "recordsIn")), late = (uint64_t)json_integer_value(json_object_get(query, "lateRecords"));
    const json_t *watermark = json_object_get(query, "watermarkMs");
    if (!watched->begun && json_integer_value(json_object_get(query, "subscribers")) > 1) {
        watched->rows_before = rows;
        watched->late_before = late;
    }
    watched->begun = true;
    watched->known.rows_in = rows > watched->rows_before ? rows - watched->rows_before : 0;
    watched->known.late_rows = late > watched->late_before ? late - watched->late_before : 0;
    watched->known.watermark_us = watermark ? json_integer_value(watermark) * 1000 : TIME_MIN;
}

/* Once a second. By the one thread that asks. */
static void look_at_query(Watched *watched, const char *id)
{
    char path[160];
    json_t *query = NULL;
    long status = 0;
    snprintf(path, sizeof path, "/v1/queries/%s", id);
    error_free(client_ask(&watched->client, path, NULL, &query, &status));
    pthread_mutex_lock(&watched->lock);
    if (status == 200 && strcmp(watched->id, id) == 0)
        take_status(watched, query);
    pthread_mutex_unlock(&watched->lock);
    json_decref(query);
}

static void server_progress(Backend *backend, SessionProgress *progress)
{
    Watched *watched = &server_of(backend)->watched;
    char id[sizeof watched->id];
    pthread_mutex_lock(&watched->lock);
    memcpy(id, watched->id, sizeof id);
    const bool look = *id && now_ms() - watched->looked_ms >= 1000;
    if (look)
        watched->looked_ms = now_ms();
    pthread_mutex_unlock(&watched->lock);
    if (look)
        look_at_query(watched, id);
    pthread_mutex_lock(&watched->lock);
    *progress = watched->known;
    progress->running = *watched->id != 0;
    progress->rows_out = watched->rows_out;
    pthread_mutex_unlock(&watched->lock);
}

/* ---- completion ---- */

static void add_entities(ServerBackend *server, const char *path, const char *name)
{
    json_t *answer = NULL;
    long status;
    error_free(client_ask(&server->client, path, NULL, &answer, &status));
    json_array_extend(server->entities, json_object_get(answer, name));
    json_decref(answer);
}

static void refresh(ServerBackend *server)
{
    time_t now = time(NULL);
    if (server->entities && now - server->entities_at < 5)
        return;
    json_decref(server->entities);
    server->entities = json_array();
    server->entities_at = now;
    server->client.interrupted = false;
    add_entities(server, "/v1/streams", "streams");
    add_entities(server, "/v1/tables", "tables");
}

static const char *const *variable_names(const ServerBackend *server, Arena *arena, int *count)
{
    const char **names = ARENA_ARRAY(arena, const char *, json_object_size(server->variables) + 1), *name;
    json_t *value;
    *count = 0;
    json_object_foreach(server->variables, name, value)
        names[(*count)++] = arena_strdup(arena, name);
    return names;
}

static const char *const *query_ids(ServerBackend *server, Arena *arena, int *count)
{
    json_t *answer = NULL;
    long status;
    server->client.interrupted = false;
    error_free(client_ask(&server->client, "/v1/queries", NULL, &answer, &status));
    const json_t *queries = json_object_get(answer, "queries");
    const char **ids = ARENA_ARRAY(arena, const char *, json_array_size(queries) + 1);
    *count = 0;
    for (size_t i = 0; i < json_array_size(queries); i++)
        ids[(*count)++] = arena_strdup(arena, json_string_value(json_object_get(json_array_get(queries, i), "id")));
    json_decref(answer);
    return ids;
}

static const char *const *server_names(Backend *backend, SessionNames kind, Arena *arena, int *count)
{
    ServerBackend *server = server_of(backend);
    if (kind == SESSION_VARIABLES)
        return variable_names(server, arena, count);
    if (kind == SESSION_QUERIES)
        return query_ids(server, arena, count);
    if (kind != SESSION_RELATIONS)
        return session_names(server->words, kind, arena, count);
    *count = 0;
    refresh(server);
    const char **names = ARENA_ARRAY(arena, const char *, json_array_size(server->entities) + 1);
    for (size_t i = 0; i < json_array_size(server->entities); i++)
        names[(*count)++] = arena_strdup(arena, json_string_value(json_object_get(json_array_get(server->entities, i), "name")));
    return names;
}

static const char *const *server_columns(Backend *backend, Arena *arena, const char *relation, int *count)
{
    ServerBackend *server = server_of(backend);
    const char **names = NULL;
    *count = 0;
    refresh(server);
    for (size_t i = 0; i < json_array_size(server->entities); i++) {
        const json_t *entity = json_array_get(server->entities, i), *columns = json_object_get(entity, "columns");
        if (strcasecmp(json_string_value(json_object_get(entity, "name")), relation) != 0)
            continue;
        names = ARENA_ARRAY(arena, const char *, json_array_size(columns) + 1);
        for (size_t c = 0; c < json_array_size(columns); c++)
            names[(*count)++] = arena_strdup(arena, json_string_value(json_object_get(json_array_get(columns, c), "name")));
    }
    return names;
}

static const char *server_usage(Backend *backend, Arena *arena, const char *function) { return session_function_usage(server_of(backend)->words, arena, function); }

/* ---- life ---- */

static void server_free(Backend *backend)
{
    ServerBackend *server = server_of(backend);
    json_decref(server->settings);
    json_decref(server->variables);
    json_decref(server->entities);
    session_free(server->words);
    client_release(&server->client);
    client_release(&server->watched.client);
    pthread_mutex_destroy(&server->watched.lock);
    mem_free(server);
}

static const BackendType server_type = {
    .run = server_run,
    .interrupt = server_interrupt,
    .progress = server_progress,
    .names = server_names,
    .columns = server_columns,
    .usage = server_usage,
    .free = server_free,
};

Error *backend_server(const char *url, const char *user, const char *token, const char *certificates, Backend **result)
{
    if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
        return error_hint(error_new(ERR_USAGE, "'%s' is no address of a server", url), "http://127.0.0.1:8088");
    curl_global_init(CURL_GLOBAL_DEFAULT);
    ServerBackend *server = mem_calloc(1, sizeof *server);
    client_init(&server->client, url, user, token, certificates);
    client_init(&server->watched.client, url, user, token, certificates);
    server->watched.client.timeout_ms = 1000;
    pthread_mutex_init(&server->watched.lock, NULL);
    server->base = (Backend){ &server_type, server->client.url };
    server->settings = json_object();
    server->variables = json_object();
    json_t *answer = NULL;
    long status;
    Error *error = session_new(&(SessionOptions){ .threads = 1 }, &server->words);
    if (!error)
        error = client_ask(&server->client, "/v1/streams", NULL, &answer, &status);
    if (!error && status != 200)
        error = error_new(ERR_CONNECT, status == 401 ? "%s wants to know who you are: set BIDSQL_USER to NAME:PASSWORD, or BIDSQL_TOKEN" : "%s refuses", server->client.url);
    json_decref(answer);
    if (error)
        server_free(&server->base);
    else
        *result = &server->base;
    return error;
}
