/* tests/unit/engine/test_live.c: jobs that wait: stepped, woken, resting while a sink is full; partitions that come, fall silent and run ahead.
 *
 * Topics are logs in the process, the clock goes where it is told to, and nothing sleeps: the test does what a scheduler would do. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/calendar.h"
#include "common/value_text.h"
#include "connectors/topic_log.h"
#include "exec/exec.h"
#include "parser/parser.h"
#include "planner/planner.h"

#define START_US (INT64_C(1767225600) * US_PER_SECOND) /* 2026-01-01 */
#define BIDS "(k STRING KEY, v BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts)"
#define BIDS_OPTIONS "kafka_topic = 'bids', key_format = 'KAFKA', value_format = 'JSON'"
#define STREAMS                                                                                                                \
    "CREATE STREAM bids " BIDS " WITH (" BIDS_OPTIONS ");"                                                                     \
    "CREATE STREAM aligned " BIDS " WITH (" BIDS_OPTIONS ", source.max_watermark_skew = '1 minute');"                          \
    "CREATE STREAM result (k STRING KEY, v BIGINT) WITH (kafka_topic = 'result', key_format = 'KAFKA', value_format = 'JSON');"
#define PER_MINUTE_OF(stream) "SELECT window_start, SUM(v) AS total FROM TABLE(TUMBLE(TABLE " stream ", DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY window_start, window_end"
#define PER_MINUTE PER_MINUTE_OF("bids")

typedef struct Live {
    TopicLogs *logs;
    TopicLog *bids, *result;
    TestClock clock;
    Arena arena;
    Planner *planner;
    Plan *plan;
    ConnectorContext connectors;
    Job *job;
    JobStep step;
    atomic_int wakes;
    atomic_bool held;      /* on_rows takes its time */
    Arena status_arena;
    int refused;           /* how often on_rows finds no room */
    Text rows;             /* a line a row */
} Live;

static Error *take_rows(void *caller, int output, const Batch *batch)
{
    (void)output;
    Live *live = caller;
    while (live->held)
        sched_yield();
    if (live->refused > 0) {
        live->refused--;
        return error_busy();
    }
    for (uint32_t i = 0; i < batch->selection.count; i++) {
        uint32_t row = selection_row(&batch->selection, i);
        for (int c = 0; c < batch->column_count; c++) {
            text_add_c(&live->rows, c ? " " : "");
            text_add_value_plain(&live->rows, batch->columns[c], row);
        }
        text_add_char(&live->rows, '\n');
    }
    return NULL;
}

static void on_wake(void *caller) { ((Live *)caller)->wakes++; }

/* ---- planning, opening ---- */

static int set_up(void **state)
{
    Live *live = mem_calloc(1, sizeof *live);
    test_clock_init(&live->clock, START_US);
    live->logs = topic_logs_new();
    topic_logs_forget_order(live->logs);
    live->bids = topic_log(live->logs, "bids", true);
    live->result = topic_log(live->logs, "result", true);
    live->connectors = (ConnectorContext){ .filesystem = filesystem_system(), .clock = &live->clock.clock, .batch_mode = true, .topics = live->logs };
    *state = live;
    return 0;
}

static void open_job(Live *live, int threads)
{
    JobOptions options = { .clock = &live->clock.clock, .filesystem = filesystem_system(), .threads = threads, .turn_bytes = 1, .max_bad_rows = UINT64_MAX,
        .topics = live->logs, .on_rows = take_rows, .on_wake = on_wake, .caller = live };
    assert_null(job_open(live->plan, &options, &live->job));
}

static void start(Live *live, const char *query)
{
    arena_init(&live->arena, NULL);
    arena_init(&live->status_arena, NULL);
    live->planner = planner_new(&(PlannerOptions){ .connectors = &live->connectors });
    AstScript script = { 0 };
    const char *sql = arena_printf(&live->arena, "%s%s", STREAMS, query);
    Error *error = parse_script(&live->arena, sql, strlen(sql), NULL, &script);
    planner_begin_text(live->planner);
    PlannedStatement planned = { 0 };
    for (int i = 0; i < script.statement_count && !error; i++)
        error = planner_statement(live->planner, &live->arena, script.statements[i], &planned);
    live->plan = (Plan *)planned.plan;
    if (!error && planned.kind == PLANNED_JOB_PART)
        error = planner_job(live->planner, &live->arena, &live->plan);
    if (error)
        fail_msg("%s: %s", query, error->message);
    open_job(live, 1);
}

static int tear_down(void **state)
{
    Live *live = *state;
    if (live->job)
        error_free(job_close(live->job));
    planner_free(live->planner);
    topic_logs_free(live->logs);
    arena_release(&live->arena);
    arena_release(&live->status_arena);
    text_release(&live->rows);
    mem_free(live);
    return 0;
}

/* ---- what happens ---- */

static void put(Live *live, int partition, int second, int value)
{
    char text[100], key[20];
    snprintf(key, sizeof key, "k%d", value % 3);
    snprintf(text, sizeof text, "{\"v\": %d, \"ts\": \"2026-01-01 %02d:%02d:%02d\"}", value, second / 3600, second / 60 % 60, second % 60);
    Record record = { .key = key, .key_length = strlen(key), .value = text, .value_length = strlen(text), .timestamp_us = live->clock.current_us };
    topic_log_append_to(live->bids, partition, &record, true);
}

/* Steps until the job waits, or has ended with an error, which is the caller's. */
static Error *step(Live *live)
{
    do {
        Error *error = job_step(live->job, 1, &live->step);
        if (error)
            return error;
    } while (live->step.state == JOB_READY);
    return NULL;
}

static void step_to_rest(Live *live)
{
    assert_null(step(live));
    assert_int_equal(live->step.state, JOB_WAITING);
}

/* Lets time pass as a scheduler would: the job is stepped whenever its time has come. */
static void pass(Live *live, int seconds)
{
    int64_t until_us = live->clock.current_us + seconds * US_PER_SECOND;
    for (step_to_rest(live); live->step.until_us <= until_us; step_to_rest(live))
        live->clock.current_us = live->step.until_us;
    live->clock.current_us = until_us;
    step_to_rest(live);
}

static void assert_rows(Live *live, const char *expected)
{
    assert_string_equal(text_c(&live->rows), expected);
    live->rows.length = 0;
}

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
#define LIVE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
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
