/* connectors/kafka_twin.c: notices a second process that reads as the same shard. */
#include "connectors/kafka_twin.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define LOOK_MS 1000

/* "bidsql 0123456789abcdef host 4711": of this process, as long as it lives. */
static char signature[128];
static pthread_once_t signature_made = PTHREAD_ONCE_INIT;

static void make_signature(void)
{
    uint64_t number = 0;
    char host[64] = "";
    if (getrandom(&number, sizeof number, 0) != sizeof number)
        number = (uint64_t)time(NULL) << 32 | (uint64_t)getpid();
    gethostname(host, sizeof host - 1);
    snprintf(signature, sizeof signature, "bidsql %016llx %s %ld", (unsigned long long)number, host, (long)getpid());
}

void kafka_twin_sign(rd_kafka_topic_partition_list_t *offsets)
{
    pthread_once(&signature_made, make_signature);
    for (int i = 0; i < offsets->cnt; i++) {
        offsets->elems[i].metadata = strdup(signature); /* the list frees it */
        offsets->elems[i].metadata_size = offsets->elems[i].metadata ? strlen(signature) : 0;
    }
}

static Error *twin(const KafkaOptions *options, const char *other)
{
    char host[64] = "another host";
    long process = 0;
    sscanf(other, "bidsql %*16s %63s %ld", host, &process);
    return error_hint(error_new(ERR_IO, "process %ld on %s reads as shard %lld/%lld of group '%s', too", process, host, (long long)options->shard, (long long)options->shards,
                                options->properties.group_id),
                      "what it and this one write stands twice: end one of them");
}

Error *kafka_twin_look(KafkaClient *client, const KafkaOptions *options, const KafkaPartitions *partitions)
{
    Error *error = NULL;
    if (!kafka_client_committed(client)) /* what stands there may be of who was here before */
        return NULL;
    pthread_once(&signature_made, make_signature);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions->count + 1);
    for (int i = 0; i < partitions->count; i++)
        rd_kafka_topic_partition_list_add(list, partitions->items[i].topic, partitions->items[i].number);
    if (!rd_kafka_committed(kafka_client_handle(client), list, LOOK_MS)) /* else the next look tells */
        for (int i = 0; i < list->cnt && !error; i++) {
            const rd_kafka_topic_partition_t *offset = &list->elems[i];
            bool signed_by_us = offset->metadata_size == strlen(signature) && memcmp(offset->metadata, signature, offset->metadata_size) == 0;
            bool by_other = !signed_by_us && offset->metadata_size > 7 && memcmp(offset->metadata, "bidsql ", 7) == 0;
            if (by_other) {
                char other[128];
                snprintf(other, sizeof other, "%.*s", (int)offset->metadata_size, (const char *)offset->metadata);
                error = twin(options, other);
            }
        }
    rd_kafka_topic_partition_list_destroy(list);
    return error;
}
