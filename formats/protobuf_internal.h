/* formats/protobuf_internal.h: what the files of Protocol Buffers share. */
#pragma once
#include "formats/formats_internal.h"
#include "formats/protobuf_schema.h"

enum { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

/* ---- protobuf_read.c ---- */

int proto_wire_of(ProtoKind kind);

/* What becomes of a message: of each of `count` targets the field of its name. */
typedef struct ProtoPlan ProtoPlan;
ProtoPlan *proto_plan_make(Arena *arena, const ProtoMessage *message, int count, const char *const names[], const Type *const types[]);

typedef struct ProtoReader {
    Arena *strings, *scratch; /* texts that outlive the call, and reasons; values under way */
} ProtoReader;

#define PROTO_NO_MESSAGE "not a Protocol Buffers message"

/* The message's bytes as the plan's targets; NULL or why not. */
const char *proto_read(const ProtoReader *reader, const char *bytes, size_t length, const ProtoPlan *plan, Value items[]);

/* ---- protobuf_write.c ---- */

/* How columns are written as the message's fields of their names. NULL: *reason says why they cannot. */
typedef struct ProtoWriter ProtoWriter;
ProtoWriter *proto_writer_make(Arena *arena, const ProtoMessage *message, int count, const char *const names[], const Type *const types[], const char **reason);
/* Appends a row's message. What readers put in where it is missing is left out. NULL or why it cannot be written. */
const char *proto_write_row(Text *out, const ProtoWriter *writer, const Vector *const columns[], uint32_t row);
