/* functions/packed.h: values of any type in an aggregate's state, one behind the other in a string of the state heap.
 *
 *   entry   length u32 | number i64 | the value's canonical bytes (common/value_bytes.h), or those of several
 *
 * What `number` counts is the list's affair: when the value came, how often it is there. Entries are found by their offset. */
#pragma once
#include "functions/aggregate.h"
#include "common/value_bytes.h"

#define PACKED_NONE UINT32_MAX

typedef struct PackedEntry {
    uint32_t offset, next;   /* of the entry, and of the one behind it */
    int64_t number;
    const char *value;
    uint32_t length;         /* of the value */
} PackedEntry;

/* The entry at an offset; false: the list ends there. */
bool packed_at(const Str *list, uint32_t offset, PackedEntry *entry);
#define PACKED_EACH(list, entry) uint32_t at_ = 0; packed_at((list), at_, (entry)); at_ = (entry)->next
void packed_insert(StateHeap *heap, Str *list, uint32_t offset, const char *value, size_t length, int64_t number);
void packed_append(StateHeap *heap, Str *list, const char *value, size_t length, int64_t number);
void packed_remove(StateHeap *heap, Str *list, uint32_t offset);
void packed_set_number(Str *list, uint32_t offset, int64_t number);
/* The first or the last entry with this value. */
uint32_t packed_find(const Str *list, const char *value, size_t length, bool last);
bool packed_equal(const PackedEntry *entry, const char *value, size_t length);

/* Order of two scalars of the type; NaN is the largest, NULL larger. */
int packed_compare(const Type *type, const char *a, const char *b);
/* Behind the scalar of the type. */
const char *packed_skip(const Type *type, const char *value);
/* The n-th of several values behind each other. */
Value packed_value(Arena *arena, const Type *const types[], int n, const PackedEntry *entry);

/* A list whose values are different from each other, `number` of each: COLLECT_SET, HISTOGRAM. Entries of number 0 are gone; they are
 * cleared away once they are most of it. */
typedef struct Bag {
    Str entries;
    Str index;          /* u32 offset + 1, a power of two of them, open addressing; empty: not made yet */
    int64_t live, dead; /* entries */
} Bag;
#define BAG_LAYOUT "stll"
/* `by` more or fewer of the value. With a limit, values beyond it do not get in. */
void bag_add(StateHeap *heap, Bag *bag, const char *value, size_t length, int64_t by, int64_t limit);

/* When a row came: rows in order have ascending numbers. */
static inline int64_t arrival_of(const AggregateArgs *args, uint32_t row)
{
    enum { ROW_BITS = 24 };
    const uint64_t most = (1u << ROW_BITS) - 1, at = args->evaluation->first_row + row;
    return (int64_t)(args->evaluation->turn << ROW_BITS | (at < most ? at : most));
}
/* Whether the row takes one back. */
static inline bool row_goes(const AggregateArgs *args, uint32_t row) { return args->kinds && row_kind_retracts(args->kinds[row]); }
