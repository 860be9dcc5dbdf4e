/* exec/match.h: what the files of MATCH_RECOGNIZE share: op_match.c orders the rows, match_ways.c follows the pattern, match_terms.c computes what
 * DEFINE asks for, match_results.c sends matches out. Private to these files.
 *
 *   row         in the RowStore, with the ROW_ integers; pending (number -1) until its place in the order is known
 *   partition   its rows in order, numbered 0, 1, 2 ..: `ids` holds those from P_FIRST on, the others are gone
 *   start       the row that the match looked for begins with; a later row is tried when it is certain that none begins there
 *   way         one way to match the rows from the start up to the cursor: the step that it wants to take next, and its history. The ways of a
 *               partition stand in order of preference. One that may end here is followed by none: what came behind it can never be the match
 *   history     a node a row: the step that took it. Ways that have parted share what they have in common
 *
 * State: scalars, KeyTable, RowStore, entries of partitions. Ways are no state: they follow from the rows behind the start, and a restore follows
 * the pattern once more. */
#pragma once
#include "exec/aggregates.h"
#include "exec/expression.h"
#include "exec/key_table.h"
#include "exec/late_rows.h"
#include "exec/row_list.h"
#include "exec/row_store.h"
#include "exec/scalars.h"
#include "exec/timers.h"

enum {
    ROW_SLOT,      /* of its partition */
    ROW_ARRIVAL,
    ROW_NUMBER,    /* in the order of its partition; -1: pending */
    ROW_TIME,      /* what WITHIN is measured in; 0 without a time */
    ROW_OWN_COUNT
};
enum { P_ROWS, P_FIRST, P_START, P_MATCHES, P_PENDING, P_LIVE, P_COVERED };
/* next number | first number in `ids` | number of the start | matches so far | rows that are pending | has rows, or a number to remember | first number
 * behind all rows that matches have taken */

enum { MATCH_ARRIVALS, MATCH_WM, MATCH_CLOCK, MATCH_EVENT, MATCH_LIVE, MATCH_SCALARS };

#define MATCH_NONE UINT32_MAX

typedef struct MatchPartition {
    uint32_t *ids;          /* [head, head + count) */
    size_t bytes;
    uint32_t head, count;
    uint32_t ways;          /* the preferred one; MATCH_NONE: nothing was tried from the start on */
    int64_t cursor;         /* the next row to take */
} MatchPartition;

typedef struct MatchWay {
    uint32_t next;          /* the next one in order of preference, or in the free list; MATCH_NONE */
    int32_t step;           /* MATCH_ACCEPT: the match may end with `node`; MATCH_ACCEPT_AT_END: if no row follows */
    uint32_t node;          /* MATCH_NONE: no row yet */
} MatchWay;

/* A node of history: so many words, then a word for each set of variables whose last row is asked for, then two for each FIRST. */
enum { NODE_PREVIOUS, NODE_HOLDERS, NODE_STEP, NODE_LENGTH, NODE_WORDS };

typedef struct MatchFirst { uint64_t variables; int64_t offset; } MatchFirst;

/* Aggregates over the same variables. */
typedef struct MatchBundle {
    uint64_t variables;
    bool final;             /* MEASURES: over the whole match */
    AggregateCall *calls;
    int *targets;           /* term, by call */
    int call_count;
    Aggregates aggregates;
    Groups groups;          /* DEFINE: by node of history, MEASURES: slot 0 */
    Vector **columns;
    bool *fed;              /* columns of the input that it reads */
} MatchBundle;

typedef struct MatchOperator {
    Arena arena;
    Operator *op;
    MemoryPool *pool;
    const PlanNode *node;
    const Schema *input_schema;
    bool numbered;          /* MATCH_NUMBER, or ^: partitions are remembered for ever */
    bool complete;          /* partitions get no more rows */
    bool restoring;
    KeyLayout key_layout;
    KeyBatch key_batch;
    KeyTable keys;
    RowStore store;
    StateColumns entries;   /* of partitions */
    MatchPartition *partitions;
    size_t partitions_bytes;
    uint32_t partition_count;
    Timers events;          /* slot: a pending row * 2, or a partition * 2 + 1 whose start is over */
    int64_t *scalars;
    Scalars scalars_container;
    /* ways */
    MatchWay *ways;
    size_t ways_bytes;
    uint32_t way_count, free_way;
    uint32_t *nodes;
    size_t nodes_bytes;
    uint32_t node_words, node_count, node_room, free_node;
    uint32_t *same_step;    /* by step: the last way of the list that is being made that wants to take it; MATCH_NONE */
    /* what DEFINE asks for */
    uint64_t *last_sets; int last_count;
    MatchFirst *firsts; int first_count;
    int *feature;           /* by term of DEFINE: its index in last_sets or firsts; -1: none is needed */
    bool comparable;        /* two histories can be the same to DEFINE */
    Expression **defines;   /* by variable; NULL: none */
    bool **asked;           /* by variable and term of DEFINE: does its condition read it? */
    MatchBundle *define_bundles; int define_bundle_count;
    Arena scratch;          /* of one evaluation */
    Batch row;              /* the terms of DEFINE, for one row */
    Batch *feed;            /* rows on their way into aggregates; NULL: none */
    uint32_t feed_rows;
    /* results */
    uint64_t *measure_sets; int measure_set_count;
    int *measure_set;       /* by measure: its index in measure_sets */
    MatchBundle *measure_bundles; int measure_bundle_count;
    uint32_t *taken;        /* by row of a match: the step that took it */
    uint32_t **places;      /* by measure set: the rows of the match that are in it, ascending */
    uint32_t *place_counts;
    size_t taken_room;
    OutputBuilder out;
    LateRows late;
    RowList list;
    Text key;
    const Vector **key_vectors;
    uint32_t *group;        /* what is due at one time */
    size_t group_capacity;
} MatchOperator;

static inline int64_t *match_entry(const MatchOperator *o, uint32_t slot) { return (int64_t *)state_entry(&o->entries, slot); }
static inline int64_t *match_own(const MatchOperator *o, uint32_t id) { return row_store_own(&o->store, id); }
/* The row with a number, or MATCH_NONE if the partition does not hold it. */
static inline uint32_t match_row(const MatchOperator *o, uint32_t slot, int64_t number)
{
    const MatchPartition *partition = &o->partitions[slot];
    const int64_t place = number - match_entry(o, slot)[P_FIRST];
    return place < 0 || place >= (int64_t)partition->count ? MATCH_NONE : partition->ids[partition->head + (uint32_t)place];
}
static inline uint32_t *match_node(const MatchOperator *o, uint32_t node) { return o->nodes + (size_t)node * o->node_words; }

/* ---- match_ways.c ---- */
/* Takes the partition's rows as far as they go: matches that are decided are sent out. event_us: the time that has been reached. */
Error *match_follow(MatchOperator *o, uint32_t slot, int64_t event_us);
/* The time at which the partition's start is over; TIME_MAX: nothing has begun, or nothing limits it. */
int64_t match_deadline(const MatchOperator *o, uint32_t slot);
/* Lets go of the partition's ways. */
void match_forget(MatchOperator *o, uint32_t slot);

/* ---- match_terms.c ---- */
Error *match_open_terms(MatchOperator *o);
void match_close_terms(MatchOperator *o);
/* A node of history behind `previous` (MATCH_NONE: the first); the caller holds it. */
Error *match_new_node(MatchOperator *o, uint32_t slot, uint32_t previous, uint32_t step, uint32_t *node);
void match_release_node(MatchOperator *o, uint32_t node);
/* Is the node's row the variable that its step wants? */
Error *match_passes(MatchOperator *o, uint32_t slot, uint32_t node, bool *passes);
/* Will DEFINE never tell these two histories of equal length apart? */
bool match_same_history(const MatchOperator *o, uint32_t a, uint32_t b);
/* Adds rows to the bundle's group. */
Error *match_feed(MatchOperator *o, MatchBundle *bundle, uint32_t group, const uint32_t *ids, uint32_t count);
Error *match_open_bundles(MatchOperator *o, const MatchTerm *terms, int count, MatchBundle **bundles, int *bundle_count);
void match_close_bundles(MatchBundle *bundles, int count);

/* ---- match_results.c ---- */
Error *match_open_results(MatchOperator *o);
void match_close_results(MatchOperator *o);
/* Sends out the start as a row of no match, if none has taken it. */
Error *match_emit_unmatched(MatchOperator *o, uint32_t slot);
/* Sends out the match that ends with `node` (MATCH_NONE: it has no row); *next is the number of the row to go on with. */
Error *match_emit(MatchOperator *o, uint32_t slot, uint32_t node, int64_t *next);
