/* repl/live_view.h: the table that a query's changes make, in place on the terminal: for Top-N and aggregates. */
#pragma once
#include "repl/above.h"
#include "repl/backend.h"

typedef struct LiveView LiveView;

/* Draws on fd, a terminal, at most ten times a second. Space holds the picture, q ends the query (it interrupts the backend). What waits in `above` is shown above the picture. */
LiveView *live_view_new(Backend *backend, int fd, bool unicode, bool color, Above *above);
void live_view_free(LiveView *view);
Error *live_view_begin(LiveView *view, const ResultInfo *info);
Error *live_view_rows(LiveView *view, const Batch *batch);
/* The last picture stays. */
Error *live_view_end(LiveView *view);
