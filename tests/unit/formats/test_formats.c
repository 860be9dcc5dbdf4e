/* The registry of formats, raw lines, and what values have in common. */
#include "tests/unit/formats/decode.h"

#include "formats/infer.h"

static void formats_are_found_by_name_and_path(void **state)
{
    (void)state;
    static const struct { const char *path, *format; } paths[] = { { "a.json", "json" }, { "A.JSONL", "json" }, { "dir.csv/b.ndjson.gz", "json" }, { "x.csv.zst", "csv" }, { "x.tsv", "tsv" }, { "x.tab.GZ", "tsv" }, { "notes.txt", "raw" },
        { "app.log.gz", "raw" }, { "x.gz", NULL }, { "json", NULL }, { ".json", "json" }, { "x.json.bak", NULL }, { "", NULL }, { "x.csv.gz.zst", NULL } };
    for (size_t i = 0; i < COUNT(paths); i++) {
        const FormatType *format = format_for_path(paths[i].path);
        if (!paths[i].format ? format != NULL : !format || strcmp(format->name, paths[i].format) != 0)
            fail_msg("%s: %s", paths[i].path, format ? format->name : "none");
    }
    assert_ptr_equal(format_find("JSON"), &json_format);
    assert_ptr_equal(format_find("ndjson"), &json_format);
    assert_ptr_equal(format_find("Delimited"), &delimited_format);
    assert_ptr_equal(format_find("lines"), &raw_format);
    assert_null(format_find("parquet"));
    int count;
    const FormatType *const *all = formats_all(&count);
    assert_ptr_equal(format_find("KAFKA"), &kafka_format);
    assert_ptr_equal(format_find("none"), &none_format);
    assert_int_equal(count, 12);
    for (int i = 0; i < count; i++) { /* each is complete and documented */
        assert_ptr_equal(format_find(all[i]->name), all[i]);
        bool stream = all[i]->cut && all[i]->infer && all[i]->decode && all[i]->encode, messages = all[i]->decode_records && all[i]->check_record && all[i]->encode_record;
        assert_true(all[i]->doc && (stream || messages || (all[i]->decode_records && all[i]->change)));
        for (const OptionSpec *option = all[i]->options; option->name; option++)
            assert_non_null(option->doc);
    }
}

static void raw_lines_are_values(void **state)
{
    (void)state;
    static const char *const path[] = { "line" };
    DecodeColumn column = { .path = path, .path_length = 1, .type = type_scalar(TYPE_VARCHAR) };
    DecodeSpec spec = { .columns = &column, .column_count = 1, .declared_count = 1, .declared_names = path };
    assert_decodes(&raw_format, &spec, "first\r\n\n  blanks stay \nnot \xff utf-8\nthe last, without a line end", "'first'\n''\n'  blanks stay '\n! the line is not UTF-8\n'the last, without a line end'\n");
    column.type = type_scalar(TYPE_BYTES);
    assert_decodes(&raw_format, &spec, "\xff\n", "X'ff'\n");
    DecodeSpec none = spec;
    none.column_count = 0;
    assert_decodes(&raw_format, &none, "a\nb\n", "\n\n");
    column.type = type_scalar(TYPE_BIGINT);
    Decoder decoder = { .type = &raw_format, .spec = &spec };
    assert_error(raw_format.decoder_open(&decoder), "VARCHAR or BYTES");
    column.type = type_scalar(TYPE_VARCHAR);
    spec.declared_count = 2;
    assert_error(raw_format.decoder_open(&decoder), "one column, not 2");
    assert_int_equal(raw_format.cut(NULL, "ab\ncd", 5, false), 3);
    assert_int_equal(raw_format.cut(NULL, "abcd", 4, false), 0);
    assert_int_equal(raw_format.cut(NULL, "ab\ncd", 5, true), 5);

    Column written = { .name = "line", .type = type_scalar(TYPE_VARCHAR) };
    Schema schema = { 1, &written };
    spec.declared_count = 1;
    Batch *batch = batch_of(&spec, 3);
    ((Str *)batch->columns[0]->values)[0] = str_c("one");
    vector_set_null(&batch->arena, batch->columns[0], 1);
    ((Str *)batch->columns[0]->values)[2] = str_c("a line of more than twelve bytes");
    batch->row_count = batch->selection.count = 3;
    Text out = encode_text(&raw_format, &schema, NULL, batch, false);
    assert_string_equal(out.bytes, "one\n\na line of more than twelve bytes\n");
    text_release(&out);
    batch_release(batch);
    written.type = type_scalar(TYPE_BIGINT);
    Encoder encoder = { .type = &raw_format, .schema = &schema };
    assert_error(raw_format.encoder_open(&encoder), "VARCHAR or BYTES");
}

static void kinds_are_guessed(void **state)
{
    (void)state;
    static const struct { const char *cell; InferKind kind; } cells[] = { { "", INFER_NOTHING }, { "0", INFER_BIGINT }, { "-12", INFER_BIGINT }, { "007", INFER_VARCHAR }, { "+5", INFER_VARCHAR }, { "1.0", INFER_DOUBLE }, { "1e5", INFER_DOUBLE },
        { "9223372036854775807", INFER_BIGINT }, { "9223372036854775808", INFER_DOUBLE }, { "true", INFER_BOOLEAN }, { "FALSE", INFER_BOOLEAN }, { "yes", INFER_VARCHAR }, { "2026-01-02", INFER_DATE }, { "2026-02-30", INFER_VARCHAR },
        { "2026-01-02 03:04:05.678", INFER_TIMESTAMP }, { "2026-01-02T03:04:05Z", INFER_TIMESTAMP }, { "12:00:00", INFER_VARCHAR }, { "null", INFER_VARCHAR }, { "NaN", INFER_VARCHAR }, { " 1", INFER_VARCHAR } };
    for (size_t i = 0; i < COUNT(cells); i++)
        if (infer_cell(cells[i].cell, strlen(cells[i].cell)) != cells[i].kind)
            fail_msg("'%s' is kind %d", cells[i].cell, infer_cell(cells[i].cell, strlen(cells[i].cell)));
    for (int a = INFER_NOTHING; a <= INFER_STRUCT; a++) {
        assert_int_equal(infer_widen((InferKind)a, (InferKind)a), a);
        assert_int_equal(infer_widen(INFER_NOTHING, (InferKind)a), a);
        for (int b = INFER_NOTHING; b <= INFER_STRUCT; b++) {
            InferKind both = infer_widen((InferKind)a, (InferKind)b);
            assert_int_equal(both, infer_widen((InferKind)b, (InferKind)a));
            for (int c = INFER_NOTHING; c <= INFER_STRUCT; c++) /* whatever the order of the rows */
                assert_int_equal(infer_widen(both, (InferKind)c), infer_widen((InferKind)a, infer_widen((InferKind)b, (InferKind)c)));
        }
    }
    assert_int_equal(infer_widen(INFER_BIGINT, INFER_DOUBLE), INFER_DOUBLE);
    assert_int_equal(infer_widen(INFER_DATE, INFER_TIMESTAMP), INFER_TIMESTAMP);
    assert_int_equal(infer_widen(INFER_BIGINT, INFER_BOOLEAN), INFER_VARCHAR);
    assert_int_equal(infer_type(INFER_NOTHING)->kind, TYPE_VARCHAR);
    assert_int_equal(infer_type(INFER_DATE)->kind, TYPE_DATE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_are_found_by_name_and_path),
        cmocka_unit_test(raw_lines_are_values),
        cmocka_unit_test(kinds_are_guessed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
