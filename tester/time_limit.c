/* tester/time_limit.c: one thread looks at the clock for all tests, which run one after the other. */
#include "tester/time_limit.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { STOPS_WITHIN_S = 30 }; /* a session that is told to stop takes its time, but not more */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static Session *watched;      /* NULL: nothing runs */
static const char *watched_place;
static int64_t limit_s;       /* without a row; 0: none */
static int64_t deadline_s;    /* of the whole */
static int64_t progress_s;    /* when a row was read, or it began */
static uint64_t progress_rows;
static bool over;

static int64_t now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static void look_for_progress(void)
{
    SessionProgress progress;
    session_progress(watched, &progress);
    if (progress.rows_in == progress_rows)
        return;
    progress_rows = progress.rows_in;
    progress_s = now_s();
}

static void *watch(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&lock);
    for (;;) {
        if (!watched || !limit_s) {
            pthread_cond_wait(&changed, &lock);
            continue;
        }
        look_for_progress();
        const int64_t idle_s = progress_s + limit_s, end_s = over || deadline_s < idle_s ? deadline_s : idle_s;
        if (now_s() < end_s) {
            struct timespec until = { .tv_sec = end_s - now_s() > 5 ? now_s() + 5 : end_s };
            pthread_cond_timedwait(&changed, &lock, &until);
            continue;
        }
        if (over) { /* told, and still there */
            printf("%s does not end, and cannot be stopped\n", watched_place);
            fflush(stdout);
            _exit(1);
        }
        over = true;
        deadline_s = now_s() + STOPS_WITHIN_S;
        session_interrupt(watched);
    }
}

static void open_watch(void)
{
    pthread_condattr_t attributes;
    pthread_t thread;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&changed, &attributes);
    pthread_condattr_destroy(&attributes);
    if (pthread_create(&thread, NULL, watch, NULL) == 0)
        pthread_detach(thread);
}

void time_limit_start(int seconds)
{
    pthread_once(&once, open_watch);
    pthread_mutex_lock(&lock);
    limit_s = seconds;
    deadline_s = now_s() + (int64_t)seconds * TIME_LIMIT_TIMES;
    over = false;
    pthread_mutex_unlock(&lock);
}

void time_limit_watch(Session *session, const char *place)
{
    pthread_mutex_lock(&lock);
    watched = session;
    watched_place = place;
    progress_s = now_s();
    progress_rows = 0;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
}

bool time_limit_unwatch(void)
{
    pthread_mutex_lock(&lock);
    watched = NULL;
    const bool stopped = over;
    pthread_mutex_unlock(&lock);
    return stopped;
}
