/* common/clock.c: where the time comes from. */
#include "common/clock.h"

#include <stdatomic.h>
#include <time.h>

static _Atomic int64_t latest_us;

static int64_t system_now_us(Clock *clock)
{
    (void)clock;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    int64_t now_us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000, before_us = latest_us;
    while (now_us > before_us && !atomic_compare_exchange_weak(&latest_us, &before_us, now_us))
        ;
    return now_us > before_us ? now_us : before_us;
}

static void system_sleep_until_us(Clock *clock, int64_t when_us)
{
    int64_t left_us = when_us - system_now_us(clock);
    if (left_us <= 0)
        return;
    struct timespec length = { left_us / 1000000, left_us % 1000000 * 1000 };
    nanosleep(&length, NULL);
}

static Clock system_clock = { system_now_us, system_sleep_until_us, NULL, false };

Clock *clock_system(void) { return &system_clock; }

static int64_t test_now_us(Clock *clock) { return ((TestClock *)clock)->current_us; }

static void test_sleep_until_us(Clock *clock, int64_t when_us)
{
    TestClock *test = (TestClock *)clock;
    if (when_us > test->current_us)
        test->current_us = when_us;
}

void test_clock_init(TestClock *clock, int64_t start_us)
{
    clock->clock = (Clock){ test_now_us, test_sleep_until_us, clock, true };
    clock->current_us = start_us;
}
