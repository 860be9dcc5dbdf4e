/* runtime/processing_log.h: what went wrong with rows and queries, as two streams that are always there. Private to the room.
 *
 * Whoever notices something leaves an entry, without waiting: entries that come too fast are counted instead. Maintenance takes what has come, gives it to those
 * who read the streams, and keeps the last ones for those who come later. A query that reads the log, however far away, leaves no entries: the log would feed itself. */
#pragma once
#include "runtime/runtime_internal.h"

#define LOG_STREAM "processing_log"            /* a column for each fact */
#define LOG_KSQL_STREAM "KSQL_PROCESSING_LOG"  /* ksqlDB's columns */

typedef struct LogEntry {
    struct LogEntry *next;
    int64_t time_us;
    const char *level;        /* "ERROR", "WARN", "INFO" */
    const char *query, *stage, *operator, *source, *split, *topic, *column, *reason; /* NULL: none; in the entry's own memory */
    const char *record; size_t record_length;
    bool has_position;
    uint64_t position, line, count;
} LogEntry;

/* Under control: the log (runtime->log; NULL where the options want none) and its streams. */
Error *processing_log_open(Runtime *runtime);
void processing_log_close(Runtime *runtime);
/* Gives what has come to the readers. Under control. Returns when it is to be called again at the latest. */
int64_t processing_log_flush(Runtime *runtime);
/* Is this one of its streams? */
bool processing_log_owns(const Runtime *runtime, const char *name);
/* What is kept, to a reader that has just come. Under control. */
void processing_log_give(Runtime *runtime, ChannelReader *reader);
/* Finds out whether the query, which is about to run, reads the log (and marks those that now do as it fills what they read). Under control. */
void processing_log_mark(Query *query);

/* JobOptions.row_log; caller: the Query. */
void processing_log_problem(void *caller, const RowProblem *problem);
/* Something about a query (NULL: about the runtime). Under control. */
void processing_log_event(Runtime *runtime, const char *query_id, const char *level, const char *stage, const char *reason);
/* What came and what was dropped. Under control. */
void processing_log_counts(const Runtime *runtime, RuntimeMetrics *metrics);
/* What it has left out is told now: the query ends. */
void processing_log_settle(Query *query);

/* ---- processing_log_rows.c ---- */
/* CREATE statements of the two streams. */
extern const char *const processing_log_streams[2];
/* Rows of a channel made of the stream's columns and its time; stream 0 or 1. The caller's. */
Batch *processing_log_rows(const Schema *channel, int stream, const LogEntry *const *entries, uint32_t count);
