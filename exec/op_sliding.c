/* exec/op_sliding.c: sliding windows: of each key the rows of (e - size, e], for every e at which a row enters or leaves.
 *
 * A row enters at its time t and leaves at t + size: two timers, one after the other. What they change is added to the key's group and taken
 * out of it; a group that still has rows then comes out. That is done once the clock (watermark - lag - grace) has passed e: rows at e may come
 * until then. A row that comes after its t but before its t + size enters unseen and counts in the windows that are still open; later it is late.
 *
 *   row ---> PENDING ---(clock passes t: +1)---> INSIDE ---(clock passes t + size: -1)---> gone
 *
 * State: scalars, KeyTable, Groups by key, RowStore of the rows that are pending or inside; timers are rebuilt from them. */
#include <string.h>
#include "common/calendar.h"
#include "exec/changes.h"
#include "exec/late_rows.h"
#include "exec/operators.h"
#include "exec/row_list.h"
#include "exec/row_store.h"
#include "exec/scalars.h"
#include "exec/timers.h"
#include "exec/window_grid.h"

enum { SCALAR_CLOCK, SCALAR_WM, SCALAR_SEQUENCE, SCALAR_MOMENT, SCALAR_COMPACT_AT, SCALAR_COUNT };
enum { OWN_TIME, OWN_SLOT, OWN_STATE, OWN_SEQUENCE, OWN_COUNT };
enum { ROW_FREE, ROW_PENDING, ROW_INSIDE };
enum { CHUNK = 512, COMPACT_FROM = 4096 };

typedef struct SlidingOperator {
    Arena arena;
    const WindowSpec *spec;
    int64_t size_us, back_us;  /* from watermark to clock: lag and grace */
    KeyLayout key_layout;
    KeyBatch key_batch;
    KeyTable keys;
    Aggregates aggregates;     /* an entry begins with the number of the last moment at which it changed */
    Groups groups;
    RowStore store;
    Timers timers;
    int64_t next_due_us;       /* nothing is due before */
    int64_t scalars[SCALAR_COUNT];
    Scalars scalars_container;
    OutputBuilder out;
    LateRows late;
    RowList list;
    const Vector **key_vectors;
    uint32_t *slots;           /* of a run of rows */
    size_t slots_capacity;
    Timer *due;                /* of a chunk */
    uint32_t *due_rows, *due_slots, *due_identity;
    size_t due_capacity;
    uint32_t *touched;
    char **touched_states;
    uint64_t *live;
    uint32_t *remap;
} SlidingOperator;

static Error *sliding_open(Operator *op)
{
    SlidingOperator *s = op->state = mem_calloc(1, sizeof(SlidingOperator));
    const PlanNode *node = op->node;
    const Schema *input = &node->inputs[0].node->schema;
    s->spec = &node->aggregate.window;
    s->size_us = s->spec->size_us;
    s->back_us = time_add(s->spec->lag_us, s->spec->grace_us);
    arena_init(&s->arena, op->context->pool);
    if (s->size_us <= 0 || s->size_us > TIME_FAR)
        return error_at(ERR_BIND, node->at, "a window is longer than nothing and not longer than 73,000 years");
    TRY(aggregates_open_calls(&s->aggregates, &s->arena, input, node->aggregate.calls, node->aggregate.call_count, node->aggregate.on_error, true, "l",
                              true, false)); /* rows leave: they are taken back */
    for (int i = 0; i < s->aggregates.call_count; i++)
        s->aggregates.shapes[i].oldest_goes = true;
    const Type **types = ARENA_ARRAY(&s->arena, const Type *, node->aggregate.key_count + 1);
    s->key_vectors = ARENA_ARRAY(&s->arena, const Vector *, node->aggregate.key_count + 1);
    for (int i = 0; i < node->aggregate.key_count; i++)
        types[i] = input->columns[node->aggregate.key_columns[i]].type;
    key_layout_init(&s->key_layout, &s->arena, types, node->aggregate.key_count);
    key_batch_init(&s->key_batch, &s->key_layout);
    key_table_init(&s->keys, &op->pool, &s->key_layout);
    groups_init(&s->groups, &op->pool, &s->aggregates, false);
    row_store_init(&s->store, &s->arena, &op->pool, input, OWN_COUNT);
    timers_init(&s->timers, &op->pool, s->size_us, NULL, NULL);
    s->scalars[SCALAR_CLOCK] = s->scalars[SCALAR_WM] = TIME_MIN;
    s->scalars[SCALAR_COMPACT_AT] = COMPACT_FROM;
    scalars_init(&s->scalars_container, &op->pool, s->scalars, SCALAR_COUNT);
    s->next_due_us = TIME_MAX;
    builder_init(&s->out, op, PORT_MAIN, &node->schema, false);
    return NULL;
}

static void sliding_close(Operator *op)
{
    SlidingOperator *s = op->state;
    if (!s)
        return;
    builder_release(&s->out);
    late_release(&s->late);
    row_list_release(&s->list);
    timers_release(&s->timers);
    row_store_release(&s->store);
    groups_release(&s->groups);
    key_table_release(&s->keys);
    if (s->key_batch.layout)
        key_batch_release(&s->key_batch);
    aggregates_close(&s->aggregates);
    void *scratch[] = { s->slots, s->due, s->due_rows, s->due_slots, s->due_identity, s->touched, s->touched_states, s->live, s->remap };
    for (size_t i = 0; i < sizeof(scratch) / sizeof(scratch[0]); i++)
        mem_free(scratch[i]);
    arena_release(&s->arena);
    mem_free(s);
    op->state = NULL;
}

static void add_timer(SlidingOperator *s, int64_t time_us, uint32_t number)
{
    timers_add(&s->timers, time_us, number, (uint32_t)row_store_own(&s->store, number)[OWN_SEQUENCE]);
    if (time_us < s->next_due_us)
        s->next_due_us = time_us;
}

/* ---- results ---- */

/* The groups that changed at `end_us` and still have rows. */
static Error *emit_touched(SlidingOperator *s, Operator *op, int64_t end_us, uint32_t count)
{
    const int key_count = op->node->aggregate.key_count;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        char *entry = state_entry(&s->groups.state, s->touched[i]);
        s->touched[kept] = s->touched[i];
        s->touched_states[kept] = entry;
        kept += group_rows(&s->aggregates, entry) > 0;
    }
    for (uint32_t done = 0; done < kept;) {
        uint32_t granted, first;
        TRY(builder_reserve(&s->out, kept - done, 1, &granted, &first));
        Batch *batch = s->out.batch;
        key_table_gather(&s->keys, s->touched + done, granted, batch->columns, first, &batch->arena);
        put_bounds(batch->columns + key_count, first, granted, end_us - s->size_us, end_us);
        TRY(groups_result(&s->aggregates, &s->groups, s->touched_states + done, s->touched + done, granted, batch->columns + key_count + 3, first,
                          op, batch, &s->out.evaluation));
        builder_commit(&s->out, granted, s->scalars[SCALAR_WM]);
        done += granted;
    }
    return NULL;
}

/* ---- firing ---- */

static void reserve_due(SlidingOperator *s, size_t count)
{
    if (count <= s->due_capacity)
        return;
    size_t capacity = s->due_capacity ? s->due_capacity : CHUNK;
    while (capacity < count)
        capacity *= 2;
    s->due_capacity = 0;
    s->due = mem_realloc(s->due, sizeof(Timer) * capacity);
    s->due_rows = mem_realloc(s->due_rows, sizeof(uint32_t) * capacity);
    s->due_slots = mem_realloc(s->due_slots, sizeof(uint32_t) * capacity);
    s->due_identity = mem_realloc(s->due_identity, sizeof(uint32_t) * capacity);
    s->touched = mem_realloc(s->touched, sizeof(uint32_t) * capacity);
    s->touched_states = mem_realloc(s->touched_states, sizeof(char *) * capacity);
    for (uint32_t i = 0; i < capacity; i++)
        s->due_identity[i] = i;
    s->due_capacity = capacity;
}

/* Timers before the limit, all of a time together; and none so late that what enters now could leave before it. */
static uint32_t take_due(SlidingOperator *s, int64_t limit_us)
{
    uint32_t count = 0;
    Timer timer;
    int64_t end_us = limit_us;
    while (timers_pop(&s->timers, end_us, &timer)) {
        reserve_due(s, (size_t)count + 1);
        s->due[count] = timer;
        s->due_rows[count++] = timer.slot;
        if (count == 1 && time_add(timer.time_us, s->size_us) < end_us)
            end_us = time_add(timer.time_us, s->size_us);
        if (count >= CHUNK && timer.time_us + 1 < end_us)
            end_us = timer.time_us + 1;
    }
    return count;
}

/* The change of one moment: rows [first, first + count) of the chunk. */
static Error *fire_moment(SlidingOperator *s, Operator *op, Batch *rows, uint32_t first, uint32_t count)
{
    const int64_t end_us = s->due[first].time_us;
    Evaluation evaluation = { .arena = &rows->arena, .now_us = op->context->now_us, .turn = op->context->turn };
    groups_update(&s->aggregates, &s->groups, rows, s->due_identity + first, s->due_slots + first, count, &evaluation);
    const int64_t moment = ++s->scalars[SCALAR_MOMENT];
    uint32_t touched = 0;
    for (uint32_t i = first; i < first + count; i++) {
        int64_t *changed = (int64_t *)state_entry(&s->groups.state, s->due_slots[i]);
        if (*changed != moment)
            s->touched[touched++] = s->due_slots[i];
        *changed = moment;
    }
    return emit_touched(s, op, end_us, touched);
}

static Error *fire_chunk(SlidingOperator *s, Operator *op, uint32_t count)
{
    const Schema *schema = s->store.schema;
    Batch *rows = batch_new(op->context->pool, schema->column_count);
    Arena *arena = &rows->arena;
    for (int c = 0; c < schema->column_count; c++)
        rows->columns[c] = vector_new(arena, schema->columns[c].type, count);
    rows->kinds = ARENA_ARRAY(arena, uint8_t, count);
    rows->row_count = count;
    rows->selection = (Selection){ count, NULL };
    Error *error = row_store_gather(&s->store, s->due_rows, count, rows->columns, 0, arena);
    for (uint32_t i = 0; i < count; i++) {
        const int64_t *own = row_store_own(&s->store, s->due_rows[i]);
        s->due_slots[i] = (uint32_t)own[OWN_SLOT];
        rows->kinds[i] = own[OWN_STATE] == ROW_PENDING ? ROW_INSERT : ROW_DELETE;
    }
    for (uint32_t first = 0, end; first < count && !error; first = end) {
        for (end = first + 1; end < count && s->due[end].time_us == s->due[first].time_us;)
            end++;
        error = fire_moment(s, op, rows, first, end - first);
    }
    for (uint32_t i = 0; i < count; i++) {
        int64_t *own = (int64_t *)state_touch_one(&s->store.rows, s->due_rows[i]);
        if (own[OWN_STATE] == ROW_PENDING) {
            own[OWN_STATE] = ROW_INSIDE;
            add_timer(s, time_add(own[OWN_TIME], s->size_us), s->due_rows[i]);
        } else {
            own[OWN_STATE] = ROW_FREE;
            row_store_free(&s->store, s->due_rows[i]);
        }
    }
    batch_release(rows);
    return error;
}

/* Keys without rows go when they are most of them. Which key has which slot shows nowhere. */
static void compact_keys(SlidingOperator *s)
{
    uint32_t count = s->keys.count, live = 0;
    if ((int64_t)count < s->scalars[SCALAR_COMPACT_AT])
        return;
    size_t words = bitmap_words(count);
    s->live = mem_realloc(s->live, sizeof(uint64_t) * words);
    s->remap = mem_realloc(s->remap, sizeof(uint32_t) * count);
    memset(s->live, 0, sizeof(uint64_t) * words);
    for (uint32_t i = 0; i < s->store.count; i++)
        if (row_store_own(&s->store, i)[OWN_STATE] != ROW_FREE)
            bit_set(s->live, (uint32_t)row_store_own(&s->store, i)[OWN_SLOT]);
    for (size_t i = 0; i < words; i++)
        live += (uint32_t)__builtin_popcountll(s->live[i]);
    s->scalars[SCALAR_COMPACT_AT] = live > COMPACT_FROM / 2 ? 2 * (int64_t)live : COMPACT_FROM;
    if (live == count)
        return;
    key_table_keep(&s->keys, s->live, s->remap);
    groups_keep(&s->aggregates, &s->groups, s->live, s->remap, live);
    for (uint32_t i = 0; i < s->store.count; i++)
        if (row_store_own(&s->store, i)[OWN_STATE] != ROW_FREE) {
            int64_t *own = (int64_t *)state_touch_one(&s->store.rows, i);
            own[OWN_SLOT] = s->remap[own[OWN_SLOT]];
        }
}

static Error *move_clock(SlidingOperator *s, Operator *op, int64_t wm_us, int64_t clock_us)
{
    if (clock_us > s->next_due_us) {
        for (uint32_t count; (count = take_due(s, clock_us)) != 0;)
            TRY(fire_chunk(s, op, count));
        s->next_due_us = timers_next(&s->timers);
        compact_keys(s);
    }
    if (clock_us > s->scalars[SCALAR_CLOCK])
        s->scalars[SCALAR_CLOCK] = clock_us;
    if (wm_us > s->scalars[SCALAR_WM])
        s->scalars[SCALAR_WM] = wm_us;
    return NULL;
}

/* ---- rows in ---- */

static int64_t row_time(const SlidingOperator *s, const Operator *op, const Batch *batch, uint32_t row)
{
    if (s->spec->processing_time)
        return op->context->now_us;
    const Vector *time = batch->columns[s->spec->time_column];
    return clamp_time(((const int64_t *)time->values)[row & vector_mask(time)]);
}

/* Times beyond TIME_FAR count as that, and so does the clock. */
static int64_t row_clock(const SlidingOperator *s, const Operator *op, int64_t wm_us)
{
    int64_t clock_us = s->spec->processing_time ? time_sub(op->context->now_us, s->spec->grace_us) : time_sub(wm_us, s->back_us);
    return clock_us == TIME_MIN || clock_us == TIME_MAX ? clock_us : clamp_time(clock_us);
}

static int64_t row_wm(const Batch *batch, uint32_t row) { return batch->wm_us ? batch->wm_us[row] : batch->wm_end_us; }

/* Rows during which nothing is due. */
static void take_run(SlidingOperator *s, Operator *op, Batch *batch, const uint32_t *rows, uint32_t count)
{
    if (s->slots_capacity < count)
        s->slots = mem_grow(s->slots, &s->slots_capacity, count, sizeof(uint32_t));
    key_table_resolve(&s->keys, &s->key_batch, rows, count, s->slots);
    state_cover(&s->groups.state, s->keys.count);
    Evaluation evaluation = { .arena = &batch->arena, .now_us = op->context->now_us, .turn = op->context->turn };
    const Str no_key = str_view("", 0);
    for (uint32_t i = 0; i < count; i++) {
        const int64_t time_us = row_time(s, op, batch, rows[i]);
        const bool passed = time_us < row_clock(s, op, row_wm(batch, rows[i]));
        uint32_t number = row_store_add(&s->store, batch, rows[i], &no_key);
        int64_t *own = (int64_t *)state_touch_one(&s->store.rows, number);
        own[OWN_TIME] = time_us;
        own[OWN_SLOT] = s->slots[i];
        own[OWN_STATE] = passed ? ROW_INSIDE : ROW_PENDING;
        own[OWN_SEQUENCE] = s->scalars[SCALAR_SEQUENCE]++;
        add_timer(s, passed ? time_add(time_us, s->size_us) : time_us, number);
        if (!passed)
            continue;
        groups_update(&s->aggregates, &s->groups, batch, rows + i, s->slots + i, 1, &evaluation);
        s->late.windows++;
    }
}

static Error *take_batch(SlidingOperator *s, Operator *op, Batch *batch)
{
    const PlanNode *node = op->node;
    for (int i = 0; i < node->aggregate.key_count; i++)
        s->key_vectors[i] = batch->columns[node->aggregate.key_columns[i]];
    uint32_t count;
    const uint32_t *rows = row_list_take(&s->list, batch, node->aggregate.key_columns, node->aggregate.drop_null_keys ? node->aggregate.key_count : 0, &count);
    if (count == 0)
        return NULL;
    key_batch_prepare(&s->key_batch, s->key_vectors, batch->row_count, rows, count);
    uint32_t first = 0;
    int64_t run_due_us = s->next_due_us; /* of the rows of the run, too */
    for (uint32_t i = 0; i < count; i++) {
        const int64_t wm_us = row_wm(batch, rows[i]), clock_us = row_clock(s, op, wm_us), time_us = row_time(s, op, batch, rows[i]);
        const int64_t leaves_us = time_add(time_us, s->size_us);
        const bool late = leaves_us <= clock_us;
        if (late || clock_us > run_due_us) {
            if (first < i)
                take_run(s, op, batch, rows + first, i - first);
            first = i + late;
            if (i > 0 && row_wm(batch, rows[i - 1]) > s->scalars[SCALAR_WM]) /* what comes out carries the watermark from before */
                s->scalars[SCALAR_WM] = row_wm(batch, rows[i - 1]);
            TRY(move_clock(s, op, wm_us, clock_us));
            run_due_us = s->next_due_us;
        }
        if (late) {
            s->late.windows++;
            late_add(&s->late, rows[i], time_us - s->size_us, time_us);
            continue;
        }
        int64_t due_us = time_us < clock_us ? leaves_us : time_us;
        run_due_us = due_us < run_due_us ? due_us : run_due_us;
    }
    if (first < count)
        take_run(s, op, batch, rows + first, count - first);
    const int64_t last_wm_us = row_wm(batch, rows[count - 1]);
    if (last_wm_us > s->scalars[SCALAR_WM])
        s->scalars[SCALAR_WM] = last_wm_us;
    return NULL;
}

static Error *sliding_process(Operator *op, int input, Batch *batch)
{
    (void)input;
    SlidingOperator *s = op->state;
    Error *error = take_batch(s, op, batch);
    if (!error)
        error = builder_flush(&s->out);
    if (!error)
        error = late_flush(&s->late, op, batch, s->spec->lag_us);
    batch_release(batch);
    return error;
}

static Error *sliding_advance(Operator *op, int64_t wm_us)
{
    SlidingOperator *s = op->state;
    TRY(move_clock(s, op, wm_us, wm_us == TIME_MAX ? TIME_MAX : row_clock(s, op, wm_us)));
    return builder_flush(&s->out);
}

static int sliding_containers(Operator *op, Container **containers, int capacity)
{
    SlidingOperator *s = op->state;
    Container *all[] = { &s->scalars_container.container, &s->keys.container, &s->groups.container, &s->store.container };
    for (int i = 0; i < 4 && i < capacity; i++)
        containers[i] = all[i];
    return 4;
}

static Error *sliding_restored(Operator *op)
{
    SlidingOperator *s = op->state;
    timers_clear(&s->timers);
    s->next_due_us = TIME_MAX;
    for (uint32_t i = 0; i < s->store.count; i++) {
        const int64_t *own = row_store_own(&s->store, i);
        if (own[OWN_STATE] == ROW_FREE)
            continue;
        if (own[OWN_SLOT] < 0 || own[OWN_SLOT] >= (int64_t)s->keys.count)
            return page_damaged("a row of no key");
        add_timer(s, own[OWN_STATE] == ROW_INSIDE ? time_add(own[OWN_TIME], s->size_us) : own[OWN_TIME], i);
    }
    return NULL;
}

const OperatorType sliding_operator = {
    .name = "sliding window", .open = sliding_open, .close = sliding_close, .process = sliding_process, .advance = sliding_advance,
    .containers = sliding_containers, .restored = sliding_restored,
};
