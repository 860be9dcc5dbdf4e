/* connectors/schema_registry_http.h: schema registries that speak Confluent's REST API. Private to the room. */
#pragma once
#include "common/schema_registry.h"

/* Does not ask yet. It keeps copies of the texts. ERR_BIND: the address is none. */
Error *schema_registry_http(const RegistryConnection *connection, SchemaRegistry **registry);
bool schema_registry_http_is(const SchemaRegistry *registry, const RegistryConnection *connection);
