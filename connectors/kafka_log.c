/* connectors/kafka_log.c: topics as logs in this process, of one partition each; a log that does not exist is made. */
#include <string.h>

#include "connectors/kafka_internal.h"
#include "connectors/topic_log.h"

/* ---- reading ---- */

typedef struct LogSource {
    TopicLog *log;
    uint64_t next, end; /* end: of a bounded read, as it was when that began */
} LogSource;

static Error *log_open(Source *source)
{
    const KafkaOptions *options = source->spec->options;
    LogSource *state = mem_calloc(1, sizeof *state);
    source->state = state;
    state->log = topic_log(source->context->topics, options->topic, true);
    source->splits = mem_calloc(1, sizeof *source->splits);
    state->end = kafka_bounded(options) != BOUNDED_NEVER ? topic_log_readable(state->log) : UINT64_MAX;
    source->splits[0] = (SourceSplit){ .name = topic_log_name(state->log), .length = -1, .bounded = kafka_bounded(options) != BOUNDED_NEVER };
    source->split_count = 1;
    return NULL;
}

static void log_close(Source *source)
{
    mem_free(source->splits);
    mem_free(source->state);
    source->splits = NULL;
    source->state = NULL;
    source->split_count = 0;
}

static Error *log_seek(Source *source, int split, uint64_t position)
{
    (void)split;
    ((LogSource *)source->state)->next = position;
    return NULL;
}

static Error *log_next(Source *source, int split, uint64_t max_rows, int64_t now_us, RowRange *range)
{
    (void)split;
    LogSource *state = source->state;
    uint64_t there = topic_log_readable(state->log) < state->end ? topic_log_readable(state->log) : state->end;
    there -= state->next;
    *range = (RowRange){ .first = state->next, .count = there < max_rows ? there : max_rows };
    range->end = state->next + range->count == state->end;
    if (range->count == 0 && range->end)
        return NULL;
    if (range->count == 0) {
        range->waiting = true;
        range->next_at_us = now_us + 10000;
        return NULL;
    }
    RecordSet *set = mem_calloc(1, sizeof *set + sizeof(Record) * range->count);
    Record *records = (Record *)(set + 1);
    for (uint64_t i = 0; i < range->count; i++)
        records[i] = *topic_log_readable_record(state->log, range->first + i);
    *set = (RecordSet){ .topic = topic_log_name(state->log), .count = (uint32_t)range->count, .records = records };
    range->page = set;
    range->page_free = mem_free;
    state->next += range->count;
    return NULL;
}

static int64_t log_progress(Source *source, int split)
{
    (void)split;
    return (int64_t)((LogSource *)source->state)->next;
}

const SourceType kafka_log_source = {
    .row_source = true,
    .record_source = true,
    .open = log_open,
    .close = log_close,
    .seek = log_seek,
    .next_rows = log_next,
    .progress = log_progress,
};

/* ---- writing ---- */

static Error *log_sink_open(Sink *sink)
{
    const KafkaOptions *options = sink->spec->options;
    sink->state = topic_log(sink->context->topics, options->topic, true);
    return NULL;
}

static Error *log_write(Sink *sink, const Record *records, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        topic_log_append(sink->state, &records[i], sink->context->batch_mode); /* bounded: INSERT .. VALUES, not a query that goes on */
    return NULL;
}

static Error *log_flush(Sink *sink)
{
    (void)sink;
    return NULL;
}

/* A restore goes back to the log's length. */
static Error *log_snapshot(Sink *sink, Text *state)
{
    uint64_t length = topic_log_count(sink->state);
    text_add(state, (const char *)&length, sizeof length);
    return NULL;
}

static Error *log_restore(Sink *sink, const char *state, size_t length)
{
    uint64_t records;
    if (length != sizeof records)
        return error_new(ERR_INTERNAL, "a snapshot of a topic has %zu bytes", length);
    memcpy(&records, state, sizeof records);
    topic_log_cut(sink->state, records);
    return NULL;
}

static Error *log_sink_close(Sink *sink, bool commit)
{
    (void)commit;
    sink->state = NULL;
    return NULL;
}

const SinkType kafka_log_sink = {
    .record_sink = true,
    .takes_updates = true,
    .needs_key = true,
    .open = log_sink_open,
    .write_records = log_write,
    .flush = log_flush,
    .snapshot = log_snapshot,
    .restore = log_restore,
    .close = log_sink_close,
};
