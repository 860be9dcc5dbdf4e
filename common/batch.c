/* common/batch.c: what flows between operators. */
#include "common/batch.h"

const char *row_kind_text(uint8_t kind)
{
    static const char *const texts[] = { "+I", "-D", "+U", "-U" };
    return texts[kind & 3];
}

static Batch *batch_alloc(MemoryPool *pool, int column_count)
{
    Batch *batch = mem_calloc(1, sizeof *batch);
    arena_init(&batch->arena, pool);
    atomic_init(&batch->references, 1);
    batch->column_count = column_count;
    batch->wm_end_us = TIME_MIN;
    pool_join(pool, &batch->member);
    return batch;
}

static void batch_free(Batch *batch)
{
    for (int i = 0; i < batch->buffer_count; i++)
        buffer_release(batch->buffers[i]);
    arena_release(&batch->arena);
    pool_leave(&batch->member);
    mem_free(batch);
}

Batch *batch_new(MemoryPool *pool, int column_count)
{
    Batch *batch = batch_alloc(pool, column_count);
    MEMORY_HOLD(batch_unwind, &batch);
    batch->columns = ARENA_ARRAY(&batch->arena, Vector *, (size_t)column_count + 1);
    return batch;
}

Batch *batch_for_schema(MemoryPool *pool, const Schema *schema, uint32_t capacity)
{
    Batch *batch = batch_alloc(pool, schema->column_count);
    MEMORY_HOLD(batch_unwind, &batch);
    if (capacity > 64)
        arena_start_large(&batch->arena);
    batch->columns = ARENA_ARRAY(&batch->arena, Vector *, (size_t)schema->column_count + 1);
    for (int i = 0; i < schema->column_count; i++)
        batch->columns[i] = vector_new(&batch->arena, schema->columns[i].type, capacity);
    return batch;
}

Batch *batch_share(Batch *batch)
{
    Batch *share = batch_new(batch->arena.pool, batch->column_count);
    memcpy(share->columns, batch->columns, sizeof *batch->columns * (size_t)batch->column_count);
    share->row_count = batch->row_count;
    share->selection = batch->selection;
    share->kinds = batch->kinds;
    share->wm_us = batch->wm_us;
    share->wm_end_us = batch->wm_end_us;
    share->now_us = batch->now_us;
    share->turn = batch->turn;
    share->first_row = batch->first_row;
    share->split = batch->split;
    share->positions = batch->positions;
    share->lines = batch->lines;
    share->raw = batch->raw;
    batch_hold_batch(share, batch);
    return share;
}

Batch *batch_retain(Batch *batch)
{
    atomic_fetch_add_explicit(&batch->references, 1, memory_order_relaxed);
    return batch;
}

void batch_release(Batch *batch)
{
    if (!batch || atomic_fetch_sub_explicit(&batch->references, 1, memory_order_acq_rel) != 1)
        return;
    for (int i = 0; i < batch->parent_count; i++)
        batch_release(batch->parents[i]);
    batch_free(batch);
}

void batch_unwind(void *batch) { batch_release(*(Batch **)batch); }

void batches_reclaim(MemoryPool *pool)
{
    while (pool->members)
        batch_free((Batch *)((char *)pool->members - offsetof(Batch, member)));
}

void batch_hold_buffer(Batch *batch, Buffer *buffer)
{
    if (batch->buffer_count && batch->buffers[batch->buffer_count - 1] == buffer)
        return;
    Buffer **buffers = ARENA_ARRAY(&batch->arena, Buffer *, (size_t)batch->buffer_count + 1);
    for (int i = 0; i < batch->buffer_count; i++)
        buffers[i] = batch->buffers[i];
    batch->buffers = buffers;
    batch->buffers[batch->buffer_count] = buffer_retain(buffer);
    batch->buffer_count++;
}

void batch_hold_batch(Batch *batch, Batch *parent)
{
    Batch **parents = ARENA_ARRAY(&batch->arena, Batch *, (size_t)batch->parent_count + 1);
    for (int i = 0; i < batch->parent_count; i++)
        parents[i] = batch->parents[i];
    batch->parents = parents;
    batch->parents[batch->parent_count] = batch_retain(parent);
    batch->parent_count++;
}

void batch_add_bad_row(Batch *batch, const BadRow *bad)
{
    if (batch->bad_row_count == batch->bad_row_capacity) {
        uint32_t capacity = batch->bad_row_capacity ? batch->bad_row_capacity * 2 : 8;
        BadRow *rows = ARENA_ARRAY(&batch->arena, BadRow, capacity);
        if (batch->bad_row_count)
            memcpy(rows, batch->bad_rows, sizeof *rows * batch->bad_row_count);
        batch->bad_rows = rows;
        batch->bad_row_capacity = capacity;
    }
    batch->bad_rows[batch->bad_row_count++] = *bad;
}

#define GATHER_FIELD(field)                                                                            \
    if (batch->field) {                                                                                \
        compact->field = arena_alloc(&compact->arena, sizeof *batch->field * (size_t)(count + 1));     \
        for (uint32_t i = 0; i < count; i++)                                                           \
            compact->field[i] = batch->field[selection_row(&batch->selection, i)];                     \
    }

Batch *batch_compact(Batch *batch)
{
    uint32_t count = batch->selection.count;
    Batch *compact = batch_new(batch->arena.pool, batch->column_count);
    for (int c = 0; c < batch->column_count; c++)
        compact->columns[c] = batch->columns[c]->encoding == VECTOR_CONSTANT ? batch->columns[c]
                                                                             : vector_gather(&compact->arena, batch->columns[c], batch->selection.rows, count);
    GATHER_FIELD(kinds)
    GATHER_FIELD(wm_us)
    GATHER_FIELD(positions)
    GATHER_FIELD(lines)
    GATHER_FIELD(raw)
    compact->row_count = compact->selection.count = count;
    compact->wm_end_us = batch->wm_end_us;
    compact->now_us = batch->now_us;
    compact->turn = batch->turn;
    compact->first_row = batch->first_row;
    compact->split = batch->split;
    batch_hold_batch(compact, batch);
    return compact;
}
