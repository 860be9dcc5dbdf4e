/* connectors/kafka_log.c: topics as logs in this process; a log that does not exist is made. A partition is a split, as with a broker. */
#include <string.h>

#include "connectors/kafka_internal.h"
#include "connectors/topic_log.h"

#define RANGE_BYTES (256u << 10) /* of values; a turn ends there */

/* ---- reading ---- */

typedef struct LogSource {
    Arena arena;             /* what is kept of partitions */
    TopicLog *log;
    bool bounded;
    uint64_t *next, *end;    /* by partition; end: of a bounded read, as it was when that began */
} LogSource;

static void add_partitions(Source *source, int count)
{
    LogSource *state = source->state;
    SourceSplit *splits = ARENA_ARRAY(&state->arena, SourceSplit, (size_t)count);
    uint64_t *next = ARENA_ARRAY(&state->arena, uint64_t, (size_t)count), *end = ARENA_ARRAY(&state->arena, uint64_t, (size_t)count);
    int known = source->split_count;
    const bool latest = kafka_startup(source->spec->options) == STARTUP_LATEST;
    if (known) {
        memcpy(splits, source->splits, sizeof *splits * (size_t)known);
        memcpy(next, state->next, sizeof *next * (size_t)known);
        memcpy(end, state->end, sizeof *end * (size_t)known);
    }
    for (int p = known; p < count; p++) {
        next[p] = known == 0 && latest ? topic_log_readable(state->log, p) : 0;
        splits[p] = (SourceSplit){ .name = arena_printf(&state->arena, "%s-%d", topic_log_name(state->log), p), .length = -1, .bounded = state->bounded, .start = next[p] };
        end[p] = state->bounded ? topic_log_readable(state->log, p) : UINT64_MAX;
    }
    source->splits = splits;
    state->next = next;
    state->end = end;
    source->split_count = count;
}

static void make_partitions(TopicLogs *logs, const KafkaOptions *options, TopicLog **log)
{
    *log = topic_log(logs, options->topic, false);
    if (*log)
        return;
    *log = topic_log(logs, options->topic, true);
    if (options->partitions > 0)
        topic_log_grow(*log, (int)options->partitions);
}

static Error *log_open(Source *source)
{
    const KafkaOptions *options = source->spec->options;
    LogSource *state = mem_calloc(1, sizeof *state);
    source->state = state;
    arena_init(&state->arena, source->context->pool);
    state->bounded = kafka_bounded(options) != BOUNDED_NEVER;
    make_partitions(source->context->topics, options, &state->log);
    topic_log_watch(state->log, source->context->waker);
    add_partitions(source, topic_log_partitions(state->log));
    return NULL;
}

static void log_close(Source *source)
{
    LogSource *state = source->state;
    if (!state)
        return;
    if (state->log)
        topic_log_forget(state->log, source->context->waker);
    arena_release(&state->arena);
    mem_free(state);
    source->splits = NULL;
    source->state = NULL;
    source->split_count = 0;
}

static Error *log_seek(Source *source, int split, uint64_t position)
{
    ((LogSource *)source->state)->next[split] = position;
    return NULL;
}

static Error *log_discover(Source *source)
{
    int count = topic_log_partitions(((LogSource *)source->state)->log);
    if (count > source->split_count)
        add_partitions(source, count);
    return NULL;
}

static uint64_t end_of(const LogSource *state, int split)
{
    uint64_t there = topic_log_readable(state->log, split);
    return there < state->end[split] ? there : state->end[split];
}

static int64_t log_end_position(Source *source, int split) { return (int64_t)end_of(source->state, split); }

/* How many of the next records make a turn, as with a broker. */
static uint64_t fitting(const TopicLog *log, int split, uint64_t next, uint64_t most)
{
    uint64_t count = 0;
    for (size_t bytes = 0; count < most && bytes < RANGE_BYTES; count++)
        bytes += topic_log_readable_record(log, split, next + count)->value_length;
    return count;
}

static Error *log_next(Source *source, int split, uint64_t max_rows, int64_t now_us, RowRange *range)
{
    (void)now_us;
    LogSource *state = source->state;
    uint64_t next = state->next[split], end = end_of(state, split), fetched = topic_log_fetched(state->log, split);
    end = fetched < end ? fetched : end;
    uint64_t there = end > next ? end - next : 0;
    *range = (RowRange){ .first = next, .count = fitting(state->log, split, next, there < max_rows ? there : max_rows) };
    range->end = next + range->count >= state->end[split];
    if (!state->bounded && topic_log_partitions(state->log) > source->split_count)
        source->found = true;
    if (range->count == 0 && range->end)
        return NULL;
    if (range->count == 0) {
        range->waiting = true;
        range->next_at_us = INT64_MAX;
        return NULL;
    }
    RecordSet *set = mem_calloc(1, sizeof *set + sizeof(Record) * range->count);
    Record *records = (Record *)(set + 1);
    for (uint64_t i = 0; i < range->count; i++)
        records[i] = *topic_log_readable_record(state->log, split, range->first + i);
    *set = (RecordSet){ .topic = topic_log_name(state->log), .partition = split, .count = (uint32_t)range->count, .records = records };
    range->page = set;
    range->page_free = mem_free;
    state->next[split] += range->count;
    return NULL;
}

static int64_t log_next_sequence(Source *source, int split)
{
    const LogSource *state = source->state;
    uint64_t next = state->next[split];
    if (!topic_logs_know_order(source->context->topics))
        return -1;
    return next < end_of(state, split) ? (int64_t)topic_log_readable_record(state->log, split, next)->sequence : INT64_MAX;
}

static int64_t log_progress(Source *source, int split) { return (int64_t)((LogSource *)source->state)->next[split]; }

const SourceType kafka_log_source = {
    .row_source = true,
    .record_source = true,
    .open = log_open,
    .close = log_close,
    .seek = log_seek,
    .next_sequence = log_next_sequence,
    .next_rows = log_next,
    .discover = log_discover,
    .end_position = log_end_position,
    .progress = log_progress,
};

/* ---- writing ---- */

static Error *log_sink_open(Sink *sink)
{
    TopicLog *log;
    make_partitions(sink->context->topics, sink->spec->options, &log);
    sink->state = log;
    topic_log_watch(log, sink->context->waker);
    return NULL;
}

static Error *log_write(Sink *sink, const Record *records, uint32_t count)
{
    for (sink->taken = 0; sink->taken < count; sink->taken++) {
        if (topic_log_room(sink->state) == 0)
            return error_busy();
        topic_log_append(sink->state, &records[sink->taken], sink->context->batch_mode); /* bounded: INSERT .. VALUES, not a query that goes on */
    }
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
    if (sink->state)
        topic_log_forget(sink->state, sink->context->waker);
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
