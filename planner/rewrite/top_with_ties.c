/* planner/rewrite/top_with_ties.c: rule 10. Rows that are joined with the largest (smallest) value of their own group are the group's first rows with
 * ties: RANK() = 1 by that value. What is kept is then the first rows of each group, and no row waits for its group's value.
 *
 *   Join on left.k = right.k and left.x = right.m (or left.x >= right.m)          Project
 *   ├─ Project, Filter .. ─ rows                                         ->       └─ Project, Filter .. of the left side
 *   └─ Project ─ Aggregate by k: MAX(x) AS m ─ Project ─ rows                        └─ Rank RANK <= 1 by k order x DESC ─ rows
 *
 * Only where both sides are made of the same rows, which only come; where the equalities leave each row one group at most; and for groups without a
 * window, or with one that each group lies in as a whole: rows of an inner window, of which none is late. */
#include "planner/expr.h"
#include "planner/rewrite/max_join.h"

/* The window aggregate below whose bound a column of these rows is; *bound: 0 start, 1 end, 2 time. NULL: it is none. */
static LogicalNode *window_of(PlanInput rows, int column, int *bound)
{
    LogicalNode *node = max_join_origin(rows, &column);
    if (!node || node->kind != PLAN_WINDOW_AGGREGATE || column < node->aggregate.key_count || column >= node->aggregate.key_count + 3)
        return NULL;
    *bound = column - node->aggregate.key_count;
    return node;
}

/* Does one bound of such a window tell which window it is? */
static bool tells_window(const LogicalNode *window, int bound)
{
    const WindowKind kind = window->aggregate.window.kind;
    if (window->aggregate.trigger != TRIGGER_FINAL || window->traits.clocks)
        return false;
    return kind == WINDOW_TUMBLING || kind == WINDOW_HOPPING || (kind == WINDOW_CUMULATING && bound != 0);
}

/* Is the column's value known where the group's columns are? It is one of them, or another bound of a window that they tell. */
static bool is_told(const MaxJoin *found, int column)
{
    int bound, other;
    const LogicalNode *window = window_of(found->common, column, &bound);
    for (int i = 0; i < found->column_count; i++) {
        if (found->columns[i] == column)
            return true;
        if (window && window_of(found->common, found->columns[i], &other) == window && tells_window(window, other))
            return true;
    }
    return false;
}

/* Do the equalities leave a row one group at most, and does each group lie in one window of the aggregate? */
static bool groups_are_told(const MaxJoin *found)
{
    const LogicalNode *aggregate = found->aggregate;
    for (int k = 0; k < aggregate->aggregate.key_count; k++) {
        const int column = max_join_trace(aggregate->inputs[0], found->common, aggregate->aggregate.key_columns[k]);
        if (column < 0 || !is_told(found, column))
            return false;
    }
    if (!aggregate->aggregate.has_window)
        return true;
    int bound;
    const int time = max_join_trace(aggregate->inputs[0], found->common, aggregate->aggregate.window.time_column);
    const LogicalNode *window = time < 0 ? NULL : window_of(found->common, time, &bound);
    return window && tells_window(window, bound) && is_told(found, time);
}

/* When the ranks are known: as the aggregate's results are. */
static bool rank_trigger(Arena *arena, const MaxJoin *found, LogicalNode *rank)
{
    const LogicalNode *aggregate = found->aggregate, *join = found->join;
    rank->rank.trigger = aggregate->aggregate.trigger;
    rank->rank.window_time_column = -1;
    if (!aggregate->aggregate.has_window) /* rows that end would not meet values that come later */
        return (rank->rank.trigger == TRIGGER_CHANGES || rank->rank.trigger == TRIGGER_END) && !join->join.sides[!found->most].bound_count;
    const EdgeTraits traits = port_traits(arena, found->common);
    const int column = max_join_trace(aggregate->inputs[0], found->common, aggregate->aggregate.window.time_column);
    const TimeColumn *time = traits_time(&traits, column);
    if (rank->rank.trigger != TRIGGER_FINAL || aggregate->aggregate.window.kind != WINDOW_TUMBLING || !time || time->processing)
        return false;
    rank->rank.window_time_column = column;
    rank->rank.lag_us = time->lag_us;
    return true;
}

/* Can the value be NULL? Bounds of windows and counts are not. */
static bool may_be_null(PlanInput rows, int column)
{
    int at = column;
    const LogicalNode *node = max_join_origin(rows, &at);
    if (!node || node->kind != PLAN_WINDOW_AGGREGATE || at < node->aggregate.key_count)
        return true;
    const int call = at - node->aggregate.key_count - 3;
    return call >= 0 && strcmp(node->aggregate.calls[call].function->name, "count") != 0;
}

/* NULL equals nothing: such rows are in no pair. */
static PlanInput without_nulls(Arena *arena, const MaxJoin *found)
{
    const Schema schema = port_schema(arena, found->common);
    const Span at = found->join->at;
    ExprList tests = { 0 };
    for (int i = -1; i < found->column_count; i++) {
        const int column = i < 0 ? found->value : found->columns[i];
        Expr *value = expr_column(arena, column, schema.columns[column].name, schema.columns[column].type, at), *test = NULL;
        if (may_be_null(found->common, column) && !expr_call(arena, "is not null", at, 1, &value, &test))
            LIST_ADD(arena, &tests, test);
    }
    if (tests.count == 0)
        return found->common;
    return main_port(logical_filter(arena, found->common, expr_logic(arena, EXPR_AND, tests.items, tests.count, at), POLICY_FAIL, at));
}

static LogicalNode *make_rank(Arena *arena, const MaxJoin *found)
{
    const PlanInput input = without_nulls(arena, found);
    LogicalNode *rank = logical_node(arena, PLAN_RANK, found->join->at, 1, &input);
    rank->rank.rank = RANK_RANK;
    rank->rank.partition_columns = found->columns;
    rank->rank.partition_count = found->column_count;
    rank->rank.keys = ARENA_NEW(arena, SortKey);
    rank->rank.keys[0] = (SortKey){ found->value, !found->smallest, false };
    rank->rank.key_count = 1;
    rank->rank.limit = 1;
    if (!rank_trigger(arena, found, rank))
        return NULL;
    const Schema schema = port_schema(arena, input);
    rank->schema = *schema_copy(arena, &schema);
    logical_derive(arena, rank);
    return rank;
}

int rewrite_top_with_ties(RewriteContext *context)
{
    int changes = 0;
    NodeList nodes = rewrite_nodes(context);
    for (int n = 0; n < nodes.count; n++) {
        MaxJoin found;
        PlanInput result;
        if (nodes.items[n]->kind != PLAN_JOIN || nodes.items[n]->join.condition || !max_join_find(context->arena, nodes.items[n], &found))
            continue;
        if (found.assign || found.other_count || !groups_are_told(&found))
            continue;
        LogicalNode *rank = make_rank(context->arena, &found);
        if (!rank || !max_join_result(context->arena, &nodes, &found, main_port(rank), &result))
            continue;
        rewrite_replace(&nodes, found.join, result);
        changes++;
    }
    return changes;
}
