/* exec/pair_set.h: (slot, value) -> which filters have seen it: DISTINCT.
 *
 * One probe per row whatever number of aggregates look at the column: COUNT(DISTINCT x) FILTER (WHERE a), COUNT(DISTINCT x) FILTER
 * (WHERE b), SUM(DISTINCT x) share one set, each with its bit. Where the input retracts, each has a count instead.
 * Chained, the pairs of one slot are a list, so that groups can merge and end one by one (sessions).
 * State: KeyTable of (slot, value) + StateColumns of one word of bits or of one count a bit, and of a link where chained
 * (0: not in a list; 1: the last one; n + 2: pair n follows) + where chained, per slot the number of its first pair, from 1. */
#pragma once
#include "exec/key_table.h"
#include "exec/state_columns.h"

typedef struct PairLayout {
    KeyLayout keys;       /* BIGINT slot, then the value's columns */
    int bit_count;        /* at most 64 */
    bool counted;         /* the input retracts */
    bool chained;
    char state_layout[66];
} PairLayout;

void pair_layout_init(PairLayout *layout, Arena *arena, const Type *const types[], int type_count, int bit_count, bool counted,
                      bool chained);

typedef struct PairSet {
    Container container;
    const PairLayout *layout;
    KeyTable keys;
    StateColumns state;
    StateColumns heads;   /* where chained */
    uint32_t linked;      /* pairs in lists; the others belong to groups that have ended */
} PairSet;

/* What adding needs for a batch at a time; one an operator. */
typedef struct PairScratch {
    KeyBatch keys;
    Vector slots;         /* BIGINT, by row */
    uint32_t *pairs;      /* slots of the pairs */
    char **states;
    uint32_t capacity;
} PairScratch;

void pair_scratch_init(PairScratch *scratch, const PairLayout *layout);
void pair_scratch_release(PairScratch *scratch);

void pair_set_init(PairSet *set, MemoryPool *pool, const PairLayout *layout);
void pair_set_release(PairSet *set);
void pair_set_clear(PairSet *set);
/* Adds (or, for kinds that retract, takes away) the pairs (slots[i], value at rows[i]) for the bits masks[i];
 * changed[i] = the bits for which the pair has just appeared (or gone). */
void pair_set_add(PairSet *set, PairScratch *scratch, const Vector *const values[], uint32_t row_count, const uint32_t *rows,
                  const uint32_t *slots, uint32_t count, const uint64_t *masks, const uint8_t *kinds, uint64_t *changed);
/* Bits of pair number `pair`; *slot and the value's vectors come from pair_set_gather. */
uint64_t pair_set_bits(const PairSet *set, uint32_t pair);
/* Pairs first.. as vectors: columns[0] the slot, then the value's columns. */
void pair_set_gather(const PairSet *set, uint32_t first, uint32_t count, Vector *const columns[], Arena *arena);
/* Slots have new numbers; pairs of slots that are not live go. live == NULL: all slots stay as they are. */
void pair_set_renumber(PairSet *set, PairScratch *scratch, const uint64_t *live, const uint32_t *remap);
/* Chained: the numbers of a slot's pairs, in `arena`. */
uint32_t *pair_set_of_slot(const PairSet *set, uint32_t slot, Arena *arena, uint32_t *count);
/* Chained: the slot has no pairs any more. */
void pair_set_drop(PairSet *set, uint32_t slot);
/* Chained: gives back the memory of dropped pairs once they are most of it. */
void pair_set_compact(PairSet *set, PairScratch *scratch);
size_t pair_set_bytes(const PairSet *set);
