/* exec/meeting.c: see meeting.h. */
#include "exec/meeting.h"

#include <string.h>

#include "exec/job_internal.h"

/* The held batches of an input, and where it stands while rows are put in order. */
struct HeldInput {
    Batch **batches;
    size_t capacity;
    uint32_t count, at;
    uint32_t next;            /* selected row of batches[at] */
    int64_t wm_us;            /* of that row */
    uint64_t place;           /* UINT64_MAX: made of several rows, comes after those of its watermark */
};

/* ---- the plan ---- */

static void mark_above(const PlanNode *node, bool *marked)
{
    if (marked[node->id])
        return;
    marked[node->id] = true;
    for (int i = 0; i < node->input_count; i++)
        mark_above(node->inputs[i].node, marked);
}

bool inputs_meet(const Plan *plan, const PlanNode *node)
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

/* The node whose clock the rows of an input carry. */
static const PlanNode *clock_of(const PlanNode *node)
{
    while (node->input_count && node->kind != PLAN_WATERMARK && node->kind != PLAN_UNION && node->kind != PLAN_JOIN)
        node = node->inputs[0].node;
    if (node->kind != PLAN_UNION && node->kind != PLAN_JOIN)
        return node;
    const PlanNode *first = clock_of(node->inputs[0].node);
    for (int i = 1; i < node->input_count; i++)
        if (clock_of(node->inputs[i].node) != first)
            return node;
    return first;
}

/* ---- life ---- */

void meeting_restored(Meeting *meeting)
{
    memcpy(meeting->former_wm_us, meeting->op->input_wm_us, sizeof *meeting->former_wm_us * (size_t)meeting->op->input_count);
}

void meeting_open(Meeting *meeting, Operator *op)
{
    const PlanNode *node = op->node;
    meeting->op = op;
    arena_init(&meeting->arena, &op->pool);
    meeting->meets = inputs_meet(op->context->job->plan, node);
    meeting->clocks = ARENA_ARRAY(&meeting->arena, int, (size_t)node->input_count + 1);
    meeting->clock_wm_us = ARENA_ARRAY(&meeting->arena, int64_t, (size_t)node->input_count + 1);
    meeting->held = ARENA_ARRAY(&meeting->arena, HeldInput, (size_t)node->input_count + 1);
    meeting->former_wm_us = ARENA_ARRAY(&meeting->arena, int64_t, (size_t)node->input_count + 1);
    meeting_restored(meeting);
    for (int i = 0; i < node->input_count; i++)
        for (meeting->clocks[i] = 0; clock_of(node->inputs[meeting->clocks[i]].node) != clock_of(node->inputs[i].node);)
            meeting->clocks[i]++;
}

static void forget(HeldInput *held)
{
    while (held->count)
        batch_release(held->batches[--held->count]);
}

void meeting_close(Meeting *meeting)
{
    if (!meeting->op)
        return;
    for (int i = 0; meeting->held && i < meeting->op->input_count; i++) {
        forget(&meeting->held[i]);
        mem_free(meeting->held[i].batches);
    }
    arena_release(&meeting->arena);
    meeting->op = NULL;
}

/* ---- rows ---- */

int64_t combined_watermark(const Operator *op, int input, const Batch *batch, uint32_t row)
{
    int64_t wm_us = batch->wm_us ? batch->wm_us[row] : batch->wm_end_us;
    for (int i = 0; i < op->input_count; i++)
        if (i != input && op->input_wm_us[i] < wm_us)
            wm_us = op->input_wm_us[i];
    return wm_us > op->wm_us ? wm_us : op->wm_us;
}

void meeting_hold(Meeting *meeting, int input, Batch *batch)
{
    HeldInput *held = &meeting->held[input];
    if (held->count == held->capacity)
        held->batches = mem_grow(held->batches, &held->capacity, (size_t)held->count + 1, sizeof *held->batches);
    held->batches[held->count++] = batch;
}

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
static int first_input(const Meeting *meeting)
{
    int first = -1;
    for (int i = 0; i < meeting->op->input_count; i++)
        if (meeting->held[i].at < meeting->held[i].count && (first < 0 || comes_before(&meeting->held[i], &meeting->held[first])))
            first = i;
    return first;
}

/* The watermark once a row of the input carries wm_us: the lowest of all clocks. */
static int64_t raise_clock(Meeting *meeting, int input, int64_t wm_us)
{
    int64_t *clock = &meeting->clock_wm_us[meeting->clocks[input]], lowest = TIME_MAX;
    if (wm_us > *clock)
        *clock = wm_us;
    for (int i = 0; i < meeting->op->input_count; i++)
        if (meeting->clock_wm_us[meeting->clocks[i]] < lowest)
            lowest = meeting->clock_wm_us[meeting->clocks[i]];
    return lowest;
}

static Error *give_rows(Meeting *meeting, MeetingRow take)
{
    int input_count = meeting->op->input_count;
    for (int i = 0; i < input_count; i++) {
        meeting->held[i].at = meeting->held[i].next = 0;
        settle(&meeting->held[i]);
        meeting->clock_wm_us[i] = TIME_MIN;
    }
    for (int i = 0; i < input_count; i++)
        raise_clock(meeting, i, meeting->former_wm_us[i]);
    for (int i; (i = first_input(meeting)) >= 0;) {
        HeldInput *held = &meeting->held[i];
        TRY(take(meeting->op, i, held->batches[held->at], held_row(held), raise_clock(meeting, i, held->wm_us)));
        held->next++;
        settle(held);
    }
    return NULL;
}

Error *meeting_end_turn(Meeting *meeting, MeetingRow take)
{
    TRY(give_rows(meeting, take));
    for (int i = 0; i < meeting->op->input_count; i++)
        forget(&meeting->held[i]);
    meeting_restored(meeting);
    return NULL;
}
