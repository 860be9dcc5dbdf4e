/* connectors/kafka_internal.h: the two things that the connector 'kafka' reads and writes: a broker's topics, and logs in this process. */
#pragma once
#include "connectors/kafka_options.h"

extern const SourceType kafka_log_source, kafka_broker_source;
extern const SinkType kafka_log_sink, kafka_broker_sink;
