/* tests/unit/runtime/test_analyze.c: EXPLAIN ANALYZE where no session runs it: the query runs for a while, and what its operators did is told. */
#include "world.h"

static void a_query_that_ends_is_run_to_its_end(void **state)
{
    (void)state;
    World world;
    world_start(&world);
    world_write(&world, "bids.jsonl", "w", "{\"auction\":1,\"price\":5}\n{\"auction\":2,\"price\":50}\n{\"auction\":1,\"price\":60}\n");
    execute(&world, "CREATE STREAM bids (auction BIGINT, price BIGINT) WITH (connector = 'file', path = 'bids.jsonl', format = 'json');");
    const char *plan = execute(&world, "EXPLAIN ANALYZE SELECT auction, COUNT(*) AS n FROM bids WHERE price > 10 GROUP BY auction;");
    assert_non_null(strstr(plan, "ran: 2 rows in, 2 rows out"));
    assert_non_null(strstr(plan, "3 rows in, 2 rows out, 0 late, 0 bad"));
    assert_non_null(strstr(plan, "cost: "));
    assert_string_equal(execute(&world, "SHOW QUERIES;"), ""); /* it was nobody's */
    world_end(&world);
}

static void one_that_goes_on_is_run_for_a_while(void **state)
{
    (void)state;
    World world;
    world_start(&world);
    execute(&world, "CREATE STREAM bids (auction BIGINT, price BIGINT); CREATE TABLE counts AS SELECT auction, COUNT(*) AS n FROM bids GROUP BY auction;");
    execute(&world, "INSERT INTO bids VALUES (1, 5), (2, 6), (1, 7);");
    const char *plan = execute(&world, "SET 'explain.analyze.time' = '2 s'; EXPLAIN ANALYZE SELECT auction FROM counts WHERE n > 1 EMIT CHANGES;");
    assert_non_null(strstr(plan, "ran: 2 rows in, 1 rows out"));
    assert_non_null(strstr(execute(&world, "EXPLAIN ANALYZE SELECT n FROM counts WHERE auction = 1;"), "1 rows in, 1 rows out"));
    assert_string_equal(execute(&world, "DROP TABLE counts;"), "drop table counts\n"); /* nobody reads it any more */
    world_end(&world);
}

static void what_writes_is_not_run(void **state)
{
    (void)state;
    World world;
    world_start(&world);
    execute(&world, "CREATE STREAM bids (auction BIGINT, price BIGINT); CREATE STREAM dear (auction BIGINT, price BIGINT);");
    assert_string_equal(execute(&world, "EXPLAIN ANALYZE INSERT INTO dear SELECT * FROM bids;"),
                        "error: a server runs no query that writes to explain it; EXPLAIN ANALYZE and the query's id: what it has done so far\n");
    assert_non_null(strstr(execute(&world, "SET 'explain.analyze.time' = '2 h';"), "is a time of up to 5 minutes, such as '10 s', not '2 h'"));
    assert_non_null(strstr(execute(&world, "SHOW PROPERTIES;"), "explain.analyze.time | 10000 ms"));
    assert_non_null(strstr(execute(&world, "EXPLAIN ANALYZE SELECT 1 / 0 AS x;"), "division by zero"));
    world_end(&world);
}

static void where_rows_went_is_told(void **state)
{
    (void)state;
    World world;
    world_start(&world);
    world_write(&world, "bids.jsonl", "w", "{\"auction\":1,\"price\":5}\n{\"auction\":2,\"price\":50}\n");
    execute(&world, "CREATE STREAM bids (auction BIGINT, price BIGINT) WITH (connector = 'file', path = 'bids.jsonl', format = 'json');"
                    "CREATE STREAM live (auction BIGINT, price BIGINT); CREATE TABLE counts AS SELECT auction, COUNT(*) AS n FROM live GROUP BY auction;"
                    "CREATE STREAM dear (auction BIGINT); INSERT INTO live VALUES (1, 5), (2, 6), (1, 7);");
    assert_non_null(strstr(execute(&world, "EXPLAIN WHY NO OUTPUT SELECT auction FROM bids WHERE price > 10 AND auction = 1;"),
                           "no output: WHERE auction = 1 is not true for the only row that reaches it"));
    assert_string_equal(execute(&world, "EXPLAIN WHY NO OUTPUT SELECT auction FROM bids WHERE price > 10;"), "the query has output\n");
    assert_non_null(strstr(execute(&world, "SET 'auto.offset.reset' = 'latest'; EXPLAIN WHY NO OUTPUT SELECT n FROM counts WHERE n > 5 EMIT CHANGES;"),
                           "no output: WHERE n > 5 is true for none of the 2 rows that reach it"));
    assert_string_equal(execute(&world, "EXPLAIN WHY NO OUTPUT SELECT n FROM counts EMIT CHANGES;"), "the query has output\n");
    assert_non_null(strstr(execute(&world, "EXPLAIN WHY NO OUTPUT SELECT auction FROM live;"), "no output: 'live' has no rows now")); /* those from now on */
    assert_non_null(strstr(execute(&world, "EXPLAIN WHY NO OUTPUT INSERT INTO dear SELECT auction FROM bids WHERE price > 100;"), "no output: WHERE price > 100")); /* nothing is written */
    assert_non_null(strstr(execute(&world, "EXPLAIN WHY NO OUTPUT SELECT 1 / (price - 5) AS x FROM bids;"), "error: "));
    assert_string_equal(execute(&world, "DROP TABLE counts;"), "drop table counts\n"); /* nobody reads it any more */
    world_end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_query_that_ends_is_run_to_its_end),
        cmocka_unit_test(one_that_goes_on_is_run_for_a_while),
        cmocka_unit_test(what_writes_is_not_run),
        cmocka_unit_test(where_rows_went_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
