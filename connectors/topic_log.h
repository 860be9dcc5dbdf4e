/* connectors/topic_log.h: topics as logs in this process: what the connector 'kafka' reads and writes where ConnectorContext.topics is set.
 *
 * A log holds the bytes of keys and values, written and read by the real formats, in one partition or more: a key's place is that of Kafka's own
 * partitioner. For tests of whole programs over topics. Thread-safe: several jobs may read and write. */
#pragma once
#include "common/schema_registry.h"
#include "connectors/connectors.h"

typedef struct TopicLog TopicLog;

TopicLogs *topic_logs_new(void);
void topic_logs_free(TopicLogs *logs); /* NULL is fine */

/* The log of that name (names of topics keep their case), made with one partition where there is none and `create` is set; else NULL. */
TopicLog *topic_log(TopicLogs *logs, const char *name, bool create);
const char *topic_log_name(const TopicLog *log);
/* Forgets the log; who reads it still may do so. False: there is none of that name. */
bool topic_logs_remove(TopicLogs *logs, const char *name);
/* All logs, in the order in which they were made. */
TopicLog *const *topic_logs_all(const TopicLogs *logs, int *count);

/* Of the messages' schemas; NULL for no logs. */
SchemaRegistry *topic_logs_registry(TopicLogs *logs);

/* From now on readers do not know the order in which records of several partitions came: as with a broker. */
void topic_logs_forget_order(TopicLogs *logs);
bool topic_logs_know_order(const TopicLogs *logs);

int topic_log_partitions(const TopicLog *log);
/* More partitions; fewer are not possible. Who watches is woken. */
void topic_log_grow(TopicLog *log, int partitions);

/* Appends a copy; sets its offset. given: put there from outside (a test's input, INSERT .. VALUES), not by a query. The key chooses the partition; messages
 * without a key go round. */
void topic_log_append(TopicLog *log, const Record *record, bool given);
void topic_log_append_to(TopicLog *log, int partition, const Record *record, bool given);
/* Forgets what stands behind the first `count` records. */
void topic_log_cut(TopicLog *log, uint64_t count);
/* The records of all partitions in the order in which they came. A record is valid until the logs are freed. */
uint64_t topic_log_count(const TopicLog *log);
const Record *topic_log_record(const TopicLog *log, uint64_t index);

/* From now on readers of this log see only records that were `given`, as ksqlDB's test driver pipes a topic's inputs and not what a
 * query wrote to the same topic. */
void topic_log_read_given_only(TopicLog *log);

/* A partition as readers see it: how many records, and the one at a place. */
uint64_t topic_log_readable(const TopicLog *log, int partition);
const Record *topic_log_readable_record(const TopicLog *log, int partition, uint64_t place);

/* Queries find room for no more than `records` in all, until there is more room: a broker that is slow. */
void topic_log_set_room(TopicLog *log, uint64_t records);
uint64_t topic_log_room(const TopicLog *log); /* how many more */
/* Readers know of all records of the partition and get no more than the first `records`, until there are more: a broker that has not sent them yet. */
void topic_log_set_fetched(TopicLog *log, int partition, uint64_t records);
uint64_t topic_log_fetched(const TopicLog *log, int partition);
/* Wakes whoever reads or writes the log when records, partitions or room come, until it is told to forget him. */
void topic_log_watch(TopicLog *log, Waker *waker);
void topic_log_forget(TopicLog *log, Waker *waker);
