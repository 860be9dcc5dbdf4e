/* functions/cast.c: CAST and TRY_CAST.
 *
 * Three kinds: values that already are what they become (INT -> BIGINT), loops for the common pairs that cannot or hardly can
 * fail, and value_cast for everything else, which is also how constants are converted. Nested types: cast_nested.c. */
#include <math.h>
#include <stdio.h>
#include "common/calendar.h"
#include "common/decimal.h"
#include "common/value_text.h"
#include "functions/cast_internal.h"

/* ---- which casts there are ---- */

typedef enum CastKind { CAST_NONE, CAST_RETYPE, CAST_WIDEN, CAST_SAFE, CAST_CHECKED } CastKind;

static CastKind worse(CastKind a, CastKind b)
{
    if (a == CAST_NONE || b == CAST_NONE)
        return CAST_NONE;
    return a > b ? a : b;
}

#define FIELDS_MAX 1000

static CastKind nested_kind(const Type *from, const Type *to)
{
    CastKind kind = CAST_SAFE;
    int sources[FIELDS_MAX] = { 0, 1 };
    if (to->child_count > FIELDS_MAX || (to->kind == TYPE_STRUCT && !struct_cast_fields(from, to, sources)))
        return CAST_NONE;
    for (int i = 0; i < to->child_count; i++) {
        if (sources[i] < 0 || type_equal(from->children[sources[i]], to->children[i]))
            continue;
        const ScalarFunction *one = function_cast(from->children[sources[i]], to->children[i], false);
        kind = worse(kind, !one ? CAST_NONE : one->can_fail ? CAST_CHECKED : CAST_SAFE);
    }
    if (to->kind == TYPE_MAP && kind == CAST_SAFE && !type_equal(from->children[0], to->children[0]))
        return CAST_CHECKED; /* keys may become equal */
    return kind;
}

static CastKind numeric_kind(const Type *from, const Type *to)
{
    if (type_is_integer(from) && type_is_integer(to))
        return to->kind >= from->kind ? CAST_RETYPE : CAST_CHECKED;
    if (to->kind == TYPE_DOUBLE || to->kind == TYPE_FLOAT)
        return from->kind == TYPE_FLOAT && to->kind == TYPE_DOUBLE ? CAST_RETYPE : CAST_WIDEN;
    if (to->kind == TYPE_DECIMAL && (type_is_integer(from) || from->kind == TYPE_DECIMAL))
        return to->scale >= scale_of(from) && to->precision - to->scale >= digits_of(from) - scale_of(from) ? CAST_WIDEN : CAST_CHECKED;
    return CAST_CHECKED;
}

static CastKind time_kind(const Type *from, const Type *to)
{
    if (type_is_timestamp(from) && type_is_timestamp(to))
        return to->precision >= from->precision ? CAST_RETYPE : CAST_WIDEN; /* a shorter fraction is cut */
    if (from->kind == TYPE_TIME && to->kind == TYPE_TIME)
        return CAST_RETYPE;
    if (from->kind == TYPE_DATE && type_is_timestamp(to))
        return CAST_WIDEN;
    if (type_is_timestamp(from) && (to->kind == TYPE_DATE || to->kind == TYPE_TIME))
        return CAST_WIDEN;
    return CAST_NONE;
}

static bool is_time(const Type *type) { return type->kind >= TYPE_DATE && type->kind <= TYPE_TIMESTAMP_TZ; }

static CastKind cast_kind(const Type *from, const Type *to)
{
    if (type_equal(from, to))
        return CAST_RETYPE;
    if (from->kind == TYPE_NULL)
        return CAST_SAFE;
    if (to->kind == TYPE_VARCHAR) {
        if (from->kind == TYPE_VARCHAR)
            return to->length == 0 || (from->length && from->length <= to->length) ? CAST_RETYPE : CAST_SAFE;
        return CAST_SAFE; /* too long for VARCHAR(n): cut */
    }
    if (from->kind == TYPE_VARCHAR)
        return type_is_nested(to) ? CAST_NONE : CAST_CHECKED;
    if (from->kind == TYPE_BYTES || to->kind == TYPE_BYTES)
        return CAST_NONE;
    if (type_is_numeric(from) && type_is_numeric(to))
        return numeric_kind(from, to);
    if (from->kind == TYPE_BOOLEAN || to->kind == TYPE_BOOLEAN) {
        const Type *other = from->kind == TYPE_BOOLEAN ? to : from;
        return type_is_integer(other) || (to->kind == TYPE_BOOLEAN && type_is_numeric(other)) ? CAST_SAFE : CAST_NONE;
    }
    if (is_time(from) && is_time(to))
        return time_kind(from, to);
    if (from->kind == to->kind && type_is_nested(from))
        return nested_kind(from, to);
    return CAST_NONE;
}

/* ---- one value ---- */

static bool refuse(Arena *arena, const Value *value, const Type *to, const char **reason)
{
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    char digits[32];
    if (type_physical(value->type) == PHYSICAL_DOUBLE)
        text_add(&text, digits, double_format(value->number, digits));
    else
        value_print(value, &text);
    if (text.length > 60) {
        text.length = 57;
        while (text.length && ((unsigned char)text.bytes[text.length] & 0xC0) == 0x80)
            text.length--;
        text_add_c(&text, "...");
    }
    bool number = type_is_numeric(value->type) && type_is_numeric(to);
    *reason = arena_printf(arena, number ? "%s is out of range of %s" : "cannot cast %s to %s", text_c(&text), type_text(arena, to));
    text_release(&text);
    return false;
}

static Int128 decimal_of(const Value *value) { return type_physical(value->type) == PHYSICAL_INT128 ? value->decimal : value->integer; }

static void set_decimal(Value *value, Int128 decimal)
{
    if (type_physical(value->type) == PHYSICAL_INT128)
        value->decimal = decimal;
    else
        value->integer = (int64_t)decimal;
}

static bool integer_fits(TypeKind kind, int64_t value)
{
    switch (kind) {
    case TYPE_TINYINT: return value >= INT8_MIN && value <= INT8_MAX;
    case TYPE_SMALLINT: return value >= INT16_MIN && value <= INT16_MAX;
    case TYPE_INT: return value >= INT32_MIN && value <= INT32_MAX;
    default: return true;
    }
}

/* Towards zero. */
static bool double_to_integer(double number, TypeKind kind, int64_t *result)
{
    number = trunc(number);
    if (!(number >= -0x1p63 && number < 0x1p63))
        return false;
    *result = (int64_t)number;
    return integer_fits(kind, *result);
}

/* Towards zero, as from DOUBLE. */
static bool decimal_to_integer(Int128 decimal, int scale, TypeKind kind, int64_t *result)
{
    decimal /= decimal_power(scale);
    if (decimal < INT64_MIN || decimal > INT64_MAX)
        return false;
    *result = (int64_t)decimal;
    return integer_fits(kind, *result);
}

static bool number_to_integer(const Value *value, Value *result)
{
    if (type_physical(value->type) == PHYSICAL_DOUBLE)
        return double_to_integer(value->number, result->type->kind, &result->integer);
    if (value->type->kind == TYPE_DECIMAL)
        return decimal_to_integer(decimal_of(value), value->type->scale, result->type->kind, &result->integer);
    result->integer = value->integer;
    return integer_fits(result->type->kind, value->integer);
}

static bool number_to_decimal(const Value *value, Value *result)
{
    const Type *to = result->type;
    Int128 decimal;
    if (type_physical(value->type) == PHYSICAL_DOUBLE) {
        if (!decimal_from_double(value->number, to->precision, to->scale, &decimal))
            return false;
    } else if (!decimal_rescale(decimal_of(value), scale_of(value->type), to->scale, &decimal) || !decimal_fits(decimal, to->precision)) {
        return false;
    }
    set_decimal(result, decimal);
    return true;
}

static double number_of(const Value *value)
{
    if (type_physical(value->type) == PHYSICAL_DOUBLE)
        return value->number;
    return value->type->kind == TYPE_DECIMAL ? decimal_to_double(decimal_of(value), value->type->scale) : (double)value->integer;
}

static int64_t cut_fraction(int64_t us, int digits)
{
    static const int64_t units[] = { 1000000, 100000, 10000, 1000, 100, 10, 1 };
    return us - floor_mod(us, units[digits > 6 ? 6 : digits]);
}

static bool time_to_time(const Value *value, Value *result)
{
    const Type *from = value->type, *to = result->type;
    if (from->kind == TYPE_DATE && type_is_timestamp(to))
        return !__builtin_mul_overflow(value->integer, US_PER_DAY, &result->integer);
    if (to->kind == TYPE_DATE)
        result->integer = floor_div(value->integer, US_PER_DAY);
    else if (to->kind == TYPE_TIME && from->kind != TYPE_TIME)
        result->integer = floor_mod(value->integer, US_PER_DAY);
    else
        result->integer = type_is_timestamp(to) ? cut_fraction(value->integer, to->precision) : value->integer;
    return true;
}

static bool text_to_boolean(const char *bytes, size_t length, int64_t *result)
{
    static const char *const words[] = { "false", "true", "f", "t", "no", "yes", "n", "y", "0", "1", "off", "on" };
    while (length && *bytes == ' ')
        bytes++, length--;
    while (length && bytes[length - 1] == ' ')
        length--;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strlen(words[i]) == length && strncasecmp(bytes, words[i], length) == 0) {
            *result = i & 1;
            return true;
        }
    return false;
}

/* '12', also '12.7' and '1e3', cut towards zero. */
static bool text_to_integer(const char *bytes, size_t length, TypeKind kind, int64_t *result)
{
    if (int64_parse(bytes, length, result))
        return integer_fits(kind, *result);
    double number;
    return length && memchr(bytes, '.', length) && double_parse(bytes, length, &number) && double_to_integer(number, kind, result);
}

static bool text_to(const Value *value, Value *result)
{
    const Type *to = result->type;
    const char *bytes = str_bytes(&value->text);
    size_t length = value->text.length;
    Int128 decimal;
    switch (to->kind) {
    case TYPE_BOOLEAN: return text_to_boolean(bytes, length, &result->integer);
    case TYPE_TINYINT:
    case TYPE_SMALLINT:
    case TYPE_INT:
    case TYPE_BIGINT: return text_to_integer(bytes, length, to->kind, &result->integer);
    case TYPE_FLOAT:
    case TYPE_DOUBLE:
        if (!double_parse(bytes, length, &result->number))
            return false;
        if (to->kind == TYPE_FLOAT)
            result->number = (float)result->number;
        return true;
    case TYPE_DECIMAL:
        if (!decimal_parse(bytes, length, to->precision, to->scale, &decimal))
            return false;
        set_decimal(result, decimal);
        return true;
    case TYPE_DATE: {
        int64_t us;
        if (date_parse(bytes, length, &result->integer))
            return true;
        if (!timestamp_parse(bytes, length, &us, NULL))
            return false;
        result->integer = floor_div(us, US_PER_DAY);
        return true;
    }
    case TYPE_TIME: return time_parse(bytes, length, &result->integer);
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_TZ:
        if (!timestamp_parse(bytes, length, &result->integer, NULL))
            return false;
        result->integer = cut_fraction(result->integer, to->precision);
        return true;
    case TYPE_INTERVAL: return interval_parse(bytes, length, &result->interval);
    case TYPE_BYTES:
    case TYPE_NONE:
    case TYPE_NULL:
    case TYPE_VARCHAR:
    case TYPE_ARRAY:
    case TYPE_MAP:
    case TYPE_STRUCT:
    case TYPE_LAMBDA:
    case TYPE_ANY: return false;
    }
    return false;
}

/* The first n characters. */
static Str cut_text(const char *bytes, size_t length, uint32_t limit)
{
    size_t at = 0;
    for (uint32_t characters = 0; at < length && characters < limit; characters++) {
        at++;
        while (at < length && ((unsigned char)bytes[at] & 0xC0) == 0x80)
            at++;
    }
    return str_view(bytes, at);
}

static Str value_text(Arena *arena, const Value *value)
{
    char buffer[CALENDAR_TEXT + 32];
    size_t length = 0;
    switch (value->type->kind) {
    case TYPE_VARCHAR: return value->text;
    case TYPE_BOOLEAN: return str_c(value->integer ? "true" : "false");
    case TYPE_TINYINT:
    case TYPE_SMALLINT:
    case TYPE_INT:
    case TYPE_BIGINT: length = int64_format(value->integer, buffer); break;
    case TYPE_DECIMAL: length = decimal_format(decimal_of(value), value->type->scale, buffer); break;
    default: {
        Text text = { 0 };
        MEMORY_HOLD(text_unwind, &text);
        text_add_value_plain(&text, vector_constant(arena, value), 0);
        Str str = str_view(arena_strndup(arena, text_c(&text), text.length), text.length);
        text_release(&text);
        return str;
    }
    }
    return str_view(arena_strndup(arena, buffer, length), length);
}

static bool cast_items(Arena *arena, const Value *value, Value *result, const char **reason)
{
    const Type *to = result->type;
    bool fields = to->kind == TYPE_STRUCT;
    uint32_t count = fields ? (uint32_t)to->child_count : value->nested.count;
    Value *items = ARENA_ARRAY(arena, Value, (size_t)count + 1);
    int *sources = ARENA_ARRAY(arena, int, (size_t)count + 1);
    if (fields)
        struct_cast_fields(value->type, to, sources);
    for (uint32_t i = 0; i < count; i++) {
        const Type *item = to->kind == TYPE_ARRAY ? to->children[0] : to->children[to->kind == TYPE_MAP ? i & 1 : i];
        if (fields && sources[i] < 0)
            items[i] = value_null(item);
        else if (!value_cast(arena, &value->nested.items[fields ? (uint32_t)sources[i] : i], item, &items[i], reason))
            return false;
    }
    for (uint32_t i = 0; to->kind == TYPE_MAP && i < count; i += 2)
        for (uint32_t j = 0; j < i; j += 2)
            if (value_equal(&items[i], &items[j])) {
                *reason = "two keys of the MAP become one";
                return false;
            }
    result->nested.items = items;
    result->nested.count = count;
    return true;
}

bool value_cast(Arena *arena, const Value *value, const Type *to, Value *result, const char **reason)
{
    const Type *from = value->type;
    *result = *value;
    result->type = to;
    if (value->is_null || type_equal(from, to))
        return true;
    memset(&result->decimal, 0, sizeof *result - offsetof(Value, decimal));
    bool fits = false;
    if (cast_kind(from, to) == CAST_NONE) {
        *reason = arena_printf(arena, "cannot cast %s to %s", type_text(arena, from), type_text(arena, to));
        return false;
    }
    if (to->kind == TYPE_VARCHAR) {
        Str text = value_text(arena, value);
        result->text = to->length ? cut_text(str_bytes(&text), text.length, to->length) : text;
        return true;
    }
    if (from->kind == TYPE_VARCHAR)
        fits = to->kind == TYPE_BYTES ? bytes_from_base64(arena, &value->text, &result->text) : text_to(value, result);
    else if (to->kind == TYPE_BOOLEAN)
        fits = true, result->integer = number_of(value) != 0;
    else if (type_is_nested(to))
        return cast_items(arena, value, result, reason);
    else if (is_time(to))
        fits = time_to_time(value, result);
    else if (type_is_integer(to))
        fits = from->kind == TYPE_BOOLEAN ? (result->integer = value->integer, true) : number_to_integer(value, result);
    else if (to->kind == TYPE_DECIMAL)
        fits = number_to_decimal(value, result);
    else {
        double number = number_of(value);
        result->number = to->kind == TYPE_FLOAT ? (double)(float)number : number;
        fits = true;
    }
    return fits || refuse(arena, value, to, reason);
}

/* ---- columns ---- */

/* What happens to a row that cannot be converted. */
static void miss(const Args *args, Vector *out, uint32_t row, const char *reason, bool try_cast)
{
    if (try_cast)
        args_null(args, out, row);
    else
        args_fail(args, out, row, "%s", reason);
}

/* Any pair, row by row. */
static void cast_general(const Args *args, Vector *out, bool try_cast)
{
    Arena *arena = args->evaluation->arena;
    const Type *to = args->result_type;
    for (ARGS_EACH(args, row)) {
        Value result, value = vector_get(arena, args->arg[0], row);
        const char *reason = NULL;
        if (!value_cast(arena, &value, to, &result, &reason))
            miss(args, out, row, reason, try_cast);
        else if (!result.is_null)
            vector_set(arena, out, row, &result);
    }
}

static void slow_row(const Args *args, Vector *out, uint32_t row, bool try_cast)
{
    Value value = vector_get(args->evaluation->arena, args->arg[0], row), result;
    const char *reason = "cannot cast";
    value_cast(args->evaluation->arena, &value, args->result_type, &result, &reason);
    miss(args, out, row, reason, try_cast);
}

/* Text that needs no arena of its own is formatted into one block. */
static void integers_to_text(const Args *args, Vector *out)
{
    Str *result = out->values;
    char *bytes = arena_alloc(args->evaluation->arena, (size_t)args->live.count * 20 + 1);
    for (ARGS_EACH(args, row)) {
        size_t length = int64_format(ARG(args, 0, int64_t, row), bytes);
        result[row] = str_view(bytes, length);
        bytes += length;
    }
}

static void timestamps_to_text(const Args *args, Vector *out)
{
    Str *result = out->values;
    const Type *from = args->arg[0]->type;
    char *bytes = arena_alloc(args->evaluation->arena, (size_t)args->live.count * CALENDAR_TEXT + 1);
    for (ARGS_EACH(args, row)) {
        int64_t value = ARG(args, 0, int64_t, row);
        size_t length = from->kind == TYPE_DATE ? date_format(value, bytes) : timestamp_format(value, from->precision, bytes);
        result[row] = str_view(bytes, length);
        bytes += length;
    }
}

static void text_to_column(const Args *args, Vector *out, bool try_cast)
{
    const Type *to = args->result_type;
    for (ARGS_EACH(args, row)) {
        const Str *text = &ARG(args, 0, Str, row);
        const char *bytes = str_bytes(text);
        bool fits;
        if (to->kind == TYPE_DOUBLE)
            fits = double_parse(bytes, text->length, &((double *)out->values)[row]);
        else if (type_is_integer(to))
            fits = text_to_integer(bytes, text->length, to->kind, &((int64_t *)out->values)[row]);
        else
            fits = timestamp_parse(bytes, text->length, &((int64_t *)out->values)[row], NULL);
        if (!fits)
            slow_row(args, out, row, try_cast);
        else if (type_is_timestamp(to) && to->precision < 6)
            ((int64_t *)out->values)[row] = cut_fraction(((int64_t *)out->values)[row], to->precision);
    }
}

static void to_integers(const Args *args, Vector *out, bool try_cast)
{
    const Type *from = args->arg[0]->type;
    TypeKind kind = args->result_type->kind;
    bool wide = type_physical(from) == PHYSICAL_INT128;
    int64_t *result = out->values;
    for (ARGS_EACH(args, row)) {
        uint32_t place = row & vector_mask(args->arg[0]);
        bool fits;
        if (type_physical(from) == PHYSICAL_DOUBLE)
            fits = double_to_integer(((const double *)args->arg[0]->values)[place], kind, &result[row]);
        else
            fits = decimal_to_integer(decimal_at(args->arg[0]->values, wide, place), scale_of(from), kind, &result[row]);
        if (!fits)
            slow_row(args, out, row, try_cast);
    }
}

static void to_decimals(const Args *args, Vector *out, bool try_cast)
{
    const Type *from = args->arg[0]->type, *to = args->result_type;
    bool from_wide = type_physical(from) == PHYSICAL_INT128, wide = type_physical(to) == PHYSICAL_INT128;
    for (ARGS_EACH(args, row)) {
        Int128 value = decimal_at(args->arg[0]->values, from_wide, row & vector_mask(args->arg[0]));
        if (decimal_rescale(value, scale_of(from), to->scale, &value) && decimal_fits(value, to->precision))
            decimal_put(out->values, wide, row, value);
        else
            slow_row(args, out, row, try_cast);
    }
}

static void cast_column(const Args *args, Vector *out, bool try_cast)
{
    const Type *from = args->arg[0]->type, *to = args->result_type;
    bool exact = type_is_integer(from) || from->kind == TYPE_DECIMAL;
    if (to->kind == TYPE_VARCHAR && to->length == 0 && type_is_integer(from))
        integers_to_text(args, out);
    else if (to->kind == TYPE_VARCHAR && to->length == 0 && (from->kind == TYPE_DATE || from->kind == TYPE_TIMESTAMP))
        timestamps_to_text(args, out);
    else if (from->kind == TYPE_VARCHAR && (to->kind == TYPE_DOUBLE || type_is_integer(to) || type_is_timestamp(to)))
        text_to_column(args, out, try_cast);
    else if (type_is_integer(to) && type_is_numeric(from))
        to_integers(args, out, try_cast);
    else if (to->kind == TYPE_DECIMAL && exact)
        to_decimals(args, out, try_cast);
    else if (type_is_nested(to))
        cast_nested(args, out, try_cast);
    else
        cast_general(args, out, try_cast);
}

static Error *cast(const Args *args, Vector *out) { return cast_column(args, out, false), NULL; }
static Error *try_cast(const Args *args, Vector *out) { return cast_column(args, out, true), NULL; }

/* Infallible and cheap: all rows. */
CLONES static void integers_to_doubles(const int64_t *restrict values, double *restrict result, uint32_t count)
{
    for (uint32_t row = 0; row < count; row++)
        result[row] = (double)values[row];
}

static Error *widen(const Args *args, Vector *out)
{
    const Vector *vector = args->arg[0];
    const Type *from = vector->type, *to = args->result_type;
    uint32_t mask = vector_mask(vector);
    if (to->kind == TYPE_DOUBLE && type_is_integer(from) && mask) {
        integers_to_doubles(vector->values, out->values, args->row_count);
        return NULL;
    }
    bool from_wide = type_physical(from) == PHYSICAL_INT128, wide = type_physical(to) == PHYSICAL_INT128;
    Int128 power = to->kind == TYPE_DECIMAL ? decimal_power(to->scale - scale_of(from)) : 1;
    for (uint32_t row = 0; row < args->row_count; row++) {
        if (to->kind == TYPE_DECIMAL) { /* dead rows may hold anything: wrap */
            unsigned __int128 value = (unsigned __int128)decimal_at(vector->values, from_wide, row & mask);
            decimal_put(out->values, wide, row, (Int128)(value * (unsigned __int128)power));
            continue;
        }
        Value value = { .type = from }, result = { .type = to };
        if (type_physical(from) == PHYSICAL_DOUBLE)
            value.number = ((const double *)vector->values)[row & mask];
        else if (from_wide)
            value.decimal = ((const Int128 *)vector->values)[row & mask];
        else
            value.integer = ((const int64_t *)vector->values)[row & mask];
        if (is_time(to)) {
            if (!time_to_time(&value, &result))
                result.integer = value.integer < 0 ? INT64_MIN : INT64_MAX;
            ((int64_t *)out->values)[row] = result.integer;
        } else {
            double number = number_of(&value);
            ((double *)out->values)[row] = to->kind == TYPE_FLOAT ? (double)(float)number : number;
        }
    }
    return NULL;
}

/* ---- the table ---- */

#define CAST .hidden = true, .category = "operator"
static const ScalarFunction retype_row = { "cast", { TYPE_ANY }, TYPE_ANY, cast, .retypes = true, CAST };
static const ScalarFunction widen_row = { "cast", { TYPE_ANY }, TYPE_ANY, widen, .dense = true, CAST };
static const ScalarFunction safe_row = { "cast", { TYPE_ANY }, TYPE_ANY, cast, CAST };
static const ScalarFunction checked_row = { "cast", { TYPE_ANY }, TYPE_ANY, cast, .can_fail = true, CAST };
static const ScalarFunction try_row = { "try_cast", { TYPE_ANY }, TYPE_ANY, try_cast, CAST };

const ScalarFunction *function_cast(const Type *from, const Type *to, bool try_one)
{
    switch (cast_kind(from, to)) {
    case CAST_NONE: return NULL;
    case CAST_RETYPE: return &retype_row;
    case CAST_WIDEN: return &widen_row;
    case CAST_SAFE: return &safe_row;
    case CAST_CHECKED: return try_one ? &try_row : &checked_row;
    }
    return NULL;
}
