/* functions/bytes.c: functions of BYTES, and between BYTES and other types. Positions and lengths count bytes. */
#include "functions/cast_internal.h"

#define RESULT(out, CType) ((CType *)(out)->values)
#define ARENA(args) ((args)->evaluation->arena)
#define BYTES_MAX (64u << 20) /* of one result */

/* ---- encodings ---- */

typedef enum Encoding { ENCODING_HEX, ENCODING_UTF8, ENCODING_ASCII, ENCODING_BASE64, ENCODING_NONE } Encoding;

static Encoding encoding_of(const Str *name)
{
    static const char *const names[] = { "hex", "utf8", "ascii", "base64", "utf-8", "us-ascii" };
    char text[9];
    if (name->length >= sizeof text)
        return ENCODING_NONE;
    memcpy(text, str_bytes(name), name->length);
    text[name->length] = 0;
    for (int i = 0; i < 6; i++)
        if (name_equal(names[i], text))
            return i < ENCODING_NONE ? (Encoding)i : i == 4 ? ENCODING_UTF8 : ENCODING_ASCII;
    return ENCODING_NONE;
}

static bool fail_encoding(const Args *args, Vector *out, uint32_t row, const Str *name)
{
    args_fail(args, out, row, "no encoding '%.*s': it is 'hex', 'utf8', 'ascii' or 'base64'", name->length < 40 ? (int)name->length : 40, str_bytes(name));
    return false;
}

Str valid_text(Arena *arena, const char *bytes, size_t length)
{
    size_t valid = utf8_valid_prefix(bytes, length);
    if (valid == length)
        return str_view(bytes, length);
    char *copy = arena_alloc(arena, length * 3 + 1);
    size_t used = 0;
    for (size_t at = 0; at < length;) {
        valid = utf8_valid_prefix(bytes + at, length - at);
        memcpy(copy + used, bytes + at, valid);
        used += valid;
        at += valid;
        if (at < length) {
            memcpy(copy + used, "\xEF\xBF\xBD", 3);
            used += 3;
            at++;
        }
    }
    return str_view(copy, used);
}

/* ---- text -> bytes ---- */

static int hex_value(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1; }

/* False: it is not hexadecimal. 0x.. and X'..' are as good as the digits alone. */
static bool decode_hex(const char *at, const char *end, char *to, size_t *length)
{
    if (end - at >= 2 && at[0] == '0' && (at[1] == 'x' || at[1] == 'X'))
        at += 2;
    else if (end - at >= 3 && (at[0] == 'x' || at[0] == 'X') && at[1] == '\'' && end[-1] == '\'') {
        at += 2;
        end--;
    }
    if ((end - at) % 2)
        return false;
    for (*length = 0; at < end; at += 2) {
        if (hex_value(at[0]) < 0 || hex_value(at[1]) < 0)
            return false;
        to[(*length)++] = (char)(hex_value(at[0]) << 4 | hex_value(at[1]));
    }
    return true;
}

static int base64_value(char c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' : c >= 'a' && c <= 'z' ? c - 'a' + 26 : c >= '0' && c <= '9' ? c - '0' + 52 : c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* With or without padding, with line breaks. */
static bool decode_base64(const char *at, const char *end, char *to, size_t *length)
{
    uint32_t bits = 0;
    int count = 0;
    *length = 0;
    for (; at < end && *at != '='; at++) {
        if (*at == '\r' || *at == '\n')
            continue;
        if (base64_value(*at) < 0)
            return false;
        bits = bits << 6 | (uint32_t)base64_value(*at);
        if (++count % 4 == 0)
            for (int shift = 16; shift >= 0; shift -= 8)
                to[(*length)++] = (char)(bits >> shift);
    }
    for (; at < end; at++)
        if (*at != '=' && *at != '\r' && *at != '\n')
            return false;
    if (count % 4 == 1)
        return false;
    if (count % 4 > 1)
        to[(*length)++] = (char)(bits >> (count % 4 == 2 ? 4 : 10));
    if (count % 4 == 3)
        to[(*length)++] = (char)(bits >> 2);
    return true;
}

static size_t decode_ascii(const char *at, const char *end, char *to)
{
    size_t length = 0;
    for (; at < end; at++)
        if (((unsigned char)*at & 0xC0) != 0x80) /* a ? for each other character */
            to[length++] = (char)((unsigned char)*at < 0x80 ? *at : '?');
    return length;
}

bool bytes_from_base64(Arena *arena, const Str *text, Str *bytes)
{
    size_t length;
    const char *at = str_bytes(text);
    char *to = arena_alloc(arena, text->length + 4u);
    bool fine = decode_base64(at, at + text->length, to, &length);
    *bytes = fine ? str_view(to, length) : (Str){ 0 };
    return fine;
}

/* The bytes that a text stands for. False: the row has failed. */
static bool decode(const Args *args, Vector *out, uint32_t row, const Str *text, const Str *encoding, Str *bytes)
{
    const char *at = str_bytes(text), *end = at + text->length;
    char *to = arena_alloc(ARENA(args), text->length + 4u);
    size_t length = text->length;
    bool fine = true;
    switch (encoding_of(encoding)) {
    case ENCODING_HEX: fine = decode_hex(at, end, to, &length); break;
    case ENCODING_BASE64: fine = decode_base64(at, end, to, &length); break;
    case ENCODING_ASCII: length = decode_ascii(at, end, to); break;
    case ENCODING_UTF8: memcpy(to, at, length); break;
    case ENCODING_NONE: return fail_encoding(args, out, row, encoding);
    }
    if (!fine)
        args_fail(args, out, row, "the text is not %.*s", (int)encoding->length, str_bytes(encoding));
    else
        *bytes = str_view(to, length);
    return fine;
}

/* ---- bytes -> text ---- */

static Str encode_hex(Arena *arena, const Str *bytes, const char *digits)
{
    char *text = arena_alloc(arena, (size_t)bytes->length * 2 + 1);
    for (uint32_t i = 0; i < bytes->length; i++) {
        text[2 * i] = digits[(unsigned char)str_bytes(bytes)[i] >> 4];
        text[2 * i + 1] = digits[(unsigned char)str_bytes(bytes)[i] & 15];
    }
    return str_view(text, (size_t)bytes->length * 2);
}

static Str encode_base64(Arena *arena, const Str *bytes)
{
    static const char signs[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *at = (const unsigned char *)str_bytes(bytes);
    char *text = arena_alloc(arena, ((size_t)bytes->length + 2) / 3 * 4 + 1), *to = text;
    for (uint32_t i = 0; i < bytes->length; i += 3) {
        uint32_t left = bytes->length - i, bits = (uint32_t)at[i] << 16 | (left > 1 ? (uint32_t)at[i + 1] << 8 : 0) | (left > 2 ? at[i + 2] : 0);
        *to++ = signs[bits >> 18];
        *to++ = signs[bits >> 12 & 63];
        *to++ = left > 1 ? signs[bits >> 6 & 63] : '=';
        *to++ = left > 2 ? signs[bits & 63] : '=';
    }
    return str_view(text, (size_t)(to - text));
}

static Str encode_ascii(Arena *arena, const Str *bytes)
{
    char *text = arena_alloc(arena, (size_t)bytes->length * 3 + 1), *to = text;
    for (uint32_t i = 0; i < bytes->length; i++) {
        char c = str_bytes(bytes)[i];
        if ((unsigned char)c < 0x80) {
            *to++ = c;
        } else {
            memcpy(to, "\xEF\xBF\xBD", 3);
            to += 3;
        }
    }
    return str_view(text, (size_t)(to - text));
}

static bool encode_to(const Args *args, Vector *out, uint32_t row, const Str *bytes, const Str *encoding, const char *hex_digits)
{
    Str *result = &RESULT(out, Str)[row];
    switch (encoding_of(encoding)) {
    case ENCODING_HEX: *result = encode_hex(ARENA(args), bytes, hex_digits); return true;
    case ENCODING_UTF8: *result = valid_text(ARENA(args), str_bytes(bytes), bytes->length); return true;
    case ENCODING_ASCII: *result = encode_ascii(ARENA(args), bytes); return true;
    case ENCODING_BASE64: *result = encode_base64(ARENA(args), bytes); return true;
    case ENCODING_NONE: break;
    }
    return fail_encoding(args, out, row, encoding);
}

static Error *to_bytes(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row))
        decode(args, out, row, &ARG(args, 0, Str, row), &ARG(args, 1, Str, row), &RESULT(out, Str)[row]);
    return NULL;
}

static Error *from_bytes(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row))
        encode_to(args, out, row, &ARG(args, 0, Str, row), &ARG(args, 1, Str, row), "0123456789ABCDEF");
    return NULL;
}

static Error *encode(const Args *args, Vector *out)
{
    Str bytes;
    for (ARGS_EACH(args, row))
        if (decode(args, out, row, &ARG(args, 0, Str, row), &ARG(args, 1, Str, row), &bytes))
            encode_to(args, out, row, &bytes, &ARG(args, 2, Str, row), "0123456789abcdef");
    return NULL;
}

/* ---- numbers ---- */

/* The bytes of a number of that size, the most significant first; false: the row has failed. */
static bool number_bits(const Args *args, Vector *out, uint32_t row, uint32_t size, uint64_t *bits)
{
    const Str *bytes = &ARG(args, 0, Str, row), big = str_c("BIG_ENDIAN"), little = str_c("LITTLE_ENDIAN");
    const Str *order = args->arg_count > 1 ? &ARG(args, 1, Str, row) : &big;
    bool from_end = str_equal(order, &little);
    if (!from_end && !str_equal(order, &big)) {
        args_fail(args, out, row, "the byte order must be 'BIG_ENDIAN' or 'LITTLE_ENDIAN'");
        return false;
    }
    if (bytes->length != size) {
        args_fail(args, out, row, "the number needs %u bytes, these are %u", size, bytes->length);
        return false;
    }
    *bits = 0;
    for (uint32_t i = 0; i < size; i++)
        *bits = *bits << 8 | (unsigned char)str_bytes(bytes)[from_end ? size - 1 - i : i];
    return true;
}

static Error *int_from_bytes(const Args *args, Vector *out)
{
    uint64_t bits;
    for (ARGS_EACH(args, row))
        if (number_bits(args, out, row, 4, &bits))
            RESULT(out, int64_t)[row] = (int32_t)bits;
    return NULL;
}

static Error *bigint_from_bytes(const Args *args, Vector *out)
{
    uint64_t bits;
    for (ARGS_EACH(args, row))
        if (number_bits(args, out, row, 8, &bits))
            RESULT(out, int64_t)[row] = (int64_t)bits;
    return NULL;
}

static Error *double_from_bytes(const Args *args, Vector *out)
{
    uint64_t bits;
    for (ARGS_EACH(args, row))
        if (number_bits(args, out, row, 8, &bits))
            memcpy(&RESULT(out, double)[row], &bits, sizeof bits);
    return NULL;
}

/* ---- what texts have, too ---- */

static Error *length(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row))
        RESULT(out, int64_t)[row] = ARG(args, 0, Str, row).length;
    return NULL;
}

static Error *substring(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row)) {
        const Str *bytes = &ARG(args, 0, Str, row);
        int64_t all = bytes->length, first = ARG(args, 1, int64_t, row), count = args->arg_count > 2 ? ARG(args, 2, int64_t, row) : all;
        first = first < 0 ? (first < -all ? 0 : all + first) : first > 0 ? first - 1 : 0;
        first = first < all ? first : all;
        count = count < 0 ? 0 : count < all - first ? count : all - first;
        RESULT(out, Str)[row] = str_view(str_bytes(bytes) + first, (size_t)count);
    }
    return NULL;
}

static void join(const Args *args, Vector *out, uint32_t row, const Str *separator, int first)
{
    size_t total = 0;
    for (int i = first; i < args->arg_count; i++)
        total += vector_is_null(args->arg[i], row) ? 0 : ARG(args, i, Str, row).length + (separator ? separator->length : 0u);
    if (total > BYTES_MAX) {
        args_fail(args, out, row, "more than 64 MiB");
        return;
    }
    char *bytes = arena_alloc(ARENA(args), total + 1), *to = bytes;
    bool any = false;
    for (int i = first; i < args->arg_count; i++) {
        if (vector_is_null(args->arg[i], row))
            continue;
        if (any && separator) {
            memcpy(to, str_bytes(separator), separator->length);
            to += separator->length;
        }
        memcpy(to, str_bytes(&ARG(args, i, Str, row)), ARG(args, i, Str, row).length);
        to += ARG(args, i, Str, row).length;
        any = true;
    }
    RESULT(out, Str)[row] = str_view(bytes, (size_t)(to - bytes));
}

static Error *concat(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row))
        join(args, out, row, NULL, 0);
    return NULL;
}

static Error *concat_ws(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row))
        if (vector_is_null(args->arg[0], row))
            args_null(args, out, row);
        else
            join(args, out, row, &ARG(args, 0, Str, row), 1);
    return NULL;
}

/* ---- base64 ---- */

static Error *to_base64(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row))
        RESULT(out, Str)[row] = encode_base64(ARENA(args), &ARG(args, 0, Str, row));
    return NULL;
}

static Error *from_base64(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row)) {
        Str bytes;
        if (bytes_from_base64(ARENA(args), &ARG(args, 0, Str, row), &bytes))
            RESULT(out, Str)[row] = valid_text(ARENA(args), arena_copy(ARENA(args), str_bytes(&bytes), bytes.length), bytes.length);
        else
            args_fail(args, out, row, "the text is no base64");
    }
    return NULL;
}

/* NULL for a negative length and for nothing to fill with, as in ksqlDB. */
static Error *pad(const Args *args, Vector *out, bool left)
{
    for (ARGS_EACH(args, row)) {
        const Str *bytes = &ARG(args, 0, Str, row), *filler = &ARG(args, 2, Str, row);
        int64_t wanted = ARG(args, 1, int64_t, row);
        if (wanted < 0 || !filler->length) {
            args_null(args, out, row);
            continue;
        }
        if (wanted > BYTES_MAX) {
            args_fail(args, out, row, "more than 64 MiB");
            continue;
        }
        size_t kept = bytes->length < wanted ? bytes->length : (size_t)wanted, fill = (size_t)wanted - kept;
        char *to = arena_alloc(ARENA(args), (size_t)wanted + 1);
        memcpy(to + (left ? fill : 0), str_bytes(bytes), kept);
        for (size_t i = 0; i < fill; i++)
            to[(left ? 0 : kept) + i] = str_bytes(filler)[i % filler->length];
        RESULT(out, Str)[row] = str_view(to, (size_t)wanted);
    }
    return NULL;
}
static Error *lpad(const Args *args, Vector *out) { return pad(args, out, true); }
static Error *rpad(const Args *args, Vector *out) { return pad(args, out, false); }

#define V TYPE_VARCHAR
#define I TYPE_BIGINT
#define B TYPE_BYTES
#define ALIASES(...) (const char *const[]){ __VA_ARGS__, NULL }
#define BYTES .category = "bytes"
#define FAILING .can_fail = true, .category = "bytes"

const ScalarFunction bytes_functions[] = {
    { "to_base64", { V }, V, to_base64, .aliases = ALIASES("base64encode"), BYTES, .doc = "The bytes of the text in base64.", .example = "to_base64('hello')", .yields = "aGVsbG8=" },
    { "to_base64", { B }, V, to_base64, .aliases = ALIASES("base64encode"), BYTES, .doc = "The bytes in base64.", .example = "to_base64(to_bytes('00ff', 'hex'))", .yields = "AP8=" },
    { "from_base64", { V }, V, from_base64, .aliases = ALIASES("base64decode"), FAILING, .doc = "The text whose bytes stand there in base64.", .example = "from_base64('aGVsbG8=')", .yields = "hello" },
    { "to_bytes", { V, V }, B, to_bytes, .aliases = ALIASES("encode"), FAILING, .doc = "The bytes that a text stands for in an encoding: 'hex', 'utf8', 'ascii', 'base64'.", .example = "octet_length(to_bytes('00ff', 'hex'))", .yields = "2" },
    { "from_bytes", { B, V }, V, from_bytes, .aliases = ALIASES("decode"), FAILING, .doc = "The bytes as text in an encoding; what is no UTF-8, or no ASCII, becomes U+FFFD.", .example = "from_bytes(to_bytes('AP8=', 'base64'), 'hex')", .yields = "00FF" },
    { "encode", { V, V, V }, V, encode, FAILING, .doc = "A text in one encoding as text in another: 'hex', 'utf8', 'ascii', 'base64'.", .example = "encode('bidsql', 'utf8', 'hex')", .yields = "62696473716c" },
    { "int_from_bytes", { B }, TYPE_INT, int_from_bytes, FAILING, .doc = "Four bytes as an INT, the most significant first.", .example = "int_from_bytes(to_bytes('000007E5', 'hex'))", .yields = "2021" },
    { "int_from_bytes", { B, V }, TYPE_INT, int_from_bytes, FAILING, .doc = "The same with the byte order: 'BIG_ENDIAN' or 'LITTLE_ENDIAN'.", .example = "int_from_bytes(to_bytes('E5070000', 'hex'), 'LITTLE_ENDIAN')", .yields = "2021" },
    { "bigint_from_bytes", { B }, I, bigint_from_bytes, FAILING, .doc = "Eight bytes as a BIGINT, the most significant first.", .example = "bigint_from_bytes(to_bytes('FFFFFFFFFFFFFFFF', 'hex'))", .yields = "-1" },
    { "bigint_from_bytes", { B, V }, I, bigint_from_bytes, FAILING, .doc = "The same with the byte order.", .example = "bigint_from_bytes(to_bytes('0100000000000000', 'hex'), 'LITTLE_ENDIAN')", .yields = "1" },
    { "double_from_bytes", { B }, TYPE_DOUBLE, double_from_bytes, FAILING, .doc = "Eight bytes as a DOUBLE (IEEE 754), the most significant first.", .example = "double_from_bytes(to_bytes('3FF8000000000000', 'hex'))", .yields = "1.5" },
    { "double_from_bytes", { B, V }, TYPE_DOUBLE, double_from_bytes, FAILING, .doc = "The same with the byte order.", .example = "double_from_bytes(to_bytes('000000000000F83F', 'hex'), 'LITTLE_ENDIAN')", .yields = "1.5" },
    { "length", { B }, I, length, .aliases = ALIASES("len", "octet_length"), BYTES, .doc = "How many bytes.", .example = "length(to_bytes('é', 'utf8'))", .yields = "2" },
    { "substring", { B, I }, B, substring, .aliases = ALIASES("substr"), BYTES, .doc = "The bytes from a position on (from 1; negative counts from the end).", .example = "from_bytes(substring(to_bytes('abcd', 'utf8'), 3), 'utf8')", .yields = "cd" },
    { "substring", { B, I, I }, B, substring, .aliases = ALIASES("substr"), BYTES, .doc = "So many bytes from a position on.", .example = "from_bytes(substring(to_bytes('abcd', 'utf8'), 2, 2), 'utf8')", .yields = "bc" },
    { "concat", { B }, B, concat, .variadic = true, .sees_nulls = true, FAILING, .doc = "The bytes one after the other; NULLs count as nothing.", .example = "from_bytes(concat(to_bytes('a', 'utf8'), to_bytes('b', 'utf8')), 'utf8')", .yields = "ab" },
    { "concat_ws", { B, B }, B, concat_ws, .variadic = true, .sees_nulls = true, FAILING, .doc = "The bytes with the first one between them; NULLs are left out.",
      .example = "from_bytes(concat_ws(to_bytes('-', 'utf8'), to_bytes('a', 'utf8'), to_bytes('b', 'utf8')), 'utf8')", .yields = "a-b" },
    { "lpad", { B, I, B }, B, lpad, FAILING, .doc = "Filled up with the third at the start, or cut, to n bytes.", .example = "from_bytes(lpad(to_bytes('7', 'utf8'), 3, to_bytes('0', 'utf8')), 'utf8')", .yields = "007" },
    { "rpad", { B, I, B }, B, rpad, FAILING, .doc = "Filled up with the third at the end, or cut, to n bytes.", .example = "from_bytes(rpad(to_bytes('7', 'utf8'), 3, to_bytes('0', 'utf8')), 'utf8')", .yields = "700" },
    { .name = NULL },
};
