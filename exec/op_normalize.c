/* exec/op_normalize.c: an upsert edge becomes a changelog: what a key had before is taken back. One row a key, last wins.
 *
 * A delete of a key that is not there changes nothing. Every other message comes out, also one that changes nothing: consumers with state see
 * that by themselves.
 * At the end only (batch answers): the rows that are left, in order of their keys' arrival.
 * State: KeyTable + the number of each key's row (plus one) + RowStore. */
#include <string.h>

#include "exec/changes.h"
#include "exec/operators.h"
#include "exec/output_builder.h"
#include "exec/key_table.h"
#include "exec/row_list.h"
#include "exec/row_store.h"

typedef struct Normalize {
    Arena arena;
    const Schema *schema;
    int time_column;         /* rows taken back carry the time of what takes them back; -1: their own */
    KeyLayout key_layout;
    KeyBatch key_batch;
    KeyTable keys;
    StateColumns places;     /* by slot */
    RowStore rows;
    OutputBuilder out;
    int64_t last_wm_us;      /* of what comes out at the end: nothing is late there */
    RowList list;
    const Vector **key_vectors;
} Normalize;

static Error *normalize_open(Operator *op)
{
    Normalize *n = op->state = mem_calloc(1, sizeof *n);
    const PlanNode *node = op->node;
    int key_count = node->normalize.key_count;
    arena_init(&n->arena, op->context->pool);
    n->schema = &node->schema;
    n->last_wm_us = TIME_MIN;
    n->time_column = node->normalize.time_column;
    const Type **types = ARENA_ARRAY(&n->arena, const Type *, (size_t)key_count + 1);
    n->key_vectors = ARENA_ARRAY(&n->arena, const Vector *, (size_t)key_count + 1);
    for (int i = 0; i < key_count; i++)
        types[i] = node->schema.columns[node->normalize.key_columns[i]].type;
    key_layout_init(&n->key_layout, &n->arena, types, key_count);
    key_batch_init(&n->key_batch, &n->key_layout);
    key_table_init(&n->keys, &op->pool, &n->key_layout);
    state_init(&n->places, &op->pool, "l", false);
    row_store_init(&n->rows, &n->arena, &op->pool, n->schema, 0);
    builder_init(&n->out, op, PORT_MAIN, n->schema, !node->normalize.at_end);
    return NULL;
}

static void normalize_close(Operator *op)
{
    Normalize *n = op->state;
    if (!n)
        return;
    builder_release(&n->out);
    if (n->rows.schema)
        row_store_release(&n->rows);
    if (n->places.layout)
        state_release(&n->places);
    if (n->keys.layout)
        key_table_release(&n->keys);
    if (n->key_batch.layout)
        key_batch_release(&n->key_batch);
    row_list_release(&n->list);
    arena_release(&n->arena);
    mem_free(n);
    op->state = NULL;
}

static int64_t *place_of(const Normalize *n, uint32_t slot) { return (int64_t *)state_entry(&n->places, slot); }

static Error *put_old(Normalize *n, uint32_t number, const Batch *batch, uint32_t row, uint32_t at, uint8_t kind)
{
    Batch *out = n->out.batch;
    TRY(row_store_gather(&n->rows, &number, 1, out->columns, at, &out->arena));
    if (n->time_column >= 0)
        vector_copy_row(&out->arena, out->columns[n->time_column], at, batch->columns[n->time_column], row);
    out->kinds[at] = kind;
    return NULL;
}

static void put_new(Normalize *n, const Batch *batch, uint32_t row, uint32_t at, uint8_t kind)
{
    Batch *out = n->out.batch;
    for (int c = 0; c < n->schema->column_count; c++)
        vector_copy_row(&out->arena, out->columns[c], at, batch->columns[c], row);
    out->kinds[at] = kind;
}

/* The row of the key, whatever it was. */
static void replace_row(Normalize *n, const Batch *batch, uint32_t row, uint32_t slot, bool deletes)
{
    Str none = { 0 };
    state_touch_one(&n->places, slot);
    if (*place_of(n, slot))
        row_store_free(&n->rows, (uint32_t)(*place_of(n, slot) - 1));
    *place_of(n, slot) = deletes ? 0 : (int64_t)row_store_add(&n->rows, batch, row, &none) + 1;
}

static Error *take_row(Normalize *n, const Batch *batch, uint32_t row, uint32_t slot)
{
    const bool deletes = row_kind_retracts(batch_kind(batch, row));
    int64_t place = *place_of(n, slot);
    if (deletes && !place)
        return NULL;
    uint32_t rows = place && !deletes ? 2 : 1, granted, at;
    TRY(builder_reserve(&n->out, rows, rows, &granted, &at));
    if (place)
        TRY(put_old(n, (uint32_t)(place - 1), batch, row, at, deletes ? ROW_DELETE : ROW_UPDATE_BEFORE));
    if (!deletes)
        put_new(n, batch, row, at + rows - 1, place ? ROW_UPDATE_AFTER : ROW_INSERT);
    replace_row(n, batch, row, slot, deletes);
    builder_commit(&n->out, rows, batch->wm_us ? batch->wm_us[row] : batch->wm_end_us);
    return NULL;
}

static Error *take_rows(Normalize *n, Operator *op, Batch *batch)
{
    const PlanNode *node = op->node;
    uint32_t count;
    const uint32_t *rows = row_list_take(&n->list, batch, NULL, 0, &count);
    for (int i = 0; i < node->normalize.key_count; i++)
        n->key_vectors[i] = batch->columns[node->normalize.key_columns[i]];
    key_batch_prepare(&n->key_batch, n->key_vectors, batch->row_count, rows, count);
    key_table_resolve(&n->keys, &n->key_batch, rows, count, n->list.slots);
    state_cover(&n->places, n->keys.count);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t kind = batch_kind(batch, rows[i]);
        if (kind == ROW_UPDATE_BEFORE)
            continue; /* the row after it says the same of its key */
        if (node->normalize.at_end)
            replace_row(n, batch, rows[i], n->list.slots[i], row_kind_retracts(kind));
        else
            TRY(take_row(n, batch, rows[i], n->list.slots[i]));
    }
    return NULL;
}

static Error *normalize_process(Operator *op, int input, Batch *batch)
{
    (void)input;
    Normalize *n = op->state;
    Error *error = take_rows(n, op, batch);
    if (!error)
        error = builder_flush(&n->out);
    batch_release(batch);
    return error;
}

static Error *normalize_end(Operator *op)
{
    Normalize *n = op->state;
    if (!op->node->normalize.at_end)
        return NULL;
    for (uint32_t slot = 0; slot < n->keys.count; slot++) {
        uint32_t granted, at, number = (uint32_t)(*place_of(n, slot) - 1);
        if (!*place_of(n, slot))
            continue;
        TRY(builder_reserve(&n->out, 1, 1, &granted, &at));
        TRY(row_store_gather(&n->rows, &number, 1, n->out.batch->columns, at, &n->out.batch->arena));
        builder_commit(&n->out, 1, n->last_wm_us);
    }
    return builder_flush(&n->out);
}

static int normalize_containers(Operator *op, Container **containers, int capacity)
{
    Normalize *n = op->state;
    Container *all[] = { &n->keys.container, &n->places.container, &n->rows.container };
    for (int i = 0; i < 3 && i < capacity; i++)
        containers[i] = all[i];
    return 3;
}

static Error *normalize_restored(Operator *op)
{
    Normalize *n = op->state;
    if (n->places.slot_count != n->keys.count)
        return page_damaged("rows without keys");
    for (uint32_t slot = 0; slot < n->keys.count; slot++)
        if (*place_of(n, slot) < 0 || *place_of(n, slot) > (int64_t)n->rows.count)
            return page_damaged("keys without rows");
    return NULL;
}

const OperatorType normalize_operator = {
    .name = "normalize", .open = normalize_open, .close = normalize_close, .process = normalize_process, .end = normalize_end,
    .containers = normalize_containers, .restored = normalize_restored,
};
