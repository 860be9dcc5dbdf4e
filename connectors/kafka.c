/* connectors/kafka.c: topics: messages of key and value in, messages out.
 *
 * Where the context has TopicLogs, topics are logs in this process, of one partition each; a log that does not exist is made. */
#include <string.h>

#include "connectors/connectors_internal.h"
#include "connectors/topic_log.h"

typedef struct KafkaOptions {
    const char *topic;
    int64_t partitions, replicas, retention_ms;
    const char *cleanup_policy;
    int bounded_mode;
} KafkaOptions;

enum { MODE_UNBOUNDED, MODE_LATEST_OFFSET };

const char *connector_topic(const ConnectorType *connector, const void *options)
{
    return connector == &kafka_connector ? ((const KafkaOptions *)options)->topic : NULL;
}

bool connector_read_now(Arena *arena, const ConnectorType *connector, const void *options, const void **bounded)
{
    if (connector != &kafka_connector)
        return false;
    KafkaOptions *copy = arena_copy(arena, options, sizeof *copy);
    copy->bounded_mode = MODE_LATEST_OFFSET;
    *bounded = copy;
    return true;
}

bool connector_reads_topic(const ConnectorType *connector, const void *options, const char *topic)
{
    return connector == &kafka_connector && strcmp(((const KafkaOptions *)options)->topic, topic) == 0;
}

const void *connector_topic_options(Arena *arena, const ConnectorType *connector, const void *options, const char *topic)
{
    KafkaOptions *other = ARENA_NEW(arena, KafkaOptions);
    options_defaults(arena, &(OptionTarget){ kafka_connector.options, other, NULL });
    (void)connector, (void)options;
    other->topic = arena_strdup(arena, topic);
    return other;
}

static Error *no_client(const KafkaOptions *options)
{
    return error_new(ERR_CONNECT, "cannot reach the topic '%s': there is no Kafka client in this build", options->topic);
}

/* ---- reading ---- */

typedef struct KafkaSource {
    TopicLog *log;
    uint64_t next, end; /* end: of a bounded read, as it was when that began */
} KafkaSource;

static Error *kafka_open(Source *source)
{
    const KafkaOptions *options = source->spec->options;
    if (!source->context->topics)
        return no_client(options);
    KafkaSource *state = mem_calloc(1, sizeof *state);
    source->state = state;
    state->log = topic_log(source->context->topics, options->topic, true);
    source->splits = mem_calloc(1, sizeof *source->splits);
    state->end = options->bounded_mode == MODE_LATEST_OFFSET ? topic_log_readable(state->log) : UINT64_MAX;
    source->splits[0] = (SourceSplit){ .name = topic_log_name(state->log), .length = -1, .bounded = options->bounded_mode != MODE_UNBOUNDED };
    source->split_count = 1;
    return NULL;
}

static void kafka_close(Source *source)
{
    mem_free(source->splits);
    mem_free(source->state);
    source->splits = NULL;
    source->state = NULL;
    source->split_count = 0;
}

static bool kafka_bounded(const void *options)
{
    return ((const KafkaOptions *)options)->bounded_mode != MODE_UNBOUNDED;
}

static Error *kafka_seek(Source *source, int split, uint64_t position)
{
    (void)split;
    ((KafkaSource *)source->state)->next = position;
    return NULL;
}

static Error *kafka_next(Source *source, int split, uint64_t max_rows, int64_t now_us, RowRange *range)
{
    (void)split;
    KafkaSource *state = source->state;
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

static int64_t kafka_progress(Source *source, int split)
{
    (void)split;
    return (int64_t)((KafkaSource *)source->state)->next;
}

static const SourceType kafka_source = {
    .row_source = true,
    .record_source = true,
    .open = kafka_open,
    .close = kafka_close,
    .bounded = kafka_bounded,
    .seek = kafka_seek,
    .next_rows = kafka_next,
    .progress = kafka_progress,
};

/* ---- writing ---- */

static Error *kafka_sink_open(Sink *sink)
{
    const KafkaOptions *options = sink->spec->options;
    if (!sink->context->topics)
        return no_client(options);
    sink->state = topic_log(sink->context->topics, options->topic, true);
    return NULL;
}

static Error *kafka_write(Sink *sink, const Record *records, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        topic_log_append(sink->state, &records[i], sink->context->batch_mode); /* bounded: INSERT .. VALUES, not a query that goes on */
    return NULL;
}

static Error *kafka_flush(Sink *sink)
{
    (void)sink;
    return NULL;
}

/* A restore goes back to the log's length. */
static Error *kafka_snapshot(Sink *sink, Text *state)
{
    uint64_t length = topic_log_count(sink->state);
    text_add(state, (const char *)&length, sizeof length);
    return NULL;
}

static Error *kafka_restore(Sink *sink, const char *state, size_t length)
{
    uint64_t records;
    if (length != sizeof records)
        return error_new(ERR_INTERNAL, "a snapshot of a topic has %zu bytes", length);
    memcpy(&records, state, sizeof records);
    topic_log_cut(sink->state, records);
    return NULL;
}

static Error *kafka_sink_close(Sink *sink, bool commit)
{
    (void)commit;
    sink->state = NULL;
    return NULL;
}

static const SinkType kafka_sink = {
    .record_sink = true,
    .takes_updates = true,
    .needs_key = true,
    .open = kafka_sink_open,
    .write_records = kafka_write,
    .flush = kafka_flush,
    .snapshot = kafka_snapshot,
    .restore = kafka_restore,
    .close = kafka_sink_close,
};

#define FIELD(name) offsetof(KafkaOptions, name)
static const char *const topic_names[] = { "kafka_topic", NULL };
static const char *const cleanup_names[] = { "cleanup.policy", NULL };
static const char *const bounded_modes[] = { "unbounded", "latest-offset", NULL };
static const OptionSpec kafka_options[] = {
    { .name = "topic", .kind = OPTION_STRING, .offset = FIELD(topic), .required = true, .aliases = topic_names, .doc = "The topic." },
    { .name = "partitions", .kind = OPTION_INT, .offset = FIELD(partitions), .minimum = 1, .maximum = 1 << 20, .doc = "Partitions of a topic that is made." },
    { .name = "replicas", .kind = OPTION_INT, .offset = FIELD(replicas), .minimum = -1, .maximum = 1 << 15, .doc = "Replicas of a topic that is made." },
    { .name = "retention_ms", .kind = OPTION_INT, .offset = FIELD(retention_ms), .minimum = -1, .maximum = INT64_MAX, .doc = "How long a topic that is made keeps messages." },
    { .name = "cleanup_policy", .kind = OPTION_STRING, .offset = FIELD(cleanup_policy), .aliases = cleanup_names, .doc = "delete, compact or both, of a topic that is made." },
    { .name = "scan.bounded.mode", .kind = OPTION_ENUM, .offset = FIELD(bounded_mode), .default_text = "unbounded", .choices = bounded_modes,
      .doc = "latest-offset: the input ends where the topic ended when reading began." },
    { 0 },
};

const ConnectorType kafka_connector = {
    .name = "kafka",
    .aliases = (const char *const[]){ "upsert-kafka", NULL },
    .doc = "Topics of Apache Kafka.",
    .options = kafka_options,
    .options_size = sizeof(KafkaOptions),
    .source = &kafka_source,
    .sink = &kafka_sink,
};
