/* engine/names.c: what a shell may offer while somebody types. */
#include "engine/session_internal.h"

#include <stdlib.h>

static const PlannerNames planner_kinds[] = {
    [SESSION_RELATIONS] = NAMES_RELATIONS, [SESSION_FUNCTIONS] = NAMES_FUNCTIONS, [SESSION_TYPES] = NAMES_TYPES, [SESSION_SETTINGS] = NAMES_SETTINGS,
    [SESSION_PROPERTIES] = NAMES_PROPERTIES, [SESSION_CONNECTORS] = NAMES_CONNECTORS, [SESSION_FORMATS] = NAMES_FORMATS,
};

static const char *const *variables(const Session *session, Arena *arena, int *count)
{
    const char **names = ARENA_ARRAY(arena, const char *, (size_t)session->variable_names.count + 1);
    *count = 0;
    for (int i = 0; i < session->variable_names.count; i++)
        if (session->variable_values.items[i])
            names[(*count)++] = session->variable_names.items[i];
    return names;
}

const char *const *session_names(Session *session, SessionNames kind, Arena *arena, int *count)
{
    if (kind == SESSION_KEYWORDS)
        return parser_keywords(count);
    if (kind == SESSION_VARIABLES)
        return variables(session, arena, count);
    return planner_names(session->planner, planner_kinds[kind], arena, count);
}

const Schema *session_columns(Session *session, const char *relation) { return planner_relation_schema(session->planner, relation); }

const char *session_function_usage(Session *session, Arena *arena, const char *name) { return planner_function_usage(session->planner, arena, name); }
