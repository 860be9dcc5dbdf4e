/* planner/logical.h: building the logical plan.
 *
 * A logical plan is a DAG of the nodes of plan.h that have no id, segment or name yet. The binder builds it with the functions
 * below, which keep `schema` and `traits` right; rewrites change it; physical.c finishes it. */
#pragma once
#include "planner/plan.h"

typedef PlanNode LogicalNode;

static inline PlanInput main_port(PlanNode *node) { return (PlanInput){ node, PORT_MAIN }; }

/* An empty node over the inputs; schema and traits are the caller's to fill (logical_derive). */
LogicalNode *logical_node(Arena *arena, PlanKind kind, Span at, int input_count, const PlanInput inputs[]);

/* Columns of a port: the node's schema, its input's columns plus late_columns, or dead_letter_columns. */
Schema port_schema(Arena *arena, PlanInput input);
/* Traits of a port: side ports are append-only and have no keys. */
EdgeTraits port_traits(Arena *arena, PlanInput input);

/* Fills node->traits from its inputs' traits and its payload; for nodes that pass columns on, node->schema too. */
void logical_derive(Arena *arena, LogicalNode *node);

LogicalNode *logical_filter(Arena *arena, PlanInput input, Expr *predicate, RowPolicy on_error, Span at);
/* columns: name and hidden of each output; types come from the expressions. */
LogicalNode *logical_project(Arena *arena, PlanInput input, Expr **exprs, const Column *columns, int count, RowPolicy on_error, Span at);
/* A row for each element of the lists: see PlanNode.unnest. */
LogicalNode *logical_unnest(Arena *arena, PlanInput input, const int lists[], int list_count, bool outer, bool ordinality, Span at);
LogicalNode *logical_limit(Arena *arena, PlanInput input, int64_t limit, int64_t offset, Span at);
LogicalNode *logical_union(Arena *arena, const PlanInput inputs[], int count, Span at);
LogicalNode *logical_values(Arena *arena, const Schema *schema, Value *rows, int row_count, Span at);

/* The projection that keeps the given columns of the input, in this order. */
LogicalNode *logical_pick(Arena *arena, PlanInput input, const int columns[], int count, Span at);

/* Expressions that a node evaluates over its input: *count of them, changeable in place. */
Expr **logical_exprs(LogicalNode *node, int *count);

/* Columns of the input that a node reads by index (keys, arguments, times), as addresses, so that a rewrite can renumber them. */
typedef struct ColumnRefs { int **items; int count, capacity; } ColumnRefs;
void logical_column_refs(Arena *arena, LogicalNode *node, ColumnRefs *refs);

/* Is the column one of the event-time columns of these traits? NULL if not. */
const TimeColumn *traits_time(const EdgeTraits *traits, int column);

/* All nodes under the roots, each once, inputs first. */
typedef struct NodeList { LogicalNode **items; int count, capacity; } NodeList;
void logical_order(Arena *arena, const PlanInput roots[], int root_count, NodeList *nodes);
/* Where a node stands in the list that was made last; -1: it is not there. */
int logical_place(const NodeList *nodes, const LogicalNode *node);

/* Places of a list by a hash of what stands there: candidates, the last added first. */
typedef struct PlaceTable { int *heads, *next; uint64_t mask; } PlaceTable;
PlaceTable place_table(Arena *arena, int count);
void place_add(PlaceTable *table, uint64_t hash, int place);
static inline int place_first(const PlaceTable *table, uint64_t hash) { return table->heads[hash & table->mask] - 1; }
static inline int place_next(const PlaceTable *table, int place) { return table->next[place] - 1; }

/* Gives every node and expression under `node` the place `at`: they came from another text. */
void logical_replace_spans(Arena *arena, PlanInput input, Span at);

/* ---- joins: logical_join.c ---- */
/* Traits of a join; its schema stays as it is. */
void logical_derive_join(Arena *arena, LogicalNode *node);
/* Of bounded input: rows may come out long after their time and still count, as windows over them close at the end. Such a time bounds nothing. */
#define LAG_UNTIL_END (INT64_MAX / 4)
/* Columns of one input that it reads by index. */
void logical_join_refs(Arena *arena, LogicalNode *node, int side, ColumnRefs *refs);
void join_canonical(const LogicalNode *node, Text *text);
void join_state_bound(const LogicalNode *node, Text *text);
void explain_join(const LogicalNode *node, Text *text);

/* ---- traits in the making ---- */
/* Times of a windowed aggregate's rows. logical_window.c. */
void logical_derive_window(Arena *arena, LogicalNode *node);
/* What window_time is further behind where the watermark is finer than a millisecond. */
int64_t logical_finer_than_ms(Arena *arena, const LogicalNode *node, int time_column);
void traits_add_time(Arena *arena, EdgeTraits *traits, TimeColumn time);
void traits_add_key(Arena *arena, EdgeTraits *traits, int count, const int *columns);

/* True for nodes that pass every column of input 0 on, in place, and may add columns behind. */
bool logical_passes_columns(const LogicalNode *node);
