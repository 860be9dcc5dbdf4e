/* formats/avro_write.c: values become the bytes of Avro, by a schema: that of the columns, or one that is registered. */
#include "common/calendar.h"
#include "common/decimal.h"
#include "formats/avro_internal.h"
#include "formats/json_internal.h"
#include <stdlib.h>

/* How values of a type are written by a schema. */
struct AvroWriter {
    const AvroSchema *schema;     /* of unions: the branch that is written where the value is not NULL */
    const Type *type;
    int branch, null_branch;      /* of unions; -1: none */
    const struct AvroWriter **children; /* fields (NULL: standard), items, values */
    int *sources;                 /* of fields: the field of the type; of the whole: the column */
    RecordBytes *standards;       /* of fields: their default; bytes NULL: none */
};

typedef struct Making {
    Arena *arena;
    const char *reason;
} Making;

static AvroWriter *make_writer(Making *making, const AvroSchema *schema, const Type *type, const char *name);

/* ---- can it be written? ---- */

/* Values of the type as ones of the simple schema. */
static bool takes(const AvroSchema *schema, const Type *type)
{
    switch (schema->kind) {
    case AVRO_BOOLEAN: return type->kind == TYPE_BOOLEAN;
    case AVRO_INT: return type_is_integer(type) || type->kind == TYPE_DATE || type->kind == TYPE_TIME;
    case AVRO_LONG: return type_is_integer(type) || type->kind == TYPE_TIME || type_is_timestamp(type);
    case AVRO_FLOAT: case AVRO_DOUBLE: return type_is_integer(type) || type->kind == TYPE_FLOAT || type->kind == TYPE_DOUBLE;
    case AVRO_BYTES: case AVRO_FIXED: return schema->logical == AVRO_DECIMAL ? type->kind == TYPE_DECIMAL : type->kind == TYPE_BYTES;
    case AVRO_STRING: case AVRO_ENUM: return type->kind == TYPE_VARCHAR;
    case AVRO_ARRAY: return type->kind == TYPE_ARRAY;
    case AVRO_MAP: return type->kind == TYPE_MAP && type->children[0]->kind == TYPE_VARCHAR;
    case AVRO_RECORD: return type->kind == TYPE_STRUCT;
    default: return false;
    }
}

/* The branch for the type; of several the one that holds all its values: a long for a BIGINT, not a double. */
static int find_branch(const AvroSchema *schema, const Type *type)
{
    int found = -1;
    for (int i = 0; i < schema->count; i++) {
        AvroKind kind = schema->children[i]->kind;
        bool exact = type->kind == TYPE_BIGINT ? kind == AVRO_LONG : type->kind == TYPE_DOUBLE ? kind == AVRO_DOUBLE : true;
        if (takes(schema->children[i], type) && (found < 0 || exact))
            found = i;
        if (found == i && exact)
            break;
    }
    return found;
}

static void refuse(Making *making, const char *reason)
{
    if (!making->reason)
        making->reason = reason;
}

/* A field that no column fills: its default, or null. */
static bool standard_of(Making *making, const AvroSchema *record, int field, RecordBytes *bytes)
{
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    const JsonToken null = { "null", 4, JSON_NULL }, *token = record->fields[field].has_default ? &record->fields[field].standard : &null;
    bool fine = avro_write_default(making->arena, record->children[field], token, &text);
    if (fine)
        *bytes = (RecordBytes){ arena_copy(making->arena, text_c(&text), text.length + 1), text.length };
    text_release(&text);
    return fine;
}

static void make_fields(Making *making, const AvroSchema *schema, int count, const char *const names[], const Type *const types[], AvroWriter *writer)
{
    writer->children = ARENA_ARRAY(making->arena, const AvroWriter *, (size_t)schema->count + 1);
    writer->sources = ARENA_ARRAY(making->arena, int, (size_t)schema->count + 1);
    writer->standards = ARENA_ARRAY(making->arena, RecordBytes, (size_t)schema->count + 1);
    for (int i = 0; i < schema->count; i++) {
        int source = -1;
        for (int c = 0; c < count && source < 0; c++)
            source = strcmp(names[c], schema->names[i]) == 0 ? c : -1;
        for (int c = 0; c < count && source < 0; c++)
            source = name_equal(names[c], schema->names[i]) ? c : -1;
        writer->sources[i] = source;
        bool standard = (source < 0 || schema->fields[i].has_default) && standard_of(making, schema, i, &writer->standards[i]);
        if (source >= 0)
            writer->children[i] = make_writer(making, schema->children[i], types[source], schema->names[i]);
        else if (!standard)
            refuse(making, arena_printf(making->arena, "its field '%s' has no default, and there is no such column", schema->names[i]));
    }
    for (int c = 0; c < count; c++) {
        bool used = false;
        for (int i = 0; i < schema->count; i++)
            used |= writer->sources[i] == c;
        if (!used)
            refuse(making, arena_printf(making->arena, "it has no field '%s'", names[c]));
    }
}

static AvroWriter *make_writer(Making *making, const AvroSchema *schema, const Type *type, const char *name)
{
    AvroWriter *writer = ARENA_NEW(making->arena, AvroWriter);
    *writer = (AvroWriter){ .schema = schema, .type = type, .branch = -1, .null_branch = -1 };
    if (schema->kind == AVRO_UNION) {
        writer->branch = find_branch(schema, type);
        for (int i = 0; i < schema->count; i++)
            if (schema->children[i]->kind == AVRO_NULL)
                writer->null_branch = i;
        writer->schema = writer->branch >= 0 ? schema->children[writer->branch] : schema;
    }
    if (!takes(writer->schema, type)) {
        refuse(making, arena_printf(making->arena, "its field '%s' is %s, which %s is not written as", name, avro_kind_name(writer->schema->kind), type_text(making->arena, type)));
        return writer;
    }
    if (type->kind == TYPE_STRUCT)
        make_fields(making, writer->schema, type->child_count, type->names, type->children, writer);
    if (type->kind == TYPE_ARRAY || type->kind == TYPE_MAP) {
        writer->children = ARENA_ARRAY(making->arena, const AvroWriter *, 1);
        writer->children[0] = make_writer(making, writer->schema->children[0], type->children[type->kind == TYPE_MAP], name);
    }
    return writer;
}

AvroWriter *avro_writer_make(Arena *arena, const AvroSchema *schema, const Schema *columns, bool bare, const char **reason)
{
    Making making = { .arena = arena };
    AvroWriter *writer = NULL;
    const char **names = ARENA_ARRAY(arena, const char *, (size_t)columns->column_count + 1);
    const Type **types = ARENA_ARRAY(arena, const Type *, (size_t)columns->column_count + 1);
    for (int i = 0; i < columns->column_count; i++) {
        names[i] = columns->columns[i].name;
        types[i] = columns->columns[i].type;
    }
    const AvroSchema *record = avro_not_null(schema);
    if (bare) {
        writer = make_writer(&making, schema, types[0], names[0]);
    } else if (!record || record->kind != AVRO_RECORD) {
        making.reason = "it is no record, and there are several columns, or their single one is wrapped";
    } else {
        writer = ARENA_NEW(arena, AvroWriter);
        *writer = (AvroWriter){ .schema = record, .branch = -1, .null_branch = -1 };
        for (int i = 0; schema->kind == AVRO_UNION && i < schema->count; i++)
            writer->branch = schema->children[i] == record ? i : writer->branch;
        make_fields(&making, record, columns->column_count, names, types, writer);
    }
    *reason = making.reason;
    return making.reason ? NULL : writer;
}

/* ---- writing ---- */

static const char *add_value(const AvroWriter *writer, const Vector *vector, uint32_t row, Text *out);

static const char *add_list(const AvroWriter *writer, const Vector *vector, uint32_t row, Text *out)
{
    bool map = vector->type->kind == TYPE_MAP;
    const Vector *items = map ? vector->children[0]->children[1] : vector->children[0];
    uint32_t first = vector->offsets[row], after = vector->offsets[row + 1];
    const char *reason = NULL;
    if (after > first)
        avro_add_long(out, after - first);
    for (uint32_t at = first; at < after && !reason; at++) {
        if (map) {
            const Str *key = &((const Str *)vector->children[0]->children[0]->values)[at];
            avro_add_long(out, key->length);
            text_add_str(out, key);
        }
        reason = add_value(writer->children[0], items, at, out);
    }
    avro_add_long(out, 0);
    return reason;
}

/* The fields of a record: vectors are the fields of a STRUCT, or columns. */
static const char *add_fields(const AvroWriter *writer, Vector *const vectors[], uint32_t row, Text *out)
{
    const char *reason = NULL;
    for (int i = 0; i < writer->schema->count && !reason; i++)
        if (writer->sources[i] >= 0 && !(writer->standards[i].bytes && writer->children[i]->null_branch < 0 && vector_is_null(vectors[writer->sources[i]], row)))
            reason = add_value(writer->children[i], vectors[writer->sources[i]], row, out);
        else
            text_add(out, writer->standards[i].bytes, writer->standards[i].length);
    return reason;
}

/* In as few bytes as keep the sign, or in so many as the fixed type has. */
static const char *add_decimal(const AvroWriter *writer, const Vector *vector, uint32_t row, Text *out)
{
    const AvroSchema *schema = writer->schema;
    Int128 value = type_physical(vector->type) == PHYSICAL_INT128 ? ((const Int128 *)vector->values)[row] : ((const int64_t *)vector->values)[row], scaled;
    char bytes[sizeof(Int128)];
    if (!decimal_rescale(value, vector->type->scale, schema->scale, &scaled) || (schema->precision > 0 && schema->precision <= 38 && !decimal_fits(scaled, schema->precision)))
        return "a decimal is out of its schema's range";
    size_t width = decimal_to_bytes(scaled, bytes);
    if (schema->kind == AVRO_BYTES)
        avro_add_long(out, (int64_t)width);
    else if (width > schema->size)
        return "a decimal is out of its schema's range";
    for (size_t i = width; schema->kind == AVRO_FIXED && i < schema->size; i++)
        text_add_char(out, value < 0 ? (char)0xFF : 0);
    text_add(out, bytes, width);
    return NULL;
}

static const char *add_text(const AvroWriter *writer, const Str *text, Text *out)
{
    const AvroSchema *schema = writer->schema;
    if (schema->kind == AVRO_ENUM) {
        for (int i = 0; i < schema->count; i++)
            if (strlen(schema->names[i]) == text->length && memcmp(schema->names[i], str_bytes(text), text->length) == 0) {
                avro_add_long(out, i);
                return NULL;
            }
        return "a text is no symbol of its schema";
    }
    if (schema->kind == AVRO_FIXED && text->length != schema->size)
        return "bytes are not as many as their schema says";
    if (schema->kind != AVRO_FIXED)
        avro_add_long(out, text->length);
    text_add_str(out, text);
    return NULL;
}

static void add_floating(AvroKind kind, double number, Text *out)
{
    float single = (float)number;
    text_add(out, kind == AVRO_FLOAT ? (const char *)&single : (const char *)&number, kind == AVRO_FLOAT ? sizeof single : sizeof number);
}

static const char *add_integer(const AvroWriter *writer, int64_t number, Text *out)
{
    const AvroSchema *schema = writer->schema;
    bool time = type_is_timestamp(writer->type) || writer->type->kind == TYPE_TIME;
    if (schema->kind == AVRO_FLOAT || schema->kind == AVRO_DOUBLE) {
        add_floating(schema->kind, (double)number, out);
        return NULL;
    }
    if (time && schema->logical != AVRO_MICROS && schema->logical != AVRO_TIME_MICROS)
        number = floor_div(number, US_PER_MS);
    if (schema->kind == AVRO_INT && (number < INT32_MIN || number > INT32_MAX))
        return "a number is out of its schema's range";
    avro_add_long(out, number);
    return NULL;
}

static const char *add_value(const AvroWriter *writer, const Vector *vector, uint32_t row, Text *out)
{
    row &= vector_mask(vector);
    if (vector_is_null(vector, row)) {
        if (writer->null_branch < 0)
            return "a value is NULL, which its schema does not allow";
        avro_add_long(out, writer->null_branch);
        return NULL;
    }
    if (writer->branch >= 0)
        avro_add_long(out, writer->branch);
    switch (writer->type->kind) {
    case TYPE_BOOLEAN: text_add_char(out, (char)((const uint8_t *)vector->values)[row]); return NULL;
    case TYPE_FLOAT: case TYPE_DOUBLE: add_floating(writer->schema->kind, ((const double *)vector->values)[row], out); return NULL;
    case TYPE_DECIMAL: return add_decimal(writer, vector, row, out);
    case TYPE_VARCHAR: case TYPE_BYTES: return add_text(writer, &((const Str *)vector->values)[row], out);
    case TYPE_ARRAY: case TYPE_MAP: return add_list(writer, vector, row, out);
    case TYPE_STRUCT: return add_fields(writer, vector->children, row, out);
    default: return add_integer(writer, ((const int64_t *)vector->values)[row], out);
    }
}

const char *avro_write_row(const AvroWriter *writer, const Vector *const columns[], uint32_t row, Text *out)
{
    if (writer->type)
        return add_value(writer, columns[0], row, out);
    if (writer->branch >= 0)
        avro_add_long(out, writer->branch);
    return add_fields(writer, (Vector *const *)columns, row, out);
}

/* ---- defaults ---- */

#define DEFAULT_DEPTH 64 /* a record's default may ask for itself */

static bool write_default(Arena *arena, const AvroSchema *schema, const JsonToken *token, Text *out, int depth);

/* The bytes of "\u00ff": a default's characters are its bytes. */
static bool default_bytes(Arena *arena, const JsonToken *token, RecordBytes *bytes)
{
    char *text = arena_alloc(arena, (size_t)token->length + 1);
    size_t length = json_unescape(token->bytes + 1, token->length - 2, text), count = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte >= 0x80) {
            if ((byte & 0xFC) != 0xC0 || i + 1 >= length)
                return false;
            byte = (unsigned char)(byte << 6 | ((unsigned char)text[++i] & 0x3F));
        }
        text[count++] = (char)byte;
    }
    *bytes = (RecordBytes){ text, count };
    return true;
}

static bool default_text(Arena *arena, const AvroSchema *schema, const JsonToken *token, Text *out)
{
    if (token->kind != JSON_STRING)
        return false;
    RecordBytes bytes;
    char *text = arena_alloc(arena, (size_t)token->length + 1);
    size_t length = json_unescape(token->bytes + 1, token->length - 2, text);
    if (schema->kind == AVRO_ENUM) {
        for (int i = 0; i < schema->count; i++)
            if (strlen(schema->names[i]) == length && memcmp(schema->names[i], text, length) == 0) {
                avro_add_long(out, i);
                return true;
            }
        return false;
    }
    if (schema->kind == AVRO_STRING) {
        bytes = (RecordBytes){ text, length };
    } else if (!default_bytes(arena, token, &bytes) || (schema->kind == AVRO_FIXED && bytes.length != schema->size)) {
        return false;
    }
    if (schema->kind != AVRO_FIXED)
        avro_add_long(out, (int64_t)bytes.length);
    text_add(out, bytes.bytes, bytes.length);
    return true;
}

static bool default_list(Arena *arena, const AvroSchema *schema, const JsonToken *token, Text *out, int depth)
{
    JsonToken key, value;
    if (token->kind != (schema->kind == AVRO_MAP ? JSON_OBJECT : JSON_ARRAY))
        return false;
    for (const char *p = NULL; schema->kind == AVRO_MAP ? json_next_member(token, &p, &key, &value) : json_next_element(token, &p, &value);) {
        avro_add_long(out, 1);
        if (schema->kind == AVRO_MAP && !default_text(arena, &(AvroSchema){ .kind = AVRO_STRING }, &key, out))
            return false;
        if (!write_default(arena, schema->children[0], &value, out, depth + 1))
            return false;
    }
    avro_add_long(out, 0);
    return true;
}

static bool default_record(Arena *arena, const AvroSchema *schema, const JsonToken *token, Text *out, int depth)
{
    JsonToken key, value;
    if (token->kind != JSON_OBJECT)
        return false;
    for (int i = 0; i < schema->count; i++) {
        const JsonToken *found = schema->fields[i].has_default ? &schema->fields[i].standard : NULL;
        JsonToken given;
        for (const char *p = NULL; json_next_member(token, &p, &key, &value);)
            if (json_key_equal(&key, schema->names[i], strlen(schema->names[i]), false)) {
                given = value;
                found = &given;
            }
        if (!found || !write_default(arena, schema->children[i], found, out, depth + 1))
            return false;
    }
    return true;
}

/* The first branch that it is of; the specification allows the union's first only, writers do not keep to that. */
static bool default_union(Arena *arena, const AvroSchema *schema, const JsonToken *token, Text *out, int depth)
{
    size_t start = out->length;
    for (int i = 0; i < schema->count; i++) {
        avro_add_long(out, i);
        if (write_default(arena, schema->children[i], token, out, depth + 1))
            return true;
        out->length = start;
    }
    return false;
}

static bool write_default(Arena *arena, const AvroSchema *schema, const JsonToken *token, Text *out, int depth)
{
    int64_t number;
    if (depth > DEFAULT_DEPTH)
        return false;
    switch (schema->kind) {
    case AVRO_NULL: return token->kind == JSON_NULL;
    case AVRO_BOOLEAN:
        text_add_char(out, token->kind == JSON_TRUE);
        return token->kind == JSON_TRUE || token->kind == JSON_FALSE;
    case AVRO_INT: case AVRO_LONG:
        if (token->kind != JSON_NUMBER || json_token_integer(token->bytes, token->length, &number) != JSON_INTEGER || (schema->kind == AVRO_INT && (number < INT32_MIN || number > INT32_MAX)))
            return false;
        avro_add_long(out, number);
        return true;
    case AVRO_FLOAT: case AVRO_DOUBLE:
        if (token->kind != JSON_NUMBER)
            return false;
        add_floating(schema->kind, strtod(arena_strndup(arena, token->bytes, token->length), NULL), out);
        return true;
    case AVRO_BYTES: case AVRO_FIXED: case AVRO_STRING: case AVRO_ENUM: return default_text(arena, schema, token, out);
    case AVRO_RECORD: return default_record(arena, schema, token, out, depth);
    case AVRO_ARRAY: case AVRO_MAP: return default_list(arena, schema, token, out, depth);
    case AVRO_UNION: return default_union(arena, schema, token, out, depth);
    }
    return false;
}

bool avro_write_default(Arena *arena, const AvroSchema *schema, const JsonToken *token, Text *out) { return write_default(arena, schema, token, out, 0); }
