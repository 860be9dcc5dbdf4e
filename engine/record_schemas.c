/* engine/record_schemas.c: see record_schemas.h. Every schema is fetched and compiled once. */
#include "engine/record_schemas.h"

#include <string.h>

#include "common/batch.h"
#include "common/value_text.h"
#include "formats/formats.h"

typedef struct KnownSchema {
    int32_t id;
    bool key, usable;          /* usable: its records can be decoded */
    const char *type;          /* of the registry; "" none */
    Schema columns;
    DecodeSpec spec;
    Decoder decoder;
} KnownSchema;

struct RecordSchemas {
    SchemaRegistry *registry;
    Arena arena, row;          /* row: of the record at hand */
    struct { KnownSchema **items; int count, capacity; } known;
};

RecordSchemas *record_schemas_new(SchemaRegistry *registry)
{
    RecordSchemas *schemas = mem_calloc(1, sizeof *schemas);
    schemas->registry = registry;
    arena_init(&schemas->arena, NULL);
    arena_init(&schemas->row, NULL);
    return schemas;
}

void record_schemas_free(RecordSchemas *schemas)
{
    for (int i = 0; schemas && i < schemas->known.count; i++)
        if (schemas->known.items[i]->decoder.type)
            schemas->known.items[i]->decoder.type->decoder_close(&schemas->known.items[i]->decoder);
    if (schemas) {
        arena_release(&schemas->arena);
        arena_release(&schemas->row);
    }
    mem_free(schemas);
}

/* ---- one schema ---- */

static const FormatType *format_of(const char *type)
{
    return format_find(strcmp(type, "AVRO") == 0 ? "avro" : strcmp(type, "PROTOBUF") == 0 ? "protobuf" : "json_sr");
}

/* All columns of the schema are wanted. */
static Error *open_decoder(RecordSchemas *schemas, const RegisteredSchema *schema, KnownSchema *known)
{
    Arena *arena = &schemas->arena;
    const FormatType *format = format_of(schema->type);
    void *options = arena_calloc(arena, 1, format->options_size + 1);
    options_defaults(arena, &(OptionTarget){ format->options, options, NULL });
    TRY(format->columns(arena, options, schema, known->key, &known->columns));
    const int count = known->columns.column_count;
    DecodeColumn *wanted = ARENA_ARRAY(arena, DecodeColumn, (size_t)count + 1);
    const char **names = ARENA_ARRAY(arena, const char *, (size_t)count + 1);
    for (int c = 0; c < count; c++) {
        names[c] = known->columns.columns[c].name ? known->columns.columns[c].name : "";
        wanted[c] = (DecodeColumn){ .path = &names[c], .path_length = 1, .field_index = c, .type = known->columns.columns[c].type, .part = known->key ? RECORD_KEY : RECORD_VALUE };
    }
    known->spec = (DecodeSpec){ .columns = wanted, .column_count = count, .declared_count = count, .declared_names = names, .options = options, .registry = schemas->registry };
    known->decoder = (Decoder){ .type = format, .spec = &known->spec };
    return format->decoder_open(&known->decoder);
}

static KnownSchema *learn(RecordSchemas *schemas, int32_t id, bool key)
{
    KnownSchema *known = ARENA_NEW(&schemas->arena, KnownSchema);
    const RegisteredSchema *schema = NULL;
    *known = (KnownSchema){ .id = id, .key = key, .type = "" };
    LIST_ADD(&schemas->arena, &schemas->known, known);
    Error *error = schemas->registry->get(schemas->registry, id, &schema);
    if (!error && schema) {
        known->type = arena_strdup(&schemas->arena, schema->type);
        error = open_decoder(schemas, schema, known);
        known->usable = !error;
    }
    error_free(error); /* then it is none of these formats, as far as we can tell */
    return known;
}

static KnownSchema *find(RecordSchemas *schemas, int32_t id, bool key)
{
    for (int i = 0; i < schemas->known.count; i++)
        if (schemas->known.items[i]->id == id && schemas->known.items[i]->key == key)
            return schemas->known.items[i];
    return learn(schemas, id, key);
}

/* ---- one record ---- */

static void add_row(const KnownSchema *known, Vector *const columns[], Text *out)
{
    const int count = known->columns.column_count;
    const bool bare = count == 1 && (!known->columns.columns[0].name || !*known->columns.columns[0].name);
    if (bare) {
        text_add_value_json(out, columns[0], 0);
        return;
    }
    text_add_char(out, '{');
    for (int c = 0; c < count; c++) {
        const char *name = known->columns.columns[c].name;
        text_add_c(out, c ? "," : "");
        text_add_json_string(out, name, strlen(name));
        text_add_char(out, ':');
        text_add_value_json(out, columns[c], 0);
    }
    text_add_char(out, '}');
}

static bool add_record(RecordSchemas *schemas, KnownSchema *known, const char *bytes, size_t length, Text *out)
{
    Arena *arena = &schemas->row;
    const RecordBytes record = { bytes, length };
    RecordFailures failures = { 0 };
    Vector **columns = ARENA_ARRAY(arena, Vector *, (size_t)known->columns.column_count + 1);
    for (int c = 0; c < known->columns.column_count; c++)
        columns[c] = vector_new(arena, known->columns.columns[c].type, 1);
    Error *error = known->decoder.type->decode_records(&known->decoder, &record, 1, arena, columns, &failures);
    const bool decoded = !error && failures.count == 0;
    error_free(error);
    if (decoded)
        add_row(known, columns, out);
    return decoded;
}

bool record_schemas_add(RecordSchemas *schemas, const char *type, bool key, const char *bytes, size_t length, Text *out)
{
    if (!schemas->registry || length < 5 || bytes[0] != 0)
        return false;
    uint32_t id = 0;
    for (int i = 1; i < 5; i++)
        id = id << 8 | (unsigned char)bytes[i];
    KnownSchema *known = find(schemas, (int32_t)id, key);
    if (!known->usable || strcmp(known->type, type) != 0)
        return false;
    const bool added = add_record(schemas, known, bytes, length, out);
    arena_release(&schemas->row);
    arena_init(&schemas->row, NULL);
    return added;
}
