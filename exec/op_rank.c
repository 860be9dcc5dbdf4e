/* exec/op_rank.c: ROW_NUMBER, RANK, DENSE_RANK <= n per partition: Top-N.
 *
 *   bucket          the partitions of one window time (FINAL), or all (END, CHANGES)
 *   partition       its best rows in order: `ids` into the bucket's RowStore; equal keys by arrival
 *
 * ROW_NUMBER keeps n rows, RANK also those equal to the n-th, DENSE_RANK all rows of the n best keys.
 * FINAL: a bucket comes out when the clock has passed its window time; then it is late. END: at the end. CHANGES: what a batch
 * has changed, rows that leave before rows that come.
 * State: per bucket KeyTable + RowStore (partition, arrival number); the lists are rebuilt from them. */
#include <stdlib.h>
#include <string.h>
#include "common/calendar.h"
#include "exec/key_table.h"
#include "exec/late_rows.h"
#include "exec/operators.h"
#include "exec/output_builder.h"
#include "exec/row_list.h"
#include "exec/row_store.h"
#include "exec/scalars.h"
#include "exec/sort_key.h"

enum { SCALAR_ARRIVALS, SCALAR_WM, SCALAR_CLOCK, SCALAR_COUNT };
enum { OWN_PARTITION, OWN_ARRIVAL, OWN_COUNT };

typedef struct Partition {
    uint32_t *ids;
    size_t bytes;          /* of `ids` */
    uint32_t count;
    uint32_t former;       /* CHANGES: its list before the batch begins here in rank->former, + 1; 0: not touched */
} Partition;

typedef struct Bucket {
    int64_t time_us;
    KeyTable keys;
    RowStore store;
    Partition *partitions; /* by slot */
    size_t partitions_bytes;
    uint32_t partition_count;
} Bucket;

typedef struct Ranked { uint32_t id; int64_t rank; } Ranked;

typedef struct RankOperator {
    Container container;   /* of all buckets */
    Arena arena;
    MemoryPool *pool;
    const PlanNode *node;
    const Schema *input_schema;
    bool by_time, changing;
    bool first_ties;       /* CHANGES of the rows with rank 1, however many, without their number: they only become more, or all go */
    KeyLayout key_layout;
    KeyBatch key_batch;
    RowStore store_like;
    Bucket **buckets;      /* ascending time */
    size_t bucket_capacity;
    uint32_t bucket_count;
    int64_t scalars[SCALAR_COUNT];
    Scalars scalars_container;
    OutputBuilder out;
    LateRows late;
    RowList list;
    Text key;
    const Vector **key_vectors;
    /* CHANGES: the partitions that the batch has touched, and their rows before */
    uint32_t *touched;
    size_t touched_capacity;
    uint32_t touched_count;
    struct FormerList { uint32_t first, count; bool replaced; } *former_lists; /* first_ties: the list stands here only if all of it goes */
    size_t former_list_capacity;
    Ranked *former;
    size_t former_capacity;
    uint32_t former_count;
    uint32_t *leaving;     /* rows to free when the batch is done */
    size_t leaving_capacity;
    uint32_t leaving_count;
} RankOperator;

/* ---- buckets ---- */

static void bucket_free(RankOperator *r, Bucket *bucket)
{
    for (uint32_t i = 0; i < bucket->partition_count; i++)
        state_block_free(r->pool, bucket->partitions[i].ids, bucket->partitions[i].bytes);
    state_block_free(r->pool, bucket->partitions, bucket->partitions_bytes);
    if (bucket->keys.layout)
        key_table_release(&bucket->keys);
    row_store_release(&bucket->store);
    mem_free(bucket);
}

static Bucket *bucket_at(RankOperator *r, int64_t time_us)
{
    uint32_t low = 0, high = r->bucket_count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (r->buckets[middle]->time_us < time_us)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < r->bucket_count && r->buckets[low]->time_us == time_us)
        return r->buckets[low];
    if (r->bucket_count == r->bucket_capacity)
        r->buckets = mem_grow(r->buckets, &r->bucket_capacity, (size_t)r->bucket_count + 1, sizeof(Bucket *));
    Bucket *bucket = mem_calloc(1, sizeof(Bucket));
    bucket->time_us = time_us;
    key_table_init(&bucket->keys, r->pool, &r->key_layout);
    row_store_init_like(&bucket->store, &r->store_like);
    memmove(r->buckets + low + 1, r->buckets + low, sizeof(Bucket *) * (r->bucket_count - low));
    r->buckets[low] = bucket;
    r->bucket_count++;
    return bucket;
}

static void cover_partitions(RankOperator *r, Bucket *bucket)
{
    uint32_t count = bucket->keys.count;
    if (count <= bucket->partition_count)
        return;
    size_t used = sizeof(Partition) * bucket->partition_count, needed = sizeof(Partition) * count;
    if (bucket->partitions_bytes < needed)
        bucket->partitions = state_block_grow(r->pool, bucket->partitions, &bucket->partitions_bytes, used, needed);
    memset(bucket->partitions + bucket->partition_count, 0, needed - used);
    bucket->partition_count = count;
}

/* ---- one partition ---- */

static const Str *key_of(const Bucket *bucket, const Partition *partition, uint32_t i)
{
    return row_store_key(&bucket->store, partition->ids[i]);
}

/* The ranks of the rows in order; calls for each: its rank among the kept rows. */
static void rank_rows(const RankOperator *r, const Bucket *bucket, const Partition *partition, Ranked *ranked)
{
    int64_t rank = 0;
    for (uint32_t i = 0; i < partition->count; i++) {
        bool equal = i && sort_key_compare(key_of(bucket, partition, i - 1), key_of(bucket, partition, i)) == 0;
        switch (r->node->rank.rank) {
        case RANK_ROW_NUMBER: rank = (int64_t)i + 1; break;
        case RANK_RANK: rank = equal ? rank : (int64_t)i + 1; break;
        case RANK_DENSE_RANK: rank += !equal; break;
        }
        ranked[i] = (Ranked){ partition->ids[i], rank };
    }
}

static void drop_row(RankOperator *r, Bucket *bucket, uint32_t id)
{
    if (!r->changing) {
        row_store_free(&bucket->store, id);
        return;
    }
    if (r->leaving_count == r->leaving_capacity)
        r->leaving = mem_grow(r->leaving, &r->leaving_capacity, (size_t)r->leaving_count + 1, sizeof(uint32_t));
    r->leaving[r->leaving_count++] = id;
}

/* The number of kept rows before the first whose rank exceeds the limit. */
static uint32_t rows_within(const RankOperator *r, const Bucket *bucket, const Partition *partition)
{
    const int64_t limit = r->node->rank.limit;
    uint32_t i = 0;
    int64_t keys = 0;
    if (r->node->rank.rank == RANK_ROW_NUMBER)
        return (int64_t)partition->count > limit ? (uint32_t)limit : partition->count;
    if (r->node->rank.rank == RANK_RANK) {
        if ((int64_t)partition->count <= limit)
            return partition->count;
        /* Before the row that has just come all were within: behind the limit stand only rows that are equal, whose first one it has moved or joined. */
        return limit && sort_key_compare(key_of(bucket, partition, (uint32_t)limit - 1), key_of(bucket, partition, (uint32_t)limit)) == 0 ? partition->count : (uint32_t)limit;
    }
    for (; i < partition->count; i++) {
        keys += i == 0 || sort_key_compare(key_of(bucket, partition, i - 1), key_of(bucket, partition, i)) != 0;
        if (keys > limit)
            break;
    }
    return i;
}

/* Puts an id behind all rows whose key is not larger. */
static void insert_id(RankOperator *r, Bucket *bucket, Partition *partition, uint32_t id)
{
    const Str *key = row_store_key(&bucket->store, id);
    uint32_t low = 0, high = partition->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (sort_key_compare(key_of(bucket, partition, middle), key) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    size_t used = sizeof(uint32_t) * partition->count;
    if (partition->bytes < used + sizeof(uint32_t))
        partition->ids = state_block_grow(r->pool, partition->ids, &partition->bytes, used, used + sizeof(uint32_t));
    memmove(partition->ids + low + 1, partition->ids + low, sizeof(uint32_t) * (partition->count - low));
    partition->ids[low] = id;
    partition->count++;
}

/* Remembers a partition's rows before the batch changes them. */
static void remember(RankOperator *r, Bucket *bucket, uint32_t slot)
{
    Partition *partition = &bucket->partitions[slot];
    if (!r->changing || partition->former)
        return;
    if (r->touched_count == r->touched_capacity)
        r->touched = mem_grow(r->touched, &r->touched_capacity, (size_t)r->touched_count + 1, sizeof(uint32_t));
    if (r->touched_count >= r->former_list_capacity)
        r->former_lists = mem_grow(r->former_lists, &r->former_list_capacity, (size_t)r->touched_count + 1, sizeof(*r->former_lists));
    r->former_lists[r->touched_count] = (struct FormerList){ r->former_count, partition->count, false };
    r->touched[r->touched_count++] = slot;
    partition->former = r->touched_count;
    if (r->first_ties)
        return;
    size_t needed = (size_t)r->former_count + partition->count;
    if (needed > r->former_capacity)
        r->former = mem_grow(r->former, &r->former_capacity, needed, sizeof(Ranked));
    rank_rows(r, bucket, partition, r->former + r->former_count);
    r->former_count += partition->count;
}

/* All rows of the partition go; those from before the batch are remembered. */
static void replace_ties(RankOperator *r, Bucket *bucket, Partition *partition)
{
    struct FormerList *list = &r->former_lists[partition->former - 1];
    const size_t needed = (size_t)r->former_count + list->count;
    if (!list->replaced && needed > r->former_capacity)
        r->former = mem_grow(r->former, &r->former_capacity, needed, sizeof(Ranked));
    if (!list->replaced)
        list->first = r->former_count;
    for (uint32_t i = 0; !list->replaced && i < list->count; i++)
        r->former[r->former_count++] = (Ranked){ partition->ids[i], 1 };
    list->replaced = true;
    while (partition->count)
        drop_row(r, bucket, partition->ids[--partition->count]);
}

static void take_row(RankOperator *r, Bucket *bucket, uint32_t slot, const Batch *batch, uint32_t row)
{
    const PlanNode *node = r->node;
    Partition *partition = &bucket->partitions[slot];
    int64_t arrival = r->scalars[SCALAR_ARRIVALS]++;
    if (node->rank.limit <= 0)
        return;
    r->key.length = 0;
    sort_key_put(&r->key, node->rank.keys, node->rank.key_count, batch->columns, row);
    Str key = str_view(text_c(&r->key), r->key.length);
    /* Full: a row that is worse than the last kept one changes nothing; an equal one counts as tie, save for ROW_NUMBER. */
    if (partition->count && (int64_t)partition->count >= node->rank.limit) {
        int order = sort_key_compare(&key, key_of(bucket, partition, partition->count - 1));
        if (node->rank.rank == RANK_ROW_NUMBER ? order >= 0 : node->rank.rank == RANK_RANK && order > 0)
            return;
    }
    const bool better = r->first_ties && partition->count && sort_key_compare(&key, key_of(bucket, partition, 0)) < 0;
    remember(r, bucket, slot);
    if (better)
        replace_ties(r, bucket, partition);
    uint32_t id = row_store_add(&bucket->store, batch, row, &key);
    row_store_own(&bucket->store, id)[OWN_PARTITION] = slot;
    row_store_own(&bucket->store, id)[OWN_ARRIVAL] = arrival;
    insert_id(r, bucket, partition, id);
    uint32_t within = r->first_ties ? partition->count : rows_within(r, bucket, partition);
    while (partition->count > within)
        drop_row(r, bucket, partition->ids[--partition->count]);
}

/* ---- results ---- */

static Error *emit_row(RankOperator *r, const Bucket *bucket, Ranked row, uint8_t kind, uint32_t least)
{
    uint32_t granted, at;
    TRY(builder_reserve(&r->out, 1, least, &granted, &at));
    Batch *batch = r->out.batch;
    TRY(row_store_gather(&bucket->store, &row.id, 1, batch->columns, at, &batch->arena));
    if (r->node->rank.rank_column)
        ((int64_t *)batch->columns[r->input_schema->column_count]->values)[at] = row.rank;
    if (batch->kinds)
        batch->kinds[at] = kind;
    builder_commit(&r->out, 1, r->scalars[SCALAR_WM]);
    return NULL;
}

static Error *emit_bucket(RankOperator *r, const Bucket *bucket)
{
    for (uint32_t slot = 0; slot < bucket->partition_count; slot++) {
        const Partition *partition = &bucket->partitions[slot];
        if (partition->count > r->former_capacity)
            r->former = mem_grow(r->former, &r->former_capacity, partition->count, sizeof(Ranked));
        rank_rows(r, bucket, partition, r->former);
        for (uint32_t i = 0; i < partition->count; i++)
            TRY(emit_row(r, bucket, r->former[i], ROW_INSERT, 1));
    }
    return NULL;
}

/* ROW_NUMBER with its number: each place has a row of its own, which another one may take. */
static Error *emit_places(RankOperator *r, const Bucket *bucket, const Ranked *before, uint32_t before_count, const Ranked *now, uint32_t now_count)
{
    for (uint32_t i = 0; i < before_count || i < now_count; i++) {
        if (i < before_count && i < now_count && before[i].id == now[i].id)
            continue;
        const bool pair = i < before_count && i < now_count;
        if (i < before_count)
            TRY(emit_row(r, bucket, before[i], pair ? ROW_UPDATE_BEFORE : ROW_DELETE, pair ? 2 : 1));
        if (i < now_count)
            TRY(emit_row(r, bucket, now[i], pair ? ROW_UPDATE_AFTER : ROW_INSERT, 1));
    }
    return NULL;
}

/* Rows with rank 1: more of them, or others. */
static Error *emit_ties(RankOperator *r, Bucket *bucket, uint32_t t)
{
    Partition *partition = &bucket->partitions[r->touched[t]];
    const struct FormerList list = r->former_lists[t];
    const bool pair = list.replaced && list.count == 1 && partition->count == 1;
    partition->former = 0;
    for (uint32_t i = 0; list.replaced && i < list.count; i++)
        TRY(emit_row(r, bucket, r->former[list.first + i], pair ? ROW_UPDATE_BEFORE : ROW_DELETE, pair ? 2 : 1));
    for (uint32_t i = list.replaced ? 0 : list.count; i < partition->count; i++)
        TRY(emit_row(r, bucket, (Ranked){ partition->ids[i], 1 }, pair ? ROW_UPDATE_AFTER : ROW_INSERT, 1));
    return NULL;
}

/* What has become of a touched partition: rows that left or changed rank go, then the new ones come. */
static Error *emit_changes_of(RankOperator *r, Bucket *bucket, uint32_t t)
{
    Partition *partition = &bucket->partitions[r->touched[t]];
    struct FormerList list = r->former_lists[t];
    size_t needed = (size_t)r->former_count + partition->count;
    if (needed > r->former_capacity)
        r->former = mem_grow(r->former, &r->former_capacity, needed, sizeof(Ranked));
    Ranked *before = r->former + list.first, *now = r->former + r->former_count;
    rank_rows(r, bucket, partition, now);
    const bool ranks = r->node->rank.rank_column;
    partition->former = 0;
    if (ranks && r->node->rank.rank == RANK_ROW_NUMBER)
        return emit_places(r, bucket, before, list.count, now, partition->count);
    uint32_t gone = 0, come = 0;
    /* Ids are unique, lists are short: compare each with each. What stays is marked with rank 0. */
    for (uint32_t i = 0; i < list.count; i++)
        for (uint32_t j = 0; j < partition->count; j++)
            if (before[i].id == now[j].id && (!ranks || before[i].rank == now[j].rank))
                before[i].rank = now[j].rank = 0;
    for (uint32_t i = 0; i < list.count; i++)
        gone += before[i].rank != 0;
    for (uint32_t j = 0; j < partition->count; j++)
        come += now[j].rank != 0;
    const bool pair = gone == 1 && come == 1;
    for (uint32_t i = 0; i < list.count; i++)
        if (before[i].rank)
            TRY(emit_row(r, bucket, before[i], pair ? ROW_UPDATE_BEFORE : ROW_DELETE, pair ? 2 : 1));
    for (uint32_t j = 0; j < partition->count; j++)
        if (now[j].rank)
            TRY(emit_row(r, bucket, now[j], pair ? ROW_UPDATE_AFTER : ROW_INSERT, 1));
    return NULL;
}

static Error *emit_changes(RankOperator *r, Bucket *bucket)
{
    for (uint32_t t = 0; t < r->touched_count; t++)
        TRY(r->first_ties ? emit_ties(r, bucket, t) : emit_changes_of(r, bucket, t));
    for (uint32_t i = 0; i < r->leaving_count; i++)
        row_store_free(&bucket->store, r->leaving[i]);
    r->touched_count = r->former_count = r->leaving_count = 0;
    return NULL;
}

/* ---- the clock ---- */

static Error *move_clock(RankOperator *r, int64_t wm_us)
{
    int64_t clock_us = time_sub(wm_us, r->node->rank.lag_us);
    while (r->by_time && r->bucket_count && r->buckets[0]->time_us < clock_us) {
        Bucket *bucket = r->buckets[0];
        TRY(emit_bucket(r, bucket));
        memmove(r->buckets, r->buckets + 1, sizeof(Bucket *) * --r->bucket_count);
        bucket_free(r, bucket);
    }
    if (clock_us > r->scalars[SCALAR_CLOCK])
        r->scalars[SCALAR_CLOCK] = clock_us;
    if (wm_us > r->scalars[SCALAR_WM] && wm_us != TIME_MAX)
        r->scalars[SCALAR_WM] = wm_us;
    return NULL;
}

static Error *take_batch(RankOperator *r, Batch *batch)
{
    const PlanNode *node = r->node;
    uint32_t count;
    const uint32_t *rows = row_list_take(&r->list, batch, NULL, 0, &count);
    for (int i = 0; i < node->rank.partition_count; i++)
        r->key_vectors[i] = batch->columns[node->rank.partition_columns[i]];
    if (count == 0)
        return NULL;
    key_batch_prepare(&r->key_batch, r->key_vectors, batch->row_count, rows, count);
    const Vector *time = r->by_time ? batch->columns[node->rank.window_time_column] : NULL;
    for (uint32_t i = 0; i < count; i++) {
        int64_t time_us = 0;
        if (r->by_time) {
            TRY(move_clock(r, batch->wm_us ? batch->wm_us[rows[i]] : batch->wm_end_us));
            time_us = ((const int64_t *)time->values)[rows[i] & vector_mask(time)];
            if (time_us < r->scalars[SCALAR_CLOCK]) {
                late_add(&r->late, rows[i], time_us, time_us);
                r->late.windows++;
                continue;
            }
        }
        uint32_t slot;
        Bucket *bucket = bucket_at(r, time_us);
        key_table_resolve(&bucket->keys, &r->key_batch, &rows[i], 1, &slot);
        cover_partitions(r, bucket);
        take_row(r, bucket, slot, batch, rows[i]);
    }
    if (!r->by_time)
        TRY(move_clock(r, batch->wm_us ? batch->wm_us[rows[0]] : batch->wm_end_us));
    return r->changing ? emit_changes(r, r->buckets[0]) : NULL;
}

/* ---- the operator ---- */

static const ContainerType rank_container_type;

static Error *rank_open(Operator *op)
{
    RankOperator *r = op->state = mem_calloc(1, sizeof(RankOperator));
    const PlanNode *node = r->node = op->node;
    arena_init(&r->arena, op->context->pool);
    r->container = (Container){ &rank_container_type, &op->pool };
    r->pool = &op->pool;
    r->input_schema = &node->inputs[0].node->schema;
    if (node->inputs[0].node->traits.changes != CHANGES_APPEND)
        return error_at(ERR_UNSUPPORTED, node->at, "rows that are updated cannot be ranked");
    r->by_time = node->rank.trigger == TRIGGER_FINAL;
    r->changing = !r->by_time && node->rank.trigger != TRIGGER_END;
    r->first_ties = r->changing && node->rank.rank == RANK_RANK && node->rank.limit == 1 && !node->rank.rank_column;
    const Type **types = ARENA_ARRAY(&r->arena, const Type *, node->rank.partition_count + 1);
    r->key_vectors = ARENA_ARRAY(&r->arena, const Vector *, node->rank.partition_count + 1);
    for (int i = 0; i < node->rank.partition_count; i++)
        types[i] = r->input_schema->columns[node->rank.partition_columns[i]].type;
    key_layout_init(&r->key_layout, &r->arena, types, node->rank.partition_count);
    key_batch_init(&r->key_batch, &r->key_layout);
    row_store_init(&r->store_like, &r->arena, &op->pool, r->input_schema, OWN_COUNT);
    r->scalars[SCALAR_WM] = r->scalars[SCALAR_CLOCK] = TIME_MIN;
    scalars_init(&r->scalars_container, &op->pool, r->scalars, SCALAR_COUNT);
    builder_init(&r->out, op, PORT_MAIN, &node->schema, r->changing);
    return NULL;
}

static void rank_close(Operator *op)
{
    RankOperator *r = op->state;
    if (!r)
        return;
    builder_release(&r->out);
    late_release(&r->late);
    for (uint32_t i = 0; i < r->bucket_count; i++)
        bucket_free(r, r->buckets[i]);
    mem_free(r->buckets);
    row_store_release(&r->store_like);
    if (r->key_batch.layout)
        key_batch_release(&r->key_batch);
    row_list_release(&r->list);
    text_release(&r->key);
    mem_free(r->touched);
    mem_free(r->former_lists);
    mem_free(r->former);
    mem_free(r->leaving);
    arena_release(&r->arena);
    mem_free(r);
    op->state = NULL;
}

static Error *rank_process(Operator *op, int input, Batch *batch)
{
    (void)input;
    RankOperator *r = op->state;
    Error *error = take_batch(r, batch);
    if (!error)
        error = builder_flush(&r->out);
    if (!error)
        error = late_flush(&r->late, op, batch, op->node->rank.lag_us);
    batch_release(batch);
    return error;
}

static Error *rank_advance(Operator *op, int64_t wm_us)
{
    RankOperator *r = op->state;
    TRY(move_clock(r, wm_us));
    return builder_flush(&r->out);
}

static Error *rank_end(Operator *op)
{
    RankOperator *r = op->state;
    if (r->by_time || r->changing || r->bucket_count == 0)
        return NULL;
    TRY(emit_bucket(r, r->buckets[0]));
    return builder_flush(&r->out);
}

static int rank_containers(Operator *op, Container **containers, int capacity)
{
    RankOperator *r = op->state;
    Container *all[] = { &r->scalars_container.container, &r->container };
    for (int i = 0; i < 2 && i < capacity; i++)
        containers[i] = all[i];
    return 2;
}

static void rank_write(const Container *container, Text *snapshot)
{
    const RankOperator *r = (const RankOperator *)container;
    PageWriter page = page_begin(snapshot, PAGE_PARTITIONS, 1, 0, r->bucket_count);
    for (uint32_t i = 0; i < r->bucket_count; i++)
        page_put_u64(&page, (uint64_t)r->buckets[i]->time_us);
    page_end(&page);
    for (uint32_t i = 0; i < r->bucket_count; i++) {
        container_write(&r->buckets[i]->keys.container, snapshot);
        container_write(&r->buckets[i]->store.container, snapshot);
    }
}

static int by_arrival(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (x[0] > y[0]) - (x[0] < y[0]);
}

/* The lists of a bucket, from its rows: inserted in order of arrival, equal keys end up in that order. */
static Error *rebuild_lists(RankOperator *r, Bucket *bucket)
{
    cover_partitions(r, bucket);
    uint32_t count = bucket->store.count;
    Arena arena;
    arena_init(&arena, NULL);
    MEMORY_HOLD(arena_unwind, &arena);
    bool *freed = ARENA_ARRAY(&arena, bool, count + 1);
    int64_t(*rows)[2] = arena_alloc(&arena, sizeof(*rows) * (count + 1));
    for (uint32_t i = 0; i < bucket->store.free_count; i++)
        freed[bucket->store.free_rows[i]] = true;
    size_t live = 0;
    Error *error = NULL;
    for (uint32_t id = 0; id < count; id++) {
        if (freed[id])
            continue;
        rows[live][0] = row_store_own(&bucket->store, id)[OWN_ARRIVAL];
        rows[live++][1] = id;
        if ((uint64_t)row_store_own(&bucket->store, id)[OWN_PARTITION] >= bucket->partition_count)
            error = error ? error : page_damaged("a row without partition");
    }
    qsort(rows, live, sizeof(*rows), by_arrival);
    for (size_t i = 0; i < live && !error; i++) {
        uint32_t id = (uint32_t)rows[i][1];
        insert_id(r, bucket, &bucket->partitions[row_store_own(&bucket->store, id)[OWN_PARTITION]], id);
    }
    arena_release(&arena);
    return error;
}

static Error *rank_read(Container *container, SnapshotReader *reader)
{
    RankOperator *r = (RankOperator *)container;
    PageReader page;
    TRY(page_open(reader, PAGE_PARTITIONS, 1, 0, &page));
    while (r->bucket_count)
        bucket_free(r, r->buckets[--r->bucket_count]);
    for (uint64_t i = 0; i < page.rows; i++) {
        uint64_t time_us;
        TRY(page_get_u64(&page, &time_us));
        if (r->bucket_count && (int64_t)time_us <= r->buckets[r->bucket_count - 1]->time_us)
            return page_damaged("windows are out of order");
        bucket_at(r, (int64_t)time_us);
    }
    TRY(page_close(&page));
    for (uint32_t i = 0; i < r->bucket_count; i++) {
        TRY(container_read(&r->buckets[i]->keys.container, reader));
        TRY(container_read(&r->buckets[i]->store.container, reader));
        TRY(rebuild_lists(r, r->buckets[i]));
    }
    return NULL;
}

static uint64_t rank_held_rows(const Container *container)
{
    const RankOperator *r = (const RankOperator *)container;
    uint64_t rows = 0;
    for (uint32_t i = 0; i < r->bucket_count; i++)
        rows += r->buckets[i]->store.count - r->buckets[i]->store.free_count;
    return rows;
}

static const ContainerType rank_container_type = { "partitions", rank_write, rank_read, rank_held_rows };

const OperatorType rank_operator = {
    .name = "rank", .open = rank_open, .close = rank_close, .process = rank_process, .advance = rank_advance, .end = rank_end,
    .containers = rank_containers,
};
