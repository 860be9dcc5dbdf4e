/* engine/waiter.c: see waiter.h. */
#include "engine/waiter.h"

#include <time.h>

#define MOMENT_MS 200

static void wake(Waker *waker)
{
    Waiter *waiter = (Waiter *)waker;
    pthread_mutex_lock(&waiter->lock);
    waiter->woken = true;
    pthread_cond_signal(&waiter->changed);
    pthread_mutex_unlock(&waiter->lock);
}

void waiter_init(Waiter *waiter)
{
    *waiter = (Waiter){ .waker = { wake } };
    pthread_mutex_init(&waiter->lock, NULL);
    pthread_cond_init(&waiter->changed, NULL);
}

void waiter_release(Waiter *waiter)
{
    pthread_mutex_destroy(&waiter->lock);
    pthread_cond_destroy(&waiter->changed);
}

void waiter_rest(Waiter *waiter)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += MOMENT_MS * 1000000l;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&waiter->lock);
    if (!waiter->woken)
        pthread_cond_timedwait(&waiter->changed, &waiter->lock, &until);
    waiter->woken = false;
    pthread_mutex_unlock(&waiter->lock);
}
