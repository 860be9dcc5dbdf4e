/* formats/raw.c: the line, or the message, is the value: one VARCHAR or BYTES column. */
#include "formats/formats_internal.h"

#define RAW_RECORD_LIMIT (64u << 20) /* bytes */

static Error *raw_infer(Arena *arena, const void *options, const char *sample, size_t length, Schema **schema)
{
    (void)options, (void)sample, (void)length;
    *schema = ARENA_NEW(arena, Schema);
    (*schema)->column_count = 1;
    (*schema)->columns = ARENA_ARRAY(arena, Column, 1);
    (*schema)->columns[0] = (Column){ .name = "line", .type = type_scalar(TYPE_VARCHAR) };
    return NULL;
}

static Error *raw_decoder_open(Decoder *decoder)
{
    const DecodeSpec *spec = decoder->spec;
    if (spec->declared_count > 1)
        return error_new(ERR_BIND, "format 'raw' fills one column, not %d", spec->declared_count);
    for (int c = 0; c < spec->column_count; c++)
        if (spec->columns[c].type->kind != TYPE_VARCHAR && spec->columns[c].type->kind != TYPE_BYTES)
            return error_new(ERR_BIND, "format 'raw' fills a VARCHAR or BYTES column, not %s", type_kind_name(spec->columns[c].type->kind));
    return NULL;
}

static void raw_decoder_close(Decoder *decoder) { (void)decoder; }

static Error *raw_decode(Decoder *decoder, DecodeInput *input, uint32_t max_rows, Batch *batch)
{
    const DecodeSpec *spec = decoder->spec;
    const char *p = input->bytes + input->at, *end = input->bytes + input->length;
    uint32_t row = batch->row_count;
    bool text = true;
    LineCounter lines;
    line_counter_start(&lines, input);
    origins_start(spec, batch, max_rows);
    if (input->buffer)
        batch_hold_buffer(batch, input->buffer);
    for (int c = 0; c < spec->column_count; c++)
        text = text && spec->columns[c].type->kind == TYPE_VARCHAR;
    while (p < end && row < max_rows) {
        const char *newline = memchr(p, '\n', (size_t)(end - p)), *stop = newline ? newline : end;
        size_t length = (size_t)(stop - p);
        if (newline && length && stop[-1] == '\r')
            length--;
        if (length > RAW_RECORD_LIMIT) {
            bad_row_add(input, &lines, batch, row, p, length, NULL, "the record is longer than 64 MB");
        } else if (text && utf8_valid_prefix(p, length) != length) {
            bad_row_add(input, &lines, batch, row, p, length, NULL, "the line is not UTF-8");
        } else {
            for (int c = 0; c < spec->column_count; c++)
                ((Str *)batch->columns[c]->values)[row] = str_view(p, length);
            origins_note(spec, input, &lines, batch, row, p, length);
            row++;
        }
        p = newline ? newline + 1 : end;
    }
    batch->row_count = row;
    batch->selection = (Selection){ row, NULL };
    input->at = (size_t)(p - input->bytes);
    return NULL;
}

/* ---- messages ---- */

static Error *raw_check(const void *options, const Schema *schema, bool key)
{
    (void)options;
    TRY(record_check_key(schema, key));
    if (schema->column_count > 1)
        return record_refuse("RAW", schema, key, "The 'RAW' format only supports a single field");
    if (schema->column_count == 1 && type_physical(schema->columns[0].type) != PHYSICAL_STR)
        return record_refuse_type("RAW", schema, key, &schema->columns[0]);
    return NULL;
}

static Error *raw_decode_records(Decoder *decoder, const RecordBytes *records, uint32_t count, Arena *arena, Vector *const columns[], RecordFailures *failures)
{
    const DecodeSpec *spec = decoder->spec;
    for (uint32_t row = 0; row < count; row++) {
        const char *reason = NULL;
        for (int c = 0; c < spec->column_count && !reason; c++) {
            if (!records[row].bytes)
                vector_store_null(arena, columns[c], row);
            else if ((reason = record_text(arena, columns[c]->type, &records[row], &((Str *)columns[c]->values)[row])) != NULL)
                record_fail(spec, arena, columns, failures, row, path_text(arena, spec->columns[c].path, spec->columns[c].path_length), reason);
        }
    }
    return NULL;
}

static Error *raw_encode_record(Encoder *encoder, const Vector *const columns[], uint32_t row, Text *out, bool *none)
{
    (void)encoder;
    *none = vector_is_null(columns[0], row);
    if (!*none)
        text_add_str(out, &((const Str *)columns[0]->values)[row & vector_mask(columns[0])]);
    return NULL;
}

/* ---- writing lines ---- */

static Error *raw_encoder_open(Encoder *encoder)
{
    const Schema *schema = encoder->schema;
    if (schema->column_count != 1 || (schema->columns[0].type->kind != TYPE_VARCHAR && schema->columns[0].type->kind != TYPE_BYTES))
        return error_new(ERR_BIND, "format 'raw' writes one VARCHAR or BYTES column");
    return NULL;
}

static void raw_encoder_close(Encoder *encoder) { (void)encoder; }

static Error *raw_encode(Encoder *encoder, const Batch *batch, bool with_kinds, Text *out)
{
    (void)encoder, (void)with_kinds;
    const Vector *vector = batch->columns[0];
    const Str *values = vector->values;
    for (uint32_t i = 0; i < batch->selection.count; i++) {
        uint32_t row = selection_row(&batch->selection, i);
        if (!vector_is_null(vector, row))
            text_add_str(out, &values[row & vector_mask(vector)]);
        text_add_char(out, '\n');
    }
    return NULL;
}

static const OptionSpec raw_options[] = { { .name = NULL } };
static const char *const raw_aliases[] = { "text", "line", "lines", NULL };

const FormatType raw_format = {
    .name = "raw", .aliases = raw_aliases, .doc = "Lines or messages as they stand, in one VARCHAR or BYTES column.",
    .options = raw_options, .options_size = 0,
    .cut = lines_cut, .infer = raw_infer,
    .decoder_open = raw_decoder_open, .decoder_close = raw_decoder_close, .decode = raw_decode, .decode_records = raw_decode_records, .check_record = raw_check,
    .encoder_open = raw_encoder_open, .encoder_close = raw_encoder_close, .encode = raw_encode, .encode_record = raw_encode_record,
};
