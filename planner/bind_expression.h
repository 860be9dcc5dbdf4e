/* planner/bind_expression.h: AstExpr -> Expr: names, types, conversions. Private to the room.
 *
 * A Scope says what names mean, a BindContext what else is special where the expression stands: the query binder hangs in
 * `special` to catch aggregate calls, window columns, OVER, sub-queries, and whatever its block gives a meaning of its own. */
#pragma once
#include "parser/ast.h"
#include "planner/dialect.h"
#include "planner/expr.h"

/* One relation in reach: its columns are columns base.. of the operator's input. */
typedef struct ScopeRelation {
    const char *alias;        /* NULL: columns cannot be qualified */
    const Schema *schema;     /* hidden columns are found by name, too */
    int base;
    int time_place;           /* the column of its event time, plus one; 0: none */
} ScopeRelation;

typedef struct Scope {
    const ScopeRelation *relations;
    int relation_count;
} Scope;

/* The parameters of a lambda whose body is being bound. */
typedef struct LambdaScope {
    const AstNames *names;
    const Type *const *types;
    int slot;                         /* of the first one */
    const struct LambdaScope *outer;  /* NULL: none */
} LambdaScope;

typedef struct BindContext BindContext;
struct BindContext {
    Arena *arena;
    const Scope *scope;
    const DialectRules *rules;  /* NULL: bidsql */
    /* Called before the default handling of AST_CALL, AST_NAME, AST_SCALAR_QUERY, AST_EXISTS, AST_IN_QUERY, AST_QUANTIFIED, and, with `everywhere`, of
     * any node. *handled = true: *result is what it means. May bind arguments itself through bind_expression with another context. NULL: none. */
    Error *(*special)(BindContext *context, const AstExpr *ast, Expr **result, bool *handled);
    bool everywhere;
    /* What a type name that is not built in means; *type NULL: unknown. NULL: there are none. */
    Error *(*custom_type)(BindContext *context, const AstType *ast, const Type **type);
    /* A call of a function that is not built in. NULL: there are none. */
    Error *(*user_function)(BindContext *context, const AstExpr *call, Expr **result);
    const LambdaScope *lambda;  /* the innermost one around; its parameters hide columns. NULL: none */
    /* Does the column hold nothing but NULLs that were given no type? They are then read as a literal NULL, which fits any. NULL: all columns have types. */
    bool (*untyped)(const BindContext *context, int column);
    void *owner;                /* the query binder's own */
    const char *where;          /* for messages: "in WHERE"; NULL none */
};

Error *bind_expression(BindContext *context, const AstExpr *ast, Expr **expr);
/* The same, and it must be BOOLEAN. `what`: "WHERE", "the condition of JOIN". */
Error *bind_condition(BindContext *context, const AstExpr *ast, const char *what, Expr **expr);
/* A value known now: no columns, does not fail. to NULL: its own type. `what`: "LIMIT". */
Error *bind_constant(BindContext *context, const AstExpr *ast, const Type *to, const char *what, Value *value);
/* A type as written. */
Error *bind_type(BindContext *context, const AstType *ast, const Type **type);

/* ---- parts of it ---- */

/* whole.name: a field of a STRUCT, or the value of a MAP with text keys. */
Error *bind_field(BindContext *context, Expr *whole, const char *name, Span name_at, Span at, Expr **result);
/* The expression must be BOOLEAN; a bare NULL becomes one. */
Error *bind_boolean(BindContext *context, const char *what, Expr **expr);
/* In small letters. */
const char *lower_word(Arena *arena, const char *text);
/* CASE or COALESCE of arguments that have the type. */
Expr *expr_choice(Arena *arena, ExprKind kind, const Type *type, Expr **args, int count, Span at);
/* when, then, when, then .. [else]: their common type. */
Error *bind_choice(BindContext *context, Expr **args, int count, Span at, Expr **result);
/* bind_call.c: a function or operator by its name, computed at once if its arguments are constants. */
Error *bind_function(BindContext *context, const char *name, Span at, int count, Expr *const args[], Expr **result);
Error *bind_call(BindContext *context, const AstExpr *ast, Expr **result);
Error *bind_extract(BindContext *context, const AstExpr *ast, Expr **result);
Error *bind_cast(BindContext *context, const AstExpr *ast, Expr **result);
/* bind_row.c: (a, b) and ROW(a, b); such rows compared, also with those of a list. */
bool ast_is_row(const AstExpr *expr);
Error *row_comparison(Arena *arena, AstOperator op, const AstExpr *left, const AstExpr *right, Span at, AstExpr **result);
Error *bind_row_in_list(BindContext *context, const AstExpr *in, Expr **result);
/* bind_lambda.c: a call of a function that takes lambdas; a name, if it is a lambda's parameter (else *result stays NULL). */
Error *bind_apply(BindContext *context, const AstExpr *ast, Expr **result);
Error *bind_parameter(BindContext *context, const AstExpr *name, Expr **result);
Error *unknown_parameter(BindContext *context, const AstName *name); /* where there are no columns */

/* ---- names ---- */

/* The column that the first one or two names of a path mean; *used says how many of them (the rest are fields). */
Error *scope_resolve(Arena *arena, const Scope *scope, const AstNames *path, Span at, int *column, const Column **info, int *used);
/* The same for a single name; *column = -1 and no error if there is none. */
Error *scope_find(Arena *arena, const Scope *scope, const char *qualifier, const char *name, Span at, int *column, const Column **info);
/* error with the nearest names of the scope suggested: "no column 'auctoin' in bids". */
Error *scope_unknown(Arena *arena, const Scope *scope, const char *name, Span at);

/* The name that a select item without alias gets: the column's or field's name, NULL if it has none. */
const char *ast_expr_name(const AstExpr *ast);
/* A call such as DATEADD(minute, 5, ts), whose first argument is no column but a unit of time. */
bool has_bare_unit(const AstExpr *ast);
