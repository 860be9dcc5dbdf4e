/* exec/op_sliding_changes.c: sliding windows with EMIT CHANGES: of each key the rows of (e - size, e], for every e at which a row enters or leaves, as
 * rows come. op_sliding.c gives each of them once.
 *
 * A row at t makes the moments t and t + size, and changes every moment of its key in between. Each of these that is still open is computed twice
 * from the rows of its window, without the row and with it, and what differs comes out. A moment is open while the clock (watermark - lag - grace)
 * has not passed it; a row is kept till the clock has passed the moment at which it leaves.
 *
 * State: scalars, KeyTable, RowStore; the rows of a key in the order of their time are a list that is made again from these. */
#include <stdlib.h>
#include <string.h>
#include "common/calendar.h"
#include "exec/changes.h"
#include "exec/late_rows.h"
#include "exec/operators.h"
#include "exec/row_list.h"
#include "exec/row_store.h"
#include "exec/scalars.h"
#include "exec/window_grid.h"

enum { SCALAR_CLOCK, SCALAR_WM, SCALAR_SEQUENCE, SCALAR_SWEPT, SCALAR_COUNT };
enum { OWN_TIME, OWN_SLOT, OWN_SEQUENCE, OWN_COUNT };
enum { COMPACT_FROM = 4096 };

typedef struct KeyRows { /* of a key, by time, then arrival */
    uint32_t *ids;
    size_t bytes;
    uint32_t count;
} KeyRows;

typedef struct SlidingChanges {
    Arena arena;
    const WindowSpec *spec;
    int64_t size_us, back_us;  /* from watermark to clock: lag and grace */
    bool emit_unchanged, with_before;
    KeyLayout key_layout;
    KeyBatch key_batch;
    KeyTable keys;
    KeyRows *rows;
    size_t rows_bytes;
    uint32_t rows_count;
    Aggregates aggregates;
    Groups groups;             /* slot 0: the window at hand */
    RowStore store;
    int64_t scalars[SCALAR_COUNT];
    Scalars scalars_container;
    OutputBuilder out;
    LateRows late;
    RowList list;
    const Vector **key_vectors;
    int64_t *moments;
    size_t moments_capacity;
    uint64_t *live;
    uint32_t *remap;
    size_t live_capacity, remap_capacity;
} SlidingChanges;

static int64_t *own_of(const SlidingChanges *s, uint32_t id) { return row_store_own(&s->store, id); }

static Error *changes_open(Operator *op)
{
    SlidingChanges *s = op->state = mem_calloc(1, sizeof *s);
    const PlanNode *node = op->node;
    const Schema *input = &node->inputs[0].node->schema;
    s->spec = &node->aggregate.window;
    s->size_us = s->spec->size_us;
    s->back_us = time_add(s->spec->lag_us, s->spec->grace_us);
    s->emit_unchanged = node->aggregate.emit_unchanged;
    s->with_before = node->traits.changes != CHANGES_UPSERT;
    arena_init(&s->arena, op->context->pool);
    if (s->size_us <= 0 || s->size_us > TIME_FAR)
        return error_at(ERR_BIND, node->at, "a window is longer than nothing and not longer than 73,000 years");
    TRY(aggregates_open_calls(&s->aggregates, &s->arena, input, node->aggregate.calls, node->aggregate.call_count, node->aggregate.on_error, false, "", true, true));
    const Type **types = ARENA_ARRAY(&s->arena, const Type *, node->aggregate.key_count + 1);
    s->key_vectors = ARENA_ARRAY(&s->arena, const Vector *, node->aggregate.key_count + 1);
    for (int i = 0; i < node->aggregate.key_count; i++)
        types[i] = input->columns[node->aggregate.key_columns[i]].type;
    key_layout_init(&s->key_layout, &s->arena, types, node->aggregate.key_count);
    key_batch_init(&s->key_batch, &s->key_layout);
    key_table_init(&s->keys, &op->pool, &s->key_layout);
    groups_init(&s->groups, &op->pool, &s->aggregates, false);
    state_cover(&s->groups.state, 1);
    row_store_init(&s->store, &s->arena, &op->pool, input, OWN_COUNT);
    s->scalars[SCALAR_CLOCK] = s->scalars[SCALAR_WM] = s->scalars[SCALAR_SWEPT] = TIME_MIN;
    scalars_init(&s->scalars_container, &op->pool, s->scalars, SCALAR_COUNT);
    builder_init(&s->out, op, PORT_MAIN, &node->schema, true);
    return NULL;
}

static void changes_close(Operator *op)
{
    SlidingChanges *s = op->state;
    if (!s)
        return;
    builder_release(&s->out);
    late_release(&s->late);
    row_list_release(&s->list);
    for (uint32_t slot = 0; slot < s->rows_count; slot++)
        state_block_free(&op->pool, s->rows[slot].ids, s->rows[slot].bytes);
    state_block_free(&op->pool, s->rows, s->rows_bytes);
    row_store_release(&s->store);
    groups_release(&s->groups);
    if (s->keys.layout)
        key_table_release(&s->keys);
    if (s->key_batch.layout)
        key_batch_release(&s->key_batch);
    aggregates_close(&s->aggregates);
    arena_release(&s->arena);
    mem_free(s->moments);
    mem_free(s->live);
    mem_free(s->remap);
    mem_free(s);
    op->state = NULL;
}

/* ---- the rows of a key ---- */

static void cover_rows(SlidingChanges *s, Operator *op)
{
    const uint32_t count = s->keys.count;
    if (count <= s->rows_count)
        return;
    const size_t used = sizeof(KeyRows) * s->rows_count, needed = sizeof(KeyRows) * count;
    if (s->rows_bytes < needed)
        s->rows = state_block_grow(&op->pool, s->rows, &s->rows_bytes, used, needed);
    memset(s->rows + s->rows_count, 0, needed - used);
    s->rows_count = count;
}

/* The number of rows of the key with a time at or before it. */
static uint32_t rows_up_to(const SlidingChanges *s, const KeyRows *rows, int64_t time_us)
{
    uint32_t low = 0, high = rows->count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (own_of(s, rows->ids[middle])[OWN_TIME] <= time_us)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void insert_row(SlidingChanges *s, Operator *op, uint32_t slot, uint32_t id)
{
    KeyRows *rows = &s->rows[slot];
    const size_t used = sizeof(uint32_t) * rows->count;
    if (rows->bytes < used + sizeof(uint32_t))
        rows->ids = state_block_grow(&op->pool, rows->ids, &rows->bytes, used, used + sizeof(uint32_t));
    const uint32_t at = rows_up_to(s, rows, own_of(s, id)[OWN_TIME]);
    memmove(rows->ids + at + 1, rows->ids + at, sizeof(uint32_t) * (rows->count - at));
    rows->ids[at] = id;
    rows->count++;
}

/* Rows whose last moment the clock has passed. */
static void drop_rows(SlidingChanges *s, uint32_t slot, int64_t clock_us)
{
    KeyRows *rows = &s->rows[slot];
    uint32_t gone = 0;
    while (gone < rows->count && time_add(own_of(s, rows->ids[gone])[OWN_TIME], s->size_us) < clock_us)
        row_store_free(&s->store, rows->ids[gone++]);
    if (!gone)
        return;
    rows->count -= gone;
    memmove(rows->ids, rows->ids + gone, sizeof(uint32_t) * rows->count);
}

/* ---- a moment ---- */

/* Adds the rows of (moment - size, moment], but for one of them (UINT32_MAX: none); their number. */
static Error *gather(SlidingChanges *s, Operator *op, uint32_t slot, int64_t moment_us, uint32_t without, uint32_t *count)
{
    const KeyRows *rows = &s->rows[slot];
    const uint32_t first = rows_up_to(s, rows, moment_us - s->size_us), end = rows_up_to(s, rows, moment_us);
    const Schema *schema = s->store.schema;
    groups_forget(&s->groups, 0);
    *count = 0;
    if (first == end)
        return NULL;
    Batch *batch = batch_new(op->context->pool, schema->column_count);
    MEMORY_HOLD(batch_unwind, &batch);
    uint32_t *ids = ARENA_ARRAY(&batch->arena, uint32_t, end - first), *numbers = ARENA_ARRAY(&batch->arena, uint32_t, end - first), *slots = ARENA_ARRAY(&batch->arena, uint32_t, end - first);
    for (uint32_t i = first; i < end; i++)
        if (rows->ids[i] != without) {
            ids[*count] = rows->ids[i];
            numbers[*count] = *count;
            ++*count;
        }
    for (int c = 0; c < schema->column_count; c++)
        batch->columns[c] = vector_new(&batch->arena, schema->columns[c].type, *count ? *count : 1);
    batch->row_count = *count;
    Error *error = row_store_gather(&s->store, ids, *count, batch->columns, 0, &batch->arena);
    if (!error && *count) {
        Evaluation evaluation = { .arena = &batch->arena, .now_us = op->context->now_us, .turn = op->context->turn };
        groups_update(&s->aggregates, &s->groups, batch, numbers, slots, *count, &evaluation);
    }
    batch_release(batch);
    return error;
}

static Error *put_result(SlidingChanges *s, Operator *op, uint32_t slot, int64_t moment_us, uint32_t at)
{
    const int key_count = op->node->aggregate.key_count;
    const uint32_t group = 0;
    Batch *batch = s->out.batch;
    char *state = state_touch_one(&s->groups.state, 0);
    key_table_gather(&s->keys, &slot, 1, batch->columns, at, &batch->arena);
    put_bounds(batch->columns + key_count, at, 1, moment_us - s->size_us, moment_us);
    return groups_result(&s->aggregates, &s->groups, &state, &group, 1, batch->columns + key_count + 3, at, op, batch, &s->out.evaluation);
}

static bool same_results(const SlidingChanges *s, const Operator *op, uint32_t at)
{
    const int first = op->node->aggregate.key_count + 3;
    for (int c = 0; c < op->node->aggregate.call_count; c++)
        if (!vector_rows_equal(s->out.batch->columns[first + c], at, s->out.batch->columns[first + c], at + 1))
            return false;
    return true;
}

/* What the row changes at the moment. */
static Error *change(SlidingChanges *s, Operator *op, uint32_t slot, int64_t moment_us, uint32_t id, bool existed)
{
    uint32_t granted, at, before = 0, after;
    TRY(builder_reserve(&s->out, 2, 2, &granted, &at));
    if (existed) {
        TRY(gather(s, op, slot, moment_us, id, &before));
        if (before)
            TRY(put_result(s, op, slot, moment_us, at));
    }
    TRY(gather(s, op, slot, moment_us, UINT32_MAX, &after));
    if (!after)
        return NULL;
    const uint32_t place = before ? at + 1 : at;
    TRY(put_result(s, op, slot, moment_us, place));
    Batch *batch = s->out.batch;
    batch->kinds[place] = before ? ROW_UPDATE_AFTER : ROW_INSERT;
    if (!before) {
        builder_commit(&s->out, 1, s->scalars[SCALAR_WM]);
        return NULL;
    }
    batch->kinds[at] = ROW_UPDATE_BEFORE;
    if (s->emit_unchanged || !same_results(s, op, at))
        builder_commit(&s->out, 2, s->scalars[SCALAR_WM]);
    return NULL;
}

/* ---- a row ---- */

static void add_moment(SlidingChanges *s, uint32_t *count, int64_t moment_us)
{
    if (s->moments_capacity <= *count)
        s->moments = mem_grow(s->moments, &s->moments_capacity, (size_t)*count + 1, sizeof *s->moments);
    s->moments[(*count)++] = moment_us;
}

static int ascending(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Does another row of the key make the moment? */
static bool moment_existed(const SlidingChanges *s, uint32_t slot, int64_t moment_us, uint32_t id)
{
    const KeyRows *rows = &s->rows[slot];
    for (int side = 0; side < 2; side++) {
        const int64_t time_us = side ? moment_us - s->size_us : moment_us;
        for (uint32_t i = rows_up_to(s, rows, time_us); i > 0 && own_of(s, rows->ids[i - 1])[OWN_TIME] == time_us; i--)
            if (rows->ids[i - 1] != id)
                return true;
    }
    return false;
}

static Error *change_moments(SlidingChanges *s, Operator *op, uint32_t slot, uint32_t id, int64_t clock_us)
{
    const KeyRows *rows = &s->rows[slot];
    const int64_t time_us = own_of(s, id)[OWN_TIME], leaves_us = time_add(time_us, s->size_us);
    uint32_t count = 0;
    add_moment(s, &count, time_us);
    add_moment(s, &count, leaves_us);
    for (uint32_t i = 0; i < rows->count; i++) {
        const int64_t other_us = own_of(s, rows->ids[i])[OWN_TIME];
        if (other_us > time_us && other_us < leaves_us)
            add_moment(s, &count, other_us);
        if (time_add(other_us, s->size_us) > time_us && time_add(other_us, s->size_us) < leaves_us)
            add_moment(s, &count, time_add(other_us, s->size_us));
    }
    qsort(s->moments, count, sizeof *s->moments, ascending);
    for (uint32_t i = 0; i < count; i++) {
        const int64_t moment_us = s->moments[i];
        if (moment_us < clock_us || (i > 0 && moment_us == s->moments[i - 1]))
            continue;
        const bool existed = moment_existed(s, slot, moment_us, id);
        if (moment_us != leaves_us || !existed) /* the row that leaves then does not count there */
            TRY(change(s, op, slot, moment_us, id, existed));
    }
    return NULL;
}

static int64_t row_time(const SlidingChanges *s, const Operator *op, const Batch *batch, uint32_t row)
{
    if (s->spec->processing_time)
        return op->context->now_us;
    const Vector *time = batch->columns[s->spec->time_column];
    return clamp_time(((const int64_t *)time->values)[row & vector_mask(time)]);
}

static void move_clock(SlidingChanges *s, const Operator *op, int64_t wm_us)
{
    int64_t clock_us = s->spec->processing_time ? time_sub(op->context->now_us, s->spec->grace_us) : time_sub(wm_us, s->back_us);
    clock_us = clock_us == TIME_MIN || clock_us == TIME_MAX ? clock_us : clamp_time(clock_us);
    if (clock_us > s->scalars[SCALAR_CLOCK])
        s->scalars[SCALAR_CLOCK] = clock_us;
    if (wm_us > s->scalars[SCALAR_WM] && wm_us != TIME_MAX)
        s->scalars[SCALAR_WM] = wm_us;
}

static Error *take_row(SlidingChanges *s, Operator *op, Batch *batch, uint32_t row)
{
    const int64_t clock_us = s->scalars[SCALAR_CLOCK], time_us = row_time(s, op, batch, row);
    if (time_add(time_us, s->size_us) <= clock_us) {
        s->late.windows++;
        late_add(&s->late, row, time_us - s->size_us, time_us);
        return NULL;
    }
    if (time_us < clock_us)
        s->late.windows++; /* its own moment */
    uint32_t slot;
    const Str no_key = str_view("", 0);
    key_table_resolve(&s->keys, &s->key_batch, &row, 1, &slot);
    cover_rows(s, op);
    drop_rows(s, slot, clock_us);
    const uint32_t id = row_store_add(&s->store, batch, row, &no_key);
    int64_t *own = (int64_t *)state_touch_one(&s->store.rows, id);
    own[OWN_TIME] = time_us;
    own[OWN_SLOT] = slot;
    own[OWN_SEQUENCE] = s->scalars[SCALAR_SEQUENCE]++;
    insert_row(s, op, slot, id);
    return change_moments(s, op, slot, id, clock_us);
}

/* ---- keys without rows ---- */

static void sweep(SlidingChanges *s, Operator *op)
{
    const int64_t clock_us = s->scalars[SCALAR_CLOCK];
    uint32_t live = 0;
    if (clock_us < time_add(s->scalars[SCALAR_SWEPT], s->size_us) || clock_us == TIME_MAX)
        return;
    s->scalars[SCALAR_SWEPT] = clock_us;
    for (uint32_t slot = 0; slot < s->rows_count; slot++) {
        drop_rows(s, slot, clock_us);
        live += s->rows[slot].count > 0;
    }
    const uint32_t count = s->keys.count;
    if (count < COMPACT_FROM || live * 4 > count)
        return;
    if (s->live_capacity < bitmap_words(count))
        s->live = mem_grow(s->live, &s->live_capacity, bitmap_words(count), sizeof *s->live);
    if (s->remap_capacity < count)
        s->remap = mem_grow(s->remap, &s->remap_capacity, count, sizeof *s->remap);
    memset(s->live, 0, sizeof *s->live * bitmap_words(count));
    for (uint32_t slot = 0; slot < count; slot++)
        if (s->rows[slot].count)
            bit_set(s->live, slot);
    key_table_keep(&s->keys, s->live, s->remap);
    for (uint32_t slot = 0; slot < count; slot++) {
        const KeyRows rows = s->rows[slot];
        if (!bit_get(s->live, slot)) {
            state_block_free(&op->pool, rows.ids, rows.bytes);
            continue;
        }
        s->rows[s->remap[slot]] = rows;
        for (uint32_t i = 0; i < rows.count; i++)
            ((int64_t *)state_touch_one(&s->store.rows, rows.ids[i]))[OWN_SLOT] = s->remap[slot];
    }
    s->rows_count = live;
}

static Error *take_batch(SlidingChanges *s, Operator *op, Batch *batch)
{
    const PlanNode *node = op->node;
    for (int i = 0; i < node->aggregate.key_count; i++)
        s->key_vectors[i] = batch->columns[node->aggregate.key_columns[i]];
    uint32_t count;
    const uint32_t *rows = row_list_take(&s->list, batch, node->aggregate.key_columns, node->aggregate.drop_null_keys ? node->aggregate.key_count : 0, &count);
    if (count == 0)
        return NULL;
    key_batch_prepare(&s->key_batch, s->key_vectors, batch->row_count, rows, count);
    for (uint32_t i = 0; i < count; i++) {
        move_clock(s, op, batch->wm_us ? batch->wm_us[rows[i]] : batch->wm_end_us);
        TRY(take_row(s, op, batch, rows[i]));
    }
    return NULL;
}

static Error *changes_process(Operator *op, int input, Batch *batch)
{
    (void)input;
    SlidingChanges *s = op->state;
    Error *error = take_batch(s, op, batch);
    if (!error)
        error = builder_flush(&s->out);
    if (!error)
        error = late_flush(&s->late, op, batch, s->spec->lag_us);
    batch_release(batch);
    sweep(s, op);
    return error;
}

static int changes_containers(Operator *op, Container **containers, int capacity)
{
    SlidingChanges *s = op->state;
    Container *all[] = { &s->scalars_container.container, &s->keys.container, &s->store.container };
    for (int i = 0; i < 3 && i < capacity; i++)
        containers[i] = all[i];
    return 3;
}

/* ---- after a restore ---- */

static int by_arrival(const void *a, const void *b, void *sliding)
{
    const int64_t x = own_of(sliding, *(const uint32_t *)a)[OWN_SEQUENCE], y = own_of(sliding, *(const uint32_t *)b)[OWN_SEQUENCE];
    return (x > y) - (x < y);
}

static Error *list_rows(SlidingChanges *s, Operator *op, Arena *arena)
{
    bool *freed = ARENA_ARRAY(arena, bool, (size_t)s->store.count + 1);
    uint32_t *ids = ARENA_ARRAY(arena, uint32_t, (size_t)s->store.count + 1), count = 0;
    for (uint32_t i = 0; i < s->store.free_count; i++)
        freed[s->store.free_rows[i]] = true;
    for (uint32_t id = 0; id < s->store.count; id++) {
        if (freed[id])
            continue;
        if (own_of(s, id)[OWN_SLOT] < 0 || own_of(s, id)[OWN_SLOT] >= (int64_t)s->keys.count)
            return page_damaged("a row of no key");
        ids[count++] = id;
    }
    qsort_r(ids, count, sizeof *ids, by_arrival, s); /* of equal times the first one stands first */
    for (uint32_t i = 0; i < count; i++)
        insert_row(s, op, (uint32_t)own_of(s, ids[i])[OWN_SLOT], ids[i]);
    return NULL;
}

static Error *changes_restored(Operator *op)
{
    SlidingChanges *s = op->state;
    for (uint32_t slot = 0; slot < s->rows_count; slot++)
        s->rows[slot].count = 0;
    cover_rows(s, op);
    Arena arena;
    arena_init(&arena, NULL);
    MEMORY_HOLD(arena_unwind, &arena);
    Error *error = list_rows(s, op, &arena);
    arena_release(&arena);
    return error;
}

const OperatorType sliding_changes_operator = {
    .name = "sliding window changes", .open = changes_open, .close = changes_close, .process = changes_process, .containers = changes_containers, .restored = changes_restored,
};
