/* exec/op_window_keyed.c: final results of windows of keys that have each a clock of its own (TIMESTAMP BY .. OVER key), where nothing else goes by these clocks
 * (planner/rewrite/keyed_windows.c): they come out as those of substreams do (substreams.h).
 *
 * A key's clock is the largest time among its rows before the one at hand. A row takes effect as everywhere else: it goes into the windows that
 * the clock has left open, the clock moves, and the key's windows that are due come out, the earliest first. Keys do not know of each other,
 * so one that is hours behind loses nothing, and one that is silent keeps its windows open till the end of the input. There keys end one after the other.
 *
 *   clock     of a key, in StateColumns: largest time | first open window of its groups + 1
 *   window    of a group: end | the next one of the same clock + 1, by end, then by arrival | OPEN or DONE | number of its clock
 *
 * State: KeyTable of clocks, clocks, KeyTable over (keys, window end), Groups, scalars. */
#include <stdlib.h>
#include <string.h>

#include "common/calendar.h"
#include "exec/changes.h"
#include "exec/late_rows.h"
#include "exec/operators.h"
#include "exec/row_list.h"
#include "exec/scalars.h"
#include "exec/window_grid.h"

enum { CLOCK_TIME, CLOCK_FIRST, CLOCK_FIELDS };
enum { WINDOW_END, WINDOW_NEXT, WINDOW_STATE, WINDOW_CLOCK };
enum { STATE_NEW, STATE_OPEN, STATE_DONE };
enum { SCALAR_WM, SCALAR_DONE, SCALAR_COUNT };
enum { COMPACT_FROM = 1024 };

typedef struct KeyedWindows {
    Arena arena;
    const WindowSpec *window;
    WindowGrid grid;
    int64_t back_us;            /* (s, e]: times count as a microsecond earlier */
    KeyLayout clock_layout, key_layout;
    KeyBatch clock_batch, key_batch;
    KeyTable clock_keys, keys;
    StateColumns clocks;
    Aggregates aggregates;
    Groups groups;
    int64_t scalars[SCALAR_COUNT];
    Scalars scalars_container;
    OutputBuilder out;
    RowList list;
    LateRows late;
    const Vector **clock_vectors, **key_vectors; /* the last key: ends, by row */
    uint64_t *live;
    uint32_t *remap;
    size_t live_capacity, remap_capacity;
} KeyedWindows;

static int64_t *window_of(const KeyedWindows *w, uint32_t slot) { return (int64_t *)state_entry(&w->groups.state, slot); }
static int64_t *clock_of(const KeyedWindows *w, uint32_t number) { return (int64_t *)state_entry(&w->clocks, number); }
static bool is_clock_key(const PlanNode *node, int key) { return node->aggregate.clock_keys >> key & 1; }

static Error *keyed_open(Operator *op)
{
    KeyedWindows *w = op->state = mem_calloc(1, sizeof *w);
    const PlanNode *node = op->node;
    const int key_count = node->aggregate.key_count;
    arena_init(&w->arena, op->context->pool);
    w->window = &node->aggregate.window;
    w->back_us = w->window->end_inclusive ? 1 : 0;
    TRY(grid_init(&w->grid, w->window, node->at));
    TRY(aggregates_open(&w->aggregates, &w->arena, node, "llll", false, false));
    const Type **types = ARENA_ARRAY(&w->arena, const Type *, (size_t)key_count + 1), **clock_types = ARENA_ARRAY(&w->arena, const Type *, (size_t)key_count + 1);
    w->key_vectors = ARENA_ARRAY(&w->arena, const Vector *, (size_t)key_count + 1);
    w->clock_vectors = ARENA_ARRAY(&w->arena, const Vector *, (size_t)key_count + 1);
    int clocks = 0;
    for (int i = 0; i < key_count; i++) {
        types[i] = node->schema.columns[i].type;
        if (is_clock_key(node, i))
            clock_types[clocks++] = types[i];
    }
    types[key_count] = type_scalar(TYPE_TIMESTAMP);
    key_layout_init(&w->key_layout, &w->arena, types, key_count + 1);
    key_batch_init(&w->key_batch, &w->key_layout);
    key_table_init(&w->keys, &op->pool, &w->key_layout);
    key_layout_init(&w->clock_layout, &w->arena, clock_types, clocks);
    key_batch_init(&w->clock_batch, &w->clock_layout);
    key_table_init(&w->clock_keys, &op->pool, &w->clock_layout);
    state_init(&w->clocks, &op->pool, "ll", false);
    groups_init(&w->groups, &op->pool, &w->aggregates, false);
    w->scalars[SCALAR_WM] = TIME_MIN;
    scalars_init(&w->scalars_container, &op->pool, w->scalars, SCALAR_COUNT);
    builder_init(&w->out, op, PORT_MAIN, &node->schema, false);
    return NULL;
}

static void keyed_close(Operator *op)
{
    KeyedWindows *w = op->state;
    if (!w)
        return;
    builder_release(&w->out);
    if (w->clocks.layout)
        state_release(&w->clocks);
    if (w->clock_keys.layout)
        key_table_release(&w->clock_keys);
    if (w->keys.layout)
        key_table_release(&w->keys);
    groups_release(&w->groups);
    if (w->clock_batch.layout)
        key_batch_release(&w->clock_batch);
    if (w->key_batch.layout)
        key_batch_release(&w->key_batch);
    aggregates_close(&w->aggregates);
    row_list_release(&w->list);
    late_release(&w->late);
    arena_release(&w->arena);
    mem_free(w->live);
    mem_free(w->remap);
    mem_free(w);
    op->state = NULL;
}

/* ---- what comes out ---- */

static Error *emit(KeyedWindows *w, Operator *op, uint32_t slot)
{
    const int key_count = op->node->aggregate.key_count;
    const int64_t end_us = window_of(w, slot)[WINDOW_END];
    uint32_t granted, row;
    TRY(builder_reserve(&w->out, 1, 1, &granted, &row));
    Batch *batch = w->out.batch;
    char *state = state_touch_one(&w->groups.state, slot);
    key_table_gather(&w->keys, &slot, 1, batch->columns, row, &batch->arena);
    put_bounds(batch->columns + key_count, row, 1, grid_start(&w->grid, end_us), end_us);
    TRY(groups_result(&w->aggregates, &w->groups, &state, &slot, 1, batch->columns + key_count + 3, row, op, batch, &w->out.evaluation));
    builder_commit(&w->out, 1, w->scalars[SCALAR_WM]);
    window_of(w, slot)[WINDOW_STATE] = STATE_DONE;
    w->scalars[SCALAR_DONE]++;
    return NULL;
}

/* The windows of the clock's key that are due. */
static Error *fire(KeyedWindows *w, Operator *op, uint32_t number)
{
    int64_t *clock = (int64_t *)state_touch_one(&w->clocks, number);
    const int64_t close_us = time_sub(time_sub(clock[CLOCK_TIME], w->back_us), w->window->grace_us);
    while (clock[CLOCK_FIRST]) {
        const uint32_t slot = (uint32_t)clock[CLOCK_FIRST] - 1;
        if (window_of(w, slot)[WINDOW_END] > close_us)
            break;
        TRY(emit(w, op, slot));
        clock[CLOCK_FIRST] = window_of(w, slot)[WINDOW_NEXT];
    }
    return NULL;
}

/* ---- what comes in ---- */

/* A new window takes its place among those of its clock: behind those that end with it. */
static void link_window(KeyedWindows *w, uint32_t number, uint32_t slot, int64_t end_us)
{
    int64_t *window = window_of(w, slot), *link = &((int64_t *)state_touch_one(&w->clocks, number))[CLOCK_FIRST];
    while (*link && window_of(w, (uint32_t)*link - 1)[WINDOW_END] <= end_us) {
        const uint32_t before = (uint32_t)*link - 1;
        state_touch_one(&w->groups.state, before);
        link = &window_of(w, before)[WINDOW_NEXT];
    }
    window[WINDOW_END] = end_us;
    window[WINDOW_STATE] = STATE_OPEN;
    window[WINDOW_CLOCK] = number;
    window[WINDOW_NEXT] = *link;
    *link = (int64_t)slot + 1;
}

/* Does the row count for more than its clock? */
static bool counts(const Operator *op, const Batch *batch, uint32_t row)
{
    const int column = op->node->aggregate.clock_rows - 1;
    const Vector *passes = column >= 0 ? batch->columns[column] : NULL;
    return !passes || (!vector_is_null(passes, row) && ((const bool *)passes->values)[row & vector_mask(passes)]);
}

static Error *take_row(KeyedWindows *w, Operator *op, Batch *batch, uint32_t row, uint32_t number, int64_t *ends, Evaluation *evaluation)
{
    const Vector *times = batch->columns[w->window->time_column];
    const int64_t time_us = clamp_time(((const int64_t *)times->values)[row & vector_mask(times)]) - w->back_us;
    const int64_t close_us = time_sub(time_sub(clock_of(w, number)[CLOCK_TIME], w->back_us), w->window->grace_us);
    const GridPlace place = grid_place(&w->grid, time_us);
    uint32_t open = 0, late = 0;
    for (int64_t end_us = place.first_end_us; place.any && counts(op, batch, row) && end_us <= place.last_end_us; end_us = grid_next_end(&w->grid, end_us)) {
        if (end_us <= close_us) {
            late++;
            continue;
        }
        uint32_t slot;
        open++;
        ends[row] = end_us;
        key_batch_prepare(&w->key_batch, w->key_vectors, batch->row_count, &row, 1);
        key_table_resolve(&w->keys, &w->key_batch, &row, 1, &slot);
        state_cover(&w->groups.state, w->keys.count);
        state_touch_one(&w->groups.state, slot);
        if (window_of(w, slot)[WINDOW_STATE] == STATE_NEW)
            link_window(w, number, slot, end_us);
        groups_update(&w->aggregates, &w->groups, batch, &row, &slot, 1, evaluation);
    }
    w->late.windows += late;
    if (late && !open)
        late_add_at(&w->late, row, grid_start(&w->grid, place.last_end_us), place.last_end_us, clock_of(w, number)[CLOCK_TIME]);
    int64_t *clock = (int64_t *)state_touch_one(&w->clocks, number);
    if (time_us + w->back_us <= clock[CLOCK_TIME])
        return NULL;
    clock[CLOCK_TIME] = time_us + w->back_us;
    return fire(w, op, number);
}

static uint32_t clock_number(KeyedWindows *w, Batch *batch, uint32_t row)
{
    uint32_t number, before = w->clock_keys.count;
    key_batch_prepare(&w->clock_batch, w->clock_vectors, batch->row_count, &row, 1);
    key_table_resolve(&w->clock_keys, &w->clock_batch, &row, 1, &number);
    if (w->clock_keys.count > before) {
        state_cover(&w->clocks, w->clock_keys.count);
        ((int64_t *)state_touch_one(&w->clocks, number))[CLOCK_TIME] = TIME_MIN;
    }
    return number;
}

static Error *take_rows(KeyedWindows *w, Operator *op, Batch *batch)
{
    const PlanNode *node = op->node;
    const int key_count = node->aggregate.key_count;
    uint32_t count;
    int clocks = 0;
    const uint32_t *rows = row_list_take(&w->list, batch, node->aggregate.key_columns, node->aggregate.drop_null_keys ? key_count : 0, &count);
    Vector *ends = vector_new(&batch->arena, type_scalar(TYPE_TIMESTAMP), batch->row_count);
    for (int i = 0; i < key_count; i++) {
        w->key_vectors[i] = batch->columns[node->aggregate.key_columns[i]];
        if (is_clock_key(node, i))
            w->clock_vectors[clocks++] = w->key_vectors[i];
    }
    w->key_vectors[key_count] = ends;
    Evaluation evaluation = { .arena = &batch->arena, .now_us = op->context->now_us, .turn = op->context->turn };
    for (uint32_t i = 0; i < count; i++) {
        const int64_t wm_us = batch->wm_us ? batch->wm_us[rows[i]] : batch->wm_end_us;
        if (wm_us > w->scalars[SCALAR_WM] && wm_us != TIME_MAX)
            w->scalars[SCALAR_WM] = wm_us;
        TRY(take_row(w, op, batch, rows[i], clock_number(w, batch, rows[i]), ends->values, &evaluation));
    }
    return late_flush(&w->late, op, batch, 0);
}

/* ---- windows that are done go ---- */

static void compact(KeyedWindows *w)
{
    const uint32_t count = w->keys.count;
    uint32_t kept = 0;
    if (count < COMPACT_FROM || w->scalars[SCALAR_DONE] * 2 < (int64_t)count)
        return;
    if (w->live_capacity < bitmap_words(count))
        w->live = mem_grow(w->live, &w->live_capacity, bitmap_words(count), sizeof *w->live);
    if (w->remap_capacity < count)
        w->remap = mem_grow(w->remap, &w->remap_capacity, count, sizeof *w->remap);
    memset(w->live, 0, sizeof *w->live * bitmap_words(count));
    for (uint32_t slot = 0; slot < count; slot++)
        if (window_of(w, slot)[WINDOW_STATE] == STATE_OPEN) {
            bit_set(w->live, slot);
            kept++;
        }
    key_table_keep(&w->keys, w->live, w->remap);
    for (uint32_t slot = 0; slot < count; slot++) { /* links to new numbers, before the entries move */
        if (!bit_get(w->live, slot))
            continue;
        state_touch_one(&w->groups.state, slot);
        int64_t *next = &window_of(w, slot)[WINDOW_NEXT];
        *next = *next ? (int64_t)w->remap[*next - 1] + 1 : 0;
    }
    for (uint32_t number = 0; number < w->clock_keys.count; number++) {
        int64_t *clock = (int64_t *)state_touch_one(&w->clocks, number);
        clock[CLOCK_FIRST] = clock[CLOCK_FIRST] ? (int64_t)w->remap[clock[CLOCK_FIRST] - 1] + 1 : 0;
    }
    groups_keep(&w->aggregates, &w->groups, w->live, w->remap, kept);
    w->scalars[SCALAR_DONE] = 0;
}

static Error *keyed_process(Operator *op, int input, Batch *batch)
{
    (void)input;
    KeyedWindows *w = op->state;
    Error *error = take_rows(w, op, batch);
    if (!error)
        error = builder_flush(&w->out);
    batch_release(batch);
    compact(w);
    return error;
}

/* ---- the end ---- */

/* The input has ended, before anybody above hears of it: keys end one after the other, as they came. */
static Error *keyed_advance(Operator *op, int64_t wm_us)
{
    KeyedWindows *w = op->state;
    if (wm_us != TIME_MAX)
        return NULL;
    for (uint32_t number = 0; number < w->clock_keys.count; number++) {
        int64_t *clock = (int64_t *)state_touch_one(&w->clocks, number);
        for (; clock[CLOCK_FIRST]; clock[CLOCK_FIRST] = window_of(w, (uint32_t)clock[CLOCK_FIRST] - 1)[WINDOW_NEXT])
            TRY(emit(w, op, (uint32_t)clock[CLOCK_FIRST] - 1));
    }
    return builder_flush(&w->out);
}

/* ---- snapshots ---- */

static int keyed_containers(Operator *op, Container **containers, int capacity)
{
    KeyedWindows *w = op->state;
    Container *all[] = { &w->scalars_container.container, &w->clock_keys.container, &w->clocks.container, &w->keys.container, &w->groups.container };
    for (int i = 0; i < 5 && i < capacity; i++)
        containers[i] = all[i];
    return 5;
}

static Error *keyed_restored(Operator *op)
{
    KeyedWindows *w = op->state;
    if (w->groups.state.slot_count != w->keys.count || w->clocks.slot_count != w->clock_keys.count)
        return page_damaged("windows or clocks without keys");
    for (uint32_t slot = 0; slot < w->keys.count; slot++)
        if (window_of(w, slot)[WINDOW_NEXT] < 0 || window_of(w, slot)[WINDOW_NEXT] > (int64_t)w->keys.count)
            return page_damaged("a window that does not exist");
    for (uint32_t number = 0; number < w->clock_keys.count; number++)
        if (clock_of(w, number)[CLOCK_FIRST] < 0 || clock_of(w, number)[CLOCK_FIRST] > (int64_t)w->keys.count)
            return page_damaged("a window that does not exist");
    return NULL;
}

const OperatorType keyed_window_operator = {
    .name = "window-keyed", .open = keyed_open, .close = keyed_close, .process = keyed_process, .advance = keyed_advance, .containers = keyed_containers, .restored = keyed_restored,
};
