/* tester/conformance_errors.h: which of our errors say what ksqlDB's say. Private to the room. */
#pragma once
#include "common/arena.h"
#include "common/str.h"

typedef struct ErrorPair {
    const char *theirs, *ours; /* parts of messages; * stands for anything */
} ErrorPair;
typedef struct ErrorTable { ErrorPair *items; int count, capacity; } ErrorTable;

/* Reads lines `theirs <tab> ours`; those that begin with # are for readers. A file that is not there is an empty table. */
Error *conformance_errors_read(Arena *arena, const char *path, ErrorTable *table);
/* Does the pattern match a part of the text? Case does not count. */
bool conformance_pattern_matches(const char *pattern, const char *text);
/* Whether one of our errors (a list) is a refusal for the reason that their message gives: by the table, or in the same words. */
bool conformance_error_fits(const ErrorTable *table, const char *theirs, const Error *ours);
