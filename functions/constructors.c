/* functions/constructors.c: ARRAY[..], MAP(..), STRUCT(..), subscripts, and || for strings, bytes and arrays. */
#include "functions/functions_internal.h"

/* ---- making nested values ---- */

static Value row_value(const Args *args, int i, uint32_t row) { return vector_get(args->evaluation->arena, args->arg[i], row); }

static Error *array(const Args *args, Vector *out)
{
    Arena *arena = args->evaluation->arena;
    Value *items = ARENA_ARRAY(arena, Value, (size_t)args->arg_count + 1);
    for (uint32_t row = 0; row < args->row_count; row++) {
        for (int i = 0; i < args->arg_count; i++)
            items[i] = row_value(args, i, row);
        Value value = { .type = args->result_type, .nested = { items, (uint32_t)args->arg_count } };
        vector_set(arena, out, row, &value);
    }
    return NULL;
}

/* A key that stands twice has its last value. A NULL key fails the row. */
static Error *map(const Args *args, Vector *out)
{
    Arena *arena = args->evaluation->arena;
    Value *items = ARENA_ARRAY(arena, Value, (size_t)args->arg_count + 1);
    uint32_t next = 0; /* rows of nested vectors are set in order, live or not */
    for (uint32_t row = 0; row < args->row_count; row++) {
        bool live = next < args->live.count && selection_row(&args->live, next) == row, null_key = false;
        next += live;
        uint32_t count = 0;
        for (int i = 0; live && i + 1 < args->arg_count; i += 2) {
            Value key = row_value(args, i, row);
            uint32_t at = 0;
            while (at < count && !value_equal(&items[at], &key))
                at += 2;
            items[at] = key;
            items[at + 1] = row_value(args, i + 1, row);
            count = at == count ? count + 2 : count;
            null_key |= key.is_null;
        }
        Value value = { .type = args->result_type, .is_null = null_key, .nested = { items, count } };
        vector_set(arena, out, row, &value);
        if (null_key)
            args_fail(args, out, row, "a MAP key is NULL");
    }
    return NULL;
}

static Error *structure(const Args *args, Vector *out)
{
    for (int i = 0; i < args->arg_count; i++) {
        const Vector *field = args->arg[i];
        if (field->encoding == VECTOR_FLAT) /* published vectors never change, so they can be shared */
            out->children[i] = (Vector *)field;
        else
            out->children[i] = vector_gather(args->evaluation->arena, field, NULL, args->row_count);
    }
    return NULL;
}

static const Type *resolve_array(Arena *arena, const Type *const types[], int count)
{
    (void)count;
    return type_array(arena, types[0]);
}

static const Type *resolve_map(Arena *arena, const Type *const types[], int count)
{
    for (int i = 0; i < count; i++)
        if (count % 2 || !type_equal(types[i], types[i & 1]))
            return NULL;
    return type_map(arena, types[0], types[1]);
}

/* Fields without names are f0, f1..; the binder gives STRUCT(name := ..) its own type. */
static const Type *resolve_struct(Arena *arena, const Type *const types[], int count)
{
    const char **field_names = ARENA_ARRAY(arena, const char *, (size_t)count + 1);
    for (int i = 0; i < count; i++)
        field_names[i] = arena_printf(arena, "f%d", i);
    return type_struct(arena, count, field_names, types);
}

/* ---- taking them apart ---- */

/* From 1; from the end when negative; NULL where there is nothing. */
static Error *array_element(const Args *args, Vector *out)
{
    Arena *arena = args->evaluation->arena;
    const Vector *lists = args->arg[0];
    uint32_t *places = arena_alloc(arena, sizeof *places * ((size_t)args->row_count + 1));
    uint32_t list_mask = vector_mask(lists);
    bool nested = type_is_nested(args->result_type);
    for (uint32_t row = 0; row < args->row_count; row++) {
        uint32_t list = row & list_mask;
        bool null = vector_is_null(lists, row) || vector_is_null(args->arg[1], row);
        int64_t index = ARG(args, 1, int64_t, row), start = null ? 0 : lists->offsets[list], length = null ? 0 : lists->offsets[list + 1] - start;
        places[row] = UINT32_MAX;
        if (index < 0)
            index += length + 1;
        if (index >= 1 && index <= length)
            places[row] = (uint32_t)(start + index - 1);
        if (places[row] == UINT32_MAX || vector_is_null(lists->children[0], places[row]))
            args_null(args, out, row);
    }
    const Vector *elements = lists->children[0];
    size_t width = type_width(args->result_type);
    for (uint32_t row = 0; row < args->row_count; row++) {
        if (nested) {
            Value value = places[row] == UINT32_MAX ? value_null(args->result_type) : vector_get(arena, elements, places[row]);
            vector_set(arena, out, row, &value);
        } else if (places[row] != UINT32_MAX) {
            memcpy((char *)out->values + row * width, (const char *)elements->values + places[row] * width, width);
        }
    }
    return NULL;
}

static Error *map_element(const Args *args, Vector *out)
{
    Arena *arena = args->evaluation->arena;
    const Vector *maps = args->arg[0];
    const Vector *keys = maps->children[0]->children[0], *values = maps->children[0]->children[1];
    uint32_t mask = vector_mask(maps);
    size_t width = type_width(args->result_type);
    for (uint32_t row = 0; row < args->row_count; row++) {
        uint32_t found = UINT32_MAX, at = row & mask;
        if (!vector_is_null(maps, row) && !vector_is_null(args->arg[1], row))
            for (uint32_t i = maps->offsets[at]; i < maps->offsets[at + 1] && found == UINT32_MAX; i++)
                if (vector_compare_rows(keys, i, args->arg[1], row) == 0)
                    found = i;
        bool null = found == UINT32_MAX || vector_is_null(values, found);
        if (width == 0) {
            Value value = null ? value_null(args->result_type) : vector_get(arena, values, found);
            vector_set(arena, out, row, &value);
        } else if (!null) {
            memcpy((char *)out->values + row * width, (const char *)values->values + found * width, width);
        } else {
            args_null(args, out, row);
        }
    }
    return NULL;
}

static const Type *resolve_element(Arena *arena, const Type *const types[], int count)
{
    (void)arena, (void)count;
    return types[0]->children[0];
}

static const Type *resolve_value(Arena *arena, const Type *const types[], int count)
{
    (void)arena, (void)count;
    return type_equal(types[0]->children[0], types[1]) || types[1]->kind == types[0]->children[0]->kind ? types[0]->children[1] : NULL;
}

/* ---- || ---- */

/* One allocation for the whole column. */
static Error *concat(const Args *args, Vector *out)
{
    size_t total = 0;
    Str *result = out->values;
    for (ARGS_EACH(args, row)) {
        size_t length = 0;
        for (int i = 0; i < args->arg_count; i++)
            length += ARG(args, i, Str, row).length;
        if (length > UINT32_MAX)
            return error_new(ERR_MEMORY, "a string of more than 4 GiB");
        total += length;
    }
    char *bytes = arena_alloc(args->evaluation->arena, total + 1);
    for (ARGS_EACH(args, row)) {
        char *start = bytes;
        for (int i = 0; i < args->arg_count; i++) {
            const Str *part = &ARG(args, i, Str, row);
            memcpy(bytes, str_bytes(part), part->length);
            bytes += part->length;
        }
        result[row] = str_view(start, (size_t)(bytes - start));
    }
    return NULL;
}

static Error *concat_arrays(const Args *args, Vector *out)
{
    Arena *arena = args->evaluation->arena;
    uint32_t next = 0;
    for (uint32_t row = 0; row < args->row_count; row++) {
        Value value = value_null(args->result_type);
        bool live = next < args->live.count && selection_row(&args->live, next) == row;
        next += live;
        if (live) {
            Value a = row_value(args, 0, row), b = row_value(args, 1, row);
            uint32_t count = a.nested.count + b.nested.count;
            Value *items = ARENA_ARRAY(arena, Value, (size_t)count + 1);
            memcpy(items, a.nested.items, a.nested.count * sizeof *items);
            memcpy(items + a.nested.count, b.nested.items, b.nested.count * sizeof *items);
            value = (Value){ .type = args->result_type, .nested = { items, count } };
        }
        vector_set(arena, out, row, &value);
    }
    return NULL;
}

static const Type *resolve_same(Arena *arena, const Type *const types[], int count)
{
    (void)arena, (void)count;
    return type_equal(types[0], types[1]) ? types[0] : NULL;
}

#define OPERATOR .hidden = true, .category = "operator"

const ScalarFunction constructor_functions[] = {
    { "array", { TYPE_ANY }, TYPE_ANY, array, .resolve = resolve_array, .variadic = true, .unify = true, .sees_nulls = true, OPERATOR },
    { "map", { TYPE_ANY, TYPE_ANY }, TYPE_ANY, map, .resolve = resolve_map, .variadic = true, .sees_nulls = true, .can_fail = true, OPERATOR },
    { "struct", { TYPE_ANY }, TYPE_ANY, structure, .resolve = resolve_struct, .variadic = true, .sees_nulls = true, OPERATOR },
    { "[]", { TYPE_ARRAY, TYPE_BIGINT }, TYPE_ANY, array_element, .resolve = resolve_element, .sees_nulls = true, OPERATOR },
    { "[]", { TYPE_MAP, TYPE_ANY }, TYPE_ANY, map_element, .resolve = resolve_value, .sees_nulls = true, OPERATOR },
    { "||", { TYPE_VARCHAR, TYPE_VARCHAR }, TYPE_VARCHAR, concat, OPERATOR },
    { "||", { TYPE_BYTES, TYPE_BYTES }, TYPE_BYTES, concat, OPERATOR },
    { "||", { TYPE_ARRAY, TYPE_ARRAY }, TYPE_ANY, concat_arrays, .resolve = resolve_same, OPERATOR },
    { "+", { TYPE_VARCHAR, TYPE_VARCHAR }, TYPE_VARCHAR, concat, OPERATOR },
    { .name = NULL },
};
