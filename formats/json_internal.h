/* formats/json_internal.h: what the files of the JSON decoder share.
 *
 * A record is looked at three ways, each handing what it does not know to the next:
 *   json_scan.c     a template learned from earlier records: keys are predicted and compared, never searched
 *   json_locate.c   a walker for any order of keys; validates as it goes
 *   json_general.cc simdjson; it alone decides that a record is invalid, and is the oracle of the tests
 * The last two only find where the wanted values lie; json_convert.c gives them their type. */
#pragma once
#include "formats/formats.h"
#include "formats/json_general.h"
#include "common/timestamp_pattern.h"

#define JSON_RECORD_LIMIT (64u << 20) /* bytes */

typedef struct JsonOptions {
    bool ignore_parse_errors;    /* a value of the wrong type is NULL, an invalid record is passed over */
    bool fail_on_missing_field;
    int timestamp_standard;      /* JSON_SQL or JSON_ISO_8601: how TIMESTAMP is written */
    bool decimal_as_plain_number;
    bool ignore_null_fields;     /* writing: NULL fields are left out */
    int wrap;                    /* JSON_WRAP_..: a value of one column */
    int times;                   /* TimeStyle */
    int coerce;                  /* JSON_STRICT, JSON_KSQL */
} JsonOptions;
enum { JSON_SQL, JSON_ISO_8601 };
enum { JSON_WRAP_AUTO, JSON_WRAP_TRUE, JSON_WRAP_FALSE };
enum { JSON_STRICT, JSON_KSQL };
extern const OptionSpec json_options[];
Error *json_check(const void *options, const Schema *schema, bool key);

/* Is the record the one column's value itself, without an object around it? */
/* A key's own column stands bare unless it is said otherwise, a value's where it is said. */
static inline bool wrap_is_bare(int wrap, bool key) { return wrap == JSON_WRAP_FALSE || (key && wrap == JSON_WRAP_AUTO); }

static inline bool json_is_bare(const JsonOptions *options, int column_count, bool key)
{
    return column_count == 1 && wrap_is_bare(options ? options->wrap : JSON_WRAP_AUTO, key);
}

/* ---- json_text.c: the grammar's small parts ---- */

/* `p` stands after the opening quote; the closing quote, or NULL: control character, bad escape, bad UTF-8 or no end. */
const char *json_string_end(const char *p, const char *end);
/* `p` stands at a backslash; the byte after the escape (after both halves of a surrogate pair), or NULL. */
const char *json_escape_end(const char *p, const char *end);
/* The byte after the number that starts at `p`, or NULL. */
const char *json_number_end(const char *p, const char *end);
/* Validates one value that starts at `p`, no deeper than `depth_left` levels; the byte after it, or NULL with *bad at the place. */
const char *json_skip_value(const char *p, const char *end, int depth_left, const char **bad);
static inline const char *json_space(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
        p++;
    return p;
}
/* Copies a validated value without the blanks between its parts; returns the length. */
size_t json_compact(const char *bytes, size_t length, char *out);
/* Undoes the escapes of a validated string's content; `out` has room for `length` bytes. Returns the length. */
size_t json_unescape(const char *bytes, size_t length, char *out);
/* The integer that a valid number's text means: "12", "1e3", "5.0". */
typedef enum JsonInteger { JSON_INTEGER, JSON_FRACTION, JSON_TOO_LARGE } JsonInteger;
JsonInteger json_token_integer(const char *bytes, size_t length, int64_t *value);

/* ---- reading text that is known to be valid ---- */

JsonToken json_read(const char **p, const char *end); /* the value at *p; moves behind it */
/* Steps through an object's members or an array's elements: start with the container's token and *p == NULL. */
bool json_next_member(const JsonToken *object, const char **p, JsonToken *key, JsonToken *value);
bool json_next_element(const JsonToken *array, const char **p, JsonToken *value);
/* Does a key (with quotes and escapes) equal a name? exact, or without ASCII case. */
bool json_key_equal(const JsonToken *key, const char *name, size_t name_length, bool any_case);

/* ---- json_locate.c ---- */

/* Builds the tree of the spec's paths, without their first `skip` names; nodes are numbered from 0, the root. first_wins: of keys that fit a
 * name without case the first one counts, where else several are an error. */
JsonPathNode *json_paths_build(Arena *arena, const DecodeSpec *spec, int skip, bool first_wins, int *node_count);
/* The node of a column. */
const JsonPathNode *json_path_node(const JsonPathNode *root, const DecodeColumn *column, int skip);
/* Validates the record and finds the wanted values: matches[node->number].token. False: invalid or ambiguous; ask the general one. */
bool json_locate(const JsonPathNode *root, const char *bytes, size_t length, JsonMatch *matches, int node_count);
/* The same for a record that may be any value: matches[0] is the record. */
bool json_locate_any(const JsonPathNode *root, const char *bytes, size_t length, JsonMatch *matches, int node_count);

/* ---- json_convert.c ---- */

typedef struct JsonColumn {
    const Type *type;
    const char *name;                  /* the path with dots, for messages */
    const TimestampPattern *pattern;   /* NULL: epoch milliseconds or text */
    const TimeZone *zone;              /* of instants in text without one; NULL: UTC, or the column has none */
    int node;                          /* its place in the tree of paths */
    int64_t minimum, maximum;          /* integers */
    bool not_null, nested;
} JsonColumn;

typedef struct JsonConversion {
    Arena *strings;         /* unescaped strings, messages; lives with the batch */
    Arena *scratch;         /* nested values under way */
    const TimestampPattern *pattern;
    const TimeZone *zone;   /* of instants without one; NULL: UTC */
    bool as_ksql;           /* numbers may be in strings, fractions of integers are cut, decimals are not rounded, objects are text without blanks */
} JsonConversion;

/* A token (not NULL or missing) as a value of the type. Strings point into the token where they can. NULL: fine, else why not. */
const char *json_to_value(const JsonConversion *conversion, const Type *type, const JsonToken *token, Value *value);
void json_integer_range(const Type *type, int64_t *minimum, int64_t *maximum);
/* Writes a scalar value to a row of a FLAT vector without copying its text. */
void scalar_store(Vector *vector, uint32_t row, const Value *value);
/* Pairs of a map: of equal keys the last one stays, at its place. Returns the number of pairs left. */
uint32_t drop_repeated_keys(Arena *scratch, Value *items, uint32_t count);
size_t base64_decode(const char *bytes, size_t length, char *out); /* SIZE_MAX: not base64 */

/* ---- json_scan.c: the fast path ---- */

typedef struct JsonScan JsonScan;

JsonScan *json_scan_new(Arena *arena, const JsonColumn *columns, int column_count, const JsonPathNode *root, int node_count, bool as_ksql);
void json_scan_free(JsonScan *scan);
/* Prepares for these vectors, and for records that end before `end`. */
void json_scan_start(JsonScan *scan, Vector *const vectors[], Arena *arena, const char *end);
/* Decodes records from `p` on into rows [*row, max_rows) as long as they follow a template; *row counts them. Where a record
 * does not, its start is returned, and its row may hold anything. `one` stops after a record (positions and raw are wanted). */
const char *json_scan_records(JsonScan *scan, const char *p, uint32_t *row, uint32_t max_rows, bool one);
/* Learns the shape of a record that the slow path decoded, newline included. tokens: of each column; matches: of each node. */
void json_scan_learn(JsonScan *scan, const char *record, size_t length, const JsonToken *const tokens[], const JsonMatch matches[]);

/* ---- json_write.c ---- */
Error *json_encoder_open(Encoder *encoder);
void json_encoder_close(Encoder *encoder);
Error *json_encode(Encoder *encoder, const Batch *batch, bool with_kinds, Text *out);
Error *json_encode_record(Encoder *encoder, const Vector *const columns[], uint32_t row, Text *out, bool *none);

/* ---- json_infer.c ---- */
Error *json_infer(Arena *arena, const void *options, const char *sample, size_t length, Schema **schema);
