/* common/decimal.c: exact decimals, and numbers as text. */
#include "common/decimal.h"

#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

Int128 decimal_power(int exponent)
{
    Int128 power = 1;
    for (int i = 0; i < exponent; i++)
        power *= 10;
    return power;
}

static Int128 powers[DECIMAL_MAX_PRECISION + 1];
__attribute__((constructor)) static void fill_powers(void)
{
    for (int i = 0; i <= DECIMAL_MAX_PRECISION; i++)
        powers[i] = decimal_power(i);
}

bool decimal_fits(Int128 value, int precision) { return value < powers[precision] && value > -powers[precision]; }

bool decimal_rescale(Int128 value, int from_scale, int to_scale, Int128 *result)
{
    if (to_scale >= from_scale) {
        int more = to_scale - from_scale;
        if (more > DECIMAL_MAX_PRECISION || __builtin_mul_overflow(value, powers[more], result))
            return value == 0 ? (*result = 0, true) : false;
        return decimal_fits(*result, DECIMAL_MAX_PRECISION);
    }
    int fewer = from_scale - to_scale;
    if (fewer > DECIMAL_MAX_PRECISION) {
        *result = 0;
        return true;
    }
    Int128 unit = powers[fewer], quotient = value / unit, rest = value % unit;
    if (rest < 0)
        rest = -rest;
    if (rest >= unit - rest)
        quotient += value < 0 ? -1 : 1;
    *result = quotient;
    return true;
}

static void trim(const char **bytes, size_t *length)
{
    while (*length && (**bytes == ' ' || **bytes == '\t')) {
        ++*bytes;
        --*length;
    }
    while (*length && ((*bytes)[*length - 1] == ' ' || (*bytes)[*length - 1] == '\t'))
        --*length;
}

bool decimal_parse(const char *bytes, size_t length, int precision, int scale, Int128 *result)
{
    trim(&bytes, &length);
    size_t at = 0;
    bool negative = false, any = false, point = false;
    if (at < length && (bytes[at] == '-' || bytes[at] == '+'))
        negative = bytes[at++] == '-';
    Int128 digits = 0;
    int value_scale = 0, dropped = 0, first_dropped = -1;
    for (; at < length && ((bytes[at] >= '0' && bytes[at] <= '9') || (bytes[at] == '.' && !point)); at++) {
        if (bytes[at] == '.') {
            point = true;
            continue;
        }
        any = true;
        int digit = bytes[at] - '0';
        if (digits >= powers[37]) { /* more than fit: they matter for rounding and magnitude only */
            if (first_dropped < 0)
                first_dropped = digit;
            dropped += !point;
            continue;
        }
        digits = digits * 10 + digit;
        value_scale += point;
    }
    if (!any)
        return false;
    long exponent = 0;
    if (at < length && (bytes[at] == 'e' || bytes[at] == 'E')) {
        bool minus = false;
        if (++at < length && (bytes[at] == '-' || bytes[at] == '+'))
            minus = bytes[at++] == '-';
        size_t first = at;
        for (; at < length && bytes[at] >= '0' && bytes[at] <= '9'; at++)
            exponent = exponent < 100000 ? exponent * 10 + (bytes[at] - '0') : exponent;
        if (at == first)
            return false;
        if (minus)
            exponent = -exponent;
    }
    if (at != length)
        return false;
    long shift = value_scale - exponent - dropped; /* value = digits * 10^-shift */
    if (first_dropped >= 5 && shift <= scale)
        digits++;
    Int128 scaled;
    if (digits == 0) {
        *result = 0;
        return true;
    }
    if (shift > scale + 40) {
        *result = 0;
        return true;
    }
    if (shift < scale - 40)
        return false;
    if (shift >= 0 ? !decimal_rescale(digits, (int)shift, scale, &scaled)
                   : (long)scale - shift > DECIMAL_MAX_PRECISION || __builtin_mul_overflow(digits, powers[(long)scale - shift], &scaled))
        return false;
    if (!decimal_fits(scaled, precision))
        return false;
    *result = negative ? -scaled : scaled;
    return true;
}

size_t decimal_format(Int128 value, int scale, char *out)
{
    char digits[48];
    int count = 0;
    bool negative = value < 0;
    unsigned __int128 rest = negative ? -(unsigned __int128)value : (unsigned __int128)value;
    do
        digits[count++] = (char)('0' + (int)(rest % 10));
    while ((rest /= 10) > 0 || count <= scale);
    char *at = out;
    if (negative)
        *at++ = '-';
    while (count > 0) {
        if (count == scale)
            *at++ = '.';
        *at++ = digits[--count];
    }
    return (size_t)(at - out);
}

double decimal_to_double(Int128 value, int scale)
{
    if (scale <= 22 && value < ((Int128)1 << 53) && value > -((Int128)1 << 53))
        return (double)value / (double)powers[scale]; /* both exact: one rounding */
    char text[64];
    double number = 0;
    double_parse(text, decimal_format(value, scale, text), &number);
    return number;
}

bool decimal_from_double(double number, int precision, int scale, Int128 *result)
{
    char text[32];
    if (!isfinite(number))
        return false;
    return decimal_parse(text, double_format(number, text), precision, scale, result);
}

/* ---- integers ---- */

size_t int64_format(int64_t value, char *out)
{
    char digits[20];
    int count = 0;
    uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;
    do
        digits[count++] = (char)('0' + rest % 10);
    while ((rest /= 10) > 0);
    char *at = out;
    if (value < 0)
        *at++ = '-';
    while (count > 0)
        *at++ = digits[--count];
    return (size_t)(at - out);
}

bool int64_parse(const char *bytes, size_t length, int64_t *value)
{
    trim(&bytes, &length);
    size_t at = 0;
    bool negative = false;
    if (at < length && (bytes[at] == '-' || bytes[at] == '+'))
        negative = bytes[at++] == '-';
    if (at == length)
        return false;
    uint64_t number = 0;
    for (; at < length; at++) {
        unsigned digit = (unsigned)(unsigned char)bytes[at] - '0';
        if (digit > 9 || __builtin_mul_overflow(number, 10u, &number) || __builtin_add_overflow(number, digit, &number))
            return false;
    }
    if (number > (uint64_t)INT64_MAX + negative)
        return false;
    *value = negative ? (int64_t)-number : (int64_t)number;
    return true;
}

/* ---- doubles ---- */

static locale_t c_locale;
static pthread_once_t locale_once = PTHREAD_ONCE_INIT;
static void make_locale(void) { c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0); }

static double strtod_c(const char *text)
{
    pthread_once(&locale_once, make_locale);
    return strtod_l(text, NULL, c_locale);
}

static const double exact_powers[] = { 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };

static bool word_parse(const char *bytes, size_t length, double *number)
{
    char word[16];
    if (length == 0 || length >= sizeof word)
        return false;
    memcpy(word, bytes, length);
    word[length] = 0;
    const char *name = word + (word[0] == '-' || word[0] == '+');
    if (name_equal(name, "nan"))
        *number = NAN;
    else if (name_equal(name, "inf") || name_equal(name, "infinity"))
        *number = word[0] == '-' ? -INFINITY : INFINITY;
    else
        return false;
    return true;
}

bool double_parse(const char *bytes, size_t length, double *number)
{
    trim(&bytes, &length);
    size_t at = 0;
    bool negative = false, point = false, any = false;
    if (at < length && (bytes[at] == '-' || bytes[at] == '+'))
        negative = bytes[at++] == '-';
    uint64_t mantissa = 0;
    int digits = 0, exponent = 0;
    for (; at < length && ((bytes[at] >= '0' && bytes[at] <= '9') || (bytes[at] == '.' && !point)); at++) {
        if (bytes[at] == '.') {
            point = true;
            continue;
        }
        any = true;
        if (digits < 19) {
            mantissa = mantissa * 10 + (uint64_t)(bytes[at] - '0');
            digits += mantissa > 0;
            exponent -= point;
        } else {
            digits = 20;
        }
    }
    if (!any)
        return word_parse(bytes, length, number);
    if (at < length && (bytes[at] == 'e' || bytes[at] == 'E')) {
        bool minus = false;
        int given = 0;
        if (++at < length && (bytes[at] == '-' || bytes[at] == '+'))
            minus = bytes[at++] == '-';
        size_t first = at;
        for (; at < length && bytes[at] >= '0' && bytes[at] <= '9'; at++)
            given = given < 100000 ? given * 10 + (bytes[at] - '0') : given;
        if (at == first)
            return false;
        exponent += minus ? -given : given;
    }
    if (at != length)
        return false;
    /* Clinger's fast path: both factors exact, one rounding */
    if (digits <= 19 && mantissa <= (UINT64_C(1) << 53) && exponent >= -22 && exponent <= 22) {
        double exact = (double)mantissa;
        exact = exponent < 0 ? exact / exact_powers[-exponent] : exact * exact_powers[exponent];
        *number = negative ? -exact : exact;
        return true;
    }
    char small[128], *copy = length < sizeof small ? small : malloc(length + 1);
    if (!copy)
        return false;
    memcpy(copy, bytes, length);
    copy[length] = 0;
    *number = strtod_c(copy);
    if (copy != small)
        free(copy);
    return true;
}

/* Digits and exponent -> Java's form: plain between 1e-3 and 1e7, else d.dddE[-]n. value = 0.DIGITS * 10^point. */
static size_t java_form(bool negative, const char *digits, int count, int point, char *out)
{
    char *at = out;
    if (negative)
        *at++ = '-';
    while (count > 1 && digits[count - 1] == '0')
        count--;
    if (point > -3 && point <= 7) {
        if (point <= 0) {
            *at++ = '0';
            *at++ = '.';
            for (int i = point; i < 0; i++)
                *at++ = '0';
            memcpy(at, digits, (size_t)count);
            return (size_t)(at + count - out);
        }
        for (int i = 0; i < point; i++)
            *at++ = i < count ? digits[i] : '0';
        *at++ = '.';
        if (count <= point)
            *at++ = '0';
        for (int i = point; i < count; i++)
            *at++ = digits[i];
        return (size_t)(at - out);
    }
    *at++ = digits[0];
    *at++ = '.';
    if (count == 1)
        *at++ = '0';
    for (int i = 1; i < count; i++)
        *at++ = digits[i];
    *at++ = 'E';
    return (size_t)(at - out) + int64_format(point - 1, at);
}

static size_t special_form(double number, char *out)
{
    const char *text = isnan(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity";
    memcpy(out, text, strlen(text));
    return strlen(text);
}

/* Shortest digits by trying: 15 always read back if 15 suffice; else 16, else 17. */
static size_t shortest_form(double number, bool single, char *out)
{
    char text[40], digits[24];
    int first = single ? 6 : 15, last = single ? 9 : 17;
    for (int precision = first; precision <= last; precision++) {
        snprintf(text, sizeof text, "%.*e", precision - 1, number);
        if (precision == last || (single ? (float)strtod_c(text) == (float)number : strtod_c(text) == number))
            break;
    }
    char *at = text + (text[0] == '-');
    int count = 0;
    for (; *at && *at != 'e'; at++)
        if (*at >= '0' && *at <= '9')
            digits[count++] = *at;
    return java_form(number < 0, digits, count, atoi(at + 1) + 1, out);
}

size_t double_format(double number, char *out)
{
    if (!isfinite(number))
        return special_form(number, out);
    double magnitude = fabs(number);
    if (magnitude == 0 || (magnitude >= 1e-3 && magnitude < 1e7)) {
        /* up to six decimals: exact if dividing the scaled integer gives the number back */
        double scaled = rint(magnitude * 1e6);
        if (scaled / 1e6 == magnitude && scaled < 9e15) {
            char digits[24];
            int64_t integer = (int64_t)scaled;
            char text[24];
            size_t length = int64_format(integer, text);
            int count = 0;
            if (integer == 0) {
                memcpy(out, signbit(number) ? "-0.0" : "0.0", 4);
                return signbit(number) ? 4 : 3;
            }
            for (size_t i = 0; i < length; i++)
                digits[count++] = text[i];
            return java_form(number < 0, digits, count, (int)length - 6, out);
        }
    }
    return shortest_form(number, false, out);
}

size_t float_format(double number, char *out)
{
    if (!isfinite(number))
        return special_form(number, out);
    if (number == 0) {
        memcpy(out, signbit(number) ? "-0.0" : "0.0", 4);
        return signbit(number) ? 4 : 3;
    }
    return shortest_form(number, true, out);
}
