/* runtime/prepared.c: pull queries by key that were asked before with another key: SELECT n FROM counts WHERE auction = 7 after .. = 5.
 *
 * The text with its literals taken out names what was learned the first time: which literal is which column of the key, and where the result's columns
 * stand in the table's rows. The next time nothing is parsed or planned. What is learned holds for one state of the catalog and one set of settings; a
 * text with anything unusual in it (comments, variables, other literals) is not learned. */
#include <ctype.h>
#include <string.h>

#include "common/hash.h"
#include "runtime/prepared.h"

#define LITERALS_MAX 8
#define TEXT_MAX 1024
#define PLACES 1024

typedef struct Literals {
    char text[TEXT_MAX];     /* with ? for each literal */
    size_t length;
    char bytes[TEXT_MAX];    /* of the literals, each ended by a 0 */
    struct { const char *text; bool quoted; } items[LITERALS_MAX];
    int count;
} Literals;

typedef struct Prepared {
    char *text;
    uint64_t settings, epoch;
    Query *query;            /* that keeps the table; a reference of ours */
    int *literal_of_key;     /* for each column of the key */
    int *columns;            /* of the result in the table's rows */
    int literal_count;
    Arena arena;
    QueryHeader header;
    atomic_int references;
} Prepared;

struct PreparedQueries {
    pthread_mutex_t lock;
    Prepared *places[PLACES];
};

/* ---- literals ---- */

static bool is_word(char c) { return isalnum((unsigned char)c) || c == '_' || c == '$' || (unsigned char)c >= 0x80; }

/* What stands between quotes; false: it does not end. */
static bool take_quoted(const char *text, size_t length, size_t *at, char **bytes)
{
    char quote = text[(*at)++];
    while (*at < length) {
        if (text[*at] == quote && *at + 1 < length && text[*at + 1] == quote)
            (*at)++;
        else if (text[*at] == quote)
            break;
        *(*bytes)++ = text[(*at)++];
    }
    *(*bytes)++ = 0;
    return (*at)++ < length;
}

/* False: this text is not for here. */
static bool take_literals(const char *text, size_t length, Literals *literals)
{
    char *bytes = literals->bytes;
    literals->length = 0;
    literals->count = 0;
    if (length + LITERALS_MAX >= TEXT_MAX)
        return false;
    for (size_t at = 0; at < length;) {
        char c = text[at];
        bool begins = at == 0 || !is_word(text[at - 1]);
        if (c == '`' || c == '"' || c == '[' || c == '{' || (c == '-' && at + 1 < length && text[at + 1] == '-') || (c == '/' && at + 1 < length && text[at + 1] == '*'))
            return false;
        bool literal = c == '\'' || (isdigit((unsigned char)c) && begins);
        if (!literal) {
            literals->text[literals->length++] = text[at++];
            continue;
        }
        if (literals->count == LITERALS_MAX)
            return false;
        literals->items[literals->count].text = bytes;
        literals->items[literals->count++].quoted = c == '\'';
        if (c == '\'' && !take_quoted(text, length, &at, &bytes))
            return false;
        for (; c != '\'' && at < length && (is_word(text[at]) || text[at] == '.'); at++)
            *bytes++ = text[at];
        *bytes++ = 0;
        literals->text[literals->length++] = '?';
    }
    return literals->count > 0;
}

static bool literal_value(Arena *arena, const Literals *literals, int number, const Type *type, Value *value)
{
    if (literals->items[number].quoted != (type->kind == TYPE_VARCHAR) || type->kind == TYPE_BOOLEAN)
        return false;
    return key_literal(arena, type, literals->items[number].text, value);
}

/* ---- what is known ---- */

PreparedQueries *prepared_new(void)
{
    PreparedQueries *prepared = mem_calloc(1, sizeof *prepared);
    pthread_mutex_init(&prepared->lock, NULL);
    return prepared;
}

static void prepared_release(Prepared *one)
{
    if (!one || atomic_fetch_sub(&one->references, 1) != 1)
        return;
    query_release(one->query);
    arena_release(&one->arena);
    mem_free(one);
}

void prepared_free(PreparedQueries *prepared)
{
    if (!prepared)
        return;
    prepared_forget(prepared);
    pthread_mutex_destroy(&prepared->lock);
    mem_free(prepared);
}

void prepared_forget(PreparedQueries *prepared)
{
    for (int i = 0; prepared && i < PLACES; i++) {
        pthread_mutex_lock(&prepared->lock);
        Prepared *one = prepared->places[i];
        prepared->places[i] = NULL;
        pthread_mutex_unlock(&prepared->lock);
        prepared_release(one);
    }
}

static uint64_t settings_of(const RuntimeSession *session)
{
    uint64_t hash = 1;
    for (int i = 0; i < session->names.count; i++) {
        const char *value = session->values.items[i] ? session->values.items[i] : "";
        hash = hash_combine(hash, checksum_bytes(session->names.items[i], strlen(session->names.items[i])));
        hash = hash_combine(hash, checksum_bytes(value, strlen(value)));
    }
    return hash;
}

static size_t place_of(const Literals *literals) { return checksum_bytes(literals->text, literals->length) % PLACES; }

static Prepared *find(RuntimeSession *session, const Literals *literals)
{
    PreparedQueries *prepared = session->runtime->prepared;
    uint64_t settings = settings_of(session);
    pthread_mutex_lock(&prepared->lock);
    Prepared *one = prepared->places[place_of(literals)];
    bool same = one && one->settings == settings && one->epoch == session->runtime->epoch && strlen(one->text) == literals->length &&
                memcmp(one->text, literals->text, literals->length) == 0;
    if (same)
        atomic_fetch_add(&one->references, 1);
    pthread_mutex_unlock(&prepared->lock);
    return same ? one : NULL;
}

/* ---- asking again ---- */

static Error *find_row(Prepared *one, const Literals *literals, Batch **row, bool *answered)
{
    Query *query = one->query;
    Arena arena;
    arena_init(&arena, NULL);
    MEMORY_HOLD(arena_unwind, &arena);
    Error *error = NULL;
    int output = query->job ? job_table(query->job) : -1;
    *answered = output >= 0;
    if (*answered) {
        const PlanNode *sink = query->plan->outputs[output].sink;
        Value *key = ARENA_ARRAY(&arena, Value, (size_t)sink->sink.table_key_count + 1);
        for (int k = 0; k < sink->sink.table_key_count && *answered; k++)
            *answered = literal_value(&arena, literals, one->literal_of_key[k], sink->schema.columns[sink->sink.table_keys[k]].type, &key[k]);
        if (*answered)
            error = job_table_find(query->job, output, key, row);
    }
    arena_release(&arena);
    return error;
}

static Error *give_row(const Prepared *one, Batch *row, const QueryOptions *options)
{
    if (options->begin)
        TRY(options->begin(options->caller, &one->header));
    if (!row || !options->rows)
        return NULL;
    Batch *result = batch_new(NULL, one->header.schema->column_count);
    MEMORY_HOLD(batch_unwind, &result);
    for (int i = 0; i < result->column_count; i++)
        result->columns[i] = row->columns[one->columns[i]];
    result->row_count = result->selection.count = row->row_count;
    batch_hold_batch(result, row);
    Error *error = options->rows(options->caller, result);
    batch_release(result);
    return error;
}

Error *prepared_answer(RuntimeSession *session, const char *text, size_t length, const QueryOptions *options, bool *answered)
{
    Literals literals;
    *answered = false;
    if (session->variables.count || !take_literals(text, length, &literals))
        return NULL;
    Prepared *one = find(session, &literals);
    if (!one)
        return NULL;
    Batch *row = NULL;
    Error *error;
    task_lock(one->query);
    MEMORY_GUARDED(error, find_row(one, &literals, &row, answered));
    task_unlock(one->query);
    if (!error && *answered)
        MEMORY_GUARDED(error, give_row(one, row, options));
    batch_release(row);
    prepared_release(one);
    return error;
}

/* ---- learning ---- */

/* Where the result's columns stand in the table's rows; false: they are computed, or there is more to the plan. */
static bool trace_columns(const Plan *plan, const PlanNode *scan, const PlanNode *table, int *columns)
{
    const PlanNode *node = plan->outputs[0].sink;
    for (int i = 0; i < node->schema.column_count; i++)
        columns[i] = i;
    int count = node->schema.column_count;
    for (node = node->inputs[0].node; node != scan; node = node->inputs[0].node) {
        if ((node->kind != PLAN_FILTER && node->kind != PLAN_PROJECT) || node->input_count != 1)
            return false;
        for (int i = 0; node->kind == PLAN_PROJECT && i < count; i++) {
            const Expr *expr = node->project.exprs[columns[i]];
            if (expr->kind != EXPR_COLUMN)
                return false;
            columns[i] = expr->column;
        }
    }
    for (int i = 0; i < count; i++) {
        const char *name = scan->scan.columns[columns[i]].path[0];
        int at = 0;
        while (at < table->schema.column_count && strcmp(table->schema.columns[at].name, name) != 0)
            at++;
        if (at == table->schema.column_count)
            return false;
        columns[i] = at;
    }
    return true;
}

/* Which literal is which column of the key; false: it is not clear. */
static bool match_literals(Arena *arena, const Literals *literals, const PlanNode *table, const Value *key, int *literal_of_key)
{
    bool used[LITERALS_MAX] = { false };
    if (literals->count != table->sink.table_key_count)
        return false;
    for (int k = 0; k < table->sink.table_key_count; k++) {
        int matches = 0;
        for (int i = 0; i < literals->count; i++) {
            Value value;
            const Type *type = table->schema.columns[table->sink.table_keys[k]].type;
            if (literal_value(arena, literals, i, type, &value) && value_equal(&value, &key[k])) {
                literal_of_key[k] = i;
                matches++;
            }
        }
        if (matches != 1 || used[literal_of_key[k]])
            return false;
        used[literal_of_key[k]] = true;
    }
    return true;
}

static bool learn(RuntimeSession *session, const Literals *literals, const Query *pulled, Prepared *one)
{
    const Plan *plan = pulled->plan;
    Query *maker = pulled->channel_count == 1 && pulled->source_count == 1 ? query_of_entity(session->runtime, pulled->channels[0]) : NULL;
    const PlanNode *table = maker && maker->job && job_table(maker->job) >= 0 ? maker->plan->outputs[job_table(maker->job)].sink : NULL;
    PointKeys keys;
    if (!table || plan->output_count != 1 || !point_keys(plan, pulled->channels[0], table, &one->arena, &keys) || !keys.whole || keys.count != 1 || !point_is_all(plan, pulled->channels[0], table))
        return false;
    one->literal_of_key = ARENA_ARRAY(&one->arena, int, (size_t)table->sink.table_key_count + 1);
    one->columns = ARENA_ARRAY(&one->arena, int, (size_t)pulled->schema.column_count + 1);
    if (!match_literals(&one->arena, literals, table, keys.keys[0], one->literal_of_key) || !trace_columns(plan, point_scan(plan, pulled->channels[0]), table, one->columns))
        return false;
    one->text = arena_strndup(&one->arena, literals->text, literals->length);
    one->header = (QueryHeader){ .id = arena_strdup(&one->arena, pulled->id), .schema = schema_copy(&one->arena, &pulled->schema) };
    one->settings = settings_of(session);
    one->epoch = session->runtime->epoch;
    one->query = maker;
    query_retain(maker);
    return true;
}

Error *prepared_learn(RuntimeSession *session, const char *text, size_t length, const Query *pulled)
{
    Literals literals;
    if (session->variables.count || !take_literals(text, length, &literals))
        return NULL;
    Prepared *one = mem_calloc(1, sizeof *one);
    one->references = 1;
    arena_init(&one->arena, NULL);
    if (!learn(session, &literals, pulled, one)) {
        arena_release(&one->arena);
        mem_free(one);
        return NULL;
    }
    PreparedQueries *prepared = session->runtime->prepared;
    pthread_mutex_lock(&prepared->lock);
    Prepared *former = prepared->places[place_of(&literals)];
    prepared->places[place_of(&literals)] = one;
    pthread_mutex_unlock(&prepared->lock);
    prepared_release(former);
    return NULL;
}
