/* exec/state_columns.c: see state_columns.h. */
#include "exec/state_columns.h"
#include "common/hash.h"
#include <string.h>

static const ContainerType state_columns_type;

static uint32_t field_width(char field) { return field == 's' || field == 't' || field == 'x' ? 16 : 8; }

size_t state_layout_width(const char *layout)
{
    size_t width = 0;
    for (; *layout; layout++)
        width += field_width(*layout);
    return width;
}

void state_init(StateColumns *state, MemoryPool *pool, const char *layout, bool sparse)
{
    *state = (StateColumns){
        .container = { &state_columns_type, pool },
        .layout = layout,
        .fingerprint = checksum_bytes(layout, strlen(layout)),
        .width = (uint32_t)state_layout_width(layout),
        .sparse = sparse,
        .has_strings = strpbrk(layout, "st") != NULL,
    };
    state_heap_init(&state->heap, pool);
}

static size_t chunk_bytes(const StateColumns *state, uint32_t chunk)
{
    return (size_t)state_chunk_capacity(state, chunk) * state->width;
}

void state_release(StateColumns *state)
{
    MemoryPool *pool = state->container.pool;
    for (uint32_t chunk = 0; chunk < state->room; chunk++)
        if (state->chunks[chunk])
            state_block_free(pool, state->chunks[chunk], chunk_bytes(state, chunk));
    mem_free(state->chunks);
    mem_free(state->present);
    state_heap_release(&state->heap);
    state_init(state, pool, state->layout, state->sparse);
}

void state_clear(StateColumns *state)
{
    if (state->chunk_count)
        memset(state->present, STATE_ABSENT, state->chunk_count);
    state->slot_count = 0;
    state->chunk_count = 0;
    state_heap_clear(&state->heap);
}

size_t state_bytes(const StateColumns *state)
{
    size_t bytes = 0;
    for (uint32_t chunk = 0; chunk < state->room; chunk++)
        if (state->chunks[chunk])
            bytes += chunk_bytes(state, chunk);
    return bytes;
}

/* Room for `chunk_count` chunk pointers, the new ones NULL. */
static void grow_directory(StateColumns *state, uint32_t chunk_count)
{
    uint32_t room = state->room ? state->room : 4;
    while (room < chunk_count)
        room *= 2;
    state->chunks = mem_realloc(state->chunks, sizeof(char *) * room);
    state->present = mem_realloc(state->present, room);
    memset(state->chunks + state->room, 0, sizeof(char *) * (room - state->room));
    memset(state->present + state->room, STATE_ABSENT, room - state->room);
    state->room = room;
}

static void grow_first_chunk(StateColumns *state, uint32_t slot_count)
{
    uint32_t capacity = state->first_capacity ? state->first_capacity : 16;
    while (capacity < slot_count && capacity < STATE_CHUNK)
        capacity *= 2;
    size_t used = state->chunks[0] && state->present[0] ? chunk_bytes(state, 0) : 0;
    char *grown = state_block_new(state->container.pool, (size_t)capacity * state->width);
    if (used)
        memcpy(grown, state->chunks[0], used);
    if (state->present[0] && state->sparse)
        memset(grown + used, 0, (size_t)capacity * state->width - used);
    state_block_free(state->container.pool, state->chunks[0], chunk_bytes(state, 0));
    state->chunks[0] = grown;
    state->first_capacity = capacity;
}

void state_make_chunk(StateColumns *state, uint32_t chunk)
{
    if (!state->chunks[chunk])
        state->chunks[chunk] = state_block_new(state->container.pool, (size_t)STATE_CHUNK * state->width);
    memset(state->chunks[chunk], 0, chunk_bytes(state, chunk));
    state->present[chunk] = STATE_DIRTY;
}

void state_cover(StateColumns *state, uint32_t slot_count)
{
    uint32_t before = state->slot_count;
    if (slot_count <= before)
        return;
    uint32_t chunk_count = (slot_count + STATE_CHUNK_MASK) >> STATE_CHUNK_BITS;
    if (chunk_count > state->room)
        grow_directory(state, chunk_count);
    if (state->first_capacity < STATE_CHUNK && state->first_capacity < slot_count)
        grow_first_chunk(state, slot_count);
    if (!state->sparse) {
        for (uint32_t chunk = before >> STATE_CHUNK_BITS; chunk < chunk_count; chunk++) {
            if (!state->chunks[chunk])
                state->chunks[chunk] = state_block_new(state->container.pool, (size_t)STATE_CHUNK * state->width);
            uint32_t base = chunk << STATE_CHUNK_BITS, from = before > base ? before - base : 0;
            uint32_t to = slot_count - base < STATE_CHUNK ? slot_count - base : STATE_CHUNK;
            memset(state->chunks[chunk] + (size_t)from * state->width, 0, (size_t)(to - from) * state->width);
            state->present[chunk] = STATE_DIRTY;
        }
    }
    state->chunk_count = chunk_count;
    state->slot_count = slot_count;
}

void state_touch(StateColumns *state, const uint32_t slots[], uint32_t count, char *states[])
{
    size_t width = state->width;
    if (state->chunk_count == 1) {
        if (!state->present[0])
            state_make_chunk(state, 0);
        state->present[0] = STATE_DIRTY;
        char *base = state->chunks[0];
        for (uint32_t i = 0; i < count; i++)
            states[i] = base + slots[i] * width;
        return;
    }
    char *const *chunks = state->chunks;
    uint8_t *present = state->present;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t chunk = slots[i] >> STATE_CHUNK_BITS;
        if (__builtin_expect(!present[chunk], 0))
            state_make_chunk(state, chunk);
        present[chunk] = STATE_DIRTY;
        states[i] = chunks[chunk] + (slots[i] & STATE_CHUNK_MASK) * width;
        __builtin_prefetch(states[i], 1);
    }
}

char *state_touch_one(StateColumns *state, uint32_t slot)
{
    char *entry;
    state_touch(state, &slot, 1, &entry);
    return entry;
}

/* Strings of an entry that goes. */
static void drop_strings(StateColumns *state, const char *entry)
{
    for (const char *field = state->layout; *field; field++) {
        if (*field == 's' || *field == 't')
            state_heap_drop(&state->heap, (const Str *)entry);
        entry += field_width(*field);
    }
}

void state_zero(StateColumns *state, uint32_t slot)
{
    char *entry = state_touch_one(state, slot);
    if (state->has_strings)
        drop_strings(state, entry);
    memset(entry, 0, state->width);
}

void state_keep(StateColumns *state, const uint64_t *live, const uint32_t *remap, uint32_t kept)
{
    /* Slots only move down, so entries can be moved in place; a chunk that becomes sparse-present is made on the way. */
    uint32_t slot_count = state->slot_count;
    for (uint32_t chunk = 0; chunk < state->chunk_count; chunk++) {
        bool here = state->present[chunk];
        uint32_t base = chunk << STATE_CHUNK_BITS;
        uint32_t count = slot_count - base < STATE_CHUNK ? slot_count - base : STATE_CHUNK;
        for (uint32_t i = 0; here && i < count; i++) {
            char *from = state->chunks[chunk] + (size_t)i * state->width;
            if (!bit_get(live, base + i)) {
                if (state->has_strings)
                    drop_strings(state, from);
                memset(from, 0, state->width);
                continue;
            }
            uint32_t to = remap[base + i], to_chunk = to >> STATE_CHUNK_BITS;
            if (to == base + i)
                continue;
            if (!state->present[to_chunk])
                state_make_chunk(state, to_chunk);
            state->present[to_chunk] = STATE_DIRTY;
            memcpy(state_entry(state, to), from, state->width);
            memset(from, 0, state->width);
        }
    }
    uint32_t chunk_count = (kept + STATE_CHUNK_MASK) >> STATE_CHUNK_BITS;
    for (uint32_t chunk = chunk_count; chunk < state->chunk_count; chunk++) {
        state->present[chunk] = STATE_ABSENT;
        if (chunk > 0 && state->chunks[chunk]) {
            state_block_free(state->container.pool, state->chunks[chunk], chunk_bytes(state, chunk));
            state->chunks[chunk] = NULL;
        }
    }
    state->chunk_count = chunk_count;
    state->slot_count = kept;
}

/* ---- snapshot ---- */

static void state_write(const Container *container, Text *snapshot)
{
    const StateColumns *state = (const StateColumns *)container;
    PageWriter page = page_begin(snapshot, PAGE_STATE, 1, state->fingerprint, state->slot_count);
    uint8_t absent[1] = { 0 };
    page_put_column(&page, state->present ? state->present : absent, 1, 1, state->chunk_count);
    size_t offset = 0;
    for (const char *field = state->layout; *field; field++) {
        for (uint32_t chunk = 0; chunk < state->chunk_count; chunk++) {
            uint32_t base = chunk << STATE_CHUNK_BITS;
            uint32_t count = state->slot_count - base < STATE_CHUNK ? state->slot_count - base : STATE_CHUNK;
            if (!state->present[chunk] || *field == 't')
                continue;
            if (*field == 's')
                page_put_strings(&page, (const Str *)(state->chunks[chunk] + offset), state->width, count);
            else
                page_put_column(&page, state->chunks[chunk] + offset, state->width, field_width(*field), count);
        }
        offset += field_width(*field);
    }
    page_end(&page);
}

static Error *state_read(Container *container, SnapshotReader *reader)
{
    StateColumns *state = (StateColumns *)container;
    PageReader page;
    const char *present;
    TRY(page_open(reader, PAGE_STATE, 1, state->fingerprint, &page));
    if (page.rows > UINT32_MAX - STATE_CHUNK)
        return page_damaged("too many slots");
    uint32_t slot_count = (uint32_t)page.rows, chunk_count = (slot_count + STATE_CHUNK_MASK) >> STATE_CHUNK_BITS;
    TRY(page_get_column(&page, 1, chunk_count, &present));
    state_clear(state);
    uint32_t covered = 0; /* not more than what the page has data for */
    size_t offset = 0;
    for (const char *field = state->layout; *field; field++) {
        uint32_t width = field_width(*field);
        for (uint32_t chunk = 0; chunk < chunk_count; chunk++) {
            uint32_t base = chunk << STATE_CHUNK_BITS;
            uint32_t count = slot_count - base < STATE_CHUNK ? slot_count - base : STATE_CHUNK;
            const char *values = NULL;
            PageStrings strings;
            if (!present[chunk]) {
                if (!state->sparse)
                    return page_damaged("a chunk is missing");
                continue;
            }
            if (*field == 't')
                continue;
            if (*field == 's')
                TRY(page_get_strings(&page, count, &strings));
            else
                TRY(page_get_column(&page, width, count, &values));
            if (covered < base + count)
                state_cover(state, covered = base + count);
            if (!state->present[chunk])
                state_make_chunk(state, chunk);
            char *to = state->chunks[chunk] + offset;
            for (uint32_t i = 0; i < count; i++, to += state->width) {
                if (*field == 's') {
                    Str view = page_next_string(&strings);
                    Str stored = state_heap_store(&state->heap, &view, NULL);
                    memcpy(to, &stored, sizeof(stored));
                } else {
                    memcpy(to, values + (size_t)i * width, width);
                }
            }
        }
        offset += width;
    }
    if (state->sparse)
        state_cover(state, slot_count);
    else if (state->width == 0)
        state_cover(state, slot_count);
    return page_close(&page);
}

static const ContainerType state_columns_type = { "state", state_write, state_read, NULL };
