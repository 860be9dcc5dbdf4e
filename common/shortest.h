/* common/shortest.h: the two halves of floating-point text that the C library has no fast form of. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The fewest digits that read back as `magnitude` (finite, > 0), or two where two are nearer to it than one, as Java since 19 has it
 * (4.9E-324): 0.DIGITS * 10^*point; returns their count, up to 17. */
int shortest_digits(double magnitude, bool single, char digits[32], int *point);
/* Digits with a point and an exponent, no sign -> the nearest double. False beyond the range of doubles. */
bool nearest_double(const char *bytes, size_t length, double *number);

#ifdef __cplusplus
}
#endif
