/* functions/json_path.c: what stands at a path in a JSON text.
 *
 * A path is $.name[0]["name"][*].* behind SQL's words `lax` and `strict`. In strict mode a path that leads nowhere is an error, in lax mode, and where
 * neither is said, there is just nothing. JSON_VALUE and JSON_QUERY with clauses are calls of several functions: the planner asks json_state which case it is. */
#include "functions/json_reader.h"
#include "functions/functions_internal.h"

#define RESULT(out, CType) ((CType *)(out)->values)
#define ARENA(args) ((args)->evaluation->arena)
/* A vector's Str of 12 bytes or less carries its bytes: spans point into it, so it is taken by its address. */
#define JSON_ARG(args, n, row) (&ARG(args, n, Str, row))
#define STEPS_MAX 1000

/* A step finds a member by its name or, where a number is written, an element; `any` finds all of them. */
typedef struct PathStep {
    const char *name;
    uint32_t length;
    int64_t index;         /* -1: the step is no number */
    bool any;
} PathStep;

typedef struct JsonPath {
    PathStep *items;
    int count, capacity;
    bool strict, any;      /* any: one of the steps is */
} JsonPath;

static void add_step(Arena *arena, JsonPath *path, const char *name, size_t length, bool any)
{
    PathStep step = { name, (uint32_t)length, length && length < 10 ? 0 : -1, any };
    for (size_t i = 0; i < length && step.index >= 0; i++)
        step.index = name[i] >= '0' && name[i] <= '9' ? step.index * 10 + (name[i] - '0') : -1;
    path->any |= any;
    LIST_ADD(arena, path, step);
}

/* Behind ["name"], [0] or [*]; `at` is behind the bracket. NULL: it is none of them. */
static const char *read_subscript(Arena *arena, JsonPath *path, const char *at, const char *end)
{
    char quote = at < end && (*at == '"' || *at == '\'') ? *at : 0;
    const char *start = at + (quote != 0), *stop = memchr(start, quote ? quote : ']', (size_t)(end - start));
    if (!stop || (quote && (stop + 1 == end || stop[1] != ']')))
        return NULL;
    const bool any = !quote && stop == start + 1 && *start == '*';
    int before = path->count;
    add_step(arena, path, start, (size_t)(stop - start), any);
    if (!quote && !any && path->items[before].index < 0)
        return NULL;
    return stop + 1 + (quote != 0);
}

static const char *read_mode(const char *at, const char *end, bool *strict)
{
    static const char *const modes[] = { "lax ", "strict " };
    for (int i = 0; i < 2; i++)
        if ((size_t)(end - at) > strlen(modes[i]) && strncasecmp(at, modes[i], strlen(modes[i])) == 0) {
            *strict = i == 1;
            at += strlen(modes[i]);
            break;
        }
    while (at < end && *at == ' ')
        at++;
    return at;
}

/* False: it is no path. Names are views of the text. */
static bool path_read(Arena *arena, const Str *text, JsonPath *path)
{
    const char *at = str_bytes(text), *end = at + text->length;
    at = read_mode(at, end, &path->strict);
    if (at == end || *at++ != '$')
        return false;
    while (at < end && path->count < STEPS_MAX) {
        const bool dot = *at == '.';
        at += dot;
        if (at < end && *at == '[') { /* also $.['name'] */
            if (!(at = read_subscript(arena, path, at + 1, end)))
                return false;
            continue;
        }
        if (!dot)
            return false;
        const char *start = at;
        while (at < end && *at != '.' && *at != '[')
            at++;
        if (at == start)
            return false;
        add_step(arena, path, start, (size_t)(at - start), at == start + 1 && *start == '*');
    }
    return at == end;
}

#define BAD_PATH "'%.*s' is no JSON path: it looks like $.name[0].name"
#define SHOWN(text) (text)->length < 60 ? (int)(text)->length : 60, str_bytes(text)

static Error *prepare_path(Arena *arena, const Value *const constants[], int count, const void **prepared)
{
    (void)count;
    *prepared = NULL;
    if (!constants[1] || constants[1]->is_null)
        return NULL;
    JsonPath *path = ARENA_NEW(arena, JsonPath);
    Str *text = arena_copy(arena, &constants[1]->text, sizeof *text); /* its bytes may be inside */
    if (!path_read(arena, text, path))
        return error_new(ERR_BIND, BAD_PATH, SHOWN(text));
    *prepared = path;
    return NULL;
}

/* ---- looking ---- */

typedef struct Found {
    int count;
    JsonSpan value;  /* the last one */
    Text *list;      /* all of them as JSON, with commas; NULL: not asked for */
} Found;

static bool step_into(JsonSpan *value, const PathStep *step)
{
    JsonSpan key, item, found = { NULL, NULL };
    int64_t index = 0;
    if (!json_is_object(*value) && !(json_is_array(*value) && step->index >= 0))
        return false;
    bool object = json_is_object(*value);
    for (JsonWalk walk = json_walk(*value); json_next(&walk, &key, &item);) {
        if (object ? json_span_is_text(key, step->name, step->length) : index++ == step->index)
            found = item; /* of equal keys the last one counts */
        if (!object && found.at)
            break;
    }
    *value = found;
    return found.at != NULL;
}

static void follow(const JsonPath *path, int step, JsonSpan value, Found *found)
{
    JsonSpan item;
    for (; step < path->count && !path->items[step].any; step++)
        if (!step_into(&value, &path->items[step]))
            return;
    if (step == path->count) {
        if (found->list) {
            text_add_c(found->list, found->count ? "," : "");
            json_span_compact(value, found->list);
        }
        found->count++;
        found->value = value;
        return;
    }
    if (json_is_object(value) || json_is_array(value))
        for (JsonWalk walk = json_walk(value); json_next(&walk, NULL, &item);)
            follow(path, step + 1, item, found);
}

/* The row's path; NULL: it is none, and the row has failed. */
static const JsonPath *path_of(const Args *args, Vector *out, uint32_t row, JsonPath *made)
{
    if (args->prepared)
        return args->prepared;
    const Str *written = &ARG(args, 1, Str, row);
    if (path_read(ARENA(args), written, made))
        return made;
    args_fail(args, out, row, BAD_PATH, SHOWN(written));
    return NULL;
}

static bool is_scalar(JsonSpan value) { return !json_is_object(value) && !json_is_array(value); }

static Str text_to_str(Arena *arena, const Text *text)
{
    return str_view(text->length > STR_INLINE ? arena_copy(arena, text->bytes, text->length) : text->length ? text->bytes : "", text->length);
}

/* A string's characters, else compact JSON. What needs no change is a view. */
static Str value_text(Arena *arena, JsonSpan value, Text *text)
{
    size_t raw = (size_t)(value.end - value.at);
    if (json_is_string(value) && !memchr(value.at, '\\', raw))
        return str_view(value.at + 1, raw - 2);
    if (!json_is_string(value) && is_scalar(value))
        return str_view(value.at, raw);
    text->length = 0;
    if (json_is_string(value))
        json_span_unescape(value, text);
    else
        json_span_compact(value, text);
    return text_to_str(arena, text);
}

/* ---- functions ---- */

/* The one value at the path: scalars alone, or any. */
static Error *one_value(const Args *args, Vector *out, bool scalars)
{
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    for (ARGS_EACH(args, row)) {
        JsonPath made = { 0 };
        Found found = { 0 };
        JsonSpan root;
        bool whole;
        const JsonPath *path = path_of(args, out, row, &made);
        if (path && json_span_read(JSON_ARG(args, 0, row), &root, &whole))
            follow(path, 0, root, &found);
        if (found.count == 1 && !json_is_null(found.value) && !(scalars && !is_scalar(found.value)))
            RESULT(out, Str)[row] = value_text(ARENA(args), found.value, &text);
        else if (path)
            args_null(args, out, row);
    }
    text_release(&text);
    return NULL;
}

static Error *extract_json_field(const Args *args, Vector *out) { return one_value(args, out, false); }
static Error *json_value(const Args *args, Vector *out) { return one_value(args, out, true); }

static Error *json_exists(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row)) {
        JsonPath made = { 0 };
        Found found = { 0 };
        JsonSpan root;
        bool whole;
        const JsonPath *path = path_of(args, out, row, &made);
        if (path && json_span_read(JSON_ARG(args, 0, row), &root, &whole))
            follow(path, 0, root, &found);
        RESULT(out, uint8_t)[row] = found.count > 0;
    }
    return NULL;
}

/* A third argument says how results are put into an array: 1 if they are no array, 2 always. */
enum { WRAP_NOT, WRAP_SCALARS, WRAP_ALL };

/* Objects and arrays, and with a wrapper anything; false: NULL. */
static bool add_query_result(const JsonPath *path, const Found *found, int64_t wrapper, Text *text)
{
    Text *list = found->list;
    const bool many = path->any;
    if (!many && (found->count == 0 || json_is_null(found->value)))
        return false;
    const bool array = many || json_is_array(found->value);
    const bool wrap = wrapper == WRAP_ALL ? true : wrapper == WRAP_SCALARS ? !array : false;
    if (!wrap && !many && is_scalar(found->value))
        return false;
    text->length = 0;
    text_add_c(text, wrap ? "[" : "");
    text_add_c(text, many ? "[" : "");
    text_add(text, text_c(list), list->length);
    text_add_c(text, many ? "]" : "");
    text_add_c(text, wrap ? "]" : "");
    return true;
}

static Error *json_query(const Args *args, Vector *out)
{
    Text text = { 0 }, list = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    MEMORY_HOLD(text_unwind, &list);
    for (ARGS_EACH(args, row)) {
        JsonPath made = { 0 };
        Found found = { .list = &list };
        JsonSpan root;
        bool whole, read;
        const JsonPath *path = path_of(args, out, row, &made);
        if (!path)
            continue;
        list.length = 0;
        read = json_span_read(JSON_ARG(args, 0, row), &root, &whole);
        if (read)
            follow(path, 0, root, &found);
        if (read && add_query_result(path, &found, args->arg_count > 2 ? ARG(args, 2, int64_t, row) : WRAP_NOT, &text))
            RESULT(out, Str)[row] = text_to_str(ARENA(args), &text);
        else
            args_null(args, out, row);
    }
    text_release(&text);
    text_release(&list);
    return NULL;
}

/* Which of the cases of JSON_VALUE, JSON_QUERY and JSON_EXISTS a row is. */
enum { STATE_FOUND, STATE_EMPTY, STATE_ERROR };
enum { ASKED_VALUE, ASKED_QUERY, ASKED_WRAPPED, ASKED_EXISTS };

static int64_t state_of(const JsonPath *path, const Found *found, int64_t asked)
{
    const int64_t nothing = path->strict ? STATE_ERROR : STATE_EMPTY;
    if (found->count == 0)
        return asked == ASKED_QUERY && path->any ? STATE_FOUND : nothing;
    if (asked == ASKED_EXISTS)
        return STATE_FOUND;
    if (path->any && asked != ASKED_VALUE)
        return STATE_FOUND;
    if (found->count == 1 && json_is_null(found->value))
        return STATE_EMPTY;
    const bool scalar = found->count == 1 && is_scalar(found->value);
    return asked == ASKED_WRAPPED || scalar == (asked == ASKED_VALUE) ? STATE_FOUND : nothing;
}

static Error *json_state(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row)) {
        JsonPath made = { 0 };
        Found found = { 0 };
        JsonSpan root;
        bool whole;
        const JsonPath *path = path_of(args, out, row, &made);
        if (!path)
            continue;
        if (!json_span_read(JSON_ARG(args, 0, row), &root, &whole) || !whole) {
            RESULT(out, int64_t)[row] = STATE_ERROR;
            continue;
        }
        follow(path, 0, root, &found);
        RESULT(out, int64_t)[row] = state_of(path, &found, ARG(args, 2, int64_t, row));
    }
    return NULL;
}

static Error *json_fail(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row))
        args_fail(args, out, row, ARG(args, 0, int64_t, row) == STATE_EMPTY ? "there is nothing at the JSON path" : "the text is no JSON, or its path does not lead to such a value");
    return NULL;
}

#define V TYPE_VARCHAR
#define I TYPE_BIGINT
#define PATH .prepare = prepare_path, .can_fail = true, .category = "json"

const ScalarFunction json_path_functions[] = {
    { "extractjsonfield", { V, V }, V, extract_json_field, PATH, .doc = "What stands at a path: a string's text, anything else as JSON; NULL if there is nothing or null. Elements count from 0.",
      .example = "extractjsonfield('{\"a\": [10, {\"b\": \"x\"}]}', '$.a[1].b')", .yields = "x" },
    { "json_value", { V, V }, V, json_value, PATH,
      .doc = "The scalar at a path as text; NULL if there is none. Clauses: RETURNING type, NULL, ERROR or DEFAULT e ON EMPTY, the same ON ERROR (not JSON, a type that does not fit, nothing there in `strict` mode).",
      .example = "JSON_VALUE('{\"a\": [10]}', '$.a[0]' RETURNING INT DEFAULT -1 ON EMPTY) + 1", .yields = "11" },
    { "json_exists", { V, V }, TYPE_BOOLEAN, json_exists, PATH, .doc = "True when there is something at the path, be it null. TRUE, FALSE, UNKNOWN or ERROR ON ERROR.", .example = "json_exists('{\"a\": [10]}', '$.a[0]')", .yields = "true" },
    { "json_query", { V, V }, V, json_query, PATH,
      .doc = "The object or array at a path, as JSON; NULL if there is something else, or nothing. * stands for all members or elements. Clauses: RETURNING ARRAY<..>, WITH [CONDITIONAL] WRAPPER, NULL, ERROR, EMPTY ARRAY or EMPTY OBJECT ON EMPTY and ON ERROR.",
      .example = "JSON_QUERY('{\"a\": [{\"b\": 1}, {\"b\": 2}]}', '$.a[*].b')", .yields = "[1,2]" },
    { "json_query wrapped", { V, V, I }, V, json_query, PATH, .hidden = true },
    { "json_state", { V, V, I }, I, json_state, PATH, .hidden = true },
    { "json_fail", { I }, V, json_fail, .can_fail = true, .hidden = true, .category = "json" },
    { .name = NULL },
};
