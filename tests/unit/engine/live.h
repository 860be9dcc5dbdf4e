/* tests/unit/engine/live.h: what tests of jobs that wait share: topics that are logs in the process, a clock that goes where it is told to, and a
 * test that does what a scheduler would do. Nothing sleeps. */
#pragma once
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

static inline Error *take_rows(void *caller, int output, const Batch *batch)
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

static inline void on_wake(void *caller) { ((Live *)caller)->wakes++; }

/* ---- planning, opening ---- */

static inline int set_up(void **state)
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

static inline void open_job(Live *live, int threads)
{
    JobOptions options = { .clock = &live->clock.clock, .filesystem = filesystem_system(), .threads = threads, .turn_bytes = 1, .max_bad_rows = UINT64_MAX,
        .topics = live->logs, .on_rows = take_rows, .on_wake = on_wake, .caller = live };
    assert_null(job_open(live->plan, &options, &live->job));
}

static inline void start(Live *live, const char *query)
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

static inline int tear_down(void **state)
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

static inline void put(Live *live, int partition, int second, int value)
{
    char text[100], key[20];
    snprintf(key, sizeof key, "k%d", value % 3);
    snprintf(text, sizeof text, "{\"v\": %d, \"ts\": \"2026-01-01 %02d:%02d:%02d\"}", value, second / 3600, second / 60 % 60, second % 60);
    Record record = { .key = key, .key_length = strlen(key), .value = text, .value_length = strlen(text), .timestamp_us = live->clock.current_us };
    topic_log_append_to(live->bids, partition, &record, true);
}

/* Steps until the job waits, or has ended with an error, which is the caller's. */
static inline Error *step(Live *live)
{
    do {
        Error *error = job_step(live->job, 1, &live->step);
        if (error)
            return error;
    } while (live->step.state == JOB_READY);
    return NULL;
}

static inline void step_to_rest(Live *live)
{
    assert_null(step(live));
    assert_int_equal(live->step.state, JOB_WAITING);
}

/* Lets time pass as a scheduler would: the job is stepped whenever its time has come. */
static inline void pass(Live *live, int seconds)
{
    int64_t until_us = live->clock.current_us + seconds * US_PER_SECOND;
    for (step_to_rest(live); live->step.until_us <= until_us; step_to_rest(live))
        live->clock.current_us = live->step.until_us;
    live->clock.current_us = until_us;
    step_to_rest(live);
}

static inline void assert_rows(Live *live, const char *expected)
{
    assert_string_equal(text_c(&live->rows), expected);
    live->rows.length = 0;
}

#define LIVE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
