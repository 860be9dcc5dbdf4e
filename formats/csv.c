/* formats/csv.c: comma separated values (RFC 4180), and tabs.
 *
 * A quote means something only where a cell starts; a quoted cell may hold delimiters, line ends and doubled quotes. An unquoted
 * cell that equals null_text is NULL, and so is an empty cell of any type but VARCHAR. Blank lines are passed over. */
#include "common/value_text.h"
#include "formats/csv_internal.h"
#include "formats/formats_internal.h"
#include "formats/infer.h"

/* ---- options ---- */

static const char *const header_choices[] = { "auto", "true", "false", NULL };
static const char *const ragged_choices[] = { "error", "allow", NULL };
static const char *const delimiter_aliases[] = { "value_delimiter", "csv.field_delimiter", "csv.delimiter", NULL };
static const char *const quote_aliases[] = { "csv.quote_character", "csv.quote", NULL };
static const char *const disable_aliases[] = { "csv.disable_quote_character", NULL };
static const char *const escape_aliases[] = { "csv.escape_character", "csv.escape", NULL };
static const char *const comment_aliases[] = { "csv.comment", NULL };
static const char *const header_aliases[] = { "csv.header", NULL };
static const char *const null_aliases[] = { "csv.null_literal", "csv.null_text", NULL };
static const char *const ragged_aliases[] = { "csv.ragged_rows", NULL };
static const char *const ignore_aliases[] = { "csv.ignore_parse_errors", NULL };
static const char *const time_aliases[] = { "csv.timestamps", NULL };
static const char *const wrap_choices[] = { "auto", "true", "false", NULL };

#define CSV_OPTIONS(delimiter_text)                                                                                                                       \
    { .name = "delimiter", .kind = OPTION_CHAR, .offset = offsetof(CsvOptions, delimiter), .default_text = delimiter_text, .aliases = delimiter_aliases,    \
      .doc = "What stands between cells." },                                                                                                              \
    { .name = "quote", .kind = OPTION_CHAR, .offset = offsetof(CsvOptions, quote), .default_text = "\"", .aliases = quote_aliases,                          \
      .doc = "What encloses cells that hold delimiters or line ends; doubled it stands for itself." },                                                    \
    { .name = "disable_quotes", .kind = OPTION_BOOL, .offset = offsetof(CsvOptions, disable_quotes), .default_text = "false", .aliases = disable_aliases,   \
      .doc = "Quotes are text like any other." },                                                                                                         \
    { .name = "escape", .kind = OPTION_CHAR, .offset = offsetof(CsvOptions, escape), .aliases = escape_aliases,                                             \
      .doc = "Within quotes, makes the next character stand for itself." },                                                                               \
    { .name = "comment", .kind = OPTION_CHAR, .offset = offsetof(CsvOptions, comment), .aliases = comment_aliases,                                          \
      .doc = "Lines that start with it are passed over." },                                                                                               \
    { .name = "header", .kind = OPTION_ENUM, .offset = offsetof(CsvOptions, header), .default_text = "auto", .choices = header_choices,                     \
      .aliases = header_aliases, .doc = "Whether the first line names the columns; auto: when all its cells are names of columns." },                     \
    { .name = "null_text", .kind = OPTION_STRING, .offset = offsetof(CsvOptions, null_text), .default_text = "", .aliases = null_aliases,                   \
      .doc = "The unquoted text that stands for NULL." },                                                                                                 \
    { .name = "ragged_rows", .kind = OPTION_ENUM, .offset = offsetof(CsvOptions, ragged), .default_text = "error", .choices = ragged_choices,               \
      .aliases = ragged_aliases, .doc = "Records with too few or too many cells: bad, or missing cells NULL and further cells passed over." },            \
    { .name = "ignore_parse_errors", .kind = OPTION_BOOL, .offset = offsetof(CsvOptions, ignore_parse_errors), .default_text = "false",                     \
      .aliases = ignore_aliases, .doc = "A cell that does not fit its column becomes NULL, and a broken record is passed over." },                        \
    { .name = "timestamps", .kind = OPTION_ENUM, .offset = offsetof(CsvOptions, times), .default_text = "sql", .choices = time_style_choices,               \
      .aliases = time_aliases,                                                                                                                             \
      .doc = "How TIMESTAMP, DATE and TIME are written: as SQL text; as numbers: milliseconds since 1970, days since 1970, milliseconds of the day; "       \
             "or 2026-01-01T00:00:00.000Z. With epoch_ms numbers are read as such, too." },                                                                 \
    { .name = "wrap_single_value", .kind = OPTION_ENUM, .offset = offsetof(CsvOptions, wrap), .default_text = "auto", .choices = wrap_choices,              \
      .doc = "For messages; only false is possible: cells have nothing around them." },                                                                    \
    { .name = NULL }

static const OptionSpec csv_options[] = { CSV_OPTIONS(",") };
static const OptionSpec tsv_options[] = { CSV_OPTIONS("tab") };

CsvDialect csv_dialect(const CsvOptions *options)
{
    CsvDialect dialect = { options->delimiter ? options->delimiter : ',', options->disable_quotes ? 0 : options->quote, options->escape, options->comment };
    if (dialect.escape == dialect.quote || !dialect.quote)
        dialect.escape = 0; /* doubling is always understood */
    return dialect;
}

Error *csv_check_options(const CsvOptions *options)
{
    CsvDialect dialect = csv_dialect(options);
    const struct { const char *name; char character; } marks[] = {
        { "delimiter", dialect.delimiter }, { "quote", dialect.quote }, { "escape", dialect.escape }, { "comment", dialect.comment } };
    for (int i = 0; i < 4; i++) {
        if (marks[i].character == '\n' || marks[i].character == '\r')
            return error_new(ERR_BIND, "'%s' cannot be a line end", marks[i].name);
        for (int k = 0; k < i; k++)
            if (marks[i].character && marks[i].character == marks[k].character)
                return error_new(ERR_BIND, "'%s' and '%s' are the same character '%c'", marks[k].name, marks[i].name, marks[i].character);
    }
    const char *null_text = options->null_text ? options->null_text : "";
    if (*null_text && (*null_text == dialect.quote || *null_text == dialect.comment))
        return error_new(ERR_BIND, "'null_text' must not start with the character of '%s'", *null_text == dialect.quote ? "quote" : "comment");
    for (const char *p = null_text; *p; p++)
        if (*p == dialect.delimiter || *p == '\n' || *p == '\r')
            return error_new(ERR_BIND, "'null_text' must not hold %s", *p == dialect.delimiter ? "the delimiter" : "a line end");
    return NULL;
}

static CsvDialect dialect_of(const void *options)
{
    static const CsvOptions defaults = { .delimiter = ',', .quote = '"' };
    return csv_dialect(options ? options : &defaults);
}

/* ---- pieces ---- */

static size_t csv_cut(const void *options, const char *bytes, size_t length, bool final)
{
    if (final || length == 0)
        return length;
    CsvDialect dialect = dialect_of(options);
    size_t whole = csv_last_record_end(&dialect, bytes, length);
    if (whole == 0 && length > CSV_RECORD_LIMIT) /* a quote that never ends must not hold back the rest of the input */
        whole = lines_cut(options, bytes, length, false);
    return whole;
}

/* ---- the header ---- */

static const char *after_mark(const char *bytes, size_t length)
{
    return length >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0 ? bytes + 3 : bytes;
}

/* The first record's cells as names, without blanks around; NULL where a cell is broken. Comments before it are passed over. */
static const char **read_names(Arena *arena, const CsvDialect *dialect, const char *p, const char *end, int *count, const char **next)
{
    CsvRecord record = { .cells = NULL };
    while (p < end && (*p == '\n' || *p == '\r' || (dialect->comment && *p == dialect->comment))) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        p = newline ? newline + 1 : end;
    }
    csv_read_record(dialect, p, end, &record);
    record.capacity = record.count;
    record.cells = ARENA_ARRAY(arena, CsvCell, (size_t)record.count);
    csv_read_record(dialect, p, end, &record);
    const char **names = ARENA_ARRAY(arena, const char *, (size_t)record.count);
    for (int i = 0; i < record.count; i++) {
        const char *bytes = record.cells[i].bytes;
        size_t length = record.cells[i].length;
        if (record.cells[i].quoted && !csv_cell_content(dialect, arena, &record.cells[i], &bytes, &length))
            length = 0;
        while (length && (*bytes == ' ' || *bytes == '\t')) {
            bytes++;
            length--;
        }
        while (length && (bytes[length - 1] == ' ' || bytes[length - 1] == '\t'))
            length--;
        names[i] = arena_strndup(arena, bytes, length);
    }
    *count = record.count;
    *next = record.next;
    return names;
}

static int find_name(const char *const names[], int count, const char *name)
{
    int found = -1;
    for (int i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    for (int i = 0; i < count; i++)
        if (name_equal(names[i], name)) {
            if (found >= 0)
                return -1;
            found = i;
        }
    return found;
}

static bool all_are_columns(const DecodeSpec *spec, const char *const cells[], int count)
{
    for (int i = 0; i < count; i++)
        if (find_name(spec->declared_names, spec->declared_count, cells[i]) < 0)
            return false;
    return count > 0 && spec->declared_count > 0;
}

static Error *csv_split_open(Arena *arena, const DecodeSpec *spec, const char *bytes, size_t length, FormatSplit **split, size_t *skip)
{
    const CsvOptions *options = spec->options;
    if (options)
        TRY(csv_check_options(options));
    CsvDialect dialect = dialect_of(options);
    const char *start = after_mark(bytes, length), *end = bytes + length, *next;
    int header = options ? options->header : CSV_HEADER_AUTO, count;
    *split = NULL;
    *skip = (size_t)(start - bytes);
    if (header == CSV_HEADER_FALSE || start == end)
        return NULL;
    const char *const *cells = read_names(arena, &dialect, start, end, &count, &next);
    if (header == CSV_HEADER_AUTO && !all_are_columns(spec, cells, count))
        return NULL;
    FormatSplit *made = ARENA_NEW(arena, FormatSplit);
    made->width = count;
    made->places = ARENA_ARRAY(arena, int, (size_t)spec->declared_count + 1);
    int missing = -1;
    for (int i = 0; i < spec->declared_count; i++) {
        made->places[i] = find_name(cells, count, spec->declared_names[i]);
        if (made->places[i] < 0 && missing < 0)
            missing = i;
    }
    if (missing >= 0 && header == CSV_HEADER_TRUE) {
        if (count != spec->declared_count)
            return error_suggest(error_new(ERR_BIND, "the header has no column '%s'", spec->declared_names[missing]), spec->declared_names[missing], cells, count);
        for (int i = 0; i < spec->declared_count; i++) /* other names for the same columns */
            made->places[i] = i;
    }
    *split = made;
    *skip = (size_t)(next - bytes);
    return NULL;
}

/* ---- the schema ---- */

static bool looks_like_name(const char *text)
{
    if (!*text || (*text >= '0' && *text <= '9'))
        return false;
    return infer_cell(text, strlen(text)) == INFER_VARCHAR;
}

/* Names: each a name, none twice. */
static bool looks_like_header(const char *const cells[], int count)
{
    for (int i = 0; i < count; i++) {
        if (!looks_like_name(cells[i]))
            return false;
        for (int k = 0; k < i; k++)
            if (name_equal(cells[i], cells[k]))
                return false;
    }
    return count > 0;
}

static Error *csv_infer(Arena *arena, const void *options_given, const char *sample, size_t length, Schema **schema)
{
    const CsvOptions *options = options_given;
    CsvDialect dialect = dialect_of(options);
    const char *start = after_mark(sample, length), *end = sample + length, *next;
    const char *null_text = options && options->null_text ? options->null_text : "";
    int header = options ? options->header : CSV_HEADER_AUTO, count;
    if (start == end)
        return error_new(ERR_BIND, "no CSV record to take the columns from");
    const char *const *names = read_names(arena, &dialect, start, end, &count, &next);
    bool has_header = header == CSV_HEADER_TRUE || (header == CSV_HEADER_AUTO && looks_like_header(names, count));
    const char *last = memrchr(sample, '\n', length);
    if (last && last + 1 > next)
        end = last + 1; /* the sample may end within a record */
    InferKind *kinds = ARENA_ARRAY(arena, InferKind, (size_t)count + 1);
    CsvRecord record = { .cells = ARENA_ARRAY(arena, CsvCell, (size_t)count + 1), .capacity = count };
    for (const char *p = has_header ? next : start; p < end; p = record.next) {
        if (dialect.comment && *p == dialect.comment) {
            const char *newline = memchr(p, '\n', (size_t)(end - p));
            record.next = newline ? newline + 1 : end;
            continue;
        }
        csv_read_record(&dialect, p, end, &record);
        if (record.end == CSV_END_OPEN_QUOTE)
            break;
        for (int i = 0; i < count && i < record.count; i++) {
            const char *bytes = record.cells[i].bytes;
            size_t size = record.cells[i].length;
            bool quoted = record.cells[i].quoted;
            if (quoted && !csv_cell_content(&dialect, arena, &record.cells[i], &bytes, &size))
                kinds[i] = INFER_VARCHAR;
            else if (quoted || size != strlen(null_text) || memcmp(bytes, null_text, size) != 0)
                kinds[i] = infer_widen(kinds[i], infer_cell(bytes, size));
        }
    }
    *schema = ARENA_NEW(arena, Schema);
    (*schema)->column_count = count;
    (*schema)->columns = ARENA_ARRAY(arena, Column, (size_t)count);
    for (int i = 0; i < count; i++) {
        const char *name = has_header && *names[i] ? names[i] : arena_printf(arena, "c%d", i + 1);
        (*schema)->columns[i] = (Column){ .name = name, .type = infer_type(kinds[i]) };
    }
    return NULL;
}

/* ---- writing ---- */

typedef struct CsvEncoder {
    CsvDialect dialect;
    const char *null_text;
    bool header;
    bool plain_delimiter; /* no number or time contains it */
    TimeStyle times;
} CsvEncoder;

static Error *csv_encoder_open(Encoder *encoder)
{
    const CsvOptions *options = encoder->options;
    if (options)
        TRY(csv_check_options(options));
    CsvEncoder *state = mem_calloc(1, sizeof *state);
    state->dialect = dialect_of(options);
    state->null_text = options && options->null_text ? options->null_text : "";
    state->header = !options || options->header != CSV_HEADER_FALSE;
    state->times = options ? (TimeStyle)options->times : TIMES_SQL;
    state->plain_delimiter = strchr(",;|\t\x01", state->dialect.delimiter) != NULL;
    encoder->state = state;
    return NULL;
}

static void csv_encoder_close(Encoder *encoder)
{
    mem_free(encoder->state);
    encoder->state = NULL;
}

static bool is_null_text(const CsvEncoder *state, const char *cell, size_t length) { return length == strlen(state->null_text) && memcmp(cell, state->null_text, length) == 0; }

static bool needs_quotes(const CsvEncoder *state, const char *cell, size_t length)
{
    const CsvDialect *dialect = &state->dialect;
    bool needed = is_null_text(state, cell, length);
    for (size_t i = 0; i < length; i++)
        needed |= cell[i] == dialect->delimiter || cell[i] == '\n' || cell[i] == '\r' || cell[i] == dialect->quote || (dialect->comment && cell[i] == dialect->comment);
    return needed;
}

/* The cell that was written from `start` on gets quotes. */
static void add_quotes(const CsvEncoder *state, Text *out, size_t start)
{
    const CsvDialect *dialect = &state->dialect;
    size_t extra = 0;
    for (size_t i = start; i < out->length; i++)
        extra += out->bytes[i] == dialect->quote || (dialect->escape && out->bytes[i] == dialect->escape);
    text_reserve(out, extra + 2);
    char *from = out->bytes + out->length, *to = from + extra + 2;
    out->length += extra + 2;
    *--to = dialect->quote;
    while (from > out->bytes + start) {
        char c = *--from;
        *--to = c;
        if (c == dialect->quote || (dialect->escape && c == dialect->escape))
            *--to = c == dialect->quote ? c : dialect->escape;
    }
    *--to = dialect->quote;
}

static void quote_cell(const CsvEncoder *state, Text *out, size_t start)
{
    if (state->dialect.quote && needs_quotes(state, out->bytes ? out->bytes + start : "", out->length - start))
        add_quotes(state, out, start);
}

static void add_cell(const CsvEncoder *state, Text *out, const Vector *vector, uint32_t row)
{
    if (!time_style_add(state->times, out, vector, row, 0))
        text_add_value_plain(out, vector, row);
}

static void csv_encode_header(Encoder *encoder, Text *out)
{
    const CsvEncoder *state = encoder->state;
    if (!state->header)
        return;
    for (int c = 0; c < encoder->schema->column_count; c++) {
        if (c)
            text_add_char(out, state->dialect.delimiter);
        size_t start = out->length;
        text_add_c(out, encoder->schema->columns[c].name);
        quote_cell(state, out, start);
    }
    text_add_char(out, '\n');
}

static bool may_need_quotes(const CsvEncoder *state, const Type *type)
{
    return !state->plain_delimiter || type->kind == TYPE_VARCHAR || type->kind == TYPE_BYTES || type->kind == TYPE_INTERVAL || type_is_nested(type) || *state->null_text;
}

static Error *csv_encode(Encoder *encoder, const Batch *batch, bool with_kinds, Text *out)
{
    const CsvEncoder *state = encoder->state;
    for (uint32_t i = 0; i < batch->selection.count; i++) {
        uint32_t row = selection_row(&batch->selection, i);
        if (with_kinds)
            text_add_c(out, row_kind_text(batch_kind(batch, row)));
        for (int c = 0; c < encoder->schema->column_count; c++) {
            const Vector *vector = batch->columns[c];
            if (c || with_kinds)
                text_add_char(out, state->dialect.delimiter);
            size_t start = out->length;
            bool is_null = vector_is_null(vector, row);
            if (is_null)
                text_add_c(out, state->null_text);
            else
                add_cell(state, out, vector, row);
            if (!is_null && may_need_quotes(state, vector->type))
                quote_cell(state, out, start);
            if (out->length == start && encoder->schema->column_count == 1 && !with_kinds && state->dialect.quote) { /* a blank line is no record */
                text_add_char(out, state->dialect.quote);
                text_add_char(out, state->dialect.quote);
            }
        }
        text_add_char(out, '\n');
    }
    return NULL;
}

/* ---- messages ---- */

static Error *csv_check(const void *given, const Schema *schema, bool key)
{
    const CsvOptions *options = given;
    TRY(record_check_key(schema, key));
    if (options && !options->delimiter)
        return error_new(ERR_BIND, "Delimiter cannot be empty, if you meant to have a tab or space for delimiter, please use the special values 'TAB' or 'SPACE'");
    if (options)
        TRY(csv_check_options(options));
    if (options && options->wrap == CSV_WRAP_TRUE && !key)
        return error_new(ERR_BIND, "Format 'DELIMITED' does not support 'WRAP_SINGLE_VALUE' set to 'true'.");
    for (int i = 0; i < schema->column_count; i++)
        if (type_is_nested(schema->columns[i].type) || schema->columns[i].type->kind == TYPE_INTERVAL)
            return record_refuse_type("DELIMITED", schema, key, &schema->columns[i]);
    return NULL;
}

static bool is_letter_or_digit(unsigned char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

/* Which cells of messages Apache Commons CSV (1.4, as in ksqlDB) quotes: more than it would have to. The first one of a record if it does
 * not start with a letter or a digit, or is empty; another one if it starts below '$'. */
static bool message_needs_quotes(const CsvEncoder *state, bool first, const char *cell, size_t length)
{
    const CsvDialect *dialect = &state->dialect;
    if (length == 0)
        return first;
    bool needed = (first && !is_letter_or_digit((unsigned char)*cell)) || (unsigned char)*cell <= '#' || (unsigned char)cell[length - 1] <= ' ' || is_null_text(state, cell, length);
    for (size_t i = 0; i < length; i++)
        needed |= cell[i] == dialect->delimiter || cell[i] == '\n' || cell[i] == '\r' || cell[i] == dialect->quote;
    return needed;
}

static Error *csv_encode_record(Encoder *encoder, const Vector *const columns[], uint32_t row, Text *out, bool *none)
{
    const CsvEncoder *state = encoder->state;
    int count = encoder->schema->column_count;
    *none = encoder->key && count == 1 && row_is_null(count, columns, row);
    for (int c = 0; c < count && !*none; c++) {
        if (c)
            text_add_char(out, state->dialect.delimiter);
        size_t start = out->length;
        if (vector_is_null(columns[c], row)) {
            text_add_c(out, state->null_text);
            continue;
        }
        add_cell(state, out, columns[c], row);
        if (state->dialect.quote && message_needs_quotes(state, c == 0, out->bytes ? out->bytes + start : "", out->length - start))
            add_quotes(state, out, start);
    }
    return NULL;
}

static const char *const tsv_aliases[] = { "tab", NULL };

#define CSV_FUNCTIONS                                                                                                         \
    .options_size = sizeof(CsvOptions), .cut = csv_cut, .split_open = csv_split_open, .infer = csv_infer,                     \
    .decoder_open = csv_decoder_open, .decoder_close = csv_decoder_close, .decode = csv_decode,                               \
    .decode_records = csv_decode_records, .check_record = csv_check, .encode_record = csv_encode_record,                      \
    .encoder_open = csv_encoder_open, .encoder_close = csv_encoder_close, .encode_header = csv_encode_header, .encode = csv_encode

const FormatType csv_format = { .name = "csv", .doc = "Comma separated values, with or without a header.", .options = csv_options, CSV_FUNCTIONS };
const FormatType tsv_format = { .name = "tsv", .aliases = tsv_aliases, .doc = "Tab separated values, with or without a header.", .options = tsv_options, CSV_FUNCTIONS };
/* The same under ksqlDB's name, which its users see again. */
const FormatType delimited_format = { .name = "delimited", .doc = "csv, as ksqlDB calls it.", .options = csv_options, CSV_FUNCTIONS };
