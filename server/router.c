/* server/router.c: which request goes where, and on which thread it is answered. */
#include <string.h>

#include "server/server_internal.h"

/* ---- finding the route ---- */

/* Does the path fit the pattern? What stands for each "*" goes into captures. */
static bool fits(Arena *arena, const char *pattern, const char *path, const char **captures)
{
    int captured = 0;
    while (*pattern && *path) {
        if (*pattern == '*') {
            size_t length = strcspn(path, "/");
            if (length == 0 || captured == 4)
                return false;
            captures[captured++] = arena_strndup(arena, path, length);
            path += length;
            pattern++;
        } else if (*pattern++ != *path++) {
            return false;
        }
    }
    return !*pattern && (!*path || (path[0] == '/' && !path[1] && path[-1] != '/'));
}

/* *known: another method has it. */
static const Route *find_route(Call *call, bool *known)
{
    static const Route *const tables[] = { ksql_routes, v1_routes, health_routes, metrics_routes };
    const HttpRequest *request = call->request;
    *known = false;
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++)
        for (const Route *route = tables[t]; route->path; route++) {
            if (!fits(&call->arena, route->path, request->path, call->captures))
                continue;
            *known = true;
            if (strcmp(route->method, request->method) == 0 || (strcmp(route->method, "GET") == 0 && strcmp(request->method, "HEAD") == 0))
                return route;
        }
    return NULL;
}

/* ---- calls ---- */

static Call *call_new(Server *server, HttpExchange *exchange)
{
    Call *call = mem_calloc(1, sizeof *call);
    call->server = server;
    call->exchange = http_exchange_retain(exchange);
    call->request = http_exchange_request(exchange);
    arena_init(&call->arena, NULL);
    return call;
}

static void call_free(Call *call)
{
    http_exchange_release(call->exchange);
    arena_release(&call->arena);
    mem_free(call);
}

static Error *run_route(Call *call)
{
    call->run(call);
    return NULL;
}

static void run_call(void *what)
{
    Call *call = what;
    Error *error;
    MEMORY_GUARDED(error, run_route(call));
    if (error)
        http_abort(call->exchange); /* without memory there is no answer */
    error_free(error);
    call_free(call);
}

static Error *dispatch(Call *call, bool *kept)
{
    bool known;
    const Route *route = find_route(call, &known);
    *kept = false;
    if (!guard_request(call, route ? route->role : ROLE_NONE))
        return NULL;
    if (!route && known)
        answer_ksql_error(call, 40500, "this path knows other methods");
    else if (!route)
        answer_text(call, 404, "text/plain; charset=utf-8", "Not Found", 9);
    else if (call->server->stopping && route->blocks)
        answer_ksql_error(call, 50303, "the server is shutting down");
    else if (!call->server->ready && route->blocks)
        answer_ksql_error(call, 50302, "the server is starting");
    else if (!route->blocks)
        route->run(call);
    else if (route->try && route->try(call))
        ; /* it did not have to wait */
    else {
        call->run = route->run;
        *kept = workers_add(call->server->workers, run_call, call);
        if (!*kept)
            answer_ksql_error(call, 42900, "too many requests wait");
    }
    return NULL;
}

/* ---- what the loop calls ---- */

static bool is_inserts(const HttpRequest *request) { return strcmp(request->path, "/inserts-stream") == 0 && strcmp(request->method, "POST") == 0; }

static HttpBody on_begin(void *caller, HttpExchange *exchange)
{
    (void)caller;
    return is_inserts(http_exchange_request(exchange)) ? HTTP_BODY_PIECES : HTTP_BODY_WHOLE;
}

static void begin_inserts(Call *call)
{
    if (!guard_request(call, ROLE_ADMIN))
        return;
    if (call->server->stopping || !call->server->ready)
        answer_ksql_error(call, call->server->stopping ? 50303 : 50302, "the server does not take rows now");
    else
        inserts_begin(call->server, call->exchange);
}

static void on_request(void *caller, HttpExchange *exchange)
{
    Call *call = call_new(caller, exchange);
    bool kept = false;
    Error *error = NULL;
    if (is_inserts(call->request))
        begin_inserts(call);
    else
        MEMORY_GUARDED(error, dispatch(call, &kept));
    if (error)
        http_abort(exchange);
    error_free(error);
    if (!kept)
        call_free(call);
}

static void on_body(void *caller, HttpExchange *exchange, const char *bytes, size_t length, bool end)
{
    (void)caller;
    const ExchangeUse *use = http_exchange_get(exchange);
    if (use && use->kind == USE_INSERTS)
        inserts_body(exchange, bytes, length, end);
}

static void on_room(void *caller, HttpExchange *exchange)
{
    (void)caller;
    const ExchangeUse *use = http_exchange_get(exchange);
    if (use && use->kind == USE_PUSH)
        push_room(exchange);
}

static void on_gone(void *caller, HttpExchange *exchange)
{
    (void)caller;
    const ExchangeUse *use = http_exchange_get(exchange);
    if (use && use->kind == USE_PUSH)
        push_gone(exchange);
    else if (use && use->kind == USE_INSERTS)
        inserts_gone(exchange);
}

const HttpHandler router_handler = { .begin = on_begin, .request = on_request, .body = on_body, .room = on_room, .gone = on_gone };
