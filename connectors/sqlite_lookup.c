/* connectors/sqlite_lookup.c: rows of a table by key, with a cache of answers, also of "no such key".
 *
 * The cache is two generations of columns: what is asked for moves to the young one; when that holds half of the rows allowed it becomes
 * the old one, and the old one goes. PRAGMA data_version, asked once a turn, tells that another connection changed the database: then all
 * answers go. Misses of a batch share one read transaction. */
#include <string.h>

#include "common/hash.h"
#include "connectors/sqlite.h"

typedef struct Entry {
    uint64_t hash;
    const char *key;        /* encoded; NULL: free */
    uint32_t key_length;
    uint32_t first, count;  /* rows of the generation's columns */
} Entry;

typedef struct Generation {
    Arena arena;
    Entry *entries;
    uint32_t entry_count, entry_capacity; /* a power of two */
    Vector **columns;
    uint32_t row_count, row_capacity;
} Generation;

typedef struct SqliteLookup {
    Arena arena;
    Database database;
    sqlite3_stmt *find, *version;
    int64_t data_version;
    Generation generations[2];
    int young;
    bool in_transaction;
    Text key, scratch;
} SqliteLookup;

static const SqliteOptions *options_of(const Lookup *lookup) { return lookup->spec->options; }

/* ---- generations ---- */

static void generation_reset(Generation *generation)
{
    arena_release(&generation->arena);
    generation->entries = NULL;
    generation->columns = NULL;
    generation->entry_count = generation->entry_capacity = generation->row_count = generation->row_capacity = 0;
}

static Entry *generation_find(const Generation *generation, uint64_t hash, const Text *key)
{
    if (!generation->entry_count)
        return NULL;
    uint32_t mask = generation->entry_capacity - 1;
    for (uint32_t at = (uint32_t)hash & mask; generation->entries[at].key; at = (at + 1) & mask) {
        Entry *entry = &generation->entries[at];
        if (entry->hash == hash && entry->key_length == key->length && memcmp(entry->key, key->bytes, key->length) == 0)
            return entry;
    }
    return NULL;
}

static void place_entry(Entry *entries, uint32_t capacity, const Entry *entry)
{
    uint32_t at = (uint32_t)entry->hash & (capacity - 1);
    while (entries[at].key)
        at = (at + 1) & (capacity - 1);
    entries[at] = *entry;
}

static Entry *generation_add(Generation *generation, uint64_t hash, const Text *key)
{
    if ((generation->entry_count + 1) * 2 > generation->entry_capacity) {
        uint32_t capacity = generation->entry_capacity ? generation->entry_capacity * 2 : 64;
        Entry *entries = ARENA_ARRAY(&generation->arena, Entry, capacity);
        for (uint32_t i = 0; i < generation->entry_capacity; i++)
            if (generation->entries[i].key)
                place_entry(entries, capacity, &generation->entries[i]);
        generation->entries = entries;
        generation->entry_capacity = capacity;
    }
    Entry entry = { hash, arena_copy(&generation->arena, key->bytes, key->length), (uint32_t)key->length, generation->row_count, 0 };
    place_entry(generation->entries, generation->entry_capacity, &entry);
    generation->entry_count++;
    return generation_find(generation, hash, key);
}

static void reserve_row(Generation *generation, const LookupSpec *spec)
{
    if (generation->row_count < generation->row_capacity)
        return;
    uint32_t capacity = generation->row_capacity ? generation->row_capacity * 2 : 64;
    Vector **columns = ARENA_ARRAY(&generation->arena, Vector *, (size_t)spec->value_count + 1);
    for (int v = 0; v < spec->value_count; v++) {
        columns[v] = vector_new(&generation->arena, spec->value_types[v], capacity);
        for (uint32_t row = 0; row < generation->row_count; row++) {
            Value value = vector_get(&generation->arena, generation->columns[v], row);
            vector_set(&generation->arena, columns[v], row, &value);
        }
    }
    generation->columns = columns;
    generation->row_capacity = capacity;
}

static void rotate(Lookup *lookup)
{
    SqliteLookup *state = lookup->state;
    if (options_of(lookup)->cache_rows == 0)
        for (int g = 0; g < 2; g++)
            generation_reset(&state->generations[g]);
    uint64_t young = (uint64_t)state->generations[state->young].row_count + state->generations[state->young].entry_count;
    if (young <= (uint64_t)options_of(lookup)->cache_rows / 2)
        return;
    state->young = !state->young;
    generation_reset(&state->generations[state->young]);
}

static Entry *promote(Lookup *lookup, const Entry *from, const Text *key)
{
    SqliteLookup *state = lookup->state;
    Generation *young = &state->generations[state->young];
    const Generation *old = &state->generations[!state->young];
    Entry *entry = generation_add(young, from->hash, key);
    for (uint32_t i = 0; i < from->count; i++) {
        reserve_row(young, lookup->spec);
        for (int v = 0; v < lookup->spec->value_count; v++) {
            Value value = vector_get(&young->arena, old->columns[v], from->first + i);
            vector_set(&young->arena, young->columns[v], young->row_count, &value);
        }
        young->row_count++;
        entry->count++;
    }
    return entry;
}

/* ---- asking the database ---- */

static Error *prepare_lookup(Lookup *lookup)
{
    SqliteLookup *state = lookup->state;
    const LookupSpec *spec = lookup->spec;
    Text sql = { 0 };
    MEMORY_HOLD(text_unwind, &sql);
    text_add_c(&sql, spec->value_count ? "SELECT " : "SELECT 1");
    for (int v = 0; v < spec->value_count; v++) {
        text_add_c(&sql, v ? ", " : "");
        sql_add_name(&sql, spec->value_columns[v]);
    }
    text_add_c(&sql, " FROM ");
    sql_add_name(&sql, options_of(lookup)->table);
    for (int k = 0; k < spec->key_count; k++) {
        text_add_c(&sql, k ? " AND " : " WHERE ");
        sql_add_name(&sql, spec->key_columns[k]);
        text_printf(&sql, " = ?%d", k + 1);
    }
    Error *error = database_prepare(&state->database, text_c(&sql), &state->find);
    text_release(&sql);
    return error ? error : database_prepare(&state->database, "PRAGMA data_version", &state->version);
}

static void close_database(SqliteLookup *state)
{
    sqlite3_finalize(state->find);
    sqlite3_finalize(state->version);
    state->find = state->version = NULL;
    database_close(&state->database);
}

static Error *open_database(Lookup *lookup)
{
    SqliteLookup *state = lookup->state;
    TRY(database_open(&state->database, &state->arena, lookup->context, options_of(lookup), false, false));
    state->data_version = -1;
    return prepare_lookup(lookup);
}

static Error *sqlite_lookup_open(Lookup *lookup)
{
    SqliteLookup *state = mem_calloc(1, sizeof *state);
    lookup->state = state;
    arena_init(&state->arena, NULL);
    for (int g = 0; g < 2; g++)
        arena_init(&state->generations[g].arena, lookup->context->pool);
    for (int v = 0; v < lookup->spec->value_count; v++)
        if (!sqlite_can_read(lookup->spec->value_types[v]))
            return error_new(ERR_UNSUPPORTED, "connector 'sqlite' does not read columns of type %s", type_text(&state->arena, lookup->spec->value_types[v]));
    return open_database(lookup);
}

static void sqlite_lookup_close(Lookup *lookup)
{
    SqliteLookup *state = lookup->state;
    if (!state)
        return;
    close_database(state);
    for (int g = 0; g < 2; g++)
        generation_reset(&state->generations[g]);
    text_release(&state->key);
    text_release(&state->scratch);
    arena_release(&state->arena);
    mem_free(state);
    lookup->state = NULL;
}

/* A database that was replaced by another file (a new copy was moved to its name) is opened anew. */
static Error *sqlite_begin_turn(Lookup *lookup)
{
    SqliteLookup *state = lookup->state;
    if (database_replaced(&state->database, lookup->context)) {
        close_database(state);
        TRY(open_database(lookup));
    }
    int code = sqlite3_step(state->version);
    int64_t version = code == SQLITE_ROW ? sqlite3_column_int64(state->version, 0) : -1;
    sqlite3_reset(state->version);
    if (code != SQLITE_ROW)
        return database_error(&state->database, ERR_IO);
    if (version != state->data_version)
        for (int g = 0; g < 2; g++)
            generation_reset(&state->generations[g]);
    state->data_version = version;
    return NULL;
}

static Error *read_match(Lookup *lookup, Generation *young)
{
    SqliteLookup *state = lookup->state;
    const LookupSpec *spec = lookup->spec;
    reserve_row(young, spec);
    for (int v = 0; v < spec->value_count; v++) {
        Value value;
        const char *reason = NULL;
        if (!sqlite_read(&young->arena, state->find, v, spec->value_types[v], spec->zone, &value, &reason))
            return error_new(ERR_ROW, "'%s', table '%s', column '%s': %s", state->database.path, options_of(lookup)->table, spec->value_columns[v], reason);
        vector_set(&young->arena, young->columns[v], young->row_count, &value);
    }
    young->row_count++;
    return NULL;
}

static Error *step_matches(Lookup *lookup, Generation *young, uint32_t *count)
{
    SqliteLookup *state = lookup->state;
    int code;
    while ((code = sqlite3_step(state->find)) == SQLITE_ROW) {
        TRY(read_match(lookup, young));
        ++*count;
    }
    return code == SQLITE_DONE ? NULL : database_error(&state->database, ERR_IO);
}

static Error *fetch(Lookup *lookup, const Vector *const keys[], uint32_t row, uint64_t hash, Entry **entry)
{
    SqliteLookup *state = lookup->state;
    Generation *young = &state->generations[state->young];
    uint32_t first = young->row_count, count = 0;
    if (!state->in_transaction) {
        TRY(database_run(&state->database, "BEGIN"));
        state->in_transaction = true;
    }
    int code = SQLITE_OK;
    for (int k = 0; k < lookup->spec->key_count && code == SQLITE_OK; k++)
        code = sqlite_bind(state->find, k + 1, keys[k], row, &state->scratch);
    Error *error = code == SQLITE_OK ? NULL : database_error(&state->database, ERR_IO);
    if (!error)
        MEMORY_GUARDED(error, step_matches(lookup, young, &count));
    sqlite3_reset(state->find);
    TRY(error);
    *entry = generation_add(young, hash, &state->key);
    (*entry)->first = first;
    (*entry)->count = count;
    return NULL;
}

/* ---- answering ---- */

/* The key's bytes; false if a part is NULL. */
static bool encode_key(const Lookup *lookup, const Vector *const keys[], uint32_t row, Text *key)
{
    key->length = 0;
    for (int k = 0; k < lookup->spec->key_count; k++) {
        if (vector_is_null(keys[k], row))
            return false;
        uint32_t at = row & vector_mask(keys[k]);
        if (type_physical(keys[k]->type) == PHYSICAL_STR) {
            const Str *str = (const Str *)keys[k]->values + at;
            text_add(key, (const char *)&str->length, sizeof str->length);
            text_add_str(key, str);
        } else {
            size_t width = type_width(keys[k]->type);
            text_add(key, (const char *)keys[k]->values + width * at, width);
        }
    }
    return true;
}

static Error *answer(Lookup *lookup, const Vector *const keys[], uint32_t row, const Entry **answer)
{
    SqliteLookup *state = lookup->state;
    uint64_t hash = hash_bytes(text_c(&state->key), state->key.length);
    Entry *entry = generation_find(&state->generations[state->young], hash, &state->key);
    const Entry *old = entry ? NULL : generation_find(&state->generations[!state->young], hash, &state->key);
    if (old)
        entry = promote(lookup, old, &state->key);
    if (entry) {
        atomic_fetch_add_explicit(&lookup->hits, 1, memory_order_relaxed);
    } else {
        TRY(fetch(lookup, keys, row, hash, &entry));
        atomic_fetch_add_explicit(&lookup->misses, 1, memory_order_relaxed);
    }
    *answer = entry;
    return NULL;
}

typedef struct Matches {
    uint32_t *rows, *places;
    uint32_t count, capacity;
} Matches;

static void add_matches(Arena *arena, Matches *matches, uint32_t row, const Entry *entry)
{
    if (matches->count + entry->count > matches->capacity) {
        uint32_t capacity = (matches->count + entry->count) * 2;
        uint32_t *rows = ARENA_ARRAY(arena, uint32_t, capacity), *places = ARENA_ARRAY(arena, uint32_t, capacity);
        memcpy(rows, matches->rows, sizeof *rows * matches->count);
        memcpy(places, matches->places, sizeof *places * matches->count);
        *matches = (Matches){ rows, places, matches->count, capacity };
    }
    for (uint32_t i = 0; i < entry->count; i++) {
        matches->rows[matches->count] = row;
        matches->places[matches->count++] = entry->first + i;
    }
}

static Error *find_all(Lookup *lookup, Arena *arena, const Vector *const keys[], const Selection *selection, Matches *matches)
{
    SqliteLookup *state = lookup->state;
    for (uint32_t i = 0; i < selection->count; i++) {
        uint32_t row = selection_row(selection, i);
        const Entry *entry = NULL;
        if (encode_key(lookup, keys, row, &state->key))
            TRY(answer(lookup, keys, row, &entry));
        if (entry && entry->count)
            add_matches(arena, matches, row, entry);
        else
            atomic_fetch_add_explicit(&lookup->absent, 1, memory_order_relaxed);
    }
    return NULL;
}

/* Values of a generation live shorter than a batch: long strings are copied. */
static void own_strings(Arena *arena, Vector *vector, uint32_t count)
{
    if (type_physical(vector->type) != PHYSICAL_STR)
        return;
    Str *values = vector->values;
    for (uint32_t i = 0; i < count; i++)
        if (values[i].length > STR_INLINE && !vector_is_null(vector, i))
            values[i].pointer = arena_copy(arena, values[i].pointer, values[i].length);
}

static Error *sqlite_find(Lookup *lookup, Arena *arena, const Vector *const keys[], const Selection *selection,
                          uint32_t **rows, Vector ***values, uint32_t *count)
{
    SqliteLookup *state = lookup->state;
    rotate(lookup);
    uint32_t capacity = selection->count + 1;
    Matches matches = { ARENA_ARRAY(arena, uint32_t, capacity), ARENA_ARRAY(arena, uint32_t, capacity), 0, capacity };
    Error *error;
    MEMORY_GUARDED(error, find_all(lookup, arena, keys, selection, &matches));
    if (state->in_transaction)
        sqlite3_exec(state->database.handle, "COMMIT", NULL, NULL, NULL);
    state->in_transaction = false;
    TRY(error);
    Generation *young = &state->generations[state->young];
    *values = ARENA_ARRAY(arena, Vector *, (size_t)lookup->spec->value_count + 1);
    for (int v = 0; v < lookup->spec->value_count; v++) {
        (*values)[v] = matches.count ? vector_gather(arena, young->columns[v], matches.places, matches.count) : vector_new(arena, lookup->spec->value_types[v], 0);
        own_strings(arena, (*values)[v], matches.count);
    }
    *rows = matches.rows;
    *count = matches.count;
    return NULL;
}

const LookupType sqlite_lookup = {
    .open = sqlite_lookup_open,
    .close = sqlite_lookup_close,
    .begin_turn = sqlite_begin_turn,
    .find = sqlite_find,
};
