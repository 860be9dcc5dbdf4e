/* formats/protobuf_read.c: the bytes of Protocol Buffers become values. */
#include "common/calendar.h"
#include "common/decimal.h"
#include "formats/json_internal.h"
#include "formats/protobuf_internal.h"
#include "formats/varint.h"

/* ---- reading the wire ---- */

/* A field as it stands; or one value of it, where several are packed. */
typedef struct WireField {
    uint64_t number;
    int wire;
    uint64_t integer;        /* VARINT, FIXED64, FIXED32 */
    const char *bytes;       /* BYTES */
    size_t length;
} WireField;

static bool read_payload(const char **p, const char *end, WireField *field)
{
    switch (field->wire) {
    case WIRE_VARINT: return read_varint(p, end, &field->integer);
    case WIRE_FIXED64: return read_fixed(p, end, 8, &field->integer);
    case WIRE_FIXED32: return read_fixed(p, end, 4, &field->integer);
    case WIRE_BYTES:
        if (!read_varint(p, end, &field->integer) || field->integer > (uint64_t)(end - *p))
            return false;
        field->bytes = *p;
        field->length = (size_t)field->integer;
        *p += field->length;
        return true;
    default: return false; /* groups are of proto2 */
    }
}

/* The field at *p; moves behind it. */
static bool read_field(const char **p, const char *end, WireField *field)
{
    uint64_t tag;
    if (!read_varint(p, end, &tag) || tag >> 3 == 0)
        return false;
    field->number = tag >> 3;
    field->wire = (int)(tag & 7);
    return read_payload(p, end, field);
}

/* ---- plans ---- */

/* One target. */
typedef struct ProtoStep {
    const ProtoField *field;      /* NULL: the message has none of that name */
    const Type *type;
    const Type *element;          /* of lists; else the type */
    struct ProtoPlan *inner;      /* of messages and entries of maps */
    bool mismatch;                /* no value of the field becomes one of the type */
} ProtoStep;

struct ProtoPlan {
    int count;
    ProtoStep *steps;             /* one a target */
    bool shared;                  /* two targets take the same field */
};

int proto_wire_of(ProtoKind kind)
{
    if (kind <= PROTO_ENUM)
        return WIRE_VARINT;
    return kind <= PROTO_DOUBLE ? WIRE_FIXED64 : kind <= PROTO_FLOAT ? WIRE_FIXED32 : WIRE_BYTES;
}

static bool is_whole(ProtoKind kind) { return kind <= PROTO_SINT64 || kind == PROTO_FIXED64 || kind == PROTO_SFIXED64 || kind == PROTO_FIXED32 || kind == PROTO_SFIXED32; }

static bool kind_fits(ProtoKind kind, const Type *type)
{
    if (is_whole(kind))
        return type_is_numeric(type);
    switch (kind) {
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

static void plan_field(Arena *arena, const ProtoField *field, const Type *type, ProtoStep *step)
{
    static const char *const entry[] = { "key", "value" };
    bool list = type->kind == TYPE_ARRAY || type->kind == TYPE_MAP;
    *step = (ProtoStep){ .field = field, .type = type, .element = type->kind == TYPE_ARRAY ? type->children[0] : type };
    if (!field)
        return;
    step->mismatch = field->repeated != list || field->map != (type->kind == TYPE_MAP) || (!field->map && !kind_fits(field->kind, step->element));
    if (!step->mismatch && field->map)
        step->inner = proto_plan_make(arena, field->message, 2, entry, type->children);
    else if (!step->mismatch && field->kind == PROTO_MESSAGE)
        step->inner = proto_plan_make(arena, field->message, step->element->child_count, step->element->names, step->element->children);
}

ProtoPlan *proto_plan_make(Arena *arena, const ProtoMessage *message, int count, const char *const names[], const Type *const types[])
{
    ProtoPlan *plan = ARENA_NEW(arena, ProtoPlan);
    plan->count = count;
    plan->steps = ARENA_ARRAY(arena, ProtoStep, (size_t)count + 1);
    for (int i = 0; i < count; i++)
        plan_field(arena, proto_field_named(message, names[i]), types[i], &plan->steps[i]);
    for (int i = 0; i < count; i++)
        for (int k = 0; k < i; k++)
            plan->shared |= plan->steps[i].field && plan->steps[i].field == plan->steps[k].field;
    return plan;
}

/* ---- values ---- */

static const char *broken(const ProtoReader *reader, const Type *type) { return arena_printf(reader->strings, "a broken %s", type_text(reader->strings, type)); }

static const char *out_of_range(const ProtoReader *reader, const Type *type) { return arena_printf(reader->strings, "a number out of range for %s", type_text(reader->strings, type)); }

/* The integers of a small message: fields 1 to `count`; 0 where there is none. `bytes`: the last field of bytes. */
static bool read_numbers(const WireField *message, int count, int64_t numbers[], const char **bytes, size_t *length)
{
    const char *p = message->bytes, *end = p + message->length;
    WireField field;
    memset(numbers, 0, sizeof *numbers * (size_t)count);
    while (p < end) {
        if (!read_field(&p, end, &field))
            return false;
        if (field.wire == WIRE_VARINT && field.number <= (uint64_t)count)
            numbers[field.number - 1] = (int64_t)field.integer;
        if (field.wire == WIRE_BYTES && bytes) {
            *bytes = field.bytes;
            *length = field.length;
        }
    }
    return true;
}

static const char *store_decimal(const ProtoReader *reader, const Type *type, Int128 digits, int scale, Value *value)
{
    Int128 decimal;
    if (!decimal_rescale(digits, scale, type->scale, &decimal) || !decimal_fits(decimal, type->precision))
        return out_of_range(reader, type);
    if (type_physical(type) == PHYSICAL_INT64)
        value->integer = (int64_t)decimal;
    else
        value->decimal = decimal;
    return NULL;
}

static const char *read_decimal(const ProtoReader *reader, const Type *type, const WireField *field, Value *value)
{
    int64_t parts[3];
    const char *bytes = NULL;
    size_t length = 0;
    if (!read_numbers(field, 3, parts, &bytes, &length) || length > sizeof(Int128) || parts[2] < 0 || parts[2] > DECIMAL_MAX_PRECISION)
        return broken(reader, type);
    return store_decimal(reader, type, decimal_from_bytes(bytes, length), (int)parts[2], value);
}

static const char *read_timestamp(const ProtoReader *reader, const Type *type, const WireField *field, Value *value)
{
    int64_t parts[2]; /* seconds, nanoseconds */
    if (!read_numbers(field, 2, parts, NULL, NULL) || parts[1] < 0 || parts[1] > 999999999 || __builtin_mul_overflow(parts[0], US_PER_SECOND, &value->integer)
        || __builtin_add_overflow(value->integer, parts[1] / 1000, &value->integer))
        return broken(reader, type);
    return NULL;
}

static const char *read_date(const ProtoReader *reader, const Type *type, const WireField *field, Value *value)
{
    int64_t parts[3]; /* year, month, day */
    if (!read_numbers(field, 3, parts, NULL, NULL) || parts[0] < -999999 || parts[0] > 999999 || parts[1] < 1 || parts[1] > 12 || parts[2] < 1
        || parts[2] > days_in_month(parts[0], (int)parts[1]))
        return broken(reader, type);
    value->integer = days_from_civil(parts[0], (int)parts[1], (int)parts[2]);
    return NULL;
}

static const char *read_time(const ProtoReader *reader, const Type *type, const WireField *field, Value *value)
{
    int64_t parts[4]; /* hours, minutes, seconds, nanoseconds */
    if (!read_numbers(field, 4, parts, NULL, NULL) || parts[0] < 0 || parts[0] > 23 || parts[1] < 0 || parts[1] > 59 || parts[2] < 0 || parts[2] > 59 || parts[3] < 0 || parts[3] > 999999999)
        return broken(reader, type);
    value->integer = parts[0] * US_PER_HOUR + parts[1] * US_PER_MINUTE + parts[2] * US_PER_SECOND + parts[3] / 1000;
    return NULL;
}

static int64_t whole_number(ProtoKind kind, uint64_t bits)
{
    switch (kind) {
    case PROTO_INT32: case PROTO_SFIXED32: case PROTO_ENUM: return (int32_t)bits;
    case PROTO_UINT32: case PROTO_FIXED32: return (uint32_t)bits;
    case PROTO_SINT32: case PROTO_SINT64: return (int64_t)(bits >> 1) ^ -(int64_t)(bits & 1);
    default: return (int64_t)bits;
    }
}

static const char *store_whole(const ProtoReader *reader, const Type *type, int64_t number, Value *value)
{
    int64_t minimum, maximum;
    if (type->kind == TYPE_DECIMAL)
        return store_decimal(reader, type, number, 0, value);
    if (type->kind == TYPE_FLOAT || type->kind == TYPE_DOUBLE) {
        value->number = (double)number;
        return NULL;
    }
    json_integer_range(type, &minimum, &maximum);
    value->integer = number;
    return number < minimum || number > maximum ? arena_printf(reader->strings, "%lld is out of range for %s", (long long)number, type_text(reader->strings, type)) : NULL;
}

static const char *store_symbol(const ProtoReader *reader, const ProtoField *field, const Type *type, int64_t number, Value *value)
{
    if (type->kind != TYPE_VARCHAR)
        return store_whole(reader, type, number, value);
    for (int i = 0; i < field->symbols->symbols.count; i++)
        if (field->symbols->symbols.items[i].number == number) {
            const char *name = arena_strdup(reader->strings, field->symbols->symbols.items[i].name);
            value->text = str_view(name, strlen(name));
            return NULL;
        }
    return arena_printf(reader->strings, "%lld is no value of %s", (long long)number, field->symbols->name);
}

static void store_floating(ProtoKind kind, const Type *type, uint64_t bits, Value *value)
{
    if (kind == PROTO_DOUBLE) {
        memcpy(&value->number, &bits, sizeof value->number);
    } else {
        uint32_t half = (uint32_t)bits;
        float single;
        memcpy(&single, &half, sizeof single);
        value->number = single;
    }
    if (type->kind == TYPE_FLOAT)
        value->number = (float)value->number;
}

/* One value that is no list. */
static const char *read_value(const ProtoReader *reader, const ProtoStep *step, const WireField *wire, Value *value)
{
    const ProtoField *field = step->field;
    const Type *type = step->element;
    RecordBytes record = { wire->bytes, wire->length };
    *value = (Value){ .type = type };
    if (is_whole(field->kind))
        return store_whole(reader, type, whole_number(field->kind, wire->integer), value);
    switch (field->kind) {
    case PROTO_BOOL: value->integer = wire->integer != 0; return NULL;
    case PROTO_ENUM: return store_symbol(reader, field, type, whole_number(field->kind, wire->integer), value);
    case PROTO_DOUBLE: case PROTO_FLOAT: store_floating(field->kind, type, wire->integer, value); return NULL;
    case PROTO_STRING: case PROTO_BYTES: return record_text(reader->strings, type, &record, &value->text);
    case PROTO_DECIMAL: return read_decimal(reader, type, wire, value);
    case PROTO_TIMESTAMP: return read_timestamp(reader, type, wire, value);
    case PROTO_DATE: return read_date(reader, type, wire, value);
    case PROTO_TIME: return read_time(reader, type, wire, value);
    default:
        value->nested.items = ARENA_ARRAY(reader->scratch, Value, (size_t)type->child_count + 1);
        value->nested.count = (uint32_t)type->child_count;
        return proto_read(reader, wire->bytes, wire->length, step->inner, value->nested.items);
    }
}

/* google.protobuf.Int64Value and the like: the value is field 1 of a message, or its default. */
static const char *read_wrapped(const ProtoReader *reader, const ProtoStep *step, const WireField *wire, Value *value)
{
    const char *p = wire->bytes, *end = p + wire->length;
    WireField field, inner = { .number = 1, .wire = proto_wire_of(step->field->kind), .bytes = "" };
    while (p < end) {
        if (!read_field(&p, end, &field))
            return PROTO_NO_MESSAGE;
        if (field.number == 1 && field.wire == inner.wire)
            inner = field;
    }
    return read_value(reader, step, &inner, value);
}

/* What a field that is not there means. */
static Value missing_value(const ProtoStep *step)
{
    Value value = { .type = step->type };
    value.is_null = !step->field || (step->field->nullable && !step->field->repeated) || step->mismatch;
    if (!value.is_null && step->field->kind == PROTO_ENUM && step->type->kind == TYPE_VARCHAR && step->field->symbols->symbols.count)
        value.text = str_c(step->field->symbols->symbols.items[0].name);
    return value;
}

/* ---- lists ---- */

/* The values of a repeated field, which may be packed, into items; NULL items: they are counted. */
static const char *read_list(const ProtoReader *reader, const ProtoStep *step, const char *bytes, size_t length, Value *items, uint32_t *count)
{
    const ProtoField *field = step->field;
    int wire = field->wrapped ? WIRE_BYTES : proto_wire_of(field->kind);
    const char *p = bytes, *end = bytes + length, *reason = NULL;
    WireField found;
    *count = 0;
    while (p < end && !reason) {
        if (!read_field(&p, end, &found))
            return PROTO_NO_MESSAGE;
        if (found.number != field->number)
            continue;
        bool packed = wire != WIRE_BYTES && found.wire == WIRE_BYTES;
        if (!packed && found.wire != wire)
            return broken(reader, step->type);
        const char *inner = packed ? found.bytes : p, *stop = packed ? found.bytes + found.length : p;
        for (bool first = !packed; (first || inner < stop) && !reason; first = false, ++*count) {
            WireField one = found;
            one.wire = wire;
            if (packed && !read_payload(&inner, stop, &one))
                return broken(reader, step->type);
            if (items && field->map)
                reason = proto_read(reader, one.bytes, one.length, step->inner, &items[*count * 2]);
            else if (items)
                reason = field->wrapped ? read_wrapped(reader, step, &one, &items[*count]) : read_value(reader, step, &one, &items[*count]);
        }
    }
    return reason;
}

static const char *read_list_value(const ProtoReader *reader, const ProtoStep *step, const char *bytes, size_t length, Value *value)
{
    uint32_t count, width = step->field->map ? 2 : 1;
    const char *reason = read_list(reader, step, bytes, length, NULL, &count);
    if (reason)
        return reason;
    *value = (Value){ .type = step->type };
    value->nested.items = ARENA_ARRAY(reader->scratch, Value, (size_t)count * width + 1);
    reason = read_list(reader, step, bytes, length, value->nested.items, &count);
    if (!reason && width == 2)
        count = drop_repeated_keys(reader->scratch, value->nested.items, count);
    value->nested.count = count * width;
    return reason;
}

static const char *read_step(const ProtoReader *reader, const ProtoStep *step, const WireField *wire, const char *bytes, size_t length, Value *value)
{
    const ProtoField *field = step->field;
    if (step->mismatch || (!field->repeated && wire->wire != (field->wrapped ? WIRE_BYTES : proto_wire_of(field->kind))))
        return arena_printf(reader->strings, "field %d is of another type than %s", (int)field->number, type_text(reader->strings, step->type));
    if (field->repeated)
        return value->nested.items ? NULL : read_list_value(reader, step, bytes, length, value); /* all with the first of its values */
    return field->wrapped ? read_wrapped(reader, step, wire, value) : read_value(reader, step, wire, value);
}

const char *proto_read(const ProtoReader *reader, const char *bytes, size_t length, const ProtoPlan *plan, Value items[])
{
    const char *p = bytes, *end = bytes + length, *reason = NULL;
    WireField wire;
    int next = 0; /* fields mostly stand in the order of their targets */
    for (int i = 0; i < plan->count; i++)
        items[i] = missing_value(&plan->steps[i]);
    while (p < end && !reason) {
        if (!read_field(&p, end, &wire))
            return PROTO_NO_MESSAGE;
        for (int k = 0, i = next; k < plan->count && !reason; k++, i = i + 1 < plan->count ? i + 1 : 0)
            if (plan->steps[i].field && plan->steps[i].field->number == wire.number) {
                reason = read_step(reader, &plan->steps[i], &wire, bytes, length, &items[i]);
                next = i + 1 < plan->count ? i + 1 : 0;
                if (!plan->shared)
                    break;
            }
    }
    return reason;
}
