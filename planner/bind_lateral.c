/* planner/bind_lateral.c: a sub-query in FROM that names columns to its left: LATERAL (SELECT ..), CROSS APPLY (SELECT ..).
 *
 * It becomes a join. What its WHERE compares with the left row moves into ON: the inner sides are selected besides, as hidden columns, and
 * groups, LIMIT and OVER (..) hold for the rows of one key. What a row of the result is made of both sides is computed above the join; so is what
 * aggregates without GROUP BY give where there is no row. */
#include "planner/ast_map.h"
#include "planner/bind_correlation.h"
#include "planner/bind_join.h"
#include "planner/expr.h"

typedef struct Above { int column; AstExpr *expr; const char *name; } Above; /* a column of the right side and what it is above the join */

struct Lateral {
    JoinBinding *join;
    const AstRelation *written;
    AstExpr asked;              /* stands for the sub-query */
    Correlation correlation;
    AstQuery query;             /* what is planned */
    AstExprs exported;          /* names of the sub-query that conditions and items above it read */
    AstExprs on;                /* ties to the left row */
    struct { Above *items; int count, capacity; } above;
    AstExpr *condition;         /* ON, tested above */
    bool one_group;             /* a row whether there are rows or not */
};

static Arena *arena_of(const Lateral *lateral) { return lateral->join->block->binder->arena; }

bool is_lateral(const AstRelation *join)
{
    const bool apply = join->join == AST_JOIN_CROSS_APPLY || join->join == AST_JOIN_OUTER_APPLY;
    return join->right->kind == AST_REL_QUERY && (join->right->lateral || apply);
}

/* ---- names ---- */

static char *own_name(const Lateral *lateral, const char *what, int number)
{
    return arena_printf(arena_of(lateral), "$%s%d_%d", what, (int)lateral->asked.at.start, number);
}

static AstExpr *name_of(const Lateral *lateral, const char *text, Span at)
{
    AstExpr *name = ARENA_NEW(arena_of(lateral), AstExpr);
    *name = (AstExpr){ .kind = AST_NAME, .at = at, .op_at = at };
    LIST_ADD(arena_of(lateral), &name->path, ((AstName){ text, true, at }));
    return name;
}

static void add_item(Lateral *lateral, AstExpr *expr, const char *name)
{
    LIST_ADD(arena_of(lateral), &lateral->query.items, ((AstSelectItem){ .expr = expr, .at = expr->at, .alias = { name, true, expr->at } }));
}

/* A name of the sub-query becomes that of a column which it selects besides. */
static Error *export_name(void *context, const AstExpr *ast, AstExpr **replacement)
{
    Lateral *lateral = context;
    if (ast->kind != AST_NAME || !correlation_is_inner(&lateral->correlation, ast))
        return NULL;
    const char *text = ast_text(arena_of(lateral), ast);
    int at = 0;
    while (at < lateral->exported.count && strcmp(ast_text(arena_of(lateral), lateral->exported.items[at]), text) != 0)
        at++;
    if (at == lateral->exported.count)
        LIST_ADD(arena_of(lateral), &lateral->exported, (AstExpr *)ast);
    *replacement = name_of(lateral, own_name(lateral, "from", at), ast->at);
    return NULL;
}

/* ---- taking it apart ---- */

static bool is_over(const AstExpr *expr) { return expr->kind == AST_CALL && expr->over; }

static bool any_over(const AstQuery *query)
{
    for (int i = 0; i < query->items.count; i++)
        if (ast_any(query->items.items[i].expr, is_over))
            return true;
    return false;
}

/* Which parts may name columns of the left row: any where rows are looked at one by one. */
static int free_parts(const AstQuery *query)
{
    if (query->kind != AST_SELECT || block_aggregates(query) || query->distinct)
        return 0;
    const bool counted = query->limit || query->offset || query->qualify || any_over(query);
    return CORRELATE_ITEMS | (counted ? 0 : CORRELATE_CONDITIONS);
}

static bool is_no_plain_call(const AstExpr *expr) { return is_over(expr) || is_table_call(expr) || is_subquery(expr); }

/* Items that name columns of the left row are computed above the join; a place is kept for them. */
static Error *lift_items(Lateral *lateral)
{
    AstQuery *query = &lateral->query;
    query->items.items = arena_copy(arena_of(lateral), query->items.items, sizeof *query->items.items * (size_t)query->items.count);
    query->items.capacity = query->items.count;
    for (int i = 0; i < query->items.count; i++) {
        AstSelectItem *item = &query->items.items[i];
        if (ast_any(item->expr, is_subquery) || !correlation_names_outer(&lateral->correlation, item->expr))
            continue;
        if (ast_any(item->expr, is_no_plain_call))
            return binder_unsupported(item->at, "a column of the outer query in a call OVER (..) or a table function");
        const char *name = item->alias.text ? item->alias.text : ast_expr_name(item->expr);
        Above above = { -1, NULL, name ? name : arena_printf(arena_of(lateral), "column%d", i + 1) };
        TRY(ast_map(arena_of(lateral), item->expr, export_name, lateral, &above.expr));
        AstExpr *place = ARENA_NEW(arena_of(lateral), AstExpr);
        *place = (AstExpr){ .kind = AST_LITERAL, .at = item->at, .op_at = item->at, .value = value_null(type_scalar(TYPE_BIGINT)) };
        *item = (AstSelectItem){ .expr = place, .at = item->at, .alias = { own_name(lateral, "item", lateral->above.count), true, item->at } };
        LIST_ADD(arena_of(lateral), &lateral->above, above);
    }
    return NULL;
}

static AstExpr *equality(const Lateral *lateral, AstExpr *left, AstExpr *right)
{
    AstExpr *equal = ARENA_NEW(arena_of(lateral), AstExpr);
    *equal = (AstExpr){ .kind = AST_BINARY, .op = OP_EQUAL, .at = right->at, .op_at = right->at, .left = left, .right = right };
    return equal;
}

static Error *tie(Lateral *lateral)
{
    Correlation *correlation = &lateral->correlation;
    for (int i = 0; i < correlation->pairs.count; i++) {
        AstExpr *outer = correlation->pairs.items[i].outer;
        LIST_ADD(arena_of(lateral), &lateral->on, equality(lateral, name_of(lateral, correlation_key(arena_of(lateral), &lateral->asked, i), outer->at), outer));
    }
    for (int i = 0; i < correlation->both.count; i++) {
        AstExpr *condition = NULL;
        TRY(ast_map(arena_of(lateral), correlation->both.items[i], export_name, lateral, &condition));
        LIST_ADD(arena_of(lateral), &lateral->on, condition);
    }
    return NULL;
}

static Error *untie(Lateral *lateral)
{
    AstQuery *query = &lateral->query;
    TRY(check_correlation(&lateral->correlation));
    lateral->one_group = subquery_has_one_group(query);
    if (query->kind != AST_SELECT)
        return NULL;
    TRY(lift_items(lateral));
    TRY(tie(lateral));
    if (!query->limit && !query->offset)
        query->order_by.count = 0; /* a join has no order */
    TRY(decorrelate(&lateral->asked, &lateral->correlation, query));
    if (lateral->correlation.both.count)
        query->where = ast_conjunction(arena_of(lateral), &lateral->correlation.kept);
    if (lateral->exported.count || lateral->one_group || lateral->above.count) {
        query->items.items = arena_copy(arena_of(lateral), query->items.items, sizeof *query->items.items * (size_t)query->items.count);
        query->items.capacity = query->items.count;
    }
    for (int i = 0; i < lateral->exported.count; i++)
        add_item(lateral, lateral->exported.items[i], own_name(lateral, "from", i));
    if (lateral->one_group || lateral->above.count) {
        AstExpr *there = ARENA_NEW(arena_of(lateral), AstExpr);
        *there = (AstExpr){ .kind = AST_LITERAL, .at = query->at, .op_at = query->at, .value = { .type = type_scalar(TYPE_BOOLEAN), .integer = 1 } };
        add_item(lateral, there, own_name(lateral, "there", 0));
    }
    return NULL;
}

static bool is_true(const AstExpr *expr) { return !expr || (expr->kind == AST_LITERAL && expr->value.type->kind == TYPE_BOOLEAN && expr->value.integer); }

/* The join that it becomes. */
static Error *become_join(Lateral *lateral)
{
    JoinBinding *join = lateral->join;
    AstRelation *ast = arena_copy(arena_of(lateral), join->ast, sizeof *join->ast);
    const bool outer = ast->join == AST_JOIN_LEFT || ast->join == AST_JOIN_OUTER_APPLY, computed = lateral->one_group || lateral->above.count;
    if (ast->join == AST_JOIN_RIGHT || ast->join == AST_JOIN_FULL)
        return error_hint(error_at(ERR_BIND, ast->at, "LATERAL has no rows without those of the left side"), "CROSS JOIN, or LEFT JOIN .. ON TRUE");
    if (computed && (ast->natural || ast->using.count))
        return binder_unsupported(ast->at, "LATERAL with USING");
    if (computed && outer && !is_true(ast->on))
        return error_hint(binder_unsupported(ast->on->at, "this condition of LEFT JOIN LATERAL"), "put it into the sub-query's WHERE");
    AstExprs on = { 0 };
    if (computed)
        lateral->condition = is_true(ast->on) ? NULL : ast->on;
    else
        ast_conjuncts(arena_of(lateral), ast->on, &on);
    for (int i = 0; i < lateral->on.count; i++)
        LIST_ADD(arena_of(lateral), &on, lateral->on.items[i]);
    ast->on = ast_conjunction(arena_of(lateral), &on);
    ast->join = outer || lateral->one_group ? AST_JOIN_LEFT : AST_JOIN_INNER;
    join->preserved[0] = ast->join == AST_JOIN_LEFT;
    join->only_on = computed;
    join->ast = ast;
    return NULL;
}

Error *bind_lateral(JoinBinding *join, AstRelation *right)
{
    Lateral *lateral = join->lateral = ARENA_NEW(join->block->binder->arena, Lateral);
    Block *around = arena_copy(join->block->binder->arena, join->block, sizeof *join->block);
    around->from = join->sides[0];
    lateral->join = join;
    lateral->written = join->ast->right;
    lateral->query = *lateral->written->query;
    lateral->asked = (AstExpr){ .kind = AST_SCALAR_QUERY, .at = lateral->query.at, .op_at = lateral->query.at, .query = lateral->written->query };
    AstQuery *known = arena_copy(arena_of(lateral), &lateral->query, sizeof lateral->query);
    TRY(correlate(around, &around->from, known, free_parts(known), &lateral->correlation));
    TRY(untie(lateral));
    TRY(become_join(lateral));
    *right = *lateral->written;
    right->lateral = false;
    right->query = arena_copy(arena_of(lateral), &lateral->query, sizeof lateral->query);
    right->column_aliases = (AstNames){ 0 };
    return NULL;
}

/* ---- the right side ---- */

static bool begins(const char *name, const char *with) { return strncmp(name, with, strlen(with)) == 0; }

/* What aggregates without GROUP BY give where there is no row. */
static Error *add_missing(Lateral *lateral, const Schema *schema)
{
    const AstQuery *query = lateral->written->query;
    for (int c = 0, item = 0; c < schema->column_count && item < query->items.count; c++) {
        if (schema->columns[c].hidden)
            continue;
        AstExpr *missing = ARENA_NEW(arena_of(lateral), AstExpr);
        const Span at = query->items.items[item].at;
        *missing = (AstExpr){ .kind = AST_LITERAL, .at = at, .op_at = at };
        TRY(subquery_missing(lateral->join->block->binder, query, item++, schema->columns[c].type, &missing->value));
        Above above = { c, missing, schema->columns[c].name };
        if (!missing->value.is_null)
            LIST_ADD(arena_of(lateral), &lateral->above, above);
    }
    return NULL;
}

Error *lateral_columns(Lateral *lateral, Relation *right)
{
    Schema *schema = schema_copy(arena_of(lateral), &right->schema);
    int placed = 0;
    for (int c = 0; c < schema->column_count; c++) {
        Column *column = &schema->columns[c];
        if (placed < lateral->above.count && strcmp(column->name, own_name(lateral, "item", placed)) == 0) {
            lateral->above.items[placed].column = c;
            column->name = lateral->above.items[placed++].name;
        }
        column->hidden |= begins(column->name, "$key") || begins(column->name, "$from") || begins(column->name, "$there");
    }
    if (lateral->one_group)
        TRY(add_missing(lateral, schema));
    right->schema = *schema;
    return bind_column_aliases(lateral->written, arena_of(lateral), right);
}

/* ---- above the join ---- */

/* CASE WHEN there THEN .. [ELSE ..] END: of a row that met none nothing can be computed. */
static AstExpr *where_there(const Lateral *lateral, AstExpr *value, AstExpr *otherwise)
{
    AstExpr *choice = ARENA_NEW(arena_of(lateral), AstExpr);
    *choice = (AstExpr){ .kind = AST_CASE, .at = value->at, .op_at = value->at, .right = otherwise };
    LIST_ADD(arena_of(lateral), &choice->args, name_of(lateral, own_name(lateral, "there", 0), value->at));
    LIST_ADD(arena_of(lateral), &choice->args, value);
    return choice;
}

static Error *compute(Lateral *lateral, ScopeRelation *part, Relation *relation)
{
    Block *block = lateral->join->block;
    Arena *arena = arena_of(lateral);
    const int count = relation->schema.column_count;
    Expr **exprs = ARENA_ARRAY(arena, Expr *, count + 1);
    Schema names = *schema_copy(arena, &relation->schema), *of_part = schema_copy(arena, part->schema);
    for (int i = 0; i < count; i++)
        exprs[i] = binder_column(arena, &relation->schema, i, lateral->written->at);
    for (int i = 0; i < lateral->above.count; i++) {
        const Above *above = &lateral->above.items[i];
        const int column = part->base + above->column;
        AstExpr *value = lateral->one_group ? where_there(lateral, ast_marker(arena, column, above->expr->at), above->expr) : where_there(lateral, above->expr, NULL);
        TRY(binder_scope_expr(block->binder, relation, block->parts.items, block->parts.count, value, &exprs[column]));
        names.columns[column].type = of_part->columns[above->column].type = exprs[column]->type;
    }
    LogicalNode *project = binder_project(block->binder, relation, exprs, names.columns, count, lateral->written->at);
    relation->input = main_port(project);
    relation->schema = names;
    part->schema = of_part;
    return NULL;
}

Error *finish_lateral(Lateral *lateral, Relation *relation)
{
    Block *block = lateral->join->block;
    Expr *predicate = NULL;
    if (lateral->above.count)
        TRY(compute(lateral, &block->parts.items[block->parts.count - 1], relation));
    if (!lateral->condition)
        return NULL;
    TRY(binder_scope_expr(block->binder, relation, block->parts.items, block->parts.count, lateral->condition, &predicate));
    if (predicate->type->kind != TYPE_BOOLEAN)
        return error_at(ERR_BIND, lateral->condition->at, "ON needs conditions, this is %s", type_text(arena_of(lateral), predicate->type));
    binder_filter(block->binder, relation, predicate, lateral->condition->at);
    return NULL;
}
