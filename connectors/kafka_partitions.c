/* connectors/kafka_partitions.c: which partitions there are, and where reading them begins and ends. */
#include "connectors/kafka_partitions.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/str.h"
#include "connectors/topic_pattern.h"

#define ASK_MS 30000 /* for offsets.. */
#define AGAIN_MS 100  /* ..so often */

/* ---- which there are ---- */

typedef struct TopicNames { const char **items; int count, capacity; } TopicNames;

/* 'a;b' */
static void split_names(Arena *arena, const char *list, TopicNames *names)
{
    for (const char *at = list; *at;) {
        at += strspn(at, "; ");
        size_t length = strcspn(at, ";"), kept = length;
        while (kept && at[kept - 1] == ' ')
            kept--;
        if (kept)
            LIST_ADD(arena, names, arena_printf(arena, "%.*s", (int)kept, at));
        at += length;
    }
}

static int by_place(const void *left, const void *right)
{
    const KafkaPartition *a = left, *b = right;
    int order = strcmp(a->topic, b->topic);
    return order ? order : (a->number > b->number) - (a->number < b->number);
}

static Error *add_topic(Arena *arena, const struct rd_kafka_metadata_topic *topic, KafkaPartitions *partitions)
{
    if (topic->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
        return error_hint(error_new(ERR_CONNECT, "there is no topic '%s'", topic->topic), "names of topics keep their case; SHOW TOPICS lists them");
    if (topic->err && topic->err != RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE)
        return kafka_error(ERR_CONNECT, topic->err, "cannot read the topic '%s'", topic->topic);
    const char *name = arena_strdup(arena, topic->topic);
    for (int i = 0; i < topic->partition_cnt; i++) {
        int32_t number = topic->partitions[i].id;
        KafkaPartition partition = { .topic = name, .number = number, .name = arena_printf(arena, "%s-%d", name, (int)number), .end = INT64_MAX };
        LIST_ADD(arena, partitions, partition);
    }
    return NULL;
}

static void metadata_unwind(void *what)
{
    const struct rd_kafka_metadata **metadata = what;
    if (*metadata)
        rd_kafka_metadata_destroy(*metadata);
    *metadata = NULL;
}

static Error *add_named(Arena *arena, KafkaClient *client, const char *topic, int64_t patience_ms, KafkaPartitions *partitions)
{
    const struct rd_kafka_metadata *metadata = NULL;
    MEMORY_HOLD(metadata_unwind, &metadata);
    TRY(kafka_client_metadata(client, topic, patience_ms, &metadata));
    Error *error = metadata->topic_cnt == 1 ? add_topic(arena, &metadata->topics[0], partitions)
                                            : error_new(ERR_CONNECT, "the brokers say nothing about the topic '%s'", topic);
    metadata_unwind(&metadata);
    return error;
}

static Error *add_matching(Arena *arena, KafkaClient *client, const char *text, int64_t patience_ms, KafkaPartitions *partitions)
{
    TopicPattern *pattern = NULL;
    TRY(topic_pattern_new(text, &pattern));
    MEMORY_HOLD(topic_pattern_unwind, &pattern);
    const struct rd_kafka_metadata *metadata = NULL;
    MEMORY_HOLD(metadata_unwind, &metadata);
    Error *error = kafka_client_metadata(client, NULL, patience_ms, &metadata);
    for (int i = 0; !error && i < metadata->topic_cnt; i++) {
        const struct rd_kafka_metadata_topic *topic = &metadata->topics[i];
        bool internal = strncmp(topic->topic, "__", 2) == 0; /* the brokers' own */
        if (!internal && !topic->err && topic_pattern_matches(pattern, topic->topic))
            error = add_topic(arena, topic, partitions);
    }
    topic_pattern_unwind(&pattern);
    metadata_unwind(&metadata);
    return error;
}

static bool in_shard(const KafkaOptions *options, int32_t partition) { return options->shards <= 1 || partition % options->shards == options->shard; }

Error *kafka_partitions_find(Arena *arena, KafkaClient *client, const KafkaOptions *options, int64_t patience_ms, KafkaPartitions *partitions)
{
    TopicNames names = { 0 };
    if (options->topic_pattern)
        TRY(add_matching(arena, client, options->topic_pattern, patience_ms, partitions));
    else
        split_names(arena, options->topic, &names);
    for (int i = 0; i < names.count; i++)
        TRY(add_named(arena, client, names.items[i], patience_ms, partitions));
    int kept = 0;
    for (int i = 0; i < partitions->count; i++)
        if (in_shard(options, partitions->items[i].number))
            partitions->items[kept++] = partitions->items[i];
    partitions->count = kept;
    if (kept)
        qsort(partitions->items, (size_t)kept, sizeof *partitions->items, by_place);
    return NULL;
}

/* ---- where reading begins and ends ---- */

static rd_kafka_topic_partition_list_t *list_of(const KafkaPartitions *partitions, int first, int64_t what)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions->count - first + 1);
    for (int i = first; i < partitions->count; i++)
        rd_kafka_topic_partition_list_add(list, partitions->items[i].topic, partitions->items[i].number)->offset = what;
    return list;
}

static Error *cannot_ask(rd_kafka_resp_err_t reason, const KafkaPartition *partition)
{
    return kafka_error(ERR_CONNECT, reason, "cannot ask for the offsets of '%s'", partition->name);
}

/* One try. *again: a partition has no leader that answers, as its topic was only just made or its broker has gone. */
static Error *ask_times_once(KafkaClient *client, const KafkaPartitions *partitions, int first, int64_t when, int64_t *offsets, bool *again)
{
    rd_kafka_topic_partition_list_t *list = list_of(partitions, first, when);
    rd_kafka_resp_err_t failed = rd_kafka_offsets_for_times(kafka_client_handle(client), list, ASK_MS);
    Error *error = failed ? cannot_ask(failed, &partitions->items[first]) : NULL;
    for (int i = 0; i < list->cnt && !error; i++) {
        offsets[i] = list->elems[i].offset;
        if (list->elems[i].err)
            error = cannot_ask(list->elems[i].err, &partitions->items[first + i]);
    }
    rd_kafka_topic_partition_list_destroy(list);
    *again = error && error->retriable && failed != RD_KAFKA_RESP_ERR__TIMED_OUT;
    return error;
}

/* Offsets of the first messages of a time or later; RD_KAFKA_OFFSET_BEGINNING and _END ask for the ends. -1: no such message. */
static Error *ask_times(KafkaClient *client, const KafkaPartitions *partitions, int first, int64_t when, int64_t *offsets)
{
    for (int waited_ms = 0;; waited_ms += AGAIN_MS) {
        bool again;
        Error *error = ask_times_once(client, partitions, first, when, offsets, &again);
        if (!again || waited_ms >= ASK_MS)
            return error;
        error_free(error);
        nanosleep(&(struct timespec){ .tv_nsec = AGAIN_MS * 1000000 }, NULL);
    }
}

/* Those of the group; -1: it has committed none. */
static Error *ask_group(KafkaClient *client, const KafkaPartitions *partitions, int first, int64_t *offsets)
{
    rd_kafka_topic_partition_list_t *list = list_of(partitions, first, RD_KAFKA_OFFSET_INVALID);
    rd_kafka_resp_err_t failed = rd_kafka_committed(kafka_client_handle(client), list, ASK_MS);
    Error *error = failed ? kafka_error(ERR_CONNECT, failed, "cannot ask for the group's committed offsets") : NULL;
    for (int i = 0; i < list->cnt && !error; i++) {
        offsets[i] = list->elems[i].offset < 0 ? -1 : list->elems[i].offset;
        if (list->elems[i].err)
            error = cannot_ask(list->elems[i].err, &partitions->items[first + i]);
    }
    rd_kafka_topic_partition_list_destroy(list);
    return error;
}

/* A group's partition without a committed offset. */
static bool resets_to_latest(const KafkaOptions *options)
{
    const char *reset = options->properties.auto_offset_reset;
    return reset && (name_equal(reset, "latest") || name_equal(reset, "largest"));
}

typedef struct Offsets { int64_t *first, *last, *wanted; } Offsets; /* wanted: -1 where nothing is said */

static Error *locate_starts(KafkaClient *client, const KafkaOptions *options, KafkaPartitions *partitions, int first, Offsets *offsets)
{
    const KafkaStartup mode = kafka_startup(options);
    const int count = partitions->count - first;
    for (int i = 0; i < count; i++)
        offsets->wanted[i] = -1;
    if (mode == STARTUP_GROUP)
        TRY(ask_group(client, partitions, first, offsets->wanted));
    if (mode == STARTUP_TIMESTAMP)
        TRY(ask_times(client, partitions, first, options->startup_timestamp_ms, offsets->wanted));
    for (int i = 0; i < count; i++) {
        KafkaPartition *partition = &partitions->items[first + i];
        if (mode == STARTUP_OFFSETS)
            kafka_offsets_parse(options->startup_offsets, partition->number, &offsets->wanted[i]);
        bool latest = mode == STARTUP_LATEST || mode == STARTUP_TIMESTAMP || (mode != STARTUP_EARLIEST && mode != STARTUP_DEFAULT && resets_to_latest(options));
        partition->from_beginning = offsets->wanted[i] < 0 && !latest;
        partition->last = offsets->last[i];
        partition->next = offsets->wanted[i] >= 0 ? offsets->wanted[i] : latest ? offsets->last[i] : offsets->first[i];
    }
    return NULL;
}

static Error *locate_ends(KafkaClient *client, const KafkaOptions *options, KafkaPartitions *partitions, int first, Offsets *offsets)
{
    const KafkaBounded mode = kafka_bounded(options);
    const int count = partitions->count - first;
    for (int i = 0; i < count; i++)
        offsets->wanted[i] = -1;
    if (mode == BOUNDED_GROUP)
        TRY(ask_group(client, partitions, first, offsets->wanted));
    if (mode == BOUNDED_TIMESTAMP)
        TRY(ask_times(client, partitions, first, options->bounded_timestamp_ms, offsets->wanted));
    for (int i = 0; i < count; i++) {
        KafkaPartition *partition = &partitions->items[first + i];
        if (mode == BOUNDED_OFFSETS)
            kafka_offsets_parse(options->bounded_offsets, partition->number, &offsets->wanted[i]);
        partition->end = mode == BOUNDED_NEVER ? INT64_MAX : offsets->wanted[i] >= 0 ? offsets->wanted[i]
                         : mode == BOUNDED_GROUP ? offsets->first[i] : offsets->last[i]; /* what a group has not begun it has not read */
        partition->ended = partition->next >= partition->end;
    }
    return NULL;
}

Error *kafka_partitions_locate(KafkaClient *client, const KafkaOptions *options, KafkaPartitions *partitions, int first)
{
    const size_t count = (size_t)(partitions->count - first);
    if (!count)
        return NULL;
    Arena arena;
    arena_init(&arena, NULL);
    MEMORY_HOLD(arena_unwind, &arena);
    Offsets offsets = { ARENA_ARRAY(&arena, int64_t, count), ARENA_ARRAY(&arena, int64_t, count), ARENA_ARRAY(&arena, int64_t, count) };
    Error *error = ask_times(client, partitions, first, RD_KAFKA_OFFSET_BEGINNING, offsets.first);
    if (!error)
        error = ask_times(client, partitions, first, RD_KAFKA_OFFSET_END, offsets.last);
    if (!error)
        error = locate_starts(client, options, partitions, first, &offsets);
    if (!error)
        error = locate_ends(client, options, partitions, first, &offsets);
    arena_release(&arena);
    return error;
}

Error *kafka_partition_beginning(KafkaClient *client, const KafkaPartition *partition, int64_t *offset)
{
    KafkaPartitions one = { (KafkaPartition *)partition, 1, 1 };
    return ask_times(client, &one, 0, RD_KAFKA_OFFSET_BEGINNING, offset);
}
