/* Timestamps by a pattern: what is read, what is refused, and that writing and reading fit each other. */
#include "tests/unit/common/unit.h"

#include "common/calendar.h"
#include "common/timestamp_pattern.h"

static Arena arena;

static const TimestampPattern *pattern_of(const char *text)
{
    const TimestampPattern *pattern;
    assert_fine(timestamp_pattern_new(&arena, text, &pattern));
    return pattern;
}

static int start(void **state)
{
    (void)state;
    arena_init(&arena, NULL);
    return 0;
}
static int stop(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

static void patterns_read(void **state)
{
    (void)state;
    static const struct { const char *pattern, *text, *is; } cases[] = {
        { "yyyy-MM-dd'T'HH:mm:ss.SSSX", "2026-03-04T05:06:07.089Z", "2026-03-04 05:06:07.089000" },
        { "yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "2026-03-04T05:06:07.089+02:00", "2026-03-04 03:06:07.089000" },
        { "dd/MMM/yyyy:HH:mm:ss Z", "10/Oct/2000:13:55:36 -0700", "2000-10-10 20:55:36.000000" },
        { "EEE, dd MMM yyyy HH:mm:ss z", "Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06 08:49:37.000000" },
        { "EEEE d MMMM y", "Sunday 6 november 1994", "1994-11-06 00:00:00.000000" },
        { "yyyyMMddHHmmss", "20260304050607", "2026-03-04 05:06:07.000000" },
        { "yy-M-d H:m:s", "26-3-4 5:6:7", "2026-03-04 05:06:07.000000" },
        { "MM/dd/yyyy hh:mm a", "03/04/2026 12:05 AM", "2026-03-04 00:05:00.000000" },
        { "MM/dd/yyyy hh:mm a", "03/04/2026 12:05 pm", "2026-03-04 12:05:00.000000" },
        { "yyyy-DDD", "2024-366", "2024-12-31 00:00:00.000000" },
        { "kk:mm", "24:30", "1970-01-01 00:30:00.000000" },
        { "K a", "11 PM", "1970-01-01 23:00:00.000000" },
        { "yyyy-MM-dd[ HH:mm[:ss]]", "2026-03-04", "2026-03-04 00:00:00.000000" },
        { "yyyy-MM-dd[ HH:mm[:ss]]", "2026-03-04 05:06", "2026-03-04 05:06:00.000000" },
        { "yyyy-MM-dd[ HH:mm[:ss]]", "2026-03-04 05:06:07", "2026-03-04 05:06:07.000000" },
        { "'at' yyyy 'o''clock'", "at 2026 o'clock", "2026-01-01 00:00:00.000000" },
        { "ss.SSSSSSSSS", "01.123456789", "1970-01-01 00:00:01.123456" },
        { "ss.S", "01.9", "1970-01-01 00:00:01.900000" },
        { "s n", "1 5000", "1970-01-01 00:00:01.000005" },
        { "uuuu", "-0044", "-0044-01-01 00:00:00.000000" },
        { "HHx", "05+0530", "1969-12-31 23:30:00.000000" },
        { "iso", "2026-03-04T05:06:07Z", "2026-03-04 05:06:07.000000" },
        { "epoch_s", "1.5", "1970-01-01 00:00:01.500000" },
        { "epoch_ms", "-1", "1969-12-31 23:59:59.999000" },
        { "EPOCH_US", "1e6", "1970-01-01 00:00:01.000000" },
        { "epoch", "1700000000", "2023-11-14 22:13:20.000000" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t us;
        char text[CALENDAR_TEXT];
        if (!timestamp_pattern_parse(pattern_of(cases[i].pattern), cases[i].text, strlen(cases[i].text), &us))
            fail_msg("'%s' was refused by %s", cases[i].text, cases[i].pattern);
        assert_text(text, timestamp_format(us, 6, text), cases[i].is);
    }
}

static void patterns_refuse(void **state)
{
    (void)state;
    static const struct { const char *pattern, *text; } cases[] = {
        { "yyyy-MM-dd", "2026-02-29" }, { "yyyy-MM-dd", "2026-3-04" }, { "yyyy-MM-dd", "2026-13-01" }, { "yyyy-MM-dd", "2026-00-01" }, { "yyyy-MM-dd", "2026-01-00" }, { "yyyy-MM-dd", "2026-01-01 " },
        { "yyyy-MM-dd", "2026-01" }, { "yyyy-MM-dd", "" }, { "HH:mm", "24:00" }, { "HH:mm", "23:60" }, { "hh a", "13 AM" }, { "hh a", "00 AM" }, { "kk", "00" }, { "kk", "25" }, { "hh a", "11 XM" },
        { "MMM", "Foo" }, { "MMMM", "Jan" }, { "EEE", "Xyz" }, { "yyyy-DDD", "2023-366" }, { "yyyy-DDD", "2023-000" }, { "ss.SSS", "01.12" }, { "ss.SSS", "01.1234" }, { "HHX", "05" }, { "HHX", "05+1:" },
        { "HHX", "05+19" }, { "HHx", "05Z" }, { "'x'", "y" }, { "yyyy", "202" }, { "iso", "yesterday" }, { "epoch_ms", "soon" }, { "epoch_s", "1e30" }, { "epoch_us", "9223372036854775808" },
    };
    int64_t us;
    for (size_t i = 0; i < COUNT(cases); i++)
        if (timestamp_pattern_parse(pattern_of(cases[i].pattern), cases[i].text, strlen(cases[i].text), &us))
            fail_msg("'%s' was read by %s", cases[i].text, cases[i].pattern);
}

static void patterns_that_are_wrong_say_why(void **state)
{
    (void)state;
    const TimestampPattern *pattern;
    assert_error(timestamp_pattern_new(&arena, "", &pattern), "empty");
    assert_error(timestamp_pattern_new(&arena, "yyyyTHH", &pattern), "'T'");
    assert_error(timestamp_pattern_new(&arena, "yyyy 'at", &pattern), "quote");
    assert_error(timestamp_pattern_new(&arena, "yyyy[MM", &pattern), "'['");
    assert_error(timestamp_pattern_new(&arena, "yyyy]MM", &pattern), "']'");
    assert_error(timestamp_pattern_new(&arena, "SSSSSSSSSS", &pattern), "9 digits");
    assert_int_equal(timestamp_pattern_kind(pattern_of("epoch_millis")), PATTERN_EPOCH_MS);
    assert_int_equal(timestamp_pattern_kind(pattern_of("yyyy")), PATTERN_TEXT);
}

static void what_is_written_is_read_again(void **state)
{
    (void)state;
    static const char *const patterns[] = { "yyyy-MM-dd HH:mm:ss.SSSSSS", "uuuu/D HH:mm:ss.SSSSSSSSS", "EEEE, d MMMM yyyy h:mm:ss a n", "EEE dd MMM yyyy kk:mm:ss.SSSSSS XXX", "yyyyMMddHHmmssSSSSSS",
        "K 'hours' m s a n xxx dd.MM.yyyy", "dd LL yyyy HH mm ss SSSSSS z", "yyyy-MM-dd'T'HH:mm:ss[.SSSSSS][X]", "epoch_us" };
    for (size_t i = 0; i < COUNT(patterns); i++) {
        const TimestampPattern *pattern = pattern_of(patterns[i]);
        for (int round = 0; round < 20000; round++) {
            int64_t us = random_between(-62135596800, 253402300799) * US_PER_SECOND + random_between(0, 999999), back = 0; /* years 1..9999 */
            char text[TIMESTAMP_PATTERN_TEXT];
            size_t length = timestamp_pattern_format(pattern, us, text);
            if (!timestamp_pattern_parse(pattern, text, length, &back) || back != us)
                fail_msg("%s wrote %lld as '%.*s' and read %lld", patterns[i], (long long)us, (int)length, text, (long long)back);
        }
    }
    char text[TIMESTAMP_PATTERN_TEXT];
    assert_text(text, timestamp_pattern_format(pattern_of("EEEE EEE"), 0, text), "Thursday Thu");
    assert_text(text, timestamp_pattern_format(pattern_of("EEE D yy"), -US_PER_DAY, text), "Wed 365 69");
    assert_text(text, timestamp_pattern_format(pattern_of("epoch_s"), -1, text), "-1"); /* towards the past */
    assert_text(text, timestamp_pattern_format(pattern_of("epoch_ms"), 1999, text), "1");
    assert_text(text, timestamp_pattern_format(pattern_of("iso"), 1999, text), "1970-01-01T00:00:00.001Z");
    char quoted[300] = "'";
    memset(quoted + 1, 'q', 297);
    quoted[298] = '\'';
    assert_int_equal(timestamp_pattern_format(pattern_of(quoted), 0, text), TIMESTAMP_PATTERN_TEXT); /* as much as there is room for */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(patterns_read, start, stop),
        cmocka_unit_test_setup_teardown(patterns_refuse, start, stop),
        cmocka_unit_test_setup_teardown(patterns_that_are_wrong_say_why, start, stop),
        cmocka_unit_test_setup_teardown(what_is_written_is_read_again, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
