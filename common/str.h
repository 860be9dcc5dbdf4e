/* common/str.h: string views of 16 bytes, and a growing text buffer.
 *
 * A Str of up to 12 bytes carries its bytes inside; a longer one carries its first four bytes and a
 * pointer into memory that somebody else holds (the batch's buffer, an arena, a state heap).
 * Bytes, not characters: UTF-8 is checked where text enters, and nothing here ends with a 0. */
#pragma once
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define STR_INLINE 12

typedef struct Str {
    uint32_t length; /* bytes */
    union {
        char inlined[STR_INLINE]; /* length <= 12; unused bytes are 0 */
        struct {
            char prefix[4];
            const char *pointer;  /* length > 12 */
        } __attribute__((packed));
    };
} __attribute__((aligned(8))) Str;

_Static_assert(sizeof(Str) == 16, "a Str is two words");

/* A view of bytes that outlive it; short ones are copied inside. */
static inline Str str_view(const char *bytes, size_t length)
{
    Str str;
    str.length = (uint32_t)length;
    if (length <= STR_INLINE) {
        memset(str.inlined, 0, STR_INLINE);
        memcpy(str.inlined, bytes, length);
    } else {
        memcpy(str.prefix, bytes, 4);
        str.pointer = bytes;
    }
    return str;
}
static inline Str str_c(const char *text) { return str_view(text, strlen(text)); }
static inline const char *str_bytes(const Str *str)
{
    return str->length <= STR_INLINE ? str->inlined : str->pointer;
}
static inline bool str_equal(const Str *a, const Str *b)
{
    uint64_t a_head, b_head; /* length and first four bytes at once */
    memcpy(&a_head, a, 8);
    memcpy(&b_head, b, 8);
    if (a_head != b_head)
        return false;
    if (a->length <= STR_INLINE)
        return memcmp((const char *)a + 8, (const char *)b + 8, 8) == 0;
    return memcmp(a->pointer, b->pointer, a->length) == 0;
}
int str_compare(const Str *a, const Str *b); /* bytewise, as memcmp; shorter first */

/* Offset of the first byte that is not well-formed UTF-8 (RFC 3629), or `length` if all of it is. */
size_t utf8_valid_prefix(const char *bytes, size_t length);

/* Compares names without regard to ASCII case. */
bool name_equal(const char *a, const char *b);

/* Text under construction, on the heap (mem_alloc) and ended by a 0 whenever it is read. */
typedef struct Text {
    char *bytes;
    size_t length, capacity;
} Text;
void text_add(Text *text, const char *bytes, size_t length);
void text_add_c(Text *text, const char *c_string);
void text_add_char(Text *text, char character);
void text_add_str(Text *text, const Str *str);
void text_printf(Text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_reserve(Text *text, size_t more); /* room for `more` bytes and the ending 0 */
const char *text_c(Text *text); /* never NULL */
void text_release(Text *text);
void text_unwind(void *text); /* for MEMORY_HOLD */
