/* formats/debezium.c: changes of a database as Debezium writes them in JSON: what a row was, what it is, and what was done.
 *
 *   {"before": {..}, "after": {..}, "op": "u", ..}      c and r (read at the start): new; u: changed; d: deleted; m: no row
 *   {"schema": {..}, "payload": {"before": ..}}         with Kafka Connect's schema, which nobody needs here
 * The rows within are JSON as the format 'json' reads it. A message without a value follows a deletion, for compaction: it says nothing. */
#include "formats/json_internal.h"

#include "formats/formats_internal.h"

typedef struct DebeziumOptions {
    JsonOptions json;             /* of the rows: JSON's decoder takes them as they are */
    int schema_include;           /* SCHEMA_AUTO, .. */
} DebeziumOptions;

enum { SCHEMA_AUTO, SCHEMA_INCLUDED, SCHEMA_LEFT_OUT };
static const char *const schema_choices[] = { "auto", "true", "false", NULL };
static const char *const standards[] = { "SQL", "ISO-8601", NULL };
static const char *const coerce_choices[] = { "strict", "ksql", NULL };
static const char *const ignore_names[] = { "json.ignore_parse_errors", NULL };
static const char *const standard_names[] = { "json.timestamp_format.standard", NULL };
static const char *const missing_names[] = { "json.fail_on_missing_field", NULL };

#define ROW(field) offsetof(DebeziumOptions, json.field)
static const OptionSpec debezium_options[] = {
    { .name = "debezium_json.schema_include", .kind = OPTION_ENUM, .offset = offsetof(DebeziumOptions, schema_include), .default_text = "auto", .choices = schema_choices,
      .doc = "Does a schema stand around each change? auto: where there is a member 'payload'." },
    { .name = "debezium_json.ignore_parse_errors", .kind = OPTION_BOOL, .offset = ROW(ignore_parse_errors), .default_text = "false", .aliases = ignore_names,
      .doc = "A value that does not fit its column becomes NULL, and a message that is no change is passed over." },
    { .name = "debezium_json.fail_on_missing_field", .kind = OPTION_BOOL, .offset = ROW(fail_on_missing_field), .default_text = "false", .aliases = missing_names, .doc = "A row without a key that a column needs is bad." },
    { .name = "debezium_json.timestamp_format.standard", .kind = OPTION_ENUM, .offset = ROW(timestamp_standard), .default_text = "SQL", .choices = standards, .aliases = standard_names,
      .doc = "How TIMESTAMP is written. Both are read." },
    { .name = "coerce", .kind = OPTION_ENUM, .offset = ROW(coerce), .default_text = "strict", .choices = coerce_choices, .doc = "As of the format json." },
    { .name = NULL }
};

/* ---- the envelope ---- */

static bool is_key(const JsonToken *key, const char *name) { return json_key_equal(key, name, strlen(name), false); }

static void take_row(const JsonToken *token, RecordBytes *row)
{
    *row = token->kind == JSON_OBJECT ? (RecordBytes){ token->bytes, token->length } : (RecordBytes){ NULL, 0 };
}

/* What is done, by the value of "op"; false: no such operation. */
static bool read_op(const JsonToken *token, RecordChange *change)
{
    char op = token->kind == JSON_STRING && token->length == 3 ? token->bytes[1] : 0;
    change->kind = op == 'c' || op == 'r' ? CHANGE_INSERT : op == 'u' ? CHANGE_UPDATE : op == 'd' ? CHANGE_DELETE : CHANGE_NONE;
    return change->kind != CHANGE_NONE || op == 'm';
}

static const char *read_change(const JsonToken *object, RecordChange *change)
{
    JsonToken key, value, op = { NULL, 0, JSON_MISSING };
    for (const char *p = NULL; json_next_member(object, &p, &key, &value);) {
        if (is_key(&key, "before"))
            take_row(&value, &change->before);
        else if (is_key(&key, "after"))
            take_row(&value, &change->after);
        else if (is_key(&key, "op"))
            op = value;
    }
    if (op.kind == JSON_MISSING)
        return "no change of Debezium's: it has no 'op'";
    if (!read_op(&op, change))
        return "no change of Debezium's: its 'op' is none of c, r, u, d, m";
    if ((change->kind == CHANGE_INSERT || change->kind == CHANGE_UPDATE) && !change->after.bytes)
        return "a change without 'after'";
    return NULL;
}

static const char *debezium_change(const void *given, const RecordBytes *value, RecordChange *change)
{
    const DebeziumOptions *options = given;
    const char *end = value->bytes + value->length, *bad, *reason = NULL;
    *change = (RecordChange){ .kind = CHANGE_NONE };
    if (!value->bytes)
        return NULL;
    const char *start = json_space(value->bytes, end), *p = start, *after = start < end && *start == '{' ? json_skip_value(start, end, JSON_DEPTH_LIMIT, &bad) : NULL;
    if (!after || json_space(after, end) != end) {
        reason = "invalid JSON, or no object";
    } else {
        JsonToken object = json_read(&p, end), key, member, payload = { NULL, 0, JSON_MISSING };
        for (const char *at = NULL; options->schema_include != SCHEMA_LEFT_OUT && json_next_member(&object, &at, &key, &member);)
            if (is_key(&key, "payload"))
                payload = member;
        if (payload.kind == JSON_NULL)
            return NULL; /* a tombstone with a schema */
        if (options->schema_include == SCHEMA_INCLUDED && payload.kind != JSON_OBJECT)
            reason = "no 'payload' beside a schema";
        else
            reason = read_change(payload.kind == JSON_OBJECT ? &payload : &object, change);
    }
    if (reason && options->json.ignore_parse_errors) {
        change->kind = CHANGE_NONE;
        return NULL;
    }
    return reason;
}

static Error *debezium_check(const void *options, const Schema *schema, bool key)
{
    if (key)
        return error_new(ERR_BIND, "format 'debezium-json' is of values: keys are 'json' or 'kafka'");
    return json_check(options, schema, key);
}

static const char *const debezium_aliases[] = { "debezium_json", NULL };

const FormatType debezium_format = {
    .name = "debezium-json", .aliases = debezium_aliases, .doc = "Changes of a database's rows, as Debezium writes them in JSON.",
    .options = debezium_options, .options_size = sizeof(DebeziumOptions),
    .decoder_open = json_decoder_open, .decoder_close = json_decoder_close, .decode_records = json_decode_records, .check_record = debezium_check, .change = debezium_change,
};
