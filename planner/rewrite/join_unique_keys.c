/* planner/rewrite/join_unique_keys.c: rule 9. Where the rows of one side of a join have a key of their own among what they are joined on, a row of the
 * other side meets at most one of them. Once it has, it need not be kept. Only for rows that are never taken back. */
#include "planner/rewrite/rewrite.h"

int rewrite_join_unique_keys(RewriteContext *context)
{
    int changes = 0;
    NodeList nodes = rewrite_nodes(context);
    for (int n = 0; n < nodes.count; n++) {
        LogicalNode *node = nodes.items[n];
        if (node->kind != PLAN_JOIN || node->join.form != JOIN_BOTH)
            continue;
        JoinSide *sides = node->join.sides;
        bool append = true;
        for (int s = 0; s < 2; s++)
            append &= !sides[s].updates && !sides[s].upserts;
        for (int s = 0; s < 2 && append; s++) {
            changes += sides[!s].unique && !sides[s].once;
            sides[s].once |= sides[!s].unique;
        }
    }
    return changes;
}
