/* exec/op_subquery_changes.c: EXISTS, IN and scalar sub-queries whose rows do not end: every row comes out at once with the answer so far, and is
 * taken back and given anew when the answer changes.
 *
 * Each distinct row of the left side is kept with its number, and hangs in two lists: of its correlation key, and of the value that it looks for.
 * A change of the sub-query visits the rows of the value; all rows of the key only where that matters to all: the first or the last row of the
 * sub-query, the first or the last NULL.
 * State: the sub-query's (subquery.h) + KeyTable of the left side's rows + StateColumns of them, of the groups, of the values. */
#include "exec/key_table.h"
#include "exec/operators.h"
#include "exec/output_builder.h"
#include "exec/row_list.h"
#include "exec/state_columns.h"
#include "exec/subquery.h"

typedef struct Left { /* of a distinct row */
    int64_t count;
    int64_t linked;                  /* it hangs in its lists */
    int64_t group, value;            /* value -1: it looks for none */
    int64_t null;                    /* what it looks for is NULL */
    int64_t next_of_group, next_of_value; /* number plus one; 0: the last */
    int64_t answer;                  /* as it went out */
} Left;

typedef struct Links { int64_t first, last; } Links; /* numbers plus one */
typedef struct GroupLinks { Links rows; int64_t status; } GroupLinks;

/* Of a group: what decides the answers of rows that find no value. */
enum { STATUS_ROWS = 1, STATUS_NULLS = 2 };
enum { EMIT_BLOCK = 512 };

typedef struct Change { uint32_t left; uint8_t kind; int64_t answer; } Change;

typedef struct ChangingSubquery {
    Arena arena;
    Subquery subquery;
    KeyLayout left_layout;
    KeyBatch left_batch;
    KeyTable lefts;
    StateColumns left_state, group_links, value_links;
    RowList list;
    uint32_t *groups, *values;       /* of the rows at hand */
    size_t group_capacity, value_capacity;
    Change *changes;
    size_t change_capacity;
    uint32_t change_count;
    OutputBuilder out;
} ChangingSubquery;

static Error *changing_open(Operator *op)
{
    ChangingSubquery *s = op->state = mem_calloc(1, sizeof *s);
    const Schema *left = &op->node->inputs[0].node->schema;
    arena_init(&s->arena, op->context->pool);
    subquery_init(&s->subquery, &s->arena, op);
    const Type **types = ARENA_ARRAY(&s->arena, const Type *, (size_t)left->column_count + 1);
    for (int i = 0; i < left->column_count; i++)
        types[i] = left->columns[i].type;
    key_layout_init(&s->left_layout, &s->arena, types, left->column_count);
    key_batch_init(&s->left_batch, &s->left_layout);
    key_table_init(&s->lefts, &op->pool, &s->left_layout);
    state_init(&s->left_state, &op->pool, "llllllll", false);
    state_init(&s->group_links, &op->pool, "lll", false);
    state_init(&s->value_links, &op->pool, "ll", false);
    builder_init(&s->out, op, PORT_MAIN, &op->node->schema, true);
    return NULL;
}

static void changing_close(Operator *op)
{
    ChangingSubquery *s = op->state;
    if (!s)
        return;
    builder_release(&s->out);
    subquery_release(&s->subquery);
    if (s->lefts.layout)
        key_table_release(&s->lefts);
    if (s->left_batch.layout)
        key_batch_release(&s->left_batch);
    StateColumns *states[] = { &s->left_state, &s->group_links, &s->value_links };
    for (int i = 0; i < 3; i++)
        if (states[i]->layout)
            state_release(states[i]);
    row_list_release(&s->list);
    mem_free(s->groups);
    mem_free(s->values);
    mem_free(s->changes);
    arena_release(&s->arena);
    mem_free(s);
    op->state = NULL;
}

static Left *left_of(const ChangingSubquery *s, uint32_t left) { return (Left *)state_entry(&s->left_state, left); }

static void cover_links(ChangingSubquery *s)
{
    state_cover(&s->group_links, s->subquery.groups.count);
    if (s->subquery.has_values)
        state_cover(&s->value_links, s->subquery.values.count);
}

/* ---- what comes out ---- */

static void note_change(ChangingSubquery *s, uint32_t left, uint8_t kind, int64_t answer)
{
    s->changes = mem_grow(s->changes, &s->change_capacity, (size_t)s->change_count + 1, sizeof *s->changes);
    s->changes[s->change_count++] = (Change){ left, kind, answer };
}

static Error *emit_changes(Operator *op)
{
    ChangingSubquery *s = op->state;
    uint32_t slots[EMIT_BLOCK];
    int64_t answers[EMIT_BLOCK];
    for (uint32_t done = 0; done < s->change_count;) {
        uint32_t wanted = s->change_count - done < EMIT_BLOCK ? s->change_count - done : EMIT_BLOCK, granted, first;
        uint32_t least = s->changes[done].kind == ROW_UPDATE_BEFORE && wanted > 1 ? 2 : 1;
        TRY(builder_reserve(&s->out, wanted, least, &granted, &first));
        if (granted > least && s->changes[done + granted - 1].kind == ROW_UPDATE_BEFORE)
            granted--; /* halves of an update stay together */
        Batch *batch = s->out.batch;
        for (uint32_t i = 0; i < granted; i++) {
            slots[i] = s->changes[done + i].left;
            answers[i] = s->changes[done + i].answer;
            batch->kinds[first + i] = s->changes[done + i].kind;
        }
        key_table_gather(&s->lefts, slots, granted, batch->columns, first, &batch->arena);
        TRY(subquery_put(&s->subquery, op, batch, answers, granted, NULL, first));
        builder_commit(&s->out, granted, op->wm_us);
        done += granted;
    }
    s->change_count = 0;
    return builder_flush(&s->out);
}

/* ---- rows of the left side ---- */

static void append_to(ChangingSubquery *s, StateColumns *state, uint32_t slot, uint32_t left, bool of_group)
{
    Links *links = (Links *)state_touch_one(state, slot);
    if (links->last) {
        Left *before = (Left *)state_touch_one(&s->left_state, (uint32_t)(links->last - 1));
        *(of_group ? &before->next_of_group : &before->next_of_value) = (int64_t)left + 1;
    } else {
        links->first = (int64_t)left + 1;
    }
    links->last = (int64_t)left + 1;
}

static int64_t answer_of(const ChangingSubquery *s, const Left *left)
{
    return subquery_answer(&s->subquery, (uint32_t)left->group, left->value < 0 ? KEY_ABSENT : (uint32_t)left->value, left->null);
}

static void take_left(Operator *op, const Batch *batch)
{
    ChangingSubquery *s = op->state;
    uint32_t count;
    const uint32_t *rows = row_list_take(&s->list, batch, NULL, 0, &count), *slots = s->list.slots;
    const Vector *wanted = op->node->subquery.value >= 0 ? batch->columns[op->node->subquery.value] : NULL;
    s->groups = mem_grow(s->groups, &s->group_capacity, (size_t)batch->row_count + 1, sizeof *s->groups);
    s->values = mem_grow(s->values, &s->value_capacity, (size_t)batch->row_count + 1, sizeof *s->values);
    subquery_locate(&s->subquery, batch, rows, count, true, s->groups, s->values);
    cover_links(s);
    key_batch_prepare(&s->left_batch, (const Vector *const *)batch->columns, batch->row_count, rows, count);
    key_table_resolve(&s->lefts, &s->left_batch, rows, count, s->list.slots);
    state_cover(&s->left_state, s->lefts.count);
    for (uint32_t i = 0; i < count; i++) {
        Left *left = (Left *)state_touch_one(&s->left_state, slots[i]);
        uint8_t kind = batch_kind(batch, rows[i]);
        if (!left->linked) {
            left->linked = 1;
            left->group = s->groups[i];
            left->value = s->values[i] == KEY_ABSENT ? -1 : (int64_t)s->values[i];
            left->null = wanted && vector_is_null(wanted, rows[i]);
            append_to(s, &s->group_links, s->groups[i], slots[i], true);
            if (left->value >= 0)
                append_to(s, &s->value_links, s->values[i], slots[i], false);
            left = left_of(s, slots[i]);
        }
        if (left->count == 0)
            left->answer = answer_of(s, left);
        left->count += row_kind_retracts(kind) ? -1 : 1;
        note_change(s, slots[i], kind, left->answer);
    }
}

/* ---- rows of the sub-query ---- */

static void visit(ChangingSubquery *s, int64_t first, bool of_group)
{
    for (int64_t number = first; number;) {
        uint32_t slot = (uint32_t)(number - 1);
        Left *left = left_of(s, slot);
        int64_t answer = answer_of(s, left);
        if (left->count > 0 && answer != left->answer) {
            for (int64_t i = 0; i < left->count; i++) {
                note_change(s, slot, ROW_UPDATE_BEFORE, left->answer);
                note_change(s, slot, ROW_UPDATE_AFTER, answer);
            }
            left = (Left *)state_touch_one(&s->left_state, slot);
            left->answer = answer;
        }
        number = of_group ? left->next_of_group : left->next_of_value;
    }
}

static void take_right(Operator *op, const Batch *batch)
{
    ChangingSubquery *s = op->state;
    uint32_t count;
    const uint32_t *groups, *values;
    const bool by_value = op->node->subquery.kind == SUBQUERY_IN;
    subquery_take(&s->subquery, batch, &count, &groups, &values);
    cover_links(s);
    for (uint32_t i = 0; i < count; i++) {
        const SubqueryGroup *group = subquery_group(&s->subquery, groups[i]);
        GroupLinks *links = (GroupLinks *)state_touch_one(&s->group_links, groups[i]);
        int64_t status = (group->rows > 0 ? STATUS_ROWS : 0) | (group->nulls > 0 ? STATUS_NULLS : 0);
        bool all = !by_value || status != links->status;
        links->status = status;
        visit(s, all ? links->rows.first : ((const Links *)state_entry(&s->value_links, values[i]))->first, all);
    }
}

static Error *changing_process(Operator *op, int input, Batch *batch)
{
    if (input == 0)
        take_left(op, batch);
    else
        take_right(op, batch);
    batch_release(batch);
    return emit_changes(op);
}

static int changing_containers(Operator *op, Container **containers, int capacity)
{
    (void)capacity;
    ChangingSubquery *s = op->state;
    Container *own[] = { &s->lefts.container, &s->left_state.container, &s->group_links.container, &s->value_links.container };
    for (int i = 0; i < 4; i++)
        containers[i] = own[i];
    return 4 + subquery_containers(&s->subquery, containers + 4);
}

static Error *changing_restored(Operator *op)
{
    ChangingSubquery *s = op->state;
    bool whole = s->left_state.slot_count == s->lefts.count && s->group_links.slot_count == s->subquery.groups.count &&
                 (!s->subquery.has_values || s->value_links.slot_count == s->subquery.values.count);
    return whole ? subquery_restored(&s->subquery) : page_damaged("rows without keys");
}

const OperatorType subquery_changes_operator = {
    .name = "changing subquery", .open = changing_open, .close = changing_close, .process = changing_process,
    .containers = changing_containers, .restored = changing_restored,
};
