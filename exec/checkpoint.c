/* exec/checkpoint.c: a snapshot of a job between two turns.
 *
 *   scalars: fingerprint, turns done, counters, reasons of bad rows | per scan and split: name, position, lines, flags | per domain: watermarks |
 *   clock steps | per stateful operator: its watermarks and containers | per sink: its own text */
#include "exec/checkpoint.h"
#include "exec/sink_queue.h"

#include <string.h>

#include "exec/sink_queue.h"
#include "exec/state.h"
#include "exec/substreams.h"

#define JOB_VERSION 1

/* ---- writing ---- */

static void put_counters(PageWriter *page, const JobCounters *c)
{
    const uint64_t fields[] = { c->rows_in, c->rows_out, c->bytes_in, c->bad_rows, c->row_errors, c->late_rows, c->late_windows, c->turns,
        c->lookup_hits, c->lookup_misses, c->lookup_absent, c->bytes_out };
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
    page_put_u64(&page, job->chosen_by_age);
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
            page_put_u64(&page, (uint64_t)split->last_rows_us);
            page_put_u64(&page, split->last_turn);
            page_put_u64(&page, (uint64_t)split->ended | (uint64_t)split->idle << 1 | (uint64_t)split->skipping << 2 | (uint64_t)split->opened << 3 | (uint64_t)split->idle_in_order << 4 | (uint64_t)split->ended_in_order << 5 | (uint64_t)split->caught_up << 6);
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
    page_put_u64(&page, job->retired);
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

static void keep_positions(Job *job)
{
    for (int i = 0; i < job->scan_count; i++)
        for (int s = 0; s < job->scans[i].split_count; s++) {
            job->scans[i].splits[s].kept_position = job->scans[i].splits[s].position;
            job->scans[i].splits[s].kept = true;
        }
}

Error *job_snapshot(Job *job, Text *snapshot)
{
    if (!sink_queues_empty(job) || job->again)
        return error_busy();
    write_job(job, snapshot);
    keep_positions(job);
    for (int id = 0; id < job->plan->node_count; id++)
        if (!job->parallel[id] && !substreams_member(job->plan->nodes[id]))
            write_operator(job->ordered.operators[id], snapshot);
    return job->retired ? NULL : write_sinks(job, snapshot);
}

static Error *commit_scan(Scan *scan)
{
    const SourceType *type = scan->source_open ? scan->source_spec.connector->source : NULL;
    if (!type || !type->commit || scan->split_count == 0)
        return NULL;
    uint64_t *positions = mem_calloc((size_t)scan->split_count, sizeof *positions);
    bool all = true;
    for (int s = 0; s < scan->split_count; s++) {
        positions[s] = scan->splits[s].kept_position;
        all &= scan->splits[s].kept;
    }
    Error *error = all ? type->commit(&scan->source, positions) : NULL; /* a split that has come since waits for the next snapshot */
    mem_free(positions);
    return error;
}

Error *job_commit(Job *job)
{
    Error *first = NULL;
    for (int i = 0; i < job->scan_count; i++) {
        Error *error;
        MEMORY_GUARDED(error, commit_scan(&job->scans[i]));
        if (first)
            error_free(error);
        else
            first = error;
    }
    return first;
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
        &c->turns, &c->lookup_hits, &c->lookup_misses, &c->lookup_absent, &c->bytes_out };
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

/* Which split of now is one of the snapshot's; -1: none, as it had ended and is gone. */
typedef struct SplitPlaces {
    int *places;
    uint64_t count;
} SplitPlaces;

static int place_of(const Scan *scan, const char *name)
{
    for (int s = 0; s < scan->split_count; s++)
        if (strcmp(split_name(scan, s), name) == 0)
            return s;
    return -1;
}

static void take_flags(SplitState *split, uint64_t flags)
{
    split->ended = flags & 1;
    split->idle = flags >> 1 & 1;
    split->skipping = flags >> 2 & 1;
    split->opened = flags >> 3 & 1;
    split->idle_in_order = flags >> 4 & 1;
    split->ended_in_order = flags >> 5 & 1;
    split->caught_up = flags >> 6 & 1;
}

/* A position belongs to a split, whatever its place in the list is now. */
static Error *read_split(Scan *scan, PageReader *page, Arena *arena, int *place)
{
    const char *name;
    SplitState known = { 0 };
    uint64_t flags;
    TRY(get_text(page, arena, &name));
    TRY(page_get_u64(page, &known.position));
    TRY(page_get_u64(page, &known.lines));
    TRY(page_get_u64(page, &known.error_block));
    TRY(page_get_u64(page, &known.block_errors));
    TRY(get_i64(page, &known.last_rows_us));
    TRY(page_get_u64(page, &known.last_turn));
    TRY(page_get_u64(page, &flags));
    take_flags(&known, flags);
    *place = place_of(scan, name);
    if (*place < 0)
        return known.ended_in_order ? NULL : error_new(ERR_IO, "the snapshot goes on in '%s', which is gone", name);
    SplitState *split = &scan->splits[*place];
    split->position = known.position;
    split->lines = known.lines;
    split->error_block = known.error_block;
    split->block_errors = known.block_errors;
    split->last_rows_us = known.last_rows_us;
    split->last_turn = known.last_turn;
    take_flags(split, flags);
    return NULL;
}

/* Splits that the snapshot does not know are new: they start from where the source says. */
static Error *start_new_splits(Scan *scan, const SplitPlaces *known)
{
    Error *(*seek_new)(Source *, int, uint64_t *) = scan->source_open ? scan->source_spec.connector->source->seek_new : NULL;
    for (int s = 0; seek_new && s < scan->split_count; s++) {
        bool is_new = true;
        for (uint64_t k = 0; k < known->count; k++)
            is_new &= known->places[k] != s;
        if (is_new)
            TRY(seek_new(&scan->source, s, &scan->splits[s].position));
    }
    return NULL;
}

static Error *read_splits(Job *job, PageReader *page, SplitPlaces *places)
{
    for (int i = 0; i < job->scan_count; i++) {
        Scan *scan = &job->scans[i];
        SplitPlaces *known = &places[i];
        TRY(get_i64(page, &scan->error_minute));
        TRY(page_get_u64(page, &scan->minute_errors));
        TRY(page_get_u64(page, &known->count));
        if (known->count > (uint64_t)(page->end - page->next))
            return page_damaged("more splits than bytes");
        known->places = ARENA_ARRAY(&job->operator_arena, int, (size_t)known->count + 1);
        for (uint64_t s = 0; s < known->count; s++)
            TRY(read_split(scan, page, &job->operator_arena, &known->places[s]));
        TRY(start_new_splits(scan, known));
    }
    return NULL;
}

static Error *read_clock(Domain *domain, const SplitPlaces *known, PageReader *page)
{
    TRY(get_i64(page, &domain->wm_us));
    for (uint64_t s = 0; s < known->count; s++) {
        int64_t wm_us, visible_us;
        TRY(get_i64(page, &wm_us));
        TRY(get_i64(page, &visible_us));
        if (known->places[s] < 0)
            continue;
        domain->split_wm_us[known->places[s]] = wm_us;
        domain->visible_wm_us[known->places[s]] = visible_us;
    }
    return NULL;
}

static Error *read_clock_step(Job *job, const SplitPlaces *places, PageReader *page)
{
    uint64_t domain, split;
    ClockStep step;
    TRY(page_get_u64(page, &domain));
    TRY(page_get_u64(page, &split));
    TRY(get_i64(page, &step.wm_us));
    TRY(page_get_u64(page, &step.turn));
    if (domain >= (uint64_t)job->domain_count || split >= places[job->domains[domain].scan].count)
        return page_damaged("a clock of an unknown split");
    step.domain = (int)domain;
    step.split = places[job->domains[domain].scan].places[split];
    if (step.split >= 0)
        LIST_ADD(&job->clock_arena, &job->clock_steps, step);
    return NULL;
}

static Error *read_clocks(Job *job, const SplitPlaces *places, PageReader *page)
{
    for (int d = 0; d < job->domain_count; d++)
        TRY(read_clock(&job->domains[d], &places[job->domains[d].scan], page));
    uint64_t count;
    TRY(page_get_u64(page, &count));
    job->clock_steps.count = 0;
    for (uint64_t i = 0; i < count; i++)
        TRY(read_clock_step(job, places, page));
    return NULL;
}

static Error *read_job(Job *job, SnapshotReader *reader)
{
    PageReader page;
    TRY(page_open(reader, PAGE_SCALARS, JOB_VERSION, job->plan->fingerprint, &page));
    uint64_t by_age;
    TRY(page_get_u64(&page, &job->turns_done));
    TRY(page_get_u64(&page, &by_age));
    job->chosen_by_age = by_age;
    job->turns_drawn = job->turns_done;
    TRY(get_counters(&page, &job->counters));
    TRY(get_row_errors(job, &page));
    SplitPlaces *places = ARENA_ARRAY(&job->operator_arena, SplitPlaces, (size_t)job->scan_count + 1);
    TRY(read_splits(job, &page, places));
    TRY(read_clocks(job, places, &page));
    for (int o = 0; o < job->plan->output_count; o++) {
        uint64_t done;
        TRY(page_get_u64(&page, &done));
        job->output_done[o] = done;
    }
    uint64_t retired;
    TRY(page_get_u64(&page, &retired));
    job->retired = retired;
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
        if (!job->parallel[id] && !substreams_member(job->plan->nodes[id]))
            TRY(read_operator(job->ordered.operators[id], &reader));
    return job->retired ? NULL : read_sinks(job, &reader);
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

Error *checkpoint_flush_sinks(Job *job, bool in_passing)
{
    Error *busy = NULL; /* the others may go on meanwhile */
    for (int id = 0; id < job->plan->node_count; id++) {
        const SinkType *type = job->sinks[id] ? job->sinks[id]->spec->connector->sink : NULL;
        Error *error = type && type->flush && !(in_passing && type->flushes_itself) ? type->flush(job->sinks[id]) : NULL;
        if (error && error->code != ERR_BUSY)
            return error;
        busy = error ? error : busy;
    }
    return busy ? busy : sink_queues_count_refused(job);
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
