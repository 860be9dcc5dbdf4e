/* exec/aggregates.h: the aggregates of one plan node, and their state over many groups.
 *
 *   entry of a group   [ the operator's own fields | state of call 0 | state of call 1 | .. | rows in the group, where no COUNT(*) says so ]
 *   DISTINCT           one PairSet per list of argument columns; calls over it get a row when its pair is new to them
 *   shrinking MIN,MAX  (input retracts) an OrderedSets instead of a state in the entry
 *
 * An Aggregates is the read-only plan plus scratch memory of its operator; a Groups is state: a container. */
#pragma once
#include "exec/ordered_sets.h"
#include "exec/output_builder.h"
#include "exec/pair_set.h"

typedef struct DistinctColumn {
    const int *columns; int column_count; /* of the input */
    bool nulls_count;         /* rows with a NULL are no different from others */
    int call_count;
    int *calls;               /* bit i: calls[i] */
    PairLayout layout;
    PairScratch scratch;
} DistinctColumn;

typedef struct Aggregates {
    const Schema *input;
    RowPolicy on_error;       /* of a result that overflows */
    const AggregateCall *calls;
    int call_count;
    bool retracting;          /* the input has -U and -D rows */
    bool keep_empty;          /* a group without rows stays */
    char *layout;             /* of an entry */
    size_t *offsets;          /* of each call's state */
    bool *plain;              /* neither DISTINCT nor shrinking */
    AggregateShape *shapes;   /* by call; their functions are those that run: the shrinking ones where the input retracts */
    bool has_rows;            /* the entry says how many rows the group has.. */
    size_t rows_offset;       /* ..here */
    bool mergeable_by_copy;   /* no strings, sets: a first pane may be copied */
    bool all_plain;
    bool order_sensitive;     /* a call depends on the order of rows */
    bool invertible;          /* all calls unmerge */
    int rows_call;            /* the COUNT(*) that says how many rows a group has; -1: a field of its own */
    int distinct_count;
    DistinctColumn *distincts;
    int set_count;            /* calls over OrderedSets */
    int *set_calls;
    const Type **set_types;
    /* scratch, by row of the batch or of the run */
    uint32_t capacity;
    char **states;
    uint32_t *rows, *slots;
    char **row_states;
    uint64_t *masks, *changed;
} Aggregates;

typedef struct Groups {
    Container container;
    const Aggregates *aggregates;
    StateColumns state;
    PairSet *distincts;
    OrderedSets *sets;
} Groups;

/* `header`: layout of the operator's own fields at the start of an entry. `count_rows`: the entry must say how many rows a group has
 * (panes, retractions). `chained`: groups merge and are forgotten one by one (sessions). */
Error *aggregates_open(Aggregates *aggregates, Arena *arena, const PlanNode *node, const char *header, bool count_rows, bool chained);
/* The same for any calls over columns of `input`; `retracting`: rows can be taken back. */
Error *aggregates_open_calls(Aggregates *aggregates, Arena *arena, const Schema *input, const AggregateCall *calls, int call_count, RowPolicy on_error,
                             bool retracting, const char *header, bool count_rows, bool chained);
void aggregates_close(Aggregates *aggregates);

void groups_init(Groups *groups, MemoryPool *pool, const Aggregates *aggregates, bool sparse);
void groups_release(Groups *groups);
void groups_clear(Groups *groups);       /* keeps its memory */
size_t groups_bytes(const Groups *groups);

/* Adds rows[i] of the batch to the group slots[i], which is covered. */
void groups_update(Aggregates *aggregates, Groups *groups, const Batch *batch, const uint32_t *rows, const uint32_t *slots,
                   uint32_t count, Evaluation *evaluation);
/* Adds groups [from_first, + count) of `from` to groups into_first.. of `into`; both ranges are covered and stay in one chunk.
 * Plain calls only; groups_merge_distinct does the others, one group at a time, where `chained` was said. */
void groups_merge(const Aggregates *aggregates, Groups *into, uint32_t into_first, const Groups *from, uint32_t from_first,
                  uint32_t count);
void groups_merge_distinct(Aggregates *aggregates, Groups *into, uint32_t into_slot, const Groups *from, uint32_t from_slot);
/* The group is as new. DISTINCT only where `chained` was said. */
void groups_forget(Groups *groups, uint32_t slot);
/* Gives back memory of groups that were forgotten. */
void groups_compact(Aggregates *aggregates, Groups *groups);
void groups_unmerge(const Aggregates *aggregates, Groups *total, const Groups *gone, uint32_t first, uint32_t count);
/* The rows of a group. */
static inline int64_t group_rows(const Aggregates *aggregates, const char *entry)
{
    int64_t rows;
    memcpy(&rows, entry + aggregates->rows_offset, 8);
    return rows;
}
/* Results of the groups slots[i] (entries states[i]) into columns[call], rows first.. A failed result is the job's error, or NULL and
 * counted, as the node says. */
Error *groups_result(const Aggregates *aggregates, const Groups *groups, char *const *states, const uint32_t *slots, uint32_t count,
                     Vector *const columns[], uint32_t first, Operator *op, Batch *batch, Evaluation *evaluation);
void groups_keep(Aggregates *aggregates, Groups *groups, const uint64_t *live, const uint32_t *remap, uint32_t kept);
