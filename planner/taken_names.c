/* planner/taken_names.c: a table of names by their hash: SELECT *, * of a wide relation asks for thousands, and each for a number of its own. */
#include "planner/taken_names.h"

#include <string.h>

#include "common/hash.h"

static TakenName *slot_of(const TakenNames *names, const char *name)
{
    uint32_t at = (uint32_t)hash_bytes(name, strlen(name)) & (names->capacity - 1);
    while (names->slots[at].name && strcmp(names->slots[at].name, name) != 0)
        at = (at + 1) & (names->capacity - 1);
    return &names->slots[at];
}

TakenName *taken_find(const TakenNames *names, const char *name)
{
    TakenName *slot = names->capacity ? slot_of(names, name) : NULL;
    return slot && slot->name ? slot : NULL;
}

static void grow(TakenNames *names)
{
    TakenNames larger = { names->arena, NULL, names->capacity ? names->capacity * 2 : 32, names->count };
    larger.slots = ARENA_ARRAY(names->arena, TakenName, larger.capacity);
    memset(larger.slots, 0, sizeof *larger.slots * larger.capacity);
    for (uint32_t i = 0; i < names->capacity; i++)
        if (names->slots[i].name)
            *slot_of(&larger, names->slots[i].name) = names->slots[i];
    *names = larger;
}

void taken_add(TakenNames *names, const char *name)
{
    if ((names->count + 1) * 2 > names->capacity)
        grow(names);
    TakenName *slot = slot_of(names, name);
    names->count += !slot->name;
    slot->name = name;
}
