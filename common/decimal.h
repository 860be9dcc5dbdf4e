/* common/decimal.h: exact decimals: a scaled integer of up to 38 digits. */
#pragma once
#include "common/type.h"

#define DECIMAL_MAX_PRECISION 38
Int128 decimal_power(int exponent); /* 10^exponent, 0..38 */
bool decimal_fits(Int128 value, int precision); /* |value| < 10^precision */
/* Changes the scale; rounds half away from zero when digits go. False on overflow of 38 digits. */
bool decimal_rescale(Int128 value, int from_scale, int to_scale, Int128 *result);
/* Text ('-12.34', '1e3', blanks around) at the given scale, rounded half away from zero. False if it is not a number
 * or needs more than `precision` digits. */
bool decimal_parse(const char *bytes, size_t length, int precision, int scale, Int128 *result);
size_t decimal_format(Int128 value, int scale, char *out); /* up to 42 bytes, all `scale` digits */
double decimal_to_double(Int128 value, int scale);
bool decimal_from_double(double number, int precision, int scale, Int128 *result);

/* The shortest text that reads back as the same double, as Java and JSON write it: 1.0, 0.1, 1.0E10; returns length.
 * NaN, Infinity, -Infinity. Needs up to 32 bytes. */
size_t double_format(double number, char *out);
size_t float_format(double number, char *out);   /* shortest for single precision */
size_t int64_format(int64_t value, char *out);   /* up to 20 bytes */
bool double_parse(const char *bytes, size_t length, double *number); /* whole text; also nan, inf, infinity */
bool int64_parse(const char *bytes, size_t length, int64_t *value);  /* whole text, blanks around, sign */
