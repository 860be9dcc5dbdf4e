/* tests/unit/runtime/test_push.c: SELECT with many readers, each as fast as it likes. */
#include "world.h"

#define BIDS "CREATE STREAM bids (auction BIGINT, price BIGINT);"

static void rows_come_as_they_are_made(void **state)
{
    (void)state;
    World world;
    world_start(&world);
    execute(&world, BIDS);
    Subscription *subscription = subscribe(&world, "SELECT price, auction FROM bids WHERE price > 5 EMIT CHANGES;", 0);
    assert_string_equal(received(&world, subscription), "");
    execute(&world, "INSERT INTO bids VALUES (1, 5), (2, 6);");
    assert_string_equal(received(&world, subscription), "6,2\n");
    execute(&world, "INSERT INTO bids VALUES (3, 7);");
    assert_string_equal(received(&world, subscription), "7,3\n");
    assert_non_null(strstr(execute(&world, "SHOW QUERIES;"), "transient_1 | PUSH | RUNNING |"));
    subscription_close(subscription);
    assert_string_equal(execute(&world, "SHOW QUERIES;"), "");
    world_end(&world);
}

static void changes_of_a_table_follow_what_it_holds(void **state)
{
    (void)state;
    World world;
    world_start(&world);
    execute(&world, BIDS "CREATE TABLE counts AS SELECT auction, COUNT(*) AS n FROM bids GROUP BY auction; INSERT INTO bids VALUES (1, 5), (2, 6);");
    Subscription *all = subscribe(&world, "SELECT * FROM counts EMIT CHANGES;", 0);
    assert_null(runtime_session_set(world.session, "auto.offset.reset", "latest"));
    Subscription *later = subscribe(&world, "SELECT * FROM counts EMIT CHANGES;", 0);
    execute(&world, "INSERT INTO bids VALUES (1, 7);");
    assert_string_equal(received(&world, all), "+I 1,1\n+I 2,1\n-U 1,1\n+U 1,2\n");
    assert_string_equal(received(&world, later), "-U 1,1\n+U 1,2\n");
    subscription_close(all);
    subscription_close(later);
    world_end(&world);
}

static void a_slow_reader_loses_rows_and_is_told(void **state)
{
    (void)state;
    World world;
    world_start(&world);
    execute(&world, BIDS);
    Subscription *slow = subscribe(&world, "SELECT auction FROM bids EMIT CHANGES;", 3);
    Subscription *fast = subscribe(&world, "SELECT auction FROM bids EMIT CHANGES;", 0);
    for (int i = 1; i <= 5; i++) {
        char sql[64], row[16];
        snprintf(sql, sizeof sql, "INSERT INTO bids VALUES (%d, 1);", i);
        snprintf(row, sizeof row, "%d\n", i);
        execute(&world, sql);
        assert_string_equal(received(&world, fast), row);
    }
    assert_string_equal(received(&world, slow), "dropped 2\n3\n4\n5\n");
    RuntimeMetrics metrics;
    runtime_metrics(world.runtime, &metrics);
    assert_int_equal(metrics.rows_dropped, 2);
    assert_int_equal(metrics.push_queries, 1); /* who asks the same shares one query */
    assert_int_equal(metrics.subscriptions, 2);
    subscription_close(slow);
    subscription_close(fast);
    world_end(&world);
}

static void a_thousand_readers_share_one_query(void **state)
{
    (void)state;
    World world;
    Subscription *all[1000];
    world_start(&world);
    execute(&world, BIDS);
    for (int i = 0; i < 1000; i++)
        all[i] = subscribe(&world, "SELECT auction FROM bids EMIT CHANGES;", 0);
    execute(&world, "INSERT INTO bids VALUES (1, 1), (2, 2);");
    for (int i = 0; i < 1000; i++) {
        assert_string_equal(received(&world, all[i]), "1\n2\n");
        subscription_close(all[i]);
    }
    world_end(&world);
}

static int push_queries(World *world)
{
    RuntimeMetrics metrics;
    runtime_metrics(world->runtime, &metrics);
    return metrics.push_queries;
}

/* Looks at twins and at retries. */
static void pass_second(World *world) { world_pass(world, 1000000); }

static void readers_of_a_table_come_together_when_each_has_what_it_holds(void **state)
{
    (void)state;
    World world;
    Subscription *all[50];
    world_start(&world);
    execute(&world, BIDS "CREATE TABLE counts AS SELECT auction, COUNT(*) AS n FROM bids GROUP BY auction; INSERT INTO bids VALUES (1, 5), (2, 6);");
    for (int i = 0; i < 50; i++) {
        all[i] = subscribe(&world, "SELECT * FROM counts EMIT CHANGES;", 0);
        if (i == 20)
            execute(&world, "INSERT INTO bids VALUES (2, 1);");
    }
    pass_second(&world);
    assert_int_equal(push_queries(&world), 1);
    execute(&world, "INSERT INTO bids VALUES (1, 7);");
    for (int i = 0; i < 50; i++) {
        assert_string_equal(received(&world, all[i]), i <= 20 ? "+I 1,1\n+I 2,1\n-U 2,1\n+U 2,2\n-U 1,1\n+U 1,2\n" : "+I 1,1\n+I 2,2\n-U 1,1\n+U 1,2\n");
        subscription_close(all[i]);
    }
    assert_int_equal(push_queries(&world), 0);
    world_end(&world);
}

static void readers_of_files_come_together_where_the_first_one_stands(void **state)
{
    (void)state;
    World world;
    world_start(&world);
    world_write(&world, "bids.jsonl", "w", "{\"auction\": 1}\n{\"auction\": 2}\n");
    execute(&world, "CREATE STREAM bids (auction BIGINT) WITH (connector = 'file', path = 'bids.jsonl', format = 'json', follow = true);");
    Subscription *plain[2], *counts[2];
    for (int i = 0; i < 2; i++) {
        plain[i] = subscribe(&world, "SELECT auction FROM bids EMIT CHANGES;", 0);
        counts[i] = subscribe(&world, "SELECT COUNT(*) AS n FROM bids EMIT CHANGES;", 0);
        pass_second(&world);
        world_write(&world, "bids.jsonl", "a", "{\"auction\": 3}\n");
        pass_second(&world);
    }
    pass_second(&world);
    assert_int_equal(push_queries(&world), 2); /* a count from the beginning is the same for both, too */
    world_write(&world, "bids.jsonl", "a", "{\"auction\": 4}\n");
    pass_second(&world);
    assert_string_equal(received(&world, plain[0]), "1\n2\n3\n3\n4\n");
    assert_string_equal(received(&world, plain[1]), "1\n2\n3\n3\n4\n");
    assert_string_equal(received(&world, counts[0]), "+I 2\n-U 2\n+U 3\n-U 3\n+U 4\n-U 4\n+U 5\n");
    assert_string_equal(received(&world, counts[1]), "+I 3\n-U 3\n+U 4\n-U 4\n+U 5\n");
    assert_true(runtime_close_query(world.runtime, subscription_header(plain[0])->id)); /* it alone: each has an id of its own */
    world_write(&world, "bids.jsonl", "a", "{\"auction\": 5}\n");
    pass_second(&world);
    assert_string_equal(received(&world, plain[0]), "end\n");
    assert_string_equal(received(&world, plain[1]), "5\n");
    for (int i = 0; i < 2; i++) {
        subscription_close(plain[i]);
        subscription_close(counts[i]);
    }
    world_end(&world);
}

static void what_a_query_has_seen_of_a_stream_is_its_own(void **state)
{
    (void)state;
    World world;
    world_start(&world);
    execute(&world, BIDS);
    Subscription *first = subscribe(&world, "SELECT COUNT(*) AS n FROM bids EMIT CHANGES;", 0);
    execute(&world, "INSERT INTO bids VALUES (1, 1);");
    Subscription *second = subscribe(&world, "SELECT COUNT(*) AS n FROM bids EMIT CHANGES;", 0);
    pass_second(&world);
    execute(&world, "INSERT INTO bids VALUES (2, 1);");
    assert_string_equal(received(&world, first), "+I 1\n-U 1\n+U 2\n");
    assert_string_equal(received(&world, second), "+I 1\n");
    assert_int_equal(push_queries(&world), 2);
    subscription_close(first);
    subscription_close(second);
    world_end(&world);
}

static void a_query_waits_for_its_only_reader(void **state)
{
    (void)state;
    World world;
    Text rows = { 0 };
    uint64_t count = 0;
    world_start(&world);
    for (int i = 0; i < 100000; i++)
        text_printf(&rows, "{\"auction\": %d}\n", i);
    world_write(&world, "bids.jsonl", "w", text_c(&rows));
    text_release(&rows);
    execute(&world, "CREATE STREAM bids (auction BIGINT) WITH (connector = 'file', path = 'bids.jsonl', format = 'json', follow = true);");
    Subscription *slow = subscribe(&world, "SELECT auction FROM bids EMIT CHANGES;", 100);
    for (int idle = 0; idle < 2; idle++)
        for (bool more = true; more;) {
            uint64_t dropped;
            bool ended;
            Error *error;
            Batch *batch = subscription_read(slow, &dropped, &ended, &error);
            assert_int_equal(dropped, 0);
            more = batch != NULL;
            count += more ? batch->row_count : 0;
            assert_true(count < 100000 || idle == 0 || !more);
            batch_release(batch);
            runtime_work(world.runtime);
        }
    assert_int_equal(count, 100000);
    subscription_close(slow);
    world_end(&world);
}

static void a_query_ends_with_its_limit_or_when_told(void **state)
{
    (void)state;
    World world;
    world_start(&world);
    execute(&world, BIDS);
    Subscription *limited = subscribe(&world, "SELECT auction FROM bids EMIT CHANGES LIMIT 2;", 0);
    Subscription *closed = subscribe(&world, "SELECT auction FROM bids EMIT CHANGES;", 0);
    Subscription *failing = subscribe(&world, "SELECT 1 / (auction - 3) AS x FROM bids EMIT CHANGES;", 0);
    execute(&world, "INSERT INTO bids VALUES (1, 1), (2, 2), (3, 3);");
    assert_string_equal(received(&world, limited), "1\n2\nend\n");
    assert_string_equal(received(&world, failing), "0\n-1\nend: bids, row 3: column 'x': division by zero\n");
    assert_true(runtime_close_query(world.runtime, subscription_header(closed)->id));
    assert_string_equal(received(&world, closed), "1\n2\n3\nend\n");
    assert_false(runtime_close_query(world.runtime, "transient_99"));
    subscription_close(limited);
    subscription_close(closed);
    subscription_close(failing);
    world_end(&world);
}

static void windows_close_by_the_time_of_the_stream(void **state)
{
    (void)state;
    World world;
    world_start(&world);
    execute(&world, "CREATE STREAM clicks (page STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND);"
                    "CREATE STREAM seen AS SELECT page, ts FROM clicks WHERE page <> 'x';"
                    "CREATE TABLE counts AS SELECT page, COUNT(*) AS n FROM seen WINDOW TUMBLING (SIZE 1 MINUTE) GROUP BY page EMIT FINAL;");
    Subscription *finals = subscribe(&world, "SELECT page, n, window_start FROM counts EMIT CHANGES;", 0);
    execute(&world, "INSERT INTO clicks VALUES ('a', TIMESTAMP '2026-01-01 10:00:01'), ('a', TIMESTAMP '2026-01-01 10:00:59'), ('b', TIMESTAMP '2026-01-01 10:01:04');");
    assert_string_equal(received(&world, finals), "");
    execute(&world, "INSERT INTO clicks VALUES ('a', TIMESTAMP '2026-01-01 10:00:59.5'), ('x', TIMESTAMP '2026-01-01 10:01:05');");
    assert_string_equal(received(&world, finals), "a,3,2026-01-01 10:00:00.000\n"); /* a row that the second query does not have moves its time all the same */
    assert_string_equal(pull(&world, "SELECT page, n, WINDOWSTART, WINDOWEND FROM counts WHERE page = 'a';"), "a,3,1767261600000,1767261660000\n");
    subscription_close(finals);
    world_end(&world);
}

static void old_windows_leave_the_table(void **state)
{
    (void)state;
    World world;
    world_start(&world);
    execute(&world, "CREATE STREAM clicks (page STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts);"
                    "CREATE TABLE counts AS SELECT page, COUNT(*) AS n FROM clicks WINDOW TUMBLING (SIZE 1 HOUR, RETENTION 2 HOURS, GRACE PERIOD 0 SECONDS) GROUP BY page;");
    execute(&world, "INSERT INTO clicks VALUES ('a', TIMESTAMP '2026-01-01 10:30:00'), ('a', TIMESTAMP '2026-01-01 11:30:00');");
    assert_string_equal(pull(&world, "SELECT page, n, window_start FROM counts;"), "a,1,2026-01-01 10:00:00.000\na,1,2026-01-01 11:00:00.000\n");
    execute(&world, "INSERT INTO clicks VALUES ('a', TIMESTAMP '2026-01-01 13:30:00');");
    assert_string_equal(pull(&world, "SELECT page, n, window_start FROM counts;"), "a,1,2026-01-01 11:00:00.000\na,1,2026-01-01 13:00:00.000\n");
    execute(&world, "INSERT INTO clicks VALUES ('b', TIMESTAMP '2026-01-01 13:31:00'), ('a', TIMESTAMP '2026-01-01 14:30:00'), ('a', TIMESTAMP '2026-01-01 14:31:00');");
    assert_string_equal(pull(&world, "SELECT page, n, window_start FROM counts WHERE page = 'a' AND n < 5;"),
                        "a,1,2026-01-01 13:00:00.000\na,2,2026-01-01 14:00:00.000\n");
    assert_string_equal(pull(&world, "SELECT page, n, window_start FROM counts WHERE page = 'c';"), "");
    world_end(&world);
}

static Error *keep_keys(void *caller, const QueryHeader *header)
{
    Text *keys = caller;
    for (int i = 0; i < header->schema->column_count; i++)
        text_printf(keys, "%s%s ", header->schema->columns[i].name, header->schema->columns[i].is_key ? "*" : "");
    return NULL;
}

static void columns_of_a_key_are_marked(void **state)
{
    (void)state;
    World world;
    Subscription *none = NULL;
    world_start(&world);
    execute(&world, "CREATE STREAM bids (auction BIGINT, price BIGINT); CREATE TABLE counts AS SELECT auction, COUNT(*) AS n FROM bids GROUP BY auction;");
    world.out.length = 0;
    QueryOptions options = { .begin = keep_keys, .caller = &world.out };
    const char *sql = "SELECT n, auction, auction + 1 AS next FROM counts WHERE n > 0;";
    assert_null(runtime_query(world.session, sql, strlen(sql), &options, &none));
    assert_string_equal(text_c(&world.out), "n auction* next ");
    world_end(&world);
}

static void readers_of_what_is_dropped_are_told(void **state)
{
    (void)state;
    World world;
    world_start(&world);
    execute(&world, "CREATE STREAM bids (auction BIGINT, price BIGINT); CREATE TABLE counts AS SELECT auction, COUNT(*) AS n FROM bids GROUP BY auction; INSERT INTO bids VALUES (1, 2);");
    Subscription *changes = subscribe(&world, "SELECT * FROM counts EMIT CHANGES;", 0);
    execute(&world, "DROP TABLE counts;");
    assert_string_equal(received(&world, changes), "+I 1,1\nend: 'counts' is gone\n");
    subscription_close(changes);
    execute(&world, "CREATE STREAM dear AS SELECT * FROM bids WHERE price > 5;");
    Subscription *dear = subscribe(&world, "SELECT * FROM dear EMIT CHANGES;", 0);
    assert_string_equal(execute(&world, "CREATE OR REPLACE STREAM dear AS SELECT auction FROM bids WHERE price > 7;"), "create stream dear CSAS_DEAR_3\n");
    assert_string_equal(received(&world, dear), "end: 'dear' is gone\n");
    subscription_close(dear);
    dear = subscribe(&world, "SELECT * FROM dear EMIT CHANGES;", 0);
    execute(&world, "INSERT INTO bids VALUES (1, 6), (2, 8);");
    assert_string_equal(received(&world, dear), "2\n");
    assert_string_equal(execute(&world, "TERMINATE ALL;"), "terminate query CSAS_DEAR_3 CSAS_DEAR_3\n");
    subscription_close(dear);
    world_end(&world);
}

/* The second query of its kind is answered without being planned. */
static void a_query_by_key_is_known_the_next_time(void **state)
{
    (void)state;
    World world;
    world_start(&world);
    execute(&world, "CREATE STREAM bids (auction BIGINT, user STRING, price BIGINT); CREATE TABLE counts AS SELECT user, auction, COUNT(*) AS n, MAX(price) AS top FROM bids GROUP BY user, auction;"
                    "INSERT INTO bids VALUES (1, 'ann', 5), (1, 'o''neil', 6), (2, 'ann', 7), (1, 'ann', 9);");
    for (int round = 0; round < 3; round++) {
        assert_string_equal(pull(&world, "SELECT top, user, n FROM counts WHERE user = 'ann' AND auction = 1;"), "9,ann,2\n");
        assert_string_equal(pull(&world, "SELECT top, user, n FROM counts WHERE user = 'ann' AND auction = 2;"), "7,ann,1\n");
        assert_string_equal(pull(&world, "SELECT top, user, n FROM counts WHERE user = 'o''neil' AND auction = 1;"), "6,o'neil,1\n");
        assert_string_equal(pull(&world, "SELECT top, user, n FROM counts WHERE user = 'eve' AND auction = 1;"), "");
        assert_string_equal(pull(&world, "SELECT top + 1 FROM counts WHERE user = 'ann' AND auction = 1;"), "10\n");
        assert_string_equal(pull(&world, "SELECT * FROM counts WHERE 1 = auction AND user = 'ann' AND top > 8;"), "ann,1,2,9\n");
        assert_string_equal(pull(&world, "SELECT * FROM counts WHERE auction = 1 AND user = 'ann' AND top > 9;"), "");
        assert_string_equal(pull(&world, "SELECT * FROM counts WHERE auction = 1.0 AND user = 'ann';"), "ann,1,2,9\n");
        assert_string_equal(pull(&world, "SELECT * FROM counts WHERE auction = 2 OR user = 'o''neil';"), "o'neil,1,1,6\nann,2,1,7\n");
    }
    execute(&world, "INSERT INTO bids VALUES (1, 'ann', 50);");
    assert_string_equal(pull(&world, "SELECT top, user, n FROM counts WHERE user = 'ann' AND auction = 1;"), "50,ann,3\n");
    execute(&world, "DROP TABLE counts; CREATE TABLE counts AS SELECT user, auction, COUNT(*) AS n, MIN(price) AS top FROM bids GROUP BY user, auction; INSERT INTO bids VALUES (1, 'ann', 3);");
    assert_string_equal(pull(&world, "SELECT top, user, n FROM counts WHERE user = 'ann' AND auction = 1;"), "3,ann,1\n");
    execute(&world, "DROP TABLE counts;");
    assert_string_equal(pull(&world, "SELECT top, user, n FROM counts WHERE user = 'ann' AND auction = 1;"), "error: no stream, table or view 'counts'\n");
    world_end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_as_they_are_made),
        cmocka_unit_test(changes_of_a_table_follow_what_it_holds),
        cmocka_unit_test(a_slow_reader_loses_rows_and_is_told),
        cmocka_unit_test(a_thousand_readers_share_one_query),
        cmocka_unit_test(readers_of_a_table_come_together_when_each_has_what_it_holds),
        cmocka_unit_test(readers_of_files_come_together_where_the_first_one_stands),
        cmocka_unit_test(what_a_query_has_seen_of_a_stream_is_its_own),
        cmocka_unit_test(a_query_waits_for_its_only_reader),
        cmocka_unit_test(a_query_ends_with_its_limit_or_when_told),
        cmocka_unit_test(windows_close_by_the_time_of_the_stream),
        cmocka_unit_test(old_windows_leave_the_table),
        cmocka_unit_test(columns_of_a_key_are_marked),
        cmocka_unit_test(readers_of_what_is_dropped_are_told),
        cmocka_unit_test(a_query_by_key_is_known_the_next_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
