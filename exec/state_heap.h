/* exec/state_heap.h: the bytes of strings in state: behind key columns and behind MIN, MAX of strings.
 *
 * Blocks of 1 KiB to 256 KiB. Rooms are powers of two from 16 bytes; a room that is given back waits in the list of its
 * size. Everything goes at once when its window closes. */
#pragma once
#include "exec/state.h"

typedef struct StateHeapBlock StateHeapBlock;

struct StateHeap {
    MemoryPool *pool;
    StateHeapBlock *blocks; /* newest first */
    char *next, *end;       /* free space of the newest block */
    void *rooms[33];        /* rooms[n]: list of free rooms of 2^n bytes */
};

void state_heap_init(StateHeap *heap, MemoryPool *pool);
void state_heap_release(StateHeap *heap);
void state_heap_clear(StateHeap *heap); /* keeps the newest block */
/* A copy that is never given back singly: no room to grow. */
Str state_heap_copy(StateHeap *heap, const char *bytes, size_t length);
/* Gives back what state_heap_store returned. */
void state_heap_drop(StateHeap *heap, const Str *stored);
