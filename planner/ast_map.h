/* planner/ast_map.h: copies of expression trees with parts replaced. */
#pragma once
#include "parser/ast.h"

/* Asked for every sub-expression, outermost first. Sets *replacement to stand for it as a whole, or leaves NULL to go inside. */
typedef Error *AstReplacer(void *context, const AstExpr *expr, AstExpr **replacement);

/* A copy in `arena`; sub-queries are not entered. Parameters of lambdas are not offered inside their bodies. */
Error *ast_map(Arena *arena, const AstExpr *expr, AstReplacer *replace, void *context, AstExpr **result);

/* True if `test` holds for the expression or anything in it; sub-queries are not entered. */
bool ast_any(const AstExpr *expr, bool (*test)(const AstExpr *expr));

/* A name that binds to column `column` of the relation, whatever it is called: see block_expr. */
AstExpr *ast_marker(Arena *arena, int column, Span at);
#define MARKER_ALIAS "$"
bool ast_is_marker(const AstExpr *expr, int *column); /* column NULL: which one does not matter */

/* The function's name without its qualifiers, or NULL if it is no call. */
const char *ast_call_name(const AstExpr *expr);
/* Is it of a function of the catalog, as Azure Stream Analytics writes that: udf.f(x), uda.f(x)? */
bool ast_is_user_call(const AstExpr *expr);
/* The name that a function of the catalog is called by: f(x), udf.f(x); NULL: it is no such call. */
const AstName *ast_user_name(const AstExpr *expr);
/* ... AND ... taken apart, left to right. */
void ast_conjuncts(Arena *arena, const AstExpr *expr, AstExprs *conjuncts);
/* The expression as SQL. */
const char *ast_text(Arena *arena, const AstExpr *expr);
