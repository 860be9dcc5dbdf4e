/* repl/progress.c: a line on stderr that says how far a job is. */
#include "repl/progress.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

struct Progress {
    Session *session;
    bool show;
    pthread_t thread;
    pthread_mutex_t lock; /* guards the terminal line and `stopping` */
    pthread_cond_t wake;
    bool stopping, line_shown;
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

/* A script runs one job after the other: each shows itself after a second of its own. */
static void look(Progress *progress)
{
    SessionProgress now;
    session_progress(progress->session, &now);
    if (!now.running || now.rows_in < progress->rows_before)
        progress->start = seconds_now();
    progress->rows_before = now.rows_in;
    double elapsed = seconds_now() - progress->start;
    if (now.running && elapsed >= 1)
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
        if (!progress->stopping)
            look(progress);
    }
    clear_line(progress);
    pthread_mutex_unlock(&progress->lock);
    return NULL;
}

Progress *progress_start(Session *session, bool show)
{
    Progress *progress = mem_calloc(1, sizeof *progress);
    progress->session = session;
    pthread_mutex_init(&progress->lock, NULL);
    pthread_cond_init(&progress->wake, NULL);
    progress->show = show && pthread_create(&progress->thread, NULL, watch, progress) == 0;
    return progress;
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
