/* planner/shards.c: several processes that share the partitions of a topic.
 *
 * Each of them runs the same script and reads its own partitions, so whatever needs rows of more than one partition would be wrong in each: a query with
 * state is refused until rows can be sent to the process that keeps their key (ARCHITECTURE.md). */
#include "planner/shards.h"

#include <stdio.h>

#include "planner/logical.h"
#include "planner/physical.h"

bool shard_parse(const char *text, int64_t *shard, int64_t *shards)
{
    long long number, count;
    int length = 0;
    if (sscanf(text, "%lld/%lld%n", &number, &count, &length) != 2 || text[length] || count < 1 || number < 0 || number >= count)
        return false;
    *shard = number;
    *shards = count;
    return true;
}

static Error *needs_all_rows(const LogicalNode *node, const LogicalNode *scan, int shards)
{
    return error_hint(error_at(ERR_UNSUPPORTED, node->at, "%s needs rows of all partitions, and each of %d shards of '%s' reads only its own", plan_kind_name(node->kind), shards,
                               scan->scan.source_name),
                      "filter, project and look up in shards; aggregate what they write in one process");
}

static Error *check_scan(const LogicalNode *scan)
{
    int shard, shards = connector_shards(scan->scan.connector, scan->scan.connector_options, &shard);
    if (shards <= 1 || shard >= 0)
        return NULL;
    return error_hint(error_at(ERR_BIND, scan->at, "which of the %d shards of '%s' this process is is not said", shards, scan->scan.source_name), "--shard 0/%d", shards);
}

Error *shards_check(Arena *arena, const Outputs *outputs)
{
    NodeList nodes = { 0 };
    PlanInput *roots = ARENA_ARRAY(arena, PlanInput, (size_t)outputs->count + 1);
    for (int o = 0; o < outputs->count; o++)
        roots[o] = (PlanInput){ outputs->items[o].sink, PORT_MAIN };
    logical_order(arena, roots, outputs->count, &nodes);
    const LogicalNode **below = ARENA_ARRAY(arena, const LogicalNode *, (size_t)nodes.count + 1); /* a scan in shards that the node reads; NULL: none */
    for (int n = 0; n < nodes.count; n++) { /* inputs stand before those who read them */
        const LogicalNode *node = nodes.items[n];
        int shard;
        below[n] = node->kind == PLAN_SCAN && connector_shards(node->scan.connector, node->scan.connector_options, &shard) > 1 ? node : NULL;
        if (below[n])
            TRY(check_scan(node));
        for (int i = 0; i < node->input_count && !below[n]; i++)
            for (int k = 0; k < n; k++)
                if (nodes.items[k] == node->inputs[i].node)
                    below[n] = below[k];
        if (below[n] && logical_keeps_state(node))
            return needs_all_rows(node, below[n], connector_shards(below[n]->scan.connector, below[n]->scan.connector_options, &shard));
    }
    return NULL;
}
