/* planner/bind_lateral_values.c: LATERAL (SELECT COUNT(*) .. WHERE inner > left ..): a sub-query that gives one row at most, and compares columns of the
 * left row otherwise than for equality. Each of its columns is a sub-query of its own, whose value stands beside the left row: there is no join. */
#include "planner/ast_map.h"
#include "planner/bind_correlation.h"
#include "planner/bind_join.h"
#include "planner/expr.h"

typedef struct Values {
    Block around;               /* the left rows, and their names */
    const AstRelation *join;
    Correlation correlation;
    typeof(((AstQuery *)NULL)->items) items; /* without * */
    bool first;                 /* LIMIT 1: there may be no row */
} Values;

static bool is_one(const AstExpr *limit) { return limit && limit->kind == AST_LITERAL && type_is_integer(limit->value.type) && limit->value.integer == 1; }

/* * as the names that it stands for. */
static void add_items(Values *values, const AstSelectItem *item)
{
    Arena *arena = values->around.binder->arena;
    const Block *inner = &values->correlation.inner;
    if (item->expr->kind != AST_STAR || item->expr->left || item->expr->path.count) {
        LIST_ADD(arena, &values->items, *item);
        return;
    }
    for (int p = 0; p < inner->parts.count; p++)
        for (int c = 0; c < inner->parts.items[p].schema->column_count; c++) {
            const Column *column = &inner->parts.items[p].schema->columns[c];
            AstExpr *name = ARENA_NEW(arena, AstExpr);
            *name = (AstExpr){ .kind = AST_NAME, .at = item->at, .op_at = item->at };
            if (inner->parts.items[p].alias)
                LIST_ADD(arena, &name->path, ((AstName){ inner->parts.items[p].alias, true, item->at }));
            LIST_ADD(arena, &name->path, ((AstName){ column->name, true, item->at }));
            if (!column->hidden)
                LIST_ADD(arena, &values->items, ((AstSelectItem){ .expr = name, .at = item->at }));
        }
}

static Error *survey(Values *values, bool *fits)
{
    const AstQuery *query = values->join->right->query;
    const bool one_group = subquery_has_one_group(query) && !query->limit && !query->offset && !query->qualify;
    values->first = query->kind == AST_SELECT && !block_aggregates(query) && is_one(query->limit) && !query->offset && !query->qualify && !query->distinct;
    *fits = false;
    if ((!one_group && !values->first) || !query->from || query->ctes.count)
        return NULL;
    TRY(correlate(&values->around, &values->around.from, query, CORRELATE_CONDITIONS | CORRELATE_ITEMS, &values->correlation));
    *fits = values->correlation.both.count > 0;
    for (int i = 0; i < query->items.count; i++) {
        *fits |= one_group && correlation_names_outer(&values->correlation, query->items.items[i].expr);
        add_items(values, &query->items.items[i]);
    }
    return NULL;
}

/* The sub-query with this item alone; item NULL: is there a row? */
static AstExpr *value_query(const Values *values, const AstSelectItem *item)
{
    Arena *arena = values->around.binder->arena;
    const AstQuery *written = values->join->right->query;
    AstExpr *value = ARENA_NEW(arena, AstExpr);
    *value = (AstExpr){ .kind = item ? AST_SCALAR_QUERY : AST_EXISTS, .at = item ? item->at : written->at, .op_at = written->at };
    value->query = arena_copy(arena, written, sizeof *written);
    if (item) {
        memset(&value->query->items, 0, sizeof value->query->items);
        LIST_ADD(arena, &value->query->items, *item);
    }
    AstOrder *order = &value->query->order_by; /* its numbers and aliases mean all of the items */
    order->items = arena_copy(arena, order->items, sizeof *order->items * (size_t)order->count);
    for (int i = 0; i < order->count; i++)
        order->items[i].expr = correlation_numbered_item(written, order->items[i].expr);
    return value;
}

static const char *item_name(const Values *values, int item)
{
    const AstSelectItem *of = &values->items.items[item];
    const char *name = of->alias.text ? of->alias.text : ast_expr_name(of->expr);
    return name ? name : arena_printf(values->around.binder->arena, "column%d", item + 1);
}

/* The left rows with the values behind them. */
static Error *add_values(Values *values, Relation *right, Relation *relation)
{
    Block *around = &values->around;
    Arena *arena = around->binder->arena;
    const bool outer = values->join->join == AST_JOIN_LEFT || values->join->join == AST_JOIN_OUTER_APPLY, tests = values->first && !outer;
    const int count = values->items.count;
    AstExpr **exprs = ARENA_ARRAY(arena, AstExpr *, count + 2);
    for (int i = 0; i < count; i++)
        exprs[i] = value_query(values, &values->items.items[i]);
    exprs[count] = tests ? value_query(values, NULL) : NULL;
    TRY(bind_subqueries(around, exprs, count + tests, false, &around->from));
    if (tests) {
        Expr *there = NULL;
        TRY(block_expr(around, &around->from, exprs[count], &there));
        binder_filter(around->binder, &around->from, there, values->join->right->at);
    }
    const int base = around->from.schema.column_count;
    Expr **made = ARENA_ARRAY(arena, Expr *, base + count + 1);
    Schema schema = { base + count, ARENA_ARRAY(arena, Column, base + count + 1) };
    for (int i = 0; i < base; i++) {
        made[i] = binder_column(arena, &around->from.schema, i, values->join->at);
        schema.columns[i] = around->from.schema.columns[i];
    }
    *right = (Relation){ .alias = values->join->right->alias.text, .time_column = -1, .window = { .start = -1, .end = -1, .time = -1 } };
    right->schema = (Schema){ count, ARENA_ARRAY(arena, Column, count + 1) };
    for (int i = 0; i < count; i++) {
        TRY(block_expr(around, &around->from, exprs[i], &made[base + i]));
        right->schema.columns[i] = schema.columns[base + i] = (Column){ .name = item_name(values, i), .type = made[base + i]->type };
    }
    TRY(bind_column_aliases(values->join->right, arena, right));
    for (int i = 0; i < count; i++)
        schema.columns[base + i].name = right->schema.columns[i].name;
    LogicalNode *project = binder_project(around->binder, &around->from, made, schema.columns, base + count, values->join->at);
    *relation = around->from;
    relation->input = main_port(project);
    relation->schema = schema;
    relation->alias = NULL;
    return NULL;
}

Error *bind_lateral_values(Block *block, const AstRelation *join, const Relation *left, bool *done, Relation *relation)
{
    Values values = { .around = *block, .join = join };
    Relation right;
    values.around.from = *left;
    *done = false;
    if (join->join == AST_JOIN_RIGHT || join->join == AST_JOIN_FULL || join->natural || join->using.count)
        return NULL;
    TRY(survey(&values, done));
    if (!*done)
        return NULL;
    if (port_traits(block->binder->arena, left->input).changes == CHANGES_UPSERT)
        TRY(bind_normalize(block->binder, &values.around.from, false, join->at));
    TRY(add_values(&values, &right, relation));
    block_add_part(block, &right, relation->schema.column_count - right.schema.column_count);
    if (!join->on || (join->on->kind == AST_LITERAL && join->on->value.type->kind == TYPE_BOOLEAN && join->on->value.integer))
        return NULL;
    if (join->join == AST_JOIN_LEFT)
        return error_hint(binder_unsupported(join->on->at, "this condition of LEFT JOIN LATERAL"), "put it into the sub-query's WHERE");
    Expr *predicate = NULL;
    TRY(binder_scope_expr(block->binder, relation, block->parts.items, block->parts.count, join->on, &predicate));
    if (predicate->type->kind != TYPE_BOOLEAN)
        return error_at(ERR_BIND, join->on->at, "ON needs conditions, this is %s", type_text(block->binder->arena, predicate->type));
    binder_filter(block->binder, relation, predicate, join->on->at);
    return NULL;
}
