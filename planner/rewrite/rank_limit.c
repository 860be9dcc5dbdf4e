/* planner/rewrite/rank_limit.c: rule 8. A filter on the number that a rank appends (rk <= 3, rk = 1, rk BETWEEN 1 AND 3) becomes
 * the rank's limit: it keeps that many rows a partition and no more. What the limit says in full leaves the filter. */
#include "planner/expr.h"
#include "planner/rewrite/rewrite.h"

/* The rank below the filter, looked for through projections that pass its number on; *column is its place above. */
static LogicalNode *find_rank(PlanInput input, int column)
{
    while (input.port == PORT_MAIN && input.node->consumers == 1) {
        LogicalNode *node = input.node;
        switch (node->kind) {
        case PLAN_RANK:
            if (column == node->schema.column_count - 1 && node->rank.rank_column)
                return node;
            break; /* another rank below */
        case PLAN_PROJECT:
            if (node->project.exprs[column]->kind != EXPR_COLUMN)
                return NULL;
            column = node->project.exprs[column]->column;
            break;
        case PLAN_FILTER:
            break;
        default:
            return NULL;
        }
        if (node->kind == PLAN_RANK && column >= node->schema.column_count - 1)
            return NULL;
        if (node->kind == PLAN_RANK || node->kind == PLAN_FILTER)
            return NULL; /* numbers must not be cut below something that counts or tests other rows */
        input = node->inputs[0];
    }
    return NULL;
}

/* column <= n out of a conjunct; *exact: the conjunct says nothing more. */
static bool upper_bound(const Expr *expr, int *column, int64_t *bound, bool *exact)
{
    if (expr->kind != EXPR_CALL || expr->arg_count != 2)
        return false;
    const Expr *left = expr->args[0], *right = expr->args[1];
    const char *op = expr->function->name;
    bool turned = left->kind == EXPR_CONSTANT;
    if (turned) {
        const Expr *swap = left;
        left = right;
        right = swap;
    }
    if (left->kind != EXPR_COLUMN || right->kind != EXPR_CONSTANT || right->value.is_null || !type_is_integer(right->type))
        return false;
    *column = left->column;
    *bound = right->value.integer;
    *exact = true;
    if (strcmp(op, turned ? ">=" : "<=") == 0)
        return true;
    if (strcmp(op, turned ? ">" : "<") == 0) {
        *bound = *bound > INT64_MIN ? *bound - 1 : *bound;
        return true;
    }
    *exact = *bound == 1;
    return strcmp(op, "=") == 0;
}

int rewrite_rank_limit(RewriteContext *context)
{
    int changes = 0;
    NodeList nodes = rewrite_nodes(context);
    for (int n = 0; n < nodes.count; n++) {
        LogicalNode *filter = nodes.items[n];
        if (filter->kind != PLAN_FILTER)
            continue;
        ExprList conjuncts = { 0 }, kept = { 0 };
        expr_conjuncts(context->arena, filter->filter.predicate, &conjuncts);
        for (int i = 0; i < conjuncts.count; i++) {
            int column = -1;
            int64_t bound = 0;
            bool exact = false;
            LogicalNode *rank = NULL;
            if (upper_bound(conjuncts.items[i], &column, &bound, &exact))
                rank = find_rank(filter->inputs[0], column);
            if (rank) {
                bound = bound < 0 ? 0 : bound;
                rank->rank.limit = bound < rank->rank.limit ? bound : rank->rank.limit;
                changes++;
            }
            if (!rank || !exact)
                LIST_ADD(context->arena, &kept, conjuncts.items[i]);
        }
        if (kept.count == conjuncts.count)
            continue;
        if (kept.count == 0)
            rewrite_replace(&nodes, filter, filter->inputs[0]);
        else
            filter->filter.predicate = expr_logic(context->arena, EXPR_AND, kept.items, kept.count, filter->at);
    }
    return changes;
}
