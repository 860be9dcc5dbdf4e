/* planner/bind_json.h: SQL's functions on JSON with their clauses. */
#pragma once
#include "planner/bind_expression.h"

/* Is it for bind_json_call? */
bool ast_is_json_call(const AstExpr *ast);
/* Is the call's result JSON, so that it goes into other JSON as it is? */
bool ast_gives_json(const AstExpr *ast);
Error *bind_json_call(BindContext *context, const AstExpr *ast, Expr **result);
