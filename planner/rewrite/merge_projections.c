/* planner/rewrite/merge_projections.c: rule 5. A projection over a projection becomes one where the inner one only renames, or
 * computes what cannot fail and is read once. */
#include "planner/expr.h"
#include "planner/rewrite/rewrite.h"

static void count_reads(const Expr *expr, int *reads)
{
    if (expr->kind == EXPR_COLUMN)
        reads[expr->column]++;
    for (int i = 0; i < expr->arg_count; i++)
        count_reads(expr->args[i], reads);
}

static bool is_plain(const Expr *expr)
{
    while (expr->kind == EXPR_FIELD)
        expr = expr->args[0];
    return expr->kind == EXPR_COLUMN || expr->kind == EXPR_CONSTANT;
}

static bool may_merge(RewriteContext *context, const LogicalNode *outer, const LogicalNode *inner)
{
    int *reads = ARENA_ARRAY(context->arena, int, inner->schema.column_count + 1);
    for (int i = 0; i < outer->schema.column_count; i++)
        count_reads(outer->project.exprs[i], reads);
    for (int i = 0; i < inner->schema.column_count; i++) {
        const Expr *expr = inner->project.exprs[i];
        if (is_plain(expr))
            continue;
        if (expr_can_fail(expr) || expr_is_volatile(expr) || reads[i] > 1)
            return false;
    }
    return true;
}

int rewrite_merge_projections(RewriteContext *context)
{
    int changes = 0;
    NodeList nodes = rewrite_nodes(context);
    for (int n = 0; n < nodes.count; n++) { /* inputs first: chains fold from below */
        LogicalNode *outer = nodes.items[n];
        if (outer->kind != PLAN_PROJECT || outer->inputs[0].port != PORT_MAIN)
            continue;
        LogicalNode *inner = outer->inputs[0].node;
        if (inner->kind != PLAN_PROJECT || inner->consumers != 1 || !may_merge(context, outer, inner))
            continue;
        for (int i = 0; i < outer->schema.column_count; i++)
            outer->project.exprs[i] = rewrite_substitute(context->arena, outer->project.exprs[i], inner->project.exprs);
        outer->inputs[0] = inner->inputs[0]; /* which has as many consumers as before */
        changes++;
    }
    return changes;
}
