/* Timers come out in order of time, then of their owner's order, whatever the order in which they went in. */
#include "tests/unit/common/unit.h"

#include "exec/timers.h"

enum { MAX_TIMERS = 4000 };

typedef struct Model {
    Timer timers[MAX_TIMERS];
    uint32_t count;
} Model;

static bool before(const Timer *a, const Timer *b) { return a->time_us != b->time_us ? a->time_us < b->time_us : (int32_t)(a->order - b->order) < 0; }

static const Timer *model_first(const Model *model)
{
    const Timer *first = NULL;
    for (uint32_t i = 0; i < model->count; i++)
        if (!first || before(&model->timers[i], first))
            first = &model->timers[i];
    return first;
}
static void model_take(Model *model, const Timer *timer)
{
    for (uint32_t i = 0; i < model->count; i++)
        if (model->timers[i].order == timer->order) {
            assert_int_equal(model->timers[i].slot, timer->slot);
            assert_true(model->timers[i].time_us == timer->time_us);
            model->timers[i] = model->timers[--model->count];
            return;
        }
    fail_msg("a timer that was not set came up");
}

static void timers_come_in_order(void **state)
{
    (void)state;
    static const int64_t spreads[] = { 1, 1000, 60000000, INT64_MAX };
    Model *model = calloc(1, sizeof *model);
    for (int round = 0; round < 80; round++) {
        MemoryPool pool;
        Timers timers;
        int64_t spread = spreads[round % 4], now = random_between(-1000000000, 1000000000), reach = round % 3 ? 100000000 : 500;
        uint32_t order = round % 5 ? 0 : UINT32_MAX - 500; /* orders wrap around */
        pool_init(&pool, NULL, "timers", 0);
        timers_init(&timers, &pool, spread, NULL, NULL);
        model->count = 0;
        for (int step = 0; step < 60; step++) {
            for (uint64_t adds = random_upto(60); adds; adds--) {
                int64_t time = now + random_between(-reach / 10, reach); /* some are overdue when they are set */
                if (random_upto(3) == 0 && model->count)
                    time = model->timers[random_upto(model->count - 1)].time_us; /* many at one time */
                Timer timer = { time, (uint32_t)random_upto(1000), order++ };
                timers_add(&timers, timer.time_us, timer.slot, timer.order);
                model->timers[model->count++] = timer;
            }
            int64_t limit = now + random_between(0, reach / 2);
            for (;;) {
                const Timer *first = model_first(model);
                Timer timer;
                if (!first)
                    assert_true(timers_next(&timers) == INT64_MAX);
                else
                    assert_true(timers_next(&timers) <= first->time_us);
                bool due = timers_pop(&timers, limit, &timer);
                assert_int_equal(due, first && first->time_us < limit);
                if (!due)
                    break;
                assert_true(timer.time_us == first->time_us);
                assert_int_equal(timer.order, first->order);
                model_take(model, &timer);
                if (random_upto(9) == 0) { /* what fires sets another one */
                    Timer next = { timer.time_us + random_between(0, reach / 4), timer.slot, order++ };
                    timers_add(&timers, next.time_us, next.slot, next.order);
                    model->timers[model->count++] = next;
                }
            }
            now = limit;
            if (random_upto(29) == 0) {
                timers_clear(&timers);
                model->count = 0;
            }
        }
        timers_release(&timers);
        assert_int_equal(pool.used_bytes, 0);
    }
    free(model);
}

/* ---- due times that move while the timer waits ---- */

enum { SLOTS = 200 };
static int64_t due[SLOTS]; /* INT64_MAX: void */
static uint32_t rechecks;

static int64_t recheck(void *owner, const Timer *timer)
{
    assert_ptr_equal(owner, due);
    assert_true(due[timer->slot] >= timer->time_us);
    rechecks++;
    return due[timer->slot];
}

static void due_times_may_move(void **state)
{
    (void)state;
    for (int round = 0; round < 30; round++) {
        MemoryPool pool;
        Timers timers;
        pool_init(&pool, NULL, "timers", 0);
        timers_init(&timers, &pool, 1000000, recheck, due);
        int64_t now = 0;
        uint32_t fired = 0;
        rechecks = 0;
        for (uint32_t slot = 0; slot < SLOTS; slot++)
            due[slot] = INT64_MAX;
        bool set[SLOTS] = { false };
        for (int step = 0; step < 300; step++) {
            for (int i = 0; i < 20; i++) {
                uint32_t slot = (uint32_t)random_upto(SLOTS - 1);
                if (!set[slot]) { /* a new session */
                    due[slot] = now + 1000000;
                    timers_add(&timers, due[slot], slot, slot);
                    set[slot] = true;
                } else if (due[slot] != INT64_MAX && random_upto(4)) {
                    due[slot] += random_between(0, 500000); /* it goes on: the timer stays where it is */
                }
            }
            now += random_between(0, 300000);
            int64_t last = INT64_MIN;
            Timer timer;
            while (timers_pop(&timers, now, &timer)) {
                if (due[timer.slot] > timer.time_us) { /* moved after its bucket had come up */
                    timers_add(&timers, due[timer.slot], timer.slot, timer.order);
                    continue;
                }
                assert_true(timer.time_us == due[timer.slot] && timer.time_us >= last);
                last = timer.time_us;
                due[timer.slot] = INT64_MAX;
                set[timer.slot] = false;
                fired++;
            }
            for (uint32_t slot = 0; slot < SLOTS; slot++)
                assert_true(!set[slot] || due[slot] >= now); /* nothing was left behind */
        }
        assert_true(fired > 100 && rechecks > 100);
        timers_release(&timers);
        assert_int_equal(pool.used_bytes, 0);
    }
}

static void void_timers_vanish(void **state)
{
    (void)state;
    Timers timers;
    Timer timer;
    timers_init(&timers, NULL, 1000000, recheck, due);
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        due[slot] = 5000000 + slot;
        timers_add(&timers, due[slot], slot, 0);
        if (slot % 2)
            due[slot] = INT64_MAX;
    }
    for (uint32_t slot = 0; slot < SLOTS; slot += 2) {
        assert_true(timers_pop(&timers, INT64_MAX, &timer));
        assert_int_equal(timer.slot, slot);
    }
    assert_false(timers_pop(&timers, INT64_MAX, &timer));
    assert_true(timers_next(&timers) == INT64_MAX);
    timers_release(&timers);
}

/* A timer a bucket: the list of buckets is as long as the list of timers. */
static void far_and_wide(void **state)
{
    (void)state;
    MemoryPool pool;
    Timers timers;
    Timer timer;
    pool_init(&pool, NULL, "timers", 0);
    timers_init(&timers, &pool, 64, NULL, NULL);
    for (int round = 0; round < 3; round++) {
        int64_t base = (int64_t)round * 1000000000000;
        for (uint32_t i = 0; i < 2000; i++) {
            uint32_t place = (i * 769) % 2000;
            timers_add(&timers, base + (int64_t)place * 10000000, place, place);
        }
        for (uint32_t i = 0; i < 2000; i++) {
            assert_true(timers_pop(&timers, INT64_MAX, &timer));
            assert_int_equal(timer.slot, i);
        }
        assert_false(timers_pop(&timers, INT64_MAX, &timer));
    }
    timers_add(&timers, INT64_MIN + 1, 1, 1);
    timers_add(&timers, INT64_MAX - 1, 2, 2);
    assert_true(timers_pop(&timers, INT64_MAX, &timer) && timer.slot == 1);
    assert_false(timers_pop(&timers, INT64_MAX - 1, &timer));
    assert_true(timers_pop(&timers, INT64_MAX, &timer) && timer.slot == 2);
    timers_release(&timers);
    assert_int_equal(pool.used_bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_come_in_order),
        cmocka_unit_test(due_times_may_move),
        cmocka_unit_test(void_timers_vanish),
        cmocka_unit_test(far_and_wide),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
