/* planner/rewrite/window_candidates.c: rule 11. Rows that are joined with the largest (smallest) value of the windows that they lie in: below both the join and
 * the windows stands a node that lets only rows through that may have it (exec/op_candidates.c). Windows and join are what they were, so that what is late,
 * when results come, and whether both ends of a BETWEEN count stays theirs to say; they only see few rows.
 *
 *   Join on left.x = right.m and left.t >= right.end - size and left.t <= right.end      Join ..
 *   ├─ rows                                                                       ->    ├─ Candidates ─ rows  #1
 *   └─ WindowAggregate on t: MAX(x) AS m ─ rows                                         └─ WindowAggregate .. ─ #1
 *
 * Only where the join says that a row lies in the window, bounds included, or has windows assigned and asks for equal ones; and where it asks for equal keys. */
#include "common/calendar.h"
#include "planner/expr.h"
#include "planner/rewrite/max_join.h"

enum { MOST_WINDOWS = 64 }; /* that a row may be compared with */

typedef struct Range { bool from_start, to_end; } Range;

/* What a comparison of the rows' time with a bound of the window says: t >= start (or more), t <= end (or less). */
static void take_bound(const MaxJoin *found, const JoinCompare *compare, Range *range)
{
    const LogicalNode *aggregate = found->aggregate;
    const WindowSpec *window = &aggregate->aggregate.window;
    const int rows = !found->most;
    const int time = max_join_trace(found->join->inputs[rows], found->common, compare->columns[rows]);
    const int result = max_join_trace(found->join->inputs[found->most], main_port(found->aggregate), compare->columns[found->most]) - aggregate->aggregate.key_count;
    const bool at_least = compare->at_least == (found->most == 0), fixed = window->size_us && !window->zone && window->kind != WINDOW_CUMULATING;
    const int64_t offset = found->most == 0 ? compare->offset : time_sub(0, compare->offset); /* t >= bound + offset, or t <= bound + offset */
    if (time < 0 || time != max_join_trace(aggregate->inputs[0], found->common, window->time_column) || result < 0 || result > 1)
        return;
    const bool is_end = result == 1;
    if (at_least)
        range->from_start |= is_end ? fixed && offset >= -window->size_us : offset >= 0;
    else
        range->to_end |= is_end ? offset <= 0 : fixed && offset <= window->size_us;
}

static bool lies_inside(const MaxJoin *found)
{
    Range range = { 0 };
    for (int i = 0; i < found->other_count; i++)
        take_bound(found, found->others[i], &range);
    return found->assigned || (range.from_start && range.to_end);
}

static bool few_windows(const WindowSpec *window)
{
    switch (window->kind) {
    case WINDOW_TUMBLING: return true;
    case WINDOW_HOPPING:
    case WINDOW_CUMULATING: return window->advance_us && window->size_us && !window->zone && window->size_us / window->advance_us <= MOST_WINDOWS;
    case WINDOW_SNAPSHOT: case WINDOW_SLIDING: case WINDOW_COUNT: case WINDOW_SESSION: return false;
    }
    return false;
}

/* Each key of the group is one that the join asks to be equal. */
static bool keys_are_equal(const MaxJoin *found)
{
    const LogicalNode *aggregate = found->aggregate;
    for (int k = 0; k < aggregate->aggregate.key_count; k++) {
        const int column = max_join_trace(aggregate->inputs[0], found->common, aggregate->aggregate.key_columns[k]);
        bool equal = false;
        for (int i = 0; i < found->column_count; i++)
            equal |= found->columns[i] == column;
        if (!equal)
            return false;
    }
    return true;
}

static bool applies(Arena *arena, const MaxJoin *found)
{
    const LogicalNode *aggregate = found->aggregate;
    const Schema schema = port_schema(arena, found->common);
    return aggregate->kind == PLAN_WINDOW_AGGREGATE && aggregate->aggregate.trigger == TRIGGER_FINAL && aggregate->aggregate.call_count == 1 && !aggregate->aggregate.window.processing_time &&
           found->common.node->kind != PLAN_CANDIDATES && type_physical(schema.columns[found->value].type) == PHYSICAL_INT64 && few_windows(&aggregate->aggregate.window) &&
           max_join_trace(aggregate->inputs[0], found->common, aggregate->aggregate.window.time_column) >= 0 && keys_are_equal(found) && lies_inside(found);
}

static void put_below(Arena *arena, const MaxJoin *found)
{
    LogicalNode *aggregate = found->aggregate, *join = found->join;
    LogicalNode *node = logical_node(arena, PLAN_CANDIDATES, join->at, 1, &found->common);
    node->candidates.window = aggregate->aggregate.window;
    node->candidates.window.time_column = max_join_trace(aggregate->inputs[0], found->common, aggregate->aggregate.window.time_column);
    node->candidates.value = found->value;
    node->candidates.smallest = found->smallest;
    node->candidates.key_columns = ARENA_ARRAY(arena, int, aggregate->aggregate.key_count + 1);
    node->candidates.key_count = aggregate->aggregate.key_count;
    for (int k = 0; k < aggregate->aggregate.key_count; k++)
        node->candidates.key_columns[k] = max_join_trace(aggregate->inputs[0], found->common, aggregate->aggregate.key_columns[k]);
    logical_derive(arena, node);
    join->inputs[!found->most] = max_join_copy(arena, join->inputs[!found->most], found->common, main_port(node));
    aggregate->inputs[0] = max_join_copy(arena, aggregate->inputs[0], found->common, main_port(node));
}

int rewrite_window_candidates(RewriteContext *context)
{
    int changes = 0;
    NodeList nodes = rewrite_nodes(context);
    for (int n = 0; n < nodes.count; n++) {
        MaxJoin found;
        if (nodes.items[n]->kind != PLAN_JOIN || !max_join_find(context->arena, nodes.items[n], &found) || !applies(context->arena, &found))
            continue;
        put_below(context->arena, &found);
        changes++;
    }
    return changes;
}
