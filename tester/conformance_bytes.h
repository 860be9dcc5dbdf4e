/* tester/conformance_bytes.h: keys and values of test files <-> the bytes of messages. Private to the room.
 *
 * Written and read apart from the formats of the engine, which are what is tested. */
#pragma once
#include "engine/bidsql.h"
#include "tester/json_tree.h"

/* Appends the bytes of `given` in that format. *none: it stands for no key, no value. ERR_BIND: it does not fit the column. */
Error *conformance_encode(const JsonTree *given, const char *format, const Schema *columns, Text *bytes, bool *none);
/* The other way round; no bytes (NULL) are null. */
Error *conformance_decode(Arena *arena, const char *bytes, size_t length, const char *format, const Schema *columns, JsonTree **tree);

/* The window behind a key's bytes: milliseconds. */
void conformance_encode_window(KeyWindow kind, int64_t start_ms, int64_t end_ms, Text *bytes);
/* Takes it off: *length becomes that of the key alone. A time window says where it starts; end_ms is set by its size. False: too short. */
bool conformance_decode_window(KeyWindow kind, int64_t size_ms, const char *bytes, size_t *length, int64_t *start_ms, int64_t *end_ms);

void conformance_add_base64(Text *text, const char *bytes, size_t length);
bool conformance_decode_base64(const char *text, Text *bytes);
