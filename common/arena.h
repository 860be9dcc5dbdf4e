/* common/arena.h: memory that is freed all at once. */
#pragma once
#include <stdarg.h>
#include "common/memory.h"

typedef struct ArenaBlock ArenaBlock;
typedef struct ArenaCleanup ArenaCleanup;

typedef struct Arena {
    ArenaBlock *blocks;     /* newest first */
    char *next, *end;       /* free space of the newest block */
    ArenaCleanup *cleanups; /* newest first */
    MemoryPool *pool;       /* charged per block; may be NULL */
} Arena;

void arena_init(Arena *arena, MemoryPool *pool);
void arena_release(Arena *arena); /* runs cleanups newest first, frees everything; safe to repeat */
void arena_unwind(void *arena);   /* for MEMORY_HOLD */
void arena_reset(Arena *arena);   /* like release, but keeps one block for what comes next */

/* Gives an empty arena one recycled block of the largest size at once: for arenas that come and go, as a batch's. */
void arena_start_large(Arena *arena);

/* Memory aligned to 16 bytes, not zeroed. Never NULL (see common/memory.h). */
void *arena_alloc(Arena *arena, size_t size) __attribute__((malloc, returns_nonnull));
void *arena_calloc(Arena *arena, size_t count, size_t size) __attribute__((malloc, returns_nonnull));
char *arena_strdup(Arena *arena, const char *text);
char *arena_strndup(Arena *arena, const char *text, size_t length);
char *arena_printf(Arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(Arena *arena, const char *format, va_list args);
void *arena_copy(Arena *arena, const void *bytes, size_t size);

/* Calls `run(what)` when the arena is released or reset: files, handles, heap objects. */
void arena_defer(Arena *arena, void (*run)(void *what), void *what);

#define ARENA_NEW(arena, Type) ((Type *)arena_calloc((arena), 1, sizeof(Type)))
#define ARENA_ARRAY(arena, Type, count) ((Type *)arena_calloc((arena), (count), sizeof(Type)))

/* A growing array in an arena: LIST_ADD(arena, list, item) for a struct { T *items; int count, capacity; }.
 * Outgrown copies stay in the arena; for lists of the front end, not for rows. */
#define LIST_ADD(arena, list, item)                                                              \
    do {                                                                                         \
        if ((list)->count == (list)->capacity) {                                                 \
            int new_capacity_ = (list)->capacity ? (list)->capacity * 2 : 8;                     \
            void *new_items_ = arena_alloc((arena), sizeof(*(list)->items) * (size_t)new_capacity_); \
            if ((list)->count)                                                                   \
                __builtin_memcpy(new_items_, (list)->items, sizeof(*(list)->items) * (size_t)(list)->count); \
            (list)->items = new_items_;                                                          \
            (list)->capacity = new_capacity_;                                                    \
        }                                                                                        \
        (list)->items[(list)->count++] = (item);                                                 \
    } while (0)
