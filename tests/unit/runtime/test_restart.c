/* tests/unit/runtime/test_restart.c: what outlives the process: the catalog, and the state of queries. */
#include "world.h"

#include "connectors/topic_log.h"

#define BIDS "CREATE STREAM bids (auction BIGINT, price BIGINT) WITH (connector = 'file', path = 'bids.jsonl', follow = true);"
#define COUNTS "CREATE TABLE counts AS SELECT auction, COUNT(*) AS n FROM bids GROUP BY auction;"

static void streams_and_queries_come_back_and_go_on(void **state)
{
    (void)state;
    World world;
    world_start_with_data(&world);
    world_write(&world, "bids.jsonl", "w", "{\"auction\":1,\"price\":5}\n{\"auction\":2,\"price\":6}\n");
    execute(&world, "CREATE TYPE money AS STRUCT<units BIGINT>; CREATE FUNCTION twice(x BIGINT) RETURNS BIGINT AS x + x;" BIDS COUNTS
                    "CREATE STREAM dear AS SELECT auction, twice(price) AS price FROM bids WHERE price > 5;"
                    "CREATE STREAM out (auction BIGINT, price BIGINT) WITH (connector = 'file', path = 'out.jsonl'); INSERT INTO out SELECT * FROM dear;");
    world_pass(&world, 100000);
    assert_string_equal(pull(&world, "SELECT * FROM counts;"), "1,1\n2,1\n");
    world_reopen(&world);
    assert_string_equal(execute(&world, "SHOW QUERIES;"),
                        "CTAS_COUNTS_1 | PERSISTENT | RUNNING | counts | bids | 0 |  | CREATE TABLE counts AS SELECT auction, COUNT(*) AS n FROM bids GROUP BY auction\n"
                        "CSAS_DEAR_2 | PERSISTENT | RUNNING | dear | bids | 0 |  | CREATE STREAM dear AS SELECT auction, twice(price) AS price FROM bids WHERE price > 5\n"
                        "INSERTQUERY_3 | PERSISTENT | RUNNING | out | dear | 0 |  | INSERT INTO out SELECT * FROM dear\n");
    assert_string_equal(pull(&world, "SELECT * FROM counts;"), "1,1\n2,1\n");
    world_write(&world, "bids.jsonl", "a", "{\"auction\":1,\"price\":7}\n");
    world_pass(&world, 100000);
    assert_string_equal(pull(&world, "SELECT * FROM counts;"), "1,2\n2,1\n");
    world_close(&world);
    assert_string_equal(world_read(&world, "out.jsonl"), "{\"auction\":2,\"price\":12}\n{\"auction\":1,\"price\":14}\n");
    world_open(&world);
    world_end(&world);
}

/* As if the process had been killed: what was written since the last snapshot is not known to it. */
static void after_a_crash_queries_go_on_from_their_last_snapshot(void **state)
{
    (void)state;
    World world;
    char command[300];
    world_start_with_data(&world);
    world_write(&world, "bids.jsonl", "w", "{\"auction\":1,\"price\":5}\n{\"auction\":2,\"price\":6}\n");
    execute(&world, BIDS COUNTS);
    world_pass(&world, 1000000);
    assert_null(runtime_checkpoint(world.runtime));
    snprintf(command, sizeof command, "cp -r %s/data %s/killed", world.directory, world.directory);
    assert_int_equal(system(command), 0);
    world_write(&world, "bids.jsonl", "a", "{\"auction\":1,\"price\":7}\n{\"auction\":3,\"price\":7}\n");
    world_pass(&world, 100000);
    assert_string_equal(pull(&world, "SELECT * FROM counts;"), "1,2\n2,1\n3,1\n");
    world_close(&world);
    snprintf(command, sizeof command, "rm -r %s/data && mv %s/killed %s/data", world.directory, world.directory, world.directory);
    assert_int_equal(system(command), 0);
    world_open(&world);
    assert_string_equal(pull(&world, "SELECT * FROM counts;"), "1,1\n2,1\n");
    world_pass(&world, 100000);
    assert_string_equal(pull(&world, "SELECT * FROM counts;"), "1,2\n2,1\n3,1\n");
    world_end(&world);
}

static void what_was_paused_dropped_or_terminated_stays_so(void **state)
{
    (void)state;
    World world;
    world_start_with_data(&world);
    world_write(&world, "bids.jsonl", "w", "{\"auction\":1,\"price\":5}\n");
    execute(&world, BIDS COUNTS "CREATE STREAM a AS SELECT * FROM bids; CREATE STREAM b AS SELECT * FROM bids; SET 'dialect' = 'ksql'; CREATE STREAM c AS SELECT * FROM bids;");
    execute(&world, "PAUSE CTAS_COUNTS_1; TERMINATE CSAS_A_2; DROP STREAM b;");
    world_reopen(&world);
    assert_string_equal(execute(&world, "SHOW QUERIES;"),
                        "CTAS_COUNTS_1 | PERSISTENT | PAUSED | counts | bids | 0 |  | CREATE TABLE counts AS SELECT auction, COUNT(*) AS n FROM bids GROUP BY auction\n"
                        "CSAS_C_4 | PERSISTENT | RUNNING | C | bids | 0 |  | CREATE STREAM c AS SELECT * FROM bids\n");
    assert_string_equal(execute(&world, "SHOW STREAMS;"), "a | process\nbids | file, json\nC | process\n");
    assert_string_equal(execute(&world, "CREATE STREAM d AS SELECT * FROM bids;"), "create stream d CSAS_D_5\n");
    world_end(&world);
}

static void a_changed_snapshot_is_refused(void **state)
{
    (void)state;
    World world;
    char command[300];
    world_start_with_data(&world);
    world_write(&world, "bids.jsonl", "w", "{\"auction\":1,\"price\":5}\n");
    execute(&world, BIDS COUNTS "CREATE STREAM other AS SELECT * FROM bids;");
    world_pass(&world, 100000);
    world_close(&world);
    snprintf(command, sizeof command, "printf x | dd of=$(ls %s/data/checkpoints/data-*) bs=1 seek=100 conv=notrunc 2>/dev/null", world.directory);
    assert_int_equal(system(command), 0);
    world_open(&world);
    const char *queries = execute(&world, "SHOW QUERIES;");
    assert_non_null(strstr(queries, "| ERROR | counts | bids | 0 | the snapshot of the query is damaged: it does not have the hash that its manifest names, in '"));
    assert_non_null(strstr(queries, "CSAS_OTHER_2 | PERSISTENT | RUNNING"));
    assert_non_null(strstr(execute(&world, "DROP TABLE counts;" COUNTS), "create table counts CTAS_COUNTS_3\n"));
    world_pass(&world, 100000);
    assert_string_equal(pull(&world, "SELECT * FROM counts;"), "1,1\n");
    world_end(&world);
}

static void a_data_directory_has_one_owner(void **state)
{
    (void)state;
    World world;
    Runtime *second = NULL;
    world_start_with_data(&world);
    Error *error = runtime_new(&world.options, &second);
    assert_non_null(error);
    assert_non_null(strstr(error->message, "another process uses the data directory"));
    error_free(error);
    world_end(&world);
}

static void linked_queries_come_back_together(void **state)
{
    (void)state;
    World world;
    world_start_with_data(&world);
    world_write(&world, "bids.jsonl", "w", "{\"auction\":1,\"price\":5}\n{\"auction\":2,\"price\":6}\n");
    execute(&world, BIDS "CREATE STREAM dear AS SELECT * FROM bids WHERE price > 5; CREATE TABLE counts AS SELECT auction, COUNT(*) AS n FROM dear GROUP BY auction;"
                         "CREATE TABLE busy AS SELECT n, COUNT(*) AS auctions FROM counts GROUP BY n;");
    for (int round = 0; round < 4; round++) {
        world_write(&world, "bids.jsonl", "a", "{\"auction\":1,\"price\":7}\n{\"auction\":3,\"price\":7}\n");
        world_pass(&world, 300000);
        world_reopen(&world);
    }
    assert_string_equal(pull(&world, "SELECT * FROM counts;"), "2,1\n1,4\n3,4\n");
    assert_string_equal(pull(&world, "SELECT * FROM busy WHERE n = 4;"), "4,2\n");
    world_end(&world);
}

/* A query over a file ends, and the process is killed before those who read it have a snapshot: it has not ended, then. */
static void what_a_query_gave_before_it_ended_is_not_lost(void **state)
{
    (void)state;
    World world;
    char command[300];
    world_start_with_data(&world);
    world_write(&world, "bids.jsonl", "w", "{\"auction\":1,\"price\":5}\n{\"auction\":2,\"price\":6}\n");
    execute(&world, "CREATE STREAM bids (auction BIGINT, price BIGINT) WITH (connector = 'file', path = 'bids.jsonl');"
                    "CREATE STREAM copies AS SELECT * FROM bids; CREATE STREAM other (auction BIGINT); INSERT INTO other SELECT auction FROM copies;"
                    "CREATE TABLE counts AS SELECT auction, COUNT(*) AS n FROM other GROUP BY auction;");
    assert_string_equal(pull(&world, "SELECT * FROM counts;"), "1,1\n2,1\n");
    assert_non_null(strstr(execute(&world, "SHOW QUERIES;"), "CSAS_COPIES_1 | PERSISTENT | COMPLETED"));
    snprintf(command, sizeof command, "cp -r %s/data %s/killed", world.directory, world.directory);
    assert_int_equal(system(command), 0);
    world_close(&world);
    snprintf(command, sizeof command, "rm -r %s/data && mv %s/killed %s/data", world.directory, world.directory, world.directory);
    assert_int_equal(system(command), 0);
    world_open(&world);
    world_pass(&world, 10000);
    assert_string_equal(pull(&world, "SELECT * FROM counts;"), "1,1\n2,1\n");
    world_pass(&world, 1100000); /* now there is one */
    world_reopen(&world);
    assert_non_null(strstr(execute(&world, "SHOW QUERIES;"), "CSAS_COPIES_1 | PERSISTENT | COMPLETED"));
    assert_string_equal(pull(&world, "SELECT * FROM counts;"), "1,1\n2,1\n");
    world_end(&world);
}

static void put_schema(TopicLogs *topics, const char *text)
{
    const RegisteredSchema *registered = NULL;
    assert_null(schema_registry_put_as(topic_logs_registry(topics), "orders-value", &(RegisteredSchema){ .type = "AVRO", .text = text }, 0, &registered));
}

/* Columns that came from the schema registry are those of the schema that was there then. */
static void columns_from_a_registry_stay_what_they_were(void **state)
{
    (void)state;
    World world;
    TopicLogs *topics = topic_logs_new();
    world_start_with_data(&world);
    world_close(&world);
    world.options.topics = topics;
    world_open(&world);
    put_schema(topics, "{\"type\":\"record\",\"name\":\"O\",\"fields\":[{\"name\":\"id\",\"type\":\"long\"}]}");
    execute(&world, "CREATE STREAM orders WITH (connector = 'kafka', topic = 'orders', value_format = 'avro');");
    put_schema(topics, "{\"type\":\"record\",\"name\":\"O\",\"fields\":[{\"name\":\"more\",\"type\":[\"null\",\"string\"],\"default\":null},{\"name\":\"id\",\"type\":\"long\"}]}");
    world_reopen(&world);
    const char *columns = execute(&world, "DESCRIBE orders;");
    assert_non_null(strstr(columns, "id | BIGINT"));
    assert_null(strstr(columns, "more"));
    execute(&world, "CREATE STREAM newer WITH (connector = 'kafka', topic = 'orders', value_format = 'avro');");
    assert_non_null(strstr(execute(&world, "DESCRIBE newer;"), "more | VARCHAR"));
    world_end(&world);
    topic_logs_free(topics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_and_queries_come_back_and_go_on),
        cmocka_unit_test(after_a_crash_queries_go_on_from_their_last_snapshot),
        cmocka_unit_test(what_was_paused_dropped_or_terminated_stays_so),
        cmocka_unit_test(a_changed_snapshot_is_refused),
        cmocka_unit_test(a_data_directory_has_one_owner),
        cmocka_unit_test(linked_queries_come_back_together),
        cmocka_unit_test(what_a_query_gave_before_it_ended_is_not_lost),
        cmocka_unit_test(columns_from_a_registry_stay_what_they_were),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
