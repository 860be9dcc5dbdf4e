/* formats/protobuf.c: Protocol Buffers (proto3), with a schema registry and without.
 *
 * PROTOBUF: messages begin with the number of their schema and say which of its messages they are, as Confluent's serializer writes them; fields
 * are found by their names. PROTOBUF_NOSR: the schema is what the declared columns make it: fields are numbered from 1 in the order of the
 * columns, those of a STRUCT in the order of its fields. So are those of what is written.
 *   BOOLEAN, TINYINT .. BIGINT    bool, int32, int64         ARRAY    repeated, packed where that is possible
 *   FLOAT, DOUBLE                 float, double              MAP      map<string, ..>
 *   VARCHAR, BYTES                string, bytes              STRUCT   a message
 *   DECIMAL                       confluent.type.Decimal { bytes value = 1; uint32 precision = 2; int32 scale = 3; }
 *   TIMESTAMP, DATE, TIME         google.protobuf.Timestamp, google.type.Date, google.type.TimeOfDay
 * proto3 has no NULL: a scalar that is not there is 0, false or empty, a list is empty; messages may be missing. */
#include "formats/json_internal.h"
#include "formats/protobuf_internal.h"
#include "formats/varint.h"

/* ---- reading ---- */

#define PATH_LIMIT 8

/* One message of one schema that was met. */
typedef struct KnownMessage {
    int32_t id;
    int path[PATH_LIMIT], depth;  /* which message of the file: places from the outside in */
    ProtoPlan *plan;
    const char *reason;           /* why there is none */
} KnownMessage;

typedef struct ProtobufDecoder {
    Arena arena, scratch;
    const char **names;           /* of the wanted columns */
    const Type **types;
    ProtoPlan *plan;              /* PROTOBUF_NOSR: by the columns */
    struct { KnownMessage *items; int count, capacity; } known;
    Value *items;
} ProtobufDecoder;

static Error *protobuf_decoder_open(Decoder *decoder)
{
    const DecodeSpec *spec = decoder->spec;
    ProtobufDecoder *state = mem_calloc(1, sizeof *state);
    arena_init(&state->arena, NULL);
    arena_init(&state->scratch, NULL);
    decoder->state = state;
    state->names = ARENA_ARRAY(&state->arena, const char *, (size_t)spec->column_count + 1);
    state->types = ARENA_ARRAY(&state->arena, const Type *, (size_t)spec->column_count + 1);
    state->items = ARENA_ARRAY(&state->arena, Value, (size_t)spec->column_count + 1);
    ProtoMessage *columns = ARENA_NEW(&state->arena, ProtoMessage);
    for (int c = 0; c < spec->column_count; c++) {
        state->names[c] = spec->columns[c].path[0];
        state->types[c] = spec->columns[c].type;
        ProtoField field = proto_of_column(&state->arena, state->names[c], spec->columns[c].field_index + 1, state->types[c]);
        LIST_ADD(&state->arena, &columns->fields, field);
    }
    state->plan = proto_plan_make(&state->arena, columns, spec->column_count, state->names, state->types);
    return NULL;
}

static void protobuf_decoder_close(Decoder *decoder)
{
    ProtobufDecoder *state = decoder->state;
    if (!state)
        return;
    arena_release(&state->scratch);
    arena_release(&state->arena);
    mem_free(state);
    decoder->state = NULL;
}

static void store_row(const DecodeSpec *spec, const Value items[], Arena *arena, Vector *const columns[], uint32_t row)
{
    for (int c = 0; c < spec->column_count; c++) {
        if (!items || items[c].is_null)
            vector_store_null(arena, columns[c], row);
        else if (type_is_nested(items[c].type))
            vector_set(arena, columns[c], row, &items[c]);
        else
            scalar_store(columns[c], row, &items[c]);
    }
}

/* Which message of its file it is: how many places, then each; none means the first. */
static bool read_path(RecordBytes *rest, KnownMessage *wanted)
{
    const char *p = rest->bytes, *end = p + rest->length;
    uint64_t number;
    if (!read_varint(&p, end, &number))
        return false;
    wanted->depth = (int)(number >> 1);
    if (number & 1 || number >> 1 > PATH_LIMIT)
        return false;
    for (int i = 0; i < wanted->depth; i++) {
        if (!read_varint(&p, end, &number) || number & 1 || number >> 1 > INT16_MAX)
            return false;
        wanted->path[i] = (int)(number >> 1);
    }
    if (wanted->depth == 0)
        wanted->depth = 1;
    *rest = (RecordBytes){ p, (size_t)(end - p) };
    return true;
}

static const ProtoMessage *message_at(const ProtoMessage *file, const KnownMessage *wanted)
{
    for (int i = 0; file && i < wanted->depth; i++)
        file = wanted->path[i] < file->messages.count ? file->messages.items[wanted->path[i]] : NULL;
    return file;
}

static Error *learn_message(Decoder *decoder, KnownMessage *known)
{
    ProtobufDecoder *state = decoder->state;
    const char *text, *reason = NULL;
    if (!decoder->spec->registry)
        return error_new(ERR_CONNECT, "format 'protobuf' needs a schema registry");
    TRY(decoder->spec->registry->get(decoder->spec->registry, known->id, &text));
    const ProtoMessage *message = text ? message_at(proto_parse(&state->arena, text, &reason), known) : NULL;
    if (message)
        known->plan = proto_plan_make(&state->arena, message, decoder->spec->column_count, state->names, state->types);
    else if (!text)
        known->reason = arena_printf(&state->arena, "its schema %d is not registered", known->id);
    else
        known->reason = arena_printf(&state->arena, "its schema %d %s%s", known->id, reason ? "cannot be read: " : "has no such message", reason ? reason : "");
    LIST_ADD(&state->arena, &state->known, *known);
    return NULL;
}

/* The plan for the message, whose bytes `rest` becomes. */
static Error *find_plan(Decoder *decoder, const RecordBytes *record, Arena *arena, RecordBytes *rest, const ProtoPlan **plan, const char **reason)
{
    ProtobufDecoder *state = decoder->state;
    *rest = *record;
    *plan = state->plan;
    if (decoder->type == &protobuf_nosr_format)
        return NULL;
    KnownMessage wanted = { .id = 0 };
    if ((*reason = record_schema(record, &wanted.id, rest)) != NULL)
        return NULL;
    if (!read_path(rest, &wanted)) {
        *reason = PROTO_NO_MESSAGE;
        return NULL;
    }
    const KnownMessage *known = NULL;
    for (int i = 0; i < state->known.count && !known; i++)
        if (state->known.items[i].id == wanted.id && state->known.items[i].depth == wanted.depth && memcmp(state->known.items[i].path, wanted.path, sizeof wanted.path) == 0)
            known = &state->known.items[i];
    if (!known) {
        TRY(learn_message(decoder, &wanted));
        known = &wanted;
    }
    *plan = known->plan;
    *reason = known->reason ? arena_strdup(arena, known->reason) : NULL;
    return NULL;
}

static Error *protobuf_decode_records(Decoder *decoder, const RecordBytes *records, uint32_t count, Arena *arena, Vector *const columns[], RecordFailures *failures)
{
    ProtobufDecoder *state = decoder->state;
    const DecodeSpec *spec = decoder->spec;
    ProtoReader reader = { arena, &state->scratch };
    for (uint32_t row = 0; row < count; row++) {
        const char *reason = NULL;
        const ProtoPlan *plan = NULL;
        RecordBytes rest;
        if (records[row].bytes)
            TRY(find_plan(decoder, &records[row], arena, &rest, &plan, &reason));
        if (plan && !reason)
            reason = proto_read(&reader, rest.bytes, rest.length, plan, state->items);
        if (reason)
            record_fail(spec, arena, columns, failures, row, NULL, reason);
        else
            store_row(spec, records[row].bytes ? state->items : NULL, arena, columns, row);
        if (state->scratch.blocks)
            arena_reset(&state->scratch);
    }
    return NULL;
}

/* ---- writing and columns ---- */

/* Why the type has no form here; NULL: it has one. within: of a list, whose values cannot be lists. */
static const char *refused_type(const Type *type, bool within)
{
    bool list = type->kind == TYPE_ARRAY || type->kind == TYPE_MAP;
    if (type->kind == TYPE_MAP && type->children[0]->kind != TYPE_VARCHAR)
        return "PROTOBUF format only supports MAP types with STRING keys";
    if (list && within)
        return "PROTOBUF has no lists or maps as values of lists and maps";
    if (type->kind == TYPE_INTERVAL)
        return "PROTOBUF has no form of INTERVAL";
    const char *reason = NULL;
    for (int i = 0; i < type->child_count && !reason; i++)
        reason = refused_type(type->children[i], list);
    return reason;
}

/* A name that .proto text can hold. */
static bool name_fits(const char *name)
{
    size_t length = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789");
    return length > 0 && name[length] == 0 && !(*name >= '0' && *name <= '9');
}

static Error *protobuf_check(const void *options, const Schema *schema, bool key)
{
    (void)options;
    TRY(record_check_key(schema, key));
    for (int i = 0; i < schema->column_count; i++) {
        const char *reason = refused_type(schema->columns[i].type, false);
        if (reason)
            return record_refuse("PROTOBUF_NOSR", schema, key, reason);
    }
    return NULL;
}

static bool names_fit(const Type *type)
{
    bool fit = true;
    for (int i = 0; i < type->child_count && fit; i++)
        fit = (type->kind != TYPE_STRUCT || name_fits(type->names[i])) && names_fit(type->children[i]);
    return fit;
}

/* With a registry fields have names. */
static Error *protobuf_sr_check(const void *options, const Schema *schema, bool key)
{
    TRY(protobuf_check(options, schema, key));
    for (int i = 0; i < schema->column_count; i++)
        if (!name_fits(schema->columns[i].name) || !names_fit(schema->columns[i].type))
            return record_refuse("PROTOBUF", schema, key, "Schema is not compatible with Protobuf: names have letters, digits and _");
    return NULL;
}

typedef struct ProtobufEncoder {
    bool framed;
    int32_t id;
} ProtobufEncoder;

static Error *protobuf_encoder_open(Encoder *encoder)
{
    ProtobufEncoder *state = mem_calloc(1, sizeof *state);
    encoder->state = state;
    return protobuf_check(encoder->options, encoder->schema, encoder->key);
}

static Error *put_schema(Encoder *encoder, ProtobufEncoder *state)
{
    Arena arena;
    Text text = { 0 };
    arena_init(&arena, NULL);
    MEMORY_HOLD(arena_unwind, &arena);
    MEMORY_HOLD(text_unwind, &text);
    int count = encoder->schema->column_count;
    const char **names = ARENA_ARRAY(&arena, const char *, (size_t)count + 1);
    const Type **types = ARENA_ARRAY(&arena, const Type *, (size_t)count + 1);
    for (int i = 0; i < count; i++) {
        names[i] = encoder->schema->columns[i].name;
        types[i] = encoder->schema->columns[i].type;
    }
    proto_add_file(&text, proto_of_columns(&arena, count, names, types));
    Error *error = record_put_schema(encoder, "PROTOBUF", text_c(&text), &state->id);
    text_release(&text);
    arena_release(&arena);
    return error;
}

static Error *protobuf_sr_encoder_open(Encoder *encoder)
{
    if (!encoder->registry)
        return error_new(ERR_CONNECT, "format 'protobuf' needs a schema registry");
    TRY(protobuf_encoder_open(encoder));
    ProtobufEncoder *state = encoder->state;
    state->framed = true;
    return put_schema(encoder, state);
}

static void protobuf_encoder_close(Encoder *encoder)
{
    mem_free(encoder->state);
    encoder->state = NULL;
}

static Error *protobuf_encode_record(Encoder *encoder, const Vector *const columns[], uint32_t row, Text *out, bool *none)
{
    const ProtobufEncoder *state = encoder->state;
    int count = encoder->schema->column_count;
    *none = encoder->key && count == 1 && row_is_null(count, columns, row);
    if (state->framed && !*none) {
        record_add_schema(out, state->id);
        text_add_char(out, 0); /* the file's first message */
    }
    for (int c = 0; c < count && !*none; c++)
        proto_add_field(out, c + 1, columns[c], row);
    return NULL;
}

static const OptionSpec protobuf_options[] = { { .name = NULL } };

const FormatType protobuf_nosr_format = {
    .name = "protobuf_nosr", .doc = "Protocol Buffers (proto3) messages whose fields are the columns in their order, without a schema registry.",
    .options = protobuf_options, .whole_columns = true,
    .decoder_open = protobuf_decoder_open, .decoder_close = protobuf_decoder_close, .decode_records = protobuf_decode_records, .check_record = protobuf_check,
    .encoder_open = protobuf_encoder_open, .encoder_close = protobuf_encoder_close, .encode_record = protobuf_encode_record,
};

const FormatType protobuf_format = {
    .name = "protobuf", .doc = "Protocol Buffers (proto3) behind the number of their schema in a registry.",
    .options = protobuf_options, .whole_columns = true,
    .decoder_open = protobuf_decoder_open, .decoder_close = protobuf_decoder_close, .decode_records = protobuf_decode_records, .check_record = protobuf_sr_check,
    .encoder_open = protobuf_sr_encoder_open, .encoder_close = protobuf_encoder_close, .encode_record = protobuf_encode_record,
};
