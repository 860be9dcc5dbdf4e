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

/* ---- options ---- */

typedef struct ProtobufOptions {
    RegistryOptions registry;
    int nulls;                    /* ProtoNulls */
    int wrap;
} ProtobufOptions;

enum { WRAP_AUTO, WRAP_TRUE, WRAP_FALSE };
static const char *const wrap_choices[] = { "auto", "true", "false", NULL };
static const char *const nulls_choices[] = { "none", "optional", "wrapper", NULL };
static const OptionSpec own_options[] = {
    { .name = "protobuf_nullable_representation", .kind = OPTION_ENUM, .offset = offsetof(ProtobufOptions, nulls), .default_text = "none", .choices = nulls_choices,
      .doc = "How a scalar that is NULL is written: as 0, false or \"\"; by `optional`, as no field; as no google.protobuf.Int64Value, StringValue and so on." },
    { .name = "wrap_single_value", .kind = OPTION_ENUM, .offset = offsetof(ProtobufOptions, wrap), .default_text = "auto", .choices = wrap_choices,
      .doc = "Values and keys are messages: a single column cannot stand bare." },
    { .name = NULL }
};
REGISTERED_OPTIONS(protobuf_options, own_options, 3)

static ProtoNulls nulls_of(const void *options) { return options ? (ProtoNulls)((const ProtobufOptions *)options)->nulls : PROTO_NULLS_NONE; }

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
        ProtoField field = proto_of_column(&state->arena, state->names[c], spec->columns[c].field_index + 1, state->types[c], nulls_of(spec->options));
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
    const char *reason = NULL;
    const RegisteredSchema *registered = NULL;
    TRY(registered_get(decoder->spec, "protobuf", &state->arena, known->id, &registered, &known->reason));
    const ProtoMessage *message = registered ? message_at(proto_file_read(&state->arena, registered, &reason), known) : NULL;
    if (message)
        known->plan = proto_plan_make(&state->arena, message, decoder->spec->column_count, state->names, state->types);
    else if (registered)
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

/* ---- which columns it holds ---- */

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

static Error *check_types(const char *format, const void *options, const Schema *schema, bool key)
{
    TRY(record_check_key(schema, key));
    if (!key && options && ((const ProtobufOptions *)options)->wrap == WRAP_FALSE)
        return error_new(ERR_BIND, "format '%s' does not support WRAP_SINGLE_VALUE = false: values are messages", format);
    for (int i = 0; i < schema->column_count; i++) {
        const char *reason = refused_type(schema->columns[i].type, false);
        if (reason)
            return record_refuse("PROTOBUF_NOSR", schema, key, reason);
    }
    return NULL;
}

static Error *protobuf_check(const void *options, const Schema *schema, bool key) { return check_types("protobuf_nosr", options, schema, key); }

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
    TRY(check_types("protobuf", options, schema, key));
    for (int i = 0; i < schema->column_count; i++)
        if (!name_fits(schema->columns[i].name) || !names_fit(schema->columns[i].type))
            return record_refuse("PROTOBUF", schema, key, "Schema is not compatible with Protobuf: names have letters, digits and _");
    return NULL;
}

/* ---- writing ---- */

typedef struct ProtobufEncoder {
    Arena arena;
    bool framed;
    int32_t id;
    int path[PATH_LIMIT], depth;  /* which message of its file */
    ProtoWriter *writer;
} ProtobufEncoder;

/* The message that is written: of a registered file, or made of the columns. */
static Error *find_message(Encoder *encoder, ProtobufEncoder *state, int count, const char *const names[], const Type *const types[], const ProtoMessage **message)
{
    const ProtobufOptions *options = encoder->options;
    const RegisteredSchema *registered = NULL;
    const char *reason = NULL, *wanted = options ? options->registry.full_name : NULL;
    state->path[0] = 0;
    state->depth = 1;
    if (state->framed && options)
        TRY(registered_named(encoder->registry, "protobuf", registered_target(&options->registry), &registered));
    if (!registered) {
        ProtoMessage *made = proto_of_columns(&state->arena, count, names, types, nulls_of(options));
        made->name = wanted && name_fits(wanted) ? wanted : NULL;
        *message = made;
        if (!state->framed)
            return NULL;
        Text text = { 0 };
        MEMORY_HOLD(text_unwind, &text);
        proto_add_file(&text, made);
        Error *error = registered_put(encoder, "PROTOBUF", made->name ? made->name : "ConnectDefault1", text_c(&text), &state->id);
        text_release(&text);
        return error;
    }
    state->id = registered->id;
    const ProtoMessage *file = proto_file_read(&state->arena, registered, &reason);
    *message = file ? proto_message_named(file, wanted, state->path, PATH_LIMIT, &state->depth) : NULL;
    if (*message)
        return NULL;
    return reason ? error_new(ERR_BIND, "the schema %d cannot be read: %s", registered->id, reason) : error_new(ERR_BIND, "the schema %d has no message '%s'", registered->id, wanted ? wanted : "");
}

static Error *open_encoder(Encoder *encoder, bool framed)
{
    ProtobufEncoder *state = mem_calloc(1, sizeof *state);
    const ProtoMessage *message = NULL;
    const char *reason = NULL;
    int count = encoder->schema->column_count;
    encoder->state = state;
    arena_init(&state->arena, NULL);
    state->framed = framed;
    TRY(check_types(encoder->type->name, encoder->options, encoder->schema, encoder->key));
    const char **names = ARENA_ARRAY(&state->arena, const char *, (size_t)count + 1);
    const Type **types = ARENA_ARRAY(&state->arena, const Type *, (size_t)count + 1);
    for (int i = 0; i < count; i++) {
        names[i] = encoder->schema->columns[i].name;
        types[i] = encoder->schema->columns[i].type;
    }
    TRY(find_message(encoder, state, count, names, types, &message));
    state->writer = proto_writer_make(&state->arena, message, count, names, types, &reason);
    return state->writer ? NULL : error_new(ERR_BIND, "the columns cannot be written by the Protocol Buffers schema: %s", reason);
}

static Error *protobuf_encoder_open(Encoder *encoder) { return open_encoder(encoder, false); }
static Error *protobuf_sr_encoder_open(Encoder *encoder) { return open_encoder(encoder, true); }

static void protobuf_encoder_close(Encoder *encoder)
{
    ProtobufEncoder *state = encoder->state;
    if (state)
        arena_release(&state->arena);
    mem_free(state);
    encoder->state = NULL;
}

/* Which message of the file: how many places, then each; the first one is a 0. */
static void add_path(Text *out, const ProtobufEncoder *state)
{
    if (state->depth == 1 && state->path[0] == 0) {
        text_add_char(out, 0);
        return;
    }
    add_varint(out, (uint64_t)state->depth << 1);
    for (int i = 0; i < state->depth; i++)
        add_varint(out, (uint64_t)state->path[i] << 1);
}

static Error *protobuf_encode_record(Encoder *encoder, const Vector *const columns[], uint32_t row, Text *out, bool *none)
{
    const ProtobufEncoder *state = encoder->state;
    int count = encoder->schema->column_count;
    *none = encoder->key && count == 1 && row_is_null(count, columns, row);
    if (*none)
        return NULL;
    if (state->framed) {
        record_add_schema(out, state->id);
        add_path(out, state);
    }
    const char *reason = proto_write_row(out, state->writer, columns, row);
    return reason ? error_new(ERR_IO, "a row cannot be written as its Protocol Buffers message: %s", reason) : NULL;
}

/* ---- a schema's columns ---- */

static Error *protobuf_columns(Arena *arena, const void *given, const RegisteredSchema *registered, bool key, Schema *columns)
{
    (void)key;
    const ProtobufOptions *options = given;
    const char *reason = NULL, *wanted = options ? options->registry.full_name : NULL;
    int path[PATH_LIMIT], depth;
    const ProtoMessage *file = proto_file_read(arena, registered, &reason);
    const ProtoMessage *message = file ? proto_message_named(file, wanted, path, PATH_LIMIT, &depth) : NULL;
    const Type *type = message ? proto_type(arena, message, &reason) : NULL;
    if (!type)
        return error_new(ERR_BIND, "the Protocol Buffers schema gives no columns: %s", reason ? reason : arena_printf(arena, "it has no message '%s'", wanted ? wanted : ""));
    columns->column_count = type->child_count;
    columns->columns = ARENA_ARRAY(arena, Column, (size_t)type->child_count + 1);
    for (int i = 0; i < type->child_count; i++)
        columns->columns[i] = (Column){ .name = type->names[i], .type = type->children[i] };
    return NULL;
}

const FormatType protobuf_nosr_format = {
    .name = "protobuf_nosr", .doc = "Protocol Buffers (proto3) messages whose fields are the columns in their order, without a schema registry.",
    .options = own_options, .options_size = sizeof(ProtobufOptions), .whole_columns = true,
    .decoder_open = protobuf_decoder_open, .decoder_close = protobuf_decoder_close, .decode_records = protobuf_decode_records, .check_record = protobuf_check,
    .encoder_open = protobuf_encoder_open, .encoder_close = protobuf_encoder_close, .encode_record = protobuf_encode_record,
};

const FormatType protobuf_format = {
    .name = "protobuf", .doc = "Protocol Buffers (proto3) behind the number of their schema in a registry.",
    .options = protobuf_options, .options_size = sizeof(ProtobufOptions), .registered = true, .whole_columns = true,
    .decoder_open = protobuf_decoder_open, .decoder_close = protobuf_decoder_close, .decode_records = protobuf_decode_records, .check_record = protobuf_sr_check, .columns = protobuf_columns,
    .encoder_open = protobuf_sr_encoder_open, .encoder_close = protobuf_encoder_close, .encode_record = protobuf_encode_record,
};
