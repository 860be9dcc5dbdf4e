/* tester/conformance_lists.h: what is known of single cases: lists that are checked in. Private to the room. */
#pragma once
#include "tester/conformance_errors.h"

typedef struct NameReason { const char *name, *reason; } NameReason;
typedef struct NameReasons { NameReason *items; int count, capacity; } NameReasons; /* as in the file */

typedef struct ConformanceLists {
    NameReasons expected_failures; /* expected-failures.txt: fail today */
    NameReasons accepted;          /* accepted.txt: ksqlDB refuses them, bidsql accepts them by design */
    ErrorTable errors;             /* errors.txt */
} ConformanceLists;

/* Lines `name <tab> reason`; # begins a line for readers. A file that is not there is an empty list. */
Error *conformance_lists_read(Arena *arena, const char *folder, ConformanceLists *lists);
/* The reason, or NULL. */
const char *conformance_list_find(const NameReasons *list, const char *name);
/* Writes expected-failures.txt, sorted; lines for readers at its beginning stay. */
Error *conformance_list_write(Arena *arena, const char *folder, NameReasons *list);
