/* exec/table_store.h: the table that a query keeps where its rows leave the job: what is read while it runs.
 *
 * By key: one row a key, last wins. Without a key: rows with how often they are there. Rows of windows go some time after their window has closed. */
#pragma once
#include "exec/key_table.h"
#include "exec/row_list.h"
#include "exec/row_store.h"

typedef struct TableStore {
    const PlanNode *node;    /* the sink */
    KeyLayout key_layout;
    KeyBatch key_batch;
    KeyTable keys;
    StateColumns places;     /* by slot: the number of its row plus one; 0: it is gone */
    RowStore rows;           /* with how often each is there */
    uint32_t row_count;      /* of keys that are there */
    /* Rows of windows by the rest of their key: derived, not in snapshots. */
    KeyLayout group_layout;
    KeyBatch group_batch;
    KeyTable groups;
    StateColumns heads, nexts; /* of a group: its last key's slot plus one; of a key's slot: the one before it in its group */
    int64_t swept_us;        /* windows that ended before are gone */
    RowList list;
    const Vector **key_vectors;
    int *key_columns; int key_count;
} TableStore;

/* What is common lives in the arena. */
void table_store_init(TableStore *store, Arena *arena, MemoryPool *pool, const PlanNode *sink);
void table_store_release(TableStore *store);
void table_store_take(TableStore *store, const Batch *batch);
/* Windows whose retention has passed go. */
void table_store_advance(TableStore *store, int64_t wm_us);
int table_store_containers(TableStore *store, Container **containers, int capacity);
Error *table_store_restored(TableStore *store);

/* The row of a key (a Value a key column, in order), in a batch of its own; NULL: there is none. */
Error *table_store_find(TableStore *store, const Value *key, Batch **rows);
/* All rows whose key begins so (a Value for each of sink.table_group_count columns), in order of their arrival; NULL: there are none. */
Error *table_store_find_group(TableStore *store, const Value *key, Batch **rows);
/* The next rows from slot *next on, in order of arrival; NULL: that was all. */
Error *table_store_scan(TableStore *store, uint32_t *next, Batch **rows);
