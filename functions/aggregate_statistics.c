/* functions/aggregate_statistics.c: variance, covariance, correlation.
 *
 *   variance      l  rows; d  sum; d  sum of squared distances from the mean (Youngs and Cramer)
 *   two columns   l  rows; the sums of x, y, xx, yy, xy in twice the precision, dd each: what comes and goes leaves no trace */
#include "functions/aggregate_kernels.h"
#include <math.h>

/* ---- variance ---- */

typedef struct Spread { int64_t rows; double sum, squares; } Spread;

static void spread_update(const AggregateArgs *args)
{
    const double *values = args->arg[0]->values;
    UPDATE_EACH(args, {
        Spread *spread = (Spread *)state;
        const double value = values[row];
        const bool goes = SIGN(args) < 0;
        if (!goes) {
            spread->rows++;
            spread->sum += value;
        }
        double rows = (double)spread->rows, distance = rows * value - spread->sum;
        if (spread->rows > 1)
            spread->squares += (goes ? -1 : 1) * distance * distance / (rows * (rows - 1));
        if (goes) {
            spread->sum -= value;
            if (--spread->rows == 0)
                *spread = (Spread){ 0 };
        }
    });
}

static void spread_merge(char *into, const char *from, size_t stride, uint32_t count, StateHeap *heap, const AggregateShape *shape)
{
    (void)heap, (void)shape;
    for (uint32_t i = 0; i < count; i++) {
        Spread *a = (Spread *)(into + i * stride);
        const Spread *b = (const Spread *)(from + i * stride);
        if (b->rows == 0)
            continue;
        if (a->rows) {
            double a_rows = (double)a->rows, b_rows = (double)b->rows, distance = b->sum / b_rows - a->sum / a_rows;
            a->squares += distance * distance * a_rows * b_rows / (a_rows + b_rows);
        }
        a->squares += b->squares;
        a->sum += b->sum;
        a->rows += b->rows;
    }
}

enum { SAMPLE = 1, ROOT = 2, ZERO_FOR_ONE = 4 }; /* rules */

static void spread_result(char *const *states, size_t offset, uint32_t count, const Args *args, Vector *out, uint32_t first)
{
    const int rule = ((const AggregateShape *)args->prepared)->function->rule;
    const int64_t less = rule & SAMPLE ? 1 : 0;
    double *result = (double *)out->values + first;
    for (uint32_t i = 0; i < count; i++) {
        const Spread *spread = (const Spread *)(states[i] + offset);
        if (spread->rows <= less) {
            if (!(rule & ZERO_FOR_ONE))
                args_null(args, out, first + i);
            continue;
        }
        double variance = spread->squares / (double)(spread->rows - less);
        if (variance < 0)
            variance = 0;
        result[i] = rule & ROOT ? sqrt(variance) : variance;
    }
}

/* ---- two columns ---- */

typedef struct Twofold { double sum, error; } Twofold;
typedef struct Pairs { int64_t rows; Twofold x, y, xx, yy, xy; } Pairs;

static inline void twofold_add(Twofold *to, double value, double error)
{
    double total = to->sum + value, part = total - to->sum; /* Knuth's two-sum */
    to->error += (to->sum - (total - part)) + (value - part) + error;
    to->sum = total;
}

static void pairs_update(const AggregateArgs *args)
{
    for (uint32_t i = 0; i < args->rows->count; i++) {
        uint32_t row = selection_row(args->rows, i);
        if (vector_is_null(args->arg[0], row) || vector_is_null(args->arg[1], row))
            continue;
        Pairs *pairs = (Pairs *)(args->states[i] + args->offset);
        const double x = ((const double *)args->arg[0]->values)[row & vector_mask(args->arg[0])], y = ((const double *)args->arg[1]->values)[row & vector_mask(args->arg[1])];
        const int sign = args->kinds && row_kind_retracts(args->kinds[row]) ? -1 : 1;
        pairs->rows += sign;
        twofold_add(&pairs->x, sign * x, 0);
        twofold_add(&pairs->y, sign * y, 0);
        twofold_add(&pairs->xx, sign * (x * x), sign * fma(x, x, -(x * x)));
        twofold_add(&pairs->yy, sign * (y * y), sign * fma(y, y, -(y * y)));
        twofold_add(&pairs->xy, sign * (x * y), sign * fma(x, y, -(x * y)));
        if (pairs->rows == 0)
            *pairs = (Pairs){ 0 };
    }
}

static void twofold_merge(Twofold *to, const Twofold *from) { twofold_add(to, from->sum, from->error); }

static void pairs_merge(char *into, const char *from, size_t stride, uint32_t count, StateHeap *heap, const AggregateShape *shape)
{
    (void)heap, (void)shape;
    for (uint32_t i = 0; i < count; i++) {
        Pairs *a = (Pairs *)(into + i * stride);
        const Pairs *b = (const Pairs *)(from + i * stride);
        a->rows += b->rows;
        twofold_merge(&a->x, &b->x);
        twofold_merge(&a->y, &b->y);
        twofold_merge(&a->xx, &b->xx);
        twofold_merge(&a->yy, &b->yy);
        twofold_merge(&a->xy, &b->xy);
    }
}

typedef enum PairRule { PAIR_COVAR_POP, PAIR_COVAR_SAMP, PAIR_CORR, PAIR_CORRELATION } PairRule;

static inline long double whole(Twofold sum) { return (long double)sum.sum + sum.error; }

/* Row count times the sum of products of distances from the means. */
static long double distances(const Pairs *pairs, Twofold products, Twofold a, Twofold b) { return pairs->rows * whole(products) - whole(a) * whole(b); }

static void pairs_result(char *const *states, size_t offset, uint32_t count, const Args *args, Vector *out, uint32_t first)
{
    const PairRule rule = (PairRule)((const AggregateShape *)args->prepared)->function->rule;
    double *result = (double *)out->values + first;
    for (uint32_t i = 0; i < count; i++) {
        const Pairs *pairs = (const Pairs *)(states[i] + offset);
        const long double rows = pairs->rows, both = distances(pairs, pairs->xy, pairs->x, pairs->y);
        if (rule == PAIR_COVAR_POP || rule == PAIR_COVAR_SAMP) {
            const long double by = rows * (rule == PAIR_COVAR_SAMP ? rows - 1 : rows);
            if (by > 0)
                result[i] = (double)(both / by);
            else
                args_null(args, out, first + i);
            continue;
        }
        const long double x = distances(pairs, pairs->xx, pairs->x, pairs->x), y = distances(pairs, pairs->yy, pairs->y, pairs->y);
        if (x > 0 && y > 0)
            result[i] = (double)(both / (sqrtl(x) * sqrtl(y)));
        else if (rule == PAIR_CORR)
            args_null(args, out, first + i);
        else
            result[i] = NAN;
    }
}

/* ---- the tables ---- */

static const char *const stddev_pop_aliases[] = { "stdevp", NULL };
static const char *const stddev_samp_aliases[] = { "stddev", "stdev", NULL };
static const char *const var_pop_aliases[] = { "varp", NULL };
static const char *const var_samp_aliases[] = { "variance", "var", NULL };

#define SPREAD(sql, other_names, spread_rule, text, sample_yields)                                                                \
    { .name = sql, .aliases = other_names, .args = { TYPE_DOUBLE }, .returns = TYPE_DOUBLE, .layout = "ldd", .rule = spread_rule, \
      .update = spread_update, .merge = spread_merge, .result = spread_result, .retract = RETRACT_INVERT, .category = "aggregate", \
      .doc = text, .example = "round(" sql "(x), 4)", .yields = sample_yields }
#define PAIRS(sql, pair_rule, text, sample, sample_yields)                                                                                         \
    { .name = sql, .args = { TYPE_DOUBLE, TYPE_DOUBLE }, .returns = TYPE_DOUBLE, .layout = "ldddddddddd", .rule = pair_rule, .update = pairs_update, \
      .merge = pairs_merge, .result = pairs_result, .retract = RETRACT_INVERT, .category = "aggregate", .doc = text, .example = sample,             \
      .yields = sample_yields }

const AggregateFunction statistics_aggregates[] = {
    SPREAD("stddev_pop", stddev_pop_aliases, ROOT, "Standard deviation of all values.", "0.4714"),
    SPREAD("stddev_samp", stddev_samp_aliases, ROOT | SAMPLE, "Standard deviation of a sample; NULL below two values. Under the preset ksql the variance, and 0 below two values, as there.", "0.5774"),
    SPREAD("stddev_sample", NULL, ROOT | SAMPLE | ZERO_FOR_ONE, "Standard deviation of a sample; 0 below two values (ksqlDB).", "0.5774"),
    SPREAD("var_pop", var_pop_aliases, 0, "Variance of all values.", "0.2222"),
    SPREAD("var_samp", var_samp_aliases, SAMPLE, "Variance of a sample; NULL below two values.", "0.3333"),
    PAIRS("corr", PAIR_CORR, "Pearson's correlation of two columns; NULL where one of them does not vary.", "round(corr(x, x * -3), 4)", "-1.0"),
    PAIRS("correlation", PAIR_CORRELATION, "The same, but NaN where one of them does not vary (ksqlDB).", "round(correlation(x, x * 2), 4)", "1.0"),
    PAIRS("covar_pop", PAIR_COVAR_POP, "Covariance of two columns.", "round(covar_pop(x, x * 2), 4)", "0.4444"),
    PAIRS("covar_samp", PAIR_COVAR_SAMP, "Covariance of a sample; NULL below two rows.", "round(covar_samp(x, x * 2), 4)", "0.6667"),
    { .name = NULL },
};

const AggregateFunction ksql_stddev_samp = SPREAD("stddev_samp", NULL, SAMPLE | ZERO_FOR_ONE, NULL, NULL);
