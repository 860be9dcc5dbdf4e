/* planner/bind_lookup.c: joins with a table of a connector that looks rows up by key. */
#include "planner/ast_map.h"
#include "planner/binder.h"
#include "planner/session_zone.h"

/* The entry if the relation is a table that rows can be looked up in. */
CatalogEntry *bind_lookup_entry(Binder *binder, const AstRelation *ast)
{
    if (ast->kind != AST_REL_NAME)
        return NULL;
    const AstName *name = &ast->name.items[ast->name.count - 1];
    for (CteScope *scope = binder->ctes; scope; scope = scope->outer)
        if (name_equal(scope->cte->name.text, name->text))
            return NULL;
    CatalogEntry *entry = binder->catalog->find(binder->catalog, name->text, false);
    return entry && entry->origin == ORIGIN_CONNECTOR && entry->source->connector->lookup ? entry : NULL;
}

typedef struct LookupJoin {
    Block *block;
    CatalogEntry *table;
    Relation left;
    Schema *table_schema;
    const char *alias;
    ScopeRelation table_part;
    const char **key_names;
    const Type **key_types;
    Expr **keys;
    int key_count;
    AstExprs rest;      /* conditions that are no key equality */
} LookupJoin;

/* A plain column of the table; -1 else. */
static int table_column(LookupJoin *lookup, const AstExpr *ast)
{
    if (ast->kind != AST_NAME || ast->path.count > 2)
        return -1;
    if (ast->path.count == 2 && (!lookup->alias || !name_equal(ast->path.items[0].text, lookup->alias)))
        return -1;
    int column = schema_find(lookup->table_schema, ast->path.items[ast->path.count - 1].text);
    if (column < 0)
        return -1;
    if (ast->path.count == 1) { /* not if the left side has it, too */
        int found = -1;
        const Column *info = NULL;
        Scope scope = { lookup->block->parts.items, lookup->block->parts.count };
        Error *error = scope_find(lookup->block->binder->arena, &scope, NULL, ast->path.items[0].text, ast->at, &found, &info);
        error_free(error);
        if (error || found >= 0)
            return -1;
    }
    return column;
}

static Expr *left_expr(LookupJoin *lookup, const AstExpr *ast)
{
    Expr *expr = NULL;
    Error *error = binder_scope_expr(lookup->block->binder, &lookup->left, lookup->block->parts.items, lookup->block->parts.count, ast, &expr);
    if (error) {
        error_free(error);
        return NULL;
    }
    return expr;
}

static Error *add_key(LookupJoin *lookup, const AstExpr *condition, int column, Expr *expr)
{
    Arena *arena = lookup->block->binder->arena;
    const Type *type = lookup->table_schema->columns[column].type;
    const Type *common = type_common(arena, expr->type, type);
    bool kinds = common && (type_is_numeric(expr->type) == type_is_numeric(type));
    if (!kinds)
        return error_at(ERR_BIND, condition->at, "'%s' is %s and is compared with %s", lookup->table_schema->columns[column].name, type_text(arena, type), type_text(arena, expr->type));
    Expr *cast = NULL;
    TRY(expr_coerce(arena, expr, common, &cast));
    lookup->keys[lookup->key_count] = cast;
    lookup->key_names[lookup->key_count] = lookup->table_schema->columns[column].name;
    lookup->key_types[lookup->key_count++] = cast->type;
    return NULL;
}

static Error *take_condition(LookupJoin *lookup, AstExpr *condition, bool required)
{
    Arena *arena = lookup->block->binder->arena;
    if (condition->kind == AST_BINARY && condition->op == OP_EQUAL) {
        int column = table_column(lookup, condition->right);
        const AstExpr *other = condition->left;
        if (column < 0) {
            column = table_column(lookup, condition->left);
            other = condition->right;
        }
        Expr *expr = column >= 0 ? left_expr(lookup, other) : NULL;
        if (expr)
            return add_key(lookup, condition, column, expr);
    }
    if (required)
        LIST_ADD(arena, &lookup->rest, condition);
    return NULL;
}

/* Sub-queries in ON are answered beside the rows that look up. */
static Error *answer_subqueries(LookupJoin *lookup, AstExprs *conditions)
{
    for (int i = 0; i < conditions->count; i++) {
        Block around = *lookup->block;
        around.from = lookup->left;
        if (!ast_any(conditions->items[i], is_subquery))
            continue;
        if (port_traits(around.binder->arena, around.from.input).changes == CHANGES_UPSERT)
            TRY(bind_normalize(around.binder, &around.from, false, conditions->items[i]->at));
        TRY(bind_subqueries(&around, &conditions->items[i], 1, false, &around.from));
        lookup->left = around.from;
    }
    return NULL;
}

static Error *collect_keys(LookupJoin *lookup, const AstRelation *join)
{
    Arena *arena = lookup->block->binder->arena;
    AstExprs on = { 0 }, where = { 0 };
    ast_conjuncts(arena, join->on, &on);
    TRY(answer_subqueries(lookup, &on));
    if (join->join == AST_JOIN_CROSS)
        ast_conjuncts(arena, lookup->block->query->where, &where);
    int room = on.count + where.count + join->using.count + 1;
    lookup->keys = ARENA_ARRAY(arena, Expr *, room);
    lookup->key_names = ARENA_ARRAY(arena, const char *, room);
    lookup->key_types = ARENA_ARRAY(arena, const Type *, room);
    for (int i = 0; i < on.count; i++)
        TRY(take_condition(lookup, on.items[i], true));
    for (int i = 0; i < where.count; i++) /* they stay in WHERE as well */
        TRY(take_condition(lookup, where.items[i], false));
    for (int i = 0; i < join->using.count; i++) {
        const AstName *name = &join->using.items[i];
        int column = schema_find(lookup->table_schema, name->text);
        if (column < 0)
            return error_at(ERR_BIND, name->at, "no column '%s' in %s", name->text, lookup->table->name);
        AstExpr ast = { .kind = AST_NAME, .at = name->at, .op_at = name->at };
        LIST_ADD(arena, &ast.path, *name);
        Expr *expr = NULL;
        TRY(binder_scope_expr(lookup->block->binder, &lookup->left, lookup->block->parts.items, lookup->block->parts.count, &ast, &expr));
        TRY(add_key(lookup, &ast, column, expr));
    }
    if (lookup->key_count == 0)
        return error_hint(error_at(ERR_BIND, join->on ? join->on->at : join->at, "the join with '%s' has no equality with one of its columns", lookup->table->name),
                          "ON stream.column = %s.column", lookup->alias ? lookup->alias : lookup->table->name);
    return NULL;
}

static Error *check_boolean(const LookupJoin *lookup, const Expr *expr, Span at)
{
    return expr->type->kind == TYPE_BOOLEAN ? NULL : error_at(ERR_BIND, at, "ON needs conditions, this is %s", type_text(lookup->block->binder->arena, expr->type));
}

static Expr *where_true(Arena *arena, Expr *test, Expr *value)
{
    const Value null = value_null(value->type);
    Expr *choice = ARENA_NEW(arena, Expr);
    *choice = (Expr){ .kind = EXPR_CASE, .type = value->type, .at = value->at, .arg_count = 3, .args = ARENA_ARRAY(arena, Expr *, 3) };
    choice->args[0] = test;
    choice->args[1] = value;
    choice->args[2] = expr_constant(arena, &null, value->at);
    return choice;
}

/* LEFT JOIN: a row that the condition does not hold for looks for NULL, and finds nothing. What is left are conditions on the table's columns. */
static Error *take_left_conditions(LookupJoin *lookup)
{
    Arena *arena = lookup->block->binder->arena;
    int kept = 0;
    for (int i = 0; i < lookup->rest.count; i++) {
        AstExpr *condition = lookup->rest.items[i];
        Expr *test = left_expr(lookup, condition);
        if (!test) {
            lookup->rest.items[kept++] = condition;
            continue;
        }
        TRY(check_boolean(lookup, test, condition->at));
        lookup->keys[0] = where_true(arena, test, lookup->keys[0]);
    }
    lookup->rest.count = kept;
    return NULL;
}

/* Does a row find at most one? */
static bool finds_one(const LookupJoin *lookup)
{
    const CatalogEntry *table = lookup->table;
    for (int k = 0; k < table->key_count; k++) {
        bool found = false;
        for (int i = 0; i < lookup->key_count; i++)
            found |= strcmp(lookup->key_names[i], table->schema.columns[table->key_columns[k]].name) == 0;
        if (!found)
            return false;
    }
    return table->key_count > 0;
}

/* LEFT JOIN, where one row at most is found: what does not hold for it makes it one that was not found. */
static Error *test_found(LookupJoin *lookup, const AstExpr *condition, int first, Relation *relation)
{
    Block *block = lookup->block;
    Arena *arena = block->binder->arena;
    const int count = relation->schema.column_count;
    Expr *test = NULL, **exprs = ARENA_ARRAY(arena, Expr *, count + 1);
    Schema names = relation->schema;
    if (!finds_one(lookup))
        return error_hint(binder_unsupported(condition->at, "this condition of LEFT JOIN, where several rows may be found"), "join on the table's PRIMARY KEY");
    TRY(binder_scope_expr(block->binder, relation, block->parts.items, block->parts.count, condition, &test));
    TRY(check_boolean(lookup, test, condition->at));
    for (int i = 0; i < count; i++) {
        exprs[i] = binder_column(arena, &relation->schema, i, condition->at);
        if (i >= first)
            exprs[i] = where_true(arena, test, exprs[i]);
    }
    relation->input = main_port(binder_project(block->binder, relation, exprs, names.columns, count, condition->at));
    return NULL;
}

static Error *plan_lookup(LookupJoin *lookup, const AstRelation *join, Relation *relation)
{
    Block *block = lookup->block;
    Binder *binder = block->binder;
    Arena *arena = binder->arena;
    Relation *left = &lookup->left;
    int count = left->schema.column_count, width = count;
    Expr **exprs = ARENA_ARRAY(arena, Expr *, count + lookup->key_count + 1);
    Column *columns = ARENA_ARRAY(arena, Column, count + lookup->key_count + 1);
    int *key_columns = ARENA_ARRAY(arena, int, lookup->key_count + 1);
    for (int i = 0; i < count; i++) {
        exprs[i] = binder_column(arena, &left->schema, i, join->at);
        columns[i] = left->schema.columns[i];
    }
    for (int k = 0; k < lookup->key_count; k++) {
        key_columns[k] = lookup->keys[k]->column;
        if (lookup->keys[k]->kind == EXPR_COLUMN)
            continue;
        key_columns[k] = width;
        exprs[width] = lookup->keys[k];
        columns[width++] = (Column){ .name = arena_printf(arena, "$%s", lookup->key_names[k]), .hidden = true };
    }
    PlanInput input = left->input;
    Schema under = left->schema;
    if (width > count) {
        LogicalNode *project = binder_project(binder, left, exprs, columns, width, join->at);
        input = main_port(project);
        under = project->schema;
    }
    const Schema *table = lookup->table_schema;
    LogicalNode *node = logical_node(arena, PLAN_LOOKUP, join->at, 1, &input);
    const char **names = ARENA_ARRAY(arena, const char *, table->column_count + 1);
    const Type **types = ARENA_ARRAY(arena, const Type *, table->column_count + 1);
    node->schema = (Schema){ width + table->column_count, ARENA_ARRAY(arena, Column, width + table->column_count + 1) };
    for (int i = 0; i < width; i++)
        node->schema.columns[i] = under.columns[i];
    for (int i = 0; i < table->column_count; i++) {
        node->schema.columns[width + i] = table->columns[i];
        names[i] = table->columns[i].name;
        types[i] = table->columns[i].type;
    }
    const CatalogSource *source = lookup->table->source;
    node->lookup.spec = (LookupSpec){ source->connector, source->connector_options, lookup->key_names, lookup->key_types, lookup->key_count, names, types, table->column_count, session_zone() };
    node->lookup.key_columns = key_columns;
    node->lookup.left = join->join == AST_JOIN_LEFT;
    node->lookup.table_name = lookup->table->name;
    logical_derive(arena, node);
    *relation = *left;
    relation->input = main_port(node);
    relation->schema = node->schema;
    relation->alias = NULL;
    Relation part = { .alias = lookup->alias, .schema = *table, .time_column = -1 };
    block_add_part(block, &part, width);
    for (int i = 0; i < lookup->rest.count; i++) {
        const AstExpr *condition = lookup->rest.items[i];
        Expr *predicate = NULL;
        if (node->lookup.left) {
            TRY(test_found(lookup, condition, width, relation));
            continue;
        }
        TRY(binder_scope_expr(binder, relation, block->parts.items, block->parts.count, condition, &predicate));
        TRY(check_boolean(lookup, predicate, condition->at));
        binder_filter(binder, relation, predicate, condition->at);
    }
    return NULL;
}

Error *bind_lookup_join(Block *block, const AstRelation *join, CatalogEntry *table, Relation *relation)
{
    LookupJoin lookup = { .block = block, .table = table };
    TRY(bind_join(block, join->left, &lookup.left));
    binder_use(block->binder, table->name);
    lookup.table_schema = &table->schema;
    if (join->right->column_aliases.count)
        return binder_unsupported(join->right->column_aliases.items[0].at, "column names of a lookup table");
    for (int i = 0; i < table->column_count; i++)
        if (table->columns[i].computed)
            return binder_unsupported(join->right->at, "a lookup in a table with computed columns");
    lookup.alias = join->right->alias.text ? join->right->alias.text : table->name;
    TRY(collect_keys(&lookup, join));
    if (join->join == AST_JOIN_LEFT)
        TRY(take_left_conditions(&lookup));
    return plan_lookup(&lookup, join, relation);
}
