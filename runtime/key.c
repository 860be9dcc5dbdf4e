/* runtime/key.c: the row of a table by its key, without SQL: what stands in an address becomes the values of the key's columns, one look finds the row. */
#include <stdlib.h>
#include <string.h>

#include "common/calendar.h"
#include "common/decimal.h"
#include "functions/functions.h"
#include "runtime/runtime_internal.h"

/* ---- values ---- */

bool key_literal(Arena *arena, const Type *type, const char *text, Value *value)
{
    char *end = NULL;
    *value = (Value){ .type = type };
    switch (type->kind) {
    case TYPE_VARCHAR:
        value->text = str_c(arena_strdup(arena, text));
        return true;
    case TYPE_TINYINT: case TYPE_SMALLINT: case TYPE_INT: case TYPE_BIGINT:
        return int64_parse(text, strlen(text), &value->integer);
    case TYPE_DOUBLE:
        value->number = strtod(text, &end);
        return *text && !*end;
    default:
        return false;
    }
}

/* A nested value stands there as JSON. */
static bool json_value(Arena *arena, const Type *type, const char *text, Value *value)
{
    static const char *const name = "key";
    const DecodeColumn column = { .path = &name, .path_length = 1, .type = type };
    const FormatType *format = format_find("json");
    const char *record = arena_printf(arena, "{\"key\":%s}", text);
    const RecordBytes bytes = { record, strlen(record) };
    RecordFailures failures = { 0 };
    void *options = arena_calloc(arena, 1, format->options_size);
    options_defaults(arena, &(OptionTarget){ format->options, options, NULL });
    const DecodeSpec spec = { .columns = &column, .column_count = 1, .declared_count = 1, .declared_names = &name, .options = options };
    Decoder decoder = { .type = format, .spec = &spec };
    Vector *vector = vector_new(arena, type, 1);
    Error *error = format->decoder_open(&decoder);
    if (!error)
        error = format->decode_records(&decoder, &bytes, 1, arena, &vector, &failures);
    format->decoder_close(&decoder);
    const bool found = !error && failures.count == 0 && !vector_is_null(vector, 0);
    error_free(error);
    if (found)
        *value = vector_get(arena, vector, 0);
    return found;
}

static bool key_value(Arena *arena, const Type *type, const char *text, Value *value)
{
    const char *reason;
    const Value given = { .type = type_scalar(TYPE_VARCHAR), .text = str_c(text) };
    if (key_literal(arena, type, text, value))
        return true;
    if (type->kind == TYPE_ARRAY || type->kind == TYPE_MAP || type->kind == TYPE_STRUCT)
        return json_value(arena, type, text, value);
    return value_cast(arena, &given, type, value, &reason);
}

/* The next of several values: up to a comma, or in double quotes. NULL: a quote does not end. */
static const char *next_part(Arena *arena, const char **text)
{
    const char *at = *text;
    if (*at != '"') {
        size_t length = strcspn(at, ",");
        *text = at + length;
        return arena_strndup(arena, at, length);
    }
    char *part = arena_alloc(arena, strlen(at) + 1), *to = part;
    for (at++; *at && (*at != '"' || at[1] == '"'); at++) {
        at += *at == '"';
        *to++ = *at;
    }
    *to = 0;
    *text = *at ? at + 1 : at;
    return *at && (at[1] == ',' || !at[1]) ? part : NULL;
}

static Error *no_such_value(Arena *arena, const Column *column, const char *text)
{
    return error_new(ERR_BIND, "'%s' is no %s for the key column '%s'", text, type_text(arena, column->type), column->name);
}

static Error *key_values(const PlanNode *sink, Arena *arena, const char *table, const char *text, Value **values)
{
    const int wanted = sink->sink.table_group_count ? sink->sink.table_group_count : sink->sink.table_key_count;
    int count = 0;
    *values = ARENA_ARRAY(arena, Value, (size_t)wanted + 1);
    for (const char *at = text; wanted;) {
        const char *part = wanted == 1 ? text : next_part(arena, &at); /* one column: the whole text, whatever it holds */
        const Column *column = count < wanted ? &sink->schema.columns[sink->sink.table_keys[count]] : NULL;
        if (!part)
            return error_new(ERR_BIND, "in the key %s a quote does not end", text);
        if (column && !key_value(arena, column->type, part, &(*values)[count]))
            return no_such_value(arena, column, part);
        count++;
        if (wanted == 1 || !*at)
            break;
        at++;
    }
    if (count != wanted)
        return error_new(ERR_BIND, "the key of '%s' has %d column%s, %d value%s given", table, wanted, wanted == 1 ? "" : "s", count, count == 1 ? " is" : "s are");
    return NULL;
}

/* ---- windows ---- */

static Error *bound_us(const char *text, int64_t otherwise, int64_t *us)
{
    bool zoned;
    int64_t ms;
    *us = otherwise;
    if (!text)
        return NULL;
    if (int64_parse(text, strlen(text), &ms)) {
        *us = ms > INT64_MAX / 1000 ? INT64_MAX : ms < INT64_MIN / 1000 ? INT64_MIN : ms * 1000;
        return NULL;
    }
    return timestamp_parse(text, strlen(text), us, &zoned) ? NULL : error_new(ERR_USAGE, "'%s' is no time", text);
}

/* Windows that begin within the bounds. */
static void keep_windows(Batch *rows, int window_start, int64_t from_us, int64_t to_us)
{
    const Vector *starts = rows->columns[window_start];
    uint32_t *kept = arena_alloc(&rows->arena, sizeof *kept * ((size_t)rows->selection.count + 1)), count = 0;
    for (uint32_t i = 0; i < rows->selection.count; i++) {
        const uint32_t row = selection_row(&rows->selection, i);
        const int64_t start_us = ((const int64_t *)starts->values)[row];
        if (!vector_is_null(starts, row) && start_us >= from_us && start_us < to_us)
            kept[count++] = row;
    }
    rows->selection = (Selection){ .rows = kept, .count = count };
}

/* ---- looking ---- */

typedef struct Look {
    const char *table;
    const RuntimeKey *key;
    int window_start;            /* column; -1: none */
    int64_t from_us, to_us;
} Look;

static Error *find(Query *query, const Look *look, Arena *arena, Batch **rows)
{
    Value *values = NULL;
    const int output = query->job ? job_table(query->job) : -1;
    if (output < 0)
        return error_new(ERR_CONNECT, "'%s' holds nothing now: its query is in state %s", look->table, query_state_name(query->state));
    const PlanNode *sink = query->plan->outputs[output].sink;
    TRY(key_values(sink, arena, look->table, look->key->text, &values));
    TRY(sink->sink.table_group_count ? job_table_find_group(query->job, output, values, rows) : job_table_find(query->job, output, values, rows));
    if (*rows && look->window_start >= 0 && (look->key->from || look->key->to))
        keep_windows(*rows, look->window_start, look->from_us, look->to_us);
    return NULL;
}

static Error *find_rows(Query *query, const Look *look, Batch **rows)
{
    Arena arena;
    arena_init(&arena, NULL);
    MEMORY_HOLD(arena_unwind, &arena);
    Error *error = find(query, look, &arena, rows);
    arena_release(&arena);
    return error;
}

static Error *would_wait(void) { return error_new(ERR_BUSY, "somebody else is at work there"); }

/* The query that keeps the table, retained, and what is known of its rows. Under control. */
static Query *keeper_of(Runtime *runtime, const char *table, const Schema **schema, Look *look)
{
    Query *query = query_of_entity(runtime, table);
    const CatalogEntry *entry = query ? planner_entry(runtime->planner, table) : NULL;
    const CatalogRows *made = !entry || !entry->source ? NULL : entry->source->rows ? entry->source->rows : entry->source->kept;
    *schema = made ? &made->names : NULL;
    look->window_start = made && made->windowed ? made->window_start : -1;
    runtime->pull_count++;
    if (!made)
        return NULL;
    query_retain(query);
    return query;
}

/* wait false: ERR_BUSY instead of waiting for a statement or a turn that is being done. */
static Error *pull_key(Runtime *runtime, bool wait, const char *table, const RuntimeKey *key, const Schema **schema, bool *windowed, Batch **rows)
{
    Error *error;
    Look look = { .table = table, .key = key };
    *rows = NULL;
    *schema = NULL;
    TRY(bound_us(key->from, INT64_MIN, &look.from_us));
    TRY(bound_us(key->to, INT64_MAX, &look.to_us));
    if (wait)
        pthread_mutex_lock(&runtime->control);
    else if (pthread_mutex_trylock(&runtime->control) != 0)
        return would_wait();
    Query *query = keeper_of(runtime, table, schema, &look);
    pthread_mutex_unlock(&runtime->control);
    if (!query)
        return error_new(ERR_BIND, "there is no table '%s' that a query keeps", table);
    *windowed = look.window_start >= 0;
    if (!*windowed && (key->from || key->to))
        error = error_new(ERR_USAGE, "the rows of '%s' are of no windows", table);
    else if (!wait && pthread_mutex_trylock(&query->step) != 0)
        error = would_wait();
    else {
        if (wait)
            task_lock(query);
        MEMORY_GUARDED(error, find_rows(query, &look, rows));
        task_unlock(query);
    }
    query_release(query);
    return error;
}

Error *runtime_pull_key(Runtime *runtime, const char *table, const RuntimeKey *key, const Schema **schema, bool *windowed, Batch **rows)
{
    return pull_key(runtime, true, table, key, schema, windowed, rows);
}

Error *runtime_try_pull_key(Runtime *runtime, const char *table, const RuntimeKey *key, const Schema **schema, bool *windowed, Batch **rows)
{
    return pull_key(runtime, false, table, key, schema, windowed, rows);
}
