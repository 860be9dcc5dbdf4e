/* tester/json_parse.h: what a JSON document consists of, and the parser behind json_tree.h. C and C++. */
#pragma once
#include <stddef.h>

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

typedef struct JsonTreeMaker {
    void *caller;
    JsonTree *(*make)(void *caller, JsonTreeKind kind, const char *text, size_t length); /* copies the text */
    const char *(*name)(void *caller, const char *text, size_t length);                 /* copies it */
} JsonTreeMaker;

#define JSON_TREE_PADDING 64
/* The document is an array or an object, and JSON_TREE_PADDING readable bytes follow it. NULL, or why it is no JSON. */
const char *json_tree_parse(const JsonTreeMaker *maker, const char *text, size_t length, JsonTree **tree);

#ifdef __cplusplus
}
#endif
