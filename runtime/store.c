/* runtime/store.c: the catalog in SQLite: the statements that made what there is, in their order, and the states of queries.
 *
 *   meta        version, number of the next query
 *   inserts     seq | entity | sql | settings: INSERT INTO .. VALUES into tables of the process that no snapshot holds yet
 *   statements  seq | entity: "relation:bids", NULL for INSERT INTO | sql | settings: SET statements | query | state | reason | fingerprint of its plan
 *
 * A restart does the statements again. What is dropped takes its statements with it, so the history is as long as what there is; nothing that stays can
 * have been made with what was dropped, as DROP refuses that. Every change is one transaction: a process that is killed leaves it done or not done. */
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "runtime/runtime_internal.h"

#define STORE_VERSION 1

struct Store {
    sqlite3 *database;
    char *path;
    int lock;            /* of the data directory */
};

static Error *store_error(const Store *store)
{
    return error_new(ERR_IO, "the catalog '%s': %s", store->path, store->database ? sqlite3_errmsg(store->database) : "out of memory");
}

static Error *run_sql(Store *store, const char *sql)
{
    return sqlite3_exec(store->database, sql, NULL, NULL, NULL) == SQLITE_OK ? NULL : store_error(store);
}

static Error *prepare(Store *store, const char *sql, sqlite3_stmt **statement)
{
    return sqlite3_prepare_v2(store->database, sql, -1, statement, NULL) == SQLITE_OK ? NULL : store_error(store);
}

/* Runs a statement that gives no rows. */
static Error *finish(Store *store, sqlite3_stmt *statement)
{
    int code = sqlite3_step(statement);
    Error *error = code == SQLITE_DONE || code == SQLITE_ROW ? NULL : store_error(store);
    sqlite3_finalize(statement);
    return error;
}

static void bind_text(sqlite3_stmt *statement, int place, const char *text)
{
    if (text)
        sqlite3_bind_text(statement, place, text, -1, SQLITE_TRANSIENT);
    else
        sqlite3_bind_null(statement, place);
}

/* ---- opening ---- */

static Error *lock_directory(Store *store, const char *path)
{
    store->lock = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    if (store->lock < 0)
        return error_new(ERR_CONNECT, "the data directory cannot be used: '%s': %s", path, strerror(errno));
    if (flock(store->lock, LOCK_EX | LOCK_NB) != 0)
        return error_new(ERR_CONNECT, "another process uses the data directory: '%s' is locked", path);
    return NULL;
}

static Error *read_version(Store *store, int64_t *version)
{
    sqlite3_stmt *statement;
    TRY(prepare(store, "SELECT value FROM meta WHERE key = 'version'", &statement));
    *version = sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    sqlite3_finalize(statement);
    return NULL;
}

/* Statements hold secrets: what is made is for its owner alone. */
static void make_private(const char *path)
{
    int made = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    if (made >= 0)
        close(made);
}

static Error *open_database(Store *store)
{
    int64_t version = 0;
    make_private(store->path);
    if (sqlite3_open_v2(store->path, &store->database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX, NULL) != SQLITE_OK)
        return store_error(store);
    sqlite3_extended_result_codes(store->database, 1);
    sqlite3_busy_timeout(store->database, 5000);
    TRY(run_sql(store, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL"));
    TRY(run_sql(store, "BEGIN IMMEDIATE;"
                       "CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;"
                       "CREATE TABLE IF NOT EXISTS statements (seq INTEGER PRIMARY KEY AUTOINCREMENT, entity TEXT, sql TEXT NOT NULL, settings TEXT NOT NULL,"
                       " query TEXT, state TEXT, reason TEXT, fingerprint INTEGER NOT NULL);"
                       "CREATE TABLE IF NOT EXISTS inserts (seq INTEGER PRIMARY KEY AUTOINCREMENT, entity TEXT NOT NULL, sql TEXT NOT NULL, settings TEXT NOT NULL);"
                       "INSERT OR IGNORE INTO meta VALUES ('version', 1), ('next_query', 1);"
                       "COMMIT"));
    TRY(read_version(store, &version));
    if (version != STORE_VERSION)
        return error_new(ERR_CONNECT, "the catalog '%s' has version %lld, this program knows version %d", store->path, (long long)version, STORE_VERSION);
    return NULL;
}

Error *store_open(Runtime *runtime, const char *directory, Store **result)
{
    FileSystem *fs = runtime->options.filesystem;
    Store *store = *result = mem_calloc(1, sizeof *store);
    store->lock = -1;
    store->path = mem_strdup(arena_printf(&runtime->arena, "%s/catalog.db", directory));
    TRY(fs->make_directories(fs, directory));
    TRY(lock_directory(store, arena_printf(&runtime->arena, "%s/lock", directory)));
    return open_database(store);
}

void store_close(Store *store)
{
    if (!store)
        return;
    sqlite3_close(store->database);
    if (store->lock >= 0)
        close(store->lock);
    mem_free(store->path);
    mem_free(store);
}

/* ---- writing ---- */

static Error *end_transaction(Store *store, Error *error)
{
    if (!error)
        error = run_sql(store, "COMMIT");
    if (error)
        sqlite3_exec(store->database, "ROLLBACK", NULL, NULL, NULL);
    return error;
}

/* What was inserted into something that is replaced, or gone. */
static Error *forget_inserts_of(Store *store, const char *entity)
{
    sqlite3_stmt *statement;
    TRY(prepare(store, "DELETE FROM inserts WHERE entity = ?1", &statement));
    bind_text(statement, 1, entity);
    return finish(store, statement);
}

static Error *add_rows(Store *store, StoredStatement *stored)
{
    sqlite3_stmt *statement;
    if (stored->replaces && stored->entity) {
        TRY(forget_inserts_of(store, stored->entity));
        TRY(prepare(store, "UPDATE statements SET state = 'TERMINATED' WHERE entity = ?1 AND query IS NOT NULL", &statement));
        bind_text(statement, 1, stored->entity);
        TRY(finish(store, statement));
    }
    TRY(prepare(store, "INSERT INTO statements (entity, sql, settings, query, state, reason, fingerprint) VALUES (?1, ?2, ?3, ?4, ?5, NULL, ?6)", &statement));
    bind_text(statement, 1, stored->entity);
    bind_text(statement, 2, stored->sql);
    bind_text(statement, 3, stored->settings);
    bind_text(statement, 4, stored->query_id);
    bind_text(statement, 5, stored->query_id ? query_state_name(stored->state) : NULL);
    sqlite3_bind_int64(statement, 6, (int64_t)stored->fingerprint);
    TRY(finish(store, statement));
    stored->seq = sqlite3_last_insert_rowid(store->database);
    TRY(prepare(store, "UPDATE meta SET value = ?1 WHERE key = 'next_query'", &statement));
    sqlite3_bind_int64(statement, 1, (int64_t)stored->next_query);
    return finish(store, statement);
}

Error *store_add(Store *store, StoredStatement *stored)
{
    TRY(run_sql(store, "BEGIN IMMEDIATE"));
    return end_transaction(store, add_rows(store, stored));
}

static Error *remove_rows(Store *store, const char *entity, const char *query_id)
{
    sqlite3_stmt *statement;
    TRY(forget_inserts_of(store, entity));
    TRY(prepare(store, "DELETE FROM statements WHERE entity = ?1 OR query = ?2", &statement));
    bind_text(statement, 1, entity);
    bind_text(statement, 2, query_id);
    return finish(store, statement);
}

Error *store_remove(Store *store, const char *entity, const char *query_id)
{
    TRY(run_sql(store, "BEGIN IMMEDIATE"));
    return end_transaction(store, remove_rows(store, entity, query_id));
}

Error *store_insert(Store *store, StoredStatement *stored)
{
    sqlite3_stmt *statement;
    TRY(prepare(store, "INSERT INTO inserts (entity, sql, settings) VALUES (?1, ?2, ?3)", &statement));
    bind_text(statement, 1, stored->entity);
    bind_text(statement, 2, stored->sql);
    bind_text(statement, 3, stored->settings);
    TRY(finish(store, statement));
    stored->seq = sqlite3_last_insert_rowid(store->database);
    return NULL;
}

static Error *forget_rows(Store *store, const int64_t *seqs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        sqlite3_stmt *statement;
        TRY(prepare(store, "DELETE FROM inserts WHERE seq = ?1", &statement));
        sqlite3_bind_int64(statement, 1, seqs[i]);
        TRY(finish(store, statement));
    }
    return NULL;
}

Error *store_insert_forget(Store *store, const int64_t *seqs, size_t count)
{
    TRY(run_sql(store, "BEGIN IMMEDIATE"));
    return end_transaction(store, forget_rows(store, seqs, count));
}

static Error *terminate_rows(Store *store, const char *query_id)
{
    sqlite3_stmt *statement;
    TRY(prepare(store, "DELETE FROM statements WHERE query = ?1 AND entity IS NULL", &statement));
    bind_text(statement, 1, query_id);
    TRY(finish(store, statement));
    TRY(prepare(store, "UPDATE statements SET state = 'TERMINATED' WHERE query = ?1", &statement));
    bind_text(statement, 1, query_id);
    return finish(store, statement);
}

Error *store_terminate(Store *store, const char *query_id)
{
    TRY(run_sql(store, "BEGIN IMMEDIATE"));
    return end_transaction(store, terminate_rows(store, query_id));
}

Error *store_state(Store *store, const Query *query)
{
    sqlite3_stmt *statement;
    TRY(prepare(store, "UPDATE statements SET state = ?2, reason = ?3 WHERE query = ?1 AND state <> 'TERMINATED'", &statement));
    bind_text(statement, 1, query->id);
    bind_text(statement, 2, query_state_name(query->state));
    bind_text(statement, 3, query->reason);
    return finish(store, statement);
}

/* ---- reading ---- */

static const char *column_text(Arena *arena, sqlite3_stmt *statement, int column)
{
    const unsigned char *text = sqlite3_column_text(statement, column);
    return text ? arena_strdup(arena, (const char *)text) : NULL;
}

static QueryState state_of(const char *name)
{
    for (int state = QUERY_RUNNING; state <= QUERY_TERMINATED; state++)
        if (name && strcmp(name, query_state_name((QueryState)state)) == 0)
            return (QueryState)state;
    return QUERY_RUNNING;
}

static Error *read_rows(Store *store, sqlite3_stmt *rows, Arena *arena, StoredStatement **statements, int *count)
{
    struct { StoredStatement *items; int count, capacity; } list = { 0 };
    int code;
    while ((code = sqlite3_step(rows)) == SQLITE_ROW) {
        StoredStatement stored = { .seq = sqlite3_column_int64(rows, 0), .entity = column_text(arena, rows, 1), .sql = column_text(arena, rows, 2),
            .settings = column_text(arena, rows, 3), .query_id = column_text(arena, rows, 4), .state = state_of(column_text(arena, rows, 5)),
            .reason = column_text(arena, rows, 6), .fingerprint = (uint64_t)sqlite3_column_int64(rows, 7) };
        LIST_ADD(arena, &list, stored);
    }
    *statements = list.items;
    *count = list.count;
    return code == SQLITE_DONE ? NULL : store_error(store);
}

static void finalize(void *statement) { sqlite3_finalize(statement); }

Error *store_list(Store *store, Arena *arena, StoredStatement **statements, int *count, uint64_t *next_query)
{
    sqlite3_stmt *rows;
    TRY(prepare(store, "SELECT value FROM meta WHERE key = 'next_query'", &rows));
    *next_query = sqlite3_step(rows) == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(rows, 0) : 1;
    sqlite3_finalize(rows);
    TRY(prepare(store, "SELECT seq, entity, sql, settings, query, state, reason, fingerprint FROM statements ORDER BY seq", &rows));
    MEMORY_HOLD(finalize, rows);
    Error *error = read_rows(store, rows, arena, statements, count);
    sqlite3_finalize(rows);
    return error;
}

static Error *read_inserts(Store *store, sqlite3_stmt *rows, Arena *arena, StoredStatement **statements, int *count)
{
    struct { StoredStatement *items; int count, capacity; } list = { 0 };
    int code;
    while ((code = sqlite3_step(rows)) == SQLITE_ROW) {
        StoredStatement stored = { .seq = sqlite3_column_int64(rows, 0), .entity = column_text(arena, rows, 1), .sql = column_text(arena, rows, 2), .settings = column_text(arena, rows, 3) };
        LIST_ADD(arena, &list, stored);
    }
    *statements = list.items;
    *count = list.count;
    return code == SQLITE_DONE ? NULL : store_error(store);
}

Error *store_insert_list(Store *store, Arena *arena, StoredStatement **statements, int *count)
{
    sqlite3_stmt *rows;
    TRY(prepare(store, "SELECT seq, entity, sql, settings FROM inserts ORDER BY seq", &rows));
    MEMORY_HOLD(finalize, rows);
    Error *error = read_inserts(store, rows, arena, statements, count);
    sqlite3_finalize(rows);
    return error;
}
