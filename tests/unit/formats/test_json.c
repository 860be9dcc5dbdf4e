/* JSON: every type with its edges, keys, escapes, what is no JSON, and that what is written is read again. */
#include "tests/unit/formats/decode.h"

#include <math.h>

#include "common/decimal.h"
#include "formats/json_internal.h"

static Arena arena;

static int start(void **state)
{
    (void)state;
    arena_init(&arena, NULL);
    return 0;
}
static int stop(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

/* One column "v" of a type. */
static DecodeSpec spec_of(const Type *type, const JsonOptions *options)
{
    static const char *const path[] = { "v" };
    DecodeColumn *column = ARENA_NEW(&arena, DecodeColumn);
    *column = (DecodeColumn){ .path = path, .path_length = 1, .type = type };
    return (DecodeSpec){ .columns = column, .column_count = 1, .declared_count = 1, .declared_names = path, .options = options };
}

/* {"v": text} by itself and behind records that look alike, so that a template has been learned. */
static void assert_value(const Type *type, const char *text, const char *usual, const char *expected)
{
    DecodeSpec spec = spec_of(type, NULL);
    Text alone = { 0 }, many = { 0 };
    text_printf(&alone, "{\"v\": %s}\n", text);
    for (int i = 0; i < 6; i++)
        text_printf(&many, "{\"v\": %s}\n", usual);
    size_t before = many.length;
    text_printf(&many, "{\"v\": %s}\n{\"v\": %s}\n", text, usual);
    Text one = decode_text(&json_format, &spec, text_c(&alone), alone.length), all = decode_text(&json_format, &spec, text_c(&many), many.length);
    Text prefix = decode_text(&json_format, &spec, many.bytes, before);
    bool bad = *expected == '!';
    if (bad ? one.bytes[0] != '!' || !strstr(one.bytes, expected + 1) : strncmp(one.bytes, expected, strlen(expected)) != 0 || one.bytes[strlen(expected)] != '\n')
        fail_msg("%s as %s gives %s instead of %s", text, type_text(&arena, type), one.bytes, expected);
    if (strncmp(all.bytes, prefix.bytes, prefix.length) != 0 || strncmp(all.bytes + prefix.length, one.bytes, one.length) != 0)
        fail_msg("%s behind others gives\n%s", text, all.bytes);
    if (prefix.bytes[0] == '!')
        fail_msg("%s is no %s: %s", usual, type_text(&arena, type), prefix.bytes);
    text_release(&alone), text_release(&many), text_release(&one), text_release(&all), text_release(&prefix);
}

static void values_of_every_type(void **state)
{
    (void)state;
    const Type *decimal = type_decimal(&arena, 5, 2), *large = type_decimal(&arena, 38, 2), *short_text = type_varchar(&arena, 3);
    const struct { const Type *type; const char *usual; const char *text, *expected; } cases[] = {
        { type_scalar(TYPE_BIGINT), "12345", "9223372036854775807", "9223372036854775807" },
        { type_scalar(TYPE_BIGINT), "12345", "-9223372036854775808", "-9223372036854775808" },
        { type_scalar(TYPE_BIGINT), "12345", "9223372036854775808", "!range" },
        { type_scalar(TYPE_BIGINT), "12345", "-9223372036854775809", "!range" },
        { type_scalar(TYPE_BIGINT), "12345", "1e400", "!range" },
        { type_scalar(TYPE_BIGINT), "12345", "-0", "0" },
        { type_scalar(TYPE_BIGINT), "12345", "1e3", "1000" },
        { type_scalar(TYPE_BIGINT), "12345", "5.0", "5" },
        { type_scalar(TYPE_BIGINT), "12345", "1.5", "!expected BIGINT" },
        { type_scalar(TYPE_BIGINT), "12345", "\"7\"", "!expected BIGINT" },
        { type_scalar(TYPE_BIGINT), "12345", "null", "NULL" },
        { type_scalar(TYPE_BIGINT), "12345", "true", "!expected BIGINT" },
        { type_scalar(TYPE_BIGINT), "12345", "[1]", "!expected BIGINT" },
        { type_scalar(TYPE_BIGINT), "12345", "{}", "!expected BIGINT" },
        { type_scalar(TYPE_BIGINT), "12345", "007", "!invalid JSON" },
        { type_scalar(TYPE_BIGINT), "12345", "+7", "!invalid JSON" },
        { type_scalar(TYPE_BIGINT), "12345", "1.", "!invalid JSON" },
        { type_scalar(TYPE_BIGINT), "12345", ".5", "!invalid JSON" },
        { type_scalar(TYPE_BIGINT), "12345", "1e", "!invalid JSON" },
        { type_scalar(TYPE_BIGINT), "12345", "-", "!invalid JSON" },
        { type_scalar(TYPE_BIGINT), "12345", "1 2", "!invalid JSON" },
        { type_scalar(TYPE_BIGINT), "12345", "", "!invalid JSON" },
        { type_scalar(TYPE_BIGINT), "12345", "NaN", "!invalid JSON" },
        { type_scalar(TYPE_TINYINT), "1", "127", "127" },
        { type_scalar(TYPE_TINYINT), "1", "-129", "!range" },
        { type_scalar(TYPE_SMALLINT), "1", "32768", "!range" },
        { type_scalar(TYPE_INT), "1", "2147483647", "2147483647" },
        { type_scalar(TYPE_INT), "1", "2147483648", "!range" },
        { type_scalar(TYPE_INT), "1", "-2147483648", "-2147483648" },
        { type_scalar(TYPE_BOOLEAN), "true", "false", "FALSE" },
        { type_scalar(TYPE_BOOLEAN), "true", "1", "!expected BOOLEAN" },
        { type_scalar(TYPE_BOOLEAN), "true", "True", "!invalid JSON" },
        { type_scalar(TYPE_BOOLEAN), "true", "truex", "!invalid JSON" },
        { type_scalar(TYPE_DOUBLE), "1.5", "1", "1.0E0" },
        { type_scalar(TYPE_DOUBLE), "1.5", "-0.0", "-0.0E0" },
        { type_scalar(TYPE_DOUBLE), "1.5", "1e400", "!range" },
        { type_scalar(TYPE_DOUBLE), "1.5", "-1e400", "!range" },
        { type_scalar(TYPE_DOUBLE), "1.5", "1e-400", "0.0E0" },
        { type_scalar(TYPE_DOUBLE), "1.5", "1.7976931348623157e308", "1.7976931348623157E308" },
        { type_scalar(TYPE_DOUBLE), "1.5", "0.1234567890123456789", "0.12345678901234568E0" },
        { type_scalar(TYPE_DOUBLE), "1.5", "123456789012345678901234567890", "1.2345678901234568E29" },
        { type_scalar(TYPE_DOUBLE), "1.5", "\"NaN\"", "CAST('NaN' AS DOUBLE)" },
        { type_scalar(TYPE_DOUBLE), "1.5", "\"-Infinity\"", "CAST('-Infinity' AS DOUBLE)" },
        { type_scalar(TYPE_DOUBLE), "1.5", "\"nan\"", "!expected DOUBLE" },
        { type_scalar(TYPE_DOUBLE), "1.5", "\"1.5\"", "!expected DOUBLE" },
        { type_scalar(TYPE_FLOAT), "1.5", "0.1", "0.10000000149011612E0" },
        { type_scalar(TYPE_FLOAT), "1.5", "1e39", "!range" },
        { decimal, "1.25", "-999.99", "-999.99" },
        { decimal, "1.25", "999.994", "999.99" },
        { decimal, "1.25", "999.995", "!range" },
        { decimal, "1.25", "1e3", "!range" },
        { decimal, "1.25", "\"12.5\"", "12.50" },
        { decimal, "1.25", "\"x\"", "!expected DECIMAL" },
        { large, "1.25", "123456789012345678901234567890123456.78", "123456789012345678901234567890123456.78" },
        { large, "1.25", "1234567890123456789012345678901234567.8", "!range" },
        { type_scalar(TYPE_VARCHAR), "\"usual text\"", "\"\"", "''" },
        { type_scalar(TYPE_VARCHAR), "\"usual text\"", "\"it's\"", "'it''s'" },
        { type_scalar(TYPE_VARCHAR), "\"usual text\"", "\"a\\\"b\\\\c\\/d\"", "'a\"b\\c/d'" },
        { type_scalar(TYPE_VARCHAR), "\"usual text\"", "\"\\b\\f\\r\\t\"", "'\b\f\r\t'" },
        { type_scalar(TYPE_VARCHAR), "\"usual text\"", "\"\\u0041\\u00e9\\u20AC\"", "'Aé€'" },
        { type_scalar(TYPE_VARCHAR), "\"usual text\"", "\"\\ud83d\\ude00 and more behind it\"", "'😀 and more behind it'" },
        { type_scalar(TYPE_VARCHAR), "\"usual text\"", "\"\\ud83d\"", "!invalid JSON" },
        { type_scalar(TYPE_VARCHAR), "\"usual text\"", "\"\\ude00\"", "!invalid JSON" },
        { type_scalar(TYPE_VARCHAR), "\"usual text\"", "\"\\ud83dx\"", "!invalid JSON" },
        { type_scalar(TYPE_VARCHAR), "\"usual text\"", "\"\\ud83d\\u0041\"", "!invalid JSON" },
        { type_scalar(TYPE_VARCHAR), "\"usual text\"", "\"\\x\"", "!invalid JSON" },
        { type_scalar(TYPE_VARCHAR), "\"usual text\"", "\"\\u12g4\"", "!invalid JSON" },
        { type_scalar(TYPE_VARCHAR), "\"usual text\"", "\"tab\there\"", "!invalid JSON" },
        { type_scalar(TYPE_VARCHAR), "\"usual text\"", "\"\xff\"", "!invalid JSON" },
        { type_scalar(TYPE_VARCHAR), "\"usual text\"", "\"open", "!invalid JSON" },
        { type_scalar(TYPE_VARCHAR), "\"usual text\"", "12.50", "'12.50'" },
        { type_scalar(TYPE_VARCHAR), "\"usual text\"", "true", "'true'" },
        { type_scalar(TYPE_VARCHAR), "\"usual text\"", "null", "NULL" },
        { short_text, "\"abc\"", "\"äöü\"", "'äöü'" },
        { short_text, "\"abc\"", "\"abcd\"", "!longer than VARCHAR(3)" },
        { type_scalar(TYPE_BYTES), "\"YWJj\"", "\"/wABAg==\"", "X'ff000102'" },
        { type_scalar(TYPE_BYTES), "\"YWJj\"", "\"/wABAg\"", "X'ff000102'" },
        { type_scalar(TYPE_BYTES), "\"YWJj\"", "\"\"", "X''" },
        { type_scalar(TYPE_BYTES), "\"YWJj\"", "\"=\"", "!base64" },
        { type_scalar(TYPE_BYTES), "\"YWJj\"", "\"YWJ*\"", "!base64" },
        { type_scalar(TYPE_BYTES), "\"YWJj\"", "\"YWJjY\"", "!base64" },
        { type_scalar(TYPE_BYTES), "\"YWJj\"", "7", "!expected BYTES" },
        { type_scalar(TYPE_DATE), "\"2026-01-02\"", "\"2024-02-29\"", "DATE '2024-02-29'" },
        { type_scalar(TYPE_DATE), "\"2026-01-02\"", "\"2023-02-29\"", "!expected DATE" },
        { type_scalar(TYPE_DATE), "\"2026-01-02\"", "-1", "DATE '1969-12-31'" },
        { type_scalar(TYPE_TIME), "\"12:00:00\"", "\"23:59:59.5\"", "TIME '23:59:59.500000'" },
        { type_scalar(TYPE_TIME), "\"12:00:00\"", "86399999", "TIME '23:59:59.999000'" },
        { type_scalar(TYPE_TIME), "\"12:00:00\"", "86400000", "!range" },
        { type_scalar(TYPE_TIMESTAMP), "\"2026-01-02 03:04:05.678\"", "\"1969-12-31T23:59:59.999999Z\"", "TIMESTAMP '1969-12-31 23:59:59.999999'" },
        { type_scalar(TYPE_TIMESTAMP), "\"2026-01-02 03:04:05.678\"", "\"2026-01-02 03:04:05+01:00\"", "TIMESTAMP '2026-01-02 02:04:05'" },
        { type_scalar(TYPE_TIMESTAMP), "\"2026-01-02 03:04:05.678\"", "1500", "TIMESTAMP '1970-01-01 00:00:01.500'" },
        { type_scalar(TYPE_TIMESTAMP), "\"2026-01-02 03:04:05.678\"", "-1", "TIMESTAMP '1969-12-31 23:59:59.999'" },
        { type_scalar(TYPE_TIMESTAMP), "\"2026-01-02 03:04:05.678\"", "9223372036854775807", "!range" },
        { type_scalar(TYPE_TIMESTAMP), "\"2026-01-02 03:04:05.678\"", "\"2026-02-30 00:00:00.000\"", "!expected TIMESTAMP" },
        { type_scalar(TYPE_TIMESTAMP), "1700000000000", "1700000000001", "TIMESTAMP '2023-11-14 22:13:20.001'" },
        { type_scalar(TYPE_TIMESTAMP), "1700000000000", "\"2026-01-02\"", "TIMESTAMP '2026-01-02 00:00:00'" },
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_value(cases[i].type, cases[i].text, cases[i].usual, cases[i].expected);
}

static void nested_values(void **state)
{
    (void)state;
    static const char *const names[] = { "a", "b" };
    const Type *fields[] = { type_scalar(TYPE_BIGINT), type_array(&arena, type_scalar(TYPE_VARCHAR)) };
    const Type *structure = type_struct(&arena, 2, names, fields), *map = type_map(&arena, type_scalar(TYPE_VARCHAR), type_scalar(TYPE_BIGINT)),
               *numbers = type_map(&arena, type_scalar(TYPE_BIGINT), type_scalar(TYPE_BOOLEAN)), *lists = type_array(&arena, type_array(&arena, type_scalar(TYPE_INT)));
    const struct { const Type *type; const char *usual, *text, *expected; } cases[] = {
        { structure, "{\"a\": 1, \"b\": []}", "{\"a\": 7, \"b\": [\"x\", null, \"\\n\"]}", "STRUCT(a := 7, b := ARRAY['x', NULL, '\n'])" },
        { structure, "{\"a\": 1, \"b\": []}", "{\"B\": [], \"other\": {\"a\": [1]}, \"a\": null}", "STRUCT(a := NULL, b := ARRAY[])" },
        { structure, "{\"a\": 1, \"b\": []}", "{}", "STRUCT(a := NULL, b := NULL)" },
        { structure, "{\"a\": 1, \"b\": []}", "null", "NULL" },
        { structure, "{\"a\": 1, \"b\": []}", "{\"a\": \"x\"}", "!expected BIGINT" },
        { structure, "{\"a\": 1, \"b\": []}", "{\"A\": 1, \"a\": 2, \"A\": 3}", "STRUCT(a := 2, b := NULL)" },
        { structure, "{\"a\": 1, \"b\": []}", "[1]", "!expected STRUCT" },
        { map, "{\"k\": 1}", "{\"x\": 1, \"y\": null, \"x\": 3}", "MAP('y' := NULL, 'x' := 3)" },
        { map, "{\"k\": 1}", "{}", "MAP()" },
        { map, "{\"k\": 1}", "{\"\\u0041\": 2}", "MAP('A' := 2)" },
        { numbers, "{\"1\": true}", "{\"12\": false, \"-3\": true}", "MAP(12 := FALSE, -3 := TRUE)" },
        { numbers, "{\"1\": true}", "{\"x\": false}", "!expected BIGINT" },
        { lists, "[[1]]", "[[1, 2], [], null, [null]]", "ARRAY[ARRAY[1, 2], ARRAY[], NULL, ARRAY[NULL]]" },
        { lists, "[[1]]", "[[1], [2147483648]]", "!range" },
        { lists, "[[1]]", "[[1],]", "!invalid JSON" },
        { lists, "[[1]]", "[[1] [2]]", "!invalid JSON" },
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_value(cases[i].type, cases[i].text, cases[i].usual, cases[i].expected);
    Text deep = { 0 }; /* deeper than is allowed, in a part that nobody wants */
    DecodeSpec spec = spec_of(type_scalar(TYPE_BIGINT), NULL);
    for (int levels = 100; levels <= 5000; levels += 4900) {
        deep.length = 0;
        text_add_c(&deep, "{\"v\": 1, \"w\": ");
        for (int i = 0; i < levels; i++)
            text_add_char(&deep, '[');
        for (int i = 0; i < levels; i++)
            text_add_char(&deep, ']');
        text_add_c(&deep, "}\n");
        Text rows = decode_text(&json_format, &spec, text_c(&deep), deep.length);
        if (levels == 100)
            assert_string_equal(rows.bytes, "1\n");
        else
            assert_int_equal(rows.bytes[0], '!');
        text_release(&rows);
    }
    text_release(&deep);
}

/* ---- keys ---- */

static const char *const bid_price[] = { "bid", "price" }, *const bid_name[] = { "bid", "Name" }, *const top[] = { "id" };
static DecodeColumn bid_columns[3];

static DecodeSpec bid_spec(const JsonOptions *options)
{
    bid_columns[0] = (DecodeColumn){ .path = top, .path_length = 1, .type = type_scalar(TYPE_BIGINT) };
    bid_columns[1] = (DecodeColumn){ .path = bid_price, .path_length = 2, .type = type_scalar(TYPE_DOUBLE) };
    bid_columns[2] = (DecodeColumn){ .path = bid_name, .path_length = 2, .type = type_scalar(TYPE_VARCHAR) };
    return (DecodeSpec){ .columns = bid_columns, .column_count = 3, .declared_count = 2, .options = options };
}

static void keys_are_found_wherever_they_stand(void **state)
{
    (void)state;
    DecodeSpec spec = bid_spec(NULL);
    assert_decodes(&json_format, &spec,
                   "{\"id\":1,\"bid\":{\"price\":1.5,\"Name\":\"x\"}}\n"
                   "{\"id\":2,\"bid\":{\"price\":2.5,\"Name\":\"y\"}}\n"
                   "{\"bid\":{\"Name\":\"z\",\"price\":3},\"id\":3}\n"         /* another order */
                   "{\"other\":[{\"id\":9}],\"id\":4,\"bid\":null}\n"          /* an inner id is none */
                   "{\"id\":5}\n"
                   "  {\"id\":6 , \"bid\" : {} }  \r\n"
                   "\n   \n"                                                   /* blank lines are no records */
                   "{\"id\":7,\"id\":8}\n"                                     /* of equal keys the last one wins */
                   "{\"ID\":9,\"BID\":{\"PRICE\":9,\"name\":\"w\"}}\n"         /* without case where that is unique */
                   "{\"Id\":1,\"iD\":2}\n"                                     /* ..and bad where it is not */
                   "{\"iD\":1,\"id\":10}\n"                                    /* an exact one settles it */
                   "{\"\\u0069d\":11}\n"                                       /* an escaped key is that key */
                   "{\"bid\":{\"price\":1},\"bid\":{\"Name\":\"v\"},\"id\":12}\n"
                   "{\"bid\":7,\"id\":13}\n"
                   "{}\n"
                   "{\"id\":14}",                                              /* without a line end */
                   "1 | 1.5E0 | 'x'\n2 | 2.5E0 | 'y'\n3 | 3.0E0 | 'z'\n4 | NULL | NULL\n5 | NULL | NULL\n6 | NULL | NULL\n8 | NULL | NULL\n9 | 9.0E0 | 'w'\n"
                   "! id: two keys fit the name 'id' without case\n10 | NULL | NULL\n11 | NULL | NULL\n12 | NULL | 'v'\n! bid.price: expected an object in 'bid'\n"
                   "NULL | NULL | NULL\n14 | NULL | NULL\n");
}

static void records_that_are_none(void **state)
{
    (void)state;
    static const char *const wrong[] = { "{", "}", "{\"v\":1", "{\"v\":1}}", "{\"v\":1} {\"v\":2}", "[{\"v\":1}]", "1", "\"v\"", "null", "{v:1}", "{\"v\" 1}", "{\"v\":1,}", "{,\"v\":1}", "{\"v\":1 \"w\":2}",
        "{\"v\":tru}", "{'v':1}", "{\"v\":1}x", "{\"v\":1}\x01", "{\"v\":1,\"w\":\"\xc3\"}", "{\"v\":1,\"w\":01}", "{\"v\":1,\"\xff\":2}", "{\"v\":1,\"w\":[1,}", "\xEF\xBB\xBF{\"v\":1}", "/* */ {\"v\":1}", "{\"v\":1}//" };
    DecodeSpec spec = spec_of(type_scalar(TYPE_BIGINT), NULL), nothing = spec;
    nothing.column_count = 0;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        Text text = { 0 };
        for (int n = 0; n < 5; n++)
            text_add_c(&text, "{\"v\":1}\n");
        text_printf(&text, "%s\n{\"v\":2}\n", wrong[i]);
        Text rows = decode_text(&json_format, &spec, text_c(&text), text.length), counted = decode_text(&json_format, &nothing, text_c(&text), text.length);
        if (strncmp(rows.bytes, "1\n1\n1\n1\n1\n! invalid JSON", 24) != 0 || strcmp(rows.bytes + rows.length - 3, "\n2\n") != 0)
            fail_msg("%s gives\n%s", wrong[i], rows.bytes);
        if (strncmp(counted.bytes, "\n\n\n\n\n! invalid JSON", 19) != 0) /* every byte is looked at, also for COUNT(*) */
            fail_msg("%s counts as\n%s", wrong[i], counted.bytes);
        text_release(&text), text_release(&rows), text_release(&counted);
    }
    assert_decodes(&json_format, &spec, "\xEF\xBB\xBF{\"v\":1}\n{\"v\":2}\n", "1\n2\n"); /* a mark at the very start is passed over */
    assert_decodes(&json_format, &spec, "", "");
    assert_decodes(&json_format, &spec, "\n\n", "");
}

static void options_decide_what_becomes_of_misfits(void **state)
{
    (void)state;
    const JsonOptions ignoring = { .ignore_parse_errors = true }, strict = { .fail_on_missing_field = true };
    DecodeSpec spec = spec_of(type_scalar(TYPE_BIGINT), &ignoring);
    assert_decodes(&json_format, &spec, "{\"v\":1}\n{\"v\":\"x\"}\nrubbish\n{\"v\":2}\n", "1\nNULL\n2\n");
    spec.options = &strict;
    assert_decodes(&json_format, &spec, "{\"v\":1}\n{\"w\":1}\n{\"v\":null}\n", "1\n! v: is missing\nNULL\n");
    DecodeColumn column = spec.columns[0];
    column.not_null = true;
    spec.columns = &column;
    spec.options = NULL;
    assert_decodes(&json_format, &spec, "{\"v\":1}\n{\"w\":1}\n{\"v\":null}\n{\"v\":2}\n", "1\n! v: is missing\n! v: is NULL\n2\n");
    column = (DecodeColumn){ .path = spec.columns[0].path, .path_length = 1, .type = type_scalar(TYPE_TIMESTAMP), .timestamp_format = "dd.MM.yyyy HH:mm" };
    assert_decodes(&json_format, &spec, "{\"v\":\"02.01.2026 03:04\"}\n{\"v\":\"2026-01-02 03:04:05\"}\n{\"v\":1}\n",
                   "TIMESTAMP '2026-01-02 03:04:00'\n! v: \"2026-01-02 03:04:05\" does not fit the timestamp format\n! v: 1 does not fit the timestamp format\n");
    column.timestamp_format = "epoch_s";
    assert_decodes(&json_format, &spec, "{\"v\":1.5}\n{\"v\":\"2\"}\n", "TIMESTAMP '1970-01-01 00:00:01.500'\nTIMESTAMP '1970-01-01 00:00:02'\n");
}

/* Random records of a few shapes, some of them damaged: whatever the way, the same rows. */
static void all_ways_agree_on_random_records(void **state)
{
    (void)state;
    DecodeSpec spec = bid_spec(NULL);
    static const char *const values[] = { "1", "-17", "123456789012", "1.25", "1e5", "\"text\"", "\"a longer text without escapes\"", "\"esc\\naped\"", "\"é€😀\"", "null", "true", "{}", "[1,2]", "\"\\ud83d\\ude00\"", "99999999999999999999" };
    static const char *const spaces[] = { "", "", "", " ", "  ", "\t" };
#define PICK(list) list[random_upto(COUNT(list) - 1)]
    for (int round = 0; round < 300; round++) {
        Text text = { 0 };
        const char *space = PICK(spaces);
        int order = (int)random_upto(3), wild = (int)random_upto(2); /* 0: all alike */
        for (uint64_t records = random_upto(60); records; records--) {
            size_t from = text.length;
            const char *id = wild ? PICK(values) : "12", *price = wild ? PICK(values) : "3.5", *name = wild ? PICK(values) : "\"n\"";
            text_printf(&text, order == 0 ? "{\"id\":%s%s,\"bid\":{\"price\":%s,%s\"Name\":%s}}" : order == 1 ? "{\"x\":[1],\"id\":%s%s,\"bid\":{\"price\":%s%s,\"q\":{},\"Name\":%s}}"
                        : order == 2 ? "{\"id\":%s%s,\"bid\":{\"Price\":%s%s,\"Name\":%s},\"z\":\"\\\"\"}" : "{\"id\" : %s%s, \"bid\" : {\"price\" : %s%s, \"Name\" : %s}}", id, space, price, space, name);
            if (random_upto(15) == 0)
                text.bytes[from + random_upto(text.length - from - 1)] = "\"{}[],:\\ 0x\n\xff"[random_upto(12)];
            text_add_c(&text, random_upto(9) ? "\n" : "\r\n");
        }
        Text rows = decode_text(&json_format, &spec, text_c(&text), text.length);
        text_release(&rows);
        text_release(&text);
    }
}

/* ---- the grammar's small parts ---- */

static void numbers_mean_integers(void **state)
{
    (void)state;
    static const struct { const char *text; JsonInteger kind; int64_t value; } cases[] = { { "0", JSON_INTEGER, 0 }, { "-0", JSON_INTEGER, 0 }, { "1e18", JSON_INTEGER, 1000000000000000000 }, { "1e19", JSON_TOO_LARGE, 0 },
        { "1.50e1", JSON_INTEGER, 15 }, { "1.55e1", JSON_FRACTION, 0 }, { "5.000", JSON_INTEGER, 5 }, { "100e-2", JSON_INTEGER, 1 }, { "1e-1", JSON_FRACTION, 0 }, { "0e999999999", JSON_INTEGER, 0 },
        { "0.000", JSON_INTEGER, 0 }, { "9223372036854775807", JSON_INTEGER, INT64_MAX }, { "-9223372036854775808", JSON_INTEGER, INT64_MIN }, { "9223372036854775808", JSON_TOO_LARGE, 0 }, { "1e999999999999", JSON_TOO_LARGE, 0 } };
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t value = 77;
        JsonInteger kind = json_token_integer(cases[i].text, strlen(cases[i].text), &value);
        if (kind != cases[i].kind || (kind == JSON_INTEGER && value != cases[i].value))
            fail_msg("%s: %d %lld", cases[i].text, kind, (long long)value);
    }
}

static void schemas_are_guessed(void **state)
{
    (void)state;
    Schema *schema;
    const char *sample = "{\"i\":1,\"d\":1,\"s\":\"x\",\"b\":true,\"day\":\"2026-01-01\",\"at\":\"2026-01-01\",\"n\":null,\"o\":{\"p\":1},\"l\":[1,2.5],\"m\":1}\n"
                         "{\"i\":2,\"d\":2.5,\"s\":\"2026-01-01\",\"at\":\"2026-01-01 10:00:00\",\"o\":{\"q\":\"x\"},\"m\":\"x\",\"late\":7}\n"
                         "rubbish\n{\"i\":99999999";
    assert_fine(json_format.infer(&arena, NULL, sample, strlen(sample), &schema));
    Text text = { 0 };
    for (int i = 0; i < schema->column_count; i++)
        text_printf(&text, "%s %s, ", schema->columns[i].name, type_text(&arena, schema->columns[i].type));
    assert_string_equal(text_c(&text), "i BIGINT, d DOUBLE, s VARCHAR, b BOOLEAN, day DATE, at TIMESTAMP(3), n VARCHAR, o STRUCT<p BIGINT, q VARCHAR>, l ARRAY<DOUBLE>, m VARCHAR, late BIGINT, ");
    text_release(&text);
    assert_error(json_format.infer(&arena, NULL, "a,b\n1,2\n", 8, &schema), "no JSON object");
}

/* ---- writing ---- */

static const Type *random_type(int depth)
{
    static const TypeKind kinds[] = { TYPE_BOOLEAN, TYPE_INT, TYPE_BIGINT, TYPE_FLOAT, TYPE_DOUBLE, TYPE_VARCHAR, TYPE_BYTES, TYPE_DATE, TYPE_TIME };
    static const char *const names[] = { "x", "y \"z\"", "é" };
    const Type *children[3];
    switch (random_upto(depth ? 12 : 9)) {
    case 8: return type_decimal(&arena, 38, (int)random_upto(20));
    case 9: return type_timestamp(&arena, random_upto(1) ? TYPE_TIMESTAMP : TYPE_TIMESTAMP_TZ, 6);
    case 10: return type_array(&arena, random_type(depth - 1));
    case 11: return type_map(&arena, type_scalar(random_upto(1) ? TYPE_VARCHAR : TYPE_BIGINT), random_type(depth - 1));
    case 12: {
        for (int i = 0; i < 3; i++)
            children[i] = random_type(depth - 1);
        return type_struct(&arena, 3, names, children);
    }
    default: return type_scalar(kinds[random_upto(COUNT(kinds) - 1)]);
    }
}

static Value random_value(const Type *type)
{
    static const char *const texts[] = { "", "short", "a text of more than twelve bytes", "quote\" back\\slash", "line\nend\ttab", "é€😀", "\x01\x1f" };
    Value value = { .type = type };
    if (random_upto(6) == 0)
        return value_null(type);
    switch (type->kind) {
    case TYPE_BOOLEAN: value.integer = (int64_t)random_upto(1); break;
    case TYPE_INT: value.integer = (int32_t)random_bits(); break;
    case TYPE_FLOAT: value.number = (float)random_between(-1000000, 1000000) / 8; break;
    case TYPE_DOUBLE: value.number = random_upto(5) ? (double)(int64_t)random_bits() / 1e5 : random_upto(1) ? NAN : -INFINITY; break;
    case TYPE_DECIMAL: value.decimal = (Int128)(int64_t)random_bits() * (int64_t)random_upto(1000000000); break;
    case TYPE_VARCHAR: value.text = str_c(PICK(texts)); break;
    case TYPE_BYTES: value.text = str_view("\xff\x00\x80 bytes of any kind", random_upto(20)); break;
    case TYPE_DATE: value.integer = random_between(-100000, 100000); break;
    case TYPE_TIME: value.integer = random_between(0, 86399999999); break;
    case TYPE_TIMESTAMP: case TYPE_TIMESTAMP_TZ: value.integer = random_between(-1000000000000000, 4000000000000000); break;
    case TYPE_ARRAY: case TYPE_MAP: {
        uint32_t step = type->kind == TYPE_MAP ? 2 : 1;
        value.nested.count = (uint32_t)random_upto(3) * step;
        value.nested.items = ARENA_ARRAY(&arena, Value, 7);
        for (uint32_t i = 0; i < value.nested.count; i++) {
            value.nested.items[i] = random_value(type->children[step == 2 ? i & 1 : 0]);
            if (step == 2 && i % 2 == 0) /* keys differ and are not NULL */
                value.nested.items[i] = type->children[0]->kind == TYPE_BIGINT ? (Value){ .type = type->children[0], .integer = i * 1000 - 5 }
                                                                              : (Value){ .type = type->children[0], .text = str_c(arena_printf(&arena, "key \"%u\"", i)) };
        }
        break;
    }
    case TYPE_STRUCT:
        value.nested.count = 3;
        value.nested.items = ARENA_ARRAY(&arena, Value, 3);
        for (int i = 0; i < 3; i++)
            value.nested.items[i] = random_value(type->children[i]);
        break;
    default: value.integer = (int64_t)random_bits(); break;
    }
    return value;
}

static void what_is_written_is_read_again(void **state)
{
    (void)state;
    static const char *const names[] = { "first", "Second one", "third\"" };
    for (int round = 0; round < 150; round++) {
        enum { ROWS = 30 };
        Column columns[3];
        DecodeColumn wanted[3];
        const JsonOptions options = { .ignore_null_fields = random_upto(1), .timestamp_standard = random_upto(1) ? JSON_ISO_8601 : JSON_SQL };
        for (int c = 0; c < 3; c++) {
            columns[c] = (Column){ .name = names[c], .type = random_type(2) };
            wanted[c] = (DecodeColumn){ .path = &names[c], .path_length = 1, .field_index = c, .type = columns[c].type };
        }
        Schema schema = { 3, columns };
        DecodeSpec spec = { .columns = wanted, .column_count = 3, .declared_count = 3, .declared_names = names };
        Batch *batch = batch_of(&spec, ROWS);
        Text expected = { 0 };
        for (uint32_t row = 0; row < ROWS; row++) {
            for (int c = 0; c < 3; c++) {
                Value value = random_value(columns[c].type);
                vector_set(&batch->arena, batch->columns[c], row, &value);
            }
            put_row(&expected, batch, row);
        }
        batch->row_count = batch->selection.count = ROWS;
        Text json = encode_text(&json_format, &schema, &options, batch, false), back = decode_text(&json_format, &spec, json.bytes, json.length);
        assert_string_equal(back.bytes, text_c(&expected));
        text_release(&json), text_release(&back), text_release(&expected);
        batch_release(batch);
        arena_reset(&arena);
    }
}

static void changes_carry_their_kind(void **state)
{
    (void)state;
    static const char *const names[] = { "v" };
    Column column = { .name = names[0], .type = type_scalar(TYPE_BIGINT) };
    Schema schema = { 1, &column };
    DecodeSpec spec = spec_of(column.type, NULL);
    Batch *batch = batch_of(&spec, 4);
    uint8_t kinds[] = { ROW_INSERT, ROW_UPDATE_BEFORE, ROW_UPDATE_AFTER, ROW_DELETE };
    uint32_t chosen[] = { 0, 1, 3 };
    for (int64_t row = 0; row < 4; row++)
        ((int64_t *)batch->columns[0]->values)[row] = row;
    vector_set_null(&batch->arena, batch->columns[0], 3);
    batch->kinds = kinds;
    batch->row_count = 4;
    batch->selection = (Selection){ 3, chosen };
    Text json = encode_text(&json_format, &schema, NULL, batch, true);
    assert_string_equal(json.bytes, "{\"op\":\"+I\",\"v\":0}\n{\"op\":\"-U\",\"v\":1}\n{\"op\":\"-D\",\"v\":null}\n");
    text_release(&json);
    const JsonOptions leave_out = { .ignore_null_fields = true };
    json = encode_text(&json_format, &schema, &leave_out, batch, false);
    assert_string_equal(json.bytes, "{\"v\":0}\n{\"v\":1}\n{}\n");
    text_release(&json);
    batch_release(batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(values_of_every_type, start, stop),
        cmocka_unit_test_setup_teardown(nested_values, start, stop),
        cmocka_unit_test_setup_teardown(keys_are_found_wherever_they_stand, start, stop),
        cmocka_unit_test_setup_teardown(records_that_are_none, start, stop),
        cmocka_unit_test_setup_teardown(options_decide_what_becomes_of_misfits, start, stop),
        cmocka_unit_test_setup_teardown(all_ways_agree_on_random_records, start, stop),
        cmocka_unit_test_setup_teardown(numbers_mean_integers, start, stop),
        cmocka_unit_test_setup_teardown(schemas_are_guessed, start, stop),
        cmocka_unit_test_setup_teardown(what_is_written_is_read_again, start, stop),
        cmocka_unit_test_setup_teardown(changes_carry_their_kind, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
