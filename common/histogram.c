/* common/histogram.c: how often values came. */
#include "common/histogram.h"

/* Values below HISTOGRAM_STEPS have buckets of their own; above, the highest bits behind the first one choose among HISTOGRAM_STEPS. */
static int bucket_of(uint64_t value)
{
    if (value < HISTOGRAM_STEPS)
        return (int)value;
    int power = 63 - __builtin_clzll(value);
    int step = (int)(value >> (power - 3)) - HISTOGRAM_STEPS, bucket = (power - 2) * HISTOGRAM_STEPS + step;
    return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

int64_t histogram_bound(int bucket)
{
    if (bucket < HISTOGRAM_STEPS)
        return bucket;
    int power = bucket / HISTOGRAM_STEPS + 2, step = bucket % HISTOGRAM_STEPS + HISTOGRAM_STEPS;
    return ((int64_t)(step + 1) << (power - 3)) - 1;
}

void histogram_add(Histogram *histogram, int64_t value, uint64_t weight)
{
    value = value < 0 ? 0 : value;
    histogram->counts[bucket_of((uint64_t)value)] += weight;
    histogram->count += weight;
    histogram->sum += value * (int64_t)weight;
    if (value > histogram->largest)
        histogram->largest = value;
}

int64_t histogram_quantile(const Histogram *histogram, double share)
{
    double wanted = share * (double)histogram->count;
    uint64_t seen = 0;
    for (int bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++) {
        seen += histogram->counts[bucket];
        if (histogram->counts[bucket] && (double)seen >= wanted)
            return histogram_bound(bucket) < histogram->largest && bucket + 1 < HISTOGRAM_BUCKETS ? histogram_bound(bucket) : histogram->largest;
    }
    return histogram->largest;
}
