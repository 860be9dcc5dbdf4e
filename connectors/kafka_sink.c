/* connectors/kafka_sink.c: a broker's topic as a sink: an idempotent producer.
 *
 * A thread of its own serves the producer: it takes delivery reports, wakes the job when there is room again or when everything is delivered, and notes
 * what has failed for good. The job learns of that with its next write or flush. What was written before a flush came back without error is in the
 * topic: at least once, as a job that is started again from its last snapshot writes again what came after it. */
#include "connectors/kafka_admin.h"
#include "connectors/kafka_internal.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "common/calendar.h"

#define POLL_MS 100
#define LAST_MS 2000     /* what is on its way when a query is ended by force gets so long */
#define BATCH_BYTES 1000000 /* of librdkafka's own limits */
#define PROPERTIES_MAX 7 /* of one message, for rd_kafka_produceva */

typedef struct KafkaSink {
    KafkaClient *client;
    rd_kafka_t *handle;
    rd_kafka_topic_t *topic, *letters; /* letters: of messages that the broker refuses; NULL none */
    const ConnectorContext *context;
    const KafkaOptions *options;
    RefusedPolicy refused;
    pthread_t thread;
    bool running;                  /* the thread is there */
    atomic_bool ending;            /* it shall end */

    _Atomic uint64_t sent, settled; /* messages given to the client, and those of which we know what became of them */
    pthread_mutex_t lock;          /* of what follows */
    int full_length;               /* > 0: a write waits until the client holds half of so many */
    bool flushing;                 /* a flush waits until everything is settled */
    rd_kafka_resp_err_t failure;   /* the first message that failed for good; 0 none */
    int32_t failed_partition;
    Error *trouble;                /* of the client as a whole */
    uint64_t refused_count;        /* messages that the broker refused by themselves, and that were left out */
    rd_kafka_resp_err_t refused_reason;
} KafkaSink;

/* ---- what became of messages: on the thread that polls ---- */

/* The broker will never take this message; others it may. */
static bool is_refusal(rd_kafka_resp_err_t reason)
{
    return reason == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE || reason == RD_KAFKA_RESP_ERR_INVALID_MSG || reason == RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE ||
           reason == RD_KAFKA_RESP_ERR_INVALID_RECORD || reason == RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP;
}

static void note_refusal(KafkaSink *state, rd_kafka_resp_err_t reason)
{
    pthread_mutex_lock(&state->lock);
    state->refused_count++;
    state->refused_reason = reason;
    pthread_mutex_unlock(&state->lock);
}

/* Only the first one is told: others follow from it. */
static void note_failure(KafkaSink *state, rd_kafka_resp_err_t reason, int32_t partition)
{
    if (reason == RD_KAFKA_RESP_ERR__PURGE_QUEUE || reason == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT)
        return;
    pthread_mutex_lock(&state->lock);
    if (!state->failure) {
        state->failure = reason;
        state->failed_partition = partition;
    }
    pthread_mutex_unlock(&state->lock);
}

/* ---- messages that the broker refuses, into the dead letters ---- */

static void add_text(rd_kafka_headers_t *headers, const char *name, const char *value)
{
    rd_kafka_header_add(headers, name, -1, value, -1);
}

static rd_kafka_headers_t *letter_headers(const KafkaSink *state, const rd_kafka_message_t *message)
{
    char number[24];
    rd_kafka_headers_t *original = NULL;
    rd_kafka_headers_t *headers = rd_kafka_message_headers(message, &original) ? rd_kafka_headers_new(8) : rd_kafka_headers_copy(original);
    add_text(headers, "bq.error.kind", "sink");
    add_text(headers, "bq.error.code", rd_kafka_err2name(message->err));
    add_text(headers, "bq.error.message", rd_kafka_err2str(message->err));
    add_text(headers, "bq.error.topic", state->options->topic);
    snprintf(number, sizeof number, "%d", (int)message->partition);
    add_text(headers, "bq.error.partition", number);
    snprintf(number, sizeof number, "%lld", (long long)rd_kafka_message_timestamp(message, NULL));
    add_text(headers, "bq.error.timestamp", number);
    add_text(headers, "bq.error.attempt", "1");
    add_text(headers, "bq.error.version", BIDSQL_VERSION);
    return headers;
}

/* On the way: if the letter is refused as well, or there is no room for it, the job fails. */
static void send_letter(KafkaSink *state, const rd_kafka_message_t *message)
{
    rd_kafka_headers_t *headers = letter_headers(state, message);
    state->sent++;
    rd_kafka_resp_err_t code = rd_kafka_producev(state->handle, RD_KAFKA_V_RKT(state->letters), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                                                 RD_KAFKA_V_KEY(message->key, message->key_len), RD_KAFKA_V_VALUE(message->payload, message->len),
                                                 RD_KAFKA_V_TIMESTAMP(rd_kafka_message_timestamp(message, NULL)), RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
    if (!code) {
        note_refusal(state, message->err);
        return;
    }
    state->sent--;
    rd_kafka_headers_destroy(headers);
    note_failure(state, message->err, message->partition);
}

static void on_delivered(const rd_kafka_message_t *message, void *owner)
{
    KafkaSink *state = owner;
    if (message->err) {
        const bool refused = is_refusal(message->err) && message->rkt == state->topic;
        if (refused && state->refused == REFUSED_DEAD_LETTER)
            send_letter(state, message);
        else if (refused && state->refused == REFUSED_SKIP)
            note_refusal(state, message->err);
        else
            note_failure(state, message->err, message->partition);
    }
    state->settled++; /* a letter is counted before */
}

/* Is something there that somebody waits for? Says it once. */
static bool take_news(KafkaSink *state)
{
    bool news = false;
    pthread_mutex_lock(&state->lock);
    const bool failed = state->failure || state->trouble;
    if (state->full_length && (failed || rd_kafka_outq_len(state->handle) <= state->full_length / 2)) {
        state->full_length = 0;
        news = true;
    }
    if (state->flushing && (failed || state->settled == state->sent)) {
        state->flushing = false;
        news = true;
    }
    pthread_mutex_unlock(&state->lock);
    return news;
}

static void *serve(void *what)
{
    KafkaSink *state = what;
    while (!atomic_load(&state->ending)) {
        rd_kafka_poll(state->handle, POLL_MS);
        Error *trouble = kafka_client_trouble(state->client);
        if (trouble) {
            pthread_mutex_lock(&state->lock);
            if (state->trouble)
                error_free(trouble);
            else
                state->trouble = trouble;
            pthread_mutex_unlock(&state->lock);
        }
        if (take_news(state))
            connector_wake(state->context);
    }
    return NULL;
}

/* ---- opening ---- */

typedef struct SinkLimits { int64_t topic_bytes, letter_bytes; } SinkLimits; /* of a batch; 0: not known */

/* Kafka Streams partitions windowed keys by the key without its window, so that all windows of a key stand together: `opaque` is the window's length. */
static int32_t partition_of(const rd_kafka_topic_t *topic, const void *key, size_t length, int32_t count, void *topic_opaque, void *opaque)
{
    const KafkaSink *state = topic_opaque;
    const size_t window = (size_t)(uintptr_t)opaque;
    if (state->options->partitioner == PARTITIONER_ROUND_ROBIN)
        return rd_kafka_msg_partitioner_random(topic, key, length, count, NULL, NULL);
    return rd_kafka_msg_partitioner_murmur2_random(topic, key, length > window ? length - window : length, count, NULL, NULL);
}

static Error *open_topic(KafkaSink *state)
{
    rd_kafka_topic_conf_t *conf = rd_kafka_default_topic_conf_dup(state->handle);
    rd_kafka_topic_conf_set_partitioner_cb(conf, partition_of);
    rd_kafka_topic_conf_set_opaque(conf, state);
    state->topic = rd_kafka_topic_new(state->handle, state->options->topic, conf);
    if (state->topic)
        return NULL;
    rd_kafka_topic_conf_destroy(conf);
    return kafka_error(ERR_CONNECT, rd_kafka_last_error(), "cannot write the topic '%s'", state->options->topic);
}

/* What is not said of a new topic is as with the topic that the query reads, if it reads one. */
static Error *wish_like(KafkaClient *client, const KafkaOptions *like, TopicWish *wish)
{
    int partitions = 0, replicas = 0;
    if (!like || !like->topic || (wish->partitions && wish->replicas))
        return NULL;
    TRY(kafka_topic_find(client, like->topic, &partitions, &replicas));
    wish->partitions = wish->partitions ? wish->partitions : partitions;
    wish->replicas = wish->replicas ? wish->replicas : replicas;
    return NULL;
}

static Error *ensure_topic(const SinkSpec *spec, KafkaClient *client)
{
    const KafkaOptions *options = spec->options;
    TopicWish wish = topic_wish(options);
    int partitions, replicas;
    bool made;
    TRY(kafka_topic_find(client, options->topic, &partitions, &replicas));
    if (!partitions && !options->create_topics)
        return error_hint(error_new(ERR_CONNECT, "there is no topic '%s'", options->topic), "make it, or leave 'sink.create-topic' = false out");
    if (!partitions)
        TRY(wish_like(client, spec->like, &wish));
    if (!partitions && !wish.cleanup_policy && spec->upserts)
        wish.cleanup_policy = spec->windowed_keys ? "compact,delete" : "compact";
    return kafka_topic_ensure(client, options->topic, &wish, &made);
}

/* Through a client of its own: a topic that a client has asked for keeps the partitioner that it has then. */
static Error *prepare_topics(const SinkSpec *spec, const ConnectorContext *context, SinkLimits *limits)
{
    const KafkaOptions *options = spec->options, *letters = spec->letter_options;
    const TopicWish wish = { 0 };
    KafkaClient *client = NULL;
    bool made;
    MEMORY_HOLD(kafka_client_unwind, &client);
    Error *error = kafka_client_new_producer(context, options, NULL, NULL, &client);
    error = error ? error : ensure_topic(spec, client);
    error = error ? error : kafka_topic_max_bytes(client, options->topic, &limits->topic_bytes);
    if (!error && spec->refused == REFUSED_DEAD_LETTER) {
        error = kafka_topic_ensure(client, letters->topic, &wish, &made);
        error = error ? error : kafka_topic_max_bytes(client, letters->topic, &limits->letter_bytes);
    }
    kafka_client_unwind(&client);
    return error;
}

static Error *prepare(const SinkSpec *spec, const ConnectorContext *context)
{
    SinkLimits limits;
    return prepare_topics(spec, context, &limits);
}

static int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

/* librdkafka fails a whole batch that is too large for the broker, so none is made larger than the topic takes. A single message may be: it goes alone,
 * and it is the broker who refuses it. */
static Error *new_client(Sink *sink, KafkaSink *state, const SinkLimits *limits)
{
    const KafkaCallbacks callbacks = { .delivered = on_delivered, .owner = state };
    char message_bytes[24], batch_bytes[24];
    KafkaSetting settings[3] = { { NULL, NULL } };
    int count = 0;
    snprintf(message_bytes, sizeof message_bytes, "%lld", (long long)larger(larger(limits->topic_bytes, limits->letter_bytes), BATCH_BYTES));
    snprintf(batch_bytes, sizeof batch_bytes, "%lld", (long long)limits->topic_bytes);
    if (!state->options->properties.request_max)
        settings[count++] = (KafkaSetting){ "message.max.bytes", message_bytes };
    if (!state->options->properties.batch_size && limits->topic_bytes > 0 && limits->topic_bytes < BATCH_BYTES)
        settings[count++] = (KafkaSetting){ "batch.size", batch_bytes };
    return kafka_client_new_producer(sink->context, state->options, settings, &callbacks, &state->client);
}

static Error *open_letters(const Sink *sink, KafkaSink *state)
{
    const KafkaOptions *letters = sink->spec->letter_options;
    if (state->refused != REFUSED_DEAD_LETTER)
        return NULL;
    state->letters = rd_kafka_topic_new(state->handle, letters->topic, NULL);
    return state->letters ? NULL : kafka_error(ERR_CONNECT, rd_kafka_last_error(), "cannot write the topic '%s'", letters->topic);
}

static Error *sink_open(Sink *sink)
{
    KafkaSink *state = mem_calloc(1, sizeof *state);
    SinkLimits limits = { 0 };
    sink->state = state;
    state->context = sink->context;
    state->options = sink->spec->options;
    state->refused = sink->spec->refused;
    pthread_mutex_init(&state->lock, NULL);
    TRY(prepare_topics(sink->spec, sink->context, &limits));
    TRY(new_client(sink, state, &limits));
    state->handle = kafka_client_handle(state->client);
    TRY(open_topic(state));
    TRY(open_letters(sink, state));
    if (pthread_create(&state->thread, NULL, serve, state))
        return error_new(ERR_MEMORY, "there is no thread for the Kafka client");
    state->running = true;
    return NULL;
}

/* ---- writing ---- */

static Error *failed(KafkaSink *state)
{
    pthread_mutex_lock(&state->lock);
    const rd_kafka_resp_err_t failure = state->failure;
    const int32_t partition = state->failed_partition;
    Error *trouble = state->trouble;
    state->trouble = NULL;
    pthread_mutex_unlock(&state->lock);
    if (trouble)
        return trouble;
    if (!failure)
        return NULL;
    return partition >= 0 ? kafka_error(ERR_IO, failure, "a message was not delivered to '%s', partition %d", state->options->topic, (int)partition)
                          : kafka_error(ERR_IO, failure, "a message was not delivered to '%s'", state->options->topic);
}

static void tell_refusals(Sink *sink, KafkaSink *state)
{
    pthread_mutex_lock(&state->lock);
    sink->refused = state->refused_count;
    sink->refused_reason = state->refused_count ? rd_kafka_err2str(state->refused_reason) : NULL;
    pthread_mutex_unlock(&state->lock);
}

static rd_kafka_headers_t *make_headers(const Record *record)
{
    rd_kafka_headers_t *headers = record->header_count ? rd_kafka_headers_new((size_t)record->header_count) : NULL;
    for (int i = 0; i < record->header_count; i++)
        rd_kafka_header_add(headers, record->headers[i].key, -1, record->headers[i].value, (ssize_t)record->headers[i].value_length);
    return headers;
}

/* librdkafka takes the time 0 for "now": such a message is a millisecond younger. */
static int64_t message_ms(const Record *record)
{
    int64_t ms = floor_div(record->timestamp_us, US_PER_MS);
    return ms ? ms : 1;
}

static rd_kafka_resp_err_t produce(KafkaSink *state, const Record *record)
{
    rd_kafka_vu_t parts[PROPERTIES_MAX];
    size_t count = 0;
    rd_kafka_headers_t *headers = make_headers(record);
    parts[count++] = (rd_kafka_vu_t){ .vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = state->topic };
    parts[count++] = (rd_kafka_vu_t){ .vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY };
    parts[count++] = (rd_kafka_vu_t){ .vtype = RD_KAFKA_VTYPE_KEY, .u.mem = { (void *)record->key, record->key_length } };
    parts[count++] = (rd_kafka_vu_t){ .vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = { (void *)record->value, record->value_length } };
    parts[count++] = (rd_kafka_vu_t){ .vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = message_ms(record) };
    parts[count++] = (rd_kafka_vu_t){ .vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = (void *)(uintptr_t)record->window_length };
    if (headers)
        parts[count++] = (rd_kafka_vu_t){ .vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers };
    rd_kafka_error_t *error = rd_kafka_produceva(state->handle, parts, count);
    rd_kafka_resp_err_t code = error ? rd_kafka_error_code(error) : RD_KAFKA_RESP_ERR_NO_ERROR;
    if (error && headers)
        rd_kafka_headers_destroy(headers);
    if (error)
        rd_kafka_error_destroy(error);
    return code;
}

/* Counted first: its report may come at once. */
static rd_kafka_resp_err_t send_record(KafkaSink *state, const Record *record)
{
    state->sent++;
    rd_kafka_resp_err_t code = produce(state, record);
    if (code)
        state->sent--;
    return code;
}

/* The client holds as much as it may. Who says so first and then looks again does not miss the moment when there is room. */
static rd_kafka_resp_err_t wait_for_room(KafkaSink *state, const Record *record)
{
    pthread_mutex_lock(&state->lock);
    state->full_length = rd_kafka_outq_len(state->handle);
    pthread_mutex_unlock(&state->lock);
    return send_record(state, record);
}

static Error *not_sent(KafkaSink *state, rd_kafka_resp_err_t code)
{
    if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL)
        return error_busy();
    if (!is_refusal(code) || state->refused != REFUSED_SKIP) /* too large for the client: for its dead letters, too */
        return kafka_error(ERR_IO, code, "a message was not delivered to '%s'", state->options->topic);
    note_refusal(state, code);
    return NULL;
}

static Error *write_records(Sink *sink, const Record *records, uint32_t count)
{
    KafkaSink *state = sink->state;
    TRY(failed(state));
    for (sink->taken = 0; sink->taken < count; sink->taken++) {
        const Record *record = &records[sink->taken];
        rd_kafka_resp_err_t code = send_record(state, record);
        if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL)
            code = wait_for_room(state, record);
        if (code)
            TRY(not_sent(state, code));
    }
    tell_refusals(sink, state);
    return NULL;
}

static Error *flush(Sink *sink)
{
    KafkaSink *state = sink->state;
    TRY(failed(state));
    tell_refusals(sink, state);
    if (state->options->delivery == DELIVERY_NONE)
        return NULL;
    pthread_mutex_lock(&state->lock);
    state->flushing = state->settled != state->sent;
    const bool waits = state->flushing;
    pthread_mutex_unlock(&state->lock);
    if (waits)
        return error_busy();
    tell_refusals(sink, state);
    return failed(state); /* of what was settled since we looked */
}

/* The messages so far are delivered (a snapshot is taken after a flush): there is nothing to remember, and what comes after it is written again. */
static Error *snapshot(Sink *sink, Text *text)
{
    (void)text;
    return flush(sink);
}

static Error *restore(Sink *sink, const char *text, size_t length)
{
    (void)sink, (void)text, (void)length;
    return NULL;
}

/* Is something on its way that can still arrive? */
static bool may_arrive(KafkaSink *state)
{
    pthread_mutex_lock(&state->lock);
    const bool may = state->settled != state->sent && !state->failure && !state->trouble;
    pthread_mutex_unlock(&state->lock);
    return may;
}

static Error *sink_close(Sink *sink, bool commit)
{
    KafkaSink *state = sink->state;
    Error *error = NULL;
    if (!state)
        return NULL;
    if (state->running && may_arrive(state)) /* what was written before Ctrl-C or an error counts, too */
        rd_kafka_flush(state->handle, LAST_MS);
    if (state->running) {
        atomic_store(&state->ending, true);
        pthread_join(state->thread, NULL);
    }
    if (state->running && commit)
        error = failed(state);
    if (state->running && state->settled != state->sent)
        rd_kafka_purge(state->handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING);
    error_free(state->trouble);
    if (state->topic)
        rd_kafka_topic_destroy(state->topic);
    if (state->letters)
        rd_kafka_topic_destroy(state->letters);
    kafka_client_free(state->client);
    pthread_mutex_destroy(&state->lock);
    mem_free(state);
    sink->state = NULL;
    return error;
}

const SinkType kafka_broker_sink = {
    .record_sink = true,
    .takes_updates = true,
    .needs_key = true,
    .prepare = prepare,
    .open = sink_open,
    .write_records = write_records,
    .flush = flush,
    .snapshot = snapshot,
    .restore = restore,
    .close = sink_close,
};
