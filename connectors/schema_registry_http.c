/* connectors/schema_registry_http.c: a registry behind Confluent's REST API.
 *
 * What a number stands for never changes, so schemas are kept for good; the latest version of a subject is kept for a while, and so is that there is
 * none. Several addresses are one registry: the one that answered last is asked first. A registry that does not answer is asked again
 * for about a second while a statement is planned or a query opened; while a query runs whoever runs it waits and asks again (Error.retry_us).
 * Memory is got before the lock is taken, and requests are made without it: two threads may ask for the same thing at once, which does no harm. */
#include "connectors/schema_registry_http.h"

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/arena.h"
#include "connectors/http.h"

#define CONTENT_TYPE "application/vnd.schemaregistry.v1+json"
#define URL_LIMIT 16
#define REFERENCE_DEPTH_LIMIT 16
#define HURRY_US INT64_C(1000000)          /* how long a statement that is planned waits */
#define FIRST_PAUSE_US INT64_C(100000)
#define LONGEST_PAUSE_US INT64_C(5000000)

/* Something that was learned: one block of memory with its texts. */
typedef struct Known {
    struct Known *next;
    enum { KNOWN_ID, KNOWN_MISSING, KNOWN_LATEST, KNOWN_PUT } kind;
    int32_t id;                   /* KNOWN_ID, KNOWN_MISSING, KNOWN_PUT */
    const char *subject;          /* KNOWN_LATEST, KNOWN_PUT */
    int64_t until_us;             /* KNOWN_MISSING, KNOWN_LATEST */
    const RegisteredSchema *schema; /* KNOWN_LATEST: NULL where there is none */
    RegisteredSchema own;         /* KNOWN_ID; KNOWN_PUT: what was registered */
} Known;

typedef struct HttpRegistry {
    SchemaRegistry base;
    RegistryConnection connection;
    char *urls[URL_LIMIT];
    int url_count;
    _Atomic int preferred;        /* the address that answered last */
    pthread_mutex_t lock;
    Known *known;                 /* newest first; entries are never changed nor freed while the registry lives */
} HttpRegistry;

/* ---- time ---- */

static int64_t now_us(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

/* ---- requests ---- */

/* An address without user and password, for messages. */
static const char *shown_url(Arena *arena, const char *url)
{
    const char *scheme = strstr(url, "://"), *host = scheme ? scheme + 3 : url, *at = strrchr(host, '@'), *slash = strchr(host, '/');
    return at && (!slash || at < slash) ? arena_printf(arena, "%.*s%s", (int)(host - url), url, at + 1) : url;
}

static bool may_pass(long status) { return status == 0 || status == 408 || status == 429 || status >= 500; }

/* One round through the addresses. */
static void ask_once(HttpRegistry *registry, Arena *arena, HttpRequest *request, const char *path, HttpAnswer *answer)
{
    int first = atomic_load(&registry->preferred);
    for (int i = 0; i < registry->url_count; i++) {
        int which = (first + i) % registry->url_count;
        request->url = arena_printf(arena, "%s%s", registry->urls[which], path);
        if (i)
            http_answer_release(answer);
        http_request(request, answer);
        if (!may_pass(answer->status)) {
            atomic_store(&registry->preferred, which);
            return;
        }
    }
}

/* "message (40301)" of an answer that is an error. */
static const char *answer_text(Arena *arena, const HttpAnswer *answer)
{
    json_t *tree = answer->body ? json_loadb(answer->body, answer->length, 0, NULL) : NULL;
    const char *message = json_string_value(json_object_get(tree, "message")), *text;
    if (answer->status == 0)
        text = arena_strdup(arena, answer->reason);
    else if (message)
        text = arena_printf(arena, "%s (%lld)", message, (long long)json_integer_value(json_object_get(tree, "error_code")));
    else
        text = arena_printf(arena, "status %ld", answer->status);
    json_decref(tree);
    return text;
}

static Error *unreachable(HttpRegistry *registry, Arena *arena, const HttpAnswer *answer)
{
    Error *error = error_new(ERR_CONNECT, "the schema registry at '%s' does not answer: %s", shown_url(arena, registry->urls[atomic_load(&registry->preferred)]), answer_text(arena, answer));
    error->retriable = !answer->hopeless;
    error->retry_us = answer->hopeless ? 0 : registry->connection.retry_us;
    return error;
}

/* The answer to a request, whatever its status. patient: whoever runs a query may wait and ask again; else we do so, for a moment. Release the answer. */
static Error *ask(HttpRegistry *registry, Arena *arena, const char *method, const char *path, const char *body, bool patient, HttpAnswer *answer)
{
    const RegistryConnection *connection = &registry->connection;
    HttpRequest request = { .method = method, .content_type = CONTENT_TYPE, .body = body, .credentials = connection->credentials, .token = connection->token, .ca = connection->ca,
                            .certificate = connection->certificate, .key = connection->key, .key_password = connection->key_password, .timeout_us = connection->timeout_us };
    const int64_t start = now_us();
    int64_t pause = FIRST_PAUSE_US;
    *answer = (HttpAnswer){ .status = 0 };
    for (;;) {
        http_answer_release(answer);
        ask_once(registry, arena, &request, path, answer);
        if (!may_pass(answer->status))
            break;
        if (patient || answer->hopeless || now_us() - start + pause > HURRY_US)
            return unreachable(registry, arena, answer);
        nanosleep(&(struct timespec){ 0, (long)pause * 1000 }, NULL);
        pause *= 2;
    }
    if (answer->status == 401 || answer->status == 403)
        return error_hint(error_new(ERR_CONNECT, "the schema registry at '%s' rejects the credentials: %s", shown_url(arena, registry->urls[atomic_load(&registry->preferred)]), answer_text(arena, answer)),
                          "'schema.registry.basic.auth.user.info' = 'user:password'");
    return NULL;
}

static Error *refused(HttpRegistry *registry, Arena *arena, const char *what, const HttpAnswer *answer)
{
    return error_new(ERR_CONNECT, "the schema registry at '%s' %s: %s", shown_url(arena, registry->urls[atomic_load(&registry->preferred)]), what, answer_text(arena, answer));
}

static void release_answer(void *answer) { http_answer_release(answer); }

static const char *escaped(Arena *arena, const char *text)
{
    char *copy = http_escape(text);
    if (!copy)
        memory_raise();
    const char *kept = arena_strdup(arena, copy);
    free(copy);
    return kept;
}

/* ---- what is known ---- */

static const Known *find_known(const HttpRegistry *registry, int kind, int32_t id, const char *subject)
{
    int64_t now = now_us();
    for (const Known *known = registry->known; known; known = known->next)
        if ((int)known->kind == kind && known->id == id && (!subject || strcmp(known->subject, subject) == 0))
            return known->until_us && known->until_us <= now ? NULL : known;
    return NULL;
}

static const Known *find_put(const HttpRegistry *registry, const char *subject, const RegisteredSchema *schema)
{
    for (const Known *known = registry->known; known; known = known->next)
        if (known->kind == KNOWN_PUT && strcmp(known->subject, subject) == 0 && strcmp(known->own.type, schema->type) == 0 && strcmp(known->own.text, schema->text) == 0)
            return known;
    return NULL;
}

static const char *take_text(char **at, const char *text)
{
    const char *copy = memcpy(*at, text, strlen(text) + 1);
    *at += strlen(text) + 1;
    return copy;
}

/* A block with copies of subject and schema, each of which may be NULL. References point to schemas that the registry keeps. */
static Known *new_known(int kind, const char *subject, const RegisteredSchema *schema)
{
    int count = schema ? schema->reference_count : 0;
    size_t size = sizeof(Known) + sizeof(SchemaReference) * (size_t)count + (subject ? strlen(subject) + 1 : 0) + (schema ? strlen(schema->type) + strlen(schema->text) + 2 : 0);
    for (int i = 0; i < count; i++)
        size += strlen(schema->references[i].name) + strlen(schema->references[i].subject) + 2;
    Known *known = mem_calloc(1, size);
    SchemaReference *references = (SchemaReference *)(known + 1);
    char *at = (char *)(references + count);
    known->kind = kind;
    known->subject = subject ? take_text(&at, subject) : NULL;
    if (!schema)
        return known;
    known->own = (RegisteredSchema){ .id = schema->id, .type = take_text(&at, schema->type), .text = take_text(&at, schema->text), .references = references, .reference_count = count };
    for (int i = 0; i < count; i++)
        references[i] = (SchemaReference){ take_text(&at, schema->references[i].name), take_text(&at, schema->references[i].subject), schema->references[i].version, schema->references[i].schema };
    return known;
}

static void keep(HttpRegistry *registry, Known *known)
{
    pthread_mutex_lock(&registry->lock);
    known->next = registry->known;
    registry->known = known;
    pthread_mutex_unlock(&registry->lock);
}

/* Another thread may have learned it meanwhile: then its copy counts. */
static const RegisteredSchema *keep_schema(HttpRegistry *registry, const RegisteredSchema *schema)
{
    Known *made = new_known(KNOWN_ID, NULL, schema);
    made->id = schema->id;
    pthread_mutex_lock(&registry->lock);
    const Known *there = find_known(registry, KNOWN_ID, schema->id, NULL);
    if (!there) {
        made->next = registry->known;
        registry->known = made;
    }
    pthread_mutex_unlock(&registry->lock);
    if (there)
        mem_free(made);
    return there ? &there->own : &made->own;
}

/* ---- schemas ---- */

static Error *fetch_version(HttpRegistry *registry, Arena *arena, const char *subject, const char *version, bool patient, int depth, const RegisteredSchema **schema);

static Error *read_references(HttpRegistry *registry, Arena *arena, json_t *list, bool patient, int depth, RegisteredSchema *schema)
{
    int count = (int)json_array_size(list);
    SchemaReference *references = ARENA_ARRAY(arena, SchemaReference, (size_t)count + 1);
    for (int i = 0; i < count; i++) {
        json_t *item = json_array_get(list, (size_t)i);
        const char *name = json_string_value(json_object_get(item, "name")), *subject = json_string_value(json_object_get(item, "subject"));
        int version = (int)json_integer_value(json_object_get(item, "version"));
        if (!name || !subject)
            continue;
        references[schema->reference_count] = (SchemaReference){ arena_strdup(arena, name), arena_strdup(arena, subject), version, NULL };
        SchemaReference *reference = &references[schema->reference_count++];
        TRY(fetch_version(registry, arena, subject, arena_printf(arena, "%d", version), patient, depth + 1, &reference->schema));
        if (!reference->schema)
            return error_new(ERR_CONNECT, "the schema registry has no version %d of '%s', which a schema refers to", version, subject);
    }
    schema->references = references;
    return NULL;
}

/* An answer that holds a schema. id: of answers that do not say it. */
static Error *read_schema(HttpRegistry *registry, Arena *arena, json_t *tree, int32_t id, bool patient, int depth, const RegisteredSchema **schema)
{
    const char *text = json_string_value(json_object_get(tree, "schema")), *type = json_string_value(json_object_get(tree, "schemaType"));
    json_t *number = json_object_get(tree, "id");
    if (!text)
        return error_new(ERR_CONNECT, "the schema registry's answer holds no schema");
    if (depth > REFERENCE_DEPTH_LIMIT)
        return error_new(ERR_CONNECT, "schemas refer to each other more than %d deep", REFERENCE_DEPTH_LIMIT);
    RegisteredSchema read = { .id = id ? id : (int32_t)json_integer_value(number), .type = type ? arena_strdup(arena, type) : "AVRO", .text = arena_strdup(arena, text) };
    TRY(read_references(registry, arena, json_object_get(tree, "references"), patient, depth, &read));
    *schema = keep_schema(registry, &read);
    return NULL;
}

static void release_tree(void *tree) { json_decref(tree); }

/* GET of a path that answers with a schema; NULL: there is none. */
static Error *fetch(HttpRegistry *registry, Arena *arena, const char *path, int32_t id, bool patient, int depth, const RegisteredSchema **schema)
{
    HttpAnswer answer;
    *schema = NULL;
    Error *error = ask(registry, arena, "GET", path, NULL, patient, &answer);
    MEMORY_HOLD(release_answer, &answer);
    if (!error && answer.status != 404 && answer.status != 200)
        error = refused(registry, arena, "gives no schema", &answer);
    json_t *tree = !error && answer.status == 200 ? json_loadb(answer.body ? answer.body : "", answer.length, 0, NULL) : NULL;
    MEMORY_HOLD(release_tree, tree);
    if (!error && answer.status == 200)
        error = read_schema(registry, arena, tree, id, patient, depth, schema);
    json_decref(tree);
    http_answer_release(&answer);
    return error;
}

static Error *fetch_version(HttpRegistry *registry, Arena *arena, const char *subject, const char *version, bool patient, int depth, const RegisteredSchema **schema)
{
    return fetch(registry, arena, arena_printf(arena, "/subjects/%s/versions/%s", escaped(arena, subject), version), 0, patient, depth, schema);
}

/* ---- the interface ---- */

static Error *get_schema(HttpRegistry *registry, Arena *arena, int32_t id, const RegisteredSchema **schema)
{
    pthread_mutex_lock(&registry->lock);
    const Known *known = find_known(registry, KNOWN_ID, id, NULL), *missing = known ? NULL : find_known(registry, KNOWN_MISSING, id, NULL);
    pthread_mutex_unlock(&registry->lock);
    *schema = known ? &known->own : NULL;
    if (known || missing)
        return NULL;
    TRY(fetch(registry, arena, arena_printf(arena, "/schemas/ids/%d", id), id, true, 0, schema));
    if (*schema)
        return NULL;
    Known *none = new_known(KNOWN_MISSING, NULL, NULL); /* not asked for with every message */
    none->id = id;
    none->until_us = now_us() + LONGEST_PAUSE_US;
    keep(registry, none);
    return NULL;
}

static Error *latest_schema(HttpRegistry *registry, Arena *arena, const char *subject, const RegisteredSchema **schema)
{
    pthread_mutex_lock(&registry->lock);
    const Known *known = find_known(registry, KNOWN_LATEST, 0, subject);
    pthread_mutex_unlock(&registry->lock);
    *schema = known ? known->schema : NULL;
    if (known)
        return NULL;
    TRY(fetch_version(registry, arena, subject, "latest", false, 0, schema));
    if (!*schema)
        return NULL; /* it may be registered at any moment */
    Known *latest = new_known(KNOWN_LATEST, subject, NULL);
    latest->schema = *schema;
    latest->until_us = now_us() + registry->connection.latest_us;
    keep(registry, latest);
    return NULL;
}

/* {"schema": .., "schemaType": .., "references": [..]}; of malloc. */
static char *schema_body(const RegisteredSchema *schema, const char *schema_text)
{
    json_t *tree = json_object(), *references = json_array();
    json_object_set_new(tree, "schema", json_string(schema_text));
    if (strcmp(schema->type, "AVRO") != 0) /* what registries before 5.5 do not know is not said to them */
        json_object_set_new(tree, "schemaType", json_string(schema->type));
    for (int i = 0; i < schema->reference_count; i++) {
        const SchemaReference *reference = &schema->references[i];
        json_t *item = json_object();
        json_object_set_new(item, "name", json_string(reference->name));
        json_object_set_new(item, "subject", json_string(reference->subject));
        json_object_set_new(item, "version", json_integer(reference->version));
        json_array_append_new(references, item);
    }
    if (schema->reference_count)
        json_object_set(tree, "references", references);
    char *text = json_dumps(tree, JSON_COMPACT);
    json_decref(references);
    json_decref(tree);
    return text;
}

static Error *put_refused(HttpRegistry *registry, Arena *arena, const char *subject, const RegisteredSchema *schema, bool may_register, const HttpAnswer *answer)
{
    if (!may_register && answer->status == 404)
        return error_new(ERR_CONNECT, "the schema is not registered under the subject '%s', and 'auto.register.schemas' is false", subject);
    const char *what = answer->status == 409 ? "finds the schema incompatible with earlier ones" : "does not take the schema";
    return error_hint(refused(registry, arena, arena_printf(arena, "%s of the subject '%s'", what, subject), answer), "%s", schema->text);
}

/* A JSON Schema that says which dialect it is written in; NULL: it says so already, or is none. Apicurio takes a schema only if it looks like one of its
 * type, and {"type":"integer"}, as Connect writes it of a key, does not: with a "$schema" it does. */
static const char *with_dialect(Arena *arena, const RegisteredSchema *schema)
{
    json_t *tree = strcmp(schema->type, "JSON") == 0 ? json_loads(schema->text, 0, NULL) : NULL;
    bool silent = json_object_size(tree) && !json_object_get(tree, "$schema");
    json_decref(tree);
    return silent ? arena_printf(arena, "{\"$schema\":\"http://json-schema.org/draft-07/schema#\",%s", strchr(schema->text, '{') + 1) : NULL;
}

/* One request for the number of a schema. Release the answer. */
static Error *send_schema(HttpRegistry *registry, Arena *arena, const char *path, const RegisteredSchema *schema, const char *text, HttpAnswer *answer)
{
    char *body = schema_body(schema, text);
    if (!body)
        memory_raise();
    const char *kept = arena_strdup(arena, body);
    free(body);
    return ask(registry, arena, "POST", path, kept, false, answer);
}

/* The same in other words; the first answer stays if this one is no better. */
static Error *send_again(HttpRegistry *registry, Arena *arena, const char *path, const RegisteredSchema *schema, const char *text, HttpAnswer *answer)
{
    HttpAnswer second = { .status = 0 };
    MEMORY_HOLD(release_answer, &second);
    Error *error = send_schema(registry, arena, path, schema, text, &second);
    if (!error && (second.status == 200 || second.status == 409)) {
        HttpAnswer first = *answer;
        *answer = second;
        second = first;
    }
    http_answer_release(&second);
    return error;
}

/* A registry that did not take or find the schema as it stands. One that was registered by others may be laid out otherwise: it is compared normalized. */
static Error *send_otherwise(HttpRegistry *registry, Arena *arena, const char *path, const RegisteredSchema *schema, bool may_register, HttpAnswer *answer)
{
    const char *text = answer->status == 422 || answer->status == 404 ? with_dialect(arena, schema) : NULL;
    if (!may_register && answer->status == 404) {
        path = arena_printf(arena, "%s?normalize=true", path);
        TRY(send_again(registry, arena, path, schema, schema->text, answer));
    }
    return text && answer->status != 200 ? send_again(registry, arena, path, schema, text, answer) : NULL;
}

static Error *put_schema(HttpRegistry *registry, Arena *arena, const char *subject, const RegisteredSchema *schema, bool may_register, int32_t *id)
{
    pthread_mutex_lock(&registry->lock);
    const Known *known = find_put(registry, subject, schema);
    pthread_mutex_unlock(&registry->lock);
    *id = known ? known->id : 0;
    if (known)
        return NULL;
    const char *path = arena_printf(arena, may_register ? "/subjects/%s/versions" : "/subjects/%s", escaped(arena, subject));
    HttpAnswer answer = { .status = 0 };
    MEMORY_HOLD(release_answer, &answer);
    Error *error = send_schema(registry, arena, path, schema, schema->text, &answer);
    if (!error)
        error = send_otherwise(registry, arena, path, schema, may_register, &answer);
    if (!error && answer.status != 200)
        error = put_refused(registry, arena, subject, schema, may_register, &answer);
    json_t *tree = !error ? json_loadb(answer.body ? answer.body : "", answer.length, 0, NULL) : NULL;
    *id = (int32_t)json_integer_value(json_object_get(tree, "id"));
    json_decref(tree);
    http_answer_release(&answer);
    if (!error && *id == 0)
        error = error_new(ERR_CONNECT, "the schema registry's answer holds no number");
    if (error)
        return error;
    Known *put = new_known(KNOWN_PUT, subject, schema);
    put->id = *id;
    keep(registry, put);
    return NULL;
}

/* Is the subject among [{"subject": .., "version": ..}]? */
static bool lists_subject(const HttpAnswer *answer, const char *subject)
{
    json_t *list = json_loadb(answer->body ? answer->body : "", answer->length, 0, NULL);
    bool found = false;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *name = json_string_value(json_object_get(json_array_get(list, i), "subject"));
        found |= name && strcmp(name, subject) == 0;
    }
    json_decref(list);
    return found;
}

static Error *has_schema(HttpRegistry *registry, Arena *arena, const char *subject, int32_t id, bool *result)
{
    const char *path = subject && id ? arena_printf(arena, "/schemas/ids/%d/versions", id) : subject ? arena_printf(arena, "/subjects/%s/versions", escaped(arena, subject)) : arena_printf(arena, "/schemas/ids/%d", id);
    HttpAnswer answer;
    Error *error = ask(registry, arena, "GET", path, NULL, false, &answer);
    if (!error && answer.status != 200 && answer.status != 404)
        error = refused(registry, arena, "does not tell its schemas", &answer);
    *result = !error && answer.status == 200 && (!subject || !id || lists_subject(&answer, subject));
    http_answer_release(&answer);
    return error;
}

static Error *forget_subject(HttpRegistry *registry, Arena *arena, const char *subject)
{
    HttpAnswer answer;
    Error *error = ask(registry, arena, "DELETE", arena_printf(arena, "/subjects/%s", escaped(arena, subject)), NULL, false, &answer);
    if (!error && answer.status != 200 && answer.status != 404)
        error = refused(registry, arena, "does not delete the subject", &answer);
    http_answer_release(&answer);
    if (error)
        return error;
    Known *none = new_known(KNOWN_LATEST, subject, NULL);
    none->until_us = 1; /* over: what was known is not asked any more */
    keep(registry, none);
    return NULL;
}

/* Each call has an arena of its own. */
#define IN_ARENA(call)                       \
    Arena arena;                             \
    arena_init(&arena, NULL);                \
    MEMORY_HOLD(arena_unwind, &arena);       \
    Error *error = (call);                   \
    arena_release(&arena);                   \
    return error

static Error *http_put(SchemaRegistry *base, const char *subject, const RegisteredSchema *schema, bool may_register, int32_t *id) { IN_ARENA(put_schema((HttpRegistry *)base, &arena, subject, schema, may_register, id)); }
static Error *http_get(SchemaRegistry *base, int32_t id, const RegisteredSchema **schema) { IN_ARENA(get_schema((HttpRegistry *)base, &arena, id, schema)); }
static Error *http_latest(SchemaRegistry *base, const char *subject, const RegisteredSchema **schema) { IN_ARENA(latest_schema((HttpRegistry *)base, &arena, subject, schema)); }
static Error *http_has(SchemaRegistry *base, const char *subject, int32_t id, bool *result) { IN_ARENA(has_schema((HttpRegistry *)base, &arena, subject, id, result)); }
static Error *http_forget(SchemaRegistry *base, const char *subject) { IN_ARENA(forget_subject((HttpRegistry *)base, &arena, subject)); }

/* ---- life ---- */

static const char *const *texts_of(const RegistryConnection *connection, int i)
{
    const char *const *const texts[] = { &connection->url, &connection->credentials, &connection->token, &connection->ca, &connection->certificate, &connection->key, &connection->key_password };
    return i < (int)(sizeof texts / sizeof *texts) ? texts[i] : NULL;
}

static void http_free(SchemaRegistry *base)
{
    HttpRegistry *registry = (HttpRegistry *)base;
    for (Known *known = registry->known, *next; known; known = next) {
        next = known->next;
        mem_free(known);
    }
    for (int i = 0; i < registry->url_count; i++)
        mem_free(registry->urls[i]);
    for (int i = 0; texts_of(&registry->connection, i); i++)
        mem_free((char *)*texts_of(&registry->connection, i));
    pthread_mutex_destroy(&registry->lock);
    mem_free(registry);
}

static void unwind(void *registry) { http_free(registry); }

/* Addresses between commas, without a / at their ends; http:// where none is said. */
static Error *read_urls(HttpRegistry *registry)
{
    for (const char *p = registry->connection.url; *p;) {
        size_t length = strcspn(p, ","), skipped = strspn(p, " "), taken = length;
        while (taken > skipped && (p[taken - 1] == ' ' || p[taken - 1] == '/'))
            taken--;
        if (registry->url_count == URL_LIMIT)
            return error_new(ERR_BIND, "more than %d addresses of a schema registry", URL_LIMIT);
        if (taken > skipped) {
            bool scheme = memmem(p + skipped, taken - skipped, "://", 3) != NULL;
            char *url = mem_calloc(1, taken - skipped + 8);
            memcpy(url, "http://", scheme ? 0 : 7);
            memcpy(url + (scheme ? 0 : 7), p + skipped, taken - skipped);
            registry->urls[registry->url_count++] = url;
            if (scheme && strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
                return error_hint(error_new(ERR_BIND, "'%s' is no address of a schema registry", url), "http://localhost:8081");
        }
        p += length + (p[length] == ',');
    }
    return registry->url_count ? NULL : error_hint(error_new(ERR_BIND, "'%s' is no address of a schema registry", registry->connection.url), "http://localhost:8081");
}

Error *schema_registry_http(const RegistryConnection *connection, SchemaRegistry **result)
{
    HttpRegistry *registry = mem_calloc(1, sizeof *registry);
    registry->base = (SchemaRegistry){ http_put, http_get, http_latest, http_has, http_forget, http_free };
    pthread_mutex_init(&registry->lock, NULL);
    MEMORY_HOLD(unwind, registry);
    registry->connection.timeout_us = connection->timeout_us;
    registry->connection.retry_us = connection->retry_us;
    registry->connection.latest_us = connection->latest_us;
    for (int i = 0; texts_of(connection, i); i++)
        if (*texts_of(connection, i))
            *(const char **)texts_of(&registry->connection, i) = mem_strdup(*texts_of(connection, i));
    Error *error = read_urls(registry);
    *result = error ? NULL : &registry->base;
    if (error)
        http_free(&registry->base);
    return error;
}

bool schema_registry_http_is(const SchemaRegistry *base, const RegistryConnection *connection)
{
    const RegistryConnection *own = &((const HttpRegistry *)base)->connection;
    bool same = own->timeout_us == connection->timeout_us && own->retry_us == connection->retry_us && own->latest_us == connection->latest_us;
    for (int i = 0; texts_of(own, i); i++) {
        const char *a = *texts_of(own, i), *b = *texts_of(connection, i);
        same &= a && b ? strcmp(a, b) == 0 : a == b;
    }
    return same;
}
