/* common/select.c: see select.h. Hoare's quickselect. */
#include "common/select.h"
#include <math.h>
#include <stdbool.h>

static inline bool below(double a, double b) { return a < b || (isnan(b) && !isnan(a)); }

double select_kth(double *values, size_t count, size_t k)
{
    size_t low = 0, high = count - 1;
    while (low < high) {
        const double pivot = values[low + (high - low) / 2];
        size_t i = low, j = high;
        for (;;) {
            while (below(values[i], pivot))
                i++;
            while (below(pivot, values[j]))
                j--;
            if (i >= j)
                break;
            const double swap = values[i];
            values[i++] = values[j];
            values[j--] = swap;
        }
        if (k <= j)
            high = j;
        else
            low = j + 1;
    }
    return values[k];
}
