/* connectors/row_pace.c: which rows of a generator are due. */
#include "connectors/row_pace.h"

#define STEP_SECONDS 0.01 /* rows of so long a time come together, so that a fast pace does not make tiny turns */

void row_pace_seek(RowPace *pace, uint64_t position)
{
    pace->position = position;
    pace->started = false;
}

static double due_us(const RowPace *pace, double rows) { return (double)pace->start_us + rows * 1e6 / pace->rows_per_second; }

static uint64_t rows_due(RowPace *pace, uint64_t max_rows, int64_t now_us, RowRange *range)
{
    if (!pace->started) {
        pace->start_us = now_us - (int64_t)((double)pace->position * 1e6 / pace->rows_per_second);
        pace->started = true;
    }
    double due = (double)(now_us - pace->start_us) * pace->rows_per_second / 1e6;
    double ready = due + 1 - (double)pace->position; /* row 0 is due at the start */
    if (ready >= 1)
        return ready < (double)max_rows ? (uint64_t)ready : max_rows;
    double step = pace->rows_per_second * STEP_SECONDS;
    step = step < 1 ? 0 : step > (double)max_rows ? (double)max_rows - 1 : step - 1;
    range->waiting = true;
    range->next_at_us = (int64_t)due_us(pace, (double)pace->position + step) + 1;
    return 0;
}

void row_pace_next(RowPace *pace, uint64_t max_rows, int64_t now_us, RowRange *range)
{
    *range = (RowRange){ .first = pace->position };
    uint64_t left = pace->row_limit < 0 ? UINT64_MAX : (uint64_t)pace->row_limit > pace->position ? (uint64_t)pace->row_limit - pace->position : 0;
    uint64_t count = left < max_rows ? left : max_rows;
    if (pace->rows_per_second > 0 && count)
        count = rows_due(pace, count, now_us, range);
    range->count = count;
    range->end = count == left;
    pace->position += count;
}
