/* exec/window_set.c: see window_set.h. */
#include "exec/window_set.h"
#include <string.h>

enum { KEEP_FACTOR = 8, ALWAYS_KEEP_BYTES = 1 << 20 };

static const ContainerType window_set_type;

void window_set_init(WindowSet *set, MemoryPool *pool, const KeyLayout *layout, Aggregates *aggregates, bool shared_keys,
                     bool with_early)
{
    *set = (WindowSet){ .container = { &window_set_type, pool }, .layout = layout, .aggregates = aggregates,
                        .shared_keys = shared_keys, .with_early = with_early };
    key_table_init(&set->keys, pool, layout);
}

static void window_free(const WindowSet *set, Window *window)
{
    key_table_release(&window->keys);
    groups_release(&window->groups);
    if (window->early.layout)
        state_release(&window->early);
    state_block_free(set->container.pool, window, sizeof(Window));
}

void window_set_release(WindowSet *set)
{
    if (!set->layout)
        return;
    for (uint32_t i = 0; i < set->count; i++)
        window_free(set, set->windows[i]);
    for (uint32_t i = 0; i < set->spare_count; i++)
        window_free(set, set->spares[i]);
    mem_free(set->windows);
    key_table_release(&set->keys);
    *set = (WindowSet){ 0 };
}

/* Place of the first window that ends at or after the time. */
static uint32_t window_place(const WindowSet *set, int64_t end_us)
{
    uint32_t low = 0, high = set->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (set->windows[middle]->end_us < end_us)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

Window *window_set_find(const WindowSet *set, int64_t end_us)
{
    uint32_t place = window_place(set, end_us);
    return place < set->count && set->windows[place]->end_us == end_us ? set->windows[place] : NULL;
}

/* At least one spare afterwards. */
static void make_spare(WindowSet *set)
{
    MemoryPool *pool = set->container.pool;
    if (set->spare_count)
        return;
    Window *window = set->spares[0] = memset(state_block_new(pool, sizeof(Window)), 0, sizeof(Window));
    key_table_init(&window->keys, pool, set->layout); /* cannot fail */
    set->spare_count = 1;
    groups_init(&window->groups, pool, set->aggregates, set->shared_keys);
    if (set->with_early)
        state_init(&window->early, pool, "ls", false);
}

Window *window_set_open(WindowSet *set, int64_t end_us)
{
    uint32_t place = window_place(set, end_us);
    if (place < set->count && set->windows[place]->end_us == end_us)
        return set->windows[place];
    if (set->count == set->capacity)
        set->windows = mem_grow(set->windows, &set->capacity, (size_t)set->count + 1, sizeof(Window *));
    make_spare(set);
    Window *window = set->spares[--set->spare_count];
    memmove(set->windows + place + 1, set->windows + place, sizeof(Window *) * (set->count - place));
    set->windows[place] = window;
    set->count++;
    window->end_us = end_us;
    window->fired = false;
    window->run_count = 0;
    return window;
}

void window_set_drop_first(WindowSet *set)
{
    Window *window = set->windows[0];
    set->count--;
    memmove(set->windows, set->windows + 1, sizeof(Window *) * set->count);
    size_t held = key_table_bytes(&window->keys) + groups_bytes(&window->groups);
    size_t used = (size_t)window->keys.count * 32 + (size_t)window->groups.state.slot_count * window->groups.state.width;
    if (set->spare_count == sizeof(set->spares) / sizeof(set->spares[0]) || (held > ALWAYS_KEEP_BYTES && held > used * KEEP_FACTOR)) {
        window_free(set, window);
        return;
    }
    key_table_clear(&window->keys);
    groups_clear(&window->groups);
    if (set->with_early)
        state_clear(&window->early);
    set->spares[set->spare_count++] = window;
}

/* ---- snapshot ---- */

static void window_set_write(const Container *container, Text *snapshot)
{
    const WindowSet *set = (const WindowSet *)container;
    PageWriter page = page_begin(snapshot, PAGE_WINDOWS, 2, set->shared_keys, set->count);
    for (uint32_t i = 0; i < set->count; i++) {
        page_put_u64(&page, (uint64_t)set->windows[i]->end_us);
        page_put_u64(&page, set->windows[i]->fired);
    }
    page_end(&page);
    if (set->shared_keys)
        container_write(&set->keys.container, snapshot);
    for (uint32_t i = 0; i < set->count; i++) {
        const Window *window = set->windows[i];
        if (!set->shared_keys)
            container_write(&window->keys.container, snapshot);
        container_write(&window->groups.container, snapshot);
        if (set->with_early)
            container_write(&window->early.container, snapshot);
    }
}

static Error *window_set_read(Container *container, SnapshotReader *reader)
{
    WindowSet *set = (WindowSet *)container;
    PageReader page;
    TRY(page_open(reader, PAGE_WINDOWS, 2, set->shared_keys, &page));
    while (set->count)
        window_set_drop_first(set);
    uint64_t count = page.rows;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t end, fired;
        TRY(page_get_u64(&page, &end));
        TRY(page_get_u64(&page, &fired));
        if (set->count && (int64_t)end <= set->windows[set->count - 1]->end_us)
            return page_damaged("windows are out of order");
        window_set_open(set, (int64_t)end)->fired = fired != 0;
    }
    TRY(page_close(&page));
    if (set->shared_keys)
        TRY(container_read(&set->keys.container, reader));
    for (uint32_t i = 0; i < set->count; i++) {
        Window *window = set->windows[i];
        if (!set->shared_keys)
            TRY(container_read(&window->keys.container, reader));
        TRY(container_read(&window->groups.container, reader));
        if (set->with_early)
            TRY(container_read(&window->early.container, reader));
        uint32_t slots = set->shared_keys ? set->keys.count : window->keys.count;
        if (set->shared_keys ? window->groups.state.slot_count > slots : window->groups.state.slot_count != slots)
            return page_damaged("groups without keys");
    }
    return NULL;
}

/* Groups: one a key and window, of shared keys one a key. */
static uint64_t window_set_rows(const Container *container)
{
    const WindowSet *set = (const WindowSet *)container;
    uint64_t rows = set->shared_keys ? set->keys.count : 0;
    for (uint32_t i = 0; i < set->count && !set->shared_keys; i++)
        rows += set->windows[i]->keys.count;
    return rows;
}

static const ContainerType window_set_type = { "windows", window_set_write, window_set_read, window_set_rows };
