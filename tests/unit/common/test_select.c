/* Quickselect against sorting. */
#include "common/select.h"
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "tests/unit/common/unit.h"

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return isnan(x) || isnan(y) ? !!isnan(x) - !!isnan(y) : (x > y) - (x < y);
}

static void the_kth_is_where_sorting_puts_it(void **state)
{
    (void)state;
    enum { MOST = 200 };
    double values[MOST], sorted[MOST];
    uint32_t seed = 7;
    for (int round = 0; round < 2000; round++) {
        size_t count = 1 + (size_t)round % MOST;
        for (size_t i = 0; i < count; i++) {
            seed = seed * 1664525 + 1013904223;
            values[i] = seed >> 28 == 0 ? NAN : seed >> 28 == 1 ? INFINITY : (double)(seed >> 24) - 100; /* many are equal */
        }
        memcpy(sorted, values, sizeof *sorted * count);
        qsort(sorted, count, sizeof *sorted, ascending);
        size_t k = seed % count;
        double found = select_kth(values, count, k);
        assert_true(ascending(&found, &sorted[k]) == 0 && ascending(&values[k], &found) == 0);
        for (size_t i = 0; i < count; i++)
            assert_true(i < k ? ascending(&values[i], &found) <= 0 : ascending(&values[i], &found) >= 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(the_kth_is_where_sorting_puts_it) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
