/* common/arena.c: memory that is freed all at once.
 *
 * Blocks of arenas are recycled per thread: a batch comes and goes every 2,048 rows, and fresh pages from the system would cost more
 * than the work done on them. */
#include "common/arena.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BLOCK (4u << 10)
#define LARGEST_BLOCK (256u << 10)
#define RECYCLED_PER_THREAD 48 /* blocks of LARGEST_BLOCK */

struct ArenaBlock {
    ArenaBlock *next;
    size_t size; /* bytes of `data` */
    _Alignas(16) char data[];
};

struct ArenaCleanup {
    ArenaCleanup *next;
    void (*run)(void *what);
    void *what;
};

/* ---- recycling of the largest ordinary blocks ---- */

typedef struct Recycler {
    ArenaBlock *free;
    int count;
    bool registered;
} Recycler;

static _Thread_local Recycler recycler;
static pthread_key_t recycler_key;
static pthread_once_t recycler_once = PTHREAD_ONCE_INIT;

static void recycler_empty(void *which)
{
    Recycler *mine = which;
    while (mine->free) {
        ArenaBlock *block = mine->free;
        mine->free = block->next;
        free(block);
    }
    mine->count = 0;
    mine->registered = false;
}

static void recycler_at_exit(void) { recycler_empty(&recycler); }

static void recycler_init(void)
{
    pthread_key_create(&recycler_key, recycler_empty);
    atexit(recycler_at_exit);
}

static ArenaBlock *block_take(size_t size)
{
    if (size == LARGEST_BLOCK && recycler.free) {
        ArenaBlock *block = recycler.free;
        recycler.free = block->next;
        recycler.count--;
        return block;
    }
    ArenaBlock *block = mem_alloc(sizeof *block + size);
    block->size = size;
    return block;
}

static void block_give(ArenaBlock *block)
{
    if (block->size == LARGEST_BLOCK && recycler.count < RECYCLED_PER_THREAD) {
        if (!recycler.registered) {
            pthread_once(&recycler_once, recycler_init);
            pthread_setspecific(recycler_key, &recycler);
            recycler.registered = true;
        }
        block->next = recycler.free;
        recycler.free = block;
        recycler.count++;
        return;
    }
    mem_free(block);
}

/* ---- arenas ---- */

void arena_init(Arena *arena, MemoryPool *pool) { *arena = (Arena){ .pool = pool }; }

static void run_cleanups(Arena *arena)
{
    while (arena->cleanups) {
        ArenaCleanup *cleanup = arena->cleanups;
        arena->cleanups = cleanup->next;
        cleanup->run(cleanup->what);
    }
}

static void drop_blocks(Arena *arena, ArenaBlock *keep)
{
    ArenaBlock *block = arena->blocks;
    while (block) {
        ArenaBlock *next = block->next;
        if (block != keep) {
            pool_charge(arena->pool, -(int64_t)block->size);
            block_give(block);
        }
        block = next;
    }
}

void arena_release(Arena *arena)
{
    run_cleanups(arena);
    drop_blocks(arena, NULL);
    arena->blocks = NULL;
    arena->next = arena->end = NULL;
}

void arena_unwind(void *arena) { arena_release(arena); }

void arena_reset(Arena *arena)
{
    run_cleanups(arena);
    ArenaBlock *keep = NULL;
    for (ArenaBlock *block = arena->blocks; block; block = block->next)
        if (block->size <= LARGEST_BLOCK && (!keep || block->size > keep->size))
            keep = block;
    drop_blocks(arena, keep);
    arena->blocks = keep;
    if (keep)
        keep->next = NULL;
    arena->next = keep ? keep->data : NULL;
    arena->end = keep ? keep->data + keep->size : NULL;
}

static size_t next_block_size(const Arena *arena)
{
    size_t size = arena->blocks ? arena->blocks->size * 2 : FIRST_BLOCK;
    return size > LARGEST_BLOCK ? LARGEST_BLOCK : size;
}

static void *alloc_slow(Arena *arena, size_t size)
{
    size_t block_size = next_block_size(arena);
    bool own = size > block_size / 2 && size > LARGEST_BLOCK / 2;
    if (!own)
        while (block_size < size)
            block_size *= 2;
    ArenaBlock *block = block_take(own ? size : block_size);
    pool_charge(arena->pool, (int64_t)block->size);
    if (own && arena->blocks) { /* keep filling the current block */
        block->next = arena->blocks->next;
        arena->blocks->next = block;
        return block->data;
    }
    block->next = arena->blocks;
    arena->blocks = block;
    arena->next = block->data + size;
    arena->end = block->data + block->size;
    return block->data;
}

void arena_start_large(Arena *arena)
{
    ArenaBlock *block = block_take(LARGEST_BLOCK);
    pool_charge(arena->pool, (int64_t)block->size);
    block->next = NULL;
    arena->blocks = block;
    arena->next = block->data;
    arena->end = block->data + block->size;
}

void *arena_alloc(Arena *arena, size_t size)
{
    size = (size + 15 + !size) & ~(size_t)15; /* nothing has a place, too: an empty arena would give NULL */
    if (size <= (size_t)(arena->end - arena->next)) {
        void *memory = arena->next;
        arena->next += size;
        return memory;
    }
    return alloc_slow(arena, size);
}

void *arena_calloc(Arena *arena, size_t count, size_t size) { return memset(arena_alloc(arena, count * size), 0, count * size); }

char *arena_strndup(Arena *arena, const char *text, size_t length)
{
    char *copy = arena_alloc(arena, length + 1);
    memcpy(copy, text, length);
    copy[length] = 0;
    return copy;
}

char *arena_strdup(Arena *arena, const char *text) { return arena_strndup(arena, text, strlen(text)); }

void *arena_copy(Arena *arena, const void *bytes, size_t size)
{
    void *copy = arena_alloc(arena, size);
    if (size)
        memcpy(copy, bytes, size);
    return copy;
}

char *arena_vprintf(Arena *arena, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    char *text = arena_alloc(arena, (size_t)(length < 0 ? 0 : length) + 1);
    text[0] = 0;
    vsnprintf(text, (size_t)(length < 0 ? 0 : length) + 1, format, again);
    va_end(again);
    return text;
}

char *arena_printf(Arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = arena_vprintf(arena, format, args);
    va_end(args);
    return text;
}

void arena_defer(Arena *arena, void (*run)(void *what), void *what)
{
    ArenaCleanup *cleanup = arena_alloc(arena, sizeof *cleanup);
    *cleanup = (ArenaCleanup){ arena->cleanups, run, what };
    arena->cleanups = cleanup;
}
