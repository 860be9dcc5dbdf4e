/* tester/conformance_schemas.h: the schemas that a case has registered. Private to the room. */
#pragma once
#include "common/schema_registry.h"
#include "tester/json_tree.h"

/* Registers those of the topics that the statement names, as ksqlDB's driver makes topics when they are first met; sql NULL: of all. */
Error *conformance_schemas(Arena *arena, const JsonTree *test, const char *sql, SchemaRegistry *registry);
