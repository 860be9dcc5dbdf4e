/* functions/pending.c: tables whose files are not there yet. */
#include "functions/functions_internal.h"

const ScalarFunction json_functions[] = { { .name = NULL } };
