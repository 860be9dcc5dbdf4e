/* tests/fuzz/fuzz_schemas.c: schemas of a registry and messages by them: a reader's schema gives the columns, a writer's says how the bytes lie.
 *
 * Input: the format, flags, then lines: the reader's schema, the writer's, messages. Avro's program for a schema and the way by values must give the same
 * rows and reasons; what the reader's schema can write is read back. With the third format messages are changes of Debezium, with the last all is a container file. */
#include <stdlib.h>
#include <string.h>

#include "formats/formats_internal.h"
#include "formats/json_schema.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/rows.h"

#define HEADER 4
#define MESSAGES_MAX 32

static const char *const words[] = {
    "{\"type\":\"record\",\"name\":\"R\",\"fields\":[", "{\"name\":\"a\",\"type\":\"int\"}", "{\"name\":\"a\",\"type\":[\"null\",\"long\"],\"default\":null}", "\"default\":", "\"aliases\":[\"a\"]", "\"int\"", "\"long\"", "\"float\"", "\"double\"", "\"string\"", "\"bytes\"",
    "\"boolean\"", "\"null\"", "[\"null\",\"string\"]", "[\"int\",\"string\"]", "{\"type\":\"array\",\"items\":\"int\"}", "{\"type\":\"map\",\"values\":\"string\"}", "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"B\"]}", "{\"type\":\"fixed\",\"name\":\"F\",\"size\":2}",
    "{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":5,\"scale\":2}", "{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}", "{\"type\":\"int\",\"logicalType\":\"date\"}", "\"R\"", "{}", "[]", "0", "1", "\"x\"", "\"\\u00ff\"",
    "message", "enum", "oneof", "repeated", "optional", "map<string, int32>", "int32", "sint64", "fixed32", "string", "bytes", "double", "google.protobuf.Timestamp", "google.protobuf.StringValue", "confluent.type.Decimal", "{", "}", ";", "=", "M", "a", "package p;",
    "\"properties\"", "\"type\":\"object\"", "\"oneOf\"", "\"$ref\":\"#/definitions/D\"", "\"definitions\"", "\"connect.type\":\"int32\"",
    "\"before\":", "\"after\":", "\"op\":", "\"c\"", "\"u\"", "\"d\"", "\"payload\":", "null", "\x00", "\x02", "\x08\x01", "\x12\x01x", "\x04", "\xff\xff\xff\xff\x0f" };

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    static const FuzzText text = { HEADER, words, sizeof words / sizeof *words };
    return fuzz_mutate_text(&text, data, size, max_size, seed);
}

/* ---- an input ---- */

typedef struct Input {
    Arena arena;
    const FormatType *format;
    SchemaRegistry *registry;
    const char *reader, *writer;
    RecordBytes messages[MESSAGES_MAX];
    uint32_t count;
    bool key;
} Input;

static RecordBytes exact_copy(Arena *arena, const char *before, size_t skipped, const char *bytes, size_t length)
{
    char *copy = malloc(skipped + length + (skipped + length == 0));
    memcpy(copy, before, skipped);
    memcpy(copy + skipped, bytes, length);
    arena_defer(arena, free, copy);
    return (RecordBytes){ copy, skipped + length };
}

static void split(Input *input, const uint8_t *data, size_t size, const char *frame, size_t frame_length)
{
    const char *p = (const char *)data + HEADER, *end = (const char *)data + size;
    input->reader = input->writer = "";
    for (int line = 0; p <= end && input->count < MESSAGES_MAX; line++) {
        const char *newline = p < end ? memchr(p, '\n', (size_t)(end - p)) : NULL, *stop = newline ? newline : end;
        if (line == 0)
            input->reader = arena_strndup(&input->arena, p, (size_t)(stop - p));
        else if (line == 1)
            input->writer = arena_strndup(&input->arena, p, (size_t)(stop - p));
        else
            input->messages[input->count++] = exact_copy(&input->arena, frame, frame_length, p, (size_t)(stop - p));
        p = stop + 1;
    }
}

static int32_t put(Input *input, const char *subject, const char *text)
{
    int32_t id = 0;
    Error *error = input->registry->put(input->registry, subject, &(RegisteredSchema){ .type = "ANY", .text = text }, true, &id);
    if (error)
        fuzz_fail("no schema: %s", error->message);
    return id;
}

static void *options_of(Arena *arena, const FormatType *format)
{
    void *options = arena_calloc(arena, 1, format->options_size + 1);
    OptionTarget target = { format->options, options, NULL };
    options_defaults(arena, &target);
    return options;
}

/* ---- reading ---- */

static DecodeSpec *spec_of(Input *input, const Schema *schema, int64_t reader)
{
    DecodeSpec *spec = ARENA_NEW(&input->arena, DecodeSpec);
    DecodeColumn *columns = ARENA_ARRAY(&input->arena, DecodeColumn, (size_t)schema->column_count + 1);
    RegistryOptions *options = options_of(&input->arena, input->format);
    for (int i = 0; i < schema->column_count; i++)
        columns[i] = (DecodeColumn){ .path = &schema->columns[i].name, .path_length = 1, .field_index = i, .type = schema->columns[i].type, .part = input->key ? RECORD_KEY : RECORD_VALUE };
    if (input->format->registered)
        options->reader_id = reader;
    *spec = (DecodeSpec){ .columns = columns, .column_count = schema->column_count, .declared_count = schema->column_count, .options = options, .registry = input->registry };
    return spec;
}

/* Rows or reasons as text; rows[i]: the part of row i is no reason. */
static Vector **read_all(Input *input, const DecodeSpec *spec, const RecordBytes *messages, uint32_t count, Text *out, bool *rows)
{
    Decoder decoder = { .type = input->format, .spec = spec };
    RecordFailures failures = { 0 };
    Vector **vectors = ARENA_ARRAY(&input->arena, Vector *, (size_t)spec->column_count + 1);
    for (int c = 0; c < spec->column_count; c++)
        vectors[c] = vector_new(&input->arena, spec->columns[c].type, count ? count : 1);
    Error *error = input->format->decoder_open(&decoder);
    if (!error)
        error = input->format->decode_records(&decoder, messages, count, &input->arena, vectors, &failures);
    if (error) { /* the reader's schema is no schema */
        text_printf(out, "no reader: %s\n", error->message);
        error_free(error);
        count = 0;
    }
    int next = 0;
    for (uint32_t row = 0; row < count; row++) {
        bool failed = next < failures.count && failures.items[next].row == row;
        rows[row] = !failed;
        if (failed)
            text_printf(out, "bad: %s\n", failures.items[next].reason);
        for (int c = 0; c < spec->column_count && !failed; c++) {
            Value value = vector_get(&input->arena, vectors[c], row);
            if (value.is_null)
                rows_check_null(vectors[c], row);
            rows_add_value(out, &value);
            text_add_c(out, c + 1 < spec->column_count ? " | " : "\n");
        }
        next += failed;
    }
    if (!error && next != failures.count)
        fuzz_fail("failures are not in order, or twice for a row");
    input->format->decoder_close(&decoder);
    return vectors;
}

static void must_equal(const char *what, const Text *a, const Text *b)
{
    if (a->length != b->length || (a->length && memcmp(a->bytes, b->bytes, a->length) != 0))
        fuzz_fail("%s differ:\n%.*s\n%.*s", what, (int)a->length, a->bytes, (int)b->length, b->bytes);
}

/* ---- writing ---- */

/* A row that was read, written by the reader's schema and read again. */
static void check_writing(Input *input, const Schema *schema, const DecodeSpec *spec, Vector *const vectors[], uint32_t row, int64_t reader)
{
    RegistryOptions *options = options_of(&input->arena, input->format);
    options->schema_id = reader;
    Encoder encoder = { .type = input->format, .schema = schema, .options = options, .key = input->key, .registry = input->registry, .topic = "t" };
    Text out = { 0 }, before = { 0 }, after = { 0 };
    bool none = false, fine[1];
    Error *error = input->format->encoder_open(&encoder);
    if (!error)
        error = input->format->encode_record(&encoder, (const Vector *const *)vectors, row, &out, &none);
    if (!error && !none) {
        for (int c = 0; c < schema->column_count; c++) {
            Value value = vector_get(&input->arena, vectors[c], row);
            rows_add_value(&before, &value);
            text_add_c(&before, c + 1 < schema->column_count ? " | " : "\n");
        }
        RecordBytes again = exact_copy(&input->arena, "", 0, text_c(&out), out.length);
        read_all(input, spec, &again, 1, &after, fine);
        must_equal("a row and what was written of it", &before, &after);
    }
    error_free(error);
    input->format->encoder_close(&encoder);
    text_release(&out);
    text_release(&before);
    text_release(&after);
}

static void check_registered(Input *input, const uint8_t *data, size_t size)
{
    Schema schema = { 0 };
    int32_t reader, writer;
    const RegisteredSchema *registered = NULL;
    split(input, data, size, "", 0);
    reader = put(input, "reader", input->reader);
    writer = put(input, "writer", input->writer);
    input->count = 0;
    split(input, data, size, (const char[]){ 0, 0, 0, 0, (char)writer, 0 }, input->format == &protobuf_format ? 6 : 5);
    Error *error = input->registry->get(input->registry, reader, &registered);
    if (!error)
        error = input->format->columns(&input->arena, options_of(&input->arena, input->format), registered, input->key, &schema);
    for (int i = 0; !error && i < schema.column_count; i++)
        if (!schema.columns[i].name)
            schema.columns[i].name = "v";
    if (!error)
        error = input->format->check_record(NULL, &schema, input->key);
    if (error || schema.column_count == 0) {
        error_free(error);
        return;
    }
    const DecodeSpec *spec = spec_of(input, &schema, reader);
    DecodeSpec general = *spec;
    Text fast = { 0 }, careful = { 0 };
    bool rows[MESSAGES_MAX] = { false }, ignored[MESSAGES_MAX];
    general.use_general = true;
    Vector **vectors = read_all(input, spec, input->messages, input->count, &fast, rows);
    read_all(input, &general, input->messages, input->count, &careful, ignored);
    must_equal("the program's rows and those by values", &fast, &careful);
    bool lossless = input->format != &protobuf_format || reader == writer; /* a field that the writer does not have is NULL, which proto3 cannot write */
    for (uint32_t row = 0; row < input->count; row++)
        if (rows[row] && lossless)
            check_writing(input, &schema, spec, vectors, row, reader);
    text_release(&fast);
    text_release(&careful);
}

/* ---- changes ---- */

static void check_inside(const RecordBytes *message, const RecordBytes *row)
{
    if (row->bytes && (row->bytes < message->bytes || row->bytes + row->length > message->bytes + message->length))
        fuzz_fail("a row that is no part of its message");
}

static void check_changes(Input *input, const uint8_t *data, size_t size)
{
    static const char *const names[] = { "id", "name" };
    Schema schema = { 2, (Column[]){ { .name = names[0], .type = type_scalar(TYPE_BIGINT) }, { .name = names[1], .type = type_scalar(TYPE_VARCHAR) } } };
    Text out = { 0 };
    split(input, data, size, "", 0);
    const DecodeSpec *spec = spec_of(input, &schema, 0);
    for (uint32_t i = 0; i < input->count; i++) {
        RecordChange change;
        bool fine[2];
        if (debezium_format.change(spec->options, &input->messages[i], &change))
            continue;
        check_inside(&input->messages[i], &change.before);
        check_inside(&input->messages[i], &change.after);
        RecordBytes rows[2] = { change.before, change.after };
        for (int r = 0; r < 2; r++)
            if (rows[r].bytes)
                rows[r] = exact_copy(&input->arena, "", 0, rows[r].bytes, rows[r].length);
        read_all(input, spec, rows, 2, &out, fine);
    }
    text_release(&out);
}

/* ---- container files ---- */

static void file_rows(const DecodeSpec *spec, const char *bytes, size_t length, const FormatSplit *head, uint32_t max_rows, Text *out)
{
    Decoder decoder = { .type = &avro_format, .spec = spec };
    Schema schema = { spec->column_count, (Column[]){ { .name = "a", .type = type_scalar(TYPE_BIGINT) }, { .name = "s", .type = type_scalar(TYPE_VARCHAR) } } };
    DecodeInput input = { .bytes = bytes, .length = length, .split = head };
    Error *error = avro_format.decoder_open(&decoder);
    while (!error && input.at < input.length) {
        Batch *batch = batch_for_schema(NULL, &schema, max_rows);
        batch->row_count = 0;
        size_t before = input.at;
        error = avro_format.decode(&decoder, &input, max_rows, batch);
        for (uint32_t row = 0; !error && row < batch->row_count; row++)
            for (int c = 0; c < schema.column_count; c++) {
                Value value = vector_get(&batch->arena, batch->columns[c], row);
                rows_add_value(out, &value);
                text_add_c(out, c + 1 < schema.column_count ? " | " : "\n");
            }
        if (!error && input.at == before && batch->row_count == 0 && batch->bad_row_count == 0)
            fuzz_fail("decoding stands still");
        batch_release(batch);
    }
    text_printf(out, "%s\n", error ? error->message : "end");
    error_free(error);
    avro_format.decoder_close(&decoder);
}

/* In whatever batches: the same rows. */
static void check_file(Input *input, const uint8_t *data, size_t size)
{
    Schema schema = { 2, (Column[]){ { .name = "a", .type = type_scalar(TYPE_BIGINT) }, { .name = "s", .type = type_scalar(TYPE_VARCHAR) } } };
    const DecodeSpec *spec = spec_of(input, &schema, 0);
    RecordBytes bytes = exact_copy(&input->arena, "", 0, (const char *)data + HEADER, size - HEADER);
    FormatSplit *head = NULL;
    size_t skip = 0, whole = avro_format.cut(spec->options, bytes.bytes, bytes.length, false);
    if (whole > bytes.length)
        fuzz_fail("a piece longer than the bytes");
    Error *error = avro_format.split_open(&input->arena, spec, bytes.bytes, bytes.length, &head, &skip);
    Text large = { 0 }, small = { 0 };
    if (!error && head) {
        RecordBytes blocks = exact_copy(&input->arena, "", 0, bytes.bytes + skip, bytes.length - skip);
        file_rows(spec, blocks.bytes, blocks.length, head, 1000, &large);
        file_rows(spec, blocks.bytes, blocks.length, head, 1, &small);
        must_equal("large batches and small ones", &large, &small);
    }
    error_free(error);
    text_release(&large);
    text_release(&small);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const FormatType *const formats[] = { &avro_format, &protobuf_format, &debezium_format, &json_sr_format, &avro_format };
    if (size < HEADER)
        return 0;
    Input input = { .format = formats[data[0] % 5], .registry = schema_registry_in_process(), .key = data[1] & 1 };
    arena_init(&input.arena, NULL);
    if (data[0] % 5 == 4)
        check_file(&input, data, size);
    else if (input.format->registered)
        check_registered(&input, data, size);
    else
        check_changes(&input, data, size);
    input.registry->free(input.registry);
    arena_release(&input.arena);
    return 0;
}
