/* tester/conformance_case.h: the cases of ksqlDB's functional tests, as its JSON files hold them. Private to the room. */
#pragma once
#include "tester/json_tree.h"

/* What a case needs, for the report. The first that applies. */
typedef enum CaseClass {
    CASE_REGISTRY, /* a format whose schemas come from a registry */
    CASE_JOIN,
    CASE_REFUSAL,  /* expects an error */
    CASE_ROWS,
    CASE_CLASSES
} CaseClass;
extern const char *const case_class_names[CASE_CLASSES];

typedef struct ConformanceCase {
    const char *name;         /* file - name [- FORMAT] [- property=value] */
    const char *path;
    CaseClass kind;
    bool disabled;
    const JsonTree *tree;     /* the case, {FORMAT} and {CONFIG} replaced */
} ConformanceCase;

typedef struct ConformanceCases { ConformanceCase *items; int count, capacity; } ConformanceCases;

/* Adds the cases of one file; a case with several formats or values of a property becomes several. */
Error *conformance_read(Arena *arena, const char *path, ConformanceCases *cases);
