/* tests/unit/runtime/test_queries.c: persistent queries: they start in the background, read each other, and are told to end. */
#include "world.h"

#define BIDS "CREATE STREAM bids (auction BIGINT, price BIGINT);"

static void a_stream_feeds_the_queries_that_read_it(void **state)
{
    (void)state;
    World world;
    world_start(&world);
    assert_string_equal(execute(&world, BIDS "CREATE STREAM dear AS SELECT auction, price FROM bids WHERE price > 10;"
                                             "CREATE TABLE counts AS SELECT auction, COUNT(*) AS n FROM dear GROUP BY auction;"),
                        "create stream bids\ncreate stream dear CSAS_DEAR_1\ncreate table counts CTAS_COUNTS_2\n");
    assert_string_equal(execute(&world, "INSERT INTO bids VALUES (1, 5), (1, 20), (2, 30), (1, 40);"), "insert stream bids\n");
    assert_string_equal(pull(&world, "SELECT * FROM counts;"), "1,2\n2,1\n");
    assert_string_equal(pull(&world, "SELECT n FROM counts WHERE auction = 1;"), "2\n");
    assert_string_equal(execute(&world, "SHOW QUERIES;"),
                        "CSAS_DEAR_1 | PERSISTENT | RUNNING | dear | bids | 0 |  | CREATE STREAM dear AS SELECT auction, price FROM bids WHERE price > 10\n"
                        "CTAS_COUNTS_2 | PERSISTENT | RUNNING | counts | dear | 0 |  | CREATE TABLE counts AS SELECT auction, COUNT(*) AS n FROM dear GROUP BY auction\n");
    world_end(&world);
}

static void what_is_read_is_not_dropped(void **state)
{
    (void)state;
    World world;
    world_start(&world);
    execute(&world, BIDS "CREATE STREAM dear AS SELECT * FROM bids WHERE price > 10; CREATE STREAM copy (auction BIGINT, price BIGINT); INSERT INTO copy SELECT * FROM dear;");
    assert_string_equal(execute(&world, "DROP STREAM bids;"), "error: 'bids' is read by the query CSAS_DEAR_1; TERMINATE CSAS_DEAR_1 first\n");
    assert_string_equal(execute(&world, "DROP STREAM dear;"), "error: 'dear' is read by the query INSERTQUERY_2; TERMINATE INSERTQUERY_2 first\n");
    assert_string_equal(execute(&world, "DROP STREAM copy;"), "error: 'copy' is written by the query INSERTQUERY_2; TERMINATE INSERTQUERY_2 first\n");
    assert_string_equal(execute(&world, "TERMINATE INSERTQUERY_3;"), "error: no query 'INSERTQUERY_3'; did you mean 'INSERTQUERY_2'?\n");
    assert_string_equal(execute(&world, "TERMINATE INSERTQUERY_2; DROP STREAM dear; DROP STREAM copy; DROP STREAM bids;"),
                        "terminate query INSERTQUERY_2 INSERTQUERY_2\ndrop stream dear\ndrop stream copy\ndrop stream bids\n");
    assert_string_equal(execute(&world, "SHOW QUERIES;"), "");
    world_end(&world);
}

static void a_paused_query_goes_on_where_it_stopped(void **state)
{
    (void)state;
    World world;
    world_start(&world);
    execute(&world, BIDS "CREATE TABLE counts AS SELECT auction, COUNT(*) AS n FROM bids GROUP BY auction;");
    execute(&world, "INSERT INTO bids VALUES (1, 5); PAUSE CTAS_COUNTS_1; INSERT INTO bids VALUES (1, 6);");
    assert_string_equal(pull(&world, "SELECT * FROM counts;"), "");
    execute(&world, "RESUME CTAS_COUNTS_1;");
    assert_string_equal(pull(&world, "SELECT * FROM counts;"), "1,2\n");
    world_end(&world);
}

static void a_new_reader_of_a_table_gets_what_it_holds_first(void **state)
{
    (void)state;
    World world;
    world_start(&world);
    execute(&world, BIDS "CREATE TABLE counts AS SELECT auction, COUNT(*) AS n FROM bids GROUP BY auction;");
    execute(&world, "INSERT INTO bids VALUES (1, 5), (2, 5), (1, 6);");
    execute(&world, "CREATE TABLE busy AS SELECT n, COUNT(*) AS auctions FROM counts GROUP BY n;");
    assert_string_equal(pull(&world, "SELECT * FROM busy;"), "2,1\n1,1\n");
    execute(&world, "INSERT INTO bids VALUES (2, 7);");
    assert_string_equal(pull(&world, "SELECT * FROM busy;"), "2,2\n");
    world_end(&world);
}

static void a_script_with_a_mistake_does_nothing(void **state)
{
    (void)state;
    World world;
    world_start(&world);
    assert_string_equal(execute(&world, BIDS "CREATE STREAM dear AS SELECT auctoin FROM bids;"), "error: no column 'auctoin' in bids; did you mean 'auction'?\n");
    assert_string_equal(execute(&world, "SHOW STREAMS;"), "");
    world_end(&world);
}

static void a_failing_query_stops_alone(void **state)
{
    (void)state;
    World world;
    world_start(&world);
    execute(&world, BIDS "CREATE STREAM shares AS SELECT auction, 100 / price AS share FROM bids; CREATE TABLE counts AS SELECT auction, COUNT(*) AS n FROM bids GROUP BY auction;");
    execute(&world, "INSERT INTO bids VALUES (1, 0), (1, 5);");
    assert_string_equal(pull(&world, "SELECT * FROM counts;"), "1,2\n");
    assert_string_equal(execute(&world, "SHOW QUERIES;"),
                        "CSAS_SHARES_1 | PERSISTENT | ERROR | shares | bids | 0 | bids, row 1: column 'share': division by zero | CREATE STREAM shares AS SELECT auction, 100 / price AS share FROM bids\n"
                        "CTAS_COUNTS_2 | PERSISTENT | RUNNING | counts | bids | 0 |  | CREATE TABLE counts AS SELECT auction, COUNT(*) AS n FROM bids GROUP BY auction\n");
    world_end(&world);
}

/* What reads a stream whose query has read all of a file has read everything, too: its windows close. */
static void the_end_of_a_file_is_the_end_of_what_is_made_of_it(void **state)
{
    (void)state;
    World world;
    world_start_with_data(&world);
    world_write(&world, "clicks.jsonl", "w", "{\"page\":\"a\",\"ts\":\"2026-01-01 10:00:01\"}\n{\"page\":\"a\",\"ts\":\"2026-01-01 10:00:02\"}\n{\"page\":\"b\",\"ts\":\"2026-01-01 10:01:03\"}\n");
    execute(&world, "CREATE STREAM clicks (page STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH (connector = 'file', path = 'clicks.jsonl');"
                    "CREATE STREAM seen AS SELECT page, ts FROM clicks;"
                    "CREATE TABLE counts AS SELECT page, COUNT(*) AS n FROM seen WINDOW TUMBLING (SIZE 1 MINUTE) GROUP BY page EMIT FINAL;"
                    "CREATE STREAM late (page STRING); CREATE TABLE others AS SELECT page, COUNT(*) AS n FROM late GROUP BY page;");
    assert_string_equal(pull(&world, "SELECT page, n FROM counts;"), "a,2\nb,1\n");
    const char *queries = execute(&world, "SHOW QUERIES;");
    assert_non_null(strstr(queries, "CSAS_SEEN_1 | PERSISTENT | COMPLETED"));
    assert_non_null(strstr(queries, "CTAS_COUNTS_2 | PERSISTENT | COMPLETED"));
    assert_non_null(strstr(queries, "CTAS_OTHERS_3 | PERSISTENT | RUNNING"));
    world_reopen(&world);
    assert_string_equal(pull(&world, "SELECT page, n FROM counts;"), "a,2\nb,1\n");
    assert_non_null(strstr(execute(&world, "SHOW QUERIES;"), "CTAS_COUNTS_2 | PERSISTENT | COMPLETED"));
    Subscription *changes = subscribe(&world, "SELECT page, n FROM counts EMIT CHANGES;", 0);
    assert_string_equal(received(&world, changes), "a,2\nb,1\n");
    subscription_close(changes);
    world_end(&world);
}

static void where_queries_stand_is_told(void **state)
{
    (void)state;
    World world;
    world_start(&world);
    execute(&world, BIDS "CREATE TABLE counts AS SELECT auction, COUNT(*) AS n FROM bids GROUP BY auction;");
    execute(&world, "INSERT INTO bids VALUES (1, 5), (2, 6);");
    world_pass(&world, 1000000);
    assert_string_equal(execute(&world, "SHOW LAG;"), "CTAS_COUNTS_1 | bids | bids | 2 | 2 | 0 | 2026-01-01 00:00:00.000 | caught up\n");
    assert_non_null(strstr(execute(&world, "EXPLAIN CTAS_COUNTS_1;"), "CTAS_COUNTS_1 PERSISTENT RUNNING\nCREATE TABLE counts AS"));
    assert_string_equal(execute(&world, "DESCRIBE counts;"), "auction | BIGINT | primary key | \nn | BIGINT |  | \n |  |  | \nwritten by the queries | CTAS_COUNTS_1 |  | \n");
    world_end(&world);
}

static void visit_nodes(void *caller, const QueryInfo *query, const JobStatus *status)
{
    Text *out = caller;
    for (int id = 0; status->nodes && id < query->plan->node_count; id++) {
        const NodeCounters *c = &status->nodes[id];
        text_printf(out, "%s %llu %llu %llu late %llu rows %llu\n", plan_kind_name(query->plan->nodes[id]->kind), (unsigned long long)c->rows_in, (unsigned long long)c->rows_out,
                    (unsigned long long)c->batches, (unsigned long long)c->late_rows, (unsigned long long)c->held_rows);
        if (query->plan->nodes[id]->kind == PLAN_WINDOW_AGGREGATE)
            text_printf(out, "%lld open\n", (long long)c->open_windows);
    }
}

static void operators_are_counted_where_that_is_asked_for(void **state)
{
    (void)state;
    World world;
    world_start(&world);
    world_close(&world);
    world.options.count_nodes = true;
    world_open(&world);
    execute(&world, "CREATE STREAM bids (auction BIGINT, price BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts);"
                    "CREATE TABLE counts AS SELECT auction, COUNT(*) AS n FROM bids WINDOW TUMBLING (SIZE 10 SECONDS) WHERE price > 10 GROUP BY auction EMIT FINAL;");
    execute(&world, "INSERT INTO bids VALUES (1, 5, '2026-01-01 00:00:01'), (1, 20, '2026-01-01 00:00:02'), (2, 20, '2026-01-01 00:00:02'), (1, 30, '2026-01-01 00:00:25');");
    execute(&world, "INSERT INTO bids VALUES (1, 40, '2026-01-01 00:00:03');");
    world.out.length = 0;
    assert_true(runtime_status(world.runtime, "CTAS_COUNTS_1", visit_nodes, &world.out));
    assert_string_equal(text_c(&world.out), "Scan 0 5 2 late 0 rows 0\nWatermark 5 5 2 late 0 rows 0\nFilter 5 4 2 late 0 rows 0\nWindowAggregate 4 2 2 late 1 rows 1\n1 open\n"
                                            "Project 2 2 1 late 0 rows 0\nSink 2 0 1 late 0 rows 4\n");
    const char *plan = execute(&world, "EXPLAIN ANALYZE CTAS_COUNTS_1;");
    assert_non_null(strstr(plan, "ran: 4 rows in, 2 rows out, 1 late\n"));
    assert_non_null(strstr(plan, "cost: "));
    world_end(&world);
}

static void visit_queues(void *caller, const QueryInfo *query, const JobStatus *status)
{
    (void)status;
    for (int i = 0; i < query->queue_count; i++)
        text_printf(caller, "%s %s %g\n", query->id, query->queues[i].stream, query->queues[i].ratio * 16384);
}

static void what_waits_for_a_query_is_told(void **state)
{
    (void)state;
    World world;
    world_start(&world);
    execute(&world, BIDS "CREATE TABLE counts AS SELECT auction, COUNT(*) AS n FROM bids GROUP BY auction; CREATE TABLE most AS SELECT MAX(n) AS n FROM counts;");
    execute(&world, "PAUSE CTAS_COUNTS_1; INSERT INTO bids VALUES (1, 5), (2, 6), (1, 7);");
    Text text = { 0 };
    assert_true(runtime_status(world.runtime, NULL, visit_queues, &text));
    assert_string_equal(text_c(&text), "CTAS_COUNTS_1 bids 3\nCTAS_MOST_2 counts 0\n");
    text.length = 0;
    execute(&world, "RESUME CTAS_COUNTS_1;");
    assert_true(runtime_status(world.runtime, "CTAS_COUNTS_1", visit_queues, &text));
    assert_string_equal(text_c(&text), "CTAS_COUNTS_1 bids 0\n");
    text_release(&text);
    world_end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_feeds_the_queries_that_read_it),
        cmocka_unit_test(what_is_read_is_not_dropped),
        cmocka_unit_test(a_paused_query_goes_on_where_it_stopped),
        cmocka_unit_test(a_new_reader_of_a_table_gets_what_it_holds_first),
        cmocka_unit_test(a_script_with_a_mistake_does_nothing),
        cmocka_unit_test(a_failing_query_stops_alone),
        cmocka_unit_test(the_end_of_a_file_is_the_end_of_what_is_made_of_it),
        cmocka_unit_test(where_queries_stand_is_told),
        cmocka_unit_test(operators_are_counted_where_that_is_asked_for),
        cmocka_unit_test(what_waits_for_a_query_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
