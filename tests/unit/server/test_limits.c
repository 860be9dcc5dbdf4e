/* server/limits.c: token buckets, with a time that the tests set. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "server/limits.h"

#define SECOND INT64_C(1000000)
#define START (INT64_C(1767225600) * SECOND) /* 2026-01-01 */

static bool take(Limiter *limiter, const char *key, int64_t now_us)
{
    int64_t wait_us;
    return limiter_take(limiter, key, strlen(key), now_us, &wait_us);
}

static int64_t wait_of(Limiter *limiter, const char *key, int64_t now_us)
{
    int64_t wait_us;
    assert_false(limiter_take(limiter, key, strlen(key), now_us, &wait_us));
    return wait_us;
}

static void settings_are_read(void **state)
{
    static const struct { const char *text; int64_t count, period_us; } good[] = {
        { "100/s", 100, SECOND }, { "600/1 min", 600, 60 * SECOND }, { "600 / min", 600, 60 * SECOND }, { "5/1h", 5, 3600 * SECOND }, { "1/500 ms", 1, SECOND / 2 }, { "none", 0, 0 } };
    static const char *const bad[] = { "", "100", "100/", "/s", "0/s", "-1/s", "x/s", "10/y", "10/0 s", "10/2 d", "2000000/s", "99999999999999999999/s", "1/ 1 s 2 s" };
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        RateLimit limit = { -1, -1 };
        assert_true(rate_limit_parse(good[i].text, &limit));
        assert_int_equal(limit.count, good[i].count);
        assert_int_equal(limit.period_us, good[i].period_us);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        RateLimit limit;
        if (rate_limit_parse(bad[i], &limit))
            fail_msg("'%s' was taken", bad[i]);
    }
}

/* Ten at once; then one more for each tenth of the period, and never more than ten kept. */
static void a_bucket_empties_and_fills(void **state)
{
    Limiter *limiter = limiter_new((RateLimit){ 10, 10 * SECOND }, 64);
    (void)state;
    for (int i = 0; i < 10; i++)
        assert_true(take(limiter, "a", START));
    assert_int_equal(wait_of(limiter, "a", START), SECOND);
    assert_int_equal(wait_of(limiter, "a", START + SECOND - 1), 1);
    assert_true(take(limiter, "a", START + SECOND));
    assert_int_equal(wait_of(limiter, "a", START + SECOND), SECOND); /* being refused costs nothing */
    int64_t later = START + 1000 * SECOND;
    for (int i = 0; i < 10; i++)
        assert_true(take(limiter, "a", later));
    assert_false(take(limiter, "a", later));
    limiter_free(limiter);
}

static void a_steady_rate_passes(void **state)
{
    Limiter *limiter = limiter_new((RateLimit){ 100, SECOND }, 64);
    (void)state;
    for (int i = 0; i < 100000; i++)
        assert_true(take(limiter, "a", START + i * SECOND / 100));
    int passed = 0;
    for (int i = 0; i < 100000; i++) /* twice as many: half of them pass */
        passed += take(limiter, "b", START + i * SECOND / 200);
    assert_in_range(passed, 50099, 50101);
    limiter_free(limiter);
}

static void keys_do_not_know_each_other(void **state)
{
    Limiter *limiter = limiter_new((RateLimit){ 1, SECOND }, 1024);
    (void)state;
    assert_true(take(limiter, "a", START));
    assert_false(take(limiter, "a", START));
    assert_true(take(limiter, "b", START));
    limiter_free(limiter);
    assert_null(limiter_new((RateLimit){ 0, 0 }, 1024));
    assert_true(take(NULL, "a", START));
}

static bool take_address(Limiter *limiter, const char *address)
{
    int64_t wait_us;
    return limiter_take_address(limiter, address, START, &wait_us);
}

static void a_network_of_ipv6_is_one_peer(void **state)
{
    Limiter *limiter = limiter_new((RateLimit){ 1, SECOND }, 1024);
    (void)state;
    assert_true(take_address(limiter, "2001:db8:1:2::1"));
    assert_false(take_address(limiter, "2001:db8:1:2:ffff::2"));
    assert_true(take_address(limiter, "2001:db8:1:3::1"));
    assert_true(take_address(limiter, "192.0.2.1"));
    assert_false(take_address(limiter, "192.0.2.1"));
    assert_true(take_address(limiter, "192.0.2.2"));
    limiter_free(limiter);
}

/* A flood of addresses does not grow the table, and nobody gets a fresh bucket by being pushed out. */
static void a_flood_of_keys_gains_nothing(void **state)
{
    Limiter *limiter = limiter_new((RateLimit){ 10, 10 * SECOND }, 64);
    char key[32];
    int passed = 0;
    (void)state;
    for (int i = 0; i < 100000; i++) {
        snprintf(key, sizeof key, "10.%d.%d.%d", i >> 16, i >> 8 & 255, i & 255);
        passed += take(limiter, key, START);
    }
    assert_int_equal(passed, 64 * 10); /* what all buckets hold together */
    passed = 0;
    for (int i = 0; i < 100000; i++) {
        snprintf(key, sizeof key, "10.%d.%d.%d", i >> 16, i >> 8 & 255, i & 255);
        passed += take(limiter, key, START + SECOND);
    }
    assert_int_equal(passed, 64);
    limiter_free(limiter);
}

/* Who comes seldom has a full bucket, and nothing is lost with it. */
static void full_buckets_go_first(void **state)
{
    Limiter *limiter = limiter_new((RateLimit){ 2, SECOND }, 8); /* one set */
    char key[8];
    (void)state;
    assert_true(take(limiter, "busy", START + 10 * SECOND));
    assert_true(take(limiter, "busy", START + 10 * SECOND));
    for (int i = 0; i < 100; i++) {
        snprintf(key, sizeof key, "%d", i % 7);
        assert_true(take(limiter, key, START + (10 + i) * SECOND)); /* seven others, each seldom */
        if (i == 0)
            assert_false(take(limiter, "busy", START + 10 * SECOND));
    }
    limiter_free(limiter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_are_read),
        cmocka_unit_test(a_bucket_empties_and_fills),
        cmocka_unit_test(a_steady_rate_passes),
        cmocka_unit_test(keys_do_not_know_each_other),
        cmocka_unit_test(a_network_of_ipv6_is_one_peer),
        cmocka_unit_test(a_flood_of_keys_gains_nothing),
        cmocka_unit_test(full_buckets_go_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
