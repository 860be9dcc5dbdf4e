/* planner/bind_join.h: what the parts of binding a join share. Private to the room. */
#pragma once
#include "planner/binder.h"

/* ON and WITHIN, taken apart. Expressions of a side are over its columns, the condition over both sides' laid side by side. */
typedef struct JoinTerm { /* an equality, or a comparison of 64 bits: right <= left + offset, or right >= left + offset */
    Expr *exprs[2];
    bool at_least;
    int64_t offset;
} JoinTerm;

typedef struct JoinBinding {
    Block *block;
    const AstRelation *ast;
    bool preserved[2];
    bool table;               /* rows of the left side look into the right one */
    Relation sides[2];
    Relation joint;           /* both, for names */
    int left_count;
    AstNames using;           /* USING, NATURAL */
    struct { JoinTerm *items; int count, capacity; } keys, compares;
    ExprList filters[2];      /* of one side alone, before the join */
    ExprList rest;
    AstExprs above;           /* with sub-queries: over the joined rows */
    int64_t grace_us;
} JoinBinding;

/* The conditions of ON and USING, and those of WHERE that an inner join can use. bind_join_terms.c. */
Error *bind_join_terms(JoinBinding *join);
/* col, col + INTERVAL, col - INTERVAL of a TIMESTAMP. */
bool join_time_offset(Expr *expr, Expr **column, int64_t *offset_us);
