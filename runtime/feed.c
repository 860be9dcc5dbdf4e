/* runtime/feed.c: push queries: what they give goes to their subscribers, each with a buffer of its own.
 *
 * A subscriber that does not keep up loses its oldest rows and is told how many: the query goes on as if nobody were slow. Rows are copied once for all. */
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

/* Locked. */
static void enqueue(Subscription *subscription, Batch *batch)
{
    while (subscription->count && (subscription->count == subscription->capacity || subscription->queued_rows + batch->row_count > subscription->room_rows))
        drop_oldest(subscription);
    subscription->ring[(subscription->first + subscription->count) % subscription->capacity] = batch_retain(batch);
    subscription->count++;
    subscription->queued_rows += batch->row_count;
}

static void tell_all(const Query *query)
{
    for (const Subscription *each = query->subscribers; each; each = each->next)
        if (each->options.ready)
            each->options.ready(each->options.caller);
}

Error *feed_rows(void *caller, int output, const Batch *batch)
{
    Query *query = caller;
    (void)output;
    if (batch->selection.count == 0)
        return NULL;
    Batch *copy = channel_detach(&query->schema, batch);
    pthread_mutex_lock(&query->feed);
    for (Subscription *each = query->subscribers; each; each = each->next)
        enqueue(each, copy);
    tell_all(query);
    pthread_mutex_unlock(&query->feed);
    batch_release(copy);
    return NULL;
}

void feed_end(Query *query, Error *error)
{
    pthread_mutex_lock(&query->feed);
    query->over = true;
    if (query->end)
        error_free(error);
    else
        query->end = error;
    tell_all(query);
    pthread_mutex_unlock(&query->feed);
}

/* ---- the subscriber's side ---- */

const QueryHeader *subscription_header(const Subscription *subscription) { return &subscription->header; }

static Error *copy_error(const Error *error)
{
    Error *copy = error_new(error->code, "%s", error->message);
    return error->hint ? error_hint(copy, "%s", error->hint) : copy;
}

Batch *subscription_read(Subscription *subscription, uint64_t *dropped, bool *ended, Error **error)
{
    Query *query = subscription->query;
    Batch *batch = NULL;
    bool tell = false;
    *ended = false;
    *error = NULL;
    pthread_mutex_lock(&query->feed);
    *dropped = subscription->dropped;
    subscription->dropped = 0;
    if (subscription->count) {
        batch = subscription->ring[subscription->first];
        subscription->first = (subscription->first + 1) % subscription->capacity;
        subscription->count--;
        subscription->queued_rows -= batch->row_count;
    } else if (query->over) {
        *ended = true;
        tell = query->end && !subscription->told;
        subscription->told = true;
    }
    pthread_mutex_unlock(&query->feed);
    if (tell) /* it does not change any more */
        *error = copy_error(query->end);
    if (*dropped) {
        pthread_mutex_lock(&query->runtime->tasks);
        query->runtime->metrics.rows_dropped += *dropped;
        pthread_mutex_unlock(&query->runtime->tasks);
    }
    return batch;
}

/* Nobody reads it any more. Under control. */
static void end_push(Query *query)
{
    task_stop(query);
    error_free(query_close(query));
    query_unlink(query);
    query_release(query);
}

void subscription_close(Subscription *subscription)
{
    if (!subscription)
        return;
    Query *query = subscription->query;
    Runtime *runtime = query->runtime;
    pthread_mutex_lock(&runtime->control);
    pthread_mutex_lock(&query->feed);
    for (Subscription **at = &query->subscribers; *at; at = &(*at)->next)
        if (*at == subscription) {
            *at = subscription->next;
            break;
        }
    bool last = query->subscribers == NULL;
    while (subscription->count)
        drop_oldest(subscription);
    pthread_mutex_unlock(&query->feed);
    if (last)
        end_push(query);
    pthread_mutex_unlock(&runtime->control);
    runtime->subscription_count--;
    query_release(query);
    mem_free(subscription->ring);
    mem_free(subscription);
}

bool runtime_close_query(Runtime *runtime, const char *id)
{
    pthread_mutex_lock(&runtime->control);
    Query *query = query_find(runtime, id);
    bool found = query && !query->persistent;
    if (found) {
        task_stop(query);
        error_free(query_close(query));
        query_set_state(query, QUERY_TERMINATED, NULL);
        feed_end(query, NULL);
    }
    pthread_mutex_unlock(&runtime->control);
    return found;
}

/* Takes part from now on. Under control. */
Subscription *feed_subscribe(Query *query, const QueryOptions *options)
{
    Runtime *runtime = query->runtime;
    Subscription *subscription = mem_calloc(1, sizeof *subscription);
    MEMORY_HOLD(mem_free, subscription);
    uint64_t rows = options->subscription_rows ? options->subscription_rows : runtime->options.subscription_rows;
    subscription->capacity = rows < RING_BATCHES ? (uint32_t)rows : RING_BATCHES;
    subscription->ring = mem_calloc(subscription->capacity, sizeof *subscription->ring);
    subscription->room_rows = rows;
    subscription->query = query;
    subscription->options = *options;
    subscription->header = (QueryHeader){ .id = query->id, .schema = &query->schema, .updating = query->plan->outputs[0].updating, .continuous = true };
    query_retain(query);
    runtime->subscription_count++;
    pthread_mutex_lock(&query->feed);
    subscription->next = query->subscribers;
    query->subscribers = subscription;
    pthread_mutex_unlock(&query->feed);
    return subscription;
}
