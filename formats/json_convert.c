/* formats/json_convert.c: a JSON value becomes a value of the column's type.
 *
 * The text is known to be valid JSON. What cannot be converted is told with the wanted type and what stood there. */
#include <stdlib.h>
#include "common/calendar.h"
#include "common/decimal.h"
#include "formats/json_internal.h"

void json_integer_range(const Type *type, int64_t *minimum, int64_t *maximum)
{
    switch (type->kind) {
    case TYPE_TINYINT: *minimum = INT8_MIN; *maximum = INT8_MAX; break;
    case TYPE_SMALLINT: *minimum = INT16_MIN; *maximum = INT16_MAX; break;
    case TYPE_INT: *minimum = INT32_MIN; *maximum = INT32_MAX; break;
    default: *minimum = INT64_MIN; *maximum = INT64_MAX; break;
    }
}

/* ---- messages ---- */

/* The token's text, shortened at a character's end. */
static const char *excerpt(Arena *arena, const JsonToken *token)
{
    size_t length = token->length, limit = 60;
    if (length <= limit)
        return arena_strndup(arena, token->bytes, length);
    while (limit && ((unsigned char)token->bytes[limit] & 0xC0) == 0x80)
        limit--;
    return arena_printf(arena, "%.*s..", (int)limit, token->bytes);
}

static const char *wrong_type(const JsonConversion *conversion, const Type *type, const JsonToken *token)
{
    return arena_printf(conversion->strings, "expected %s, found %s", type_text(conversion->strings, type), excerpt(conversion->strings, token));
}

static const char *out_of_range(const JsonConversion *conversion, const Type *type, const JsonToken *token)
{
    return arena_printf(conversion->strings, "%s is out of range for %s", excerpt(conversion->strings, token), type_text(conversion->strings, type));
}

/* ---- strings ---- */

/* What a string token means; points into the record unless there are escapes. */
static const char *string_content(const JsonConversion *conversion, const JsonToken *token, size_t *length)
{
    const char *content = token->bytes + 1;
    *length = token->length - 2;
    if (!memchr(content, '\\', *length))
        return content;
    char *copy = arena_alloc(conversion->strings, *length);
    *length = json_unescape(content, *length, copy);
    return copy;
}

static size_t character_count(const char *bytes, size_t length)
{
    size_t count = 0;
    for (size_t i = 0; i < length; i++)
        count += ((unsigned char)bytes[i] & 0xC0) != 0x80;
    return count;
}

static const char *to_varchar(const JsonConversion *conversion, const Type *type, const JsonToken *token, Value *value)
{
    const char *bytes = token->bytes;
    size_t length = token->length;
    if (token->kind == JSON_STRING) {
        bytes = string_content(conversion, token, &length);
    } else if (conversion->as_ksql && (token->kind == JSON_OBJECT || token->kind == JSON_ARRAY)) {
        char *copy = arena_alloc(conversion->strings, length);
        length = json_compact(bytes, length, copy);
        bytes = copy;
    }
    if (type->length && length > type->length && character_count(bytes, length) > type->length)
        return arena_printf(conversion->strings, "%s is longer than %s", excerpt(conversion->strings, token), type_text(conversion->strings, type));
    value->text = str_view(bytes, length);
    return NULL;
}

size_t base64_decode(const char *bytes, size_t length, char *out)
{
    while (length && bytes[length - 1] == '=' && length % 4 == 0 && length > 2)
        length -= bytes[length - 2] == '=' ? 2 : 1;
    if (length % 4 == 1)
        return SIZE_MAX;
    uint32_t bits = 0;
    size_t written = 0;
    int held = 0;
    for (size_t i = 0; i < length; i++) {
        char c = bytes[i];
        int digit = c >= 'A' && c <= 'Z' ? c - 'A' : c >= 'a' && c <= 'z' ? c - 'a' + 26 : c >= '0' && c <= '9' ? c - '0' + 52 : c == '+' ? 62 : c == '/' ? 63 : -1;
        if (digit < 0)
            return SIZE_MAX;
        bits = bits << 6 | (uint32_t)digit;
        held += 6;
        if (held >= 8) {
            held -= 8;
            out[written++] = (char)(bits >> held);
        }
    }
    return written;
}

static const char *to_bytes(const JsonConversion *conversion, const Type *type, const JsonToken *token, Value *value)
{
    if (token->kind != JSON_STRING)
        return wrong_type(conversion, type, token);
    size_t length;
    const char *content = string_content(conversion, token, &length);
    char *out = arena_alloc(conversion->strings, length / 4 * 3 + 4);
    size_t written = base64_decode(content, length, out);
    if (written == SIZE_MAX)
        return arena_printf(conversion->strings, "expected base64 text, found %s", excerpt(conversion->strings, token));
    value->text = str_view(out, written);
    return NULL;
}

/* ---- numbers ---- */

/* The integer part of a number that has a fraction. */
static JsonInteger integer_part(const char *bytes, size_t length, int64_t *value)
{
    const char *point = memchr(bytes, '.', length);
    if (!memchr(bytes, 'e', length) && !memchr(bytes, 'E', length))
        return json_token_integer(bytes, point ? (size_t)(point - bytes) : length, value);
    double number;
    if (!double_parse(bytes, length, &number) || !(number > -0x1p63 && number < 0x1p63))
        return JSON_TOO_LARGE;
    *value = (int64_t)number;
    return JSON_INTEGER;
}

/* The integer that a token means: as it stands, or as ksqlDB takes it. */
static JsonInteger token_integer(const JsonConversion *conversion, const JsonToken *token, int64_t *value)
{
    if (token->kind == JSON_NUMBER) {
        JsonInteger kind = json_token_integer(token->bytes, token->length, value);
        return kind == JSON_FRACTION && conversion->as_ksql ? integer_part(token->bytes, token->length, value) : kind;
    }
    size_t length;
    const char *text = conversion->as_ksql && token->kind == JSON_STRING ? string_content(conversion, token, &length) : NULL;
    return text && int64_parse(text, length, value) ? JSON_INTEGER : JSON_FRACTION;
}

static const char *to_integer(const JsonConversion *conversion, const Type *type, const JsonToken *token, Value *value)
{
    int64_t minimum, maximum;
    json_integer_range(type, &minimum, &maximum);
    switch (token_integer(conversion, token, &value->integer)) {
    case JSON_FRACTION: return wrong_type(conversion, type, token);
    case JSON_TOO_LARGE: return out_of_range(conversion, type, token);
    case JSON_INTEGER: break;
    }
    return value->integer < minimum || value->integer > maximum ? out_of_range(conversion, type, token) : NULL;
}

static const char *to_double(const JsonConversion *conversion, const Type *type, const JsonToken *token, Value *value)
{
    bool known = token->kind == JSON_NUMBER;
    if (token->kind == JSON_STRING) {
        static const char *const names[] = { "\"NaN\"", "\"Infinity\"", "\"-Infinity\"" };
        static const double numbers[] = { __builtin_nan(""), __builtin_inf(), -__builtin_inf() };
        for (int i = 0; i < 3; i++)
            if (strlen(names[i]) == token->length && memcmp(names[i], token->bytes, token->length) == 0) {
                value->number = numbers[i];
                return NULL;
            }
    }
    size_t length = token->length;
    const char *bytes = token->bytes;
    if (conversion->as_ksql && token->kind == JSON_STRING) {
        bytes = string_content(conversion, token, &length);
        known = true;
    }
    if (!known || !double_parse(bytes, length, &value->number))
        return wrong_type(conversion, type, token);
    if (type->kind == TYPE_FLOAT)
        value->number = (float)value->number;
    return __builtin_isinf(value->number) ? out_of_range(conversion, type, token) : NULL;
}

/* Digits after the point that are not needless zeros; of text that decimal_parse takes. */
static int64_t fraction_digits(const char *bytes, size_t length)
{
    int64_t digits = 0, zeros = 0, exponent = 0;
    bool fraction = false;
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] == 'e' || bytes[i] == 'E') {
            if (!int64_parse(bytes + i + 1, length - i - 1, &exponent))
                exponent = 0;
            break;
        }
        fraction |= bytes[i] == '.';
        if (bytes[i] < '0' || bytes[i] > '9')
            continue;
        digits += fraction;
        zeros = bytes[i] == '0' ? zeros + 1 : 0;
    }
    return digits - zeros - exponent;
}

static const char *to_decimal(const JsonConversion *conversion, const Type *type, const JsonToken *token, Value *value)
{
    if (token->kind != JSON_NUMBER && token->kind != JSON_STRING)
        return wrong_type(conversion, type, token);
    size_t length = token->length;
    const char *bytes = token->kind == JSON_STRING ? string_content(conversion, token, &length) : token->bytes;
    Int128 decimal;
    if (!decimal_parse(bytes, length, type->precision, type->scale, &decimal))
        return token->kind == JSON_NUMBER ? out_of_range(conversion, type, token) : wrong_type(conversion, type, token);
    if (conversion->as_ksql && fraction_digits(bytes, length) > type->scale)
        return arena_printf(conversion->strings, "%s has more digits after the point than %s", excerpt(conversion->strings, token), type_text(conversion->strings, type));
    if (type_physical(type) == PHYSICAL_INT64)
        value->integer = (int64_t)decimal;
    else
        value->decimal = decimal;
    return NULL;
}

/* ---- times ---- */

static const char *to_timestamp(const JsonConversion *conversion, const Type *type, const JsonToken *token, Value *value)
{
    const TimestampPattern *pattern = conversion->pattern;
    const TimeZone *zone = type->kind == TYPE_TIMESTAMP_TZ ? conversion->zone : NULL;
    if (token->kind != JSON_NUMBER && token->kind != JSON_STRING)
        return wrong_type(conversion, type, token);
    size_t length = token->length;
    const char *bytes = token->kind == JSON_STRING ? string_content(conversion, token, &length) : token->bytes;
    bool fine = false;
    if (pattern && timestamp_pattern_kind(pattern) != PATTERN_ISO) {
        fine = timestamp_pattern_parse_in(pattern, zone, bytes, length, &value->integer);
    } else {
        if (token->kind == JSON_STRING)
            fine = timezone_parse(zone, bytes, length, &value->integer);
        JsonInteger kind = fine ? JSON_FRACTION : token_integer(conversion, token, &value->integer);
        if (kind == JSON_TOO_LARGE || (kind == JSON_INTEGER && __builtin_mul_overflow(value->integer, US_PER_MS, &value->integer)))
            return out_of_range(conversion, type, token);
        fine |= kind == JSON_INTEGER && !pattern;
    }
    if (!fine && pattern)
        return arena_printf(conversion->strings, "%s does not fit the timestamp format", excerpt(conversion->strings, token));
    return fine ? NULL : wrong_type(conversion, type, token);
}

/* DATE: text or days; TIME: text or milliseconds. */
static const char *to_date_or_time(const JsonConversion *conversion, const Type *type, const JsonToken *token, Value *value)
{
    bool is_date = type->kind == TYPE_DATE;
    if (token->kind == JSON_STRING) {
        size_t length;
        const char *bytes = string_content(conversion, token, &length);
        if (is_date ? date_parse(bytes, length, &value->integer) : time_parse(bytes, length, &value->integer))
            return NULL;
    }
    int64_t limit = is_date ? INT64_C(1) << 40 : US_PER_DAY / US_PER_MS - 1;
    JsonInteger kind = token_integer(conversion, token, &value->integer);
    if (kind == JSON_FRACTION)
        return wrong_type(conversion, type, token);
    if (kind == JSON_TOO_LARGE || value->integer > limit || value->integer < (is_date ? -limit : 0))
        return out_of_range(conversion, type, token);
    value->integer *= is_date ? 1 : US_PER_MS;
    return NULL;
}

/* ---- nested values ---- */

static const char *nested_value(const JsonConversion *conversion, const Type *type, const JsonToken *token, Value *value)
{
    *value = value_null(type);
    return token->kind == JSON_NULL || token->kind == JSON_MISSING ? NULL : json_to_value(conversion, type, token, value);
}

static const char *to_array(const JsonConversion *conversion, const Type *type, const JsonToken *token, Value *value)
{
    if (token->kind != JSON_ARRAY)
        return wrong_type(conversion, type, token);
    uint32_t count = 0;
    JsonToken element;
    for (const char *p = NULL; json_next_element(token, &p, &element);)
        count++;
    Value *items = ARENA_ARRAY(conversion->scratch, Value, (size_t)count + 1);
    uint32_t i = 0;
    for (const char *p = NULL; json_next_element(token, &p, &element); i++) {
        const char *reason = nested_value(conversion, type->children[0], &element, &items[i]);
        if (reason)
            return reason;
    }
    value->nested.items = items;
    value->nested.count = count;
    return NULL;
}

/* A key is a string; for a type that takes no strings, what stands between its quotes. */
static const char *map_key(const JsonConversion *conversion, const Type *type, const JsonToken *token, Value *value)
{
    *value = (Value){ .type = type };
    switch (type->kind) {
    case TYPE_BOOLEAN: case TYPE_TINYINT: case TYPE_SMALLINT: case TYPE_INT: case TYPE_BIGINT: case TYPE_FLOAT: case TYPE_DOUBLE: {
        JsonToken inner = { token->bytes + 1, token->length - 2, JSON_MISSING };
        const char *end = inner.bytes + inner.length;
        if (inner.length && json_number_end(inner.bytes, end) == end)
            inner.kind = JSON_NUMBER;
        else if (inner.length == 4 && memcmp(inner.bytes, "true", 4) == 0)
            inner.kind = JSON_TRUE;
        else if (inner.length == 5 && memcmp(inner.bytes, "false", 5) == 0)
            inner.kind = JSON_FALSE;
        return inner.kind == JSON_MISSING ? wrong_type(conversion, type, token) : json_to_value(conversion, type, &inner, value);
    }
    default: return json_to_value(conversion, type, token, value);
    }
}

static int order_of_keys(const void *a, const void *b)
{
    const Value *x = *(const Value *const *)a, *y = *(const Value *const *)b;
    int order = value_compare(x, y);
    return order ? order : x < y ? -1 : 1;
}

uint32_t drop_repeated_keys(Arena *scratch, Value *items, uint32_t count)
{
    if (count < 2)
        return count;
    const Value **keys = ARENA_ARRAY(scratch, const Value *, count);
    for (uint32_t i = 0; i < count; i++)
        keys[i] = &items[i * 2];
    qsort(keys, count, sizeof *keys, order_of_keys);
    bool *dropped = ARENA_ARRAY(scratch, bool, count);
    for (uint32_t i = 0; i + 1 < count; i++)
        if (value_compare(keys[i], keys[i + 1]) == 0)
            dropped[(keys[i] - items) / 2] = true;
    uint32_t left = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (dropped[i])
            continue;
        items[left * 2] = items[i * 2];
        items[left * 2 + 1] = items[i * 2 + 1];
        left++;
    }
    return left;
}

static const char *to_map(const JsonConversion *conversion, const Type *type, const JsonToken *token, Value *value)
{
    if (token->kind != JSON_OBJECT)
        return wrong_type(conversion, type, token);
    uint32_t count = 0;
    JsonToken key, member;
    for (const char *p = NULL; json_next_member(token, &p, &key, &member);)
        count++;
    Value *items = ARENA_ARRAY(conversion->scratch, Value, (size_t)count * 2 + 1);
    uint32_t i = 0;
    for (const char *p = NULL; json_next_member(token, &p, &key, &member); i++) {
        const char *reason = map_key(conversion, type->children[0], &key, &items[i * 2]);
        if (!reason)
            reason = nested_value(conversion, type->children[1], &member, &items[i * 2 + 1]);
        if (reason)
            return reason;
    }
    value->nested.items = items;
    value->nested.count = drop_repeated_keys(conversion->scratch, items, count) * 2;
    return NULL;
}

/* The field that a key names: exact, or without case where no other field is written so. */
static int field_of(const Type *type, const JsonToken *key, bool *exact)
{
    int loose = -1;
    for (int i = 0; i < type->child_count; i++) {
        size_t length = strlen(type->names[i]);
        if (!json_key_equal(key, type->names[i], length, true))
            continue;
        *exact = json_key_equal(key, type->names[i], length, false);
        if (*exact)
            return i;
        loose = loose == -1 ? i : -2;
    }
    *exact = false;
    return loose;
}

static const char *to_struct(const JsonConversion *conversion, const Type *type, const JsonToken *token, Value *value)
{
    if (token->kind != JSON_OBJECT)
        return wrong_type(conversion, type, token);
    size_t count = (size_t)type->child_count;
    Value *items = ARENA_ARRAY(conversion->scratch, Value, count + 1);
    JsonToken *found = ARENA_ARRAY(conversion->scratch, JsonToken, count + 1);
    JsonToken *keys = ARENA_ARRAY(conversion->scratch, JsonToken, count + 1);
    bool *exactly = ARENA_ARRAY(conversion->scratch, bool, count + 1);
    JsonToken key, member;
    for (const char *p = NULL; json_next_member(token, &p, &key, &member);) {
        bool exact;
        int field = field_of(type, &key, &exact);
        if (field < 0 || (exactly[field] && !exact))
            continue;
        bool other = !exact && found[field].kind && (keys[field].length != key.length || memcmp(keys[field].bytes, key.bytes, key.length) != 0);
        if (other && conversion->as_ksql)
            continue;
        if (other)
            return arena_printf(conversion->strings, "two keys fit the field '%s'", type->names[field]);
        found[field] = member;
        keys[field] = key;
        exactly[field] = exact;
    }
    for (size_t i = 0; i < count; i++) {
        const char *reason = nested_value(conversion, type->children[i], &found[i], &items[i]);
        if (reason)
            return reason;
    }
    value->nested.items = items;
    value->nested.count = (uint32_t)count;
    return NULL;
}

/* ---- any value ---- */

const char *json_to_value(const JsonConversion *conversion, const Type *type, const JsonToken *token, Value *value)
{
    *value = (Value){ .type = type };
    switch (type->kind) {
    case TYPE_BOOLEAN:
        value->integer = token->kind == JSON_TRUE;
        return token->kind == JSON_TRUE || token->kind == JSON_FALSE ? NULL : wrong_type(conversion, type, token);
    case TYPE_TINYINT: case TYPE_SMALLINT: case TYPE_INT: case TYPE_BIGINT: return to_integer(conversion, type, token, value);
    case TYPE_FLOAT: case TYPE_DOUBLE: return to_double(conversion, type, token, value);
    case TYPE_DECIMAL: return to_decimal(conversion, type, token, value);
    case TYPE_VARCHAR: return to_varchar(conversion, type, token, value);
    case TYPE_BYTES: return to_bytes(conversion, type, token, value);
    case TYPE_DATE: case TYPE_TIME: return to_date_or_time(conversion, type, token, value);
    case TYPE_TIMESTAMP: case TYPE_TIMESTAMP_TZ: return to_timestamp(conversion, type, token, value);
    case TYPE_ARRAY: return to_array(conversion, type, token, value);
    case TYPE_MAP: return to_map(conversion, type, token, value);
    case TYPE_STRUCT: return to_struct(conversion, type, token, value);
    case TYPE_NONE: case TYPE_NULL: case TYPE_INTERVAL: case TYPE_LAMBDA: case TYPE_ANY: break;
    }
    return arena_printf(conversion->strings, "a column of type %s cannot be read from JSON", type_text(conversion->strings, type));
}

void scalar_store(Vector *vector, uint32_t row, const Value *value)
{
    switch (type_physical(vector->type)) {
    case PHYSICAL_BOOL: ((uint8_t *)vector->values)[row] = value->integer != 0; break;
    case PHYSICAL_INT64: ((int64_t *)vector->values)[row] = value->integer; break;
    case PHYSICAL_DOUBLE: ((double *)vector->values)[row] = value->number; break;
    case PHYSICAL_INT128: ((Int128 *)vector->values)[row] = value->decimal; break;
    case PHYSICAL_STR: ((Str *)vector->values)[row] = value->text; break;
    case PHYSICAL_INTERVAL: ((Interval *)vector->values)[row] = value->interval; break;
    case PHYSICAL_ARRAY: case PHYSICAL_STRUCT: return;
    }
    if (vector->validity)
        bit_set(vector->validity, row);
}
