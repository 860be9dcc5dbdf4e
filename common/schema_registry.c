/* common/schema_registry.c: the registry within the process. */
#include "common/schema_registry.h"

#include <pthread.h>
#include <string.h>

#include "common/memory.h"

typedef struct LocalSchema {
    struct LocalSchema *next;
    int32_t id;
    const char *type; /* behind the text */
    char text[];
} LocalSchema;

typedef struct LocalRegistry {
    SchemaRegistry base;
    pthread_mutex_t lock;
    LocalSchema *schemas; /* newest first; they never change */
} LocalRegistry;

static LocalSchema *find_schema(const LocalRegistry *local, const char *type, const char *text)
{
    for (LocalSchema *schema = local->schemas; schema; schema = schema->next)
        if (strcmp(schema->type, type) == 0 && strcmp(schema->text, text) == 0)
            return schema;
    return NULL;
}

/* Equal schemas have one number, whatever their subject. */
static Error *local_put(SchemaRegistry *registry, const char *subject, const char *type, const char *schema, int32_t *id)
{
    (void)subject;
    LocalRegistry *local = (LocalRegistry *)registry;
    size_t length = strlen(schema) + 1;
    LocalSchema *made = mem_alloc(sizeof *made + length + strlen(type) + 1);
    memcpy(made->text, schema, length);
    made->type = strcpy(made->text + length, type);
    pthread_mutex_lock(&local->lock);
    LocalSchema *known = find_schema(local, type, schema);
    if (!known) {
        made->id = local->schemas ? local->schemas->id + 1 : 1;
        made->next = local->schemas;
        local->schemas = made;
    }
    *id = known ? known->id : made->id;
    pthread_mutex_unlock(&local->lock);
    if (known)
        mem_free(made);
    return NULL;
}

static Error *local_get(SchemaRegistry *registry, int32_t id, const char **schema)
{
    LocalRegistry *local = (LocalRegistry *)registry;
    pthread_mutex_lock(&local->lock);
    const LocalSchema *found = local->schemas;
    while (found && found->id != id)
        found = found->next;
    pthread_mutex_unlock(&local->lock);
    *schema = found ? found->text : NULL;
    return NULL;
}

static void local_free(SchemaRegistry *registry)
{
    LocalRegistry *local = (LocalRegistry *)registry;
    for (LocalSchema *schema = local->schemas, *next; schema; schema = next) {
        next = schema->next;
        mem_free(schema);
    }
    pthread_mutex_destroy(&local->lock);
    mem_free(local);
}

SchemaRegistry *schema_registry_in_process(void)
{
    LocalRegistry *local = mem_calloc(1, sizeof *local);
    local->base = (SchemaRegistry){ local_put, local_get, local_free };
    pthread_mutex_init(&local->lock, NULL);
    return &local->base;
}
