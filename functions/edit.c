/* functions/edit.c: texts changed at places or character by character, and what their characters are. Positions count characters from 1. */
#include <utf8proc.h>
#include "functions/functions_internal.h"

#define RESULT(out, CType) ((CType *)(out)->values)
#define ARENA(args) ((args)->evaluation->arena)
#define TEXT_MAX (64u << 20) /* bytes of one result */

/* ---- characters ---- */

static uint32_t character_size(const char *at, const char *end)
{
    uint32_t size = 1;
    while (at + size < end && ((unsigned char)at[size] & 0xC0) == 0x80)
        size++;
    return size;
}

static const char *skip_characters(const char *at, const char *end, int64_t count)
{
    while (at < end && count-- > 0)
        at += character_size(at, end);
    return at;
}

/* ---- replacing at places ---- */

/* The text with [from, to) replaced. False: the result would be too long. */
static bool splice(const Args *args, Vector *out, uint32_t row, const Str *text, const char *from, const char *to, const Str *by)
{
    const size_t before = (size_t)(from - str_bytes(text)), behind = (size_t)(str_bytes(text) + text->length - to), added = by ? by->length : 0;
    if (before + behind + added > TEXT_MAX) {
        args_fail(args, out, row, "the text is longer than 64 MiB");
        return false;
    }
    char *bytes = arena_alloc(ARENA(args), before + behind + added + 1);
    memcpy(bytes, str_bytes(text), before);
    if (added)
        memcpy(bytes + before, str_bytes(by), added);
    memcpy(bytes + before + added, to, behind);
    RESULT(out, Str)[row] = str_view(bytes, before + behind + added);
    return true;
}

/* A replacement that is NULL takes away and puts nothing there, as in Transact-SQL. */
static Error *stuff(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row)) {
        if (vector_is_null(args->arg[0], row) || vector_is_null(args->arg[1], row) || vector_is_null(args->arg[2], row)) {
            args_null(args, out, row);
            continue;
        }
        const Str *text = &ARG(args, 0, Str, row);
        const int64_t start = ARG(args, 1, int64_t, row), count = ARG(args, 2, int64_t, row);
        const char *end = str_bytes(text) + text->length, *from = skip_characters(str_bytes(text), end, start - 1);
        if (start < 1 || count < 0 || from == end) {
            args_null(args, out, row);
            continue;
        }
        splice(args, out, row, text, from, skip_characters(from, end, count), vector_is_null(args->arg[3], row) ? NULL : &ARG(args, 3, Str, row));
    }
    return NULL;
}

static int64_t count_characters(const Str *text)
{
    int64_t count = 0;
    for (const char *at = str_bytes(text), *end = at + text->length; at < end; at += character_size(at, end))
        count++;
    return count;
}

/* From a place outside of the text nothing changes. */
static Error *overlay(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row)) {
        const Str *text = &ARG(args, 0, Str, row), *by = &ARG(args, 1, Str, row);
        const int64_t start = ARG(args, 2, int64_t, row), count = args->arg_count > 3 ? ARG(args, 3, int64_t, row) : count_characters(by);
        const char *end = str_bytes(text) + text->length, *from = skip_characters(str_bytes(text), end, start - 1);
        if (start < 1 || from == end) {
            RESULT(out, Str)[row] = *text;
            continue;
        }
        splice(args, out, row, text, from, count < 0 ? end : skip_characters(from, end, count), by);
    }
    return NULL;
}

static Error *space(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row)) {
        const int64_t count = ARG(args, 0, int64_t, row);
        if (count < 0) {
            args_null(args, out, row);
        } else if (count > TEXT_MAX) {
            args_fail(args, out, row, "the text is longer than 64 MiB");
        } else {
            char *bytes = arena_alloc(ARENA(args), (size_t)count + 1);
            memset(bytes, ' ', (size_t)count);
            RESULT(out, Str)[row] = str_view(bytes, (size_t)count);
        }
    }
    return NULL;
}

/* ---- character by character ---- */

/* The character that stands for the one at `at`; *size 0: it is left out. */
static const char *translation(const char *at, uint32_t length, const Str *from, const Str *to, uint32_t *size)
{
    const char *other = str_bytes(to), *other_end = other + to->length;
    for (const char *one = str_bytes(from), *end = one + from->length; one < end;) {
        const uint32_t one_size = character_size(one, end), other_size = other < other_end ? character_size(other, other_end) : 0;
        if (one_size == length && memcmp(one, at, length) == 0) {
            *size = other_size;
            return other;
        }
        one += one_size;
        other += other_size;
    }
    *size = length;
    return at;
}

static Error *translate(const Args *args, Vector *out)
{
    Text result = { 0 };
    MEMORY_HOLD(text_unwind, &result);
    for (ARGS_EACH(args, row)) {
        const Str *text = &ARG(args, 0, Str, row);
        result.length = 0;
        for (const char *at = str_bytes(text), *end = at + text->length; at < end;) {
            const uint32_t length = character_size(at, end);
            uint32_t size;
            const char *bytes = translation(at, length, &ARG(args, 1, Str, row), &ARG(args, 2, Str, row), &size);
            text_add(&result, bytes, size);
            at += length;
        }
        if (result.length > TEXT_MAX)
            args_fail(args, out, row, "the text is longer than 64 MiB");
        else
            RESULT(out, Str)[row] = str_view(result.length > STR_INLINE ? arena_copy(ARENA(args), result.bytes, result.length) : text_c(&result), result.length);
    }
    text_release(&result);
    return NULL;
}

static Error *unicode(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row)) {
        const Str *text = &ARG(args, 0, Str, row);
        utf8proc_int32_t point = -1;
        if (text->length)
            utf8proc_iterate((const utf8proc_uint8_t *)str_bytes(text), text->length, &point);
        if (point < 0)
            args_null(args, out, row);
        else
            RESULT(out, int64_t)[row] = point;
    }
    return NULL;
}

/* ---- what the characters are ---- */

static bool is_letter(utf8proc_int32_t point)
{
    const utf8proc_category_t category = utf8proc_category(point);
    return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
}

static bool is_digit(utf8proc_int32_t point) { return utf8proc_category(point) == UTF8PROC_CATEGORY_ND; }

static Error *all_are(const Args *args, Vector *out, bool (*is)(utf8proc_int32_t point))
{
    for (ARGS_EACH(args, row)) {
        const Str *text = &ARG(args, 0, Str, row);
        bool all = !vector_is_null(args->arg[0], row) && text->length;
        for (const char *at = str_bytes(text), *end = at + text->length; all && at < end;) {
            utf8proc_int32_t point = -1;
            const utf8proc_ssize_t size = utf8proc_iterate((const utf8proc_uint8_t *)at, end - at, &point);
            all = size > 0 && is(point);
            at += size > 0 ? size : 1;
        }
        RESULT(out, uint8_t)[row] = all;
    }
    return NULL;
}

static Error *is_alpha(const Args *args, Vector *out) { return all_are(args, out, is_letter); }
static Error *is_digits(const Args *args, Vector *out) { return all_are(args, out, is_digit); }

/* A sign, digits with a point among them, an exponent. */
static bool is_number(const char *at, const char *end)
{
    int digits = 0;
    at += at < end && (*at == '-' || *at == '+');
    for (bool point = false; at < end && ((*at >= '0' && *at <= '9') || (*at == '.' && !point)); at++) {
        point |= *at == '.';
        digits += *at != '.';
    }
    if (digits && at < end && (*at == 'e' || *at == 'E')) {
        at++;
        at += at < end && (*at == '-' || *at == '+');
        digits = 0;
        for (; at < end && *at >= '0' && *at <= '9'; at++)
            digits++;
    }
    return digits && at == end;
}

static Error *is_decimal(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row)) {
        const Str *text = &ARG(args, 0, Str, row);
        RESULT(out, uint8_t)[row] = !vector_is_null(args->arg[0], row) && is_number(str_bytes(text), str_bytes(text) + text->length);
    }
    return NULL;
}

/* ---- numbers in other bases ---- */

static Error *binary(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row)) {
        char *bytes = arena_alloc(ARENA(args), 64), *at = bytes + 64;
        uint64_t bits = (uint64_t)ARG(args, 0, int64_t, row);
        do
            *--at = (char)('0' + (bits & 1));
        while (bits >>= 1);
        RESULT(out, Str)[row] = str_view(at, (size_t)(bytes + 64 - at));
    }
    return NULL;
}

static const char hex_digits[] = "0123456789ABCDEF";

static Error *hex_of_number(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row)) {
        char *bytes = arena_alloc(ARENA(args), 16), *at = bytes + 16;
        uint64_t bits = (uint64_t)ARG(args, 0, int64_t, row);
        do
            *--at = hex_digits[bits & 15];
        while (bits >>= 4);
        RESULT(out, Str)[row] = str_view(at, (size_t)(bytes + 16 - at));
    }
    return NULL;
}

static Error *hex_of_bytes(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row)) {
        const Str *text = &ARG(args, 0, Str, row);
        char *bytes = arena_alloc(ARENA(args), 2 * (size_t)text->length + 1);
        for (uint32_t i = 0; i < text->length; i++) {
            bytes[2 * i] = hex_digits[(unsigned char)str_bytes(text)[i] >> 4];
            bytes[2 * i + 1] = hex_digits[str_bytes(text)[i] & 15];
        }
        RESULT(out, Str)[row] = str_view(bytes, 2 * (size_t)text->length);
    }
    return NULL;
}

static int hex_value(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1; }

static Error *unhex(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row)) {
        const Str *text = &ARG(args, 0, Str, row);
        const char *at = str_bytes(text), *end = at + text->length;
        char *bytes = arena_alloc(ARENA(args), text->length / 2 + 1u);
        size_t length = 0;
        int high = text->length % 2 ? 0 : -1; /* an odd number of digits begins with a 0 */
        bool sound = true;
        for (; at < end && sound; at++) {
            sound = hex_value(*at) >= 0;
            if (high >= 0)
                bytes[length++] = (char)(high << 4 | hex_value(*at));
            high = high >= 0 ? -1 : hex_value(*at);
        }
        if (sound)
            RESULT(out, Str)[row] = str_view(bytes, length);
        else
            args_null(args, out, row);
    }
    return NULL;
}

#define V TYPE_VARCHAR
#define I TYPE_BIGINT
#define STRING .category = "string"
#define TEST .sees_nulls = true, .category = "string"

const ScalarFunction edit_functions[] = {
    { "stuff", { V, I, I, V }, V, stuff, .sees_nulls = true, .can_fail = true, STRING, .doc = "From a position on so many characters replaced by the fourth; NULL if the position is outside (ASA).",
      .example = "stuff('abcdef', 2, 3, '-')", .yields = "a-ef" },
    { "overlay", { V, V, I }, V, overlay, .can_fail = true, STRING, .doc = "The second text laid over the first from a position on. Also `OVERLAY(text PLACING other FROM n)`.", .example = "overlay('Txxxxas', 'hom', 2)",
      .yields = "Thomxas" },
    { "overlay", { V, V, I, I }, V, overlay, .can_fail = true, STRING, .doc = "The same in the place of so many characters. Also `.. FROM n FOR m)`.", .example = "overlay('Txxxxas', 'hom', 2, 4)", .yields = "Thomas" },
    { "space", { I }, V, space, .can_fail = true, STRING, .doc = "So many blanks; NULL for a negative number (ASA).", .example = "length(space(3))", .yields = "3" },
    { "translate", { V, V, V }, V, translate, .can_fail = true, STRING, .doc = "Each character of the second text replaced by the one at its place in the third; left out where there is none.",
      .example = "translate('[2*3]', '[*]', '(x)')", .yields = "(2x3)" },
    { "unicode", { V }, I, unicode, STRING, .doc = "The number of the first character in Unicode; NULL for an empty text (ASA).", .example = "unicode('é')", .yields = "233" },
    { "is_alpha", { V }, TYPE_BOOLEAN, is_alpha, TEST, .doc = "True when all characters are letters, and there are some.", .example = "is_alpha('Größe')", .yields = "true" },
    { "is_digit", { V }, TYPE_BOOLEAN, is_digits, TEST, .doc = "True when all characters are digits, and there are some.", .example = "is_digit('12a')", .yields = "false" },
    { "is_decimal", { V }, TYPE_BOOLEAN, is_decimal, TEST, .doc = "True when the text is a number.", .example = "is_decimal('-1.5e3')", .yields = "true" },
    { "bin", { I }, V, binary, STRING, .doc = "The number in binary digits.", .example = "bin(12)", .yields = "1100" },
    { "hex", { I }, V, hex_of_number, STRING, .doc = "The number in hexadecimal digits.", .example = "hex(255)", .yields = "FF" },
    { "hex", { V }, V, hex_of_bytes, STRING, .doc = "The bytes of the text in hexadecimal digits.", .example = "hex('hello')", .yields = "68656C6C6F" },
    { "hex", { TYPE_BYTES }, V, hex_of_bytes, STRING, .doc = "The bytes in hexadecimal digits.", .example = "hex(to_bytes('00ff', 'hex'))", .yields = "00FF" },
    { "unhex", { V }, TYPE_BYTES, unhex, STRING, .doc = "The bytes that hexadecimal digits stand for; NULL if there are other characters.", .example = "from_bytes(unhex('6869'), 'utf8')", .yields = "hi" },
    { .name = NULL },
};
