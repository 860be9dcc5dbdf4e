/* functions/aggregate.c: what GROUP BY can compute.
 *
 * States, all zero when the group is new:
 *   COUNT          l  rows
 *   SUM, AVG int   l  low 64 bits of the sum; l  spill: 16 bits of wraps (they stick at their limit) | 48 bits of counted rows
 *   SUM DECIMAL    x  low 128 bits of the sum; l  spill as above
 *   SUM DOUBLE     d  sum; d  its rounding error (double-double); l  rows; l  NaN, +inf, -inf, counted in 21 bits each
 *   MIN, MAX ..    the value; l  not 0: there is one, and when it came where that counts
 *
 * Update kernels are one loop without a call. Only the final value of a sum can overflow. */
#include "functions/aggregate_kernels.h"
#include <math.h>
#include "common/calendar.h"
#include "common/decimal.h"
#include "functions/packed.h"

/* ---- COUNT ---- */

static void count_rows_update(const AggregateArgs *args)
{
    const uint32_t count = args->rows->count, *rows = args->rows->rows;
    for (uint32_t i = 0; i < count; i++) {
        int64_t *state = (int64_t *)(args->states[i] + args->offset);
        *state += args->kinds && row_kind_retracts(args->kinds[rows ? rows[i] : i]) ? -1 : 1;
    }
}

static void count_update(const AggregateArgs *args)
{
    if (!args->kinds)
        UPDATE_EACH(args, (void)row; ++*(int64_t *)state);
    else
        UPDATE_EACH(args, (void)row; *(int64_t *)state += SIGN(args));
}

static void count_merge(char *into, const char *from, size_t stride, uint32_t count, StateHeap *heap, const AggregateShape *shape)
{
    (void)heap, (void)shape;
    for (uint32_t i = 0; i < count; i++)
        *(int64_t *)(into + i * stride) += *(const int64_t *)(from + i * stride);
}

static void count_unmerge(char *total, const char *gone, size_t stride, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        *(int64_t *)(total + i * stride) -= *(const int64_t *)(gone + i * stride);
}

static void count_result(char *const *states, size_t offset, uint32_t count, const Args *args, Vector *out, uint32_t first)
{
    (void)args;
    int64_t *result = (int64_t *)out->values + first;
    for (uint32_t i = 0; i < count; i++)
        result[i] = load64(states[i] + offset);
}

/* ---- the spill word: counted rows in the low 48 bits, wraps of the low part in the high 16, which stick at their limits ---- */

#define SPILL_ONE (1ll << 48)
#define SPILL_MAX INT16_MAX
#define SPILL_MIN INT16_MIN
static inline int64_t spill_rows(int64_t spill) { return spill & (SPILL_ONE - 1); }
static inline int64_t spill_wraps(int64_t spill) { return spill >> 48; }
static inline int64_t spill_make(int64_t wraps, int64_t rows)
{
    if (wraps > SPILL_MAX)
        wraps = SPILL_MAX;
    if (wraps < SPILL_MIN)
        wraps = SPILL_MIN;
    return (int64_t)((uint64_t)wraps << 48) | (rows & (SPILL_ONE - 1));
}
static inline bool spill_stuck(int64_t wraps) { return wraps == SPILL_MAX || wraps == SPILL_MIN; }
static __attribute__((noinline)) void spill_add(char *spill, int64_t wraps)
{
    int64_t word = load64(spill), now = spill_wraps(word);
    if (!spill_stuck(now))
        store64(spill, spill_make(now + wraps, spill_rows(word)));
}
/* The rows of two spill words together (times sign) and their wraps plus `carry`. */
static inline int64_t spill_merge(int64_t a, int64_t b, int sign, int64_t carry)
{
    int64_t a_wraps = spill_wraps(a), b_wraps = spill_wraps(b), rows = spill_rows(a) + sign * spill_rows(b);
    if (spill_stuck(a_wraps))
        return spill_make(a_wraps, rows);
    if (spill_stuck(b_wraps))
        return spill_make(sign > 0 ? b_wraps : b_wraps == SPILL_MAX ? SPILL_MIN : SPILL_MAX, rows);
    return spill_make(a_wraps + sign * b_wraps + carry, rows);
}

/* ---- SUM and AVG of integers ---- */

static void sum_int_update(const AggregateArgs *args)
{
    const int64_t *values = args->arg[0]->values;
    if (!args->kinds) {
        UPDATE_EACH(args, {
            int64_t *sum = (int64_t *)state;
            sum[1]++;
            if (__builtin_expect(__builtin_add_overflow(sum[0], values[row], &sum[0]), 0))
                spill_add(state + 8, values[row] < 0 ? -1 : 1);
        });
        return;
    }
    UPDATE_EACH(args, {
        int64_t *sum = (int64_t *)state;
        if (SIGN(args) > 0) {
            sum[1] = spill_make(spill_wraps(sum[1]), spill_rows(sum[1]) + 1);
            if (__builtin_add_overflow(sum[0], values[row], &sum[0]))
                spill_add(state + 8, values[row] < 0 ? -1 : 1);
        } else {
            sum[1] = spill_make(spill_wraps(sum[1]), spill_rows(sum[1]) - 1);
            if (__builtin_sub_overflow(sum[0], values[row], &sum[0]))
                spill_add(state + 8, values[row] < 0 ? 1 : -1);
        }
    });
}

static void sum_int_merge(char *into, const char *from, size_t stride, uint32_t count, StateHeap *heap, const AggregateShape *shape)
{
    (void)heap, (void)shape;
    for (uint32_t i = 0; i < count; i++) {
        int64_t *a = (int64_t *)(into + i * stride);
        const int64_t *b = (const int64_t *)(from + i * stride);
        int64_t sum;
        bool wrapped = __builtin_add_overflow(a[0], b[0], &sum);
        if (__builtin_expect(!wrapped && (a[1] | b[1]) >> 48 == 0, 1)) {
            a[1] += b[1];
        } else {
            a[1] = spill_merge(a[1], b[1], 1, wrapped ? (b[0] < 0 ? -1 : 1) : 0);
        }
        a[0] = sum;
    }
}

static void sum_int_unmerge(char *total, const char *gone, size_t stride, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        int64_t *a = (int64_t *)(total + i * stride), sum;
        const int64_t *b = (const int64_t *)(gone + i * stride);
        bool wrapped = __builtin_sub_overflow(a[0], b[0], &sum);
        a[1] = spill_merge(a[1], b[1], -1, wrapped ? (b[0] < 0 ? 1 : -1) : 0);
        a[0] = sum;
    }
}

static void sum_int_result(char *const *states, size_t offset, uint32_t count, const Args *args, Vector *out, uint32_t first)
{
    int64_t *result = (int64_t *)out->values + first;
    for (uint32_t i = 0; i < count; i++) {
        int64_t spill = load64(states[i] + offset + 8);
        result[i] = load64(states[i] + offset);
        if (__builtin_expect(spill_rows(spill) == 0, 0)) {
            result[i] = 0;
            args_null(args, out, first + i);
        } else if (__builtin_expect(spill_wraps(spill) != 0, 0)) {
            result[i] = 0;
            args_fail(args, out, first + i, "SUM does not fit in BIGINT");
        }
    }
}

static void avg_int_result(char *const *states, size_t offset, uint32_t count, const Args *args, Vector *out, uint32_t first)
{
    double *result = (double *)out->values + first;
    for (uint32_t i = 0; i < count; i++) {
        int64_t spill = load64(states[i] + offset + 8), rows = spill_rows(spill), wraps = spill_wraps(spill);
        if (rows == 0)
            args_null(args, out, first + i);
        else if (spill_stuck(wraps))
            args_fail(args, out, first + i, "AVG is out of range");
        else
            result[i] = (double)(((Int128)wraps << 64) + load64(states[i] + offset)) / (double)rows;
    }
}

/* ---- SUM and AVG of DECIMAL ---- */

static inline Int128 decimal_at(const Vector *vector, PhysicalType physical, uint32_t row)
{
    if (physical == PHYSICAL_INT64)
        return ((const int64_t *)vector->values)[row];
    return ((const Int128 *)vector->values)[row];
}

static void sum_decimal_update(const AggregateArgs *args)
{
    const Vector *vector = args->arg[0];
    const PhysicalType physical = type_physical(vector->type);
    UPDATE_EACH(args, {
        Int128 value = decimal_at(vector, physical, row), sum = load128(state);
        const int sign = SIGN(args);
        int64_t *spill = (int64_t *)(state + 16);
        *spill = spill_make(spill_wraps(*spill), spill_rows(*spill) + sign);
        if (sign < 0)
            value = -value; /* at most 38 digits: cannot overflow */
        if (__builtin_add_overflow(sum, value, &sum))
            spill_add(state + 16, value < 0 ? -1 : 1);
        store128(state, sum);
    });
}

static void sum_decimal_combine(char *into, const char *from, int sign)
{
    Int128 a = load128(into), b = load128(from);
    bool wrapped = sign > 0 ? __builtin_add_overflow(a, b, &a) : __builtin_sub_overflow(a, b, &a);
    int64_t carry = !wrapped ? 0 : (b < 0) == (sign > 0) ? -1 : 1;
    store128(into, a);
    store64(into + 16, spill_merge(load64(into + 16), load64(from + 16), sign, carry));
}

static void sum_decimal_merge(char *into, const char *from, size_t stride, uint32_t count, StateHeap *heap, const AggregateShape *shape)
{
    (void)heap, (void)shape;
    for (uint32_t i = 0; i < count; i++)
        sum_decimal_combine(into + i * stride, from + i * stride, 1);
}

static void sum_decimal_unmerge(char *total, const char *gone, size_t stride, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        sum_decimal_combine(total + i * stride, gone + i * stride, -1);
}

static void decimal_put(const Args *args, Vector *out, uint32_t row, Int128 value, bool fits, const char *name)
{
    if (!fits || !decimal_fits(value, args->result_type->precision))
        args_fail(args, out, row, "%s does not fit in DECIMAL(%d, %d)", name, args->result_type->precision, args->result_type->scale);
    else if (type_physical(args->result_type) == PHYSICAL_INT64)
        ((int64_t *)out->values)[row] = (int64_t)value;
    else
        ((Int128 *)out->values)[row] = value;
}

static void sum_decimal_result(char *const *states, size_t offset, uint32_t count, const Args *args, Vector *out, uint32_t first)
{
    for (uint32_t i = 0; i < count; i++) {
        int64_t spill = load64(states[i] + offset + 16);
        if (spill_rows(spill) == 0)
            args_null(args, out, first + i);
        else
            decimal_put(args, out, first + i, load128(states[i] + offset), spill_wraps(spill) == 0, "SUM");
    }
}

static const Type *sum_decimal_type(Arena *arena, const Type *const types[], int count)
{
    (void)count;
    return type_decimal(arena, DECIMAL_MAX_PRECISION, types[0]->kind == TYPE_DECIMAL ? types[0]->scale : 0);
}

/* Six digits after the point at least, as far as 38 digits allow. */
static const Type *avg_decimal_type(Arena *arena, const Type *const types[], int count)
{
    (void)count;
    int scale = types[0]->kind == TYPE_DECIMAL ? types[0]->scale : 0;
    return type_decimal(arena, DECIMAL_MAX_PRECISION, scale < 6 ? 6 : scale);
}

static void avg_decimal_result(char *const *states, size_t offset, uint32_t count, const Args *args, Vector *out, uint32_t first)
{
    const AggregateShape *shape = args->prepared;
    const int from = shape->arg_types[0]->kind == TYPE_DECIMAL ? shape->arg_types[0]->scale : 0;
    for (uint32_t i = 0; i < count; i++) {
        int64_t spill = load64(states[i] + offset + 16), rows = spill_rows(spill);
        bool fits = true;
        if (rows == 0) {
            args_null(args, out, first + i);
            continue;
        }
        Int128 sum = load128(states[i] + offset), quotient = sum / rows, rest = sum % rows;
        for (int digit = from; digit < args->result_type->scale && fits; digit++) { /* long division, digit by digit */
            fits = !__builtin_mul_overflow(quotient, (Int128)10, &quotient);
            quotient += rest * 10 / rows;
            rest = rest * 10 % rows;
        }
        if ((rest < 0 ? -rest : rest) * 2 >= rows) /* half away from zero */
            quotient += sum < 0 ? -1 : 1;
        decimal_put(args, out, first + i, quotient, fits && spill_wraps(spill) == 0, "AVG");
    }
}

/* ---- SUM and AVG of DOUBLE ---- */

typedef struct DoubleSum { double sum, error; int64_t rows, odd; } DoubleSum; /* `odd`: NaN | +inf << 21 | -inf << 42 */

static inline void double_add(DoubleSum *sum, double value)
{
    double total = sum->sum + value, part = total - sum->sum; /* Knuth's two-sum */
    sum->error += (sum->sum - (total - part)) + (value - part);
    sum->sum = total;
}

static inline int64_t odd_unit(double value) { return value != value ? 1 : value > 0 ? 1ll << 21 : 1ll << 42; }

static void sum_double_update(const AggregateArgs *args)
{
    const double *values = args->arg[0]->values;
    UPDATE_EACH(args, {
        DoubleSum *sum = (DoubleSum *)state;
        const int sign = SIGN(args);
        sum->rows += sign;
        if (__builtin_expect(!isfinite(values[row]), 0))
            sum->odd += sign * odd_unit(values[row]);
        else
            double_add(sum, sign * values[row]);
        if (sign < 0 && sum->rows == 0)
            sum->sum = sum->error = 0;
    });
}

static void sum_double_merge(char *into, const char *from, size_t stride, uint32_t count, StateHeap *heap, const AggregateShape *shape)
{
    (void)heap, (void)shape;
    for (uint32_t i = 0; i < count; i++) {
        DoubleSum *a = (DoubleSum *)(into + i * stride);
        const DoubleSum *b = (const DoubleSum *)(from + i * stride);
        double_add(a, b->sum);
        a->error += b->error;
        a->rows += b->rows;
        a->odd += b->odd;
    }
}

static void sum_double_unmerge(char *total, const char *gone, size_t stride, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        DoubleSum *a = (DoubleSum *)(total + i * stride);
        const DoubleSum *b = (const DoubleSum *)(gone + i * stride);
        double_add(a, -b->sum);
        a->error -= b->error;
        a->rows -= b->rows;
        a->odd -= b->odd;
        if (a->rows == 0)
            a->sum = a->error = 0;
    }
}

static double double_total(const DoubleSum *sum)
{
    int64_t nans = sum->odd & 0x1FFFFF, plus = sum->odd >> 21 & 0x1FFFFF, minus = sum->odd >> 42;
    if (nans || (plus && minus))
        return NAN;
    if (plus || minus)
        return plus ? INFINITY : -INFINITY;
    double total = sum->sum + sum->error;
    return isnan(total) ? sum->sum : total; /* the sum itself overflowed */
}

static void sum_double_result(char *const *states, size_t offset, uint32_t count, const Args *args, Vector *out, uint32_t first)
{
    double *result = (double *)out->values + first;
    for (uint32_t i = 0; i < count; i++) {
        const DoubleSum *sum = (const DoubleSum *)(states[i] + offset);
        if (sum->rows == 0)
            args_null(args, out, first + i);
        else
            result[i] = double_total(sum);
    }
}

static void avg_double_result(char *const *states, size_t offset, uint32_t count, const Args *args, Vector *out, uint32_t first)
{
    double *result = (double *)out->values + first;
    for (uint32_t i = 0; i < count; i++) {
        const DoubleSum *sum = (const DoubleSum *)(states[i] + offset);
        if (sum->rows == 0)
            args_null(args, out, first + i);
        else
            result[i] = double_total(sum) / (double)sum->rows;
    }
}

/* ---- SUM_LIST: the elements as rows ---- */

static void elements_update(const AggregateArgs *args, void (*update)(const AggregateArgs *args))
{
    const Vector *lists = args->arg[0], *elements = lists->children[0];
    Arena *arena = args->evaluation->arena;
    const uint32_t count = args->rows->count, mask = vector_mask(lists);
    uint64_t total = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t row = selection_row(args->rows, i);
        total += vector_is_null(lists, row) ? 0 : lists->offsets[(row & mask) + 1] - lists->offsets[row & mask];
    }
    char **states = ARENA_ARRAY(arena, char *, total + 1);
    uint32_t *rows = ARENA_ARRAY(arena, uint32_t, total + 1), found = 0;
    uint8_t *kinds = args->kinds ? ARENA_ARRAY(arena, uint8_t, (size_t)lists->child_rows + 1) : NULL;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t row = selection_row(args->rows, i);
        if (vector_is_null(lists, row))
            continue;
        for (uint32_t at = lists->offsets[row & mask]; at < lists->offsets[(row & mask) + 1]; at++, found++) {
            states[found] = args->states[i];
            rows[found] = at;
            if (kinds)
                kinds[at] = args->kinds[row];
        }
    }
    Selection selection = { found, rows };
    AggregateArgs inner = *args;
    inner.states = states;
    inner.rows = &selection;
    inner.arg = &elements;
    inner.kinds = kinds;
    update(&inner);
}
static void sum_int_list_update(const AggregateArgs *args) { elements_update(args, sum_int_update); }
static void sum_double_list_update(const AggregateArgs *args) { elements_update(args, sum_double_update); }
static void sum_decimal_list_update(const AggregateArgs *args) { elements_update(args, sum_decimal_update); }

static const Type *sum_int_list_type(Arena *arena, const Type *const types[], int count)
{
    (void)arena, (void)count;
    return type_is_integer(types[0]->children[0]) ? type_scalar(TYPE_BIGINT) : NULL;
}

static const Type *sum_double_list_type(Arena *arena, const Type *const types[], int count)
{
    (void)arena, (void)count;
    return type_physical(types[0]->children[0]) == PHYSICAL_DOUBLE ? type_scalar(TYPE_DOUBLE) : NULL;
}

static const Type *sum_decimal_list_type(Arena *arena, const Type *const types[], int count)
{
    return types[0]->children[0]->kind == TYPE_DECIMAL ? sum_decimal_type(arena, &types[0]->children[0], count) : NULL;
}

/* ---- values that are kept: MIN, MAX, EARLIEST_BY_OFFSET, LATEST_BY_OFFSET ---- */

static inline int compare_double(double a, double b) /* NaN is the largest */
{
    if (a != a || b != b)
        return (a != a) - (b != b);
    return (a > b) - (a < b);
}
static inline int compare_interval(Interval a, Interval b) /* a month counts 30 days */
{
    Int128 x = (Int128)a.months * 30 * US_PER_DAY + a.us, y = (Int128)b.months * 30 * US_PER_DAY + b.us;
    return (x > y) - (x < y);
}

/* Whether a value replaces the kept one: one that comes, and one that another group has kept. The mark says that there is a value, and
 * when it came where that counts. */
#define MIN_TAKES(order) ((order) < 0)
#define MAX_TAKES(order) ((order) > 0)
#define EARLIEST_TAKES(order) ((void)(order), false)
#define LATEST_TAKES(order) ((void)(order), true)
#define MIN_MERGES(order, theirs, ours) ((void)(theirs), (void)(ours), (order) < 0)
#define MAX_MERGES(order, theirs, ours) ((void)(theirs), (void)(ours), (order) > 0)
#define EARLIEST_MERGES(order, theirs, ours) ((void)(order), (theirs) < (ours))
#define LATEST_MERGES(order, theirs, ours) ((void)(order), (theirs) > (ours))
#define MIN_MARK(args, row) 1
#define MAX_MARK(args, row) 1
#define EARLIEST_MARK(args, row) (arrival_of(args, row) + 1)
#define LATEST_MARK(args, row) (arrival_of(args, row) + 1)
#define ORDER_PLAIN(a, b) (((a) > (b)) - ((a) < (b)))

/* update, merge for one rule and one C type; `get` reads the argument. The mark follows the value. */
#define KEEP_KERNELS(name, CType, get, order, RULE)                                                          \
    static void name##_update(const AggregateArgs *args)                                                       \
    {                                                                                                          \
        const Vector *vector = args->arg[0];                                                                   \
        const PhysicalType physical = type_physical(vector->type);                                             \
        (void)physical;                                                                                        \
        UPDATE_EACH(args, {                                                                                    \
            CType value = get(vector, row), kept;                                                              \
            int64_t *there = (int64_t *)(state + sizeof(CType));                                               \
            memcpy(&kept, state, sizeof(CType));                                                               \
            if (!*there || RULE##_TAKES(order(value, kept))) {                                                 \
                memcpy(state, &value, sizeof(CType));                                                          \
                *there = RULE##_MARK(args, in_);                                                               \
            }                                                                                                  \
        });                                                                                                    \
    }                                                                                                          \
    static void name##_merge(char *into, const char *from, size_t stride, uint32_t count, StateHeap *heap, const AggregateShape *shape)     \
    {                                                                                                          \
        (void)heap, (void)shape;                                                                                            \
        for (uint32_t i = 0; i < count; i++, into += stride, from += stride) {                                 \
            CType a, b;                                                                                        \
            int64_t *there = (int64_t *)(into + sizeof(CType)), theirs = load64(from + sizeof(CType));         \
            if (!theirs)                                                                                       \
                continue;                                                                                      \
            memcpy(&a, into, sizeof(CType));                                                                   \
            memcpy(&b, from, sizeof(CType));                                                                   \
            if (!*there || RULE##_MERGES(order(b, a), theirs, *there)) {                                       \
                memcpy(into, &b, sizeof(CType));                                                               \
                *there = theirs;                                                                               \
            }                                                                                                  \
        }                                                                                                      \
    }

#define GET_INT64(vector, row) (((const int64_t *)(vector)->values)[row])
#define GET_BOOL(vector, row) ((int64_t)((const uint8_t *)(vector)->values)[row])
#define GET_DOUBLE(vector, row) (((const double *)(vector)->values)[row])
#define GET_DECIMAL(vector, row) decimal_at(vector, physical, row)
#define GET_INTERVAL(vector, row) (((const Interval *)(vector)->values)[row])

#define KEEP_ALL(rule, RULE)                                                     \
    KEEP_KERNELS(rule##_int64, int64_t, GET_INT64, ORDER_PLAIN, RULE)            \
    KEEP_KERNELS(rule##_bool, int64_t, GET_BOOL, ORDER_PLAIN, RULE)              \
    KEEP_KERNELS(rule##_double, double, GET_DOUBLE, compare_double, RULE)        \
    KEEP_KERNELS(rule##_decimal, Int128, GET_DECIMAL, ORDER_PLAIN, RULE)         \
    KEEP_KERNELS(rule##_interval, Interval, GET_INTERVAL, compare_interval, RULE) \
    KEEP_STRING(rule, RULE)

/* Strings are copied to the heap; a RULE one takes the room of the former. */
#define KEEP_STRING(rule, RULE)                                                                              \
    static void rule##_string_update(const AggregateArgs *args)                                                \
    {                                                                                                          \
        const Str *values = args->arg[0]->values;                                                              \
        UPDATE_EACH(args, {                                                                                    \
            Str *kept = (Str *)state;                                                                          \
            int64_t *there = (int64_t *)(state + sizeof(Str));                                                 \
            if (!*there || RULE##_TAKES(str_compare(&values[row], kept))) {                                    \
                *kept = state_heap_store(args->heap, &values[row], kept);                                      \
                *there = RULE##_MARK(args, in_);                                                               \
            }                                                                                                  \
        });                                                                                                    \
    }                                                                                                          \
    static void rule##_string_merge(char *into, const char *from, size_t stride, uint32_t count, StateHeap *heap, const AggregateShape *shape) \
    {                                                                                                          \
        (void)shape;                                                                                           \
        for (uint32_t i = 0; i < count; i++, into += stride, from += stride) {                                 \
            Str *kept = (Str *)into;                                                                           \
            const Str *other = (const Str *)from;                                                              \
            int64_t *there = (int64_t *)(into + sizeof(Str)), theirs = load64(from + sizeof(Str));             \
            if (!theirs)                                                                                       \
                continue;                                                                                      \
            if (!*there || RULE##_MERGES(str_compare(other, kept), theirs, *there)) {                          \
                *kept = state_heap_store(heap, other, kept);                                                   \
                *there = theirs;                                                                               \
            }                                                                                                  \
        }                                                                                                      \
    }

KEEP_ALL(min, MIN)
KEEP_ALL(max, MAX)
KEEP_ALL(earliest, EARLIEST)
KEEP_ALL(latest, LATEST)

#define KEPT_RESULT(name, CType, put)                                                                          \
    static void name(char *const *states, size_t offset, uint32_t count, const Args *args, Vector *out, uint32_t first) \
    {                                                                                                          \
        for (uint32_t i = 0; i < count; i++) {                                                                 \
            const char *state = states[i] + offset;                                                            \
            const uint32_t row = first + i;                                                                    \
            if (!load64(state + sizeof(CType))) {                                                              \
                args_null(args, out, row);                                                                     \
                continue;                                                                                      \
            }                                                                                                  \
            CType value;                                                                                       \
            memcpy(&value, state, sizeof(CType));                                                              \
            put;                                                                                               \
        }                                                                                                      \
    }
KEPT_RESULT(kept_int64_result, int64_t, ((int64_t *)out->values)[row] = value)
KEPT_RESULT(kept_bool_result, int64_t, ((uint8_t *)out->values)[row] = value != 0)
KEPT_RESULT(kept_double_result, double, ((double *)out->values)[row] = value)
KEPT_RESULT(kept_interval_result, Interval, ((Interval *)out->values)[row] = value)
KEPT_RESULT(kept_decimal_result, Int128, decimal_put(args, out, row, value, true, "value"))
KEPT_RESULT(kept_string_result, Str, {
    if (value.length > STR_INLINE)
        value = str_view(arena_copy(args->evaluation->arena, value.pointer, value.length), value.length);
    ((Str *)out->values)[row] = value;
})

static const Type *same_type(Arena *arena, const Type *const types[], int count)
{
    (void)arena, (void)count;
    return types[0];
}

/* ---- the table ---- */

#define min_extras .aliases = NULL
#define max_extras .aliases = NULL
#define earliest_extras .aliases = earliest_aliases, .shrinking = &earliest_aggregate
#define latest_extras .aliases = latest_aliases, .shrinking = &latest_aggregate
/* A kept value of one argument type. */
#define KEPT(sql, kind, physical, layout_text, rule, retract_rule, ordered, same, text, sample, sample_yields)                     \
    { .name = sql, rule##_extras, .args = { kind }, .returns = TYPE_ANY, .resolve = same_type, .layout = layout_text "l",            \
      .update = rule##_##physical##_update, .merge = rule##_##physical##_merge, .result = kept_##physical##_result,   \
      .retract = retract_rule, .merge_exact = true, .order_sensitive = ordered, .distinct_is_same = same,             \
      .category = "aggregate", .doc = text, .example = sample, .yields = sample_yields }
#define KEPT_ALL(sql, rule, retract_rule, ordered, same, text, sample, sample_yields)                                   \
    KEPT(sql, TYPE_BIGINT, int64, "l", rule, retract_rule, ordered, same, text, sample, sample_yields),                 \
    KEPT(sql, TYPE_INT, int64, "l", rule, retract_rule, ordered, same, text, sample, sample_yields),                    \
    KEPT(sql, TYPE_SMALLINT, int64, "l", rule, retract_rule, ordered, same, text, sample, sample_yields),               \
    KEPT(sql, TYPE_TINYINT, int64, "l", rule, retract_rule, ordered, same, text, sample, sample_yields),                \
    KEPT(sql, TYPE_DOUBLE, double, "d", rule, retract_rule, ordered, same, text, sample, sample_yields),                \
    KEPT(sql, TYPE_FLOAT, double, "d", rule, retract_rule, ordered, same, text, sample, sample_yields),                 \
    KEPT(sql, TYPE_DECIMAL, decimal, "x", rule, retract_rule, ordered, same, text, sample, sample_yields),              \
    KEPT(sql, TYPE_VARCHAR, string, "s", rule, retract_rule, ordered, same, text, sample, sample_yields),               \
    KEPT(sql, TYPE_BYTES, string, "s", rule, retract_rule, ordered, same, text, sample, sample_yields),                 \
    KEPT(sql, TYPE_BOOLEAN, bool, "l", rule, retract_rule, ordered, same, text, sample, sample_yields),                 \
    KEPT(sql, TYPE_DATE, int64, "l", rule, retract_rule, ordered, same, text, sample, sample_yields),                   \
    KEPT(sql, TYPE_TIME, int64, "l", rule, retract_rule, ordered, same, text, sample, sample_yields),                   \
    KEPT(sql, TYPE_TIMESTAMP, int64, "l", rule, retract_rule, ordered, same, text, sample, sample_yields),              \
    KEPT(sql, TYPE_TIMESTAMP_TZ, int64, "l", rule, retract_rule, ordered, same, text, sample, sample_yields),           \
    KEPT(sql, TYPE_INTERVAL, interval, "x", rule, retract_rule, ordered, same, text, sample, sample_yields)

static const char *const count_aliases[] = { "count_big", NULL };

const AggregateFunction aggregate_functions[] = {
    { .name = "count", .aliases = count_aliases, .returns = TYPE_BIGINT, .layout = "l", .update = count_rows_update, .merge = count_merge,
      .unmerge = count_unmerge, .result = count_result, .retract = RETRACT_INVERT, .merge_exact = true, .category = "aggregate",
      .doc = "Number of rows in the group.", .example = "count(*)", .yields = "4" },
    { .name = "count", .aliases = count_aliases, .args = { TYPE_ANY }, .returns = TYPE_BIGINT, .layout = "l", .update = count_update, .merge = count_merge,
      .unmerge = count_unmerge, .result = count_result, .retract = RETRACT_INVERT, .merge_exact = true, .category = "aggregate",
      .doc = "Number of rows whose argument is not NULL.", .example = "count(x)", .yields = "3" },
    { .name = "sum", .args = { TYPE_BIGINT }, .returns = TYPE_BIGINT, .layout = "ll", .update = sum_int_update,
      .merge = sum_int_merge, .unmerge = sum_int_unmerge, .result = sum_int_result, .retract = RETRACT_INVERT, .merge_exact = true,
      .category = "aggregate", .doc = "Sum of the integers; NULL without any. Only the final value can overflow.",
      .example = "sum(x)", .yields = "5" },
    { .name = "sum", .args = { TYPE_DECIMAL }, .returns = TYPE_ANY, .resolve = sum_decimal_type, .layout = "xl",
      .update = sum_decimal_update, .merge = sum_decimal_merge, .unmerge = sum_decimal_unmerge, .result = sum_decimal_result,
      .retract = RETRACT_INVERT, .merge_exact = true, .category = "aggregate",
      .doc = "Exact sum as DECIMAL(38, s).", .example = "sum(x)", .yields = "5" },
    { .name = "sum", .args = { TYPE_DOUBLE }, .returns = TYPE_DOUBLE, .layout = "ddll", .update = sum_double_update,
      .merge = sum_double_merge, .unmerge = sum_double_unmerge, .result = sum_double_result, .retract = RETRACT_INVERT,
      .category = "aggregate", .doc = "Sum of the numbers, kept in twice the precision.", .example = "sum(x)", .yields = "5" },
    { .name = "sum_list", .args = { TYPE_ARRAY }, .returns = TYPE_ANY, .resolve = sum_int_list_type, .layout = "ll", .update = sum_int_list_update,
      .merge = sum_int_merge, .unmerge = sum_int_unmerge, .result = sum_int_result, .retract = RETRACT_INVERT, .merge_exact = true,
      .category = "aggregate", .doc = "Sum of the elements of all lists.", .example = "sum_list(ARRAY[x, x * 10])", .yields = "55" },
    { .name = "sum_list", .args = { TYPE_ARRAY }, .returns = TYPE_ANY, .resolve = sum_double_list_type, .layout = "ddll", .update = sum_double_list_update,
      .merge = sum_double_merge, .unmerge = sum_double_unmerge, .result = sum_double_result, .retract = RETRACT_INVERT,
      .category = "aggregate", .doc = "Sum of the elements of all lists.", .example = "sum_list(ARRAY[x, x * 10])", .yields = "55" },
    { .name = "sum_list", .args = { TYPE_ARRAY }, .returns = TYPE_ANY, .resolve = sum_decimal_list_type, .layout = "xl", .update = sum_decimal_list_update,
      .merge = sum_decimal_merge, .unmerge = sum_decimal_unmerge, .result = sum_decimal_result, .retract = RETRACT_INVERT, .merge_exact = true,
      .category = "aggregate", .doc = "Sum of the elements of all lists.", .example = "sum_list(ARRAY[x, x * 10])", .yields = "55" },
    { .name = "avg", .args = { TYPE_BIGINT }, .returns = TYPE_DOUBLE, .layout = "ll", .update = sum_int_update,
      .merge = sum_int_merge, .unmerge = sum_int_unmerge, .result = avg_int_result, .retract = RETRACT_INVERT, .merge_exact = true,
      .category = "aggregate", .doc = "Mean of the integers as DOUBLE.", .example = "avg(x * 3)", .yields = "5.0" },
    { .name = "avg", .args = { TYPE_DECIMAL }, .returns = TYPE_ANY, .resolve = avg_decimal_type, .layout = "xl",
      .update = sum_decimal_update, .merge = sum_decimal_merge, .unmerge = sum_decimal_unmerge, .result = avg_decimal_result,
      .retract = RETRACT_INVERT, .merge_exact = true, .category = "aggregate",
      .doc = "Mean of the decimals with six digits or more after the point, rounded half away from zero.", .example = "avg(CAST(x AS DECIMAL(10, 2)))", .yields = "1.666667" },
    { .name = "avg", .args = { TYPE_DOUBLE }, .returns = TYPE_DOUBLE, .layout = "ddll", .update = sum_double_update,
      .merge = sum_double_merge, .unmerge = sum_double_unmerge, .result = avg_double_result, .retract = RETRACT_INVERT,
      .category = "aggregate", .doc = "Mean of the numbers.", .example = "avg(x * 3)", .yields = "5.0" },
    KEPT_ALL("min", min, RETRACT_MULTISET, false, true, "Smallest value.", "min(x)", "1"),
    KEPT_ALL("max", max, RETRACT_MULTISET, false, true, "Largest value.", "max(x)", "2"),
    KEPT_ALL("earliest_by_offset", earliest, RETRACT_MULTISET, true, false, "The value that arrived first, NULL left out.",
             "earliest_by_offset(x)", "1"),
    KEPT_ALL("latest_by_offset", latest, RETRACT_MULTISET, true, false, "The value that arrived last, NULL left out.",
             "latest_by_offset(x)", "2"),
    { 0 }
};
