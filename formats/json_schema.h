/* formats/json_schema.h: JSON Schemas as columns, and columns as JSON Schemas. */
#pragma once
#include "formats/formats_internal.h"
#include "formats/json_internal.h"

typedef struct JsonSrOptions {
    RegistryOptions registry;
    JsonOptions json;
} JsonSrOptions;

/* The schema of keys or values of these columns; bare: of the one column itself. Everything may be null. */
void json_schema_add(Text *out, const Schema *schema, bool bare);
/* What values of the schema are as a column; NULL: *reason. */
const Type *json_schema_type(Arena *arena, const RegisteredSchema *schema, const char **reason);
