/* engine/bidsql.h: the embedding API: a Session runs scripts. The room's door.
 *
 * A session holds a catalog, settings and variables. It prints nothing: results and notices go to the caller's SessionOutput. */
#pragma once
#include "common/batch.h"
#include "common/clock.h"
#include "common/filesystem.h"
#include "common/options.h"
#include "connectors/topic_log.h"

#define BIDSQL_VERSION_TEXT "bidsql " BIDSQL_VERSION

typedef struct bidsql_Session Session;

/* A result that is about to come. */
typedef struct ResultInfo {
    const Schema *schema;
    const char *title;      /* text of a `--# ..` comment before the statement, or NULL */
    bool updating;          /* rows carry row kinds */
    bool continuous;        /* does not end by itself: show rows as they come */
    bool is_query;          /* a SELECT; otherwise the rows of DESCRIBE, SHOW, EXPLAIN.. */
    bool preformatted;      /* one column whose rows are lines of text: a plan */
} ResultInfo;

/* Where results go. Every function may be NULL. Rows come in order; a batch is the callee's to read, not to keep. */
typedef struct SessionOutput {
    Error *(*begin)(void *caller, const ResultInfo *info);
    Error *(*rows)(void *caller, const Batch *batch);
    Error *(*end)(void *caller);
    void (*notice)(void *caller, const char *text);  /* "created stream bids", summaries of skipped rows: for stderr */
    void *caller;
} SessionOutput;

typedef struct SessionOptions {
    Clock *clock;                 /* NULL: the system's */
    FileSystem *filesystem;       /* NULL: the system's */
    int threads;                  /* 0: all cores, one fewer for jobs that read Kafka */
    uint32_t batch_rows;          /* 0: default */
    uint64_t max_bad_rows;        /* UINT64_MAX: no bound */
    int64_t memory_limit_bytes;   /* 0: none */
    const char *dialect;          /* NULL: 'bidsql' */
    const char *base_directory;   /* relative paths in SQL; NULL: the current directory */
    const char *script_directory; /* folder of the script that session_run runs, for RUN SCRIPT; NULL: base_directory */
    bool check_only;              /* parse and plan, run nothing */
    bool explain_only;            /* print the plan of every query instead of running it */
    bool keep_quiet;              /* no notices for DDL */
    /* tests */
    TopicLogs *topics;            /* topics are these logs; the caller's. NULL: a broker's */
    bool hold_jobs;               /* what INSERT INTO and CREATE .. AS start waits for session_run_held, each statement a job of its own */
    bool until_quiet;             /* a job over topics ends when there is nothing to read now, and that is not the end of its input */
    size_t turn_bytes;
    bool snapshot_every_turn, rewrites_off;
    uint64_t shuffle_seed;
} SessionOptions;

typedef struct SessionCounters {
    uint64_t rows_in, rows_out, bad_rows, row_errors, late_rows, late_windows;
    int64_t peak_bytes;
} SessionCounters;

typedef struct SessionProgress {
    bool running;
    int64_t bytes_done, bytes_total; /* -1 unknown */
    bool in_rows;                    /* the two count rows */
    uint64_t rows_in, rows_out, late_rows;
    int64_t watermark_us;            /* event time; TIME_MIN: none yet */
} SessionProgress;

Error *session_new(const SessionOptions *options, Session **session);
void session_free(Session *session);

/* SET name = value, before or between scripts. */
Error *session_set(Session *session, const char *name, const char *value);
/* Defines ${name}. */
Error *session_define(Session *session, const char *name, const char *value);

/* For queries that do not declare what they read and write (ASA's): `value` is a path, or what stands behind CREATE STREAM name:
 * "(k STRING) WITH (connector = ..)". An input is a stream; an output is made by the first query that writes INTO it. */
Error *session_input(Session *session, const char *name, const char *value);
Error *session_output(Session *session, const char *name, const char *value);

/* Parses all of `text`, then plans and runs its statements in order; stops at the first that fails. If any statement does not parse,
 * nothing runs and every parse error is in the list. Errors are placed in `text`. */
Error *session_run(Session *session, const char *text, size_t length, const SessionOutput *output);

/* Runs the held jobs in the order of their statements, one after the other, each until its sources have nothing more to give now. That is not
 * the end of its input: no window closes because of it. */
Error *session_run_held(Session *session, const SessionOutput *output);

/* The stream or table over a topic: how its messages are made. */
typedef struct TopicInfo {
    const char *name;                 /* of the stream or table */
    bool is_table, read_only;
    Schema key, value;                /* columns in the message's key and in its value */
    const char *key_format, *value_format; /* "kafka", "json", .. */
    const char *key_schema_name, *value_schema_name; /* of the record or message that is meant, of registered schemas; NULL: the first */
    KeyWindow window;                 /* of the key */
    int64_t window_size_us;           /* KEY_WINDOW_TIME; 0: not known */
} TopicInfo;
/* The entry (the last one made) over the topic; false: none. Text lives as long as the session. */
bool session_topic(Session *session, const char *topic, TopicInfo *info);
/* The stream or table of that name; false: none over a topic. */
bool session_source(Session *session, const char *name, TopicInfo *info);

/* ---- for shells: between two calls of session_run ---- */

typedef enum SessionNames {
    SESSION_RELATIONS, SESSION_FUNCTIONS, SESSION_TYPES, SESSION_SETTINGS,
    SESSION_PROPERTIES,  /* of WITH (..) */
    SESSION_CONNECTORS, SESSION_FORMATS, SESSION_VARIABLES, SESSION_KEYWORDS,
    SESSION_QUERIES      /* that go on: a session by itself has none */
} SessionNames;
/* In `arena`; valid until the session runs something. */
const char *const *session_names(Session *session, SessionNames kind, Arena *arena, int *count);
/* The columns of a stream, table or view; NULL: there is none, or they are not known. */
const Schema *session_columns(Session *session, const char *relation);
/* "substring(VARCHAR, INT, ..) -> VARCHAR"; NULL: no such function. */
const char *session_function_usage(Session *session, Arena *arena, const char *name);

/* Sends letters of a topic of dead letters on: key, value, time and headers as they came; of what went wrong only the number of attempts stays. */
typedef struct ReplayFilter {
    const char *name;                 /* of a header without its "bq.error.": "kind", "topic" */
    const char *value;
    bool contains;                    /* the value is a part of it */
} ReplayFilter;
typedef struct ReplayOptions {
    const char *from, *to;            /* topics */
    const ReplayFilter *filters; int filter_count; /* all must hold */
    const char *group;                /* the consumer group that remembers which letters it has seen; NULL: all letters are looked at */
    int64_t max_attempts;             /* letters that have failed more often stay; 0: no bound */
    int64_t limit;                    /* so many at most; -1: all */
    bool dry_run;                     /* counts only */
} ReplayOptions;
typedef struct ReplayResult { uint64_t replayed, left; } ReplayResult;
/* Until the letters that are there now are done. `result` counts also where it ends with an error. */
Error *session_replay(Session *session, const ReplayOptions *options, ReplayResult *result);

/* Stops what runs after the turn at hand; session_run then returns ERR_INTERRUPTED. Async-signal-safe. */
void session_interrupt(Session *session);
void session_counters(const Session *session, SessionCounters *counters);
void session_progress(Session *session, SessionProgress *progress); /* callable from another thread */

/* "file:line:col: error: ..", the line with its caret, the hint: as the front doors print it. Appends all errors of the list. */
void error_render(const Error *error, const char *file_name, const char *text, size_t length, bool color, Text *out);
/* The same for a terminal of so many columns: of a line that is longer the part around the place; 0: not known. */
void error_render_within(const Error *error, const char *file_name, const char *text, size_t length, bool color, int columns, Text *out);
