/* tester/conformance_convert.c: a message in one format becomes the same message in another. */
#include "tester/conformance_convert.h"

#include <strings.h>

#include "formats/formats.h"

bool conformance_converts(const char *format) { return strcasecmp(format, "protobuf") == 0 || strcasecmp(format, "protobuf_nosr") == 0 || strcasecmp(format, "avro") == 0 || strcasecmp(format, "json_sr") == 0; }

/* ---- options ---- */

static bool knows(const FormatType *format, const char *name)
{
    for (const OptionSpec *spec = format->options; spec->name; spec++)
        if (strcmp(spec->name, name) == 0)
            return true;
    return false;
}

/* As ksqlDB takes and writes values. bare: a single value has nothing around it. */
static Error *format_options(Arena *arena, const FormatType *format, bool bare, const void **result)
{
    const OptionEntry all[] = { { .name = "timestamps", .value = "epoch_ms" }, { .name = "coerce", .value = "ksql" }, { .name = "wrap_single_value", .value = bare ? "false" : "auto" } };
    OptionEntry entries[3];
    int count = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (knows(format, all[i].name))
            entries[count++] = all[i];
    void *options = arena_calloc(arena, 1, format->options_size + 1);
    OptionTarget target = { format->options, options, NULL };
    *result = options;
    return options_parse(arena, entries, count, &target, 1, SPAN_NONE);
}

/* ---- one message ---- */

static Error *read_message(Arena *arena, const FormatType *format, const ConvertedForm *form, bool bare, RecordBytes message, Vector *vectors[])
{
    const Schema *columns = form->columns;
    DecodeSpec spec = { .column_count = columns->column_count, .declared_count = columns->column_count, .registry = form->registry };
    DecodeColumn *wanted = ARENA_ARRAY(arena, DecodeColumn, (size_t)columns->column_count + 1);
    for (int i = 0; i < columns->column_count; i++) {
        wanted[i] = (DecodeColumn){ .path = &columns->columns[i].name, .path_length = 1, .field_index = i, .type = columns->columns[i].type, .part = form->key ? RECORD_KEY : RECORD_VALUE };
        vectors[i] = vector_new(arena, columns->columns[i].type, 1);
    }
    spec.columns = wanted;
    TRY(format_options(arena, format, bare, &spec.options));
    Decoder decoder = { .type = format, .spec = &spec };
    RecordFailures failures = { 0 };
    Error *error = format->decoder_open(&decoder);
    if (!error)
        error = format->decode_records(&decoder, &message, 1, arena, vectors, &failures);
    format->decoder_close(&decoder);
    return error || failures.count == 0 ? error : error_new(ERR_BIND, "%s%s%s", failures.items[0].column ? failures.items[0].column : "", failures.items[0].column ? ": " : "", failures.items[0].reason);
}

static Error *write_message(Arena *arena, const FormatType *format, const ConvertedForm *form, bool bare, Vector *const vectors[], Text *out)
{
    bool none;
    Encoder encoder = { .type = format, .schema = form->columns, .key = form->key, .registry = form->registry };
    TRY(format_options(arena, format, bare, &encoder.options));
    Error *error = format->encoder_open(&encoder);
    if (!error)
        error = format->encode_record(&encoder, (const Vector *const *)vectors, 0, out, &none);
    format->encoder_close(&encoder);
    return error;
}

static Error *convert(const FormatType *from, const FormatType *to, const ConvertedForm *form, bool bare, const char *bytes, size_t length, Text *out)
{
    Arena arena;
    arena_init(&arena, NULL);
    MEMORY_HOLD(arena_unwind, &arena);
    Vector **vectors = ARENA_ARRAY(&arena, Vector *, (size_t)form->columns->column_count + 1);
    Error *error = read_message(&arena, from, form, bare, (RecordBytes){ bytes, length }, vectors);
    if (!error)
        error = write_message(&arena, to, form, bare, vectors, out);
    arena_release(&arena);
    return error;
}

/* Whether a single value stands bare is not said: what does not fit one way may fit the other. */
static Error *convert_either_way(const FormatType *from, const FormatType *to, const ConvertedForm *form, const char *bytes, size_t length, Text *out)
{
    Error *error = convert(from, to, form, false, bytes, length, out), *second = NULL;
    if (!error || form->columns->column_count != 1 || form->key)
        return error;
    second = convert(from, to, form, true, bytes, length, out);
    error_free(second ? second : error);
    return second ? error : NULL;
}

Error *conformance_from_json(const ConvertedForm *form, const char *json, size_t length, Text *bytes) { return convert_either_way(format_find("json"), format_find(form->format), form, json, length, bytes); }
Error *conformance_to_json(const ConvertedForm *form, const char *bytes, size_t length, Text *json) { return convert_either_way(format_find(form->format), format_find("json"), form, bytes, length, json); }
