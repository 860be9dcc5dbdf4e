/* exec/op_join_versions.c: FOR SYSTEM_TIME AS OF: rows of input 0 meet the table in input 1 as it was at their own time.
 *
 * Every change of the table is a version of its key, with the change's time; a deletion is one, too. A row waits until the watermark is beyond its
 * time, as versions may come until then, and then takes the newest version that is not later than itself. What no row can ask for any more goes: versions that
 * had been replaced when the watermark, less the rows' own lag, came by. A row that is further behind is late.
 * State: JoinState; of a version `matches` says whether it is a deletion. */
#include "common/calendar.h"
#include "exec/expression.h"
#include "exec/late_rows.h"
#include "exec/op_join.h"
#include "exec/operators.h"

enum { VERSION_ROW = 0, VERSION_DELETED = 1 };

typedef struct Versions {
    JoinOutput output;       /* first */
    Meeting meeting;
    Timers waiting;          /* rows of input 0, by their time */
    RowNumbers found;
    LateRows late;           /* of input 0 */
} Versions;

static int64_t *watermark(Versions *join) { return &join->output.state.scalars[JOIN_SCALAR_WM]; }

/* ---- life ---- */

static int64_t recheck(void *owner, const Timer *timer)
{
    const Versions *join = owner;
    return join_row_stays(&join->output.state, 0, timer->slot, timer->order) ? join_row(&join->output.state, 0, timer->slot)->time_us : TIME_MAX;
}

static Error *versions_open(Operator *op)
{
    Versions *join = op->state = mem_calloc(1, sizeof *join);
    join->late.reason = "behind the watermark";
    TRY(join_output_open(&join->output, op));
    meeting_open(&join->meeting, op);
    timers_init(&join->waiting, &op->pool, US_PER_SECOND, recheck, join);
    return NULL;
}

static void versions_close(Operator *op)
{
    Versions *join = op->state;
    if (!join)
        return;
    timers_release(&join->waiting);
    meeting_close(&join->meeting);
    join_output_close(&join->output);
    late_release(&join->late);
    mem_free(join->found.items);
    mem_free(join);
    op->state = NULL;
}

/* ---- versions ---- */

/* The newest version of the group at a time; ROW_NONE: the key was not there. */
static uint32_t version_at(const Versions *join, int64_t group, int64_t time_us)
{
    if (group < 0)
        return ROW_NONE;
    int64_t link = join_group(&join->output.state, (uint32_t)group)->sides[1].last;
    while (link && join_row(&join->output.state, 1, (uint32_t)(link - 1))->time_us > time_us)
        link = join_row(&join->output.state, 1, (uint32_t)(link - 1))->previous;
    return link && join_row(&join->output.state, 1, (uint32_t)(link - 1))->matches == VERSION_ROW ? (uint32_t)(link - 1) : ROW_NONE;
}

/* Versions before the one that held at the oldest time that may still be asked for. */
static void drop_old(Versions *join, uint32_t group)
{
    const JoinState *state = &join->output.state;
    const int64_t oldest_us = time_sub(*watermark(join), join->output.node->join.sides[0].lag_us);
    int64_t link = join_group(state, group)->sides[1].last;
    while (link && join_row(state, 1, (uint32_t)(link - 1))->time_us > oldest_us)
        link = join_row(state, 1, (uint32_t)(link - 1))->previous;
    if (!link)
        return;
    bool deleted = join_row(state, 1, (uint32_t)(link - 1))->matches == VERSION_DELETED;
    for (int64_t old = deleted ? link : join_row(state, 1, (uint32_t)(link - 1))->previous; old;) {
        int64_t before = join_row(state, 1, (uint32_t)(old - 1))->previous;
        join_drop(&join->output, 1, (uint32_t)(old - 1));
        old = before;
    }
}

static void take_version(Versions *join, const Batch *batch, uint32_t row, uint32_t i)
{
    JoinState *state = &join->output.state;
    const uint8_t kind = batch_kind(batch, row);
    const int64_t time_us = join_time(&join->output, 1, batch, row);
    if (kind == ROW_UPDATE_BEFORE || time_us == TIME_MIN || join_key_is_null(state, 1, batch, row))
        return;
    uint32_t number = join_add(state, 1, batch, row, i, state->list.slots[i], time_us, TIME_MAX);
    join_touch(state, 1, number)->matches = row_kind_retracts(kind) ? VERSION_DELETED : VERSION_ROW;
    drop_old(join, state->list.slots[i]);
}

/* ---- rows ---- */

static Error *resolve(Versions *join, uint32_t number)
{
    JoinOutput *output = &join->output;
    const JoinRow *row = join_row(&output->state, 0, number);
    uint32_t version = version_at(join, row->group, row->time_us);
    if (version != ROW_NONE && (output->condition || output->node->join.compare_count)) { /* what else is asked for */
        TRY(join_matches(output, 0, number, TIME_MIN, &join->found));
        bool fits = false;
        for (uint32_t i = 0; i < join->found.count; i++)
            fits |= join->found.items[i] == version;
        version = fits ? version : ROW_NONE;
    }
    if (version != ROW_NONE || output->node->join.sides[0].preserved)
        TRY(join_pair(output, 0, number, version, ROW_INSERT, *watermark(join)));
    join_drop(output, 0, number);
    return NULL;
}

static Error *raise_watermark(Versions *join, int64_t wm_us)
{
    Timer timer;
    if (wm_us <= *watermark(join))
        return NULL;
    while (timers_next(&join->waiting) < wm_us && timers_pop(&join->waiting, wm_us, &timer))
        TRY(resolve(join, timer.slot));
    if (wm_us != TIME_MAX)
        *watermark(join) = wm_us;
    return NULL;
}

static Error *take_row(Versions *join, const Batch *batch, uint32_t row, uint32_t i)
{
    JoinState *state = &join->output.state;
    const int64_t time_us = join_time(&join->output, 0, batch, row);
    if (time_us == TIME_MIN)
        return NULL;
    if (time_add(time_us, join->output.node->join.sides[0].lag_us) < *watermark(join)) {
        late_add_at(&join->late, row, time_us, time_us, *watermark(join));
        return NULL;
    }
    const int64_t group = join_key_is_null(state, 0, batch, row) ? -1 : (int64_t)state->list.slots[i];
    uint32_t number = join_add(state, 0, batch, row, i, group, time_us, TIME_MAX);
    if (time_us < *watermark(join))
        return resolve(join, number);
    timers_add(&join->waiting, time_us, number, (uint32_t)join_row(state, 0, number)->order);
    return NULL;
}

static Error *take_rows(Versions *join, int s, const Batch *batch, const uint32_t *rows, uint32_t count, const int64_t *wm_us)
{
    join_locate(&join->output.state, s, batch, rows, count, false);
    for (uint32_t i = 0; i < count; i++) {
        const int64_t row_wm_us = wm_us ? *wm_us : combined_watermark(join->output.op, s, batch, rows[i]);
        if (row_wm_us != TIME_MAX)
            TRY(raise_watermark(join, row_wm_us));
        if (s == 0)
            TRY(take_row(join, batch, rows[i], i));
        else
            take_version(join, batch, rows[i], i);
    }
    return NULL;
}

static Error *versions_process(Operator *op, int input, Batch *batch)
{
    Versions *join = op->state;
    if (join->meeting.meets) {
        meeting_hold(&join->meeting, input, batch);
        return NULL;
    }
    uint32_t count;
    const uint32_t *rows = row_list_take(&join->output.state.list, batch, NULL, 0, &count);
    Error *error = take_rows(join, input, batch, rows, count, NULL);
    if (!error)
        error = late_flush(&join->late, op, batch, 0);
    if (!error)
        error = join_flush(&join->output);
    batch_release(batch);
    return error;
}

static Error *take_met(Operator *op, int input, Batch *batch, uint32_t row, int64_t wm_us)
{
    Versions *join = op->state;
    uint32_t selected;
    row_list_take(&join->output.state.list, batch, NULL, 0, &selected); /* makes room */
    TRY(take_rows(join, input, batch, &row, 1, &wm_us));
    return late_flush(&join->late, op, batch, 0);
}

static Error *versions_advance(Operator *op, int64_t wm_us)
{
    Versions *join = op->state;
    if (join->meeting.meets)
        TRY(meeting_end_turn(&join->meeting, take_met));
    TRY(raise_watermark(join, wm_us));
    return join_settle(&join->output);
}

static Error *versions_restored(Operator *op)
{
    Versions *join = op->state;
    meeting_restored(&join->meeting);
    TRY(join_state_restored(&join->output.state));
    timers_clear(&join->waiting);
    for (uint32_t number = 0; number < join->output.state.sides[0].store.count; number++) {
        const JoinRow *row = join_row(&join->output.state, 0, number);
        if (row->matches != JOIN_FREE)
            timers_add(&join->waiting, row->time_us, number, (uint32_t)row->order);
    }
    return NULL;
}

const OperatorType join_versions_operator = {
    .name = "join with versions", .open = versions_open, .close = versions_close, .process = versions_process, .advance = versions_advance,
    .containers = join_containers, .restored = versions_restored,
};
