/* engine/host.h: where a session lives that is not alone: planner, catalog and streams are somebody else's, who also runs what goes on in the background.
 *
 * Such a session is for statements that end with the call: SELECT, EXPLAIN ANALYZE, ASSERT VALUES, PRINT. */
#pragma once
#include "engine/bidsql.h"
#include "exec/exec.h"
#include "planner/planner.h"

typedef struct SessionHost {
    Planner *planner;
    Error *(*enter)(void *caller);   /* the planner is the session's until.. */
    void (*leave)(void *caller);     /* ..also after an error of enter */
    /* As job_open, with the host's streams and tables. At most one job is open. */
    Error *(*open)(void *caller, const Plan *plan, const JobOptions *options, Job **job);
    uint64_t (*dropped)(void *caller); /* rows that the open job has lost, as it was slower than those who made them */
    void (*closed)(void *caller);    /* the job is */
    void *caller;
} SessionHost;

/* Would the session, whose planner does not know the setting, know it, and is there one of that value? Nothing is set. NULL: yes. */
Error *session_check_setting(const Session *session, Arena *arena, const PlannedStatement *planned);

/* The host outlives whatever the session runs, and not the session: text that its catalog points to may be the session's. */
Error *session_new_in(const SessionHost *host, const SessionOptions *options, Session **session);
