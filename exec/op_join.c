/* exec/op_join.c: joins of two inputs, each append-only, retracting or upserting.
 *
 * BOTH: a row looks for its matches among the rows of the other side that came before it, then waits for those that come after it. A row is alive
 * as long as the watermark is not beyond its bound (JoinBound); a pair counts when neither is dead at the watermark of the one that comes second.
 * When dead rows go shows nowhere. A row that is dead when it comes need not be kept; one that is also behind its own clock is late, and meets nothing.
 * TABLE: rows of input 0 look, and are not kept; rows of input 1 are kept, and look for nothing.
 *
 * What a row changes comes out as -U +U where both halves are one row of the result: the same partner, or the only one of either row.
 * State: JoinState. Timers are made from it. */
#include "exec/op_join.h"

#include <string.h>

#include "common/calendar.h"
#include "exec/late_rows.h"
#include "exec/operators.h"

typedef struct Join {
    JoinOutput output;       /* first */
    Meeting meeting;
    Timers timers;           /* slot: number * 2 + side */
    Timers kept;             /* likewise, by the clock: rows that are kept for some time only */
    RowNumbers before, after;
    LateRows late[2];
    const Batch *half_batch; /* of the meeting: the half of an update that came along with the one before it */
    uint32_t half_row;
} Join;

static const JoinSide *side_of(const Join *join, int s) { return &join->output.node->join.sides[s]; }
static int64_t *watermark(Join *join) { return &join->output.state.scalars[JOIN_SCALAR_WM]; }
static bool is_table(const Join *join) { return join->output.node->join.form == JOIN_TABLE; }
static bool pads(const Join *join, int s, JoinPadding padding) { return side_of(join, s)->preserved && join->output.node->join.padding == padding; }

/* ---- life ---- */

static bool is_there(const Join *join, const Timer *timer)
{
    return join_row_stays(&join->output.state, timer->slot & 1, timer->slot >> 1, timer->order);
}

static int64_t recheck(void *owner, const Timer *timer)
{
    const Join *join = owner;
    return is_there(join, timer) ? join_row(&join->output.state, timer->slot & 1, timer->slot >> 1)->death_us : TIME_MAX;
}

static int64_t recheck_kept(void *owner, const Timer *timer)
{
    return is_there(owner, timer) ? timer->time_us : TIME_MAX;
}

static Error *join_open(Operator *op)
{
    Join *join = op->state = mem_calloc(1, sizeof *join);
    int64_t spread_us = US_PER_SECOND;
    join->late[0].reason = join->late[1].reason = "behind the watermark";
    TRY(join_output_open(&join->output, op));
    meeting_open(&join->meeting, op);
    for (int s = 0; s < 2; s++)
        for (int b = 0; b < side_of(join, s)->bound_count; b++) {
            const JoinBound *bound = &side_of(join, s)->bounds[b];
            int64_t reach_us = time_add(bound->offset_us, bound->lag_us);
            spread_us = reach_us > spread_us ? reach_us : spread_us;
        }
    timers_init(&join->timers, &op->pool, spread_us, recheck, join);
    timers_init(&join->kept, &op->pool, op->node->join.retention_us > US_PER_SECOND ? op->node->join.retention_us : US_PER_SECOND, recheck_kept, join);
    return NULL;
}

static void join_close(Operator *op)
{
    Join *join = op->state;
    if (!join)
        return;
    timers_release(&join->timers);
    timers_release(&join->kept);
    meeting_close(&join->meeting);
    join_output_close(&join->output);
    for (int s = 0; s < 2; s++)
        late_release(&join->late[s]);
    mem_free(join->before.items);
    mem_free(join->after.items);
    mem_free(join);
    op->state = NULL;
}

/* ---- bounds ---- */

/* The watermark beyond which nothing meets the row any more. */
static int64_t death_of(const Join *join, int s, const Batch *batch, uint32_t row)
{
    const JoinSide *side = side_of(join, s);
    int64_t death_us = TIME_MAX;
    for (int b = 0; b < side->bound_count; b++) {
        const JoinBound *bound = &side->bounds[b];
        const Vector *vector = batch->columns[bound->column];
        if (vector_is_null(vector, row))
            return TIME_MIN;
        int64_t end_us = time_add(time_add(((const int64_t *)vector->values)[row & vector_mask(vector)], bound->offset_us), bound->lag_us);
        death_us = end_us < death_us ? end_us : death_us;
    }
    return death_us;
}

/* A row whose time is over: if it wanted a match and has none it comes out. */
static Error *let_go(Join *join, uint32_t slot)
{
    const int s = slot & 1;
    const uint32_t number = slot >> 1;
    if ((pads(join, s, PADDING_AT_BOUND) || pads(join, s, PADDING_AT_END)) && join_row(&join->output.state, s, number)->matches == 0)
        TRY(join_pair(&join->output, s, number, ROW_NONE, ROW_INSERT, *watermark(join)));
    join_drop(&join->output, s, number);
    return NULL;
}

/* Rows that the watermark has gone beyond. */
static Error *fire(Join *join, int64_t wm_us)
{
    Timer timer;
    while (timers_next(&join->timers) < wm_us && timers_pop(&join->timers, wm_us, &timer))
        TRY(let_go(join, timer.slot));
    return NULL;
}

/* Rows that have been kept for as long as rows are. */
static Error *let_old_go(Join *join)
{
    const int64_t retention_us = join->output.node->join.retention_us;
    Timer timer;
    if (!retention_us)
        return NULL;
    join->output.kept_from_us = time_sub(join->output.op->context->now_us, retention_us);
    while (timers_next(&join->kept) < join->output.kept_from_us && timers_pop(&join->kept, join->output.kept_from_us, &timer))
        TRY(let_go(join, timer.slot));
    return NULL;
}

static Error *raise_watermark(Join *join, int64_t wm_us)
{
    if (wm_us <= *watermark(join))
        return NULL;
    TRY(fire(join, wm_us));
    if (wm_us != TIME_MAX)
        *watermark(join) = wm_us;
    return NULL;
}

/* ---- changes ---- */

/* A row of the result goes, another one comes; `paired`: they are one. Rows as (row of side s, row of the other side). */
typedef struct Half { bool there; uint32_t row, other; } Half;

static Error *emit(Join *join, int s, Half minus, Half plus, bool paired)
{
    const int64_t wm_us = *watermark(join);
    const bool update = minus.there && plus.there && paired;
    if (minus.there)
        TRY(join_pair(&join->output, s, minus.row, minus.other, update ? ROW_UPDATE_BEFORE : ROW_DELETE, wm_us));
    if (plus.there)
        TRY(join_pair(&join->output, s, plus.row, plus.other, update ? ROW_UPDATE_AFTER : ROW_INSERT, wm_us));
    return NULL;
}

static void count_match(Join *join, int s, uint32_t number, int64_t by) { join_touch(&join->output.state, s, number)->matches += by; }

/* In the order of their group: does a come before b? Rows of different groups: those of the former one first. */
static bool stands_before(const Join *join, int s, uint32_t a, uint32_t b)
{
    const JoinRow *x = join_row(&join->output.state, s, a), *y = join_row(&join->output.state, s, b);
    if (x->group != y->group)
        return true;
    if (join->output.state.by_time && x->time_us != y->time_us)
        return x->time_us < y->time_us;
    return x->order < y->order;
}

/* A partner of the row of side s is left by `before`, met by `after`, or both. */
static Error *change_partner(Join *join, int s, uint32_t partner, Half minus, Half plus)
{
    const int other = !s;
    const bool pad = pads(join, other, PADDING_CHANGES), alone = side_of(join, s)->unique;
    if (minus.there && plus.there)
        return emit(join, s, minus, plus, true);
    if (plus.there) {
        Half padded = { pad && join_row(&join->output.state, other, partner)->matches == 0, ROW_NONE, partner };
        count_match(join, other, partner, 1);
        return emit(join, s, padded, plus, alone);
    }
    count_match(join, other, partner, -1);
    Half padded = { pad && join_row(&join->output.state, other, partner)->matches == 0, ROW_NONE, partner };
    return emit(join, s, minus, padded, alone);
}

static Error *change_partners(Join *join, int s, uint32_t before, uint32_t after)
{
    const RowNumbers *a = &join->before, *b = &join->after;
    for (uint32_t i = 0, j = 0; i < a->count || j < b->count;) {
        uint32_t left = i < a->count ? a->items[i] : ROW_NONE, met = j < b->count ? b->items[j] : ROW_NONE;
        if (left != ROW_NONE && met != ROW_NONE && left != met)
            *(stands_before(join, !s, left, met) ? &met : &left) = ROW_NONE;
        uint32_t partner = left != ROW_NONE ? left : met;
        TRY(change_partner(join, s, partner, (Half){ left != ROW_NONE, before, partner }, (Half){ met != ROW_NONE, after, partner }));
        i += left != ROW_NONE;
        j += met != ROW_NONE;
    }
    return NULL;
}

/* ksqlDB's foreign keys: a row of the left table that goes, or whose key changes, deletes its result also where it had none. */
static bool is_deleted(const Join *join, uint32_t before, uint32_t after)
{
    const int64_t group = join_row(&join->output.state, 0, before)->group;
    return group >= 0 && (after == ROW_NONE || join_row(&join->output.state, 0, after)->group != group);
}

/* A row of the side that has at most one partner is one row of the result, whichever partner that is. */
static Error *change_single(Join *join, int s, uint32_t before, uint32_t after)
{
    const bool pad = pads(join, s, PADDING_CHANGES);
    const RowNumbers *a = &join->before, *b = &join->after;
    Half minus = { before != ROW_NONE && (a->count || pad), before, a->count ? a->items[0] : ROW_NONE };
    Half plus = { after != ROW_NONE && (b->count || pad), after, b->count ? b->items[0] : ROW_NONE };
    if (join->output.node->join.retracts_unmatched && s == 0 && before != ROW_NONE && !a->count && !plus.there)
        minus.there = is_deleted(join, before, after);
    if (a->count)
        count_match(join, !s, a->items[0], -1);
    if (b->count)
        count_match(join, !s, b->items[0], 1);
    return emit(join, s, minus, plus, true);
}

/* The pairs of a new row that are better than what the one of them whose matches are compared has had. */
static Error *emit_best(Join *join, int s, uint32_t number)
{
    const bool own = join->output.node->join.best.side == s;
    for (uint32_t m = 0; m < join->after.count; m++) {
        const uint32_t partner = join->after.items[m];
        if (side_of(join, !s)->preserved)
            count_match(join, !s, partner, 1);
        if (join_best_takes(&join->output.state, own ? number : partner, own ? partner : number))
            TRY(join_pair(&join->output, s, number, partner, ROW_INSERT, *watermark(join)));
    }
    return NULL;
}

/* Rows that have met the only one that they can meet. */
static void forget_met(Join *join, int s, uint32_t number)
{
    for (uint32_t i = 0; side_of(join, !s)->once && i < join->after.count; i++)
        join_drop(&join->output, !s, join->after.items[i]);
    if (side_of(join, s)->once)
        join_drop(&join->output, s, number);
}

/* JoinBest.keeps_best: the new row goes, or those that it is better than. They have met all that is there; what is to come is better off with the best. */
static void keep_best(Join *join, uint32_t number)
{
    JoinState *state = &join->output.state;
    const JoinBest *best = &join->output.node->join.best;
    const int s = !best->side;
    const JoinRow *row = join_row(state, s, number);
    if (row->matches == JOIN_FREE || row->group < 0)
        return;
    for (int64_t link = join_group(state, (uint32_t)row->group)->sides[s].first; link;) {
        const uint32_t other = (uint32_t)(link - 1);
        link = join_row(state, s, other)->next;
        if (other == number)
            continue;
        int order = join_best_order(state, number, other);
        if (order == 0 && !best->equals)
            order = stands_before(join, s, number, other) ? -1 : 1;
        if (order == 0)
            return; /* as good as all that are kept */
        join_drop(&join->output, s, order < 0 ? other : number);
        if (order > 0)
            return;
    }
}

/* Row `before` of the side becomes row `after`; ROW_NONE: there is none. Both are in their groups. */
static Error *change(Join *join, int s, uint32_t before, uint32_t after)
{
    const int64_t wm_us = *watermark(join);
    join->before.count = join->after.count = 0;
    if (before != ROW_NONE)
        TRY(join_matches(&join->output, s, before, wm_us, &join->before));
    if (after != ROW_NONE) {
        TRY(join_matches(&join->output, s, after, wm_us, &join->after));
        count_match(join, s, after, join->after.count);
    }
    if (join->output.node->join.best.wanted) {
        TRY(emit_best(join, s, after));
        if (join->after.count)
            forget_met(join, s, after);
        if (join->output.node->join.best.keeps_best && join->output.node->join.best.side != s)
            keep_best(join, after);
        return NULL;
    }
    const bool single = side_of(join, !s)->unique && !pads(join, !s, PADDING_CHANGES) && join->before.count <= 1 && join->after.count <= 1;
    if (single) {
        TRY(change_single(join, s, before, after));
    } else {
        const bool pad = pads(join, s, PADDING_CHANGES);
        Half minus = { pad && before != ROW_NONE && join->before.count == 0, before, ROW_NONE };
        Half plus = { pad && after != ROW_NONE && join->after.count == 0, after, ROW_NONE };
        bool alone = join->before.count == 0 && join->after.count == 0;
        TRY(emit(join, s, minus, alone ? plus : (Half){ 0 }, true));
        TRY(change_partners(join, s, before, after));
        if (!alone)
            TRY(emit(join, s, (Half){ 0 }, plus, true));
    }
    if (before != ROW_NONE)
        join_drop(&join->output, s, before);
    if (join->after.count)
        forget_met(join, s, after);
    return NULL;
}

/* ---- rows ---- */

/* Behind its own clock. */
static bool is_late(const Join *join, int s, int64_t time_us, int64_t wm_us)
{
    const int64_t lag_us = side_of(join, s)->lag_us;
    return time_us != TIME_MIN && lag_us != TIME_MAX && time_add(time_us, lag_us) < wm_us;
}

/* A row that meets nothing that comes later, and is not kept: late, without a key, or behind what is still to come. */
static Error *pass_row(Join *join, int s, const Batch *batch, uint32_t row, int64_t group, int64_t death_us)
{
    JoinOutput *output = &join->output;
    const int64_t time_us = join_time(output, s, batch, row), wm_us = *watermark(join);
    const bool late = group >= 0 && is_late(join, s, time_us, wm_us);
    uint32_t number = join_add(&output->state, s, batch, row, JOIN_PASSING, -1, time_us, TIME_MAX);
    join->after.count = 0;
    if (late)
        late_add_at(&join->late[s], row, time_us, death_us, wm_us);
    if (group >= 0 && !late) {
        join_row(&output->state, s, number)->group = group; /* it stands in no list */
        TRY(join_matches(output, s, number, wm_us, &join->after));
    }
    if (output->node->join.best.wanted)
        TRY(emit_best(join, s, number));
    for (uint32_t m = 0; m < join->after.count && !output->node->join.best.wanted; m++)
        TRY(change_partner(join, s, join->after.items[m], (Half){ 0 }, (Half){ true, number, join->after.items[m] }));
    if (join->after.count == 0 && side_of(join, s)->preserved)
        TRY(join_pair(output, s, number, ROW_NONE, ROW_INSERT, wm_us));
    join_row(&output->state, s, number)->group = -1;
    join_drop(output, s, number);
    return NULL;
}

/* Adds row i of those located. ROW_NONE: it need not be kept, and has come out if it was to. */
static Error *add_row(Join *join, int s, const Batch *batch, uint32_t row, uint32_t i, uint32_t *number)
{
    const bool null_key = join_key_is_null(&join->output.state, s, batch, row), identified = join->output.state.sides[s].identified;
    const int64_t group = null_key ? -1 : (int64_t)join->output.state.list.slots[i];
    const int64_t death_us = death_of(join, s, batch, row);
    *number = ROW_NONE;
    if (death_us < *watermark(join) || (null_key && !identified))
        return pass_row(join, s, batch, row, group, death_us);
    *number = join_add(&join->output.state, s, batch, row, i, group, join_time(&join->output, s, batch, row), death_us);
    if (death_us != TIME_MAX)
        timers_add(&join->timers, death_us, *number * 2 + (uint32_t)s, (uint32_t)join_row(&join->output.state, s, *number)->order);
    if (join->output.node->join.retention_us)
        timers_add(&join->kept, join_row(&join->output.state, s, *number)->arrived_us, *number * 2 + (uint32_t)s, (uint32_t)join_row(&join->output.state, s, *number)->order);
    return NULL;
}

/* One change of a side: -row, +row, or, where the next row is its other half, both. *used: rows that it took. */
static Error *take_change(Join *join, int s, const Batch *batch, const uint32_t *rows, uint32_t i, uint32_t count, uint32_t *used)
{
    const JoinRows *side = &join->output.state.sides[s];
    const uint8_t kind = batch_kind(batch, rows[i]);
    uint32_t before = ROW_NONE, after = ROW_NONE;
    *used = 1;
    if (side->identified && (side->plan->upserts || row_kind_retracts(kind)))
        before = join_find(&join->output.state, s, i);
    if (join->output.node->join.change_times)
        join->output.change_time_us = join_time(&join->output, s, batch, rows[i]);
    if (side->plan->upserts && kind == ROW_UPDATE_BEFORE)
        return NULL; /* the row after it says the same of its key */
    if (!row_kind_retracts(kind)) {
        TRY(add_row(join, s, batch, rows[i], i, &after));
    } else if (kind == ROW_UPDATE_BEFORE && i + 1 < count && batch_kind(batch, rows[i + 1]) == ROW_UPDATE_AFTER) {
        *used = 2;
        TRY(add_row(join, s, batch, rows[i + 1], i + 1, &after));
    }
    if (is_table(join)) { /* it is only looked at */
        if (before != ROW_NONE)
            join_drop(&join->output, s, before);
        return NULL;
    }
    return before == ROW_NONE && after == ROW_NONE ? NULL : change(join, s, before, after);
}

/* A row that meets the table as it stands. */
static Error *look_up(Join *join, const Batch *batch, uint32_t row, uint32_t i)
{
    JoinOutput *output = &join->output;
    const uint32_t slot = output->state.list.slots[i];
    const bool none = slot == KEY_ABSENT || join_key_is_null(&output->state, 0, batch, row);
    const uint8_t kind = batch_kind(batch, row);
    uint32_t number = join_add(&output->state, 0, batch, row, JOIN_PASSING, -1, join_time(output, 0, batch, row), TIME_MAX);
    join->after.count = 0;
    if (!none) {
        join_row(&output->state, 0, number)->group = slot; /* it stands in no list */
        TRY(join_matches(output, 0, number, TIME_MIN, &join->after));
        join_row(&output->state, 0, number)->group = -1;
    }
    for (uint32_t m = 0; m < join->after.count; m++)
        TRY(join_pair(output, 0, number, join->after.items[m], kind, *watermark(join)));
    if (join->after.count == 0 && side_of(join, 0)->preserved)
        TRY(join_pair(output, 0, number, ROW_NONE, kind, *watermark(join)));
    join_drop(output, 0, number);
    return NULL;
}

/* ---- batches ---- */

static int64_t row_watermark(const Join *join, int s, const Batch *batch, uint32_t row)
{
    const Operator *op = join->output.op;
    if (side_of(join, 0)->on_clock && side_of(join, 1)->on_clock)
        return combined_watermark(op, s, batch, row);
    const int clock = side_of(join, 1)->on_clock;
    if (clock != s)
        return op->input_wm_us[clock];
    return batch->wm_us ? batch->wm_us[row] : batch->wm_end_us;
}

/* wm_us: the watermark before the rows; NULL: as the batch and the other input say. */
static Error *take_rows(Join *join, int s, const Batch *batch, const uint32_t *rows, uint32_t count, const int64_t *wm_us)
{
    const bool looks = is_table(join) && s == 0;
    TRY(let_old_go(join));
    join_locate(&join->output.state, s, batch, rows, count, looks);
    for (uint32_t i = 0, used = 1; i < count; i += used) {
        const int64_t row_wm_us = wm_us ? *wm_us : row_watermark(join, s, batch, rows[i]);
        if (row_wm_us != TIME_MAX) /* what comes at the end meets what is there */
            TRY(raise_watermark(join, row_wm_us));
        if (looks)
            TRY(look_up(join, batch, rows[i], i));
        else
            TRY(take_change(join, s, batch, rows, i, count, &used));
    }
    return NULL;
}

static Error *flush_late(Join *join, int s, Batch *batch) { return late_flush_to(&join->late[s], join->output.op, s ? PORT_LATE_RIGHT : PORT_LATE, batch, 0); }

static Error *join_process(Operator *op, int input, Batch *batch)
{
    Join *join = op->state;
    if (join->meeting.meets) {
        meeting_hold(&join->meeting, input, batch);
        return NULL;
    }
    uint32_t count;
    const uint32_t *rows = row_list_take(&join->output.state.list, batch, NULL, 0, &count);
    Error *error = take_rows(join, input, batch, rows, count, NULL);
    if (!error)
        error = flush_late(join, input, batch);
    if (!error)
        error = join_flush(&join->output);
    batch_release(batch);
    return error;
}

/* A row out of the meeting; the halves of an update come together. */
static Error *take_met(Operator *op, int input, Batch *batch, uint32_t row, int64_t wm_us)
{
    Join *join = op->state;
    const uint32_t rows[2] = { row, row + 1 };
    uint32_t selected;
    if (join->half_batch == batch && join->half_row == row) {
        join->half_batch = NULL;
        return NULL;
    }
    row_list_take(&join->output.state.list, batch, NULL, 0, &selected); /* makes room */
    const bool update = batch_kind(batch, row) == ROW_UPDATE_BEFORE && row + 1 < batch->row_count && batch_kind(batch, row + 1) == ROW_UPDATE_AFTER;
    if (update) {
        join->half_batch = batch;
        join->half_row = row + 1;
    }
    TRY(take_rows(join, input, batch, rows, update ? 2 : 1, &wm_us));
    return flush_late(join, input, batch);
}

static Error *join_advance(Operator *op, int64_t wm_us)
{
    Join *join = op->state;
    if (join->meeting.meets)
        TRY(meeting_end_turn(&join->meeting, take_met));
    TRY(raise_watermark(join, wm_us));
    TRY(let_old_go(join));
    return join_settle(&join->output);
}

/* No more rows: what is left without a match has none. */
static Error *join_end(Operator *op)
{
    Join *join = op->state;
    RowNumbers *left = &join->before;
    for (int s = 0; s < 2; s++) {
        left->count = 0;
        if (!is_table(join) && (pads(join, s, PADDING_AT_END) || pads(join, s, PADDING_AT_BOUND)))
            join_unmatched(&join->output, s, left);
        for (uint32_t i = 0; i < left->count; i++)
            TRY(join_pair(&join->output, s, left->items[i], ROW_NONE, ROW_INSERT, *watermark(join)));
        TRY(join_flush(&join->output));
    }
    return NULL;
}

static int64_t join_own_watermark(const Operator *op)
{
    const Join *join = op->state;
    if (side_of(join, 0)->on_clock && side_of(join, 1)->on_clock)
        return op->input_wm_us[0] < op->input_wm_us[1] ? op->input_wm_us[0] : op->input_wm_us[1];
    const int64_t wm_us = op->input_wm_us[side_of(join, 1)->on_clock];
    return wm_us == TIME_MAX && !is_table(join) ? TIME_MAX - 1 : wm_us; /* rows without event time may still come */
}

static Error *join_restored(Operator *op)
{
    Join *join = op->state;
    meeting_restored(&join->meeting);
    TRY(join_state_restored(&join->output.state));
    timers_clear(&join->timers);
    timers_clear(&join->kept);
    for (int s = 0; s < 2; s++)
        for (uint32_t number = 0; number < join->output.state.sides[s].store.count; number++) {
            const JoinRow *row = join_row(&join->output.state, s, number);
            if (row->matches != JOIN_FREE && row->death_us != TIME_MAX)
                timers_add(&join->timers, row->death_us, number * 2 + (uint32_t)s, (uint32_t)row->order);
            if (row->matches != JOIN_FREE && op->node->join.retention_us)
                timers_add(&join->kept, row->arrived_us, number * 2 + (uint32_t)s, (uint32_t)row->order);
        }
    return NULL;
}

const OperatorType join_operator = {
    .name = "join", .open = join_open, .close = join_close, .process = join_process, .advance = join_advance, .end = join_end,
    .own_watermark = join_own_watermark, .containers = join_containers, .restored = join_restored,
};
