/* connectors/topics.h: topics as such: which there are, what they are like; making and deleting them. A broker's, or logs in this process.
 *
 * `options` are those of connector 'kafka': how the broker is reached. */
#pragma once
#include "connectors/connectors.h"

typedef struct TopicDescription {
    const char *name;
    int partitions, replicas;      /* replicas: of its first partition */
    int64_t records;               /* that are kept now; -1: not asked */
    int consumers, groups;         /* members of consumer groups that read it, and their groups; -1: not asked */
} TopicDescription;

/* What a topic shall be like that is made; 0, NULL: as the broker has it by default. */
typedef struct TopicWish {
    int64_t partitions, replicas, retention_ms;
    const char *cleanup_policy;
} TopicWish;

/* All topics, by name; internal: those of the brokers themselves, too (their names begin with two underscores). extended: records, consumers, groups. */
Error *topics_list(Arena *arena, const ConnectorContext *context, const void *options, bool internal, bool extended, TopicDescription **topics, int *count);
/* *found: there is one of that name. */
Error *topic_describe(Arena *arena, const ConnectorContext *context, const void *options, const char *name, TopicDescription *topic, bool *found);
/* Makes the topic where there is none (*made). ERR_CONNECT where there is one with other partitions or replicas than the wish says. */
Error *topic_ensure(const ConnectorContext *context, const void *options, const char *name, const TopicWish *wish, bool *made);
/* The error of a topic that is there and not as the wish says; NULL: it is. */
Error *topic_differs(const char *name, const TopicWish *wish, int partitions, int replicas);
Error *topic_delete(const ConnectorContext *context, const void *options, const char *name, bool *existed);
/* The consumer group of the options has done what stands before these offsets. With an answer of the brokers; topics in this process have no groups. */
typedef struct TopicOffset { const char *topic; int32_t partition; uint64_t offset; } TopicOffset;
Error *topic_commit(const ConnectorContext *context, const void *options, const TopicOffset *offsets, int count);
/* What the options say of a topic that is made. */
TopicWish topic_wish(const void *options);
