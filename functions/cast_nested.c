/* functions/cast_nested.c: CAST of arrays, maps and structs: their elements as a column of their own.
 *
 * The elements of all rows are converted at once by the cast of their types; one that does not fit fails its row. Fields of a STRUCT find
 * each other by name (a field that is not there is NULL, one too many is left out); if no name is common to both, by position. */
#include "functions/cast_internal.h"

/* ---- which field becomes which ---- */

static bool any_common_name(const Type *from, const Type *to)
{
    for (int i = 0; i < to->child_count; i++)
        if (type_field(from, to->names[i]) >= 0)
            return true;
    return false;
}

bool struct_cast_fields(const Type *from, const Type *to, int sources[])
{
    bool by_name = any_common_name(from, to);
    if (!by_name && from->child_count != to->child_count)
        return false;
    for (int i = 0; i < to->child_count; i++)
        sources[i] = by_name ? type_field(from, to->names[i]) : i;
    return true;
}

/* ---- a column of elements ---- */

/* What may fail, in rows of the elements. */
typedef struct Part {
    const Args *args;       /* of the cast around */
    uint32_t row_count;
    Selection live;
    Evaluation evaluation;  /* takes the failures */
} Part;

static void part_start(Part *part, const Args *args, uint32_t row_count, Selection live)
{
    *part = (Part){ .args = args, .row_count = row_count, .live = live, .evaluation = *args->evaluation };
    part->evaluation.failures = NULL;
    part->evaluation.failure_count = part->evaluation.failure_capacity = 0;
}

static Selection without_nulls(Arena *arena, const Vector *vector, Selection live)
{
    if (!vector->validity)
        return live;
    uint32_t *rows = arena_alloc(arena, sizeof *rows * ((size_t)live.count + 1)), count = 0;
    for (uint32_t i = 0; i < live.count; i++) {
        rows[count] = selection_row(&live, i);
        count += !vector_is_null(vector, rows[count]);
    }
    return (Selection){ count, rows };
}

static Vector *cast_part(Part *part, const Vector *vector, const Type *to)
{
    Arena *arena = part->evaluation.arena;
    if (type_equal(vector->type, to))
        return (Vector *)vector;
    const ScalarFunction *function = function_cast(vector->type, to, false);
    if (function->retypes) {
        Vector *same = arena_copy(arena, vector, sizeof *vector);
        same->type = to;
        return same;
    }
    Vector *out = vector_new(arena, to, part->row_count);
    bool constant = vector->encoding == VECTOR_CONSTANT;
    if (vector->validity && !constant)
        out->validity = arena_copy(arena, vector->validity, bitmap_words(part->row_count ? part->row_count : 1) * 8);
    for (uint32_t row = 0; constant && vector->validity && row < part->row_count; row++)
        vector_set_null(arena, out, row);
    Selection all = { part->row_count, NULL };
    Args args = { .arg = &vector, .arg_count = 1, .row_count = part->row_count, .live = function->dense ? all : without_nulls(arena, vector, part->live),
                  .result_type = to, .evaluation = &part->evaluation };
    if (part->row_count)
        error_free(function->kernel(&args, out)); /* casts have none */
    return out;
}

/* ---- arrays and maps ---- */

static void fail_rows(const Args *args, Vector *out, const Part *part, const uint32_t *element_rows, bool try_cast)
{
    uint32_t last = UINT32_MAX;
    for (uint32_t i = 0; i < part->evaluation.failure_count; i++) {
        const RowFailure *failure = &part->evaluation.failures[i];
        uint32_t row = element_rows ? element_rows[failure->row] : failure->row;
        if (row == last)
            continue;
        if (!try_cast)
            evaluation_fail(args->evaluation, row, failure->reason);
        args_null(args, out, row);
        last = row;
    }
}

/* Keys that were different must stay so. */
static void check_keys(const Args *args, Vector *out, const Vector *keys, bool try_cast)
{
    for (ARGS_EACH(args, row)) {
        uint32_t start = out->offsets[row], count = out->offsets[row + 1] - start;
        if (vector_is_null(out, row) || !vector_repeats(args->evaluation->arena, keys, start, count))
            continue;
        if (!try_cast)
            evaluation_fail(args->evaluation, row, "two keys of the MAP become one");
        args_null(args, out, row);
    }
}

static void cast_lists(const Args *args, Vector *out, bool try_cast)
{
    Arena *arena = args->evaluation->arena;
    const Vector *lists = args->arg[0];
    uint32_t mask = vector_mask(lists), total = 0;
    for (ARGS_EACH(args, row))
        total += lists->offsets[(row & mask) + 1] - lists->offsets[row & mask];
    uint32_t *places = arena_alloc(arena, sizeof *places * ((size_t)total + 1)), *rows = arena_alloc(arena, sizeof *rows * ((size_t)total + 1)), count = 0, done = 0;
    for (ARGS_EACH(args, row)) {
        while (done < row)
            out->offsets[++done] = count;
        for (uint32_t at = lists->offsets[row & mask]; at < lists->offsets[(row & mask) + 1]; at++) {
            places[count] = at;
            rows[count++] = row;
        }
    }
    while (done < args->row_count)
        out->offsets[++done] = count;
    Part part;
    part_start(&part, args, count, (Selection){ count, NULL });
    const Vector *elements = vector_gather(arena, lists->children[0], places, count);
    if (out->type->kind == TYPE_ARRAY) {
        out->children[0] = cast_part(&part, elements, out->type->children[0]);
    } else {
        Vector *pairs = arena_copy(arena, out->children[0], sizeof *pairs);
        pairs->capacity = count;
        pairs->children = ARENA_ARRAY(arena, Vector *, 2);
        for (int i = 0; i < 2; i++)
            pairs->children[i] = cast_part(&part, elements->children[i], out->type->children[i]);
        out->children[0] = pairs;
    }
    out->child_rows = count;
    fail_rows(args, out, &part, rows, try_cast);
    if (out->type->kind == TYPE_MAP && !type_equal(lists->type->children[0], out->type->children[0]))
        check_keys(args, out, out->children[0]->children[0], try_cast);
}

/* ---- structs ---- */

static void cast_structs(const Args *args, Vector *out, bool try_cast)
{
    Arena *arena = args->evaluation->arena;
    const Vector *from = args->arg[0];
    int *sources = ARENA_ARRAY(arena, int, (size_t)out->type->child_count + 1);
    struct_cast_fields(from->type, out->type, sources);
    Part part;
    part_start(&part, args, args->row_count, args->live);
    for (int i = 0; i < out->type->child_count; i++) {
        if (sources[i] >= 0) {
            out->children[i] = cast_part(&part, from->children[sources[i]], out->type->children[i]);
            continue;
        }
        for (uint32_t row = 0; row < args->row_count; row++)
            vector_set_null(arena, out->children[i], row);
    }
    fail_rows(args, out, &part, NULL, try_cast);
}

void cast_nested(const Args *args, Vector *out, bool try_cast)
{
    if (out->type->kind == TYPE_STRUCT)
        cast_structs(args, out, try_cast);
    else
        cast_lists(args, out, try_cast);
}
