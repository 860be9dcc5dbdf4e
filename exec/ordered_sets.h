/* exec/ordered_sets.h: slot -> sorted (value, count): MIN and MAX that can shrink.
 *
 * A treap per slot; nodes lie in one array with a free list, roots in StateColumns. The priorities come from the node's number, so
 * the shape never shows. A snapshot lists (slot, value, count) in order of slot and value.
 *
 *   node   i64 left | i64 right | i64 count | Str or int128 or int64 value (16 bytes) */
#pragma once
#include "common/vector.h"
#include "exec/state_columns.h"

typedef struct OrderedNode {
    uint32_t left, right; /* node + 1; 0: none */
    int64_t count;
    union { int64_t integer; double number; Int128 decimal; Str text; Interval interval; } value;
} OrderedNode;

typedef struct OrderedSets {
    Container container;
    const Type *type;
    PhysicalType physical;
    OrderedNode *nodes;
    size_t nodes_bytes;
    uint32_t node_count, free_node; /* free_node + 1 heads the list of free nodes, linked by `left` */
    uint32_t *roots;                /* by slot: node + 1 */
    size_t roots_bytes;
    uint32_t slot_count;
    StateHeap heap;
} OrderedSets;

void ordered_sets_init(OrderedSets *sets, MemoryPool *pool, const Type *type);
void ordered_sets_release(OrderedSets *sets);
void ordered_sets_clear(OrderedSets *sets);
/* Adds `by` (+1, -1) to the count of a value in a slot; a value of count 0 is gone. */
void ordered_sets_add(OrderedSets *sets, uint32_t slot, const Vector *vector, uint32_t row, int64_t by);
/* The smallest or largest value of the slot; NULL: none. */
const OrderedNode *ordered_sets_end(const OrderedSets *sets, uint32_t slot, bool largest);
/* Which of two nodes' values is smaller: < 0 the first. */
int ordered_compare(const OrderedSets *sets, const OrderedNode *a, const OrderedNode *b);
void ordered_sets_put(const OrderedSets *sets, const OrderedNode *node, Vector *out, uint32_t row, Arena *arena);
/* Slots where bit `live` is clear go; the others move to remap[slot]. */
void ordered_sets_keep(OrderedSets *sets, const uint64_t *live, const uint32_t *remap, uint32_t kept);
