/* common/schema_registry.h: schema registries: what the number at the start of a message stands for.
 *
 * Messages of AVRO, PROTOBUF and JSON_SR begin with a zero byte and the number of their schema, four bytes, big endian. Schemas are registered under
 * subjects ("orders-value"), whose versions count from 1. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "common/error.h"

typedef struct RegisteredSchema RegisteredSchema;

/* What a schema takes from others: an Avro type, an imported .proto file, the address of a $ref. */
typedef struct SchemaReference {
    const char *name, *subject;
    int version;
    const RegisteredSchema *schema;
} SchemaReference;

struct RegisteredSchema {
    int32_t id;
    const char *type;             /* "AVRO", "PROTOBUF", "JSON" */
    const char *text;
    const SchemaReference *references;
    int reference_count;
};

typedef struct SchemaRegistry SchemaRegistry;
struct SchemaRegistry {
    /* The number of the schema. may_register: it is registered under the subject where it is new; else that is an error. */
    Error *(*put)(SchemaRegistry *registry, const char *subject, const RegisteredSchema *schema, bool may_register, int32_t *id);
    /* The schema with that number; NULL: there is none. Schemas and all that they point to live as long as the registry. */
    Error *(*get)(SchemaRegistry *registry, int32_t id, const RegisteredSchema **schema);
    /* The subject's latest schema; NULL: there is none. */
    Error *(*latest)(SchemaRegistry *registry, const char *subject, const RegisteredSchema **schema);
    /* Is the schema with that number (0: any) registered under that subject (NULL: any)? */
    Error *(*has)(SchemaRegistry *registry, const char *subject, int32_t id, bool *result);
    /* Forgets the subject with its versions; numbers stay what they are. */
    Error *(*forget)(SchemaRegistry *registry, const char *subject);
    void (*free)(SchemaRegistry *registry);
};

/* Where a registry is, and how it is asked. Text as the user wrote it. */
typedef struct RegistryConnection {
    const char *url;              /* several, between commas: the first that answers; NULL: the registry of topics within the process */
    const char *credentials;      /* user:password */
    const char *token;            /* bearer */
    const char *ca, *certificate, *key, *key_password; /* TLS: files in PEM */
    int64_t timeout_us;           /* of a request */
    int64_t retry_us;             /* how long a registry that does not answer is asked again */
    int64_t latest_us;            /* how long the latest version of a subject counts as such */
} RegistryConnection;

/* One that is kept in this process, for topics that are. Any thread may ask it. */
SchemaRegistry *schema_registry_in_process(void);
/* Registers there under a number of the caller's choice; 0: the next one. What the schema points to must outlive the registry's copy of it. */
Error *schema_registry_put_as(SchemaRegistry *in_process, const char *subject, const RegisteredSchema *schema, int32_t id, const RegisteredSchema **result);
