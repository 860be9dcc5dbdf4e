/* connectors/kafka_options.c: the options of the connector 'kafka', under Flink's and ksqlDB's names. */
#include "connectors/kafka_options.h"

#include <stdio.h>
#include <string.h>

#include "connectors/topic_pattern.h"

#define FIELD(name) offsetof(KafkaOptions, name)
#define NAMES(...) (const char *const[]){ __VA_ARGS__, NULL }

static const char *const startup_modes[] = { "default", "earliest-offset", "latest-offset", "group-offsets", "timestamp", "specific-offsets",
                                             "earliest", "latest", "group", NULL };
static const KafkaStartup startup_meanings[] = { STARTUP_DEFAULT, STARTUP_EARLIEST, STARTUP_LATEST, STARTUP_GROUP, STARTUP_TIMESTAMP, STARTUP_OFFSETS,
                                                 STARTUP_EARLIEST, STARTUP_LATEST, STARTUP_GROUP };
static const char *const partitioners[] = { "default", "round-robin", NULL }; /* KafkaPartitioner */
static const char *const deliveries[] = { "at-least-once", "none", NULL }; /* KafkaDelivery */
static const char *const bounded_modes[] = { "unbounded", "latest-offset", "group-offsets", "timestamp", "specific-offsets", "latest", "group", NULL };
static const KafkaBounded bounded_meanings[] = { BOUNDED_NEVER, BOUNDED_LATEST, BOUNDED_GROUP, BOUNDED_TIMESTAMP, BOUNDED_OFFSETS, BOUNDED_LATEST, BOUNDED_GROUP };

KafkaStartup kafka_startup(const KafkaOptions *options)
{
    KafkaStartup mode = startup_meanings[options->startup_mode];
    const char *reset = options->properties.auto_offset_reset;
    if (mode != STARTUP_DEFAULT || options->properties.group_id)
        return mode != STARTUP_DEFAULT ? mode : STARTUP_GROUP;
    return reset && strcmp(reset, "latest") == 0 ? STARTUP_LATEST : STARTUP_EARLIEST;
}

KafkaBounded kafka_bounded(const KafkaOptions *options) { return bounded_meanings[options->bounded_mode]; }

bool kafka_offsets_parse(const char *text, int32_t partition, int64_t *offset)
{
    int64_t found = -1;
    while (*text) {
        long long number, place;
        int length = 0;
        if (sscanf(text, " partition:%lld,offset:%lld %n", &number, &place, &length) != 2 || length == 0 || number < 0 || place < 0)
            return false;
        if (number == partition)
            found = place;
        text += length;
        if (*text && *text++ != ';')
            return false;
    }
    if (offset)
        *offset = found;
    return true;
}

bool kafka_reads_topic(const KafkaOptions *options, const char *topic)
{
    TopicPattern *pattern = NULL;
    if (!options->topic_pattern) {
        size_t length = strlen(topic);
        for (const char *at = options->topic; *at; at += *at == ';') {
            size_t here = strcspn(at, ";");
            if (here == length && memcmp(at, topic, here) == 0)
                return true;
            at += here;
        }
        return false;
    }
    if (topic_pattern_new(options->topic_pattern, &pattern)) /* kafka_check has told it */
        return false;
    bool found = topic_pattern_matches(pattern, topic);
    topic_pattern_unwind(&pattern);
    return found;
}

static Error *check_pattern(const char *text)
{
    TopicPattern *pattern = NULL;
    if (text)
        TRY(topic_pattern_new(text, &pattern));
    topic_pattern_unwind(&pattern);
    return NULL;
}

static Error *check_offsets(const char *text)
{
    if (!text || kafka_offsets_parse(text, 0, NULL))
        return NULL;
    return error_hint(error_new(ERR_BIND, "'%s' are no offsets of partitions", text), "write 'partition:0,offset:42;partition:1,offset:300'");
}

Error *kafka_check(const void *what, const Schema *declared)
{
    const KafkaOptions *options = what;
    (void)declared;
    if (!options->topic && !options->topic_pattern)
        return error_new(ERR_BIND, "connector 'kafka' needs the property 'topic'");
    if (options->topic && options->topic_pattern)
        return error_new(ERR_BIND, "'topic' and 'topic-pattern' exclude each other");
    if ((kafka_startup(options) == STARTUP_GROUP || kafka_bounded(options) == BOUNDED_GROUP) && !options->properties.group_id)
        return error_hint(error_new(ERR_BIND, "whose committed offsets is not said"), "add 'properties.group.id' = 'name'");
    if (kafka_startup(options) == STARTUP_OFFSETS && !options->startup_offsets)
        return error_hint(error_new(ERR_BIND, "'scan.startup.specific-offsets' is missing"), "'partition:0,offset:42;partition:1,offset:300'");
    if (kafka_bounded(options) == BOUNDED_OFFSETS && !options->bounded_offsets)
        return error_hint(error_new(ERR_BIND, "'scan.bounded.specific-offsets' is missing"), "'partition:0,offset:42;partition:1,offset:300'");
    if (options->shard > 0 && options->shard >= options->shards)
        return error_new(ERR_BIND, "there is no shard %lld of %lld", (long long)options->shard, (long long)options->shards);
    TRY(check_pattern(options->topic_pattern));
    TRY(check_offsets(options->startup_offsets));
    return check_offsets(options->bounded_offsets);
}

#define PROPERTY_OPTION(field, sql, rdkafka, concerns, secret, text) \
    { .name = "properties." sql, .kind = OPTION_STRING, .offset = FIELD(properties.field), .aliases = NAMES("properties." rdkafka, sql), .doc = text, .operational = true },
#define REFUSED(sql, why) { .name = "properties." sql, .kind = OPTION_REFUSED, .doc = why }
#define AS_PEM "it names a file: give the text itself, or '${file:PATH}', as 'properties.ssl.ca.pem', 'properties.ssl.certificate.pem' and 'properties.ssl.key.pem'"

const OptionSpec kafka_options[] = {
    { .name = "topic", .kind = OPTION_STRING, .offset = FIELD(topic), .aliases = NAMES("kafka_topic"), .doc = "The topic; to read, several with semicolons." },
    { .name = "topic-pattern", .kind = OPTION_STRING, .offset = FIELD(topic_pattern), .doc = "To read all topics whose whole name this regular expression matches." },
    { .name = "scan.startup.mode", .kind = OPTION_ENUM, .offset = FIELD(startup_mode), .default_text = "default", .choices = startup_modes,
      .doc = "Where reading begins. By default `group-offsets` with a group, else `earliest-offset`." },
    { .name = "scan.startup.specific-offsets", .kind = OPTION_STRING, .offset = FIELD(startup_offsets),
      .doc = "`partition:0,offset:42;partition:1,offset:300`; partitions that are not named begin as a group without offsets does." },
    { .name = "scan.startup.timestamp-millis", .kind = OPTION_INT, .offset = FIELD(startup_timestamp_ms), .minimum = 0, .maximum = INT64_MAX,
      .doc = "Of `timestamp`: the first message of that time or a later one, in milliseconds since 1970." },
    { .name = "scan.bounded.mode", .kind = OPTION_ENUM, .offset = FIELD(bounded_mode), .default_text = "unbounded", .choices = bounded_modes,
      .doc = "`latest-offset`: the input ends where the topic ended when reading began; the others as for the startup." },
    { .name = "scan.bounded.specific-offsets", .kind = OPTION_STRING, .offset = FIELD(bounded_offsets), .doc = "The offsets before which partitions end." },
    { .name = "scan.bounded.timestamp-millis", .kind = OPTION_INT, .offset = FIELD(bounded_timestamp_ms), .minimum = 0, .maximum = INT64_MAX,
      .doc = "Of `timestamp`: partitions end before their first message of that time or a later one." },
    { .name = "scan.topic-partition-discovery.interval", .kind = OPTION_DURATION, .offset = FIELD(discovery_interval_us), .default_text = "30 s", .operational = true,
      .maximum = INT64_MAX, .doc = "New partitions, and new topics of a pattern, are looked for so often; they are read from their beginning. 0: never." },
    { .name = "memory", .kind = OPTION_INT, .offset = FIELD(memory_bytes), .is_bytes = true, .minimum = 1 << 20, .maximum = INT64_C(1) << 40, .operational = true,
      .doc = "What the client may hold: messages that are fetched ahead (by default 4 MiB, which stay in the processor's cache; more helps where brokers are far away), or that wait to be sent (32 MiB). The sizes of its queues follow from it." },
    { .name = "shards", .kind = OPTION_INT, .offset = FIELD(shards), .minimum = 1, .maximum = 1 << 16, .doc = "Processes that share the partitions: `--shard 0/3` reads those whose number leaves 0 when divided by 3." },
    { .name = "shard", .kind = OPTION_INT, .offset = FIELD(shard), .default_text = "-1", .minimum = -1, .maximum = (1 << 16) - 1, .operational = true,
      .doc = "Which of them this process is, where `--shard` does not say it." },
    { .name = "partitions", .kind = OPTION_INT, .offset = FIELD(partitions), .minimum = 1, .maximum = 1 << 20, .doc = "Partitions of a topic that is made." },
    { .name = "replicas", .kind = OPTION_INT, .offset = FIELD(replicas), .minimum = -1, .maximum = 1 << 15, .doc = "Replicas of a topic that is made." },
    { .name = "retention_ms", .kind = OPTION_INT, .offset = FIELD(retention_ms), .minimum = -1, .maximum = INT64_MAX, .doc = "How long a topic that is made keeps messages." },
    { .name = "cleanup_policy", .kind = OPTION_STRING, .offset = FIELD(cleanup_policy), .aliases = NAMES("cleanup.policy"), .doc = "delete, compact or both, of a topic that is made." },
    { .name = "sink.create-topic", .kind = OPTION_BOOL, .offset = FIELD(create_topics), .default_text = "true",
      .doc = "Writing makes the topic if it is missing; `false`: that is an error." },
    { .name = "sink.partitioner", .kind = OPTION_ENUM, .offset = FIELD(partitioner), .default_text = "default", .choices = partitioners,
      .doc = "`default`: the key chooses the partition, as with the Java client; `round-robin`: any partition, whatever the key." },
    { .name = "sink.parallelism", .kind = OPTION_INT, .offset = FIELD(parallelism), .minimum = 1, .maximum = 1 << 20,
      .doc = "Flink's, without effect: one producer writes a topic." },
    { .name = "sink.delivery-guarantee", .kind = OPTION_ENUM, .offset = FIELD(delivery), .default_text = "at-least-once", .choices = deliveries,
      .doc = "`at-least-once`: a snapshot, and the end of a query, wait until every message is delivered; `none`: they do not." },
    KAFKA_PROPERTIES(PROPERTY_OPTION)
    REFUSED("plugin.library.paths", "it would load code into this process"),
    REFUSED("sasl.kerberos.kinit.cmd", "it would run a program"),
    REFUSED("ssl.ca.location", AS_PEM),
    REFUSED("ssl.certificate.location", AS_PEM),
    REFUSED("ssl.key.location", AS_PEM),
    REFUSED("ssl.truststore.location", AS_PEM),
    REFUSED("ssl.keystore.location", AS_PEM),
    REFUSED("enable.ssl.certificate.verification", "a connection whose other end nobody knows is not secure"),
    REFUSED("sasl.jaas.config", "it names Java classes: use 'properties.sasl.username' and 'properties.sasl.password'"),
    REFUSED("enable.auto.commit", "offsets are committed with what was made of their messages"),
    REFUSED("transactional.id", "transactions are the engine's"),
    { 0 },
};

#define PROPERTY_ROW(field, sql, rdkafka, whom, is_secret, text) { rdkafka, FIELD(properties.field), CONCERNS_##whom, is_secret },
const KafkaProperty kafka_properties[] = { KAFKA_PROPERTIES(PROPERTY_ROW) { 0 } };
