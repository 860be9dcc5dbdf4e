/* formats/protobuf_columns.c: columns as the message of a .proto file, and a message as columns. */
#include <stdio.h>

#include "formats/protobuf_schema.h"

/* ---- columns as a message ---- */

static ProtoKind kind_of(const Type *type)
{
    switch (type->kind) {
    case TYPE_BOOLEAN: return PROTO_BOOL;
    case TYPE_TINYINT: case TYPE_SMALLINT: case TYPE_INT: return PROTO_INT32;
    case TYPE_BIGINT: return PROTO_INT64;
    case TYPE_FLOAT: return PROTO_FLOAT;
    case TYPE_DOUBLE: return PROTO_DOUBLE;
    case TYPE_BYTES: return PROTO_BYTES;
    case TYPE_DECIMAL: return PROTO_DECIMAL;
    case TYPE_DATE: return PROTO_DATE;
    case TYPE_TIME: return PROTO_TIME;
    case TYPE_TIMESTAMP: case TYPE_TIMESTAMP_TZ: return PROTO_TIMESTAMP;
    case TYPE_MAP: case TYPE_STRUCT: return PROTO_MESSAGE;
    default: return PROTO_STRING;
    }
}

ProtoField proto_of_column(Arena *arena, const char *name, int number, const Type *type, ProtoNulls nulls)
{
    const Type *element = type->kind == TYPE_ARRAY ? type->children[0] : type;
    ProtoField field = { .name = name, .number = (uint64_t)number, .kind = kind_of(element), .repeated = type->kind == TYPE_ARRAY || type->kind == TYPE_MAP, .map = type->kind == TYPE_MAP };
    static const char *const entry[] = { "key", "value" };
    field.nullable = !field.repeated && (field.kind >= PROTO_MESSAGE || nulls != PROTO_NULLS_NONE);
    field.wrapped = !field.repeated && field.kind < PROTO_MESSAGE && nulls == PROTO_NULLS_WRAPPED;
    if (element->kind == TYPE_DECIMAL) {
        field.precision = element->precision;
        field.scale = element->scale;
    }
    if (field.kind == PROTO_MESSAGE)
        field.message = proto_of_columns(arena, element->child_count, field.map ? entry : element->names, element->children, field.map ? PROTO_NULLS_NONE : nulls);
    return field;
}

ProtoMessage *proto_of_columns(Arena *arena, int count, const char *const names[], const Type *const types[], ProtoNulls nulls)
{
    ProtoMessage *message = ARENA_NEW(arena, ProtoMessage);
    for (int i = 0; i < count; i++) {
        ProtoField field = proto_of_column(arena, names[i], i + 1, types[i], nulls);
        LIST_ADD(arena, &message->fields, field);
    }
    return message;
}

/* ---- writing ---- */

/* Messages are called ConnectDefault1, 2, .. in the order of their fields, as Kafka Connect calls them. */
static void add_message(Text *out, const ProtoMessage *message, int *next, int indent);

static void add_field(Text *out, const ProtoField *field, int *next, int indent)
{
    const ProtoField *value = field->map ? &field->message->fields.items[1] : field;
    const char *simple = proto_simple_name(value->kind, value->wrapped);
    char name[32];
    if (!simple) {
        snprintf(name, sizeof name, "ConnectDefault%d", *next);
        add_message(out, value->message, next, indent);
        simple = name;
    }
    bool optional = field->nullable && !field->wrapped && field->kind < PROTO_MESSAGE;
    if (field->map) {
        const ProtoField *key = &field->message->fields.items[0];
        text_printf(out, "%*smap<%s, %s> %s = %d", indent, "", proto_simple_name(key->kind, false), simple, field->name, (int)field->number);
    } else {
        text_printf(out, "%*s%s%s %s = %d", indent, "", field->repeated ? "repeated " : optional ? "optional " : "", simple, field->name, (int)field->number);
    }
    if (value->kind == PROTO_DECIMAL)
        text_printf(out, " [(confluent.field_meta) = { params: [{ key: \"precision\", value: \"%d\" }, { key: \"scale\", value: \"%d\" }] }]", value->precision, value->scale);
    text_add_c(out, ";\n");
}

static void add_message(Text *out, const ProtoMessage *message, int *next, int indent)
{
    if (message->name)
        text_printf(out, "%*smessage %s {\n", indent, "", message->name);
    else
        text_printf(out, "%*smessage ConnectDefault%d {\n", indent, "", (*next)++);
    for (int i = 0; i < message->fields.count; i++)
        add_field(out, &message->fields.items[i], next, indent + 2);
    text_printf(out, "%*s}\n", indent, "");
}

static bool has_kind(const ProtoMessage *message, ProtoKind kind, bool wrapped)
{
    for (int i = 0; i < message->fields.count; i++) {
        const ProtoField *field = &message->fields.items[i];
        if ((wrapped ? field->wrapped : field->kind == kind && !field->wrapped) || (field->message && has_kind(field->message, kind, wrapped)))
            return true;
    }
    return false;
}

void proto_add_file(Text *out, const ProtoMessage *message)
{
    static const struct { ProtoKind kind; bool wrapped; const char *file; } imports[] = {
        { PROTO_DECIMAL, false, "confluent/meta.proto" }, { PROTO_DECIMAL, false, "confluent/type/decimal.proto" }, { PROTO_TIMESTAMP, false, "google/protobuf/timestamp.proto" },
        { PROTO_DATE, false, "google/type/date.proto" }, { PROTO_TIME, false, "google/type/timeofday.proto" }, { PROTO_INT64, true, "google/protobuf/wrappers.proto" } };
    int next = 1;
    text_add_c(out, "syntax = \"proto3\";\n");
    for (size_t i = 0; i < sizeof imports / sizeof *imports; i++)
        if (has_kind(message, imports[i].kind, imports[i].wrapped))
            text_printf(out, "import \"%s\";\n", imports[i].file);
    add_message(out, message, &next, 0);
}

/* ---- a message as columns ---- */

typedef struct TypeReader {
    Arena *arena;
    const ProtoMessage *around[32]; /* messages that the one at hand stands in */
    int depth;
    const char *reason;
} TypeReader;

static const Type *read_message(TypeReader *reader, const ProtoMessage *message);

static const Type *refuse(TypeReader *reader, const char *reason)
{
    if (!reader->reason)
        reader->reason = reason;
    return NULL;
}

static const Type *read_single(TypeReader *reader, const ProtoField *field)
{
    switch (field->kind) {
    case PROTO_INT32: case PROTO_SINT32: case PROTO_SFIXED32: return type_scalar(TYPE_INT);
    case PROTO_INT64: case PROTO_UINT32: case PROTO_UINT64: case PROTO_SINT64: case PROTO_FIXED64: case PROTO_SFIXED64: case PROTO_FIXED32: return type_scalar(TYPE_BIGINT);
    case PROTO_BOOL: return type_scalar(TYPE_BOOLEAN);
    case PROTO_ENUM: case PROTO_STRING: return type_scalar(TYPE_VARCHAR);
    case PROTO_DOUBLE: return type_scalar(TYPE_DOUBLE);
    case PROTO_FLOAT: return type_scalar(TYPE_FLOAT);
    case PROTO_BYTES: return type_scalar(TYPE_BYTES);
    case PROTO_MESSAGE: return read_message(reader, field->message);
    case PROTO_DECIMAL:
        if (field->precision < 1 || field->scale > field->precision)
            return refuse(reader, arena_printf(reader->arena, "'%s' is a decimal that does not say its precision and scale: declare the columns", field->name));
        return type_decimal(reader->arena, field->precision, field->scale);
    case PROTO_TIMESTAMP: return type_timestamp(reader->arena, TYPE_TIMESTAMP, 6);
    case PROTO_DATE: return type_scalar(TYPE_DATE);
    case PROTO_TIME: return type_scalar(TYPE_TIME);
    }
    return NULL;
}

static const Type *read_field(TypeReader *reader, const ProtoField *field)
{
    if (field->map) {
        const Type *key = read_single(reader, &field->message->fields.items[0]), *value = read_single(reader, &field->message->fields.items[1]);
        return key && value ? type_map(reader->arena, key, value) : NULL;
    }
    const Type *single = read_single(reader, field);
    return single && field->repeated ? type_array(reader->arena, single) : single;
}

static const Type *read_message(TypeReader *reader, const ProtoMessage *message)
{
    for (int i = 0; i < reader->depth; i++)
        if (reader->around[i] == message)
            return refuse(reader, arena_printf(reader->arena, "'%s' holds itself, which no column can: declare the columns that are wanted", message->name));
    if (reader->depth == (int)(sizeof reader->around / sizeof *reader->around))
        return refuse(reader, "its messages are nested too deeply");
    reader->around[reader->depth++] = message;
    const char **names = ARENA_ARRAY(reader->arena, const char *, (size_t)message->fields.count + 1);
    const Type **types = ARENA_ARRAY(reader->arena, const Type *, (size_t)message->fields.count + 1);
    for (int i = 0; i < message->fields.count; i++) {
        names[i] = message->fields.items[i].name;
        if (!(types[i] = read_field(reader, &message->fields.items[i])))
            return NULL;
    }
    reader->depth--;
    return type_struct(reader->arena, message->fields.count, names, types);
}

const Type *proto_type(Arena *arena, const ProtoMessage *message, const char **reason)
{
    TypeReader reader = { .arena = arena };
    const Type *type = read_message(&reader, message);
    *reason = reader.reason;
    return type;
}
