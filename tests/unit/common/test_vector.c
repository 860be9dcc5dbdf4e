/* Types, values, vectors and batches: what is put in comes out, whatever the type and however it is nested. */
#include "tests/unit/common/unit.h"

#include <math.h>

#include "common/batch.h"
#include "common/decimal.h"
#include "common/value_text.h"

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

/* ---- types ---- */

static const Type *random_type(int depth)
{
    static const TypeKind scalars[] = { TYPE_BOOLEAN, TYPE_TINYINT, TYPE_SMALLINT, TYPE_INT, TYPE_BIGINT, TYPE_FLOAT, TYPE_DOUBLE, TYPE_VARCHAR, TYPE_BYTES, TYPE_DATE, TYPE_TIME, TYPE_INTERVAL };
    static const char *const names[] = { "a", "b c", "Price", "x\"y" };
    const Type *children[4];
    switch (random_upto(depth > 0 ? 8 : 4)) {
    case 0: return type_decimal(&arena, (int)random_between(1, 38), (int)random_upto(1));
    case 1: return type_timestamp(&arena, random_upto(1) ? TYPE_TIMESTAMP : TYPE_TIMESTAMP_TZ, (int)random_upto(6));
    case 2: return type_varchar(&arena, (uint32_t)random_upto(20));
    case 5: return type_array(&arena, random_type(depth - 1));
    case 6: return type_map(&arena, type_scalar(TYPE_VARCHAR), random_type(depth - 1));
    case 7: case 8: {
        int count = (int)random_between(1, 4);
        for (int i = 0; i < count; i++)
            children[i] = random_type(depth - 1);
        return type_struct(&arena, count, names, children);
    }
    default: return type_scalar(scalars[random_upto(COUNT(scalars) - 1)]);
    }
}

static void types_print_as_sql(void **state)
{
    (void)state;
    static const char *const names[] = { "id", "two words" };
    const Type *fields[] = { type_scalar(TYPE_BIGINT), type_array(&arena, type_varchar(&arena, 10)) };
    const Type *type = type_map(&arena, type_scalar(TYPE_VARCHAR), type_struct(&arena, 2, names, fields));
    assert_string_equal(type_text(&arena, type), "MAP<VARCHAR, STRUCT<id BIGINT, \"two words\" ARRAY<VARCHAR(10)>>>");
    assert_string_equal(type_text(&arena, type_decimal(&arena, 10, 2)), "DECIMAL(10,2)");
    assert_string_equal(type_text(&arena, type_timestamp(&arena, TYPE_TIMESTAMP_TZ, 6)), "TIMESTAMP(6) WITH TIME ZONE");
    assert_string_equal(type_text(&arena, type_scalar(TYPE_TIMESTAMP)), "TIMESTAMP(3)");
    assert_int_equal(type_field(type->children[1], "ID"), 0);
    assert_int_equal(type_field(type->children[1], "two words"), 1);
    assert_int_equal(type_field(type->children[1], "three"), -1);
    static const char *const twins[] = { "ab", "AB" };
    const Type *two = type_struct(&arena, 2, twins, fields);
    assert_int_equal(type_field(two, "AB"), 1);
    assert_int_equal(type_field(two, "Ab"), -1); /* ambiguous */
}

static void types_are_equal_to_their_copies_only(void **state)
{
    (void)state;
    Arena other;
    arena_init(&other, NULL);
    int different = 0;
    for (int round = 0; round < 3000; round++) {
        const Type *a = random_type(3), *b = random_type(3), *copy = type_copy(&other, a);
        assert_true(type_equal(a, copy) && type_equal(copy, a));
        assert_int_equal(type_equal(a, b), strcmp(type_text(&arena, a), type_text(&arena, b)) == 0);
        different += !type_equal(a, b);
        assert_int_equal(type_physical(a), type_physical(copy));
    }
    assert_true(different > 1000);
    arena_release(&other);
    assert_int_equal(type_physical(type_decimal(&arena, 18, 3)), PHYSICAL_INT64);
    assert_int_equal(type_physical(type_decimal(&arena, 19, 3)), PHYSICAL_INT128);
    assert_int_equal(type_width(type_decimal(&arena, 19, 3)), 16);
    assert_int_equal(type_width(type_scalar(TYPE_BOOLEAN)), 1);
    assert_true(type_is_integer(type_scalar(TYPE_INT)) && !type_is_integer(type_scalar(TYPE_DOUBLE)));
    assert_true(type_is_numeric(type_scalar(TYPE_DECIMAL)) && !type_is_numeric(type_scalar(TYPE_DATE)));
}

/* ---- values ---- */

static Value random_value(const Type *type, int depth)
{
    static const char long_text[] = "a text that is longer than what a view holds, in several lengths";
    Value value = { .type = type };
    if (random_upto(5) == 0)
        return value_null(type);
    switch (type_physical(type)) {
    case PHYSICAL_BOOL: value.integer = (int64_t)random_upto(1); break;
    case PHYSICAL_INT64: value.integer = (int64_t)random_bits() >> random_upto(63); break;
    case PHYSICAL_DOUBLE: value.number = random_upto(9) ? (double)(int64_t)random_bits() / 1e6 : NAN; break;
    case PHYSICAL_INT128: value.decimal = (Int128)(int64_t)random_bits() * (int64_t)random_upto(1000000); break;
    case PHYSICAL_STR: value.text = str_view(long_text, random_upto(sizeof long_text - 1)); break;
    case PHYSICAL_INTERVAL: value.interval = (Interval){ random_between(-100, 100), random_between(-1000000, 1000000) }; break;
    case PHYSICAL_ARRAY: {
        uint32_t step = type->kind == TYPE_MAP ? 2 : 1;
        value.nested.count = (uint32_t)random_upto(4) * step;
        value.nested.items = ARENA_ARRAY(&arena, Value, (size_t)value.nested.count + 1);
        for (uint32_t i = 0; i < value.nested.count; i++)
            value.nested.items[i] = random_value(type->children[step == 2 ? i & 1 : 0], depth - 1);
        break;
    }
    case PHYSICAL_STRUCT:
        value.nested.count = (uint32_t)type->child_count;
        value.nested.items = ARENA_ARRAY(&arena, Value, (size_t)type->child_count);
        for (int i = 0; i < type->child_count; i++)
            value.nested.items[i] = random_value(type->children[i], depth - 1);
        break;
    }
    return value;
}

static void values_are_ordered(void **state)
{
    (void)state;
    for (int round = 0; round < 2000; round++) {
        const Type *type = random_type(2);
        Value values[3], copy;
        for (int i = 0; i < 3; i++)
            values[i] = random_value(type, 2);
        copy = value_copy(&arena, &values[0]);
        assert_true(value_equal(&values[0], &copy));
        assert_int_equal(value_compare(&values[0], &copy), 0);
        int ab = value_compare(&values[0], &values[1]), bc = value_compare(&values[1], &values[2]), ac = value_compare(&values[0], &values[2]);
        assert_int_equal(value_compare(&values[1], &values[0]), -ab);
        assert_int_equal(value_equal(&values[0], &values[1]), ab == 0);
        if (ab <= 0 && bc <= 0)
            assert_true(ac <= 0);
        if (ab >= 0 && bc >= 0)
            assert_true(ac >= 0);
    }
    Value null = value_null(type_scalar(TYPE_DOUBLE)), nan = { .type = null.type, .number = NAN }, huge = { .type = null.type, .number = INFINITY };
    assert_true(value_compare(&huge, &nan) < 0 && value_compare(&nan, &null) < 0); /* NaN above all numbers, NULL last */
}

static void values_print_as_sql(void **state)
{
    (void)state;
    const struct { Value value; const char *sql; } cases[] = {
        { value_null(type_scalar(TYPE_INT)), "NULL" },
        { { .type = type_scalar(TYPE_BOOLEAN), .integer = 1 }, "TRUE" },
        { { .type = type_scalar(TYPE_BIGINT), .integer = INT64_MIN }, "-9223372036854775808" },
        { { .type = type_scalar(TYPE_DOUBLE), .number = 1.5 }, "1.5E0" },
        { { .type = type_scalar(TYPE_DOUBLE), .number = 1e300 }, "1.0E300" },
        { { .type = type_scalar(TYPE_DOUBLE), .number = NAN }, "CAST('NaN' AS DOUBLE)" },
        { { .type = type_decimal(&arena, 5, 2), .integer = -5 }, "-0.05" },
        { { .type = type_decimal(&arena, 38, 2), .decimal = decimal_power(37) }, "100000000000000000000000000000000000.00" },
        { { .type = type_scalar(TYPE_VARCHAR), .text = str_c("it's") }, "'it''s'" },
        { { .type = type_scalar(TYPE_BYTES), .text = str_view("\0\xff", 2) }, "X'00ff'" },
        { { .type = type_scalar(TYPE_DATE), .integer = -1 }, "DATE '1969-12-31'" },
        { { .type = type_scalar(TYPE_TIME), .integer = 1 }, "TIME '00:00:00.000001'" },
        { { .type = type_scalar(TYPE_TIMESTAMP), .integer = 1500000 }, "TIMESTAMP '1970-01-01 00:00:01.500'" },
        { { .type = type_scalar(TYPE_INTERVAL), .interval = { 3, 0 } }, "INTERVAL '3' MONTH" },
        { { .type = type_scalar(TYPE_INTERVAL), .interval = { 0, 10000000 } }, "INTERVAL '10' SECOND" },
        { { .type = type_scalar(TYPE_INTERVAL), .interval = { 0, -1500000 } }, "INTERVAL '-1.500000' SECOND" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        Text text = { 0 };
        value_print(&cases[i].value, &text);
        assert_string_equal(text_c(&text), cases[i].sql);
        text_release(&text);
    }
}

/* ---- vectors ---- */

static Value *random_column(const Type *type, Vector *vector, uint32_t rows)
{
    Value *values = ARENA_ARRAY(&arena, Value, rows);
    for (uint32_t row = 0; row < rows; row++) {
        values[row] = random_value(type, 2);
        vector_set(&arena, vector, row, &values[row]);
        if (random_upto(7) == 0) { /* the last row once more */
            values[row] = random_value(type, 2);
            vector_set(&arena, vector, row, &values[row]);
        }
    }
    return values;
}

static void assert_row(const Vector *vector, uint32_t row, const Value *expected)
{
    Value got = vector_get(&arena, vector, row);
    if (!value_equal(&got, expected) || vector_is_null(vector, row) != expected->is_null) {
        Text a = { 0 }, b = { 0 };
        value_print(&got, &a);
        value_print(expected, &b);
        fail_msg("row %u of a %s is %s instead of %s", row, type_text(&arena, vector->type), text_c(&a), text_c(&b));
    }
    if (expected->is_null && type_physical(vector->type) == PHYSICAL_STR)
        assert_int_equal(((const Str *)vector->values)[row & vector_mask(vector)].length, 0);
}

static void vectors_hold_rows_of_every_type(void **state)
{
    (void)state;
    for (int round = 0; round < 400; round++) {
        const Type *type = random_type(3);
        uint32_t rows = (uint32_t)random_between(1, 150);
        Vector *vector = vector_new(&arena, type, (uint32_t)random_upto(rows)); /* it grows, if need be */
        Value *values = random_column(type, vector, rows);
        for (uint32_t row = 0; row < rows; row++)
            assert_row(vector, row, &values[row]);

        uint32_t count = (uint32_t)random_upto(rows), *chosen = ARENA_ARRAY(&arena, uint32_t, count + 1);
        for (uint32_t i = 0; i < count; i++)
            chosen[i] = (uint32_t)random_upto(rows - 1); /* any order, also twice */
        const Vector *gathered = vector_gather(&arena, vector, chosen, count), *first = vector_gather(&arena, vector, NULL, count);
        for (uint32_t i = 0; i < count; i++) {
            assert_row(gathered, i, &values[chosen[i]]);
            assert_row(first, i, &values[i]);
        }
        const Vector *constant = vector_constant(&arena, &values[0]), *spread = vector_gather(&arena, constant, chosen, count);
        assert_int_equal(vector_mask(constant), 0);
        assert_row(constant, 5000, &values[0]);
        for (uint32_t i = 0; i < count; i++)
            assert_row(spread, i, &values[0]);
        arena_reset(&arena);
    }
}

static void nulls_come_and_go(void **state)
{
    (void)state;
    Vector *vector = vector_new(&arena, type_scalar(TYPE_VARCHAR), 130);
    assert_null(vector->validity);
    Value value = { .type = vector->type, .text = str_c("a text of more than twelve bytes") }, null = value_null(vector->type);
    for (uint32_t row = 0; row < 130; row++)
        vector_set(&arena, vector, row, &value);
    assert_null(vector->validity); /* costs nothing while there is none */
    vector_set(&arena, vector, 64, &null);
    vector_set_null(&arena, vector, 129);
    for (uint32_t row = 0; row < 130; row++)
        assert_int_equal(vector_is_null(vector, row), row == 64 || row == 129);
    vector_set(&arena, vector, 64, &value);
    assert_false(vector_is_null(vector, 64));
    value.text.pointer = NULL; /* the vector has its own bytes */
    assert_str(&((Str *)vector->values)[3], "a text of more than twelve bytes");
    assert_int_equal(bitmap_words(0), 0);
    assert_int_equal(bitmap_words(64), 1);
    assert_int_equal(bitmap_words(65), 2);
}

static void values_become_text(void **state)
{
    (void)state;
    static const char *const names[] = { "a", "q\"" };
    const Type *fields[] = { type_scalar(TYPE_BIGINT), type_array(&arena, type_scalar(TYPE_VARCHAR)) };
    const Type *structure = type_struct(&arena, 2, names, fields), *map = type_map(&arena, type_scalar(TYPE_BIGINT), type_scalar(TYPE_DOUBLE));
    Value texts[] = { { .type = type_scalar(TYPE_VARCHAR), .text = str_c("x\n\x01\"\\é") }, value_null(type_scalar(TYPE_VARCHAR)) };
    Value inner[] = { { .type = fields[0], .integer = -7 }, { .type = fields[1], .nested = { texts, 2 } } };
    Value pairs[] = { { .type = type_scalar(TYPE_BIGINT), .integer = 1 }, { .type = type_scalar(TYPE_DOUBLE), .number = INFINITY }, { .type = type_scalar(TYPE_BIGINT), .integer = 2 }, value_null(type_scalar(TYPE_DOUBLE)) };
    const struct { Value value; const char *json, *plain; } cases[] = {
        { value_null(type_scalar(TYPE_INT)), "null", "" },
        { { .type = type_scalar(TYPE_BOOLEAN), .integer = 0 }, "false", "false" },
        { { .type = type_scalar(TYPE_DOUBLE), .number = NAN }, "\"NaN\"", "NaN" },
        { { .type = type_scalar(TYPE_DOUBLE), .number = 0.1 }, "0.1", "0.1" },
        { { .type = type_scalar(TYPE_FLOAT), .number = (double)0.1f }, "0.1", "0.1" },
        { { .type = type_decimal(&arena, 10, 3), .integer = 5 }, "0.005", "0.005" },
        { texts[0], "\"x\\n\\u0001\\\"\\\\é\"", "x\n\x01\"\\é" },
        { { .type = type_scalar(TYPE_BYTES), .text = str_view("\xff\x00\x01\x02", 4) }, "\"/wABAg==\"", "/wABAg==" },
        { { .type = type_scalar(TYPE_BYTES), .text = str_c("abc") }, "\"YWJj\"", "YWJj" },
        { { .type = type_scalar(TYPE_BYTES), .text = str_c("ab") }, "\"YWI=\"", "YWI=" },
        { { .type = type_scalar(TYPE_DATE), .integer = 0 }, "\"1970-01-01\"", "1970-01-01" },
        { { .type = type_scalar(TYPE_TIMESTAMP), .integer = -1 }, "\"1969-12-31 23:59:59.999\"", "1969-12-31 23:59:59.999" },
        { { .type = type_timestamp(&arena, TYPE_TIMESTAMP_TZ, 0), .integer = 0 }, "\"1970-01-01T00:00:00Z\"", "1970-01-01T00:00:00Z" },
        { { .type = type_scalar(TYPE_INTERVAL), .interval = { 1, 2 * 86400000000 + 3600000000 } }, "\"1 month 2 days 01:00:00\"", "1 month 2 days 01:00:00" },
        { { .type = type_scalar(TYPE_INTERVAL), .interval = { 0, -500000 } }, "\"-00:00:00.500\"", "-00:00:00.500" },
        { { .type = structure, .nested = { inner, 2 } }, "{\"a\":-7,\"q\\\"\":[\"x\\n\\u0001\\\"\\\\é\",null]}", "{\"a\":-7,\"q\\\"\":[\"x\\n\\u0001\\\"\\\\é\",null]}" },
        { { .type = map, .nested = { pairs, 4 } }, "{\"1\":\"Infinity\",\"2\":null}", "{\"1\":\"Infinity\",\"2\":null}" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        Text json = { 0 }, plain = { 0 };
        const Vector *vector = vector_constant(&arena, &cases[i].value);
        text_add_value_json(&json, vector, 3);
        text_add_value_plain(&plain, vector, 3);
        assert_text(json.bytes, json.length, cases[i].json);
        assert_text(text_c(&plain), plain.length, cases[i].plain);
        text_release(&json);
        text_release(&plain);
    }
    Text cell = { 0 };
    text_add_cell(&cell, "a\nb\t\x1b[1mé", 10);
    assert_string_equal(text_c(&cell), "a\\nb\\t\\x1b[1mé");
    text_release(&cell);
}

/* A JSON string holds every byte, escaped wherever it stands among blocks of 16. */
static void json_strings_escape_every_byte(void **state)
{
    (void)state;
    for (int byte = 0; byte < 128; byte++)
        for (size_t at = 0; at < 40; at++) {
            char bytes[40], expected[64] = "\"";
            memset(bytes, 'x', sizeof bytes);
            bytes[at] = (char)byte;
            memset(expected + 1, 'x', at);
            const char *escape = byte == '"' ? "\\\"" : byte == '\\' ? "\\\\" : byte == '\n' ? "\\n" : byte == '\r' ? "\\r" : byte == '\t' ? "\\t" : byte == '\b' ? "\\b" : byte == '\f' ? "\\f" : NULL;
            size_t used = at + 1;
            if (escape)
                used += (size_t)sprintf(expected + used, "%s", escape);
            else if (byte < 32)
                used += (size_t)sprintf(expected + used, "\\u%04x", byte);
            else
                expected[used++] = (char)byte;
            memset(expected + used, 'x', 39 - at);
            strcpy(expected + used + 39 - at, "\"");
            Text text = { 0 };
            text_add_json_string(&text, bytes, sizeof bytes);
            assert_string_equal(text_c(&text), expected);
            text_release(&text);
        }
}

/* ---- batches ---- */

static Schema *sample_schema(void)
{
    static Column columns[2];
    static Schema schema = { 2, columns };
    columns[0] = (Column){ .name = "id", .type = type_scalar(TYPE_BIGINT) };
    columns[1] = (Column){ .name = "Name", .type = type_scalar(TYPE_VARCHAR), .is_key = true };
    return &schema;
}

static void batches_share_and_give_back(void **state)
{
    (void)state;
    MemoryPool pool;
    pool_init(&pool, NULL, "pool", 0);
    Batch *batch = batch_for_schema(&pool, sample_schema(), 100);
    assert_true(pool.used_bytes > 0);
    Buffer *buffer = buffer_new(10);
    batch_hold_buffer(batch, buffer);
    batch_hold_buffer(batch, buffer); /* once is enough */
    assert_int_equal(buffer->references, 2);
    buffer_release(buffer);
    batch->row_count = batch->selection.count = 100;
    for (uint32_t row = 0; row < 100; row++)
        ((int64_t *)batch->columns[0]->values)[row] = row;
    Batch *share = batch_share(batch);
    uint32_t odd[] = { 1, 3, 5 };
    share->selection = (Selection){ 3, odd };
    assert_int_equal(batch->selection.count, 100); /* each has its own */
    assert_ptr_equal(share->columns[0], batch->columns[0]);
    batch_release(batch_retain(batch));
    batch_release(batch);
    assert_int_equal(((int64_t *)share->columns[0]->values)[99], 99); /* held by the share */
    assert_int_equal(buffer->references, 1);
    assert_int_equal(selection_row(&share->selection, 2), 5);
    batch_release(share);
    batch_release(NULL);
    assert_int_equal(pool.used_bytes, 0);
}

static void compact_batches_keep_what_belongs_to_rows(void **state)
{
    (void)state;
    MemoryPool pool;
    pool_init(&pool, NULL, "pool", 0);
    enum { ROWS = 200 };
    Batch *batch = batch_for_schema(&pool, sample_schema(), ROWS);
    batch->row_count = ROWS;
    batch->kinds = arena_alloc(&batch->arena, ROWS);
    batch->wm_us = arena_alloc(&batch->arena, 8 * ROWS);
    batch->positions = arena_alloc(&batch->arena, 8 * ROWS);
    batch->lines = arena_alloc(&batch->arena, 8 * ROWS);
    batch->raw = arena_alloc(&batch->arena, sizeof(Str) * ROWS);
    batch->wm_end_us = 77;
    batch->now_us = 78;
    batch->turn = 79;
    batch->split = 80;
    uint32_t chosen[ROWS], count = 0;
    for (uint32_t row = 0; row < ROWS; row++) {
        char text[32];
        Value name = { .type = batch->columns[1]->type, .text = str_view(text, (size_t)sprintf(text, "the name of row %u", row)) };
        ((int64_t *)batch->columns[0]->values)[row] = row;
        vector_set(&batch->arena, batch->columns[1], row, &name);
        if (row % 9 == 0)
            vector_set_null(&batch->arena, batch->columns[1], row);
        batch->kinds[row] = row & 3;
        batch->wm_us[row] = row * 10;
        batch->positions[row] = row * 100;
        batch->lines[row] = row + 1;
        batch->raw[row] = str_view(arena_strdup(&batch->arena, text), strlen(text));
        if (row % 3)
            chosen[count++] = row;
    }
    batch->selection = (Selection){ count, chosen };
    Value seven = { .type = batch->columns[0]->type, .integer = 7 };
    Batch *compact = batch_compact(batch);
    assert_int_equal(compact->row_count, count);
    assert_int_equal(compact->selection.count, count);
    assert_null(compact->selection.rows);
    assert_int_equal(compact->wm_end_us, 77);
    assert_int_equal(compact->now_us, 78);
    assert_int_equal(compact->turn, 79);
    assert_int_equal(compact->split, 80);
    batch_release(batch);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t row = chosen[i];
        char text[32];
        sprintf(text, "the name of row %u", row);
        assert_int_equal(((int64_t *)compact->columns[0]->values)[i], row);
        assert_int_equal(vector_is_null(compact->columns[1], i), row % 9 == 0);
        if (row % 9)
            assert_str(&((Str *)compact->columns[1]->values)[i], text);
        assert_int_equal(batch_kind(compact, i), row & 3);
        assert_int_equal(compact->wm_us[i], row * 10);
        assert_int_equal(compact->positions[i], row * 100);
        assert_int_equal(compact->lines[i], row + 1);
        assert_str(&compact->raw[i], text);
    }
    batch_release(compact);
    batch = batch_new(&pool, 1); /* constants stay constants, missing kinds are inserts */
    batch->columns[0] = vector_constant(&batch->arena, &seven);
    batch->row_count = batch->selection.count = 3;
    compact = batch_compact(batch);
    assert_int_equal(compact->columns[0]->encoding, VECTOR_CONSTANT);
    assert_int_equal(batch_kind(compact, 2), ROW_INSERT);
    assert_null(compact->wm_us);
    batch_release(batch);
    batch_release(compact);
    assert_int_equal(pool.used_bytes, 0);
}

static void bad_rows_and_kinds(void **state)
{
    (void)state;
    Batch *batch = batch_new(NULL, 0);
    for (uint32_t i = 0; i < 100; i++)
        batch_add_bad_row(batch, &(BadRow){ .before_row = i, .position = i * 10, .reason = "wrong" });
    assert_int_equal(batch->bad_row_count, 100);
    for (uint32_t i = 0; i < 100; i++)
        assert_int_equal(batch->bad_rows[i].position, i * 10);
    batch_release(batch);
    assert_string_equal(row_kind_text(ROW_INSERT), "+I");
    assert_string_equal(row_kind_text(ROW_UPDATE_BEFORE), "-U");
    assert_true(row_kind_retracts(ROW_DELETE) && row_kind_retracts(ROW_UPDATE_BEFORE));
    assert_false(row_kind_retracts(ROW_INSERT) || row_kind_retracts(ROW_UPDATE_AFTER));
}

static void schemas_find_their_columns(void **state)
{
    (void)state;
    Column columns[] = { { .name = "a" }, { .name = "B" }, { .name = "A" }, { .name = "c" } };
    for (size_t i = 0; i < COUNT(columns); i++)
        columns[i].type = type_scalar(TYPE_INT);
    Schema schema = { 4, columns };
    assert_int_equal(schema_find(&schema, "A"), 2);
    assert_int_equal(schema_find(&schema, "a"), 0);
    assert_int_equal(schema_find(&schema, "b"), 1);
    assert_int_equal(schema_find(&schema, "d"), -1);
    columns[3].name = "b";
    assert_int_equal(schema_find(&schema, "B"), 1);
    columns[1].name = "bb";
    columns[3].name = "BB";
    assert_int_equal(schema_find(&schema, "Bb"), -2);
    Schema *copy = schema_copy(&arena, sample_schema());
    assert_int_equal(copy->column_count, 2);
    assert_string_equal(copy->columns[1].name, "Name");
    assert_true(copy->columns[1].is_key && copy->columns[1].name != sample_schema()->columns[1].name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(types_print_as_sql, start, stop),
        cmocka_unit_test_setup_teardown(types_are_equal_to_their_copies_only, start, stop),
        cmocka_unit_test_setup_teardown(values_are_ordered, start, stop),
        cmocka_unit_test_setup_teardown(values_print_as_sql, start, stop),
        cmocka_unit_test_setup_teardown(vectors_hold_rows_of_every_type, start, stop),
        cmocka_unit_test_setup_teardown(nulls_come_and_go, start, stop),
        cmocka_unit_test_setup_teardown(values_become_text, start, stop),
        cmocka_unit_test(json_strings_escape_every_byte),
        cmocka_unit_test(batches_share_and_give_back),
        cmocka_unit_test(compact_batches_keep_what_belongs_to_rows),
        cmocka_unit_test(bad_rows_and_kinds),
        cmocka_unit_test_setup_teardown(schemas_find_their_columns, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
