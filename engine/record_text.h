/* engine/record_text.h: bytes of keys and values as people read them, whatever wrote them.
 *
 * Every format begins as possible; a record that does not read as one rules it out, for good. Shown is the record in the first format that is left. What
 * can be told from bytes alone: eight of them are a BIGINT and a DOUBLE and, as like as not, a text. Private to the room. */
#pragma once
#include "engine/record_schemas.h"

typedef enum TextFormat { TEXT_AVRO, TEXT_PROTOBUF, TEXT_JSON, TEXT_JSON_SR, TEXT_KAFKA_INT, TEXT_KAFKA_BIGINT, TEXT_KAFKA_DOUBLE, TEXT_KAFKA_STRING, TEXT_BYTES, TEXT_FORMATS } TextFormat;
typedef enum TextWindow { TEXT_SESSION, TEXT_HOPPING, TEXT_TUMBLING, TEXT_UNWINDOWED, TEXT_WINDOWS } TextWindow;

typedef struct RecordText {
    bool possible[TEXT_FORMATS][TEXT_WINDOWS];
    bool seen;              /* a record that was not NULL */
    bool key;
    RecordSchemas *schemas; /* of records that name one; the caller's */
} RecordText;

/* Keys may hold windows. */
void record_text_init(RecordText *text, bool key, RecordSchemas *schemas);
/* Appends the record; NULL bytes are "<null>". */
void record_text_add(RecordText *text, const char *bytes, size_t length, Text *out);
/* Appends the formats that are still possible: "JSON or KAFKA_STRING". */
void record_text_formats(const RecordText *text, Text *out);
