/* planner/bind_row.c: rows compared column by column: (a, b) = (c, d), (a, b) < (c, d), (a, b) IN ((1, 2), (3, 4)).
 *
 * A row is compared as SQL says, not as one value: (1, NULL) = (1, 2) is unknown, (1, NULL) = (2, 2) is false. */
#include "planner/ast_map.h"
#include "planner/bind_expression.h"

bool ast_is_row(const AstExpr *expr) { return expr->kind == AST_STRUCT && expr->path.count == 0 && expr->args.count > 1; }

static AstExpr *binary(Arena *arena, AstOperator op, AstExpr *left, AstExpr *right, Span at)
{
    AstExpr *expr = ARENA_NEW(arena, AstExpr);
    *expr = (AstExpr){ .kind = AST_BINARY, .op = op, .at = at, .op_at = at, .left = left, .right = right };
    return expr;
}

/* Columns from..: a < c OR (a = c AND the rest) */
static AstExpr *ordered(Arena *arena, AstOperator op, const AstExpr *left, const AstExpr *right, int from, Span at)
{
    AstExpr *a = left->args.items[from], *b = right->args.items[from];
    if (from + 1 == left->args.count)
        return binary(arena, op, a, b, at);
    const AstOperator strictly = op == OP_LESS_EQUAL ? OP_LESS : op == OP_GREATER_EQUAL ? OP_GREATER : op;
    AstExpr *rest = binary(arena, OP_AND, binary(arena, OP_EQUAL, a, b, at), ordered(arena, op, left, right, from + 1, at), at);
    return binary(arena, OP_OR, binary(arena, strictly, a, b, at), rest, at);
}

Error *row_comparison(Arena *arena, AstOperator op, const AstExpr *left, const AstExpr *right, Span at, AstExpr **result)
{
    const int count = left->args.count;
    if (right->args.count != count)
        return error_at(ERR_BIND, at, "a row of %d columns cannot be compared with one of %d", count, right->args.count);
    const bool equality = op == OP_EQUAL || op == OP_NOT_EQUAL;
    if (!equality) {
        *result = ordered(arena, op, left, right, 0, at);
        return NULL;
    }
    *result = NULL;
    for (int i = 0; i < count; i++) {
        AstExpr *test = binary(arena, op, left->args.items[i], right->args.items[i], at);
        *result = *result ? binary(arena, op == OP_EQUAL ? OP_AND : OP_OR, *result, test, at) : test;
    }
    return NULL;
}

/* Is it one of the items [first, end)? Halves, so that long lists do not nest deeply. */
static Error *any_of(Arena *arena, const AstExpr *ast, int first, int end, AstExpr **any)
{
    AstExpr *item = ast->args.items[first], *halves[2];
    if (end - first > 1) {
        const int middle = first + (end - first) / 2;
        TRY(any_of(arena, ast, first, middle, &halves[0]));
        TRY(any_of(arena, ast, middle, end, &halves[1]));
        *any = binary(arena, OP_OR, halves[0], halves[1], ast->at);
        return NULL;
    }
    if (ast_is_row(item))
        return row_comparison(arena, OP_EQUAL, ast->left, item, item->at, any);
    *any = binary(arena, OP_EQUAL, ast->left, item, ast->at);
    return NULL;
}

Error *bind_row_in_list(BindContext *context, const AstExpr *ast, Expr **result)
{
    Arena *arena = context->arena;
    AstExpr *any = NULL;
    TRY(any_of(arena, ast, 0, ast->args.count, &any));
    if (ast->negated) {
        AstExpr *none = ARENA_NEW(arena, AstExpr);
        *none = (AstExpr){ .kind = AST_UNARY, .op = OP_NOT, .at = ast->at, .op_at = ast->at, .left = any };
        any = none;
    }
    return bind_expression(context, any, result);
}
