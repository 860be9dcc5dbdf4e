/* formats/avro_columns.c: Avro schemas as columns, and columns as Avro schemas. */
#include "common/value_text.h"
#include "formats/avro_schema.h"

/* ---- a schema's columns ---- */

typedef struct TypeReader {
    Arena *arena;
    const AvroSchema *around[32]; /* records that the one at hand stands in */
    int depth;
    const char *reason;
} TypeReader;

static const Type *read_type(TypeReader *reader, const AvroSchema *schema);

static const Type *refuse(TypeReader *reader, const char *reason)
{
    if (!reader->reason)
        reader->reason = reason;
    return NULL;
}

static const Type *read_struct(TypeReader *reader, const AvroSchema *schema)
{
    for (int i = 0; i < reader->depth; i++)
        if (reader->around[i] == schema)
            return refuse(reader, arena_printf(reader->arena, "'%s' holds itself, which no column can: declare the columns that are wanted", schema->name));
    if (reader->depth == (int)(sizeof reader->around / sizeof *reader->around))
        return refuse(reader, "its records are nested too deeply");
    reader->around[reader->depth++] = schema;
    const Type **types = ARENA_ARRAY(reader->arena, const Type *, (size_t)schema->count + 1);
    for (int i = 0; i < schema->count; i++)
        if (!(types[i] = read_type(reader, schema->children[i])))
            return NULL;
    reader->depth--;
    return type_struct(reader->arena, schema->count, schema->names, types);
}

/* Of several types beside null: a STRUCT with a field for each, named by it, as Kafka Connect has it. */
static const Type *read_union(TypeReader *reader, const AvroSchema *schema)
{
    const AvroSchema *only = avro_not_null(schema);
    if (only)
        return read_type(reader, only);
    const char **names = ARENA_ARRAY(reader->arena, const char *, (size_t)schema->count + 1);
    const Type **types = ARENA_ARRAY(reader->arena, const Type *, (size_t)schema->count + 1);
    int count = 0;
    for (int i = 0; i < schema->count; i++) {
        if (schema->children[i]->kind == AVRO_NULL)
            continue;
        names[count] = avro_branch_name(schema->children[i]);
        if (!(types[count++] = read_type(reader, schema->children[i])))
            return NULL;
    }
    return count ? type_struct(reader->arena, count, names, types) : refuse(reader, "a union of nothing");
}

static const Type *read_type(TypeReader *reader, const AvroSchema *schema)
{
    const Type *inner;
    switch (schema->kind) {
    case AVRO_NULL: return refuse(reader, "a field that is always null has no type");
    case AVRO_BOOLEAN: return type_scalar(TYPE_BOOLEAN);
    case AVRO_INT: return type_scalar(schema->logical == AVRO_DATE ? TYPE_DATE : schema->logical == AVRO_MILLIS ? TYPE_TIME : TYPE_INT);
    case AVRO_LONG:
        if (schema->logical == AVRO_PLAIN || schema->logical == AVRO_TIME_MICROS)
            return type_scalar(schema->logical == AVRO_PLAIN ? TYPE_BIGINT : TYPE_TIME);
        return type_timestamp(reader->arena, TYPE_TIMESTAMP, schema->logical == AVRO_MICROS ? 6 : 3);
    case AVRO_FLOAT: return type_scalar(TYPE_FLOAT);
    case AVRO_DOUBLE: return type_scalar(TYPE_DOUBLE);
    case AVRO_BYTES: case AVRO_FIXED:
        if (schema->logical != AVRO_DECIMAL || schema->precision > 38 || schema->precision < 1 || schema->scale > schema->precision)
            return type_scalar(TYPE_BYTES);
        return type_decimal(reader->arena, schema->precision, schema->scale);
    case AVRO_STRING: case AVRO_ENUM: return type_scalar(TYPE_VARCHAR);
    case AVRO_ARRAY:
        inner = read_type(reader, schema->children[0]);
        return inner ? type_array(reader->arena, inner) : NULL;
    case AVRO_MAP:
        inner = read_type(reader, schema->children[0]);
        return inner ? type_map(reader->arena, type_scalar(TYPE_VARCHAR), inner) : NULL;
    case AVRO_RECORD: return read_struct(reader, schema);
    case AVRO_UNION: return read_union(reader, schema);
    }
    return NULL;
}

const Type *avro_type(Arena *arena, const AvroSchema *schema, const char **reason)
{
    TypeReader reader = { .arena = arena };
    const Type *type = read_type(&reader, schema);
    *reason = reader.reason;
    return type;
}

/* ---- columns' schema ---- */

static void add_type(Text *out, const Type *type, const char *record, Arena *arena);

static void add_nullable(Text *out, const Type *type, const char *record, Arena *arena)
{
    text_add_c(out, "[\"null\",");
    add_type(out, type, record, arena);
    text_add_char(out, ']');
}

static void add_field(Text *out, int i, const char *name, const Type *type, const char *record, Arena *arena)
{
    text_printf(out, "%s{\"name\":", i ? "," : "");
    text_add_json_string(out, name, strlen(name));
    text_add_c(out, ",\"type\":");
    add_nullable(out, type, arena_printf(arena, "%s_%s", record, name), arena);
    text_add_c(out, ",\"default\":null}");
}

static void add_type(Text *out, const Type *type, const char *record, Arena *arena)
{
    switch (type->kind) {
    case TYPE_BOOLEAN: text_add_c(out, "\"boolean\""); return;
    case TYPE_TINYINT: case TYPE_SMALLINT: case TYPE_INT: text_add_c(out, "\"int\""); return;
    case TYPE_BIGINT: text_add_c(out, "\"long\""); return;
    case TYPE_FLOAT: text_add_c(out, "\"float\""); return;
    case TYPE_DOUBLE: text_add_c(out, "\"double\""); return;
    case TYPE_BYTES: text_add_c(out, "\"bytes\""); return;
    case TYPE_DECIMAL: text_printf(out, "{\"type\":\"bytes\",\"scale\":%d,\"precision\":%d,\"logicalType\":\"decimal\"}", type->scale, type->precision); return;
    case TYPE_DATE: text_add_c(out, "{\"type\":\"int\",\"logicalType\":\"date\"}"); return;
    case TYPE_TIME: text_add_c(out, "{\"type\":\"int\",\"logicalType\":\"time-millis\"}"); return;
    case TYPE_TIMESTAMP: case TYPE_TIMESTAMP_TZ: text_printf(out, "{\"type\":\"long\",\"logicalType\":\"timestamp-%s\"}", type->precision > 3 ? "micros" : "millis"); return;
    case TYPE_ARRAY: case TYPE_MAP:
        text_add_c(out, type->kind == TYPE_ARRAY ? "{\"type\":\"array\",\"items\":" : "{\"type\":\"map\",\"values\":");
        add_nullable(out, type->children[type->kind == TYPE_MAP], record, arena);
        text_add_char(out, '}');
        return;
    case TYPE_STRUCT:
        text_printf(out, "{\"type\":\"record\",\"name\":\"%s\",\"fields\":[", record);
        for (int i = 0; i < type->child_count; i++)
            add_field(out, i, type->names[i], type->children[i], record, arena);
        text_add_c(out, "]}");
        return;
    default: text_add_c(out, "\"string\""); return;
    }
}

void avro_schema_add(Text *out, const Schema *schema, bool bare)
{
    static const char record[] = AVRO_OWN_RECORD;
    Arena arena;
    arena_init(&arena, NULL);
    MEMORY_HOLD(arena_unwind, &arena);
    if (bare) {
        add_nullable(out, schema->columns[0].type, record, &arena);
    } else {
        text_printf(out, "{\"type\":\"record\",\"name\":\"%s\",\"namespace\":\"" AVRO_OWN_NAMESPACE "\",\"fields\":[", record);
        for (int i = 0; i < schema->column_count; i++)
            add_field(out, i, schema->columns[i].name, schema->columns[i].type, record, &arena);
        text_add_c(out, "]}");
    }
    arena_release(&arena);
}
