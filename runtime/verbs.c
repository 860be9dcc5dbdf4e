/* runtime/verbs.c: TERMINATE, PAUSE, RESUME. */
#include "runtime/execute.h"

static Error *no_query(Execution *execution, const char *id)
{
    Runtime *runtime = execution->runtime;
    int count = 0;
    const char **names = ARENA_ARRAY(&execution->scratch, const char *, (size_t)runtime->persistent_count + (size_t)runtime->push_count + 1);
    for (const Query *query = runtime->queries; query; query = query->next)
        names[count++] = query->id;
    return error_suggest(error_at(ERR_BIND, execution->statement->name.at, "no query '%s'", id), id, names, count);
}

/* What it gave to others is in their snapshots before it is gone: after a crash nobody would give it again. */
static Error *cover(Query *query)
{
    Runtime *runtime = query->runtime;
    bool read = false;
    for (const Query *each = runtime->queries; each && query->sink; each = each->next)
        read |= each->persistent && query_reads(each, query->sink);
    if (!read || !runtime->checkpoints)
        return NULL;
    task_stop(query);
    Error *error = checkpoints_take(runtime);
    if (error && query->state == QUERY_RUNNING && query->job)
        task_start(query);
    return error;
}

static Error *terminate(Execution *execution, Query *query)
{
    Runtime *runtime = execution->runtime;
    const char *id = arena_strdup(&execution->scratch, query->id);
    if (!query->persistent) { /* its subscribers hold it until they have read the end */
        print_stop(query);
        task_stop(query);
        error_free(query_close(query));
        query_set_state(query, QUERY_TERMINATED, NULL);
        feed_end(query, NULL);
    } else {
        if (query->keeps)
            return error_hint(error_at(ERR_BIND, execution->statement->name.at, "the query %s is a part of the table '%s'", query->id, query->sink), "DROP TABLE %s", query->sink);
        TRY(cover(query));
        if (runtime->store)
            TRY(store_terminate(runtime->store, query->id));
        end_query(query);
    }
    return execution_status(execution, "query", id, "terminate", id, arena_printf(&execution->scratch, "query '%s' terminated", id));
}

/* One of several that read a query. */
static Error *end_subscription(Execution *execution, Subscription *subscription)
{
    const char *id = arena_strdup(&execution->scratch, subscription->id);
    feed_close(subscription);
    return execution_status(execution, "query", id, "terminate", id, arena_printf(&execution->scratch, "query '%s' terminated", id));
}

static Error *set_state(Execution *execution, Query *query, QueryState state)
{
    query_set_state(query, state, query->reason ? arena_strdup(&execution->scratch, query->reason) : NULL);
    if (execution->runtime->store)
        TRY(store_state(execution->runtime->store, query));
    query->state_stored = true;
    return NULL;
}

static Error *pause(Execution *execution, Query *query)
{
    if (query->state == QUERY_RUNNING) {
        TRY(set_state(execution, query, QUERY_PAUSED));
        task_stop(query);
    } else if (query->state != QUERY_PAUSED) {
        return error_at(ERR_BIND, execution->statement->name.at, "the query '%s' is in state %s: there is nothing to pause", query->id, query_state_name(query->state));
    }
    return execution_status(execution, "query", query->id, "pause", query->id, arena_printf(&execution->scratch, "query '%s' paused", query->id));
}

static Error *resume(Execution *execution, Query *query)
{
    if (query->state == QUERY_ERROR && query->channel_count)
        return error_hint(error_at(ERR_BIND, execution->statement->name.at, "the query '%s' has failed, and '%s' has gone on without it", query->id, query->channels[0]),
                          "TERMINATE it and create it anew");
    if (query->state == QUERY_ERROR && !query->plan)
        return error_at(ERR_BIND, execution->statement->name.at, "the query '%s' does not plan any more: %s", query->id, query->reason ? query->reason : "");
    if (query->state == QUERY_ERROR) {
        TRY(set_state(execution, query, QUERY_RUNNING));
        query->failures = 0;
        query->retry_us = runtime_now(execution->runtime);
        tasks_wake_maintenance(execution->runtime);
    } else if (query->state == QUERY_PAUSED) {
        TRY(set_state(execution, query, QUERY_RUNNING));
        if (query->job)
            task_start(query);
        else
            tasks_wake_maintenance(execution->runtime); /* it was resting after a failure */
    } else if (query->state != QUERY_RUNNING) {
        return error_at(ERR_BIND, execution->statement->name.at, "the query '%s' is in state %s: it does not run again", query->id, query_state_name(query->state));
    }
    return execution_status(execution, "query", query->id, "resume", query->id, arena_printf(&execution->scratch, "query '%s' resumed", query->id));
}

static Error *act(Execution *execution, Query *query)
{
    switch (execution->statement->kind) {
    case AST_STMT_TERMINATE: return terminate(execution, query);
    case AST_STMT_PAUSE: return pause(execution, query);
    default: return resume(execution, query);
    }
}

/* PAUSE ALL and RESUME ALL leave alone what cannot. */
static bool concerned(const Execution *execution, const Query *query)
{
    switch (execution->statement->kind) {
    case AST_STMT_TERMINATE: return !query->keeps;
    case AST_STMT_PAUSE: return query->state == QUERY_RUNNING;
    default: return query->state == QUERY_PAUSED;
    }
}

Error *execute_verb(Execution *execution)
{
    Runtime *runtime = execution->runtime;
    const AstStatement *statement = execution->statement;
    if (!statement->all) {
        Query *query = query_find(runtime, statement->name.text);
        Subscription *one = query || statement->kind != AST_STMT_TERMINATE ? NULL : feed_find(runtime, statement->name.text);
        if (one)
            return end_subscription(execution, one);
        return query ? act(execution, query) : no_query(execution, statement->name.text);
    }
    for (Query *query = runtime->queries, *next; query; query = next) {
        next = query->next;
        if (query->persistent && concerned(execution, query))
            TRY(act(execution, query));
    }
    return NULL;
}
