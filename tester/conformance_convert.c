/* tester/conformance_convert.c: a message in one format becomes the same message in another. */
#include "tester/conformance_convert.h"

#include <string.h>
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
static Error *format_options(Arena *arena, const FormatType *format, bool bare, const ConvertedForm *form, const void **result)
{
    OptionEntry all[] = { { .name = "timestamps", .value = "epoch_ms" }, { .name = "coerce", .value = "ksql" }, { .name = "wrap_single_value", .value = bare && strncmp(format->name, "protobuf", 8) != 0 ? "false" : "auto" } };
    OptionEntry entries[3];
    int count = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (knows(format, all[i].name))
            entries[count++] = all[i];
    void *options = arena_calloc(arena, 1, format->options_size + 1);
    OptionTarget target = { format->options, options, NULL };
    *result = options;
    TRY(options_parse(arena, entries, count, &target, 1, SPAN_NONE));
    if (format->registered && form) {
        ((RegistryOptions *)options)->schema_id = form->schema ? form->schema->id : 0;
        ((RegistryOptions *)options)->full_name = form->name;
    }
    return NULL;
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
    TRY(format_options(arena, format, bare, NULL, &spec.options));
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
    TRY(format_options(arena, format, bare, form, &encoder.options));
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

/* ---- the schema that there is ---- */

/* The columns of a schema; false: it has none. */
static bool columns_of(Arena *arena, const FormatType *format, const RegisteredSchema *schema, const ConvertedForm *form, Schema *columns, bool *bare)
{
    ConvertedForm named = *form;
    named.schema = NULL;
    bool key = form->key;
    for (int wrap = 0; wrap < 2; wrap++) {
        const void *options;
        *bare = wrap == 1;
        Error *error = format_options(arena, format, *bare, &named, &options);
        if (!error)
            error = format->columns(arena, options, schema, key, columns);
        bool fine = !error;
        error_free(error);
        for (int i = 0; fine && i < columns->column_count; i++)
            if (!columns->columns[i].name)
                columns->columns[i].name = key ? "ROWKEY" : "ROWVAL";
        if (fine)
            return true;
    }
    return false;
}

static bool is_json(const ConvertedForm *form) { return strcasecmp(form->format, "json_sr") == 0; }

static Error *with_schema(Arena *arena, const ConvertedForm *form, const RegisteredSchema *schema, bool write, const char *bytes, size_t length, Text *out, bool *done)
{
    const FormatType *format = format_find(form->format), *json = format_find("json");
    Schema columns = { 0 };
    bool bare = false;
    ConvertedForm own = *form;
    *done = schema && format->columns && columns_of(arena, format, schema, form, &columns, &bare);
    if (!*done)
        return NULL;
    own.columns = &columns;
    own.schema = write ? schema : NULL;
    return write ? convert(json, format, &own, bare, bytes, length, out) : convert(format, json, &own, bare, bytes, length, out);
}

/* JSON stands behind its number as it is. */
static Error *add_json(const ConvertedForm *form, const char *json, size_t length, Text *bytes)
{
    RegisteredSchema any = { .type = "JSON", .text = "{}" };
    int32_t id = form->schema ? form->schema->id : 0;
    if (!form->schema)
        TRY(form->registry->put(form->registry, "any", &any, true, &id));
    text_add_char(bytes, 0);
    for (int shift = 24; shift >= 0; shift -= 8)
        text_add_char(bytes, (char)((uint32_t)id >> shift));
    text_add(bytes, json, length);
    return NULL;
}

/* The schema whose number stands before the message; NULL: it has none. */
static Error *schema_of(const ConvertedForm *form, const char *bytes, size_t length, const RegisteredSchema **schema)
{
    uint32_t id = 0;
    *schema = NULL;
    for (int i = 1; i < 5 && length >= 5; i++)
        id = id << 8 | (unsigned char)bytes[i];
    return length >= 5 && bytes[0] == 0 && strcasecmp(form->format, "protobuf_nosr") != 0 ? form->registry->get(form->registry, (int32_t)id, schema) : NULL;
}

static Error *with_arena(const ConvertedForm *form, const RegisteredSchema *schema, bool write, const char *bytes, size_t length, Text *out, bool *done)
{
    Arena arena;
    arena_init(&arena, NULL);
    MEMORY_HOLD(arena_unwind, &arena);
    Error *error = with_schema(&arena, form, schema, write, bytes, length, out, done);
    arena_release(&arena);
    return error;
}

/* A key of Protocol Buffers is a message as values are: {"K": null} is a key, too. */
static ConvertedForm as_given(const ConvertedForm *form)
{
    ConvertedForm copy = *form;
    copy.key = form->key && strncasecmp(form->format, "protobuf", 8) != 0;
    return copy;
}

Error *conformance_from_json(const ConvertedForm *given, const char *json, size_t length, Text *bytes)
{
    const ConvertedForm copy = as_given(given), *form = &copy;
    bool done = false;
    if (is_json(form))
        return add_json(form, json, length, bytes);
    TRY(with_arena(form, form->schema, true, json, length, bytes, &done));
    return done ? NULL : convert_either_way(format_find("json"), format_find(form->format), form, json, length, bytes);
}

Error *conformance_to_json(const ConvertedForm *given, const char *bytes, size_t length, Text *json)
{
    const ConvertedForm copy = as_given(given), *form = &copy;
    const RegisteredSchema *schema = NULL;
    bool done = false;
    TRY(schema_of(form, bytes, length, &schema));
    if (is_json(form)) {
        if (length < 5)
            return error_new(ERR_BIND, "it does not begin with the number of a registered schema");
        text_add(json, bytes + 5, length - 5);
        return NULL;
    }
    TRY(with_arena(form, schema, false, bytes, length, json, &done));
    return done ? NULL : convert_either_way(format_find(form->format), format_find("json"), form, bytes, length, json);
}
