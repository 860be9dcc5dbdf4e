/* formats/avro.c: Avro, behind the number of its schema in a registry, as Confluent's serializer writes it, or bare by a schema that is known. Container
 * files: avro_file.c.
 *
 * A message is read by the schema that its writer registered; columns take fields by their names, or as the schema resolves them that the columns
 * were made from. For each schema that is met a program is made once. */
#include "formats/avro_internal.h"
#include "formats/json_internal.h"

/* ---- options ---- */

typedef struct AvroOptions {
    RegistryOptions registry;
    int wrap;                     /* JSON_WRAP_.. */
    int framing;                  /* FRAMED, BARE */
    const char *schema;           /* of bare messages, and the reader's of framed ones; NULL: none */
} AvroOptions;

enum { FRAMED, BARE };
static const char *const wrap_choices[] = { "auto", "true", "false", NULL };
static const char *const framing_choices[] = { "confluent", "none", NULL };
static const char *const schema_names[] = { "avro_confluent.schema", "avro.schema", NULL };
static const OptionSpec own_options[] = {
    { .name = "wrap_single_value", .kind = OPTION_ENUM, .offset = offsetof(AvroOptions, wrap), .default_text = "auto", .choices = wrap_choices,
      .doc = "false: a value of one column is written and read bare, without a record around it. A message's key of one column is so unless `key_wrap_single_value` says otherwise." },
    { .name = "avro.framing", .kind = OPTION_ENUM, .offset = offsetof(AvroOptions, framing), .default_text = "confluent", .choices = framing_choices,
      .doc = "confluent: the number of a registered schema stands before each message; none: the schema is the one that 'schema' says, or that of the columns." },
    { .name = "schema", .kind = OPTION_STRING, .offset = offsetof(AvroOptions, schema), .aliases = schema_names, .doc = "A schema (JSON) to read and to write by." },
    { .name = NULL }
};
REGISTERED_OPTIONS(avro_options, own_options, 4)

static bool is_bare(const void *options, int column_count, bool key) { return column_count == 1 && wrap_is_bare(options ? ((const AvroOptions *)options)->wrap : JSON_WRAP_AUTO, key); }

/* ---- reading ---- */

static const Type *struct_of_columns(Arena *arena, const DecodeSpec *spec, int **places)
{
    const char **names = ARENA_ARRAY(arena, const char *, (size_t)spec->column_count + 1);
    const Type **children = ARENA_ARRAY(arena, const Type *, (size_t)spec->column_count + 1);
    *places = ARENA_ARRAY(arena, int, (size_t)spec->column_count + 1);
    for (int c = 0; c < spec->column_count; c++) {
        names[c] = spec->columns[c].path[0];
        children[c] = spec->columns[c].type;
        (*places)[c] = c;
    }
    return type_struct(arena, spec->column_count, names, children);
}

/* The schema that the columns were made from, or that is given. */
static Error *find_reader(Arena *arena, const AvroOptions *options, SchemaRegistry *registry, const AvroSchema **schema)
{
    const char *reason = NULL;
    const RegisteredSchema *registered = NULL;
    *schema = NULL;
    if (!options)
        return NULL;
    if (options->schema)
        *schema = avro_schema_parse(arena, options->schema, &reason);
    else
        TRY(registered_named(registry, "avro", options->registry.schema_id ? options->registry.schema_id : options->registry.reader_id, &registered));
    if (registered)
        *schema = avro_schema_read(arena, registered, &reason);
    return reason ? error_new(ERR_BIND, "the Avro schema cannot be read: %s", reason) : NULL;
}

/* What becomes of messages of the schema. */
void avro_learn(AvroDecoder *state, bool use_general, KnownSchema *known)
{
    const char *reason = NULL;
    if (state->type)
        known->plan = avro_plan_make(&state->arena, known->schema, state->reader, state->type, &reason);
    if (known->plan && !use_general && !state->bare && !known->plan->mismatch && known->schema->kind == AVRO_RECORD)
        known->program = avro_program_make(&state->arena, known->plan, state->places);
    if (reason)
        known->reason = arena_printf(&state->arena, "its schema does not become the reader's: %s", reason);
}

/* Without numbers before messages all of them are of one schema: the one that is given, or that of the declared columns. */
static Error *learn_only_schema(Decoder *decoder)
{
    AvroDecoder *state = decoder->state;
    const DecodeSpec *spec = decoder->spec;
    KnownSchema known = { .schema = state->reader };
    const char *reason = NULL;
    if (!known.schema) {
        if (!spec->declared_types && spec->column_count != spec->declared_count)
            return error_new(ERR_INTERNAL, "Avro without a schema needs the types of all columns");
        Schema schema = { spec->declared_count, ARENA_ARRAY(&state->arena, Column, (size_t)spec->declared_count + 1) };
        for (int c = 0; c < spec->declared_count; c++)
            schema.columns[c] = spec->declared_types ? (Column){ .name = spec->declared_names[c], .type = spec->declared_types[c] }
                                                     : (Column){ .name = spec->columns[c].path[0], .type = spec->columns[c].type };
        Text text = { 0 };
        MEMORY_HOLD(text_unwind, &text);
        avro_schema_add(&text, &schema, state->bare);
        known.schema = avro_schema_parse(&state->arena, arena_strdup(&state->arena, text_c(&text)), &reason);
        text_release(&text);
    }
    if (!known.schema)
        return error_new(ERR_INTERNAL, "the columns' schema cannot be read: %s", reason);
    avro_learn(state, spec->use_general, &known);
    LIST_ADD(&state->arena, &state->known, known);
    return NULL;
}

static Error *avro_decoder_open(Decoder *decoder)
{
    const DecodeSpec *spec = decoder->spec;
    const AvroOptions *options = spec->options;
    AvroDecoder *state = mem_calloc(1, sizeof *state);
    arena_init(&state->arena, NULL);
    arena_init(&state->scratch, NULL);
    decoder->state = state;
    state->bare = is_bare(options, spec->declared_count, decodes_keys(spec));
    if (spec->column_count)
        state->type = state->bare ? spec->columns[0].type : struct_of_columns(&state->arena, spec, &state->places);
    TRY(find_reader(&state->arena, options, spec->registry, &state->reader));
    return options && options->framing == BARE ? learn_only_schema(decoder) : NULL;
}

static void avro_decoder_close(Decoder *decoder)
{
    AvroDecoder *state = decoder->state;
    if (!state)
        return;
    avro_block_free(state->block);
    arena_release(&state->scratch);
    arena_release(&state->arena);
    mem_free(state);
    decoder->state = NULL;
}

/* The schema with that number, looked at when it is first met. */
static Error *find_known(Decoder *decoder, int32_t id, KnownSchema **found)
{
    AvroDecoder *state = decoder->state;
    if (state->last < state->known.count && state->known.items[state->last].id == id) {
        *found = &state->known.items[state->last];
        return NULL;
    }
    for (int i = 0; i < state->known.count; i++)
        if (state->known.items[i].id == id) {
            state->last = i;
            *found = &state->known.items[i];
            return NULL;
        }
    const RegisteredSchema *registered = NULL;
    const char *reason = NULL;
    KnownSchema known = { .id = id };
    TRY(registered_get(decoder->spec, "avro", &state->arena, id, &registered, &known.reason));
    if (registered) {
        known.schema = avro_schema_read(&state->arena, registered, &reason);
        if (known.schema)
            avro_learn(state, decoder->spec->use_general, &known);
        else
            known.reason = arena_printf(&state->arena, "its schema %d cannot be read: %s", id, reason);
    }
    LIST_ADD(&state->arena, &state->known, known);
    state->last = state->known.count - 1;
    *found = &state->known.items[state->last];
    return NULL;
}

const char *avro_read_row(const Decoder *decoder, const KnownSchema *known, AvroReader *reader, Vector *const columns[], uint32_t row)
{
    const AvroDecoder *state = decoder->state;
    Value value;
    if (known->program)
        return avro_program_run(reader, known->program, columns, row);
    if (!known->plan)
        return avro_skip(reader, known->schema) ? NULL : AVRO_BROKEN;
    const char *reason = avro_read_value(reader, known->plan, &value); /* no record, or nothing that became a program */
    for (int c = 0; c < decoder->spec->column_count && !reason; c++)
        avro_store(reader->strings, columns[c], row, state->bare ? &value : value.is_null ? NULL : &value.nested.items[c]);
    return reason;
}

static Error *read_message(Decoder *decoder, const RecordBytes *record, Arena *arena, Vector *const columns[], uint32_t row, const char **reason)
{
    AvroDecoder *state = decoder->state;
    const AvroOptions *options = decoder->spec->options;
    RecordBytes rest = *record;
    int32_t id = 0;
    KnownSchema *known = NULL;
    if (!(options && options->framing == BARE) && (*reason = record_schema(record, &id, &rest)) != NULL)
        return NULL;
    TRY(find_known(decoder, id, &known));
    if (known->reason) {
        *reason = arena_strdup(arena, known->reason);
        return NULL;
    }
    AvroReader reader = { rest.bytes, rest.bytes + rest.length, arena, &state->scratch, 0 };
    *reason = avro_read_row(decoder, known, &reader, columns, row);
    if (!*reason && reader.p != reader.end)
        *reason = AVRO_BROKEN;
    return NULL;
}

static Error *avro_decode_records(Decoder *decoder, const RecordBytes *records, uint32_t count, Arena *arena, Vector *const columns[], RecordFailures *failures)
{
    AvroDecoder *state = decoder->state;
    const DecodeSpec *spec = decoder->spec;
    for (uint32_t row = 0; row < count; row++) {
        const char *reason = NULL;
        if (records[row].bytes)
            TRY(read_message(decoder, &records[row], arena, columns, row, &reason));
        for (int c = 0; c < spec->column_count && !records[row].bytes; c++)
            vector_store_null(arena, columns[c], row);
        if (reason)
            record_fail(spec, arena, columns, failures, row, NULL, reason);
        if (state->scratch.blocks)
            arena_reset(&state->scratch);
    }
    return NULL;
}

/* ---- writing ---- */

Error *avro_own_writer(Arena *arena, const Schema *columns, bool bare, const char **kept, AvroWriter **writer)
{
    const char *reason = NULL;
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    avro_schema_add(&text, columns, bare);
    *kept = arena_strdup(arena, text_c(&text));
    text_release(&text);
    const AvroSchema *schema = avro_schema_parse(arena, *kept, &reason);
    *writer = schema ? avro_writer_make(arena, schema, columns, bare, &reason) : NULL;
    return *writer ? NULL : error_new(ERR_BIND, "the columns cannot be written as Avro: %s", reason);
}

/* Of a schema that is given or named by its number. */
static Error *given_writer(Encoder *encoder, AvroEncoder *state, const AvroOptions *options)
{
    const AvroSchema *schema = NULL;
    const char *reason = NULL;
    TRY(find_reader(&state->arena, options, encoder->registry, &schema));
    if (options->schema && state->framed)
        TRY(registered_put(encoder, "AVRO", schema->name, options->schema, &state->id));
    else
        state->id = (int32_t)registered_target(&options->registry);
    state->writer = avro_writer_make(&state->arena, schema, encoder->schema, state->bare, &reason);
    return state->writer ? NULL : error_new(ERR_BIND, "the columns cannot be written by the Avro schema: %s", reason);
}

static Error *avro_encoder_open(Encoder *encoder)
{
    const AvroOptions *options = encoder->options;
    AvroEncoder *state = mem_calloc(1, sizeof *state);
    encoder->state = state;
    arena_init(&state->arena, NULL);
    state->framed = !encoder->file && (!options || options->framing == FRAMED);
    state->bare = !encoder->file && is_bare(options, encoder->schema->column_count, encoder->key);
    if (options && (options->schema || registered_target(&options->registry))) {
        state->schema = options->schema;
        return given_writer(encoder, state, options);
    }
    TRY(avro_own_writer(&state->arena, encoder->schema, state->bare, &state->schema, &state->writer));
    return state->framed ? registered_put(encoder, "AVRO", AVRO_OWN_NAME, state->schema, &state->id) : NULL;
}

static void avro_encoder_close(Encoder *encoder)
{
    AvroEncoder *state = encoder->state;
    if (state)
        arena_release(&state->arena);
    mem_free(state);
    encoder->state = NULL;
}

static Error *avro_encode_record(Encoder *encoder, const Vector *const columns[], uint32_t row, Text *out, bool *none)
{
    const AvroEncoder *state = encoder->state;
    *none = state->bare && row_is_null(encoder->schema->column_count, columns, row);
    if (*none)
        return NULL;
    if (state->framed)
        record_add_schema(out, state->id);
    const char *reason = avro_write_row(state->writer, columns, row, out);
    return reason ? error_new(ERR_IO, "a row cannot be written by its Avro schema: %s", reason) : NULL;
}

/* ---- columns ---- */

/* The record that is meant, where the schema is a union of several, or holds it. */
static const AvroSchema *record_named(const AvroSchema *schema, const char *name, int depth)
{
    if (schema->name && (strcmp(schema->name, name) == 0 || strcmp(avro_branch_name(schema), name) == 0))
        return schema;
    const AvroSchema *found = NULL;
    for (int i = 0; i < schema->count && schema->children && depth < 16 && !found; i++)
        found = record_named(schema->children[i], name, depth + 1);
    return found;
}

static Error *no_columns(const char *reason) { return error_new(ERR_BIND, "the Avro schema gives no columns: %s", reason); }

static Error *avro_columns(Arena *arena, const void *given, const RegisteredSchema *registered, bool key, Schema *columns)
{
    const AvroOptions *options = given;
    const char *reason = NULL;
    const AvroSchema *schema = avro_schema_read(arena, registered, &reason);
    if (!schema)
        return no_columns(reason);
    if (options && options->registry.full_name && !(schema = record_named(schema, options->registry.full_name, 0)))
        return no_columns(arena_printf(arena, "it has no record '%s'", options->registry.full_name));
    const AvroSchema *only = avro_not_null(schema);
    const Type *type = avro_type(arena, only ? only : schema, &reason);
    if (!type)
        return no_columns(reason);
    const bool bare = wrap_is_bare(options ? options->wrap : JSON_WRAP_AUTO, key), fields = type->kind == TYPE_STRUCT && only && only->kind == AVRO_RECORD && !bare;
    if (!fields && !bare)
        return error_hint(no_columns("it is no record"), "wrap_single_value = false");
    columns->column_count = fields ? type->child_count : 1;
    columns->columns = ARENA_ARRAY(arena, Column, (size_t)columns->column_count + 1);
    for (int i = 0; i < columns->column_count; i++)
        columns->columns[i] = fields ? (Column){ .name = type->names[i], .type = type->children[i] } : (Column){ .type = type };
    return NULL;
}

/* Why the type has no form here; NULL: it has one. */
static const char *refused_type(const Type *type)
{
    if (type->kind == TYPE_MAP && type->children[0]->kind != TYPE_VARCHAR)
        return "Avro only supports MAPs with STRING keys";
    const char *reason = type->kind == TYPE_INTERVAL ? "Avro has no form of INTERVAL" : NULL;
    for (int i = 0; i < type->child_count && !reason; i++)
        reason = type->kind == TYPE_STRUCT && !avro_name_fits(type->names[i]) ? "Schema is not compatible with Avro: names have letters, digits and _" : refused_type(type->children[i]);
    return reason;
}

static Error *avro_check(const void *options, const Schema *schema, bool key)
{
    TRY(record_check_key(schema, key));
    if (!key && options && ((const AvroOptions *)options)->wrap != JSON_WRAP_AUTO && schema->column_count != 1)
        return error_new(ERR_BIND, "'WRAP_SINGLE_VALUE' is only valid for single-field value schemas");
    for (int i = 0; i < schema->column_count; i++) {
        const char *reason = refused_type(schema->columns[i].type);
        if (!reason && !is_bare(options, schema->column_count, key) && !avro_name_fits(schema->columns[i].name))
            reason = "Schema is not compatible with Avro: names have letters, digits and _";
        if (reason)
            return record_refuse("AVRO", schema, key, reason);
    }
    return NULL;
}

static const char *const avro_aliases[] = { "avro_confluent", NULL };

const FormatType avro_format = {
    .name = "avro", .aliases = avro_aliases, .doc = "Avro: behind the number of its schema in a registry, or by a schema that is given.",
    .options = avro_options, .options_size = sizeof(AvroOptions), .registered = true, .whole_columns = true,
    .cut = avro_cut, .split_open = avro_split_open, .infer = avro_infer, .decode = avro_decode, .encode_header = avro_encode_header, .encode = avro_encode,
    .decoder_open = avro_decoder_open, .decoder_close = avro_decoder_close, .decode_records = avro_decode_records, .check_record = avro_check, .columns = avro_columns,
    .encoder_open = avro_encoder_open, .encoder_close = avro_encoder_close, .encode_record = avro_encode_record,
};
