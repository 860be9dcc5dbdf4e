/* exec/op_window_assign.c: a window table function without aggregation: one row per window that a row falls into, earliest window
 * first, with its bounds as columns. Stateless: it knows no late rows. */
#include "exec/changes.h"
#include "exec/expand.h"
#include "exec/operators.h"
#include "exec/window_grid.h"

typedef struct AssignOperator {
    WindowGrid grid;
    int64_t back_us;
    int time_column;
    bool processing;
    GridPlace place; /* of the row before, mostly the same */
    Expansion expansion;
} AssignOperator;

static Error *assign_open(Operator *op)
{
    const WindowSpec *spec = &op->node->assign.window;
    AssignOperator *a = op->state = mem_calloc(1, sizeof(AssignOperator));
    if (spec->kind == WINDOW_SESSION)
        return error_at(ERR_UNSUPPORTED, op->node->at, "session windows need an aggregation");
    TRY(grid_init(&a->grid, spec, op->node->at));
    a->back_us = spec->end_inclusive ? 1 : 0;
    a->time_column = spec->time_column;
    a->processing = spec->processing_time;
    a->place = (GridPlace){ .from_us = 1 };
    return NULL;
}

static void assign_close(Operator *op)
{
    mem_free(op->state);
    op->state = NULL;
}

/* The windows of a row: ends from first to last; false: none. */
static bool windows_of(AssignOperator *a, const Operator *op, const Vector *time, uint32_t row, GridPlace *place)
{
    if (!a->processing && vector_is_null(time, row))
        return false;
    int64_t time_us = a->processing ? op->context->now_us : ((const int64_t *)time->values)[row & vector_mask(time)];
    time_us = clamp_time(time_us) - a->back_us;
    if (time_us < a->place.from_us || time_us >= a->place.to_us)
        a->place = grid_place(&a->grid, time_us);
    *place = a->place;
    return place->any;
}

/* The rows with their windows: a batch of its own that shares the strings of the input. */
static Batch *assign_rows(AssignOperator *a, Operator *op, Batch *batch)
{
    const Vector *time = batch->columns[a->time_column];
    uint64_t total = 0;
    GridPlace place;
    for (uint32_t i = 0; i < batch->selection.count; i++)
        if (windows_of(a, op, time, selection_row(&batch->selection, i), &place))
            total += (uint64_t)grid_count_ends(&a->grid, place.first_end_us, place.last_end_us);
    Arena *arena = &batch->arena;
    uint32_t *rows = ARENA_ARRAY(arena, uint32_t, total + 1), count = 0;
    Vector *bounds[3];
    for (int i = 0; i < 3; i++)
        bounds[i] = vector_new(arena, op->node->schema.columns[batch->column_count + i].type, (uint32_t)total + 1);
    for (uint32_t i = 0; i < batch->selection.count; i++) {
        uint32_t row = selection_row(&batch->selection, i);
        if (!windows_of(a, op, time, row, &place))
            continue;
        for (int64_t end = place.first_end_us; end <= place.last_end_us; end = grid_next_end(&a->grid, end)) {
            put_bounds(bounds, count, 1, grid_start(&a->grid, end), end);
            rows[count++] = row;
        }
    }
    expand_begin(&a->expansion, batch);
    Batch *out = expand_rows(&a->expansion, batch, rows, count, 3, NULL);
    for (int i = 0; i < 3; i++)
        out->columns[batch->column_count + i] = bounds[i];
    return out;
}

static Error *assign_process(Operator *op, int input, Batch *batch)
{
    (void)input;
    Batch *out = assign_rows(op->state, op, batch);
    batch_release(batch);
    return output_push(op, PORT_MAIN, out);
}

const OperatorType window_assign_operator = {
    .name = "window assign", .open = assign_open, .close = assign_close, .process = assign_process,
};
