/* repl/progress.h: a line on stderr that says how far a job is: bytes, rows/s, time left. */
#pragma once
#include "engine/bidsql.h"

typedef struct Progress Progress;

/* Starts watching; nothing is shown in the first second, and nothing at all unless `show`. */
Progress *progress_start(Session *session, bool show);
/* Takes the line away before other output; it comes back by itself. */
void progress_pause(Progress *progress);
void progress_stop(Progress *progress);
