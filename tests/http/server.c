/* tests/http/server.c: a server with a few answers, for tests of http/: prints its port and runs until stdin ends. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/memory.h"
#include "common/str.h"
#include "http/http.h"

static atomic_int gone_count, streams, most_queued;

/* Rows from a thread of their own, which waits while too many are on their way. */
typedef struct Rows {
    HttpExchange *exchange;
    pthread_mutex_t lock;
    pthread_cond_t room;
    bool full, gone;
    long count;
} Rows;

static void *send_rows(void *caller)
{
    Rows *rows = caller;
    char line[200];
    http_begin(rows->exchange, 200, "application/x-ndjson");
    for (long i = 0; i < rows->count; i++) {
        int length = snprintf(line, sizeof line, "{\"row\":%ld,\"filler\":\"%0100d\"}\n", i, 0);
        size_t queued = http_write(rows->exchange, line, (size_t)length);
        if (queued == SIZE_MAX)
            break;
        if ((int)queued > most_queued)
            most_queued = (int)queued;
        pthread_mutex_lock(&rows->lock);
        rows->full |= queued > 1 << 20;
        while (rows->full && !rows->gone)
            pthread_cond_wait(&rows->room, &rows->lock);
        pthread_mutex_unlock(&rows->lock);
    }
    http_end(rows->exchange);
    pthread_mutex_lock(&rows->lock);
    while (!rows->gone)
        pthread_cond_wait(&rows->room, &rows->lock);
    pthread_mutex_unlock(&rows->lock);
    http_exchange_release(rows->exchange);
    free(rows);
    streams--;
    return NULL;
}

static void start_rows(HttpExchange *exchange, const char *count)
{
    Rows *rows = calloc(1, sizeof *rows);
    pthread_t thread;
    pthread_mutex_init(&rows->lock, NULL);
    pthread_cond_init(&rows->room, NULL);
    rows->exchange = http_exchange_retain(exchange);
    rows->count = atol(count);
    http_exchange_set(exchange, rows);
    streams++;
    pthread_create(&thread, NULL, send_rows, rows);
    pthread_detach(thread);
}

static void change(HttpExchange *exchange, bool gone)
{
    Rows *rows = http_exchange_get(exchange);
    if (!rows)
        return;
    pthread_mutex_lock(&rows->lock);
    rows->full = false;
    rows->gone |= gone;
    pthread_cond_broadcast(&rows->room);
    pthread_mutex_unlock(&rows->lock);
}

static void on_room(void *caller, HttpExchange *exchange)
{
    (void)caller;
    change(exchange, false);
}

static void on_gone(void *caller, HttpExchange *exchange)
{
    (void)caller;
    gone_count++;
    change(exchange, true);
}

static HttpBody on_begin(void *caller, HttpExchange *exchange)
{
    (void)caller;
    const HttpRequest *request = http_exchange_request(exchange);
    if (strcmp(request->path, "/refused") == 0) {
        http_answer(exchange, 403, "text/plain", "no", 2);
        return HTTP_BODY_REFUSED;
    }
    return strcmp(request->path, "/pieces") == 0 ? HTTP_BODY_PIECES : HTTP_BODY_WHOLE;
}

static void on_request(void *caller, HttpExchange *exchange)
{
    (void)caller;
    const HttpRequest *request = http_exchange_request(exchange);
    Arena arena;
    arena_init(&arena, NULL);
    if (request->websocket) {
        http_accept_websocket(exchange, NULL);
        http_send(exchange, true, "welcome", 7);
    } else if (strcmp(request->path, "/rows") == 0) {
        const char *count = http_parameter(request, &arena, "n");
        start_rows(exchange, count ? count : "10");
    } else if (strcmp(request->path, "/pieces") == 0) {
        http_begin(exchange, 200, "text/plain");
    } else if (strcmp(request->path, "/echo") == 0) {
        http_answer(exchange, 200, "text/plain", request->body, request->body_length);
    } else if (strcmp(request->path, "/about") == 0) {
        const char *text = arena_printf(&arena, "%s %s ?%s authority=%s agent=%s peer=%s tls=%d http2=%d q=%s\n", request->method, request->path, request->query,
            request->authority, http_header(request, "user-agent") ? "yes" : "no", request->peer, request->tls, request->http2,
            http_parameter(request, &arena, "q") ? http_parameter(request, &arena, "q") : "-");
        http_answer(exchange, 200, "text/plain", text, strlen(text));
    } else if (strcmp(request->path, "/abort") == 0) {
        http_begin(exchange, 200, "text/plain");
        http_write(exchange, "part", 4);
        http_abort(exchange);
    } else if (strcmp(request->path, "/never") == 0) {
        http_begin(exchange, 200, "text/plain");
    } else if (strcmp(request->path, "/split") == 0) {
        http_add_header(exchange, "X-Value", "a\r\nx-evil: b");
        http_answer(exchange, 200, "text/plain", "", 0);
    } else if (strcmp(request->path, "/counts") == 0) {
        const char *text = arena_printf(&arena, "gone=%d streams=%d most=%d\n", gone_count, streams, most_queued);
        http_answer(exchange, 200, "text/plain", text, strlen(text));
    } else {
        http_answer(exchange, 404, "text/plain", "nothing here\n", 13);
    }
    arena_release(&arena);
}

static void on_body(void *caller, HttpExchange *exchange, const char *bytes, size_t length, bool end)
{
    (void)caller;
    if (length)
        http_write(exchange, bytes, length);
    if (end)
        http_end(exchange);
}

static void on_message(void *caller, HttpExchange *exchange, bool text, const char *bytes, size_t length)
{
    (void)caller;
    if (length == 3 && memcmp(bytes, "bye", 3) == 0)
        http_close_websocket(exchange, 1000, "as you wish");
    else
        http_send(exchange, text, bytes, length);
}

int main(int argc, char **argv)
{
    HttpOptions options = { .address = "127.0.0.1", .handler = { on_begin, on_request, on_body, on_message, on_room, on_gone, NULL, NULL }, .max_body = 100000, .max_bodies = 500000,
        .header_timeout_ms = 700, .body_timeout_ms = 700, .idle_timeout_ms = 1500, .write_timeout_ms = 2000, .max_connections = 300 };
    if (argc == 3) {
        options.certificate = argv[1];
        options.key = argv[2];
    }
    HttpServer *server;
    Error *error = http_server_new(&options, &server);
    if (error) {
        fprintf(stderr, "%s\n", error->message);
        error_free(error);
        return 1;
    }
    printf("%d\n", http_server_port(server));
    fflush(stdout);
    char drop[256];
    while (read(0, drop, sizeof drop) > 0)
        if (drop[0] == 'd')
            http_server_drain(server);
    http_server_free(server, 1000);
    printf("gone=%d streams=%d\n", gone_count, streams);
    return 0;
}
