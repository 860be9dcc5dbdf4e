/* planner/logical_join.c: joins in the plan: traits, columns that they read, texts. */
#include "common/calendar.h"
#include "planner/explain.h"
#include "planner/expr.h"

/* ---- traits ---- */

/* Only rows of input 0 come out, each once. */
static bool looks_up(const LogicalNode *node) { return node->join.form == JOIN_TABLE || node->join.form == JOIN_VERSIONS; }

/* Do rows come out of the node when its input has ended? Then they are behind everything. */
static bool comes_at_end(const LogicalNode *node)
{
    switch (node->kind) {
    case PLAN_NORMALIZE: return node->normalize.at_end;
    case PLAN_AGGREGATE: return node->aggregate.trigger == TRIGGER_END;
    case PLAN_RANK: return node->rank.trigger == TRIGGER_END;
    case PLAN_SET: return node->set.trigger == TRIGGER_END;
    case PLAN_SUBQUERY: return node->subquery.until_end;
    case PLAN_OVER: return node->over.order == OVER_WHOLE && node->over.window_time_column < 0;
    case PLAN_JOIN: return node->join.padding == PADDING_AT_END && (node->join.sides[0].preserved || node->join.sides[1].preserved);
    case PLAN_SORT: return true;
    default: return false;
    }
}

static bool any_comes_at_end(const LogicalNode *node)
{
    bool any = comes_at_end(node);
    for (int i = 0; i < node->input_count && !any; i++)
        any = any_comes_at_end(node->inputs[i].node);
    return any;
}

/* How far behind the watermark a row of the side may still come out, by its column; TIME_MAX: nobody knows. */
static int64_t side_lag(const LogicalNode *node, int s, const TimeColumn *time)
{
    const JoinSide *side = &node->join.sides[s];
    int64_t lag_us = TIME_MAX;
    if (looks_up(node))
        return time->lag_us;
    for (int b = 0; b < side->bound_count; b++) {
        int64_t own = time_add(side->bounds[b].offset_us, side->bounds[b].lag_us);
        if (side->bounds[b].column != time->column && !side->window_times)
            continue;
        if (side->bounds[b].column != time->column)
            own = time_add(own, US_PER_MS); /* window_time, when window_end is bounded */
        lag_us = own < lag_us ? own : lag_us;
    }
    if (lag_us == TIME_MAX)
        return node->traits.bounded && !any_comes_at_end(node) ? LAG_UNTIL_END : TIME_MAX;
    return lag_us < time->lag_us ? time->lag_us : lag_us; /* it comes out when it comes, at the latest when its time is over */
}

/* The smallest of the side's event time; TIME_MAX: it has none that is bounded. */
static int64_t time_lag(const LogicalNode *node, int s, const EdgeTraits *traits)
{
    const TimeColumn *time = node->join.sides[s].time_column < 0 ? NULL : traits_time(traits, node->join.sides[s].time_column);
    return time && !time->processing ? side_lag(node, s, time) : TIME_MAX;
}

static void add_side_times(Arena *arena, LogicalNode *node, int s, const EdgeTraits *traits, int base)
{
    if (node->join.sides[!s].preserved || (looks_up(node) && s == 1))
        return; /* NULL where the other side's row has no match; not in order */
    for (int t = 0; t < traits->time_count; t++) {
        TimeColumn time = traits->times[t];
        time.lag_us = time.processing ? time.lag_us : side_lag(node, s, &time);
        time.column += base;
        if (time.lag_us != TIME_MAX)
            traits_add_time(arena, &node->traits, time);
    }
}

/* The later of both times is at least either. */
static void add_join_time(Arena *arena, LogicalNode *node, const EdgeTraits traits[2], int column)
{
    int64_t lags[2] = { time_lag(node, 0, &traits[0]), time_lag(node, 1, &traits[1]) };
    int64_t lag_us = lags[0] < lags[1] ? lags[0] : lags[1];
    for (int s = 0; s < 2; s++)
        if (node->join.sides[s].preserved && lags[s] > lag_us)
            lag_us = lags[s];
    if (lag_us != TIME_MAX)
        traits_add_time(arena, &node->traits, (TimeColumn){ column, lag_us, false });
}

static void add_keys_of(Arena *arena, LogicalNode *node, const EdgeTraits *traits, int base)
{
    for (int k = 0; k < traits->key_count; k++) {
        int *columns = ARENA_ARRAY(arena, int, traits->keys[k].count + 1);
        for (int c = 0; c < traits->keys[k].count; c++)
            columns[c] = traits->keys[k].columns[c] + base;
        traits_add_key(arena, &node->traits, traits->keys[k].count, columns);
    }
}

/* A row of each side makes a row of the result. */
static void add_pair_key(Arena *arena, LogicalNode *node, const ColumnSet *left, const ColumnSet *right, int base)
{
    int *columns = ARENA_ARRAY(arena, int, left->count + right->count + 1);
    for (int c = 0; c < left->count; c++)
        columns[c] = left->columns[c];
    for (int c = 0; c < right->count; c++)
        columns[left->count + c] = right->columns[c] + base;
    traits_add_key(arena, &node->traits, left->count + right->count, columns);
}

static void derive_keys(Arena *arena, LogicalNode *node, const EdgeTraits traits[2], int base)
{
    const JoinSide *sides = node->join.sides;
    const int extra = base + port_schema(arena, node->inputs[1]).column_count + node->join.with_time;
    if (node->join.with_key && sides[0].unique && sides[1].unique) {
        int *columns = ARENA_ARRAY(arena, int, node->join.key_count + 1);
        for (int k = 0; k < node->join.key_count; k++)
            columns[k] = extra + k;
        traits_add_key(arena, &node->traits, node->join.key_count, columns);
    }
    if (sides[1].unique && !sides[1].preserved)
        add_keys_of(arena, node, &traits[0], 0);
    if (sides[0].unique && !sides[0].preserved && !looks_up(node))
        add_keys_of(arena, node, &traits[1], base);
    if (traits[0].key_count && traits[1].key_count)
        add_pair_key(arena, node, &traits[0].keys[0], &traits[1].keys[0], base);
}

void logical_derive_join(Arena *arena, LogicalNode *node)
{
    const EdgeTraits traits[2] = { port_traits(arena, node->inputs[0]), port_traits(arena, node->inputs[1]) };
    const JoinSide *sides = node->join.sides;
    const int base = port_schema(arena, node->inputs[0]).column_count, right_count = port_schema(arena, node->inputs[1]).column_count;
    const bool pads = sides[0].preserved || sides[1].preserved;
    bool append = traits[0].changes == CHANGES_APPEND && (traits[1].changes == CHANGES_APPEND || looks_up(node));
    node->traits = (EdgeTraits){ .bounded = traits[0].bounded && traits[1].bounded };
    if (!looks_up(node) && pads && node->join.padding == PADDING_CHANGES)
        append = false;
    node->traits.changes = append ? CHANGES_APPEND : CHANGES_RETRACT;
    for (int s = 0; s < 2; s++)
        add_side_times(arena, node, s, &traits[s], s ? base : 0);
    if (node->join.with_time)
        add_join_time(arena, node, traits, base + right_count);
    derive_keys(arena, node, traits, base);
}

void logical_join_refs(Arena *arena, LogicalNode *node, int s, ColumnRefs *refs)
{
    JoinSide *side = &node->join.sides[s];
    for (int k = 0; k < node->join.key_count; k++)
        LIST_ADD(arena, refs, &side->keys[k]);
    for (int i = 0; i < side->identity_count; i++)
        LIST_ADD(arena, refs, &side->identity[i]);
    for (int b = 0; b < side->bound_count; b++)
        LIST_ADD(arena, refs, &side->bounds[b].column);
    for (int c = 0; c < node->join.compare_count; c++)
        LIST_ADD(arena, refs, &node->join.compares[c].columns[s]);
    if (side->time_column >= 0)
        LIST_ADD(arena, refs, &side->time_column);
    for (int k = 0; k < node->join.best.key_count && node->join.best.side != s; k++)
        LIST_ADD(arena, refs, &node->join.best.keys[k].column);
}

/* ---- texts ---- */

void join_canonical(const LogicalNode *node, Text *text)
{
    text_printf(text, " %d %d %d%d%d%d e%d", node->join.form, node->join.padding, node->join.with_time, node->join.with_key, node->join.change_times, node->join.retracts_unmatched, node->join.on_error);
    for (int s = 0; s < 2; s++) {
        const JoinSide *side = &node->join.sides[s];
        text_printf(text, " s%d%d%d%d%d%d%d t%d %lld k", side->preserved, side->unique, side->once, side->updates, side->upserts, side->window_times, side->on_clock, side->time_column, (long long)side->lag_us);
        for (int k = 0; k < node->join.key_count; k++)
            text_printf(text, "%d,", side->keys[k]);
        text_add_c(text, " i");
        for (int i = 0; i < side->identity_count; i++)
            text_printf(text, "%d,", side->identity[i]);
        for (int b = 0; b < side->bound_count; b++)
            text_printf(text, " b%d %lld %lld", side->bounds[b].column, (long long)side->bounds[b].offset_us, (long long)side->bounds[b].lag_us);
    }
    if (node->join.retention_us)
        text_printf(text, " r%lld", (long long)node->join.retention_us);
    for (int c = 0; c < node->join.compare_count; c++) {
        const JoinCompare *compare = &node->join.compares[c];
        text_printf(text, " c%d %d %d %lld", compare->columns[0], compare->columns[1], compare->at_least, (long long)compare->offset);
    }
    if (node->join.condition) {
        text_add_char(text, ' ');
        expr_canonical(node->join.condition, text);
    }
    if (node->join.best.wanted)
        text_printf(text, " best %d%d%d", node->join.best.side, node->join.best.equals, node->join.best.keeps_best);
    for (int k = 0; k < node->join.best.key_count; k++)
        text_printf(text, " %d%d%d", node->join.best.keys[k].column, node->join.best.keys[k].descending, node->join.best.keys[k].nulls_first);
}

static const char *column_name(const LogicalNode *node, int s, int column)
{
    const PlanInput input = node->inputs[s];
    return input.port == PORT_MAIN && column < input.node->schema.column_count ? input.node->schema.columns[column].name : "?";
}

static void print_compare(const LogicalNode *node, const JoinCompare *compare, Text *text)
{
    const char *left = column_name(node, 0, compare->columns[0]), *right = column_name(node, 1, compare->columns[1]);
    text_printf(text, "right.%s %s left.%s", right, compare->at_least ? ">=" : "<=", left);
    if (compare->offset == 0)
        return;
    text_add_c(text, compare->offset > 0 ? " + " : " - ");
    int64_t offset = compare->offset > 0 ? compare->offset : time_sub(0, compare->offset);
    if (type_is_timestamp(node->schema.columns[compare->columns[0]].type))
        explain_duration(offset, text);
    else
        text_printf(text, "%lld", (long long)offset);
}

static void print_best(const LogicalNode *node, Text *text)
{
    const JoinBest *best = &node->join.best;
    text_printf(text, "; of each %s row's matches %s", best->side ? "right" : "left", best->key_count ? "those that are best so far by " : "the first one");
    for (int k = 0; k < best->key_count; k++)
        text_printf(text, "%s%s%s", k ? ", " : "", column_name(node, !best->side, best->keys[k].column), best->keys[k].descending ? " DESC" : "");
}

void explain_join(const LogicalNode *node, Text *text)
{
    static const char *const kinds[2][2] = { { "inner", "right" }, { "left", "full" } };
    const char *separator = " on ";
    text_printf(text, " %s", kinds[node->join.sides[0].preserved][node->join.sides[1].preserved]);
    switch (node->join.form) {
    case JOIN_BOTH: break;
    case JOIN_TABLE: text_add_c(text, ", with the table as it stands"); break;
    case JOIN_VERSIONS: text_add_c(text, ", with the table as of the row's time"); break;
    case JOIN_ARRIVAL: text_add_c(text, ", by the rows' own clocks"); break;
    }
    for (int k = 0; k < node->join.key_count; k++, separator = " and ")
        text_printf(text, "%sleft.%s = right.%s", separator, column_name(node, 0, node->join.sides[0].keys[k]), column_name(node, 1, node->join.sides[1].keys[k]));
    for (int c = 0; c < node->join.compare_count; c++, separator = " and ") {
        text_add_c(text, separator);
        print_compare(node, &node->join.compares[c], text);
    }
    if (node->join.condition) {
        text_add_c(text, separator);
        expr_print(node->join.condition, text);
    } else if (strcmp(separator, " on ") == 0) {
        text_add_c(text, ", every pair");
    }
    if (node->join.best.wanted)
        print_best(node, text);
    if (!node->join.sides[0].preserved && !node->join.sides[1].preserved)
        return;
    switch (node->join.padding) {
    case PADDING_CHANGES: text_add_c(text, looks_up(node) ? "" : "; rows without a match at once, as changes"); break;
    case PADDING_AT_BOUND: text_add_c(text, "; rows without a match when their time is over"); break;
    case PADDING_AT_END: text_add_c(text, "; rows without a match at the end"); break;
    case PADDING_EAGER: text_add_c(text, "; rows without a match at once"); break;
    }
}

static void side_bound(const LogicalNode *node, int s, Text *text)
{
    const JoinSide *side = &node->join.sides[s];
    const char *separator = " until ";
    text_printf(text, "%s rows%s", s ? "right" : "left", side->once ? " that have met none" : "");
    for (int b = 0; b < side->bound_count; b++, separator = " or ") {
        text_printf(text, "%sthe watermark is beyond %s", separator, column_name(node, s, side->bounds[b].column));
        int64_t more = time_add(side->bounds[b].offset_us, side->bounds[b].lag_us);
        if (more) {
            text_add_c(text, more > 0 ? " + " : " - ");
            explain_duration(more > 0 ? more : time_sub(0, more), text);
        }
    }
    if (node->join.retention_us) {
        text_add_c(text, side->bound_count ? ", at most " : " of the last ");
        explain_duration(node->join.retention_us, text);
        text_add_c(text, side->bound_count ? "" : " by the clock");
    }
    if (side->bound_count || node->join.retention_us)
        return;
    if (node->join.best.keeps_best && node->join.best.side != s) {
        text_printf(text, ", the best%s of each key", node->join.best.equals ? " ones" : "");
        return;
    }
    const bool bounded = node->inputs[s].node->traits.bounded;
    text_add_c(text, side->unique ? ", one a key" : bounded ? " of the input" : ": nothing bounds them");
}

void join_state_bound(const LogicalNode *node, Text *text)
{
    if (node->join.form == JOIN_TABLE) {
        text_add_c(text, "the table's rows");
        return;
    }
    if (node->join.form == JOIN_VERSIONS) {
        text_add_c(text, "rows that the watermark has not passed; the table's rows, and what they were since then");
        return;
    }
    side_bound(node, 0, text);
    text_add_c(text, "; ");
    side_bound(node, 1, text);
}
