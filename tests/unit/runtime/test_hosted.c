/* tests/unit/runtime/test_hosted.c: a session that lives in a runtime: statements that end with their call read what the queries in the background make. */
#include "world.h"

#define BIDS "CREATE STREAM bids (auction BIGINT, price BIGINT); CREATE TABLE counts AS SELECT auction, COUNT(*) AS n FROM bids GROUP BY auction; INSERT INTO bids VALUES (1, 5), (2, 6), (1, 7);"

typedef struct Hosted {
    World world;
    Session *session;
    bool updating;
    const char *meanwhile;       /* a statement that is done when the first rows come */
} Hosted;

static void hosted_start(Hosted *hosted)
{
    *hosted = (Hosted){ 0 };
    world_start(&hosted->world);
    SessionOptions options = { .clock = &hosted->world.clock.clock, .threads = 1, .max_bad_rows = UINT64_MAX, .base_directory = hosted->world.directory };
    assert_null(runtime_host(hosted->world.session, &options, &hosted->session));
}

/* The catalog may point to the session's texts. */
static void hosted_end(Hosted *hosted)
{
    world_end(&hosted->world);
    session_free(hosted->session);
}

static Error *on_begin(void *caller, const ResultInfo *info)
{
    ((Hosted *)caller)->updating = info->updating;
    return NULL;
}

static Error *on_rows(void *caller, const Batch *batch)
{
    Hosted *hosted = caller;
    Text *out = &hosted->world.out;
    add_batch(out, batch, hosted->updating);
    if (hosted->meanwhile) {
        Text kept = *out;
        *out = (Text){ 0 };
        execute(&hosted->world, hosted->meanwhile);
        text_release(out);
        *out = kept;
        hosted->meanwhile = NULL;
    }
    return NULL;
}

static void on_notice(void *caller, const char *text) { text_printf(&((Hosted *)caller)->world.out, "%s\n", text); }

/* What the session says to a statement that the runtime hands on. */
static const char *run(Hosted *hosted, const char *sql)
{
    Text *out = &hosted->world.out;
    SessionOutput output = { .begin = on_begin, .rows = on_rows, .notice = on_notice, .caller = hosted };
    const char *said = execute(&hosted->world, sql);
    if (strncmp(said, "handed on: ", 11) != 0)
        fail_msg("%s: %s", sql, said);
    out->length = 0;
    Error *error = session_run(hosted->session, sql, strlen(sql), &output);
    if (error)
        text_printf(out, "error: %s\n", error->message);
    error_free(error);
    return text_c(out);
}

static void tables_are_read_as_they_stand(void **state)
{
    (void)state;
    Hosted hosted;
    hosted_start(&hosted);
    execute(&hosted.world, BIDS);
    assert_string_equal(run(&hosted, "SELECT * FROM counts ORDER BY auction;"), "1,2\n2,1\n");
    execute(&hosted.world, "INSERT INTO bids VALUES (2, 1);");
    assert_string_equal(run(&hosted, "SELECT n FROM counts WHERE auction = 2;"), "2\n");
    assert_string_equal(run(&hosted, "SELECT nothing FROM counts;"), "error: no column 'nothing' in counts\n");
    assert_non_null(strstr(execute(&hosted.world, "SHOW QUERIES;"), "CTAS_COUNTS_1"));
    assert_null(strstr(text_c(&hosted.world.out), "transient"));
    hosted_end(&hosted);
}

static void changes_are_read_until_the_limit(void **state)
{
    (void)state;
    Hosted hosted;
    hosted_start(&hosted);
    execute(&hosted.world, BIDS);
    hosted.meanwhile = "INSERT INTO bids VALUES (2, 1);";
    assert_string_equal(run(&hosted, "SELECT * FROM counts EMIT CHANGES LIMIT 3;"), "+I 1,2\n+I 2,1\n-U 2,1\n+U 2,2\n");
    hosted_end(&hosted);
}

static void rows_that_are_lost_are_told(void **state)
{
    (void)state;
    Hosted hosted;
    hosted_start(&hosted);
    execute(&hosted.world, BIDS "CREATE STREAM many (auction BIGINT, price BIGINT) WITH (connector = 'datagen', rows = 200000);");
    hosted.meanwhile = "INSERT INTO bids SELECT auction, price FROM many;";
    assert_non_null(strstr(run(&hosted, "SELECT * FROM counts EMIT CHANGES LIMIT 10;"), " rows were dropped: they came faster than they were read\n"));
    hosted_end(&hosted);
}

static void what_scripts_have_is_there(void **state)
{
    (void)state;
    Hosted hosted;
    hosted_start(&hosted);
    execute(&hosted.world, BIDS);
    assert_non_null(strstr(run(&hosted, "EXPLAIN ANALYZE SELECT n FROM counts;"), "2 rows in, 2 rows out"));
    assert_non_null(strstr(run(&hosted, "EXPLAIN WHY NO OUTPUT SELECT n FROM counts WHERE n > 5;"), "n > 5"));
    world_write(&hosted.world, "two.csv", "w", "a\n1\n2\n");
    assert_string_equal(run(&hosted, "SELECT SUM(a) AS s FROM 'two.csv';"), "3\n");
    execute(&hosted.world, "CREATE STREAM two (a BIGINT) WITH (path = 'two.csv');");
    assert_string_equal(run(&hosted, "ASSERT VALUES two (a) VALUES (1), (2);"), "");
    assert_memory_equal(run(&hosted, "ASSERT VALUES two (a) VALUES (9);"), "error: ", 7);
    assert_null(session_set(hosted.session, "exec.threads", "2"));
    assert_string_equal(run(&hosted, "SELECT SUM(a) AS s FROM 'two.csv';"), "3\n");
    assert_string_equal(execute(&hosted.world, "RUN SCRIPT 'some.sql';"), "handed on: RUN SCRIPT 'some.sql'\n");
    hosted_end(&hosted);
}

static void a_table_without_its_query_says_so(void **state)
{
    (void)state;
    Hosted hosted;
    hosted_start(&hosted);
    execute(&hosted.world, BIDS "TERMINATE CTAS_COUNTS_1;");
    assert_non_null(strstr(run(&hosted, "SELECT * FROM counts;"), "'counts' holds nothing: its query"));
    hosted_end(&hosted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_read_as_they_stand),
        cmocka_unit_test(changes_are_read_until_the_limit),
        cmocka_unit_test(rows_that_are_lost_are_told),
        cmocka_unit_test(what_scripts_have_is_there),
        cmocka_unit_test(a_table_without_its_query_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
