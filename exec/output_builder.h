/* exec/output_builder.h: gathers the rows that an operator makes into batches of at most context->batch_rows rows.
 *
 * Rows of several firings share a batch: each carries the watermark from before its firing. */
#pragma once
#include "exec/exec_internal.h"

typedef struct OutputBuilder {
    Operator *op;
    int port;
    const Schema *schema;
    bool updating;           /* rows get kinds */
    Batch *batch;            /* under construction; NULL: none */
    uint32_t capacity, rows;
    uint64_t turn, turn_rows; /* rows that have gone out in that turn */
    bool wm_differs;         /* rows of the batch carry different watermarks */
    Evaluation evaluation;   /* in the batch's arena */
} OutputBuilder;

void builder_init(OutputBuilder *builder, Operator *op, int port, const Schema *schema, bool updating);
void builder_release(OutputBuilder *builder);
/* Room for `wanted` rows, or for fewer but at least `least`: *granted rows from *first on. May push a full batch. */
Error *builder_reserve(OutputBuilder *builder, uint32_t wanted, uint32_t least, uint32_t *granted, uint32_t *first);
/* `rows` of the granted rows are filled in; kinds are in batch->kinds already. */
void builder_commit(OutputBuilder *builder, uint32_t rows, int64_t wm_us);
/* The same with a watermark for each row; they do not fall. */
void builder_commit_each(OutputBuilder *builder, uint32_t rows, const int64_t *wm_us);
/* Pushes what there is. */
Error *builder_flush(OutputBuilder *builder);
