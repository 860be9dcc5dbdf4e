/* planner/rewrite/filter_pushdown.c: rule 3. Conjuncts that cannot fail move below projections that cannot fail, lookups, window
 * assignments and unions; neighbouring filters become one. Never below a watermark: a rejected row still moves time. */
#include "planner/expr.h"
#include "planner/rewrite/rewrite.h"

typedef struct Conjuncts { Expr **items; int count, capacity; } Conjuncts;

static void split(Arena *arena, Expr *expr, Conjuncts *conjuncts)
{
    if (expr->kind == EXPR_AND)
        for (int i = 0; i < expr->arg_count; i++)
            split(arena, expr->args[i], conjuncts);
    else
        LIST_ADD(arena, conjuncts, expr);
}

static Expr *join(Arena *arena, const Conjuncts *conjuncts)
{
    if (conjuncts->count == 1)
        return conjuncts->items[0];
    Expr *expr = arena_copy(arena, conjuncts->items[0], sizeof *expr);
    expr->kind = EXPR_AND;
    expr->type = type_scalar(TYPE_BOOLEAN);
    expr->function = NULL;
    expr->args = conjuncts->items;
    expr->arg_count = conjuncts->count;
    for (int i = 1; i < conjuncts->count; i++)
        expr->at = span_join(expr->at, conjuncts->items[i]->at);
    return expr;
}

/* Largest column that the expression reads, -1 none. */
static int highest_column(const Expr *expr)
{
    int highest = expr->kind == EXPR_COLUMN ? expr->column : -1;
    for (int i = 0; i < expr->arg_count; i++) {
        int under = highest_column(expr->args[i]);
        highest = under > highest ? under : highest;
    }
    return highest;
}

static bool reads_only_plain(const Expr *expr, const LogicalNode *project)
{
    if (expr->kind == EXPR_COLUMN) {
        const Expr *source = project->project.exprs[expr->column];
        while (source->kind == EXPR_FIELD)
            source = source->args[0];
        return source->kind == EXPR_COLUMN || source->kind == EXPR_CONSTANT;
    }
    for (int i = 0; i < expr->arg_count; i++)
        if (!reads_only_plain(expr->args[i], project))
            return false;
    return true;
}

static bool project_can_fail(const LogicalNode *node)
{
    for (int i = 0; i < node->schema.column_count; i++)
        if (expr_can_fail(node->project.exprs[i]) || expr_is_volatile(node->project.exprs[i]))
            return true;
    return false;
}

static void mark_sides(const Expr *expr, int left_count, int right_count, bool sides[3])
{
    if (expr->kind == EXPR_COLUMN)
        sides[expr->column < left_count ? 0 : expr->column < left_count + right_count ? 1 : 2] = true;
    for (int i = 0; i < expr->arg_count; i++)
        mark_sides(expr->args[i], left_count, right_count, sides);
}

/* The side of a join that a conjunct is about, if its rows can be tested there: the other side's rows do not come out without a match, and its
 * rows do not replace each other. -1: neither. */
static int join_side(Arena *arena, const LogicalNode *join, const Expr *conjunct)
{
    bool sides[3] = { false };
    int left_count = port_schema(arena, join->inputs[0]).column_count, right_count = port_schema(arena, join->inputs[1]).column_count;
    mark_sides(conjunct, left_count, right_count, sides);
    if (sides[2] || sides[0] == sides[1])
        return -1;
    const int side = sides[1];
    return join->join.sides[!side].preserved || join->join.sides[side].upserts ? -1 : side;
}

/* May the conjunct be tested before `below` has worked on the row? */
static bool may_move(const Expr *conjunct, LogicalNode *below, Arena *arena)
{
    if (expr_can_fail(conjunct) || expr_is_volatile(conjunct))
        return false;
    switch (below->kind) {
    case PLAN_PROJECT:
        return reads_only_plain(conjunct, below) && !project_can_fail(below);
    case PLAN_LOOKUP:
    case PLAN_WINDOW_ASSIGN:
    case PLAN_UNNEST:
    case PLAN_SUBQUERY:
        return highest_column(conjunct) < port_schema(arena, below->inputs[0]).column_count;
    case PLAN_UNION:
    case PLAN_SET:
        return true;
    case PLAN_JOIN:
        return join_side(arena, below, conjunct) >= 0;
    case PLAN_SCAN: case PLAN_VALUES: case PLAN_WATERMARK: case PLAN_FILTER: case PLAN_NORMALIZE: case PLAN_AGGREGATE: case PLAN_WINDOW_AGGREGATE:
    case PLAN_SESSION_AGGREGATE: case PLAN_RANK: case PLAN_OVER: case PLAN_MATCH: case PLAN_SORT: case PLAN_LIMIT: case PLAN_SINK:
    case PLAN_CANDIDATES: case PLAN_GATHER:
        return false;
    }
    return false;
}

/* Above an input; into the filter that stands there, if one does: so that nodes outside of the list only ever read others than filters. */
static void put_filter(Arena *arena, PlanInput *input, const Conjuncts *moved, const LogicalNode *filter)
{
    LogicalNode *under = input->node;
    if (under->kind == PLAN_FILTER && input->port == PORT_MAIN && under->consumers == 1 && under->filter.on_error == filter->filter.on_error) {
        Conjuncts both = { 0 };
        split(arena, under->filter.predicate, &both);
        for (int i = 0; i < moved->count; i++)
            LIST_ADD(arena, &both, moved->items[i]);
        under->filter.predicate = join(arena, &both);
        return;
    }
    *input = main_port(logical_filter(arena, *input, join(arena, moved), filter->filter.on_error, filter->at));
    input->node->consumers = 1;
}

static void push_into_join(Arena *arena, LogicalNode *join, const Conjuncts *moved, const LogicalNode *filter)
{
    const int left_count = port_schema(arena, join->inputs[0]).column_count, count = left_count + port_schema(arena, join->inputs[1]).column_count;
    int *map = ARENA_ARRAY(arena, int, count + 1);
    Conjuncts own[2] = { 0 };
    for (int c = 0; c < count; c++)
        map[c] = c < left_count ? c : c - left_count;
    for (int i = 0; i < moved->count; i++) {
        const int side = join_side(arena, join, moved->items[i]);
        Expr *conjunct = expr_copy(arena, moved->items[i]);
        expr_remap(conjunct, map);
        LIST_ADD(arena, &own[side], conjunct);
    }
    for (int s = 0; s < 2; s++)
        if (own[s].count)
            put_filter(arena, &join->inputs[s], &own[s], filter);
}

static bool push_one(Arena *arena, const NodeList *nodes, LogicalNode *filter)
{
    if (filter->inputs[0].port != PORT_MAIN)
        return false;
    LogicalNode *below = filter->inputs[0].node;
    if (below->consumers != 1)
        return false;
    Conjuncts all = { 0 }, moved = { 0 }, kept = { 0 };
    split(arena, filter->filter.predicate, &all);
    if (below->kind == PLAN_FILTER && below->filter.on_error == filter->filter.on_error) { /* two filters: one */
        Conjuncts both = { 0 };
        split(arena, below->filter.predicate, &both);
        for (int i = 0; i < all.count; i++)
            LIST_ADD(arena, &both, all.items[i]);
        below->filter.predicate = join(arena, &both);
        rewrite_replace(nodes, filter, main_port(below));
        return true;
    }
    for (int i = 0; i < all.count; i++)
        if (may_move(all.items[i], below, arena))
            LIST_ADD(arena, &moved, all.items[i]);
        else
            LIST_ADD(arena, &kept, all.items[i]);
    if (moved.count == 0)
        return false;
    if (below->kind == PLAN_PROJECT)
        for (int i = 0; i < moved.count; i++)
            moved.items[i] = rewrite_substitute(arena, moved.items[i], below->project.exprs);
    if (below->kind == PLAN_JOIN)
        push_into_join(arena, below, &moved, filter);
    for (int i = 0; i < (below->kind == PLAN_JOIN ? 0 : below->kind == PLAN_SUBQUERY ? 1 : below->input_count); i++)
        put_filter(arena, &below->inputs[i], &moved, filter);
    if (kept.count)
        filter->filter.predicate = join(arena, &kept);
    else
        rewrite_replace(nodes, filter, main_port(below));
    return true;
}

int rewrite_filter_pushdown(RewriteContext *context)
{
    int changes = 0;
    for (bool again = true; again;) {
        again = false;
        NodeList nodes = rewrite_nodes(context);
        for (int n = nodes.count - 1; n >= 0; n--) {
            LogicalNode *filter = nodes.items[n];
            if (filter->kind != PLAN_FILTER || filter->consumers == 0 || !push_one(context->arena, &nodes, filter))
                continue;
            again = true;
            changes++;
        }
    }
    return changes;
}
