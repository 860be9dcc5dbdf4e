/* exec/over_anomaly.c: AnomalyDetection_SpikeAndDip, AnomalyDetection_ChangePoint: a value against the values before it.
 *
 * Spikes and dips: z = (x - median) / s, where s is 1.4826 times the median distance from the median (MAD) of the history, which up to half of it
 * being outliers does not disturb; where most values are equal, 1.2533 times the mean distance. The score is the p-value of z under Student's
 * t with as many degrees of freedom as the history has values less one: of both tails, or of the one that is asked for. An anomaly has p < 1 - confidence.
 *
 * Change points: conformal betting. How strange a value is, is its distance from the median of the history and itself; p is the share of values
 * that are at least as strange (Vovk, Nouretdinov, Gammerman 2003: uniform as long as the order of values means nothing). Each value bets
 * g(p) = 1 / (2 sqrt(p)), whose mean is 1, and R = (1 + R) g(p) (Shiryaev-Roberts) adds up the bets from every possible beginning. R less the number
 * of values is a martingale then, so P(R >= A within n values) <= n / A: an anomaly has R >= history / (1 - confidence), and a series
 * without change raises it by chance within one history with that probability at most. After a change point the history begins anew. */
#include <math.h>
#include <string.h>
#include "common/calendar.h"
#include "common/select.h"
#include "exec/over.h"
#include "exec/value_bytes.h"

enum { FIELD_BEGIN, FIELD_SCORE };  /* of ChangePoint: the first row of the history; R as bits */
enum { LEAST_HISTORY = 4 };         /* fewer values say nothing about how far they spread */

/* ---- numbers ---- */

static double median(double *values, uint32_t count)
{
    double upper = select_kth(values, count, count / 2);
    if (count % 2)
        return upper;
    double lower = values[0]; /* the largest of the lower half, which stands before it now */
    for (uint32_t i = 1; i < count / 2; i++)
        lower = values[i] > lower ? values[i] : lower;
    return lower + (upper - lower) / 2;
}

/* The continued fraction of the incomplete beta function (Lentz). */
static double beta_fraction(double a, double b, double x)
{
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    d = 1 / (fabs(d) < tiny ? tiny : d);
    double fraction = d;
    for (int m = 1; m <= 300; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)), odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        d = 1 + even * d;
        c = 1 + even / c;
        d = 1 / (fabs(d) < tiny ? tiny : d);
        c = fabs(c) < tiny ? tiny : c;
        fraction *= d * c;
        d = 1 + odd * d;
        c = 1 + odd / c;
        d = 1 / (fabs(d) < tiny ? tiny : d);
        c = fabs(c) < tiny ? tiny : c;
        fraction *= d * c;
        if (fabs(d * c - 1) < 1e-12)
            break;
    }
    return fraction;
}

/* P(|T| >= t) of Student's t: the incomplete beta function of v / (v + t^2) with v / 2 and 1 / 2. */
static double student_tails(double t, double freedom)
{
    const double a = freedom / 2, b = 0.5, x = freedom / (freedom + t * t);
    if (x <= 0)
        return 0;
    if (x >= 1)
        return 1;
    double front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x));
    return x < (a + 1) / (a + b + 2) ? front * beta_fraction(a, b, x) / a : 1 - front * beta_fraction(b, a, 1 - x) / b;
}

/* ---- spikes and dips ---- */

static double spike_score(const OverCall *over, double *history, uint32_t count, double x)
{
    if (count < LEAST_HISTORY)
        return 1;
    const double middle = median(history, count);
    double mean = 0;
    for (uint32_t i = 0; i < count; i++) {
        history[i] = fabs(history[i] - middle);
        mean += history[i] / count;
    }
    double spread = 1.4826 * median(history, count);
    if (spread == 0)
        spread = 1.2533 * mean;
    const bool above = x > middle, below = x < middle;
    double both = spread > 0 ? student_tails((x - middle) / spread, count - 1) : above || below ? 0 : 1;
    if (over->spikes && over->dips)
        return both;
    return (over->spikes ? above : below) ? both / 2 : 1 - both / 2;
}

/* ---- change points ---- */

/* The bet of a value; the scratch has room for one more than the history. */
static double change_bet(double *history, uint32_t count, double *scratch, double x)
{
    memcpy(scratch, history, sizeof(double) * count);
    scratch[count] = x;
    const double middle = median(scratch, count + 1), strange = fabs(x - middle);
    uint32_t as_strange = 1;
    for (uint32_t i = 0; i < count; i++)
        as_strange += fabs(history[i] - middle) >= strange;
    return 0.5 / sqrt((double)as_strange / (count + 1));
}

/* ---- results ---- */

int over_anomaly_fields(const OverCall *over) { return over->kind == OVER_CHANGE_POINT ? 2 : 0; }

static bool finite_value(const OverOperator *o, uint32_t id, int column, double *value)
{
    if (row_store_is_null(&o->store, id, column))
        return false;
    int64_t bits = row_store_bits(&o->store, id, column);
    memcpy(value, &bits, sizeof bits);
    return isfinite(*value);
}

/* Values of the rows before this one that are near enough, at most `offset` of them, from row `begin` on; returns their number. */
static uint32_t gather_history(OverOperator *o, const OverCall *over, uint32_t slot, uint32_t id, int64_t begin)
{
    const int64_t next = over_entry(o, slot)[P_NEXT];
    int64_t first = next > over->offset ? next - over->offset : 0;
    first = first > begin ? first : begin;
    const int64_t after = over->frame.from == BOUND_PRECEDING ? time_sub(over_own(o, id)[OWN_ORDER], over->frame.from_offset) : TIME_MIN;
    size_t room = 2 * (size_t)(next - first + 1);
    if (room > o->history_capacity)
        o->history = mem_grow(o->history, &o->history_capacity, room, sizeof(double));
    uint32_t count = 0;
    for (int64_t number = next - 1; number >= first; number--) {
        uint32_t row = over_row(o, slot, number);
        if (after != TIME_MIN && over_own(o, row)[OWN_ORDER] <= after)
            break;
        count += finite_value(o, row, over->call.args[0], &o->history[count]);
    }
    return count;
}

static bool spike(OverOperator *o, const OverCall *over, uint32_t slot, uint32_t id, double x, double *score)
{
    uint32_t count = gather_history(o, over, slot, id, 0);
    *score = spike_score(over, o->history, count, x);
    return *score < 1 - over->confidence;
}

static bool change_point(OverOperator *o, int call, uint32_t slot, uint32_t id, double x, double *score)
{
    const OverCall *over = &o->node->over.calls[call];
    int64_t *fields = over_entry(o, slot) + o->calls[call].field;
    uint32_t count = gather_history(o, over, slot, id, fields[FIELD_BEGIN]);
    memcpy(score, &fields[FIELD_SCORE], sizeof *score);
    *score = count ? (1 + *score) * change_bet(o->history, count, o->history + count, x) : 0; /* nothing near: a new series */
    const bool changed = *score >= (double)over->offset / (1 - over->confidence);
    const double kept = changed ? 0 : *score;
    memcpy(&fields[FIELD_SCORE], &kept, sizeof kept);
    if (changed)
        fields[FIELD_BEGIN] = over_entry(o, slot)[P_NEXT];
    return changed;
}

void over_put_anomaly(OverOperator *o, int call, uint32_t slot, uint32_t id, Vector *out, uint32_t at)
{
    const OverCall *over = &o->node->over.calls[call];
    double x, score;
    if (!finite_value(o, id, over->call.args[0], &x)) {
        Value null = value_null(out->type);
        vector_put_value(&o->out.batch->arena, out, at, &null);
        return;
    }
    bool anomaly = over->kind == OVER_SPIKE_AND_DIP ? spike(o, over, slot, id, x, &score) : change_point(o, call, slot, id, x, &score);
    ((double *)out->children[0]->values)[at] = score;
    ((int64_t *)out->children[1]->values)[at] = anomaly;
}
