/* http/exchange.c: a request and its answer, between the loop and whoever answers. */
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "http/http_internal.h"

/* ---- life ---- */

HttpExchange *exchange_new(Connection *connection, int32_t stream)
{
    HttpServer *server = connection->server;
    HttpExchange *exchange = mem_calloc(1, sizeof *exchange);
    exchange->references = 1;
    exchange->server = server;
    exchange->connection = connection;
    exchange->stream = stream;
    exchange->last = &exchange->first;
    exchange->length = -1;
    exchange->body_since_ms = http_now_ms();
    arena_init(&exchange->arena, NULL);
    arena_init(&exchange->answer, NULL);
    exchange->request = (HttpRequest){ .method = "", .path = "/", .query = "", .authority = "", .peer = connection->peer, .tls = connection->tls != NULL };
    exchange->next = connection->exchanges;
    if (exchange->next)
        exchange->next->previous = exchange;
    connection->exchanges = exchange;
    connection->exchange_count++;
    server->live_exchanges++;
    pthread_mutex_lock(&server->lock);
    server->statistics.open_exchanges++;
    pthread_mutex_unlock(&server->lock);
    return exchange;
}

static void free_chunks(Chunk *chunk)
{
    while (chunk) {
        Chunk *next = chunk->next;
        mem_free(chunk);
        chunk = next;
    }
}

HttpExchange *http_exchange_retain(HttpExchange *exchange)
{
    exchange->references++;
    return exchange;
}

void http_exchange_release(HttpExchange *exchange)
{
    if (!exchange || --exchange->references > 0)
        return;
    HttpServer *server = exchange->server;
    free_chunks(exchange->first);
    server->body_bytes -= exchange->body.length;
    text_release(&exchange->body);
    arena_release(&exchange->arena);
    arena_release(&exchange->answer);
    mem_free(exchange);
    server->live_exchanges--; /* the last touch of the server */
}

const HttpRequest *http_exchange_request(const HttpExchange *exchange) { return &exchange->request; }
void http_exchange_set(HttpExchange *exchange, void *user) { exchange->user = user; }
void *http_exchange_get(const HttpExchange *exchange) { return exchange->user; }

void *http_exchange_alloc(HttpExchange *exchange, size_t size)
{
    void *memory = arena_alloc(&exchange->arena, size);
    memset(memory, 0, size);
    return memory;
}

int http_exchange_status(const HttpExchange *exchange)
{
    pthread_mutex_lock(&exchange->server->lock);
    int status = exchange->begun ? exchange->websocket ? 101 : exchange->status : 0;
    pthread_mutex_unlock(&exchange->server->lock);
    return status;
}

void exchange_done(HttpExchange *exchange)
{
    HttpServer *server = exchange->server;
    Connection *connection = exchange->connection;
    pthread_mutex_lock(&server->lock);
    exchange->closed = true;
    Chunk *left = exchange->first;
    exchange->first = NULL;
    exchange->last = &exchange->first;
    exchange->queued = 0;
    server->statistics.open_exchanges--;
    pthread_mutex_unlock(&server->lock);
    free_chunks(left);
    if (exchange->previous)
        exchange->previous->next = exchange->next;
    else
        connection->exchanges = exchange->next;
    if (exchange->next)
        exchange->next->previous = exchange->previous;
    connection->exchange_count--;
    exchange->connection = NULL;
    if (exchange->told && server->options.handler.gone)
        server->options.handler.gone(server->options.handler.caller, exchange);
    http_exchange_release(exchange);
}

/* ---- the request ---- */

bool exchange_add_header(HttpExchange *exchange, const char *name, size_t name_length, const char *value, size_t value_length)
{
    exchange->header_bytes += name_length + value_length + 4;
    if (exchange->headers.count == HEADER_COUNT_MAX || exchange->header_bytes > exchange->server->options.max_headers)
        return false;
    char *lower = arena_strndup(&exchange->arena, name, name_length);
    for (char *c = lower; *c; c++)
        *c |= (*c >= 'A' && *c <= 'Z') ? 32 : 0;
    HttpHeader header = { lower, arena_strndup(&exchange->arena, value, value_length) };
    LIST_ADD(&exchange->arena, &exchange->headers, header);
    exchange->request.headers = exchange->headers.items;
    exchange->request.header_count = exchange->headers.count;
    if (strcmp(lower, "host") == 0 && !*exchange->request.authority)
        exchange->request.authority = header.value;
    return true;
}

static int hex(char c) { return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1; }

static char *decoded(Arena *arena, const char *text, size_t length, bool plus)
{
    char *out = arena_alloc(arena, length + 1), *at = out;
    for (size_t i = 0; i < length; i++) {
        bool escaped = text[i] == '%' && i + 2 < length && hex(text[i + 1]) >= 0 && hex(text[i + 2]) >= 0;
        if (escaped) {
            int byte = hex(text[i + 1]) * 16 + hex(text[i + 2]);
            *at++ = byte ? (char)byte : '?'; /* no 0 hides the rest */
            i += 2;
        } else {
            *at++ = plus && text[i] == '+' ? ' ' : text[i];
        }
    }
    *at = 0;
    return out;
}

void exchange_set_target(HttpExchange *exchange, const char *target, size_t length)
{
    const char *scheme = length > 7 && target[0] != '/' ? memmem(target, length, "://", 3) : NULL; /* absolute form */
    if (scheme) {
        const char *slash = memchr(scheme + 3, '/', length - (size_t)(scheme + 3 - target));
        length = slash ? length - (size_t)(slash - target) : 0;
        target = slash;
    }
    const char *question = length ? memchr(target, '?', length) : NULL;
    size_t path = question ? (size_t)(question - target) : length;
    exchange->request.path = path ? decoded(&exchange->arena, target, path, false) : "/";
    exchange->request.query = question ? arena_strndup(&exchange->arena, question + 1, length - path - 1) : "";
}

const char *http_header(const HttpRequest *request, const char *name)
{
    for (int i = 0; i < request->header_count; i++)
        if (strcmp(request->headers[i].name, name) == 0)
            return request->headers[i].value;
    return NULL;
}

const char *http_parameter(const HttpRequest *request, Arena *arena, const char *name) { return http_parameter_at(request, arena, name, 0); }

const char *http_parameter_at(const HttpRequest *request, Arena *arena, const char *name, int number)
{
    for (const char *at = request->query; *at;) {
        size_t length = strcspn(at, "&"), equals = strcspn(at, "=&");
        const char *found = decoded(arena, at, equals, true);
        if (strcmp(found, name) == 0 && number-- == 0)
            return equals < length ? decoded(arena, at + equals + 1, length - equals - 1, true) : "";
        at += length + (at[length] == '&');
    }
    return NULL;
}

static void call_request(HttpExchange *exchange)
{
    const HttpHandler *handler = &exchange->server->options.handler;
    exchange->requested = true;
    exchange->request.body = text_c(&exchange->body);
    exchange->request.body_length = exchange->body.length;
    handler->request(handler->caller, exchange);
}

void exchange_begin(HttpExchange *exchange)
{
    HttpServer *server = exchange->server;
    const HttpHandler *handler = &server->options.handler;
    pthread_mutex_lock(&server->lock);
    server->statistics.requests++;
    pthread_mutex_unlock(&server->lock);
    exchange->told = true;
    HttpBody body = handler->begin ? handler->begin(handler->caller, exchange) : HTTP_BODY_WHOLE;
    exchange->pieces = body == HTTP_BODY_PIECES;
    exchange->refused = body == HTTP_BODY_REFUSED;
    exchange->body_since_ms = http_now_ms();
    if (exchange->pieces)
        call_request(exchange);
}

bool exchange_body(HttpExchange *exchange, const char *bytes, size_t length)
{
    const HttpHandler *handler = &exchange->server->options.handler;
    exchange->body_bytes += length;
    if (exchange->refused)
        return true; /* it is answered already: the rest is read and dropped */
    if (exchange->pieces) {
        if (handler->body)
            handler->body(handler->caller, exchange, bytes, length, false);
        return true;
    }
    if (exchange->body.length + length > exchange->server->options.max_body) {
        exchange_refuse(exchange, 413, "the request is too large");
        return false;
    }
    if (exchange->server->body_bytes + length > exchange->server->options.max_bodies) {
        exchange_refuse(exchange, 503, "too many requests are on their way");
        return false;
    }
    text_add(&exchange->body, bytes, length);
    exchange->server->body_bytes += length;
    return true;
}

void exchange_body_end(HttpExchange *exchange)
{
    const HttpHandler *handler = &exchange->server->options.handler;
    exchange->body_ended = true;
    if (exchange->refused)
        return;
    if (!exchange->pieces)
        call_request(exchange);
    else if (handler->body)
        handler->body(handler->caller, exchange, "", 0, true);
}

void exchange_refuse(HttpExchange *exchange, int status, const char *reason)
{
    exchange->refused = true;
    exchange->keep_alive = false;
    http_answer(exchange, status, "text/plain; charset=utf-8", reason, strlen(reason));
}

/* ---- the answer, from any thread ---- */

/* Locked. True: the loop must be woken. */
static bool mark_dirty(HttpExchange *exchange)
{
    HttpServer *server = exchange->server;
    if (!exchange->dirty) {
        exchange->dirty = true;
        exchange->references++; /* the list's */
        exchange->next_dirty = server->dirty;
        server->dirty = exchange;
    }
    bool wake = !server->woken;
    server->woken = true;
    return wake;
}

static void wake(HttpServer *server, bool needed)
{
    uint64_t one = 1;
    if (needed)
        (void)!write(server->wake, &one, sizeof one);
}

void http_add_header(HttpExchange *exchange, const char *name, const char *value)
{
    /* A line's end in a value would begin another header. */
    char *copy = arena_strdup(&exchange->answer, value), *lower = arena_strdup(&exchange->answer, name);
    for (char *c = copy; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 127)
            *c = ' ';
    for (char *c = lower; *c; c++)
        *c |= (*c >= 'A' && *c <= 'Z') ? 32 : 0;
    HttpHeader header = { lower, copy };
    LIST_ADD(&exchange->answer, &exchange->answer_headers, header);
}

static Chunk *chunk_new(const char *bytes, size_t length)
{
    Chunk *chunk = mem_alloc(sizeof *chunk + length + 1);
    *chunk = (Chunk){ .length = length };
    if (length)
        memcpy(chunk->bytes, bytes, length);
    return chunk;
}

/* Locked; false: nobody takes it. */
static bool queue(HttpExchange *exchange, Chunk *chunk)
{
    if (exchange->closed || exchange->aborted)
        return false;
    if (!exchange->first)
        exchange->moved_ms = http_now_ms();
    *exchange->last = chunk;
    exchange->last = &chunk->next;
    exchange->queued += chunk->length;
    exchange->room_due |= exchange->queued > HTTP_LOW_WATER;
    return true;
}

static void begin_answer(HttpExchange *exchange, int status, const char *content_type, int64_t length, const char *bytes)
{
    HttpServer *server = exchange->server;
    Chunk *chunk = length > 0 ? chunk_new(bytes, (size_t)length) : NULL;
    if (content_type)
        http_add_header(exchange, "content-type", content_type);
    pthread_mutex_lock(&server->lock);
    bool fits = !exchange->begun && !exchange->closed, needed = false;
    if (fits) {
        exchange->status = status;
        exchange->length = length;
        exchange->begun = true;
        exchange->ended = length >= 0;
        if (chunk && queue(exchange, chunk))
            chunk = NULL;
        needed = mark_dirty(exchange);
    }
    pthread_mutex_unlock(&server->lock);
    mem_free(chunk);
    wake(server, needed);
}

void http_answer(HttpExchange *exchange, int status, const char *content_type, const char *bytes, size_t length)
{
    begin_answer(exchange, status, content_type, (int64_t)length, bytes);
}

void http_begin(HttpExchange *exchange, int status, const char *content_type) { begin_answer(exchange, status, content_type, -1, NULL); }

static size_t add_chunk(HttpExchange *exchange, Chunk *chunk)
{
    HttpServer *server = exchange->server;
    pthread_mutex_lock(&server->lock);
    bool taken = !exchange->ended && queue(exchange, chunk), needed = taken && mark_dirty(exchange);
    size_t queued = taken ? exchange->queued : SIZE_MAX;
    pthread_mutex_unlock(&server->lock);
    if (!taken)
        mem_free(chunk);
    wake(server, needed);
    return queued;
}

size_t http_write(HttpExchange *exchange, const char *bytes, size_t length) { return add_chunk(exchange, chunk_new(bytes, length)); }

size_t http_send(HttpExchange *exchange, bool text, const char *bytes, size_t length)
{
    Chunk *chunk = chunk_new(bytes, length);
    chunk->text = text;
    return add_chunk(exchange, chunk);
}

void http_close_websocket(HttpExchange *exchange, int code, const char *reason)
{
    size_t length = strlen(reason);
    Chunk *chunk = chunk_new(reason, length > 120 ? 120 : length);
    chunk->close_code = code;
    add_chunk(exchange, chunk);
}

void http_keep_apart(HttpExchange *exchange) { exchange->apart = true; }

void http_end(HttpExchange *exchange)
{
    HttpServer *server = exchange->server;
    pthread_mutex_lock(&server->lock);
    exchange->ended = true;
    bool needed = mark_dirty(exchange);
    pthread_mutex_unlock(&server->lock);
    wake(server, needed);
}

void http_abort(HttpExchange *exchange)
{
    HttpServer *server = exchange->server;
    pthread_mutex_lock(&server->lock);
    exchange->aborted = true;
    bool needed = mark_dirty(exchange);
    pthread_mutex_unlock(&server->lock);
    wake(server, needed);
}

void http_accept_websocket(HttpExchange *exchange, const char *protocol)
{
    HttpServer *server = exchange->server;
    const char *copy = protocol ? arena_strdup(&exchange->answer, protocol) : NULL;
    pthread_mutex_lock(&server->lock);
    exchange->websocket = exchange->begun = true;
    exchange->subprotocol = copy;
    bool needed = mark_dirty(exchange);
    pthread_mutex_unlock(&server->lock);
    wake(server, needed);
}

void http_pause_body(HttpExchange *exchange, bool paused)
{
    HttpServer *server = exchange->server;
    pthread_mutex_lock(&server->lock);
    exchange->body_paused = paused;
    bool needed = mark_dirty(exchange);
    pthread_mutex_unlock(&server->lock);
    wake(server, needed);
}

/* ---- the answer, as the loop takes it ---- */

size_t exchange_take(HttpExchange *exchange, char *bytes, size_t most, bool *ended, bool *aborted)
{
    HttpServer *server = exchange->server;
    Chunk *gone = NULL, **last_gone = &gone;
    size_t taken = 0;
    pthread_mutex_lock(&server->lock);
    while (exchange->first && taken < most) {
        Chunk *chunk = exchange->first;
        size_t left = chunk->length - chunk->done, now = left < most - taken ? left : most - taken;
        memcpy(bytes + taken, chunk->bytes + chunk->done, now);
        taken += now;
        chunk->done += now;
        if (chunk->done < chunk->length)
            break;
        exchange->first = chunk->next;
        if (!exchange->first)
            exchange->last = &exchange->first;
        chunk->next = NULL;
        *last_gone = chunk;
        last_gone = &chunk->next;
        if (exchange->apart && exchange->request.http2)
            break;
    }
    exchange->queued -= taken;
    exchange->moved_ms = taken ? http_now_ms() : exchange->moved_ms;
    *aborted = exchange->aborted;
    *ended = exchange->ended && !exchange->first;
    pthread_mutex_unlock(&server->lock);
    free_chunks(gone);
    return taken;
}

Chunk *exchange_take_chunk(HttpExchange *exchange)
{
    HttpServer *server = exchange->server;
    pthread_mutex_lock(&server->lock);
    Chunk *chunk = exchange->first;
    if (chunk) {
        exchange->first = chunk->next;
        if (!exchange->first)
            exchange->last = &exchange->first;
        exchange->queued -= chunk->length;
    }
    pthread_mutex_unlock(&server->lock);
    return chunk;
}

void exchange_tell_room(HttpExchange *exchange)
{
    HttpServer *server = exchange->server;
    const HttpHandler *handler = &server->options.handler;
    pthread_mutex_lock(&server->lock);
    bool tell = exchange->room_due && exchange->queued <= HTTP_LOW_WATER && !exchange->ended;
    if (tell)
        exchange->room_due = false;
    pthread_mutex_unlock(&server->lock);
    if (tell && handler->room)
        handler->room(handler->caller, exchange);
}

bool exchange_is_stuck(HttpExchange *exchange, int64_t now_ms, int64_t most_ms)
{
    pthread_mutex_lock(&exchange->server->lock);
    bool stuck = exchange->first && !exchange->aborted && now_ms - exchange->moved_ms > most_ms;
    pthread_mutex_unlock(&exchange->server->lock);
    return stuck;
}

const char *http_reason(int status)
{
    static const struct { int status; const char *reason; } reasons[] = {
        { 100, "Continue" }, { 101, "Switching Protocols" }, { 200, "OK" }, { 201, "Created" }, { 202, "Accepted" }, { 204, "No Content" }, { 304, "Not Modified" },
        { 400, "Bad Request" }, { 401, "Unauthorized" }, { 403, "Forbidden" }, { 404, "Not Found" }, { 405, "Method Not Allowed" }, { 406, "Not Acceptable" },
        { 408, "Request Timeout" }, { 409, "Conflict" }, { 411, "Length Required" }, { 412, "Precondition Failed" }, { 413, "Content Too Large" }, { 414, "URI Too Long" },
        { 415, "Unsupported Media Type" }, { 421, "Misdirected Request" }, { 422, "Unprocessable Content" }, { 429, "Too Many Requests" },
        { 431, "Request Header Fields Too Large" }, { 500, "Internal Server Error" }, { 501, "Not Implemented" }, { 503, "Service Unavailable" } };
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "Status";
}
