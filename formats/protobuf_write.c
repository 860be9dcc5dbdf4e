/* formats/protobuf_write.c: values become the bytes of Protocol Buffers. */
#include "common/calendar.h"
#include "formats/protobuf_internal.h"
#include "formats/varint.h"

static int wire_of(const Type *type)
{
    switch (type->kind) {
    case TYPE_BOOLEAN: case TYPE_TINYINT: case TYPE_SMALLINT: case TYPE_INT: case TYPE_BIGINT: return WIRE_VARINT;
    case TYPE_DOUBLE: return WIRE_FIXED64;
    case TYPE_FLOAT: return WIRE_FIXED32;
    default: return WIRE_BYTES;
    }
}

static void add_tag(Text *out, int number, int wire) { add_varint(out, (uint64_t)number << 3 | (unsigned)wire); }

static void add_number(Text *out, int number, int64_t value)
{
    if (!value)
        return;
    add_tag(out, number, WIRE_VARINT);
    add_varint(out, (uint64_t)value);
}

/* What was written from `start` on gets its length before it. */
static void close_bytes(Text *out, size_t start)
{
    size_t length = out->length - start, width = 1;
    for (size_t rest = length; rest >= 0x80; rest >>= 7)
        width++;
    text_reserve(out, width);
    memmove(out->bytes + start + width, out->bytes + start, length);
    out->length = start;
    add_varint(out, length);
    out->length = start + width + length;
}

static void add_decimal(Text *out, const Vector *vector, uint32_t row)
{
    const Type *type = vector->type;
    Int128 value = type_physical(type) == PHYSICAL_INT128 ? ((const Int128 *)vector->values)[row] : ((const int64_t *)vector->values)[row];
    char bytes[sizeof(Int128)];
    size_t width = decimal_to_bytes(value, bytes);
    add_tag(out, 1, WIRE_BYTES);
    add_varint(out, width);
    text_add(out, bytes, width);
    add_number(out, 2, type->precision);
    add_number(out, 3, type->scale);
}

static void add_time_parts(Text *out, const Type *type, int64_t value)
{
    if (type->kind == TYPE_DATE) {
        int year, month, day;
        civil_from_days(value, &year, &month, &day);
        add_number(out, 1, year);
        add_number(out, 2, month);
        add_number(out, 3, day);
    } else if (type->kind == TYPE_TIME) {
        add_number(out, 1, value / US_PER_HOUR);
        add_number(out, 2, value / US_PER_MINUTE % 60);
        add_number(out, 3, value / US_PER_SECOND % 60);
        add_number(out, 4, value % US_PER_SECOND * 1000);
    } else {
        add_number(out, 1, floor_div(value, US_PER_SECOND));
        add_number(out, 2, floor_mod(value, US_PER_SECOND) * 1000);
    }
}

/* The value without its tag: a varint, fixed bytes, or a length and bytes. */
static void add_payload(Text *out, const Vector *vector, uint32_t row)
{
    const Type *type = vector->type;
    const int64_t *integers = vector->values;
    switch (wire_of(type)) {
    case WIRE_VARINT: add_varint(out, type->kind == TYPE_BOOLEAN ? ((const uint8_t *)vector->values)[row] : (uint64_t)integers[row]); return;
    case WIRE_FIXED64: text_add(out, (const char *)&integers[row], 8); return;
    case WIRE_FIXED32: {
        float single = (float)((const double *)vector->values)[row];
        text_add(out, (const char *)&single, 4);
        return;
    }
    default: break;
    }
    text_reserve(out, 1);
    size_t start = out->length;
    if (type_physical(type) == PHYSICAL_STR)
        text_add_str(out, &((const Str *)vector->values)[row]);
    else if (type->kind == TYPE_DECIMAL)
        add_decimal(out, vector, row);
    else if (type->kind != TYPE_STRUCT)
        add_time_parts(out, type, integers[row]);
    for (int i = 0; type->kind == TYPE_STRUCT && i < type->child_count; i++)
        proto_add_field(out, i + 1, vector->children[i], row);
    close_bytes(out, start);
}

static void add_list(Text *out, int number, const Vector *vector, uint32_t row)
{
    const Vector *child = vector->children[0];
    uint32_t first = vector->offsets[row], after = vector->offsets[row + 1];
    bool packed = wire_of(child->type) != WIRE_BYTES;
    if (first == after)
        return;
    size_t start = 0;
    if (packed) {
        add_tag(out, number, WIRE_BYTES);
        start = out->length;
    }
    for (uint32_t at = first; at < after; at++) {
        if (!packed)
            add_tag(out, number, WIRE_BYTES);
        add_payload(out, child, at);
    }
    if (packed)
        close_bytes(out, start);
}

/* A scalar's value that readers put in where it is missing. */
static bool is_default(const Vector *vector, uint32_t row)
{
    switch (type_physical(vector->type)) {
    case PHYSICAL_BOOL: return !((const uint8_t *)vector->values)[row];
    case PHYSICAL_INT64: return wire_of(vector->type) == WIRE_VARINT && ((const int64_t *)vector->values)[row] == 0;
    case PHYSICAL_DOUBLE: return ((const uint64_t *)vector->values)[row] == 0;
    case PHYSICAL_STR: return ((const Str *)vector->values)[row].length == 0;
    default: return false;
    }
}

void proto_add_field(Text *out, int number, const Vector *vector, uint32_t row)
{
    row &= vector_mask(vector);
    if (vector_is_null(vector, row) || is_default(vector, row))
        return;
    if (vector->type->kind == TYPE_ARRAY || vector->type->kind == TYPE_MAP) {
        add_list(out, number, vector, row);
        return;
    }
    add_tag(out, number, wire_of(vector->type));
    add_payload(out, vector, row);
}
