/* connectors/topic_log.h: topics as logs in this process: what the connector 'kafka' reads and writes where ConnectorContext.topics is set.
 *
 * A log holds the bytes of keys and values, written and read by the real formats. One partition. For tests of whole programs over topics; it is
 * not thread-safe beyond what a job does (one thread at a time draws and writes). */
#pragma once
#include "common/schema_registry.h"
#include "connectors/connectors.h"

typedef struct TopicLog TopicLog;

TopicLogs *topic_logs_new(void);
void topic_logs_free(TopicLogs *logs); /* NULL is fine */

/* The log of that name (names of topics keep their case), made where there is none and `create` is set; else NULL. */
TopicLog *topic_log(TopicLogs *logs, const char *name, bool create);
const char *topic_log_name(const TopicLog *log);
/* All logs, in the order in which they were made. */
TopicLog *const *topic_logs_all(const TopicLogs *logs, int *count);

/* Of the messages' schemas; NULL for no logs. */
SchemaRegistry *topic_logs_registry(TopicLogs *logs);

/* Appends a copy; sets its offset. given: put there from outside (a test's input, INSERT .. VALUES), not by a query. */
void topic_log_append(TopicLog *log, const Record *record, bool given);
/* Forgets what stands behind the first `count` records. */
void topic_log_cut(TopicLog *log, uint64_t count);
uint64_t topic_log_count(const TopicLog *log);
/* Valid until the log is freed. */
const Record *topic_log_record(const TopicLog *log, uint64_t index);

/* From now on readers of this log see only records that were `given`, as ksqlDB's test driver pipes a topic's inputs and not what a
 * query wrote to the same topic. */
void topic_log_read_given_only(TopicLog *log);

/* As readers see it: how many records, and the one at a place. */
uint64_t topic_log_readable(const TopicLog *log);
const Record *topic_log_readable_record(const TopicLog *log, uint64_t place);
