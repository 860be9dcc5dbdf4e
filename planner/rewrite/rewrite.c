/* planner/rewrite/rewrite.c: the rules in their order, and what they share. */
#include "planner/rewrite/rewrite.h"

#include "planner/expr.h"

NodeList rewrite_nodes(RewriteContext *context)
{
    NodeList nodes = { 0 };
    logical_order(context->arena, context->roots, context->root_count, &nodes);
    for (int n = 0; n < nodes.count; n++)
        nodes.items[n]->consumers = 0;
    for (int n = 0; n < nodes.count; n++)
        for (int i = 0; i < nodes.items[n]->input_count; i++)
            nodes.items[n]->inputs[i].node->consumers++;
    for (int r = 0; r < context->root_count; r++)
        context->roots[r].node->consumers++;
    return nodes;
}

/* Consumers stand behind it. */
void rewrite_replace(const NodeList *nodes, LogicalNode *from, PlanInput to)
{
    for (int n = from->place + 1; n < nodes->count && from->consumers; n++)
        for (int i = 0; i < nodes->items[n]->input_count && nodes->items[n]->consumers; i++) { /* one that nobody reads any more reads nothing */
            PlanInput *input = &nodes->items[n]->inputs[i];
            if (input->node == from && input->port == PORT_MAIN) {
                *input = to;
                from->consumers--;
                to.node->consumers++;
            }
        }
    if (from->consumers == 0) /* nobody reads it any more: it reads nothing */
        for (int i = 0; i < from->input_count; i++)
            from->inputs[i].node->consumers--;
}

Expr *rewrite_substitute(Arena *arena, const Expr *expr, Expr *const *with)
{
    if (expr->kind == EXPR_COLUMN)
        return with[expr->column];
    Expr *copy = arena_copy(arena, expr, sizeof *expr);
    copy->args = ARENA_ARRAY(arena, Expr *, expr->arg_count + 1);
    for (int i = 0; i < expr->arg_count; i++)
        copy->args[i] = rewrite_substitute(arena, expr->args[i], with);
    return copy;
}

bool rewrite_cannot_fail(LogicalNode *node)
{
    int count;
    Expr **exprs = logical_exprs(node, &count);
    for (int i = 0; i < count; i++)
        if (expr_can_fail(exprs[i]) || expr_is_volatile(exprs[i]))
            return false;
    return true;
}

int rewrite_count(void)
{
    int count = 0;
    while (rewrite_rules[count].name)
        count++;
    return count;
}

void rewrite_all(RewriteContext *context)
{
    for (int r = 0; rewrite_rules[r].name; r++)
        if (!(context->settings->rewrites_off >> r & 1)) {
            NodeList nodes = rewrite_nodes(context);
            context->counts[r] = rewrite_rules[r].apply(context);
            nodes = rewrite_nodes(context);
            for (int n = 0; n < nodes.count; n++)
                logical_derive(context->arena, nodes.items[n]);
        }
}

const char *rewrite_summary(const RewriteContext *context)
{
    const char *summary = "";
    for (int r = 0; rewrite_rules[r].name; r++)
        if (context->counts[r])
            summary = arena_printf(context->arena, "%s%s%d %s", summary, *summary ? ", " : "", rewrite_rules[r].number, rewrite_rules[r].name);
    return summary;
}

const RewriteRule rewrite_rules[] = {
    { 1, "constant_folding", "Computes constant parts of expressions once, when planning", rewrite_constant_folding },
    { 2, "shared_plans", "Computes equal parts of a job once", rewrite_shared_plans },
    { 8, "rank_limit", "Keeps only the ranks that a filter asks for", rewrite_rank_limit },
    { 3, "filter_pushdown", "Tests conditions that cannot fail as early as possible", rewrite_filter_pushdown },
    { 4, "projection_pruning", "Decodes and carries only the columns and fields that are read", rewrite_projection_pruning },
    { 10, "top_with_ties", "Ranks rows that are joined with the largest value of their own group", rewrite_top_with_ties },
    { 11, "window_candidates", "Drops rows that cannot have the largest value of a window before they are joined with it", rewrite_window_candidates },
    { 5, "merge_projections", "Makes one projection of two", rewrite_merge_projections },
    { 6, "identity_projections", "Drops projections that change nothing", rewrite_identity_projections },
    { 9, "join_unique_keys", "Drops rows that a join has matched with the only row that they can match", rewrite_join_unique_keys },
    { 12, "join_best", "Joins rows only with matches that are better than those before, where a MAX or the first row of each is asked for", rewrite_join_best },
    { 7, "top_k", "Keeps only the first rows while sorting under LIMIT", rewrite_top_k },
    { 16, "keyed_windows", "Keeps the windows of keys that have each a clock of its own in one operator", rewrite_keyed_windows },
    { 0, NULL, NULL, NULL },
};
