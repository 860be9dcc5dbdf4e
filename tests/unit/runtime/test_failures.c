/* tests/unit/runtime/test_failures.c: what may pass by is tried again after a while; what does not is given up, with its reason. */
#include "world.h"

#define BIDS "CREATE STREAM bids (auction BIGINT, price BIGINT) WITH (connector = 'file', path = 'bids.jsonl', follow = true);"
#define COUNTS "CREATE TABLE counts AS SELECT auction, COUNT(*) AS n FROM bids GROUP BY auction;"

static FileSystem flaky;
static int failures_left, globs_left;

static Error *fail_read(FileSystem *fs, int handle, uint64_t offset, void *bytes, size_t size, size_t *done)
{
    (void)fs;
    if (failures_left && failures_left-- > 0) {
        Error *error = error_new(ERR_IO, "the disk does not answer");
        error->retriable = true;
        return error;
    }
    FileSystem *real = filesystem_system();
    return real->read_at(real, handle, offset, bytes, size, done);
}

static Error *fail_glob(FileSystem *fs, Arena *arena, const char *pattern, const char *const **paths, int *count)
{
    if (strstr(pattern, "bids.jsonl") && globs_left && globs_left-- > 0) {
        Error *error = error_new(ERR_IO, "the disk is not there yet");
        error->retriable = true;
        return error;
    }
    return filesystem_system()->glob(fs, arena, pattern, paths, count);
}

static void start_flaky(World *world)
{
    world_start_with_data(world);
    world_close(world);
    flaky = *filesystem_system();
    flaky.read_at = fail_read;
    flaky.glob = fail_glob;
    failures_left = globs_left = 0;
    world->options.filesystem = &flaky;
    world_open(world);
    world_write(world, "bids.jsonl", "w", "{\"auction\":1,\"price\":5}\n");
}

static const char *state_of(World *world, const char *id)
{
    static char state[16];
    const char *line = strstr(execute(world, "SHOW QUERIES;"), id);
    assert_non_null(line);
    assert_int_equal(sscanf(line + strlen(id), " | PERSISTENT | %15s |", state), 1);
    return state;
}

static void a_query_comes_back_after_a_while(void **state)
{
    (void)state;
    World world;
    start_flaky(&world);
    execute(&world, BIDS COUNTS);
    world_pass(&world, 10000);
    assert_string_equal(pull(&world, "SELECT * FROM counts;"), "1,1\n");
    assert_null(runtime_checkpoint(world.runtime));
    world_write(&world, "bids.jsonl", "a", "{\"auction\":1,\"price\":6}\n");
    failures_left = 2;
    world.events.length = 0;
    world_pass(&world, 50000);
    assert_string_equal(text_c(&world.events), "CTAS_COUNTS_1 failed: 'bids.jsonl': the disk does not answer\n");
    assert_string_equal(pull(&world, "SELECT * FROM counts;"), "error: 'counts' holds nothing: its query is in state RUNNING\n");
    world_pass(&world, 150000); /* 0.2 s have not passed */
    assert_non_null(strstr(execute(&world, "SHOW QUERIES;"), "| RUNNING | counts | bids | 0 | 'bids.jsonl': the disk does not answer |"));
    world_pass(&world, 50000);
    world_pass(&world, 100000);
    world_pass(&world, 300000); /* then 0.4 s */
    world_pass(&world, 100000);
    assert_string_equal(pull(&world, "SELECT * FROM counts;"), "1,2\n");
    assert_non_null(strstr(execute(&world, "SHOW QUERIES;"), "| RUNNING | counts | bids | 2 |"));
    world_end(&world);
}

static void what_is_away_when_the_process_starts_is_waited_for(void **state)
{
    (void)state;
    World world;
    start_flaky(&world);
    execute(&world, BIDS COUNTS "CREATE TABLE most AS SELECT MAX(price) AS price FROM bids;");
    world_pass(&world, 10000);
    assert_null(runtime_checkpoint(world.runtime));
    execute(&world, "PAUSE CTAS_MOST_2;");
    world_write(&world, "bids.jsonl", "a", "{\"auction\":1,\"price\":6}\n");
    globs_left = 2; /* one for each query */
    world_reopen(&world);
    assert_int_equal(globs_left, 0);
    assert_non_null(strstr(execute(&world, "SHOW QUERIES;"), "| RUNNING | counts | bids | 0 | the disk is not there yet |"));
    assert_string_equal(state_of(&world, "CTAS_MOST_2"), "PAUSED");
    world_pass(&world, 100000);
    world_pass(&world, 150000);
    world_pass(&world, 10000);
    assert_string_equal(pull(&world, "SELECT * FROM counts;"), "1,2\n");
    assert_string_equal(state_of(&world, "CTAS_MOST_2"), "PAUSED");
    execute(&world, "RESUME CTAS_MOST_2;");
    world_pass(&world, 10000);
    assert_string_equal(pull(&world, "SELECT * FROM most;"), "6\n");
    world_end(&world);
}

static void after_ten_failures_without_progress_it_is_given_up(void **state)
{
    (void)state;
    World world;
    start_flaky(&world);
    execute(&world, BIDS COUNTS "CREATE STREAM numbers (n BIGINT); CREATE TABLE all_numbers AS SELECT COUNT(*) AS n FROM numbers;");
    failures_left = 1000;
    world_write(&world, "bids.jsonl", "a", "{\"auction\":1,\"price\":6}\n");
    int64_t start_us = world.clock.current_us;
    while (strcmp(state_of(&world, "CTAS_COUNTS_1"), "RUNNING") == 0 && world.clock.current_us < start_us + 600000000)
        world_pass(&world, 100000);
    int64_t passed_us = world.clock.current_us - start_us;
    assert_true(passed_us > 75000000 && passed_us < 100000000); /* 0.2 + 0.4 .. + 30 s, nine times */
    assert_string_equal(state_of(&world, "CTAS_COUNTS_1"), "ERROR");
    assert_string_equal(state_of(&world, "CTAS_ALL_NUMBERS_2"), "RUNNING");
    execute(&world, "INSERT INTO numbers VALUES (1), (2);");
    assert_string_equal(pull(&world, "SELECT * FROM all_numbers;"), "2\n");
    failures_left = 0;
    world_reopen(&world);
    assert_string_equal(state_of(&world, "CTAS_COUNTS_1"), "ERROR");
    execute(&world, "RESUME CTAS_COUNTS_1;");
    world_pass(&world, 10000);
    assert_string_equal(pull(&world, "SELECT * FROM counts;"), "1,2\n");
    world_end(&world);
}

static void failures_and_restarts_are_in_the_processing_log(void **state)
{
    (void)state;
    World world;
    start_flaky(&world);
    world_close(&world);
    world.options.log_rows = 10;
    world_open(&world);
    execute(&world, BIDS "CREATE TABLE counts AS SELECT auction, COUNT(*) AS n FROM bids GROUP BY auction;");
    world_pass(&world, 10000);
    Subscription *log = subscribe(&world, "SELECT ts, level, query, stage, record_count FROM processing_log EMIT CHANGES;", 0);
    failures_left = 1;
    world_write(&world, "bids.jsonl", "a", "{\"auction\":1,\"price\":6}\n");
    world_pass(&world, 50000);
    world_pass(&world, 200000);
    assert_string_equal(received(&world, log), "2026-01-01 00:00:00.060,ERROR,CTAS_COUNTS_1,failed,0\n2026-01-01 00:00:00.260,INFO,CTAS_COUNTS_1,restart,0\n");
    subscription_close(log);
    world_end(&world);
}

/* Whoever reads what the failing query wrote goes back with it: nothing is counted twice or lost. */
static void queries_that_are_linked_go_back_together(void **state)
{
    (void)state;
    World world;
    start_flaky(&world);
    execute(&world, BIDS "CREATE STREAM copies AS SELECT * FROM bids; CREATE TABLE counts AS SELECT auction, COUNT(*) AS n FROM copies GROUP BY auction;");
    world_pass(&world, 10000);
    assert_null(runtime_checkpoint(world.runtime));
    world_write(&world, "bids.jsonl", "a", "{\"auction\":1,\"price\":6}\n");
    world_pass(&world, 10000);
    assert_string_equal(pull(&world, "SELECT * FROM counts;"), "1,2\n");
    failures_left = 1;
    world_write(&world, "bids.jsonl", "a", "{\"auction\":1,\"price\":7}\n");
    world_pass(&world, 50000);
    world_pass(&world, 200000);
    world_pass(&world, 100000);
    assert_string_equal(pull(&world, "SELECT * FROM counts;"), "1,3\n");
    world_end(&world);
}

static void limits_are_told(void **state)
{
    (void)state;
    World world;
    world_start(&world);
    world_close(&world);
    world.options.max_queries = 1;
    world.options.max_subscriptions = 1;
    world.options.query_memory_limit_bytes = 4 << 20;
    world_open(&world);
    execute(&world, "CREATE STREAM bids (auction BIGINT, price BIGINT); CREATE STREAM a AS SELECT * FROM bids;");
    assert_string_equal(execute(&world, "CREATE STREAM b AS SELECT * FROM bids;"), "error: 1 queries run already: that is the limit; TERMINATE one first\n");
    assert_string_equal(execute(&world, "SHOW STREAMS;"), "a | process\nbids | process\n"); /* nothing half-made is left */
    Subscription *first = subscribe(&world, "SELECT * FROM bids EMIT CHANGES;", 0), *second = NULL;
    QueryOptions options = { 0 };
    const char *sql = "SELECT price FROM bids EMIT CHANGES;";
    Error *error = runtime_query(world.session, sql, strlen(sql), &options, &second);
    assert_non_null(error);
    assert_string_equal(error->message, "1 subscriptions are open: that is the limit");
    error_free(error);
    subscription_close(first);
    execute(&world, "TERMINATE CSAS_A_1; CREATE TABLE many AS SELECT price, COUNT(*) AS n FROM bids GROUP BY price;");
    for (int i = 0; i < 200; i++) {
        Text sql_text = { 0 };
        text_add_c(&sql_text, "INSERT INTO bids VALUES ");
        for (int row = 0; row < 500; row++)
            text_printf(&sql_text, "%s(1, %d)", row ? ", " : "", i * 500 + row);
        text_add_char(&sql_text, ';');
        execute(&world, text_c(&sql_text));
        text_release(&sql_text);
    }
    assert_non_null(strstr(execute(&world, "SHOW QUERIES;"), "| ERROR | many | bids | 0 | the query holds "));
    world_end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_query_comes_back_after_a_while),
        cmocka_unit_test(what_is_away_when_the_process_starts_is_waited_for), cmocka_unit_test(after_ten_failures_without_progress_it_is_given_up),
        cmocka_unit_test(queries_that_are_linked_go_back_together),
        cmocka_unit_test(limits_are_told),
        cmocka_unit_test(failures_and_restarts_are_in_the_processing_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
