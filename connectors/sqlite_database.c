/* connectors/sqlite_database.c: opening a database, its errors, its statements. */
#include <string.h>

#include "connectors/file.h"
#include "connectors/sqlite.h"

Error *database_error(const Database *database, ErrorCode code)
{
    return error_new(code, "'%s': %s", database->path, sqlite3_errmsg(database->handle));
}

Error *database_run(const Database *database, const char *sql)
{
    if (sqlite3_exec(database->handle, sql, NULL, NULL, NULL) == SQLITE_OK)
        return NULL;
    return database_error(database, ERR_IO);
}

Error *database_prepare(const Database *database, const char *sql, sqlite3_stmt **statement)
{
    if (sqlite3_prepare_v3(database->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL) == SQLITE_OK)
        return NULL;
    return database_error(database, ERR_CONNECT);
}

/* The database is data, maybe of somebody else: nothing in it may run code or change what SQL means. */
static void harden(sqlite3 *handle)
{
    sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
}

static Error *remember_file(Database *database, const ConnectorContext *context)
{
    FileInfo info;
    TRY(context->filesystem->info(context->filesystem, database->path, &info));
    database->device = info.device;
    database->inode = info.inode;
    return NULL;
}

Error *database_open(Database *database, Arena *arena, const ConnectorContext *context, const SqliteOptions *options, bool write, bool create)
{
    *database = (Database){ .path = connector_resolve_path(arena, context, options->path), .table = options->table };
    FileInfo info;
    TRY(connector_as_connect(context->filesystem->info(context->filesystem, database->path, &info)));
    if (!info.exists && !create)
        return error_new(ERR_CONNECT, "'%s': no such database", database->path);
    int flags = (write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY) | (create ? SQLITE_OPEN_CREATE : 0) | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(database->path, &database->handle, flags, NULL) != SQLITE_OK) {
        Error *error = database->handle ? database_error(database, ERR_CONNECT) : error_memory();
        database_close(database);
        return error;
    }
    harden(database->handle);
    sqlite3_busy_timeout(database->handle, (int)(options->busy_timeout_us / 1000));
    /* The first read shows whether it is a database at all. */
    if (sqlite3_exec(database->handle, "PRAGMA schema_version", NULL, NULL, NULL) != SQLITE_OK) {
        Error *error = database_error(database, ERR_CONNECT);
        database_close(database);
        return error;
    }
    return connector_as_connect(remember_file(database, context));
}

void database_close(Database *database)
{
    sqlite3_close_v2(database->handle);
    database->handle = NULL;
}

bool database_replaced(const Database *database, const ConnectorContext *context)
{
    FileInfo info;
    Error *error = context->filesystem->info(context->filesystem, database->path, &info);
    bool same = !error && info.exists && info.device == database->device && info.inode == database->inode;
    error_free(error);
    return !same;
}

static const char *column_text(Arena *arena, sqlite3_stmt *statement, int column)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);
    return arena_strdup(arena, text ? text : "");
}

static void finalize(void *statement) { sqlite3_finalize(*(sqlite3_stmt **)statement); }

Error *database_columns(const Database *database, Arena *arena, const TableColumn **columns, int *count)
{
    struct { TableColumn *items; int count, capacity; } list = { 0 };
    sqlite3_stmt *statement = NULL;
    TRY(database_prepare(database, "SELECT name, type, \"notnull\", pk FROM pragma_table_info(?1) ORDER BY cid", &statement));
    MEMORY_HOLD(finalize, &statement); /* a statement that is left keeps the database locked */
    int step = sqlite3_bind_text(statement, 1, database->table, -1, SQLITE_STATIC);
    while (step == SQLITE_OK || step == SQLITE_ROW) {
        step = sqlite3_step(statement);
        if (step == SQLITE_ROW) {
            TableColumn column = { column_text(arena, statement, 0), column_text(arena, statement, 1), sqlite3_column_int(statement, 2) != 0,
                                   sqlite3_column_int(statement, 3) };
            LIST_ADD(arena, &list, column);
        }
    }
    Error *error = step == SQLITE_DONE ? NULL : database_error(database, ERR_CONNECT);
    sqlite3_finalize(statement);
    *columns = list.items;
    *count = list.count;
    return error;
}

void sql_add_name(Text *sql, const char *name)
{
    text_add_char(sql, '"');
    for (; *name; name++) {
        if (*name == '"')
            text_add_char(sql, '"');
        text_add_char(sql, *name);
    }
    text_add_char(sql, '"');
}
