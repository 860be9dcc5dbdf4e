/* exec/op_join_arrival.c: ksqlDB's join of two streams. Its clocks are made of the rows that have come, not of the source's watermark:
 *
 *   own time     the latest row of a side: what lies back by the reaches of WITHIN and the grace together has left that side's store
 *   shared time  the latest row of both: it decides when a row has waited long enough for a match
 *
 * Rows without a match: EAGER (no GRACE PERIOD given): at once, and for good. AT_BOUND: once a row that is at the shared time comes and their reach
 * plus the grace lies before it; at once where their reach alone lies before it already.
 * State: JoinState, with both clocks among its scalars. Bounds: {the time column, the side's reach, the grace}. */
#include <stdlib.h>

#include "common/calendar.h"
#include "exec/op_join.h"
#include "exec/operators.h"

typedef struct Arrival {
    JoinOutput output;       /* first */
    Meeting meeting;
    Timers stores[2];        /* by a side's own time: rows that leave its store */
    Timers waiting;          /* by the shared time; slot: number * 2 + side */
    RowNumbers found, due;
    int64_t reach_us[2], grace_us;
} Arrival;

static int64_t *own_time(Arrival *join, int s) { return &join->output.state.scalars[s ? JOIN_SCALAR_TIME_1 : JOIN_SCALAR_TIME_0]; }
static int64_t *watermark(Arrival *join) { return &join->output.state.scalars[JOIN_SCALAR_WM]; }

static int64_t shared_time(Arrival *join) { return *own_time(join, 0) > *own_time(join, 1) ? *own_time(join, 0) : *own_time(join, 1); }

static bool preserves(const Arrival *join, int s, JoinPadding padding)
{
    return join->output.node->join.sides[s].preserved && join->output.node->join.padding == padding;
}

/* ---- life ---- */

static int64_t recheck(void *owner, const Timer *timer)
{
    const Arrival *join = owner;
    return join_row_stays(&join->output.state, timer->slot & 1, timer->slot >> 1, timer->order) ? timer->time_us : TIME_MAX;
}

static Error *arrival_open(Operator *op)
{
    Arrival *join = op->state = mem_calloc(1, sizeof *join);
    TRY(join_output_open(&join->output, op));
    meeting_open(&join->meeting, op);
    for (int s = 0; s < 2; s++)
        join->reach_us[s] = op->node->join.sides[s].bounds[0].offset_us;
    join->grace_us = op->node->join.sides[0].bounds[0].lag_us;
    int64_t spread_us = time_add(time_add(join->reach_us[0], join->reach_us[1]), join->grace_us);
    for (int s = 0; s < 2; s++)
        timers_init(&join->stores[s], &op->pool, spread_us, recheck, join);
    timers_init(&join->waiting, &op->pool, spread_us, recheck, join);
    return NULL;
}

static void arrival_close(Operator *op)
{
    Arrival *join = op->state;
    if (!join)
        return;
    for (int s = 0; s < 2; s++)
        timers_release(&join->stores[s]);
    timers_release(&join->waiting);
    meeting_close(&join->meeting);
    join_output_close(&join->output);
    mem_free(join->found.items);
    mem_free(join->due.items);
    mem_free(join);
    op->state = NULL;
}

/* ---- rows that wait ---- */

/* Earlier times first, of equal ones the right side's, then by arrival. */
static int due_order(const void *a, const void *b, void *context)
{
    const uint32_t *x = a, *y = b;
    const JoinState *state = context;
    const JoinRow *p = join_row(state, *x & 1, *x >> 1), *q = join_row(state, *y & 1, *y >> 1);
    if (p->time_us != q->time_us)
        return p->time_us < q->time_us ? -1 : 1;
    if ((*x & 1) != (*y & 1))
        return *x & 1 ? -1 : 1;
    return p->order < q->order ? -1 : p->order > q->order;
}

static Error *pad(Arrival *join, int s, uint32_t number)
{
    join_touch(&join->output.state, s, number)->matches = 1; /* it has come out */
    return join_pair(&join->output, s, number, ROW_NONE, ROW_INSERT, *watermark(join));
}

static Error *emit_waiting(Arrival *join, int64_t shared_us)
{
    Timer timer;
    join->due.count = 0;
    while (timers_next(&join->waiting) < shared_us && timers_pop(&join->waiting, shared_us, &timer))
        if (join_row(&join->output.state, timer.slot & 1, timer.slot >> 1)->matches == 0) {
            join->due.items = mem_grow(join->due.items, &join->due.capacity, (size_t)join->due.count + 1, sizeof *join->due.items);
            join->due.items[join->due.count++] = timer.slot;
        }
    if (join->due.count > 1)
        qsort_r(join->due.items, join->due.count, sizeof *join->due.items, due_order, &join->output.state);
    for (uint32_t i = 0; i < join->due.count; i++)
        TRY(pad(join, join->due.items[i] & 1, join->due.items[i] >> 1));
    return NULL;
}

/* Rows of the side that its own time has gone beyond. */
static void leave_store(Arrival *join, int s)
{
    Timer timer;
    while (timers_next(&join->stores[s]) <= *own_time(join, s) && timers_pop(&join->stores[s], time_add(*own_time(join, s), 1), &timer))
        join_drop(&join->output, s, timer.slot >> 1);
}

/* A match takes away the wait of every row of that side, key and time. */
static void end_wait(Arrival *join, int s, uint32_t number)
{
    JoinState *state = &join->output.state;
    const int64_t time_us = join_row(state, s, number)->time_us;
    for (int64_t link = (int64_t)number + 1; link && join_row(state, s, (uint32_t)(link - 1))->time_us == time_us; link = join_row(state, s, (uint32_t)(link - 1))->next)
        join_touch(state, s, (uint32_t)(link - 1))->matches = 1;
    for (int64_t link = join_row(state, s, number)->previous; link && join_row(state, s, (uint32_t)(link - 1))->time_us == time_us; link = join_row(state, s, (uint32_t)(link - 1))->previous)
        join_touch(state, s, (uint32_t)(link - 1))->matches = 1;
}

/* ---- rows ---- */

static Error *take_row(Arrival *join, int s, const Batch *batch, uint32_t row, uint32_t i)
{
    JoinState *state = &join->output.state;
    const int64_t time_us = join_time(&join->output, s, batch, row);
    if (time_us == TIME_MIN || join_key_is_null(state, s, batch, row))
        return NULL;
    const int64_t retention_us = time_add(time_add(join->reach_us[0], join->reach_us[1]), join->grace_us);
    const int64_t shared_us = time_us > shared_time(join) ? time_us : shared_time(join);
    if (time_us == shared_us)
        TRY(emit_waiting(join, shared_us));
    if (time_us > *own_time(join, s))
        *own_time(join, s) = time_us;
    const uint32_t number = join_add(state, s, batch, row, i, state->list.slots[i], time_us, TIME_MAX);
    TRY(join_matches(&join->output, s, number, TIME_MIN, &join->found));
    for (uint32_t f = 0; f < join->found.count; f++) {
        TRY(join_pair(&join->output, s, number, join->found.items[f], ROW_INSERT, *watermark(join)));
        end_wait(join, !s, join->found.items[f]);
    }
    if (join->found.count)
        join_touch(state, s, number)->matches = 1;
    else if (preserves(join, s, PADDING_EAGER) || (preserves(join, s, PADDING_AT_BOUND) && time_add(time_us, join->reach_us[s]) < shared_us))
        TRY(pad(join, s, number));
    const uint32_t slot = number * 2 + (uint32_t)s, order = (uint32_t)join_row(state, s, number)->order;
    if (join_row(state, s, number)->matches == 0 && preserves(join, s, PADDING_AT_BOUND))
        timers_add(&join->waiting, time_add(time_add(time_us, join->reach_us[s]), join->grace_us), slot, order);
    timers_add(&join->stores[s], time_add(time_us, retention_us), slot, order);
    leave_store(join, s);
    return NULL;
}

static Error *take_rows(Arrival *join, int s, const Batch *batch, const uint32_t *rows, uint32_t count, const int64_t *wm_us)
{
    join_locate(&join->output.state, s, batch, rows, count, false);
    for (uint32_t i = 0; i < count; i++) {
        int64_t row_wm_us = wm_us ? *wm_us : combined_watermark(join->output.op, s, batch, rows[i]);
        if (row_wm_us > *watermark(join) && row_wm_us != TIME_MAX)
            *watermark(join) = row_wm_us;
        TRY(take_row(join, s, batch, rows[i], i));
    }
    return NULL;
}

static Error *arrival_process(Operator *op, int input, Batch *batch)
{
    Arrival *join = op->state;
    if (join->meeting.meets) {
        meeting_hold(&join->meeting, input, batch);
        return NULL;
    }
    uint32_t count;
    const uint32_t *rows = row_list_take(&join->output.state.list, batch, NULL, 0, &count);
    Error *error = take_rows(join, input, batch, rows, count, NULL);
    if (!error)
        error = join_flush(&join->output);
    batch_release(batch);
    return error;
}

static Error *take_met(Operator *op, int input, Batch *batch, uint32_t row, int64_t wm_us)
{
    Arrival *join = op->state;
    uint32_t selected;
    row_list_take(&join->output.state.list, batch, NULL, 0, &selected); /* makes room */
    return take_rows(join, input, batch, &row, 1, &wm_us);
}

static Error *arrival_advance(Operator *op, int64_t wm_us)
{
    Arrival *join = op->state;
    if (join->meeting.meets)
        TRY(meeting_end_turn(&join->meeting, take_met));
    if (wm_us > *watermark(join) && wm_us != TIME_MAX)
        *watermark(join) = wm_us;
    return join_settle(&join->output);
}

static Error *arrival_end(Operator *op)
{
    Arrival *join = op->state;
    TRY(emit_waiting(join, TIME_MAX));
    return join_flush(&join->output);
}

static Error *arrival_restored(Operator *op)
{
    Arrival *join = op->state;
    const int64_t retention_us = time_add(time_add(join->reach_us[0], join->reach_us[1]), join->grace_us);
    meeting_restored(&join->meeting);
    TRY(join_state_restored(&join->output.state));
    timers_clear(&join->waiting);
    for (int s = 0; s < 2; s++) {
        timers_clear(&join->stores[s]);
        for (uint32_t number = 0; number < join->output.state.sides[s].store.count; number++) {
            const JoinRow *row = join_row(&join->output.state, s, number);
            const uint32_t slot = number * 2 + (uint32_t)s;
            if (row->matches == JOIN_FREE)
                continue;
            timers_add(&join->stores[s], time_add(row->time_us, retention_us), slot, (uint32_t)row->order);
            if (row->matches == 0 && preserves(join, s, PADDING_AT_BOUND))
                timers_add(&join->waiting, time_add(time_add(row->time_us, join->reach_us[s]), join->grace_us), slot, (uint32_t)row->order);
        }
    }
    return NULL;
}

const OperatorType join_arrival_operator = {
    .name = "join by arrival", .open = arrival_open, .close = arrival_close, .process = arrival_process, .advance = arrival_advance, .end = arrival_end,
    .containers = join_containers, .restored = arrival_restored,
};
