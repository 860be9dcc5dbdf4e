/* formats/avro_schema.h: Avro schemas: read from their JSON, and made of columns. */
#pragma once
#include "common/schema.h"

typedef enum AvroKind {
    AVRO_NULL, AVRO_BOOLEAN, AVRO_INT, AVRO_LONG, AVRO_FLOAT, AVRO_DOUBLE, AVRO_BYTES, AVRO_STRING,
    AVRO_RECORD, AVRO_ENUM, AVRO_FIXED, AVRO_ARRAY, AVRO_MAP, AVRO_UNION
} AvroKind;

typedef enum AvroLogical { AVRO_PLAIN, AVRO_DECIMAL, AVRO_MILLIS, AVRO_MICROS, AVRO_DATE } AvroLogical;

typedef struct AvroSchema {
    AvroKind kind;
    AvroLogical logical;
    int scale;                      /* AVRO_DECIMAL */
    size_t size;                    /* AVRO_FIXED: bytes */
    const char *name;               /* with its namespace; of records, enums, fixed */
    struct AvroSchema **children;   /* fields, branches; the one of items, values */
    const char **names;             /* of fields, of symbols */
    int count;
} AvroSchema;

/* NULL: *reason says why it is none. */
const AvroSchema *avro_schema_parse(Arena *arena, const char *text, const char **reason);
const char *avro_kind_name(AvroKind kind);

/* The schema of keys or values of these columns; bare: of the one column itself. Everything may be null. */
void avro_schema_add(Text *out, const Schema *schema, bool bare);
/* Can it be the name of a field? */
bool avro_name_fits(const char *name);
