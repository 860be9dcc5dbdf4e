/* functions/like.c: LIKE with % and _, which stands for one character, not one byte.
 *
 * A constant pattern is taken apart once: most are 'x', 'x%', '%x' or '%x%', which need no matcher. */
#include "functions/functions_internal.h"

typedef enum Shape { SHAPE_EQUAL, SHAPE_PREFIX, SHAPE_SUFFIX, SHAPE_CONTAINS, SHAPE_GENERAL } Shape;

/* Escapes resolved: wild[i] tells whether code[i] is a wildcard. */
typedef struct Pattern {
    Shape shape;
    char *code;
    bool *wild;
    size_t length;
    const char *literal; /* all but SHAPE_GENERAL */
    size_t literal_length;
} Pattern;

static const char *const bad_escape = "the escape character must stand before %, _ or itself";

/* False: a lonely escape character. */
static bool pattern_read(Arena *arena, const char *bytes, size_t length, char escape, Pattern *pattern)
{
    pattern->code = arena_alloc(arena, length + 1);
    pattern->wild = arena_alloc(arena, length + 1);
    pattern->length = 0;
    for (size_t i = 0; i < length; i++) {
        bool escaped = escape && bytes[i] == escape;
        if (escaped && (++i == length || (bytes[i] != '%' && bytes[i] != '_' && bytes[i] != escape)))
            return false;
        pattern->wild[pattern->length] = !escaped && (bytes[i] == '%' || bytes[i] == '_');
        pattern->code[pattern->length++] = bytes[i];
    }
    return true;
}

static void pattern_classify(Pattern *pattern)
{
    size_t length = pattern->length, wild_count = 0;
    bool any_single = false;
    for (size_t i = 0; i < length; i++) {
        wild_count += pattern->wild[i];
        any_single |= pattern->wild[i] && pattern->code[i] == '_';
    }
    bool leading = length && pattern->wild[0], trailing = length > 1 && pattern->wild[length - 1];
    pattern->shape = SHAPE_GENERAL;
    pattern->literal = pattern->code + leading;
    pattern->literal_length = length - leading - trailing;
    if (any_single || wild_count > (size_t)leading + trailing)
        return;
    pattern->shape = leading && trailing ? SHAPE_CONTAINS : leading ? SHAPE_SUFFIX : trailing ? SHAPE_PREFIX : SHAPE_EQUAL;
}

static size_t character_length(const char *bytes, const char *end)
{
    size_t length = 1;
    while (bytes + length < end && ((unsigned char)bytes[length] & 0xC0) == 0x80)
        length++;
    return length;
}

/* Goes back to the last % only, so the time is bounded by text x pattern. */
static bool match_general(const Pattern *pattern, const char *bytes, size_t length)
{
    const char *at = bytes, *end = bytes + length, *retry_at = NULL;
    size_t p = 0, retry_p = 0;
    while (at < end) {
        if (p < pattern->length && pattern->wild[p] && pattern->code[p] == '%') {
            retry_p = ++p;
            retry_at = at;
        } else if (p < pattern->length && pattern->wild[p]) {
            at += character_length(at, end);
            p++;
        } else if (p < pattern->length && pattern->code[p] == *at) {
            at++;
            p++;
        } else if (retry_at) {
            retry_at += character_length(retry_at, end);
            at = retry_at;
            p = retry_p;
        } else {
            return false;
        }
    }
    while (p < pattern->length && pattern->wild[p] && pattern->code[p] == '%')
        p++;
    return p == pattern->length;
}

static bool matches(const Pattern *pattern, const Str *text)
{
    const char *bytes = str_bytes(text);
    size_t length = text->length, literal = pattern->literal_length;
    switch (pattern->shape) {
    case SHAPE_EQUAL: return length == literal && memcmp(bytes, pattern->literal, literal) == 0;
    case SHAPE_PREFIX: return length >= literal && memcmp(bytes, pattern->literal, literal) == 0;
    case SHAPE_SUFFIX: return length >= literal && memcmp(bytes + length - literal, pattern->literal, literal) == 0;
    case SHAPE_CONTAINS: return memmem(bytes, length, pattern->literal, literal) != NULL;
    case SHAPE_GENERAL: return match_general(pattern, bytes, length);
    }
    return false;
}

/* 0: none. False: not one ASCII character. */
static bool escape_of(const Str *text, char *escape)
{
    *escape = text->length ? *str_bytes(text) : 0;
    return text->length == 1 && (unsigned char)*escape < 0x80;
}

static Error *prepare_like(Arena *arena, const Value *const constants[], int count, const void **prepared)
{
    char escape = 0;
    if (count > 2 && constants[2] && !constants[2]->is_null && !escape_of(&constants[2]->text, &escape))
        return error_new(ERR_BIND, "ESCAPE needs one character");
    if (!constants[1] || constants[1]->is_null || (count > 2 && (!constants[2] || constants[2]->is_null)))
        return NULL;
    Pattern *pattern = ARENA_NEW(arena, Pattern);
    if (!pattern_read(arena, str_bytes(&constants[1]->text), constants[1]->text.length, escape, pattern))
        return error_new(ERR_BIND, "%s", bad_escape);
    pattern_classify(pattern);
    *prepared = pattern;
    return NULL;
}

bool like_matches(Arena *arena, const char *text, size_t length, const char *code)
{
    Pattern pattern;
    return pattern_read(arena, code, strlen(code), 0, &pattern) && match_general(&pattern, text, length);
}

static Error *like(const Args *args, Vector *out)
{
    uint8_t *result = out->values;
    const Pattern *prepared = args->prepared;
    for (ARGS_EACH(args, row)) {
        const Str *text = &ARG(args, 0, Str, row);
        if (prepared) {
            result[row] = matches(prepared, text);
            continue;
        }
        const Str *code = &ARG(args, 1, Str, row);
        Pattern pattern;
        char escape = 0;
        if (args->arg_count > 2 && !escape_of(&ARG(args, 2, Str, row), &escape)) {
            args_fail(args, out, row, "ESCAPE needs one character");
            continue;
        }
        if (!pattern_read(args->evaluation->arena, str_bytes(code), code->length, escape, &pattern)) {
            args_fail(args, out, row, "%s", bad_escape);
            continue;
        }
        result[row] = match_general(&pattern, str_bytes(text), text->length);
    }
    return NULL;
}

const ScalarFunction like_functions[] = {
    { "like", { TYPE_VARCHAR, TYPE_VARCHAR }, TYPE_BOOLEAN, like, .prepare = prepare_like, .hidden = true, .category = "operator" },
    { "like", { TYPE_VARCHAR, TYPE_VARCHAR, TYPE_VARCHAR }, TYPE_BOOLEAN, like, .prepare = prepare_like, .can_fail = true, .hidden = true, .category = "operator" },
    { .name = NULL },
};
