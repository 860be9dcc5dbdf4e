/* exec/op_window.c: tumbling, hopping and cumulating windows, on a regular grid or by the calendar of a time zone: rows in.
 *
 * By its event time a row falls into windows [start, end) of the grid (window_grid.h); a window closes when the clock (the
 * watermark minus the column's lag) reaches its end plus the grace. Whether a row is late is judged by the clock that the rows before
 * it make: the batch is cut into runs at the grid points of the clock, and inside a run "closed" is one comparison.
 * A window that includes its end is the normal one with times and clock moved back by a microsecond.
 *
 * State, one of two:
 *   windows   each window has its own table of groups; a row goes to all its windows. Tumbling, and the others where results
 *             come out before the window closes, or where panes cannot be merged
 *   panes     overlapping windows with FINAL: one table of keys, a pane of gcd(size, advance) for each row; a closing window folds its panes.
 *             Over MAX_FOLD panes a running total takes panes in and out, where every aggregate can be inverted; of cumulating windows
 *             it only takes panes in
 *
 *      row ---> run ---> per window or pane ---> groups
 *                 clock passes end ------------> on-time result (AFTER WATERMARK, DELAY)
 *                 clock passes end + grace ----> result (FINAL), memory to the next window */
#include "exec/op_window.h"
#include <string.h>
#include "common/calendar.h"

enum { MAX_FOLD = 64, MAX_ENTRIES = 1 << 16 };

/* ---- the clock ---- */

/* The largest window end at or before the clock; TIME_MIN: none, TIME_MAX: all. */
static int64_t last_end(const WindowOperator *w, int64_t clock_us)
{
    return clock_us == TIME_MIN || clock_us == TIME_MAX ? clock_us : grid_last_end(&w->grid, clock_us);
}

static void set_clock(WindowOperator *w, int64_t clock_us)
{
    w->scalars[SCALAR_CLOCK] = clock_us;
    w->closed_end_us = last_end(w, time_sub(clock_us, w->grace_us));
    w->on_time_end_us = last_end(w, clock_us);
    if (clock_us == TIME_MIN) {
        w->next_cut_us = TIME_MIN + 1;
        return;
    }
    if (clock_us == TIME_MAX) {
        w->next_cut_us = TIME_MAX;
        return;
    }
    bool early = w->trigger == TRIGGER_AFTER_WATERMARK || w->trigger == TRIGGER_DELAY;
    int64_t closed_us = w->closed_end_us == TIME_MIN ? last_end(w, TIME_MIN + 1) : w->closed_end_us; /* before all time */
    int64_t close = time_add(grid_next_end(&w->grid, closed_us), w->grace_us);
    int64_t on_time = early ? grid_next_end(&w->grid, w->on_time_end_us) : TIME_MAX;
    w->next_cut_us = on_time < close ? on_time : close;
    if (w->next_cut_us <= clock_us) /* beyond TIME_FAR */
        w->next_cut_us = TIME_MAX;
}

static int64_t clock_of(const WindowOperator *w, int64_t wm_us) { return time_sub(wm_us, w->back_us); }

/* Moves the clock: fires what it makes due. The rows that come out carry the watermark from before. */
static Error *move_clock(WindowOperator *w, Operator *op, int64_t wm_us, int64_t clock_us)
{
    if (clock_us >= w->next_cut_us) {
        int64_t former_end_us = w->closed_end_us;
        set_clock(w, clock_us);
        TRY(window_fire(w, op, former_end_us));
    }
    if (clock_us > w->scalars[SCALAR_CLOCK])
        w->scalars[SCALAR_CLOCK] = clock_us;
    if (wm_us > w->scalars[SCALAR_WM])
        w->scalars[SCALAR_WM] = wm_us;
    return NULL;
}

/* ---- taking rows ---- */

static void reserve_rows(WindowOperator *w, uint32_t row_count)
{
    if (w->capacity >= row_count)
        return;
    w->capacity = 0;
    w->identity = mem_realloc(w->identity, sizeof(uint32_t) * row_count);
    w->rows = mem_realloc(w->rows, sizeof(uint32_t) * row_count);
    w->slots = mem_realloc(w->slots, sizeof(uint32_t) * row_count);
    w->run_slots = mem_realloc(w->run_slots, sizeof(uint32_t) * row_count);
    for (uint32_t i = 0; i < row_count; i++)
        w->identity[i] = i;
    w->capacity = row_count;
}

static void reserve_entries(WindowOperator *w, size_t count)
{
    if (w->entry_capacity >= count)
        return;
    w->entry_capacity = 0;
    w->entry_rows = mem_realloc(w->entry_rows, sizeof(uint32_t) * count);
    w->entry_slots = mem_realloc(w->entry_slots, sizeof(uint32_t) * count);
    w->sorted_rows = mem_realloc(w->sorted_rows, sizeof(uint32_t) * count);
    w->sorted_slots = mem_realloc(w->sorted_slots, sizeof(uint32_t) * count);
    w->entry_windows = mem_realloc(w->entry_windows, sizeof(Window *) * count);
    w->entry_capacity = count;
}

static Evaluation batch_evaluation(Operator *op, Batch *batch)
{
    return (Evaluation){ .arena = &batch->arena, .now_us = op->context->now_us, .turn = op->context->turn, .first_row = batch->first_row };
}

/* Rows of one window: resolves their keys there, adds them, sends out changes. */
static Error *take_window_rows(WindowOperator *w, Operator *op, Window *window, Batch *batch, const uint32_t *rows, uint32_t count)
{
    Evaluation evaluation = batch_evaluation(op, batch);
    uint32_t former = window->keys.count;
    key_table_resolve(&window->keys, &w->key_batch, rows, count, w->slots);
    state_cover(&window->groups.state, window->keys.count);
    bool changes = w->trigger == TRIGGER_CHANGES || (w->trigger == TRIGGER_AFTER_WATERMARK && window->fired) ||
                   (w->trigger == TRIGGER_DELAY && window->fired);
    if (changes)
        TRY(changes_before(&w->changes, &window->groups, w->slots, count, former));
    groups_update(&w->aggregates, &window->groups, batch, rows, w->slots, count, &evaluation);
    if (w->trigger == TRIGGER_DELAY && !window->fired)
        window_mark_dirty(window, w->slots, count);
    if (changes)
        TRY(changes_after(&w->changes, &window->groups, &window->keys, window_start(w, window), window->end_us,
                          w->scalars[SCALAR_WM]));
    return NULL;
}

/* Rows of one pane whose slots are known. */
static void take_pane_rows(WindowOperator *w, Operator *op, Window *pane, Batch *batch, const uint32_t *rows, const uint32_t *slots,
                           uint32_t count)
{
    Evaluation evaluation = batch_evaluation(op, batch);
    state_cover(&pane->groups.state, w->set.keys.count);
    groups_update(&w->aggregates, &pane->groups, batch, rows, slots, count, &evaluation);
    if (w->use_total && pane->end_us <= w->scalars[SCALAR_TOTAL_TO]) {
        state_cover(&w->total.state, w->set.keys.count);
        groups_update(&w->aggregates, &w->total, batch, rows, slots, count, &evaluation);
    }
}

static Window *open_window(WindowOperator *w, int64_t end_us)
{
    Window *window = window_set_open(&w->set, end_us);
    if (!w->by_panes && end_us <= w->on_time_end_us)
        window->fired = true; /* opened by a late row within the grace */
    return window;
}

/* What becomes of the rows with one time: the windows they go to, or that they are late. */
typedef struct Placement {
    int64_t from_us, to_us;      /* valid for times in [from, to) */
    int64_t first_us, last_us;   /* ends of the windows (or of the pane: first = last) that take the row; first > last: none */
    uint32_t late_windows;       /* windows it belongs to that are closed */
    bool late;                   /* all of them, and there was one */
    int64_t last_end_us;         /* of the last window it belongs to */
} Placement;

static Placement place_time(const WindowOperator *w, int64_t time_us)
{
    const GridPlace on = grid_place(&w->grid, time_us);
    const int64_t closed_us = w->closed_end_us;
    Placement place = { .from_us = on.from_us, .to_us = on.to_us, .first_us = 1, .last_end_us = on.last_end_us };
    if (!on.any)
        return place;
    if (closed_us != TIME_MIN && on.last_end_us <= closed_us) {
        place.late = true;
        place.late_windows = (uint32_t)grid_count_ends(&w->grid, on.first_end_us, on.last_end_us);
        return place;
    }
    place.first_us = on.first_end_us;
    place.last_us = on.last_end_us;
    if (closed_us != TIME_MIN && on.first_end_us <= closed_us) {
        place.late_windows = (uint32_t)grid_count_ends(&w->grid, on.first_end_us, closed_us);
        place.first_us = grid_next_end(&w->grid, closed_us);
    }
    if (w->by_panes)
        place.first_us = place.last_us = on.to_us;
    return place;
}

static void count_late(WindowOperator *w, const Placement *place, uint32_t row)
{
    w->late.windows += place->late_windows;
    if (place->late)
        late_add(&w->late, row, grid_start(&w->grid, place->last_end_us), place->last_end_us);
}

static Error *take_touched(WindowOperator *w, Operator *op, Batch *batch, uint32_t entries, uint32_t touched)
{
    uint32_t offset = 0;
    for (uint32_t i = 0; i < touched; i++) {
        w->touched[i]->run_offset = offset;
        offset += w->touched[i]->run_count;
    }
    for (uint32_t i = 0; i < entries; i++) {
        uint32_t place = w->entry_windows[i]->run_offset++;
        w->sorted_rows[place] = w->entry_rows[i];
        if (w->by_panes)
            w->sorted_slots[place] = w->entry_slots[i];
    }
    Error *error = NULL;
    for (uint32_t i = 0; i < touched; i++) {
        Window *window = w->touched[i];
        uint32_t count = window->run_count, first = window->run_offset - count;
        window->run_count = 0;
        if (error)
            continue;
        if (w->by_panes)
            take_pane_rows(w, op, window, batch, w->sorted_rows + first, w->sorted_slots + first, count);
        else
            error = take_window_rows(w, op, window, batch, w->sorted_rows + first, count);
    }
    return error;
}

static void add_entry(WindowOperator *w, Window *window, uint32_t row, uint32_t *entries, uint32_t *touched)
{
    if (window->run_count++ == 0) {
        if (*touched == w->touched_capacity)
            w->touched = mem_grow(w->touched, &w->touched_capacity, (size_t)*touched + 1, sizeof(Window *));
        w->touched[(*touched)++] = window;
    }
    w->entry_windows[*entries] = window;
    w->entry_rows[(*entries)++] = row;
}

/* Rows over several windows, in the order of the rows within each. */
static Error *take_scattered(WindowOperator *w, Operator *op, Batch *batch, const int64_t *times, uint32_t time_mask,
                             const uint32_t *rows, uint32_t count)
{
    uint32_t entries = 0, touched = 0;
    Placement place = { .from_us = 1 };
    Window *window = NULL; /* of `place`, where it is one */
    int64_t windows_a_row = w->by_panes ? 1 : grid_windows_a_row(&w->grid);
    reserve_entries(w, (size_t)count + (size_t)windows_a_row);
    for (uint32_t i = 0; i < count; i++) {
        int64_t time_us = times[rows[i] & time_mask] - w->time_back_us;
        if (time_us < place.from_us || time_us >= place.to_us) {
            place = place_time(w, time_us);
            window = NULL;
        }
        if (place.late_windows)
            count_late(w, &place, rows[i]);
        if (place.first_us > place.last_us)
            continue;
        if (place.first_us == place.last_us) {
            if (!window)
                window = open_window(w, place.first_us);
            if (entries == w->entry_capacity)
                reserve_entries(w, w->entry_capacity * 2);
            add_entry(w, window, rows[i], &entries, &touched);
            continue;
        }
        for (int64_t end = place.first_us; end <= place.last_us; end = grid_next_end(&w->grid, end)) {
            if (entries == w->entry_capacity)
                reserve_entries(w, w->entry_capacity * 2);
            add_entry(w, open_window(w, end), rows[i], &entries, &touched);
        }
    }
    if (w->by_panes && entries)
        key_table_resolve(&w->set.keys, &w->key_batch, w->entry_rows, entries, w->entry_slots);
    return take_touched(w, op, batch, entries, touched);
}

/* Rows during which nothing closes. */
static Error *take_run(WindowOperator *w, Operator *op, Batch *batch, const int64_t *times, uint32_t time_mask, const uint32_t *rows,
                       uint32_t count)
{
    const int64_t windows_a_row = w->by_panes ? 1 : grid_windows_a_row(&w->grid);
    const uint32_t most = windows_a_row >= MAX_ENTRIES ? 1 : (uint32_t)(MAX_ENTRIES / windows_a_row);
    for (; count > most; rows += most, count -= most) /* bounds the scratch memory */
        TRY(take_run(w, op, batch, times, time_mask, rows, most));
    int64_t low = INT64_MAX, high = INT64_MIN;
    for (uint32_t i = 0; i < count; i++) {
        int64_t time_us = times[rows[i] & time_mask];
        low = time_us < low ? time_us : low;
        high = time_us > high ? time_us : high;
    }
    if (low < -TIME_FAR || high > TIME_FAR)
        return take_scattered(w, op, batch, times, time_mask, rows, count);
    Placement place = place_time(w, low - w->time_back_us);
    if (high - w->time_back_us >= place.to_us || place.late_windows || place.first_us != place.last_us)
        return take_scattered(w, op, batch, times, time_mask, rows, count);
    Window *window = open_window(w, place.first_us);
    if (!w->by_panes)
        return take_window_rows(w, op, window, batch, rows, count);
    key_table_resolve(&w->set.keys, &w->key_batch, rows, count, w->run_slots);
    take_pane_rows(w, op, window, batch, rows, w->run_slots, count);
    return NULL;
}

/* The rows of the batch that count; those with NULL keys go where the node says so. */
static const uint32_t *batch_rows(WindowOperator *w, Operator *op, const Batch *batch, uint32_t *count)
{
    const PlanNode *node = op->node;
    reserve_rows(w, batch->row_count);
    const uint32_t *rows = batch->selection.rows ? batch->selection.rows : w->identity;
    *count = batch->selection.count;
    if (!node->aggregate.drop_null_keys)
        return rows;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < *count; i++) {
        bool null = false;
        for (int key = 0; key < node->aggregate.key_count; key++)
            null = null || vector_is_null(batch->columns[node->aggregate.key_columns[key]], rows[i]);
        w->rows[kept] = rows[i];
        kept += !null;
    }
    *count = kept;
    return w->rows;
}

static Error *take_batch(WindowOperator *w, Operator *op, Batch *batch)
{
    uint32_t count;
    const uint32_t *rows = batch_rows(w, op, batch, &count);
    const Vector *keys[64], **key_vectors = keys;
    const PlanNode *node = op->node;
    if (node->aggregate.key_count > 64)
        key_vectors = ARENA_ARRAY(&batch->arena, const Vector *, node->aggregate.key_count);
    for (int i = 0; i < node->aggregate.key_count; i++)
        key_vectors[i] = batch->columns[node->aggregate.key_columns[i]];
    if (count == 0)
        return NULL;
    key_batch_prepare(&w->key_batch, key_vectors, batch->row_count, rows, count);
    if (w->spec->processing_time) {
        const int64_t now_us = op->context->now_us;
        TRY(move_clock(w, op, w->scalars[SCALAR_WM], time_sub(now_us, w->time_back_us)));
        return take_run(w, op, batch, &now_us, 0, rows, count);
    }
    const Vector *time = batch->columns[w->spec->time_column];
    for (uint32_t i = 0; i < count;) {
        int64_t wm_us = batch->wm_us ? batch->wm_us[rows[i]] : batch->wm_end_us;
        TRY(move_clock(w, op, wm_us, clock_of(w, wm_us)));
        uint32_t end = count;
        if (batch->wm_us && clock_of(w, batch->wm_us[rows[count - 1]]) >= w->next_cut_us) {
            uint32_t low = i + 1; /* the first row after i whose clock reaches the next cut */
            while (low < end) {
                uint32_t middle = (low + end) / 2;
                if (clock_of(w, batch->wm_us[rows[middle]]) >= w->next_cut_us)
                    end = middle;
                else
                    low = middle + 1;
            }
        }
        TRY(take_run(w, op, batch, time->values, vector_mask(time), rows + i, end - i));
        if (batch->wm_us && batch->wm_us[rows[end - 1]] > w->scalars[SCALAR_WM])
            w->scalars[SCALAR_WM] = batch->wm_us[rows[end - 1]];
        i = end;
    }
    return NULL;
}

/* ---- the operator ---- */

static Error *window_open(Operator *op)
{
    WindowOperator *w = op->state = mem_calloc(1, sizeof(WindowOperator));
    const PlanNode *node = op->node;
    const WindowSpec *spec = w->spec = &node->aggregate.window;
    arena_init(&w->arena, op->context->pool);
    w->trigger = node->aggregate.trigger;
    TRY(grid_init(&w->grid, spec, node->at));
    w->grace_us = spec->grace_us;
    w->time_back_us = spec->end_inclusive ? 1 : 0;
    w->back_us = time_add(spec->lag_us, w->time_back_us);
    bool final = w->trigger == TRIGGER_FINAL || w->trigger == TRIGGER_END;
    bool overlapping = w->grid.overlapping;
    TRY(aggregates_open(&w->aggregates, &w->arena, node, "", overlapping && final, false));
    w->by_panes = overlapping && final && w->aggregates.all_plain && !w->aggregates.order_sensitive;
    w->cumulating = w->by_panes && spec->kind == WINDOW_CUMULATING;
    int64_t panes = w->grid.regular ? w->grid.size_us / w->grid.pane_us : w->grid.hops;
    w->use_total = w->cumulating || (w->by_panes && panes > MAX_FOLD && w->aggregates.invertible);

    const Type **types = ARENA_ARRAY(&w->arena, const Type *, node->aggregate.key_count + 1);
    for (int i = 0; i < node->aggregate.key_count; i++)
        types[i] = node->inputs[0].node->schema.columns[node->aggregate.key_columns[i]].type;
    key_layout_init(&w->key_layout, &w->arena, types, node->aggregate.key_count);
    key_batch_init(&w->key_batch, &w->key_layout);
    window_set_init(&w->set, &op->pool, &w->key_layout, &w->aggregates, w->by_panes, w->trigger == TRIGGER_DELAY);
    groups_init(&w->total, &op->pool, &w->aggregates, false);
    groups_init(&w->fold, &op->pool, &w->aggregates, false);
    if (w->by_panes)
        state_cover(&w->fold.state, FOLD_BLOCK);
    for (int i = 0; i < SCALAR_COUNT; i++)
        w->scalars[i] = TIME_MIN;
    w->scalars[SCALAR_LIVE] = 0;
    scalars_init(&w->scalars_container, &op->pool, w->scalars, SCALAR_COUNT);
    set_clock(w, TIME_MIN);
    builder_init(&w->out, op, PORT_MAIN, &node->schema, !final);
    changes_init(&w->changes, op, &w->aggregates, &w->out);
    w->emit_slots = mem_alloc(sizeof(uint32_t) * FOLD_BLOCK);
    w->emit_states = mem_alloc(sizeof(char *) * FOLD_BLOCK);
    return NULL;
}

static void window_close(Operator *op)
{
    WindowOperator *w = op->state;
    if (!w)
        return;
    builder_release(&w->out);
    changes_release(&w->changes);
    late_release(&w->late);
    window_set_release(&w->set);
    groups_release(&w->total);
    groups_release(&w->fold);
    if (w->key_batch.layout)
        key_batch_release(&w->key_batch);
    aggregates_close(&w->aggregates);
    void *scratch[] = { w->identity, w->rows, w->slots, w->run_slots, w->entry_rows, w->entry_slots, w->sorted_rows, w->sorted_slots,
                        w->entry_windows, w->touched, w->emit_slots, w->emit_states, w->live, w->remap };
    for (size_t i = 0; i < sizeof(scratch) / sizeof(scratch[0]); i++)
        mem_free(scratch[i]);
    text_release(&w->early_bytes);
    arena_release(&w->arena);
    mem_free(w);
    op->state = NULL;
}

static Error *window_process(Operator *op, int input, Batch *batch)
{
    (void)input;
    WindowOperator *w = op->state;
    Error *error = take_batch(w, op, batch);
    if (!error)
        error = builder_flush(&w->out);
    if (!error)
        error = late_flush(&w->late, op, batch, w->spec->lag_us);
    batch_release(batch);
    return error;
}

static Error *window_advance(Operator *op, int64_t wm_us)
{
    WindowOperator *w = op->state;
    int64_t now_us = op->context->now_us;
    int64_t clock_us = clock_of(w, wm_us);
    if (w->spec->processing_time && wm_us != TIME_MAX)
        clock_us = time_sub(now_us, w->time_back_us);
    TRY(move_clock(w, op, wm_us, clock_us));
    if (w->trigger == TRIGGER_DELAY && !op->node->inputs[0].node->traits.bounded) {
        if (w->scalars[SCALAR_NEXT_DELAY] != TIME_MIN && now_us >= w->scalars[SCALAR_NEXT_DELAY])
            for (uint32_t i = 0; i < w->set.count; i++)
                if (!w->set.windows[i]->fired)
                    TRY(window_emit_early(w, op, w->set.windows[i]));
        if (now_us >= w->scalars[SCALAR_NEXT_DELAY])
            w->scalars[SCALAR_NEXT_DELAY] = time_add(now_us, op->node->aggregate.delay_us);
    }
    return builder_flush(&w->out);
}

static int window_containers(Operator *op, Container **containers, int capacity)
{
    WindowOperator *w = op->state;
    Container *all[] = { &w->scalars_container.container, &w->set.container, &w->total.container };
    int count = w->use_total ? 3 : 2;
    for (int i = 0; i < count && i < capacity; i++)
        containers[i] = all[i];
    return count;
}

static int64_t window_next_close(const Operator *op)
{
    const WindowOperator *w = op->state;
    if (w->set.count == 0 || w->spec->processing_time)
        return TIME_MAX;
    int64_t first_us = w->set.windows[0]->end_us, end_us = grid_last_end(&w->grid, first_us);
    if (end_us < first_us) /* of a pane inside windows: the first of them that ends */
        end_us = grid_next_end(&w->grid, end_us);
    return time_add(time_add(end_us, w->grace_us), w->back_us);
}

static int64_t window_open_windows(const Operator *op) { return ((const WindowOperator *)op->state)->set.count; }

static Error *window_restored(Operator *op)
{
    WindowOperator *w = op->state;
    set_clock(w, w->scalars[SCALAR_CLOCK]);
    return NULL;
}

const OperatorType window_operator = {
    .name = "window", .open = window_open, .close = window_close, .process = window_process, .advance = window_advance,
    .containers = window_containers, .next_close = window_next_close, .open_windows = window_open_windows, .restored = window_restored,
};
