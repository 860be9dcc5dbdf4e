/* http/websocket.c: WebSocket (RFC 6455) by wslay, on a connection that began with HTTP/1.1. */
#include <openssl/evp.h>
#include <wslay/wslay.h>

#include "http/http_internal.h"

typedef struct WebSocket {
    wslay_event_context_ptr context;
    HttpExchange *exchange;
    const char *bytes;          /* what was received and not taken */
    size_t length;
    bool failed;
} WebSocket;

static WebSocket *websocket_of(Connection *connection) { return connection->state; }

/* ---- wslay's ends ---- */

static ssize_t receive(wslay_event_context_ptr context, uint8_t *bytes, size_t length, int flags, void *caller)
{
    WebSocket *websocket = websocket_of(caller);
    (void)flags;
    if (websocket->length == 0) {
        wslay_event_set_error(context, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    size_t taken = websocket->length < length ? websocket->length : length;
    memcpy(bytes, websocket->bytes, taken);
    websocket->bytes += taken;
    websocket->length -= taken;
    return (ssize_t)taken;
}

static Error *add_out(Connection *connection, const char *bytes, size_t length)
{
    text_add(&connection->out, bytes, length);
    return NULL;
}

static ssize_t send(wslay_event_context_ptr context, const uint8_t *bytes, size_t length, int flags, void *caller)
{
    Connection *connection = caller;
    (void)flags;
    Error *error;
    MEMORY_GUARDED(error, add_out(connection, (const char *)bytes, length));
    if (!error)
        return (ssize_t)length;
    error_free(error);
    wslay_event_set_error(context, WSLAY_ERR_CALLBACK_FAILURE);
    return -1;
}

static Error *give_message(WebSocket *websocket, const struct wslay_event_on_msg_recv_arg *message)
{
    const HttpHandler *handler = &websocket->exchange->server->options.handler;
    if (handler->message)
        handler->message(handler->caller, websocket->exchange, message->opcode == WSLAY_TEXT_FRAME, (const char *)message->msg, message->msg_length);
    return NULL;
}

static void on_message(wslay_event_context_ptr context, const struct wslay_event_on_msg_recv_arg *message, void *caller)
{
    WebSocket *websocket = websocket_of(caller);
    (void)context;
    if (message->opcode != WSLAY_TEXT_FRAME && message->opcode != WSLAY_BINARY_FRAME)
        return;
    Error *error;
    MEMORY_GUARDED(error, give_message(websocket, message));
    websocket->failed |= error != NULL;
    error_free(error);
}

/* ---- the protocol ---- */

static bool websocket_take(Connection *connection, const char *bytes, size_t length)
{
    WebSocket *websocket = websocket_of(connection);
    websocket->bytes = bytes;
    websocket->length = length;
    bool fine = wslay_event_recv(websocket->context) == 0 && !websocket->failed;
    websocket->length = 0;
    return fine;
}

/* Moves what the handler sends into wslay, as long as it is not far ahead of the peer. */
static bool queue_messages(Connection *connection)
{
    WebSocket *websocket = websocket_of(connection);
    Chunk *chunk;
    while (connection->out.length - connection->out_done + wslay_event_get_queued_msg_length(websocket->context) < OUT_ENOUGH &&
           (chunk = exchange_take_chunk(websocket->exchange)) != NULL) {
        struct wslay_event_msg message = { chunk->text ? WSLAY_TEXT_FRAME : WSLAY_BINARY_FRAME, (const uint8_t *)chunk->bytes, chunk->length };
        if (chunk->close_code)
            wslay_event_send(websocket->context); /* a close would overtake what is queued */
        int failed = chunk->close_code ? wslay_event_queue_close(websocket->context, (uint16_t)chunk->close_code, (const uint8_t *)chunk->bytes, chunk->length)
                                       : wslay_event_queue_msg(websocket->context, &message);
        mem_free(chunk);
        if (failed == WSLAY_ERR_NOMEM)
            return false;
    }
    return true;
}

static bool websocket_push(Connection *connection)
{
    WebSocket *websocket = websocket_of(connection);
    pthread_mutex_lock(&connection->server->lock);
    bool aborted = websocket->exchange->aborted;
    pthread_mutex_unlock(&connection->server->lock);
    if (aborted || !queue_messages(connection) || wslay_event_send(websocket->context) != 0)
        return false;
    exchange_tell_room(websocket->exchange);
    if (!wslay_event_want_read(websocket->context) && !wslay_event_want_write(websocket->context))
        connection->closing = true;
    return true;
}

static void websocket_drain(Connection *connection) { wslay_event_queue_close(websocket_of(connection)->context, WSLAY_CODE_GOING_AWAY, NULL, 0); }

static void websocket_free(Connection *connection)
{
    wslay_event_context_free(websocket_of(connection)->context);
    mem_free(websocket_of(connection));
}

static const Protocol websocket_protocol = { websocket_take, websocket_push, websocket_drain, websocket_free };

/* ---- the handshake ---- */

static void add_accept(Text *out, const char *key)
{
    Text joined = { 0 };
    MEMORY_HOLD(text_unwind, &joined);
    unsigned char digest[EVP_MAX_MD_SIZE], base64[64];
    unsigned length = 0;
    text_printf(&joined, "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
    EVP_Digest(joined.bytes, joined.length, digest, &length, EVP_sha1(), NULL);
    EVP_EncodeBlock(base64, digest, (int)length);
    text_printf(out, "sec-websocket-accept: %s\r\n", (const char *)base64);
    text_release(&joined);
}

bool websocket_begin(Connection *connection, HttpExchange *exchange, const char *early, size_t length)
{
    static const struct wslay_event_callbacks callbacks = { .recv_callback = receive, .send_callback = send, .on_msg_recv_callback = on_message };
    WebSocket *websocket = mem_calloc(1, sizeof *websocket);
    websocket->exchange = exchange;
    Text *out = &connection->out;
    text_add_c(out, "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n");
    add_accept(out, http_header(&exchange->request, "sec-websocket-key"));
    if (exchange->subprotocol)
        text_printf(out, "sec-websocket-protocol: %s\r\n", exchange->subprotocol);
    text_add_c(out, "\r\n");
    if (wslay_event_context_server_init(&websocket->context, &callbacks, connection) != 0) {
        mem_free(websocket);
        return false;
    }
    wslay_event_config_set_max_recv_msg_length(websocket->context, connection->server->options.max_message);
    connection->protocol->free(connection);
    connection_use(connection, &websocket_protocol, websocket);
    connection_phase(connection, PHASE_ANSWER);
    connection_read(connection, true);
    exchange->head_sent = exchange->body_ended = true;
    return websocket_take(connection, early, length) && websocket_push(connection);
}
