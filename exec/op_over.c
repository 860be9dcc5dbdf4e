/* exec/op_over.c: functions OVER (PARTITION BY .. ORDER BY ..): every row comes out once, with their results behind its columns.
 *
 * BY_TIME: a row waits until the clock has passed its time; rows of equal time are put in order together, by arrival or by further ORDER BY
 * keys. A row whose place has been passed is late. A result whose frame reaches ahead waits for that, too. BY_ARRIVAL: rows are in order as
 * they come. WHOLE: a partition is sorted when it is complete: with its window, or at the end of the input.
 *
 *   events   (time, row): a pending row is put in order, a row whose frame reaches ahead becomes ready; WHOLE: a partition's window closes.
 *            They are run in order of their time, however far the clock jumps, so that its steps do not show.
 *   expiry   (time, partition): nothing looks at its rows any more. Physical only: frames go by their bounds.
 *
 * State: scalars, KeyTable, RowStore, entries of partitions, Groups of bundles (see over.h); lists and timers are rebuilt from them. */
#include <stdlib.h>
#include <string.h>
#include "common/calendar.h"
#include "exec/operators.h"
#include "exec/over.h"
#include "exec/sort_key.h"

enum { SCALAR_ARRIVALS, SCALAR_WM, SCALAR_CLOCK, SCALAR_EVENT, SCALAR_LIVE, SCALAR_COUNT };
enum { COMPACT_FROM = 4096 };

/* ---- partitions ---- */

static void cover_partitions(OverOperator *o)
{
    uint32_t count = o->keys.count;
    if (count <= o->partition_count)
        return;
    size_t used = sizeof(OverPartition) * o->partition_count, needed = sizeof(OverPartition) * count;
    if (o->partitions_bytes < needed)
        o->partitions = state_block_grow(o->pool, o->partitions, &o->partitions_bytes, used, needed);
    memset(o->partitions + o->partition_count, 0, needed - used);
    o->partition_count = count;
    state_cover(&o->entries, count);
    over_cover_bundles(o, count);
}

static void list_append(OverOperator *o, uint32_t slot, uint32_t id)
{
    OverPartition *partition = &o->partitions[slot];
    if (partition->head && partition->head >= partition->count) { /* half of it is gone */
        memmove(partition->ids, partition->ids + partition->head, sizeof(uint32_t) * partition->count);
        partition->head = 0;
    }
    size_t used = sizeof(uint32_t) * ((size_t)partition->head + partition->count);
    if (partition->bytes < used + sizeof(uint32_t))
        partition->ids = state_block_grow(o->pool, partition->ids, &partition->bytes, used, used + sizeof(uint32_t));
    partition->ids[partition->head + partition->count++] = id;
}

static void register_expiry(OverOperator *o, uint32_t slot)
{
    int64_t due_us = time_add(time_add(over_entry(o, slot)[P_LAST], o->reach_us), o->following_us);
    timers_add(&o->expiry, due_us, slot, slot);
}

/* A row has come for the partition. */
static void revive(OverOperator *o, uint32_t slot, int64_t order)
{
    int64_t *entry = (int64_t *)state_touch_one(&o->entries, slot);
    const bool fresh = !entry[P_LIVE];
    if (fresh || order > entry[P_LAST])
        entry[P_LAST] = order;
    if (!fresh)
        return;
    entry[P_LIVE] = 1;
    o->scalars[SCALAR_LIVE]++;
    if (o->reach_us != TIME_MAX)
        register_expiry(o, slot);
}

/* The partition is as if it had never been. */
static Error *drop_partition(OverOperator *o, uint32_t slot)
{
    OverPartition *partition = &o->partitions[slot];
    TRY(over_empty_frames(o, slot));
    for (int c = 0; c < o->node->over.call_count; c++)
        over_value_forget(o, c, slot);
    while (partition->count) {
        over_release_row(o, partition->ids[partition->head++]);
        partition->count--;
    }
    partition->head = 0;
    state_zero(&o->entries, slot);
    o->scalars[SCALAR_LIVE]--;
    return NULL;
}

/* ---- results ---- */

static bool ready(const OverOperator *o, const int64_t *entry, uint32_t slot)
{
    if (entry[P_NEXT] == entry[P_ROWS])
        return false;
    if (o->complete)
        return true;
    const int64_t *own = over_own(o, over_row(o, slot, entry[P_NEXT]));
    if (entry[P_ROWS] - entry[P_NEXT] <= o->following_rows || entry[P_DENSE] - own[OWN_DENSE] < o->following_groups)
        return false;
    return o->following_us == 0 || time_add(own[OWN_ORDER], o->following_us) <= o->scalars[SCALAR_EVENT];
}

static Error *emit_row(OverOperator *o, uint32_t slot)
{
    int64_t *entry = (int64_t *)state_touch_one(&o->entries, slot);
    uint32_t id = over_row(o, slot, entry[P_NEXT]), granted, at;
    TRY(over_move_frames(o, slot, id));
    TRY(builder_reserve(&o->out, 1, 1, &granted, &at));
    Batch *batch = o->out.batch;
    TRY(row_store_gather(&o->store, &id, 1, batch->columns, at, &batch->arena));
    TRY(over_bundle_results(o, slot, id, at));
    TRY(over_value_results(o, slot, id, at));
    builder_commit(&o->out, 1, o->scalars[SCALAR_WM]);
    entry[P_NEXT]++;
    over_trim(o, slot);
    return NULL;
}

static Error *emit_ready(OverOperator *o, uint32_t slot)
{
    while (ready(o, over_entry(o, slot), slot))
        TRY(emit_row(o, slot));
    return NULL;
}

/* ---- the order of a partition ---- */

/* Gives the row the next number; equal ones have the same place. */
static void number_row(OverOperator *o, uint32_t slot, uint32_t id, bool peers_count)
{
    int64_t *entry = (int64_t *)state_touch_one(&o->entries, slot), *own = over_own(o, id);
    bool peer = false;
    if (peers_count && entry[P_ROWS] > entry[P_FIRST]) {
        uint32_t before = over_row(o, slot, entry[P_ROWS] - 1);
        const int64_t *former = over_own(o, before);
        peer = (o->order == OVER_WHOLE || former[OWN_ORDER] == own[OWN_ORDER]) && sort_key_compare(row_store_key(&o->store, before), row_store_key(&o->store, id)) == 0;
        own[OWN_PEER] = former[OWN_PEER];
    }
    if (!peer) {
        own[OWN_PEER] = entry[P_ROWS];
        entry[P_DENSE]++;
    }
    own[OWN_DENSE] = entry[P_DENSE];
    own[OWN_NUMBER] = entry[P_ROWS]++;
}

typedef struct Sorted { const Str *key; int64_t arrival; uint32_t id; } Sorted;

static int by_key(const void *a, const void *b)
{
    const Sorted *x = a, *y = b;
    int order = sort_key_compare(x->key, y->key);
    return order ? order : (x->arrival > y->arrival) - (x->arrival < y->arrival);
}

static void sort_rows(OverOperator *o, uint32_t *ids, uint32_t count)
{
    Arena arena;
    arena_init(&arena, NULL);
    MEMORY_HOLD(arena_unwind, &arena);
    Sorted *rows = ARENA_ARRAY(&arena, Sorted, (size_t)count + 1);
    for (uint32_t i = 0; i < count; i++)
        rows[i] = (Sorted){ row_store_key(&o->store, ids[i]), over_own(o, ids[i])[OWN_ARRIVAL], ids[i] };
    qsort(rows, count, sizeof *rows, by_key);
    for (uint32_t i = 0; i < count; i++)
        ids[i] = rows[i].id;
    arena_release(&arena);
}

/* WHOLE: all rows of the partition are there. */
static Error *finish_partition(OverOperator *o, uint32_t slot)
{
    OverPartition *partition = &o->partitions[slot];
    if (partition->count == 0)
        return NULL;
    sort_rows(o, partition->ids + partition->head, partition->count);
    uint32_t count = partition->count;
    for (uint32_t i = 0; i < count; i++)
        number_row(o, slot, partition->ids[partition->head + i], true);
    const bool complete = o->complete;
    o->complete = true;
    Error *error = emit_ready(o, slot);
    o->complete = complete;
    return error ? error : drop_partition(o, slot);
}

/* ---- the clock ---- */

static void group_add(OverOperator *o, uint32_t at, uint32_t id)
{
    if (at == o->group_capacity)
        o->group = mem_grow(o->group, &o->group_capacity, (size_t)at + 1, sizeof(uint32_t));
    o->group[at] = id;
}

/* Everything that is due at the time of the first timer. */
static Error *run_events(OverOperator *o, Timer first)
{
    uint32_t count = 0;
    Timer timer = first;
    do
        group_add(o, count++, timer.slot);
    while (timers_pop(&o->events, first.time_us + 1, &timer));
    o->scalars[SCALAR_EVENT] = first.time_us;
    if (o->order == OVER_WHOLE) {
        for (uint32_t i = 0; i < count; i++)
            TRY(finish_partition(o, (uint32_t)over_own(o, o->group[i])[OWN_SLOT]));
        return NULL;
    }
    uint32_t pending = 0; /* they come first */
    for (uint32_t i = 0; i < count; i++)
        if (over_own(o, o->group[i])[OWN_NUMBER] < 0) {
            uint32_t id = o->group[i];
            o->group[i] = o->group[pending];
            o->group[pending++] = id;
        }
    if (!o->plain_order)
        sort_rows(o, o->group, pending);
    for (uint32_t i = 0; i < pending; i++) {
        uint32_t slot = (uint32_t)over_own(o, o->group[i])[OWN_SLOT];
        list_append(o, slot, o->group[i]);
        number_row(o, slot, o->group[i], true);
        if (o->following_us)
            timers_add(&o->events, time_add(first.time_us, o->following_us), o->group[i], (uint32_t)over_own(o, o->group[i])[OWN_ARRIVAL]);
    }
    const bool alone = o->following_us == 0 && o->following_rows == 0 && o->following_groups == 0; /* each row makes its own result ready */
    for (uint32_t i = 0; i < count; i++) {
        uint32_t slot = (uint32_t)over_own(o, o->group[i])[OWN_SLOT];
        TRY(alone ? emit_row(o, slot) : emit_ready(o, slot));
    }
    return NULL;
}

static Error *expire(OverOperator *o, int64_t clock_us)
{
    Timer timer;
    while (timers_next(&o->expiry) < clock_us && timers_pop(&o->expiry, clock_us, &timer)) {
        const int64_t *entry = over_entry(o, timer.slot);
        if (time_add(time_add(entry[P_LAST], o->reach_us), o->following_us) < clock_us)
            TRY(drop_partition(o, timer.slot));
        else
            register_expiry(o, timer.slot);
    }
    return NULL;
}

static Error *move_clock(OverOperator *o, int64_t wm_us)
{
    const bool timed = o->order == OVER_BY_TIME || o->node->over.window_time_column >= 0;
    const int64_t clock_us = time_sub(wm_us, o->node->over.lag_us);
    Timer timer;
    while (timed && timers_next(&o->events) < clock_us && timers_pop(&o->events, clock_us, &timer))
        TRY(run_events(o, timer));
    if (o->order == OVER_BY_TIME && o->reach_us != TIME_MAX && clock_us != TIME_MAX)
        TRY(expire(o, clock_us));
    if (clock_us > o->scalars[SCALAR_CLOCK])
        o->scalars[SCALAR_CLOCK] = clock_us;
    if (wm_us > o->scalars[SCALAR_WM] && wm_us != TIME_MAX)
        o->scalars[SCALAR_WM] = wm_us;
    return NULL;
}

/* ---- rows that come ---- */

/* What RANGE is measured in. */
static int64_t order_value(const OverOperator *o, const Batch *batch, uint32_t row, bool *null)
{
    const PlanNode *node = o->node;
    int column = o->order != OVER_WHOLE ? node->over.time_column : node->over.key_count ? node->over.keys[0].column : -1;
    *null = false;
    if (column < 0)
        return 0;
    const Vector *vector = batch->columns[column];
    const PhysicalType physical = type_physical(vector->type);
    *null = vector_is_null(vector, row);
    if (*null || (physical != PHYSICAL_INT64 && physical != PHYSICAL_DOUBLE))
        return 0;
    int64_t value = ((const int64_t *)vector->values)[row & vector_mask(vector)];
    if (o->order != OVER_WHOLE || !node->over.keys[0].descending)
        return value;
    if (!o->by_bits)
        return value == INT64_MIN ? INT64_MAX : -value;
    return value ^ INT64_MIN; /* the double's sign */
}

static uint32_t store_row(OverOperator *o, const Batch *batch, uint32_t row, uint32_t slot, int64_t order, bool null)
{
    const PlanNode *node = o->node;
    const int skipped = o->order == OVER_BY_TIME ? 1 : 0; /* the time has its own place */
    o->key.length = 0;
    if (o->order != OVER_BY_ARRIVAL && node->over.key_count > skipped)
        sort_key_put(&o->key, node->over.keys + skipped, node->over.key_count - skipped, batch->columns, row);
    Str key = str_view(text_c(&o->key), o->key.length);
    uint32_t id = row_store_add(&o->store, batch, row, &key);
    int64_t *own = over_own(o, id);
    memset(own, 0, sizeof(int64_t) * OWN_COUNT);
    own[OWN_SLOT] = slot;
    own[OWN_ARRIVAL] = o->scalars[SCALAR_ARRIVALS]++;
    own[OWN_NUMBER] = -1;
    own[OWN_ORDER] = order;
    own[OWN_NULL] = null;
    own[OWN_HOLDS] = 1;
    return id;
}

static Error *take_row(OverOperator *o, const Batch *batch, uint32_t row)
{
    const PlanNode *node = o->node;
    bool null;
    int64_t order = order_value(o, batch, row, &null), window_us = 0;
    if (node->over.window_time_column >= 0) {
        const Vector *time = batch->columns[node->over.window_time_column];
        window_us = ((const int64_t *)time->values)[row & vector_mask(time)];
    }
    const bool timed = o->order == OVER_BY_TIME || node->over.window_time_column >= 0;
    const int64_t time_us = o->order == OVER_BY_TIME ? order : window_us;
    if (timed && time_us < o->scalars[SCALAR_CLOCK]) {
        late_add(&o->late, row, time_us, time_us);
        return NULL;
    }
    uint32_t slot;
    key_table_resolve(&o->keys, &o->key_batch, &row, 1, &slot);
    cover_partitions(o);
    const bool fresh = !over_entry(o, slot)[P_LIVE];
    revive(o, slot, order);
    if (fresh)
        over_entry(o, slot)[P_WINDOW] = window_us;
    uint32_t id = store_row(o, batch, row, slot, order, null);
    switch (o->order) {
    case OVER_BY_TIME:
        timers_add(&o->events, order, id, (uint32_t)over_own(o, id)[OWN_ARRIVAL]);
        return NULL;
    case OVER_BY_ARRIVAL:
        list_append(o, slot, id);
        number_row(o, slot, id, false);
        return emit_ready(o, slot);
    case OVER_WHOLE:
        list_append(o, slot, id);
        if (fresh && timed)
            timers_add(&o->events, window_us, id, (uint32_t)over_own(o, id)[OWN_ARRIVAL]);
        return NULL;
    }
    return NULL;
}

static Error *take_batch(OverOperator *o, Batch *batch)
{
    const PlanNode *node = o->node;
    uint32_t count;
    const uint32_t *rows = row_list_take(&o->list, batch, NULL, 0, &count);
    if (count == 0)
        return NULL;
    for (int i = 0; i < node->over.partition_count; i++)
        o->key_vectors[i] = batch->columns[node->over.partition_columns[i]];
    key_batch_prepare(&o->key_batch, o->key_vectors, batch->row_count, rows, count);
    if (o->order == OVER_BY_ARRIVAL && o->reach_us != TIME_MAX)
        TRY(expire(o, batch->now_us));
    for (uint32_t i = 0; i < count; i++) {
        TRY(move_clock(o, batch->wm_us ? batch->wm_us[rows[i]] : batch->wm_end_us));
        TRY(take_row(o, batch, rows[i]));
    }
    return NULL;
}

/* ---- keys that have gone ---- */

static void rebuild_timers(OverOperator *o)
{
    timers_clear(&o->events);
    timers_clear(&o->expiry);
    Arena arena;
    arena_init(&arena, NULL);
    MEMORY_HOLD(arena_unwind, &arena);
    bool *freed = ARENA_ARRAY(&arena, bool, (size_t)o->store.count + 1);
    for (uint32_t i = 0; i < o->store.free_count; i++)
        freed[o->store.free_rows[i]] = true;
    for (uint32_t id = 0; id < o->store.count; id++) {
        if (freed[id])
            continue;
        const int64_t *own = over_own(o, id);
        if (o->order == OVER_BY_TIME && own[OWN_NUMBER] < 0)
            timers_add(&o->events, own[OWN_ORDER], id, (uint32_t)own[OWN_ARRIVAL]);
        else if (o->order == OVER_BY_TIME && o->following_us && time_add(own[OWN_ORDER], o->following_us) > o->scalars[SCALAR_EVENT])
            timers_add(&o->events, time_add(own[OWN_ORDER], o->following_us), id, (uint32_t)own[OWN_ARRIVAL]);
    }
    for (uint32_t slot = 0; slot < o->partition_count; slot++) {
        if (over_entry(o, slot)[P_LIVE] && o->reach_us != TIME_MAX)
            register_expiry(o, slot);
        const OverPartition *partition = &o->partitions[slot];
        if (o->order != OVER_WHOLE || partition->count == 0 || o->node->over.window_time_column < 0)
            continue;
        uint32_t first = partition->ids[partition->head];
        for (uint32_t i = 1; i < partition->count; i++) /* the first one that came */
            if (over_own(o, partition->ids[partition->head + i])[OWN_ARRIVAL] < over_own(o, first)[OWN_ARRIVAL])
                first = partition->ids[partition->head + i];
        timers_add(&o->events, over_entry(o, slot)[P_WINDOW], first, (uint32_t)over_own(o, first)[OWN_ARRIVAL]);
    }
    arena_release(&arena);
}

/* Keys without rows go when they are most of them. */
static void compact(OverOperator *o)
{
    uint32_t count = o->keys.count;
    if (count < COMPACT_FROM || o->scalars[SCALAR_LIVE] * 4 > (int64_t)count)
        return;
    Arena arena;
    arena_init(&arena, NULL);
    MEMORY_HOLD(arena_unwind, &arena);
    uint64_t *live = ARENA_ARRAY(&arena, uint64_t, bitmap_words(count) + 1);
    uint32_t *remap = ARENA_ARRAY(&arena, uint32_t, (size_t)count + 1), kept = 0;
    for (uint32_t slot = 0; slot < count; slot++)
        if (over_entry(o, slot)[P_LIVE])
            bit_set(live, slot);
    key_table_keep(&o->keys, live, remap);
    for (uint32_t slot = 0; slot < count; slot++) {
        OverPartition *partition = &o->partitions[slot];
        if (!bit_get(live, slot)) {
            state_block_free(o->pool, partition->ids, partition->bytes);
            continue;
        }
        o->partitions[remap[slot]] = *partition;
        kept++;
    }
    o->partition_count = kept;
    state_keep(&o->entries, live, remap, kept);
    for (int i = 0; i < o->bundle_count; i++)
        groups_keep(&o->bundles[i].aggregates, &o->bundles[i].groups, live, remap, kept);
    bool *freed = ARENA_ARRAY(&arena, bool, (size_t)o->store.count + 1);
    for (uint32_t i = 0; i < o->store.free_count; i++)
        freed[o->store.free_rows[i]] = true;
    for (uint32_t id = 0; id < o->store.count; id++)
        if (!freed[id])
            over_own(o, id)[OWN_SLOT] = remap[over_own(o, id)[OWN_SLOT]];
    arena_release(&arena);
    rebuild_timers(o);
}

/* ---- the operator ---- */

static Error *over_open(Operator *op)
{
    OverOperator *o = op->state = mem_calloc(1, sizeof(OverOperator));
    const PlanNode *node = o->node = op->node;
    arena_init(&o->arena, op->context->pool);
    o->op = op;
    o->pool = &op->pool;
    o->order = node->over.order;
    o->input_schema = &node->inputs[0].node->schema;
    if (node->inputs[0].node->traits.changes != CHANGES_APPEND)
        return error_at(ERR_UNSUPPORTED, node->at, "rows that are updated have no OVER");
    const bool by_key = o->order == OVER_WHOLE && node->over.key_count;
    o->by_bits = by_key && type_physical(o->input_schema->columns[node->over.keys[0].column].type) == PHYSICAL_DOUBLE;
    o->nulls_first = by_key && node->over.keys[0].nulls_first;
    o->plain_order = node->over.key_count <= 1;
    o->late.reason = "behind the watermark";
    over_plan_reach(o);
    over_plan_frames(o);
    o->scalars = ARENA_ARRAY(&o->arena, int64_t, SCALAR_COUNT);
    o->scalars[SCALAR_WM] = o->scalars[SCALAR_CLOCK] = o->scalars[SCALAR_EVENT] = TIME_MIN;
    scalars_init(&o->scalars_container, o->pool, o->scalars, SCALAR_COUNT);
    const Type **types = ARENA_ARRAY(&o->arena, const Type *, node->over.partition_count + 1);
    o->key_vectors = ARENA_ARRAY(&o->arena, const Vector *, node->over.partition_count + 1);
    for (int i = 0; i < node->over.partition_count; i++)
        types[i] = o->input_schema->columns[node->over.partition_columns[i]].type;
    key_layout_init(&o->key_layout, &o->arena, types, node->over.partition_count);
    key_batch_init(&o->key_batch, &o->key_layout);
    key_table_init(&o->keys, o->pool, &o->key_layout);
    row_store_init(&o->store, &o->arena, o->pool, o->input_schema, OWN_COUNT);
    char *layout = arena_alloc(&o->arena, (size_t)o->entry_fields + 1);
    memset(layout, 'l', (size_t)o->entry_fields);
    layout[o->entry_fields] = 0;
    state_init(&o->entries, o->pool, layout, false);
    timers_init(&o->events, o->pool, 10 * US_PER_SECOND, NULL, NULL);
    timers_init(&o->expiry, o->pool, o->reach_us == TIME_MAX ? US_PER_MINUTE : o->reach_us, NULL, NULL);
    builder_init(&o->out, op, PORT_MAIN, &node->schema, false);
    return over_open_bundles(o);
}

static void over_close(Operator *op)
{
    OverOperator *o = op->state;
    if (!o)
        return;
    builder_release(&o->out);
    late_release(&o->late);
    for (uint32_t i = 0; i < o->partition_count; i++)
        state_block_free(o->pool, o->partitions[i].ids, o->partitions[i].bytes);
    state_block_free(o->pool, o->partitions, o->partitions_bytes);
    over_close_bundles(o);
    timers_release(&o->events);
    timers_release(&o->expiry);
    row_store_release(&o->store);
    if (o->entries.layout)
        state_release(&o->entries);
    if (o->keys.layout)
        key_table_release(&o->keys);
    if (o->key_batch.layout)
        key_batch_release(&o->key_batch);
    row_list_release(&o->list);
    text_release(&o->key);
    mem_free(o->group);
    mem_free(o->history);
    arena_release(&o->arena);
    mem_free(o);
    op->state = NULL;
}

static Error *over_process(Operator *op, int input, Batch *batch)
{
    (void)input;
    OverOperator *o = op->state;
    Error *error = take_batch(o, batch);
    over_drop_scratch(o);
    if (!error)
        error = builder_flush(&o->out);
    if (!error)
        error = late_flush(&o->late, op, batch, op->node->over.lag_us);
    batch_release(batch);
    compact(o);
    return error;
}

static Error *over_advance(Operator *op, int64_t wm_us)
{
    OverOperator *o = op->state;
    TRY(move_clock(o, wm_us));
    over_drop_scratch(o);
    return builder_flush(&o->out);
}

static Error *over_end(Operator *op)
{
    OverOperator *o = op->state;
    o->complete = true;
    for (uint32_t slot = 0; slot < o->partition_count; slot++)
        TRY(o->order == OVER_WHOLE ? finish_partition(o, slot) : emit_ready(o, slot));
    over_drop_scratch(o);
    return builder_flush(&o->out);
}

static int over_containers(Operator *op, Container **containers, int capacity)
{
    OverOperator *o = op->state;
    Container *fixed[] = { &o->scalars_container.container, &o->keys.container, &o->store.container, &o->entries.container };
    int count = 0;
    for (; count < 4; count++)
        if (count < capacity)
            containers[count] = fixed[count];
    for (int i = 0; i < o->bundle_count; i++)
        for (int half = 0; half < (o->bundles[i].mode == BUNDLE_STACKS ? 2 : 1); half++, count++)
            if (count < capacity)
                containers[count] = half ? &o->bundles[i].rows.container : &o->bundles[i].groups.container;
    return count;
}

/* ---- after a restore ---- */

static Error *check_entry(const OverOperator *o, uint32_t slot)
{
    const int64_t *entry = over_entry(o, slot);
    bool sound = entry[P_FIRST] >= 0 && entry[P_FIRST] <= entry[P_NEXT] && entry[P_NEXT] <= entry[P_ROWS] && entry[P_ROWS] - entry[P_FIRST] <= (int64_t)o->store.count;
    for (int f = 0; f < o->frame_count && sound; f++) {
        const int64_t *bounds = over_frame_bounds(o, slot, f);
        sound = bounds[0] >= 0 && bounds[0] <= bounds[1] && bounds[1] <= entry[P_ROWS] && bounds[1] >= entry[P_FIRST] &&
                (o->frames[f].from == BOUND_UNBOUNDED_PRECEDING || bounds[0] >= entry[P_FIRST]);
    }
    for (int i = 0; i < o->bundle_count && sound; i++)
        if (o->bundles[i].middle >= 0)
            sound = entry[o->bundles[i].middle] >= 0 && entry[o->bundles[i].middle] <= over_frame_bounds(o, slot, o->bundles[i].frame)[1];
    return sound ? NULL : page_damaged("a partition has lost rows");
}

static Error *hold_remembered(OverOperator *o, uint32_t slot, const bool *freed)
{
    for (int c = 0; c < o->node->over.call_count; c++) {
        if (!over_value_holds(&o->node->over.calls[c]))
            continue;
        for (int i = 0; i < o->calls[c].field_count; i++) {
            int64_t row = over_entry(o, slot)[o->calls[c].field + i];
            if (row == 0)
                continue;
            if (row < 0 || row > (int64_t)o->store.count || freed[row - 1])
                return page_damaged("a remembered row does not exist");
            over_own(o, (uint32_t)row - 1)[OWN_HOLDS]++;
        }
    }
    return NULL;
}

static Error *list_row(OverOperator *o, uint32_t id)
{
    int64_t *own = over_own(o, id);
    if (own[OWN_SLOT] < 0 || own[OWN_SLOT] >= (int64_t)o->partition_count)
        return page_damaged("a row without partition");
    const int64_t *entry = over_entry(o, (uint32_t)own[OWN_SLOT]);
    OverPartition *partition = &o->partitions[own[OWN_SLOT]];
    if (o->order == OVER_WHOLE) {
        own[OWN_HOLDS]++;
        list_append(o, (uint32_t)own[OWN_SLOT], id);
    } else if (own[OWN_NUMBER] < 0) {
        own[OWN_HOLDS]++;
    } else if (own[OWN_NUMBER] >= entry[P_FIRST]) {
        if (own[OWN_NUMBER] >= entry[P_ROWS])
            return page_damaged("a row has no place in its partition");
        own[OWN_HOLDS]++;
        partition->ids[own[OWN_NUMBER] - entry[P_FIRST]] = id;
        partition->count++;
    }
    return NULL;
}

static Error *rebuild_lists(OverOperator *o, Arena *arena)
{
    bool *freed = ARENA_ARRAY(arena, bool, (size_t)o->store.count + 1);
    for (uint32_t i = 0; i < o->store.free_count; i++)
        freed[o->store.free_rows[i]] = true;
    for (uint32_t id = 0; id < o->store.count; id++)
        over_own(o, id)[OWN_HOLDS] = 0;
    for (uint32_t slot = 0; slot < o->partition_count; slot++) {
        OverPartition *partition = &o->partitions[slot];
        TRY(check_entry(o, slot));
        TRY(hold_remembered(o, slot, freed));
        partition->head = partition->count = 0;
        size_t needed = sizeof(uint32_t) * (size_t)(over_entry(o, slot)[P_ROWS] - over_entry(o, slot)[P_FIRST]);
        if (partition->bytes < needed)
            partition->ids = state_block_grow(o->pool, partition->ids, &partition->bytes, 0, needed);
    }
    for (uint32_t id = 0; id < o->store.count; id++)
        if (!freed[id])
            TRY(list_row(o, id));
    for (uint32_t slot = 0; slot < o->partition_count && o->order != OVER_WHOLE; slot++)
        if (o->partitions[slot].count != over_entry(o, slot)[P_ROWS] - over_entry(o, slot)[P_FIRST])
            return page_damaged("a partition has lost rows");
    return NULL;
}

static Error *over_restored(Operator *op)
{
    OverOperator *o = op->state;
    if (o->entries.slot_count != o->keys.count)
        return page_damaged("partitions and keys differ");
    for (int i = 0; i < o->bundle_count; i++)
        if (o->bundles[i].mode == BUNDLE_STACKS)
            state_cover(&o->bundles[i].rows.state, o->store.count);
    cover_partitions(o);
    Arena arena;
    arena_init(&arena, NULL);
    MEMORY_HOLD(arena_unwind, &arena);
    Error *error = rebuild_lists(o, &arena);
    arena_release(&arena);
    if (error)
        return error;
    rebuild_timers(o);
    return NULL;
}

/* The first row that waits for its time, or the window of the first partition. */
static int64_t over_next_close(const Operator *op)
{
    const OverOperator *o = op->state;
    int64_t next_us = TIME_MAX;
    for (uint32_t id = 0; id < o->store.count && o->order == OVER_BY_TIME; id++) {
        const int64_t *own = over_own(o, id);
        if (own[OWN_NUMBER] < 0 && own[OWN_ORDER] < next_us)
            next_us = own[OWN_ORDER];
    }
    for (uint32_t slot = 0; slot < o->partition_count && op->node->over.window_time_column >= 0; slot++)
        if (o->partitions[slot].count && over_entry(o, slot)[P_WINDOW] < next_us)
            next_us = over_entry(o, slot)[P_WINDOW];
    return next_us == TIME_MAX ? TIME_MAX : time_add(next_us, op->node->over.lag_us);
}

const OperatorType over_operator = {
    .name = "over", .open = over_open, .close = over_close, .process = over_process, .advance = over_advance, .end = over_end,
    .containers = over_containers, .next_close = over_next_close, .restored = over_restored,
};
