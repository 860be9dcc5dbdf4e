/* planner/catalog.c: the catalog in memory, and what every catalog shares. */
#include "planner/catalog.h"
#include <stdlib.h>
#include <string.h>

typedef struct MemoryCatalog {
    CatalogEntry **entries; /* sorted by name_order */
    size_t count, capacity;
} MemoryCatalog;

/* Without case first, so that listings read well; exact bytes decide ties. */
static int name_order(const char *a, const char *b)
{
    int order = strcasecmp(a, b);
    return order ? order : strcmp(a, b);
}

CatalogSpace catalog_space(CatalogKind kind)
{
    switch (kind) {
    case CATALOG_STREAM:
    case CATALOG_TABLE:
    case CATALOG_VIEW: return SPACE_RELATIONS;
    case CATALOG_TYPE: return SPACE_TYPES;
    case CATALOG_FUNCTION: return SPACE_FUNCTIONS;
    }
    return SPACE_RELATIONS;
}

static CatalogEntry *memory_find(Catalog *catalog, const char *name, CatalogSpace space)
{
    MemoryCatalog *memory = catalog->state;
    CatalogEntry *match = NULL;
    for (size_t i = 0; i < memory->count; i++) {
        CatalogEntry *entry = memory->entries[i];
        if (catalog_space(entry->kind) != space || !name_equal(entry->name, name))
            continue;
        if (strcmp(entry->name, name) == 0)
            return entry;
        match = match ? match : entry;
    }
    return match;
}

static Error *memory_put(Catalog *catalog, CatalogEntry *entry)
{
    MemoryCatalog *memory = catalog->state;
    CatalogEntry *old = memory_find(catalog, entry->name, catalog_space(entry->kind));
    size_t at = 0;
    catalog->changes++;
    if (old) {
        while (memory->entries[at] != old)
            at++;
        memory->entries[at] = entry;
        return NULL;
    }
    memory->entries = mem_grow(memory->entries, &memory->capacity, memory->count + 1, sizeof *memory->entries);
    while (at < memory->count && name_order(memory->entries[at]->name, entry->name) < 0)
        at++;
    memmove(memory->entries + at + 1, memory->entries + at, (memory->count - at) * sizeof *memory->entries);
    memory->entries[at] = entry;
    memory->count++;
    return NULL;
}

static Error *memory_remove(Catalog *catalog, const CatalogEntry *entry)
{
    MemoryCatalog *memory = catalog->state;
    catalog->changes++;
    for (size_t i = 0; i < memory->count; i++)
        if (memory->entries[i] == entry) {
            memmove(memory->entries + i, memory->entries + i + 1, (memory->count - i - 1) * sizeof *memory->entries);
            memory->count--;
            break;
        }
    return NULL;
}

static CatalogEntry **memory_list(Catalog *catalog, Arena *arena, int *count)
{
    MemoryCatalog *memory = catalog->state;
    *count = (int)memory->count;
    CatalogEntry **entries = ARENA_ARRAY(arena, CatalogEntry *, memory->count + 1);
    if (memory->count)
        memcpy(entries, memory->entries, memory->count * sizeof *entries);
    return entries;
}

static void memory_free(Catalog *catalog)
{
    MemoryCatalog *memory = catalog->state;
    mem_free(memory->entries);
    mem_free(memory);
}

static void catalog_unwind(void *catalog) { catalog_free(catalog); }

Catalog *catalog_new_memory(void)
{
    Catalog *catalog = mem_calloc(1, sizeof *catalog);
    MEMORY_HOLD(mem_free, catalog);
    catalog->find = memory_find;
    catalog->put = memory_put;
    catalog->remove = memory_remove;
    catalog->list = memory_list;
    catalog->free = memory_free;
    arena_init(&catalog->arena, NULL);
    catalog->state = mem_calloc(1, sizeof(MemoryCatalog));
    return catalog;
}

Catalog *catalog_copy(Catalog *catalog)
{
    Catalog *copy = catalog_new_memory();
    MEMORY_HOLD(catalog_unwind, copy);
    int count = 0;
    CatalogEntry **entries = catalog->list(catalog, &copy->arena, &count);
    for (int i = 0; i < count; i++) {
        CatalogEntry *entry = arena_copy(&copy->arena, entries[i], sizeof *entry);
        entry->producers.items = NULL;
        entry->producers.count = entry->producers.capacity = 0;
        for (int p = 0; p < entries[i]->producers.count; p++)
            LIST_ADD(&copy->arena, &entry->producers, entries[i]->producers.items[p]);
        error_free(copy->put(copy, entry));
    }
    return copy;
}

void catalog_free(Catalog *catalog)
{
    if (!catalog)
        return;
    catalog->free(catalog);
    arena_release(&catalog->arena);
    mem_free(catalog);
}

const char *catalog_kind_name(CatalogKind kind)
{
    switch (kind) {
    case CATALOG_STREAM: return "stream";
    case CATALOG_TABLE: return "table";
    case CATALOG_VIEW: return "view";
    case CATALOG_TYPE: return "type";
    case CATALOG_FUNCTION: return "function";
    }
    return "?";
}

const char *catalog_kind_upper(CatalogKind kind)
{
    switch (kind) {
    case CATALOG_STREAM: return "STREAM";
    case CATALOG_TABLE: return "TABLE";
    case CATALOG_VIEW: return "VIEW";
    case CATALOG_TYPE: return "TYPE";
    case CATALOG_FUNCTION: return "FUNCTION";
    }
    return "?";
}

const char *const *catalog_relation_names(Catalog *catalog, Arena *arena, int *count)
{
    return catalog_names(catalog, SPACE_RELATIONS, arena, count);
}

const char *const *catalog_names(Catalog *catalog, CatalogSpace space, Arena *arena, int *count)
{
    int all = 0, used = 0;
    CatalogEntry **entries = catalog->list(catalog, arena, &all);
    const char **names = ARENA_ARRAY(arena, const char *, all + 1);
    for (int i = 0; i < all; i++)
        if (catalog_space(entries[i]->kind) == space)
            names[used++] = entries[i]->name;
    *count = used;
    return names;
}

bool catalog_has(Catalog *catalog, CatalogSpace space)
{
    Arena arena; /* the list is for this question alone */
    int count = 0;
    arena_init(&arena, NULL);
    MEMORY_HOLD(arena_unwind, &arena);
    catalog_names(catalog, space, &arena, &count);
    arena_release(&arena);
    return count > 0;
}

Error *catalog_get(Catalog *catalog, const AstName *name, CatalogEntry **entry)
{
    *entry = catalog->find(catalog, name->text, false);
    if (*entry)
        return NULL;
    Arena arena;
    arena_init(&arena, NULL);
    MEMORY_HOLD(arena_unwind, &arena);
    int count = 0;
    const char *const *names = catalog_relation_names(catalog, &arena, &count);
    Error *error = error_suggest(error_at(ERR_BIND, name->at, "no stream, table or view '%s'", name->text), name->text, names, count);
    arena_release(&arena);
    return error;
}

bool catalog_depends(const CatalogEntry *reader, const CatalogEntry *entry)
{
    CatalogSpace space = catalog_space(entry->kind);
    const char *const *names = space == SPACE_RELATIONS ? reader->uses : space == SPACE_TYPES ? reader->types : reader->functions;
    int count = space == SPACE_RELATIONS ? reader->use_count : space == SPACE_TYPES ? reader->type_count : reader->function_count;
    for (int i = 0; i < count; i++)
        if (name_equal(names[i], entry->name))
            return reader != entry;
    return false;
}

Error *catalog_check_unused(Catalog *catalog, const CatalogEntry *entry, Span at)
{
    Error *error = NULL;
    Arena arena;
    arena_init(&arena, NULL);
    MEMORY_HOLD(arena_unwind, &arena);
    int count = 0;
    const char *how = catalog_space(entry->kind) == SPACE_RELATIONS ? "read" : "used";
    CatalogEntry **entries = catalog->list(catalog, &arena, &count);
    for (int i = 0; i < count && !error; i++)
        if (catalog_depends(entries[i], entry))
            error = error_hint(error_at(ERR_BIND, at, "%s '%s' is %s by %s '%s'", catalog_kind_name(entry->kind), entry->name, how,
                                        catalog_kind_name(entries[i]->kind), entries[i]->name),
                               "drop '%s' first", entries[i]->name);
    arena_release(&arena);
    return error;
}
