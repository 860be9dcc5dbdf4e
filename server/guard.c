/* server/guard.c: what a request must be before anything is done for it. docs/security.md says against what. */
#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "parser/parser.h"
#include "server/server_internal.h"

/* ---- addresses ---- */

bool address_is_loopback(const char *address)
{
    struct in_addr four;
    struct in6_addr six;
    if (inet_pton(AF_INET, address, &four) == 1)
        return (ntohl(four.s_addr) >> 24) == 127;
    if (inet_pton(AF_INET6, address, &six) == 1)
        return IN6_IS_ADDR_LOOPBACK(&six);
    return strcasecmp(address, "localhost") == 0;
}

/* The host of "host:port" or "[address]:port". */
static const char *host_of(Arena *arena, const char *authority)
{
    if (authority[0] == '[') {
        const char *end = strchr(authority, ']');
        return end && (!end[1] || end[1] == ':') ? arena_strndup(arena, authority + 1, (size_t)(end - authority - 1)) : "";
    }
    const char *colon = strrchr(authority, ':');
    return colon ? arena_strndup(arena, authority, (size_t)(colon - authority)) : authority;
}

static bool is_listed(const char *const *names, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (strcasecmp(names[i], name) == 0)
            return true;
    return false;
}

/* A page of somebody else's whose name was made to point here sends that name (DNS rebinding). */
static bool host_is_ours(const Call *call, Arena *arena)
{
    const ServerOptions *options = &call->server->options;
    const char *host = host_of(arena, call->request->authority), *own = host_of(arena, call->server->address);
    if (address_is_loopback(host) || strcasecmp(host, own) == 0 || is_listed(options->hosts, options->host_count, host))
        return true;
    return call->server->users && !address_is_loopback(own) && options->host_count == 0; /* who it is is asked anyway, and names of the machine are many */
}

/* Browsers say which page a request comes from; others do not. */
static bool origin_may(const Call *call, const char *origin)
{
    const ServerOptions *options = &call->server->options;
    return strcasecmp(origin, call->server->url) == 0 || is_listed(options->origins, options->origin_count, origin) || is_listed(options->origins, options->origin_count, "*");
}

static void add_cors(Call *call, const char *origin)
{
    http_add_header(call->exchange, "access-control-allow-origin", origin);
    http_add_header(call->exchange, "vary", "origin");
    if (strcmp(call->request->method, "OPTIONS") == 0) {
        http_add_header(call->exchange, "access-control-allow-methods", "GET, POST, PUT, DELETE");
        http_add_header(call->exchange, "access-control-allow-headers", "content-type, authorization, accept");
        http_add_header(call->exchange, "access-control-max-age", "600");
    }
}

/* ---- roles ---- */

static bool writes(const AstQuery *query) { return query && (query->into.text || writes(query->left) || writes(query->right)); }

static bool only_reads(const AstStatement *statement)
{
    switch (statement->kind) {
    case AST_STMT_QUERY: return !writes(statement->query);
    case AST_STMT_EXPLAIN: return !statement->explained || statement->explain != AST_EXPLAIN_ANALYZE || only_reads(statement->explained);
    case AST_STMT_DESCRIBE: case AST_STMT_DESCRIBE_FUNCTION: case AST_STMT_SHOW: case AST_STMT_SET: case AST_STMT_UNSET: case AST_STMT_DEFINE:
    case AST_STMT_UNDEFINE: case AST_STMT_PRINT: return true;
    case AST_STMT_CREATE_SOURCE: case AST_STMT_CREATE_AS: case AST_STMT_CREATE_VIEW: case AST_STMT_CREATE_TYPE: case AST_STMT_CREATE_FUNCTION: case AST_STMT_INSERT_QUERY:
    case AST_STMT_INSERT_VALUES: case AST_STMT_STATEMENT_SET: case AST_STMT_DROP: case AST_STMT_ALTER: case AST_STMT_TERMINATE: case AST_STMT_PAUSE: case AST_STMT_RESUME:
    case AST_STMT_RUN_SCRIPT: case AST_STMT_ASSERT: case AST_STMT_CONNECTOR: return false;
    }
    return false;
}

bool script_only_reads(const char *text, size_t length)
{
    Arena arena;
    AstScript script = { 0 };
    arena_init(&arena, NULL);
    MEMORY_HOLD(arena_unwind, &arena);
    Error *error = parse_script(&arena, text, length, NULL, &script);
    bool reads = true;
    for (int i = 0; i < script.statement_count; i++)
        reads &= only_reads(script.statements[i]);
    bool fine = error || reads; /* what does not parse is the parser's to refuse */
    error_free(error);
    arena_release(&arena);
    return fine;
}

bool script_prints(const char *text, size_t length)
{
    Arena arena;
    AstScript script = { 0 };
    arena_init(&arena, NULL);
    MEMORY_HOLD(arena_unwind, &arena);
    error_free(parse_script(&arena, text, length, NULL, &script));
    const bool prints = script.statement_count == 1 && script.statements[0]->kind == AST_STMT_PRINT;
    arena_release(&arena);
    return prints;
}

/* ---- requests ---- */

static bool refuse(Call *call, int code, const char *message)
{
    answer_ksql_error(call, code, message);
    return false;
}

/* A page of another site can send a form's types without asking first; JSON it cannot. */
static bool type_may(const Call *call)
{
    const char *type = http_header(call->request, "content-type");
    return !http_header(call->request, "origin") || !type || strstr(type, "json") || strstr(type, "vnd.ksql");
}

/* Only a while later: when is said in whole seconds. */
static bool refuse_for_now(Call *call, atomic_ulong *counter, int64_t wait_us, const char *message)
{
    char seconds[24];
    (*counter)++;
    snprintf(seconds, sizeof seconds, "%lld", (long long)((wait_us + 999999) / 1000000));
    http_add_header(call->exchange, "retry-after", seconds);
    return refuse(call, 42900, message);
}

/* Before anything is done for it, and whatever it asks for. */
static bool address_may(Call *call)
{
    int64_t wait_us;
    return limiter_take_address(call->server->address_limiter, call->request->peer, clock_system()->now_us(clock_system()), &wait_us) ||
           refuse_for_now(call, &call->server->limited_addresses, wait_us, "too many requests come from this address");
}

static bool user_may(Call *call)
{
    int64_t wait_us;
    return limiter_take(call->server->user_limiter, call->user, strlen(call->user), clock_system()->now_us(clock_system()), &wait_us) ||
           refuse_for_now(call, &call->server->limited_users, wait_us, "too many requests come from this user");
}

/* An image or a link of another site's page sends no Origin, but browsers say where it comes from. */
static bool page_may(const Call *call)
{
    const char *site = http_header(call->request, "sec-fetch-site");
    return !site || strcasecmp(site, "same-origin") == 0 || strcasecmp(site, "none") == 0 || http_header(call->request, "origin"); /* Origins are looked at by themselves */
}

bool guard_request(Call *call, Role needed)
{
    Server *server = call->server;
    const char *origin = http_header(call->request, "origin");
    if (!address_may(call))
        return false;
    if (!host_is_ours(call, &call->arena))
        return refuse(call, 42100, "the request is for another host");
    if ((origin && !origin_may(call, origin)) || !page_may(call))
        return refuse(call, 40300, "pages of other sites may not ask here");
    if (origin && strcasecmp(origin, server->url) != 0)
        add_cors(call, origin);
    if (strcmp(call->request->method, "OPTIONS") == 0) {
        answer_text(call, 204, "text/plain", "", 0);
        return false;
    }
    if (!type_may(call))
        return refuse(call, 41500, "the body's type is none that pages may send");
    call->role = server->users ? ROLE_NONE : ROLE_ADMIN;
    if (needed == ROLE_NONE)
        return true;
    if (server->users)
        call->role = users_check(server->users, http_header(call->request, "authorization"), call->request->peer, &call->user);
    if (call->role == ROLE_NONE) {
        http_add_header(call->exchange, "www-authenticate", "Basic realm=\"bidsql\", charset=\"UTF-8\"");
        return refuse(call, 40100, "who are you?");
    }
    if (server->users && !user_may(call))
        return false;
    return call->role >= needed || refuse(call, 40300, "you may read, and no more");
}

/* ---- the server's own options ---- */

Error *guard_options(const ServerOptions *options)
{
    Arena arena;
    arena_init(&arena, NULL);
    bool loopback = address_is_loopback(host_of(&arena, options->listen));
    arena_release(&arena);
    if (loopback || options->insecure || (options->users_file && options->certificate))
        return NULL;
    return error_hint(error_new(ERR_USAGE, "'%s' can be reached by others: that wants --users and --tls-cert with --tls-key", options->listen),
                      "or --insecure, if something in front of it sees to both");
}
