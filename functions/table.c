/* functions/table.c: table functions: what they give is rows. Each yields the ARRAY of its rows (`table`), which the planner takes apart:
 * in FROM, and where SELECT calls them. */
#include "common/value_text.h"
#include "functions/lists.h"

#define ARENA(args) ((args)->evaluation->arena)

/* EXPLODE is its argument: it retypes. */
static Error *nothing(const Args *args, Vector *out)
{
    (void)args, (void)out;
    return NULL;
}

/* ---- entries of a map ---- */

static Error *map_entries(const Args *args, Vector *out)
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
    Vector named = *list_elements(maps); /* the same rows; only the fields are called otherwise */
    named.type = out->type->children[0];
    list_finish(&maker, args, &named);
    return NULL;
}

/* ---- cubes ---- */

#define CUBE_MAX 16 /* columns that are no NULL */

typedef struct Cube {
    Arena *arena;
    Vector *lists;        /* ARRAY<T>: a combination each */
    uint32_t list_count, list_capacity;
    uint32_t *places;     /* of their elements; VECTOR_NO_ROW: NULL */
    uint32_t count, capacity;
} Cube;

static void *larger(Arena *arena, const void *items, size_t size, uint32_t count, uint32_t *capacity, uint32_t needed)
{
    uint32_t more = *capacity ? *capacity * 2 : 256;
    while (more < needed)
        more *= 2;
    void *copy = arena_alloc(arena, size * more);
    if (count)
        memcpy(copy, items, size * count);
    *capacity = more;
    return copy;
}

/* Combination `which` of the elements [start, end): the first one that is no NULL is the highest of its bits. */
static void add_combination(Cube *cube, const Vector *elements, uint32_t start, uint32_t end, uint32_t live, uint32_t which)
{
    if (cube->count + (end - start) > cube->capacity)
        cube->places = larger(cube->arena, cube->places, sizeof *cube->places, cube->count, &cube->capacity, cube->count + (end - start));
    for (uint32_t at = start; at < end; at++) {
        bool null = vector_is_null(elements, at);
        live -= !null;
        cube->places[cube->count++] = !null && which >> live & 1 ? at : VECTOR_NO_ROW;
    }
    if (cube->list_count + 2 > cube->list_capacity)
        cube->lists->offsets = larger(cube->arena, cube->lists->offsets, sizeof(uint32_t), cube->list_count + 1, &cube->list_capacity, cube->list_count + 2);
    cube->lists->offsets[++cube->list_count] = cube->count;
}

static Error *cube_explode(const Args *args, Vector *out)
{
    const Vector *arrays = args->arg[0], *elements = list_elements(arrays);
    Cube cube = { .arena = ARENA(args), .lists = vector_new(ARENA(args), out->type->children[0], 0), .list_capacity = 1 };
    uint32_t rows = 0;
    for (ARGS_EACH(args, row)) {
        uint32_t start, end, live = 0;
        list_bounds(arrays, row, &start, &end);
        for (uint32_t at = start; at < end; at++)
            live += !vector_is_null(elements, at);
        while (rows < row)
            out->offsets[++rows] = cube.list_count;
        if (live > CUBE_MAX)
            args_fail(args, out, row, "a cube of more than %d columns", CUBE_MAX);
        for (uint32_t which = 0; end > start && live <= CUBE_MAX && which < 1u << live; which++)
            add_combination(&cube, elements, start, end, live, which);
    }
    while (rows < args->row_count)
        out->offsets[++rows] = cube.list_count;
    cube.lists->capacity = cube.list_count;
    cube.lists->child_rows = cube.count;
    cube.lists->children[0] = vector_gather_padded(cube.arena, elements, elements->type, cube.places, cube.count);
    out->children[0] = cube.lists;
    out->child_rows = cube.list_count;
    return NULL;
}

/* ---- Azure Stream Analytics ---- */

static Error *get_array_elements(const Args *args, Vector *out)
{
    const Vector *arrays = args->arg[0];
    ListMaker maker;
    list_start(&maker, args, out);
    for (ARGS_EACH(args, row)) {
        uint32_t at, end;
        list_row(&maker, row);
        for (list_bounds(arrays, row, &at, &end); at < end; at++)
            list_add(&maker, at);
    }
    list_row(&maker, args->row_count);
    out->child_rows = maker.count;
    Vector *values = maker.count ? vector_gather(ARENA(args), list_elements(arrays), maker.places, maker.count)
                                 : vector_new(ARENA(args), list_elements(arrays)->type, 0);
    Vector *pairs = out->children[0] = vector_new(ARENA(args), out->type->children[0], maker.count), *index = pairs->children[0];
    for (uint32_t row = 0; row < args->row_count; row++)
        for (uint32_t at = out->offsets[row]; at < out->offsets[row + 1]; at++)
            ((int64_t *)index->values)[at] = at - out->offsets[row];
    pairs->children[1] = values;
    return NULL;
}

/* A field as it is, or as text where the fields are of several types. */
static const Vector *property_values(const Args *args, const Vector *records, const Vector *field, const Type *type)
{
    if (type_equal(field->type, type))
        return field;
    Vector *texts = vector_new(ARENA(args), type, args->row_count);
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    for (ARGS_EACH(args, row)) {
        uint32_t at = row & vector_mask(records); /* fields of a constant are FLAT */
        if (vector_is_null(field, at)) {
            vector_set_null(ARENA(args), texts, at);
            continue;
        }
        text.length = 0;
        text_add_value_plain(&text, field, at);
        ((Str *)texts->values)[at] = str_view(arena_copy(ARENA(args), text_c(&text), text.length), text.length);
    }
    text_release(&text);
    return texts;
}

static Error *struct_properties(const Args *args, Vector *out)
{
    const Vector *records = args->arg[0];
    const Type *type = records->type, *pair = out->type->children[0];
    uint32_t fields = (uint32_t)type->child_count, count = 0;
    Vector *pairs = out->children[0] = vector_new(ARENA(args), pair, args->live.count * fields);
    const Vector **values = ARENA_ARRAY(ARENA(args), const Vector *, fields + 1);
    for (uint32_t f = 0; f < fields; f++)
        values[f] = property_values(args, records, records->children[f], pair->children[1]);
    uint32_t *rows = arena_alloc(ARENA(args), sizeof *rows * ((size_t)args->live.count + 1)), row_count = 0;
    uint32_t next = 0;
    for (ARGS_EACH(args, row)) {
        while (next < row)
            out->offsets[++next] = count;
        rows[row_count++] = row & vector_mask(records);
        for (uint32_t f = 0; f < fields; f++)
            ((Str *)pairs->children[0]->values)[count++] = str_c(type->names[f]);
    }
    while (next < args->row_count)
        out->offsets[++next] = count;
    out->child_rows = count;
    /* values lie field by field; the list has them row by row */
    Vector *all = NULL;
    uint32_t *places = arena_alloc(ARENA(args), sizeof *places * ((size_t)count + 1));
    for (uint32_t f = 0; f < fields; f++) {
        Vector *column = vector_gather(ARENA(args), values[f], rows, row_count);
        all = all ? vector_stack(ARENA(args), all, f * row_count, column, row_count) : column;
        for (uint32_t i = 0; i < row_count; i++)
            places[i * fields + f] = f * row_count + i;
    }
    if (count)
        pairs->children[1] = vector_gather(ARENA(args), all, places, count);
    return NULL;
}

/* ---- types ---- */

static const Type *type_of_first(Arena *arena, const Type *const types[], int count)
{
    (void)arena, (void)count;
    return types[0];
}

static const Type *type_of_entries(Arena *arena, const Type *const types[], int count)
{
    static const char *const names[] = { "key", "value" };
    (void)count;
    return type_array(arena, type_struct(arena, 2, names, types[0]->children));
}

static const Type *type_of_cube(Arena *arena, const Type *const types[], int count)
{
    (void)count;
    return type_array(arena, types[0]);
}

static const Type *type_of_array_elements(Arena *arena, const Type *const types[], int count)
{
    static const char *const names[] = { "arrayindex", "arrayvalue" };
    (void)count;
    return type_array(arena, type_struct(arena, 2, names, (const Type *const[]){ type_scalar(TYPE_BIGINT), types[0]->children[0] }));
}

static const Type *properties(Arena *arena, const Type *name, const Type *value)
{
    static const char *const names[] = { "propertyname", "propertyvalue" };
    return type_array(arena, type_struct(arena, 2, names, (const Type *const[]){ name, value }));
}

static const Type *type_of_map_properties(Arena *arena, const Type *const types[], int count)
{
    (void)count;
    return properties(arena, types[0]->children[0], types[0]->children[1]);
}

static const Type *type_of_struct_properties(Arena *arena, const Type *const types[], int count)
{
    (void)count;
    const Type *value = types[0]->children[0];
    for (int i = 1; i < types[0]->child_count; i++)
        if (!type_equal(value, types[0]->children[i]))
            value = type_scalar(TYPE_VARCHAR);
    return properties(arena, type_scalar(TYPE_VARCHAR), value);
}

#define TABLE_FUNCTION .table = true, .category = "table"
#define ALIASES(...) (const char *const[]){ __VA_ARGS__, NULL }

const ScalarFunction table_functions[] = {
    { "explode", { TYPE_ARRAY }, TYPE_ANY, nothing, type_of_first, .retypes = true, TABLE_FUNCTION, .aliases = ALIASES("unnest"),
      .doc = "A row for each element of the array; none for NULL and for an empty one.", .example = "explode(ARRAY['a', NULL, 'c'])", .yields = "a, NULL, c" },
    { "explode", { TYPE_MAP }, TYPE_ANY, map_entries, type_of_entries, TABLE_FUNCTION, .aliases = ALIASES("unnest"),
      .doc = "A row for each entry of the map: STRUCT<key, value>.", .example = "explode(MAP('a' := 1, 'b' := 2))", .yields = "{\"key\":\"a\",\"value\":1}, {\"key\":\"b\",\"value\":2}" },
    { "cube_explode", { TYPE_ARRAY }, TYPE_ANY, cube_explode, type_of_cube, .can_fail = true, TABLE_FUNCTION,
      .doc = "A row for each combination of the array's elements and NULLs in their places, from all NULL to all elements.",
      .example = "cube_explode(ARRAY[1, 2])", .yields = "[null,null], [null,2], [1,null], [1,2]" },
    { "getarrayelements", { TYPE_ARRAY }, TYPE_ANY, get_array_elements, type_of_array_elements, TABLE_FUNCTION,
      .doc = "A row for each element of the array with its position, from 0 (ASA): arrayindex, arrayvalue.",
      .example = "getarrayelements(ARRAY['a', 'b'])", .yields = "{\"arrayindex\":0,\"arrayvalue\":\"a\"}, {\"arrayindex\":1,\"arrayvalue\":\"b\"}" },
    { "getrecordproperties", { TYPE_MAP }, TYPE_ANY, map_entries, type_of_map_properties, TABLE_FUNCTION,
      .doc = "A row for each entry of the map (ASA): propertyname, propertyvalue.",
      .example = "getrecordproperties(MAP('a' := 1))", .yields = "{\"propertyname\":\"a\",\"propertyvalue\":1}" },
    { "getrecordproperties", { TYPE_STRUCT }, TYPE_ANY, struct_properties, type_of_struct_properties, TABLE_FUNCTION,
      .doc = "A row for each field of the record (ASA): propertyname, propertyvalue; the values as texts where the fields are of several types.",
      .example = "getrecordproperties(STRUCT(a := 1, b := 'x'))", .yields = "{\"propertyname\":\"a\",\"propertyvalue\":\"1\"}, {\"propertyname\":\"b\",\"propertyvalue\":\"x\"}" },
    { .name = NULL },
};
