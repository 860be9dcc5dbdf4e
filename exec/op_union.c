/* exec/op_union.c: UNION ALL, with the minimum of the inputs' watermarks.
 *
 * Inputs from different sources: rows as they come. A turn belongs to one source, so the other inputs' watermarks stand still meanwhile.
 *
 * Inputs that lead back to one source (a diamond): a batch runs through one branch before the next one sees it, and what comes out of a branch
 * may lie behind the source's clock by a turn. So rows are held until the turn is done and then come out as the source had them: by watermark,
 * by place, by input. Which of them are late, come first or are cut by a LIMIT then depends on neither batches nor turns.
 * State: none between turns. */
#include <string.h>

#include "exec/changes.h"
#include "exec/job_internal.h"
#include "exec/operators.h"

/* The held batches of an input, and where it stands while rows are put in order. */
typedef struct HeldInput {
    Batch **batches;
    size_t capacity;
    uint32_t count, at;
    uint32_t next;            /* selected row of batches[at] */
    int64_t wm_us;            /* of that row */
    uint64_t place;           /* UINT64_MAX: made of several rows, comes after those of its watermark */
} HeldInput;

typedef struct UnionOperator {
    bool meets;               /* inputs lead back to one source */
    int *clocks;              /* per input: inputs of one number share a clock */
    int64_t *clock_wm_us;     /* per such number, while merging */
    int64_t *former_wm_us;    /* per input: its watermark when the turn began */
    HeldInput *held;
    Arena arena;
    Batch *out;
    uint64_t sent;            /* rows of the turn that have gone out */
} UnionOperator;

/* ---- the plan ---- */

static void mark_above(const PlanNode *node, bool *marked)
{
    if (marked[node->id])
        return;
    marked[node->id] = true;
    for (int i = 0; i < node->input_count; i++)
        mark_above(node->inputs[i].node, marked);
}

bool union_meets(const Plan *plan, const PlanNode *node)
{
    bool meets = false;
    Arena arena;
    arena_init(&arena, NULL);
    MEMORY_HOLD(arena_unwind, &arena);
    bool *before = ARENA_ARRAY(&arena, bool, (size_t)plan->node_count + 1);
    for (int i = 0; i < node->input_count && !meets; i++) {
        bool *marked = ARENA_ARRAY(&arena, bool, (size_t)plan->node_count + 1);
        mark_above(node->inputs[i].node, marked);
        for (int id = 0; id < plan->node_count; id++) {
            bool source = plan->nodes[id]->kind == PLAN_SCAN || plan->nodes[id]->kind == PLAN_VALUES;
            meets |= source && marked[id] && before[id];
            before[id] |= marked[id];
        }
    }
    arena_release(&arena);
    return meets;
}

static Error *remember_watermarks(Operator *op);

/* The node whose clock the rows of an input carry. */
static const PlanNode *clock_of(const PlanNode *node)
{
    while (node->input_count && node->kind != PLAN_WATERMARK && node->kind != PLAN_UNION)
        node = node->inputs[0].node;
    if (node->kind != PLAN_UNION)
        return node;
    const PlanNode *first = clock_of(node->inputs[0].node);
    for (int i = 1; i < node->input_count; i++)
        if (clock_of(node->inputs[i].node) != first)
            return node;
    return first;
}

static Error *union_open(Operator *op)
{
    const PlanNode *node = op->node;
    UnionOperator *u = op->state = mem_calloc(1, sizeof *u);
    arena_init(&u->arena, &op->pool);
    u->meets = union_meets(op->context->job->plan, node);
    u->clocks = ARENA_ARRAY(&u->arena, int, (size_t)node->input_count + 1);
    u->clock_wm_us = ARENA_ARRAY(&u->arena, int64_t, (size_t)node->input_count + 1);
    u->held = ARENA_ARRAY(&u->arena, HeldInput, (size_t)node->input_count + 1);
    u->former_wm_us = ARENA_ARRAY(&u->arena, int64_t, (size_t)node->input_count + 1);
    remember_watermarks(op);
    for (int i = 0; i < node->input_count; i++)
        for (u->clocks[i] = 0; clock_of(node->inputs[u->clocks[i]].node) != clock_of(node->inputs[i].node);)
            u->clocks[i]++;
    return NULL;
}

static void forget(HeldInput *held)
{
    while (held->count)
        batch_release(held->batches[--held->count]);
}

static void union_close(Operator *op)
{
    UnionOperator *u = op->state;
    if (!u)
        return;
    for (int i = 0; u->held && i < op->node->input_count; i++) {
        forget(&u->held[i]);
        mem_free(u->held[i].batches);
    }
    batch_release(u->out);
    arena_release(&u->arena);
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

static uint32_t held_row(const HeldInput *held) { return selection_row(&held->batches[held->at]->selection, held->next); }

/* Reads the row that the input has come to; past the end it stays where at == count. */
static void settle(HeldInput *held)
{
    while (held->at < held->count && held->next == held->batches[held->at]->selection.count) {
        held->at++;
        held->next = 0;
    }
    if (held->at == held->count)
        return;
    const Batch *batch = held->batches[held->at];
    uint32_t row = held_row(held);
    held->wm_us = batch->wm_us ? batch->wm_us[row] : batch->wm_end_us;
    held->place = batch->positions ? batch->positions[row] : UINT64_MAX;
}

static bool comes_before(const HeldInput *a, const HeldInput *b)
{
    return a->wm_us != b->wm_us ? a->wm_us < b->wm_us : a->place < b->place;
}

/* The input whose row comes next, of equal ones the first; -1: all have ended. */
static int first_input(const UnionOperator *u, int input_count)
{
    int first = -1;
    for (int i = 0; i < input_count; i++)
        if (u->held[i].at < u->held[i].count && (first < 0 || comes_before(&u->held[i], &u->held[first])))
            first = i;
    return first;
}

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

/* The watermark once a row of the input carries wm_us: the lowest of all clocks. */
static int64_t raise_clock(const Operator *op, UnionOperator *u, int input, int64_t wm_us)
{
    int64_t *clock = &u->clock_wm_us[u->clocks[input]], lowest = TIME_MAX;
    if (wm_us > *clock)
        *clock = wm_us;
    for (int i = 0; i < op->input_count; i++)
        if (u->clock_wm_us[u->clocks[i]] < lowest)
            lowest = u->clock_wm_us[u->clocks[i]];
    return lowest;
}

static Error *merge_held(Operator *op, UnionOperator *u)
{
    u->sent = 0;
    for (int i = 0; i < op->input_count; i++) {
        u->held[i].at = u->held[i].next = 0;
        settle(&u->held[i]);
        u->clock_wm_us[i] = TIME_MIN;
    }
    for (int i = 0; i < op->input_count; i++)
        raise_clock(op, u, i, u->former_wm_us[i]);
    for (int i; (i = first_input(u, op->input_count)) >= 0;) {
        HeldInput *held = &u->held[i];
        TRY(add_row(op, u, held->batches[held->at], held_row(held), raise_clock(op, u, i, held->wm_us)));
        held->next++;
        settle(held);
    }
    return send_out(op, u);
}

static Error *union_process(Operator *op, int input, Batch *batch)
{
    UnionOperator *u = op->state;
    if (!u->meets)
        return pass_batch(op, input, batch);
    HeldInput *held = &u->held[input];
    if (held->count == held->capacity)
        held->batches = mem_grow(held->batches, &held->capacity, (size_t)held->count + 1, sizeof *held->batches);
    held->batches[held->count++] = batch;
    return NULL;
}

static Error *remember_watermarks(Operator *op)
{
    UnionOperator *u = op->state;
    memcpy(u->former_wm_us, op->input_wm_us, sizeof *u->former_wm_us * (size_t)op->input_count);
    return NULL;
}

/* The turn is done: all that it brings has come. */
static Error *union_advance(Operator *op, int64_t wm_us)
{
    (void)wm_us;
    UnionOperator *u = op->state;
    bool any = false;
    for (int i = 0; i < op->input_count; i++)
        any |= u->held[i].count > 0;
    if (any)
        TRY(merge_held(op, u));
    for (int i = 0; i < op->input_count; i++)
        forget(&u->held[i]);
    return remember_watermarks(op);
}

const OperatorType union_operator = { .name = "union", .open = union_open, .close = union_close, .process = union_process, .advance = union_advance,
                                      .restored = remember_watermarks };
