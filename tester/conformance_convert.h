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
    SchemaRegistry *registry;
} ConvertedForm;

bool conformance_converts(const char *format);
/* Appends JSON text as a message. ERR_BIND: it does not fit the columns. */
Error *conformance_from_json(const ConvertedForm *form, const char *json, size_t length, Text *bytes);
Error *conformance_to_json(const ConvertedForm *form, const char *bytes, size_t length, Text *json);
