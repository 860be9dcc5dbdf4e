/* formats/json_locate.c: finds the wanted values of a record whose keys come in any order.
 *
 * One pass that validates and matches. It gives up (false) on anything wrong: json_general.cc then says what. Keys that come in the order
 * of the wanted names are found at the first try. */
#include "formats/json_internal.h"

/* ---- the tree of paths ---- */

static JsonPathNode *child_for(Arena *arena, JsonPathNode *node, const char *name, int column, int *node_count)
{
    for (int i = 0; i < node->child_count; i++)
        if (strcmp(node->children[i]->name, name) == 0)
            return node->children[i];
    JsonPathNode *child = ARENA_NEW(arena, JsonPathNode);
    *child = (JsonPathNode){ .name = name, .name_length = strlen(name), .number = (*node_count)++, .parent = node->number, .column = column, .first_wins = node->first_wins };
    for (int i = 0; i < node->child_count; i++)
        if (name_equal(node->children[i]->name, name))
            node->children[i]->exact_only = child->exact_only = true;
    JsonPathNode **children = ARENA_ARRAY(arena, JsonPathNode *, (size_t)node->child_count + 1);
    for (int i = 0; i < node->child_count; i++)
        children[i] = node->children[i];
    children[node->child_count++] = child;
    node->children = children;
    return child;
}

JsonPathNode *json_paths_build(Arena *arena, const DecodeSpec *spec, int skip, bool first_wins, int *node_count)
{
    JsonPathNode *root = ARENA_NEW(arena, JsonPathNode);
    root->name = skip && spec->column_count ? spec->columns[0].path[0] : "";
    root->parent = -1;
    root->first_wins = first_wins;
    *node_count = 1;
    for (int c = 0; c < spec->column_count; c++) {
        JsonPathNode *node = root;
        for (int i = skip; i < spec->columns[c].path_length; i++)
            node = child_for(arena, node, spec->columns[c].path[i], c, node_count);
        node->wanted = true;
    }
    return root;
}

const JsonPathNode *json_path_node(const JsonPathNode *root, const DecodeColumn *column, int skip)
{
    const JsonPathNode *node = root;
    for (int i = skip; i < column->path_length; i++)
        for (int k = 0; k < node->child_count; k++)
            if (strcmp(node->children[k]->name, column->path[i]) == 0) {
                node = node->children[k];
                break;
            }
    return node;
}

/* ---- the walk ---- */

typedef struct Walk {
    JsonMatch *matches;
    const char *end;
} Walk;

static void forget_below(Walk *walk, const JsonPathNode *node)
{
    for (int i = 0; i < node->child_count; i++) {
        walk->matches[node->children[i]->number] = (JsonMatch){ .key = NULL };
        forget_below(walk, node->children[i]);
    }
}

/* Whether the key names this child and wins over what was found before. False in *certain: two keys differ only in case. */
static bool claim(Walk *walk, const JsonPathNode *child, const JsonToken *key, bool *certain)
{
    JsonMatch *match = &walk->matches[child->number];
    bool exact = key->length - 2 == child->name_length && memcmp(key->bytes + 1, child->name, child->name_length) == 0;
    if (!exact) {
        if (!json_key_equal(key, child->name, child->name_length, true))
            return false;
        exact = json_key_equal(key, child->name, child->name_length, false);
    }
    if (!exact && (match->exact || child->exact_only))
        return false;
    if (match->key || match->exact)
        forget_below(walk, child);
    if (!exact && match->key && (match->key_length != key->length || memcmp(match->key, key->bytes, key->length) != 0))
        *certain = false; /* or the same key with other escapes: the general walk compares what they mean */
    *match = (JsonMatch){ .key = key->bytes, .key_length = key->length, .exact = exact };
    return true;
}

static const char *walk_members(Walk *walk, const char *p, const JsonPathNode *node, int depth);

/* The value at `p` goes to `node` (NULL: nobody); the byte after it, or NULL. */
static const char *walk_value(Walk *walk, const char *p, const JsonPathNode *node, int depth)
{
    const char *bad, *start = p;
    if (p >= walk->end)
        return NULL;
    if (node && node->child_count && *p == '{')
        p = depth < JSON_DEPTH_LIMIT ? walk_members(walk, p + 1, node, depth + 1) : NULL;
    else
        p = json_skip_value(p, walk->end, JSON_DEPTH_LIMIT - depth, &bad);
    if (!p || !node)
        return p;
    JsonKind kind = JSON_NUMBER;
    switch (*start) {
    case '"': kind = JSON_STRING; break;
    case '{': kind = JSON_OBJECT; break;
    case '[': kind = JSON_ARRAY; break;
    case 't': kind = JSON_TRUE; break;
    case 'f': kind = JSON_FALSE; break;
    case 'n': kind = JSON_NULL; break;
    default: break;
    }
    walk->matches[node->number].token = (JsonToken){ start, (uint32_t)(p - start), kind };
    return p;
}

/* The members of an object from after its brace on; the byte after the closing brace, or NULL. */
static const char *walk_members(Walk *walk, const char *p, const JsonPathNode *node, int depth)
{
    const char *end = walk->end;
    int expected = 0;
    p = json_space(p, end);
    if (p < end && *p == '}')
        return p + 1;
    for (;;) {
        if (p >= end || *p != '"')
            return NULL;
        const char *quote = json_string_end(p + 1, end);
        if (!quote)
            return NULL;
        JsonToken key = { p, (uint32_t)(quote + 1 - p), JSON_STRING };
        p = json_space(quote + 1, end);
        if (p >= end || *p != ':')
            return NULL;
        p = json_space(p + 1, end);
        const JsonPathNode *taker = NULL;
        bool certain = true;
        for (int i = 0; i < node->child_count && !taker; i++) {
            int place = expected + i < node->child_count ? expected + i : expected + i - node->child_count;
            if (claim(walk, node->children[place], &key, &certain)) {
                taker = node->children[place];
                expected = place + 1 < node->child_count ? place + 1 : 0;
            }
        }
        if (!certain)
            return NULL;
        p = walk_value(walk, p, taker, depth);
        if (!p)
            return NULL;
        p = json_space(p, end);
        if (p >= end)
            return NULL;
        if (*p == '}')
            return p + 1;
        if (*p != ',')
            return NULL;
        p = json_space(p + 1, end);
    }
}

bool json_locate(const JsonPathNode *root, const char *bytes, size_t length, JsonMatch *matches, int node_count)
{
    memset(matches, 0, sizeof *matches * (size_t)node_count);
    Walk walk = { matches, bytes + length };
    const char *p = json_space(bytes, walk.end);
    if (p >= walk.end || *p != '{')
        return false;
    p = walk_members(&walk, p + 1, root, 1);
    if (!p || json_space(p, walk.end) != walk.end)
        return false;
    matches[0].token = (JsonToken){ bytes, (uint32_t)length, JSON_OBJECT };
    return true;
}

bool json_locate_any(const JsonPathNode *root, const char *bytes, size_t length, JsonMatch *matches, int node_count)
{
    memset(matches, 0, sizeof *matches * (size_t)node_count);
    Walk walk = { matches, bytes + length };
    const char *p = walk_value(&walk, json_space(bytes, walk.end), root, 0);
    return p && json_space(p, walk.end) == walk.end;
}
