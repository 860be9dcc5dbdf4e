/* server/traces.c: a span for each request, named and described by OpenTelemetry's conventions for HTTP servers.
 *
 * What could hold a secret or somebody's data is not in it: no query string, no body, no header but the program's name, and of the path only the route, as keys of
 * tables stand in paths. */
#include <stdio.h>
#include <string.h>

#include "server/server_internal.h"

static void report(void *caller, bool failed, const char *message) { server_log(caller, failed ? "warn" : "info", message, NULL); }

Error *traces_start(Server *server)
{
    const ServerOptions *options = &server->options;
    const TracerOptions tracer = { .endpoint = options->otlp_endpoint, .headers = options->otlp_headers, .protocol = options->otlp_protocol, .service_name = options->service_name,
        .sampler = options->traces_sampler, .sampler_argument = options->traces_sampler_argument, .version = BIDSQL_VERSION, .instance = server->id, .report = report, .caller = server };
    return tracer_new(&tracer, &server->tracer);
}

/* Methods are the peer's words: only known ones become names. */
static const char *method_of(const HttpRequest *request)
{
    static const char *const known[] = { "GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE", "CONNECT" };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i], request->method) == 0)
            return known[i];
    return "_OTHER";
}

/* W3C: two of them are none. */
static const char *only_header(const HttpRequest *request, const char *name)
{
    const char *found = NULL;
    for (int i = 0; i < request->header_count; i++) {
        if (strcmp(request->headers[i].name, name) != 0)
            continue;
        if (found)
            return NULL;
        found = request->headers[i].value;
    }
    return found;
}

void request_trace_begin(Server *server, const HttpRequest *request, RequestTrace *trace)
{
    TraceContext parent = { .valid = false };
    if (!server->tracer)
        return;
    const char *text = only_header(request, "traceparent"), *state = only_header(request, "tracestate");
    if (text && !trace_parse_parent(text, &parent))
        parent.valid = false;
    trace->span = trace_start(server->tracer, TRACE_SERVER, method_of(request), &parent, &trace->context);
    if (!trace->span)
        return;
    if (parent.valid && state)
        trace_state(trace->span, state);
    trace_text(trace->span, "http.request.method", method_of(request));
    trace_text(trace->span, "url.scheme", request->tls ? "https" : "http");
    trace_text(trace->span, "network.protocol.version", request->http2 ? "2" : "1.1");
    trace_text(trace->span, "client.address", request->peer);
    trace_text(trace->span, "server.address", request->authority);
    trace_text(trace->span, "user_agent.original", http_header(request, "user-agent"));
}

void request_trace_route(RequestTrace *trace, const Call *call)
{
    char name[200];
    if (!trace->span || !call->route)
        return;
    snprintf(name, sizeof name, "%s %s", method_of(call->request), call->route->path);
    trace_rename(trace->span, name);
    trace_text(trace->span, "http.route", call->route->path);
    trace_text(trace->span, "user.name", call->user);
}

void request_trace_end(RequestTrace *trace, int status)
{
    char text[16];
    if (!trace->span)
        return;
    snprintf(text, sizeof text, "%d", status);
    if (status)
        trace_number(trace->span, "http.response.status_code", status);
    if (status >= 500)
        trace_text(trace->span, "error.type", text);
    if (status == 0 || status >= 500)
        trace_fail(trace->span, status ? NULL : "the peer went away before it was answered");
    trace_finish(trace->span);
    trace->span = NULL;
}
