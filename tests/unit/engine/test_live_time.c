/* tests/unit/engine/test_live_time.c: partitions that fall silent or run ahead, and where a job stands for those who ask. */
#include "tests/unit/engine/live.h"

/* ---- silence ---- */

static void a_silent_partition_is_idle_also_while_others_are_busy(void **state)
{
    Live *live = *state;
    topic_log_grow(live->bids, 2);
    start(live, PER_MINUTE);
    put(live, 1, 1, 100);
    for (int i = 0; i <= 100; i += 2) { /* something comes all the time */
        put(live, 0, i, 1);
        live->clock.current_us += 2 * US_PER_SECOND;
        assert_null(step(live));
        if (i == 64)
            assert_rows(live, "2026-01-01 00:00:00.000 130\n");
    }
}

static void a_partition_with_unread_rows_is_not_idle(void **state)
{
    Live *live = *state;
    topic_log_grow(live->bids, 2);
    start(live, PER_MINUTE);
    put(live, 1, 1, 100);
    put(live, 1, 2, 1000);
    topic_log_set_fetched(live->bids, 1, 1);
    put(live, 0, 1, 1);
    put(live, 0, 70, 2);
    pass(live, 60);
    assert_rows(live, "");
    topic_log_set_fetched(live->bids, 1, UINT64_MAX);
    put(live, 0, 71, 4);
    pass(live, 11);
    assert_rows(live, "2026-01-01 00:00:00.000 1101\n");
}

/* Time goes on with the clock once all partitions are silent. What comes then is judged by it. */
static void the_last_window_of_a_quiet_topic_closes(void **state)
{
    Live *live = *state;
    topic_log_grow(live->bids, 2);
    start(live, PER_MINUTE);
    put(live, 0, 50, 1);
    put(live, 1, 30, 2);
    pass(live, 8);
    assert_rows(live, "");
    pass(live, 4); /* 10 s of silence: since 50 s 12 s have passed */
    assert_rows(live, "2026-01-01 00:00:00.000 3\n");
    put(live, 1, 59, 4); /* too late */
    put(live, 1, 75, 8);
    step_to_rest(live);
    JobCounters counters;
    job_counters(live->job, &counters);
    assert_int_equal(counters.late_rows, 1);
    pass(live, 60);
    assert_rows(live, "2026-01-01 00:01:00.000 8\n");
}

/* One wrong time does not close every window. */
static void a_row_far_ahead_of_the_clock_is_bad(void **state)
{
    Live *live = *state;
    start(live, "CREATE STREAM lenient " BIDS " WITH (" BIDS_OPTIONS ", on_error = 'skip');"
                PER_MINUTE_OF("lenient"));
    put(live, 0, 1, 1);
    put(live, 0, 25 * 3600, 2);
    put(live, 0, 30, 4);
    put(live, 0, 23 * 3600, 8);
    step_to_rest(live);
    JobCounters counters;
    job_counters(live->job, &counters);
    assert_int_equal(counters.bad_rows, 1);
    assert_int_equal(counters.late_rows, 0);
    assert_rows(live, "2026-01-01 00:00:00.000 5\n");
}

/* ---- alignment ---- */

static void a_partition_far_ahead_waits_for_one_with_unread_rows(void **state)
{
    Live *live = *state;
    topic_log_grow(live->bids, 2);
    start(live, PER_MINUTE_OF("aligned"));
    put(live, 1, 0, 1000);
    put(live, 1, 1, 1001);
    topic_log_set_fetched(live->bids, 1, 1);
    for (int i = 0; i < 100; i++)
        put(live, 0, i * 60, i);
    step_to_rest(live);
    JobCounters counters;
    job_counters(live->job, &counters);
    assert_in_range(counters.rows_in, 2, 24); /* the choice knows the times of 16 turns ago */
    uint64_t before = counters.rows_in;
    pass(live, 30); /* nothing changes while rows are unread */
    job_counters(live->job, &counters);
    assert_int_equal(counters.rows_in, before);
    topic_log_set_fetched(live->bids, 1, UINT64_MAX);
    step_to_rest(live);
    job_counters(live->job, &counters);
    assert_int_equal(counters.rows_in, 102); /* one that is read to its end makes nobody wait */
}

/* Late rows that trickle into one partition do not keep the others from being read. */
static void a_partition_that_is_read_to_its_end_takes_turns(void **state)
{
    Live *live = *state;
    topic_log_grow(live->bids, 2);
    start(live, "SELECT v FROM bids");
    put(live, 0, 5, 0);
    step_to_rest(live);
    for (int i = 0; i < 20; i++)
        put(live, 1, 4000 + i, 100 + i);
    for (int i = 1; i <= 10; i++) { /* each time before the next turn is drawn */
        put(live, 0, 5, i);
        assert_null(job_step(live->job, 1, &live->step));
    }
    int of_second = 0;
    for (const char *row = text_c(&live->rows); *row; row = strchr(row, '\n') + 1)
        of_second += atoi(row) >= 100;
    assert_in_range(of_second, 4, 6);
}

/* ---- where a job stands ---- */

static void a_status_says_where_partitions_stand(void **state)
{
    Live *live = *state;
    topic_log_grow(live->bids, 2);
    topic_log_set_room(live->result, 2);
    start(live, "INSERT INTO result SELECT k, v FROM bids");
    JobStatus status;
    job_status(live->job, &live->arena, &status);
    assert_int_equal(status.split_count, 2);
    assert_int_equal(status.busy_us + status.idle_us + status.backpressured_us, 0); /* it has not run yet */
    put(live, 0, 5, 1);
    put(live, 1, 6, 2);
    step_to_rest(live);
    put(live, 1, 7, 3);
    live->clock.current_us += 250 * US_PER_MS;
    step_to_rest(live);
    assert_true(live->step.sinks_busy);
    put(live, 1, 8, 4);
    step_to_rest(live);

    job_status(live->job, &live->arena, &status);
    assert_int_equal(status.counters.rows_in, 3);
    assert_int_equal(status.counters.rows_out, 3);
    assert_true(status.counters.bytes_in > 3 * 30 && status.counters.bytes_out > 3 * 8);
    const SplitStatus *first = &status.splits[0], *second = &status.splits[1];
    assert_string_equal(first->source, "bids");
    assert_string_equal(first->name, "bids-0");
    assert_int_equal(first->position, 1);
    assert_int_equal(first->end, 1);
    assert_int_equal(second->position, 2);
    assert_int_equal(second->end, 3); /* nobody reads while the sink is full, and yet it is seen */
    assert_int_equal(second->rows, 2);
    assert_int_equal(status.latency.count, 3);
    assert_in_range(histogram_quantile(&status.latency, 0.99), 250 * US_PER_MS, 250 * US_PER_MS * 9 / 8);
    assert_true(status.busy_us + status.idle_us + status.backpressured_us > 0);
}

static void a_status_knows_watermarks_and_silence(void **state)
{
    Live *live = *state;
    topic_log_grow(live->bids, 2);
    start(live, PER_MINUTE);
    put(live, 0, 5, 1);
    pass(live, 11);
    JobStatus status;
    job_status(live->job, &live->arena, &status);
    assert_int_equal(status.splits[0].wm_us, START_US + 5 * US_PER_SECOND);
    assert_int_equal(status.splits[1].wm_us, TIME_MIN);
    assert_true(status.splits[0].idle && status.splits[1].idle);
    assert_in_range(status.watermark_us, START_US + 15 * US_PER_SECOND, START_US + 16 * US_PER_SECOND); /* it goes on with the clock */
}

static void *watch_status(void *caller)
{
    Live *live = caller;
    Arena arena;
    arena_init(&arena, NULL);
    JobStatus status = { .split_count = 0 };
    while (status.counters.rows_in < 200) {
        arena_reset(&arena);
        job_status(live->job, &arena, &status);
    }
    arena_release(&arena);
    return NULL;
}

static void others_may_ask_while_it_runs(void **state)
{
    Live *live = *state;
    start(live, "SELECT v FROM bids LIMIT 200");
    pthread_t watcher;
    assert_int_equal(pthread_create(&watcher, NULL, watch_status, live), 0);
    for (int i = 0; i < 200; i++) {
        topic_log_grow(live->bids, 1 + i / 20);
        put(live, i / 20, i, i);
        if (i < 199)
            step_to_rest(live);
    }
    assert_null(step(live));
    assert_int_equal(live->step.state, JOB_ENDED);
    pthread_join(watcher, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(a_silent_partition_is_idle_also_while_others_are_busy),
        LIVE(a_partition_with_unread_rows_is_not_idle),
        LIVE(the_last_window_of_a_quiet_topic_closes),
        LIVE(a_row_far_ahead_of_the_clock_is_bad),
        LIVE(a_partition_far_ahead_waits_for_one_with_unread_rows),
        LIVE(a_partition_that_is_read_to_its_end_takes_turns),
        LIVE(a_status_says_where_partitions_stand),
        LIVE(a_status_knows_watermarks_and_silence),
        LIVE(others_may_ask_while_it_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
