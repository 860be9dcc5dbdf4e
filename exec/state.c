/* exec/state.c: the memory of state containers. */
#include "exec/state.h"
#include <string.h>
#include <sys/mman.h>

enum { HUGE_PAGE = 2 << 20 };

void *state_block_new(MemoryPool *pool, size_t bytes)
{
    if (pool_far_over_limit(pool))
        memory_raise();
    void *block = mem_aligned(bytes >= HUGE_PAGE ? HUGE_PAGE : 64, bytes);
    if (bytes >= HUGE_PAGE)
        madvise(block, bytes, MADV_HUGEPAGE);
    pool_charge(pool, (int64_t)bytes);
    return block;
}

void state_block_free(MemoryPool *pool, void *block, size_t bytes)
{
    if (!block)
        return;
    mem_free(block);
    pool_charge(pool, -(int64_t)bytes);
}

void *state_block_grow(MemoryPool *pool, void *block, size_t *bytes, size_t used, size_t needed)
{
    size_t larger = *bytes ? *bytes * 2 : 64;
    while (larger < needed)
        larger *= 2;
    void *grown = state_block_new(pool, larger);
    if (used)
        memcpy(grown, block, used);
    state_block_free(pool, block, *bytes);
    *bytes = larger;
    return grown;
}
