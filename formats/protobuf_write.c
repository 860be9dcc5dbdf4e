/* formats/protobuf_write.c: values become the bytes of Protocol Buffers, by a message: that of the columns, or one that is registered. */
#include "common/calendar.h"
#include "formats/protobuf_internal.h"
#include "formats/varint.h"

/* One field that is written. */
typedef struct WriteStep {
    const ProtoField *field;
    int source;                   /* the column, or the field of a STRUCT */
    const ProtoWriter *inner;     /* of messages and entries of maps */
} WriteStep;

struct ProtoWriter {
    int count;
    WriteStep *steps;             /* in the order of columns */
};

/* ---- making ---- */

typedef struct Making {
    Arena *arena;
    const char *reason;
} Making;

static bool is_whole(ProtoKind kind) { return kind <= PROTO_SINT64 || kind == PROTO_FIXED64 || kind == PROTO_SFIXED64 || kind == PROTO_FIXED32 || kind == PROTO_SFIXED32; }

static bool takes(const ProtoField *field, const Type *type)
{
    if (is_whole(field->kind))
        return type_is_integer(type);
    switch (field->kind) {
    case PROTO_BOOL: return type->kind == TYPE_BOOLEAN;
    case PROTO_ENUM: return type->kind == TYPE_VARCHAR || type_is_integer(type);
    case PROTO_DOUBLE: case PROTO_FLOAT: return type->kind == TYPE_DOUBLE || type->kind == TYPE_FLOAT;
    case PROTO_STRING: return type->kind == TYPE_VARCHAR;
    case PROTO_BYTES: return type->kind == TYPE_BYTES;
    case PROTO_MESSAGE: return type->kind == TYPE_STRUCT;
    case PROTO_DECIMAL: return type->kind == TYPE_DECIMAL;
    case PROTO_TIMESTAMP: return type_is_timestamp(type);
    case PROTO_DATE: return type->kind == TYPE_DATE;
    case PROTO_TIME: return type->kind == TYPE_TIME;
    default: return false;
    }
}

static ProtoWriter *make_writer(Making *making, const ProtoMessage *message, int count, const char *const names[], const Type *const types[])
{
    static const char *const entry[] = { "key", "value" };
    ProtoWriter *writer = ARENA_NEW(making->arena, ProtoWriter);
    writer->steps = ARENA_ARRAY(making->arena, WriteStep, (size_t)count + 1);
    for (int i = 0; i < count && !making->reason; i++) {
        const ProtoField *field = proto_field_named(message, names[i]);
        const Type *element = types[i]->kind == TYPE_ARRAY ? types[i]->children[0] : types[i];
        bool list = types[i]->kind == TYPE_ARRAY, map = types[i]->kind == TYPE_MAP;
        if (!field)
            making->reason = arena_printf(making->arena, "it has no field '%s'", names[i]);
        else if (field->repeated != (list || map) || field->map != map || (!map && !takes(field, element)))
            making->reason = arena_printf(making->arena, "its field '%s' is of another type than %s", names[i], type_text(making->arena, types[i]));
        if (making->reason)
            break;
        WriteStep *step = &writer->steps[writer->count++];
        *step = (WriteStep){ field, i, NULL };
        if (map)
            step->inner = make_writer(making, field->message, 2, entry, types[i]->children);
        else if (field->kind == PROTO_MESSAGE)
            step->inner = make_writer(making, field->message, element->child_count, element->names, element->children);
    }
    return writer;
}

ProtoWriter *proto_writer_make(Arena *arena, const ProtoMessage *message, int count, const char *const names[], const Type *const types[], const char **reason)
{
    Making making = { .arena = arena };
    ProtoWriter *writer = make_writer(&making, message, count, names, types);
    *reason = making.reason;
    return making.reason ? NULL : writer;
}

/* ---- the wire ---- */

static void add_tag(Text *out, uint64_t number, int wire) { add_varint(out, number << 3 | (unsigned)wire); }

static void add_number(Text *out, int number, int64_t value)
{
    if (!value)
        return;
    add_tag(out, (uint64_t)number, WIRE_VARINT);
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

/* ---- values ---- */

static const char *add_whole(Text *out, ProtoKind kind, int64_t number)
{
    bool narrow = kind == PROTO_INT32 || kind == PROTO_SINT32 || kind == PROTO_SFIXED32, narrow_unsigned = kind == PROTO_UINT32 || kind == PROTO_FIXED32;
    if ((narrow && number != (int32_t)number) || (narrow_unsigned && number != (uint32_t)number) || ((kind == PROTO_UINT64 || kind == PROTO_FIXED64) && number < 0))
        return "a number is out of its field's range";
    switch (kind) {
    case PROTO_SINT32: case PROTO_SINT64: add_varint(out, (uint64_t)number << 1 ^ (uint64_t)(number >> 63)); return NULL;
    case PROTO_FIXED64: case PROTO_SFIXED64: text_add(out, (const char *)&number, 8); return NULL;
    case PROTO_FIXED32: case PROTO_SFIXED32: text_add(out, (const char *)&number, 4); return NULL;
    default: add_varint(out, (uint64_t)number); return NULL;
    }
}

static const char *add_symbol(Text *out, const ProtoField *field, const Str *text)
{
    for (int i = 0; i < field->symbols->symbols.count; i++) {
        const ProtoSymbol *symbol = &field->symbols->symbols.items[i];
        if (strlen(symbol->name) == text->length && memcmp(symbol->name, str_bytes(text), text->length) == 0) {
            add_varint(out, (uint64_t)symbol->number);
            return NULL;
        }
    }
    return "a text is no symbol of its field";
}

static const char *write_message(Text *out, const ProtoWriter *writer, Vector *const vectors[], uint32_t row);

/* The value without its tag: a varint, fixed bytes, or a length and bytes. */
static const char *add_payload(Text *out, const WriteStep *step, const Vector *vector, uint32_t row)
{
    const ProtoField *field = step->field;
    const int64_t *integers = vector->values;
    if (is_whole(field->kind))
        return add_whole(out, field->kind, integers[row]);
    switch (field->kind) {
    case PROTO_BOOL: add_varint(out, ((const uint8_t *)vector->values)[row]); return NULL;
    case PROTO_ENUM: return vector->type->kind == TYPE_VARCHAR ? add_symbol(out, field, &((const Str *)vector->values)[row]) : add_whole(out, PROTO_INT32, integers[row]);
    case PROTO_DOUBLE: text_add(out, (const char *)&integers[row], 8); return NULL;
    case PROTO_FLOAT: {
        float single = (float)((const double *)vector->values)[row];
        text_add(out, (const char *)&single, 4);
        return NULL;
    }
    default: break;
    }
    text_reserve(out, 1);
    size_t start = out->length;
    const char *reason = NULL;
    if (field->kind == PROTO_STRING || field->kind == PROTO_BYTES)
        text_add_str(out, &((const Str *)vector->values)[row]);
    else if (field->kind == PROTO_DECIMAL)
        add_decimal(out, vector, row);
    else if (field->kind == PROTO_MESSAGE)
        reason = write_message(out, step->inner, vector->children, row);
    else
        add_time_parts(out, vector->type, integers[row]);
    close_bytes(out, start);
    return reason;
}

/* A scalar's value that readers put in where it is missing. */
static bool is_default(const ProtoField *field, const Vector *vector, uint32_t row)
{
    if (field->kind == PROTO_ENUM && vector->type->kind == TYPE_VARCHAR)
        return false;
    if (field->kind > PROTO_BYTES)
        return false;
    switch (type_physical(vector->type)) {
    case PHYSICAL_BOOL: return !((const uint8_t *)vector->values)[row];
    case PHYSICAL_INT64: return ((const int64_t *)vector->values)[row] == 0;
    case PHYSICAL_DOUBLE: return ((const uint64_t *)vector->values)[row] == 0;
    case PHYSICAL_STR: return ((const Str *)vector->values)[row].length == 0;
    default: return false;
    }
}

static const char *add_list(Text *out, const WriteStep *step, const Vector *vector, uint32_t row)
{
    const ProtoField *field = step->field;
    const Vector *child = vector->children[0];
    uint32_t first = vector->offsets[row], after = vector->offsets[row + 1];
    bool packed = !field->map && !field->wrapped && proto_wire_of(field->kind) != WIRE_BYTES;
    const char *reason = NULL;
    if (first == after)
        return NULL;
    size_t start = 0;
    if (packed) {
        add_tag(out, field->number, WIRE_BYTES);
        start = out->length;
    }
    for (uint32_t at = first; at < after && !reason; at++) {
        if (!packed)
            add_tag(out, field->number, WIRE_BYTES);
        if (field->map || field->wrapped) {
            text_reserve(out, 1);
            size_t inner = out->length;
            if (field->map) {
                reason = write_message(out, step->inner, child->children, at);
            } else if (!vector_is_null(child, at)) {
                add_tag(out, 1, proto_wire_of(field->kind));
                reason = add_payload(out, step, child, at);
            }
            close_bytes(out, inner);
        } else {
            reason = add_payload(out, step, child, at);
        }
    }
    if (packed)
        close_bytes(out, start);
    return reason;
}

static const char *add_field(Text *out, const WriteStep *step, const Vector *vector, uint32_t row)
{
    const ProtoField *field = step->field;
    row &= vector_mask(vector);
    if (vector_is_null(vector, row))
        return NULL;
    if (field->repeated)
        return add_list(out, step, vector, row);
    if (!field->nullable && is_default(field, vector, row))
        return NULL;
    if (!field->wrapped) {
        add_tag(out, field->number, proto_wire_of(field->kind));
        return add_payload(out, step, vector, row);
    }
    add_tag(out, field->number, WIRE_BYTES);
    text_reserve(out, 1);
    size_t start = out->length;
    const char *reason = NULL;
    if (!is_default(field, vector, row)) {
        add_tag(out, 1, proto_wire_of(field->kind));
        reason = add_payload(out, step, vector, row);
    }
    close_bytes(out, start);
    return reason;
}

static const char *write_message(Text *out, const ProtoWriter *writer, Vector *const vectors[], uint32_t row)
{
    const char *reason = NULL;
    for (int i = 0; i < writer->count && !reason; i++)
        reason = add_field(out, &writer->steps[i], vectors[writer->steps[i].source], row);
    return reason;
}

const char *proto_write_row(Text *out, const ProtoWriter *writer, const Vector *const columns[], uint32_t row) { return write_message(out, writer, (Vector *const *)columns, row); }
