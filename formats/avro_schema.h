/* formats/avro_schema.h: Avro schemas: read from their JSON, made of columns, and as columns. */
#pragma once
#include "common/schema.h"
#include "common/schema_registry.h"
#include "formats/json_general.h"

typedef enum AvroKind {
    AVRO_NULL, AVRO_BOOLEAN, AVRO_INT, AVRO_LONG, AVRO_FLOAT, AVRO_DOUBLE, AVRO_BYTES, AVRO_STRING,
    AVRO_RECORD, AVRO_ENUM, AVRO_FIXED, AVRO_ARRAY, AVRO_MAP, AVRO_UNION
} AvroKind;

typedef enum AvroLogical { AVRO_PLAIN, AVRO_DECIMAL, AVRO_MILLIS, AVRO_MICROS, AVRO_DATE, AVRO_TIME_MICROS } AvroLogical;

/* What a field of a record has beside its name and type. */
typedef struct AvroField {
    const char *const *aliases;
    int alias_count;
    bool has_default;
    JsonToken standard;             /* .. the default, as JSON; points into the schema's text */
} AvroField;

typedef struct AvroSchema {
    AvroKind kind;
    AvroLogical logical;
    int precision, scale;           /* AVRO_DECIMAL */
    size_t size;                    /* AVRO_FIXED: bytes */
    const char *name;               /* with its namespace; of records, enums, fixed */
    struct AvroSchema **children;   /* fields, branches; the one of items, values */
    const char **names;             /* of fields, of symbols */
    AvroField *fields;              /* of records */
    const char *standard;           /* of enums: the symbol that stands for those that a reader does not know; NULL: none */
    int count;
} AvroSchema;

/* NULL: *reason says why it is none. The schema points into the text. */
const AvroSchema *avro_schema_parse(Arena *arena, const char *text, const char **reason);
/* The same with the types of the schemas that it refers to. The registry keeps the texts. */
const AvroSchema *avro_schema_read(Arena *arena, const RegisteredSchema *schema, const char **reason);
const char *avro_kind_name(AvroKind kind);
/* The name of a type in its union: "string", or the last part of "com.acme.Order". */
const char *avro_branch_name(const AvroSchema *schema);
/* The only branch beside null; NULL: there are several. The schema itself where it is no union. */
const AvroSchema *avro_not_null(const AvroSchema *schema);

/* ---- avro_columns.c ---- */

/* What values of the schema are as a column; NULL: *reason. */
const Type *avro_type(Arena *arena, const AvroSchema *schema, const char **reason);

/* As ksqlDB calls the record: tools look for it. */
#define AVRO_OWN_RECORD "KsqlDataSourceSchema"
#define AVRO_OWN_NAMESPACE "io.confluent.ksql.avro_schemas"
#define AVRO_OWN_NAME AVRO_OWN_NAMESPACE "." AVRO_OWN_RECORD
/* The schema of keys or values of these columns; bare: of the one column itself. Everything may be null. */
void avro_schema_add(Text *out, const Schema *schema, bool bare);
/* Can it be the name of a field? */
bool avro_name_fits(const char *name);
