/* planner/ast_make.h: syntax trees that nobody wrote: what a statement means, said in simpler words, to be bound like the rest. */
#pragma once
#include "parser/ast.h"

AstExpr *ast_make_node(Arena *arena, AstExprKind kind, Span at);
AstExpr *ast_make_literal(Arena *arena, Value value, Span at);
/* left NULL: right alone, so that a chain of AND begins with nothing. */
AstExpr *ast_make_binary(Arena *arena, AstOperator op, AstExpr *left, AstExpr *right);
