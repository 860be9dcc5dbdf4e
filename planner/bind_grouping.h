/* planner/bind_grouping.h: what the files of aggregation share. Private to bind_aggregate.c and bind_aggregate_nodes.c. */
#pragma once
#include "planner/binder.h"

typedef struct Key {
    const AstExpr *ast;
    Expr *expr;
    const char *text;   /* canonical */
    const char *name;
    int column;         /* of the result */
} Key;

typedef struct Call {
    const AstExpr *ast;
    AggregateCallArgs of;
    Expr *filter;
    const char *text, *name;
} Call;

typedef struct Grouping {
    Block *block;
    Arena *arena;
    struct { Key *items; int count, capacity; } keys;
    struct { Call *items; int count, capacity; } calls;
    bool windowed;          /* the block has a window of its own */
    bool window_grouped;    /* GROUP BY names the bounds of FROM's window function */
    bool again;             /* rows that are windowed already, grouped by their window */
    WindowSpec again_spec;
    GroupingSets sets;      /* none: every row is in one group. Their number is one more key, behind the others */
    uint64_t found;         /* keys that group_item has just found */
    int between;            /* columns between keys and calls: bounds and pseudo columns */
    bool *in_alias;         /* per item of SELECT: its alias is being replaced by it, and means nothing inside */
} Grouping;

static inline uint64_t key_bit(int key) { return key < 64 ? (uint64_t)1 << key : 0; }

/* Keys of the aggregate: the number of the set is the last one. */
static inline int key_width(const Grouping *grouping) { return grouping->keys.count + (grouping->sets.count > 0); }

/* ---- bind_aggregate_nodes.c ---- */

/* Rows that are already windowed, grouped by their window's bound again: the window that this means. */
bool grouping_regroups(Arena *arena, const Relation *over, const Grouping *grouping, WindowSpec *spec);
/* The nodes over `over`, and what their columns mean. */
Error *grouping_build(Block *block, Grouping *grouping, Relation *over, Relation *result);
/* WINDOWSTART, WINDOWEND, ROWTIME in milliseconds. */
Error *grouping_pseudo_columns(Grouping *grouping, Relation *result);
