/* runtime/tasks.c: threads, and whose turn it is.
 *
 * A query's job is a task: ready when it may do a turn. Deficit round robin by the CPU time of the thread: whoever used more than its share in one round
 * has less in the next, so a query with dear turns gets no more than one with cheap ones. A task that waits holds no thread. */
#include <stdlib.h>
#include <time.h>

#include "runtime/runtime_internal.h"

#define QUANTUM_NS 2000000          /* of CPU time a round */

static int64_t cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* ---- the queue; under tasks ---- */

static void push_ready(Query *query)
{
    Runtime *runtime = query->runtime;
    query->task = TASK_READY;
    query->woken = false;
    query->next_ready = NULL;
    if (runtime->ready_last)
        runtime->ready_last->next_ready = query;
    else
        runtime->ready_first = query;
    runtime->ready_last = query;
    pthread_cond_signal(&runtime->changed);
}

static Query *pop_ready(Runtime *runtime)
{
    Query *query = runtime->ready_first;
    if (!query)
        return NULL;
    runtime->ready_first = query->next_ready;
    if (!runtime->ready_first)
        runtime->ready_last = NULL;
    query->next_ready = NULL;
    return query;
}

static void remove_ready(Query *query)
{
    Runtime *runtime = query->runtime;
    Query *before = NULL;
    for (Query *at = runtime->ready_first; at && at != query; at = at->next_ready)
        before = at;
    if (before)
        before->next_ready = query->next_ready;
    else
        runtime->ready_first = query->next_ready;
    if (runtime->ready_last == query)
        runtime->ready_last = before;
    query->next_ready = NULL;
}

static void be_idle(Query *query, int64_t until_us)
{
    query->task = TASK_IDLE;
    query->until_us = until_us;
    query->deficit_ns = 0;
    if (until_us < query->runtime->next_timer_us)
        query->runtime->next_timer_us = until_us;
}

/* Idle queries whose time has come. The list of queries is stable: it changes only while no task of the query exists. */
static void look_at_timers(Runtime *runtime, int64_t now_us)
{
    if (now_us < runtime->next_timer_us)
        return;
    runtime->next_timer_us = TIME_MAX;
    for (Query *query = runtime->queries; query; query = query->next) {
        if (query->task != TASK_IDLE)
            continue;
        if (query->until_us <= now_us)
            push_ready(query);
        else if (query->until_us < runtime->next_timer_us)
            runtime->next_timer_us = query->until_us;
    }
}

/* ---- one task's go ---- */

typedef struct Go {
    bool ended;
    Error *error;
    JobStep step;
    int64_t used_ns;
} Go;

/* Steps the job until its share is used up, it has nothing to do, or somebody else wants it. */
static void run_go(Query *query, int64_t share_ns, Go *go)
{
    int64_t start_ns = cpu_ns();
    *go = (Go){ .step = { .state = JOB_WAITING, .until_us = TIME_MAX } };
    pthread_mutex_lock(&query->step);
    while (query->job && go->used_ns < share_ns) {
        if (query->share_key && feed_is_full(query)) { /* its only reader has enough for now */
            go->step = (JobStep){ .state = JOB_WAITING, .until_us = TIME_MAX, .sinks_busy = true };
            break;
        }
        go->error = step_traced(query, &go->step);
        query->ended = go->ended = go->error || go->step.state == JOB_ENDED;
        go->used_ns = cpu_ns() - start_ns;
        if (go->ended || go->step.state == JOB_WAITING || query->waiting)
            break;
    }
    query_note(query);
    if (query->share_key)
        feed_note_losses(query);
    pthread_mutex_unlock(&query->step);
}

/* It has nothing to do: perhaps it stands where another query of its kind does. */
static void look_for_twin(Query *query)
{
    Runtime *runtime = query->runtime;
    query->wants_twin = true;
    if (query->twin_us < runtime->next_retry_us)
        runtime->next_retry_us = query->twin_us;
    pthread_cond_signal(&runtime->changed);
}

/* After its go; under tasks. */
static void settle(Query *query, Go *go)
{
    Runtime *runtime = query->runtime;
    query->deficit_ns -= go->used_ns;
    query->info.busy_ns += go->used_ns;
    query->info.sinks_busy = go->step.state == JOB_WAITING && go->step.sinks_busy;
    if (go->ended) {
        query->task = TASK_OFF;
        query->in_trouble = runtime->trouble = true;
        query->failure = go->error;
        pthread_cond_broadcast(&runtime->changed);
    } else if (go->step.state == JOB_WAITING && !query->woken) {
        be_idle(query, go->step.until_us);
        if (query->has_twin)
            look_for_twin(query);
    } else {
        push_ready(query);
    }
}

/* Lets the first ready query run. Called with tasks held; false: none is ready. */
static bool run_one(Runtime *runtime)
{
    Query *query = pop_ready(runtime);
    Go go;
    if (!query)
        return false;
    query->task = TASK_RUNNING;
    query->woken = false;
    query->deficit_ns += QUANTUM_NS;
    int64_t share_ns = query->deficit_ns;
    pthread_mutex_unlock(&runtime->tasks);
    if (share_ns > 0)
        run_go(query, share_ns, &go);
    else
        go = (Go){ .step.state = JOB_READY }; /* it still owes what it used before */
    pthread_mutex_lock(&runtime->tasks);
    settle(query, &go);
    if (query->task == TASK_OFF || query->waiting)
        pthread_cond_broadcast(&runtime->changed);
    return true;
}

/* ---- threads ---- */

static int64_t maintenance_due(const Runtime *runtime)
{
    int64_t due_us = runtime->trouble ? TIME_MIN : runtime->next_retry_us;
    if (runtime->checkpoints && runtime->next_checkpoint_us < due_us)
        due_us = runtime->next_checkpoint_us;
    return due_us;
}

/* One thread at a time looks after what is not a query's turn. Called with tasks held. */
static bool run_maintenance(Runtime *runtime, int64_t now_us)
{
    if (runtime->maintaining || maintenance_due(runtime) > now_us)
        return false;
    runtime->maintaining = true;
    runtime->trouble = false;
    runtime->next_retry_us = TIME_MAX; /* what is said meanwhile counts, too */
    pthread_mutex_unlock(&runtime->tasks);
    int64_t next_us = maintain(runtime);
    pthread_mutex_lock(&runtime->tasks);
    runtime->next_retry_us = next_us < runtime->next_retry_us ? next_us : runtime->next_retry_us;
    runtime->maintaining = false;
    pthread_cond_broadcast(&runtime->changed);
    return true;
}

/* At most so long; the clock may be set meanwhile. */
static void wait_changed(Runtime *runtime, int64_t wait_us)
{
    struct timespec when;
    clock_gettime(CLOCK_MONOTONIC, &when);
    wait_us = wait_us < 60000000 ? wait_us : 60000000;
    when.tv_sec += wait_us / 1000000;
    when.tv_nsec += wait_us % 1000000 * 1000;
    if (when.tv_nsec >= 1000000000) {
        when.tv_nsec -= 1000000000;
        when.tv_sec++;
    }
    pthread_cond_timedwait(&runtime->changed, &runtime->tasks, &when);
}

static void wait_for_work(Runtime *runtime, int64_t now_us)
{
    int64_t until_us = maintenance_due(runtime);
    if (runtime->maintaining)
        until_us = TIME_MAX;
    if (runtime->next_timer_us < until_us)
        until_us = runtime->next_timer_us;
    if (until_us == TIME_MAX) {
        pthread_cond_wait(&runtime->changed, &runtime->tasks);
        return;
    }
    wait_changed(runtime, until_us > now_us ? until_us - now_us : 0);
}

static void *work(void *argument)
{
    Runtime *runtime = argument;
    pthread_mutex_lock(&runtime->tasks);
    while (!runtime->stopping) {
        int64_t now_us = runtime_now(runtime);
        look_at_timers(runtime, now_us);
        if (!run_maintenance(runtime, now_us) && !run_one(runtime))
            wait_for_work(runtime, now_us);
    }
    pthread_mutex_unlock(&runtime->tasks);
    return NULL;
}

int64_t runtime_work(Runtime *runtime)
{
    pthread_mutex_lock(&runtime->tasks);
    for (;;) {
        int64_t now_us = runtime_now(runtime);
        look_at_timers(runtime, now_us);
        if (!run_maintenance(runtime, now_us) && !run_one(runtime))
            break;
    }
    int64_t due_us = maintenance_due(runtime);
    due_us = runtime->next_timer_us < due_us ? runtime->next_timer_us : due_us;
    pthread_mutex_unlock(&runtime->tasks);
    return due_us;
}

Error *tasks_start(Runtime *runtime)
{
    runtime->threads.items = runtime->options.threads ? calloc((size_t)runtime->options.threads, sizeof(pthread_t)) : NULL;
    for (int i = 0; runtime->threads.items && i < runtime->options.threads; i++) {
        if (pthread_create(&runtime->threads.items[i], NULL, work, runtime) != 0)
            break; /* fewer threads do the same work */
        runtime->threads.count++;
    }
    if (runtime->options.threads && runtime->threads.count == 0)
        return error_new(ERR_IO, "no thread can be started");
    return NULL;
}

void tasks_stop(Runtime *runtime)
{
    pthread_mutex_lock(&runtime->tasks);
    runtime->stopping = true;
    pthread_cond_broadcast(&runtime->changed);
    pthread_mutex_unlock(&runtime->tasks);
    for (int i = 0; i < runtime->threads.count; i++)
        pthread_join(runtime->threads.items[i], NULL);
    free(runtime->threads.items);
    runtime->threads.items = NULL;
    runtime->threads.count = 0;
}

void tasks_wait(Runtime *runtime)
{
    pthread_mutex_lock(&runtime->tasks);
    wait_changed(runtime, 5000);
    pthread_mutex_unlock(&runtime->tasks);
}

void tasks_wake_maintenance(Runtime *runtime)
{
    pthread_mutex_lock(&runtime->tasks);
    runtime->trouble = true;
    pthread_cond_signal(&runtime->changed);
    pthread_mutex_unlock(&runtime->tasks);
}

/* ---- one query ---- */

void task_start(Query *query)
{
    pthread_mutex_lock(&query->runtime->tasks);
    if (query->task == TASK_OFF && !query->in_trouble)
        push_ready(query);
    pthread_mutex_unlock(&query->runtime->tasks);
}

void task_stop(Query *query)
{
    Runtime *runtime = query->runtime;
    query->waiting++;
    pthread_mutex_lock(&runtime->tasks);
    while (query->task == TASK_RUNNING)
        pthread_cond_wait(&runtime->changed, &runtime->tasks);
    if (query->task == TASK_READY)
        remove_ready(query);
    query->task = TASK_OFF;
    pthread_mutex_unlock(&runtime->tasks);
    query->waiting--;
}

void task_lock(Query *query)
{
    query->waiting++;
    pthread_mutex_lock(&query->step);
    query->waiting--;
}

void task_unlock(Query *query) { pthread_mutex_unlock(&query->step); }

/* JobOptions.on_wake */
void task_wake(void *caller)
{
    Query *query = caller;
    pthread_mutex_lock(&query->runtime->tasks);
    if (query->task == TASK_IDLE)
        push_ready(query);
    else
        query->woken = true;
    if (query->task == TASK_OFF)
        pthread_cond_broadcast(&query->runtime->changed);
    pthread_mutex_unlock(&query->runtime->tasks);
}
