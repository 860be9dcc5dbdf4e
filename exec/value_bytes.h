/* exec/value_bytes.h: values as bytes in state and in snapshots: common/value_bytes.h, whose damage is an error here. */
#pragma once
#include "common/value_bytes.h"
#include "exec/snapshot.h"

/* Appends the value at a row. With `as_key`, -0.0 becomes 0.0 and every NaN the same NaN. */
static inline void bytes_put(Text *bytes, const Vector *vector, uint32_t row, bool as_key) { value_bytes_put(bytes, vector, row, as_key); }
/* Reads one value of the type and moves *next; strings are views of the bytes, nested values are built in the arena. */
static inline Error *bytes_get(Arena *arena, const Type *type, const char **next, const char *end, Value *value)
{
    return value_bytes_get(arena, type, next, end, value) ? NULL : page_damaged("a value ends early");
}
/* Writes a value into row `row` of a FLAT vector, NULL included; long strings are copied to the arena. */
static inline void vector_put_value(Arena *arena, Vector *vector, uint32_t row, const Value *value) { vector_set(arena, vector, row, value); }
