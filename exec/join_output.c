/* exec/join_output.c: see op_join.h. */
#include <stdlib.h>
#include <string.h>

#include "common/calendar.h"
#include "exec/expression.h"
#include "exec/op_join.h"
#include "exec/row_policy.h"

enum { EMIT_BLOCK = 512, TEST_BLOCK = 1024 };

/* ---- life ---- */

static void mark_columns(const Expr *expr, bool *reads)
{
    if (expr->kind == EXPR_COLUMN)
        reads[expr->column] = true;
    for (int i = 0; i < expr->arg_count; i++)
        mark_columns(expr->args[i], reads);
}

Error *join_output_open(JoinOutput *join, Operator *op)
{
    const PlanNode *node = op->node;
    join->op = op;
    join->node = node;
    join->change_time_us = join->kept_from_us = TIME_MIN;
    arena_init(&join->arena, op->context->pool);
    join_state_open(&join->state, op, &join->arena);
    builder_init(&join->builder, op, PORT_MAIN, &node->schema, node->traits.changes != CHANGES_APPEND);
    join->pair_schema = (Schema){ node->inputs[0].node->schema.column_count + node->inputs[1].node->schema.column_count, node->schema.columns };
    if (!node->join.condition)
        return NULL;
    join->condition_reads = ARENA_ARRAY(&join->arena, bool, (size_t)join->pair_schema.column_count + 1);
    mark_columns(node->join.condition, join->condition_reads);
    return expression_open(&join->arena, node->join.condition, &join->condition);
}

void join_output_close(JoinOutput *join)
{
    builder_release(&join->builder);
    join_state_close(&join->state);
    mem_free(join->pairs);
    for (int s = 0; s < 2; s++)
        mem_free(join->dropped[s].items);
    arena_release(&join->arena);
}

/* ---- matches ---- */

static void add_number(RowNumbers *numbers, uint32_t number)
{
    numbers->items = mem_grow(numbers->items, &numbers->capacity, (size_t)numbers->count + 1, sizeof *numbers->items);
    numbers->items[numbers->count++] = number;
}

static bool compare_holds(const JoinOutput *join, const JoinCompare *compare, uint32_t left, uint32_t right)
{
    const RowStore *lefts = &join->state.sides[0].store, *rights = &join->state.sides[1].store;
    if (row_store_is_null(lefts, left, compare->columns[0]) || row_store_is_null(rights, right, compare->columns[1]))
        return false;
    int64_t limit = time_add(row_store_bits(lefts, left, compare->columns[0]), compare->offset), value = row_store_bits(rights, right, compare->columns[1]);
    return compare->at_least ? value >= limit : value <= limit;
}

static bool compares_hold(const JoinOutput *join, uint32_t left, uint32_t right)
{
    for (int i = 0; i < join->node->join.compare_count; i++)
        if (!compare_holds(join, &join->node->join.compares[i], left, right))
            return false;
    return true;
}

/* The times between which rows of the other side can match, where groups are in order of time. */
static void time_range(const JoinOutput *join, int side, int64_t time_us, int64_t *from_us, int64_t *to_us)
{
    *from_us = TIME_MIN;
    *to_us = TIME_MAX;
    if (!join->state.by_time || time_us == TIME_MIN)
        return;
    for (int i = 0; i < join->node->join.compare_count; i++) {
        const JoinCompare *compare = &join->node->join.compares[i];
        if (compare->columns[0] != join->node->join.sides[0].time_column || compare->columns[1] != join->node->join.sides[1].time_column)
            continue;
        int64_t limit = side == 0 ? time_add(time_us, compare->offset) : time_add(time_us, -compare->offset);
        if (compare->at_least == (side == 0))
            *from_us = limit > *from_us ? limit : *from_us;
        else
            *to_us = limit < *to_us ? limit : *to_us;
    }
}

static void collect_group(JoinOutput *join, int side, uint32_t number, int64_t wm_us, RowNumbers *found)
{
    const JoinRow *row = join_row(&join->state, side, number);
    const int other = !side;
    int64_t from_us, to_us;
    if (row->group < 0)
        return;
    time_range(join, side, row->time_us, &from_us, &to_us);
    const JoinLinks *links = &join_group(&join->state, (uint32_t)row->group)->sides[other];
    int64_t link = links->first;
    if (from_us != TIME_MIN) { /* mostly the last ones match */
        int64_t before = links->last;
        while (before && join_row(&join->state, other, (uint32_t)(before - 1))->time_us >= from_us)
            before = join_row(&join->state, other, (uint32_t)(before - 1))->previous;
        link = before ? join_row(&join->state, other, (uint32_t)(before - 1))->next : links->first;
    }
    while (link) {
        const uint32_t candidate = (uint32_t)(link - 1);
        const JoinRow *met = join_row(&join->state, other, candidate);
        if (met->time_us > to_us)
            break;
        link = met->next;
        if (met->death_us >= wm_us && met->arrived_us >= join->kept_from_us && compares_hold(join, side == 0 ? number : candidate, side == 0 ? candidate : number))
            add_number(found, candidate);
    }
}

static Error *gather_candidates(JoinOutput *join, int side, uint32_t number, const uint32_t *others, uint32_t count, Batch *batch)
{
    const int left_count = join->state.sides[0].schema->column_count;
    uint32_t *same = arena_alloc(&batch->arena, sizeof *same * count);
    for (uint32_t i = 0; i < count; i++)
        same[i] = number;
    for (int c = 0; c < join->pair_schema.column_count; c++) {
        const int of = c >= left_count;
        if (join->condition_reads[c])
            TRY(row_store_gather_column(&join->state.sides[of].store, of ? c - left_count : c, of == side ? same : others, count, batch->columns[c], 0, &batch->arena));
    }
    return NULL;
}

/* Which of the candidates the condition lets through. */
static Error *test_block(JoinOutput *join, int side, uint32_t number, uint32_t *others, uint32_t count, uint32_t *kept)
{
    const OperatorContext *context = join->op->context;
    Batch *batch = batch_for_schema(context->pool, &join->pair_schema, count);
    if (join->turn != context->turn)
        join->tested = 0;
    join->turn = context->turn;
    batch->row_count = count;
    batch->selection = (Selection){ count, NULL };
    batch->now_us = context->now_us;
    batch->turn = context->turn;
    batch->first_row = join->tested;
    join->tested += count;
    Evaluation evaluation = { .arena = &batch->arena, .now_us = context->now_us, .turn = context->turn, .first_row = batch->first_row };
    Selection live = batch->selection, passed = { 0 };
    Error *failure = NULL, *error = gather_candidates(join, side, number, others, count, batch);
    if (!error)
        error = expression_select(join->condition, &evaluation, batch, &live, &passed);
    if (!error && evaluation.failure_count) {
        Selection settled = live;
        error = row_policy_settle(join->op, join->node->join.on_error, &evaluation, batch, NULL, join->node->join.condition->at, &settled, &failure);
    }
    *kept = 0;
    for (uint32_t i = 0; !error && !failure && i < passed.count; i++)
        others[(*kept)++] = others[selection_row(&passed, i)];
    batch_release(batch);
    if (!error)
        return failure;
    error_free(failure);
    return error;
}

static Error *test_condition(JoinOutput *join, int side, uint32_t number, RowNumbers *found)
{
    uint32_t kept = 0;
    for (uint32_t done = 0; done < found->count;) {
        uint32_t count = found->count - done < TEST_BLOCK ? found->count - done : TEST_BLOCK, passed;
        TRY(test_block(join, side, number, found->items + done, count, &passed));
        memmove(found->items + kept, found->items + done, sizeof *found->items * passed);
        kept += passed;
        done += count;
    }
    found->count = kept;
    return NULL;
}

Error *join_matches(JoinOutput *join, int side, uint32_t number, int64_t wm_us, RowNumbers *found)
{
    found->count = 0;
    collect_group(join, side, number, wm_us, found);
    return join->condition && found->count ? test_condition(join, side, number, found) : NULL;
}

int64_t join_time(const JoinOutput *join, int side, const Batch *batch, uint32_t row)
{
    const int column = join->node->join.sides[side].time_column;
    if (column < 0 || vector_is_null(batch->columns[column], row))
        return TIME_MIN;
    return ((const int64_t *)batch->columns[column]->values)[row & vector_mask(batch->columns[column])];
}

static int by_order(const void *a, const void *b, void *context)
{
    const uint32_t *x = a, *y = b;
    const RowStore *store = context;
    int64_t p = ((const JoinRow *)row_store_own(store, *x))->order, q = ((const JoinRow *)row_store_own(store, *y))->order;
    return p < q ? -1 : p > q;
}

void join_unmatched(const JoinOutput *join, int side, RowNumbers *found)
{
    const RowStore *store = &join->state.sides[side].store;
    for (uint32_t number = 0; number < store->count; number++)
        if (join_row(&join->state, side, number)->matches == 0)
            add_number(found, number);
    if (found->count)
        qsort_r(found->items, found->count, sizeof *found->items, by_order, (void *)store);
}

/* ---- what comes out ---- */

static void put_times(const JoinOutput *join, const JoinPair *pairs, uint32_t count, Vector *vector, uint32_t first, Arena *arena)
{
    for (uint32_t i = 0; i < count; i++) {
        int64_t latest = pairs[i].time_us;
        for (int s = 0; s < 2; s++)
            if (pairs[i].rows[s] != ROW_NONE && join_row(&join->state, s, pairs[i].rows[s])->time_us > latest)
                latest = join_row(&join->state, s, pairs[i].rows[s])->time_us;
        if (latest == TIME_MIN)
            vector_set_null(arena, vector, first + i);
        else
            ((int64_t *)vector->values)[first + i] = latest;
    }
}

static void put_keys(const JoinOutput *join, const JoinPair *pairs, uint32_t count, Vector *const columns[], uint32_t first, Arena *arena)
{
    for (uint32_t i = 0; i < count; i++) {
        int64_t group = -1;
        for (int s = 0; s < 2 && group < 0; s++)
            if (pairs[i].rows[s] != ROW_NONE)
                group = join_row(&join->state, s, pairs[i].rows[s])->group;
        if (group >= 0) {
            uint32_t slot = (uint32_t)group;
            key_table_gather(&join->state.groups, &slot, 1, columns, first + i, arena);
            continue;
        }
        for (int k = 0; k < join->node->join.key_count; k++) {
            Value none = value_null(columns[k]->type);
            vector_set(arena, columns[k], first + i, &none);
        }
    }
}

static Error *send_block(JoinOutput *join, const JoinPair *pairs, uint32_t count, uint32_t first)
{
    Batch *batch = join->builder.batch;
    Arena *arena = &batch->arena;
    uint32_t numbers[EMIT_BLOCK];
    int64_t wm_us[EMIT_BLOCK];
    int column = 0;
    for (int s = 0; s < 2; s++) {
        for (uint32_t i = 0; i < count; i++)
            numbers[i] = pairs[i].rows[s];
        TRY(row_store_gather(&join->state.sides[s].store, numbers, count, batch->columns + column, first, arena));
        column += join->state.sides[s].schema->column_count;
    }
    if (join->node->join.with_time)
        put_times(join, pairs, count, batch->columns[column++], first, arena);
    if (join->node->join.with_key)
        put_keys(join, pairs, count, batch->columns + column, first, arena);
    for (uint32_t i = 0; i < count; i++) {
        wm_us[i] = pairs[i].wm_us;
        if (batch->kinds)
            batch->kinds[first + i] = pairs[i].kind;
    }
    builder_commit_each(&join->builder, count, wm_us);
    return NULL;
}

static Error *send_pairs(JoinOutput *join)
{
    for (uint32_t done = 0; done < join->pair_count;) {
        uint32_t wanted = join->pair_count - done < EMIT_BLOCK ? join->pair_count - done : EMIT_BLOCK, granted, first;
        uint32_t least = join->pairs[done].kind == ROW_UPDATE_BEFORE ? 2 : 1;
        if (wanted > least && join->pairs[done + wanted - 1].kind == ROW_UPDATE_BEFORE)
            wanted--; /* halves of an update stay together */
        TRY(builder_reserve(&join->builder, wanted, least, &granted, &first));
        if (granted > least && join->pairs[done + granted - 1].kind == ROW_UPDATE_BEFORE)
            granted--;
        TRY(send_block(join, join->pairs + done, granted, first));
        done += granted;
    }
    join->pair_count = 0;
    return NULL;
}

Error *join_pair(JoinOutput *join, int side, uint32_t row, uint32_t other, uint8_t kind, int64_t wm_us)
{
    if (join->pair_count >= EMIT_BLOCK && kind != ROW_UPDATE_AFTER)
        TRY(send_pairs(join));
    join->pairs = mem_grow(join->pairs, &join->pair_capacity, (size_t)join->pair_count + 1, sizeof *join->pairs);
    JoinPair *pair = &join->pairs[join->pair_count++];
    pair->rows[side] = row;
    pair->rows[!side] = other;
    pair->kind = kind;
    pair->wm_us = wm_us;
    pair->time_us = join->change_time_us;
    return NULL;
}

void join_drop(JoinOutput *join, int side, uint32_t number)
{
    join_remove(&join->state, side, number);
    join->dropped[side].items = mem_grow(join->dropped[side].items, &join->dropped[side].capacity, (size_t)join->dropped[side].count + 1, sizeof(uint32_t));
    join->dropped[side].items[join->dropped[side].count++] = number;
}

Error *join_flush(JoinOutput *join)
{
    TRY(send_pairs(join));
    for (int s = 0; s < 2; s++) {
        for (uint32_t i = 0; i < join->dropped[s].count; i++)
            join_free(&join->state, s, join->dropped[s].items[i]);
        join->dropped[s].count = 0;
    }
    return builder_flush(&join->builder);
}

Error *join_settle(JoinOutput *join)
{
    TRY(join_flush(join));
    Arena scratch;
    arena_init(&scratch, NULL);
    MEMORY_HOLD(arena_unwind, &scratch);
    join_state_compact(&join->state, &scratch);
    arena_release(&scratch);
    return NULL;
}

int join_containers(Operator *op, Container **containers, int capacity)
{
    (void)capacity;
    return join_state_containers(&((JoinOutput *)op->state)->state, containers);
}
