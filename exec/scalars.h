/* exec/scalars.h: a few integers of an operator that belong to its state: clocks, sequence numbers. */
#pragma once
#include "exec/state.h"

typedef struct Scalars {
    Container container;
    int64_t *values; /* the operator's own fields, one array */
    int count;
} Scalars;

void scalars_init(Scalars *scalars, MemoryPool *pool, int64_t *values, int count);
