/* repl/backend.h: where a shell's statements run: in this process, or on a server. */
#pragma once
#include "engine/bidsql.h"

typedef struct Backend Backend;

typedef struct BackendType {
    /* As session_run: results and notices go to `output`, from this thread. */
    Error *(*run)(Backend *backend, const char *text, size_t length, const SessionOutput *output);
    /* Ends what `run` does soon: it returns ERR_INTERRUPTED. Async-signal-safe. */
    void (*interrupt)(Backend *backend);
    void (*progress)(Backend *backend, SessionProgress *progress); /* from any thread */
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

/* The session is the backend's from now on. */
Backend *backend_local(Session *session);
/* A server at "http://127.0.0.1:8088". user: "name:password", or a token; certificates: a PEM file to trust; each may be NULL. ERR_CONNECT when nobody answers. */
Error *backend_server(const char *url, const char *user, const char *token, const char *certificates, Backend **backend);
