/* exec/window_set.h: the open windows (or panes) of a windowed aggregate, in order of time.
 *
 *   OWN KEYS     each window has its own KeyTable and dense Groups: tumbling; dropped whole
 *   SHARED KEYS  one KeyTable, each pane has sparse Groups over its slots: hopping
 *
 * A closed window's memory is kept for the next one, unless it has become much larger than what was used. */
#pragma once
#include "exec/aggregates.h"

typedef struct Window {
    int64_t end_us;                   /* of the pane: its end, too */
    bool fired;                       /* its on-time result is out */
    KeyTable keys;                    /* OWN KEYS */
    Groups groups;
    StateColumns early;               /* DELAY: by slot: l 1 = changed since, 2 = a result is out; s that result's bytes */
    uint32_t run_count, run_offset;   /* scratch: its rows in the run at hand */
} Window;

typedef struct WindowSet {
    Container container;
    const KeyLayout *layout;
    Aggregates *aggregates;
    bool shared_keys, with_early;
    KeyTable keys;                    /* SHARED KEYS */
    Window **windows;                 /* ascending end */
    size_t capacity;
    uint32_t count;
    Window *spares[4];
    uint32_t spare_count;
} WindowSet;

void window_set_init(WindowSet *set, MemoryPool *pool, const KeyLayout *layout, Aggregates *aggregates, bool shared_keys,
                     bool with_early);
void window_set_release(WindowSet *set);
/* The window that ends there; NULL: not open. */
Window *window_set_find(const WindowSet *set, int64_t end_us);
/* The same, opened if need be. */
Window *window_set_open(WindowSet *set, int64_t end_us);
/* Closes the first window: its memory goes to the next one. */
void window_set_drop_first(WindowSet *set);
