/* tester/conformance_run.h: runs one case of ksqlDB's tests in a session of its own. Private to the room. */
#pragma once
#include "tester/conformance_case.h"
#include "tester/conformance_errors.h"

typedef struct CaseResult {
    bool passed;
    Text group;    /* a short reason, the same for cases that fail alike */
    Text detail;   /* lines for whoever works on it */
} CaseResult;

/* Fills the (empty) result. */
void conformance_run(const ConformanceCase *test, const ErrorTable *errors, CaseResult *result);
