/* exec/subquery.c: see subquery.h. */
#include "exec/subquery.h"

#include <string.h>

#include "exec/changes.h"

void subquery_init(Subquery *subquery, Arena *arena, Operator *op)
{
    const PlanNode *node = subquery->node = op->node;
    const Schema *rows = &node->inputs[1].node->schema;
    int keys = subquery->key_count = node->subquery.key_count;
    subquery->has_values = node->subquery.kind != SUBQUERY_EXISTS;
    const Type **types = ARENA_ARRAY(arena, const Type *, (size_t)keys + 2);
    subquery->vectors = ARENA_ARRAY(arena, const Vector *, (size_t)keys + 2);
    subquery->key_columns = ARENA_ARRAY(arena, int, (size_t)keys + 1);
    for (int i = 0; i < keys + subquery->has_values; i++)
        types[i] = rows->columns[i].type;
    for (int i = 0; i < keys; i++)
        subquery->key_columns[i] = i;
    key_layout_init(&subquery->group_layout, arena, types, keys);
    key_batch_init(&subquery->group_batch, &subquery->group_layout);
    key_table_init(&subquery->groups, &op->pool, &subquery->group_layout);
    state_init(&subquery->group_state, &op->pool, "lll", false);
    if (!subquery->has_values)
        return;
    key_layout_init(&subquery->value_layout, arena, types, keys + 1);
    key_batch_init(&subquery->value_batch, &subquery->value_layout);
    key_table_init(&subquery->values, &op->pool, &subquery->value_layout);
    state_init(&subquery->value_state, &op->pool, "l", false);
}

void subquery_release(Subquery *subquery)
{
    if (subquery->groups.layout)
        key_table_release(&subquery->groups);
    if (subquery->group_state.layout)
        state_release(&subquery->group_state);
    if (subquery->group_batch.layout)
        key_batch_release(&subquery->group_batch);
    if (subquery->values.layout)
        key_table_release(&subquery->values);
    if (subquery->value_state.layout)
        state_release(&subquery->value_state);
    if (subquery->value_batch.layout)
        key_batch_release(&subquery->value_batch);
    row_list_release(&subquery->list);
    mem_free(subquery->value_slots);
    subquery->value_slots = NULL;
}

static int64_t *value_count(const Subquery *subquery, uint32_t value) { return (int64_t *)state_entry(&subquery->value_state, value); }

static void count_value(Subquery *subquery, SubqueryGroup *group, uint32_t value, bool null, int64_t step)
{
    if (null)
        group->nulls += step;
    group->sum += step * (int64_t)value;
    state_touch_one(&subquery->value_state, value);
    *value_count(subquery, value) += step;
}

const uint32_t *subquery_take(Subquery *subquery, const Batch *batch, uint32_t *count, const uint32_t **groups, const uint32_t **values)
{
    const uint32_t *rows = row_list_take(&subquery->list, batch, subquery->key_columns, subquery->key_count, count);
    uint32_t *group_slots = subquery->list.slots;
    key_batch_prepare(&subquery->group_batch, (const Vector *const *)batch->columns, batch->row_count, rows, *count);
    key_table_resolve(&subquery->groups, &subquery->group_batch, rows, *count, group_slots);
    state_cover(&subquery->group_state, subquery->groups.count);
    if (subquery->has_values) {
        subquery->value_slots = mem_grow(subquery->value_slots, &subquery->value_capacity, (size_t)batch->row_count + 1, sizeof(uint32_t));
        key_batch_prepare(&subquery->value_batch, (const Vector *const *)batch->columns, batch->row_count, rows, *count);
        key_table_resolve(&subquery->values, &subquery->value_batch, rows, *count, subquery->value_slots);
        state_cover(&subquery->value_state, subquery->values.count);
    }
    for (uint32_t i = 0; i < *count; i++) {
        SubqueryGroup *group = (SubqueryGroup *)state_touch_one(&subquery->group_state, group_slots[i]);
        int64_t step = row_kind_retracts(batch_kind(batch, rows[i])) ? -1 : 1;
        group->rows += step;
        if (subquery->has_values)
            count_value(subquery, group, subquery->value_slots[i], vector_is_null(batch->columns[subquery->key_count], rows[i]), step);
    }
    *groups = group_slots;
    *values = subquery->value_slots;
    return rows;
}

void subquery_locate(Subquery *subquery, const Batch *batch, const uint32_t *rows, uint32_t count, bool add, uint32_t *groups, uint32_t *values)
{
    const PlanNode *node = subquery->node;
    for (int k = 0; k < subquery->key_count; k++)
        subquery->vectors[k] = batch->columns[node->subquery.keys[k]];
    key_batch_prepare(&subquery->group_batch, subquery->vectors, batch->row_count, rows, count);
    if (add) {
        key_table_resolve(&subquery->groups, &subquery->group_batch, rows, count, groups);
        state_cover(&subquery->group_state, subquery->groups.count);
    } else {
        key_table_find(&subquery->groups, &subquery->group_batch, rows, count, groups);
    }
    if (node->subquery.kind == SUBQUERY_IN) {
        subquery->vectors[subquery->key_count] = batch->columns[node->subquery.value];
        key_batch_prepare(&subquery->value_batch, subquery->vectors, batch->row_count, rows, count);
        if (add) {
            key_table_resolve(&subquery->values, &subquery->value_batch, rows, count, values);
            state_cover(&subquery->value_state, subquery->values.count);
        } else {
            key_table_find(&subquery->values, &subquery->value_batch, rows, count, values);
        }
    }
    for (uint32_t i = 0; i < count && node->subquery.kind != SUBQUERY_IN; i++)
        values[i] = KEY_ABSENT;
}

int64_t subquery_answer(const Subquery *subquery, uint32_t group, uint32_t value, bool null)
{
    static const SubqueryGroup nothing = { 0, 0, 0 };
    const SubqueryGroup *of = group == KEY_ABSENT ? &nothing : subquery_group(subquery, group);
    switch (subquery->node->subquery.kind) {
    case SUBQUERY_EXISTS: return of->rows > 0 ? SUBQUERY_TRUE : SUBQUERY_FALSE;
    case SUBQUERY_IN:
        if (of->rows == 0)
            return SUBQUERY_FALSE;
        if (null)
            return SUBQUERY_UNKNOWN;
        if (value != KEY_ABSENT && *value_count(subquery, value) > 0)
            return SUBQUERY_TRUE;
        return of->nulls > 0 ? SUBQUERY_UNKNOWN : SUBQUERY_FALSE;
    case SUBQUERY_SCALAR:
        return of->rows == 0 ? SUBQUERY_NONE : of->rows > 1 ? SUBQUERY_SEVERAL : of->sum + SUBQUERY_VALUE;
    }
    return SUBQUERY_NONE;
}

static Error *put_values(const Subquery *subquery, Operator *op, Batch *batch, const int64_t *answers, uint32_t count, const uint32_t *rows, uint32_t first)
{
    const PlanNode *node = op->node;
    Arena *arena = &batch->arena;
    Vector *out = batch->columns[node->schema.column_count - 1];
    uint32_t *slots = arena_alloc(arena, sizeof *slots * ((size_t)count + 1)), found = 0;
    for (uint32_t i = 0; i < count; i++)
        if (answers[i] >= SUBQUERY_VALUE)
            slots[found++] = (uint32_t)(answers[i] - SUBQUERY_VALUE);
    Vector **columns = ARENA_ARRAY(arena, Vector *, (size_t)subquery->key_count + 1);
    for (int i = 0; i <= subquery->key_count; i++)
        columns[i] = vector_new(arena, subquery->value_layout.types[i], found);
    key_table_gather(&subquery->values, slots, found, columns, 0, arena);
    found = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t row = rows ? rows[i] : first + i;
        if (answers[i] >= SUBQUERY_VALUE)
            vector_copy_row(arena, out, row, columns[subquery->key_count], found++);
        else if (answers[i] == SUBQUERY_NONE)
            vector_set(arena, out, row, &node->subquery.missing);
        else {
            Value null = value_null(out->type);
            vector_set(arena, out, row, &null);
            TRY(job_row_error(op, node->subquery.on_error == POLICY_NULL ? POLICY_NULL : POLICY_FAIL, batch, (int64_t)row, "expression", NULL,
                              "the sub-query gives more than one row", node->at));
        }
    }
    return NULL;
}

Error *subquery_put(const Subquery *subquery, Operator *op, Batch *batch, const int64_t *answers, uint32_t count, const uint32_t *rows, uint32_t first)
{
    if (op->node->subquery.kind == SUBQUERY_SCALAR)
        return put_values(subquery, op, batch, answers, count, rows, first);
    Vector *out = batch->columns[op->node->schema.column_count - 1];
    for (uint32_t i = 0; i < count; i++) {
        uint32_t row = rows ? rows[i] : first + i;
        ((uint8_t *)out->values)[row] = answers[i] == SUBQUERY_TRUE;
        if (answers[i] == SUBQUERY_UNKNOWN)
            vector_set_null(&batch->arena, out, row);
    }
    return NULL;
}

int subquery_containers(Subquery *subquery, Container **containers)
{
    containers[0] = &subquery->groups.container;
    containers[1] = &subquery->group_state.container;
    if (!subquery->has_values)
        return 2;
    containers[2] = &subquery->values.container;
    containers[3] = &subquery->value_state.container;
    return 4;
}

Error *subquery_restored(const Subquery *subquery)
{
    bool whole = subquery->group_state.slot_count == subquery->groups.count && (!subquery->has_values || subquery->value_state.slot_count == subquery->values.count);
    return whole ? NULL : page_damaged("counts without keys");
}
