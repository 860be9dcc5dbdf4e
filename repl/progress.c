/* repl/progress.c: a line on stderr that says how far a job is. */
#include "repl/progress.h"

#include "common/calendar.h"
#include "repl/backend.h"
#include "repl/io.h"
#include "terminal/raw_mode.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define ABOVE_BYTES 65536

struct Progress {
    Session *session;     /* or */
    Backend *backend;
    Above *above;         /* what others want to have shown; NULL: nobody does */
    bool show, runs;      /* runs: there is a thread */
    pthread_t thread;
    pthread_mutex_t lock; /* guards the terminal and what follows */
    pthread_cond_t wake;
    bool stopping, line_shown, continuous, held;
    char line[400];       /* "": none */
    double start;         /* of the job at hand */
    uint64_t rows_before; /* fewer now: it is another job */
    double rate_since, rate; /* rows a second, over the last second or so */
    uint64_t rate_rows;
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

/* Not longer than the terminal is wide: it is wiped away as one line. */
static void show(Progress *progress)
{
    int columns, rows;
    clear_line(progress);
    if (!*progress->line || !progress->show)
        return;
    terminal_size(2, &columns, &rows);
    fprintf(stderr, "%.*s", columns > 1 ? columns - 1 : 1, progress->line);
    progress->line_shown = true;
}

static void write_line(Progress *progress, const SessionProgress *now, double elapsed)
{
    static const char *const bytes_units[] = { "B", "KiB", "MiB", "GiB", "TiB", NULL };
    static const char *const row_units[] = { "rows", "K rows", "M rows", "G rows", NULL };
    const char *const *units = now->in_rows ? row_units : bytes_units;
    double step = now->in_rows ? 1000 : 1024;
    char done[32], total[32], rate[32];
    scaled((double)(now->bytes_done > 0 ? now->bytes_done : 0), done, sizeof done, step, units);
    scaled((double)now->rows_in / elapsed, rate, sizeof rate, 1000, row_units);
    if (now->bytes_total > 0 && now->bytes_done > 0) {
        double share = (double)now->bytes_done / (double)now->bytes_total;
        scaled((double)now->bytes_total, total, sizeof total, step, units);
        snprintf(progress->line, sizeof progress->line, "%3.0f %%  %s of %s  %s/s  %.0f s left", share * 100, done, total, rate, elapsed * (1 - share) / share);
    } else {
        snprintf(progress->line, sizeof progress->line, "%s  %s/s  %.0f s", done, rate, elapsed);
    }
}

static void look_at_rate(Progress *progress, const SessionProgress *now)
{
    const double since = seconds_now() - progress->rate_since;
    if (since < 1)
        return;
    progress->rate = now->rows_in >= progress->rate_rows ? (double)(now->rows_in - progress->rate_rows) / since : 0;
    progress->rate_rows = now->rows_in;
    progress->rate_since += since;
}

/* Of a query that goes on. */
static void write_footer(Progress *progress, const SessionProgress *now)
{
    static const char *const row_units[] = { "rows", "K rows", "M rows", "G rows", NULL };
    char in[32], out[32], rate[32], time[40];
    const size_t size = sizeof progress->line;
    look_at_rate(progress, now);
    scaled((double)now->rows_in, in, sizeof in, 1000, row_units);
    scaled((double)now->rows_out, out, sizeof out, 1000, row_units);
    scaled(progress->rate, rate, sizeof rate, 1000, row_units);
    int length = snprintf(progress->line, size, "%s in, %s out, %s/s", in, out, rate);
    if (now->watermark_us != TIME_MIN && now->watermark_us != TIME_MAX) {
        struct timespec clock;
        clock_gettime(CLOCK_REALTIME, &clock);
        double lag = (double)clock.tv_sec - (double)now->watermark_us / 1e6;
        timestamp_format(now->watermark_us, 3, time);
        length += snprintf(progress->line + length, size - (size_t)length, ", watermark %s", time);
        if (lag >= 0 && lag < 1e6)
            length += snprintf(progress->line + length, size - (size_t)length, " (%.0f s behind)", lag);
    }
    if (now->late_rows)
        length += snprintf(progress->line + length, size - (size_t)length, ", %llu late", (unsigned long long)now->late_rows);
    snprintf(progress->line + length, size - (size_t)length, "  Ctrl-C ends it");
}

/* A script runs one job after the other: each shows itself after a second of its own. Locked. */
static void write_status(Progress *progress, const SessionProgress *now)
{
    if (!now->running || now->rows_in < progress->rows_before) {
        progress->start = progress->rate_since = seconds_now();
        progress->rate_rows = 0;
    }
    progress->rows_before = now->rows_in;
    double elapsed = seconds_now() - progress->start;
    progress->line[0] = 0;
    if (now->running && elapsed >= 1 && progress->continuous)
        write_footer(progress, now);
    else if (now->running && elapsed >= 1)
        write_line(progress, now, elapsed);
}

/* Locked. */
static void show_above(Progress *progress)
{
    char bytes[4096];
    size_t shown = 0; /* so much at once, as others wait for the lock */
    for (size_t length; progress->above && shown < ABOVE_BYTES && (length = above_take(progress->above, bytes, sizeof bytes)); shown += length) {
        clear_line(progress);
        io_write_all(1, bytes, length);
    }
}

static void *watch(void *caller)
{
    Progress *progress = caller;
    progress->start = progress->rate_since = seconds_now();
    pthread_mutex_lock(&progress->lock);
    while (!progress->stopping) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += 250 * 1000000;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&progress->wake, &progress->lock, &until);
        if (progress->stopping || progress->held)
            continue;
        SessionProgress now;
        pthread_mutex_unlock(&progress->lock); /* it may have to ask a server */
        if (progress->backend)
            progress->backend->type->progress(progress->backend, &now);
        else
            session_progress(progress->session, &now);
        pthread_mutex_lock(&progress->lock);
        if (progress->stopping || progress->held)
            continue;
        show_above(progress);
        write_status(progress, &now);
        show(progress);
    }
    clear_line(progress);
    pthread_mutex_unlock(&progress->lock);
    return NULL;
}

static Progress *start(Session *session, Backend *backend, bool shows, Above *above)
{
    Progress *progress = mem_calloc(1, sizeof *progress);
    progress->session = session;
    progress->backend = backend;
    progress->above = above;
    progress->show = shows;
    pthread_mutex_init(&progress->lock, NULL);
    pthread_cond_init(&progress->wake, NULL);
    progress->runs = (shows || above) && pthread_create(&progress->thread, NULL, watch, progress) == 0;
    return progress;
}

Progress *progress_start(Session *session, bool show) { return start(session, NULL, show, NULL); }
Progress *progress_start_for(Backend *backend, bool show, Above *above) { return start(NULL, backend, show, above); }

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
    progress->line[0] = 0;
    pthread_mutex_unlock(&progress->lock);
}

void progress_rows_begin(Progress *progress)
{
    pthread_mutex_lock(&progress->lock);
    clear_line(progress);
}

void progress_rows_end(Progress *progress, bool last)
{
    if (last) {
        progress->continuous = false;
        progress->line[0] = 0;
    } else if (progress->continuous) {
        show(progress);
    }
    pthread_mutex_unlock(&progress->lock);
}

void progress_stop(Progress *progress)
{
    if (progress->runs) {
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
