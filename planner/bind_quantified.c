/* planner/bind_quantified.c: x > ANY (SELECT ..), x <= ALL (SELECT ..), all six comparisons.
 *
 * = ANY is IN, <> ALL is NOT IN. For the others it is enough to know of the sub-query's values the smallest, the largest and how many they are:
 * x > ANY is TRUE if x > the smallest; else NULL if x or one of the values is NULL; else, and of no rows, FALSE. x op ALL is NOT (x the-opposite-of-op ANY). */
#include "planner/ast_make.h"
#include "planner/ast_map.h"
#include "planner/bind_correlation.h"

static AstExpr *negation(Arena *arena, AstExpr *of)
{
    AstExpr *expr = ast_make_node(arena, AST_UNARY, of->at);
    expr->op = OP_NOT;
    expr->left = of;
    return expr;
}

static AstExpr *aggregate(Arena *arena, const char *name, AstExpr *arg)
{
    AstExpr *call = ast_make_node(arena, AST_CALL, arg->at);
    LIST_ADD(arena, &call->path, ((AstName){ name, false, arg->at }));
    LIST_ADD(arena, &call->args, arg);
    return call;
}

static AstOperator opposite(AstOperator op)
{
    switch (op) {
    case OP_EQUAL: return OP_NOT_EQUAL;
    case OP_NOT_EQUAL: return OP_EQUAL;
    case OP_LESS: return OP_GREATER_EQUAL;
    case OP_LESS_EQUAL: return OP_GREATER;
    case OP_GREATER: return OP_LESS_EQUAL;
    default: return OP_LESS;
    }
}

/* ---- what is known of the rows ---- */

typedef enum Fact { LEAST, MOST, ROWS, VALUES_KNOWN, FACTS } Fact;
static const char *const fact_names[FACTS] = { "least", "most", "rows", "known" };

static bool is_over(const AstExpr *expr) { return expr->kind == AST_CALL && expr->over; }

/* Can its aggregates be asked for in place of what it selects? */
static bool is_plain(const AstQuery *query)
{
    return query->kind == AST_SELECT && query->items.count == 1 && query->items.items[0].expr->kind != AST_STAR && !block_aggregates(query) && !query->limit &&
           !query->offset && !query->qualify && !ast_any(query->items.items[0].expr, is_over) && !ast_any(query->items.items[0].expr, is_table_call);
}

/* (SELECT STRUCT(least := MIN(x), ..) FROM ..): one sub-query for all. */
static AstExpr *facts(Arena *arena, const AstExpr *ast)
{
    const Span at = ast->query->at;
    AstQuery *query = ARENA_NEW(arena, AstQuery);
    AstExpr *value, *record = ast_make_node(arena, AST_STRUCT, at), *asked = ast_make_node(arena, AST_SCALAR_QUERY, ast->at);
    if (is_plain(ast->query)) {
        *query = *ast->query;
        value = query->items.items[0].expr;
        query->distinct = false;
        query->order_by.count = 0;
        memset(&query->items, 0, sizeof query->items);
    } else {
        AstRelation *rows = ARENA_NEW(arena, AstRelation);
        *rows = (AstRelation){ .kind = AST_REL_QUERY, .at = at, .query = ast->query, .alias = { "$any", true, at } };
        LIST_ADD(arena, &rows->column_aliases, ((AstName){ "$any", true, at }));
        *query = (AstQuery){ .kind = AST_SELECT, .at = at, .from = rows };
        value = ast_make_node(arena, AST_NAME, at);
        LIST_ADD(arena, &value->path, ((AstName){ "$any", true, at }));
    }
    AstExpr *all = ast_make_node(arena, AST_CALL, at);
    LIST_ADD(arena, &all->path, ((AstName){ "count", false, at }));
    all->star = true;
    AstExpr *const values[FACTS] = { aggregate(arena, "min", value), aggregate(arena, "max", value), all, aggregate(arena, "count", value) };
    for (int f = 0; f < FACTS; f++) {
        LIST_ADD(arena, &record->path, ((AstName){ fact_names[f], true, at }));
        LIST_ADD(arena, &record->args, values[f]);
    }
    LIST_ADD(arena, &query->items, ((AstSelectItem){ .expr = record, .at = at }));
    asked->query = query;
    return asked;
}

static AstExpr *fact(Arena *arena, AstExpr *of, Fact which)
{
    AstExpr *field = ast_make_node(arena, AST_FIELD, of->at);
    field->left = of;
    LIST_ADD(arena, &field->path, ((AstName){ fact_names[which], true, of->at }));
    return field;
}

/* ---- ANY ---- */

static AstExpr *is_null(Arena *arena, AstExpr *value)
{
    AstExpr *test = ast_make_node(arena, AST_IS, value->at);
    test->is = IS_NULL;
    test->left = value;
    return test;
}

/* Is there a value for which `left op value` is TRUE? */
static AstExpr *found(Arena *arena, const AstExpr *ast, AstOperator op, AstExpr *of)
{
    if (op == OP_NOT_EQUAL)
        return ast_make_binary(arena, OP_OR, ast_make_binary(arena, op, ast->left, fact(arena, of, LEAST)), ast_make_binary(arena, op, ast->left, fact(arena, of, MOST)));
    return ast_make_binary(arena, op, ast->left, fact(arena, of, op == OP_GREATER || op == OP_GREATER_EQUAL ? LEAST : MOST));
}

static AstExpr *any(Arena *arena, const AstExpr *ast, AstOperator op)
{
    AstExpr *choice = ast_make_node(arena, AST_CASE, ast->at), *of = facts(arena, ast);
    AstExpr *none = ast_make_literal(arena, (Value){ .type = type_scalar(TYPE_BIGINT) }, ast->at), *no = ast_make_literal(arena, (Value){ .type = type_scalar(TYPE_BOOLEAN) }, ast->at);
    AstExpr *open = ast_make_binary(arena, OP_OR, is_null(arena, ast->left), ast_make_binary(arena, OP_LESS, fact(arena, of, VALUES_KNOWN), fact(arena, of, ROWS)));
    AstExpr *yes = ast_make_literal(arena, (Value){ .type = type_scalar(TYPE_BOOLEAN), .integer = 1 }, ast->at);
    AstExpr *const args[] = { found(arena, ast, op, of), yes,
                              ast_make_binary(arena, OP_EQUAL, fact(arena, of, ROWS), none), no, open, ast_make_literal(arena, value_null(type_scalar(TYPE_NULL)), ast->at) };
    for (size_t i = 0; i < sizeof args / sizeof *args; i++)
        LIST_ADD(arena, &choice->args, args[i]);
    choice->right = no;
    return choice;
}

/* What a SELECT gives; 1 where that is not to be seen here. */
static Error *count_columns(Block *block, Relation *relation, const AstQuery *query, int *count)
{
    Correlation correlation;
    while (query->kind == AST_SET_OPERATION)
        query = query->left;
    *count = 1;
    if (query->kind == AST_VALUES)
        *count = query->rows.items[0].count;
    if (query->kind != AST_SELECT)
        return NULL;
    *count = query->items.count;
    if (*count > 1 || query->items.items[0].expr->kind != AST_STAR || query->ctes.count || !query->from)
        return NULL;
    TRY(correlate(block, relation, query, 0, &correlation));
    *count = 0;
    for (int p = 0; p < correlation.inner.parts.count; p++)
        for (int c = 0; c < correlation.inner.parts.items[p].schema->column_count; c++)
            *count += !correlation.inner.parts.items[p].schema->columns[c].hidden;
    return NULL;
}

Error *quantified_comparison(Block *block, Relation *relation, const AstExpr *ast, AstExpr **test)
{
    Arena *arena = block->binder->arena;
    const bool in = ast->op == (ast->all ? OP_NOT_EQUAL : OP_EQUAL);
    if (in) {
        *test = arena_copy(arena, ast, sizeof *ast);
        (*test)->kind = AST_IN_QUERY;
        (*test)->negated = ast->all;
        return NULL;
    }
    if (ast_is_row(ast->left))
        return error_hint(binder_unsupported(ast->at, "a row compared with %s of a sub-query", ast->all ? "ALL" : "ANY"), "= ANY, <> ALL and IN take rows");
    int columns;
    TRY(count_columns(block, relation, ast->query, &columns));
    if (columns != 1)
        return error_at(ERR_BIND, ast->query->at, "the sub-query gives %d columns, one is needed", columns);
    if (!is_plain(ast->query)) {
        Correlation correlation;
        TRY(correlate(block, relation, ast->query, 0, &correlation));
        if (correlation.pairs.count)
            return binder_unsupported(ast->at, "%s of a sub-query that groups or limits and names columns of the outer query", ast->all ? "ALL" : "ANY");
    }
    *test = any(arena, ast, ast->all ? opposite(ast->op) : ast->op);
    if (ast->all)
        *test = negation(arena, *test);
    return NULL;
}
