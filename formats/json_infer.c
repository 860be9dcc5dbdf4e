/* formats/json_infer.c: guesses a schema from the first records.
 *
 * Keys in the order in which they were first seen. A value widens what its column was: NULL -> anything, BIGINT -> DOUBLE, DATE ->
 * TIMESTAMP, two that do not go together -> VARCHAR. Objects become STRUCTs, arrays ARRAYs. */
#include "formats/infer.h"
#include "formats/json_internal.h"

typedef struct Guess Guess;
struct Guess {
    InferKind kind;
    int child_count, child_capacity;
    const char **names;   /* STRUCT */
    Guess **children;     /* STRUCT fields; ARRAY: the element */
};

static void widen(Guess *guess, InferKind kind) { guess->kind = infer_widen(guess->kind, kind); }

static Guess *child_named(Arena *arena, Guess *guess, const char *name, size_t length)
{
    for (int i = 0; i < guess->child_count; i++)
        if (strlen(guess->names[i]) == length && memcmp(guess->names[i], name, length) == 0)
            return guess->children[i];
    if (guess->child_count == guess->child_capacity) {
        int capacity = guess->child_capacity ? guess->child_capacity * 2 : 8;
        const char **names = ARENA_ARRAY(arena, const char *, (size_t)capacity);
        Guess **children = ARENA_ARRAY(arena, Guess *, (size_t)capacity);
        for (int i = 0; i < guess->child_count; i++) {
            names[i] = guess->names[i];
            children[i] = guess->children[i];
        }
        guess->names = names;
        guess->children = children;
        guess->child_capacity = capacity;
    }
    guess->names[guess->child_count] = arena_strndup(arena, name, length);
    return guess->children[guess->child_count++] = ARENA_NEW(arena, Guess);
}

static void look(Arena *arena, Guess *guess, const JsonToken *token);

static void look_at_object(Arena *arena, Guess *guess, const JsonToken *object)
{
    JsonToken key, value;
    for (const char *p = NULL; json_next_member(object, &p, &key, &value);) {
        char *name = arena_alloc(arena, key.length);
        size_t length = json_unescape(key.bytes + 1, key.length - 2, name);
        if (length && !memchr(name, 0, length)) /* what no name can be is left out */
            look(arena, child_named(arena, guess, name, length), &value);
    }
}

static void look(Arena *arena, Guess *guess, const JsonToken *token)
{
    switch (token->kind) {
    case JSON_MISSING: case JSON_NULL: return;
    case JSON_TRUE: case JSON_FALSE: widen(guess, INFER_BOOLEAN); return;
    case JSON_NUMBER: widen(guess, infer_number(token->bytes, token->length)); return;
    case JSON_STRING: widen(guess, infer_time(token->bytes + 1, token->length - 2)); return;
    case JSON_OBJECT:
        widen(guess, INFER_STRUCT);
        if (guess->kind == INFER_STRUCT)
            look_at_object(arena, guess, token);
        return;
    case JSON_ARRAY: {
        widen(guess, INFER_ARRAY);
        if (guess->kind != INFER_ARRAY)
            return;
        Guess *element = child_named(arena, guess, "element", 7);
        JsonToken value;
        for (const char *p = NULL; json_next_element(token, &p, &value);)
            look(arena, element, &value);
        return;
    }
    }
}

static const Type *type_of(Arena *arena, const Guess *guess)
{
    if (guess->kind == INFER_ARRAY)
        return type_array(arena, guess->child_count ? type_of(arena, guess->children[0]) : type_scalar(TYPE_VARCHAR));
    if (guess->kind != INFER_STRUCT || guess->child_count == 0)
        return infer_type(guess->kind);
    const Type **types = ARENA_ARRAY(arena, const Type *, (size_t)guess->child_count);
    for (int i = 0; i < guess->child_count; i++)
        types[i] = type_of(arena, guess->children[i]);
    return type_struct(arena, guess->child_count, guess->names, types);
}

Error *json_infer(Arena *arena, const void *options, const char *sample, size_t length, Schema **schema)
{
    (void)options;
    Guess root = { .kind = INFER_STRUCT };
    const char *end = sample + length;
    if (length >= 3 && memcmp(sample, "\xEF\xBB\xBF", 3) == 0)
        sample += 3;
    for (const char *p = sample, *next; p < end; p = next) {
        const char *newline = memchr(p, '\n', (size_t)(end - p)), *bad;
        const char *stop = newline ? newline : end;
        next = newline ? newline + 1 : end;
        p = json_space(p, stop);
        const char *after = p < stop && *p == '{' ? json_skip_value(p, stop, JSON_DEPTH_LIMIT, &bad) : NULL;
        if (!after || json_space(after, stop) != stop)
            continue; /* the sample's end, or what decoding will call a bad record */
        JsonToken record = { p, (uint32_t)(after - p), JSON_OBJECT };
        look_at_object(arena, &root, &record);
    }
    if (root.child_count == 0)
        return error_new(ERR_BIND, "no JSON object in the first %zu bytes to take the columns from", length);
    *schema = ARENA_NEW(arena, Schema);
    (*schema)->column_count = root.child_count;
    (*schema)->columns = ARENA_ARRAY(arena, Column, (size_t)root.child_count);
    for (int i = 0; i < root.child_count; i++)
        (*schema)->columns[i] = (Column){ .name = root.names[i], .type = type_of(arena, root.children[i]) };
    return NULL;
}
