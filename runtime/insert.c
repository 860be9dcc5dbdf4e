/* runtime/insert.c: INSERT INTO .. VALUES: at once, on the caller's thread.
 *
 * A table of the process that INSERT INTO fills has a query of its own that keeps its rows. Who has inserted finds the row there as soon as he is told; with a data directory the row is there
 * after a crash, too: the statement is stored until a snapshot of the table holds what it gave, and done again if none does. Where values would be others
 * the next time (DEFAULT CURRENT_TIMESTAMP), a snapshot is taken at once. */
#include <string.h>

#include "runtime/execute.h"

static Error *run_values(Runtime *runtime, const Plan *plan)
{
    ChannelPort port = { .channels = runtime->channels };
    JobOptions options = { .clock = runtime->options.clock, .filesystem = runtime->options.sql_filesystem, .pool = &runtime->pool, .threads = 1,
        .max_bad_rows = UINT64_MAX, .base_directory = runtime->options.base_directory, .topics = runtime->options.topics, .process = &port };
    Job *job;
    TRY(job_open(plan, &options, &job));
    Error *error = job_run(job), *closed = job_close(job);
    if (!error)
        return closed;
    error_free(closed);
    return error;
}

static Error *insert_rows(Execution *execution, const Plan *plan)
{
    Runtime *runtime = execution->runtime;
    Error *error;
    pthread_mutex_unlock(&runtime->control); /* whatever takes the rows may take its time */
    MEMORY_GUARDED(error, run_values(runtime, plan));
    pthread_mutex_lock(&runtime->control);
    return error;
}

/* ---- tables ---- */

static bool is_volatile(const Expr *expr)
{
    bool found = expr->kind == EXPR_CALL && expr->function->is_volatile;
    for (int i = 0; i < expr->arg_count && !found; i++)
        found = is_volatile(expr->args[i]);
    return found;
}

/* Would it give other values the next time? The time at which rows came, which does not show, is not counted. */
static bool gives_others(const Plan *plan)
{
    for (int n = 0; n < plan->node_count; n++) {
        const PlanNode *node = plan->nodes[n];
        for (int i = 0; node->kind == PLAN_PROJECT && i < node->schema.column_count; i++)
            if (!node->schema.columns[i].hidden && node->project.exprs[i]->kind != EXPR_COLUMN && is_volatile(node->project.exprs[i]))
                return true;
    }
    return false;
}

static Error *put_aside(Execution *execution, const Query *keeper, int64_t *seq)
{
    Runtime *runtime = execution->runtime;
    Arena *arena = &execution->scratch;
    *seq = execution->restoring ? execution->restoring->seq : 0;
    if (!runtime->store || execution->restoring)
        return NULL;
    StoredStatement stored = { .sql = statement_sql(arena, execution->statement), .settings = session_settings_sql(execution->session, arena), .entity = entity_key(arena, SPACE_RELATIONS, keeper->sink) };
    TRY(store_insert(runtime->store, &stored));
    *seq = stored.seq;
    return NULL;
}

/* The snapshots of the table hold it from now on. */
static Error *note_written(Query *keeper, int64_t seq)
{
    keeper->written = mem_grow(keeper->written, &keeper->written_capacity, keeper->written_count + 1, sizeof *keeper->written);
    keeper->written[keeper->written_count++] = seq;
    return NULL;
}

static Error *insert_kept(Execution *execution, const Plan *plan, Query *keeper)
{
    Runtime *runtime = execution->runtime;
    int64_t seq = 0;
    Error *error, *noted = NULL;
    if (!keeper->job)
        return error_new(ERR_CONNECT, "'%s' takes no rows now: its query %s is in state %s", keeper->sink, keeper->id, query_state_name(keeper->state));
    MEMORY_GUARDED(error, put_aside(execution, keeper, &seq));
    if (!error)
        error = insert_rows(execution, plan);
    if (error && seq && !execution->restoring)
        error_free(store_insert_forget(runtime->store, &seq, 1));
    if (error)
        return error;
    if (seq)
        MEMORY_GUARDED(noted, note_written(keeper, seq));
    query_work_off(keeper);
    if (!noted && seq && !execution->restoring && gives_others(plan))
        noted = checkpoints_take(runtime);
    return noted;
}

/* One statement after the other, so that they are done again in the order in which they were done. */
static Error *insert_in_order(Execution *execution, const Plan *plan, Query *keeper)
{
    Runtime *runtime = execution->runtime;
    query_retain(keeper);
    pthread_mutex_unlock(&runtime->control);
    pthread_mutex_lock(&keeper->inserting);
    pthread_mutex_lock(&runtime->control);
    Error *error = insert_kept(execution, plan, keeper);
    pthread_mutex_unlock(&keeper->inserting);
    query_release(keeper);
    return error;
}

Error *execute_values(Execution *execution)
{
    Runtime *runtime = execution->runtime;
    Plan *plan = NULL;
    TRY(planner_job(runtime->planner, &execution->scratch, &plan));
    const CatalogEntry *entry = planner_entry(runtime->planner, execution->statement->name.text);
    Query *keeper = entry && entry->source && entry->source->inserted ? query_of_entity(runtime, entry->name) : NULL;
    const char *type = entry ? catalog_kind_name(entry->kind) : "stream";
    Error *error = keeper ? insert_in_order(execution, plan, keeper) : insert_rows(execution, plan);
    if (error) {
        if (!error->at.length)
            error->at = execution->statement->at;
        return error;
    }
    TRY(session_begin(execution->session));
    return execution_status(execution, type, execution->statement->name.text, "insert", NULL, "");
}
