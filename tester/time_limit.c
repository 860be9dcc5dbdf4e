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
static int64_t deadline_s;    /* 0: none */
static bool over;

static int64_t now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static void *watch(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&lock);
    for (;;) {
        if (!watched || !deadline_s) {
            pthread_cond_wait(&changed, &lock);
            continue;
        }
        if (now_s() < deadline_s) {
            struct timespec until = { .tv_sec = deadline_s };
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
    deadline_s = seconds ? now_s() + seconds : 0;
    over = false;
    pthread_mutex_unlock(&lock);
}

void time_limit_watch(Session *session, const char *place)
{
    pthread_mutex_lock(&lock);
    watched = session;
    watched_place = place;
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
