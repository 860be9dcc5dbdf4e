/* planner/rewrite/identity_projections.c: rule 6. A projection that gives its input's columns in their order goes; only names
 * differ, and operators work by index. The last one before a sink gives its names to the sink. */
#include "planner/rewrite/rewrite.h"

int rewrite_identity_projections(RewriteContext *context)
{
    int changes = 0;
    NodeList nodes = rewrite_nodes(context);
    for (int n = 0; n < nodes.count; n++) {
        LogicalNode *node = nodes.items[n];
        if (node->kind != PLAN_PROJECT || node->inputs[0].port != PORT_MAIN) /* side ports have a schema of their own */
            continue;
        bool identity = port_schema(context->arena, node->inputs[0]).column_count == node->schema.column_count;
        for (int i = 0; i < node->schema.column_count && identity; i++)
            identity = node->project.exprs[i]->kind == EXPR_COLUMN && node->project.exprs[i]->column == i;
        if (!identity)
            continue;
        bool port_read = false; /* a side port of the projection itself is never read once it cannot fail */
        for (int later = n + 1; later < nodes.count; later++)
            for (int i = 0; i < nodes.items[later]->input_count; i++)
                port_read |= nodes.items[later]->inputs[i].node == node && nodes.items[later]->inputs[i].port != PORT_MAIN;
        if (port_read)
            continue;
        rewrite_replace(&nodes, node, node->inputs[0]);
        changes++;
    }
    return changes;
}
