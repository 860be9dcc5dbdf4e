/* formats/avro_schema.c: Avro schemas, read from their JSON. */
#include "formats/avro_schema.h"

#include "formats/json_internal.h"

#define SCHEMA_DEPTH_LIMIT 64
#define SCHEMA_LENGTH_LIMIT (1u << 20)

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
    return token->kind == JSON_NUMBER && json_token_integer(token->bytes, token->length, &value) == JSON_INTEGER ? value : without;
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
        { "date", AVRO_INT, AVRO_DATE }, { "time-millis", AVRO_INT, AVRO_MILLIS }, { "time-micros", AVRO_LONG, AVRO_TIME_MICROS }, { "timestamp-millis", AVRO_LONG, AVRO_MILLIS },
        { "timestamp-micros", AVRO_LONG, AVRO_MICROS }, { "local-timestamp-millis", AVRO_LONG, AVRO_MILLIS }, { "local-timestamp-micros", AVRO_LONG, AVRO_MICROS },
        { "decimal", AVRO_BYTES, AVRO_DECIMAL }, { "decimal", AVRO_FIXED, AVRO_DECIMAL } };
    JsonToken logical = member(token, "logicalType"), scale = member(token, "scale"), precision = member(token, "precision");
    const char *name = text_of(arena, &logical);
    for (size_t i = 0; name && i < sizeof types / sizeof *types; i++)
        if (strcmp(types[i].name, name) == 0 && types[i].kind == schema->kind)
            schema->logical = types[i].logical;
    schema->scale = (int)number_of(&scale, 0);
    schema->precision = (int)number_of(&precision, 38);
    if (schema->logical == AVRO_DECIMAL && (schema->scale < 0 || schema->scale > 38)) /* no decimal of ours */
        schema->logical = AVRO_PLAIN;
}

/* Other names that a field had. */
static void read_aliases(Arena *arena, const JsonToken *token, AvroField *field)
{
    JsonToken list = member(token, "aliases"), alias;
    struct { const char **items; int count, capacity; } names = { 0 };
    for (const char *p = NULL; list.kind == JSON_ARRAY && json_next_element(&list, &p, &alias);) {
        const char *name = text_of(arena, &alias);
        if (name)
            LIST_ADD(arena, &names, name);
    }
    field->aliases = names.items;
    field->alias_count = names.count;
}

static AvroSchema *parse_fields(AvroParser *parser, const JsonToken *token, const char *space, AvroSchema *schema)
{
    JsonToken fields = member(token, "fields"), field;
    struct { AvroSchema **items; int count, capacity; } children = { 0 };
    struct { const char **items; int count, capacity; } names = { 0 };
    struct { AvroField *items; int count, capacity; } facts = { 0 };
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
        AvroField fact = { .standard = member(&field, "default") };
        fact.has_default = fact.standard.kind != JSON_MISSING;
        read_aliases(parser->arena, &field, &fact);
        LIST_ADD(parser->arena, &facts, fact);
    }
    schema->children = children.items;
    schema->names = names.items;
    schema->fields = facts.items;
    schema->count = children.count;
    return schema;
}

static AvroSchema *parse_symbols(AvroParser *parser, const JsonToken *token, AvroSchema *schema)
{
    JsonToken symbols = member(token, "symbols"), standard = member(token, "default"), symbol;
    struct { const char **items; int count, capacity; } names = { 0 };
    for (const char *p = NULL; symbols.kind == JSON_ARRAY && json_next_element(&symbols, &p, &symbol);) {
        const char *text = text_of(parser->arena, &symbol);
        if (!text)
            return refuse(parser, "a symbol that is no text");
        LIST_ADD(parser->arena, &names, text);
    }
    schema->names = names.items;
    schema->count = names.count;
    schema->standard = text_of(parser->arena, &standard);
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

static const AvroSchema *parse_text(AvroParser *parser, const char *text, const char **reason)
{
    const char *end = text + strlen(text), *bad, *start = json_space(text, end), *p = start, *after = json_skip_value(start, end, JSON_DEPTH_LIMIT, &bad);
    if (strlen(text) > SCHEMA_LENGTH_LIMIT) {
        *reason = "the schema is longer than 1 MiB";
        return NULL;
    }
    if (!after || json_space(after, end) != end) { /* a simple type may stand there without quotes */
        AvroParser names = { .arena = parser->arena };
        const AvroSchema *simple = parse_name(&names, text, "");
        *reason = simple ? NULL : "the schema is not JSON";
        return simple;
    }
    JsonToken token = json_read(&p, end);
    const AvroSchema *schema = parse(parser, &token, "");
    *reason = schema ? NULL : parser->reason ? parser->reason : "it is none";
    return schema;
}

const AvroSchema *avro_schema_parse(Arena *arena, const char *text, const char **reason)
{
    AvroParser parser = { .arena = arena };
    return parse_text(&parser, text, reason);
}

/* What a schema refers to stands before it; types that several refer to are read once. */
static const AvroSchema *read_with_references(AvroParser *parser, const RegisteredSchema *schema, int depth, const char **reason)
{
    if (depth > SCHEMA_DEPTH_LIMIT) {
        *reason = "its references are nested too deeply";
        return NULL;
    }
    for (int i = 0; i < schema->reference_count; i++) {
        const SchemaReference *reference = &schema->references[i];
        bool known = false;
        for (int n = 0; n < parser->named.count && !known; n++)
            known = strcmp(parser->named.items[n]->name, reference->name) == 0;
        if (!known && !read_with_references(parser, reference->schema, depth + 1, reason))
            return NULL;
    }
    return parse_text(parser, schema->text, reason);
}

const AvroSchema *avro_schema_read(Arena *arena, const RegisteredSchema *schema, const char **reason)
{
    AvroParser parser = { .arena = arena };
    return read_with_references(&parser, schema, 0, reason);
}

/* ---- names ---- */

bool avro_name_fits(const char *name)
{
    for (const char *p = name; *p; p++)
        if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || *p == '_' || (p > name && *p >= '0' && *p <= '9')))
            return false;
    return *name != 0;
}

const char *avro_branch_name(const AvroSchema *schema)
{
    const char *dot = schema->name ? strrchr(schema->name, '.') : NULL;
    return dot ? dot + 1 : schema->name ? schema->name : kind_names[schema->kind];
}

const AvroSchema *avro_not_null(const AvroSchema *schema)
{
    if (schema->kind != AVRO_UNION)
        return schema;
    const AvroSchema *found = NULL;
    for (int i = 0; i < schema->count; i++)
        if (schema->children[i]->kind != AVRO_NULL) {
            if (found)
                return NULL;
            found = schema->children[i];
        }
    return found ? found : schema->count ? schema->children[0] : NULL;
}
