/* exec/changes.c: see changes.h. */
#include "exec/changes.h"
#include <string.h>
#include "common/calendar.h"
#include "exec/value_bytes.h"

void changes_init(GroupChanges *changes, Operator *op, Aggregates *aggregates, OutputBuilder *out)
{
    const PlanNode *node = op->node;
    *changes = (GroupChanges){
        .op = op,
        .aggregates = aggregates,
        .out = out,
        .key_count = node->aggregate.key_count,
        .has_window = node->aggregate.has_window,
        .emit_unchanged = node->aggregate.emit_unchanged,
        .with_before = node->traits.changes != CHANGES_UPSERT,
    };
    arena_init(&changes->arena, op->context->pool);
}

void changes_release(GroupChanges *changes)
{
    if (!changes->op)
        return;
    arena_release(&changes->arena);
    mem_free(changes->table);
    mem_free(changes->touched);
    mem_free(changes->existed);
    mem_free(changes->states);
    *changes = (GroupChanges){ 0 };
}

void put_bounds(Vector *const columns[], uint32_t first, uint32_t count, int64_t start_us, int64_t end_us)
{
    int64_t *start = (int64_t *)columns[0]->values + first, *end = (int64_t *)columns[1]->values + first;
    int64_t *time = (int64_t *)columns[2]->values + first, time_us = time_sub(end_us, US_PER_MS);
    for (uint32_t i = 0; i < count; i++) {
        start[i] = start_us;
        end[i] = end_us;
        time[i] = time_us;
    }
}

void vector_copy_row(Arena *arena, Vector *to, uint32_t to_row, const Vector *from, uint32_t from_row)
{
    const PhysicalType physical = type_physical(to->type);
    if (vector_is_null(from, from_row) && physical != PHYSICAL_ARRAY && physical != PHYSICAL_STRUCT) {
        vector_set_null(arena, to, to_row);
        return;
    }
    from_row &= vector_mask(from);
    switch (physical) {
    case PHYSICAL_BOOL: ((uint8_t *)to->values)[to_row] = ((const uint8_t *)from->values)[from_row]; break;
    case PHYSICAL_INT64:
    case PHYSICAL_DOUBLE: ((uint64_t *)to->values)[to_row] = ((const uint64_t *)from->values)[from_row]; break;
    case PHYSICAL_INT128:
    case PHYSICAL_INTERVAL:
        memcpy((char *)to->values + 16 * (size_t)to_row, (const char *)from->values + 16 * (size_t)from_row, 16);
        break;
    case PHYSICAL_STR: {
        Str text = ((const Str *)from->values)[from_row];
        if (text.length > STR_INLINE)
            text = str_view(arena_copy(arena, text.pointer, text.length), text.length);
        ((Str *)to->values)[to_row] = text;
        break;
    }
    case PHYSICAL_ARRAY:
    case PHYSICAL_STRUCT: {
        Value value = vector_get(arena, from, from_row);
        vector_put_value(arena, to, to_row, &value);
        break;
    }
    }
}

bool vector_rows_equal(const Vector *a, uint32_t a_row, const Vector *b, uint32_t b_row)
{
    bool a_null = vector_is_null(a, a_row), b_null = vector_is_null(b, b_row);
    if (a_null || b_null)
        return a_null && b_null;
    a_row &= vector_mask(a);
    b_row &= vector_mask(b);
    switch (type_physical(a->type)) {
    case PHYSICAL_BOOL: return ((const uint8_t *)a->values)[a_row] == ((const uint8_t *)b->values)[b_row];
    case PHYSICAL_INT64:
    case PHYSICAL_DOUBLE: return ((const uint64_t *)a->values)[a_row] == ((const uint64_t *)b->values)[b_row];
    case PHYSICAL_INT128:
    case PHYSICAL_INTERVAL:
        return memcmp((const char *)a->values + 16 * (size_t)a_row, (const char *)b->values + 16 * (size_t)b_row, 16) == 0;
    case PHYSICAL_STR: return str_equal((const Str *)a->values + a_row, (const Str *)b->values + b_row);
    case PHYSICAL_ARRAY:
    case PHYSICAL_STRUCT: {
        Text x = { 0 }, y = { 0 };
        MEMORY_HOLD(text_unwind, &x);
        MEMORY_HOLD(text_unwind, &y);
        bytes_put(&x, a, a_row, false);
        bytes_put(&y, b, b_row, false);
        bool equal = x.length == y.length && memcmp(text_c(&x), text_c(&y), x.length) == 0;
        text_release(&x);
        text_release(&y);
        return equal;
    }
    }
    return false;
}

/* Lists the slots in order of first touch. */
static void collect_touched(GroupChanges *changes, const uint32_t *slots, uint32_t count)
{
    size_t wanted = 64;
    while (wanted < (size_t)count * 2)
        wanted *= 2;
    if (changes->table_capacity < wanted) {
        changes->table = mem_realloc(changes->table, sizeof(uint32_t) * wanted);
        changes->table_capacity = wanted;
    }
    if (changes->touched_capacity < count)
        changes->touched = mem_grow(changes->touched, &changes->touched_capacity, count, sizeof(uint32_t));
    if (changes->existed_capacity < count)
        changes->existed = mem_grow(changes->existed, &changes->existed_capacity, count, sizeof(bool));
    if (changes->states_capacity < count)
        changes->states = mem_grow(changes->states, &changes->states_capacity, count, sizeof(char *));
    memset(changes->table, 0, sizeof(uint32_t) * wanted);
    changes->touched_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        size_t at = (slots[i] * 0x9E3779B1u) & (wanted - 1);
        while (changes->table[at] && changes->table[at] != slots[i] + 1)
            at = (at + 1) & (wanted - 1);
        if (changes->table[at])
            continue;
        changes->table[at] = slots[i] + 1;
        changes->touched[changes->touched_count++] = slots[i];
    }
}

static Vector **new_results(GroupChanges *changes)
{
    const Aggregates *aggregates = changes->aggregates;
    Vector **columns = ARENA_ARRAY(&changes->arena, Vector *, aggregates->call_count + 1);
    for (int i = 0; i < aggregates->call_count; i++)
        columns[i] = vector_new(&changes->arena, aggregates->calls[i].type, changes->touched_count);
    return columns;
}

static Error *current_results(GroupChanges *changes, Groups *groups, Vector **columns)
{
    Evaluation evaluation = { .arena = &changes->arena, .now_us = changes->op->context->now_us };
    state_touch(&groups->state, changes->touched, changes->touched_count, changes->states);
    return groups_result(changes->aggregates, groups, changes->states, changes->touched, changes->touched_count, columns, 0,
                         changes->op, NULL, &evaluation);
}

static bool group_lives(const Aggregates *aggregates, const char *entry)
{
    return !aggregates->retracting || aggregates->keep_empty || group_rows(aggregates, entry) > 0;
}

Error *changes_before(GroupChanges *changes, Groups *groups, const uint32_t *slots, uint32_t count, uint32_t former_slots)
{
    arena_reset(&changes->arena);
    collect_touched(changes, slots, count);
    changes->old_results = new_results(changes);
    TRY(current_results(changes, groups, changes->old_results));
    for (uint32_t i = 0; i < changes->touched_count; i++)
        changes->existed[i] = changes->touched[i] < former_slots && group_lives(changes->aggregates, changes->states[i]);
    return NULL;
}

static Error *emit_row(GroupChanges *changes, const KeyTable *keys, uint32_t i, Vector *const results[], uint8_t kind, uint32_t least,
                       int64_t start_us, int64_t end_us, int64_t wm_us)
{
    uint32_t granted, row;
    TRY(builder_reserve(changes->out, 1, least, &granted, &row));
    Batch *batch = changes->out->batch;
    key_table_gather(keys, &changes->touched[i], 1, batch->columns, row, &batch->arena);
    int column = changes->key_count;
    if (changes->has_window) {
        put_bounds(batch->columns + column, row, 1, start_us, end_us);
        column += 3;
    }
    for (int call = 0; call < changes->aggregates->call_count; call++)
        vector_copy_row(&batch->arena, batch->columns[column + call], row, results[call], i);
    batch->kinds[row] = kind;
    builder_commit(changes->out, 1, wm_us);
    return NULL;
}

/* A result is taken back at the time of what takes it back (ksqlDB): the latest time alone is not what it was. */
static void take_latest_time(GroupChanges *changes, Vector *const results[], uint32_t i)
{
    for (int call = 0; call < changes->aggregates->call_count; call++)
        if (changes->aggregates->calls[call].function == &latest_time_aggregate)
            vector_copy_row(&changes->arena, changes->old_results[call], i, results[call], i);
}

Error *changes_after(GroupChanges *changes, Groups *groups, const KeyTable *keys, int64_t start_us, int64_t end_us, int64_t wm_us)
{
    Vector **results = new_results(changes), **old = changes->old_results;
    TRY(current_results(changes, groups, results));
    for (uint32_t i = 0; i < changes->touched_count; i++) {
        bool lives = group_lives(changes->aggregates, changes->states[i]);
        if (!changes->existed[i]) {
            if (lives)
                TRY(emit_row(changes, keys, i, results, ROW_INSERT, 1, start_us, end_us, wm_us));
            continue;
        }
        if (!lives) {
            TRY(emit_row(changes, keys, i, old, ROW_DELETE, 1, start_us, end_us, wm_us));
            continue;
        }
        bool same = !changes->emit_unchanged; /* a newer time alone is a change, too */
        for (int call = 0; same && call < changes->aggregates->call_count; call++)
            same = vector_rows_equal(old[call], i, results[call], i);
        if (same)
            continue;
        take_latest_time(changes, results, i);
        if (changes->with_before)
            TRY(emit_row(changes, keys, i, old, ROW_UPDATE_BEFORE, 2, start_us, end_us, wm_us));
        TRY(emit_row(changes, keys, i, results, ROW_UPDATE_AFTER, 1, start_us, end_us, wm_us));
    }
    return NULL;
}
