/* Dates and times against a day counter that only knows the lengths of months, and text against itself. */
#include "tests/unit/common/unit.h"

#include "common/calendar.h"

static bool is_leap(int64_t year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }
static int month_length(int64_t year, int month)
{
    return month == 2 ? 28 + is_leap(year) : month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

static void days_are_counted_one_by_one(void **state)
{
    (void)state;
    int64_t days = 0;
    int years[] = { 1970, 1970 };
    for (int direction = 0; direction < 2; direction++) { /* from 1970 up to 12000, down to -3000 */
        int64_t year = years[direction];
        int month = 1, day = 1;
        for (days = 0; direction ? year > -3000 : year < 12000;) {
            int y, m, d;
            civil_from_days(days, &y, &m, &d);
            if (y != year || m != month || d != day || days_from_civil(year, month, day) != days)
                fail_msg("day %lld is %lld-%d-%d, not %d-%d-%d", (long long)days, (long long)year, month, day, y, m, d);
            if (direction == 0) {
                days++;
                if (++day > month_length(year, month)) {
                    day = 1;
                    month = month % 12 + 1;
                    year += month == 1;
                }
            } else {
                days--;
                if (--day == 0) {
                    month = month == 1 ? 12 : month - 1;
                    year -= month == 12;
                    day = month_length(year, month);
                }
            }
        }
    }
}

static void months_have_their_lengths(void **state)
{
    (void)state;
    for (int64_t year = -1000; year < 3000; year++)
        for (int month = 1; month <= 12; month++)
            assert_int_equal(days_in_month(year, month), month_length(year, month));
    assert_int_equal(days_in_month(1900, 2), 28);
    assert_int_equal(days_in_month(2000, 2), 29);
    assert_int_equal(days_in_month(-4, 2), 29);
    assert_int_equal(days_in_month(-100, 2), 28);
    assert_int_equal(days_in_month(-400, 2), 29);
}

static void every_microsecond_is_a_civil_time(void **state)
{
    (void)state;
    static const int64_t edges[] = { 0, -1, 1, INT64_MAX, INT64_MIN, INT64_MIN + 1, US_PER_DAY, -US_PER_DAY, US_PER_DAY - 1, -US_PER_DAY - 1, 253402300799999999, -62135596800000000 };
    for (int round = 0; round < 300000; round++) {
        int64_t us = round < (int)COUNT(edges) ? edges[round] : (int64_t)random_bits() >> random_upto(40);
        CivilTime civil = civil_from_us(us);
        assert_in_range(civil.month, 1, 12);
        assert_in_range(civil.day, 1, month_length(civil.year, civil.month));
        assert_true(civil.hour >= 0 && civil.hour < 24 && civil.minute >= 0 && civil.minute < 60 && civil.second >= 0 && civil.second < 60);
        assert_true(civil.us >= 0 && civil.us < 1000000);
        assert_true(us_from_civil(&civil) == us);
    }
    CivilTime late = { .year = 400000, .month = 1, .day = 1 }, early = { .year = -400000, .month = 1, .day = 1 };
    assert_true(us_from_civil(&late) == INT64_MAX); /* stops at the ends */
    assert_true(us_from_civil(&early) == INT64_MIN);
}

static void floors_of_divisions(void **state)
{
    (void)state;
    static const int64_t numbers[] = { 0, 1, -1, 6, 7, 8, -6, -7, -8, INT64_MAX, INT64_MIN, INT64_MIN + 1 }, divisors[] = { 1, 2, 7, -7, 1000000, INT64_MAX };
    for (size_t i = 0; i < COUNT(numbers); i++)
        for (size_t j = 0; j < COUNT(divisors); j++) {
            __int128 q = floor_div(numbers[i], divisors[j]), r = floor_mod(numbers[i], divisors[j]), d = divisors[j];
            assert_true(q * d + r == numbers[i]);
            assert_true(r == 0 || (r < 0) == (d < 0));
            assert_true(d > 0 ? r < d : r > d);
        }
}

static void times_stop_at_their_ends(void **state)
{
    (void)state;
    assert_true(time_add(INT64_MAX - 5, 10) == INT64_MAX);
    assert_true(time_add(INT64_MIN + 5, -10) == INT64_MIN);
    assert_true(time_add(INT64_MAX, -10) == INT64_MAX); /* the end of input stays it */
    assert_true(time_add(INT64_MIN, 10) == INT64_MIN);
    assert_true(time_sub(INT64_MIN, 5) == INT64_MIN);
    assert_true(time_sub(INT64_MIN + 5, 10) == INT64_MIN);
    assert_true(time_sub(7, 10) == -3);
    assert_true(time_sub(0, INT64_MIN) == INT64_MAX);
}

static void months_are_added_and_days_clipped(void **state)
{
    (void)state;
    static const struct { const char *from; int64_t months; const char *to; } cases[] = {
        { "2024-01-31 12:34:56.789012", 1, "2024-02-29 12:34:56.789012" }, { "2023-01-31 00:00:00", 1, "2023-02-28 00:00:00" }, { "2024-03-31 00:00:00", -1, "2024-02-29 00:00:00" },
        { "2024-02-29 00:00:00", 12, "2025-02-28 00:00:00" }, { "2024-02-29 00:00:00", 48, "2028-02-29 00:00:00" }, { "2024-12-15 00:00:00", 1, "2025-01-15 00:00:00" },
        { "2024-01-15 00:00:00", -1, "2023-12-15 00:00:00" }, { "1970-01-01 00:00:00", -1, "1969-12-01 00:00:00" }, { "0000-01-01 00:00:00", -1, "-0001-12-01 00:00:00" },
        { "1969-12-31 23:59:59.999999", 2, "1970-02-28 23:59:59.999999" }, { "2000-01-01 00:00:00", 0, "2000-01-01 00:00:00" } };
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t from, to;
        assert_true(timestamp_parse(cases[i].from, strlen(cases[i].from), &from, NULL));
        assert_true(timestamp_parse(cases[i].to, strlen(cases[i].to), &to, NULL));
        if (add_months(from, cases[i].months) != to)
            fail_msg("%s plus %lld months", cases[i].from, (long long)cases[i].months);
    }
    for (int round = 0; round < 50000; round++) { /* month by month is the same where no day is clipped */
        CivilTime civil = { .year = (int)random_between(-9999, 9999), .month = (int)random_between(1, 12), .day = (int)random_between(1, 28), .us = (int)random_upto(999999) };
        int64_t us = us_from_civil(&civil), months = random_between(-5000, 5000);
        CivilTime moved = civil_from_us(add_months(us, months));
        assert_int_equal(moved.year * 12 + moved.month, civil.year * 12 + civil.month + months);
        assert_int_equal(moved.day, civil.day);
        assert_int_equal(moved.us, civil.us);
    }
    assert_true(add_months(0, INT64_MAX) == INT64_MAX && add_months(0, INT64_MIN) == INT64_MIN);
    assert_true(add_months(INT64_MAX, -1) == INT64_MAX && add_months(INT64_MIN, 1) == INT64_MIN);
    assert_true(add_months(INT64_MAX - 1, 1) == INT64_MAX && add_months(INT64_MIN + 1, -1) == INT64_MIN);
}

static void timestamps_survive_their_text(void **state)
{
    (void)state;
    static const int64_t units[] = { US_PER_SECOND, 100000, 10000, 1000, 100, 10, 1 };
    static const int64_t edges[] = { INT64_MAX, INT64_MIN, 0, -1, 253402300799999999 /* 9999 */, 253402300800000000, -62167219200000000 /* 0000-01-01 */, -62167219200000001 };
    for (int round = 0; round < 300000; round++) {
        int64_t us = round < (int)COUNT(edges) ? edges[round] : (int64_t)random_bits() >> random_upto(30), back, cut;
        int digits = (int)random_upto(6);
        char text[CALENDAR_TEXT], iso[CALENDAR_TEXT];
        bool zoned;
        size_t length = timestamp_format(us, digits, text);
        assert_in_range(length, digits ? 20 + digits : 19, CALENDAR_TEXT);
        if (__builtin_sub_overflow(us, floor_mod(us, units[digits]), &cut))
            continue; /* the first second of the range has no text of its own */
        assert_true(timestamp_parse(text, length, &back, &zoned));
        if (back != cut || zoned)
            fail_msg("%.*s is %lld, not %lld", (int)length, text, (long long)back, (long long)cut);
        length = timestamp_format_iso(us, digits, iso);
        assert_int_equal(iso[length - 1], 'Z');
        assert_true(timestamp_parse(iso, length, &back, &zoned));
        assert_true(back == cut && zoned);
        length = date_format(floor_div(us, US_PER_DAY), text);
        assert_true(date_parse(text, length, &back) && back == floor_div(us, US_PER_DAY));
        length = time_format(floor_mod(us, US_PER_DAY), 6, text);
        assert_int_equal(length, 15);
        assert_true(time_parse(text, length, &back) && back == floor_mod(us, US_PER_DAY));
    }
}

static void texts_that_are_timestamps(void **state)
{
    (void)state;
    static const struct { const char *text, *is; bool zoned; } cases[] = {
        { "2026-01-02", "2026-01-02 00:00:00.000000", false },
        { "2026-01-02 03:04", "2026-01-02 03:04:00.000000", false },
        { "2026-01-02T03:04:05", "2026-01-02 03:04:05.000000", false },
        { "2026-01-02t03:04:05z", "2026-01-02 03:04:05.000000", true },
        { "2026-01-02 03:04:05.1", "2026-01-02 03:04:05.100000", false },
        { "2026-01-02 03:04:05,123", "2026-01-02 03:04:05.123000", false },
        { "2026-01-02 03:04:05.123456", "2026-01-02 03:04:05.123456", false },
        { "2026-01-02 03:04:05.123456999", "2026-01-02 03:04:05.123456", false }, /* cut, not rounded */
        { "1969-12-31 23:59:59.9999999", "1969-12-31 23:59:59.999999", false },
        { "2026-01-02T03:04:05.5Z", "2026-01-02 03:04:05.500000", true },
        { "2026-01-02 03:04:05+01", "2026-01-02 02:04:05.000000", true },
        { "2026-01-02 03:04:05-0130", "2026-01-02 04:34:05.000000", true },
        { "2026-01-02 03:04:05.250 +05:45", "2026-01-01 21:19:05.250000", true },
        { "2026-01-01 00:00+18:00", "2025-12-31 06:00:00.000000", true },
        { "  2026-01-02 03:04:05\t", "2026-01-02 03:04:05.000000", false },
        { "0000-01-01 00:00:00.000", "0000-01-01 00:00:00.000000", false },
        { "9999-12-31 23:59:59.999999", "9999-12-31 23:59:59.999999", false },
        { "+10000-01-01 00:00:00", "+10000-01-01 00:00:00.000000", false },
        { "-0044-03-15 12:00:00", "-0044-03-15 12:00:00.000000", false },
        { "2024-02-29 00:00:00.000", "2024-02-29 00:00:00.000000", false },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t us;
        bool zoned = !cases[i].zoned;
        char text[CALENDAR_TEXT];
        if (!timestamp_parse(cases[i].text, strlen(cases[i].text), &us, &zoned))
            fail_msg("'%s' was refused", cases[i].text);
        assert_text(text, timestamp_format(us, 6, text), cases[i].is);
        assert_int_equal(zoned, cases[i].zoned);
    }
}

static void texts_that_are_none(void **state)
{
    (void)state;
    static const char *const wrong[] = { "", " ", "2026", "2026-01", "2026-1-02", "2026-01-2", "2026-13-01", "2026-00-01", "2026-01-00", "2026-01-32", "2026-02-29", "1900-02-29", "2023-02-29 00:00:00",
        "2026-04-31", "26-01-01", "12026-01-01", "2026/01/01", "2026-01-01 24:00:00", "2026-01-01 00:60:00", "2026-01-01 00:00:60", "2026-01-01 00:00:00.", "2026-01-01 00:00:00.1234567890",
        "2026-01-01 00:00:0", "2026-01-01 0:00:00", "2026-01-01 00", "2026-01-01  00:00:00", "2026-01-01_00:00:00", "2026-01-01 00:00:00+", "2026-01-01 00:00:00+1", "2026-01-01 00:00:00+19", "2026-01-01 00:00:00+01:60",
        "2026-01-01 00:00:00+01:0", "2026-01-01 00:00:00ZZ", "2026-01-01 00:00:00 UTC", "2026-01-01T", "2026-01-01Z", "2026-01-01 00:00:00.000x", "x026-01-01 00:00:00", "2026-01-01 00:00:00.00/",
        "2026-01-01 00:00:00.00:", "-2026-01-01-", "+1234567-01-01", "\xff\xff\xff\xff-01-01 00:00:00", "2026-01-01 00:00:00.\xb0\xb0\xb0", "+999999-01-01 00:00:00" };
    int64_t us;
    for (size_t i = 0; i < COUNT(wrong); i++)
        if (timestamp_parse(wrong[i], strlen(wrong[i]), &us, NULL))
            fail_msg("'%s' was read as a timestamp", wrong[i]);
    static const char *const wrong_dates[] = { "", "2026-01-01 00:00", "2026-02-30", "2026-01-01x", "01-01-2026" }, *const wrong_times[] = { "", "1:00", "25:00", "12:61", "12:00:61", "12:00:00.", "12", "12:00Z", "12:00:00.1x" };
    for (size_t i = 0; i < COUNT(wrong_dates); i++)
        assert_false(date_parse(wrong_dates[i], strlen(wrong_dates[i]), &us));
    for (size_t i = 0; i < COUNT(wrong_times); i++)
        assert_false(time_parse(wrong_times[i], strlen(wrong_times[i]), &us));
    assert_true(time_parse("23:59", 5, &us) && us == 86340 * US_PER_SECOND);
    assert_true(time_parse("00:00:00,5", 10, &us) && us == 500000);
    assert_true(date_parse(" 1969-12-31 ", 12, &us) && us == -1);
    char text[CALENDAR_TEXT];
    assert_text(text, time_format(-1, 6, text), "23:59:59.999999"); /* within its day, whatever comes */
    assert_text(text, time_format(3 * US_PER_DAY + 1, 0, text), "00:00:00");
}

/* The common shapes are read eight bytes at a time; a blank in front takes the long way. Both must say the same of any text. */
static void both_ways_of_reading_agree(void **state)
{
    (void)state;
    static const char *const seeds[] = { "2026-01-02 03:04:05", "2024-02-29T23:59:59.999", "1999-12-31 23:59:59.123456", "2026-10-30T03:04:05.123Z", "0000-01-01 00:00:00Z" };
    static const char bytes[] = "0123456789:-. TtZz/+,;\x80\xb0\xff";
    int read = 0;
    for (int round = 0; round < 400000; round++) {
        char text[40] = " ";
        const char *seed = seeds[random_upto(COUNT(seeds) - 1)];
        size_t length = strlen(seed);
        memcpy(text + 1, seed, length);
        for (uint64_t changes = random_upto(3); changes; changes--)
            text[1 + random_upto(length - 1)] = random_upto(2) ? (char)('0' + random_upto(9)) : bytes[random_upto(sizeof bytes - 2)];
        int64_t fast = 1, slow = 2;
        bool fast_zoned = false, slow_zoned = false;
        bool fast_is = timestamp_parse(text + 1, length, &fast, &fast_zoned), slow_is = timestamp_parse(text, length + 1, &slow, &slow_zoned);
        if (fast_is != slow_is || (fast_is && (fast != slow || fast_zoned != slow_zoned)))
            fail_msg("'%s': %d %lld and %d %lld", text + 1, fast_is, (long long)fast, slow_is, (long long)slow);
        read += fast_is;
    }
    assert_in_range(read, 50000, 390000); /* neither all nor none */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(days_are_counted_one_by_one),
        cmocka_unit_test(months_have_their_lengths),
        cmocka_unit_test(every_microsecond_is_a_civil_time),
        cmocka_unit_test(floors_of_divisions),
        cmocka_unit_test(times_stop_at_their_ends),
        cmocka_unit_test(months_are_added_and_days_clipped),
        cmocka_unit_test(timestamps_survive_their_text),
        cmocka_unit_test(texts_that_are_timestamps),
        cmocka_unit_test(texts_that_are_none),
        cmocka_unit_test(both_ways_of_reading_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
