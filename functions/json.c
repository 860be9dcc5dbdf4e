/* functions/json.c: JSON in VARCHAR columns. What is not well-formed JSON, or not of the kind a function asks for, gives NULL. */
#include <stdlib.h>
#include "functions/json_reader.h"
#include "functions/lists.h"

#include "common/decimal.h"
#include "common/value_text.h"

#define RESULT(out, CType) ((CType *)(out)->values)
#define ARENA(args) ((args)->evaluation->arena)

static Str text_to_str(Arena *arena, const Text *text)
{
    return str_view(text->length > STR_INLINE ? arena_copy(arena, text->bytes, text->length) : text->length ? text->bytes : "", text->length);
}

/* The text of a value: a string's characters, else compact JSON. What needs no change is a view. */
static Str value_text(Arena *arena, JsonSpan value, Text *text)
{
    size_t raw = (size_t)(value.end - value.at);
    if (json_is_string(value) && !memchr(value.at, '\\', raw))
        return str_view(value.at + 1, raw - 2);
    if (!json_is_string(value) && !json_is_object(value) && !json_is_array(value))
        return str_view(value.at, raw);
    text->length = 0;
    if (json_is_string(value))
        json_span_unescape(value, text);
    else
        json_span_compact(value, text);
    return text_to_str(arena, text);
}

/* The whole text is one well-formed value. */
static bool read_whole(const Str *text, JsonSpan *value)
{
    bool whole;
    return json_span_read(text, value, &whole) && whole;
}

/* A vector's Str of 12 bytes or less carries its bytes: spans point into it, so it is taken by its address. */
#define JSON_ARG(args, n, row) (&ARG(args, n, Str, row))

static Error *json_quote(const Args *args, Vector *out)
{
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    for (ARGS_EACH(args, row)) {
        text.length = 0;
        text_add_json_string(&text, str_bytes(&ARG(args, 0, Str, row)), ARG(args, 0, Str, row).length);
        RESULT(out, Str)[row] = text_to_str(ARENA(args), &text);
    }
    text_release(&text);
    return NULL;
}

/* What is no JSON string stays as it is. */
static Error *json_unquote(const Args *args, Vector *out)
{
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    for (ARGS_EACH(args, row)) {
        const Str *written = &ARG(args, 0, Str, row);
        JsonSpan value;
        bool whole;
        RESULT(out, Str)[row] = *written;
        if (!json_span_read(written, &value, &whole) || !whole || !json_is_string(value))
            continue;
        text.length = 0;
        json_span_unescape(value, &text);
        RESULT(out, Str)[row] = text_to_str(ARENA(args), &text);
    }
    text_release(&text);
    return NULL;
}

/* ---- asking ---- */

static Error *is_json_string(const Args *args, Vector *out)
{
    JsonSpan value;
    for (ARGS_EACH(args, row))
        RESULT(out, uint8_t)[row] = !vector_is_null(args->arg[0], row) && read_whole(JSON_ARG(args, 0, row), &value);
    return NULL;
}

/* x IS JSON ARRAY: of that kind? */
static Error *is_json_kind(const Args *args, Vector *out)
{
    static const char *const kinds[] = { "VALUE", "SCALAR", "ARRAY", "OBJECT" };
    JsonSpan value;
    for (ARGS_EACH(args, row)) {
        const Str *wanted = &ARG(args, 1, Str, row);
        int kind = 0;
        while (kind < 4 && !(wanted->length == strlen(kinds[kind]) && strncasecmp(str_bytes(wanted), kinds[kind], wanted->length) == 0))
            kind++;
        if (kind == 4) {
            args_fail(args, out, row, "JSON is VALUE, SCALAR, ARRAY or OBJECT, not '%.*s'", (int)wanted->length, str_bytes(wanted));
            continue;
        }
        if (vector_is_null(args->arg[0], row) || !read_whole(JSON_ARG(args, 0, row), &value))
            continue;
        const int is = json_is_array(value) ? 2 : json_is_object(value) ? 3 : 1;
        RESULT(out, uint8_t)[row] = kind == 0 || kind == is;
    }
    return NULL;
}

static Error *json_array_length(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row)) {
        JsonSpan value, item;
        if (!read_whole(JSON_ARG(args, 0, row), &value) || !json_is_array(value)) {
            args_null(args, out, row);
            continue;
        }
        for (JsonWalk walk = json_walk(value); json_next(&walk, NULL, &item);)
            RESULT(out, int64_t)[row]++;
    }
    return NULL;
}

static bool number_equal(JsonSpan item, const Vector *wanted, uint32_t row)
{
    double token, number;
    size_t length = (size_t)(item.end - item.at);
    row &= vector_mask(wanted);
    if (!json_is_number(item) || !double_parse(item.at, length, &token))
        return false;
    if (type_physical(wanted->type) == PHYSICAL_DOUBLE)
        return token == ((const double *)wanted->values)[row];
    bool wide = type_physical(wanted->type) == PHYSICAL_INT128;
    Int128 exact = decimal_at(wanted->values, wide, row), parsed;
    number = decimal_to_double(exact, scale_of(wanted->type));
    return token == number && decimal_parse(item.at, length, DECIMAL_MAX_PRECISION, scale_of(wanted->type), &parsed) && parsed == exact;
}

static bool item_equal(JsonSpan item, const Vector *wanted, uint32_t row, const Text *json, Text *spare)
{
    if (vector_is_null(wanted, row))
        return json_is_null(item);
    if (type_is_numeric(wanted->type))
        return number_equal(item, wanted, row);
    if (wanted->type->kind == TYPE_VARCHAR) {
        const Str *text = &((const Str *)wanted->values)[row & vector_mask(wanted)];
        return json_is_string(item) && json_span_is_text(item, str_bytes(text), text->length);
    }
    spare->length = 0;
    json_span_compact(item, spare);
    return spare->length == json->length && memcmp(text_c(spare), json->bytes, json->length) == 0;
}

static Error *json_array_contains(const Args *args, Vector *out)
{
    const Vector *wanted = args->arg[1];
    bool as_json = !type_is_numeric(wanted->type) && wanted->type->kind != TYPE_VARCHAR;
    Text json = { 0 }, spare = { 0 };
    MEMORY_HOLD(text_unwind, &json);
    MEMORY_HOLD(text_unwind, &spare);
    for (ARGS_EACH(args, row)) {
        JsonSpan value, item;
        if (vector_is_null(args->arg[0], row) || !read_whole(JSON_ARG(args, 0, row), &value) || !json_is_array(value)) {
            args_null(args, out, row);
            continue;
        }
        json.length = 0;
        if (as_json && !vector_is_null(wanted, row))
            text_add_value_json(&json, wanted, row & vector_mask(wanted));
        bool found = false;
        for (JsonWalk walk = json_walk(value); !found && json_next(&walk, NULL, &item);)
            found = item_equal(item, wanted, row, &json, &spare);
        RESULT(out, uint8_t)[row] = found;
    }
    text_release(&json);
    text_release(&spare);
    return NULL;
}

/* ---- taking apart ---- */

static Error *json_keys(const Args *args, Vector *out)
{
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    TextList maker;
    text_list_start(&maker, args, out);
    for (ARGS_EACH(args, row)) {
        JsonSpan value, key, item;
        list_row(&maker.lists, row);
        if (!read_whole(JSON_ARG(args, 0, row), &value) || !json_is_object(value)) {
            args_null(args, out, row);
            continue;
        }
        for (JsonWalk walk = json_walk(value); json_next(&walk, &key, &item);) {
            Str name = value_text(ARENA(args), key, &text);
            text_list_add(&maker, &name);
        }
    }
    text_list_finish(&maker, args);
    text_release(&text);
    return NULL;
}

/* The elements as JSON, or as the texts of their values, where null is NULL. */
static Error *items(const Args *args, Vector *out, bool as_json)
{
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    TextList maker;
    text_list_start(&maker, args, out);
    for (ARGS_EACH(args, row)) {
        JsonSpan value, item;
        list_row(&maker.lists, row);
        if (!read_whole(JSON_ARG(args, 0, row), &value) || !json_is_array(value)) {
            args_null(args, out, row);
            continue;
        }
        for (JsonWalk walk = json_walk(value); json_next(&walk, NULL, &item);) {
            Str content;
            text.length = 0;
            if (as_json) {
                json_span_compact(item, &text);
                content = text_to_str(ARENA(args), &text);
            } else {
                content = value_text(ARENA(args), item, &text);
            }
            text_list_add(&maker, !as_json && json_is_null(item) ? NULL : &content);
        }
    }
    text_list_finish(&maker, args);
    text_release(&text);
    return NULL;
}

static Error *json_items(const Args *args, Vector *out) { return items(args, out, true); }
static Error *json_texts(const Args *args, Vector *out) { return items(args, out, false); }

static Error *json_records(const Args *args, Vector *out)
{
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    TextMap maker;
    text_map_start(&maker, args, out);
    for (ARGS_EACH(args, row)) {
        JsonSpan value, key, item;
        text_map_row(&maker, row);
        if (!read_whole(JSON_ARG(args, 0, row), &value) || !json_is_object(value)) {
            args_null(args, out, row);
            continue;
        }
        for (JsonWalk walk = json_walk(value); json_next(&walk, &key, &item);) {
            Str name = value_text(ARENA(args), key, &text), content = value_text(ARENA(args), item, &text);
            text_map_add(&maker, &name, json_is_null(item) ? NULL : &content);
        }
    }
    text_map_finish(&maker, args);
    text_release(&text);
    return NULL;
}

/* ---- putting together ---- */

static Error *to_json_string(const Args *args, Vector *out)
{
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    for (ARGS_EACH(args, row)) {
        text.length = 0;
        if (vector_is_null(args->arg[0], row))
            text_add_c(&text, "null");
        else
            text_add_value_json(&text, args->arg[0], row & vector_mask(args->arg[0]));
        RESULT(out, Str)[row] = text_to_str(ARENA(args), &text);
    }
    text_release(&text);
    return NULL;
}

/* Keys and values that are JSON already, in turn; a value that is NULL is left out. */
static Error *json_object(const Args *args, Vector *out)
{
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    for (ARGS_EACH(args, row)) {
        bool failed = false;
        text.length = 0;
        text_add_char(&text, '{');
        for (int i = 0; i + 1 < args->arg_count && !failed; i += 2) {
            failed = vector_is_null(args->arg[i], row);
            if (failed)
                args_fail(args, out, row, "a key of JSON_OBJECT is NULL");
            if (failed || vector_is_null(args->arg[i + 1], row))
                continue;
            const Str *key = &ARG(args, i, Str, row), *value = &ARG(args, i + 1, Str, row);
            text_add_c(&text, text.length > 1 ? "," : "");
            text_add_json_string(&text, str_bytes(key), key->length);
            text_add_char(&text, ':');
            text_add(&text, str_bytes(value), value->length);
        }
        text_add_char(&text, '}');
        if (!failed)
            RESULT(out, Str)[row] = text_to_str(ARENA(args), &text);
    }
    text_release(&text);
    return NULL;
}

static Error *json_array(const Args *args, Vector *out)
{
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    for (ARGS_EACH(args, row)) {
        text.length = 0;
        text_add_char(&text, '[');
        for (int i = 0; i < args->arg_count; i++) {
            if (vector_is_null(args->arg[i], row))
                continue;
            const Str *value = &ARG(args, i, Str, row);
            text_add_c(&text, text.length > 1 ? "," : "");
            text_add(&text, str_bytes(value), value->length);
        }
        text_add_char(&text, ']');
        RESULT(out, Str)[row] = text_to_str(ARENA(args), &text);
    }
    text_release(&text);
    return NULL;
}

/* The text, which must be JSON. */
static Error *json_text(const Args *args, Vector *out)
{
    JsonSpan value;
    for (ARGS_EACH(args, row)) {
        const Str *text = JSON_ARG(args, 0, row);
        if (read_whole(text, &value))
            RESULT(out, Str)[row] = *text;
        else
            args_fail(args, out, row, "'%.*s' is no JSON", text->length < 60 ? (int)text->length : 60, str_bytes(text));
    }
    return NULL;
}

static void add_items(Text *text, JsonSpan value)
{
    JsonSpan item;
    if (!json_is_array(value)) {
        text_add_c(text, text->length > 1 ? "," : "");
        json_span_compact(value, text);
        return;
    }
    for (JsonWalk walk = json_walk(value); json_next(&walk, NULL, &item);) {
        text_add_c(text, text->length > 1 ? "," : "");
        json_span_compact(item, text);
    }
}

/* A member of one of the objects: where its key comes again, the last value counts, at the place of the first. */
typedef struct Member {
    JsonSpan key, value;
    Str name;
    uint32_t place;
} Member;

static int by_name(const void *a, const void *b)
{
    const Member *x = a, *y = b;
    int order = str_compare(&x->name, &y->name);
    return order ? order : (x->place > y->place) - (x->place < y->place);
}

static int by_place(const void *a, const void *b)
{
    const Member *x = a, *y = b;
    return (x->place > y->place) - (x->place < y->place);
}

static void merge_objects(Arena *arena, Text *text, Text *spare, const JsonSpan *objects, int count)
{
    JsonSpan key, value;
    struct { Member *items; int count, capacity; } members = { NULL, 0, 0 };
    for (int i = 0; i < count; i++)
        for (JsonWalk walk = json_walk(objects[i]); json_next(&walk, &key, &value);)
            LIST_ADD(arena, &members, ((Member){ key, value, value_text(arena, key, spare), (uint32_t)members.count }));
    if (members.count)
        qsort(members.items, (size_t)members.count, sizeof *members.items, by_name);
    int kept = 0;
    for (int i = 0; i < members.count; i++)
        if (i > 0 && str_equal(&members.items[kept - 1].name, &members.items[i].name))
            members.items[kept - 1].value = members.items[i].value;
        else
            members.items[kept++] = members.items[i];
    if (kept)
        qsort(members.items, (size_t)kept, sizeof *members.items, by_place);
    for (int i = 0; i < kept; i++) {
        text_add_c(text, i ? "," : "");
        json_span_compact(members.items[i].key, text);
        text_add_char(text, ':');
        json_span_compact(members.items[i].value, text);
    }
}

static Error *json_concat(const Args *args, Vector *out)
{
    Text text = { 0 }, spare = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    MEMORY_HOLD(text_unwind, &spare);
    JsonSpan *values = ARENA_ARRAY(ARENA(args), JsonSpan, (size_t)args->arg_count + 1);
    for (ARGS_EACH(args, row)) {
        bool fine = true, objects = true;
        for (int i = 0; i < args->arg_count && fine; i++) {
            fine = read_whole(JSON_ARG(args, i, row), &values[i]);
            objects &= fine && json_is_object(values[i]);
        }
        if (!fine) {
            args_null(args, out, row);
            continue;
        }
        text.length = 0;
        text_add_char(&text, objects ? '{' : '[');
        if (objects)
            merge_objects(ARENA(args), &text, &spare, values, args->arg_count);
        for (int i = 0; i < args->arg_count && !objects; i++)
            add_items(&text, values[i]);
        text_add_char(&text, objects ? '}' : ']');
        RESULT(out, Str)[row] = text_to_str(ARENA(args), &text);
    }
    text_release(&text);
    text_release(&spare);
    return NULL;
}

/* ---- types ---- */

static const Type *type_of_texts(Arena *arena, const Type *const types[], int count)
{
    (void)types, (void)count;
    return type_array(arena, type_scalar(TYPE_VARCHAR));
}

static const Type *type_of_records(Arena *arena, const Type *const types[], int count)
{
    (void)types, (void)count;
    return type_map(arena, type_scalar(TYPE_VARCHAR), type_scalar(TYPE_VARCHAR));
}

#define V TYPE_VARCHAR
#define JSON_FUNCTION .category = "json"

const ScalarFunction json_functions[] = {
    { "json_quote", { V }, V, json_quote, JSON_FUNCTION, .doc = "The text as a JSON string.", .example = "json_quote('a\"b')", .yields = "\"a\\\"b\"" },
    { "json_unquote", { V }, V, json_unquote, JSON_FUNCTION, .doc = "The text that a JSON string stands for; other texts as they are.", .example = "json_unquote('\"a\\tb\"') = concat('a', chr(9), 'b')", .yields = "true" },
    { "is_json_string", { V }, TYPE_BOOLEAN, is_json_string, .sees_nulls = true, JSON_FUNCTION, .doc = "True when the text is well-formed JSON; false for NULL.",
      .example = "is_json_string('[1, 2')", .yields = "false" },
    { "is_json_string", { V, V }, TYPE_BOOLEAN, is_json_kind, .sees_nulls = true, .can_fail = true, JSON_FUNCTION,
      .doc = "True when the text is JSON of that kind: 'VALUE', 'SCALAR', 'ARRAY', 'OBJECT'; false for NULL. Also `x IS JSON [kind]`.", .example = "'[1, 2]' IS JSON ARRAY", .yields = "true" },
    { "json_array_contains", { V, TYPE_ANY }, TYPE_BOOLEAN, json_array_contains, .sees_nulls = true, JSON_FUNCTION,
      .doc = "True when the JSON array has the value as an element; a NULL finds null. NULL if the text is no JSON array.",
      .example = "json_array_contains('[1, \"a\", null]', 'a')", .yields = "true" },
    { "json_array_length", { V }, TYPE_BIGINT, json_array_length, JSON_FUNCTION, .doc = "How many elements the JSON array has; NULL if the text is none.",
      .example = "json_array_length('[1, [2, 3]]')", .yields = "2" },
    { "json_concat", { V }, V, json_concat, .variadic = true, JSON_FUNCTION,
      .doc = "JSON objects as one, where later values win; anything else as one JSON array. NULL if one of the texts is not JSON.",
      .example = "json_concat('{\"a\": 1}', '{\"b\": 2}')", .yields = "{\"a\":1,\"b\":2}" },
    { "json_items", { V }, TYPE_ANY, json_items, type_of_texts, JSON_FUNCTION, .doc = "The elements of a JSON array as an array of JSON texts; NULL if the text is none.",
      .example = "json_items('[1, {\"a\": 2}]')", .yields = "[\"1\",\"{\\\"a\\\":2}\"]" },
    { "json texts", { V }, TYPE_ANY, json_texts, type_of_texts, .hidden = true, .category = "operator" },
    { "json_keys", { V }, TYPE_ANY, json_keys, type_of_texts, JSON_FUNCTION, .doc = "The keys of a JSON object as an array; NULL if the text is none.",
      .example = "json_keys('{\"a\": 1, \"b\": 2}')", .yields = "[\"a\",\"b\"]" },
    { "json_records", { V }, TYPE_ANY, json_records, type_of_records, JSON_FUNCTION,
      .doc = "A JSON object as a map of its keys to the texts of their values; NULL if the text is none.",
      .example = "json_records('{\"a\": 1, \"b\": \"x\"}')", .yields = "{\"a\":\"1\",\"b\":\"x\"}" },
    { "to_json_string", { TYPE_ANY }, V, to_json_string, .sees_nulls = true, JSON_FUNCTION, .doc = "Any value as JSON; a NULL is null.",
      .example = "to_json_string(ARRAY[1, NULL])", .yields = "[1,null]" },
    { "json_object", { V, V }, V, json_object, .variadic = true, .sees_nulls = true, .can_fail = true, JSON_FUNCTION,
      .doc = "A JSON object of keys and values. A NULL is null, and left out with ABSENT ON NULL. What another of these functions made goes in as it is.", .example = "JSON_OBJECT('a' VALUE 1, 'b' VALUE JSON_ARRAY(true, 'x'))", .yields = "{\"a\":1,\"b\":[true,\"x\"]}" },
    { "json_array", { V }, V, json_array, .variadic = true, .sees_nulls = true, JSON_FUNCTION,
      .doc = "A JSON array of the values. A NULL is left out, and null with NULL ON NULL.", .example = "JSON_ARRAY(1, 'x', CAST(NULL AS INT) NULL ON NULL)", .yields = "[1,\"x\",null]" },
    { "json", { V }, V, json_text, .can_fail = true, JSON_FUNCTION, .doc = "The text, which must be JSON: in JSON_OBJECT and JSON_ARRAY it goes in as it is.", .example = "JSON_ARRAY(JSON('{\"a\": 1}'))", .yields = "[{\"a\": 1}]" },
    { "json_string", { TYPE_ANY }, V, to_json_string, JSON_FUNCTION, .doc = "Any value as JSON; NULL of NULL (Flink).", .example = "json_string(ARRAY[1, NULL])", .yields = "[1,null]" },
    { .name = NULL },
};
