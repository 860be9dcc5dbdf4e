/* exec/state_heap.c: see state_heap.h. */
#include "exec/state_heap.h"
#include <string.h>

struct StateHeapBlock {
    StateHeapBlock *older;
    size_t bytes; /* header included */
};

enum { BLOCK_MIN = 1 << 10, BLOCK_MAX = 256 << 10, STATE_HEAP_STRING_MAX = 1 << 30 };

void state_heap_init(StateHeap *heap, MemoryPool *pool) { *heap = (StateHeap){ .pool = pool }; }

static void blocks_free(StateHeap *heap, StateHeapBlock *block)
{
    while (block) {
        StateHeapBlock *older = block->older;
        state_block_free(heap->pool, block, block->bytes);
        block = older;
    }
}

void state_heap_release(StateHeap *heap)
{
    blocks_free(heap, heap->blocks);
    state_heap_init(heap, heap->pool);
}

void state_heap_clear(StateHeap *heap)
{
    StateHeapBlock *kept = heap->blocks;
    if (!kept)
        return;
    blocks_free(heap, kept->older);
    kept->older = NULL;
    heap->next = (char *)(kept + 1);
    memset(heap->rooms, 0, sizeof(heap->rooms));
}

static char *heap_alloc(StateHeap *heap, size_t bytes)
{
    if ((size_t)(heap->end - heap->next) < bytes) {
        size_t size = heap->blocks ? heap->blocks->bytes * 2 : BLOCK_MIN;
        if (size > BLOCK_MAX)
            size = BLOCK_MAX;
        if (size < bytes + sizeof(StateHeapBlock))
            size = bytes + sizeof(StateHeapBlock);
        StateHeapBlock *block = state_block_new(heap->pool, size);
        *block = (StateHeapBlock){ heap->blocks, size };
        heap->blocks = block;
        heap->next = (char *)(block + 1);
        heap->end = (char *)block + size;
    }
    char *room = heap->next;
    heap->next += bytes;
    return room;
}

Str state_heap_copy(StateHeap *heap, const char *bytes, size_t length)
{
    if (length <= STR_INLINE)
        return str_view(bytes, length);
    char *copy = heap_alloc(heap, (length + 7) & ~(size_t)7);
    memcpy(copy, bytes, length);
    return str_view(copy, length);
}

/* log2 of the room that a string of this length gets. */
static int room_size(uint32_t length) { return length <= 16 ? 4 : 64 - __builtin_clzll((uint64_t)length - 1); }

void state_heap_drop(StateHeap *heap, const Str *stored)
{
    if (stored->length <= STR_INLINE)
        return;
    void **room = (void **)(uintptr_t)stored->pointer;
    int size = room_size(stored->length);
    *room = heap->rooms[size];
    heap->rooms[size] = room;
}

/* A room of 2^size bytes. */
static char *room_new(StateHeap *heap, int size)
{
    char *room = heap->rooms[size];
    if (!room)
        return heap_alloc(heap, (size_t)1 << size);
    heap->rooms[size] = *(void **)room;
    return room;
}

char *state_heap_resize(StateHeap *heap, Str *stored, size_t length)
{
    if (length > STATE_HEAP_STRING_MAX)
        memory_raise();
    const Str before = *stored;
    const bool had_room = before.length > STR_INLINE;
    if (length <= STR_INLINE) {
        *stored = str_view(str_bytes(&before), before.length < length ? before.length : length);
        if (had_room)
            state_heap_drop(heap, &before);
        stored->length = (uint32_t)length;
        return stored->inlined;
    }
    const int size = room_size((uint32_t)length);
    char *room = (char *)(uintptr_t)before.pointer;
    if (!had_room || room_size(before.length) != size) {
        room = room_new(heap, size);
        memcpy(room, str_bytes(&before), before.length < length ? before.length : length);
        if (had_room)
            state_heap_drop(heap, &before);
    }
    *stored = (Str){ .length = (uint32_t)length };
    stored->pointer = room;
    return room;
}

Str state_heap_store(StateHeap *heap, const Str *value, const Str *previous)
{
    bool had_room = previous && previous->length > STR_INLINE;
    if (value->length <= STR_INLINE) {
        if (had_room)
            state_heap_drop(heap, previous);
        return *value;
    }
    int size = room_size(value->length);
    char *room = had_room ? (char *)(uintptr_t)previous->pointer : NULL;
    if (!had_room || room_size(previous->length) != size) {
        room = room_new(heap, size);
        if (had_room)
            state_heap_drop(heap, previous);
    }
    memcpy(room, value->pointer, value->length);
    return str_view(room, value->length);
}
