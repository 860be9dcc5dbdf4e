/* tests/unit/common/test_histogram.c: buckets hold what they say, and quantiles are as near as buckets are narrow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "common/histogram.h"

static void every_value_is_in_its_bucket(void **state)
{
    (void)state;
    int before = 0;
    for (int64_t value = 0; value < INT64_C(1) << 41; value += 1 + value / 50) {
        Histogram histogram = { .count = 0 };
        histogram_add(&histogram, value, 3);
        int bucket = 0;
        while (!histogram.counts[bucket])
            bucket++;
        assert_int_equal(histogram.counts[bucket], 3);
        assert_true(value <= histogram_bound(bucket) && (bucket == 0 || value > histogram_bound(bucket - 1)));
        assert_true(bucket >= before && (double)(histogram_bound(bucket) - value) <= (double)value / 8);
        before = bucket;
    }
}

static void quantiles_are_near(void **state)
{
    (void)state;
    Histogram histogram = { .count = 0 };
    assert_int_equal(histogram_quantile(&histogram, 0.5), 0);
    for (int i = 1; i <= 1000; i++)
        histogram_add(&histogram, i * 10, 1);
    assert_in_range(histogram_quantile(&histogram, 0.5), 5000, 5625);
    assert_in_range(histogram_quantile(&histogram, 0.99), 9900, 10000);
    assert_int_equal(histogram_quantile(&histogram, 1), 10000);
    assert_int_equal(histogram.count, 1000);
    assert_int_equal(histogram.sum, 5005000);
}

static void the_ends_take_what_is_beyond_them(void **state)
{
    (void)state;
    Histogram histogram = { .count = 0 };
    histogram_add(&histogram, -5, 1);
    histogram_add(&histogram, INT64_MAX / 2, 1);
    assert_int_equal(histogram.counts[0], 1);
    assert_int_equal(histogram.counts[HISTOGRAM_BUCKETS - 1], 1);
    assert_int_equal(histogram_quantile(&histogram, 1), INT64_MAX / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_value_is_in_its_bucket),
        cmocka_unit_test(quantiles_are_near),
        cmocka_unit_test(the_ends_take_what_is_beyond_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
