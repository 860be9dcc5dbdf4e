/* exec/exec.h: a physical plan -> a running job. The room's door.
 *
 * A job is a function of its turns (ARCHITECTURE.md): everything that enters it is numbered, and effects on state and sinks
 * happen in that order, whatever the number of threads. */
#pragma once
#include "common/histogram.h"
#include "planner/plan.h"

typedef struct Job Job;

/* Counters that tests compare: they change in the ORDERED part only (a restore takes them back). */
typedef struct JobCounters {
    uint64_t rows_in, rows_out, bytes_in;
    uint64_t bytes_out;       /* encoded for sinks */
    uint64_t bad_rows;        /* did not decode, or had no usable time */
    uint64_t row_errors;      /* an expression failed */
    uint64_t late_rows;       /* found none of their windows open */
    uint64_t late_windows;    /* (row, window) pairs dropped; a row late for two hops counts two */
    uint64_t turns;
    uint64_t lookup_hits, lookup_misses, lookup_absent;
    uint64_t dead_letters;    /* rows that were put aside with what is wrong with them, since the job was opened */
} JobCounters;

/* What went wrong with rows, for the summary at the end: first occurrence per source and reason. */
typedef struct RowErrorSummary {
    const char *source, *stage, *reason; /* owned by the job */
    const char *place;                   /* "bids.jsonl:17"; "" for rows made of several */
    uint64_t count;
} RowErrorSummary;

typedef struct JobProgress {
    int64_t bytes_done, bytes_total;  /* -1 unknown */
    bool in_rows;                     /* the two count rows: all input comes from generators or databases */
    uint64_t rows_in;
    int64_t watermark_us;             /* TIME_MIN: none yet */
    uint64_t rows_out, late_rows;     /* as of the last turn done */
} JobProgress;

/* A row that went wrong and did not end the job. Texts live until the call returns. */
typedef struct RowProblem {
    const char *stage;           /* "decode", "time", "expression", "sink" */
    const char *operator;        /* what found it: "Filter", .. */
    const char *source, *split, *topic; /* the stream or, of a sink, its target; the file or partition, the topic, NULL: none, or not known */
    const char *column;          /* NULL: none in particular */
    const char *reason;
    bool has_position;
    uint64_t position, line;     /* in the split; line 0: not counted */
    const char *record; size_t record_length; /* as it came; NULL: it is not at hand */
    uint64_t count;              /* so many rows alike */
} RowProblem;

/* Who is told of them: on the thread that does the turn. Must not wait, nor call the job. */
typedef struct RowLog {
    void (*problem)(void *caller, const RowProblem *problem); /* NULL: nobody */
    void *caller;
} RowLog;

typedef struct JobOptions {
    Clock *clock;
    FileSystem *filesystem;
    MemoryPool *pool;            /* the process's; may be NULL */
    int64_t memory_limit_bytes;  /* of this job; 0 none */
    int threads;                 /* of job_run, >= 1; job_step: 1 */
    bool threads_by_default;     /* nobody said how many: where a source has a thread of its own, it is one fewer */
    uint32_t batch_rows;         /* 1..BATCH_ROWS; 0: BATCH_ROWS */
    uint64_t max_bad_rows;       /* ERR_TOO_MANY_BAD beyond; UINT64_MAX: none */
    const char *base_directory;
    TopicLogs *topics;           /* see ConnectorContext */
    ChannelPort *process;        /* likewise */
    bool impatient;              /* likewise */
    RowLog row_log;
    bool count_nodes;            /* what each node does, for job_status */
    bool profile;                /* the same, and what only EXPLAIN ANALYZE and EXPLAIN WHY NO OUTPUT ask: job_node_counters */
    size_t turn_bytes;           /* 0: 256 KiB .. 512 KiB by default; tests force turns of one record with 1 */
    bool until_quiet;            /* ends, without an end of its input, when no source has anything to give now */
    bool snapshot_every_turn;    /* tests: snapshot, throw everything away, restore, at every turn boundary */
    uint64_t shuffle_seed;       /* tests: workers take turns in an order made from it; 0: as they come */
    /* Rows of outputs without connector, in turn order; the batch is the callee's to read, not to keep (retain it to keep).
     * ERR_CLOSED ends the job quietly. */
    Error *(*on_rows)(void *caller, int output, const Batch *batch); /* ERR_BUSY: the batch comes again after job_wake */
    /* What a waiting job may wait for has happened: step it. From any thread, also while it is being stepped; a signal's handler where job_stop is called from
     * one. It must not block, nor call the job. Not used by job_run. */
    void (*on_wake)(void *caller);
    void *caller;
} JobOptions;

/* Opens connectors and operators. The plan and the options' referents outlive the job. On error nothing is left open. */
Error *job_open(const Plan *plan, const JobOptions *options, Job **job);
/* Runs until the input ends, LIMIT is reached, an error, or job_stop. */
Error *job_run(Job *job);

/* ---- a job as a task: who has many jobs steps each for a while; a job that waits holds no thread ---- */

typedef enum JobState {
    JOB_READY,         /* there is more to do now */
    JOB_WAITING,       /* there is nothing to do before until_us, or before it is woken */
    JOB_ENDED          /* as after job_run */
} JobState;

typedef struct JobStep {
    JobState state;
    int64_t until_us;  /* JOB_WAITING: on the job's clock; TIME_MAX: until on_wake */
    bool sinks_busy;   /* JOB_WAITING: for room in a sink */
} JobStep;

/* Executes up to `turns` turns on this thread. One thread at a time; no turn is half done between two steps: there snapshots are taken, results read, and jobs
 * closed. A job that waits may be stepped at any time, and must be once it was woken or its time has come. On an error it has ended. */
Error *job_step(Job *job, int turns, JobStep *step);
/* There is room for rows that on_rows did not take, or something else that the job may wait for has happened. From any thread and from signal handlers. */
void job_wake(Job *job);
/* Between two steps: what was written so far is visible to others. ERR_BUSY: not yet; the job is woken when to ask again. */
Error *job_flush(Job *job);

/* Asks the job to stop after the turn at hand: async-signal-safe and callable from any thread. job_run then returns ERR_INTERRUPTED. */
void job_stop(Job *job);
void job_counters(const Job *job, JobCounters *counters);
int job_row_errors(const Job *job, const RowErrorSummary **summaries);
void job_progress(Job *job, JobProgress *progress); /* callable from any thread while it runs */
int64_t job_peak_bytes(const Job *job);
int64_t job_bytes(const Job *job); /* that it holds now */

/* Where a split stands. */
typedef struct SplitStatus {
    const char *source, *name; /* the stream or table; the split: a file, a partition. `source` is the plan's */
    uint64_t position;         /* of the next row to be read */
    int64_t end;               /* behind the last row that is known; -1: not known. end - position is the lag */
    int64_t wm_us;             /* of its rows so far; TIME_MIN: none */
    uint64_t rows, bytes;      /* read since the job was opened */
    bool idle, paused, ended;
} SplitStatus;

typedef struct JobStatus {
    JobCounters counters;
    uint64_t retries;          /* of connectors: connections that broke, requests that were sent again */
    int64_t watermark_us;      /* of the query; TIME_MIN: none */
    int64_t busy_us, idle_us, backpressured_us; /* time with work to do, without input, without room in a sink */
    Histogram latency;         /* us from the time of a message to the end of the turn that took it; live topics */
    SplitStatus *splits; int split_count;
    NodeCounters *nodes;       /* by id, with `count_nodes`: as of the last look at them, at most 0.1 s of work ago; NULL: not counted */
} JobStatus;
/* As of the turn at hand, from any thread between job_open and job_close. What it points to lives in the arena. */
void job_status(Job *job, Arena *arena, JobStatus *status);
/* What its nodes have done is looked at now, by whoever may step it. */
void job_note_nodes(Job *job);

/* ---- of a job that was opened with `profile`, between job_run and job_close ---- */

/* By node id; owned by the job. */
const NodeCounters *job_node_counters(Job *job);
/* How far the splits of the scan below a node have come. */
typedef struct SplitTime {
    const char *name;            /* a file; owned by the job */
    int64_t wm_us;               /* the largest watermark of its rows; TIME_MIN: none, or the node has no event time */
    bool ended, idle;
} SplitTime;
int job_split_times(const Job *job, const PlanNode *node, Arena *arena, SplitTime **splits);
/* The watermark at which the first window closes that is open in an ORDERED node; TIME_MAX: none is open, or the node has none. */
int64_t job_next_close(const Job *job, const PlanNode *node);
/* The watermark that a node has been told last; TIME_MAX at the end of its input. */
int64_t job_node_watermark(const Job *job, const PlanNode *node);
/* A job that has ended, or was restored from the snapshot of one that had, stays for the tables that it keeps: its sinks are closed as by job_close. */
Error *job_retire(Job *job);
/* Commits sinks when it ended well; frees. */
Error *job_close(Job *job);

/* A snapshot between two turns: plan fingerprint, source positions, watermarks, every operator's containers, sinks' state.
 * ERR_BUSY while a sink has not taken all rows of the turns so far. */
Error *job_snapshot(Job *job, Text *snapshot);
/* The last snapshot is safe: sources are told the positions that it holds. Between two steps. */
Error *job_commit(Job *job);
Error *job_restore(Job *job, const char *snapshot, size_t length); /* into a freshly opened job of the same plan */

/* Do two open jobs of the same plan have the same rows before them, and the same state? Then they give the same from now on. Both between two steps. */
bool job_same_place(const Job *one, const Job *other);

/* ---- tables that a job keeps (PlanNode.sink.keeps_table): read between two turns, by the thread that may step it ---- */

/* The output that keeps a table; -1: none does. */
int job_table(const Job *job);
uint64_t job_table_rows(const Job *job, int output);
/* The row of a key (a Value for each of sink.table_keys, of its column's type), a batch that is the caller's; NULL: there is none. */
Error *job_table_find(Job *job, int output, const Value *key, Batch **rows);
/* The rows of all windows of a key (a Value for each of the first sink.table_group_count columns). */
Error *job_table_find_group(Job *job, int output, const Value *key, Batch **rows);
/* The next rows, from *next = 0 on, in order of their keys' arrival; NULL: that was all. */
Error *job_table_scan(Job *job, int output, uint32_t *next, Batch **rows);
/* How far the table's time has come. */
int64_t job_table_watermark(const Job *job, int output);
