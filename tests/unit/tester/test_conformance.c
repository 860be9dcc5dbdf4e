/* tests/unit/tester/test_conformance.c: the parts of the runner of ksqlDB's tests: reading, comparing, bytes, schemas, messages. */
#include "tests/unit/common/unit.h"

#include "tester/conformance_bytes.h"
#include "tester/conformance_compare.h"
#include "tester/conformance_errors.h"
#include "tester/conformance_post.h"

static Arena arena;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

static JsonTree *read(const char *text)
{
    JsonTree *tree = NULL;
    Error *error = json_tree_read(&arena, text, strlen(text), &tree);
    if (error)
        fail_msg("%s: %s", text, error->message);
    return tree;
}

static void assert_printed(const char *json, const char *expected)
{
    Text text = { 0 };
    json_tree_print(read(json), &text);
    assert_string_equal(text_c(&text), expected);
    text_release(&text);
}

static void documents_keep_their_numbers_and_lose_their_comments(void **state)
{
    (void)state;
    assert_printed(" 12345678901234567890123.4500 ", "12345678901234567890123.4500");
    assert_printed("{\"a\": [1.0E10, -0.0, null, true, false], // \"b\"\n \"c\": \"//\\\"/*\\u00e9\" /* } */ }", "{\"a\":[1.0E10,-0.0,null,true,false],\"c\":\"//\\\"/*\xC3\xA9\"}");
    assert_printed("[]", "[]");
    const char *const wrong[] = { "", "{", "[1,]", "1 2", "{\"a\" 1}", "nul", "\"a" };
    for (size_t i = 0; i < COUNT(wrong); i++) {
        JsonTree *tree;
        assert_error(json_tree_read(&arena, wrong[i], strlen(wrong[i]), &tree), "no JSON");
    }
}

static void values_are_compared_by_the_rules_of_the_test_driver(void **state)
{
    (void)state;
    static const struct { const char *expected, *actual; bool same, close; } cases[] = {
        { "5", "5", true, true },
        { "5", "5.0", true, true },
        { "5", "5.1", false, false },
        { "5.0", "5", true, true },
        { "1.0", "1.00", true, true },
        { "-12345678901234567890123", "-12345678901234567890123", true, true },
        { "12345678901234567890123", "12345678901234567890124", false, false },
        { "1000000", "1000001", false, false },
        { "3074457345651.058", "3.0744573456510586E12", true, true },
        { "1.5", "1.500000001", false, true },
        { "1.5", "1.6", false, false },
        { "1.0E2", "1.0e+2", true, true },
        { "100.0", "1.0E2", true, true },
        { "-0.0", "0.0", true, true },
        { "\"1.50\"", "1.50", true, true },
        { "\"1.5\"", "1.50", false, false },
        { "null", "null", true, true },
        { "null", "0", false, false },
        { "{\"a\": 1}", "{\"A\": 1}", true, true },
        { "{\"A\": 1}", "{\"a\": 1}", false, false },
        { "{\"A\": 1}", "{\"A\": 1, \"B\": null}", false, false },
        { "{\"A\": 1, \"B\": null}", "{\"A\": 1, \"C\": 2}", true, true },
        { "{\"A\": 1, \"B\": 2}", "{\"B\": 2, \"A\": 1}", true, true },
        { "[1, 2]", "[1, 2]", true, true },
        { "[1, 2]", "[2, 1]", false, false },
        { "[1]", "[1, 2]", false, false },
        { "true", "false", false, false },
        { "\"a\"", "\"A\"", false, false },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const JsonTree *expected = read(cases[i].expected), *actual = read(cases[i].actual);
        if (conformance_same(expected, actual, false) != cases[i].same || conformance_same(expected, actual, true) != cases[i].close)
            fail_msg("%s and %s", cases[i].expected, cases[i].actual);
    }
}

static void assert_bytes(const char *json, const char *format, TypeKind type, const char *bytes, size_t length)
{
    Column column = { .name = "C", .type = type_scalar(type) };
    Schema schema = { 1, &column };
    Text text = { 0 };
    bool none;
    JsonTree *tree = read(json), *back = NULL;
    assert_null(conformance_encode(tree, format, &schema, &text, &none));
    assert_false(none);
    assert_int_equal(text.length, length);
    assert_memory_equal(text_c(&text), bytes, length);
    assert_null(conformance_decode(&arena, text_c(&text), text.length, format, &schema, &back));
    assert_true(conformance_same(tree, back, true));
    text_release(&text);
}

static void messages_are_made_and_read(void **state)
{
    (void)state;
    assert_bytes("-2", "kafka", TYPE_INT, "\xFF\xFF\xFF\xFE", 4);
    assert_bytes("258", "kafka", TYPE_BIGINT, "\0\0\0\0\0\0\1\2", 8);
    assert_bytes("1.5", "kafka", TYPE_DOUBLE, "\x3F\xF8\0\0\0\0\0\0", 8);
    assert_bytes("\"a b\"", "kafka", TYPE_VARCHAR, "a b", 3);
    assert_bytes("\"AQI=\"", "kafka", TYPE_BYTES, "\1\2", 2);
    assert_bytes("{\"A\": 1.50}", "json", TYPE_VARCHAR, "{\"A\":1.50}", 10);
    assert_bytes("\"1,a\"", "delimited", TYPE_VARCHAR, "1,a", 3);
    Text text = { 0 };
    bool none = false;
    assert_null(conformance_encode(read("null"), "json", NULL, &text, &none));
    assert_true(none);
    assert_error(conformance_encode(read("[1]"), "kafka", NULL, &text, &none), "cannot be given");
    JsonTree *tree = NULL;
    assert_null(conformance_decode(&arena, NULL, 0, "json", NULL, &tree));
    assert_true(json_is_null(tree));
    text_release(&text);
}

static void windows_stand_behind_keys(void **state)
{
    (void)state;
    Text text = { 0 };
    text_add_c(&text, "k");
    conformance_encode_window(KEY_WINDOW_SESSION, 10, 20, &text);
    size_t length = text.length;
    int64_t start, end;
    assert_true(conformance_decode_window(KEY_WINDOW_SESSION, 0, text_c(&text), &length, &start, &end));
    assert_int_equal(length, 1);
    assert_int_equal(start, 10);
    assert_int_equal(end, 20);
    text.length = 0;
    conformance_encode_window(KEY_WINDOW_TIME, 30, 0, &text);
    length = text.length;
    assert_true(conformance_decode_window(KEY_WINDOW_TIME, 5, text_c(&text), &length, &start, &end));
    assert_int_equal(start, 30);
    assert_int_equal(end, 35);
    length = 7;
    assert_false(conformance_decode_window(KEY_WINDOW_TIME, 5, text_c(&text), &length, &start, &end));
    text_release(&text);
}

static void schemas_are_the_same_in_any_spelling(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        { "ID INT KEY, s ARRAY< varchar >", "`ID` INTEGER KEY, `S` ARRAY<STRING>" },
        { "K BIGINT KEY, D DECIMAL(4,2)", "`K` BIGINT KEY,`D` DECIMAL(4, 2)" },
        { "A STRUCT<`f` INT>", "`A` STRUCT<`f` INTEGER>" },
    };
    Text a = { 0 }, b = { 0 };
    for (size_t i = 0; i < COUNT(pairs); i++) {
        a.length = b.length = 0;
        conformance_normal_schema(pairs[i][0], &a);
        conformance_normal_schema(pairs[i][1], &b);
        assert_string_equal(text_c(&a), text_c(&b));
    }
    text_release(&a);
    text_release(&b);
}

static void errors_fit_by_the_table_or_in_the_same_words(void **state)
{
    (void)state;
    assert_true(conformance_pattern_matches("no * 'x'", "there is no column 'X' here"));
    assert_false(conformance_pattern_matches("no * 'x'", "there is no column"));
    ErrorTable table = { 0 };
    ErrorPair pair = { "cannot be resolved", "no column" };
    LIST_ADD(&arena, &table, pair);
    Error *error = error_new(ERR_BIND, "no column 'A'");
    assert_true(conformance_error_fits(&table, "Column 'A' cannot be resolved.", error));
    assert_true(conformance_error_fits(&table, "No column 'a'", error));
    assert_false(conformance_error_fits(&table, "Unknown format", error));
    error_free(error);
    error = error_new(ERR_INTERNAL, "no column 'A'");
    assert_false(conformance_error_fits(&table, "cannot be resolved", error));
    error_free(error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(documents_keep_their_numbers_and_lose_their_comments, set_up, tear_down),
        cmocka_unit_test_setup_teardown(values_are_compared_by_the_rules_of_the_test_driver, set_up, tear_down),
        cmocka_unit_test_setup_teardown(messages_are_made_and_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(windows_stand_behind_keys, set_up, tear_down),
        cmocka_unit_test_setup_teardown(schemas_are_the_same_in_any_spelling, set_up, tear_down),
        cmocka_unit_test_setup_teardown(errors_fit_by_the_table_or_in_the_same_words, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
