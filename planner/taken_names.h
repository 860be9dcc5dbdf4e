/* planner/taken_names.h: the names that a result's columns have so far. Private to the room. */
#pragma once
#include "common/arena.h"

typedef struct TakenName {
    const char *name;           /* NULL: free */
    int number;                 /* name_1 .. name_<number> are taken, too */
} TakenName;

/* All zero but for the arena: none. */
typedef struct TakenNames {
    Arena *arena;
    TakenName *slots;
    uint32_t capacity, count;   /* capacity: a power of two */
} TakenNames;

/* NULL: it is free. Until the next one is added. */
TakenName *taken_find(const TakenNames *names, const char *name);
void taken_add(TakenNames *names, const char *name);
