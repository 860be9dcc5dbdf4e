/* tests/unit/engine/test_restore.c: a job that is stopped between two turns goes on in another process as if nothing had happened, and only as
 * itself.
 *
 * Each query runs to its end once. Then it is stopped after a number of turns, its snapshot is all that survives, and a job that knows nothing
 * else brings the rest: the rows, their kinds and the counters of both are the same. A snapshot of another plan, of other files, or with a bit
 * turned over is refused. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/value_text.h"
#include "exec/exec.h"
#include "parser/parser.h"
#include "planner/planner.h"

enum { ROWS_A_FILE = 40 };

static char directory[] = "/tmp/bidsql-restore-XXXXXX";

/* ---- the input ---- */

static void write_file(const char *name, const char *bytes, size_t length)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    fclose(file);
}

/* Times run ahead and fall back; some rows are late for every window, one in 13 is broken. */
static void write_bids(const char *name, int seed, bool csv)
{
    Text text = { 0 };
    if (csv)
        text_add_c(&text, "ts,k,v,name\n");
    for (int i = 0; i < ROWS_A_FILE; i++) {
        int second = i * 3 + (i * seed * 7) % 11 - (i % 9 == 8 ? 40 : 0), key = (i * seed) % 4, value = (i * 31 + seed) % 17;
        second = second < 0 ? 0 : second;
        const char *ts = csv ? "2026-01-01 00:%02d:%02d,%d,%d,a name of key %d that is long\n"
                             : "{\"ts\":\"2026-01-01 00:%02d:%02d\",\"k\":%d,\"v\":%d,\"name\":\"a name of key %d that is long\"}\n";
        if (i % 13 == 12)
            text_add_c(&text, csv ? "2026-01-01 00:00:00,x,y\n" : "{\"ts\":\n");
        else
            text_printf(&text, ts, second / 60, second % 60, key, value, key * 3 + i % 2);
    }
    write_file(name, text_c(&text), text.length);
    text_release(&text);
}

static int write_input(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(directory));
    write_bids("bids0.jsonl", 3, false);
    write_bids("bids1.jsonl", 5, false);
    write_bids("bids.csv", 3, true);
    return 0;
}

static int remove_input(void **state)
{
    (void)state;
    char command[300];
    snprintf(command, sizeof command, "rm -r '%s'", directory);
    return system(command);
}

#define COLUMNS "(ts TIMESTAMP(3), k BIGINT, v BIGINT, name STRING, WATERMARK FOR ts AS ts - INTERVAL '2' SECOND)"
#define STREAMS                                                                                                  \
    "CREATE STREAM bids " COLUMNS " WITH (connector = 'file', path = 'bids?.jsonl', on_error = 'skip');"         \
    "CREATE STREAM one " COLUMNS " WITH (connector = 'file', path = 'bids0.jsonl', on_error = 'skip');"          \
    "CREATE STREAM headed " COLUMNS " WITH (connector = 'file', path = 'bids.csv', format = 'csv', on_error = 'skip');"

/* ---- planning and running ---- */

typedef struct Planning {
    Arena arena;
    Planner *planner;
    ConnectorContext connectors;
    Plan *plan;
} Planning;

static void plan_start(Planning *p, const char *query)
{
    *p = (Planning){ .connectors = { .filesystem = filesystem_system(), .clock = clock_system(), .base_directory = directory, .batch_mode = true } };
    arena_init(&p->arena, NULL);
    PlannerOptions options = { .connectors = &p->connectors };
    p->planner = planner_new(&options);
    AstScript script = { 0 };
    const char *sql = arena_printf(&p->arena, "%s%s", STREAMS, query);
    Error *error = parse_script(&p->arena, sql, strlen(sql), NULL, &script);
    planner_begin_text(p->planner);
    PlannedStatement planned = { 0 };
    for (int i = 0; i < script.statement_count && !error; i++)
        error = planner_statement(p->planner, &p->arena, script.statements[i], &planned);
    p->plan = planned.plan;
    if (!error && planned.kind == PLANNED_JOB_PART)
        error = planner_job(p->planner, &p->arena, &p->plan);
    if (error)
        print_error("%s: %s\n", query, error->message);
    assert_null(error);
    assert_non_null(p->plan);
}

static void plan_end(Planning *p)
{
    planner_free(p->planner);
    arena_release(&p->arena);
}

/* A clock by which every turn is drawn once: it stops the job when it has been asked often enough. */
typedef struct StoppingClock {
    Clock clock;
    Job *job;
    int turns_left; /* < 0: never */
} StoppingClock;

static int64_t stopping_now(Clock *clock)
{
    StoppingClock *stopping = (StoppingClock *)clock;
    if (stopping->job && stopping->turns_left >= 0 && stopping->turns_left-- == 0)
        job_stop(stopping->job);
    return 1767225600000000;
}

static void stopping_sleep(Clock *clock, int64_t when_us)
{
    (void)clock;
    (void)when_us;
}

static Error *take_rows(void *caller, int output, const Batch *batch)
{
    Text *rows = caller;
    for (uint32_t i = 0; i < batch->selection.count; i++) {
        uint32_t row = selection_row(&batch->selection, i);
        text_printf(rows, "%d %s", output, row_kind_text(batch_kind(batch, row)));
        for (int c = 0; c < batch->column_count; c++) {
            text_add_char(rows, '|');
            if (vector_is_null(batch->columns[c], row))
                text_add_c(rows, "NULL");
            else
                text_add_value_plain(rows, batch->columns[c], row);
        }
        text_add_char(rows, '\n');
    }
    return NULL;
}

typedef struct Run {
    Planning planning;
    StoppingClock clock;
    Job *job;
} Run;

static void run_open(Run *run, const char *query, Text *rows, int turns)
{
    plan_start(&run->planning, query);
    run->clock = (StoppingClock){ { stopping_now, stopping_sleep, NULL, true }, NULL, turns };
    JobOptions options = { .clock = &run->clock.clock, .filesystem = filesystem_system(), .threads = 1, .batch_rows = 7, .turn_bytes = 1,
        .max_bad_rows = UINT64_MAX, .base_directory = directory, .on_rows = take_rows, .caller = rows };
    assert_null(job_open(run->planning.plan, &options, &run->job));
    run->clock.job = run->job;
}

static void run_close(Run *run)
{
    error_free(job_close(run->job));
    plan_end(&run->planning);
}

static void add_counters(const Job *job, Text *rows)
{
    JobCounters counters;
    job_counters(job, &counters);
    text_printf(rows, "in %llu out %llu bytes %llu bad %llu failed %llu late %llu windows %llu turns %llu\n", (unsigned long long)counters.rows_in,
                (unsigned long long)counters.rows_out, (unsigned long long)counters.bytes_in, (unsigned long long)counters.bad_rows,
                (unsigned long long)counters.row_errors, (unsigned long long)counters.late_rows, (unsigned long long)counters.late_windows,
                (unsigned long long)counters.turns);
    const RowErrorSummary *summaries;
    int count = job_row_errors(job, &summaries);
    for (int i = 0; i < count; i++)
        text_printf(rows, "%s %s %s %s %llu\n", summaries[i].source, summaries[i].stage, summaries[i].place, summaries[i].reason,
                    (unsigned long long)summaries[i].count);
}

/* Runs to the end; the rows, then the counters. */
static void run_to_end(const char *query, Text *rows)
{
    Run run;
    run_open(&run, query, rows, -1);
    assert_null(job_run(run.job));
    add_counters(run.job, rows);
    run_close(&run);
}

/* Runs for some turns; false: it was at its end before. */
static bool run_part(const char *query, int turns, Text *rows, Text *snapshot)
{
    Run run;
    run_open(&run, query, rows, turns);
    Error *error = job_run(run.job);
    bool stopped = error;
    if (error)
        assert_int_equal(error->code, ERR_INTERRUPTED);
    error_free(error);
    if (stopped)
        assert_null(job_snapshot(run.job, snapshot));
    run_close(&run);
    return stopped;
}

static Error *run_rest(const char *query, const Text *snapshot, Text *rows)
{
    Run run;
    run_open(&run, query, rows, -1);
    Error *error = job_restore(run.job, snapshot->bytes, snapshot->length);
    if (!error)
        error = job_run(run.job);
    if (!error)
        add_counters(run.job, rows);
    run_close(&run);
    return error;
}

/* ---- the rest is what would have come ---- */

static const char *const queries[] = {
    "SELECT * FROM headed",
    "SELECT k, v FROM bids LIMIT 50",
    "SELECT k, COUNT(*) AS n, COUNT(DISTINCT name) AS d, MIN(name) AS lowest, MAX(name) AS highest FROM bids "
    "WINDOW TUMBLING (SIZE 20 SECONDS) GROUP BY k EMIT FINAL",
    "SELECT k, COUNT(DISTINCT v) AS d, COUNT(DISTINCT name) FILTER (WHERE v > 5) AS f, LATEST_BY_OFFSET(name) AS l FROM bids "
    "WINDOW TUMBLING (SIZE 20 SECONDS, GRACE PERIOD 10 SECONDS) GROUP BY k EMIT CHANGES",
    "SELECT k, SUM(v) AS s, MIN(name) AS lowest FROM bids WINDOW HOPPING (SIZE 30 SECONDS, ADVANCE BY 10 SECONDS) GROUP BY k EMIT FINAL",
    "SELECT k, SUM(v) AS s FROM bids WINDOW HOPPING (SIZE 100 SECONDS, ADVANCE BY 1 SECOND) GROUP BY k EMIT FINAL",
    "SELECT k, COUNT(DISTINCT name) AS d FROM bids WINDOW HOPPING (SIZE 30 SECONDS, ADVANCE BY 10 SECONDS, GRACE PERIOD 5 SECONDS) "
    "GROUP BY k EMIT AFTER WATERMARK",
    "SELECT k, COUNT(*) AS n, COUNT(DISTINCT name) AS d, MAX(name) AS highest, WINDOWEND AS e FROM bids WINDOW SESSION (4 SECONDS, GRACE PERIOD 5 SECONDS) "
    "GROUP BY k EMIT FINAL",
    "SELECT k, COUNT(*) AS n, MIN(name) AS lowest FROM bids WINDOW SESSION (4 SECONDS) GROUP BY k EMIT CHANGES",
    "SELECT k, SUM(v) AS s, MIN(name) AS lowest, COUNT(DISTINCT v) AS d FROM bids GROUP BY k",
    "SELECT k, SUM(v) AS s, MIN(name) AS lowest, COUNT(DISTINCT v) AS d FROM bids GROUP BY k EMIT CHANGES",
    "SELECT DISTINCT name FROM headed",
    "SELECT * FROM (SELECT k, v, name, ROW_NUMBER() OVER (PARTITION BY k ORDER BY v DESC, name) AS place FROM bids) WHERE place <= 3",
    "SELECT * FROM (SELECT window_start, k, n, RANK() OVER (PARTITION BY window_start ORDER BY n DESC) AS place FROM "
    "(SELECT window_start, window_end, k, COUNT(*) AS n FROM bids WINDOW TUMBLING (SIZE 20 SECONDS) GROUP BY window_start, window_end, k)) WHERE place <= 2",
    "SELECT k, v, SUM(v) OVER (PARTITION BY k ORDER BY ts, v ROWS 3 PRECEDING) AS s, MIN(name) OVER (PARTITION BY k ORDER BY ts RANGE INTERVAL '20' SECOND PRECEDING) AS lowest, "
    "LAG(name) IGNORE NULLS OVER (PARTITION BY k ORDER BY ts) AS l, FIRST_VALUE(name) OVER (PARTITION BY k ORDER BY ts) AS f, "
    "COUNT(DISTINCT name) OVER (ORDER BY ts RANGE BETWEEN INTERVAL '5' SECOND PRECEDING AND INTERVAL '5' SECOND FOLLOWING) AS d FROM bids",
    "SELECT k, LEAD(v, 2) OVER (PARTITION BY k ORDER BY ts) AS l, LATEST_BY_OFFSET(name) OVER (PARTITION BY k ORDER BY ts ROWS 4 PRECEDING) AS n FROM bids",
    "SELECT k, LAST(name) OVER (PARTITION BY k LIMIT DURATION(second, 9) WHEN v > 5) AS l, ISFIRST(second, 10) OVER (PARTITION BY k) AS f FROM bids WHERE v > 2",
    "SELECT k, NTILE(3) OVER (PARTITION BY k ORDER BY v, name) AS t, SUM(v) OVER (ORDER BY v RANGE 2 PRECEDING) AS s FROM bids",
    "SELECT window_start, k, SUM(n) OVER (PARTITION BY window_start ORDER BY k) AS s FROM "
    "(SELECT window_start, window_end, k, COUNT(*) AS n FROM bids WINDOW TUMBLING (SIZE 20 SECONDS) GROUP BY window_start, window_end, k)",
    "SELECT v, name FROM bids ORDER BY v, name DESC",
    "SELECT v, name FROM bids ORDER BY v DESC LIMIT 5",
    "SELECT window_start, COUNT(*) AS n FROM (SELECT ts FROM one WHERE k = 1 UNION ALL SELECT ts FROM one UNION ALL SELECT ts FROM headed) "
    "WINDOW TUMBLING (SIZE 20 SECONDS) GROUP BY window_start",
    "SELECT a.k, a.v, b.name FROM bids a FULL JOIN bids b WITHIN 3 SECONDS GRACE PERIOD 1 SECOND ON a.k = b.k AND a.v < b.v",
    "SELECT a.v, a.name, b.n FROM bids a LEFT JOIN (SELECT k, COUNT(*) AS n FROM bids GROUP BY k) AS b ON a.k = b.k AND a.v < b.n EMIT CHANGES",
    "SELECT a.v, b.v FROM one a JOIN headed b ON a.k = b.k",
    "SELECT window_start, MAX(n) AS most FROM (SELECT window_time, k, COUNT(*) AS n FROM bids WINDOW TUMBLING (SIZE 5 SECONDS, GRACE PERIOD 3 SECONDS) "
    "GROUP BY window_time, k) WINDOW TUMBLING (SIZE 30 SECONDS) GROUP BY window_start",
};

static void the_rest_comes_after_a_restore(void **state)
{
    (void)state;
    for (size_t q = 0; q < sizeof queries / sizeof *queries; q++) {
        Text whole = { 0 };
        run_to_end(queries[q], &whole);
        bool stopped = true;
        for (int turns = 0; stopped; turns += 3) {
            Text rows = { 0 }, snapshot = { 0 };
            stopped = run_part(queries[q], turns, &rows, &snapshot);
            if (stopped) {
                Error *error = run_rest(queries[q], &snapshot, &rows);
                if (error)
                    print_error("%s, stopped in turn %d: %s\n", queries[q], turns, error->message);
                assert_null(error);
                if (strcmp(text_c(&rows), text_c(&whole)) != 0)
                    print_error("%s, stopped in turn %d\n-- whole\n%s-- in parts\n%s", queries[q], turns, text_c(&whole), text_c(&rows));
                assert_string_equal(text_c(&rows), text_c(&whole));
            }
            text_release(&rows);
            text_release(&snapshot);
        }
        text_release(&whole);
    }
}

/* ---- what a snapshot does not belong to ---- */

#define WINDOWED(size, key, more) "SELECT " key ", COUNT(*) AS n FROM bids " more " WINDOW TUMBLING (SIZE " size " SECONDS) GROUP BY " key

static void assert_refused(const char *query, const Text *snapshot, const char *reason)
{
    Text rows = { 0 };
    Error *error = run_rest(query, snapshot, &rows);
    if (!error || !strstr(error->message, reason))
        print_error("%s: %s\n", query, error ? error->message : "was taken");
    assert_non_null(error);
    assert_non_null(strstr(error->message, reason));
    error_free(error);
    text_release(&rows);
}

static void another_plan_is_refused(void **state)
{
    (void)state;
    static const char *const others[] = {
        WINDOWED("21", "k", ""), WINDOWED("20", "v", ""), WINDOWED("20", "k", "WHERE v > 3"), WINDOWED("20", "k", "") " EMIT CHANGES",
        "SELECT k, COUNT(*) AS n FROM one WINDOW TUMBLING (SIZE 20 SECONDS) GROUP BY k", "SELECT k FROM bids",
    };
    Text rows = { 0 }, snapshot = { 0 };
    assert_true(run_part(WINDOWED("20", "k", ""), 20, &rows, &snapshot));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_refused(others[i], &snapshot, "belongs to another plan");
    text_release(&rows);
    text_release(&snapshot);
}

/* What a sink wrote is cut back to what the snapshot says: that must be the same sink. */
static void another_sink_is_refused(void **state)
{
    (void)state;
#define INTO(name, options) "CREATE STREAM " name " (k BIGINT, v BIGINT) WITH (connector = 'file', " options "); INSERT INTO " name " SELECT k, v FROM bids"
    static const char *const others[] = {
        INTO("result", "path = 'other.csv', format = 'csv'"), INTO("result", "path = 'result.csv', format = 'json'"),
        INTO("result", "path = 'result.csv', format = 'csv', delimiter = ';'"),
    };
    Text rows = { 0 }, snapshot = { 0 };
    assert_true(run_part(INTO("result", "path = 'result.csv', format = 'csv'"), 20, &rows, &snapshot));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_refused(others[i], &snapshot, "belongs to another plan");
    text_release(&rows);
    text_release(&snapshot);
}

/* A position belongs to a file, not to a place in the list of files. */
static void other_files_are_refused(void **state)
{
    (void)state;
    Text rows = { 0 }, snapshot = { 0 };
    const char *query = WINDOWED("20", "k", "");
    assert_true(run_part(query, 20, &rows, &snapshot));
    char from[256], to[256];
    snprintf(from, sizeof from, "%s/bids0.jsonl", directory);
    snprintf(to, sizeof to, "%s/bids2.jsonl", directory);
    assert_int_equal(rename(from, to), 0);
    assert_refused(query, &snapshot, "bids0.jsonl");
    assert_int_equal(rename(to, from), 0);
    text_release(&rows);
    text_release(&snapshot);
}

static size_t rows_of(const Text *text)
{
    size_t rows = 0;
    for (const char *row = strstr(text_c((Text *)text), "0 +I|"); row; row = strstr(row + 1, "\n0 +I|"))
        rows++;
    return rows;
}

/* Files that have come since are read from their start; one that was read to its end may be gone. */
static void more_and_fewer_files_are_taken(void **state)
{
    (void)state;
    Text rows = { 0 }, snapshot = { 0 }, rest = { 0 };
    const char *query = "SELECT k, v FROM bids";
    char path[256];
    snprintf(path, sizeof path, "%s/bids2.jsonl", directory);
    assert_true(run_part(query, 20, &rows, &snapshot));
    write_bids("bids2.jsonl", 3, false);
    assert_null(run_rest(query, &snapshot, &rest));
    assert_int_equal(rows_of(&rows) + rows_of(&rest), 3 * (ROWS_A_FILE - ROWS_A_FILE / 13));
    for (int turns = 100;; turns++) { /* bids2 has come last: the first file that ends is another one */
        text_release(&rows);
        text_release(&snapshot);
        text_release(&rest);
        if (!run_part(query, turns, &rows, &snapshot))
            break;
        assert_int_equal(remove(path), 0);
        Error *error = run_rest(query, &snapshot, &rest);
        write_bids("bids2.jsonl", 3, false);
        assert_true(!error || strstr(error->message, "the snapshot goes on in 'bids2.jsonl', which is gone"));
        error_free(error);
    }
    assert_int_equal(remove(path), 0);
    text_release(&rows);
    text_release(&snapshot);
}

static void damage_is_refused(void **state)
{
    (void)state;
    Text rows = { 0 }, snapshot = { 0 };
    assert_true(run_part(queries[2], 40, &rows, &snapshot));
    for (size_t at = 0; at < snapshot.length; at += 1 + snapshot.length / 200) {
        snapshot.bytes[at] ^= 0x10;
        assert_refused(queries[2], &snapshot, "snapshot");
        snapshot.bytes[at] ^= 0x10;
    }
    const size_t length = snapshot.length;
    for (snapshot.length = 0; snapshot.length < length; snapshot.length += 1 + length / 50)
        assert_refused(queries[2], &snapshot, "snapshot");
    snapshot.length = length;
    text_release(&rows);
    text_release(&snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rest_comes_after_a_restore), cmocka_unit_test(another_plan_is_refused), cmocka_unit_test(another_sink_is_refused),
        cmocka_unit_test(other_files_are_refused), cmocka_unit_test(more_and_fewer_files_are_taken), cmocka_unit_test(damage_is_refused),
    };
    return cmocka_run_group_tests(tests, write_input, remove_input);
}
