/* runtime/print.c: PRINT in a server: a thread reads the topic as long as somebody wants its lines, and waits for a reader that is slow. */
#include "engine/print.h"

#include "runtime/runtime_internal.h"

#define PRINTS_MAX 64

typedef struct Printer {
    Query *query;
    const PlannedStatement *planned;
    SchemaRegistry *registry;
} Printer;

static bool stops(void *caller) { return ((const Printer *)caller)->query->print_ends; }

static Error *give_lines(void *caller, const Batch *batch)
{
    Query *query = ((const Printer *)caller)->query;
    TRY(feed_rows(query, 0, batch));
    while (!query->print_ends && feed_is_full(query))
        tasks_wait(query->runtime);
    return NULL;
}

static void *run(void *argument)
{
    Printer *printer = argument;
    Query *query = printer->query;
    Runtime *runtime = query->runtime;
    const TopicPrint print = { .planned = printer->planned, .connectors = &runtime->connectors, .clock = runtime->options.clock, .registry = printer->registry, .stops = stops, .lines = give_lines,
                               .caller = printer };
    Error *error;
    MEMORY_GUARDED(error, topic_print(&print));
    if (error && error->code == ERR_INTERRUPTED) {
        error_free(error);
        error = NULL;
    }
    feed_end(query, error);
    query_release(query);
    mem_free(printer);
    pthread_mutex_lock(&runtime->tasks);
    runtime->print_count--;
    pthread_cond_broadcast(&runtime->changed);
    pthread_mutex_unlock(&runtime->tasks);
    return NULL;
}

Error *print_start(Query *query, const PlannedStatement *planned, SchemaRegistry *registry)
{
    Runtime *runtime = query->runtime;
    Printer *printer = mem_calloc(1, sizeof *printer);
    *printer = (Printer){ query, planned, registry };
    pthread_mutex_lock(&runtime->tasks);
    bool fits = runtime->print_count < PRINTS_MAX;
    runtime->print_count += fits;
    pthread_mutex_unlock(&runtime->tasks);
    pthread_t thread;
    query_retain(query);
    if (fits && pthread_create(&thread, NULL, run, printer) == 0) {
        pthread_detach(thread);
        return NULL;
    }
    pthread_mutex_lock(&runtime->tasks);
    runtime->print_count -= fits;
    pthread_mutex_unlock(&runtime->tasks);
    query_release(query);
    mem_free(printer);
    return error_hint(error_new(ERR_UNSUPPORTED, "%d PRINTs run at a time, and not more", PRINTS_MAX), "close one first");
}

void print_stop(Query *query) { query->print_ends = true; }

void prints_wait(Runtime *runtime)
{
    for (bool any = true; any;) {
        pthread_mutex_lock(&runtime->tasks);
        any = runtime->print_count > 0;
        pthread_mutex_unlock(&runtime->tasks);
        if (any)
            tasks_wait(runtime);
    }
}
