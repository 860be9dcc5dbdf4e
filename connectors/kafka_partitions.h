/* connectors/kafka_partitions.h: which partitions there are, and where reading them begins and ends. Private to the connector 'kafka'. */
#pragma once
#include "connectors/kafka_client.h"

typedef struct KafkaPartition {
    const char *topic;
    int32_t number;
    const char *name;            /* of the split: "bids-0" */
    int64_t next;                /* the offset to go on at */
    int64_t end;                 /* bounded: it ends before this offset; INT64_MAX: never */
    int64_t last;                /* behind the last message that was there when it was located */
    bool from_beginning;         /* nothing was read, and `next` is the partition's beginning: it may have moved meanwhile */
    /* of the running source */
    rd_kafka_queue_t *queue;
    bool caught_up, ended;
    bool asked;                  /* for more, since the queue was low last */
} KafkaPartition;

typedef struct KafkaPartitions { KafkaPartition *items; int count, capacity; } KafkaPartitions;

/* Finds the partitions of the options' topics, by topic and number, in `arena`. */
Error *kafka_partitions_find(Arena *arena, KafkaClient *client, const KafkaOptions *options, int64_t patience_ms, KafkaPartitions *partitions);
/* Sets next and end of those from `first` on, as the options say. */
Error *kafka_partitions_locate(KafkaClient *client, const KafkaOptions *options, KafkaPartitions *partitions, int first);
/* The offset of the first message that is there, or would be. */
Error *kafka_partition_beginning(KafkaClient *client, const KafkaPartition *partition, int64_t *offset);
