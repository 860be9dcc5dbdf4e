/* functions/json_reader.h: walking through JSON texts that stand in columns.
 *
 * Nothing is built and nothing allocated: a value is the span of its bytes. Formats have faster decoders for records; these texts are
 * short, and what is wanted of them differs from call to call. */
#pragma once
#include "common/str.h"

#define JSON_DEPTH_MAX 1000

/* From the first byte of a value to behind its last. */
typedef struct JsonSpan {
    const char *at, *end;
} JsonSpan;

/* The first value in the text; false if it is not well-formed JSON or nested more deeply than JSON_DEPTH_MAX. *whole tells whether nothing but
 * blanks follows. What is below works on spans from here only. */
bool json_span_read(const Str *text, JsonSpan *value, bool *whole);

static inline bool json_is_object(JsonSpan value) { return *value.at == '{'; }
static inline bool json_is_array(JsonSpan value) { return *value.at == '['; }
static inline bool json_is_string(JsonSpan value) { return *value.at == '"'; }
static inline bool json_is_null(JsonSpan value) { return *value.at == 'n'; }
static inline bool json_is_number(JsonSpan value) { return *value.at == '-' || (*value.at >= '0' && *value.at <= '9'); }

/* The members of an object, the elements of an array, one after the other. */
typedef struct JsonWalk {
    const char *at, *end;
    bool object;
} JsonWalk;
JsonWalk json_walk(JsonSpan value);
bool json_next(JsonWalk *walk, JsonSpan *key, JsonSpan *value); /* key may be NULL */

/* What a string stands for. A lonely half of a surrogate pair becomes U+FFFD. */
void json_span_unescape(JsonSpan string, Text *text);
bool json_span_is_text(JsonSpan string, const char *bytes, size_t length);
/* The value without blanks, strings with no more escapes than needed. */
void json_span_compact(JsonSpan value, Text *text);
