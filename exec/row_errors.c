/* exec/row_errors.c: rows that went wrong: fail, or count, summarise, and send to the dead letters.
 *
 * In a PARALLEL part a wrong row becomes an event of its turn; events are settled in the ORDERED part, by place in the input, so that
 * counters and dead letters do not depend on batch sizes and threads. */
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

static Scan *scan_of(Job *job, const PlanNode *node)
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
    Scan *scan = scan_of(job, node);
    if (!scan || scan->values) {
        text_printf(place, "row %llu", (unsigned long long)position + 1);
        return;
    }
    const char *name = split < scan->source.split_count ? scan->source.splits[split].name : scan->node->scan.source_name;
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

static const char *source_name(const PlanNode *node)
{
    const PlanNode *under = scan_under(node);
    return under->kind == PLAN_SCAN ? under->scan.source_name : "values";
}

/* ---- counting ---- */

static void summarise(Job *job, const PlanNode *node, int split, const RowEvent *event)
{
    const char *source = source_name(node);
    for (int i = 0; i < job->row_errors.count; i++) {
        RowErrorSummary *known = &job->row_errors.items[i];
        if (strcmp(known->source, source) == 0 && strcmp(known->stage, event->stage) == 0 && strcmp(known->reason, event->reason) == 0) {
            known->count++;
            return;
        }
    }
    if (job->row_errors.count >= REASONS_MAX) { /* reasons that carry data: one line for all the rest */
        RowErrorSummary *rest = &job->row_errors.items[job->row_errors.count - 1];
        rest->reason = "other reasons";
        rest->count++;
        return;
    }
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
    if (job->counters.bad_rows + job->counters.row_errors > job->options.max_bad_rows)
        return error_new(ERR_TOO_MANY_BAD, "more than %llu bad rows; the last: %s", (unsigned long long)job->options.max_bad_rows, event->reason);
    return NULL;
}

/* ---- dead letters ---- */

/* Bytes as text: what is not UTF-8 becomes U+FFFD. */
static Str printable(Arena *arena, Str raw)
{
    const char *bytes = str_bytes(&raw);
    size_t length = raw.length, good = utf8_valid_prefix(bytes, length);
    if (good == length)
        return raw;
    char *out = arena_alloc(arena, length * 3 + 1);
    size_t used = 0;
    for (size_t at = 0; at < length;) {
        size_t run = utf8_valid_prefix(bytes + at, length - at);
        memcpy(out + used, bytes + at, run);
        used += run;
        at += run;
        if (at < length) {
            memcpy(out + used, "\xEF\xBF\xBD", 3);
            used += 3;
            at++;
        }
    }
    return str_view(out, used);
}

static void set_text(Batch *batch, int column, uint32_t row, const char *text)
{
    if (text)
        ((Str *)batch->columns[column]->values)[row] = str_c(arena_strdup(&batch->arena, text));
    else
        vector_set_null(&batch->arena, batch->columns[column], row);
}

static Error *push_dead_letter(Job *job, Operator *op, int split, const RowEvent *event)
{
    Batch *batch = batch_for_schema(&job->pool, &dead_letter_columns, 1);
    batch->row_count = batch->selection.count = 1;
    batch->turn = job->ordered.base.turn;
    batch->now_us = job->ordered.base.now_us;
    batch->wm_end_us = TIME_MIN;
    if (event->has_raw) {
        Str raw = str_view(arena_copy(&batch->arena, str_bytes(&event->raw), event->raw.length), event->raw.length);
        *(Str *)batch->columns[0]->values = raw;
        *(Str *)batch->columns[1]->values = printable(&batch->arena, raw);
    } else {
        vector_set_null(&batch->arena, batch->columns[0], 0);
        vector_set_null(&batch->arena, batch->columns[1], 0);
    }
    if (event->has_place) /* where dead letters of several operators meet they are put in order by it */
        batch->positions = arena_copy(&batch->arena, &event->position, sizeof event->position);
    batch->split = (uint32_t)split;
    Scan *scan = scan_of(job, op->node);
    set_text(batch, 2, 0, event->has_place && scan && scan->source_open ? scan->source.splits[split].name : source_name(op->node));
    if (event->has_place)
        *(int64_t *)batch->columns[3]->values = (int64_t)event->position;
    else
        vector_set_null(&batch->arena, batch->columns[3], 0);
    if (event->line)
        *(int64_t *)batch->columns[4]->values = (int64_t)event->line;
    else
        vector_set_null(&batch->arena, batch->columns[4], 0);
    set_text(batch, 5, 0, event->stage);
    set_text(batch, 6, 0, event->column);
    set_text(batch, 7, 0, event->reason);
    return output_push(op, PORT_DEAD_LETTER, batch);
}

static Error *settle(Job *job, Operator *op, int split, const RowEvent *event)
{
    TRY(count_event(job, op->node, split, event));
    return output_wanted(op, PORT_DEAD_LETTER) ? push_dead_letter(job, op, split, event) : NULL;
}

/* ---- events of a turn ---- */

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

static void describe_row(Operator *op, const Batch *batch, int64_t row, RowEvent *event)
{
    if (row < 0) { /* -1 - index of a bad record */
        const BadRow *bad = &batch->bad_rows[-1 - row];
        event->position = bad->position;
        event->raw = bad->raw.length > RECORD_BYTES_MAX ? str_view(str_bytes(&bad->raw), LONG_RECORD_SHOWN) : bad->raw; /* however much was read */
        event->has_place = event->has_raw = true;
        return;
    }
    event->has_place = batch->positions;
    event->position = event->has_place ? batch->positions[row] : (uint64_t)row;
    Scan *scan = batch->lines && op->context->worker < 0 ? scan_of(op->context->job, op->node) : NULL;
    if (scan && batch->lines[row])
        event->line = scan->splits[batch->split].lines + batch->lines[row];
    if (batch->raw) {
        event->raw = batch->raw[row];
        event->has_raw = true;
    }
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
    Job *job = op->context->job;
    RowEvent event = { .node = op->node, .stage = stage, .column = column, .reason = reason };
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
    if (event.has_raw)
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
