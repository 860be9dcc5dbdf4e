/* planner/expr.h: bound expressions as data: building, comparing, printing, renumbering. Private to the room. */
#pragma once
#include "planner/plan.h"

/* ---- building ---- */

Expr *expr_column(Arena *arena, int column, const char *name, const Type *type, Span at);
Expr *expr_constant(Arena *arena, const Value *value, Span at);
Expr *expr_boolean(Arena *arena, bool value, Span at);
/* AND / OR; one argument is itself; nested ones of the same kind are flattened. */
Expr *expr_logic(Arena *arena, ExprKind kind, Expr *const args[], int count, Span at);
/* A call of a function or operator by name, arguments converted implicitly (string literals too, where a temporal type is
 * asked for). ERR_BIND at `at` if no function fits. */
Error *expr_call(Arena *arena, const char *name, Span at, int count, Expr *const args[], Expr **expr);
/* The explicit conversion; the expression itself if it has the type. Constants of literals are converted at once. */
Error *expr_cast(Arena *arena, Expr *expr, const Type *to, bool try_cast, Span at, Expr **result);
/* The implicit conversion (widening, NULL, string literals to temporal types). ERR_BIND "cannot use VARCHAR as BIGINT" if there is none. */
Error *expr_coerce(Arena *arena, Expr *expr, const Type *to, Expr **result);
/* Converts all to their common type, in place. ERR_BIND: "`what` mixes BIGINT and VARCHAR". */
Error *expr_unify(Arena *arena, const char *what, Expr **exprs[], int count, const Type **type);

/* ---- asking ---- */

bool expr_equal(const Expr *a, const Expr *b);   /* same computation: places and names aside */
uint64_t expr_hash(const Expr *expr);            /* agrees with expr_equal; not seeded */
bool expr_is_constant(const Expr *expr);         /* EXPR_CONSTANT, or a deterministic call of constants without lambdas */
bool expr_can_fail(const Expr *expr);
bool expr_is_volatile(const Expr *expr);
/* Marks used[column] for every column that is read. */
void expr_columns(const Expr *expr, bool *used);
/* The largest column read; -1 none. */
int expr_max_column(const Expr *expr);
/* Calls visit for every EXPR_COLUMN of the tree (it may change the node). */
void expr_visit_columns(Expr *expr, void (*visit)(void *owner, Expr *column), void *owner);
bool expr_is_true(const Expr *expr);             /* the constant TRUE */

/* ---- changing ---- */

Expr *expr_copy(Arena *arena, const Expr *expr); /* deep; constants and types shared */
/* In place: column i becomes map[i]. */
void expr_remap(Expr *expr, const int *map);
/* The AND's arguments (flattened), or the expression itself. */
typedef struct ExprList { Expr **items; int count, capacity; } ExprList;
void expr_conjuncts(Arena *arena, Expr *expr, ExprList *list);
/* Replaces calls of constants by their results; one that fails stays (R13). The same pointer if nothing changed. */
Expr *expr_fold(Arena *arena, Expr *expr);
/* The same for EXPR_APPLY whose folded arguments are given: small constant collections are worked off while planning. fold_lambda.c. */
Expr *fold_apply(Arena *arena, Expr *expr);
/* Computes a constant expression. False when it is not constant or fails; then *reason (may be NULL) says why it failed, or is NULL. */
bool expr_evaluate_constant(Arena *arena, const Expr *expr, Value *value, const char **reason);

/* ---- printing ---- */

/* As SQL, for EXPLAIN: price > 100 AND channel = 'x'. Columns by their names. */
void expr_print(const Expr *expr, Text *text);
/* Unambiguous, for fingerprints: columns by number, types and overloads written out. */
void expr_canonical(const Expr *expr, Text *text);
