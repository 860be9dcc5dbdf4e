/* server/server_internal.h: what the files of the room share. Private to it. */
#pragma once
#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>

#include "common/secrets.h"
#include "common/str.h"
#include "http/http.h"
#include "server/limits.h"
#include "server/server.h"

typedef struct Workers Workers;
typedef struct Users Users;
typedef struct Cluster Cluster;

struct Server {
    ServerOptions options;
    Arena arena;
    const char *address;           /* listened on: with its port, once it listens */
    const char *url;
    Runtime *runtime;
    HttpServer *http;
    Workers *workers;
    int worker_count;
    atomic_int waiting_pulls;      /* workers that wait for slow peers */
    Users *users;                  /* NULL: nobody is asked */
    Cluster *cluster;              /* what other servers have said */
    Limiter *address_limiter, *user_limiter; /* the loop's; NULL: there is no limit */
    atomic_ulong limited_addresses, limited_users; /* requests that came too soon */
    Tracer *tracer;                /* NULL: nothing is traced */
    FileSystem *files;             /* those that SQL may name */
    TopicLogs *topics;             /* in memory; NULL: a broker's */
    char id[40];                   /* of this server, kept with its data */
    int64_t started_us;
    atomic_bool ready, stopping;
    atomic_long commands;          /* statements done: ksqlDB's commandSequenceNumber */
    atomic_ulong answers[6];       /* by hundreds of the status */
    atomic_ulong slow_rows;        /* dropped for slow subscribers */
    pthread_mutex_t streams_lock;
    struct PushStream *streams;    /* open push queries */
    int stream_count;
    struct PushStream *pulls;      /* pull queries that run */
    atomic_ulong stopped_pulls;    /* that took too long */
};

typedef enum Role { ROLE_NONE, ROLE_READER, ROLE_ADMIN } Role;

/* A request on its way through the server. */
typedef struct Call {
    Server *server;
    HttpExchange *exchange;        /* retained */
    const HttpRequest *request;
    Arena arena;
    const char *captures[4];       /* what stood in the path for each * */
    Role role;
    const char *user;
    const struct Route *route;
} Call;

/* What an exchange is for, once it is for something that goes on. */
typedef struct ExchangeUse {
    enum { USE_PUSH, USE_INSERTS } kind;
} ExchangeUse;
/* From any thread, once. If the peer has gone meanwhile the use is told at once. */
void exchange_use(HttpExchange *exchange, ExchangeUse *use);

/* ---- workers.c: threads for what may block ---- */
Error *workers_new(int threads, size_t most_waiting, Workers **workers);
void workers_free(Workers *workers);                      /* waits for what runs; what waits is run, too */
bool workers_add(Workers *workers, void (*run)(void *what), void *what); /* false: too much waits */

/* ---- router.c ---- */
extern const HttpHandler router_handler;
typedef struct Route {
    const char *method, *path;     /* "*" in the path: one part of it */
    void (*run)(Call *call);
    Role role;                     /* ROLE_NONE: anybody */
    bool blocks;                   /* on a worker; else on the loop's thread */
    bool (*try)(Call *call);       /* of one that blocks, on the loop's thread: false: it would, nothing is answered yet. May be NULL */
} Route;
extern const Route ksql_routes[], cluster_routes[], v1_routes[], health_routes[], metrics_routes[]; /* each ended by a NULL path */

/* ---- answers ---- */
void answer_text(Call *call, int status, const char *content_type, const char *text, size_t length);
void answer_json(Call *call, int status, json_t *json);   /* takes it over */
/* ksqlDB's error objects: the status is code / 100. */
void answer_ksql_error(Call *call, int code, const char *message);
json_t *ksql_error(int code, const char *message);
/* The code for one of our errors, and its text with the place in the statement. */
int ksql_error_code(const Error *error);
/* A list of objects: message, place, hint of each. */
json_t *errors_json(const Error *errors, const char *text, size_t length);
void error_message(const Error *error, const char *text, size_t length, Text *message);

/* ---- ksql_entities.c ---- */
/* What a statement gave, as ksqlDB's entity, in two steps: while the runtime does the statement it must not be asked anything. */
typedef struct KsqlEntity {
    json_t *json;                  /* NULL: there is none */
    RuntimeShow show;
    bool extended;
    bool some;                     /* json holds those that are asked for */
    char *name, *query_id, *text;
} KsqlEntity;
void ksql_entity_begin(Server *server, const RuntimeResult *result, KsqlEntity *entity);
json_t *ksql_entity_end(Server *server, KsqlEntity *entity); /* releases it */
void ksql_type_text(const Type *type, Text *text);
json_t *ksql_schema(const Type *type);

/* ---- ksql_rows.c: rows in ksqlDB's forms ---- */
typedef enum RowsFormat { ROWS_DELIMITED, ROWS_JSON_ARRAY, ROWS_KSQL_JSON, ROWS_WEBSOCKET, ROWS_EVENTS, ROWS_CHANGES } RowsFormat;
void rows_header(RowsFormat format, const QueryHeader *header, Text *out);
/* *count: rows so far; a row's separator depends on it. */
void rows_batch(RowsFormat format, const QueryHeader *header, const Batch *batch, uint64_t *count, Text *out);
void rows_error(RowsFormat format, const char *message, uint64_t *count, Text *out);
void rows_end(RowsFormat format, const char *final_message, uint64_t count, Text *out);
const char *rows_content_type(RowsFormat format);

/* ---- push.c: push queries and their peers ---- */
/* Runs the SELECT and answers: a pull query at once, a push query until somebody ends it. */
void run_select(Call *call, RuntimeSession *session, const char *sql, size_t length, RowsFormat format);
void push_room(ExchangeUse *use);
void push_gone(ExchangeUse *use);
void push_stop_all(Server *server);
/* Ends pull queries that take too long. */
void push_check_time(Server *server);

/* ---- inserts.c ---- */
void inserts_begin(Server *server, HttpExchange *exchange);
void inserts_body(ExchangeUse *use, const char *bytes, size_t length, bool end);
void inserts_gone(ExchangeUse *use);

/* ---- cluster.c ---- */
Cluster *cluster_new(void);
void cluster_free(Cluster *cluster); /* NULL is fine */

/* ---- sessions ---- */
/* A session with the request's settings and variables (objects of strings; may be NULL). */
Error *session_for(Call *call, const char *dialect, const json_t *settings, const json_t *variables, RuntimeSession **session);

/* ---- users.c ---- */
Error *users_load(const char *path, Users **users);
void users_free(Users *users);
/* By the Authorization header. ROLE_NONE: nobody that is known. */
Role users_check(Users *users, const char *authorization, const char *peer, const char **name);

/* ---- guard.c: what a request must be before anything is done for it ---- */
/* True: go on, call->role is set. False: it is answered. */
bool guard_request(Call *call, Role needed);
/* May the server listen so? */
Error *guard_options(const ServerOptions *options);
bool address_is_loopback(const char *address);
/* Does the text change nothing but its session? What a reader may run. */
bool script_only_reads(const char *text, size_t length);
/* Is it PRINT alone? */
bool script_prints(const char *text, size_t length);

/* ---- traces.c: a span for each request; on the loop's thread ---- */
typedef struct RequestTrace {
    TraceSpan *span;               /* NULL: nobody wants it */
    TraceContext context;
} RequestTrace;
Error *traces_start(Server *server);
void request_trace_begin(Server *server, const HttpRequest *request, RequestTrace *trace); /* trace: zeroed */
void request_trace_route(RequestTrace *trace, const Call *call); /* where it goes and who it is are known */
void request_trace_end(RequestTrace *trace, int status);  /* of the answer; 0: there was none */

/* ---- log.c ---- */
void server_log(Server *server, const char *level, const char *message, const char *const *names_and_values); /* NULL-ended pairs */
