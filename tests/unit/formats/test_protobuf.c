/* Protocol Buffers, without a registry and with one: the wire as its documentation has it, what is missing, what is broken; .proto texts. */
#include "tests/unit/formats/records.h"

#include "formats/protobuf_schema.h"

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
    assert_non_null(record_encode(&FORMAT, &three, NULL, vectors, 0, &length)); /* that a message has no key is not the format's to say */
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

static void put(const char *schema, int32_t expected)
{
    int32_t id;
    assert_fine(registry->put(registry, "t-value", &(RegisteredSchema){ .type = "PROTOBUF", .text = schema }, true, &id));
    assert_int_equal(id, expected);
}

static const char orders[] =
    "// orders\n"
    "syntax = \"proto3\"; package shop.v1; import \"google/protobuf/timestamp.proto\";\n"
    "option java_package = \"x{;}\";\n"
    "/* before it */ message Other { string name = 1; }\n"
    "message Order {\n"
    "  reserved 7, 9 to 11;\n"
    "  enum State { NEW = 0; PAID = 1 [deprecated = true]; }\n"
    "  message Item { string sku = 1; sint32 count = 2 [json_name = \"n\"]; }\n"
    "  uint64 id = 3; State state = 4; repeated Item items = 5; map<string, int32> tags = 6;\n"
    "  oneof payment { string card = 8; fixed32 cash = 12; }\n"
    "  optional double price = 13; google.protobuf.Timestamp at = 14; .google.protobuf.Int64Value points = 15; shop.v1.Other other = 16; repeated sint64 deltas = 17;\n"
    "}\n"
    "service S { rpc Get(Order) returns (Order) { option x = 1; } }\n";

static void fields_are_found_by_the_names_of_their_schema(void **state)
{
    (void)state;
    put(orders, 1);
    const char *names[] = { "SKU", "COUNT" };
    const Type *types[] = { scalar(TYPE_VARCHAR), scalar(TYPE_INT) };
    Columns columns = { 8, { "ID", "STATE", "ITEMS", "TAGS", "CARD", "PRICE", "POINTS", "DELTAS" },
                        { scalar(TYPE_BIGINT), scalar(TYPE_VARCHAR), type_array(&arena, type_struct(&arena, 2, names, types)), type_map(&arena, scalar(TYPE_VARCHAR), scalar(TYPE_INT)), scalar(TYPE_VARCHAR), scalar(TYPE_DOUBLE),
                          scalar(TYPE_BIGINT), type_array(&arena, scalar(TYPE_BIGINT)) }, false };
    /* the second message of the file: one place, 1 */
    assert_hex(&protobuf_format, &columns, NULL, "00 00 00 00 01 02 02 18 05 20 01 2a 05 0a 01 61 10 03 32 05 0a 01 6b 10 07 42 01 78 69 00 00 00 00 00 00 f8 3f 7a 02 08 09 8a 01 02 01 04",
               "5 | 'PAID' | ARRAY[STRUCT(SKU := 'a', COUNT := -2)] | MAP('k' := 7) | 'x' | 1.5E0 | 9 | ARRAY[-1, 2]\n");
    assert_hex(&protobuf_format, &columns, NULL, "00 00 00 00 01 02 02", "0 | 'NEW' | ARRAY[] | MAP() | NULL | NULL | NULL | ARRAY[]\n");
    Columns others = { 4, { "name", "at", "cash", "none" }, { scalar(TYPE_VARCHAR), scalar(TYPE_TIMESTAMP), scalar(TYPE_DECIMAL), scalar(TYPE_INT) }, false };
    assert_hex(&protobuf_format, &others, NULL, "00 00 00 00 01 02 02 65 2a 00 00 00 72 02 08 01", "NULL | TIMESTAMP '1970-01-01 00:00:01' | 42 | NULL\n");
    assert_hex(&protobuf_format, &others, NULL, "00 00 00 00 01 00 0a 02 68 69", "'hi' | NULL | NULL | NULL\n"); /* the first message */
    Columns item = { 2, { "sku", "count" }, { scalar(TYPE_VARCHAR), scalar(TYPE_DOUBLE) }, false };
    assert_hex(&protobuf_format, &item, NULL, "00 00 00 00 01 04 02 00 10 04", "'' | 2.0E0\n"); /* a message within the second */
    Columns wrong = { 2, { "id", "state" }, { scalar(TYPE_VARCHAR), scalar(TYPE_INT) }, false };
    assert_hex(&protobuf_format, &wrong, NULL, "00 00 00 00 01 02 02 20 01", "NULL | 1\n");
    assert_hex(&protobuf_format, &wrong, NULL, "00 00 00 00 01 02 02 18 01", "! field 3 is of another type than VARCHAR\n");
}

static void messages_name_their_schema(void **state)
{
    (void)state;
    Columns columns = ONE("a", scalar(TYPE_INT));
    put("syntax = \"proto3\"; message M { int32 a = 1; }", 1);
    put("message M { Unknown u = 1; }", 2);
    put("message M { int32 a 1; }", 3);
    put("nonsense;", 4);
    assert_hex(&protobuf_format, &columns, NULL, "00 00 00 00 01 00 08 05", "5\n");
    assert_hex(&protobuf_format, &columns, NULL, "00 00 00 00 01 02 06 08 05", "! its schema 1 has no such message\n");
    assert_hex(&protobuf_format, &columns, NULL, "00 00 00 00 02 00", "! its schema 2 cannot be read: no type 'Unknown'\n");
    assert_hex(&protobuf_format, &columns, NULL, "00 00 00 00 03 00", "! its schema 3 cannot be read: expected =, found '1'\n");
    assert_hex(&protobuf_format, &columns, NULL, "00 00 00 00 04 00", "! its schema 4 cannot be read: expected a message, found 'nonsense'\n");
    assert_hex(&protobuf_format, &columns, NULL, "00 00 00 00 05 00", "! its schema 5 is not registered\n");
    assert_hex(&protobuf_format, &columns, NULL, "08 05", "! it does not begin with the number of a registered schema\n");
    assert_hex(&protobuf_format, &columns, NULL, "00 00 00 00 01", "! not a Protocol Buffers message\n");
    assert_hex(&protobuf_format, &columns, NULL, "00 00 00 00 01 01", "! not a Protocol Buffers message\n");
}

static void schemas_are_made_of_columns(void **state)
{
    (void)state;
    const char *names[] = { "x", "t" };
    const Type *types[] = { scalar(TYPE_INT), scalar(TYPE_TIMESTAMP) };
    Columns columns = { 4, { "A", "L", "S", "M" }, { type_decimal(&arena, 5, 2), type_array(&arena, scalar(TYPE_VARCHAR)), type_struct(&arena, 2, names, types), type_map(&arena, scalar(TYPE_VARCHAR), scalar(TYPE_BOOLEAN)) }, false };
    const RegisteredSchema *schema;
    put("syntax = \"proto3\";\nimport \"confluent/meta.proto\";\nimport \"confluent/type/decimal.proto\";\nimport \"google/protobuf/timestamp.proto\";\nmessage ConnectDefault1 {\n  confluent.type.Decimal A = 1 [(confluent.field_meta) = { params: [{ key: \"precision\", value: \"5\" }, { key: \"scale\", value: \"2\" }] }];\n  repeated string L = 2;\n"
        "  message ConnectDefault2 {\n    int32 x = 1;\n    google.protobuf.Timestamp t = 2;\n  }\n  ConnectDefault2 S = 3;\n  map<string, bool> M = 4;\n}\n", 1);
    const char *message = "00 00 00 00 01 00 0a 08 0a 02 01 c2 10 05 18 02 12 01 61 1a 06 08 01 12 02 08 05 22 05 0a 01 6b 10 01";
    assert_hex_rewritten(&protobuf_format, &columns, NULL, message, "4.50 | ARRAY['a'] | STRUCT(x := 1, t := TIMESTAMP '1970-01-01 00:00:05') | MAP('k' := TRUE)\n", message);
    assert_fine(registry->get(registry, 2, &schema));
    assert_null(schema); /* what is written has the schema that was known */
    Columns name = ONE("@T", scalar(TYPE_INT));
    assert_refused(&protobuf_format, &name, NULL, "Schema is not compatible with Protobuf");
    assert_accepted(&protobuf_format, &columns, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, records_start, records_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(scalars_have_their_wire_types), TEST(what_is_missing_is_the_default), TEST(lists_maps_and_structs_nest), TEST(broken_messages_are_bad_records),
        TEST(columns_are_found_by_their_place), TEST(columns_without_a_form_are_refused), TEST(fields_are_found_by_the_names_of_their_schema), TEST(messages_name_their_schema),
        TEST(schemas_are_made_of_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
