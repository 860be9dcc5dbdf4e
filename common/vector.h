/* common/vector.h: one column of a batch.
 *
 * Layout as Arrow's where that costs nothing. A published vector never changes.
 * Every row of `values` is initialised, also where it is NULL or not selected: a Str there has length 0. */
#pragma once
#include "common/type.h"
#include "common/value.h"

typedef enum VectorEncoding {
    VECTOR_FLAT,     /* a value per row */
    VECTOR_CONSTANT  /* one value (and validity bit 0) for all rows */
} VectorEncoding;

typedef struct Vector {
    const Type *type;
    VectorEncoding encoding;
    uint32_t capacity;         /* rows that fit */
    void *values;              /* by type_physical; NULL for nested types */
    uint64_t *validity;        /* bit set: not NULL; NULL pointer: all valid */
    uint32_t *offsets;         /* ARRAY, MAP: capacity + 1 places in children[0] */
    struct Vector **children;  /* ARRAY: element; MAP: one STRUCT<key, value>; STRUCT: fields */
    uint32_t child_rows;       /* ARRAY, MAP: rows used in children[0] */
} Vector;

/* A FLAT vector for `capacity` rows: values zeroed, no validity (all valid), nested children included. */
Vector *vector_new(Arena *arena, const Type *type, uint32_t capacity);
Vector *vector_constant(Arena *arena, const Value *value);
/* Appends to (or overwrites) row `row` of a FLAT vector; grows the child of an ARRAY as needed. Rows of
 * nested vectors must be set in order. Strings are copied to the arena when longer than a view holds. */
void vector_set(Arena *arena, Vector *vector, uint32_t row, const Value *value);
/* The value at a row; nested values are built in `arena`, strings point into the vector. */
Value vector_get(Arena *arena, const Vector *vector, uint32_t row);
/* Copies rows[0..count) (NULL: 0..count) into a new FLAT vector; strings still point to the same bytes. */
Vector *vector_gather(Arena *arena, const Vector *vector, const uint32_t *rows, uint32_t count);
/* The same for a longer life: strings and nested values are copied to the arena, and `type`, which equals the vector's, is the result's. */
Vector *vector_detach(Arena *arena, const Type *type, const Vector *vector, const uint32_t *rows, uint32_t count);
/* The same out of places where VECTOR_NO_ROW stands for a NULL. `vector` may be NULL: all are. `type` is the result's. */
#define VECTOR_NO_ROW UINT32_MAX
Vector *vector_gather_padded(Arena *arena, const Vector *vector, const Type *type, const uint32_t *places, uint32_t count);

/* row & mask is the place of a row's value: all ones for FLAT, 0 for CONSTANT. */
static inline uint32_t vector_mask(const Vector *vector)
{
    return vector->encoding == VECTOR_CONSTANT ? 0u : ~0u;
}
static inline bool bit_get(const uint64_t *bits, uint32_t row) { return bits[row >> 6] >> (row & 63) & 1; }
static inline void bit_set(uint64_t *bits, uint32_t row) { bits[row >> 6] |= 1ull << (row & 63); }
static inline void bit_clear(uint64_t *bits, uint32_t row) { bits[row >> 6] &= ~(1ull << (row & 63)); }
static inline bool vector_is_null(const Vector *vector, uint32_t row)
{
    return vector->validity && !bit_get(vector->validity, row & vector_mask(vector));
}
/* Marks a row NULL; makes the validity bitmap if there is none yet. */
void vector_set_null(Arena *arena, Vector *vector, uint32_t row);
static inline size_t bitmap_words(uint32_t rows) { return ((size_t)rows + 63) / 64; }
