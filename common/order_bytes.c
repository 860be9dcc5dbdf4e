/* common/order_bytes.c: see order_bytes.h. */
#include "common/order_bytes.h"
#include <string.h>
#include "common/calendar.h"
#include "common/value_bytes.h"

static void put_big_endian(Text *bytes, unsigned __int128 value, int width)
{
    char out[16];
    for (int i = 0; i < width; i++)
        out[i] = (char)(value >> (8 * (width - 1 - i)));
    text_add(bytes, out, (size_t)width);
}

static void put_escaped(Text *bytes, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        text_add_char(bytes, text[i]);
        if (text[i] == 0)
            text_add_char(bytes, (char)0xFF);
    }
    text_add(bytes, "\0\0", 2);
}

static void put_value(Text *bytes, const Vector *vector, uint32_t row)
{
    const uint32_t at = row & vector_mask(vector);
    switch (type_physical(vector->type)) {
    case PHYSICAL_BOOL: text_add_char(bytes, (char)((const uint8_t *)vector->values)[at]); return;
    case PHYSICAL_INT64: put_big_endian(bytes, ((const uint64_t *)vector->values)[at] ^ 1ull << 63, 8); return;
    case PHYSICAL_DOUBLE: {
        uint64_t bits = double_key_bits(((const double *)vector->values)[at]);
        put_big_endian(bytes, bits >> 63 ? ~bits : bits | 1ull << 63, 8);
        return;
    }
    case PHYSICAL_INT128:
        put_big_endian(bytes, (unsigned __int128)((const Int128 *)vector->values)[at] ^ (unsigned __int128)1 << 127, 16);
        return;
    case PHYSICAL_INTERVAL: {
        const Interval *interval = (const Interval *)vector->values + at;
        Int128 us = (Int128)interval->months * 30 * US_PER_DAY + interval->us;
        put_big_endian(bytes, (unsigned __int128)us ^ (unsigned __int128)1 << 127, 16);
        return;
    }
    case PHYSICAL_STR: {
        const Str *str = (const Str *)vector->values + at;
        put_escaped(bytes, str_bytes(str), str->length);
        return;
    }
    case PHYSICAL_ARRAY:
    case PHYSICAL_STRUCT: { /* some order */
        Text nested = { 0 };
        MEMORY_HOLD(text_unwind, &nested);
        value_bytes_put(&nested, vector, row, true);
        put_escaped(bytes, text_c(&nested), nested.length);
        text_release(&nested);
        return;
    }
    }
}

void order_bytes_put(Text *bytes, const Vector *vector, uint32_t row, bool descending, bool nulls_first)
{
    if (vector_is_null(vector, row)) {
        text_add_char(bytes, nulls_first ? 0 : 2);
        return;
    }
    text_add_char(bytes, 1);
    size_t start = bytes->length;
    put_value(bytes, vector, row);
    for (size_t at = start; descending && at < bytes->length; at++)
        bytes->bytes[at] = (char)~bytes->bytes[at];
}
