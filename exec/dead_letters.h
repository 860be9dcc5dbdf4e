/* exec/dead_letters.h: what becomes of bad rows: messages that say what went wrong, and how many are too many. Private to the room. */
#pragma once
#include "exec/job_internal.h"

/* Sends the row to PORT_DEAD_LETTER. */
Error *dead_letter_push(Job *job, Operator *op, int split, const RowEvent *event);

/* The circuit breaker: ERR_TOO_MANY_BAD when this row is one too many of its minute, or of the 1,000 records that it stands in: blocks of positions,
 * so that no turn's size decides. `scan` may be NULL. */
Error *breaker_count(Job *job, Scan *scan, int split, const RowEvent *event);
