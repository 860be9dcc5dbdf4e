/* exec/op_rank_changes.c: ROW_NUMBER, RANK, DENSE_RANK <= n per partition, of rows that change; ORDER BY .. LIMIT n OFFSET m.
 *
 *   entry       a row as often as it is there (OWN_COUNT). Its key in the RowStore puts it in order: the ORDER BY values, the columns of the input's
 *               unique key, all others. So the order is that of the values alone: neither arrival nor what was taken back since shows in it.
 *               A row is found by the first two; without a unique key by all values that a query can name with *.
 *   partition   a treap of its entries, and `shown`: what stands within the limit now
 *
 * Every entry is kept: what stands within the limit may go, and the next one comes up. (Input that only grows: what is behind the limit goes.)
 * A batch moves rows in the treaps; then the shown rows of each touched partition are compared with those before, and the difference comes out:
 * first what is gone, in all partitions, then pairs and what has come. A row that moves from one partition to another is so never deleted last.
 * What stands behind the last shown row touches nothing. Of input that ends (END) the shown rows come out then, once. State: KeyTable + RowStore; treaps and shown rows are rebuilt from them. */
#include <stdlib.h>
#include <string.h>
#include "common/calendar.h"
#include "common/order_bytes.h"
#include "exec/key_table.h"
#include "exec/operators.h"
#include "exec/output_builder.h"
#include "exec/row_list.h"
#include "exec/row_store.h"
#include "exec/scalars.h"
#include "exec/sort_key.h"

enum { OWN_PARTITION, OWN_COUNT, OWN_ORDER_END, OWN_KEY_END, OWN_INTEGERS }; /* ..END: bytes of the key up to there */
enum { SCALAR_WM, SCALAR_COUNT };

typedef struct Links { uint32_t left, right; } Links; /* entry + 1; 0: none */
typedef struct Ranked { uint32_t id; int64_t rank; } Ranked;
typedef struct Change { uint32_t id; uint8_t kind; int64_t rank; } Change;

typedef struct Partition {
    uint32_t root;         /* entry + 1; 0: none */
    bool full, touched;    /* full: no further row can be shown without another one going */
    uint32_t shown_count;
    uint32_t *shown;       /* entries, each as often as it is there */
    size_t shown_bytes;
} Partition;

typedef struct Ranks { /* a list of ranked rows that is used again and again */
    Ranked *items;
    size_t capacity;
    uint32_t count;
} Ranks;

typedef struct Numbers {
    uint32_t *items;
    size_t capacity;
    uint32_t count;
} Numbers;

typedef struct ChangingRank {
    Arena arena;
    MemoryPool *pool;
    const PlanNode *node;
    int input_columns;
    bool at_end;           /* one answer when the input has ended */
    bool grows;            /* nothing is ever taken back */
    bool places;           /* a place and its number are what a change is told of; else a row */
    const ColumnSet *own;  /* a unique key of the input; NULL: none */
    int *others;           /* columns that are neither in ORDER BY nor in `own` */
    int other_count;
    KeyLayout key_layout;
    KeyBatch key_batch;
    KeyTable keys;
    RowStore store;
    Links *links;          /* by entry */
    size_t links_bytes;
    uint32_t links_count;
    Partition *partitions; /* by slot */
    size_t partitions_bytes;
    uint32_t partition_count;
    int64_t scalars[SCALAR_COUNT];
    Scalars scalars_container;
    OutputBuilder out;
    RowList list;
    Text key;
    uint32_t order_end, key_end;
    const Vector **key_vectors;
    /* of the batch at hand */
    Numbers touched, leaving; /* partitions; entries to free when it is done */
    Ranks before, now, gone, come;
    uint64_t *taken;          /* bits: rows of `gone` whose key has come with another row */
    size_t taken_capacity;
    uint32_t *former;         /* by touched: the end of its rows in `before` */
    size_t former_capacity;
    Change *pending;          /* pairs, and what has come */
    size_t pending_capacity;
    uint32_t pending_count;
} ChangingRank;

static void numbers_add(Numbers *numbers, uint32_t number)
{
    if (numbers->count == numbers->capacity)
        numbers->items = mem_grow(numbers->items, &numbers->capacity, (size_t)numbers->count + 1, sizeof *numbers->items);
    numbers->items[numbers->count++] = number;
}

static void ranks_add(Ranks *ranks, Ranked row)
{
    if (ranks->count == ranks->capacity)
        ranks->items = mem_grow(ranks->items, &ranks->capacity, (size_t)ranks->count + 1, sizeof *ranks->items);
    ranks->items[ranks->count++] = row;
}

/* ---- order ---- */

static int64_t own(const ChangingRank *r, uint32_t id, int field) { return row_store_own(&r->store, id)[field]; }

static Str key_part(const ChangingRank *r, uint32_t id, int64_t first, int64_t end)
{
    return str_view(str_bytes(row_store_key(&r->store, id)) + first, (uint32_t)(end - first));
}

/* What a row is found by. */
static Str identity(const ChangingRank *r, uint32_t id) { return r->own ? key_part(r, id, 0, own(r, id, OWN_KEY_END)) : *row_store_key(&r->store, id); }
static Str wanted_identity(ChangingRank *r) { return str_view(text_c(&r->key), r->own ? r->key_end : (uint32_t)r->key.length); }

static int compare_entries(const ChangingRank *r, uint32_t a, uint32_t b)
{
    const Str x = identity(r, a), y = identity(r, b);
    return sort_key_compare(&x, &y);
}

static bool values_equal(const ChangingRank *r, uint32_t a, uint32_t b)
{
    return a == b || sort_key_compare(row_store_key(&r->store, a), row_store_key(&r->store, b)) == 0;
}

static bool rank_equal(const ChangingRank *r, uint32_t a, uint32_t b)
{
    const Str x = key_part(r, a, 0, own(r, a, OWN_ORDER_END)), y = key_part(r, b, 0, own(r, b, OWN_ORDER_END));
    return sort_key_compare(&x, &y) == 0;
}

static int compare_own_keys(const ChangingRank *r, uint32_t a, uint32_t b)
{
    const Str x = key_part(r, a, own(r, a, OWN_ORDER_END), own(r, a, OWN_KEY_END));
    const Str y = key_part(r, b, own(r, b, OWN_ORDER_END), own(r, b, OWN_KEY_END));
    return sort_key_compare(&x, &y);
}

static void make_key(ChangingRank *r, const Batch *batch, uint32_t row)
{
    r->key.length = 0;
    sort_key_put(&r->key, r->node->rank.keys, r->node->rank.key_count, batch->columns, row);
    r->order_end = (uint32_t)r->key.length;
    for (int c = 0; r->own && c < r->own->count; c++)
        order_bytes_put(&r->key, batch->columns[r->own->columns[c]], row, false, false);
    r->key_end = (uint32_t)r->key.length;
    for (int c = 0; c < r->other_count; c++)
        order_bytes_put(&r->key, batch->columns[r->others[c]], row, false, false);
}

/* ---- treaps: any fixed scramble of an entry's number is its priority, so that the shape never shows ---- */

static uint32_t priority(uint32_t entry)
{
    entry *= 0x9E3779B1u;
    entry ^= entry >> 15;
    return entry * 0x85EBCA77u;
}

static Links *links_of(const ChangingRank *r, uint32_t entry) { return &r->links[entry - 1]; }

static void cover_links(ChangingRank *r)
{
    const size_t used = sizeof(Links) * r->links_count, needed = sizeof(Links) * r->store.count;
    if (r->links_bytes < needed)
        r->links = state_block_grow(r->pool, r->links, &r->links_bytes, used, needed);
    r->links_count = r->store.count;
}

static void tree_insert(ChangingRank *r, uint32_t *root, uint32_t id)
{
    uint32_t entry = id + 1, *at = root;
    while (*at && priority(*at) > priority(entry))
        at = compare_entries(r, id, *at - 1) < 0 ? &links_of(r, *at)->left : &links_of(r, *at)->right;
    uint32_t below = *at, *less = &links_of(r, entry)->left, *more = &links_of(r, entry)->right;
    *at = entry;
    while (below) { /* what stood here goes to both sides of the new one */
        Links *links = links_of(r, below);
        uint32_t **side = compare_entries(r, below - 1, id) < 0 ? &less : &more, *next = side == &less ? &links->right : &links->left;
        **side = below;
        *side = next;
        below = *next;
    }
    *less = *more = 0;
}

/* Where the entry of the row at hand hangs; NULL: there is none. */
static uint32_t *tree_find(ChangingRank *r, uint32_t *root)
{
    const Str key = wanted_identity(r);
    while (*root) {
        const Str there = identity(r, *root - 1);
        const int order = sort_key_compare(&key, &there);
        if (order == 0)
            return root;
        root = order < 0 ? &links_of(r, *root)->left : &links_of(r, *root)->right;
    }
    return NULL;
}

static void tree_remove(ChangingRank *r, uint32_t *at)
{
    uint32_t less = links_of(r, *at)->left, more = links_of(r, *at)->right;
    while (less && more) {
        const bool lower = priority(less) > priority(more);
        uint32_t *kept = lower ? &less : &more;
        *at = *kept;
        at = lower ? &links_of(r, *kept)->right : &links_of(r, *kept)->left;
        *kept = *at;
    }
    *at = less ? less : more;
}

/* ---- what is shown ---- */

/* The rank of the row behind `last`, at place `place` from 0. */
static int64_t next_rank(const ChangingRank *r, uint32_t place, uint32_t last, int64_t last_rank, uint32_t id)
{
    switch (r->node->rank.rank) {
    case RANK_ROW_NUMBER: break;
    case RANK_RANK: return place && rank_equal(r, last, id) ? last_rank : (int64_t)place + 1;
    case RANK_DENSE_RANK: return last_rank + !(place && rank_equal(r, last, id));
    }
    return (int64_t)place + 1;
}

static void show_entry(ChangingRank *r, Partition *partition, uint32_t id)
{
    const size_t used = sizeof(uint32_t) * partition->shown_count;
    if (partition->shown_bytes < used + sizeof(uint32_t))
        partition->shown = state_block_grow(r->pool, partition->shown, &partition->shown_bytes, used, used + sizeof(uint32_t));
    partition->shown[partition->shown_count++] = id;
}

/* The entries of the tree in order, until the limit is passed. */
static void show_tree(ChangingRank *r, Partition *partition, uint32_t entry, int64_t *last_rank)
{
    if (!entry || partition->full)
        return;
    show_tree(r, partition, links_of(r, entry)->left, last_rank);
    for (int64_t copies = own(r, entry - 1, OWN_COUNT); copies > 0 && !partition->full; copies--) {
        const uint32_t place = partition->shown_count;
        const int64_t rank = next_rank(r, place, place ? partition->shown[place - 1] : 0, *last_rank, entry - 1);
        partition->full = rank > r->node->rank.limit;
        if (!partition->full)
            show_entry(r, partition, entry - 1);
        *last_rank = rank;
    }
    show_tree(r, partition, links_of(r, entry)->right, last_rank);
}

static void show(ChangingRank *r, Partition *partition)
{
    int64_t last_rank = 0;
    partition->shown_count = 0;
    partition->full = false;
    show_tree(r, partition, partition->root, &last_rank);
    partition->full |= r->node->rank.rank == RANK_ROW_NUMBER ? (int64_t)partition->shown_count == r->node->rank.limit : false;
}

/* Does a row with the key at hand change what is shown? */
static bool is_behind(ChangingRank *r, const Partition *partition)
{
    if (!partition->full || partition->touched || r->at_end)
        return false;
    const uint32_t last = partition->shown[partition->shown_count - 1];
    const bool each = r->node->rank.rank == RANK_ROW_NUMBER;
    const Str key = each ? wanted_identity(r) : str_view(text_c(&r->key), r->order_end);
    const Str bound = each ? identity(r, last) : key_part(r, last, 0, own(r, last, OWN_ORDER_END));
    return sort_key_compare(&key, &bound) > 0;
}

/* Numbers the rows, those behind the offset. */
static void rank_rows(const ChangingRank *r, const Partition *partition, Ranks *ranks)
{
    int64_t rank = 0;
    for (uint32_t i = 0; i < partition->shown_count; i++) {
        rank = next_rank(r, i, i ? partition->shown[i - 1] : 0, rank, partition->shown[i]);
        if ((int64_t)i >= r->node->rank.offset)
            ranks_add(ranks, (Ranked){ partition->shown[i], rank });
    }
}

/* ---- rows come and go ---- */

static void cover_partitions(ChangingRank *r)
{
    const size_t used = sizeof(Partition) * r->partition_count, needed = sizeof(Partition) * r->keys.count;
    if (needed <= used)
        return;
    if (r->partitions_bytes < needed)
        r->partitions = state_block_grow(r->pool, r->partitions, &r->partitions_bytes, used, needed);
    memset(r->partitions + r->partition_count, 0, needed - used);
    r->partition_count = r->keys.count;
}

/* Remembers what a partition shows before the batch changes it. */
static void touch(ChangingRank *r, uint32_t slot)
{
    Partition *partition = &r->partitions[slot];
    if (partition->touched)
        return;
    partition->touched = true;
    rank_rows(r, partition, &r->before);
    if (r->touched.count >= r->former_capacity)
        r->former = mem_grow(r->former, &r->former_capacity, (size_t)r->touched.count + 1, sizeof *r->former);
    r->former[r->touched.count] = r->before.count;
    numbers_add(&r->touched, slot);
}

static void add_row(ChangingRank *r, Partition *partition, uint32_t slot, const Batch *batch, uint32_t row)
{
    const Str key = str_view(text_c(&r->key), r->key.length);
    uint32_t *found = tree_find(r, &partition->root);
    int64_t count = 1;
    if (found && !r->own) {
        state_touch_one(&r->store.rows, *found - 1);
        row_store_own(&r->store, *found - 1)[OWN_COUNT]++;
        return;
    }
    if (found) { /* what a key has now comes before what it had is taken back: the newer values stay */
        count += own(r, *found - 1, OWN_COUNT);
        numbers_add(&r->leaving, *found - 1);
        tree_remove(r, found);
    }
    const uint32_t id = row_store_add(&r->store, batch, row, &key);
    int64_t *fields = row_store_own(&r->store, id);
    fields[OWN_PARTITION] = slot;
    fields[OWN_COUNT] = count;
    fields[OWN_ORDER_END] = r->order_end;
    fields[OWN_KEY_END] = r->key_end;
    cover_links(r);
    tree_insert(r, &partition->root, id);
}

/* A row that is not there cannot go: only sources that lose records take back such. */
static void take_back(ChangingRank *r, Partition *partition)
{
    uint32_t *found = tree_find(r, &partition->root);
    if (!found)
        return;
    const uint32_t id = *found - 1;
    state_touch_one(&r->store.rows, id);
    if (--row_store_own(&r->store, id)[OWN_COUNT])
        return;
    tree_remove(r, found);
    numbers_add(&r->leaving, id);
}

static void take_row(ChangingRank *r, uint32_t slot, const Batch *batch, uint32_t row)
{
    Partition *partition = &r->partitions[slot];
    if (r->node->rank.limit <= r->node->rank.offset)
        return;
    make_key(r, batch, row);
    const bool behind = is_behind(r, partition);
    if (behind && r->grows)
        return;
    if (!behind && !r->at_end)
        touch(r, slot);
    if (row_kind_retracts(batch_kind(batch, row)))
        take_back(r, partition);
    else
        add_row(r, partition, slot, batch, row);
}

/* Of input that only grows: what is behind the last shown row never comes up again. */
static void drop_hidden(ChangingRank *r, Partition *partition)
{
    while (partition->full && partition->root) {
        uint32_t *last = &partition->root;
        while (links_of(r, *last)->right)
            last = &links_of(r, *last)->right;
        if (*last - 1 == partition->shown[partition->shown_count - 1])
            return;
        numbers_add(&r->leaving, *last - 1);
        tree_remove(r, last);
    }
}

/* ---- results ---- */

static Error *emit_row(ChangingRank *r, uint32_t id, int64_t rank, uint8_t kind)
{
    uint32_t granted, at;
    TRY(builder_reserve(&r->out, 1, kind == ROW_UPDATE_BEFORE ? 2 : 1, &granted, &at));
    Batch *batch = r->out.batch;
    TRY(row_store_gather(&r->store, &id, 1, batch->columns, at, &batch->arena));
    if (r->node->rank.rank_column)
        ((int64_t *)batch->columns[r->input_columns]->values)[at] = rank;
    if (batch->kinds)
        batch->kinds[at] = kind;
    builder_commit(&r->out, 1, r->scalars[SCALAR_WM]);
    return NULL;
}

static void put_off(ChangingRank *r, Ranked row, uint8_t kind)
{
    if (r->pending_count == r->pending_capacity)
        r->pending = mem_grow(r->pending, &r->pending_capacity, (size_t)r->pending_count + 1, sizeof *r->pending);
    r->pending[r->pending_count++] = (Change){ row.id, kind, row.rank };
}

/* Each place has a row of its own, which another one may take. */
static Error *note_places(ChangingRank *r, const Ranked *before, uint32_t before_count, const Ranked *now, uint32_t now_count)
{
    for (uint32_t i = 0; i < before_count || i < now_count; i++) {
        const bool was = i < before_count, is = i < now_count;
        if (was && is && values_equal(r, before[i].id, now[i].id))
            continue;
        if (was && !is) {
            TRY(emit_row(r, before[i].id, before[i].rank, ROW_DELETE));
            continue;
        }
        if (was)
            put_off(r, before[i], ROW_UPDATE_BEFORE);
        put_off(r, now[i], was ? ROW_UPDATE_AFTER : ROW_INSERT);
    }
    return NULL;
}

/* Both lists are in the same order: what stands in one of them only is gone or has come; with its number visible, also what has another one now. */
static void find_difference(ChangingRank *r, const Ranked *before, uint32_t before_count, const Ranked *now, uint32_t now_count)
{
    uint32_t i = 0, j = 0;
    r->gone.count = r->come.count = 0;
    while (i < before_count || j < now_count) {
        const int order = i == before_count ? 1 : j == now_count ? -1 : compare_entries(r, before[i].id, now[j].id);
        const bool same = order == 0 && values_equal(r, before[i].id, now[j].id) && (!r->node->rank.rank_column || before[i].rank == now[j].rank);
        if (order <= 0 && !same)
            ranks_add(&r->gone, before[i]);
        if (order >= 0 && !same)
            ranks_add(&r->come, now[j]);
        i += order <= 0;
        j += order >= 0;
    }
}

static int by_own_key(const void *a, const void *b, void *rank) { return compare_own_keys(rank, ((const Ranked *)a)->id, ((const Ranked *)b)->id); }

/* The gone row with the same key of its own, which is not anybody's yet; -1: none. */
static int64_t former_row(const ChangingRank *r, const Ranked *row)
{
    uint32_t low = 0, high = r->gone.count;
    while (low < high) {
        const uint32_t middle = (low + high) / 2;
        if (compare_own_keys(r, r->gone.items[middle].id, row->id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    while (low < r->gone.count && bit_get(r->taken, low))
        low++;
    return low < r->gone.count && compare_own_keys(r, r->gone.items[low].id, row->id) == 0 ? (int64_t)low : -1;
}

/* A row's change is told as one of the row with its key; without keys, one that takes the only other one's place is its update. */
static Error *note_rows(ChangingRank *r)
{
    const bool replaced = r->gone.count == 1 && r->come.count == 1 && !r->node->rank.by_row;
    const size_t words = r->gone.count / 64 + 1;
    if (words > r->taken_capacity)
        r->taken = mem_grow(r->taken, &r->taken_capacity, words, sizeof *r->taken);
    memset(r->taken, 0, sizeof *r->taken * words);
    if (r->own && r->gone.count > 1)
        qsort_r(r->gone.items, r->gone.count, sizeof(Ranked), by_own_key, r);
    for (uint32_t i = 0; i < r->come.count; i++) {
        const int64_t former = replaced ? 0 : r->own ? former_row(r, &r->come.items[i]) : -1;
        if (former >= 0) {
            bit_set(r->taken, (uint32_t)former);
            put_off(r, r->gone.items[former], ROW_UPDATE_BEFORE);
        }
        put_off(r, r->come.items[i], former >= 0 ? ROW_UPDATE_AFTER : ROW_INSERT);
    }
    for (uint32_t i = 0; i < r->gone.count; i++)
        if (!bit_get(r->taken, i))
            TRY(emit_row(r, r->gone.items[i].id, r->gone.items[i].rank, ROW_DELETE));
    return NULL;
}

static Error *note_changes(ChangingRank *r, uint32_t t)
{
    Partition *partition = &r->partitions[r->touched.items[t]];
    const uint32_t first = t ? r->former[t - 1] : 0, count = r->former[t] - first;
    show(r, partition);
    if (r->grows)
        drop_hidden(r, partition);
    partition->touched = false;
    r->now.count = 0;
    rank_rows(r, partition, &r->now);
    if (r->places)
        return note_places(r, r->before.items + first, count, r->now.items, r->now.count);
    find_difference(r, r->before.items + first, count, r->now.items, r->now.count);
    return note_rows(r);
}

static Error *emit_changes(ChangingRank *r)
{
    for (uint32_t t = 0; t < r->touched.count; t++)
        TRY(note_changes(r, t));
    for (uint32_t i = 0; i < r->pending_count; i++)
        TRY(emit_row(r, r->pending[i].id, r->pending[i].rank, r->pending[i].kind));
    for (uint32_t i = 0; i < r->leaving.count; i++)
        row_store_free(&r->store, r->leaving.items[i]);
    r->touched.count = r->leaving.count = r->before.count = r->pending_count = 0;
    return NULL;
}

static Error *emit_partition(ChangingRank *r, Partition *partition)
{
    show(r, partition);
    r->now.count = 0;
    rank_rows(r, partition, &r->now);
    for (uint32_t i = 0; i < r->now.count; i++)
        TRY(emit_row(r, r->now.items[i].id, r->now.items[i].rank, ROW_INSERT));
    return NULL;
}

static Error *take_batch(ChangingRank *r, Batch *batch)
{
    uint32_t count;
    const uint32_t *rows = row_list_take(&r->list, batch, NULL, 0, &count);
    if (count == 0)
        return NULL;
    const int64_t wm_us = batch->wm_us ? batch->wm_us[rows[0]] : batch->wm_end_us;
    if (wm_us > r->scalars[SCALAR_WM] && wm_us != TIME_MAX)
        r->scalars[SCALAR_WM] = wm_us;
    for (int i = 0; i < r->node->rank.partition_count; i++)
        r->key_vectors[i] = batch->columns[r->node->rank.partition_columns[i]];
    key_batch_prepare(&r->key_batch, r->key_vectors, batch->row_count, rows, count);
    key_table_resolve(&r->keys, &r->key_batch, rows, count, r->list.slots);
    cover_partitions(r);
    for (uint32_t i = 0; i < count; i++)
        take_row(r, r->list.slots[i], batch, rows[i]);
    return emit_changes(r);
}

/* ---- the operator ---- */

static bool is_ordered_by(const ChangingRank *r, int column)
{
    for (int k = 0; k < r->node->rank.key_count; k++)
        if (r->node->rank.keys[k].column == column)
            return true;
    for (int k = 0; r->own && k < r->own->count; k++)
        if (r->own->columns[k] == column)
            return true;
    return false;
}

static Error *changing_rank_open(Operator *op)
{
    ChangingRank *r = op->state = mem_calloc(1, sizeof *r);
    const PlanNode *node = r->node = op->node, *input = node->inputs[0].node;
    const int partitions = node->rank.partition_count;
    arena_init(&r->arena, op->context->pool);
    r->pool = &op->pool;
    r->input_columns = input->schema.column_count;
    r->at_end = node->rank.trigger == TRIGGER_END;
    r->grows = input->traits.changes == CHANGES_APPEND;
    r->own = input->traits.key_count ? &input->traits.keys[0] : NULL;
    r->places = node->rank.rank_column && node->rank.rank == RANK_ROW_NUMBER && !node->rank.by_row;
    r->others = ARENA_ARRAY(&r->arena, int, (size_t)r->input_columns + 1);
    for (int c = 0; c < r->input_columns; c++)
        if (!is_ordered_by(r, c) && (r->own || !input->schema.columns[c].hidden)) /* hidden: when and where a message came says not which row it is */
            r->others[r->other_count++] = c;
    const Type **types = ARENA_ARRAY(&r->arena, const Type *, (size_t)partitions + 1);
    r->key_vectors = ARENA_ARRAY(&r->arena, const Vector *, (size_t)partitions + 1);
    for (int i = 0; i < partitions; i++)
        types[i] = input->schema.columns[node->rank.partition_columns[i]].type;
    key_layout_init(&r->key_layout, &r->arena, types, partitions);
    key_batch_init(&r->key_batch, &r->key_layout);
    key_table_init(&r->keys, &op->pool, &r->key_layout);
    row_store_init(&r->store, &r->arena, &op->pool, &input->schema, OWN_INTEGERS);
    r->scalars[SCALAR_WM] = TIME_MIN;
    scalars_init(&r->scalars_container, &op->pool, r->scalars, SCALAR_COUNT);
    builder_init(&r->out, op, PORT_MAIN, &node->schema, !r->at_end);
    return NULL;
}

static void changing_rank_close(Operator *op)
{
    ChangingRank *r = op->state;
    if (!r)
        return;
    builder_release(&r->out);
    for (uint32_t i = 0; i < r->partition_count; i++)
        state_block_free(r->pool, r->partitions[i].shown, r->partitions[i].shown_bytes);
    state_block_free(r->pool, r->partitions, r->partitions_bytes);
    state_block_free(r->pool, r->links, r->links_bytes);
    row_store_release(&r->store);
    if (r->keys.layout)
        key_table_release(&r->keys);
    if (r->key_batch.layout)
        key_batch_release(&r->key_batch);
    row_list_release(&r->list);
    text_release(&r->key);
    void *lists[] = { r->touched.items, r->leaving.items, r->before.items, r->now.items, r->gone.items, r->come.items, r->taken, r->former, r->pending };
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        mem_free(lists[i]);
    arena_release(&r->arena);
    mem_free(r);
    op->state = NULL;
}

static Error *changing_rank_process(Operator *op, int input, Batch *batch)
{
    (void)input;
    ChangingRank *r = op->state;
    Error *error = take_batch(r, batch);
    if (!error)
        error = builder_flush(&r->out);
    batch_release(batch);
    return error;
}

static Error *changing_rank_advance(Operator *op, int64_t wm_us)
{
    ChangingRank *r = op->state;
    if (wm_us > r->scalars[SCALAR_WM] && wm_us != TIME_MAX)
        r->scalars[SCALAR_WM] = wm_us;
    return NULL;
}

static Error *changing_rank_end(Operator *op)
{
    ChangingRank *r = op->state;
    for (uint32_t slot = 0; slot < r->partition_count && r->at_end; slot++)
        TRY(emit_partition(r, &r->partitions[slot]));
    return builder_flush(&r->out);
}

static int changing_rank_containers(Operator *op, Container **containers, int capacity)
{
    ChangingRank *r = op->state;
    Container *all[] = { &r->scalars_container.container, &r->keys.container, &r->store.container };
    for (int i = 0; i < 3 && i < capacity; i++)
        containers[i] = all[i];
    return 3;
}

/* Treaps and shown rows, from the entries. */
static Error *changing_rank_restored(Operator *op)
{
    ChangingRank *r = op->state;
    cover_partitions(r);
    for (uint32_t slot = 0; slot < r->partition_count; slot++)
        r->partitions[slot].root = 0;
    cover_links(r);
    uint64_t *freed = ARENA_ARRAY(&r->arena, uint64_t, r->store.count / 64 + 1);
    for (uint32_t i = 0; i < r->store.free_count; i++)
        bit_set(freed, r->store.free_rows[i]);
    for (uint32_t id = 0; id < r->store.count; id++) {
        if (bit_get(freed, id))
            continue;
        const int64_t *fields = row_store_own(&r->store, id);
        if ((uint64_t)fields[OWN_PARTITION] >= r->partition_count || fields[OWN_COUNT] < 1)
            return page_damaged("a row without partition");
        if (fields[OWN_ORDER_END] < 0 || fields[OWN_KEY_END] < fields[OWN_ORDER_END] || (int64_t)row_store_key(&r->store, id)->length < fields[OWN_KEY_END])
            return page_damaged("a row's key ends early");
        tree_insert(r, &r->partitions[fields[OWN_PARTITION]].root, id);
    }
    for (uint32_t slot = 0; slot < r->partition_count; slot++)
        show(r, &r->partitions[slot]);
    return NULL;
}

const OperatorType changing_rank_operator = {
    .name = "rank", .open = changing_rank_open, .close = changing_rank_close, .process = changing_rank_process, .advance = changing_rank_advance,
    .end = changing_rank_end, .containers = changing_rank_containers, .restored = changing_rank_restored,
};
