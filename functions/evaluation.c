/* functions/evaluation.c: what kernels call, and copying of rows between vectors. */
#include <stdio.h>
#include <math.h>
#include "functions/functions_internal.h"

void args_null(const Args *args, Vector *out, uint32_t row) { vector_set_null(args->evaluation->arena, out, row); }

void evaluation_fail(Evaluation *evaluation, uint32_t row, const char *reason)
{
    if (evaluation->failure_count == evaluation->failure_capacity) {
        uint32_t capacity = evaluation->failure_capacity ? evaluation->failure_capacity * 2 : 16;
        RowFailure *failures = arena_alloc(evaluation->arena, capacity * sizeof *failures);
        if (evaluation->failure_count)
            memcpy(failures, evaluation->failures, evaluation->failure_count * sizeof *failures);
        evaluation->failures = failures;
        evaluation->failure_capacity = capacity;
    }
    evaluation->failures[evaluation->failure_count++] = (RowFailure){ row, reason };
}

void args_fail(const Args *args, Vector *out, uint32_t row, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    evaluation_fail(args->evaluation, row, arena_vprintf(args->evaluation->arena, format, list));
    va_end(list);
    vector_set_null(args->evaluation->arena, out, row);
}

/* ---- rows ---- */

static int compare_lists(const Vector *a, uint32_t a_row, const Vector *b, uint32_t b_row)
{
    uint32_t a_at = a->offsets[a_row], a_end = a->offsets[a_row + 1], b_at = b->offsets[b_row], b_end = b->offsets[b_row + 1];
    for (; a_at < a_end && b_at < b_end; a_at++, b_at++) {
        int order = vector_compare_rows(a->children[0], a_at, b->children[0], b_at);
        if (order)
            return order;
    }
    return (a_at < a_end) - (b_at < b_end);
}

#define ORDER(x, y) (((x) > (y)) - ((x) < (y)))

int vector_compare_rows(const Vector *a, uint32_t a_row, const Vector *b, uint32_t b_row)
{
    a_row &= vector_mask(a);
    b_row &= vector_mask(b);
    bool a_null = vector_is_null(a, a_row), b_null = vector_is_null(b, b_row);
    if (a_null || b_null)
        return a_null - b_null;
    switch (type_physical(a->type)) {
    case PHYSICAL_BOOL: return ORDER(((const uint8_t *)a->values)[a_row], ((const uint8_t *)b->values)[b_row]);
    case PHYSICAL_INT64: return ORDER(((const int64_t *)a->values)[a_row], ((const int64_t *)b->values)[b_row]);
    case PHYSICAL_INT128: return ORDER(((const Int128 *)a->values)[a_row], ((const Int128 *)b->values)[b_row]);
    case PHYSICAL_STR: return str_compare(&((const Str *)a->values)[a_row], &((const Str *)b->values)[b_row]);
    case PHYSICAL_DOUBLE: {
        double x = ((const double *)a->values)[a_row], y = ((const double *)b->values)[b_row];
        return isnan(x) || isnan(y) ? !!isnan(x) - !!isnan(y) : ORDER(x, y);
    }
    case PHYSICAL_INTERVAL: {
        Interval x = ((const Interval *)a->values)[a_row], y = ((const Interval *)b->values)[b_row];
        return x.months != y.months ? ORDER(x.months, y.months) : ORDER(x.us, y.us);
    }
    case PHYSICAL_ARRAY: return compare_lists(a, a_row, b, b_row);
    case PHYSICAL_STRUCT:
        for (int i = 0; i < a->type->child_count; i++) {
            int order = vector_compare_rows(a->children[i], a_row, b->children[i], b_row);
            if (order)
                return order;
        }
        return 0;
    }
    return 0;
}

#define CHOOSE(CType)                                                                                                \
    for (uint32_t row = 0; row < row_count; row++)                                                                   \
        if (which[row] != CHOOSE_NONE && validity_at(sources[which[row]], row))                                      \
            ((CType *)out->values)[row] = ((const CType *)sources[which[row]]->values)[row & vector_mask(sources[which[row]])]; \
        else                                                                                                         \
            vector_set_null(arena, out, row);                                                                        \
    break

void vector_choose(Arena *arena, Vector *out, const Vector *const sources[], const uint16_t *which, uint32_t row_count)
{
    switch (type_physical(out->type)) {
    case PHYSICAL_BOOL: CHOOSE(uint8_t);
    case PHYSICAL_INT64: CHOOSE(int64_t);
    case PHYSICAL_DOUBLE: CHOOSE(double);
    case PHYSICAL_INT128: CHOOSE(Int128);
    case PHYSICAL_STR: CHOOSE(Str);
    case PHYSICAL_INTERVAL: CHOOSE(Interval);
    case PHYSICAL_ARRAY:
    case PHYSICAL_STRUCT:
        for (uint32_t row = 0; row < row_count; row++) {
            Value value = which[row] == CHOOSE_NONE ? value_null(out->type) : vector_get(arena, sources[which[row]], row);
            vector_set(arena, out, row, &value);
        }
        break;
    }
}
