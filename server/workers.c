/* server/workers.c: a few threads for statements, pull queries and rows of push queries: whatever the loop must not wait for. */
#include "server/server_internal.h"

typedef struct Work {
    void (*run)(void *what);
    void *what;
} Work;

struct Workers {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    Work *ring;
    size_t capacity, first, count;
    pthread_t *threads;
    int thread_count;
    bool stopping;
};

static void *run(void *caller)
{
    Workers *workers = caller;
    pthread_mutex_lock(&workers->lock);
    for (;;) {
        while (workers->count == 0 && !workers->stopping)
            pthread_cond_wait(&workers->changed, &workers->lock);
        if (workers->count == 0)
            break;
        Work work = workers->ring[workers->first];
        workers->first = (workers->first + 1) % workers->capacity;
        workers->count--;
        pthread_mutex_unlock(&workers->lock);
        work.run(work.what);
        pthread_mutex_lock(&workers->lock);
    }
    pthread_mutex_unlock(&workers->lock);
    return NULL;
}

Error *workers_new(int threads, size_t most_waiting, Workers **result)
{
    Workers *workers = mem_calloc(1, sizeof *workers);
    pthread_mutex_init(&workers->lock, NULL);
    pthread_cond_init(&workers->changed, NULL);
    workers->capacity = most_waiting;
    workers->ring = mem_calloc(most_waiting, sizeof *workers->ring);
    workers->threads = mem_calloc((size_t)threads, sizeof *workers->threads);
    *result = workers;
    for (; workers->thread_count < threads; workers->thread_count++)
        if (pthread_create(&workers->threads[workers->thread_count], NULL, run, workers) != 0)
            return workers->thread_count ? NULL : error_new(ERR_IO, "cannot start a thread");
    return NULL;
}

void workers_free(Workers *workers)
{
    if (!workers)
        return;
    pthread_mutex_lock(&workers->lock);
    workers->stopping = true;
    pthread_cond_broadcast(&workers->changed);
    pthread_mutex_unlock(&workers->lock);
    for (int i = 0; i < workers->thread_count; i++)
        pthread_join(workers->threads[i], NULL);
    pthread_mutex_destroy(&workers->lock);
    pthread_cond_destroy(&workers->changed);
    mem_free(workers->ring);
    mem_free(workers->threads);
    mem_free(workers);
}

bool workers_add(Workers *workers, void (*run_work)(void *what), void *what)
{
    pthread_mutex_lock(&workers->lock);
    bool room = workers->count < workers->capacity;
    if (room)
        workers->ring[(workers->first + workers->count++) % workers->capacity] = (Work){ run_work, what };
    pthread_cond_signal(&workers->changed);
    pthread_mutex_unlock(&workers->lock);
    return room;
}
