/* exec/op_count.c: count windows: of each key the rows [k * advance, k * advance + size) in the order in which they come. A window's result comes
 * out with the row that fills it; those that are still open at the end of the input come out then. CHANGES: with every row.
 *
 *   key       rows so far
 *   windows   a key has at most `lanes` open windows; window k is in lane k mod lanes: slot = key's slot * lanes + lane
 *             entry: rows so far, time of the first and the last row, aggregates
 *
 * State: KeyTable, StateColumns by key, Groups of windows. */
#include <string.h>
#include "exec/changes.h"
#include "exec/operators.h"
#include "exec/row_list.h"
#include "exec/scalars.h"

typedef struct CountWindow { /* the header of an entry */
    int64_t rows, first_us, last_us;
} CountWindow;

typedef struct CountOperator {
    Arena arena;
    const WindowSpec *spec;
    int64_t size, advance;
    uint32_t lanes;
    bool changes;            /* every row's */
    KeyLayout key_layout;
    KeyBatch key_batch;
    KeyTable keys;
    StateColumns seen;       /* by key: rows so far */
    Aggregates aggregates;
    Groups groups;
    int64_t wm_us;           /* of the last row; a scalar of the state */
    Scalars scalars;
    OutputBuilder out;
    RowList list;
    const Vector **key_vectors;
    uint32_t *pending_rows, *pending_slots; /* not in their groups yet */
    size_t pending_rows_capacity, pending_slots_capacity;
    uint32_t pending_count;
} CountOperator;

static Error *count_open(Operator *op)
{
    CountOperator *c = op->state = mem_calloc(1, sizeof(CountOperator));
    const PlanNode *node = op->node;
    c->spec = &node->aggregate.window;
    c->size = c->spec->count;
    c->advance = c->spec->count_advance;
    c->lanes = (uint32_t)((c->size + c->advance - 1) / c->advance);
    arena_init(&c->arena, op->context->pool);
    TRY(aggregates_open(&c->aggregates, &c->arena, node, "lll", false, true));
    const Type **types = ARENA_ARRAY(&c->arena, const Type *, node->aggregate.key_count + 1);
    c->key_vectors = ARENA_ARRAY(&c->arena, const Vector *, node->aggregate.key_count + 1);
    for (int i = 0; i < node->aggregate.key_count; i++)
        types[i] = node->inputs[0].node->schema.columns[node->aggregate.key_columns[i]].type;
    key_layout_init(&c->key_layout, &c->arena, types, node->aggregate.key_count);
    key_batch_init(&c->key_batch, &c->key_layout);
    key_table_init(&c->keys, &op->pool, &c->key_layout);
    state_init(&c->seen, &op->pool, "l", false);
    groups_init(&c->groups, &op->pool, &c->aggregates, false);
    c->changes = node->aggregate.trigger == TRIGGER_CHANGES;
    c->wm_us = TIME_MIN;
    scalars_init(&c->scalars, &op->pool, &c->wm_us, 1);
    builder_init(&c->out, op, PORT_MAIN, &node->schema, c->changes);
    return NULL;
}

static void count_close(Operator *op)
{
    CountOperator *c = op->state;
    if (!c)
        return;
    builder_release(&c->out);
    row_list_release(&c->list);
    groups_release(&c->groups);
    if (c->seen.layout)
        state_release(&c->seen);
    key_table_release(&c->keys);
    if (c->key_batch.layout)
        key_batch_release(&c->key_batch);
    aggregates_close(&c->aggregates);
    mem_free(c->pending_rows);
    mem_free(c->pending_slots);
    arena_release(&c->arena);
    mem_free(c);
    op->state = NULL;
}

/* The window's row as it is; `least`: rows that must fit into the batch from here on. */
static Error *emit_row(CountOperator *c, Operator *op, uint32_t slot, uint8_t kind, uint32_t least)
{
    const int key_count = op->node->aggregate.key_count;
    char *entry = state_entry(&c->groups.state, slot);
    const CountWindow *window = (const CountWindow *)entry;
    uint32_t granted, row, key_slot = slot / c->lanes;
    TRY(builder_reserve(&c->out, 1, least, &granted, &row));
    Batch *batch = c->out.batch;
    key_table_gather(&c->keys, &key_slot, 1, batch->columns, row, &batch->arena);
    put_bounds(batch->columns + key_count, row, 1, window->first_us, window->last_us);
    ((int64_t *)batch->columns[key_count + 2]->values)[row] = window->last_us;
    for (int i = 0; c->spec->time_column < 0 && i < 3; i++)
        vector_set_null(&batch->arena, batch->columns[key_count + i], row);
    TRY(groups_result(&c->aggregates, &c->groups, &entry, &slot, 1, batch->columns + key_count + 3, row, op, batch, &c->out.evaluation));
    if (c->changes)
        batch->kinds[row] = kind;
    builder_commit(&c->out, 1, c->wm_us);
    return NULL;
}

static Error *emit_window(CountOperator *c, Operator *op, uint32_t slot)
{
    if (!c->changes)
        TRY(emit_row(c, op, slot, ROW_INSERT, 1));
    groups_forget(&c->groups, slot);
    return NULL;
}

static void add_pending(CountOperator *c, Operator *op, Batch *batch)
{
    Evaluation evaluation = { .arena = &batch->arena, .now_us = op->context->now_us, .turn = op->context->turn };
    uint32_t count = c->pending_count;
    c->pending_count = 0;
    if (count)
        groups_update(&c->aggregates, &c->groups, batch, c->pending_rows, c->pending_slots, count, &evaluation);
}

/* One row into one window; the window may be full then. */
static Error *take_row(CountOperator *c, Operator *op, Batch *batch, uint32_t row, uint32_t slot, int64_t time_us)
{
    CountWindow *window = (CountWindow *)state_touch_one(&c->groups.state, slot);
    const bool fresh = window->rows == 0;
    if (c->changes && !fresh)
        TRY(emit_row(c, op, slot, ROW_UPDATE_BEFORE, 2));
    window->first_us = window->rows ? window->first_us : time_us;
    window->last_us = time_us;
    window->rows++;
    const bool full = window->rows == c->size;
    if (c->pending_count == c->pending_rows_capacity)
        c->pending_rows = mem_grow(c->pending_rows, &c->pending_rows_capacity, (size_t)c->pending_count + 1, sizeof(uint32_t));
    if (c->pending_count == c->pending_slots_capacity)
        c->pending_slots = mem_grow(c->pending_slots, &c->pending_slots_capacity, (size_t)c->pending_count + 1, sizeof(uint32_t));
    c->pending_rows[c->pending_count] = row;
    c->pending_slots[c->pending_count++] = slot;
    if (full || c->changes)
        add_pending(c, op, batch);
    if (c->changes)
        TRY(emit_row(c, op, slot, fresh ? ROW_INSERT : ROW_UPDATE_AFTER, 1));
    return full ? emit_window(c, op, slot) : NULL;
}

static Error *take_batch(CountOperator *c, Operator *op, Batch *batch)
{
    const PlanNode *node = op->node;
    for (int i = 0; i < node->aggregate.key_count; i++)
        c->key_vectors[i] = batch->columns[node->aggregate.key_columns[i]];
    uint32_t count;
    const uint32_t *rows = row_list_take(&c->list, batch, node->aggregate.key_columns, node->aggregate.drop_null_keys ? node->aggregate.key_count : 0, &count);
    if (count == 0)
        return NULL;
    key_batch_prepare(&c->key_batch, c->key_vectors, batch->row_count, rows, count);
    key_table_resolve(&c->keys, &c->key_batch, rows, count, c->list.slots);
    if ((uint64_t)c->keys.count * c->lanes > UINT32_MAX)
        return error_new(ERR_MEMORY, "more than %u open count windows", UINT32_MAX);
    state_cover(&c->seen, c->keys.count);
    state_cover(&c->groups.state, c->keys.count * c->lanes);
    const Vector *time = c->spec->time_column >= 0 ? batch->columns[c->spec->time_column] : NULL;
    for (uint32_t i = 0; i < count; i++) {
        int64_t *seen = (int64_t *)state_touch_one(&c->seen, c->list.slots[i]), number = (*seen)++;
        int64_t time_us = time ? ((const int64_t *)time->values)[rows[i] & vector_mask(time)] : 0;
        int64_t wm_us = batch->wm_us ? batch->wm_us[rows[i]] : batch->wm_end_us;
        c->wm_us = wm_us > c->wm_us ? wm_us : c->wm_us;
        int64_t last = number / c->advance, first = number < c->size ? 0 : (number - c->size) / c->advance + 1;
        for (int64_t k = first; k <= last; k++)
            TRY(take_row(c, op, batch, rows[i], c->list.slots[i] * c->lanes + (uint32_t)(k % c->lanes), time_us));
    }
    add_pending(c, op, batch);
    return NULL;
}

static Error *count_process(Operator *op, int input, Batch *batch)
{
    (void)input;
    CountOperator *c = op->state;
    Error *error = take_batch(c, op, batch);
    if (!error)
        error = builder_flush(&c->out);
    batch_release(batch);
    return error;
}

/* What is still open, by key, oldest window first. */
static Error *count_end(Operator *op)
{
    CountOperator *c = op->state;
    for (uint32_t key = c->changes ? c->keys.count : 0; key < c->keys.count; key++) {
        int64_t seen = *(const int64_t *)state_entry(&c->seen, key);
        int64_t last = (seen - 1) / c->advance, first = seen < c->size ? 0 : (seen - c->size) / c->advance + 1;
        for (int64_t k = first; k <= last; k++) {
            uint32_t slot = key * c->lanes + (uint32_t)(k % c->lanes);
            if (((const CountWindow *)state_entry(&c->groups.state, slot))->rows)
                TRY(emit_window(c, op, slot));
        }
    }
    return builder_flush(&c->out);
}

static int count_containers(Operator *op, Container **containers, int capacity)
{
    CountOperator *c = op->state;
    Container *all[] = { &c->scalars.container, &c->keys.container, &c->seen.container, &c->groups.container };
    for (int i = 0; i < 4 && i < capacity; i++)
        containers[i] = all[i];
    return 4;
}

const OperatorType count_operator = {
    .name = "count window", .open = count_open, .close = count_close, .process = count_process, .end = count_end, .containers = count_containers,
};
