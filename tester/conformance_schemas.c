/* tester/conformance_schemas.c: schemas of the topics of a case. */
#include "tester/conformance_schemas.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_word(char c) { return isalnum((unsigned char)c) || c == '_' || c == '-'; }

static bool names(const char *sql, const char *topic)
{
    size_t length = strlen(topic);
    for (const char *at = sql; (at = strcasestr(at, topic)); at++)
        if ((at == sql || !is_word(at[-1])) && !is_word(at[length]))
            return true;
    return false;
}

/* .proto text is no JSON; Avro and JSON Schema are told apart by the format's name. */
static const char *schema_type(const JsonTree *schema, const char *format)
{
    if (format && strcasecmp(format, "protobuf") == 0)
        return "PROTOBUF";
    if (format && (strcasecmp(format, "json") == 0 || strcasecmp(format, "json_sr") == 0))
        return "JSON";
    const char *text = json_text(schema);
    return !format && text && strstr(text, "message") ? "PROTOBUF" : "AVRO";
}

static Error *put(Arena *arena, const JsonTree *tree, const char *type, const char *subject, int32_t id, const SchemaReference *references, int count, SchemaRegistry *registry, const RegisteredSchema **result)
{
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    if (strcmp(type, "PROTOBUF") == 0)
        text_add_c(&text, json_text(tree));
    else
        json_tree_print(tree, &text);
    RegisteredSchema schema = { .type = type, .text = arena_strdup(arena, text_c(&text)), .references = references, .reference_count = count };
    text_release(&text);
    return schema_registry_put_as(registry, subject, &schema, id, result);
}

static Error *put_part(Arena *arena, const JsonTree *topic, const char *part, SchemaRegistry *registry)
{
    const char *name = json_text(json_member(topic, "name")), *format = json_text(json_member(topic, arena_printf(arena, "%sFormat", part)));
    const JsonTree *schema = json_member(topic, arena_printf(arena, "%sSchema", part)), *others = json_member(topic, arena_printf(arena, "%sSchemaReferences", part));
    const char *id = json_text(json_member(topic, arena_printf(arena, "%sSchemaId", part)));
    struct { SchemaReference *items; int count, capacity; } references = { 0 };
    const RegisteredSchema *registered = NULL;
    if (!schema)
        return NULL;
    for (const JsonTree *other = others ? others->first : NULL; other; other = other->next) {
        SchemaReference reference = { .name = json_text(json_member(other, "name")), .subject = json_text(json_member(other, "name")), .version = 1 };
        const JsonTree *text = json_member(other, "schema");
        if (!reference.name || !text)
            continue;
        TRY(put(arena, text, schema_type(text, json_text(json_member(other, "format"))), reference.subject, 0, NULL, 0, registry, &reference.schema));
        LIST_ADD(arena, &references, reference);
    }
    return put(arena, schema, schema_type(schema, format), arena_printf(arena, "%s-%s", name, part), id ? (int32_t)strtol(id, NULL, 10) : 0, references.items, references.count, registry, &registered);
}

Error *conformance_schemas(Arena *arena, const JsonTree *test, const char *sql, SchemaRegistry *registry)
{
    const JsonTree *topics = json_member(test, "topics");
    for (const JsonTree *topic = topics ? topics->first : NULL; topic; topic = topic->next) {
        const char *name = json_text(json_member(topic, "name"));
        if (!name || (sql && !names(sql, name)))
            continue;
        TRY(put_part(arena, topic, "key", registry));
        TRY(put_part(arena, topic, "value", registry));
    }
    return NULL;
}
