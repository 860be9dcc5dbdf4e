/* tester/conformance_post.h: what a case says about the catalog and the topics after its statements. Private to the room. */
#pragma once
#include "engine/bidsql.h"
#include "tester/json_tree.h"

/* Checks "post": streams and tables by name, kind, schema, formats and window; topics by name and formats. NULL if all is as it says; else
 * a sentence about the first difference, in `arena`. Not checked, because bidsql has no such thing: partitions and features of formats. */
const char *conformance_post(Arena *arena, Session *session, const TopicLogs *logs, const JsonTree *post);
/* A schema as ksqlDB writes it: `ID` INTEGER KEY, `V` ARRAY<BIGINT>. */
void conformance_print_schema(const Schema *key, const Schema *value, Text *text);
/* The same text for two ways to write the same schema: quotes, case, blanks, names of types. */
void conformance_normal_schema(const char *schema, Text *text);
