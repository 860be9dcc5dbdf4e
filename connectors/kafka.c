/* connectors/kafka.c: topics: messages of key and value in, messages out.
 *
 * Where the context has TopicLogs, topics are logs in this process (kafka_log.c); else they are a broker's. */
#include "common/calendar.h"
#include "connectors/kafka_internal.h"

#include <string.h>


const char *connector_topic(const ConnectorType *connector, const void *options)
{
    return connector == &kafka_connector ? ((const KafkaOptions *)options)->topic : NULL;
}

int connector_shards(const ConnectorType *connector, const void *options, int *shard)
{
    const KafkaOptions *kafka = options;
    *shard = -1;
    if (connector != &kafka_connector)
        return 0;
    *shard = (int)kafka->shard;
    return (int)kafka->shards;
}

bool connector_read_now(Arena *arena, const ConnectorType *connector, const void *options, const void **bounded)
{
    if (connector != &kafka_connector)
        return false;
    KafkaOptions *copy = arena_copy(arena, options, sizeof *copy);
    copy->startup_mode = STARTUP_EARLIEST;
    copy->bounded_mode = BOUNDED_LATEST;
    *bounded = copy;
    return true;
}

bool connector_read_from(Arena *arena, const ConnectorType *connector, const void *options, const char *reset, const void **from)
{
    const KafkaOptions *kafka = options;
    const char *other_name = kafka && connector == &kafka_connector ? kafka->properties.auto_offset_reset : NULL;
    if (connector != &kafka_connector || (other_name && strcmp(other_name, reset) == 0))
        return false;
    KafkaOptions *copy = arena_copy(arena, options, sizeof *copy);
    copy->properties.auto_offset_reset = arena_strdup(arena, reset);
    *from = copy;
    return true;
}

bool connector_reads_new(const ConnectorType *connector, const void *options)
{
    return connector == &kafka_connector && kafka_startup(options) == STARTUP_LATEST;
}

bool connector_reads_topic(const ConnectorType *connector, const void *options, const char *topic)
{
    return connector == &kafka_connector && kafka_reads_topic(options, topic);
}

/* Another topic of the same brokers. */
const void *connector_topic_options(Arena *arena, const ConnectorType *connector, const void *options, const char *topic)
{
    KafkaOptions *other = ARENA_NEW(arena, KafkaOptions);
    options_defaults(arena, &(OptionTarget){ kafka_connector.options, other, NULL });
    if (connector == &kafka_connector)
        other->properties = ((const KafkaOptions *)options)->properties;
    other->topic = arena_strdup(arena, topic);
    return other;
}

const void *connector_print_options(Arena *arena, const void *options, const char *topic, bool from_beginning)
{
    KafkaOptions *other = (KafkaOptions *)connector_topic_options(arena, &kafka_connector, options, topic);
    other->startup_mode = from_beginning ? STARTUP_EARLIEST : STARTUP_LATEST;
    return other;
}

bool connector_same_broker(const void *a, const void *b)
{
    const char *one = ((const KafkaOptions *)a)->properties.bootstrap_servers, *other = ((const KafkaOptions *)b)->properties.bootstrap_servers;
    return one == other || (one && other && strcmp(one, other) == 0);
}

/* ---- which of the two ---- */

static const SourceType *source_type(const Source *source) { return source->context->topics ? &kafka_log_source : &kafka_broker_source; }
static const SinkType *sink_type(const Sink *sink) { return sink->context->topics ? &kafka_log_sink : &kafka_broker_sink; }

static bool is_bounded(const void *options) { return kafka_bounded(options) != BOUNDED_NEVER; }
static Error *kafka_open(Source *source) { return source_type(source)->open(source); }
static void kafka_close(Source *source) { source_type(source)->close(source); }
static Error *kafka_seek(Source *source, int split, uint64_t position) { return source_type(source)->seek(source, split, position); }
static int64_t kafka_progress(Source *source, int split) { return source_type(source)->progress(source, split); }
static Error *kafka_next(Source *source, int split, uint64_t max_rows, int64_t now_us, RowRange *range)
{
    return source_type(source)->next_rows(source, split, max_rows, now_us, range);
}

static Error *kafka_seek_new(Source *source, int split, uint64_t *position)
{
    return source_type(source)->seek_new ? source_type(source)->seek_new(source, split, position) : NULL;
}

static Error *kafka_discover(Source *source) { return source_type(source)->discover ? source_type(source)->discover(source) : NULL; }
static int64_t kafka_end_position(Source *source, int split)
{
    return source_type(source)->end_position ? source_type(source)->end_position(source, split) : -1;
}

static int64_t kafka_next_sequence(Source *source, int split)
{
    return source_type(source)->next_sequence ? source_type(source)->next_sequence(source, split) : -1;
}

static void kafka_pause(Source *source, int split, bool paused)
{
    if (source_type(source)->pause)
        source_type(source)->pause(source, split, paused);
}

static Error *kafka_commit(Source *source, const uint64_t positions[])
{
    return source_type(source)->commit ? source_type(source)->commit(source, positions) : NULL;
}

static const SourceType kafka_source = {
    .row_source = true,
    .record_source = true,
    .has_thread = true,
    .open = kafka_open,
    .close = kafka_close,
    .bounded = is_bounded,
    .seek = kafka_seek,
    .seek_new = kafka_seek_new,
    .next_rows = kafka_next,
    .discover = kafka_discover,
    .end_position = kafka_end_position,
    .next_sequence = kafka_next_sequence,
    .pause = kafka_pause,
    .commit = kafka_commit,
    .idle_timeout_us = 10 * US_PER_SECOND,
    .progress = kafka_progress,
};

static Error *kafka_prepare(const SinkSpec *spec, const ConnectorContext *context) { return context->topics ? NULL : kafka_broker_sink.prepare(spec, context); }
static Error *kafka_sink_open(Sink *sink) { return sink_type(sink)->open(sink); }
static Error *kafka_write(Sink *sink, const Record *records, uint32_t count) { return sink_type(sink)->write_records(sink, records, count); }
static Error *kafka_flush(Sink *sink) { return sink_type(sink)->flush(sink); }
static Error *kafka_snapshot(Sink *sink, Text *state) { return sink_type(sink)->snapshot(sink, state); }
static Error *kafka_restore(Sink *sink, const char *state, size_t length) { return sink_type(sink)->restore(sink, state, length); }
static Error *kafka_sink_close(Sink *sink, bool commit) { return sink_type(sink)->close(sink, commit); }

static const SinkType kafka_sink = {
    .record_sink = true,
    .flushes_itself = true,
    .takes_updates = true,
    .needs_key = true,
    .prepare = kafka_prepare,
    .open = kafka_sink_open,
    .write_records = kafka_write,
    .flush = kafka_flush,
    .snapshot = kafka_snapshot,
    .restore = kafka_restore,
    .close = kafka_sink_close,
};

const ConnectorType kafka_connector = {
    .name = "kafka",
    .aliases = (const char *const[]){ "upsert-kafka", NULL },
    .doc = "Topics of Apache Kafka.",
    .options = kafka_options,
    .options_size = sizeof(KafkaOptions),
    .source = &kafka_source,
    .sink = &kafka_sink,
    .check = kafka_check,
};
