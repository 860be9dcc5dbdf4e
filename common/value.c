/* common/value.c: one value of any type. */
#include "common/value.h"

#include <math.h>
#include <stdlib.h>

#include "common/calendar.h"
#include "common/decimal.h"

Value value_null(const Type *type) { return (Value){ .type = type, .is_null = true }; }

Value value_copy(Arena *arena, const Value *value)
{
    Value copy = *value;
    copy.type = type_copy(arena, value->type);
    if (value->is_null)
        return copy;
    switch (type_physical(value->type)) {
    case PHYSICAL_STR:
        if (value->text.length > STR_INLINE)
            copy.text = str_view(arena_copy(arena, value->text.pointer, value->text.length), value->text.length);
        break;
    case PHYSICAL_ARRAY:
    case PHYSICAL_STRUCT:
        copy.nested.items = ARENA_ARRAY(arena, Value, (size_t)value->nested.count + 1);
        for (uint32_t i = 0; i < value->nested.count; i++)
            copy.nested.items[i] = value_copy(arena, &value->nested.items[i]);
        break;
    case PHYSICAL_BOOL:
    case PHYSICAL_INT64:
    case PHYSICAL_DOUBLE:
    case PHYSICAL_INT128:
    case PHYSICAL_INTERVAL:
        break;
    }
    return copy;
}

static int compare_doubles(double a, double b)
{
    if (isnan(a) || isnan(b))
        return isnan(a) - isnan(b);
    return (a > b) - (a < b);
}

int value_compare(const Value *a, const Value *b)
{
    if (a->is_null || b->is_null)
        return a->is_null - b->is_null;
    switch (type_physical(a->type)) {
    case PHYSICAL_BOOL:
    case PHYSICAL_INT64: return (a->integer > b->integer) - (a->integer < b->integer);
    case PHYSICAL_DOUBLE: return compare_doubles(a->number, b->number);
    case PHYSICAL_INT128: return (a->decimal > b->decimal) - (a->decimal < b->decimal);
    case PHYSICAL_STR: return str_compare(&a->text, &b->text);
    case PHYSICAL_INTERVAL:
        if (a->interval.months != b->interval.months)
            return a->interval.months > b->interval.months ? 1 : -1;
        return (a->interval.us > b->interval.us) - (a->interval.us < b->interval.us);
    case PHYSICAL_ARRAY:
    case PHYSICAL_STRUCT:
        for (uint32_t i = 0; i < a->nested.count && i < b->nested.count; i++) {
            int order = value_compare(&a->nested.items[i], &b->nested.items[i]);
            if (order)
                return order;
        }
        return (a->nested.count > b->nested.count) - (a->nested.count < b->nested.count);
    }
    return 0;
}

bool value_equal(const Value *a, const Value *b)
{
    if (a->is_null || b->is_null)
        return a->is_null == b->is_null;
    return a->type->kind == b->type->kind && value_compare(a, b) == 0;
}

static void print_quoted(const char *bytes, size_t length, Text *text)
{
    text_add_char(text, '\'');
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] == '\'')
            text_add_char(text, '\'');
        text_add_char(text, bytes[i]);
    }
    text_add_char(text, '\'');
}

static void print_interval(const Interval *interval, Text *text)
{
    if (interval->us == 0 && interval->months) {
        text_printf(text, "INTERVAL '%lld' MONTH", (long long)interval->months);
        return;
    }
    if (interval->months)
        text_printf(text, "INTERVAL '%lld' MONTH + ", (long long)interval->months);
    int64_t us = interval->us;
    if (us % US_PER_SECOND == 0)
        text_printf(text, "INTERVAL '%lld' SECOND", (long long)(us / US_PER_SECOND));
    else
        text_printf(text, "INTERVAL '%s%lld.%06lld' SECOND", us < 0 ? "-" : "", (long long)llabs(us / US_PER_SECOND), (long long)llabs(us % US_PER_SECOND));
}

static void print_nested(const Value *value, Text *text)
{
    bool map = value->type->kind == TYPE_MAP, structure = value->type->kind == TYPE_STRUCT;
    text_add_c(text, map ? "MAP(" : structure ? "STRUCT(" : "ARRAY[");
    for (uint32_t i = 0; i < value->nested.count; i++) {
        if (i > 0)
            text_add_c(text, map && i % 2 ? " := " : ", ");
        if (structure)
            text_printf(text, "%s := ", value->type->names[i]);
        value_print(&value->nested.items[i], text);
    }
    text_add_char(text, map || structure ? ')' : ']');
}

void value_print(const Value *value, Text *text)
{
    char out[CALENDAR_TEXT + 64];
    if (value->is_null) {
        text_add_c(text, "NULL");
        return;
    }
    switch (value->type->kind) {
    case TYPE_BOOLEAN:
        text_add_c(text, value->integer ? "TRUE" : "FALSE");
        return;
    case TYPE_FLOAT:
    case TYPE_DOUBLE: {
        if (!isfinite(value->number)) {
            text_add_c(text, "CAST(");
            print_quoted(out, double_format(value->number, out), text);
            text_add_c(text, " AS DOUBLE)");
            return;
        }
        size_t length = double_format(value->number, out);
        text_add(text, out, length);
        if (!memchr(out, 'E', length))
            text_add_c(text, "E0"); /* without an exponent it would read back as a DECIMAL */
        return;
    }
    case TYPE_DECIMAL: {
        Int128 decimal = type_physical(value->type) == PHYSICAL_INT128 ? value->decimal : value->integer;
        text_add(text, out, decimal_format(decimal, value->type->scale, out));
        return;
    }
    case TYPE_VARCHAR:
        print_quoted(str_bytes(&value->text), value->text.length, text);
        return;
    case TYPE_BYTES:
        text_add_c(text, "X'");
        for (uint32_t i = 0; i < value->text.length; i++)
            text_printf(text, "%02x", (unsigned char)str_bytes(&value->text)[i]);
        text_add_char(text, '\'');
        return;
    case TYPE_DATE:
        text_add_c(text, "DATE ");
        print_quoted(out, date_format(value->integer, out), text);
        return;
    case TYPE_TIME:
        text_add_c(text, "TIME ");
        print_quoted(out, time_format(value->integer, value->integer % US_PER_SECOND ? 6 : 0, out), text);
        return;
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_TZ:
        text_add_c(text, "TIMESTAMP ");
        print_quoted(out, timestamp_format(value->integer, value->integer % 1000 ? 6 : value->integer % US_PER_SECOND ? 3 : 0, out), text);
        return;
    case TYPE_INTERVAL:
        print_interval(&value->interval, text);
        return;
    case TYPE_ARRAY:
    case TYPE_MAP:
    case TYPE_STRUCT:
        print_nested(value, text);
        return;
    case TYPE_NONE:
    case TYPE_NULL:
    case TYPE_TINYINT:
    case TYPE_SMALLINT:
    case TYPE_INT:
    case TYPE_BIGINT:
    case TYPE_LAMBDA:
    case TYPE_ANY:
        text_add(text, out, int64_format(value->integer, out));
        return;
    }
}
