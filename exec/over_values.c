/* exec/over_values.c: what is no aggregate: LAG, LEAD, LAST, FIRST_VALUE .., ranks, NTILE, ISFIRST.
 *
 * A call that looks at rows long gone remembers them: a row that a call holds stays in the RowStore when its partition's list lets it go.
 *
 *   LAG with WHEN or IGNORE NULLS   the last n rows that pass, newest first
 *   LAST                            the last row that passes
 *   FIRST_VALUE, NTH_VALUE          that row, where the frame begins with the partition; LAST_VALUE IGNORE NULLS likewise
 *   ISFIRST                         2 x window + 1, of the last row that was the first of its window */
#include "common/calendar.h"
#include "exec/over.h"
#include "exec/value_bytes.h"

/* ---- rows that calls remember ---- */

static bool chooses(const OverCall *over) { return over->call.filter >= 0 || over->ignore_nulls; }

int over_value_fields(const OverCall *over)
{
    const bool from_start = over->frame.from == BOUND_UNBOUNDED_PRECEDING && over->frame.exclude == OVER_EXCLUDES_NOTHING;
    switch (over->kind) {
    case OVER_LAG: return chooses(over) ? (int)over->offset : 0;
    case OVER_FIRST_VALUE:
    case OVER_NTH_VALUE: return from_start;
    case OVER_LAST_VALUE: return from_start && over->ignore_nulls;
    case OVER_LAST:
    case OVER_IS_FIRST: return 1;
    case OVER_SPIKE_AND_DIP:
    case OVER_CHANGE_POINT: return over_anomaly_fields(over);
    case OVER_AGGREGATE: case OVER_LEAD: case OVER_ROW_NUMBER: case OVER_RANK: case OVER_DENSE_RANK: case OVER_PERCENT_RANK: case OVER_CUME_DIST:
    case OVER_NTILE: return 0;
    }
    return 0;
}

bool over_value_holds(const OverCall *over) { return over->kind != OVER_IS_FIRST && over->kind != OVER_CHANGE_POINT; }

static int64_t *call_fields(const OverOperator *o, int call, uint32_t slot) { return over_entry(o, slot) + o->calls[call].field; }

static void hold(OverOperator *o, int64_t *field, uint32_t id)
{
    over_own(o, id)[OWN_HOLDS]++;
    if (*field)
        over_release_row(o, (uint32_t)*field - 1);
    *field = (int64_t)id + 1;
}

/* Does the row pass WHEN and IGNORE NULLS? */
static bool passes(const OverOperator *o, const OverCall *over, uint32_t id)
{
    if (over->call.filter >= 0 && !row_store_is_true(&o->store, id, over->call.filter))
        return false;
    return !over->ignore_nulls || !row_store_is_null(&o->store, id, over->call.args[0]);
}

void over_value_observe(OverOperator *o, int call, uint32_t slot, uint32_t id)
{
    const OverCall *over = &o->node->over.calls[call];
    int64_t *field = call_fields(o, call, slot);
    if (over->kind == OVER_NTH_VALUE) {
        if (over_own(o, id)[OWN_NUMBER] == over->offset - 1)
            hold(o, field, id);
    } else if ((over->kind == OVER_LAST_VALUE || *field == 0) && passes(o, over, id)) {
        hold(o, field, id);
    }
}

/* The newest row that passes comes in front; the oldest one goes. */
static void push(OverOperator *o, int call, uint32_t slot, uint32_t id)
{
    int64_t *fields = call_fields(o, call, slot);
    const int last = o->calls[call].field_count - 1;
    over_own(o, id)[OWN_HOLDS]++;
    if (fields[last])
        over_release_row(o, (uint32_t)fields[last] - 1);
    for (int i = last; i > 0; i--)
        fields[i] = fields[i - 1];
    fields[0] = (int64_t)id + 1;
}

void over_value_forget(OverOperator *o, int call, uint32_t slot)
{
    if (!over_value_holds(&o->node->over.calls[call]))
        return;
    for (int i = 0; i < o->calls[call].field_count; i++) {
        int64_t *field = &call_fields(o, call, slot)[i];
        if (*field)
            over_release_row(o, (uint32_t)*field - 1);
        *field = 0;
    }
}

int64_t over_value_needs(const OverOperator *o, int call, uint32_t slot)
{
    const OverCall *over = &o->node->over.calls[call];
    const int64_t next = over_entry(o, slot)[P_NEXT];
    if ((over->kind == OVER_LAG && !chooses(over)) || over->kind == OVER_SPIKE_AND_DIP || over->kind == OVER_CHANGE_POINT)
        return next > over->offset ? next - over->offset : 0;
    if (over->kind == OVER_LAST_VALUE && over->frame.to == BOUND_PRECEDING) { /* the next frame may end with the same row */
        int64_t end = over_frame_bounds(o, slot, o->calls[call].frame)[1];
        return end ? end - 1 : 0;
    }
    return INT64_MAX;
}

/* ---- results ---- */

enum { NO_ROW = -1 };

static int64_t remembered(int64_t field) { return field ? field - 1 : NO_ROW; }

/* LIMIT DURATION: is the row near enough to the one at hand? */
static bool within(const OverOperator *o, const OverCall *over, int64_t row, uint32_t id)
{
    if (row == NO_ROW || over->frame.from != BOUND_PRECEDING)
        return row != NO_ROW;
    return over_own(o, (uint32_t)row)[OWN_ORDER] > time_sub(over_own(o, id)[OWN_ORDER], over->frame.from_offset);
}

static int64_t numbered(const OverOperator *o, uint32_t slot, int64_t number, int64_t lo, int64_t hi)
{
    return number >= lo && number < hi ? (int64_t)over_row(o, slot, number) : NO_ROW;
}

/* IGNORE NULLS and EXCLUDE aside, the first row of the frame. */
static int64_t first_that_passes(const OverOperator *o, const OverCall *over, uint32_t slot, uint32_t id, int64_t lo, int64_t hi)
{
    for (int64_t number = lo; number < hi; number++)
        if (!over_excludes(o, &over->frame, slot, id, number) && passes(o, over, over_row(o, slot, number)))
            return over_row(o, slot, number);
    return NO_ROW;
}

static int64_t last_that_passes(const OverOperator *o, const OverCall *over, uint32_t slot, uint32_t id, int64_t lo, int64_t hi)
{
    for (int64_t number = hi - 1; number >= lo; number--)
        if (!over_excludes(o, &over->frame, slot, id, number) && passes(o, over, over_row(o, slot, number)))
            return over_row(o, slot, number);
    return NO_ROW;
}

static int64_t nth_of_frame(const OverOperator *o, const OverCall *over, uint32_t slot, uint32_t id, int64_t lo, int64_t hi)
{
    if (over->frame.exclude == OVER_EXCLUDES_NOTHING)
        return numbered(o, slot, lo + over->offset - 1, lo, hi);
    int64_t left = over->offset;
    for (int64_t number = lo; number < hi; number++) {
        left -= !over_excludes(o, &over->frame, slot, id, number);
        if (left == 0)
            return over_row(o, slot, number);
    }
    return NO_ROW;
}

/* LEAD IGNORE NULLS. */
static int64_t nth_that_passes(const OverOperator *o, const OverCall *over, uint32_t slot, int64_t from, int64_t hi)
{
    int64_t left = over->offset;
    for (int64_t number = from; number < hi; number++) {
        left -= passes(o, over, over_row(o, slot, number));
        if (left == 0)
            return over_row(o, slot, number);
    }
    return NO_ROW;
}

/* The row whose value is the result. */
static int64_t source_row(OverOperator *o, int call, uint32_t slot, uint32_t id)
{
    const OverCall *over = &o->node->over.calls[call];
    const OverCallState *state = &o->calls[call];
    const int64_t *bounds = state->frame >= 0 ? over_frame_bounds(o, slot, state->frame) : NULL;
    const int64_t *fields = state->field >= 0 ? call_fields(o, call, slot) : NULL;
    const int64_t number = over_entry(o, slot)[P_NEXT], rows = over_entry(o, slot)[P_ROWS];
    int64_t row = NO_ROW;
    switch (over->kind) {
    case OVER_LAG:
        row = over->offset == 0 ? (int64_t)id : fields ? remembered(fields[over->offset - 1]) : numbered(o, slot, number - over->offset, 0, rows);
        row = within(o, over, row, id) ? row : NO_ROW;
        if (fields && passes(o, over, id))
            push(o, call, slot, id);
        return row;
    case OVER_LEAD:
        return over->ignore_nulls ? nth_that_passes(o, over, slot, number + 1, rows) : numbered(o, slot, number + over->offset, 0, rows);
    case OVER_LAST:
        if (passes(o, over, id))
            push(o, call, slot, id);
        row = remembered(fields[0]);
        return within(o, over, row, id) ? row : NO_ROW;
    case OVER_FIRST_VALUE:
        return fields ? remembered(fields[0]) : first_that_passes(o, over, slot, id, bounds[0], bounds[1]);
    case OVER_LAST_VALUE:
        return fields ? remembered(fields[0]) : last_that_passes(o, over, slot, id, bounds[0], bounds[1]);
    case OVER_NTH_VALUE:
        return fields ? remembered(fields[0]) : nth_of_frame(o, over, slot, id, bounds[0], bounds[1]);
    case OVER_AGGREGATE: case OVER_ROW_NUMBER: case OVER_RANK: case OVER_DENSE_RANK: case OVER_PERCENT_RANK: case OVER_CUME_DIST: case OVER_NTILE:
    case OVER_IS_FIRST: case OVER_SPIKE_AND_DIP: case OVER_CHANGE_POINT: break;
    }
    return NO_ROW;
}

static Error *put_value(OverOperator *o, int call, uint32_t slot, uint32_t id, Vector *out, uint32_t at)
{
    const OverCall *over = &o->node->over.calls[call];
    Arena *arena = &o->out.batch->arena;
    int64_t row = source_row(o, call, slot, id);
    int column = over->call.args[0];
    if (row == NO_ROW && over->otherwise >= 0) {
        row = id;
        column = over->otherwise;
    }
    if (row != NO_ROW) {
        uint32_t from = (uint32_t)row;
        return row_store_gather_column(&o->store, column, &from, 1, out, at, arena);
    }
    Value null = value_null(out->type);
    vector_put_value(arena, out, at, &null);
    return NULL;
}

/* Rows are dealt to the buckets in order; the first buckets get one more where it does not come out even. */
static int64_t ntile(int64_t number, int64_t rows, int64_t buckets)
{
    int64_t each = rows / buckets, more = rows % buckets;
    if (number < more * (each + 1))
        return number / (each + 1) + 1;
    return more + (number - more * (each + 1)) / each + 1;
}

static int64_t is_first(OverOperator *o, int call, uint32_t slot, uint32_t id)
{
    const OverCall *over = &o->node->over.calls[call];
    int64_t *field = call_fields(o, call, slot);
    if (!passes(o, over, id))
        return 0;
    int64_t window = 2 * floor_div(over_own(o, id)[OWN_ORDER] - 1, over->offset) + 1; /* (s, e] */
    bool first = *field != window;
    *field = window;
    return first;
}

static void put_number(OverOperator *o, int call, uint32_t slot, uint32_t id, Vector *out, uint32_t at)
{
    const OverCall *over = &o->node->over.calls[call];
    const int64_t *entry = over_entry(o, slot), *own = over_own(o, id);
    int64_t *integers = out->values;
    double *numbers = out->values;
    switch (over->kind) {
    case OVER_ROW_NUMBER: integers[at] = entry[P_NEXT] + 1; break;
    case OVER_RANK: integers[at] = own[OWN_PEER] + 1; break;
    case OVER_DENSE_RANK: integers[at] = own[OWN_DENSE]; break;
    case OVER_PERCENT_RANK: numbers[at] = entry[P_ROWS] > 1 ? (double)own[OWN_PEER] / (double)(entry[P_ROWS] - 1) : 0; break;
    case OVER_CUME_DIST: numbers[at] = (double)over_frame_bounds(o, slot, o->calls[call].frame)[1] / (double)entry[P_ROWS]; break;
    case OVER_NTILE: integers[at] = ntile(entry[P_NEXT], entry[P_ROWS], over->offset); break;
    case OVER_IS_FIRST: integers[at] = is_first(o, call, slot, id); break;
    case OVER_AGGREGATE: case OVER_LAG: case OVER_LEAD: case OVER_LAST: case OVER_FIRST_VALUE: case OVER_LAST_VALUE: case OVER_NTH_VALUE:
    case OVER_SPIKE_AND_DIP: case OVER_CHANGE_POINT: break;
    }
}

Error *over_value_results(OverOperator *o, uint32_t slot, uint32_t id, uint32_t at)
{
    for (int i = 0; i < o->node->over.call_count; i++) {
        Vector *out = o->out.batch->columns[o->input_schema->column_count + i];
        switch (o->node->over.calls[i].kind) {
        case OVER_AGGREGATE: break;
        case OVER_LAG: case OVER_LEAD: case OVER_LAST: case OVER_FIRST_VALUE: case OVER_LAST_VALUE: case OVER_NTH_VALUE:
            TRY(put_value(o, i, slot, id, out, at));
            break;
        case OVER_ROW_NUMBER: case OVER_RANK: case OVER_DENSE_RANK: case OVER_PERCENT_RANK: case OVER_CUME_DIST: case OVER_NTILE: case OVER_IS_FIRST:
            put_number(o, i, slot, id, out, at);
            break;
        case OVER_SPIKE_AND_DIP: case OVER_CHANGE_POINT:
            over_put_anomaly(o, i, slot, id, out, at);
            break;
        }
    }
    return NULL;
}
