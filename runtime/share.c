/* runtime/share.c: push queries that many ask for cost one job.
 *
 * Two queries of the same text and settings that have the same rows before them and hold the same state give the same from then on. So a newcomer joins a query
 * that runs already
 *   at once, where each row of the result depends on one row of the input alone and only what comes from now on is asked for;
 *   else when it has caught up: it begins with a query of its own, which gives what was there before (rows of a topic, what a table holds), and when that one stands
 *   where the other does, its subscribers move over, and it ends.
 * Where what a query has seen makes a difference for as long as it runs (a count of what has come since it began), the two never stand together, and both go on. */
#include <string.h>

#include "runtime/execute.h"
#include "runtime/processing_log.h"

#define TWIN_REST_US 50000        /* between two looks, at first.. */
#define TWIN_REST_MAX_US 10000000 /* ..and at last */

/* ---- what is asked for ---- */

/* Does each row of the result depend on one row of the input? */
static bool is_plain(const PlanNode *node)
{
    switch (node->kind) {
    case PLAN_SCAN: return !node->scan.bounded;
    case PLAN_WATERMARK: case PLAN_FILTER: case PLAN_PROJECT: case PLAN_UNNEST: case PLAN_LOOKUP: case PLAN_SINK: return true;
    default: return false;
    }
}

static bool holds_rows(const Runtime *runtime, const char *stream)
{
    for (const Query *maker = runtime->queries; maker; maker = maker->next)
        if (maker->defines && maker->sink && name_equal(maker->sink, stream))
            return maker->plan && plan_keeps_table(maker->plan);
    return processing_log_owns(runtime, stream);
}

/* Does it give only what comes after it was opened? */
static bool begins_now(const Runtime *runtime, const PlanNode *scan, bool from_now)
{
    if (scan->scan.connector == &process_connector)
        return from_now || !holds_rows(runtime, ((const ProcessOptions *)scan->scan.connector_options)->stream);
    return connector_reads_new(scan->scan.connector, scan->scan.connector_options);
}

void share_prepare(Query *query, RuntimeSession *session, const AstStatement *statement)
{
    const Plan *plan = query->plan;
    query->share_key = arena_printf(query->arena, "%016llx\n%s%s", (unsigned long long)plan->fingerprint, session_settings_sql(session, query->arena), statement_sql(query->arena, statement));
    query->joins_now = true;
    for (int n = 0; n < plan->node_count; n++) {
        const PlanNode *node = plan->nodes[n];
        query->joins_now &= is_plain(node) && (node->kind != PLAN_SCAN || begins_now(query->runtime, node, session->from_now));
    }
}

static bool is_twin(const Query *query, const Query *other)
{
    return other != query && other->share_key && !other->over && strcmp(other->share_key, query->share_key) == 0;
}

Query *share_find(Query *query)
{
    for (Query *other = query->runtime->queries; other && query->joins_now; other = other->next)
        if (is_twin(query, other) && other->joins_now)
            return other;
    return NULL;
}

void share_announce(Query *query)
{
    pthread_mutex_lock(&query->runtime->tasks);
    for (Query *other = query->runtime->queries; other; other = other->next)
        if (is_twin(query, other))
            query->has_twin = other->has_twin = true;
    pthread_mutex_unlock(&query->runtime->tasks);
}

/* ---- joining ---- */

static Error *compare(const Query *query, const Query *other, bool *same)
{
    *same = job_same_place(query->job, other->job);
    return NULL;
}

/* The subscribers of the first go on with the second. False: they do not stand together. */
static bool join(Query *query, Query *other)
{
    bool same = false;
    Error *error = NULL;
    Query *first = (uintptr_t)query < (uintptr_t)other ? query : other; /* always in the same order */
    task_lock(first);
    task_lock(first == query ? other : query);
    if (query->job && other->job && !query->ended && !other->ended)
        MEMORY_GUARDED(error, compare(query, other, &same));
    if (same)
        feed_move(query, other);
    task_unlock(first == query ? other : query);
    task_unlock(first);
    error_free(error);
    return same;
}

/* Looks at every query of its kind: it is gone, then, or it looks again after a while. */
static void find_twin(Query *query)
{
    bool any = false;
    for (Query *other = query->runtime->queries; other; other = other->next) {
        if (!is_twin(query, other))
            continue;
        any = true;
        if (!join(query, other))
            continue;
        feed_end_query(query);
        return;
    }
    pthread_mutex_lock(&query->runtime->tasks);
    query->twin_rest_us = query->twin_rest_us ? query->twin_rest_us * 2 : TWIN_REST_US;
    query->twin_rest_us = query->twin_rest_us < TWIN_REST_MAX_US ? query->twin_rest_us : TWIN_REST_MAX_US;
    query->twin_us = runtime_now(query->runtime) + query->twin_rest_us;
    query->has_twin = any;
    pthread_mutex_unlock(&query->runtime->tasks);
}

int64_t share_join(Runtime *runtime)
{
    int64_t next_us = TIME_MAX;
    for (Query *query = runtime->queries, *next; query; query = next) {
        next = query->next;
        pthread_mutex_lock(&runtime->tasks);
        bool wants = query->wants_twin && !query->in_trouble && !query->over, due = wants && query->twin_us <= runtime_now(runtime);
        query->wants_twin = wants && !due;
        if (wants && !due && query->twin_us < next_us)
            next_us = query->twin_us;
        pthread_mutex_unlock(&runtime->tasks);
        if (due)
            find_twin(query);
    }
    return next_us;
}
