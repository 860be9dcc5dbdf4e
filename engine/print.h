/* engine/print.h: the messages of a topic as lines, for whoever has a thread for it. */
#pragma once
#include "common/schema_registry.h"
#include "connectors/connectors.h"
#include "planner/planner.h"

typedef struct TopicPrint {
    const PlannedStatement *planned;     /* PRINT */
    const ConnectorContext *connectors;
    Clock *clock;
    SchemaRegistry *registry;            /* NULL: none is known */
    bool ends;                           /* where topics within the process end now */
    bool (*stops)(void *caller);         /* asked again and again: is it to end? */
    /* Lines: a column of text. The batch is the callee's to read, not to keep. */
    Error *(*lines)(void *caller, const Batch *batch);
    void *caller;
} TopicPrint;

/* The columns of the lines. */
const Schema *topic_print_schema(void);
/* ERR_CONNECT: there is no such topic. `entry`: a stream of that name, that may be meant; NULL. */
struct CatalogEntry;
Error *topic_print_check(Arena *arena, const ConnectorContext *connectors, const PlannedStatement *planned, const struct CatalogEntry *entry);
/* Until LIMIT, or until it is told to end: ERR_INTERRUPTED then. */
Error *topic_print(const TopicPrint *print);
