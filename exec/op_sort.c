/* exec/op_sort.c: ORDER BY over bounded input, with LIMIT and OFFSET: rows come out when the input has ended.
 *
 * Equal rows keep their order of arrival. With a limit only the best limit + offset rows are kept: `heap` has the worst on top.
 * State: RowStore with the arrival number; the heap is rebuilt from it. */
#include <stdlib.h>
#include <string.h>
#include "exec/operators.h"
#include "exec/output_builder.h"
#include "exec/row_store.h"
#include "exec/scalars.h"
#include "exec/sort_key.h"

enum { SCALAR_ARRIVALS, SCALAR_WM, SCALAR_COUNT };
enum { EMIT_BLOCK = 512 };

typedef struct SortItem { uint64_t prefix; uint32_t number; } SortItem; /* prefix: the key's first bytes that are not the same in all, as a number */

typedef struct SortOperator {
    Arena arena;
    uint64_t most;         /* rows to keep; UINT64_MAX: all */
    RowStore store;
    int64_t scalars[SCALAR_COUNT];
    Scalars scalars_container;
    uint32_t *heap;        /* worst row first; empty while everything is kept */
    size_t heap_capacity;
    uint32_t heap_count;
    SortItem *items;
    size_t items_bytes;
    bool prefixes_tell;    /* no key has bytes behind its prefix */
    Text key;
    OutputBuilder out;
} SortOperator;

static Error *sort_open(Operator *op)
{
    SortOperator *s = op->state = mem_calloc(1, sizeof(SortOperator));
    const PlanNode *node = op->node;
    const PlanNode *input = node->inputs[0].node;
    arena_init(&s->arena, op->context->pool);
    if (input->traits.changes != CHANGES_APPEND)
        return error_at(ERR_UNSUPPORTED, node->at, "rows that are updated cannot be sorted");
    s->most = UINT64_MAX;
    if (node->sort.limit >= 0)
        s->most = (uint64_t)node->sort.limit + (uint64_t)(node->sort.offset > 0 ? node->sort.offset : 0);
    row_store_init(&s->store, &s->arena, &op->pool, &node->schema, 1);
    s->scalars[SCALAR_WM] = TIME_MIN;
    scalars_init(&s->scalars_container, &op->pool, s->scalars, SCALAR_COUNT);
    builder_init(&s->out, op, PORT_MAIN, &node->schema, false);
    return NULL;
}

static void sort_close(Operator *op)
{
    SortOperator *s = op->state;
    if (!s)
        return;
    builder_release(&s->out);
    row_store_release(&s->store);
    mem_free(s->heap);
    state_block_free(&op->pool, s->items, s->items_bytes);
    text_release(&s->key);
    arena_release(&s->arena);
    mem_free(s);
    op->state = NULL;
}

static int compare_rows(const SortOperator *s, uint32_t a, uint32_t b)
{
    int order = sort_key_compare(row_store_key(&s->store, a), row_store_key(&s->store, b));
    int64_t x = *row_store_own(&s->store, a), y = *row_store_own(&s->store, b);
    return order ? order : (x > y) - (x < y);
}

/* ---- the best rows ---- */

static void heap_down(SortOperator *s)
{
    uint32_t at = 0, item = s->heap[0];
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= s->heap_count)
            break;
        if (child + 1 < s->heap_count && compare_rows(s, s->heap[child + 1], s->heap[child]) > 0)
            child++;
        if (compare_rows(s, s->heap[child], item) <= 0)
            break;
        s->heap[at] = s->heap[child];
        at = child;
    }
    s->heap[at] = item;
}

static void heap_add(SortOperator *s, uint32_t number)
{
    if (s->heap_count == s->heap_capacity)
        s->heap = mem_grow(s->heap, &s->heap_capacity, (size_t)s->heap_count + 1, sizeof(uint32_t));
    uint32_t at = s->heap_count++;
    for (; at && compare_rows(s, number, s->heap[(at - 1) / 2]) > 0; at = (at - 1) / 2)
        s->heap[at] = s->heap[(at - 1) / 2];
    s->heap[at] = number;
}

static void take_row(SortOperator *s, const PlanNode *node, const Batch *batch, uint32_t row)
{
    int64_t arrival = s->scalars[SCALAR_ARRIVALS]++;
    if (s->most == 0)
        return;
    s->key.length = 0;
    sort_key_put(&s->key, node->sort.keys, node->sort.key_count, batch->columns, row);
    Str key = str_view(text_c(&s->key), s->key.length);
    bool full = s->most != UINT64_MAX && s->heap_count == s->most;
    if (full && sort_key_compare(&key, row_store_key(&s->store, s->heap[0])) >= 0)
        return;
    if (full)
        row_store_free(&s->store, s->heap[0]);
    uint32_t number = row_store_add(&s->store, batch, row, &key);
    *row_store_own(&s->store, number) = arrival;
    if (full) {
        s->heap[0] = number;
        heap_down(s);
    } else if (s->most != UINT64_MAX) {
        heap_add(s, number);
    }
}

static Error *sort_process(Operator *op, int input, Batch *batch)
{
    (void)input;
    for (uint32_t i = 0; i < batch->selection.count; i++)
        take_row(op->state, op->node, batch, selection_row(&batch->selection, i));
    batch_release(batch);
    return NULL;
}

static Error *sort_advance(Operator *op, int64_t wm_us)
{
    SortOperator *s = op->state;
    if (wm_us != TIME_MAX && wm_us > s->scalars[SCALAR_WM])
        s->scalars[SCALAR_WM] = wm_us;
    return NULL;
}

/* ---- the end ---- */

static int compare_items(const void *a, const void *b, void *sort)
{
    const SortItem *x = a, *y = b;
    if (x->prefix != y->prefix)
        return x->prefix < y->prefix ? -1 : 1;
    const SortOperator *s = sort;
    if (!s->prefixes_tell)
        return compare_rows(s, x->number, y->number);
    int64_t a_arrival = *row_store_own(&s->store, x->number), b_arrival = *row_store_own(&s->store, y->number);
    return (a_arrival > b_arrival) - (a_arrival < b_arrival);
}

/* Up to 8 bytes of the key from `skip` on. */
static uint64_t key_prefix(const Str *key, uint32_t skip)
{
    uint8_t bytes[8] = { 0 };
    uint64_t prefix = 0;
    uint32_t length = key->length > skip ? key->length - skip : 0;
    memcpy(bytes, str_bytes(key) + (length ? skip : 0), length < 8 ? length : 8);
    for (int i = 0; i < 8; i++)
        prefix = prefix << 8 | bytes[i];
    return prefix;
}

/* Small numbers share their first bytes, times share most of them: what all keys begin with is left out of the prefixes. */
static uint32_t shared_bytes(const SortOperator *s, uint32_t *longest)
{
    const Str *first = row_store_key(&s->store, 0);
    uint32_t shared = first->length;
    *longest = 0;
    for (uint32_t i = 0; i < s->store.count; i++) {
        const Str *key = row_store_key(&s->store, i);
        const char *bytes = str_bytes(key), *first_bytes = str_bytes(first);
        uint32_t same = 0, most = key->length < shared ? key->length : shared;
        while (same < most && bytes[same] == first_bytes[same])
            same++;
        shared = same;
        *longest = key->length > *longest ? key->length : *longest;
    }
    return shared;
}

static Error *sort_end(Operator *op)
{
    SortOperator *s = op->state;
    const PlanNode *node = op->node;
    uint32_t count = s->store.count, numbers[EMIT_BLOCK];
    if (count == 0)
        return NULL;
    uint32_t longest, skip = shared_bytes(s, &longest);
    s->prefixes_tell = longest <= skip + 8;
    s->items_bytes = sizeof(SortItem) * count;
    s->items = state_block_new(&op->pool, s->items_bytes);
    for (uint32_t i = 0; i < count; i++)
        s->items[i] = (SortItem){ key_prefix(row_store_key(&s->store, i), skip), i };
    qsort_r(s->items, count, sizeof(SortItem), compare_items, s);
    uint64_t first = node->sort.offset > 0 ? (uint64_t)node->sort.offset : 0;
    while (first < count) {
        uint32_t some = count - first < EMIT_BLOCK ? (uint32_t)(count - first) : EMIT_BLOCK, granted, row;
        TRY(builder_reserve(&s->out, some, 1, &granted, &row));
        for (uint32_t i = 0; i < granted; i++)
            numbers[i] = s->items[first + i].number;
        TRY(row_store_gather(&s->store, numbers, granted, s->out.batch->columns, row, &s->out.batch->arena));
        builder_commit(&s->out, granted, s->scalars[SCALAR_WM]);
        first += granted;
    }
    return builder_flush(&s->out);
}

static int sort_containers(Operator *op, Container **containers, int capacity)
{
    SortOperator *s = op->state;
    Container *all[] = { &s->scalars_container.container, &s->store.container };
    for (int i = 0; i < 2 && i < capacity; i++)
        containers[i] = all[i];
    return 2;
}

static Error *sort_restored(Operator *op)
{
    SortOperator *s = op->state;
    s->heap_count = 0;
    if (s->store.free_count || s->store.count > s->most)
        return page_damaged("more rows than are kept");
    for (uint32_t i = 0; s->most != UINT64_MAX && i < s->store.count; i++)
        heap_add(s, i);
    return NULL;
}

const OperatorType sort_operator = {
    .name = "sort", .open = sort_open, .close = sort_close, .process = sort_process, .advance = sort_advance, .end = sort_end,
    .containers = sort_containers, .restored = sort_restored,
};
