/* tests/kafka/source.c: the connector's source by itself, as a job that takes snapshots uses it.
 *
 *   source ADDRESSES TOPIC GROUP SHARD SHARDS SECONDS
 *
 * Reads, commits what it has read every 100 ms or so, and prints how many messages there were. Ends with code 1 and the error's text where there is one. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "connectors/connectors_internal.h"

static int fail(Error *error)
{
    printf("%s\n", error->message);
    error_free(error);
    return 1;
}

static Error *read_some(Source *source, const SourceType *type, uint64_t positions[], uint64_t *messages)
{
    for (int s = 0; s < source->split_count; s++) {
        RowRange range;
        TRY(type->next_rows(source, s, 1000, 0, &range));
        *messages += range.count;
        positions[s] = range.next;
        if (range.page)
            range.page_free(range.page);
    }
    return NULL;
}

static Error *run(Source *source, const SourceType *type, int seconds, uint64_t *messages)
{
    uint64_t positions[64] = { 0 };
    for (int i = 0; i < seconds * 10; i++) {
        TRY(read_some(source, type, positions, messages));
        TRY(type->commit(source, positions));
        if (atomic_exchange(&source->found, false))
            TRY(type->discover(source));
        nanosleep(&(struct timespec){ .tv_nsec = 50000000 + rand() % 100 * 1000000 }, NULL); /* two of them are in no step */
    }
    return NULL;
}

int main(int count, char **words)
{
    if (count != 7)
        return 2;
    Arena arena;
    srand((unsigned)getpid());
    arena_init(&arena, NULL);
    const ConnectorType *kafka = connector_find("kafka");
    OptionEntry entries[] = { { .name = "properties.bootstrap.servers", .value = words[1] }, { .name = "topic", .value = words[2] }, { .name = "properties.group.id", .value = words[3] },
                              { .name = "shard", .value = words[4] }, { .name = "shards", .value = words[5] }, { .name = "scan.topic-partition-discovery.interval", .value = "300 ms" } };
    OptionTarget target = { kafka->options, arena_calloc(&arena, 1, kafka->options_size), NULL };
    Error *error = options_parse(&arena, entries, 6, &target, 1, SPAN_NONE);
    ConnectorContext context = { .filesystem = filesystem_system(), .clock = clock_system() };
    SourceSpec spec = { .connector = kafka, .options = target.options };
    Source source = { .spec = &spec, .context = &context };
    uint64_t messages = 0;
    if (!error)
        error = kafka->source->open(&source);
    if (!error)
        error = run(&source, kafka->source, atoi(words[6]), &messages);
    kafka->source->close(&source);
    arena_release(&arena);
    if (error)
        return fail(error);
    printf("%llu\n", (unsigned long long)messages);
    return 0;
}
