/* exec/state_columns.h: fixed-width values per slot.
 *
 *   layout   one char a field: 'l' int64, 'd' double, 's' Str (bytes in the heap), 't' one that snapshots leave out (empty afterwards), 'x' int128 (use memcpy)
 *   entry    the fields of one slot, one after the other: `width` bytes, so that a group is one cache line, not one a field
 *   chunk    4,096 entries; chunk 0 is smaller while there are few slots (it alone moves, in state_cover)
 *   present  per chunk: 0 absent, PRESENT, DIRTY = written since the last snapshot
 *
 * A slot that is covered for the first time is zero. DENSE: all slots up to `slot_count` exist (groups). SPARSE: a chunk
 * exists once one of its slots is touched (panes over shared keys). Snapshots are written field by field. */
#pragma once
#include "exec/state_heap.h"

enum { STATE_CHUNK_BITS = 12, STATE_CHUNK = 1 << STATE_CHUNK_BITS, STATE_CHUNK_MASK = STATE_CHUNK - 1 };
enum { STATE_ABSENT, STATE_PRESENT, STATE_DIRTY };

typedef struct StateColumns {
    Container container;
    const char *layout;      /* lives longer than the container */
    uint64_t fingerprint;
    uint32_t width;
    bool sparse;
    uint32_t slot_count;     /* covered slots */
    uint32_t chunk_count;    /* chunks for them */
    uint32_t first_capacity; /* entries of chunk 0; 0: not allocated */
    uint32_t room;           /* of the two arrays */
    char **chunks;           /* memory, kept while absent for the next use; NULL: none */
    uint8_t *present;
    bool has_strings;
    StateHeap heap;
} StateColumns;

size_t state_layout_width(const char *layout);
void state_init(StateColumns *state, MemoryPool *pool, const char *layout, bool sparse);
void state_release(StateColumns *state);
void state_clear(StateColumns *state);               /* keeps its memory for the next slots */
size_t state_bytes(const StateColumns *state);       /* of all chunks that it holds */
/* Slots 0..slot_count exist from now on; new ones are zero. Pointers into chunk 0 end here. */
void state_cover(StateColumns *state, uint32_t slot_count);
/* Declares that these covered slots will be written and says where their entries are. */
void state_touch(StateColumns *state, const uint32_t slots[], uint32_t count, char *states[]);
char *state_touch_one(StateColumns *state, uint32_t slot);
/* The slot's entry is zero again; its strings go. */
void state_zero(StateColumns *state, uint32_t slot);
/* Memory of an absent chunk of a SPARSE container, zeroed and present from now on. */
void state_make_chunk(StateColumns *state, uint32_t chunk);
/* Slots where bit `live` is clear go; the others move to remap[slot]. */
void state_keep(StateColumns *state, const uint64_t *live, const uint32_t *remap, uint32_t kept);

static inline uint32_t state_chunk_capacity(const StateColumns *state, uint32_t chunk)
{
    return chunk ? STATE_CHUNK : state->first_capacity;
}
/* The entry of a covered slot whose chunk is present. */
static inline char *state_entry(const StateColumns *state, uint32_t slot)
{
    return state->chunks[slot >> STATE_CHUNK_BITS] + (size_t)(slot & STATE_CHUNK_MASK) * state->width;
}
static inline bool state_has_chunk(const StateColumns *state, uint32_t chunk)
{
    return chunk < state->chunk_count && state->present[chunk];
}
