/* exec/late_rows.h: rows that came too late, while their batch is being processed: counted, sent to PORT_LATE. */
#pragma once
#include "exec/exec_internal.h"

typedef struct LateRow {
    uint32_t row;
    int64_t start_us, end_us; /* the last of the windows it belongs to */
    int64_t wm_us;            /* that it met; TIME_MIN: its batch's */
} LateRow;

typedef struct LateRows {
    LateRow *rows;
    size_t capacity;
    uint32_t count;
    const char *reason; /* NULL: "window closed" */
    uint64_t windows; /* (row, window) pairs dropped, also of rows that found another window open */
} LateRows;

void late_release(LateRows *late);
/* A row that found none of its windows open; `windows` is added to by the caller. */
void late_add(LateRows *late, uint32_t row, int64_t start_us, int64_t end_us);
/* .. where the watermark is not the batch's alone. */
void late_add_at(LateRows *late, uint32_t row, int64_t start_us, int64_t end_us, int64_t wm_us);
/* Counts them and sends them on, with the watermark minus lag_us that each met; the batch stays the caller's. */
Error *late_flush(LateRows *late, Operator *op, Batch *batch, int64_t lag_us);
Error *late_flush_to(LateRows *late, Operator *op, int port, Batch *batch, int64_t lag_us);
