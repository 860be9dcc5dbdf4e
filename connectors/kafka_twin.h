/* connectors/kafka_twin.h: notices a second process that reads as the same shard. Private to the connector 'kafka'.
 *
 * Each offset that is committed for the group carries the number of the process that commits it. Who finds another's number after its own was taken
 * has a twin. Without a group, or without commits, nobody can tell. */
#pragma once
#include "connectors/kafka_partitions.h"

/* Marks what is about to be committed. */
void kafka_twin_sign(rd_kafka_topic_partition_list_t *offsets);
/* Looks at what the group holds for these partitions. ERR_IO: a twin. */
Error *kafka_twin_look(KafkaClient *client, const KafkaOptions *options, const KafkaPartitions *partitions);
