/* common/value_text.h: values as text, for sinks and front doors: the hot end of every query that prints. */
#pragma once
#include "common/vector.h"

/* Appends row `row` as JSON: NULL is null, NaN and infinities are strings, BYTES base64, times as SQL text, zoned ones ISO 8601. */
void text_add_value_json(Text *text, const Vector *vector, uint32_t row);
/* Appends it as the key of a JSON object: a string, whatever its type. */
void text_add_json_key(Text *text, const Vector *vector, uint32_t row);
/* Appends it as plain text, as CSV cells and CAST(.. AS VARCHAR) want it; nested values as JSON. NULL appends nothing. */
void text_add_value_plain(Text *text, const Vector *vector, uint32_t row);
/* Text for a cell of a table: on one line, control characters (which would break the frame, or steer a terminal) as \n, \t, \r, \x1b. */
void text_add_cell(Text *text, const char *bytes, size_t length);
/* A JSON string with its quotes. */
void text_add_json_string(Text *text, const char *bytes, size_t length);
void text_add_base64(Text *text, const unsigned char *bytes, size_t length);
/* Bytes as text: what is not UTF-8 becomes U+FFFD. */
Str text_printable(Arena *arena, Str raw);
