/* connectors/kafka_admin.c: a broker's topics: found, made, deleted. */
#include "connectors/kafka_admin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ADMIN_MS 30000  /* until a request is given up */
#define STEP_MS 200     /* between two looks at what the client says */

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- what is there ---- */

static const struct rd_kafka_metadata_topic *only_topic(const struct rd_kafka_metadata *metadata)
{
    return metadata->topic_cnt == 1 ? &metadata->topics[0] : NULL;
}

static bool is_missing(const struct rd_kafka_metadata_topic *topic)
{
    return !topic || topic->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
}

/* *ready: every partition has a leader. */
static Error *look(KafkaClient *client, const char *name, int *partitions, int *replicas, bool *ready)
{
    const struct rd_kafka_metadata *metadata = NULL;
    *partitions = *replicas = 0;
    *ready = false;
    TRY(kafka_client_metadata(client, name, KAFKA_PATIENCE_MS, &metadata));
    const struct rd_kafka_metadata_topic *topic = only_topic(metadata);
    Error *error = NULL;
    if (topic && topic->err && !is_missing(topic) && topic->err != RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE)
        error = kafka_error(ERR_CONNECT, topic->err, "topic '%s'", name);
    if (!error && !is_missing(topic)) {
        *partitions = topic->partition_cnt;
        *replicas = topic->partition_cnt ? topic->partitions[0].replica_cnt : 0;
        *ready = topic->partition_cnt > 0;
        for (int i = 0; i < topic->partition_cnt; i++)
            *ready &= topic->partitions[i].leader >= 0;
    }
    rd_kafka_metadata_destroy(metadata);
    return error;
}

Error *kafka_topic_find(KafkaClient *client, const char *name, int *partitions, int *replicas)
{
    bool ready;
    return look(client, name, partitions, replicas, &ready);
}

/* ---- requests ---- */

typedef struct Request {
    KafkaClient *client;
    rd_kafka_queue_t *queue;
    rd_kafka_AdminOptions_t *options;
} Request;

static void request_begin(Request *request, KafkaClient *client, rd_kafka_admin_op_t kind)
{
    char reason[128];
    rd_kafka_t *handle = kafka_client_handle(client);
    *request = (Request){ client, rd_kafka_queue_new(handle), rd_kafka_AdminOptions_new(handle, kind) };
    rd_kafka_AdminOptions_set_request_timeout(request->options, ADMIN_MS, reason, sizeof reason);
    if (kind == RD_KAFKA_ADMIN_OP_CREATETOPICS || kind == RD_KAFKA_ADMIN_OP_DELETETOPICS)
        rd_kafka_AdminOptions_set_operation_timeout(request->options, ADMIN_MS, reason, sizeof reason);
}

/* Waits for the answer, in short steps: a rejection is known long before the request gives up. NULL with an error otherwise. */
static Error *request_answer(Request *request, rd_kafka_event_t **answer)
{
    const int64_t end_ms = now_ms() + ADMIN_MS + 5000;
    Error *error = NULL;
    *answer = NULL;
    while (!*answer && !error && now_ms() < end_ms) {
        *answer = rd_kafka_queue_poll(request->queue, STEP_MS);
        error = *answer ? NULL : kafka_client_trouble(request->client);
    }
    if (!*answer && !error)
        error = kafka_error(ERR_CONNECT, RD_KAFKA_RESP_ERR__TIMED_OUT, "the brokers do not answer");
    if (*answer && rd_kafka_event_error(*answer))
        error = kafka_error(ERR_CONNECT, rd_kafka_event_error(*answer), "the brokers do not answer");
    return error;
}

static void request_end(Request *request, rd_kafka_event_t *answer)
{
    if (answer)
        rd_kafka_event_destroy(answer);
    rd_kafka_AdminOptions_destroy(request->options);
    rd_kafka_queue_destroy(request->queue);
}

/* The one result of a request about one topic. */
static Error *only_result(const rd_kafka_topic_result_t **results, size_t count, rd_kafka_resp_err_t fine, const char *verb, const char *name, bool *was_fine)
{
    *was_fine = count == 1 && fine && rd_kafka_topic_result_error(results[0]) == fine;
    if (count != 1 || *was_fine || !rd_kafka_topic_result_error(results[0]))
        return NULL;
    const char *reason = rd_kafka_topic_result_error_string(results[0]);
    return reason ? error_new(ERR_CONNECT, "cannot %s the topic '%s': %s", verb, name, reason)
                  : kafka_error(ERR_CONNECT, rd_kafka_topic_result_error(results[0]), "cannot %s the topic '%s'", verb, name);
}

/* ---- making one ---- */

/* A leader that is named may not know of it yet: it is asked. */
static bool leaders_answer(KafkaClient *client, const char *name, int partitions)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
    for (int p = 0; p < partitions; p++)
        rd_kafka_topic_partition_list_add(list, name, p)->offset = RD_KAFKA_OFFSET_END;
    bool answer = !rd_kafka_offsets_for_times(kafka_client_handle(client), list, ADMIN_MS);
    for (int p = 0; p < partitions; p++)
        answer &= !list->elems[p].err;
    rd_kafka_topic_partition_list_destroy(list);
    return answer;
}

static Error *wait_until_ready(KafkaClient *client, const char *name)
{
    const int64_t end_ms = now_ms() + ADMIN_MS;
    int partitions, replicas;
    for (bool ready = false; !ready;) {
        TRY(look(client, name, &partitions, &replicas, &ready));
        ready = ready && leaders_answer(client, name, partitions);
        if (!ready && now_ms() > end_ms)
            return error_new(ERR_CONNECT, "the topic '%s' was made, and its partitions have no leaders yet", name);
        if (!ready)
            nanosleep(&(struct timespec){ 0, 20 * 1000000 }, NULL); /* the controller has told one broker before the other */
    }
    return NULL;
}

static Error *new_topic(const char *name, const TopicWish *wish, rd_kafka_NewTopic_t **topic)
{
    char reason[256], number[24];
    *topic = rd_kafka_NewTopic_new(name, wish->partitions ? (int)wish->partitions : -1, wish->replicas > 0 ? (int)wish->replicas : -1, reason, sizeof reason);
    if (!*topic)
        return error_new(ERR_BIND, "cannot make the topic '%s': %s", name, reason);
    if (wish->retention_ms) {
        snprintf(number, sizeof number, "%lld", (long long)wish->retention_ms);
        rd_kafka_NewTopic_set_config(*topic, "retention.ms", number);
    }
    if (wish->cleanup_policy)
        rd_kafka_NewTopic_set_config(*topic, "cleanup.policy", wish->cleanup_policy);
    return NULL;
}

Error *kafka_topic_create(KafkaClient *client, const char *name, const TopicWish *wish)
{
    rd_kafka_NewTopic_t *topic = NULL;
    rd_kafka_event_t *answer = NULL;
    Request request;
    bool was_there = false;
    TRY(new_topic(name, wish, &topic));
    request_begin(&request, client, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    rd_kafka_CreateTopics(kafka_client_handle(client), &topic, 1, request.options, request.queue);
    Error *error = request_answer(&request, &answer);
    if (!error) {
        size_t count = 0;
        const rd_kafka_topic_result_t **results = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(answer), &count);
        error = only_result(results, count, RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS, "make", name, &was_there);
    }
    request_end(&request, answer);
    rd_kafka_NewTopic_destroy(topic);
    return error ? error : wait_until_ready(client, name);
}

Error *kafka_topic_ensure(KafkaClient *client, const char *name, const TopicWish *wish, bool *made)
{
    int partitions, replicas;
    *made = false;
    TRY(kafka_topic_find(client, name, &partitions, &replicas));
    if (!partitions) {
        *made = true;
        return kafka_topic_create(client, name, wish);
    }
    return topic_differs(name, wish, partitions, replicas);
}

/* ---- what it takes ---- */

static int64_t config_number(const rd_kafka_ConfigResource_t *resource, const char *name)
{
    size_t count = 0;
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resource, &count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(rd_kafka_ConfigEntry_name(entries[i]), name) == 0 && rd_kafka_ConfigEntry_value(entries[i]))
            return strtoll(rd_kafka_ConfigEntry_value(entries[i]), NULL, 10);
    return 0;
}

/* Who may write a topic need not be allowed to look at its settings. */
Error *kafka_topic_max_bytes(KafkaClient *client, const char *name, int64_t *bytes)
{
    rd_kafka_ConfigResource_t *topic = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name);
    rd_kafka_event_t *answer = NULL;
    Request request;
    request_begin(&request, client, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    rd_kafka_DescribeConfigs(kafka_client_handle(client), &topic, 1, request.options, request.queue);
    Error *error = request_answer(&request, &answer);
    *bytes = 0;
    if (!error) {
        size_t count = 0;
        const rd_kafka_ConfigResource_t **resources = rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(answer), &count);
        if (count == 1 && !rd_kafka_ConfigResource_error(resources[0]))
            *bytes = config_number(resources[0], "max.message.bytes");
    }
    request_end(&request, answer);
    rd_kafka_ConfigResource_destroy(topic);
    return error;
}

/* ---- deleting one ---- */

Error *kafka_topic_delete(KafkaClient *client, const char *name, bool *existed)
{
    rd_kafka_DeleteTopic_t *topic = rd_kafka_DeleteTopic_new(name);
    rd_kafka_event_t *answer = NULL;
    Request request;
    bool missing = false;
    request_begin(&request, client, RD_KAFKA_ADMIN_OP_DELETETOPICS);
    rd_kafka_DeleteTopics(kafka_client_handle(client), &topic, 1, request.options, request.queue);
    Error *error = request_answer(&request, &answer);
    if (!error) {
        size_t count = 0;
        const rd_kafka_topic_result_t **results = rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(answer), &count);
        error = only_result(results, count, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, "delete", name, &missing);
    }
    request_end(&request, answer);
    rd_kafka_DeleteTopic_destroy(topic);
    *existed = !missing;
    return error;
}

/* ---- offsets of a group ---- */

Error *kafka_commit(KafkaClient *client, const TopicOffset *offsets, int count)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(count + 1);
    for (int i = 0; i < count; i++)
        rd_kafka_topic_partition_list_add(list, offsets[i].topic, offsets[i].partition)->offset = (int64_t)offsets[i].offset;
    rd_kafka_resp_err_t failed = count ? rd_kafka_commit(kafka_client_handle(client), list, 0) : RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_topic_partition_list_destroy(list);
    return failed ? kafka_error(ERR_IO, failed, "cannot commit the offsets of the consumer group") : NULL;
}

/* ---- all of them ---- */

static Error *list_names(Arena *arena, KafkaClient *client, bool internal, TopicDescription **topics, int *count)
{
    const struct rd_kafka_metadata *metadata = NULL;
    TRY(kafka_client_metadata(client, NULL, KAFKA_PATIENCE_MS, &metadata));
    *topics = ARENA_ARRAY(arena, TopicDescription, (size_t)metadata->topic_cnt + 1);
    *count = 0;
    for (int i = 0; i < metadata->topic_cnt; i++) {
        const struct rd_kafka_metadata_topic *topic = &metadata->topics[i];
        if (topic->err || (!internal && strncmp(topic->topic, "__", 2) == 0))
            continue;
        (*topics)[(*count)++] = (TopicDescription){ .name = arena_strdup(arena, topic->topic), .partitions = topic->partition_cnt,
            .replicas = topic->partition_cnt ? topic->partitions[0].replica_cnt : 0, .records = -1, .consumers = -1, .groups = -1 };
    }
    rd_kafka_metadata_destroy(metadata);
    return NULL;
}

/* The offset of every partition's first message, or of the one behind its last. */
static Error *list_offsets(KafkaClient *client, const TopicDescription *topics, int count, int64_t which, rd_kafka_topic_partition_list_t **result)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(16);
    for (int i = 0; i < count; i++)
        for (int p = 0; p < topics[i].partitions; p++)
            rd_kafka_topic_partition_list_add(list, topics[i].name, p)->offset = which;
    rd_kafka_resp_err_t failed = list->cnt ? rd_kafka_offsets_for_times(kafka_client_handle(client), list, ADMIN_MS) : RD_KAFKA_RESP_ERR_NO_ERROR;
    *result = list;
    return failed ? kafka_error(ERR_CONNECT, failed, "cannot ask for the offsets of topics") : NULL;
}

static Error *count_records(KafkaClient *client, TopicDescription *topics, int count)
{
    rd_kafka_topic_partition_list_t *first = NULL, *next = NULL;
    Error *error = list_offsets(client, topics, count, RD_KAFKA_OFFSET_BEGINNING, &first);
    if (!error)
        error = list_offsets(client, topics, count, RD_KAFKA_OFFSET_END, &next);
    for (int i = 0, at = 0; i < count && !error; i++) {
        topics[i].records = 0;
        for (int p = 0; p < topics[i].partitions; p++, at++)
            if (!first->elems[at].err && !next->elems[at].err)
                topics[i].records += next->elems[at].offset - first->elems[at].offset;
    }
    if (first)
        rd_kafka_topic_partition_list_destroy(first);
    if (next)
        rd_kafka_topic_partition_list_destroy(next);
    return error;
}

/* ---- who reads them ---- */

static Error *group_names(Arena *arena, KafkaClient *client, const char ***names, size_t *count)
{
    rd_kafka_event_t *answer = NULL;
    Request request;
    request_begin(&request, client, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPS);
    rd_kafka_ListConsumerGroups(kafka_client_handle(client), request.options, request.queue);
    Error *error = request_answer(&request, &answer);
    *count = 0;
    if (!error) {
        const rd_kafka_ConsumerGroupListing_t **groups = rd_kafka_ListConsumerGroups_result_valid(rd_kafka_event_ListConsumerGroups_result(answer), count);
        *names = ARENA_ARRAY(arena, const char *, *count + 1);
        for (size_t i = 0; i < *count; i++)
            (*names)[i] = arena_strdup(arena, rd_kafka_ConsumerGroupListing_group_id(groups[i]));
    }
    request_end(&request, answer);
    return error;
}

static bool reads(const rd_kafka_MemberDescription_t *member, const char *topic)
{
    const rd_kafka_MemberAssignment_t *assignment = rd_kafka_MemberDescription_assignment(member);
    const rd_kafka_topic_partition_list_t *partitions = assignment ? rd_kafka_MemberAssignment_partitions(assignment) : NULL;
    for (int i = 0; partitions && i < partitions->cnt; i++)
        if (strcmp(partitions->elems[i].topic, topic) == 0)
            return true;
    return false;
}

static void count_group(const rd_kafka_ConsumerGroupDescription_t *group, TopicDescription *topics, int count)
{
    if (rd_kafka_ConsumerGroupDescription_error(group))
        return;
    for (int t = 0; t < count; t++) {
        int members = 0;
        for (size_t m = 0; m < rd_kafka_ConsumerGroupDescription_member_count(group); m++)
            members += reads(rd_kafka_ConsumerGroupDescription_member(group, m), topics[t].name);
        topics[t].consumers += members;
        topics[t].groups += members > 0;
    }
}

static Error *count_consumers(Arena *arena, KafkaClient *client, TopicDescription *topics, int count)
{
    const char **names = NULL;
    size_t name_count = 0, group_count = 0;
    TRY(group_names(arena, client, &names, &name_count));
    for (int i = 0; i < count; i++)
        topics[i].consumers = topics[i].groups = 0;
    if (name_count == 0)
        return NULL;
    rd_kafka_event_t *answer = NULL;
    Request request;
    request_begin(&request, client, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS);
    rd_kafka_DescribeConsumerGroups(kafka_client_handle(client), names, name_count, request.options, request.queue);
    Error *error = request_answer(&request, &answer);
    if (!error) {
        const rd_kafka_ConsumerGroupDescription_t **groups =
            rd_kafka_DescribeConsumerGroups_result_groups(rd_kafka_event_DescribeConsumerGroups_result(answer), &group_count);
        for (size_t g = 0; g < group_count; g++)
            count_group(groups[g], topics, count);
    }
    request_end(&request, answer);
    return error;
}

Error *kafka_topics_list(Arena *arena, KafkaClient *client, bool internal, bool extended, TopicDescription **topics, int *count)
{
    TRY(list_names(arena, client, internal, topics, count));
    if (!extended)
        return NULL;
    TRY(count_records(client, *topics, *count));
    return count_consumers(arena, client, *topics, *count);
}
