/* telemetry/tracer.c: the tracer's life. */
#include <stdlib.h>

#include "telemetry/telemetry_internal.h"

static Error *start(Tracer *tracer)
{
    TRY(settings_resolve(&tracer->arena, &tracer->options, &tracer->settings));
    if (!tracer->settings.url)
        return NULL;
    tracer->ring = mem_calloc((size_t)tracer->settings.queue_most, sizeof *tracer->ring);
    return exporter_start(tracer);
}

static void release(Tracer *tracer)
{
    for (; tracer->count > 0; tracer->count--) {
        trace_discard(tracer->ring[tracer->first]);
        tracer->first = (tracer->first + 1) % tracer->settings.queue_most;
    }
    pthread_mutex_destroy(&tracer->lock);
    pthread_cond_destroy(&tracer->changed);
    mem_free(tracer->ring);
    arena_release(&tracer->arena);
    mem_free(tracer);
}

Error *tracer_new(const TracerOptions *options, Tracer **result)
{
    Tracer *tracer = mem_calloc(1, sizeof *tracer);
    pthread_condattr_t attributes;
    arena_init(&tracer->arena, NULL);
    pthread_mutex_init(&tracer->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&tracer->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    tracer->options = *options;
    Error *error;
    MEMORY_GUARDED(error, start(tracer));
    *result = !error && tracer->settings.url ? tracer : NULL;
    if (!*result)
        release(tracer);
    return error;
}

void tracer_free(Tracer *tracer)
{
    if (!tracer)
        return;
    exporter_stop(tracer);
    release(tracer);
}

void tracer_statistics(Tracer *tracer, TracerStatistics *statistics)
{
    *statistics = (TracerStatistics){ 0 };
    if (!tracer)
        return;
    pthread_mutex_lock(&tracer->lock);
    *statistics = tracer->statistics;
    statistics->waiting = tracer->count;
    pthread_mutex_unlock(&tracer->lock);
}
