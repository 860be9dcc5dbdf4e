/* planner/bind_correlation.c: what ties a sub-query to the rows of the query around it.
 *
 * Equalities `inner = outer` of its WHERE leave it: their inner sides become its first columns, one group a key. What is left names nothing outside. */
#include "planner/ast_map.h"
#include "planner/bind_correlation.h"
#include "planner/expr.h"

/* Above a GROUP BY an expression of the rows below it means the key that it is. */
static Error *replace_key(void *context, const AstExpr *ast, AstExpr **replacement)
{
    Block *block = context;
    Expr *expr = NULL;
    Error *error = block_expr(block, &block->from, ast, &expr);
    for (int i = 0; i < block->group_key_count && !error && !*replacement; i++)
        if (expr_equal(expr, block->group_keys[i]))
            *replacement = ast_marker(block->binder->arena, i, ast->at);
    error_free(error);
    return NULL;
}

Error *outer_ast(Block *block, const Relation *relation, const AstExpr *ast, AstExpr **mapped)
{
    *mapped = (AstExpr *)ast;
    if (relation == &block->from || ast->kind == AST_LITERAL)
        return NULL;
    return ast_map(block->binder->arena, ast, replace_key, block, mapped);
}

Error *outer_expr(Block *block, const Relation *relation, const AstExpr *ast, Expr **expr)
{
    AstExpr *mapped = NULL;
    TRY(outer_ast(block, relation, ast, &mapped));
    return block_expr(block, relation, mapped, expr);
}

static bool binds_inside(Correlation *correlation, const AstExpr *ast)
{
    Expr *expr = NULL;
    Error *error = block_expr(&correlation->inner, &correlation->inner.from, ast, &expr);
    error_free(error);
    return !error;
}

static Error *find_inner_name(void *context, const AstExpr *ast, AstExpr **replacement)
{
    Correlation *correlation = context;
    (void)replacement;
    correlation->inner_name |= ast->kind == AST_NAME && binds_inside(correlation, ast);
    return NULL;
}

/* Names mean what the sub-query knows first: an expression of the outer row has none of these. */
static bool binds_outside(Correlation *correlation, const AstExpr *ast)
{
    Expr *expr = NULL;
    AstExpr *ignored = NULL;
    correlation->inner_name = false;
    error_free(ast_map(correlation->block->binder->arena, ast, find_inner_name, correlation, &ignored));
    if (correlation->inner_name)
        return false;
    Error *error = outer_expr(correlation->block, correlation->relation, ast, &expr);
    error_free(error);
    return !error;
}

static AstExpr *truth(Arena *arena, bool value, Span at)
{
    AstExpr *literal = ARENA_NEW(arena, AstExpr);
    *literal = (AstExpr){ .kind = AST_LITERAL, .at = at, .op_at = at, .value = { .type = type_scalar(TYPE_BOOLEAN), .integer = value } };
    return literal;
}

static Error *find_outer_name(void *context, const AstExpr *ast, AstExpr **replacement)
{
    Correlation *correlation = context;
    (void)replacement;
    if (ast->kind != AST_NAME || binds_inside(correlation, ast) || !binds_outside(correlation, ast))
        return NULL;
    return error_hint(binder_unsupported(ast->at, "a column of the outer query here"), "a sub-query may compare it for equality in its WHERE: inner = outer AND ..");
}

static AstOperator mirrored(AstOperator op)
{
    switch (op) {
    case OP_LESS: return OP_GREATER;
    case OP_LESS_EQUAL: return OP_GREATER_EQUAL;
    case OP_GREATER: return OP_LESS;
    case OP_GREATER_EQUAL: return OP_LESS_EQUAL;
    default: return op;
    }
}

bool ast_is_comparison(const AstExpr *expr) { return expr->kind == AST_BINARY && expr->op >= OP_NOT_EQUAL && expr->op <= OP_GREATER_EQUAL; }

static bool take_comparison(Correlation *correlation, const AstExpr *conjunct)
{
    if (!ast_is_comparison(conjunct) || !(correlation->uses & CORRELATE_COMPARISON) || correlation->comparison)
        return false;
    for (int turn = 0; turn < 2; turn++) {
        AstExpr *inner = turn ? conjunct->right : conjunct->left, *outer = turn ? conjunct->left : conjunct->right;
        if (!binds_inside(correlation, inner) || !binds_outside(correlation, outer))
            continue;
        correlation->comparison = conjunct;
        correlation->inner_side = inner;
        correlation->outer_side = outer;
        correlation->op = turn ? mirrored(conjunct->op) : conjunct->op;
        return true;
    }
    return false;
}

static Error *find_unknown_name(void *context, const AstExpr *ast, AstExpr **replacement)
{
    Correlation *correlation = context;
    (void)replacement;
    correlation->unknown_name |= ast->kind == AST_NAME && !binds_inside(correlation, ast) && !binds_outside(correlation, ast);
    return NULL;
}

/* Is each name one of the sub-query's or of the outer row's? */
static bool knows_all_names(Correlation *correlation, const AstExpr *ast)
{
    AstExpr *ignored = NULL;
    correlation->unknown_name = false;
    error_free(ast_map(correlation->block->binder->arena, ast, find_unknown_name, correlation, &ignored));
    return !correlation->unknown_name;
}

/* A conjunct of the sub-query's WHERE: its own, or what ties it to the outer row. */
static Error *take_conjunct(Correlation *correlation, AstExpr *conjunct)
{
    Arena *arena = correlation->block->binder->arena;
    AstExpr *ignored = NULL;
    if (ast_any(conjunct, is_subquery) || binds_inside(correlation, conjunct)) {
        LIST_ADD(arena, &correlation->kept, conjunct);
        return NULL;
    }
    if (binds_outside(correlation, conjunct)) { /* a condition on the outer row alone */
        LIST_ADD(arena, &correlation->pairs, ((Pair){ conjunct, truth(arena, true, conjunct->at) }));
        return NULL;
    }
    if (conjunct->kind == AST_BINARY && conjunct->op == OP_EQUAL)
        for (int turn = 0; turn < 2; turn++) {
            AstExpr *inner = turn ? conjunct->right : conjunct->left, *outer = turn ? conjunct->left : conjunct->right;
            if (!binds_inside(correlation, inner) || !binds_outside(correlation, outer))
                continue;
            LIST_ADD(arena, &correlation->pairs, ((Pair){ outer, inner }));
            return NULL;
        }
    if (take_comparison(correlation, conjunct))
        return NULL;
    if (correlation->uses & CORRELATE_CONDITIONS && knows_all_names(correlation, conjunct)) {
        LIST_ADD(arena, &correlation->both, conjunct);
        return NULL;
    }
    TRY(ast_map(arena, conjunct, find_outer_name, correlation, &ignored));
    LIST_ADD(arena, &correlation->kept, conjunct); /* it says itself what is wrong with it */
    return NULL;
}

AstExpr *ast_conjunction(Arena *arena, const AstExprs *conjuncts)
{
    AstExpr *all = NULL;
    for (int i = 0; i < conjuncts->count; i++) {
        AstExpr *one = conjuncts->items[i];
        if (all) {
            AstExpr *both = ARENA_NEW(arena, AstExpr);
            *both = (AstExpr){ .kind = AST_BINARY, .op = OP_AND, .at = span_join(all->at, one->at), .op_at = one->at, .left = all, .right = one };
            one = both;
        }
        all = one;
    }
    return all;
}

/* Binds FROM, to know its names; the sub-query takes it from there. */
Error *correlate(Block *block, Relation *relation, const AstQuery *query, int uses, Correlation *correlation)
{
    Binder *binder = block->binder;
    *correlation = (Correlation){ .block = block, .relation = relation, .inner = { .binder = binder, .query = query }, .uses = uses };
    if (query->kind != AST_SELECT || !query->from || query->ctes.count)
        return NULL;
    TRY(bind_from(&correlation->inner));
    Block *known = arena_copy(binder->arena, &correlation->inner, sizeof correlation->inner);
    known->query = arena_copy(binder->arena, query, sizeof *query);
    LIST_ADD(binder->arena, &binder->bound_from, known);
    AstExprs conjuncts = { 0 };
    AstExpr *ignored = NULL;
    ast_conjuncts(binder->arena, query->where, &conjuncts);
    for (int i = 0; i < conjuncts.count; i++)
        TRY(take_conjunct(correlation, conjuncts.items[i]));
    for (int i = 0; i < query->items.count && !(uses & CORRELATE_ITEMS); i++)
        if (!ast_any(query->items.items[i].expr, is_subquery))
            TRY(ast_map(binder->arena, query->items.items[i].expr, find_outer_name, correlation, &ignored));
    return NULL;
}

bool correlation_is_outer(Correlation *correlation, const AstExpr *ast) { return binds_outside(correlation, ast); }

bool correlation_is_inner(Correlation *correlation, const AstExpr *ast) { return binds_inside(correlation, ast); }

bool correlation_names_outer(Correlation *correlation, const AstExpr *ast)
{
    AstExpr *ignored = NULL;
    Error *error = ast_map(correlation->block->binder->arena, ast, find_outer_name, correlation, &ignored);
    error_free(error);
    return error != NULL;
}

AstExpr *correlation_numbered_item(const AstQuery *query, AstExpr *expr)
{
    const bool number = expr->kind == AST_LITERAL && expr->value.type->kind != TYPE_NULL && type_is_integer(expr->value.type);
    if (number && expr->value.integer >= 1 && expr->value.integer <= query->items.count)
        return query->items.items[expr->value.integer - 1].expr;
    for (int i = 0; expr->kind == AST_NAME && expr->path.count == 1 && i < query->items.count; i++)
        if (query->items.items[i].alias.text && name_equal(query->items.items[i].alias.text, expr->path.items[0].text))
            return query->items.items[i].expr;
    return expr;
}

/* OVER (..) sees the rows of one key. */
static Error *part_by_keys(void *context, const AstExpr *ast, AstExpr **replacement)
{
    const Correlation *correlation = context;
    Arena *arena = correlation->block->binder->arena;
    if (ast->kind != AST_CALL || !ast->over)
        return NULL;
    AstExpr *call = arena_copy(arena, ast, sizeof *ast);
    call->over = arena_copy(arena, ast->over, sizeof *ast->over);
    call->over->partition_by = (AstExprs){ 0 };
    for (int i = 0; i < correlation->pairs.count; i++)
        LIST_ADD(arena, &call->over->partition_by, correlation->pairs.items[i].inner);
    for (int i = 0; i < ast->over->partition_by.count; i++)
        LIST_ADD(arena, &call->over->partition_by, ast->over->partition_by.items[i]);
    *replacement = call;
    return NULL;
}

static Error *part_overs(Correlation *correlation, AstQuery *inner)
{
    Arena *arena = correlation->block->binder->arena;
    inner->items.items = arena_copy(arena, inner->items.items, sizeof *inner->items.items * (size_t)inner->items.count);
    inner->items.capacity = inner->items.count;
    for (int i = 0; i < inner->items.count; i++)
        TRY(ast_map(arena, inner->items.items[i].expr, part_by_keys, correlation, &inner->items.items[i].expr));
    inner->order_by.items = arena_copy(arena, inner->order_by.items, sizeof *inner->order_by.items * (size_t)inner->order_by.count);
    inner->order_by.capacity = inner->order_by.count;
    for (int i = 0; i < inner->order_by.count; i++)
        TRY(ast_map(arena, correlation_numbered_item(inner, inner->order_by.items[i].expr), part_by_keys, correlation, &inner->order_by.items[i].expr));
    return ast_map(arena, inner->qualify, part_by_keys, correlation, &inner->qualify);
}

/* LIMIT n of a key's rows: ROW_NUMBER() OVER (PARTITION BY keys ORDER BY ..) <= n */
static void first_of_each_key(Arena *arena, const Correlation *correlation, AstQuery *inner)
{
    AstExpr *number = ARENA_NEW(arena, AstExpr), *test = ARENA_NEW(arena, AstExpr);
    *number = (AstExpr){ .kind = AST_CALL, .at = inner->limit->at, .op_at = inner->limit->at, .over = ARENA_NEW(arena, AstOver) };
    LIST_ADD(arena, &number->path, ((AstName){ "row_number", false, inner->limit->at }));
    number->over->at = inner->limit->at;
    number->over->order_by = inner->order_by;
    for (int i = 0; i < correlation->pairs.count; i++)
        LIST_ADD(arena, &number->over->partition_by, correlation->pairs.items[i].inner);
    *test = (AstExpr){ .kind = AST_BINARY, .op = OP_LESS_EQUAL, .at = number->at, .op_at = number->at, .left = number, .right = inner->limit };
    AstExprs tests = { 0 };
    if (inner->qualify)
        LIST_ADD(arena, &tests, inner->qualify);
    LIST_ADD(arena, &tests, test);
    inner->qualify = ast_conjunction(arena, &tests);
}

char *correlation_key(Arena *arena, const AstExpr *ast, int key) { return arena_printf(arena, "$key%d_%d", (int)ast->at.start, key + 1); }

/* The sub-query with its keys in front of what it selects, one group a key, and without the conditions that they stand for. */
Error *decorrelate(const AstExpr *ast, Correlation *correlation, AstQuery *inner)
{
    Arena *arena = correlation->block->binder->arena;
    bool aggregates = block_aggregates(inner), exists = ast->kind == AST_EXISTS;
    if (exists && inner->limit == NULL)
        inner->order_by.count = 0;
    if (correlation->pairs.count == 0)
        return NULL;
    if (inner->offset)
        return binder_unsupported(inner->offset->at, "OFFSET in a sub-query that names columns of the outer query");
    if (aggregates && inner->group_by.count == 0 && (exists || inner->having || inner->group_kind != AST_GROUP_PLAIN))
        return binder_unsupported(ast->at, "%s of one group in a sub-query that names columns of the outer query", exists ? "EXISTS" : "HAVING");
    if (exists && inner->limit && inner->limit->kind == AST_LITERAL && inner->limit->value.integer == 0) /* LIMIT 0: there is none */
        LIST_ADD(arena, &correlation->kept, truth(arena, false, inner->limit->at));
    inner->where = ast_conjunction(arena, &correlation->kept);
    TRY(part_overs(correlation, inner));
    if (inner->limit && !exists)
        first_of_each_key(arena, correlation, inner);
    inner->limit = NULL;
    inner->order_by.count = 0;
    typeof(inner->items) items = { 0 };
    AstExprs groups = { 0 };
    for (int i = 0; i < correlation->pairs.count; i++) {
        AstExpr *key = correlation->pairs.items[i].inner;
        const AstName name = { correlation_key(arena, ast, i), true, key->at };
        LIST_ADD(arena, &items, ((AstSelectItem){ .expr = key, .at = key->at, .alias = name }));
        if (key->kind != AST_LITERAL)
            LIST_ADD(arena, &groups, key);
    }
    for (int i = 0; i < inner->items.count && !exists; i++)
        LIST_ADD(arena, &items, inner->items.items[i]);
    for (int i = 0; i < inner->group_by.count; i++)
        LIST_ADD(arena, &groups, correlation_numbered_item(inner, inner->group_by.items[i]));
    memcpy(&inner->items, &items, sizeof items);
    if (aggregates)
        inner->group_by = groups;
    if (exists)
        inner->distinct = false;
    return NULL;
}

static Error *check_name(void *context, const AstExpr *ast, AstExpr **replacement)
{
    Correlation *correlation = context;
    Expr *expr = NULL;
    (void)replacement;
    if (ast->kind != AST_NAME || ast_is_marker(ast, NULL) || binds_inside(correlation, ast))
        return NULL;
    return outer_expr(correlation->block, correlation->relation, ast, &expr);
}

Error *check_correlation(Correlation *correlation)
{
    AstExpr *ignored = NULL;
    for (int i = 0; i < correlation->kept.count; i++)
        TRY(ast_map(correlation->block->binder->arena, correlation->kept.items[i], check_name, correlation, &ignored));
    return NULL;
}

typedef struct OuterNames { Correlation *correlation; AstExprs *names; } OuterNames;

static Error *add_outer_name(void *context, const AstExpr *ast, AstExpr **replacement)
{
    OuterNames *outer = context;
    (void)replacement;
    if (ast->kind == AST_NAME && !ast_is_marker(ast, NULL) && binds_outside(outer->correlation, ast))
        LIST_ADD(outer->correlation->block->binder->arena, outer->names, (AstExpr *)ast);
    return NULL;
}

Error *correlation_outer_names(Correlation *correlation, const AstExpr *ast, AstExprs *names)
{
    OuterNames outer = { correlation, names };
    AstExpr *ignored = NULL;
    return ast_any(ast, is_subquery) ? NULL : ast_map(correlation->block->binder->arena, ast, add_outer_name, &outer, &ignored);
}
