/* common/value_text.c: values as text. No printf here: this writes the output of whole queries. */
#include "common/value_text.h"

#include <emmintrin.h>
#include <math.h>

#include "common/calendar.h"
#include "common/decimal.h"

/* ---- strings ---- */

/* Bytes before the first that JSON must escape: '"', '\\', controls. */
static size_t plain_prefix(const char *bytes, size_t length)
{
    size_t at = 0;
    const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\'), last_control = _mm_set1_epi8(0x1F);
    for (; at + 16 <= length; at += 16) {
        __m128i block = _mm_loadu_si128((const __m128i *)(bytes + at));
        __m128i bad = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(block, quote), _mm_cmpeq_epi8(block, backslash)),
                                   _mm_cmpeq_epi8(_mm_min_epu8(block, last_control), block));
        int mask = _mm_movemask_epi8(bad);
        if (mask)
            return at + (size_t)__builtin_ctz((unsigned)mask);
    }
    while (at < length && bytes[at] != '"' && bytes[at] != '\\' && (unsigned char)bytes[at] >= 0x20)
        at++;
    return at;
}

static void add_escape(Text *text, unsigned char c)
{
    static const char digits[] = "0123456789abcdef";
    char out[6] = { '\\', 0 };
    switch (c) {
    case '"':
    case '\\': out[1] = (char)c; break;
    case '\n': out[1] = 'n'; break;
    case '\r': out[1] = 'r'; break;
    case '\t': out[1] = 't'; break;
    case '\b': out[1] = 'b'; break;
    case '\f': out[1] = 'f'; break;
    default:
        memcpy(out + 1, "u00", 3);
        out[4] = digits[c >> 4];
        out[5] = digits[c & 15];
        text_add(text, out, 6);
        return;
    }
    text_add(text, out, 2);
}

void text_add_json_string(Text *text, const char *bytes, size_t length)
{
    text_reserve(text, length + 2);
    text_add_char(text, '"');
    for (size_t at = 0; at < length;) {
        size_t plain = plain_prefix(bytes + at, length - at);
        text_add(text, bytes + at, plain);
        at += plain;
        if (at < length)
            add_escape(text, (unsigned char)bytes[at++]);
    }
    text_add_char(text, '"');
}

void text_add_base64(Text *text, const unsigned char *bytes, size_t length)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t at = 0; at < length; at += 3) {
        size_t left = length - at;
        unsigned group = (unsigned)bytes[at] << 16 | (left > 1 ? (unsigned)bytes[at + 1] << 8 : 0) | (left > 2 ? bytes[at + 2] : 0);
        char out[4] = { alphabet[group >> 18], alphabet[group >> 12 & 63], left > 1 ? alphabet[group >> 6 & 63] : '=', left > 2 ? alphabet[group & 63] : '=' };
        text_add(text, out, 4);
    }
}

/* ---- intervals: '3 months', '1 day 02:00:00.5' ---- */

static void add_count(Text *text, int64_t count, const char *unit)
{
    char out[24];
    text_add(text, out, int64_format(count, out));
    text_add_char(text, ' ');
    text_add_c(text, unit);
    if (count != 1 && count != -1)
        text_add_char(text, 's');
}

static void add_interval(Text *text, const Interval *interval)
{
    char out[CALENDAR_TEXT];
    int64_t days = interval->us / US_PER_DAY, rest = interval->us % US_PER_DAY;
    bool any = false;
    if (interval->months) {
        add_count(text, interval->months, "month");
        any = true;
    }
    if (days) {
        text_add_c(text, any ? " " : "");
        add_count(text, days, "day");
        any = true;
    }
    if (!rest && any)
        return;
    text_add_c(text, any ? " " : "");
    if (rest < 0)
        text_add_char(text, '-');
    int64_t size = rest < 0 ? -rest : rest;
    text_add(text, out, time_format(size, size % 1000 ? 6 : size % US_PER_SECOND ? 3 : 0, out));
}

/* ---- scalars ---- */

static void add_scalar(Text *text, const Vector *vector, uint32_t row)
{
    char *out;
    const Type *type = vector->type;
    text_reserve(text, 64);
    out = text->bytes + text->length;
    switch (type->kind) {
    case TYPE_BOOLEAN:
        text_add_c(text, ((const uint8_t *)vector->values)[row] ? "true" : "false");
        return;
    case TYPE_FLOAT: text->length += float_format(((const double *)vector->values)[row], out); return;
    case TYPE_DOUBLE: text->length += double_format(((const double *)vector->values)[row], out); return;
    case TYPE_DECIMAL: {
        Int128 value = type_physical(type) == PHYSICAL_INT128 ? ((const Int128 *)vector->values)[row] : ((const int64_t *)vector->values)[row];
        text->length += decimal_format(value, type->scale, out);
        return;
    }
    case TYPE_DATE: text->length += date_format(((const int64_t *)vector->values)[row], out); return;
    case TYPE_TIME: {
        int64_t value = ((const int64_t *)vector->values)[row];
        text->length += time_format(value, value % 1000 ? 6 : value % US_PER_SECOND ? 3 : 0, out);
        return;
    }
    case TYPE_TIMESTAMP: text->length += timestamp_format(((const int64_t *)vector->values)[row], type->precision, out); return;
    case TYPE_TIMESTAMP_TZ: text->length += timestamp_format_iso(((const int64_t *)vector->values)[row], type->precision, out); return;
    case TYPE_INTERVAL: add_interval(text, &((const Interval *)vector->values)[row]); return;
    case TYPE_NONE:
    case TYPE_NULL:
    case TYPE_TINYINT:
    case TYPE_SMALLINT:
    case TYPE_INT:
    case TYPE_BIGINT:
    case TYPE_VARCHAR:
    case TYPE_BYTES:
    case TYPE_ARRAY:
    case TYPE_MAP:
    case TYPE_STRUCT:
    case TYPE_LAMBDA:
    case TYPE_ANY: text->length += int64_format(((const int64_t *)vector->values)[row], out); return;
    }
}

void text_add_json_key(Text *text, const Vector *vector, uint32_t row)
{
    if (vector->type->kind == TYPE_VARCHAR) {
        const Str *str = &((const Str *)vector->values)[row & vector_mask(vector)];
        text_add_json_string(text, str_bytes(str), str->length);
        return;
    }
    Text key = { 0 };
    MEMORY_HOLD(text_unwind, &key);
    text_add_value_plain(&key, vector, row);
    text_add_json_string(text, text_c(&key), key.length);
    text_release(&key);
}

static void add_list(Text *text, const Vector *vector, uint32_t row)
{
    bool map = vector->type->kind == TYPE_MAP;
    const Vector *child = vector->children[0];
    text_add_char(text, map ? '{' : '[');
    for (uint32_t at = vector->offsets[row]; at < vector->offsets[row + 1]; at++) {
        if (at > vector->offsets[row])
            text_add_char(text, ',');
        if (!map) {
            text_add_value_json(text, child, at);
            continue;
        }
        text_add_json_key(text, child->children[0], at);
        text_add_char(text, ':');
        text_add_value_json(text, child->children[1], at);
    }
    text_add_char(text, map ? '}' : ']');
}

static void add_struct(Text *text, const Vector *vector, uint32_t row)
{
    text_add_char(text, '{');
    for (int i = 0; i < vector->type->child_count; i++) {
        if (i > 0)
            text_add_char(text, ',');
        text_add_json_string(text, vector->type->names[i], strlen(vector->type->names[i]));
        text_add_char(text, ':');
        text_add_value_json(text, vector->children[i], row);
    }
    text_add_char(text, '}');
}

void text_add_value_json(Text *text, const Vector *vector, uint32_t row)
{
    row &= vector_mask(vector);
    if (vector_is_null(vector, row)) {
        text_add(text, "null", 4);
        return;
    }
    switch (vector->type->kind) {
    case TYPE_VARCHAR: {
        const Str *str = &((const Str *)vector->values)[row];
        text_add_json_string(text, str_bytes(str), str->length);
        return;
    }
    case TYPE_FLOAT:
    case TYPE_DOUBLE:
        if (isfinite(((const double *)vector->values)[row])) {
            add_scalar(text, vector, row);
            return;
        } /* NaN and infinities are strings */
        __attribute__((fallthrough));
    case TYPE_BYTES:
    case TYPE_DATE:
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_TZ:
    case TYPE_INTERVAL:
        text_add_char(text, '"');
        text_add_value_plain(text, vector, row);
        text_add_char(text, '"');
        return;
    case TYPE_ARRAY:
    case TYPE_MAP: add_list(text, vector, row); return;
    case TYPE_STRUCT: add_struct(text, vector, row); return;
    case TYPE_NONE:
    case TYPE_NULL:
    case TYPE_BOOLEAN:
    case TYPE_TINYINT:
    case TYPE_SMALLINT:
    case TYPE_INT:
    case TYPE_BIGINT:
    case TYPE_DECIMAL:
    case TYPE_LAMBDA:
    case TYPE_ANY: add_scalar(text, vector, row); return;
    }
}

void text_add_value_plain(Text *text, const Vector *vector, uint32_t row)
{
    row &= vector_mask(vector);
    if (vector_is_null(vector, row))
        return;
    if (type_is_nested(vector->type)) {
        text_add_value_json(text, vector, row);
        return;
    }
    if (type_physical(vector->type) != PHYSICAL_STR) {
        add_scalar(text, vector, row);
        return;
    }
    const Str *str = &((const Str *)vector->values)[row];
    if (vector->type->kind == TYPE_BYTES)
        text_add_base64(text, (const unsigned char *)str_bytes(str), str->length);
    else
        text_add(text, str_bytes(str), str->length);
}

void text_add_cell(Text *text, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)bytes[i];
        bool second_set = c == 0xC2 && i + 1 < length && (unsigned char)bytes[i + 1] >= 0x80 && (unsigned char)bytes[i + 1] < 0xA0;
        if (c == '\n')
            text_add_c(text, "\\n");
        else if (c == '\t')
            text_add_c(text, "\\t");
        else if (c == '\r')
            text_add_c(text, "\\r");
        else if (c < 0x20 || c == 0x7f)
            text_printf(text, "\\x%02x", c);
        else if (second_set) /* U+0080 to U+009F */
            text_printf(text, "\\x%02x", (unsigned char)bytes[++i]);
        else
            text_add_char(text, (char)c);
    }
}

Str text_printable(Arena *arena, Str raw)
{
    const char *bytes = str_bytes(&raw);
    size_t length = raw.length, good = utf8_valid_prefix(bytes, length);
    if (good == length)
        return raw;
    char *out = arena_alloc(arena, length * 3 + 1);
    size_t used = 0;
    for (size_t at = 0; at < length;) {
        size_t run = utf8_valid_prefix(bytes + at, length - at);
        memcpy(out + used, bytes + at, run);
        used += run;
        at += run;
        if (at < length) {
            memcpy(out + used, "\xEF\xBF\xBD", 3);
            used += 3;
            at++;
        }
    }
    return str_view(out, used);
}
