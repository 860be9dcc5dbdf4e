/* tests/fuzz/rows.c: what a format makes of bytes, as text to compare. */
#include "tests/fuzz/rows.h"

#include <stdlib.h>

#include "formats/formats_internal.h"
#include "tests/fuzz/fuzz.h"

/* ---- values ---- */

static void add_bytes(Text *out, const char *bytes, size_t length)
{
    text_printf(out, "%zu'", length);
    text_add(out, bytes, length);
    text_add_char(out, '\'');
}

void rows_add_value(Text *out, const Value *value)
{
    if (value->is_null) {
        text_add_c(out, "NULL");
        return;
    }
    uint64_t bits;
    switch (type_physical(value->type)) {
    case PHYSICAL_BOOL: case PHYSICAL_INT64: text_printf(out, "%lld", (long long)value->integer); break;
    case PHYSICAL_DOUBLE:
        memcpy(&bits, &value->number, sizeof bits);
        text_printf(out, "%.17g/%016llx", value->number, (unsigned long long)bits);
        break;
    case PHYSICAL_INT128: text_printf(out, "%llx:%016llx", (unsigned long long)(value->decimal >> 64), (unsigned long long)value->decimal); break;
    case PHYSICAL_STR: add_bytes(out, str_bytes(&value->text), value->text.length); break;
    case PHYSICAL_INTERVAL: text_printf(out, "%lld %lld", (long long)value->interval.months, (long long)value->interval.us); break;
    case PHYSICAL_ARRAY: case PHYSICAL_STRUCT:
        text_add_char(out, '[');
        for (uint32_t i = 0; i < value->nested.count; i++) {
            rows_add_value(out, &value->nested.items[i]);
            text_add_char(out, ' ');
        }
        text_add_char(out, ']');
        break;
    }
}

void rows_check_null(const Vector *vector, uint32_t row)
{
    size_t width = type_width(vector->type);
    const char *bytes = width ? (const char *)vector->values + width * row : NULL;
    for (size_t i = 0; i < width; i++)
        if (bytes[i])
            fuzz_fail("row %u of a column is NULL, but its value is not zero", row);
}

/* ---- batches ---- */

static void add_bad_row(Text *out, const BadRow *bad)
{
    text_printf(out, "bad %llu:%llu %s: %s: ", (unsigned long long)bad->position, (unsigned long long)bad->line, bad->column ? bad->column : "-", bad->reason);
    add_bytes(out, str_bytes(&bad->raw), bad->raw.length);
    text_add_char(out, '\n');
}

static void add_batch(RowsText *text, const Batch *batch)
{
    Arena arena;
    arena_init(&arena, NULL);
    uint32_t bad = 0;
    for (uint32_t row = 0; row <= batch->row_count; row++) {
        for (; bad < batch->bad_row_count && batch->bad_rows[bad].before_row == row; bad++)
            add_bad_row(&text->rows, &batch->bad_rows[bad]);
        if (row == batch->row_count)
            break;
        for (int c = 0; c < batch->column_count; c++) {
            Value value = vector_get(&arena, batch->columns[c], row);
            if (value.is_null)
                rows_check_null(batch->columns[c], row);
            rows_add_value(&text->rows, &value);
            text_add_c(&text->rows, " | ");
        }
        text_add_char(&text->rows, '\n');
        if (!batch->raw)
            continue;
        text_printf(&text->origins, "%llu:%llu ", (unsigned long long)batch->positions[row], (unsigned long long)batch->lines[row]);
        add_bytes(&text->origins, str_bytes(&batch->raw[row]), batch->raw[row].length);
        text_add_char(&text->origins, '\n');
    }
    if (bad != batch->bad_row_count)
        fuzz_fail("bad rows are not in order");
    arena_release(&arena);
}

/* ---- pieces ---- */

typedef struct Reader {
    const FormatType *format;
    const RowsWay *way;
    Decoder decoder;
    const FormatSplit *split;
    Schema schema;
    Encoder encoder;     /* type NULL: nothing is written */
    uint64_t position, line;
    RowsText *text;
} Reader;

/* A piece in memory of exactly the size that the contract promises. */
static Buffer *piece_buffer(const Reader *reader, const char *bytes, size_t length)
{
    Buffer *buffer = buffer_new(length);
    memcpy((char *)buffer->bytes, bytes, length);
    if (length && bytes[length - 1] == '\n')
        memset((char *)buffer->bytes + length, reader->way->padding, BUFFER_PADDING);
    return buffer;
}

static void read_piece(Reader *reader, const char *bytes, size_t length)
{
    Buffer *buffer = piece_buffer(reader, bytes, length);
    DecodeInput input = { .bytes = buffer->bytes, .length = length, .position = reader->position, .line = reader->line, .buffer = buffer, .split = reader->split };
    while (input.at < length) {
        size_t before = input.at;
        Batch *batch = batch_for_schema(NULL, &reader->schema, reader->way->max_rows);
        Error *error = reader->format->decode(&reader->decoder, &input, reader->way->max_rows, batch);
        if (error)
            fuzz_fail("decoding fails: %s", error->message);
        if (input.at == before || input.at > length)
            fuzz_fail("decoding does not get on: from %zu to %zu of %zu", before, input.at, length);
        add_batch(reader->text, batch);
        if (reader->encoder.type && (error = reader->format->encode(&reader->encoder, batch, false, &reader->text->encoded)) != NULL)
            fuzz_fail("writing fails: %s", error->message);
        batch_release(batch);
    }
    buffer_release(buffer);
    reader->position += length;
    for (const char *p = bytes; (p = memchr(p, '\n', (size_t)(bytes + length - p))) != NULL; p++)
        reader->line++;
}

/* Bytes come in portions of any length; what is whole goes on. */
static void read_all(Reader *reader, const char *bytes, size_t length)
{
    FuzzRandom random = { reader->way->cut_seed };
    const void *options = reader->decoder.spec->options;
    size_t from = 0, have = 0;
    while (from < length) {
        have = reader->way->cut_seed ? have + 1 + fuzz_random(&random, 100) : length;
        bool final = have >= length;
        have = final ? length : have;
        char *window = malloc(have - from); /* to see reads behind it */
        memcpy(window, bytes + from, have - from);
        size_t whole = reader->format->cut(options, window, have - from, final);
        free(window);
        if (whole > have - from || (final && whole != have - from))
            fuzz_fail("cut gives %zu of %zu bytes", whole, have - from);
        if (whole)
            read_piece(reader, bytes + from, whole);
        from += whole;
    }
}

void rows_decode(const FormatType *format, const DecodeSpec *given, const char *bytes, size_t length, const RowsWay *way, RowsText *text)
{
    DecodeSpec spec = *given;
    spec.use_general = way->general;
    spec.want_raw = spec.want_positions = way->origins;
    formats_plain_kernels = way->plain_kernels;
    Arena arena;
    arena_init(&arena, NULL);
    Reader reader = { .format = format, .way = way, .decoder = { format, &spec, NULL }, .line = 1, .text = text };
    reader.schema = (Schema){ spec.column_count, ARENA_ARRAY(&arena, Column, (size_t)spec.column_count + 1) };
    for (int c = 0; c < spec.column_count; c++)
        reader.schema.columns[c] = (Column){ .name = arena_printf(&arena, "c%d", c), .type = spec.columns[c].type };
    size_t skip = 0;
    FormatSplit *split = NULL;
    Error *error = NULL;
    if (format->split_open && length)
        error = format->split_open(&arena, &spec, bytes, length, &split, &skip);
    if (!error)
        error = format->decoder_open(&reader.decoder);
    if (!error) {
        if (way->origins && format->encoder_open) {
            reader.encoder = (Encoder){ .type = format, .schema = &reader.schema, .options = spec.options };
            if ((error = format->encoder_open(&reader.encoder)) != NULL)
                fuzz_fail("no encoder: %s", error->message);
            if (format->encode_header)
                format->encode_header(&reader.encoder, &text->encoded);
        }
        reader.split = split;
        for (size_t i = 0; i < skip; i++)
            reader.line += bytes[i] == '\n';
        reader.position = skip;
        read_all(&reader, bytes + skip, length - skip);
        if (reader.encoder.type)
            format->encoder_close(&reader.encoder);
    } else {
        text_printf(&text->rows, "error: %s\n", error->message);
        error_free(error);
    }
    format->decoder_close(&reader.decoder);
    arena_release(&arena);
    formats_plain_kernels = false;
}

void rows_release(RowsText *text)
{
    text_release(&text->rows);
    text_release(&text->origins);
    text_release(&text->encoded);
}

/* ---- comparing ---- */

static void compare(const char *what, const char *first_name, Text *first, const char *other_name, Text *other)
{
    if (first->length == other->length && memcmp(text_c(first), text_c(other), first->length) == 0)
        return;
    fuzz_fail("%s differ\n---- %s:\n%s\n---- %s:\n%s", what, first_name, text_c(first), other_name, text_c(other));
}

/* What was written, read and written again. Its columns are c0, c1, .. */
static void write_again(const FormatType *format, const DecodeSpec *given, Text *written, RowsText *again)
{
    static const RowsWay way = { .name = "again", .origins = true, .max_rows = 64 };
    Arena arena;
    arena_init(&arena, NULL);
    DecodeSpec spec = *given;
    DecodeColumn *columns = ARENA_ARRAY(&arena, DecodeColumn, (size_t)spec.column_count + 1);
    const char **names = ARENA_ARRAY(&arena, const char *, (size_t)spec.column_count + 1);
    for (int c = 0; c < spec.column_count; c++) {
        names[c] = arena_printf(&arena, "c%d", c);
        columns[c] = (DecodeColumn){ .path = &names[c], .path_length = 1, .field_index = c, .type = spec.columns[c].type, .not_null = spec.columns[c].not_null };
    }
    spec.columns = columns;
    spec.declared_names = names;
    spec.declared_count = spec.column_count;
    rows_decode(format, &spec, text_c(written), written->length, &way, again);
    arena_release(&arena);
}

void rows_check(const FormatType *format, const DecodeSpec *spec, const char *bytes, size_t length, const RowsWay ways[], int way_count, bool lossless)
{
    RowsText first = { 0 };
    rows_decode(format, spec, bytes, length, &ways[0], &first);
    for (int i = 1; i < way_count; i++) {
        RowsText other = { 0 };
        rows_decode(format, spec, bytes, length, &ways[i], &other);
        compare("rows", ways[0].name, &first.rows, ways[i].name, &other.rows);
        if (ways[i].origins)
            compare("places", ways[0].name, &first.origins, ways[i].name, &other.origins);
        rows_release(&other);
    }
    if (lossless && format->encode && spec->column_count && first.encoded.length) {
        RowsText again = { 0 };
        write_again(format, spec, &first.encoded, &again);
        compare("written rows", "once", &first.encoded, "read and written again", &again.encoded);
        rows_release(&again);
    }
    rows_release(&first);
}
