/* functions/packed.c: see packed.h. */
#include "functions/packed.h"

#include <math.h>
#include "common/calendar.h"
#include "common/hash.h"

enum { HEADER = 12 };

bool packed_at(const Str *list, uint32_t offset, PackedEntry *entry)
{
    if (offset >= list->length)
        return false;
    const char *at = str_bytes(list) + offset;
    entry->offset = offset;
    memcpy(&entry->length, at, 4);
    memcpy(&entry->number, at + 4, 8);
    entry->value = at + HEADER;
    entry->next = offset + HEADER + entry->length;
    return true;
}

void packed_insert(StateHeap *heap, Str *list, uint32_t offset, const char *value, size_t length, int64_t number)
{
    const uint32_t before = list->length, short_length = (uint32_t)length;
    char *at = state_heap_resize(heap, list, (size_t)before + HEADER + length) + offset;
    memmove(at + HEADER + length, at, before - offset);
    memcpy(at, &short_length, 4);
    memcpy(at + 4, &number, 8);
    memcpy(at + HEADER, value, length);
}

void packed_append(StateHeap *heap, Str *list, const char *value, size_t length, int64_t number)
{
    packed_insert(heap, list, list->length, value, length, number);
}

void packed_remove(StateHeap *heap, Str *list, uint32_t offset)
{
    PackedEntry entry;
    if (!packed_at(list, offset, &entry))
        return;
    const uint32_t length = list->length;
    char *bytes = state_heap_resize(heap, list, length); /* may be written */
    memmove(bytes + offset, bytes + entry.next, length - entry.next);
    state_heap_resize(heap, list, length - (entry.next - offset));
}

void packed_set_number(Str *list, uint32_t offset, int64_t number)
{
    memcpy((char *)(uintptr_t)str_bytes(list) + offset + 4, &number, 8);
}

bool packed_equal(const PackedEntry *entry, const char *value, size_t length)
{
    return entry->length == length && memcmp(entry->value, value, length) == 0;
}

uint32_t packed_find(const Str *list, const char *value, size_t length, bool last)
{
    PackedEntry entry;
    uint32_t found = PACKED_NONE;
    for (PACKED_EACH(list, &entry))
        if (packed_equal(&entry, value, length)) {
            found = entry.offset;
            if (!last)
                break;
        }
    return found;
}

/* ---- values ---- */

#define ORDER(x, y) (((x) > (y)) - ((x) < (y)))

static int compare_texts(const char *a, const char *b)
{
    uint32_t a_length, b_length;
    memcpy(&a_length, a, 4);
    memcpy(&b_length, b, 4);
    int order = memcmp(a + 4, b + 4, a_length < b_length ? a_length : b_length);
    return order ? order : ORDER(a_length, b_length);
}

static Int128 interval_us(const char *bytes) /* a month counts 30 days */
{
    Interval interval;
    memcpy(&interval, bytes, sizeof interval);
    return (Int128)interval.months * 30 * US_PER_DAY + interval.us;
}

int packed_compare(const Type *type, const char *a, const char *b)
{
    if (!*a || !*b)
        return !*a - !*b;
    a++, b++;
    switch (type_physical(type)) {
    case PHYSICAL_BOOL: return ORDER(*a, *b);
    case PHYSICAL_INT64: {
        int64_t x, y;
        memcpy(&x, a, 8);
        memcpy(&y, b, 8);
        return ORDER(x, y);
    }
    case PHYSICAL_DOUBLE: {
        double x, y;
        memcpy(&x, a, 8);
        memcpy(&y, b, 8);
        return isnan(x) || isnan(y) ? !!isnan(x) - !!isnan(y) : ORDER(x, y);
    }
    case PHYSICAL_INT128: {
        Int128 x, y;
        memcpy(&x, a, 16);
        memcpy(&y, b, 16);
        return ORDER(x, y);
    }
    case PHYSICAL_INTERVAL: return ORDER(interval_us(a), interval_us(b));
    case PHYSICAL_STR: return compare_texts(a, b);
    case PHYSICAL_ARRAY:
    case PHYSICAL_STRUCT: break; /* no function over an order takes them */
    }
    return 0;
}

const char *packed_skip(const Type *type, const char *value)
{
    uint32_t length;
    if (!*value++)
        return value;
    switch (type_physical(type)) {
    case PHYSICAL_BOOL: return value + 1;
    case PHYSICAL_INT64:
    case PHYSICAL_DOUBLE: return value + 8;
    case PHYSICAL_INT128:
    case PHYSICAL_INTERVAL: return value + 16;
    case PHYSICAL_STR: memcpy(&length, value, 4); return value + 4 + length;
    case PHYSICAL_ARRAY:
    case PHYSICAL_STRUCT: break;
    }
    return value;
}

Value packed_value(Arena *arena, const Type *const types[], int n, const PackedEntry *entry)
{
    const char *next = entry->value, *end = next + entry->length;
    Value value = value_null(types[n]);
    for (int i = 0; i <= n; i++)
        if (!value_bytes_get(arena, types[i], &next, end, &value))
            return value_null(types[n]);
    return value;
}

/* ---- bags ---- */

enum { INDEX_FROM = 8 }; /* fewer entries are searched one by one */

static uint32_t *index_slots(Bag *bag) { return (uint32_t *)(uintptr_t)str_bytes(&bag->index); }

static void index_put(Bag *bag, const PackedEntry *entry)
{
    uint32_t mask = bag->index.length / 4 - 1, *slots = index_slots(bag);
    uint32_t at = (uint32_t)hash_bytes(entry->value, entry->length) & mask;
    while (slots[at])
        at = (at + 1) & mask;
    slots[at] = entry->offset + 1;
}

static void index_make(StateHeap *heap, Bag *bag)
{
    PackedEntry entry;
    size_t slots = 32;
    while (slots < (size_t)(bag->live + bag->dead + 1) * 2)
        slots *= 2;
    memset(state_heap_resize(heap, &bag->index, slots * 4), 0, slots * 4);
    for (PACKED_EACH(&bag->entries, &entry))
        if (entry.number)
            index_put(bag, &entry);
}

static bool bag_find(StateHeap *heap, Bag *bag, const char *value, size_t length, PackedEntry *entry)
{
    if (bag->live + bag->dead < INDEX_FROM) {
        for (PACKED_EACH(&bag->entries, entry))
            if (entry->number && packed_equal(entry, value, length))
                return true;
        return false;
    }
    if (!bag->index.length)
        index_make(heap, bag);
    uint32_t mask = bag->index.length / 4 - 1, *slots = index_slots(bag);
    for (uint32_t at = (uint32_t)hash_bytes(value, length) & mask; slots[at]; at = (at + 1) & mask)
        if (packed_at(&bag->entries, slots[at] - 1, entry) && entry->number && packed_equal(entry, value, length))
            return true;
    return false;
}

/* Without the entries that are gone. */
static void bag_compact(StateHeap *heap, Bag *bag)
{
    PackedEntry entry;
    uint32_t length = bag->entries.length, kept = 0;
    char *bytes = state_heap_resize(heap, &bag->entries, length); /* may be written */
    for (PACKED_EACH(&bag->entries, &entry))
        if (entry.number) {
            memmove(bytes + kept, bytes + entry.offset, entry.next - entry.offset);
            kept += entry.next - entry.offset;
        }
    state_heap_resize(heap, &bag->entries, kept);
    state_heap_resize(heap, &bag->index, 0);
    bag->dead = 0;
}

void bag_add(StateHeap *heap, Bag *bag, const char *value, size_t length, int64_t by, int64_t limit)
{
    PackedEntry entry;
    if (bag_find(heap, bag, value, length, &entry)) {
        packed_set_number(&bag->entries, entry.offset, entry.number + by);
        if (entry.number + by)
            return;
        bag->live--;
        bag->dead++;
        if (bag->dead > 16 && bag->dead > bag->live)
            bag_compact(heap, bag);
        return;
    }
    if (by <= 0 || (limit && bag->live >= limit)) /* it did not get in either */
        return;
    uint32_t offset = bag->entries.length;
    packed_append(heap, &bag->entries, value, length, by);
    bag->live++;
    if (!bag->index.length)
        return;
    if ((size_t)(bag->live + bag->dead) * 2 > bag->index.length / 4)
        index_make(heap, bag);
    else if (packed_at(&bag->entries, offset, &entry))
        index_put(bag, &entry);
}
