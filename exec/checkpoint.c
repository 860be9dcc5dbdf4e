/* exec/checkpoint.c: a snapshot of a job between two turns.
 *
 *   scalars: fingerprint, turns done, counters, reasons of bad rows | per scan and split: name, position, lines, flags | per domain: watermarks |
 *   clock steps | per stateful operator: its watermarks and containers | per sink: its own text */
#include "exec/checkpoint.h"

#include <string.h>

#include "exec/sink_queue.h"
#include "exec/state.h"

#define CONTAINERS_MAX 64
#define JOB_VERSION 1

/* ---- writing ---- */

static void put_counters(PageWriter *page, const JobCounters *c)
{
    const uint64_t fields[] = { c->rows_in, c->rows_out, c->bytes_in, c->bad_rows, c->row_errors, c->late_rows, c->late_windows, c->turns,
        c->lookup_hits, c->lookup_misses, c->lookup_absent };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        page_put_u64(page, fields[i]);
}

static void put_text(PageWriter *page, const char *text)
{
    Str str = str_c(text);
    page_put_strings(page, &str, sizeof str, 1);
}

static void put_row_errors(const Job *job, PageWriter *page)
{
    page_put_u64(page, (uint64_t)job->row_errors.count);
    for (int i = 0; i < job->row_errors.count; i++) {
        const RowErrorSummary *error = &job->row_errors.items[i];
        page_put_u64(page, error->count);
        put_text(page, error->source);
        put_text(page, error->stage);
        put_text(page, error->reason);
        put_text(page, error->place);
    }
}

static const char *split_name(const Scan *scan, int split) { return scan->values ? "values" : scan->source.splits[split].name; }

static void write_job(const Job *job, Text *snapshot)
{
    PageWriter page = page_begin(snapshot, PAGE_SCALARS, JOB_VERSION, job->plan->fingerprint, 0);
    page_put_u64(&page, job->turns_done);
    put_counters(&page, &job->counters);
    put_row_errors(job, &page);
    for (int i = 0; i < job->scan_count; i++) {
        page_put_u64(&page, (uint64_t)job->scans[i].error_minute);
        page_put_u64(&page, job->scans[i].minute_errors);
        page_put_u64(&page, (uint64_t)job->scans[i].split_count);
        for (int s = 0; s < job->scans[i].split_count; s++) {
            const SplitState *split = &job->scans[i].splits[s];
            put_text(&page, split_name(&job->scans[i], s));
            page_put_u64(&page, split->position);
            page_put_u64(&page, split->restarted ? split->header_lines : split->lines);
            page_put_u64(&page, split->error_block);
            page_put_u64(&page, split->block_errors);
            page_put_u64(&page, (uint64_t)split->ended | (uint64_t)split->idle << 1 | (uint64_t)split->skipping << 2 | (uint64_t)split->opened << 3 | (uint64_t)split->idle_in_order << 4 | (uint64_t)split->ended_in_order << 5);
        }
    }
    for (int d = 0; d < job->domain_count; d++) {
        page_put_u64(&page, (uint64_t)job->domains[d].wm_us);
        for (int s = 0; s < job->scans[job->domains[d].scan].split_count; s++) {
            page_put_u64(&page, (uint64_t)job->domains[d].split_wm_us[s]);
            page_put_u64(&page, (uint64_t)job->domains[d].visible_wm_us[s]);
        }
    }
    page_put_u64(&page, (uint64_t)job->clock_steps.count);
    for (int i = 0; i < job->clock_steps.count; i++) {
        const ClockStep *step = &job->clock_steps.items[i];
        page_put_u64(&page, (uint64_t)step->domain);
        page_put_u64(&page, (uint64_t)step->split);
        page_put_u64(&page, (uint64_t)step->wm_us);
        page_put_u64(&page, step->turn);
    }
    for (int o = 0; o < job->plan->output_count; o++)
        page_put_u64(&page, job->output_done[o]);
    page_end(&page);
}

static void write_operator(Operator *op, Text *snapshot)
{
    PageWriter page = page_begin(snapshot, PAGE_SCALARS, JOB_VERSION, op->node->layout, 0);
    page_put_u64(&page, (uint64_t)op->wm_us);
    for (int i = 0; i < op->input_count; i++)
        page_put_u64(&page, (uint64_t)op->input_wm_us[i]);
    page_end(&page);
    Container *containers[CONTAINERS_MAX];
    int count = op->type->containers ? op->type->containers(op, containers, CONTAINERS_MAX) : 0;
    for (int i = 0; i < count; i++)
        container_write(containers[i], snapshot);
}

static Error *write_sinks(Job *job, Text *snapshot)
{
    for (int id = 0; id < job->plan->node_count; id++) {
        Sink *sink = job->sinks[id];
        const SinkType *type = sink ? sink->spec->connector->sink : NULL;
        if (!type || !type->snapshot)
            continue;
        Text state = { 0 };
        MEMORY_HOLD(text_unwind, &state);
        Error *error = type->snapshot(sink, &state);
        Str str = str_view(text_c(&state), state.length);
        PageWriter page = page_begin(snapshot, PAGE_ROWS, JOB_VERSION, job->plan->nodes[id]->layout, 1);
        page_put_strings(&page, &str, sizeof str, 1);
        page_end(&page);
        text_release(&state);
        TRY(error);
    }
    return NULL;
}

Error *job_snapshot(Job *job, Text *snapshot)
{
    if (!sink_queues_empty(job))
        return error_busy();
    write_job(job, snapshot);
    for (int id = 0; id < job->plan->node_count; id++)
        if (!job->parallel[id])
            write_operator(job->ordered.operators[id], snapshot);
    return write_sinks(job, snapshot);
}

/* ---- reading ---- */

static Error *get_i64(PageReader *page, int64_t *value)
{
    uint64_t bits;
    TRY(page_get_u64(page, &bits));
    *value = (int64_t)bits;
    return NULL;
}

static Error *get_counters(PageReader *page, JobCounters *c)
{
    uint64_t *const fields[] = { &c->rows_in, &c->rows_out, &c->bytes_in, &c->bad_rows, &c->row_errors, &c->late_rows, &c->late_windows,
        &c->turns, &c->lookup_hits, &c->lookup_misses, &c->lookup_absent };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        TRY(page_get_u64(page, fields[i]));
    return NULL;
}

static Error *get_text(PageReader *page, Arena *arena, const char **text)
{
    PageStrings strings;
    TRY(page_get_strings(page, 1, &strings));
    Str str = page_next_string(&strings);
    *text = arena_strndup(arena, str_bytes(&str), str.length);
    return NULL;
}

static Error *get_row_errors(Job *job, PageReader *page)
{
    uint64_t count;
    TRY(page_get_u64(page, &count));
    job->row_errors.count = 0;
    for (uint64_t i = 0; i < count; i++) {
        RowErrorSummary error;
        TRY(page_get_u64(page, &error.count));
        TRY(get_text(page, &job->arena, &error.source));
        TRY(get_text(page, &job->arena, &error.stage));
        TRY(get_text(page, &job->arena, &error.reason));
        TRY(get_text(page, &job->arena, &error.place));
        LIST_ADD(&job->arena, &job->row_errors, error);
    }
    return NULL;
}

/* A position belongs to a split, whatever its place in the list is now. */
static Error *check_split(const Scan *scan, int split, PageReader *page, Arena *arena)
{
    const char *known, *name = split_name(scan, split);
    TRY(get_text(page, arena, &known));
    if (strcmp(known, name) == 0)
        return NULL;
    return error_new(ERR_IO, "the snapshot knows '%s' where '%s' is now", known, name);
}

static Error *read_splits(Job *job, PageReader *page)
{
    for (int i = 0; i < job->scan_count; i++) {
        Scan *scan = &job->scans[i];
        uint64_t count, flags;
        TRY(get_i64(page, &scan->error_minute));
        TRY(page_get_u64(page, &scan->minute_errors));
        TRY(page_get_u64(page, &count));
        if (count != (uint64_t)scan->split_count)
            return error_new(ERR_IO, "the snapshot knows %llu splits of '%s', now there are %d", (unsigned long long)count,
                             scan->values ? "values" : scan->node->scan.source_name, scan->split_count);
        for (int s = 0; s < scan->split_count; s++) {
            SplitState *split = &scan->splits[s];
            TRY(check_split(scan, s, page, &job->operator_arena));
            TRY(page_get_u64(page, &split->position));
            TRY(page_get_u64(page, &split->lines));
            TRY(page_get_u64(page, &split->error_block));
            TRY(page_get_u64(page, &split->block_errors));
            TRY(page_get_u64(page, &flags));
            split->ended = flags & 1;
            split->idle = flags >> 1 & 1;
            split->skipping = flags >> 2 & 1;
            split->opened = flags >> 3 & 1;
            split->idle_in_order = flags >> 4 & 1;
            split->ended_in_order = flags >> 5 & 1;
        }
    }
    return NULL;
}

static Error *read_clocks(Job *job, PageReader *page)
{
    for (int d = 0; d < job->domain_count; d++) {
        TRY(get_i64(page, &job->domains[d].wm_us));
        for (int s = 0; s < job->scans[job->domains[d].scan].split_count; s++) {
            TRY(get_i64(page, &job->domains[d].split_wm_us[s]));
            TRY(get_i64(page, &job->domains[d].visible_wm_us[s]));
        }
    }
    uint64_t count;
    TRY(page_get_u64(page, &count));
    job->clock_steps.count = 0;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t domain, split, turn;
        ClockStep step;
        TRY(page_get_u64(page, &domain));
        TRY(page_get_u64(page, &split));
        TRY(get_i64(page, &step.wm_us));
        TRY(page_get_u64(page, &turn));
        if (domain >= (uint64_t)job->domain_count || split >= (uint64_t)job->scans[job->domains[domain].scan].split_count)
            return page_damaged("a clock of an unknown split");
        step.domain = (int)domain;
        step.split = (int)split;
        step.turn = turn;
        LIST_ADD(&job->clock_arena, &job->clock_steps, step);
    }
    return NULL;
}

static Error *read_job(Job *job, SnapshotReader *reader)
{
    PageReader page;
    TRY(page_open(reader, PAGE_SCALARS, JOB_VERSION, job->plan->fingerprint, &page));
    TRY(page_get_u64(&page, &job->turns_done));
    job->turns_drawn = job->turns_done;
    TRY(get_counters(&page, &job->counters));
    TRY(get_row_errors(job, &page));
    TRY(read_splits(job, &page));
    TRY(read_clocks(job, &page));
    for (int o = 0; o < job->plan->output_count; o++) {
        uint64_t done;
        TRY(page_get_u64(&page, &done));
        job->output_done[o] = done;
    }
    return page_close(&page);
}

static Error *read_operator(Operator *op, SnapshotReader *reader)
{
    PageReader page;
    TRY(page_open(reader, PAGE_SCALARS, JOB_VERSION, op->node->layout, &page));
    TRY(get_i64(&page, &op->wm_us));
    for (int i = 0; i < op->input_count; i++)
        TRY(get_i64(&page, &op->input_wm_us[i]));
    TRY(page_close(&page));
    Container *containers[CONTAINERS_MAX];
    int count = op->type->containers ? op->type->containers(op, containers, CONTAINERS_MAX) : 0;
    for (int i = 0; i < count; i++)
        TRY(container_read(containers[i], reader));
    return op->type->restored ? op->type->restored(op) : NULL;
}

static Error *read_sinks(Job *job, SnapshotReader *reader)
{
    for (int id = 0; id < job->plan->node_count; id++) {
        Sink *sink = job->sinks[id];
        const SinkType *type = sink ? sink->spec->connector->sink : NULL;
        if (!type || !type->snapshot)
            continue;
        PageReader page;
        PageStrings strings;
        TRY(page_open(reader, PAGE_ROWS, JOB_VERSION, job->plan->nodes[id]->layout, &page));
        TRY(page_get_strings(&page, 1, &strings));
        Str state = page_next_string(&strings);
        TRY(type->restore(sink, str_bytes(&state), state.length));
        TRY(page_close(&page));
    }
    return NULL;
}

static Error *restore(Job *job, const char *snapshot, size_t length)
{
    SnapshotReader reader = { snapshot, length, 0 };
    TRY(read_job(job, &reader));
    TRY(sequencer_seek(job));
    for (int id = 0; id < job->plan->node_count; id++)
        if (!job->parallel[id])
            TRY(read_operator(job->ordered.operators[id], &reader));
    return read_sinks(job, &reader);
}

Error *job_restore(Job *job, const char *snapshot, size_t length)
{
    Error *error;
    MEMORY_GUARDED(error, restore(job, snapshot, length));
    return error;
}

/* ---- replacing a job by its own snapshot ---- */

static Error *reopen(Job *job, const Text *snapshot)
{
    pipeline_close(job);
    sequencer_close(job);
    TRY(sequencer_open(job));
    TRY(pipeline_open(job));
    return restore(job, snapshot->bytes, snapshot->length);
}

Error *checkpoint_replace_job(Job *job)
{
    Text snapshot = { 0 };
    MEMORY_HOLD(text_unwind, &snapshot);
    Error *error;
    MEMORY_GUARDED(error, job_snapshot(job, &snapshot));
    if (!error)
        MEMORY_GUARDED(error, reopen(job, &snapshot));
    text_release(&snapshot);
    return error;
}

/* ---- sinks ---- */

Error *checkpoint_flush_sinks(Job *job)
{
    Error *busy = NULL; /* the others may go on meanwhile */
    for (int id = 0; id < job->plan->node_count; id++) {
        const SinkType *type = job->sinks[id] ? job->sinks[id]->spec->connector->sink : NULL;
        Error *error = type && type->flush ? type->flush(job->sinks[id]) : NULL;
        if (error && error->code != ERR_BUSY)
            return error;
        busy = error ? error : busy;
    }
    return busy;
}

Error *checkpoint_close_sinks(Job *job, bool commit)
{
    Error *first = NULL;
    for (int id = 0; job->sinks && id < job->plan->node_count; id++) {
        if (!job->sinks[id])
            continue;
        Error *error = job->sinks[id]->spec->connector->sink->close(job->sinks[id], commit && !first);
        job->sinks[id] = NULL;
        if (first)
            error_free(error);
        else
            first = error;
    }
    return first;
}
