/* exec/join_state.c: see join_state.h. */
#include "exec/join_state.h"

#include <string.h>

/* ---- life ---- */

static void open_side(JoinState *state, int s, Operator *op, Arena *arena)
{
    JoinRows *side = &state->sides[s];
    side->plan = &op->node->join.sides[s];
    side->schema = &op->node->inputs[s].node->schema;
    const JoinBest *best = &op->node->join.best;
    row_store_init(&side->store, arena, &op->pool, side->schema, JOIN_ROW_FIELDS + (best->wanted && best->side == s ? JOIN_BEST_FIELDS : 0));
    side->identified = side->plan->updates || side->plan->upserts;
    if (!side->identified)
        return;
    side->identity = side->plan->identity;
    side->identity_count = side->plan->identity_count;
    if (side->identity_count == 0) {
        int *all = ARENA_ARRAY(arena, int, (size_t)side->schema->column_count + 1);
        for (int i = 0; i < side->schema->column_count; i++)
            all[i] = i;
        side->identity = all;
        side->identity_count = side->schema->column_count;
    }
    const int count = side->identity_count;
    const Type **types = ARENA_ARRAY(arena, const Type *, (size_t)count + 1);
    for (int i = 0; i < count; i++)
        types[i] = side->schema->columns[side->identity[i]].type;
    key_layout_init(&side->identity_layout, arena, types, count);
    key_batch_init(&side->identity_batch, &side->identity_layout);
    key_table_init(&side->identities, &op->pool, &side->identity_layout);
    state_init(&side->newest, &op->pool, "l", false);
}

void join_state_open(JoinState *state, Operator *op, Arena *arena)
{
    const PlanNode *node = op->node;
    const int count = node->join.key_count;
    state->op = op;
    state->by_time = node->join.sides[0].time_column >= 0 && node->join.sides[1].time_column >= 0;
    const Type **types = ARENA_ARRAY(arena, const Type *, (size_t)count + 1);
    for (int i = 0; i < count; i++)
        types[i] = node->inputs[0].node->schema.columns[node->join.sides[0].keys[i]].type;
    key_layout_init(&state->key_layout, arena, types, count);
    key_batch_init(&state->key_batch, &state->key_layout);
    key_table_init(&state->groups, &op->pool, &state->key_layout);
    state_init(&state->links, &op->pool, "llll", false);
    for (int s = 0; s < 2; s++)
        open_side(state, s, op, arena);
    for (int i = 0; i < JOIN_SCALARS; i++)
        state->scalars[i] = TIME_MIN;
    state->scalars[JOIN_SCALAR_ORDER] = 0;
    scalars_init(&state->scalars_container, &op->pool, state->scalars, JOIN_SCALARS);
    int most = count;
    for (int s = 0; s < 2; s++)
        most = state->sides[s].identity_count > most ? state->sides[s].identity_count : most;
    state->vectors = ARENA_ARRAY(arena, const Vector *, (size_t)most + 1);
}

void join_state_close(JoinState *state)
{
    for (int s = 0; s < 2; s++) {
        JoinRows *side = &state->sides[s];
        row_store_release(&side->store);
        if (side->newest.layout)
            state_release(&side->newest);
        if (side->identities.layout)
            key_table_release(&side->identities);
        if (side->identity_batch.layout)
            key_batch_release(&side->identity_batch);
        mem_free(side->identity_slots);
    }
    if (state->links.layout)
        state_release(&state->links);
    if (state->groups.layout)
        key_table_release(&state->groups);
    if (state->key_batch.layout)
        key_batch_release(&state->key_batch);
    row_list_release(&state->list);
}

int join_state_containers(JoinState *state, Container **containers)
{
    int count = 0;
    containers[count++] = &state->scalars_container.container;
    containers[count++] = &state->groups.container;
    containers[count++] = &state->links.container;
    for (int s = 0; s < 2; s++) {
        containers[count++] = &state->sides[s].store.container;
        if (!state->sides[s].identified)
            continue;
        containers[count++] = &state->sides[s].identities.container;
        containers[count++] = &state->sides[s].newest.container;
    }
    return count;
}

/* The row that a link leads to, if it is one that is there; else NULL. */
static const JoinRow *linked_row(const JoinState *state, int s, int64_t link)
{
    if (link < 1 || link > (int64_t)state->sides[s].store.count)
        return NULL;
    const JoinRow *row = join_row(state, s, (uint32_t)(link - 1));
    return row->matches == JOIN_FREE ? NULL : row;
}

/* Follows a group's rows; *rows: how many may still come, so that no circle is gone round. */
static Error *check_group(const JoinState *state, int s, uint32_t group, uint32_t *rows)
{
    const JoinLinks *links = &join_group(state, group)->sides[s];
    int64_t before = 0;
    for (int64_t link = links->first; link;) {
        const JoinRow *row = linked_row(state, s, link);
        if (!row || row->group != (int64_t)group || row->previous != before || (*rows)-- == 0)
            return page_damaged("rows that lead nowhere");
        before = link;
        link = row->next;
    }
    return links->last == before ? NULL : page_damaged("rows that lead nowhere");
}

static Error *check_identities(JoinState *state, int s)
{
    JoinRows *side = &state->sides[s];
    uint32_t rows = 0;
    if (side->newest.slot_count != side->identities.count)
        return page_damaged("rows without identities");
    for (uint32_t number = 0; number < side->store.count; number++)
        rows += join_row(state, s, number)->matches != JOIN_FREE && join_row(state, s, number)->identity >= 0;
    for (uint32_t slot = 0; slot < side->identities.count; slot++) {
        int64_t link = *(const int64_t *)state_entry(&side->newest, slot);
        side->live_identities += link != 0;
        for (const JoinRow *row; link; link = row->same)
            if (!(row = linked_row(state, s, link)) || row->identity != (int64_t)slot || rows-- == 0)
                return page_damaged("identities without rows");
    }
    return rows ? page_damaged("rows without identities") : NULL;
}

Error *join_state_restored(JoinState *state)
{
    if (state->links.slot_count != state->groups.count)
        return page_damaged("rows without keys");
    state->live_groups = 0;
    for (uint32_t group = 0; group < state->groups.count; group++)
        state->live_groups += join_group(state, group)->sides[0].first || join_group(state, group)->sides[1].first;
    for (int s = 0; s < 2; s++) {
        JoinRows *side = &state->sides[s];
        uint32_t grouped = 0;
        side->live = side->live_identities = 0;
        for (uint32_t number = 0; number < side->store.count; number++) {
            const JoinRow *row = join_row(state, s, number);
            side->live += row->matches != JOIN_FREE;
            grouped += row->matches != JOIN_FREE && row->group >= 0;
        }
        for (uint32_t group = 0; group < state->groups.count; group++)
            TRY(check_group(state, s, group, &grouped));
        if (grouped)
            return page_damaged("rows without keys");
        if (side->identified)
            TRY(check_identities(state, s));
    }
    return NULL;
}

/* ---- finding ---- */

bool join_key_is_null(const JoinState *state, int side, const Batch *batch, uint32_t row)
{
    const JoinSide *plan = state->sides[side].plan;
    for (int i = 0; i < state->key_layout.column_count; i++)
        if (vector_is_null(batch->columns[plan->keys[i]], row))
            return true;
    return false;
}

void join_locate(JoinState *state, int side, const Batch *batch, const uint32_t *rows, uint32_t count, bool find)
{
    JoinRows *own = &state->sides[side];
    uint32_t *slots = state->list.slots;
    for (int i = 0; i < state->key_layout.column_count; i++)
        state->vectors[i] = batch->columns[own->plan->keys[i]];
    key_batch_prepare(&state->key_batch, state->vectors, batch->row_count, rows, count);
    if (find)
        key_table_find(&state->groups, &state->key_batch, rows, count, slots);
    else
        key_table_resolve(&state->groups, &state->key_batch, rows, count, slots);
    state_cover(&state->links, state->groups.count);
    if (!own->identified)
        return;
    own->identity_slots = mem_grow(own->identity_slots, &own->identity_capacity, (size_t)count + 1, sizeof *own->identity_slots);
    for (int i = 0; i < own->identity_count; i++)
        state->vectors[i] = batch->columns[own->identity[i]];
    key_batch_prepare(&own->identity_batch, state->vectors, batch->row_count, rows, count);
    key_table_resolve(&own->identities, &own->identity_batch, rows, count, own->identity_slots);
    state_cover(&own->newest, own->identities.count);
}

uint32_t join_find(const JoinState *state, int side, uint32_t i)
{
    const JoinRows *own = &state->sides[side];
    int64_t newest = *(const int64_t *)state_entry(&own->newest, own->identity_slots[i]);
    return newest ? (uint32_t)(newest - 1) : ROW_NONE;
}

/* ---- adding, removing ---- */

/* Behind the last row that is not later. */
static void link_row(JoinState *state, int side, uint32_t number)
{
    JoinRow *row = join_row(state, side, number);
    JoinGroup *group = (JoinGroup *)state_touch_one(&state->links, (uint32_t)row->group);
    JoinLinks *links = &group->sides[side];
    state->live_groups += !group->sides[0].first && !group->sides[1].first;
    int64_t before = links->last;
    while (state->by_time && before && join_row(state, side, (uint32_t)(before - 1))->time_us > row->time_us)
        before = join_row(state, side, (uint32_t)(before - 1))->previous;
    int64_t after = before ? join_row(state, side, (uint32_t)(before - 1))->next : links->first;
    row->previous = before;
    row->next = after;
    *(before ? &join_touch(state, side, (uint32_t)(before - 1))->next : &links->first) = (int64_t)number + 1;
    *(after ? &join_touch(state, side, (uint32_t)(after - 1))->previous : &links->last) = (int64_t)number + 1;
}

static void unlink_row(JoinState *state, int side, const JoinRow *row)
{
    JoinGroup *group = (JoinGroup *)state_touch_one(&state->links, (uint32_t)row->group);
    JoinLinks *links = &group->sides[side];
    *(row->previous ? &join_touch(state, side, (uint32_t)(row->previous - 1))->next : &links->first) = row->next;
    *(row->next ? &join_touch(state, side, (uint32_t)(row->next - 1))->previous : &links->last) = row->previous;
    state->live_groups -= !group->sides[0].first && !group->sides[1].first;
}

uint32_t join_add(JoinState *state, int side, const Batch *batch, uint32_t row, uint32_t i, int64_t group, int64_t time_us, int64_t death_us)
{
    JoinRows *own = &state->sides[side];
    const Str none = { 0 };
    uint32_t number = row_store_add(&own->store, batch, row, &none);
    *join_touch(state, side, number) = (JoinRow){ .group = group, .time_us = time_us, .death_us = death_us, .identity = -1, .order = state->scalars[JOIN_SCALAR_ORDER]++,
                                                .arrived_us = state->op->context->now_us };
    if (own->store.own_count > JOIN_ROW_FIELDS)
        memset(row_store_own(&own->store, number) + JOIN_ROW_FIELDS, 0, sizeof(JoinBestSoFar));
    own->live++;
    if (group >= 0)
        link_row(state, side, number);
    if (own->identified && i != JOIN_PASSING) {
        int64_t *newest = (int64_t *)state_touch_one(&own->newest, own->identity_slots[i]);
        own->live_identities += *newest == 0;
        join_row(state, side, number)->same = *newest;
        join_row(state, side, number)->identity = own->identity_slots[i];
        *newest = (int64_t)number + 1;
    }
    return number;
}

/* ---- the best matches ---- */

/* What the pair's other row is by the keys: values in the order of what is better. */
static void best_keys_of(const JoinState *state, uint32_t other, JoinBestSoFar *keys)
{
    const JoinBest *best = &state->op->node->join.best;
    const RowStore *store = &state->sides[!best->side].store;
    *keys = (JoinBestSoFar){ .there = 1 };
    for (int k = 0; k < best->key_count; k++) {
        const SortKey *key = &best->keys[k];
        const bool null = row_store_is_null(store, other, key->column);
        keys->keys[k].place = !null ? 1 : key->nulls_first ? 0 : 2;
        keys->keys[k].value = null ? 0 : row_store_bits(store, other, key->column) ^ (key->descending ? -1 : 0);
    }
}

static int compare_best(const JoinBestSoFar *a, const JoinBestSoFar *b, int count)
{
    for (int k = 0; k < count; k++) {
        if (a->keys[k].place != b->keys[k].place)
            return a->keys[k].place < b->keys[k].place ? -1 : 1;
        if (a->keys[k].value != b->keys[k].value)
            return a->keys[k].value < b->keys[k].value ? -1 : 1;
    }
    return 0;
}

bool join_best_takes(JoinState *state, uint32_t number, uint32_t other)
{
    const JoinBest *best = &state->op->node->join.best;
    JoinBestSoFar keys, *before = (JoinBestSoFar *)(row_store_own(&state->sides[best->side].store, number) + JOIN_ROW_FIELDS);
    best_keys_of(state, other, &keys);
    const int order = before->there ? compare_best(&keys, before, best->key_count) : -1;
    if (order < 0) {
        join_touch(state, best->side, number);
        *before = keys;
    }
    return order < 0 || (order == 0 && best->equals);
}

int join_best_order(const JoinState *state, uint32_t a, uint32_t b)
{
    JoinBestSoFar keys[2];
    best_keys_of(state, a, &keys[0]);
    best_keys_of(state, b, &keys[1]);
    return compare_best(&keys[0], &keys[1], state->op->node->join.best.key_count);
}

/* Of equal rows the newest one is mostly meant. */
static void forget_identity(JoinState *state, int side, uint32_t number)
{
    JoinRows *own = &state->sides[side];
    int64_t *link = (int64_t *)state_touch_one(&own->newest, (uint32_t)join_row(state, side, number)->identity);
    const int64_t same = join_row(state, side, number)->same;
    if (*link == (int64_t)number + 1) {
        *link = same;
        own->live_identities -= same == 0;
        return;
    }
    while (*link != (int64_t)number + 1)
        link = &join_touch(state, side, (uint32_t)(*link - 1))->same;
    *link = same;
}

void join_remove(JoinState *state, int side, uint32_t number)
{
    JoinRow *row = join_touch(state, side, number);
    if (row->group >= 0)
        unlink_row(state, side, row);
    if (row->identity >= 0)
        forget_identity(state, side, number);
    row->matches = JOIN_FREE;
    state->sides[side].live--;
}

void join_free(JoinState *state, int side, uint32_t number) { row_store_free(&state->sides[side].store, number); }

/* ---- compaction ---- */

enum { FEW = 4096 };

static bool mostly_dead(uint32_t count, uint32_t live) { return count > FEW && live < count / 4; }

static uint64_t *bits_for(Arena *scratch, uint32_t count) { return ARENA_ARRAY(scratch, uint64_t, bitmap_words(count) + 1); }

static void compact_groups(JoinState *state, Arena *scratch)
{
    const uint32_t count = state->groups.count;
    uint64_t *live = bits_for(scratch, count);
    uint32_t *remap = ARENA_ARRAY(scratch, uint32_t, (size_t)count + 1);
    for (uint32_t group = 0; group < count; group++)
        if (join_group(state, group)->sides[0].first || join_group(state, group)->sides[1].first)
            bit_set(live, group);
    key_table_keep(&state->groups, live, remap);
    state_keep(&state->links, live, remap, state->groups.count);
    for (int s = 0; s < 2; s++)
        for (uint32_t number = 0; number < state->sides[s].store.count; number++) {
            const JoinRow *row = join_row(state, s, number);
            if (row->matches != JOIN_FREE && row->group >= 0)
                join_touch(state, s, number)->group = remap[row->group];
        }
}

static void compact_identities(JoinState *state, int s, Arena *scratch)
{
    JoinRows *side = &state->sides[s];
    const uint32_t count = side->identities.count;
    uint64_t *live = bits_for(scratch, count);
    uint32_t *remap = ARENA_ARRAY(scratch, uint32_t, (size_t)count + 1);
    for (uint32_t slot = 0; slot < count; slot++)
        if (*(const int64_t *)state_entry(&side->newest, slot))
            bit_set(live, slot);
    key_table_keep(&side->identities, live, remap);
    state_keep(&side->newest, live, remap, side->identities.count);
    for (uint32_t number = 0; number < side->store.count; number++)
        if (join_row(state, s, number)->matches != JOIN_FREE && join_row(state, s, number)->identity >= 0)
            join_touch(state, s, number)->identity = remap[join_row(state, s, number)->identity];
}

bool join_row_stays(const JoinState *state, int side, uint32_t number, uint32_t order)
{
    if (number >= state->sides[side].store.count)
        return false;
    const JoinRow *row = join_row(state, side, number);
    return row->matches != JOIN_FREE && (uint32_t)row->order == order;
}

void join_state_compact(JoinState *state, Arena *scratch)
{
    if (state->key_layout.column_count && mostly_dead(state->groups.count, state->live_groups))
        compact_groups(state, scratch);
    for (int s = 0; s < 2; s++)
        if (state->sides[s].identified && mostly_dead(state->sides[s].identities.count, state->sides[s].live_identities))
            compact_identities(state, s, scratch);
}
