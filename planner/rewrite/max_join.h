/* planner/rewrite/max_join.h: joins of rows with the largest or smallest value of their own groups, as rules find them. */
#pragma once
#include "planner/rewrite/rewrite.h"

typedef struct MaxJoin {
    LogicalNode *join, *aggregate;
    int most;                    /* the input with the value; the other one has the rows */
    PlanInput common;            /* the rows that both are made of */
    int value;                   /* of `common`: what is largest; -1: not found yet */
    bool smallest;               /* MIN */
    int *columns; int column_count; /* of `common`: what the group's keys are equal to */
    int row_value;               /* of the input with the rows */
    const LogicalNode *assign;   /* the window assignment that stands between them and the input, if one does */
    bool assigned;               /* its windows are the group's own, and equal */
    const JoinCompare **others; int other_count; /* comparisons that are not of the value: the rule's to understand */
} MaxJoin;

/* An inner join of append-only rows with MAX or MIN of them, by equalities of the group's keys and of the value (or x >= MAX(x)); nothing but projections,
 * conditions that cannot fail and an assignment of windows stands between, and only the rows' side has the latter two. */
bool max_join_find(Arena *arena, LogicalNode *join, MaxJoin *found);
/* The join's result out of rows with the columns of `common`, chosen from them. False: what the value's side has beside keys and value is read. */
bool max_join_result(Arena *arena, const NodeList *nodes, const MaxJoin *found, PlanInput rows, PlanInput *result);
/* Does nobody above the node depend on the order of its rows, nor (`times`) on when they come by their times? */
bool max_join_may_reorder(Arena *arena, const NodeList *nodes, const LogicalNode *node, bool times);
/* A new way like the one that leads from `from` down to `to`, over `rows`. */
PlanInput max_join_copy(Arena *arena, PlanInput from, PlanInput to, PlanInput rows);

/* The column of `to` that a column of `from` is, through projections and filters; -1: none. */
int max_join_trace(PlanInput from, PlanInput to, int column);
/* The node below projections and filters that a column comes from, and its place there; NULL: it is computed on the way. */
LogicalNode *max_join_origin(PlanInput from, int *column);
