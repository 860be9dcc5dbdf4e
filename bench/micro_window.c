/* bench/micro_window.c: ns per row of the keyed operators alone: COUNT, SUM, MAX of int64, emission included.
 *
 * cc -O3 -I. bench/micro_window.c build/exec.a .. ; micro_window [rows in millions [part of a name [keys]]] */
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <time.h>
#include "exec/operators.h"
#include "exec/state.h"

static uint64_t emitted, only_keys;
static const char *only = "";

__attribute__((weak)) Error *output_push(Operator *op, int port, Batch *batch)
{
    (void)op, (void)port;
    emitted += batch->selection.count;
    batch_release(batch);
    return NULL;
}
__attribute__((weak)) void job_count_late(Operator *op, uint64_t rows, uint64_t windows) { (void)op, (void)rows, (void)windows; }
__attribute__((weak)) Error *job_row_error(Operator *op, RowPolicy policy, const Batch *batch, int64_t row, const char *stage,
                                           const char *column, const char *reason, Span at)
{
    (void)op, (void)policy, (void)batch, (void)row, (void)stage, (void)column;
    return error_at(ERR_ROW, at, "%s", reason);
}

static double now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

enum { ROWS = 2048, BATCHES = 64 };

static uint64_t scramble(uint64_t z)
{
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ z >> 27) * 0x94D049BB133111EBull;
    return z ^ z >> 31;
}

static void run(const char *name, const OperatorType *type, WindowSpec spec, Trigger trigger, uint64_t keys, uint64_t total, bool text)
{
    if (!strstr(name, only) || (only_keys && only_keys != keys))
        return;
    Arena arena;
    arena_init(&arena, NULL);
    MemoryPool pool;
    pool_init(&pool, NULL, "bench", 0);
    OperatorContext context = { .pool = &pool, .batch_rows = ROWS };
    PlanNode source = { 0 }, node = { 0 };
    Column in[3] = { { .name = "k", .type = type_scalar(text ? TYPE_VARCHAR : TYPE_BIGINT) },
                     { .name = "t", .type = type_scalar(TYPE_TIMESTAMP) }, { .name = "v", .type = type_scalar(TYPE_BIGINT) } };
    Column out[7] = { in[0], in[1], in[1], in[1], in[2], in[2], in[2] };
    int key_columns[] = { 0 };
    const Type *bigint = type_scalar(TYPE_BIGINT), *casts[8], *result;
    AggregateCall calls[3] = { 0 };
    const char *names[] = { "count", "sum", "max" };
    for (int i = 0; i < 3; i++)
        calls[i] = (AggregateCall){ .function = aggregate_resolve(&arena, names[i], &bigint, i > 0, &result, casts, NULL),
                                    .arg_count = i > 0, .args = { 2 }, .filter = -1, .type = bigint, .name = names[i] };
    spec.time_column = 1;
    source.schema = (Schema){ 3, in };
    node.schema = (Schema){ 7, out };
    PlanInput input = { &source, 0 };
    node.inputs = &input;
    node.input_count = 1;
    node.aggregate.key_columns = key_columns;
    node.aggregate.key_count = 1;
    node.aggregate.calls = calls;
    node.aggregate.call_count = 3;
    node.aggregate.trigger = trigger;
    node.aggregate.has_window = type->name[0] != 97;
    if (!node.aggregate.has_window) {
        memmove(out + 1, out + 4, sizeof(Column) * 3);
        node.schema.column_count = 4;
    }
    node.aggregate.window = spec;
    Operator op = { .type = type, .node = &node, .context = &context, .input_count = 1 };
    pool_init(&op.pool, &pool, "operator", 0);
    if (type->open(&op))
        abort();
    Batch *batches[BATCHES];
    for (int b = 0; b < BATCHES; b++) {
        batches[b] = batch_for_schema(NULL, &source.schema, ROWS);
        batches[b]->row_count = ROWS;
        batches[b]->selection.count = ROWS;
        batches[b]->wm_us = ARENA_ARRAY(&batches[b]->arena, int64_t, ROWS);
    }
    emitted = 0;
    double spent = 0;
    uint64_t row = 0, seed = 1;
    int64_t wm = TIME_MIN;
    while (row < total) {
        for (int b = 0; b < BATCHES; b++)
            for (int i = 0; i < ROWS; i++) {
                uint64_t key = scramble(seed++) % keys;
                int64_t time = (int64_t)(row++ * 10); /* 100,000 rows a second */
                if (text) {
                    char buffer[40];
                    int length = snprintf(buffer, sizeof(buffer), "user-%09llu-%s", (unsigned long long)key, keys > 1e6 ? "abc" : "");
                    ((Str *)batches[b]->columns[0]->values)[i] =
                        str_view(length > 12 ? arena_strdup(&batches[b]->arena, buffer) : buffer, (size_t)length);
                } else {
                    ((int64_t *)batches[b]->columns[0]->values)[i] = (int64_t)key * 7919;
                }
                ((int64_t *)batches[b]->columns[1]->values)[i] = time;
                ((int64_t *)batches[b]->columns[2]->values)[i] = (int64_t)(seed & 1023);
                batches[b]->wm_us[i] = wm;
                wm = time;
                batches[b]->wm_end_us = wm;
            }
        double start = now_ns();
        for (int b = 0; b < BATCHES; b++) {
            if (type->process(&op, 0, batch_retain(batches[b])))
                abort();
            op.wm_us = batches[b]->wm_end_us;
            if (type->advance && type->advance(&op, op.wm_us))
                abort();
        }
        spent += now_ns() - start;
    }
    printf("%-28s keys %8llu: %6.1f ns/row, %5.2f groups out a row, %6.1f MiB\n", name, (unsigned long long)keys, spent / (double)row,
           (double)emitted / (double)row, (double)op.pool.peak_bytes / (1 << 20));
    fflush(stdout);
    for (int b = 0; b < BATCHES; b++)
        batch_release(batches[b]);
    type->close(&op);
    arena_release(&arena);
}

int main(int argc, char **argv)
{
    uint64_t total = (argc > 1 ? strtoull(argv[1], NULL, 10) : 8) * 1000000;
    only = argc > 2 ? argv[2] : "";
    only_keys = argc > 3 ? strtoull(argv[3], NULL, 10) : 0;
    const uint64_t keys[] = { 1000, 100000, 1000000 };
    const int64_t second = 1000000;
    const WindowSpec tumble = { .kind = WINDOW_TUMBLING, .size_us = 10 * second, .advance_us = 10 * second };
    const WindowSpec hop = { .kind = WINDOW_HOPPING, .size_us = 10 * second, .advance_us = 2 * second };
    const WindowSpec session = { .kind = WINDOW_SESSION, .size_us = second };
    for (int i = 0; i < 3; i++) {
        run("tumble 10 s FINAL", &window_operator, tumble, TRIGGER_FINAL, keys[i], total, false);
        run("hop 10 s / 2 s FINAL", &window_operator, hop, TRIGGER_FINAL, keys[i], total, false);
        run("session 1 s FINAL", &session_operator, session, TRIGGER_FINAL, keys[i], total, false);
        run("no window, END", &aggregate_operator, tumble, TRIGGER_END, keys[i], total, false);
        run("no window, CHANGES", &aggregate_operator, tumble, TRIGGER_CHANGES, keys[i], total, false);
        run("tumble 10 s FINAL, text key", &window_operator, tumble, TRIGGER_FINAL, keys[i], total / 4, true);
    }
    return 0;
}
