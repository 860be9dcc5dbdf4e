/* planner/rewrite/top_k.c: rule 7. LIMIT directly over a sort: the sort keeps only the rows that can come out. */
#include "planner/rewrite/rewrite.h"

int rewrite_top_k(RewriteContext *context)
{
    int changes = 0;
    NodeList nodes = rewrite_nodes(context);
    for (int n = 0; n < nodes.count; n++) {
        LogicalNode *limit = nodes.items[n], *sort = limit->input_count ? limit->inputs[0].node : NULL;
        if (limit->kind != PLAN_LIMIT || sort->kind != PLAN_SORT || limit->inputs[0].port != PORT_MAIN || sort->sort.limit >= 0 ||
            sort->consumers != 1)
            continue;
        sort->sort.limit = limit->limit.limit;
        sort->sort.offset = limit->limit.offset;
        rewrite_replace(&nodes, limit, main_port(sort));
        changes++;
    }
    return changes;
}
