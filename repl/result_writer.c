/* repl/result_writer.c: rows as text, in one of the output modes.
 *
 * Modes that align columns (box, table, markdown) must see values before they can size columns. They hold back up to
 * HELD_ROWS rows, or what one batch brings when the query has no end, and keep the widths from then on. */
#include "repl/result_writer.h"

#include <errno.h>
#include <unistd.h>

#include "common/value_text.h"
#include "terminal/width.h"

#define HELD_ROWS 5000
#define WRITE_AT (256 * 1024) /* bytes gathered before a write */

const char *const output_mode_names[] = { "box", "table", "csv", "tsv", "json", "jsonl", "vertical", "markdown", NULL };

struct ResultWriter {
    OutputMode mode;
    int fd;
    Error *(*sink)(void *caller, const char *bytes, size_t length); /* NULL: fd */
    void *sink_caller;
    bool unicode, kinds_always;
    Text out;
    /* the result at hand */
    int column_count;
    char **names;
    bool *right_aligned;
    int *widths, *wanted;         /* wanted: without regard to the terminal */
    bool with_kinds, continuous, started;
    int fit_columns, fit_rows;    /* see result_writer_fit */
    bool wraps;                   /* columns may be narrower than what stands in them, which then takes several lines */
    bool lines;                   /* the result is lines of text: nothing around them */
    uint64_t row_count;
    /* rows held back until widths are known: cells in row-major order, as places in held_text */
    Text held_text;
    size_t *held_ends;
    size_t held_capacity, held_cells;
    bool holding;
};

bool output_mode_find(const char *name, OutputMode *mode)
{
    for (int i = 0; output_mode_names[i]; i++)
        if (name_equal(name, output_mode_names[i])) {
            *mode = (OutputMode)i;
            return true;
        }
    return false;
}

ResultWriter *result_writer_new(OutputMode mode, int fd, bool unicode)
{
    ResultWriter *writer = mem_calloc(1, sizeof *writer);
    writer->mode = mode;
    writer->fd = fd;
    writer->unicode = unicode;
    return writer;
}

void result_writer_set_sink(ResultWriter *writer, Error *(*write)(void *caller, const char *bytes, size_t length), void *caller)
{
    writer->sink = write;
    writer->sink_caller = caller;
}

void result_writer_show_kinds(ResultWriter *writer, bool always) { writer->kinds_always = always; }

void result_writer_fit(ResultWriter *writer, int columns, int rows)
{
    writer->fit_columns = columns;
    writer->fit_rows = rows;
}

static void result_forget(ResultWriter *writer)
{
    for (int i = 0; i < writer->column_count; i++)
        mem_free(writer->names[i]);
    mem_free(writer->names);
    mem_free(writer->right_aligned);
    mem_free(writer->widths);
    mem_free(writer->wanted);
    writer->names = NULL;
    writer->right_aligned = NULL;
    writer->widths = NULL;
    writer->wanted = NULL;
    writer->column_count = 0;
    writer->held_text.length = 0;
    writer->held_cells = 0;
}

void result_writer_free(ResultWriter *writer)
{
    if (!writer)
        return;
    result_forget(writer);
    text_release(&writer->out);
    text_release(&writer->held_text);
    mem_free(writer->held_ends);
    mem_free(writer);
}

Error *result_writer_flush(ResultWriter *writer)
{
    size_t done = 0;
    if (writer->sink) {
        Error *error = writer->out.length ? writer->sink(writer->sink_caller, writer->out.bytes, writer->out.length) : NULL;
        writer->out.length = 0;
        return error;
    }
    while (done < writer->out.length) {
        ssize_t wrote = write(writer->fd, writer->out.bytes + done, writer->out.length - done);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0) {
            int reason = errno;
            writer->out.length = 0;
            return reason == EPIPE ? error_new(ERR_CLOSED, "the reader of the output went away")
                                   : error_new(ERR_IO, "cannot write the output: %s", strerror(reason));
        }
        done += (size_t)wrote;
    }
    writer->out.length = 0;
    return NULL;
}

static Error *flush_if_full(ResultWriter *writer)
{
    return writer->out.length >= WRITE_AT ? result_writer_flush(writer) : NULL;
}

/* ---- widths ---- */

static void add_repeated(Text *out, const char *piece, int times)
{
    for (int i = 0; i < times; i++)
        text_add_c(out, piece);
}

static void add_padded(Text *out, const char *bytes, size_t length, int width, bool right)
{
    int pad = width - display_width(bytes, length);
    if (right)
        add_repeated(out, " ", pad);
    text_add(out, bytes, length);
    if (!right)
        add_repeated(out, " ", pad);
}

/* ---- frames: box, table, markdown ---- */

typedef struct Frame {
    const char *bar, *dash;
    const char *top[3], *middle[3], *bottom[3]; /* left, cross, right */
} Frame;

static const Frame unicode_frame = { "│", "─", { "┌", "┬", "┐" }, { "├", "┼", "┤" }, { "└", "┴", "┘" } };
static const Frame ascii_frame = { "|", "-", { "+", "+", "+" }, { "+", "+", "+" }, { "+", "+", "+" } };

static const Frame *frame_of(const ResultWriter *writer)
{
    return writer->mode == OUTPUT_BOX && writer->unicode ? &unicode_frame : &ascii_frame;
}

/* Text in a cell: in markdown, a bar would end it. */
static void add_cell(const ResultWriter *writer, Text *out, const char *bytes, size_t length)
{
    if (writer->mode != OUTPUT_MARKDOWN) {
        text_add_cell(out, bytes, length);
        return;
    }
    for (const char *end = bytes + length, *bar; bytes < end; bytes = bar + 1) {
        bar = memchr(bytes, '|', (size_t)(end - bytes));
        text_add_cell(out, bytes, (size_t)((bar ? bar : end) - bytes));
        if (!bar)
            return;
        text_add_c(out, "\\|");
    }
}

static bool is_framed(const ResultWriter *writer)
{
    return writer->mode == OUTPUT_BOX || writer->mode == OUTPUT_TABLE || writer->mode == OUTPUT_MARKDOWN;
}

static void add_rule(ResultWriter *writer, const char *const ends[3])
{
    const Frame *frame = frame_of(writer);
    text_add_c(&writer->out, ends[0]);
    for (int i = 0; i < writer->column_count; i++) {
        add_repeated(&writer->out, frame->dash, writer->widths[i] + 2);
        text_add_c(&writer->out, i + 1 < writer->column_count ? ends[1] : ends[2]);
    }
    text_add_char(&writer->out, '\n');
}

/* So much of the text fits the width; a word is broken where it alone is not much shorter. */
static size_t line_of(const char *bytes, size_t length, int width)
{
    int taken = 0, columns;
    size_t at = 0, blank = 0;
    for (size_t size; at < length && (size = grapheme_next(bytes + at, length - at, &columns)) && (taken + columns <= width || at == 0); at += size) {
        taken += columns;
        if (bytes[at] == ' ' && taken > width / 2)
            blank = at + 1;
    }
    return at < length && blank ? blank : at;
}

/* One line of a row. Cells that go on move to what is left of them. False: none does. */
static bool add_framed_line(ResultWriter *writer, const char **cells, size_t *lengths, bool header)
{
    const char *bar = writer->mode == OUTPUT_MARKDOWN ? "|" : frame_of(writer)->bar;
    bool more = false;
    for (int i = 0; i < writer->column_count; i++) {
        const size_t length = writer->wraps ? line_of(cells[i], lengths[i], writer->widths[i]) : lengths[i];
        text_add_c(&writer->out, bar);
        text_add_char(&writer->out, ' ');
        add_padded(&writer->out, cells[i], length && length < lengths[i] && cells[i][length - 1] == ' ' ? length - 1 : length, writer->widths[i], writer->right_aligned[i] && !header);
        text_add_char(&writer->out, ' ');
        cells[i] += length;
        lengths[i] -= length;
        more |= lengths[i] > 0;
    }
    text_add_c(&writer->out, bar);
    text_add_char(&writer->out, '\n');
    return more;
}

static void add_framed_row(ResultWriter *writer, const char **cells, size_t *lengths, bool header)
{
    while (add_framed_line(writer, cells, lengths, header))
        ;
}

static void add_framed_header(ResultWriter *writer)
{
    Arena arena;
    arena_init(&arena, NULL);
    MEMORY_HOLD(arena_unwind, &arena);
    size_t *lengths = ARENA_ARRAY(&arena, size_t, (size_t)writer->column_count + 1);
    const char **names = ARENA_ARRAY(&arena, const char *, (size_t)writer->column_count + 1);
    for (int i = 0; i < writer->column_count; i++) {
        names[i] = writer->names[i];
        lengths[i] = strlen(names[i]);
    }
    if (writer->mode == OUTPUT_MARKDOWN) {
        add_framed_row(writer, names, lengths, true);
        for (int i = 0; i < writer->column_count; i++) {
            text_add_c(&writer->out, "|-");
            add_repeated(&writer->out, "-", writer->widths[i]);
            text_add_char(&writer->out, writer->right_aligned[i] ? ':' : '-');
        }
        text_add_c(&writer->out, "|\n");
    } else {
        add_rule(writer, frame_of(writer)->top);
        add_framed_row(writer, names, lengths, true);
        add_rule(writer, frame_of(writer)->middle);
    }
    arena_release(&arena);
}

static void add_held_row(ResultWriter *writer, size_t first_cell, const char **cells, size_t *lengths)
{
    for (int i = 0; i < writer->column_count; i++) {
        size_t cell = first_cell + (size_t)i;
        size_t start = cell ? writer->held_ends[cell - 1] : 0;
        cells[i] = writer->held_text.bytes + start;
        lengths[i] = writer->held_ends[cell] - start;
    }
    add_framed_row(writer, cells, lengths, false);
}

#define LEAST_WIDTH 6 /* of a column that wraps */

/* The widest columns of text become narrower than they want to be until a row fits the terminal; where that cannot be, all stay as they are. */
static void fit_widths(ResultWriter *writer)
{
    const int count = writer->column_count;
    int total = 1, least = 1;
    memcpy(writer->widths, writer->wanted, sizeof *writer->widths * (size_t)count);
    for (int i = 0; i < count; i++) {
        total += writer->widths[i] + 3;
        least += (writer->widths[i] < LEAST_WIDTH || writer->right_aligned[i] ? writer->widths[i] : LEAST_WIDTH) + 3;
    }
    writer->wraps = total > writer->fit_columns && least <= writer->fit_columns;
    for (; writer->wraps && total > writer->fit_columns; total--) {
        int widest = -1;
        for (int i = 0; i < count; i++)
            if (!writer->right_aligned[i] && (widest < 0 || writer->widths[i] > writer->widths[widest]))
                widest = i;
        writer->widths[widest]--;
    }
}

static bool is_to_fit(const ResultWriter *writer)
{
    const size_t rows = writer->held_cells / (size_t)(writer->column_count ? writer->column_count : 1);
    return writer->fit_columns && writer->mode != OUTPUT_MARKDOWN && (writer->continuous || !writer->fit_rows || rows <= (size_t)writer->fit_rows);
}

/* What the cells that are held want. False: no more than those before them. */
static bool measure_held(ResultWriter *writer)
{
    bool wider = false;
    for (int i = 0; i < writer->column_count; i++) {
        int widest = 0;
        for (size_t cell = (size_t)i; cell < writer->held_cells; cell += (size_t)writer->column_count) {
            size_t start = cell ? writer->held_ends[cell - 1] : 0;
            int width = display_width(writer->held_text.bytes + start, writer->held_ends[cell] - start);
            widest = width > widest ? width : widest;
        }
        if (widest <= writer->wanted[i])
            continue;
        const int roomier = writer->started ? writer->wanted[i] * 3 / 2 : 0; /* rows that become longer and longer do not do so for ever */
        writer->wanted[i] = writer->widths[i] = widest > roomier ? widest : roomier;
        wider = true;
    }
    return wider;
}

/* Columns of a query that goes on become wider below a rule of their own. */
static void widen(ResultWriter *writer)
{
    int *before = mem_alloc(sizeof *before * (size_t)(writer->column_count + 1));
    memcpy(before, writer->widths, sizeof *before * (size_t)writer->column_count);
    if (measure_held(writer)) {
        fit_widths(writer);
        if (memcmp(before, writer->widths, sizeof *before * (size_t)writer->column_count) != 0)
            add_rule(writer, frame_of(writer)->middle);
    }
    mem_free(before);
}

static Error *write_held(ResultWriter *writer)
{
    if (!writer->started) {
        measure_held(writer);
        if (is_to_fit(writer))
            fit_widths(writer);
    } else if (writer->continuous && is_to_fit(writer)) {
        widen(writer);
    }
    if (!writer->started)
        add_framed_header(writer);
    writer->started = true;
    Error *error = NULL;
    const char **cells = mem_alloc(sizeof *cells * ((size_t)writer->column_count + 1));
    size_t *lengths = mem_alloc(sizeof *lengths * ((size_t)writer->column_count + 1));
    for (size_t cell = 0; cell < writer->held_cells && !error; cell += (size_t)writer->column_count) {
        add_held_row(writer, cell, cells, lengths);
        error = flush_if_full(writer);
    }
    mem_free(cells);
    mem_free(lengths);
    writer->held_text.length = 0;
    writer->held_cells = 0;
    return error;
}

static void hold_cell(ResultWriter *writer)
{
    writer->held_ends = mem_grow(writer->held_ends, &writer->held_capacity, writer->held_cells + 1, sizeof *writer->held_ends);
    writer->held_ends[writer->held_cells++] = writer->held_text.length;
}

static void hold_row(ResultWriter *writer, const Batch *batch, uint32_t row)
{
    if (writer->with_kinds) {
        text_add_c(&writer->held_text, row_kind_text(batch_kind(batch, row)));
        hold_cell(writer);
    }
    Text cell = { 0 };
    MEMORY_HOLD(text_unwind, &cell);
    for (int i = 0; i < batch->column_count; i++) {
        cell.length = 0;
        if (vector_is_null(batch->columns[i], row))
            text_add_c(&cell, "NULL");
        else
            text_add_value_plain(&cell, batch->columns[i], row);
        add_cell(writer, &writer->held_text, text_c(&cell), cell.length);
        hold_cell(writer);
    }
    text_release(&cell);
}

/* ---- unframed rows ---- */

static void add_csv_cell(Text *out, const char *bytes, size_t length)
{
    bool quote = length == 0;
    for (size_t i = 0; i < length && !quote; i++)
        quote = bytes[i] == '"' || bytes[i] == ',' || bytes[i] == '\n' || bytes[i] == '\r';
    if (!quote) {
        text_add(out, bytes, length);
        return;
    }
    text_add_char(out, '"');
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] == '"')
            text_add_char(out, '"');
        text_add_char(out, bytes[i]);
    }
    text_add_char(out, '"');
}

/* Tabs and line ends inside values are written as \t, \n, \r, \\, as PostgreSQL's COPY does; NULL is \N. */
static void add_tsv_cell(Text *out, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        char c = bytes[i];
        if (c == '\t' || c == '\n' || c == '\r' || c == '\\') {
            text_add_char(out, '\\');
            text_add_char(out, c == '\t' ? 't' : c == '\n' ? 'n' : c == '\r' ? 'r' : '\\');
        } else {
            text_add_char(out, c);
        }
    }
}

static void add_separated_row(ResultWriter *writer, const Batch *batch, uint32_t row)
{
    bool csv = writer->mode == OUTPUT_CSV;
    char separator = csv ? ',' : '\t';
    Text *out = &writer->out, cell = { 0 };
    if (writer->with_kinds)
        text_add_c(out, row_kind_text(batch_kind(batch, row)));
    for (int i = 0; i < batch->column_count; i++) {
        if (i > 0 || writer->with_kinds)
            text_add_char(out, separator);
        if (vector_is_null(batch->columns[i], row)) {
            if (!csv)
                text_add_c(out, "\\N");
            continue;
        }
        cell.length = 0;
        text_add_value_plain(&cell, batch->columns[i], row);
        (csv ? add_csv_cell : add_tsv_cell)(out, text_c(&cell), cell.length);
    }
    text_add_char(out, '\n');
    text_release(&cell);
}

static void add_json_name(Text *out, const char *name)
{
    Str str = str_c(name);
    Vector vector = { .type = type_scalar(TYPE_VARCHAR), .encoding = VECTOR_CONSTANT, .capacity = 1, .values = &str };
    text_add_value_json(out, &vector, 0);
}

static void add_json_row(ResultWriter *writer, const Batch *batch, uint32_t row)
{
    Text *out = &writer->out;
    if (writer->mode == OUTPUT_JSON)
        text_add_c(out, writer->row_count ? ",\n " : "[");
    text_add_char(out, '{');
    if (writer->with_kinds)
        text_printf(out, "\"op\":\"%s\"", row_kind_text(batch_kind(batch, row)));
    for (int i = 0; i < batch->column_count; i++) {
        if (i > 0 || writer->with_kinds)
            text_add_char(out, ',');
        text_add_c(out, writer->names[i + writer->with_kinds]); /* already "name": */
        text_add_value_json(out, batch->columns[i], row);
    }
    text_add_char(out, '}');
    if (writer->mode == OUTPUT_JSONL)
        text_add_char(out, '\n');
}

static void add_vertical_row(ResultWriter *writer, const Batch *batch, uint32_t row)
{
    Text *out = &writer->out, cell = { 0 };
    int width = 0;
    for (int i = 0; i < writer->column_count; i++)
        if (writer->widths[i] > width)
            width = writer->widths[i];
    text_printf(out, "%s-[ row %llu ]", writer->row_count ? "\n" : "", (unsigned long long)writer->row_count + 1);
    text_add_char(out, '\n');
    for (int i = 0; i < writer->column_count; i++) {
        add_padded(out, writer->names[i], strlen(writer->names[i]), width, false);
        text_add_c(out, " | ");
        int column = i - writer->with_kinds;
        if (column < 0)
            text_add_c(out, row_kind_text(batch_kind(batch, row)));
        else if (vector_is_null(batch->columns[column], row))
            text_add_c(out, "NULL");
        else
            text_add_value_plain(&cell, batch->columns[column], row);
        text_add_cell(out, text_c(&cell), cell.length);
        cell.length = 0;
        text_add_char(out, '\n');
    }
    text_release(&cell);
}

/* ---- a result ---- */

static void add_separated_header(ResultWriter *writer)
{
    for (int i = 0; i < writer->column_count; i++) {
        if (i > 0)
            text_add_char(&writer->out, writer->mode == OUTPUT_CSV ? ',' : '\t');
        (writer->mode == OUTPUT_CSV ? add_csv_cell : add_tsv_cell)(&writer->out, writer->names[i], strlen(writer->names[i]));
    }
    text_add_char(&writer->out, '\n');
}

static bool is_right_aligned(const Type *type) { return type_is_numeric(type); }

Error *result_writer_begin(ResultWriter *writer, const ResultInfo *info)
{
    result_forget(writer);
    bool json = writer->mode == OUTPUT_JSON || writer->mode == OUTPUT_JSONL;
    writer->with_kinds = info->updating || (writer->kinds_always && info->continuous);
    writer->continuous = info->continuous;
    writer->lines = info->preformatted && !json;
    writer->started = false;
    writer->row_count = 0;
    int total = info->schema->column_count + writer->with_kinds;
    writer->names = mem_calloc((size_t)total + 1, sizeof *writer->names);
    writer->right_aligned = mem_calloc((size_t)total + 1, sizeof *writer->right_aligned);
    writer->widths = mem_calloc((size_t)total + 1, sizeof *writer->widths);
    writer->wanted = mem_calloc((size_t)total + 1, sizeof *writer->wanted);
    for (int i = 0; i < total; i++) {
        const Column *column = i >= writer->with_kinds ? &info->schema->columns[i - writer->with_kinds] : NULL;
        const char *name = column ? column->name : "op";
        Text rendered = { 0 };
        MEMORY_HOLD(text_unwind, &rendered);
        if (json) {
            add_json_name(&rendered, name);
            text_add_char(&rendered, ':');
        } else if (is_framed(writer)) {
            add_cell(writer, &rendered, name, strlen(name));
        } else if (writer->mode == OUTPUT_VERTICAL) {
            text_add_cell(&rendered, name, strlen(name));
        } else {
            text_add_c(&rendered, name);
        }
        writer->names[i] = mem_strdup(text_c(&rendered));
        writer->column_count = i + 1;
        text_release(&rendered);
        writer->right_aligned[i] = column && is_right_aligned(column->type);
        writer->widths[i] = writer->wanted[i] = display_width(writer->names[i], strlen(writer->names[i]));
    }
    writer->wraps = false;
    bool titled = is_framed(writer) || writer->mode == OUTPUT_VERTICAL;
    if (info->title && titled)
        text_printf(&writer->out, "%s%s\n", writer->mode == OUTPUT_MARKDOWN ? "### " : "", info->title);
    if ((writer->mode == OUTPUT_CSV || writer->mode == OUTPUT_TSV) && !writer->lines)
        add_separated_header(writer);
    if (writer->mode == OUTPUT_MARKDOWN && writer->lines)
        text_add_c(&writer->out, "```\n");
    writer->holding = is_framed(writer) && !writer->lines;
    return NULL;
}

static void add_line(ResultWriter *writer, const Batch *batch, uint32_t row)
{
    text_add_value_plain(&writer->out, batch->columns[0], row);
    text_add_char(&writer->out, '\n');
}

static void add_row(ResultWriter *writer, const Batch *batch, uint32_t row)
{
    switch (writer->mode) {
    case OUTPUT_BOX:
    case OUTPUT_TABLE:
    case OUTPUT_MARKDOWN: hold_row(writer, batch, row); break;
    case OUTPUT_CSV:
    case OUTPUT_TSV: add_separated_row(writer, batch, row); break;
    case OUTPUT_JSON:
    case OUTPUT_JSONL: add_json_row(writer, batch, row); break;
    case OUTPUT_VERTICAL: add_vertical_row(writer, batch, row); break;
    }
}

Error *result_writer_rows(ResultWriter *writer, const Batch *batch)
{
    for (uint32_t i = 0; i < batch->selection.count; i++) {
        (writer->lines ? add_line : add_row)(writer, batch, selection_row(&batch->selection, i));
        writer->row_count++;
        TRY(flush_if_full(writer));
    }
    if (writer->holding && (writer->started || writer->continuous || writer->row_count > HELD_ROWS))
        TRY(write_held(writer));
    return writer->continuous ? result_writer_flush(writer) : flush_if_full(writer);
}

Error *result_writer_end(ResultWriter *writer)
{
    if (writer->holding) {
        TRY(write_held(writer));
        if (writer->mode != OUTPUT_MARKDOWN)
            add_rule(writer, frame_of(writer)->bottom);
        if (writer->mode != OUTPUT_MARKDOWN)
            text_printf(&writer->out, "%llu row%s\n", (unsigned long long)writer->row_count, writer->row_count == 1 ? "" : "s");
        text_add_char(&writer->out, '\n');
    }
    if (writer->lines)
        text_add_c(&writer->out, writer->mode == OUTPUT_MARKDOWN ? "```\n\n" : "\n");
    if (writer->mode == OUTPUT_JSON)
        text_add_c(&writer->out, writer->row_count ? "]\n" : "[]\n");
    Error *error = result_writer_flush(writer);
    result_forget(writer);
    return error;
}
