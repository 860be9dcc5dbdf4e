/* planner/rewrite/projection_pruning.c: rule 4. Only what is read is carried, down to the decoder, and down to the leaf: where a
 * query reads bid.price, the scan gets a column of its own for it, and the struct around it is never built.
 *
 * Two passes over the DAG. Consumers first: which leaves (column, fields..) of each node are read. Inputs first: every node's
 * columns become exactly those leaves ("slots"), and whoever reads them is renumbered. */
#include "planner/expr.h"
#include "planner/rewrite/rewrite.h"

typedef struct Leaf {
    int column;      /* of the old schema */
    int length;      /* fields taken from it; 0: the whole column */
    const int *path;
} Leaf;

typedef struct Leaves { Leaf *items; int count, capacity; } Leaves;

typedef struct Pruner {
    Arena *arena;
    NodeList nodes;
    Leaves *needs;      /* per node, of its PORT_MAIN */
    Leaves *slots;      /* per node: the leaf that each new column holds; filled in the second pass */
    int *old_counts;    /* columns before */
    bool *side_read;    /* its dead letters are read: everything is decoded */
    int changes;
} Pruner;

static int place_of(const Pruner *pruner, const LogicalNode *node)
{
    return logical_place(&pruner->nodes, node);
}

static bool covers(const Leaf *outer, const Leaf *inner) /* outer is inner or holds it */
{
    if (outer->column != inner->column || outer->length > inner->length)
        return false;
    for (int i = 0; i < outer->length; i++)
        if (outer->path[i] != inner->path[i])
            return false;
    return true;
}

static int leaf_order(const Leaf *a, const Leaf *b)
{
    if (a->column != b->column)
        return a->column < b->column ? -1 : 1;
    for (int i = 0; i < a->length && i < b->length; i++)
        if (a->path[i] != b->path[i])
            return a->path[i] < b->path[i] ? -1 : 1;
    return a->length - b->length;
}

/* They stand in order, and none covers another. What covers a leaf stands right before it, and what it covers from there on. */
static void add_leaf(Arena *arena, Leaves *leaves, Leaf leaf)
{
    int at = 0, end = leaves->count;
    while (at < end) {
        int middle = at + (end - at) / 2;
        if (leaf_order(&leaves->items[middle], &leaf) < 0)
            at = middle + 1;
        else
            end = middle;
    }
    if ((at > 0 && covers(&leaves->items[at - 1], &leaf)) || (at < leaves->count && covers(&leaves->items[at], &leaf)))
        return;
    for (end = at; end < leaves->count && covers(&leaf, &leaves->items[end]);)
        end++;
    if (end == at) {
        LIST_ADD(arena, leaves, leaf); /* room for one more */
        end = at + 1;
        memmove(leaves->items + end, leaves->items + at, sizeof leaf * (size_t)(leaves->count - end));
    } else {
        memmove(leaves->items + at + 1, leaves->items + end, sizeof leaf * (size_t)(leaves->count - end));
        leaves->count -= end - at - 1;
    }
    leaves->items[at] = leaf;
}

/* expr is a column, or fields taken from one: the leaf that it reads. */
static bool expr_leaf(Arena *arena, const Expr *expr, Leaf *leaf)
{
    int length = 0;
    const Expr *root = expr;
    for (; root->kind == EXPR_FIELD; root = root->args[0])
        length++;
    if (root->kind != EXPR_COLUMN)
        return false;
    int *path = ARENA_ARRAY(arena, int, length + 1), at = length;
    for (root = expr; root->kind == EXPR_FIELD; root = root->args[0])
        path[--at] = root->field;
    *leaf = (Leaf){ root->column, length, path };
    return true;
}

/* ---- consumers first: what is read ---- */

static bool reads_whole(const LogicalNode *node, int column)
{
    if (node->kind != PLAN_SCAN)
        return false;
    if (node->scan.connector->source->whole_columns)
        return true;
    const FormatType *format = node->scan.columns[column].part == RECORD_KEY ? node->scan.key_format : node->scan.format;
    return format && format->whole_columns;
}

static void need_input(Pruner *pruner, PlanInput input, Leaf leaf)
{
    int place = place_of(pruner, input.node);
    if (input.port == PORT_MAIN) {
        if (reads_whole(input.node, leaf.column))
            leaf.length = 0;
        add_leaf(pruner->arena, &pruner->needs[place], leaf);
    } else if (port_is_late(input.port)) { /* the operator's input row, then the reason */
        PlanInput under = input.node->inputs[input.port == PORT_LATE_RIGHT];
        if (leaf.column < port_schema(pruner->arena, under).column_count)
            need_input(pruner, under, leaf);
    }
}

static void need_expr(Pruner *pruner, PlanInput input, const Expr *expr)
{
    Leaf leaf;
    if (expr_leaf(pruner->arena, expr, &leaf)) {
        need_input(pruner, input, leaf);
        return;
    }
    for (int i = 0; i < expr->arg_count; i++)
        need_expr(pruner, input, expr->args[i]);
}

static void need_project(Pruner *pruner, LogicalNode *node, const Leaf *wanted)
{
    const Expr *expr = node->project.exprs[wanted->column];
    Leaf leaf;
    if (!expr_leaf(pruner->arena, expr, &leaf)) {
        need_expr(pruner, node->inputs[0], expr);
        return;
    }
    int *path = ARENA_ARRAY(pruner->arena, int, leaf.length + wanted->length + 1);
    for (int i = 0; i < leaf.length; i++)
        path[i] = leaf.path[i];
    for (int i = 0; i < wanted->length; i++)
        path[leaf.length + i] = wanted->path[i];
    need_input(pruner, node->inputs[0], (Leaf){ leaf.column, leaf.length + wanted->length, path });
}

/* Column `leaf` of a join's inputs laid side by side. */
static void need_join_leaf(Pruner *pruner, const LogicalNode *node, Leaf leaf)
{
    const int left_count = port_schema(pruner->arena, node->inputs[0]).column_count, right_count = port_schema(pruner->arena, node->inputs[1]).column_count;
    if (leaf.column >= left_count + right_count)
        return;
    const int side = leaf.column >= left_count;
    leaf.column -= side ? left_count : 0;
    need_input(pruner, node->inputs[side], leaf);
}

static void need_join_expr(Pruner *pruner, const LogicalNode *node, const Expr *expr)
{
    Leaf leaf;
    if (expr_leaf(pruner->arena, expr, &leaf)) {
        need_join_leaf(pruner, node, leaf);
        return;
    }
    for (int i = 0; i < expr->arg_count; i++)
        need_join_expr(pruner, node, expr->args[i]);
}

static void need_join(Pruner *pruner, LogicalNode *node)
{
    for (int s = 0; s < 2; s++) {
        ColumnRefs refs = { 0 };
        logical_join_refs(pruner->arena, node, s, &refs);
        for (int i = 0; i < refs.count; i++)
            need_input(pruner, node->inputs[s], (Leaf){ *refs.items[i], 0, NULL });
    }
    if (node->join.condition)
        need_join_expr(pruner, node, node->join.condition);
}

/* Where bad rows are read, everything that may go wrong is computed. */
static void collect_needs(Pruner *pruner, int place)
{
    LogicalNode *node = pruner->nodes.items[place];
    Leaves *needs = &pruner->needs[place];
    bool scan_side = node->kind == PLAN_SCAN && pruner->side_read[place], project_side = node->kind == PLAN_PROJECT && pruner->side_read[place];
    for (int i = 0; i < node->schema.column_count; i++)
        if (node->kind == PLAN_SINK || node->kind == PLAN_SET || scan_side || (project_side && expr_can_fail(node->project.exprs[i])))
            add_leaf(pruner->arena, needs, (Leaf){ i, 0, NULL });
    ColumnRefs refs = { 0 };
    logical_column_refs(pruner->arena, node, &refs);
    for (int i = 0; i < refs.count; i++)
        need_input(pruner, node->inputs[0], (Leaf){ *refs.items[i], 0, NULL });
    if (node->kind == PLAN_JOIN)
        need_join(pruner, node);
    for (int i = 0; node->kind == PLAN_SUBQUERY && i < port_schema(pruner->arena, node->inputs[1]).column_count; i++)
        need_input(pruner, node->inputs[1], (Leaf){ i, 0, NULL });
    if (node->kind == PLAN_FILTER)
        need_expr(pruner, node->inputs[0], node->filter.predicate);
    if (node->kind == PLAN_WATERMARK && node->watermark.watermark)
        need_expr(pruner, node->inputs[0], node->watermark.watermark);
    for (int i = 0; node->kind == PLAN_WATERMARK && i < node->watermark.key_count; i++)
        need_expr(pruner, node->inputs[0], node->watermark.keys[i]);
    for (int i = 0; i < needs->count; i++) {
        const Leaf *leaf = &needs->items[i];
        if (node->kind == PLAN_PROJECT)
            need_project(pruner, node, leaf);
        else if (node->kind == PLAN_JOIN)
            need_join_leaf(pruner, node, *leaf);
        else if (node->kind == PLAN_UNION || node->kind == PLAN_SET || node->kind == PLAN_SINK)
            for (int in = 0; in < node->input_count; in++)
                need_input(pruner, node->inputs[in], *leaf);
        else if (logical_passes_columns(node) && leaf->column < port_schema(pruner->arena, node->inputs[0]).column_count)
            need_input(pruner, node->inputs[0], *leaf);
    }
}

/* ---- inputs first: new columns ---- */

/* The slots of a port after its node was done. */
static Leaves port_slots(Pruner *pruner, PlanInput input)
{
    if (input.port == PORT_MAIN)
        return pruner->slots[place_of(pruner, input.node)];
    Leaves slots = { 0 };
    int side = dead_letter_columns.column_count, first = 0;
    if (port_is_late(input.port)) {
        PlanInput under = input.node->inputs[input.port == PORT_LATE_RIGHT];
        Leaves below = port_slots(pruner, under);
        for (int i = 0; i < below.count; i++)
            LIST_ADD(pruner->arena, &slots, below.items[i]);
        side = late_columns.column_count;
        first = under.port == PORT_MAIN ? pruner->old_counts[place_of(pruner, under.node)] : below.count;
    }
    for (int i = 0; i < side; i++)
        LIST_ADD(pruner->arena, &slots, ((Leaf){ first + i, 0, NULL }));
    return slots;
}

static int find_slot(const Leaves *slots, const Leaf *leaf)
{
    for (int i = 0; i < slots->count; i++)
        if (covers(&slots->items[i], leaf))
            return i;
    return -1;
}

static Expr *column_expr(Arena *arena, int column, const Column *what, Span at)
{
    Expr *expr = ARENA_NEW(arena, Expr);
    expr->kind = EXPR_COLUMN;
    expr->type = what->type;
    expr->column = column;
    expr->name = what->name;
    expr->at = at;
    return expr;
}

/* The same value out of the new columns. */
static Expr *renumber(Pruner *pruner, const Expr *expr, const Leaves *slots, const Schema *schema)
{
    Arena *arena = pruner->arena;
    Leaf leaf;
    if (expr_leaf(arena, expr, &leaf)) {
        int slot = find_slot(slots, &leaf);
        int left = leaf.length - slots->items[slot].length; /* fields that remain to be taken */
        const Expr *chain = expr;
        if (left == 0)
            return column_expr(arena, slot, &schema->columns[slot], expr->at);
        Expr *copy = arena_copy(arena, expr, sizeof *expr), *innermost = copy;
        for (int i = 1; i < left; i++) {
            chain = chain->args[0];
            Expr *next = arena_copy(arena, chain, sizeof *chain);
            innermost->args = ARENA_ARRAY(arena, Expr *, 1);
            innermost->args[0] = next;
            innermost = next;
        }
        innermost->args = ARENA_ARRAY(arena, Expr *, 1);
        innermost->args[0] = column_expr(arena, slot, &schema->columns[slot], chain->args[0]->at);
        return copy;
    }
    Expr *copy = arena_copy(arena, expr, sizeof *expr);
    copy->args = ARENA_ARRAY(arena, Expr *, expr->arg_count + 1);
    for (int i = 0; i < expr->arg_count; i++)
        copy->args[i] = renumber(pruner, expr->args[i], slots, schema);
    return copy;
}

static Column leaf_column(Arena *arena, const Schema *old, const Leaf *leaf)
{
    Column column = old->columns[leaf->column];
    for (int i = 0; i < leaf->length; i++) {
        column.name = arena_printf(arena, "%s.%s", column.name, column.type->names[leaf->path[i]]);
        column.type = column.type->children[leaf->path[i]];
        column.not_null = false;
    }
    return column;
}

/* Keys go by columns that are read whole; a key of which a column is not read any more tells nothing. */
static void prune_scan_keys(Arena *arena, LogicalNode *node, const Leaves *needs)
{
    ColumnSet *keys = ARENA_ARRAY(arena, ColumnSet, node->traits.key_count + 1);
    int kept = 0;
    for (int k = 0; k < node->traits.key_count; k++) {
        const ColumnSet *old = &node->traits.keys[k];
        ColumnSet key = { 0, ARENA_ARRAY(arena, int, old->count + 1) };
        for (int c = 0; c < old->count; c++)
            for (int i = 0; i < needs->count; i++)
                if (needs->items[i].column == old->columns[c] && needs->items[i].length == 0)
                    key.columns[key.count++] = i;
        if (key.count == old->count)
            keys[kept++] = key;
    }
    node->traits.keys = keys;
    node->traits.key_count = kept;
}

static void prune_scan(Pruner *pruner, LogicalNode *node, const Leaves *needs)
{
    Arena *arena = pruner->arena;
    prune_scan_keys(arena, node, needs);
    Schema schema = { needs->count, ARENA_ARRAY(arena, Column, needs->count + 1) };
    DecodeColumn *columns = ARENA_ARRAY(arena, DecodeColumn, needs->count + 1);
    for (int i = 0; i < needs->count; i++) {
        const Leaf *leaf = &needs->items[i];
        DecodeColumn *column = &columns[i];
        schema.columns[i] = leaf_column(arena, &node->schema, leaf);
        *column = node->scan.columns[leaf->column];
        const char **path = ARENA_ARRAY(arena, const char *, column->path_length + leaf->length + 1);
        for (int p = 0; p < column->path_length; p++)
            path[p] = column->path[p];
        const Type *type = node->schema.columns[leaf->column].type;
        for (int p = 0; p < leaf->length; p++) {
            path[column->path_length + p] = type->names[leaf->path[p]];
            type = type->children[leaf->path[p]];
        }
        column->path = path;
        column->path_length += leaf->length;
        column->type = type;
        column->not_null &= leaf->length == 0;
    }
    node->schema = schema;
    node->scan.columns = columns;
}

static void prune_project(Pruner *pruner, LogicalNode *node, const Leaves *needs)
{
    Arena *arena = pruner->arena;
    Leaves under = port_slots(pruner, node->inputs[0]);
    Schema input = port_schema(arena, node->inputs[0]);
    Schema schema = { needs->count, ARENA_ARRAY(arena, Column, needs->count + 1) };
    Expr **exprs = ARENA_ARRAY(arena, Expr *, needs->count + 1);
    for (int i = 0; i < needs->count; i++) {
        const Leaf *leaf = &needs->items[i];
        Expr *expr = node->project.exprs[leaf->column];
        schema.columns[i] = leaf_column(arena, &node->schema, leaf);
        for (int p = 0; p < leaf->length; p++) {
            Expr *field = ARENA_NEW(arena, Expr);
            field->kind = EXPR_FIELD;
            field->at = expr->at;
            field->type = expr->type->children[leaf->path[p]];
            field->field = leaf->path[p];
            field->arg_count = 1;
            field->args = ARENA_ARRAY(arena, Expr *, 1);
            field->args[0] = expr;
            expr = field;
        }
        exprs[i] = renumber(pruner, expr, &under, &input);
    }
    node->schema = schema;
    node->project.exprs = exprs;
}

/* Columns of an aggregate: keys and window stay, calls that nobody reads go. */
static void prune_aggregate(Pruner *pruner, LogicalNode *node, const Leaves *needs, Leaves *slots)
{
    Arena *arena = pruner->arena;
    int fixed = node->aggregate.key_count + (node->aggregate.has_window ? 3 : 0), kept = 0;
    Schema schema = { 0, ARENA_ARRAY(arena, Column, node->schema.column_count + 1) };
    for (int i = 0; i < fixed; i++) {
        LIST_ADD(arena, slots, ((Leaf){ i, 0, NULL }));
        schema.columns[schema.column_count++] = node->schema.columns[i];
    }
    for (int i = 0; i < node->aggregate.call_count; i++) {
        bool wanted = false;
        for (int n = 0; n < needs->count; n++)
            wanted |= needs->items[n].column == fixed + i;
        if (!wanted)
            continue;
        LIST_ADD(arena, slots, ((Leaf){ fixed + i, 0, NULL }));
        schema.columns[schema.column_count++] = node->schema.columns[fixed + i];
        node->aggregate.calls[kept++] = node->aggregate.calls[i];
    }
    pruner->changes += node->aggregate.call_count - kept;
    node->aggregate.call_count = kept;
    node->schema = schema;
}

static bool needs_column(const Leaves *needs, int column)
{
    for (int n = 0; n < needs->count; n++)
        if (needs->items[n].column == column)
            return true;
    return false;
}

/* Nodes that pass their input's columns on and add some. */
static void prune_passing(Pruner *pruner, LogicalNode *node, int old_input, const Leaves *needs, Leaves *slots)
{
    Arena *arena = pruner->arena;
    Leaves under = port_slots(pruner, node->inputs[0]);
    Schema input = port_schema(arena, node->inputs[0]);
    Schema schema = { 0, ARENA_ARRAY(arena, Column, under.count + node->schema.column_count + 1) };
    for (int i = 0; i < under.count; i++) {
        LIST_ADD(arena, slots, under.items[i]);
        schema.columns[schema.column_count++] = input.columns[i];
    }
    if (node->kind == PLAN_UNNEST) {
        node->unnest.unread = ARENA_ARRAY(arena, bool, under.count + 1);
        for (int i = 0; i < under.count; i++)
            node->unnest.unread[i] = !needs_column(needs, under.items[i].column);
    }
    LookupSpec *spec = node->kind == PLAN_LOOKUP ? &node->lookup.spec : NULL;
    const char **names = spec ? ARENA_ARRAY(arena, const char *, spec->value_count + 1) : NULL;
    const Type **types = spec ? ARENA_ARRAY(arena, const Type *, spec->value_count + 1) : NULL;
    int values = 0;
    for (int i = old_input; i < node->schema.column_count; i++) {
        if (spec) { /* only the values that are read are fetched */
            if (!needs_column(needs, i))
                continue;
            names[values] = spec->value_columns[i - old_input];
            types[values++] = spec->value_types[i - old_input];
        }
        if (node->kind == PLAN_RANK && node->rank.trigger == TRIGGER_CHANGES && !needs_column(needs, i)) {
            node->rank.rank_column = false; /* a row that only changes its number changes nothing */
            continue;
        }
        LIST_ADD(arena, slots, ((Leaf){ i, 0, NULL }));
        schema.columns[schema.column_count++] = node->schema.columns[i];
    }
    if (spec) {
        spec->value_columns = names;
        spec->value_types = types;
        spec->value_count = values;
    }
    node->schema = schema;
}

/* Puts a projection under input i if it does not give exactly `wanted`. */
static void align_input(Pruner *pruner, LogicalNode *node, int i, const Leaves *wanted)
{
    Leaves slots = port_slots(pruner, node->inputs[i]);
    bool same = slots.count == wanted->count;
    for (int c = 0; c < wanted->count && same; c++)
        same = leaf_order(&slots.items[c], &wanted->items[c]) == 0;
    if (same)
        return;
    Arena *arena = pruner->arena;
    Schema input = port_schema(arena, node->inputs[i]);
    int *columns = ARENA_ARRAY(arena, int, wanted->count + 1);
    bool whole = true;
    for (int c = 0; c < wanted->count; c++) {
        columns[c] = find_slot(&slots, &wanted->items[c]);
        whole &= slots.items[columns[c]].length == wanted->items[c].length;
    }
    if (whole) {
        node->inputs[i] = main_port(logical_pick(arena, node->inputs[i], columns, wanted->count, node->at));
        return;
    }
    Expr **exprs = ARENA_ARRAY(arena, Expr *, wanted->count + 1);
    Column *names = ARENA_ARRAY(arena, Column, wanted->count + 1);
    for (int c = 0; c < wanted->count; c++) {
        Expr *expr = column_expr(arena, columns[c], &input.columns[columns[c]], node->at);
        for (int p = slots.items[columns[c]].length; p < wanted->items[c].length; p++) {
            Expr *field = ARENA_NEW(arena, Expr);
            *field = (Expr){ .kind = EXPR_FIELD, .at = node->at, .field = wanted->items[c].path[p], .arg_count = 1 };
            field->type = expr->type->children[field->field];
            field->args = ARENA_ARRAY(arena, Expr *, 1);
            field->args[0] = expr;
            expr = field;
        }
        exprs[c] = expr;
        names[c] = input.columns[columns[c]];
    }
    node->inputs[i] = main_port(logical_project(arena, node->inputs[i], exprs, names, wanted->count, POLICY_FAIL, node->at));
}

/* The other input's columns are known by their places. */
static void align_subquery(Pruner *pruner, LogicalNode *node)
{
    Leaves all = { 0 };
    int count = pruner->old_counts[place_of(pruner, node->inputs[1].node)];
    for (int i = 0; i < count; i++)
        LIST_ADD(pruner->arena, &all, ((Leaf){ i, 0, NULL }));
    align_input(pruner, node, 1, &all);
}

/* Columns of a port before pruning. */
static int old_width(const Pruner *pruner, PlanInput from)
{
    if (from.port == PORT_MAIN)
        return pruner->old_counts[place_of(pruner, from.node)];
    if (from.port == PORT_DEAD_LETTER)
        return dead_letter_columns.column_count;
    return late_columns.column_count + old_width(pruner, from.node->inputs[from.port == PORT_LATE_RIGHT]);
}

/* Both inputs' columns as they are now, then the time and the key if they are read. */
static void prune_join(Pruner *pruner, LogicalNode *node, const Leaves *needs, Leaves *slots)
{
    Arena *arena = pruner->arena;
    const Schema old = node->schema;
    struct { Column *items; int count, capacity; } columns = { 0 };
    int shift = 0;
    for (int s = 0; s < 2; s++) {
        Leaves under = port_slots(pruner, node->inputs[s]);
        Schema input = port_schema(arena, node->inputs[s]);
        ColumnRefs refs = { 0 };
        logical_join_refs(arena, node, s, &refs);
        for (int i = 0; i < refs.count; i++) {
            Leaf leaf = { *refs.items[i], 0, NULL };
            *refs.items[i] = find_slot(&under, &leaf);
        }
        for (int i = 0; i < under.count; i++) {
            Leaf leaf = under.items[i];
            leaf.column += shift;
            LIST_ADD(arena, slots, leaf);
            LIST_ADD(arena, &columns, input.columns[i]);
        }
        shift += old_width(pruner, node->inputs[s]);
    }
    const Schema schema = { columns.count, columns.items };
    if (node->join.condition)
        node->join.condition = renumber(pruner, node->join.condition, slots, &schema);
    const bool had_time = node->join.with_time;
    bool key = false;
    for (int i = shift + had_time; i < old.column_count; i++)
        key |= needs_column(needs, i);
    node->join.with_time = had_time && needs_column(needs, shift);
    node->join.with_key &= key;
    for (int i = shift; i < old.column_count; i++) {
        if (i == shift && had_time ? !node->join.with_time : !node->join.with_key)
            continue;
        LIST_ADD(arena, slots, ((Leaf){ i, 0, NULL }));
        LIST_ADD(arena, &columns, old.columns[i]);
    }
    node->schema = (Schema){ columns.count, columns.items };
}

static void prune_node(Pruner *pruner, int place)
{
    Arena *arena = pruner->arena;
    LogicalNode *node = pruner->nodes.items[place];
    Leaves *needs = &pruner->needs[place], *slots = &pruner->slots[place];
    int old_count = node->schema.column_count;
    ColumnRefs refs = { 0 };
    logical_column_refs(arena, node, &refs);
    Leaves under = { 0 };
    Schema input = { 0, NULL };
    if (node->input_count) {
        under = port_slots(pruner, node->inputs[0]);
        input = port_schema(arena, node->inputs[0]);
    }
    for (int i = 0; i < refs.count; i++) {
        Leaf leaf = { *refs.items[i], 0, NULL };
        *refs.items[i] = find_slot(&under, &leaf);
    }
    if (node->kind == PLAN_JOIN)
        refs.count = 0;
    if (node->kind == PLAN_FILTER)
        node->filter.predicate = renumber(pruner, node->filter.predicate, &under, &input);
    if (node->kind == PLAN_WATERMARK && node->watermark.watermark)
        node->watermark.watermark = renumber(pruner, node->watermark.watermark, &under, &input);
    for (int i = 0; node->kind == PLAN_WATERMARK && i < node->watermark.key_count; i++)
        node->watermark.keys[i] = renumber(pruner, node->watermark.keys[i], &under, &input);
    switch (node->kind) {
    case PLAN_SCAN:
        prune_scan(pruner, node, needs);
        *slots = *needs;
        break;
    case PLAN_PROJECT:
        prune_project(pruner, node, needs);
        *slots = *needs;
        break;
    case PLAN_VALUES:
        for (int i = 0; i < old_count; i++)
            LIST_ADD(arena, slots, ((Leaf){ i, 0, NULL }));
        break;
    case PLAN_SET: /* whole rows are compared */
    case PLAN_UNION: {
        for (int i = 0; i < node->input_count; i++)
            align_input(pruner, node, i, needs);
        Schema schema = { needs->count, ARENA_ARRAY(arena, Column, needs->count + 1) };
        for (int i = 0; i < needs->count; i++)
            schema.columns[i] = leaf_column(arena, &node->schema, &needs->items[i]);
        node->schema = schema;
        *slots = *needs;
        break;
    }
    case PLAN_JOIN:
        prune_join(pruner, node, needs, slots);
        break;
    case PLAN_SINK:
        align_input(pruner, node, 0, needs);
        *slots = *needs;
        break;
    case PLAN_AGGREGATE: case PLAN_WINDOW_AGGREGATE: case PLAN_SESSION_AGGREGATE:
        prune_aggregate(pruner, node, needs, slots);
        break;
    case PLAN_WATERMARK: case PLAN_FILTER: case PLAN_NORMALIZE: case PLAN_LOOKUP: case PLAN_WINDOW_ASSIGN: case PLAN_RANK: case PLAN_OVER: case PLAN_SORT: case PLAN_LIMIT: case PLAN_UNNEST: case PLAN_SUBQUERY: case PLAN_MATCH: case PLAN_CANDIDATES: case PLAN_GATHER: {
        PlanInput from = node->inputs[0];
        int old_input = from.port == PORT_MAIN ? pruner->old_counts[place_of(pruner, from.node)]
                                               : from.port == PORT_DEAD_LETTER ? dead_letter_columns.column_count : under.count;
        if (port_is_late(from.port)) {
            old_input = late_columns.column_count;
            PlanInput below = from.node->inputs[from.port == PORT_LATE_RIGHT];
            old_input += below.port == PORT_MAIN ? pruner->old_counts[place_of(pruner, below.node)] : port_schema(arena, below).column_count;
        }
        prune_passing(pruner, node, old_input, needs, slots);
        if (node->kind == PLAN_SUBQUERY)
            align_subquery(pruner, node);
        break;
    }
    }
    logical_derive(arena, node);
    if (node->kind != PLAN_AGGREGATE && node->kind != PLAN_WINDOW_AGGREGATE && node->kind != PLAN_SESSION_AGGREGATE)
        pruner->changes += node->schema.column_count != old_count || (node->kind == PLAN_SCAN && slots->count && slots->items[0].length);
}

int rewrite_projection_pruning(RewriteContext *context)
{
    Arena *arena = context->arena;
    Pruner pruner = { .arena = arena, .nodes = rewrite_nodes(context) };
    int count = pruner.nodes.count;
    pruner.needs = ARENA_ARRAY(arena, Leaves, count + 1);
    pruner.slots = ARENA_ARRAY(arena, Leaves, count + 1);
    pruner.old_counts = ARENA_ARRAY(arena, int, count + 1);
    pruner.side_read = ARENA_ARRAY(arena, bool, count + 1);
    for (int n = 0; n < count; n++) {
        LogicalNode *node = pruner.nodes.items[n];
        pruner.old_counts[n] = node->schema.column_count;
        for (int i = 0; i < node->input_count; i++)
            if (node->inputs[i].port == PORT_DEAD_LETTER)
                pruner.side_read[place_of(&pruner, node->inputs[i].node)] = true;
    }
    for (int n = count - 1; n >= 0; n--)
        collect_needs(&pruner, n);
    for (int n = 0; n < count; n++)
        prune_node(&pruner, n);
    return pruner.changes;
}
