/* http/http1.c: HTTP/1.0 and 1.1 by http_parser: one exchange after the other; what a peer sends ahead waits. */
#include <http_parser.h>
#include <time.h>

#include "http/http_internal.h"

#define AHEAD_MAX 65536 /* bytes of requests behind the one that is being answered */

typedef struct Http1 {
    http_parser parser;
    HttpExchange *exchange;     /* the one at hand; NULL: none */
    Text target, name, value;   /* as they come, in pieces */
    bool value_began, headers_done, failed, odd; /* odd: it is not framed as it should be */
    bool chunked;
    Framing framing;
    Text ahead;                 /* not parsed yet */
    bool continue_due;          /* Expect: 100-continue */
} Http1;

static Http1 *http1_of(Connection *connection) { return connection->state; }

/* ---- requests ---- */

static bool add_pending_header(Http1 *http1)
{
    bool fine = http1->name.length == 0 ||
                exchange_add_header(http1->exchange, text_c(&http1->name), http1->name.length, text_c(&http1->value), http1->value.length);
    http1->name.length = http1->value.length = 0;
    http1->value_began = false;
    return fine;
}

static Error *begin_message(http_parser *parser)
{
    Connection *connection = parser->data;
    Http1 *http1 = http1_of(connection);
    http1->exchange = exchange_new(connection, 0);
    http1->target.length = http1->name.length = http1->value.length = 0;
    http1->headers_done = http1->value_began = false;
    connection_phase(connection, PHASE_HEADERS);
    return NULL;
}

static Error *add_text(http_parser *parser, Text *text, const char *bytes, size_t length)
{
    Http1 *http1 = http1_of(parser->data);
    if (text->length + length > http1->exchange->server->options.max_headers)
        return error_new(ERR_USAGE, "too long");
    text_add(text, bytes, length);
    return NULL;
}

static Error *header_name(http_parser *parser, const char *bytes, size_t length)
{
    Http1 *http1 = http1_of(parser->data);
    if (http1->value_began && !add_pending_header(http1))
        return error_new(ERR_USAGE, "too many headers");
    return add_text(parser, &http1->name, bytes, length);
}

static Error *header_value(http_parser *parser, const char *bytes, size_t length)
{
    Http1 *http1 = http1_of(parser->data);
    http1->value_began = true;
    return add_text(parser, &http1->value, bytes, length);
}

static int count_headers(const HttpRequest *request, const char *name)
{
    int count = 0;
    for (int i = 0; i < request->header_count; i++)
        count += strcmp(request->headers[i].name, name) == 0;
    return count;
}

static bool is_token(const char *name)
{
    for (const char *c = name; *c; c++)
        if (*c <= ' ' || *c >= 127 || strchr("()<>@,;:\\\"/[]?={}", *c))
            return false;
    return *name;
}

/* What different servers on the way could read in different ways (RFC 9112, 6.3 and 11.2), and what is not for here. NULL: it is plain. */
static const char *ambiguous(const http_parser *parser, const HttpRequest *request)
{
    const char *encoding = http_header(request, "transfer-encoding"), *length = http_header(request, "content-length");
    if (parser->http_major != 1 || parser->http_minor > 1)
        return "this version of HTTP is not spoken here";
    if (count_headers(request, "content-length") > 1 || count_headers(request, "host") > 1 || (length && encoding))
        return "the request's length or host is ambiguous";
    if (encoding && (parser->http_minor == 0 || strcasecmp(encoding, "chunked") != 0 || count_headers(request, "transfer-encoding") > 1))
        return "this transfer encoding is not taken";
    if (request->websocket && (encoding || (length && strcmp(length, "0") != 0)))
        return "a WebSocket begins without a body";
    if (parser->method == HTTP_CONNECT)
        return "this is no proxy";
    for (int i = 0; i < request->header_count; i++)
        if (!is_token(request->headers[i].name))
            return "a header's name is none";
    return parser->http_minor == 1 && !http_header(request, "host") ? "the request has no Host" : NULL;
}

static Error *headers_complete(http_parser *parser)
{
    Connection *connection = parser->data;
    Http1 *http1 = http1_of(connection);
    HttpExchange *exchange = http1->exchange;
    HttpRequest *request = &exchange->request;
    if (!add_pending_header(http1))
        return error_new(ERR_USAGE, "too many headers");
    exchange_set_target(exchange, text_c(&http1->target), http1->target.length);
    request->method = http_method_str((enum http_method)parser->method);
    exchange->http10 = parser->http_major == 1 && parser->http_minor == 0;
    exchange->keep_alive = http_should_keep_alive(parser);
    request->websocket = parser->upgrade && http_header(request, "sec-websocket-key") != NULL;
    http1->headers_done = true;
    http1->chunked = parser->flags & F_CHUNKED;
    if (http1->chunked)
        framing_chunks(&http1->framing);
    connection_phase(connection, PHASE_BODY);
    if (parser->upgrade && !request->websocket)
        parser->upgrade = 0; /* h2c: the answer comes in HTTP/1.1 */
    const char *reason = ambiguous(parser, request);
    if (reason) {
        exchange_refuse(exchange, 400, reason);
        return NULL;
    }
    exchange_begin(exchange);
    const char *expect = http_header(request, "expect");
    http1->continue_due = expect && !exchange->refused && !exchange->http10;
    return NULL;
}

static Error *body_piece(http_parser *parser, const char *bytes, size_t length)
{
    exchange_body(http1_of(parser->data)->exchange, bytes, length);
    return NULL;
}

/* The parser stops behind the message: the next one waits for its turn. */
static Error *message_complete(http_parser *parser)
{
    Connection *connection = parser->data;
    connection_phase(connection, PHASE_ANSWER);
    http_parser_pause(parser, 1);
    exchange_body_end(http1_of(connection)->exchange);
    return NULL;
}

/* No raise crosses the parser. */
static int guarded(http_parser *parser, Error *error)
{
    http1_of(parser->data)->failed |= error != NULL;
    error_free(error);
    return http1_of(parser->data)->failed ? -1 : 0;
}

#define CALLBACK(name, call)                                                         \
    static int name(http_parser *parser)                                             \
    {                                                                                \
        Error *error;                                                                \
        MEMORY_GUARDED(error, call);                                                 \
        return guarded(parser, error);                                               \
    }
#define DATA_CALLBACK(name, call)                                                    \
    static int name(http_parser *parser, const char *bytes, size_t length)           \
    {                                                                                \
        Error *error;                                                                \
        MEMORY_GUARDED(error, call);                                                 \
        return guarded(parser, error);                                               \
    }
CALLBACK(on_begin, begin_message(parser))
DATA_CALLBACK(on_target, add_text(parser, &http1_of(parser->data)->target, bytes, length))
DATA_CALLBACK(on_name, header_name(parser, bytes, length))
DATA_CALLBACK(on_value, header_value(parser, bytes, length))
CALLBACK(on_headers, headers_complete(parser))
DATA_CALLBACK(on_body, body_piece(parser, bytes, length))
CALLBACK(on_complete, message_complete(parser))

static const http_parser_settings settings = {
    .on_message_begin = on_begin,
    .on_url = on_target,
    .on_header_field = on_name,
    .on_header_value = on_value,
    .on_headers_complete = on_headers,
    .on_body = on_body,
    .on_message_complete = on_complete,
};

static void count_protocol_error(HttpServer *server)
{
    pthread_mutex_lock(&server->lock);
    server->statistics.protocol_errors++;
    pthread_mutex_unlock(&server->lock);
}

/* What is no HTTP is answered once, and the connection ends. */
static bool refuse_bytes(Connection *connection)
{
    Http1 *http1 = http1_of(connection);
    count_protocol_error(connection->server);
    connection_read(connection, false);
    if (http1->exchange && http1->exchange->begun)
        return http1->exchange->refused; /* what it was refused for is on its way */
    if (!http1->exchange)
        begin_message(&http1->parser);
    bool large = HTTP_PARSER_ERRNO(&http1->parser) == HPE_HEADER_OVERFLOW || (http1->failed && !http1->headers_done && !http1->odd);
    exchange_refuse(http1->exchange, large ? 431 : 400, large ? "the request's headers are too large" : "this is no HTTP request");
    return true;
}

/* How many bytes the parser may have next; false: they are not what everybody would read as we do. */
static bool next_bytes(Http1 *http1, size_t *most)
{
    const Text *ahead = &http1->ahead;
    *most = ahead->length;
    if (!http1->headers_done)
        return framing_headers(&http1->framing, ahead->bytes, ahead->length, most);
    return !http1->chunked || framing_body(&http1->framing, ahead->bytes, ahead->length, most);
}

static bool parse(Connection *connection)
{
    Http1 *http1 = http1_of(connection);
    Text *ahead = &http1->ahead;
    while (ahead->length && HTTP_PARSER_ERRNO(&http1->parser) == HPE_OK && !connection->closing) {
        size_t most;
        if (!next_bytes(http1, &most)) {
            http1->odd = true;
            return refuse_bytes(connection);
        }
        if (!most)
            break;
        size_t used = http_parser_execute(&http1->parser, &settings, ahead->bytes, most);
        bool paused = HTTP_PARSER_ERRNO(&http1->parser) == HPE_PAUSED;
        if (!paused && (HTTP_PARSER_ERRNO(&http1->parser) != HPE_OK || http1->failed))
            return refuse_bytes(connection);
        memmove(ahead->bytes, ahead->bytes + used, ahead->length - used);
        ahead->length -= used;
        if (http1->parser.upgrade)
            return true; /* what follows belongs to the other protocol */
    }
    return true;
}

static bool http1_take(Connection *connection, const char *bytes, size_t length)
{
    Http1 *http1 = http1_of(connection);
    text_add(&http1->ahead, bytes, length);
    bool fine = parse(connection);
    connection_read(connection, http1->ahead.length < AHEAD_MAX && connection->reading);
    return fine;
}

/* ---- answers ---- */

static void add_date(Text *out)
{
    char text[64];
    struct tm parts;
    time_t now = time(NULL);
    gmtime_r(&now, &parts);
    strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    text_printf(out, "date: %s\r\n", text);
}

static bool has_no_body(const HttpExchange *exchange)
{
    return exchange->status == 204 || exchange->status == 304 || exchange->status < 200 || strcmp(exchange->request.method, "HEAD") == 0;
}

static bool is_chunked(const HttpExchange *exchange) { return exchange->length < 0 && !exchange->http10 && !has_no_body(exchange); }

static void add_head(Connection *connection, HttpExchange *exchange)
{
    Text *out = &connection->out;
    if (!exchange->body_ended)
        exchange->keep_alive = false; /* the rest of the request is not waited for */
    if (exchange->length < 0 && exchange->http10)
        exchange->keep_alive = false;
    if (connection->server->draining || connection->peer_ended)
        exchange->keep_alive = false;
    text_printf(out, "HTTP/1.1 %d %s\r\n", exchange->status, http_reason(exchange->status));
    for (int i = 0; i < exchange->answer_headers.count; i++)
        text_printf(out, "%s: %s\r\n", exchange->answer_headers.items[i].name, exchange->answer_headers.items[i].value);
    add_date(out);
    if (exchange->length >= 0 && exchange->status != 204 && exchange->status >= 200)
        text_printf(out, "content-length: %lld\r\n", (long long)exchange->length);
    else if (is_chunked(exchange))
        text_add_c(out, "transfer-encoding: chunked\r\n");
    if (!exchange->keep_alive)
        text_add_c(out, "connection: close\r\n");
    else if (exchange->http10)
        text_add_c(out, "connection: keep-alive\r\n");
    text_add_c(out, "\r\n");
    exchange->head_sent = true;
}

/* False: the answer was given up. */
static bool add_body(Connection *connection, HttpExchange *exchange)
{
    Text *out = &connection->out;
    char bytes[16384];
    bool ended = false, aborted = false;
    while (!ended && out->length - connection->out_done < OUT_ENOUGH) {
        size_t taken = exchange_take(exchange, bytes, sizeof bytes, &ended, &aborted);
        if (aborted)
            return false;
        if (taken && !has_no_body(exchange)) {
            if (is_chunked(exchange))
                text_printf(out, "%zx\r\n", taken);
            text_add(out, bytes, taken);
            if (is_chunked(exchange))
                text_add_c(out, "\r\n");
        }
        if (!taken && !ended)
            break;
    }
    if (ended) {
        if (is_chunked(exchange))
            text_add_c(out, "0\r\n\r\n");
        exchange->through = true;
    }
    return true;
}

/* The exchange is over: the next request, if there is one. False: the connection ends. */
static bool next_request(Connection *connection)
{
    Http1 *http1 = http1_of(connection);
    HttpExchange *exchange = http1->exchange;
    bool goes_on = exchange->keep_alive && exchange->body_ended;
    http1->exchange = NULL;
    http1->headers_done = http1->chunked = false;
    framing_begin(&http1->framing);
    exchange_done(exchange);
    if (!goes_on) {
        connection->closing = true;
        connection_read(connection, false);
        return true;
    }
    connection_phase(connection, PHASE_IDLE);
    connection_read(connection, true);
    http_parser_pause(&http1->parser, 0);
    return parse(connection);
}

static bool http1_push(Connection *connection)
{
    Http1 *http1 = http1_of(connection);
    while (http1->exchange && !connection->closing && connection->out.length - connection->out_done < OUT_ENOUGH) {
        HttpExchange *exchange = http1->exchange;
        if (http1->continue_due && !exchange->head_sent && !exchange->refused)
            text_add_c(&connection->out, "HTTP/1.1 100 Continue\r\n\r\n");
        http1->continue_due = false;
        pthread_mutex_lock(&exchange->server->lock);
        bool begun = exchange->begun, websocket = exchange->websocket, aborted = exchange->aborted, paused = exchange->body_paused;
        pthread_mutex_unlock(&exchange->server->lock);
        if (aborted)
            return false;
        if (!exchange->body_ended)
            connection_read(connection, !paused);
        if (!begun)
            return true;
        if (websocket) {
            Text early = http1->ahead;
            http1->ahead = (Text){ 0 };
            http1->exchange = NULL;
            MEMORY_HOLD(text_unwind, &early);
            bool fine = websocket_begin(connection, exchange, text_c(&early), early.length);
            text_release(&early);
            return fine;
        }
        if (!exchange->head_sent)
            add_head(connection, exchange);
        if (!add_body(connection, exchange))
            return false;
        if (!exchange->through) {
            exchange_tell_room(exchange);
            return true;
        }
        if (!next_request(connection))
            return false;
    }
    return true;
}

static void http1_drain(Connection *connection) { (void)connection; /* add_head says `connection: close` */ }

static void http1_free(Connection *connection)
{
    Http1 *http1 = http1_of(connection);
    text_release(&http1->target);
    text_release(&http1->name);
    text_release(&http1->value);
    text_release(&http1->ahead);
    mem_free(http1);
}

static const Protocol http1_protocol = { http1_take, http1_push, http1_drain, http1_free };

bool http1_begin(Connection *connection)
{
    Http1 *http1 = mem_calloc(1, sizeof *http1);
    http_parser_init(&http1->parser, HTTP_REQUEST);
    http1->parser.data = connection;
    connection_use(connection, &http1_protocol, http1);
    return true;
}
