/* formats/none.c: nothing: the key of messages that have none. What stands there is not looked at. */
#include "formats/formats_internal.h"

static Error *none_check(const void *options, const Schema *schema, bool key)
{
    (void)options;
    if (schema->column_count == 0)
        return NULL;
    Text columns = { 0 };
    MEMORY_HOLD(text_unwind, &columns);
    record_add_columns(&columns, schema, key);
    Error *error = error_new(ERR_BIND, "The 'NONE' format can only be used when no columns are defined. Got: [%s]", text_c(&columns));
    text_release(&columns);
    return error;
}

static Error *none_decoder_open(Decoder *decoder)
{
    (void)decoder;
    return NULL;
}

static void none_decoder_close(Decoder *decoder) { (void)decoder; }

static Error *none_decode_records(Decoder *decoder, const RecordBytes *records, uint32_t count, Arena *arena, Vector *const columns[], RecordFailures *failures)
{
    (void)decoder, (void)records, (void)count, (void)arena, (void)columns, (void)failures;
    return NULL;
}

static Error *none_encoder_open(Encoder *encoder) { return none_check(encoder->options, encoder->schema, encoder->key); }

static void none_encoder_close(Encoder *encoder) { (void)encoder; }

static Error *none_encode_record(Encoder *encoder, const Vector *const columns[], uint32_t row, Text *out, bool *none)
{
    (void)encoder, (void)columns, (void)row, (void)out;
    *none = true;
    return NULL;
}

static const OptionSpec none_options[] = { { .name = NULL } };

const FormatType none_format = {
    .name = "none", .doc = "Messages without a key.",
    .options = none_options,
    .decoder_open = none_decoder_open, .decoder_close = none_decoder_close, .decode_records = none_decode_records, .check_record = none_check,
    .encoder_open = none_encoder_open, .encoder_close = none_encoder_close, .encode_record = none_encode_record,
};
