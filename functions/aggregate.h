/* functions/aggregate.h: the tables of aggregates. Private to the room. */
#pragma once
#include "functions/functions.h"

/* Tables are ended by a NULL name; aggregate_registry.c lists them. */
extern const AggregateFunction aggregate_functions[];
extern const AggregateFunction list_aggregates[];   /* aggregate_list.c */
extern const AggregateFunction bag_aggregates[];    /* aggregate_bag.c */
extern const AggregateFunction ranked_aggregates[]; /* aggregate_ranked.c */

/* EARLIEST_BY_OFFSET and LATEST_BY_OFFSET of one value where the input retracts, and their other names. aggregate_list.c */
extern const AggregateFunction earliest_aggregate, latest_aggregate;
extern const char *const earliest_aliases[], *const latest_aliases[];
