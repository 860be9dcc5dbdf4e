/* exec/clocks.c: how far time has come: of splits, and of the queries over them.
 *
 * A query sees the lowest watermark of its splits that are neither idle nor ended. Where all of them are idle and none has ended, time goes on with the clock from where the
 * furthest of them stood when its last row came: rows of a live source come about as fast as their times do, and the last window of a quiet topic closes. */
#include "common/calendar.h"
#include "exec/job_internal.h"

#include <string.h>

void clocks_become_visible(Job *job, uint64_t next_turn)
{
    int gone = 0;
    pthread_mutex_lock(&job->clock_lock);
    while (gone < job->clock_steps.count && job->clock_steps.items[gone].turn + TURNS_IN_FLIGHT <= next_turn) {
        ClockStep *step = &job->clock_steps.items[gone++];
        job->domains[step->domain].visible_wm_us[step->split] = step->wm_us;
    }
    job->clock_steps.count -= gone;
    if (gone)
        memmove(job->clock_steps.items, job->clock_steps.items + gone, sizeof *job->clock_steps.items * (size_t)job->clock_steps.count);
    pthread_mutex_unlock(&job->clock_lock);
}

/* Room is made first: no lock is held while memory may run out. */
static void add_clock_step(Job *job, const ClockStep *step)
{
    ClockStep *larger = NULL;
    pthread_mutex_lock(&job->clock_lock);
    int capacity = job->clock_steps.capacity;
    bool full = job->clock_steps.count == capacity; /* drawing only takes away from here on */
    pthread_mutex_unlock(&job->clock_lock);
    if (full) {
        capacity = capacity ? capacity * 2 : 64;
        larger = ARENA_ARRAY(&job->clock_arena, ClockStep, (size_t)capacity);
    }
    pthread_mutex_lock(&job->clock_lock);
    if (larger) {
        if (job->clock_steps.count)
            memcpy(larger, job->clock_steps.items, sizeof *larger * (size_t)job->clock_steps.count);
        job->clock_steps.items = larger;
        job->clock_steps.capacity = capacity;
    }
    job->clock_steps.items[job->clock_steps.count++] = *step;
    pthread_mutex_unlock(&job->clock_lock);
}

/* Of splits that are all idle. */
static int64_t watermark_by_clock(const Scan *scan, const Domain *domain, int64_t now_us)
{
    int64_t latest_us = TIME_MIN;
    for (int s = 0; s < scan->split_count; s++) {
        int64_t wm_us = domain->split_wm_us[s];
        if (!scan->splits[s].idle_in_order || wm_us == TIME_MIN)
            continue;
        wm_us = time_add(wm_us, now_us - scan->splits[s].last_rows_us);
        latest_us = wm_us > latest_us ? wm_us : latest_us;
    }
    return latest_us;
}

static void raise_query_watermark(const Job *job, Domain *domain, int64_t now_us)
{
    const Scan *scan = &job->scans[domain->scan];
    int64_t minimum = TIME_MAX;
    bool any_idle = false, any_ended = false;
    for (int s = 0; s < scan->split_count; s++) {
        any_idle |= scan->splits[s].idle_in_order;
        any_ended |= domain->split_wm_us[s] == TIME_MAX;
        if (!scan->splits[s].idle_in_order && domain->split_wm_us[s] < minimum)
            minimum = domain->split_wm_us[s];
    }
    if (minimum == TIME_MAX && any_idle) /* where others have ended nobody says how late it is */
        minimum = any_ended ? TIME_MIN : watermark_by_clock(scan, domain, now_us);
    if (minimum > domain->wm_us)
        domain->wm_us = minimum;
}

/* The turn's rows have come: what they say of their split's time. */
static void take_time(Job *job, int d, const Turn *turn)
{
    Domain *domain = &job->domains[d];
    int64_t *wm_us = &domain->split_wm_us[turn->split];
    if (turn->domain_wm_us[d] > *wm_us)
        *wm_us = turn->domain_wm_us[d];
    if (turn->domain_wm_us[d] > domain->split_last_us[turn->split])
        domain->split_last_us[turn->split] = turn->domain_wm_us[d];
    if (turn->split_end)
        *wm_us = TIME_MAX;
    ClockStep step = { d, turn->split, *wm_us, turn->number };
    if ((turn->kind == TURN_BATCH || turn->kind == TURN_WATERMARK) && job->scans[turn->scan].split_count + job->scan_count > 2)
        add_clock_step(job, &step);
}

void clocks_turn_done(Job *job, const Turn *turn)
{
    SplitState *split = &job->scans[turn->scan].splits[turn->split];
    split->lines += turn->line_count;
    split->ended_in_order |= turn->split_end;
    if (turn->kind != TURN_TICK)
        split->idle_in_order = turn->kind == TURN_IDLE;
    if (turn->kind == TURN_BATCH || turn->kind == TURN_WATERMARK)
        split->last_rows_us = turn->now_us;
    for (int d = 0; d < job->domain_count; d++) {
        if (job->domains[d].scan == turn->scan && turn->kind != TURN_TICK)
            take_time(job, d, turn);
        if (job->domains[d].scan == turn->scan || turn->kind == TURN_TICK)
            raise_query_watermark(job, &job->domains[d], turn->now_us);
    }
    job->progress_rows = job->counters.rows_in;
    job->progress_rows_out = job->counters.rows_out;
    job->progress_late_rows = job->counters.late_rows;
    job->progress_wm_us = job->domain_count ? job->domains[0].wm_us : TIME_MIN;
}
