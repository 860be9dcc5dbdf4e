/* common/decimal.c: exact decimals, and numbers as text. */
#include "common/decimal.h"

#include <math.h>
#include <strings.h>

#include "common/digits.h"
#include "common/shortest.h"

#define TEN_18 ((Int128)1000000000000000000)
#define POWERS_OF(unit) \
    (unit), (unit) * 10, (unit) * 100, (unit) * 1000, (unit) * 10000, (unit) * 100000, (unit) * 1000000, (unit) * 10000000, (unit) * 100000000, \
        (unit) * 1000000000
static const Int128 powers[DECIMAL_MAX_PRECISION + 1] = { POWERS_OF((Int128)1), POWERS_OF((Int128)10000000000), POWERS_OF(TEN_18 * 100),
    TEN_18 * 1000000000000, TEN_18 * 10000000000000, TEN_18 * 100000000000000, TEN_18 * 1000000000000000, TEN_18 * 10000000000000000,
    TEN_18 * 100000000000000000, TEN_18 * TEN_18, TEN_18 * TEN_18 * 10, TEN_18 * TEN_18 * 100 };

Int128 decimal_power(int exponent) { return powers[exponent]; }

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

/* Plain digits with a point, at most 18 of them before and after scaling: all in one word. */
static bool parse_small(const char *bytes, size_t length, int precision, int scale, Int128 *result)
{
    size_t at = length && (*bytes == '-' || *bytes == '+');
    bool negative = at && *bytes == '-';
    uint64_t digits = 0;
    size_t first = at, point = length;
    if (length - at > 19)
        return false;
    for (; at < length; at++) {
        unsigned digit = (unsigned)(unsigned char)bytes[at] - '0';
        if (digit <= 9)
            digits = digits * 10 + digit;
        else if (bytes[at] == '.' && point == length)
            point = at;
        else
            return false;
    }
    bool has_point = point < length;
    int count = (int)(length - first - has_point), fraction = has_point ? (int)(length - point - 1) : 0;
    if (count == 0 || fraction > scale || count + scale - fraction > 18)
        return false;
    int64_t value = (int64_t)digits * (int64_t)powers[scale - fraction];
    if (value >= powers[precision])
        return false;
    *result = negative ? -value : value;
    return true;
}

bool decimal_parse(const char *bytes, size_t length, int precision, int scale, Int128 *result)
{
    trim(&bytes, &length);
    if (parse_small(bytes, length, precision, scale, result))
        return true;
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

/* All digits; the big ones in pieces of 18. */
static char *put_digits_128(char *out, unsigned __int128 value)
{
    const uint64_t unit = 1000000000000000000u;
    if (value <= UINT64_MAX)
        return put_digits(out, (uint64_t)value);
    char *at = put_digits_128(out, value / unit);
    uint64_t low = (uint64_t)(value % unit);
    at = put_six(at, (unsigned)(low / 1000000000000u));
    at = put_six(at, (unsigned)(low / 1000000u % 1000000u));
    return put_six(at, (unsigned)(low % 1000000u));
}

size_t decimal_format(Int128 value, int scale, char *out)
{
    char digits[48], *at = out;
    if (value < 0)
        *at++ = '-';
    int count = (int)(put_digits_128(digits, value < 0 ? -(unsigned __int128)value : (unsigned __int128)value) - digits);
    if (scale == 0) {
        memcpy(at, digits, (size_t)count);
        return (size_t)(at + count - out);
    }
    if (count > scale) {
        memcpy(at, digits, (size_t)(count - scale));
        at += count - scale;
    } else {
        *at++ = '0';
    }
    *at++ = '.';
    int zeros = count < scale ? scale - count : 0;
    memset(at, '0', (size_t)zeros);
    memcpy(at + zeros, digits + (count > scale ? count - scale : 0), (size_t)(scale - zeros));
    return (size_t)(at + scale - out);
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
    char *at = out;
    if (value < 0)
        *at++ = '-';
    return (size_t)(put_digits(at, value < 0 ? -(uint64_t)value : (uint64_t)value) - out);
}

bool int64_parse(const char *bytes, size_t length, int64_t *value)
{
    trim(&bytes, &length);
    size_t at = length && (*bytes == '-' || *bytes == '+');
    bool negative = at && *bytes == '-';
    if (at == length)
        return false;
    uint64_t number = 0;
    size_t safe = length < at + 18 ? length : at + 18; /* 18 digits cannot overflow */
    for (; at < safe; at++) {
        unsigned digit = (unsigned)(unsigned char)bytes[at] - '0';
        if (digit > 9)
            return false;
        number = number * 10 + digit;
    }
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

static const double exact_powers[] = { 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };

/* nan, inf, infinity, in any case and with a sign. */
static bool word_parse(const char *bytes, size_t length, double *number)
{
    static const struct { const char *name; double value; } words[] = { { "nan", NAN }, { "inf", INFINITY }, { "infinity", INFINITY } };
    bool is_signed = length && (*bytes == '-' || *bytes == '+'), negative = is_signed && *bytes == '-';
    bytes += is_signed;
    length -= is_signed;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i].name) == length && strncasecmp(bytes, words[i].name, length) == 0) {
            *number = negative ? -words[i].value : words[i].value;
            return true;
        }
    return false;
}

typedef struct Digits {
    uint64_t mantissa; /* the first 19 digits that count */
    int64_t exponent;  /* number = mantissa * 10^exponent, unless digits are left over */
    bool left_over;
} Digits;

/* [digits][.digits][e[+-]digits], the whole text. */
static bool read_digits(const char *at, const char *end, Digits *read)
{
    uint64_t mantissa = 0;
    int64_t exponent = 0;
    int digits = 0;
    bool point = false, any = false, left_over = false;
    for (; at < end; at++) {
        unsigned digit = (unsigned)(unsigned char)*at - '0';
        if (digit > 9) {
            if (*at != '.' || point)
                break;
            point = true;
            continue;
        }
        any = true;
        if (digits < 19) {
            mantissa = mantissa * 10 + digit;
            digits += mantissa > 0;
            exponent -= point;
        } else {
            left_over = true;
            exponent += !point;
        }
    }
    if (at < end && any && (*at | 0x20) == 'e') {
        int64_t given = 0;
        bool minus = ++at < end && *at == '-';
        at += at < end && (*at == '-' || *at == '+');
        const char *first = at;
        for (; at < end && *at >= '0' && *at <= '9'; at++)
            given = given < 100000000000 ? given * 10 + (*at - '0') : given;
        any = at > first;
        exponent += minus ? -given : given;
    }
    *read = (Digits){ mantissa, exponent, left_over };
    return any && at == end;
}

bool double_parse(const char *bytes, size_t length, double *number)
{
    Digits read;
    trim(&bytes, &length);
    bool is_signed = length && (*bytes == '-' || *bytes == '+');
    const char *digits = bytes + is_signed, *end = bytes + length;
    if (!read_digits(digits, end, &read))
        return word_parse(bytes, length, number);
    double size;
    /* Clinger's fast path: both factors exact, one rounding */
    if (!read.left_over && read.mantissa <= 1ull << 53 && read.exponent >= -22 && read.exponent <= 22)
        size = read.exponent < 0 ? (double)read.mantissa / exact_powers[-read.exponent] : (double)read.mantissa * exact_powers[read.exponent];
    else if (read.mantissa == 0)
        size = 0;
    else if (!nearest_double(digits, (size_t)(end - digits), &size))
        size = read.exponent > 0 ? INFINITY : 0;
    *number = is_signed && *bytes == '-' ? -size : size;
    return true;
}

/* Digits and exponent -> Java's form: plain between 1e-3 and 1e7, else d.dddE[-]n. The number is 0.DIGITS * 10^point. */
static char *java_form(char *at, const char *digits, int count, int point)
{
    if (point > -3 && point <= 0) {
        memcpy(at, "0.00", 4);
        at += 2 - point;
        memcpy(at, digits, (size_t)count);
        return at + count;
    }
    bool plain = point > 0 && point <= 7;
    int whole = plain ? point : 1;
    for (int i = 0; i < whole; i++)
        *at++ = i < count ? digits[i] : '0';
    *at++ = '.';
    if (count <= whole)
        *at++ = '0';
    for (int i = whole; i < count; i++)
        *at++ = digits[i];
    if (plain)
        return at;
    *at++ = 'E';
    return at + int64_format(point - 1, at);
}

/* Up to six decimals below 10^7, the everyday number: at most 13 digits, and of those only one text can
 * read back as this double. False if it is another one. */
static bool short_form(double magnitude, char **at)
{
    if (!(magnitude < 1e7))
        return false;
    uint64_t scaled = (uint64_t)(magnitude * 1e6 + 0.5);
    if ((scaled < 1000 && scaled != 0) || (double)scaled / 1e6 != magnitude)
        return false;
    unsigned fraction = (unsigned)(scaled % 1000000);
    char *end = put_digits(*at, scaled / 1000000);
    *end++ = '.';
    char *shortest = end + 1; /* one digit always */
    end = put_six(end, fraction);
    while (end > shortest && end[-1] == '0')
        end--;
    *at = end;
    return true;
}

static size_t format_number(double number, bool single, char *out)
{
    char digits[32], *at = out;
    int point;
    if (isnan(number)) {
        memcpy(out, "NaN", 3);
        return 3;
    }
    if (signbit(number))
        *at++ = '-';
    if (isinf(number)) {
        memcpy(at, "Infinity", 8);
        return (size_t)(at + 8 - out);
    }
    double magnitude = fabs(number);
    if ((!single || magnitude == 0) && short_form(magnitude, &at))
        return (size_t)(at - out);
    int count = shortest_digits(magnitude, single, digits, &point);
    return (size_t)(java_form(at, digits, count, point) - out);
}

size_t double_format(double number, char *out) { return format_number(number, false, out); }

/* The number counts as the nearest float, infinity and zero included. */
size_t float_format(double number, char *out) { return format_number((double)(float)number, true, out); }
