/* formats/avro_schema.c: Avro schemas as JSON. */
#include "formats/avro_schema.h"

#include "common/value_text.h"
#include "formats/json_internal.h"

#define SCHEMA_DEPTH_LIMIT 64

static const char *const kind_names[] = { "null", "boolean", "int", "long", "float", "double", "bytes", "string", "record", "enum", "fixed", "array", "map", "union" };

const char *avro_kind_name(AvroKind kind) { return kind_names[kind]; }

/* ---- reading ---- */

typedef struct AvroParser {
    Arena *arena;
    struct { AvroSchema **items; int count, capacity; } named;
    const char *reason;
    int depth;
} AvroParser;

static AvroSchema *parse(AvroParser *parser, const JsonToken *token, const char *space);

static AvroSchema *refuse(AvroParser *parser, const char *reason)
{
    if (!parser->reason)
        parser->reason = reason;
    return NULL;
}

static const char *text_of(Arena *arena, const JsonToken *token)
{
    if (token->kind != JSON_STRING)
        return NULL;
    char *text = arena_alloc(arena, token->length);
    text[json_unescape(token->bytes + 1, token->length - 2, text)] = 0;
    return text;
}

/* The member of that name; kind JSON_MISSING: there is none. */
static JsonToken member(const JsonToken *object, const char *name)
{
    JsonToken key, value, found = { NULL, 0, JSON_MISSING };
    for (const char *p = NULL; json_next_member(object, &p, &key, &value);)
        if (json_key_equal(&key, name, strlen(name), false))
            found = value;
    return found;
}

static int64_t number_of(const JsonToken *token, int64_t without)
{
    int64_t value;
    return token->kind == JSON_NUMBER && json_integer(token->bytes, token->length, &value) == JSON_INTEGER ? value : without;
}

static const char *full_name(Arena *arena, const char *name, const char *space) { return strchr(name, '.') || !*space ? name : arena_printf(arena, "%s.%s", space, name); }

/* A type by its name: a simple one, or one that was defined before. */
static AvroSchema *parse_name(AvroParser *parser, const char *name, const char *space)
{
    for (int kind = AVRO_NULL; kind <= AVRO_STRING; kind++)
        if (strcmp(kind_names[kind], name) == 0) {
            AvroSchema *schema = ARENA_NEW(parser->arena, AvroSchema);
            schema->kind = (AvroKind)kind;
            return schema;
        }
    const char *full = full_name(parser->arena, name, space);
    for (int i = 0; i < parser->named.count; i++)
        if (strcmp(parser->named.items[i]->name, full) == 0 || strcmp(parser->named.items[i]->name, name) == 0)
            return parser->named.items[i];
    return refuse(parser, arena_printf(parser->arena, "no type '%s'", name));
}

static AvroSchema *parse_union(AvroParser *parser, const JsonToken *token, const char *space)
{
    AvroSchema *schema = ARENA_NEW(parser->arena, AvroSchema);
    struct { AvroSchema **items; int count, capacity; } branches = { 0 };
    JsonToken branch;
    schema->kind = AVRO_UNION;
    for (const char *p = NULL; json_next_element(token, &p, &branch);) {
        AvroSchema *one = parse(parser, &branch, space);
        if (!one || one->kind == AVRO_UNION)
            return refuse(parser, "a union within a union");
        LIST_ADD(parser->arena, &branches, one);
    }
    schema->children = branches.items;
    schema->count = branches.count;
    return schema;
}

static void read_logical(const JsonToken *token, Arena *arena, AvroSchema *schema)
{
    static const struct { const char *name; AvroKind kind; AvroLogical logical; } types[] = {
        { "date", AVRO_INT, AVRO_DATE }, { "time-millis", AVRO_INT, AVRO_MILLIS }, { "time-micros", AVRO_LONG, AVRO_MICROS }, { "timestamp-millis", AVRO_LONG, AVRO_MILLIS },
        { "timestamp-micros", AVRO_LONG, AVRO_MICROS }, { "local-timestamp-millis", AVRO_LONG, AVRO_MILLIS }, { "local-timestamp-micros", AVRO_LONG, AVRO_MICROS },
        { "decimal", AVRO_BYTES, AVRO_DECIMAL }, { "decimal", AVRO_FIXED, AVRO_DECIMAL } };
    JsonToken logical = member(token, "logicalType"), scale = member(token, "scale");
    const char *name = text_of(arena, &logical);
    for (size_t i = 0; name && i < sizeof types / sizeof *types; i++)
        if (strcmp(types[i].name, name) == 0 && types[i].kind == schema->kind)
            schema->logical = types[i].logical;
    schema->scale = (int)number_of(&scale, 0);
    if (schema->scale < 0 || schema->scale > 38) /* no decimal of ours */
        schema->logical = AVRO_PLAIN;
}

static AvroSchema *parse_fields(AvroParser *parser, const JsonToken *token, const char *space, AvroSchema *schema)
{
    JsonToken fields = member(token, "fields"), field;
    struct { AvroSchema **items; int count, capacity; } children = { 0 };
    struct { const char **items; int count, capacity; } names = { 0 };
    if (fields.kind != JSON_ARRAY)
        return refuse(parser, "a record without fields");
    for (const char *p = NULL; json_next_element(&fields, &p, &field);) {
        JsonToken name = field.kind == JSON_OBJECT ? member(&field, "name") : field, type = field.kind == JSON_OBJECT ? member(&field, "type") : field;
        if (field.kind != JSON_OBJECT || name.kind != JSON_STRING)
            return refuse(parser, "a field without a name");
        AvroSchema *child = parse(parser, &type, space);
        if (!child)
            return NULL;
        const char *text = text_of(parser->arena, &name);
        LIST_ADD(parser->arena, &children, child);
        LIST_ADD(parser->arena, &names, text);
    }
    schema->children = children.items;
    schema->names = names.items;
    schema->count = children.count;
    return schema;
}

static AvroSchema *parse_symbols(AvroParser *parser, const JsonToken *token, AvroSchema *schema)
{
    JsonToken symbols = member(token, "symbols"), symbol;
    struct { const char **items; int count, capacity; } names = { 0 };
    for (const char *p = NULL; symbols.kind == JSON_ARRAY && json_next_element(&symbols, &p, &symbol);) {
        const char *text = text_of(parser->arena, &symbol);
        if (!text)
            return refuse(parser, "a symbol that is no text");
        LIST_ADD(parser->arena, &names, text);
    }
    schema->names = names.items;
    schema->count = names.count;
    return schema;
}

/* Records, enums and fixed have names, by which they may be meant again, also within themselves. */
static AvroSchema *parse_named(AvroParser *parser, const JsonToken *token, AvroKind kind, const char *space)
{
    JsonToken name = member(token, "name"), named_space = member(token, "namespace"), size = member(token, "size");
    const char *text = text_of(parser->arena, &name), *own_space = text_of(parser->arena, &named_space);
    if (!text)
        return refuse(parser, "a type without a name");
    space = own_space ? own_space : space;
    AvroSchema *schema = ARENA_NEW(parser->arena, AvroSchema);
    schema->kind = kind;
    schema->name = full_name(parser->arena, text, space);
    LIST_ADD(parser->arena, &parser->named, schema);
    const char *dot = strrchr(schema->name, '.');
    space = dot ? arena_strndup(parser->arena, schema->name, (size_t)(dot - schema->name)) : "";
    if (kind == AVRO_RECORD)
        return parse_fields(parser, token, space, schema);
    if (kind == AVRO_ENUM)
        return parse_symbols(parser, token, schema);
    int64_t bytes = number_of(&size, -1);
    if (bytes < 0 || bytes > INT32_MAX)
        return refuse(parser, "a fixed type without a size");
    schema->size = (size_t)bytes;
    read_logical(token, parser->arena, schema);
    return schema;
}

static AvroSchema *parse_object(AvroParser *parser, const JsonToken *token, const char *space)
{
    JsonToken type = member(token, "type"), items = member(token, "items"), values = member(token, "values");
    const char *name = text_of(parser->arena, &type);
    if (!name)
        return type.kind == JSON_OBJECT || type.kind == JSON_ARRAY ? parse(parser, &type, space) : refuse(parser, "an object without a type");
    if (strcmp(name, "record") == 0 || strcmp(name, "error") == 0)
        return parse_named(parser, token, AVRO_RECORD, space);
    if (strcmp(name, "enum") == 0)
        return parse_named(parser, token, AVRO_ENUM, space);
    if (strcmp(name, "fixed") == 0)
        return parse_named(parser, token, AVRO_FIXED, space);
    bool array = strcmp(name, "array") == 0;
    if (!array && strcmp(name, "map") != 0) {
        AvroSchema *schema = parse_name(parser, name, space);
        if (schema && schema->kind <= AVRO_STRING)
            read_logical(token, parser->arena, schema);
        return schema;
    }
    AvroSchema *schema = ARENA_NEW(parser->arena, AvroSchema), *child = parse(parser, array ? &items : &values, space);
    schema->kind = array ? AVRO_ARRAY : AVRO_MAP;
    schema->children = ARENA_ARRAY(parser->arena, AvroSchema *, 1);
    schema->children[0] = child;
    schema->count = 1;
    return child ? schema : NULL;
}

static AvroSchema *parse(AvroParser *parser, const JsonToken *token, const char *space)
{
    AvroSchema *schema = NULL;
    if (++parser->depth > SCHEMA_DEPTH_LIMIT)
        return refuse(parser, "nested too deeply");
    switch (token->kind) {
    case JSON_STRING: schema = parse_name(parser, text_of(parser->arena, token), space); break;
    case JSON_ARRAY: schema = parse_union(parser, token, space); break;
    case JSON_OBJECT: schema = parse_object(parser, token, space); break;
    default: schema = refuse(parser, "neither a name nor an object nor a list"); break;
    }
    parser->depth--;
    return schema;
}

const AvroSchema *avro_schema_parse(Arena *arena, const char *text, const char **reason)
{
    const char *end = text + strlen(text), *bad, *start = json_space(text, end), *p = start, *after = json_skip_value(start, end, JSON_DEPTH_LIMIT, &bad);
    if (!after || json_space(after, end) != end) { /* a simple type may stand there without quotes */
        AvroParser names = { .arena = arena };
        const AvroSchema *simple = parse_name(&names, text, "");
        *reason = simple ? NULL : "the schema is not JSON";
        return simple;
    }
    AvroParser parser = { .arena = arena };
    JsonToken token = json_read(&p, end);
    const AvroSchema *schema = parse(&parser, &token, "");
    *reason = schema ? NULL : parser.reason ? parser.reason : "it is none";
    return schema;
}

/* ---- writing ---- */

bool avro_name_fits(const char *name)
{
    for (const char *p = name; *p; p++)
        if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || *p == '_' || (p > name && *p >= '0' && *p <= '9')))
            return false;
    return *name != 0;
}

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
    case TYPE_TIMESTAMP: case TYPE_TIMESTAMP_TZ: text_add_c(out, "{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}"); return;
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
    static const char record[] = "KsqlDataSourceSchema"; /* as ksqlDB calls it: tools look for it */
    Arena arena;
    arena_init(&arena, NULL);
    MEMORY_HOLD(arena_unwind, &arena);
    if (bare) {
        add_nullable(out, schema->columns[0].type, record, &arena);
    } else {
        text_printf(out, "{\"type\":\"record\",\"name\":\"%s\",\"namespace\":\"io.confluent.ksql.avro_schemas\",\"fields\":[", record);
        for (int i = 0; i < schema->column_count; i++)
            add_field(out, i, schema->columns[i].name, schema->columns[i].type, record, &arena);
        text_add_c(out, "]}");
    }
    arena_release(&arena);
}
