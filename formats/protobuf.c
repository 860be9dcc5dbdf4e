/* formats/protobuf.c: Protocol Buffers (proto3) without a schema registry: the schema is what the declared columns make it.
 *
 * A message's fields are numbered from 1 in the order of the columns, those of a STRUCT in the order of its fields.
 *   BOOLEAN, TINYINT .. BIGINT    bool, int32, int64         ARRAY    repeated, packed where that is possible
 *   FLOAT, DOUBLE                 float, double              MAP      map<string, ..>
 *   VARCHAR, BYTES                string, bytes              STRUCT   a message
 *   DECIMAL                       confluent.type.Decimal { bytes value = 1; uint32 precision = 2; int32 scale = 3; }
 *   TIMESTAMP, DATE, TIME         google.protobuf.Timestamp, google.type.Date, google.type.TimeOfDay
 * proto3 has no NULL: a scalar that is not there is 0, false or empty, a list is empty; messages may be missing. */
#include "common/calendar.h"
#include "common/decimal.h"
#include "formats/formats_internal.h"
#include "formats/json_internal.h"
#include "formats/varint.h"

enum { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

static int wire_of(const Type *type)
{
    switch (type->kind) {
    case TYPE_BOOLEAN: case TYPE_TINYINT: case TYPE_SMALLINT: case TYPE_INT: case TYPE_BIGINT: return WIRE_VARINT;
    case TYPE_DOUBLE: return WIRE_FIXED64;
    case TYPE_FLOAT: return WIRE_FIXED32;
    default: return WIRE_BYTES;
    }
}

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

/* ---- values ---- */

typedef struct ProtoReader {
    Arena *strings, *scratch; /* texts that outlive the call, and reasons; values under way */
} ProtoReader;

static const char *read_message(const ProtoReader *reader, const char *bytes, size_t length, int count, const Type *const types[], Value items[]);

static const char *broken(const ProtoReader *reader, const Type *type) { return arena_printf(reader->strings, "a broken %s", type_text(reader->strings, type)); }

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

static const char *read_decimal(const ProtoReader *reader, const Type *type, const WireField *field, Value *value)
{
    int64_t parts[3];
    const char *bytes = NULL;
    size_t length = 0;
    if (!read_numbers(field, 3, parts, &bytes, &length) || length > sizeof(Int128) || parts[2] < 0 || parts[2] > DECIMAL_MAX_PRECISION)
        return broken(reader, type);
    Int128 decimal = decimal_from_bytes(bytes, length);
    if (!decimal_rescale(decimal, (int)parts[2], type->scale, &decimal) || !decimal_fits(decimal, type->precision))
        return arena_printf(reader->strings, "a number out of range for %s", type_text(reader->strings, type));
    if (type_physical(type) == PHYSICAL_INT64)
        value->integer = (int64_t)decimal;
    else
        value->decimal = decimal;
    return NULL;
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

static const char *read_integer(const ProtoReader *reader, const Type *type, const WireField *field, Value *value)
{
    int64_t minimum, maximum;
    json_integer_range(type, &minimum, &maximum);
    value->integer = type->kind == TYPE_INT ? (int32_t)field->integer : (int64_t)field->integer;
    if (value->integer < minimum || value->integer > maximum)
        return arena_printf(reader->strings, "%lld is out of range for %s", (long long)value->integer, type_text(reader->strings, type));
    return NULL;
}

/* One value that is no list. */
static const char *read_value(const ProtoReader *reader, const Type *type, const WireField *field, Value *value)
{
    *value = (Value){ .type = type };
    RecordBytes record = { field->bytes, field->length };
    uint32_t bits = (uint32_t)field->integer;
    float single;
    switch (type->kind) {
    case TYPE_BOOLEAN: value->integer = field->integer != 0; return NULL;
    case TYPE_TINYINT: case TYPE_SMALLINT: case TYPE_INT: case TYPE_BIGINT: return read_integer(reader, type, field, value);
    case TYPE_DOUBLE: memcpy(&value->number, &field->integer, sizeof value->number); return NULL;
    case TYPE_FLOAT:
        memcpy(&single, &bits, sizeof single);
        value->number = single;
        return NULL;
    case TYPE_VARCHAR: case TYPE_BYTES: return record_text(reader->strings, type, &record, &value->text);
    case TYPE_DECIMAL: return read_decimal(reader, type, field, value);
    case TYPE_TIMESTAMP: case TYPE_TIMESTAMP_TZ: return read_timestamp(reader, type, field, value);
    case TYPE_DATE: return read_date(reader, type, field, value);
    case TYPE_TIME: return read_time(reader, type, field, value);
    case TYPE_STRUCT:
        value->nested.items = ARENA_ARRAY(reader->scratch, Value, (size_t)type->child_count + 1);
        value->nested.count = (uint32_t)type->child_count;
        return read_message(reader, field->bytes, field->length, type->child_count, type->children, value->nested.items);
    default: return broken(reader, type);
    }
}

/* What a field that is not there means. */
static Value missing_value(const Type *type)
{
    Value value = { .type = type };
    value.is_null = type->kind == TYPE_STRUCT || (wire_of(type) == WIRE_BYTES && type_physical(type) != PHYSICAL_STR && !type_is_nested(type));
    return value;
}

/* ---- lists ---- */

/* One entry of a map: key and value, next to each other. */
static const char *read_entry(const ProtoReader *reader, const Type *map, const WireField *field, Value *pair) { return read_message(reader, field->bytes, field->length, 2, map->children, pair); }

/* The values of field `number`, which may be packed, into items; NULL items: they are counted. */
static const char *read_list(const ProtoReader *reader, const Type *type, uint64_t number, const char *bytes, size_t length, Value *items, uint32_t *count)
{
    const Type *element = type->children[0];
    int wire = type->kind == TYPE_MAP ? WIRE_BYTES : wire_of(element);
    const char *p = bytes, *end = bytes + length, *reason = NULL;
    WireField field;
    *count = 0;
    while (p < end && !reason) {
        if (!read_field(&p, end, &field))
            return broken(reader, type);
        if (field.number != number)
            continue;
        bool packed = wire != WIRE_BYTES && field.wire == WIRE_BYTES;
        if (!packed && field.wire != wire)
            return broken(reader, type);
        const char *inner = packed ? field.bytes : p, *stop = packed ? field.bytes + field.length : p;
        for (bool first = !packed; (first || inner < stop) && !reason; first = false, ++*count) {
            WireField one = field;
            one.wire = wire;
            if (packed && !read_payload(&inner, stop, &one))
                return broken(reader, type);
            if (items)
                reason = type->kind == TYPE_MAP ? read_entry(reader, type, &one, &items[*count * 2]) : read_value(reader, element, &one, &items[*count]);
        }
    }
    return reason;
}

static const char *read_list_value(const ProtoReader *reader, const Type *type, uint64_t number, const char *bytes, size_t length, Value *value)
{
    uint32_t count, step = type->kind == TYPE_MAP ? 2 : 1;
    const char *reason = read_list(reader, type, number, bytes, length, NULL, &count);
    if (reason)
        return reason;
    *value = (Value){ .type = type };
    value->nested.items = ARENA_ARRAY(reader->scratch, Value, (size_t)count * step + 1);
    reason = read_list(reader, type, number, bytes, length, value->nested.items, &count);
    if (!reason && step == 2)
        count = drop_repeated_keys(reader->scratch, value->nested.items, count);
    value->nested.count = count * step;
    return reason;
}

/* Fields 1 to `count` of a message; types[i] NULL: nobody wants it. */
static const char *read_message(const ProtoReader *reader, const char *bytes, size_t length, int count, const Type *const types[], Value items[])
{
    const char *p = bytes, *end = bytes + length, *reason;
    WireField field;
    for (int i = 0; i < count; i++)
        if (types[i])
            items[i] = missing_value(types[i]);
    while (p < end) {
        if (!read_field(&p, end, &field))
            return "not a Protocol Buffers message";
        const Type *type = field.number <= (uint64_t)count ? types[field.number - 1] : NULL;
        Value *value = &items[type ? field.number - 1 : 0];
        if (!type)
            continue;
        bool list = type->kind == TYPE_ARRAY || type->kind == TYPE_MAP;
        if (!list && field.wire != wire_of(type))
            return arena_printf(reader->strings, "field %d is of another type than %s", (int)field.number, type_text(reader->strings, type));
        if (list && value->nested.items)
            continue; /* read with the first of its values */
        reason = list ? read_list_value(reader, type, field.number, bytes, length, value) : read_value(reader, type, &field, value);
        if (reason)
            return reason;
    }
    return NULL;
}

/* ---- messages ---- */

typedef struct ProtobufDecoder {
    Arena arena, scratch;
    const Type **types;     /* of each declared column; NULL: it is not wanted */
    Value *items;
} ProtobufDecoder;

static Error *protobuf_decoder_open(Decoder *decoder)
{
    const DecodeSpec *spec = decoder->spec;
    ProtobufDecoder *state = mem_calloc(1, sizeof *state);
    arena_init(&state->arena, NULL);
    arena_init(&state->scratch, NULL);
    decoder->state = state;
    state->types = ARENA_ARRAY(&state->arena, const Type *, (size_t)spec->declared_count + 1);
    state->items = ARENA_ARRAY(&state->arena, Value, (size_t)spec->declared_count + 1);
    for (int c = 0; c < spec->column_count; c++)
        state->types[spec->columns[c].field_index] = spec->columns[c].type;
    return NULL;
}

static void protobuf_decoder_close(Decoder *decoder)
{
    ProtobufDecoder *state = decoder->state;
    if (!state)
        return;
    arena_release(&state->scratch);
    arena_release(&state->arena);
    mem_free(state);
    decoder->state = NULL;
}

static void store_row(const DecodeSpec *spec, const Value items[], Arena *arena, Vector *const columns[], uint32_t row)
{
    for (int c = 0; c < spec->column_count; c++) {
        const Value *value = items ? &items[spec->columns[c].field_index] : NULL;
        if (!value || value->is_null)
            vector_store_null(arena, columns[c], row);
        else if (type_is_nested(value->type))
            vector_set(arena, columns[c], row, value);
        else
            scalar_store(columns[c], row, value);
    }
}

static Error *protobuf_decode_records(Decoder *decoder, const RecordBytes *records, uint32_t count, Arena *arena, Vector *const columns[], RecordFailures *failures)
{
    ProtobufDecoder *state = decoder->state;
    const DecodeSpec *spec = decoder->spec;
    ProtoReader reader = { arena, &state->scratch };
    for (uint32_t row = 0; row < count; row++) {
        const char *reason = NULL;
        if (records[row].bytes)
            reason = read_message(&reader, records[row].bytes, records[row].length, spec->declared_count, state->types, state->items);
        if (reason)
            record_fail(spec, arena, columns, failures, row, NULL, reason);
        else
            store_row(spec, records[row].bytes ? state->items : NULL, arena, columns, row);
        if (state->scratch.blocks)
            arena_reset(&state->scratch);
    }
    return NULL;
}

/* ---- writing ---- */

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

static void add_field(Text *out, int number, const Vector *vector, uint32_t row);

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
        add_field(out, i + 1, vector->children[i], row);
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

static void add_field(Text *out, int number, const Vector *vector, uint32_t row)
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

/* ---- columns ---- */

/* Why the type has no form here; NULL: it has one. within: of a list, whose values cannot be lists. */
static const char *refused_type(const Type *type, bool within)
{
    bool list = type->kind == TYPE_ARRAY || type->kind == TYPE_MAP;
    if (type->kind == TYPE_MAP && type->children[0]->kind != TYPE_VARCHAR)
        return "PROTOBUF format only supports MAP types with STRING keys";
    if (list && within)
        return "PROTOBUF has no lists or maps as values of lists and maps";
    if (type->kind == TYPE_INTERVAL)
        return "PROTOBUF has no form of INTERVAL";
    const char *reason = NULL;
    for (int i = 0; i < type->child_count && !reason; i++)
        reason = refused_type(type->children[i], list);
    return reason;
}

static Error *protobuf_check(const void *options, const Schema *schema, bool key)
{
    (void)options;
    TRY(record_check_key(schema, key));
    for (int i = 0; i < schema->column_count; i++) {
        const char *reason = refused_type(schema->columns[i].type, false);
        if (reason)
            return record_refuse("PROTOBUF_NOSR", schema, key, reason);
    }
    return NULL;
}

static Error *protobuf_encoder_open(Encoder *encoder) { return protobuf_check(encoder->options, encoder->schema, encoder->key); }

static void protobuf_encoder_close(Encoder *encoder) { (void)encoder; }

static Error *protobuf_encode_record(Encoder *encoder, const Vector *const columns[], uint32_t row, Text *out, bool *none)
{
    int count = encoder->schema->column_count;
    *none = encoder->key && row_is_null(count, columns, row);
    for (int c = 0; c < count && !*none; c++)
        add_field(out, c + 1, columns[c], row);
    return NULL;
}

static const OptionSpec protobuf_options[] = { { .name = NULL } };

const FormatType protobuf_nosr_format = {
    .name = "protobuf_nosr", .doc = "Protocol Buffers (proto3) messages whose fields are the columns in their order, without a schema registry.",
    .options = protobuf_options, .whole_columns = true,
    .decoder_open = protobuf_decoder_open, .decoder_close = protobuf_decoder_close, .decode_records = protobuf_decode_records, .check_record = protobuf_check,
    .encoder_open = protobuf_encoder_open, .encoder_close = protobuf_encoder_close, .encode_record = protobuf_encode_record,
};
