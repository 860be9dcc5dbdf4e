/* functions/aggregate.h: the table of aggregates. Private to the room. */
#pragma once
#include "functions/functions.h"

extern const AggregateFunction aggregate_functions[]; /* ended by a NULL name */
