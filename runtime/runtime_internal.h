/* runtime/runtime_internal.h: what the files of the room share. Private to it.
 *
 * Locks, in the order in which they are taken:
 *   control   the planner, the catalog, the list of queries, the data directory: statements, restarts, checkpoints
 *   step      of each query, its job: held for a few turns at a time; several only by who holds `control`
 *   (a channel's own)
 *   tasks     who is ready to run
 * memory_raise leaves through the innermost guard: whatever allocates under a lock does so under a guard of its own. */
#pragma once
#include <pthread.h>

#include "common/secrets.h"
#include "connectors/channel.h"
#include "parser/parser.h"
#include "planner/catalog.h"
#include "planner/planner.h"
#include "runtime/runtime.h"

typedef struct Store Store;           /* store.c: the catalog's database */
typedef struct PreparedQueries PreparedQueries; /* prepared.c */
typedef struct Checkpoints Checkpoints; /* checkpoint.c: snapshots as files */
typedef struct ProcessingLog ProcessingLog; /* processing_log.c */

typedef enum TaskState {
    TASK_OFF,        /* it does not run: paused, ended, not started yet */
    TASK_IDLE,       /* it waits until until_us, or until it is woken */
    TASK_READY,      /* in the queue */
    TASK_RUNNING
} TaskState;

typedef struct Query {
    Runtime *runtime;
    Arena *arena;                /* text, plan: as long as the query */
    const char *id, *sql, *sink; /* sql: without its secrets; sink NULL: subscribers */
    const char *secret_sql;      /* sql with them; NULL: a push query's */
    const char **sources; int source_count; /* names of entries that its plan reads from.. */
    const char **channels; int channel_count; /* ..and the channels that it reads */
    const char **fills; int fill_count; /* channels that it writes */
    bool persistent;
    bool defines;                /* by CREATE: it goes with its sink */
    bool keeps;                  /* a table that INSERT INTO fills: it is a part of that */
    int64_t seq;                 /* its statement's place in the catalog's history */
    pthread_mutex_t inserting;   /* keeps: by whoever inserts a row; before control */
    int64_t *written; size_t written_count, written_capacity; /* keeps: stored INSERTs whose rows it has got; under control */
    const Plan *plan;
    atomic_int references;       /* the runtime's, each subscription's */

    /* under control */
    QueryState state;
    char *reason;
    int restarts, failures;      /* failures: since there was progress */
    bool opened_again;           /* not by the statement that made it: others wait while it is opened, and it is tried again */
    bool state_stored;           /* false: the store does not know of its state yet */
    bool uncovered;              /* it has ended, but no snapshot of those who read what it made knows everything: after a crash it has not ended */
    bool recovered;              /* its state comes from a snapshot: what its tables hold it has seen */
    int64_t started_us;

    /* under step */
    pthread_mutex_t step;
    atomic_int waiting;          /* for `step`, beside the thread that runs it */
    Job *job;                    /* NULL: none is open */
    bool ended;                  /* it has had its last turn, and maintenance has not looked at it yet */
    ChannelPort port;
    TraceContext started_in;     /* the span of its start: what its turns are linked to */
    int64_t next_trace_us;       /* no turn is traced before */

    /* under tasks */
    TaskState task;
    bool woken;
    int64_t until_us, deficit_ns;
    struct Query *next_ready;
    bool in_trouble;             /* its job has failed or ended: maintenance is to look at it */
    Error *failure;              /* why; NULL: it has ended well */
    int64_t retry_us;            /* when it starts again; TIME_MAX: it does not rest */
    QueryInfo info;              /* counters as of its last turn */

    /* for the processing log */
    atomic_bool unlogged;        /* it reads the log, and leaves nothing there */
    _Atomic uint64_t log_left_out; /* rows that it was not told of */
    _Atomic int64_t log_second;  /* of its last entry */
    uint32_t log_count;          /* entries of that second; on its job's thread */

    /* of a push query, under feed */
    pthread_mutex_t feed;
    Subscription *subscribers;
    const char *share_key;       /* what is asked for: who asks the same may read the same query. share.c */
    bool joins_now;              /* whoever comes may read it from there on; else he catches up with a query of his own */
    bool has_twin;               /* there is, or was, another query that was asked for the same */
    bool wants_twin;             /* it has nothing to do: perhaps it stands where its twin does. Under tasks */
    int64_t twin_us, twin_rest_us; /* when to look for it again, and how long to rest after that */
    uint64_t lost_rows;          /* that its sources had no room for, as its subscribers know */
    Schema schema;               /* of what subscribers get */
    bool prints;                 /* PRINT: it has a thread and no job.. */
    atomic_bool print_ends;      /* ..which is to end */
    const QueryOptions *pull;    /* of a pull query: who gets its rows */
    const JobOptions *hosted;    /* of a job that a session in the runtime runs: how it is opened */
    bool over;                   /* nothing comes any more */
    Error *end;                  /* why; NULL: it ended well */

    /* checkpoints */
    uint64_t checkpoint, checkpoint_turns;
    int64_t checkpoint_us;
    struct Query *next;          /* in order of their making */
} Query;

/* Locks: control, then a query's feed, then a subscription's own. */
struct Subscription {
    char *id;                    /* its own, also where several read one query */
    Query *origin;               /* the query that was made for it, or that it came to first: its header's schema lives there */
    QueryHeader header;
    QueryOptions options;
    uint64_t room_rows;
    Subscription *next;          /* under the query's feed */
    pthread_mutex_t lock;        /* of the rest */
    Query *query;                /* that it reads; changes under control, too */
    uint64_t queued_rows, dropped;
    Batch **ring; uint32_t capacity, first, count;
    bool holds;                  /* the query waits until there is room */
    bool closed;                 /* somebody has ended it by its id */
    bool over;                   /* its query has ended, and does not change any more */
    bool told;
};

struct Runtime {
    RuntimeOptions options;
    ConnectorContext connectors;
    ChannelPort planner_port;    /* tells the planner that streams live in a server */
    MemoryPool pool;
    Channels *channels;

    pthread_mutex_t control;
    Catalog *catalog;
    Planner *planner;
    Arena arena;
    struct { Arena **items; int count, capacity; } texts; /* trees that the catalog points to */
    Query *queries;              /* in order of their making */
    uint64_t next_query, next_push;
    _Atomic uint64_t epoch;      /* of the catalog and the queries: what was learned before holds no more */
    PreparedQueries *prepared;
    _Atomic uint64_t pull_count;
    int persistent_count, push_count;
    int print_count;             /* threads of PRINT; under tasks */
    atomic_int subscription_count;
    Store *store;                /* NULL: nothing outlives the runtime */
    Checkpoints *checkpoints;
    ProcessingLog *log;          /* NULL: there is none */
    int64_t next_checkpoint_us;

    pthread_mutex_t tasks;
    pthread_cond_t changed;
    Query *ready_first, *ready_last;
    struct { pthread_t *items; int count; } threads;
    bool stopping, maintaining;
    atomic_bool interrupted;     /* what runs on callers' threads ends */
    atomic_int analyses;         /* EXPLAIN ANALYZE that run now */
    bool trouble;                /* some query is in trouble */
    int64_t next_timer_us;       /* no idle query is due before */
    int64_t next_retry_us;       /* when a query that failed starts again */
    RuntimeMetrics metrics;
};

struct RuntimeSession {
    Runtime *runtime;
    Arena arena;
    struct { const char **items; int count, capacity; } names, values, variables, variable_values;
    Session *hosted;             /* of that: */
    struct Host *host;           /* host.c; NULL: there is no session that runs what ends with the call */
    bool from_now;               /* auto.offset.reset = latest: push queries over tables begin with what changes */
    int64_t analyze_us;          /* explain.analyze.time; 0: the default */
    const char *query_id;        /* of the next query that INSERT starts; NULL: a new one */
};

/* ---- runtime.c ---- */
void runtime_event(Runtime *runtime, const char *query_id, const char *what, const char *format, ...) __attribute__((format(printf, 4, 5)));
int64_t runtime_now(const Runtime *runtime);
/* The session's settings become the planner's. Under control. */
Error *session_begin(RuntimeSession *session);
/* SET, UNSET (value NULL) in a session. */
Error *session_setting(RuntimeSession *session, const char *name, const char *value, Span name_at, Span value_at);
/* One that the planner does not know. */
bool session_owns_setting(const char *name);
/* There is none of that name. */
Error *session_no_setting(RuntimeSession *session, const char *name, Span at);
void runtime_session_variable(RuntimeSession *session, const char *name, const char *value);
/* The settings as SET statements, for the store. */
const char *session_settings_sql(RuntimeSession *session, Arena *arena);
Error *runtime_session_parse(RuntimeSession *session, Arena *arena, const char *text, size_t length, AstScript *script);

/* ---- query.c: a query from its plan to its end; all under control ---- */
/* A query that has not been opened. It takes over the arena (of the heap) with everything in it. */
Query *query_new(Runtime *runtime, Arena *arena, const Plan *plan, const char *id, const char *sql, bool persistent);
void query_retain(Query *query);
void query_release(Query *query);
/* Opens its job and gives it what the tables that it reads hold (with_tables). It does not run yet. */
Error *query_open(Query *query, bool with_tables);
void query_link(Query *query);   /* into the runtime's list */
void query_unlink(Query *query);
/* Gives its open job what the tables that it reads hold. */
Error *query_feed(Query *query);
/* Closes its job, at a turn's end. */
Error *query_close(Query *query);
void query_set_state(Query *query, QueryState state, const char *reason);
Query *query_find(Runtime *runtime, const char *id);
/* The query that makes the entry of that name, or NULL. */
Query *query_of_entity(Runtime *runtime, const char *name);
bool plan_keeps_table(const Plan *plan);
bool query_reads(const Query *query, const char *name);
/* Does the one write a channel that the other reads? */
bool query_feeds(const Query *writer, const Query *reader);
/* Its counters, also while it does not run. */
void query_note(Query *query);
/* All channels of its group: queries that are linked by channels, it among them, producers first. */
int query_group(Runtime *runtime, Query *query, Arena *arena, Query ***group);

/* ---- tasks.c: threads, and whose turn it is ---- */
Error *tasks_start(Runtime *runtime);
void tasks_stop(Runtime *runtime);
void task_start(Query *query);   /* runs it from now on */
/* Takes it off; when this returns no thread steps it. */
void task_stop(Query *query);
void task_wake(void *query);      /* JobOptions.on_wake */
void task_lock(Query *query);    /* query->step, before its thread takes it again */
void task_unlock(Query *query);
void tasks_wait(Runtime *runtime); /* until a query that is off is woken, or for a moment */
void tasks_wake_maintenance(Runtime *runtime);

/* ---- maintain.c: what happens beside the queries: failures, restarts, checkpoints ---- */
/* Does what is due; returns when the next thing is. Under no lock. */
int64_t maintain(Runtime *runtime);
/* Closes its job; it is tried again after a while where that can help, else it has ended. Takes the error. */
void query_fail(Query *query, Error *error);

/* ---- point.c ---- */
/* The keys whose rows alone can come through a plan. */
typedef struct PointKeys {
    Value **keys; int count;     /* each a Value for each of the table's key columns.. */
    bool whole;                  /* ..or, if not, for the first table_group_count of them */
} PointKeys;
/* Which rows of the table that `stream` names can come through? `table`: the sink that keeps it. False: any. */
bool point_keys(const Plan *plan, const char *stream, const PlanNode *table, Arena *arena, PointKeys *keys);

/* Does the plan ask for nothing else of the row of a key? */
bool point_is_all(const Plan *plan, const char *stream, const PlanNode *table);
/* Its scan of the stream. */
const PlanNode *point_scan(const Plan *plan, const char *stream);

/* ---- key.c: rows by their key, without SQL ---- */
/* A value as it stands in a statement, of the types whose literals are their text; false: the text is no such value, or the type is another. */
bool key_literal(Arena *arena, const Type *type, const char *text, Value *value);

/* ---- select.c ---- */
Error *pull_rows(void *caller, int output, const Batch *batch); /* JobOptions.on_rows */

/* ---- feed.c: push queries ---- */
Error *feed_rows(void *caller, int output, const Batch *batch); /* JobOptions.on_rows */
void feed_end(Query *query, Error *error); /* takes over the error */
/* One more subscriber, who gets what comes from now on. Under control. */
Subscription *feed_subscribe(Query *query, const char *id, const QueryOptions *options);
/* Its only subscriber has so much to read that the query may wait for him. */
bool feed_is_full(Query *query);
/* Sources have lost rows that it should have read: subscribers are told. Under step. */
void feed_note_losses(Query *query);
/* All subscribers of `from` go on with what comes from `to`. Under control, and step of both. */
void feed_move(Query *from, Query *to);
/* The subscription of that id; NULL: there is none. Under control. */
Subscription *feed_find(Runtime *runtime, const char *id);
/* It has enough; false: that is known. Under control. */
bool feed_close(Subscription *subscription);
/* Nobody reads the query any more. Under control. */
void feed_end_query(Query *query);

/* ---- print.c: PRINT ---- */
/* Runs in a thread of its own from now on, until feed_end_query or LIMIT. `planned` lives in the query's arena. Under control. */
Error *print_start(Query *query, const PlannedStatement *planned, SchemaRegistry *registry);
void print_stop(Query *query); /* it ends soon; without waiting */
void prints_wait(Runtime *runtime); /* until none runs */

/* ---- share.c: queries that many ask for cost one job ---- */
/* Says what the query is asked for, and who may join it. Under control. */
void share_prepare(Query *query, RuntimeSession *session, const AstStatement *statement);
/* A query like that which whoever comes may read from there on; NULL: there is none. Under control. */
Query *share_find(Query *query);
/* The query is in the list: others of its kind are told of it. Under control. */
void share_announce(Query *query);
/* Queries that stand where others of their kind do are given up for those. Returns when to look again. Under control. */
int64_t share_join(Runtime *runtime);

/* ---- store.c: the catalog in SQLite ---- */
typedef struct StoredStatement {
    int64_t seq;
    const char *entity;          /* the stream, table .. that goes with it; NULL: a query alone */
    const char *sql, *settings;
    const char *query_id;        /* NULL: it starts none */
    QueryState state;            /* of the query */
    const char *reason;
    uint64_t fingerprint;        /* of its plan */
    bool replaces;               /* queries of earlier statements about the entity are over */
    uint64_t next_query;         /* number of the next query */
} StoredStatement;
Error *store_open(Runtime *runtime, const char *directory, Store **store);
void store_close(Store *store);
/* One statement, durable when it returns. Sets statement->seq. */
Error *store_add(Store *store, StoredStatement *statement);
/* Everything about the entity and the query (either may be NULL) goes. */
Error *store_remove(Store *store, const char *entity, const char *query_id);
Error *store_state(Store *store, const Query *query);
/* The query is over: what it has made stays. */
Error *store_terminate(Store *store, const char *query_id);
/* An INSERT into a table of the process (entity, sql, settings), until it is forgotten. Sets statement->seq. */
Error *store_insert(Store *store, StoredStatement *statement);
Error *store_insert_forget(Store *store, const int64_t *seqs, size_t count);
/* Those that are not forgotten, in order. */
Error *store_insert_list(Store *store, Arena *arena, StoredStatement **statements, int *count);
/* All statements in order, in `arena`. */
Error *store_list(Store *store, Arena *arena, StoredStatement **statements, int *count, uint64_t *next_query);

/* ---- checkpoint.c ---- */
Error *checkpoints_open(Runtime *runtime, const char *directory, Checkpoints **checkpoints);
void checkpoints_close(Checkpoints *checkpoints);
/* Snapshots what has changed since the last time and writes it. Under control. */
Error *checkpoints_take(Runtime *runtime);
/* What its channels hold for it is worked off when this returns, unless it is paused or fails. Under control. */
void query_work_off(Query *query);
/* Reads the query's state back into its open job. *found false: there is none. */
Error *checkpoint_restore(Query *query, bool *found);

/* ---- trace.c: spans; NULL: nobody wants it. Ended by trace_end_with, which takes the error's message ---- */
TraceSpan *trace_select(Runtime *runtime, const char *text, size_t length, TraceScope *scope);
TraceSpan *trace_query(Query *query, const char *name, TraceScope *scope); /* under control */
void trace_end_with(TraceSpan *span, TraceScope *scope, const Error *error);
/* One turn of its job, under step. */
Error *step_traced(Query *query, JobStep *step);

/* ---- restore.c ---- */
/* Brings back what the store knows. Under control. */
Error *runtime_restore(Runtime *runtime);
