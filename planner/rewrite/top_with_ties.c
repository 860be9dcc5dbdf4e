/* planner/rewrite/top_with_ties.c: rule 10. Rows that are joined with the largest (smallest) value of their own group are the group's first rows with
 * ties: RANK() = 1 by that value. What is kept is then the first rows of each group, and no row waits for its group's value.
 *
 *   Join on left.k = right.k and left.x = right.m (or left.x >= right.m)          Project
 *   ├─ Project, Filter .. ─ rows                                         ->       └─ Project, Filter .. of the left side
 *   └─ Project ─ Aggregate by k: MAX(x) AS m ─ Project ─ rows                        └─ Rank RANK <= 1 by k order x DESC ─ rows
 *
 * A sub-query says the same: x = (SELECT MAX(x) .. WHERE inner.k = k), (k, x) IN (SELECT k, MAX(x) .. GROUP BY k); it is looked at as the join that it is.
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

static bool rank_join(Arena *arena, const NodeList *nodes, LogicalNode *join)
{
    MaxJoin found;
    PlanInput result;
    if (join->join.condition || !max_join_find(arena, join, &found) || found.assign || found.other_count || !groups_are_told(&found))
        return false;
    LogicalNode *rank = make_rank(arena, &found);
    if (!rank || !max_join_may_reorder(arena, nodes, join, false) || !max_join_result(arena, nodes, &found, main_port(rank), &result))
        return false;
    rewrite_replace(nodes, join, result);
    return true;
}

/* ---- the same by a sub-query ---- */

/* What a condition says of a sub-query's answer as the term of a join: the answer is true, x = answer, x >= answer. False: something else. */
static bool take_answer(LogicalNode *join, const LogicalNode *subquery, const Expr *conjunct)
{
    const int answer = subquery->schema.column_count - 1;
    JoinSide *sides = join->join.sides;
    if (subquery->subquery.kind != SUBQUERY_SCALAR)
        return conjunct->kind == EXPR_COLUMN && conjunct->column == answer;
    if (conjunct->kind != EXPR_CALL || conjunct->arg_count != 2 || conjunct->args[0]->kind != EXPR_COLUMN || conjunct->args[1]->kind != EXPR_COLUMN)
        return false;
    const int first = conjunct->args[0]->column == answer, value = conjunct->args[first]->column; /* args[first] is the row's */
    const char *sign = conjunct->function->name;
    if (value == answer || conjunct->args[!first]->column != answer)
        return false;
    if (strcmp(sign, "=") == 0) {
        sides[0].keys[join->join.key_count] = value;
        sides[1].keys[join->join.key_count++] = subquery->subquery.key_count;
        return true;
    }
    const bool at_least = strcmp(sign, first ? ">=" : "<=") == 0; /* the answer is at least the row's value */
    if ((!at_least && strcmp(sign, first ? "<=" : ">=") != 0) || type_physical(conjunct->args[0]->type) != PHYSICAL_INT64)
        return false;
    join->join.compares[join->join.compare_count++] = (JoinCompare){ { value, subquery->subquery.key_count }, at_least, 0 };
    return true;
}

/* The join that a sub-query and the condition on its answer are; NULL: none. The other conditions: *rest. */
static LogicalNode *as_join(Arena *arena, const LogicalNode *filter, ExprList *rest)
{
    LogicalNode *subquery = filter->inputs[0].node;
    const Schema left = port_schema(arena, subquery->inputs[0]), right = port_schema(arena, subquery->inputs[1]);
    const int keys = subquery->subquery.key_count;
    LogicalNode *join = logical_node(arena, PLAN_JOIN, filter->at, 2, subquery->inputs);
    bool taken = false;
    for (int s = 0; s < 2; s++)
        join->join.sides[s].keys = ARENA_ARRAY(arena, int, keys + 2);
    for (int k = 0; k < keys; k++) {
        join->join.sides[0].keys[k] = subquery->subquery.keys[k];
        join->join.sides[1].keys[k] = k;
    }
    join->join.key_count = keys;
    if (subquery->subquery.kind == SUBQUERY_IN) {
        join->join.sides[0].keys[keys] = subquery->subquery.value;
        join->join.sides[1].keys[join->join.key_count++] = keys;
    }
    join->join.compares = ARENA_ARRAY(arena, JoinCompare, 1);
    join->schema = (Schema){ left.column_count + right.column_count, ARENA_ARRAY(arena, Column, left.column_count + right.column_count + 1) };
    for (int c = 0; c < join->schema.column_count; c++)
        join->schema.columns[c] = c < left.column_count ? left.columns[c] : right.columns[c - left.column_count];
    ExprList conjuncts = { 0 };
    expr_conjuncts(arena, filter->filter.predicate, &conjuncts);
    for (int i = 0; i < conjuncts.count; i++)
        if (!taken && take_answer(join, subquery, conjuncts.items[i]))
            taken = true;
        else
            LIST_ADD(arena, rest, conjuncts.items[i]);
    return taken ? join : NULL;
}

/* The sub-query's result out of the first rows: their columns, and the answer that they all have. */
static PlanInput answered(Arena *arena, const MaxJoin *found, const LogicalNode *subquery, PlanInput ranked)
{
    const int count = subquery->schema.column_count;
    const Schema *schema = &subquery->schema;
    const Span at = found->join->at;
    const PlanInput rows = max_join_copy(arena, subquery->inputs[0], found->common, ranked);
    Expr **exprs = ARENA_ARRAY(arena, Expr *, count);
    for (int c = 0; c < count; c++) {
        const int from = c < count - 1 ? c : found->row_value;
        exprs[c] = c == count - 1 && subquery->subquery.kind != SUBQUERY_SCALAR ? expr_boolean(arena, true, at) : expr_column(arena, from, schema->columns[c].name, schema->columns[c].type, at);
    }
    return main_port(logical_project(arena, rows, exprs, schema->columns, count, POLICY_FAIL, at));
}

static bool rank_subquery(Arena *arena, const NodeList *nodes, LogicalNode *filter)
{
    LogicalNode *subquery = filter->inputs[0].node;
    ExprList rest = { 0 };
    MaxJoin found;
    if (filter->inputs[0].port != PORT_MAIN || subquery->kind != PLAN_SUBQUERY || subquery->inputs[0].port != PORT_MAIN || subquery->inputs[1].port != PORT_MAIN)
        return false;
    LogicalNode *join = as_join(arena, filter, &rest);
    if (!join || !max_join_find(arena, join, &found) || found.assign || found.other_count || found.aggregate->aggregate.has_window || !groups_are_told(&found))
        return false;
    if ((!subquery->subquery.changes && !subquery->traits.bounded) || !max_join_may_reorder(arena, nodes, filter, true))
        return false;
    LogicalNode *rank = make_rank(arena, &found);
    if (!rank)
        return false;
    rank->rank.trigger = subquery->subquery.changes ? TRIGGER_CHANGES : TRIGGER_END;
    logical_derive(arena, rank);
    PlanInput result = answered(arena, &found, subquery, main_port(rank));
    if (rest.count)
        result = main_port(logical_filter(arena, result, expr_logic(arena, EXPR_AND, rest.items, rest.count, filter->at), filter->filter.on_error, filter->at));
    rewrite_replace(nodes, filter, result);
    return true;
}

int rewrite_top_with_ties(RewriteContext *context)
{
    int changes = 0;
    NodeList nodes = rewrite_nodes(context);
    for (int n = 0; n < nodes.count; n++) {
        LogicalNode *node = nodes.items[n];
        if (node->kind == PLAN_JOIN)
            changes += rank_join(context->arena, &nodes, node);
        else if (node->kind == PLAN_FILTER)
            changes += rank_subquery(context->arena, &nodes, node);
    }
    return changes;
}
