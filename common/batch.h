/* common/batch.h: up to BATCH_ROWS rows in columns: what flows between operators.
 *
 * A Batch is a small header over shared immutable vectors, plus its own selection and row kinds. It holds
 * references to what its vectors point into. `output_push(batch)` gives it away. */
#pragma once
#include "common/buffer.h"
#include "common/schema.h"
#include "common/vector.h"

#define BATCH_ROWS 2048 /* the default; exec.batch_rows may make them smaller */

#define TIME_MIN INT64_MIN /* "no watermark yet" */
#define TIME_MAX INT64_MAX /* "the input has ended" */

/* A row is +1 or -1; bit 1 says "half of an update", for printing and for sinks that care. */
typedef enum RowKind {
    ROW_INSERT = 0,        /* +I */
    ROW_DELETE = 1,        /* -D */
    ROW_UPDATE_AFTER = 2,  /* +U */
    ROW_UPDATE_BEFORE = 3  /* -U */
} RowKind;
static inline bool row_kind_retracts(uint8_t kind) { return kind & 1; }
const char *row_kind_text(uint8_t kind); /* "+I" .. */

/* Which rows of a batch count: rows[0..count), ascending; rows == NULL: all of 0..count. */
typedef struct Selection {
    uint32_t count;
    const uint32_t *rows;
} Selection;
static inline uint32_t selection_row(const Selection *selection, uint32_t i)
{
    return selection->rows ? selection->rows[i] : i;
}

/* A record of the input that did not become a row. */
typedef struct BadRow {
    uint32_t before_row;  /* it stood before this row of the batch (row_count: after all) */
    uint64_t position;    /* byte offset in the split (decompressed); row number for row sources */
    uint64_t line;        /* 1-based line in the split; 0 unknown */
    Str raw;              /* its bytes; points into the batch's buffers */
    const char *reason;   /* why; lives as long as the batch */
    const char *column;   /* which column, or NULL */
} BadRow;

typedef struct Batch {
    Arena arena;             /* owns vectors, selections, this struct's arrays */
    PoolMember member;       /* of the job that made it */
    atomic_int references;
    uint32_t row_count;      /* rows in the vectors */
    Selection selection;     /* rows that count; starts as all */
    int column_count;
    Vector **columns;
    uint8_t *kinds;          /* RowKind per row (of row_count); NULL: all +I */

    /* Event time. wm_us[row]: the watermark that the rows *before* this one make; it never falls within a
     * batch. wm_end_us: after all rows. In a PARALLEL segment both know only this batch (TIME_MIN = nothing
     * yet); the first ORDERED step combines them with the split's and the other splits' watermarks. */
    int64_t *wm_us;          /* NULL where no operator acts on time */
    int64_t wm_end_us;
    int64_t now_us;          /* processing time of the turn */

    /* Where the rows came from: for dead letters, error messages and ties. */
    uint64_t turn;
    uint64_t first_row;      /* so many rows of the turn stand before row 0: with `turn` the name of a row, whatever the size of batches */
    uint32_t split;          /* index of the split within its scan */
    uint64_t *positions;     /* per row, as BadRow.position; NULL where not asked for */
    uint64_t *lines;         /* per row; NULL where not known */
    Str *raw;                /* per row, the record's bytes; NULL where not asked for */
    BadRow *bad_rows;        /* ascending before_row */
    uint32_t bad_row_count, bad_row_capacity;

    Buffer **buffers;        /* held until the last release */
    struct Batch **parents;  /* batches whose vectors this one shares; held as well */
    int buffer_count, parent_count;
} Batch;

/* A batch without rows: room for `column_count` column pointers (NULL). pool may be NULL. */
Batch *batch_new(MemoryPool *pool, int column_count);
/* The same with a FLAT vector of `capacity` rows for each column of the schema. */
Batch *batch_for_schema(MemoryPool *pool, const Schema *schema, uint32_t capacity);
/* A new header over the same vectors: own selection, kinds and column list; holds `batch`. */
Batch *batch_share(Batch *batch);
Batch *batch_retain(Batch *batch);
void batch_release(Batch *batch); /* NULL is fine */
void batch_unwind(void *batch);   /* for MEMORY_HOLD: a Batch ** */
/* Frees every batch that is still a member of the pool, however many references it has: those that got lost when memory ran out. */
void batches_reclaim(MemoryPool *pool);
void batch_hold_buffer(Batch *batch, Buffer *buffer);  /* takes its own reference */
void batch_hold_batch(Batch *batch, Batch *parent);    /* takes its own reference */
void batch_add_bad_row(Batch *batch, const BadRow *bad);
/* A new batch with the selected rows only, dense, kinds, wm_us and origins included. */
Batch *batch_compact(Batch *batch);
static inline uint8_t batch_kind(const Batch *batch, uint32_t row) { return batch->kinds ? batch->kinds[row] : ROW_INSERT; }
