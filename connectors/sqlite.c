/* connectors/sqlite.c: tables of SQLite databases: bounded scans, lookups and sinks. */
#include <string.h>

#include "connectors/connectors_internal.h"
#include "connectors/sqlite.h"

static Error *no_such_table(const Database *database, Arena *arena)
{
    struct { const char **items; int count, capacity; } names = { 0 };
    sqlite3_stmt *statement = NULL;
    TRY(database_prepare(database, "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'", &statement));
    while (sqlite3_step(statement) == SQLITE_ROW) {
        const char *name = arena_strdup(arena, (const char *)sqlite3_column_text(statement, 0));
        LIST_ADD(arena, &names, name);
    }
    sqlite3_finalize(statement);
    return error_suggest(error_new(ERR_CONNECT, "'%s' has no table '%s'", database->path, database->table), database->table, names.items, names.count);
}

static Error *describe_table(const Database *database, Arena *arena, Schema *schema)
{
    const TableColumn *columns = NULL;
    TRY(database_columns(database, arena, &columns, &schema->column_count));
    if (schema->column_count == 0)
        return no_such_table(database, arena);
    schema->columns = ARENA_ARRAY(arena, Column, (size_t)schema->column_count);
    for (int i = 0; i < schema->column_count; i++)
        schema->columns[i] = (Column){ .name = columns[i].name, .type = sqlite_type(arena, columns[i].declared), .is_key = columns[i].key_place > 0,
                                       .not_null = columns[i].not_null };
    return NULL;
}

Error *sqlite_schema(Arena *arena, const ConnectorContext *context, const void *options, Schema **schema)
{
    Database database;
    *schema = ARENA_NEW(arena, Schema);
    TRY(database_open(&database, arena, context, options, false, false));
    Error *error;
    MEMORY_GUARDED(error, describe_table(&database, arena, *schema));
    database_close(&database);
    return error;
}

#define FIELD(name) offsetof(SqliteOptions, name)
static const OptionSpec sqlite_options[] = {
    { .name = "path", .kind = OPTION_STRING, .offset = FIELD(path), .required = true, .doc = "The database file. A sink makes it if it is missing." },
    { .name = "table", .kind = OPTION_STRING, .offset = FIELD(table), .required = true, .aliases = (const char *const[]){ "table_name", NULL },
      .doc = "The table, or a view to read. A sink makes the table if it is missing." },
    { .name = "busy_timeout", .kind = OPTION_DURATION, .offset = FIELD(busy_timeout_us), .default_text = "5 s", .minimum = 0, .maximum = 3600000000ll,
      .doc = "How long to wait for another process that holds the database." },
    { .name = "sink.commit_interval", .kind = OPTION_DURATION, .offset = FIELD(commit_interval_us), .default_text = "1 s", .minimum = 0, .maximum = 3600000000ll,
      .doc = "Rows written become visible to others at least this often, and when the job ends." },
    { .name = "lookup.cache.max_rows", .kind = OPTION_INT, .offset = FIELD(cache_rows), .default_text = "100000", .minimum = 0, .maximum = 1000000000,
      .aliases = (const char *const[]){ "lookup.partial_cache.max_rows", NULL },
      .doc = "Answers of lookups kept per thread, also of keys that were not found; 0: none. A change of the database empties it." },
    { 0 },
};

const ConnectorType sqlite_connector = {
    .name = "sqlite",
    .doc = "A table of a SQLite database: scanned, looked up by key, or written (appended, or upserted by primary key).",
    .options = sqlite_options,
    .options_size = sizeof(SqliteOptions),
    .source = &sqlite_source,
    .sink = &sqlite_sink,
    .lookup = &sqlite_lookup,
};
