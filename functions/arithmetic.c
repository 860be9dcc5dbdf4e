/* functions/arithmetic.c: + - * / % and the minus sign, for numbers, times and intervals.
 *
 * Integers: the result has the operands' common type; what does not fit it fails the row. The sum of a whole column is computed
 * first, without branches; only if some row overflowed are the live rows looked at one by one.
 * DECIMAL: exact up to 38 digits, 256 bits in between, rounded half away from zero.
 * Times: sums stop at the ends of the calendar, they do not fail. */
#include <math.h>
#include "common/calendar.h"
#include "common/decimal.h"
#include "functions/functions_internal.h"

/* ---- loops ---- */

/* result[row] = EXPR of a, b for all rows; either side may be constant. */
#define BINARY_LOOP(TA, TB, TR, EXPR)                                                    \
    do {                                                                                  \
        const TA *restrict left = args->arg[0]->values;                                   \
        const TB *restrict right = args->arg[1]->values;                                  \
        TR *restrict result = out->values;                                                \
        const uint32_t count = args->row_count;                                           \
        if (args->arg[0]->encoding == VECTOR_CONSTANT) {                                  \
            const TA a = left[0];                                                         \
            const bool b_constant = args->arg[1]->encoding == VECTOR_CONSTANT;            \
            for (uint32_t row = 0; row < count; row++) {                                  \
                const TB b = right[b_constant ? 0 : row];                                 \
                result[row] = (EXPR);                                                     \
            }                                                                             \
        } else if (args->arg[1]->encoding == VECTOR_CONSTANT) {                           \
            const TB b = right[0];                                                        \
            for (uint32_t row = 0; row < count; row++) {                                  \
                const TA a = left[row];                                                   \
                result[row] = (EXPR);                                                     \
            }                                                                             \
        } else {                                                                          \
            for (uint32_t row = 0; row < count; row++) {                                  \
                const TA a = left[row];                                                   \
                const TB b = right[row];                                                  \
                result[row] = (EXPR);                                                     \
            }                                                                             \
        }                                                                                 \
    } while (0)

/* result[row] = EXPR for the live rows. */
#define LIVE_LOOP(TA, TB, TR, ...)                        \
    do {                                                  \
        TR *result = out->values;                         \
        for (ARGS_EACH(args, row)) {                      \
            const TA a = ARG(args, 0, TA, row);           \
            const TB b = ARG(args, 1, TB, row);           \
            __VA_ARGS__;                                  \
        }                                                 \
    } while (0)

/* ---- integers ---- */

typedef struct Range { int64_t low, high; } Range;

static Range range_of(const Type *type)
{
    switch (type->kind) {
    case TYPE_TINYINT: return (Range){ INT8_MIN, INT8_MAX };
    case TYPE_SMALLINT: return (Range){ INT16_MIN, INT16_MAX };
    case TYPE_INT: return (Range){ INT32_MIN, INT32_MAX };
    default: return (Range){ INT64_MIN, INT64_MAX };
    }
}

static Error *overflow(const Args *args, Vector *out, uint32_t row)
{
    args_fail(args, out, row, "integer overflow");
    return NULL;
}

typedef bool (*CheckedOperation)(int64_t a, int64_t b, int64_t *result);
static bool add_checked(int64_t a, int64_t b, int64_t *result) { return !__builtin_add_overflow(a, b, result); }
static bool sub_checked(int64_t a, int64_t b, int64_t *result) { return !__builtin_sub_overflow(a, b, result); }

/* The rows of a column that has an overflow somewhere. */
static void recheck(const Args *args, Vector *out, CheckedOperation operation)
{
    Range range = range_of(args->result_type);
    for (ARGS_EACH(args, row)) {
        int64_t result;
        if (!operation(ARG(args, 0, int64_t, row), ARG(args, 1, int64_t, row), &result) || result < range.low || result > range.high)
            overflow(args, out, row);
    }
}

/* True if some row, live or not, left the 64 bits: the sign bit of `wrong` collects it. */
CLONES static bool add_all(const Args *args, Vector *out)
{
    int64_t wrong = 0;
    BINARY_LOOP(int64_t, int64_t, int64_t, ({
        const int64_t sum = (int64_t)((uint64_t)a + (uint64_t)b);
        wrong |= (a ^ sum) & (b ^ sum);
        sum;
    }));
    return wrong < 0;
}

CLONES static bool sub_all(const Args *args, Vector *out)
{
    int64_t wrong = 0;
    BINARY_LOOP(int64_t, int64_t, int64_t, ({
        const int64_t difference = (int64_t)((uint64_t)a - (uint64_t)b);
        wrong |= (a ^ b) & (a ^ difference);
        difference;
    }));
    return wrong < 0;
}

/* Narrow types: 64 bits hold every result, so only the range can be missed. */
CLONES static bool out_of_range(const Vector *out, uint32_t count, Range range)
{
    const int64_t *values = out->values;
    uint8_t wrong = 0;
    for (uint32_t row = 0; row < count; row++)
        wrong |= (values[row] < range.low) | (values[row] > range.high);
    return wrong;
}

static bool missed(const Args *args, const Vector *out, bool wrapped)
{
    return args->result_type->kind == TYPE_BIGINT ? wrapped : wrapped || out_of_range(out, args->row_count, range_of(args->result_type));
}

static Error *add_integer(const Args *args, Vector *out)
{
    if (missed(args, out, add_all(args, out)))
        recheck(args, out, add_checked);
    return NULL;
}

static Error *sub_integer(const Args *args, Vector *out)
{
    if (missed(args, out, sub_all(args, out)))
        recheck(args, out, sub_checked);
    return NULL;
}

static Error *mul_integer(const Args *args, Vector *out)
{
    Range range = range_of(args->result_type);
    LIVE_LOOP(int64_t, int64_t, int64_t,
        if (__builtin_mul_overflow(a, b, &result[row]) || result[row] < range.low || result[row] > range.high) overflow(args, out, row));
    return NULL;
}

/* A column divided by a constant needs no division: for 0 <= n < 2^31 and 0 < d < 2^31 with m = ceil(2^s / d), s = 31 + ceil(log2 d),
 * n / d == n * m >> s, and n * m stays below 2^63. */
typedef struct Divisor {
    int64_t value;
    uint64_t multiplier; /* 0: no short cut */
    int shift;
} Divisor;

static Error *prepare_divisor(Arena *arena, const Value *const constants[], int count, const void **prepared)
{
    (void)count;
    if (!constants[1] || constants[1]->is_null)
        return NULL;
    Divisor *divisor = ARENA_NEW(arena, Divisor);
    divisor->value = constants[1]->integer;
    if (divisor->value > 0 && divisor->value < INT32_MAX) {
        int bits = divisor->value == 1 ? 0 : 64 - __builtin_clzll((uint64_t)divisor->value - 1);
        divisor->shift = 31 + bits;
        divisor->multiplier = ((1ull << divisor->shift) + (uint64_t)divisor->value - 1) / (uint64_t)divisor->value;
    }
    *prepared = divisor;
    return NULL;
}

/* Are all values in [0, 2^31)? */
CLONES static bool all_short(const int64_t *values, uint32_t count)
{
    uint64_t bits = 0;
    for (uint32_t row = 0; row < count; row++)
        bits |= (uint64_t)values[row];
    return bits >> 31 == 0;
}

CLONES static void modulo_short(const int64_t *restrict values, int64_t *restrict result, uint32_t count, const Divisor *divisor)
{
    const uint64_t multiplier = divisor->multiplier, d = (uint64_t)divisor->value;
    const int shift = divisor->shift;
    for (uint32_t row = 0; row < count; row++) {
        const uint64_t n = (uint32_t)values[row];
        const uint64_t quotient = n * (uint32_t)multiplier >> shift;
        result[row] = (int64_t)(n - (uint64_t)(uint32_t)quotient * (uint32_t)d);
    }
}

CLONES static void divide_short(const int64_t *restrict values, int64_t *restrict result, uint32_t count, const Divisor *divisor)
{
    const uint64_t multiplier = divisor->multiplier;
    const int shift = divisor->shift;
    for (uint32_t row = 0; row < count; row++)
        result[row] = (int64_t)((uint64_t)(uint32_t)values[row] * (uint32_t)multiplier >> shift);
}

static bool can_shorten(const Args *args)
{
    const Divisor *divisor = args->prepared;
    return divisor && divisor->multiplier && divisor->multiplier >> 32 == 0 && args->arg[0]->encoding == VECTOR_FLAT &&
           all_short(args->arg[0]->values, args->row_count);
}

static Error *div_integer(const Args *args, Vector *out)
{
    if (can_shorten(args)) {
        divide_short(args->arg[0]->values, out->values, args->row_count, args->prepared);
        return NULL;
    }
    Range range = range_of(args->result_type);
    LIVE_LOOP(int64_t, int64_t, int64_t,
        if (b == 0) args_fail(args, out, row, "division by zero");
        else if (b == -1 && a == range.low) overflow(args, out, row);
        else result[row] = a / b);
    return NULL;
}

static Error *mod_integer(const Args *args, Vector *out)
{
    if (can_shorten(args)) {
        modulo_short(args->arg[0]->values, out->values, args->row_count, args->prepared);
        return NULL;
    }
    LIVE_LOOP(int64_t, int64_t, int64_t,
        if (b == 0) args_fail(args, out, row, "division by zero");
        else result[row] = b == -1 ? 0 : a % b);
    return NULL;
}

static Error *negate_integer(const Args *args, Vector *out)
{
    Range range = range_of(args->result_type);
    int64_t *result = out->values;
    for (ARGS_EACH(args, row)) {
        int64_t a = ARG(args, 0, int64_t, row);
        if (a == range.low)
            overflow(args, out, row);
        else
            result[row] = -a;
    }
    return NULL;
}

/* ---- floating point ---- */

#define DOUBLE_KERNEL(name, EXPR)                                                                                             \
    CLONES static void name##_all(const Args *args, Vector *out) { BINARY_LOOP(double, double, double, EXPR); }               \
    static Error *name(const Args *args, Vector *out)                                                                         \
    {                                                                                                                         \
        name##_all(args, out);                                                                                                \
        return NULL;                                                                                                          \
    }

DOUBLE_KERNEL(add_double, a + b)
DOUBLE_KERNEL(sub_double, a - b)
DOUBLE_KERNEL(mul_double, a *b)
DOUBLE_KERNEL(add_float, (double)(float)(a + b))
DOUBLE_KERNEL(sub_float, (double)(float)(a - b))
DOUBLE_KERNEL(mul_float, (double)(float)(a * b))

/* All rows are computed; then the live ones whose divisor is zero fail. */
static void refuse_zero_divisors(const Args *args, Vector *out)
{
    const Vector *divisors = args->arg[1];
    if (divisors->encoding == VECTOR_CONSTANT && *(const double *)divisors->values != 0)
        return;
    for (ARGS_EACH(args, row))
        if (ARG(args, 1, double, row) == 0)
            args_fail(args, out, row, "division by zero");
}

#define DIVISION_KERNEL(name, EXPR)                                                                                           \
    CLONES static void name##_all(const Args *args, Vector *out) { BINARY_LOOP(double, double, double, EXPR); }               \
    static Error *name(const Args *args, Vector *out)                                                                         \
    {                                                                                                                         \
        name##_all(args, out);                                                                                                \
        refuse_zero_divisors(args, out);                                                                                      \
        return NULL;                                                                                                          \
    }

DIVISION_KERNEL(div_double, a / b)
DIVISION_KERNEL(mod_double, fmod(a, b))
DIVISION_KERNEL(div_float, (double)(float)(a / b))
DIVISION_KERNEL(mod_float, (double)(float)fmod(a, b))

static Error *negate_double(const Args *args, Vector *out)
{
    const double *values = args->arg[0]->values;
    double *result = out->values;
    uint32_t mask = vector_mask(args->arg[0]);
    for (uint32_t row = 0; row < args->row_count; row++)
        result[row] = -values[row & mask];
    return NULL;
}

/* ---- DECIMAL ---- */

typedef unsigned __int128 UInt128;
typedef struct UInt256 { UInt128 high, low; } UInt256;

static UInt256 multiply_wide(UInt128 a, UInt128 b)
{
    uint64_t a0 = (uint64_t)a, a1 = (uint64_t)(a >> 64), b0 = (uint64_t)b, b1 = (uint64_t)(b >> 64);
    UInt128 p00 = (UInt128)a0 * b0, p01 = (UInt128)a0 * b1, p10 = (UInt128)a1 * b0, p11 = (UInt128)a1 * b1;
    UInt128 middle = (p00 >> 64) + (uint64_t)p01 + (uint64_t)p10;
    return (UInt256){ p11 + (p01 >> 64) + (p10 >> 64) + (middle >> 64), middle << 64 | (uint64_t)p00 };
}

/* n / d rounded half up; false if the quotient needs more than 127 bits. */
static bool divide_wide(UInt256 n, UInt128 d, UInt128 *quotient)
{
    UInt128 q, r;
    if (n.high == 0) {
        q = n.low / d;
        r = n.low % d;
    } else {
        if (n.high >= d)
            return false;
        q = 0;
        r = n.high;
        for (int bit = 127; bit >= 0; bit--) {
            bool carry = r >> 127;
            r = r << 1 | (n.low >> bit & 1);
            q <<= 1;
            if (carry || r >= d) {
                r -= d;
                q |= 1;
            }
        }
    }
    if (r >= d - r) /* 2r >= d */
        q++;
    *quotient = q;
    return q >> 127 == 0;
}

static UInt128 magnitude(Int128 value) { return value < 0 ? -(UInt128)value : (UInt128)value; }

static bool signed_result(UInt128 size, bool negative, int precision, Int128 *result)
{
    *result = negative ? -(Int128)size : (Int128)size;
    return decimal_fits(*result, precision);
}

/* a * b / 10^drop, rounded. */
static bool decimal_multiply(Int128 a, Int128 b, int drop, int precision, Int128 *result)
{
    if (drop == 0)
        return !__builtin_mul_overflow(a, b, result) && decimal_fits(*result, precision);
    UInt128 quotient;
    return divide_wide(multiply_wide(magnitude(a), magnitude(b)), (UInt128)decimal_power(drop), &quotient) &&
           signed_result(quotient, (a < 0) != (b < 0), precision, result);
}

/* a * 10^shift / b, rounded; b is not 0. A shift below 0 makes the divisor longer. */
static bool decimal_divide(Int128 a, Int128 b, int shift, int precision, Int128 *result)
{
    UInt256 n = { 0, magnitude(a) };
    UInt128 d = magnitude(b), quotient;
    if (shift > 38) { /* two steps; the first one cannot round: it is what fits */
        UInt256 step = multiply_wide(magnitude(a), (UInt128)decimal_power(shift - 38));
        if (step.high)
            return false;
        n = multiply_wide(step.low, (UInt128)decimal_power(38));
    } else if (shift > 0) {
        n = multiply_wide(magnitude(a), (UInt128)decimal_power(shift));
    } else if (shift < 0) {
        UInt256 longer = multiply_wide(d, (UInt128)decimal_power(-shift));
        if (longer.high || longer.low >> 127) {
            *result = 0;
            return true;
        }
        d = longer.low;
    }
    return divide_wide(n, d, &quotient) && signed_result(quotient, (a < 0) != (b < 0), precision, result);
}

static const Type *resolve_sum(Arena *arena, const Type *const types[], int count)
{
    (void)count;
    int s1 = scale_of(types[0]), s2 = scale_of(types[1]), w1 = digits_of(types[0]) - s1, w2 = digits_of(types[1]) - s2;
    int scale = s1 > s2 ? s1 : s2, precision = (w1 > w2 ? w1 : w2) + scale + 1;
    return type_decimal(arena, precision > 38 ? 38 : precision, scale);
}

/* More than 38 digits: the fraction gives way, down to 6 digits. */
static const Type *capped(Arena *arena, int precision, int scale)
{
    if (precision > 38) {
        int least = scale < 6 ? scale : 6, left = scale - (precision - 38);
        scale = left > least ? left : least;
        precision = 38;
    }
    return type_decimal(arena, precision, scale);
}

static const Type *resolve_product(Arena *arena, const Type *const types[], int count)
{
    (void)count;
    const int precision = digits_of(types[0]) + digits_of(types[1]), scale = scale_of(types[0]) + scale_of(types[1]);
    if (scale_of(types[0]) == 0 || scale_of(types[1]) == 0) /* times a whole number: exact as it is, or too large */
        return type_decimal(arena, precision > 38 ? 38 : precision, scale);
    return capped(arena, precision, scale);
}

static const Type *resolve_quotient(Arena *arena, const Type *const types[], int count)
{
    (void)count;
    int s1 = scale_of(types[0]), s2 = scale_of(types[1]);
    int scale = s1 + digits_of(types[1]) + 1;
    if (scale < 6)
        scale = 6;
    return capped(arena, digits_of(types[0]) - s1 + s2 + scale, scale);
}

static const Type *resolve_remainder(Arena *arena, const Type *const types[], int count)
{
    (void)count;
    int s1 = scale_of(types[0]), s2 = scale_of(types[1]), w1 = digits_of(types[0]) - s1, w2 = digits_of(types[1]) - s2;
    int scale = s1 > s2 ? s1 : s2, precision = (w1 < w2 ? w1 : w2) + scale;
    return type_decimal(arena, precision > 38 ? 38 : precision ? precision : 1, scale);
}

static const Type *resolve_first(Arena *arena, const Type *const types[], int count)
{
    (void)arena, (void)count;
    return types[0];
}

static const Type *resolve_second(Arena *arena, const Type *const types[], int count)
{
    (void)arena, (void)count;
    return types[1];
}

typedef struct DecimalArgs {
    const void *left, *right;
    void *result;
    uint32_t left_mask, right_mask;
    bool left_wide, right_wide, wide;
    int left_scale, right_scale, scale, precision;
} DecimalArgs;

static DecimalArgs decimal_args(const Args *args, Vector *out)
{
    const Vector *a = args->arg[0], *b = args->arg[1];
    return (DecimalArgs){
        .left = a->values, .right = b->values, .result = out->values, .left_mask = vector_mask(a), .right_mask = vector_mask(b),
        .left_wide = type_physical(a->type) == PHYSICAL_INT128, .right_wide = type_physical(b->type) == PHYSICAL_INT128,
        .wide = type_physical(args->result_type) == PHYSICAL_INT128, .left_scale = scale_of(a->type), .right_scale = scale_of(b->type),
        .scale = args->result_type->scale, .precision = args->result_type->precision,
    };
}

static void decimal_overflow(const Args *args, Vector *out, uint32_t row)
{
    args_fail(args, out, row, "a result does not fit DECIMAL(%d,%d)", args->result_type->precision, args->result_type->scale);
}

/* 64-bit operands and a 64-bit result cannot overflow: the result type has a digit to spare. */
CLONES static void sum_short(const Args *args, Vector *out, int64_t left_power, int64_t right_power)
{
    BINARY_LOOP(int64_t, int64_t, int64_t, (int64_t)((uint64_t)a * (uint64_t)left_power + (uint64_t)b * (uint64_t)right_power));
}

static void sum_decimal(const Args *args, Vector *out, bool negative)
{
    DecimalArgs d = decimal_args(args, out);
    Int128 left_power = decimal_power(d.scale - d.left_scale), right_power = decimal_power(d.scale - d.right_scale);
    if (!d.wide && !d.left_wide && !d.right_wide) {
        sum_short(args, out, (int64_t)left_power, (int64_t)(negative ? -right_power : right_power));
        return;
    }
    for (ARGS_EACH(args, row)) {
        Int128 a = decimal_at(d.left, d.left_wide, row & d.left_mask), b = decimal_at(d.right, d.right_wide, row & d.right_mask), result;
        bool bad = __builtin_mul_overflow(a, left_power, &a) | __builtin_mul_overflow(b, right_power, &b);
        bad |= negative ? __builtin_sub_overflow(a, b, &result) : __builtin_add_overflow(a, b, &result);
        if (bad || !decimal_fits(result, d.precision))
            decimal_overflow(args, out, row);
        else
            decimal_put(d.result, d.wide, row, result);
    }
}

static Error *add_decimal(const Args *args, Vector *out)
{
    sum_decimal(args, out, false);
    return NULL;
}

static Error *sub_decimal(const Args *args, Vector *out)
{
    sum_decimal(args, out, true);
    return NULL;
}

/* The common case: short operands, nothing to round, nothing that can overflow. */
static void product_short(const Args *args, Vector *out) { BINARY_LOOP(int64_t, int64_t, int64_t, (int64_t)((uint64_t)a * (uint64_t)b)); }
static void product_medium(const Args *args, Vector *out) { BINARY_LOOP(int64_t, int64_t, Int128, (Int128)a * b); }

static Error *mul_decimal(const Args *args, Vector *out)
{
    DecimalArgs d = decimal_args(args, out);
    int drop = d.left_scale + d.right_scale - d.scale;
    bool exact = drop == 0 && digits_of(args->arg[0]->type) + digits_of(args->arg[1]->type) <= d.precision;
    if (exact && !d.left_wide && !d.right_wide) {
        if (d.wide)
            product_medium(args, out);
        else
            product_short(args, out);
        return NULL;
    }
    for (ARGS_EACH(args, row)) {
        Int128 result, a = decimal_at(d.left, d.left_wide, row & d.left_mask), b = decimal_at(d.right, d.right_wide, row & d.right_mask);
        if (decimal_multiply(a, b, drop, d.precision, &result))
            decimal_put(d.result, d.wide, row, result);
        else
            decimal_overflow(args, out, row);
    }
    return NULL;
}

static Error *div_decimal(const Args *args, Vector *out)
{
    DecimalArgs d = decimal_args(args, out);
    int shift = d.scale - d.left_scale + d.right_scale;
    for (ARGS_EACH(args, row)) {
        Int128 result, a = decimal_at(d.left, d.left_wide, row & d.left_mask), b = decimal_at(d.right, d.right_wide, row & d.right_mask);
        if (b == 0)
            args_fail(args, out, row, "division by zero");
        else if (decimal_divide(a, b, shift, d.precision, &result))
            decimal_put(d.result, d.wide, row, result);
        else
            decimal_overflow(args, out, row);
    }
    return NULL;
}

static Error *mod_decimal(const Args *args, Vector *out)
{
    DecimalArgs d = decimal_args(args, out);
    for (ARGS_EACH(args, row)) {
        Int128 a = decimal_at(d.left, d.left_wide, row & d.left_mask), b = decimal_at(d.right, d.right_wide, row & d.right_mask);
        if (b == 0)
            args_fail(args, out, row, "division by zero");
        else if (!decimal_rescale(a, d.left_scale, d.scale, &a) || !decimal_rescale(b, d.right_scale, d.scale, &b) || !decimal_fits(a % b, d.precision))
            decimal_overflow(args, out, row);
        else
            decimal_put(d.result, d.wide, row, a % b);
    }
    return NULL;
}

static Error *negate_decimal(const Args *args, Vector *out)
{
    bool wide = type_physical(args->result_type) == PHYSICAL_INT128;
    uint32_t mask = vector_mask(args->arg[0]);
    for (uint32_t row = 0; row < args->row_count; row++)
        decimal_put(out->values, wide, row, -decimal_at(args->arg[0]->values, wide, row & mask));
    return NULL;
}

/* ---- times and intervals ---- */

static inline int64_t saturating_add(int64_t a, int64_t b)
{
    const int64_t sum = (int64_t)((uint64_t)a + (uint64_t)b);
    const bool wrong = ((a ^ sum) & (b ^ sum)) < 0;
    return wrong ? (a < 0 ? INT64_MIN : INT64_MAX) : sum;
}

CLONES static void add_us(const int64_t *restrict times, int64_t *restrict result, uint32_t count, int64_t us)
{
    for (uint32_t row = 0; row < count; row++)
        result[row] = saturating_add(times[row], us);
}

static int64_t negated(int64_t value) { return value == INT64_MIN ? INT64_MAX : -value; }

static inline int64_t shift_time(int64_t time, Interval interval)
{
    if (interval.months)
        time = add_months(time, interval.months);
    return saturating_add(time, interval.us);
}

/* Argument `time` shifted by argument `by`. */
static void shift_times(const Args *args, Vector *out, int time, int by, bool back)
{
    const Vector *times = args->arg[time], *intervals = args->arg[by];
    const Interval *interval = intervals->values;
    if (intervals->encoding == VECTOR_CONSTANT && interval->months == 0 && times->encoding == VECTOR_FLAT) {
        add_us(times->values, out->values, args->row_count, back ? negated(interval->us) : interval->us);
        return;
    }
    int64_t *result = out->values;
    for (uint32_t row = 0; row < args->row_count; row++) {
        Interval one = interval[row & vector_mask(intervals)];
        if (back)
            one = (Interval){ negated(one.months), negated(one.us) };
        result[row] = shift_time(ARG(args, time, int64_t, row), one);
    }
}

static Error *add_time_interval(const Args *args, Vector *out) { return shift_times(args, out, 0, 1, false), NULL; }
static Error *add_interval_time(const Args *args, Vector *out) { return shift_times(args, out, 1, 0, false), NULL; }
static Error *sub_time_interval(const Args *args, Vector *out) { return shift_times(args, out, 0, 1, true), NULL; }

/* DATE: whole days; a part of a day is left out (the binder makes a TIMESTAMP of the date where it can see one). */
static void shift_dates(const Args *args, Vector *out, int date, int by, bool back)
{
    int64_t *result = out->values;
    for (uint32_t row = 0; row < args->row_count; row++) {
        Interval one = ARG(args, by, Interval, row);
        if (back)
            one = (Interval){ negated(one.months), negated(one.us) };
        int64_t days = ARG(args, date, int64_t, row), us;
        if (one.months && !__builtin_mul_overflow(days, US_PER_DAY, &us))
            days = floor_div(add_months(us, one.months), US_PER_DAY);
        result[row] = saturating_add(days, one.us / US_PER_DAY);
    }
}

static Error *add_date_interval(const Args *args, Vector *out) { return shift_dates(args, out, 0, 1, false), NULL; }
static Error *add_interval_date(const Args *args, Vector *out) { return shift_dates(args, out, 1, 0, false), NULL; }
static Error *sub_date_interval(const Args *args, Vector *out) { return shift_dates(args, out, 0, 1, true), NULL; }

static void shift_clock(const Args *args, Vector *out, int time, int by, bool back)
{
    int64_t *result = out->values;
    for (uint32_t row = 0; row < args->row_count; row++) {
        int64_t us = ARG(args, by, Interval, row).us % US_PER_DAY, at = ARG(args, time, int64_t, row) % US_PER_DAY;
        result[row] = floor_mod(back ? at - us : at + us, US_PER_DAY);
    }
}

static Error *add_clock_interval(const Args *args, Vector *out) { return shift_clock(args, out, 0, 1, false), NULL; }
static Error *sub_clock_interval(const Args *args, Vector *out) { return shift_clock(args, out, 0, 1, true), NULL; }

static Error *sub_times(const Args *args, Vector *out)
{
    BINARY_LOOP(int64_t, int64_t, Interval, ((Interval){ 0, saturating_add(a, negated(b)) }));
    return NULL;
}

static Error *sub_dates(const Args *args, Vector *out)
{
    BINARY_LOOP(int64_t, int64_t, Interval, ({
        int64_t us;
        if (__builtin_mul_overflow(saturating_add(a, negated(b)), US_PER_DAY, &us))
            us = a < b ? INT64_MIN : INT64_MAX;
        (Interval){ 0, us };
    }));
    return NULL;
}

static Error *add_intervals(const Args *args, Vector *out)
{
    BINARY_LOOP(Interval, Interval, Interval, ((Interval){ saturating_add(a.months, b.months), saturating_add(a.us, b.us) }));
    return NULL;
}

static Error *sub_intervals(const Args *args, Vector *out)
{
    BINARY_LOOP(Interval, Interval, Interval, ((Interval){ saturating_add(a.months, negated(b.months)), saturating_add(a.us, negated(b.us)) }));
    return NULL;
}

static Error *negate_interval(const Args *args, Vector *out)
{
    Interval *result = out->values;
    for (uint32_t row = 0; row < args->row_count; row++) {
        Interval a = ARG(args, 0, Interval, row);
        result[row] = (Interval){ negated(a.months), negated(a.us) };
    }
    return NULL;
}

static void scale_interval(const Args *args, Vector *out, uint32_t row, Interval interval, int64_t by)
{
    Interval *result = out->values;
    if (__builtin_mul_overflow(interval.months, by, &result[row].months) || __builtin_mul_overflow(interval.us, by, &result[row].us))
        args_fail(args, out, row, "interval out of range");
}

static Error *mul_interval(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row))
        scale_interval(args, out, row, ARG(args, 0, Interval, row), ARG(args, 1, int64_t, row));
    return NULL;
}

static Error *mul_by_interval(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row))
        scale_interval(args, out, row, ARG(args, 1, Interval, row), ARG(args, 0, int64_t, row));
    return NULL;
}

static Error *div_interval(const Args *args, Vector *out)
{
    Interval *result = out->values;
    for (ARGS_EACH(args, row)) {
        Interval a = ARG(args, 0, Interval, row);
        int64_t b = ARG(args, 1, int64_t, row);
        if (b == 0)
            args_fail(args, out, row, "division by zero");
        else if (b == -1)
            result[row] = (Interval){ negated(a.months), negated(a.us) };
        else
            result[row] = (Interval){ a.months / b, a.us / b };
    }
    return NULL;
}

/* ---- the table ---- */

#define OPERATOR .hidden = true, .category = "operator"
#define INTEGER_ROWS(sign, function, ...)                                                                              \
    { sign, { TYPE_TINYINT, TYPE_TINYINT }, TYPE_TINYINT, function, .can_fail = true, OPERATOR, __VA_ARGS__ },         \
    { sign, { TYPE_SMALLINT, TYPE_SMALLINT }, TYPE_SMALLINT, function, .can_fail = true, OPERATOR, __VA_ARGS__ },      \
    { sign, { TYPE_INT, TYPE_INT }, TYPE_INT, function, .can_fail = true, OPERATOR, __VA_ARGS__ },                     \
    { sign, { TYPE_BIGINT, TYPE_BIGINT }, TYPE_BIGINT, function, .can_fail = true, OPERATOR, __VA_ARGS__ }
#define FLOAT_ROWS(sign, double_function, float_function)                                                              \
    { sign, { TYPE_DOUBLE, TYPE_DOUBLE }, TYPE_DOUBLE, double_function, .dense = true, OPERATOR },                     \
    { sign, { TYPE_FLOAT, TYPE_FLOAT }, TYPE_FLOAT, float_function, .dense = true, OPERATOR }
#define DIVISION_ROWS(sign, double_function, float_function)                                                           \
    { sign, { TYPE_DOUBLE, TYPE_DOUBLE }, TYPE_DOUBLE, double_function, .can_fail = true, OPERATOR },                  \
    { sign, { TYPE_FLOAT, TYPE_FLOAT }, TYPE_FLOAT, float_function, .can_fail = true, OPERATOR }
#define DECIMAL_ROW(sign, left, right, function, type) { sign, { left, right }, TYPE_ANY, function, .resolve = type, .can_fail = true, OPERATOR }
#define DECIMAL_ROWS(sign, function, type)                                                                             \
    DECIMAL_ROW(sign, TYPE_DECIMAL, TYPE_DECIMAL, function, type),                                                     \
    DECIMAL_ROW(sign, TYPE_DECIMAL, TYPE_TINYINT, function, type), DECIMAL_ROW(sign, TYPE_TINYINT, TYPE_DECIMAL, function, type),   \
    DECIMAL_ROW(sign, TYPE_DECIMAL, TYPE_SMALLINT, function, type), DECIMAL_ROW(sign, TYPE_SMALLINT, TYPE_DECIMAL, function, type), \
    DECIMAL_ROW(sign, TYPE_DECIMAL, TYPE_INT, function, type), DECIMAL_ROW(sign, TYPE_INT, TYPE_DECIMAL, function, type),           \
    DECIMAL_ROW(sign, TYPE_DECIMAL, TYPE_BIGINT, function, type), DECIMAL_ROW(sign, TYPE_BIGINT, TYPE_DECIMAL, function, type)
#define TIME_ROW(sign, left, right, function, type) { sign, { left, right }, TYPE_ANY, function, .resolve = type, .dense = true, OPERATOR }
#define UNARY_ROW(kind, function, ...) { "-", { kind }, kind, function, OPERATOR, __VA_ARGS__ }

const ScalarFunction arithmetic_functions[] = {
    INTEGER_ROWS("+", add_integer, .doc = "Sum."),
    FLOAT_ROWS("+", add_double, add_float),
    DECIMAL_ROWS("+", add_decimal, resolve_sum),
    TIME_ROW("+", TYPE_TIMESTAMP, TYPE_INTERVAL, add_time_interval, resolve_first),
    TIME_ROW("+", TYPE_TIMESTAMP_TZ, TYPE_INTERVAL, add_time_interval, resolve_first),
    TIME_ROW("+", TYPE_INTERVAL, TYPE_TIMESTAMP, add_interval_time, resolve_second),
    TIME_ROW("+", TYPE_INTERVAL, TYPE_TIMESTAMP_TZ, add_interval_time, resolve_second),
    TIME_ROW("+", TYPE_DATE, TYPE_INTERVAL, add_date_interval, resolve_first),
    TIME_ROW("+", TYPE_INTERVAL, TYPE_DATE, add_interval_date, resolve_second),
    TIME_ROW("+", TYPE_TIME, TYPE_INTERVAL, add_clock_interval, resolve_first),
    { "+", { TYPE_INTERVAL, TYPE_INTERVAL }, TYPE_INTERVAL, add_intervals, .dense = true, OPERATOR },

    INTEGER_ROWS("-", sub_integer, .doc = "Difference."),
    FLOAT_ROWS("-", sub_double, sub_float),
    DECIMAL_ROWS("-", sub_decimal, resolve_sum),
    TIME_ROW("-", TYPE_TIMESTAMP, TYPE_INTERVAL, sub_time_interval, resolve_first),
    TIME_ROW("-", TYPE_TIMESTAMP_TZ, TYPE_INTERVAL, sub_time_interval, resolve_first),
    TIME_ROW("-", TYPE_DATE, TYPE_INTERVAL, sub_date_interval, resolve_first),
    TIME_ROW("-", TYPE_TIME, TYPE_INTERVAL, sub_clock_interval, resolve_first),
    { "-", { TYPE_TIMESTAMP, TYPE_TIMESTAMP }, TYPE_INTERVAL, sub_times, .dense = true, OPERATOR },
    { "-", { TYPE_TIMESTAMP_TZ, TYPE_TIMESTAMP_TZ }, TYPE_INTERVAL, sub_times, .dense = true, OPERATOR },
    { "-", { TYPE_TIME, TYPE_TIME }, TYPE_INTERVAL, sub_times, .dense = true, OPERATOR },
    { "-", { TYPE_DATE, TYPE_DATE }, TYPE_INTERVAL, sub_dates, .dense = true, OPERATOR },
    { "-", { TYPE_INTERVAL, TYPE_INTERVAL }, TYPE_INTERVAL, sub_intervals, .dense = true, OPERATOR },

    INTEGER_ROWS("*", mul_integer, .doc = "Product."),
    FLOAT_ROWS("*", mul_double, mul_float),
    DECIMAL_ROWS("*", mul_decimal, resolve_product),
    { "*", { TYPE_INTERVAL, TYPE_BIGINT }, TYPE_INTERVAL, mul_interval, .can_fail = true, OPERATOR },
    { "*", { TYPE_BIGINT, TYPE_INTERVAL }, TYPE_INTERVAL, mul_by_interval, .can_fail = true, OPERATOR },

    INTEGER_ROWS("/", div_integer, .prepare = prepare_divisor, .doc = "Quotient; of integers without the remainder."),
    DIVISION_ROWS("/", div_double, div_float),
    DECIMAL_ROWS("/", div_decimal, resolve_quotient),
    { "/", { TYPE_INTERVAL, TYPE_BIGINT }, TYPE_INTERVAL, div_interval, .can_fail = true, OPERATOR },

    INTEGER_ROWS("%", mod_integer, .prepare = prepare_divisor, .doc = "Remainder; it has the dividend's sign."),
    DIVISION_ROWS("%", mod_double, mod_float),
    DECIMAL_ROWS("%", mod_decimal, resolve_remainder),
    { "mod", { TYPE_BIGINT, TYPE_BIGINT }, TYPE_BIGINT, mod_integer, .prepare = prepare_divisor, .can_fail = true, .category = "math",
      .doc = "Remainder of a division, as %; it has the dividend's sign.", .example = "mod(-7, 3)", .yields = "-1" },
    { "mod", { TYPE_TINYINT, TYPE_TINYINT }, TYPE_TINYINT, mod_integer, .prepare = prepare_divisor, .can_fail = true, OPERATOR },
    { "mod", { TYPE_SMALLINT, TYPE_SMALLINT }, TYPE_SMALLINT, mod_integer, .prepare = prepare_divisor, .can_fail = true, OPERATOR },
    { "mod", { TYPE_INT, TYPE_INT }, TYPE_INT, mod_integer, .prepare = prepare_divisor, .can_fail = true, OPERATOR },
    DIVISION_ROWS("mod", mod_double, mod_float),
    DECIMAL_ROWS("mod", mod_decimal, resolve_remainder),

    UNARY_ROW(TYPE_TINYINT, negate_integer, .can_fail = true),
    UNARY_ROW(TYPE_SMALLINT, negate_integer, .can_fail = true),
    UNARY_ROW(TYPE_INT, negate_integer, .can_fail = true),
    UNARY_ROW(TYPE_BIGINT, negate_integer, .can_fail = true),
    UNARY_ROW(TYPE_DOUBLE, negate_double, .dense = true),
    UNARY_ROW(TYPE_FLOAT, negate_double, .dense = true),
    { "-", { TYPE_DECIMAL }, TYPE_ANY, negate_decimal, .resolve = resolve_first, .dense = true, OPERATOR },
    UNARY_ROW(TYPE_INTERVAL, negate_interval, .dense = true),
    { .name = NULL },
};
