/* connectors/kafka_admin.h: a broker's topics, through a client that is there already. Private to the connector 'kafka'. */
#pragma once
#include "connectors/kafka_client.h"
#include "connectors/topics.h"

/* partitions 0: there is no such topic. */
Error *kafka_topic_find(KafkaClient *client, const char *name, int *partitions, int *replicas);
/* Makes it and waits until every partition has a leader. Fine where somebody else was faster. */
Error *kafka_topic_create(KafkaClient *client, const char *name, const TopicWish *wish);
/* As topic_ensure. wish: NULL says nothing. */
Error *kafka_topic_ensure(KafkaClient *client, const char *name, const TopicWish *wish, bool *made);
/* The largest batch of messages that the brokers take for the topic; 0: they do not say. */
Error *kafka_topic_max_bytes(KafkaClient *client, const char *name, int64_t *bytes);
Error *kafka_topic_delete(KafkaClient *client, const char *name, bool *existed);

Error *kafka_commit(KafkaClient *client, const TopicOffset *offsets, int count);

/* The broker's part of topics.h. */
Error *kafka_topics_list(Arena *arena, KafkaClient *client, bool internal, bool extended, TopicDescription **topics, int *count);
