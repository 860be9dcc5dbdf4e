/* server/push.c: a SELECT and the peer that reads it.
 *
 * Of a push query the runtime keeps a bounded buffer for each subscriber. Its rows are written by a worker whenever there are some and the peer takes
 * them: a slow peer leaves them in the buffer, where the oldest give way, which the peer is told. Nothing that a peer does holds up the query. */
#include <sched.h>

#include "server/server_internal.h"

#define QUEUED_ENOUGH (256 * 1024) /* bytes on their way to a peer: no more rows are made before it has taken some */
#define PIECE 32768
#define PULL_AHEAD (4 << 20)          /* of a pull query */
#define PULL_LIMIT_US INT64_C(300000000)

/* A pull query's rows, on the worker that runs it. */
typedef struct Pull {
    Call *call;                     /* until run_select returns */
    QueryHeader header;
    Text text;
    bool begun, late;               /* late: it took too long */
    int64_t since_us;
    QueryStop stop;
    struct PushStream *next, *previous; /* of the server, under streams_lock */
} Pull;

typedef struct PushStream {
    ExchangeUse use;                /* first */
    struct PushStream *next, *previous; /* of the server, under streams_lock */
    Server *server;
    HttpExchange *exchange;
    Subscription *subscription;
    RowsFormat format;
    uint64_t rows, dropped;
    atomic_int references;          /* the exchange's, the worker's, the subscription's */
    pthread_mutex_t lock;
    pthread_cond_t room;            /* a pull query waits for it */
    uint64_t rooms;                 /* how often the peer has made room: it may do so before we know that there was none */
    bool scheduled, again, full, gone, stopping, closed;
    Pull pull;
} PushStream;

static void release(PushStream *stream)
{
    if (--stream->references > 0)
        return;
    http_exchange_release(stream->exchange);
    pthread_mutex_destroy(&stream->lock);
    pthread_cond_destroy(&stream->room);
    mem_free(stream);
}

static void unlist(PushStream *stream)
{
    Server *server = stream->server;
    pthread_mutex_lock(&server->streams_lock);
    if (stream->previous)
        stream->previous->next = stream->next;
    else if (server->streams == stream)
        server->streams = stream->next;
    if (stream->next)
        stream->next->previous = stream->previous;
    server->stream_count--;
    pthread_mutex_unlock(&server->streams_lock);
}

/* ---- writing ---- */

/* A WebSocket's messages are parted by zeros. */
static size_t send_messages(PushStream *stream, const Text *text)
{
    size_t queued = 0;
    for (size_t at = 0; at < text->length;) {
        const char *end = memchr(text->bytes + at, 0, text->length - at);
        size_t length = end ? (size_t)(end - text->bytes) - at : text->length - at;
        queued = http_send(stream->exchange, true, text->bytes + at, length);
        at += length + 1;
    }
    return queued;
}

/* Clients of ksqlDB over HTTP/2 parse each frame by itself: a line a frame. */
static size_t write_lines(PushStream *stream, const Text *text)
{
    size_t queued = 0;
    for (size_t at = 0; at < text->length;) {
        const char *end = memchr(text->bytes + at, '\n', text->length - at);
        size_t length = end ? (size_t)(end - text->bytes) - at + 1 : text->length - at;
        queued = http_write(stream->exchange, text->bytes + at, length);
        at += length;
    }
    return queued;
}

static size_t put(PushStream *stream, Text *text)
{
    if (text->length == 0)
        return 0;
    if (stream->format == ROWS_DELIMITED && http_exchange_request(stream->exchange)->http2) {
        size_t lines = write_lines(stream, text);
        text->length = 0;
        return lines;
    }
    size_t queued = stream->format == ROWS_WEBSOCKET ? send_messages(stream, text) : http_write(stream->exchange, text->bytes, text->length);
    text->length = 0;
    return queued;
}

/* What was lost is said where the form has a place for it, and counted in any case. */
static void say_dropped(PushStream *stream, uint64_t dropped, Text *text)
{
    stream->dropped += dropped;
    stream->server->slow_rows += dropped;
    if (stream->format == ROWS_CHANGES)
        text_printf(text, "{\"dropped\":%llu}\n", (unsigned long long)dropped);
    if (stream->format == ROWS_EVENTS)
        text_printf(text, "event: dropped\ndata: {\"rows\":%llu}\n\n", (unsigned long long)dropped);
}

static void finish(PushStream *stream, Error *error, bool stopped)
{
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    const char *reason = error ? error->message : "done";
    if (error)
        rows_error(stream->format, error->message, &stream->rows, &text);
    rows_end(stream->format, error ? NULL : stopped ? "Query Completed" : "Limit Reached", stream->rows, &text);
    put(stream, &text);
    if (stream->format == ROWS_WEBSOCKET)
        http_close_websocket(stream->exchange, error ? 1011 : 1000, reason);
    else
        http_end(stream->exchange);
    text_release(&text);
}

/* Reads and writes until there is nothing, or enough is on its way. True: the query has ended. */
static bool write_rows(PushStream *stream, bool *full)
{
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    bool ended = false;
    *full = false;
    for (bool more = true; more && !ended && !*full;) {
        uint64_t dropped = 0;
        Error *error = NULL;
        Batch *batch = subscription_read(stream->subscription, &dropped, &ended, &error);
        if (dropped)
            say_dropped(stream, dropped, &text);
        if (batch)
            rows_batch(stream->format, subscription_header(stream->subscription), batch, &stream->rows, &text);
        more = batch != NULL;
        batch_release(batch);
        if (text.length >= PIECE || !more || ended)
            *full = put(stream, &text) >= QUEUED_ENOUGH;
        if (ended)
            finish(stream, error, false);
        error_free(error);
    }
    text_release(&text);
    return ended;
}

static Error *write_guarded(PushStream *stream, bool *full, bool *ended)
{
    *ended = write_rows(stream, full);
    return NULL;
}

static void close_subscription(PushStream *stream)
{
    subscription_close(stream->subscription);
    stream->subscription = NULL;
    unlist(stream);
    release(stream); /* the subscription's */
}

/* On a worker: one at a time for each stream. */
static void pump(void *caller)
{
    PushStream *stream = caller;
    for (;;) {
        pthread_mutex_lock(&stream->lock);
        stream->again = false;
        bool gone = stream->gone, stopping = stream->stopping, closed = stream->closed, held = stream->full;
        uint64_t rooms = stream->rooms;
        pthread_mutex_unlock(&stream->lock);
        bool full = held, ended = false;
        if (!closed && !gone && stopping) {
            finish(stream, NULL, true);
            ended = true;
        } else if (!closed && !gone && !held) {
            Error *error;
            MEMORY_GUARDED(error, write_guarded(stream, &full, &ended));
            if (error) {
                http_abort(stream->exchange);
                ended = true;
            }
            error_free(error);
        }
        bool close = !closed && (gone || ended);
        if (close)
            close_subscription(stream);
        pthread_mutex_lock(&stream->lock);
        stream->closed |= close;
        stream->full |= full && stream->rooms == rooms;
        bool again = stream->again;
        stream->scheduled = again;
        pthread_mutex_unlock(&stream->lock);
        if (!again)
            break;
    }
    release(stream); /* the worker's */
}

/* From any thread. */
static void schedule(PushStream *stream)
{
    pthread_mutex_lock(&stream->lock);
    bool add = !stream->scheduled;
    stream->again = true;
    stream->scheduled = true;
    if (add)
        stream->references++;
    pthread_mutex_unlock(&stream->lock);
    while (add && !workers_add(stream->server->workers, pump, stream)) /* it is never lost: the workers take up to thousands */
        sched_yield();
}

static void on_ready(void *caller) { schedule(caller); }

void push_room(ExchangeUse *use)
{
    PushStream *stream = (PushStream *)use;
    pthread_mutex_lock(&stream->lock);
    stream->full = false;
    stream->rooms++;
    pthread_cond_signal(&stream->room);
    pthread_mutex_unlock(&stream->lock);
    schedule(stream);
}

void push_gone(ExchangeUse *use)
{
    PushStream *stream = (PushStream *)use;
    pthread_mutex_lock(&stream->lock);
    stream->gone = true;
    pthread_cond_signal(&stream->room);
    pthread_mutex_unlock(&stream->lock);
    schedule(stream);
    release(stream); /* the exchange's */
}

void push_stop_all(Server *server)
{
    pthread_mutex_lock(&server->streams_lock);
    for (PushStream *stream = server->streams; stream; stream = stream->next) {
        pthread_mutex_lock(&stream->lock);
        stream->stopping = true;
        pthread_mutex_unlock(&stream->lock);
        schedule(stream);
    }
    pthread_mutex_unlock(&server->streams_lock);
}

/* ---- pull queries ---- */

static Error *pull_begin(void *caller, const QueryHeader *header)
{
    PushStream *stream = caller;
    stream->pull.header = *header;
    rows_header(stream->format, header, &stream->pull.text);
    return NULL;
}

/* The worker waits until the peer has taken some since `rooms`: but not all workers, or slow peers would stop everybody. */
static Error *wait_for_room(PushStream *stream, uint64_t rooms)
{
    Server *server = stream->server;
    if (++server->waiting_pulls > server->worker_count / 2) {
        server->waiting_pulls--;
        return error_new(ERR_CLOSED, "too many peers read slowly");
    }
    pthread_mutex_lock(&stream->lock);
    while (stream->rooms == rooms && !stream->gone)
        pthread_cond_wait(&stream->room, &stream->lock);
    bool gone = stream->gone;
    pthread_mutex_unlock(&stream->lock);
    server->waiting_pulls--;
    return gone ? error_new(ERR_CLOSED, "the peer went away") : NULL;
}

static Error *pull_rows(void *caller, const Batch *batch)
{
    PushStream *stream = caller;
    Pull *pull = &stream->pull;
    rows_batch(stream->format, &pull->header, batch, &stream->rows, &pull->text);
    if (pull->text.length < PIECE)
        return NULL;
    if (!pull->begun && stream->format != ROWS_WEBSOCKET)
        http_begin(stream->exchange, 200, rows_content_type(stream->format));
    pull->begun = true;
    pthread_mutex_lock(&stream->lock);
    uint64_t rooms = stream->rooms;
    pthread_mutex_unlock(&stream->lock);
    size_t queued = put(stream, &pull->text);
    if (queued == SIZE_MAX)
        return error_new(ERR_CLOSED, "the peer went away");
    return queued > PULL_AHEAD ? wait_for_room(stream, rooms) : NULL;
}

static void send_pulled(PushStream *stream)
{
    Pull *pull = &stream->pull;
    rows_end(stream->format, NULL, stream->rows, &pull->text);
    if (!pull->begun && stream->format != ROWS_WEBSOCKET) {
        http_answer(stream->exchange, 200, rows_content_type(stream->format), text_c(&pull->text), pull->text.length);
        return;
    }
    put(stream, &pull->text);
    if (stream->format == ROWS_WEBSOCKET)
        http_close_websocket(stream->exchange, 1000, "done");
    else
        http_end(stream->exchange);
}

static void answer_refusal(Call *call, const Error *error, const char *message, const char *sql, size_t length)
{
    int code = ksql_error_code(error);
    json_t *body = ksql_error(code, message);
    if (code == 40001) {
        json_object_set_new(body, "@type", json_string("statement_error"));
        json_object_set_new(body, "statementText", json_string(secrets_shown(&call->arena, sql, length)));
        json_object_set_new(body, "entities", json_array());
    }
    answer_json(call, code / 100, body);
}

static void refuse_select(PushStream *stream, const Error *error, const char *sql, size_t length)
{
    Pull *pull = &stream->pull;
    Text message = { 0 };
    MEMORY_HOLD(text_unwind, &message);
    error_message(error, sql, length, &message);
    if (stream->format == ROWS_WEBSOCKET) {
        http_close_websocket(stream->exchange, ksql_error_code(error) / 100 == 400 ? 1003 : 1011, error->message);
    } else if (pull->begun) {
        rows_error(stream->format, text_c(&message), &stream->rows, &pull->text);
        rows_end(stream->format, NULL, stream->rows, &pull->text);
        put(stream, &pull->text);
        http_end(stream->exchange);
    } else if (stream->format == ROWS_EVENTS || stream->format == ROWS_CHANGES) {
        answer_json(pull->call, ksql_error_code(error) / 100, json_pack("{s:o}", "errors", errors_json(error, sql, length)));
    } else {
        answer_refusal(pull->call, error, text_c(&message), sql, length);
    }
    text_release(&message);
}

/* ---- beginning ---- */

static PushStream *stream_new(Call *call, RowsFormat format)
{
    PushStream *stream = mem_calloc(1, sizeof *stream);
    stream->use.kind = USE_PUSH;
    stream->server = call->server;
    stream->exchange = http_exchange_retain(call->exchange);
    stream->format = format;
    stream->pull.call = call;
    if (format == ROWS_DELIMITED)
        http_keep_apart(call->exchange);
    stream->references = 2;   /* the exchange's, the subscription's */
    stream->scheduled = true; /* nobody writes rows before the header is there; of a pull query, never */
    pthread_mutex_init(&stream->lock, NULL);
    pthread_cond_init(&stream->room, NULL);
    return stream;
}

static void begin_push(PushStream *stream)
{
    Server *server = stream->server;
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    if (stream->format != ROWS_WEBSOCKET)
        http_begin(stream->exchange, 200, rows_content_type(stream->format));
    rows_header(stream->format, subscription_header(stream->subscription), &text);
    put(stream, &text);
    text_release(&text);
    pthread_mutex_lock(&server->streams_lock);
    stream->next = server->streams;
    if (stream->next)
        stream->next->previous = stream;
    server->streams = stream;
    server->stream_count++;
    pthread_mutex_unlock(&server->streams_lock);
    pthread_mutex_lock(&stream->lock);
    stream->scheduled = false;
    pthread_mutex_unlock(&stream->lock);
    schedule(stream);
}

static int64_t now_us(void) { return clock_system()->now_us(clock_system()); }

static void list_pull(PushStream *stream)
{
    Server *server = stream->server;
    query_stop_init(&stream->pull.stop);
    stream->pull.since_us = now_us();
    pthread_mutex_lock(&server->streams_lock);
    stream->pull.next = server->pulls;
    if (stream->pull.next)
        stream->pull.next->pull.previous = stream;
    server->pulls = stream;
    pthread_mutex_unlock(&server->streams_lock);
}

static void unlist_pull(PushStream *stream)
{
    Server *server = stream->server;
    pthread_mutex_lock(&server->streams_lock);
    if (stream->pull.previous)
        stream->pull.previous->pull.next = stream->pull.next;
    else
        server->pulls = stream->pull.next;
    if (stream->pull.next)
        stream->pull.next->pull.previous = stream->pull.previous;
    pthread_mutex_unlock(&server->streams_lock);
    query_stop_release(&stream->pull.stop);
}

void push_check_time(Server *server)
{
    int64_t limit_us = server->options.pull_limit_us ? server->options.pull_limit_us : PULL_LIMIT_US;
    if (limit_us < 0)
        return;
    pthread_mutex_lock(&server->streams_lock);
    for (PushStream *stream = server->pulls; stream; stream = stream->pull.next)
        if (!stream->pull.late && now_us() - stream->pull.since_us > limit_us) {
            stream->pull.late = true;
            server->stopped_pulls++;
            query_stop(&stream->pull.stop);
        }
    pthread_mutex_unlock(&server->streams_lock);
}

/* Lists it while it runs: whether it ends by itself is not known before. */
static Error *run_listed(PushStream *stream, RuntimeSession *session, const char *sql, size_t length)
{
    const QueryOptions options = { .begin = pull_begin, .rows = pull_rows, .ready = on_ready, .caller = stream, .stop = &stream->pull.stop };
    list_pull(stream);
    Error *error = runtime_query(session, sql, length, &options, &stream->subscription);
    unlist_pull(stream);
    if (!error || error->code != ERR_INTERRUPTED || !stream->pull.late)
        return error;
    error_free(error);
    return error_hint(error_new(ERR_INTERRUPTED, "the query took longer than it may"), "--pull-timeout says how long that is");
}

void run_select(Call *call, RuntimeSession *session, const char *sql, size_t length, RowsFormat format)
{
    PushStream *stream = stream_new(call, format);
    exchange_use(call->exchange, &stream->use);
    Error *error = run_listed(stream, session, sql, length);
    if (stream->subscription) {
        stream->pull.call = NULL;
        begin_push(stream);
        return;
    }
    if (error && error->code == ERR_CLOSED)
        http_abort(call->exchange);
    else if (error)
        refuse_select(stream, error, sql, length);
    else
        send_pulled(stream);
    error_free(error);
    text_release(&stream->pull.text);
    release(stream); /* the subscription's: there is none */
}
