/* formats/json_sr.c: JSON behind the number of its schema in a registry, as Confluent's serializer for JSON Schema writes it.
 *
 * JSON says itself what it holds: the schema of what is read is not looked at. What is written has one made of the columns, or one that is named. */
#include "formats/json_schema.h"

/* ---- options ---- */

#define JSON_OPTION_LIMIT 16
static OptionSpec json_sr_options[REGISTRY_OPTION_COUNT + JSON_OPTION_LIMIT];
__attribute__((constructor)) static void make_options(void)
{
    int count = REGISTRY_OPTION_COUNT;
    memcpy(json_sr_options, registry_options, sizeof *json_sr_options * REGISTRY_OPTION_COUNT);
    for (const OptionSpec *spec = json_options; spec->name && count < REGISTRY_OPTION_COUNT + JSON_OPTION_LIMIT - 1; spec++) {
        json_sr_options[count] = *spec;
        json_sr_options[count++].offset += offsetof(JsonSrOptions, json);
    }
}

static const JsonOptions *json_part(const void *options) { return options ? &((const JsonSrOptions *)options)->json : NULL; }

/* ---- reading ---- */

typedef struct JsonSrDecoder {
    DecodeSpec spec;              /* with JSON's options */
    Decoder json;
} JsonSrDecoder;

static Error *json_sr_decoder_open(Decoder *decoder)
{
    JsonSrDecoder *state = mem_calloc(1, sizeof *state);
    decoder->state = state;
    state->spec = *decoder->spec;
    state->spec.options = json_part(decoder->spec->options);
    state->json = (Decoder){ .type = &json_format, .spec = &state->spec };
    return json_decoder_open(&state->json);
}

static void json_sr_decoder_close(Decoder *decoder)
{
    JsonSrDecoder *state = decoder->state;
    if (!state)
        return;
    json_decoder_close(&state->json);
    mem_free(state);
    decoder->state = NULL;
}

static Error *json_sr_decode_records(Decoder *decoder, const RecordBytes *records, uint32_t count, Arena *arena, Vector *const columns[], RecordFailures *failures)
{
    RecordBytes *inner = ARENA_ARRAY(arena, RecordBytes, (size_t)count + 1);
    const char **reasons = ARENA_ARRAY(arena, const char *, (size_t)count + 1);
    for (uint32_t i = 0; i < count; i++) {
        int32_t id;
        if (records[i].bytes)
            reasons[i] = record_schema(&records[i], &id, &inner[i]);
    }
    RecordFailures found = { 0 };
    TRY(json_decode_records(&((JsonSrDecoder *)decoder->state)->json, inner, count, arena, columns, &found));
    int next = 0;
    for (uint32_t i = 0; i < count; i++) { /* in the order of the rows */
        bool failed = next < found.count && found.items[next].row == i;
        RecordFailure failure = failed ? found.items[next] : (RecordFailure){ i, NULL, reasons[i] };
        if (failed || reasons[i])
            LIST_ADD(arena, failures, failure);
        next += failed;
    }
    return NULL;
}

/* ---- writing ---- */

typedef struct JsonSrEncoder {
    Encoder json;
    int32_t id;
} JsonSrEncoder;

static Error *find_schema(Encoder *encoder, JsonSrEncoder *state)
{
    const JsonSrOptions *options = encoder->options;
    const RegisteredSchema *registered = NULL;
    TRY(registered_named(encoder->registry, "json_sr", registered_target(options ? &options->registry : NULL), &registered));
    if (registered) {
        state->id = registered->id;
        return NULL;
    }
    Text schema = { 0 };
    MEMORY_HOLD(text_unwind, &schema);
    json_schema_add(&schema, encoder->schema, json_is_bare(json_part(options), encoder->schema->column_count, encoder->key));
    Error *error = registered_put(encoder, "JSON", options ? options->registry.full_name : NULL, text_c(&schema), &state->id);
    text_release(&schema);
    return error;
}

static Error *json_sr_encoder_open(Encoder *encoder)
{
    JsonSrEncoder *state = mem_calloc(1, sizeof *state);
    encoder->state = state;
    state->json = *encoder;
    state->json.type = &json_format;
    state->json.options = json_part(encoder->options);
    state->json.state = NULL;
    TRY(json_encoder_open(&state->json));
    return find_schema(encoder, state);
}

static void json_sr_encoder_close(Encoder *encoder)
{
    JsonSrEncoder *state = encoder->state;
    if (!state)
        return;
    if (state->json.state)
        json_encoder_close(&state->json);
    mem_free(state);
    encoder->state = NULL;
}

static Error *json_sr_encode_record(Encoder *encoder, const Vector *const columns[], uint32_t row, Text *out, bool *none)
{
    JsonSrEncoder *state = encoder->state;
    size_t start = out->length;
    record_add_schema(out, state->id);
    TRY(json_encode_record(&state->json, columns, row, out, none));
    if (*none)
        out->length = start;
    return NULL;
}

/* ---- columns ---- */

static Error *json_sr_check(const void *options, const Schema *schema, bool key) { return json_check(json_part(options), schema, key); }

static Error *json_sr_columns(Arena *arena, const void *options, const RegisteredSchema *registered, bool key, Schema *columns)
{
    const JsonOptions *json = json_part(options);
    const char *reason = NULL;
    bool bare = wrap_is_bare(json ? json->wrap : JSON_WRAP_AUTO, key);
    const Type *type = json_schema_type(arena, registered, &reason);
    if (!type)
        return error_new(ERR_BIND, "the JSON schema gives no columns: %s", reason);
    if (type->kind != TYPE_STRUCT && !bare)
        return error_hint(error_new(ERR_BIND, "the JSON schema gives no columns: it is of no object"), "wrap_single_value = false");
    columns->column_count = bare ? 1 : type->child_count;
    columns->columns = ARENA_ARRAY(arena, Column, (size_t)columns->column_count + 1);
    for (int i = 0; i < columns->column_count; i++)
        columns->columns[i] = bare ? (Column){ .type = type } : (Column){ .name = type->names[i], .type = type->children[i] };
    return NULL;
}

const FormatType json_sr_format = {
    .name = "json_sr", .doc = "JSON behind the number of its schema in a registry.",
    .options = json_sr_options, .options_size = sizeof(JsonSrOptions), .registered = true,
    .decoder_open = json_sr_decoder_open, .decoder_close = json_sr_decoder_close, .decode_records = json_sr_decode_records, .check_record = json_sr_check, .columns = json_sr_columns,
    .encoder_open = json_sr_encoder_open, .encoder_close = json_sr_encoder_close, .encode_record = json_sr_encode_record,
};
