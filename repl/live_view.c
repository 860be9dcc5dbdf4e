/* repl/live_view.c: rows are kept as text. An update takes the place of the row that it takes back, so the picture stands still where nothing changes.
 *
 * The job's thread brings changes, a thread of the view draws and reads keys; `lock` is between them. */
#include "repl/live_view.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "common/calendar.h"
#include "common/hash.h"
#include "common/value_text.h"
#include "repl/io.h"
#include "terminal/layout.h"
#include "terminal/raw_mode.h"
#include "terminal/width.h"

#define DRAW_MS 100
#define ABOVE_BYTES 65536 /* of what others print: so much at once */

typedef struct LiveRow {
    char *cells;              /* each ended by a 0; NULL: a free place */
    uint32_t length;
    uint64_t hash;
    uint32_t next;            /* of the same bucket, + 1 */
} LiveRow;

struct LiveView {
    Backend *backend;
    int fd;
    Above *above;
    bool unicode, color;
    pthread_t thread;
    pthread_mutex_t lock;
    bool running, stopping, held, changed;
    /* the table */
    int column_count;
    char **names;
    bool *right;
    LiveRow *rows;
    size_t row_count, row_capacity, live_count;
    uint32_t *buckets;        /* index + 1 of a row */
    size_t bucket_count;      /* a power of two */
    size_t vacated;           /* the place that -U left; SIZE_MAX: none */
    uint64_t changes, changes_shown;
    double shown_at, rate;
    /* the picture */
    int drawn_lines;
};

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

LiveView *live_view_new(Backend *backend, int fd, bool unicode, bool color, Above *above)
{
    LiveView *view = mem_calloc(1, sizeof *view);
    view->backend = backend;
    view->fd = fd;
    view->unicode = unicode;
    view->color = color;
    view->above = above;
    pthread_mutex_init(&view->lock, NULL);
    return view;
}

/* ---- the table ---- */

static void forget(LiveView *view)
{
    for (size_t i = 0; i < view->row_count; i++)
        mem_free(view->rows[i].cells);
    for (int i = 0; i < view->column_count; i++)
        mem_free(view->names[i]);
    mem_free(view->rows);
    mem_free(view->buckets);
    mem_free(view->names);
    mem_free(view->right);
    view->rows = NULL;
    view->buckets = NULL;
    view->names = NULL;
    view->right = NULL;
    view->row_count = view->row_capacity = view->live_count = view->bucket_count = 0;
    view->column_count = 0;
}

void live_view_free(LiveView *view)
{
    if (!view)
        return;
    forget(view);
    pthread_mutex_destroy(&view->lock);
    mem_free(view);
}

static void find_buckets(LiveView *view, size_t count)
{
    uint32_t *buckets = mem_calloc(count, sizeof *buckets);
    mem_free(view->buckets);
    view->buckets = buckets;
    view->bucket_count = count;
    for (size_t i = 0; i < view->row_count; i++) {
        LiveRow *row = &view->rows[i];
        uint32_t *bucket = &buckets[row->hash & (count - 1)];
        if (!row->cells)
            continue;
        row->next = *bucket;
        *bucket = (uint32_t)i + 1;
    }
}

static void add_row(LiveView *view, const Text *cells)
{
    if (view->live_count * 2 >= view->bucket_count)
        find_buckets(view, view->bucket_count ? view->bucket_count * 2 : 64);
    char *copy = mem_alloc(cells->length + 1);
    memcpy(copy, text_c((Text *)cells), cells->length + 1);
    size_t place = view->vacated;
    if (place == SIZE_MAX) {
        view->rows = mem_grow(view->rows, &view->row_capacity, view->row_count + 1, sizeof *view->rows);
        place = view->row_count++;
    }
    view->vacated = SIZE_MAX;
    LiveRow *row = &view->rows[place];
    *row = (LiveRow){ .cells = copy, .length = (uint32_t)cells->length, .hash = hash_bytes(copy, cells->length) };
    uint32_t *bucket = &view->buckets[row->hash & (view->bucket_count - 1)];
    row->next = *bucket;
    *bucket = (uint32_t)place + 1;
    view->live_count++;
}

static void remove_row(LiveView *view, const Text *cells, bool updated)
{
    uint64_t hash = hash_bytes(text_c((Text *)cells), cells->length);
    uint32_t *link = view->bucket_count ? &view->buckets[hash & (view->bucket_count - 1)] : NULL;
    while (link && *link) {
        LiveRow *row = &view->rows[*link - 1];
        if (row->hash == hash && row->length == cells->length && memcmp(row->cells, cells->bytes, row->length) == 0) {
            size_t place = *link - 1;
            *link = row->next;
            mem_free(row->cells);
            row->cells = NULL;
            view->live_count--;
            view->vacated = updated ? place : SIZE_MAX;
            return;
        }
        link = &row->next;
    }
    view->vacated = SIZE_MAX;
}

/* Free places go, once they are half of all. */
static void close_ranks(LiveView *view)
{
    if (view->vacated != SIZE_MAX || view->row_count < 64 || view->live_count * 2 > view->row_count)
        return;
    size_t kept = 0;
    for (size_t i = 0; i < view->row_count; i++)
        if (view->rows[i].cells)
            view->rows[kept++] = view->rows[i];
    view->row_count = kept;
    find_buckets(view, view->bucket_count);
}

static void take_row(LiveView *view, const Batch *batch, uint32_t row, Text *cells)
{
    cells->length = 0;
    for (int i = 0; i < batch->column_count; i++) {
        if (vector_is_null(batch->columns[i], row)) {
            text_add_c(cells, "NULL");
        } else {
            Text plain = { 0 };
            text_add_value_plain(&plain, batch->columns[i], row);
            text_add_cell(cells, text_c(&plain), plain.length);
            text_release(&plain);
        }
        text_add_char(cells, 0);
    }
    RowKind kind = batch_kind(batch, row);
    if (kind == ROW_DELETE || kind == ROW_UPDATE_BEFORE)
        remove_row(view, cells, kind == ROW_UPDATE_BEFORE);
    else
        add_row(view, cells);
    view->changes++;
}

static Error *take_batch(LiveView *view, const Batch *batch)
{
    Text cells = { 0 };
    MEMORY_HOLD(text_unwind, &cells);
    for (uint32_t i = 0; i < batch->selection.count; i++)
        take_row(view, batch, selection_row(&batch->selection, i), &cells);
    text_release(&cells);
    close_ranks(view);
    return NULL;
}

/* ---- the picture ---- */

/* The text in `width` columns, cut or filled up. */
static void add_cell(Text *out, const char *text, int width, bool right)
{
    int taken = 0, whole = display_width(text, strlen(text)), columns;
    size_t at = 0, length = strlen(text);
    for (int pad = width - whole; right && pad > 0; pad--)
        text_add_char(out, ' ');
    for (size_t size; at < length && (size = grapheme_next(text + at, length - at, &columns)) && taken + columns <= width - (whole > width); at += size) {
        text_add(out, text + at, size);
        taken += columns;
    }
    if (whole > width && width > 0) {
        text_add_c(out, "~");
        taken++;
    }
    for (; taken < width && !(right && whole <= width); taken++)
        text_add_char(out, ' ');
}

static void measure(const LiveView *view, size_t most, int columns, int *widths)
{
    for (int c = 0; c < view->column_count; c++)
        widths[c] = display_width(view->names[c], strlen(view->names[c]));
    size_t seen = 0;
    for (size_t i = 0; i < view->row_count && seen < most; i++) {
        const char *cell = view->rows[i].cells;
        seen += cell != NULL;
        for (int c = 0; cell && c < view->column_count; c++, cell += strlen(cell) + 1) {
            int width = display_width(cell, strlen(cell));
            widths[c] = width > widths[c] ? width : widths[c];
        }
    }
    int left = columns - 1; /* what does not fit is cut, from the first column on that does not */
    for (int c = 0; c < view->column_count; c++) {
        if (widths[c] > left)
            widths[c] = left > 0 ? left : 0;
        left -= widths[c] + 3;
    }
}

static void add_line(const LiveView *view, Text *out, const char *cells, char *const *names, const int *widths)
{
    for (int c = 0; c < view->column_count && widths[c] > 0; c++) {
        if (c)
            text_add_c(out, view->unicode ? " │ " : " | ");
        add_cell(out, names ? names[c] : cells, widths[c], view->right[c] && !names);
        if (cells)
            cells += strlen(cells) + 1;
    }
    text_add_c(out, "\033[K\n");
}

static void add_footer(LiveView *view, Text *out, size_t shown, bool last)
{
    double now = seconds_now(), elapsed = now - view->shown_at;
    if (elapsed >= 1) {
        view->rate = (double)(view->changes - view->changes_shown) / elapsed;
        view->changes_shown = view->changes;
        view->shown_at = now;
    }
    if (view->color)
        text_add_c(out, style_on(STYLE_HINT));
    text_printf(out, "%zu row%s", view->live_count, view->live_count == 1 ? "" : "s");
    if (shown < view->live_count)
        text_printf(out, " (%zu shown)", shown);
    text_printf(out, ", %llu change%s", (unsigned long long)view->changes, view->changes == 1 ? "" : "s");
    if (!last) {
        SessionProgress progress;
        view->backend->type->progress(view->backend, &progress);
        text_printf(out, ", %.0f/s", view->rate);
        if (progress.watermark_us != TIME_MIN && progress.watermark_us != TIME_MAX) {
            char time[40];
            timestamp_format(progress.watermark_us, 3, time);
            text_printf(out, ", watermark %s", time);
        }
        text_add_c(out, view->held ? "; held: space goes on" : "; space holds, q ends");
    }
    if (view->color)
        text_add_c(out, STYLE_OFF);
    text_add_c(out, "\033[K");
}

/* Lines of others; the picture is drawn anew below them. */
static void show_above(LiveView *view)
{
    char bytes[4096];
    size_t shown = 0;
    for (size_t length; shown < ABOVE_BYTES && (length = above_take(view->above, bytes, sizeof bytes)); shown += length) {
        char erase[32];
        int erased = snprintf(erase, sizeof erase, view->drawn_lines ? "\r\033[%dA\033[J" : "\r\033[J", view->drawn_lines);
        io_write_all(view->fd, erase, (size_t)erased);
        io_write_all(view->fd, bytes, length);
        view->drawn_lines = 0;
    }
}

/* last: everything that there is, and it stays. */
static Error *draw(LiveView *view, bool last)
{
    int columns, lines;
    terminal_size(view->fd, &columns, &lines);
    size_t most = last ? 5000 : lines > 4 ? (size_t)lines - 3 : 1, shown = 0;
    Text out = { 0 };
    MEMORY_HOLD(text_unwind, &out);
    int *widths = mem_calloc((size_t)view->column_count + 1, sizeof *widths);
    measure(view, most, last ? 1 << 20 : columns, widths);
    if (view->drawn_lines)
        text_printf(&out, "\r\033[%dA", view->drawn_lines);
    text_add_c(&out, "\r");
    if (view->color)
        text_add_c(&out, style_on(STYLE_PROMPT));
    add_line(view, &out, NULL, view->names, widths);
    if (view->color)
        text_add_c(&out, STYLE_OFF);
    for (size_t i = 0; i < view->row_count && shown < most; i++)
        if (view->rows[i].cells) {
            add_line(view, &out, view->rows[i].cells, NULL, widths);
            shown++;
        }
    add_footer(view, &out, shown, last);
    text_add_c(&out, last ? "\n\033[J" : "\033[J");
    io_write_all(view->fd, text_c(&out), out.length);
    view->drawn_lines = (int)shown + 1;
    mem_free(widths);
    text_release(&out);
    return NULL;
}

/* ---- the thread that draws ---- */

static void read_keys(LiveView *view)
{
    struct pollfd keys = { 0, POLLIN, 0 };
    char typed[64];
    if (poll(&keys, 1, DRAW_MS) <= 0)
        return;
    ssize_t got = read(0, typed, sizeof typed);
    if (got <= 0)
        usleep(DRAW_MS * 1000);
    for (ssize_t i = 0; i < got; i++) {
        if (typed[i] == 'q' || typed[i] == 4)
            view->backend->type->interrupt(view->backend);
        if (typed[i] == ' ') {
            pthread_mutex_lock(&view->lock);
            view->held = !view->held;
            pthread_mutex_unlock(&view->lock);
        }
    }
}

static void *run(void *caller)
{
    LiveView *view = caller;
    bool was_held = false;
    for (bool stopping = false; !stopping;) {
        pthread_mutex_lock(&view->lock);
        Error *error = NULL;
        if (!view->stopping && !view->held)
            show_above(view);
        if (!view->stopping && (!view->held || !was_held))
            MEMORY_GUARDED(error, draw(view, false));
        error_free(error); /* without memory the picture waits */
        was_held = view->held;
        stopping = view->stopping;
        pthread_mutex_unlock(&view->lock);
        if (!stopping)
            read_keys(view);
    }
    return NULL;
}

Error *live_view_begin(LiveView *view, const ResultInfo *info)
{
    forget(view);
    view->names = mem_calloc((size_t)info->schema->column_count + 1, sizeof *view->names);
    view->right = mem_calloc((size_t)info->schema->column_count + 1, sizeof *view->right);
    for (int i = 0; i < info->schema->column_count; i++) {
        view->names[i] = mem_strdup(info->schema->columns[i].name);
        view->right[i] = type_is_numeric(info->schema->columns[i].type);
        view->column_count = i + 1;
    }
    view->vacated = SIZE_MAX;
    view->changes = view->changes_shown = 0;
    view->drawn_lines = 0;
    view->held = view->stopping = false;
    view->shown_at = seconds_now();
    TRY(raw_mode_begin(0, view->fd, false));
    view->running = pthread_create(&view->thread, NULL, run, view) == 0;
    return NULL;
}

Error *live_view_rows(LiveView *view, const Batch *batch)
{
    Error *error;
    pthread_mutex_lock(&view->lock);
    MEMORY_GUARDED(error, take_batch(view, batch));
    pthread_mutex_unlock(&view->lock);
    return error;
}

Error *live_view_end(LiveView *view)
{
    if (view->running) {
        pthread_mutex_lock(&view->lock);
        view->stopping = true;
        pthread_mutex_unlock(&view->lock);
        pthread_join(view->thread, NULL);
        view->running = false;
    }
    raw_mode_end();
    Error *error = draw(view, true);
    forget(view);
    return error;
}
