/* repl/backend.h: where a shell's statements run: in this process, or on a server. */
#pragma once
#include "engine/bidsql.h"
#include "runtime/runtime.h"

typedef struct Backend Backend;

typedef struct BackendType {
    /* As session_run: results and notices go to `output`, from this thread. */
    Error *(*run)(Backend *backend, const char *text, size_t length, const SessionOutput *output);
    /* Ends what `run` does soon: it returns ERR_INTERRUPTED. Async-signal-safe. */
    void (*interrupt)(Backend *backend);
    void (*progress)(Backend *backend, SessionProgress *progress); /* from any thread */
    /* Lines about what happens in the background, from any thread, which must not call the backend; say NULL: none any more. NULL: nothing happens there. */
    void (*listen)(Backend *backend, void (*say)(void *caller, const char *line), void *caller);
    /* For completion. In `arena`. */
    const char *const *(*names)(Backend *backend, SessionNames kind, Arena *arena, int *count);
    const char *const *(*columns)(Backend *backend, Arena *arena, const char *relation, int *count);
    const char *(*usage)(Backend *backend, Arena *arena, const char *function); /* NULL: not known */
    void (*free)(Backend *backend);
} BackendType;

struct Backend {
    const BackendType *type;
    const char *place;      /* "this process", a URL */
};

/* A session that is asked to check or explain only. It is the backend's from now on. */
Backend *backend_local(Session *session);
/* Queries that go on run in the background of this process. data_directory: what there is outlives the shell; NULL: it does not. */
Error *backend_runtime(const SessionOptions *options, const char *data_directory, Backend **backend);
/* As session_set, session_define. */
Error *backend_runtime_set(Backend *backend, const char *name, const char *value);
Error *backend_runtime_define(Backend *backend, const char *name, const char *value);
Session *backend_runtime_session(Backend *backend); /* what SELECT runs in */
/* A server at "http://127.0.0.1:8088". user: "name:password", or a token; certificates: a PEM file to trust; each may be NULL. ERR_CONNECT when nobody answers. */
Error *backend_server(const char *url, const char *user, const char *token, const char *certificates, Backend **backend);
