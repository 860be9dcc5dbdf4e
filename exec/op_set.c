/* exec/op_set.c: INTERSECT and EXCEPT of two changelogs.
 *
 * For each distinct row: how often it stands on the left and on the right, and from that how often in the result. CHANGES: what a batch changes in that,
 * row by row in the order in which they are first touched. END: the result once, in the order in which the rows came from the left.
 * State: KeyTable of whole rows + StateColumns. */
#include <stdlib.h>

#include "exec/key_table.h"
#include "exec/operators.h"
#include "exec/output_builder.h"
#include "exec/row_list.h"
#include "exec/scalars.h"
#include "exec/state_columns.h"

typedef struct Count { /* of a slot */
    int64_t left, right;
    int64_t order;    /* of the first arrival on the left, from 1; 0: not there yet */
    int64_t before;   /* while a batch is at hand: copies in the result before it, plus one; 0: not touched */
} Count;

enum { SCALAR_ORDER, SCALAR_WM, SCALAR_COUNT };
enum { EMIT_BLOCK = 512 };

typedef struct SetOperator {
    Arena arena;
    bool at_end;
    KeyLayout key_layout;
    KeyBatch key_batch;
    KeyTable keys;
    StateColumns counts;
    int64_t scalars[SCALAR_COUNT];
    Scalars scalars_container;
    OutputBuilder out;
    RowList list;
} SetOperator;

static Error *set_open(Operator *op)
{
    SetOperator *s = op->state = mem_calloc(1, sizeof *s);
    const Schema *schema = &op->node->schema;
    arena_init(&s->arena, op->context->pool);
    s->at_end = op->node->set.trigger == TRIGGER_END;
    const Type **types = ARENA_ARRAY(&s->arena, const Type *, (size_t)schema->column_count + 1);
    for (int i = 0; i < schema->column_count; i++)
        types[i] = schema->columns[i].type;
    key_layout_init(&s->key_layout, &s->arena, types, schema->column_count);
    key_batch_init(&s->key_batch, &s->key_layout);
    key_table_init(&s->keys, &op->pool, &s->key_layout);
    state_init(&s->counts, &op->pool, "llll", false);
    s->scalars[SCALAR_WM] = TIME_MIN;
    scalars_init(&s->scalars_container, &op->pool, s->scalars, SCALAR_COUNT);
    builder_init(&s->out, op, PORT_MAIN, schema, op->node->traits.changes != CHANGES_APPEND);
    return NULL;
}

static void set_close(Operator *op)
{
    SetOperator *s = op->state;
    if (!s)
        return;
    builder_release(&s->out);
    if (s->keys.layout)
        key_table_release(&s->keys);
    if (s->counts.layout)
        state_release(&s->counts);
    if (s->key_batch.layout)
        key_batch_release(&s->key_batch);
    row_list_release(&s->list);
    arena_release(&s->arena);
    mem_free(s);
    op->state = NULL;
}

static Count *count_of(const SetOperator *s, uint32_t slot) { return (Count *)state_entry(&s->counts, slot); }

/* How often the row stands in the result. */
static int64_t copies(const PlanNode *node, const Count *count)
{
    int64_t both = count->left < count->right ? count->left : count->right;
    switch (node->set.kind) {
    case SET_INTERSECT: return node->set.all ? both : both > 0;
    case SET_EXCEPT: return node->set.all ? count->left - both : count->left > 0 && count->right == 0;
    }
    return 0;
}

static Error *emit(SetOperator *s, uint32_t slot, int64_t times, uint8_t kind, int64_t wm_us)
{
    for (int64_t done = 0; done < times;) {
        uint32_t granted, first, wanted = times - done > EMIT_BLOCK ? EMIT_BLOCK : (uint32_t)(times - done);
        TRY(builder_reserve(&s->out, wanted, 1, &granted, &first));
        uint32_t slots[EMIT_BLOCK];
        for (uint32_t i = 0; i < granted; i++) {
            slots[i] = slot;
            if (s->out.batch->kinds)
                s->out.batch->kinds[first + i] = kind;
        }
        key_table_gather(&s->keys, slots, granted, s->out.batch->columns, first, &s->out.batch->arena);
        builder_commit(&s->out, granted, wm_us);
        done += granted;
    }
    return NULL;
}

/* Counts the rows; the distinct ones go to the front of slots[]. */
static uint32_t count_rows(Operator *op, int input, const Batch *batch, const uint32_t *rows, uint32_t count)
{
    SetOperator *s = op->state;
    uint32_t *slots = s->list.slots, touched = 0;
    for (uint32_t i = 0; i < count; i++) {
        Count *of = (Count *)state_touch_one(&s->counts, slots[i]);
        int64_t step = row_kind_retracts(batch_kind(batch, rows[i])) ? -1 : 1;
        if (of->before == 0) {
            of->before = copies(op->node, of) + 1;
            slots[touched++] = slots[i];
        }
        if (input == 0 && of->order == 0)
            of->order = ++s->scalars[SCALAR_ORDER];
        *(input == 0 ? &of->left : &of->right) += step;
    }
    return touched;
}

static Error *take_rows(Operator *op, int input, Batch *batch)
{
    SetOperator *s = op->state;
    uint32_t count;
    const uint32_t *rows = row_list_take(&s->list, batch, NULL, 0, &count);
    key_batch_prepare(&s->key_batch, (const Vector *const *)batch->columns, batch->row_count, rows, count);
    key_table_resolve(&s->keys, &s->key_batch, rows, count, s->list.slots);
    state_cover(&s->counts, s->keys.count);
    uint32_t touched = count_rows(op, input, batch, rows, count);
    for (uint32_t i = 0; i < touched; i++) {
        uint32_t slot = s->list.slots[i];
        Count *of = count_of(s, slot);
        int64_t more = copies(op->node, of) - (of->before - 1);
        of->before = 0;
        if (more && !s->at_end)
            TRY(emit(s, slot, more > 0 ? more : -more, more > 0 ? ROW_INSERT : ROW_DELETE, s->scalars[SCALAR_WM]));
    }
    return NULL;
}

static Error *set_process(Operator *op, int input, Batch *batch)
{
    SetOperator *s = op->state;
    Error *error = take_rows(op, input, batch);
    if (!error)
        error = builder_flush(&s->out);
    batch_release(batch);
    return error;
}

static Error *set_advance(Operator *op, int64_t wm_us)
{
    SetOperator *s = op->state;
    if (wm_us > s->scalars[SCALAR_WM] && wm_us != TIME_MAX) /* what comes out at the end is not late for anybody */
        s->scalars[SCALAR_WM] = wm_us;
    return NULL;
}

typedef struct Result { int64_t order; uint32_t slot; } Result;

static int by_order(const void *a, const void *b)
{
    const Result *x = a, *y = b;
    return (x->order > y->order) - (x->order < y->order);
}

static Error *set_end(Operator *op)
{
    SetOperator *s = op->state;
    if (!s->at_end)
        return NULL;
    Arena arena;
    arena_init(&arena, &op->pool);
    MEMORY_HOLD(arena_unwind, &arena);
    Result *results = ARENA_ARRAY(&arena, Result, (size_t)s->keys.count + 1);
    size_t count = 0;
    for (uint32_t slot = 0; slot < s->keys.count; slot++)
        if (copies(op->node, count_of(s, slot)) > 0)
            results[count++] = (Result){ count_of(s, slot)->order, slot };
    qsort(results, count, sizeof *results, by_order);
    Error *error = NULL;
    for (size_t i = 0; i < count && !error; i++)
        error = emit(s, results[i].slot, copies(op->node, count_of(s, results[i].slot)), ROW_INSERT, s->scalars[SCALAR_WM]);
    arena_release(&arena);
    return error ? error : builder_flush(&s->out);
}

static int set_containers(Operator *op, Container **containers, int capacity)
{
    SetOperator *s = op->state;
    Container *all[] = { &s->scalars_container.container, &s->keys.container, &s->counts.container };
    for (int i = 0; i < 3 && i < capacity; i++)
        containers[i] = all[i];
    return 3;
}

static Error *set_restored(Operator *op)
{
    SetOperator *s = op->state;
    return s->counts.slot_count == s->keys.count ? NULL : page_damaged("counts without rows");
}

const OperatorType set_operator = {
    .name = "set operation", .open = set_open, .close = set_close, .process = set_process, .advance = set_advance, .end = set_end,
    .containers = set_containers, .restored = set_restored,
};
