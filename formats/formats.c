/* formats/formats.c: the formats by name, and what they share. */
#include "formats/formats.h"
#include "formats/formats_internal.h"

/* ---- helpers ---- */

bool formats_plain_kernels;

uint64_t line_counter_at(LineCounter *counter, const char *place)
{
    if (counter->line == 0)
        return 0;
    while (counter->at < place) {
        const char *newline = memchr(counter->at, '\n', (size_t)(place - counter->at));
        counter->at = newline ? newline + 1 : place;
        counter->line += newline != NULL;
    }
    return counter->line;
}

void origins_start(const DecodeSpec *spec, Batch *batch, uint32_t max_rows)
{
    if (spec->want_raw && !batch->raw)
        batch->raw = ARENA_ARRAY(&batch->arena, Str, (size_t)max_rows + 1);
    if (spec->want_positions && !batch->positions) {
        batch->positions = ARENA_ARRAY(&batch->arena, uint64_t, (size_t)max_rows + 1);
        batch->lines = ARENA_ARRAY(&batch->arena, uint64_t, (size_t)max_rows + 1);
    }
}

void origins_note(const DecodeSpec *spec, const DecodeInput *input, LineCounter *lines, Batch *batch, uint32_t row, const char *record, size_t length)
{
    if (spec->want_raw)
        batch->raw[row] = str_view(record, length);
    if (spec->want_positions) {
        batch->positions[row] = input->position + (uint64_t)(record - input->bytes);
        batch->lines[row] = line_counter_at(lines, record);
    }
}

void bad_row_add(const DecodeInput *input, LineCounter *lines, Batch *batch, uint32_t before_row, const char *record, size_t length, const char *column, const char *reason)
{
    BadRow bad = { .before_row = before_row, .position = input->position + (uint64_t)(record - input->bytes), .line = line_counter_at(lines, record),
                   .raw = str_view(record, length), .reason = reason, .column = column };
    batch_add_bad_row(batch, &bad);
}

void vector_store_null(Arena *arena, Vector *vector, uint32_t row)
{
    if (type_is_nested(vector->type)) {
        Value null = value_null(vector->type);
        vector_set(arena, vector, row, &null);
        return;
    }
    size_t width = type_width(vector->type);
    memset((char *)vector->values + width * row, 0, width);
    vector_set_null(arena, vector, row);
}

void row_forget_nulls(Vector *const vectors[], int count, uint32_t row)
{
    for (int c = 0; c < count; c++)
        if (vectors[c]->validity)
            bit_set(vectors[c]->validity, row);
}

const char *path_text(Arena *arena, const char *const *path, int length)
{
    const char *text = length ? path[0] : "";
    for (int i = 1; i < length; i++)
        text = arena_printf(arena, "%s.%s", text, path[i]);
    return text;
}

/* ---- the registry ---- */

static const FormatType *const formats[] = { &json_format, &csv_format, &delimited_format, &tsv_format, &raw_format, &kafka_format, &none_format, &protobuf_nosr_format, &protobuf_format, &avro_format, &json_sr_format, &debezium_format };
#define FORMAT_COUNT ((int)(sizeof formats / sizeof formats[0]))

const FormatType *format_find(const char *name)
{
    for (int i = 0; i < FORMAT_COUNT; i++) {
        if (name_equal(formats[i]->name, name))
            return formats[i];
        for (const char *const *alias = formats[i]->aliases; alias && *alias; alias++)
            if (option_name_equal(*alias, name))
                return formats[i];
    }
    return NULL;
}

static const struct {
    const char *ending;
    const FormatType *format;
} endings[] = {
    { ".json", &json_format }, { ".jsonl", &json_format }, { ".ndjson", &json_format }, { ".csv", &csv_format }, { ".tsv", &tsv_format },
    { ".tab", &tsv_format },   { ".avro", &avro_format }, { ".txt", &raw_format },    { ".log", &raw_format },
};

static bool ends_with(const char *text, size_t length, const char *ending)
{
    size_t size = strlen(ending);
    char tail[16];
    if (length < size || size >= sizeof tail)
        return false;
    memcpy(tail, text + length - size, size);
    tail[size] = 0;
    return name_equal(tail, ending);
}

const FormatType *format_for_path(const char *path)
{
    static const char *const packed[] = { ".gz", ".zst" };
    size_t length = strlen(path);
    for (size_t i = 0; i < 2; i++)
        if (ends_with(path, length, packed[i])) {
            length -= strlen(packed[i]);
            break;
        }
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
        if (ends_with(path, length, endings[i].ending))
            return endings[i].format;
    return NULL;
}

const FormatType *const *formats_all(int *count)
{
    *count = FORMAT_COUNT;
    return formats;
}
