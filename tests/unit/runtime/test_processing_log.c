/* tests/unit/runtime/test_processing_log.c: what goes wrong with rows and queries is a stream that is always there. */
#include "world.h"

#define BIDS "CREATE STREAM bids (auction BIGINT, price BIGINT) WITH (connector = 'file', path = 'bids.jsonl', format = 'json', on_error = 'skip');"

static void start_with_log(World *world, int rows)
{
    world_start(world);
    world->options.log_rows = rows;
    world->options.log_records = true;
    world_reopen(world);
}

static void a_bad_row_is_an_entry(void **state)
{
    (void)state;
    World world;
    start_with_log(&world, 100);
    world_write(&world, "bids.jsonl", "w", "{\"auction\": 1, \"price\": 5}\nno JSON\n{\"auction\": \"x\"}\n");
    Subscription *errors = subscribe(&world, "SELECT query, stage, operator, source, position, reason, record, record_count FROM processing_log EMIT CHANGES;", 0);
    execute(&world, BIDS "CREATE TABLE counts AS SELECT auction, COUNT(*) AS n FROM bids GROUP BY auction EMIT CHANGES;");
    assert_string_equal(received(&world, errors), "CTAS_COUNTS_1,decode,Scan,bids,27,invalid JSON at byte 0: a record must be an object,no JSON,1\n"
                                                  "CTAS_COUNTS_1,decode,Scan,bids,35,expected BIGINT, found \"x\",{\"auction\": \"x\"},1\n");
    assert_string_equal(pull(&world, "SELECT * FROM counts;"), "1,1\n");
    subscription_close(errors);
    world_end(&world);
}

/* ksqlDB's columns, and its SELECT without EMIT, which reads to the present end. */
static void it_has_ksqldbs_form_too(void **state)
{
    (void)state;
    World world;
    start_with_log(&world, 100);
    world_write(&world, "bids.jsonl", "w", "no JSON\n{\"auction\": 0}\n");
    execute(&world, "SET 'on_expr_error' = 'null';" BIDS "CREATE STREAM parts AS SELECT 1 / auction AS part FROM bids;");
    execute(&world, "SET 'dialect' = 'ksql';");
    assert_string_equal(pull(&world, "SELECT LOGGER, LEVEL, TIME, MESSAGE->TYPE AS T, MESSAGE->DESERIALIZATIONERROR->ERRORMESSAGE AS D, MESSAGE->DESERIALIZATIONERROR->RECORDB64 AS R, "
                                     "MESSAGE->RECORDPROCESSINGERROR->ERRORMESSAGE AS P FROM KSQL_PROCESSING_LOG;"),
                        "processing.CSAS_PARTS_1.bids.deserializer,ERROR,1767225600000,0,invalid JSON at byte 0: a record must be an object,bm8gSlNPTg==,NULL\n"
                        "processing.CSAS_PARTS_1.Project,ERROR,1767225600000,1,NULL,NULL,division by zero\n");
    world_end(&world);
}

static void a_persistent_query_counts_errors(void **state)
{
    (void)state;
    World world;
    start_with_log(&world, 100);
    world_write(&world, "bids.jsonl", "w", "{\"auction\": 1, \"price\": 0}\n{\"auction\": 2, \"price\": 0}\n");
    execute(&world, "CREATE STREAM ids (auction BIGINT, price BIGINT); SET 'on_expr_error' = 'null'; CREATE STREAM halves AS SELECT auction / price AS half FROM ids;");
    execute(&world, "INSERT INTO ids VALUES (1, 0), (2, 0);");
    execute(&world, "CREATE TABLE errors_per_query AS SELECT query, SUM(record_count) AS n, LAST_VALUE(reason) AS reason FROM processing_log GROUP BY query;"); /* it begins with what was */
    assert_string_equal(pull(&world, "SELECT * FROM errors_per_query;"), "CSAS_HALVES_1,2,division by zero\n");
    execute(&world, "INSERT INTO ids VALUES (3, 0), (3, 1);");
    assert_string_equal(pull(&world, "SELECT * FROM errors_per_query WHERE query = 'CSAS_HALVES_1';"), "CSAS_HALVES_1,3,division by zero\n");
    world_end(&world);
}

static void queries_that_fail_are_entries(void **state)
{
    (void)state;
    World world;
    start_with_log(&world, 100);
    world_write(&world, "bids.jsonl", "w", "{\"auction\": 0}\n");
    execute(&world, "CREATE STREAM bids (auction BIGINT) WITH (connector = 'file', path = 'bids.jsonl', format = 'json'); CREATE STREAM parts AS SELECT 1 / auction AS part FROM bids;");
    Subscription *errors = subscribe(&world, "SELECT ts, level, query, stage, source, position FROM processing_log EMIT CHANGES;", 0);
    assert_string_equal(received(&world, errors), "2026-01-01 00:00:00.000,ERROR,CSAS_PARTS_1,error,NULL,NULL\n");
    subscription_close(errors);
    world_end(&world);
}

static void add_numbers(World *world, int count, const char *value)
{
    Text sql = { 0 };
    text_add_c(&sql, "INSERT INTO numbers VALUES ");
    for (int i = 0; i < count; i++)
        text_printf(&sql, "%s(%s)", i ? ", " : "", value);
    text_add_c(&sql, ";");
    execute(world, text_c(&sql));
    text_release(&sql);
}

#define INVERSE "CREATE STREAM numbers (n BIGINT); SET 'on_expr_error' = 'null'; CREATE STREAM inverse AS SELECT 1 / n AS i FROM numbers;"

static void only_the_last_entries_are_kept(void **state)
{
    (void)state;
    World world;
    start_with_log(&world, 3);
    execute(&world, INVERSE);
    add_numbers(&world, 2, "0");
    world_pass(&world, 5000);
    add_numbers(&world, 2, "0");
    Subscription *errors = subscribe(&world, "SELECT ts FROM processing_log EMIT CHANGES;", 0);
    assert_string_equal(received(&world, errors), "2026-01-01 00:00:00.000\n2026-01-01 00:00:00.005\n2026-01-01 00:00:00.005\n");
    subscription_close(errors);
    execute(&world, "SET 'auto.offset.reset' = 'latest';");
    errors = subscribe(&world, "SELECT ts FROM processing_log EMIT CHANGES;", 0);
    assert_string_equal(received(&world, errors), "");
    subscription_close(errors);
    world_end(&world);
}

/* A flood of wrong rows costs little, and the sum of the counts is right all the same. */
static void what_comes_too_fast_is_counted(void **state)
{
    (void)state;
    World world;
    start_with_log(&world, 5000);
    execute(&world, INVERSE "CREATE TABLE totals AS SELECT query, SUM(record_count) AS n, COUNT(*) AS entries FROM processing_log GROUP BY query;");
    for (int i = 0; i < 5; i++)
        add_numbers(&world, 500, "0");
    assert_string_equal(pull(&world, "SELECT * FROM totals;"), "CSAS_INVERSE_1,1000,1000\n");
    world_pass(&world, 1000000);
    assert_string_equal(pull(&world, "SELECT * FROM totals;"), "CSAS_INVERSE_1,2500,1001\n");
    RuntimeMetrics metrics;
    runtime_metrics(world.runtime, &metrics);
    assert_int_equal(metrics.log_records, 1001);
    assert_int_equal(metrics.log_dropped, 1500);
    world_end(&world);
}

/* Neither a query that reads the log, nor one that reads what it makes, whether it comes before or after. */
static void it_never_logs_about_itself(void **state)
{
    (void)state;
    World world;
    start_with_log(&world, 100);
    execute(&world, INVERSE "CREATE STREAM copied (n BIGINT); CREATE STREAM later AS SELECT 1 / n AS i FROM copied;"
                            "INSERT INTO copied SELECT record_count - 1 AS n FROM processing_log; CREATE STREAM own AS SELECT 1 / (record_count - record_count) AS i FROM processing_log;"
                            "CREATE STREAM third AS SELECT 1 / (i - i) AS i FROM own;");
    Subscription *errors = subscribe(&world, "SELECT query, 1 / (record_count - 1) AS i FROM processing_log EMIT CHANGES;", 0);
    add_numbers(&world, 2, "0");
    assert_string_equal(received(&world, errors), "CSAS_INVERSE_1,NULL\nCSAS_INVERSE_1,NULL\n");
    world_pass(&world, 10000000);
    assert_string_equal(received(&world, errors), "");
    subscription_close(errors);
    world_end(&world);
}

/* One that is paused for good holds nobody up: it loses the oldest rows. */
static void a_slow_reader_loses_the_oldest(void **state)
{
    (void)state;
    World world;
    start_with_log(&world, 10);
    execute(&world, INVERSE "CREATE TABLE totals AS SELECT query, COUNT(*) AS entries FROM processing_log GROUP BY query; PAUSE CTAS_TOTALS_2;");
    for (int i = 0; i < 10; i++) {
        add_numbers(&world, 500, "0");
        world_pass(&world, 1000000);
    }
    RuntimeMetrics metrics;
    runtime_metrics(world.runtime, &metrics);
    assert_int_equal(metrics.log_records, 5000);
    assert_int_equal(metrics.log_lost, 500); /* the oldest piece of ten */
    execute(&world, "RESUME CTAS_TOTALS_2;");
    assert_string_equal(pull(&world, "SELECT * FROM totals;"), "CSAS_INVERSE_1,4500\n");
    world_end(&world);
}

static void it_stays_and_is_read_only(void **state)
{
    (void)state;
    World world;
    start_with_log(&world, 10);
    assert_string_equal(execute(&world, "DROP STREAM processing_log;"), "error: 'processing_log' belongs to the server: it stays\n");
    assert_string_equal(execute(&world, "CREATE OR REPLACE STREAM processing_log (a BIGINT);"), "error: 'processing_log' is a source: it is read only, and not replaced\n");
    assert_non_null(strstr(execute(&world, "INSERT INTO ksql_processing_log (level) VALUES ('x');"), "read only"));
    assert_non_null(strstr(execute(&world, "ALTER STREAM processing_log ADD COLUMN x INT;"), "read only"));
    assert_string_equal(execute(&world, "SHOW STREAMS;"), "KSQL_PROCESSING_LOG | process\nprocessing_log | process\n");
    world_end(&world);
}

/* What a server with a data directory stores does not hold it: it is made anew, and queries over it go on. */
static void a_restart_has_it_again(void **state)
{
    (void)state;
    World world;
    world_start_with_data(&world);
    world.options.log_rows = 10;
    world_reopen(&world);
    execute(&world, INVERSE "CREATE TABLE totals AS SELECT query, COUNT(*) AS entries FROM processing_log GROUP BY query;");
    add_numbers(&world, 3, "0");
    assert_string_equal(pull(&world, "SELECT * FROM totals;"), "CSAS_INVERSE_1,3\n");
    world_reopen(&world);
    runtime_work(world.runtime);
    assert_string_equal(pull(&world, "SELECT * FROM totals;"), "CSAS_INVERSE_1,3\n");
    add_numbers(&world, 1, "0");
    assert_string_equal(pull(&world, "SELECT * FROM totals;"), "CSAS_INVERSE_1,4\n");
    world_end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bad_row_is_an_entry),
        cmocka_unit_test(it_has_ksqldbs_form_too),
        cmocka_unit_test(a_persistent_query_counts_errors),
        cmocka_unit_test(queries_that_fail_are_entries),
        cmocka_unit_test(only_the_last_entries_are_kept),
        cmocka_unit_test(what_comes_too_fast_is_counted),
        cmocka_unit_test(it_never_logs_about_itself),
        cmocka_unit_test(a_slow_reader_loses_the_oldest),
        cmocka_unit_test(it_stays_and_is_read_only),
        cmocka_unit_test(a_restart_has_it_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
