/* common/memory.h: allocation, the one memory accountant, and what happens without memory.
 *
 * mem_alloc never returns NULL. When memory runs out it jumps to the innermost MemoryGuard of the
 * thread, where the statement or the turn that asked is given up as a whole: its memory belongs to an
 * arena (or to a container that stays consistent), so nothing leaks and no caller tests for NULL.
 * Rules that follow: (1) between mem_alloc calls an object that outlives the guard must be in a state
 * that its `_release` accepts; (2) what must be closed hangs on an arena (arena_defer) or on such an
 * object; what only a local variable knows is named to MEMORY_HOLD; (3) never hold a lock across mem_alloc.
 * Tests make the n-th allocation fail: memory_fail_at. */
#pragma once
#include <setjmp.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/error.h"

void *mem_alloc(size_t size) __attribute__((malloc, returns_nonnull));
void *mem_calloc(size_t count, size_t size) __attribute__((malloc, returns_nonnull)); /* zeroed */
void *mem_realloc(void *memory, size_t size) __attribute__((returns_nonnull));
void *mem_aligned(size_t alignment, size_t size) __attribute__((malloc, returns_nonnull)); /* free with mem_free */
char *mem_strdup(const char *text) __attribute__((returns_nonnull));
void mem_free(void *memory);

/* Grows `items` (capacity in *capacity) so that it holds at least `needed` items of `size` bytes. */
void *mem_grow(void *items, size_t *capacity, size_t needed, size_t size);

typedef struct MemoryHold {
    struct MemoryHold *outer;
    void (*release)(void *what);
    void *what;
} MemoryHold;

typedef struct MemoryGuard {
    jmp_buf where;
    struct MemoryGuard *outer;
    MemoryHold *holds; /* those of the frames outside */
} MemoryGuard;

void memory_guard_enter(MemoryGuard *guard);
void memory_guard_leave(MemoryGuard *guard);

/* Runs `call` (an Error * expression) under a guard and stores its error, or the out-of-memory error.
 * Locals changed inside must be volatile if they are read afterwards. */
#define MEMORY_GUARDED(error_out, call)                    \
    do {                                                   \
        MemoryGuard guard_;                                \
        memory_guard_enter(&guard_);                       \
        if (setjmp(guard_.where) == 0) {                   \
            (error_out) = (call);                          \
            memory_guard_leave(&guard_);                   \
        } else {                                           \
            (error_out) = error_memory();                  \
        }                                                  \
    } while (0)

/* Until its scope ends, a raise that leaves the scope calls release(what): for locals such as a Text or an Arena, by their *_unwind.
 * The scope's ordinary ends release as ever. `release` must not allocate. */
#define MEMORY_HOLD(release, what) MEMORY_HOLD_(release, what, __COUNTER__)
#define MEMORY_HOLD_(release, what, number) MEMORY_HOLD__(release, what, number)
#define MEMORY_HOLD__(release, what, number)                                       \
    MemoryHold hold_##number __attribute__((cleanup(memory_hold_end)));            \
    memory_hold_begin(&hold_##number, release, what)
void memory_hold_begin(MemoryHold *hold, void (*release)(void *what), void *what);
void memory_hold_end(MemoryHold *hold);

/* Leaves through the innermost guard, as mem_alloc does when there is no memory. */
void memory_raise(void) __attribute__((noreturn));

/* Test hook: the n-th allocation from now fails (1 = the next); 0 switches it off. Counts all threads. */
void memory_fail_at(int64_t n);
int64_t memory_allocation_count(void); /* allocations since the process started */

/* A pool counts the bytes of what belongs to it and to its children: operator < job < process.
 * Counting is per block (chunk, segment, arena block), never per row. */
typedef struct MemoryPool {
    struct MemoryPool *parent;
    const char *name;           /* for messages; not owned */
    _Atomic int64_t used_bytes;
    _Atomic int64_t peak_bytes;
    int64_t limit_bytes;        /* 0: none */
    struct PoolMember *members; /* of a pool that keeps them, newest first */
    atomic_flag lock;           /* of the members */
    bool keeps_members;
} MemoryPool;

/* An object on the heap that is found by its pool as long as it lives: a raise may leave it with nobody else to know it. */
typedef struct PoolMember {
    struct PoolMember *next, *previous;
    MemoryPool *keeper;         /* NULL: no pool keeps it */
} PoolMember;

void pool_init(MemoryPool *pool, MemoryPool *parent, const char *name, int64_t limit_bytes);
void pool_charge(MemoryPool *pool, int64_t bytes); /* negative gives back; pool may be NULL */
void pool_join(MemoryPool *pool, PoolMember *member); /* the nearest pool that keeps members; none: nothing happens */
void pool_leave(PoolMember *member);
/* The pool nearest to `pool` that is over its limit, or NULL. Jobs ask at the end of a turn. */
const MemoryPool *pool_over_limit(const MemoryPool *pool);
/* Is one of the pools three quarters full? */
bool pool_near_limit(const MemoryPool *pool);
/* Is one of the pools a quarter over its limit? That cannot wait for the end of the turn: one turn alone would take all memory. */
bool pool_far_over_limit(const MemoryPool *pool);
