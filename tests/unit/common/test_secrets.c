/* What is covered in SQL, and what is not. */
#include "tests/unit/common/unit.h"

#include "common/secrets.h"

static const struct { const char *sql, *shown; } texts[] = {
    { "", "" },
    { "CREATE STREAM s WITH ('sasl.password' = 'it''s', topic = 't')", "CREATE STREAM s WITH ('sasl.password' = '*****', topic = 't')" },
    { "WITH (PASSWORD='a', `token` = 'b', \"client.secret\"='c')", "WITH (PASSWORD='*****', `token` = '*****', \"client.secret\"='*****')" },
    { "SET 'sasl.jaas.config' = 'x password=\"y\";'", "SET 'sasl.jaas.config' = '*****'" },
    { "'ssl.my.key' = 'a', t.key = 'b', 'key.format' = 'c'", "'ssl.my.key' = '*****', t.key = 'b', 'key.format' = 'c'" },
    { "'password' = ''", "'password' = ''" },
    { "'password' = '${env:P}', 'token' = '${file:/run/t}'", "'password' = '${env:P}', 'token' = '${file:/run/t}'" },
    { "'password' = '${env:P} and more'", "'password' = '*****'" },
    { "'token' = 12345, 'token' = abc", "'token' = *****, 'token' = *****" },
    { "'password' 'b'", "'password' '*****'" },
    { "'password' /* is */ =\n -- this\n 'b'", "'password' /* is */ =\n -- this\n '*****'" },
    { "-- 'password' = 'b'\n/*+ OPTIONS('password' = 'c') */ it's 'password'", "-- 'password' = '*****'\n/*+ OPTIONS('password' = '*****') */ it's 'password'" },
    { "'password' = 'never closed", "'password' = '*****" },
    { "'password' =", "'password' =" },
    { "'", "'" },
    { "--", "--" },
    { "/*", "/*" },
    { "'url' = 'http://anna:pass@host:80/x@y', 'http://host:80/'", "'url' = 'http://anna:*****@host:80/x@y', 'http://host:80/'" },
    { "SELECT password, token FROM users WHERE a = 'b'", "SELECT password, token FROM users WHERE a = 'b'" },
};

static void values_under_names_of_secrets_are_covered(void **state)
{
    (void)state;
    Arena arena;
    arena_init(&arena, NULL);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_string_equal(secrets_shown(&arena, texts[i].sql, strlen(texts[i].sql)), texts[i].shown);
    assert_string_equal(secret_value_shown(&arena, "api_token", "x"), "*****");
    assert_string_equal(secret_value_shown(&arena, "api_token", "${env:X}"), "${env:X}");
    assert_string_equal(secret_value_shown(&arena, "url", "http://a:b@c"), "http://a:*****@c");
    assert_string_equal(secret_value_shown(&arena, "name", "x"), "x");
    arena_release(&arena);
}

static void covering_in_place_keeps_places(void **state)
{
    (void)state;
    char text[] = "'password' =\n 'a\nbc', x";
    secrets_cover(text, strlen(text));
    assert_string_equal(text, "'password' =\n '*\n**', x");
}

/* Whatever the text is, nothing behind its end is read (the sanitizers' word), and nothing but values changes. */
static void any_text_will_do(void **state)
{
    (void)state;
    static const char *const pieces[] = { "'", "''", "\"", "`", "--", "/*", "*/", "\n", " ", "=", "password", "'token'", "://a:b@c", "${x}", "\xc3\xa4", ",", ".key" };
    for (int round = 0; round < 20000; round++) {
        size_t length = 0;
        char *text = malloc(256);
        for (size_t count = random_upto(12); count > 0; count--) {
            const char *piece = pieces[random_upto(sizeof pieces / sizeof *pieces - 1)];
            memcpy(text + length, piece, strlen(piece));
            length += strlen(piece);
        }
        char *exact = malloc(length + 1);
        memcpy(exact, text, length);
        exact[length] = 0;
        secrets_cover(exact, length);
        for (size_t i = 0; i < length; i++)
            assert_true(exact[i] == text[i] || exact[i] == '*');
        free(exact);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_under_names_of_secrets_are_covered),
        cmocka_unit_test(covering_in_place_keeps_places),
        cmocka_unit_test(any_text_will_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
