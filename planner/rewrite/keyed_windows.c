/* planner/rewrite/keyed_windows.c: rule 16. Final results of windows of keys that have each a clock of its own, where nothing else goes by these clocks: one
 * operator keeps all keys' windows (exec/op_window_keyed.c), in a small part of the time and the memory that a state for each key takes. */
#include "planner/own_clocks.h"
#include "planner/rewrite/rewrite.h"

/* The node that makes the clocks, if there is nothing but projections in between and nobody else reads any of it; NULL: it is not so simple. */
static LogicalNode *clocks_below(const LogicalNode *window)
{
    PlanInput at = window->inputs[0];
    while (at.port == PORT_MAIN && at.node->kind == PLAN_PROJECT && at.node->consumers == 1)
        at = at.node->inputs[0];
    return at.port == PORT_MAIN && at.node->kind == PLAN_WATERMARK && at.node->watermark.key_count && at.node->consumers == 1 ? at.node : NULL;
}

static bool is_window(const LogicalNode *node)
{
    if (node->kind != PLAN_WINDOW_AGGREGATE || (node->aggregate.trigger != TRIGGER_FINAL && node->aggregate.trigger != TRIGGER_END) || node->aggregate.window.processing_time)
        return false;
    switch (node->aggregate.window.kind) {
    case WINDOW_TUMBLING: case WINDOW_HOPPING: case WINDOW_CUMULATING: case WINDOW_SNAPSHOT: return node->aggregate.key_count <= 64;
    case WINDOW_SLIDING: case WINDOW_COUNT: case WINDOW_SESSION: return false;
    }
    return false;
}

/* Does anything above the window still go by the clocks? */
static bool clocks_go_on(Arena *arena, const NodeList *nodes, const LogicalNode *window)
{
    bool *above = ARENA_ARRAY(arena, bool, nodes->count + 1);
    above[window->place] = true;
    for (int n = window->place + 1; n < nodes->count; n++) {
        const LogicalNode *node = nodes->items[n];
        for (int i = 0; i < node->input_count; i++)
            above[n] |= node->inputs[i].port == PORT_MAIN && above[logical_place(nodes, node->inputs[i].node)];
        if (above[n] && node->traits.clocks && node->kind != PLAN_PROJECT && node->kind != PLAN_FILTER)
            return true;
    }
    return false;
}

/* Bit i: key i of the groups is one of those with the clocks; 0: one of these is no key of the groups. */
static uint64_t keys_with_clocks(Arena *arena, const LogicalNode *window)
{
    const EdgeTraits under = port_traits(arena, window->inputs[0]);
    uint64_t keys = 0;
    for (int number = 0; number < under.clocks; number++) {
        int key = 0;
        while (key < window->aggregate.key_count && !own_clocks_key_is(&under, number, window->aggregate.key_columns[key]))
            key++;
        if (key == window->aggregate.key_count)
            return 0;
        keys |= 1ull << key;
    }
    return keys;
}

int rewrite_keyed_windows(RewriteContext *context)
{
    int changes = 0;
    NodeList nodes = rewrite_nodes(context);
    for (int n = 0; n < nodes.count; n++) {
        LogicalNode *window = nodes.items[n], *clocks = is_window(window) ? clocks_below(window) : NULL;
        const uint64_t keys = clocks ? keys_with_clocks(context->arena, window) : 0;
        if (!keys || clocks_go_on(context->arena, &nodes, window))
            continue;
        window->aggregate.clock_keys = keys;
        clocks->watermark.key_count = 0; /* its rows have no time for anybody else */
        clocks->watermark.time_column = -1;
        for (int later = clocks->place; later < nodes.count; later++)
            logical_derive(context->arena, nodes.items[later]);
        changes++;
    }
    return changes;
}
