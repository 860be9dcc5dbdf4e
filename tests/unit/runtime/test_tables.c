/* tests/unit/runtime/test_tables.c: CREATE TABLE t (columns): a table that INSERT INTO fills, and that outlives the process. */
#include "world.h"

#define USERS "CREATE TABLE users (id BIGINT PRIMARY KEY, name STRING, big AS id > 100);"

static void a_newer_row_takes_the_place_of_its_key(void **state)
{
    (void)state;
    World world;
    world_start(&world);
    assert_string_equal(execute(&world, USERS), "create table users CST_USERS_1\n");
    assert_string_equal(execute(&world, "INSERT INTO users VALUES (1, 'ann'), (200, 'bob'), (1, 'anna');"), "insert table users\n");
    assert_string_equal(pull(&world, "SELECT * FROM users;"), "1,anna,false\n200,bob,true\n");
    assert_string_equal(pull(&world, "SELECT name FROM users WHERE id IN (200, 7);"), "bob\n");
    Subscription *changes = subscribe(&world, "SELECT id, name FROM users EMIT CHANGES;", 0);
    execute(&world, "CREATE TABLE names AS SELECT big, COUNT(*) AS n FROM users GROUP BY big; INSERT INTO users (name, id) VALUES ('eve', 1), ('cid', 3);");
    assert_string_equal(received(&world, changes), "+I 1,anna\n+I 200,bob\n-U 1,anna\n+U 1,eve\n+I 3,cid\n");
    assert_string_equal(pull(&world, "SELECT * FROM names;"), "false,2\ntrue,1\n");
    subscription_close(changes);
    assert_non_null(strstr(execute(&world, "SHOW QUERIES;"), "CST_USERS_1 | PERSISTENT | RUNNING | users"));
    world_end(&world);
}

static void queries_fill_it_too(void **state)
{
    (void)state;
    World world;
    world_start(&world);
    execute(&world, USERS "CREATE STREAM bids (user BIGINT, price BIGINT); CREATE TABLE best (id BIGINT PRIMARY KEY, price BIGINT, seen BIGINT);"
                          "INSERT INTO best SELECT user, MAX(price), COUNT(*) FROM bids GROUP BY user; INSERT INTO best VALUES (9, 0, 0);");
    execute(&world, "INSERT INTO bids VALUES (1, 5), (2, 6), (1, 7), (9, 1);");
    assert_string_equal(pull(&world, "SELECT * FROM best;"), "9,1,1\n1,7,2\n2,6,1\n");
    assert_string_equal(execute(&world, "INSERT INTO best SELECT price, user, COUNT(*) FROM bids GROUP BY price, user;"),
                        "error: the primary key of 'best' does not tell the query's rows apart; make it the query's GROUP BY columns\n");
    assert_string_equal(execute(&world, "INSERT INTO best SELECT * FROM best;"), "error: the query would read what it writes into 'best'\n");
    assert_string_equal(execute(&world, "DROP TABLE best;"), "error: 'best' is written by the query INSERTQUERY_3; TERMINATE INSERTQUERY_3 first\n");
    assert_string_equal(execute(&world, "CREATE OR REPLACE TABLE best (id BIGINT PRIMARY KEY);"), "error: 'best' is written by the query INSERTQUERY_3; TERMINATE INSERTQUERY_3 first\n");
    assert_string_equal(execute(&world, "TERMINATE CST_BEST_2;"), "error: the query CST_BEST_2 is a part of the table 'best'; DROP TABLE best\n");
    assert_string_equal(execute(&world, "TERMINATE ALL;"), "terminate query INSERTQUERY_3 INSERTQUERY_3\n");
    assert_string_equal(pull(&world, "SELECT * FROM best WHERE id = 9;"), "9,1,1\n");
    assert_string_equal(execute(&world, "DROP TABLE best;"), "drop table best\n");
    assert_null(strstr(execute(&world, "SHOW QUERIES;"), "BEST"));
    world_end(&world);
}

static void without_a_key_rows_add_up(void **state)
{
    (void)state;
    World world;
    world_start(&world);
    execute(&world, "CREATE TABLE plain (id BIGINT, v INT); CREATE TABLE promised (id BIGINT, v INT, PRIMARY KEY (id) NOT ENFORCED); CREATE STREAM s (id BIGINT, v INT);"
                    "INSERT INTO plain VALUES (1, 1), (1, 1), (1, 2); INSERT INTO promised VALUES (1, 1), (1, 2);");
    assert_string_equal(pull(&world, "SELECT * FROM plain;"), "1,1\n1,1\n1,2\n");
    assert_string_equal(pull(&world, "SELECT COUNT(*) AS n FROM promised;"), "2\n");
    assert_non_null(strstr(execute(&world, "INSERT INTO plain SELECT id, COUNT(*) FROM s GROUP BY id;"), "'plain' has no primary key to find them by"));
    world_end(&world);
}

/* INSERT INTO a stream of the process is no way around what CREATE STREAM .. AS is refused. */
static void a_stream_takes_no_updates(void **state)
{
    (void)state;
    World world;
    world_start(&world);
    execute(&world, "CREATE STREAM s (id BIGINT, v INT); CREATE STREAM copy AS SELECT id, v FROM s; CREATE STREAM counts (id BIGINT, n BIGINT);"
                    "CREATE TABLE kept (id BIGINT PRIMARY KEY, n BIGINT);");
    static const char refused[] = "error: the query updates earlier results, and the stream 'counts' takes none; CREATE TABLE counts AS ..\n";
    assert_string_equal(execute(&world, "INSERT INTO counts SELECT id, COUNT(*) AS n FROM s GROUP BY id EMIT CHANGES;"), refused);
    assert_string_equal(execute(&world, "INSERT INTO counts SELECT id, COUNT(*) AS n FROM s GROUP BY id;"), refused);
    assert_non_null(strstr(execute(&world, "INSERT INTO copy SELECT id, CAST(COUNT(*) AS INT) AS v FROM s GROUP BY id;"), "the stream 'copy' takes none"));
    execute(&world, "INSERT INTO kept SELECT id, COUNT(*) AS n FROM s GROUP BY id; INSERT INTO counts SELECT id, CAST(v AS BIGINT) FROM s; INSERT INTO s VALUES (1, 5), (1, 6);");
    assert_string_equal(pull(&world, "SELECT * FROM kept;"), "1,2\n");
    world_end(&world);
}

static void it_outlives_the_process(void **state)
{
    (void)state;
    World world;
    world_start_with_data(&world);
    execute(&world, USERS "CREATE STREAM bids (user BIGINT, name STRING); INSERT INTO users SELECT user, LATEST_BY_OFFSET(name) FROM bids GROUP BY user;"
                          "CREATE TABLE sizes AS SELECT big, COUNT(*) AS n FROM users GROUP BY big;");
    execute(&world, "INSERT INTO users VALUES (1, 'ann'), (2, 'bob'); INSERT INTO bids VALUES (300, 'cid');");
    world_reopen(&world);
    assert_string_equal(pull(&world, "SELECT * FROM users;"), "1,ann,false\n2,bob,false\n300,cid,true\n");
    assert_string_equal(pull(&world, "SELECT * FROM sizes;"), "false,2\ntrue,1\n");
    execute(&world, "INSERT INTO users VALUES (2, 'bobby'); INSERT INTO bids VALUES (1, 'anna');");
    assert_string_equal(pull(&world, "SELECT * FROM users;"), "1,anna,false\n2,bobby,false\n300,cid,true\n");
    world_reopen(&world);
    assert_string_equal(pull(&world, "SELECT name FROM users WHERE id = 2;"), "bobby\n");
    world_end(&world);
}

/* As it stands on disk after a crash: the directory is copied while the process runs. */
static void crash(World *world)
{
    char command[256];
    snprintf(command, sizeof command, "cp -r %s/data %s/left && rm %s/left/lock", world->directory, world->directory, world->directory);
    assert_int_equal(system(command), 0);
    world_close(world);
    snprintf(command, sizeof command, "rm -r %s/data && mv %s/left %s/data", world->directory, world->directory, world->directory);
    assert_int_equal(system(command), 0);
    world_open(world);
}

static void who_is_told_finds_his_rows_after_a_crash(void **state)
{
    (void)state;
    World world;
    world_start_with_data(&world);
    execute(&world, USERS "CREATE TABLE stamps (id BIGINT PRIMARY KEY, at TIMESTAMP_LTZ(3) DEFAULT CURRENT_TIMESTAMP);");
    execute(&world, "INSERT INTO users VALUES (1, 'ann'); SET 'time_zone' = 'Asia/Tokyo'; INSERT INTO users VALUES (2, 'bob'); INSERT INTO stamps (id) VALUES (1);");
    char *at = strdup(pull(&world, "SELECT at FROM stamps;"));
    world.clock.current_us += 100000; /* less than what is between two snapshots */
    crash(&world);
    assert_string_equal(pull(&world, "SELECT name FROM users;"), "ann\nbob\n");
    assert_string_equal(pull(&world, "SELECT at FROM stamps;"), at);
    execute(&world, "INSERT INTO users VALUES (1, 'anna');");
    crash(&world);
    assert_string_equal(pull(&world, "SELECT name FROM users;"), "anna\nbob\n");
    world_pass(&world, 2000000); /* a snapshot holds them: the statements go */
    execute(&world, "INSERT INTO users VALUES (2, 'bobby');");
    crash(&world);
    assert_string_equal(pull(&world, "SELECT name FROM users;"), "anna\nbobby\n");
    execute(&world, "DROP TABLE users;" USERS);
    crash(&world);
    assert_string_equal(pull(&world, "SELECT name FROM users;"), "");
    free(at);
    world_end(&world);
}

static void while_it_is_paused_rows_wait(void **state)
{
    (void)state;
    World world;
    world_start_with_data(&world);
    execute(&world, USERS "PAUSE CST_USERS_1; INSERT INTO users VALUES (1, 'ann');");
    assert_string_equal(pull(&world, "SELECT name FROM users;"), "");
    crash(&world);
    assert_string_equal(pull(&world, "SELECT name FROM users;"), "");
    execute(&world, "RESUME CST_USERS_1;");
    assert_string_equal(pull(&world, "SELECT name FROM users;"), "ann\n");
    world_end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_newer_row_takes_the_place_of_its_key),
        cmocka_unit_test(queries_fill_it_too),
        cmocka_unit_test(without_a_key_rows_add_up),
        cmocka_unit_test(a_stream_takes_no_updates),
        cmocka_unit_test(it_outlives_the_process),
        cmocka_unit_test(who_is_told_finds_his_rows_after_a_crash),
        cmocka_unit_test(while_it_is_paused_rows_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
