/* planner/rewrite/join_best.c: rule 12. Where only the best match of each row is asked for, a join gives out no others: a match that one before it exceeds
 * changes nothing above. What is kept above is then a row that seldom changes, and few pairs are made (Nexmark q4, q9).
 *
 *   Aggregate by columns of a: MAX(b.x)                  the matches of each row of a that exceed those before by b.x
 *   Rank ROW_NUMBER <= 1 by columns of a order b.x, b.y  .. that come before those so far by b.x, b.y
 *
 * Every row of a is in one group or partition, so that its better match is one of its group, too. Between join and aggregate stand projections, and conditions on
 * columns of a alone; other conditions are left to the join, which knows most of them already: they made it. Only for rows that are never taken back.
 *
 * Where rows match by the join's keys alone, what is best for one row of a is best for all of them, those to come included: of b the best row of each key is kept. */
#include "common/calendar.h"
#include "planner/bind_join.h"
#include "planner/expr.h"
#include "planner/rewrite/max_join.h"

typedef struct BestJoin {
    LogicalNode *top, *join; /* what asks, what is asked */
    int left_count;          /* columns of the join's left input.. */
    int count;               /* ..and of both */
    int side;                /* whose rows have a best match; -1: either's */
    JoinBest best;
    struct FilterParts { LogicalNode *filter; ExprList kept; } *filters; int filter_count, filter_capacity;
    ExprList moved;          /* over the join's columns: what it is to test */
} BestJoin;

/* The side that a column of the join's result is of; -1: none. */
static int side_of(const BestJoin *found, int column)
{
    return column < 0 || column >= found->count ? -1 : column >= found->left_count;
}

static int own_column(const BestJoin *found, int column) { return column < found->left_count ? column : column - found->left_count; }

/* ---- the way down ---- */

static bool find_join(BestJoin *found)
{
    PlanInput at = found->top->inputs[0];
    while (at.port == PORT_MAIN && at.node->consumers == 1 && (at.node->kind == PLAN_PROJECT || at.node->kind == PLAN_FILTER) && rewrite_cannot_fail(at.node))
        at = at.node->inputs[0];
    LogicalNode *join = at.node;
    if (at.port != PORT_MAIN || join->kind != PLAN_JOIN || join->consumers != 1)
        return false;
    const JoinSide *sides = join->join.sides;
    for (int s = 0; s < 2; s++)
        if (sides[s].updates || sides[s].upserts || join->inputs[s].port != PORT_MAIN || join->inputs[s].node->traits.changes != CHANGES_APPEND)
            return false;
    found->join = join;
    found->left_count = join->inputs[0].node->schema.column_count;
    found->count = found->left_count + join->inputs[1].node->schema.column_count;
    return join->join.form == JOIN_BOTH && !join->join.best.wanted;
}

/* Rows without a match come out when it is known that they have none, and never together with one that they have. */
static bool pads_well(const BestJoin *found)
{
    const JoinSide *sides = found->join->join.sides;
    const JoinPadding padding = found->join->join.padding;
    return !sides[!found->side].preserved && (!sides[found->side].preserved || padding == PADDING_AT_BOUND || padding == PADDING_AT_END);
}

static int trace(const BestJoin *found, int column) { return max_join_trace(found->top->inputs[0], main_port(found->join), column); }

/* ---- who asks ---- */

/* What the sides are joined on is the same on both. */
static bool is_shared(const BestJoin *found, int column)
{
    const int side = side_of(found, column);
    for (int k = 0; side >= 0 && k < found->join->join.key_count; k++)
        if (found->join->join.sides[side].keys[k] == own_column(found, column))
            return true;
    return false;
}

/* All columns are of one side, or of both: that side's rows have a best match. */
static bool take_side(BestJoin *found, const int columns[], int count)
{
    for (int i = 0; i < count; i++) {
        const int column = trace(found, columns[i]), side = side_of(found, column);
        if (side < 0)
            return false;
        if (is_shared(found, column))
            continue;
        if (found->side >= 0 && side != found->side)
            return false;
        found->side = side;
    }
    return true;
}

static bool is_integer(const Type *type)
{
    return type_physical(type) == PHYSICAL_INT64 && (type_is_integer(type) || type->kind == TYPE_DECIMAL || type_is_timestamp(type) || type->kind == TYPE_DATE || type->kind == TYPE_TIME);
}

/* The next column of the order; false: no further one can be compared. Of a row of the side itself all matches are equal. */
static bool take_key(BestJoin *found, SortKey key)
{
    const int column = trace(found, key.column);
    const int side = side_of(found, column);
    if (side >= 0 && (side == found->side || is_shared(found, column)))
        return true;
    if (side >= 0 && found->side < 0)
        found->side = !side;
    if (side < 0 || found->best.key_count == JOIN_BEST_KEYS || !is_integer(found->join->schema.columns[column].type))
        return false;
    found->best.keys[found->best.key_count++] = (SortKey){ own_column(found, column), key.descending, key.nulls_first };
    return true;
}

static bool asks_by_rank(BestJoin *found)
{
    const LogicalNode *rank = found->top;
    if (rank->rank.limit != 1 || rank->rank.trigger == TRIGGER_FINAL || !take_side(found, rank->rank.partition_columns, rank->rank.partition_count))
        return false;
    found->best.equals = rank->rank.rank != RANK_ROW_NUMBER;
    int k = 0;
    while (k < rank->rank.key_count && take_key(found, rank->rank.keys[k]))
        k++;
    found->best.equals |= k < rank->rank.key_count;
    return found->best.key_count || !found->best.equals;
}

static bool asks_by_value(BestJoin *found)
{
    const LogicalNode *aggregate = found->top;
    if (aggregate->aggregate.emit_unchanged || aggregate->aggregate.keep_empty || aggregate->aggregate.call_count > 1 || !take_side(found, aggregate->aggregate.key_columns, aggregate->aggregate.key_count))
        return false;
    if (aggregate->aggregate.call_count == 0)
        return true;
    const AggregateCall *call = &aggregate->aggregate.calls[0];
    const bool smallest = strcmp(call->function->name, "min") == 0;
    if ((!smallest && strcmp(call->function->name, "max") != 0) || call->arg_count != 1 || call->constant_count || call->filter >= 0 || call->limit)
        return false;
    return take_key(found, (SortKey){ call->args[0], !smallest, false });
}

/* ---- conditions between them ---- */

/* column <= other + offset and its like, of both sides: does the join ask for that, or more? */
static bool is_compared(const BestJoin *found, const Expr *call)
{
    static const char *const signs[] = { "<=", "<", ">=", ">" };
    Expr *columns[2];
    int64_t offsets[2];
    int sign = 0;
    while (sign < 4 && strcmp(call->function->name, signs[sign]) != 0)
        sign++;
    if (sign == 4 || !join_time_offset(call->args[0], &columns[0], &offsets[0]) || !join_time_offset(call->args[1], &columns[1], &offsets[1]))
        return false;
    const int first = side_of(found, columns[0]->column), second = side_of(found, columns[1]->column); /* the left side's argument is args[first] */
    if (first < 0 || second < 0 || first == second)
        return false;
    const bool at_least = (sign >= 2) == (first == 1);
    const int64_t offset = time_add(time_sub(offsets[first], offsets[!first]), sign & 1 ? (at_least ? 1 : -1) : 0);
    for (int c = 0; c < found->join->join.compare_count; c++) {
        const JoinCompare *compare = &found->join->join.compares[c];
        if (compare->columns[0] == own_column(found, columns[first]->column) && compare->columns[1] == own_column(found, columns[!first]->column) &&
            compare->at_least == at_least && (at_least ? compare->offset >= offset : compare->offset <= offset))
            return true;
    }
    return false;
}

static bool is_key(const BestJoin *found, const Expr *call)
{
    const JoinSide *sides = found->join->join.sides;
    if (strcmp(call->function->name, "=") != 0 || call->args[0]->kind != EXPR_COLUMN || call->args[1]->kind != EXPR_COLUMN)
        return false;
    const int first = side_of(found, call->args[0]->column), second = side_of(found, call->args[1]->column);
    for (int k = 0; k < found->join->join.key_count && first >= 0 && second >= 0; k++)
        if (first != second && sides[first].keys[k] == own_column(found, call->args[0]->column) && sides[second].keys[k] == own_column(found, call->args[1]->column))
            return true;
    return false;
}

static bool is_tested(const BestJoin *found, const Expr *expr)
{
    return expr->kind == EXPR_CALL && expr->arg_count == 2 && (is_key(found, expr) || is_compared(found, expr));
}

/* A condition over the columns of a place on the way as one over the join's. */
static Expr *over_join(Arena *arena, const BestJoin *found, PlanInput at, Expr *expr)
{
    for (; at.node != found->join; at = at.node->inputs[0])
        if (at.node->kind == PLAN_PROJECT)
            expr = rewrite_substitute(arena, expr, at.node->project.exprs);
    return expr;
}

static bool take_condition(Arena *arena, BestJoin *found, const LogicalNode *filter, Expr *conjunct, ExprList *kept)
{
    Expr *expr = over_join(arena, found, filter->inputs[0], conjunct);
    bool *reads = ARENA_ARRAY(arena, bool, found->join->schema.column_count + 1), sides[2] = { false };
    expr_columns(expr, reads);
    for (int c = 0; c < found->join->schema.column_count; c++) {
        if (reads[c] && side_of(found, c) < 0)
            return false;
        if (reads[c])
            sides[side_of(found, c)] = true;
    }
    if (!sides[!found->side])
        LIST_ADD(arena, kept, conjunct); /* all matches of a row pass, or none */
    else if (found->join->join.sides[found->side].preserved)
        return false; /* a row whose matches do not pass is none without a match */
    else if (!is_tested(found, expr))
        LIST_ADD(arena, &found->moved, expr);
    return true;
}

static bool take_filters(Arena *arena, BestJoin *found)
{
    for (PlanInput at = found->top->inputs[0]; at.node != found->join; at = at.node->inputs[0]) {
        if (at.node->kind != PLAN_FILTER)
            continue;
        struct FilterParts parts = { at.node, { 0 } };
        ExprList conjuncts = { 0 };
        expr_conjuncts(arena, at.node->filter.predicate, &conjuncts);
        for (int i = 0; i < conjuncts.count; i++)
            if (!take_condition(arena, found, at.node, conjuncts.items[i], &parts.kept))
                return false;
        struct FilterParts *filters = ARENA_ARRAY(arena, struct FilterParts, found->filter_count + 1);
        for (int i = 0; i < found->filter_count; i++)
            filters[i] = found->filters[i];
        filters[found->filter_count++] = parts;
        found->filters = filters;
    }
    return true;
}

/* ---- the change ---- */

static void change_plan(RewriteContext *context, const NodeList *nodes, BestJoin *found)
{
    Arena *arena = context->arena;
    for (int i = 0; i < found->filter_count; i++) {
        LogicalNode *filter = found->filters[i].filter;
        const ExprList *kept = &found->filters[i].kept;
        if (kept->count)
            filter->filter.predicate = expr_logic(arena, EXPR_AND, kept->items, kept->count, filter->at);
        else
            rewrite_replace(nodes, filter, filter->inputs[0]);
    }
    LogicalNode *join = found->join;
    if (join->join.condition && found->moved.count)
        LIST_ADD(arena, &found->moved, join->join.condition);
    if (found->moved.count)
        join->join.condition = expr_logic(arena, EXPR_AND, found->moved.items, found->moved.count, found->moved.items[0]->at);
    join->join.best = found->best;
    join->join.best.wanted = true;
    join->join.best.side = found->side;
    join->join.best.keeps_best = !join->join.compare_count && !join->join.condition && !join->join.retention_us && !join->join.sides[!found->side].bound_count;
}

int rewrite_join_best(RewriteContext *context)
{
    int changes = 0;
    NodeList nodes = rewrite_nodes(context);
    for (int n = 0; n < nodes.count; n++) {
        BestJoin found = { .top = nodes.items[n], .side = -1 };
        if ((found.top->kind != PLAN_RANK && found.top->kind != PLAN_AGGREGATE) || found.top->inputs[0].port != PORT_MAIN || !find_join(&found))
            continue;
        if (!(found.top->kind == PLAN_RANK ? asks_by_rank(&found) : asks_by_value(&found)))
            continue;
        found.side = found.side < 0 ? 0 : found.side;
        if (!pads_well(&found) || !take_filters(context->arena, &found))
            continue;
        change_plan(context, &nodes, &found);
        changes++;
    }
    return changes;
}
