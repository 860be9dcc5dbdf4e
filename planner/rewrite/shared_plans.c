/* planner/rewrite/shared_plans.c: rule 2. Equal nodes over equal inputs become one node (hash-consing by canonical text), so that
 * the statements of a job do their common work once. Nodes with volatile functions stay apart.
 * Sources are shared also where the rule is off: read twice, their rows would meet in another order, and others of them would be late. */
#include "common/hash.h"
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

/* What a stream is before a query reads it: its source, computed columns, stamps of time. */
static const bool *stream_nodes(Arena *arena, const NodeList *nodes)
{
    bool *stream = ARENA_ARRAY(arena, bool, nodes->count + 1);
    for (int n = nodes->count - 1; n >= 0; n--) {
        const LogicalNode *node = nodes->items[n];
        stream[n] |= node->kind == PLAN_SCAN || node->kind == PLAN_WATERMARK;
        for (int i = 0; stream[n] && i < node->input_count; i++)
            stream[logical_place(nodes, node->inputs[i].node)] = true;
    }
    return stream;
}

static int share(RewriteContext *context, bool sources_only)
{
    Arena *arena = context->arena;
    int changes = 0;
    NodeList nodes = rewrite_nodes(context);
    const bool *stream = sources_only ? stream_nodes(arena, &nodes) : NULL;
    const char **texts = ARENA_ARRAY(arena, const char *, nodes.count + 1);
    PlaceTable seen = place_table(arena, nodes.count);
    for (int n = 0; n < nodes.count; n++) {
        LogicalNode *node = nodes.items[n];
        if (node->kind == PLAN_SINK || (sources_only && !stream[n]) || is_volatile(node))
            continue;
        Text text = { 0 };
        MEMORY_HOLD(text_unwind, &text);
        node_canonical(node, &text);
        for (int i = 0; i < node->input_count; i++)
            text_printf(&text, " <%d.%d", logical_place(&nodes, node->inputs[i].node), node->inputs[i].port);
        texts[n] = arena_strdup(arena, text_c(&text));
        uint64_t hash = checksum_bytes(text_c(&text), text.length);
        text_release(&text);
        for (int before = place_first(&seen, hash); before >= 0; before = place_next(&seen, before))
            if (strcmp(texts[before], texts[n]) == 0) {
                for (int later = n + 1; later < nodes.count; later++) /* any port */
                    for (int i = 0; i < nodes.items[later]->input_count; i++)
                        if (nodes.items[later]->inputs[i].node == node)
                            nodes.items[later]->inputs[i].node = nodes.items[before];
                texts[n] = NULL;
                changes++;
                break;
            }
        if (texts[n])
            place_add(&seen, hash, n);
    }
    return changes;
}

int rewrite_shared_plans(RewriteContext *context) { return share(context, false); }

void rewrite_share_sources(RewriteContext *context) { share(context, true); }
