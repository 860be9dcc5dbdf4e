/* planner/rewrite/keyed_windows.c: rule 16. Final results of windows of keys that have each a clock of its own, where nothing else goes by these clocks: one
 * operator keeps all keys' windows (exec/op_window_keyed.c), in a small part of the time and the memory that a state for each key takes. A condition on the
 * rows becomes a column: rows that do not pass still move the clocks. */
#include "planner/expr.h"
#include "planner/own_clocks.h"
#include "planner/rewrite/rewrite.h"

typedef struct Chain {
    LogicalNode *clocks;      /* what makes them; NULL: it is not so simple */
    LogicalNode *filter;      /* rows that do not pass move the clocks all the same; NULL: none */
} Chain;

/* What stands below a window: projections, at most one condition, and nobody else reads any of it. Above a condition nothing may fail: it would then be
 * computed for rows that do not pass. */
static Chain chain_below(const LogicalNode *window)
{
    Chain chain = { 0 };
    bool safe = true;
    PlanInput at = window->inputs[0];
    for (; at.port == PORT_MAIN && at.node->consumers == 1 && (at.node->kind == PLAN_PROJECT || (at.node->kind == PLAN_FILTER && !chain.filter)); at = at.node->inputs[0]) {
        safe &= chain.filter || rewrite_cannot_fail(at.node);
        if (at.node->kind == PLAN_FILTER)
            chain.filter = at.node;
    }
    if (at.port == PORT_MAIN && at.node->consumers == 1 && at.node->kind == PLAN_WATERMARK && at.node->watermark.key_count && (safe || !chain.filter))
        chain.clocks = at.node;
    return chain;
}

/* The projection gives one more column, of its input or computed. */
static void add_column(Arena *arena, LogicalNode *project, Expr *expr, const char *name)
{
    const int count = project->schema.column_count;
    Expr **exprs = ARENA_ARRAY(arena, Expr *, count + 1);
    Column *columns = ARENA_ARRAY(arena, Column, count + 1);
    for (int i = 0; i < count; i++) {
        exprs[i] = project->project.exprs[i];
        columns[i] = project->schema.columns[i];
    }
    exprs[count] = expr;
    columns[count] = (Column){ .name = name, .type = expr->type, .hidden = true };
    project->project.exprs = exprs;
    project->schema = (Schema){ count + 1, columns };
}

/* The condition becomes a column, which is carried up to the window. */
static void carry_condition(Arena *arena, LogicalNode *window, LogicalNode *filter)
{
    Expr *predicate = filter->filter.predicate;
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    expr_print(predicate, &text);
    const char *name = arena_strdup(arena, text_c(&text));
    text_release(&text);
    const Schema under = port_schema(arena, filter->inputs[0]);
    int *all = ARENA_ARRAY(arena, int, under.column_count + 1);
    for (int i = 0; i < under.column_count; i++)
        all[i] = i;
    LogicalNode *project = logical_pick(arena, filter->inputs[0], all, under.column_count, filter->at);
    add_column(arena, project, predicate, name);
    LogicalNode *above = window;
    while (above->inputs[0].node != filter)
        above = above->inputs[0].node;
    above->inputs[0] = main_port(project);
    project->consumers = 1;
    PlanInput *path[64];
    int depth = 0;
    for (above = window; above != project && depth < 64; above = above->inputs[0].node)
        path[depth++] = &above->inputs[0];
    for (int i = depth - 2; i >= 0; i--) { /* from below: each takes the last column of the one under it */
        LogicalNode *node = path[i]->node;
        const int last = port_schema(arena, node->inputs[0]).column_count - 1;
        add_column(arena, node, expr_column(arena, last, name, predicate->type, filter->at), name);
    }
    window->aggregate.clock_rows = port_schema(arena, window->inputs[0]).column_count;
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

/* Late rows have the columns of the window's input, by their places. */
static bool late_rows_are_read(const NodeList *nodes, const LogicalNode *window)
{
    for (int n = window->place + 1; n < nodes->count; n++)
        for (int i = 0; i < nodes->items[n]->input_count; i++)
            if (nodes->items[n]->inputs[i].node == window && port_is_late(nodes->items[n]->inputs[i].port))
                return true;
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
    Arena *arena = context->arena;
    int changes = 0;
    NodeList nodes = rewrite_nodes(context);
    for (int n = 0; n < nodes.count; n++) {
        LogicalNode *window = nodes.items[n];
        const Chain chain = is_window(window) ? chain_below(window) : (Chain){ 0 };
        const uint64_t keys = chain.clocks ? keys_with_clocks(arena, window) : 0;
        if (!keys || clocks_go_on(arena, &nodes, window) || (chain.filter && late_rows_are_read(&nodes, window)))
            continue;
        if (chain.filter)
            carry_condition(arena, window, chain.filter);
        window->aggregate.clock_keys = keys;
        chain.clocks->watermark.key_count = 0; /* its rows have no time for anybody else */
        chain.clocks->watermark.time_column = -1;
        changes++;
    }
    return changes;
}
