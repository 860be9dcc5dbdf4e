/* exec/profile.c: what each node does, for EXPLAIN ANALYZE, EXPLAIN WHY NO OUTPUT and metrics.
 *
 * A profiled operator's type is a copy whose functions count and take the time around the real ones; other jobs pay a test a batch. What the
 * PARALLEL part counts goes with its turn and is added up in the ORDERED part: a turn that is done twice counts once. */
#include <time.h>

#include "exec/job_internal.h"
#include "exec/state.h"
#include "exec/substreams.h"

#define SMALL_BYTES 8192 /* of a turn.. */
#define SMALL_ROWS 64    /* ..of one without bytes */
#define SAMPLED 16

typedef struct ProfiledType {
    OperatorType type;            /* first: operators point to it */
    const OperatorType *real;
    int columns[COUNTED_COLUMNS]; /* FILTER: that the predicate reads */
    int column_count;
} ProfiledType;

static const ProfiledType *profiled_type(const Operator *op) { return (const ProfiledType *)op->type; }

static NodeCounters *counters_of(const Operator *op)
{
    const WorkerContext *context = (const WorkerContext *)op->context;
    if (context->base.worker < 0)
        return &context->base.job->node_counters[op->node->id];
    context->turn->counted = true;
    return &context->turn->node_counters[op->node->id];
}

/* ---- time: what an operator does while another one waits for it is not counted twice ---- */

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Reading the clock would cost a turn of a few rows more than it should: of such turns one in 16 stands for all. 0: this one is not timed. */
static int weigh_turn(const Job *job, const Turn *turn)
{
    if (job->options.profile || turn->byte_count > SMALL_BYTES || turn->range.count > SMALL_ROWS)
        return 1;
    return turn->number % SAMPLED == 0 ? SAMPLED : 0;
}

static inline int turn_weight(const Operator *op)
{
    const WorkerContext *context = (const WorkerContext *)op->context;
    const Job *job = context->base.job;
    Turn *turn = context->base.worker < 0 ? job->ordered.turn : context->turn;
    if (!turn)
        return 1;
    if (turn->weight == WEIGHT_UNKNOWN)
        turn->weight = (int8_t)weigh_turn(job, turn);
    return turn->weight;
}

ProfileSpan profile_begin(const Operator *op)
{
    WorkerContext *context = (WorkerContext *)op->context;
    ProfileSpan span = { .weight = turn_weight(op), .outer_ns = context->nested_ns };
    if (!span.weight)
        return span;
    span.start_ns = now_ns();
    context->nested_ns = 0;
    return span;
}

void profile_end(const Operator *op, ProfileSpan span)
{
    WorkerContext *context = (WorkerContext *)op->context;
    if (!span.weight)
        return;
    int64_t elapsed_ns = now_ns() - span.start_ns;
    counters_of(op)->busy_ns += (elapsed_ns - context->nested_ns) * span.weight;
    context->nested_ns = span.outer_ns + elapsed_ns;
}

/* ---- around the real functions ---- */

static void count_nulls(const Operator *op, const Batch *batch, NodeCounters *counters)
{
    const ProfiledType *type = profiled_type(op);
    for (int c = 0; c < type->column_count; c++) {
        const Vector *vector = batch->columns[type->columns[c]];
        for (uint32_t i = 0; vector->validity && i < batch->selection.count; i++)
            counters->nulls[c] += vector_is_null(vector, selection_row(&batch->selection, i));
    }
}

static Error *profiled_process(Operator *op, int input, Batch *batch)
{
    NodeCounters *counters = counters_of(op);
    counters->rows_in += batch->selection.count;
    counters->batches++;
    count_nulls(op, batch, counters);
    if (!turn_weight(op))
        return profiled_type(op)->real->process(op, input, batch);
    ProfileSpan span = profile_begin(op);
    Error *error = profiled_type(op)->real->process(op, input, batch);
    profile_end(op, span);
    return error;
}

static Error *profiled_advance(Operator *op, int64_t wm_us)
{
    if (!turn_weight(op))
        return profiled_type(op)->real->advance(op, wm_us);
    ProfileSpan span = profile_begin(op);
    Error *error = profiled_type(op)->real->advance(op, wm_us);
    profile_end(op, span);
    return error;
}

static Error *profiled_end(Operator *op)
{
    ProfileSpan span = profile_begin(op);
    Error *error = profiled_type(op)->real->end(op);
    profile_end(op, span);
    return error;
}

static void predicate_columns(const Expr *expr, ProfiledType *type)
{
    bool known = type->column_count == COUNTED_COLUMNS;
    for (int i = 0; i < type->column_count; i++)
        known |= expr->kind == EXPR_COLUMN && type->columns[i] == expr->column;
    if (expr->kind == EXPR_COLUMN && !known)
        type->columns[type->column_count++] = expr->column;
    for (int i = 0; i < expr->arg_count; i++)
        predicate_columns(expr->args[i], type);
}

void profile_operator(Job *job, Operator *op)
{
    if (!job->node_counters)
        return;
    ProfiledType *type = ARENA_NEW(&job->operator_arena, ProfiledType);
    type->real = op->type;
    type->type = *op->type;
    type->type.process = op->type->process ? profiled_process : NULL;
    type->type.advance = op->type->advance ? profiled_advance : NULL;
    type->type.end = op->type->end ? profiled_end : NULL;
    if (op->node->kind == PLAN_FILTER && job->options.profile)
        predicate_columns(op->node->filter.predicate, type);
    op->type = &type->type;
    op->profiled = true;
}

void profile_output(const Operator *op, int port, const Batch *batch)
{
    NodeCounters *counters = counters_of(op);
    if (port == PORT_MAIN)
        counters->rows_out += batch->selection.count;
    counters->batches += op->node->input_count == 0; /* nobody gives a source its batches */
}

/* ---- turns ---- */

void profile_open(Job *job)
{
    size_t count = (size_t)job->plan->node_count + 1;
    if (!job->options.profile && !job->options.count_nodes)
        return;
    job->node_counters = ARENA_ARRAY(&job->arena, NodeCounters, count);
    job->metrics.nodes = ARENA_ARRAY(&job->arena, NodeCounters, count);
    job->peek.node_counters = ARENA_ARRAY(&job->arena, NodeCounters, count);
    for (int i = 0; i < TURNS_IN_FLIGHT; i++)
        job->ring[i].node_counters = ARENA_ARRAY(&job->arena, NodeCounters, count);
}

void profile_turn_start(const Job *job, Turn *turn)
{
    turn->weight = WEIGHT_UNKNOWN;
    if (turn->counted)
        memset(turn->node_counters, 0, sizeof *turn->node_counters * (size_t)job->plan->node_count);
    turn->counted = false;
}

/* What a turn's PARALLEL part counts, and nothing stands there any more. */
static void move_counters(NodeCounters *to, NodeCounters *from, bool with_nulls)
{
    to->rows_in += from->rows_in;
    to->rows_out += from->rows_out;
    to->batches += from->batches;
    to->busy_ns += from->busy_ns;
    from->rows_in = from->rows_out = from->batches = 0;
    from->busy_ns = 0;
    for (int c = 0; c < COUNTED_COLUMNS && with_nulls; c++) {
        to->nulls[c] += from->nulls[c];
        from->nulls[c] = 0;
    }
}

void profile_turn_done(Job *job, Turn *turn)
{
    if (!job->node_counters)
        return;
    for (int id = 0; id < job->plan->node_count && turn->counted; id++) {
        NodeCounters *counters = &turn->node_counters[id];
        if (counters->batches || counters->busy_ns)
            move_counters(&job->node_counters[id], counters, job->options.profile);
    }
    turn->counted = false;
    if (turn->kind == TURN_BATCH)
        job->node_counters[job->scans[turn->scan].node->id].bytes_in += turn->byte_count;
}

/* ---- looking in ---- */

/* The watermark that a domain's splits have made: of those that are not done the smallest, of those that are all done the largest. */
static int64_t last_watermark(const Job *job, const Domain *domain)
{
    const Scan *scan = &job->scans[domain->scan];
    int64_t smallest = TIME_MAX, largest = TIME_MIN;
    for (int s = 0; s < scan->split_count; s++) {
        int64_t wm_us = domain->split_last_us[s];
        if (!scan->splits[s].ended && !scan->splits[s].idle_in_order && wm_us < smallest)
            smallest = wm_us;
        if (wm_us > largest)
            largest = wm_us;
    }
    return smallest == TIME_MAX ? largest : smallest;
}

static uint64_t held_rows(Operator *op)
{
    Container *containers[CONTAINERS_MAX];
    const bool listed = op->type->containers && !substreams_member(op->node); /* those of a key's clock are in place one at a time: the keys are counted where they come in */
    const int count = listed ? op->type->containers(op, containers, CONTAINERS_MAX) : 0;
    uint64_t rows = 0;
    for (int i = 0; i < count; i++)
        rows += containers[i]->type->rows ? containers[i]->type->rows(containers[i]) : 0;
    return rows;
}

const NodeCounters *job_node_counters(Job *job)
{
    for (int id = 0; job->node_counters && id < job->plan->node_count; id++) {
        Operator *op = job->ordered.operators[id];
        int domain = job->node_domain[id];
        if (op && op->node) {
            NodeCounters *counters = &job->node_counters[id];
            if (op->pool.peak_bytes > counters->state_bytes)
                counters->state_bytes = op->pool.peak_bytes;
            counters->held_bytes = op->pool.used_bytes;
            counters->held_rows = held_rows(op);
            counters->open_windows = op->type->open_windows && !substreams_member(op->node) ? op->type->open_windows(op) : -1;
        }
        job->node_counters[id].wm_us = domain >= 0 ? last_watermark(job, &job->domains[domain]) : TIME_MIN;
    }
    return job->node_counters;
}

int job_split_times(const Job *job, const PlanNode *node, Arena *arena, SplitTime **splits)
{
    int domain = job->node_domain[node->id], number = domain >= 0 ? job->domains[domain].scan : -1;
    for (int i = 0; i < job->scan_count && number < 0; i++)
        if (job->scans[i].node == node)
            number = i;
    if (number < 0)
        return 0;
    const Scan *scan = &job->scans[number];
    *splits = ARENA_ARRAY(arena, SplitTime, scan->split_count + 1);
    for (int s = 0; s < scan->split_count; s++) {
        const char *name = scan->source_open && s < scan->source.split_count ? scan->source.splits[s].name : "";
        int64_t wm_us = domain >= 0 ? job->domains[domain].split_last_us[s] : TIME_MIN;
        (*splits)[s] = (SplitTime){ name, wm_us, scan->splits[s].ended, scan->splits[s].idle_in_order };
    }
    return scan->split_count;
}

int64_t job_next_close(const Job *job, const PlanNode *node)
{
    const Operator *op = job->ordered.operators[node->id];
    return op && op->type->next_close && !substreams_member(node) ? op->type->next_close(op) : TIME_MAX; /* a key's is no one's */
}

int64_t job_node_watermark(const Job *job, const PlanNode *node)
{
    const Operator *op = job->ordered.operators[node->id];
    return op && !node->substreams ? op->wm_us : TIME_MIN;
}
