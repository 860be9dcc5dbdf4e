/* common/memory.c: allocation that never returns NULL, and the accountant. */
#include "common/memory.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local MemoryGuard *innermost;
static _Thread_local MemoryHold *newest_hold;
static _Atomic int64_t allocations;
static _Atomic int64_t fail_in; /* > 0: counts down to the failing allocation */

void memory_guard_enter(MemoryGuard *guard)
{
    guard->outer = innermost;
    guard->holds = newest_hold;
    innermost = guard;
}

void memory_guard_leave(MemoryGuard *guard) { innermost = guard->outer; }

void memory_hold_begin(MemoryHold *hold, void (*release)(void *what), void *what)
{
    *hold = (MemoryHold){ newest_hold, release, what };
    newest_hold = hold;
}

void memory_hold_end(MemoryHold *hold) { newest_hold = hold->outer; }

void memory_raise(void)
{
    MemoryGuard *guard = innermost;
    if (!guard) {
        fputs("bidsql: out of memory\n", stderr);
        exit(1);
    }
    while (newest_hold != guard->holds) {
        MemoryHold *hold = newest_hold;
        newest_hold = hold->outer;
        hold->release(hold->what);
    }
    innermost = guard->outer;
    longjmp(guard->where, 1);
}

void memory_fail_at(int64_t n) { fail_in = n; }
int64_t memory_allocation_count(void) { return allocations; }

static void before_allocation(void)
{
    atomic_fetch_add_explicit(&allocations, 1, memory_order_relaxed);
    if (__builtin_expect(atomic_load_explicit(&fail_in, memory_order_relaxed) > 0, 0) && atomic_fetch_sub(&fail_in, 1) == 1)
        memory_raise();
}

void *mem_alloc(size_t size)
{
    before_allocation();
    void *memory = malloc(size ? size : 1);
    if (!memory)
        memory_raise();
    return memory;
}

void *mem_calloc(size_t count, size_t size)
{
    before_allocation();
    void *memory = calloc(count ? count : 1, size ? size : 1);
    if (!memory)
        memory_raise();
    return memory;
}

void *mem_realloc(void *memory, size_t size)
{
    before_allocation();
    void *moved = realloc(memory, size ? size : 1);
    if (!moved)
        memory_raise();
    return moved;
}

void *mem_aligned(size_t alignment, size_t size)
{
    before_allocation();
    void *memory = NULL;
    if (posix_memalign(&memory, alignment, size ? size : alignment))
        memory_raise();
    return memory;
}

char *mem_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(mem_alloc(size), text, size);
}

void mem_free(void *memory) { free(memory); }

void *mem_grow(void *items, size_t *capacity, size_t needed, size_t size)
{
    if (needed <= *capacity)
        return items;
    size_t larger = *capacity ? *capacity * 2 : 16;
    while (larger < needed)
        larger *= 2;
    items = mem_realloc(items, larger * size);
    *capacity = larger;
    return items;
}

/* ---- pools ---- */

void pool_init(MemoryPool *pool, MemoryPool *parent, const char *name, int64_t limit_bytes)
{
    pool->parent = parent;
    pool->name = name;
    atomic_init(&pool->used_bytes, 0);
    atomic_init(&pool->peak_bytes, 0);
    pool->limit_bytes = limit_bytes;
    pool->members = NULL;
    pool->keeps_members = false;
    atomic_flag_clear(&pool->lock);
}

static void lock_members(MemoryPool *pool)
{
    while (atomic_flag_test_and_set_explicit(&pool->lock, memory_order_acquire))
        ;
}

static void unlock_members(MemoryPool *pool) { atomic_flag_clear_explicit(&pool->lock, memory_order_release); }

void pool_join(MemoryPool *pool, PoolMember *member)
{
    while (pool && !pool->keeps_members)
        pool = pool->parent;
    member->keeper = pool;
    if (!pool)
        return;
    lock_members(pool);
    member->previous = NULL;
    member->next = pool->members;
    if (member->next)
        member->next->previous = member;
    pool->members = member;
    unlock_members(pool);
}

void pool_leave(PoolMember *member)
{
    MemoryPool *pool = member->keeper;
    if (!pool)
        return;
    lock_members(pool);
    if (member->next)
        member->next->previous = member->previous;
    if (member->previous)
        member->previous->next = member->next;
    else
        pool->members = member->next;
    unlock_members(pool);
    member->keeper = NULL;
}

void pool_charge(MemoryPool *pool, int64_t bytes)
{
    for (; pool; pool = pool->parent) {
        int64_t used = atomic_fetch_add_explicit(&pool->used_bytes, bytes, memory_order_relaxed) + bytes;
        int64_t peak = atomic_load_explicit(&pool->peak_bytes, memory_order_relaxed);
        while (used > peak && !atomic_compare_exchange_weak_explicit(&pool->peak_bytes, &peak, used, memory_order_relaxed, memory_order_relaxed))
            ;
    }
}

/* Does one of the pools hold more than so many quarters of its limit? */
static bool pool_over_quarters(const MemoryPool *pool, int quarters)
{
    for (; pool; pool = pool->parent)
        if (pool->limit_bytes && atomic_load_explicit(&((MemoryPool *)pool)->used_bytes, memory_order_relaxed) / quarters > pool->limit_bytes / 4)
            return true;
    return false;
}

const MemoryPool *pool_over_limit(const MemoryPool *pool)
{
    for (; pool; pool = pool->parent)
        if (pool->limit_bytes && atomic_load_explicit(&((MemoryPool *)pool)->used_bytes, memory_order_relaxed) > pool->limit_bytes)
            return pool;
    return NULL;
}

bool pool_near_limit(const MemoryPool *pool) { return pool_over_quarters(pool, 3); }
bool pool_far_over_limit(const MemoryPool *pool) { return pool_over_quarters(pool, 5); }
