/* Protocol Buffers without a registry: the wire as its documentation has it, what is missing, what is broken. */
#include "tests/unit/formats/records.h"

#define FORMAT protobuf_nosr_format

static const Type *scalar(TypeKind kind) { return type_scalar(kind); }

static void scalars_have_their_wire_types(void **state)
{
    (void)state;
    const struct { const Type *type; const char *message, *row, *written; } cases[] = {
        { scalar(TYPE_INT), "08 96 01", "150\n", "08 96 01" }, { scalar(TYPE_INT), "08 fe ff ff ff ff ff ff ff ff 01", "-2\n", "08 fe ff ff ff ff ff ff ff ff 01" }, { scalar(TYPE_INT), "08 ff ff ff ff 0f", "-1\n", "08 ff ff ff ff ff ff ff ff ff 01" },
        { scalar(TYPE_INT), "08 01 08 02", "2\n", "08 02" }, { scalar(TYPE_BIGINT), "08 80 80 80 80 08", "2147483648\n", "08 80 80 80 80 08" }, { scalar(TYPE_BOOLEAN), "08 01", "TRUE\n", "08 01" },
        { scalar(TYPE_DOUBLE), "09 00 00 00 00 00 00 f8 3f", "1.5E0\n", "09 00 00 00 00 00 00 f8 3f" }, { scalar(TYPE_DOUBLE), "09 00 00 00 00 00 00 00 80", "-0.0E0\n", "09 00 00 00 00 00 00 00 80" },
        { scalar(TYPE_FLOAT), "0d 00 00 c0 3f", "1.5E0\n", "0d 00 00 c0 3f" }, { scalar(TYPE_VARCHAR), "0a 07 74 65 73 74 69 6e 67", "'testing'\n", "0a 07 74 65 73 74 69 6e 67" }, { scalar(TYPE_BYTES), "0a 02 ff 00", "X'ff00'\n", "0a 02 ff 00" },
        { type_decimal(&arena, 6, 4), "0a 09 0a 03 01 86 a0 10 06 18 04", "10.0000\n", "0a 09 0a 03 01 86 a0 10 06 18 04" }, { type_decimal(&arena, 6, 4), "0a 05 0a 01 ff 18 01", "-0.1000\n", "0a 08 0a 02 fc 18 10 06 18 04" },
        { type_decimal(&arena, 38, 0), "0a 02 0a 00", "0\n", "0a 05 0a 01 00 10 26" }, { scalar(TYPE_TIMESTAMP), "0a 05 10 80 ad e2 04", "TIMESTAMP '1970-01-01 00:00:00.010'\n", "0a 05 10 80 ad e2 04" },
        { scalar(TYPE_TIMESTAMP), "0a 00", "TIMESTAMP '1970-01-01 00:00:00'\n", "0a 00" }, { scalar(TYPE_DATE), "0a 07 08 b1 0f 10 0c 18 16", "DATE '1969-12-22'\n", "0a 07 08 b1 0f 10 0c 18 16" },
        { scalar(TYPE_TIME), "0a 06 08 17 10 3b 18 3b", "TIME '23:59:59'\n", "0a 06 08 17 10 3b 18 3b" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        Columns column = ONE("v", cases[i].type);
        assert_hex_rewritten(&FORMAT, &column, NULL, cases[i].message, cases[i].row, cases[i].written);
    }
}

static void what_is_missing_is_the_default(void **state)
{
    (void)state;
    Columns simple = { 5, { "i", "l", "d", "b", "s" }, { scalar(TYPE_INT), scalar(TYPE_BIGINT), scalar(TYPE_DOUBLE), scalar(TYPE_BOOLEAN), scalar(TYPE_VARCHAR) }, false };
    assert_hex_rewritten(&FORMAT, &simple, NULL, "", "0 | 0 | 0.0E0 | FALSE | ''\n", "");
    assert_hex_rewritten(&FORMAT, &simple, NULL, "20 01 32 02 68 69", "0 | 0 | 0.0E0 | TRUE | ''\n", "20 01"); /* field 6 is of another schema */
    Columns messages = { 4, { "m", "t", "a", "x" }, { type_decimal(&arena, 5, 2), scalar(TYPE_TIMESTAMP), type_array(&arena, scalar(TYPE_INT)), type_map(&arena, scalar(TYPE_VARCHAR), scalar(TYPE_INT)) }, false };
    assert_hex_rewritten(&FORMAT, &messages, NULL, "", "NULL | NULL | ARRAY[] | MAP()\n", "");
    const RecordBytes none = { NULL, 0 };
    assert_rows(&FORMAT, records_spec(&simple, NULL), &none, 1, "NULL | NULL | NULL | NULL | NULL\n");
}

static void lists_maps_and_structs_nest(void **state)
{
    (void)state;
    const char *fields[] = { "x", "list" };
    const Type *types[] = { scalar(TYPE_INT), type_array(&arena, scalar(TYPE_VARCHAR)) };
    const Type *point = type_struct(&arena, 2, fields, types);
    Columns numbers = ONE("a", type_array(&arena, scalar(TYPE_INT))), texts = ONE("a", type_array(&arena, scalar(TYPE_VARCHAR))), points = ONE("a", type_array(&arena, point)), nested = ONE("s", point);
    Columns map = ONE("m", type_map(&arena, scalar(TYPE_VARCHAR), scalar(TYPE_INT)));
    assert_hex_rewritten(&FORMAT, &numbers, NULL, "0a 06 03 8e 02 9e a7 05", "ARRAY[3, 270, 86942]\n", "0a 06 03 8e 02 9e a7 05");
    assert_hex_rewritten(&FORMAT, &numbers, NULL, "08 03 0a 02 04 05 08 00", "ARRAY[3, 4, 5, 0]\n", "0a 04 03 04 05 00"); /* packed and not */
    assert_hex_rewritten(&FORMAT, &texts, NULL, "0a 01 61 0a 00 0a 01 62", "ARRAY['a', '', 'b']\n", "0a 01 61 0a 00 0a 01 62");
    assert_hex_rewritten(&FORMAT, &nested, NULL, "0a 07 08 05 12 01 61 12 00", "STRUCT(x := 5, list := ARRAY['a', ''])\n", "0a 07 08 05 12 01 61 12 00");
    assert_hex_rewritten(&FORMAT, &points, NULL, "0a 02 08 01 0a 00", "ARRAY[STRUCT(x := 1, list := ARRAY[]), STRUCT(x := 0, list := ARRAY[])]\n", "0a 02 08 01 0a 00");
    assert_hex_rewritten(&FORMAT, &map, NULL, "0a 05 0a 01 61 10 01 0a 05 0a 01 62 10 02 0a 05 0a 01 61 10 03 0a 00", "MAP('b' := 2, 'a' := 3, '' := 0)\n", "0a 05 0a 01 62 10 02 0a 05 0a 01 61 10 03 0a 00");
}

static void broken_messages_are_bad_records(void **state)
{
    (void)state;
    Columns two = { 2, { "i", "s" }, { scalar(TYPE_INT), scalar(TYPE_VARCHAR) }, false }, list = ONE("a", type_array(&arena, scalar(TYPE_INT))), date = ONE("d", scalar(TYPE_DATE)), small = ONE("i", scalar(TYPE_TINYINT));
    Columns decimal = ONE("m", type_decimal(&arena, 3, 1)), struct_date = ONE("s", type_array(&arena, scalar(TYPE_DATE)));
    assert_hex(&FORMAT, &two, NULL, "08", "! not a Protocol Buffers message\n");
    assert_hex(&FORMAT, &two, NULL, "08 80 80 80 80 80 80 80 80 80 80 01", "! not a Protocol Buffers message\n");
    assert_hex(&FORMAT, &two, NULL, "12 05 61", "! not a Protocol Buffers message\n");
    assert_hex(&FORMAT, &two, NULL, "00 01", "! not a Protocol Buffers message\n");
    assert_hex(&FORMAT, &two, NULL, "0b 0c", "! not a Protocol Buffers message\n");
    assert_hex(&FORMAT, &two, NULL, "0a 01 61", "! field 1 is of another type than INT\n");
    assert_hex(&FORMAT, &two, NULL, "12 02 61 ff", "! not UTF-8 at byte 1\n");
    assert_hex(&FORMAT, &list, NULL, "0a 02 03 80", "! a broken ARRAY<INT>\n");
    assert_hex(&FORMAT, &list, NULL, "0d 00 00 00 00", "! a broken ARRAY<INT>\n");
    assert_hex(&FORMAT, &date, NULL, "0a 07 08 ea 0f 10 02 18 1e", "! a broken DATE\n"); /* February 30th */
    assert_hex(&FORMAT, &small, NULL, "08 80 01", "! 128 is out of range for TINYINT\n");
    assert_hex(&FORMAT, &decimal, NULL, "0a 04 0a 02 03 e8", "! a number out of range for DECIMAL(3,1)\n");
    assert_hex(&FORMAT, &struct_date, NULL, "0a 07 08 ea 0f 10 01 18 01 0a 00", "! a broken DATE\n");
}

static void columns_are_found_by_their_place(void **state)
{
    (void)state;
    Columns three = { 3, { "a", "b", "c" }, { scalar(TYPE_INT), scalar(TYPE_VARCHAR), scalar(TYPE_INT) }, true };
    DecodeSpec *spec = records_spec(&three, NULL);
    spec->columns++; /* b and c are wanted only */
    spec->column_count = 2;
    RecordBytes record = hex("08 05 12 01 78 18 07");
    assert_rows(&FORMAT, spec, &record, 1, "'x' | 7\n");
    size_t length;
    RecordFailures failures = { 0 };
    const RecordBytes none = { NULL, 0 };
    Vector **vectors = records_decode(&FORMAT, records_spec(&three, NULL), &none, 1, &failures);
    assert_null(record_encode(&FORMAT, &three, NULL, vectors, 0, &length)); /* no key */
    three.keys = false;
    assert_non_null(record_encode(&FORMAT, &three, NULL, vectors, 0, &length)); /* a value without fields */
    assert_int_equal(length, 0);
}

static void columns_without_a_form_are_refused(void **state)
{
    (void)state;
    const Type *list = type_array(&arena, scalar(TYPE_INT));
    Columns lists = ONE("V", type_array(&arena, list)), map = ONE("V", type_map(&arena, scalar(TYPE_INT), scalar(TYPE_INT))), of_lists = ONE("V", type_map(&arena, scalar(TYPE_VARCHAR), list)), fine = ONE("V", list);
    assert_refused(&FORMAT, &lists, NULL, "PROTOBUF has no lists or maps as values of lists and maps");
    assert_refused(&FORMAT, &of_lists, NULL, "PROTOBUF has no lists or maps as values of lists and maps");
    assert_refused(&FORMAT, &map, NULL, "PROTOBUF format only supports MAP types with STRING keys");
    assert_accepted(&FORMAT, &fine, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, records_start, records_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(scalars_have_their_wire_types), TEST(what_is_missing_is_the_default), TEST(lists_maps_and_structs_nest), TEST(broken_messages_are_bad_records),
        TEST(columns_are_found_by_their_place), TEST(columns_without_a_form_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
