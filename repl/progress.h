/* repl/progress.h: a line on stderr that says how far a job is: bytes, rows/s, time left. */
#pragma once
#include "engine/bidsql.h"
#include "repl/above.h"

typedef struct Progress Progress;
typedef struct Backend Backend;

/* Starts watching; nothing is shown in the first second, and nothing at all unless `show`. */
Progress *progress_start(Session *session, bool show);
/* The same for what a shell's backend runs. What waits in `above` (may be NULL) is shown meanwhile, also without `show`. */
Progress *progress_start_for(Backend *backend, bool show, Above *above);
/* The query at hand does not end: rows and rows/s so far, watermark and lag in event time, late rows instead. */
void progress_continuous(Progress *progress, bool continuous);
/* Somebody else has the screen. */
void progress_hold(Progress *progress, bool held);
/* Takes the line away before other output; it comes back by itself. */
void progress_pause(Progress *progress);
/* Around rows of a query: nobody else writes between the two, and the line of a query that goes on is there again behind them, unless they are the last ones. */
void progress_rows_begin(Progress *progress);
void progress_rows_end(Progress *progress, bool last);
void progress_stop(Progress *progress);
