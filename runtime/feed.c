/* runtime/feed.c: push queries: what they give goes to their subscribers, each with a buffer of its own.
 *
 * Of several subscribers one that does not keep up loses its oldest rows and is told how many: the query and the others go on as if nobody were slow. A query with
 * one subscriber waits for him, since it makes nobody else wait: what was there before he came is his to read at his own pace. Rows are copied once for all. */
#include <string.h>

#include "runtime/runtime_internal.h"

#define RING_BATCHES 1024

/* ---- the query's side; on its thread ---- */

/* Locked. */
static void drop_oldest(Subscription *subscription)
{
    Batch **oldest = &subscription->ring[subscription->first];
    subscription->queued_rows -= (*oldest)->row_count;
    subscription->dropped += (*oldest)->row_count;
    batch_release(*oldest);
    subscription->first = (subscription->first + 1) % subscription->capacity;
    subscription->count--;
}

/* Under the query's feed. */
static void enqueue(Subscription *subscription, Batch *batch, bool alone)
{
    pthread_mutex_lock(&subscription->lock);
    while (subscription->count && (subscription->count == subscription->capacity || (!alone && subscription->queued_rows + batch->row_count > subscription->room_rows)))
        drop_oldest(subscription);
    if (!subscription->closed) {
        subscription->ring[(subscription->first + subscription->count) % subscription->capacity] = batch_retain(batch);
        subscription->count++;
        subscription->queued_rows += batch->row_count;
    }
    pthread_mutex_unlock(&subscription->lock);
}

static void tell(const Subscription *subscription)
{
    if (subscription->options.ready)
        subscription->options.ready(subscription->options.caller);
}

/* The only subscriber; NULL: there are several. Under the query's feed. */
static Subscription *only_one(const Query *query) { return query->subscribers && !query->subscribers->next ? query->subscribers : NULL; }

static bool ring_is_full(Query *query, uint32_t *capacity)
{
    bool full = false;
    pthread_mutex_lock(&query->feed);
    Subscription *one = only_one(query);
    if (one) {
        pthread_mutex_lock(&one->lock);
        full = one->count == one->capacity;
        *capacity = one->capacity;
        pthread_mutex_unlock(&one->lock);
    }
    pthread_mutex_unlock(&query->feed);
    return full;
}

/* One turn may give more than the ring of the only subscriber has room for: it grows. Nothing is allocated under a lock. */
static void grow_ring(Query *query)
{
    uint32_t capacity = 0;
    if (!ring_is_full(query, &capacity))
        return;
    Batch **bigger = mem_calloc((size_t)capacity * 2, sizeof *bigger), **former = bigger;
    pthread_mutex_lock(&query->feed);
    Subscription *one = only_one(query);
    if (one && one->capacity == capacity) { /* others have not come meanwhile */
        pthread_mutex_lock(&one->lock);
        for (uint32_t i = 0; i < one->count; i++)
            bigger[i] = one->ring[(one->first + i) % capacity];
        former = one->ring;
        one->ring = bigger;
        one->first = 0;
        one->capacity = capacity * 2;
        pthread_mutex_unlock(&one->lock);
    }
    pthread_mutex_unlock(&query->feed);
    mem_free(former);
}

Error *feed_rows(void *caller, int output, const Batch *batch)
{
    Query *query = caller;
    (void)output;
    if (batch->selection.count == 0)
        return NULL;
    grow_ring(query);
    Batch *copy = channel_detach(&query->schema, batch);
    pthread_mutex_lock(&query->feed);
    const bool alone = only_one(query) != NULL;
    for (Subscription *each = query->subscribers; each; each = each->next) {
        enqueue(each, copy, alone);
        tell(each);
    }
    pthread_mutex_unlock(&query->feed);
    batch_release(copy);
    return NULL;
}

bool feed_is_full(Query *query)
{
    pthread_mutex_lock(&query->feed);
    Subscription *one = only_one(query);
    bool full = false;
    if (one) {
        pthread_mutex_lock(&one->lock);
        full = one->queued_rows * 2 >= one->room_rows && !one->closed;
        one->holds |= full;
        pthread_mutex_unlock(&one->lock);
    }
    pthread_mutex_unlock(&query->feed);
    return full;
}

void feed_note_losses(Query *query)
{
    uint64_t lost = 0;
    for (int i = 0; i < query->port.readers.count; i++)
        lost += channel_reader_dropped(query->port.readers.items[i]);
    if (lost <= query->lost_rows)
        return;
    pthread_mutex_lock(&query->feed);
    for (Subscription *each = query->subscribers; each; each = each->next) {
        pthread_mutex_lock(&each->lock);
        each->dropped += lost - query->lost_rows;
        pthread_mutex_unlock(&each->lock);
        tell(each);
    }
    query->lost_rows = lost;
    pthread_mutex_unlock(&query->feed);
}

void feed_end(Query *query, Error *error)
{
    pthread_mutex_lock(&query->feed);
    query->over = true;
    if (query->end)
        error_free(error);
    else
        query->end = error;
    for (Subscription *each = query->subscribers; each; each = each->next) {
        pthread_mutex_lock(&each->lock);
        each->over = true;
        pthread_mutex_unlock(&each->lock);
        tell(each);
    }
    pthread_mutex_unlock(&query->feed);
}

/* ---- the subscriber's side ---- */

const QueryHeader *subscription_header(const Subscription *subscription) { return &subscription->header; }

static Error *copy_error(const Error *error)
{
    Error *copy = error_new(error->code, "%s", error->message);
    return error->hint ? error_hint(copy, "%s", error->hint) : copy;
}

/* Locked; NULL: there is none. */
static Batch *take_first(Subscription *subscription)
{
    if (!subscription->count)
        return NULL;
    Batch *batch = subscription->ring[subscription->first];
    subscription->first = (subscription->first + 1) % subscription->capacity;
    subscription->count--;
    subscription->queued_rows -= batch->row_count;
    return batch;
}

Batch *subscription_read(Subscription *subscription, uint64_t *dropped, bool *ended, Error **error)
{
    bool fails = false;
    *error = NULL;
    pthread_mutex_lock(&subscription->lock);
    Query *query = subscription->query;
    *dropped = subscription->dropped;
    subscription->dropped = 0;
    Batch *batch = take_first(subscription);
    *ended = !batch && (subscription->over || subscription->closed);
    if (*ended) {
        fails = subscription->over && query->end && !subscription->closed && !subscription->told;
        subscription->told = true;
    }
    bool wake = subscription->holds && subscription->queued_rows * 4 <= subscription->room_rows;
    if (wake)
        subscription->holds = false;
    pthread_mutex_unlock(&subscription->lock);
    if (wake)
        task_wake(query);
    if (fails) /* it does not change any more */
        *error = copy_error(query->end);
    if (*dropped) {
        pthread_mutex_lock(&query->runtime->tasks);
        query->runtime->metrics.rows_dropped += *dropped;
        pthread_mutex_unlock(&query->runtime->tasks);
    }
    return batch;
}

void feed_end_query(Query *query)
{
    print_stop(query);
    task_stop(query);
    error_free(query_close(query));
    query_unlink(query);
    query_release(query);
}

static void unlist(Subscription *subscription)
{
    for (Subscription **at = &subscription->query->subscribers; *at; at = &(*at)->next)
        if (*at == subscription) {
            *at = subscription->next;
            break;
        }
}

static void subscription_free(Subscription *subscription)
{
    query_release(subscription->query);
    query_release(subscription->origin);
    pthread_mutex_destroy(&subscription->lock);
    mem_free(subscription->id);
    mem_free(subscription->ring);
    mem_free(subscription);
}

void subscription_close(Subscription *subscription)
{
    if (!subscription)
        return;
    Runtime *runtime = subscription->origin->runtime;
    pthread_mutex_lock(&runtime->control);
    Query *query = subscription->query;
    pthread_mutex_lock(&query->feed);
    unlist(subscription);
    bool last = query->subscribers == NULL;
    while (subscription->count)
        drop_oldest(subscription);
    pthread_mutex_unlock(&query->feed);
    if (last)
        feed_end_query(query);
    pthread_mutex_unlock(&runtime->control);
    runtime->subscription_count--;
    subscription_free(subscription);
}

/* ---- by id; under control ---- */

Subscription *feed_find(Runtime *runtime, const char *id)
{
    Subscription *found = NULL;
    for (Query *query = runtime->queries; query && !found; query = query->next) {
        pthread_mutex_lock(&query->feed);
        for (Subscription *each = query->subscribers; each && !found; each = each->next)
            found = name_equal(each->id, id) ? each : NULL;
        pthread_mutex_unlock(&query->feed);
    }
    return found;
}

bool feed_close(Subscription *subscription)
{
    Query *query = subscription->query;
    bool others = false;
    pthread_mutex_lock(&query->feed);
    pthread_mutex_lock(&subscription->lock);
    bool closed = subscription->closed;
    subscription->closed = true;
    pthread_mutex_unlock(&subscription->lock);
    tell(subscription);
    for (Subscription *each = query->subscribers; each; each = each->next)
        others |= !each->closed;
    pthread_mutex_unlock(&query->feed);
    if (!others && !query->over) {
        print_stop(query);
        task_stop(query);
        error_free(query_close(query));
        query_set_state(query, QUERY_TERMINATED, NULL);
        feed_end(query, NULL);
    }
    return !closed;
}

bool runtime_close_query(Runtime *runtime, const char *id)
{
    pthread_mutex_lock(&runtime->control);
    Subscription *subscription = feed_find(runtime, id);
    bool found = subscription && feed_close(subscription);
    pthread_mutex_unlock(&runtime->control);
    return found;
}

/* ---- coming and moving; under control ---- */

static void add_subscriber(Query *query, Subscription *subscription)
{
    pthread_mutex_lock(&query->feed);
    subscription->next = query->subscribers;
    query->subscribers = subscription;
    pthread_mutex_unlock(&query->feed);
    task_wake(query); /* it waits for nobody any more */
}

Subscription *feed_subscribe(Query *query, const char *id, const QueryOptions *options)
{
    Runtime *runtime = query->runtime;
    Subscription *subscription = mem_calloc(1, sizeof *subscription);
    MEMORY_HOLD(mem_free, subscription);
    uint64_t rows = options->subscription_rows ? options->subscription_rows : runtime->options.subscription_rows;
    subscription->capacity = rows < RING_BATCHES ? (uint32_t)rows : RING_BATCHES;
    subscription->ring = mem_calloc(subscription->capacity, sizeof *subscription->ring);
    MEMORY_HOLD(mem_free, subscription->ring);
    subscription->id = mem_strdup(id);
    pthread_mutex_init(&subscription->lock, NULL);
    subscription->room_rows = rows;
    subscription->query = subscription->origin = query;
    subscription->options = *options;
    subscription->header = (QueryHeader){ .id = subscription->id, .schema = &query->schema, .updating = query->plan && query->plan->outputs[0].updating, .continuous = true, .lines = query->prints };
    query_retain(query); /* as origin.. */
    query_retain(query); /* ..and as what it reads */
    runtime->subscription_count++;
    add_subscriber(query, subscription);
    return subscription;
}

void feed_move(Query *from, Query *to)
{
    pthread_mutex_lock(&from->feed);
    Subscription *list = from->subscribers;
    from->subscribers = NULL;
    pthread_mutex_unlock(&from->feed);
    while (list) {
        Subscription *subscription = list;
        list = list->next;
        query_retain(to);
        pthread_mutex_lock(&subscription->lock);
        subscription->query = to;
        pthread_mutex_unlock(&subscription->lock);
        add_subscriber(to, subscription);
        query_release(from);
    }
}
