/* connectors/row_pace.h: which rows of a generator are due: all of them, or so many a second. Private to the room. */
#pragma once
#include "connectors/connectors.h"

typedef struct RowPace {
    uint64_t position;          /* rows given out */
    int64_t row_limit;          /* -1: none */
    double rows_per_second;     /* 0: as fast as they are taken */
    bool started;
    int64_t start_us;           /* when row 0 was due */
} RowPace;

void row_pace_seek(RowPace *pace, uint64_t position);
/* The rows that are due at now_us, at most max_rows. */
void row_pace_next(RowPace *pace, uint64_t max_rows, int64_t now_us, RowRange *range);
