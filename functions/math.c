/* functions/math.c: mathematical functions. Out-of-range arguments give NaN or infinities, as IEEE 754 says; integers fail on overflow. */
#include "functions/functions_internal.h"

#include <math.h>

#include "common/decimal.h"
#include "common/hash.h"

#define RESULT(out, CType) ((CType *)(out)->values)

#define UNARY_DOUBLE(function_name, expression)                          \
    static Error *function_name(const Args *args, Vector *out)           \
    {                                                                    \
        for (ARGS_EACH(args, row)) {                                     \
            double x = ARG(args, 0, double, row);                        \
            RESULT(out, double)[row] = (expression);                     \
        }                                                                \
        return NULL;                                                     \
    }

UNARY_DOUBLE(abs_double, fabs(x))
UNARY_DOUBLE(ceil_double, ceil(x))
UNARY_DOUBLE(floor_double, floor(x))
UNARY_DOUBLE(trunc_double, trunc(x))
UNARY_DOUBLE(sqrt_double, sqrt(x))
UNARY_DOUBLE(cbrt_double, (double)cbrtl(x)) /* cbrt(27) alone is off by one bit */
UNARY_DOUBLE(exp_double, exp(x))
UNARY_DOUBLE(ln_double, log(x))
UNARY_DOUBLE(log10_double, log10(x))
UNARY_DOUBLE(log2_double, log2(x))
UNARY_DOUBLE(sin_double, sin(x))
UNARY_DOUBLE(cos_double, cos(x))
UNARY_DOUBLE(tan_double, tan(x))
UNARY_DOUBLE(cot_double, 1 / tan(x))
UNARY_DOUBLE(asin_double, asin(x))
UNARY_DOUBLE(acos_double, acos(x))
UNARY_DOUBLE(atan_double, atan(x))
UNARY_DOUBLE(sinh_double, sinh(x))
UNARY_DOUBLE(cosh_double, cosh(x))
UNARY_DOUBLE(tanh_double, tanh(x))
UNARY_DOUBLE(degrees_double, x * (180 / M_PI))
UNARY_DOUBLE(radians_double, x * (M_PI / 180))
UNARY_DOUBLE(square_double, x *x)

#define BINARY_DOUBLE(function_name, expression)                         \
    static Error *function_name(const Args *args, Vector *out)           \
    {                                                                    \
        for (ARGS_EACH(args, row)) {                                     \
            double x = ARG(args, 0, double, row), y = ARG(args, 1, double, row); \
            RESULT(out, double)[row] = (expression);                     \
        }                                                                \
        return NULL;                                                     \
    }

BINARY_DOUBLE(power_double, pow(x, y))
BINARY_DOUBLE(atan2_double, atan2(x, y))
BINARY_DOUBLE(log_base, x > 0 && x != 1 ? log(y) / log(x) : (double)NAN) /* other bases have no logarithms */

/* ---- integers and decimals ---- */

static const Type *same_type(Arena *arena, const Type *const types[], int count)
{
    (void)arena;
    (void)count;
    return types[0];
}

static Error *abs_integer(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row)) {
        int64_t x = ARG(args, 0, int64_t, row);
        if (x == INT64_MIN)
            args_fail(args, out, row, "integer overflow");
        else
            RESULT(out, int64_t)[row] = x < 0 ? -x : x;
    }
    return NULL;
}

static Error *identity_integer(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row))
        RESULT(out, int64_t)[row] = ARG(args, 0, int64_t, row);
    return NULL;
}

static bool is_wide(const Type *type) { return type_physical(type) == PHYSICAL_INT128; }

static Error *abs_decimal(const Args *args, Vector *out)
{
    bool wide = is_wide(args->arg[0]->type);
    for (ARGS_EACH(args, row)) {
        Int128 x = decimal_at(args->arg[0]->values, wide, row & vector_mask(args->arg[0]));
        decimal_put(out->values, wide, row, x < 0 ? -x : x);
    }
    return NULL;
}

/* ROUND, CEIL, FLOOR, TRUNC of DECIMAL give a DECIMAL without fraction. */
static const Type *whole_decimal(Arena *arena, const Type *const types[], int count)
{
    (void)count;
    int digits = types[0]->precision - types[0]->scale + 1;
    return type_decimal(arena, digits > 38 ? 38 : digits, 0);
}

typedef enum Rounding { ROUND_HALF_UP, ROUND_UP, ROUND_DOWN, ROUND_ZERO } Rounding;

static Int128 to_whole(Int128 x, int scale, Rounding rounding)
{
    Int128 unit = decimal_power(scale), quotient = x / unit, rest = x % unit, result;
    switch (rounding) {
    case ROUND_HALF_UP:
        decimal_rescale(x, scale, 0, &result);
        return result;
    case ROUND_UP: return quotient + (rest > 0);
    case ROUND_DOWN: return quotient - (rest < 0);
    case ROUND_ZERO: return quotient;
    }
    return quotient;
}

static Error *whole(const Args *args, Vector *out, Rounding rounding)
{
    bool wide_in = is_wide(args->arg[0]->type), wide_out = is_wide(out->type);
    for (ARGS_EACH(args, row)) {
        Int128 x = decimal_at(args->arg[0]->values, wide_in, row & vector_mask(args->arg[0]));
        decimal_put(out->values, wide_out, row, to_whole(x, args->arg[0]->type->scale, rounding));
    }
    return NULL;
}
static Error *round_decimal(const Args *args, Vector *out) { return whole(args, out, ROUND_HALF_UP); }
static Error *ceil_decimal(const Args *args, Vector *out) { return whole(args, out, ROUND_UP); }
static Error *floor_decimal(const Args *args, Vector *out) { return whole(args, out, ROUND_DOWN); }
static Error *trunc_decimal(const Args *args, Vector *out) { return whole(args, out, ROUND_ZERO); }

/* ---- rounding doubles ---- */

/* Half away from zero, judged on the shortest decimal text, so that ROUND(2.675, 2) is what people expect: 2.68. */
static double round_digits(double x, int64_t digits, bool truncate)
{
    if (!isfinite(x) || digits > 300)
        return x;
    if (digits < -308)
        return 0;
    if (truncate || fabs(x) >= 1e15) {
        double unit = pow(10, (double)digits);
        return truncate ? trunc(x * unit) / unit : digits >= 0 ? x : round(x * unit) / unit;
    }
    Int128 scaled;
    if (digits >= 0 && digits <= 18 && decimal_from_double(x, 38, (int)digits, &scaled))
        return decimal_to_double(scaled, (int)digits);
    double unit = pow(10, (double)digits);
    return round(x * unit) / unit;
}

static Error *round_double(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row))
        RESULT(out, double)[row] = round(ARG(args, 0, double, row));
    return NULL;
}

static Error *round_double_to(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row))
        RESULT(out, double)[row] = round_digits(ARG(args, 0, double, row), ARG(args, 1, int64_t, row), false);
    return NULL;
}

static Error *trunc_double_to(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row))
        RESULT(out, double)[row] = round_digits(ARG(args, 0, double, row), ARG(args, 1, int64_t, row), true);
    return NULL;
}

static Error *round_decimal_to(const Args *args, Vector *out)
{
    bool wide = is_wide(args->arg[0]->type);
    int scale = args->arg[0]->type->scale;
    for (ARGS_EACH(args, row)) {
        Int128 x = decimal_at(args->arg[0]->values, wide, row & vector_mask(args->arg[0])), rounded;
        int64_t digits = ARG(args, 1, int64_t, row);
        if (digits < scale && digits > -39) {
            bool fine = decimal_rescale(x, scale, (int)(digits < 0 ? 0 : digits), &rounded);
            if (fine && digits < 0) {
                Int128 unit = decimal_power((int)-digits);
                Int128 half = x < 0 ? -unit / 2 : unit / 2;
                rounded = (to_whole(x, scale, ROUND_ZERO) + half) / unit * unit;
            }
            fine = fine && decimal_rescale(rounded, (int)(digits < 0 ? 0 : digits), scale, &x);
            if (!fine || !decimal_fits(x, out->type->precision)) {
                args_fail(args, out, row, "the number needs more than %d digits", out->type->precision);
                continue;
            }
        }
        decimal_put(out->values, wide, row, digits <= -39 ? 0 : x);
    }
    return NULL;
}

static Error *round_integer_to(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row)) {
        int64_t x = ARG(args, 0, int64_t, row), digits = ARG(args, 1, int64_t, row);
        if (digits < 0) {
            Int128 unit = digits > -19 ? decimal_power((int)-digits) : 0;
            Int128 rounded = unit ? ((Int128)x + (x < 0 ? -unit / 2 : unit / 2)) / unit * unit : 0;
            if (rounded > INT64_MAX || rounded < INT64_MIN) {
                args_fail(args, out, row, "integer overflow");
                continue;
            }
            x = (int64_t)rounded;
        }
        RESULT(out, int64_t)[row] = x;
    }
    return NULL;
}

/* ---- halves upwards: ROUND as ksqlDB does it, -1.5 to -1 ---- */

/* The nearest multiple of the unit. */
static Int128 nearest_multiple(Int128 x, Int128 unit)
{
    Int128 multiple = x / unit, rest = x % unit < 0 ? -(x % unit) : x % unit;
    const bool half = rest == unit - rest, more = rest > unit - rest;
    return (multiple + (more || (half && x > 0) ? (x < 0 ? -1 : 1) : 0)) * unit;
}

static double round_digits_up(double x, int64_t digits)
{
    enum { EXACT = 20 }; /* digits behind the point: the shortest text of a number that small has no more */
    Int128 scaled;
    if (x < 0 && x > -1e15 && digits >= -18 && digits <= 18 && decimal_from_double(x, 38, EXACT, &scaled))
        return decimal_to_double(nearest_multiple(scaled, decimal_power(EXACT - (int)digits)), EXACT);
    return round_digits(x, digits, false);
}

static Error *round_double_up(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row)) {
        double x = ARG(args, 0, double, row), below = floor(x);
        below += x - below >= 0.5;
        RESULT(out, int64_t)[row] = isnan(x) ? 0 : below >= 0x1p63 ? INT64_MAX : below < -0x1p63 ? INT64_MIN : (int64_t)below;
    }
    return NULL;
}

static Error *round_double_to_up(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row))
        RESULT(out, double)[row] = round_digits_up(ARG(args, 0, double, row), ARG(args, 1, int64_t, row));
    return NULL;
}

static Error *round_decimal_up(const Args *args, Vector *out)
{
    bool wide_in = is_wide(args->arg[0]->type), wide_out = is_wide(out->type);
    Int128 unit = decimal_power(args->arg[0]->type->scale);
    for (ARGS_EACH(args, row)) {
        Int128 x = decimal_at(args->arg[0]->values, wide_in, row & vector_mask(args->arg[0]));
        decimal_put(out->values, wide_out, row, nearest_multiple(x, unit) / unit);
    }
    return NULL;
}

static Error *round_decimal_to_up(const Args *args, Vector *out)
{
    bool wide = is_wide(args->arg[0]->type);
    int scale = args->arg[0]->type->scale;
    for (ARGS_EACH(args, row)) {
        Int128 x = decimal_at(args->arg[0]->values, wide, row & vector_mask(args->arg[0]));
        int64_t digits = ARG(args, 1, int64_t, row);
        if (digits < scale && scale - digits <= 38)
            x = nearest_multiple(x, decimal_power(scale - (int)digits));
        else if (digits < scale)
            x = 0;
        if (decimal_fits(x, out->type->precision))
            decimal_put(out->values, wide, row, x);
        else
            args_fail(args, out, row, "the number needs more than %d digits", out->type->precision);
    }
    return NULL;
}

static Error *sign_double(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row)) {
        double x = ARG(args, 0, double, row);
        RESULT(out, int64_t)[row] = (x > 0) - (x < 0);
    }
    return NULL;
}

static Error *pi(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row))
        RESULT(out, double)[row] = M_PI;
    return NULL;
}

/* A function of turn, row and seed, so that replays agree. */
static uint64_t random_bits(const Args *args, uint32_t row, bool seeded)
{
    uint64_t key[3] = { args->evaluation->turn, evaluation_row(args->evaluation, row), seeded ? (uint64_t)ARG(args, 0, int64_t, row) : 0 };
    return checksum_bytes(key, sizeof *key * (seeded ? 3 : 2));
}

static Error *random_double(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row)) {
        RESULT(out, double)[row] = (double)(random_bits(args, row, args->arg_count > 0) >> 11) * 0x1p-53;
    }
    return NULL;
}

static Error *random_integer(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row)) {
        const int64_t bound = ARG(args, args->arg_count - 1, int64_t, row);
        if (bound < 1)
            args_fail(args, out, row, "the bound must be 1 or more");
        else
            RESULT(out, int64_t)[row] = (int64_t)(random_bits(args, row, args->arg_count > 1) % (uint64_t)bound);
    }
    return NULL;
}

static Error *euler(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row))
        RESULT(out, double)[row] = 2.718281828459045;
    return NULL;
}

#define D TYPE_DOUBLE
#define I TYPE_BIGINT
#define N TYPE_DECIMAL
#define ALIASES(...) (const char *const[]){ __VA_ARGS__, NULL }
#define MATH(name_, kernel_, doc_, example_, yields_) { name_, { D }, D, kernel_, .category = "math", .doc = doc_, .example = example_, .yields = yields_ }

const ScalarFunction math_functions[] = {
    MATH("abs", abs_double, "The number without its sign.", "abs(-1.5e0)", "1.5"),
    { "abs", { I }, I, abs_integer, .can_fail = true, .category = "math", .doc = "The number without its sign.", .example = "abs(-3)", .yields = "3" },
    { "abs", { N }, TYPE_ANY, abs_decimal, same_type, .category = "math", .doc = "The number without its sign.", .example = "abs(-3.10)", .yields = "3.10" },
    { "ceil", { D }, D, ceil_double, .aliases = ALIASES("ceiling"), .category = "math", .doc = "The next whole number upwards.", .example = "ceil(1.2e0)", .yields = "2.0" },
    { "ceil", { I }, I, identity_integer, .aliases = ALIASES("ceiling"), .category = "math", .doc = "The next whole number upwards.", .example = "ceil(3)", .yields = "3" },
    { "ceil", { N }, TYPE_ANY, ceil_decimal, whole_decimal, .aliases = ALIASES("ceiling"), .category = "math", .doc = "The next whole number upwards.", .example = "ceil(1.2)", .yields = "2" },
    MATH("floor", floor_double, "The next whole number downwards.", "floor(-1.2e0)", "-2.0"),
    { "floor", { I }, I, identity_integer, .category = "math", .doc = "The next whole number downwards.", .example = "floor(3)", .yields = "3" },
    { "floor", { N }, TYPE_ANY, floor_decimal, whole_decimal, .category = "math", .doc = "The next whole number downwards.", .example = "floor(-1.2)", .yields = "-2" },
    MATH("round", round_double, "The nearest whole number, halves away from zero.", "round(2.5e0)", "3.0"),
    { "round", { I }, I, identity_integer, .category = "math", .doc = "The number itself.", .example = "round(3)", .yields = "3" },
    { "round", { N }, TYPE_ANY, round_decimal, whole_decimal, .category = "math", .doc = "The nearest whole number, halves away from zero.", .example = "round(-2.5)", .yields = "-3" },
    { "round", { D, I }, D, round_double_to, .category = "math", .doc = "Rounded to n digits behind the point, halves away from zero; negative n: before it.", .example = "round(2.675e0, 2)", .yields = "2.68" },
    { "round", { I, I }, I, round_integer_to, .can_fail = true, .category = "math", .doc = "Rounded to n digits; negative n: tens, hundreds..", .example = "round(1250, -2)", .yields = "1300" },
    { "round", { N, I }, TYPE_ANY, round_decimal_to, same_type, .can_fail = true, .category = "math", .doc = "Rounded to n digits behind the point, halves away from zero.", .example = "round(2.345, 2)", .yields = "2.350" },
    { "round up", { D }, I, round_double_up, .hidden = true, .category = "math" },
    { "round up", { I }, I, identity_integer, .hidden = true, .category = "math" },
    { "round up", { N }, TYPE_ANY, round_decimal_up, whole_decimal, .hidden = true, .category = "math" },
    { "round up", { D, I }, D, round_double_to_up, .hidden = true, .category = "math" },
    { "round up", { I, I }, I, round_integer_to, .can_fail = true, .hidden = true, .category = "math" },
    { "round up", { N, I }, TYPE_ANY, round_decimal_to_up, same_type, .can_fail = true, .hidden = true, .category = "math" },
    { "trunc", { D }, D, trunc_double, .aliases = ALIASES("truncate"), .category = "math", .doc = "Without what stands behind the point.", .example = "trunc(-1.7e0)", .yields = "-1.0" },
    { "trunc", { I }, I, identity_integer, .aliases = ALIASES("truncate"), .category = "math", .doc = "The number itself.", .example = "trunc(3)", .yields = "3" },
    { "trunc", { N }, TYPE_ANY, trunc_decimal, whole_decimal, .aliases = ALIASES("truncate"), .category = "math", .doc = "Without what stands behind the point.", .example = "trunc(-1.7)", .yields = "-1" },
    { "trunc", { D, I }, D, trunc_double_to, .aliases = ALIASES("truncate"), .category = "math", .doc = "Cut to n digits behind the point.", .example = "trunc(1.259e0, 2)", .yields = "1.25" },
    MATH("sqrt", sqrt_double, "The square root.", "sqrt(9)", "3.0"),
    MATH("cbrt", cbrt_double, "The cube root.", "cbrt(27)", "3.0"),
    MATH("square", square_double, "The number times itself.", "square(3)", "9.0"),
    MATH("exp", exp_double, "e to the power of the number.", "exp(0)", "1.0"),
    MATH("ln", ln_double, "The natural logarithm.", "ln(1)", "0.0"),
    { "log", { D }, D, ln_double, .category = "math", .doc = "The natural logarithm.", .example = "log(1)", .yields = "0.0" },
    { "log", { D, D }, D, log_base, .category = "math", .doc = "The logarithm of the second number to the base of the first.", .example = "round(log(2, 8))", .yields = "3.0" },
    MATH("log10", log10_double, "The logarithm to the base of 10.", "log10(1000)", "3.0"),
    MATH("log2", log2_double, "The logarithm to the base of 2.", "log2(8)", "3.0"),
    { "power", { D, D }, D, power_double, .aliases = ALIASES("pow"), .category = "math", .doc = "The first number to the power of the second.", .example = "power(2, 10)", .yields = "1024.0" },
    { "sign", { D }, I, sign_double, .category = "math", .doc = "-1, 0 or 1.", .example = "sign(-2.5)", .yields = "-1" },
    MATH("sin", sin_double, "The sine of an angle in radians.", "sin(0)", "0.0"),
    MATH("cos", cos_double, "The cosine of an angle in radians.", "cos(0)", "1.0"),
    MATH("tan", tan_double, "The tangent of an angle in radians.", "tan(0)", "0.0"),
    MATH("cot", cot_double, "The cotangent of an angle in radians.", "round(cot(0.7853981633974483), 6)", "1.0"),
    MATH("asin", asin_double, "The angle whose sine this is.", "asin(0)", "0.0"),
    MATH("acos", acos_double, "The angle whose cosine this is.", "acos(1)", "0.0"),
    MATH("atan", atan_double, "The angle whose tangent this is.", "atan(0)", "0.0"),
    { "atan2", { D, D }, D, atan2_double, .category = "math", .doc = "The angle of the point (second, first).", .example = "atan2(0, 1)", .yields = "0.0" },
    MATH("sinh", sinh_double, "The hyperbolic sine.", "sinh(0)", "0.0"),
    MATH("cosh", cosh_double, "The hyperbolic cosine.", "cosh(0)", "1.0"),
    MATH("tanh", tanh_double, "The hyperbolic tangent.", "tanh(0)", "0.0"),
    MATH("degrees", degrees_double, "Radians as degrees.", "degrees(0)", "0.0"),
    MATH("radians", radians_double, "Degrees as radians.", "radians(0)", "0.0"),
    { "pi", { 0 }, D, pi, .category = "math", .doc = "The ratio of a circle's circumference to its diameter.", .example = "round(pi(), 5)", .yields = "3.14159" },
    { "e", { 0 }, D, euler, .category = "math", .doc = "The base of natural logarithms.", .example = "round(e(), 5)", .yields = "2.71828" },
    { "rand_integer", { I }, I, random_integer, .is_volatile = true, .can_fail = true, .category = "math", .doc = "A whole number from 0 to below the bound, another one for each row; a replay gives the same ones.",
      .example = "rand_integer(10) < 10", .yields = "true" },
    { "rand_integer", { I, I }, I, random_integer, .is_volatile = true, .can_fail = true, .category = "math", .doc = "The same with a seed before the bound: equal seeds give equal numbers in a row.",
      .example = "rand_integer(7, 10) = rand_integer(7, 10)", .yields = "true" },
    { "random", { 0 }, D, random_double, .aliases = ALIASES("rand"), .is_volatile = true, .category = "math", .doc = "A number from 0 to below 1, another one for each row; a replay gives the same ones.", .example = "random() < 1", .yields = "true" },
    { "random", { I }, D, random_double, .aliases = ALIASES("rand"), .is_volatile = true, .category = "math", .doc = "The same with a seed: equal seeds give equal numbers in a row.", .example = "random(7) = random(7)", .yields = "true" },
    { .name = NULL }
};
