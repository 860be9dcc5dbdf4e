/* exec/subquery.h: what the rows of a sub-query say about a row outside of it: EXISTS, IN, the one value.
 *
 * Rows of the sub-query are its correlation keys (a NULL among them equals nothing) and, except for EXISTS, a value. They may be taken back.
 *
 *   groups   correlation key -> how many rows; of them NULLs; the sum of their values' numbers: where there is one row, its value
 *   values   (correlation key, value) -> how many rows
 *
 * State: KeyTable + StateColumns, twice. */
#pragma once
#include "exec/key_table.h"
#include "exec/row_list.h"
#include "exec/state_columns.h"

typedef struct SubqueryGroup { int64_t rows, nulls, sum; } SubqueryGroup;

typedef struct Subquery {
    const PlanNode *node;
    int key_count;
    bool has_values;
    KeyLayout group_layout, value_layout;
    KeyBatch group_batch, value_batch;
    KeyTable groups, values;
    StateColumns group_state, value_state;
    RowList list;
    uint32_t *value_slots;     /* of the rows at hand */
    size_t value_capacity;
    int *key_columns;          /* of the sub-query's rows: 0, 1 .. */
    const Vector **vectors;
} Subquery;

/* What a row outside gets. EXISTS and IN: the three truth values. SCALAR: no row, several rows, or the value's number plus two. */
enum { SUBQUERY_FALSE = 0, SUBQUERY_TRUE = 1, SUBQUERY_UNKNOWN = 2 };
enum { SUBQUERY_NONE = 0, SUBQUERY_SEVERAL = 1, SUBQUERY_VALUE = 2 };

void subquery_init(Subquery *subquery, Arena *arena, Operator *op);
void subquery_release(Subquery *subquery);
/* Adds rows of the sub-query, or takes them back. rows[0..count) are those that count, groups[] and values[] their numbers, until the next call. */
const uint32_t *subquery_take(Subquery *subquery, const Batch *batch, uint32_t *count, const uint32_t **groups, const uint32_t **values);
/* The numbers of the groups and values that rows outside ask for, KEY_ABSENT where there are none; with `add` they get one. */
void subquery_locate(Subquery *subquery, const Batch *batch, const uint32_t *rows, uint32_t count, bool add, uint32_t *groups, uint32_t *values);
/* What a row outside gets. `null`: the value that it asks for is NULL. */
int64_t subquery_answer(const Subquery *subquery, uint32_t group, uint32_t value, bool null);
/* Writes answers into the batch's last column, at rows[] (NULL: from `first` on); several rows where one may be are an error of the row. */
Error *subquery_put(const Subquery *subquery, Operator *op, Batch *batch, const int64_t *answers, uint32_t count, const uint32_t *rows, uint32_t first);
int subquery_containers(Subquery *subquery, Container **containers);
Error *subquery_restored(const Subquery *subquery);

static inline SubqueryGroup *subquery_group(const Subquery *subquery, uint32_t group) { return (SubqueryGroup *)state_entry(&subquery->group_state, group); }
