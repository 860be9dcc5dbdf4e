/* formats/varint.h: numbers in groups of seven bits, the lowest first, as Protocol Buffers and Avro write them. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "common/str.h"

static inline bool read_varint(const char **p, const char *end, uint64_t *value)
{
    *value = 0;
    for (int shift = 0; shift < 64 && *p < end; shift += 7) {
        unsigned char byte = (unsigned char)*(*p)++;
        *value |= (uint64_t)(byte & 0x7F) << shift;
        if (!(byte & 0x80))
            return true;
    }
    return false;
}

static inline void add_varint(Text *out, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        text_add_char(out, (char)(value | 0x80));
    text_add_char(out, (char)value);
}

/* The lowest `width` bytes first. */
static inline bool read_fixed(const char **p, const char *end, int width, uint64_t *value)
{
    if (end - *p < width)
        return false;
    *value = 0;
    for (int i = width; i-- > 0;)
        *value = *value << 8 | (unsigned char)(*p)[i];
    *p += width;
    return true;
}
