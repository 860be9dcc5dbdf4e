/* functions/aggregate.h: the tables of aggregates. Private to the room. */
#pragma once
#include "functions/functions.h"

/* Tables are ended by a NULL name; aggregate_registry.c lists them. */
extern const AggregateFunction aggregate_functions[];
extern const AggregateFunction list_aggregates[];   /* aggregate_list.c */
extern const AggregateFunction bag_aggregates[];    /* aggregate_bag.c */
extern const AggregateFunction ranked_aggregates[]; /* aggregate_ranked.c */
extern const AggregateFunction statistics_aggregates[]; /* aggregate_statistics.c */
extern const AggregateFunction bits_aggregates[];   /* aggregate_bits.c */
extern const AggregateFunction quantile_aggregates[]; /* aggregate_quantile.c */
extern const AggregateFunction distinct_aggregates[]; /* aggregate_distinct.c */

/* EARLIEST_BY_OFFSET and LATEST_BY_OFFSET of one value where the input retracts, and their other names. aggregate_list.c */
extern const AggregateFunction earliest_aggregate, latest_aggregate;
extern const char *const earliest_aliases[], *const latest_aliases[];

/* BIT_AND, BIT_OR and APPROX_COUNT_DISTINCT where the input retracts. aggregate_bag.c */
typedef enum BitRule { BIT_AND, BIT_OR, BIT_XOR } BitRule;
extern const AggregateFunction bit_and_of_bag, bit_or_of_bag, distinct_of_bag;
