/* Avro and JSON behind the number of a registered schema: by any writer's schema, what is written, what is broken. */
#include "tests/unit/formats/records.h"

#include "formats/avro_schema.h"

static const Type *scalar(TypeKind kind) { return type_scalar(kind); }

static int32_t put(const char *schema)
{
    int32_t id;
    assert_fine(registry->put(registry, "t-value", &(RegisteredSchema){ .type = "AVRO", .text = schema }, true, &id));
    return id;
}

/* A message with that schema as one column V: its row. */
static void assert_read(const Type *type, const char *schema, const char *digits, const char *row)
{
    Columns column = ONE("V", type);
    const void *bare = options_of(&avro_format, "wrap_single_value=false");
    char text[600];
    snprintf(text, sizeof text, "00 %08x %s", (unsigned)put(schema), digits);
    assert_hex(&avro_format, &column, bare, text, row);
}

static void the_registry_numbers_schemas(void **state)
{
    (void)state;
    int32_t first = put("\"int\""), second = put("\"long\""), json;
    assert_int_equal(first, 1);
    assert_int_equal(second, 2);
    assert_int_equal(put("\"int\""), 1); /* known already */
    assert_fine(registry->put(registry, "t-value", &(RegisteredSchema){ .type = "JSON", .text = "\"int\"" }, true, &json));
    assert_int_equal(json, 3);
    const RegisteredSchema *schema;
    assert_fine(registry->get(registry, 2, &schema));
    assert_string_equal(schema->text, "\"long\"");
    assert_fine(registry->get(registry, 4, &schema));
    assert_null(schema);
    assert_fine(registry->get(registry, 0, &schema));
    assert_null(schema);
}

static void simple_values_become_columns(void **state)
{
    (void)state;
    assert_read(scalar(TYPE_INT), "\"int\"", "54", "42\n");
    assert_read(scalar(TYPE_INT), "int", "01", "-1\n"); /* without quotes, as some tools write it */
    assert_read(scalar(TYPE_BIGINT), "{\"type\": \"int\"}", "80 01", "64\n");
    assert_read(scalar(TYPE_BIGINT), "\"long\"", "ff ff ff ff ff ff ff ff ff 01", "-9223372036854775808\n");
    assert_read(scalar(TYPE_INT), "\"long\"", "80 80 80 80 10", "! a number out of range for INT\n");
    assert_read(scalar(TYPE_DOUBLE), "\"int\"", "54", "42.0E0\n");
    assert_read(type_decimal(&arena, 5, 2), "\"int\"", "54", "42.00\n");
    assert_read(scalar(TYPE_BOOLEAN), "\"boolean\"", "01", "TRUE\n");
    assert_read(scalar(TYPE_DOUBLE), "\"double\"", "00 00 00 00 00 00 f8 3f", "1.5E0\n");
    assert_read(scalar(TYPE_DOUBLE), "\"float\"", "00 00 c0 3f", "1.5E0\n");
    assert_read(scalar(TYPE_VARCHAR), "\"string\"", "06 66 6f 6f", "'foo'\n");
    assert_read(scalar(TYPE_VARCHAR), "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"a longer one than fits\"]}", "02", "'a longer one than fits'\n");
    assert_read(scalar(TYPE_BYTES), "\"bytes\"", "04 ff 00", "X'ff00'\n");
    assert_read(scalar(TYPE_BYTES), "{\"type\":\"fixed\",\"name\":\"F\",\"size\":2}", "ff 00", "X'ff00'\n");
    assert_read(scalar(TYPE_INT), "[\"null\",\"int\"]", "02 54", "42\n");
    assert_read(scalar(TYPE_INT), "[\"null\",\"int\"]", "00", "NULL\n");
    assert_read(scalar(TYPE_INT), "[\"string\",\"int\"]", "00 02 61", "! expected INT, found Avro's string\n");
}

static void logical_types_are_dates_times_and_decimals(void **state)
{
    (void)state;
    assert_read(scalar(TYPE_DATE), "{\"type\":\"int\",\"logicalType\":\"date\"}", "14", "DATE '1970-01-11'\n");
    assert_read(scalar(TYPE_TIME), "{\"type\":\"int\",\"logicalType\":\"time-millis\"}", "14", "TIME '00:00:00.010000'\n");
    assert_read(scalar(TYPE_TIMESTAMP), "{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}", "14", "TIMESTAMP '1970-01-01 00:00:00.010'\n");
    assert_read(scalar(TYPE_TIMESTAMP), "{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}", "d0 0f", "TIMESTAMP '1970-01-01 00:00:00.001'\n");
    assert_read(scalar(TYPE_TIMESTAMP), "\"long\"", "14", "TIMESTAMP '1970-01-01 00:00:00.010'\n");
    assert_read(type_decimal(&arena, 6, 4), "{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":6,\"scale\":4}", "06 01 86 a0", "10.0000\n");
    assert_read(type_decimal(&arena, 20, 1), "{\"type\":\"fixed\",\"name\":\"D\",\"size\":2,\"logicalType\":\"decimal\",\"precision\":4,\"scale\":2}", "ff 9c", "-1.0\n");
    assert_read(type_decimal(&arena, 2, 1), "{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":6,\"scale\":1}", "04 03 e8", "! a number out of range for DECIMAL(2,1)\n");
    assert_read(scalar(TYPE_TIME), "\"int\"", "01", "! a number out of range for TIME\n");
}

static void fields_are_found_by_name(void **state)
{
    (void)state;
    const char *names[] = { "A", "b" };
    const Type *types[] = { scalar(TYPE_INT), type_array(&arena, scalar(TYPE_VARCHAR)) }, *record = type_struct(&arena, 2, names, types);
    put("{\"type\":\"record\",\"name\":\"n.R\",\"fields\":[{\"name\":\"skipped\",\"type\":{\"type\":\"map\",\"values\":[\"null\",\"double\"]}},{\"name\":\"B\",\"type\":\"string\"},"
        "{\"name\":\"next\",\"type\":[\"null\",\"R\"]},{\"name\":\"a\",\"type\":\"int\"}]}");
    Columns three = { 3, { "A", "B", "C" }, { scalar(TYPE_BIGINT), scalar(TYPE_VARCHAR), scalar(TYPE_INT) }, false };
    assert_hex(&avro_format, &three, NULL, "00 00 00 00 01 02 02 6b 00 00 04 68 69 00 0a", "5 | 'hi' | NULL\n");
    assert_hex(&avro_format, &three, NULL, "00 00 00 00 01 01 16 02 6b 02 00 00 00 00 00 00 00 00 00 04 68 69 02 00 02 79 00 0c 0a", "5 | 'hi' | NULL\n"); /* a block with its size; itself */
    Columns none = { 0 };
    assert_hex(&avro_format, &none, NULL, "00 00 00 00 01 00 00 00 00", "\n");
    assert_hex(&avro_format, &none, NULL, "00 00 00 00 01 00 00 00", "! the bytes do not follow their schema\n");
    assert_read(record, "{\"type\":\"record\",\"name\":\"S\",\"fields\":[{\"name\":\"B\",\"type\":{\"type\":\"array\",\"items\":\"string\"}},{\"name\":\"a\",\"type\":[\"null\",\"int\"]}]}", "04 02 78 02 79 00 02 0a",
                "STRUCT(A := 5, b := ARRAY['x', 'y'])\n");
    assert_read(type_map(&arena, scalar(TYPE_VARCHAR), scalar(TYPE_INT)), "{\"type\":\"map\",\"values\":\"int\"}", "02 02 6b 02 02 02 6b 04 00", "MAP('k' := 2)\n");
    assert_read(scalar(TYPE_INT), "{\"type\":\"array\",\"items\":\"int\"}", "00", "! expected INT, found Avro's array\n");
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    const char *names[] = { "X", "Y" };
    const Type *list = type_array(&arena, scalar(TYPE_BIGINT)), *types[] = { scalar(TYPE_INT), list };
    Columns columns = { 6, { "I", "S", "D", "T", "R", "M" },
                        { scalar(TYPE_INT), scalar(TYPE_VARCHAR), type_decimal(&arena, 6, 4), scalar(TYPE_TIMESTAMP), type_struct(&arena, 2, names, types), type_map(&arena, scalar(TYPE_VARCHAR), scalar(TYPE_DOUBLE)) }, false };
    Text schema = { 0 };
    avro_schema_add(&schema, schema_of(&columns), false);
    assert_int_equal(put(text_c(&schema)), 1);
    assert_non_null(strstr(schema.bytes, "{\"name\":\"R\",\"type\":[\"null\",{\"type\":\"record\",\"name\":\"KsqlDataSourceSchema_R\",\"fields\":[{\"name\":\"X\",\"type\":[\"null\",\"int\"],\"default\":null},"));
    text_release(&schema);
    const char *full = "00 00 00 00 01 02 54 02 06 66 6f 6f 02 06 01 86 a0 02 14 02 02 02 02 02 02 0a 00 02 02 02 6b 02 00 00 00 00 00 00 f8 3f 00";
    assert_hex_rewritten(&avro_format, &columns, NULL, full, "42 | 'foo' | 10.0000 | TIMESTAMP '1970-01-01 00:00:00.010' | STRUCT(X := 1, Y := ARRAY[5]) | MAP('k' := 1.5E0)\n", full);
    const char *empty = "00 00 00 00 01 00 00 00 00 00 00";
    assert_hex_rewritten(&avro_format, &columns, NULL, empty, "NULL | NULL | NULL | NULL | NULL | NULL\n", empty);
    Columns key = KEY("K", scalar(TYPE_VARCHAR));
    assert_int_equal(put("[\"null\",\"string\"]"), 2);
    assert_hex_rewritten(&avro_format, &key, NULL, "00 00 00 00 02 02 02 61", "'a'\n", "00 00 00 00 02 02 02 61");
    assert_hex_rewritten(&avro_format, &key, NULL, "00 00 00 00 02 00", "NULL\n", NULL);
}

static void broken_messages_are_bad_records(void **state)
{
    (void)state;
    Columns text = KEY("K", scalar(TYPE_VARCHAR));
    put("\"string\"");
    put("{\"type\":\"record\"}");
    put("nonsense");
    assert_hex(&avro_format, &text, NULL, "00 00 00 00 01 02 61", "'a'\n");
    assert_hex(&avro_format, &text, NULL, "00 00 00 00 01 04 61", "! the bytes do not follow their schema\n");
    assert_hex(&avro_format, &text, NULL, "00 00 00 00 01 01", "! the bytes do not follow their schema\n");
    assert_hex(&avro_format, &text, NULL, "00 00 00 00 01 02 61 00", "! the bytes do not follow their schema\n");
    assert_hex(&avro_format, &text, NULL, "00 00 00 00 01 02 ff", "! not UTF-8 at byte 0\n");
    assert_hex(&avro_format, &text, NULL, "7b 7d", "! it does not begin with the number of a registered schema\n");
    assert_hex(&avro_format, &text, NULL, "01 00 00 00 01 02 61", "! it does not begin with the number of a registered schema\n");
    assert_hex(&avro_format, &text, NULL, "00 00 00 00 09 02 61", "! its schema 9 is not registered\n");
    assert_hex(&avro_format, &text, NULL, "00 00 00 00 02 02 61", "! its schema 2 cannot be read: a type without a name\n");
    assert_hex(&avro_format, &text, NULL, "00 00 00 00 03 02 61", "! its schema 3 cannot be read: the schema is not JSON\n");
}

static void columns_without_a_form_are_refused(void **state)
{
    (void)state;
    Columns map = ONE("V", type_map(&arena, scalar(TYPE_INT), scalar(TYPE_INT))), name = ONE("@T", scalar(TYPE_INT)), key = KEY("@T", scalar(TYPE_INT)), two = { 2, { "A", "B" }, { scalar(TYPE_INT), scalar(TYPE_INT) }, false };
    assert_refused(&avro_format, &map, NULL, "Avro only supports MAPs with STRING keys");
    assert_refused(&avro_format, &name, NULL, "Schema is not compatible with Avro");
    assert_accepted(&avro_format, &key, NULL);
    assert_refused(&avro_format, &two, options_of(&avro_format, "wrap_single_value=true"), "'WRAP_SINGLE_VALUE' is only valid for single-field value schemas");
}

static void json_stands_behind_the_number_of_its_schema(void **state)
{
    (void)state;
    Columns two = { 2, { "A", "B" }, { scalar(TYPE_INT), type_array(&arena, scalar(TYPE_VARCHAR)) }, false }, key = KEY("K", scalar(TYPE_BIGINT));
    const RegisteredSchema *schema;
    size_t length;
    RecordFailures failures = { 0 };
    const RecordBytes message = { "\0\0\0\0\7{\"a\":1,\"B\":[\"x\"]}", 22 }, none = { NULL, 0 };
    const RecordBytes all[] = { message, none, { "{\"a\":1}", 7 }, { "\0\0\0\0\7{", 6 }, message };
    assert_rows(&json_sr_format, records_spec(&two, NULL), all, 5,
                "1 | ARRAY['x']\nNULL | NULL\n! it does not begin with the number of a registered schema\n! invalid JSON at byte 1: an object or array does not end\n1 | ARRAY['x']\n");
    Vector **vectors = records_decode(&json_sr_format, records_spec(&two, NULL), &message, 1, &failures);
    const char *bytes = record_encode(&json_sr_format, &two, NULL, vectors, 0, &length);
    assert_memory_equal(bytes, "\0\0\0\0\1{\"A\":1,\"B\":[\"x\"]}", 22);
    assert_int_equal(length, 22);
    assert_fine(registry->get(registry, 1, &schema));
    assert_string_equal(schema->text, "{\"type\":\"object\",\"properties\":{\"A\":{\"connect.index\":0,\"oneOf\":[{\"type\":\"null\"},{\"type\":\"integer\",\"connect.type\":\"int32\"}]},"
                        "\"B\":{\"connect.index\":1,\"oneOf\":[{\"type\":\"null\"},{\"type\":\"array\",\"items\":{\"oneOf\":[{\"type\":\"null\"},{\"type\":\"string\"}]}}]}}}");
    vectors = records_decode(&json_sr_format, records_spec(&key, NULL), &none, 1, &failures);
    assert_null(record_encode(&json_sr_format, &key, NULL, vectors, 0, &length));
    assert_int_equal(length, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, records_start, records_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_registry_numbers_schemas), TEST(simple_values_become_columns), TEST(logical_types_are_dates_times_and_decimals), TEST(fields_are_found_by_name), TEST(what_is_written_is_read),
        TEST(broken_messages_are_bad_records), TEST(columns_without_a_form_are_refused), TEST(json_stands_behind_the_number_of_its_schema),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
