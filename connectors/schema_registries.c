/* connectors/schema_registries.c: which registry is meant. Those that are reached over HTTP are made once a process, so that what was learned
 * from them serves every query; they stay until the process ends. */
#include "connectors/schema_registries.h"

#include <pthread.h>

#include "connectors/schema_registry_http.h"
#include "connectors/topic_log.h"

typedef struct OpenRegistry {
    struct OpenRegistry *next;
    SchemaRegistry *registry;
} OpenRegistry;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static OpenRegistry *open_registries;

static OpenRegistry *find_locked(const RegistryConnection *connection)
{
    OpenRegistry *open = open_registries;
    while (open && !schema_registry_http_is(open->registry, connection))
        open = open->next;
    return open;
}

static void free_registry(void *registry) { ((SchemaRegistry *)registry)->free(registry); }

static Error *http_registry(const RegistryConnection *connection, SchemaRegistry **registry)
{
    pthread_mutex_lock(&lock);
    const OpenRegistry *known = find_locked(connection);
    pthread_mutex_unlock(&lock);
    *registry = known ? known->registry : NULL;
    if (known)
        return NULL;
    SchemaRegistry *made = NULL;
    TRY(schema_registry_http(connection, &made));
    MEMORY_HOLD(free_registry, made);
    OpenRegistry *entry = mem_calloc(1, sizeof *entry);
    entry->registry = made;
    pthread_mutex_lock(&lock);
    known = find_locked(connection); /* another thread may have been faster */
    if (!known) {
        entry->next = open_registries;
        open_registries = entry;
    }
    pthread_mutex_unlock(&lock);
    *registry = known ? known->registry : made;
    if (known) {
        made->free(made);
        mem_free(entry);
    }
    return NULL;
}

Error *schema_registry_find(const ConnectorContext *context, const RegistryConnection *connection, SchemaRegistry **registry)
{
    *registry = NULL;
    if (!connection)
        return NULL;
    if (connection->url)
        return http_registry(connection, registry);
    *registry = topic_logs_registry(context->topics);
    return NULL;
}

void schema_registries_interrupt(void) { schema_registry_http_interrupt(); }
