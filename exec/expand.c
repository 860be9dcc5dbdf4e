/* exec/expand.c: see expand.h. */
#include "exec/expand.h"

Batch *rows_with_columns(Batch *batch, int column_count)
{
    Batch *out = batch_new(batch->arena.pool, column_count);
    out->row_count = batch->row_count;
    out->selection = batch->selection;
    out->kinds = batch->kinds;
    out->wm_us = batch->wm_us;
    out->wm_end_us = batch->wm_end_us;
    out->now_us = batch->now_us;
    out->turn = batch->turn;
    out->first_row = batch->first_row;
    out->split = batch->split;
    out->positions = batch->positions;
    out->lines = batch->lines;
    out->raw = batch->raw;
    batch_hold_batch(out, batch);
    return out;
}

#define GATHER_ORIGIN(field)                                                                  \
    if (batch->field) {                                                                       \
        out->field = arena_alloc(&out->arena, sizeof *batch->field * ((size_t)count + 1));    \
        for (uint32_t i = 0; i < count; i++)                                                  \
            out->field[i] = batch->field[rows[i]];                                            \
    }

void expand_begin(Expansion *expansion, const Batch *batch)
{
    if (batch->selection.count == 0)
        return;
    uint64_t first = batch->first_row + selection_row(&batch->selection, 0);
    if (!expansion->any || expansion->turn != batch->turn || first < expansion->next_row)
        *expansion = (Expansion){ .any = true, .turn = batch->turn };
    expansion->next_row = batch->first_row + selection_row(&batch->selection, batch->selection.count - 1) + 1;
}

/* -U stands directly before its +U: that holds only where each became one row. */
static void unpair_copies(const uint32_t *rows, uint32_t count, uint8_t *kinds)
{
    for (uint32_t i = 0; i < count; i++) {
        bool alone = (i == 0 || rows[i - 1] != rows[i]) && (i + 1 == count || rows[i + 1] != rows[i]);
        if (kinds[i] == ROW_UPDATE_BEFORE) {
            bool mate = alone && i + 1 < count && rows[i + 1] == rows[i] + 1 && kinds[i + 1] == ROW_UPDATE_AFTER && (i + 2 >= count || rows[i + 2] != rows[i + 1]);
            if (!mate)
                kinds[i] = ROW_DELETE;
        } else if (kinds[i] == ROW_UPDATE_AFTER && (i == 0 || kinds[i - 1] != ROW_UPDATE_BEFORE)) {
            kinds[i] = ROW_INSERT;
        }
    }
}

/* A nested value that stands in many rows of one input row stands there once. */
static Vector *expand_column(Arena *arena, Vector *column, const uint32_t *rows, uint32_t count)
{
    if (column->encoding == VECTOR_CONSTANT)
        return column;
    if (!type_is_nested(column->type) || count < 2 || rows[0] != rows[count - 1])
        return vector_gather(arena, column, rows, count);
    Vector *once = vector_gather(arena, column, rows, 1);
    once->encoding = VECTOR_CONSTANT;
    return once;
}

Batch *expand_rows(Expansion *expansion, Batch *batch, const uint32_t *rows, uint32_t count, int more, const bool *unread)
{
    Batch *out = batch_new(batch->arena.pool, batch->column_count + more);
    for (int c = 0; c < batch->column_count; c++) {
        Value none = value_null(batch->columns[c]->type);
        out->columns[c] = unread && unread[c] ? vector_constant(&out->arena, &none) : expand_column(&out->arena, batch->columns[c], rows, count);
    }
    GATHER_ORIGIN(kinds)
    GATHER_ORIGIN(wm_us)
    GATHER_ORIGIN(positions)
    GATHER_ORIGIN(lines)
    GATHER_ORIGIN(raw)
    if (out->kinds)
        unpair_copies(rows, count, out->kinds);
    out->row_count = count;
    out->selection = (Selection){ count, NULL };
    out->wm_end_us = batch->wm_end_us;
    out->now_us = batch->now_us;
    out->turn = batch->turn;
    out->first_row = expansion->given;
    expansion->given += count;
    out->split = batch->split;
    batch_hold_batch(out, batch);
    return out;
}
