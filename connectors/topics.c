/* connectors/topics.c: topics as such, of a broker or of this process. */
#include "connectors/topics.h"

#include <stdlib.h>
#include <string.h>

#include "connectors/kafka_admin.h"
#include "connectors/topic_log.h"

static int by_name(const void *left, const void *right)
{
    return strcmp(((const TopicDescription *)left)->name, ((const TopicDescription *)right)->name);
}

static TopicDescription describe_log(const TopicLog *log)
{
    return (TopicDescription){ .name = topic_log_name(log), .partitions = topic_log_partitions(log), .replicas = 1, .records = (int64_t)topic_log_count(log) };
}

static void list_logs(Arena *arena, const ConnectorContext *context, TopicDescription **topics, int *count)
{
    TopicLog *const *logs = topic_logs_all(context->topics, count);
    *topics = ARENA_ARRAY(arena, TopicDescription, (size_t)*count + 1);
    for (int i = 0; i < *count; i++)
        (*topics)[i] = describe_log(logs[i]);
}

/* A client for questions; no record goes through it. */
static Error *open_client(const ConnectorContext *context, const void *options, KafkaClient **client)
{
    return kafka_client_new_producer(context, options, NULL, NULL, client);
}

static Error *differs(const char *name, const char *what, int there, int64_t wanted)
{
    return error_hint(error_new(ERR_CONNECT, "the topic '%s' is there with %d %s%s, not %lld", name, there, what, there == 1 ? "" : "s", (long long)wanted),
                      "leave '%ss' out to take it as it is", what);
}

Error *topic_differs(const char *name, const TopicWish *wish, int partitions, int replicas)
{
    if (wish->partitions && wish->partitions != partitions)
        return differs(name, "partition", partitions, wish->partitions);
    return wish->replicas > 0 && wish->replicas != replicas ? differs(name, "replica", replicas, wish->replicas) : NULL;
}

Error *topics_list(Arena *arena, const ConnectorContext *context, const void *options, bool internal, bool extended, TopicDescription **topics, int *count)
{
    if (context->topics) {
        list_logs(arena, context, topics, count);
    } else {
        KafkaClient *client = NULL;
        MEMORY_HOLD(kafka_client_unwind, &client);
        TRY(open_client(context, options, &client));
        Error *error = kafka_topics_list(arena, client, internal, extended, topics, count);
        kafka_client_unwind(&client);
        TRY(error);
    }
    if (*count)
        qsort(*topics, (size_t)*count, sizeof **topics, by_name);
    return NULL;
}

Error *topic_describe(Arena *arena, const ConnectorContext *context, const void *options, const char *name, TopicDescription *topic, bool *found)
{
    *topic = (TopicDescription){ .name = arena_strdup(arena, name), .records = -1, .consumers = -1, .groups = -1 };
    if (context->topics) {
        TopicLog *log = topic_log(context->topics, name, false);
        *found = log != NULL;
        if (log)
            *topic = describe_log(log);
        return NULL;
    }
    KafkaClient *client = NULL;
    MEMORY_HOLD(kafka_client_unwind, &client);
    TRY(open_client(context, options, &client));
    Error *error = kafka_topic_find(client, name, &topic->partitions, &topic->replicas);
    kafka_client_unwind(&client);
    *found = topic->partitions > 0;
    return error;
}

Error *topic_ensure(const ConnectorContext *context, const void *options, const char *name, const TopicWish *wish, bool *made)
{
    if (context->topics) {
        TopicLog *log = topic_log(context->topics, name, false);
        *made = !log;
        if (*made && wish->partitions > 1)
            topic_log_grow(topic_log(context->topics, name, true), (int)wish->partitions);
        else if (*made)
            topic_log(context->topics, name, true);
        return log ? topic_differs(name, wish, topic_log_partitions(log), 1) : NULL;
    }
    KafkaClient *client = NULL;
    MEMORY_HOLD(kafka_client_unwind, &client);
    TRY(open_client(context, options, &client));
    Error *error = kafka_topic_ensure(client, name, wish, made);
    kafka_client_unwind(&client);
    return error;
}

Error *topic_delete(const ConnectorContext *context, const void *options, const char *name, bool *existed)
{
    if (context->topics) {
        *existed = topic_logs_remove(context->topics, name);
        return NULL;
    }
    KafkaClient *client = NULL;
    MEMORY_HOLD(kafka_client_unwind, &client);
    TRY(open_client(context, options, &client));
    Error *error = kafka_topic_delete(client, name, existed);
    kafka_client_unwind(&client);
    return error;
}

Error *topic_commit(const ConnectorContext *context, const void *options, const TopicOffset *offsets, int count)
{
    if (context->topics)
        return NULL;
    KafkaClient *client = NULL;
    MEMORY_HOLD(kafka_client_unwind, &client);
    TRY(kafka_client_new_consumer(context, options, 1, &client));
    Error *error = kafka_commit(client, offsets, count);
    kafka_client_unwind(&client);
    return error;
}

TopicWish topic_wish(const void *what)
{
    const KafkaOptions *options = what;
    return (TopicWish){ options->partitions, options->replicas, options->retention_ms, options->cleanup_policy };
}
