/* exec/op_match.c: MATCH_RECOGNIZE: rows of a partition, in their order, that a pattern describes.
 *
 * By time: a row waits until the clock has passed its time; rows of equal time are put in order together, by further ORDER BY keys or by arrival.
 * A row whose place has been passed is late. Else rows are in order as they come. What is in order is followed by match_ways.c.
 *
 *   events   (time, row): a pending row is put in order; (time, partition): WITHIN is over for its start, which decides what else no row of the
 *            partition would decide. They are run in order of their time, however far the clock jumps, so that its steps do not show.
 *
 * State: see match.h; lists, ways and timers are rebuilt from it. */
#include <stdlib.h>
#include "exec/match.h"
#include "common/calendar.h"
#include "exec/operators.h"
#include "exec/sort_key.h"

enum { COMPACT_FROM = 4096 };

/* ---- partitions ---- */

static void cover_partitions(MatchOperator *o)
{
    uint32_t count = o->keys.count;
    if (count <= o->partition_count)
        return;
    size_t used = sizeof(MatchPartition) * o->partition_count, needed = sizeof(MatchPartition) * count;
    if (o->partitions_bytes < needed)
        o->partitions = state_block_grow(o->pool, o->partitions, &o->partitions_bytes, used, needed);
    memset(o->partitions + o->partition_count, 0, needed - used);
    for (uint32_t slot = o->partition_count; slot < count; slot++)
        o->partitions[slot].ways = MATCH_NONE;
    o->partition_count = count;
    state_cover(&o->entries, count);
}

static void list_append(MatchOperator *o, uint32_t slot, uint32_t id)
{
    MatchPartition *partition = &o->partitions[slot];
    if (partition->head && partition->head >= partition->count) { /* half of it is gone */
        memmove(partition->ids, partition->ids + partition->head, sizeof(uint32_t) * partition->count);
        partition->head = 0;
    }
    size_t used = sizeof(uint32_t) * ((size_t)partition->head + partition->count);
    if (partition->bytes < used + sizeof(uint32_t))
        partition->ids = state_block_grow(o->pool, partition->ids, &partition->bytes, used, used + sizeof(uint32_t));
    partition->ids[partition->head + partition->count++] = id;
}

/* Rows that neither a match nor PREV can reach any more go; a partition that has nothing left is as if it had never been. */
static void trim(MatchOperator *o, uint32_t slot)
{
    int64_t *entry = (int64_t *)state_touch_one(&o->entries, slot);
    MatchPartition *partition = &o->partitions[slot];
    const int64_t keep = entry[P_START] - o->node->match.lookback;
    while (partition->count && entry[P_FIRST] < keep) {
        row_store_free(&o->store, partition->ids[partition->head++]);
        partition->count--;
        entry[P_FIRST]++;
    }
    if (partition->count || entry[P_PENDING] || o->numbered || !entry[P_LIVE])
        return;
    state_zero(&o->entries, slot);
    partition->head = 0;
    partition->cursor = 0;
    o->scalars[MATCH_LIVE]--;
}

static void revive(MatchOperator *o, uint32_t slot)
{
    int64_t *entry = (int64_t *)state_touch_one(&o->entries, slot);
    o->scalars[MATCH_LIVE] += !entry[P_LIVE];
    entry[P_LIVE] = 1;
}

/* ---- the clock ---- */

static void register_deadline(MatchOperator *o, uint32_t slot)
{
    const int64_t deadline_us = match_deadline(o, slot);
    if (deadline_us != TIME_MAX)
        timers_add(&o->events, deadline_us, slot * 2 + 1, (uint32_t)o->scalars[MATCH_ARRIVALS]);
}

/* Goes on with a partition whose rows, or whose time, have moved. */
static Error *go_on(MatchOperator *o, uint32_t slot)
{
    const bool begun = o->partitions[slot].ways != MATCH_NONE;
    const int64_t start = match_entry(o, slot)[P_START];
    TRY(match_follow(o, slot, o->scalars[MATCH_EVENT]));
    if (!begun || match_entry(o, slot)[P_START] != start)
        register_deadline(o, slot);
    trim(o, slot);
    return NULL;
}

static Error *take_in_order(MatchOperator *o, uint32_t slot, uint32_t id)
{
    int64_t *entry = (int64_t *)state_touch_one(&o->entries, slot);
    entry[P_PENDING] -= o->node->match.by_time;
    match_own(o, id)[ROW_NUMBER] = entry[P_ROWS]++;
    list_append(o, slot, id);
    return go_on(o, slot);
}

static void group_add(MatchOperator *o, uint32_t at, uint32_t what)
{
    if (at == o->group_capacity)
        o->group = mem_grow(o->group, &o->group_capacity, (size_t)at + 1, sizeof(uint32_t));
    o->group[at] = what;
}

typedef struct Sorted { const Str *key; int64_t arrival; uint32_t id; } Sorted;

static int by_key(const void *a, const void *b)
{
    const Sorted *x = a, *y = b;
    int order = sort_key_compare(x->key, y->key);
    return order ? order : (x->arrival > y->arrival) - (x->arrival < y->arrival);
}

static void sort_rows(MatchOperator *o, uint32_t *ids, uint32_t count)
{
    Arena arena;
    arena_init(&arena, NULL);
    MEMORY_HOLD(arena_unwind, &arena);
    Sorted *rows = ARENA_ARRAY(&arena, Sorted, (size_t)count + 1);
    for (uint32_t i = 0; i < count; i++)
        rows[i] = (Sorted){ row_store_key(&o->store, ids[i]), match_own(o, ids[i])[ROW_ARRIVAL], ids[i] };
    qsort(rows, count, sizeof *rows, by_key);
    for (uint32_t i = 0; i < count; i++)
        ids[i] = rows[i].id;
    arena_release(&arena);
}

static int by_number(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Everything that is due at the time of the first timer: first the partitions whose time is over, then the rows. */
static Error *run_events(MatchOperator *o, Timer first)
{
    uint32_t count = 0, over = 0;
    Timer timer = first;
    do {
        group_add(o, count, timer.slot);
        if (timer.slot & 1) {
            o->group[count] = o->group[over];
            o->group[over++] = timer.slot;
        }
        count++;
    } while (timers_pop(&o->events, first.time_us + 1, &timer));
    o->scalars[MATCH_EVENT] = first.time_us;
    qsort(o->group, over, sizeof *o->group, by_number);
    for (uint32_t i = 0; i < over; i++)
        if (i == 0 || o->group[i] != o->group[i - 1])
            TRY(go_on(o, o->group[i] >> 1));
    for (uint32_t i = over; i < count; i++)
        o->group[i] >>= 1;
    if (count - over > 1)
        sort_rows(o, o->group + over, count - over);
    for (uint32_t i = over; i < count; i++)
        TRY(take_in_order(o, (uint32_t)match_own(o, o->group[i])[ROW_SLOT], o->group[i]));
    return NULL;
}

static Error *run_until(MatchOperator *o, int64_t clock_us)
{
    Timer timer;
    while (timers_next(&o->events) < clock_us && timers_pop(&o->events, clock_us, &timer))
        TRY(run_events(o, timer));
    return NULL;
}

static Error *move_clock(MatchOperator *o, int64_t wm_us)
{
    const int64_t clock_us = time_sub(wm_us, o->node->match.lag_us);
    if (o->node->match.by_time)
        TRY(run_until(o, clock_us));
    if (clock_us > o->scalars[MATCH_CLOCK])
        o->scalars[MATCH_CLOCK] = clock_us;
    if (wm_us > o->scalars[MATCH_WM] && wm_us != TIME_MAX)
        o->scalars[MATCH_WM] = wm_us;
    return NULL;
}

/* ---- rows that come ---- */

static uint32_t store_row(MatchOperator *o, const Batch *batch, uint32_t row, uint32_t slot, int64_t time_us)
{
    const PlanNode *node = o->node;
    o->key.length = 0;
    if (node->match.key_count > 1) /* the time has its own place */
        sort_key_put(&o->key, node->match.keys + 1, node->match.key_count - 1, batch->columns, row);
    Str key = str_view(text_c(&o->key), o->key.length);
    uint32_t id = row_store_add(&o->store, batch, row, &key);
    int64_t *own = match_own(o, id);
    own[ROW_SLOT] = slot;
    own[ROW_ARRIVAL] = o->scalars[MATCH_ARRIVALS]++;
    own[ROW_NUMBER] = -1;
    own[ROW_TIME] = time_us;
    return id;
}

static int64_t row_time(const MatchOperator *o, const Batch *batch, uint32_t row)
{
    const int column = o->node->match.time_column;
    const Vector *vector = column >= 0 ? batch->columns[column] : NULL;
    return vector && !vector_is_null(vector, row) ? ((const int64_t *)vector->values)[row & vector_mask(vector)] : 0;
}

static Error *take_row(MatchOperator *o, const Batch *batch, uint32_t row)
{
    const int64_t time_us = row_time(o, batch, row);
    if (o->node->match.by_time && time_us < o->scalars[MATCH_CLOCK]) {
        late_add(&o->late, row, time_us, time_us);
        return NULL;
    }
    uint32_t slot;
    key_table_resolve(&o->keys, &o->key_batch, &row, 1, &slot);
    cover_partitions(o);
    revive(o, slot);
    if (o->node->match.by_time) {
        uint32_t id = store_row(o, batch, row, slot, time_us);
        match_entry(o, slot)[P_PENDING]++;
        timers_add(&o->events, time_us, id * 2, (uint32_t)match_own(o, id)[ROW_ARRIVAL]);
        return NULL;
    }
    if (o->node->match.within_us) { /* rows come in the order of their time */
        TRY(run_until(o, time_add(time_us, 1)));
        revive(o, slot);
    }
    return take_in_order(o, slot, store_row(o, batch, row, slot, time_us));
}

static Error *take_batch(MatchOperator *o, Batch *batch)
{
    const PlanNode *node = o->node;
    uint32_t count;
    const uint32_t *rows = row_list_take(&o->list, batch, NULL, 0, &count);
    if (count == 0)
        return NULL;
    for (int i = 0; i < node->match.partition_count; i++)
        o->key_vectors[i] = batch->columns[node->match.partition_columns[i]];
    key_batch_prepare(&o->key_batch, o->key_vectors, batch->row_count, rows, count);
    for (uint32_t i = 0; i < count; i++) {
        TRY(move_clock(o, batch->wm_us ? batch->wm_us[rows[i]] : batch->wm_end_us));
        TRY(take_row(o, batch, rows[i]));
    }
    return NULL;
}

/* ---- keys that have gone ---- */

static bool *freed_rows(const MatchOperator *o, Arena *arena)
{
    bool *freed = ARENA_ARRAY(arena, bool, (size_t)o->store.count + 1);
    for (uint32_t i = 0; i < o->store.free_count; i++)
        freed[o->store.free_rows[i]] = true;
    return freed;
}

static void rebuild_timers(MatchOperator *o, const bool *freed)
{
    timers_clear(&o->events);
    for (uint32_t id = 0; id < o->store.count; id++)
        if (!freed[id] && match_own(o, id)[ROW_NUMBER] < 0)
            timers_add(&o->events, match_own(o, id)[ROW_TIME], id * 2, (uint32_t)match_own(o, id)[ROW_ARRIVAL]);
    for (uint32_t slot = 0; slot < o->partition_count; slot++)
        register_deadline(o, slot);
}

/* Keys without rows go when they are most of them. */
static void compact(MatchOperator *o)
{
    uint32_t count = o->keys.count;
    if (count < COMPACT_FROM || o->scalars[MATCH_LIVE] * 4 > (int64_t)count)
        return;
    Arena arena;
    arena_init(&arena, NULL);
    MEMORY_HOLD(arena_unwind, &arena);
    uint64_t *live = ARENA_ARRAY(&arena, uint64_t, bitmap_words(count) + 1);
    uint32_t *remap = ARENA_ARRAY(&arena, uint32_t, (size_t)count + 1), kept = 0;
    for (uint32_t slot = 0; slot < count; slot++)
        if (match_entry(o, slot)[P_LIVE])
            bit_set(live, slot);
    key_table_keep(&o->keys, live, remap);
    for (uint32_t slot = 0; slot < count; slot++) {
        MatchPartition *partition = &o->partitions[slot];
        if (!bit_get(live, slot)) {
            state_block_free(o->pool, partition->ids, partition->bytes);
            continue;
        }
        o->partitions[remap[slot]] = *partition;
        kept++;
    }
    o->partition_count = kept;
    state_keep(&o->entries, live, remap, kept);
    bool *freed = freed_rows(o, &arena);
    for (uint32_t id = 0; id < o->store.count; id++)
        if (!freed[id])
            match_own(o, id)[ROW_SLOT] = remap[match_own(o, id)[ROW_SLOT]];
    rebuild_timers(o, freed);
    arena_release(&arena);
}

/* ---- the operator ---- */

static Error *match_open(Operator *op)
{
    MatchOperator *o = op->state = mem_calloc(1, sizeof(MatchOperator));
    const PlanNode *node = o->node = op->node;
    arena_init(&o->arena, op->context->pool);
    arena_init(&o->scratch, op->context->pool);
    o->op = op;
    o->pool = &op->pool;
    o->input_schema = &node->inputs[0].node->schema;
    if (node->inputs[0].node->traits.changes != CHANGES_APPEND)
        return error_at(ERR_UNSUPPORTED, node->at, "rows that are updated match no pattern");
    o->late.reason = "behind the watermark";
    o->scalars = ARENA_ARRAY(&o->arena, int64_t, MATCH_SCALARS);
    o->scalars[MATCH_WM] = o->scalars[MATCH_CLOCK] = o->scalars[MATCH_EVENT] = TIME_MIN;
    scalars_init(&o->scalars_container, o->pool, o->scalars, MATCH_SCALARS);
    const Type **types = ARENA_ARRAY(&o->arena, const Type *, node->match.partition_count + 1);
    o->key_vectors = ARENA_ARRAY(&o->arena, const Vector *, node->match.partition_count + 1);
    for (int i = 0; i < node->match.partition_count; i++)
        types[i] = o->input_schema->columns[node->match.partition_columns[i]].type;
    key_layout_init(&o->key_layout, &o->arena, types, node->match.partition_count);
    key_batch_init(&o->key_batch, &o->key_layout);
    key_table_init(&o->keys, o->pool, &o->key_layout);
    row_store_init(&o->store, &o->arena, o->pool, o->input_schema, ROW_OWN_COUNT);
    state_init(&o->entries, o->pool, "lllllll", false);
    timers_init(&o->events, o->pool, 10 * US_PER_SECOND, NULL, NULL);
    builder_init(&o->out, op, PORT_MAIN, &node->schema, false);
    TRY(match_open_terms(o));
    return match_open_results(o);
}

static void match_close(Operator *op)
{
    MatchOperator *o = op->state;
    if (!o)
        return;
    builder_release(&o->out);
    late_release(&o->late);
    for (uint32_t i = 0; i < o->partition_count; i++)
        state_block_free(o->pool, o->partitions[i].ids, o->partitions[i].bytes);
    state_block_free(o->pool, o->partitions, o->partitions_bytes);
    match_close_terms(o);
    match_close_results(o);
    timers_release(&o->events);
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
    arena_release(&o->scratch);
    arena_release(&o->arena);
    mem_free(o);
    op->state = NULL;
}

static Error *first_error(Error *error, Error *later)
{
    if (!error)
        return later;
    error_free(later);
    return error;
}

/* What was sent out before an error stands. */
static Error *flush(MatchOperator *o, Error *error) { return first_error(error, builder_flush(&o->out)); }

static Error *match_process(Operator *op, int input, Batch *batch)
{
    (void)input;
    MatchOperator *o = op->state;
    Error *error = flush(o, take_batch(o, batch));
    error = first_error(error, late_flush(&o->late, op, batch, op->node->match.lag_us));
    batch_release(batch);
    compact(o);
    return error;
}

static Error *match_advance(Operator *op, int64_t wm_us)
{
    MatchOperator *o = op->state;
    return flush(o, move_clock(o, wm_us));
}

static Error *finish(MatchOperator *o)
{
    TRY(run_until(o, TIME_MAX));
    o->complete = true;
    for (uint32_t slot = 0; slot < o->partition_count; slot++)
        TRY(go_on(o, slot));
    return NULL;
}

static Error *match_end(Operator *op)
{
    MatchOperator *o = op->state;
    return flush(o, finish(o));
}

static int match_containers(Operator *op, Container **containers, int capacity)
{
    MatchOperator *o = op->state;
    Container *all[] = { &o->scalars_container.container, &o->keys.container, &o->store.container, &o->entries.container };
    for (int i = 0; i < 4; i++)
        if (i < capacity)
            containers[i] = all[i];
    return 4;
}

/* ---- after a restore ---- */

static Error *list_row(MatchOperator *o, uint32_t id)
{
    const int64_t *own = match_own(o, id);
    if (own[ROW_SLOT] < 0 || own[ROW_SLOT] >= (int64_t)o->partition_count)
        return page_damaged("a row without partition");
    if (own[ROW_NUMBER] < 0)
        return NULL;
    const int64_t *entry = match_entry(o, (uint32_t)own[ROW_SLOT]);
    MatchPartition *partition = &o->partitions[own[ROW_SLOT]];
    if (own[ROW_NUMBER] < entry[P_FIRST] || own[ROW_NUMBER] >= entry[P_ROWS])
        return page_damaged("a row has no place in its partition");
    partition->ids[own[ROW_NUMBER] - entry[P_FIRST]] = id;
    partition->count++;
    return NULL;
}

static Error *rebuild_lists(MatchOperator *o, const bool *freed)
{
    for (uint32_t slot = 0; slot < o->partition_count; slot++) {
        MatchPartition *partition = &o->partitions[slot];
        const int64_t *entry = match_entry(o, slot);
        if (entry[P_FIRST] < 0 || entry[P_FIRST] > entry[P_ROWS] || entry[P_START] < entry[P_FIRST] || entry[P_START] > entry[P_ROWS] ||
            entry[P_ROWS] - entry[P_FIRST] > (int64_t)o->store.count)
            return page_damaged("a partition has lost rows");
        partition->head = partition->count = 0;
        partition->cursor = entry[P_START];
        size_t needed = sizeof(uint32_t) * (size_t)(entry[P_ROWS] - entry[P_FIRST]);
        if (partition->bytes < needed)
            partition->ids = state_block_grow(o->pool, partition->ids, &partition->bytes, 0, needed);
    }
    for (uint32_t id = 0; id < o->store.count; id++)
        if (!freed[id])
            TRY(list_row(o, id));
    for (uint32_t slot = 0; slot < o->partition_count; slot++)
        if (o->partitions[slot].count != match_entry(o, slot)[P_ROWS] - match_entry(o, slot)[P_FIRST])
            return page_damaged("a partition has lost rows");
    return NULL;
}

static Error *rebuild(MatchOperator *o, Arena *arena)
{
    const bool *freed = freed_rows(o, arena);
    TRY(rebuild_lists(o, freed));
    o->restoring = true;
    for (uint32_t slot = 0; slot < o->partition_count; slot++)
        TRY(match_follow(o, slot, o->scalars[MATCH_EVENT]));
    o->restoring = false;
    rebuild_timers(o, freed);
    return NULL;
}

static Error *match_restored(Operator *op)
{
    MatchOperator *o = op->state;
    if (o->entries.slot_count != o->keys.count)
        return page_damaged("partitions and keys differ");
    cover_partitions(o);
    Arena arena;
    arena_init(&arena, NULL);
    MEMORY_HOLD(arena_unwind, &arena);
    Error *error = rebuild(o, &arena);
    arena_release(&arena);
    return error;
}

/* The first row that waits for its time, or the first start whose time will be over. */
static int64_t match_next_close(const Operator *op)
{
    const MatchOperator *o = op->state;
    int64_t next_us = TIME_MAX;
    for (uint32_t id = 0; id < o->store.count; id++) {
        const int64_t *own = match_own(o, id);
        if (own[ROW_NUMBER] < 0 && own[ROW_TIME] < next_us)
            next_us = own[ROW_TIME];
    }
    for (uint32_t slot = 0; slot < o->partition_count; slot++)
        if (match_deadline(o, slot) < next_us)
            next_us = match_deadline(o, slot);
    return next_us == TIME_MAX ? TIME_MAX : time_add(next_us, op->node->match.lag_us);
}

const OperatorType match_operator = {
    .name = "match", .open = match_open, .close = match_close, .process = match_process, .advance = match_advance, .end = match_end,
    .containers = match_containers, .next_close = match_next_close, .restored = match_restored,
};
