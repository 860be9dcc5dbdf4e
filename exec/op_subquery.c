/* exec/op_subquery.c: EXISTS, IN and scalar sub-queries whose rows end: a row waits until they are all there, then it gets its answer.
 *
 * What waits keeps its watermark, and consumers hear of no other one meanwhile: so nothing above notices that rows have waited.
 * State: the sub-query's (subquery.h) + RowStore of the rows that wait. */
#include <string.h>

#include "exec/expand.h"
#include "exec/job_internal.h"
#include "exec/operators.h"
#include "exec/output_builder.h"
#include "exec/row_store.h"
#include "exec/scalars.h"
#include "exec/subquery.h"

enum { SCALAR_OPEN, SCALAR_COUNT };   /* 1: all of the sub-query is there */
enum { OWN_KIND, OWN_WM, OWN_COUNT }; /* of a row that waits */
enum { RELEASE_BLOCK = 1024 };

typedef struct SubqueryOperator {
    Arena arena;
    Subquery subquery;
    Schema left;
    RowStore waiting;
    int64_t scalars[SCALAR_COUNT];
    Scalars scalars_container;
    OutputBuilder out;
    int *scans; int scan_count;       /* that the sub-query reads */
    RowList list;
} SubqueryOperator;

static void mark_under(const PlanNode *node, bool *marked)
{
    if (marked[node->id])
        return;
    marked[node->id] = true;
    for (int i = 0; i < node->input_count; i++)
        mark_under(node->inputs[i].node, marked);
}

static void find_scans(SubqueryOperator *s, const Operator *op)
{
    const Job *job = op->context->job;
    bool *marked = ARENA_ARRAY(&s->arena, bool, (size_t)job->plan->node_count + 1);
    mark_under(op->node->inputs[1].node, marked);
    s->scans = ARENA_ARRAY(&s->arena, int, (size_t)job->scan_count + 1);
    for (int i = 0; i < job->scan_count; i++)
        if (marked[job->scans[i].node->id])
            s->scans[s->scan_count++] = i;
}

static Error *subquery_open(Operator *op)
{
    SubqueryOperator *s = op->state = mem_calloc(1, sizeof *s);
    arena_init(&s->arena, op->context->pool);
    s->left = op->node->inputs[0].node->schema;
    subquery_init(&s->subquery, &s->arena, op);
    row_store_init(&s->waiting, &s->arena, &op->pool, &s->left, OWN_COUNT);
    scalars_init(&s->scalars_container, &op->pool, s->scalars, SCALAR_COUNT);
    builder_init(&s->out, op, PORT_MAIN, &op->node->schema, op->node->traits.changes != CHANGES_APPEND);
    find_scans(s, op);
    return NULL;
}

static void subquery_close(Operator *op)
{
    SubqueryOperator *s = op->state;
    if (!s)
        return;
    builder_release(&s->out);
    subquery_release(&s->subquery);
    if (s->waiting.schema)
        row_store_release(&s->waiting);
    row_list_release(&s->list);
    arena_release(&s->arena);
    mem_free(s);
    op->state = NULL;
}

/* The answers for rows of a batch of the left side's columns. */
static Error *answer(Operator *op, Batch *batch, Batch *out, const uint32_t *rows, uint32_t count)
{
    SubqueryOperator *s = op->state;
    Arena *arena = &out->arena;
    uint32_t *groups = arena_alloc(arena, sizeof *groups * ((size_t)count + 1)), *values = arena_alloc(arena, sizeof *values * ((size_t)count + 1));
    int64_t *answers = arena_alloc(arena, sizeof *answers * ((size_t)count + 1));
    const Vector *wanted = op->node->subquery.value >= 0 ? batch->columns[op->node->subquery.value] : NULL;
    subquery_locate(&s->subquery, batch, rows, count, false, groups, values);
    for (uint32_t i = 0; i < count; i++)
        answers[i] = subquery_answer(&s->subquery, groups[i], values[i], wanted && vector_is_null(wanted, rows[i]));
    return subquery_put(&s->subquery, op, out, answers, count, rows, 0);
}

static Error *pass(Operator *op, Batch *batch)
{
    SubqueryOperator *s = op->state;
    int left = batch->column_count;
    uint32_t count;
    const uint32_t *rows = row_list_take(&s->list, batch, NULL, 0, &count);
    Batch *out = rows_with_columns(batch, left + 1);
    for (int c = 0; c < left; c++)
        out->columns[c] = batch->columns[c];
    out->columns[left] = vector_new(&out->arena, op->node->schema.columns[left].type, batch->row_count);
    Error *error = answer(op, batch, out, rows, count);
    batch_release(batch);
    if (error) {
        batch_release(out);
        return error;
    }
    return output_push(op, PORT_MAIN, out);
}

static void wait(SubqueryOperator *s, const Batch *batch)
{
    Str none = { 0 };
    for (uint32_t i = 0; i < batch->selection.count; i++) {
        uint32_t row = selection_row(&batch->selection, i);
        int64_t *own = row_store_own(&s->waiting, row_store_add(&s->waiting, batch, row, &none));
        own[OWN_KIND] = batch_kind(batch, row);
        own[OWN_WM] = batch->wm_us ? batch->wm_us[row] : batch->wm_end_us;
    }
}

/* The kind of a waiting row. */
static uint8_t waiting_kind(const SubqueryOperator *s, uint32_t number)
{
    return (uint8_t)row_store_own(&s->waiting, number)[OWN_KIND];
}

/* All of the sub-query is there: the rows that wait come out as they came. */
static Error *let_go(Operator *op)
{
    SubqueryOperator *s = op->state;
    s->scalars[SCALAR_OPEN] = 1;
    for (uint32_t done = 0; done < s->waiting.count;) {
        uint32_t granted, first, numbers[RELEASE_BLOCK], rows[RELEASE_BLOCK];
        int64_t wm_us[RELEASE_BLOCK];
        uint32_t wanted = s->waiting.count - done < RELEASE_BLOCK ? s->waiting.count - done : RELEASE_BLOCK;
        uint32_t least = waiting_kind(s, done) == ROW_UPDATE_BEFORE && wanted > 1 ? 2 : 1;
        TRY(builder_reserve(&s->out, wanted, least, &granted, &first));
        if (granted > least && waiting_kind(s, done + granted - 1) == ROW_UPDATE_BEFORE)
            granted--; /* halves of an update stay together: a filter behind this one looks at both */
        Batch *batch = s->out.batch;
        for (uint32_t i = 0; i < granted; i++) {
            const int64_t *own = row_store_own(&s->waiting, done + i);
            numbers[i] = done + i;
            rows[i] = first + i;
            wm_us[i] = own[OWN_WM];
            if (batch->kinds)
                batch->kinds[first + i] = (uint8_t)own[OWN_KIND];
        }
        TRY(row_store_gather(&s->waiting, numbers, granted, batch->columns, first, &batch->arena));
        batch->row_count = first + granted;
        TRY(answer(op, batch, batch, rows, granted));
        builder_commit_each(&s->out, granted, wm_us);
        done += granted;
    }
    row_store_clear(&s->waiting);
    return builder_flush(&s->out);
}

static bool all_there(const Operator *op)
{
    const SubqueryOperator *s = op->state;
    const Job *job = op->context->job;
    if (job->ended)
        return true;
    for (int i = 0; i < s->scan_count; i++)
        for (int split = 0; split < job->scans[s->scans[i]].split_count; split++)
            if (op->node->subquery.until_end || !job->scans[s->scans[i]].splits[split].ended_in_order)
                return false;
    return !op->node->subquery.until_end;
}

static Error *subquery_process(Operator *op, int input, Batch *batch)
{
    SubqueryOperator *s = op->state;
    if (input == 0 && s->scalars[SCALAR_OPEN])
        return pass(op, batch);
    if (input == 0) {
        wait(s, batch);
    } else {
        uint32_t count;
        const uint32_t *groups, *values;
        subquery_take(&s->subquery, batch, &count, &groups, &values);
    }
    batch_release(batch);
    return NULL;
}

static Error *subquery_advance(Operator *op, int64_t wm_us)
{
    (void)wm_us;
    SubqueryOperator *s = op->state;
    return !s->scalars[SCALAR_OPEN] && all_there(op) ? let_go(op) : NULL;
}

/* Of the left side, and only once nothing waits. */
static int64_t subquery_watermark(const Operator *op)
{
    const SubqueryOperator *s = op->state;
    return s->scalars[SCALAR_OPEN] ? op->input_wm_us[0] : TIME_MIN;
}

static int containers(Operator *op, Container **list, int capacity)
{
    (void)capacity;
    SubqueryOperator *s = op->state;
    list[0] = &s->scalars_container.container;
    list[1] = &s->waiting.container;
    return 2 + subquery_containers(&s->subquery, list + 2);
}

static Error *restored(Operator *op) { return subquery_restored(&((SubqueryOperator *)op->state)->subquery); }

const OperatorType subquery_operator = {
    .name = "subquery", .open = subquery_open, .close = subquery_close, .process = subquery_process, .advance = subquery_advance,
    .own_watermark = subquery_watermark, .own_end = true, .containers = containers, .restored = restored,
};
