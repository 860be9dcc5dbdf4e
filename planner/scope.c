/* planner/scope.c: what a name means: a column of one of the relations in reach.
 *
 * An exact match comes before one without case, a visible column before a hidden one; what is left must be unique. */
#include "planner/bind_expression.h"

typedef struct Match {
    int relation, column;
    int rank;       /* 0 exact and visible, 1 exact and hidden, 2 and 3 without case */
    int count;      /* matches of that rank */
    int other_relation, other_column;
} Match;

static void consider(Match *match, int relation, int column, int rank)
{
    if (match->count && rank > match->rank)
        return;
    if (match->count && rank == match->rank) {
        match->count++;
        match->other_relation = relation;
        match->other_column = column;
        return;
    }
    *match = (Match){ relation, column, rank, 1, -1, -1 };
}

static void match_relation(const Scope *scope, int relation, const char *name, Match *match)
{
    const Schema *schema = scope->relations[relation].schema;
    for (int i = 0; i < schema->column_count; i++) {
        const Column *column = &schema->columns[i];
        if (column->name && name_equal(column->name, name))
            consider(match, relation, i, (strcmp(column->name, name) == 0 ? 0 : 2) + column->hidden);
    }
}

/* -1: none, -2: several. */
static int find_relation(const Scope *scope, const char *alias)
{
    int found = -1;
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < scope->relation_count; i++) {
            const char *have = scope->relations[i].alias;
            if (!have || !(pass ? name_equal(have, alias) : strcmp(have, alias) == 0))
                continue;
            if (found >= 0)
                return -2;
            found = i;
        }
        if (found >= 0)
            return found;
    }
    return found;
}

static const char *full_name(Arena *arena, const Scope *scope, int relation, int column)
{
    const ScopeRelation *in = &scope->relations[relation];
    return in->alias ? arena_printf(arena, "%s.%s", in->alias, in->schema->columns[column].name) : in->schema->columns[column].name;
}

static Error *finish(Arena *arena, const Scope *scope, const Match *match, const char *name, Span at, int *column, const Column **info)
{
    *column = -1;
    if (match->count == 0)
        return NULL;
    if (match->count > 1) {
        const char *first = full_name(arena, scope, match->relation, match->column), *second = full_name(arena, scope, match->other_relation, match->other_column);
        Error *error = error_at(ERR_BIND, at, "column '%s' is ambiguous", name);
        return strcmp(first, second) == 0 ? error : error_hint(error, "it could be %s or %s", first, second);
    }
    const ScopeRelation *relation = &scope->relations[match->relation];
    *column = relation->base + match->column;
    *info = &relation->schema->columns[match->column];
    return NULL;
}

static Error *find_column(Arena *arena, const Scope *scope, const char *qualifier, const char *name, Span at, int *column, const Column **info)
{
    Match match = { .count = 0 };
    *column = -1;
    if (!qualifier) {
        for (int i = 0; i < scope->relation_count; i++)
            match_relation(scope, i, name, &match);
        return finish(arena, scope, &match, name, at, column, info);
    }
    int relation = find_relation(scope, qualifier);
    if (relation == -2)
        return error_at(ERR_BIND, at, "'%s' names several relations", qualifier);
    if (relation < 0)
        return NULL;
    match_relation(scope, relation, name, &match);
    return finish(arena, scope, &match, name, at, column, info);
}

/* What Azure Stream Analytics calls the facts of a message; NULL: nothing of its. */
static const char *azure_fact(const char *name)
{
    static const char *const names[][2] = { { "PartitionId", "ROWPARTITION" }, { "EventEnqueuedUtcTime", "$record_time" } };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (name_equal(names[i][0], name))
            return names[i][1];
    return NULL;
}

Error *scope_find(Arena *arena, const Scope *scope, const char *qualifier, const char *name, Span at, int *column, const Column **info)
{
    TRY(find_column(arena, scope, qualifier, name, at, column, info));
    const char *fact = *column < 0 ? azure_fact(name) : NULL;
    return fact ? find_column(arena, scope, qualifier, fact, at, column, info) : NULL;
}

/* Names of the visible columns, of one relation (-1: of all); with aliases if asked for. */
static const char **visible_names(Arena *arena, const Scope *scope, int only, bool aliases, int *count)
{
    int room = scope->relation_count + 1;
    for (int i = 0; i < scope->relation_count; i++)
        room += scope->relations[i].schema->column_count;
    const char **names = ARENA_ARRAY(arena, const char *, (size_t)room);
    *count = 0;
    for (int i = 0; i < scope->relation_count; i++) {
        const ScopeRelation *relation = &scope->relations[i];
        if (aliases && relation->alias && relation->alias[0] != '$')
            names[(*count)++] = relation->alias;
        for (int c = 0; (only < 0 || only == i) && c < relation->schema->column_count; c++)
            if (!relation->schema->columns[c].hidden && relation->schema->columns[c].name)
                names[(*count)++] = relation->schema->columns[c].name;
    }
    return names;
}

static Error *unknown_in(Arena *arena, const Scope *scope, int relation, const char *name, Span at)
{
    int count;
    const char *const *names = visible_names(arena, scope, relation, false, &count);
    return error_suggest(error_at(ERR_BIND, at, "no column '%s' in %s", name, scope->relations[relation].alias), name, names, count);
}

/* Names that the dialect gives a meaning, which they have not here. NULL: none of them. */
static Error *pseudo_column(const char *name, Span at)
{
    static const char *const records[] = { "ROWPARTITION", "ROWOFFSET" }, *const windows[] = { "WINDOWSTART", "WINDOWEND", "window_start", "window_end", "window_time" };
    for (size_t i = 0; i < sizeof records / sizeof *records; i++)
        if (name_equal(name, records[i]))
            return error_at(ERR_UNSUPPORTED, at, "%s is not supported yet", name);
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++)
        if (name_equal(name, windows[i]))
            return error_hint(error_at(ERR_BIND, at, "no column '%s': there is no window here", name), "add WINDOW TUMBLING (SIZE ..), or read from TABLE(TUMBLE(..))");
    return NULL;
}

Error *scope_unknown(Arena *arena, const Scope *scope, const char *name, Span at)
{
    Error *pseudo = pseudo_column(name, at);
    if (pseudo)
        return pseudo;
    Text where = { 0 };
    MEMORY_HOLD(text_unwind, &where);
    int named = 0, count;
    for (int i = 0; i < scope->relation_count; i++)
        if (scope->relations[i].alias && scope->relations[i].alias[0] != '$')
            text_printf(&where, "%s%s", named++ ? ", " : " in ", scope->relations[i].alias);
    const char *const *names = visible_names(arena, scope, -1, false, &count);
    Error *error = error_at(ERR_BIND, at, "no column '%s'%s", name, scope->relation_count ? text_c(&where) : ": there is no FROM");
    text_release(&where);
    return error_suggest(error, name, names, count);
}

Error *scope_resolve(Arena *arena, const Scope *scope, const AstNames *path, Span at, int *column, const Column **info, int *used)
{
    const AstName *first = &path->items[0];
    if (path->count > 1) {
        TRY(scope_find(arena, scope, first->text, path->items[1].text, at, column, info));
        *used = 2;
        if (*column >= 0)
            return NULL;
    }
    TRY(scope_find(arena, scope, NULL, first->text, path->count > 1 ? first->at : at, column, info));
    *used = 1;
    if (*column >= 0)
        return NULL;
    if (path->count == 1)
        return scope_unknown(arena, scope, first->text, at);
    int relation = find_relation(scope, first->text), count;
    if (relation >= 0)
        return unknown_in(arena, scope, relation, path->items[1].text, path->items[1].at.length ? path->items[1].at : at);
    const char *const *names = visible_names(arena, scope, -1, true, &count);
    return error_suggest(error_at(ERR_BIND, first->at.length ? first->at : at, "no relation or column '%s'", first->text), first->text, names, count);
}
