/* planner/bind_join_subqueries.c: sub-queries in ON of joins that keep rows without a match.
 *
 * ON decides which rows match, not which rows there are. So the answer of a sub-query is computed beside the rows of the side that it asks about,
 * before the join, and the condition reads it there as a hidden column. */
#include "planner/ast_map.h"
#include "planner/bind_correlation.h"
#include "planner/bind_join.h"
#include "planner/expr.h"

typedef struct OnQueries {
    JoinBinding *join;
    Block joint;              /* both sides' names; nothing flows there */
    Block side;               /* one side: its rows and names */
    int at_side;
} OnQueries;

static Block side_block(const JoinBinding *join, int first_right, int s)
{
    Block side = { .binder = join->block->binder, .query = join->block->query, .from = join->sides[s] };
    for (int p = 0; p < join->block->parts.count; p++) {
        ScopeRelation part = join->block->parts.items[p];
        if ((p >= first_right) != (s == 1))
            continue;
        part.base -= s ? join->left_count : 0;
        LIST_ADD(join->block->binder->arena, &side.parts, part);
    }
    return side;
}

enum { BOTH_SIDES = -1 };

/* Which side the sub-query asks about. One that asks about neither belongs to the side that may lose rows, or to the left one. */
static Error *asked_side(OnQueries *on, const AstExpr *ast, int *s)
{
    JoinBinding *join = on->join;
    AstExprs asked = { 0 };
    int sides = 0;
    TRY(subquery_asks(&on->joint, ast, &asked));
    for (int i = 0; i < asked.count; i++) {
        Expr *expr = NULL;
        TRY(block_expr(&on->joint, &on->joint.from, asked.items[i], &expr));
        sides |= join_sides_of(expr, join->left_count);
    }
    *s = BOTH_SIDES;
    if (sides == (JOIN_OF_LEFT | JOIN_OF_RIGHT))
        return NULL;
    *s = sides ? sides == JOIN_OF_RIGHT : !join->preserved[1];
    return NULL;
}

static Error *shift_marker(void *context, const AstExpr *ast, AstExpr **replacement)
{
    const OnQueries *on = context;
    int column;
    if (ast_is_marker(ast, &column))
        *replacement = ast_marker(on->join->block->binder->arena, column + on->join->left_count, ast->at);
    return NULL;
}

/* What the left side is equal to ties the list of the sub-query's rows to it; the condition tests them beside the right side. */
static Error *keeps_left(void *context, const AstExpr *outer, bool *keep)
{
    const OnQueries *on = context;
    Expr *expr = NULL;
    TRY(block_expr((Block *)&on->joint, &on->joint.from, outer, &expr));
    *keep = !(join_sides_of(expr, on->join->left_count) & JOIN_OF_RIGHT);
    return NULL;
}

static Error *answer(void *context, const AstExpr *ast, AstExpr **replacement)
{
    OnQueries *on = context;
    int s = 0;
    if (!is_subquery(ast))
        return NULL;
    TRY(asked_side(on, ast, &s));
    if (s == BOTH_SIDES) {
        AstExpr *by_list = NULL;
        TRY(subquery_by_list(&on->joint, &on->joint.from, ast, keeps_left, on, &by_list));
        if (!by_list)
            return error_hint(binder_unsupported(ast->at, "this sub-query in ON of an outer join, which asks about both sides"),
                              "let it name columns of one side, and compare its value with the other: a.x IN (SELECT .. WHERE .. = a.k)");
        return ast_map(on->join->block->binder->arena, by_list, answer, on, replacement);
    }
    if (s != on->at_side)
        return NULL;
    AstExpr *answered = (AstExpr *)ast;
    if (port_traits(on->join->block->binder->arena, on->side.from.input).changes == CHANGES_UPSERT)
        TRY(bind_normalize(on->join->block->binder, &on->side.from, false, ast->at));
    TRY(bind_subqueries(&on->side, &answered, 1, false, &on->side.from));
    if (s == 0)
        *replacement = answered;
    else
        TRY(ast_map(on->join->block->binder->arena, answered, shift_marker, on, replacement));
    return NULL;
}

/* The left side has become wider. */
static void widen_left(JoinBinding *join, int first_right)
{
    const int by = join->sides[0].schema.column_count - join->left_count;
    for (int p = first_right; p < join->block->parts.count; p++)
        join->block->parts.items[p].base += by;
    join->left_count += by;
}

Error *bind_on_subqueries(JoinBinding *join, int first_right, AstExprs *conjuncts)
{
    OnQueries on = { .join = join };
    bool any = false;
    for (int i = 0; i < conjuncts->count; i++)
        any |= ast_any(conjuncts->items[i], is_subquery);
    if (!any || (!join->preserved[0] && !join->preserved[1]))
        return NULL;
    for (on.at_side = 0; on.at_side < 2; on.at_side++) {
        on.joint = *join->block;
        on.joint.from = join->joint;
        on.side = side_block(join, first_right, on.at_side);
        for (int i = 0; i < conjuncts->count; i++)
            if (ast_any(conjuncts->items[i], is_subquery))
                TRY(ast_map(join->block->binder->arena, conjuncts->items[i], answer, &on, &conjuncts->items[i]));
        join->sides[on.at_side] = on.side.from;
        if (on.at_side == 0)
            widen_left(join, first_right);
        bind_join_names(join);
    }
    return NULL;
}
