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

/* The one whose body is taken piece by piece. */
static const Route inserts_route = { "POST", "/inserts-stream", NULL, ROLE_ADMIN, true, NULL };

/* *known: another method has it. */
static const Route *find_route(Call *call, bool *known)
{
    static const Route *const tables[] = { ksql_routes, cluster_routes, v1_routes, health_routes, metrics_routes };
    const HttpRequest *request = call->request;
    *known = false;
    if (strcmp(request->path, inserts_route.path) == 0 && strcmp(request->method, inserts_route.method) == 0)
        return &inserts_route;
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

/* What the server knows of an exchange, for as long as it lives. */
typedef struct Visit {
    Call *call;                    /* the loop's, until it is run or answered; NULL: it is */
    _Atomic(ExchangeUse *) use;
    RequestTrace trace;
} Visit;

static ExchangeUse over;           /* in Visit.use: the exchange has had its `gone` */

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

static Visit *visit_of(HttpExchange *exchange) { return http_exchange_get(exchange); }

static Error *run_route(Call *call)
{
    call->route->run(call);
    return NULL;
}

/* On the loop's thread or on a worker. */
static void run_call(void *what)
{
    Call *call = what;
    Error *error;
    TraceScope scope;
    trace_enter(&visit_of(call->exchange)->trace.context, &scope);
    MEMORY_GUARDED(error, run_route(call));
    trace_leave(&scope);
    if (error)
        http_abort(call->exchange); /* without memory there is no answer */
    error_free(error);
    call_free(call);
}

static void answer_busy(Call *call)
{
    http_add_header(call->exchange, "retry-after", "1");
    answer_ksql_error(call, 42900, "too many requests wait");
}

/* False: it does not have to wait, and is answered. */
static Error *try_route(Call *call, bool *waits)
{
    *waits = call->route->blocks && !(call->route->try && call->route->try(call));
    if (!call->route->blocks)
        call->route->run(call);
    return NULL;
}

/* ---- what is for something that goes on ---- */

static void tell_gone(ExchangeUse *use)
{
    if (use->kind == USE_PUSH)
        push_gone(use);
    else
        inserts_gone(use);
}

void exchange_use(HttpExchange *exchange, ExchangeUse *use)
{
    ExchangeUse *none = NULL;
    if (!atomic_compare_exchange_strong(&visit_of(exchange)->use, &none, use))
        tell_gone(use);
}

/* ---- what the loop calls ---- */

/* By its headers alone: may it be, and is it for something? False: it is answered. */
static bool admit(Call *call)
{
    bool known;
    const Server *server = call->server;
    call->route = find_route(call, &known);
    if (!guard_request(call, call->route ? call->route->role : ROLE_NONE))
        return false;
    bool waits = call->route && call->route->blocks;
    if (!call->route && known)
        answer_ksql_error(call, 40500, "this path knows other methods");
    else if (!call->route)
        answer_text(call, 404, "text/plain; charset=utf-8", "Not Found", 9);
    else if (waits && server->stopping)
        answer_ksql_error(call, 50303, "the server is shutting down");
    else if (waits && !server->ready)
        answer_ksql_error(call, 50302, "the server is starting");
    else
        return true;
    return false;
}

/* The body of a request that may not be is not kept: so nobody fills the memory who is not known. */
static HttpBody on_begin(void *caller, HttpExchange *exchange)
{
    Visit *visit = http_exchange_alloc(exchange, sizeof *visit);
    http_exchange_set(exchange, visit);
    visit->call = call_new(caller, exchange);
    request_trace_begin(caller, visit->call->request, &visit->trace);
    bool admitted = admit(visit->call);
    request_trace_route(&visit->trace, visit->call);
    if (admitted)
        return visit->call->route == &inserts_route ? HTTP_BODY_PIECES : HTTP_BODY_WHOLE;
    call_free(visit->call);
    visit->call = NULL;
    return HTTP_BODY_REFUSED;
}

static void on_request(void *caller, HttpExchange *exchange)
{
    Call *call = visit_of(exchange)->call;
    bool waits = false;
    Error *error;
    TraceScope scope;
    (void)caller;
    visit_of(exchange)->call = NULL;
    trace_enter(&visit_of(exchange)->trace.context, &scope);
    if (call->route == &inserts_route)
        MEMORY_GUARDED(error, (inserts_begin(call->server, exchange), (Error *)NULL));
    else
        MEMORY_GUARDED(error, try_route(call, &waits));
    trace_leave(&scope);
    if (error)
        http_abort(exchange);
    error_free(error);
    if (waits && workers_add(call->server->workers, run_call, call))
        return;
    if (waits)
        answer_busy(call);
    call_free(call);
}

static void on_body(void *caller, HttpExchange *exchange, const char *bytes, size_t length, bool end)
{
    ExchangeUse *use = visit_of(exchange)->use;
    (void)caller;
    if (use && use->kind == USE_INSERTS)
        inserts_body(use, bytes, length, end);
}

static void on_room(void *caller, HttpExchange *exchange)
{
    ExchangeUse *use = visit_of(exchange)->use;
    (void)caller;
    if (use && use->kind == USE_PUSH)
        push_room(use);
}

static void on_gone(void *caller, HttpExchange *exchange)
{
    Visit *visit = visit_of(exchange);
    (void)caller;
    if (!visit)
        return; /* without memory it did not come that far */
    ExchangeUse *use = atomic_exchange(&visit->use, &over);
    if (use)
        tell_gone(use);
    if (visit->call)
        call_free(visit->call);
    request_trace_end(&visit->trace, http_exchange_status(exchange));
}

static void on_tick(void *caller) { push_check_time(caller); }

const HttpHandler router_handler = { .begin = on_begin, .request = on_request, .body = on_body, .room = on_room, .gone = on_gone, .tick = on_tick };
