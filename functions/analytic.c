/* functions/analytic.c: what can stand before OVER (..) besides aggregates. Computed by exec/over_values.c and exec/over_anomaly.c: here is what they
 * are called and what they mean. */
#include "functions/functions.h"

static const AnalyticFunction analytic_functions[] = {
    { "anomalydetection_changepoint", "(x, confidence, history) → STRUCT<Score DOUBLE, IsAnomaly BIGINT>", 3, 3,
      .doc = "Whether values have become others than those before (ASA): a conformal Shiryaev-Roberts statistic over at most `history` values. The confidence is a percentage.",
      .example = "round((anomalydetection_changepoint(x, 95, 50) OVER (LIMIT DURATION(minute, 1))).Score, 4)", .yields = "0.0, 0.5, 0.9186, 1.3566" },
    { "anomalydetection_spikeanddip", "(x, confidence, history, 'spikes' | 'dips' | 'spikesanddips') → STRUCT<Score DOUBLE, IsAnomaly BIGINT>", 4, 4,
      .doc = "Whether a value is far from the median of at most `history` values before it (ASA): the score is its p-value. The confidence is a percentage.",
      .example = "(anomalydetection_spikeanddip(x, 95, 50, 'spikes') OVER (LIMIT DURATION(minute, 1))).IsAnomaly", .yields = "0, 0, 0, 0" },
    { "collecttop", "(n [, x]) → ARRAY<STRUCT<rank BIGINT, value ANY>>", 1, 2,
      .doc = "An aggregate of GROUP BY (ASA): the first n rows in the order, or a value of each, with their places. With LIMIT DURATION: for each row, of the rows before it.",
      .example = "collecttop(2, x * 10) OVER (ORDER BY x DESC)", .yields = "[{\"rank\":1,\"value\":40},{\"rank\":2,\"value\":30}]" },
    { "cume_dist", "() → DOUBLE", 0, 0, .doc = "Share of the partition's rows that come no later in the order than the row.",
      .example = "cume_dist() OVER (ORDER BY x)", .yields = "0.25, 0.5, 0.75, 1.0" },
    { "dense_rank", "() → BIGINT", 0, 0, .doc = "Place in the order; equal rows share one, and the next place follows.",
      .example = "dense_rank() OVER (ORDER BY x / 2)", .yields = "1, 2, 2, 3" },
    { "first_value", "(x) [IGNORE NULLS] → ANY", 1, 1, .doc = "Value at the first row of the frame.", .example = "first_value(x) OVER (ORDER BY ts)", .yields = "1, 1, 1, 1" },
    { "isfirst", "(unit, n) → BIGINT", 2, 2, .doc = "1 for the first row of each tumbling window (s, e], else 0 (ASA). With WHEN the first row that meets the condition.",
      .example = "isfirst(second, 2) OVER ()", .yields = "1, 1, 0, 1" },
    { "lag", "(x [, n [, default]]) [IGNORE NULLS] → ANY", 1, 3, .doc = "Value n rows before, 1 if not given; the default, or NULL, where there is none. With LIMIT DURATION and WHEN as in ASA.",
      .example = "lag(x, 1, 0) OVER (ORDER BY ts)", .yields = "0, 1, 2, 3" },
    { "last", "(x [, default]) → ANY", 1, 2, .doc = "Value of the last row that meets the condition of WHEN, the row itself included (ASA).",
      .example = "last(x) OVER (LIMIT DURATION(second, 2) WHEN x % 2 = 1)", .yields = "1, 1, 3, 3" },
    { "last_value", "(x) [IGNORE NULLS] → ANY", 1, 1, .doc = "Value at the last row of the frame.",
      .example = "last_value(x) OVER (ORDER BY ts ROWS BETWEEN CURRENT ROW AND 1 FOLLOWING)", .yields = "2, 3, 4, 4" },
    { "lead", "(x [, n [, default]]) [IGNORE NULLS] → ANY", 1, 3, .doc = "Value n rows behind, 1 if not given; the default, or NULL, where there is none.",
      .example = "lead(x) OVER (ORDER BY ts)", .yields = "2, 3, 4, NULL" },
    { "nth_value", "(x, n) → ANY", 2, 2, .doc = "Value at the n-th row of the frame; NULL where it has fewer.", .example = "nth_value(x, 2) OVER (ORDER BY ts)", .yields = "NULL, 2, 2, 2" },
    { "ntile", "(n) → BIGINT", 1, 1, .doc = "The partition's rows in n buckets of equal size, the first ones one larger where it does not come out even: number of the row's bucket.",
      .example = "ntile(3) OVER (ORDER BY x)", .yields = "1, 1, 2, 3" },
    { "percent_rank", "() → DOUBLE", 0, 0, .doc = "(RANK() - 1) / (rows of the partition - 1).", .example = "percent_rank() OVER (ORDER BY x % 3)", .yields = "0.0, 0.3333333333333333, 0.3333333333333333, 1.0" },
    { "rank", "() → BIGINT", 0, 0, .doc = "Place in the order; equal rows share one, and as many places are left out behind them.", .example = "rank() OVER (ORDER BY x / 2)", .yields = "1, 2, 2, 4" },
    { "row_number", "() → BIGINT", 0, 0, .doc = "Number of the row in the order of its partition.", .example = "row_number() OVER (ORDER BY x DESC)", .yields = "1, 2, 3, 4" },
    { "topone", "([x]) → ANY", 0, 1, .doc = "An aggregate of GROUP BY (ASA): the row that comes first in the order, or a value of it. With LIMIT DURATION: for each row, of the rows before it.",
      .example = "(topone() OVER (ORDER BY x % 3 DESC)).x", .yields = "2" },
};

const AnalyticFunction *analytic_functions_all(int *count)
{
    *count = (int)(sizeof analytic_functions / sizeof *analytic_functions);
    return analytic_functions;
}

const AnalyticFunction *analytic_find(const char *name)
{
    for (size_t i = 0; i < sizeof analytic_functions / sizeof *analytic_functions; i++)
        if (name_equal(analytic_functions[i].name, name))
            return &analytic_functions[i];
    return NULL;
}
