/* tests/unit/runtime/test_keys.c: rows of tables by their key: in an address, and in the WHERE of a pull query. */
#include "world.h"

/* The rows, or the error. */
static const char *look(World *world, const char *table, const char *text, const char *from, const char *to)
{
    const RuntimeKey key = { text, from, to };
    const Schema *schema;
    bool windowed;
    Batch *rows;
    world->out.length = 0;
    Error *error = runtime_pull_key(world->runtime, table, &key, &schema, &windowed, &rows);
    if (error)
        text_printf(&world->out, "error: %s\n", error->message);
    else if (!rows)
        text_add_c(&world->out, "none\n");
    else
        add_batch(&world->out, rows, false);
    batch_release(rows);
    error_free(error);
    return text_c(&world->out);
}

static void a_row_is_found_by_its_key(void **state)
{
    (void)state;
    World world;
    world_start(&world);
    execute(&world, "CREATE STREAM bids (auction BIGINT, user STRING); CREATE TABLE counts AS SELECT user, COUNT(*) AS n FROM bids GROUP BY user;"
                    "CREATE TABLE both AS SELECT user, auction, COUNT(*) AS n FROM bids GROUP BY user, auction;"
                    "INSERT INTO bids VALUES (1, 'ann'), (2, 'bob'), (3, 'ann'), (4, 'ann,bob'), (5, 'a\"b');");
    assert_string_equal(look(&world, "counts", "ann", NULL, NULL), "ann,2\n");
    assert_string_equal(look(&world, "counts", "eve", NULL, NULL), "none\n");
    assert_string_equal(look(&world, "counts", "ann,bob", NULL, NULL), "ann,bob,1\n"); /* one column: the whole text */
    assert_string_equal(look(&world, "both", "ann,3", NULL, NULL), "ann,3,1\n");
    assert_string_equal(look(&world, "both", "\"ann,bob\",4", NULL, NULL), "ann,bob,4,1\n");
    assert_string_equal(look(&world, "both", "\"a\"\"b\",5", NULL, NULL), "a\"b,5,1\n");
    assert_string_equal(look(&world, "both", "ann", NULL, NULL), "error: the key of 'both' has 2 columns, 1 value is given\n");
    assert_string_equal(look(&world, "both", "ann,1,2", NULL, NULL), "error: the key of 'both' has 2 columns, 3 values are given\n");
    assert_string_equal(look(&world, "both", "ann,x", NULL, NULL), "error: 'x' is no BIGINT for the key column 'auction'\n");
    assert_string_equal(look(&world, "both", "\"ann,1", NULL, NULL), "error: in the key \"ann,1 a quote does not end\n");
    assert_string_equal(look(&world, "counts", "ann", "0", NULL), "error: the rows of 'counts' are of no windows\n");
    assert_string_equal(look(&world, "bids", "1", NULL, NULL), "error: there is no table 'bids' that a query keeps\n");
    world_end(&world);
}

static void keys_have_any_type(void **state)
{
    (void)state;
    World world;
    world_start(&world);
    execute(&world, "CREATE STREAM s (b BOOLEAN, d DECIMAL(10, 2), day DATE, t TIME, at TIMESTAMP(3), x DOUBLE, raw BYTES, tags ARRAY<STRING>, place STRUCT<a INT, b STRING>);");
    static const char *const keys[][3] = { /* the column, the key in an address, a condition */
        { "b", "true", "b" },
        { "d", "12.50", "d = 12.5" },
        { "day", "2026-01-02", "day = DATE '2026-01-02'" },
        { "t", "12:30:00", "t = TIME '12:30:00'" },
        { "at", "2026-01-02 12:30:00.5", "at = '2026-01-02 12:30:00.500'" },
        { "x", "1e3", "x = 1000" },
        { "raw", "AQI=", "raw IN (X'0102', X'0103')" },
        { "tags", "[\"a\", \"b\"]", "tags = ARRAY['a', 'b']" },
        { "place", "{\"a\": 1, \"b\": \"x\"}", "place = STRUCT(a := 1, b := 'x')" },
    };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        char sql[256];
        snprintf(sql, sizeof sql, "CREATE TABLE by_%s AS SELECT %s, COUNT(*) AS n FROM s GROUP BY %s;", keys[i][0], keys[i][0], keys[i][0]);
        assert_null(strstr(execute(&world, sql), "error"));
    }
    assert_null(strstr(execute(&world, "INSERT INTO s VALUES (TRUE, 12.5, DATE '2026-01-02', TIME '12:30:00', TIMESTAMP '2026-01-02 12:30:00.5', 1000, X'0102', ARRAY['a', 'b'], STRUCT(a := 1, b := 'x')),"
                                       " (FALSE, 1, DATE '2026-01-01', TIME '00:00:00', TIMESTAMP '2026-01-01 00:00:00', 1, X'00', ARRAY['c'], STRUCT(a := 2, b := 'y'));"), "error"));
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        char table[32], sql[256];
        snprintf(table, sizeof table, "by_%s", keys[i][0]);
        snprintf(sql, sizeof sql, "SELECT n FROM %s WHERE %s;", table, keys[i][2]);
        const char *found = look(&world, table, keys[i][1], NULL, NULL);
        assert_non_null(strstr(found, ",1\n"));
        assert_null(strstr(found, "error"));
        assert_string_equal(pull(&world, sql), "1\n");
    }
    assert_string_equal(look(&world, "by_day", "tomorrow", NULL, NULL), "error: 'tomorrow' is no DATE for the key column 'day'\n");
    assert_string_equal(look(&world, "by_tags", "[1", NULL, NULL), "error: '[1' is no ARRAY<VARCHAR> for the key column 'tags'\n");
    assert_string_equal(pull(&world, "SELECT n FROM by_b WHERE NOT b;"), "1\n");
    world_end(&world);
}

static void several_keys_are_looked_up_one_by_one(void **state)
{
    (void)state;
    World world;
    world_start(&world);
    execute(&world, "CREATE STREAM bids (auction BIGINT, user STRING); CREATE TABLE both AS SELECT user, auction, COUNT(*) AS n FROM bids GROUP BY user, auction;"
                    "INSERT INTO bids VALUES (1, 'ann'), (2, 'bob'), (3, 'ann'), (1, 'eve');");
    assert_string_equal(pull(&world, "SELECT * FROM both WHERE user IN ('eve', 'ann', 'ann', NULL) AND auction = 1;"), "eve,1,1\nann,1,1\n");
    assert_string_equal(pull(&world, "SELECT * FROM both WHERE user IN ('ann') AND auction IN (3, 1, 9);"), "ann,3,1\nann,1,1\n");
    assert_string_equal(pull(&world, "SELECT * FROM both WHERE (user, auction) IN (('bob', 2), ('ann', 1), ('ann', 2));"), "bob,2,1\nann,1,1\n");
    assert_string_equal(pull(&world, "SELECT * FROM both WHERE (user = 'bob' AND auction = 2) OR (user = 'ann' AND auction = 1 AND n > 5);"), "bob,2,1\n");
    assert_string_equal(pull(&world, "SELECT * FROM both WHERE user = 'ann' AND auction = 1 AND auction = 3;"), "");
    assert_string_equal(pull(&world, "SELECT * FROM both WHERE user = 'ann' OR auction = 2;"), "ann,1,1\nbob,2,1\nann,3,1\n"); /* the whole table */
    assert_string_equal(pull(&world, "SELECT * FROM both WHERE user IN ('ann', 'bob');"), "ann,1,1\nbob,2,1\nann,3,1\n");
    world_end(&world);
}

static void windows_of_a_key_are_found_by_when_they_begin(void **state)
{
    (void)state;
    World world;
    world_start(&world);
    execute(&world, "CREATE STREAM clicks (page STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts);"
                    "CREATE TABLE counts AS SELECT page, COUNT(*) AS n FROM clicks WINDOW TUMBLING (SIZE 1 MINUTE) GROUP BY page;"
                    "INSERT INTO clicks VALUES ('a', TIMESTAMP '2026-01-01 10:00:01'), ('b', TIMESTAMP '2026-01-01 10:00:02'), ('a', TIMESTAMP '2026-01-01 10:01:02'), ('a', TIMESTAMP '2026-01-01 10:02:03');");
    assert_string_equal(pull(&world, "SELECT page, n, window_start FROM counts WHERE page IN ('a', 'c') AND window_start >= '2026-01-01 10:01:00' AND window_start < '2026-01-01 10:02:00';"),
                        "a,1,2026-01-01 10:01:00.000\n");
    assert_string_equal(pull(&world, "SELECT n FROM counts WHERE page = 'a' AND WINDOWSTART > 1767261600000 AND WINDOWEND <= 1767261780000;"), "1\n1\n");
    assert_string_equal(pull(&world, "SELECT n FROM counts WHERE page = 'a' AND WINDOWSTART = 1767261600000;"), "1\n");
    const char *first = "a,1,2026-01-01 10:00:00.000", *second = "a,1,2026-01-01 10:01:00.000", *third = "a,1,2026-01-01 10:02:00.000";
    const char *all = look(&world, "counts", "a", NULL, NULL);
    assert_true(strstr(all, first) && strstr(all, second) && strstr(all, third));
    const char *later = look(&world, "counts", "a", "1767261660000", NULL);
    assert_true(!strstr(later, first) && strstr(later, second) && strstr(later, third));
    const char *one = look(&world, "counts", "a", "2026-01-01 10:01:00", "2026-01-01T10:02:00Z");
    assert_true(!strstr(one, first) && strstr(one, second) && !strstr(one, third));
    assert_string_equal(look(&world, "counts", "a", "2027-01-01 10:01:00", NULL), "");
    assert_string_equal(look(&world, "counts", "c", NULL, NULL), "none\n");
    assert_string_equal(look(&world, "counts", "a", "soon", NULL), "error: 'soon' is no time\n");
    world_end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_is_found_by_its_key),
        cmocka_unit_test(keys_have_any_type),
        cmocka_unit_test(several_keys_are_looked_up_one_by_one),
        cmocka_unit_test(windows_of_a_key_are_found_by_when_they_begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
