/* planner/bind_appended.c: CREATE STREAM s AS ..: the rows of its query, and those that INSERT INTO adds to them.
 *
 * Such a stream has no columns of its own: it takes rows like its query's, hidden columns included, so that whoever reads it sees one relation. In a
 * server it is a channel, where several queries write anyway (bind_process.c). */
#include "planner/binder.h"
#include "planner/statement.h"

bool takes_appended(const CatalogEntry *entry) { return entry->origin == ORIGIN_QUERY && entry->kind == CATALOG_STREAM; }

/* The stream as one that was declared with the columns of its query. */
static CatalogEntry *as_declared(Arena *arena, const CatalogEntry *entry, const Relation *made)
{
    CatalogEntry *target = arena_copy(arena, entry, sizeof *entry);
    CatalogSource *source = arena_copy(arena, entry->source, sizeof *entry->source);
    CatalogRows *rows = ARENA_NEW(arena, CatalogRows);
    rows->names = made->schema;
    rows->time_column = made->time_column;
    source->rows = rows;
    target->source = source;
    target->column_count = 0;
    target->columns = ARENA_ARRAY(arena, CatalogColumn, made->schema.column_count + 1);
    for (int i = 0; i < made->schema.column_count; i++)
        if (!made->schema.columns[i].hidden)
            target->columns[target->column_count++] = (CatalogColumn){ .name = made->schema.columns[i].name, .type = made->schema.columns[i].type };
    return target;
}

/* Values have no event time until the column is said to be one. */
static void stamp(Binder *binder, const Relation *made, Span at, Relation *rows)
{
    EdgeTraits traits = port_traits(binder->arena, rows->input);
    if (made->time_column < 0 || made->processing_time || traits_time(&traits, made->time_column))
        return;
    LogicalNode *node = logical_node(binder->arena, PLAN_WATERMARK, at, 1, &rows->input);
    node->watermark.time_column = made->time_column;
    node->watermark.on_error = binder_policy(binder) == POLICY_NULL ? POLICY_SKIP : binder_policy(binder);
    logical_derive(binder->arena, node);
    rows->input = main_port(node);
}

Error *bind_appended(Binder *binder, const CatalogEntry *entry, Span at, Relation *relation)
{
    if (entry->producers.count == 0)
        return NULL;
    const CatalogEntry *target = as_declared(binder->arena, entry, relation);
    PlanInput *inputs = ARENA_ARRAY(binder->arena, PlanInput, entry->producers.count + 2);
    inputs[0] = relation->input;
    for (int p = 0; p < entry->producers.count; p++) {
        Relation rows;
        TRY(bind_producer(binder, &entry->producers.items[p], target, at, &rows));
        stamp(binder, relation, at, &rows);
        inputs[p + 1] = rows.input;
    }
    relation->input = main_port(logical_union(binder->arena, inputs, entry->producers.count + 1, at));
    relation->message = NULL;
    return NULL;
}

Error *bind_append(Binder *binder, const AstStatement *statement, CatalogEntry *target, int *width, Relation *rows)
{
    Binder reader = *binder; /* what its own query reads is not read by the statement */
    Relation made;
    TRY(bind_entry(&reader, target, NULL, statement->name.at, &made));
    if (port_traits(binder->arena, made.input).changes != CHANGES_APPEND)
        return error_at(ERR_BIND, statement->name.at, "'%s' is filled by its query, which updates earlier results: rows cannot be inserted", target->name);
    const CatalogEntry *declared = as_declared(binder->arena, target, &made);
    *width = declared->column_count;
    TRY(bind_insert(binder, statement, declared, rows));
    if (port_traits(binder->arena, rows->input).changes != CHANGES_APPEND)
        return error_hint(error_at(ERR_BIND, statement->name.at, "the query updates earlier results, and the stream '%s' takes none", target->name), "CREATE TABLE %s AS ..", target->name);
    return NULL;
}
