/* exec/ordered_sets.c: see ordered_sets.h. */
#include "exec/ordered_sets.h"
#include <string.h>
#include "common/calendar.h"
#include "common/hash.h"

static const ContainerType ordered_sets_type;

void ordered_sets_init(OrderedSets *sets, MemoryPool *pool, const Type *type)
{
    *sets = (OrderedSets){ .container = { &ordered_sets_type, pool }, .type = type, .physical = type_physical(type) };
    state_heap_init(&sets->heap, pool);
}

void ordered_sets_release(OrderedSets *sets)
{
    MemoryPool *pool = sets->container.pool;
    state_block_free(pool, sets->nodes, sets->nodes_bytes);
    state_block_free(pool, sets->roots, sets->roots_bytes);
    state_heap_release(&sets->heap);
    ordered_sets_init(sets, pool, sets->type);
}

void ordered_sets_clear(OrderedSets *sets)
{
    sets->node_count = sets->free_node = sets->slot_count = 0;
    state_heap_clear(&sets->heap);
}

static int compare_values(PhysicalType physical, const OrderedNode *a, const OrderedNode *b)
{
    switch (physical) {
    case PHYSICAL_BOOL:
    case PHYSICAL_INT64: return (a->value.integer > b->value.integer) - (a->value.integer < b->value.integer);
    case PHYSICAL_DOUBLE: {
        double x = a->value.number, y = b->value.number;
        return x != x || y != y ? (x != x) - (y != y) : (x > y) - (x < y);
    }
    case PHYSICAL_INT128: return (a->value.decimal > b->value.decimal) - (a->value.decimal < b->value.decimal);
    case PHYSICAL_STR: return str_compare(&a->value.text, &b->value.text);
    case PHYSICAL_INTERVAL: {
        Int128 x = (Int128)a->value.interval.months * 30 * US_PER_DAY + a->value.interval.us;
        Int128 y = (Int128)b->value.interval.months * 30 * US_PER_DAY + b->value.interval.us;
        return (x > y) - (x < y);
    }
    case PHYSICAL_ARRAY:
    case PHYSICAL_STRUCT: break;
    }
    return 0;
}

int ordered_compare(const OrderedSets *sets, const OrderedNode *a, const OrderedNode *b)
{
    return compare_values(sets->physical, a, b);
}

static void cover_slots(OrderedSets *sets, uint32_t slot_count)
{
    if (slot_count <= sets->slot_count)
        return;
    size_t needed = sizeof(uint32_t) * slot_count, used = sizeof(uint32_t) * sets->slot_count;
    if (sets->roots_bytes < needed)
        sets->roots = state_block_grow(sets->container.pool, sets->roots, &sets->roots_bytes, used, needed);
    memset(sets->roots + sets->slot_count, 0, needed - used);
    sets->slot_count = slot_count;
}

/* Priority of a node: any fixed scramble of its number. */
static uint32_t priority(uint32_t node)
{
    node *= 0x9E3779B1u;
    node ^= node >> 15;
    return node * 0x85EBCA77u;
}

/* All of the tree `root` below the value goes to *less, the rest to *more. */
static void split(OrderedSets *sets, uint32_t root, const OrderedNode *value, uint32_t *less, uint32_t *more)
{
    while (root) {
        OrderedNode *node = &sets->nodes[root - 1];
        if (compare_values(sets->physical, node, value) < 0) {
            *less = root;
            less = &node->right;
            root = node->right;
        } else {
            *more = root;
            more = &node->left;
            root = node->left;
        }
    }
    *less = *more = 0;
}

static uint32_t join(OrderedSets *sets, uint32_t less, uint32_t more)
{
    uint32_t root = 0, *at = &root;
    while (less && more) {
        if (priority(less) > priority(more)) {
            *at = less;
            at = &sets->nodes[less - 1].right;
            less = *at;
        } else {
            *at = more;
            at = &sets->nodes[more - 1].left;
            more = *at;
        }
    }
    *at = less ? less : more;
    return root;
}

static uint32_t node_new(OrderedSets *sets)
{
    if (sets->free_node) {
        uint32_t node = sets->free_node;
        sets->free_node = sets->nodes[node - 1].left;
        return node;
    }
    size_t used = sizeof(OrderedNode) * sets->node_count;
    if (sets->nodes_bytes < used + sizeof(OrderedNode))
        sets->nodes = state_block_grow(sets->container.pool, sets->nodes, &sets->nodes_bytes, used, used + sizeof(OrderedNode));
    return ++sets->node_count;
}

/* Adds `by` to the value of `wanted` in the slot. */
static void add_value(OrderedSets *sets, uint32_t slot, const OrderedNode *wanted, int64_t by)
{
    cover_slots(sets, slot + 1);
    uint32_t *at = &sets->roots[slot];
    while (*at) { /* is it there? */
        OrderedNode *node = &sets->nodes[*at - 1];
        int order = compare_values(sets->physical, wanted, node);
        if (order == 0) {
            node->count += by;
            if (node->count == 0) {
                uint32_t gone = *at;
                *at = join(sets, node->left, node->right);
                if (sets->physical == PHYSICAL_STR)
                    state_heap_drop(&sets->heap, &node->value.text);
                node->left = sets->free_node;
                sets->free_node = gone;
            }
            return;
        }
        at = order < 0 ? &node->left : &node->right;
    }
    OrderedNode fresh = *wanted;
    if (sets->physical == PHYSICAL_STR)
        fresh.value.text = state_heap_store(&sets->heap, &wanted->value.text, NULL);
    uint32_t made = node_new(sets); /* the nodes may have moved: walk again */
    fresh.count = by;
    fresh.left = fresh.right = 0;
    sets->nodes[made - 1] = fresh;
    at = &sets->roots[slot];
    while (*at && priority(*at) > priority(made)) {
        OrderedNode *node = &sets->nodes[*at - 1];
        at = compare_values(sets->physical, &fresh, node) < 0 ? &node->left : &node->right;
    }
    uint32_t less = 0, more = 0;
    split(sets, *at, &fresh, &less, &more);
    sets->nodes[made - 1].left = less;
    sets->nodes[made - 1].right = more;
    *at = made;
}

void ordered_sets_add(OrderedSets *sets, uint32_t slot, const Vector *vector, uint32_t row, int64_t by)
{
    if (vector_is_null(vector, row))
        return;
    row &= vector_mask(vector);
    OrderedNode wanted = { 0 };
    switch (sets->physical) {
    case PHYSICAL_BOOL: wanted.value.integer = ((const uint8_t *)vector->values)[row]; break;
    case PHYSICAL_INT64: wanted.value.integer = ((const int64_t *)vector->values)[row]; break;
    case PHYSICAL_DOUBLE: wanted.value.number = ((const double *)vector->values)[row]; break;
    case PHYSICAL_INT128: wanted.value.decimal = ((const Int128 *)vector->values)[row]; break;
    case PHYSICAL_STR: wanted.value.text = ((const Str *)vector->values)[row]; break;
    case PHYSICAL_INTERVAL: wanted.value.interval = ((const Interval *)vector->values)[row]; break;
    case PHYSICAL_ARRAY:
    case PHYSICAL_STRUCT: return;
    }
    add_value(sets, slot, &wanted, by);
}

const OrderedNode *ordered_sets_end(const OrderedSets *sets, uint32_t slot, bool largest)
{
    if (slot >= sets->slot_count || !sets->roots[slot])
        return NULL;
    const OrderedNode *node = &sets->nodes[sets->roots[slot] - 1];
    for (uint32_t next; (next = largest ? node->right : node->left) != 0;)
        node = &sets->nodes[next - 1];
    return node;
}

void ordered_sets_put(const OrderedSets *sets, const OrderedNode *node, Vector *out, uint32_t row, Arena *arena)
{
    switch (sets->physical) {
    case PHYSICAL_BOOL: ((uint8_t *)out->values)[row] = (uint8_t)node->value.integer; break;
    case PHYSICAL_INT64: ((int64_t *)out->values)[row] = node->value.integer; break;
    case PHYSICAL_DOUBLE: ((double *)out->values)[row] = node->value.number; break;
    case PHYSICAL_INT128: ((Int128 *)out->values)[row] = node->value.decimal; break;
    case PHYSICAL_INTERVAL: ((Interval *)out->values)[row] = node->value.interval; break;
    case PHYSICAL_STR: {
        Str text = node->value.text;
        if (text.length > STR_INLINE)
            text = str_view(arena_copy(arena, text.pointer, text.length), text.length);
        ((Str *)out->values)[row] = text;
        break;
    }
    case PHYSICAL_ARRAY:
    case PHYSICAL_STRUCT: break;
    }
}

static void free_tree(OrderedSets *sets, uint32_t root)
{
    while (root) { /* right spines by hand: the depth is that of a treap */
        OrderedNode *node = &sets->nodes[root - 1];
        uint32_t right = node->right;
        free_tree(sets, node->left);
        if (sets->physical == PHYSICAL_STR)
            state_heap_drop(&sets->heap, &node->value.text);
        node->left = sets->free_node;
        sets->free_node = root;
        root = right;
    }
}

void ordered_sets_keep(OrderedSets *sets, const uint64_t *live, const uint32_t *remap, uint32_t kept)
{
    for (uint32_t slot = 0; slot < sets->slot_count; slot++) {
        uint32_t root = sets->roots[slot];
        sets->roots[slot] = 0;
        if (bit_get(live, slot))
            sets->roots[remap[slot]] = root; /* slots only move down */
        else
            free_tree(sets, root);
    }
    if (sets->slot_count > kept)
        sets->slot_count = kept;
}

/* ---- snapshot: slots, counts and values as three columns ---- */

static uint64_t sets_layout(const OrderedSets *sets) { return (uint64_t)sets->physical; }
static uint32_t value_width(const OrderedSets *sets)
{
    return sets->physical == PHYSICAL_INT128 || sets->physical == PHYSICAL_INTERVAL ? 16 : 8;
}

/* Calls once per node of the tree in order of value. */
static void walk(const OrderedSets *sets, uint32_t root, OrderedNode *into, uint64_t *count)
{
    if (!root)
        return;
    const OrderedNode *node = &sets->nodes[root - 1];
    walk(sets, node->left, into, count);
    into[(*count)++] = *node;
    walk(sets, node->right, into, count);
}

static void ordered_sets_write(const Container *container, Text *snapshot)
{
    const OrderedSets *sets = (const OrderedSets *)container;
    Arena arena;
    arena_init(&arena, NULL);
    MEMORY_HOLD(arena_unwind, &arena);
    OrderedNode *nodes = arena_alloc(&arena, sizeof(OrderedNode) * ((size_t)sets->node_count + 1));
    int64_t *slots = arena_alloc(&arena, 8 * ((size_t)sets->node_count + 1));
    uint64_t count = 0, slot_count = 0; /* up to the last slot with a value */
    for (uint32_t slot = 0; slot < sets->slot_count; slot++) {
        uint64_t before = count;
        walk(sets, sets->roots[slot], nodes, &count);
        for (uint64_t i = before; i < count; i++)
            slots[i] = slot;
        if (count > before)
            slot_count = slot + 1;
    }
    PageWriter page = page_begin(snapshot, PAGE_ORDERED, 1, sets_layout(sets), count);
    page_put_u64(&page, slot_count);
    page_put_column(&page, slots, 8, 8, count);
    page_put_column(&page, &nodes[0].count, sizeof(OrderedNode), 8, count);
    if (sets->physical == PHYSICAL_STR)
        page_put_strings(&page, &nodes[0].value.text, sizeof(OrderedNode), count);
    else
        page_put_column(&page, &nodes[0].value, sizeof(OrderedNode), value_width(sets), count);
    page_end(&page);
    arena_release(&arena);
}

static Error *ordered_sets_read(Container *container, SnapshotReader *reader)
{
    OrderedSets *sets = (OrderedSets *)container;
    PageReader page;
    PageStrings strings;
    uint64_t slot_count = 0;
    const char *slots, *counts, *values = NULL;
    TRY(page_open(reader, PAGE_ORDERED, 1, sets_layout(sets), &page));
    TRY(page_get_u64(&page, &slot_count));
    TRY(page_get_column(&page, 8, page.rows, &slots));
    TRY(page_get_column(&page, 8, page.rows, &counts));
    if (sets->physical == PHYSICAL_STR)
        TRY(page_get_strings(&page, page.rows, &strings));
    else
        TRY(page_get_column(&page, value_width(sets), page.rows, &values));
    TRY(page_close(&page));
    ordered_sets_clear(sets);
    for (uint64_t i = 0; i < page.rows; i++) {
        OrderedNode node = { 0 };
        uint64_t slot;
        int64_t count;
        memcpy(&slot, slots + 8 * i, 8);
        memcpy(&count, counts + 8 * i, 8);
        if (slot >= slot_count || slot_count > UINT32_MAX || count == 0)
            return page_damaged("an ordered value has no slot");
        if (sets->physical == PHYSICAL_STR)
            node.value.text = page_next_string(&strings);
        else
            memcpy(&node.value, values + value_width(sets) * i, value_width(sets));
        add_value(sets, (uint32_t)slot, &node, count);
    }
    return NULL;
}

static const ContainerType ordered_sets_type = { "ordered sets", ordered_sets_write, ordered_sets_read, NULL };
