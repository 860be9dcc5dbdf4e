/* exec/op_aggregate.c: GROUP BY without a window; DISTINCT is one without aggregates.
 *
 * CHANGES: at most one change a group and batch. END: every group once, in order of arrival, when the input has ended; a global
 * aggregate gives its row also over no input.
 * State: KeyTable + Groups. */
#include "exec/changes.h"
#include "exec/operators.h"
#include "exec/row_list.h"
#include "exec/scalars.h"
#include <string.h>

enum { SCALAR_WM, SCALAR_COUNT };
enum { EMIT_BLOCK = 512 };

typedef struct AggregateOperator {
    Arena arena;
    bool at_end;            /* results come out at the end only */
    KeyLayout key_layout;
    KeyBatch key_batch;
    KeyTable keys;
    Aggregates aggregates;
    Groups groups;
    int64_t scalars[SCALAR_COUNT];
    Scalars scalars_container;
    OutputBuilder out;
    GroupChanges changes;
    RowList list;
    const Vector **key_vectors;
} AggregateOperator;

static Error *aggregate_open(Operator *op)
{
    AggregateOperator *a = op->state = mem_calloc(1, sizeof(AggregateOperator));
    const PlanNode *node = op->node;
    int key_count = node->aggregate.key_count;
    arena_init(&a->arena, op->context->pool);
    a->at_end = node->aggregate.trigger == TRIGGER_END || node->aggregate.trigger == TRIGGER_FINAL;
    TRY(aggregates_open(&a->aggregates, &a->arena, node, "", false, false));
    const Type **types = ARENA_ARRAY(&a->arena, const Type *, key_count + 1);
    a->key_vectors = ARENA_ARRAY(&a->arena, const Vector *, key_count + 1);
    for (int i = 0; i < key_count; i++)
        types[i] = node->inputs[0].node->schema.columns[node->aggregate.key_columns[i]].type;
    key_layout_init(&a->key_layout, &a->arena, types, key_count);
    key_batch_init(&a->key_batch, &a->key_layout);
    key_table_init(&a->keys, &op->pool, &a->key_layout);
    groups_init(&a->groups, &op->pool, &a->aggregates, false);
    a->scalars[SCALAR_WM] = TIME_MIN;
    scalars_init(&a->scalars_container, &op->pool, a->scalars, SCALAR_COUNT);
    builder_init(&a->out, op, PORT_MAIN, &node->schema, !a->at_end);
    changes_init(&a->changes, op, &a->aggregates, &a->out);
    return NULL;
}

static void aggregate_close(Operator *op)
{
    AggregateOperator *a = op->state;
    if (!a)
        return;
    builder_release(&a->out);
    changes_release(&a->changes);
    if (a->keys.layout)
        key_table_release(&a->keys);
    groups_release(&a->groups);
    if (a->key_batch.layout)
        key_batch_release(&a->key_batch);
    aggregates_close(&a->aggregates);
    row_list_release(&a->list);
    arena_release(&a->arena);
    mem_free(a);
    op->state = NULL;
}

static Error *take_rows(AggregateOperator *a, Operator *op, Batch *batch)
{
    const PlanNode *node = op->node;
    uint32_t count;
    const uint32_t *rows =
        row_list_take(&a->list, batch, node->aggregate.key_columns, node->aggregate.drop_null_keys ? node->aggregate.key_count : 0,
                      &count);
    if (count == 0)
        return NULL;
    for (int i = 0; i < node->aggregate.key_count; i++)
        a->key_vectors[i] = batch->columns[node->aggregate.key_columns[i]];
    Evaluation evaluation = { .arena = &batch->arena, .now_us = op->context->now_us, .turn = op->context->turn, .first_row = batch->first_row };
    uint32_t former = a->keys.count, *slots = a->list.slots;
    key_batch_prepare(&a->key_batch, a->key_vectors, batch->row_count, rows, count);
    key_table_resolve(&a->keys, &a->key_batch, rows, count, slots);
    state_cover(&a->groups.state, a->keys.count);
    if (!a->at_end)
        TRY(changes_before(&a->changes, &a->groups, slots, count, former));
    groups_update(&a->aggregates, &a->groups, batch, rows, slots, count, &evaluation);
    if (!a->at_end)
        TRY(changes_after(&a->changes, &a->groups, &a->keys, 0, 0, batch->wm_us ? batch->wm_us[rows[0]] : batch->wm_end_us));
    return NULL;
}

static Error *aggregate_process(Operator *op, int input, Batch *batch)
{
    (void)input;
    AggregateOperator *a = op->state;
    Error *error = take_rows(a, op, batch);
    if (!error)
        error = builder_flush(&a->out);
    batch_release(batch);
    return error;
}

static Error *aggregate_advance(Operator *op, int64_t wm_us)
{
    AggregateOperator *a = op->state;
    if (wm_us > a->scalars[SCALAR_WM] && wm_us != TIME_MAX)
        a->scalars[SCALAR_WM] = wm_us;
    return NULL;
}

static Error *emit_block(AggregateOperator *a, Operator *op, uint32_t *slots, char **states, uint32_t count)
{
    const int key_count = op->node->aggregate.key_count;
    for (uint32_t done = 0; done < count;) {
        uint32_t granted, first;
        TRY(builder_reserve(&a->out, count - done, 1, &granted, &first));
        Batch *batch = a->out.batch;
        key_table_gather(&a->keys, slots + done, granted, batch->columns, first, &batch->arena);
        TRY(groups_result(&a->aggregates, &a->groups, states + done, slots + done, granted, batch->columns + key_count, first, op,
                          batch, &a->out.evaluation));
        builder_commit(&a->out, granted, a->scalars[SCALAR_WM]);
        done += granted;
    }
    return NULL;
}

static Error *aggregate_end(Operator *op)
{
    AggregateOperator *a = op->state;
    uint32_t slots[EMIT_BLOCK];
    char *states[EMIT_BLOCK];
    if (!a->at_end)
        return NULL;
    bool global = op->node->aggregate.key_count == 0;
    if (global) {
        a->keys.count = 1; /* its row comes also over no input */
        state_cover(&a->groups.state, 1);
    }
    for (uint32_t first = 0; first < a->keys.count; first += EMIT_BLOCK) {
        uint32_t count = 0;
        for (uint32_t slot = first; slot < a->keys.count && slot < first + EMIT_BLOCK; slot++) {
            slots[count] = slot;
            states[count] = state_entry(&a->groups.state, slot);
            count += global || !a->aggregates.retracting || group_rows(&a->aggregates, states[count]) > 0;
        }
        TRY(emit_block(a, op, slots, states, count));
    }
    return builder_flush(&a->out);
}

static int aggregate_containers(Operator *op, Container **containers, int capacity)
{
    AggregateOperator *a = op->state;
    Container *all[] = { &a->scalars_container.container, &a->keys.container, &a->groups.container };
    for (int i = 0; i < 3 && i < capacity; i++)
        containers[i] = all[i];
    return 3;
}

static Error *aggregate_restored(Operator *op)
{
    AggregateOperator *a = op->state;
    return a->groups.state.slot_count == a->keys.count ? NULL : page_damaged("groups without keys");
}

const OperatorType aggregate_operator = {
    .name = "aggregate", .open = aggregate_open, .close = aggregate_close, .process = aggregate_process, .advance = aggregate_advance,
    .end = aggregate_end, .containers = aggregate_containers, .restored = aggregate_restored,
};
