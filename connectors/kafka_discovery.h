/* connectors/kafka_discovery.h: looks for new partitions while a source is read, and for topics that are gone. Private to the connector 'kafka'.
 *
 * A thread of its own asks the brokers, since their answer may take its time; what it finds waits until the source takes it. */
#pragma once
#include "connectors/kafka_partitions.h"

typedef struct KafkaDiscovery KafkaDiscovery;

/* Looks every options->discovery_interval_us for what is not in `known`; sets source->found, and wakes its job. The source outlives it. */
Error *kafka_discovery_start(Source *source, KafkaClient *client, const KafkaPartitions *known, KafkaDiscovery **discovery);
void kafka_discovery_stop(KafkaDiscovery *discovery); /* NULL is fine */

/* Adds what was found, located at their beginnings, with names in `arena`; or the error of what is gone. */
Error *kafka_discovery_take(KafkaDiscovery *discovery, Arena *arena, KafkaPartitions *partitions);
