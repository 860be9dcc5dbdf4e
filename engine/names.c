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

static Error *find_names(Session *session, SessionNames kind, Arena *arena, const char *const **names, int *count)
{
    *names = planner_names(session->planner, planner_kinds[kind], arena, count);
    return NULL;
}

const char *const *session_names(Session *session, SessionNames kind, Arena *arena, int *count)
{
    const char *const *names = NULL;
    if (kind == SESSION_KEYWORDS)
        return parser_keywords(count);
    if (kind == SESSION_VARIABLES)
        return variables(session, arena, count);
    *count = 0;
    if (kind == SESSION_QUERIES)
        return NULL;
    Error *error = session_enter(session);
    if (!error)
        MEMORY_GUARDED(error, find_names(session, kind, arena, &names, count));
    session_leave(session);
    error_free(error);
    return names;
}

const Schema *session_columns(Session *session, const char *relation)
{
    Error *error = session_enter(session);
    const Schema *schema = error ? NULL : planner_relation_schema(session->planner, relation);
    session_leave(session);
    error_free(error);
    return schema;
}

static Error *find_usage(Session *session, Arena *arena, const char *name, const char **usage)
{
    *usage = planner_function_usage(session->planner, arena, name);
    return NULL;
}

const char *session_function_usage(Session *session, Arena *arena, const char *name)
{
    const char *usage = NULL;
    Error *error = session_enter(session);
    if (!error)
        MEMORY_GUARDED(error, find_usage(session, arena, name, &usage));
    session_leave(session);
    error_free(error);
    return usage;
}
