/* exec/job.c: a job from open to close: what its plan asks for is surveyed, its parts are opened, and it can be looked at from outside. */
#include "exec/sink_queue.h"

#include <string.h>

#include "exec/checkpoint.h"
#include "exec/meeting.h"

/* ---- preparing ---- */

static bool is_source(const PlanNode *node) { return node->kind == PLAN_SCAN || node->kind == PLAN_VALUES; }

/* A node is PARALLEL if the plan says so and everything above it is, too. */
static bool may_be_parallel(const Job *job, const PlanNode *node)
{
    if (is_source(node))
        return true;
    if (node->segment != SEGMENT_PARALLEL)
        return false;
    for (int i = 0; i < node->input_count; i++)
        if (!job->parallel[node->inputs[i].node->id] || node->inputs[i].port != PORT_MAIN)
            return false;
    return node->kind == PLAN_WATERMARK || node->kind == PLAN_FILTER || node->kind == PLAN_PROJECT || node->kind == PLAN_LOOKUP ||
           node->kind == PLAN_UNNEST;
}

static bool wants_clock(const PlanNode *node)
{
    switch (node->kind) {
    case PLAN_AGGREGATE:
    case PLAN_WINDOW_AGGREGATE:
    case PLAN_SESSION_AGGREGATE:
        return node->aggregate.trigger == TRIGGER_DELAY || (node->aggregate.has_window && node->aggregate.window.processing_time);
    case PLAN_SCAN:
    case PLAN_VALUES:
    case PLAN_WATERMARK:
    case PLAN_FILTER:
    case PLAN_PROJECT:
    case PLAN_NORMALIZE:
    case PLAN_LOOKUP:
    case PLAN_WINDOW_ASSIGN:
    case PLAN_CANDIDATES:
    case PLAN_UNNEST:
    case PLAN_RANK:
    case PLAN_OVER:
    case PLAN_MATCH:
    case PLAN_SORT:
    case PLAN_LIMIT:
    case PLAN_UNION:
    case PLAN_SET:
    case PLAN_JOIN:
    case PLAN_GATHER:
    case PLAN_SINK:
        return false;
    case PLAN_SUBQUERY:
        return !node->subquery.changes; /* to see the end of its other input */
    }
    return false;
}

static int scan_number(const Job *job, const PlanNode *node)
{
    for (int i = 0; i < job->scan_count; i++)
        if (job->scans[i].node == node)
            return i;
    return -1;
}

static int scan_above(const Job *job, const PlanNode *node)
{
    while (!is_source(node) && node->input_count)
        node = node->inputs[0].node;
    return scan_number(job, node);
}

/* Do dead letters of anything above the scan go anywhere? Its rows then keep their bytes and places. */
static bool dead_letters_wanted(const Job *job, const PlanNode *scan)
{
    for (int id = 0; id < job->plan->node_count; id++) {
        const PlanNode *node = job->plan->nodes[id];
        if (node->dead_letter_wanted && job->scans[scan_above(job, node)].node == scan)
            return true;
    }
    return false;
}

static void note_places_above(Job *job, const PlanNode *node, bool *seen);

/* What an operator puts aside are rows as they came to it. */
static void note_places_through(Job *job, PlanInput input, bool *seen)
{
    note_places_above(job, input.node, seen);
    for (int i = 0; input.port != PORT_MAIN && i < input.node->input_count; i++)
        note_places_through(job, input.node->inputs[i], seen);
}

/* The sources whose rows come to the node as they are. */
static void note_places_above(Job *job, const PlanNode *node, bool *seen)
{
    if (seen[node->id])
        return;
    seen[node->id] = true;
    switch (node->kind) {
    case PLAN_SCAN:
    case PLAN_VALUES:
        job->scans[scan_number(job, node)].note_places = true;
        return;
    case PLAN_WATERMARK:
    case PLAN_FILTER:
    case PLAN_PROJECT:
    case PLAN_LOOKUP:
    case PLAN_WINDOW_ASSIGN:
    case PLAN_CANDIDATES:
    case PLAN_UNNEST:
    case PLAN_LIMIT:
    case PLAN_UNION:
    case PLAN_GATHER:
        for (int i = 0; i < node->input_count; i++)
            note_places_through(job, node->inputs[i], seen);
        return;
    case PLAN_AGGREGATE:
    case PLAN_WINDOW_AGGREGATE:
    case PLAN_SESSION_AGGREGATE:
    case PLAN_NORMALIZE:
    case PLAN_RANK:
    case PLAN_OVER:
    case PLAN_MATCH:
    case PLAN_SORT:
    case PLAN_SET:
    case PLAN_SUBQUERY:
    case PLAN_JOIN:
    case PLAN_SINK:
        return;
    }
}

/* Whether the ORDERED part knows the places of rows shall not depend on what has gone wrong before, or on which worker saw it. */
static void survey_places(Job *job)
{
    for (int id = 0; id < job->plan->node_count; id++) {
        const PlanNode *node = job->plan->nodes[id];
        bool may_fail = !job->parallel[id] && (node->kind == PLAN_FILTER || node->kind == PLAN_PROJECT || node->kind == PLAN_WATERMARK); /* entrances of substreams may meet, too */
        bool meets = (node->kind == PLAN_UNION || node->kind == PLAN_JOIN) && inputs_meet(job->plan, node);
        job->on_clock[id] |= meets;
        if (meets && node->kind == PLAN_JOIN)
            for (int i = 0; i < node->input_count; i++)
                note_places_through(job, node->inputs[i], ARENA_ARRAY(&job->arena, bool, (size_t)job->plan->node_count + 1));
        else if (may_fail || meets)
            note_places_above(job, node, ARENA_ARRAY(&job->arena, bool, (size_t)job->plan->node_count + 1));
    }
}

static bool has_client_thread(const Plan *plan)
{
    for (int id = 0; id < plan->node_count; id++)
        if (plan->nodes[id]->kind == PLAN_SCAN && plan->nodes[id]->scan.connector->source->has_thread)
            return true;
    return false;
}

static void survey_plan(Job *job)
{
    const Plan *plan = job->plan;
    size_t count = (size_t)plan->node_count + 1;
    job->parallel = ARENA_ARRAY(&job->arena, bool, count);
    job->on_clock = ARENA_ARRAY(&job->arena, bool, count);
    job->node_domain = ARENA_ARRAY(&job->arena, int, count);
    job->scans = ARENA_ARRAY(&job->arena, Scan, count);
    job->domains = ARENA_ARRAY(&job->arena, Domain, count);
    job->metrics.scans = arena_calloc(&job->arena, count, sizeof *job->metrics.scans);
    job->sinks = ARENA_ARRAY(&job->arena, Sink *, count);
    job->sink_queues = ARENA_ARRAY(&job->arena, SinkQueue *, count);
    job->output_done = ARENA_ARRAY(&job->arena, bool, (size_t)plan->output_count + 1);
    if (job->options.threads_by_default && job->options.threads > 1 && has_client_thread(plan))
        job->options.threads--;
    job->worker_count = job->options.threads > 1 ? job->options.threads + 1 : 1;
    job->workers = ARENA_ARRAY(&job->arena, WorkerContext, (size_t)job->worker_count);
    for (int id = 0; id < plan->node_count; id++) {
        const PlanNode *node = plan->nodes[id];
        job->parallel[id] = may_be_parallel(job, node);
        job->on_clock[id] = wants_clock(node);
        job->needs_ticks |= job->on_clock[id] && node->kind != PLAN_SUBQUERY;
        job->node_domain[id] = node->input_count ? job->node_domain[node->inputs[0].node->id] : -1;
        if (is_source(node))
            job->scans[job->scan_count++].node = node;
        job->aligns |= node->kind == PLAN_SCAN && node->scan.max_skew_us;
        if (node->kind == PLAN_WATERMARK && job->parallel[id]) {
            job->node_domain[id] = job->domain_count;
            job->domains[job->domain_count++] = (Domain){ .node = node, .scan = scan_above(job, node), .wm_us = TIME_MIN };
        }
    }
    for (int i = 0; i < job->scan_count; i++)
        job->scans[i].count_lines = dead_letters_wanted(job, job->scans[i].node);
    survey_places(job);
    profile_open(job);
    size_t domains = (size_t)job->domain_count + 1;
    job->peek.domain_wm_us = ARENA_ARRAY(&job->arena, int64_t, domains);
    for (int i = 0; i < TURNS_IN_FLIGHT; i++)
        job->ring[i].domain_wm_us = ARENA_ARRAY(&job->arena, int64_t, domains);
    for (int w = 0; w < job->worker_count; w++) {
        job->workers[w].decoders = ARENA_ARRAY(&job->arena, Decoder, (size_t)job->scan_count + 1);
        job->workers[w].record_decoders = ARENA_ARRAY(&job->arena, RecordDecoders, (size_t)job->scan_count + 1);
        job->workers[w].decoder_open = ARENA_ARRAY(&job->arena, bool, (size_t)job->scan_count + 1);
        job->workers[w].places = ARENA_ARRAY(&job->arena, bool, (size_t)job->scan_count + 1);
    }
}

/* A file that is read and written by one job would be gone before it is read, or never end. */
static Error *refuse_own_input(Job *job)
{
    for (int id = 0; id < job->plan->node_count; id++) {
        const PlanNode *sink = job->plan->nodes[id];
        for (int s = 0; sink->kind == PLAN_SINK && sink->sink.connector && s < job->scan_count; s++) {
            const Scan *scan = &job->scans[s];
            bool writes = false;
            if (!scan->source_open)
                continue;
            TRY(connector_writes_input(&job->arena, &job->connectors, &scan->source_spec, &sink->sink.spec, &writes));
            if (writes)
                return error_hint(error_at(ERR_BIND, sink->at, "the query would write into its own input '%s'", connector_path(scan->source_spec.connector, scan->source_spec.options)),
                                  "write into another file");
        }
    }
    return NULL;
}

/* Only where messages are read may that be what this job writes. */
static Error *prepare_sinks(Job *job)
{
    bool messages = false;
    for (int i = 0; i < job->scan_count; i++)
        messages |= job->scans[i].node->kind == PLAN_SCAN && job->scans[i].node->scan.connector->source->record_source;
    for (int id = 0; id < job->plan->node_count && messages; id++) {
        const PlanNode *node = job->plan->nodes[id];
        const SinkType *type = node->kind == PLAN_SINK && node->sink.connector ? node->sink.connector->sink : NULL;
        if (type && type->prepare)
            TRY(type->prepare(&node->sink.spec, &job->connectors));
    }
    return NULL;
}

static Error *open_parts(Job *job)
{
    survey_plan(job);
    TRY(prepare_sinks(job));
    TRY(sequencer_open(job));
    TRY(refuse_own_input(job));
    return pipeline_open(job);
}

static void close_decoders(Job *job)
{
    for (int w = 0; job->workers && w < job->worker_count; w++)
        for (int i = 0; i < job->scan_count; i++) {
            if (job->workers[w].record_decoders)
                record_decoders_close(&job->workers[w].record_decoders[i]);
            if (job->workers[w].decoder_open && job->workers[w].decoder_open[i]) {
                job->workers[w].decoders[i].type->decoder_close(&job->workers[w].decoders[i]);
                job->workers[w].decoder_open[i] = false;
            }
        }
}

static void free_job(Job *job)
{
    for (int i = 0; i < TURNS_IN_FLIGHT; i++)
        turn_finish(&job->ring[i]);
    turn_finish(&job->peek);
    sink_queues_release(job);
    pipeline_close(job);
    close_decoders(job);
    sequencer_close(job);
    error_free(job->error);
    arena_release(&job->operator_arena);
    arena_release(&job->clock_arena);
    arena_release(&job->draw_arena);
    arena_release(&job->arena);
    pthread_mutex_destroy(&job->clock_lock);
    run_release(job);
    metrics_release(job);
    mem_free(job);
}

Error *job_open(const Plan *plan, const JobOptions *options, Job **result)
{
    Job *job = mem_calloc(1, sizeof *job);
    job->plan = plan;
    job->options = *options;
    if (job->options.threads < 1 || options->snapshot_every_turn || options->until_quiet)
        job->options.threads = 1;
    if (job->options.batch_rows == 0 || job->options.batch_rows > BATCH_ROWS)
        job->options.batch_rows = BATCH_ROWS;
    if (plan->every_change)
        job->options.batch_rows = 1;
    if (job->options.turn_bytes == 0)
        job->options.turn_bytes = TURN_BYTES;
    pool_init(&job->pool, options->pool, "job", options->memory_limit_bytes);
    job->pool.keeps_members = true;
    arena_init(&job->arena, &job->pool);
    arena_init(&job->operator_arena, &job->pool);
    arena_init(&job->clock_arena, &job->pool);
    arena_init(&job->draw_arena, &job->pool);
    pthread_mutex_init(&job->clock_lock, NULL);
    job->connectors = (ConnectorContext){ .filesystem = options->filesystem, .clock = options->clock, .pool = &job->pool,
        .base_directory = options->base_directory, .batch_mode = plan->bounded, .topics = options->topics, .process = options->process, .waker = &job->waker,
        .retries = &job->metrics.retries, .impatient = options->impatient };
    run_init(job);
    metrics_init(job);
    job->progress_wm_us = TIME_MIN;
    Error *error;
    MEMORY_GUARDED(error, open_parts(job));
    if (error) {
        checkpoint_close_sinks(job, false);
        free_job(job);
        return error;
    }
    *result = job;
    return NULL;
}

Error *job_retire(Job *job)
{
    job->retired = true;
    return checkpoint_close_sinks(job, job->succeeded);
}

Error *job_close(Job *job)
{
    Error *error = checkpoint_close_sinks(job, job->succeeded);
    free_job(job);
    return error;
}

/* ---- looking in from outside ---- */

void job_counters(const Job *job, JobCounters *counters) { *counters = job->counters; }

int job_row_errors(const Job *job, const RowErrorSummary **summaries)
{
    *summaries = job->row_errors.items;
    return job->row_errors.count;
}

void job_progress(Job *job, JobProgress *progress)
{
    int64_t total = 0;
    bool rows = false, bytes = false;
    for (int i = 0; i < job->scan_count; i++) {
        const Scan *scan = &job->scans[i];
        total = total < 0 || scan->length_total < 0 ? -1 : total + scan->length_total;
        rows |= scan->row_source || scan->values;
        bytes |= !scan->row_source && !scan->values;
    }
    *progress = (JobProgress){ .bytes_done = job->progress_bytes, .bytes_total = rows && bytes ? -1 : total, .in_rows = !bytes,
        .rows_in = job->progress_rows, .watermark_us = job->progress_wm_us,
        .rows_out = job->progress_rows_out, .late_rows = job->progress_late_rows };
}

int64_t job_peak_bytes(const Job *job) { return job->pool.peak_bytes; }
int64_t job_bytes(const Job *job) { return job->pool.used_bytes; }
