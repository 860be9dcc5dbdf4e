/* exec/job_internal.h: the parts of a running job: scans, turns, clocks, workers. Private to job.c, pipeline.c, sequencer.c, turn.c. */
#pragma once
#include <pthread.h>
#include <semaphore.h>

#include "exec/exec_internal.h"
#include "exec/record_scan.h"

#define TURNS_IN_FLIGHT 16              /* also: the clocks that choose the split of turn n are those after turn n - 16 */
#define TURN_BYTES (256 * 1024)
#define TURN_ROWS 8192                  /* of a row source */
#define RECORD_BYTES_MAX (64u << 20)    /* a longer record is a bad row */

/* ---- turns ---- */

typedef enum TurnKind {
    TURN_BATCH, TURN_IDLE, TURN_TICK, TURN_WATERMARK, TURN_END,
    TURN_FAILED             /* it could not be drawn: its error comes after the turns before it */
} TurnKind;

/* A row that went wrong in a PARALLEL part; counted and sent to the dead letters in the ORDERED part, in order of place. */
typedef struct RowEvent {
    const PlanNode *node;
    const char *stage, *column, *reason; /* in the turn's arena, as is raw */
    uint64_t position, line;             /* line 0: not counted */
    bool has_place, has_raw;             /* a row that was made of several has no place */
    Str raw;
    const RecordSet *set;                /* of the turn at hand: the message that it was, if it was one; else NULL */
    const Record *record;
    uint32_t order;                      /* of arrival: ties */
} RowEvent;

/* A split that has not started counts with its first record's time: from the turn on that was drawn next. */
typedef struct PeekedTime {
    int domain, split;
    int64_t wm_us;
} PeekedTime;

/* A batch that the PARALLEL part hands to an ORDERED operator. */
typedef struct TurnOutput {
    Operator *target;
    int input;
    int domain;
    Batch *batch;
} TurnOutput;

typedef struct Turn {
    uint64_t number;
    TurnKind kind;
    int64_t now_us;
    int scan, split;
    bool split_end;
    /* what was drawn */
    Buffer *bytes;
    size_t length;
    uint64_t position;                   /* of bytes[0], or of the first row */
    const FormatSplit *format_split;     /* what the split's first bytes say */
    bool restarted;                      /* lines are counted anew, from header_lines on */
    uint64_t header_lines;
    RowRange range;
    bool oversized;                      /* the piece is (the start of) a record that is too long */
    struct { PeekedTime *items; int count, capacity; } peeked;
    /* what the PARALLEL part made of it */
    Arena arena;
    struct { TurnOutput *items; int count, capacity; } outputs;
    struct { RowEvent *items; int count, capacity; } events;
    NodeCounters *node_counters;         /* per node, made once; NULL: not profiled */
    bool counted;                        /* something stands there */
    int8_t weight;                       /* for so many turns its time stands, see profile.c; WEIGHT_UNKNOWN: not asked yet */
    int64_t *domain_wm_us;               /* per domain, made once: largest watermark expression of this turn's rows; TIME_MIN none */
    uint64_t rows_in, line_count, byte_count;
    uint64_t lookup_hits, lookup_misses, lookup_absent;
    Error *error;                        /* comes after all outputs */
    struct { int64_t since_us, at_us, pause_us; int times; } again; /* its PARALLEL part is to be done again, as the world withholds something; since_us 0: it is not */
    bool wants_places;                   /* a row went wrong and its place is not known: see run_with_places */
    bool ready;
} Turn;

/* ---- sources ---- */

typedef struct SplitState {
    uint64_t position;         /* bytes or rows consumed */
    uint64_t kept_position;    /* .. as the last snapshot has it */
    bool kept;                 /* there is one that knows the split */
    uint64_t lines;            /* newlines before the turns done; counted only where dead letters want them */
    bool opened;               /* the format has seen its first bytes */
    bool ended;                /* nothing left to draw */
    bool idle;                 /* as the drawing sees it */
    bool ended_in_order;       /* the turn with its last rows is done */
    bool idle_in_order;        /* as the turns say: out of the minimum */
    bool skipping;             /* inside a record that is too long */
    bool waiting;              /* the last look found no data */
    bool caught_up;            /* when it was drawn last there was nothing behind that */
    bool paused;               /* left out: too far ahead of the others */
    int64_t end;               /* behind the last row that was known when drawing looked; -1: unknown */
    uint64_t last_turn;        /* that was drawn from it, plus one; 0: none */
    int64_t last_rows_us;      /* when its last rows came, as the turns say */
    int64_t waiting_since_us;
    int64_t next_at_us;        /* row sources with a rate: when to look again */
    FormatSplit *format_split;
    bool restarted;            /* the next turn's bytes are the first of the file, or of one that took its place.. */
    uint64_t header_lines;     /* ..behind so many newlines */
    uint64_t error_block, block_errors; /* ORDERED: bad ones among the 1,000 records that the last bad one stands in; see dead_letters.h */
} SplitState;

typedef struct Scan {          /* a PLAN_SCAN or PLAN_VALUES of the job */
    const PlanNode *node;
    SourceSpec source_spec;
    DecodeSpec decode_spec, decode_spec_places; /* the second one also notes each row's place: slower */
    Source source;
    RecordScan records;        /* of a record source */
    bool source_open, row_source, record_source, values, count_lines;
    bool note_places;          /* of rows that reach an operator of the ORDERED part which orders them by place, or names it when they fail */
    SplitState *splits;
    int split_count;
    int64_t error_minute; uint64_t minute_errors; /* ORDERED: bad rows in that minute of processing time */
    int64_t length_total;      /* for progress; -1 unknown */
} Scan;

/* A clock domain: the watermark of one PLAN_WATERMARK node, kept per split of the scan below it. */
typedef struct Domain {
    const PlanNode *node;
    int scan;
    int64_t *split_wm_us;      /* after the last turn; TIME_MAX when the split has ended */
    int64_t *split_last_us;    /* the largest of its rows; TIME_MIN: none */
    int64_t *visible_wm_us;    /* after turn n - 16: what chooses the next split */
    int64_t wm_us;             /* of the query: minimum over live splits; never falls */
} Domain;

/* Watermarks of turns that the choice of splits may not see yet. Written in the ORDERED part, read by drawing, under clock_lock. */
typedef struct ClockStep { int domain, split; int64_t wm_us; uint64_t turn; } ClockStep;

/* ---- operators ---- */

/* An edge out of the PARALLEL part. */
typedef struct Boundary {
    Operator *target;
    int input;
    int domain;                /* -1: no watermark on it */
} Boundary;

typedef struct WorkerContext { /* one a worker, and one (number -1) for the ORDERED part */
    OperatorContext base;      /* first: operators point to it */
    Turn *turn;
    Operator **operators;      /* by node id; NULL where the node has no instance here */
    Decoder *decoders;         /* per scan */
    RecordDecoders *record_decoders; /* per scan */
    bool *decoder_open, *places; /* per scan; places: decoding notes them from now on */
    pthread_t thread;
    int64_t nested_ns;         /* profiling: what operators did that were called from the one at hand */
} WorkerContext;

typedef enum Activity { ACTIVITY_IDLE, ACTIVITY_BUSY, ACTIVITY_BACKPRESSURED, ACTIVITY_COUNT } Activity;

/* What others see of the job, under the lock. */
typedef struct JobMetrics {
    pthread_mutex_t lock;
    struct { SplitStatus *splits; int count; } *scans;
    JobCounters counters;
    int64_t wm_us;
    Histogram latency;
    Activity activity;
    int64_t activity_since_ns, spent_ns[ACTIVITY_COUNT]; /* since 0: it has not run yet */
    NodeCounters *nodes;           /* by id, as of the last look; NULL: they are not counted */
    int64_t nodes_total_ns, nodes_waited_ns; /* the query's time, and that without room in a sink, as of then */
    int64_t nodes_noted_us;        /* ORDERED: when that was */
    int64_t noted_us;              /* drawing: when all splits were looked at */
    atomic_ullong retries;         /* connectors count them, see ConnectorContext */
} JobMetrics;

typedef struct SinkQueue SinkQueue; /* exec/sink_queue.h */

struct Job {
    Waker waker;               /* first: the job's, for its connectors */
    const Plan *plan;
    JobOptions options;
    ConnectorContext connectors;
    MemoryPool pool;
    Arena arena;               /* everything below that lives as long as the job */
    Arena operator_arena;      /* operators and their links; renewed by a restore */
    Scan *scans; int scan_count;
    Domain *domains; int domain_count;
    int *node_domain;          /* per node: the domain of its output; -1 */
    bool *parallel;            /* per node */
    bool *on_clock;            /* per node: wants `advance` every turn */
    WorkerContext *workers;    /* options.threads of them; with several threads one more, for drawing to peek with */
    int worker_count;
    WorkerContext ordered;
    struct Substreams **substreams; /* per group of the plan, from 1: exec/substreams.h */
    Sink **sinks;              /* per node: open sinks outlive the operators */
    SinkQueue **sink_queues;   /* per node: what its sink had no room for; NULL: nothing so far */
    bool *output_done;         /* per plan output: its LIMIT was reached */
    /* sequencing */
    uint64_t turns_drawn, turns_done;
    uint64_t bytes_in_flight;  /* of the turns between them */
    struct { ClockStep *items; int count, capacity; } clock_steps; /* oldest first */
    pthread_mutex_t clock_lock;
    Arena clock_arena, draw_arena; /* what the ORDERED part, and what drawing, keeps as long as the job */
    Turn ring[TURNS_IN_FLIGHT];
    Turn peek;                 /* decodes the first record of a split ahead of its turn */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool drawing, executing, finished;
    bool drained;              /* there is nothing more to draw */
    bool waiting;              /* nothing could be drawn: not before wait_until_us, or until a source wakes us */
    int64_t wait_until_us;
    Turn *again;               /* a job that is stepped: the turn that waits for another try */
    bool sinks_busy;           /* the next ORDERED part comes after room in a sink */
    bool succeeded;            /* it ended well */
    bool retired;              /* and its sinks are closed: it is there for the tables that it keeps */
    bool ending;               /* no more turns; what is left is the sinks' */
    bool full_turns;           /* the last turn that was drawn held enough for threads to share the work */
    bool sleeping;             /* a thread of job_run waits for all */
    bool aligns;               /* a scan leaves out splits that are too far ahead */
    int64_t looked_us;         /* when drawing looked at the ends of all splits */
    bool chosen_by_age;        /* as the last turn's split was */
    bool needs_ticks;          /* an operator looks at the clock: see wants_clock */
    sem_t woken;               /* posted with what follows; async-signal-safe */
    atomic_bool source_woken, sink_woken;
    bool ended;                /* every turn is done: all watermarks are TIME_MAX */
    Error *error;
    bool sequenced;            /* rows of all sources have one order, in which they are read: see SourceType.next_sequence */
    atomic_bool stop;
    JobCounters counters;
    NodeCounters *node_counters;   /* per node; NULL: not profiled */
    uint64_t flushed_rows;         /* rows_out when sinks were flushed in a quiet moment */
    struct { RowErrorSummary *items; int count, capacity; } row_errors;
    JobMetrics metrics;
    _Atomic int64_t progress_bytes;
    _Atomic uint64_t progress_rows;
    _Atomic int64_t progress_wm_us;
    _Atomic uint64_t progress_rows_out, progress_late_rows;
};

/* metrics.c: where the job stands */
void metrics_init(Job *job);
void metrics_release(Job *job);
void metrics_grow(Job *job, int scan, int known);       /* the scan has more splits than `known` */
void metrics_drawn(Job *job, const Turn *turn);
void metrics_note_splits(Job *job);                     /* all of them, by whoever may draw */
void metrics_turn_done(Job *job, const Turn *turn);     /* ORDERED */
void metrics_activity(Job *job, Activity activity);     /* from now on */

/* run.c: who executes turns */
void run_init(Job *job);
void run_release(Job *job);

/* pipeline.c: operators and the links between them */
Error *pipeline_open(Job *job);    /* instances of every node, connected */
void pipeline_close(Job *job);
Error *pipeline_release_rows(Job *job); /* the turn brings nothing more: what is held until then moves on */
Error *pipeline_advance(Job *job, bool tick); /* passes the domains' watermarks through the ORDERED operators */
Error *pipeline_end(Job *job);
Error *pipeline_push_inputs(Job *job, Turn *turn);
/* An ORDERED operator and the watermarks of its inputs: it acts (always: also where they are what they were), and its consumers hear of it. */
Error *pipeline_advance_operator(Operator *op, bool always);
void pipeline_pass_on(const Operator *op);
WorkerContext *context_worker(Operator *op);
Operator *const *pipeline_targets(Job *job, const PlanNode *node, int port, int *count);

/* sequencer.c: which split is next, and what its turn holds */
Error *sequencer_open(Job *job);
void sequencer_close(Job *job);
/* Draws the next turn. *drawn false: nothing can be drawn now; then *wait_until_us says until when to wait (TIME_MAX: all input is drawn). */
Error *sequencer_draw(Job *job, Turn *turn, bool *drawn, int64_t *wait_until_us);
/* Has a source found more splits? The next draw takes them: it must find no turn in flight. */
bool sequencer_grows(const Job *job);
/* After a restore: splits go on from their positions, knowing what their first bytes say. */
Error *sequencer_seek(Job *job);

/* split_choice.c: which split gives the next turn. All of it belongs to drawing. */
bool split_choice_next(Job *job, int64_t now_us, int *scan, int *split);
void split_choice_drawn(Job *job, const Turn *turn); /* the turn was drawn from its split */
void split_choice_look(Job *job, int64_t now_us, bool woken); /* how far splits go now */
void split_choice_align(Job *job);                   /* leaves out splits that are too far ahead */
bool split_choice_idle(Job *job, Turn *turn);        /* a split has been silent for too long: a turn of its own, as it may close windows */
int64_t split_choice_wait(const Job *job, int64_t now_us); /* nothing can be drawn before */

/* clocks.c: watermarks of splits and queries */
void clocks_become_visible(Job *job, uint64_t next_turn); /* what the choice of the turn may know */
void clocks_turn_done(Job *job, const Turn *turn);        /* ORDERED: the turn's watermarks become the split's */

/* turn.c: executing one turn */
void turn_start(Turn *turn, Job *job);
Error *turn_parallel(Job *job, WorkerContext *worker, Turn *turn);
Error *turn_ordered(Job *job, Turn *turn);
void turn_finish(Turn *turn);
/* The first record's watermark of a split that has not started; `turn` is the one that is being drawn. */
Error *turn_peek(Job *job, Turn *turn, int scan, int split);

/* profile.c: what each node does. What the PARALLEL part counts goes with its turn. */
void profile_open(Job *job);
void profile_operator(Job *job, Operator *op);
void profile_output(const Operator *op, int port, const Batch *batch);
void profile_turn_start(const Job *job, Turn *turn);
void profile_turn_done(Job *job, Turn *turn);
/* Around the decoding of a turn; `op` is the scan's. */
enum { WEIGHT_UNKNOWN = -1 };
typedef struct ProfileSpan { int64_t start_ns, outer_ns; int weight; } ProfileSpan;
ProfileSpan profile_begin(const Operator *op);
void profile_end(const Operator *op, ProfileSpan span);

/* row_errors.c */
Scan *row_errors_scan(Job *job, const PlanNode *node); /* that the node's rows come from; NULL: none */
const char *row_errors_source(const PlanNode *node);   /* as the user knows it */
Error *row_events_settle(Job *job, Turn *turn);
/* So many rows more that a sink's target refused. */
Error *row_errors_refused(Job *job, const PlanNode *sink, uint64_t count, const char *reason);
void row_errors_place(Job *job, const PlanNode *node, int split, uint64_t position, uint64_t line, Text *place);
