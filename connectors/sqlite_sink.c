/* connectors/sqlite_sink.c: rows into a table: appended, or upserted where the table has a primary key.
 *
 * Rows collect in a transaction. Without snapshots it is committed every sink.commit_interval and at the end. Where snapshots are taken,
 * each one is a savepoint that restore goes back to, and the commit comes at the end. What an unsuccessful job has not committed goes.
 * Sinks of one job that write into one file share a connection and its transaction: SQLite lets one write at a time. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "connectors/file.h"
#include "connectors/sqlite.h"

typedef struct Writer {
    const ConnectorContext *context; /* of the job */
    Arena arena;
    const char *path;
    Database database;
    int references;
    bool open_transaction;
    bool snapshots;
    int64_t begun_us;
    struct Writer *next;
} Writer;

typedef struct SqliteSink {
    Arena arena;
    Writer *writer;
    sqlite3_stmt *write;        /* INSERT, or the upsert */
    sqlite3_stmt *remove;       /* by key; NULL without a primary key */
    sqlite3_stmt *update;       /* for keys with NULLs, which no unique index finds */
    bool key_is_rowid;          /* a NULL would make SQLite invent a key */
    uint64_t rows;
    Text scratch;
} SqliteSink;

static const SqliteOptions *options_of(const Sink *sink) { return sink->spec->options; }

/* ---- connections ---- */

static Writer *writers; /* of all jobs of the process */
static pthread_mutex_t writers_lock = PTHREAD_MUTEX_INITIALIZER;

static void release_writer(Writer *writer)
{
    pthread_mutex_lock(&writers_lock);
    bool last = --writer->references == 0;
    for (Writer **at = &writers; last && *at; at = &(*at)->next)
        if (*at == writer) {
            *at = writer->next;
            break;
        }
    pthread_mutex_unlock(&writers_lock);
    if (!last)
        return;
    if (writer->open_transaction && writer->database.handle)
        sqlite3_exec(writer->database.handle, "ROLLBACK", NULL, NULL, NULL);
    database_close(&writer->database);
    arena_release(&writer->arena);
    mem_free(writer);
}

/* The job's connection to the file; release is due also after a failed open. Sinks of one job are opened by one thread. */
static Error *take_writer(const Sink *sink, Writer **result)
{
    Writer *made = mem_calloc(1, sizeof *made), *writer;
    arena_init(&made->arena, NULL);
    made->context = sink->context;
    made->path = connector_resolve_path(&made->arena, sink->context, options_of(sink)->path);
    pthread_mutex_lock(&writers_lock);
    for (writer = writers; writer && (writer->context != sink->context || strcmp(writer->path, made->path) != 0);)
        writer = writer->next;
    if (writer) {
        writer->references++;
    } else {
        made->references = 1;
        made->next = writers;
        writers = made;
    }
    pthread_mutex_unlock(&writers_lock);
    *result = writer ? writer : made;
    if (!writer)
        return database_open(&made->database, &made->arena, sink->context, options_of(sink), true, true);
    arena_release(&made->arena);
    mem_free(made);
    return NULL;
}

/* ---- statements ---- */

static bool is_key(const SinkSpec *spec, int column)
{
    for (int k = 0; k < spec->key_count; k++)
        if (spec->key_columns[k] == column)
            return true;
    return false;
}

static void add_names(Text *sql, const SinkSpec *spec, const int *columns, int count)
{
    for (int i = 0; i < count; i++) {
        text_add_c(sql, i ? ", " : "");
        sql_add_name(sql, spec->schema->columns[columns ? columns[i] : i].name);
    }
}

static Error *make_table(Sink *sink)
{
    SqliteSink *state = sink->state;
    const SinkSpec *spec = sink->spec;
    Text sql = { 0 };
    MEMORY_HOLD(text_unwind, &sql);
    text_add_c(&sql, "CREATE TABLE IF NOT EXISTS ");
    sql_add_name(&sql, options_of(sink)->table);
    for (int i = 0; i < spec->schema->column_count; i++) {
        const Column *column = &spec->schema->columns[i];
        text_add_c(&sql, i ? ", " : " (");
        sql_add_name(&sql, column->name);
        text_printf(&sql, " %s%s", sqlite_declaration(&state->arena, column->type), column->not_null ? " NOT NULL" : "");
    }
    if (spec->key_count) {
        text_add_c(&sql, ", PRIMARY KEY (");
        add_names(&sql, spec, spec->key_columns, spec->key_count);
        text_add_char(&sql, ')');
    }
    text_add_char(&sql, ')');
    Error *error = database_run(&state->writer->database, text_c(&sql));
    text_release(&sql);
    return error;
}

static void add_insert(Text *sql, const Sink *sink)
{
    const SinkSpec *spec = sink->spec;
    text_add_c(sql, "INSERT INTO ");
    sql_add_name(sql, options_of(sink)->table);
    text_add_c(sql, " (");
    add_names(sql, spec, NULL, spec->schema->column_count);
    text_add_c(sql, ") VALUES (");
    for (int i = 0; i < spec->schema->column_count; i++)
        text_printf(sql, "%s?%d", i ? ", " : "", i + 1);
    text_add_char(sql, ')');
}

static void add_conflict(Text *sql, const SinkSpec *spec)
{
    bool any = false;
    text_add_c(sql, " ON CONFLICT (");
    add_names(sql, spec, spec->key_columns, spec->key_count);
    text_add_c(sql, ") DO ");
    for (int i = 0; i < spec->schema->column_count; i++) {
        if (is_key(spec, i))
            continue;
        text_add_c(sql, any ? ", " : "UPDATE SET ");
        sql_add_name(sql, spec->schema->columns[i].name);
        text_printf(sql, " = ?%d", i + 1);
        any = true;
    }
    if (!any)
        text_add_c(sql, "NOTHING");
}

static void add_key_condition(Text *sql, const SinkSpec *spec)
{
    for (int k = 0; k < spec->key_count; k++) {
        text_add_c(sql, k ? " AND " : " WHERE ");
        sql_add_name(sql, spec->schema->columns[spec->key_columns[k]].name);
        text_printf(sql, " IS ?%d", spec->key_columns[k] + 1);
    }
}

static void add_update(Text *sql, const Sink *sink)
{
    const SinkSpec *spec = sink->spec;
    text_add_c(sql, "UPDATE ");
    sql_add_name(sql, options_of(sink)->table);
    for (int i = 0; i < spec->schema->column_count; i++) {
        text_add_c(sql, i ? ", " : " SET ");
        sql_add_name(sql, spec->schema->columns[i].name);
        text_printf(sql, " = ?%d", i + 1);
    }
    add_key_condition(sql, spec);
}

static Error *prepare_sink(Sink *sink, Text *sql)
{
    SqliteSink *state = sink->state;
    add_insert(sql, sink);
    if (sink->spec->key_count == 0)
        return database_prepare(&state->writer->database, text_c(sql), &state->write);
    add_conflict(sql, sink->spec);
    Error *error = database_prepare(&state->writer->database, text_c(sql), &state->write);
    if (error)
        return strstr(error->message, "ON CONFLICT") ? error_hint(error, "make the primary key unique in '%s'", options_of(sink)->table) : error;
    sql->length = 0;
    add_update(sql, sink);
    TRY(database_prepare(&state->writer->database, text_c(sql), &state->update));
    sql->length = 0;
    text_add_c(sql, "DELETE FROM ");
    sql_add_name(sql, options_of(sink)->table);
    add_key_condition(sql, sink->spec);
    return database_prepare(&state->writer->database, text_c(sql), &state->remove);
}

static Error *look_at_key(Sink *sink)
{
    SqliteSink *state = sink->state;
    const TableColumn *columns;
    int count, key_columns = 0;
    bool integer = false;
    Database database = state->writer->database; /* which other sinks share */
    database.table = options_of(sink)->table;
    TRY(database_columns(&database, &state->arena, &columns, &count));
    for (int i = 0; i < count; i++)
        if (columns[i].key_place) {
            key_columns++;
            integer = name_equal(columns[i].declared, "INTEGER");
        }
    state->key_is_rowid = key_columns == 1 && integer && sink->spec->key_count == 1;
    return NULL;
}

static Error *sqlite_sink_open(Sink *sink)
{
    SqliteSink *state = mem_calloc(1, sizeof *state);
    sink->state = state;
    arena_init(&state->arena, NULL);
    TRY(take_writer(sink, &state->writer));
    Error *error = make_table(sink);
    if (error && error->code == ERR_IO)
        error->code = ERR_CONNECT;
    TRY(error);
    TRY(look_at_key(sink));
    Text sql = { 0 };
    MEMORY_HOLD(text_unwind, &sql);
    error = prepare_sink(sink, &sql);
    text_release(&sql);
    return error;
}

/* ---- writing ---- */

static Error *begin(Sink *sink)
{
    SqliteSink *state = sink->state;
    if (state->writer->open_transaction)
        return NULL;
    TRY(database_run(&state->writer->database, "BEGIN IMMEDIATE"));
    state->writer->open_transaction = true;
    state->writer->begun_us = sink->context->clock->now_us(sink->context->clock);
    return NULL;
}

static Error *commit(SqliteSink *state)
{
    if (!state->writer->open_transaction)
        return NULL;
    TRY(database_run(&state->writer->database, "COMMIT"));
    state->writer->open_transaction = false;
    return NULL;
}

/* A reader may hold the database for a while: then the commit is tried again with a later batch. */
static Error *commit_when_due(Sink *sink)
{
    SqliteSink *state = sink->state;
    int64_t now_us = sink->context->clock->now_us(sink->context->clock);
    if (state->writer->snapshots || now_us - state->writer->begun_us < options_of(sink)->commit_interval_us)
        return NULL;
    sqlite3_busy_timeout(state->writer->database.handle, 0);
    int code = sqlite3_exec(state->writer->database.handle, "COMMIT", NULL, NULL, NULL);
    sqlite3_busy_timeout(state->writer->database.handle, (int)(options_of(sink)->busy_timeout_us / 1000));
    state->writer->open_transaction = code != SQLITE_OK;
    state->writer->begun_us = now_us;
    return code == SQLITE_OK || code == SQLITE_BUSY ? NULL : database_error(&state->writer->database, ERR_IO);
}

static Error *run(Sink *sink, sqlite3_stmt *statement, const Batch *batch, uint32_t row, bool key_only)
{
    SqliteSink *state = sink->state;
    const SinkSpec *spec = sink->spec;
    int code = SQLITE_OK;
    for (int c = 0; c < spec->schema->column_count && code == SQLITE_OK; c++)
        if (!key_only || is_key(spec, c))
            code = sqlite_bind(statement, c + 1, batch->columns[c], row, &state->scratch);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    Error *error = code == SQLITE_DONE ? NULL : error_context(database_error(&state->writer->database, ERR_IO), "table '%s'", options_of(sink)->table);
    sqlite3_reset(statement);
    return error;
}

static bool null_in_key(const SinkSpec *spec, const Batch *batch, uint32_t row)
{
    for (int k = 0; k < spec->key_count; k++)
        if (vector_is_null(batch->columns[spec->key_columns[k]], row))
            return true;
    return false;
}

static Error *write_row(Sink *sink, const Batch *batch, uint32_t row)
{
    SqliteSink *state = sink->state;
    bool null_key = null_in_key(sink->spec, batch, row);
    if (row_kind_retracts(batch_kind(batch, row)))
        return run(sink, state->remove, batch, row, true);
    if (!null_key)
        return run(sink, state->write, batch, row, false);
    if (state->key_is_rowid)
        return error_new(ERR_IO, "the primary key of '%s' is NULL", options_of(sink)->table);
    TRY(run(sink, state->update, batch, row, false));
    return sqlite3_changes(state->writer->database.handle) ? NULL : run(sink, state->write, batch, row, false);
}

static Error *sqlite_write(Sink *sink, const Batch *batch)
{
    SqliteSink *state = sink->state;
    TRY(begin(sink));
    for (uint32_t i = 0; i < batch->selection.count; i++)
        TRY(write_row(sink, batch, selection_row(&batch->selection, i)));
    state->rows += batch->selection.count;
    return commit_when_due(sink);
}

static Error *sqlite_flush(Sink *sink)
{
    SqliteSink *state = sink->state;
    return state->writer->snapshots ? NULL : commit(state);
}

/* ---- snapshots ---- */

static Error *sqlite_snapshot(Sink *sink, Text *text)
{
    SqliteSink *state = sink->state;
    TRY(begin(sink));
    if (state->writer->snapshots)
        TRY(database_run(&state->writer->database, "RELEASE snapshot"));
    TRY(database_run(&state->writer->database, "SAVEPOINT snapshot"));
    state->writer->snapshots = true;
    text_printf(text, "%llu", (unsigned long long)state->rows);
    return NULL;
}

static Error *sqlite_restore(Sink *sink, const char *bytes, size_t length)
{
    SqliteSink *state = sink->state;
    char number[24] = { 0 };
    memcpy(number, bytes, length < sizeof number - 1 ? length : sizeof number - 1);
    if (!state->writer->snapshots)
        return error_new(ERR_IO, "'%s': the snapshot's transaction is gone", state->writer->database.path);
    state->rows = strtoull(number, NULL, 10);
    return database_run(&state->writer->database, "ROLLBACK TO snapshot");
}

static Error *sqlite_sink_close(Sink *sink, bool commit_rows)
{
    SqliteSink *state = sink->state;
    if (!state)
        return NULL;
    Error *error = commit_rows && state->writer ? commit(state) : NULL;
    sqlite3_finalize(state->write);
    sqlite3_finalize(state->remove);
    sqlite3_finalize(state->update);
    if (state->writer)
        release_writer(state->writer);
    text_release(&state->scratch);
    arena_release(&state->arena);
    mem_free(state);
    sink->state = NULL;
    return error;
}

const SinkType sqlite_sink = {
    .row_sink = true,
    .takes_updates = true,
    .needs_key = true,
    .open = sqlite_sink_open,
    .write_batch = sqlite_write,
    .flush = sqlite_flush,
    .snapshot = sqlite_snapshot,
    .restore = sqlite_restore,
    .close = sqlite_sink_close,
};
