/* exec/timers.h: (time, slot), earliest first; equal times by an order that the owner gives.
 *
 *   buckets   2^shift microseconds each, in order, unsorted inside: where timers wait
 *   near      the bucket at hand, sorted, latest first
 *   young     a heap: timers that were added to the bucket at hand
 *
 * Lazy: nobody moves or removes a timer. When its bucket comes up it is re-checked with the owner, who knows the present due time.
 * An index over state: not in snapshots, rebuilt from what the owner keeps per slot. */
#pragma once
#include "exec/state.h"

typedef struct Timer {
    int64_t time_us;
    uint32_t slot;
    uint32_t order; /* compared modulo 2^32: what is in the table spans less than half of it */
} Timer;

typedef struct TimerBucket {
    int64_t number; /* time >> shift */
    Timer *items;
    size_t bytes;
    uint32_t count;
} TimerBucket;

typedef struct Timers {
    MemoryPool *pool;
    int shift;
    /* The slot's due time now, at or after `timer->time_us`; TIME_MAX: the timer is void. May be NULL. */
    int64_t (*recheck)(void *owner, const Timer *timer);
    void *owner;
    TimerBucket *buckets;     /* [first_bucket, bucket_end) ascending */
    size_t buckets_bytes;
    uint32_t first_bucket, bucket_end, last_hit;
    TimerBucket spare;        /* memory of a bucket that is done */
    TimerBucket loading;      /* the bucket that is becoming `near` */
    Timer *near, *young, *scratch;
    size_t near_bytes, young_bytes, scratch_bytes;
    uint32_t near_count, young_count;
    int64_t near_number;      /* bucket number of near and young; timers before it are theirs too */
} Timers;

/* `spread_us`: how far ahead timers usually lie. */
void timers_init(Timers *timers, MemoryPool *pool, int64_t spread_us, int64_t (*recheck)(void *, const Timer *), void *owner);
void timers_release(Timers *timers);
void timers_clear(Timers *timers);
void timers_add(Timers *timers, int64_t time_us, uint32_t slot, uint32_t order);
/* No timer is due before this time. */
int64_t timers_next(const Timers *timers);
/* The earliest timer if it is before limit_us; it is gone then. */
bool timers_pop(Timers *timers, int64_t limit_us, Timer *timer);
