/* Messages in the small formats: Kafka's own serializers, whole messages, none. */
#include "tests/unit/formats/records.h"

#include <math.h>

#define BYTES_OF(literal) ((RecordBytes){ literal, sizeof(literal) - 1 })
#define NOTHING ((RecordBytes){ NULL, 0 })

static const Type *scalar(TypeKind kind) { return type_scalar(kind); }

static void kafka_values_are_big_endian(void **state)
{
    (void)state;
    Columns integer = ONE("v", scalar(TYPE_INT)), big = ONE("v", scalar(TYPE_BIGINT)), number = ONE("v", scalar(TYPE_DOUBLE));
    const RecordBytes ints[] = { BYTES_OF("\0\0\0\5"), BYTES_OF("\xff\xff\xff\xfe"), NOTHING, BYTES_OF("\0\0\5"), BYTES_OF(""), BYTES_OF("\x80\0\0\0"), BYTES_OF("\0\0\0\0\0") };
    assert_rows(&kafka_format, records_spec(&integer, NULL), ints, 7, "5\n-2\nNULL\n! v: INT has 4 bytes, not 3\n! v: INT has 4 bytes, not 0\n-2147483648\n! v: INT has 4 bytes, not 5\n");
    const RecordBytes longs[] = { BYTES_OF("\0\0\0\0\0\0\1\2"), BYTES_OF("\xff\xff\xff\xff\xff\xff\xff\xff"), BYTES_OF("\0\0\0\1") };
    assert_rows(&kafka_format, records_spec(&big, NULL), longs, 3, "258\n-1\n! v: BIGINT has 8 bytes, not 4\n");
    const RecordBytes doubles[] = { BYTES_OF("\x3f\xf8\0\0\0\0\0\0"), BYTES_OF("\xbf\xf0\0\0\0\0\0\0"), BYTES_OF("1.5") };
    assert_rows(&kafka_format, records_spec(&number, NULL), doubles, 3, "1.5E0\n-1.0E0\n! v: DOUBLE has 8 bytes, not 3\n");
}

static void kafka_strings_are_utf8(void **state)
{
    (void)state;
    assert_records(kafka_format, ONE("v", scalar(TYPE_VARCHAR)), NULL, "'foo'\n''\nNULL\n! v: not UTF-8 at byte 1\n'a text of more than twelve bytes'\n", "foo", "", NULL, "a\xff", "a text of more than twelve bytes");
    assert_records(kafka_format, ONE("v", type_varchar(&arena, 2)), NULL, "'\u00e9\u00e9'\n! v: a text of 3 characters is longer than VARCHAR(2)\n", "\u00e9\u00e9", "abc");
    assert_records(kafka_format, ONE("v", scalar(TYPE_BYTES)), NULL, "X'ff01'\n", "\xff\x01");
}

static void kafka_values_are_written_as_they_are_read(void **state)
{
    (void)state;
    static const TypeKind kinds[] = { TYPE_INT, TYPE_BIGINT, TYPE_DOUBLE, TYPE_VARCHAR, TYPE_BYTES };
    static const RecordBytes messages[] = { BYTES_OF("\0\xff\1\2"), BYTES_OF("\x80\0\0\0\0\0\0\7"), BYTES_OF("\x7f\xf0\0\0\0\0\0\0"), BYTES_OF("text"), BYTES_OF("\0\xfe") };
    for (size_t i = 0; i < COUNT(kinds); i++) {
        Columns columns = i % 2 ? KEY("k", scalar(kinds[i])) : ONE("v", scalar(kinds[i]));
        RecordFailures failures = { 0 };
        const RecordBytes records[] = { messages[i], NOTHING };
        Vector **vectors = records_decode(&kafka_format, records_spec(&columns, NULL), records, 2, &failures);
        assert_int_equal(failures.count, 0);
        size_t length;
        const char *bytes = record_encode(&kafka_format, &columns, NULL, vectors, 0, &length);
        assert_int_equal(length, messages[i].length);
        assert_memory_equal(bytes, messages[i].bytes, length);
        assert_null(record_encode(&kafka_format, &columns, NULL, vectors, 1, &length));
        assert_int_equal(length, 0);
    }
}

static void kafka_holds_one_simple_column(void **state)
{
    (void)state;
    Columns none = { 0 }, boolean = KEY("K", scalar(TYPE_BOOLEAN)), decimal = ONE("V", type_decimal(&arena, 6, 4)), time = ONE("V", scalar(TYPE_TIMESTAMP));
    Columns array = ONE("V", type_array(&arena, scalar(TYPE_INT))), map = KEY("K", type_array(&arena, type_map(&arena, scalar(TYPE_INT), scalar(TYPE_DOUBLE))));
    Columns two = { 2, { "K1", "K2" }, { scalar(TYPE_INT), scalar(TYPE_VARCHAR) }, true };
    assert_accepted(&kafka_format, &none, NULL);
    assert_refused(&kafka_format, &boolean, NULL, "Key format does not support schema.\nformat: KAFKA\nschema: Persistence{columns=[`K` BOOLEAN KEY], features=[]}\n"
                   "reason: The 'KAFKA' format does not support type 'BOOLEAN'");
    assert_refused(&kafka_format, &decimal, NULL, "Value format does not support schema.\nformat: KAFKA\nschema: Persistence{columns=[`V` DECIMAL(6, 4)], features=[]}\n"
                   "reason: The 'KAFKA' format does not support type 'DECIMAL'");
    assert_refused(&kafka_format, &time, NULL, "The 'KAFKA' format does not support type 'TIMESTAMP'");
    assert_refused(&kafka_format, &array, NULL, "The 'KAFKA' format does not support type 'ARRAY'");
    assert_refused(&kafka_format, &two, NULL, "reason: The 'KAFKA' format only supports a single field. Got: [`K1` INTEGER KEY, `K2` STRING KEY]");
    assert_refused(&kafka_format, &map, NULL, "Map keys, including types that contain maps, are not supported as they may lead to unexpected behavior due to inconsistent serialization. "
                   "Key column name: `K`. Column type: ARRAY<MAP<INTEGER, DOUBLE>>.");
}

static void raw_takes_the_whole_message(void **state)
{
    (void)state;
    Columns text = ONE("v", scalar(TYPE_VARCHAR)), two = { 2, { "a", "b" }, { scalar(TYPE_VARCHAR), scalar(TYPE_VARCHAR) }, false }, number = KEY("k", scalar(TYPE_INT));
    assert_records(raw_format, text, NULL, "'two\nlines\n'\n''\nNULL\n! v: not UTF-8 at byte 0\n", "two\nlines\n", "", NULL, "\xc3");
    assert_rewritten(&raw_format, &text, NULL, "as it\nstands ", "as it\nstands ");
    assert_rewritten(&raw_format, &text, NULL, NULL, NULL);
    assert_accepted(&raw_format, &text, NULL);
    assert_refused(&raw_format, &two, NULL, "The 'RAW' format only supports a single field");
    assert_refused(&raw_format, &number, NULL, "The 'RAW' format does not support type 'INTEGER'");
}

static void none_has_no_columns(void **state)
{
    (void)state;
    Columns nothing = { .keys = true }, key = KEY("K", scalar(TYPE_VARCHAR)), value = ONE("FOO", scalar(TYPE_INT));
    assert_records(none_format, nothing, NULL, "\n\n", "data that is passed over", NULL);
    size_t length;
    assert_null(record_encode(&none_format, &nothing, NULL, NULL, 0, &length));
    assert_accepted(&none_format, &nothing, NULL);
    assert_refused(&none_format, &key, NULL, "The 'NONE' format can only be used when no columns are defined. Got: [`K` STRING KEY]");
    assert_refused(&none_format, &value, NULL, "Got: [`FOO` INTEGER]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(kafka_values_are_big_endian, records_start, records_stop),
        cmocka_unit_test_setup_teardown(kafka_strings_are_utf8, records_start, records_stop),
        cmocka_unit_test_setup_teardown(kafka_values_are_written_as_they_are_read, records_start, records_stop),
        cmocka_unit_test_setup_teardown(kafka_holds_one_simple_column, records_start, records_stop),
        cmocka_unit_test_setup_teardown(raw_takes_the_whole_message, records_start, records_stop),
        cmocka_unit_test_setup_teardown(none_has_no_columns, records_start, records_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
