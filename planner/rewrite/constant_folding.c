/* planner/rewrite/constant_folding.c: rule 1. Expressions of constants become constants, unless they fail: then they fail
 * where and when the query evaluates them. Filters that are always true go. */
#include "planner/expr.h"
#include "planner/rewrite/rewrite.h"

int rewrite_constant_folding(RewriteContext *context)
{
    int changes = 0;
    NodeList nodes = rewrite_nodes(context);
    for (int n = 0; n < nodes.count; n++) {
        LogicalNode *node = nodes.items[n];
        int count = 0;
        Expr **exprs = logical_exprs(node, &count);
        for (int i = 0; i < count; i++) {
            Expr *folded = expr_fold(context->arena, exprs[i]);
            changes += folded != exprs[i];
            exprs[i] = folded;
        }
        if (node->kind == PLAN_FILTER && node->filter.predicate->kind == EXPR_CONSTANT && !node->filter.predicate->value.is_null &&
            node->filter.predicate->value.integer) {
            rewrite_replace(&nodes, node, node->inputs[0]);
            changes++;
        }
    }
    return changes;
}
