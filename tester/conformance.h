/* tester/conformance.h: `bidsql test --ksqldb`: runs ksqlDB's own functional tests, which are JSON files. Private to the room. */
#pragma once
#include <stdbool.h>

typedef struct ConformanceOptions {
    const char *lists;     /* folder of expected-failures.txt, accepted.txt and errors.txt */
    const char *only;      /* cases whose names hold this; NULL: all */
    const char *of_class;  /* 'rows', 'errors', 'joins', 'registry formats'; NULL: all */
    bool list;             /* show every failing case, also those that are expected to fail */
    bool summary;          /* group failing cases by reason */
    bool update;           /* expected-failures.txt: take out what passes.. */
    bool admit;            /* ..and put in what fails */
} ConformanceOptions;

typedef struct ConformanceTally { int passed, failed, skipped; } ConformanceTally;

/* Runs the cases of all files; prints. A case that fails and is not in the list counts as failed, and so does one that passes and is. */
void conformance_main(const char *const *paths, int path_count, const ConformanceOptions *options, ConformanceTally *tally);
