/* http/http2.c: HTTP/2 by nghttp2: a stream an exchange. */
#include <nghttp2/nghttp2.h>

#include "http/http_internal.h"

typedef struct Http2 {
    nghttp2_session *session;
    bool failed;
} Http2;

static Http2 *http2_of(Connection *connection) { return connection->state; }

/* No raise crosses the library. */
static int outcome(Error *error)
{
    int result = error ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
    error_free(error);
    return result;
}

static HttpExchange *exchange_of(nghttp2_session *session, int32_t stream) { return nghttp2_session_get_stream_user_data(session, stream); }

/* ---- requests ---- */

static Error *begin_stream(nghttp2_session *session, const nghttp2_frame *frame, Connection *connection)
{
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return NULL;
    HttpExchange *exchange = exchange_new(connection, frame->hd.stream_id);
    exchange->request.http2 = true;
    nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, exchange);
    connection_phase(connection, PHASE_BODY);
    return NULL;
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *caller)
{
    Error *error;
    MEMORY_GUARDED(error, begin_stream(session, frame, caller));
    return outcome(error);
}

static Error *take_header(HttpExchange *exchange, const char *name, size_t name_length, const char *value, size_t value_length, bool *fits)
{
    HttpRequest *request = &exchange->request;
    *fits = true;
    if (name_length && name[0] != ':') {
        *fits = exchange_add_header(exchange, name, name_length, value, value_length);
        return NULL;
    }
    *fits = (exchange->header_bytes += name_length + value_length) <= exchange->server->options.max_headers;
    if (name_length == 7 && memcmp(name, ":method", 7) == 0)
        request->method = arena_strndup(&exchange->arena, value, value_length);
    else if (name_length == 5 && memcmp(name, ":path", 5) == 0)
        exchange_set_target(exchange, value, value_length);
    else if (name_length == 10 && memcmp(name, ":authority", 10) == 0)
        request->authority = arena_strndup(&exchange->arena, value, value_length);
    return NULL;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_length, const uint8_t *value, size_t value_length, uint8_t flags,
                     void *caller)
{
    HttpExchange *exchange = exchange_of(session, frame->hd.stream_id);
    (void)flags;
    (void)caller;
    if (!exchange || frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    bool fits = true;
    Error *error;
    MEMORY_GUARDED(error, take_header(exchange, (const char *)name, name_length, (const char *)value, value_length, &fits));
    if (!error && !fits)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; /* the stream is reset */
    return outcome(error);
}

static Error *take_frame(HttpExchange *exchange, const nghttp2_frame *frame)
{
    bool ends = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
        const char *host = http_header(&exchange->request, "host");
        if (host && strcmp(host, exchange->request.authority) != 0)
            exchange_refuse(exchange, 400, "the request's host is ambiguous");
        else
            exchange_begin(exchange);
    }
    if (ends && (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) && !exchange->body_ended)
        exchange_body_end(exchange);
    return NULL;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *caller)
{
    HttpExchange *exchange = frame->hd.stream_id ? exchange_of(session, frame->hd.stream_id) : NULL;
    (void)caller;
    if (!exchange)
        return 0;
    Error *error;
    MEMORY_GUARDED(error, take_frame(exchange, frame));
    return outcome(error);
}

static Error *take_data(HttpExchange *exchange, const char *bytes, size_t length)
{
    exchange_body(exchange, bytes, length);
    return NULL;
}

/* What was taken is said at once, unless the body is paused: then when it goes on (see resume_body). */
static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *bytes, size_t length, void *caller)
{
    HttpExchange *exchange = exchange_of(session, stream);
    (void)flags;
    (void)caller;
    nghttp2_session_consume_connection(session, length);
    if (!exchange)
        return 0;
    Error *error;
    MEMORY_GUARDED(error, take_data(exchange, (const char *)bytes, length));
    pthread_mutex_lock(&exchange->server->lock);
    bool paused = exchange->body_paused;
    pthread_mutex_unlock(&exchange->server->lock);
    if (!paused)
        nghttp2_session_consume_stream(session, stream, length);
    return outcome(error);
}

static int on_close(nghttp2_session *session, int32_t stream, uint32_t code, void *caller)
{
    Connection *connection = caller;
    HttpExchange *exchange = exchange_of(session, stream);
    (void)code;
    if (!exchange)
        return 0;
    nghttp2_session_set_stream_user_data(session, stream, NULL);
    exchange_done(exchange);
    if (connection->exchange_count == 0)
        connection_phase(connection, PHASE_IDLE);
    return 0;
}

/* ---- answers ---- */

static ssize_t read_answer(nghttp2_session *session, int32_t stream, uint8_t *bytes, size_t length, uint32_t *flags, nghttp2_data_source *source, void *caller)
{
    HttpExchange *exchange = source->ptr;
    bool ended = false, aborted = false;
    (void)session;
    (void)stream;
    (void)caller;
    size_t taken = exchange_take(exchange, (char *)bytes, length, &ended, &aborted);
    if (aborted)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    if (ended)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return taken || ended ? (ssize_t)taken : NGHTTP2_ERR_DEFERRED;
}

static nghttp2_nv header_of(const char *name, const char *value)
{
    return (nghttp2_nv){ (uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name), strlen(value), NGHTTP2_NV_FLAG_NONE };
}

static bool submit_answer(nghttp2_session *session, HttpExchange *exchange)
{
    int count = 0;
    char status[16], length[32];
    nghttp2_nv *headers = ARENA_ARRAY(&exchange->arena, nghttp2_nv, (size_t)exchange->answer_headers.count + 3);
    snprintf(status, sizeof status, "%d", exchange->status);
    headers[count++] = header_of(":status", status);
    for (int i = 0; i < exchange->answer_headers.count; i++)
        headers[count++] = header_of(exchange->answer_headers.items[i].name, exchange->answer_headers.items[i].value);
    if (exchange->length >= 0 && exchange->status != 204) {
        snprintf(length, sizeof length, "%lld", (long long)exchange->length);
        headers[count++] = header_of("content-length", length);
    }
    bool empty = exchange->length == 0 || strcmp(exchange->request.method, "HEAD") == 0;
    nghttp2_data_provider provider = { .source.ptr = exchange, .read_callback = read_answer };
    exchange->head_sent = true;
    return nghttp2_submit_response(session, exchange->stream, headers, (size_t)count, empty ? NULL : &provider) == 0;
}

/* What the exchange's answer needs now. */
static bool push_exchange(nghttp2_session *session, HttpExchange *exchange)
{
    pthread_mutex_lock(&exchange->server->lock);
    bool begun = exchange->begun && !exchange->websocket, aborted = exchange->aborted, paused = exchange->body_paused;
    pthread_mutex_unlock(&exchange->server->lock);
    if (aborted)
        nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, exchange->stream, NGHTTP2_INTERNAL_ERROR);
    else if (begun && !exchange->head_sent)
        return submit_answer(session, exchange);
    else if (begun)
        nghttp2_session_resume_data(session, exchange->stream);
    if (exchange->pieces && !paused && !exchange->body_ended) { /* gives back what a pause kept */
        int32_t held = nghttp2_session_get_stream_effective_recv_data_length(session, exchange->stream);
        if (held > 0)
            nghttp2_session_consume_stream(session, exchange->stream, (size_t)held);
    }
    return true;
}

static bool send_frames(Connection *connection)
{
    Http2 *http2 = http2_of(connection);
    while (connection->out.length - connection->out_done < OUT_ENOUGH) {
        const uint8_t *bytes;
        ssize_t length = nghttp2_session_mem_send(http2->session, &bytes);
        if (length < 0)
            return false;
        if (length == 0)
            break;
        text_add(&connection->out, (const char *)bytes, (size_t)length);
    }
    return true;
}

static bool http2_push(Connection *connection)
{
    Http2 *http2 = http2_of(connection);
    for (HttpExchange *exchange = connection->exchanges, *next; exchange; exchange = next) {
        next = exchange->next;
        if (!push_exchange(http2->session, exchange))
            return false;
    }
    if (!send_frames(connection))
        return false;
    for (HttpExchange *exchange = connection->exchanges, *next; exchange; exchange = next) {
        next = exchange->next;
        exchange_tell_room(exchange);
    }
    if (!nghttp2_session_want_read(http2->session) && !nghttp2_session_want_write(http2->session))
        connection->closing = true;
    return true;
}

static bool http2_take(Connection *connection, const char *bytes, size_t length)
{
    Http2 *http2 = http2_of(connection);
    ssize_t used = nghttp2_session_mem_recv(http2->session, (const uint8_t *)bytes, length);
    if (used >= 0)
        return true;
    pthread_mutex_lock(&connection->server->lock);
    connection->server->statistics.protocol_errors++;
    pthread_mutex_unlock(&connection->server->lock);
    connection->closing = true; /* with the GOAWAY that says why */
    return send_frames(connection);
}

static void http2_drain(Connection *connection) { nghttp2_submit_shutdown_notice(http2_of(connection)->session); }

static void http2_free(Connection *connection)
{
    nghttp2_session_del(http2_of(connection)->session);
    mem_free(http2_of(connection));
}

static const Protocol http2_protocol = { http2_take, http2_push, http2_drain, http2_free };

static nghttp2_session *new_session(Connection *connection)
{
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *options;
    nghttp2_session *session = NULL;
    if (nghttp2_session_callbacks_new(&callbacks) != 0)
        return NULL;
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    if (nghttp2_option_new(&options) == 0) {
        nghttp2_option_set_no_auto_window_update(options, 1); /* bodies are taken as fast as the handler does */
        if (nghttp2_session_server_new2(&session, callbacks, connection, options) != 0)
            session = NULL;
        nghttp2_option_del(options);
    }
    nghttp2_session_callbacks_del(callbacks);
    return session;
}

bool http2_begin(Connection *connection)
{
    const HttpOptions *options = &connection->server->options;
    Http2 *http2 = mem_calloc(1, sizeof *http2);
    http2->session = new_session(connection);
    if (!http2->session) {
        mem_free(http2);
        return false;
    }
    connection_use(connection, &http2_protocol, http2);
    connection_phase(connection, PHASE_IDLE);
    const nghttp2_settings_entry settings[] = {
        { NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, (uint32_t)options->max_streams },
        { NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1 << 20 },
        { NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, (uint32_t)options->max_headers },
    };
    return nghttp2_submit_settings(http2->session, NGHTTP2_FLAG_NONE, settings, 3) == 0 &&
           nghttp2_session_set_local_window_size(http2->session, NGHTTP2_FLAG_NONE, 0, 4 << 20) == 0;
}
