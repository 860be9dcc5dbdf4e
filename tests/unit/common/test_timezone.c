/* Time zones against the C library's, and local times against themselves. */
#include "tests/unit/common/unit.h"

#include <time.h>

#include "common/calendar.h"
#include "common/posix_tz.h"
#include "common/timezone.h"

static const char *const names[] = { "Europe/Berlin", "America/New_York", "America/Los_Angeles", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Auckland", "America/Sao_Paulo",
                                     "America/Havana", "Asia/Tehran", "Europe/Dublin", "Africa/Casablanca", "Pacific/Apia", "America/St_Johns", "UTC", "Asia/Tokyo", "Antarctica/Troll",
                                     "Pacific/Kwajalein", "Etc/GMT-14" };

static const TimeZone *zone_of(const char *name)
{
    const TimeZone *zone = NULL;
    assert_fine(timezone_find(name, strlen(name), &zone));
    assert_string_equal(timezone_name(zone), name);
    assert_ptr_equal(timezone_lookup(name, strlen(name)), zone); /* read once */
    return zone;
}

static int64_t us_of(const char *text)
{
    int64_t us;
    assert_true(timestamp_parse(text, strlen(text), &us, NULL));
    return us;
}

static void offsets_are_those_of_the_c_library(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        const TimeZone *zone = zone_of(names[i]);
        setenv("TZ", names[i], 1);
        tzset();
        for (int round = 0; round < 20000; round++) {
            time_t seconds = (time_t)random_between(-3000000000, round % 2 ? 4000000000 : 30000000000);
            struct tm local;
            localtime_r(&seconds, &local);
            ZoneSpan span = timezone_span(zone, seconds * US_PER_SECOND);
            if (span.offset_us != local.tm_gmtoff * US_PER_SECOND || strcmp(span.abbreviation, local.tm_zone) != 0)
                fail_msg("%s at %lld: %lld %s, not %ld %s", names[i], (long long)seconds, (long long)(span.offset_us / US_PER_SECOND), span.abbreviation, local.tm_gmtoff,
                         local.tm_zone);
            assert_true(span.from_us <= seconds * US_PER_SECOND && seconds * US_PER_SECOND < span.to_us);
        }
    }
    unsetenv("TZ");
    tzset();
}

static void local_times_come_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        const TimeZone *zone = zone_of(names[i]);
        for (int round = 0; round < 20000; round++) {
            int64_t us = random_between(-3000000000, 30000000000) * US_PER_SECOND;
            if (round % 2) { /* near a change */
                ZoneSpan span = timezone_span(zone, us);
                if (span.to_us != INT64_MAX)
                    us = span.to_us + random_between(-7200, 7200) * US_PER_SECOND;
            }
            int64_t local = timezone_local(zone, us), back = timezone_utc(zone, local);
            assert_true(timezone_local(zone, back) == local && back <= us); /* the first of two */
            assert_true(timezone_utc_start(zone, local) == back);
        }
    }
}

static void clocks_are_set(void **state)
{
    (void)state;
    const TimeZone *berlin = zone_of("Europe/Berlin"), *brazil = zone_of("America/Sao_Paulo");
    assert_true(timezone_utc(berlin, us_of("2026-03-29 02:30:00")) == us_of("2026-03-29 01:30:00")); /* left out: 03:30 */
    assert_true(timezone_utc_start(berlin, us_of("2026-03-29 02:30:00")) == us_of("2026-03-29 01:00:00"));
    assert_true(timezone_utc(berlin, us_of("2026-10-25 02:30:00")) == us_of("2026-10-25 00:30:00")); /* twice: the first */
    assert_true(timezone_utc_start(brazil, us_of("2018-11-04 00:00:00")) == us_of("2018-11-04 03:00:00")); /* no midnight */
    assert_string_equal(timezone_span(berlin, us_of("2026-07-01 00:00:00")).abbreviation, "CEST");
    assert_string_equal(timezone_span(berlin, us_of("2900-01-01 00:00:00")).abbreviation, "CET");
}

static void offsets_are_zones(void **state)
{
    (void)state;
    static const struct { const char *name; int64_t minutes; } fixed[] = { { "Z", 0 }, { "UTC", 0 }, { "+02:00", 120 }, { "-0530", -330 }, { "+14", 840 }, { "UTC+2", 120 }, { "GMT-5:30", -330 }, { "UTC+02:00", 120 } };
    for (size_t i = 0; i < COUNT(fixed); i++) {
        int64_t offset;
        assert_true(timezone_is_fixed(zone_of(fixed[i].name), &offset));
        assert_true(offset == fixed[i].minutes * US_PER_MINUTE);
    }
    static const char *const wrong[] = { "", "+2", "+25:00", "02:00", "../UTC", "/etc/passwd", "Europe", "Europe/../UTC", "zone.tab", "+02:0", "UTC+", "+19" };
    for (size_t i = 0; i < COUNT(wrong); i++)
        assert_null(timezone_lookup(wrong[i], strlen(wrong[i])));
    const TimeZone *zone;
    Error *error = timezone_find("Europe/Berln", 12, &zone);
    assert_string_equal(error->hint, "did you mean 'Europe/Berlin'?");
    assert_error(error, "unknown time zone 'Europe/Berln'");
    assert_ptr_equal(timezone_abbreviated("PST", 3), timezone_lookup("America/Los_Angeles", 19));
    assert_null(timezone_abbreviated("XYZ", 3));
}

static void rules_as_posix_writes_them(void **state)
{
    (void)state;
    PosixZone zone;
    assert_true(posix_zone_parse("CET-1CEST,M3.5.0,M10.5.0/3", 26, &zone));
    assert_true(posix_zone_start(&zone, 2026) == us_of("2026-03-29 01:00:00") && posix_zone_end(&zone, 2026) == us_of("2026-10-25 01:00:00"));
    assert_true(posix_zone_parse("<-03>3<-02>,J60/0,364/-1:30", 27, &zone));
    assert_true(posix_zone_start(&zone, 2028) == us_of("2028-03-01 03:00:00")); /* J60 is March 1st in every year */
    assert_true(posix_zone_end(&zone, 2027) == us_of("2027-12-31 00:30:00"));
    static const char *const wrong[] = { "", "CET", "CET-1CEST", "CET-1CEST,M3.5.0", "CET-1CEST,M13.5.0,M10.5.0", "CET-1CEST,M3.5.0,M10.5.0/3x", "C-1", "CET-200" };
    for (size_t i = 0; i < COUNT(wrong); i++)
        assert_false(posix_zone_parse(wrong[i], strlen(wrong[i]), &zone));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(offsets_are_those_of_the_c_library), cmocka_unit_test(local_times_come_back), cmocka_unit_test(clocks_are_set),
                                        cmocka_unit_test(offsets_are_zones), cmocka_unit_test(rules_as_posix_writes_them) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
