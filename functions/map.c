/* functions/map.c: functions of MAP, which is a list of keys with values in the order in which they came. */
#include "functions/lists.h"

#define RESULT(out, CType) ((CType *)(out)->values)
#define ARENA(args) ((args)->evaluation->arena)

static Error *map_length(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row)) {
        uint32_t start, end;
        list_bounds(args->arg[0], row, &start, &end);
        RESULT(out, int64_t)[row] = end - start;
    }
    return NULL;
}

/* Keys (0) or values (1). */
static Error *halves(const Args *args, Vector *out, int which)
{
    const Vector *maps = args->arg[0];
    ListMaker maker;
    list_start(&maker, args, out);
    for (ARGS_EACH(args, row)) {
        uint32_t at, end;
        list_row(&maker, row);
        for (list_bounds(maps, row, &at, &end); at < end; at++)
            list_add(&maker, at);
    }
    list_finish(&maker, args, list_elements(maps)->children[which]);
    return NULL;
}
static Error *map_keys(const Args *args, Vector *out) { return halves(args, out, 0); }
static Error *map_values(const Args *args, Vector *out) { return halves(args, out, 1); }

/* A NULL map counts as nothing, unless both are. */
static Error *map_union(const Args *args, Vector *out)
{
    const Vector *a = args->arg[0], *b = args->arg[1];
    uint32_t second = element_rows(args, a);
    Vector *pairs = vector_stack(ARENA(args), list_elements(a), second, list_elements(b), element_rows(args, b));
    ListMaker maker;
    list_start(&maker, args, out);
    for (ARGS_EACH(args, row)) {
        uint32_t at, end;
        list_row(&maker, row);
        uint32_t first = maker.count;
        if (vector_is_null(a, row) && vector_is_null(b, row))
            args_null(args, out, row);
        for (list_bounds(a, row, &at, &end); at < end; at++)
            list_add(&maker, at);
        for (list_bounds(b, row, &at, &end); at < end; at++)
            list_add(&maker, second + at);
        list_merge_keys(&maker, pairs->children[0], first);
    }
    list_finish(&maker, args, pairs);
    return NULL;
}

/* Keys and values of one row lie apart: the keys' places are remembered for both. */
static Error *as_map(const Args *args, Vector *out)
{
    const Vector *keys = args->arg[0], *values = args->arg[1];
    Vector *pairs = out->children[0];
    ListMaker key_places, value_places, maker;
    list_start(&key_places, args, out);
    list_start(&value_places, args, out);
    uint32_t *starts = arena_alloc(ARENA(args), sizeof *starts * ((size_t)args->row_count + 1));
    bool *null_key = arena_calloc(ARENA(args), args->row_count + 1, sizeof *null_key);
    for (ARGS_EACH(args, row)) {
        uint32_t at, end, value, value_end;
        list_bounds(keys, row, &at, &end);
        list_bounds(values, row, &value, &value_end);
        starts[row] = key_places.count;
        for (; at < end && value < value_end && !null_key[row]; at++, value++) {
            null_key[row] = vector_is_null(list_elements(keys), at);
            list_add(&key_places, at);
            list_add(&value_places, value);
        }
    }
    uint32_t count = key_places.count;
    Vector both = *pairs;
    both.children = (Vector *[2]){ vector_gather(ARENA(args), list_elements(keys), key_places.places, count),
                                   vector_gather(ARENA(args), list_elements(values), value_places.places, count) };
    both.capacity = count;
    list_start(&maker, args, out);
    for (uint32_t i = 0; i < args->live.count; i++) {
        uint32_t row = selection_row(&args->live, i), end = i + 1 < args->live.count ? starts[selection_row(&args->live, i + 1)] : count;
        list_row(&maker, row);
        if (null_key[row]) {
            args_fail(args, out, row, "a MAP key is NULL");
            continue;
        }
        uint32_t first = maker.count;
        for (uint32_t at = starts[row]; at < end; at++)
            list_add(&maker, at);
        list_merge_keys(&maker, both.children[0], first);
    }
    list_finish(&maker, args, &both);
    return NULL;
}

static Error *entries(const Args *args, Vector *out)
{
    const Vector *maps = args->arg[0], *pairs = list_elements(maps);
    ListMaker maker;
    list_start(&maker, args, out);
    for (ARGS_EACH(args, row)) {
        uint32_t at, end;
        list_row(&maker, row);
        uint32_t first = maker.count;
        for (list_bounds(maps, row, &at, &end); at < end; at++)
            list_add(&maker, at);
        uint32_t count = maker.count - first;
        if (args->arg_count > 1 && ARG(args, 1, uint8_t, row) && count)
            sort_places(pairs->children[0], maker.places + first, arena_alloc(ARENA(args), count * sizeof(uint32_t)), count);
    }
    Vector named = *pairs; /* the same rows; only the fields are called otherwise */
    named.type = out->type->children[0];
    list_finish(&maker, args, &named);
    return NULL;
}

/* ---- types ---- */

static const Type *type_of_first(Arena *arena, const Type *const types[], int count)
{
    (void)arena, (void)count;
    return types[0];
}

static const Type *type_of_keys(Arena *arena, const Type *const types[], int count)
{
    (void)count;
    return type_array(arena, types[0]->children[0]);
}

static const Type *type_of_values(Arena *arena, const Type *const types[], int count)
{
    (void)count;
    return type_array(arena, types[0]->children[1]);
}

static const Type *type_of_map(Arena *arena, const Type *const types[], int count)
{
    (void)count;
    return type_map(arena, types[0]->children[0], types[1]->children[0]);
}

static const Type *type_of_entries(Arena *arena, const Type *const types[], int count)
{
    static const char *const names[] = { "K", "V" };
    (void)count;
    return type_array(arena, type_struct(arena, 2, names, types[0]->children));
}

#define M TYPE_MAP
#define MAP_FUNCTION .category = "map"

const ScalarFunction map_functions[] = {
    { "cardinality", { M }, TYPE_BIGINT, map_length, MAP_FUNCTION, .doc = "How many keys the map has.", .example = "cardinality(MAP('a' := 1, 'b' := 2))", .yields = "2" },
    { "map_keys", { M }, TYPE_ANY, map_keys, type_of_keys, MAP_FUNCTION, .doc = "The keys as an array, in the order of the map.",
      .example = "map_keys(MAP('a' := 1, 'b' := 2))", .yields = "[\"a\",\"b\"]" },
    { "map_values", { M }, TYPE_ANY, map_values, type_of_values, MAP_FUNCTION, .doc = "The values as an array, in the order of the map.",
      .example = "map_values(MAP('a' := 1, 'b' := NULL))", .yields = "[1,null]" },
    { "map_union", { M, M }, TYPE_ANY, map_union, type_of_first, .unify = true, .sees_nulls = true, MAP_FUNCTION,
      .doc = "The keys of both maps; a key of both has the second map's value. A NULL map counts as nothing, unless both are.",
      .example = "map_union(MAP('a' := 1, 'b' := 2), MAP('b' := 3))", .yields = "{\"a\":1,\"b\":3}" },
    { "as_map", { TYPE_ARRAY, TYPE_ARRAY }, TYPE_ANY, as_map, type_of_map, .can_fail = true, .aliases = (const char *const[]){ "map_from_arrays", NULL }, MAP_FUNCTION,
      .doc = "A map of the first array's elements to the second's, as far as both go; a key that comes again takes the later value.",
      .example = "as_map(ARRAY['a', 'b'], ARRAY[1, 2])", .yields = "{\"a\":1,\"b\":2}" },
    { "map_entries", { M }, TYPE_ANY, entries, type_of_entries, MAP_FUNCTION, .doc = "The map as an array of STRUCT<K, V>.", .example = "map_entries(MAP('a' := 1))", .yields = "[{\"K\":\"a\",\"V\":1}]" },
    { "entries", { M, TYPE_BOOLEAN }, TYPE_ANY, entries, type_of_entries, MAP_FUNCTION,
      .doc = "The map as an array of STRUCT<K, V>; in the order of the keys if the second argument is true.",
      .example = "entries(MAP('b' := 1, 'a' := 2), TRUE)", .yields = "[{\"K\":\"a\",\"V\":2},{\"K\":\"b\",\"V\":1}]" },
    { .name = NULL },
};
