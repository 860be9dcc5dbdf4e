/* engine/assertion.c: ASSERT VALUES and ASSERT NULL VALUES: the next changes of a stream or table are compared with what they shall be.
 *
 * Changes count one by one, in order: a new or an updated row is a row, a row that went is a tombstone; what an update replaces does not count.
 * Each assertion goes on behind the one before it. */
#include "engine/session_internal.h"

typedef struct Comparison {
    const PlannedStatement *planned;
    Arena arena;
    uint64_t skip;               /* changes that earlier assertions have seen */
    uint64_t seen;               /* changes so far */
    int row;                     /* of the expected ones, the next */
    Error *failed;
} Comparison;

static const char *row_text(Arena *arena, const Value *values, int count)
{
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    text_add_char(&text, '(');
    for (int i = 0; i < count; i++) {
        text_add_c(&text, i ? ", " : "");
        value_print(&values[i], &text);
    }
    text_add_char(&text, ')');
    const char *copy = arena_strdup(arena, text_c(&text));
    text_release(&text);
    return copy;
}

static Error *mismatch(Comparison *comparison, const char *found)
{
    const PlannedStatement *planned = comparison->planned;
    int width = planned->plan->outputs[0].sink->schema.column_count;
    const char *expected = row_text(&comparison->arena, &planned->expected.rows[comparison->row * width], width);
    return error_at(ERR_ASSERT, planned->expected.row_at[comparison->row], "expected %s%s, found %s", planned->expected.tombstones ? "a tombstone of " : "", expected, found);
}

static Error *compare_change(Comparison *comparison, const Batch *batch, uint32_t row)
{
    const PlannedStatement *planned = comparison->planned;
    bool gone = batch_kind(batch, row) == ROW_DELETE, same = gone == planned->expected.tombstones;
    Value *values = ARENA_ARRAY(&comparison->arena, Value, batch->column_count + 1);
    for (int c = 0; c < batch->column_count; c++) {
        values[c] = vector_get(&comparison->arena, batch->columns[c], row);
        same &= value_equal(&values[c], &planned->expected.rows[comparison->row * batch->column_count + c]);
    }
    if (same)
        return NULL;
    return mismatch(comparison, arena_printf(&comparison->arena, "%s%s", gone ? "a tombstone of " : "", row_text(&comparison->arena, values, batch->column_count)));
}

/* Ends the job once everything is compared. */
static Error *take_changes(void *caller, const Batch *batch)
{
    Comparison *comparison = caller;
    for (uint32_t i = 0; i < batch->selection.count; i++) {
        uint32_t row = selection_row(&batch->selection, i);
        if (batch_kind(batch, row) == ROW_UPDATE_BEFORE || comparison->seen++ < comparison->skip)
            continue;
        comparison->failed = compare_change(comparison, batch, row);
        comparison->row++;
        if (comparison->failed || comparison->row == comparison->planned->expected.row_count)
            return error_new(ERR_CLOSED, "enough");
    }
    return NULL;
}

static Error *as_it_ended(void *caller, Job *job, Error *error)
{
    (void)caller;
    (void)job;
    return error;
}

Error *session_assert(Session *session, const PlannedStatement *planned, const SessionOutput *output)
{
    Comparison comparison = { .planned = planned, .skip = *planned->expected.compared };
    SessionOutput compare = { .rows = take_changes, .notice = output->notice, .caller = &comparison };
    uint32_t batch_rows = session->options.batch_rows;
    if (session->options.check_only || session->options.explain_only)
        return NULL;
    arena_init(&comparison.arena, &session->pool);
    MEMORY_HOLD(arena_unwind, &comparison.arena);
    session->options.batch_rows = 1; /* every change by itself */
    JobLook so_far = { .until_quiet = true, .look = as_it_ended };
    Error *error = planned->plan->bounded ? session_run_plan(session, planned->plan, &compare) : session_run_profiled(session, planned->plan, &compare, &so_far);
    session->options.batch_rows = batch_rows;
    if (error && error->code == ERR_CLOSED) {
        error_free(error);
        error = NULL;
    }
    if (!error)
        error = comparison.failed;
    else
        error_free(comparison.failed);
    if (!error && comparison.row < planned->expected.row_count) {
        const char *more = comparison.row ? "no more changes" : "no change that assertions have not seen";
        error = mismatch(&comparison, arena_printf(&comparison.arena, "%s: '%s' has %llu in all", more, planned->expected.name, (unsigned long long)comparison.seen));
    }
    if (!error)
        *planned->expected.compared += (uint64_t)planned->expected.row_count;
    arena_release(&comparison.arena);
    return error;
}
