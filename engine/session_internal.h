/* engine/session_internal.h: what the files of a session share. Private to the room. */
#pragma once
#include <stdatomic.h>

#include "engine/bidsql.h"
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
};

/* ---- session.c ---- */
/* Runs a plan to its end; rows of outputs without a connector go to output->rows. */
Error *session_run_plan(Session *session, const Plan *plan, const SessionOutput *output);

/* ---- assertion.c ---- */
/* ASSERT VALUES, ASSERT NULL VALUES: runs the plan and compares its next changes. */
Error *session_assert(Session *session, const PlannedStatement *planned, const SessionOutput *output);

/* ---- held_jobs.c ---- */
/* Plans what the statement has put into the pending job, for session_run_held. */
Error *session_hold(Session *session, const AstStatement *statement);
void session_free_held(Session *session);
