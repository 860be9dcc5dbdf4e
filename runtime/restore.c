/* runtime/restore.c: after a start: the statements of before are done again, then queries go on from their snapshots. */
#include <string.h>

#include "runtime/execute.h"

static Error *set_up(RuntimeSession *session, const char *settings)
{
    AstScript script = { 0 };
    TRY(runtime_session_parse(session, &session->arena, settings, strlen(settings), &script));
    TRY(session_begin(session));
    for (int i = 0; i < script.statement_count; i++) {
        const AstProperties *set = &script.statements[i]->properties;
        if (set->count)
            TRY(session_setting(session, set->items[0].name, set->items[0].value, SPAN_NONE, SPAN_NONE));
    }
    return NULL;
}

/* A query that does not plan any more is there all the same, and says why. */
static Error *keep_broken(Runtime *runtime, const StoredStatement *stored, const Error *why)
{
    Arena *arena = mem_calloc(1, sizeof *arena);
    arena_init(arena, NULL);
    Query *query = query_new(runtime, arena, NULL, stored->query_id, stored->sql, true);
    query_set_state(query, QUERY_ERROR, why->message);
    query_link(query);
    return NULL;
}

static Error *do_again(Runtime *runtime, const StoredStatement *stored)
{
    RuntimeSession session = { .runtime = runtime };
    RuntimeOutput nowhere = { 0 };
    Span failed = SPAN_NONE;
    Execution execution = { .runtime = runtime, .session = &session, .text = stored->sql, .length = strlen(stored->sql), .output = &nowhere, .restoring = stored };
    arena_init(&session.arena, NULL);
    Error *error;
    MEMORY_GUARDED(error, set_up(&session, stored->settings));
    if (!error)
        error = execute_text(&execution, false, &failed);
    arena_release(&session.arena);
    if (!error)
        return NULL;
    arena_init(&session.arena, NULL);
    runtime_event(runtime, stored->query_id, "error", "'%s' cannot be done again: %s", secrets_shown(&session.arena, stored->sql, strlen(stored->sql)), error->message);
    arena_release(&session.arena);
    Error *kept = NULL;
    if (stored->query_id && stored->state != QUERY_TERMINATED)
        kept = keep_broken(runtime, stored, error);
    error_free(error);
    return kept;
}

/* ---- queries ---- */

static const StoredStatement *stored_of(const StoredStatement *statements, int count, const Query *query)
{
    for (int i = 0; i < count; i++)
        if (statements[i].query_id && statements[i].state != QUERY_TERMINATED && strcmp(statements[i].query_id, query->id) == 0)
            return &statements[i];
    return NULL;
}

static Error *bring_back(Query *query, const StoredStatement *stored)
{
    if (stored->fingerprint != query->plan->fingerprint)
        return error_new(ERR_UNSUPPORTED, "the query is planned otherwise than when it was made: its state does not fit. TERMINATE it and create it anew");
    query->opened_again = true;
    TRY(query_open(query, false));
    return checkpoint_restore(query, &query->recovered);
}

/* What may pass by (a broker that is away just now) is tried again, as while queries run. */
static void refuse(Query *query, Error *error)
{
    if (!error)
        return;
    if (error->retriable && query->state != QUERY_COMPLETED) {
        query_fail(query, error);
        tasks_wake_maintenance(query->runtime);
        return;
    }
    runtime_event(query->runtime, query->id, "error", "%s", error->message);
    error_free(query_close(query));
    query_set_state(query, QUERY_ERROR, error->message);
    error_free(error);
}

static void open_stored(Query *query, const StoredStatement *stored)
{
    query->seq = stored->seq;
    query_set_state(query, stored->state, stored->reason);
    query->state_stored = true;
    if (stored->state == QUERY_RUNNING || stored->state == QUERY_PAUSED || (stored->state == QUERY_COMPLETED && plan_keeps_table(query->plan)))
        refuse(query, bring_back(query, stored));
}

static void start_stored(Query *query)
{
    if (query->job && query->state != QUERY_COMPLETED && !query->recovered)
        refuse(query, query_feed(query)); /* it had not come so far as to have a snapshot */
    if (query->job && query->state == QUERY_RUNNING)
        task_start(query);
    if (query->state == QUERY_COMPLETED && query->job)
        error_free(job_retire(query->job));
    if (query->state == QUERY_COMPLETED && query->defines && query->sink)
        channel_end(query->runtime->channels, query->sink);
    if (query->recovered)
        runtime_event(query->runtime, query->id, "restored", "from snapshot %llu", (unsigned long long)query->checkpoint);
}

/* What was inserted into tables and is in no snapshot. */
static Error *insert_again(Runtime *runtime, Arena *arena)
{
    StoredStatement *inserts = NULL;
    int count = 0;
    Error *error = store_insert_list(runtime->store, arena, &inserts, &count);
    for (int i = 0; i < count && !error; i++)
        error = do_again(runtime, &inserts[i]);
    return error;
}

Error *runtime_restore(Runtime *runtime)
{
    Arena arena;
    arena_init(&arena, NULL);
    MEMORY_HOLD(arena_unwind, &arena);
    StoredStatement *statements = NULL;
    int count = 0;
    TraceScope scope;
    TraceSpan *span = trace_begin(runtime->options.tracer, "restore", &scope);
    Error *error = store_list(runtime->store, &arena, &statements, &count, &runtime->next_query);
    for (int i = 0; i < count && !error; i++)
        error = do_again(runtime, &statements[i]);
    for (Query *query = runtime->queries; query && !error; query = query->next)
        if (query->plan)
            open_stored(query, stored_of(statements, count, query));
    for (Query *query = runtime->queries; query && !error; query = query->next)
        start_stored(query);
    if (!error)
        error = insert_again(runtime, &arena);
    trace_number(span, "bidsql.restore.statements", count);
    trace_end_with(span, &scope, error);
    arena_release(&arena);
    return error;
}
