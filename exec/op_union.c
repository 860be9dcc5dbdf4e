/* exec/op_union.c: UNION ALL, with the minimum of the inputs' watermarks.
 *
 * Inputs from different sources: rows as they come. A turn belongs to one source, so the other inputs' watermarks stand still meanwhile.
 *
 * Inputs that lead back to one source (a diamond): rows are held until the turn is done and then come out as the source had them (meeting.h).
 * State: none between turns. */
#include "exec/changes.h"
#include "exec/job_internal.h"
#include "exec/meeting.h"
#include "exec/operators.h"

typedef struct UnionOperator {
    Meeting meeting;
    Batch *out;
    uint64_t sent;            /* rows of the turn that have gone out */
} UnionOperator;

static Error *union_open(Operator *op)
{
    UnionOperator *u = op->state = mem_calloc(1, sizeof *u);
    meeting_open(&u->meeting, op);
    return NULL;
}

static void union_close(Operator *op)
{
    UnionOperator *u = op->state;
    if (!u)
        return;
    meeting_close(&u->meeting);
    batch_release(u->out);
    mem_free(u);
    op->state = NULL;
}

/* ---- inputs from different sources ---- */

static Error *pass_batch(Operator *op, int input, Batch *batch)
{
    int64_t others = TIME_MAX;
    for (int i = 0; i < op->input_count; i++)
        if (i != input && op->input_wm_us[i] < others)
            others = op->input_wm_us[i];
    if (others == TIME_MAX)
        return output_push(op, PORT_MAIN, batch);
    Batch *out = batch_share(batch);
    batch_release(batch);
    int64_t at_least = op->wm_us;
    if (out->wm_us) {
        int64_t *wm_us = arena_alloc(&out->arena, sizeof *wm_us * ((size_t)out->row_count + 1));
        for (uint32_t row = 0; row < out->row_count; row++) {
            int64_t lower = out->wm_us[row] < others ? out->wm_us[row] : others;
            wm_us[row] = lower > at_least ? lower : at_least;
        }
        out->wm_us = wm_us;
    }
    int64_t end = out->wm_end_us < others ? out->wm_end_us : others;
    out->wm_end_us = end > at_least ? end : at_least;
    return output_push(op, PORT_MAIN, out);
}

/* ---- inputs that meet ---- */

static Error *send_out(Operator *op, UnionOperator *u)
{
    Batch *out = u->out;
    u->out = NULL;
    if (!out)
        return NULL;
    out->selection = (Selection){ out->row_count, NULL };
    out->first_row = u->sent;
    u->sent += out->row_count;
    out->wm_end_us = out->row_count ? out->wm_us[out->row_count - 1] : TIME_MIN;
    return output_push(op, PORT_MAIN, out);
}

static void start_out(Operator *op, UnionOperator *u, const Batch *like)
{
    const OperatorContext *context = op->context;
    uint32_t capacity = context->batch_rows > 2 ? context->batch_rows : 2; /* halves of an update stay together */
    Batch *out = u->out = batch_for_schema(context->pool, &op->node->schema, capacity);
    out->wm_us = ARENA_ARRAY(&out->arena, int64_t, capacity);
    if (op->node->traits.changes != CHANGES_APPEND)
        out->kinds = ARENA_ARRAY(&out->arena, uint8_t, capacity);
    out->positions = like->positions ? ARENA_ARRAY(&out->arena, uint64_t, capacity) : NULL;
    out->lines = like->lines ? ARENA_ARRAY(&out->arena, uint64_t, capacity) : NULL;
    out->raw = like->raw ? ARENA_ARRAY(&out->arena, Str, capacity) : NULL;
    out->row_count = 0;
    out->now_us = context->now_us;
    out->turn = context->turn;
    out->split = like->split;
}

static bool fits(Operator *op, const UnionOperator *u, const Batch *batch, uint32_t row)
{
    const Batch *out = u->out;
    uint32_t most = op->context->batch_rows, needed = batch_kind(batch, row) == ROW_UPDATE_BEFORE ? 2 : 1;
    bool half_out = out->row_count && batch_kind(out, out->row_count - 1) == ROW_UPDATE_BEFORE;
    bool room = half_out || out->row_count + needed <= (most > needed ? most : needed);
    return room && !out->positions == !batch->positions && !out->lines == !batch->lines && !out->raw == !batch->raw;
}

static Error *add_row(Operator *op, UnionOperator *u, Batch *batch, uint32_t row, int64_t wm_us)
{
    if (u->out && !fits(op, u, batch, row))
        TRY(send_out(op, u));
    if (!u->out)
        start_out(op, u, batch);
    Batch *out = u->out;
    uint32_t at = out->row_count;
    for (int c = 0; c < out->column_count; c++)
        vector_copy_row(&out->arena, out->columns[c], at, batch->columns[c], row);
    out->wm_us[at] = wm_us;
    if (out->kinds)
        out->kinds[at] = batch_kind(batch, row);
    if (out->positions)
        out->positions[at] = batch->positions[row];
    if (out->lines)
        out->lines[at] = batch->lines[row];
    if (out->raw)
        out->raw[at] = str_view(arena_copy(&out->arena, str_bytes(&batch->raw[row]), batch->raw[row].length), batch->raw[row].length);
    out->row_count++;
    return NULL;
}

static Error *take_held(Operator *op, int input, Batch *batch, uint32_t row, int64_t wm_us)
{
    (void)input;
    return add_row(op, op->state, batch, row, wm_us);
}

static Error *union_process(Operator *op, int input, Batch *batch)
{
    UnionOperator *u = op->state;
    if (!u->meeting.meets)
        return pass_batch(op, input, batch);
    meeting_hold(&u->meeting, input, batch);
    return NULL;
}

/* The turn is done: all that it brings has come. */
static Error *union_advance(Operator *op, int64_t wm_us)
{
    (void)wm_us;
    UnionOperator *u = op->state;
    u->sent = 0;
    TRY(meeting_end_turn(&u->meeting, take_held));
    return send_out(op, u);
}

static Error *union_restored(Operator *op)
{
    meeting_restored(&((UnionOperator *)op->state)->meeting);
    return NULL;
}

const OperatorType union_operator = { .name = "union", .open = union_open, .close = union_close, .process = union_process, .advance = union_advance,
                                      .restored = union_restored };
