/* planner/own_clocks.c: TIMESTAMP BY .. OVER key: keys that have each a clock of its own.
 *
 * From the watermark that makes the clocks (PlanNode.watermark.keys) upwards the rows of each key are a stream by themselves, a substream, as if the query
 * ran once for each of them. That holds as long as no node puts rows of two keys together; traits say where the keys stand by then (EdgeTraits.clocks).
 * Where it ends a GATHER makes one stream of them again, and that has no event time: no single watermark tells what its rows may still do.
 * What is linked between watermarks and gathers is one group of substreams (PlanNode.substreams), whose operators exec runs with a state for each key. */
#include "planner/own_clocks.h"
#include "planner/expr.h"

/* ---- asking ---- */

bool logical_acts_on_time(const LogicalNode *node)
{
    switch (node->kind) {
    case PLAN_WINDOW_AGGREGATE:
    case PLAN_SESSION_AGGREGATE: return true;
    case PLAN_RANK: return node->rank.trigger == TRIGGER_FINAL;
    case PLAN_JOIN: return node->join.form != JOIN_BOTH || node->join.sides[0].bound_count || node->join.sides[1].bound_count;
    case PLAN_OVER: return node->over.order == OVER_BY_TIME || node->over.window_time_column >= 0;
    case PLAN_MATCH: return node->match.by_time;
    case PLAN_SINK: return node->sink.connector && node->sink.connector->sink->advance;
    case PLAN_SCAN: case PLAN_VALUES: case PLAN_WATERMARK: case PLAN_FILTER: case PLAN_PROJECT: case PLAN_NORMALIZE: case PLAN_LOOKUP: case PLAN_WINDOW_ASSIGN:
    case PLAN_SUBQUERY: case PLAN_UNNEST: case PLAN_AGGREGATE: case PLAN_SORT: case PLAN_LIMIT: case PLAN_UNION: case PLAN_SET: case PLAN_CANDIDATES: case PLAN_GATHER:
        return false;
    }
    return false;
}

/* Is key `number` the column? */
bool own_clocks_key_is(const EdgeTraits *traits, int number, int column)
{
    for (int i = 0; i < traits->clock_key_count; i++) {
        const ClockKey *key = &traits->clock_keys[i];
        if (key->number == number && key->expr->kind == EXPR_COLUMN && key->expr->column == column)
            return true;
    }
    return false;
}

/* The first key that is none of the columns; -1: all are among them. */
static int missing_key(const EdgeTraits *traits, const int *columns, int count)
{
    for (int number = 0; number < traits->clocks; number++) {
        bool found = false;
        for (int i = 0; i < count && !found; i++)
            found = own_clocks_key_is(traits, number, columns[i]);
        if (!found)
            return number;
    }
    return -1;
}

/* The first key on which the sides are not joined; -1: they are joined on all. */
static int unjoined_key(const LogicalNode *node, const EdgeTraits traits[2])
{
    for (int number = 0; number < traits[0].clocks; number++) {
        bool found = false;
        for (int k = 0; k < node->join.key_count && !found; k++)
            found = own_clocks_key_is(&traits[0], number, node->join.sides[0].keys[k]) && own_clocks_key_is(&traits[1], number, node->join.sides[1].keys[k]);
        if (!found)
            return number;
    }
    return -1;
}

static bool join_holds(Arena *arena, const LogicalNode *node)
{
    const EdgeTraits traits[2] = { port_traits(arena, node->inputs[0]), port_traits(arena, node->inputs[1]) };
    const bool time = node->join.form == JOIN_BOTH || node->join.form == JOIN_VERSIONS;
    return time && logical_acts_on_time(node) && traits[0].clocks == traits[1].clocks && unjoined_key(node, traits) < 0;
}

/* Do all inputs have key `number` in this column? */
static bool is_common_key(Arena *arena, const LogicalNode *node, int number, int column)
{
    for (int i = 0; i < node->input_count; i++) {
        EdgeTraits traits = port_traits(arena, node->inputs[i]);
        if (!own_clocks_key_is(&traits, number, column))
            return false;
    }
    return true;
}

static bool union_holds(Arena *arena, const LogicalNode *node)
{
    EdgeTraits first = port_traits(arena, node->inputs[0]);
    for (int number = 0; number < first.clocks; number++) {
        bool found = false;
        for (int i = 0; i < first.clock_key_count && !found; i++) {
            const ClockKey *key = &first.clock_keys[i];
            found = key->number == number && key->expr->kind == EXPR_COLUMN && is_common_key(arena, node, number, key->expr->column);
        }
        if (!found)
            return false;
    }
    for (int i = 1; i < node->input_count; i++)
        if (port_traits(arena, node->inputs[i]).clocks != first.clocks)
            return false;
    return true;
}

bool own_clocks_hold(Arena *arena, const LogicalNode *node)
{
    if (node->input_count == 0)
        return false;
    for (int i = 0; i < node->input_count; i++)
        if (port_traits(arena, node->inputs[i]).clocks == 0)
            return false;
    const EdgeTraits under = port_traits(arena, node->inputs[0]);
    switch (node->kind) {
    case PLAN_FILTER: case PLAN_PROJECT: case PLAN_LOOKUP: case PLAN_UNNEST: case PLAN_WINDOW_ASSIGN:
    case PLAN_CANDIDATES: /* what has the largest value of all has the largest one of its key */
        return true;
    case PLAN_WINDOW_AGGREGATE:
    case PLAN_SESSION_AGGREGATE:
        return node->aggregate.trigger != TRIGGER_DELAY && !node->aggregate.window.processing_time && missing_key(&under, node->aggregate.key_columns, node->aggregate.key_count) < 0;
    case PLAN_RANK:
        return logical_acts_on_time(node) && missing_key(&under, node->rank.partition_columns, node->rank.partition_count) < 0;
    case PLAN_OVER:
        return logical_acts_on_time(node) && missing_key(&under, node->over.partition_columns, node->over.partition_count) < 0;
    case PLAN_MATCH:
        return logical_acts_on_time(node) && missing_key(&under, node->match.partition_columns, node->match.partition_count) < 0;
    case PLAN_JOIN: return join_holds(arena, node);
    case PLAN_UNION: return union_holds(arena, node);
    case PLAN_SCAN: case PLAN_VALUES: case PLAN_WATERMARK: case PLAN_NORMALIZE: case PLAN_SUBQUERY: case PLAN_AGGREGATE: case PLAN_SORT: case PLAN_LIMIT: case PLAN_SET:
    case PLAN_SINK: case PLAN_GATHER:
        return false;
    }
    return false;
}

/* ---- refusing ---- */

static const char *key_name(const EdgeTraits *traits, int number) { return traits->clock_names[number < 0 ? 0 : number]; }

static Error *refuse(Arena *arena, const LogicalNode *node, Span at)
{
    EdgeTraits under = port_traits(arena, node->inputs[0]);
    switch (node->kind) {
    case PLAN_WINDOW_AGGREGATE:
    case PLAN_SESSION_AGGREGATE: {
        const int missing = missing_key(&under, node->aggregate.key_columns, node->aggregate.key_count);
        if (missing < 0 && node->aggregate.trigger == TRIGGER_DELAY)
            return error_hint(error_at(ERR_UNSUPPORTED, at, "EMIT AFTER DELAY with TIMESTAMP BY .. OVER is not supported yet"), "EMIT AFTER WATERMARK, EMIT CHANGES or EMIT FINAL");
        if (missing < 0)
            return NULL; /* on the clock */
        return error_hint(error_at(ERR_BIND, at, "each %s has a clock of its own: windows are of one of them", key_name(&under, missing)), "add %s to GROUP BY", key_name(&under, missing));
    }
    case PLAN_RANK:
    case PLAN_OVER:
    case PLAN_MATCH:
        return error_hint(error_at(ERR_BIND, at, "each %s has a clock of its own: rows have an order in time only among those of one of them", under.clock_names[0]),
                          "add %s to PARTITION BY", under.clock_names[0]);
    case PLAN_JOIN: {
        const EdgeTraits right = port_traits(arena, node->inputs[1]);
        const EdgeTraits *own = under.clocks ? &under : &right;
        if (under.clocks != right.clocks)
            return error_hint(error_at(ERR_BIND, at, "each %s has a clock of its own on one side of the join only", key_name(own, 0)), "say TIMESTAMP BY .. OVER of both sides, by the same keys");
        const EdgeTraits traits[2] = { under, right };
        const int missing = unjoined_key(node, traits);
        return error_hint(error_at(ERR_BIND, at, "each %s has a clock of its own: rows of one of them can be joined in time", key_name(own, missing)), "join on %s, which has the same type on both sides",
                          key_name(own, missing));
    }
    default: return NULL;
    }
}

Error *own_clocks_check(Arena *arena, const LogicalNode *node, Span at)
{
    bool any = false;
    for (int i = 0; i < node->input_count; i++)
        any |= port_traits(arena, node->inputs[i]).clocks > 0;
    if (node->kind == PLAN_JOIN && node->join.form == JOIN_TABLE)
        return NULL; /* rows meet the table as they come */
    return any && node->kind != PLAN_SINK && logical_acts_on_time(node) && !own_clocks_hold(arena, node) ? refuse(arena, node, at) : NULL;
}

/* ---- traits ---- */

static void add_key(Arena *arena, EdgeTraits *traits, int number, Expr *expr)
{
    ClockKey *keys = ARENA_ARRAY(arena, ClockKey, traits->clock_key_count + 1);
    if (traits->clock_key_count)
        memcpy(keys, traits->clock_keys, sizeof *keys * (size_t)traits->clock_key_count);
    keys[traits->clock_key_count++] = (ClockKey){ number, expr };
    traits->clock_keys = keys;
}

static void add_column(Arena *arena, LogicalNode *node, int number, int column)
{
    const Column *of = &node->schema.columns[column];
    add_key(arena, &node->traits, number, expr_column(arena, column, of->name, of->type, node->at));
}

/* A key that is computed of columns which are all passed on can still be computed. */
static void add_recomputed(Arena *arena, LogicalNode *node, const ClockKey *key)
{
    const int under = port_schema(arena, node->inputs[0]).column_count;
    bool *used = ARENA_ARRAY(arena, bool, under + 1);
    int *map = ARENA_ARRAY(arena, int, under + 1);
    expr_columns(key->expr, used);
    for (int c = 0; c < under; c++) {
        map[c] = -1;
        for (int i = 0; i < node->schema.column_count && used[c] && map[c] < 0; i++)
            if (node->project.exprs[i]->kind == EXPR_COLUMN && node->project.exprs[i]->column == c)
                map[c] = i;
        if (used[c] && map[c] < 0)
            return;
    }
    Expr *expr = expr_copy(arena, key->expr);
    expr_remap(expr, map);
    add_key(arena, &node->traits, key->number, expr);
}

static void derive_project_keys(Arena *arena, LogicalNode *node, const EdgeTraits *under)
{
    for (int k = 0; k < under->clock_key_count; k++) {
        const ClockKey *key = &under->clock_keys[k];
        for (int i = 0; i < node->schema.column_count; i++)
            if (expr_equal(node->project.exprs[i], key->expr))
                add_column(arena, node, key->number, i);
        if (key->expr->kind != EXPR_COLUMN)
            add_recomputed(arena, node, key);
    }
}

/* Where a side's rows may be missing its columns are NULL: no keys. */
static void derive_join_keys(Arena *arena, LogicalNode *node)
{
    const int base = port_schema(arena, node->inputs[0]).column_count;
    for (int s = 0; s < 2; s++) {
        EdgeTraits under = port_traits(arena, node->inputs[s]);
        for (int k = 0; k < under.clock_key_count && !node->join.sides[!s].preserved; k++)
            if (under.clock_keys[k].expr->kind == EXPR_COLUMN)
                add_column(arena, node, under.clock_keys[k].number, under.clock_keys[k].expr->column + (s ? base : 0));
    }
}

static void derive_keys(Arena *arena, LogicalNode *node, const EdgeTraits *under)
{
    switch (node->kind) {
    case PLAN_PROJECT:
        derive_project_keys(arena, node, under);
        return;
    case PLAN_WINDOW_AGGREGATE:
    case PLAN_SESSION_AGGREGATE:
        for (int number = 0; number < under->clocks; number++)
            for (int i = 0; i < node->aggregate.key_count; i++)
                if (own_clocks_key_is(under, number, node->aggregate.key_columns[i]))
                    add_column(arena, node, number, i);
        return;
    case PLAN_JOIN:
        derive_join_keys(arena, node);
        return;
    case PLAN_UNION:
        for (int k = 0; k < under->clock_key_count; k++)
            if (under->clock_keys[k].expr->kind == EXPR_COLUMN && is_common_key(arena, node, under->clock_keys[k].number, under->clock_keys[k].expr->column))
                add_column(arena, node, under->clock_keys[k].number, under->clock_keys[k].expr->column);
        return;
    default: /* their first columns are the input's */
        node->traits.clock_keys = under->clock_keys;
        node->traits.clock_key_count = under->clock_key_count;
    }
}

static void forget_event_times(Arena *arena, EdgeTraits *traits)
{
    const EdgeTraits all = *traits;
    traits->time_count = 0;
    for (int i = 0; i < all.time_count; i++)
        if (all.times[i].processing)
            traits_add_time(arena, traits, all.times[i]);
}

void own_clocks_derive(Arena *arena, LogicalNode *node)
{
    EdgeTraits *traits = &node->traits;
    traits->clocks = traits->clock_key_count = 0;
    if (node->kind == PLAN_WATERMARK && node->watermark.key_count) {
        traits->clocks = node->watermark.key_count;
        traits->clock_names = node->watermark.key_names;
        for (int i = 0; i < node->watermark.key_count; i++)
            add_key(arena, traits, i, node->watermark.keys[i]);
        return;
    }
    bool any = node->kind == PLAN_GATHER;
    for (int i = 0; i < node->input_count; i++)
        any |= port_traits(arena, node->inputs[i]).clocks > 0;
    if (!any || node->kind == PLAN_WATERMARK) /* a new clock for all */
        return;
    if (!own_clocks_hold(arena, node)) {
        forget_event_times(arena, traits);
        return;
    }
    const EdgeTraits under = port_traits(arena, node->inputs[0]);
    traits->clocks = under.clocks;
    traits->clock_names = under.clock_names;
    derive_keys(arena, node, &under);
}

LogicalNode *own_clocks_again(Arena *arena, LogicalNode *node, int time_column, RowPolicy on_error)
{
    const EdgeTraits under = port_traits(arena, node->inputs[0]);
    const PlanInput input = main_port(node);
    if (under.clocks == 0 || time_column < 0 || !traits_time(&under, time_column) || node->traits.changes != CHANGES_APPEND)
        return node;
    LogicalNode *stamp = logical_node(arena, PLAN_WATERMARK, node->at, 1, &input);
    stamp->watermark.keys = ARENA_ARRAY(arena, Expr *, under.clocks);
    stamp->watermark.key_count = under.clocks;
    stamp->watermark.key_names = under.clock_names;
    stamp->watermark.time_column = time_column;
    stamp->watermark.on_error = on_error;
    for (int number = 0; number < under.clocks; number++) {
        for (int i = 0; i < under.clock_key_count && !stamp->watermark.keys[number]; i++)
            if (under.clock_keys[i].number == number)
                stamp->watermark.keys[number] = expr_copy(arena, under.clock_keys[i].expr);
        if (!stamp->watermark.keys[number])
            return node;
    }
    logical_derive(arena, stamp);
    return stamp;
}

/* ---- the physical plan ---- */

/* The node's result without clocks: one GATHER for all that read it so. */
static LogicalNode *gather_of(Arena *arena, const NodeList *nodes, LogicalNode **gathers, LogicalNode *node)
{
    const int place = logical_place(nodes, node);
    PlanInput input = main_port(node);
    if (!gathers[place]) {
        gathers[place] = logical_node(arena, PLAN_GATHER, node->at, 1, &input);
        logical_derive(arena, gathers[place]);
    }
    return gathers[place];
}

Error *own_clocks_gather(Arena *arena, const PlanInput roots[], int root_count)
{
    NodeList nodes = { 0 };
    logical_order(arena, roots, root_count, &nodes);
    LogicalNode **gathers = ARENA_ARRAY(arena, LogicalNode *, nodes.count + 1);
    for (int n = 0; n < nodes.count; n++) {
        LogicalNode *node = nodes.items[n];
        TRY(own_clocks_check(arena, node, node->at)); /* the binder has asked; rules must not have changed the answer */
        for (int i = 0; i < node->input_count && !own_clocks_hold(arena, node); i++)
            if (port_traits(arena, node->inputs[i]).clocks)
                node->inputs[i].node = gather_of(arena, &nodes, gathers, node->inputs[i].node);
        logical_derive(arena, node);
    }
    return NULL;
}

/* ---- groups of substreams ---- */

static int find_group(int *groups, int place)
{
    while (groups[place] != place)
        place = groups[place] = groups[groups[place]];
    return place;
}

/* Numbers the groups from 1, in order of their first nodes. */
static int number_groups(Arena *arena, const NodeList *nodes)
{
    int count = 0, *groups = ARENA_ARRAY(arena, int, nodes->count + 1);
    for (int n = 0; n < nodes->count; n++) {
        LogicalNode *node = nodes->items[n];
        groups[n] = n;
        node->substreams = 0;
        for (int i = 0; i < node->input_count && node->traits.clocks; i++)
            if (port_traits(arena, node->inputs[i]).clocks)
                groups[find_group(groups, n)] = find_group(groups, logical_place(nodes, node->inputs[i].node));
    }
    for (int n = 0; n < nodes->count; n++) {
        LogicalNode *first = nodes->items[find_group(groups, n)];
        if (nodes->items[n]->traits.clocks && !first->substreams)
            first->substreams = ++count;
        nodes->items[n]->substreams = nodes->items[n]->traits.clocks ? first->substreams : 0;
    }
    return count;
}

typedef struct Ordering {
    Arena *arena;
    const NodeList *from;
    NodeList to;
    bool *done, *working; /* per node of `from` */
    bool *group_working;  /* per group */
    const LogicalNode *cycle;
} Ordering;

static void place_node(Ordering *ordering, LogicalNode *node, int place);

static void place_inputs(Ordering *ordering, const LogicalNode *node, int but_of)
{
    for (int i = 0; i < node->input_count; i++)
        if (!but_of || node->inputs[i].node->substreams != but_of)
            place_node(ordering, node->inputs[i].node, logical_place(ordering->from, node->inputs[i].node));
}

/* All nodes of a group stand together, behind all that they read. */
static void place_group(Ordering *ordering, int group)
{
    const NodeList *from = ordering->from;
    if (ordering->group_working[group]) { /* it reads its own results */
        for (int n = 0; n < from->count && !ordering->cycle; n++)
            if (from->items[n]->substreams == group && from->items[n]->kind == PLAN_WATERMARK)
                ordering->cycle = from->items[n];
        return;
    }
    ordering->group_working[group] = true;
    for (int n = 0; n < from->count; n++)
        if (from->items[n]->substreams == group)
            place_inputs(ordering, from->items[n], group);
    for (int n = 0; n < from->count; n++)
        if (from->items[n]->substreams == group && !ordering->done[n]) {
            ordering->done[n] = true;
            LIST_ADD(ordering->arena, &ordering->to, from->items[n]);
        }
}

static void place_node(Ordering *ordering, LogicalNode *node, int place)
{
    if (ordering->done[place])
        return;
    if (node->substreams) {
        place_group(ordering, node->substreams);
        return;
    }
    place_inputs(ordering, node, 0);
    ordering->done[place] = true;
    LIST_ADD(ordering->arena, &ordering->to, node);
}

int own_clocks_order(Arena *arena, NodeList *nodes, Error **error)
{
    const int count = number_groups(arena, nodes);
    if (count == 0)
        return 0;
    Ordering ordering = { .arena = arena, .from = nodes, .done = ARENA_ARRAY(arena, bool, nodes->count + 1), .group_working = ARENA_ARRAY(arena, bool, count + 1) };
    for (int n = 0; n < nodes->count && !ordering.cycle; n++)
        place_node(&ordering, nodes->items[n], n);
    if (ordering.cycle)
        *error = error_at(ERR_UNSUPPORTED, ordering.cycle->at, "results of TIMESTAMP BY .. OVER that are joined, by clocks of keys, with what they were made of are not supported yet");
    else
        *nodes = ordering.to;
    return count;
}
