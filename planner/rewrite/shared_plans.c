/* planner/rewrite/shared_plans.c: rule 2. Equal nodes over equal inputs become one node (hash-consing by canonical text), so that
 * the statements of a job read each source once. Nodes with volatile functions stay apart. */
#include "planner/expr.h"
#include "planner/physical.h"
#include "planner/rewrite/rewrite.h"

static bool is_volatile(LogicalNode *node)
{
    int count = 0;
    Expr **exprs = logical_exprs(node, &count);
    for (int i = 0; i < count; i++)
        if (expr_is_volatile(exprs[i]))
            return true;
    return false;
}

int rewrite_shared_plans(RewriteContext *context)
{
    Arena *arena = context->arena;
    int changes = 0;
    NodeList nodes = rewrite_nodes(context);
    const char **texts = ARENA_ARRAY(arena, const char *, nodes.count + 1);
    for (int n = 0; n < nodes.count; n++) {
        LogicalNode *node = nodes.items[n];
        if (node->kind == PLAN_SINK || is_volatile(node))
            continue;
        Text text = { 0 };
        MEMORY_HOLD(text_unwind, &text);
        node_canonical(node, &text);
        for (int i = 0; i < node->input_count; i++) {
            int place = 0;
            while (nodes.items[place] != node->inputs[i].node)
                place++;
            text_printf(&text, " <%d.%d", place, node->inputs[i].port);
        }
        texts[n] = arena_strdup(arena, text_c(&text));
        text_release(&text);
        for (int before = 0; before < n; before++)
            if (texts[before] && strcmp(texts[before], texts[n]) == 0) {
                for (int later = n + 1; later < nodes.count; later++) /* any port */
                    for (int i = 0; i < nodes.items[later]->input_count; i++)
                        if (nodes.items[later]->inputs[i].node == node)
                            nodes.items[later]->inputs[i].node = nodes.items[before];
                texts[n] = NULL;
                changes++;
                break;
            }
    }
    return changes;
}
