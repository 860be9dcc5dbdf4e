/* tester/conformance_convert.c: a message in one format becomes the same message in another. */
#include "tester/conformance_convert.h"

#include <strings.h>

#include "formats/formats.h"

bool conformance_converts(const char *format) { return strcasecmp(format, "protobuf_nosr") == 0; }

/* ---- options ---- */

/* JSON as ksqlDB takes and writes it; the defaults of others. */
static Error *format_options(Arena *arena, const FormatType *format, const void **result)
{
    OptionEntry entries[] = { { .name = "timestamps", .value = "epoch_ms" }, { .name = "coerce", .value = "ksql" } };
    void *options = arena_calloc(arena, 1, format->options_size + 1);
    OptionTarget target = { format->options, options, NULL };
    *result = options;
    return options_parse(arena, entries, strcmp(format->name, "json") == 0 ? 2 : 0, &target, 1, SPAN_NONE);
}

/* ---- one message ---- */

static Error *read_message(Arena *arena, const FormatType *format, const Schema *columns, RecordBytes message, Vector *vectors[])
{
    DecodeSpec spec = { .column_count = columns->column_count, .declared_count = columns->column_count };
    DecodeColumn *wanted = ARENA_ARRAY(arena, DecodeColumn, (size_t)columns->column_count + 1);
    for (int i = 0; i < columns->column_count; i++) {
        wanted[i] = (DecodeColumn){ .path = &columns->columns[i].name, .path_length = 1, .field_index = i, .type = columns->columns[i].type };
        vectors[i] = vector_new(arena, columns->columns[i].type, 1);
    }
    spec.columns = wanted;
    TRY(format_options(arena, format, &spec.options));
    Decoder decoder = { .type = format, .spec = &spec };
    RecordFailures failures = { 0 };
    Error *error = format->decoder_open(&decoder);
    if (!error)
        error = format->decode_records(&decoder, &message, 1, arena, vectors, &failures);
    format->decoder_close(&decoder);
    return error || failures.count == 0 ? error : error_new(ERR_BIND, "%s%s%s", failures.items[0].column ? failures.items[0].column : "", failures.items[0].column ? ": " : "", failures.items[0].reason);
}

static Error *write_message(Arena *arena, const FormatType *format, const Schema *columns, Vector *const vectors[], Text *out)
{
    bool none;
    Encoder encoder = { .type = format, .schema = columns };
    TRY(format_options(arena, format, &encoder.options));
    Error *error = format->encoder_open(&encoder);
    if (!error)
        error = format->encode_record(&encoder, (const Vector *const *)vectors, 0, out, &none);
    format->encoder_close(&encoder);
    return error;
}

static Error *convert(const char *from, const char *to, const Schema *columns, const char *bytes, size_t length, Text *out)
{
    Arena arena;
    arena_init(&arena, NULL);
    MEMORY_HOLD(arena_unwind, &arena);
    Vector **vectors = ARENA_ARRAY(&arena, Vector *, (size_t)columns->column_count + 1);
    Error *error = read_message(&arena, format_find(from), columns, (RecordBytes){ bytes, length }, vectors);
    if (!error)
        error = write_message(&arena, format_find(to), columns, vectors, out);
    arena_release(&arena);
    return error;
}

Error *conformance_from_json(const char *format, const Schema *columns, const char *json, size_t length, Text *bytes) { return convert("json", format, columns, json, length, bytes); }
Error *conformance_to_json(const char *format, const Schema *columns, const char *bytes, size_t length, Text *json) { return convert(format, "json", columns, bytes, length, json); }
