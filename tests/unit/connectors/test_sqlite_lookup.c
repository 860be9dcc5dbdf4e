/* Lookups in SQLite: the cache answers, notices changes of the database, and never holds more than it may. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "connectors/connectors_internal.h"
#include "connectors/sqlite.h"

typedef struct Fixture {
    Arena arena;
    char folder[64], path[96];
    ConnectorContext context;
    SqliteOptions options;
    LookupSpec spec;
    Lookup lookup;
} Fixture;

static const char *const key_names[] = { "id" };
static const char *const value_names[] = { "name" };

static void run_sql(const char *path, const char *sql)
{
    sqlite3 *handle;
    assert_int_equal(sqlite3_open(path, &handle), SQLITE_OK);
    assert_int_equal(sqlite3_exec(handle, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(handle);
}

static int set_up(void **state)
{
    Fixture *f = calloc(1, sizeof *f);
    static const Type *types[2];
    types[0] = type_scalar(TYPE_BIGINT);
    types[1] = type_scalar(TYPE_VARCHAR);
    arena_init(&f->arena, NULL);
    snprintf(f->folder, sizeof f->folder, "/tmp/bidsql-lookup-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->path, sizeof f->path, "%s/ref.db", f->folder);
    run_sql(f->path, "CREATE TABLE users (id BIGINT, name TEXT);"
                     "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 999)"
                     "INSERT INTO users SELECT i, 'the user with the number ' || i FROM n; CREATE INDEX by_id ON users (id)");
    f->context = (ConnectorContext){ .filesystem = filesystem_system(), .clock = clock_system() };
    f->options = (SqliteOptions){ .path = f->path, .table = "users", .busy_timeout_us = 1000000, .cache_rows = 100000 };
    f->spec = (LookupSpec){ .connector = &sqlite_connector, .options = &f->options, .key_columns = key_names, .key_types = types, .key_count = 1,
        .value_columns = value_names, .value_types = types + 1, .value_count = 1 };
    f->lookup = (Lookup){ .spec = &f->spec, .context = &f->context };
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    Fixture *f = *state;
    sqlite_lookup.close(&f->lookup);
    arena_release(&f->arena);
    unlink(f->path);
    rmdir(f->folder);
    free(f);
    return 0;
}

/* Looks one id up; the name, or NULL if there is none. */
static const char *look_up(Fixture *f, int64_t id)
{
    Value value = { .type = type_scalar(TYPE_BIGINT), .integer = id };
    const Vector *keys[] = { vector_constant(&f->arena, &value) };
    uint32_t *rows, count;
    Vector **values;
    Error *error = sqlite_lookup.find(&f->lookup, &f->arena, keys, &(Selection){ 1, NULL }, &rows, &values, &count);
    assert_null(error);
    if (count == 0)
        return NULL;
    assert_int_equal(rows[0], 0);
    const Str *name = values[0]->values;
    return arena_strndup(&f->arena, str_bytes(name), name->length);
}

static void answers_are_kept(void **state)
{
    Fixture *f = *state;
    assert_null(sqlite_lookup.open(&f->lookup));
    assert_null(sqlite_lookup.begin_turn(&f->lookup));
    for (int round = 0; round < 3; round++) {
        assert_string_equal(look_up(f, 7), "the user with the number 7");
        assert_null(look_up(f, 1000));
        assert_null(sqlite_lookup.begin_turn(&f->lookup));
    }
    assert_int_equal(f->lookup.misses, 2); /* the absent key, too, was asked for once */
    assert_int_equal(f->lookup.hits, 4);
    assert_int_equal(f->lookup.absent, 3);
}

static void a_change_is_noticed_with_the_next_turn(void **state)
{
    Fixture *f = *state;
    assert_null(sqlite_lookup.open(&f->lookup));
    assert_null(sqlite_lookup.begin_turn(&f->lookup));
    assert_string_equal(look_up(f, 1), "the user with the number 1");
    assert_null(look_up(f, 2000));
    run_sql(f->path, "UPDATE users SET name = 'Ada' WHERE id = 1; INSERT INTO users VALUES (2000, 'Ben'); DELETE FROM users WHERE id = 2");
    assert_null(sqlite_lookup.begin_turn(&f->lookup));
    assert_string_equal(look_up(f, 1), "Ada");
    assert_string_equal(look_up(f, 2000), "Ben");
    assert_null(look_up(f, 2));
}

static void another_file_in_its_place_is_noticed(void **state)
{
    Fixture *f = *state;
    char other[128];
    assert_null(sqlite_lookup.open(&f->lookup));
    assert_null(sqlite_lookup.begin_turn(&f->lookup));
    assert_string_equal(look_up(f, 1), "the user with the number 1");
    snprintf(other, sizeof other, "%s/new.db", f->folder);
    run_sql(other, "CREATE TABLE users (id BIGINT, name TEXT); INSERT INTO users VALUES (1, 'from the new file')");
    assert_int_equal(rename(other, f->path), 0);
    assert_null(sqlite_lookup.begin_turn(&f->lookup));
    assert_string_equal(look_up(f, 1), "from the new file");
}

static void a_small_cache_forgets_and_stays_right(void **state)
{
    Fixture *f = *state;
    f->options.cache_rows = 10;
    assert_null(sqlite_lookup.open(&f->lookup));
    assert_null(sqlite_lookup.begin_turn(&f->lookup));
    char expected[64];
    for (int i = 0; i < 5000; i++) {
        int id = i % 3 ? i * 7 % 1000 : 5; /* one key that is asked for all the time */
        snprintf(expected, sizeof expected, "the user with the number %d", id);
        assert_string_equal(look_up(f, id), expected);
    }
    assert_in_range(f->lookup.misses, 3000, 4500); /* the frequent key stays, others come and go */
}

static void without_a_cache_every_answer_is_fetched(void **state)
{
    Fixture *f = *state;
    f->options.cache_rows = 0;
    assert_null(sqlite_lookup.open(&f->lookup));
    assert_null(sqlite_lookup.begin_turn(&f->lookup));
    for (int i = 0; i < 5; i++)
        assert_string_equal(look_up(f, 3), "the user with the number 3");
    assert_int_equal(f->lookup.hits, 0);
    assert_int_equal(f->lookup.misses, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(answers_are_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_change_is_noticed_with_the_next_turn, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_file_in_its_place_is_noticed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_small_cache_forgets_and_stays_right, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_a_cache_every_answer_is_fetched, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
