/* exec/expand.h: one row becomes several: UNNEST, joins with a table, windows of a row.
 *
 * A row that is made has the watermark and the place of the one that it comes from, and a name of its own (turn, number), which depends on
 * the rows of the turn alone and not on the size of batches. */
#pragma once
#include "exec/exec_internal.h"

/* All rows of `batch`, with columns of their own, which the caller fills; holds `batch`. */
Batch *rows_with_columns(Batch *batch, int column_count);

/* How many rows of the turn at hand have been made so far; one an operator. */
typedef struct Expansion {
    bool any;
    uint64_t turn, next_row;  /* the turn, and the least number in it of a row that can still come */
    uint64_t given;
} Expansion;

/* `batch` is about to be expanded, at once or in parts. Numbers begin anew with a turn, and with a turn that is done once more. */
void expand_begin(Expansion *expansion, const Batch *batch);
/* A batch of rows[0..count) of `batch` (ascending, each as often as wanted), with room for `more` columns behind them, which the caller
 * fills. unread[column]: nobody looks at it, it may be NULL; NULL: all are read. It shares strings and constants of `batch` and holds it. Halves of an update that become several rows are plain inserts and deletes. */
Batch *expand_rows(Expansion *expansion, Batch *batch, const uint32_t *rows, uint32_t count, int more, const bool *unread);
