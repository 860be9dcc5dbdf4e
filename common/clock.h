/* common/clock.h: where the time comes from. Tests bring their own clock; nothing else asks the system. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

typedef struct Clock {
    int64_t (*now_us)(struct Clock *clock);                      /* microseconds since 1970, never falls */
    void (*sleep_until_us)(struct Clock *clock, int64_t when_us); /* returns early only when interrupted */
    void *owner;
    bool manual;                                                 /* sleeping moves it: whoever waits may go straight to the next event */
} Clock;

Clock *clock_system(void); /* max(previous, CLOCK_REALTIME) */

typedef struct TestClock {
    Clock clock;
    _Atomic int64_t current_us; /* set it; sleeping moves it forward at once */
} TestClock;
void test_clock_init(TestClock *clock, int64_t start_us);
