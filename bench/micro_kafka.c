/* bench/micro_kafka.c: CPU time per message of librdkafka's ways to consume, the messages thrown away: what reading Kafka costs at least.
 *
 *   build/bench/micro_kafka ADDRESSES TOPIC [ROUNDS] [WAY]
 *
 * Each way reads the whole topic in a client of its own; time is that of all threads of the process. The last line is the cheapest way and its nanoseconds. */
#include <librdkafka/rdkafka.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define BATCH 1000

typedef struct Reading {
    rd_kafka_t *handle;
    rd_kafka_queue_t *all;         /* the consumer's */
    rd_kafka_queue_t **partitions; /* of their own; NULL: all is one */
    int partition_count, ended;
    uint64_t messages, bytes, turn;
} Reading;

static void fail(const char *what, const char *reason)
{
    fprintf(stderr, "micro_kafka: %s: %s\n", what, reason);
    exit(1);
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char reason[256];
    if (rd_kafka_conf_set(conf, name, value, reason, sizeof reason))
        fail(name, reason);
}

static void count(Reading *reading, const rd_kafka_message_t *message)
{
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
        reading->ended++;
    else if (message->err)
        fail("message", rd_kafka_message_errstr(message));
    else
        reading->messages++, reading->bytes += message->len + message->key_len;
}

/* ---- the ways ---- */

static void by_poll(Reading *reading)
{
    rd_kafka_message_t *message = rd_kafka_consumer_poll(reading->handle, 100);
    if (!message)
        return;
    count(reading, message);
    rd_kafka_message_destroy(message);
}

static void by_queue(Reading *reading)
{
    rd_kafka_message_t *message = rd_kafka_consume_queue(reading->all, 100);
    if (!message)
        return;
    count(reading, message);
    rd_kafka_message_destroy(message);
}

static void by_batch(Reading *reading)
{
    rd_kafka_message_t *messages[BATCH];
    ssize_t taken = rd_kafka_consume_batch_queue(reading->all, 100, messages, BATCH);
    for (ssize_t i = 0; i < taken; i++) {
        count(reading, messages[i]);
        rd_kafka_message_destroy(messages[i]);
    }
}

static void called(rd_kafka_message_t *message, void *opaque) { count(opaque, message); }

static void by_callback(Reading *reading) { rd_kafka_consume_callback_queue(reading->all, 100, called, reading); }

/* As the engine does it: a queue a partition, no more than a batch at once. */
static void called_some(rd_kafka_message_t *message, void *opaque)
{
    Reading *reading = opaque;
    count(reading, message);
    if (++reading->turn % BATCH == 0)
        rd_kafka_yield(reading->handle);
}

static void by_callback_partitions(Reading *reading)
{
    uint64_t before = reading->messages;
    for (int i = 0; i < reading->partition_count; i++)
        rd_kafka_consume_callback_queue(reading->partitions[i], 0, called_some, reading);
    if (reading->messages == before)
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

static void by_batch_partitions(Reading *reading)
{
    rd_kafka_message_t *messages[BATCH];
    uint64_t before = reading->messages;
    for (int p = 0; p < reading->partition_count; p++) {
        ssize_t taken = rd_kafka_consume_batch_queue(reading->partitions[p], 0, messages, BATCH);
        for (ssize_t i = 0; i < taken; i++) {
            count(reading, messages[i]);
            rd_kafka_message_destroy(messages[i]);
        }
    }
    if (reading->messages == before)
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

/* The events' interface: many messages of one fetch come as one event. */
static void by_event(Reading *reading)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(reading->all, 100);
    if (!event)
        return;
    const rd_kafka_message_t *message;
    if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_ERROR)
        reading->ended += rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__PARTITION_EOF;
    while ((message = rd_kafka_event_message_next(event)) != NULL)
        count(reading, message);
    rd_kafka_event_destroy(event);
}

static const struct { const char *name; void (*step)(Reading *reading); int own_queues; } ways[] = {
    { "consumer_poll", by_poll, 0 },
    { "consume_queue", by_queue, 0 },
    { "consume_batch_queue", by_batch, 0 },
    { "consume_callback_queue", by_callback, 0 },
    { "queue_poll (events)", by_event, 0 },
    { "consume_batch_queue, a queue each", by_batch_partitions, 1 },
    { "consume_callback_queue, a queue each", by_callback_partitions, 1 },
};
#define WAYS (sizeof ways / sizeof *ways)

/* ---- measuring ---- */

static double cpu_ns(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e9 + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e3;
}

static double wall_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static rd_kafka_t *consumer(const char *addresses)
{
    char reason[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", addresses);
    set(conf, "group.id", "micro");
    set(conf, "enable.partition.eof", "true");
    set(conf, "enable.auto.commit", "false");
    set(conf, "enable.auto.offset.store", "false");
    set(conf, "check.crcs", "true");
    set(conf, "queued.max.messages.kbytes", "32768");
    set(conf, "queued.min.messages", "1000000");
    rd_kafka_t *handle = rd_kafka_new(RD_KAFKA_CONSUMER, conf, reason, sizeof reason);
    if (!handle)
        fail("client", reason);
    return handle;
}

static int partitions_of(rd_kafka_t *handle, const char *name)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(handle, name, NULL);
    rd_kafka_resp_err_t failed = rd_kafka_metadata(handle, 0, topic, &metadata, 10000);
    if (failed)
        fail(name, rd_kafka_err2str(failed));
    int count_there = metadata->topics[0].partition_cnt;
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(topic);
    return count_there;
}

static double measure(const char *addresses, const char *topic, size_t way, double *wall)
{
    Reading reading = { .handle = consumer(addresses) };
    reading.partition_count = partitions_of(reading.handle, topic);
    reading.partitions = calloc((size_t)reading.partition_count, sizeof *reading.partitions);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(reading.partition_count);
    for (int i = 0; i < reading.partition_count; i++) {
        rd_kafka_topic_partition_list_add(list, topic, i)->offset = RD_KAFKA_OFFSET_BEGINNING;
        if (ways[way].own_queues) {
            reading.partitions[i] = rd_kafka_queue_get_partition(reading.handle, topic, i);
            rd_kafka_queue_forward(reading.partitions[i], NULL);
        }
    }
    rd_kafka_poll_set_consumer(reading.handle);
    reading.all = rd_kafka_queue_get_consumer(reading.handle);
    double begin = cpu_ns(), began = wall_s();
    rd_kafka_assign(reading.handle, list);
    while (reading.ended < reading.partition_count)
        ways[way].step(&reading);
    double ns = (cpu_ns() - begin) / (double)reading.messages;
    *wall = (double)reading.messages / (wall_s() - began) / 1e6;
    for (int i = 0; i < reading.partition_count; i++)
        if (reading.partitions[i])
            rd_kafka_queue_destroy(reading.partitions[i]);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_queue_destroy(reading.all);
    free(reading.partitions);
    rd_kafka_destroy(reading.handle);
    return ns;
}

int main(int arguments, char **words)
{
    if (arguments < 3)
        fail("usage", "micro_kafka ADDRESSES TOPIC [ROUNDS] [WAY]");
    int rounds = arguments > 3 ? atoi(words[3]) : 3;
    double best[WAYS];
    size_t cheapest = WAYS;
    printf("%-38s %12s %12s\n", "way", "CPU ns/msg", "M msg/s");
    for (size_t way = 0; way < WAYS; way++) {
        if (arguments > 4 && strcmp(words[4], ways[way].name) != 0)
            continue;
        double fastest = 0;
        best[way] = 1e18;
        for (int round = 0; round < rounds; round++) {
            double wall, ns = measure(words[1], words[2], way, &wall);
            best[way] = ns < best[way] ? ns : best[way];
            fastest = wall > fastest ? wall : fastest;
        }
        printf("%-38s %12.0f %12.2f\n", ways[way].name, best[way], fastest);
        fflush(stdout);
        if (cheapest == WAYS || best[way] < best[cheapest])
            cheapest = way;
    }
    if (cheapest == WAYS)
        fail(words[4], "no such way");
    printf("%s %.0f\n", ways[cheapest].name, best[cheapest]);
    return 0;
}
