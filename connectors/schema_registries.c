/* connectors/schema_registries.c: which registry is meant. Those that are reached over HTTP are made once a process, so that what was learned
 * from them serves every query; they stay until the process ends. */
#include "connectors/schema_registries.h"

#include <pthread.h>
#include <string.h>

#include "connectors/reference.h"
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

/* The connection with its references resolved, in `arena`. */
static Error *resolve(const ConnectorContext *context, const RegistryConnection *written, Arena *arena, RegistryConnection *connection)
{
    *connection = *written;
    const char **const texts[] = { &connection->credentials, &connection->token, &connection->key_password };
    Text value = { 0 };
    MEMORY_HOLD(text_unwind, &value);
    Error *error = NULL;
    for (size_t i = 0; i < sizeof texts / sizeof *texts && !error; i++) {
        value.length = 0;
        if (*texts[i])
            error = connector_resolve_value(context, *texts[i], &value);
        if (*texts[i] && !error)
            *texts[i] = arena_strndup(arena, text_c(&value), value.length);
    }
    if (value.bytes)
        explicit_bzero(value.bytes, value.length);
    text_release(&value);
    return error;
}

static Error *resolved_registry(const ConnectorContext *context, const RegistryConnection *written, SchemaRegistry **registry)
{
    Arena arena;
    RegistryConnection connection;
    arena_init(&arena, NULL);
    MEMORY_HOLD(arena_unwind, &arena);
    Error *error = resolve(context, written, &arena, &connection);
    if (!error)
        error = http_registry(&connection, registry);
    arena_release(&arena);
    return error;
}

Error *schema_registry_find(const ConnectorContext *context, const RegistryConnection *connection, SchemaRegistry **registry)
{
    *registry = NULL;
    if (!connection)
        return NULL;
    if (connection->url)
        return resolved_registry(context, connection, registry);
    *registry = topic_logs_registry(context->topics);
    return NULL;
}
