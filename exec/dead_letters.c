/* exec/dead_letters.c: see dead_letters.h.
 *
 * A dead letter that was a message keeps its key, its value and its headers; what went wrong stands in headers of its own, "bq.error.*". Those of an
 * earlier attempt (a letter that was replayed and failed again) give way to the new ones, and the attempt is counted. */
#include "exec/dead_letters.h"

#include "common/calendar.h"
#include "common/value_text.h"

#include <stdlib.h>
#include <string.h>

#define ERROR_HEADER "bq.error."
#define MESSAGE_BYTES_MAX 1024 /* of the reason */
#define BREAKER_BLOCK 1000     /* records */

/* ---- the columns ---- */

static void set_text(Batch *batch, int column, const char *text)
{
    if (text)
        *(Str *)batch->columns[column]->values = str_c(arena_strdup(&batch->arena, text));
    else
        vector_set_null(&batch->arena, batch->columns[column], 0);
}

static void set_bytes(Batch *batch, int column, const char *bytes, size_t length)
{
    if (bytes)
        *(Str *)batch->columns[column]->values = str_view(arena_copy(&batch->arena, bytes, length), length);
    else
        vector_set_null(&batch->arena, batch->columns[column], 0);
}

static void set_number(Batch *batch, int column, bool known, int64_t number)
{
    if (known)
        *(int64_t *)batch->columns[column]->values = number;
    else
        vector_set_null(&batch->arena, batch->columns[column], 0);
}

/* ---- headers ---- */

typedef struct Headers {
    Arena *arena;
    const Type *pair;
    struct { Value *items; int count, capacity; } list;
} Headers;

static void add_header(Headers *headers, const char *key, const char *value, size_t length)
{
    Value *fields = ARENA_ARRAY(headers->arena, Value, 2);
    fields[0] = (Value){ .type = headers->pair->children[0], .text = str_c(key) };
    fields[1] = value ? (Value){ .type = headers->pair->children[1], .text = str_view(value, length) } : value_null(headers->pair->children[1]);
    LIST_ADD(headers->arena, &headers->list, ((Value){ .type = headers->pair, .nested = { fields, 2 } }));
}

static void add_text(Headers *headers, const char *name, const char *value)
{
    if (value)
        add_header(headers, arena_printf(headers->arena, ERROR_HEADER "%s", name), value, strlen(value));
}

static void add_number(Headers *headers, const char *name, int64_t number)
{
    add_text(headers, name, arena_printf(headers->arena, "%lld", (long long)number));
}

static bool is_error_header(const RecordHeader *header) { return strncmp(header->key, ERROR_HEADER, strlen(ERROR_HEADER)) == 0; }

/* How often the message has failed before. */
static int64_t attempts_before(const Record *record)
{
    for (int i = 0; record && i < record->header_count; i++)
        if (strcmp(record->headers[i].key, ERROR_HEADER "attempt") == 0 && record->headers[i].value) {
            char digits[20] = { 0 };
            size_t length = record->headers[i].value_length;
            memcpy(digits, record->headers[i].value, length < sizeof digits - 1 ? length : sizeof digits - 1);
            return strtoll(digits, NULL, 10);
        }
    return 0;
}

/* For programs, which shall not read messages. */
static const char *error_code(const char *stage)
{
    static const char *const codes[][2] = { { "decode", "RECORD_NOT_DECODED" }, { "time", "NO_EVENT_TIME" }, { "expression", "EXPRESSION_FAILED" } };
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (strcmp(stage, codes[i][0]) == 0)
            return codes[i][1];
    return "ROW_REFUSED";
}

/* Decoders say where in the value they stumbled: "invalid JSON at byte 17: ..". */
static const char *byte_position(Arena *arena, const char *reason)
{
    const char *at = strstr(reason, " at byte ");
    size_t digits = at ? strspn(at + strlen(" at byte "), "0123456789") : 0;
    return digits ? arena_strndup(arena, at + strlen(" at byte "), digits) : NULL;
}

static void add_error_headers(Job *job, Operator *op, int split, const RowEvent *event, Headers *headers)
{
    const Scan *scan = row_errors_scan(job, op->node);
    size_t length = strlen(event->reason);
    add_text(headers, "kind", event->stage);
    add_text(headers, "code", error_code(event->stage));
    add_text(headers, "message", arena_strndup(headers->arena, event->reason, utf8_valid_prefix(event->reason, length < MESSAGE_BYTES_MAX ? length : MESSAGE_BYTES_MAX)));
    add_text(headers, "query", job->plan->output_count ? job->plan->outputs[0].name : NULL);
    add_text(headers, "source", row_errors_source(op->node));
    if (event->record) {
        add_text(headers, "topic", event->set->topic);
        add_number(headers, "partition", event->set->partition);
        add_number(headers, "offset", (int64_t)event->record->offset);
        add_number(headers, "timestamp", floor_div(event->record->timestamp_us, US_PER_MS));
    } else if (event->has_place && scan && scan->source_open) {
        add_text(headers, "split", scan->source.splits[split].name);
        add_number(headers, "position", (int64_t)event->position);
        if (event->line)
            add_number(headers, "line", (int64_t)event->line);
    }
    add_text(headers, "column", event->column);
    add_text(headers, "byte_pos", byte_position(headers->arena, event->reason));
    add_number(headers, "attempt", attempts_before(event->record) + 1);
    add_text(headers, "version", BIDSQL_VERSION);
}

static void set_headers(Batch *batch, int column, const Headers *headers)
{
    Value list = { .type = batch->columns[column]->type };
    list.nested.items = headers->list.items;
    list.nested.count = (uint32_t)headers->list.count;
    vector_set(&batch->arena, batch->columns[column], 0, &list);
}

static void fill_headers(Job *job, Operator *op, int split, const RowEvent *event, Batch *batch)
{
    Headers headers = { .arena = &batch->arena, .pair = batch->columns[LETTER_HEADERS]->type->children[0] };
    const Record *record = event->record;
    for (int i = 0; record && i < record->header_count; i++)
        if (!is_error_header(&record->headers[i]))
            add_header(&headers, record->headers[i].key, record->headers[i].value, record->headers[i].value_length);
    if (record)
        set_headers(batch, LETTER_HEADERS, &headers);
    else
        vector_set_null(&batch->arena, batch->columns[LETTER_HEADERS], 0);
    add_error_headers(job, op, split, event, &headers);
    set_headers(batch, LETTER_ALL_HEADERS, &headers);
}

/* ---- the letter ---- */

static void fill_place(Job *job, Operator *op, int split, const RowEvent *event, Batch *batch)
{
    const Scan *scan = row_errors_scan(job, op->node);
    if (event->has_place) /* where dead letters of several operators meet they are put in order by it */
        batch->positions = arena_copy(&batch->arena, &event->position, sizeof event->position);
    batch->split = (uint32_t)split;
    set_text(batch, LETTER_SOURCE, event->has_place && scan && scan->source_open ? scan->source.splits[split].name : row_errors_source(op->node));
    set_number(batch, LETTER_POSITION, event->has_place, (int64_t)event->position);
    set_number(batch, LETTER_LINE, event->line != 0, (int64_t)event->line);
}

Error *dead_letter_push(Job *job, Operator *op, int split, const RowEvent *event)
{
    const Record *record = event->record;
    Batch *batch = batch_for_schema(&job->pool, &dead_letter_columns, 1);
    batch->row_count = batch->selection.count = 1;
    batch->turn = job->ordered.base.turn;
    batch->now_us = job->ordered.base.now_us;
    batch->wm_end_us = TIME_MIN;
    set_bytes(batch, LETTER_RAW, event->has_raw ? str_bytes(&event->raw) : NULL, event->raw.length);
    if (event->has_raw)
        *(Str *)batch->columns[LETTER_TEXT]->values = text_printable(&batch->arena, *(const Str *)batch->columns[LETTER_RAW]->values);
    else
        vector_set_null(&batch->arena, batch->columns[LETTER_TEXT], 0);
    fill_place(job, op, split, event, batch);
    set_text(batch, LETTER_STAGE, event->stage);
    set_text(batch, LETTER_COLUMN, event->column);
    set_text(batch, LETTER_REASON, event->reason);
    set_bytes(batch, LETTER_KEY, record ? record->key : NULL, record ? record->key_length : 0);
    set_number(batch, LETTER_PARTITION, record != NULL, record ? event->set->partition : 0);
    set_number(batch, LETTER_TIME, true, record ? record->timestamp_us : batch->now_us);
    fill_headers(job, op, split, event, batch);
    job->counters.dead_letters++;
    return output_push(op, PORT_DEAD_LETTER, batch);
}

/* ---- too many of them ---- */

static Error *trip(const PlanNode *scan, const char *option, const char *what, uint64_t errors, const RowEvent *event)
{
    Error *error = error_new(ERR_TOO_MANY_BAD, "'%s': %llu %s are bad; the last: %s", scan->scan.source_name, (unsigned long long)errors, what, event->reason);
    return error_hint(error, "mend the source or its declaration, or set '%s'", option);
}

Error *breaker_count(Job *job, Scan *scan, int split, const RowEvent *event)
{
    if (!scan || scan->values)
        return NULL;
    const PlanNode *node = scan->node;
    const int64_t minute = floor_div(job->ordered.base.now_us, US_PER_MINUTE);
    scan->minute_errors = minute == scan->error_minute ? scan->minute_errors + 1 : 1;
    scan->error_minute = minute;
    if (node->scan.max_errors_per_min && scan->minute_errors > (uint64_t)node->scan.max_errors_per_min)
        return trip(node, "max_errors_per_min", "rows of one minute", scan->minute_errors, event);
    if (!event->has_place || node->scan.max_error_ratio <= 0 || !scan->row_source)
        return NULL;
    SplitState *state = &scan->splits[split];
    const uint64_t block = event->position / BREAKER_BLOCK;
    state->block_errors = block == state->error_block ? state->block_errors + 1 : 1;
    state->error_block = block;
    if ((double)state->block_errors > node->scan.max_error_ratio * BREAKER_BLOCK)
        return trip(node, "max_error_ratio", "of 1000 records", state->block_errors, event);
    return NULL;
}
