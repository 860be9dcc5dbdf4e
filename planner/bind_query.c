/* planner/bind_query.c: queries around blocks: WITH, UNION ALL, VALUES, ORDER BY, LIMIT. */
#include "planner/ast_map.h"
#include "planner/binder.h"

/* ---- ORDER BY, LIMIT ---- */

static Error *row_count(Binder *binder, const AstExpr *ast, const char *what, int64_t absent, int64_t *count)
{
    *count = absent;
    if (!ast)
        return NULL;
    Value value;
    TRY(binder_literal(binder, ast, type_scalar(TYPE_BIGINT), what, &value));
    if (value.is_null || value.integer < 0)
        return error_at(ERR_BIND, ast->at, "%s must be 0 or more", what);
    *count = value.integer;
    return NULL;
}

Error *bind_order(Binder *binder, const AstQuery *query, const SortKey *keys, int key_count, Relation *relation)
{
    Arena *arena = binder->arena;
    int64_t limit, offset;
    TRY(row_count(binder, query->limit, "LIMIT", -1, &limit));
    TRY(row_count(binder, query->offset, "OFFSET", 0, &offset));
    if (key_count) {
        EdgeTraits traits = port_traits(arena, relation->input);
        if (!traits.bounded)
            return error_hint(binder_unsupported(query->order_by.items[0].at, "ORDER BY on a stream that does not end"), "rank within windows: ROW_NUMBER() OVER (PARTITION BY window_end ORDER BY ..)");
        if (traits.changes != CHANGES_APPEND)
            binder->needs_final = true;
        LogicalNode *sort = logical_node(arena, PLAN_SORT, query->order_by.items[0].at, 1, &relation->input);
        sort->sort.keys = arena_copy(arena, keys, sizeof *keys * (size_t)key_count);
        sort->sort.key_count = key_count;
        sort->sort.limit = -1;
        logical_derive(arena, sort);
        relation->input = main_port(sort);
        relation->time_column = -1;
        relation->window = (WindowColumns){ .start = -1, .end = -1, .time = -1 };
    }
    if (limit >= 0 || offset > 0)
        relation->input = main_port(logical_limit(arena, relation->input, limit, offset, query->limit ? query->limit->at : query->offset->at));
    return NULL;
}

/* ORDER BY of something that is no block: names and numbers of its columns. */
static Error *order_by_output(Binder *binder, const AstQuery *query, Relation *relation)
{
    int visible = 0;
    SortKey *keys = ARENA_ARRAY(binder->arena, SortKey, query->order_by.count + 1);
    for (int i = 0; i < relation->schema.column_count; i++)
        visible += !relation->schema.columns[i].hidden;
    for (int i = 0; i < query->order_by.count; i++) {
        const AstOrderItem *item = &query->order_by.items[i];
        int column = -1;
        if (item->expr->kind == AST_LITERAL && type_is_integer(item->expr->value.type)) {
            if (item->expr->value.integer < 1 || item->expr->value.integer > visible)
                return error_at(ERR_BIND, item->expr->at, "ORDER BY %lld: there are %d columns", (long long)item->expr->value.integer, visible);
            column = (int)item->expr->value.integer - 1;
        } else {
            Expr *expr = NULL;
            TRY(binder_expr(binder, relation, item->expr, &expr));
            if (expr->kind != EXPR_COLUMN)
                return binder_unsupported(item->expr->at, "an expression in ORDER BY of a UNION");
            column = expr->column;
        }
        keys[i] = (SortKey){ column, item->descending, item->nulls == 1 };
    }
    return bind_order(binder, query, keys, query->order_by.count, relation);
}

/* ---- UNION ALL ---- */

typedef struct Branches { Relation *items; const AstQuery **queries; int count; } Branches;

static int count_branches(const AstQuery *query)
{
    bool plain = query->kind == AST_SET_OPERATION && query->order_by.count == 0 && !query->limit && !query->offset && query->ctes.count == 0;
    return plain ? count_branches(query->left) + count_branches(query->right) : 1;
}

static Error *union_only(const AstQuery *query)
{
    switch (query->set_kind) {
    case AST_UNION_ALL: return NULL;
    case AST_UNION: return query->set_all ? NULL : error_hint(binder_unsupported(query->at, "UNION without ALL"), "SELECT DISTINCT * FROM (.. UNION ALL ..)");
    case AST_INTERSECT: return binder_unsupported(query->at, "INTERSECT");
    case AST_EXCEPT: return binder_unsupported(query->at, "EXCEPT");
    }
    return NULL;
}

/* a UNION ALL b UNION ALL c: one node of three. `top`: the query whose ORDER BY and LIMIT are still to come. */
static Error *bind_branches(Binder *binder, const AstQuery *query, bool top, QueryContext context, Branches *branches)
{
    if (query->kind == AST_SET_OPERATION && (top || count_branches(query) > 1)) {
        TRY(union_only(query));
        TRY(bind_branches(binder, query->left, false, context, branches));
        return bind_branches(binder, query->right, false, context, branches);
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

/* What besides the visible columns all branches have: event time, bounds of equal windows. */
static void common_meaning(const Branches *branches, bool *time, bool *window)
{
    *time = *window = true;
    for (int b = 0; b < branches->count; b++) {
        const Relation *branch = &branches->items[b];
        const WindowSpec *a = &branches->items[0].window.spec, *c = &branch->window.spec;
        *time = *time && branch->time_column >= 0 && branch->processing_time == branches->items[0].processing_time;
        *window = *window && branch->window.windowed && branch->window.start >= 0 && branch->window.end >= 0 && branch->window.time >= 0 &&
                  a->kind == c->kind && a->size_us == c->size_us && a->advance_us == c->advance_us && a->offset_us == c->offset_us;
    }
}

static Error *bind_union(Binder *binder, const AstQuery *query, QueryContext context, Relation *relation)
{
    Arena *arena = binder->arena;
    int capacity = count_branches(query->left) + count_branches(query->right);
    Branches branches = { ARENA_ARRAY(arena, Relation, capacity), ARENA_ARRAY(arena, const AstQuery *, capacity), 0 };
    TRY(bind_branches(binder, query, true, context, &branches));
    const Relation *first = &branches.items[0];
    int *columns = ARENA_ARRAY(arena, int, first->schema.column_count + 5);
    int width = visible_columns(first, columns);
    const Type **types = ARENA_ARRAY(arena, const Type *, width + 1);
    for (int b = 0; b < branches.count; b++) {
        int *own = ARENA_ARRAY(arena, int, branches.items[b].schema.column_count + 1);
        int own_width = visible_columns(&branches.items[b], own);
        if (own_width != width)
            return error_at(ERR_BIND, branches.queries[b]->at, "UNION ALL: this query has %d columns, the first has %d", own_width, width);
        for (int c = 0; c < width; c++) {
            const Type *type = branches.items[b].schema.columns[own[c]].type;
            const Type *common = types[c] ? type_common(arena, types[c], type) : type;
            if (!common)
                return error_at(ERR_BIND, branches.queries[b]->at, "UNION ALL: column %d is %s here and %s before", c + 1, type_text(arena, type), type_text(arena, types[c]));
            types[c] = common;
        }
    }
    bool time, window;
    common_meaning(&branches, &time, &window);
    PlanInput *inputs = ARENA_ARRAY(arena, PlanInput, branches.count + 1);
    Schema schema = { 0 };
    for (int b = 0; b < branches.count; b++) {
        const Relation *branch = &branches.items[b];
        int *own = ARENA_ARRAY(arena, int, branch->schema.column_count + 5);
        int count = visible_columns(branch, own);
        if (time)
            own[count++] = branch->time_column;
        if (window) {
            own[count++] = branch->window.start;
            own[count++] = branch->window.end;
            own[count++] = branch->window.time;
        }
        static const char *const hidden[] = { "$time", "window_start", "window_end", "window_time" };
        Expr **exprs = ARENA_ARRAY(arena, Expr *, count + 1);
        Column *names = ARENA_ARRAY(arena, Column, count + 1);
        for (int c = 0; c < count; c++) {
            exprs[c] = binder_column(arena, &branch->schema, own[c], branches.queries[b]->at);
            names[c] = (Column){ .name = c < width ? first->schema.columns[columns[c]].name : hidden[c - width + !time], .hidden = c >= width };
            for (int v = 0; c >= width && v < width; v++)
                if (name_equal(names[v].name, names[c].name))
                    names[c].name = arena_printf(arena, "$%s", names[c].name);
            if (c < width)
                TRY(expr_coerce(arena, exprs[c], types[c], &exprs[c]));
        }
        LogicalNode *node = binder_project(binder, branch, exprs, names, count, branches.queries[b]->at);
        inputs[b] = main_port(node);
        if (b == 0)
            schema = node->schema;
    }
    LogicalNode *node = logical_union(arena, inputs, branches.count, query->at);
    *relation = (Relation){ .input = main_port(node), .schema = schema, .time_column = time ? width : -1, .processing_time = time && first->processing_time,
                            .window = { .start = -1, .end = -1, .time = -1 } };
    if (window)
        relation->window = (WindowColumns){ true, width + time, width + time + 1, width + time + 2, first->window.spec };
    return NULL;
}

/* ---- queries ---- */

Error *bind_query(Binder *binder, const AstQuery *query, QueryContext context, Relation *relation)
{
    CteScope *outer = binder->ctes;
    for (int i = 0; i < query->ctes.count; i++) {
        CteScope *scope = ARENA_NEW(binder->arena, CteScope);
        scope->cte = &query->ctes.items[i];
        scope->outer = binder->ctes;
        binder->ctes = scope;
    }
    Error *error = NULL;
    switch (query->kind) {
    case AST_SELECT:
        error = bind_select(binder, query, context, relation);
        break;
    case AST_SET_OPERATION:
        if (query->emit.kind != AST_EMIT_NONE)
            context.emit = &query->emit;
        error = union_only(query);
        if (!error)
            error = bind_union(binder, query, context, relation);
        if (!error)
            error = order_by_output(binder, query, relation);
        break;
    case AST_VALUES:
        error = bind_values(binder, query->rows.items, query->rows.count, query->at, NULL, relation);
        if (!error)
            error = order_by_output(binder, query, relation);
        break;
    }
    binder->ctes = outer;
    return error;
}
