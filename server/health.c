/* server/health.c: is the server alive, is it ready. */
#include "server/server_internal.h"

static void get_alive(Call *call) { answer_text(call, 200, "application/json", "{\"status\":\"ok\"}", 15); }

static void get_ready(Call *call)
{
    bool ready = call->server->ready && !call->server->stopping;
    RuntimeMetrics metrics = { 0 };
    if (ready)
        runtime_metrics(call->server->runtime, &metrics);
    answer_json(call, ready ? 200 : 503, json_pack("{s:s,s:{s:i,s:i,s:i}}", "status", ready ? "ready" : call->server->stopping ? "stopping" : "starting", "queries", "running",
                                                   metrics.queries_running, "paused", metrics.queries_paused, "error", metrics.queries_error));
}

const Route health_routes[] = {
    { "GET", "/healthz", get_alive, ROLE_NONE, false, NULL },
    { "GET", "/readyz", get_ready, ROLE_NONE, true, NULL },
    { "GET", "/chc/live", get_alive, ROLE_NONE, false, NULL },
    { "GET", "/chc/ready", get_ready, ROLE_NONE, true, NULL },
    { NULL, NULL, NULL, ROLE_NONE, false, NULL },
};
