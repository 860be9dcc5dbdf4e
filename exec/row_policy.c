/* exec/row_policy.c: what filters and projections do with rows whose expression failed. */
#include "exec/row_policy.h"

#include <string.h>

static const RowFailure *first_failure(const Evaluation *evaluation)
{
    const RowFailure *first = &evaluation->failures[0];
    for (uint32_t i = 1; i < evaluation->failure_count; i++)
        if (evaluation->failures[i].row < first->row)
            first = &evaluation->failures[i];
    return first;
}

static void keep_rows_before(Arena *arena, uint32_t row, Selection *rows)
{
    uint32_t *kept = arena_alloc(arena, sizeof *kept * ((size_t)rows->count + 1)), count = 0;
    for (uint32_t i = 0; i < rows->count && selection_row(rows, i) < row; i++)
        kept[count++] = selection_row(rows, i);
    *rows = (Selection){ count, kept };
}

static void drop_failed(Arena *arena, const uint64_t *failed, Selection *rows)
{
    uint32_t *kept = arena_alloc(arena, sizeof *kept * ((size_t)rows->count + 1)), count = 0;
    for (uint32_t i = 0; i < rows->count; i++)
        if (!bit_get(failed, selection_row(rows, i)))
            kept[count++] = selection_row(rows, i);
    *rows = (Selection){ count, kept };
}

Error *row_policy_settle(Operator *op, RowPolicy policy, Evaluation *evaluation, const Batch *batch, const char *column, Span at,
                         Selection *rows, Error **failure)
{
    if (evaluation->failure_count == 0)
        return NULL;
    if (policy == POLICY_FAIL) {
        const RowFailure *first = first_failure(evaluation);
        Error *error = job_row_error(op, policy, batch, first->row, "expression", column, first->reason, at);
        keep_rows_before(evaluation->arena, first->row, rows);
        error_free(*failure); /* a later column that fails at an earlier row */
        *failure = error;
        evaluation->failure_count = 0;
        return NULL;
    }
    uint64_t *failed = ARENA_ARRAY(evaluation->arena, uint64_t, bitmap_words(batch->row_count) + 1);
    for (uint32_t i = 0; i < evaluation->failure_count; i++) {
        const RowFailure *one = &evaluation->failures[i];
        if (bit_get(failed, one->row))
            continue;
        bit_set(failed, one->row);
        TRY(job_row_error(op, policy, batch, one->row, "expression", column, one->reason, at));
    }
    evaluation->failure_count = 0;
    if (policy != POLICY_NULL)
        drop_failed(evaluation->arena, failed, rows);
    return NULL;
}
