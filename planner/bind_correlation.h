/* planner/bind_correlation.h: sub-queries that name columns of the query around them. Private to the room. */
#pragma once
#include "planner/binder.h"

typedef struct Pair { AstExpr *outer, *inner; } Pair; /* outer = inner */

typedef struct Correlation {
    Block *block;               /* around it */
    Relation *relation;         /* the rows around it */
    Block inner;                /* the FROM of the sub-query, for its names */
    struct { Pair *items; int count, capacity; } pairs;
    AstExprs kept;              /* of its WHERE */
    int uses;
    const AstExpr *comparison; AstExpr *inner_side, *outer_side; AstOperator op; /* inner op outer, no equality */
    AstExprs both;              /* other conditions that name columns of both */
    bool inner_name, unknown_name; /* found one */
} Correlation;

/* What may name columns of the outer query, beside equalities in WHERE: one comparison, any condition, what is selected. */
enum { CORRELATE_COMPARISON = 1, CORRELATE_CONDITIONS = 2, CORRELATE_ITEMS = 4 };

/* Takes WHERE apart. Binds FROM, to know its names; the sub-query takes it from there. */
Error *correlate(Block *block, Relation *relation, const AstQuery *query, int uses, Correlation *correlation);
/* Are the names of what is left of WHERE known? */
Error *check_correlation(Correlation *correlation);
/* `inner`, a copy of ast->query, with its keys in front of what it selects, one group a key, and without the conditions that they stand for. */
Error *decorrelate(const AstExpr *ast, Correlation *correlation, AstQuery *inner);
char *correlation_key(Arena *arena, const AstExpr *ast, int key); /* its name there */
/* Does the sub-query alone know what it means? */
bool correlation_is_inner(Correlation *correlation, const AstExpr *ast);
/* The names in it that are columns of the outer row. */
Error *correlation_outer_names(Correlation *correlation, const AstExpr *ast, AstExprs *names);
bool correlation_names_outer(Correlation *correlation, const AstExpr *ast);
bool correlation_is_outer(Correlation *correlation, const AstExpr *ast);
/* What an expression in a sub-query means, or asks, of the outer row; outer_ast: where that has been grouped, by its keys. */
Error *outer_ast(Block *block, const Relation *relation, const AstExpr *ast, AstExpr **mapped);
Error *outer_expr(Block *block, const Relation *relation, const AstExpr *ast, Expr **expr);

/* Does the equality with this of the outer row tie the sub-query, or is it one of the conditions? */
typedef Error *KeptPair(void *context, const AstExpr *outer, bool *keep);
/* EXISTS, IN and values whose sub-queries compare columns of the outer query otherwise than for equality, as expressions over lists of rows. `keeps` NULL:
 * all equalities tie. *result NULL: it is no such sub-query. bind_subquery_list.c */
Error *subquery_by_list(Block *block, Relation *relation, const AstExpr *ast, KeptPair *keeps, void *context, AstExpr **result);

/* The selected expression that a number or an alias means; the expression itself if it is neither. */
AstExpr *correlation_numbered_item(const AstQuery *query, AstExpr *expr);

bool ast_is_comparison(const AstExpr *expr); /* <>, <, <=, >, >= */
AstExpr *ast_conjunction(Arena *arena, const AstExprs *conjuncts); /* NULL: none */
