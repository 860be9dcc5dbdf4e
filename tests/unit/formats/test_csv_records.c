/* DELIMITED messages: read and quoted as Apache Commons CSV does it. */
#include "tests/unit/formats/records.h"

#define OPTIONS(text) options_of(&csv_format, text)

static const Type *scalar(TypeKind kind) { return type_scalar(kind); }

static void a_message_is_one_record(void **state)
{
    (void)state;
    Columns three = { 3, { "ID", "NAME", "V" }, { scalar(TYPE_BIGINT), scalar(TYPE_VARCHAR), scalar(TYPE_DOUBLE) }, false };
    assert_records(csv_format, three, OPTIONS(""), "0 | 'zero' | 0.0E0\n1 | 'a,b' | -1.5E0\n2 | 'two\nlines' | NULL\nNULL | NULL | NULL\n3 | 'say \"x\"' | 1.0E10\nNULL | NULL | NULL\n4 | 'd' | 4.0E0\n", "0,zero,0.0",
                   "1,\"a,b\",-1.5", "2,\"two\nlines\",\r\n", ",,", "3,\"say \"\"x\"\"\",1.0E10", NULL, "\n\"4\" ,d,4\n\n");
    assert_records(csv_format, three, OPTIONS(""),
                   "! 2 cells where 3 are expected\n! 4 cells where 3 are expected\n! ID: expected BIGINT, found 'x'\n! nothing there\n! a quoted cell does not end\n! NAME: text after the closing quote\n! more than one record\n! not UTF-8 at byte 2\n"
                   "! V: expected DOUBLE, found 'z'\n",
                   "1,a", "1,a,2,3", "x,a,1", "", "1,\"a,2", "1,\"a\"b,2", "1,a,2\n2,b,3", "1,\xff,2", "1,a,z");
}

static void empty_cells_are_null(void **state)
{
    (void)state;
    Columns two = { 2, { "A", "B" }, { scalar(TYPE_VARCHAR), scalar(TYPE_VARCHAR) }, false };
    assert_records(csv_format, two, OPTIONS(""), "NULL | 'x'\nNULL | NULL\nNULL | ' '\n", ",x", "\"\",", "\"\"  , ");
    assert_records(csv_format, two, OPTIONS("null_text=-"), "NULL | '-'\nNULL | NULL\n", "-,\"-\"", ",\"\"");
    assert_records(csv_format, ONE("V", scalar(TYPE_INT)), OPTIONS(""), "NULL\n5\nNULL\n", "", "\"5\"", "\n");
    assert_records(csv_format, two, OPTIONS("ragged_rows=allow"), "'a' | NULL\n'a' | 'b'\n", "a", "a,b,c");
}

static void delimiters_may_be_others(void **state)
{
    (void)state;
    Columns two = { 2, { "A", "B" }, { scalar(TYPE_VARCHAR), scalar(TYPE_INT) }, true };
    assert_records(csv_format, two, OPTIONS("delimiter=|"), "'a,b' | 1\n", "a,b|1");
    assert_records(csv_format, two, OPTIONS("delimiter=SPACE"), "'a' | 1\n", "a 1");
    assert_records(csv_format, two, OPTIONS("delimiter=TAB"), "'a b' | 1\n", "a b\t1");
    assert_rewritten(&csv_format, &two, OPTIONS("delimiter=$"), "\"a$b\"$1", "\"a$b\"$1");
    assert_rewritten(&csv_format, &two, OPTIONS("delimiter=SPACE"), "a 1", "a 1");
}

static void all_simple_types_are_read_and_written(void **state)
{
    (void)state;
    const void *numbers = OPTIONS("timestamps=epoch_ms");
    const struct { const Type *type; const char *message, *written; } cases[] = {
        { scalar(TYPE_BOOLEAN), "true", "true" }, { scalar(TYPE_BOOLEAN), "FALSE", "false" }, { scalar(TYPE_INT), "101", "101" }, { scalar(TYPE_INT), "-5", "\"-5\"" },
        { scalar(TYPE_BIGINT), "998877665544332211", "998877665544332211" }, { scalar(TYPE_DOUBLE), "10.3", "10.3" }, { scalar(TYPE_DOUBLE), "1e10", "1.0E10" }, { scalar(TYPE_DOUBLE), "4.9e-324", "4.9E-324" },
        { scalar(TYPE_DOUBLE), "0.00001234", "1.234E-5" }, { scalar(TYPE_DOUBLE), "-0.0", "\"-0.0\"" }, { type_decimal(&arena, 33, 16), "12345678987654321.2345678987654321", "12345678987654321.2345678987654321" },
        { type_decimal(&arena, 33, 16), ".12", "0.1200000000000000" }, { type_decimal(&arena, 33, 16), "\"-12345.12\"", "\"-12345.1200000000000000\"" }, { type_decimal(&arena, 33, 16), "0", "0.0000000000000000" },
        { scalar(TYPE_BYTES), "dmFyaWF0aW9ucw==", "dmFyaWF0aW9ucw==" }, { scalar(TYPE_TIME), "10", "10" }, { scalar(TYPE_DATE), "10", "10" }, { scalar(TYPE_DATE), "1969-12-22", "\"-10\"" },
        { scalar(TYPE_TIMESTAMP), "1526075913007", "1526075913007" }, { scalar(TYPE_TIMESTAMP), "2018-05-11T21:58:33.007Z", "1526075913007" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        Columns column = ONE("V", cases[i].type);
        assert_rewritten(&csv_format, &column, numbers, cases[i].message, cases[i].written);
    }
    Columns times = { 3, { "TS", "D", "T" }, { scalar(TYPE_TIMESTAMP), scalar(TYPE_DATE), scalar(TYPE_TIME) }, false };
    assert_rewritten(&csv_format, &times, OPTIONS(""), "1526075913007,1969-12-22,00:00:01", "2018-05-11 21:58:33.007,1969-12-22,00:00:01");
    assert_rewritten(&csv_format, &times, OPTIONS("timestamps=iso"), "1526075913007,1969-12-22,00:00:01", "2018-05-11T21:58:33.007Z,1969-12-22,00:00:01");
    assert_records(csv_format, ONE("D", scalar(TYPE_DATE)), OPTIONS(""), "! D: expected DATE, found '10'\n", "10");
    assert_records(csv_format, ONE("T", scalar(TYPE_TIME)), numbers, "! T: expected TIME, found '86400000'\n", "86400000");
}

static void cells_are_quoted_as_elsewhere(void **state)
{
    (void)state;
    Columns three = { 3, { "A", "B", "C" }, { scalar(TYPE_VARCHAR), scalar(TYPE_VARCHAR), scalar(TYPE_VARCHAR) }, false }, one = ONE("A", scalar(TYPE_VARCHAR));
    const struct { const char *a, *b, *c, *message; } cases[] = {
        { "a", "b", "c", "a,b,c" }, { "!", "IQ==", "!", "\"!\",IQ==,\"!\"" }, { "#", "#", "$", "\"#\",\"#\",$" }, { "$", "-1", "x y", "\"$\",-1,x y" }, { "9", " x", "x ", "9,\" x\",\"x \"" },
        { "", "", "s", "\"\",,s" }, { "\u00e9", "\u00e9", "a,b", "\"\u00e9\",\u00e9,\"a,b\"" }, { "a\"b", "c\nd", "e\rf", "\"a\"\"b\",\"c\nd\",\"e\rf\"" }, { " \t with white space \t", "\t wit", "'", "\" \t with white space \t\",\"\t wit\",'" },
        { "z", "~", "{", "z,~,{" }, { "{", "A", "Z", "\"{\",A,Z" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *texts[] = { cases[i].a, cases[i].b, cases[i].c };
        Vector *vectors[3];
        for (int c = 0; c < 3; c++) {
            vectors[c] = vector_new(&arena, scalar(TYPE_VARCHAR), 1);
            ((Str *)vectors[c]->values)[0] = str_c(texts[c]);
        }
        size_t length;
        assert_string_equal(record_encode(&csv_format, &three, OPTIONS(""), vectors, 0, &length), cases[i].message);
    }
    assert_rewritten(&csv_format, &three, OPTIONS(""), ",456,foo", ",456,foo");
    assert_rewritten(&csv_format, &three, OPTIONS(""), NULL, ",,");
    assert_rewritten(&csv_format, &three, OPTIONS("null_text=NULL"), ",x,\"NULL\"", "NULL,x,\"NULL\"");
    assert_rewritten(&csv_format, &one, OPTIONS(""), NULL, "");
    assert_rewritten(&csv_format, &one, OPTIONS("disable_quotes=true"), "\"-5\"", "\"-5\"");
    Columns key = KEY("K", scalar(TYPE_VARCHAR)), keys = { 2, { "K1", "K2" }, { scalar(TYPE_VARCHAR), scalar(TYPE_VARCHAR) }, true };
    assert_rewritten(&csv_format, &key, OPTIONS(""), NULL, NULL);
    assert_rewritten(&csv_format, &keys, OPTIONS(""), "\"foo\",\"bar\"", "foo,bar");
    assert_rewritten(&csv_format, &keys, OPTIONS(""), ",bar", ",bar");
    assert_rewritten(&csv_format, &keys, OPTIONS(""), NULL, ","); /* that a message has no key is not the format's to say */
}

static void nested_columns_are_refused(void **state)
{
    (void)state;
    const char *name = "F";
    const Type *number = scalar(TYPE_DOUBLE);
    Columns list = KEY("K", type_array(&arena, number)), record = ONE("FOO", type_struct(&arena, 1, &name, &number)), map = KEY("K", type_map(&arena, scalar(TYPE_VARCHAR), number)), fine = ONE("V", number);
    assert_refused(&csv_format, &list, OPTIONS(""), "Key format does not support schema.\nformat: DELIMITED\nschema: Persistence{columns=[`K` ARRAY<DOUBLE> KEY], features=[]}\n"
                   "reason: The 'DELIMITED' format does not support type 'ARRAY', column: `K`");
    assert_refused(&csv_format, &record, OPTIONS(""), "schema: Persistence{columns=[`FOO` STRUCT<`F` DOUBLE>], features=[]}\nreason: The 'DELIMITED' format does not support type 'STRUCT', column: `FOO`");
    assert_refused(&csv_format, &map, OPTIONS(""), "Map keys, including types that contain maps, are not supported");
    assert_refused(&csv_format, &fine, OPTIONS("wrap_single_value=true"), "Format 'DELIMITED' does not support 'WRAP_SINGLE_VALUE' set to 'true'.");
    assert_accepted(&csv_format, &fine, OPTIONS("wrap_single_value=false"));
    assert_refused(&csv_format, &fine, OPTIONS("delimiter="), "Delimiter cannot be empty");
    assert_refused(&csv_format, &fine, OPTIONS("delimiter=\""), "'delimiter' and 'quote' are the same character");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, records_start, records_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_message_is_one_record),
        TEST(empty_cells_are_null),
        TEST(delimiters_may_be_others),
        TEST(all_simple_types_are_read_and_written),
        TEST(cells_are_quoted_as_elsewhere),
        TEST(nested_columns_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
