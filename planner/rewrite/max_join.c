/* planner/rewrite/max_join.c: see max_join.h. */
#include "planner/rewrite/max_join.h"

#include "planner/expr.h"
#include "planner/window_spec.h"

/* ---- ways down ---- */

static bool is_link(const PlanInput at) { return at.port == PORT_MAIN && (at.node->kind == PLAN_PROJECT || at.node->kind == PLAN_FILTER || at.node->kind == PLAN_WINDOW_ASSIGN); }
static bool same_input(PlanInput a, PlanInput b) { return a.node == b.node && a.port == b.port; }

/* One step down; false: the column is computed here. */
static bool step_down(PlanInput *at, int *column)
{
    if (at->node->kind == PLAN_PROJECT) {
        const Expr *expr = at->node->project.exprs[*column];
        if (expr->kind != EXPR_COLUMN)
            return false;
        *column = expr->column;
    }
    if (at->node->kind == PLAN_WINDOW_ASSIGN && *column >= at->node->schema.column_count - 3)
        return false;
    *at = at->node->inputs[0];
    return true;
}

int max_join_trace(PlanInput from, PlanInput to, int column)
{
    while (!same_input(from, to))
        if (!is_link(from) || !step_down(&from, &column))
            return -1;
    return column;
}

LogicalNode *max_join_origin(PlanInput from, int *column)
{
    while (is_link(from))
        if (!step_down(&from, column))
            return NULL;
    return from.port == PORT_MAIN ? from.node : NULL;
}

/* Does a way through nodes that cannot fail lead from one place down to the other? Only projections on it, if `plain`. */
static bool leads_to(PlanInput from, PlanInput to, bool plain)
{
    while (!same_input(from, to)) {
        if (!is_link(from) || !rewrite_cannot_fail(from.node) || (plain && from.node->kind != PLAN_PROJECT))
            return false;
        from = from.node->inputs[0];
    }
    return true;
}

/* ---- the parts ---- */

static bool find_aggregate(MaxJoin *found)
{
    PlanInput at = found->join->inputs[found->most];
    while (at.port == PORT_MAIN && at.node->kind == PLAN_PROJECT && rewrite_cannot_fail(at.node))
        at = at.node->inputs[0];
    LogicalNode *node = at.node;
    found->aggregate = node;
    return at.port == PORT_MAIN && (node->kind == PLAN_AGGREGATE || node->kind == PLAN_WINDOW_AGGREGATE) && !node->aggregate.emit_unchanged && !node->aggregate.keep_empty &&
           !node->aggregate.loses_windows && node->traits.clocks == 0;
}

static bool find_common(Arena *arena, MaxJoin *found)
{
    const PlanInput rows = found->join->inputs[!found->most];
    for (PlanInput at = found->aggregate->inputs[0];; at = at.node->inputs[0]) {
        if (leads_to(rows, at, false)) {
            found->common = at;
            return at.port == PORT_MAIN && leads_to(found->aggregate->inputs[0], at, true) && port_traits(arena, at).changes == CHANGES_APPEND;
        }
        if (!is_link(at) || at.node->kind != PLAN_PROJECT)
            return false;
    }
}

/* Types whose order is the same for comparisons, MAX and ranks. */
static bool has_one_order(const Type *type)
{
    switch (type->kind) {
    case TYPE_TINYINT: case TYPE_SMALLINT: case TYPE_INT: case TYPE_BIGINT: case TYPE_DECIMAL: case TYPE_VARCHAR: case TYPE_DATE: case TYPE_TIME: case TYPE_TIMESTAMP: case TYPE_TIMESTAMP_TZ:
        return true;
    default:
        return false;
    }
}

static int call_column(const LogicalNode *aggregate, int call) { return aggregate->aggregate.key_count + (aggregate->aggregate.has_window ? 3 : 0) + call; }

/* The group's key that a column of the value's side is, and that column of the common rows; -1: it is none. */
static int key_of(const MaxJoin *found, int of_most, int *common)
{
    const LogicalNode *aggregate = found->aggregate;
    const int result = max_join_trace(found->join->inputs[found->most], main_port(found->aggregate), of_most);
    if (result < 0 || result >= aggregate->aggregate.key_count)
        return -1;
    *common = max_join_trace(aggregate->inputs[0], found->common, aggregate->aggregate.key_columns[result]);
    return *common < 0 ? -1 : result;
}

/* MAX or MIN of a column of the common rows that a column of the value's side is; -1: it is neither. */
static int value_of(const MaxJoin *found, int of_most, bool *smallest)
{
    const LogicalNode *aggregate = found->aggregate;
    const int result = max_join_trace(found->join->inputs[found->most], main_port(found->aggregate), of_most);
    const int call = result - call_column(aggregate, 0);
    if (result < 0 || call < 0)
        return -1;
    const AggregateCall *max = &aggregate->aggregate.calls[call];
    *smallest = strcmp(max->function->name, "min") == 0;
    if ((!*smallest && strcmp(max->function->name, "max") != 0) || max->arg_count != 1 || max->constant_count || max->filter >= 0 || max->limit || !has_one_order(max->type))
        return -1;
    return max_join_trace(aggregate->inputs[0], found->common, max->args[0]);
}

/* The window assignment on the way of the rows, and which of its bounds a column is; -1: none. */
static int assigned_bound(MaxJoin *found, int of_rows)
{
    PlanInput at = found->join->inputs[!found->most];
    while (!same_input(at, found->common)) {
        if (at.node->kind == PLAN_WINDOW_ASSIGN && of_rows >= at.node->schema.column_count - 3) {
            found->assign = at.node;
            return of_rows - (at.node->schema.column_count - 3);
        }
        if (!step_down(&at, &of_rows))
            return -1;
    }
    return -1;
}

/* Bounds of the rows' windows that are equal to the group's: the rows meet the groups of their own windows. */
static bool take_windows(MaxJoin *found, int of_rows, int of_most)
{
    const LogicalNode *aggregate = found->aggregate;
    const int result = max_join_trace(found->join->inputs[found->most], main_port(found->aggregate), of_most), bound = result - aggregate->aggregate.key_count;
    if (!aggregate->aggregate.has_window || bound < 0 || bound > 2 || assigned_bound(found, of_rows) != bound)
        return false;
    const WindowSpec *own = &found->assign->assign.window, *theirs = &aggregate->aggregate.window;
    const int time = max_join_trace(found->assign->inputs[0], found->common, own->time_column);
    if (!window_same(own, theirs, false) || time < 0 || time != max_join_trace(aggregate->inputs[0], found->common, theirs->time_column))
        return false;
    found->assigned |= bound > 0 || own->kind != WINDOW_CUMULATING;
    return true;
}

/* The value is compared with the rows' own; all comparisons must be of one. */
static bool take_value(MaxJoin *found, int of_rows, int of_most)
{
    bool smallest = false;
    const int value = value_of(found, of_most, &smallest);
    if (value < 0 || max_join_trace(found->join->inputs[!found->most], found->common, of_rows) != value)
        return false;
    if (found->value >= 0 && (found->value != value || found->smallest != smallest))
        return false;
    found->value = value;
    found->smallest = smallest;
    found->row_value = of_rows;
    return true;
}

/* A key of the join: a key of the group, or the value. */
static bool take_key(MaxJoin *found, int of_rows, int of_most, bool *picked)
{
    int common;
    if (take_windows(found, of_rows, of_most))
        return true;
    if (key_of(found, of_most, &common) < 0)
        return *picked = take_value(found, of_rows, of_most);
    if (max_join_trace(found->join->inputs[!found->most], found->common, of_rows) != common)
        return false;
    found->columns[found->column_count++] = common;
    return true;
}

/* x >= MAX(x) picks the rows with the largest value; x <= MAX(x) says nothing. */
static void take_compare(MaxJoin *found, const JoinCompare *compare, bool *picked)
{
    if (compare->offset == 0 && take_value(found, compare->columns[!found->most], compare->columns[found->most]))
        *picked |= compare->at_least == ((found->most == 0) != found->smallest);
    else
        found->others[found->other_count++] = compare;
}

static bool take_terms(Arena *arena, MaxJoin *found)
{
    const LogicalNode *join = found->join;
    const JoinSide *sides = join->join.sides;
    bool picked = false, of_value = false;
    found->columns = ARENA_ARRAY(arena, int, join->join.key_count + 1);
    found->others = ARENA_ARRAY(arena, const JoinCompare *, join->join.compare_count + 1);
    for (int k = 0; k < join->join.key_count; k++, picked |= of_value, of_value = false)
        if (!take_key(found, sides[!found->most].keys[k], sides[found->most].keys[k], &of_value) && !of_value)
            return false;
    for (int c = 0; c < join->join.compare_count; c++)
        take_compare(found, &join->join.compares[c], &picked);
    return picked;
}

/* ---- what comes out ---- */

/* Marks the columns of a node's result that somebody reads. */
static void mark_reads(const NodeList *nodes, const LogicalNode *node, bool *reads)
{
    for (int n = node->place + 1; n < nodes->count; n++) {
        LogicalNode *reader = nodes->items[n];
        for (int i = 0; i < reader->input_count; i++) {
            if (reader->inputs[i].node != node)
                continue;
            int count;
            Expr **exprs = logical_exprs(reader, &count);
            const bool chooses = reader->kind == PLAN_PROJECT || reader->kind == PLAN_FILTER;
            for (int e = 0; chooses && e < count; e++)
                expr_columns(exprs[e], reads);
            for (int c = 0; !chooses && c < node->schema.column_count; c++)
                reads[c] = true;
            if (reader->kind == PLAN_FILTER)
                mark_reads(nodes, reader, reads);
        }
    }
}

static bool reads_in_order(const LogicalNode *node)
{
    switch (node->kind) {
    case PLAN_LIMIT: case PLAN_OVER: case PLAN_MATCH:
        return true;
    case PLAN_RANK:
        return node->rank.rank == RANK_ROW_NUMBER;
    case PLAN_AGGREGATE: case PLAN_WINDOW_AGGREGATE: case PLAN_SESSION_AGGREGATE:
        for (int i = 0; i < node->aggregate.call_count; i++)
            if (node->aggregate.calls[i].function->order_sensitive)
                return true;
        return false;
    default:
        return false;
    }
}

static bool reads_times(const LogicalNode *node)
{
    switch (node->kind) {
    case PLAN_PROJECT: case PLAN_FILTER: case PLAN_SINK: case PLAN_AGGREGATE: case PLAN_UNION: case PLAN_SET: case PLAN_UNNEST: case PLAN_LOOKUP:
        return false;
    case PLAN_RANK:
        return node->rank.trigger == TRIGGER_FINAL;
    default:
        return true;
    }
}

bool max_join_may_reorder(Arena *arena, const NodeList *nodes, const LogicalNode *node, bool times)
{
    bool *above = ARENA_ARRAY(arena, bool, nodes->count + 1);
    above[node->place] = true;
    for (int n = node->place + 1; n < nodes->count; n++) {
        const LogicalNode *reader = nodes->items[n];
        for (int i = 0; i < reader->input_count; i++) {
            const int under = logical_place(nodes, reader->inputs[i].node);
            above[n] |= under >= 0 && above[under];
        }
        if (above[n] && reader->kind == PLAN_SORT)
            above[n] = false;
        if (above[n] && (reads_in_order(reader) || (times && reads_times(reader))))
            return false;
    }
    return true;
}

/* The column of the rows' side that is the same as one of the value's side; -1: none. */
static int same_column(const MaxJoin *found, int of_most)
{
    const PlanInput rows = found->join->inputs[!found->most];
    bool smallest;
    int common;
    if (value_of(found, of_most, &smallest) == found->value && smallest == found->smallest)
        return found->row_value;
    if (key_of(found, of_most, &common) < 0)
        return -1;
    for (int c = 0; c < rows.node->schema.column_count; c++)
        if (max_join_trace(rows, found->common, c) == common)
            return c;
    return -1;
}

/* The join's columns over the input with the rows; NULL: one of them is neither there nor unread. */
static Expr **find_results(Arena *arena, const NodeList *nodes, const MaxJoin *found)
{
    const LogicalNode *join = found->join;
    const Schema schema = join->schema, left = port_schema(arena, join->inputs[0]), right = port_schema(arena, join->inputs[1]);
    const int first[2] = { 0, left.column_count }, end[2] = { left.column_count, left.column_count + right.column_count };
    bool *reads = ARENA_ARRAY(arena, bool, schema.column_count + 1);
    mark_reads(nodes, join, reads);
    Expr **results = ARENA_ARRAY(arena, Expr *, schema.column_count + 1);
    for (int c = 0; c < schema.column_count; c++) {
        int from = -1;
        if (c >= first[!found->most] && c < end[!found->most])
            from = c - first[!found->most];
        else if (c < end[1])
            from = same_column(found, c - first[found->most]);
        if (from < 0 && reads[c])
            return NULL;
        const Value none = value_null(schema.columns[c].type);
        results[c] = from < 0 ? expr_constant(arena, &none, join->at) : expr_column(arena, from, schema.columns[c].name, schema.columns[c].type, join->at);
    }
    return results;
}

static bool is_plain_inner(const LogicalNode *join)
{
    const JoinSide *sides = join->join.sides;
    return join->join.form == JOIN_BOTH && !sides[0].preserved && !sides[1].preserved && !join->join.retention_us && !join->join.with_key &&
           !join->join.change_times && join->inputs[0].port == PORT_MAIN && join->inputs[1].port == PORT_MAIN;
}

bool max_join_find(Arena *arena, LogicalNode *join, MaxJoin *found)
{
    if (!is_plain_inner(join))
        return false;
    for (int most = 1; most >= 0; most--) {
        *found = (MaxJoin){ .join = join, .most = most, .value = -1 };
        if (find_aggregate(found) && find_common(arena, found) && take_terms(arena, found))
            return true;
    }
    return false;
}

PlanInput max_join_copy(Arena *arena, PlanInput from, PlanInput to, PlanInput rows)
{
    if (same_input(from, to))
        return rows;
    LogicalNode *node = from.node;
    const PlanInput under = max_join_copy(arena, node->inputs[0], to, rows);
    if (node->kind == PLAN_FILTER)
        return main_port(logical_filter(arena, under, expr_copy(arena, node->filter.predicate), node->filter.on_error, node->at));
    if (node->kind == PLAN_WINDOW_ASSIGN) {
        LogicalNode *copy = arena_copy(arena, node, sizeof *node);
        copy->inputs = arena_copy(arena, &under, sizeof under);
        return main_port(copy);
    }
    Expr **exprs = ARENA_ARRAY(arena, Expr *, node->schema.column_count + 1);
    for (int c = 0; c < node->schema.column_count; c++)
        exprs[c] = expr_copy(arena, node->project.exprs[c]);
    return main_port(logical_project(arena, under, exprs, node->schema.columns, node->schema.column_count, node->project.on_error, node->at));
}

bool max_join_result(Arena *arena, const NodeList *nodes, const MaxJoin *found, PlanInput rows, PlanInput *result)
{
    const LogicalNode *join = found->join;
    Expr **results = find_results(arena, nodes, found);
    if (!results)
        return false;
    const PlanInput way = max_join_copy(arena, join->inputs[!found->most], found->common, rows);
    *result = main_port(logical_project(arena, way, results, join->schema.columns, join->schema.column_count, POLICY_FAIL, join->at));
    return true;
}
