/* functions/array.c: functions of ARRAY. Positions count from 1; equality is that of IS NOT DISTINCT FROM: a NULL equals a NULL.
 *
 * Sets are made by sorting places, so that arrays of any length and type take n log n comparisons and no hash. */
#include "functions/lists.h"

#include "common/value_text.h"

#define RESULT(out, CType) ((CType *)(out)->values)
#define ARENA(args) ((args)->evaluation->arena)

/* ---- looking ---- */

static Error *array_length(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row)) {
        uint32_t start, end;
        list_bounds(args->arg[0], row, &start, &end);
        RESULT(out, int64_t)[row] = end - start;
    }
    return NULL;
}

static bool list_contains(const Vector *lists, uint32_t row, const Vector *wanted, uint32_t wanted_row)
{
    uint32_t at, end;
    list_bounds(lists, row, &at, &end);
    while (at < end && vector_compare_rows(list_elements(lists), at, wanted, wanted_row) != 0)
        at++;
    return at < end;
}

static Error *array_contains(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row))
        if (vector_is_null(args->arg[0], row))
            args_null(args, out, row);
        else
            RESULT(out, uint8_t)[row] = list_contains(args->arg[0], row, args->arg[1], row);
    return NULL;
}

/* The place of the largest (sign 1) or smallest (-1) element that is not NULL; UINT32_MAX: there is none. */
static uint32_t extreme_place(const Vector *lists, uint32_t row, int sign)
{
    const Vector *elements = list_elements(lists);
    uint32_t at, end, best = UINT32_MAX;
    for (list_bounds(lists, row, &at, &end); at < end; at++)
        if (!vector_is_null(elements, at) && (best == UINT32_MAX || sign * vector_compare_rows(elements, at, elements, best) > 0))
            best = at;
    return best;
}

static Error *extreme(const Args *args, Vector *out, int sign)
{
    uint32_t *places = new_places(args);
    for (ARGS_EACH(args, row))
        places[row] = extreme_place(args->arg[0], row, sign);
    pick_elements(args, out, list_elements(args->arg[0]), places);
    return NULL;
}
static Error *array_max(const Args *args, Vector *out) { return extreme(args, out, 1); }
static Error *array_min(const Args *args, Vector *out) { return extreme(args, out, -1); }

/* Azure Stream Analytics counts from 0. */
static Error *get_array_element(const Args *args, Vector *out)
{
    uint32_t *places = new_places(args);
    for (ARGS_EACH(args, row)) {
        uint32_t start, end;
        int64_t index = ARG(args, 1, int64_t, row);
        list_bounds(args->arg[0], row, &start, &end);
        if (index >= 0 && index < (int64_t)end - start)
            places[row] = start + (uint32_t)index;
    }
    pick_elements(args, out, list_elements(args->arg[0]), places);
    return NULL;
}

static void add_element(Text *text, const Vector *elements, uint32_t at, const Str *null_text)
{
    if (!vector_is_null(elements, at))
        text_add_value_plain(text, elements, at);
    else if (null_text)
        text_add_str(text, null_text);
    else
        text_add_c(text, "null");
}

#define JOIN_MAX (64u << 20)

static Error *join_elements(const Args *args, Vector *out, bool with_nulls)
{
    const Vector *elements = list_elements(args->arg[0]);
    Str comma = str_c(",");
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    for (ARGS_EACH(args, row)) {
        const Str *separator = args->arg_count > 1 ? &ARG(args, 1, Str, row) : &comma, *null_text = args->arg_count > 2 ? &ARG(args, 2, Str, row) : NULL;
        uint32_t start, end;
        list_bounds(args->arg[0], row, &start, &end);
        text.length = 0;
        bool any = false;
        for (uint32_t at = start; at < end && text.length <= JOIN_MAX; at++) {
            if (!with_nulls && vector_is_null(elements, at))
                continue;
            if (any)
                text_add_str(&text, separator);
            any = true;
            add_element(&text, elements, at, null_text);
        }
        if (text.length > JOIN_MAX)
            args_fail(args, out, row, "the text is longer than 64 MiB");
        else
            RESULT(out, Str)[row] = str_view(text.length > STR_INLINE ? arena_copy(ARENA(args), text.bytes, text.length) : text_c(&text), text.length);
    }
    text_release(&text);
    return NULL;
}

static Error *array_join(const Args *args, Vector *out) { return join_elements(args, out, true); }
static Error *array_join_known(const Args *args, Vector *out) { return join_elements(args, out, false); }

/* ---- parts ---- */

static Error *slice(const Args *args, Vector *out)
{
    ListMaker maker;
    list_start(&maker, args, out);
    for (ARGS_EACH(args, row)) {
        uint32_t start, end;
        list_bounds(args->arg[0], row, &start, &end);
        int64_t length = end - start;
        int64_t first = vector_is_null(args->arg[1], row) ? 1 : ARG(args, 1, int64_t, row);
        int64_t last = vector_is_null(args->arg[2], row) ? length : ARG(args, 2, int64_t, row);
        list_row(&maker, row);
        if (vector_is_null(args->arg[0], row) || first < 1 || last > length || last < first - 1) {
            args_null(args, out, row);
            continue;
        }
        for (int64_t at = first - 1; at < last; at++)
            list_add(&maker, start + (uint32_t)at);
    }
    list_finish(&maker, args, list_elements(args->arg[0]));
    return NULL;
}

static Error *array_remove(const Args *args, Vector *out)
{
    const Vector *lists = args->arg[0];
    ListMaker maker;
    list_start(&maker, args, out);
    for (ARGS_EACH(args, row)) {
        list_row(&maker, row);
        if (vector_is_null(lists, row))
            args_null(args, out, row);
        uint32_t at, end;
        for (list_bounds(lists, row, &at, &end); at < end; at++)
            if (vector_compare_rows(list_elements(lists), at, args->arg[1], row) != 0)
                list_add(&maker, at);
    }
    list_finish(&maker, args, list_elements(lists));
    return NULL;
}

/* ---- order ---- */

/* Room for the places of the longest list, which grows. */
typedef struct Sorter {
    Arena *arena;
    uint32_t *places, *spare;
    uint8_t *keep;        /* by index in the list */
    uint32_t capacity;
} Sorter;

static void sorter_reserve(Sorter *sorter, uint32_t count)
{
    if (count <= sorter->capacity)
        return;
    sorter->capacity = count * 2;
    sorter->places = arena_alloc(sorter->arena, (size_t)sorter->capacity * sizeof(uint32_t));
    sorter->spare = arena_alloc(sorter->arena, (size_t)sorter->capacity * sizeof(uint32_t));
    sorter->keep = arena_alloc(sorter->arena, sorter->capacity);
}

/* The places [start, end) in ascending order, in sorter->places. */
static void sorter_sort(Sorter *sorter, const Vector *elements, uint32_t start, uint32_t end)
{
    sorter_reserve(sorter, end - start);
    for (uint32_t i = 0; i < end - start; i++)
        sorter->places[i] = start + i;
    sort_places(elements, sorter->places, sorter->spare, end - start);
}

static bool direction_of(const Str *name, bool *descending)
{
    char text[16];
    if (name->length >= sizeof text)
        return false;
    memcpy(text, str_bytes(name), name->length);
    text[name->length] = 0;
    *descending = name_equal(text, "desc") || name_equal(text, "descending");
    return *descending || name_equal(text, "asc") || name_equal(text, "ascending");
}

/* Flink: ascending or not, and whether NULLs come first; unless said they count as the smallest. */
static void flags_of(const Args *args, uint32_t row, bool *descending, bool *nulls_first)
{
    *descending = !ARG(args, 1, uint8_t, row);
    *nulls_first = args->arg_count > 2 ? ARG(args, 2, uint8_t, row) : !*descending;
}

static Error *array_sort(const Args *args, Vector *out)
{
    const bool flags = args->arg_count > 1 && args->arg[1]->type->kind == TYPE_BOOLEAN;
    const Vector *lists = args->arg[0], *elements = list_elements(lists);
    Sorter sorter = { .arena = ARENA(args) };
    ListMaker maker;
    list_start(&maker, args, out);
    for (ARGS_EACH(args, row)) {
        bool descending = false, nulls_first = false;
        list_row(&maker, row);
        if (flags) {
            flags_of(args, row, &descending, &nulls_first);
        } else if (args->arg_count > 1 && !direction_of(&ARG(args, 1, Str, row), &descending)) {
            args_fail(args, out, row, "the direction must be 'ASC' or 'DESC'");
            continue;
        }
        uint32_t start, end, count, nulls = 0;
        list_bounds(lists, row, &start, &end);
        count = end - start;
        sorter_sort(&sorter, elements, start, end);
        while (nulls < count && vector_is_null(elements, sorter.places[count - 1 - nulls]))
            nulls++;
        for (uint32_t i = 0; nulls_first && i < nulls; i++)
            list_add(&maker, sorter.places[count - 1 - i]);
        for (uint32_t i = 0; i < (nulls_first ? count - nulls : count); i++) /* else they stay behind either way */
            list_add(&maker, sorter.places[descending && i < count - nulls ? count - nulls - 1 - i : i]);
    }
    list_finish(&maker, args, elements);
    return NULL;
}

/* ---- sets ---- */

/* Adds each element of [start, end) that is the first of its kind, in their order; with `other`, only those that stand in it or that do not. */
typedef struct Other {
    const Vector *elements;
    const uint32_t *sorted;
    uint32_t count;
    bool wanted;
} Other;

static void add_distinct(ListMaker *maker, Sorter *sorter, const Vector *elements, uint32_t start, uint32_t end, const Other *other)
{
    uint32_t count = end - start;
    sorter_sort(sorter, elements, start, end);
    memset(sorter->keep, 0, count);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t place = sorter->places[i];
        if (i > 0 && vector_compare_rows(elements, sorter->places[i - 1], elements, place) == 0)
            continue;
        if (!other || (find_place(other->elements, other->sorted, other->count, elements, place) != UINT32_MAX) == other->wanted)
            sorter->keep[place - start] = 1;
    }
    for (uint32_t i = 0; i < count; i++)
        if (sorter->keep[i])
            list_add(maker, start + i);
}

static Error *array_distinct(const Args *args, Vector *out)
{
    Sorter sorter = { .arena = ARENA(args) };
    ListMaker maker;
    list_start(&maker, args, out);
    for (ARGS_EACH(args, row)) {
        uint32_t start, end;
        list_row(&maker, row);
        list_bounds(args->arg[0], row, &start, &end);
        if (end > start)
            add_distinct(&maker, &sorter, list_elements(args->arg[0]), start, end, NULL);
    }
    list_finish(&maker, args, list_elements(args->arg[0]));
    return NULL;
}

static Error *against(const Args *args, Vector *out, bool wanted)
{
    Sorter sorter = { .arena = ARENA(args) }, others = { .arena = ARENA(args) };
    ListMaker maker;
    list_start(&maker, args, out);
    for (ARGS_EACH(args, row)) {
        uint32_t start, end, other_start, other_end;
        list_row(&maker, row);
        list_bounds(args->arg[0], row, &start, &end);
        list_bounds(args->arg[1], row, &other_start, &other_end);
        sorter_sort(&others, list_elements(args->arg[1]), other_start, other_end);
        Other other = { list_elements(args->arg[1]), others.places, other_end - other_start, wanted };
        if (end > start)
            add_distinct(&maker, &sorter, list_elements(args->arg[0]), start, end, &other);
    }
    list_finish(&maker, args, list_elements(args->arg[0]));
    return NULL;
}
static Error *array_except(const Args *args, Vector *out) { return against(args, out, false); }
static Error *array_intersect(const Args *args, Vector *out) { return against(args, out, true); }

/* Both lists' elements in one vector, where those of the second begin at *second. */
static Vector *stack_elements(const Args *args, uint32_t *second)
{
    *second = element_rows(args, args->arg[0]);
    return vector_stack(ARENA(args), list_elements(args->arg[0]), *second, list_elements(args->arg[1]), element_rows(args, args->arg[1]));
}

/* A NULL array counts as nothing, unless both are. */
static Error *array_concat(const Args *args, Vector *out)
{
    uint32_t second;
    Vector *elements = stack_elements(args, &second);
    ListMaker maker;
    list_start(&maker, args, out);
    for (ARGS_EACH(args, row)) {
        uint32_t at, end;
        list_row(&maker, row);
        if (vector_is_null(args->arg[0], row) && vector_is_null(args->arg[1], row))
            args_null(args, out, row);
        for (list_bounds(args->arg[0], row, &at, &end); at < end; at++)
            list_add(&maker, at);
        for (list_bounds(args->arg[1], row, &at, &end); at < end; at++)
            list_add(&maker, second + at);
    }
    list_finish(&maker, args, elements);
    return NULL;
}

/* A value behind the array's elements, or before them. */
static Error *with_value(const Args *args, Vector *out, bool before)
{
    const Vector *lists = args->arg[0], *value = args->arg[1];
    const bool constant = value->encoding == VECTOR_CONSTANT;
    const uint32_t second = element_rows(args, lists);
    Vector *elements = vector_stack(ARENA(args), list_elements(lists), second, value, constant ? 1 : args->row_count);
    ListMaker maker;
    list_start(&maker, args, out);
    for (ARGS_EACH(args, row)) {
        uint32_t at, end;
        list_row(&maker, row);
        if (vector_is_null(lists, row)) {
            args_null(args, out, row);
            continue;
        }
        if (before)
            list_add(&maker, second + (constant ? 0 : row));
        for (list_bounds(lists, row, &at, &end); at < end; at++)
            list_add(&maker, at);
        if (!before)
            list_add(&maker, second + (constant ? 0 : row));
    }
    list_finish(&maker, args, elements);
    return NULL;
}

static Error *array_append(const Args *args, Vector *out) { return with_value(args, out, false); }
static Error *array_prepend(const Args *args, Vector *out) { return with_value(args, out, true); }

static Error *array_reverse(const Args *args, Vector *out)
{
    const Vector *lists = args->arg[0];
    ListMaker maker;
    list_start(&maker, args, out);
    for (ARGS_EACH(args, row)) {
        uint32_t at, end;
        list_row(&maker, row);
        for (list_bounds(lists, row, &at, &end); at < end;)
            list_add(&maker, --end);
    }
    list_finish(&maker, args, list_elements(lists));
    return NULL;
}

static Error *array_position(const Args *args, Vector *out)
{
    const Vector *lists = args->arg[0];
    for (ARGS_EACH(args, row)) {
        uint32_t at, end, start;
        list_bounds(lists, row, &start, &end);
        for (at = start; at < end && vector_compare_rows(list_elements(lists), at, args->arg[1], row) != 0;)
            at++;
        RESULT(out, int64_t)[row] = at < end ? at - start + 1 : 0;
    }
    return NULL;
}

static Error *only_element(const Args *args, Vector *out)
{
    uint32_t *places = new_places(args);
    for (ARGS_EACH(args, row)) {
        uint32_t start, end;
        list_bounds(args->arg[0], row, &start, &end);
        if (end - start == 1)
            places[row] = start;
    }
    pick_elements(args, out, list_elements(args->arg[0]), places);
    for (ARGS_EACH(args, row)) {
        uint32_t start, end;
        list_bounds(args->arg[0], row, &start, &end);
        if (end - start > 1)
            args_fail(args, out, row, "the array has %u elements, not one", end - start);
    }
    return NULL;
}

static Error *array_union(const Args *args, Vector *out)
{
    uint32_t second;
    Vector *elements = stack_elements(args, &second);
    ListMaker maker, result;
    Vector *both = vector_new(ARENA(args), out->type, args->row_count);
    list_start(&maker, args, both);
    for (ARGS_EACH(args, row)) {
        uint32_t at, end;
        list_row(&maker, row);
        for (list_bounds(args->arg[0], row, &at, &end); at < end; at++)
            list_add(&maker, at);
        for (list_bounds(args->arg[1], row, &at, &end); at < end; at++)
            list_add(&maker, second + at);
    }
    list_finish(&maker, args, elements);
    Sorter sorter = { .arena = ARENA(args) };
    list_start(&result, args, out);
    for (ARGS_EACH(args, row)) {
        uint32_t start, end;
        list_row(&result, row);
        list_bounds(both, row, &start, &end);
        if (end > start)
            add_distinct(&result, &sorter, list_elements(both), start, end, NULL);
    }
    list_finish(&result, args, list_elements(both));
    return NULL;
}

/* ---- series ---- */

#define SERIES_MAX 100000

static Error *generate_series(const Args *args, Vector *out)
{
    ListMaker maker;
    Vector *numbers = vector_new(ARENA(args), out->type->children[0], 256);
    list_start(&maker, args, out);
    for (ARGS_EACH(args, row)) {
        int64_t first = ARG(args, 0, int64_t, row), last = ARG(args, 1, int64_t, row);
        int64_t step = args->arg_count > 2 ? ARG(args, 2, int64_t, row) : last < first ? -1 : 1;
        list_row(&maker, row);
        if (step == 0 || (last != first && (last < first) != (step < 0))) {
            args_fail(args, out, row, step == 0 ? "the step of a series is 0" : "the step leads away from the end of the series");
            continue;
        }
        Int128 count = ((Int128)last - first) / step + 1;
        if (count > SERIES_MAX) {
            args_fail(args, out, row, "a series of more than %d numbers", SERIES_MAX);
            continue;
        }
        for (Int128 i = 0; i < count; i++) {
            Value value = { .type = numbers->type, .integer = (int64_t)(first + i * step) };
            vector_set(ARENA(args), numbers, maker.count++, &value);
        }
    }
    list_row(&maker, args->row_count);
    out->children[0] = numbers;
    out->child_rows = maker.count;
    return NULL;
}

/* ---- types ---- */

static const Type *type_of_first(Arena *arena, const Type *const types[], int count)
{
    (void)arena, (void)count;
    return types[0];
}

static const Type *type_of_element(Arena *arena, const Type *const types[], int count)
{
    (void)arena, (void)count;
    return types[0]->children[0];
}

static const Type *type_of_series(Arena *arena, const Type *const types[], int count)
{
    (void)count;
    return type_array(arena, types[0]);
}

#define A TYPE_ARRAY
#define I TYPE_BIGINT
#define V TYPE_VARCHAR
#define ALIASES(...) (const char *const[]){ __VA_ARGS__, NULL }
#define ARRAY_FUNCTION .category = "array"
/* Two arrays give a third of their common type. */
#define SET(name_, kernel_, doc_, example_, yields_) \
    { name_, { A, A }, TYPE_ANY, kernel_, type_of_first, .unify = true, ARRAY_FUNCTION, .doc = doc_, .example = example_, .yields = yields_ }

const ScalarFunction array_functions[] = {
    { "array_length", { A }, I, array_length, .aliases = ALIASES("cardinality", "getarraylength"), ARRAY_FUNCTION, .doc = "How many elements the array has.",
      .example = "array_length(ARRAY[5, NULL, 7])", .yields = "3" },
    { "array_contains", { A, TYPE_ANY }, TYPE_BOOLEAN, array_contains, .unify = true, .unify_elements = true, .sees_nulls = true, ARRAY_FUNCTION,
      .doc = "True when the value is an element of the array; a NULL finds a NULL.", .example = "array_contains(ARRAY['a', 'b'], 'b')", .yields = "true" },
    { "array_max", { A }, TYPE_ANY, array_max, type_of_element, ARRAY_FUNCTION, .doc = "The largest element; NULLs are left out.",
      .example = "array_max(ARRAY[3, 9, NULL, 1])", .yields = "9" },
    { "array_min", { A }, TYPE_ANY, array_min, type_of_element, ARRAY_FUNCTION, .doc = "The smallest element; NULLs are left out.",
      .example = "array_min(ARRAY[3, 9, NULL, 1])", .yields = "1" },
    { "getarrayelement", { A, I }, TYPE_ANY, get_array_element, type_of_element, ARRAY_FUNCTION,
      .doc = "The element at a position, from 0; NULL where there is none (ASA). `array[i]` counts from 1.", .example = "getarrayelement(ARRAY['a', 'b'], 0)", .yields = "a" },
    { "array_join known", { A, V }, V, array_join_known, .can_fail = true, ARRAY_FUNCTION, .hidden = true },
    { "array_join", { A }, V, array_join, .can_fail = true, ARRAY_FUNCTION, .doc = "The elements as one text with commas between them; a NULL is null.",
      .example = "array_join(ARRAY[1, NULL, 3])", .yields = "1,null,3" },
    { "array_join", { A, V }, V, array_join, .can_fail = true, ARRAY_FUNCTION, .doc = "The elements as one text with the second argument between them; a NULL is null.",
      .example = "array_join(ARRAY['a', 'b'], ' - ')", .yields = "a - b" },
    { "array_join", { A, V, V }, V, array_join, .can_fail = true, ARRAY_FUNCTION, .doc = "The same, with a text for NULLs.",
      .example = "array_join(ARRAY['a', NULL], '/', '?')", .yields = "a/?" },
    { "slice", { A, I, I }, TYPE_ANY, slice, type_of_first, .sees_nulls = true, .aliases = ALIASES("array_slice"), ARRAY_FUNCTION,
      .doc = "The elements from one position to another, both included; a NULL position is the start or the end. NULL when a position is outside.",
      .example = "slice(ARRAY[5, 6, 7, 8], 2, 3)", .yields = "[6,7]" },
    { "array_remove", { A, TYPE_ANY }, TYPE_ANY, array_remove, type_of_first, .unify = true, .unify_elements = true, .sees_nulls = true, ARRAY_FUNCTION,
      .doc = "The array without the elements that equal the value; a NULL removes NULLs.", .example = "array_remove(ARRAY[1, 2, 1], 1)", .yields = "[2]" },
    { "array_sort", { A }, TYPE_ANY, array_sort, type_of_first, ARRAY_FUNCTION, .doc = "The elements in ascending order, NULLs last.",
      .example = "array_sort(ARRAY[3, NULL, 1])", .yields = "[1,3,null]" },
    { "array_sort", { A, V }, TYPE_ANY, array_sort, type_of_first, .can_fail = true, ARRAY_FUNCTION, .doc = "The elements in order, 'ASC' or 'DESC', NULLs last either way.",
      .example = "array_sort(ARRAY[1, NULL, 3], 'DESC')", .yields = "[3,1,null]" },
    { "array_sort", { A, TYPE_BOOLEAN }, TYPE_ANY, array_sort, type_of_first, ARRAY_FUNCTION, .doc = "The elements ascending (TRUE), NULLs first, or descending, NULLs last (Flink).",
      .example = "array_sort(ARRAY[1, NULL, 3], TRUE)", .yields = "[null,1,3]" },
    { "array_sort", { A, TYPE_BOOLEAN, TYPE_BOOLEAN }, TYPE_ANY, array_sort, type_of_first, ARRAY_FUNCTION, .doc = "The same, and whether NULLs come first.",
      .example = "array_sort(ARRAY[1, NULL, 3], FALSE, TRUE)", .yields = "[null,3,1]" },
    { "array_distinct", { A }, TYPE_ANY, array_distinct, type_of_first, ARRAY_FUNCTION, .doc = "Each element once, in the order of their first places.",
      .example = "array_distinct(ARRAY[2, 1, 2, NULL, NULL])", .yields = "[2,1,null]" },
    { "array_append", { A, TYPE_ANY }, TYPE_ANY, array_append, type_of_first, .unify = true, .unify_elements = true, .sees_nulls = true, ARRAY_FUNCTION,
      .doc = "The array with the value behind its elements.", .example = "array_append(ARRAY[1, 2], 3)", .yields = "[1,2,3]" },
    { "array_prepend", { A, TYPE_ANY }, TYPE_ANY, array_prepend, type_of_first, .unify = true, .unify_elements = true, .sees_nulls = true, ARRAY_FUNCTION,
      .doc = "The array with the value before its elements.", .example = "array_prepend(ARRAY['b'], 'a')", .yields = "[\"a\",\"b\"]" },
    { "array_reverse", { A }, TYPE_ANY, array_reverse, type_of_first, ARRAY_FUNCTION, .doc = "The elements from the last to the first.", .example = "array_reverse(ARRAY[1, NULL, 3])", .yields = "[3,null,1]" },
    { "array_position", { A, TYPE_ANY }, I, array_position, .unify = true, .unify_elements = true, ARRAY_FUNCTION, .doc = "Where the value first stands, from 1; 0 if nowhere.",
      .example = "array_position(ARRAY['a', 'b'], 'b')", .yields = "2" },
    { "element", { A }, TYPE_ANY, only_element, type_of_element, .can_fail = true, ARRAY_FUNCTION, .doc = "The one element of the array; NULL if it is empty.", .example = "element(ARRAY[7])", .yields = "7" },
    SET("array_except", array_except, "Each element of the first array that is not in the second, once.", "array_except(ARRAY[1, 2, 2, 3], ARRAY[3])", "[1,2]"),
    SET("array_intersect", array_intersect, "Each element of the first array that is in the second, too, once.", "array_intersect(ARRAY[1, 2, 2, 3], ARRAY[3, 2])", "[2,3]"),
    SET("array_union", array_union, "Each element of either array once.", "array_union(ARRAY[1, 2, 2], ARRAY[3, 2])", "[1,2,3]"),
    { "array_concat", { A, A }, TYPE_ANY, array_concat, type_of_first, .unify = true, .sees_nulls = true, ARRAY_FUNCTION,
      .doc = "The elements of both arrays; a NULL array counts as nothing, unless both are.", .example = "array_concat(ARRAY[1, 2], ARRAY[2])", .yields = "[1,2,2]" },
    { "generate_series", { I, I }, TYPE_ANY, generate_series, type_of_series, .can_fail = true, ARRAY_FUNCTION, .doc = "The whole numbers from the first to the second, upwards or downwards; 100,000 at most.",
      .example = "generate_series(3, 1)", .yields = "[3,2,1]" },
    { "generate_series", { I, I, I }, TYPE_ANY, generate_series, type_of_series, .can_fail = true, ARRAY_FUNCTION, .doc = "The same in steps.",
      .example = "generate_series(1, 8, 3)", .yields = "[1,4,7]" },
    { .name = NULL },
};
