/* connectors/sqlite_source.c: a table as a bounded scan: one split, in the table's order (its rowid or its primary key).
 *
 * The statement stays open until the last row, so that the scan sees one state of the database. Rows are fetched page by page in turn
 * order; workers make batches of a page. */
#include <string.h>

#include "connectors/sqlite.h"

#define PAGE_ROWS 2048

typedef struct SqliteScan {
    Arena arena;
    Database database;
    sqlite3_stmt *statement;
    bool ended;
    uint64_t rows_read;
} SqliteScan;

typedef struct Page {
    Batch *batch;       /* a vector for each wanted column, and the bad rows; before_row counts all rows of the page */
    uint64_t first;
} Page;

static void page_free(void *what)
{
    Page *page = what;
    batch_release(page->batch);
    mem_free(page);
}

static void add_select(const SourceSpec *spec, const SqliteOptions *options, const char *order, Text *sql)
{
    text_add_c(sql, "SELECT ");
    for (int i = 0; i < spec->column_count; i++) {
        text_add_c(sql, i ? ", " : "");
        sql_add_name(sql, spec->columns[i].path[0]);
    }
    text_add_c(sql, spec->column_count ? " FROM " : "1 FROM ");
    sql_add_name(sql, options->table);
    text_add_c(sql, order);
}

/* Views and tables WITHOUT ROWID have no rowid: they come as SQLite scans them, the latter by primary key. */
static Error *prepare_scan(SqliteScan *scan, const SourceSpec *spec)
{
    Text sql = { 0 };
    MEMORY_HOLD(text_unwind, &sql);
    add_select(spec, spec->options, " ORDER BY rowid", &sql);
    Error *error = database_prepare(&scan->database, text_c(&sql), &scan->statement);
    if (error) {
        error_free(error);
        sql.length = 0;
        add_select(spec, spec->options, "", &sql);
        error = database_prepare(&scan->database, text_c(&sql), &scan->statement);
    }
    text_release(&sql);
    return error;
}

static Error *sqlite_open(Source *source)
{
    SqliteScan *scan = mem_calloc(1, sizeof *scan);
    const SqliteOptions *options = source->spec->options;
    source->state = scan;
    arena_init(&scan->arena, NULL);
    for (int i = 0; i < source->spec->column_count; i++)
        if (source->spec->columns[i].path_length > 1 || !sqlite_can_read(source->spec->columns[i].type))
            return error_new(ERR_UNSUPPORTED, "connector 'sqlite' does not read columns of type %s", type_text(&scan->arena, source->spec->columns[i].type));
    TRY(database_open(&scan->database, &scan->arena, source->context, options, false, false));
    TRY(prepare_scan(scan, source->spec));
    source->split_count = 1;
    source->splits = ARENA_NEW(&scan->arena, SourceSplit);
    source->splits[0] = (SourceSplit){ .name = arena_printf(&scan->arena, "%s, table %s", options->path, options->table), .length = -1, .bounded = true };
    return NULL;
}

static void sqlite_close(Source *source)
{
    SqliteScan *scan = source->state;
    if (!scan)
        return;
    sqlite3_finalize(scan->statement);
    database_close(&scan->database);
    arena_release(&scan->arena);
    mem_free(scan);
    source->state = NULL;
}

/* The next row is there, or *ended. The statement lets go of the database at the end. */
static Error *step(SqliteScan *scan)
{
    int code = scan->ended ? SQLITE_DONE : sqlite3_step(scan->statement);
    if (code == SQLITE_ROW) {
        scan->rows_read++;
        return NULL;
    }
    Error *error = code == SQLITE_DONE ? NULL : database_error(&scan->database, ERR_IO);
    scan->ended = true;
    sqlite3_reset(scan->statement);
    return error;
}

static Error *sqlite_seek(Source *source, int split, uint64_t position)
{
    (void)split;
    SqliteScan *scan = source->state;
    while (scan->rows_read < position && !scan->ended)
        TRY(step(scan));
    return NULL;
}

/* The row as text, for dead letters: values separated by '|'. */
static Str row_text(Arena *arena, sqlite3_stmt *statement)
{
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    for (int c = 0; c < sqlite3_column_count(statement); c++) {
        const char *value = (const char *)sqlite3_column_text(statement, c);
        text_add_c(&text, c ? "|" : "");
        text_add(&text, value ? value : "", value ? (size_t)sqlite3_column_bytes(statement, c) : 0);
    }
    Str result = str_view(arena_strndup(arena, text_c(&text), text.length), text.length);
    text_release(&text);
    return result;
}

static void read_row(const Source *source, SqliteScan *scan, Batch *page, uint32_t row)
{
    const SourceSpec *spec = source->spec;
    for (int c = 0; c < spec->column_count; c++) {
        Value value;
        const char *reason = NULL;
        if (sqlite_read(&page->arena, scan->statement, c, spec->columns[c].type, spec->zone, &value, &reason)) {
            vector_set(&page->arena, page->columns[c], row, &value);
            continue;
        }
        BadRow bad = { .before_row = row, .position = scan->rows_read - 1, .reason = reason, .column = spec->columns[c].path[0] };
        bad.raw = row_text(&page->arena, scan->statement);
        batch_add_bad_row(page, &bad);
        return;
    }
}

static Error *fill_page(Source *source, uint32_t most, Batch *page)
{
    SqliteScan *scan = source->state;
    while (page->row_count < most) {
        TRY(step(scan));
        if (scan->ended)
            return NULL;
        read_row(source, scan, page, page->row_count++);
    }
    return NULL;
}

static Error *sqlite_next_rows(Source *source, int split, uint64_t max_rows, int64_t now_us, RowRange *range)
{
    (void)split;
    (void)now_us;
    SqliteScan *scan = source->state;
    const SourceSpec *spec = source->spec;
    uint32_t most = max_rows < PAGE_ROWS ? (uint32_t)max_rows : PAGE_ROWS;
    *range = (RowRange){ .first = scan->rows_read };
    Page *page = mem_calloc(1, sizeof *page);
    range->page = page;
    range->page_free = page_free;
    page->first = scan->rows_read;
    page->batch = batch_new(source->context->pool, spec->column_count);
    for (int c = 0; c < spec->column_count; c++)
        page->batch->columns[c] = vector_new(&page->batch->arena, spec->columns[c].type, most);
    TRY(fill_page(source, most, page->batch));
    range->count = page->batch->row_count;
    range->end = scan->ended;
    return NULL;
}

/* The good rows of [done, done + count) of the page; bad ones go along with their place among them. */
static uint32_t pick_rows(const Batch *page, uint32_t done, uint32_t count, uint32_t *rows, Batch *batch)
{
    uint32_t used = 0, bad = 0;
    while (bad < page->bad_row_count && page->bad_rows[bad].before_row < done)
        bad++;
    for (uint32_t row = done; row < done + count; row++) {
        if (bad == page->bad_row_count || page->bad_rows[bad].before_row != row) {
            rows[used++] = row;
            continue;
        }
        BadRow copy = page->bad_rows[bad++];
        copy.before_row = used;
        batch_add_bad_row(batch, &copy);
    }
    return used;
}

static Error *sqlite_produce(Source *source, int split, const RowRange *range, uint64_t done, uint32_t max_rows, Batch *batch)
{
    (void)split;
    Page *page = range->page;
    batch_hold_batch(batch, page->batch);
    uint32_t *rows = ARENA_ARRAY(&batch->arena, uint32_t, (size_t)max_rows + 1);
    batch->row_count = pick_rows(page->batch, (uint32_t)done, max_rows, rows, batch);
    for (int c = 0; c < source->spec->column_count; c++)
        batch->columns[c] = vector_gather(&batch->arena, page->batch->columns[c], rows, batch->row_count);
    batch->positions = ARENA_ARRAY(&batch->arena, uint64_t, (size_t)batch->row_count + 1);
    for (uint32_t i = 0; i < batch->row_count; i++)
        batch->positions[i] = page->first + rows[i];
    return NULL;
}

static int64_t sqlite_progress(Source *source, int split)
{
    (void)split;
    return (int64_t)((SqliteScan *)source->state)->rows_read;
}

static bool sqlite_bounded(const void *options)
{
    (void)options;
    return true;
}

const SourceType sqlite_source = {
    .row_source = true,
    .open = sqlite_open,
    .close = sqlite_close,
    .bounded = sqlite_bounded,
    .schema = sqlite_schema,
    .seek = sqlite_seek,
    .next_rows = sqlite_next_rows,
    .produce = sqlite_produce,
    .progress = sqlite_progress,
};
