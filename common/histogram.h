/* common/histogram.h: how often values came, in buckets that are never wider than an eighth of what they hold: times from a microsecond to a month. */
#pragma once
#include <stdint.h>

#define HISTOGRAM_STEPS 8                             /* buckets between a power of two and the next */
#define HISTOGRAM_BUCKETS (HISTOGRAM_STEPS * 40)      /* up to 2^42 us, 50 days; what is longer counts as that */

typedef struct Histogram {
    uint64_t counts[HISTOGRAM_BUCKETS];
    uint64_t count;
    int64_t sum, largest;
} Histogram;

/* `weight` times the value; less than 0 counts as 0. */
void histogram_add(Histogram *histogram, int64_t value, uint64_t weight);
/* The value that `share` (0..1) of all do not exceed, to within its bucket; 0 for an empty one. */
int64_t histogram_quantile(const Histogram *histogram, double share);
/* The largest value of a bucket. */
int64_t histogram_bound(int bucket);
