/* runtime/analyze.c: EXPLAIN ANALYZE SELECT ..: the query is run on the caller's thread for a while, its rows are dropped, and what its operators did is told.
 * EXPLAIN WHY NO OUTPUT: the same over what is there now, up to the first row; without one it is told where the rows went.
 *
 * Nothing is locked meanwhile but for opening it. Input that does not end, or takes too long, is read for as long as 'explain.analyze.time' says. */
#include <string.h>

#include "engine/status.h"
#include "runtime/execute.h"

#define ANALYSES_MOST 4        /* at once */
#define LOOK_MS 100            /* so often it is looked whether everything is to end */
#define TURNS 16

typedef struct Analysis {
    Runtime *runtime;
    const Plan *plan;
    Query *query;
    bool why, answered;      /* WHY NO OUTPUT; a row came out */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool woken;
    int64_t start_us, end_us;
    Text text;
} Analysis;

static Error *drop_rows(void *caller, int output, const Batch *batch)
{
    Analysis *analysis = caller;
    (void)output, (void)batch;
    analysis->answered = true;
    return analysis->why ? error_new(ERR_CLOSED, "a row came out") : NULL;
}

static void wake(void *caller)
{
    Analysis *analysis = caller;
    pthread_mutex_lock(&analysis->lock);
    analysis->woken = true;
    pthread_cond_signal(&analysis->changed);
    pthread_mutex_unlock(&analysis->lock);
}

static Error *open_query(Analysis *analysis, const JobOptions *options, bool with_tables)
{
    Runtime *runtime = analysis->runtime;
    Arena *arena = mem_calloc(1, sizeof *arena);
    arena_init(arena, NULL);
    analysis->query = query_new(runtime, arena, analysis->plan, arena_printf(arena, "transient_%llu", (unsigned long long)++runtime->next_push), "", false);
    analysis->query->hosted = options;
    return query_open(analysis->query, with_tables);
}

/* ---- running ---- */

static void wait_until(Analysis *analysis, int64_t until_us, int64_t now_us)
{
    const int64_t wait_us = until_us - now_us < LOOK_MS * 1000 ? until_us - now_us : LOOK_MS * 1000;
    struct timespec when;
    clock_gettime(CLOCK_MONOTONIC, &when);
    when.tv_nsec += wait_us > 0 ? wait_us * 1000 : 0;
    when.tv_sec += when.tv_nsec / 1000000000;
    when.tv_nsec %= 1000000000;
    pthread_mutex_lock(&analysis->lock);
    while (!analysis->woken && pthread_cond_timedwait(&analysis->changed, &analysis->lock, &when) == 0)
        ;
    analysis->woken = false;
    pthread_mutex_unlock(&analysis->lock);
}

/* Until it ends, its time is over, or, without threads that could bring anything, there is nothing to do. */
static Error *run(Analysis *analysis)
{
    Runtime *runtime = analysis->runtime;
    for (;;) {
        JobStep step;
        TRY(job_step(analysis->query->job, TURNS, &step));
        const int64_t now_us = runtime_now(runtime);
        if (step.state == JOB_ENDED || now_us >= analysis->end_us || runtime->interrupted)
            return NULL;
        if (step.state == JOB_WAITING && runtime->options.threads == 0)
            return NULL;
        if (step.state == JOB_WAITING)
            wait_until(analysis, step.until_us < analysis->end_us ? step.until_us : analysis->end_us, now_us);
    }
}

static Error *run_and_tell(Analysis *analysis)
{
    Error *error = run(analysis);
    if (error && !(analysis->why && error->code == ERR_CLOSED))
        return error;
    error_free(error);
    if (analysis->why) {
        why_print(analysis->plan, analysis->query->job, analysis->answered, &analysis->runtime->pool, &analysis->text);
        return NULL;
    }
    const int64_t now_us = runtime_now(analysis->runtime);
    analysis_print(analysis->plan, analysis->query->job, now_us - analysis->start_us, &analysis->text);
    if (now_us >= analysis->end_us && analysis->plan->bounded)
        text_add_c(&analysis->text, "its time was over before its input had ended: see 'explain.analyze.time'\n");
    return NULL;
}

/* ---- the statement ---- */

static Error *analyze(Analysis *analysis, Execution *execution)
{
    Runtime *runtime = analysis->runtime;
    const RuntimeSession *session = execution->session;
    const JobOptions options = { .clock = runtime->options.clock, .filesystem = runtime->options.sql_filesystem, .pool = &runtime->pool, .threads = 1,
        .memory_limit_bytes = runtime->options.query_memory_limit_bytes, .max_bad_rows = runtime->options.max_bad_rows, .base_directory = runtime->options.base_directory,
        .topics = runtime->options.topics, .profile = true, .until_quiet = analysis->why && !analysis->plan->bounded, .on_rows = drop_rows, .on_wake = wake, .caller = analysis };
    TRY(open_query(analysis, &options, analysis->why || analysis->plan->bounded || !session->from_now));
    analysis->start_us = runtime_now(runtime);
    analysis->end_us = analysis->start_us + (session->analyze_us ? session->analyze_us : ANALYZE_US);
    Error *error;
    pthread_mutex_unlock(&runtime->control);
    MEMORY_GUARDED(error, run_and_tell(analysis));
    pthread_mutex_lock(&runtime->control);
    return error;
}

static bool writes(const Plan *plan)
{
    for (int o = 0; o < plan->output_count; o++)
        if (plan->outputs[o].sink->sink.connector)
            return true;
    return false;
}

Error *execute_analyze(Execution *execution, const PlannedStatement *planned, bool why)
{
    Runtime *runtime = execution->runtime;
    const Span at = execution->statement->at;
    if (writes(planned->plan))
        return error_hint(error_at(ERR_UNSUPPORTED, at, "a server runs no query that writes to explain it"), "EXPLAIN ANALYZE and the query's id: what it has done so far");
    if (atomic_fetch_add(&runtime->analyses, 1) >= ANALYSES_MOST) {
        runtime->analyses--;
        return error_at(ERR_UNSUPPORTED, at, "%d queries are run to be explained already: that is the limit", ANALYSES_MOST);
    }
    Analysis analysis = { .runtime = runtime, .plan = planned->plan, .why = why };
    pthread_condattr_t monotonic;
    pthread_mutex_init(&analysis.lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&analysis.changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    Error *error;
    MEMORY_GUARDED(error, analyze(&analysis, execution));
    query_release(analysis.query); /* closes its job */
    pthread_cond_destroy(&analysis.changed);
    pthread_mutex_destroy(&analysis.lock);
    runtime->analyses--;
    if (!error)
        MEMORY_GUARDED(error, show_lines(execution, text_c(&analysis.text), NULL));
    text_release(&analysis.text);
    TRY(error);
    return session_begin(execution->session);
}
