/* formats/json.c: JSON lines: one object a line.
 *
 * Keys are matched exactly, else without case where that is unique; of equal keys the last one wins; a missing key is NULL. Every
 * byte of a record is validated, also where no column is wanted. */
#include "common/calendar.h"
#include "common/value_text.h"
#include "formats/formats_internal.h"
#include "formats/json_internal.h"

/* ---- options ---- */

static const char *const timestamp_standards[] = { "SQL", "ISO-8601", NULL };
static const char *const ignore_aliases[] = { "ignore_parse_errors", NULL };
static const char *const standard_aliases[] = { "json.timestamp_format", NULL };

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

/* ---- writing ---- */

typedef struct JsonEncoder {
    Arena arena;
    const JsonOptions *options;
    Str *keys;       /* `"name":` of each column */
    bool *iso;       /* written as ISO 8601, without a zone */
} JsonEncoder;

static Error *json_encoder_open(Encoder *encoder)
{
    JsonEncoder *state = mem_calloc(1, sizeof *state);
    arena_init(&state->arena, NULL);
    encoder->state = state;
    state->options = encoder->options;
    int count = encoder->schema->column_count;
    state->keys = ARENA_ARRAY(&state->arena, Str, (size_t)count + 1);
    state->iso = ARENA_ARRAY(&state->arena, bool, (size_t)count + 1);
    for (int c = 0; c < count; c++) {
        const Column *column = &encoder->schema->columns[c];
        Text key = { NULL, 0, 0 };
        MEMORY_HOLD(text_unwind, &key);
        text_add_json_string(&key, column->name, strlen(column->name));
        text_add_char(&key, ':');
        state->keys[c] = str_view(arena_copy(&state->arena, key.bytes, key.length), key.length);
        text_release(&key);
        state->iso[c] = column->type->kind == TYPE_TIMESTAMP && state->options && state->options->timestamp_standard == JSON_ISO_8601;
    }
    return NULL;
}

static void json_encoder_close(Encoder *encoder)
{
    JsonEncoder *state = encoder->state;
    if (!state)
        return;
    arena_release(&state->arena);
    mem_free(state);
    encoder->state = NULL;
}

static void add_iso(Text *out, const Vector *vector, uint32_t row)
{
    char text[CALENDAR_TEXT];
    size_t length = timestamp_format_iso(((const int64_t *)vector->values)[row & vector_mask(vector)], vector->type->precision, text);
    text_add_char(out, '"');
    text_add(out, text, length - 1); /* no Z: it has no zone */
    text_add_char(out, '"');
}

static Error *json_encode(Encoder *encoder, const Batch *batch, bool with_kinds, Text *out)
{
    const JsonEncoder *state = encoder->state;
    bool leave_out = state->options && state->options->ignore_null_fields;
    for (uint32_t i = 0; i < batch->selection.count; i++) {
        uint32_t row = selection_row(&batch->selection, i);
        char before = '{';
        if (with_kinds) {
            text_add_c(out, "{\"op\":\"");
            text_add_c(out, row_kind_text(batch_kind(batch, row)));
            text_add_char(out, '"');
            before = ',';
        }
        for (int c = 0; c < encoder->schema->column_count; c++) {
            const Vector *vector = batch->columns[c];
            bool is_null = vector_is_null(vector, row);
            if (is_null && leave_out)
                continue;
            text_add_char(out, before);
            text_add_str(out, &state->keys[c]);
            if (is_null)
                text_add(out, "null", 4);
            else if (state->iso[c])
                add_iso(out, vector, row);
            else
                text_add_value_json(out, vector, row);
            before = ',';
        }
        text_add_c(out, before == '{' ? "{}\n" : "}\n");
    }
    return NULL;
}

static const char *const json_aliases[] = { "jsonl", "ndjson", "json_lines", NULL };

const FormatType json_format = {
    .name = "json", .aliases = json_aliases, .doc = "JSON lines: one object a line.",
    .options = json_options, .options_size = sizeof(JsonOptions),
    .cut = lines_cut, .infer = json_infer,
    .decoder_open = json_decoder_open, .decoder_close = json_decoder_close, .decode = json_decode,
    .encoder_open = json_encoder_open, .encoder_close = json_encoder_close, .encode = json_encode,
};
