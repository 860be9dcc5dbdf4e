/* formats/protobuf_descriptor.c: .proto files as Protocol Buffers' own messages (descriptor.proto), as some clients register them: in base64. */
#include "formats/json_internal.h"
#include "formats/protobuf_internal.h"
#include "formats/varint.h"

#define DESCRIPTOR_DEPTH_LIMIT 64

bool proto_is_descriptor(const char *text)
{
    return *text && text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")] == 0;
}

/* ---- the wire ---- */

/* A field: a number, or bytes. */
typedef struct Part {
    uint64_t number, integer;
    RecordBytes bytes;
} Part;

/* The next field; false: there is none, or *broken. Fields of a fixed width mean nothing here. */
static bool next_part(RecordBytes *message, Part *part, bool *broken)
{
    const char *p = message->bytes, *end = p + message->length;
    uint64_t tag;
    *part = (Part){ 0 };
    if (p == end)
        return false;
    *broken = !read_varint(&p, end, &tag);
    part->number = tag >> 3;
    switch (*broken ? -1 : (int)(tag & 7)) {
    case WIRE_VARINT: *broken = !read_varint(&p, end, &part->integer); break;
    case WIRE_FIXED64: *broken = !read_fixed(&p, end, 8, &part->integer); break;
    case WIRE_FIXED32: *broken = !read_fixed(&p, end, 4, &part->integer); break;
    case WIRE_BYTES:
        *broken = !read_varint(&p, end, &part->integer) || part->integer > (uint64_t)(end - p);
        if (!*broken) {
            part->bytes = (RecordBytes){ p, (size_t)part->integer };
            p += part->integer;
        }
        break;
    default: *broken = true; break;
    }
    *message = (RecordBytes){ p, (size_t)(end - p) };
    return !*broken;
}

static const char *text_of(Arena *arena, const Part *part) { return part->bytes.bytes ? arena_strndup(arena, part->bytes.bytes, part->bytes.length) : ""; }

/* ---- descriptors ---- */

static bool read_enum(Arena *arena, RecordBytes bytes, ProtoMessage *within)
{
    ProtoEnum *symbols = ARENA_NEW(arena, ProtoEnum);
    bool broken = false, inner_broken = false;
    symbols->name = "";
    for (Part part; next_part(&bytes, &part, &broken);) {
        if (part.number == 1)
            symbols->name = text_of(arena, &part);
        if (part.number != 2)
            continue;
        ProtoSymbol symbol = { .name = "" };
        for (Part inner; next_part(&part.bytes, &inner, &inner_broken);)
            if (inner.number == 1)
                symbol.name = text_of(arena, &inner);
            else if (inner.number == 2)
                symbol.number = (int32_t)inner.integer;
        LIST_ADD(arena, &symbols->symbols, symbol);
    }
    LIST_ADD(arena, &within->enums, symbols);
    return !broken && !inner_broken;
}

static bool read_field(Arena *arena, RecordBytes bytes, bool proto3, ProtoMessage *message)
{
    static const ProtoKind kinds[] = { 0, PROTO_DOUBLE, PROTO_FLOAT, PROTO_INT64, PROTO_UINT64, PROTO_INT32, PROTO_FIXED64, PROTO_FIXED32, PROTO_BOOL, PROTO_STRING, 0, PROTO_MESSAGE, PROTO_BYTES, PROTO_UINT32,
                                       PROTO_ENUM, PROTO_SFIXED32, PROTO_SFIXED64, PROTO_SINT32, PROTO_SINT64 };
    enum { GROUP = 10, KINDS = sizeof kinds / sizeof *kinds, OPTIONAL = 1, REPEATED = 3 };
    ProtoField field = { .name = "" };
    const char *type_name = NULL;
    uint64_t type = 0, label = 0;
    bool broken = false, present = false;
    for (Part part; next_part(&bytes, &part, &broken);)
        switch (part.number) {
        case 1: field.name = text_of(arena, &part); break;
        case 3: field.number = part.integer; break;
        case 4: label = part.integer; break;
        case 5: type = part.integer; break;
        case 6: type_name = text_of(arena, &part); break;
        case 9: case 17: present = true; break; /* of a oneof; `optional` */
        default: break;
        }
    if (broken || type == 0 || type == GROUP || type >= KINDS || field.number == 0 || field.number > 536870911)
        return false;
    field.kind = kinds[type];
    if ((field.kind == PROTO_MESSAGE || field.kind == PROTO_ENUM) && !type_name)
        return false;
    field.repeated = label == REPEATED;
    field.nullable = !field.repeated && (present || (!proto3 && label == OPTIONAL));
    if (type_name)
        proto_field_type(&field, type_name);
    LIST_ADD(arena, &message->fields, field);
    return true;
}

static bool read_message(Arena *arena, RecordBytes bytes, bool proto3, ProtoMessage *within, int depth)
{
    ProtoMessage *message = ARENA_NEW(arena, ProtoMessage);
    bool broken = false, fine = depth < DESCRIPTOR_DEPTH_LIMIT;
    message->parent = within;
    message->name = "";
    LIST_ADD(arena, &within->messages, message);
    for (Part part; fine && next_part(&bytes, &part, &broken);)
        switch (part.number) {
        case 1: message->name = text_of(arena, &part); break;
        case 2: fine = read_field(arena, part.bytes, proto3, message); break;
        case 3: fine = read_message(arena, part.bytes, proto3, message, depth + 1); break;
        case 4: fine = read_enum(arena, part.bytes, message); break;
        case 7:
            for (Part option; next_part(&part.bytes, &option, &broken);)
                message->is_entry |= option.number == 7 && option.integer;
            break;
        default: break;
        }
    return fine && !broken;
}

ProtoMessage *proto_descriptor_read(Arena *arena, const char *text, ProtoNames *imports)
{
    size_t length = strlen(text);
    char *bytes = arena_alloc(arena, length + 1);
    size_t decoded = base64_decode(text, length, bytes);
    ProtoMessage *file = ARENA_NEW(arena, ProtoMessage);
    RecordBytes rest = { bytes, decoded == SIZE_MAX ? 0 : decoded };
    bool broken = decoded == SIZE_MAX, fine = true, proto3 = false;
    for (Part part; fine && next_part(&rest, &part, &broken);) /* syntax stands at the end */
        proto3 |= part.number == 12 && part.bytes.length == 6 && memcmp(part.bytes.bytes, "proto3", 6) == 0;
    rest = (RecordBytes){ bytes, decoded == SIZE_MAX ? 0 : decoded };
    for (Part part; fine && !broken && next_part(&rest, &part, &broken);) {
        const char *name = part.number == 2 || part.number == 3 ? text_of(arena, &part) : NULL;
        if (part.number == 2)
            file->package = name;
        else if (part.number == 3)
            LIST_ADD(arena, imports, name);
        else if (part.number == 4)
            fine = read_message(arena, part.bytes, proto3, file, 0);
        else if (part.number == 5)
            fine = read_enum(arena, part.bytes, file);
    }
    return fine && !broken ? file : NULL;
}
