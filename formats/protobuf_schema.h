/* formats/protobuf_schema.h: Protocol Buffers' messages: read from .proto text, and made of columns. */
#pragma once
#include "common/schema.h"

typedef enum ProtoKind {
    PROTO_INT32, PROTO_INT64, PROTO_UINT32, PROTO_UINT64, PROTO_SINT32, PROTO_SINT64, PROTO_BOOL, PROTO_ENUM,                  /* varints */
    PROTO_FIXED64, PROTO_SFIXED64, PROTO_DOUBLE, PROTO_FIXED32, PROTO_SFIXED32, PROTO_FLOAT,                                   /* of a fixed width */
    PROTO_STRING, PROTO_BYTES, PROTO_MESSAGE, PROTO_DECIMAL, PROTO_TIMESTAMP, PROTO_DATE, PROTO_TIME                           /* behind a length */
} ProtoKind;

typedef struct ProtoMessage ProtoMessage;

typedef struct ProtoField {
    const char *name;
    uint64_t number;
    ProtoKind kind;
    bool repeated, map;            /* a map: repeated messages of key and value */
    bool nullable;                 /* where it is missing it is NULL: messages, `optional` */
    bool wrapped;                  /* google.protobuf.Int64Value and the like: the value is field 1 of a message */
    const char *type_name;         /* of messages and enums, until they are found */
    const ProtoMessage *message;   /* PROTO_MESSAGE, map */
    const struct ProtoEnum *symbols;
} ProtoField;

typedef struct ProtoSymbol {
    const char *name;
    int64_t number;
} ProtoSymbol;

typedef struct ProtoEnum {
    const char *name;
    struct { ProtoSymbol *items; int count, capacity; } symbols;
} ProtoEnum;

struct ProtoMessage {
    const char *name;
    ProtoMessage *parent;
    struct { ProtoField *items; int count, capacity; } fields;
    struct { ProtoMessage **items; int count, capacity; } messages; /* within it; of a file: its own */
    struct { ProtoEnum **items; int count, capacity; } enums;
};

/* A file: a message without a name that holds the file's. NULL: *reason says why it is none. */
const ProtoMessage *proto_parse(Arena *arena, const char *text, const char **reason);
/* What columns are as a message: fields numbered from 1 in their order. */
const ProtoMessage *proto_of_columns(Arena *arena, int count, const char *const names[], const Type *const types[]);
/* One of them. */
ProtoField proto_of_column(Arena *arena, const char *name, int number, const Type *type);
/* The message as the text of a file. */
void proto_add_file(Text *out, const ProtoMessage *message);
