/* formats/json_schema.c: JSON Schemas as columns, and columns as JSON Schemas, in the words that Kafka Connect adds to them. */
#include "formats/json_schema.h"

#include <stdlib.h>

#include "common/value_text.h"

/* ---- columns as a schema ---- */

static void add_schema(Text *out, const Type *type);

/* connect.index says the order of the fields, which JSON's objects do not have. */
static void add_properties(Text *out, int count, const char *const names[], const Type *const types[])
{
    text_add_c(out, "{\"type\":\"object\",\"properties\":{");
    for (int i = 0; i < count; i++) {
        text_add_c(out, i ? "," : "");
        text_add_json_string(out, names[i], strlen(names[i]));
        text_printf(out, ":{\"connect.index\":%d,\"oneOf\":[{\"type\":\"null\"},", i);
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

void json_schema_add(Text *out, const Schema *schema, bool bare)
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

/* ---- a schema as columns ---- */

#define SCHEMA_DEPTH_LIMIT 32

typedef struct SchemaReader {
    Arena *arena;
    const RegisteredSchema *schema;
    JsonToken root;               /* of its text */
    const char *reason;
    int depth;
} SchemaReader;

static const Type *read_type(SchemaReader *reader, const JsonToken *token);

static const Type *refuse(SchemaReader *reader, const char *reason)
{
    if (!reader->reason)
        reader->reason = reason;
    return NULL;
}

/* kind JSON_MISSING: there is none. */
static JsonToken member(const JsonToken *object, const char *name)
{
    JsonToken key, value, found = { NULL, 0, JSON_MISSING };
    for (const char *p = NULL; object->kind == JSON_OBJECT && json_next_member(object, &p, &key, &value);)
        if (json_key_equal(&key, name, strlen(name), false))
            found = value;
    return found;
}

static const char *text_of(Arena *arena, const JsonToken *token)
{
    if (token->kind != JSON_STRING)
        return "";
    char *text = arena_alloc(arena, (size_t)token->length + 1);
    text[json_unescape(token->bytes + 1, token->length - 2, text)] = 0;
    return text;
}

static const char *member_text(Arena *arena, const JsonToken *object, const char *name)
{
    JsonToken token = member(object, name);
    return text_of(arena, &token);
}

static bool read_root(const RegisteredSchema *schema, JsonToken *root)
{
    const char *end = schema->text + strlen(schema->text), *bad, *start = json_space(schema->text, end), *p = start, *after = json_skip_value(start, end, JSON_DEPTH_LIMIT, &bad);
    if (!after || json_space(after, end) != end)
        return false;
    *root = json_read(&p, end);
    return true;
}

/* The number in {"scale": "2"}, or without quotes. */
static int parameter(SchemaReader *reader, const JsonToken *token, const char *name, int without)
{
    JsonToken parameters = member(token, "connect.parameters"), found = member(&parameters, name);
    if (found.kind == JSON_MISSING)
        return without;
    const char *text = found.kind == JSON_STRING ? text_of(reader->arena, &found) : arena_strndup(reader->arena, found.bytes, found.length);
    return atoi(text);
}

/* Types that Connect names by their title. NULL: none. */
static const Type *titled_type(SchemaReader *reader, const JsonToken *token)
{
    static const char connect[] = "org.apache.kafka.connect.data.";
    const char *title = member_text(reader->arena, token, "title");
    if (strncmp(title, connect, sizeof connect - 1) != 0)
        return NULL;
    title += sizeof connect - 1;
    if (strcmp(title, "Date") == 0)
        return type_scalar(TYPE_DATE);
    if (strcmp(title, "Time") == 0)
        return type_scalar(TYPE_TIME);
    if (strcmp(title, "Timestamp") == 0)
        return type_scalar(TYPE_TIMESTAMP);
    int precision = parameter(reader, token, "connect.decimal.precision", 38), scale = parameter(reader, token, "scale", 0);
    return strcmp(title, "Decimal") == 0 && precision > 0 && precision <= 38 && scale >= 0 && scale <= precision ? type_decimal(reader->arena, precision, scale) : NULL;
}

/* ---- objects ---- */

typedef struct Property {
    const char *name;
    const Type *type;
    int64_t index;
} Property;

static int by_index(const void *a, const void *b)
{
    int64_t left = ((const Property *)a)->index, right = ((const Property *)b)->index;
    return left < right ? -1 : left > right;
}

/* Fields in the order that connect.index says, the others behind them as they stand. */
static const Type *read_struct(SchemaReader *reader, const JsonToken *properties)
{
    struct { Property *items; int count, capacity; } list = { 0 };
    JsonToken key, value;
    for (const char *p = NULL; json_next_member(properties, &p, &key, &value);) {
        JsonToken index = member(&value, "connect.index");
        Property property = { text_of(reader->arena, &key), read_type(reader, &value), INT32_MAX + (int64_t)list.count };
        if (!property.type)
            return NULL;
        if (index.kind == JSON_NUMBER)
            json_token_integer(index.bytes, index.length, &property.index);
        LIST_ADD(reader->arena, &list, property);
    }
    if (list.count)
        qsort(list.items, (size_t)list.count, sizeof *list.items, by_index);
    const char **names = ARENA_ARRAY(reader->arena, const char *, (size_t)list.count + 1);
    const Type **types = ARENA_ARRAY(reader->arena, const Type *, (size_t)list.count + 1);
    for (int i = 0; i < list.count; i++) {
        names[i] = list.items[i].name;
        types[i] = list.items[i].type;
    }
    return type_struct(reader->arena, list.count, names, types);
}

static const Type *read_object(SchemaReader *reader, const JsonToken *token)
{
    JsonToken properties = member(token, "properties"), others = member(token, "additionalProperties");
    bool map = strcmp(member_text(reader->arena, token, "connect.type"), "map") == 0 || (properties.kind != JSON_OBJECT && others.kind == JSON_OBJECT);
    if (!map)
        return properties.kind == JSON_OBJECT ? read_struct(reader, &properties) : refuse(reader, "an object without properties has no columns");
    const Type *value = others.kind == JSON_OBJECT ? read_type(reader, &others) : type_scalar(TYPE_VARCHAR);
    return value ? type_map(reader->arena, type_scalar(TYPE_VARCHAR), value) : NULL;
}

/* ---- any schema ---- */

/* "#/definitions/Order", or the name of a schema that this one refers to, with a place in it or without. */
static const Type *read_reference(SchemaReader *reader, const char *reference)
{
    const char *hash = strchr(reference, '#');
    size_t length = hash ? (size_t)(hash - reference) : strlen(reference);
    SchemaReader inner = *reader;
    bool found = length == 0;
    for (int i = 0; !found && i < reader->schema->reference_count; i++) {
        const SchemaReference *other = &reader->schema->references[i];
        if (strlen(other->name) == length && memcmp(other->name, reference, length) == 0) {
            inner.schema = other->schema;
            found = read_root(other->schema, &inner.root);
        }
    }
    JsonToken token = inner.root;
    for (const char *p = hash && hash[1] == '/' ? hash + 2 : ""; found && *p;) {
        size_t step = strcspn(p, "/");
        token = member(&token, arena_strndup(reader->arena, p, step));
        found = token.kind != JSON_MISSING;
        p += step + (p[step] == '/');
    }
    if (!found)
        return refuse(reader, arena_printf(reader->arena, "nothing is at '%s'", reference));
    const Type *type = read_type(&inner, &token);
    reader->reason = inner.reason;
    return type;
}

/* oneOf, anyOf: the one that is not null. */
static const Type *read_choice(SchemaReader *reader, const JsonToken *list)
{
    JsonToken item, found = { NULL, 0, JSON_MISSING };
    for (const char *p = NULL; json_next_element(list, &p, &item);) {
        if (strcmp(member_text(reader->arena, &item, "type"), "null") == 0)
            continue;
        if (found.kind != JSON_MISSING)
            return refuse(reader, "a value that may be of several types has no column");
        found = item;
    }
    return found.kind != JSON_MISSING ? read_type(reader, &found) : refuse(reader, "a value that is always null has no type");
}

/* "type": "string" or ["null", "string"] */
static const char *type_name(SchemaReader *reader, const JsonToken *token)
{
    JsonToken type = member(token, "type"), item;
    if (type.kind != JSON_ARRAY)
        return text_of(reader->arena, &type);
    const char *found = "";
    for (const char *p = NULL; json_next_element(&type, &p, &item);)
        if (strcmp(text_of(reader->arena, &item), "null") != 0)
            found = text_of(reader->arena, &item);
    return found;
}

static const Type *read_plain(SchemaReader *reader, const JsonToken *token)
{
    const Type *titled = titled_type(reader, token);
    const char *name = type_name(reader, token), *connect = member_text(reader->arena, token, "connect.type");
    if (titled)
        return titled;
    if (strcmp(name, "object") == 0 || (!*name && member(token, "properties").kind == JSON_OBJECT))
        return read_object(reader, token);
    if (strcmp(name, "boolean") == 0)
        return type_scalar(TYPE_BOOLEAN);
    if (strcmp(name, "integer") == 0)
        return type_scalar(strcmp(connect, "int32") == 0 ? TYPE_INT : strcmp(connect, "int16") == 0 ? TYPE_SMALLINT : strcmp(connect, "int8") == 0 ? TYPE_TINYINT : TYPE_BIGINT);
    if (strcmp(name, "number") == 0)
        return type_scalar(strcmp(connect, "float32") == 0 ? TYPE_FLOAT : TYPE_DOUBLE);
    if (strcmp(name, "array") == 0) {
        JsonToken items = member(token, "items");
        const Type *item = items.kind == JSON_OBJECT ? read_type(reader, &items) : refuse(reader, "an array that does not say what it holds has no column");
        return item ? type_array(reader->arena, item) : NULL;
    }
    if (strcmp(name, "string") == 0 || member(token, "enum").kind == JSON_ARRAY)
        return type_scalar(strcmp(connect, "bytes") == 0 ? TYPE_BYTES : TYPE_VARCHAR);
    return refuse(reader, arena_printf(reader->arena, *name ? "no type '%s'" : "a value that does not say its type has no column", name));
}

static const Type *read_type(SchemaReader *reader, const JsonToken *token)
{
    if (token->kind != JSON_OBJECT)
        return refuse(reader, "a schema that is no object");
    if (++reader->depth > SCHEMA_DEPTH_LIMIT)
        return refuse(reader, "it is nested too deeply, or holds itself, which no column can: declare the columns that are wanted");
    JsonToken reference = member(token, "$ref"), one = member(token, "oneOf"), any = member(token, "anyOf"), all = member(token, "allOf");
    JsonToken *choice = one.kind == JSON_ARRAY ? &one : any.kind == JSON_ARRAY ? &any : &all;
    const Type *type = reference.kind == JSON_STRING ? read_reference(reader, text_of(reader->arena, &reference))
                     : choice->kind == JSON_ARRAY && member(token, "type").kind == JSON_MISSING ? read_choice(reader, choice) : read_plain(reader, token);
    reader->depth--;
    return type;
}

const Type *json_schema_type(Arena *arena, const RegisteredSchema *schema, const char **reason)
{
    SchemaReader reader = { .arena = arena, .schema = schema };
    const Type *type = read_root(schema, &reader.root) ? read_type(&reader, &reader.root) : refuse(&reader, "it is not JSON");
    *reason = reader.reason;
    return type;
}
