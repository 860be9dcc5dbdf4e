/* exec/turn.c: executing one turn: the PARALLEL part on any worker, the ORDERED part in turn order. */
#include "exec/checkpoint.h"
#include "exec/job_internal.h"

#include <string.h>

void turn_start(Turn *turn, Job *job)
{
    *turn = (Turn){ .number = turn->number, .domain_wm_us = turn->domain_wm_us, .node_counters = turn->node_counters, .counted = turn->counted };
    profile_turn_start(job, turn);
    arena_init(&turn->arena, &job->pool);
    for (int d = 0; d < job->domain_count; d++)
        turn->domain_wm_us[d] = TIME_MIN;
}

void turn_finish(Turn *turn)
{
    for (int i = 0; i < turn->outputs.count; i++)
        batch_release(turn->outputs.items[i].batch);
    if (turn->range.page && turn->range.page_free)
        turn->range.page_free(turn->range.page);
    buffer_release(turn->bytes);
    error_free(turn->error);
    arena_release(&turn->arena);
    turn->outputs.count = turn->events.count = 0;
    turn->range.page = NULL;
    turn->bytes = NULL;
    turn->error = NULL;
}

/* ---- the PARALLEL part ---- */

/* With room for so many records: columns are zeroed, which would be most of the work on a single message if they were all as long as they may be. */
static Batch *batch_for_scan(const Operator *op, const Scan *scan, const Turn *turn, uint64_t records)
{
    const uint64_t whole_words = (records + 63) / 64 * 64;
    uint32_t rows = whole_words < op->context->batch_rows ? (uint32_t)whole_words : op->context->batch_rows;
    if (scan->record_source && scan->node->scan.format && scan->node->scan.format->change)
        rows *= 2; /* a message is up to two rows: what was, and what is */
    Batch *batch = batch_for_schema(op->context->pool, &scan->node->schema, rows);
    batch->row_count = batch->selection.count = 0;
    batch->turn = turn->number;
    batch->split = (uint32_t)turn->split;
    batch->now_us = turn->now_us;
    batch->wm_end_us = TIME_MIN;
    return batch;
}

/* Bad records of a decoded batch become events; under POLICY_FAIL the batch is cut before the first of them. */
static Error *settle_bad_records(Operator *op, Batch *batch)
{
    const PlanNode *node = op->node;
    for (uint32_t i = 0; i < batch->bad_row_count; i++) {
        BadRow *bad = &batch->bad_rows[i];
        Error *error = job_row_error(op, node->scan.on_error, batch, -1 - (int64_t)i, "decode", bad->column, bad->reason, SPAN_NONE);
        if (error) {
            batch->row_count = batch->selection.count = bad->before_row;
            return error;
        }
    }
    return NULL;
}

/* Gives a decoded batch to the consumers; its error, if any, comes after the rows before it. */
static Error *push_decoded(Operator *op, Turn *turn, Batch *batch)
{
    batch->selection = (Selection){ batch->row_count, NULL };
    Error *bad = op->node->kind == PLAN_SCAN ? settle_bad_records(op, batch) : NULL;
    batch->first_row = turn->rows_in;
    turn->rows_in += batch->row_count;
    Error *error = output_push(op, PORT_MAIN, batch);
    if (error) {
        error_free(bad);
        return error;
    }
    return bad;
}

/* Rows that come in ranges stand where they are counted. */
static void note_places(const Turn *turn, uint64_t done, Batch *batch)
{
    batch->positions = ARENA_ARRAY(&batch->arena, uint64_t, (size_t)batch->row_count + 1);
    for (uint32_t row = 0; row < batch->row_count; row++)
        batch->positions[row] = turn->position + done + row;
}

static Error *produce_values(const Scan *scan, Operator *op, Turn *turn, bool places)
{
    const PlanNode *node = scan->node;
    int width = node->schema.column_count;
    for (uint64_t done = 0; done < turn->range.count;) {
        Batch *batch = batch_for_scan(op, scan, turn, turn->range.count - done);
        uint32_t count = 0;
        for (; count < op->context->batch_rows && done < turn->range.count; count++, done++)
            for (int c = 0; c < width; c++)
                vector_set(&batch->arena, batch->columns[c], count, &node->values.rows[(turn->range.first + done) * (uint64_t)width + (uint64_t)c]);
        batch->row_count = count;
        if (places)
            note_places(turn, done - count, batch);
        TRY(push_decoded(op, turn, batch));
    }
    return NULL;
}

static Error *produce_rows(Scan *scan, Operator *op, Turn *turn, bool places)
{
    const SourceType *type = scan->source_spec.connector->source;
    for (uint64_t done = 0; done < turn->range.count;) {
        uint64_t left = turn->range.count - done;
        uint32_t want = left < op->context->batch_rows ? (uint32_t)left : op->context->batch_rows;
        Batch *batch = batch_for_scan(op, scan, turn, want);
        Error *error = type->produce(&scan->source, turn->split, &turn->range, done, want, batch);
        if (error) {
            batch_release(batch);
            return error;
        }
        if (places)
            note_places(turn, done, batch);
        done += want;
        TRY(push_decoded(op, turn, batch));
    }
    return NULL;
}

static Error *produce_records(WorkerContext *worker, Scan *scan, Operator *op, Turn *turn, bool places)
{
    RecordDecoders *decoders = &worker->record_decoders[turn->scan];
    const RecordSet *set = turn->range.page;
    TRY(record_decoders_open(&scan->records, decoders));
    for (uint32_t done = 0; done < turn->range.count;) {
        uint32_t left = (uint32_t)turn->range.count - done, want = left < op->context->batch_rows ? left : op->context->batch_rows;
        Batch *batch = batch_for_scan(op, scan, turn, want);
        Error *error = record_scan_decode(&scan->records, decoders, scan->node, set, done, want, places, &batch);
        if (error) {
            batch_release(batch);
            return error;
        }
        done += want;
        TRY(push_decoded(op, turn, batch));
    }
    return NULL;
}

static uint64_t count_newlines(const char *bytes, size_t length)
{
    uint64_t count = 0;
    for (size_t i = 0; i < length; i++)
        count += bytes[i] == '\n';
    return count;
}

static Error *too_long(const Scan *scan, Operator *op, Turn *turn)
{
    Batch *batch = batch_for_scan(op, scan, turn, 1);
    BadRow bad = { .position = turn->position, .raw = str_view(turn->bytes->bytes, turn->length),
        .reason = "the record is longer than 64 MB" };
    batch_hold_buffer(batch, turn->bytes);
    batch_add_bad_row(batch, &bad);
    return push_decoded(op, turn, batch);
}

static Error *decode_bytes(WorkerContext *worker, Scan *scan, Operator *op, Turn *turn)
{
    if (turn->oversized)
        return too_long(scan, op, turn);
    Decoder *decoder = &worker->decoders[turn->scan];
    DecodeInput input = { .bytes = turn->bytes->bytes, .length = turn->length, .position = turn->position, .line = scan->count_lines,
        .buffer = turn->bytes, .split = turn->format_split };
    if (scan->count_lines) /* lines are counted from the piece's start here, from the split's in the ORDERED part */
        turn->line_count = count_newlines(turn->bytes->bytes, turn->length);
    while (input.at < input.length) {
        Batch *batch = batch_for_scan(op, scan, turn, op->context->batch_rows);
        Error *error = decoder->type->decode(decoder, &input, op->context->batch_rows, batch);
        if (error) {
            batch_release(batch);
            return error;
        }
        TRY(push_decoded(op, turn, batch));
    }
    return NULL;
}

static void close_decoder(void *what)
{
    Decoder *decoder = what;
    decoder->type->decoder_close(decoder);
}

static Error *open_decoder(WorkerContext *worker, const Scan *scan, int number)
{
    if (scan->row_source || scan->values || worker->decoder_open[number])
        return NULL;
    Decoder *decoder = &worker->decoders[number];
    *decoder = (Decoder){ .type = scan->node->scan.format, .spec = worker->places[number] ? &scan->decode_spec_places : &scan->decode_spec };
    MEMORY_HOLD(close_decoder, decoder); /* this worker may have another turn before the job learns that it failed */
    Error *error = decoder->type->decoder_open(decoder);
    if (error)
        close_decoder(decoder);
    worker->decoder_open[number] = !error;
    return error;
}

static void forget_results(Job *job, Turn *turn)
{
    for (int i = 0; i < turn->outputs.count; i++)
        batch_release(turn->outputs.items[i].batch);
    turn->outputs.count = turn->events.count = 0;
    for (int d = 0; d < job->domain_count; d++)
        turn->domain_wm_us[d] = TIME_MIN;
    profile_turn_start(job, turn);
    turn->rows_in = turn->lookup_hits = turn->lookup_misses = turn->lookup_absent = 0;
}

static Error *read_source(WorkerContext *worker, Scan *scan, Turn *turn)
{
    Operator *op = worker->operators[scan->node->id];
    bool places = worker->places[turn->scan] || scan->count_lines || scan->note_places;
    if (scan->values)
        return produce_values(scan, op, turn, places);
    if (scan->record_source)
        return produce_records(worker, scan, op, turn, places);
    if (scan->row_source)
        return produce_rows(scan, op, turn, places);
    TRY(open_decoder(worker, scan, turn->scan));
    return decode_bytes(worker, scan, op, turn);
}

static Error *run_source(WorkerContext *worker, Scan *scan, Turn *turn)
{
    const Operator *op = worker->operators[scan->node->id];
    if (!op->profiled)
        return read_source(worker, scan, turn);
    ProfileSpan span = profile_begin(op);
    Error *error = read_source(worker, scan, turn);
    profile_end(op, span);
    return error;
}

/* Places of rows are noted only once a row has gone wrong. The turn is then done again, which is fine as its PARALLEL part has no effects; the
 * worker goes on noting places, as one wrong row is seldom alone. */
static Error *run_with_places(Job *job, WorkerContext *worker, Scan *scan, Turn *turn)
{
    forget_results(job, turn);
    if (worker->decoder_open[turn->scan])
        close_decoder(&worker->decoders[turn->scan]);
    worker->decoder_open[turn->scan] = false;
    worker->places[turn->scan] = true;
    return run_source(worker, scan, turn);
}

/* A row fails the job. Of several consumers each works on a whole batch before the next one sees it: row by row it shows which of them fails
 * first, and what stands before that row has come out everywhere, and nothing behind it has been counted. */
static Error *run_row_by_row(Job *job, WorkerContext *worker, Scan *scan, Turn *turn)
{
    const uint32_t batch_rows = worker->base.batch_rows;
    forget_results(job, turn);
    worker->base.batch_rows = 1;
    Error *error = run_source(worker, scan, turn);
    worker->base.batch_rows = batch_rows;
    return error;
}

static Error *run_parallel(Job *job, WorkerContext *worker, Turn *turn)
{
    Scan *scan = &job->scans[turn->scan];
    worker->turn = turn;
    worker->base.now_us = turn->now_us;
    worker->base.turn = turn->number;
    Error *error = run_source(worker, scan, turn);
    if (turn->wants_places && !worker->places[turn->scan]) {
        error_free(error);
        error = run_with_places(job, worker, scan, turn);
    }
    if (!error || error->code != ERR_ROW || worker->base.batch_rows == 1)
        return error;
    error_free(error);
    return run_row_by_row(job, worker, scan, turn);
}

Error *turn_parallel(Job *job, WorkerContext *worker, Turn *turn)
{
    if (turn->kind != TURN_BATCH)
        return NULL;
    Error *error;
    if (turn->again.times)
        forget_results(job, turn);
    MEMORY_GUARDED(error, run_parallel(job, worker, turn));
    turn->error = error; /* it comes after what the turn brought before it */
    worker->turn = NULL;
    return NULL;
}

Error *turn_peek(Job *job, Turn *drawn, int scan_number, int split)
{
    Scan *scan = &job->scans[scan_number];
    if (scan->row_source || scan->values || scan->splits[split].ended)
        return NULL;
    const SourceType *type = scan->source_spec.connector->source;
    const FormatType *format = scan->node->scan.format;
    SourceInput input;
    TRY(type->fill(&scan->source, split, 65536, 0, &input));
    scan->splits[split].position += input.skipped;
    size_t limit = input.length < 65536 ? input.length : 65536;
    size_t length = format->cut(scan->node->scan.format_options, input.bytes, limit, input.end && limit == input.length);
    if (length == 0)
        return NULL;
    Turn *turn = &job->peek;
    turn_start(turn, job);
    turn->scan = scan_number;
    turn->split = split;
    turn->bytes = buffer_new(length); /* a copy with padding: the piece itself stays with the source */
    memcpy((char *)turn->bytes->bytes, input.bytes, length);
    turn->length = length;
    turn->position = scan->splits[split].position;
    turn->now_us = job->options.clock->now_us(job->options.clock);
    WorkerContext *worker = &job->workers[job->worker_count - 1];
    Operator *op = worker->operators[scan->node->id];
    worker->turn = turn;
    worker->base.turn = UINT64_MAX; /* no turn of the job: watermark operators start afresh */
    Error *error = open_decoder(worker, scan, scan_number);
    DecodeInput decode = { .bytes = turn->bytes->bytes, .length = length, .position = turn->position, .buffer = turn->bytes, .split = scan->splits[split].format_split };
    for (bool found = false; !error && !found && decode.at < decode.length;) {
        Batch *batch = batch_for_scan(op, scan, turn, 1);
        error = scan->node->scan.format->decode(&worker->decoders[scan_number], &decode, 1, batch);
        if (error) {
            batch_release(batch);
            break;
        }
        batch->bad_row_count = 0;
        batch->selection = (Selection){ batch->row_count, NULL };
        found = batch->row_count > 0;
        /* Its errors are the real turn's to report. */
        error_free(output_push(op, PORT_MAIN, batch));
    }
    for (int d = 0; d < job->domain_count; d++)
        if (job->domains[d].scan == scan_number) {
            PeekedTime peeked = { d, split, turn->domain_wm_us[d] };
            job->domains[d].visible_wm_us[split] = peeked.wm_us;
            LIST_ADD(&drawn->arena, &drawn->peeked, peeked);
        }
    worker->turn = NULL;
    worker->base.turn = UINT64_MAX;
    turn_finish(turn);
    return error;
}

/* ---- the ORDERED part ---- */

/* The batches' local watermarks become those of the query: at least what the split had, at most what the other splits allow. */
static void combine_watermarks(Job *job, const Turn *turn)
{
    for (int i = 0; i < turn->outputs.count; i++) {
        TurnOutput *output = &turn->outputs.items[i];
        Batch *batch = output->batch;
        if (output->domain < 0) {
            batch->wm_us = NULL;
            batch->wm_end_us = TIME_MIN;
            continue;
        }
        Domain *domain = &job->domains[output->domain];
        int64_t others = TIME_MAX, base = domain->split_wm_us[turn->split], floor_us = domain->wm_us;
        const Scan *scan = &job->scans[domain->scan];
        for (int s = 0; s < scan->split_count; s++)
            if (s != turn->split && !scan->splits[s].idle_in_order && domain->split_wm_us[s] < others)
                others = domain->split_wm_us[s];
        for (uint32_t row = 0; batch->wm_us && row < batch->row_count; row++) {
            int64_t wm_us = batch->wm_us[row] > base ? batch->wm_us[row] : base;
            wm_us = wm_us < others ? wm_us : others;
            batch->wm_us[row] = wm_us > floor_us ? wm_us : floor_us;
        }
        int64_t end_us = batch->wm_end_us > base ? batch->wm_end_us : base;
        end_us = end_us < others ? end_us : others;
        batch->wm_end_us = end_us > floor_us ? end_us : floor_us;
    }
}

/* Nothing comes for a while: what was written shall not wait for more. */
static Error *flush_when_quiet(Job *job)
{
    if (job->flushed_rows == job->counters.rows_out)
        return NULL;
    job->flushed_rows = job->counters.rows_out;
    Error *error = checkpoint_flush_sinks(job, true);
    if (!error || error->code != ERR_BUSY)
        return error;
    error_free(error); /* it is on its way */
    return NULL;
}

static void take_peeked(Job *job, const Turn *turn)
{
    for (int i = 0; i < turn->peeked.count; i++) {
        const PeekedTime *peeked = &turn->peeked.items[i];
        job->domains[peeked->domain].split_wm_us[peeked->split] = peeked->wm_us;
    }
}

static Error *turn_take_error(Turn *turn)
{
    Error *error = turn->error;
    turn->error = NULL;
    return error;
}

static Error *run_ordered(Job *job, Turn *turn)
{
    if (turn->kind == TURN_FAILED)
        return turn_take_error(turn);
    take_peeked(job, turn);
    job->ordered.base.now_us = turn->now_us;
    job->ordered.base.turn = turn->number;
    job->ordered.turn = turn;
    if (turn->kind == TURN_END) {
        TRY(pipeline_end(job));
        metrics_turn_done(job, turn);
        return NULL;
    }
    job->counters.turns++;
    job->counters.rows_in += turn->rows_in;
    job->counters.bytes_in += turn->byte_count;
    profile_turn_done(job, turn);
    job->counters.lookup_hits += turn->lookup_hits;
    job->counters.lookup_misses += turn->lookup_misses;
    job->counters.lookup_absent += turn->lookup_absent;
    if (turn->restarted)
        job->scans[turn->scan].splits[turn->split].lines = turn->header_lines;
    combine_watermarks(job, turn);
    TRY(pipeline_push_inputs(job, turn));
    Error *error = row_events_settle(job, turn);
    error = error ? error : turn_take_error(turn);
    if (error) { /* rows before it come out */
        Error *earlier = pipeline_release_rows(job); /* of rows that stand before */
        if (earlier)
            error_free(error);
        return earlier ? earlier : error;
    }
    clocks_turn_done(job, turn);
    TRY(pipeline_advance(job, turn->kind == TURN_TICK));
    metrics_turn_done(job, turn);
    if (turn->kind == TURN_TICK)
        TRY(flush_when_quiet(job));
    const Scan *scan = &job->scans[turn->scan];
    if (turn->kind == TURN_BATCH && scan->source_open && scan->source_spec.connector->source->verify)
        TRY(scan->source_spec.connector->source->verify((Source *)&scan->source, turn->split));
    return NULL;
}

/* At the end of a turn what counts is the state: rows of turns that threads have decoded ahead come and go, and no thread's speed shall decide
 * where a query ends. */
static Error *check_limit(const Job *job)
{
    const Operator *most = NULL;
    int64_t state_bytes = 0;
    const MemoryPool *over = pool_over_limit(&job->pool);
    if (!over)
        return NULL;
    for (int id = 0; id < job->plan->node_count; id++) {
        const Operator *op = job->ordered.operators[id];
        if (!op || !op->node || !op->node->state_bound)
            continue;
        state_bytes += op->pool.used_bytes;
        if (!most || op->pool.used_bytes > most->pool.used_bytes)
            most = op;
    }
    if (job->options.threads > 1 && state_bytes <= over->limit_bytes && !pool_far_over_limit(&job->pool))
        return NULL;
    Error *error = error_new(ERR_MEMORY, "the query holds %.1f MiB, more than its limit of %.1f MiB", (double)job->pool.used_bytes / 1048576,
                             (double)over->limit_bytes / 1048576);
    if (!most || most->pool.used_bytes < state_bytes / 2)
        return error;
    return error_hint(error, "%s holds %.1f MiB: %s", plan_kind_name(most->node->kind), (double)most->pool.used_bytes / 1048576, most->node->state_bound);
}

Error *turn_ordered(Job *job, Turn *turn)
{
    Error *error;
    MEMORY_GUARDED(error, run_ordered(job, turn));
    if (error && error->code != ERR_MEMORY)
        return error;
    Error *over = check_limit(job);
    if (!over)
        return error;
    error_free(error); /* a turn that took far too much was given up on its way */
    return over;
}
