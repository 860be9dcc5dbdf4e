/* exec/op_window_assign.c: a window table function without aggregation: one row per window that a row falls into, earliest window
 * first, with its bounds as columns. Stateless: it knows no late rows. */
#include "common/calendar.h"
#include "exec/changes.h"
#include "exec/expand.h"
#include "exec/operators.h"

typedef struct AssignOperator {
    int64_t size_us, advance_us, offset_us, back_us;
    int time_column;
    Expansion expansion;
} AssignOperator;

static Error *assign_open(Operator *op)
{
    const WindowSpec *spec = &op->node->assign.window;
    AssignOperator *a = op->state = mem_calloc(1, sizeof(AssignOperator));
    if (spec->kind == WINDOW_SESSION)
        return error_at(ERR_UNSUPPORTED, op->node->at, "session windows need an aggregation");
    if (spec->size_us <= 0)
        return error_at(ERR_BIND, op->node->at, "the size of a window must be positive");
    a->size_us = spec->size_us;
    a->advance_us = spec->kind == WINDOW_TUMBLING || spec->advance_us <= 0 ? spec->size_us : spec->advance_us;
    a->offset_us = floor_mod(spec->offset_us, a->advance_us);
    a->back_us = spec->end_inclusive ? 1 : 0;
    a->time_column = spec->time_column;
    return NULL;
}

static void assign_close(Operator *op)
{
    mem_free(op->state);
    op->state = NULL;
}

/* The last window's start and the number of windows of a time. */
static uint32_t windows_of(const AssignOperator *a, int64_t time_us, int64_t *last_us)
{
    const int64_t far = INT64_MAX / 4;
    int64_t at = time_us > far ? far : time_us < -far ? -far : time_us;
    at -= a->back_us;
    *last_us = at - floor_mod(at - a->offset_us, a->advance_us);
    int64_t reach = a->size_us - (at - *last_us); /* > 0: the last one holds it */
    return reach <= 0 ? 0 : (uint32_t)((reach + a->advance_us - 1) / a->advance_us);
}

/* The rows with their windows: a batch of its own that shares the strings of the input. */
static Batch *assign_rows(AssignOperator *a, Operator *op, Batch *batch)
{
    const Vector *time = batch->columns[a->time_column];
    const bool processing = op->node->assign.window.processing_time;
    uint64_t total = 0;
    int64_t last;
#define ROW_TIME(row) (processing ? op->context->now_us : ((const int64_t *)time->values)[(row) & vector_mask(time)])
    for (uint32_t i = 0; i < batch->selection.count; i++) {
        uint32_t row = selection_row(&batch->selection, i);
        total += !processing && vector_is_null(time, row) ? 0 : windows_of(a, ROW_TIME(row), &last);
    }
    Arena *arena = &batch->arena;
    uint32_t *rows = ARENA_ARRAY(arena, uint32_t, total + 1), count = 0;
    Vector *bounds[3];
    for (int i = 0; i < 3; i++)
        bounds[i] = vector_new(arena, op->node->schema.columns[batch->column_count + i].type, (uint32_t)total + 1);
    for (uint32_t i = 0; i < batch->selection.count; i++) {
        uint32_t row = selection_row(&batch->selection, i);
        uint32_t windows = !processing && vector_is_null(time, row) ? 0 : windows_of(a, ROW_TIME(row), &last);
        for (uint32_t w = windows; w-- > 0;) {
            int64_t start = last - (int64_t)w * a->advance_us;
            put_bounds(bounds, count, 1, start, start + a->size_us);
            rows[count++] = row;
        }
    }
    expand_begin(&a->expansion, batch);
    Batch *out = expand_rows(&a->expansion, batch, rows, count, 3);
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
