/* planner/names.c: what may be typed where: for the completion of a shell. */
#include <stdlib.h>

#include "planner/binder.h"
#include "planner/statement.h"

typedef struct Names { const char **items; int count, capacity; } Names;

static int by_name(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

static void sort_names(Names *names)
{
    int kept = 0;
    if (names->count)
        qsort(names->items, (size_t)names->count, sizeof *names->items, by_name);
    for (int i = 0; i < names->count; i++)
        if (kept == 0 || strcmp(names->items[kept - 1], names->items[i]) != 0)
            names->items[kept++] = names->items[i];
    names->count = kept;
}

static void add_catalog(const Planner *planner, CatalogSpace space, Arena *arena, Names *names)
{
    int count;
    const char *const *found = catalog_names(planner->catalog, space, arena, &count);
    for (int i = 0; i < count; i++)
        LIST_ADD(arena, names, found[i]);
}

static void add_functions(Arena *arena, Names *names)
{
    int count;
    const char *const *found = function_names(&count);
    for (int i = 0; i < count; i++)
        LIST_ADD(arena, names, found[i]);
    const AnalyticFunction *analytics = analytic_functions_all(&count);
    for (int i = 0; i < count; i++)
        LIST_ADD(arena, names, analytics[i].name);
}

static void add_options(const OptionSpec *specs, Arena *arena, Names *names)
{
    for (int i = 0; specs && specs[i].name; i++)
        LIST_ADD(arena, names, specs[i].name);
}

static void add_properties(Arena *arena, Names *names)
{
    int count;
    const ConnectorType *const *connectors = connectors_all(&count);
    for (int i = 0; i < count; i++)
        add_options(connectors[i]->options, arena, names);
    const FormatType *const *formats = formats_all(&count);
    for (int i = 0; i < count; i++)
        add_options(formats[i]->options, arena, names);
    add_options(bind_stream_options(), arena, names);
    add_options(bind_message_option_table(), arena, names);
}

static void add_kinds(PlannerNames kind, Arena *arena, Names *names)
{
    int count;
    const ConnectorType *const *connectors = connectors_all(&count);
    for (int i = 0; kind == NAMES_CONNECTORS && i < count; i++)
        LIST_ADD(arena, names, connectors[i]->name);
    const FormatType *const *formats = formats_all(&count);
    for (int i = 0; kind == NAMES_FORMATS && i < count; i++)
        LIST_ADD(arena, names, formats[i]->name);
}

const char *const *planner_names(const Planner *planner, PlannerNames kind, Arena *arena, int *count)
{
    Names names = { 0 };
    switch (kind) {
    case NAMES_RELATIONS: add_catalog(planner, SPACE_RELATIONS, arena, &names); break;
    case NAMES_FUNCTIONS:
        add_catalog(planner, SPACE_FUNCTIONS, arena, &names);
        add_functions(arena, &names);
        break;
    case NAMES_TYPES: add_catalog(planner, SPACE_TYPES, arena, &names); break;
    case NAMES_SETTINGS: {
        int settings;
        const PlannerSetting *found = planner_settings(planner, arena, &settings);
        for (int i = 0; i < settings; i++)
            LIST_ADD(arena, &names, found[i].name);
        break;
    }
    case NAMES_PROPERTIES: add_properties(arena, &names); break;
    case NAMES_CONNECTORS:
    case NAMES_FORMATS: add_kinds(kind, arena, &names); break;
    }
    sort_names(&names);
    *count = names.count;
    return names.items;
}

const char *planner_function_usage(const Planner *planner, Arena *arena, const char *name)
{
    PlannedRows rows = { 0 };
    describe_functions(planner, arena, name, &rows);
    return rows.row_count ? arena_strndup(arena, str_bytes(&rows.rows[0].text), rows.rows[0].text.length) : NULL;
}
