/* exec/over_frames.c: the rows that results OVER (..) are made of, and the aggregates over them.
 *
 * Both ends of a frame only move forward from row to row, so each row goes into an aggregate once and comes out once. Aggregates that
 * cannot take rows back exactly are merged from two halves of the frame; those that do not merge (DISTINCT) are computed anew. */
#include <string.h>
#include "common/calendar.h"
#include "exec/over.h"

enum { SCRATCH_ROWS = 256 };

/* ---- the plan ---- */

static bool frames_equal(const OverFrame *a, const OverFrame *b)
{
    return a->unit == b->unit && a->exclude == b->exclude && a->open_start == b->open_start && a->from == b->from && a->to == b->to && a->from_offset == b->from_offset &&
           a->to_offset == b->to_offset;
}

static int frame_number(OverOperator *o, const OverFrame *frame)
{
    for (int i = 0; i < o->frame_count; i++)
        if (frames_equal(&o->frames[i], frame))
            return i;
    o->frames[o->frame_count] = *frame;
    return o->frame_count++;
}

/* Can rows leave the aggregate and leave no trace? */
static bool takes_back(const AggregateCall *call)
{
    const AggregateFunction *function = call->function;
    if (function->distinct_is_same && (name_equal(function->name, "min") || name_equal(function->name, "max")))
        return true;
    return function->retract == RETRACT_INVERT && function->unmerge;
}

static BundleMode bundle_mode(const OverFrame *frame, const AggregateCall *call)
{
    const bool distinct = call->distinct && !call->function->distinct_is_same;
    if (frame->exclude != OVER_EXCLUDES_NOTHING)
        return takes_back(call) ? BUNDLE_SLIDE : BUNDLE_RECOMPUTE;
    if (frame->from == BOUND_UNBOUNDED_PRECEDING)
        return BUNDLE_GROW;
    if (takes_back(call))
        return BUNDLE_SLIDE;
    return distinct ? BUNDLE_RECOMPUTE : BUNDLE_STACKS;
}

static void add_to_bundle(OverOperator *o, int frame, int target)
{
    const AggregateCall *call = &o->node->over.calls[target].call;
    const BundleMode mode = bundle_mode(&o->frames[frame], call);
    int i = 0;
    while (i < o->bundle_count && (o->bundles[i].frame != frame || o->bundles[i].mode != mode))
        i++;
    OverBundle *bundle = &o->bundles[i];
    if (i == o->bundle_count) {
        o->bundle_count++;
        *bundle = (OverBundle){ .mode = mode, .frame = frame, .middle = -1 };
        bundle->calls = ARENA_ARRAY(&o->arena, AggregateCall, o->node->over.call_count);
        bundle->targets = ARENA_ARRAY(&o->arena, int, o->node->over.call_count);
        bundle->columns = ARENA_ARRAY(&o->arena, Vector *, o->node->over.call_count);
    }
    bundle->calls[bundle->call_count] = *call;
    bundle->targets[bundle->call_count++] = target;
}

static bool has_frame(const OverCall *over)
{
    return over->kind == OVER_AGGREGATE || over->kind == OVER_FIRST_VALUE || over->kind == OVER_LAST_VALUE || over->kind == OVER_NTH_VALUE ||
           over->kind == OVER_CUME_DIST;
}

/* What results wait for, and how far anything looks back. */
void over_plan_reach(OverOperator *o)
{
    const PlanNode *node = o->node;
    for (int i = 0; i < node->over.call_count; i++) {
        const OverCall *over = &node->over.calls[i];
        const OverFrame *frame = &over->frame;
        if (over->kind == OVER_LEAD && over->offset > o->following_rows)
            o->following_rows = over->offset;
        int64_t *following[] = { [OVER_RANGE] = &o->following_us, [OVER_ROWS] = &o->following_rows, [OVER_GROUPS] = &o->following_groups };
        if (frame->to == BOUND_FOLLOWING && frame->to_offset > *following[frame->unit])
            *following[frame->unit] = frame->to_offset;
        int64_t reach = TIME_MAX;
        const bool by_time = node->over.time_column >= 0 && frame->unit == OVER_RANGE;
        switch (over->kind) {
        case OVER_IS_FIRST: reach = over->offset; break;
        case OVER_AGGREGATE: case OVER_FIRST_VALUE: case OVER_LAST_VALUE: case OVER_NTH_VALUE: case OVER_LAG: case OVER_LAST: case OVER_SPIKE_AND_DIP:
        case OVER_CHANGE_POINT:
            if (by_time && frame->from != BOUND_UNBOUNDED_PRECEDING)
                reach = frame->from == BOUND_PRECEDING ? frame->from_offset : 0;
            break;
        case OVER_LEAD: case OVER_ROW_NUMBER: case OVER_RANK: case OVER_DENSE_RANK: case OVER_PERCENT_RANK: case OVER_CUME_DIST: case OVER_NTILE: break;
        }
        if (reach > o->reach_us)
            o->reach_us = reach;
    }
    if (o->following_rows || o->following_groups || o->order == OVER_WHOLE)
        o->reach_us = TIME_MAX;
}

void over_plan_frames(OverOperator *o)
{
    const int count = o->node->over.call_count;
    o->frames = ARENA_ARRAY(&o->arena, OverFrame, count + 1);
    o->keeps_all = ARENA_ARRAY(&o->arena, bool, count + 1);
    o->bundles = ARENA_ARRAY(&o->arena, OverBundle, count + 1);
    o->calls = ARENA_ARRAY(&o->arena, OverCallState, count + 1);
    for (int i = 0; i < count; i++) {
        const OverCall *over = &o->node->over.calls[i];
        o->calls[i] = (OverCallState){ .frame = -1, .field = -1 };
        if (has_frame(over))
            o->calls[i].frame = frame_number(o, &over->frame);
        if (over->kind == OVER_AGGREGATE)
            add_to_bundle(o, o->calls[i].frame, i);
        if (has_frame(over) && over->frame.exclude != OVER_EXCLUDES_NOTHING && over->frame.from == BOUND_UNBOUNDED_PRECEDING)
            o->keeps_all[o->calls[i].frame] |= o->order == OVER_WHOLE || over->kind != OVER_AGGREGATE || !takes_back(&over->call);
    }
    int fields = P_COUNT + 2 * o->frame_count;
    for (int i = 0; i < count; i++) {
        o->calls[i].field_count = over_value_fields(&o->node->over.calls[i]);
        o->calls[i].field = o->calls[i].field_count ? fields : -1;
        fields += o->calls[i].field_count;
    }
    for (int i = 0; i < o->bundle_count; i++)
        if (o->bundles[i].mode == BUNDLE_STACKS)
            o->bundles[i].middle = fields++;
    o->entry_fields = fields;
}

Error *over_open_bundles(OverOperator *o)
{
    for (int i = 0; i < o->bundle_count; i++) {
        OverBundle *bundle = &o->bundles[i];
        TRY(aggregates_open_calls(&bundle->aggregates, &o->arena, o->input_schema, bundle->calls, bundle->call_count, o->node->over.on_error,
                                  bundle->mode == BUNDLE_SLIDE, "", false, true));
        groups_init(&bundle->groups, o->pool, &bundle->aggregates, false);
        if (bundle->mode != BUNDLE_STACKS)
            continue;
        groups_init(&bundle->rows, o->pool, &bundle->aggregates, false);
        groups_init(&bundle->whole, o->pool, &bundle->aggregates, false);
        state_cover(&bundle->whole.state, 1);
    }
    return NULL;
}

void over_close_bundles(OverOperator *o)
{
    for (int i = 0; i < o->bundle_count; i++) {
        batch_release(o->bundles[i].scratch);
        groups_release(&o->bundles[i].groups);
        groups_release(&o->bundles[i].rows);
        groups_release(&o->bundles[i].whole);
        aggregates_close(&o->bundles[i].aggregates);
    }
}

void over_cover_bundles(OverOperator *o, uint32_t slots)
{
    for (int i = 0; i < o->bundle_count; i++)
        state_cover(&o->bundles[i].groups.state, slots);
}

void over_drop_scratch(OverOperator *o)
{
    for (int i = 0; i < o->bundle_count; i++) {
        batch_release(o->bundles[i].scratch);
        o->bundles[i].scratch = NULL;
    }
}

int64_t *over_frame_bounds(const OverOperator *o, uint32_t slot, int frame) { return over_entry(o, slot) + P_COUNT + 2 * frame; }

/* ---- rows into and out of aggregates ---- */

static void start_scratch(OverOperator *o, OverBundle *bundle)
{
    batch_release(bundle->scratch);
    bundle->scratch = NULL;
    Batch *batch = bundle->scratch = batch_new(o->op->context->pool, o->input_schema->column_count);
    for (int c = 0; c < bundle->call_count; c++) {
        const AggregateCall *call = &bundle->calls[c];
        for (int a = 0; a <= call->arg_count; a++) {
            int column = a < call->arg_count ? call->args[a] : call->filter;
            if (column >= 0 && !batch->columns[column])
                batch->columns[column] = vector_new(&batch->arena, o->input_schema->columns[column].type, SCRATCH_ROWS);
        }
    }
    batch->kinds = ARENA_ARRAY(&batch->arena, uint8_t, SCRATCH_ROWS);
    batch->row_count = SCRATCH_ROWS;
    bundle->scratch_rows = 0;
}

/* Aggregates that ask when a row came mean its place in the order of the partition: row `at` of the batch is its row `number`. */
static Evaluation place_of(Arena *arena, int64_t now_us, int64_t number, uint32_t at)
{
    enum { PIECE = 1 << 23 };
    return (Evaluation){ .arena = arena, .now_us = now_us, .turn = (uint64_t)number / PIECE, .first_row = (uint64_t)number % PIECE - at };
}

/* Adds rows [from, to) of the partition to its group, or takes them back; `each`: every row to a group of its own. */
static Error *feed_to(OverOperator *o, OverBundle *bundle, Groups *groups, bool each, uint32_t slot, int64_t from, int64_t to, uint8_t kind)
{
    uint32_t ids[SCRATCH_ROWS], rows[SCRATCH_ROWS], slots[SCRATCH_ROWS];
    while (from < to) {
        if (!bundle->scratch || bundle->scratch_rows == SCRATCH_ROWS)
            start_scratch(o, bundle);
        Batch *batch = bundle->scratch;
        uint32_t first = bundle->scratch_rows, count = SCRATCH_ROWS - first;
        if (to - from < (int64_t)count)
            count = (uint32_t)(to - from);
        for (uint32_t i = 0; i < count; i++) {
            ids[i] = over_row(o, slot, from + i);
            rows[i] = first + i;
            slots[i] = each ? ids[i] : slot;
            batch->kinds[first + i] = kind;
        }
        for (int c = 0; c < o->input_schema->column_count; c++)
            if (batch->columns[c])
                TRY(row_store_gather_column(&o->store, c, ids, count, batch->columns[c], first, &batch->arena));
        Evaluation evaluation = place_of(&batch->arena, o->op->context->now_us, from, first);
        groups_update(&bundle->aggregates, groups, batch, rows, slots, count, &evaluation);
        bundle->scratch_rows += count;
        from += count;
    }
    return NULL;
}

static Error *feed(OverOperator *o, OverBundle *bundle, uint32_t slot, int64_t from, int64_t to, uint8_t kind)
{
    return feed_to(o, bundle, &bundle->groups, false, slot, from, to, kind);
}

/* ---- two halves ---- */

static void merge_group(OverBundle *bundle, Groups *into, uint32_t to, const Groups *from, uint32_t slot)
{
    state_touch_one(&into->state, to);
    groups_merge(&bundle->aggregates, into, to, from, slot, 1);
}

/* Rows [lo, hi) get the state of everything from them to the end. */
static Error *turn_over(OverOperator *o, OverBundle *bundle, uint32_t slot, int64_t lo, int64_t hi)
{
    state_cover(&bundle->rows.state, o->store.count);
    for (int64_t number = lo; number < hi; number++) /* what a row before it has left */
        groups_forget(&bundle->rows, over_row(o, slot, number));
    TRY(feed_to(o, bundle, &bundle->rows, true, slot, lo, hi, ROW_INSERT));
    for (int64_t number = hi - 2; number >= lo; number--)
        merge_group(bundle, &bundle->rows, over_row(o, slot, number), &bundle->rows, over_row(o, slot, number + 1));
    groups_forget(&bundle->groups, slot);
    over_entry(o, slot)[bundle->middle] = hi;
    return NULL;
}

static void merge_halves(OverOperator *o, OverBundle *bundle, uint32_t slot)
{
    const int64_t *bounds = over_frame_bounds(o, slot, bundle->frame);
    groups_forget(&bundle->whole, 0);
    if (bounds[0] < over_entry(o, slot)[bundle->middle] && bounds[0] < bounds[1])
        merge_group(bundle, &bundle->whole, 0, &bundle->rows, over_row(o, slot, bounds[0]));
    merge_group(bundle, &bundle->whole, 0, &bundle->groups, slot);
}

/* ---- where a frame begins and ends ---- */

/* Is the row's place in the order before the limit (or at it)? */
static bool below(const OverOperator *o, uint32_t id, int64_t limit, bool inclusive)
{
    const int64_t *own = over_own(o, id);
    if (own[OWN_NULL])
        return o->nulls_first;
    if (!o->by_bits)
        return inclusive ? own[OWN_ORDER] <= limit : own[OWN_ORDER] < limit;
    double a, b;
    memcpy(&a, &own[OWN_ORDER], 8);
    memcpy(&b, &limit, 8);
    return inclusive ? a <= b : a < b;
}

static int64_t moved(const OverOperator *o, int64_t order, int64_t offset, bool forward)
{
    if (!o->by_bits)
        return forward ? time_add(order, offset) : time_sub(order, offset);
    double a, b;
    memcpy(&a, &order, 8);
    memcpy(&b, &offset, 8);
    a = forward ? a + b : a - b;
    memcpy(&order, &a, 8);
    return order;
}

/* The first row of `lo`.. that is not before the bound. */
static int64_t skip_below(const OverOperator *o, uint32_t slot, int64_t at, int64_t limit, bool inclusive)
{
    const int64_t rows = over_entry(o, slot)[P_ROWS];
    while (at < rows && below(o, over_row(o, slot, at), limit, inclusive))
        at++;
    return at;
}

/* The first row of `at`.. in that group of equal rows, or a later one. */
static int64_t skip_groups(const OverOperator *o, uint32_t slot, int64_t at, int64_t group)
{
    const int64_t rows = over_entry(o, slot)[P_ROWS];
    while (at < rows && over_own(o, over_row(o, slot, at))[OWN_DENSE] < group)
        at++;
    return at;
}

static int64_t frame_start(const OverOperator *o, const OverFrame *frame, uint32_t slot, uint32_t id, int64_t lo)
{
    const int64_t *entry = over_entry(o, slot), *own = over_own(o, id);
    const int64_t number = entry[P_NEXT];
    switch (frame->from) {
    case BOUND_UNBOUNDED_PRECEDING: return 0;
    case BOUND_CURRENT: return frame->unit == OVER_ROWS ? number : own[OWN_PEER];
    case BOUND_PRECEDING:
        if (frame->unit == OVER_GROUPS)
            return skip_groups(o, slot, lo, own[OWN_DENSE] - frame->from_offset);
        if (frame->unit == OVER_ROWS)
            return number > frame->from_offset ? number - frame->from_offset : 0;
        return own[OWN_NULL] ? own[OWN_PEER] : skip_below(o, slot, lo, moved(o, own[OWN_ORDER], frame->from_offset, false), frame->open_start);
    case BOUND_FOLLOWING:
        if (frame->unit == OVER_GROUPS)
            return skip_groups(o, slot, lo, time_add(own[OWN_DENSE], frame->from_offset));
        if (frame->unit == OVER_ROWS)
            return frame->from_offset < entry[P_ROWS] - number ? number + frame->from_offset : entry[P_ROWS];
        return own[OWN_NULL] ? own[OWN_PEER] : skip_below(o, slot, lo, moved(o, own[OWN_ORDER], frame->from_offset, true), false);
    case BOUND_UNBOUNDED_FOLLOWING: break;
    }
    return entry[P_ROWS];
}

static int64_t skip_peers(const OverOperator *o, uint32_t slot, int64_t at, int64_t peer)
{
    const int64_t rows = over_entry(o, slot)[P_ROWS];
    while (at < rows && over_own(o, over_row(o, slot, at))[OWN_PEER] <= peer)
        at++;
    return at;
}

static int64_t frame_end(const OverOperator *o, const OverFrame *frame, uint32_t slot, uint32_t id, int64_t hi)
{
    const int64_t *entry = over_entry(o, slot), *own = over_own(o, id);
    const int64_t number = entry[P_NEXT];
    if (frame->unit == OVER_RANGE && own[OWN_NULL] && (frame->to == BOUND_PRECEDING || frame->to == BOUND_FOLLOWING))
        return skip_peers(o, slot, hi, own[OWN_PEER]);
    switch (frame->to) {
    case BOUND_UNBOUNDED_PRECEDING: return 0;
    case BOUND_PRECEDING:
        if (frame->unit == OVER_GROUPS)
            return skip_groups(o, slot, hi, own[OWN_DENSE] - frame->to_offset + 1);
        if (frame->unit == OVER_ROWS)
            return number >= frame->to_offset ? number - frame->to_offset + 1 : 0;
        return skip_below(o, slot, hi, moved(o, own[OWN_ORDER], frame->to_offset, false), true);
    case BOUND_CURRENT: return frame->unit == OVER_ROWS ? number + 1 : skip_peers(o, slot, hi, own[OWN_PEER]);
    case BOUND_FOLLOWING:
        if (frame->unit == OVER_GROUPS)
            return skip_groups(o, slot, hi, time_add(time_add(own[OWN_DENSE], frame->to_offset), 1));
        if (frame->unit == OVER_ROWS)
            return frame->to_offset < entry[P_ROWS] - number - 1 ? number + frame->to_offset + 1 : entry[P_ROWS];
        return skip_below(o, slot, hi, moved(o, own[OWN_ORDER], frame->to_offset, true), true);
    case BOUND_UNBOUNDED_FOLLOWING: break;
    }
    return entry[P_ROWS];
}

static int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

static Error *move_bundles(OverOperator *o, int frame, uint32_t slot, int64_t former_lo, int64_t former_hi, int64_t lo, int64_t hi)
{
    for (int i = 0; i < o->bundle_count; i++) {
        OverBundle *bundle = &o->bundles[i];
        if (bundle->frame != frame)
            continue;
        switch (bundle->mode) {
        case BUNDLE_GROW:
            TRY(feed(o, bundle, slot, former_hi, hi, ROW_INSERT));
            break;
        case BUNDLE_SLIDE:
            TRY(feed(o, bundle, slot, former_lo, smaller(lo, former_hi), ROW_DELETE));
            TRY(feed(o, bundle, slot, larger(former_hi, lo), hi, ROW_INSERT));
            break;
        case BUNDLE_STACKS:
            if (lo > over_entry(o, slot)[bundle->middle]) {
                TRY(turn_over(o, bundle, slot, lo, hi));
                break;
            }
            TRY(feed(o, bundle, slot, former_hi, hi, ROW_INSERT));
            break;
        case BUNDLE_RECOMPUTE:
            if (o->frames[frame].exclude != OVER_EXCLUDES_NOTHING)
                break; /* with the result */
            if (lo == former_lo && hi == former_hi)
                break;
            if (lo == former_lo) { /* it only grew */
                TRY(feed(o, bundle, slot, former_hi, hi, ROW_INSERT));
                break;
            }
            groups_forget(&bundle->groups, slot);
            TRY(feed(o, bundle, slot, lo, hi, ROW_INSERT));
            break;
        }
    }
    return NULL;
}

Error *over_move_frames(OverOperator *o, uint32_t slot, uint32_t id)
{
    for (int f = 0; f < o->frame_count; f++) {
        const OverFrame *frame = &o->frames[f];
        int64_t *bounds = over_frame_bounds(o, slot, f), former_lo = bounds[0], former_hi = bounds[1];
        int64_t lo = larger(frame_start(o, frame, slot, id, former_lo), former_lo);
        int64_t hi = larger(frame_end(o, frame, slot, id, former_hi), larger(former_hi, lo));
        TRY(move_bundles(o, f, slot, former_lo, former_hi, lo, hi));
        for (int c = 0; c < o->node->over.call_count; c++)
            if (o->calls[c].frame == f && o->calls[c].field >= 0)
                for (int64_t number = former_hi; number < hi; number++)
                    over_value_observe(o, c, slot, over_row(o, slot, number));
        bounds[0] = lo;
        bounds[1] = hi;
    }
    return NULL;
}

/* ---- EXCLUDE ---- */

bool over_excludes(const OverOperator *o, const OverFrame *frame, uint32_t slot, uint32_t id, int64_t number)
{
    const bool itself = number == over_entry(o, slot)[P_NEXT];
    switch (frame->exclude) {
    case OVER_EXCLUDES_NOTHING: return false;
    case OVER_EXCLUDES_ROW: return itself;
    case OVER_EXCLUDES_GROUP:
    case OVER_EXCLUDES_TIES: break;
    }
    if (itself && frame->exclude == OVER_EXCLUDES_TIES)
        return false;
    return over_own(o, over_row(o, slot, number))[OWN_PEER] == over_own(o, id)[OWN_PEER];
}

/* Adds what the frame leaves out, or takes it back. */
static Error *feed_excluded(OverOperator *o, OverBundle *bundle, uint32_t slot, uint32_t id, uint8_t kind)
{
    const OverFrame *frame = &o->frames[bundle->frame];
    const int64_t *bounds = over_frame_bounds(o, slot, bundle->frame);
    const int64_t number = over_entry(o, slot)[P_NEXT], peer = over_own(o, id)[OWN_PEER];
    const bool row_alone = frame->exclude == OVER_EXCLUDES_ROW, group = frame->exclude == OVER_EXCLUDES_GROUP;
    const int64_t first = larger(row_alone ? number : peer, bounds[0]);
    const int64_t end = smaller(row_alone ? number + 1 : skip_peers(o, slot, number, peer), bounds[1]);
    if (row_alone || group)
        return feed(o, bundle, slot, first, end, kind);
    TRY(feed(o, bundle, slot, first, smaller(number, bounds[1]), kind));
    return feed(o, bundle, slot, larger(number + 1, bounds[0]), end, kind);
}

/* The frame without what it leaves out, from nothing. */
static Error *recompute(OverOperator *o, OverBundle *bundle, uint32_t slot, uint32_t id)
{
    const OverFrame *frame = &o->frames[bundle->frame];
    const int64_t *bounds = over_frame_bounds(o, slot, bundle->frame);
    groups_forget(&bundle->groups, slot);
    for (int64_t from = bounds[0], to; from < bounds[1]; from = to + 1) {
        for (to = from; to < bounds[1] && !over_excludes(o, frame, slot, id, to); to++)
            ;
        TRY(feed(o, bundle, slot, from, to, ROW_INSERT));
    }
    return NULL;
}

Error *over_bundle_results(OverOperator *o, uint32_t slot, uint32_t id, uint32_t at)
{
    Batch *batch = o->out.batch;
    for (int i = 0; i < o->bundle_count; i++) {
        OverBundle *bundle = &o->bundles[i];
        for (int c = 0; c < bundle->call_count; c++)
            bundle->columns[c] = batch->columns[o->input_schema->column_count + bundle->targets[c]];
        const bool stacks = bundle->mode == BUNDLE_STACKS, excludes = o->frames[bundle->frame].exclude != OVER_EXCLUDES_NOTHING;
        const bool slides = excludes && bundle->mode == BUNDLE_SLIDE;
        if (slides)
            TRY(feed_excluded(o, bundle, slot, id, ROW_DELETE));
        else if (excludes)
            TRY(recompute(o, bundle, slot, id));
        if (stacks)
            merge_halves(o, bundle, slot);
        Groups *groups = stacks ? &bundle->whole : &bundle->groups;
        const uint32_t group = stacks ? 0 : slot;
        char *state = state_touch_one(&groups->state, group);
        TRY(groups_result(&bundle->aggregates, groups, &state, &group, 1, bundle->columns, at, o->op, batch, &o->out.evaluation));
        if (slides)
            TRY(feed_excluded(o, bundle, slot, id, ROW_INSERT));
    }
    return NULL;
}

/* ---- rows that nobody needs any more ---- */

void over_trim(OverOperator *o, uint32_t slot)
{
    int64_t *entry = over_entry(o, slot), keep = entry[P_NEXT];
    for (int f = 0; f < o->frame_count; f++) {
        const int64_t *bounds = over_frame_bounds(o, slot, f);
        if (o->frames[f].from != BOUND_UNBOUNDED_PRECEDING || o->keeps_all[f])
            keep = smaller(keep, bounds[0]);
        else if (o->frames[f].exclude != OVER_EXCLUDES_NOTHING && entry[P_NEXT] < entry[P_ROWS]) /* equal ones are taken back once more */
            keep = smaller(keep, over_own(o, over_row(o, slot, entry[P_NEXT]))[OWN_PEER]);
        keep = smaller(keep, bounds[1]);
    }
    for (int c = 0; c < o->node->over.call_count; c++)
        keep = smaller(keep, over_value_needs(o, c, slot));
    OverPartition *partition = &o->partitions[slot];
    while (entry[P_FIRST] < keep) {
        over_release_row(o, partition->ids[partition->head++]);
        partition->count--;
        entry[P_FIRST]++;
    }
}

Error *over_empty_frames(OverOperator *o, uint32_t slot)
{
    for (int i = 0; i < o->bundle_count; i++) {
        OverBundle *bundle = &o->bundles[i];
        const int64_t *bounds = over_frame_bounds(o, slot, bundle->frame);
        if (bundle->mode == BUNDLE_SLIDE)
            TRY(feed(o, bundle, slot, bounds[0], bounds[1], ROW_DELETE));
        groups_forget(&bundle->groups, slot);
    }
    return NULL;
}
