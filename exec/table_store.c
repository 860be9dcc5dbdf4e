/* exec/table_store.c: the table that a query keeps: KeyTable + the number of each key's row (plus one) + RowStore. */
#include "exec/table_store.h"

#include <string.h>

#include "common/calendar.h"

static bool is_multiset(const TableStore *store) { return store->node->sink.table_key_count == 0 && !store->node->sink.table_of_one; }

void table_store_init(TableStore *store, Arena *arena, MemoryPool *pool, const PlanNode *sink)
{
    *store = (TableStore){ .node = sink, .swept_us = TIME_MIN };
    const Schema *schema = &sink->schema;
    store->key_count = is_multiset(store) ? schema->column_count : sink->sink.table_key_count;
    store->key_columns = ARENA_ARRAY(arena, int, (size_t)store->key_count + 1);
    const Type **types = ARENA_ARRAY(arena, const Type *, (size_t)store->key_count + 1);
    store->key_vectors = ARENA_ARRAY(arena, const Vector *, (size_t)store->key_count + 1);
    for (int i = 0; i < store->key_count; i++) {
        store->key_columns[i] = is_multiset(store) ? i : sink->sink.table_keys[i];
        types[i] = schema->columns[store->key_columns[i]].type;
    }
    key_layout_init(&store->key_layout, arena, types, store->key_count);
    key_batch_init(&store->key_batch, &store->key_layout);
    key_table_init(&store->keys, pool, &store->key_layout);
    state_init(&store->places, pool, "l", false);
    row_store_init(&store->rows, arena, pool, schema, 1);
    if (!sink->sink.table_group_count)
        return;
    key_layout_init(&store->group_layout, arena, types, sink->sink.table_group_count);
    key_batch_init(&store->group_batch, &store->group_layout);
    key_table_init(&store->groups, pool, &store->group_layout);
    state_init(&store->heads, pool, "l", false);
    state_init(&store->nexts, pool, "l", false);
}

void table_store_release(TableStore *store)
{
    if (!store->node)
        return;
    if (store->groups.layout) {
        state_release(&store->nexts);
        state_release(&store->heads);
        key_table_release(&store->groups);
        key_batch_release(&store->group_batch);
    }
    row_list_release(&store->list);
    row_store_release(&store->rows);
    state_release(&store->places);
    key_table_release(&store->keys);
    key_batch_release(&store->key_batch);
    store->node = NULL;
}

static int64_t *place_of(const TableStore *store, uint32_t slot) { return (int64_t *)state_entry(&store->places, slot); }

static void remove_row(TableStore *store, uint32_t slot)
{
    int64_t place = *place_of(store, slot);
    if (!place)
        return;
    state_touch_one(&store->places, slot);
    row_store_free(&store->rows, (uint32_t)(place - 1));
    *place_of(store, slot) = 0;
    store->row_count--;
}

static void add_row(TableStore *store, const Batch *batch, uint32_t row, uint32_t slot)
{
    Str none = { 0 };
    uint32_t number = row_store_add(&store->rows, batch, row, &none);
    state_touch_one(&store->places, slot);
    *row_store_own(&store->rows, number) = 1;
    *place_of(store, slot) = (int64_t)number + 1;
    store->row_count++;
}

/* One more, or one less, of equal rows. */
static void count_row(TableStore *store, const Batch *batch, uint32_t row, uint32_t slot, bool retracts)
{
    int64_t place = *place_of(store, slot);
    if (!place) {
        if (!retracts)
            add_row(store, batch, row, slot);
        return;
    }
    int64_t *times = row_store_own(&store->rows, (uint32_t)(place - 1));
    state_touch_one(&store->rows.rows, (uint32_t)(place - 1));
    *times += retracts ? -1 : 1;
    if (*times == 0)
        remove_row(store, slot);
}

static void take_row(TableStore *store, const Batch *batch, uint32_t row, uint32_t slot)
{
    const uint8_t kind = batch_kind(batch, row);
    if (is_multiset(store)) {
        count_row(store, batch, row, slot, row_kind_retracts(kind));
    } else if (kind != ROW_UPDATE_BEFORE) { /* the row after it says the same of its key */
        remove_row(store, slot);
        if (!row_kind_retracts(kind))
            add_row(store, batch, row, slot);
    }
}

/* ---- groups: rows of windows by the rest of their key ---- */

static int64_t *head_of(const TableStore *store, uint32_t group) { return (int64_t *)state_entry(&store->heads, group); }
static int64_t *next_of(const TableStore *store, uint32_t slot) { return (int64_t *)state_entry(&store->nexts, slot); }

/* Keys that came as rows[i] of the columns have slots[i]; those from `former` on are new. */
static void link_new(TableStore *store, const Vector *const columns[], uint32_t row_count, const uint32_t *rows, uint32_t count, const uint32_t *slots, uint32_t former)
{
    if (!store->groups.layout || store->keys.count == former)
        return;
    uint32_t *groups = mem_alloc(sizeof *groups * ((size_t)count + 1));
    MEMORY_HOLD(mem_free, groups);
    key_batch_prepare(&store->group_batch, columns, row_count, rows, count);
    key_table_resolve(&store->groups, &store->group_batch, rows, count, groups);
    state_cover(&store->heads, store->groups.count);
    state_cover(&store->nexts, store->keys.count);
    for (uint32_t i = 0; i < count; i++) {
        if (slots[i] < former)
            continue;
        state_touch_one(&store->heads, groups[i]);
        state_touch_one(&store->nexts, slots[i]);
        if (*head_of(store, groups[i]) != (int64_t)slots[i] + 1 && !*next_of(store, slots[i])) { /* a key may stand twice among new ones */
            *next_of(store, slots[i]) = *head_of(store, groups[i]);
            *head_of(store, groups[i]) = (int64_t)slots[i] + 1;
        }
    }
    mem_free(groups);
}

#define LINK_ROWS 1024

/* All anew, from the keys. */
static void link_all(TableStore *store)
{
    if (!store->groups.layout)
        return;
    Arena arena;
    key_table_clear(&store->groups);
    state_clear(&store->heads);
    state_clear(&store->nexts);
    arena_init(&arena, NULL);
    MEMORY_HOLD(arena_unwind, &arena);
    for (uint32_t first = 0; first < store->keys.count; first += LINK_ROWS) {
        uint32_t slots[LINK_ROWS], rows[LINK_ROWS], count = store->keys.count - first < LINK_ROWS ? store->keys.count - first : LINK_ROWS;
        Vector **columns = ARENA_ARRAY(&arena, Vector *, (size_t)store->key_count + 1);
        for (int i = 0; i < store->key_count; i++)
            columns[i] = vector_new(&arena, store->key_layout.types[i], count);
        for (uint32_t i = 0; i < count; i++) {
            slots[i] = first + i;
            rows[i] = i;
        }
        key_table_gather(&store->keys, slots, count, columns, 0, &arena);
        link_new(store, (const Vector *const *)columns, count, rows, count, slots, first);
        arena_reset(&arena);
    }
    arena_release(&arena);
}

void table_store_take(TableStore *store, const Batch *batch)
{
    const uint32_t former = store->keys.count;
    uint32_t count;
    const uint32_t *rows = row_list_take(&store->list, batch, NULL, 0, &count);
    for (int i = 0; i < store->key_count; i++)
        store->key_vectors[i] = batch->columns[store->key_columns[i]];
    key_batch_prepare(&store->key_batch, store->key_vectors, batch->row_count, rows, count);
    key_table_resolve(&store->keys, &store->key_batch, rows, count, store->list.slots);
    state_cover(&store->places, store->keys.count);
    link_new(store, store->key_vectors, batch->row_count, rows, count, store->list.slots, former);
    for (uint32_t i = 0; i < count; i++)
        take_row(store, batch, rows[i], store->list.slots[i]);
}

/* ---- what is over ---- */

/* Keys without a row make room once they are most of all. */
static void compact(TableStore *store)
{
    uint32_t slots = store->keys.count, kept = 0;
    if (slots < 4096 || store->row_count > slots / 2)
        return;
    uint64_t *live = mem_calloc(bitmap_words(slots) + 1, sizeof *live);
    MEMORY_HOLD(mem_free, live);
    uint32_t *remap = mem_alloc(sizeof *remap * ((size_t)slots + 1));
    MEMORY_HOLD(mem_free, remap);
    for (uint32_t slot = 0; slot < slots; slot++)
        if (*place_of(store, slot)) {
            bit_set(live, slot);
            kept++;
        }
    key_table_keep(&store->keys, live, remap);
    state_keep(&store->places, live, remap, kept);
    mem_free(remap);
    mem_free(live);
    link_all(store);
}

void table_store_advance(TableStore *store, int64_t wm_us)
{
    const int column = store->node->sink.table_window_end;
    const int64_t retention_us = store->node->sink.table_retention_us;
    if (column < 0 || wm_us == TIME_MIN || wm_us == TIME_MAX)
        return;
    int64_t over_us = wm_us > TIME_MIN + retention_us ? wm_us - retention_us : TIME_MIN;
    int64_t step_us = retention_us / 8; /* sweeping is done from time to time: who reads sees a row for a while longer */
    if (over_us == TIME_MIN || (store->swept_us != TIME_MIN && over_us < time_add(store->swept_us, step_us)))
        return;
    store->swept_us = over_us;
    for (uint32_t slot = 0; slot < store->keys.count; slot++) {
        int64_t place = *place_of(store, slot);
        if (place && !row_store_is_null(&store->rows, (uint32_t)(place - 1), column) &&
            row_store_bits(&store->rows, (uint32_t)(place - 1), column) <= over_us)
            remove_row(store, slot);
    }
    compact(store);
}

int table_store_containers(TableStore *store, Container **containers, int capacity)
{
    Container *all[] = { &store->keys.container, &store->places.container, &store->rows.container };
    for (int i = 0; i < 3 && i < capacity; i++)
        containers[i] = all[i];
    return 3;
}

Error *table_store_restored(TableStore *store)
{
    store->row_count = 0;
    if (store->places.slot_count != store->keys.count)
        return page_damaged("rows without keys");
    for (uint32_t slot = 0; slot < store->keys.count; slot++) {
        if (*place_of(store, slot) < 0 || *place_of(store, slot) > (int64_t)store->rows.count)
            return page_damaged("keys without rows");
        store->row_count += *place_of(store, slot) != 0;
    }
    link_all(store);
    return NULL;
}

/* ---- reading ---- */

static Error *gather(TableStore *store, const uint32_t *numbers, uint32_t count, Batch **rows)
{
    Batch *batch = batch_for_schema(NULL, &store->node->schema, count);
    MEMORY_HOLD(batch_unwind, &batch);
    Error *error = row_store_gather(&store->rows, numbers, count, batch->columns, 0, &batch->arena);
    batch->row_count = batch->selection.count = count;
    batch->wm_end_us = TIME_MIN;
    if (error) {
        batch_release(batch);
        return error;
    }
    *rows = batch;
    return NULL;
}

/* The slot of a key of `count` columns in one of the two tables. */
static uint32_t find_slot(TableStore *store, const KeyTable *table, KeyBatch *batch, const Value *key, int count)
{
    Arena arena;
    arena_init(&arena, NULL);
    MEMORY_HOLD(arena_unwind, &arena);
    uint32_t slot, row = 0;
    for (int i = 0; i < count; i++) {
        Vector *vector = vector_new(&arena, store->key_layout.types[i], 1);
        vector_set(&arena, vector, 0, &key[i]);
        store->key_vectors[i] = vector;
    }
    key_batch_prepare(batch, store->key_vectors, 1, &row, 1);
    key_table_find(table, batch, &row, 1, &slot);
    arena_release(&arena);
    return slot;
}

Error *table_store_find(TableStore *store, const Value *key, Batch **rows)
{
    *rows = NULL;
    uint32_t slot = find_slot(store, &store->keys, &store->key_batch, key, store->key_count);
    if (slot == KEY_ABSENT || slot >= store->places.slot_count || !*place_of(store, slot))
        return NULL;
    uint32_t number = (uint32_t)(*place_of(store, slot) - 1);
    return gather(store, &number, 1, rows);
}

Error *table_store_find_group(TableStore *store, const Value *key, Batch **rows)
{
    *rows = NULL;
    uint32_t count = 0, group = find_slot(store, &store->groups, &store->group_batch, key, store->node->sink.table_group_count);
    if (group == KEY_ABSENT || group >= store->heads.slot_count)
        return NULL;
    for (int64_t slot = *head_of(store, group); slot; slot = *next_of(store, (uint32_t)(slot - 1)))
        count += *place_of(store, (uint32_t)(slot - 1)) != 0;
    if (!count)
        return NULL;
    uint32_t *numbers = mem_alloc(sizeof *numbers * count), at = count;
    MEMORY_HOLD(mem_free, numbers);
    for (int64_t slot = *head_of(store, group); slot; slot = *next_of(store, (uint32_t)(slot - 1)))
        if (*place_of(store, (uint32_t)(slot - 1)))
            numbers[--at] = (uint32_t)(*place_of(store, (uint32_t)(slot - 1)) - 1);
    Error *error = gather(store, numbers, count, rows);
    mem_free(numbers);
    return error;
}

Error *table_store_scan(TableStore *store, uint32_t *next, Batch **rows)
{
    uint32_t numbers[BATCH_ROWS], count = 0;
    *rows = NULL;
    for (; *next < store->keys.count; (*next)++) {
        int64_t place = *place_of(store, *next);
        if (!place)
            continue;
        int64_t times = *row_store_own(&store->rows, (uint32_t)(place - 1));
        if (count + (uint64_t)times > BATCH_ROWS && count > 0)
            break;
        for (int64_t i = 0; i < times && count < BATCH_ROWS; i++)
            numbers[count++] = (uint32_t)(place - 1);
    }
    return count ? gather(store, numbers, count, rows) : NULL;
}
