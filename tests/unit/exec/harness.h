/* tests/unit/exec/harness.h: drives one operator with hand-made batches and writes down what comes out. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "exec/state.h"

/* Input columns: k BIGINT, t TIMESTAMP, v BIGINT, s VARCHAR, f BOOLEAN, d DOUBLE. */
enum { COLUMN_K, COLUMN_T, COLUMN_V, COLUMN_S, COLUMN_F, COLUMN_D, COLUMN_COUNT };

typedef struct TestRow {
    int64_t key, time_us, value;
    bool key_null, value_null, flag;
    uint8_t kind;
    char text[32];
    double number;
    int64_t wm_after_us; /* the watermark once this row has been seen */
} TestRow;

typedef struct Harness {
    Arena arena;
    MemoryPool pool;
    OperatorContext context;
    PlanNode source, node;
    PlanInput input;
    const OperatorType *type;
    Operator *op, *main_capture, *late_capture;
    Text output, late;           /* a line per row */
    uint64_t late_rows, late_windows;
    uint32_t largest_batch;
    bool show_wm;                /* lines end with the row's watermark */
} Harness;

void harness_init(Harness *harness, const OperatorType *type, uint32_t batch_rows);
void harness_release(Harness *harness);
/* Builds the output schema of an aggregate node: keys, bounds, calls. */
void harness_aggregate(Harness *harness, const int *keys, int key_count, bool windowed);
void harness_call(Harness *harness, const char *name, int column, int filter, bool distinct);
void harness_open(Harness *harness);
/* Feeds the rows in batches of batch_rows; wm_us is the watermark before the first. Restores from a snapshot before every batch if asked. */
int64_t harness_feed(Harness *harness, const TestRow *rows, uint32_t count, uint32_t batch_rows, int64_t wm_us, bool restore);
void harness_advance(Harness *harness, int64_t wm_us, int64_t now_us);
void harness_end(Harness *harness);
/* Takes a snapshot, throws the operator away, restores into a fresh one. */
void harness_restore(Harness *harness);
Error *harness_try_restore(Harness *harness, const char *bytes, size_t length);
void harness_snapshot(Harness *harness, Text *snapshot);
Batch *harness_batch(Harness *harness, const TestRow *rows, uint32_t count, int64_t wm_us);
void no_error(Error *error);
/* A small deterministic generator. */
uint64_t test_random(uint64_t *state);
