/* formats/protobuf_schema.h: Protocol Buffers' messages: read from .proto text, and made of columns. */
#pragma once
#include "common/schema.h"
#include "common/schema_registry.h"

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
    int precision, scale;          /* PROTO_DECIMAL: as the field's options say; precision 0: they do not */
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
    bool is_entry;                 /* of a map, where a descriptor says it */
    const char *package;           /* of a file; NULL: none */
    struct { const ProtoMessage **items; int count, capacity; } imports; /* of a file */
};

/* A file: a message without a name that holds the file's. NULL: *reason says why it is none. */
const ProtoMessage *proto_parse(Arena *arena, const char *text, const char **reason);
/* The same with the files that it imports: those that the schema refers to, and Google's common ones. */
const ProtoMessage *proto_file_read(Arena *arena, const RegisteredSchema *schema, const char **reason);
/* The message of that name ("Order", "com.acme.Order", "Order.Line"), and its place in the file from the outside in; NULL: none. name NULL: the first. */
const ProtoMessage *proto_message_named(const ProtoMessage *file, const char *name, int path[], int limit, int *depth);
/* By its name: exactly first, then without case; NULL. */
const ProtoField *proto_field_named(const ProtoMessage *message, const char *name);

/* What a type's name means for the field: a simple type now, messages and enums when names are looked for. */
void proto_field_type(ProtoField *field, const char *name);

/* ---- protobuf_descriptor.c ---- */

typedef struct ProtoNames { const char **items; int count, capacity; } ProtoNames;
/* Is it no .proto text, but a file's descriptor in base64? */
bool proto_is_descriptor(const char *text);
/* The file, whose names of types are not looked for yet; NULL: the descriptor is broken. */
ProtoMessage *proto_descriptor_read(Arena *arena, const char *text, ProtoNames *imports);

/* ---- protobuf_columns.c ---- */

/* What says that a scalar column is NULL: nothing (0, false and "" stand for it), `optional`, google.protobuf.Int64Value and the like. */
typedef enum ProtoNulls { PROTO_NULLS_NONE, PROTO_NULLS_OPTIONAL, PROTO_NULLS_WRAPPED } ProtoNulls;

/* What columns are as a message: fields numbered from 1 in their order. */
ProtoMessage *proto_of_columns(Arena *arena, int count, const char *const names[], const Type *const types[], ProtoNulls nulls);
/* One of them. */
ProtoField proto_of_column(Arena *arena, const char *name, int number, const Type *type, ProtoNulls nulls);
/* The message as the text of a file. */
void proto_add_file(Text *out, const ProtoMessage *message);
/* What a message's fields are as a STRUCT's; NULL: *reason. */
const Type *proto_type(Arena *arena, const ProtoMessage *message, const char **reason);

/* What a word of .proto text means as a type that is neither message nor enum; false: nothing. */
bool proto_simple_type(const char *name, ProtoKind *kind, bool *wrapped);
const char *proto_simple_name(ProtoKind kind, bool wrapped); /* NULL: none */
