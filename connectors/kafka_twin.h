/* connectors/kafka_twin.h: notices a second process that reads as the same shard. Private to the connector 'kafka'.
 *
 * Each offset that is committed for the group carries the number of the process that commits it. Who finds another's number where its own has been
 * has a twin. Without a group, or without commits, nobody can tell. */
#pragma once
#include "connectors/kafka_partitions.h"

/* Marks what is about to be committed. */
void kafka_twin_sign(rd_kafka_topic_partition_list_t *offsets);
/* Looks at what the group holds for these partitions. *seen: our own number has been there; the caller keeps it. ERR_IO: a twin. */
Error *kafka_twin_look(KafkaClient *client, const KafkaOptions *options, const KafkaPartitions *partitions, bool *seen);
