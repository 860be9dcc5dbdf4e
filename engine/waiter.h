/* engine/waiter.h: waiting for sources and sinks that no job runs: PRINT, replays of dead letters. Private to the room. */
#pragma once
#include <pthread.h>

#include "connectors/connectors.h"

typedef struct Waiter {
    Waker waker;                 /* for ConnectorContext.waker */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool woken;
} Waiter;

void waiter_init(Waiter *waiter);
void waiter_release(Waiter *waiter);
/* Until it is woken, but no longer than a moment: callers look for Ctrl-C. */
void waiter_rest(Waiter *waiter);
