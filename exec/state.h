/* exec/state.h: what every state container has in common.
 *
 * Operators own no memory: they compose containers, and counting, snapshot and restore are written once per container:
 *
 *   KeyTable      key columns -> slots, dense, in order of arrival            key_table.h
 *   StateColumns  fixed-width values per slot, in chunks that never move      state_columns.h
 *   PairSet       (slot, value) -> counts: DISTINCT                           pair_set.h
 *   OrderedSets   slot -> sorted (value, count): MIN, MAX that can shrink     ordered_sets.h
 *   RowStore      rows, strings included                                      row_store.h
 *   Timers        (time, slot)                                                timers.h
 *   Scalars       a few integers: clocks and sequence numbers                 scalars.h */
#pragma once
#include "exec/exec_internal.h"
#include "exec/snapshot.h"

#define CONTAINERS_MAX 64 /* of an operator */

typedef struct ContainerType {
    const char *name;
    void (*write)(const Container *container, Text *snapshot);
    Error *(*read)(Container *container, SnapshotReader *reader); /* into a container without contents */
    uint64_t (*rows)(const Container *container); /* keys or rows that it holds, for metrics; NULL: what it holds belongs to others' rows */
} ContainerType;

struct Container { /* the first member of every container */
    const ContainerType *type;
    MemoryPool *pool; /* charged per block; may be NULL */
};

/* Appends the container's pages to the snapshot. */
static inline void container_write(const Container *container, Text *snapshot) { container->type->write(container, snapshot); }
/* Reads what container_write wrote. After an error the contents are unspecified but releasable. */
static inline Error *container_read(Container *container, SnapshotReader *reader) { return container->type->read(container, reader); }

/* Blocks of state: counted in the pool, aligned to 64 bytes, not zeroed; large ones ask for huge pages. */
void *state_block_new(MemoryPool *pool, size_t bytes);
void state_block_free(MemoryPool *pool, void *block, size_t bytes); /* NULL is fine */
/* A block twice as large or more, with the first `used` bytes copied; the old one is freed. *bytes becomes its size. */
void *state_block_grow(MemoryPool *pool, void *block, size_t *bytes, size_t used, size_t needed);
