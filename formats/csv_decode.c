/* formats/csv_decode.c: CSV records become rows.
 *
 * Records are cut by the index of separators where that is possible, else one by one; both lead to decode_row. */
#include "common/decimal.h"
#include "formats/csv_internal.h"
#include "formats/formats_internal.h"
#include "formats/json_internal.h"
#include "formats/scan_text.h"

#define WINDOW_BYTES 16384 /* indexed at once: the index stays in the first cache */

/* How a cell is read first; what does not fit goes to cell_value. */
typedef enum CellKind { CELL_INTEGER, CELL_DECIMAL, CELL_DOUBLE, CELL_TEXT, CELL_TIMESTAMP, CELL_OTHER } CellKind;

typedef struct CsvColumn {
    const Type *type;
    const char *name;
    const TimestampPattern *pattern;
    const TimeZone *zone;       /* of instants in text without one; NULL: UTC, or the column has none */
    const char *const *path;    /* below the cell: fields of its JSON text */
    int path_length;
    int declared;               /* field_index */
    int place;                  /* its cell; -1: not in the file */
    CellKind kind;
    int64_t minimum, maximum, power; /* power: CELL_DECIMAL: 10^scale */
    bool not_null, nested;
} CsvColumn;

typedef struct CsvDecoder {
    Arena arena, scratch;
    CsvOptions options;
    CsvDialect dialect;
    size_t null_length;
    CsvColumn *columns;
    CsvIndex index;
    CsvRecord record;           /* of the careful reader */
    MinuteCache minutes;
    JsonGeneral *general;       /* nested values */
} CsvDecoder;

typedef struct CsvRun {
    CsvDecoder *decoder;
    const DecodeSpec *spec;
    DecodeInput *input;
    Batch *batch;
    Arena *arena;               /* lives as long as the vectors */
    Vector *const *vectors;
    uint32_t row, max_rows;
    int width;
    LineCounter lines;
} CsvRun;

/* ---- opening ---- */

static CellKind kind_of(const CsvColumn *column)
{
    if (column->path_length)
        return CELL_OTHER;
    switch (column->type->kind) {
    case TYPE_TINYINT: case TYPE_SMALLINT: case TYPE_INT: case TYPE_BIGINT: return CELL_INTEGER;
    case TYPE_DECIMAL: return type_physical(column->type) == PHYSICAL_INT64 ? CELL_DECIMAL : CELL_OTHER;
    case TYPE_DOUBLE: return CELL_DOUBLE;
    case TYPE_VARCHAR: return column->type->length ? CELL_OTHER : CELL_TEXT;
    case TYPE_TIMESTAMP: case TYPE_TIMESTAMP_TZ: return !column->zone && (!column->pattern || timestamp_pattern_kind(column->pattern) == PATTERN_ISO) ? CELL_TIMESTAMP : CELL_OTHER;
    default: return CELL_OTHER;
    }
}

Error *csv_decoder_open(Decoder *decoder)
{
    const DecodeSpec *spec = decoder->spec;
    if (spec->options)
        TRY(csv_check_options(spec->options));
    CsvDecoder *state = mem_calloc(1, sizeof *state);
    arena_init(&state->arena, NULL);
    arena_init(&state->scratch, NULL);
    decoder->state = state;
    state->options = (CsvOptions){ .delimiter = ',', .quote = '"', .null_text = "" };
    if (spec->options)
        state->options = *(const CsvOptions *)spec->options;
    state->dialect = csv_dialect(&state->options);
    if (!state->options.null_text)
        state->options.null_text = "";
    state->null_length = strlen(state->options.null_text);
    state->columns = ARENA_ARRAY(&state->arena, CsvColumn, (size_t)spec->column_count + 1);
    for (int c = 0; c < spec->column_count; c++) {
        const DecodeColumn *from = &spec->columns[c];
        CsvColumn *column = &state->columns[c];
        *column = (CsvColumn){ .type = from->type, .name = path_text(&state->arena, from->path, from->path_length), .declared = from->field_index,
                               .path = from->path + 1, .path_length = from->path_length - 1, .not_null = from->not_null, .nested = type_is_nested(from->type),
                               .zone = type_holds_instants(from->type) ? spec->zone : NULL };
        if (column->path_length < 0)
            column->path_length = 0;
        json_integer_range(from->type, &column->minimum, &column->maximum);
        if (from->type->kind == TYPE_DECIMAL)
            column->power = from->type->scale <= 18 ? (int64_t)decimal_power(from->type->scale) : 0;
        if (from->timestamp_format)
            TRY(timestamp_pattern_new(&state->arena, from->timestamp_format, &column->pattern));
        column->kind = kind_of(column);
    }
    return NULL;
}

void csv_decoder_close(Decoder *decoder)
{
    CsvDecoder *state = decoder->state;
    if (!state)
        return;
    json_general_free(state->general);
    csv_index_release(&state->index);
    mem_free(state->record.cells);
    arena_release(&state->scratch);
    arena_release(&state->arena);
    mem_free(state);
    decoder->state = NULL;
}

/* ---- one cell, with care ---- */

static const char *does_not_fit(CsvRun *run, const CsvColumn *column, const char *bytes, size_t length)
{
    Arena *arena = run->arena;
    int shown = length > 60 ? 60 : (int)length;
    while (shown && shown < (int)length && ((unsigned char)bytes[shown] & 0xC0) == 0x80)
        shown--;
    return arena_printf(arena, "expected %s, found '%.*s'%s", type_text(arena, column->type), shown, bytes, shown < (int)length ? ".." : "");
}

/* The value at a path within a nested cell; missing where there is none. */
static JsonToken follow_path(JsonToken token, const char *const *path, int length)
{
    for (int i = 0; i < length; i++) {
        JsonToken key, value, found = { NULL, 0, JSON_MISSING };
        bool exact = false;
        for (const char *p = NULL; token.kind == JSON_OBJECT && json_next_member(&token, &p, &key, &value);) {
            if (json_key_equal(&key, path[i], strlen(path[i]), false))
                exact = true;
            else if (exact || !json_key_equal(&key, path[i], strlen(path[i]), true))
                continue;
            found = value;
        }
        token = found;
    }
    return token;
}

/* A cell with JSON text; an empty *value is NULL. */
static const char *json_cell(CsvRun *run, const CsvColumn *column, const char *bytes, size_t length, Value *value)
{
    CsvDecoder *state = run->decoder;
    const char *bad, *end = bytes + length;
    bytes = json_space(bytes, end);
    const char *after = json_skip_value(bytes, end, JSON_DEPTH_LIMIT, &bad);
    if (!after || json_space(after, end) != end)
        return arena_printf(run->arena, "expected JSON text for %s, wrong at byte %zu", type_text(run->arena, column->type), (size_t)((after ? after : bad) - bytes));
    const char *p = bytes;
    JsonToken token = follow_path(json_read(&p, end), column->path, column->path_length);
    JsonConversion conversion = { run->arena, &state->scratch, column->pattern, column->zone, false };
    *value = value_null(column->type);
    return token.kind == JSON_NULL || token.kind == JSON_MISSING ? NULL : json_to_value(&conversion, column->type, &token, value);
}

static bool timestamp_cell(const CsvColumn *column, const char *bytes, size_t length, int64_t *timestamp_us)
{
    if (column->pattern)
        return timestamp_pattern_parse_in(column->pattern, column->zone, bytes, length, timestamp_us);
    int64_t millis;
    if (int64_parse(bytes, length, &millis))
        return !__builtin_mul_overflow(millis, US_PER_MS, timestamp_us);
    return timezone_parse(column->zone, bytes, length, timestamp_us);
}

static bool boolean_cell(const char *bytes, size_t length, int64_t *value)
{
    char word[6] = { 0 };
    if (length == 0 || length >= sizeof word)
        return false;
    memcpy(word, bytes, length);
    *value = name_equal(word, "true") || strcmp(word, "1") == 0;
    return *value || name_equal(word, "false") || strcmp(word, "0") == 0;
}

static bool number_of_days(const CsvRun *run, const char *bytes, size_t length, int64_t *days)
{
    return run->decoder->options.times == TIMES_EPOCH_MS && int64_parse(bytes, length, days) && *days > -(INT64_C(1) << 40) && *days < INT64_C(1) << 40;
}

static bool number_of_millis(const CsvRun *run, const char *bytes, size_t length, int64_t *time_us)
{
    bool fine = run->decoder->options.times == TIMES_EPOCH_MS && int64_parse(bytes, length, time_us) && *time_us >= 0 && *time_us < US_PER_DAY / US_PER_MS;
    *time_us *= fine ? US_PER_MS : 1;
    return fine;
}

/* The content of a cell as a value; NULL or why it is none. */
static const char *cell_value(CsvRun *run, const CsvColumn *column, const char *bytes, size_t length, Value *value)
{
    Arena *arena = run->arena;
    const Type *type = column->type;
    bool fine = false;
    *value = (Value){ .type = type };
    if (column->path_length || column->nested)
        return json_cell(run, column, bytes, length, value);
    switch (type->kind) {
    case TYPE_BOOLEAN: fine = boolean_cell(bytes, length, &value->integer); break;
    case TYPE_TINYINT: case TYPE_SMALLINT: case TYPE_INT: case TYPE_BIGINT:
        fine = json_number_end(bytes, bytes + length) == bytes + length ? json_token_integer(bytes, length, &value->integer) == JSON_INTEGER : int64_parse(bytes, length, &value->integer);
        if (fine && (value->integer < column->minimum || value->integer > column->maximum))
            return arena_printf(arena, "%.*s is out of range for %s", (int)length, bytes, type_text(arena, type));
        break;
    case TYPE_FLOAT: case TYPE_DOUBLE:
        fine = double_parse(bytes, length, &value->number);
        if (type->kind == TYPE_FLOAT)
            value->number = (float)value->number;
        break;
    case TYPE_DECIMAL: {
        Int128 decimal = 0;
        fine = decimal_parse(bytes, length, type->precision, type->scale, &decimal);
        if (type_physical(type) == PHYSICAL_INT64)
            value->integer = (int64_t)decimal;
        else
            value->decimal = decimal;
        break;
    }
    case TYPE_VARCHAR: {
        size_t characters = 0;
        for (size_t i = 0; type->length && i < length; i++)
            characters += ((unsigned char)bytes[i] & 0xC0) != 0x80;
        if (type->length && characters > type->length)
            return arena_printf(arena, "a text of %zu characters is longer than %s", characters, type_text(arena, type));
        value->text = str_view(bytes, length);
        fine = true;
        break;
    }
    case TYPE_BYTES: {
        char *out = arena_alloc(arena, length / 4 * 3 + 4);
        size_t written = base64_decode(bytes, length, out);
        fine = written != SIZE_MAX;
        if (fine)
            value->text = str_view(out, written);
        break;
    }
    case TYPE_DATE: fine = date_parse(bytes, length, &value->integer) || number_of_days(run, bytes, length, &value->integer); break;
    case TYPE_TIME: fine = time_parse(bytes, length, &value->integer) || number_of_millis(run, bytes, length, &value->integer); break;
    case TYPE_TIMESTAMP: case TYPE_TIMESTAMP_TZ: fine = timestamp_cell(column, bytes, length, &value->integer); break;
    case TYPE_NONE: case TYPE_NULL: case TYPE_INTERVAL: case TYPE_ARRAY: case TYPE_MAP: case TYPE_STRUCT: case TYPE_LAMBDA: case TYPE_ANY: break;
    }
    return fine ? NULL : does_not_fit(run, column, bytes, length);
}

static inline bool is_null_text(const CsvDecoder *state, const char *bytes, size_t length)
{
    return length == state->null_length && memcmp(bytes, state->options.null_text, length) == 0;
}

static const char *store_null(CsvRun *run, int c)
{
    if (run->decoder->columns[c].not_null)
        return "is NULL";
    vector_store_null(run->arena, run->vectors[c], run->row);
    return NULL;
}

static const char *store_cell_with_care(CsvRun *run, int c, const CsvCell *cell)
{
    CsvDecoder *state = run->decoder;
    const CsvColumn *column = &state->columns[c];
    const char *bytes = cell->bytes;
    size_t length = cell->length;
    if (!cell->quoted && is_null_text(state, bytes, length))
        return store_null(run, c);
    if (cell->quoted && !csv_cell_content(&state->dialect, run->arena, cell, &bytes, &length))
        return "text after the closing quote";
    if (length == 0 && (column->path_length || (column->type->kind != TYPE_VARCHAR && column->type->kind != TYPE_BYTES)))
        return store_null(run, c);
    Value value;
    const char *reason = cell_value(run, column, bytes, length, &value);
    if (reason)
        return state->options.ignore_parse_errors && !column->not_null ? store_null(run, c) : reason;
    if (value.is_null)
        return store_null(run, c);
    if (column->nested)
        vector_set(run->arena, run->vectors[c], run->row, &value);
    else
        scalar_store(run->vectors[c], run->row, &value);
    return NULL;
}

/* ---- one cell, fast ---- */

static inline bool store_cell_fast(CsvRun *run, const CsvColumn *column, Vector *vector, const char *bytes, uint32_t length)
{
    const char *end = bytes + length;
    int64_t integer = 0;
    unsigned fraction = 0;
    if (is_null_text(run->decoder, bytes, length)) /* it may look like a number: -1, 9999-12-31 */
        return false;
    switch (column->kind) {
    case CELL_INTEGER:
        if (length == 0 || scan_integer(bytes, &integer) != end || integer < column->minimum || integer > column->maximum)
            return false;
        ((int64_t *)vector->values)[run->row] = integer;
        return true;
    case CELL_TEXT:
        scan_str(&((Str *)vector->values)[run->row], bytes, length);
        return true;
    case CELL_TIMESTAMP: {
        if (length < 19)
            return false;
        unsigned used = scan_timestamp(&run->decoder->minutes, bytes, &integer);
        if (used != length && !(used && used + 1 == length && bytes[used] == 'Z'))
            return false;
        ((int64_t *)vector->values)[run->row] = integer;
        return true;
    }
    case CELL_DOUBLE: {
        static const double powers[] = { 1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8 };
        if (length == 0 || scan_decimal(bytes, &integer, &fraction) != end || integer > (1ll << 53) || integer < -(1ll << 53) || (integer == 0 && *bytes == '-'))
            return false;
        ((double *)vector->values)[run->row] = (double)integer / powers[fraction];
        return true;
    }
    case CELL_DECIMAL: {
        static const int64_t powers[] = { 1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000 };
        if (length == 0 || scan_decimal(bytes, &integer, &fraction) != end || fraction > column->type->scale || column->type->scale - fraction > 8)
            return false;
        if (__builtin_mul_overflow(integer, powers[column->type->scale - fraction], &integer) || !decimal_fits(integer, column->type->precision))
            return false;
        ((int64_t *)vector->values)[run->row] = integer;
        return true;
    }
    case CELL_OTHER: return false;
    }
    return false;
}

/* ---- one record ---- */

/* Cells by the index (offsets into base) or by the careful reader. */
typedef struct RowView {
    const char *start, *stop;     /* its text without the line's end */
    const char *base;
    const uint32_t *separators;   /* NULL: cells */
    const CsvCell *cells;
    int count;
    bool ascii;
    const char *broken;           /* why it is bad as a whole */
} RowView;

static inline CsvCell row_cell(const CsvDecoder *state, const RowView *row, int k)
{
    if (!row->separators)
        return row->cells[k];
    const char *start = k == 0 ? row->start : row->base + row->separators[k - 1] + 1;
    const char *stop = k == row->count - 1 ? row->stop : row->base + row->separators[k];
    return (CsvCell){ start, (uint32_t)(stop - start), stop > start && state->dialect.quote && *start == state->dialect.quote };
}

static const char *check_row(CsvRun *run, const RowView *row)
{
    Arena *arena = run->arena;
    size_t length = (size_t)(row->stop - row->start);
    if (row->broken)
        return row->broken;
    if (length > CSV_RECORD_LIMIT)
        return "the record is longer than 64 MB";
    if (run->width > 0 && row->count != run->width && run->decoder->options.ragged == CSV_RAGGED_ERROR)
        return arena_printf(arena, "%d cell%s where %d %s expected", row->count, row->count == 1 ? "" : "s", run->width, run->width == 1 ? "is" : "are");
    if (!row->ascii) {
        size_t valid = utf8_valid_prefix(row->start, length);
        if (valid != length)
            return arena_printf(arena, "not UTF-8 at byte %zu", valid);
    }
    return NULL;
}

static const char *store_cells(CsvRun *run, const RowView *row, const char **column_name)
{
    CsvDecoder *state = run->decoder;
    for (int nested = 0; nested < 2; nested++) {
        bool any_nested = false;
        for (int c = 0; c < run->spec->column_count; c++) {
            const CsvColumn *column = &state->columns[c];
            any_nested |= column->nested;
            if (column->nested != nested)
                continue;
            const char *reason;
            if (column->place >= 0 && column->place < row->count) {
                CsvCell cell = row_cell(state, row, column->place);
                Vector *vector = run->vectors[c];
                if (!cell.quoted && store_cell_fast(run, column, vector, cell.bytes, cell.length)) {
                    if (vector->validity)
                        bit_set(vector->validity, run->row);
                    continue;
                }
                reason = store_cell_with_care(run, c, &cell);
            } else {
                reason = store_null(run, c);
            }
            if (reason) {
                *column_name = column->name;
                return reason;
            }
        }
        if (!any_nested)
            break;
    }
    return NULL;
}

static inline void decode_row(CsvRun *run, const RowView *row)
{
    const char *column = NULL;
    const char *reason = check_row(run, row);
    if (!reason)
        reason = store_cells(run, row, &column);
    if (run->decoder->scratch.blocks)
        arena_reset(&run->decoder->scratch);
    size_t length = (size_t)(row->stop - row->start);
    if (!reason) {
        if (run->spec->want_raw || run->spec->want_positions)
            origins_note(run->spec, run->input, &run->lines, run->batch, run->row, row->start, length);
        run->row++;
        return;
    }
    row_forget_nulls(run->vectors, run->spec->column_count, run->row);
    if (!run->decoder->options.ignore_parse_errors)
        bad_row_add(run->input, &run->lines, run->batch, run->row, row->start, length, column, reason);
}

/* ---- pieces ---- */

/* state->record with all cells of the record at `p`. */
static void read_cells(CsvDecoder *state, const char *p, const char *end)
{
    CsvRecord *record = &state->record;
    csv_read_record(&state->dialect, p, end, record);
    if (record->count <= record->capacity)
        return;
    size_t capacity = (size_t)record->capacity;
    record->cells = mem_grow(record->cells, &capacity, (size_t)record->count, sizeof *record->cells);
    record->capacity = (int)capacity;
    csv_read_record(&state->dialect, p, end, record);
}

/* The record at `p` by the careful reader; the next one's start. */
static const char *decode_one(CsvRun *run, const char *p, const char *end)
{
    CsvDecoder *state = run->decoder;
    CsvRecord *record = &state->record;
    if (state->dialect.comment && *p == state->dialect.comment) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        return newline ? newline + 1 : end;
    }
    read_cells(state, p, end);
    if (record->stop == p)
        return record->next; /* a blank line */
    RowView row = { .start = p, .stop = record->stop, .cells = record->cells, .count = record->count,
                    .broken = record->end == CSV_END_OPEN_QUOTE ? "a quoted cell does not end" : NULL };
    decode_row(run, &row);
    return record->next;
}

/* Records of a window that starts at `p`; where it stopped. `end`: after a line end. */
static const char *decode_window(CsvRun *run, const char *p, const char *end)
{
    CsvDecoder *state = run->decoder;
    CsvIndex *index = &state->index;
    size_t left = (size_t)(end - p), length = left < WINDOW_BYTES ? left : WINDOW_BYTES;
    for (;;) {
        csv_index_reserve(index, length);
        csv_index_build(&state->dialect, p, length, index);
        if (index->row_count || index->odd || length == left || length > CSV_RECORD_LIMIT)
            break;
        length = length * 4 < left ? length * 4 : left;
    }
    if (index->row_count == 0)
        return decode_one(run, p, run->input->bytes + run->input->length);
    RowView row = { .base = p, .start = p, .ascii = index->ascii };
    uint32_t first = 0;
    for (uint32_t r = 0; r < index->row_count && run->row < run->max_rows; r++) {
        uint32_t after = index->row_ends[r];
        row.stop = p + index->separators[after - 1];
        const char *next = row.stop + 1;
        if (row.stop > row.start && row.stop[-1] == '\r')
            row.stop--;
        row.separators = index->separators + first;
        row.count = (int)(after - first);
        if (row.stop > row.start)
            decode_row(run, &row);
        row.start = next;
        first = after;
    }
    return row.start;
}

/* Where each column's cell is: by the header, or by the declared order. */
static void place_columns(CsvRun *run)
{
    const FormatSplit *split = run->input->split;
    run->width = split ? split->width : run->spec->declared_count;
    for (int c = 0; c < run->spec->column_count; c++) {
        CsvColumn *column = &run->decoder->columns[c];
        column->place = split ? split->places[column->declared] : column->declared;
    }
}

Error *csv_decode(Decoder *decoder, DecodeInput *input, uint32_t max_rows, Batch *batch)
{
    CsvDecoder *state = decoder->state;
    CsvRun run = { .decoder = state, .spec = decoder->spec, .input = input, .batch = batch, .arena = &batch->arena, .vectors = batch->columns, .row = batch->row_count, .max_rows = max_rows };
    const char *p = input->bytes + input->at, *end = input->bytes + input->length;
    if (input->buffer)
        batch_hold_buffer(batch, input->buffer);
    line_counter_start(&run.lines, input);
    origins_start(decoder->spec, batch, max_rows);
    place_columns(&run);
    const char *last = csv_dialect_plain(&state->dialect) && !decoder->spec->use_general && p < end ? memrchr(p, '\n', (size_t)(end - p)) : NULL;
    while (p < end && run.row < max_rows)
        p = last && p <= last ? decode_window(&run, p, last + 1) : decode_one(&run, p, end);
    batch->row_count = run.row;
    batch->selection = (Selection){ run.row, NULL };
    input->at = (size_t)(p - input->bytes);
    return NULL;
}

/* ---- messages ---- */

/* What Apache Commons CSV, which ksqlDB reads with, makes of a cell: empty ones are NULL, with or without quotes; blanks may follow a quote. */
static const char *store_message_cell(CsvRun *run, int c, CsvCell cell)
{
    const CsvDialect *dialect = &run->decoder->dialect;
    while (cell.quoted && cell.length > 2 && (cell.bytes[cell.length - 1] == ' ' || cell.bytes[cell.length - 1] == '\t'))
        cell.length--;
    bool empty = cell.length == 0 || (cell.quoted && cell.length == 2 && cell.bytes[1] == dialect->quote);
    return empty ? store_null(run, c) : store_cell_with_care(run, c, &cell);
}

/* The message becomes row run->row; NULL or why not, and by which column. */
static const char *decode_message(CsvRun *run, const char *p, const char *end, const char **column)
{
    CsvDecoder *state = run->decoder;
    const CsvRecord *record = &state->record;
    *column = NULL;
    while (p < end && (*p == '\n' || *p == '\r'))
        p++;
    while (p < end && (end[-1] == '\n' || end[-1] == '\r'))
        end--;
    if (p == end && run->width != 1)
        return "nothing there";
    read_cells(state, p, end);
    RowView row = { .start = p, .stop = record->stop, .cells = record->cells, .count = record->count, .broken = record->end == CSV_END_OPEN_QUOTE ? "a quoted cell does not end" : NULL };
    if (record->next < end)
        return "more than one record";
    const char *reason = check_row(run, &row);
    for (int nested = 0; nested < 2 && !reason; nested++)
        for (int c = 0; c < run->spec->column_count && !reason; c++) {
            int place = state->columns[c].place;
            if (state->columns[c].nested != nested)
                continue;
            reason = place < row.count ? store_message_cell(run, c, row.cells[place]) : store_null(run, c);
            *column = state->columns[c].name;
        }
    return reason;
}

Error *csv_decode_records(Decoder *decoder, const RecordBytes *records, uint32_t count, Arena *arena, Vector *const columns[], RecordFailures *failures)
{
    CsvDecoder *state = decoder->state;
    CsvRun run = { .decoder = state, .spec = decoder->spec, .arena = arena, .vectors = columns, .max_rows = count, .width = decoder->spec->declared_count };
    for (int c = 0; c < run.spec->column_count; c++)
        state->columns[c].place = state->columns[c].declared;
    for (; run.row < count; run.row++) {
        const RecordBytes *record = &records[run.row];
        for (int c = 0; c < run.spec->column_count && !record->bytes; c++)
            vector_store_null(arena, columns[c], run.row);
        if (!record->bytes)
            continue;
        const char *column, *reason = decode_message(&run, record->bytes, record->bytes + record->length, &column);
        if (state->scratch.blocks)
            arena_reset(&state->scratch);
        if (reason)
            record_fail(run.spec, arena, columns, failures, run.row, column, reason);
    }
    return NULL;
}
