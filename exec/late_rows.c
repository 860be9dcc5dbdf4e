/* exec/late_rows.c: see late_rows.h. */
#include "exec/late_rows.h"
#include <string.h>
#include "common/calendar.h"

void late_release(LateRows *late)
{
    mem_free(late->rows);
    *late = (LateRows){ 0 };
}

void late_add(LateRows *late, uint32_t row, int64_t start_us, int64_t end_us) { late_add_at(late, row, start_us, end_us, TIME_MIN); }

void late_add_at(LateRows *late, uint32_t row, int64_t start_us, int64_t end_us, int64_t wm_us)
{
    if (late->count == late->capacity)
        late->rows = mem_grow(late->rows, &late->capacity, (size_t)late->count + 1, sizeof(LateRow));
    late->rows[late->count++] = (LateRow){ row, start_us, end_us, wm_us };
}

/* The batch's rows with the late columns behind; the late rows are selected. */
static Batch *late_batch(const LateRows *late, Batch *batch, int64_t lag_us)
{
    enum { REASON, START, END, WATERMARK, LATE_COLUMNS };
    Batch *out = batch_share(batch);
    Arena *arena = &out->arena;
    int count = batch->column_count;
    Vector **columns = ARENA_ARRAY(arena, Vector *, count + LATE_COLUMNS);
    for (int i = 0; i < count; i++)
        columns[i] = out->columns[i];
    for (int i = 0; i < LATE_COLUMNS; i++)
        columns[count + i] = vector_new(arena, type_scalar(i == REASON ? TYPE_VARCHAR : TYPE_TIMESTAMP), batch->row_count);
    uint32_t *rows = ARENA_ARRAY(arena, uint32_t, late->count);
    const Str reason = str_view(late->reason ? late->reason : "window closed", strlen(late->reason ? late->reason : "window closed"));
    for (uint32_t i = 0; i < late->count; i++) {
        const LateRow *row = &late->rows[i];
        rows[i] = row->row;
        ((Str *)columns[count + REASON]->values)[row->row] = reason;
        ((int64_t *)columns[count + START]->values)[row->row] = row->start_us;
        ((int64_t *)columns[count + END]->values)[row->row] = row->end_us;
        const int64_t own_us = batch->wm_us ? batch->wm_us[row->row] : batch->wm_end_us;
        ((int64_t *)columns[count + WATERMARK]->values)[row->row] = time_sub(row->wm_us == TIME_MIN ? own_us : row->wm_us, lag_us);
    }
    out->columns = columns;
    out->column_count = count + LATE_COLUMNS;
    out->selection = (Selection){ late->count, rows };
    return out;
}

Error *late_flush(LateRows *late, Operator *op, Batch *batch, int64_t lag_us) { return late_flush_to(late, op, PORT_LATE, batch, lag_us); }

Error *late_flush_to(LateRows *late, Operator *op, int port, Batch *batch, int64_t lag_us)
{
    if (late->count || late->windows)
        job_count_late(op, late->count, late->windows);
    Error *error = NULL;
    if (late->count && output_wanted(op, port))
        error = output_push(op, port, late_batch(late, batch, lag_us));
    late->count = 0;
    late->windows = 0;
    return error;
}
