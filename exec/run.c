/* exec/run.c: who executes a job's turns, and who waits.
 *
 * Workers draw turns one at a time, run their PARALLEL parts side by side, and put them into the ring. Whoever completes the chain runs the ORDERED
 * parts, in turn order, without locks inside. A job that is stepped has one worker and nothing in flight between two steps.
 *
 *   drawing --> PARALLEL --> ring --> ORDERED --> (all input is drawn, or enough came out, or an error) --> ending --> finished
 *      ^ waits: no source has data             ^ rests: a sink is busy                                      ^ rests: a sink still flushes
 *
 * What a job waits for calls its waker: flags say what may have changed, a semaphore wakes the thread of job_run that sleeps for all. */
#include "exec/sink_queue.h"

#include <sched.h>
#include <time.h>

#include "common/calendar.h"
#include "exec/checkpoint.h"

#define IN_FLIGHT_BYTES (16u << 20) /* of input that is read ahead, however large single records are */
#define FULL_BYTES (64u << 10) /* a turn of so much, or so many rows, is work that threads share */
#define FULL_ROWS 256
#define LOOK_US 1000000 /* how often the lag of a job that rests is looked at */

/* ---- waking ---- */

/* Async-signal-safe. */
void job_wake(Job *job)
{
    job->source_woken = true;
    job->sink_woken = true;
    sem_post(&job->woken);
    if (job->options.on_wake)
        job->options.on_wake(job->options.caller);
}

static void wake(Waker *waker) { job_wake((Job *)waker); }

void job_stop(Job *job)
{
    job->stop = true;
    job_wake(job);
}

void run_init(Job *job)
{
    job->waker.wake = wake;
    sem_init(&job->woken, 0, 0);
    pthread_mutex_init(&job->lock, NULL);
    pthread_cond_init(&job->changed, NULL);
}

void run_release(Job *job)
{
    sem_destroy(&job->woken);
    pthread_mutex_destroy(&job->lock);
    pthread_cond_destroy(&job->changed);
}

static void sleep_woken(Job *job, int64_t left_us)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t nanoseconds = until.tv_nsec + left_us % 1000000 * 1000;
    until.tv_sec += left_us / 1000000 + nanoseconds / 1000000000;
    until.tv_nsec = nanoseconds % 1000000000;
    sem_clockwait(&job->woken, CLOCK_MONOTONIC, &until);
}

/* Until *woken, at most until that time of the job's clock. It may end early. */
static void sleep_until(Job *job, int64_t until_us, const atomic_bool *woken)
{
    Clock *clock = job->options.clock;
    while (sem_trywait(&job->woken) == 0) /* from before; their flags were set first */
        ;
    if (*woken || job->stop)
        return;
    if (until_us == TIME_MAX)
        sem_wait(&job->woken);
    else if (clock->manual)
        clock->sleep_until_us(clock, until_us);
    else {
        int64_t left_us = until_us - clock->now_us(clock);
        if (left_us > 0)
            sleep_woken(job, left_us);
    }
}

/* Something has changed for those who wait for `changed`. There is always one thread at work, or asleep for all, that goes on by itself: the others are
 * needed only where turns come so full that there is work for several. */
static void tell_others(Job *job) /* locked */
{
    if (job->plan->bounded || job->full_turns || job->ending || job->finished || job->options.shuffle_seed)
        pthread_cond_broadcast(&job->changed);
}

/* ---- the ORDERED part ---- */

/* Drawing failed: the next turn brings nothing but that, so that the turns before it are done first, with threads as without. */
static void fail_turn(Turn *turn, Error *error)
{
    turn->kind = TURN_FAILED;
    turn->error = error;
}

static bool limits_reached(const Job *job)
{
    for (int i = 0; i < job->plan->output_count; i++)
        if (!job->output_done[i])
            return false;
    return job->plan->output_count > 0;
}

/* A row that went wrong behind the last one that a LIMIT let through is nobody's concern: it was only read ahead. */
static Error *unless_enough(const Job *job, Error *error)
{
    if (!error || error->code != ERR_ROW || !limits_reached(job))
        return error;
    error_free(error);
    return NULL;
}

/* No more turns. What was sent before an error still comes out; a job that was stopped waits for nobody. */
static void end_with(Job *job, Error *error) /* locked */
{
    if (job->error)
        error_free(error);
    else
        job->error = error;
    job->ending = true;
    job->finished |= error && error->code == ERR_INTERRUPTED;
}

/* One worker finishes the turn at hand: then the job can be written down as it is. What has ended by itself was not stopped. */
static bool stops_now(const Job *job)
{
    if (!job->stop || (job->ending && !job->sinks_busy))
        return false;
    return job->options.threads > 1 || job->turns_done == job->turns_drawn;
}

static bool chain_is_ready(const Job *job)
{
    return job->turns_done < job->turns_drawn && job->ring[job->turns_done % TURNS_IN_FLIGHT].ready;
}

static bool input_is_done(const Job *job) { return job->drained && !job->drawing && job->turns_done == job->turns_drawn; }

static bool ordered_is_due(const Job *job)
{
    if (job->sinks_busy)
        return job->sink_woken;
    return job->ending || chain_is_ready(job) || input_is_done(job);
}

static void execute_turn(Job *job) /* locked, as the following */
{
    Turn *turn = &job->ring[job->turns_done % TURNS_IN_FLIGHT];
    const uint64_t bytes = turn->byte_count;
    job->sink_woken = false; /* before a sink can say that it is busy */
    pthread_mutex_unlock(&job->lock);
    Error *error = unless_enough(job, turn_ordered(job, turn));
    turn_finish(turn);
    bool enough = !error && limits_reached(job), empty = sink_queues_empty(job);
    pthread_mutex_lock(&job->lock);
    turn->ready = false;
    job->turns_done++;
    job->bytes_in_flight -= bytes;
    job->sinks_busy = !empty;
    if (error || enough)
        end_with(job, error);
    else if (empty && job->options.snapshot_every_turn && (error = checkpoint_replace_job(job)) != NULL) /* there is one thread: nobody wants the lock */
        end_with(job, error);
}

static void execute_end(Job *job)
{
    Turn *turn = &job->ring[job->turns_drawn % TURNS_IN_FLIGHT];
    job->sink_woken = false;
    pthread_mutex_unlock(&job->lock);
    turn->number = job->turns_drawn;
    turn_start(turn, job);
    turn->kind = TURN_END;
    turn->now_us = job->options.clock->now_us(job->options.clock);
    Error *error = turn_ordered(job, turn);
    turn_finish(turn);
    bool empty = sink_queues_empty(job);
    pthread_mutex_lock(&job->lock);
    job->sinks_busy = !empty;
    end_with(job, error);
}

/* A sink has room again. */
static void offer_again(Job *job)
{
    job->sink_woken = false; /* first: who makes room from here on wakes us once more */
    pthread_mutex_unlock(&job->lock);
    bool empty = false;
    Error *error;
    MEMORY_GUARDED(error, sink_queues_drain(job, &empty));
    pthread_mutex_lock(&job->lock);
    job->sinks_busy = !empty && !error;
    if (error) {
        end_with(job, error);
        job->finished = true;
    }
}

static void flush_last(Job *job)
{
    Error *error = NULL;
    bool well = !job->error;
    job->sink_woken = false;
    pthread_mutex_unlock(&job->lock);
    if (well)
        MEMORY_GUARDED(error, checkpoint_flush_sinks(job, false));
    pthread_mutex_lock(&job->lock);
    job->sinks_busy = error && error->code == ERR_BUSY;
    if (job->sinks_busy) {
        error_free(error);
        return;
    }
    job->finished = true;
    if (error)
        end_with(job, error);
}

/* Runs the ORDERED parts that are due, by the one thread that set job->executing; at most `turns` of them. */
static void execute(Job *job, uint64_t turns)
{
    uint64_t last = job->turns_done + turns;
    while (!job->finished && !stops_now(job) && job->turns_done < last && ordered_is_due(job)) {
        if (job->sinks_busy)
            offer_again(job);
        else if (job->ending)
            flush_last(job);
        else if (chain_is_ready(job))
            execute_turn(job);
        else
            execute_end(job);
        tell_others(job);
    }
}

/* ---- what the world withholds for a while ---- */

#define FIRST_PAUSE_US 100000
#define LONGEST_PAUSE_US 5000000
#define LOOK_FOR_STOP_US 50000

/* Is the PARALLEL part to be done again, as a schema registry does not answer? Nothing has come of it yet. What waited for long enough says so. */
static bool wants_another_try(Job *job, Turn *turn)
{
    Error *error = turn->error;
    if (!error || !error->retriable || error->retry_us == 0)
        return false;
    const int64_t now_us = job->options.clock->now_us(job->options.clock);
    if (turn->again.times == 0)
        turn->again.since_us = now_us;
    turn->again.pause_us = turn->again.times == 0 ? FIRST_PAUSE_US : turn->again.pause_us * 2 < LONGEST_PAUSE_US ? turn->again.pause_us * 2 : LONGEST_PAUSE_US;
    turn->again.at_us = now_us + turn->again.pause_us;
    if (turn->again.at_us - turn->again.since_us > error->retry_us) {
        turn->error = error_hint(error, "it was asked for %.1f s", (double)(now_us - turn->again.since_us) / US_PER_SECOND);
        return false;
    }
    turn->again.times++;
    error_free(error);
    turn->error = NULL;
    return true;
}

static void stop_trying(Turn *turn) { turn->error = error_new(ERR_INTERRUPTED, "interrupted"); }

/* A thread of its own waits here, with what it has drawn. */
static void run_until_done(Job *job, WorkerContext *worker, Turn *turn)
{
    Clock *clock = job->options.clock;
    turn_parallel(job, worker, turn);
    while (wants_another_try(job, turn)) {
        for (int64_t now_us; !job->stop && (now_us = clock->now_us(clock)) < turn->again.at_us;) {
            const int64_t look_us = now_us + LOOK_FOR_STOP_US;
            clock->sleep_until_us(clock, clock->manual || turn->again.at_us < look_us ? turn->again.at_us : look_us);
        }
        if (job->stop) {
            stop_trying(turn);
            return;
        }
        turn_parallel(job, worker, turn);
    }
}

/* A job that is stepped lets its thread go meanwhile. False: the turn waits. */
static bool try_in_step(Job *job, WorkerContext *worker, Turn *turn)
{
    turn_parallel(job, worker, turn);
    return !wants_another_try(job, turn);
}

/* The turn that waits, if its time has come. False: there is nothing to do yet. */
static bool try_again(Job *job, WorkerContext *worker) /* locked */
{
    Turn *turn = job->again;
    const bool stop = job->stop;
    if (!stop && job->options.clock->now_us(job->options.clock) < turn->again.at_us)
        return false;
    if (stop)
        stop_trying(turn);
    bool ready = stop;
    if (!stop) {
        pthread_mutex_unlock(&job->lock);
        ready = try_in_step(job, worker, turn);
        pthread_mutex_lock(&job->lock);
    }
    turn->ready = ready;
    job->again = ready ? NULL : turn;
    return ready;
}

/* ---- drawing ---- */

typedef struct WorkerStart {
    Job *job;
    WorkerContext *worker;
    uint64_t random; /* shuffling for tests; 0: none */
    bool steps;      /* job_step: the thread is not ours to wait with */
} WorkerStart;

/* Drawing has its own view of splits and clocks: it goes on beside PARALLEL and ORDERED parts of earlier turns. Where memory is short the rows
 * of one turn at a time are enough. */
static bool may_draw(const Job *job)
{
    uint64_t in_flight = job->turns_drawn - job->turns_done;
    if ((in_flight || job->executing) && sequencer_grows(job))
        return false;
    if (in_flight && job->bytes_in_flight >= IN_FLIGHT_BYTES)
        return false;
    return !job->drained && !job->drawing && !job->waiting && !job->ending && !job->sinks_busy && in_flight < TURNS_IN_FLIGHT &&
           (in_flight == 0 || !pool_near_limit(&job->pool));
}

/* What was drawn goes into the ring. True: its PARALLEL part is to be executed. */
static bool put_drawn(Job *job, Turn *turn, bool drawn, int64_t wait_until_us, Error *error) /* locked */
{
    bool tick = !error && !drawn && turn->kind == TURN_TICK;
    if (error)
        fail_turn(turn, error);
    if (tick && job->options.until_quiet) {
        turn_finish(turn);
        job->ending = true; /* that is not the end of the input */
        return false;
    }
    if (!error && !drawn && !tick) {
        turn_finish(turn);
        job->drained = true;
        return false;
    }
    job->drained = error != NULL; /* nothing more to draw */
    job->full_turns = turn->length >= FULL_BYTES || turn->range.count >= FULL_ROWS;
    job->waiting = tick;
    job->wait_until_us = wait_until_us;
    job->turns_drawn++;
    job->bytes_in_flight += turn->byte_count;
    turn->ready = error || tick;
    return !turn->ready;
}

/* For tests: other threads come in between. */
static void shuffle(uint64_t *state)
{
    if (!*state)
        return;
    *state = *state * 6364136223846793005ull + 1442695040888963407ull;
    for (uint64_t spins = *state >> 60; spins > 0; spins--)
        sched_yield();
}

static void draw(WorkerStart *start) /* locked */
{
    Job *job = start->job;
    Turn *turn = &job->ring[job->turns_drawn % TURNS_IN_FLIGHT];
    job->drawing = true;
    pthread_mutex_unlock(&job->lock);
    turn->number = job->turns_drawn;
    turn_start(turn, job);
    bool drawn = false;
    int64_t wait_until_us = TIME_MAX;
    Error *error;
    MEMORY_GUARDED(error, sequencer_draw(job, turn, &drawn, &wait_until_us));
    pthread_mutex_lock(&job->lock);
    job->drawing = false;
    bool parallel = put_drawn(job, turn, drawn, wait_until_us, error);
    tell_others(job);
    if (!parallel)
        return;
    pthread_mutex_unlock(&job->lock);
    shuffle(&start->random);
    bool ready = true;
    if (start->steps)
        ready = try_in_step(job, start->worker, turn);
    else
        run_until_done(job, start->worker, turn);
    shuffle(&start->random);
    pthread_mutex_lock(&job->lock);
    turn->ready = ready;
    job->again = ready ? NULL : turn;
    tell_others(job);
}

/* ---- working ---- */

/* Has what drawing waits for come? */
static void end_waiting(Job *job) /* locked */
{
    if (job->waiting && (job->source_woken || job->wait_until_us <= job->options.clock->now_us(job->options.clock)))
        job->waiting = false;
}

/* One piece of work. False: there is nothing now that this worker could do. */
static bool do_work(WorkerStart *start, uint64_t turns) /* locked */
{
    Job *job = start->job;
    if (stops_now(job)) {
        end_with(job, error_new(ERR_INTERRUPTED, "interrupted"));
        tell_others(job);
        return true;
    }
    if (job->again)
        return try_again(job, start->worker);
    if (!job->executing && ordered_is_due(job)) {
        job->executing = true;
        execute(job, turns);
        job->executing = false;
        tell_others(job);
        return true;
    }
    end_waiting(job);
    if (!may_draw(job))
        return false;
    draw(start);
    return true;
}

static void discard_ring(Job *job)
{
    for (uint64_t n = job->turns_done; n < job->turns_drawn; n++)
        turn_finish(&job->ring[n % TURNS_IN_FLIGHT]);
    job->turns_drawn = job->turns_done;
    job->bytes_in_flight = 0;
}

/* What a full sink holds back is looked at now and then, as nobody draws. Drawing rests, so its view may be read. */
static int64_t waits_until(Job *job) /* locked */
{
    if (job->again)
        return job->again->again.at_us;
    if (!job->sinks_busy)
        return job->wait_until_us;
    Clock *clock = job->options.clock;
    split_choice_look(job, clock->now_us(clock), true);
    metrics_note_splits(job);
    return clock->manual ? TIME_MAX : clock->now_us(clock) + LOOK_US;
}

/* ---- a job as a task ---- */

static Error *result_of(Job *job)
{
    Error *error = job->error;
    discard_ring(job);
    job->succeeded = !error;
    job->error = NULL;
    return error;
}

Error *job_step(Job *job, int turns, JobStep *step)
{
    WorkerStart start = { .job = job, .worker = &job->workers[0], .steps = true };
    pthread_mutex_lock(&job->lock);
    uint64_t last = job->turns_done + (uint64_t)turns;
    bool more = true;
    metrics_activity(job, ACTIVITY_BUSY);
    while (!job->finished && more && job->turns_done < last)
        more = do_work(&start, last - job->turns_done);
    *step = (JobStep){ .state = job->finished ? JOB_ENDED : more ? JOB_READY : JOB_WAITING, .sinks_busy = job->sinks_busy,
        .until_us = waits_until(job) };
    if (step->state != JOB_READY)
        metrics_activity(job, step->sinks_busy ? ACTIVITY_BACKPRESSURED : ACTIVITY_IDLE);
    pthread_mutex_unlock(&job->lock);
    return step->state == JOB_ENDED ? result_of(job) : NULL;
}

Error *job_flush(Job *job)
{
    if (!sink_queues_empty(job))
        return error_busy();
    Error *error;
    MEMORY_GUARDED(error, checkpoint_flush_sinks(job, false));
    return error;
}

/* ---- a job with threads of its own ---- */

/* One thread sleeps for all where only the world can go on; the others wait for what that one, or those at work, will do. */
static void rest(Job *job) /* locked */
{
    bool world = job->sinks_busy || (job->waiting && job->turns_done == job->turns_drawn);
    if (!world || job->sleeping || job->executing || job->drawing) {
        pthread_cond_wait(&job->changed, &job->lock);
        return;
    }
    const atomic_bool *woken = job->sinks_busy ? &job->sink_woken : &job->source_woken;
    int64_t until_us = waits_until(job);
    job->sleeping = true;
    metrics_activity(job, job->sinks_busy ? ACTIVITY_BACKPRESSURED : ACTIVITY_IDLE);
    pthread_mutex_unlock(&job->lock);
    sleep_until(job, until_us, woken);
    pthread_mutex_lock(&job->lock);
    job->sleeping = false;
    metrics_activity(job, ACTIVITY_BUSY);
    tell_others(job);
}

static void *work(void *argument)
{
    WorkerStart *start = argument;
    Job *job = start->job;
    pthread_mutex_lock(&job->lock);
    while (!job->finished)
        if (!do_work(start, UINT64_MAX / 2))
            rest(job);
    pthread_mutex_unlock(&job->lock);
    return NULL;
}

Error *job_run(Job *job)
{
    WorkerStart *starts = ARENA_ARRAY(&job->arena, WorkerStart, (size_t)job->options.threads);
    int started = 0;
    for (int w = 0; w < job->options.threads; w++) {
        starts[w] = (WorkerStart){ .job = job, .worker = &job->workers[w], .random = job->options.shuffle_seed ? job->options.shuffle_seed * 2654435761u + (uint64_t)w : 0 };
        if (w > 0 && pthread_create(&job->workers[w].thread, NULL, work, &starts[w]) == 0)
            started = w;
        else if (w > 0)
            break; /* fewer threads do the same work */
    }
    work(&starts[0]);
    for (int w = 1; w <= started; w++)
        pthread_join(job->workers[w].thread, NULL);
    return result_of(job);
}
