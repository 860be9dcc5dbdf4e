/* tests/kafka/tool.c: what the tests ask of a Kafka cluster beside reading and writing lines, which kcat does.
 *
 *   tool wait BROKERS ADDRESSES [PROPERTY=VALUE ..]      until so many brokers answer and take transactions, a minute at most
 *   tool create ADDRESSES TOPIC PARTITIONS [REPLICAS] [CONFIG=VALUE ..]
 *   tool grow ADDRESSES TOPIC PARTITIONS                 more partitions
 *   tool delete ADDRESSES TOPIC
 *   tool transaction ADDRESSES TOPIC PARTITION commit|abort|open VALUE ..   `open` leaves it as it is
 *   tool size ADDRESSES TOPIC PARTITION BYTES            one JSON message of that size: {"id":1,"text":"xxx.."}
 *   tool bids ADDRESSES TOPIC COUNT [PROPERTY=VALUE ..]     messages of about 200 bytes, the same for the same count
 *   tool committed ADDRESSES GROUP TOPIC PARTITION       the group's offset, or -1001
 *   tool count ADDRESSES TOPIC                           how many messages its partitions keep
 *   tool leader ADDRESSES TOPIC PARTITION                the number of the broker that leads it */
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void fail(const char *what, const char *reason)
{
    fprintf(stderr, "tool: %s: %s\n", what, reason);
    exit(1);
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char reason[256];
    if (rd_kafka_conf_set(conf, name, value, reason, sizeof reason))
        fail(name, reason);
}

static void set_all(rd_kafka_conf_t *conf, char **pairs)
{
    for (; *pairs; pairs++) {
        char *equals = strchr(*pairs, '=');
        if (!equals)
            fail(*pairs, "no PROPERTY=VALUE");
        *equals = 0;
        set(conf, *pairs, equals + 1);
    }
}

static void no_log(const rd_kafka_t *handle, int level, const char *facility, const char *line) { (void)handle, (void)level, (void)facility, (void)line; }

static rd_kafka_t *client(rd_kafka_type_t type, rd_kafka_conf_t *conf, const char *addresses)
{
    char reason[256];
    set(conf, "bootstrap.servers", addresses);
    rd_kafka_conf_set_log_cb(conf, no_log);
    rd_kafka_t *handle = rd_kafka_new(type, conf, reason, sizeof reason);
    if (!handle)
        fail("client", reason);
    return handle;
}

static void check(const char *what, rd_kafka_resp_err_t failed)
{
    if (failed)
        fail(what, rd_kafka_err2str(failed));
}

static void check_error(const char *what, rd_kafka_error_t *failed)
{
    if (failed)
        fail(what, rd_kafka_error_string(failed));
}

/* ---- wait ---- */

static int brokers_there(rd_kafka_t *handle)
{
    const struct rd_kafka_metadata *metadata;
    if (rd_kafka_metadata(handle, 0, NULL, &metadata, 1000))
        return 0;
    int count = metadata->broker_cnt;
    rd_kafka_metadata_destroy(metadata);
    return count;
}

static int wait_for(int wanted, const char *addresses, char **properties)
{
    time_t end = time(NULL) + 60;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set_all(conf, properties);
    set(conf, "transactional.id", "tests-kafka-wait");
    set(conf, "reconnect.backoff.ms", "50");
    set(conf, "reconnect.backoff.max.ms", "200");
    rd_kafka_t *handle = client(RD_KAFKA_PRODUCER, conf, addresses);
    int there = 0;
    while ((there = brokers_there(handle)) < wanted)
        if (time(NULL) > end)
            fail("wait", "not all brokers answer");
    for (;;) {
        rd_kafka_error_t *failed = rd_kafka_init_transactions(handle, 2000);
        if (!failed)
            break;
        if (!rd_kafka_error_is_retriable(failed) || time(NULL) > end)
            fail("init_transactions", rd_kafka_error_string(failed));
        rd_kafka_error_destroy(failed);
    }
    rd_kafka_destroy(handle);
    return 0;
}

/* ---- topics ---- */

/* The result of the one topic that was asked for. */
static void settle(const char *what, rd_kafka_queue_t *queue)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 30000);
    if (!event)
        fail(what, "no answer");
    check(what, rd_kafka_event_error(event));
    size_t count = 0;
    const rd_kafka_topic_result_t **results = NULL;
    switch (rd_kafka_event_type(event)) {
    case RD_KAFKA_EVENT_CREATETOPICS_RESULT: results = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count); break;
    case RD_KAFKA_EVENT_DELETETOPICS_RESULT: results = rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event), &count); break;
    case RD_KAFKA_EVENT_CREATEPARTITIONS_RESULT: results = rd_kafka_CreatePartitions_result_topics(rd_kafka_event_CreatePartitions_result(event), &count); break;
    default: fail(what, "an unexpected answer");
    }
    if (count == 1 && rd_kafka_topic_result_error(results[0]))
        fail(what, rd_kafka_topic_result_error_string(results[0]));
    rd_kafka_event_destroy(event);
}

static int change_topic(const char *what, char **words)
{
    char reason[256];
    rd_kafka_t *handle = client(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), words[0]);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(handle);
    if (strcmp(what, "create") == 0) {
        int replicas = words[3] && !strchr(words[3], '=') ? atoi(words[3]) : -1;
        rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(words[1], atoi(words[2]), replicas, reason, sizeof reason);
        for (char **config = words + 3 + (replicas > 0); words[3] && *config; config++) {
            char *equals = strchr(*config, '=');
            *equals = 0;
            check(*config, rd_kafka_NewTopic_set_config(topic, *config, equals + 1));
        }
        rd_kafka_CreateTopics(handle, &topic, 1, NULL, queue);
    } else if (strcmp(what, "grow") == 0) {
        rd_kafka_NewPartitions_t *more = rd_kafka_NewPartitions_new(words[1], (size_t)atoi(words[2]), reason, sizeof reason);
        rd_kafka_CreatePartitions(handle, &more, 1, NULL, queue);
    } else {
        rd_kafka_DeleteTopic_t *topic = rd_kafka_DeleteTopic_new(words[1]);
        rd_kafka_DeleteTopics(handle, &topic, 1, NULL, queue);
    }
    settle(what, queue);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(handle);
    return 0;
}

/* ---- messages ---- */

static void delivered(rd_kafka_t *handle, const rd_kafka_message_t *message, void *opaque)
{
    (void)handle, (void)opaque;
    check("a message", message->err);
}

static int transaction(char **words)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char id[64];
    snprintf(id, sizeof id, "tool-%ld-%d", (long)time(NULL), rand());
    set(conf, "transactional.id", id);
    rd_kafka_t *handle = client(RD_KAFKA_PRODUCER, conf, words[0]);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(handle, words[1], NULL);
    check_error("init_transactions", rd_kafka_init_transactions(handle, 30000));
    check_error("begin", rd_kafka_begin_transaction(handle));
    for (char **value = words + 4; *value; value++)
        if (rd_kafka_produce(topic, atoi(words[2]), RD_KAFKA_MSG_F_COPY, *value, strlen(*value), NULL, 0, NULL))
            check("produce", rd_kafka_last_error());
    check("flush", rd_kafka_flush(handle, 30000));
    if (strcmp(words[3], "open") == 0)
        _Exit(0);
    check_error(words[3], strcmp(words[3], "commit") == 0 ? rd_kafka_commit_transaction(handle, 30000) : rd_kafka_abort_transaction(handle, 30000));
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(handle);
    return 0;
}

static void produce(rd_kafka_t *handle, rd_kafka_topic_t *topic, int32_t partition, const char *key, char *bytes, size_t length)
{
    while (rd_kafka_produce(topic, partition, RD_KAFKA_MSG_F_COPY, bytes, length, key, key ? strlen(key) : 0, NULL)) {
        if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL)
            check("produce", rd_kafka_last_error());
        rd_kafka_poll(handle, 100);
    }
    rd_kafka_poll(handle, 0);
}

static int size(char **words)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "message.max.bytes", "100000000");
    rd_kafka_conf_set_dr_msg_cb(conf, delivered);
    rd_kafka_t *handle = client(RD_KAFKA_PRODUCER, conf, words[0]);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(handle, words[1], NULL);
    size_t length = strtoul(words[3], NULL, 10);
    char *bytes = malloc(length + 32);
    int begin = sprintf(bytes, "{\"id\":1,\"text\":\"");
    memset(bytes + begin, 'x', length);
    memcpy(bytes + length - 2, "\"}", 2);
    produce(handle, topic, atoi(words[2]), NULL, bytes, length);
    check("flush", rd_kafka_flush(handle, 30000));
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(handle);
    free(bytes);
    return 0;
}

/* A bid, one each millisecond; keys in an order that hash tables do not like. */
static int bid_json(char *bytes, long i)
{
    long long ms = 1700000000000LL + i;
    unsigned long auction = (unsigned long)(i * 2654435761UL >> 7) % 1000 + 1000, bidder = (unsigned long)(i * 40503UL) % 50000 + 1000;
    time_t second = (time_t)(ms / 1000);
    struct tm at;
    gmtime_r(&second, &at);
    return sprintf(bytes,
                   "{\"auction\":%lu,\"bidder\":%lu,\"price\":%lu,\"channel\":\"channel-%lu\",\"url\":\"https://www.nexmark.com/item.htm?query=%lu\","
                   "\"dateTime\":\"%04d-%02d-%02d %02d:%02d:%02d.%03d\",\"extra\":\"%016lx%016lx\"}",
                   auction, bidder, (unsigned long)(i * 7919) % 1000000 + 1, bidder % 100, auction, at.tm_year + 1900, at.tm_mon + 1, at.tm_mday, at.tm_hour,
                   at.tm_min, at.tm_sec, (int)(ms % 1000), (unsigned long)i * 0x9E3779B97F4A7C15UL, (unsigned long)i * 0xC2B2AE3D27D4EB4FUL);
}

static int bids(char **words)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "linger.ms", "20");
    set(conf, "queue.buffering.max.messages", "1000000");
    set(conf, "partitioner", "murmur2_random");
    set_all(conf, words + 3);
    rd_kafka_conf_set_dr_msg_cb(conf, delivered);
    rd_kafka_t *handle = client(RD_KAFKA_PRODUCER, conf, words[0]);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(handle, words[1], NULL);
    for (long i = 0, count = atol(words[2]); i < count; i++) {
        char bytes[512];
        produce(handle, topic, RD_KAFKA_PARTITION_UA, NULL, bytes, (size_t)bid_json(bytes, i));
    }
    check("flush", rd_kafka_flush(handle, 60000));
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(handle);
    return 0;
}

/* ---- questions ---- */

static int committed(char **words)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "group.id", words[1]);
    rd_kafka_t *handle = client(RD_KAFKA_CONSUMER, conf, words[0]);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, words[2], atoi(words[3]));
    check("committed", rd_kafka_committed(handle, list, 30000));
    printf("%lld\n", (long long)list->elems[0].offset);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(handle);
    return 0;
}

static int count_messages(char **words)
{
    rd_kafka_t *handle = client(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), words[0]);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(handle, words[1], NULL);
    const struct rd_kafka_metadata *metadata;
    check("metadata", rd_kafka_metadata(handle, 0, topic, &metadata, 30000));
    int64_t low, high, all = 0;
    for (int p = 0; metadata->topic_cnt == 1 && p < metadata->topics[0].partition_cnt; p++) {
        check("offsets", rd_kafka_query_watermark_offsets(handle, words[1], p, &low, &high, 30000));
        all += high - low;
    }
    printf("%lld\n", (long long)all);
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(handle);
    return 0;
}

static int leader(char **words)
{
    rd_kafka_t *handle = client(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), words[0]);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(handle, words[1], NULL);
    const struct rd_kafka_metadata *metadata;
    check("metadata", rd_kafka_metadata(handle, 0, topic, &metadata, 30000));
    int partition = atoi(words[2]);
    if (metadata->topic_cnt != 1 || partition >= metadata->topics[0].partition_cnt)
        fail("leader", "no such partition");
    printf("%d\n", metadata->topics[0].partitions[partition].leader);
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(handle);
    return 0;
}

int main(int count, char **words)
{
    const char *what = count > 1 ? words[1] : "";
    if (strcmp(what, "wait") == 0 && count >= 4)
        return wait_for(atoi(words[2]), words[3], words + 4);
    if ((strcmp(what, "create") == 0 && count >= 5) || (strcmp(what, "grow") == 0 && count == 5) || (strcmp(what, "delete") == 0 && count == 4))
        return change_topic(what, words + 2);
    if (strcmp(what, "transaction") == 0 && count >= 7)
        return transaction(words + 2);
    if (strcmp(what, "size") == 0 && count == 6)
        return size(words + 2);
    if (strcmp(what, "bids") == 0 && count >= 5)
        return bids(words + 2);
    if (strcmp(what, "committed") == 0 && count == 6)
        return committed(words + 2);
    if (strcmp(what, "count") == 0 && count == 4)
        return count_messages(words + 2);
    if (strcmp(what, "leader") == 0 && count == 5)
        return leader(words + 2);
    fprintf(stderr, "usage: see the head of tests/kafka/tool.c\n");
    return 2;
}
