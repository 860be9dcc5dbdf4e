/* functions/compare.c: = <> < <= > >= and IS [NOT] DISTINCT FROM, for every type.
 *
 * The binder gives both sides the same type, so there is one row an operator and one loop a physical form. A result is a byte 0 or 1.
 * NaN equals NaN and stands above all numbers; inside nested values NULL equals NULL. */
#include <math.h>
#include "functions/functions_internal.h"

/* result[row] = EXPR of a, b. */
#define COMPARE_LOOP(name, CType, EXPR)                                                                                        \
    CLONES static void name(const void *left_values, const void *right_values, bool left_constant, bool right_constant,        \
                            uint8_t *restrict result, uint32_t count)                                                          \
    {                                                                                                                          \
        const CType *restrict left = left_values, *restrict right = right_values;                                              \
        if (right_constant) {                                                                                                  \
            const CType b = right[0];                                                                                          \
            const uint32_t mask = left_constant ? 0 : ~0u;                                                                     \
            if (left_constant) {                                                                                               \
                for (uint32_t row = 0; row < count; row++) {                                                                   \
                    const CType a = left[row & mask];                                                                          \
                    result[row] = (EXPR);                                                                                      \
                }                                                                                                              \
                return;                                                                                                        \
            }                                                                                                                  \
            for (uint32_t row = 0; row < count; row++) {                                                                       \
                const CType a = left[row];                                                                                     \
                result[row] = (EXPR);                                                                                          \
            }                                                                                                                  \
        } else if (left_constant) {                                                                                            \
            const CType a = left[0];                                                                                           \
            for (uint32_t row = 0; row < count; row++) {                                                                       \
                const CType b = right[row];                                                                                    \
                result[row] = (EXPR);                                                                                          \
            }                                                                                                                  \
        } else {                                                                                                               \
            for (uint32_t row = 0; row < count; row++) {                                                                       \
                const CType a = left[row], b = right[row];                                                                     \
                result[row] = (EXPR);                                                                                          \
            }                                                                                                                  \
        }                                                                                                                      \
    }

COMPARE_LOOP(equal_int64, int64_t, a == b)
COMPARE_LOOP(less_int64, int64_t, a < b)
COMPARE_LOOP(less_equal_int64, int64_t, a <= b)
COMPARE_LOOP(equal_bool, uint8_t, a == b)
COMPARE_LOOP(less_bool, uint8_t, a < b)
COMPARE_LOOP(less_equal_bool, uint8_t, a <= b)
COMPARE_LOOP(equal_double, double, (a == b) | ((a != a) & (b != b)))
COMPARE_LOOP(less_double, double, (a < b) | ((a == a) & (b != b)))
COMPARE_LOOP(less_equal_double, double, (a <= b) | (b != b))
COMPARE_LOOP(equal_int128, Int128, a == b)
COMPARE_LOOP(less_int128, Int128, a < b)
COMPARE_LOOP(less_equal_int128, Int128, a <= b)
COMPARE_LOOP(equal_interval, Interval, (a.months == b.months) & (a.us == b.us))
COMPARE_LOOP(less_interval, Interval, (a.months < b.months) | ((a.months == b.months) & (a.us < b.us)))
COMPARE_LOOP(less_equal_interval, Interval, (a.months < b.months) | ((a.months == b.months) & (a.us <= b.us)))
COMPARE_LOOP(less_str, Str, str_compare(&a, &b) < 0)
COMPARE_LOOP(less_equal_str, Str, str_compare(&a, &b) <= 0)

/* Short strings are two words, so equality with one is two comparisons. */
static void equal_str(const void *left_values, const void *right_values, bool left_constant, bool right_constant, uint8_t *result, uint32_t count)
{
    const Str *left = left_values, *right = right_values;
    if (left_constant && !right_constant) {
        const Str *swap = left;
        left = right;
        right = swap;
        left_constant = false;
        right_constant = true;
    }
    if (right_constant && !left_constant && right->length <= STR_INLINE) {
        uint64_t head, tail;
        memcpy(&head, right, 8);
        memcpy(&tail, (const char *)right + 8, 8);
        for (uint32_t row = 0; row < count; row++) {
            uint64_t words[2];
            memcpy(words, &left[row], 16);
            result[row] = (words[0] == head) & (words[1] == tail);
        }
        return;
    }
    for (uint32_t row = 0; row < count; row++)
        result[row] = str_equal(&left[left_constant ? 0 : row], &right[right_constant ? 0 : row]);
}

typedef enum Comparison { EQUAL, LESS, LESS_EQUAL } Comparison;
typedef void (*CompareLoop)(const void *, const void *, bool, bool, uint8_t *, uint32_t);

static CompareLoop loop_for(PhysicalType type, Comparison comparison)
{
    static const CompareLoop loops[][3] = {
        [PHYSICAL_BOOL] = { equal_bool, less_bool, less_equal_bool },
        [PHYSICAL_INT64] = { equal_int64, less_int64, less_equal_int64 },
        [PHYSICAL_DOUBLE] = { equal_double, less_double, less_equal_double },
        [PHYSICAL_INT128] = { equal_int128, less_int128, less_equal_int128 },
        [PHYSICAL_STR] = { equal_str, less_str, less_equal_str },
        [PHYSICAL_INTERVAL] = { equal_interval, less_interval, less_equal_interval },
    };
    return type == PHYSICAL_ARRAY || type == PHYSICAL_STRUCT ? NULL : loops[type][comparison];
}

static void compare_nested(const Vector *left, const Vector *right, Comparison comparison, uint8_t *result, uint32_t count)
{
    for (uint32_t row = 0; row < count; row++) {
        int order = vector_compare_rows(left, row, right, row);
        result[row] = comparison == EQUAL ? order == 0 : comparison == LESS ? order < 0 : order <= 0;
    }
}

static void compare(const Args *args, int left, int right, Comparison comparison, uint8_t *result)
{
    const Vector *a = args->arg[left], *b = args->arg[right];
    CompareLoop loop = loop_for(type_physical(a->type), comparison);
    if (loop)
        loop(a->values, b->values, a->encoding == VECTOR_CONSTANT, b->encoding == VECTOR_CONSTANT, result, args->row_count);
    else
        compare_nested(a, b, comparison, result, args->row_count);
}

static void invert(uint8_t *result, uint32_t count)
{
    for (uint32_t row = 0; row < count; row++)
        result[row] ^= 1;
}

static Error *equal(const Args *args, Vector *out) { return compare(args, 0, 1, EQUAL, out->values), NULL; }
static Error *less(const Args *args, Vector *out) { return compare(args, 0, 1, LESS, out->values), NULL; }
static Error *less_equal(const Args *args, Vector *out) { return compare(args, 0, 1, LESS_EQUAL, out->values), NULL; }
static Error *greater(const Args *args, Vector *out) { return compare(args, 1, 0, LESS, out->values), NULL; }
static Error *greater_equal(const Args *args, Vector *out) { return compare(args, 1, 0, LESS_EQUAL, out->values), NULL; }

static Error *not_equal(const Args *args, Vector *out)
{
    compare(args, 0, 1, EQUAL, out->values);
    invert(out->values, args->row_count);
    return NULL;
}

/* Equal, or both NULL. */
static Error *not_distinct(const Args *args, Vector *out)
{
    uint8_t *result = out->values;
    const Vector *a = args->arg[0], *b = args->arg[1];
    compare(args, 0, 1, EQUAL, result);
    if (a->validity || b->validity)
        for (uint32_t row = 0; row < args->row_count; row++) {
            bool a_null = vector_is_null(a, row), b_null = vector_is_null(b, row);
            result[row] = (a_null & b_null) | (!a_null & !b_null & result[row]);
        }
    return NULL;
}

static Error *distinct(const Args *args, Vector *out)
{
    not_distinct(args, out);
    invert(out->values, args->row_count);
    return NULL;
}

#define COMPARISON(sign, function, ...) \
    { sign, { TYPE_ANY, TYPE_ANY }, TYPE_BOOLEAN, function, .dense = true, .unify = true, .hidden = true, .category = "operator", __VA_ARGS__ }

const ScalarFunction compare_functions[] = {
    COMPARISON("=", equal, .doc = "Equal."),
    COMPARISON("<>", not_equal, .doc = "Not equal."),
    COMPARISON("<", less, .doc = "Less."),
    COMPARISON("<=", less_equal, .doc = "Less or equal."),
    COMPARISON(">", greater, .doc = "Greater."),
    COMPARISON(">=", greater_equal, .doc = "Greater or equal."),
    COMPARISON("is distinct from", distinct, .sees_nulls = true, .doc = "Different, where NULL is a value like others."),
    COMPARISON("is not distinct from", not_distinct, .sees_nulls = true, .doc = "Equal, where NULL is a value like others."),
    { .name = NULL },
};
