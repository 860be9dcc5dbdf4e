/* formats/kafka.c: values as Kafka's own serializers write them: one column, no frame around it.
 *
 * INT: 4 bytes; BIGINT, DOUBLE: 8 bytes, all big endian; VARCHAR: UTF-8; BYTES: as they stand. */
#include <endian.h>
#include "formats/formats_internal.h"

static Error *kafka_check(const void *options, const Schema *schema, bool key)
{
    (void)options;
    TRY(record_check_key(schema, key));
    for (int i = 0; i < schema->column_count; i++)
        switch (schema->columns[i].type->kind) {
        case TYPE_INT: case TYPE_BIGINT: case TYPE_DOUBLE: case TYPE_VARCHAR: case TYPE_BYTES: break;
        default: return record_refuse_type("KAFKA", schema, key, &schema->columns[i]);
        }
    if (schema->column_count <= 1)
        return NULL;
    Text reason = { 0 };
    MEMORY_HOLD(text_unwind, &reason);
    text_add_c(&reason, "The 'KAFKA' format only supports a single field. Got: [");
    record_add_columns(&reason, schema, key);
    text_add_char(&reason, ']');
    Error *error = record_refuse("KAFKA", schema, key, text_c(&reason));
    text_release(&reason);
    return error;
}

/* ---- reading ---- */

static Error *kafka_decoder_open(Decoder *decoder)
{
    (void)decoder;
    return NULL;
}

static void kafka_decoder_close(Decoder *decoder) { (void)decoder; }

/* Stores the record as row `row`; NULL or why not. */
static const char *store(Arena *arena, Vector *vector, uint32_t row, const RecordBytes *record)
{
    const Type *type = vector->type;
    size_t wanted = type->kind == TYPE_INT ? 4 : 8;
    if (type_physical(type) == PHYSICAL_STR)
        return record_text(arena, type, record, &((Str *)vector->values)[row]);
    if (record->length != wanted)
        return arena_printf(arena, "%s has %zu bytes, not %zu", type_text(arena, type), wanted, record->length);
    uint64_t bits = 0;
    for (size_t i = 0; i < wanted; i++)
        bits = bits << 8 | (unsigned char)record->bytes[i];
    if (type->kind == TYPE_INT)
        ((int64_t *)vector->values)[row] = (int32_t)bits;
    else
        memcpy((char *)vector->values + row * sizeof bits, &bits, sizeof bits); /* BIGINT or DOUBLE */
    return NULL;
}

static Error *kafka_decode_records(Decoder *decoder, const RecordBytes *records, uint32_t count, Arena *arena, Vector *const columns[], RecordFailures *failures)
{
    const DecodeSpec *spec = decoder->spec;
    for (uint32_t row = 0; row < count; row++) {
        const char *reason = NULL;
        for (int c = 0; c < spec->column_count && !reason; c++) {
            if (!records[row].bytes)
                vector_store_null(arena, columns[c], row);
            else if ((reason = store(arena, columns[c], row, &records[row])) != NULL)
                record_fail(spec, arena, columns, failures, row, path_text(arena, spec->columns[c].path, spec->columns[c].path_length), reason);
        }
    }
    return NULL;
}

/* ---- writing ---- */

static Error *kafka_encoder_open(Encoder *encoder) { return kafka_check(encoder->options, encoder->schema, encoder->key); }

static void kafka_encoder_close(Encoder *encoder) { (void)encoder; }

static Error *kafka_encode_record(Encoder *encoder, const Vector *const columns[], uint32_t row, Text *out, bool *none)
{
    *none = encoder->schema->column_count == 0 || vector_is_null(columns[0], row);
    if (*none)
        return NULL;
    const Vector *vector = columns[0];
    row &= vector_mask(vector);
    if (type_physical(vector->type) == PHYSICAL_STR) {
        text_add_str(out, &((const Str *)vector->values)[row]);
        return NULL;
    }
    uint64_t bits;
    memcpy(&bits, (const char *)vector->values + row * sizeof bits, sizeof bits);
    bits = htobe64(bits);
    if (vector->type->kind == TYPE_INT)
        text_add(out, (const char *)&bits + 4, 4);
    else
        text_add(out, (const char *)&bits, 8);
    return NULL;
}

static const OptionSpec kafka_options[] = { { .name = NULL } };

const FormatType kafka_format = {
    .name = "kafka", .doc = "A message's key or value as Kafka's own serializers write it: one INT, BIGINT, DOUBLE, VARCHAR or BYTES.",
    .options = kafka_options,
    .decoder_open = kafka_decoder_open, .decoder_close = kafka_decoder_close, .decode_records = kafka_decode_records, .check_record = kafka_check,
    .encoder_open = kafka_encoder_open, .encoder_close = kafka_encoder_close, .encode_record = kafka_encode_record,
};
