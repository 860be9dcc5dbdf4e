/* tests/unit/exec/harness.c: see harness.h. Included by each test, which links the room's archive. */
#include "tests/unit/exec/harness.h"
#include <stdio.h>
#include <string.h>

/* Weak: where the pipeline is linked in as well, its own functions win; both serve a capturing target. */
__attribute__((weak)) Error *output_push(Operator *op, int port, Batch *batch)
{
    if (op->ports[port].target_count == 0 || batch->selection.count == 0) {
        batch_release(batch);
        return NULL;
    }
    Operator *target = op->ports[port].targets[0].operator;
    return target->type->process(target, 0, batch);
}

static Harness *current;

__attribute__((weak)) void job_count_late(Operator *op, uint64_t rows, uint64_t windows)
{
    (void)op;
    current->late_rows += rows;
    current->late_windows += windows;
}

__attribute__((weak)) Error *job_row_error(Operator *op, RowPolicy policy, const Batch *batch, int64_t row, const char *stage,
                                           const char *column, const char *reason, Span at)
{
    (void)op, (void)policy, (void)batch, (void)row, (void)stage, (void)column;
    return error_at(ERR_ROW, at, "%s", reason);
}

void no_error(Error *error)
{
    if (error)
        fail_msg("error: %s", error->message);
}

uint64_t test_random(uint64_t *state)
{
    *state += 0x9E3779B97F4A7C15ull;
    uint64_t z = *state;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ z >> 27) * 0x94D049BB133111EBull;
    return z ^ z >> 31;
}

static Error *capture_process(Operator *op, int input, Batch *batch)
{
    (void)input;
    Harness *harness = current;
    Text *text = op->state;
    Arena arena;
    arena_init(&arena, NULL);
    if (batch->selection.count > harness->largest_batch)
        harness->largest_batch = batch->selection.count;
    for (uint32_t i = 0; i < batch->selection.count; i++) {
        uint32_t row = selection_row(&batch->selection, i);
        text_add_c(text, row_kind_text(batch_kind(batch, row)));
        for (int c = 0; c < batch->column_count; c++) {
            text_add_char(text, ' ');
            Value value = vector_get(&arena, batch->columns[c], row);
            if (!value.is_null && (type_is_timestamp(value.type) || type_is_integer(value.type)))
                text_printf(text, "%lld", (long long)value.integer);
            else
                value_print(&value, text);
        }
        if (harness->show_wm && text == &harness->output)
            text_printf(text, " @%lld", (long long)(batch->wm_us ? batch->wm_us[row] : batch->wm_end_us));
        text_add_char(text, '\n');
    }
    arena_release(&arena);
    batch_release(batch);
    return NULL;
}

static const OperatorType capture_type = { .name = "capture", .process = capture_process };

static Operator *capture_new(Harness *harness, Text *text)
{
    Operator *op = ARENA_NEW(&harness->arena, Operator);
    op->type = &capture_type;
    op->context = &harness->context;
    op->state = text;
    return op;
}

void harness_init(Harness *harness, const OperatorType *type, uint32_t batch_rows)
{
    static const char *const names[COLUMN_COUNT] = { "k", "t", "v", "s", "f", "d" };
    static const TypeKind kinds[COLUMN_COUNT] = { TYPE_BIGINT, TYPE_TIMESTAMP, TYPE_BIGINT, TYPE_VARCHAR, TYPE_BOOLEAN, TYPE_DOUBLE };
    *harness = (Harness){ .type = type };
    current = harness;
    arena_init(&harness->arena, NULL);
    pool_init(&harness->pool, NULL, "test", 0);
    harness->context = (OperatorContext){ .pool = &harness->pool, .batch_rows = batch_rows };
    harness->source.schema = (Schema){ COLUMN_COUNT, ARENA_ARRAY(&harness->arena, Column, COLUMN_COUNT) };
    for (int i = 0; i < COLUMN_COUNT; i++)
        harness->source.schema.columns[i] = (Column){ .name = names[i], .type = type_scalar(kinds[i]) };
    harness->input.node = &harness->source;
    harness->node.inputs = &harness->input;
    harness->node.input_count = 1;
    harness->node.late_wanted = true;
    harness->main_capture = capture_new(harness, &harness->output);
    harness->late_capture = capture_new(harness, &harness->late);
}

void harness_aggregate(Harness *harness, const int *keys, int key_count, bool windowed)
{
    PlanNode *node = &harness->node;
    node->schema.columns = ARENA_ARRAY(&harness->arena, Column, 32);
    node->aggregate.calls = ARENA_ARRAY(&harness->arena, AggregateCall, 16);
    node->aggregate.key_columns = ARENA_ARRAY(&harness->arena, int, 16);
    node->aggregate.key_count = key_count;
    node->aggregate.has_window = windowed;
    for (int i = 0; i < key_count; i++) {
        node->aggregate.key_columns[i] = keys[i];
        node->schema.columns[node->schema.column_count++] = harness->source.schema.columns[keys[i]];
    }
    for (int i = 0; windowed && i < 3; i++)
        node->schema.columns[node->schema.column_count++] = (Column){ .name = "bound", .type = type_scalar(TYPE_TIMESTAMP) };
    node->aggregate.window.time_column = COLUMN_T;
}

void harness_call(Harness *harness, const char *name, int column, int filter, bool distinct)
{
    PlanNode *node = &harness->node;
    AggregateCall *call = &node->aggregate.calls[node->aggregate.call_count++];
    const Type *type = column >= 0 ? harness->source.schema.columns[column].type : NULL, *casts[FUNCTION_MAX_ARGS], *result;
    call->function = aggregate_resolve(&harness->arena, name, &type, column >= 0, &result, casts, NULL);
    assert_non_null(call->function);
    call->arg_count = column >= 0;
    call->args[0] = column;
    call->filter = filter;
    call->distinct = distinct;
    call->type = result;
    call->name = name;
    node->schema.columns[node->schema.column_count++] = (Column){ .name = name, .type = result };
}

void harness_open(Harness *harness)
{
    Operator *op = harness->op = mem_calloc(1, sizeof(Operator));
    op->type = harness->type;
    op->node = &harness->node;
    op->context = &harness->context;
    pool_init(&op->pool, &harness->pool, "operator", 0);
    for (int port = 0; port < 2; port++) {
        op->ports[port].target_count = 1;
        op->ports[port].targets = mem_calloc(1, sizeof(*op->ports[port].targets));
        op->ports[port].targets[0].operator = port ? harness->late_capture : harness->main_capture;
    }
    op->input_count = 1;
    op->input_wm_us = mem_alloc(sizeof(int64_t));
    op->input_wm_us[0] = op->wm_us = TIME_MIN;
    op->input_ended = mem_calloc(1, sizeof(bool));
    no_error(op->type->open(op));
}

static void close_operator(Harness *harness)
{
    Operator *op = harness->op;
    if (!op)
        return;
    op->type->close(op);
    assert_int_equal(op->pool.used_bytes, 0);
    mem_free(op->ports[0].targets);
    mem_free(op->ports[1].targets);
    mem_free(op->input_wm_us);
    mem_free(op->input_ended);
    mem_free(op);
    harness->op = NULL;
}

void harness_release(Harness *harness)
{
    close_operator(harness);
    text_release(&harness->output);
    text_release(&harness->late);
    arena_release(&harness->arena);
    assert_int_equal(harness->pool.used_bytes, 0);
}

Batch *harness_batch(Harness *harness, const TestRow *rows, uint32_t count, int64_t wm_us)
{
    Batch *batch = batch_for_schema(&harness->pool, &harness->source.schema, count);
    Arena *arena = &batch->arena;
    batch->row_count = count;
    batch->selection = (Selection){ count, NULL };
    batch->wm_us = ARENA_ARRAY(arena, int64_t, count);
    for (uint32_t i = 0; i < count; i++) {
        const TestRow *row = &rows[i];
        ((int64_t *)batch->columns[COLUMN_K]->values)[i] = row->key;
        ((int64_t *)batch->columns[COLUMN_T]->values)[i] = row->time_us;
        ((int64_t *)batch->columns[COLUMN_V]->values)[i] = row->value;
        ((Str *)batch->columns[COLUMN_S]->values)[i] = str_c(arena_strdup(arena, row->text));
        ((uint8_t *)batch->columns[COLUMN_F]->values)[i] = row->flag;
        ((double *)batch->columns[COLUMN_D]->values)[i] = row->number;
        if (row->key_null)
            vector_set_null(arena, batch->columns[COLUMN_K], i);
        if (row->value_null)
            vector_set_null(arena, batch->columns[COLUMN_V], i);
        if (row->kind && !batch->kinds)
            batch->kinds = ARENA_ARRAY(arena, uint8_t, count);
        if (batch->kinds)
            batch->kinds[i] = row->kind;
        batch->wm_us[i] = wm_us;
        if (row->wm_after_us > wm_us)
            wm_us = row->wm_after_us;
    }
    batch->wm_end_us = wm_us;
    return batch;
}

void harness_advance(Harness *harness, int64_t wm_us, int64_t now_us)
{
    Operator *op = harness->op;
    harness->context.now_us = now_us;
    if (wm_us > op->wm_us)
        op->wm_us = wm_us;
    if (op->type->advance)
        no_error(op->type->advance(op, op->wm_us));
}

int64_t harness_feed(Harness *harness, const TestRow *rows, uint32_t count, uint32_t batch_rows, int64_t wm_us, bool restore)
{
    for (uint32_t first = 0; first < count; first += batch_rows) {
        uint32_t some = count - first < batch_rows ? count - first : batch_rows;
        if (restore)
            harness_restore(harness);
        Batch *batch = harness_batch(harness, rows + first, some, wm_us);
        wm_us = batch->wm_end_us;
        harness->context.turn++;
        no_error(harness->op->type->process(harness->op, 0, batch));
        harness_advance(harness, wm_us, harness->context.now_us);
    }
    return wm_us;
}

void harness_end(Harness *harness)
{
    harness_advance(harness, TIME_MAX, harness->context.now_us);
    if (harness->op->type->end)
        no_error(harness->op->type->end(harness->op));
}

void harness_snapshot(Harness *harness, Text *snapshot)
{
    Container *containers[32];
    int count = harness->op->type->containers ? harness->op->type->containers(harness->op, containers, 32) : 0;
    for (int i = 0; i < count; i++)
        container_write(containers[i], snapshot);
}

Error *harness_try_restore(Harness *harness, const char *bytes, size_t length)
{
    int64_t wm_us = harness->op->wm_us;
    close_operator(harness);
    harness_open(harness);
    harness->op->wm_us = wm_us;
    Container *containers[32];
    int count = harness->op->type->containers ? harness->op->type->containers(harness->op, containers, 32) : 0;
    SnapshotReader reader = { bytes, length, 0 };
    for (int i = 0; i < count; i++)
        TRY(container_read(containers[i], &reader));
    return harness->op->type->restored ? harness->op->type->restored(harness->op) : NULL;
}

void harness_restore(Harness *harness)
{
    Text snapshot = { 0 }, again = { 0 };
    harness_snapshot(harness, &snapshot);
    no_error(harness_try_restore(harness, text_c(&snapshot), snapshot.length));
    harness_snapshot(harness, &again);
    assert_int_equal(snapshot.length, again.length);
    assert_memory_equal(text_c(&snapshot), text_c(&again), snapshot.length);
    text_release(&snapshot);
    text_release(&again);
}
