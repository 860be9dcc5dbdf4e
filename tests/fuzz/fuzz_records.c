/* tests/fuzz/fuzz_records.c: keys and values of messages: together and one by one, by every decoder that there is: the same rows.
 *
 * Input: the format and its columns, options, what stands between messages, then the messages. Each lies in memory of exactly its size. Those of
 * formats with a registry get the number of their schema: that of the columns, or the first message is the text of a schema. */
#include <stdlib.h>

#include "formats/csv_internal.h"
#include "formats/formats_internal.h"
#include "formats/json_schema.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/rows.h"

#define HEADER 4
#define MESSAGES_MAX 64

static const char *const words[] = {
    "null", "true", "{}", "[]", "[1,2]", "[null, 3]", "{\"a\":1}", "{\"A\":1,\"a\":2}", "{\"s\":{\"x\":1,\"Y\":[{}]}}", "{\"m\":{\"k\":1.5,\"k\":null}}", "\"\"", "\"x\"", "\"12\"", "\"1.5\"", "\"a longer text than a view holds\"",
    "\"\\u00e9\\n\"", "\"\\ud83d\"", "\"\xC3\xA9\"", "\"\xC3\"", "12", "-0", "1e2", "2.9", "1e400", "9223372036854775808", "0.00001", "12345.678", "1526075913000", "\"2026-01-01T00:00:00.123456Z\"", "\"YWJj\"", "\"====\"",
    "\n", "\r\n", " ", "\t", ",", ",,", ":", "{", "}", "[", "]", "\"\"\"\"", "\"a\" ,", "#", "-1", "!", "\xef\xbb\xbf", "\x00\x00\x00\x05", "\x08\x01", "\x12\x03\x0a\x01k", "\x1a\x02\x08\x05", "\x0a\x03\x01\x02\x03", "\x22\x05\x0a\x01\x7f\x18\x02", "\x2a\x04\x08\x05\x10\x07", "\xff\xff\xff\xff\x0f", "\"a\":", "\"s\":", "\"m\":", "\"ts\":", "{\"type\":\"record\",\"name\":\"R\",\"fields\":[", "{\"name\":\"a\",\"type\":[\"null\",\"int\"]}", "\"string\"", "\"R\"", "message", "M", "int32 a = 1;", "repeated", "map<string, int32> s = 2;", "oneof", "enum" };

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    static const FuzzText text = { HEADER, words, sizeof words / sizeof *words };
    return fuzz_mutate_text(&text, data, size, max_size, seed);
}

/* ---- columns and options ---- */

typedef struct Choice {
    const FormatType *format;
    union { JsonOptions json; CsvOptions csv; JsonSrOptions registered; char any[sizeof(JsonSrOptions) + 64]; } options;
    DecodeSpec spec;
    Schema schema;     /* the same columns as c0, c1, .. */
    bool keys, framed, own_schema;
    SchemaRegistry *registry;
} Choice;

static const Type *column_type(Arena *arena, int number)
{
    static const char *const fields[] = { "x", "Y" };
    const Type *list = type_array(arena, type_scalar(TYPE_INT));
    const Type *const types[] = { type_scalar(TYPE_INT), list };
    switch (number % 14) {
    case 0: return type_scalar(TYPE_INT);
    case 1: return type_scalar(TYPE_VARCHAR);
    case 2: return type_scalar(TYPE_DOUBLE);
    case 3: return type_decimal(arena, 8, 3);
    case 4: return type_scalar(TYPE_TIMESTAMP);
    case 5: return type_scalar(TYPE_BYTES);
    case 6: return type_scalar(TYPE_BOOLEAN);
    case 7: return type_scalar(TYPE_BIGINT);
    case 8: return type_scalar(TYPE_DATE);
    case 9: return type_scalar(TYPE_TIME);
    case 10: return type_decimal(arena, 38, 6);
    case 11: return list;
    case 12: return type_map(arena, type_scalar(TYPE_VARCHAR), type_scalar(TYPE_DOUBLE));
    default: return type_struct(arena, 2, fields, types);
    }
}

static void choose_options(const uint8_t *data, Choice *choice)
{
    static const char delimiters[] = { ',', '|', ' ', '\t' };
    JsonOptions *json = choice->format == &json_sr_format ? &choice->options.registered.json : &choice->options.json;
    if (choice->format->registered)
        choice->options.registered.registry.auto_register = true;
    if (choice->format == &json_format || choice->format == &json_sr_format)
        *json = (JsonOptions){ .ignore_parse_errors = data[1] & 1, .fail_on_missing_field = data[1] & 2, .ignore_null_fields = data[1] & 4, .wrap = data[1] & 8 ? JSON_WRAP_FALSE : JSON_WRAP_AUTO,
                                              .coerce = data[1] & 16 ? JSON_KSQL : JSON_STRICT, .times = (data[1] >> 5) % 3 };
    else if (choice->format == &csv_format)
        choice->options.csv = (CsvOptions){ .delimiter = delimiters[data[1] & 3], .quote = '"', .disable_quotes = data[1] & 4, .escape = data[1] & 8 ? '\\' : 0, .null_text = data[1] & 16 ? "NULL" : "",
                                            .ragged = data[1] & 32 ? CSV_RAGGED_ALLOW : CSV_RAGGED_ERROR, .times = (data[1] >> 6) % 3 };
}

static void choose(Arena *arena, const uint8_t *data, Choice *choice)
{
    static const FormatType *const formats[] = { &json_format, &json_format, &csv_format, &kafka_format, &raw_format, &protobuf_nosr_format, &avro_format, &protobuf_format, &json_sr_format };
    static const char *const names[] = { "a", "s", "m", "ts", "B" };
    static const char *const inner[] = { "s", "x" };
    *choice = (Choice){ .format = formats[data[0] % 9], .keys = data[2] & 1, .own_schema = data[3] & 2, .registry = schema_registry_in_process() };
    choose_options(data, choice);
    bool json = choice->format == &json_format || choice->format == &json_sr_format, nested = choice->format != &csv_format, one = choice->format == &kafka_format || choice->format == &raw_format;
    int count = one ? 1 : 1 + (data[2] >> 1) % 5;
    DecodeColumn *columns = ARENA_ARRAY(arena, DecodeColumn, 6);
    choice->schema.columns = ARENA_ARRAY(arena, Column, 6);
    for (int c = 0; c < count; c++) {
        static const TypeKind single[] = { TYPE_VARCHAR, TYPE_BYTES, TYPE_INT, TYPE_BIGINT, TYPE_DOUBLE }; /* RAW has the first two */
        int number = data[0] / 9 + c * (1 + data[2] / 64);
        const Type *type = one ? type_scalar(single[number % (choice->format == &raw_format ? 2 : 5)]) : column_type(arena, nested ? number : number % 11);
        bool field = json && c == 2;
        columns[c] = (DecodeColumn){ .path = field ? inner : &names[c], .path_length = field ? 2 : 1, .field_index = c, .type = type, .part = choice->keys ? RECORD_KEY : RECORD_VALUE };
        choice->schema.columns[c] = (Column){ .name = arena_printf(arena, "c%d", c), .type = type };
    }
    choice->schema.column_count = count;
    choice->spec = (DecodeSpec){ .columns = columns, .column_count = count, .declared_count = count, .declared_names = names, .options = choice->format->options_size ? &choice->options : NULL, .registry = choice->registry };
    choice->framed = choice->format == &avro_format || choice->format == &protobuf_format || choice->format == &json_sr_format;
}

/* ---- reading ---- */

static Vector **make_vectors(Arena *arena, const DecodeSpec *spec, uint32_t count)
{
    Vector **vectors = ARENA_ARRAY(arena, Vector *, (size_t)spec->column_count + 1);
    for (int c = 0; c < spec->column_count; c++)
        vectors[c] = vector_new(arena, spec->columns[c].type, count);
    return vectors;
}

static void add_row(Arena *arena, Text *out, const DecodeSpec *spec, Vector *const vectors[], uint32_t row)
{
    for (int c = 0; c < spec->column_count; c++) {
        Value value = vector_get(arena, vectors[c], row);
        if (value.is_null)
            rows_check_null(vectors[c], row);
        rows_add_value(out, &value);
        text_add_c(out, " | ");
    }
    text_add_char(out, '\n');
}

/* The messages as rows or reasons; failed[i]: which. */
static Vector **read_messages(Arena *arena, Decoder *decoder, const RecordBytes *messages, uint32_t count, Text *out, bool *failed)
{
    RecordFailures failures = { 0 };
    Vector **vectors = make_vectors(arena, decoder->spec, count);
    Error *error = decoder->type->decode_records(decoder, messages, count, arena, vectors, &failures);
    if (error)
        fuzz_fail("decoding fails: %s", error->message);
    int next = 0;
    for (uint32_t row = 0; row < count; row++) {
        failed[row] = next < failures.count && failures.items[next].row == row;
        if (failed[row])
            text_printf(out, "bad %s: %s\n", failures.items[next].column ? failures.items[next].column : "-", failures.items[next].reason);
        else
            add_row(arena, out, decoder->spec, vectors, row);
        next += failed[row];
    }
    if (next != failures.count)
        fuzz_fail("failures are not in order, or twice for a row");
    return vectors;
}

static void open_decoder(const Choice *choice, const DecodeSpec *spec, Decoder *decoder)
{
    *decoder = (Decoder){ .type = choice->format, .spec = spec };
    Error *error = choice->format->decoder_open(decoder);
    if (error)
        fuzz_fail("no decoder: %s", error->message);
}

static void must_equal(const char *what, Text *one, Text *other)
{
    if (one->length != other->length || memcmp(text_c(one), text_c(other), one->length) != 0)
        fuzz_fail("%s differ\n---- %s\n---- %s", what, text_c(one), text_c(other));
}

/* ---- a message as a line ---- */

/* A JSON message on a line of a file gives the same row, or the same reason. */
static void check_line(Arena *arena, const Choice *choice, const RecordBytes *message, Text *expected)
{
    const char *p = json_space(message->bytes, message->bytes + message->length), *end = message->bytes + message->length;
    bool line = message->length && !memchr(message->bytes, '\n', message->length) && p < end && !((size_t)(end - p) >= 4 && memcmp(p, "null", 4) == 0);
    if (choice->format != &json_format || choice->options.json.ignore_parse_errors || !line)
        return;
    Decoder decoder;
    Text out = { 0 };
    open_decoder(choice, &choice->spec, &decoder);
    Buffer *buffer = buffer_new(message->length);
    memcpy((char *)(uintptr_t)buffer->bytes, message->bytes, message->length);
    memset((char *)(uintptr_t)buffer->bytes + message->length, 0, BUFFER_PADDING);
    DecodeInput input = { .bytes = buffer->bytes, .length = message->length, .position = 1, .line = 1, .buffer = buffer };
    Schema schema = choice->schema;
    Batch *batch = batch_for_schema(NULL, &schema, 4);
    Error *error = choice->format->decode(&decoder, &input, 4, batch);
    if (error)
        fuzz_fail("decoding a line fails: %s", error->message);
    if (batch->bad_row_count)
        text_printf(&out, "bad %s: %s\n", batch->bad_rows[0].column ? batch->bad_rows[0].column : "-", batch->bad_rows[0].reason);
    else
        add_row(arena, &out, &choice->spec, batch->columns, 0);
    must_equal("a message and the same as a line", expected, &out);
    batch_release(batch);
    buffer_release(buffer);
    choice->format->decoder_close(&decoder);
    text_release(&out);
}

/* ---- writing ---- */

static bool write_row(const Choice *choice, Vector *const vectors[], uint32_t row, Text *out)
{
    Encoder encoder = { .type = choice->format, .schema = &choice->schema, .options = choice->spec.options, .key = choice->keys, .registry = choice->registry };
    bool none = false;
    Error *error = choice->format->encoder_open(&encoder);
    if (!error)
        error = choice->format->encode_record(&encoder, (const Vector *const *)vectors, row, out, &none);
    if (error)
        fuzz_fail("writing fails: %s", error->message);
    choice->format->encoder_close(&encoder);
    return !none;
}

/* Reads what was written and writes it once more. False: there is no message. */
static bool write_again(Arena *arena, const Choice *choice, const Text *written, Text *again)
{
    Choice plain = *choice;
    DecodeColumn *columns = arena_copy(arena, choice->spec.columns, sizeof *columns * (size_t)choice->spec.column_count);
    for (int c = 0; c < choice->spec.column_count; c++) {
        columns[c].path = &choice->schema.columns[c].name;
        columns[c].path_length = 1;
    }
    plain.spec.columns = columns;
    if (choice->format == &json_format || choice->format == &json_sr_format)
        (choice->format == &json_sr_format ? &plain.options.registered.json : &plain.options.json)->fail_on_missing_field = false; /* fields that are NULL may be left out */
    plain.spec.options = plain.format->options_size ? &plain.options : NULL;
    Decoder decoder;
    open_decoder(&plain, &plain.spec, &decoder);
    char *exact = malloc(written->length + 1);
    memcpy(exact, written->bytes ? written->bytes : "", written->length);
    RecordBytes message = { exact, written->length };
    Text row = { 0 };
    bool failed;
    Vector **vectors = read_messages(arena, &decoder, &message, 1, &row, &failed);
    if (failed)
        fuzz_fail("what was written is not read: %s\n%.*s", text_c(&row), (int)written->length, exact);
    bool any = write_row(&plain, vectors, 0, again);
    choice->format->decoder_close(&decoder);
    free(exact);
    text_release(&row);
    return any;
}

/* The others lose nothing; DELIMITED has no empty text, and quotes that are switched off lose what needed them. */
static void check_writing(Arena *arena, const Choice *choice, Vector *const vectors[], uint32_t row)
{
    Text first = { 0 }, second = { 0 }, third = { 0 };
    bool csv = choice->format == &csv_format;
    if ((!csv || !choice->options.csv.disable_quotes) && write_row(choice, vectors, row, &first) && write_again(arena, choice, &first, &second)) {
        if (!csv)
            must_equal("a message and what is written when it was read", &first, &second);
        else if (write_again(arena, choice, &second, &third))
            must_equal("a message and what is written when it was read", &second, &third);
    }
    text_release(&first);
    text_release(&second);
    text_release(&third);
}

/* ---- schemas ---- */

/* The number of the columns' schema: what opening an encoder registers. */
static int32_t columns_schema(const Choice *choice)
{
    Schema named = choice->schema;
    Arena arena;
    arena_init(&arena, NULL);
    named.columns = arena_copy(&arena, choice->schema.columns, sizeof *named.columns * (size_t)named.column_count);
    for (int c = 0; c < named.column_count; c++)
        named.columns[c].name = choice->spec.columns[c].path[0];
    Encoder encoder = { .type = choice->format, .schema = &named, .options = choice->spec.options, .key = choice->keys, .registry = choice->registry };
    Error *error = choice->format->encoder_open(&encoder);
    if (error)
        fuzz_fail("no encoder: %s", error->message);
    choice->format->encoder_close(&encoder);
    arena_release(&arena);
    return 1; /* the first one */
}

/* Messages begin with the number of a schema. */
static void frame_messages(Arena *arena, Choice *choice, RecordBytes *messages, uint32_t count)
{
    int32_t id = columns_schema(choice);
    if (choice->own_schema && count && messages[0].bytes) {
        const char *text = arena_strndup(arena, messages[0].bytes, messages[0].length);
        Error *error = choice->registry->put(choice->registry, "fuzz", &(RegisteredSchema){ .type = "ANY", .text = text }, true, &id);
        if (error)
            fuzz_fail("no schema: %s", error->message);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!messages[i].bytes)
            continue;
        char *framed = malloc(messages[i].length + 5);
        memcpy(framed, (const char[]){ 0, 0, 0, 0, (char)id }, 5);
        memcpy(framed + 5, messages[i].bytes, messages[i].length);
        arena_defer(arena, free, framed);
        messages[i] = (RecordBytes){ framed, messages[i].length + 5 };
    }
}

/* ---- one input ---- */

/* Messages stand between line ends, or empty lines; '\x01' alone is none. */
static uint32_t split(Arena *arena, const uint8_t *data, size_t size, RecordBytes *messages)
{
    const char *p = (const char *)data + HEADER, *end = (const char *)data + size, *mark = data[3] & 1 ? "\n\n" : "\n";
    uint32_t count = 0;
    while (p <= end && count < MESSAGES_MAX) {
        const char *stop = memmem(p, (size_t)(end - p), mark, strlen(mark));
        size_t length = (size_t)((stop ? stop : end) - p);
        if (length != 1 || *p != 1) {
            char *exact = malloc(length ? length : 1);
            memcpy(exact, p, length);
            arena_defer(arena, free, exact);
            messages[count] = (RecordBytes){ exact, length };
        }
        count++;
        p = stop ? stop + strlen(mark) : end + 1;
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < HEADER)
        return 0;
    Arena arena;
    arena_init(&arena, NULL);
    Choice choice;
    choose(&arena, data, &choice);
    Error *refused = choice.format->check_record(choice.spec.options, &choice.schema, choice.keys);
    if (refused) {
        error_free(refused);
        choice.registry->free(choice.registry);
        arena_release(&arena);
        return 0;
    }
    RecordBytes messages[MESSAGES_MAX] = { { 0 } };
    uint32_t count = split(&arena, data, size, messages);
    if (choice.framed)
        frame_messages(&arena, &choice, messages, count);
    Text all = { 0 }, singly = { 0 }, general = { 0 };
    bool failed[MESSAGES_MAX], one;
    DecodeSpec general_spec = choice.spec;
    general_spec.use_general = true;
    Decoder decoder, careful;
    open_decoder(&choice, &choice.spec, &decoder);
    open_decoder(&choice, &general_spec, &careful);
    Vector **vectors = read_messages(&arena, &decoder, messages, count, &all, failed);
    for (uint32_t i = 0; i < count; i++) {
        size_t before = singly.length;
        read_messages(&arena, &decoder, &messages[i], 1, &singly, &one);
        Text expected = { .bytes = singly.bytes + before, .length = singly.length - before, .capacity = singly.length - before + 1 };
        if (messages[i].bytes)
            check_line(&arena, &choice, &messages[i], &expected);
        if (!failed[i])
            check_writing(&arena, &choice, vectors, i);
    }
    read_messages(&arena, &careful, messages, count, &general, failed);
    must_equal("messages together and one by one", &all, &singly);
    must_equal("messages read fast and with care", &all, &general);
    choice.format->decoder_close(&decoder);
    choice.format->decoder_close(&careful);
    text_release(&all);
    text_release(&singly);
    text_release(&general);
    choice.registry->free(choice.registry);
    arena_release(&arena);
    return 0;
}
