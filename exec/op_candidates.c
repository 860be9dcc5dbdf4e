/* exec/op_candidates.c: only rows that may have the largest (smallest) value of a window pass: those whose value no row before them in the same window and
 * group has exceeded. Whoever joins windows with their largest value meets no other rows, and need not keep them.
 *
 *   window   of its end: the groups with rows so far, the largest value of each
 *
 * A row at a bound of a window counts as in it when it is compared (BETWEEN start AND end takes both), not when the largest value is taken.
 * Whether a row is late is not decided here: what lies behind the clock passes, and changes nothing. So a window can go when the clock has passed its end.
 * State: per window KeyTable + StateColumns. */
#include <string.h>

#include "common/calendar.h"
#include "exec/key_table.h"
#include "exec/operators.h"
#include "exec/row_list.h"
#include "exec/state_columns.h"
#include "exec/window_grid.h"

enum { NO_ROWS, NO_VALUE, A_VALUE };
typedef struct Best { int64_t rows, value; } Best; /* the largest; of the smallest its complement, whose order is the reverse */

typedef struct CandidateWindow {
    int64_t end_us;
    KeyTable keys;
    StateColumns best;     /* Best, by slot */
} CandidateWindow;

typedef struct Candidates {
    Container container;   /* of all windows */
    Arena arena;
    MemoryPool *pool;
    const PlanNode *node;
    WindowGrid grid;
    int64_t back_us;       /* 1: windows include their ends */
    KeyLayout key_layout;
    KeyBatch key_batch;
    const Vector **key_vectors;
    CandidateWindow **windows; /* ascending ends */
    size_t window_capacity;
    uint32_t window_count;
    RowList list;
    uint32_t *run;         /* rows that have the same windows.. */
    size_t run_capacity;
    uint32_t run_count;
    GridPlace place;       /* ..these */
    bool *passes;          /* by row of the batch */
} Candidates;

/* ---- windows ---- */

static void window_free(CandidateWindow *window)
{
    if (window->keys.layout)
        key_table_release(&window->keys);
    if (window->best.layout)
        state_release(&window->best);
    mem_free(window);
}

/* The first window that does not end before. */
static uint32_t window_place(const Candidates *c, int64_t end_us)
{
    uint32_t low = 0, high = c->window_count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (c->windows[middle]->end_us < end_us)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static CandidateWindow *window_find(const Candidates *c, int64_t end_us)
{
    uint32_t at = window_place(c, end_us);
    return at < c->window_count && c->windows[at]->end_us == end_us ? c->windows[at] : NULL;
}

static CandidateWindow *window_open(Candidates *c, int64_t end_us)
{
    CandidateWindow *window = window_find(c, end_us);
    if (window)
        return window;
    if (c->window_count == c->window_capacity)
        c->windows = mem_grow(c->windows, &c->window_capacity, (size_t)c->window_count + 1, sizeof *c->windows);
    const uint32_t at = window_place(c, end_us);
    window = mem_calloc(1, sizeof *window);
    window->end_us = end_us;
    key_table_init(&window->keys, c->pool, &c->key_layout);
    state_init(&window->best, c->pool, "ll", false);
    memmove(c->windows + at + 1, c->windows + at, sizeof *c->windows * (c->window_count - at));
    c->windows[at] = window;
    c->window_count++;
    return window;
}

/* Rows that could be compared with them are behind the clock. */
static void forget_windows(Candidates *c, int64_t clock_us)
{
    uint32_t gone = 0;
    while (gone < c->window_count && c->windows[gone]->end_us < clock_us)
        window_free(c->windows[gone++]);
    if (gone)
        memmove(c->windows, c->windows + gone, sizeof *c->windows * (c->window_count -= gone));
}

/* ---- rows ---- */

/* Compares rows with one window; `takes`: they are in it. */
static void compare_rows(Candidates *c, int64_t end_us, bool takes, const Batch *batch, const uint32_t *rows, uint32_t count)
{
    const Vector *values = batch->columns[c->node->candidates.value];
    const uint32_t mask = vector_mask(values);
    const int64_t turn = c->node->candidates.smallest ? -1 : 0;
    uint32_t *slots = c->list.slots;
    CandidateWindow *window = takes ? window_open(c, end_us) : window_find(c, end_us);
    if (takes) {
        key_table_resolve(&window->keys, &c->key_batch, rows, count, slots);
        state_cover(&window->best, window->keys.count);
    } else if (window) {
        key_table_find(&window->keys, &c->key_batch, rows, count, slots);
    }
    for (uint32_t i = 0; i < count; i++) {
        const bool null = vector_is_null(values, rows[i]);
        if (!window || slots[i] == KEY_ABSENT) { /* nothing equals NULL */
            c->passes[rows[i]] |= !null;
            continue;
        }
        const Best *best = (const Best *)state_entry(&window->best, slots[i]);
        const int64_t value = null ? 0 : ((const int64_t *)values->values)[rows[i] & mask] ^ turn;
        if (null ? !takes || best->rows != NO_ROWS : best->rows == A_VALUE && value < best->value)
            continue; /* of a group without values one row says that there is the group */
        c->passes[rows[i]] = true;
        if (takes && (null || best->rows != A_VALUE || value > best->value))
            *(Best *)state_touch_one(&window->best, slots[i]) = (Best){ null ? NO_VALUE : A_VALUE, value };
    }
}

static void compare_windows(Candidates *c, const GridPlace *place, bool takes, const Batch *batch, const uint32_t *rows, uint32_t count)
{
    if (!place->any)
        return;
    for (int64_t end_us = place->first_end_us; end_us <= place->last_end_us; end_us = grid_next_end(&c->grid, end_us))
        compare_rows(c, end_us, takes, batch, rows, count);
}

static void end_run(Candidates *c, const Batch *batch)
{
    if (c->run_count)
        compare_windows(c, &c->place, true, batch, c->run, c->run_count);
    c->run_count = 0;
}

/* A row between windows: it is in those on one side of it. */
static void take_bound_row(Candidates *c, const Batch *batch, uint32_t row, int64_t time_us)
{
    const GridPlace outside = grid_place(&c->grid, clamp_time(time_us - !c->back_us)), inside = grid_place(&c->grid, clamp_time(time_us - c->back_us));
    compare_windows(c, &outside, false, batch, &row, 1);
    compare_windows(c, &inside, true, batch, &row, 1);
}

static void take_row(Candidates *c, const Batch *batch, uint32_t row, int64_t time_us)
{
    if (time_us - 1 < c->place.from_us || time_us >= c->place.to_us) {
        end_run(c, batch);
        c->place = grid_place(&c->grid, time_us);
    }
    if (time_us - 1 < c->place.from_us)
        take_bound_row(c, batch, row, time_us);
    else
        c->run[c->run_count++] = row;
}

static void take_rows(Candidates *c, const Batch *batch, const uint32_t *rows, uint32_t count)
{
    const PlanNode *node = c->node;
    const Vector *times = batch->columns[node->candidates.window.time_column];
    const uint32_t mask = vector_mask(times);
    if (count > c->run_capacity)
        c->run = mem_grow(c->run, &c->run_capacity, count, sizeof *c->run);
    for (int i = 0; i < node->candidates.key_count; i++)
        c->key_vectors[i] = batch->columns[node->candidates.key_columns[i]];
    key_batch_prepare(&c->key_batch, c->key_vectors, batch->row_count, rows, count);
    c->place = (GridPlace){ .from_us = 1 };
    for (uint32_t i = 0; i < count; i++) {
        const int64_t wm_us = batch->wm_us ? batch->wm_us[rows[i]] : batch->wm_end_us;
        const int64_t time_us = ((const int64_t *)times->values)[rows[i] & mask];
        if (vector_is_null(times, rows[i]) || time_us < time_sub(wm_us, node->candidates.window.lag_us))
            c->passes[rows[i]] = true;
        else
            take_row(c, batch, rows[i], clamp_time(time_us));
    }
    end_run(c, batch);
}

/* ---- the operator ---- */

static const ContainerType candidates_container_type;

static Error *candidates_open(Operator *op)
{
    Candidates *c = op->state = mem_calloc(1, sizeof *c);
    const PlanNode *node = c->node = op->node;
    const int count = node->candidates.key_count;
    arena_init(&c->arena, op->context->pool);
    c->container = (Container){ &candidates_container_type, &op->pool };
    c->pool = &op->pool;
    c->back_us = node->candidates.window.end_inclusive ? 1 : 0;
    const Type **types = ARENA_ARRAY(&c->arena, const Type *, count + 1);
    c->key_vectors = ARENA_ARRAY(&c->arena, const Vector *, count + 1);
    for (int i = 0; i < count; i++)
        types[i] = node->schema.columns[node->candidates.key_columns[i]].type;
    key_layout_init(&c->key_layout, &c->arena, types, count);
    key_batch_init(&c->key_batch, &c->key_layout);
    return grid_init(&c->grid, &node->candidates.window, node->at);
}

static void candidates_close(Operator *op)
{
    Candidates *c = op->state;
    if (!c)
        return;
    for (uint32_t i = 0; i < c->window_count; i++)
        window_free(c->windows[i]);
    mem_free(c->windows);
    mem_free(c->run);
    row_list_release(&c->list);
    if (c->key_batch.layout)
        key_batch_release(&c->key_batch);
    arena_release(&c->arena);
    mem_free(c);
    op->state = NULL;
}

static Error *candidates_process(Operator *op, int input, Batch *batch)
{
    (void)input;
    Candidates *c = op->state;
    uint32_t count, passed = 0;
    Batch *out = batch_share(batch);
    batch_release(batch);
    const uint32_t *rows = row_list_take(&c->list, out, NULL, 0, &count);
    uint32_t *kept = ARENA_ARRAY(&out->arena, uint32_t, (size_t)count + 1);
    c->passes = ARENA_ARRAY(&out->arena, bool, (size_t)out->row_count + 1);
    if (count)
        take_rows(c, out, rows, count);
    for (uint32_t i = 0; i < count; i++) {
        kept[passed] = rows[i];
        passed += c->passes[rows[i]];
    }
    c->passes = NULL;
    out->selection = (Selection){ passed, kept };
    return output_push(op, PORT_MAIN, out);
}

static Error *candidates_advance(Operator *op, int64_t wm_us)
{
    Candidates *c = op->state;
    forget_windows(c, time_sub(wm_us, c->node->candidates.window.lag_us));
    return NULL;
}

static int candidates_containers(Operator *op, Container **containers, int capacity)
{
    if (capacity)
        containers[0] = &((Candidates *)op->state)->container;
    return 1;
}

static void candidates_write(const Container *container, Text *snapshot)
{
    const Candidates *c = (const Candidates *)container;
    PageWriter page = page_begin(snapshot, PAGE_WINDOWS, 1, 0, c->window_count);
    for (uint32_t i = 0; i < c->window_count; i++)
        page_put_u64(&page, (uint64_t)c->windows[i]->end_us);
    page_end(&page);
    for (uint32_t i = 0; i < c->window_count; i++) {
        container_write(&c->windows[i]->keys.container, snapshot);
        container_write(&c->windows[i]->best.container, snapshot);
    }
}

static Error *candidates_read(Container *container, SnapshotReader *reader)
{
    Candidates *c = (Candidates *)container;
    PageReader page;
    TRY(page_open(reader, PAGE_WINDOWS, 1, 0, &page));
    while (c->window_count)
        window_free(c->windows[--c->window_count]);
    for (uint64_t i = 0; i < page.rows; i++) {
        uint64_t end_us;
        TRY(page_get_u64(&page, &end_us));
        if (c->window_count && (int64_t)end_us <= c->windows[c->window_count - 1]->end_us)
            return page_damaged("windows are out of order");
        window_open(c, (int64_t)end_us);
    }
    TRY(page_close(&page));
    for (uint32_t i = 0; i < c->window_count; i++) {
        TRY(container_read(&c->windows[i]->keys.container, reader));
        TRY(container_read(&c->windows[i]->best.container, reader));
        if (c->windows[i]->best.slot_count != c->windows[i]->keys.count)
            return page_damaged("windows without values");
    }
    return NULL;
}

static uint64_t candidates_rows(const Container *container)
{
    const Candidates *c = (const Candidates *)container;
    uint64_t rows = 0;
    for (uint32_t i = 0; i < c->window_count; i++)
        rows += c->windows[i]->keys.count;
    return rows;
}

static const ContainerType candidates_container_type = { "windows", candidates_write, candidates_read, candidates_rows };

const OperatorType candidates_operator = {
    .name = "candidates", .open = candidates_open, .close = candidates_close, .process = candidates_process, .advance = candidates_advance,
    .containers = candidates_containers,
};
