/* exec/pair_set.c: see pair_set.h. */
#include "exec/pair_set.h"
#include <string.h>

static const ContainerType pair_set_type;

void pair_layout_init(PairLayout *layout, Arena *arena, const Type *const types[], int type_count, int bit_count, bool counted,
                      bool chained)
{
    const Type *columns[9] = { type_scalar(TYPE_BIGINT) };
    memcpy(columns + 1, types, sizeof(*types) * (size_t)type_count);
    key_layout_init(&layout->keys, arena, columns, type_count + 1);
    layout->bit_count = bit_count;
    layout->counted = counted;
    layout->chained = chained;
    int words = (counted ? bit_count : 1) + chained;
    memset(layout->state_layout, 'l', (size_t)words);
    layout->state_layout[words] = 0;
}

void pair_scratch_init(PairScratch *scratch, const PairLayout *layout)
{
    *scratch = (PairScratch){ .slots = { .type = type_scalar(TYPE_BIGINT), .encoding = VECTOR_FLAT } };
    key_batch_init(&scratch->keys, &layout->keys);
}

void pair_scratch_release(PairScratch *scratch)
{
    key_batch_release(&scratch->keys);
    mem_free(scratch->slots.values);
    mem_free(scratch->pairs);
    mem_free(scratch->states);
    *scratch = (PairScratch){ .keys = { .layout = scratch->keys.layout } };
}

static void scratch_reserve(PairScratch *scratch, uint32_t rows)
{
    if (scratch->capacity >= rows)
        return;
    scratch->slots.values = mem_realloc(scratch->slots.values, sizeof(int64_t) * rows);
    scratch->pairs = mem_realloc(scratch->pairs, sizeof(uint32_t) * rows);
    scratch->states = mem_realloc(scratch->states, sizeof(char *) * rows);
    scratch->capacity = rows;
}

void pair_set_init(PairSet *set, MemoryPool *pool, const PairLayout *layout)
{
    *set = (PairSet){ .container = { &pair_set_type, pool }, .layout = layout };
    key_table_init(&set->keys, pool, &layout->keys);
    state_init(&set->state, pool, layout->state_layout, false);
    state_init(&set->heads, pool, "l", false);
}

void pair_set_release(PairSet *set)
{
    key_table_release(&set->keys);
    state_release(&set->state);
    state_release(&set->heads);
}

void pair_set_clear(PairSet *set)
{
    key_table_clear(&set->keys);
    state_clear(&set->state);
    state_clear(&set->heads);
    set->linked = 0;
}

size_t pair_set_bytes(const PairSet *set) { return key_table_bytes(&set->keys) + state_bytes(&set->state) + state_bytes(&set->heads); }

/* ---- lists of a slot's pairs ---- */

static inline int64_t *pair_link(const PairSet *set, char *state) { return (int64_t *)state + set->state.width / 8 - 1; }

static void link_pair(PairSet *set, uint32_t slot, uint32_t pair, char *state)
{
    int64_t *link = pair_link(set, state);
    if (*link)
        return;
    if (slot >= set->heads.slot_count)
        state_cover(&set->heads, slot + 1);
    int64_t *head = (int64_t *)state_touch_one(&set->heads, slot);
    *link = *head + 1;
    *head = (int64_t)pair + 1;
    set->linked++;
}

static int64_t first_of_slot(const PairSet *set, uint32_t slot)
{
    return slot < set->heads.slot_count ? *(const int64_t *)state_entry(&set->heads, slot) : 0;
}

uint32_t *pair_set_of_slot(const PairSet *set, uint32_t slot, Arena *arena, uint32_t *count)
{
    *count = 0;
    for (int64_t next = first_of_slot(set, slot); next; next = *pair_link(set, state_entry(&set->state, (uint32_t)next - 1)) - 1)
        ++*count;
    uint32_t *pairs = arena_alloc(arena, sizeof *pairs * (*count + 1)), at = *count; /* oldest first */
    for (int64_t next = first_of_slot(set, slot); next; next = *pair_link(set, state_entry(&set->state, (uint32_t)next - 1)) - 1)
        pairs[--at] = (uint32_t)next - 1;
    return pairs;
}

void pair_set_drop(PairSet *set, uint32_t slot)
{
    int64_t next = first_of_slot(set, slot);
    if (!next)
        return;
    while (next) {
        uint32_t pair = (uint32_t)next - 1;
        next = *pair_link(set, state_entry(&set->state, pair)) - 1;
        state_zero(&set->state, pair);
        set->linked--;
    }
    *(int64_t *)state_touch_one(&set->heads, slot) = 0;
}

void pair_set_compact(PairSet *set, PairScratch *scratch)
{
    enum { COMPACT_FROM = 4096 };
    if (set->keys.count >= COMPACT_FROM && set->linked < set->keys.count / 4)
        pair_set_renumber(set, scratch, NULL, NULL);
}

/* What a snapshot says must be lists. */
static Error *count_linked(PairSet *set)
{
    set->linked = 0;
    for (uint32_t slot = 0; slot < set->heads.slot_count; slot++)
        for (int64_t next = first_of_slot(set, slot); next; next = *pair_link(set, state_entry(&set->state, (uint32_t)next - 1)) - 1)
            if (next < 0 || next > (int64_t)set->keys.count || ++set->linked > set->keys.count)
                return page_damaged("pairs that are no list");
    return NULL;
}

/* ---- adding ---- */

/* The slots of the pairs go to scratch->pairs. */
static void resolve_pairs(PairSet *set, PairScratch *scratch, const Vector *const values[], uint32_t row_count,
                          const uint32_t *rows, const uint32_t *slots, uint32_t count)
{
    const Vector *columns[9] = { &scratch->slots };
    scratch_reserve(scratch, row_count > count ? row_count : count);
    for (int i = 1; i < set->layout->keys.column_count; i++)
        columns[i] = values[i - 1];
    for (uint32_t i = 0; i < count; i++)
        ((int64_t *)scratch->slots.values)[rows[i]] = slots[i];
    key_batch_prepare(&scratch->keys, columns, row_count, rows, count);
    key_table_resolve(&set->keys, &scratch->keys, rows, count, scratch->pairs);
    state_cover(&set->state, set->keys.count);
    state_touch(&set->state, scratch->pairs, count, scratch->states);
}

void pair_set_add(PairSet *set, PairScratch *scratch, const Vector *const values[], uint32_t row_count, const uint32_t *rows,
                  const uint32_t *slots, uint32_t count, const uint64_t *masks, const uint8_t *kinds, uint64_t *changed)
{
    resolve_pairs(set, scratch, values, row_count, rows, slots, count);
    for (uint32_t i = 0; i < count && set->layout->chained; i++)
        link_pair(set, slots[i], scratch->pairs[i], scratch->states[i]);
    for (uint32_t i = 0; i < count; i++) {
        int64_t *words = (int64_t *)scratch->states[i];
        if (!set->layout->counted) {
            changed[i] = masks[i] & ~(uint64_t)words[0];
            words[0] |= (int64_t)masks[i];
            continue;
        }
        changed[i] = 0;
        bool retracts = kinds && row_kind_retracts(kinds[rows[i]]);
        for (uint64_t rest = masks[i]; rest; rest &= rest - 1) {
            int bit = __builtin_ctzll(rest);
            if (retracts ? --words[bit] == 0 : words[bit]++ == 0)
                changed[i] |= 1ull << bit;
        }
    }
}

uint64_t pair_set_bits(const PairSet *set, uint32_t pair)
{
    const int64_t *words = (const int64_t *)state_entry(&set->state, pair);
    if (!set->layout->counted)
        return (uint64_t)words[0];
    uint64_t bits = 0;
    for (int bit = 0; bit < set->layout->bit_count; bit++)
        bits |= (uint64_t)(words[bit] > 0) << bit;
    return bits;
}

void pair_set_gather(const PairSet *set, uint32_t first, uint32_t count, Vector *const columns[], Arena *arena)
{
    uint32_t *pairs = arena_alloc(arena, sizeof(*pairs) * count);
    for (uint32_t i = 0; i < count; i++)
        pairs[i] = first + i;
    key_table_gather(&set->keys, pairs, count, columns, 0, arena);
}

static void pair_set_unwind(void *set) { pair_set_release(set); }

void pair_set_renumber(PairSet *set, PairScratch *scratch, const uint64_t *live, const uint32_t *remap)
{
    enum { STEP = 1024 };
    PairSet fresh;
    Arena arena;
    arena_init(&arena, NULL);
    MEMORY_HOLD(arena_unwind, &arena);
    pair_set_init(&fresh, set->container.pool, set->layout);
    MEMORY_HOLD(pair_set_unwind, &fresh);
    uint32_t rows[STEP], slots[STEP];
    uint32_t words = set->state.width / 8;
    for (uint32_t first = 0; first < set->keys.count; first += STEP) {
        uint32_t count = set->keys.count - first < STEP ? set->keys.count - first : STEP, kept = 0;
        Vector *columns[9];
        for (int i = 0; i < set->layout->keys.column_count; i++)
            columns[i] = vector_new(&arena, set->layout->keys.types[i], count);
        pair_set_gather(set, first, count, columns, &arena);
        for (uint32_t i = 0; i < count; i++) {
            uint32_t slot = (uint32_t)((const int64_t *)columns[0]->values)[i];
            if (live && !bit_get(live, slot))
                continue;
            if (set->layout->chained && !*pair_link(set, state_entry(&set->state, first + i)))
                continue;
            rows[kept] = i;
            slots[kept++] = live ? remap[slot] : slot;
        }
        if (kept)
            resolve_pairs(&fresh, scratch, (const Vector *const *)columns + 1, count, rows, slots, kept);
        for (uint32_t i = 0; i < kept; i++) {
            memcpy(scratch->states[i], state_entry(&set->state, first + rows[i]), 8 * words);
            if (!set->layout->chained)
                continue;
            *pair_link(set, scratch->states[i]) = 0;
            link_pair(&fresh, slots[i], scratch->pairs[i], scratch->states[i]);
        }
        arena_reset(&arena);
    }
    arena_release(&arena);
    pair_set_release(set);
    *set = fresh;
}

static void pair_set_write(const Container *container, Text *snapshot)
{
    const PairSet *set = (const PairSet *)container;
    container_write(&set->keys.container, snapshot);
    container_write(&set->state.container, snapshot);
    if (set->layout->chained)
        container_write(&set->heads.container, snapshot);
}

static Error *pair_set_read(Container *container, SnapshotReader *reader)
{
    PairSet *set = (PairSet *)container;
    TRY(container_read(&set->keys.container, reader));
    TRY(container_read(&set->state.container, reader));
    if (set->keys.count != set->state.slot_count)
        return page_damaged("pairs without state");
    if (!set->layout->chained)
        return NULL;
    TRY(container_read(&set->heads.container, reader));
    return count_linked(set);
}

static const ContainerType pair_set_type = { "pairs", pair_set_write, pair_set_read, NULL };
