/* runtime/host.c: a session of engine/ that lives in the runtime: it plans with the runtime's planner and reads the runtime's streams and tables.
 *
 * Its jobs run on its caller's thread, or on threads of their own, as in a script; the runtime knows of them only while they are opened, when nothing else may move. */
#include "engine/host.h"

#include "runtime/prepared.h"

typedef struct Host {
    RuntimeSession *session;
    Query *query;               /* the job that is open; NULL: none */
} Host;

static Error *enter(void *caller)
{
    const Host *host = caller;
    Error *error;
    pthread_mutex_lock(&host->session->runtime->control);
    MEMORY_GUARDED(error, session_begin(host->session));
    return error;
}

static void leave(void *caller)
{
    const Host *host = caller;
    pthread_mutex_unlock(&host->session->runtime->control);
}

static Error *make_query(Host *host, const Plan *plan, const JobOptions *options)
{
    Runtime *runtime = host->session->runtime;
    Arena *arena = mem_calloc(1, sizeof *arena);
    arena_init(arena, NULL);
    host->query = query_new(runtime, arena, plan, arena_printf(arena, "transient_%llu", (unsigned long long)++runtime->next_push), "", false);
    host->query->hosted = options;
    return NULL;
}

static uint64_t dropped(void *caller)
{
    const Host *host = caller;
    uint64_t rows = 0;
    for (int i = 0; i < host->query->port.readers.count; i++)
        rows += channel_reader_dropped(host->query->port.readers.items[i]);
    return rows;
}

static void closed(void *caller)
{
    Host *host = caller;
    query_release(host->query);
    host->query = NULL;
}

static Error *open(void *caller, const Plan *plan, const JobOptions *options, Job **job)
{
    Host *host = caller;
    Runtime *runtime = host->session->runtime;
    Error *error;
    pthread_mutex_lock(&runtime->control);
    MEMORY_GUARDED(error, make_query(host, plan, options));
    if (!error)
        error = query_open(host->query, plan->bounded || !host->session->from_now);
    pthread_mutex_unlock(&runtime->control);
    if (error) {
        closed(host);
        return error;
    }
    *job = host->query->job;
    host->query->job = NULL; /* it is the session's */
    return NULL;
}

static Error *make_host(RuntimeSession *session)
{
    session->host = mem_calloc(1, sizeof *session->host);
    session->host->session = session;
    return NULL;
}

Error *runtime_host(RuntimeSession *session, const SessionOptions *options, Session **hosted)
{
    Error *error;
    MEMORY_GUARDED(error, make_host(session));
    if (error)
        return error;
    SessionHost host = { .planner = session->runtime->planner, .enter = enter, .leave = leave, .open = open, .dropped = dropped, .closed = closed, .caller = session->host };
    TRY(session_new_in(&host, options, hosted));
    session->hosted = *hosted;
    return NULL;
}
