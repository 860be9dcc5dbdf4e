/* connectors/kafka_client.h: a client of Apache Kafka: librdkafka, configured, with its errors as ours. Private to the connector 'kafka'.
 *
 * Only files connectors/kafka_*.c meet librdkafka. A client's memory is options->memory_bytes: the sizes of its queues follow from that. */
#pragma once
#include <librdkafka/rdkafka.h>

#include "connectors/kafka_options.h"

typedef struct KafkaClient KafkaClient;

/* Called by rd_kafka_poll, on the thread that polls. */
typedef struct KafkaCallbacks {
    void (*delivered)(const rd_kafka_message_t *message, void *owner); /* of producers: written, or failed */
    void *owner;
} KafkaCallbacks;

/* One more setting, the engine's own: name and value, of librdkafka. */
typedef struct KafkaSetting { const char *name, *value; } KafkaSetting;

/* A client that reads `partitions` partitions, each through a queue of its own (rd_kafka_queue_get_partition). It is not connected yet. */
Error *kafka_client_new_consumer(const ConnectorContext *context, const KafkaOptions *options, int partitions, KafkaClient **client);
/* A client that writes: idempotent, partitions by key as the Java client does (murmur2). settings: ended by a NULL name; may be NULL. */
Error *kafka_client_new_producer(const ConnectorContext *context, const KafkaOptions *options, const KafkaSetting *settings, const KafkaCallbacks *callbacks,
                                 KafkaClient **client);
/* Ends it; waits for that no longer than a few seconds. NULL is fine. */
void kafka_client_free(KafkaClient *client);
void kafka_client_unwind(void *client); /* the same, for MEMORY_HOLD of a KafkaClient ** */

rd_kafka_t *kafka_client_handle(const KafkaClient *client);

/* Makes brokers' threads look at once whether partitions are to be fetched. Where the queues of all were full they would only do so after up to a
 * second, however empty the queues have become meanwhile. Cheap, but not for every message. */
void kafka_client_fetch(KafkaClient *client);

/* Has the group's coordinator taken offsets of ours? */
bool kafka_client_committed(KafkaClient *client);

/* What has gone wrong for good, seen so far: credentials that are rejected, a fatal error. Serves the client's callbacks. NULL: nothing. */
Error *kafka_client_trouble(KafkaClient *client);

#define KAFKA_PATIENCE_MS 30000 /* for the first answer of a cluster */

/* Metadata of a topic (NULL: of all topics): waits until a broker answers, fails early where it is known that none will.
 * rd_kafka_metadata_destroy frees it. A topic that does not exist is in it with its error. Thread-safe. */
Error *kafka_client_metadata(KafkaClient *client, const char *topic, int64_t patience_ms, const struct rd_kafka_metadata **metadata);

/* "context: reason" with what librdkafka says; retriable where trying again can help. code: ERR_CONNECT while opening, ERR_IO later. */
Error *kafka_error(ErrorCode code, rd_kafka_resp_err_t reason, const char *format, ...) __attribute__((format(printf, 3, 4)));
