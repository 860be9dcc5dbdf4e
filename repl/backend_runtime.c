/* repl/backend_runtime.c: statements run in a runtime of this process: what goes on goes on in the background, while the shell takes the next statement.
 *
 * Statements go to the runtime one by one. What ends with its statement (SELECT, EXPLAIN ANALYZE, PRINT..) it hands on to a session that lives in it. A query that ends by itself is
 * waited for: who fills a table from a file and then reads it means what the file holds. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "parser/parser.h"
#include "repl/backend.h"
#include "repl/io.h"
#include "repl/sql_text.h"

#define LOG_ROWS 1000 /* of the processing log that are kept */
#define SCRIPT_DEPTH_MAX 16 /* RUN SCRIPT inside RUN SCRIPT .. */

typedef struct RuntimeBackend {
    Backend base;
    Runtime *runtime;
    RuntimeSession *session;
    Session *hosted;
    int wake;                    /* an eventfd: an interrupt, or a query's end */
    atomic_bool interrupted;
    int depth;
    pthread_mutex_t lock;        /* the rest */
    void (*say)(void *caller, const char *line);
    void *caller;
    bool busy;                   /* a statement runs: it says itself how what it has started ends */
    char *waits_for;             /* the query that is waited for; NULL: none */
} RuntimeBackend;

static RuntimeBackend *runtime_of(Backend *backend) { return (RuntimeBackend *)backend; }

/* ---- what happens to queries in the background ---- */

static void wake(const RuntimeBackend *backend)
{
    const uint64_t one = 1;
    (void)!write(backend->wake, &one, sizeof one);
}

/* RuntimeOptions.event */
static void on_event(void *caller, const RuntimeEvent *event)
{
    RuntimeBackend *backend = caller;
    const bool failure = strcmp(event->what, "failed") == 0 || strcmp(event->what, "error") == 0 || strcmp(event->what, "checkpoint failed") == 0;
    char line[1400];
    pthread_mutex_lock(&backend->lock);
    bool told = failure || strcmp(event->what, "restarts") == 0 || (strcmp(event->what, "completed") == 0 && !backend->busy);
    if (backend->waits_for && event->query_id && strcmp(backend->waits_for, event->query_id) == 0)
        told = false;
    if (told && backend->say) {
        snprintf(line, sizeof line, "%s%s %s%s%s\n", event->query_id ? "query " : "", event->query_id ? event->query_id : "bidsql:", event->what, *event->detail ? ": " : "", event->detail);
        backend->say(backend->caller, line);
    }
    pthread_mutex_unlock(&backend->lock);
    wake(backend);
}

static void runtime_listen(Backend *base, void (*say)(void *caller, const char *line), void *caller)
{
    RuntimeBackend *backend = runtime_of(base);
    pthread_mutex_lock(&backend->lock);
    backend->say = say;
    backend->caller = caller;
    pthread_mutex_unlock(&backend->lock);
}

static void set_busy(RuntimeBackend *backend, bool busy)
{
    pthread_mutex_lock(&backend->lock);
    backend->busy = busy;
    pthread_mutex_unlock(&backend->lock);
}

/* Takes over `id`, of the heap; NULL: nothing is waited for any more. */
static void set_waits_for(RuntimeBackend *backend, char *id)
{
    pthread_mutex_lock(&backend->lock);
    char *before = backend->waits_for;
    backend->waits_for = id;
    pthread_mutex_unlock(&backend->lock);
    mem_free(before);
}

/* ---- queries that end by themselves ---- */

typedef struct Look {
    const char *id;
    bool found, bounded;
    QueryState state;
    bool failed;
    char reason[1024];
    JobCounters counters;
    int64_t watermark_us;
} Look;

static void look_at(void *caller, const QueryInfo *query)
{
    Look *look = caller;
    if (strcmp(query->id, look->id) != 0)
        return;
    look->found = true;
    look->bounded = query->plan && query->plan->bounded;
    look->state = query->state;
    look->failed = query->reason != NULL;
    snprintf(look->reason, sizeof look->reason, "%s", query->reason ? query->reason : "");
    look->counters = query->counters;
    look->watermark_us = query->watermark_us;
}

static void say_notice(const SessionOutput *output, const char *text)
{
    if (output->notice)
        output->notice(output->caller, text);
}

static Error *say_end(const Look *look, const SessionOutput *output)
{
    char line[1400];
    uint64_t bad = look->counters.bad_rows + look->counters.row_errors;
    if (look->failed)
        return look->state == QUERY_ERROR ? error_new(ERR_IO, "query %s failed: %s", look->id, look->reason)
                                          : error_hint(error_new(ERR_IO, "query %s failed: %s", look->id, look->reason), "it is tried again: SHOW QUERIES watches it, TERMINATE %s ends it", look->id);
    if (look->state != QUERY_COMPLETED)
        return NULL;
    int length = snprintf(line, sizeof line, "query %s is done: %llu rows in, %llu out", look->id, (unsigned long long)look->counters.rows_in, (unsigned long long)look->counters.rows_out);
    if (bad)
        length += snprintf(line + length, sizeof line - (size_t)length, ", %llu bad", (unsigned long long)bad);
    if (look->counters.late_rows)
        snprintf(line + length, sizeof line - (size_t)length, ", %llu late", (unsigned long long)look->counters.late_rows);
    say_notice(output, line);
    return NULL;
}

/* Until it has ended, or failed, or somebody has had enough of waiting. */
static Error *wait_for(RuntimeBackend *backend, const char *id, const SessionOutput *output)
{
    Look look = { .id = id };
    runtime_queries(backend->runtime, look_at, &look);
    if (!look.found || !look.bounded)
        return NULL;
    set_waits_for(backend, mem_strdup(id));
    while (look.found && look.state == QUERY_RUNNING && !look.failed && !backend->interrupted) {
        struct pollfd end = { backend->wake, POLLIN, 0 };
        uint64_t count;
        if (poll(&end, 1, 500) > 0)
            (void)!read(backend->wake, &count, sizeof count);
        look.found = false;
        runtime_queries(backend->runtime, look_at, &look);
    }
    set_waits_for(backend, NULL);
    if (look.found && (look.state != QUERY_RUNNING || look.failed))
        return say_end(&look, output);
    if (!look.found)
        return NULL;
    char line[300];
    snprintf(line, sizeof line, "query %s goes on in the background; TERMINATE ends it", id);
    say_notice(output, line);
    return error_new(ERR_CLOSED, "the shell waits no longer");
}

/* ---- one statement ---- */

/* What the runtime says of it: kept until no lock of the runtime is held, as whoever reads may take any time. */
typedef struct Answer {
    Arena arena;
    RuntimeResultKind kind;
    bool given, preformatted;
    const char *message, *query_id, *name;
    const Schema *schema;
    struct { Batch **items; int count, capacity; } rows;
} Answer;

static void keep_rows(Answer *answer, const RuntimeRows *rows)
{
    answer->schema = schema_copy(&answer->arena, &rows->schema);
    answer->preformatted = rows->preformatted;
    const int width = rows->schema.column_count;
    for (int first = 0; first < rows->row_count; first += BATCH_ROWS) {
        int count = rows->row_count - first < BATCH_ROWS ? rows->row_count - first : BATCH_ROWS;
        LIST_ADD(&answer->arena, &answer->rows, NULL);
        Batch *batch = answer->rows.items[answer->rows.count - 1] = batch_for_schema(NULL, answer->schema, (uint32_t)count);
        for (int row = 0; row < count; row++)
            for (int column = 0; column < width; column++)
                vector_set(&batch->arena, batch->columns[column], (uint32_t)row, &rows->rows[(first + row) * width + column]);
        batch->row_count = batch->selection.count = (uint32_t)count;
    }
}

/* RuntimeOutput.result */
static Error *keep_result(void *caller, const RuntimeResult *result)
{
    Answer *answer = caller;
    answer->given = true;
    answer->kind = result->kind;
    answer->message = result->message ? arena_strdup(&answer->arena, result->message) : "";
    answer->query_id = result->query_id ? arena_strdup(&answer->arena, result->query_id) : NULL;
    answer->name = result->entity_name ? arena_strdup(&answer->arena, result->entity_name) : NULL;
    if (result->query_id && result->action && strcmp(result->action, "insert") != 0 && strcmp(result->action, "create") != 0)
        answer->query_id = NULL; /* it was not started */
    if (result->kind == RESULT_ROWS)
        keep_rows(answer, &result->rows);
    return NULL;
}

static void release_answer(void *caller)
{
    Answer *answer = caller;
    for (int i = 0; i < answer->rows.count; i++)
        batch_release(answer->rows.items[i]);
    arena_release(&answer->arena);
}

static Error *give_rows(const Answer *answer, const SessionOutput *output)
{
    ResultInfo info = { .schema = answer->schema, .preformatted = answer->preformatted };
    if (output->begin)
        TRY(output->begin(output->caller, &info));
    for (int i = 0; i < answer->rows.count && output->rows; i++)
        TRY(output->rows(output->caller, answer->rows.items[i]));
    return output->end ? output->end(output->caller) : NULL;
}

static Error *run_pieces(RuntimeBackend *backend, const char *text, size_t length, const SessionOutput *output);

/* Errors of the script are about another text: their places are said in their messages. */
static Error *run_script(RuntimeBackend *backend, const char *path, const SessionOutput *output)
{
    Text text = { 0 };
    if (backend->depth >= SCRIPT_DEPTH_MAX)
        return error_new(ERR_BIND, "scripts run each other more than %d deep", SCRIPT_DEPTH_MAX);
    MEMORY_HOLD(text_unwind, &text);
    Error *error = io_read_file(path, &text);
    if (!error) {
        backend->depth++;
        MEMORY_GUARDED(error, run_pieces(backend, text_c(&text), text.length, output));
        backend->depth--;
        for (Error *each = error; each; each = each->next) {
            TextPlace place = text_place(text_c(&text), text.length, each->at.start);
            if (each->at.length)
                error_context(each, "%s:%d:%d", path, place.line, place.column);
            each->at = SPAN_NONE;
        }
    }
    text_release(&text);
    return error;
}

/* The two know different settings; both know all variables. */
typedef enum Kept { KEPT_NOWHERE, KEPT_SETTING, KEPT_VARIABLE } Kept;

static Kept kept_by(const char *sql, size_t length)
{
    SqlPiece piece = { 0 };
    for (size_t at = 0; sql_piece_next(sql, length, &at, &piece) && piece.kind == PIECE_COMMENT;)
        ;
    if (sql_piece_is(sql, &piece, "set") || sql_piece_is(sql, &piece, "unset") || sql_piece_is(sql, &piece, "reset"))
        return KEPT_SETTING;
    return sql_piece_is(sql, &piece, "define") || sql_piece_is(sql, &piece, "undefine") ? KEPT_VARIABLE : KEPT_NOWHERE;
}

static bool is_unknown_setting(const Error *error) { return error && strncmp(error->message, "no setting", 10) == 0; }

/* `error`: what the runtime said, who does not know the setting, or has set it. */
static Error *set_in_session(RuntimeBackend *backend, const char *sql, size_t length, const SessionOutput *output, Error *error)
{
    Error *other = session_run(backend->hosted, sql, length, output);
    if (!error && is_unknown_setting(other)) {
        error_free(other);
        return NULL;
    }
    error_free(error);
    return other;
}

static Error *execute(RuntimeBackend *backend, const char *sql, size_t length, const SessionOutput *output, Answer *answer)
{
    RuntimeOutput into = { keep_result, answer };
    Kept kept = kept_by(sql, length);
    set_busy(backend, true);
    Error *error = runtime_execute(backend->session, sql, length, false, &into, NULL);
    if (kept == KEPT_VARIABLE && !error)
        return session_run(backend->hosted, sql, length, output);
    if (kept == KEPT_SETTING && (!error || is_unknown_setting(error)))
        return set_in_session(backend, sql, length, output, error);
    TRY(error);
    if (!answer->given)
        return NULL;
    switch (answer->kind) {
    case RESULT_STATUS:
        if (*answer->message)
            say_notice(output, answer->message);
        return answer->query_id ? wait_for(backend, answer->query_id, output) : NULL;
    case RESULT_ROWS: return give_rows(answer, output);
    case RESULT_SELECT:
    case RESULT_HOSTED: return session_run(backend->hosted, sql, length, output);
    case RESULT_SCRIPT: return run_script(backend, answer->name, output);
    }
    return NULL;
}

static Error *run_one(RuntimeBackend *backend, const char *text, size_t start, size_t end, const SessionOutput *output)
{
    Answer answer = { 0 };
    if (backend->interrupted)
        return error_new(ERR_INTERRUPTED, "interrupted");
    arena_init(&answer.arena, NULL);
    MEMORY_HOLD(release_answer, &answer);
    Error *error = execute(backend, text + start, end - start, output, &answer);
    release_answer(&answer);
    for (Error *each = error; each; each = each->next)
        each->at.start += each->at.length ? (uint32_t)start : 0;
    return error;
}

/* Where the statement ends that begins at `start`. */
static size_t statement_end(const char *text, size_t length, size_t start)
{
    SqlPiece piece;
    for (size_t at = start; sql_piece_next(text, length, &at, &piece);)
        if (sql_piece_is(text, &piece, ";") && sql_is_finished(text + start, at - start))
            return at;
    return length;
}

/* A text of several statements is checked first: a mistake in the second leaves the first undone. */
static Error *run_pieces(RuntimeBackend *backend, const char *text, size_t length, const SessionOutput *output)
{
    size_t first = statement_end(text, length, 0);
    if (!sql_is_blank(text + first, length - first))
        TRY(runtime_execute(backend->session, text, length, true, &(RuntimeOutput){ 0 }, NULL));
    for (size_t start = 0, end; start < length; start = end) {
        end = statement_end(text, length, start);
        if (!sql_is_blank(text + start, end - start))
            TRY(run_one(backend, text, start, end, output));
    }
    return NULL;
}

static Error *runtime_run(Backend *base, const char *text, size_t length, const SessionOutput *output)
{
    RuntimeBackend *backend = runtime_of(base);
    Error *error;
    backend->interrupted = false;
    MEMORY_GUARDED(error, run_pieces(backend, text, length, output));
    set_busy(backend, false);
    return error;
}

static void runtime_interrupt(Backend *base)
{
    RuntimeBackend *backend = runtime_of(base);
    backend->interrupted = true;
    session_interrupt(backend->hosted);
    wake(backend);
}

/* Of what the session runs, else of the query that is waited for. */
static void runtime_progress(Backend *base, SessionProgress *progress)
{
    RuntimeBackend *backend = runtime_of(base);
    char id[256] = "";
    session_progress(backend->hosted, progress);
    pthread_mutex_lock(&backend->lock);
    if (backend->waits_for)
        snprintf(id, sizeof id, "%s", backend->waits_for);
    pthread_mutex_unlock(&backend->lock);
    if (progress->running || !*id)
        return;
    Look look = { .id = id };
    runtime_queries(backend->runtime, look_at, &look);
    if (look.found && look.state == QUERY_RUNNING)
        *progress = (SessionProgress){ .running = true, .bytes_done = (int64_t)look.counters.rows_in, .bytes_total = -1, .in_rows = true, .rows_in = look.counters.rows_in,
            .rows_out = look.counters.rows_out, .late_rows = look.counters.late_rows, .watermark_us = look.watermark_us };
}

/* ---- for completion ---- */

typedef struct QueryIds { Arena *arena; const char **items; int count, capacity; } QueryIds;

static void add_id(void *caller, const QueryInfo *query)
{
    QueryIds *ids = caller;
    if (ids->count < ids->capacity)
        ids->items[ids->count++] = arena_strdup(ids->arena, query->id);
}

static const char *const *runtime_names(Backend *backend, SessionNames kind, Arena *arena, int *count)
{
    if (kind != SESSION_QUERIES)
        return session_names(runtime_of(backend)->hosted, kind, arena, count);
    QueryIds ids = { .arena = arena, .capacity = 1000 };
    ids.items = ARENA_ARRAY(arena, const char *, (size_t)ids.capacity);
    runtime_queries(runtime_of(backend)->runtime, add_id, &ids);
    *count = ids.count;
    return ids.items;
}

static const char *const *runtime_columns(Backend *backend, Arena *arena, const char *relation, int *count)
{
    const Schema *schema = session_columns(runtime_of(backend)->hosted, relation);
    *count = schema ? schema->column_count : 0;
    const char **names = ARENA_ARRAY(arena, const char *, (size_t)*count + 1);
    for (int i = 0; i < *count; i++)
        names[i] = schema->columns[i].name;
    return names;
}

static const char *runtime_usage(Backend *backend, Arena *arena, const char *function) { return session_function_usage(runtime_of(backend)->hosted, arena, function); }

/* ---- life ---- */

/* The runtime's catalog may point to the session's texts. */
static void runtime_end(Backend *base)
{
    RuntimeBackend *backend = runtime_of(base);
    runtime_listen(base, NULL, NULL);
    runtime_session_free(backend->session);
    runtime_free(backend->runtime);
    session_free(backend->hosted);
    close(backend->wake);
    pthread_mutex_destroy(&backend->lock);
    mem_free(backend);
}

static const BackendType runtime_type = {
    .run = runtime_run,
    .interrupt = runtime_interrupt,
    .progress = runtime_progress,
    .listen = runtime_listen,
    .names = runtime_names,
    .columns = runtime_columns,
    .usage = runtime_usage,
    .free = runtime_end,
};

static Error *open_runtime(RuntimeBackend *backend, const SessionOptions *options, const char *data_directory)
{
    RuntimeOptions runtime = { .clock = options->clock, .filesystem = options->filesystem, .threads = options->threads, .data_directory = data_directory,
        .base_directory = options->base_directory, .dialect = options->dialect, .query_memory_limit_bytes = options->memory_limit_bytes, .max_bad_rows = options->max_bad_rows,
        .count_nodes = true, .log_rows = LOG_ROWS, .log_records = true, .event = on_event, .caller = backend };
    TRY(runtime_new(&runtime, &backend->runtime));
    TRY(runtime_session_new(backend->runtime, &backend->session));
    return runtime_host(backend->session, options, &backend->hosted);
}

static Error *alloc_backend(RuntimeBackend **backend)
{
    *backend = mem_calloc(1, sizeof **backend);
    return NULL;
}

Error *backend_runtime(const SessionOptions *options, const char *data_directory, Backend **result)
{
    RuntimeBackend *backend;
    Error *error;
    MEMORY_GUARDED(error, alloc_backend(&backend));
    if (error)
        return error;
    backend->base = (Backend){ &runtime_type, data_directory ? data_directory : "this process" };
    pthread_mutex_init(&backend->lock, NULL);
    backend->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    error = open_runtime(backend, options, data_directory);
    if (error)
        runtime_end(&backend->base);
    else
        *result = &backend->base;
    return error;
}

Error *backend_runtime_set(Backend *base, const char *name, const char *value)
{
    RuntimeBackend *backend = runtime_of(base);
    Error *error = runtime_session_set(backend->session, name, value);
    if (!is_unknown_setting(error))
        return error;
    error_free(error);
    return session_set(backend->hosted, name, value);
}

Error *backend_runtime_define(Backend *base, const char *name, const char *value)
{
    TRY(runtime_session_define(runtime_of(base)->session, name, value));
    return session_define(runtime_of(base)->hosted, name, value);
}

Session *backend_runtime_session(Backend *base) { return runtime_of(base)->hosted; }
