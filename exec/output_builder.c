/* exec/output_builder.c: see output_builder.h. */
#include "exec/output_builder.h"
#include <string.h>

enum { SMALL_BATCH = 64 };

void builder_init(OutputBuilder *builder, Operator *op, int port, const Schema *schema, bool updating)
{
    *builder = (OutputBuilder){ .op = op, .port = port, .schema = schema, .updating = updating };
}

void builder_release(OutputBuilder *builder)
{
    batch_release(builder->batch);
    builder->batch = NULL;
}

static void builder_start(OutputBuilder *builder, uint32_t wanted, uint32_t least)
{
    const OperatorContext *context = builder->op->context;
    uint32_t most = context->batch_rows > least ? context->batch_rows : least;
    uint32_t capacity = wanted < SMALL_BATCH ? SMALL_BATCH : wanted;
    /* Many small firings: the next batch is as large as the last one became. */
    if (capacity < builder->capacity * 2)
        capacity = builder->capacity * 2;
    if (capacity > most)
        capacity = most;
    builder->batch = batch_for_schema(context->pool, builder->schema, capacity);
    Arena *arena = &builder->batch->arena;
    builder->batch->wm_us = ARENA_ARRAY(arena, int64_t, capacity);
    if (builder->updating)
        builder->batch->kinds = ARENA_ARRAY(arena, uint8_t, capacity);
    builder->capacity = capacity;
    builder->rows = 0;
    builder->wm_differs = false;
    builder->evaluation = (Evaluation){ .arena = arena, .now_us = context->now_us, .turn = context->turn };
}

Error *builder_reserve(OutputBuilder *builder, uint32_t wanted, uint32_t least, uint32_t *granted, uint32_t *first)
{
    if (builder->batch && builder->capacity - builder->rows < least)
        TRY(builder_flush(builder));
    if (!builder->batch)
        builder_start(builder, wanted, least);
    uint32_t room = builder->capacity - builder->rows;
    *granted = wanted < room ? wanted : room;
    *first = builder->rows;
    return NULL;
}

void builder_commit(OutputBuilder *builder, uint32_t rows, int64_t wm_us)
{
    int64_t *wm = builder->batch->wm_us;
    if (builder->rows && wm[0] != wm_us)
        builder->wm_differs = true;
    for (uint32_t i = 0; i < rows; i++)
        wm[builder->rows + i] = wm_us;
    builder->rows += rows;
}

void builder_commit_each(OutputBuilder *builder, uint32_t rows, const int64_t *wm_us)
{
    for (uint32_t i = 0; i < rows; i++) {
        builder->batch->wm_us[builder->rows + i] = wm_us[i];
        if (wm_us[i] != builder->batch->wm_us[0])
            builder->wm_differs = true;
    }
    builder->rows += rows;
}

Error *builder_flush(OutputBuilder *builder)
{
    Batch *batch = builder->batch;
    if (!batch)
        return NULL;
    builder->batch = NULL;
    uint32_t rows = builder->rows;
    if (rows == 0) {
        batch_release(batch);
        return NULL;
    }
    if (rows < builder->capacity / 4)
        builder->capacity /= 4; /* fewer than expected */
    batch->row_count = rows;
    batch->selection = (Selection){ rows, NULL };
    batch->wm_end_us = batch->wm_us[rows - 1];
    if (!builder->wm_differs)
        batch->wm_us = NULL;
    batch->now_us = builder->op->context->now_us;
    batch->turn = builder->op->context->turn;
    if (builder->turn != batch->turn)
        builder->turn_rows = 0;
    builder->turn = batch->turn;
    batch->first_row = builder->turn_rows;
    builder->turn_rows += rows;
    return output_push(builder->op, builder->port, batch);
}
