/* formats/protobuf_schema.c: .proto text, read. Of proto3 what says how messages look; services and options are passed over. */
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

bool proto_simple_type(const char *name, ProtoKind *kind, bool *wrapped)
{
    for (int i = 0; i < SIMPLE_COUNT; i++)
        if (strcmp(simple_types[i].name, name) == 0) {
            *kind = simple_types[i].kind;
            *wrapped = simple_types[i].wrapped;
            return true;
        }
    return false;
}

const char *proto_simple_name(ProtoKind kind, bool wrapped)
{
    for (int i = 0; i < SIMPLE_COUNT; i++)
        if (simple_types[i].kind == kind && simple_types[i].wrapped == wrapped)
            return simple_types[i].name;
    return NULL;
}

/* ---- tokens ---- */

typedef struct ProtoParser {
    Arena *arena;
    const char *p;
    const char *token;      /* "" at the end */
    const char *reason;
    const RegisteredSchema *schema; /* what imports are looked for in; NULL: none */
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

void proto_field_type(ProtoField *field, const char *name)
{
    name += *name == '.';
    field->type_name = name;
    if (proto_simple_type(name, &field->kind, &field->wrapped))
        field->type_name = NULL;
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
    proto_field_type(&key, key_type);
    proto_field_type(&value, value_type);
    entry->parent = message;
    LIST_ADD(parser->arena, &entry->fields, key);
    LIST_ADD(parser->arena, &entry->fields, value);
    field->map = field->repeated = true;
    field->kind = PROTO_MESSAGE;
    field->message = entry;
    return true;
}

/* The number in "4"; -1: it is none. */
static int quoted_number(const char *token)
{
    char *end;
    long number = strtol(token + 1, &end, 10);
    return (*token == '"' || *token == '\'') && end > token + 1 && *end == *token && number >= 0 && number <= 38 ? (int)number : -1;
}

/* [(confluent.field_meta) = { params: [{ key: "precision", value: "4" }, ..] }]: a decimal's digits; other options mean nothing here. To behind the ; */
static bool parse_field_options(ProtoParser *parser, ProtoField *field)
{
    const char *key = NULL;
    int number = -1, depth = 0;
    while (*parser->token) {
        if (depth == 0 && take(parser, ";"))
            return true;
        depth += at(parser, "[") || at(parser, "{");
        depth -= at(parser, "]") || at(parser, "}");
        if (at(parser, "{") || at(parser, "}")) {
            key = NULL;
            number = -1;
        }
        bool names = at(parser, "key"), values = at(parser, "value");
        advance(parser);
        if ((names || values) && take(parser, ":")) {
            key = names ? parser->token : key;
            number = values ? quoted_number(parser->token) : number;
        }
        if (key && number >= 0 && strncmp(key + 1, "precision", 9) == 0)
            field->precision = number;
        else if (key && number >= 0 && strncmp(key + 1, "scale", 5) == 0)
            field->scale = number;
    }
    return refuse(parser, "';'");
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
        proto_field_type(&field, type);
    }
    field.name = take_word(parser);
    if (!field.name || !need(parser, "="))
        return false;
    char *end;
    field.number = strtoull(parser->token, &end, 0);
    if (*end || field.number == 0 || field.number > 536870911)
        return refuse(parser, "the number of a field");
    advance(parser);
    bool fine = parse_field_options(parser, &field);
    LIST_ADD(parser->arena, &message->fields, field);
    return fine;
}

static bool parse_message(ProtoParser *parser, ProtoMessage *within);
static bool parse_import(ProtoParser *parser, ProtoMessage *file);

/* What may stand in a message, and in a file. */
static bool parse_part(ProtoParser *parser, ProtoMessage *message, bool file)
{
    if (take(parser, ";"))
        return true;
    if (take(parser, "message"))
        return parse_message(parser, message);
    if (take(parser, "enum"))
        return parse_enum(parser, message);
    if (file && take(parser, "package")) {
        message->package = take_word(parser);
        return message->package && skip_statement(parser);
    }
    if (file && take(parser, "import"))
        return parse_import(parser, message);
    bool other = at(parser, "option") || at(parser, "reserved") || at(parser, "extensions") || at(parser, "extend") || at(parser, "service") || at(parser, "syntax");
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

/* In a file and what it imports, by the name with the package. */
static bool find_in_file(const ProtoMessage *file, const char *name, ProtoField *field, int depth)
{
    size_t length = file->package ? strlen(file->package) : 0;
    if (length && strncmp(file->package, name, length) == 0 && name[length] == '.' && find_within(file, name + length + 1, field))
        return true;
    if (!length && find_within(file, name, field))
        return true;
    for (int i = 0; i < file->imports.count && depth < PROTO_DEPTH_LIMIT; i++)
        if (find_in_file(file->imports.items[i], name, field, depth + 1))
            return true;
    return false;
}

/* From the inside out, then by the name with its package, then by a part of that: a name may leave out what both packages have in common. */
static bool find_type(const ProtoMessage *scope, ProtoField *field)
{
    const ProtoMessage *file = scope;
    for (const ProtoMessage *around = scope; around; around = around->parent) {
        file = around;
        if (find_within(around, field->type_name, field))
            return true;
    }
    if (find_in_file(file, field->type_name, field, 0))
        return true;
    for (const char *package = file->package; package; package = NULL)
        for (size_t length = strlen(package); length; length--)
            if (package[length] == 0 || package[length] == '.') {
                char name[512];
                int written = snprintf(name, sizeof name, "%.*s.%s", (int)length, package, field->type_name);
                if (written > 0 && (size_t)written < sizeof name && find_in_file(file, name, field, 0))
                    return true;
            }
    return false;
}

static bool resolve(ProtoParser *parser, ProtoMessage *message)
{
    for (int i = 0; i < message->fields.count; i++) {
        ProtoField *field = &message->fields.items[i];
        if (field->map && field->message && !field->message->is_entry && !resolve(parser, (ProtoMessage *)field->message))
            return false;
        if (field->type_name && !find_type(message, field)) {
            parser->reason = arena_printf(parser->arena, "no type '%s'", field->type_name);
            return false;
        }
        if (field->message && field->message->is_entry && field->message->fields.count == 2)
            field->map = field->repeated = true;
    }
    for (int i = 0; i < message->messages.count; i++)
        if (!resolve(parser, message->messages.items[i]))
            return false;
    return true;
}

/* ---- files ---- */

/* Google's common files, as far as .proto files are likely to ask for them. */
static const struct { const char *name, *text; } common_files[] = {
    { "google/protobuf/any.proto", "package google.protobuf; message Any { string type_url = 1; bytes value = 2; }" },
    { "google/protobuf/duration.proto", "package google.protobuf; message Duration { int64 seconds = 1; int32 nanos = 2; }" },
    { "google/protobuf/empty.proto", "package google.protobuf; message Empty { }" },
    { "google/protobuf/field_mask.proto", "package google.protobuf; message FieldMask { repeated string paths = 1; }" },
    { "google/protobuf/struct.proto", "package google.protobuf; message Struct { map<string, Value> fields = 1; } message ListValue { repeated Value values = 1; } enum NullValue { NULL_VALUE = 0; }"
      " message Value { oneof kind { NullValue null_value = 1; double number_value = 2; string string_value = 3; bool bool_value = 4; Struct struct_value = 5; ListValue list_value = 6; } }" },
    { "google/type/money.proto", "package google.type; message Money { string currency_code = 1; int64 units = 2; int32 nanos = 3; }" },
    { "google/type/latlng.proto", "package google.type; message LatLng { double latitude = 1; double longitude = 2; }" },
};

static ProtoMessage *read_file(ProtoParser *around, const RegisteredSchema *schema);

/* One that the schema refers to, or a common one. Others (of options, mostly) are missed where one of their types is used. */
static bool add_import(ProtoParser *parser, ProtoMessage *file, const char *name)
{
    RegisteredSchema common = { 0 };
    const RegisteredSchema *found = NULL;
    for (int i = 0; parser->schema && i < parser->schema->reference_count && !found; i++)
        if (strcmp(parser->schema->references[i].name, name) == 0)
            found = parser->schema->references[i].schema;
    for (size_t i = 0; i < sizeof common_files / sizeof *common_files && !found; i++)
        if (strcmp(common_files[i].name, name) == 0) {
            common.text = common_files[i].text;
            found = &common;
        }
    const ProtoMessage *imported = found ? read_file(parser, found) : NULL;
    if (found && !imported)
        return false;
    if (imported)
        LIST_ADD(parser->arena, &file->imports, imported);
    return true;
}

/* import "event.proto"; */
static bool parse_import(ProtoParser *parser, ProtoMessage *file)
{
    if (at(parser, "public") || at(parser, "weak"))
        advance(parser);
    size_t length = strlen(parser->token);
    const char *name = length >= 2 ? arena_strndup(parser->arena, parser->token + 1, length - 2) : "";
    return add_import(parser, file, name) && skip_statement(parser);
}

static ProtoMessage *read_descriptor(ProtoParser *parser)
{
    ProtoNames imports = { 0 };
    ProtoMessage *file = proto_descriptor_read(parser->arena, parser->p, &imports);
    for (int i = 0; file && i < imports.count; i++)
        if (!add_import(parser, file, imports.items[i]))
            return NULL;
    if (!file)
        parser->reason = "its descriptor is broken";
    return file;
}

static ProtoMessage *read_text(ProtoParser *parser)
{
    ProtoMessage *file = ARENA_NEW(parser->arena, ProtoMessage);
    bool fine = true;
    advance(parser);
    while (fine && *parser->token)
        fine = parse_part(parser, file, true);
    return fine ? file : NULL;
}

/* A file; around: what imports it. */
static ProtoMessage *read_file(ProtoParser *around, const RegisteredSchema *schema)
{
    ProtoParser parser = { .arena = around->arena, .p = schema->text, .schema = schema, .depth = around->depth + 1 };
    bool fine = parser.depth < PROTO_DEPTH_LIMIT;
    if (!fine)
        parser.reason = "its files import each other too deeply";
    ProtoMessage *file = !fine ? NULL : proto_is_descriptor(schema->text) ? read_descriptor(&parser) : read_text(&parser);
    fine = file && resolve(&parser, file);
    if (!fine)
        around->reason = parser.reason;
    return fine ? file : NULL;
}

const ProtoMessage *proto_file_read(Arena *arena, const RegisteredSchema *schema, const char **reason)
{
    ProtoParser none = { .arena = arena, .depth = -1, .p = "", .token = "" };
    const ProtoMessage *file = read_file(&none, schema);
    *reason = none.reason;
    return file;
}

const ProtoMessage *proto_parse(Arena *arena, const char *text, const char **reason)
{
    RegisteredSchema schema = { .text = text };
    return proto_file_read(arena, &schema, reason);
}

/* ---- finding ---- */

const ProtoField *proto_field_named(const ProtoMessage *message, const char *name)
{
    for (int i = 0; i < message->fields.count; i++)
        if (strcmp(message->fields.items[i].name, name) == 0)
            return &message->fields.items[i];
    for (int i = 0; i < message->fields.count; i++)
        if (name_equal(message->fields.items[i].name, name))
            return &message->fields.items[i];
    return NULL;
}

/* The message at a name with dots within another one. */
static const ProtoMessage *named_within(const ProtoMessage *scope, const char *name, int path[], int limit, int *depth)
{
    for (int i = 0; i < scope->messages.count && *depth < limit; i++) {
        const ProtoMessage *message = scope->messages.items[i];
        size_t length = strlen(message->name);
        if (strncmp(message->name, name, length) != 0 || (name[length] && name[length] != '.'))
            continue;
        path[(*depth)++] = i;
        const ProtoMessage *found = name[length] ? named_within(message, name + length + 1, path, limit, depth) : message;
        if (found)
            return found;
        --*depth;
    }
    return NULL;
}

const ProtoMessage *proto_message_named(const ProtoMessage *file, const char *name, int path[], int limit, int *depth)
{
    *depth = 0;
    if (!name) {
        path[(*depth)++] = 0;
        return file->messages.count ? file->messages.items[0] : NULL;
    }
    size_t length = file->package ? strlen(file->package) : 0;
    if (length && strncmp(file->package, name, length) == 0 && name[length] == '.')
        name += length + 1;
    return named_within(file, name, path, limit, depth);
}
