/* engine/session_internal.h: what the files of a session share. Private to the room. */
#pragma once
#include <stdatomic.h>

#include "engine/bidsql.h"
#include "engine/host.h"
#include "exec/exec.h"
#include "parser/parser.h"
#include "planner/planner.h"

#define SCRIPT_DEPTH_MAX 16 /* RUN SCRIPT inside RUN SCRIPT .. */

/* A job that waits for session_run_held. */
typedef struct HeldJob {
    Arena *arena;
    const Plan *plan;
    const char *target;   /* what it fills */
    bool defines;         /* by CREATE .. AS: another one takes its place */
} HeldJob;

struct bidsql_Session {
    SessionOptions options;
    bool threads_by_default;
    SessionHost host;            /* .planner NULL: it is alone */
    ConnectorContext connectors;
    MemoryPool pool;
    Planner *planner;
    Arena arena;                 /* names of variables, settings: as long as the session */
    struct { Arena **items; int count, capacity; } texts; /* trees of every text so far */
    struct { const char **items; int count, capacity; } variable_names, variable_values;
    struct { HeldJob *items; int count, capacity; } held;
    SessionCounters counters;
    Job *_Atomic job;            /* the one that runs, for interrupt and progress */
    atomic_int job_watchers;     /* threads that look at it */
    atomic_bool interrupted;
    int depth;
    const char *script_directory; /* of the script at hand: where those that it names stand; NULL: the base directory */
};

/* ---- session.c ---- */
/* Whatever asks the planner does so between the two. */
Error *session_enter(Session *session);
void session_leave(Session *session);
/* Runs a plan to its end; rows of outputs without a connector go to output->rows. */
Error *session_run_plan(Session *session, const Plan *plan, const SessionOutput *output);

/* The same, counting what each node does; `look` sees the job before it is closed, takes over the error with which it ended, and gives the one that
 * the run ends with. */
typedef struct JobLook {
    bool until_quiet; /* input that does not end is read as far as there is something now */
    Error *(*look)(void *caller, Job *job, Error *error);
    void *caller;
} JobLook;
Error *session_run_profiled(Session *session, const Plan *plan, const SessionOutput *output, const JobLook *look);
/* Lines of text as a result. */
Error *session_emit_lines(const SessionOutput *output, const char *text, size_t length, const char *title);

/* ---- analyze.c ---- */
Error *session_analyze(Session *session, const Plan *plan, const SessionOutput *output, const char *title);

/* ---- why.c ---- */
Error *session_why_no_output(Session *session, const Plan *plan, const SessionOutput *output, const char *title);

/* Parses with the session's variables; the trees live in `arena`. */
Error *session_parse(Session *session, Arena *arena, const char *text, size_t length, AstScript *script);
/* The text of a script that another one names; from then on session->script_directory is its folder. */
Error *session_open_script(Session *session, Arena *arena, const char *path, Text *text);
/* Errors of a script that RUN SCRIPT at `at` runs: their places are said in their messages. */
Error *session_script_error(Error *errors, const char *path, const char *text, size_t length, Span at);
/* SET and RESET of the session's own settings, and what the planner has set already. */
Error *session_apply_setting(Session *session, Arena *arena, const PlannedStatement *planned);
void session_variable(Session *session, const char *name, const char *value);

/* ---- check.c ---- */
/* Tries every statement of a script without running anything; nothing has changed afterwards. All errors that do not follow from one another. */
typedef struct SessionText { const char *bytes; size_t length; } SessionText;
/* broken: the errors of its statements that do not parse, which are told with the others. */
Error *session_check(Session *session, const AstScript *script, const SessionText *text, Error *broken);

/* ---- assertion.c ---- */
/* ASSERT VALUES, ASSERT NULL VALUES: runs the plan and compares its next changes. */
Error *session_assert(Session *session, const PlannedStatement *planned, const SessionOutput *output);

/* ---- topics.c, print.c: statements about topics as such ---- */
Error *session_topics(Session *session, Arena *arena, const PlannedStatement *planned, const SessionOutput *output, const char *title);
/* What CREATE and DROP do to topics. */
Error *session_change_topics(Session *session, const AstStatement *statement, const PlannedStatement *planned);
Error *session_print(Session *session, Arena *arena, const PlannedStatement *planned, const SessionOutput *output);
/* Gives rows that are there already. */
Error *session_emit_rows(const SessionOutput *output, const PlannedRows *rows, const char *title);

/* ---- held_jobs.c ---- */
/* Plans what the statement has put into the pending job, for session_run_held. */
Error *session_hold(Session *session, const AstStatement *statement);
void session_free_held(Session *session);
