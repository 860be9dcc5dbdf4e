/* connectors/kafka_options.h: what the connector 'kafka' is told. Private to the room. */
#pragma once
#include "connectors/connectors_internal.h"

/* Settings of the client that SQL may change, as `'properties.<name>' = '..'`: an allow-list. librdkafka has settings that load code, run programs,
 * read files or break what the engine relies on (group membership, automatic commits); SQL reaches none of them.
 * X(field, name in SQL, name of librdkafka, whom it concerns, is it secret, what it is) */
#define KAFKA_PROPERTIES(X) \
    X(bootstrap_servers, "bootstrap.servers", "bootstrap.servers", ALL, false, "Brokers to begin with: `host:port`, several with commas.") \
    X(group_id, "group.id", "group.id", CONSUMER, false, "The consumer group whose offsets are committed and can be begun from.") \
    X(auto_offset_reset, "auto.offset.reset", "auto.offset.reset", ENGINE, false, "Where a group without committed offsets begins: `earliest` or `latest`.") \
    X(isolation_level, "isolation.level", "isolation.level", CONSUMER, false, "`read_committed`, unless it says `read_uncommitted`.") \
    X(security_protocol, "security.protocol", "security.protocol", ALL, false, "`plaintext`, `ssl`, `sasl_plaintext` or `sasl_ssl`.") \
    X(sasl_mechanism, "sasl.mechanism", "sasl.mechanism", ALL, false, "`PLAIN`, `SCRAM-SHA-256`, `SCRAM-SHA-512` or `GSSAPI`.") \
    X(sasl_username, "sasl.username", "sasl.username", ALL, false, "The user.") \
    X(sasl_password, "sasl.password", "sasl.password", ALL, true, "The user's password.") \
    X(kerberos_service, "sasl.kerberos.service.name", "sasl.kerberos.service.name", ALL, false, "The brokers' Kerberos name.") \
    X(kerberos_principal, "sasl.kerberos.principal", "sasl.kerberos.principal", ALL, false, "This client's Kerberos name; its ticket is fetched by others.") \
    X(ca_pem, "ssl.ca.pem", "ssl.ca.pem", ALL, false, "Certificates of the authorities that are trusted, as PEM.") \
    X(certificate_pem, "ssl.certificate.pem", "ssl.certificate.pem", ALL, false, "This client's certificate, as PEM.") \
    X(key_pem, "ssl.key.pem", "ssl.key.pem", ALL, true, "This client's private key, as PEM.") \
    X(key_password, "ssl.key.password", "ssl.key.password", ALL, true, "The private key's password.") \
    X(endpoint_identification, "ssl.endpoint.identification.algorithm", "ssl.endpoint.identification.algorithm", ALL, false, "`https`: the certificate must name the broker's host; `none`.") \
    X(client_id, "client.id", "client.id", ALL, false, "What the brokers' logs call this client.") \
    X(client_rack, "client.rack", "client.rack", CONSUMER, false, "Where this client stands: it reads from the nearest replica.") \
    X(socket_timeout, "socket.timeout.ms", "socket.timeout.ms", ALL, false, "A request without an answer fails after so long.") \
    X(setup_timeout, "socket.connection.setup.timeout.ms", "socket.connection.setup.timeout.ms", ALL, false, "A connection that is not there by then is given up.") \
    X(keepalive, "socket.keepalive.enable", "socket.keepalive.enable", ALL, false, "Connections are kept alive.") \
    X(max_idle, "connections.max.idle.ms", "connections.max.idle.ms", ALL, false, "Connections that nobody uses for so long are closed.") \
    X(reconnect_backoff, "reconnect.backoff.ms", "reconnect.backoff.ms", ALL, false, "The first wait before a broker is tried again; it doubles..") \
    X(reconnect_backoff_max, "reconnect.backoff.max.ms", "reconnect.backoff.max.ms", ALL, false, "..up to this.") \
    X(retry_backoff, "retry.backoff.ms", "retry.backoff.ms", ALL, false, "The wait before a request is sent again.") \
    X(metadata_max_age, "metadata.max.age.ms", "metadata.max.age.ms", ALL, false, "What is known of the cluster is asked for anew so often.") \
    X(address_family, "broker.address.family", "broker.address.family", ALL, false, "`any`, `v4` or `v6`.") \
    X(receive_max, "receive.message.max.bytes", "receive.message.max.bytes", ALL, false, "The largest answer of a broker.") \
    X(fetch_min, "fetch.min.bytes", "fetch.min.bytes", CONSUMER, false, "A broker waits with its answer until it has so much..") \
    X(fetch_wait, "fetch.max.wait.ms", "fetch.wait.max.ms", CONSUMER, false, "..or for so long.") \
    X(fetch_max, "fetch.max.bytes", "fetch.max.bytes", CONSUMER, false, "The most of one answer.") \
    X(partition_fetch_max, "max.partition.fetch.bytes", "max.partition.fetch.bytes", CONSUMER, false, "The most of one partition in one answer.") \
    X(check_crcs, "check.crcs", "check.crcs", CONSUMER, false, "Checksums of messages are checked; `true`, unless it says `false`.") \
    X(acks, "acks", "acks", PRODUCER, false, "Replicas that must have a message: `all` or `1`.") \
    X(linger, "linger.ms", "linger.ms", PRODUCER, false, "Messages wait so long, in ms, for others to be sent with: 2 unless said.") \
    X(batch_size, "batch.size", "batch.size", PRODUCER, false, "The most bytes of messages that are sent together.") \
    X(batch_messages, "batch.num.messages", "batch.num.messages", PRODUCER, false, "The most messages that are sent together.") \
    X(compression_type, "compression.type", "compression.type", PRODUCER, false, "`none`, `gzip`, `snappy`, `lz4` or `zstd`.") \
    X(compression_level, "compression.level", "compression.level", PRODUCER, false, "How hard it tries.") \
    X(request_max, "max.request.size", "message.max.bytes", PRODUCER, false, "The largest message that is sent.") \
    X(request_timeout, "request.timeout.ms", "request.timeout.ms", PRODUCER, false, "Replicas have so long to take messages.") \
    X(delivery_timeout, "delivery.timeout.ms", "delivery.timeout.ms", PRODUCER, false, "A message that is not there by then has failed.") \
    X(transaction_timeout, "transaction.timeout.ms", "transaction.timeout.ms", PRODUCER, false, "A transaction that is open for so long is ended by the brokers.")

/* Where reading begins and, of a bounded input, where it ends. */
typedef enum KafkaStartup { STARTUP_DEFAULT, STARTUP_EARLIEST, STARTUP_LATEST, STARTUP_GROUP, STARTUP_TIMESTAMP, STARTUP_OFFSETS } KafkaStartup;
typedef enum KafkaBounded { BOUNDED_NEVER, BOUNDED_LATEST, BOUNDED_GROUP, BOUNDED_TIMESTAMP, BOUNDED_OFFSETS } KafkaBounded;

typedef enum KafkaDelivery { DELIVERY_AT_LEAST_ONCE, DELIVERY_NONE } KafkaDelivery;

typedef enum KafkaPartitioner { PARTITIONER_DEFAULT, PARTITIONER_ROUND_ROBIN } KafkaPartitioner;

typedef struct KafkaOptions {
    const char *topic;                            /* one, or several: 'a;b'; NULL: there is a pattern */
    const char *topic_pattern;                    /* a regular expression; NULL: none */
    int64_t partitions, replicas, retention_ms;   /* of a topic that is made; 0: not said */
    const char *cleanup_policy;
    int startup_mode, bounded_mode;               /* as written: kafka_startup, kafka_bounded */
    const char *startup_offsets, *bounded_offsets; /* 'partition:0,offset:42;partition:1,offset:300' */
    int64_t startup_timestamp_ms, bounded_timestamp_ms;
    int64_t discovery_interval_us;                /* new partitions are looked for so often; 0: never */
    bool create_topics;                           /* a missing topic is made when it is written */
    int delivery, partitioner;                    /* KafkaDelivery, KafkaPartitioner */
    int64_t parallelism;                          /* Flink's; one producer writes */
    int64_t memory_bytes;                         /* of the client: what is fetched ahead, what waits to be sent */
    int64_t shards, shard;                        /* processes that share the partitions, and which of them this one is; 0 and 1 shards: it reads all */
    struct {
#define FIELD_OF_PROPERTY(field, sql, name, concerns, secret, doc) const char *field;
        KAFKA_PROPERTIES(FIELD_OF_PROPERTY)
#undef FIELD_OF_PROPERTY
    } properties;                                 /* NULL: the client's own default */
} KafkaOptions;

extern const OptionSpec kafka_options[];
KafkaStartup kafka_startup(const KafkaOptions *options);
KafkaBounded kafka_bounded(const KafkaOptions *options);
/* Does the text say offsets of partitions ('partition:0,offset:42;..')? *offset: of that partition, -1 if it is not named; may be NULL. */
bool kafka_offsets_parse(const char *text, int32_t partition, int64_t *offset);
bool kafka_reads_topic(const KafkaOptions *options, const char *topic); /* one of the list, or of the pattern */
Error *kafka_check(const void *options, const Schema *declared); /* ConnectorType.check */

typedef enum PropertyConcern { CONCERNS_ALL, CONCERNS_CONSUMER, CONCERNS_PRODUCER, CONCERNS_ENGINE } PropertyConcern;
typedef struct KafkaProperty {
    const char *name;          /* of librdkafka */
    size_t offset;             /* in KafkaOptions */
    PropertyConcern concerns;
    bool secret;               /* its value never stands in a message */
} KafkaProperty;
extern const KafkaProperty kafka_properties[]; /* ended by a NULL name */
