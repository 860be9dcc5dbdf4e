/* bench/micro_latency.c: how long a message takes to become a result: micro_latency ADDRESSES SOURCE RESULT RATE SECONDS WARM_UP [LINGER_MS]
 *
 * Writes RATE messages a second into SOURCE, {"k": .., "v": .., "sent": microseconds}, each at its time, and reads RESULT, where whatever is measured puts what
 * it makes of them: messages whose last number is that of `sent`. One clock, one process. RESULT may be SOURCE: what the broker alone takes.
 * Prints: messages, and the median, 90%, 99%, 99.9% and largest latency in ms. */
#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *addresses;
static long rate, seconds, warm_up;
static atomic_bool all_written;

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void fail(const char *what, const char *reason)
{
    fprintf(stderr, "micro_latency: %s: %s\n", what, reason);
    exit(1);
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char reason[256];
    if (rd_kafka_conf_set(conf, name, value, reason, sizeof reason))
        fail(name, reason);
}

static rd_kafka_t *client(rd_kafka_type_t type, rd_kafka_conf_t *conf)
{
    char reason[256];
    set(conf, "bootstrap.servers", addresses);
    rd_kafka_t *handle = rd_kafka_new(type, conf, reason, sizeof reason);
    if (!handle)
        fail("client", reason);
    return handle;
}

/* ---- writing ---- */

typedef struct Writer {
    const char *topic, *linger;
} Writer;

static void sleep_until(int64_t when_us)
{
    int64_t left_us = when_us - now_us();
    if (left_us > 0)
        nanosleep(&(struct timespec){ left_us / 1000000, left_us % 1000000 * 1000 }, NULL);
}

static void *write_all(void *what)
{
    const Writer *writer = what;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "linger.ms", writer->linger);
    rd_kafka_t *handle = client(RD_KAFKA_PRODUCER, conf);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(handle, writer->topic, NULL);
    int64_t start_us = now_us();
    for (long i = 0; i < rate * (seconds + warm_up); i++) {
        char key[16], value[256];
        if (i % 10 == 0) /* every millisecond at 10,000 a second */
            sleep_until(start_us + i * 1000000 / rate);
        int key_length = snprintf(key, sizeof key, "k%ld", i % 1000);
        int length = snprintf(value, sizeof value, "{\"k\":\"%s\",\"v\":%ld,\"text\":\"%0100ld\",\"sent\":%lld}", key, i, i, (long long)now_us());
        while (rd_kafka_produce(topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, value, (size_t)length, key, (size_t)key_length, NULL))
            rd_kafka_poll(handle, 10);
        if (i % 100 == 0)
            rd_kafka_poll(handle, 0);
    }
    rd_kafka_flush(handle, 10000);
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(handle);
    sleep_until(now_us() + 2000000); /* what is on its way */
    all_written = true;
    return NULL;
}

/* ---- reading ---- */

static int64_t last_number(const char *bytes, size_t length)
{
    size_t end = length, start;
    while (end && (bytes[end - 1] < '0' || bytes[end - 1] > '9'))
        end--;
    for (start = end; start && bytes[start - 1] >= '0' && bytes[start - 1] <= '9';)
        start--;
    int64_t number = 0;
    for (; start < end; start++)
        number = number * 10 + (bytes[start] - '0');
    return number;
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void subscribe(rd_kafka_t *handle, const char *name)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(handle, name, NULL);
    if (rd_kafka_metadata(handle, 0, topic, &metadata, 10000) || metadata->topics[0].partition_cnt == 0)
        fail(name, "no such topic");
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    for (int p = 0; p < metadata->topics[0].partition_cnt; p++)
        rd_kafka_topic_partition_list_add(list, name, p)->offset = RD_KAFKA_OFFSET_END;
    rd_kafka_assign(handle, list);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(topic);
}

int main(int argc, char **argv)
{
    if (argc < 7) {
        fprintf(stderr, "micro_latency ADDRESSES SOURCE RESULT RATE SECONDS WARM_UP [LINGER_MS]\n");
        return 2;
    }
    addresses = argv[1];
    rate = atol(argv[4]);
    seconds = atol(argv[5]);
    warm_up = atol(argv[6]);
    Writer writer = { argv[2], argc > 7 ? argv[7] : "0" };
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "group.id", "micro_latency");
    set(conf, "enable.auto.commit", "false");
    set(conf, "fetch.wait.max.ms", "100");
    rd_kafka_t *handle = client(RD_KAFKA_CONSUMER, conf);
    rd_kafka_poll_set_consumer(handle);
    subscribe(handle, argv[3]);
    rd_kafka_message_t *none = rd_kafka_consumer_poll(handle, 1000); /* the assignment is there */
    if (none)
        rd_kafka_message_destroy(none);

    size_t count = 0, most = (size_t)(rate * seconds) * 2;
    int64_t *latencies = calloc(most, sizeof *latencies), from_us = now_us() + warm_up * 1000000;
    pthread_t thread;
    pthread_create(&thread, NULL, write_all, &writer);
    while (!all_written) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(handle, 50);
        if (!message)
            continue;
        int64_t sent_us = message->err ? 0 : last_number(message->payload, message->len);
        if (sent_us >= from_us && count < most)
            latencies[count++] = now_us() - sent_us;
        rd_kafka_message_destroy(message);
    }
    pthread_join(thread, NULL);
    qsort(latencies, count, sizeof *latencies, compare);
    static const double shares[] = { 0.5, 0.9, 0.99, 0.999, 1 };
    printf("%zu", count);
    for (size_t i = 0; count && i < sizeof shares / sizeof *shares; i++)
        printf(" %.2f", (double)latencies[(size_t)(shares[i] * (double)(count - 1))] / 1000);
    printf("\n");
    rd_kafka_consumer_close(handle);
    rd_kafka_destroy(handle);
    free(latencies);
    return count == 0;
}
