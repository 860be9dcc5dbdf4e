/* planner/rank_changes.c: what ranks of rows that change tell their changes of: see rank_changes.h.
 *
 * A sink with a key overwrites what its key had before. That another row takes a place is then an update only for a sink whose key is the partition
 * and the place in it; for any other key the one row goes and the other comes. */
#include "planner/rank_changes.h"

bool rank_of_changes(const LogicalNode *rank)
{
    return rank->rank.trigger != TRIGGER_FINAL && (rank->rank.offset || rank->inputs[0].node->traits.changes != CHANGES_APPEND);
}

static bool holds(const int columns[], int count, int column)
{
    for (int i = 0; i < count; i++)
        if (columns[i] == column)
            return true;
    return false;
}

/* Is the key made of the rank's partition and place alone? */
static bool is_place(const LogicalNode *rank, const int key[], int key_count)
{
    const int number = rank->rank.rank_column ? rank->schema.column_count - 1 : -1;
    if (rank->rank.limit - rank->rank.offset != 1 && (number < 0 || !holds(key, key_count, number)))
        return false;
    for (int k = 0; k < key_count; k++)
        if (key[k] != number && !holds(rank->rank.partition_columns, rank->rank.partition_count, key[k]))
            return false;
    return true;
}

/* The rank under a sink, and its columns that the sink's key comes from. */
static void tell_by_key(Arena *arena, LogicalNode *sink, const int key[], int key_count)
{
    int *columns = arena_copy(arena, key, sizeof *key * (size_t)key_count);
    bool traced = true;
    if (sink->inputs[0].port != PORT_MAIN) /* rows that were put aside: other columns */
        return;
    LogicalNode *node = sink->inputs[0].node;
    for (; (node->kind == PLAN_PROJECT || node->kind == PLAN_FILTER) && node->inputs[0].port == PORT_MAIN; node = node->inputs[0].node)
        for (int k = 0; k < key_count && traced && node->kind == PLAN_PROJECT; k++) {
            const Expr *expr = node->project.exprs[columns[k]];
            traced = expr->kind == EXPR_COLUMN;
            columns[k] = expr->column;
        }
    if (node->kind == PLAN_RANK && rank_of_changes(node))
        node->rank.by_row |= !traced || !is_place(node, columns, key_count);
}

void rank_choose_changes(RewriteContext *context)
{
    for (int o = 0; o < context->root_count; o++) {
        LogicalNode *sink = context->roots[o].node;
        if (sink->sink.spec.key_count)
            tell_by_key(context->arena, sink, sink->sink.spec.key_columns, sink->sink.spec.key_count);
        if (sink->sink.keeps_table && sink->sink.table_key_count)
            tell_by_key(context->arena, sink, sink->sink.table_keys, sink->sink.table_key_count);
    }
}
