/* planner/bind_join.h: what the parts of binding a join share. Private to the room. */
#pragma once
#include "planner/binder.h"

/* ON and WITHIN, taken apart. Expressions of a side are over its columns, the condition over both sides' laid side by side. */
typedef struct JoinTerm { /* an equality, or a comparison of 64 bits: right <= left + offset, or right >= left + offset */
    Expr *exprs[2];
    bool at_least;
    int64_t offset;
} JoinTerm;

typedef struct Lateral Lateral;

typedef struct JoinBinding {
    Block *block;
    const AstRelation *ast;
    bool preserved[2];
    bool left_bound;          /* sides[0] is there already */
    Lateral *lateral;         /* the right side names columns of the left one; NULL: it does not */
    bool only_on;             /* columns of the right side are what they are only above the join: WHERE does not go below it */
    bool versions;            /* FOR SYSTEM_TIME AS OF their time */
    const int *version_keys; int version_key_count; /* columns of the right side */
    bool table;               /* rows of the left side look into the right one */
    Relation sides[2];
    Relation joint;           /* both, for names */
    int left_count;
    AstNames using;           /* USING, NATURAL */
    struct { JoinTerm *items; int count, capacity; } keys, compares;
    ExprList filters[2];      /* of one side alone, before the join */
    ExprList rest;
    AstExprs above;           /* with sub-queries, of an inner join: over the joined rows */
    int on_keys;              /* so many keys, the first ones, are of ON and USING */
    int window_keys;          /* so many keys, the last ones, are bounds of windows that both sides' keys hold */
    int64_t grace_us, before_us, after_us;
    bool grace_given;
} JoinBinding;

/* The conditions of ON and USING, and those of WHERE that an inner join can use. bind_join_terms.c. */
Error *bind_join_terms(JoinBinding *join, int first_right);

enum { JOIN_OF_LEFT = 1, JOIN_OF_RIGHT = 2 };
/* Of an expression over both sides. */
int join_sides_of(const Expr *expr, int left_count);

/* join->joint, from the sides as they are now; bind_join.c. */
void bind_join_names(JoinBinding *join);

/* Of outer joins: answers sub-queries in `conjuncts` beside the rows of a side. first_right: of the block's parts the right side's first.
 * bind_join_subqueries.c. */
Error *bind_on_subqueries(JoinBinding *join, int first_right, AstExprs *conjuncts);

/* What the preset refuses; bind_join_rules.c. */
Error *bind_join_rules(const JoinBinding *join);

/* ---- bind_join_message.c ---- */
/* Keys of messages that hold windows are joined with their windows: in ksqlDB's preset, elsewhere those of two TABLEs that are joined on nothing but keys. */
void bind_join_window_keys(JoinBinding *join);
/* Two tables, by something that is not the left one's key. */
bool bind_join_is_foreign(const JoinBinding *join);
/* The key of the result is no column of a side. */
bool bind_join_names_key(const JoinBinding *join);
void bind_join_message(JoinBinding *join, const LogicalNode *node, int left_width, Relation *relation);

/* col, col + INTERVAL, col - INTERVAL of a TIMESTAMP. */
bool join_time_offset(Expr *expr, Expr **column, int64_t *offset_us);

/* ---- bind_history.c ---- */
/* Are the rows versions of keys? Newest rows become their history then. *keys: columns of the relation. */
bool bind_history(Arena *arena, Relation *relation, const int **keys, int *key_count);

/* ---- bind_lateral.c ---- */
bool is_lateral(const AstRelation *join);
/* When the left side is bound: *right is what is joined with it; join->ast is the join that this is. */
Error *bind_lateral(JoinBinding *join, AstRelation *right);
/* When the right side is bound: which of its columns are to be seen, and how they are called. */
Error *lateral_columns(Lateral *lateral, Relation *right);
/* When both are joined. */
Error *finish_lateral(Lateral *lateral, Relation *relation);

/* A lateral sub-query of one row that compares columns of the left row otherwise than for equality; *done: it was one. bind_lateral_values.c */
Error *bind_lateral_values(Block *block, const AstRelation *join, const Relation *left, bool *done, Relation *relation);
