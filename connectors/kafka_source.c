/* connectors/kafka_source.c: a broker's topics as a source: one split a partition, positions are offsets.
 *
 * Partitions are assigned by hand: nobody else moves them, and offsets come from the engine's snapshots. Each has a queue of its own, so a partition that
 * is not read (a slow query, or one that is ahead of the others) is not fetched either once its queue is full: that is all there is to backpressure. */
#include "connectors/kafka_internal.h"
#include "connectors/kafka_page.h"
#include "connectors/kafka_partitions.h"

#include <string.h>

#define LOOK_AGAIN_US 2000   /* while nothing is there */
#define TROUBLE_US 100000    /* so often the client is asked how it does */

typedef struct KafkaSource {
    Arena arena;
    KafkaClient *client;
    KafkaPages *pages;
    KafkaPartitions partitions;
    bool started;                /* the partitions are being fetched */
    int64_t trouble_at_us;
} KafkaSource;

/* ---- opening ---- */

static void forget_queues(KafkaSource *state)
{
    for (int i = 0; i < state->partitions.count; i++) {
        if (state->partitions.items[i].queue)
            rd_kafka_queue_destroy(state->partitions.items[i].queue);
        state->partitions.items[i].queue = NULL;
    }
}

static void source_close(Source *source)
{
    KafkaSource *state = source->state;
    source->state = NULL;
    mem_free(source->splits);
    source->splits = NULL;
    source->split_count = 0;
    if (!state)
        return;
    forget_queues(state);
    kafka_client_free(state->client);
    kafka_pages_release(state->pages);
    arena_release(&state->arena);
    mem_free(state);
}

/* How many partitions there are decides how large a client's queues may be, and only a client can ask: the first one does no more than that. */
static Error *find_partitions(Source *source, KafkaSource *state)
{
    const KafkaOptions *options = source->spec->options;
    KafkaClient *client = NULL;
    MEMORY_HOLD(kafka_client_unwind, &client);
    TRY(kafka_client_new_consumer(source->context, options, 1, &client));
    Error *error = kafka_partitions_find(&state->arena, client, options, &state->partitions);
    if (!error)
        error = kafka_partitions_locate(client, options, &state->partitions, 0);
    kafka_client_unwind(&client);
    return error;
}

static Error *source_open(Source *source)
{
    const KafkaOptions *options = source->spec->options;
    KafkaSource *state = source->state = mem_calloc(1, sizeof *state);
    arena_init(&state->arena, NULL);
    state->pages = kafka_pages_new(source->context->pool);
    TRY(find_partitions(source, state));
    TRY(kafka_client_new_consumer(source->context, options, state->partitions.count, &state->client));
    source->splits = mem_calloc((size_t)state->partitions.count + 1, sizeof *source->splits);
    for (int i = 0; i < state->partitions.count; i++) {
        const KafkaPartition *partition = &state->partitions.items[i];
        source->splits[i] = (SourceSplit){ .name = partition->name, .length = -1, .bounded = partition->end != INT64_MAX, .start = (uint64_t)partition->next };
    }
    source->split_count = state->partitions.count;
    return NULL;
}

/* ---- fetching ---- */

/* Begins to fetch from where every partition stands, with a queue of its own for each. */
static Error *start(KafkaSource *state)
{
    rd_kafka_t *handle = kafka_client_handle(state->client);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(state->partitions.count + 1);
    for (int i = 0; i < state->partitions.count; i++) {
        KafkaPartition *partition = &state->partitions.items[i];
        if (partition->ended)
            continue;
        rd_kafka_topic_partition_list_add(list, partition->topic, partition->number)->offset = partition->next;
        if (!partition->queue)
            partition->queue = rd_kafka_queue_get_partition(handle, partition->topic, partition->number);
        rd_kafka_queue_forward(partition->queue, NULL);
    }
    rd_kafka_resp_err_t failed = rd_kafka_assign(handle, list);
    rd_kafka_topic_partition_list_destroy(list);
    state->started = true;
    return failed ? kafka_error(ERR_CONNECT, failed, "cannot read from Kafka") : NULL;
}

static Error *source_seek(Source *source, int split, uint64_t position)
{
    KafkaSource *state = source->state;
    KafkaPartition *partition = &state->partitions.items[split];
    partition->next = (int64_t)position;
    partition->from_beginning = partition->caught_up = false;
    partition->ended = partition->next >= partition->end;
    if (state->started)
        rd_kafka_assign(kafka_client_handle(state->client), NULL);
    state->started = false;
    return NULL;
}

/* ---- taking messages ---- */

typedef struct Filling {
    KafkaSource *state;
    KafkaPartition *partition;
    KafkaPage *page;
    uint64_t most, count;
    bool headers, no_memory;
    rd_kafka_resp_err_t failed;
} Filling;

static void take_event(Filling *filling, const rd_kafka_message_t *message)
{
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) { /* it may stand behind the last message: control records, compaction */
        filling->partition->caught_up = true;
        if (message->offset > filling->partition->next)
            filling->partition->next = message->offset;
        filling->partition->ended |= filling->partition->next >= filling->partition->end;
        return;
    }
    filling->failed = message->err;
    rd_kafka_yield(kafka_client_handle(filling->state->client));
}

/* librdkafka calls this for each message: nothing here may leave by a jump. */
static void take_message(rd_kafka_message_t *message, void *opaque)
{
    Filling *filling = opaque;
    KafkaPartition *partition = filling->partition;
    if (message->err) {
        take_event(filling, message);
        return;
    }
    if (message->offset < partition->next || partition->ended) /* of before a seek; behind the end */
        return;
    if (message->offset >= partition->end) {
        partition->ended = true;
        return;
    }
    filling->no_memory |= !kafka_page_add(filling->page, message, filling->headers);
    partition->next = message->offset + 1;
    partition->from_beginning = false;
    partition->caught_up = false;
    partition->ended = partition->next >= partition->end;
    if (++filling->count == filling->most || kafka_page_full(filling->page) || filling->no_memory)
        rd_kafka_yield(kafka_client_handle(filling->state->client));
}

static Error *partition_failed(KafkaSource *state, KafkaPartition *partition, rd_kafka_resp_err_t reason)
{
    if (reason == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET || reason == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE) {
        if (partition->from_beginning) { /* the beginning has moved before anything was read */
            partition->next = RD_KAFKA_OFFSET_BEGINNING;
            state->started = false;
            return NULL;
        }
        return error_hint(error_new(ERR_IO, "the messages of '%s' from offset %lld on are no longer there", partition->name, (long long)partition->next),
                          "the topic keeps them for too short a time, or was made anew");
    }
    if (reason == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || reason == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC || reason == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION)
        return error_new(ERR_IO, "the topic '%s' was deleted while it was read", partition->topic);
    return kafka_error(ERR_IO, reason, "cannot read '%s'", partition->name);
}

static Error *look_for_trouble(KafkaSource *state, int64_t now_us)
{
    if (now_us < state->trouble_at_us)
        return NULL;
    state->trouble_at_us = now_us + TROUBLE_US;
    return kafka_client_trouble(state->client);
}

static void page_unwind(void *page) { kafka_page_give_back(page); }

/* Moves what the partition's queue holds into a page; NULL: there was nothing. */
static Error *fill_page(Source *source, KafkaPartition *partition, uint64_t most, KafkaPage **result)
{
    KafkaSource *state = source->state;
    KafkaPage *page = kafka_page_take(state->pages);
    MEMORY_HOLD(page_unwind, page);
    Filling filling = { .state = state, .partition = partition, .page = page, .most = most, .headers = source->spec->wants_headers };
    rd_kafka_consume_callback_queue(partition->queue, 0, take_message, &filling);
    if (filling.no_memory)
        memory_raise();
    Error *error = filling.failed ? partition_failed(state, partition, filling.failed) : NULL;
    *result = error || filling.count == 0 ? NULL : page;
    if (!*result)
        kafka_page_give_back(page);
    return error;
}

static Error *source_next(Source *source, int split, uint64_t max_rows, int64_t now_us, RowRange *range)
{
    KafkaSource *state = source->state;
    KafkaPartition *partition = &state->partitions.items[split];
    KafkaPage *page = NULL;
    if (!state->started)
        TRY(start(state));
    TRY(look_for_trouble(state, now_us));
    uint64_t first = (uint64_t)partition->next;
    if (!partition->ended)
        TRY(fill_page(source, partition, max_rows, &page));
    *range = (RowRange){ .first = first, .next = (uint64_t)partition->next, .end = partition->ended };
    if (page) {
        const RecordSet *set = kafka_page_set(page, partition->topic, partition->number);
        range->count = set->count;
        range->page = page;
        range->page_free = kafka_page_give_back;
    } else if (!range->end) {
        range->waiting = true;
        range->next_at_us = now_us + LOOK_AGAIN_US;
    }
    return NULL;
}

static int64_t source_progress(Source *source, int split)
{
    return ((KafkaSource *)source->state)->partitions.items[split].next;
}

const SourceType kafka_broker_source = {
    .row_source = true,
    .record_source = true,
    .open = source_open,
    .close = source_close,
    .seek = source_seek,
    .next_rows = source_next,
    .progress = source_progress,
};
