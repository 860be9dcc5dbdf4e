/* tests/unit/runtime/test_topics.c: ksqlDB's programs: streams and tables over topics, written and read in the background. */
#include "world.h"

static TopicLogs *topics;

static void start(World *world)
{
    topics = topic_logs_new();
    world_start(world);
    world_close(world);
    world->options.topics = topics;
    world->options.dialect = "ksql";
    world_open(world);
}

static void end(World *world)
{
    world_end(world);
    topic_logs_free(topics);
}

static void a_table_over_a_topic_is_read_as_it_is_now(void **state)
{
    (void)state;
    World world;
    start(&world);
    assert_string_equal(execute(&world, "CREATE STREAM pageviews (user VARCHAR KEY, page VARCHAR) WITH (kafka_topic = 'pageviews', value_format = 'JSON', partitions = 1);"
                                        "CREATE TABLE per_user AS SELECT user, COUNT(*) AS views FROM pageviews GROUP BY user;"),
                        "create stream PAGEVIEWS\ncreate table PER_USER CTAS_PER_USER_1\n");
    execute(&world, "INSERT INTO pageviews (user, page) VALUES ('ann', 'a'); INSERT INTO pageviews (user, page) VALUES ('bob', 'b'); INSERT INTO pageviews (user, page) VALUES ('ann', 'c');");
    assert_string_equal(pull(&world, "SELECT * FROM per_user WHERE user = 'ann';"), "ann,2\n");
    assert_string_equal(pull(&world, "SELECT views FROM per_user WHERE views < 2;"), "1\n");
    const Schema *schema;
    bool windowed;
    Batch *rows;
    assert_null(runtime_pull_key(world.runtime, "PER_USER", &(RuntimeKey){ .text = "bob" }, &schema, &windowed, &rows));
    assert_int_equal(rows->row_count, 1);
    assert_true(schema->columns[0].is_key);
    batch_release(rows);
    TopicLog *log = topic_log(topics, "PER_USER", false);
    assert_non_null(log);
    assert_int_equal(topic_log_count(log), 3);
    Subscription *changes = subscribe(&world, "SELECT * FROM per_user EMIT CHANGES;", 0);
    execute(&world, "INSERT INTO pageviews (user, page) VALUES ('bob', 'd');");
    assert_non_null(strstr(received(&world, changes), "+U bob,2\n"));
    subscription_close(changes);
    end(&world);
}

static void note_letters(void *caller, const QueryInfo *query, const JobStatus *status)
{
    text_printf(caller, "%s: %d letters, %d errors\n", query->id, (int)status->counters.dead_letters, (int)status->counters.row_errors);
}

/* Those that are put aside are counted by themselves: not every row that goes wrong is. */
static void dead_letters_are_counted(void **state)
{
    (void)state;
    World world;
    Text text = { 0 };
    start(&world);
    execute(&world, "CREATE STREAM a (k VARCHAR KEY, v INT) WITH (kafka_topic = 'a', value_format = 'JSON', partitions = 1, on_expr_error = 'dead_letter', dead_letter_topic = 'a_dlq');"
                    "CREATE STREAM plain (k VARCHAR KEY, v INT) WITH (kafka_topic = 'a', value_format = 'JSON');"
                    "CREATE STREAM shares AS SELECT k, 10 / v AS share FROM a; CREATE STREAM others AS SELECT k, 10 / v AS share FROM plain;");
    execute(&world, "INSERT INTO a VALUES ('x', 0); INSERT INTO a VALUES ('y', 2); INSERT INTO a VALUES ('z', 0);");
    assert_true(runtime_status(world.runtime, "CSAS_SHARES_1", note_letters, &text));
    assert_true(runtime_status(world.runtime, "CSAS_OTHERS_2", note_letters, &text));
    assert_string_equal(text_c(&text), "CSAS_SHARES_1: 2 letters, 2 errors\nCSAS_OTHERS_2: 0 letters, 2 errors\n");
    assert_int_equal(topic_log_count(topic_log(topics, "a_dlq", false)), 2);
    text_release(&text);
    end(&world);
}

static void a_stream_over_a_topic_is_read_to_its_present_end(void **state)
{
    (void)state;
    World world;
    start(&world);
    execute(&world, "CREATE STREAM a (k VARCHAR KEY, v INT) WITH (kafka_topic = 'a', value_format = 'JSON', partitions = 1); CREATE STREAM b AS SELECT k, v + 1 AS w FROM a;");
    execute(&world, "INSERT INTO a VALUES ('x', 1); INSERT INTO a VALUES ('y', 2);");
    assert_string_equal(pull(&world, "SELECT * FROM b;"), "x,2\ny,3\n");
    assert_non_null(strstr(execute(&world, "SHOW TOPICS;"), "a | "));
    assert_non_null(strstr(execute(&world, "DESCRIBE b;"), "written by the queries | CSAS_B_1"));
    end(&world);
}

static void windows_are_found_by_key_and_bounds(void **state)
{
    (void)state;
    World world;
    start(&world);
    execute(&world, "CREATE STREAM clicks (page VARCHAR KEY, ts BIGINT) WITH (kafka_topic = 'clicks', value_format = 'JSON', timestamp = 'ts', partitions = 1);"
                    "CREATE TABLE counts AS SELECT page, COUNT(*) AS n FROM clicks WINDOW TUMBLING (SIZE 1 MINUTE) GROUP BY page;");
    execute(&world, "INSERT INTO clicks VALUES ('a', 1000); INSERT INTO clicks VALUES ('a', 61000); INSERT INTO clicks VALUES ('b', 62000); INSERT INTO clicks VALUES ('a', 63000);");
    assert_string_equal(pull(&world, "SELECT page, WINDOWSTART, WINDOWEND, n FROM counts WHERE page = 'a';"), "a,0,60000,1\na,60000,120000,2\n");
    assert_string_equal(pull(&world, "SELECT n FROM counts WHERE page = 'a' AND WINDOWSTART >= 60000 AND WINDOWSTART < 120000;"), "2\n");
    end(&world);
}

static void readers_of_a_topic_share_a_job(void **state)
{
    (void)state;
    World world;
    RuntimeMetrics metrics;
    Subscription *all[20];
    start(&world);
    execute(&world, "CREATE STREAM a (k VARCHAR KEY, v INT) WITH (kafka_topic = 'a', value_format = 'JSON', partitions = 3); INSERT INTO a VALUES ('x', 1); INSERT INTO a VALUES ('y', 2);");
    for (int i = 0; i < 10; i++)
        all[i] = subscribe(&world, "SELECT k, v FROM a EMIT CHANGES;", 0);
    world_pass(&world, 1000000);
    runtime_metrics(world.runtime, &metrics);
    assert_int_equal(metrics.push_queries, 1); /* those who came later have caught up with the first one */
    assert_null(runtime_session_set(world.session, "auto.offset.reset", "latest"));
    for (int i = 10; i < 20; i++)
        all[i] = subscribe(&world, "SELECT k, v FROM a EMIT CHANGES;", 0);
    runtime_metrics(world.runtime, &metrics);
    assert_int_equal(metrics.push_queries, 2); /* who wants what is new joins at once */
    execute(&world, "INSERT INTO a VALUES ('z', 3);");
    for (int i = 0; i < 20; i++) {
        const char *rows = received(&world, all[i]);
        assert_string_equal(i < 10 ? rows + 8 : rows, "z,3\n");
        assert_true(i >= 10 || (strstr(rows, "x,1\n") && strstr(rows, "y,2\n")));
        subscription_close(all[i]);
    }
    runtime_metrics(world.runtime, &metrics);
    assert_int_equal(metrics.push_queries, 0);
    end(&world);
}

static void where_reading_begins_is_the_query_s_to_say(void **state)
{
    (void)state;
    World world;
    start(&world);
    execute(&world, "CREATE STREAM a (k VARCHAR KEY, v INT) WITH (kafka_topic = 'a', value_format = 'JSON', partitions = 1); INSERT INTO a VALUES ('x', 1);");
    assert_null(runtime_session_set(world.session, "ksql.streams.auto.offset.reset", "latest"));
    Subscription *latest = subscribe(&world, "SELECT COUNT(*) AS n FROM a EMIT CHANGES;", 0);
    assert_null(runtime_session_set(world.session, "ksql.streams.auto.offset.reset", "earliest"));
    Subscription *earliest = subscribe(&world, "SELECT COUNT(*) AS n FROM a EMIT CHANGES;", 0);
    execute(&world, "INSERT INTO a VALUES ('y', 2);");
    assert_string_equal(received(&world, latest), "+I 1\n");
    assert_string_equal(received(&world, earliest), "+I 1\n-U 1\n+U 2\n");
    subscription_close(latest);
    subscription_close(earliest);
    end(&world);
}

/* A message whose schema nobody can be asked for: its query waits, and holds neither a thread nor a lock; it ends when it has waited long enough. */
static void a_registry_that_is_away_stops_nobody_else(void **state)
{
    (void)state;
    World world;
    start(&world);
    execute(&world, "CREATE STREAM raw (v BYTES) WITH (kafka_topic = 'away', value_format = 'KAFKA', partitions = 1); INSERT INTO raw VALUES (TO_BYTES('AAAAAAUC', 'base64'));"
                    "CREATE STREAM a (k VARCHAR KEY, v INT) WITH (kafka_topic = 'a', value_format = 'JSON', partitions = 1); CREATE STREAM b AS SELECT k, v + 1 AS w FROM a;");
    assert_string_equal(execute(&world, "SET 'dialect' = 'bidsql'; CREATE STREAM away (v INT) WITH (kafka_topic = 'away', value_format = 'AVRO', 'schema.registry.url' = 'http://127.0.0.1:1');"
                                        "CREATE STREAM copy WITH (kafka_topic = 'copy', value_format = 'JSON') AS SELECT * FROM away;"),
                        "set setting dialect\ncreate stream away\ncreate stream copy CSAS_COPY_2\n");
    execute(&world, "SET 'dialect' = 'ksql'; INSERT INTO A VALUES ('x', 1);");
    assert_string_equal(pull(&world, "SELECT * FROM B;"), "x,2\n");
    for (int minute = 0; minute < 4; minute++)
        world_pass(&world, 60000000);
    execute(&world, "INSERT INTO A VALUES ('y', 2);");
    assert_string_equal(pull(&world, "SELECT * FROM B;"), "x,2\ny,3\n");
    assert_null(strstr(text_c(&world.events), "CSAS_COPY_2 failed"));
    for (int minute = 0; minute < 4; minute++)
        world_pass(&world, 60000000);
    assert_non_null(strstr(text_c(&world.events), "the schema registry at 'http://127.0.0.1:1' does not answer"));
    assert_non_null(strstr(execute(&world, "TERMINATE \"CSAS_COPY_2\"; INSERT INTO A VALUES ('z', 3);"), "terminate"));
    assert_string_equal(pull(&world, "SELECT * FROM B;"), "x,2\ny,3\nz,4\n");
    end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_over_a_topic_is_read_as_it_is_now),
        cmocka_unit_test(dead_letters_are_counted),
        cmocka_unit_test(a_stream_over_a_topic_is_read_to_its_present_end),
        cmocka_unit_test(windows_are_found_by_key_and_bounds),
        cmocka_unit_test(readers_of_a_topic_share_a_job),
        cmocka_unit_test(where_reading_begins_is_the_query_s_to_say),
        cmocka_unit_test(a_registry_that_is_away_stops_nobody_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
