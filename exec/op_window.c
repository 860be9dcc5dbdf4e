/* exec/op_window.c: tumbling and hopping windows.
 *
 * A row falls into [s, s + size) for every grid point s = offset + k * advance by its event time; a window closes when the clock (the
 * watermark minus the column's lag) reaches its end plus the grace. Whether a row is late is judged by the clock that the rows before
 * it make: the batch is cut into runs at the grid points of the clock, and inside a run "closed" is one comparison.
 * A window that includes its end is the normal one with times and clock moved back by a microsecond.
 *
 * State, one of two:
 *   windows   each window has its own table of groups; a row goes to all its windows. Tumbling, and hopping where results
 *             come out before the window closes, or where panes cannot be merged
 *   panes     hopping with FINAL: one table of keys, a pane of gcd(size, advance) for each row; a closing window folds its panes.
 *             Over MAX_FOLD panes a running total takes panes in and out, where every aggregate can be inverted
 *
 *      row ---> run ---> per window or pane ---> groups
 *                 clock passes end ------------> on-time result (AFTER WATERMARK, DELAY)
 *                 clock passes end + grace ----> result (FINAL), memory to the next window */
#include <string.h>
#include "common/calendar.h"
#include "exec/changes.h"
#include "exec/late_rows.h"
#include "exec/operators.h"
#include "exec/scalars.h"
#include "exec/value_bytes.h"
#include "exec/window_set.h"

enum { MAX_FOLD = 64, FOLD_BLOCK = 512, COMPACT_FROM = 4096, MAX_ENTRIES = 1 << 16 };
#define TIME_FAR (INT64_MAX / 4) /* times further from 1970 than 73,000 years count as that */

enum { SCALAR_CLOCK, SCALAR_WM, SCALAR_TOTAL_TO, SCALAR_LIVE, SCALAR_NEXT_DELAY, SCALAR_COUNT };

typedef struct WindowOperator {
    Arena arena;
    const WindowSpec *spec;
    Trigger trigger;
    bool by_panes;
    bool use_total;          /* panes: a running total */
    int64_t size_us, advance_us, offset_us, grace_us, pane_us;
    int64_t back_us;         /* from watermark to clock: lag, and 1 where ends are included */
    int64_t time_back_us;    /* from time to grid: 1 where ends are included */
    KeyLayout key_layout;
    KeyBatch key_batch;
    Aggregates aggregates;
    WindowSet set;
    Groups fold;             /* panes: FOLD_BLOCK groups */
    Groups total;            /* panes: over all slots */
    int64_t scalars[SCALAR_COUNT];
    Scalars scalars_container;
    int64_t closed_end_us;   /* windows that end here or before are closed; derived from the clock */
    int64_t on_time_end_us;  /* windows that end here or before have had their on-time result */
    int64_t next_cut_us;     /* the clock at which that changes */
    OutputBuilder out;
    GroupChanges changes;
    LateRows late;
    /* scratch of a run */
    uint32_t *identity, *rows, *slots, *run_slots;
    uint32_t capacity;
    uint32_t *entry_rows, *entry_slots, *sorted_rows, *sorted_slots;
    Window **entry_windows;
    size_t entry_capacity;
    Window **touched;
    size_t touched_capacity;
    uint32_t *emit_slots;
    char **emit_states;
    uint64_t *live;
    uint32_t *remap;
    Text early_bytes;
} WindowOperator;

/* ---- the grid ---- */

static int64_t clamp_time(int64_t time_us)
{
    return time_us > TIME_FAR ? TIME_FAR : time_us < -TIME_FAR ? -TIME_FAR : time_us;
}

/* The largest grid point start + k * step at or before the time, which is not far beyond TIME_FAR. */
static int64_t grid_floor(int64_t time_us, int64_t start_us, int64_t step_us)
{
    return time_us - floor_mod(time_us - start_us, step_us);
}

/* The largest window end at or before the clock; TIME_MIN: none, TIME_MAX: all. */
static int64_t last_end(const WindowOperator *w, int64_t clock_us)
{
    if (clock_us == TIME_MIN || clock_us == TIME_MAX)
        return clock_us;
    return grid_floor(clamp_time(clock_us), floor_mod(w->offset_us + w->size_us, w->advance_us), w->advance_us);
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
    int64_t close = time_add(time_add(w->closed_end_us, w->advance_us), w->grace_us);
    int64_t on_time = time_add(w->on_time_end_us, w->advance_us);
    bool early = w->trigger == TRIGGER_AFTER_WATERMARK || w->trigger == TRIGGER_DELAY;
    w->next_cut_us = early && on_time < close ? on_time : close;
    if (w->next_cut_us <= clock_us) /* beyond TIME_FAR */
        w->next_cut_us = TIME_MAX;
}

static int64_t clock_of(const WindowOperator *w, int64_t wm_us) { return time_sub(wm_us, w->back_us); }

static int64_t window_end(const WindowOperator *w, const Window *window) { return window->start_us + w->size_us; }

/* ---- results ---- */

/* Sends out groups: states[i] is the entry of slots[i]; both arrays hold what is to come out. */
static Error *emit_groups(WindowOperator *w, Operator *op, const KeyTable *keys, const Groups *groups, int64_t start_us,
                          uint32_t *slots, char **states, uint32_t count)
{
    const int key_count = op->node->aggregate.key_count;
    for (uint32_t done = 0; done < count;) {
        uint32_t granted, first;
        TRY(builder_reserve(&w->out, count - done, 1, &granted, &first));
        Batch *batch = w->out.batch;
        key_table_gather(keys, slots + done, granted, batch->columns, first, &batch->arena);
        put_bounds(batch->columns + key_count, first, granted, start_us, start_us + w->size_us);
        TRY(groups_result(&w->aggregates, groups, states + done, slots + done, granted, batch->columns + key_count + 3, first, op,
                          batch, &w->out.evaluation));
        if (w->out.updating)
            memset(batch->kinds + first, ROW_INSERT, granted);
        builder_commit(&w->out, granted, w->scalars[SCALAR_WM]);
        done += granted;
    }
    return NULL;
}

/* All groups of dense state that have rows, in slot order. */
static Error *emit_dense(WindowOperator *w, Operator *op, const KeyTable *keys, const Groups *groups, int64_t start_us)
{
    const bool check = w->by_panes || w->aggregates.retracting;
    for (uint32_t first = 0; first < groups->state.slot_count; first += FOLD_BLOCK) {
        uint32_t end = groups->state.slot_count - first < FOLD_BLOCK ? groups->state.slot_count : first + FOLD_BLOCK, count = 0;
        for (uint32_t slot = first; slot < end; slot++) {
            char *entry = state_entry(&groups->state, slot);
            w->emit_slots[count] = slot;
            w->emit_states[count] = entry;
            count += !check || group_rows(&w->aggregates, entry) > 0;
        }
        TRY(emit_groups(w, op, keys, groups, start_us, w->emit_slots, w->emit_states, count));
    }
    return NULL;
}

/* ---- early results: DELAY ---- */

enum { EARLY_DIRTY = 1, EARLY_OUT = 2 };

/* Rows i of the results as bytes, and back. */
static void results_to_bytes(const Aggregates *aggregates, Vector *const results[], uint32_t row, Text *bytes)
{
    bytes->length = 0;
    for (int call = 0; call < aggregates->call_count; call++)
        bytes_put(bytes, results[call], row, false);
}

static Error *emit_result_bytes(WindowOperator *w, Operator *op, const Window *window, uint32_t slot, const char *next, size_t length,
                                uint8_t kind, uint32_t least)
{
    uint32_t granted, row;
    TRY(builder_reserve(&w->out, 1, least, &granted, &row));
    Batch *batch = w->out.batch;
    const int key_count = op->node->aggregate.key_count;
    const char *end = next + length;
    key_table_gather(&window->keys, &slot, 1, batch->columns, row, &batch->arena);
    put_bounds(batch->columns + key_count, row, 1, window->start_us, window_end(w, window));
    for (int call = 0; call < w->aggregates.call_count; call++) {
        Value value;
        TRY(bytes_get(&batch->arena, w->aggregates.calls[call].type, &next, end, &value));
        vector_put_value(&batch->arena, batch->columns[key_count + 3 + call], row, &value);
    }
    batch->kinds[row] = kind;
    builder_commit(&w->out, 1, w->scalars[SCALAR_WM]);
    return NULL;
}

/* Sends out what has changed since the last early result of each group, or all that has not come out with its present value. */
static Error *emit_early(WindowOperator *w, Operator *op, Window *window)
{
    const Aggregates *aggregates = &w->aggregates;
    Evaluation evaluation = { .arena = &w->changes.arena, .now_us = op->context->now_us };
    Text *bytes = &w->early_bytes;
    Error *error = NULL;
    state_cover(&window->early, window->keys.count);
    for (uint32_t slot = 0; slot < window->keys.count && !error; slot++) {
        char *early = state_entry(&window->early, slot);
        int64_t flags;
        Str before;
        memcpy(&flags, early, 8);
        if (!(flags & EARLY_DIRTY))
            continue;
        memcpy(&before, early + 8, sizeof(before));
        early = state_touch_one(&window->early, slot);
        char *entry = state_entry(&window->groups.state, slot);
        bool lives = !aggregates->retracting || group_rows(aggregates, entry) > 0;
        arena_reset(&w->changes.arena);
        bytes->length = 0;
        if (lives) {
            Vector **results = ARENA_ARRAY(&w->changes.arena, Vector *, aggregates->call_count + 1);
            for (int call = 0; call < aggregates->call_count; call++)
                results[call] = vector_new(&w->changes.arena, aggregates->calls[call].type, 1);
            error = groups_result(aggregates, &window->groups, &entry, &slot, 1, results, 0, op, NULL, &evaluation);
            if (error)
                break;
            results_to_bytes(aggregates, results, 0, bytes);
        }
        bool was_out = flags & EARLY_OUT;
        bool same = was_out && lives && before.length == bytes->length && memcmp(str_bytes(&before), text_c(bytes), bytes->length) == 0;
        if (was_out && !same && (w->changes.with_before || !lives))
            error = emit_result_bytes(w, op, window, slot, str_bytes(&before), before.length,
                                      lives ? ROW_UPDATE_BEFORE : ROW_DELETE, lives ? 2 : 1);
        if (!error && lives && !same)
            error = emit_result_bytes(w, op, window, slot, text_c(bytes), bytes->length, was_out ? ROW_UPDATE_AFTER : ROW_INSERT, 1);
        Str view = str_view(text_c(bytes), bytes->length), stored = state_heap_store(&window->early.heap, &view, &before);
        flags = lives ? EARLY_OUT : 0;
        memcpy(early, &flags, 8);
        memcpy(early + 8, &stored, sizeof(stored));
    }
    return error;
}

static void mark_dirty(Window *window, const uint32_t *slots, uint32_t count)
{
    state_cover(&window->early, window->keys.count);
    for (uint32_t i = 0; i < count; i++)
        *(int64_t *)state_touch_one(&window->early, slots[i]) |= EARLY_DIRTY;
}

/* ---- firing: windows ---- */

static Error *fire_windows(WindowOperator *w, Operator *op)
{
    WindowSet *set = &w->set;
    if (w->trigger == TRIGGER_AFTER_WATERMARK || w->trigger == TRIGGER_DELAY)
        for (uint32_t i = 0; i < set->count && window_end(w, set->windows[i]) <= w->on_time_end_us; i++) {
            Window *window = set->windows[i];
            if (window->fired)
                continue;
            window->fired = true;
            if (w->trigger == TRIGGER_DELAY)
                TRY(emit_early(w, op, window));
            else
                TRY(emit_dense(w, op, &window->keys, &window->groups, window->start_us));
        }
    while (set->count && window_end(w, set->windows[0]) <= w->closed_end_us) {
        Window *window = set->windows[0];
        if (w->trigger == TRIGGER_FINAL || w->trigger == TRIGGER_END)
            TRY(emit_dense(w, op, &window->keys, &window->groups, window->start_us));
        window_set_drop_first(set);
    }
    return NULL;
}

/* ---- firing: panes ---- */

static uint32_t smaller(uint32_t a, uint32_t b) { return a < b ? a : b; }

/* Folds the panes from..to (indexes) block by block and sends the groups out. */
static Error *fold_panes(WindowOperator *w, Operator *op, uint32_t from, uint32_t to, int64_t start_us, uint32_t *emitted)
{
    WindowSet *set = &w->set;
    const Aggregates *aggregates = &w->aggregates;
    const size_t width = w->fold.state.width;
    char *block = state_entry(&w->fold.state, 0);
    for (uint32_t first = 0; first < set->keys.count; first += FOLD_BLOCK) {
        uint32_t chunk = first >> STATE_CHUNK_BITS, most = 0, count = 0;
        for (uint32_t p = from; p < to; p++) {
            const Groups *pane = &set->windows[p]->groups;
            if (!state_has_chunk(&pane->state, chunk) || pane->state.slot_count <= first)
                continue;
            uint32_t here = smaller(pane->state.slot_count - first, FOLD_BLOCK);
            if (most == 0 && aggregates->mergeable_by_copy) {
                memcpy(block, state_entry(&pane->state, first), here * width);
                most = here;
                continue;
            }
            if (here > most) {
                memset(block + most * width, 0, (here - most) * width);
                most = here;
            }
            groups_merge(aggregates, &w->fold, 0, pane, first, here);
        }
        for (uint32_t i = 0; i < most; i++) {
            w->emit_slots[count] = first + i;
            w->emit_states[count] = block + i * width;
            count += group_rows(aggregates, block + i * width) > 0;
        }
        TRY(emit_groups(w, op, &set->keys, &w->fold, start_us, w->emit_slots, w->emit_states, count));
        *emitted += count;
        if (w->fold.state.has_strings)
            state_heap_clear(&w->fold.state.heap);
    }
    return NULL;
}

/* Adds a pane to the running total, or takes it out. */
static void move_total(WindowOperator *w, const Window *pane, bool in)
{
    uint32_t end = pane->groups.state.slot_count;
    state_cover(&w->total.state, end);
    for (uint32_t first = 0; first < end; first += STATE_CHUNK) {
        if (!state_has_chunk(&pane->groups.state, first >> STATE_CHUNK_BITS))
            continue;
        uint32_t count = smaller(end - first, STATE_CHUNK);
        if (in)
            groups_merge(&w->aggregates, &w->total, first, &pane->groups, first, count);
        else
            groups_unmerge(&w->aggregates, &w->total, &pane->groups, first, count);
    }
}

static Error *fire_total(WindowOperator *w, Operator *op, uint32_t to, int64_t start_us, uint32_t *emitted)
{
    WindowSet *set = &w->set;
    int64_t end_us = start_us + w->size_us;
    for (uint32_t p = 0; p < to; p++)
        if (set->windows[p]->start_us >= w->scalars[SCALAR_TOTAL_TO])
            move_total(w, set->windows[p], true);
    w->scalars[SCALAR_TOTAL_TO] = end_us;
    uint32_t rows = 0;
    for (uint32_t slot = 0; slot < w->total.state.slot_count; slot++)
        rows += group_rows(&w->aggregates, state_entry(&w->total.state, slot)) > 0;
    *emitted += rows;
    return emit_dense(w, op, &set->keys, &w->total, start_us);
}

/* Keys without rows in any pane go when they are most of them. */
static void compact_keys(WindowOperator *w, uint32_t emitted)
{
    WindowSet *set = &w->set;
    uint32_t count = set->keys.count, live = 0;
    if (w->scalars[SCALAR_LIVE] < (int64_t)emitted)
        w->scalars[SCALAR_LIVE] = emitted;
    if (count < COMPACT_FROM || count < 4 * w->scalars[SCALAR_LIVE])
        return;
    size_t words = bitmap_words(count);
    w->live = mem_realloc(w->live, sizeof(uint64_t) * words);
    w->remap = mem_realloc(w->remap, sizeof(uint32_t) * count);
    memset(w->live, 0, sizeof(uint64_t) * words);
    for (uint32_t p = 0; p < set->count; p++) {
        const StateColumns *state = &set->windows[p]->groups.state;
        for (uint32_t slot = 0; slot < state->slot_count; slot++) {
            if (!state->present[slot >> STATE_CHUNK_BITS])
                slot |= STATE_CHUNK_MASK;
            else if (group_rows(&w->aggregates, state_entry(state, slot)) != 0)
                bit_set(w->live, slot);
        }
    }
    for (size_t i = 0; i < words; i++)
        live += (uint32_t)__builtin_popcountll(w->live[i]);
    w->scalars[SCALAR_LIVE] = live;
    if (live * 2 > count)
        return;
    key_table_keep(&set->keys, w->live, w->remap);
    for (uint32_t p = 0; p < set->count; p++) {
        Groups *groups = &set->windows[p]->groups;
        groups_keep(&w->aggregates, groups, w->live, w->remap, smaller(groups->state.slot_count, live));
    }
    if (w->use_total)
        groups_keep(&w->aggregates, &w->total, w->live, w->remap, smaller(w->total.state.slot_count, live));
}

/* No pane, no key: the next ones are numbered from 0 again. */
static void forget_keys(WindowOperator *w)
{
    KeyTable *keys = &w->set.keys;
    w->scalars[SCALAR_TOTAL_TO] = TIME_MIN;
    w->scalars[SCALAR_LIVE] = 0;
    if (w->use_total)
        groups_clear(&w->total);
    if (keys->index_mask > COMPACT_FROM && keys->count * 8ull < keys->index_mask)
        key_table_release(keys);
    else
        key_table_clear(keys);
}

/* Fires every window up to closed_end that has a pane; each pane's last window takes the pane with it. Everything here
 * happens per window end, so that it does not matter in which steps the clock moves. */
static Error *fire_panes(WindowOperator *w, Operator *op, int64_t former_end_us)
{
    WindowSet *set = &w->set;
    while (set->count) {
        /* The first window over the first pane that has not been fired. */
        int64_t pane_us = set->windows[0]->start_us;
        int64_t start_us = grid_floor(pane_us + w->pane_us - w->size_us - 1, w->offset_us, w->advance_us) + w->advance_us;
        if (former_end_us != TIME_MIN && start_us + w->size_us <= former_end_us)
            start_us = former_end_us - w->size_us + w->advance_us;
        int64_t end_us = start_us + w->size_us;
        if (end_us > w->closed_end_us)
            break;
        uint32_t from = 0, to = 0, emitted = 0;
        while (to < set->count && set->windows[to]->start_us < end_us)
            to++;
        while (from < to && set->windows[from]->start_us < start_us)
            from++;
        if (w->use_total)
            TRY(fire_total(w, op, to, start_us, &emitted));
        else if (from < to)
            TRY(fold_panes(w, op, from, to, start_us, &emitted));
        former_end_us = end_us;
        while (set->count && set->windows[0]->start_us < start_us + w->advance_us) {
            if (w->use_total)
                move_total(w, set->windows[0], false);
            window_set_drop_first(set);
        }
        if (set->count == 0)
            forget_keys(w);
        else
            compact_keys(w, emitted);
    }
    return NULL;
}

/* Moves the clock: fires what it makes due. The rows that come out carry the watermark from before. */
static Error *move_clock(WindowOperator *w, Operator *op, int64_t wm_us, int64_t clock_us)
{
    if (clock_us >= w->next_cut_us) {
        int64_t former_end_us = w->closed_end_us;
        set_clock(w, clock_us);
        TRY(w->by_panes ? fire_panes(w, op, former_end_us) : fire_windows(w, op));
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
    return (Evaluation){ .arena = &batch->arena, .now_us = op->context->now_us, .turn = op->context->turn };
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
        mark_dirty(window, w->slots, count);
    if (changes)
        TRY(changes_after(&w->changes, &window->groups, &window->keys, window->start_us, window_end(w, window),
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
    if (w->use_total && pane->start_us < w->scalars[SCALAR_TOTAL_TO]) {
        state_cover(&w->total.state, w->set.keys.count);
        groups_update(&w->aggregates, &w->total, batch, rows, slots, count, &evaluation);
    }
}

static Window *open_window(WindowOperator *w, int64_t start_us)
{
    Window *window = window_set_open(&w->set, start_us);
    if (!w->by_panes && start_us + w->size_us <= w->on_time_end_us)
        window->fired = true; /* opened by a late row within the grace */
    return window;
}

/* What becomes of the rows with one time: the windows they go to, or that they are late. */
typedef struct Placement {
    int64_t from_us, to_us;      /* valid for times in [from, to) */
    int64_t first_us, last_us;   /* starts of the windows (or of the pane: first = last) that take the row; first > last: none */
    uint32_t late_windows;       /* windows it belongs to that are closed */
    bool late;                   /* all of them, and there was one */
    int64_t last_start_us;       /* of the last window it belongs to */
} Placement;

static Placement place_time(const WindowOperator *w, int64_t time_us)
{
    int64_t at = clamp_time(time_us);
    int64_t step = w->by_panes ? w->pane_us : w->advance_us < w->size_us ? w->pane_us : w->advance_us;
    int64_t from = grid_floor(at, w->offset_us, step), last = grid_floor(at, w->offset_us, w->advance_us);
    Placement place = { .from_us = from, .to_us = from + step, .last_start_us = last };
    if (at - last >= w->size_us) { /* between windows */
        place.from_us = last + w->size_us;
        place.to_us = last + w->advance_us;
        place.first_us = 1;
        return place;
    }
    if (step > w->size_us)
        place.to_us = from + w->size_us;
    /* Starts of the windows over `at`: first, first + advance, .., last. */
    int64_t first = grid_floor(at - w->size_us, w->offset_us, w->advance_us) + w->advance_us;
    if (w->closed_end_us == TIME_MAX || (w->closed_end_us != TIME_MIN && last + w->size_us <= w->closed_end_us)) {
        place.late = true;
        place.late_windows = (uint32_t)((last - first) / w->advance_us + 1);
        place.first_us = 1;
        return place;
    }
    if (w->closed_end_us != TIME_MIN && first + w->size_us <= w->closed_end_us) {
        int64_t open = w->closed_end_us - w->size_us + w->advance_us;
        place.late_windows = (uint32_t)((open - first) / w->advance_us);
        first = open;
    }
    place.first_us = w->by_panes ? from : first;
    place.last_us = w->by_panes ? from : last;
    return place;
}

static void count_late(WindowOperator *w, const Placement *place, uint32_t row)
{
    w->late.windows += place->late_windows;
    if (place->late)
        late_add(&w->late, row, place->last_start_us, place->last_start_us + w->size_us);
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
    int64_t windows_a_row = w->by_panes ? 1 : w->size_us / w->advance_us + 1;
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
        for (int64_t start = place.first_us; start <= place.last_us; start += w->advance_us) {
            if (entries == w->entry_capacity)
                reserve_entries(w, w->entry_capacity * 2);
            add_entry(w, open_window(w, start), rows[i], &entries, &touched);
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
    const int64_t windows_a_row = w->by_panes ? 1 : w->size_us / w->advance_us + 1;
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

static int64_t gcd(int64_t a, int64_t b)
{
    while (b) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static Error *window_open(Operator *op)
{
    WindowOperator *w = op->state = mem_calloc(1, sizeof(WindowOperator));
    const PlanNode *node = op->node;
    const WindowSpec *spec = w->spec = &node->aggregate.window;
    arena_init(&w->arena, op->context->pool);
    w->trigger = node->aggregate.trigger;
    w->size_us = spec->size_us;
    w->advance_us = spec->kind == WINDOW_TUMBLING || spec->advance_us <= 0 ? spec->size_us : spec->advance_us;
    if (w->size_us <= 0 || w->size_us > TIME_FAR || w->advance_us > TIME_FAR)
        return error_at(ERR_BIND, node->at, "a window is longer than nothing and not longer than 73,000 years");
    w->offset_us = floor_mod(spec->offset_us, w->advance_us);
    w->grace_us = spec->grace_us;
    w->pane_us = gcd(w->size_us, w->advance_us);
    w->time_back_us = spec->end_inclusive ? 1 : 0;
    w->back_us = time_add(spec->lag_us, w->time_back_us);
    bool final = w->trigger == TRIGGER_FINAL || w->trigger == TRIGGER_END;
    bool overlapping = w->advance_us < w->size_us;
    TRY(aggregates_open(&w->aggregates, &w->arena, node, "", overlapping && final, false));
    w->by_panes = overlapping && final && w->aggregates.all_plain && !w->aggregates.order_sensitive;
    w->use_total = w->by_panes && w->size_us / w->pane_us > MAX_FOLD && w->aggregates.invertible;

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
                    TRY(emit_early(w, op, w->set.windows[i]));
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

static Error *window_restored(Operator *op)
{
    WindowOperator *w = op->state;
    set_clock(w, w->scalars[SCALAR_CLOCK]);
    return NULL;
}

const OperatorType window_operator = {
    .name = "window", .open = window_open, .close = window_close, .process = window_process, .advance = window_advance,
    .containers = window_containers, .restored = window_restored,
};
