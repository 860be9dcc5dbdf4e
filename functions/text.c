/* functions/text.c: texts taken apart, chosen from and masked. Positions count characters from 1. */
#include "functions/lists.h"

#include <utf8proc.h>

#include "common/hash.h"

#define RESULT(out, CType) ((CType *)(out)->values)
#define ARENA(args) ((args)->evaluation->arena)

static uint32_t character_size(const char *at, const char *end)
{
    uint32_t size = 1;
    while (at + size < end && ((unsigned char)at[size] & 0xC0) == 0x80)
        size++;
    return size;
}

/* ---- splitting ---- */

static void split_text(TextList *maker, const Str *text, const Str *separator, bool characters)
{
    const char *at = str_bytes(text), *end = at + text->length;
    if (!text->length) {
        text_list_add(maker, text);
        return;
    }
    while (!separator->length && at < end) {
        uint32_t size = characters ? character_size(at, end) : 1;
        Str part = str_view(at, size);
        text_list_add(maker, &part);
        at += size;
    }
    while (separator->length) {
        const char *found = memmem(at, (size_t)(end - at), str_bytes(separator), separator->length);
        Str part = str_view(at, (size_t)((found ? found : end) - at));
        text_list_add(maker, &part);
        if (!found)
            return;
        at = found + separator->length;
    }
}

static Error *split(const Args *args, Vector *out)
{
    bool characters = args->arg[0]->type->kind == TYPE_VARCHAR;
    TextList maker;
    text_list_start(&maker, args, out);
    for (ARGS_EACH(args, row)) {
        list_row(&maker.lists, row);
        split_text(&maker, &ARG(args, 0, Str, row), &ARG(args, 1, Str, row), characters);
    }
    text_list_finish(&maker, args);
    return NULL;
}

/* One entry: the key, and the value up to where the separator stands again. Without a separator it is none. */
static void add_entry(TextMap *maker, const char *at, const char *end, const Str *between)
{
    const char *middle = memmem(at, (size_t)(end - at), str_bytes(between), between->length);
    if (!middle)
        return;
    const char *value = middle + between->length, *stop = memmem(value, (size_t)(end - value), str_bytes(between), between->length);
    Str key = str_view(at, (size_t)(middle - at)), content = str_view(value, (size_t)((stop ? stop : end) - value));
    text_map_add(maker, &key, &content);
}

static Error *split_to_map(const Args *args, Vector *out)
{
    TextMap maker;
    text_map_start(&maker, args, out);
    for (ARGS_EACH(args, row)) {
        const Str *text = &ARG(args, 0, Str, row), *separator = &ARG(args, 1, Str, row), *between = &ARG(args, 2, Str, row);
        text_map_row(&maker, row);
        if (!separator->length || !between->length) {
            args_null(args, out, row);
            continue;
        }
        const char *at = str_bytes(text), *end = at + text->length;
        while (at < end) {
            const char *found = memmem(at, (size_t)(end - at), str_bytes(separator), separator->length);
            add_entry(&maker, at, found ? found : end, between);
            at = found ? found + separator->length : end;
        }
    }
    text_map_finish(&maker, args);
    return NULL;
}

/* A key without a separator has no value; the separators are given, or a comma and an equals sign. */
static Error *str_to_map(const Args *args, Vector *out)
{
    const Str comma = str_view(",", 1), equals = str_view("=", 1);
    TextMap maker;
    text_map_start(&maker, args, out);
    for (ARGS_EACH(args, row)) {
        const Str *text = &ARG(args, 0, Str, row), *separator = args->arg_count > 1 ? &ARG(args, 1, Str, row) : &comma, *between = args->arg_count > 2 ? &ARG(args, 2, Str, row) : &equals;
        text_map_row(&maker, row);
        if (!separator->length || !between->length) {
            args_null(args, out, row);
            continue;
        }
        for (const char *at = str_bytes(text), *end = at + text->length; at < end;) {
            const char *found = memmem(at, (size_t)(end - at), str_bytes(separator), separator->length), *stop = found ? found : end;
            const char *middle = memmem(at, (size_t)(stop - at), str_bytes(between), between->length);
            Str key = str_view(at, (size_t)((middle ? middle : stop) - at)), value = { 0 };
            if (middle)
                value = str_view(middle + between->length, (size_t)(stop - middle) - between->length);
            text_map_add(&maker, &key, middle ? &value : NULL);
            at = found ? found + separator->length : end;
        }
    }
    text_map_finish(&maker, args);
    return NULL;
}

/* ---- choosing ---- */

static Error *elt(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row)) {
        int64_t which = vector_is_null(args->arg[0], row) ? 0 : ARG(args, 0, int64_t, row);
        if (which >= 1 && which < args->arg_count && !vector_is_null(args->arg[which], row))
            RESULT(out, Str)[row] = ARG(args, which, Str, row);
        else
            args_null(args, out, row);
    }
    return NULL;
}

static Error *field(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row))
        for (int i = 1; i < args->arg_count && !vector_is_null(args->arg[0], row) && !RESULT(out, int64_t)[row]; i++)
            if (!vector_is_null(args->arg[i], row) && str_equal(&ARG(args, 0, Str, row), &ARG(args, i, Str, row)))
                RESULT(out, int64_t)[row] = i;
    return NULL;
}

/* ---- searching ---- */

/* Forwards from a position to the n-th occurrence; they may overlap. */
static const char *find_forwards(const Str *text, const Str *part, int64_t position, int64_t occurrence)
{
    const char *at = str_bytes(text), *end = at + text->length;
    for (; position > 1 && at < end; position--)
        at += character_size(at, end);
    if (position > 1)
        return NULL;
    for (; at <= end; at += character_size(at, end)) {
        const char *found = part->length ? memmem(at, (size_t)(end - at), str_bytes(part), part->length) : at;
        if (!found || --occurrence <= 0)
            return found;
        at = found;
    }
    return NULL;
}

static const char *character_before(const char *at, const char *start)
{
    do
        at--;
    while (at > start && ((unsigned char)*at & 0xC0) == 0x80);
    return at;
}

/* Backwards from a position that counts from the end: -1 is the last character. */
static const char *find_backwards(const Str *text, const Str *part, int64_t position, int64_t occurrence)
{
    const char *start = str_bytes(text), *end = start + text->length, *at = end;
    for (; position < 0; position++) {
        if (at == start)
            return NULL;
        at = character_before(at, start);
    }
    for (;; at = character_before(at, start)) {
        if ((size_t)(end - at) >= part->length && memcmp(at, str_bytes(part), part->length) == 0 && --occurrence <= 0)
            return at;
        if (at == start)
            return NULL;
    }
}

static Error *instr_from(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row)) {
        const Str *text = &ARG(args, 0, Str, row), *part = &ARG(args, 1, Str, row);
        int64_t position = ARG(args, 2, int64_t, row), occurrence = args->arg_count > 3 ? ARG(args, 3, int64_t, row) : 1;
        const char *found = position < 0 ? find_backwards(text, part, position, occurrence) : find_forwards(text, part, position, occurrence);
        for (const char *at = str_bytes(text); found && at <= found; at++)
            RESULT(out, int64_t)[row] += at == found || ((unsigned char)*at & 0xC0) != 0x80;
    }
    return NULL;
}

/* ---- masking ---- */

enum { MASK_UPPER, MASK_LOWER, MASK_DIGIT, MASK_OTHER, MASK_KINDS };

static int kind_of(const char *at, uint32_t size)
{
    if (size == 1)
        return *at >= 'A' && *at <= 'Z' ? MASK_UPPER : *at >= 'a' && *at <= 'z' ? MASK_LOWER : *at >= '0' && *at <= '9' ? MASK_DIGIT : MASK_OTHER;
    utf8proc_int32_t point;
    if (utf8proc_iterate((const utf8proc_uint8_t *)at, (utf8proc_ssize_t)size, &point) < 0)
        return MASK_OTHER;
    switch (utf8proc_category(point)) {
    case UTF8PROC_CATEGORY_LU: return MASK_UPPER;
    case UTF8PROC_CATEGORY_LL: return MASK_LOWER;
    case UTF8PROC_CATEGORY_ND: return MASK_DIGIT;
    default: return MASK_OTHER;
    }
}

/* The signs that stand for the kinds of characters; length 0: the kind stays as it is. */
typedef struct Masks {
    Str signs[MASK_KINDS];
} Masks;

/* From the arguments behind the first `skip`; a NULL leaves its kind as it is. False: one is empty. */
static bool masks_read(const Args *args, int skip, uint32_t row, Masks *masks)
{
    static const char *const usual[] = { "X", "x", "n", "-" };
    for (int i = 0; i < MASK_KINDS; i++) {
        masks->signs[i] = str_c(usual[i]);
        if (skip + i >= args->arg_count)
            continue;
        if (vector_is_null(args->arg[skip + i], row)) {
            masks->signs[i] = (Str){ 0 };
            continue;
        }
        const Str *sign = &ARG(args, skip + i, Str, row);
        if (!sign->length)
            return false;
        masks->signs[i] = str_view(str_bytes(sign), character_size(str_bytes(sign), str_bytes(sign) + sign->length));
    }
    return true;
}

/* Masks the characters [first, last). */
static Str mask_text(Arena *arena, const Str *text, const Masks *masks, int64_t first, int64_t last)
{
    const char *at = str_bytes(text), *end = at + text->length;
    char *bytes = arena_alloc(arena, (size_t)text->length * 4 + 1), *to = bytes;
    for (int64_t i = 0; at < end; i++) {
        uint32_t size = character_size(at, end);
        const Str *sign = i >= first && i < last ? &masks->signs[kind_of(at, size)] : NULL;
        bool masked = sign && sign->length;
        memcpy(to, masked ? str_bytes(sign) : at, masked ? sign->length : size);
        to += masked ? sign->length : size;
        at += size;
    }
    return str_view(bytes, (size_t)(to - bytes));
}

static int64_t character_count(const Str *text)
{
    int64_t count = 0;
    for (uint32_t i = 0; i < text->length; i++)
        count += ((unsigned char)str_bytes(text)[i] & 0xC0) != 0x80;
    return count;
}

typedef enum MaskedPart { PART_ALL, PART_LEFT, PART_RIGHT, PART_BUT_LEFT, PART_BUT_RIGHT } MaskedPart;

static Error *mask_any(const Args *args, Vector *out, MaskedPart part)
{
    int skip = part == PART_ALL ? 1 : 2;
    for (ARGS_EACH(args, row)) {
        Masks masks;
        if (vector_is_null(args->arg[0], row) || (skip == 2 && vector_is_null(args->arg[1], row))) {
            args_null(args, out, row);
            continue;
        }
        const Str *text = &ARG(args, 0, Str, row);
        int64_t count = skip == 2 ? ARG(args, 1, int64_t, row) : 0, all = character_count(text), first = 0, last = all;
        if (count < 0 || !masks_read(args, skip, row, &masks)) {
            args_fail(args, out, row, count < 0 ? "a negative number of characters" : "a mask is empty");
            continue;
        }
        count = count < all ? count : all;
        last = part == PART_LEFT ? count : part == PART_BUT_RIGHT ? all - count : all;
        first = part == PART_RIGHT ? all - count : part == PART_BUT_LEFT ? count : 0;
        RESULT(out, Str)[row] = mask_text(ARENA(args), text, &masks, first, last);
    }
    return NULL;
}
static Error *mask(const Args *args, Vector *out) { return mask_any(args, out, PART_ALL); }
static Error *mask_left(const Args *args, Vector *out) { return mask_any(args, out, PART_LEFT); }
static Error *mask_right(const Args *args, Vector *out) { return mask_any(args, out, PART_RIGHT); }
static Error *mask_keep_left(const Args *args, Vector *out) { return mask_any(args, out, PART_BUT_LEFT); }
static Error *mask_keep_right(const Args *args, Vector *out) { return mask_any(args, out, PART_BUT_RIGHT); }

/* ---- characters and identifiers ---- */

static int hex_value(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1; }

/* \u and four digits; -1: it is none. */
static int32_t escape_unit(const char *at)
{
    int32_t unit = 0;
    if (at[0] != '\\' || at[1] != 'u')
        return -1;
    for (int i = 2; i < 6; i++) {
        if (hex_value(at[i]) < 0)
            return -1;
        unit = unit << 4 | hex_value(at[i]);
    }
    return unit;
}

static Error *chr_escape(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row)) {
        const Str *text = &ARG(args, 0, Str, row);
        const char *bytes = str_bytes(text);
        int32_t point = text->length == 6 || text->length == 12 ? escape_unit(bytes) : -1;
        bool high = point >= 0xD800 && point < 0xDC00;
        int32_t low = text->length == 12 && high ? escape_unit(bytes + 6) : -1;
        if (low >= 0xDC00 && low < 0xE000)
            point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
        else if (text->length == 12 || (point >= 0xD800 && point < 0xE000))
            point = -1;
        if (point < 0) {
            args_null(args, out, row);
            continue;
        }
        char encoded[4];
        utf8proc_ssize_t size = utf8proc_encode_char(point, (utf8proc_uint8_t *)encoded);
        RESULT(out, Str)[row] = str_view(encoded, (size_t)size);
    }
    return NULL;
}

static Str uuid_text(Arena *arena, const unsigned char bytes[16])
{
    static const char digits[] = "0123456789abcdef";
    char *text = arena_alloc(arena, 36), *to = text;
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *to++ = '-';
        *to++ = digits[bytes[i] >> 4];
        *to++ = digits[bytes[i] & 15];
    }
    return str_view(text, 36);
}

/* A function of turn and row, so that a turn that runs again gives the same; and of its time, so that another job does not. */
static Error *uuid(const Args *args, Vector *out)
{
    const Evaluation *evaluation = args->evaluation;
    for (ARGS_EACH(args, row)) {
        uint64_t key[4] = { evaluation->turn, evaluation_row(evaluation, row), (uint64_t)evaluation->now_us, 0 }, halves[2];
        unsigned char bytes[16];
        for (key[3] = 0; key[3] < 2; key[3]++)
            halves[key[3]] = checksum_bytes(key, sizeof key);
        memcpy(bytes, halves, sizeof bytes);
        bytes[6] = (unsigned char)((bytes[6] & 0x0F) | 0x40); /* version 4, variant 1 (RFC 9562) */
        bytes[8] = (unsigned char)((bytes[8] & 0x3F) | 0x80);
        RESULT(out, Str)[row] = uuid_text(evaluation->arena, bytes);
    }
    return NULL;
}

static Error *uuid_of_bytes(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row)) {
        const Str *bytes = &ARG(args, 0, Str, row);
        if (bytes->length == 16)
            RESULT(out, Str)[row] = uuid_text(ARENA(args), (const unsigned char *)str_bytes(bytes));
        else
            args_null(args, out, row);
    }
    return NULL;
}

/* ---- types ---- */

static const Type *type_of_list(Arena *arena, const Type *const types[], int count)
{
    (void)count;
    return type_array(arena, type_scalar(types[0]->kind));
}

static const Type *type_of_map(Arena *arena, const Type *const types[], int count)
{
    (void)types, (void)count;
    return type_map(arena, type_scalar(TYPE_VARCHAR), type_scalar(TYPE_VARCHAR));
}

#define V TYPE_VARCHAR
#define I TYPE_BIGINT
#define B TYPE_BYTES
#define STRING .category = "string"
#define MASKING .sees_nulls = true, .can_fail = true, .category = "string"
#define OWN_SIGNS "The same with own signs for capital letters, small letters, digits and the rest; a NULL leaves its kind as it is."

const ScalarFunction text_functions[] = {
    { "split", { V, V }, TYPE_ANY, split, type_of_list, STRING, .doc = "What stands between the separators, as an array; all characters if the separator is empty.",
      .example = "split('a,b,,c', ',')", .yields = "[\"a\",\"b\",\"\",\"c\"]" },
    { "split", { B, B }, TYPE_ANY, split, type_of_list, STRING, .doc = "The same for BYTES.", .example = "split(to_bytes('a-b', 'utf8'), to_bytes('-', 'utf8'))", .yields = "[\"YQ==\",\"Yg==\"]" },
    { "split_to_map", { V, V, V }, TYPE_ANY, split_to_map, type_of_map, STRING,
      .doc = "Entries between separators of the first kind, each a key and a value with one of the second kind between them, as a map; what is no entry is left out.",
      .example = "split_to_map('a=1;b=2', ';', '=')", .yields = "{\"a\":\"1\",\"b\":\"2\"}" },
    { "str_to_map", { V }, TYPE_ANY, str_to_map, type_of_map, STRING, .doc = "Entries between commas, each a key, = and a value, as a map.", .example = "str_to_map('a=1,b=2')", .yields = "{\"a\":\"1\",\"b\":\"2\"}" },
    { "str_to_map", { V, V, V }, TYPE_ANY, str_to_map, type_of_map, STRING, .doc = "The same with separators of one's own, between entries and between keys and values.", .example = "str_to_map('a:1;b', ';', ':')",
      .yields = "{\"a\":\"1\",\"b\":null}" },
    { "elt", { I, V }, V, elt, .variadic = true, .sees_nulls = true, STRING, .doc = "The n-th of the texts, from 1; NULL if there is none.", .example = "elt(2, 'a', 'b')", .yields = "b" },
    { "field", { V, V }, I, field, .variadic = true, .sees_nulls = true, STRING, .doc = "Which of the texts behind it the first equals, from 1; 0 if none.", .example = "field('b', 'a', 'b')", .yields = "2" },
    { "instr", { V, V, I }, I, instr_from, STRING, .doc = "The same, from a position on; from a negative one backwards, counted from the end.", .example = "instr('banana', 'an', -4)", .yields = "2" },
    { "instr", { V, V, I, I }, I, instr_from, STRING, .doc = "The n-th occurrence from a position on.", .example = "instr('banana', 'a', 1, 3)", .yields = "6" },
    { "mask", { V }, V, mask, MASKING, .doc = "Capital letters as X, small ones as x, digits as n, all else as -.", .example = "mask('My Test $123')", .yields = "Xx-Xxxx--nnn" },
    { "mask", { V, V, V, V, V }, V, mask, MASKING, .doc = OWN_SIGNS, .example = "mask('My Test $123', '*', '*', NULL, '.')", .yields = "**.****..123" },
    { "mask_left", { V, I }, V, mask_left, MASKING, .doc = "The first n characters masked.", .example = "mask_left('My Test $123', 4)", .yields = "Xx-Xest $123" },
    { "mask_left", { V, I, V, V, V, V }, V, mask_left, MASKING, .doc = OWN_SIGNS, .example = "mask_left('AB12', 3, '?', '?', '?', '?')", .yields = "???2" },
    { "mask_right", { V, I }, V, mask_right, MASKING, .doc = "The last n characters masked.", .example = "mask_right('My Test $123', 4)", .yields = "My Test -nnn" },
    { "mask_right", { V, I, V, V, V, V }, V, mask_right, MASKING, .doc = OWN_SIGNS, .example = "mask_right('AB12', 3, '?', '?', '?', '?')", .yields = "A???" },
    { "mask_keep_left", { V, I }, V, mask_keep_left, MASKING, .doc = "All but the first n characters masked.", .example = "mask_keep_left('My Test $123', 4)", .yields = "My Txxx--nnn" },
    { "mask_keep_left", { V, I, V, V, V, V }, V, mask_keep_left, MASKING, .doc = OWN_SIGNS, .example = "mask_keep_left('AB12', 3, '?', '?', '?', '?')", .yields = "AB1?" },
    { "mask_keep_right", { V, I }, V, mask_keep_right, MASKING, .doc = "All but the last n characters masked.", .example = "mask_keep_right('My Test $123', 4)", .yields = "Xx-Xxxx-$123" },
    { "mask_keep_right", { V, I, V, V, V, V }, V, mask_keep_right, MASKING, .doc = OWN_SIGNS, .example = "mask_keep_right('AB12', 3, '?', '?', '?', '?')", .yields = "?B12" },
    { "chr", { V }, V, chr_escape, STRING, .doc = "The character of an escape as in Java, \\u and four hexadecimal digits, or two of them; NULL if it is none.", .example = "chr('\\u004b')", .yields = "K" },
    { "uuid", { 0 }, V, uuid, .is_volatile = true, STRING, .doc = "A new random identifier (UUID version 4) for each row.", .example = "length(uuid())", .yields = "36" },
    { "uuid", { B }, V, uuid_of_bytes, STRING, .doc = "16 bytes written as a UUID; NULL if there are more or fewer.", .example = "uuid(to_bytes('00112233445566778899AABBCCDDEEFF', 'hex'))",
      .yields = "00112233-4455-6677-8899-aabbccddeeff" },
    { .name = NULL },
};
