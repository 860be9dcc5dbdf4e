/* formats/protobuf_schema.c: .proto text, read and written. Of proto3 what says how messages look; services and options are passed over. */
#include "formats/protobuf_schema.h"

#include <stdio.h>
#include <stdlib.h>

#define PROTO_DEPTH_LIMIT 64

static const struct { const char *name; ProtoKind kind; bool wrapped; } simple_types[] = {
    { "int32", PROTO_INT32, false }, { "int64", PROTO_INT64, false }, { "uint32", PROTO_UINT32, false }, { "uint64", PROTO_UINT64, false }, { "sint32", PROTO_SINT32, false }, { "sint64", PROTO_SINT64, false },
    { "bool", PROTO_BOOL, false }, { "fixed64", PROTO_FIXED64, false }, { "sfixed64", PROTO_SFIXED64, false }, { "double", PROTO_DOUBLE, false }, { "fixed32", PROTO_FIXED32, false },
    { "sfixed32", PROTO_SFIXED32, false }, { "float", PROTO_FLOAT, false }, { "string", PROTO_STRING, false }, { "bytes", PROTO_BYTES, false }, { "confluent.type.Decimal", PROTO_DECIMAL, false },
    { "google.protobuf.Timestamp", PROTO_TIMESTAMP, false }, { "google.type.Date", PROTO_DATE, false }, { "google.type.TimeOfDay", PROTO_TIME, false },
    { "google.protobuf.DoubleValue", PROTO_DOUBLE, true }, { "google.protobuf.FloatValue", PROTO_FLOAT, true }, { "google.protobuf.Int64Value", PROTO_INT64, true },
    { "google.protobuf.UInt64Value", PROTO_UINT64, true }, { "google.protobuf.Int32Value", PROTO_INT32, true }, { "google.protobuf.UInt32Value", PROTO_UINT32, true },
    { "google.protobuf.BoolValue", PROTO_BOOL, true }, { "google.protobuf.StringValue", PROTO_STRING, true }, { "google.protobuf.BytesValue", PROTO_BYTES, true },
};
#define SIMPLE_COUNT ((int)(sizeof simple_types / sizeof *simple_types))

/* ---- tokens ---- */

typedef struct ProtoParser {
    Arena *arena;
    const char *p;
    const char *token;      /* "" at the end */
    const char *reason;
    int depth;
} ProtoParser;

static bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-'; }

static const char *skip_blanks(const char *p)
{
    for (;;) {
        while (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')
            p++;
        if (p[0] == '/' && p[1] == '/') {
            p += strcspn(p, "\n");
        } else if (p[0] == '/' && p[1] == '*') {
            const char *end = strstr(p + 2, "*/");
            p = end ? end + 2 : p + strlen(p);
        } else {
            return p;
        }
    }
}

/* The next token: a word, a text with its quotes, or one character. */
static void advance(ProtoParser *parser)
{
    const char *start = parser->p = skip_blanks(parser->p), *p = start;
    if (*p == '"' || *p == '\'') {
        for (p++; *p && *p != *start; p++)
            p += *p == '\\' && p[1];
        p += *p != 0;
    } else if (is_word(*p)) {
        while (is_word(*p))
            p++;
    } else {
        p += *p != 0;
    }
    parser->token = arena_strndup(parser->arena, start, (size_t)(p - start));
    parser->p = p;
}

static bool at(const ProtoParser *parser, const char *token) { return strcmp(parser->token, token) == 0; }

static bool take(ProtoParser *parser, const char *token)
{
    bool there = at(parser, token);
    if (there)
        advance(parser);
    return there;
}

static bool refuse(ProtoParser *parser, const char *wanted)
{
    if (!parser->reason)
        parser->reason = arena_printf(parser->arena, "expected %s, found '%s'", wanted, parser->token);
    return false;
}

static bool need(ProtoParser *parser, const char *token) { return take(parser, token) || refuse(parser, token); }

static const char *take_word(ProtoParser *parser)
{
    const char *word = parser->token;
    if (!is_word(*word)) {
        refuse(parser, "a name");
        return NULL;
    }
    advance(parser);
    return word;
}

/* To behind the ; that ends a statement, and blocks on the way. */
static bool skip_statement(ProtoParser *parser)
{
    for (int depth = 0; *parser->token;) {
        depth += at(parser, "{") || at(parser, "[");
        bool closes = at(parser, "}") || at(parser, "]"), block = at(parser, "}");
        depth -= closes;
        bool ends = depth == 0 && (at(parser, ";") || (closes && block));
        advance(parser);
        if (ends)
            return true;
    }
    return refuse(parser, "';'");
}

/* ---- declarations ---- */

static bool parse_enum(ProtoParser *parser, ProtoMessage *within)
{
    ProtoEnum *symbols = ARENA_NEW(parser->arena, ProtoEnum);
    symbols->name = take_word(parser);
    if (!symbols->name || !need(parser, "{"))
        return false;
    while (!take(parser, "}")) {
        if (at(parser, "option") || at(parser, "reserved")) {
            if (!skip_statement(parser))
                return false;
            continue;
        }
        if (take(parser, ";"))
            continue;
        ProtoSymbol symbol = { .name = take_word(parser) };
        if (!symbol.name || !need(parser, "="))
            return false;
        symbol.number = strtoll(parser->token, NULL, 0);
        LIST_ADD(parser->arena, &symbols->symbols, symbol);
        if (!skip_statement(parser))
            return false;
    }
    LIST_ADD(parser->arena, &within->enums, symbols);
    return true;
}

static void set_type(ProtoField *field, const char *name)
{
    name += *name == '.';
    field->type_name = name;
    for (int i = 0; i < SIMPLE_COUNT; i++)
        if (strcmp(simple_types[i].name, name) == 0) {
            field->kind = simple_types[i].kind;
            field->wrapped = simple_types[i].wrapped;
            field->type_name = NULL;
        }
    field->nullable |= field->wrapped || (!field->type_name && field->kind >= PROTO_MESSAGE);
}

/* map<K, V> */
static bool parse_map(ProtoParser *parser, ProtoMessage *message, ProtoField *field)
{
    ProtoMessage *entry = ARENA_NEW(parser->arena, ProtoMessage);
    ProtoField key = { .name = "key", .number = 1 }, value = { .name = "value", .number = 2 };
    const char *key_type, *value_type;
    if (!need(parser, "<") || !(key_type = take_word(parser)) || !need(parser, ",") || !(value_type = take_word(parser)) || !need(parser, ">"))
        return false;
    set_type(&key, key_type);
    set_type(&value, value_type);
    entry->parent = message;
    LIST_ADD(parser->arena, &entry->fields, key);
    LIST_ADD(parser->arena, &entry->fields, value);
    field->map = field->repeated = true;
    field->kind = PROTO_MESSAGE;
    field->message = entry;
    return true;
}

static bool parse_field(ProtoParser *parser, ProtoMessage *message, bool one_of)
{
    ProtoField field = { .nullable = one_of };
    if (take(parser, "repeated"))
        field.repeated = true;
    else if (take(parser, "optional"))
        field.nullable = true;
    else
        take(parser, "required");
    const char *type = take_word(parser);
    if (!type)
        return false;
    if (strcmp(type, "map") == 0 && at(parser, "<")) {
        if (!parse_map(parser, message, &field))
            return false;
    } else {
        set_type(&field, type);
    }
    field.name = take_word(parser);
    if (!field.name || !need(parser, "="))
        return false;
    char *end;
    field.number = strtoull(parser->token, &end, 0);
    if (*end || field.number == 0 || field.number > 536870911)
        return refuse(parser, "the number of a field");
    LIST_ADD(parser->arena, &message->fields, field);
    return skip_statement(parser);
}

static bool parse_message(ProtoParser *parser, ProtoMessage *within);

/* What may stand in a message, and in a file. */
static bool parse_part(ProtoParser *parser, ProtoMessage *message, bool file)
{
    if (take(parser, ";"))
        return true;
    if (take(parser, "message"))
        return parse_message(parser, message);
    if (take(parser, "enum"))
        return parse_enum(parser, message);
    bool other = at(parser, "option") || at(parser, "reserved") || at(parser, "extensions") || at(parser, "extend") || at(parser, "service") || at(parser, "syntax") || at(parser, "package") || at(parser, "import");
    if (file || other)
        return other ? skip_statement(parser) : refuse(parser, "a message");
    if (!take(parser, "oneof"))
        return parse_field(parser, message, false);
    if (!take_word(parser) || !need(parser, "{"))
        return false;
    while (!take(parser, "}"))
        if (at(parser, "option") ? !skip_statement(parser) : !parse_field(parser, message, true))
            return false;
    return true;
}

static bool parse_message(ProtoParser *parser, ProtoMessage *within)
{
    ProtoMessage *message = ARENA_NEW(parser->arena, ProtoMessage);
    message->parent = within;
    message->name = take_word(parser);
    LIST_ADD(parser->arena, &within->messages, message);
    if (!message->name || !need(parser, "{"))
        return false;
    if (++parser->depth > PROTO_DEPTH_LIMIT)
        return refuse(parser, "less nesting");
    while (!take(parser, "}"))
        if (!parse_part(parser, message, false))
            return false;
    parser->depth--;
    return true;
}

/* ---- names of types ---- */

/* A message or an enum of that name within this one; `a.b` steps inwards. */
static bool find_within(const ProtoMessage *scope, const char *name, ProtoField *field)
{
    const char *dot = strchr(name, '.');
    size_t length = dot ? (size_t)(dot - name) : strlen(name);
    for (int i = 0; i < scope->messages.count; i++) {
        const ProtoMessage *message = scope->messages.items[i];
        if (strlen(message->name) != length || memcmp(message->name, name, length) != 0)
            continue;
        if (dot)
            return find_within(message, dot + 1, field);
        field->kind = PROTO_MESSAGE;
        field->message = message;
        field->nullable = true;
        return true;
    }
    for (int i = 0; i < scope->enums.count && !dot; i++)
        if (strcmp(scope->enums.items[i]->name, name) == 0) {
            field->kind = PROTO_ENUM;
            field->symbols = scope->enums.items[i];
            return true;
        }
    return false;
}

/* From the inside out; a package before the name is passed over. */
static bool find_type(const ProtoMessage *scope, ProtoField *field)
{
    for (const char *name = field->type_name; name; name = strchr(name, '.') ? strchr(name, '.') + 1 : NULL)
        for (const ProtoMessage *around = scope; around; around = around->parent)
            if (find_within(around, name, field))
                return true;
    return false;
}

static bool resolve(ProtoParser *parser, ProtoMessage *message)
{
    for (int i = 0; i < message->fields.count; i++) {
        ProtoField *field = &message->fields.items[i];
        if (field->map && !resolve(parser, (ProtoMessage *)field->message))
            return false;
        if (field->type_name && !find_type(message, field)) {
            parser->reason = arena_printf(parser->arena, "no type '%s'", field->type_name);
            return false;
        }
    }
    for (int i = 0; i < message->messages.count; i++)
        if (!resolve(parser, message->messages.items[i]))
            return false;
    return true;
}

const ProtoMessage *proto_parse(Arena *arena, const char *text, const char **reason)
{
    ProtoParser parser = { .arena = arena, .p = text };
    ProtoMessage *file = ARENA_NEW(arena, ProtoMessage);
    bool fine = true;
    advance(&parser);
    while (fine && *parser.token)
        fine = parse_part(&parser, file, true);
    fine = fine && resolve(&parser, file);
    *reason = fine ? NULL : parser.reason;
    return fine ? file : NULL;
}

/* ---- columns ---- */

static ProtoKind kind_of(const Type *type)
{
    switch (type->kind) {
    case TYPE_BOOLEAN: return PROTO_BOOL;
    case TYPE_TINYINT: case TYPE_SMALLINT: case TYPE_INT: return PROTO_INT32;
    case TYPE_BIGINT: return PROTO_INT64;
    case TYPE_FLOAT: return PROTO_FLOAT;
    case TYPE_DOUBLE: return PROTO_DOUBLE;
    case TYPE_BYTES: return PROTO_BYTES;
    case TYPE_DECIMAL: return PROTO_DECIMAL;
    case TYPE_DATE: return PROTO_DATE;
    case TYPE_TIME: return PROTO_TIME;
    case TYPE_TIMESTAMP: case TYPE_TIMESTAMP_TZ: return PROTO_TIMESTAMP;
    case TYPE_MAP: case TYPE_STRUCT: return PROTO_MESSAGE;
    default: return PROTO_STRING;
    }
}

ProtoField proto_of_column(Arena *arena, const char *name, int number, const Type *type)
{
    const Type *element = type->kind == TYPE_ARRAY ? type->children[0] : type;
    ProtoField field = { .name = name, .number = (uint64_t)number, .kind = kind_of(element), .repeated = type->kind == TYPE_ARRAY || type->kind == TYPE_MAP, .map = type->kind == TYPE_MAP };
    static const char *const entry[] = { "key", "value" };
    field.nullable = !field.repeated && field.kind >= PROTO_MESSAGE;
    if (field.kind == PROTO_MESSAGE)
        field.message = proto_of_columns(arena, element->child_count, field.map ? entry : element->names, element->children);
    return field;
}

const ProtoMessage *proto_of_columns(Arena *arena, int count, const char *const names[], const Type *const types[])
{
    ProtoMessage *message = ARENA_NEW(arena, ProtoMessage);
    for (int i = 0; i < count; i++) {
        ProtoField field = proto_of_column(arena, names[i], i + 1, types[i]);
        LIST_ADD(arena, &message->fields, field);
    }
    return message;
}

/* ---- writing ---- */

/* Messages are called ConnectDefault1, 2, .. in the order of their fields, as Kafka Connect calls them. */
static void add_message(Text *out, const ProtoMessage *message, int *next, int indent);

static const char *simple_name(const ProtoField *field)
{
    for (int i = 0; i < SIMPLE_COUNT; i++)
        if (simple_types[i].kind == field->kind && !simple_types[i].wrapped)
            return simple_types[i].name;
    return NULL;
}

static void add_field(Text *out, const ProtoField *field, int *next, int indent)
{
    const ProtoField *value = field->map ? &field->message->fields.items[1] : field;
    const char *simple = simple_name(value);
    char name[32];
    if (!simple) {
        snprintf(name, sizeof name, "ConnectDefault%d", *next);
        add_message(out, value->message, next, indent);
        simple = name;
    }
    text_printf(out, field->map ? "%*smap<string, %s> %s = %d;\n" : field->repeated ? "%*srepeated %s %s = %d;\n" : "%*s%s %s = %d;\n", indent, "", simple, field->name, (int)field->number);
}

static void add_message(Text *out, const ProtoMessage *message, int *next, int indent)
{
    text_printf(out, "%*smessage ConnectDefault%d {\n", indent, "", (*next)++);
    for (int i = 0; i < message->fields.count; i++)
        add_field(out, &message->fields.items[i], next, indent + 2);
    text_printf(out, "%*s}\n", indent, "");
}

static bool has_kind(const ProtoMessage *message, ProtoKind kind)
{
    for (int i = 0; i < message->fields.count; i++)
        if (message->fields.items[i].kind == kind || (message->fields.items[i].message && has_kind(message->fields.items[i].message, kind)))
            return true;
    return false;
}

void proto_add_file(Text *out, const ProtoMessage *message)
{
    static const struct { ProtoKind kind; const char *file; } imports[] = { { PROTO_DECIMAL, "confluent/type/decimal.proto" }, { PROTO_TIMESTAMP, "google/protobuf/timestamp.proto" },
                                                                              { PROTO_DATE, "google/type/date.proto" }, { PROTO_TIME, "google/type/timeofday.proto" } };
    int next = 1;
    text_add_c(out, "syntax = \"proto3\";\n");
    for (size_t i = 0; i < sizeof imports / sizeof *imports; i++)
        if (has_kind(message, imports[i].kind))
            text_printf(out, "import \"%s\";\n", imports[i].file);
    add_message(out, message, &next, 0);
}
