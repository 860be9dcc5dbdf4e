/* exec/join_state.h: the rows that a join keeps of its two sides, and how they are found.
 *
 *   groups      KeyTable of the join's keys, shared by both sides; per group the ends of two lists of rows
 *   rows        per side a RowStore; a row stands in the list of its group, in order of time where both sides have one, then of arrival
 *   identities  per side whose rows are taken back: what tells rows apart -> the newest such row, from which the others hang
 *
 * A row whose key is NULL is in no group. Groups and identities without rows go once they are most of their table. */
#pragma once
#include "exec/key_table.h"
#include "exec/row_list.h"
#include "exec/row_store.h"
#include "exec/scalars.h"
#include "exec/state_columns.h"

typedef struct JoinRow { /* the operator's integers of a row */
    int64_t group;           /* -1: its key is NULL */
    int64_t next, previous;  /* in its group: numbers plus one; 0: none */
    int64_t time_us;         /* event time; TIME_MIN: none */
    int64_t death_us;        /* dead once W is beyond it; TIME_MAX: never */
    int64_t matches;         /* rows of the other side that it has met; JOIN_FREE: the number is not in use */
    int64_t identity, same;  /* its identity, -1: none; the next row of the same one: number plus one */
    int64_t order;           /* of arrival */
    int64_t arrived_us;      /* by the clock of the turn */
} JoinRow;

enum { JOIN_FREE = -1, JOIN_ROW_FIELDS = sizeof(JoinRow) / 8 };

/* JoinBest: behind the integers of a row whose pairs are compared. */
typedef struct JoinBestSoFar {
    int64_t there;
    struct { int64_t place, value; } keys[JOIN_BEST_KEYS]; /* place 0: NULL first, 1: a value, 2: NULL last */
} JoinBestSoFar;
enum { JOIN_BEST_FIELDS = sizeof(JoinBestSoFar) / 8 };

typedef struct JoinRows {    /* of one side */
    const JoinSide *plan;
    const Schema *schema;
    RowStore store;
    uint32_t live;
    bool identified;
    const int *identity; int identity_count; /* columns; without a key of their own all of them tell rows apart */
    KeyLayout identity_layout;
    KeyBatch identity_batch;
    KeyTable identities;
    StateColumns newest;     /* by identity: number plus one; 0: no row */
    uint32_t live_identities;
    uint32_t *identity_slots; /* of the rows at hand */
    size_t identity_capacity;
} JoinRows;

enum { JOIN_SCALAR_ORDER, JOIN_SCALAR_WM, JOIN_SCALAR_TIME_0, JOIN_SCALAR_TIME_1, JOIN_SCALARS };

typedef struct JoinState {
    bool by_time;            /* the order within groups */
    const Operator *op;
    KeyLayout key_layout;
    KeyBatch key_batch;
    KeyTable groups;
    StateColumns links;      /* by group */
    uint32_t live_groups;
    JoinRows sides[2];
    int64_t scalars[JOIN_SCALARS];
    Scalars scalars_container;
    RowList list;
    const Vector **vectors;  /* scratch */
} JoinState;

void join_state_open(JoinState *state, Operator *op, Arena *arena);
void join_state_close(JoinState *state);
enum { JOIN_CONTAINERS = 10 };
int join_state_containers(JoinState *state, Container **containers);
/* Checks links and counts what lives. */
Error *join_state_restored(JoinState *state);

/* The keys of these rows: state->list.slots[i] is the group of rows[i] (with `find`, KEY_ABSENT where there is none), and their identities.
 * Valid until the next call. */
void join_locate(JoinState *state, int side, const Batch *batch, const uint32_t *rows, uint32_t count, bool find);
bool join_key_is_null(const JoinState *state, int side, const Batch *batch, uint32_t row);
/* Adds a row; i: its place among those that were located; JOIN_PASSING: it goes again at once, and has no identity. group < 0: its key is NULL. */
#define JOIN_PASSING UINT32_MAX
uint32_t join_add(JoinState *state, int side, const Batch *batch, uint32_t row, uint32_t i, int64_t group, int64_t time_us, int64_t death_us);
/* The row that row i of those located means; ROW_NONE: none. */
uint32_t join_find(const JoinState *state, int side, uint32_t i);
/* Is the pair better than all that this row of the best side has had (or as good, if that counts)? Then it is what later ones are compared with. */
bool join_best_takes(JoinState *state, uint32_t number, uint32_t other);
/* Of two rows of the other side: which one is better, < 0: a. */
int join_best_order(const JoinState *state, uint32_t a, uint32_t b);
/* Takes the row out of its group and its identity; its contents stay until join_free. */
void join_remove(JoinState *state, int side, uint32_t number);
void join_free(JoinState *state, int side, uint32_t number);
/* Is this still the row that had come as number `order` when a timer was set for it? */
bool join_row_stays(const JoinState *state, int side, uint32_t number, uint32_t order);
/* Drops groups and identities without rows, if they are most. Not while rows are located. */
void join_state_compact(JoinState *state, Arena *scratch);

static inline JoinRow *join_row(const JoinState *state, int side, uint32_t number)
{
    return (JoinRow *)row_store_own(&state->sides[side].store, number);
}
static inline JoinRow *join_touch(JoinState *state, int side, uint32_t number)
{
    return (JoinRow *)state_touch_one(&state->sides[side].store.rows, number);
}
/* The first and the last row of a group, as numbers plus one. */
typedef struct JoinLinks { int64_t first, last; } JoinLinks;
typedef struct JoinGroup { JoinLinks sides[2]; } JoinGroup;
static inline const JoinGroup *join_group(const JoinState *state, uint32_t group) { return (const JoinGroup *)state_entry(&state->links, group); }
