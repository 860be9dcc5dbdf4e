/* exec/op_watermark.c: stamps event time: wm_us[row] is the watermark that the turn's rows before this one make.
 *
 * In the PARALLEL part it knows only its own turn; the ORDERED part combines that with the split's and the other splits' watermarks (turn.c).
 * Over rows that come out of the ORDERED part (TIMESTAMP BY over late rows, over results) it is one more clock: the rows it has seen, in order.
 * A row without a time, or too far ahead of the clock, is a bad row and moves nothing.
 * State, in the ORDERED part: the watermark so far. */
#include "common/calendar.h"
#include "exec/expression.h"
#include "exec/job_internal.h"
#include "exec/operators.h"
#include "exec/scalars.h"

typedef struct Stamp {
    Arena arena;
    Expression *watermark; /* NULL: the time column itself */
    int domain;
    int64_t wm_us;         /* in the ORDERED part */
    Scalars scalars;
} Stamp;

static bool is_ordered(const Operator *op) { return op->context->worker < 0; }

static Error *watermark_open(Operator *op)
{
    Stamp *stamp = mem_calloc(1, sizeof *stamp);
    op->state = stamp;
    arena_init(&stamp->arena, &op->pool);
    stamp->domain = op->context->job->node_domain[op->node->id];
    stamp->wm_us = TIME_MIN;
    scalars_init(&stamp->scalars, &op->pool, &stamp->wm_us, 1);
    if (op->node->watermark.watermark)
        return expression_open(&stamp->arena, op->node->watermark.watermark, &stamp->watermark);
    return NULL;
}

static void watermark_close(Operator *op)
{
    Stamp *stamp = op->state;
    if (!stamp)
        return;
    arena_release(&stamp->arena);
    mem_free(stamp);
    op->state = NULL;
}

/* Takes rows without a usable time out of the selection. */
static Error *reject_bad_times(Operator *op, Batch *batch, const Vector *time, Error **failure)
{
    const PlanNode *node = op->node;
    int64_t ahead_us = node->watermark.max_ahead_us, latest_us = ahead_us ? time_add(batch->now_us, ahead_us) : TIME_MAX;
    if (!time->validity && latest_us == TIME_MAX)
        return NULL;
    const int64_t *times = time->values;
    uint32_t mask = vector_mask(time), count = 0;
    uint32_t *kept = arena_alloc(&batch->arena, sizeof *kept * ((size_t)batch->selection.count + 1));
    for (uint32_t i = 0; i < batch->selection.count && !*failure; i++) {
        uint32_t row = selection_row(&batch->selection, i);
        bool missing = vector_is_null(time, row);
        if (!missing && times[row & mask] <= latest_us) {
            kept[count++] = row;
            continue;
        }
        const char *column = node->inputs[0].node->schema.columns[node->watermark.time_column].name;
        Error *error = job_row_error(op, node->watermark.on_error, batch, row, "time", column,
                                     missing ? "the event time is missing" : "the event time is too far ahead of the clock", SPAN_NONE);
        if (error && node->watermark.on_error != POLICY_FAIL)
            return error;
        *failure = error;
    }
    batch->selection = (Selection){ count, kept };
    return NULL;
}

static void stamp_rows(Batch *batch, const Vector *watermark, int64_t extra_us, int64_t *running)
{
    int64_t wm_us = *running, *out = arena_alloc(&batch->arena, sizeof *out * ((size_t)batch->row_count + 1));
    const int64_t *values = watermark->values;
    uint32_t mask = vector_mask(watermark), next = 0;
    for (uint32_t i = 0; i < batch->selection.count; i++) {
        uint32_t row = selection_row(&batch->selection, i);
        while (next <= row)
            out[next++] = wm_us;
        if (watermark->validity && vector_is_null(watermark, row))
            continue;
        int64_t value = extra_us ? time_add(values[row & mask], extra_us) : values[row & mask];
        wm_us = value > wm_us ? value : wm_us;
    }
    while (next < batch->row_count)
        out[next++] = wm_us;
    batch->wm_us = out;
    batch->wm_end_us = *running = wm_us;
}

/* The rows bring their watermarks along. */
static void keep_stamps(Batch *batch, int64_t *running)
{
    int64_t *out = arena_alloc(&batch->arena, sizeof *out * ((size_t)batch->row_count + 1));
    for (uint32_t row = 0; row < batch->row_count; row++) {
        int64_t wm_us = batch->wm_us ? batch->wm_us[row] : batch->wm_end_us;
        out[row] = wm_us > *running ? wm_us : *running;
    }
    batch->wm_us = out;
    *running = batch->wm_end_us > *running ? batch->wm_end_us : *running;
    batch->wm_end_us = *running;
}

static Error *watermark_process(Operator *op, int input, Batch *batch)
{
    (void)input;
    Stamp *stamp = op->state;
    Turn *turn = context_worker(op)->turn;
    const PlanNode *node = op->node;
    Batch *out = batch_share(batch);
    batch_release(batch);
    Error *failure = NULL, *error = NULL;
    const Vector *time = node->watermark.time_column >= 0 ? out->columns[node->watermark.time_column] : NULL, *watermark = time;
    if (time && !node->watermark.passed)
        error = reject_bad_times(op, out, time, &failure);
    Evaluation evaluation = { .arena = &out->arena, .now_us = op->context->now_us, .turn = out->turn, .first_row = out->first_row };
    if (!error && stamp->watermark)
        error = expression_evaluate(stamp->watermark, &evaluation, out, &out->selection, &watermark); /* a failed row is NULL: it moves nothing */
    if (error) {
        error_free(failure);
        batch_release(out);
        return error;
    }
    int64_t *running = is_ordered(op) ? &stamp->wm_us : &turn->domain_wm_us[stamp->domain];
    if (node->watermark.passed)
        keep_stamps(out, running);
    else if (watermark)
        stamp_rows(out, watermark, node->watermark.extra_us, running);
    error = output_push(op, PORT_MAIN, out);
    if (!error)
        return failure;
    error_free(failure);
    return error;
}

static int64_t watermark_own(const Operator *op) { return ((const Stamp *)op->state)->wm_us; }

static int watermark_containers(Operator *op, Container **containers, int capacity)
{
    Stamp *stamp = op->state;
    if (!is_ordered(op) || capacity < 1)
        return 0;
    containers[0] = &stamp->scalars.container;
    return 1;
}

const OperatorType watermark_operator = { .name = "watermark", .open = watermark_open, .close = watermark_close, .process = watermark_process,
                                          .own_watermark = watermark_own, .containers = watermark_containers };
