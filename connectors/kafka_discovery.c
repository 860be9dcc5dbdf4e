/* connectors/kafka_discovery.c: looks for new partitions while a source is read, for topics that are gone, and for a twin. */
#include "connectors/kafka_discovery.h"
#include "connectors/kafka_twin.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#include "common/calendar.h"

#define PATIENCE_MS 1000 /* who stops the search may have to wait for so long */

struct KafkaDiscovery {
    Source *source;
    KafkaClient *client;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    Arena arena;             /* the thread's own.. */
    KafkaPartitions known;   /* ..as is this: it only grows, and what it was stays in the arena */
    int taken;               /* of the known ones, those that the source has */
    bool running;
    atomic_bool stop;
    /* under the lock */
    KafkaPartitions published;
    Error *error;
};

static bool is_among(const KafkaPartitions *partitions, const KafkaPartition *partition)
{
    for (int i = 0; i < partitions->count; i++)
        if (partitions->items[i].number == partition->number && strcmp(partitions->items[i].topic, partition->topic) == 0)
            return true;
    return false;
}

static void add_copy(Arena *arena, const KafkaPartition *partition, KafkaPartitions *partitions)
{
    KafkaPartition copy = *partition;
    copy.topic = arena_strdup(arena, partition->topic);
    copy.name = arena_strdup(arena, partition->name);
    copy.queue = NULL;
    LIST_ADD(arena, partitions, copy);
}

/* A topic of a list that is not there is an error of the search itself; one of a pattern is missed here. */
static Error *look_for_gone(const KafkaDiscovery *discovery, const KafkaPartitions *now)
{
    for (int i = 0; i < discovery->known.count; i++)
        if (!is_among(now, &discovery->known.items[i]))
            return error_new(ERR_IO, "there is no '%s'", discovery->known.items[i].name);
    return NULL;
}

/* Adds what is new to `known`, with the offset at which it begins. What cannot be asked for now is asked for again. */
static Error *look(KafkaDiscovery *discovery, Arena *arena)
{
    KafkaPartitions now = { 0 };
    const KafkaOptions *options = discovery->source->spec->options;
    TRY(kafka_partitions_find(arena, discovery->client, options, PATIENCE_MS, &now));
    if (options->shards > 1 && options->properties.group_id)
        TRY(kafka_twin_look(discovery->client, options, &discovery->known));
    TRY(look_for_gone(discovery, &now));
    for (int i = 0; i < now.count; i++) {
        KafkaPartition *partition = &now.items[i];
        if (is_among(&discovery->known, partition))
            continue;
        TRY(kafka_partition_beginning(discovery->client, partition, &partition->next));
        partition->from_beginning = true;
        add_copy(&discovery->arena, partition, &discovery->known);
    }
    return NULL;
}

static Error *look_once(KafkaDiscovery *discovery)
{
    Arena arena;
    arena_init(&arena, NULL);
    MEMORY_HOLD(arena_unwind, &arena);
    Error *error = look(discovery, &arena);
    arena_release(&arena);
    return error;
}

/* False: the search is over. */
static bool publish(KafkaDiscovery *discovery, Error *error)
{
    bool passing = error && (error->retriable || error->code == ERR_MEMORY);
    pthread_mutex_lock(&discovery->lock);
    bool news = discovery->published.count != discovery->known.count || (error && !passing);
    discovery->published = discovery->known;
    if (error && !passing)
        discovery->error = error_context(error, "while it was read");
    bool stop = discovery->stop;
    pthread_mutex_unlock(&discovery->lock);
    if (passing)
        error_free(error);
    if (news && !stop) {
        discovery->source->found = true;
        connector_wake(discovery->source->context);
    }
    return !stop && (!error || passing);
}

static void sleep_until_next(KafkaDiscovery *discovery, int64_t us)
{
    struct timespec when;
    clock_gettime(CLOCK_MONOTONIC, &when);
    int64_t ns = when.tv_nsec + us % US_PER_SECOND * 1000;
    when.tv_sec += us / US_PER_SECOND + ns / 1000000000;
    when.tv_nsec = ns % 1000000000;
    pthread_mutex_lock(&discovery->lock);
    for (int waited = 0; !discovery->stop && waited == 0;)
        waited = pthread_cond_timedwait(&discovery->changed, &discovery->lock, &when);
    pthread_mutex_unlock(&discovery->lock);
}

static void *search(void *what)
{
    KafkaDiscovery *discovery = what;
    const KafkaOptions *options = discovery->source->spec->options;
    Error *error;
    do {
        sleep_until_next(discovery, options->discovery_interval_us);
        error = NULL;
        if (!discovery->stop)
            MEMORY_GUARDED(error, look_once(discovery));
    } while (publish(discovery, error));
    return NULL;
}

/* ---- for the source ---- */

Error *kafka_discovery_start(Source *source, KafkaClient *client, const KafkaPartitions *known, KafkaDiscovery **result)
{
    KafkaDiscovery *discovery = *result = mem_calloc(1, sizeof *discovery);
    pthread_condattr_t monotonic;
    discovery->source = source;
    discovery->client = client;
    pthread_mutex_init(&discovery->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&discovery->changed, &monotonic);
    arena_init(&discovery->arena, NULL);
    for (int i = 0; i < known->count; i++)
        add_copy(&discovery->arena, &known->items[i], &discovery->known);
    discovery->published = discovery->known;
    discovery->taken = known->count;
    discovery->running = pthread_create(&discovery->thread, NULL, search, discovery) == 0;
    return discovery->running ? NULL : error_new(ERR_CONNECT, "there is no thread to look for new partitions");
}

void kafka_discovery_stop(KafkaDiscovery *discovery)
{
    if (!discovery)
        return;
    pthread_mutex_lock(&discovery->lock);
    discovery->stop = true;
    pthread_cond_signal(&discovery->changed);
    pthread_mutex_unlock(&discovery->lock);
    if (discovery->running)
        pthread_join(discovery->thread, NULL);
    error_free(discovery->error);
    arena_release(&discovery->arena);
    mem_free(discovery);
}

Error *kafka_discovery_take(KafkaDiscovery *discovery, Arena *arena, KafkaPartitions *partitions)
{
    pthread_mutex_lock(&discovery->lock);
    KafkaPartitions published = discovery->published;
    Error *error = discovery->error;
    discovery->error = NULL;
    pthread_mutex_unlock(&discovery->lock);
    for (; !error && discovery->taken < published.count; discovery->taken++)
        add_copy(arena, &published.items[discovery->taken], partitions);
    return error;
}
