/* tester/conformance_convert.h: JSON of test files <-> messages in formats that have no text of their own. Private to the room.
 *
 * By the engine's formats: what they write is checked byte by byte by their unit tests. */
#pragma once
#include "common/schema.h"
#include "common/schema_registry.h"

/* Keys or values in such a format. */
typedef struct ConvertedForm {
    const char *format;
    const Schema *columns;
    bool key;
    const char *name;               /* the record or message of the schema that is meant; NULL: the first */
    SchemaRegistry *registry;
    const RegisteredSchema *schema; /* that messages from outside are written by; NULL: that of the columns */
} ConvertedForm;

bool conformance_converts(const char *format);
/* Appends JSON text as a message. ERR_BIND: it does not fit the columns. */
Error *conformance_from_json(const ConvertedForm *form, const char *json, size_t length, Text *bytes);
Error *conformance_to_json(const ConvertedForm *form, const char *bytes, size_t length, Text *json);
