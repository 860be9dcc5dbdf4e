/* common/str.c: string views, UTF-8, and text under construction. */
#include "common/str.h"

#include <ctype.h>
#include <emmintrin.h>
#include <stdio.h>

#include "common/memory.h"

int str_compare(const Str *a, const Str *b)
{
    uint32_t shorter = a->length < b->length ? a->length : b->length;
    int order = shorter ? memcmp(str_bytes(a), str_bytes(b), shorter) : 0;
    return order ? order : (a->length > b->length) - (a->length < b->length);
}

bool name_equal(const char *a, const char *b)
{
    for (; *a && *b; a++, b++)
        if (tolower((unsigned char)*a) != tolower((unsigned char)*b))
            return false;
    return *a == *b;
}

/* Bytes of the well-formed sequence at `at`, or 0. RFC 3629's table. */
static size_t utf8_sequence(const unsigned char *at, size_t left)
{
    unsigned char lead = at[0];
    if (lead < 0x80)
        return 1;
    size_t size = lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
    if (size == 0 || size > left)
        return 0;
    unsigned char low = 0x80, high = 0xBF;
    if (lead == 0xE0)
        low = 0xA0;
    else if (lead == 0xED)
        high = 0x9F;
    else if (lead == 0xF0)
        low = 0x90;
    else if (lead == 0xF4)
        high = 0x8F;
    if (at[1] < low || at[1] > high)
        return 0;
    for (size_t i = 2; i < size; i++)
        if ((at[i] & 0xC0) != 0x80)
            return 0;
    return size;
}

size_t utf8_valid_prefix(const char *bytes, size_t length)
{
    size_t at = 0;
    while (at < length) {
        while (at + 16 <= length && _mm_movemask_epi8(_mm_loadu_si128((const __m128i *)(bytes + at))) == 0)
            at += 16;
        if (at >= length)
            break;
        size_t size = utf8_sequence((const unsigned char *)bytes + at, length - at);
        if (size == 0)
            return at;
        at += size;
    }
    return length;
}

/* ---- Text ---- */

void text_reserve(Text *text, size_t more)
{
    size_t needed = text->length + more + 1;
    if (needed > text->capacity)
        text->bytes = mem_grow(text->bytes, &text->capacity, needed, 1);
}

void text_add(Text *text, const char *bytes, size_t length)
{
    if (length == 0)
        return;
    text_reserve(text, length);
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
}

void text_add_c(Text *text, const char *c_string) { text_add(text, c_string, strlen(c_string)); }

void text_add_char(Text *text, char character)
{
    text_reserve(text, 1);
    text->bytes[text->length++] = character;
}

void text_add_str(Text *text, const Str *str) { text_add(text, str_bytes(str), str->length); }

void text_printf(Text *text, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length > 0) {
        text_reserve(text, (size_t)length);
        vsnprintf(text->bytes + text->length, (size_t)length + 1, format, again);
        text->length += (size_t)length;
    }
    va_end(again);
}

const char *text_c(Text *text)
{
    text_reserve(text, 0);
    text->bytes[text->length] = 0;
    return text->bytes;
}

void text_release(Text *text)
{
    mem_free(text->bytes);
    *text = (Text){ 0 };
}

void text_unwind(void *text) { text_release(text); }
