/* functions/aggregate_quantile.c: quantiles of numbers, exact and approximate.
 *
 *   MEDIAN, PERCENTILE_CONT   s  all values, 8 bytes each, in any order
 *   APPROX_QUANTILE           s  buckets: key i64, count i64, ascending by key
 *
 * The approximate one is a DDSketch: bucket i holds the numbers in (g^(i-1), g^i] with g = (1 + a) / (1 - a), so that whatever number of
 * a bucket it gives is off by the share a = 0.01 at most. Buckets are counts: they merge, and rows can be taken back. */
#include "functions/aggregate_kernels.h"
#include <math.h>
#include <stdlib.h>
#include "common/select.h"

static inline int compare(double a, double b) /* NaN is the largest */
{
    return isnan(a) || isnan(b) ? !!isnan(a) - !!isnan(b) : (a > b) - (a < b);
}

/* ---- all values ---- */

static void values_remove(StateHeap *heap, Str *state, double value)
{
    const uint32_t length = state->length;
    char *bytes = state_heap_resize(heap, state, length);
    for (uint32_t at = 0; at < length; at += 8)
        if (compare(load_double(bytes + at), value) == 0) {
            memmove(bytes + at, bytes + length - 8, 8);
            state_heap_resize(heap, state, length - 8);
            return;
        }
}

static void values_update(const AggregateArgs *args)
{
    const double *values = args->arg[0]->values;
    UPDATE_EACH(args, {
        Str *list = (Str *)state;
        const uint32_t length = list->length;
        if (SIGN(args) < 0)
            values_remove(args->heap, list, values[row]);
        else
            store_double(state_heap_resize(args->heap, list, (size_t)length + 8) + length, values[row]);
    });
}

static void values_merge(char *into, const char *from, size_t stride, uint32_t count, StateHeap *heap, const AggregateShape *shape)
{
    (void)shape;
    for (uint32_t i = 0; i < count; i++, into += stride, from += stride) {
        const Str *other = (const Str *)from;
        const uint32_t length = ((Str *)into)->length;
        if (other->length)
            memcpy(state_heap_resize(heap, (Str *)into, (size_t)length + other->length) + length, str_bytes(other), other->length);
    }
}

/* Between the two values next to the place p * (count - 1). */
static double values_quantile(double *values, size_t count, double share)
{
    double place = share * (double)(count - 1);
    size_t below = (size_t)place;
    double low = select_kth(values, count, below), part = place - (double)below;
    if (part == 0)
        return low;
    double high = values[below + 1];
    for (size_t i = below + 2; i < count; i++)
        if (compare(values[i], high) < 0)
            high = values[i];
    return low == high ? low : low + (high - low) * part;
}

static void values_result(char *const *states, size_t offset, uint32_t count, const Args *args, Vector *out, uint32_t first)
{
    const AggregateShape *shape = args->prepared;
    const double share = shape->constant_count ? shape->constants[0].number : 0.5;
    for (uint32_t i = 0; i < count; i++) {
        const Str *state = (const Str *)(states[i] + offset);
        if (!state->length) {
            args_null(args, out, first + i);
            continue;
        }
        double *values = ARENA_ARRAY(args->evaluation->arena, double, state->length / 8);
        memcpy(values, str_bytes(state), state->length);
        ((double *)out->values)[first + i] = values_quantile(values, state->length / 8, share);
    }
}

/* ---- buckets ---- */

#define ACCURACY 0.01
enum { FIRST_KEY = 1 << 20, INFINITE_KEY = 1 << 22, NAN_KEY = 1 << 23 };

typedef struct Bucket { int64_t key, count; } Bucket;

static double growth(void) { return log((1 + ACCURACY) / (1 - ACCURACY)); }

static int64_t key_of(double value)
{
    if (isnan(value))
        return NAN_KEY;
    if (value == 0)
        return 0;
    int64_t key = isinf(value) ? INFINITE_KEY : FIRST_KEY + (int64_t)ceil(log(fabs(value)) / growth());
    return value < 0 ? -key : key;
}

static double value_of(int64_t key)
{
    int64_t size = key < 0 ? -key : key;
    if (size == 0 || size == NAN_KEY)
        return size ? NAN : 0;
    double value = size == INFINITE_KEY ? INFINITY : 2 * exp((double)(size - FIRST_KEY) * growth()) / ((1 + ACCURACY) / (1 - ACCURACY) + 1);
    return key < 0 ? -value : value;
}

static void bucket_add(StateHeap *heap, Str *state, int64_t key, int64_t by)
{
    const uint32_t length = state->length;
    uint32_t low = 0, high = length / sizeof(Bucket);
    const char *there = str_bytes(state);
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (load64(there + middle * sizeof(Bucket)) < key)
            low = middle + 1;
        else
            high = middle;
    }
    const uint32_t at = low * (uint32_t)sizeof(Bucket);
    Bucket bucket = { key, 0 };
    bool found = at < length && load64(there + at) == key;
    if (!found && by < 0)
        return;
    char *bytes = state_heap_resize(heap, state, found ? length : (size_t)length + sizeof(Bucket));
    if (found)
        memcpy(&bucket, bytes + at, sizeof bucket);
    else
        memmove(bytes + at + sizeof bucket, bytes + at, length - at);
    bucket.count += by;
    memcpy(bytes + at, &bucket, sizeof bucket);
    if (bucket.count > 0)
        return;
    memmove(bytes + at, bytes + at + sizeof bucket, length - at - sizeof bucket);
    state_heap_resize(heap, state, length - sizeof bucket);
}

static void buckets_update(const AggregateArgs *args)
{
    const double *values = args->arg[0]->values;
    UPDATE_EACH(args, bucket_add(args->heap, (Str *)state, key_of(values[row]), SIGN(args)));
}

static void buckets_merge(char *into, const char *from, size_t stride, uint32_t count, StateHeap *heap, const AggregateShape *shape)
{
    (void)shape;
    for (uint32_t i = 0; i < count; i++, into += stride, from += stride) {
        const Str *other = (const Str *)from;
        for (uint32_t at = 0; at < other->length; at += sizeof(Bucket)) {
            Bucket bucket;
            memcpy(&bucket, str_bytes(other) + at, sizeof bucket);
            bucket_add(heap, (Str *)into, bucket.key, bucket.count);
        }
    }
}

static void buckets_result(char *const *states, size_t offset, uint32_t count, const Args *args, Vector *out, uint32_t first)
{
    const double share = ((const AggregateShape *)args->prepared)->constants[0].number;
    for (uint32_t i = 0; i < count; i++) {
        const Str *state = (const Str *)(states[i] + offset);
        int64_t total = 0, passed = 0;
        Bucket bucket = { 0, 0 };
        for (uint32_t at = 0; at < state->length; at += sizeof(Bucket))
            total += load64(str_bytes(state) + at + 8);
        if (!total) {
            args_null(args, out, first + i);
            continue;
        }
        const int64_t place = (int64_t)(share * (double)(total - 1)); /* from 0 */
        for (uint32_t at = 0; at < state->length && passed <= place; at += sizeof(Bucket)) {
            memcpy(&bucket, str_bytes(state) + at, sizeof bucket);
            passed += bucket.count;
        }
        ((double *)out->values)[first + i] = value_of(bucket.key);
    }
}

/* ---- the table ---- */

static const char *refuse_share(const Value *constants, int count)
{
    bool fine = count == 1 && constants[0].number >= 0 && constants[0].number <= 1;
    return fine ? NULL : "a quantile is a number from 0 to 1";
}

static const char *const percentile_aliases[] = { "percentile", NULL };
static const char *const approx_aliases[] = { "approx_percentile", "approx_percentile_cont", NULL };

#define VALUES .returns = TYPE_DOUBLE, .layout = "s", .update = values_update, .merge = values_merge, .result = values_result, .retract = RETRACT_INVERT, \
    .merge_exact = true, .category = "aggregate"

const AggregateFunction quantile_aggregates[] = {
    { .name = "median", .args = { TYPE_DOUBLE }, VALUES, .doc = "The number in the middle, or the mean of the two there.", .example = "median(x * 3)", .yields = "6.0" },
    { .name = "percentile_cont", .aliases = percentile_aliases, .args = { TYPE_DOUBLE, TYPE_DOUBLE }, .constants = 1, .refuse = refuse_share, VALUES,
      .doc = "The number at the given share of the order, between its neighbours where it is none.", .example = "percentile_cont(x, 0.25)", .yields = "1.5" },
    { .name = "approx_quantile", .aliases = approx_aliases, .args = { TYPE_DOUBLE, TYPE_DOUBLE }, .constants = 1, .refuse = refuse_share, .returns = TYPE_DOUBLE,
      .layout = "s", .update = buckets_update, .merge = buckets_merge, .result = buckets_result, .retract = RETRACT_INVERT, .merge_exact = true,
      .category = "aggregate", .doc = "A number off by at most 1% from the one at the given share of the order, in little memory.",
      .example = "round(approx_quantile(x * 100, 0.5) / 100)", .yields = "2.0" },
    { .name = NULL },
};
