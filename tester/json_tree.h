/* tester/json_tree.h: a JSON document as a tree that keeps numbers as they are written. Private to the room. */
#pragma once
#include "common/arena.h"
#include "common/str.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum JsonTreeKind { TREE_NULL, TREE_TRUE, TREE_FALSE, TREE_NUMBER, TREE_STRING, TREE_ARRAY, TREE_OBJECT } JsonTreeKind;

typedef struct JsonTree {
    JsonTreeKind kind;
    const char *text;         /* a string's characters, a number as written; ends with a 0 */
    size_t length;
    const char *name;         /* of a member of an object */
    struct JsonTree *first;   /* elements, members */
    struct JsonTree *next;    /* behind it in the same array or object */
    int count;                /* of elements, members */
} JsonTree;

/* Reads one document; comments (// and those between slash and star) count as blanks. The error has no place in SQL; its text says what is wrong. */
Error *json_tree_read(Arena *arena, const char *text, size_t length, JsonTree **tree);

/* The member of that name, or NULL; NULL, too, where `object` is NULL or something else. */
const JsonTree *json_member(const JsonTree *object, const char *name);
/* Its text if it is a string or number, else NULL. */
const char *json_text(const JsonTree *tree);
bool json_is_null(const JsonTree *tree); /* NULL counts, too */
/* Appends it as JSON without blanks. */
void json_tree_print(const JsonTree *tree, Text *text);

/* What the parser needs: json_tree.c has it. The document is an array or an object; `text` is followed by JSON_TREE_PADDING readable bytes. */
#define JSON_TREE_PADDING 64
typedef struct JsonTreeMaker {
    void *caller;
    JsonTree *(*make)(void *caller, JsonTreeKind kind, const char *text, size_t length); /* copies the text */
    const char *(*name)(void *caller, const char *text, size_t length);
} JsonTreeMaker;
/* NULL, or why the text is no JSON. */
const char *json_tree_parse(const JsonTreeMaker *maker, const char *text, size_t length, JsonTree **tree);

#ifdef __cplusplus
}
#endif
