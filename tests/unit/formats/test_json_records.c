/* JSON messages: objects and bare values, what ksqlDB takes for a value, how times are written. */
#include "tests/unit/formats/records.h"

#define OPTIONS(text) options_of(&json_format, text)

static const Type *scalar(TypeKind kind) { return type_scalar(kind); }

static const Type *struct_of(const char *a, const Type *first, const char *b, const Type *second)
{
    const char *names[] = { a, b };
    const Type *types[] = { first, second };
    return type_struct(&arena, b ? 2 : 1, names, types);
}

static void values_are_objects(void **state)
{
    (void)state;
    Columns two = { 2, { "ID", "NAME" }, { scalar(TYPE_BIGINT), scalar(TYPE_VARCHAR) }, false };
    assert_records(json_format, two, NULL, "1 | 'a'\n2 | NULL\nNULL | NULL\nNULL | NULL\nNULL | NULL\n3 | 'of more than twelve bytes'\n4 | 'e\u00e9\n'\n",
                   "{\"id\":1,\"Name\":\"a\",\"more\":[{}]}", " {\n  \"ID\": 2,\n  \"NAME\": null\n}\n", "{}", NULL, " null\n", "{\"NAME\":\"of more than twelve bytes\",\"ID\":3}", "{\"ID\":4,\"NAME\":\"e\\u00e9\\n\"}");
    assert_records(json_format, two, NULL,
                   "! ID: expected BIGINT, found \"x\"\n! invalid JSON at byte 0: a record must be an object\n! invalid JSON at byte 7: an object or array does not end\n"
                   "! invalid JSON at byte 0: nothing there\n! invalid JSON at byte 9: an object or array does not end\n5 | NULL\n! NAME: two keys fit the name 'NAME' without case\n6 | 'exact'\n7 | NULL\n",
                   "{\"ID\":\"x\",\"NAME\":\"n\"}", "12", "{\"ID\":1", "", "{\"ID\":1} x", "{\"ID\":4,\"ID\":5}", "{\"name\":\"a\",\"Name\":\"b\"}", "{\"name\":\"a\",\"NAME\":\"exact\",\"ID\":6}", "{\"id\":1,\"ID\":7}");
}

static void only_wanted_fields_are_read(void **state)
{
    (void)state;
    Columns leaves = { 2, { "bid.price", "bid.auction" }, { scalar(TYPE_INT), scalar(TYPE_INT) }, false };
    assert_records(json_format, leaves, NULL, "5 | 1\nNULL | NULL\n! bid.price: expected an object in 'bid'\n7 | NULL\n", "{\"bid\":{\"auction\":1,\"price\":5},\"other\":true}", "{\"bid\":null}", "{\"bid\":3}",
                   "{\"BID\":{\"Price\":7}}");
    Columns none = { 0 };
    assert_records(json_format, none, NULL, "\n! invalid JSON at byte 0: unexpected text\n\n", "{\"a\":1}", "x", NULL);
}

static void bad_rows_leave_lists_in_order(void **state)
{
    (void)state;
    const Type *list = type_array(&arena, scalar(TYPE_INT));
    Columns columns = { 3, { "a", "n", "b" }, { list, scalar(TYPE_INT), list }, false };
    assert_records(json_format, columns, NULL, "ARRAY[1, 2] | 1 | ARRAY[3]\n! b: expected INT, found \"x\"\n! n: expected INT, found []\nARRAY[4] | NULL | NULL\n", "{\"a\":[1,2],\"n\":1,\"b\":[3]}",
                   "{\"a\":[9,9],\"b\":[8,\"x\"]}", "{\"a\":[7],\"n\":[]}", "{\"a\":[4]}");
}

static void bare_values_have_no_object_around_them(void **state)
{
    (void)state;
    const void *bare = OPTIONS("wrap_single_value=false");
    assert_records(json_format, ONE("V", scalar(TYPE_INT)), bare, "10\nNULL\nNULL\n! V: expected INT, found \"a\"\n! invalid JSON at byte 2: unexpected text\n! invalid JSON at byte 0: nothing there\n! V: expected INT, found {\"V\":1}\n",
                   "10", NULL, "null", "\"a\"", "1 2", "", "{\"V\":1}");
    assert_records(json_format, ONE("V", scalar(TYPE_VARCHAR)), bare, "'hello'\n'with \"quotes\"'\n! invalid JSON at byte 0: unexpected text\n", "\"hello\"", "\"with \\\"quotes\\\"\"", "hello");
    assert_records(json_format, ONE("V", type_array(&arena, scalar(TYPE_DOUBLE))), bare, "ARRAY[10.1E0]\n", "[10.1]");
    assert_records(json_format, ONE("V", struct_of("A", scalar(TYPE_DOUBLE), NULL, NULL)), bare, "STRUCT(A := 45.67E0)\n! invalid JSON at byte 5: an object or array does not end\n", "{\"a\":45.67}", "{\"a\":");
    assert_records(json_format, ONE("V", type_map(&arena, scalar(TYPE_VARCHAR), scalar(TYPE_DOUBLE))), bare, "MAP('a' := 45.67E0)\n", "{\"a\":45.67}");
    /* a field of the one column */
    Columns field = ONE("V.A", scalar(TYPE_INT));
    assert_records(json_format, field, bare, "1\nNULL\n! V.A: expected an object in 'V'\n", "{\"a\":1}", "null", "5");
    /* two columns are an object in any case */
    Columns two = { 2, { "A", "B" }, { scalar(TYPE_INT), scalar(TYPE_INT) }, false };
    assert_records(json_format, two, bare, "1 | 2\n", "{\"A\":1,\"B\":2}");
}

static void keys_of_one_column_are_bare(void **state)
{
    (void)state;
    assert_records(json_format, KEY("K", scalar(TYPE_BIGINT)), NULL, "998877665544332211\nNULL\n! K: expected BIGINT, found {\"K\":1}\n", "998877665544332211", NULL, "{\"K\":1}");
    assert_records(json_format, KEY("K", scalar(TYPE_VARCHAR)), OPTIONS("wrap_single_value=false"), "'a'\n", "\"a\"");
    assert_records(json_format, KEY("K", scalar(TYPE_VARCHAR)), OPTIONS("wrap_single_value=true"), "'a'\n", "{\"K\":\"a\"}");
    Columns two = { 2, { "K", "K2" }, { scalar(TYPE_INT), scalar(TYPE_INT) }, true };
    assert_records(json_format, two, NULL, "1 | 2\nNULL | 2\nNULL | NULL\n", "{\"K\":1,\"K2\":2}", "{\"K\":null,\"K2\":2}", NULL);
}

static void ksql_takes_more(void **state)
{
    (void)state;
    const void *ksql = OPTIONS("coerce=ksql wrap_single_value=false");
    assert_records(json_format, ONE("V", scalar(TYPE_INT)), ksql, "10\n10\n2\n-2\n100\n! V: 2147483648 is out of range for INT\n! V: expected INT, found \"1.5\"\n! V: expected INT, found true\n! V: expected INT, found \"\"\n", "10", "\"10\"", "2.9", "-2.9",
                   "1e2", "2147483648", "\"1.5\"", "true", "\"\"");
    assert_records(json_format, ONE("V", scalar(TYPE_BIGINT)), ksql, "9007199254740993\n150\n! V: 1.5e30 is out of range for BIGINT\n", "9007199254740993.7", "1.5055e2", "1.5e30");
    assert_records(json_format, ONE("V", scalar(TYPE_DOUBLE)), ksql, "1.5E0\n3.0E0\n! V: expected DOUBLE, found \"x\"\n", "\"1.5\"", "3", "\"x\"");
    assert_records(json_format, ONE("V", scalar(TYPE_BOOLEAN)), ksql, "TRUE\n! V: expected BOOLEAN, found \"true\"\n! V: expected BOOLEAN, found 1\n", "true", "\"true\"", "1");
    assert_records(json_format, ONE("V", scalar(TYPE_VARCHAR)), ksql, "'12'\n'1.50'\n'true'\n'{\"a\":[1,\"b c\"],\"d\":null}'\n'[1,2]'\n", "12", "1.50", "true", "{\"a\" : [1, \"b c\"],\n \"d\": null}", "[ 1, 2 ]");
    assert_records(json_format, ONE("V", type_decimal(&arena, 4, 2)), ksql, "10.10\n10.10\n12.00\n! V: 1.234 has more digits after the point than DECIMAL(4,2)\n! V: 0.0001 has more digits after the point than DECIMAL(4,2)\n0.00\n1.20\n! V: 100 is out of range for DECIMAL(4,2)\n",
                   "10.1", "\"10.1\"", "12.0000", "1.234", "0.0001", "0.000", "12000e-4", "100");
    assert_records(json_format, ONE("V", scalar(TYPE_TIMESTAMP)), ksql, "TIMESTAMP '1970-01-01 00:00:00.010'\nTIMESTAMP '1970-01-01 00:00:00.010'\nTIMESTAMP '2026-01-02 03:04:05'\n", "10", "\"10\"", "\"2026-01-02T03:04:05Z\"");
    assert_records(json_format, ONE("V", scalar(TYPE_DATE)), ksql, "DATE '1970-01-11'\nDATE '1969-12-22'\n", "10", "\"-10\"");
    assert_records(json_format, ONE("V", scalar(TYPE_TIME)), ksql, "TIME '00:00:00.010000'\n! V: 86400000 is out of range for TIME\n", "10", "86400000");
    /* the first key that fits without case, unless one fits exactly */
    Columns two = { 2, { "A", "S" }, { scalar(TYPE_INT), struct_of("X", scalar(TYPE_INT), "Y", scalar(TYPE_INT)) }, false };
    assert_records(json_format, two, OPTIONS("coerce=ksql"), "1 | STRUCT(X := 3, Y := NULL)\n5 | NULL\n", "{\"a\":1,\"s\":{\"x\":3,\"X \":4,\"x\":3}}", "{\"a\":4,\"A\":5}");
}

static void first_keys_win(void **state)
{
    (void)state;
    Columns two = { 2, { "Ab", "S" }, { scalar(TYPE_INT), struct_of("Xy", scalar(TYPE_INT), NULL, NULL) }, false };
    assert_records(json_format, two, OPTIONS("coerce=ksql"), "1 | STRUCT(Xy := 3)\n", "{\"AB\":1,\"ab\":2,\"s\":{\"XY\":3,\"xy\":4}}");
    assert_records(json_format, two, NULL, "! Ab: two keys fit the name 'Ab' without case\n! S: two keys fit the field 'Xy'\n", "{\"AB\":1,\"ab\":2}", "{\"S\":{\"XY\":3,\"xy\":4}}");
}

static void values_are_written_as_they_are_read(void **state)
{
    (void)state;
    const void *bare = OPTIONS("wrap_single_value=false");
    Columns number = ONE("V", scalar(TYPE_DOUBLE)), text = ONE("V", scalar(TYPE_VARCHAR)), key = KEY("K", scalar(TYPE_VARCHAR)), list = ONE("V", type_array(&arena, scalar(TYPE_BIGINT)));
    Columns two = { 2, { "A", "B" }, { scalar(TYPE_INT), type_decimal(&arena, 6, 4) }, false }, keys = { 2, { "K", "K2" }, { scalar(TYPE_INT), scalar(TYPE_INT) }, true };
    assert_rewritten(&json_format, &number, NULL, "{\"v\":9876.54321}", "{\"V\":9876.54321}");
    assert_rewritten(&json_format, &number, bare, "1e10", "1.0E10");
    assert_rewritten(&json_format, &number, bare, "0.00001234", "1.234E-5");
    assert_rewritten(&json_format, &number, bare, "null", NULL);
    assert_rewritten(&json_format, &number, NULL, NULL, "{\"V\":null}");
    assert_rewritten(&json_format, &text, bare, "\"a\\\"b\"", "\"a\\\"b\"");
    assert_rewritten(&json_format, &list, bare, "[12, null]", "[12,null]");
    assert_rewritten(&json_format, &key, NULL, "\"k\"", "\"k\"");
    assert_rewritten(&json_format, &key, NULL, NULL, NULL);
    assert_rewritten(&json_format, &two, NULL, "{\"a\":1,\"b\":10.0}", "{\"A\":1,\"B\":10.0000}");
    assert_rewritten(&json_format, &two, NULL, NULL, "{\"A\":null,\"B\":null}");
    assert_rewritten(&json_format, &two, OPTIONS("json.encode.ignore_null_fields=true"), "{\"b\":1}", "{\"B\":1.0000}");
    assert_rewritten(&json_format, &two, OPTIONS("json.encode.ignore_null_fields=true"), "{}", "{}");
    assert_rewritten(&json_format, &keys, NULL, "{\"K2\":2,\"K\":1}", "{\"K\":1,\"K2\":2}");
    assert_rewritten(&json_format, &keys, NULL, "{\"K2\":2}", "{\"K\":null,\"K2\":2}");
    assert_rewritten(&json_format, &keys, NULL, NULL, "{\"K\":null,\"K2\":null}");
    Columns bytes = ONE("B", scalar(TYPE_BYTES));
    assert_rewritten(&json_format, &bytes, bare, "\"dmFyaWF0aW9ucw==\"", "\"dmFyaWF0aW9ucw==\"");
}

static void times_are_written_in_three_ways(void **state)
{
    (void)state;
    Columns times = { 3, { "TS", "D", "T" }, { scalar(TYPE_TIMESTAMP), scalar(TYPE_DATE), scalar(TYPE_TIME) }, false };
    const char *message = "{\"TS\":1526075913007,\"D\":-10,\"T\":10}";
    assert_rewritten(&json_format, &times, NULL, message, "{\"TS\":\"2018-05-11 21:58:33.007\",\"D\":\"1969-12-22\",\"T\":\"00:00:00.010\"}");
    assert_rewritten(&json_format, &times, OPTIONS("timestamps=epoch_ms"), message, message);
    assert_rewritten(&json_format, &times, OPTIONS("timestamps=iso"), message, "{\"TS\":\"2018-05-11T21:58:33.007Z\",\"D\":\"1969-12-22\",\"T\":\"00:00:00.010\"}");
    assert_rewritten(&json_format, &times, OPTIONS("json.timestamp_format=ISO-8601"), message, "{\"TS\":\"2018-05-11T21:58:33.007\",\"D\":\"1969-12-22\",\"T\":\"00:00:00.010\"}");
    assert_rewritten(&json_format, &times, OPTIONS("timestamps=epoch_ms"), "{\"TS\":\"1969-12-31 23:59:59.9995\"}", "{\"TS\":-1,\"D\":null,\"T\":null}");
    /* within others, too */
    const Type *inner = struct_of("t", scalar(TYPE_TIMESTAMP), "n", scalar(TYPE_INT));
    Columns nested = ONE("V", type_map(&arena, scalar(TYPE_VARCHAR), type_array(&arena, inner)));
    assert_rewritten(&json_format, &nested, OPTIONS("timestamps=epoch_ms"), "{\"V\":{\"a\":[{\"t\":5,\"n\":1},null],\"b\":[]}}", "{\"V\":{\"a\":[{\"t\":5,\"n\":1},null],\"b\":[]}}");
    assert_rewritten(&json_format, &nested, OPTIONS("timestamps=iso"), "{\"V\":{\"a\":[{\"t\":5}]}}", "{\"V\":{\"a\":[{\"t\":\"1970-01-01T00:00:00.005Z\",\"n\":null}]}}");
}

static void columns_that_messages_cannot_hold_are_refused(void **state)
{
    (void)state;
    const Type *numbers = type_map(&arena, scalar(TYPE_INT), scalar(TYPE_DOUBLE)), *names = type_map(&arena, scalar(TYPE_VARCHAR), scalar(TYPE_DOUBLE));
    Columns map = ONE("V", type_array(&arena, numbers)), fine = ONE("V", names), key = KEY("K", struct_of("F", names, NULL, NULL)), two = { 2, { "A", "B" }, { scalar(TYPE_INT), scalar(TYPE_INT) }, false };
    Columns interval = ONE("V", scalar(TYPE_INTERVAL));
    assert_refused(&json_format, &map, NULL, "JSON only supports MAP types with STRING keys");
    assert_accepted(&json_format, &fine, NULL);
    assert_refused(&json_format, &key, NULL, "Key column name: `K`. Column type: STRUCT<`F` MAP<STRING, DOUBLE>>.");
    assert_refused(&json_format, &interval, NULL, "The 'JSON' format does not support type 'INTERVAL'");
    assert_accepted(&json_format, &two, OPTIONS(""));
    assert_refused(&json_format, &two, OPTIONS("wrap_single_value=true"), "'WRAP_SINGLE_VALUE' is only valid for single-field value schemas");
    assert_refused(&json_format, &two, OPTIONS("wrap_single_value=false"), "'WRAP_SINGLE_VALUE' is only valid for single-field value schemas");
    assert_accepted(&json_format, &fine, OPTIONS("wrap_single_value=false"));
}

/* Bare values on the lines of a file. */
static void lines_may_be_bare(void **state)
{
    (void)state;
    const void *bare = OPTIONS("wrap_single_value=false");
    Columns number = ONE("V", scalar(TYPE_INT));
    DecodeSpec *spec = records_spec(&number, bare);
    assert_decodes(&json_format, spec, "1\n\n 2 \nnull\n{\"V\":1}\n[\n3", "1\n2\nNULL\n! V: expected INT, found {\"V\":1}\n! invalid JSON at byte 1: unexpected text\n3\n");
    Batch *batch = batch_of(spec, 2);
    ((int64_t *)batch->columns[0]->values)[0] = 7;
    vector_set_null(&batch->arena, batch->columns[0], 1);
    batch->row_count = batch->selection.count = 2;
    Text out = encode_text(&json_format, schema_of(&number), bare, batch, false);
    assert_string_equal(out.bytes, "7\nnull\n");
    text_release(&out);
    out = encode_text(&json_format, schema_of(&number), bare, batch, true); /* a change has two fields */
    assert_string_equal(out.bytes, "{\"op\":\"+I\",\"V\":7}\n{\"op\":\"+I\",\"V\":null}\n");
    text_release(&out);
    batch_release(batch);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, records_start, records_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(values_are_objects),
        TEST(only_wanted_fields_are_read),
        TEST(bad_rows_leave_lists_in_order),
        TEST(bare_values_have_no_object_around_them),
        TEST(keys_of_one_column_are_bare),
        TEST(ksql_takes_more),
        TEST(first_keys_win),
        TEST(values_are_written_as_they_are_read),
        TEST(times_are_written_in_three_ways),
        TEST(columns_that_messages_cannot_hold_are_refused),
        TEST(lines_may_be_bare),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
