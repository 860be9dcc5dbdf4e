/* tester/conformance_case.c: reads ksqlDB's test files and multiplies their cases by format and configuration. */
#include "tester/conformance_case.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

const char *const case_class_names[CASE_CLASSES] = { "registry formats", "joins", "errors", "rows" };

/* ---- classes ---- */

static bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

static bool has_word(const char *text, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = text; (at = strcasestr(at, word)); at++)
        if ((at == text || !is_word(at[-1])) && !is_word(at[length]))
            return true;
    return false;
}

static bool names_registry_format(const char *text)
{
    static const char *const formats[] = { "'AVRO'", "'PROTOBUF'", "'JSON_SR'" };
    for (size_t i = 0; text && i < sizeof formats / sizeof *formats; i++)
        if (strcasestr(text, formats[i]))
            return true;
    return false;
}

static CaseClass class_of(const JsonTree *tree)
{
    const JsonTree *statements = json_member(tree, "statements");
    bool registry = false, join = false;
    for (const JsonTree *sql = statements ? statements->first : NULL; sql; sql = sql->next) {
        registry |= names_registry_format(json_text(sql));
        join |= json_text(sql) && has_word(json_text(sql), "JOIN");
    }
    return registry ? CASE_REGISTRY : join ? CASE_JOIN : json_member(tree, "expectedException") ? CASE_REFUSAL : CASE_ROWS;
}

/* ---- expansion ---- */

typedef struct Replacement { const char *format, *config; } Replacement;

static const char *replace(Arena *arena, const char *text, const char *what, const char *with)
{
    const char *at = with ? strstr(text, what) : NULL;
    if (!at)
        return text;
    const char *rest = replace(arena, at + strlen(what), what, with);
    return arena_printf(arena, "%.*s%s%s", (int)(at - text), text, with, rest);
}

static JsonTree *expand_tree(Arena *arena, const JsonTree *tree, const Replacement *replacement)
{
    JsonTree *copy = arena_copy(arena, tree, sizeof *tree);
    if (tree->kind == TREE_STRING) {
        copy->text = replace(arena, replace(arena, tree->text, "{FORMAT}", replacement->format), "{CONFIG}", replacement->config);
        copy->length = copy->text == tree->text ? tree->length : strlen(copy->text);
    }
    JsonTree **next = &copy->first;
    for (const JsonTree *item = tree->first; item; item = item->next) {
        *next = expand_tree(arena, item, replacement);
        next = &(*next)->next;
    }
    return copy;
}

/* The property whose values the case goes through. */
static const char *varied_property(const JsonTree *tree)
{
    const JsonTree *properties = json_member(tree, "properties");
    for (const JsonTree *property = properties ? properties->first : NULL; property; property = property->next)
        if (property->kind == TREE_STRING && strcmp(property->text, "{CONFIG}") == 0)
            return property->name;
    return "{CONFIG}";
}

/* ---- files ---- */

static const char *file_title(Arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot = strrchr(name, '.');
    return arena_strndup(arena, name, dot ? (size_t)(dot - name) : strlen(name));
}

static void add_case(Arena *arena, const char *path, const JsonTree *tree, const char *format, const char *config, ConformanceCases *cases)
{
    const char *name = arena_printf(arena, "%s - %s", file_title(arena, path), json_text(json_member(tree, "name")));
    if (format)
        name = arena_printf(arena, "%s - %s", name, format);
    if (config)
        name = arena_printf(arena, "%s - %s=%s", name, varied_property(tree), config);
    const JsonTree *expanded = format || config ? expand_tree(arena, tree, &(Replacement){ format, config }) : tree;
    const JsonTree *enabled = json_member(tree, "enabled");
    ConformanceCase one = { .name = name, .path = path, .tree = expanded, .kind = class_of(expanded), .disabled = enabled && enabled->kind == TREE_FALSE };
    LIST_ADD(arena, cases, one);
}

static void add_cases(Arena *arena, const char *path, const JsonTree *tree, ConformanceCases *cases)
{
    static const JsonTree nothing; /* one turn of a loop, and no value */
    const JsonTree *formats = json_member(tree, "format"), *configs = json_member(tree, "config");
    for (const JsonTree *format = formats && formats->first ? formats->first : &nothing; format; format = format->next)
        for (const JsonTree *config = configs && configs->first ? configs->first : &nothing; config; config = config->next)
            add_case(arena, path, tree, json_text(format), json_text(config), cases);
}

static Error *read_text(const char *path, Text *text)
{
    FILE *in = fopen(path, "r");
    if (!in)
        return error_new(ERR_CONNECT, "cannot open '%s': %s", path, strerror(errno));
    char piece[65536];
    for (size_t got; (got = fread(piece, 1, sizeof piece, in)) > 0;)
        text_add(text, piece, got);
    fclose(in);
    return NULL;
}

Error *conformance_read(Arena *arena, const char *path, ConformanceCases *cases)
{
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    JsonTree *document = NULL;
    Error *error = read_text(path, &text);
    if (!error)
        error = json_tree_read(arena, text_c(&text), text.length, &document);
    text_release(&text);
    if (error)
        return error_context(error, "%s", path);
    const JsonTree *tests = json_member(document, "tests");
    if (!tests || tests->kind != TREE_ARRAY)
        return error_new(ERR_PARSE, "%s: no test file of ksqlDB: it has no array 'tests'", path);
    for (const JsonTree *tree = tests->first; tree; tree = tree->next) {
        if (!json_text(json_member(tree, "name")) || !json_member(tree, "statements"))
            return error_new(ERR_PARSE, "%s: a case without 'name' or 'statements'", path);
        add_cases(arena, path, tree, cases);
    }
    return NULL;
}
