/* runtime/maintain.c: what happens beside the queries' turns: failures, restarts, ends, checkpoints.
 *
 * A query that fails stops alone. If what happened may pass by, it starts again after a while, from its last snapshot and with it the queries that it is
 * linked with by channels, as none of them knows what the others have seen since. */
#include "runtime/processing_log.h"

/* ---- failures and ends ---- */

static void give_up(Query *query, const Error *error)
{
    error_free(query_close(query));
    query_set_state(query, QUERY_ERROR, error->message);
    runtime_event(query->runtime, query->id, "error", "%s", error->message);
    query->runtime->metrics.failures++;
}

static int64_t rest_us(const Runtime *runtime, int failures)
{
    int64_t rest = runtime->options.retry_first_us;
    for (int i = 1; i < failures && rest < runtime->options.retry_last_us; i++)
        rest *= 2;
    return rest < runtime->options.retry_last_us ? rest : runtime->options.retry_last_us;
}

void query_fail(Query *query, Error *error)
{
    Runtime *runtime = query->runtime;
    if (!query->persistent) {
        error_free(query_close(query));
        query_set_state(query, QUERY_ERROR, error->message);
        processing_log_event(runtime, query->id, "ERROR", "error", error->message);
        feed_end(query, error);
        return;
    }
    if (!error->retriable || ++query->failures >= runtime->options.retry_count) {
        give_up(query, error);
    } else {
        error_free(query_close(query));
        query_set_state(query, query->state == QUERY_PAUSED ? QUERY_PAUSED : QUERY_RUNNING, error->message);
        query->retry_us = runtime_now(runtime) + rest_us(runtime, query->failures);
        runtime_event(runtime, query->id, "failed", "%s", error->message);
    }
    error_free(error);
}

static void handle_end(Query *query)
{
    task_lock(query); /* what a table holds stays to be read */
    Error *error = query->job && job_table(query->job) >= 0 ? job_retire(query->job) : NULL;
    bool keeps = query->job && job_table(query->job) >= 0;
    query->ended = false;
    task_unlock(query);
    if (!error && !keeps)
        error = query_close(query);
    if (error) {
        query_fail(query, error);
        return;
    }
    query_set_state(query, QUERY_COMPLETED, NULL);
    query->uncovered = query->runtime->checkpoints != NULL;
    if (query->defines) /* so has the stream that it made, and with it the input of those who read that */
        channel_end(query->runtime->channels, query->sink);
    runtime_event(query->runtime, query->id, "completed", "its input has ended");
    if (!query->persistent)
        feed_end(query, NULL);
}

/* ---- restarts ---- */

/* From its last snapshot, if there is one. */
static Error *reopen(Query *query)
{
    query->recovered = false;
    query->opened_again = true;
    if (!query->runtime->checkpoints)
        return query_open(query, true);
    TRY(query_open(query, false));
    return checkpoint_restore(query, &query->recovered);
}

/* Those that were running go back to where they were together. */
static void restart_group(Runtime *runtime, Query *failed)
{
    Arena arena;
    Query **group;
    arena_init(&arena, NULL);
    MEMORY_HOLD(arena_unwind, &arena);
    int count = query_group(runtime, failed, &arena, &group);
    bool *again = ARENA_ARRAY(&arena, bool, (size_t)count + 1);
    for (int i = 0; i < count; i++) {
        again[i] = group[i] == failed || group[i]->uncovered || (runtime->checkpoints && (group[i]->state == QUERY_RUNNING || group[i]->state == QUERY_PAUSED));
        if (!again[i])
            continue;
        if (group[i]->uncovered)
            query_set_state(group[i], QUERY_RUNNING, NULL);
        group[i]->uncovered = false;
        task_stop(group[i]);
        error_free(query_close(group[i]));
    }
    for (int i = count; i-- > 0;) { /* who reads is there before rows come */
        if (!again[i])
            continue;
        Error *error = reopen(group[i]);
        if (error)
            query_fail(group[i], error);
    }
    for (int i = 0; i < count; i++)
        if (again[i] && group[i]->job && group[i]->state == QUERY_RUNNING) {
            Error *error = runtime->checkpoints && !group[i]->recovered ? query_feed(group[i]) : NULL;
            if (error)
                query_fail(group[i], error);
            else
                task_start(group[i]);
        }
    arena_release(&arena);
}

static void start_again(Runtime *runtime, Query *query)
{
    TraceScope scope;
    TraceSpan *span = trace_query(query, "query restart", &scope);
    query->retry_us = TIME_MAX;
    query->restarts++;
    trace_number(span, "bidsql.query.attempt", query->failures);
    trace_text(span, "bidsql.query.failure", query->reason);
    runtime_event(runtime, query->id, "restarts", "attempt %d", query->failures);
    restart_group(runtime, query);
    trace_end(span, &scope);
}

/* ---- the round ---- */

static void look_after(Runtime *runtime, Query *query)
{
    pthread_mutex_lock(&runtime->tasks);
    bool trouble = query->in_trouble;
    Error *error = query->failure;
    query->in_trouble = false;
    query->failure = NULL;
    pthread_mutex_unlock(&runtime->tasks);
    if (trouble)
        task_stop(query);
    if (trouble && error)
        query_fail(query, error);
    else if (trouble && query->state != QUERY_COMPLETED)
        handle_end(query);
    if (query->retry_us <= runtime_now(runtime) && query->state == QUERY_RUNNING)
        start_again(runtime, query);
}

static Error *maintain_queries(Runtime *runtime)
{
    for (Query *query = runtime->queries, *next; query; query = next) {
        next = query->next;
        look_after(runtime, query);
        if (query->uncovered)
            continue;
        if (query->persistent && !query->state_stored && runtime->store)
            TRY(store_state(runtime->store, query));
        query->state_stored = true;
    }
    return NULL;
}

static Error *maintain_checkpoints(Runtime *runtime, int64_t now_us)
{
    if (!runtime->checkpoints || runtime->next_checkpoint_us > now_us)
        return NULL;
    return checkpoints_take(runtime);
}

static void report(Runtime *runtime, const char *what, Error *error)
{
    if (error)
        runtime_event(runtime, NULL, what, "%s", error->message);
    error_free(error);
}

int64_t maintain(Runtime *runtime)
{
    Error *error;
    int64_t now_us = runtime_now(runtime), next_us = TIME_MAX;
    pthread_mutex_lock(&runtime->control);
    MEMORY_GUARDED(error, maintain_queries(runtime));
    report(runtime, "catalog failed", error);
    MEMORY_GUARDED(error, maintain_checkpoints(runtime, now_us));
    report(runtime, "checkpoint failed", error);
    if (runtime->next_checkpoint_us <= now_us)
        runtime->next_checkpoint_us = runtime_now(runtime) + runtime->options.checkpoint_interval_us;
    next_us = share_join(runtime);
    const int64_t log_us = processing_log_flush(runtime);
    next_us = log_us < next_us ? log_us : next_us;
    for (const Query *query = runtime->queries; query; query = query->next)
        next_us = query->state == QUERY_RUNNING && query->retry_us < next_us ? query->retry_us : next_us;
    pthread_mutex_unlock(&runtime->control);
    return next_us;
}
