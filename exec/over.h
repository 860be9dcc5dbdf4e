/* exec/over.h: what the files of the OVER operator share: op_over.c orders the rows, over_frames.c gathers what a frame holds, over_values.c
 * and over_anomaly.c compute the results. Private to these files.
 *
 *   row         in the RowStore, with the OWN_ integers; pending (number -1) until its place in the order is known
 *   partition   its rows in order, numbered 0, 1, 2 .. : `ids` holds those from P_FIRST on, the others are gone
 *   entry       of a partition in StateColumns: the P_ integers | lo, hi of each frame | the integers of calls that remember rows
 *   frame       rows [lo, hi) around the row at hand; neither ever falls
 *   bundle      aggregates over one frame: GROW adds, SLIDE adds and takes back, STACKS merges two halves, RECOMPUTE starts anew for each row
 *   EXCLUDE     the rows left out are taken back for the result and then added again (SLIDE), or never added (RECOMPUTE)
 *
 * STACKS: rows [lo, middle) have each the state of all rows from them to the middle, rows [middle, hi) have one state together. When the frame
 * begins behind the middle, the rows that are left get their states, from the last to the first, and the middle moves to the end: each row
 * is added twice, however large the frame. */
#pragma once
#include "exec/aggregates.h"
#include "exec/key_table.h"
#include "exec/late_rows.h"
#include "exec/row_list.h"
#include "exec/row_store.h"
#include "exec/scalars.h"
#include "exec/timers.h"

enum {
    OWN_SLOT,      /* of its partition */
    OWN_ARRIVAL,
    OWN_NUMBER,    /* in the order of its partition; -1: pending */
    OWN_ORDER,     /* what RANGE is measured in: time, or the first ORDER BY value (negated when descending; doubles as bits) */
    OWN_NULL,      /* 1: that value is NULL */
    OWN_PEER,      /* number of the first row that is equal in the order */
    OWN_DENSE,     /* how many different places there are up to this one */
    OWN_HOLDS,     /* the list of its partition, and calls that remember it */
    OWN_COUNT
};
enum { P_ROWS, P_FIRST, P_NEXT, P_DENSE, P_LAST, P_LIVE, P_WINDOW, P_COUNT };
/* next number | first number in `ids` | number of the next result | different places | largest time | has rows, or had some | WHOLE: its window time */

typedef struct OverPartition {
    uint32_t *ids;         /* ring-free: [head, head + count) */
    size_t bytes;
    uint32_t head, count;
} OverPartition;

typedef enum BundleMode { BUNDLE_GROW, BUNDLE_SLIDE, BUNDLE_STACKS, BUNDLE_RECOMPUTE } BundleMode;

typedef struct OverBundle {
    BundleMode mode;
    int frame;
    AggregateCall *calls;
    int *targets;          /* call of the node, by call of the bundle */
    int call_count;
    Aggregates aggregates;
    Groups groups;         /* by slot of the partition */
    Groups rows;           /* STACKS: by row, its state up to the middle */
    Groups whole;          /* STACKS: slot 0: the frame at hand */
    int middle;            /* STACKS: its place in the entry of a partition; else -1 */
    Vector **columns;
    Batch *scratch;        /* rows on their way in or out; NULL: none */
    uint32_t scratch_rows;
} OverBundle;

typedef struct OverCallState {
    int frame;             /* -1: none */
    int field;             /* of the partition's entry: rows it remembers (row + 1), or its own integers; -1: none */
    int field_count;
} OverCallState;

typedef struct OverOperator {
    Arena arena;
    Operator *op;
    MemoryPool *pool;
    const PlanNode *node;
    const Schema *input_schema;
    OverOrder order;
    bool by_bits;          /* OWN_ORDER holds doubles */
    bool nulls_first;      /* of the first ORDER BY key */
    bool plain_order;      /* BY_TIME: nothing but the time orders */
    int64_t following_rows, following_groups, following_us; /* what a result waits for */
    int64_t reach_us;      /* how far back anything looks; TIME_MAX: partitions never end */
    KeyLayout key_layout;
    KeyBatch key_batch;
    KeyTable keys;
    RowStore store;
    StateColumns entries;  /* of partitions */
    OverPartition *partitions;
    size_t partitions_bytes;
    uint32_t partition_count;
    OverFrame *frames;
    bool *keeps_all;       /* by frame: it begins with the partition, and what it leaves out changes: no row may go */
    int frame_count;
    OverBundle *bundles;
    int bundle_count;
    OverCallState *calls;
    int entry_fields;
    Timers events;         /* BY_TIME: rows to put in order, results that wait for time; WHOLE: windows */
    Timers expiry;
    int64_t *scalars;
    Scalars scalars_container;
    bool complete;         /* partitions get no more rows */
    OutputBuilder out;
    LateRows late;
    RowList list;
    Text key;
    const Vector **key_vectors;
    double *history;       /* values that an anomaly is looked for in */
    size_t history_capacity;
    uint32_t *group;       /* rows of equal time that are put in order */
    size_t group_capacity;
} OverOperator;

static inline int64_t *over_entry(const OverOperator *o, uint32_t slot) { return (int64_t *)state_entry(&o->entries, slot); }
static inline int64_t *over_own(const OverOperator *o, uint32_t id) { return row_store_own(&o->store, id); }
/* The row with a number; it is still there. */
static inline uint32_t over_row(const OverOperator *o, uint32_t slot, int64_t number)
{
    const OverPartition *partition = &o->partitions[slot];
    return partition->ids[partition->head + (uint32_t)(number - over_entry(o, slot)[P_FIRST])];
}
/* A holder lets go of a row. */
static inline void over_release_row(OverOperator *o, uint32_t id)
{
    if (--over_own(o, id)[OWN_HOLDS] == 0)
        row_store_free(&o->store, id);
}

/* ---- over_frames.c ---- */
void over_plan_reach(OverOperator *o);               /* what results wait for, and how far anything looks back */
void over_plan_frames(OverOperator *o);              /* frames, bundles and the layout of entries, from the node's calls */
Error *over_open_bundles(OverOperator *o);
void over_close_bundles(OverOperator *o);
void over_cover_bundles(OverOperator *o, uint32_t slots);
/* Moves every frame of the partition to the row; its number is entry[P_NEXT]. */
Error *over_move_frames(OverOperator *o, uint32_t slot, uint32_t id);
/* Results of the bundles into row `at` of the output. */
Error *over_bundle_results(OverOperator *o, uint32_t slot, uint32_t id, uint32_t at);
/* Frees rows that no frame needs any more. */
void over_trim(OverOperator *o, uint32_t slot);
/* Takes back everything that the partition's frames hold. */
Error *over_empty_frames(OverOperator *o, uint32_t slot);
void over_drop_scratch(OverOperator *o);
/* Does the frame of the row at hand, `id`, leave out the row with the number? */
bool over_excludes(const OverOperator *o, const OverFrame *frame, uint32_t slot, uint32_t id, int64_t number);
int64_t *over_frame_bounds(const OverOperator *o, uint32_t slot, int frame); /* lo, hi */

/* ---- over_values.c ---- */
/* How many integers a call has in the entry of a partition. */
int over_value_fields(const OverCall *over);
/* A row has come into the call's growing frame. */
void over_value_observe(OverOperator *o, int call, uint32_t slot, uint32_t id);
/* Results of calls that are no aggregates, into row `at` of the output. */
Error *over_value_results(OverOperator *o, uint32_t slot, uint32_t id, uint32_t at);
/* The first row that the call will look at when the next row is due. */
int64_t over_value_needs(const OverOperator *o, int call, uint32_t slot);
void over_value_forget(OverOperator *o, int call, uint32_t slot);
/* Are the call's integers rows that it holds? */
bool over_value_holds(const OverCall *over);

/* ---- over_anomaly.c ---- */
int over_anomaly_fields(const OverCall *over);
void over_put_anomaly(OverOperator *o, int call, uint32_t slot, uint32_t id, Vector *out, uint32_t at);
