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
    const JoinCompare **others; int other_count; /* comparisons that are not of the value: the rule's to understand */
    Expr **results;              /* the join's columns over the input with the rows */
} MaxJoin;

/* An inner join of append-only rows with MAX or MIN of them, by equalities of the group's keys and of the value (or x >= MAX(x)); nothing but projections and
 * conditions that cannot fail stands between, and only the rows' side has conditions. What the value's side has beside keys and value is not read. */
bool max_join_find(Arena *arena, const NodeList *nodes, LogicalNode *join, MaxJoin *found);
/* The join's result out of its rows, chosen below: `rows` has the columns of `common`. */
PlanInput max_join_result(Arena *arena, const MaxJoin *found, PlanInput rows);

/* The column of `to` that a column of `from` is, through projections and filters; -1: none. */
int max_join_trace(PlanInput from, PlanInput to, int column);
/* The node below projections and filters that a column comes from, and its place there; NULL: it is computed on the way. */
LogicalNode *max_join_origin(PlanInput from, int *column);
