/* exec/split_choice.c: which split gives the next turn, and which ones are left out for a while.
 *
 * The next turn goes to the split with the lowest watermark (ties: split order), judged by the clocks as of TURNS_IN_FLIGHT turns ago: a constant, so that
 * the sequence depends on the input alone and never on threads or speed. On input that does not end, of splits whose end is known (topics) and
 * that have been read up to it, the one that was drawn longest ago is next, every other turn: one that trickles late rows makes nobody wait. Ties among these
 * are by age, too.
 *
 * Topics within the process are read in the order in which their messages were written, one message a turn.
 *
 *   behind      there is more than has been read: by watermark; one that is far ahead of the others behind is left out (source.max_watermark_skew)
 *   caught up   by how long ago it was drawn
 *   idle        silent for source.idle_timeout and caught up: it holds no time back until it has rows again */
#include "common/calendar.h"
#include "exec/job_internal.h"

#define TICK_US 20000           /* how often operators on processing time see the clock of a job without input */
#define LOOK_US 20000           /* how often ends are looked at, besides that of the split at hand.. */
#define LOOK_SPLITS 16          /* ..and of up to so many splits whenever a source wakes the job */
#define IDLE_TICK_US 1000000    /* how often time goes on where all splits are idle: see clocks.c */

static int64_t visible_watermark(const Job *job, int scan, int split)
{
    for (int d = 0; d < job->domain_count; d++)
        if (job->domains[d].scan == scan)
            return job->domains[d].visible_wm_us[split];
    return TIME_MIN;
}

static bool may_have_data(const SplitState *split, int64_t now_us)
{
    return !split->ended && !split->paused && (!split->waiting || split->next_at_us <= now_us);
}

static void look_at_end(Scan *scan, int s)
{
    int64_t (*end_position)(Source *, int) = scan->source_open ? scan->source_spec.connector->source->end_position : NULL;
    scan->splits[s].end = end_position ? end_position(&scan->source, s) : -1;
}

void split_choice_look(Job *job, int64_t now_us, bool woken)
{
    int splits = 0;
    for (int i = 0; i < job->scan_count; i++)
        splits += job->scans[i].split_count;
    if (now_us - job->looked_us < LOOK_US && (!woken || splits > LOOK_SPLITS))
        return;
    job->looked_us = now_us;
    for (int i = 0; i < job->scan_count; i++)
        for (int s = 0; s < job->scans[i].split_count; s++)
            look_at_end(&job->scans[i], s);
}

/* Rows that are known and not read; -1: the source does not know. */
static int64_t lag_of(const Scan *scan, int s)
{
    const SplitState *split = &scan->splits[s];
    return split->end < 0 ? -1 : split->end > (int64_t)split->position ? split->end - (int64_t)split->position : 0;
}

/* ---- choosing ---- */

typedef struct Choice {
    bool found;
    int scan, split;
    int64_t wm_us;
    uint64_t age;         /* the turn that was drawn last; 0: none, or age does not count */
} Choice;

static void offer(Choice *best, const Choice *offered, bool by_age)
{
    bool better = by_age || offered->wm_us == best->wm_us ? offered->age < best->age : offered->wm_us < best->wm_us;
    if (!best->found || better)
        *best = *offered;
}

/* Of sources whose rows have one order: the split with the next row. False: there is no such order, or nothing to read. */
static bool next_in_sequence(Job *job, int64_t now_us, int *scan, int *split)
{
    int64_t first = INT64_MAX;
    int splits = 0;
    for (int i = 0; i < job->scan_count; i++) {
        Scan *source = &job->scans[i];
        int64_t (*next)(Source *, int) = source->source_open ? source->source_spec.connector->source->next_sequence : NULL;
        splits += source->split_count;
        for (int s = 0; s < source->split_count; s++) {
            int64_t sequence = next ? next(&source->source, s) : -1;
            if (sequence < 0)
                return job->sequenced = false;
            if (sequence < first && may_have_data(&source->splits[s], now_us)) {
                first = sequence;
                *scan = i;
                *split = s;
            }
        }
    }
    job->sequenced = splits > 1;
    return job->sequenced && first != INT64_MAX;
}

bool split_choice_next(Job *job, int64_t now_us, int *scan, int *split)
{
    if (next_in_sequence(job, now_us, scan, split))
        return true;
    Choice behind = { .found = false }, caught_up = { .found = false };
    for (int i = 0; i < job->scan_count; i++) {
        Scan *of = &job->scans[i];
        bool ages = !job->plan->bounded && of->source_open && of->source_spec.connector->source->end_position;
        for (int s = 0; s < of->split_count; s++) {
            const SplitState *state = &of->splits[s];
            if (!may_have_data(state, now_us))
                continue;
            Choice choice = { true, i, s, visible_watermark(job, i, s), ages ? state->last_turn : 0 };
            offer(state->caught_up ? &caught_up : &behind, &choice, state->caught_up);
        }
    }
    bool by_age = caught_up.found && (!behind.found || !job->chosen_by_age);
    const Choice *chosen = by_age ? &caught_up : &behind;
    job->chosen_by_age = by_age;
    *scan = chosen->scan;
    *split = chosen->split;
    return chosen->found;
}

void split_choice_drawn(Job *job, const Turn *turn)
{
    SplitState *split = &job->scans[turn->scan].splits[turn->split];
    split->last_turn = turn->number + 1;
    look_at_end(&job->scans[turn->scan], turn->split);
    split->caught_up = !job->plan->bounded && lag_of(&job->scans[turn->scan], turn->split) == 0;
}

/* ---- leaving out ---- */

/* The lowest watermark of splits that have more to read. One without rows so far says nothing. */
static int64_t lowest_behind(Job *job)
{
    int64_t lowest_us = TIME_MAX;
    for (int i = 0; i < job->scan_count; i++)
        for (int s = 0; s < job->scans[i].split_count; s++) {
            int64_t wm_us = job->scans[i].splits[s].ended ? TIME_MIN : visible_watermark(job, i, s);
            if (wm_us != TIME_MIN && wm_us < lowest_us && lag_of(&job->scans[i], s) > 0)
                lowest_us = wm_us;
        }
    return lowest_us;
}

static void pause(Scan *scan, int s, bool paused)
{
    SplitState *split = &scan->splits[s];
    if (split->paused == paused)
        return;
    split->paused = paused;
    if (scan->source_spec.connector->source->pause)
        scan->source_spec.connector->source->pause(&scan->source, s, paused);
}

void split_choice_align(Job *job)
{
    if (!job->aligns)
        return;
    int64_t lowest_us = lowest_behind(job);
    for (int i = 0; i < job->scan_count; i++) {
        Scan *scan = &job->scans[i];
        int64_t skew_us = scan->values ? 0 : scan->node->scan.max_skew_us;
        for (int s = 0; skew_us && s < scan->split_count; s++) {
            int64_t wm_us = visible_watermark(job, i, s);
            pause(scan, s, lowest_us != TIME_MAX && wm_us != TIME_MIN && wm_us > time_add(lowest_us, skew_us));
        }
    }
}

/* ---- silence ---- */

static int64_t idle_timeout(const Scan *scan) { return scan->values ? 0 : scan->node->scan.idle_timeout_us; }

bool split_choice_idle(Job *job, Turn *turn)
{
    for (int i = 0; i < job->scan_count; i++) {
        Scan *scan = &job->scans[i];
        int64_t timeout_us = idle_timeout(scan);
        for (int s = 0; timeout_us && s < scan->split_count; s++) {
            SplitState *split = &scan->splits[s];
            if (split->ended || !split->waiting || split->idle || split->next_at_us <= turn->now_us ||
                turn->now_us - split->waiting_since_us < timeout_us || lag_of(scan, s) > 0)
                continue;
            split->idle = true;
            turn->kind = TURN_IDLE;
            turn->scan = i;
            turn->split = s;
            return true;
        }
    }
    return false;
}

static int64_t earlier(int64_t a, int64_t b) { return a < b ? a : b; }

int64_t split_choice_wait(const Job *job, int64_t now_us)
{
    int64_t next_us = TIME_MAX;
    bool all_idle = job->domain_count > 0;
    for (int i = 0; i < job->scan_count; i++)
        for (int s = 0; s < job->scans[i].split_count; s++) {
            const SplitState *split = &job->scans[i].splits[s];
            int64_t timeout_us = idle_timeout(&job->scans[i]);
            if (split->ended)
                continue;
            all_idle &= split->idle;
            if (!split->paused)
                next_us = earlier(next_us, split->next_at_us);
            if (timeout_us && split->waiting && !split->idle && split->waiting_since_us + timeout_us > now_us)
                next_us = earlier(next_us, split->waiting_since_us + timeout_us);
        }
    if (all_idle)
        next_us = earlier(next_us, now_us + IDLE_TICK_US);
    if (job->needs_ticks && !job->options.clock->manual)
        next_us = earlier(next_us, now_us + TICK_US);
    return next_us;
}
