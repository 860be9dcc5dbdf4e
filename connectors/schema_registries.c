/* connectors/schema_registries.c: which registry is meant. */
#include "connectors/schema_registries.h"

#include "connectors/topic_log.h"

Error *schema_registry_find(const ConnectorContext *context, const RegistryConnection *connection, SchemaRegistry **registry)
{
    *registry = NULL;
    if (!connection)
        return NULL;
    if (connection->url)
        return error_new(ERR_UNSUPPORTED, "the schema registry at '%s' cannot be asked by this build", connection->url);
    *registry = topic_logs_registry(context->topics);
    return NULL;
}
