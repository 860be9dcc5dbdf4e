/* formats/json_general.h: the general JSON decoder behind a C interface.
 *
 * simdjson reads every value of a record, wanted or not, so that nothing invalid goes unseen. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define JSON_DEPTH_LIMIT 256 /* objects and arrays within each other, the record included */

typedef enum JsonKind { JSON_MISSING, JSON_NULL, JSON_TRUE, JSON_FALSE, JSON_NUMBER, JSON_STRING, JSON_OBJECT, JSON_ARRAY } JsonKind;

/* A value's text as it stands in the record: strings with their quotes and escapes. */
typedef struct JsonToken {
    const char *bytes;
    uint32_t length;
    JsonKind kind;
} JsonToken;

/* Wanted paths as a tree: `bid.price` and `bid.auction` share the node `bid`. */
typedef struct JsonPathNode {
    const char *name;
    size_t name_length;
    int number;                     /* index into the matches */
    int parent;                     /* its number */
    bool wanted;                    /* a column's path ends here */
    bool exact_only;                /* a sibling's name differs only in case */
    bool first_wins;                /* of different keys that fit without case the first one counts */
    int column;                     /* the first column at or below this node, for messages */
    struct JsonPathNode **children;
    int child_count;
} JsonPathNode;

/* What was found for a node. An exact key beats one that differs in case; of equal keys the last one wins. */
typedef struct JsonMatch {
    JsonToken token;
    const char *key;                /* the key's text as it was matched without case, to see whether it is the only one */
    uint32_t key_length;
    bool exact, ambiguous;
} JsonMatch;

typedef struct JsonGeneral JsonGeneral;
JsonGeneral *json_general_new(void); /* NULL without memory */
void json_general_free(JsonGeneral *general);
extern const char json_general_no_memory[];

/* Validates the record and finds the values of the tree's nodes; matches[0..node_count) are written. NULL: fine; else why it is invalid
 * (or json_general_no_memory). 64 bytes after the record are readable. */
const char *json_general_locate(JsonGeneral *general, const JsonPathNode *root, const char *bytes, size_t length, JsonMatch *matches, int node_count);

#ifdef __cplusplus
}
#endif
