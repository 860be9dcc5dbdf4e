/* functions/pending.c: tables whose files are not there yet. */
#include "functions/functions_internal.h"

const ScalarFunction string_functions[] = { { .name = NULL } };
const ScalarFunction math_functions[] = { { .name = NULL } };
const ScalarFunction time_functions[] = { { .name = NULL } };
const ScalarFunction json_functions[] = { { .name = NULL } };
