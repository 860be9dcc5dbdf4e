/* What the shell makes of SQL that is being typed: is it finished, is it a command, what may come next; and that what help says is so. */
#include "tests/unit/common/unit.h"

#include "parser/parser.h"
#include "repl/commands.h"
#include "repl/completion.h"
#include "repl/help.h"
#include "repl/sql_text.h"

static void statements_end_with_a_semicolon_that_is_no_part_of_something(void **state)
{
    (void)state;
    static const struct { const char *text; bool finished; char open; } cases[] = {
        { "", false, '=' }, { "SELECT 1", false, '-' }, { "SELECT 1;", true, '=' }, { "SELECT ';", false, '\'' }, { "SELECT 'a;''b';", true, '=' },
        { "SELECT \"a;", false, '"' }, { "SELECT 1 -- ;", false, '-' }, { "SELECT 1; -- done", true, '=' }, { "SELECT /* ;", false, '*' },
        { "SELECT f(1;", true, '=' }, { "SELECT f(1", false, '(' }, { "CREATE FUNCTION f() AS $$ return 1; ", false, '$' },
        { "EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1;", false, '-' }, { "EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1; END;", true, '=' },
        { "SELECT 1; SELECT 2", false, '-' }, { "`a", false, '"' },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (sql_is_finished(cases[i].text, strlen(cases[i].text)) != cases[i].finished || sql_open_part(cases[i].text, strlen(cases[i].text)) != cases[i].open)
            fail_msg("%s: %d %c", cases[i].text, sql_is_finished(cases[i].text, strlen(cases[i].text)), sql_open_part(cases[i].text, strlen(cases[i].text)));
    }
    assert_true(sql_is_blank(" -- nothing\n/* at all */ ", 25));
    assert_false(sql_is_blank("/* not closed", 13));
}

/* Any bytes: pieces never overlap, never stand still, and colours stay inside. */
static void any_text_has_pieces(void **state)
{
    (void)state;
    static const char letters[] = "a'\"`$-/*();.{}1 \n\\e+\xC3\xA9";
    for (int round = 0; round < 20000; round++) {
        char text[40];
        uint8_t styles[41];
        size_t length = random_upto(sizeof text - 1), at = 0, before = 0;
        for (size_t i = 0; i < length; i++)
            text[i] = letters[random_upto(sizeof letters - 2)];
        text[length] = 0;
        SqlPiece piece;
        while (sql_piece_next(text, length, &at, &piece)) {
            assert_true(piece.start >= before && piece.length > 0 && piece.start + piece.length == at && at <= length);
            before = at;
        }
        styles[length] = 77;
        sql_color(text, length, styles);
        assert_int_equal(styles[length], 77);
        sql_is_finished(text, length);
        command_is(text, length);
    }
}

static void commands_are_told_from_sql(void **state)
{
    (void)state;
    static const char *const are[] = { "\\d", ".mode csv", "help", "exit;", "HISTORY 5", "\\nonsense", "  \\q", "\\!ls", "spool x.txt" };
    static const char *const are_not[] = { "SELECT 1", "", "helpme", "d bids", "SET 'x' = 'y'", "describe x", "-- \\d" };
    for (size_t i = 0; i < COUNT(are); i++)
        assert_true(command_is(are[i], strlen(are[i])));
    for (size_t i = 0; i < COUNT(are_not); i++)
        assert_false(command_is(are_not[i], strlen(are_not[i])));
}

static void secrets_are_not_kept(void **state)
{
    (void)state;
    assert_true(sql_is_secret("x 'sasl.PASSWORD' = 'y'", 23));
    assert_false(sql_is_secret("SELECT pass FROM words", 22));
}

/* Every example of help is a statement. */
static void help_is_sql(void **state)
{
    (void)state;
    int count;
    const StatementHelp *help = help_statements(&count);
    for (int i = 0; i < count; i++) {
        Arena arena;
        AstScript script = { 0 };
        arena_init(&arena, NULL);
        Error *error = parse_script(&arena, help[i].example, strlen(help[i].example), NULL, &script);
        if (error)
            fail_msg("%s: %s", help[i].example, error->message);
        assert_int_equal(script.statement_count, 1);
        assert_int_equal(strncmp(help[i].example, help[i].name, strcspn(help[i].name, " ")), 0);
        arena_release(&arena);
    }
}

/* ---- completion ---- */

static Backend *shell_over(const char *setup)
{
    SessionOptions options = { .max_bad_rows = UINT64_MAX, .threads = 1 };
    Session *session;
    SessionOutput quiet = { 0 };
    assert_null(session_new(&options, &session));
    Error *error = session_run(session, setup, strlen(setup), &quiet);
    if (error)
        fail_msg("%s", error->message);
    return backend_local(session);
}

/* `|` is the cursor. The names that are offered, in order. */
static void assert_offers(Backend *backend, const char *marked, const char *expected)
{
    Arena arena;
    arena_init(&arena, NULL);
    const char *bar = strchr(marked, '|');
    size_t cursor = (size_t)(bar - marked);
    const char *text = arena_printf(&arena, "%.*s%s", (int)cursor, marked, bar + 1);
    Completions completions = { .from = cursor };
    Text all = { 0 };
    completion_find(backend, &arena, text, strlen(text), cursor, &completions);
    assert_true(completions.from <= cursor);
    for (int i = 0; i < completions.count; i++)
        text_printf(&all, "%s%s", i ? " " : "", completions.items[i].shown);
    if (strcmp(text_c(&all), expected) != 0)
        fail_msg("%s: '%s' instead of '%s'", marked, text_c(&all), expected);
    text_release(&all);
    arena_release(&arena);
}

static void what_fits_is_offered(void **state)
{
    (void)state;
    Backend *backend = shell_over("CREATE STREAM bids (auction BIGINT, price DOUBLE) WITH (connector = 'datagen', rows = 1);"
                                  "CREATE STREAM binds (id BIGINT) WITH (connector = 'datagen', rows = 1);"
                                  "DEFINE day = 'x';");
    assert_offers(backend, "SEL|", "SELECT");
    assert_offers(backend, "sel|", "select");
    assert_offers(backend, "SELECT 1; ins|", "insert");
    assert_offers(backend, "SELECT * FROM bi|", "bids binds");
    assert_offers(backend, "SELECT |  FROM bids", "auction price");
    assert_offers(backend, "SELECT pri| FROM bids", "price primary print");
    assert_offers(backend, "SELECT b.| FROM bids AS b", "auction price");
    assert_offers(backend, "SELECT b.| FROM bids b", "auction price");
    assert_offers(backend, "SELECT substr|", "substr substring");
    assert_offers(backend, "SHOW str|", "streams");
    assert_offers(backend, "DROP STREAM bin|", "binds");
    assert_offers(backend, "CREATE STREAM x (a INT) WITH (connec|", "connector");
    assert_offers(backend, "CREATE STREAM x (a INT) WITH (connector = 'data|", "datagen");
    assert_offers(backend, "CREATE STREAM x (a INT) WITH (connector = 'file', format = 'csv|", "csv");
    assert_offers(backend, "SET 'exec.thr|", "");
    assert_offers(backend, "SET 'dial|", "dialect");
    assert_offers(backend, "UNDEFINE d|", "day");
    assert_offers(backend, "\\tim|", "\\timing \\timer");
    assert_offers(backend, ".mode cs|", "csv");
    assert_offers(backend, "SELECT 'no end |", "");
    backend->type->free(backend);
}

static void the_open_function_is_hinted_at(void **state)
{
    (void)state;
    Backend *backend = shell_over("");
    Arena arena;
    arena_init(&arena, NULL);
    const char *text = "SELECT upper(";
    assert_string_equal(completion_hint(backend, &arena, text, strlen(text)), "  upper(VARCHAR) -> VARCHAR");
    assert_null(completion_hint(backend, &arena, "SELECT upper('x')", 17));
    assert_null(completion_hint(backend, &arena, "SELECT (", 8));
    arena_release(&arena);
    backend->type->free(backend);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statements_end_with_a_semicolon_that_is_no_part_of_something),
        cmocka_unit_test(any_text_has_pieces),
        cmocka_unit_test(commands_are_told_from_sql),
        cmocka_unit_test(secrets_are_not_kept),
        cmocka_unit_test(help_is_sql),
        cmocka_unit_test(what_fits_is_offered),
        cmocka_unit_test(the_open_function_is_hinted_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
