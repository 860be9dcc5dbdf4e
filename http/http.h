/* http/http.h: an HTTP server: requests in, answers out, over HTTP/1.1, HTTP/2 and WebSocket, with or without TLS, on one port. The room's door.
 *
 * One thread runs the loop and calls the handler: it must not block. An answer may be written from any thread, at once or in pieces, as long as the exchange
 * is held. Which protocol a peer speaks nobody behind this door sees, but for WebSocket's messages. */
#pragma once
#include "common/arena.h"
#include "common/error.h"

typedef struct HttpServer HttpServer;
typedef struct HttpExchange HttpExchange; /* a request and its answer */

typedef struct HttpHeader { const char *name, *value; } HttpHeader; /* names in lower case */

typedef struct HttpRequest {
    const char *method;            /* "GET" .. */
    const char *path;              /* decoded, without query; begins with a / */
    const char *query;             /* behind the ?, not decoded; "" without */
    const HttpHeader *headers; int header_count;
    const char *authority;         /* Host, or :authority; "" without */
    const char *body; size_t body_length; /* HTTP_BODY_WHOLE: all of it; ends with a 0 */
    const char *peer;              /* its address: "127.0.0.1" */
    bool tls, http2, websocket;
} HttpRequest;

/* The value of a header, NULL without. `name` in lower case. */
const char *http_header(const HttpRequest *request, const char *name);
/* The decoded value of a parameter of the query, in `arena`; NULL without. */
const char *http_parameter(const HttpRequest *request, Arena *arena, const char *name);

/* Of a parameter that stands there several times: that one, from 0 on. */
const char *http_parameter_at(const HttpRequest *request, Arena *arena, const char *name, int number);

typedef enum HttpBody {
    HTTP_BODY_WHOLE,               /* `request` when all of it is there */
    HTTP_BODY_PIECES,              /* `request` now, then `body` as it comes */
    HTTP_BODY_REFUSED              /* begin has answered: `request` does not come */
} HttpBody;

/* All on the loop's thread. The request's text lives as long as the exchange. */
typedef struct HttpHandler {
    /* The headers are there. NULL: HTTP_BODY_WHOLE. */
    HttpBody (*begin)(void *caller, HttpExchange *exchange);
    void (*request)(void *caller, HttpExchange *exchange);
    void (*body)(void *caller, HttpExchange *exchange, const char *bytes, size_t length, bool end);
    /* A whole message of a WebSocket. */
    void (*message)(void *caller, HttpExchange *exchange, bool text, const char *bytes, size_t length);
    /* What was written is gone, but for HTTP_LOW_WATER bytes at most. */
    void (*room)(void *caller, HttpExchange *exchange);
    /* The last call: the answer is through, or the peer went away. Comes once for every exchange for which `begin` or `request` came. */
    void (*gone)(void *caller, HttpExchange *exchange);
    void *caller;
    /* A few times a second. May be NULL. */
    void (*tick)(void *caller);
} HttpHandler;

#define HTTP_LOW_WATER 16384

typedef struct HttpOptions {
    const char *address;           /* "127.0.0.1", "::1", "0.0.0.0" */
    int port;                      /* 0: any that is free */
    const char *certificate, *key; /* PEM files; NULL: no TLS */
    HttpHandler handler;
    int max_connections;           /* 0: 2048 */
    int max_connections_of_peer;   /* 0: no bound of its own */
    size_t max_body;               /* of HTTP_BODY_WHOLE; 0: 1 MiB */
    size_t max_bodies;             /* of all HTTP_BODY_WHOLE together; 0: 128 MiB */
    size_t max_headers;            /* bytes of all headers of a request; 0: 32 KiB */
    size_t max_message;            /* of a WebSocket; 0: 1 MiB */
    int max_streams;               /* of an HTTP/2 connection at once; 0: 100 */
    int header_timeout_ms;         /* from a request's first byte to its last header; 0: 10 s */
    int body_timeout_ms;           /* a body may take that long and a second more for each KiB; 0: 30 s */
    int idle_timeout_ms;           /* without a request; 0: 60 s */
    int write_timeout_ms;          /* a peer that takes nothing for so long is let go; 0: 60 s */
} HttpOptions;

typedef struct HttpStatistics {
    uint64_t connections, refused_connections, requests, bytes_in, bytes_out, timeouts, protocol_errors;
    int open_connections, open_exchanges;
} HttpStatistics;

/* Listens and starts the loop's thread. ERR_CONNECT when the address or the certificate cannot be had. Strings of the options are copied. */
Error *http_server_new(const HttpOptions *options, HttpServer **server);
int http_server_port(const HttpServer *server);
/* Reads certificate and key anew; on error the old ones stay. */
Error *http_server_reload(HttpServer *server);
/* No new connections and requests; HTTP/2 peers are told. Answers that have begun go on. */
void http_server_drain(HttpServer *server);
/* Waits up to so long for open answers, then ends everything; every exchange gets its `gone`. Not from the loop's thread. */
void http_server_free(HttpServer *server, int wait_ms);
void http_server_statistics(HttpServer *server, HttpStatistics *statistics);

/* ---- an exchange; from any thread ---- */

const HttpRequest *http_exchange_request(const HttpExchange *exchange);
void http_exchange_set(HttpExchange *exchange, void *user);
void *http_exchange_get(const HttpExchange *exchange);
/* Memory that lives as long as the exchange, zeroed. On the loop's thread. */
void *http_exchange_alloc(HttpExchange *exchange, size_t size);
/* Of the answer; 0: it has not begun. On the loop's thread. */
int http_exchange_status(const HttpExchange *exchange);
/* The handler's calls hold it while they run; whoever keeps it longer retains it. */
HttpExchange *http_exchange_retain(HttpExchange *exchange);
void http_exchange_release(HttpExchange *exchange);

/* A header of the answer, before it begins. */
void http_add_header(HttpExchange *exchange, const char *name, const char *value);
/* The whole answer. */
void http_answer(HttpExchange *exchange, int status, const char *content_type, const char *bytes, size_t length);
/* An answer in pieces: begin, write.., end. http_write: bytes that wait to be sent, with these; they grow without bound if nobody heeds that.
 * SIZE_MAX: the peer is gone. */
void http_begin(HttpExchange *exchange, int status, const char *content_type);
size_t http_write(HttpExchange *exchange, const char *bytes, size_t length);
/* Before it begins: over HTTP/2 every piece is a frame of its own. For clients that take a frame for a row. */
void http_keep_apart(HttpExchange *exchange);
void http_end(HttpExchange *exchange);
/* Gives the answer up: the peer sees that it is not whole. */
void http_abort(HttpExchange *exchange);
/* Takes the WebSocket (the request's `websocket` is set): from now on messages. protocol: of those that the peer offers; NULL: none. */
void http_accept_websocket(HttpExchange *exchange, const char *protocol);
/* A message; as http_write. */
size_t http_send(HttpExchange *exchange, bool text, const char *bytes, size_t length);
/* Closes a WebSocket with a code (1000: normal) and a reason. */
void http_close_websocket(HttpExchange *exchange, int code, const char *reason);
/* Body pieces stop coming, and come again: backpressure for HTTP_BODY_PIECES. */
void http_pause_body(HttpExchange *exchange, bool paused);
