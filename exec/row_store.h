/* exec/row_store.h: rows that an operator keeps: by number, in place, strings included.
 *
 *   entry   the operator's own integers | sort key (Str) | NULL bits, 64 columns a word | a field per column
 *           (BOOLEAN as int64, nested values as their canonical bytes)
 *
 * A number that is freed is the next one that is given out. */
#pragma once
#include "exec/state_columns.h"

typedef struct RowStore {
    Container container;
    const Schema *schema;
    int own_count;          /* of the operator's integers */
    const char *layout;
    size_t *offsets;        /* of each column's field */
    StateColumns rows;
    uint32_t count;         /* numbers given out so far */
    uint32_t *free_rows;    /* last freed last */
    size_t free_capacity;
    uint32_t free_count;
    Text scratch;
} RowStore;

/* What is common to all stores of an operator lives in the arena. */
void row_store_init(RowStore *store, Arena *arena, MemoryPool *pool, const Schema *schema, int own_count);
/* Another one of the same kind. */
void row_store_init_like(RowStore *store, const RowStore *other);
void row_store_release(RowStore *store);
void row_store_clear(RowStore *store);
/* Copies a row in with its sort key; returns its number. */
uint32_t row_store_add(RowStore *store, const Batch *batch, uint32_t row, const Str *key);
void row_store_free(RowStore *store, uint32_t number);
/* The operator's integers, the key. */
static inline int64_t *row_store_own(const RowStore *store, uint32_t number) { return (int64_t *)state_entry(&store->rows, number); }
static inline const Str *row_store_key(const RowStore *store, uint32_t number)
{
    return (const Str *)(state_entry(&store->rows, number) + 8 * (size_t)store->own_count);
}
/* Writes rows numbers[0..count) into the schema's columns, from row `first` on; ROW_NONE is a row of NULLs. */
#define ROW_NONE UINT32_MAX
Error *row_store_gather(const RowStore *store, const uint32_t *numbers, uint32_t count, Vector *const columns[], uint32_t first,
                        Arena *arena);
/* The same for one column. */
Error *row_store_gather_column(const RowStore *store, int column, const uint32_t *numbers, uint32_t count, Vector *vector, uint32_t first,
                               Arena *arena);
bool row_store_is_null(const RowStore *store, uint32_t number, int column);
int64_t row_store_bits(const RowStore *store, uint32_t number, int column); /* of a value of 64 bits */
bool row_store_is_true(const RowStore *store, uint32_t number, int column); /* of a BOOLEAN column */
