/* planner/bind_set.c: UNION [ALL], INTERSECT [ALL], EXCEPT [ALL].
 *
 * UNION ALL is a node of all its branches; UNION the distinct rows of it. INTERSECT and EXCEPT are a node of two inputs that counts how often each
 * row stands on each side. NULLs are equal here, as in DISTINCT. */
#include "planner/binder.h"
#include "planner/window_spec.h"

static const WindowColumns no_window = { .start = -1, .end = -1, .time = -1 };

static bool is_union_all(const AstQuery *query) { return query->set_kind == AST_UNION_ALL || (query->set_kind == AST_UNION && query->set_all); }

static bool is_union(const AstQuery *query) { return query->set_kind == AST_UNION_ALL || query->set_kind == AST_UNION; }

static const char *set_name(const AstQuery *query)
{
    switch (query->set_kind) {
    case AST_UNION_ALL: return "UNION ALL";
    case AST_UNION: return query->set_all ? "UNION ALL" : "UNION";
    case AST_INTERSECT: return query->set_all ? "INTERSECT ALL" : "INTERSECT";
    case AST_EXCEPT: return query->set_all ? "EXCEPT ALL" : "EXCEPT";
    }
    return "";
}

/* ---- branches ---- */

typedef struct Branches {
    const AstQuery *query;                   /* of the operation */
    Relation *items; const AstQuery **queries; int count;
    int width; const Type **types;           /* visible columns: their common types */
    bool time, window;                       /* what besides them all branches have: event time, bounds of equal windows */
    PlanInput *inputs;
    Schema schema;
} Branches;

/* Does the branch belong to the same UNION? Under a distinct one every UNION does. */
static bool is_part(const AstQuery *top, const AstQuery *query)
{
    bool plain = query->kind == AST_SET_OPERATION && query->order_by.count == 0 && !query->limit && !query->offset && query->ctes.count == 0 && query->emit.kind == AST_EMIT_NONE;
    return plain && is_union(top) && (is_union_all(query) || (is_union(query) && !is_union_all(top)));
}

static int count_branches(const AstQuery *top, const AstQuery *query)
{
    return query == top || is_part(top, query) ? count_branches(top, query->left) + count_branches(top, query->right) : 1;
}

static Error *bind_branches(Binder *binder, const AstQuery *query, QueryContext context, Branches *branches)
{
    if (query == branches->query || is_part(branches->query, query)) {
        TRY(bind_branches(binder, query->left, context, branches));
        return bind_branches(binder, query->right, context, branches);
    }
    branches->queries[branches->count] = query;
    return bind_query(binder, query, context, &branches->items[branches->count++]);
}

static int visible_columns(const Relation *relation, int *columns)
{
    int count = 0;
    for (int i = 0; i < relation->schema.column_count; i++)
        if (!relation->schema.columns[i].hidden)
            columns[count++] = i;
    return count;
}

static void common_meaning(Branches *branches)
{
    branches->time = branches->window = is_union(branches->query);
    for (int b = 0; b < branches->count; b++) {
        const Relation *branch = &branches->items[b];
        const WindowSpec *a = &branches->items[0].window.spec, *c = &branch->window.spec;
        branches->time = branches->time && branch->time_column >= 0 && branch->processing_time == branches->items[0].processing_time;
        branches->window = branches->window && branch->window.windowed && branch->window.start >= 0 && branch->window.end >= 0 && branch->window.time >= 0 &&
                           window_same(a, c, false);
    }
}

bool only_nulls(PlanInput input, int column)
{
    const LogicalNode *node = input.node;
    if (input.port != PORT_MAIN)
        return false;
    if (node->kind == PLAN_PROJECT) {
        const Expr *expr = node->project.exprs[column];
        return expr->kind == EXPR_CONSTANT ? expr->value.is_null : expr->kind == EXPR_COLUMN && only_nulls(node->inputs[0], expr->column);
    }
    if (node->kind == PLAN_FILTER)
        return only_nulls(node->inputs[0], column);
    if (node->kind != PLAN_VALUES)
        return false;
    for (int r = 0; r < node->values.row_count; r++)
        if (!node->values.rows[r * node->schema.column_count + column].is_null)
            return false;
    return node->values.row_count > 0;
}

/* With `nulls` columns of nothing but NULLs count, too. Columns that have a type already keep it. */
static Error *take_types(Arena *arena, Branches *branches, bool nulls)
{
    const Type **types = arena_copy(arena, branches->types, sizeof *types * (size_t)(branches->width + 1));
    for (int b = 0; b < branches->count; b++) {
        int *own = ARENA_ARRAY(arena, int, branches->items[b].schema.column_count + 1);
        int width = visible_columns(&branches->items[b], own);
        for (int c = 0; c < width; c++) {
            if (types[c] || (!nulls && only_nulls(branches->items[b].input, own[c])))
                continue;
            const Type *type = branches->items[b].schema.columns[own[c]].type;
            const Type *common = branches->types[c] ? type_common(arena, branches->types[c], type) : type;
            if (!common && nulls) /* NULLs alone: the type that was not made up */
                common = type->kind == TYPE_VARCHAR ? branches->types[c] : type;
            if (!common)
                return error_at(ERR_BIND, branches->queries[b]->at, "%s: column %d is %s here and %s before", set_name(branches->query), c + 1, type_text(arena, type), type_text(arena, branches->types[c]));
            branches->types[c] = common;
        }
    }
    return NULL;
}

static Error *common_types(Arena *arena, Branches *branches)
{
    const char *name = set_name(branches->query);
    int *own = ARENA_ARRAY(arena, int, branches->items[0].schema.column_count + 1);
    branches->width = visible_columns(&branches->items[0], own);
    branches->types = ARENA_ARRAY(arena, const Type *, branches->width + 1);
    for (int b = 0; b < branches->count; b++) {
        own = ARENA_ARRAY(arena, int, branches->items[b].schema.column_count + 1);
        int width = visible_columns(&branches->items[b], own);
        if (width != branches->width)
            return error_at(ERR_BIND, branches->queries[b]->at, "%s: this query has %d columns, the first has %d", name, width, branches->width);
    }
    TRY(take_types(arena, branches, false));
    return take_types(arena, branches, true);
}

/* The branch's rows as those of all: the common types, the first branch's names, then the hidden columns. */
static Error *align_branch(Binder *binder, Branches *branches, int b)
{
    static const char *const hidden[] = { "$time", "window_start", "window_end", "window_time" };
    Arena *arena = binder->arena;
    const Relation *branch = &branches->items[b], *first = &branches->items[0];
    int width = branches->width;
    int *own = ARENA_ARRAY(arena, int, branch->schema.column_count + 5), *names_of = ARENA_ARRAY(arena, int, first->schema.column_count + 1);
    int count = visible_columns(branch, own);
    visible_columns(first, names_of);
    if (branches->time)
        own[count++] = branch->time_column;
    if (branches->window) {
        own[count++] = branch->window.start;
        own[count++] = branch->window.end;
        own[count++] = branch->window.time;
    }
    Expr **exprs = ARENA_ARRAY(arena, Expr *, count + 1);
    Column *names = ARENA_ARRAY(arena, Column, count + 1);
    for (int c = 0; c < count; c++) {
        exprs[c] = binder_column(arena, &branch->schema, own[c], branches->queries[b]->at);
        names[c] = (Column){ .name = c < width ? first->schema.columns[names_of[c]].name : hidden[c - width + !branches->time], .hidden = c >= width };
        for (int v = 0; c >= width && v < width; v++)
            if (name_equal(names[v].name, names[c].name))
                names[c].name = arena_printf(arena, "$%s", names[c].name);
        if (c < width && !type_equal(exprs[c]->type, branches->types[c]) && only_nulls(branch->input, own[c]))
            exprs[c] = expr_constant(arena, &(Value){ .type = branches->types[c], .is_null = true }, branches->queries[b]->at);
        else if (c < width)
            TRY(expr_coerce(arena, exprs[c], branches->types[c], &exprs[c]));
    }
    LogicalNode *node = binder_project(binder, branch, exprs, names, count, branches->queries[b]->at);
    branches->inputs[b] = main_port(node);
    if (b == 0)
        branches->schema = node->schema;
    return NULL;
}

/* ---- the operations ---- */

static void union_all(Arena *arena, const Branches *branches, Relation *relation)
{
    const Relation *first = &branches->items[0];
    LogicalNode *node = logical_union(arena, branches->inputs, branches->count, branches->query->at);
    int width = branches->width, time = branches->time;
    *relation = (Relation){ .input = main_port(node), .schema = branches->schema, .time_column = time ? width : -1, .processing_time = time && first->processing_time, .window = no_window };
    if (branches->window)
        relation->window = (WindowColumns){ true, width + time, width + time + 1, width + time + 2, first->window.spec };
}

/* Results are counted over all rows: like DISTINCT, the operation gives them at the end or as changes. */
static Error *intersect_or_except(Block *block, const Branches *branches, Relation *relation)
{
    Arena *arena = block->binder->arena;
    const AstQuery *query = branches->query;
    LogicalNode *node = logical_node(arena, PLAN_SET, query->at, 2, branches->inputs);
    node->set.kind = query->set_kind == AST_INTERSECT ? SET_INTERSECT : SET_EXCEPT;
    node->set.all = query->set_all;
    node->schema = *schema_copy(arena, &branches->schema);
    logical_derive(arena, node);
    *relation = (Relation){ .input = main_port(node), .schema = branches->schema, .time_column = -1, .window = no_window };
    block->from = *relation; /* what the trigger depends on: does it end? */
    int64_t delay_us;
    TRY(bind_trigger(block, false, &node->set.trigger, &delay_us));
    if (node->set.trigger == TRIGGER_DELAY)
        return binder_unsupported(block_emit(block)->at, "EMIT AFTER DELAY of %s", set_name(query));
    logical_derive(arena, node);
    return NULL;
}

Error *bind_set_operation(Binder *binder, const AstQuery *query, QueryContext context, Relation *relation)
{
    Arena *arena = binder->arena;
    Branches branches = { .query = query };
    int count = count_branches(query, query);
    branches.items = ARENA_ARRAY(arena, Relation, count);
    branches.queries = ARENA_ARRAY(arena, const AstQuery *, count);
    branches.inputs = ARENA_ARRAY(arena, PlanInput, count + 1);
    QueryContext inside = context;
    inside.persistent = context.persistent && is_union_all(query); /* rows are compared: upserts do not do */
    TRY(bind_branches(binder, query, inside, &branches));
    TRY(common_types(arena, &branches));
    common_meaning(&branches);
    for (int b = 0; b < branches.count; b++)
        TRY(align_branch(binder, &branches, b));
    Block block = { .binder = binder, .query = query, .context = context };
    if (!is_union(query))
        return intersect_or_except(&block, &branches, relation);
    union_all(arena, &branches, relation);
    if (is_union_all(query))
        return NULL;
    block.from = *relation;
    return bind_distinct(&block, relation);
}
