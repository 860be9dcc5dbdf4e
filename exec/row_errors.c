/* exec/row_errors.c: rows that went wrong: fail, or count, summarise, and send to the dead letters.
 *
 * In a PARALLEL part a wrong row becomes an event of its turn; events are settled in the ORDERED part, by place in the input, so that
 * counters and dead letters do not depend on batch sizes and threads. */
#include "exec/dead_letters.h"
#include "exec/job_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REASONS_MAX 20         /* told apart in the summary */
#define LONG_RECORD_SHOWN 1024 /* bytes kept of a record that is too long */

/* ---- where a row stands ---- */

static const PlanNode *scan_under(const PlanNode *node)
{
    while (node->kind != PLAN_SCAN && node->kind != PLAN_VALUES && node->input_count > 0)
        node = node->inputs[0].node;
    return node;
}

Scan *row_errors_scan(Job *job, const PlanNode *node)
{
    const PlanNode *under = scan_under(node);
    for (int i = 0; i < job->scan_count; i++)
        if (job->scans[i].node == under)
            return &job->scans[i];
    return NULL;
}

/* Lines are counted only when somebody asks: by reading the split once more up to the place. 0: it cannot be told. */
static uint64_t line_at(Job *job, Scan *scan, int split, uint64_t position)
{
    if (!scan->source_open || scan->row_source || strcmp(scan->source.splits[split].name, "stdin") == 0)
        return 0;
    const SourceType *type = scan->source_spec.connector->source;
    Source again = { .spec = &scan->source_spec, .context = &job->connectors };
    uint64_t line = 1, done = 0;
    MEMORY_HOLD(source_unwind, &again);
    Error *error = type->open(&again);
    while (!error && split < again.split_count && done < position) {
        SourceInput input;
        Buffer *buffer = NULL;
        error = type->fill(&again, split, TURN_BYTES, 0, &input);
        if (error || input.length == 0 || input.skipped)
            break;
        size_t take = position - done < input.length ? (size_t)(position - done) : input.length;
        for (size_t i = 0; i < take; i++)
            line += input.bytes[i] == '\n';
        error = type->take(&again, split, take, &buffer);
        buffer_release(buffer);
        done += take;
    }
    type->close(&again);
    bool told = !error && done == position;
    error_free(error);
    return told ? line : 0;
}

void row_errors_place(Job *job, const PlanNode *node, int split, uint64_t position, uint64_t line, Text *place)
{
    Scan *scan = row_errors_scan(job, node);
    if (!scan || scan->values) {
        text_printf(place, "row %llu", (unsigned long long)position + 1);
        return;
    }
    const char *name = split < scan->source.split_count ? scan->source.splits[split].name : scan->node->scan.source_name;
    if (scan->record_source) {
        text_printf(place, "%s, offset %llu", name, (unsigned long long)position);
        return;
    }
    if (scan->row_source) {
        text_printf(place, "%s, row %llu", name, (unsigned long long)position + 1);
        return;
    }
    if (line == 0)
        line = line_at(job, scan, split, position);
    if (line)
        text_printf(place, "%s:%llu", name, (unsigned long long)line);
    else
        text_printf(place, "%s, byte %llu", name, (unsigned long long)position);
}

const char *row_errors_source(const PlanNode *node)
{
    const PlanNode *under = scan_under(node);
    return under->kind == PLAN_SCAN ? under->scan.source_name : "values";
}

/* ---- counting ---- */

/* False: the first of its kind, which needs an entry. */
static bool count_known(Job *job, const char *source, const char *stage, const char *reason, uint64_t count)
{
    for (int i = 0; i < job->row_errors.count; i++) {
        RowErrorSummary *known = &job->row_errors.items[i];
        if (strcmp(known->source, source) == 0 && strcmp(known->stage, stage) == 0 && strcmp(known->reason, reason) == 0) {
            known->count += count;
            return true;
        }
    }
    if (job->row_errors.count < REASONS_MAX)
        return false;
    RowErrorSummary *rest = &job->row_errors.items[job->row_errors.count - 1]; /* reasons that carry data: one line for all the rest */
    rest->reason = "other reasons";
    rest->count += count;
    return true;
}

static void summarise(Job *job, const PlanNode *node, int split, const RowEvent *event)
{
    const char *source = row_errors_source(node);
    if (count_known(job, source, event->stage, event->reason, 1))
        return;
    Text place = { 0 };
    MEMORY_HOLD(text_unwind, &place);
    if (event->has_place)
        row_errors_place(job, node, split, event->position, event->line, &place);
    RowErrorSummary summary = { arena_strdup(&job->arena, source), event->stage, arena_strdup(&job->arena, event->reason),
        arena_strdup(&job->arena, text_c(&place)), 1 };
    text_release(&place);
    LIST_ADD(&job->arena, &job->row_errors, summary);
}

static Error *count_event(Job *job, const PlanNode *node, int split, const RowEvent *event)
{
    if (job->node_counters)
        job->node_counters[node->id].bad_rows++;
    if (strcmp(event->stage, "expression") == 0)
        job->counters.row_errors++;
    else
        job->counters.bad_rows++;
    summarise(job, node, split, event);
    TRY(breaker_count(job, row_errors_scan(job, node), split, event));
    if (job->counters.bad_rows + job->counters.row_errors > job->options.max_bad_rows)
        return error_new(ERR_TOO_MANY_BAD, "more than %llu bad rows; the last: %s", (unsigned long long)job->options.max_bad_rows, event->reason);
    return NULL;
}

/* ---- events of a turn ---- */

Error *row_errors_refused(Job *job, const PlanNode *sink, uint64_t count, const char *reason)
{
    const char *target = job->plan->outputs[sink->sink.output].name;
    job->counters.bad_rows += count;
    if (job->node_counters)
        job->node_counters[sink->id].bad_rows += count;
    if (!count_known(job, target, "sink", reason, count)) {
        const RowErrorSummary summary = { arena_strdup(&job->arena, target), "sink", arena_strdup(&job->arena, reason), "", count };
        LIST_ADD(&job->arena, &job->row_errors, summary);
    }
    const RowProblem problem = { .stage = "sink", .operator = plan_kind_name(sink->kind), .source = target, .reason = reason, .count = count };
    if (job->options.row_log.problem)
        job->options.row_log.problem(job->options.row_log.caller, &problem);
    if (job->counters.bad_rows + job->counters.row_errors > job->options.max_bad_rows)
        return error_new(ERR_TOO_MANY_BAD, "more than %llu bad rows; the last: %s", (unsigned long long)job->options.max_bad_rows, reason);
    return NULL;
}

/* Lines are told where they are counted anyway: who logs many rows does not read files again. */
static void log_problem(Job *job, const Operator *op, int split, const RowEvent *event)
{
    const Scan *scan = row_errors_scan(job, op->node);
    RowProblem problem = { .stage = event->stage, .operator = plan_kind_name(op->node->kind), .source = row_errors_source(op->node), .column = event->column,
        .reason = event->reason, .topic = event->record ? event->set->topic : NULL, .has_position = event->has_place, .position = event->position, .line = event->line, .count = 1 };
    if (event->has_place && scan && scan->source_open && split < scan->source.split_count)
        problem.split = scan->source.splits[split].name;
    if (event->has_raw) {
        problem.record = str_bytes(&event->raw);
        problem.record_length = event->raw.length;
    }
    job->options.row_log.problem(job->options.row_log.caller, &problem);
}

static Error *settle(Job *job, Operator *op, int split, const RowEvent *event)
{
    if (job->options.row_log.problem)
        log_problem(job, op, split, event);
    TRY(count_event(job, op->node, split, event));
    return output_wanted(op, PORT_DEAD_LETTER) ? dead_letter_push(job, op, split, event) : NULL;
}

static int event_order(const void *a, const void *b)
{
    const RowEvent *x = a, *y = b;
    if (x->position != y->position)
        return x->position < y->position ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

Error *row_events_settle(Job *job, Turn *turn)
{
    if (turn->events.count == 0)
        return NULL;
    qsort(turn->events.items, (size_t)turn->events.count, sizeof *turn->events.items, event_order);
    Scan *scan = &job->scans[turn->scan];
    uint64_t line = scan->count_lines ? scan->splits[turn->split].lines + 1 : 0, at = 0;
    for (int i = 0; i < turn->events.count; i++) {
        RowEvent *event = &turn->events.items[i];
        if (scan->count_lines && turn->bytes) {
            for (uint64_t to = event->position - turn->position; at < to && at < turn->length; at++)
                line += turn->bytes->bytes[at] == '\n';
            event->line = line;
        }
        Operator *op = job->ordered.operators[event->node->id];
        Operator stand_in = { .node = event->node, .context = &job->ordered.base };
        TRY(settle(job, op ? op : &stand_in, turn->split, event));
    }
    return NULL;
}

/* The message that a row of this turn was: offsets rise within a turn. */
static void find_record(const Turn *turn, RowEvent *event)
{
    const RecordSet *set = turn->range.page;
    uint32_t low = 0, high = set->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (set->records[middle].offset < event->position)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == set->count || set->records[low].offset != event->position)
        return;
    event->set = set;
    event->record = &set->records[low];
    event->has_raw = event->record->value != NULL;
    event->raw = str_view(event->record->value, event->record->value ? event->record->value_length : 0);
}

static void find_message(Operator *op, const Batch *batch, RowEvent *event)
{
    Job *job = op->context->job;
    const Turn *turn = op->context->worker >= 0 ? context_worker(op)->turn : job->ordered.turn;
    const Scan *scan = row_errors_scan(job, op->node);
    if (scan && scan->record_source && event->has_place && turn && turn->range.page && turn->number == batch->turn && &job->scans[turn->scan] == scan)
        find_record(turn, event);
}

static void describe_row(Operator *op, const Batch *batch, int64_t row, RowEvent *event)
{
    if (row < 0) { /* -1 - index of a bad record */
        const BadRow *bad = &batch->bad_rows[-1 - row];
        event->position = bad->position;
        event->raw = bad->raw.length > RECORD_BYTES_MAX ? str_view(str_bytes(&bad->raw), LONG_RECORD_SHOWN) : bad->raw; /* however much was read */
        event->has_place = event->has_raw = true;
        find_message(op, batch, event);
        return;
    }
    event->has_place = batch->positions;
    event->position = event->has_place ? batch->positions[row] : (uint64_t)row;
    Scan *scan = batch->lines && op->context->worker < 0 ? row_errors_scan(op->context->job, op->node) : NULL;
    if (scan && batch->lines[row])
        event->line = scan->splits[batch->split].lines + batch->lines[row];
    if (batch->raw) {
        event->raw = batch->raw[row];
        event->has_raw = true;
    }
    find_message(op, batch, event);
}

static Error *row_failed(Operator *op, const Batch *batch, const RowEvent *event, Span at)
{
    Job *job = op->context->job;
    Text place = { 0 };
    MEMORY_HOLD(text_unwind, &place);
    if (batch->positions || strcmp(event->stage, "decode") == 0)
        row_errors_place(job, op->node, (int)batch->split, event->position, event->line, &place);
    if (place.length)
        text_add_c(&place, ": ");
    Error *error = event->column ? error_at(ERR_ROW, at, "%scolumn '%s': %s", text_c(&place), event->column, event->reason)
                                 : error_at(ERR_ROW, at, "%s%s", text_c(&place), event->reason);
    text_release(&place);
    if (strcmp(event->stage, "expression") == 0)
        return error_hint(error, "set 'on_expr_error' to 'null' or 'dead_letter' to go on");
    return error_hint(error, "set 'on_error' to 'skip' or 'dead_letter' to go on");
}

Error *job_row_error(Operator *op, RowPolicy policy, const Batch *batch, int64_t row, const char *stage, const char *column, const char *reason, Span at)
{
    static const Batch none; /* of results of groups, which are rows of no batch */
    Job *job = op->context->job;
    RowEvent event = { .node = op->node, .stage = stage, .column = column, .reason = reason };
    batch = batch ? batch : &none;
    describe_row(op, batch, row, &event);
    if (op->context->worker >= 0 && row >= 0 && !batch->positions)
        context_worker(op)->turn->wants_places = true;
    if (policy == POLICY_FAIL)
        return row_failed(op, batch, &event, at);
    if (op->context->worker < 0)
        return settle(job, op, (int)batch->split, &event);
    Turn *turn = context_worker(op)->turn;
    event.reason = arena_strdup(&turn->arena, reason);
    event.column = column ? arena_strdup(&turn->arena, column) : NULL;
    if (event.has_raw && !event.record) /* messages stay until the turn is done */
        event.raw = str_view(arena_copy(&turn->arena, str_bytes(&event.raw), event.raw.length), event.raw.length);
    event.order = (uint32_t)turn->events.count;
    LIST_ADD(&turn->arena, &turn->events, event);
    return NULL;
}

void job_count_late(Operator *op, uint64_t rows, uint64_t windows)
{
    if (op->profiled)
        op->context->job->node_counters[op->node->id].late_rows += rows;
    op->context->job->counters.late_rows += rows;
    op->context->job->counters.late_windows += windows;
}
