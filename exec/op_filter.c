/* exec/op_filter.c: WHERE and HAVING. A row passes if the predicate is true; not if it is false, NULL, or failed under POLICY_NULL.
 *
 * A filter that keeps one half of an update pair leaves a plain insert or delete behind (R7). */
#include "exec/expression.h"
#include "exec/operators.h"
#include "exec/row_policy.h"

typedef struct Filter {
    Arena arena;
    Expression *predicate;
} Filter;

static Error *filter_open(Operator *op)
{
    Filter *filter = mem_calloc(1, sizeof *filter);
    op->state = filter;
    arena_init(&filter->arena, &op->pool);
    return expression_open(&filter->arena, op->node->filter.predicate, &filter->predicate);
}

static void filter_close(Operator *op)
{
    Filter *filter = op->state;
    if (!filter)
        return;
    arena_release(&filter->arena);
    mem_free(filter);
    op->state = NULL;
}

/* Clears bit 1 of rows whose other half is gone: -U stands directly before its +U. */
static void unpair(Batch *batch, const Selection *passed)
{
    uint8_t *kinds = arena_alloc(&batch->arena, batch->row_count);
    memcpy(kinds, batch->kinds, batch->row_count);
    for (uint32_t i = 0; i < passed->count; i++) {
        uint32_t row = selection_row(passed, i);
        bool before = kinds[row] == ROW_UPDATE_BEFORE, after = kinds[row] == ROW_UPDATE_AFTER;
        bool mate = before ? i + 1 < passed->count && selection_row(passed, i + 1) == row + 1 && kinds[row + 1] == ROW_UPDATE_AFTER
                           : i > 0 && selection_row(passed, i - 1) == row - 1 && kinds[row - 1] == ROW_UPDATE_BEFORE;
        if ((before || after) && !mate)
            kinds[row] &= 1;
    }
    batch->kinds = kinds;
}

static bool is_paired(const Batch *batch)
{
    for (uint32_t i = 0; batch->kinds && i < batch->selection.count; i++)
        if (batch->kinds[selection_row(&batch->selection, i)] == ROW_UPDATE_BEFORE)
            return true;
    return false;
}

static Error *filter_process(Operator *op, int input, Batch *batch)
{
    (void)input;
    Filter *filter = op->state;
    Batch *out = batch_share(batch);
    batch_release(batch);
    Evaluation evaluation = { .arena = &out->arena, .now_us = op->context->now_us, .turn = out->turn, .first_row = out->first_row };
    Selection live = out->selection, passed;
    Error *failure = NULL, *error = expression_select(filter->predicate, &evaluation, out, &live, &passed);
    if (!error && evaluation.failure_count) {
        const PlanNode *node = op->node;
        Selection settled = live;
        error = row_policy_settle(op, node->filter.on_error, &evaluation, out, NULL, node->filter.predicate->at, &settled, &failure);
        if (failure) { /* only what stands before the failing row */
            uint32_t end = settled.count ? selection_row(&settled, settled.count - 1) + 1 : 0, count = 0;
            while (count < passed.count && selection_row(&passed, count) < end)
                count++;
            passed.count = count;
        }
    }
    if (error) {
        batch_release(out);
        return error;
    }
    if (is_paired(out))
        unpair(out, &passed);
    out->selection = passed;
    error = output_push(op, PORT_MAIN, out);
    if (!error)
        return failure;
    error_free(failure);
    return error;
}

const OperatorType filter_operator = { .name = "filter", .open = filter_open, .close = filter_close, .process = filter_process };
