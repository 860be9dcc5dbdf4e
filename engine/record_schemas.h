/* engine/record_schemas.h: records that name their schema in a registry, as text. Private to the room. */
#pragma once
#include "common/schema_registry.h"
#include "common/str.h"

typedef struct RecordSchemas RecordSchemas;

RecordSchemas *record_schemas_new(SchemaRegistry *registry); /* NULL: none is known, no record is one of these */
void record_schemas_free(RecordSchemas *schemas);            /* NULL is fine */
/* Appends the record as JSON. False: it names no schema of that type ("AVRO", "PROTOBUF", "JSON"), or is none of it. */
bool record_schemas_add(RecordSchemas *schemas, const char *type, bool key, const char *bytes, size_t length, Text *out);
