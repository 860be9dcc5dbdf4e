/* common/schema_registry.h: schema registries: what the number at the start of a message stands for.
 *
 * Messages of AVRO and JSON_SR begin with a zero byte and the number of their schema, four bytes, big endian. */
#pragma once
#include <stdint.h>
#include "common/error.h"

typedef struct SchemaRegistry SchemaRegistry;
struct SchemaRegistry {
    /* The number of the schema; registers it under the subject ("orders-value") where it is new. type: "AVRO", "JSON". */
    Error *(*put)(SchemaRegistry *registry, const char *subject, const char *type, const char *schema, int32_t *id);
    /* The schema with that number; NULL: there is none. The text lives as long as the registry. */
    Error *(*get)(SchemaRegistry *registry, int32_t id, const char **schema);
    void (*free)(SchemaRegistry *registry);
};

/* One that is kept in this process, for topics that are. Any thread may ask it. */
SchemaRegistry *schema_registry_in_process(void);
