/* common/schema_registry.c: the registry within the process. */
#include "common/schema_registry.h"

#include <pthread.h>
#include <string.h>

#include "common/memory.h"

/* A version of a subject, and the schema that it brings if that is new: one block of memory, made before the lock is taken. */
typedef struct LocalVersion {
    struct LocalVersion *next;
    bool forgotten, first;         /* first: `schema` is its own */
    const char *subject;
    const RegisteredSchema *schema;
    RegisteredSchema own;
} LocalVersion;

typedef struct LocalRegistry {
    SchemaRegistry base;
    pthread_mutex_t lock;
    LocalVersion *versions; /* newest first; they stay also when their subject is forgotten */
    int32_t last;           /* the highest number that was given */
} LocalRegistry;

static bool same_references(const RegisteredSchema *a, const RegisteredSchema *b)
{
    if (a->reference_count != b->reference_count)
        return false;
    for (int i = 0; i < a->reference_count; i++)
        if (strcmp(a->references[i].name, b->references[i].name) != 0 || a->references[i].schema != b->references[i].schema)
            return false;
    return true;
}

static const RegisteredSchema *find_schema(const LocalRegistry *local, const RegisteredSchema *wanted)
{
    for (const LocalVersion *known = local->versions; known; known = known->next)
        if (known->first && strcmp(known->own.type, wanted->type) == 0 && strcmp(known->own.text, wanted->text) == 0 && same_references(&known->own, wanted))
            return &known->own;
    return NULL;
}

static const RegisteredSchema *find_id(const LocalRegistry *local, int32_t id)
{
    for (const LocalVersion *known = local->versions; known; known = known->next)
        if (known->first && known->own.id == id)
            return &known->own;
    return NULL;
}

static const LocalVersion *find_version(const LocalRegistry *local, const char *subject, int32_t id)
{
    for (const LocalVersion *version = local->versions; version; version = version->next)
        if (!version->forgotten && (!subject || strcmp(version->subject, subject) == 0) && (id == 0 || version->schema->id == id))
            return version;
    return NULL;
}

static const char *take_text(char **at, const char *text)
{
    const char *copy = memcpy(*at, text, strlen(text) + 1);
    *at += strlen(text) + 1;
    return copy;
}

/* A version with a copy of the schema behind it. */
static LocalVersion *new_version(const char *subject, const RegisteredSchema *schema)
{
    size_t references = sizeof(SchemaReference) * (size_t)schema->reference_count, texts = strlen(subject) + strlen(schema->type) + strlen(schema->text) + 3;
    for (int i = 0; i < schema->reference_count; i++)
        texts += strlen(schema->references[i].name) + strlen(schema->references[i].subject) + 2;
    LocalVersion *version = mem_calloc(1, sizeof *version + references + texts);
    SchemaReference *copies = (SchemaReference *)(version + 1);
    char *at = (char *)copies + references;
    version->subject = take_text(&at, subject);
    version->own = (RegisteredSchema){ .type = take_text(&at, schema->type), .text = take_text(&at, schema->text), .references = copies, .reference_count = schema->reference_count };
    for (int i = 0; i < schema->reference_count; i++) {
        const SchemaReference *given = &schema->references[i];
        copies[i] = (SchemaReference){ take_text(&at, given->name), take_text(&at, given->subject), given->version, given->schema };
    }
    return version;
}

/* Equal schemas have one number, whatever their subject. *made becomes the registry's where it is used. The lock is held. */
static const RegisteredSchema *put_locked(LocalRegistry *local, LocalVersion **made, int32_t id)
{
    LocalVersion *version = *made;
    const RegisteredSchema *known = id ? find_id(local, id) : find_schema(local, &version->own);
    if (known && find_version(local, version->subject, known->id))
        return known;
    version->first = !known;
    version->own.id = id ? id : local->last + 1;
    version->schema = known ? known : &version->own;
    if (!known && version->own.id > local->last)
        local->last = version->own.id;
    version->next = local->versions;
    local->versions = version;
    *made = NULL;
    return version->schema;
}

Error *schema_registry_put_as(SchemaRegistry *registry, const char *subject, const RegisteredSchema *schema, int32_t id, const RegisteredSchema **result)
{
    LocalRegistry *local = (LocalRegistry *)registry;
    LocalVersion *made = new_version(subject, schema);
    pthread_mutex_lock(&local->lock);
    const RegisteredSchema *known = id ? find_id(local, id) : NULL;
    bool taken = known && (strcmp(known->text, schema->text) != 0 || strcmp(known->type, schema->type) != 0);
    if (!taken)
        *result = put_locked(local, &made, id);
    pthread_mutex_unlock(&local->lock);
    mem_free(made);
    return taken ? error_new(ERR_USAGE, "the number %d stands for another schema", id) : NULL;
}

static Error *local_put(SchemaRegistry *registry, const char *subject, const RegisteredSchema *schema, bool may_register, int32_t *id)
{
    LocalRegistry *local = (LocalRegistry *)registry;
    LocalVersion *made = new_version(subject, schema);
    pthread_mutex_lock(&local->lock);
    const RegisteredSchema *known = find_schema(local, schema);
    bool there = known && find_version(local, subject, known->id);
    if (there || may_register)
        *id = put_locked(local, &made, 0)->id;
    pthread_mutex_unlock(&local->lock);
    mem_free(made);
    return there || may_register ? NULL : error_new(ERR_CONNECT, "the schema is not registered under the subject '%s', and 'auto.register.schemas' is false", subject);
}

static Error *local_get(SchemaRegistry *registry, int32_t id, const RegisteredSchema **schema)
{
    LocalRegistry *local = (LocalRegistry *)registry;
    pthread_mutex_lock(&local->lock);
    *schema = find_id(local, id);
    pthread_mutex_unlock(&local->lock);
    return NULL;
}

static Error *local_latest(SchemaRegistry *registry, const char *subject, const RegisteredSchema **schema)
{
    LocalRegistry *local = (LocalRegistry *)registry;
    pthread_mutex_lock(&local->lock);
    const LocalVersion *version = find_version(local, subject, 0);
    *schema = version ? version->schema : NULL;
    pthread_mutex_unlock(&local->lock);
    return NULL;
}

static Error *local_has(SchemaRegistry *registry, const char *subject, int32_t id, bool *result)
{
    LocalRegistry *local = (LocalRegistry *)registry;
    pthread_mutex_lock(&local->lock);
    *result = find_version(local, subject, id) != NULL;
    pthread_mutex_unlock(&local->lock);
    return NULL;
}

static Error *local_forget(SchemaRegistry *registry, const char *subject)
{
    LocalRegistry *local = (LocalRegistry *)registry;
    pthread_mutex_lock(&local->lock);
    for (LocalVersion *version = local->versions; version; version = version->next)
        version->forgotten |= strcmp(version->subject, subject) == 0;
    pthread_mutex_unlock(&local->lock);
    return NULL;
}

static void local_free(SchemaRegistry *registry)
{
    LocalRegistry *local = (LocalRegistry *)registry;
    for (LocalVersion *version = local->versions, *next; version; version = next) {
        next = version->next;
        mem_free(version);
    }
    pthread_mutex_destroy(&local->lock);
    mem_free(local);
}

SchemaRegistry *schema_registry_in_process(void)
{
    LocalRegistry *local = mem_calloc(1, sizeof *local);
    local->base = (SchemaRegistry){ local_put, local_get, local_latest, local_has, local_forget, local_free };
    pthread_mutex_init(&local->lock, NULL);
    return &local->base;
}
