/* exec/op_window_lossy.c: EMIT FINAL as ksqlDB does it, loss included (preset ksql; reference: Kafka Streams' KStreamWindowAggregate and its
 * windowed stores). Everywhere else op_window.c closes windows, which loses nothing.
 *
 * The clock T is the newest row so far. After each row, windows that end at or before T - grace come out, oldest first, if the range of their
 * starts has moved on since the last time. The store behind keeps a window as long as its start is at least (newest start - retention): one that
 * has dropped out when time jumped never comes out.
 * State: KeyTable over (keys, window start) + Groups; an entry begins with {start, has come out}. */
#include <stdlib.h>
#include <string.h>

#include "common/calendar.h"
#include "exec/changes.h"
#include "exec/late_rows.h"
#include "exec/operators.h"
#include "exec/row_list.h"
#include "exec/scalars.h"

enum { SCALAR_CLOCK, SCALAR_CLOSED, SCALAR_NEWEST, SCALAR_COUNT }; /* T; T - grace of the last output; the newest start: TIME_MIN: none yet */
enum { COMPACT_FROM = 1024 };

typedef struct Due {
    int64_t start_us;
    uint32_t slot, row;
} Due;

typedef struct LossyWindows {
    Arena arena;
    const WindowSpec *window;
    int64_t retention_us;
    KeyLayout key_layout;
    KeyBatch key_batch;
    KeyTable keys;
    Aggregates aggregates;
    Groups groups;
    int64_t scalars[SCALAR_COUNT];
    Scalars scalars_container;
    OutputBuilder out;
    RowList list;
    LateRows late;
    const Vector **key_vectors; /* the last one: starts, by row */
    Due *due;
    size_t due_capacity;
    uint64_t *live;
    uint32_t *remap;
    size_t live_capacity, remap_capacity;
} LossyWindows;

static int64_t *entry_of(const LossyWindows *w, uint32_t slot) { return (int64_t *)state_entry(&w->groups.state, slot); }

static Error *lossy_open(Operator *op)
{
    LossyWindows *w = op->state = mem_calloc(1, sizeof *w);
    const PlanNode *node = op->node;
    int key_count = node->aggregate.key_count;
    arena_init(&w->arena, op->context->pool);
    w->window = &node->aggregate.window;
    w->retention_us = w->window->retention_us ? w->window->retention_us : time_add(w->window->size_us, w->window->grace_us);
    TRY(aggregates_open(&w->aggregates, &w->arena, node, "ll", false, false));
    const Type **types = ARENA_ARRAY(&w->arena, const Type *, (size_t)key_count + 1);
    w->key_vectors = ARENA_ARRAY(&w->arena, const Vector *, (size_t)key_count + 1);
    for (int i = 0; i < key_count; i++)
        types[i] = node->schema.columns[i].type;
    types[key_count] = type_scalar(TYPE_TIMESTAMP);
    key_layout_init(&w->key_layout, &w->arena, types, key_count + 1);
    key_batch_init(&w->key_batch, &w->key_layout);
    key_table_init(&w->keys, &op->pool, &w->key_layout);
    groups_init(&w->groups, &op->pool, &w->aggregates, false);
    for (int i = 0; i < SCALAR_COUNT; i++)
        w->scalars[i] = TIME_MIN;
    scalars_init(&w->scalars_container, &op->pool, w->scalars, SCALAR_COUNT);
    builder_init(&w->out, op, PORT_MAIN, &node->schema, false);
    return NULL;
}

static void lossy_close(Operator *op)
{
    LossyWindows *w = op->state;
    if (!w)
        return;
    builder_release(&w->out);
    if (w->keys.layout)
        key_table_release(&w->keys);
    groups_release(&w->groups);
    if (w->key_batch.layout)
        key_batch_release(&w->key_batch);
    aggregates_close(&w->aggregates);
    row_list_release(&w->list);
    late_release(&w->late);
    arena_release(&w->arena);
    mem_free(w->due);
    mem_free(w->live);
    mem_free(w->remap);
    mem_free(w);
    op->state = NULL;
}

/* ---- what comes out ---- */

/* The first and the last start of the windows that hold a time. */
static int64_t first_start(const WindowSpec *window, int64_t time_us)
{
    int64_t start_us = time_add(time_sub(time_us, window->size_us), window->advance_us);
    return start_us < 0 ? 0 : start_us - floor_mod(start_us, window->advance_us);
}

static int64_t last_start(const WindowSpec *window, int64_t time_us) { return time_us - floor_mod(time_us, window->advance_us); }

/* The range of starts that are due; false: nothing new is. */
static bool due_range(const LossyWindows *w, int64_t close_us, int64_t *from_us, int64_t *to_us)
{
    const WindowSpec *window = w->window;
    int64_t closed_us = w->scalars[SCALAR_CLOSED];
    *to_us = time_sub(close_us, window->size_us);
    *from_us = 0;
    if (close_us <= closed_us || *to_us < 0)
        return false;
    if (closed_us == TIME_MIN)
        return true;
    int64_t before_us = time_sub(closed_us, window->size_us);
    if (before_us < 0)
        before_us = 0;
    *from_us = before_us + US_PER_MS;
    return first_start(window, *to_us) != first_start(window, before_us) || last_start(window, *to_us) != last_start(window, before_us);
}

/* By start, then by key. */
typedef struct DueKeys {
    const Batch *keys; /* row: the place in w->due before sorting */
    int key_count;
} DueKeys;

static int compare_due(const void *left, const void *right, void *context)
{
    const Due *a = left, *b = right;
    const DueKeys *due = context;
    if (a->start_us != b->start_us)
        return a->start_us < b->start_us ? -1 : 1;
    int order = 0;
    for (int k = 0; k < due->key_count && !order; k++)
        order = vector_compare_rows(due->keys->columns[k], a->row, due->keys->columns[k], b->row);
    return order;
}

static void sort_due(LossyWindows *w, Operator *op, uint32_t count)
{
    Batch *keys = batch_for_schema(op->context->pool, &op->node->schema, count);
    MEMORY_HOLD(batch_unwind, &keys);
    for (uint32_t i = 0; i < count; i++) {
        key_table_gather(&w->keys, &w->due[i].slot, 1, keys->columns, i, &keys->arena);
        w->due[i].row = i;
    }
    DueKeys due = { keys, op->node->aggregate.key_count };
    qsort_r(w->due, count, sizeof *w->due, compare_due, &due);
    batch_release(keys);
}

static Error *emit_slot(LossyWindows *w, Operator *op, const Due *due, int64_t wm_us)
{
    const int key_count = op->node->aggregate.key_count;
    uint32_t granted, row;
    TRY(builder_reserve(&w->out, 1, 1, &granted, &row));
    Batch *batch = w->out.batch;
    char *state = state_touch_one(&w->groups.state, due->slot);
    key_table_gather(&w->keys, &due->slot, 1, batch->columns, row, &batch->arena);
    put_bounds(batch->columns + key_count, row, 1, due->start_us, time_add(due->start_us, w->window->size_us));
    TRY(groups_result(&w->aggregates, &w->groups, &state, &due->slot, 1, batch->columns + key_count + 3, row, op, batch, &w->out.evaluation));
    builder_commit(&w->out, 1, wm_us);
    entry_of(w, due->slot)[1] = 1;
    return NULL;
}

/* Groups that have come out, or that the store would have forgotten, go. */
static void compact(LossyWindows *w)
{
    uint32_t kept = 0, count = w->keys.count;
    int64_t oldest_us = time_sub(w->scalars[SCALAR_NEWEST], w->retention_us);
    if (count < COMPACT_FROM)
        return;
    if (w->live_capacity < bitmap_words(count))
        w->live = mem_grow(w->live, &w->live_capacity, bitmap_words(count), sizeof *w->live);
    if (w->remap_capacity < count)
        w->remap = mem_grow(w->remap, &w->remap_capacity, count, sizeof *w->remap);
    memset(w->live, 0, sizeof *w->live * bitmap_words(count));
    for (uint32_t slot = 0; slot < count; slot++)
        if (!entry_of(w, slot)[1] && entry_of(w, slot)[0] >= oldest_us) {
            bit_set(w->live, slot);
            kept++;
        }
    if (kept > count / 2)
        return;
    key_table_keep(&w->keys, w->live, w->remap);
    groups_keep(&w->aggregates, &w->groups, w->live, w->remap, kept);
}

static Error *fire(LossyWindows *w, Operator *op, int64_t wm_us)
{
    int64_t close_us = time_sub(w->scalars[SCALAR_CLOCK], w->window->grace_us), from_us, to_us;
    if (!due_range(w, close_us, &from_us, &to_us))
        return NULL;
    int64_t oldest_us = time_sub(w->scalars[SCALAR_NEWEST], w->retention_us);
    uint32_t count = 0;
    if (w->due_capacity < w->keys.count)
        w->due = mem_grow(w->due, &w->due_capacity, w->keys.count, sizeof *w->due);
    for (uint32_t slot = 0; slot < w->keys.count; slot++) {
        const int64_t *entry = entry_of(w, slot);
        if (!entry[1] && entry[0] >= from_us && entry[0] <= to_us && entry[0] >= oldest_us)
            w->due[count++] = (Due){ entry[0], slot, 0 };
    }
    if (count > 1)
        sort_due(w, op, count);
    for (uint32_t i = 0; i < count; i++)
        TRY(emit_slot(w, op, &w->due[i], wm_us));
    w->scalars[SCALAR_CLOSED] = close_us;
    compact(w);
    return NULL;
}

/* ---- what comes in ---- */

static Error *take_row(LossyWindows *w, Operator *op, Batch *batch, uint32_t row, int64_t *starts, Evaluation *evaluation)
{
    const WindowSpec *window = w->window;
    const Vector *times = batch->columns[window->time_column];
    int64_t time_us = ((const int64_t *)times->values)[row & vector_mask(times)];
    if (time_us > w->scalars[SCALAR_CLOCK])
        w->scalars[SCALAR_CLOCK] = time_us;
    int64_t close_us = time_sub(w->scalars[SCALAR_CLOCK], window->grace_us), start_us = first_start(window, time_us);
    uint32_t open = 0, late = 0;
    for (; start_us <= time_us; start_us += window->advance_us) {
        if (time_add(start_us, window->size_us) <= close_us) {
            late++;
            continue;
        }
        uint32_t slot;
        open++;
        starts[row] = start_us;
        key_batch_prepare(&w->key_batch, w->key_vectors, batch->row_count, &row, 1);
        key_table_resolve(&w->keys, &w->key_batch, &row, 1, &slot);
        state_cover(&w->groups.state, w->keys.count);
        state_touch_one(&w->groups.state, slot);
        entry_of(w, slot)[0] = start_us;
        groups_update(&w->aggregates, &w->groups, batch, &row, &slot, 1, evaluation);
        if (start_us > w->scalars[SCALAR_NEWEST])
            w->scalars[SCALAR_NEWEST] = start_us;
    }
    w->late.windows += late;
    if (late && !open)
        late_add(&w->late, row, start_us - window->advance_us, time_add(start_us - window->advance_us, window->size_us));
    return fire(w, op, batch->wm_us ? batch->wm_us[row] : batch->wm_end_us);
}

static Error *take_rows(LossyWindows *w, Operator *op, Batch *batch)
{
    const PlanNode *node = op->node;
    uint32_t count;
    const uint32_t *rows = row_list_take(&w->list, batch, node->aggregate.key_columns, node->aggregate.drop_null_keys ? node->aggregate.key_count : 0, &count);
    Vector *starts = vector_new(&batch->arena, type_scalar(TYPE_TIMESTAMP), batch->row_count);
    for (int i = 0; i < node->aggregate.key_count; i++)
        w->key_vectors[i] = batch->columns[node->aggregate.key_columns[i]];
    w->key_vectors[node->aggregate.key_count] = starts;
    Evaluation evaluation = { .arena = &batch->arena, .now_us = op->context->now_us, .turn = op->context->turn };
    for (uint32_t i = 0; i < count; i++)
        TRY(take_row(w, op, batch, rows[i], starts->values, &evaluation));
    return late_flush(&w->late, op, batch, 0);
}

static Error *lossy_process(Operator *op, int input, Batch *batch)
{
    (void)input;
    LossyWindows *w = op->state;
    Error *error = take_rows(w, op, batch);
    if (!error)
        error = builder_flush(&w->out);
    batch_release(batch);
    return error;
}

static int lossy_containers(Operator *op, Container **containers, int capacity)
{
    LossyWindows *w = op->state;
    Container *all[] = { &w->scalars_container.container, &w->keys.container, &w->groups.container };
    for (int i = 0; i < 3 && i < capacity; i++)
        containers[i] = all[i];
    return 3;
}

static Error *lossy_restored(Operator *op)
{
    LossyWindows *w = op->state;
    return w->groups.state.slot_count == w->keys.count ? NULL : page_damaged("groups without keys");
}

const OperatorType lossy_window_operator = {
    .name = "window-lossy", .open = lossy_open, .close = lossy_close, .process = lossy_process, .containers = lossy_containers, .restored = lossy_restored,
};
