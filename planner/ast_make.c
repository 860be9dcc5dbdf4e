#include "planner/ast_make.h"

AstExpr *ast_make_node(Arena *arena, AstExprKind kind, Span at)
{
    AstExpr *expr = ARENA_NEW(arena, AstExpr);
    *expr = (AstExpr){ .kind = kind, .at = at, .op_at = at };
    return expr;
}

AstExpr *ast_make_literal(Arena *arena, Value value, Span at)
{
    AstExpr *expr = ast_make_node(arena, AST_LITERAL, at);
    expr->value = value;
    return expr;
}

AstExpr *ast_make_binary(Arena *arena, AstOperator op, AstExpr *left, AstExpr *right)
{
    if (!left)
        return right;
    AstExpr *expr = ast_make_node(arena, AST_BINARY, left->at);
    expr->op = op;
    expr->left = left;
    expr->right = right;
    return expr;
}
