/* formats/json_sr.c: JSON behind the number of its schema in a registry, as Confluent's serializer for JSON Schema writes it.
 *
 * JSON says itself what it holds: the schema of what is read is not looked at. What is written has one made of the columns. */
#include "common/value_text.h"
#include "formats/formats_internal.h"
#include "formats/json_internal.h"

/* ---- reading ---- */

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
    TRY(json_decode_records(decoder, inner, count, arena, columns, &found));
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

/* ---- the schema of what is written ---- */

static void add_schema(Text *out, const Type *type);

static void add_properties(Text *out, int count, const char *const names[], const Type *const types[])
{
    text_add_c(out, "{\"type\":\"object\",\"properties\":{");
    for (int i = 0; i < count; i++) {
        text_add_c(out, i ? "," : "");
        text_add_json_string(out, names[i], strlen(names[i]));
        text_add_c(out, ":{\"oneOf\":[{\"type\":\"null\"},");
        add_schema(out, types[i]);
        text_add_c(out, "]}");
    }
    text_add_c(out, "}}");
}

/* In the words of Kafka Connect, which other readers go by. */
static void add_schema(Text *out, const Type *type)
{
    switch (type->kind) {
    case TYPE_BOOLEAN: text_add_c(out, "{\"type\":\"boolean\"}"); return;
    case TYPE_TINYINT: case TYPE_SMALLINT: case TYPE_INT: text_add_c(out, "{\"type\":\"integer\",\"connect.type\":\"int32\"}"); return;
    case TYPE_BIGINT: text_add_c(out, "{\"type\":\"integer\",\"connect.type\":\"int64\"}"); return;
    case TYPE_FLOAT: case TYPE_DOUBLE: text_add_c(out, "{\"type\":\"number\",\"connect.type\":\"float64\"}"); return;
    case TYPE_DECIMAL:
        text_printf(out, "{\"type\":\"number\",\"connect.type\":\"bytes\",\"title\":\"org.apache.kafka.connect.data.Decimal\",\"connect.parameters\":{\"scale\":\"%d\",\"connect.decimal.precision\":\"%d\"}}", type->scale,
                    type->precision);
        return;
    case TYPE_DATE: text_add_c(out, "{\"type\":\"integer\",\"connect.type\":\"int32\",\"title\":\"org.apache.kafka.connect.data.Date\"}"); return;
    case TYPE_TIME: text_add_c(out, "{\"type\":\"integer\",\"connect.type\":\"int32\",\"title\":\"org.apache.kafka.connect.data.Time\"}"); return;
    case TYPE_TIMESTAMP: case TYPE_TIMESTAMP_TZ: text_add_c(out, "{\"type\":\"integer\",\"connect.type\":\"int64\",\"title\":\"org.apache.kafka.connect.data.Timestamp\"}"); return;
    case TYPE_BYTES: text_add_c(out, "{\"type\":\"string\",\"connect.type\":\"bytes\"}"); return;
    case TYPE_ARRAY:
        text_add_c(out, "{\"type\":\"array\",\"items\":{\"oneOf\":[{\"type\":\"null\"},");
        add_schema(out, type->children[0]);
        text_add_c(out, "]}}");
        return;
    case TYPE_MAP:
        text_add_c(out, "{\"type\":\"object\",\"connect.type\":\"map\",\"additionalProperties\":{\"oneOf\":[{\"type\":\"null\"},");
        add_schema(out, type->children[1]);
        text_add_c(out, "]}}");
        return;
    case TYPE_STRUCT: add_properties(out, type->child_count, type->names, type->children); return;
    default: text_add_c(out, "{\"type\":\"string\"}"); return;
    }
}

static void add_columns(Text *out, const Schema *schema, bool bare)
{
    if (bare) {
        add_schema(out, schema->columns[0].type);
        return;
    }
    Arena arena;
    arena_init(&arena, NULL);
    MEMORY_HOLD(arena_unwind, &arena);
    const char **names = ARENA_ARRAY(&arena, const char *, (size_t)schema->column_count + 1);
    const Type **types = ARENA_ARRAY(&arena, const Type *, (size_t)schema->column_count + 1);
    for (int i = 0; i < schema->column_count; i++) {
        names[i] = schema->columns[i].name;
        types[i] = schema->columns[i].type;
    }
    add_properties(out, schema->column_count, names, types);
    arena_release(&arena);
}

/* ---- writing ---- */

typedef struct JsonSrEncoder {
    void *json;   /* the state of the JSON encoder */
    int32_t id;
} JsonSrEncoder;

static Error *json_sr_encoder_open(Encoder *encoder)
{
    if (!encoder->registry)
        return error_new(ERR_CONNECT, "format 'json_sr' needs a schema registry");
    Encoder json = *encoder;
    TRY(json_encoder_open(&json));
    JsonSrEncoder *state = mem_calloc(1, sizeof *state);
    encoder->state = state;
    state->json = json.state;
    Text schema = { 0 };
    MEMORY_HOLD(text_unwind, &schema);
    add_columns(&schema, encoder->schema, json_is_bare(encoder->options, encoder->schema->column_count, encoder->key));
    Error *error = record_put_schema(encoder, "JSON", text_c(&schema), &state->id);
    text_release(&schema);
    return error;
}

static void json_sr_encoder_close(Encoder *encoder)
{
    JsonSrEncoder *state = encoder->state;
    if (!state)
        return;
    Encoder json = *encoder;
    json.state = state->json;
    json_encoder_close(&json);
    mem_free(state);
    encoder->state = NULL;
}

static Error *json_sr_encode_record(Encoder *encoder, const Vector *const columns[], uint32_t row, Text *out, bool *none)
{
    const JsonSrEncoder *state = encoder->state;
    Encoder json = *encoder;
    json.state = state->json;
    size_t start = out->length;
    record_add_schema(out, state->id);
    TRY(json_encode_record(&json, columns, row, out, none));
    if (*none)
        out->length = start;
    return NULL;
}

const FormatType json_sr_format = {
    .name = "json_sr", .doc = "JSON behind the number of its schema in a registry.",
    .options = json_options, .options_size = sizeof(JsonOptions),
    .decoder_open = json_decoder_open, .decoder_close = json_decoder_close, .decode_records = json_sr_decode_records, .check_record = json_check,
    .encoder_open = json_sr_encoder_open, .encoder_close = json_sr_encoder_close, .encode_record = json_sr_encode_record,
};
