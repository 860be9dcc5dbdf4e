/* tests/unit/formats/decode.h: bytes -> rows as text, in every way in which a format can be asked for them; all ways must agree. */
#pragma once
#include "tests/unit/common/unit.h"

#include "formats/formats_internal.h"

typedef struct Way {
    bool general, plain_kernels, origins;
    uint32_t max_rows;
    size_t piece; /* bytes that are looked at at once; 0: all */
} Way;

static const Way ways[] = {
    { .max_rows = 2048 },
    { .max_rows = 2048, .general = true },
    { .max_rows = 2048, .plain_kernels = true },
    { .max_rows = 1 },
    { .max_rows = 3, .piece = 7, .origins = true },
    { .max_rows = 2048, .piece = 1 },
    { .max_rows = 100, .piece = 64, .plain_kernels = true, .origins = true },
};

static inline void put_row(Text *out, const Batch *batch, uint32_t row)
{
    Arena arena;
    arena_init(&arena, NULL);
    for (int c = 0; c < batch->column_count; c++) {
        Value value = vector_get(&arena, batch->columns[c], row);
        text_add_c(out, c ? " | " : "");
        value_print(&value, out);
    }
    text_add_char(out, '\n');
    arena_release(&arena);
}

static inline void put_bad(Text *out, const BadRow *bad)
{
    text_printf(out, "! %s%s%s\n", bad->column ? bad->column : "", bad->column ? ": " : "", bad->reason);
}

/* `whole`: the split's bytes, for checking where rows say that they come from. */
static inline void put_batch(Text *out, const Batch *batch, const char *whole, size_t length, bool origins)
{
    uint32_t bad = 0;
    for (uint32_t row = 0; row <= batch->row_count; row++) {
        for (; bad < batch->bad_row_count && batch->bad_rows[bad].before_row == row; bad++) {
            const BadRow *one = &batch->bad_rows[bad];
            assert_true(one->position + one->raw.length <= length);
            assert_memory_equal(whole + one->position, str_bytes(&one->raw), one->raw.length);
            put_bad(out, one);
        }
        if (row == batch->row_count)
            break;
        put_row(out, batch, row);
        if (!origins)
            continue;
        assert_true(batch->positions[row] + batch->raw[row].length <= length);
        assert_memory_equal(whole + batch->positions[row], str_bytes(&batch->raw[row]), batch->raw[row].length);
        uint64_t line = 1;
        for (uint64_t i = 0; i < batch->positions[row]; i++)
            line += whole[i] == '\n';
        assert_int_equal(batch->lines[row], line);
    }
    assert_int_equal(bad, batch->bad_row_count);
}

static inline Batch *batch_of(const DecodeSpec *spec, uint32_t rows)
{
    Batch *batch = batch_new(NULL, spec->column_count);
    for (int c = 0; c < spec->column_count; c++)
        batch->columns[c] = vector_new(&batch->arena, spec->columns[c].type, rows);
    return batch;
}

/* Rows and bad rows, a line each, in the order of the input. */
static inline void decode_way(const FormatType *format, const DecodeSpec *given, const char *bytes, size_t length, const Way *way, Text *out)
{
    Arena arena;
    DecodeSpec spec = *given;
    FormatSplit *split = NULL;
    size_t at = 0;
    arena_init(&arena, NULL);
    spec.use_general = way->general;
    spec.want_raw = spec.want_positions = way->origins;
    formats_plain_kernels = way->plain_kernels;
    Decoder decoder = { .type = format, .spec = &spec };
    assert_fine(format->decoder_open(&decoder));
    if (format->split_open)
        assert_fine(format->split_open(&arena, &spec, bytes, length, &split, &at));
    uint64_t line = 1;
    for (size_t i = 0; i < at; i++)
        line += bytes[i] == '\n';
    while (at < length) {
        size_t want = way->piece ? way->piece : length - at, piece = 0;
        for (; piece == 0; want *= 2) { /* more, until a record ends */
            size_t seen = want < length - at ? want : length - at;
            piece = format->cut(spec.options, bytes + at, seen, seen == length - at);
            assert_in_range(piece, 0, seen);
        }
        Buffer *buffer = buffer_new(piece);
        memcpy((char *)(uintptr_t)buffer->bytes, bytes + at, piece);
        if (buffer->bytes[piece - 1] == '\n') /* then nothing is promised of what follows */
            memset((char *)(uintptr_t)buffer->bytes + piece, '"', BUFFER_PADDING);
        DecodeInput input = { .bytes = buffer->bytes, .length = piece, .position = at, .line = line, .buffer = buffer, .split = split };
        while (input.at < input.length) {
            Batch *batch = batch_of(&spec, way->max_rows);
            assert_fine(format->decode(&decoder, &input, way->max_rows, batch));
            assert_in_range(batch->row_count, 0, way->max_rows);
            put_batch(out, batch, bytes, length, way->origins);
            batch_release(batch);
        }
        assert_int_equal(buffer->references, 1); /* batches let go */
        buffer_release(buffer);
        for (size_t i = 0; i < piece; i++)
            line += bytes[at + i] == '\n';
        at += piece;
    }
    format->decoder_close(&decoder);
    formats_plain_kernels = false;
    arena_release(&arena);
}

/* The rows, after all ways have agreed on them. The caller releases the text. */
static inline Text decode_text(const FormatType *format, const DecodeSpec *spec, const char *bytes, size_t length)
{
    Text first = { 0 };
    for (size_t w = 0; w < COUNT(ways); w++) {
        Text text = { 0 };
        decode_way(format, spec, bytes, length, &ways[w], &text);
        if (w == 0) {
            first = text;
            continue;
        }
        if (strcmp(text_c(&text), text_c(&first)) != 0)
            fail_msg("way %zu of reading\n%.*s\ngives\n%s\ninstead of\n%s", w, (int)(length < 2000 ? length : 2000), bytes, text_c(&text), text_c(&first));
        text_release(&text);
    }
    text_c(&first);
    return first;
}

static inline void assert_decodes(const FormatType *format, const DecodeSpec *spec, const char *bytes, const char *expected)
{
    Text text = decode_text(format, spec, bytes, strlen(bytes));
    if (strcmp(text.bytes, expected) != 0)
        fail_msg("%s\ngives\n%s\ninstead of\n%s", bytes, text.bytes, expected);
    text_release(&text);
}

/* What the format writes of rows. */
static inline Text encode_text(const FormatType *format, const Schema *schema, const void *options, const Batch *batch, bool with_kinds)
{
    Text out = { 0 };
    Encoder encoder = { .type = format, .schema = schema, .options = options };
    assert_fine(format->encoder_open(&encoder));
    if (format->encode_header)
        format->encode_header(&encoder, &out);
    assert_fine(format->encode(&encoder, batch, with_kinds, &out));
    format->encoder_close(&encoder);
    text_c(&out);
    return out;
}
