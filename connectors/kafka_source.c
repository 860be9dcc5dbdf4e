/* connectors/kafka_source.c: a broker's topics as a source: one split a partition, positions are offsets.
 *
 * Partitions are assigned by hand: nobody else moves them, and offsets come from the engine's snapshots. Each has a queue of its own, so a partition that
 * is not read (a slow query, or one that is ahead of the others) is not fetched either once its queue is full: that is all there is to backpressure. */
#include "connectors/kafka_discovery.h"
#include "connectors/kafka_internal.h"
#include "connectors/kafka_page.h"
#include "connectors/kafka_twin.h"

#define LOOK_AGAIN_US 5000   /* where nobody can be woken */
#define QUEUE_LOW 500        /* messages of a partition, fewer than the client ever wants to have */

typedef struct KafkaSource {
    Arena arena;
    const ConnectorContext *context;
    KafkaClient *client;
    KafkaPages *pages;
    KafkaPartitions partitions;
    KafkaDiscovery *discovery;   /* NULL: none yet, or none wanted */
    rd_kafka_queue_t *news, *group; /* what the client says beside messages: of brokers, of the group */
    atomic_bool has_news;        /* there is something in one of them */
    bool started;                /* the partitions are being fetched */
} KafkaSource;

/* ---- opening ---- */

/* Afterwards nobody is called from it. */
static void forget_queue(rd_kafka_queue_t **queue)
{
    if (!*queue)
        return;
    rd_kafka_queue_cb_event_enable(*queue, NULL, NULL);
    rd_kafka_queue_destroy(*queue);
    *queue = NULL;
}

static void forget_queues(KafkaSource *state)
{
    forget_queue(&state->news);
    forget_queue(&state->group);
    for (int i = 0; i < state->partitions.count; i++)
        forget_queue(&state->partitions.items[i].queue);
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
    kafka_discovery_stop(state->discovery);
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
    Error *error = kafka_partitions_find(&state->arena, client, options, KAFKA_PATIENCE_MS, &state->partitions);
    if (!error)
        error = kafka_partitions_locate(client, options, &state->partitions, 0);
    kafka_client_unwind(&client);
    return error;
}

/* On a thread of librdkafka, with the queue locked. */
static void messages_came(rd_kafka_t *handle, void *context)
{
    (void)handle;
    connector_wake(context);
}

static void news_came(rd_kafka_t *handle, void *what)
{
    KafkaSource *state = what;
    (void)handle;
    state->has_news = true;
    connector_wake(state->context);
}

static void show_splits(Source *source)
{
    const KafkaSource *state = source->state;
    source->splits = mem_realloc(source->splits, ((size_t)state->partitions.count + 1) * sizeof *source->splits);
    for (int i = source->split_count; i < state->partitions.count; i++) {
        const KafkaPartition *partition = &state->partitions.items[i];
        source->splits[i] = (SourceSplit){ .name = partition->name, .length = -1, .bounded = partition->end != INT64_MAX, .start = (uint64_t)partition->next };
    }
    source->split_count = state->partitions.count;
}

static Error *source_open(Source *source)
{
    const KafkaOptions *options = source->spec->options;
    KafkaSource *state = source->state = mem_calloc(1, sizeof *state);
    arena_init(&state->arena, NULL);
    state->context = source->context;
    state->pages = kafka_pages_new(source->context->pool);
    TRY(find_partitions(source, state));
    TRY(kafka_client_new_consumer(source->context, options, state->partitions.count, &state->client));
    state->has_news = true;
    state->news = rd_kafka_queue_get_main(kafka_client_handle(state->client));
    state->group = rd_kafka_queue_get_consumer(kafka_client_handle(state->client));
    rd_kafka_queue_cb_event_enable(state->news, news_came, state);
    rd_kafka_queue_cb_event_enable(state->group, news_came, state);
    show_splits(source);
    return NULL;
}

/* ---- fetching ---- */

static void add_to_list(KafkaSource *state, KafkaPartition *partition, rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_topic_partition_list_add(list, partition->topic, partition->number)->offset = partition->next;
    if (partition->queue)
        return;
    partition->queue = rd_kafka_queue_get_partition(kafka_client_handle(state->client), partition->topic, partition->number);
    rd_kafka_queue_forward(partition->queue, NULL);
    if (state->context->waker)
        rd_kafka_queue_cb_event_enable(partition->queue, messages_came, (void *)state->context);
}

/* Begins to fetch from where every partition stands, with a queue of its own for each. */
static Error *start(Source *source, KafkaSource *state)
{
    const KafkaOptions *options = source->spec->options;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(state->partitions.count + 1);
    for (int i = 0; i < state->partitions.count; i++)
        if (!state->partitions.items[i].ended)
            add_to_list(state, &state->partitions.items[i], list);
    rd_kafka_resp_err_t failed = rd_kafka_assign(kafka_client_handle(state->client), list);
    rd_kafka_topic_partition_list_destroy(list);
    if (failed)
        return kafka_error(ERR_CONNECT, failed, "cannot read from Kafka");
    state->started = true;
    bool wanted = options->discovery_interval_us > 0 && kafka_bounded(options) == BOUNDED_NEVER;
    return wanted && !state->discovery ? kafka_discovery_start(source, state->client, &state->partitions, &state->discovery) : NULL;
}

/* What is fetched is fetched anew from where the partitions stand then. */
static void restart(KafkaSource *state)
{
    if (state->started)
        rd_kafka_assign(kafka_client_handle(state->client), NULL);
    state->started = false;
}

static void go_to(KafkaSource *state, KafkaPartition *partition, int64_t offset, bool beginning)
{
    partition->next = offset;
    partition->from_beginning = beginning;
    partition->caught_up = false;
    partition->ended = partition->next >= partition->end;
    restart(state);
}

static Error *source_seek(Source *source, int split, uint64_t position)
{
    KafkaSource *state = source->state;
    go_to(state, &state->partitions.items[split], (int64_t)position, false);
    return NULL;
}

static Error *source_seek_new(Source *source, int split, uint64_t *position)
{
    KafkaSource *state = source->state;
    int64_t beginning;
    TRY(kafka_partition_beginning(state->client, &state->partitions.items[split], &beginning));
    go_to(state, &state->partitions.items[split], beginning, true);
    *position = (uint64_t)beginning;
    return NULL;
}

static Error *source_discover(Source *source)
{
    KafkaSource *state = source->state;
    int known = state->partitions.count;
    if (!state->discovery)
        return NULL;
    TRY(kafka_discovery_take(state->discovery, &state->arena, &state->partitions));
    if (state->partitions.count == known)
        return NULL;
    if (state->started) {
        rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(state->partitions.count - known);
        for (int i = known; i < state->partitions.count; i++)
            add_to_list(state, &state->partitions.items[i], list);
        rd_kafka_error_t *failed = rd_kafka_incremental_assign(kafka_client_handle(state->client), list);
        rd_kafka_topic_partition_list_destroy(list);
        if (failed) { /* never seen; all are fetched anew */
            rd_kafka_error_destroy(failed);
            restart(state);
        }
    }
    show_splits(source);
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
        int64_t beginning;
        if (!partition->from_beginning)
            return error_hint(error_new(ERR_IO, "'%s' has no messages from offset %lld on any more", partition->name, (long long)partition->next),
                              "it keeps them for too short a time, or was made anew");
        TRY(kafka_partition_beginning(state->client, partition, &beginning)); /* it has moved before anything was read */
        go_to(state, partition, beginning, true);
        return NULL;
    }
    if (reason == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || reason == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC || reason == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION)
        return error_new(ERR_IO, "while it was read: there is no '%s'", partition->name);
    return kafka_error(ERR_IO, reason, "cannot read '%s'", partition->name);
}

/* What the client says beside messages. Errors of the group's coordinator are none of ours: without a group nobody needs it, and a commit that fails
 * is made again with the next snapshot. */
static Error *hear_news(KafkaSource *state)
{
    if (state->context->waker && !atomic_exchange(&state->has_news, false))
        return NULL;
    rd_kafka_message_t *message;
    while ((message = rd_kafka_consume_queue(state->group, 0)) != NULL)
        rd_kafka_message_destroy(message);
    return kafka_client_trouble(state->client);
}

/* Fetching has rested while the queue was full, and nobody tells it that there is room. */
static void ask_for_more(KafkaSource *state, KafkaPartition *partition)
{
    const bool low = rd_kafka_queue_length(partition->queue) <= QUEUE_LOW;
    if (low && !partition->asked && !partition->caught_up && !partition->ended)
        kafka_client_fetch(state->client);
    partition->asked = low;
}

static void page_unwind(void *page) { kafka_page_release(page); }

/* Moves what the partition's queue holds into a page; NULL: there was nothing. */
static Error *fill_page(Source *source, KafkaPartition *partition, uint64_t most, KafkaPage **result)
{
    KafkaSource *state = source->state;
    KafkaPage *page = kafka_page_take(state->pages);
    MEMORY_HOLD(page_unwind, page);
    Filling filling = { .state = state, .partition = partition, .page = page, .most = most, .headers = source->spec->wants_headers };
    rd_kafka_consume_callback_queue(partition->queue, 0, take_message, &filling);
    ask_for_more(state, partition);
    if (filling.no_memory)
        memory_raise();
    Error *error = filling.failed ? partition_failed(state, partition, filling.failed) : NULL;
    *result = error || filling.count == 0 ? NULL : page;
    if (!*result)
        kafka_page_release(page);
    return error;
}

static Error *source_next(Source *source, int split, uint64_t max_rows, int64_t now_us, RowRange *range)
{
    KafkaSource *state = source->state;
    KafkaPartition *partition = &state->partitions.items[split];
    KafkaPage *page = NULL;
    if (!state->started)
        TRY(start(source, state));
    TRY(hear_news(state));
    uint64_t first = (uint64_t)partition->next;
    if (!partition->ended)
        TRY(fill_page(source, partition, max_rows, &page));
    *range = (RowRange){ .first = first, .next = (uint64_t)partition->next, .end = partition->ended };
    if (page) {
        const RecordSet *set = kafka_page_set(page, partition->topic, partition->number);
        range->count = set->count;
        range->page = page;
        range->page_free = kafka_page_release;
    } else if (!range->end) {
        range->waiting = true;
        range->next_at_us = state->context->waker ? TIME_MAX : now_us + LOOK_AGAIN_US;
    }
    return NULL;
}

static int64_t source_end_position(Source *source, int split)
{
    const KafkaSource *state = source->state;
    const KafkaPartition *partition = &state->partitions.items[split];
    int64_t low, high;
    if (partition->caught_up)
        return partition->next;
    if (rd_kafka_get_watermark_offsets(kafka_client_handle(state->client), partition->topic, partition->number, &low, &high) || high < partition->last)
        high = partition->last;
    return high > partition->next ? high : partition->next;
}

/* Without waiting for an answer: the snapshot is what counts, and a commit that fails is made again with the next one. All partitions, so that no
 * entry of the group expires while others are renewed. */
static Error *source_commit(Source *source, const uint64_t positions[])
{
    KafkaSource *state = source->state;
    if (!((const KafkaOptions *)source->spec->options)->properties.group_id)
        return NULL;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(source->split_count + 1);
    for (int i = 0; i < source->split_count; i++)
        rd_kafka_topic_partition_list_add(list, state->partitions.items[i].topic, state->partitions.items[i].number)->offset = (int64_t)positions[i];
    kafka_twin_sign(list);
    rd_kafka_resp_err_t failed = list->cnt ? rd_kafka_commit(kafka_client_handle(state->client), list, 1) : RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_topic_partition_list_destroy(list);
    return failed ? kafka_error(ERR_IO, failed, "cannot commit offsets") : NULL;
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
    .seek_new = source_seek_new,
    .discover = source_discover,
    .end_position = source_end_position,
    .commit = source_commit,
    .next_rows = source_next,
    .progress = source_progress,
};
