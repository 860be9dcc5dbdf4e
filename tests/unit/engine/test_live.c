/* tests/unit/engine/test_live.c: jobs that wait: stepped, woken, resting while a sink is full; partitions that come while they are read. */
#include "tests/unit/engine/live.h"

/* ---- waiting ---- */

static void a_waiting_job_is_woken_by_its_source(void **state)
{
    Live *live = *state;
    start(live, "SELECT v FROM bids");
    step_to_rest(live);
    assert_false(live->step.sinks_busy);
    assert_int_equal(live->step.until_us, START_US + 10 * US_PER_SECOND); /* then its partition is idle */
    int before = live->wakes;
    put(live, 0, 1, 7);
    assert_int_equal(live->wakes, before + 1);
    step_to_rest(live);
    assert_rows(live, "7\n");
    step_to_rest(live); /* nobody woke it: nothing is looked at */
    assert_rows(live, "");
}

static void a_stopped_job_is_woken(void **state)
{
    Live *live = *state;
    start(live, "SELECT v FROM bids");
    step_to_rest(live);
    int before = live->wakes;
    job_stop(live->job);
    assert_int_equal(live->wakes, before + 1);
    Error *error = step(live);
    assert_int_equal(error->code, ERR_INTERRUPTED);
    assert_int_equal(live->step.state, JOB_ENDED);
    error_free(error);
}

static void *run_job(void *caller)
{
    Live *live = caller;
    return job_run(live->job);
}

/* The source wakes the thread of job_run, and so does job_stop. */
static void a_job_with_threads_of_its_own_is_woken(void **state)
{
    Live *live = *state;
    start(live, "SELECT v FROM bids LIMIT 3");
    for (int threads = 1; threads <= 3; threads += 2) {
        error_free(job_close(live->job));
        topic_log_cut(live->bids, 0);
        open_job(live, threads);
        pthread_t runner;
        assert_int_equal(pthread_create(&runner, NULL, run_job, live), 0);
        for (int i = 0; i < 3; i++)
            put(live, 0, i, i);
        void *result;
        pthread_join(runner, &result);
        assert_null(result);
        assert_rows(live, "0\n1\n2\n");
    }
}

/* ---- sinks without room ---- */

static void a_full_sink_lets_the_job_rest(void **state)
{
    Live *live = *state;
    topic_log_set_room(live->result, 3);
    start(live, "INSERT INTO result SELECT k, v FROM bids");
    for (int i = 0; i < 10; i++)
        put(live, 0, i, i);
    step_to_rest(live);
    assert_true(live->step.sinks_busy);
    assert_int_equal(live->step.until_us, TIME_MAX);
    JobCounters counters;
    job_counters(live->job, &counters);
    assert_int_equal(counters.rows_in, 4); /* no turn was drawn since the sink had no room for one */
    assert_int_equal(topic_log_count(live->result), 3);
    Text snapshot = { 0 };
    assert_int_equal(job_snapshot(live->job, &snapshot)->code, ERR_BUSY);
    assert_int_equal(job_flush(live->job)->code, ERR_BUSY);

    int before = live->wakes;
    topic_log_set_room(live->result, 5);
    assert_true(live->wakes > before);
    step_to_rest(live);
    assert_true(live->step.sinks_busy);
    assert_int_equal(topic_log_count(live->result), 5);

    topic_log_set_room(live->result, UINT64_MAX);
    step_to_rest(live);
    assert_false(live->step.sinks_busy);
    assert_int_equal(topic_log_count(live->result), 10);
    for (uint64_t i = 0; i < 10; i++) {
        char expected[30];
        snprintf(expected, sizeof expected, "{\"V\":%d}", (int)i);
        assert_int_equal(strncasecmp(topic_log_record(live->result, i)->value, expected, strlen(expected)), 0);
    }
    assert_null(job_snapshot(live->job, &snapshot));
    text_release(&snapshot);
}

/* A turn's rows go on where the sink stopped in the middle of them, and rest of a job that ends are waited for, too. */
static void what_one_turn_sends_waits_as_a_whole(void **state)
{
    Live *live = *state;
    start(live, "INSERT INTO result SELECT k, v FROM bids UNION ALL SELECT k, v + 100 FROM bids UNION ALL SELECT k, v + 200 FROM bids");
    topic_log_set_room(live->result, 1);
    put(live, 0, 1, 1);
    put(live, 0, 2, 2);
    step_to_rest(live);
    assert_int_equal(topic_log_count(live->result), 1);
    for (uint64_t room = 2; room <= 6; room++) {
        topic_log_set_room(live->result, room);
        step_to_rest(live);
        assert_int_equal(topic_log_count(live->result), room);
    }
    assert_false(live->step.sinks_busy);
}

static void a_busy_sink_holds_back_threads(void **state)
{
    Live *live = *state;
    start(live, "INSERT INTO result SELECT k, v FROM bids");
    error_free(job_close(live->job));
    open_job(live, 3);
    topic_log_set_room(live->result, 0);
    for (int i = 0; i < 50; i++)
        put(live, 0, i, i);
    pthread_t runner;
    assert_int_equal(pthread_create(&runner, NULL, run_job, live), 0);
    for (uint64_t room = 1; room <= 50; room++) {
        topic_log_set_room(live->result, room);
        while (topic_log_count(live->result) < room)
            sched_yield();
    }
    job_stop(live->job);
    void *result;
    pthread_join(runner, &result);
    assert_int_equal(((Error *)result)->code, ERR_INTERRUPTED);
    error_free(result);
    for (uint64_t i = 1; i < 50; i++)
        assert_true(strcmp(topic_log_record(live->result, i - 1)->value, topic_log_record(live->result, i)->value) != 0);
}

/* However much there is to read: what is in flight is bounded while the sink is full, and goes on by itself when it is not. */
static void a_full_sink_bounds_memory(void **state)
{
    enum { MESSAGES = 4000, LENGTH = 10000, BOUND = 16 << 20 };
    Live *live = *state;
    Text value = { 0 };
    text_printf(&value, "{\"v\": 1, \"ts\": \"2026-01-01 00:00:00\", \"more\": \"%0*d\"}", LENGTH, 7);
    Record record = { .key = "k", .key_length = 1, .value = text_c(&value), .value_length = value.length };
    for (int i = 0; i < MESSAGES; i++)
        topic_log_append_to(live->bids, 0, &record, true);
    text_release(&value);
    topic_log_set_room(live->result, 0);
    start(live, "CREATE STREAM wide (k STRING KEY, v BIGINT, more STRING) WITH (" BIDS_OPTIONS ");"
                "CREATE STREAM copied (k STRING KEY, more STRING) WITH (kafka_topic = 'result', key_format = 'KAFKA', value_format = 'JSON');"
                "INSERT INTO copied SELECT k, more FROM wide");
    error_free(job_close(live->job));
    JobOptions options = { .clock = clock_system(), .filesystem = filesystem_system(), .threads = 3, .max_bad_rows = UINT64_MAX, .topics = live->logs };
    assert_null(job_open(live->plan, &options, &live->job));
    pthread_t runner;
    assert_int_equal(pthread_create(&runner, NULL, run_job, live), 0);
    JobStatus status = { .split_count = 0 };
    while (status.backpressured_us < 20000) {
        sched_yield();
        job_status(live->job, &live->arena, &status);
    }
    assert_true(status.splits[0].position < MESSAGES);
    assert_in_range(job_peak_bytes(live->job), 1, BOUND);
    for (uint64_t room = 500; room <= MESSAGES; room += 500) {
        topic_log_set_room(live->result, room);
        while (topic_log_count(live->result) < room)
            sched_yield();
    }
    assert_in_range(job_peak_bytes(live->job), 1, BOUND);
    job_stop(live->job);
    void *result;
    pthread_join(runner, &result);
    error_free(result);
}

/* Threads read ahead of one that is slow: so many bytes, however few messages these are. */
static void large_messages_are_not_all_read_ahead(void **state)
{
    enum { MESSAGES = 12, LENGTH = 4 << 20 };
    Live *live = *state;
    char *value = mem_alloc(LENGTH + 100);
    int length = snprintf(value, LENGTH + 100, "{\"v\": 1, \"ts\": \"2026-01-01 00:00:00\", \"more\": \"%0*d\"}", LENGTH, 7);
    Record record = { .key = "k", .key_length = 1, .value = value, .value_length = (size_t)length };
    for (int i = 0; i < MESSAGES; i++)
        topic_log_append_to(live->bids, 0, &record, true);
    mem_free(value);
    start(live, "SELECT v FROM bids LIMIT 12");
    error_free(job_close(live->job));
    open_job(live, 3);
    live->held = true;
    pthread_t runner;
    assert_int_equal(pthread_create(&runner, NULL, run_job, live), 0);
    JobStatus status = { .split_count = 0 };
    for (int i = 0; i < 2000 || status.splits[0].position < 4; i++) {
        sched_yield();
        arena_reset(&live->status_arena);
        job_status(live->job, &live->status_arena, &status);
    }
    assert_in_range(status.splits[0].position, 4, 5);
    live->held = false;
    void *result;
    pthread_join(runner, &result);
    assert_null(result);
    assert_rows(live, "1\n1\n1\n1\n1\n1\n1\n1\n1\n1\n1\n1\n");
}

static void a_caller_may_be_busy(void **state)
{
    Live *live = *state;
    start(live, "SELECT v FROM bids");
    live->refused = 2;
    put(live, 0, 1, 1);
    put(live, 0, 2, 2);
    step_to_rest(live);
    assert_true(live->step.sinks_busy);
    assert_rows(live, "");
    job_wake(live->job);
    step_to_rest(live);
    assert_true(live->step.sinks_busy);
    job_wake(live->job);
    step_to_rest(live);
    assert_rows(live, "1\n2\n");
}

/* A sink of bytes that has no room now and then; what it takes goes to the rows of `busy_live`. */
static Live *busy_live;

static Error *busy_write(Sink *sink, const char *partition, const char *header, size_t header_length, const char *bytes, size_t length)
{
    if (busy_live->refused > 0) {
        busy_live->refused--;
        return error_busy();
    }
    if (!sink->state)
        text_add(&busy_live->rows, header, header_length);
    sink->state = busy_live;
    text_printf(&busy_live->rows, "%s: ", partition);
    text_add(&busy_live->rows, bytes, length);
    return NULL;
}

static Error *busy_open(Sink *sink)
{
    sink->state = NULL;
    return NULL;
}

static Error *busy_close(Sink *sink, bool commit)
{
    (void)sink;
    (void)commit;
    return NULL;
}

/* Encoded rows come again as they were, with what stands before the first of them, each into its folder. */
static void a_sink_of_bytes_may_be_busy(void **state)
{
    static const SinkType sink = { .takes_updates = true, .open = busy_open, .write = busy_write, .close = busy_close };
    static const ConnectorType connector = { .name = "busy", .sink = &sink };
    Live *live = busy_live = *state;
    start(live, "CREATE STREAM shown (k STRING, v BIGINT) PARTITIONED BY (k) WITH (connector = 'file', path = '/tmp/bidsql-test-live-unused', format = 'csv');"
                "INSERT INTO shown SELECT k, v FROM bids");
    error_free(job_close(live->job));
    for (int id = 0; id < live->plan->node_count; id++)
        if (live->plan->nodes[id]->kind == PLAN_SINK) {
            PlanNode *node = (PlanNode *)live->plan->nodes[id];
            node->sink.connector = node->sink.spec.connector = &connector;
        }
    open_job(live, 1);
    live->refused = 2;
    put(live, 0, 1, 1);
    put(live, 0, 2, 2);
    for (int refusals = 0; refusals < 2; refusals++) {
        step_to_rest(live);
        assert_true(live->step.sinks_busy);
        assert_rows(live, "");
        job_wake(live->job);
    }
    step_to_rest(live);
    assert_false(live->step.sinks_busy);
    assert_rows(live, "v\nk=k1: 1\nk=k2: 2\n");
}

/* ---- partitions ---- */

static void partitions_that_come_are_read(void **state)
{
    Live *live = *state;
    start(live, "SELECT v FROM bids");
    put(live, 0, 1, 1);
    step_to_rest(live);
    topic_log_grow(live->bids, 3);
    put(live, 2, 2, 2);
    step_to_rest(live);
    put(live, 1, 3, 3);
    step_to_rest(live);
    assert_rows(live, "1\n2\n3\n");
}

static void partitions_that_come_are_read_by_threads(void **state)
{
    Live *live = *state;
    start(live, "SELECT v FROM bids LIMIT 400");
    error_free(job_close(live->job));
    open_job(live, 3);
    pthread_t runner;
    assert_int_equal(pthread_create(&runner, NULL, run_job, live), 0);
    for (int i = 0; i < 400; i++) {
        if (i % 20 == 19)
            topic_log_grow(live->bids, 2 + i / 20);
        put(live, i % (1 + i / 20), i, i);
    }
    void *result;
    pthread_join(runner, &result);
    assert_null(result);
    int rows = 0;
    for (const char *row = text_c(&live->rows); *row; row = strchr(row, '\n') + 1)
        rows++;
    assert_int_equal(rows, 400);
}

/* Partitions that a snapshot does not know are read from their start; those that it knows go on. */
static void a_restore_finds_partitions_by_name(void **state)
{
    Live *live = *state;
    topic_log_grow(live->bids, 2);
    start(live, "SELECT v FROM bids");
    put(live, 0, 1, 1);
    put(live, 1, 2, 2);
    step_to_rest(live);
    Text snapshot = { 0 };
    assert_null(job_snapshot(live->job, &snapshot));
    error_free(job_close(live->job));
    live->rows.length = 0;
    topic_log_grow(live->bids, 3);
    put(live, 2, 3, 3);
    put(live, 1, 4, 4);
    open_job(live, 1);
    assert_null(job_restore(live->job, snapshot.bytes, snapshot.length));
    step_to_rest(live);
    assert_rows(live, "3\n4\n");
    text_release(&snapshot);
}

static void partitions_that_come_hold_time_until_they_are_idle(void **state)
{
    Live *live = *state;
    start(live, PER_MINUTE);
    put(live, 0, 1, 1);
    step_to_rest(live);
    topic_log_grow(live->bids, 2);
    step_to_rest(live);
    put(live, 0, 61, 2);
    pass(live, 9);
    assert_rows(live, "");
    put(live, 0, 62, 3); /* the first partition is not idle */
    pass(live, 2);
    assert_rows(live, "2026-01-01 00:00:00.000 1\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(a_waiting_job_is_woken_by_its_source),
        LIVE(a_stopped_job_is_woken),
        LIVE(a_job_with_threads_of_its_own_is_woken),
        LIVE(a_full_sink_lets_the_job_rest),
        LIVE(what_one_turn_sends_waits_as_a_whole),
        LIVE(a_busy_sink_holds_back_threads),
        LIVE(a_full_sink_bounds_memory),
        LIVE(large_messages_are_not_all_read_ahead),
        LIVE(a_caller_may_be_busy),
        LIVE(a_sink_of_bytes_may_be_busy),
        LIVE(partitions_that_come_are_read),
        LIVE(partitions_that_come_are_read_by_threads),
        LIVE(a_restore_finds_partitions_by_name),
        LIVE(partitions_that_come_hold_time_until_they_are_idle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
