/* connectors/topic_log.c: topics as logs in this process. */
#include "connectors/topic_log.h"

#include <string.h>

struct TopicLog {
    const char *name;
    TopicLogs *logs;
    struct { Record *items; int count, capacity; } records; /* of the arena: they move when it grows, their bytes do not */
    struct { int *items; int count, capacity; } given;      /* indexes of records that came from outside */
    bool given_only;
};

struct TopicLogs {
    Arena arena;
    struct { TopicLog **items; int count, capacity; } logs;
    SchemaRegistry *registry;
};

TopicLogs *topic_logs_new(void)
{
    TopicLogs *logs = mem_calloc(1, sizeof *logs);
    arena_init(&logs->arena, NULL);
    logs->registry = schema_registry_in_process();
    return logs;
}

SchemaRegistry *topic_logs_registry(TopicLogs *logs) { return logs ? logs->registry : NULL; }


void topic_logs_free(TopicLogs *logs)
{
    if (!logs)
        return;
    logs->registry->free(logs->registry);
    arena_release(&logs->arena);
    mem_free(logs);
}

TopicLog *topic_log(TopicLogs *logs, const char *name, bool create)
{
    for (int i = 0; i < logs->logs.count; i++)
        if (strcmp(logs->logs.items[i]->name, name) == 0)
            return logs->logs.items[i];
    if (!create)
        return NULL;
    TopicLog *log = ARENA_NEW(&logs->arena, TopicLog);
    log->name = arena_strdup(&logs->arena, name);
    log->logs = logs;
    LIST_ADD(&logs->arena, &logs->logs, log);
    return log;
}

const char *topic_log_name(const TopicLog *log) { return log->name; }

TopicLog *const *topic_logs_all(const TopicLogs *logs, int *count)
{
    *count = logs->logs.count;
    return logs->logs.items;
}

static const char *copy_bytes(Arena *arena, const char *bytes, size_t length)
{
    if (!bytes)
        return NULL;
    char *copy = arena_alloc(arena, length + 1);
    if (length)
        memcpy(copy, bytes, length);
    copy[length] = 0;
    return copy;
}

void topic_log_append(TopicLog *log, const Record *record, bool given)
{
    Arena *arena = &log->logs->arena;
    Record copy = *record;
    RecordHeader *headers = ARENA_ARRAY(arena, RecordHeader, (size_t)record->header_count + 1);
    copy.key = copy_bytes(arena, record->key, record->key_length);
    copy.value = copy_bytes(arena, record->value, record->value_length);
    copy.offset = (uint64_t)log->records.count;
    for (int i = 0; i < record->header_count; i++)
        headers[i] = (RecordHeader){ arena_strdup(arena, record->headers[i].key),
                                     copy_bytes(arena, record->headers[i].value, record->headers[i].value_length), record->headers[i].value_length };
    copy.headers = headers;
    if (given)
        LIST_ADD(arena, &log->given, log->records.count);
    LIST_ADD(arena, &log->records, copy);
}

uint64_t topic_log_count(const TopicLog *log) { return (uint64_t)log->records.count; }
const Record *topic_log_record(const TopicLog *log, uint64_t index) { return &log->records.items[index]; }

void topic_log_cut(TopicLog *log, uint64_t count)
{
    if ((uint64_t)log->records.count > count)
        log->records.count = (int)count;
    while (log->given.count && (uint64_t)log->given.items[log->given.count - 1] >= count)
        log->given.count--;
}

void topic_log_read_given_only(TopicLog *log) { log->given_only = true; }

uint64_t topic_log_readable(const TopicLog *log)
{
    return log->given_only ? (uint64_t)log->given.count : (uint64_t)log->records.count;
}

const Record *topic_log_readable_record(const TopicLog *log, uint64_t place)
{
    return &log->records.items[log->given_only ? log->given.items[place] : (int)place];
}
