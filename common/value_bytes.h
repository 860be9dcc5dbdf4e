/* common/value_bytes.h: the one canonical byte form of values: keys of several columns, nested values in state, snapshots.
 *
 *   scalar   0 | 1 value          BOOLEAN 1 byte, 64-bit types 8, DECIMAL over 18 digits 16, INTERVAL 16
 *   string   0 | 1 length u32 bytes
 *   ARRAY    0 | 1 count u32 elements     MAP: of key, value pairs     STRUCT: 0 | 1 fields */
#pragma once
#include "common/vector.h"

/* Appends the value at a row. With `as_key`, -0.0 becomes 0.0 and every NaN the same NaN. */
void value_bytes_put(Text *bytes, const Vector *vector, uint32_t row, bool as_key);
/* Reads one value of the type and moves *next; strings are views of the bytes, nested values are built in the arena. False: the bytes
 * are no such value. */
bool value_bytes_get(Arena *arena, const Type *type, const char **next, const char *end, Value *value);

/* One NaN, one zero. */
static inline uint64_t double_key_bits(double number)
{
    uint64_t bits;
    if (number == 0)
        number = 0;
    else if (number != number)
        return 0x7FF8000000000000ull;
    memcpy(&bits, &number, 8);
    return bits;
}
