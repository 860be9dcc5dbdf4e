/* connectors/sqlite.h: what the parts of connector 'sqlite' share. Private to the room.
 *
 *   sqlite.c           options, the columns of a table, registration
 *   sqlite_database.c  opening, errors, statements
 *   sqlite_value.c     SQLite's values <-> vectors
 *   sqlite_source.c    a table as a bounded scan
 *   sqlite_sink.c      append and upsert
 *   sqlite_lookup.c    rows by key, with a cache */
#pragma once
#include <sqlite3.h>

#include "connectors/connectors.h"

typedef struct SqliteOptions {
    const char *path;
    const char *table;
    int64_t busy_timeout_us;
    int64_t commit_interval_us;
    int64_t cache_rows;
} SqliteOptions;

typedef struct Database {
    sqlite3 *handle;      /* NULL: closed */
    const char *path;     /* resolved */
    const char *table;
    uint64_t device, inode;
} Database;

/* Opens the database file; `create` makes it if it is missing, else that is ERR_CONNECT. `database` holds strings of `arena`. */
Error *database_open(Database *database, Arena *arena, const ConnectorContext *context, const SqliteOptions *options, bool write, bool create);
void database_close(Database *database);
/* The last error of the handle with the path before it. */
Error *database_error(const Database *database, ErrorCode code);
Error *database_run(const Database *database, const char *sql);
/* ERR_CONNECT with SQLite's reason if the statement cannot be prepared (no such table, no such column). */
Error *database_prepare(const Database *database, const char *sql, sqlite3_stmt **statement);
/* Is the file at the path another one than the one that was opened (or gone)? */
bool database_replaced(const Database *database, const ConnectorContext *context);

typedef struct TableColumn {
    const char *name;
    const char *declared;  /* its type as written in the database */
    bool not_null;
    int key_place;         /* from 1; 0: not in the primary key */
} TableColumn;

/* The table's columns; none if there is no such table. */
Error *database_columns(const Database *database, Arena *arena, const TableColumn **columns, int *count);
void sql_add_name(Text *sql, const char *name); /* quoted */

/* ---- values ---- */

bool sqlite_can_read(const Type *type);
/* Column `column` of the statement's row as a value of `type`; text points into SQLite's memory until the next step. False if it is none:
 * *reason lives in `arena`. */
bool sqlite_read(Arena *arena, sqlite3_stmt *statement, int column, const Type *type, const TimeZone *zone, Value *value, const char **reason);
/* Binds row `row`. Nested values are bound as JSON text; `scratch` is used for what needs text. */
int sqlite_bind(sqlite3_stmt *statement, int parameter, const Vector *vector, uint32_t row, Text *scratch);
/* The type that a declared type stands for, by SQLite's rules of affinity and the names of SQL. */
const Type *sqlite_type(Arena *arena, const char *declared);
/* How a column of `type` is declared so that values survive: DECIMAL of more than 15 digits are kept as text. */
const char *sqlite_declaration(Arena *arena, const Type *type);

extern const SourceType sqlite_source;
extern const SinkType sqlite_sink;
extern const LookupType sqlite_lookup;
Error *sqlite_schema(Arena *arena, const ConnectorContext *context, const void *options, Schema **schema);
