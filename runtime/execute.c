/* runtime/execute.c: statements: the catalog changes, queries start and end, and the store knows of it before anybody is told. */
#include <ctype.h>
#include <string.h>

#include "engine/host.h"
#include "engine/mistakes.h"
#include "runtime/execute.h"

/* ---- results ---- */

const char *execution_text(Execution *execution)
{
    const Span at = execution->statement->at;
    return secrets_shown(&execution->scratch, execution->text + at.start, at.length);
}

Error *execution_status(Execution *execution, const char *type, const char *name, const char *action, const char *query_id, const char *message)
{
    const char *text = execution_text(execution);
    RuntimeResult result = { .kind = RESULT_STATUS, .text = text, .length = strlen(text), .entity_type = type,
        .entity_name = name, .action = action, .query_id = query_id, .message = message ? message : "" };
    return execution->output->result ? execution->output->result(execution->output->caller, &result) : NULL;
}

const char *statement_sql(Arena *arena, const AstStatement *statement)
{
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    ast_print_statement(statement, &text);
    const char *copy = arena_strdup(arena, text_c(&text));
    text_release(&text);
    return copy;
}

const char *entity_key(Arena *arena, CatalogSpace space, const char *name)
{
    static const char *const spaces[] = { [SPACE_RELATIONS] = "relation", [SPACE_TYPES] = "type", [SPACE_FUNCTIONS] = "function" };
    return arena_printf(arena, "%s:%s", spaces[space], name);
}

/* ---- entries: what a statement put into the catalog, and how it is taken back ---- */

typedef struct Change {
    CatalogEntry *old, *entry; /* NULL: there was, there is none */
} Change;

static Change entry_before(Execution *execution, const char *name, CatalogSpace space)
{
    Catalog *catalog = execution->runtime->catalog;
    return (Change){ .old = name ? catalog->find(catalog, name, space) : NULL };
}

static void make_channel(Runtime *runtime, const CatalogEntry *entry)
{
    const CatalogRows *rows = !entry || !entry->source ? NULL : entry->source->rows ? entry->source->rows : entry->source->kept;
    if (rows)
        channel_make(runtime->channels, entry->name, &rows->channel, rows->time_column);
    if (rows && entry->source->inserted)
        channel_make(runtime->channels, entry->source->inserted_channel, &entry->source->inserted->channel, entry->source->inserted->time_column);
}

static void remove_channel(Runtime *runtime, const CatalogEntry *entry)
{
    if (!entry->source)
        return;
    channel_remove(runtime->channels, entry->name);
    if (entry->source->inserted)
        channel_remove(runtime->channels, entry->source->inserted_channel);
}

static void take_back(Execution *execution, const Change *change)
{
    Catalog *catalog = execution->runtime->catalog;
    if (!change->entry || change->entry == change->old)
        return;
    remove_channel(execution->runtime, change->entry);
    error_free(change->old ? catalog->put(catalog, change->old) : catalog->remove(catalog, change->entry));
}

static Error *store_statement(Execution *execution, const CatalogEntry *entry, Query *query)
{
    Runtime *runtime = execution->runtime;
    if (!runtime->store || execution->restoring)
        return NULL;
    Arena *arena = &execution->scratch;
    StoredStatement stored = { .sql = statement_sql(arena, entry && entry->pinned && (entry->given ? entry->given : entry->statement) == execution->statement ? entry->pinned : execution->statement), .settings = session_settings_sql(execution->session, arena),
        .entity = entry ? entity_key(arena, catalog_space(entry->kind), entry->name) : NULL, .query_id = query ? query->id : NULL,
        .replaces = execution->statement->kind != AST_STMT_ALTER,
        .state = QUERY_RUNNING, .fingerprint = query ? query->plan->fingerprint : 0, .next_query = runtime->next_query };
    TRY(store_add(runtime->store, &stored));
    if (query) {
        query->seq = stored.seq;
        query->state_stored = true;
    }
    return NULL;
}

/* ---- queries that start ---- */

static const char *new_query_id(Execution *execution, const char *target)
{
    Runtime *runtime = execution->runtime;
    const AstStatement *statement = execution->statement;
    if (execution->restoring)
        return execution->restoring->query_id;
    for (int i = 0; i < statement->properties.count; i++)
        if (option_name_equal(statement->properties.items[i].name, "query_id"))
            return statement->properties.items[i].value;
    if (execution->session->query_id && statement->kind != AST_STMT_CREATE_AS)
        return execution->session->query_id;
    unsigned long long number = (unsigned long long)runtime->next_query++;
    if (!statement->create)
        return arena_printf(&execution->scratch, "INSERTQUERY_%llu", number);
    char *name = arena_strdup(&execution->scratch, target);
    for (char *c = name; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    const char *made_by = statement->kind == AST_STMT_CREATE_SOURCE ? "CST" : statement->create->object == AST_OBJECT_TABLE ? "CTAS" : "CSAS";
    return arena_printf(&execution->scratch, "%s_%s_%llu", made_by, name, number);
}

/* Would the rows that it writes come back to it? */
static bool leads_to(Runtime *runtime, const Query *from, const Query *target, int depth)
{
    if (query_feeds(from, target))
        return true;
    for (const Query *query = runtime->queries; query && depth < 64; query = query->next)
        if (query_feeds(from, query) && leads_to(runtime, query, target, depth + 1))
            return true;
    return false;
}

static Error *check_query(Execution *execution, const Query *query)
{
    Runtime *runtime = execution->runtime;
    Span at = execution->statement->at;
    if (runtime->persistent_count >= runtime->options.max_queries)
        return error_hint(error_at(ERR_UNSUPPORTED, at, "%d queries run already: that is the limit", runtime->persistent_count), "TERMINATE one first");
    if (query_find(runtime, query->id))
        return error_at(ERR_BIND, at, "there is a query '%s' already", query->id);
    if (leads_to(runtime, query, query, 0))
        return error_at(ERR_BIND, at, "the query would read what it writes into '%s'", query->sink);
    return NULL;
}

/* Makes the query of the pending job and opens it; it is not known to anybody yet. */
static Error *open_query(Execution *execution, const char *target, Query **result)
{
    Runtime *runtime = execution->runtime;
    if (execution->restoring && (!execution->restoring->query_id || execution->restoring->state == QUERY_TERMINATED))
        return NULL; /* its stream or table is there, the query is not */
    Arena *arena = mem_calloc(1, sizeof *arena);
    arena_init(arena, &runtime->pool);
    Plan *plan = NULL;
    Error *error = NULL;
    MEMORY_GUARDED(error, planner_job(runtime->planner, arena, &plan));
    if (error) {
        arena_release(arena);
        mem_free(arena);
        return error;
    }
    Query *query = query_new(runtime, arena, plan, new_query_id(execution, target), statement_sql(&execution->scratch, execution->statement), true);
    query->defines = execution->statement->create != NULL;
    query->keeps = execution->statement->kind == AST_STMT_CREATE_SOURCE;
    error = check_query(execution, query);
    if (!error && !execution->restoring)
        error = query_open(query, true);
    if (error) {
        if (!error->at.length)
            error->at = execution->statement->at;
        query_release(query);
        return error;
    }
    *result = query;
    return NULL;
}

static void begin_query(Execution *execution, Query *query)
{
    LIST_ADD(&execution->scratch, &execution->started, query);
    query_retain(query);
    query_link(query);
    if (!execution->restoring)
        runtime_event(execution->runtime, query->id, "started", "%s", query->sql);
}

void end_query(Query *query)
{
    task_stop(query);
    error_free(query_close(query));
    query_set_state(query, QUERY_TERMINATED, NULL);
    runtime_event(query->runtime, query->id, "terminated", "%s", "");
    query_unlink(query);
    query_release(query);
}

/* Push queries over a stream or table that is gone end, and say so. */
static void end_readers(Runtime *runtime, const char *name)
{
    for (Query *query = runtime->queries; query; query = query->next) {
        if (query->persistent || query->over || !query_reads(query, name))
            continue;
        task_stop(query);
        error_free(query_close(query));
        query_set_state(query, QUERY_TERMINATED, NULL);
        feed_end(query, error_new(ERR_CONNECT, "'%s' is gone", name));
    }
}

static bool makes(const Query *query, const char *name) { return query->defines && query->sink && name_equal(query->sink, name); }
static bool writes(const Query *query, const char *name) { return !query->defines && query->sink && name_equal(query->sink, name); }

/* CREATE OR REPLACE: the query of before ends; who reads it would lose its place. */
static Error *check_replaced(Execution *execution, const CatalogEntry *old)
{
    const char *name = old ? old->name : NULL;
    for (const Query *query = execution->runtime->queries; old && query; query = query->next)
        if (query->persistent && !makes(query, name) && (query_reads(query, name) || writes(query, name)))
            return error_hint(error_at(ERR_BIND, execution->statement->create->name.at, "'%s' is %s by the query %s", name, writes(query, name) ? "written" : "read", query->id), "TERMINATE %s first", query->id);
    return NULL;
}

static const char *create_name(const Execution *execution)
{
    return execution->statement->create ? execution->statement->create->name.text : NULL;
}

static Error *finish_create(Execution *execution, PlannedStatement *planned, Change *change, Query **query)
{
    Runtime *runtime = execution->runtime;
    make_channel(runtime, change->entry);
    if (!execution->restoring)
        TRY(change_topics(execution, planned));
    if (planned->kind == PLANNED_JOB_PART)
        TRY(open_query(execution, change->entry->name, query));
    return store_statement(execution, change->entry, *query);
}

static Error *execute_create(Execution *execution, PlannedStatement *planned, Change *change)
{
    Runtime *runtime = execution->runtime;
    Catalog *catalog = runtime->catalog;
    const AstCreate *create = execution->statement->create;
    Query *query = NULL, *former = change->old ? query_of_entity(runtime, change->old->name) : NULL;
    CatalogSpace space = create->object == AST_OBJECT_TYPE ? SPACE_TYPES : create->object == AST_OBJECT_FUNCTION ? SPACE_FUNCTIONS : SPACE_RELATIONS;
    change->entry = catalog->find(catalog, create->name.text, space);
    if (change->entry == change->old) /* IF NOT EXISTS */
        return execution_status(execution, catalog_kind_name(change->entry->kind), change->entry->name, "create", NULL, planned->message);
    Error *error;
    MEMORY_GUARDED(error, finish_create(execution, planned, change, &query));
    if (error) {
        planner_job_clear(runtime->planner);
        take_back(execution, change);
        make_channel(runtime, change->old);
        query_release(query);
        return error;
    }
    if (former)
        end_query(former);
    if (change->old)
        end_readers(runtime, change->old->name);
    if (query)
        begin_query(execution, query);
    return execution_status(execution, catalog_kind_name(change->entry->kind), change->entry->name, "create", query ? query->id : NULL, planned->message);
}

static Error *execute_insert(Execution *execution)
{
    Query *query = NULL;
    const AstName *target = execution->statement->kind == AST_STMT_QUERY ? ast_query_into(execution->statement->query) : &execution->statement->name;
    TRY(open_query(execution, target && target->text ? target->text : "", &query));
    if (!query)
        return NULL;
    Error *error;
    MEMORY_GUARDED(error, store_statement(execution, NULL, query));
    if (error) {
        query_release(query);
        return error;
    }
    begin_query(execution, query);
    return execution_status(execution, "query", query->id, "insert", query->id, arena_printf(&execution->scratch, "query '%s' created", query->id));
}

/* ---- DROP, ALTER ---- */

static Error *check_drop(Execution *execution, const CatalogEntry *entry)
{
    Span at = execution->statement->name.at;
    if (entry->of_server)
        return error_at(ERR_BIND, at, "'%s' belongs to the server: it stays", entry->name);
    for (const Query *query = execution->runtime->queries; query; query = query->next) {
        const bool reads = query_reads(query, entry->name);
        if (query->persistent && !makes(query, entry->name) && (writes(query, entry->name) || reads))
            return error_hint(error_at(ERR_BIND, at, "'%s' is %s by the query %s", entry->name, reads ? "read" : "written", query->id), "TERMINATE %s first", query->id);
    }
    return NULL;
}

static Error *execute_drop(Execution *execution)
{
    Runtime *runtime = execution->runtime;
    Catalog *catalog = runtime->catalog;
    const AstStatement *statement = execution->statement;
    CatalogSpace space = statement->object == AST_OBJECT_TYPE ? SPACE_TYPES : statement->object == AST_OBJECT_FUNCTION ? SPACE_FUNCTIONS : SPACE_RELATIONS;
    CatalogEntry *entry = catalog->find(catalog, statement->name.text, space);
    PlannedStatement planned = { 0 };
    if (entry && space == SPACE_RELATIONS)
        TRY(check_drop(execution, entry));
    TRY(planner_statement(runtime->planner, &execution->scratch, statement, &planned));
    const char *type = entry ? catalog_kind_name(entry->kind) : NULL, *name = entry ? entry->name : statement->name.text;
    if (!entry || catalog->find(catalog, statement->name.text, space) == entry)
        return execution_status(execution, type, name, "drop", NULL, planned.message);
    Query *query = space == SPACE_RELATIONS ? query_of_entity(runtime, entry->name) : NULL;
    if (runtime->store) {
        Error *error = store_remove(runtime->store, entity_key(&execution->scratch, space, entry->name), query ? query->id : NULL);
        if (error) {
            error_free(catalog->put(catalog, entry));
            return error;
        }
    }
    if (query)
        end_query(query);
    remove_channel(runtime, entry);
    if (space == SPACE_RELATIONS)
        end_readers(runtime, entry->name);
    TRY(change_topics(execution, &planned));
    return execution_status(execution, type, name, "drop", NULL, planned.message);
}

static Error *execute_alter(Execution *execution, const PlannedStatement *planned, Change *change)
{
    Catalog *catalog = execution->runtime->catalog;
    change->entry = catalog->find(catalog, execution->statement->name.text, SPACE_RELATIONS);
    bool readers = false;
    for (const Query *query = execution->runtime->queries; query && change->entry->source && change->entry->source->rows; query = query->next)
        readers |= query_reads(query, change->entry->name) || (query->sink && name_equal(query->sink, change->entry->name));
    const bool kept = change->entry->source && change->entry->source->inserted;
    Error *error = readers ? error_hint(error_at(ERR_BIND, execution->statement->name.at, "queries read or write '%s': its columns stay while they run", change->entry->name),
                                        kept ? "CREATE OR REPLACE TABLE, and insert its rows again" : "TERMINATE them first")
                           : store_statement(execution, change->entry, NULL);
    if (error) {
        error_free(catalog->put(catalog, change->old));
        return error;
    }
    make_channel(execution->runtime, change->entry);
    return execution_status(execution, catalog_kind_name(change->entry->kind), change->entry->name, "alter", NULL, planned->message);
}

/* ---- one statement ---- */

/* It is the caller's to run. */
static Error *hand_on(Execution *execution, RuntimeResultKind kind, const char *name)
{
    const char *text = execution_text(execution);
    RuntimeResult result = { .kind = kind, .text = text, .length = strlen(text), .entity_name = name };
    return execution->output->result ? execution->output->result(execution->output->caller, &result) : NULL;
}

static Error *execute_planned(Execution *execution, PlannedStatement *planned, Change *change)
{
    const AstStatement *statement = execution->statement;
    switch (planned->kind) {
    case PLANNED_JOB_PART:
    case PLANNED_DONE:
        if (statement->create)
            return execute_create(execution, planned, change);
        if (statement->kind == AST_STMT_ALTER)
            return execute_alter(execution, planned, change);
        if (planned->kind == PLANNED_DONE)
            return execution_status(execution, NULL, NULL, NULL, NULL, planned->message);
        return statement->kind == AST_STMT_INSERT_VALUES ? execute_values(execution) : execute_insert(execution);
    case PLANNED_ROWS:
        return show_rows(execution, &planned->rows);
    case PLANNED_SETTING:
        if (planned->setting.all)
            execution->session->names.count = execution->session->values.count = 0;
        else
            TRY(session_setting(execution->session, planned->setting.name, planned->setting.value, planned->setting.name_at, planned->setting.value_at));
        return execution_status(execution, "setting", planned->setting.name, "set", NULL, "");
    case PLANNED_VARIABLE:
        runtime_session_variable(execution->session, planned->variable.name, planned->variable.value);
        return execution_status(execution, "variable", planned->variable.name, "set", NULL, "");
    case PLANNED_TOPICS:
        if (planned->topics.kind == TOPICS_PRINT)
            return hand_on(execution, execution->session->host ? RESULT_HOSTED : RESULT_SELECT, NULL);
        return execute_topics(execution, planned);
    case PLANNED_SHOW:
        return show_own(execution, planned->show);
    case PLANNED_QUERY:
    case PLANNED_QUESTION:
        if (execution->session->host)
            return hand_on(execution, RESULT_HOSTED, NULL);
        if (planned->analyze || planned->kind == PLANNED_QUESTION)
            return execute_analyze(execution, planned, planned->kind == PLANNED_QUESTION);
        break;
    case PLANNED_ASSERTION:
        if (execution->session->host)
            return hand_on(execution, RESULT_HOSTED, NULL);
        return error_at(ERR_UNSUPPORTED, statement->at, "ASSERT VALUES is for scripts: a server's queries go on");
    case PLANNED_SCRIPT:
        if (execution->session->host)
            return hand_on(execution, RESULT_SCRIPT, planned->path);
        return error_at(ERR_UNSUPPORTED, statement->at, "a server runs no script files: send it their statements");
    case PLANNED_AFTER_JOB:
        break;
    }
    return error_new(ERR_INTERNAL, "a job is pending that nobody has started");
}

static Error *execute_statement(Execution *execution)
{
    Runtime *runtime = execution->runtime;
    const AstStatement *statement = execution->statement;
    if (statement->kind == AST_STMT_QUERY && !ast_query_into(statement->query))
        return hand_on(execution, execution->session->host ? RESULT_HOSTED : RESULT_SELECT, NULL);
    if (statement->kind == AST_STMT_TERMINATE || statement->kind == AST_STMT_PAUSE || statement->kind == AST_STMT_RESUME)
        return execute_verb(execution);
    if (statement->kind == AST_STMT_EXPLAIN && !statement->explained)
        return show_query(execution);
    if (statement->kind == AST_STMT_DROP)
        return execute_drop(execution);
    const char *name = statement->kind == AST_STMT_ALTER ? statement->name.text : create_name(execution);
    CatalogSpace space = statement->create && statement->create->object == AST_OBJECT_TYPE ? SPACE_TYPES
                       : statement->create && statement->create->object == AST_OBJECT_FUNCTION ? SPACE_FUNCTIONS : SPACE_RELATIONS;
    Change change = entry_before(execution, name, space);
    if (statement->create && statement->create->or_replace && space == SPACE_RELATIONS && !execution->restoring)
        TRY(check_replaced(execution, change.old));
    PlannedStatement planned = { 0 };
    TRY(planner_statement(runtime->planner, &execution->scratch, statement, &planned));
    Error *error = execute_planned(execution, &planned, &change);
    planner_job_clear(runtime->planner);
    return error;
}

/* ---- a text ---- */

static void free_planner(void *planner) { planner_free(planner); }

static Error *check_setting(Execution *execution, const PlannedStatement *planned)
{
    if (planned->setting.name && session_owns_setting(planned->setting.name))
        return NULL;
    if (execution->session->hosted)
        return session_check_setting(execution->session->hosted, &execution->scratch, planned);
    return planned->setting.known || planned->setting.all ? NULL : session_no_setting(execution->session, planned->setting.name, planned->setting.name_at);
}

static Error *check_statement(Execution *execution, Planner *planner, const AstStatement *statement)
{
    PlannedStatement planned = { 0 };
    Plan *plan = NULL;
    TRY(planner_statement(planner, &execution->scratch, statement, &planned));
    if (planned.kind == PLANNED_SETTING)
        return check_setting(execution, &planned);
    return planned.kind == PLANNED_JOB_PART ? planner_job(planner, &execution->scratch, &plan) : NULL;
}

/* They name queries, and these are there or not when it comes to it. */
static bool is_about_query(const AstStatement *statement)
{
    return statement->kind == AST_STMT_TERMINATE || statement->kind == AST_STMT_PAUSE || statement->kind == AST_STMT_RESUME || (statement->kind == AST_STMT_EXPLAIN && !statement->explained);
}

/* Tries every statement without running anything: all mistakes that do not follow from one another, with those of what does not parse. */
static Error *check_text(Execution *execution, const AstScript *script, Error *unparsed, Span *failed)
{
    Planner *planner = planner_copy(execution->runtime->planner);
    MEMORY_HOLD(free_planner, planner);
    Error *errors = NULL;
    MEMORY_HOLD(error_unwind, &errors);
    Mistakes mistakes = { .arena = &execution->scratch };
    const bool whole = !unparsed || mistakes_note_unparsed(&mistakes, script, execution->text, execution->length, unparsed);
    for (int i = 0; i < script->statement_count && whole; i++) {
        const AstStatement *statement = script->statements[i];
        Error *error = is_about_query(statement) ? NULL : check_statement(execution, planner, statement);
        planner_job_clear(planner);
        if (error && !failed->length && !unparsed)
            *failed = statement->at;
        if (error && mistakes_note(&mistakes, statement))
            errors = error_append(errors, error);
        else
            error_free(error);
    }
    planner_free(planner);
    return errors_in_order(unparsed, errors);
}

/* Trees that the catalog points to live as long as it does. */
static Error *new_text(Runtime *runtime, Arena **tree)
{
    LIST_ADD(&runtime->arena, &runtime->texts, NULL);
    *tree = runtime->texts.items[runtime->texts.count - 1] = mem_calloc(1, sizeof **tree);
    arena_init(*tree, NULL);
    return NULL;
}

static void forget_text(Runtime *runtime, Arena *tree)
{
    int at = runtime->texts.count - 1;
    while (runtime->texts.items[at] != tree) /* others may have come meanwhile */
        at--;
    runtime->texts.items[at] = runtime->texts.items[--runtime->texts.count];
    arena_release(tree);
    mem_free(tree);
}

static Error *execute_script(Execution *execution, Arena *tree, bool check_only, Span *failed)
{
    AstScript script = { 0 };
    Error *error = runtime_session_parse(execution->session, tree, execution->text, execution->length, &script);
    if (error && (error->code != ERR_PARSE || script.statement_count == 0))
        return error;
    Error *begun = session_begin(execution->session);
    if (begun) {
        error_free(error);
        return begun;
    }
    planner_begin_text(execution->runtime->planner);
    if (error || check_only || script.statement_count > 1)
        TRY(check_text(execution, &script, error, failed));
    for (int i = 0; i < script.statement_count && !check_only; i++) {
        execution->statement = script.statements[i];
        execution->runtime->metrics.statements++;
        TraceScope scope;
        TraceSpan *span = trace_statement(execution, &scope);
        MEMORY_GUARDED(error, execute_statement(execution));
        trace_end_with(span, &scope, error);
        if (error) {
            *failed = script.statements[i]->at;
            return error;
        }
    }
    return NULL;
}

Error *execute_text(Execution *execution, bool check_only, Span *failed)
{
    Runtime *runtime = execution->runtime;
    Arena *tree = NULL;
    Error *error;
    MEMORY_GUARDED(error, new_text(runtime, &tree));
    if (error)
        return error;
    uint64_t changes = runtime->catalog->changes;
    arena_init(&execution->scratch, NULL);
    MEMORY_GUARDED(error, execute_script(execution, tree, check_only, failed));
    for (int i = 0; i < execution->started.count; i++) {
        Query *query = execution->started.items[i];
        if (query->state == QUERY_RUNNING && query->job && !execution->restoring)
            task_start(query);
        query_release(query);
    }
    arena_release(&execution->scratch);
    if (runtime->catalog->changes == changes)
        forget_text(runtime, tree);
    else
        runtime->epoch++;
    return error;
}

Error *runtime_execute(RuntimeSession *session, const char *text, size_t length, bool check_only, const RuntimeOutput *output, Span *failed)
{
    Runtime *runtime = session->runtime;
    Span nowhere = SPAN_NONE;
    Execution execution = { .runtime = runtime, .session = session, .text = text, .length = length, .output = output };
    pthread_mutex_lock(&runtime->control);
    Error *error = execute_text(&execution, check_only, failed ? failed : &nowhere);
    pthread_mutex_unlock(&runtime->control);
    return error;
}
