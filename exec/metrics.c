/* exec/metrics.c: where a job stands, for those who ask from other threads while it runs.
 *
 * Drawing and the ORDERED part write down what they know after each turn, under a lock of their own that nobody holds for long. */
#include "exec/job_internal.h"

#include <string.h>
#include <time.h>

#define REFRESH_US 100000    /* how often all splits are looked at, not only the one that was drawn */
#define SAMPLES 16           /* messages of a turn whose latency is measured */

void metrics_init(Job *job)
{
    pthread_mutex_init(&job->metrics.lock, NULL);
    job->metrics.activity_since_ns = 0;
}

void metrics_release(Job *job) { pthread_mutex_destroy(&job->metrics.lock); }

/* ---- splits ---- */

static SplitStatus *split_status(Job *job, int scan, int split) { return &job->metrics.scans[scan].splits[split]; }

void metrics_grow(Job *job, int number, int known)
{
    Scan *scan = &job->scans[number];
    SplitStatus *more = ARENA_ARRAY(&job->arena, SplitStatus, (size_t)scan->split_count + 1);
    if (known)
        memcpy(more, job->metrics.scans[number].splits, sizeof *more * (size_t)known);
    for (int s = known; s < scan->split_count; s++)
        more[s] = (SplitStatus){ .source = scan->values ? "VALUES" : scan->node->scan.source_name, .end = -1, .wm_us = TIME_MIN,
                                 .name = scan->values ? "" : arena_strdup(&job->arena, scan->source.splits[s].name), .position = scan->splits[s].position };
    pthread_mutex_lock(&job->metrics.lock);
    job->metrics.scans[number].splits = more;
    job->metrics.scans[number].count = scan->split_count;
    pthread_mutex_unlock(&job->metrics.lock);
}

static void note_split(Job *job, int number, int s) /* locked */
{
    const SplitState *split = &job->scans[number].splits[s];
    SplitStatus *status = split_status(job, number, s);
    status->position = split->position;
    status->end = split->end;
    status->idle = split->idle;
    status->paused = split->paused;
    status->ended = split->ended;
}

void metrics_note_splits(Job *job)
{
    pthread_mutex_lock(&job->metrics.lock);
    for (int i = 0; i < job->scan_count; i++)
        for (int s = 0; s < job->scans[i].split_count; s++)
            note_split(job, i, s);
    pthread_mutex_unlock(&job->metrics.lock);
}

void metrics_drawn(Job *job, const Turn *turn)
{
    if (turn->kind == TURN_TICK || turn->now_us - job->metrics.noted_us >= REFRESH_US) {
        job->metrics.noted_us = turn->now_us;
        metrics_note_splits(job);
        return;
    }
    pthread_mutex_lock(&job->metrics.lock);
    note_split(job, turn->scan, turn->split);
    pthread_mutex_unlock(&job->metrics.lock);
}

/* ---- turns ---- */

/* How old messages are when what they led to has been sent: some of the turn's, evenly. */
static void measure_latency(Job *job, const Turn *turn)
{
    const RecordSet *set = turn->range.page;
    uint32_t step = set->count / SAMPLES + 1;
    int64_t now_us = job->options.clock->now_us(job->options.clock);
    for (uint32_t i = 0; i < set->count; i += step) {
        uint32_t weight = set->count - i < step ? set->count - i : step;
        histogram_add(&job->metrics.latency, now_us - set->records[i].timestamp_us, weight);
    }
}

static int64_t time_of(const Job *job, int scan, int split)
{
    for (int d = 0; d < job->domain_count; d++)
        if (job->domains[d].scan == scan)
            return job->domains[d].split_last_us[split];
    return TIME_MIN;
}

static int64_t lowest_watermark(const Job *job)
{
    int64_t lowest_us = job->domain_count ? TIME_MAX : TIME_MIN;
    for (int d = 0; d < job->domain_count; d++)
        lowest_us = job->domains[d].wm_us < lowest_us ? job->domains[d].wm_us : lowest_us;
    return lowest_us;
}

static int64_t monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t spent_ns(const JobMetrics *metrics, Activity activity, int64_t now_ns)
{
    return metrics->spent_ns[activity] + (metrics->activity == activity && metrics->activity_since_ns ? now_ns - metrics->activity_since_ns : 0);
}

/* A query's operators take turns: an operator is idle while others work. Time with work is sampled: it may be more than there was, and idle time must not fall. */
static void note_node(JobMetrics *metrics, int id, const NodeCounters *counters, int64_t total_ns, int64_t waited_ns)
{
    const NodeCounters before = metrics->nodes[id];
    const int64_t idle_ns = total_ns - waited_ns - (counters->busy_ns - before.busy_ns);
    metrics->nodes[id] = *counters;
    metrics->nodes[id].idle_ns = before.idle_ns + (idle_ns > 0 ? idle_ns : 0);
    metrics->nodes[id].backpressured_ns = before.backpressured_ns + waited_ns;
}

void job_note_nodes(Job *job)
{
    JobMetrics *metrics = &job->metrics;
    if (!job->options.count_nodes)
        return;
    const NodeCounters *counters = job_node_counters(job);
    pthread_mutex_lock(&metrics->lock);
    const int64_t now_ns = monotonic_ns(), waited_ns = spent_ns(metrics, ACTIVITY_BACKPRESSURED, now_ns);
    const int64_t total_ns = spent_ns(metrics, ACTIVITY_BUSY, now_ns) + spent_ns(metrics, ACTIVITY_IDLE, now_ns) + waited_ns;
    for (int id = 0; id < job->plan->node_count; id++)
        note_node(metrics, id, &counters[id], total_ns - metrics->nodes_total_ns, job->plan->nodes[id]->kind == PLAN_SINK ? 0 : waited_ns - metrics->nodes_waited_ns);
    metrics->nodes_total_ns = total_ns;
    metrics->nodes_waited_ns = waited_ns;
    pthread_mutex_unlock(&metrics->lock);
}

/* Now and then, while there is work; who asks when there is none may look himself. */
static void note_nodes(Job *job, const Turn *turn)
{
    if (!job->options.count_nodes || turn->now_us - job->metrics.nodes_noted_us < REFRESH_US)
        return;
    job->metrics.nodes_noted_us = turn->now_us;
    job_note_nodes(job);
}

void metrics_turn_done(Job *job, const Turn *turn)
{
    bool messages = turn->kind == TURN_BATCH && job->scans[turn->scan].record_source && !job->plan->bounded && turn->range.count;
    pthread_mutex_lock(&job->metrics.lock);
    if (messages)
        measure_latency(job, turn);
    if (turn->kind == TURN_BATCH) {
        SplitStatus *status = split_status(job, turn->scan, turn->split);
        status->rows += turn->rows_in;
        status->bytes += turn->byte_count;
        status->wm_us = time_of(job, turn->scan, turn->split);
    }
    job->metrics.counters = job->counters;
    job->metrics.wm_us = lowest_watermark(job);
    pthread_mutex_unlock(&job->metrics.lock);
    note_nodes(job, turn);
}

/* ---- what the job spends its time with ---- */

void metrics_activity(Job *job, Activity activity)
{
    JobMetrics *metrics = &job->metrics;
    if (activity == metrics->activity)
        return;
    pthread_mutex_lock(&metrics->lock);
    int64_t now_ns = monotonic_ns();
    metrics->spent_ns[metrics->activity] += metrics->activity_since_ns ? now_ns - metrics->activity_since_ns : 0;
    metrics->activity_since_ns = now_ns;
    metrics->activity = activity;
    pthread_mutex_unlock(&metrics->lock);
}

/* ---- looking in ---- */

static int count_splits(const Job *job) /* locked */
{
    int count = 0;
    for (int i = 0; i < job->scan_count; i++)
        count += job->metrics.scans[i].count;
    return count;
}

static int64_t spent_us(const JobMetrics *metrics, Activity activity, int64_t now_ns) { return spent_ns(metrics, activity, now_ns) / 1000; }

static void copy_nodes(const Job *job, const JobMetrics *metrics, JobStatus *status) /* locked */
{
    if (!status->nodes)
        return;
    memcpy(status->nodes, metrics->nodes, sizeof *status->nodes * (size_t)job->plan->node_count);
}

void job_status(Job *job, Arena *arena, JobStatus *status)
{
    JobMetrics *metrics = &job->metrics;
    SplitStatus *splits = NULL;
    NodeCounters *nodes = job->options.count_nodes ? ARENA_ARRAY(arena, NodeCounters, (size_t)job->plan->node_count + 1) : NULL;
    int room = -1;
    pthread_mutex_lock(&metrics->lock);
    for (int count = count_splits(job); count > room; count = count_splits(job)) { /* no lock is held where memory may run out */
        pthread_mutex_unlock(&metrics->lock);
        room = count;
        splits = ARENA_ARRAY(arena, SplitStatus, (size_t)room + 1);
        pthread_mutex_lock(&metrics->lock);
    }
    int64_t now_ns = monotonic_ns();
    *status = (JobStatus){ .counters = metrics->counters, .retries = metrics->retries, .watermark_us = metrics->wm_us, .splits = splits,
        .busy_us = spent_us(metrics, ACTIVITY_BUSY, now_ns), .idle_us = spent_us(metrics, ACTIVITY_IDLE, now_ns),
        .backpressured_us = spent_us(metrics, ACTIVITY_BACKPRESSURED, now_ns), .latency = metrics->latency, .nodes = nodes };
    copy_nodes(job, metrics, status);
    for (int i = 0; i < job->scan_count; i++)
        for (int s = 0; s < metrics->scans[i].count; s++)
            splits[status->split_count++] = metrics->scans[i].splits[s];
    pthread_mutex_unlock(&metrics->lock);
    for (int s = 0; s < status->split_count; s++) /* the job may be gone when they are read */
        splits[s].name = arena_strdup(arena, splits[s].name);
}
