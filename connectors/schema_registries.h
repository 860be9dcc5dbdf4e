/* connectors/schema_registries.h: the schema registries that a process talks to. */
#pragma once
#include "common/schema_registry.h"
#include "connectors/connectors.h"

/* The registry that is meant: by its address, else that of the topics within the process; NULL: none is known. connection NULL: none is meant. */
Error *schema_registry_find(const ConnectorContext *context, const RegistryConnection *connection, SchemaRegistry **registry);
