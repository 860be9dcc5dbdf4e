/* connectors/connectors_internal.h: the connectors, for the registry and for unit tests. Private to the room. */
#pragma once
#include "connectors/connectors.h"

extern const ConnectorType file_connector, stdout_connector, blackhole_connector, datagen_connector, nexmark_connector, sqlite_connector, timed_connector,
    kafka_connector;

uint64_t blackhole_rows(const Sink *sink); /* rows taken so far */
