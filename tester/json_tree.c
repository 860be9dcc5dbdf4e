/* tester/json_tree.c: JSON documents as trees. */
#include "tester/json_tree.h"

#include <string.h>

#include "common/value_text.h"

static JsonTree *make(void *caller, JsonTreeKind kind, const char *text, size_t length)
{
    JsonTree *tree = ARENA_NEW((Arena *)caller, JsonTree);
    tree->kind = kind;
    tree->text = arena_strndup(caller, text, length);
    tree->length = length;
    return tree;
}

static const char *copy_name(void *caller, const char *text, size_t length) { return arena_strndup(caller, text, length); }

/* The end of the comment that begins at `at`, or NULL if none does. */
static char *comment_end(char *at)
{
    char *end = NULL;
    if (at[0] == '/' && at[1] == '/')
        end = at + strcspn(at, "\n");
    else if (at[0] == '/' && at[1] == '*' && (end = strstr(at + 2, "*/")))
        end += 2;
    return end;
}

static void blank_comments(char *text)
{
    for (char *at = text; *at;) {
        char *end = comment_end(at);
        if (end) {
            memset(at, ' ', (size_t)(end - at));
            at = end;
        } else if (*at++ == '"') {
            for (; *at && *at != '"'; at++)
                if (*at == '\\' && at[1])
                    at++;
            at += *at == '"';
        }
    }
}

Error *json_tree_read(Arena *arena, const char *text, size_t length, JsonTree **tree)
{
    char *copy = arena_calloc(arena, 1, length + 2 + JSON_TREE_PADDING); /* wrapped, see json_tree_parse */
    copy[0] = '[';
    memcpy(copy + 1, text, length);
    blank_comments(copy);
    copy[length + 1] = ']';
    JsonTreeMaker maker = { .caller = arena, .make = make, .name = copy_name };
    JsonTree *wrapped = NULL;
    const char *reason = json_tree_parse(&maker, copy, length + 2, &wrapped);
    if (!reason && wrapped->count != 1)
        reason = wrapped->count ? "more than one value" : "nothing there";
    if (reason)
        return error_new(ERR_PARSE, "no JSON: %s", reason);
    *tree = wrapped->first;
    return NULL;
}

const JsonTree *json_member(const JsonTree *object, const char *name)
{
    if (object && object->kind == TREE_OBJECT)
        for (const JsonTree *member = object->first; member; member = member->next)
            if (strcmp(member->name, name) == 0)
                return member;
    return NULL;
}

const char *json_text(const JsonTree *tree) { return tree && (tree->kind == TREE_STRING || tree->kind == TREE_NUMBER) ? tree->text : NULL; }

bool json_is_null(const JsonTree *tree) { return !tree || tree->kind == TREE_NULL; }

void json_tree_print(const JsonTree *tree, Text *text)
{
    switch (tree->kind) {
    case TREE_NULL: text_add_c(text, "null"); return;
    case TREE_TRUE: text_add_c(text, "true"); return;
    case TREE_FALSE: text_add_c(text, "false"); return;
    case TREE_NUMBER: text_add(text, tree->text, tree->length); return;
    case TREE_STRING: text_add_json_string(text, tree->text, tree->length); return;
    case TREE_ARRAY:
    case TREE_OBJECT: break;
    }
    bool object = tree->kind == TREE_OBJECT;
    text_add_char(text, object ? '{' : '[');
    for (const JsonTree *item = tree->first; item; item = item->next) {
        if (item != tree->first)
            text_add_char(text, ',');
        if (object) {
            text_add_json_string(text, item->name, strlen(item->name));
            text_add_char(text, ':');
        }
        json_tree_print(item, text);
    }
    text_add_char(text, object ? '}' : ']');
}
