/* planner/binder.c: what the binder's files share. */
#include "planner/binder.h"
#include <stdio.h>
#include "planner/ast_map.h"
#include "planner/session_zone.h"

void binder_use_settings(Binder *binder, const PlannerSettings *settings)
{
    binder->settings = settings;
    session_zone_use(settings->time_zone);
}

void binder_init(Binder *binder, Arena *arena, Catalog *catalog, const PlannerSettings *settings, const ConnectorContext *connectors, int text)
{
    *binder = (Binder){ .arena = arena, .catalog = catalog, .settings = settings, .connectors = connectors, .text = text };
    binder_use_settings(binder, settings);
}

Error *binder_unsupported(Span at, const char *what, ...)
{
    char text[256];
    va_list args;
    va_start(args, what);
    vsnprintf(text, sizeof text, what, args);
    va_end(args);
    size_t length = strlen(text);
    if (length && text[length - 1] == ',')
        text[length - 1] = 0;
    return error_at(ERR_UNSUPPORTED, at, "%s is not supported yet", text);
}

const char *binder_new_name(const Binder *binder, Arena *arena, const AstName *name)
{
    return dialect_name(binder_rules(binder), arena, arena_strdup(arena, name->text), name->quoted);
}

const DialectRules *binder_rules(const Binder *binder) { return dialect_rules(binder->settings->dialect); }

RowPolicy binder_policy(const Binder *binder)
{
    return binder->settings->on_expr_error >= 0 ? (RowPolicy)binder->settings->on_expr_error : binder_rules(binder)->on_expr_error;
}

void binder_use(Binder *binder, const char *name)
{
    for (int i = 0; i < binder->uses.count; i++)
        if (strcmp(binder->uses.items[i], name) == 0)
            return;
    LIST_ADD(binder->arena, &binder->uses, name);
}

/* ---- expressions ---- */

typedef struct ExprOwner {
    Binder *binder;
    const Relation *relation;
} ExprOwner;

static Error *special(BindContext *context, const AstExpr *ast, Expr **result, bool *handled)
{
    const ExprOwner *owner = context->owner;
    const Relation *relation = owner->relation;
    const char *name = ast_call_name(ast);
    switch (ast->kind) {
    case AST_SCALAR_QUERY:
    case AST_EXISTS:
    case AST_IN_QUERY:
    case AST_QUANTIFIED: return binder_unsupported(ast->at, "a sub-query here");
    default: break;
    }
    if (!name)
        return NULL;
    if (name_equal(name, "getmetadatapropertyvalue") && ast->path.count == 1 && !ast->over) {
        *handled = true;
        return bind_metadata_property(context, relation, ast, result);
    }
    if (is_top_call(ast))
        return error_at(ERR_BIND, ast->at, "the aggregate %s may not stand here", name);
    if (ast->over)
        return is_over_call(ast) ? error_at(ERR_BIND, ast->at, "%s OVER (..) may stand in SELECT and QUALIFY only", name)
                                 : binder_unsupported(ast->at, "%s OVER (..)", name);
    bool scalar = false;
    if (ast->path.count == 1 && analytic_find(name) && !function_resolve(context->arena, name, NULL, 0, NULL, NULL, &scalar) && !scalar)
        return error_hint(error_at(ERR_BIND, ast->at, "%s needs OVER (..)", name), "%s(..) OVER (PARTITION BY key ORDER BY time)", name);
    if (is_aggregate_call(ast))
        return error_at(ERR_BIND, ast->at, "the aggregate %s may not stand here", name);
    if (is_table_call(ast) && ast != owner->binder->table_call)
        return error_hint(error_at(ERR_BIND, ast->at, "%s gives rows: it may stand in SELECT and FROM only", name), "FROM .. CROSS JOIN UNNEST(..) AS t(x)");
    if (ast->filter)
        return error_at(ERR_BIND, ast->filter->at, "FILTER needs an aggregate, %s is none", name);
    if (is_window_bound_call(ast)) {
        const int column = timestamp_column(relation);
        if (ast->path.count != 2)
            return error_at(ERR_BIND, ast->at, "%s needs a window in GROUP BY", name);
        if (column < 0)
            return error_at(ERR_BIND, ast->at, "there is no event time here");
        *result = binder_column(context->arena, &relation->schema, column, ast->at);
        *handled = true;
    }
    return NULL;
}

int timestamp_column(const Relation *relation)
{
    return relation->window.windowed && relation->window.end >= 0 ? relation->window.end : relation->time_column;
}

static Error *custom_type(BindContext *context, const AstType *ast, const Type **type)
{
    const ExprOwner *owner = context->owner;
    const CatalogEntry *entry = owner->binder->catalog->find(owner->binder->catalog, ast->name.text, true);
    *type = entry ? entry->type : NULL;
    if (entry)
        LIST_ADD(owner->binder->arena, &owner->binder->types, entry->name);
    return NULL;
}

static bool is_marker(const AstExpr *expr)
{
    return ast_is_marker(expr, NULL);
}

/* A function of the catalog. */
static Error *user_function(BindContext *context, const AstExpr *call, Expr **result)
{
    const ExprOwner *owner = context->owner;
    return bind_user_call(owner->binder, context, call, result);
}

/* Columns that were meant by number get their names back. */
static void name_column(void *owner, Expr *column)
{
    const Schema *schema = owner;
    if (column->column < schema->column_count)
        column->name = schema->columns[column->column].name;
}

/* (VALUES (NULL)) AS t(x): x was made a text, as a column must have a type. */
static bool untyped(const BindContext *context, int column)
{
    const Relation *relation = ((const ExprOwner *)context->owner)->relation;
    const LogicalNode *node = relation->input.node;
    return node && relation->schema.column_count == node->schema.column_count && relation->schema.columns[column].type->kind == TYPE_VARCHAR &&
           only_nulls(relation->input, column);
}

/* Where types do not fit, columns that hold nothing but NULLs take the type of what they meet. */
static Error *bind_with_nulls(BindContext *context, const AstExpr *ast, Expr **expr)
{
    Error *error = bind_expression(context, ast, expr);
    const ExprOwner *owner = context->owner;
    bool any = false;
    for (int i = 0; error && !any && ast->kind != AST_NAME && (!context->rules || !context->rules->typed_nulls) && i < owner->relation->schema.column_count; i++)
        any = untyped(context, i);
    if (!any)
        return error;
    context->untyped = untyped;
    Error *other = bind_expression(context, ast, expr);
    error_free(other ? other : error);
    return other ? error : NULL;
}

Error *binder_scope_expr(Binder *binder, const Relation *relation, const ScopeRelation *parts, int part_count, const AstExpr *ast, Expr **expr)
{
    Arena *arena = binder->arena;
    int number;
    if (ast_is_marker(ast, &number) && number < relation->schema.column_count) { /* a column of *: there may be thousands */
        *expr = binder_column(arena, &relation->schema, number, ast->at);
        return NULL;
    }
    bool markers = ast_any(ast, is_marker); /* a column can also be meant by number: see ast_marker */
    Schema numbers = { markers ? relation->schema.column_count : 0, ARENA_ARRAY(arena, Column, relation->schema.column_count + 1) };
    for (int i = 0; i < numbers.column_count; i++)
        numbers.columns[i] = (Column){ .name = arena_printf(arena, "$%d", i), .type = relation->schema.columns[i].type, .hidden = true };
    ScopeRelation *relations = ARENA_ARRAY(arena, ScopeRelation, part_count + 1);
    for (int i = 0; i < part_count; i++)
        relations[i] = parts[i];
    int count = part_count;
    if (markers)
        relations[count++] = (ScopeRelation){ MARKER_ALIAS, &numbers, 0, 0 };
    Scope scope = { relations, count };
    ExprOwner owner = { binder, relation };
    BindContext context = { .arena = arena, .scope = &scope, .rules = binder_rules(binder), .special = special, .custom_type = custom_type, .user_function = user_function, .owner = &owner };
    TRY(bind_with_nulls(&context, ast, expr));
    if (markers)
        expr_visit_columns(*expr, name_column, (void *)&relation->schema);
    return NULL;
}

Error *binder_expr(Binder *binder, const Relation *relation, const AstExpr *ast, Expr **expr)
{
    ScopeRelation part = { relation->alias, &relation->schema, 0, 0 };
    return binder_scope_expr(binder, relation, &part, 1, ast, expr);
}

Expr *binder_column(Arena *arena, const Schema *schema, int column, Span at)
{
    return expr_column(arena, column, schema->columns[column].name, schema->columns[column].type, at);
}

Error *binder_cast(Arena *arena, Expr *expr, const Type *to, Expr **result)
{
    return expr_cast(arena, expr, to, false, expr->at, result);
}

/* Does INSERT convert it, though some values do not fit? Also what is nested. */
static bool is_narrowing(const Type *from, const Type *to)
{
    if (from->kind == TYPE_NULL || type_equal(from, to))
        return true;
    if (from->kind == to->kind && from->child_count == to->child_count && from->child_count > 0) {
        bool all = true;
        for (int i = 0; i < from->child_count; i++)
            all &= is_narrowing(from->children[i], to->children[i]) && (from->kind != TYPE_STRUCT || name_equal(from->names[i], to->names[i]));
        return all;
    }
    return (type_is_numeric(from) && type_is_numeric(to)) || (from->kind == TYPE_VARCHAR && to->kind == TYPE_VARCHAR) ||
           (type_is_timestamp(from) && (type_is_timestamp(to) || to->kind == TYPE_DATE)) || (from->kind == TYPE_DATE && type_is_timestamp(to));
}

Error *binder_assign(Binder *binder, Expr *expr, const Type *to, const char *column, Expr **result)
{
    const Type *from = expr->type;
    if (type_equal(from, to)) {
        *result = expr;
        return NULL;
    }
    Error *error = expr_coerce(binder->arena, expr, to, result);
    if (!error)
        return NULL;
    if (!is_narrowing(from, to)) {
        error_free(error);
        return error_hint(error_at(ERR_BIND, expr->at, "column '%s' is %s, the value is %s", column, type_text(binder->arena, to), type_text(binder->arena, from)),
                          "convert it: CAST(.. AS %s)", type_text(binder->arena, to));
    }
    error_free(error);
    return binder_cast(binder->arena, expr, to, result);
}

Error *binder_type(Binder *binder, Arena *arena, const AstType *ast, const Type **type)
{
    Scope scope = { NULL, 0 };
    ExprOwner owner = { binder, NULL };
    BindContext context = { .arena = arena, .scope = &scope, .rules = binder_rules(binder), .custom_type = custom_type, .user_function = user_function, .owner = &owner };
    TRY(bind_type(&context, ast, type));
    *type = type_copy(arena, *type);
    return NULL;
}

Error *binder_body(Binder *binder, Arena *arena, const LambdaScope *parameters, const AstExpr *ast, Expr **expr)
{
    Scope scope = { NULL, 0 };
    Relation nothing = { .time_column = -1, .window = { .start = -1, .end = -1, .time = -1 } };
    ExprOwner owner = { binder, &nothing };
    BindContext context = { .arena = arena, .scope = &scope, .rules = binder_rules(binder), .special = special, .custom_type = custom_type, .user_function = user_function,
                            .lambda = parameters, .owner = &owner };
    return bind_expression(&context, ast, expr);
}

Error *binder_constant(Binder *binder, Expr *expr, Value *value)
{
    const char *reason = NULL;
    if (expr_evaluate_constant(binder->arena, expr, value, &reason))
        return NULL;
    return error_at(ERR_BIND, expr->at, "%s", reason ? reason : "this is no constant");
}

Error *binder_literal(Binder *binder, const AstExpr *ast, const Type *to, const char *what, Value *value)
{
    Scope scope = { NULL, 0 };
    Relation nothing = { .time_column = -1, .window = { .start = -1, .end = -1, .time = -1 } };
    ExprOwner owner = { binder, &nothing };
    BindContext context = { .arena = binder->arena, .scope = &scope, .rules = binder_rules(binder), .special = special, .custom_type = custom_type, .user_function = user_function, .owner = &owner };
    return bind_constant(&context, ast, to, what, value);
}

/* ---- nodes ---- */

/* What a stream says of its rows goes before what is set for all. */
static RowPolicy policy_over(const Binder *binder, const Relation *over) { return over->on_expr_error ? *over->on_expr_error : binder_policy(binder); }

void binder_note_letters(Binder *binder, const char *stream, const CatalogEntry *letters, const char *source, LogicalNode *node)
{
    SidePort side = { .name = stream, .letters = letters, .source = source, .input = { node, PORT_DEAD_LETTER }, .column_count = DEAD_LETTER_SHOWN };
    side.columns = ARENA_ARRAY(binder->arena, int, side.column_count);
    for (int i = 0; i < side.column_count; i++)
        side.columns[i] = i;
    side.own = binder->stack.count == binder->own_depth;
    LIST_ADD(binder->arena, &binder->sides, side);
}

static void note_failures(Binder *binder, const Relation *over, LogicalNode *node)
{
    const bool own = over->on_expr_error || !binder->settings->dead_letter;
    const char *name = own ? over->dead_letter : binder->settings->dead_letter;
    const CatalogEntry *letters = own ? over->letters : NULL;
    if (!name && !letters)
        binder->nameless_letters = node;
    if (name)
        binder_note_letters(binder, name, NULL, NULL, node);
    if (letters)
        binder_note_letters(binder, NULL, letters, NULL, node);
}

LogicalNode *binder_project(Binder *binder, const Relation *over, Expr **exprs, const Column *columns, int count, Span at)
{
    LogicalNode *node = logical_project(binder->arena, over->input, exprs, columns, count, policy_over(binder, over), at);
    bool can_fail = false;
    for (int i = 0; i < count; i++)
        can_fail |= expr_can_fail(exprs[i]);
    if (can_fail && node->project.on_error == POLICY_DEAD_LETTER)
        note_failures(binder, over, node);
    return node;
}

void binder_filter(Binder *binder, Relation *relation, Expr *predicate, Span at)
{
    LogicalNode *node = logical_filter(binder->arena, relation->input, predicate, policy_over(binder, relation), at);
    if (expr_can_fail(predicate) && node->filter.on_error == POLICY_DEAD_LETTER)
        note_failures(binder, relation, node);
    relation->input = main_port(node);
}

/* ---- time ---- */

Error *binder_to_ms(Arena *arena, Expr *timestamp, Expr **ms)
{
    return expr_call(arena, "unix_timestamp", timestamp->at, 1, &timestamp, ms);
}

Error *binder_from_ms(Arena *arena, Expr *ms, Expr **timestamp)
{
    return expr_call(arena, "from_unixtime", ms->at, 1, &ms, timestamp);
}

/* ---- blocks ---- */

void block_add_part(Block *block, const Relation *relation, int base)
{
    Schema *schema = ARENA_NEW(block->binder->arena, Schema);
    *schema = relation->schema;
    ScopeRelation part = { relation->alias, schema, base, relation->time_column + 1 };
    LIST_ADD(block->binder->arena, &block->parts, part);
}

Error *block_expr(Block *block, const Relation *relation, const AstExpr *ast, Expr **expr)
{
    if (relation != &block->from)
        return binder_expr(block->binder, relation, ast, expr);
    return binder_scope_expr(block->binder, relation, block->parts.items, block->parts.count, ast, expr);
}
