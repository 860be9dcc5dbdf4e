/* exec/op_window_fire.c: results of windows: on time, at the close, early. */
#include <string.h>
#include "common/calendar.h"
#include "exec/op_window.h"
#include "exec/value_bytes.h"

enum { COMPACT_FROM = 4096 };

/* ---- results ---- */

/* Sends out groups: states[i] is the entry of slots[i]; both arrays hold what is to come out. */
static Error *emit_groups(WindowOperator *w, Operator *op, const KeyTable *keys, const Groups *groups, int64_t end_us,
                          uint32_t *slots, char **states, uint32_t count)
{
    const int key_count = op->node->aggregate.key_count;
    const int64_t start_us = count ? grid_start(&w->grid, end_us) : 0;
    for (uint32_t done = 0; done < count;) {
        uint32_t granted, first;
        TRY(builder_reserve(&w->out, count - done, 1, &granted, &first));
        Batch *batch = w->out.batch;
        key_table_gather(keys, slots + done, granted, batch->columns, first, &batch->arena);
        put_bounds(batch->columns + key_count, first, granted, start_us, end_us);
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
static Error *emit_dense(WindowOperator *w, Operator *op, const KeyTable *keys, const Groups *groups, int64_t end_us)
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
        TRY(emit_groups(w, op, keys, groups, end_us, w->emit_slots, w->emit_states, count));
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
    put_bounds(batch->columns + key_count, row, 1, window_start(w, window), window->end_us);
    for (int call = 0; call < w->aggregates.call_count; call++) {
        Value value;
        TRY(bytes_get(&batch->arena, w->aggregates.calls[call].type, &next, end, &value));
        vector_put_value(&batch->arena, batch->columns[key_count + 3 + call], row, &value);
    }
    batch->kinds[row] = kind;
    builder_commit(&w->out, 1, w->scalars[SCALAR_WM]);
    return NULL;
}

Error *window_emit_early(WindowOperator *w, Operator *op, Window *window)
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

void window_mark_dirty(Window *window, const uint32_t *slots, uint32_t count)
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
        for (uint32_t i = 0; i < set->count && set->windows[i]->end_us <= w->on_time_end_us; i++) {
            Window *window = set->windows[i];
            if (window->fired)
                continue;
            window->fired = true;
            if (w->trigger == TRIGGER_DELAY)
                TRY(window_emit_early(w, op, window));
            else
                TRY(emit_dense(w, op, &window->keys, &window->groups, window->end_us));
        }
    while (set->count && set->windows[0]->end_us <= w->closed_end_us) {
        Window *window = set->windows[0];
        if (w->trigger == TRIGGER_FINAL || w->trigger == TRIGGER_END)
            TRY(emit_dense(w, op, &window->keys, &window->groups, window->end_us));
        window_set_drop_first(set);
    }
    return NULL;
}

/* ---- firing: panes ---- */

static uint32_t smaller(uint32_t a, uint32_t b) { return a < b ? a : b; }

/* Folds the panes from..to (indexes) block by block and sends the groups out. */
static Error *fold_panes(WindowOperator *w, Operator *op, uint32_t from, uint32_t to, int64_t end_us, uint32_t *emitted)
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
        TRY(emit_groups(w, op, &set->keys, &w->fold, end_us, w->emit_slots, w->emit_states, count));
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

/* The panes before `to` that are not in the running total yet go there; it comes out as the window that ends. */
static Error *fire_total(WindowOperator *w, Operator *op, uint32_t to, int64_t end_us, uint32_t *emitted)
{
    WindowSet *set = &w->set;
    for (uint32_t p = 0; p < to; p++)
        if (set->windows[p]->end_us > w->scalars[SCALAR_TOTAL_TO])
            move_total(w, set->windows[p], true);
    w->scalars[SCALAR_TOTAL_TO] = end_us;
    uint32_t rows = 0;
    for (uint32_t slot = 0; slot < w->total.state.slot_count; slot++)
        rows += group_rows(&w->aggregates, state_entry(&w->total.state, slot)) > 0;
    *emitted += rows;
    return emit_dense(w, op, &set->keys, &w->total, end_us);
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
    for (uint32_t slot = 0; w->cumulating && slot < w->total.state.slot_count; slot++) /* whose panes are gone */
        if (group_rows(&w->aggregates, state_entry(&w->total.state, slot)) != 0)
            bit_set(w->live, slot);
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
    const WindowGrid *grid = &w->grid;
    while (set->count) {
        /* The first window over the first pane that has not been fired. */
        int64_t end_us = grid_place(grid, set->windows[0]->end_us - 1).first_end_us;
        if (former_end_us != TIME_MIN && end_us <= former_end_us)
            end_us = grid_next_end(grid, former_end_us);
        if (end_us > w->closed_end_us)
            break;
        int64_t start_us = grid_start(grid, end_us), next_start_us = grid_start(grid, grid_next_end(grid, end_us));
        uint32_t from = 0, to = 0, emitted = 0;
        while (to < set->count && set->windows[to]->end_us <= end_us)
            to++;
        while (from < to && set->windows[from]->end_us <= start_us)
            from++;
        if (w->use_total)
            TRY(fire_total(w, op, to, end_us, &emitted));
        else if (from < to)
            TRY(fold_panes(w, op, from, to, end_us, &emitted));
        former_end_us = end_us;
        while (set->count && set->windows[0]->end_us <= next_start_us) {
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

/* Cumulating: the running total of a period takes each pane in once, comes out at every step, and is emptied at the period's end. */
static Error *fire_cumulating(WindowOperator *w, Operator *op, int64_t former_end_us)
{
    WindowSet *set = &w->set;
    const WindowGrid *grid = &w->grid;
    for (;;) {
        const bool begun = w->scalars[SCALAR_TOTAL_TO] != TIME_MIN; /* a period has come out in part */
        if (!begun && set->count == 0)
            return NULL;
        int64_t end_us = begun ? grid_next_end(grid, w->scalars[SCALAR_TOTAL_TO]) : set->windows[0]->end_us;
        if (!begun && former_end_us != TIME_MIN && end_us <= former_end_us)
            end_us = grid_next_end(grid, former_end_us); /* the pane's own window was closed before */
        if (end_us > w->closed_end_us)
            return NULL;
        uint32_t to = 0, emitted = 0;
        while (to < set->count && set->windows[to]->end_us <= end_us)
            to++;
        TRY(fire_total(w, op, to, end_us, &emitted));
        for (; to; to--)
            window_set_drop_first(set);
        former_end_us = end_us;
        if (grid_start(grid, grid_next_end(grid, end_us)) < end_us) {
            compact_keys(w, emitted);
            continue;
        }
        w->scalars[SCALAR_TOTAL_TO] = TIME_MIN;
        groups_clear(&w->total);
        if (set->count == 0)
            forget_keys(w);
        else
            compact_keys(w, emitted);
    }
}

Error *window_fire(WindowOperator *w, Operator *op, int64_t former_end_us)
{
    return w->cumulating ? fire_cumulating(w, op, former_end_us) : w->by_panes ? fire_panes(w, op, former_end_us) : fire_windows(w, op);
}
