/* exec/op_simple.c: operators of a few lines: sources (turn.c pushes through them), LIMIT. */
#include "common/calendar.h"
#include "exec/job_internal.h"
#include "exec/operators.h"
#include "exec/scalars.h"

/* ---- sources ---- */

static Error *source_process(Operator *op, int input, Batch *batch)
{
    (void)input;
    return output_push(op, PORT_MAIN, batch);
}

const OperatorType source_operator = { .name = "source", .process = source_process };

/* ---- LIMIT n OFFSET m: in order of arrival ---- */

typedef struct Limit {
    int64_t seen;
    Scalars scalars;
} Limit;

static Error *limit_open(Operator *op)
{
    Limit *limit = mem_calloc(1, sizeof *limit);
    op->state = limit;
    scalars_init(&limit->scalars, &op->pool, &limit->seen, 1);
    return NULL;
}

static void limit_close(Operator *op)
{
    mem_free(op->state);
    op->state = NULL;
}

static int limit_containers(Operator *op, Container **containers, int capacity)
{
    (void)capacity;
    containers[0] = &((Limit *)op->state)->scalars.container;
    return 1;
}

/* A LIMIT right above a sink tells the job that this output is complete. */
static void tell_sink(Operator *op)
{
    for (int i = 0; i < op->ports[PORT_MAIN].target_count; i++) {
        Operator *target = op->ports[PORT_MAIN].targets[i].operator;
        while (target->node && target->node->kind == PLAN_PROJECT && target->ports[PORT_MAIN].target_count == 1)
            target = target->ports[PORT_MAIN].targets[0].operator;
        if (target->node && target->node->kind == PLAN_SINK)
            op->context->job->output_done[target->node->sink.output] = true;
    }
}

/* Of changes: an update counts once, and its halves stay together. */
static Error *limit_changes(Operator *op, Batch *batch, int64_t offset, int64_t end)
{
    Limit *state = op->state;
    Batch *out = batch_share(batch);
    batch_release(batch);
    uint32_t *rows = arena_alloc(&out->arena, sizeof *rows * ((size_t)out->selection.count + 1)), kept = 0;
    for (uint32_t i = 0; i < out->selection.count; i++) {
        uint32_t row = selection_row(&out->selection, i);
        if (state->seen >= offset && state->seen < end)
            rows[kept++] = row;
        state->seen += batch_kind(out, row) != ROW_UPDATE_BEFORE;
    }
    out->selection = (Selection){ kept, rows };
    if (state->seen >= end)
        tell_sink(op);
    return output_push(op, PORT_MAIN, out);
}

static Error *limit_process(Operator *op, int input, Batch *batch)
{
    (void)input;
    Limit *state = op->state;
    int64_t offset = op->node->limit.offset, end = op->node->limit.limit < 0 ? INT64_MAX : time_add(offset, op->node->limit.limit);
    if (batch->kinds)
        return limit_changes(op, batch, offset, end);
    int64_t first = state->seen < offset ? offset - state->seen : 0, count = (int64_t)batch->selection.count;
    int64_t last = end - state->seen < count ? end - state->seen : count; /* rows [first, last) of this batch */
    state->seen += count;
    if (state->seen >= end)
        tell_sink(op);
    if (first >= last) {
        batch_release(batch);
        return NULL;
    }
    if (first == 0 && last == count)
        return output_push(op, PORT_MAIN, batch);
    Batch *out = batch_share(batch);
    batch_release(batch);
    uint32_t *rows = arena_alloc(&out->arena, sizeof *rows * (size_t)(last - first));
    for (int64_t i = first; i < last; i++)
        rows[i - first] = selection_row(&out->selection, (uint32_t)i);
    out->selection = (Selection){ (uint32_t)(last - first), rows };
    return output_push(op, PORT_MAIN, out);
}

static Error *limit_advance(Operator *op, int64_t wm_us)
{
    (void)wm_us;
    if (op->node->limit.limit == 0)
        tell_sink(op);
    return NULL;
}

const OperatorType limit_operator = { .name = "limit", .open = limit_open, .close = limit_close, .process = limit_process,
    .advance = limit_advance, .containers = limit_containers };
