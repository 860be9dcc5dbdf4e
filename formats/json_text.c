/* formats/json_text.c: the small parts of JSON's grammar: strings, escapes, numbers, and reading text known to be valid. */
#include <emmintrin.h>
#include "formats/json_internal.h"

/* ---- strings ---- */

static int hex_digit(char character)
{
    if (character >= '0' && character <= '9')
        return character - '0';
    character |= 0x20;
    return character >= 'a' && character <= 'f' ? character - 'a' + 10 : -1;
}

/* The four digits after \u, or -1. */
static int32_t hex_quad(const char *p)
{
    int a = hex_digit(p[0]), b = hex_digit(p[1]), c = hex_digit(p[2]), d = hex_digit(p[3]);
    return (a | b | c | d) < 0 ? -1 : a << 12 | b << 8 | c << 4 | d;
}

const char *json_escape_end(const char *p, const char *end)
{
    if (end - p < 2)
        return NULL;
    switch (p[1]) {
    case '"': case '\\': case '/': case 'b': case 'f': case 'n': case 'r': case 't': return p + 2;
    case 'u': break;
    default: return NULL;
    }
    if (end - p < 6)
        return NULL;
    int32_t unit = hex_quad(p + 2);
    if (unit < 0 || (unit >= 0xDC00 && unit < 0xE000))
        return NULL;
    if (unit < 0xD800 || unit >= 0xE000)
        return p + 6;
    if (end - p < 12 || p[6] != '\\' || p[7] != 'u')
        return NULL;
    unit = hex_quad(p + 8);
    return unit >= 0xDC00 && unit < 0xE000 ? p + 12 : NULL;
}

/* The first byte from `p` on that is a quote, a backslash, below 0x20 or not ASCII; `end` if none. */
static const char *find_special(const char *p, const char *end)
{
    const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\'), blank = _mm_set1_epi8(0x20);
    for (; end - p >= 16; p += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)p);
        __m128i hit = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash)), _mm_cmplt_epi8(bytes, blank));
        int mask = _mm_movemask_epi8(hit);
        if (mask)
            return p + __builtin_ctz((unsigned)mask);
    }
    while (p < end && *p != '"' && *p != '\\' && (signed char)*p >= 0x20)
        p++;
    return p;
}

const char *json_string_end(const char *p, const char *end)
{
    const char *text = p;
    bool ascii = true;
    for (;;) {
        p = find_special(p, end);
        if (p >= end)
            return NULL;
        if (*p == '"')
            break;
        if (*p == '\\') {
            p = json_escape_end(p, end);
            if (!p)
                return NULL;
        } else if ((unsigned char)*p >= 0x80) {
            ascii = false;
            while (p < end && (unsigned char)*p >= 0x80)
                p++;
        } else {
            return NULL;
        }
    }
    return ascii || utf8_valid_prefix(text, (size_t)(p - text)) == (size_t)(p - text) ? p : NULL;
}

static size_t put_utf8(uint32_t code, char *out)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xC0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xE0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3F));
        out[2] = (char)(0x80 | (code & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3F));
    out[2] = (char)(0x80 | (code >> 6 & 0x3F));
    out[3] = (char)(0x80 | (code & 0x3F));
    return 4;
}

size_t json_unescape(const char *bytes, size_t length, char *out)
{
    const char *p = bytes, *end = bytes + length;
    char *to = out;
    while (p < end) {
        const char *backslash = memchr(p, '\\', (size_t)(end - p));
        size_t plain = (size_t)((backslash ? backslash : end) - p);
        memcpy(to, p, plain);
        to += plain;
        if (!backslash)
            break;
        p = backslash + 2;
        switch (backslash[1]) {
        case 'b': *to++ = '\b'; break;
        case 'f': *to++ = '\f'; break;
        case 'n': *to++ = '\n'; break;
        case 'r': *to++ = '\r'; break;
        case 't': *to++ = '\t'; break;
        case 'u': {
            uint32_t code = (uint32_t)hex_quad(p);
            p += 4;
            if (code >= 0xD800 && code < 0xDC00) {
                code = 0x10000 + ((code - 0xD800) << 10) + ((uint32_t)hex_quad(p + 2) - 0xDC00);
                p += 6;
            }
            to += put_utf8(code, to);
            break;
        }
        default: *to++ = backslash[1]; break;
        }
    }
    return (size_t)(to - out);
}

/* ---- numbers ---- */

static inline bool is_digit(const char *p, const char *end) { return p < end && *p >= '0' && *p <= '9'; }

const char *json_number_end(const char *p, const char *end)
{
    if (p < end && *p == '-')
        p++;
    if (!is_digit(p, end))
        return NULL;
    if (*p++ != '0')
        while (is_digit(p, end))
            p++;
    if (p < end && *p == '.') {
        if (!is_digit(++p, end))
            return NULL;
        while (is_digit(p, end))
            p++;
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        if (p < end && (*p == '+' || *p == '-'))
            p++;
        if (!is_digit(p, end))
            return NULL;
        while (is_digit(p, end))
            p++;
    }
    return p;
}

JsonInteger json_token_integer(const char *bytes, size_t length, int64_t *value)
{
    const char *p = bytes, *end = bytes + length;
    bool negative = p < end && *p == '-';
    p += negative;
    uint64_t number = 0, pending_zeros = 0; /* zeros at the end are kept back: they may be undone by the exponent */
    bool too_large = false, any = false;
    int64_t exponent = 0;
    bool fraction = false;
    for (; p < end && *p != 'e' && *p != 'E'; p++) {
        if (*p == '.') {
            fraction = true;
            continue;
        }
        exponent -= fraction;
        if (*p == '0') {
            pending_zeros += any;
            continue;
        }
        any = true;
        for (; pending_zeros; pending_zeros--)
            too_large |= too_large || __builtin_mul_overflow(number, 10u, &number);
        too_large |= too_large || __builtin_mul_overflow(number, 10u, &number) || __builtin_add_overflow(number, (uint64_t)(*p - '0'), &number);
    }
    if (p < end) {
        p++;
        bool down = p < end && *p == '-';
        if (p < end && (*p == '-' || *p == '+'))
            p++;
        int64_t written = 0;
        for (; p < end; p++)
            written = written > 1000000000 ? written : written * 10 + (*p - '0');
        exponent += down ? -written : written;
    }
    *value = 0;
    if (!any)
        return JSON_INTEGER;
    exponent += (int64_t)pending_zeros;
    if (exponent < 0)
        return JSON_FRACTION;
    if (exponent > 19)
        return JSON_TOO_LARGE;
    for (; exponent; exponent--)
        too_large |= too_large || __builtin_mul_overflow(number, 10u, &number);
    if (too_large || number > (uint64_t)INT64_MAX + negative)
        return JSON_TOO_LARGE;
    *value = negative ? (int64_t)(0 - number) : (int64_t)number;
    return JSON_INTEGER;
}

/* ---- values ---- */

static bool literal_at(const char *p, const char *end, const char *literal, size_t length)
{
    return (size_t)(end - p) >= length && memcmp(p, literal, length) == 0;
}

/* The byte after the scalar at `p`, or NULL. */
static const char *skip_scalar(const char *p, const char *end)
{
    switch (*p) {
    case '"': {
        const char *quote = json_string_end(p + 1, end);
        return quote ? quote + 1 : NULL;
    }
    case 't': return literal_at(p, end, "true", 4) ? p + 4 : NULL;
    case 'f': return literal_at(p, end, "false", 5) ? p + 5 : NULL;
    case 'n': return literal_at(p, end, "null", 4) ? p + 4 : NULL;
    default: return json_number_end(p, end);
    }
}

/* An object's key and colon; the byte where the value starts, or NULL. */
static const char *skip_key(const char *p, const char *end)
{
    if (p >= end || *p != '"' || !(p = json_string_end(p + 1, end)))
        return NULL;
    p = json_space(p + 1, end);
    return p < end && *p == ':' ? json_space(p + 1, end) : NULL;
}

const char *json_skip_value(const char *p, const char *end, int depth_left, const char **bad)
{
    bool is_object[JSON_DEPTH_LIMIT + 1]; /* of each open level */
    int depth = 0;
    for (;;) {
        *bad = p;
        if (p >= end)
            return NULL;
        if (*p == '{' || *p == '[') {
            if (depth >= depth_left || depth >= JSON_DEPTH_LIMIT)
                return NULL;
            bool object = *p == '{';
            is_object[++depth] = object;
            p = json_space(p + 1, end);
            if (p < end && *p == (object ? '}' : ']')) {
                p++;
                depth--;
            } else {
                *bad = p;
                if (object && !(p = skip_key(p, end)))
                    return NULL;
                continue;
            }
        } else if (!(p = skip_scalar(p, end))) {
            return NULL;
        }
        /* after a value */
        for (;;) {
            if (depth == 0)
                return p;
            *bad = p = json_space(p, end);
            if (p >= end)
                return NULL;
            if (*p == ',') {
                *bad = p = json_space(p + 1, end);
                if (is_object[depth] && !(p = skip_key(p, end)))
                    return NULL;
                break;
            }
            if (*p != (is_object[depth] ? '}' : ']'))
                return NULL;
            p++;
            depth--;
        }
    }
}

/* ---- valid text ---- */

/* The closing quote of a valid string whose content starts at `p`. */
static const char *valid_string_end(const char *p, const char *end)
{
    for (;;) {
        p = find_special(p, end);
        if (p >= end || *p == '"')
            return p;
        p += *p == '\\' ? 2 : 1;
    }
}

static const char *valid_container_end(const char *p, const char *end)
{
    int depth = 0;
    for (; p < end; p++) {
        if (*p == '"')
            p = valid_string_end(p + 1, end);
        else if (*p == '{' || *p == '[')
            depth++;
        else if ((*p == '}' || *p == ']') && --depth == 0)
            return p + 1;
    }
    return end;
}

JsonToken json_read(const char **p, const char *end)
{
    JsonToken token = { .bytes = *p };
    const char *after;
    switch (**p) {
    case '"':
        token.kind = JSON_STRING;
        after = valid_string_end(*p + 1, end) + 1;
        break;
    case '{': case '[':
        token.kind = **p == '{' ? JSON_OBJECT : JSON_ARRAY;
        after = valid_container_end(*p, end);
        break;
    case 't': token.kind = JSON_TRUE; after = *p + 4; break;
    case 'f': token.kind = JSON_FALSE; after = *p + 5; break;
    case 'n': token.kind = JSON_NULL; after = *p + 4; break;
    default:
        token.kind = JSON_NUMBER;
        after = json_number_end(*p, end);
        if (!after)
            after = end;
        break;
    }
    token.length = (uint32_t)(after - *p);
    *p = after;
    return token;
}

size_t json_compact(const char *bytes, size_t length, char *out)
{
    const char *p = bytes, *end = bytes + length;
    char *to = out;
    while (p < end) {
        const char *start = p;
        if (*p == '"')
            p = valid_string_end(p + 1, end) + 1;
        else if (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')
            start = ++p;
        else
            p++;
        memcpy(to, start, (size_t)(p - start));
        to += p - start;
    }
    return (size_t)(to - out);
}

bool json_next_element(const JsonToken *array, const char **p, JsonToken *value)
{
    const char *end = array->bytes + array->length;
    const char *at = json_space(*p ? *p : array->bytes + 1, end);
    if (*p && *at == ',')
        at = json_space(at + 1, end);
    if (at >= end - 1) /* the closing bracket */
        return false;
    *value = json_read(&at, end);
    *p = at;
    return true;
}

bool json_next_member(const JsonToken *object, const char **p, JsonToken *key, JsonToken *value)
{
    const char *end = object->bytes + object->length;
    const char *at = json_space(*p ? *p : object->bytes + 1, end);
    if (*p && *at == ',')
        at = json_space(at + 1, end);
    if (at >= end - 1)
        return false;
    *key = json_read(&at, end);
    at = json_space(at, end);
    at = json_space(at + 1, end); /* the colon */
    *value = json_read(&at, end);
    *p = at;
    return true;
}

/* One character's escape at `p` as up to four bytes; moves behind it. */
static size_t unescape_one(const char **p, char out[4])
{
    size_t length = (*p)[1] != 'u' ? 2 : 6;
    if (length == 6 && ((*p)[2] | 0x20) == 'd' && hex_digit((*p)[3]) >= 8) /* a pair of surrogates */
        length = 12;
    size_t written = json_unescape(*p, length, out);
    *p += length;
    return written;
}

static char fold(char character) { return character >= 'A' && character <= 'Z' ? (char)(character | 0x20) : character; }

bool json_key_equal(const JsonToken *key, const char *name, size_t name_length, bool any_case)
{
    const char *p = key->bytes + 1, *end = key->bytes + key->length - 1;
    const char *at = name, *name_end = name + name_length;
    while (p < end) {
        char piece[12];
        size_t length = 1;
        if (*p == '\\')
            length = unescape_one(&p, piece);
        else
            piece[0] = *p++;
        if ((size_t)(name_end - at) < length)
            return false;
        for (size_t i = 0; i < length; i++, at++)
            if (any_case ? fold(piece[i]) != fold(*at) : piece[i] != *at)
                return false;
    }
    return at == name_end;
}
