/* exec/pipeline.c: live operators and the links between them.
 *
 * PARALLEL nodes have one instance a worker, ORDERED nodes one. A link from a PARALLEL instance to an ORDERED operator is a boundary:
 * the batch waits in its turn until the turn's number comes up. */
#include "exec/job_internal.h"
#include "exec/substreams.h"

#include <string.h>

WorkerContext *context_worker(Operator *op) { return (WorkerContext *)op->context; }

/* ---- boundaries: stand-ins for an ORDERED operator in a worker's graph ---- */

static Error *boundary_process(Operator *op, int input, Batch *batch)
{
    (void)input;
    Boundary *boundary = op->state;
    Turn *turn = context_worker(op)->turn;
    TurnOutput output = { boundary->target, boundary->input, boundary->domain, batch };
    LIST_ADD(&turn->arena, &turn->outputs, output);
    return NULL;
}

static const OperatorType boundary_type = { .name = "boundary", .process = boundary_process };

/* ---- pushing ---- */

static bool batch_is_small(const Operator *op, const Batch *batch)
{
    return batch->selection.count <= op->context->batch_rows;
}

/* One piece of at most batch_rows selected rows, as a batch of its own. */
static Batch *batch_piece(Batch *batch, uint32_t first, uint32_t count)
{
    Batch *piece = batch_share(batch);
    uint32_t *rows = arena_alloc(&piece->arena, sizeof *rows * (count ? count : 1));
    for (uint32_t i = 0; i < count; i++)
        rows[i] = selection_row(&batch->selection, first + i);
    piece->selection = (Selection){ count, rows };
    return piece;
}

static Error *push_to_targets(Operator *op, int port, Batch *batch)
{
    OutputPort *out = &op->ports[port];
    for (int i = 0; i < out->target_count; i++) {
        bool last = i + 1 == out->target_count;
        Batch *own = last ? batch : batch_share(batch);
        Operator *target = out->targets[i].operator;
        Error *error = target->type->process(target, out->targets[i].input, own);
        if (error) {
            if (!last)
                batch_release(batch);
            return error;
        }
    }
    if (out->target_count == 0)
        batch_release(batch);
    return NULL;
}

Error *output_push(Operator *op, int port, Batch *batch)
{
    if (batch->selection.count == 0) {
        batch_release(batch);
        return NULL;
    }
    if (op->profiled)
        profile_output(op, port, batch);
    if (batch_is_small(op, batch))
        return push_to_targets(op, port, batch);
    Error *error = NULL;
    uint32_t step = op->context->batch_rows, total = batch->selection.count, count;
    for (uint32_t first = 0; first < total && !error; first += count) {
        count = total - first < step ? total - first : step;
        if (first + count < total && batch_kind(batch, selection_row(&batch->selection, first + count - 1)) == ROW_UPDATE_BEFORE)
            count++; /* the halves of an update stay together */
        Batch *piece = batch_piece(batch, first, count);
        if (batch->wm_us && first + count < total) /* what the piece's last row makes is what the next row finds */
            piece->wm_end_us = batch->wm_us[selection_row(&batch->selection, first + count)];
        error = push_to_targets(op, port, piece);
    }
    batch_release(batch);
    return error;
}

/* ---- building ---- */

static Operator *operator_new(Job *job, const PlanNode *node, OperatorContext *context)
{
    Operator *op = ARENA_NEW(&job->operator_arena, Operator);
    op->type = operator_type_for(node);
    op->node = node;
    op->context = context;
    pool_init(&op->pool, &job->pool, node->name, 0);
    op->input_count = node->input_count;
    op->input_wm_us = ARENA_ARRAY(&job->operator_arena, int64_t, (size_t)node->input_count + 1);
    op->input_ended = ARENA_ARRAY(&job->operator_arena, bool, (size_t)node->input_count + 1);
    for (int i = 0; i < node->input_count; i++)
        op->input_wm_us[i] = TIME_MIN;
    op->wm_us = TIME_MIN;
    profile_operator(job, op);
    return op;
}

static void link_to(Job *job, Operator *from, int port, Operator *target, int input)
{
    OutputPort *out = &from->ports[port];
    size_t size = sizeof *out->targets * ((size_t)out->target_count + 1);
    void *targets = arena_alloc(&job->operator_arena, size);
    if (out->target_count)
        memcpy(targets, out->targets, size - sizeof *out->targets);
    out->targets = targets;
    out->targets[out->target_count].operator = target;
    out->targets[out->target_count++].input = input;
}

static Operator *boundary_new(Job *job, WorkerContext *worker, Operator *target, int input, int domain)
{
    Operator *op = ARENA_NEW(&job->operator_arena, Operator);
    Boundary *boundary = ARENA_NEW(&job->operator_arena, Boundary);
    *boundary = (Boundary){ target, input, domain };
    op->type = &boundary_type;
    op->context = &worker->base;
    op->state = boundary;
    return op;
}

/* Dead letters leave a PARALLEL node in the ORDERED part, through the node's own stand-in there (see row_errors.c). */
static Operator *side_door(Job *job, const PlanNode *node)
{
    Operator **slot = &job->ordered.operators[node->id];
    if (!*slot) {
        *slot = ARENA_NEW(&job->operator_arena, Operator);
        (*slot)->type = &boundary_type;
        (*slot)->node = node;
        (*slot)->context = &job->ordered.base;
    }
    return *slot;
}

static void link_worker(Job *job, WorkerContext *worker)
{
    const Plan *plan = job->plan;
    for (int id = 0; id < plan->node_count; id++)
        for (int i = 0; i < plan->nodes[id]->input_count; i++) {
            PlanInput input = plan->nodes[id]->inputs[i];
            if (!job->parallel[input.node->id] || input.port != PORT_MAIN)
                continue;
            Operator *from = worker->operators[input.node->id];
            Operator *target = job->parallel[id] ? worker->operators[id]
                                                 : boundary_new(job, worker, job->ordered.operators[id], i, job->node_domain[input.node->id]);
            link_to(job, from, PORT_MAIN, target, job->parallel[id] ? i : 0);
        }
}

static void link_ordered(Job *job)
{
    const Plan *plan = job->plan;
    for (int id = 0; id < plan->node_count; id++)
        for (int i = 0; i < plan->nodes[id]->input_count; i++) {
            PlanInput input = plan->nodes[id]->inputs[i];
            bool parallel_source = job->parallel[input.node->id];
            if (parallel_source && input.port == PORT_MAIN)
                continue;
            Operator *from = parallel_source ? side_door(job, input.node) : job->ordered.operators[input.node->id];
            link_to(job, from, input.port, job->ordered.operators[id], i);
        }
}

static void context_init(Job *job, WorkerContext *context, int number)
{
    context->base = (OperatorContext){ .job = job, .clock = job->options.clock, .pool = &job->pool,
        .batch_rows = job->options.batch_rows, .worker = number };
    context->operators = ARENA_ARRAY(&job->operator_arena, Operator *, (size_t)job->plan->node_count);
}

static Error *open_all(Job *job, WorkerContext *context)
{
    for (int id = 0; id < job->plan->node_count; id++) {
        Operator *op = context->operators[id];
        if (op && op->type && op->type->open && op->type != &boundary_type && !substreams_own_state(job->plan->nodes[id]))
            TRY(op->type->open(op));
    }
    return NULL;
}

Error *pipeline_open(Job *job)
{
    const Plan *plan = job->plan;
    context_init(job, &job->ordered, -1);
    for (int w = 0; w < job->worker_count; w++)
        context_init(job, &job->workers[w], w);
    for (int id = 0; id < plan->node_count; id++) {
        const PlanNode *node = plan->nodes[id];
        if (!job->parallel[id])
            job->ordered.operators[id] = operator_new(job, node, &job->ordered.base);
        else
            for (int w = 0; w < job->worker_count; w++)
                job->workers[w].operators[id] = operator_new(job, node, &job->workers[w].base);
    }
    for (int w = 0; w < job->worker_count; w++)
        link_worker(job, &job->workers[w]);
    link_ordered(job);
    substreams_open(job);
    TRY(open_all(job, &job->ordered));
    for (int w = 0; w < job->worker_count; w++)
        TRY(open_all(job, &job->workers[w]));
    return NULL;
}

static void close_all(Job *job, WorkerContext *context)
{
    if (!context->operators)
        return;
    for (int id = 0; id < job->plan->node_count; id++) {
        Operator *op = context->operators[id];
        if (op && op->type && op->type->close && !substreams_own_state(job->plan->nodes[id]))
            op->type->close(op);
    }
    context->operators = NULL;
}

void pipeline_close(Job *job)
{
    for (int w = 0; job->workers && w < job->worker_count; w++)
        close_all(job, &job->workers[w]);
    substreams_close(job);
    close_all(job, &job->ordered);
    batches_reclaim(&job->pool); /* they are charged to the operators */
    arena_release(&job->operator_arena);
    arena_init(&job->operator_arena, &job->pool);
}

Operator *const *pipeline_targets(Job *job, const PlanNode *node, int port, int *count)
{
    Operator *op = job->ordered.operators[node->id];
    *count = op ? op->ports[port].target_count : 0;
    return op ? &job->ordered.operators[node->id] : NULL;
}

/* ---- watermarks ---- */

static int64_t minimum_input(const Operator *op)
{
    int64_t minimum = TIME_MAX;
    for (int i = 0; i < op->input_count; i++)
        if (op->input_wm_us[i] < minimum)
            minimum = op->input_wm_us[i];
    return minimum;
}

/* Tells the consumers of an ORDERED operator how far it has come; what a key's clock shows is for its own. */
void pipeline_pass_on(const Operator *op)
{
    for (int port = 0; port < PORT_COUNT; port++)
        for (int i = 0; i < op->ports[port].target_count; i++) {
            Operator *target = op->ports[port].targets[i].operator;
            int input = op->ports[port].targets[i].input;
            if (op->wm_us > target->input_wm_us[input] && (!op->node->substreams || op->node->substreams == target->node->substreams))
                target->input_wm_us[input] = op->wm_us;
        }
}

Error *pipeline_advance_operator(Operator *op, bool always)
{
    const Job *job = op->context->job;
    int64_t wm_us = minimum_input(op);
    if (op->type->own_watermark && (wm_us != TIME_MAX || (op->type->own_end && !job->ended)))
        wm_us = op->type->own_watermark(op);
    bool risen = wm_us > op->wm_us;
    if (risen)
        op->wm_us = wm_us;
    if (op->type->advance && (risen || always))
        TRY(op->type->advance(op, op->wm_us));
    if (risen)
        pipeline_pass_on(op);
    return NULL;
}

static Error *advance_node(Job *job, int id, bool tick)
{
    const PlanNode *node = job->plan->nodes[id];
    Operator *op = job->ordered.operators[id];
    if (node->substreams)
        return substreams_turn_done(job, node);
    return op && op->type != &boundary_type ? pipeline_advance_operator(op, job->on_clock[id] || tick) : NULL;
}

Error *pipeline_push_inputs(Job *job, Turn *turn)
{
    for (int i = 0; i < turn->outputs.count; i++) {
        TurnOutput *output = &turn->outputs.items[i];
        Batch *batch = output->batch;
        output->batch = NULL;
        TRY(output->target->type->process(output->target, output->input, batch));
    }
    (void)job;
    return NULL;
}

static void set_boundary_watermarks(Job *job)
{
    const Plan *plan = job->plan;
    for (int id = 0; id < plan->node_count; id++) {
        if (job->parallel[id])
            continue;
        Operator *op = job->ordered.operators[id];
        for (int i = 0; i < plan->nodes[id]->input_count; i++) {
            PlanInput input = plan->nodes[id]->inputs[i];
            if (!job->parallel[input.node->id])
                continue;
            int domain = job->node_domain[input.node->id];
            int64_t wm_us = job->ended ? TIME_MAX : domain >= 0 ? job->domains[domain].wm_us : TIME_MIN;
            if (wm_us > op->input_wm_us[i])
                op->input_wm_us[i] = wm_us;
        }
    }
}

Error *pipeline_advance(Job *job, bool tick)
{
    set_boundary_watermarks(job);
    for (int id = 0; id < job->plan->node_count; id++)
        TRY(advance_node(job, id, tick));
    return NULL;
}

Error *pipeline_release_rows(Job *job)
{
    for (int id = 0; id < job->plan->node_count; id++) {
        Operator *op = job->ordered.operators[id];
        const PlanKind kind = job->plan->nodes[id]->kind;
        if (job->plan->nodes[id]->substreams)
            TRY(substreams_turn_done(job, job->plan->nodes[id]));
        else if (op && op->type != &boundary_type && (kind == PLAN_UNION || kind == PLAN_JOIN))
            TRY(op->type->advance(op, op->wm_us));
    }
    return NULL;
}

Error *pipeline_end(Job *job)
{
    job->ended = true;
    set_boundary_watermarks(job);
    for (int id = 0; id < job->plan->node_count; id++) { /* inputs before consumers: what one end brings, the next one sees */
        TRY(advance_node(job, id, false));
        TRY(substreams_end(job, job->plan->nodes[id]));
        Operator *op = job->ordered.operators[id];
        if (op && op->type != &boundary_type && op->type->end && !job->plan->nodes[id]->substreams)
            TRY(op->type->end(op));
    }
    return NULL;
}
