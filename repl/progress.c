/* repl/progress.c: a line on stderr that says how far a job is. */
#include "repl/progress.h"

#include "common/calendar.h"
#include "repl/backend.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

struct Progress {
    Session *session;     /* or */
    Backend *backend;
    bool show;
    pthread_t thread;
    pthread_mutex_t lock; /* guards the terminal line and `stopping` */
    pthread_cond_t wake;
    bool stopping, line_shown, continuous, held;
    double start;         /* of the job at hand */
    uint64_t rows_before; /* fewer now: it is another job */
};

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void clear_line(Progress *progress)
{
    if (progress->line_shown)
        fputs("\r\033[K", stderr);
    progress->line_shown = false;
}

static const char *scaled(double number, char *out, size_t size, double step, const char *const units[])
{
    int unit = 0;
    while (number >= step && units[unit + 1]) {
        number /= step;
        unit++;
    }
    snprintf(out, size, unit ? "%.1f %s" : "%.0f %s", number, units[unit]);
    return out;
}

static void show_line(Progress *progress, const SessionProgress *now, double elapsed)
{
    static const char *const bytes_units[] = { "B", "KiB", "MiB", "GiB", "TiB", NULL };
    static const char *const row_units[] = { "rows", "K rows", "M rows", "G rows", NULL };
    const char *const *units = now->in_rows ? row_units : bytes_units;
    double step = now->in_rows ? 1000 : 1024;
    char done[32], total[32], rate[32];
    scaled((double)(now->bytes_done > 0 ? now->bytes_done : 0), done, sizeof done, step, units);
    scaled((double)now->rows_in / elapsed, rate, sizeof rate, 1000, row_units);
    clear_line(progress);
    if (now->bytes_total > 0 && now->bytes_done > 0) {
        double share = (double)now->bytes_done / (double)now->bytes_total;
        scaled((double)now->bytes_total, total, sizeof total, step, units);
        fprintf(stderr, "%3.0f %%  %s of %s  %s/s  %.0f s left", share * 100, done, total, rate, elapsed * (1 - share) / share);
    } else {
        fprintf(stderr, "%s  %s/s  %.0f s", done, rate, elapsed);
    }
    progress->line_shown = true;
}

/* Of a query that goes on. */
static void show_footer(Progress *progress, const SessionProgress *now, double elapsed)
{
    static const char *const row_units[] = { "rows", "K rows", "M rows", "G rows", NULL };
    char in[32], out[32], rate[32], time[40];
    scaled((double)now->rows_in, in, sizeof in, 1000, row_units);
    scaled((double)now->rows_out, out, sizeof out, 1000, row_units);
    scaled((double)now->rows_in / elapsed, rate, sizeof rate, 1000, row_units);
    clear_line(progress);
    fprintf(stderr, "%s in, %s out, %s/s", in, out, rate);
    if (now->watermark_us != TIME_MIN && now->watermark_us != TIME_MAX) {
        struct timespec clock;
        clock_gettime(CLOCK_REALTIME, &clock);
        double lag = (double)clock.tv_sec - (double)now->watermark_us / 1e6;
        timestamp_format(now->watermark_us, 3, time);
        fprintf(stderr, ", watermark %s", time);
        if (lag >= 0 && lag < 1e6)
            fprintf(stderr, " (%.0f s behind)", lag);
    }
    if (now->late_rows)
        fprintf(stderr, ", %llu late", (unsigned long long)now->late_rows);
    fprintf(stderr, "  Ctrl-C ends it");
    progress->line_shown = true;
}

/* A script runs one job after the other: each shows itself after a second of its own. */
static void look(Progress *progress)
{
    SessionProgress now;
    if (progress->backend)
        progress->backend->type->progress(progress->backend, &now);
    else
        session_progress(progress->session, &now);
    if (!now.running || now.rows_in < progress->rows_before)
        progress->start = seconds_now();
    progress->rows_before = now.rows_in;
    double elapsed = seconds_now() - progress->start;
    if (now.running && elapsed >= 1 && progress->continuous)
        show_footer(progress, &now, elapsed);
    else if (now.running && elapsed >= 1)
        show_line(progress, &now, elapsed);
    else
        clear_line(progress);
}

static void *watch(void *caller)
{
    Progress *progress = caller;
    progress->start = seconds_now();
    pthread_mutex_lock(&progress->lock);
    while (!progress->stopping) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += 250 * 1000000;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&progress->wake, &progress->lock, &until);
        if (!progress->stopping && !progress->held)
            look(progress);
    }
    clear_line(progress);
    pthread_mutex_unlock(&progress->lock);
    return NULL;
}

static Progress *start(Session *session, Backend *backend, bool show)
{
    Progress *progress = mem_calloc(1, sizeof *progress);
    progress->session = session;
    progress->backend = backend;
    pthread_mutex_init(&progress->lock, NULL);
    pthread_cond_init(&progress->wake, NULL);
    progress->show = show && pthread_create(&progress->thread, NULL, watch, progress) == 0;
    return progress;
}

Progress *progress_start(Session *session, bool show) { return start(session, NULL, show); }
Progress *progress_start_for(Backend *backend, bool show) { return start(NULL, backend, show); }

void progress_continuous(Progress *progress, bool continuous)
{
    pthread_mutex_lock(&progress->lock);
    progress->continuous = continuous;
    pthread_mutex_unlock(&progress->lock);
}

void progress_hold(Progress *progress, bool held)
{
    pthread_mutex_lock(&progress->lock);
    clear_line(progress);
    progress->held = held;
    pthread_mutex_unlock(&progress->lock);
}

void progress_pause(Progress *progress)
{
    if (!progress->show)
        return;
    pthread_mutex_lock(&progress->lock);
    clear_line(progress);
    pthread_mutex_unlock(&progress->lock);
}

void progress_stop(Progress *progress)
{
    if (progress->show) {
        pthread_mutex_lock(&progress->lock);
        progress->stopping = true;
        pthread_cond_signal(&progress->wake);
        pthread_mutex_unlock(&progress->lock);
        pthread_join(progress->thread, NULL);
    }
    pthread_mutex_destroy(&progress->lock);
    pthread_cond_destroy(&progress->wake);
    mem_free(progress);
}
