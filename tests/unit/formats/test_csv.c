/* CSV against a reader that takes one character after the other; options, headers, types, and that what is written is read again. */
#include "tests/unit/formats/decode.h"

#include "common/decimal.h"
#include "formats/csv_internal.h"

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

static const char *const column_names[] = { "a", "b", "c", "d" };

static DecodeSpec spec_of(const Type *const types[], int count, const CsvOptions *options)
{
    DecodeColumn *columns = ARENA_ARRAY(&arena, DecodeColumn, (size_t)count + 1);
    for (int i = 0; i < count; i++)
        columns[i] = (DecodeColumn){ .path = &column_names[i], .path_length = 1, .field_index = i, .type = types[i] };
    return (DecodeSpec){ .columns = columns, .column_count = count, .declared_count = count, .declared_names = column_names, .options = options };
}
static DecodeSpec texts_spec(int count, const CsvOptions *options)
{
    const Type *types[4];
    for (int i = 0; i < 4; i++)
        types[i] = type_scalar(TYPE_VARCHAR);
    return spec_of(types, count, options);
}

/* ---- the slow reader ---- */

typedef struct Slow { Text out; int width; const char *null_text; char delimiter, quote; } Slow;

/* Rows of texts; a bad record is a line "!". */
static void slow_read(Slow *slow, const char *p, const char *end)
{
    enum { CELL_START, PLAIN, QUOTED, CLOSED, BROKEN } at;
    while (p < end) {
        Text row = { 0 }, cell = { 0 };
        int cells = 0;
        bool bad = false, more = true, quoted = false;
        const char *record = p;
        at = CELL_START;
        while (more) {
            bool over = p == end;
            char c = over ? 0 : *p++;
            if (at == QUOTED && !over) {
                if (c == slow->quote)
                    at = CLOSED;
                else
                    text_add_char(&cell, c);
                continue;
            }
            if (at == CLOSED && !over && c == slow->quote) { /* doubled */
                text_add_char(&cell, c);
                at = QUOTED;
                continue;
            }
            if (at == CELL_START && !over && slow->quote && c == slow->quote) {
                quoted = true;
                at = QUOTED;
                continue;
            }
            if (!over && c != slow->delimiter && c != '\n') {
                if (at == CLOSED && !(c == '\r' && p < end && *p == '\n')) { /* text behind the closing quote */
                    bad = true;
                    at = BROKEN;
                } else if (at == CELL_START || at == PLAIN) {
                    text_add_char(&cell, c);
                    at = PLAIN;
                }
                continue;
            }
            bad |= at == QUOTED; /* the input ends within quotes */
            if (!over && c == '\n' && at == PLAIN && cell.length && cell.bytes[cell.length - 1] == '\r')
                cell.length--;
            if (cells++)
                text_add_c(&row, " | ");
            if (!quoted && strcmp(text_c(&cell), slow->null_text) == 0) {
                text_add_c(&row, "NULL");
            } else {
                Value value = { .type = type_scalar(TYPE_VARCHAR), .text = str_view(text_c(&cell), cell.length) };
                value_print(&value, &row);
            }
            cell.length = 0;
            quoted = false;
            at = CELL_START;
            more = !over && c == slow->delimiter;
        }
        size_t length = (size_t)(p - record);
        if (!(length == 1 && *record == '\n') && !(length == 2 && memcmp(record, "\r\n", 2) == 0)) { /* a blank line is no record */
            if (bad || cells != slow->width)
                text_add_c(&slow->out, "!");
            else
                text_add(&slow->out, row.bytes, row.length);
            text_add_char(&slow->out, '\n');
        }
        text_release(&row);
        text_release(&cell);
    }
}

/* Without the reasons. */
static void shorten_bad(Text *text)
{
    char *to = text->bytes;
    for (const char *p = text->bytes; *p;) {
        const char *line = p, *stop = strchr(p, '\n') + 1;
        if (line[0] == '!' && line[1] == ' ') {
            *to++ = '!';
            *to++ = '\n';
        } else {
            memmove(to, line, (size_t)(stop - line));
            to += stop - line;
        }
        p = stop;
    }
    *to = 0;
    text->length = (size_t)(to - text->bytes);
}

static void cells_are_cut_as_the_slow_reader_cuts_them(void **state)
{
    (void)state;
    static const char alphabet[] = "ab,\"\n;\r";
    int rows_read = 0;
    for (int round = 0; round < 6000; round++) {
        CsvOptions options = { .delimiter = random_upto(3) ? ',' : ';', .quote = '"', .header = CSV_HEADER_FALSE, .null_text = random_upto(2) ? "" : "ab", .disable_quotes = random_upto(5) == 0 };
        Text text = { 0 };
        int width = 1 + (int)random_upto(2), style = (int)random_upto(2);
        size_t wanted = random_upto(random_upto(3) ? 60 : 400);
        while (text.length < wanted) { /* noise, or records that are mostly right */
            if (style == 0) {
                text_add_char(&text, alphabet[random_upto(sizeof alphabet - 2)]);
                continue;
            }
            for (int c = 0; c < width; c++) {
                static const char *const cells[] = { "", "ab", "x", "a longer cell without marks", "\"\"", "\"q\"", "\"a,b;c\"", "\"two\nlines\"", "\"say \"\"so\"\"\"", "in\"side", "\"\"\"\"", "\"\r\n\"", "tail\r", "é" };
                text_printf(&text, "%s%.1s", cells[random_upto(COUNT(cells) - 1)], c + 1 < width ? &options.delimiter : "");
            }
            text_add_c(&text, random_upto(4) ? "\n" : "\r\n");
            if (style == 2 && random_upto(8) == 0)
                text.bytes[random_upto(text.length - 1)] = alphabet[random_upto(sizeof alphabet - 2)];
        }
        if (utf8_valid_prefix(text_c(&text), text.length) == text.length) {
            DecodeSpec spec = texts_spec(width, &options);
            Text rows = decode_text(&csv_format, &spec, text_c(&text), text.length);
            Slow slow = { .width = width, .null_text = options.null_text, .delimiter = options.delimiter, .quote = options.disable_quotes ? 0 : '"' };
            slow_read(&slow, text.bytes, text.bytes + text.length);
            shorten_bad(&rows);
            if (strcmp(rows.bytes, text_c(&slow.out)) != 0)
                fail_msg("%d columns, null '%s', of\n<<%s>>\nare\n%s\ninstead of\n%s", width, options.null_text, text.bytes, rows.bytes, slow.out.bytes);
            for (const char *p = rows.bytes; *p; p++)
                rows_read += *p == '\n' && (p == rows.bytes || p[-1] != '!');
            text_release(&rows);
            text_release(&slow.out);
        }
        text_release(&text);
        arena_reset(&arena);
    }
    assert_true(rows_read > 20000);
}

/* Quotes over every boundary of the blocks of 64 bytes. */
static void quotes_may_stand_anywhere_in_a_block(void **state)
{
    (void)state;
    DecodeSpec spec = texts_spec(2, NULL);
    for (int before = 0; before < 140; before++)
        for (int inside = 0; inside < 140; inside += 1 + inside / 4) {
            Text text = { 0 }, expected = { 0 };
            char filling[160];
            memset(filling, 'x', sizeof filling);
            text_printf(&text, "%.*s-,\"%.*s,\"\"\n\"\nlast,1\n", before, filling, inside, filling);
            text_printf(&expected, "'%.*s-' | '%.*s,\"\n'\n'last' | '1'\n", before, filling, inside, filling);
            assert_decodes(&csv_format, &spec, text_c(&text), text_c(&expected));
            text_release(&text);
            text_release(&expected);
        }
}

/* The index of separators is the same with and without AVX2. */
static void kernels_find_the_same_separators(void **state)
{
    (void)state;
    static const char alphabet[] = "ab,\"\n\xc3";
    const CsvDialect dialect = { .delimiter = ',', .quote = '"' };
    for (int round = 0; round < 20000; round++) {
        char bytes[1024 + 64] = { 0 };
        size_t length = random_upto(random_upto(1) ? 1023 : 130), spread = random_upto(5);
        for (size_t i = 0; i < length; i++)
            bytes[i] = random_upto(spread * 4) ? 'a' : alphabet[random_upto(sizeof alphabet - 2)];
        CsvIndex fast = { 0 }, plain = { 0 };
        csv_index_reserve(&fast, length);
        csv_index_reserve(&plain, length);
        csv_index_build(&dialect, bytes, length, &fast);
        formats_plain_kernels = true;
        csv_index_build(&dialect, bytes, length, &plain);
        formats_plain_kernels = false;
        assert_int_equal(fast.row_count, plain.row_count);
        assert_int_equal(fast.odd, plain.odd);
        uint32_t separators = fast.row_count ? fast.row_ends[fast.row_count - 1] : 0;
        assert_memory_equal(fast.row_ends, plain.row_ends, sizeof(uint32_t) * fast.row_count);
        assert_memory_equal(fast.separators, plain.separators, sizeof(uint32_t) * separators);
        const char *p = bytes; /* and the rows are those of the careful reader */
        for (uint32_t row = 0; row < fast.row_count; row++) {
            CsvRecord record = { .cells = NULL };
            csv_read_record(&dialect, p, bytes + length, &record);
            assert_int_equal(record.count, fast.row_ends[row] - (row ? fast.row_ends[row - 1] : 0));
            assert_int_equal(record.next - bytes, fast.separators[fast.row_ends[row] - 1] + 1);
            p = record.next;
        }
        csv_index_release(&fast);
        csv_index_release(&plain);
    }
}

static void pieces_end_at_records(void **state)
{
    (void)state;
    static const char text[] = "a,b\n\"x\ny\",2\n\"open\nand,on";
    assert_int_equal(csv_format.cut(NULL, text, 3, false), 0);
    assert_int_equal(csv_format.cut(NULL, text, 4, false), 4);
    assert_int_equal(csv_format.cut(NULL, text, 7, false), 4); /* the line end is within quotes */
    assert_int_equal(csv_format.cut(NULL, text, 12, false), 12);
    assert_int_equal(csv_format.cut(NULL, text, sizeof text - 1, false), 12);
    assert_int_equal(csv_format.cut(NULL, text, sizeof text - 1, true), sizeof text - 1);
    assert_int_equal(csv_format.cut(NULL, text, 0, true), 0);
}

/* ---- options ---- */

static void options_change_the_dialect(void **state)
{
    (void)state;
    CsvOptions options = { .delimiter = '|', .quote = '\'', .escape = '\\', .comment = '#', .header = CSV_HEADER_FALSE, .null_text = "\\N" };
    DecodeSpec spec = texts_spec(2, &options);
    assert_decodes(&csv_format, &spec,
                   "# a comment, \\N | 'x\n"
                   "a|\\N\n"
                   "'it\\'s'|'a|b\\\\'\n"
                   "'don''t'|'\\\\N'\n"
                   "|#x\n"
                   "'two\nlines'|\\x\n",
                   "'a' | NULL\n'it''s' | 'a|b\\'\n'don''t' | '\\N'\n'' | '#x'\n'two\nlines' | '\\x'\n");
    CsvOptions ragged = { .delimiter = ',', .quote = '"', .header = CSV_HEADER_FALSE, .null_text = "", .ragged = CSV_RAGGED_ALLOW };
    spec = texts_spec(2, &ragged);
    assert_decodes(&csv_format, &spec, "a\nb,c,d\ne,f\n", "'a' | NULL\n'b' | 'c'\n'e' | 'f'\n");
    spec.options = NULL;
    assert_decodes(&csv_format, &spec, "x\nb,c,d\ne,f\n\"g\"x,h\n", "! 1 cell where 2 are expected\n! 3 cells where 2 are expected\n'e' | 'f'\n! a: text after the closing quote\n");
    CsvOptions ignoring = ragged;
    ignoring.ignore_parse_errors = true;
    const Type *types[] = { type_scalar(TYPE_BIGINT), type_scalar(TYPE_VARCHAR) };
    spec = spec_of(types, 2, &ignoring);
    assert_decodes(&csv_format, &spec, "1,a\nx,b\n\"2\"y,c\n3,d\n", "1 | 'a'\nNULL | 'b'\n3 | 'd'\n");
    Error *error;
    CsvOptions same = { .delimiter = ';', .quote = ';' };
    error = csv_check_options(&same);
    assert_error(error, "'delimiter' and 'quote' are the same character ';'");
    same = (CsvOptions){ .delimiter = '\n', .quote = '"' };
    assert_error(csv_check_options(&same), "cannot be a line end");
    static const struct { const char *null_text, *part; } nulls[] = { { "n,a", "must not hold the delimiter" }, { "n\na", "must not hold a line end" }, { "\"", "character of 'quote'" }, { "#N/A", "character of 'comment'" } };
    for (size_t i = 0; i < COUNT(nulls); i++) {
        same = (CsvOptions){ .delimiter = ',', .quote = '"', .comment = '#', .null_text = nulls[i].null_text };
        assert_error(csv_check_options(&same), nulls[i].part);
    }
}

static void headers_place_the_columns(void **state)
{
    (void)state;
    CsvOptions options = { .delimiter = ',', .quote = '"', .header = CSV_HEADER_AUTO, .null_text = "" };
    DecodeSpec spec = texts_spec(2, &options);
    assert_decodes(&csv_format, &spec, "b,a\n1,2\n", "'2' | '1'\n");
    assert_decodes(&csv_format, &spec, "\xEF\xBB\xBF\"B\", A \r\n1,2\n", "'2' | '1'\n");
    assert_decodes(&csv_format, &spec, "b,x\n1,2\n", "'b' | 'x'\n'1' | '2'\n"); /* no header: not all are columns */
    assert_decodes(&csv_format, &spec, "a,b", "");
    options.header = CSV_HEADER_TRUE;
    assert_decodes(&csv_format, &spec, "x,y\n1,2\n", "'1' | '2'\n"); /* other names for as many columns */
    assert_decodes(&csv_format, &spec, "z,b,y,a\n1,2,3,4\n", "'4' | '2'\n");
    FormatSplit *split;
    size_t skip;
    assert_error(csv_format.split_open(&arena, &spec, "z,b,y\n", 6, &split, &skip), "no column 'a'");
    options.header = CSV_HEADER_FALSE;
    assert_decodes(&csv_format, &spec, "b,a\n1,2\n", "'b' | 'a'\n'1' | '2'\n");
}

/* ---- types ---- */

static void cells_of_every_type(void **state)
{
    (void)state;
    const struct { const Type *type; const char *cell, *expected; } cases[] = {
        { type_scalar(TYPE_BIGINT), "9223372036854775807", "9223372036854775807" },
        { type_scalar(TYPE_BIGINT), "-9223372036854775808", "-9223372036854775808" },
        { type_scalar(TYPE_BIGINT), "9223372036854775808", "!" },
        { type_scalar(TYPE_BIGINT), "007", "7" },
        { type_scalar(TYPE_BIGINT), "", "NULL" },
        { type_scalar(TYPE_BIGINT), "\"\"", "NULL" },
        { type_scalar(TYPE_BIGINT), "\"12\"", "12" },
        { type_scalar(TYPE_BIGINT), "1.5", "!" },
        { type_scalar(TYPE_BIGINT), "12x", "!" },
        { type_scalar(TYPE_BIGINT), "-", "!" },
        { type_scalar(TYPE_TINYINT), "-128", "-128" },
        { type_scalar(TYPE_TINYINT), "128", "!" },
        { type_scalar(TYPE_BOOLEAN), "TRUE", "TRUE" },
        { type_scalar(TYPE_BOOLEAN), "perhaps", "!" },
        { type_scalar(TYPE_DOUBLE), "-1.25", "-1.25E0" },
        { type_scalar(TYPE_DOUBLE), "-0", "-0.0E0" },
        { type_scalar(TYPE_DOUBLE), "1e300", "1.0E300" },
        { type_scalar(TYPE_DOUBLE), "123456789.12345678", "1.2345678912345678E8" },
        { type_scalar(TYPE_DOUBLE), "12345678901234567.5", "1.2345678901234568E16" },
        { type_scalar(TYPE_DOUBLE), "NaN", "CAST('NaN' AS DOUBLE)" },
        { type_scalar(TYPE_DOUBLE), "1.2.3", "!" },
        { type_decimal(&arena, 5, 2), "-999.99", "-999.99" },
        { type_decimal(&arena, 5, 2), "1.005", "1.01" },
        { type_decimal(&arena, 5, 2), "1000", "!" },
        { type_decimal(&arena, 5, 2), "7", "7.00" },
        { type_decimal(&arena, 38, 3), "12345678901234567890.1", "12345678901234567890.100" },
        { type_scalar(TYPE_VARCHAR), "plain text", "'plain text'" },
        { type_scalar(TYPE_VARCHAR), "\"\"", "''" },
        { type_scalar(TYPE_VARCHAR), "", "NULL" },
        { type_varchar(&arena, 2), "éé", "'éé'" },
        { type_varchar(&arena, 2), "abc", "!" },
        { type_scalar(TYPE_DATE), "2024-02-29", "DATE '2024-02-29'" },
        { type_scalar(TYPE_DATE), "2023-02-29", "!" },
        { type_scalar(TYPE_TIME), "23:59", "TIME '23:59:00'" },
        { type_scalar(TYPE_TIMESTAMP), "2026-01-02 03:04:05", "TIMESTAMP '2026-01-02 03:04:05'" },
        { type_scalar(TYPE_TIMESTAMP), "2026-01-02T03:04:05.123456Z", "TIMESTAMP '2026-01-02 03:04:05.123456'" },
        { type_scalar(TYPE_TIMESTAMP), "2026-01-02 03:04:05.12+01:00", "TIMESTAMP '2026-01-02 02:04:05.120'" },
        { type_scalar(TYPE_TIMESTAMP), "1500", "TIMESTAMP '1970-01-01 00:00:01.500'" },
        { type_scalar(TYPE_TIMESTAMP), "2026-02-30 00:00:00", "!" },
        { type_array(&arena, type_scalar(TYPE_BIGINT)), "\"[1, null, 3]\"", "ARRAY[1, NULL, 3]" },
        { type_array(&arena, type_scalar(TYPE_BIGINT)), "[1]", "ARRAY[1]" },
        { type_array(&arena, type_scalar(TYPE_BIGINT)), "\"[1\"", "!" },
    };
    CsvOptions options = { .delimiter = ';', .quote = '"', .header = CSV_HEADER_FALSE, .null_text = "" };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const Type *types[] = { cases[i].type, type_scalar(TYPE_BIGINT) };
        DecodeSpec spec = spec_of(types, 2, &options);
        Text text = { 0 }, expected = { 0 };
        text_printf(&text, "%s;7\n", cases[i].cell);
        text_printf(&expected, cases[i].expected[0] == '!' ? "%s\n" : "%s | 7\n", cases[i].expected);
        Text rows = decode_text(&csv_format, &spec, text_c(&text), text.length);
        shorten_bad(&rows);
        if (strcmp(rows.bytes, text_c(&expected)) != 0)
            fail_msg("%s as %s: %s", cases[i].cell, type_text(&arena, cases[i].type), rows.bytes);
        text_release(&text), text_release(&expected), text_release(&rows);
    }
    DecodeSpec spec = texts_spec(1, &options);
    assert_decodes(&csv_format, &spec, "fine\nnot \xff fine\nfine\n", "'fine'\n! not UTF-8 at byte 4\n'fine'\n");
    DecodeColumn column = spec.columns[0];
    column.not_null = true;
    spec.columns = &column;
    assert_decodes(&csv_format, &spec, "x\n\"\"\n", "'x'\n''\n");
    column.type = type_scalar(TYPE_INT);
    assert_decodes(&csv_format, &spec, "1\n\"\"\n", "1\n! a: is NULL\n");
    column = (DecodeColumn){ .path = column_names, .path_length = 1, .type = type_scalar(TYPE_TIMESTAMP), .timestamp_format = "dd.MM.yyyy" };
    Text rows = decode_text(&csv_format, &spec, "02.01.2026\n2026-01-02\n", 22);
    assert_int_equal(strncmp(rows.bytes, "TIMESTAMP '2026-01-02 00:00:00'\n! a: ", 37), 0);
    text_release(&rows);
}

/* ---- schemas and writing ---- */

static void schemas_are_guessed(void **state)
{
    (void)state;
    static const struct { const char *sample, *schema; } cases[] = {
        { "id,price,at,name,ok\n1,2,2026-01-01 00:00:00,x,true\n2,2.5,2026-01-02,007,FALSE\n3,,", "id BIGINT, price DOUBLE, at TIMESTAMP(3), name VARCHAR, ok BOOLEAN, " },
        { "1,a\n2,b\n", "c1 BIGINT, c2 VARCHAR, " },
        { "day,\"odd, name\"\n2026-01-01,\"1\"\n", "day DATE, odd, name BIGINT, " },
        { "a,a\n1,2\n", "c1 VARCHAR, c2 VARCHAR, " }, /* no header: one name twice */
        { "x,y\n,\n", "x VARCHAR, y VARCHAR, " },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        Schema *schema;
        Text text = { 0 };
        assert_fine(csv_format.infer(&arena, NULL, cases[i].sample, strlen(cases[i].sample), &schema));
        for (int c = 0; c < schema->column_count; c++)
            text_printf(&text, "%s %s, ", schema->columns[c].name, type_text(&arena, schema->columns[c].type));
        assert_string_equal(text_c(&text), cases[i].schema);
        text_release(&text);
    }
    Schema *schema;
    assert_error(csv_format.infer(&arena, NULL, "", 0, &schema), "no CSV record");
}

static void what_is_written_is_read_again(void **state)
{
    (void)state;
    static const char *const texts[] = { "", "plain", "comma, semicolon; bar|", "quote \" and 'single'", "two\nlines", "\r", "NULL", "#comment", "back\\slash", "tab\there", "é€", "0", "a longer text that is no view inside" };
    for (int round = 0; round < 400; round++) {
        enum { ROWS = 25 };
        static const char delimiters[] = ",;|\t:-0";
        CsvOptions options = { .delimiter = delimiters[random_upto(sizeof delimiters - 2)], .quote = random_upto(1) ? '"' : '\'', .escape = random_upto(2) ? 0 : '\\', .comment = random_upto(2) ? 0 : '#',
                               .header = random_upto(1) ? CSV_HEADER_TRUE : CSV_HEADER_FALSE, .null_text = random_upto(2) ? random_upto(1) ? "" : "NULL" : "0" };
        if (options.delimiter == *options.null_text)
            continue; /* is refused */
        const Type *types[] = { type_scalar(TYPE_VARCHAR), type_scalar(TYPE_BIGINT), random_upto(1) ? type_scalar(TYPE_TIMESTAMP) : type_scalar(TYPE_DOUBLE), random_upto(1) ? type_array(&arena, type_scalar(TYPE_VARCHAR)) : type_decimal(&arena, 30, 2) };
        DecodeSpec spec = spec_of(types, 4, &options);
        Column columns[4];
        for (int c = 0; c < 4; c++)
            columns[c] = (Column){ .name = column_names[c], .type = types[c] };
        Schema schema = { 4, columns };
        Batch *batch = batch_of(&spec, ROWS);
        Text expected = { 0 };
        for (uint32_t row = 0; row < ROWS; row++) {
            Value item = { .type = type_scalar(TYPE_VARCHAR), .text = str_c(texts[random_upto(COUNT(texts) - 1)]) };
            Value values[] = { { .type = types[0], .text = str_c(texts[random_upto(COUNT(texts) - 1)]) }, { .type = types[1], .integer = (int64_t)random_upto(20) - 10 }, { .type = types[2] }, { .type = types[3] } };
            if (types[2]->kind == TYPE_DOUBLE)
                values[2].number = (double)random_between(-100, 100) / 8;
            else
                values[2].integer = random_between(0, 2000000000) * 1000;
            if (types[3]->kind == TYPE_ARRAY) {
                values[3].nested.items = &item;
                values[3].nested.count = (uint32_t)random_upto(1);
            } else {
                values[3].decimal = (Int128)random_between(-1000000, 1000000) * 1000000;
            }
            for (int c = 0; c < 4; c++) {
                values[c].is_null = random_upto(5) == 0;
                vector_set(&batch->arena, batch->columns[c], row, &values[c]);
            }
            put_row(&expected, batch, row);
        }
        batch->row_count = batch->selection.count = ROWS;
        Text csv = encode_text(&csv_format, &schema, &options, batch, false);
        Text back = decode_text(&csv_format, &spec, csv.bytes, csv.length);
        if (strcmp(back.bytes, text_c(&expected)) != 0)
            fail_msg("delimiter '%c' quote '%c' escape '%c' null '%s':\n%s\nis read as\n%s\ninstead of\n%s", options.delimiter, options.quote, options.escape ? options.escape : ' ', options.null_text, csv.bytes, back.bytes, expected.bytes);
        text_release(&csv), text_release(&back), text_release(&expected);
        batch_release(batch);
        arena_reset(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(cells_are_cut_as_the_slow_reader_cuts_them, start, stop),
        cmocka_unit_test_setup_teardown(quotes_may_stand_anywhere_in_a_block, start, stop),
        cmocka_unit_test(kernels_find_the_same_separators),
        cmocka_unit_test(pieces_end_at_records),
        cmocka_unit_test_setup_teardown(options_change_the_dialect, start, stop),
        cmocka_unit_test_setup_teardown(headers_place_the_columns, start, stop),
        cmocka_unit_test_setup_teardown(cells_of_every_type, start, stop),
        cmocka_unit_test_setup_teardown(schemas_are_guessed, start, stop),
        cmocka_unit_test_setup_teardown(what_is_written_is_read_again, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
