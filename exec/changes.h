/* exec/changes.h: what a batch changes in the results of groups: +I, -U +U, -D; at most one change a group and batch.
 *
 * changes_before is called with the slots of the rows before they are added, changes_after when they are in. */
#pragma once
#include "exec/aggregates.h"

typedef struct GroupChanges {
    Operator *op;
    Aggregates *aggregates;
    OutputBuilder *out;
    int key_count;
    bool has_window;          /* window_start, window_end, window_time follow the keys */
    bool emit_unchanged;
    bool with_before;         /* the edge wants -U */
    Arena arena;              /* of the batch at hand */
    uint32_t *table;          /* set of touched slots: slot + 1, open addressing */
    size_t table_capacity;
    uint32_t *touched;        /* slots in order of first touch */
    bool *existed;
    char **states;
    size_t touched_capacity, existed_capacity, states_capacity;
    uint32_t touched_count;
    Vector **old_results;     /* by call: row i belongs to touched[i] */
} GroupChanges;

void changes_init(GroupChanges *changes, Operator *op, Aggregates *aggregates, OutputBuilder *out);
void changes_release(GroupChanges *changes);
/* `former_slots`: how many slots the table had before these rows; all slots are covered. */
Error *changes_before(GroupChanges *changes, Groups *groups, const uint32_t *slots, uint32_t count, uint32_t former_slots);
Error *changes_after(GroupChanges *changes, Groups *groups, const KeyTable *keys, int64_t start_us, int64_t end_us, int64_t wm_us);

/* Writes window_start, window_end and window_time into three columns. */
void put_bounds(Vector *const columns[], uint32_t first, uint32_t count, int64_t start_us, int64_t end_us);
/* One value from one FLAT vector to another of the same type; strings and nested values are copied to the arena. */
void vector_copy_row(Arena *arena, Vector *to, uint32_t to_row, const Vector *from, uint32_t from_row);
bool vector_rows_equal(const Vector *a, uint32_t a_row, const Vector *b, uint32_t b_row);
