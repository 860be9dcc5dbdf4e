/* DECIMAL, BIGINT and DOUBLE as text and back. The oracle for decimals works on strings of digits, not on binary numbers. */
#include "tests/unit/common/unit.h"

#include <math.h>

#include "common/decimal.h"
#include "common/digits.h"
#include "common/shortest.h"

/* ---- the oracle: a sign and digits ---- */

enum { ORACLE_DIGITS = 400 };

typedef struct Oracle {
    bool negative, fits;
    char digits[ORACLE_DIGITS]; /* without leading zeros; "0" for zero */
} Oracle;

/* Text of digits times 10^power, rounded half away from zero to a whole number of at most `precision` digits. */
static Oracle oracle_scaled(bool negative, const char *digits, long power, int precision)
{
    Oracle oracle = { .negative = negative };
    char whole[ORACLE_DIGITS];
    long length = (long)strlen(digits), kept = length + power; /* digits before the point */
    long at = 0;
    if (kept > 200) { /* far too large, unless it is zero */
        oracle.fits = strspn(digits, "0") == (size_t)length;
        strcpy(oracle.digits, "0");
        return oracle;
    }
    whole[at++] = '0'; /* room for a carry */
    for (long i = 0; i < kept; i++)
        whole[at++] = i < length ? digits[i] : '0';
    whole[at] = 0;
    if (kept >= 0 && kept < length && digits[kept] >= '5') {
        long carry = at - 1;
        while (whole[carry] == '9')
            whole[carry--] = '0';
        whole[carry]++;
    }
    size_t zeros = strspn(whole, "0");
    strcpy(oracle.digits, whole[zeros] ? whole + zeros : "0");
    oracle.fits = (int)strlen(oracle.digits) <= precision || strcmp(oracle.digits, "0") == 0;
    return oracle;
}

static void oracle_of_int128(Int128 value, char *digits)
{
    char reversed[64];
    int count = 0;
    unsigned __int128 size = value < 0 ? -(unsigned __int128)value : (unsigned __int128)value;
    do {
        reversed[count++] = (char)('0' + (int)(size % 10));
        size /= 10;
    } while (size);
    for (int i = 0; i < count; i++)
        digits[i] = reversed[count - 1 - i];
    digits[count] = 0;
}

static void assert_is(Int128 value, const Oracle *oracle, const char *text, int precision, int scale)
{
    char digits[64];
    oracle_of_int128(value, digits);
    bool negative = oracle->negative && strcmp(oracle->digits, "0") != 0;
    if (strcmp(digits, oracle->digits) != 0 || (value < 0) != negative)
        fail_msg("'%s' as DECIMAL(%d,%d): %s%s instead of %s%s", text, precision, scale, value < 0 ? "-" : "", digits, negative ? "-" : "", oracle->digits);
}

/* ---- decimals ---- */

static Int128 random_decimal(void)
{
    int digits = (int)random_upto(38);
    Int128 value = 0;
    for (int i = 0; i < digits; i++)
        value = value * 10 + (int)random_upto(9);
    return random_bits() & 1 ? -value : value;
}

static void powers_are_powers(void **state)
{
    (void)state;
    Int128 power = 1;
    for (int i = 0; i <= DECIMAL_MAX_PRECISION; i++, power *= i <= DECIMAL_MAX_PRECISION ? 10 : 1) {
        assert_true(decimal_power(i) == power);
        assert_true(decimal_fits(power - 1, i));
        assert_true(decimal_fits(1 - power, i));
        assert_false(decimal_fits(power, i));
        assert_false(decimal_fits(-power, i));
    }
}

static void text_is_read_as_the_oracle_reads_it(void **state)
{
    (void)state;
    for (int round = 0; round < 200000; round++) {
        char text[160], digits[128];
        int at = 0, count = 0, fraction = 0, wanted = 1 + (int)random_upto(random_upto(3) ? 20 : 60), point = random_upto(2) ? (int)random_upto((uint64_t)wanted) : -1;
        int sign = (int)random_upto(3), precision = 1 + (int)random_upto(37), scale = (int)random_upto((uint64_t)precision);
        long exponent = 0;
        uint64_t style = random_upto(3); /* all digits; nines; a five and zeros; leading zeros */
        if (sign < 2)
            text[at++] = sign ? '-' : '+';
        for (int i = 0; i < wanted; i++) {
            if (i == point)
                text[at++] = '.';
            int digit = style == 1 ? 9 - (random_upto(20) == 0) : style == 2 ? 5 * (i == wanted / 2) : style == 3 && i < wanted / 2 ? 0 : (int)random_upto(9);
            text[at++] = digits[count++] = (char)('0' + digit);
            fraction += point >= 0 && i >= point;
        }
        digits[count] = 0;
        if (random_upto(2) == 0) {
            exponent = random_between(-70, 70);
            at += sprintf(text + at, "%c%s%ld", random_upto(1) ? 'e' : 'E', exponent >= 0 && random_upto(1) ? "+" : "", exponent);
        }
        text[at] = 0;
        Oracle oracle = oracle_scaled(sign == 1, digits, scale - fraction + exponent, precision);
        Int128 value = 77;
        bool fits = decimal_parse(text, (size_t)at, precision, scale, &value);
        if (fits != oracle.fits)
            fail_msg("'%s' as DECIMAL(%d,%d): %s", text, precision, scale, fits ? "read, though it does not fit" : "refused");
        if (fits)
            assert_is(value, &oracle, text, precision, scale);
    }
}

static void decimals_survive_their_text(void **state)
{
    (void)state;
    for (int round = 0; round < 100000; round++) {
        Int128 value = random_decimal(), back;
        int scale = (int)random_upto(38);
        static const char zeros[] = "00000000000000000000000000000000000000";
        char text[64], digits[64], expected[128];
        size_t length = decimal_format(value, scale, text);
        assert_in_range(length, 1, 42);
        oracle_of_int128(value, digits);
        int count = (int)strlen(digits);
        if (count <= scale) /* 0.00ddd */
            snprintf(expected, sizeof expected, "%s0%s%.*s%s", value < 0 ? "-" : "", scale ? "." : "", scale - count, zeros, scale ? digits : "");
        else
            snprintf(expected, sizeof expected, "%s%.*s%s%s", value < 0 ? "-" : "", count - scale, digits, scale ? "." : "", digits + count - scale);
        assert_text(text, length, expected);
        assert_true(decimal_parse(text, length, 38, scale, &back));
        assert_true(back == value);
    }
}

static void scales_change_with_rounding_half_away(void **state)
{
    (void)state;
    for (int round = 0; round < 100000; round++) {
        Int128 value = random_decimal(), result;
        int from = (int)random_upto(38), to = (int)random_upto(38);
        char digits[64];
        oracle_of_int128(value, digits);
        Oracle oracle = oracle_scaled(value < 0, digits, to - from, DECIMAL_MAX_PRECISION);
        bool fits = decimal_rescale(value, from, to, &result);
        assert_int_equal(fits, oracle.fits);
        if (fits)
            assert_is(result, &oracle, digits, from, to);
    }
    Int128 result;
    assert_true(decimal_rescale(5, 1, 0, &result) && result == 1);
    assert_true(decimal_rescale(-5, 1, 0, &result) && result == -1);
    assert_true(decimal_rescale(-4, 1, 0, &result) && result == 0);
    assert_true(decimal_rescale(decimal_power(38) - 1, 38, 0, &result) && result == 1);
    assert_true(decimal_rescale(0, 0, 38, &result) && result == 0);
    assert_false(decimal_rescale(1, 0, 38, &result)); /* 39 digits */
    assert_true(decimal_rescale(9, 0, 37, &result) && result == 9 * decimal_power(37));
    assert_false(decimal_rescale(10, 0, 37, &result));
}

static void no_numbers_are_refused(void **state)
{
    (void)state;
    static const char *const texts[] = { "", " ", "-", "+", ".", "-.", "e5", "1e", "1e+", "1e-", "1.2.3", "--1", "+-1", "1 2", "1x", "0x10", "nan", "inf", "1,5", "١", "1e5.0", "1\n", "1e1x" };
    Int128 value;
    for (size_t i = 0; i < COUNT(texts); i++)
        if (decimal_parse(texts[i], strlen(texts[i]), 38, 10, &value))
            fail_msg("'%s' was read as a number", texts[i]);
    assert_false(decimal_parse("1\0" "2", 3, 38, 0, &value));
    assert_true(decimal_parse(" \t-7 ", 5, 38, 0, &value) && value == -7);
    assert_true(decimal_parse(".5", 2, 38, 1, &value) && value == 5);
    assert_true(decimal_parse("5.", 2, 38, 1, &value) && value == 50);
    assert_true(decimal_parse("0e999999999999", 14, 38, 1, &value) && value == 0);
    assert_false(decimal_parse("1e999999999999", 14, 38, 1, &value));
    assert_true(decimal_parse("1e-999999999999", 15, 38, 1, &value) && value == 0);
    assert_true(decimal_parse("99999999999999999999999999999999999999", 38, 38, 0, &value) && value == decimal_power(38) - 1);
    assert_false(decimal_parse("99999999999999999999999999999999999999.5", 40, 38, 0, &value)); /* rounds to 39 digits */
    assert_false(decimal_parse("9.995", 5, 3, 2, &value));
    assert_true(decimal_parse("9.9949", 6, 3, 2, &value) && value == 999);
}

static void decimals_become_the_nearest_double(void **state)
{
    (void)state;
    for (int round = 0; round < 50000; round++) {
        Int128 value = random_decimal();
        int scale = (int)random_upto(38);
        char text[64];
        text[decimal_format(value, scale, text)] = 0;
        double expected = strtod(text, NULL), number = decimal_to_double(value, scale);
        if (number != expected)
            fail_msg("%s: %.17g instead of %.17g", text, number, expected);
    }
}

static void doubles_become_the_decimal_that_they_print(void **state)
{
    (void)state;
    Int128 value;
    assert_true(decimal_from_double(0.1, 38, 20, &value) && value == decimal_power(19)); /* 0.1, not 0.1000000000000000055 */
    assert_true(decimal_from_double(-2.5, 5, 0, &value) && value == -3);
    assert_true(decimal_from_double(1e-300, 38, 38, &value) && value == 0);
    assert_true(decimal_from_double(1e37, 38, 0, &value) && value == decimal_power(37));
    assert_false(decimal_from_double(1e38, 38, 0, &value));
    assert_false(decimal_from_double(NAN, 38, 0, &value));
    assert_false(decimal_from_double(INFINITY, 38, 0, &value));
    assert_false(decimal_from_double(1000, 3, 0, &value));
}

/* ---- integers ---- */

static void integers_survive_their_text(void **state)
{
    (void)state;
    static const int64_t edges[] = { 0, 1, -1, 9, 10, 99, 100, INT64_MAX, INT64_MIN, INT64_MAX - 1, INT64_MIN + 1, INT32_MAX, INT32_MIN };
    for (int round = 0; round < 200000; round++) {
        int64_t value = round < (int)COUNT(edges) ? edges[round] : (int64_t)random_bits() >> random_upto(63), back;
        char text[32], expected[32];
        size_t length = int64_format(value, text);
        snprintf(expected, sizeof expected, "%lld", (long long)value);
        assert_text(text, length, expected);
        assert_true(int64_parse(text, length, &back));
        assert_true(back == value);
        uint64_t size = (uint64_t)value;
        assert_int_equal(digit_count(size), snprintf(expected, sizeof expected, "%llu", (unsigned long long)size));
        assert_text(text, (size_t)(put_digits(text, size) - text), expected);
    }
}

static void integers_know_their_limits(void **state)
{
    (void)state;
    static const char *const wrong[] = { "", " ", "-", "+", "1.0", "1e3", "0x1", "9223372036854775808", "-9223372036854775809", "18446744073709551616",
        "99999999999999999999999", "1 2", "--1", "1-", "\xD9\xA1", "12a", "a12", "1234567890123456789012a" };
    int64_t value;
    for (size_t i = 0; i < COUNT(wrong); i++)
        if (int64_parse(wrong[i], strlen(wrong[i]), &value))
            fail_msg("'%s' was read as an integer", wrong[i]);
    assert_true(int64_parse("9223372036854775807", 19, &value) && value == INT64_MAX);
    assert_true(int64_parse("-9223372036854775808", 20, &value) && value == INT64_MIN);
    static const char zeros[] = "+0000000000000000000000000000000000042";
    assert_true(int64_parse(zeros, strlen(zeros), &value) && value == 42);
    assert_true(int64_parse("\t-0 ", 4, &value) && value == 0);
    for (unsigned i = 0; i < 1000000; i += 7) {
        char six[7], expected[16];
        put_six(six, i);
        snprintf(expected, sizeof expected, "%06u", i);
        assert_memory_equal(six, expected, 6);
    }
}

/* ---- doubles ---- */

static double random_double(void)
{
    double number;
    uint64_t bits = random_bits();
    switch (random_upto(4)) {
    case 0: return (double)(int64_t)(random_bits() >> random_upto(63)) / pow(10, (double)random_upto(10)); /* everyday numbers */
    case 1: bits &= ~0ull << random_upto(51); break;                                                        /* few bits */
    case 2: bits &= 0x800FFFFFFFFFFFFFull >> random_upto(40) | 1ull << 63; break;                           /* subnormal */
    default: break;
    }
    memcpy(&number, &bits, 8);
    return isfinite(number) ? number : 1.5;
}

static int significant_digits(const char *text, size_t length)
{
    int count = 0, zeros = 0;
    for (size_t i = 0; i < length && text[i] != 'E'; i++)
        if (text[i] >= '0' && text[i] <= '9' && (count || text[i] != '0')) {
            count++;
            zeros = text[i] == '0' ? zeros + 1 : 0;
        }
    return count - zeros;
}

static void doubles_survive_their_text_and_none_is_shorter(void **state)
{
    (void)state;
    for (int round = 0; round < 200000; round++) {
        double number = random_double(), back;
        char text[40], shorter[40];
        size_t length = double_format(number, text);
        assert_in_range(length, 3, 31);
        text[length] = 0;
        assert_true(double_parse(text, length, &back));
        if (memcmp(&back, &number, 8) != 0 || strtod(text, NULL) != number)
            fail_msg("%.17g printed as %s", number, text);
        int digits = significant_digits(text, length);
        assert_in_range(digits, 0, 17);
        if (digits < 2 || fabs(number) < 1e-321)
            continue;
        snprintf(shorter, sizeof shorter, "%.*e", digits - 2, number);
        if (strtod(shorter, NULL) == number)
            fail_msg("%s is longer than %s", text, shorter);
    }
}

static void floats_survive_their_text(void **state)
{
    (void)state;
    for (int round = 0; round < 100000; round++) {
        uint32_t bits = (uint32_t)random_bits();
        float number;
        memcpy(&number, &bits, 4);
        if (!isfinite(number))
            continue;
        char text[40];
        size_t length = float_format((double)number, text);
        text[length] = 0;
        float back = strtof(text, NULL);
        assert_memory_equal(&back, &number, 4);
        assert_in_range(significant_digits(text, length), 0, 9);
    }
    char text[40];
    assert_text(text, float_format((double)0.1f, text), "0.1");
    assert_text(text, float_format(1e300, text), "Infinity");
}

static void doubles_look_as_in_java(void **state)
{
    (void)state;
    static const struct { double number; const char *text; } cases[] = { { 0, "0.0" }, { -0.0, "-0.0" }, { 1, "1.0" }, { -1.5, "-1.5" }, { 100, "100.0" }, { 0.001, "0.001" },
        { 0.00099, "9.9E-4" }, { 9999999, "9999999.0" }, { 1e7, "1.0E7" }, { 12345678, "1.2345678E7" }, { 1e10, "1.0E10" }, { 1.7976931348623157e308, "1.7976931348623157E308" },
        { 5e-324, "4.9E-324" }, { -1e-323, "-9.9E-324" }, { 2e-323, "2.0E-323" }, { 1e-322, "9.9E-323" }, { 1e-321, "1.0E-321" }, { 2e23, "2.0E23" }, /* a second digit where it comes nearer */
        { 2.2250738585072014e-308, "2.2250738585072014E-308" }, { 1e-5, "1.0E-5" }, { 1.234e-5, "1.234E-5" }, { 9999999.999999998, "9999999.999999998" }, { 1e21, "1.0E21" },
        { 0.1 + 0.2, "0.30000000000000004" }, { 123456.789012, "123456.789012" }, { 1e-7, "1.0E-7" }, { NAN, "NaN" }, { INFINITY, "Infinity" },
        { -INFINITY, "-Infinity" }, { 2e-3, "0.002" }, { 1234567.1234567, "1234567.1234567" } };
    char text[40];
    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t length = double_format(cases[i].number, text);
        assert_text(text, length, cases[i].text);
    }
}

static void doubles_are_read_as_strtod_reads_them(void **state)
{
    (void)state;
    for (int round = 0; round < 200000; round++) {
        char text[128];
        int at = 0, digits = 1 + (int)random_upto(random_upto(1) ? 19 : 60), point = (int)random_upto((uint64_t)digits);
        if (random_upto(3) == 0)
            text[at++] = "+-"[random_upto(1)];
        for (int i = 0; i < digits; i++) {
            if (i == point && random_upto(2))
                text[at++] = '.';
            text[at++] = (char)('0' + random_upto(9));
        }
        if (random_upto(1))
            at += sprintf(text + at, "e%d", (int)random_between(-340, 320));
        text[at] = 0;
        double number, expected = strtod(text, NULL);
        assert_true(double_parse(text, (size_t)at, &number));
        if (memcmp(&number, &expected, 8) != 0)
            fail_msg("%s: %.17g instead of %.17g", text, number, expected);
    }
}

static void words_and_limits_of_doubles(void **state)
{
    (void)state;
    double number;
    static const char *const wrong[] = { "", " ", "+", "-", ".", "e1", "1e", "1e+", "1.2.3", "infin", "nano", "in", "1 2", "0x1p3", "1f", "--1", "- 1" };
    for (size_t i = 0; i < COUNT(wrong); i++)
        if (double_parse(wrong[i], strlen(wrong[i]), &number))
            fail_msg("'%s' was read as %g", wrong[i], number);
    assert_true(double_parse("NaN", 3, &number) && isnan(number));
    assert_true(double_parse("-Infinity", 9, &number) && number == -INFINITY);
    assert_true(double_parse("+inf", 4, &number) && number == INFINITY);
    assert_true(double_parse("1e400", 5, &number) && number == INFINITY);
    assert_true(double_parse("-1e400", 6, &number) && number == -INFINITY);
    assert_true(double_parse("1e-400", 6, &number) && number == 0);
    assert_true(double_parse("-1e-400", 7, &number) && number == 0 && signbit(number));
    assert_true(double_parse("1e99999999999999999999", 22, &number) && number == INFINITY);
    assert_true(double_parse("0e99999999999999999999", 22, &number) && number == 0);
    assert_true(double_parse(" 2.5\t", 5, &number) && number == 2.5);
    char many[2001]; /* 0.000..01 e1999 = 1, and 1 with as many zeros e-.. */
    memset(many, '0', sizeof many);
    many[1] = '.';
    memcpy(many + 1990, "1e1989", 6);
    assert_true(double_parse(many, 1996, &number) && number == 1);
}

static void digits_and_point_of_the_shortest_form(void **state)
{
    (void)state;
    char digits[32];
    int point;
    assert_int_equal(shortest_digits(123.25, false, digits, &point), 5);
    assert_memory_equal(digits, "12325", 5);
    assert_int_equal(point, 3);
    assert_int_equal(shortest_digits(0.05, false, digits, &point), 1);
    assert_int_equal(digits[0], '5');
    assert_int_equal(point, -1);
    assert_int_equal(shortest_digits(1.1, true, digits, &point), 2);
    double number;
    assert_false(nearest_double("1e999", 5, &number));
    assert_true(nearest_double("17.5", 4, &number) && number == 17.5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(powers_are_powers),
        cmocka_unit_test(text_is_read_as_the_oracle_reads_it),
        cmocka_unit_test(decimals_survive_their_text),
        cmocka_unit_test(scales_change_with_rounding_half_away),
        cmocka_unit_test(no_numbers_are_refused),
        cmocka_unit_test(decimals_become_the_nearest_double),
        cmocka_unit_test(doubles_become_the_decimal_that_they_print),
        cmocka_unit_test(integers_survive_their_text),
        cmocka_unit_test(integers_know_their_limits),
        cmocka_unit_test(doubles_survive_their_text_and_none_is_shorter),
        cmocka_unit_test(floats_survive_their_text),
        cmocka_unit_test(doubles_look_as_in_java),
        cmocka_unit_test(doubles_are_read_as_strtod_reads_them),
        cmocka_unit_test(words_and_limits_of_doubles),
        cmocka_unit_test(digits_and_point_of_the_shortest_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
