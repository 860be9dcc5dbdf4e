/* repl/backend_local.c: statements run in a session of this process. */
#include "repl/backend.h"

typedef struct LocalBackend {
    Backend base;
    Session *session;
} LocalBackend;

static Session *session_of(Backend *backend) { return ((LocalBackend *)backend)->session; }

static Error *local_run(Backend *backend, const char *text, size_t length, const SessionOutput *output)
{
    return session_run(session_of(backend), text, length, output);
}

static void local_interrupt(Backend *backend) { session_interrupt(session_of(backend)); }
static void local_progress(Backend *backend, SessionProgress *progress) { session_progress(session_of(backend), progress); }

static const char *const *local_names(Backend *backend, SessionNames kind, Arena *arena, int *count)
{
    return session_names(session_of(backend), kind, arena, count);
}

static const char *const *local_columns(Backend *backend, Arena *arena, const char *relation, int *count)
{
    const Schema *schema = session_columns(session_of(backend), relation);
    *count = schema ? schema->column_count : 0;
    const char **names = ARENA_ARRAY(arena, const char *, (size_t)*count + 1);
    for (int i = 0; i < *count; i++)
        names[i] = schema->columns[i].name;
    return names;
}

static const char *local_usage(Backend *backend, Arena *arena, const char *function) { return session_function_usage(session_of(backend), arena, function); }

static void local_free(Backend *backend)
{
    session_free(session_of(backend));
    mem_free(backend);
}

static const BackendType local_type = {
    .run = local_run,
    .interrupt = local_interrupt,
    .progress = local_progress,
    .names = local_names,
    .columns = local_columns,
    .usage = local_usage,
    .free = local_free,
};

Backend *backend_local(Session *session)
{
    LocalBackend *backend = mem_calloc(1, sizeof *backend);
    backend->base = (Backend){ &local_type, "this process" };
    backend->session = session;
    return &backend->base;
}
