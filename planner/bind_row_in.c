/* planner/bind_row_in.c: (a, b) [NOT] IN (SELECT x, y ..) where FALSE and NULL differ.
 *
 * A row equals another if all columns do; it does not if one differs; else a NULL leaves it open. So (a, b) IN q is TRUE if q has a row with
 * x = a AND y = b, else NULL if q has one where each column is equal or NULL on one of the sides, else FALSE. Written as EXISTS, one for each way in
 * which the columns can be so, which sub-queries that compare for equality can answer from their keys alone. */
#include "planner/ast_make.h"
#include "planner/ast_map.h"
#include "planner/binder.h"

enum { COLUMNS_MAX = 4 }; /* 3^4 ways */
typedef enum ColumnIs { IS_EQUAL, INNER_IS_NULL, OUTER_IS_NULL, WAYS } ColumnIs;

static AstExpr *is_null(Arena *arena, AstExpr *value)
{
    AstExpr *expr = ast_make_node(arena, AST_IS, value->at);
    expr->is = IS_NULL;
    expr->left = value;
    return expr;
}

static AstExpr *truth(Arena *arena, bool value, Span at) { return ast_make_literal(arena, (Value){ .type = type_scalar(TYPE_BOOLEAN), .integer = value }, at); }

static AstName inner_name(Arena *arena, int column, Span at) { return (AstName){ arena_printf(arena, "$in%d", column), true, at }; }

static AstExpr *inner_column(Arena *arena, int column, Span at)
{
    AstExpr *expr = ast_make_node(arena, AST_NAME, at);
    LIST_ADD(arena, &expr->path, inner_name(arena, column, at));
    return expr;
}

/* The query as a table whose columns have names that no other table has. */
static AstRelation *inner_rows(Arena *arena, const AstExpr *ast, int count)
{
    AstRelation *rows = ARENA_NEW(arena, AstRelation);
    *rows = (AstRelation){ .kind = AST_REL_QUERY, .at = ast->query->at, .query = ast->query, .alias = { "$in", true, ast->query->at } };
    for (int i = 0; i < count; i++)
        LIST_ADD(arena, &rows->column_aliases, inner_name(arena, i, ast->query->at));
    return rows;
}

/* [outer IS NULL AND ..] EXISTS (SELECT 1 FROM (query) WHERE inner = outer AND inner IS NULL ..) */
static AstExpr *exists(Arena *arena, const AstExpr *ast, const AstExprs *ties, int count, const ColumnIs is[])
{
    AstExpr *test = NULL, *where = NULL;
    for (int i = 0; i < count; i++) {
        AstExpr *outer = ast->left->args.items[i];
        if (is[i] == OUTER_IS_NULL)
            test = ast_make_binary(arena, OP_AND, test, is_null(arena, outer));
        else if (is[i] == INNER_IS_NULL)
            where = ast_make_binary(arena, OP_AND, where, is_null(arena, inner_column(arena, i, outer->at)));
        else
            where = ast_make_binary(arena, OP_AND, where, ast_make_binary(arena, OP_EQUAL, inner_column(arena, i, outer->at), outer));
    }
    for (int i = 0; i < ties->count; i++)
        where = ast_make_binary(arena, OP_AND, where, ast_make_binary(arena, OP_EQUAL, inner_column(arena, count + i, ties->items[i]->at), ties->items[i]));
    AstQuery *query = ARENA_NEW(arena, AstQuery);
    *query = (AstQuery){ .kind = AST_SELECT, .at = ast->query->at, .from = inner_rows(arena, ast, count + ties->count), .where = where };
    AstExpr *one = ast_make_literal(arena, (Value){ .type = type_scalar(TYPE_BIGINT), .integer = 1 }, ast->at);
    LIST_ADD(arena, &query->items, ((AstSelectItem){ .expr = one, .at = ast->at }));
    AstExpr *found = ast_make_node(arena, AST_EXISTS, ast->at);
    found->query = query;
    return ast_make_binary(arena, OP_AND, test, found);
}

Error *row_in_query(Arena *arena, const AstExpr *ast, const AstExprs *ties, AstExpr **tests)
{
    const int count = ast->left->args.count;
    ColumnIs is[COLUMNS_MAX] = { IS_EQUAL };
    if (count > COLUMNS_MAX)
        return error_hint(error_at(ERR_UNSUPPORTED, ast->left->at, "IN of more than %d columns under NOT, or as a value, is not supported", COLUMNS_MAX),
                          "[NOT] EXISTS (SELECT .. WHERE inner = outer AND ..)");
    if (ast->query->kind == AST_SELECT && ast->query->items.count == 1 + ties->count && ast->query->items.items[0].expr->kind != AST_STAR)
        return error_at(ERR_BIND, ast->query->at, "the sub-query gives 1 columns, %d are asked for", count);
    AstExpr *choice = ast_make_node(arena, AST_CASE, ast->at), *open = NULL;
    AstExpr *equal = exists(arena, ast, ties, count, is);
    for (;;) {
        int at = 0;
        while (at < count && ++is[at] == WAYS)
            is[at++] = IS_EQUAL;
        if (at == count)
            break;
        open = ast_make_binary(arena, OP_OR, open, exists(arena, ast, ties, count, is));
    }
    LIST_ADD(arena, &choice->args, equal);
    LIST_ADD(arena, &choice->args, truth(arena, true, ast->at));
    LIST_ADD(arena, &choice->args, open);
    LIST_ADD(arena, &choice->args, ast_make_literal(arena, value_null(type_scalar(TYPE_NULL)), ast->at));
    choice->right = truth(arena, false, ast->at);
    *tests = choice;
    if (ast->negated) {
        *tests = ast_make_node(arena, AST_UNARY, ast->at);
        (*tests)->op = OP_NOT;
        (*tests)->left = choice;
    }
    return NULL;
}
