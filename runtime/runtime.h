/* runtime/runtime.h: persistent queries: what a server is, without its doors. The room's door.
 *
 * A Runtime owns one catalog, the queries that run in the background, and the threads that run them. Front doors (REST, the shell) speak to it through
 * sessions, of any number, from any thread. It prints nothing and listens nowhere: statements come back as data. All functions are thread-safe unless
 * they say otherwise; callbacks come on the thread that is named. */
#pragma once
#include <pthread.h>

#include "common/batch.h"
#include "common/clock.h"
#include "common/filesystem.h"
#include "common/options.h"
#include "connectors/topic_log.h"
#include "engine/bidsql.h"
#include "exec/exec.h"
#include "telemetry/trace.h"

typedef struct Runtime Runtime;
typedef struct RuntimeSession RuntimeSession;
typedef struct Subscription Subscription;

#define RUNTIME_NO_THREADS (-1)

/* Something that whoever runs the server wants to know: a query failed, a snapshot could not be written. */
typedef struct RuntimeEvent {
    const char *query_id;         /* NULL: of the runtime itself */
    const char *what;             /* "started", "failed", "restarts", "error", "terminated", "completed", "checkpoint", "checkpoint failed", "restored" */
    const char *detail;           /* a sentence; may be "" */
} RuntimeEvent;

typedef struct RuntimeOptions {
    Clock *clock;                 /* NULL: the system's */
    FileSystem *filesystem;       /* of the data directory. NULL: the system's */
    FileSystem *sql_filesystem;   /* of the files and databases that statements name; NULL: the same */
    int threads;                  /* 0: all cores. RUNTIME_NO_THREADS: queries run in runtime_work alone, for tests */
    const char *data_directory;   /* NULL: nothing outlives the runtime */
    const char *base_directory;   /* relative paths in SQL; NULL: the current directory */
    const char *dialect;          /* of sessions that say nothing else; NULL: 'bidsql' */
    int64_t checkpoint_interval_us; /* 0: a second */
    int64_t memory_limit_bytes;   /* of all queries together; 0: none */
    int64_t query_memory_limit_bytes; /* of each; 0: none */
    int max_queries;              /* persistent ones; 0: 1000 */
    int max_subscriptions;        /* 0: 10000 */
    uint64_t subscription_rows;   /* that wait for a slow subscriber; 0: 8192 */
    uint64_t max_bad_rows;        /* of a query; 0: no bound */
    int64_t retry_first_us, retry_last_us; /* how long a query that failed rests before it starts again: doubling. 0: 0.2 s, 30 s */
    int retry_count;              /* so many failures without progress: ERROR. 0: 10 */
    int log_rows;                 /* entries of the processing log that are kept for who comes later; 0: there is no such log */
    bool count_nodes;             /* what each operator of a query does: JobStatus.nodes */
    bool log_records;             /* they show the bytes of wrong rows, too */
    TopicLogs *topics;            /* tests: topics are these logs; the caller's */
    Tracer *tracer;               /* the caller's; NULL: nothing is traced */
    int64_t trace_turn_interval_us; /* of each query at most one turn in that time is traced. 0: 10 s; negative: none */
    void (*event)(void *caller, const RuntimeEvent *event); /* on any thread; must not call the runtime. May be NULL */
    void *caller;
} RuntimeOptions;

/* Opens the data directory and brings back what ran there. A query that cannot come back is in state ERROR; an Error is about the runtime as a whole
 * (the directory belongs to another process, the catalog does not open). */
Error *runtime_new(const RuntimeOptions *options, Runtime **runtime);
/* Stops in good order: queries end between two turns, their state is written. Sessions and subscriptions are gone. */
void runtime_free(Runtime *runtime);
/* What runs for callers (EXPLAIN ANALYZE) ends soon, for good: the runtime is about to be freed. */
void runtime_stop_callers(Runtime *runtime);
/* Runs whatever is ready now, on this thread, until nothing is; returns when the next thing is due on the clock (TIME_MAX: nothing before something
 * happens). Only with RUNTIME_NO_THREADS. */
int64_t runtime_work(Runtime *runtime);
/* Writes the state of all queries now. */
Error *runtime_checkpoint(Runtime *runtime);

/* ---- sessions: settings and variables of one client; one thread at a time ---- */

Error *runtime_session_new(Runtime *runtime, RuntimeSession **session);
void runtime_session_free(RuntimeSession *session); /* NULL is fine */
/* A setting, as SET makes it. ERR_USAGE when there is none of that name. value NULL: the default. */
Error *runtime_session_set(RuntimeSession *session, const char *name, const char *value);
Error *runtime_session_define(RuntimeSession *session, const char *name, const char *value);
/* The id of the query that the next INSERT INTO .. SELECT starts, where its statement names none. */
void runtime_session_query_id(RuntimeSession *session, const char *id);

/* A session of engine/ over the same catalog, streams and tables, for what runs on its caller's thread and ends with the call: SELECT, EXPLAIN ANALYZE, EXPLAIN WHY NO OUTPUT, ASSERT
 * VALUES, PRINT, with all of `options`: threads, limits. From now on runtime_execute hands such statements on as RESULT_HOSTED. For one thread; free it after the runtime, as the
 * catalog may point to its texts. */
Error *runtime_host(RuntimeSession *session, const SessionOptions *options, Session **hosted);

/* ---- statements ---- */

typedef enum RuntimeResultKind {
    RESULT_STATUS,        /* something was made, changed, dropped, started: entity, action, query_id, message */
    RESULT_ROWS,          /* SHOW, DESCRIBE, EXPLAIN: `rows`; `show` says of what */
    RESULT_SELECT,        /* a SELECT stands here: it was not run. Its text goes to runtime_query */
    RESULT_HOSTED,        /* a statement for the session that runtime_host has made: it was not run */
    RESULT_SCRIPT         /* RUN SCRIPT entity_name, likewise: only where there is such a session */
} RuntimeResultKind;

typedef enum RuntimeShow {
    SHOW_OTHER, SHOW_STREAMS, SHOW_TABLES, SHOW_VIEWS, SHOW_QUERIES, SHOW_FUNCTIONS, SHOW_TOPICS, SHOW_TYPES, SHOW_VARIABLES, SHOW_PROPERTIES, SHOW_LAG,
    SHOW_DESCRIPTION,     /* DESCRIBE: of `entity_name` */
    SHOW_FUNCTION,        /* DESCRIBE FUNCTION */
    SHOW_PLAN,            /* EXPLAIN of a statement */
    SHOW_QUERY            /* EXPLAIN of the query `query_id` */
} RuntimeShow;

typedef struct RuntimeRows {
    Schema schema;
    const Value *rows;            /* row-major */
    int row_count;
    bool preformatted;            /* one column whose rows are lines of text */
} RuntimeRows;

typedef struct RuntimeResult {
    RuntimeResultKind kind;
    const char *text; size_t length; /* of the statement, as written, without its secrets */
    const char *entity_type;      /* "stream", "table", "view", "type", "function", "query", "setting", "variable"; or NULL */
    const char *entity_name;
    const char *action;           /* "create", "drop", "alter", "insert", "terminate", "pause", "resume", "set" */
    const char *query_id;         /* the query that was started, ended.. */
    const char *message;          /* for people */
    RuntimeShow show;
    bool extended;
    bool some;                    /* SHOW .. LIKE: not all that there are */
    RuntimeRows rows;
} RuntimeResult;

/* One statement after the other, on the calling thread. */
typedef struct RuntimeOutput {
    Error *(*result)(void *caller, const RuntimeResult *result);
    void *caller;
} RuntimeOutput;

/* Checks all statements of the text, then does them in order; stops at the first that fails (*failed, if not NULL, is its place in the text). If the check
 * finds a mistake, nothing is done. Queries run in the background from the moment on at which the whole text is done. check_only: nothing but the check. */
Error *runtime_execute(RuntimeSession *session, const char *text, size_t length, bool check_only, const RuntimeOutput *output, Span *failed);

/* ---- what there is ---- */

typedef enum QueryState { QUERY_RUNNING, QUERY_PAUSED, QUERY_ERROR, QUERY_COMPLETED, QUERY_TERMINATED } QueryState;
const char *query_state_name(QueryState state); /* "RUNNING" .. */

/* A query; text lives until the visit returns. */
/* Rows that wait for a query. ratio: of the room for them; above 1 where they are what a table held when it came. */
typedef struct QueueFill {
    const char *stream;
    double ratio;
} QueueFill;

typedef struct QueryInfo {
    const char *id, *sql;         /* sql: without its secrets.. */
    const char *written;          /* ..and with them, for comparing alone: nobody is shown it; NULL: a push query's */
    bool persistent;              /* else a push query */
    QueryState state;
    const char *reason;           /* why it is in state ERROR, or what failed last; NULL: nothing did */
    const char *sink;             /* what it fills; NULL: subscribers */
    const char *const *sources; int source_count;
    int restarts, subscribers;
    int64_t started_us;
    /* of the job that runs now */
    JobCounters counters;
    int64_t watermark_us;         /* TIME_MIN: none */
    int64_t busy_ns;              /* CPU time of its turns */
    int64_t state_bytes;
    uint64_t table_rows;          /* in the table that it keeps */
    bool has_table, sinks_busy;
    uint64_t checkpoint;          /* number of the last snapshot that holds its state; 0: none */
    int64_t checkpoint_us;        /* when that was */
    const QueueFill *queues; int queue_count; /* streams and tables of the process that it reads; of runtime_status */
    const Plan *plan;             /* for EXPLAIN; NULL: it does not plan any more */
} QueryInfo;

/* Visits all queries in the order in which they were made, persistent ones first. */
void runtime_queries(Runtime *runtime, void (*visit)(void *caller, const QueryInfo *query), void *caller);

/* The same with what the job of each says of itself: splits and their lag, time without input and without room, latency. id NULL: all queries. False: there is
 * none of that id. */
bool runtime_status(Runtime *runtime, const char *id, void (*visit)(void *caller, const QueryInfo *query, const JobStatus *status), void *caller);

typedef struct EntityInfo {
    const char *name, *type;      /* "stream", "table", "view", "type", "function" */
    const char *sql;              /* the statement that made it, without its secrets.. */
    const char *written;          /* ..and with them, for comparing alone: nobody is shown it */
    const char *connector, *topic, *key_format, *value_format; /* NULL: none */
    bool windowed, read_only;
    const char *window_type;      /* "TUMBLING" ..; NULL */
    const Schema *schema;         /* is_key says which columns are */
    const char *timestamp_column; /* NULL: none is named */
    const char *const *readers; int reader_count; /* ids of queries that read it.. */
    const char *const *writers; int writer_count; /* ..and write it */
} EntityInfo;

/* Visits all entities in order of name, or the one of that name (as SQL finds it). False: there is none. */
bool runtime_entities(Runtime *runtime, const char *name, void (*visit)(void *caller, const EntityInfo *entity), void *caller);

/* ---- SELECT ---- */

typedef struct QueryHeader {
    const char *id;
    const Schema *schema;         /* is_key marks the key's columns */
    bool updating;                /* rows carry kinds */
    bool continuous;              /* a push query: rows come until it is closed */
    bool lines;                   /* PRINT: a column of text, to be shown as it is */
} QueryHeader;

/* By which another thread ends a pull query that takes too long: the caller's, from before runtime_query to its return. */
typedef struct QueryStop {
    pthread_mutex_t lock;
    Job *job;                     /* that runs; NULL: none */
    bool stopped;
} QueryStop;
void query_stop_init(QueryStop *stop);
void query_stop_release(QueryStop *stop);
/* From any thread: runtime_query returns with ERR_INTERRUPTED after the turn at hand, or does not begin to run it. */
void query_stop(QueryStop *stop);

typedef struct QueryOptions {
    /* A query that ends by itself (a pull query): everything comes here, on the calling thread, before runtime_query returns. */
    Error *(*begin)(void *caller, const QueryHeader *header);
    Error *(*rows)(void *caller, const Batch *batch);
    /* A query that does not: from any thread, there is something to read, or it has ended. Must not call the runtime. May be NULL. */
    void (*ready)(void *caller);
    void *caller;
    uint64_t subscription_rows;   /* 0: the runtime's */
    QueryStop *stop;              /* of a pull query; NULL: it takes as long as it takes */
} QueryOptions;

/* Runs one SELECT, or PRINT, which is a push query. *subscription: of a push query, to be closed by the caller; NULL: it was a pull query, and is over. */
Error *runtime_query(RuntimeSession *session, const char *text, size_t length, const QueryOptions *options, Subscription **subscription);

const QueryHeader *subscription_header(const Subscription *subscription);
/* The next rows, the caller's to release; NULL: none now. *dropped: rows lost before them since the last read. *ended: nothing comes any more; then
 * *error says why (NULL: LIMIT was reached, or the query's input has ended), once. Never waits. */
Batch *subscription_read(Subscription *subscription, uint64_t *dropped, bool *ended, Error **error);
void subscription_close(Subscription *subscription); /* NULL is fine */
/* Ends the push query of that id for all its subscribers; false: there is none. */
bool runtime_close_query(Runtime *runtime, const char *id);

/* Which rows of a table. */
typedef struct RuntimeKey {
    const char *text;             /* the key as text, nested types as JSON; of several columns: their values with commas between, in double quotes (doubled inside) what holds any */
    const char *from, *to;        /* of a windowed table: windows that begin at `from` or later, before `to`: milliseconds since 1970 or a time; NULL: any */
} RuntimeKey;
/* The row of a table by its key, without SQL; of a windowed table (*windowed) the rows of its windows. *rows: the caller's; NULL: there is none. */
Error *runtime_pull_key(Runtime *runtime, const char *table, const RuntimeKey *key, const Schema **schema, bool *windowed, Batch **rows);
/* The same for threads that must not wait: ERR_BUSY while a statement or a turn is being done. */
Error *runtime_try_pull_key(Runtime *runtime, const char *table, const RuntimeKey *key, const Schema **schema, bool *windowed, Batch **rows);

/* ---- the whole ---- */

typedef struct RuntimeMetrics {
    int queries_running, queries_paused, queries_error, queries_completed, push_queries, subscriptions;
    int64_t memory_bytes, memory_peak_bytes;
    uint64_t checkpoints, checkpoint_failures;
    int64_t last_checkpoint_us, last_checkpoint_duration_us, last_checkpoint_bytes;
    uint64_t pull_queries, statements, failures;
    uint64_t rows_dropped;        /* by slow subscribers */
    uint64_t log_records, log_dropped, log_lost; /* of the processing log: entries; rows that came too fast for it; entries that slow readers have lost */
} RuntimeMetrics;
void runtime_metrics(Runtime *runtime, RuntimeMetrics *metrics);
