/* formats/json.c: JSON: one object a line, or a message.
 *
 * Keys are matched exactly, else without case where that is unique; of equal keys the last one wins; a missing key is NULL. Every
 * byte of a record is validated, also where no column is wanted. */
#include "formats/formats_internal.h"
#include "formats/json_internal.h"

/* ---- options ---- */

static const char *const timestamp_standards[] = { "SQL", "ISO-8601", NULL };
static const char *const ignore_aliases[] = { "ignore_parse_errors", NULL };
static const char *const standard_aliases[] = { "json.timestamp_format", NULL };
static const char *const wrap_choices[] = { "auto", "true", "false", NULL };
static const char *const coerce_choices[] = { "strict", "ksql", NULL };
static const char *const wrap_aliases[] = { "json.wrap_single_value", NULL };
static const char *const time_aliases[] = { "json.timestamps", NULL };
static const char *const coerce_aliases[] = { "json.coerce", NULL };

const OptionSpec json_options[] = {
    { .name = "json.ignore_parse_errors", .kind = OPTION_BOOL, .offset = offsetof(JsonOptions, ignore_parse_errors), .default_text = "false", .aliases = ignore_aliases,
      .doc = "A value that does not fit its column becomes NULL, and an invalid record is passed over." },
    { .name = "json.fail_on_missing_field", .kind = OPTION_BOOL, .offset = offsetof(JsonOptions, fail_on_missing_field), .default_text = "false",
      .doc = "A record without a key that a column needs is a bad record." },
    { .name = "json.timestamp_format.standard", .kind = OPTION_ENUM, .offset = offsetof(JsonOptions, timestamp_standard), .default_text = "SQL", .choices = timestamp_standards, .aliases = standard_aliases,
      .doc = "How TIMESTAMP is written: 2026-01-01 00:00:00.000 or 2026-01-01T00:00:00.000. Both are read." },
    { .name = "json.encode.decimal_as_plain_number", .kind = OPTION_BOOL, .offset = offsetof(JsonOptions, decimal_as_plain_number), .default_text = "true",
      .doc = "DECIMAL is written with all its digits, which it always is." },
    { .name = "json.encode.ignore_null_fields", .kind = OPTION_BOOL, .offset = offsetof(JsonOptions, ignore_null_fields), .default_text = "false",
      .doc = "NULL fields are left out of what is written." },
    { .name = "wrap_single_value", .kind = OPTION_ENUM, .offset = offsetof(JsonOptions, wrap), .default_text = "auto", .choices = wrap_choices, .aliases = wrap_aliases,
      .doc = "false: a value of one column is written and read bare, 5 and not {\"v\":5}. A message's key of one column is so unless `key_wrap_single_value` says otherwise." },
    { .name = "timestamps", .kind = OPTION_ENUM, .offset = offsetof(JsonOptions, times), .default_text = "sql", .choices = time_style_choices, .aliases = time_aliases,
      .doc = "How TIMESTAMP, DATE and TIME are written: as SQL text; as numbers: milliseconds since 1970, days since 1970, milliseconds of the day; or 2026-01-01T00:00:00.000Z. All are read." },
    { .name = "coerce", .kind = OPTION_ENUM, .offset = offsetof(JsonOptions, coerce), .default_text = "strict", .choices = coerce_choices, .aliases = coerce_aliases,
      .doc = "ksql: values are taken as ksqlDB takes them: numbers also from strings, integers without their fraction, DECIMAL only where it needs no rounding; of keys that fit without case the first one counts." },
    { .name = NULL }
};

/* ---- pieces ---- */

size_t lines_cut(const void *options, const char *bytes, size_t length, bool final)
{
    (void)options;
    if (final || length == 0)
        return length;
    const char *newline = memrchr(bytes, '\n', length);
    return newline ? (size_t)(newline + 1 - bytes) : 0;
}

/* ---- messages ---- */

static const Type *map_without_text_keys(const Type *type)
{
    if (type->kind == TYPE_MAP && type->children[0]->kind != TYPE_VARCHAR)
        return type;
    for (int i = 0; i < type->child_count; i++) {
        const Type *found = map_without_text_keys(type->children[i]);
        if (found)
            return found;
    }
    return NULL;
}

static bool holds_interval(const Type *type)
{
    bool found = type->kind == TYPE_INTERVAL;
    for (int i = 0; i < type->child_count; i++)
        found |= holds_interval(type->children[i]);
    return found;
}

Error *json_check(const void *given, const Schema *schema, bool key)
{
    const JsonOptions *options = given;
    TRY(record_check_key(schema, key));
    if (!key && options && options->wrap != JSON_WRAP_AUTO && schema->column_count != 1)
        return error_new(ERR_BIND, "'WRAP_SINGLE_VALUE' is only valid for single-field value schemas");
    for (int i = 0; i < schema->column_count; i++) {
        if (map_without_text_keys(schema->columns[i].type))
            return record_refuse("JSON", schema, key, "JSON only supports MAP types with STRING keys");
        if (holds_interval(schema->columns[i].type))
            return record_refuse_type("JSON", schema, key, &schema->columns[i]);
    }
    return NULL;
}

static const char *const json_aliases[] = { "jsonl", "ndjson", "json_lines", NULL };

const FormatType json_format = {
    .name = "json", .aliases = json_aliases, .doc = "JSON: one object a line, or one value a message.",
    .options = json_options, .options_size = sizeof(JsonOptions),
    .cut = lines_cut, .infer = json_infer,
    .decoder_open = json_decoder_open, .decoder_close = json_decoder_close, .decode = json_decode, .decode_records = json_decode_records, .check_record = json_check,
    .encoder_open = json_encoder_open, .encoder_close = json_encoder_close, .encode = json_encode, .encode_record = json_encode_record,
};
