/* exec/timers.c: see timers.h. */
#include "exec/timers.h"
#include <stdlib.h>
#include <string.h>

enum { BUCKETS_A_SPREAD = 64, SMALL_SORT = 48 };

void timers_init(Timers *timers, MemoryPool *pool, int64_t spread_us, int64_t (*recheck)(void *, const Timer *), void *owner)
{
    *timers = (Timers){ .pool = pool, .recheck = recheck, .owner = owner, .near_number = INT64_MIN };
    while (spread_us / BUCKETS_A_SPREAD >> timers->shift > 1)
        timers->shift++;
}

void timers_clear(Timers *timers)
{
    for (uint32_t i = timers->first_bucket; i < timers->bucket_end; i++)
        state_block_free(timers->pool, timers->buckets[i].items, timers->buckets[i].bytes);
    state_block_free(timers->pool, timers->loading.items, timers->loading.bytes);
    timers->loading = (TimerBucket){ 0 };
    timers->first_bucket = timers->bucket_end = timers->last_hit = 0;
    timers->near_count = timers->young_count = 0;
    timers->near_number = INT64_MIN;
}

void timers_release(Timers *timers)
{
    timers_clear(timers);
    state_block_free(timers->pool, timers->buckets, timers->buckets_bytes);
    state_block_free(timers->pool, timers->spare.items, timers->spare.bytes);
    state_block_free(timers->pool, timers->near, timers->near_bytes);
    state_block_free(timers->pool, timers->young, timers->young_bytes);
    state_block_free(timers->pool, timers->scratch, timers->scratch_bytes);
    *timers = (Timers){ 0 };
}

static inline bool timer_before(const Timer *a, const Timer *b)
{
    return a->time_us != b->time_us ? a->time_us < b->time_us : (int32_t)(a->order - b->order) < 0;
}

static Timer *reserve(Timers *timers, Timer *items, size_t *bytes, uint32_t used, uint32_t needed)
{
    if (*bytes >= sizeof(Timer) * (size_t)needed)
        return items;
    return state_block_grow(timers->pool, items, bytes, sizeof(Timer) * (size_t)used, sizeof(Timer) * (size_t)needed);
}

/* ---- the heap of young timers ---- */

static void young_add(Timers *timers, Timer timer)
{
    timers->young = reserve(timers, timers->young, &timers->young_bytes, timers->young_count, timers->young_count + 1);
    uint32_t at = timers->young_count++;
    for (; at && timer_before(&timer, &timers->young[(at - 1) / 2]); at = (at - 1) / 2)
        timers->young[at] = timers->young[(at - 1) / 2];
    timers->young[at] = timer;
}

static Timer young_take(Timers *timers)
{
    Timer top = timers->young[0], last = timers->young[--timers->young_count];
    uint32_t at = 0, count = timers->young_count;
    for (uint32_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && timer_before(&timers->young[child + 1], &timers->young[child]))
            child++;
        if (!timer_before(&timers->young[child], &last))
            break;
        timers->young[at] = timers->young[child];
    }
    if (count)
        timers->young[at] = last;
    return top;
}

/* ---- buckets ---- */

static TimerBucket *bucket_of(Timers *timers, int64_t number)
{
    if (timers->last_hit >= timers->first_bucket && timers->last_hit < timers->bucket_end &&
        timers->buckets[timers->last_hit].number == number)
        return &timers->buckets[timers->last_hit];
    uint32_t low = timers->first_bucket, high = timers->bucket_end;
    if (low < high && timers->buckets[high - 1].number < number)
        low = high; /* the usual new one */
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (timers->buckets[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < timers->bucket_end && timers->buckets[low].number == number) {
        timers->last_hit = low;
        return &timers->buckets[low];
    }
    uint32_t used = timers->bucket_end;
    if (timers->buckets_bytes < sizeof(TimerBucket) * ((size_t)used + 1)) {
        if (timers->first_bucket > used / 2) { /* the front is free: move down instead */
            uint32_t first = timers->first_bucket;
            memmove(timers->buckets, timers->buckets + first, sizeof(TimerBucket) * (used - first));
            timers->first_bucket = 0;
            timers->bucket_end = used -= first;
            low -= first;
        } else {
            timers->buckets = state_block_grow(timers->pool, timers->buckets, &timers->buckets_bytes, sizeof(TimerBucket) * (size_t)used,
                                               sizeof(TimerBucket) * ((size_t)used + 1));
        }
    }
    memmove(timers->buckets + low + 1, timers->buckets + low, sizeof(TimerBucket) * (used - low));
    timers->buckets[low] = timers->spare;
    timers->buckets[low].number = number;
    timers->buckets[low].count = 0;
    timers->spare = (TimerBucket){ 0 };
    timers->bucket_end++;
    timers->last_hit = low;
    return &timers->buckets[low];
}

void timers_add(Timers *timers, int64_t time_us, uint32_t slot, uint32_t order)
{
    Timer timer = { time_us, slot, order };
    int64_t number = time_us >> timers->shift;
    if (number <= timers->near_number) {
        young_add(timers, timer);
        return;
    }
    TimerBucket *bucket = bucket_of(timers, number);
    bucket->items = reserve(timers, bucket->items, &bucket->bytes, bucket->count, bucket->count + 1);
    bucket->items[bucket->count++] = timer;
}

/* ---- sorting a bucket, latest first ---- */

static int latest_first(const void *a, const void *b)
{
    const Timer *x = a, *y = b;
    return timer_before(y, x) - timer_before(x, y);
}

static void insertion_sort(Timer *items, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        Timer item = items[i];
        uint32_t at = i;
        for (; at && timer_before(&items[at - 1], &item); at--)
            items[at] = items[at - 1];
        items[at] = item;
    }
}

static void sort_near(Timers *timers)
{
    uint32_t count = timers->near_count;
    if (count < SMALL_SORT) {
        insertion_sort(timers->near, count);
        return;
    }
    int64_t low = INT64_MAX, high = INT64_MIN;
    for (uint32_t i = 0; i < count; i++) {
        int64_t time = timers->near[i].time_us;
        low = time < low ? time : low;
        high = time > high ? time : high;
    }
    timers->scratch = reserve(timers, timers->scratch, &timers->scratch_bytes, 0, (uint32_t)(timers->near_bytes / sizeof(Timer)));
    uint64_t range = (uint64_t)high - (uint64_t)low;
    for (int shift = 0; shift < 64 && range >> shift; shift += 8) { /* by bytes of the distance to the latest */
        uint32_t starts[257] = { 0 };
        for (uint32_t i = 0; i < count; i++)
            starts[(((uint64_t)high - (uint64_t)timers->near[i].time_us) >> shift & 255) + 1]++;
        for (int digit = 0; digit < 256; digit++)
            starts[digit + 1] += starts[digit];
        for (uint32_t i = 0; i < count; i++)
            timers->scratch[starts[((uint64_t)high - (uint64_t)timers->near[i].time_us) >> shift & 255]++] = timers->near[i];
        Timer *sorted = timers->scratch;
        size_t sorted_bytes = timers->scratch_bytes;
        timers->scratch = timers->near;
        timers->scratch_bytes = timers->near_bytes;
        timers->near = sorted;
        timers->near_bytes = sorted_bytes;
    }
    for (uint32_t i = 0, end; i < count; i = end) { /* equal times by order */
        for (end = i + 1; end < count && timers->near[end].time_us == timers->near[i].time_us;)
            end++;
        if (end - i > 1 && end - i < SMALL_SORT)
            insertion_sort(timers->near + i, end - i);
        else if (end - i > 1)
            qsort(timers->near + i, end - i, sizeof(Timer), latest_first);
    }
}

/* The first bucket becomes the one at hand. */
static void load_bucket(Timers *timers)
{
    TimerBucket bucket = timers->buckets[timers->first_bucket];
    timers->near = reserve(timers, timers->near, &timers->near_bytes, 0, bucket.count);
    timers->loading = bucket;
    timers->first_bucket++;
    if (timers->first_bucket == timers->bucket_end)
        timers->first_bucket = timers->bucket_end = 0;
    timers->near_number = bucket.number;
    timers->near_count = 0;
    state_block_free(timers->pool, timers->spare.items, timers->spare.bytes);
    timers->spare = (TimerBucket){ 0 };
    for (uint32_t i = 0; i < bucket.count; i++) {
        Timer timer = bucket.items[i];
        int64_t time_us = timers->recheck ? timers->recheck(timers->owner, &timer) : timer.time_us;
        if (time_us == INT64_MAX)
            continue;
        timer.time_us = time_us;
        if (time_us >> timers->shift == bucket.number)
            timers->near[timers->near_count++] = timer;
        else
            timers_add(timers, time_us, timer.slot, timer.order);
    }
    timers->loading = (TimerBucket){ 0 };
    if (timers->spare.items)
        state_block_free(timers->pool, bucket.items, bucket.bytes);
    else
        timers->spare = bucket;
    sort_near(timers);
}

int64_t timers_next(const Timers *timers)
{
    int64_t next = INT64_MAX;
    if (timers->near_count)
        next = timers->near[timers->near_count - 1].time_us;
    if (timers->young_count && timers->young[0].time_us < next)
        next = timers->young[0].time_us;
    if (next == INT64_MAX && timers->first_bucket < timers->bucket_end)
        next = (int64_t)((uint64_t)timers->buckets[timers->first_bucket].number << timers->shift);
    return next;
}

bool timers_pop(Timers *timers, int64_t limit_us, Timer *timer)
{
    for (;;) {
        const Timer *near = timers->near_count ? &timers->near[timers->near_count - 1] : NULL;
        const Timer *young = timers->young_count ? &timers->young[0] : NULL;
        if (near || young) {
            bool from_young = !near || (young && timer_before(young, near));
            *timer = from_young ? *young : *near;
            if (timer->time_us >= limit_us)
                return false;
            if (from_young)
                young_take(timers);
            else
                timers->near_count--;
            return true;
        }
        if (timers->first_bucket == timers->bucket_end || timers_next(timers) >= limit_us)
            return false;
        load_bucket(timers);
    }
}
