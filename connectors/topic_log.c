/* connectors/topic_log.c: topics as logs in this process.
 *
 * Everything is made before the lock is taken, as no lock is held where memory may run out; a record is one piece of memory and stays where it is. */
#include "connectors/topic_log.h"

#include <pthread.h>
#include <string.h>

#include "common/hash.h"

typedef struct LogEntry {
    Record record;
    int partition;
    bool given;
    struct LogEntry *cut; /* the one that was cut off before */
} LogEntry;

typedef struct LogEntries {
    LogEntry **items;
    uint64_t count, capacity;
} LogEntries;

typedef struct LogPartition {
    LogEntries all, given;
    uint64_t fetched;
} LogPartition;

struct TopicLog {
    char *name;
    TopicLogs *logs;
    LogEntries entries;         /* of all partitions, in order */
    LogPartition **partitions;  /* each stays where it is */
    int partition_count;
    bool given_only;
    uint64_t room;
    uint64_t keyless;           /* messages without a key so far */
    struct { Waker **items; uint64_t count, capacity; } watchers;
};

struct TopicLogs {
    pthread_mutex_t lock;       /* of everything in the logs */
    struct { TopicLog **items; uint64_t count, capacity; } logs, removed;
    LogEntry *cut;
    uint64_t written;           /* records, to all topics */
    atomic_bool no_order;       /* readers do not know it */
    SchemaRegistry *registry;
};

static void lock(const TopicLogs *logs) { pthread_mutex_lock((pthread_mutex_t *)&logs->lock); }
static void unlock(const TopicLogs *logs) { pthread_mutex_unlock((pthread_mutex_t *)&logs->lock); }

/* Locks, with room in a list of pointers (items, count, capacity) for one more. */
static void lock_with_room(TopicLogs *logs, void *list_of_pointers)
{
    LogEntries *list = list_of_pointers;
    lock(logs);
    while (list->count == list->capacity) {
        uint64_t capacity = list->capacity ? list->capacity * 2 : 8;
        unlock(logs);
        void *larger = mem_alloc(sizeof(void *) * capacity);
        lock(logs);
        if (list->capacity < capacity) {
            void *old = list->items;
            if (list->count)
                memcpy(larger, old, sizeof(void *) * list->count);
            list->items = larger;
            list->capacity = capacity;
            larger = old;
        }
        mem_free(larger);
    }
}

/* ---- logs ---- */

TopicLogs *topic_logs_new(void)
{
    TopicLogs *logs = mem_calloc(1, sizeof *logs);
    pthread_mutex_init(&logs->lock, NULL);
    logs->registry = schema_registry_in_process();
    return logs;
}

void topic_logs_forget_order(TopicLogs *logs) { logs->no_order = true; }
bool topic_logs_know_order(const TopicLogs *logs) { return !logs->no_order; }

SchemaRegistry *topic_logs_registry(TopicLogs *logs) { return logs ? logs->registry : NULL; }

static void free_log(TopicLog *log)
{
    for (uint64_t i = 0; i < log->entries.count; i++)
        mem_free(log->entries.items[i]);
    for (int p = 0; p < log->partition_count; p++) {
        mem_free(log->partitions[p]->all.items);
        mem_free(log->partitions[p]->given.items);
        mem_free(log->partitions[p]);
    }
    mem_free(log->entries.items);
    mem_free(log->partitions);
    mem_free(log->watchers.items);
    mem_free(log->name);
    mem_free(log);
}

void topic_logs_free(TopicLogs *logs)
{
    if (!logs)
        return;
    for (uint64_t i = 0; i < logs->logs.count; i++)
        free_log(logs->logs.items[i]);
    for (uint64_t i = 0; i < logs->removed.count; i++)
        free_log(logs->removed.items[i]);
    while (logs->cut) {
        LogEntry *entry = logs->cut;
        logs->cut = entry->cut;
        mem_free(entry);
    }
    mem_free(logs->logs.items);
    mem_free(logs->removed.items);
    logs->registry->free(logs->registry);
    pthread_mutex_destroy(&logs->lock);
    mem_free(logs);
}

static TopicLog *find(const TopicLogs *logs, const char *name) /* locked */
{
    for (uint64_t i = 0; i < logs->logs.count; i++)
        if (strcmp(logs->logs.items[i]->name, name) == 0)
            return logs->logs.items[i];
    return NULL;
}

static void log_unwind(void *log) { free_log(log); }

static TopicLog *make_log(TopicLogs *logs, const char *name)
{
    TopicLog *log = mem_calloc(1, sizeof *log);
    MEMORY_HOLD(log_unwind, log);
    *log = (TopicLog){ .logs = logs, .room = UINT64_MAX };
    log->name = mem_calloc(1, strlen(name) + 1);
    strcpy(log->name, name);
    topic_log_grow(log, 1);
    return log;
}

TopicLog *topic_log(TopicLogs *logs, const char *name, bool create)
{
    lock(logs);
    TopicLog *log = find(logs, name);
    unlock(logs);
    if (log || !create)
        return log;
    TopicLog *made = make_log(logs, name);
    MEMORY_HOLD(log_unwind, made);
    lock_with_room(logs, &logs->logs);
    log = find(logs, name);
    if (!log)
        log = logs->logs.items[logs->logs.count++] = made;
    unlock(logs);
    if (log != made)
        free_log(made);
    return log;
}

const char *topic_log_name(const TopicLog *log) { return log->name; }

TopicLog *const *topic_logs_all(const TopicLogs *logs, int *count)
{
    *count = (int)logs->logs.count;
    return logs->logs.items;
}

bool topic_logs_remove(TopicLogs *logs, const char *name)
{
    lock_with_room(logs, &logs->removed);
    TopicLog *log = find(logs, name);
    uint64_t left = 0;
    for (uint64_t i = 0; i < logs->logs.count; i++)
        if (logs->logs.items[i] != log)
            logs->logs.items[left++] = logs->logs.items[i];
    logs->logs.count = left;
    if (log)
        logs->removed.items[logs->removed.count++] = log;
    unlock(logs);
    return log;
}

/* ---- watching ---- */

static void wake_watchers(const TopicLog *log) /* locked, so that nobody is woken who is forgotten */
{
    for (uint64_t i = 0; i < log->watchers.count; i++)
        log->watchers.items[i]->wake(log->watchers.items[i]);
}

void topic_log_watch(TopicLog *log, Waker *waker)
{
    if (!waker)
        return;
    lock_with_room(log->logs, &log->watchers);
    log->watchers.items[log->watchers.count++] = waker;
    unlock(log->logs);
}

void topic_log_forget(TopicLog *log, Waker *waker)
{
    lock(log->logs);
    for (uint64_t i = log->watchers.count; waker && i-- > 0;)
        if (log->watchers.items[i] == waker) { /* once: he may watch as a reader and as a writer */
            log->watchers.items[i] = log->watchers.items[--log->watchers.count];
            break;
        }
    unlock(log->logs);
}

/* ---- partitions ---- */

int topic_log_partitions(const TopicLog *log)
{
    lock(log->logs);
    int count = log->partition_count;
    unlock(log->logs);
    return count;
}

void topic_log_grow(TopicLog *log, int partitions)
{
    for (int have = topic_log_partitions(log); have < partitions; have = topic_log_partitions(log)) {
        LogPartition *added = mem_calloc(1, sizeof *added), **more;
        MEMORY_HOLD(mem_free, added);
        added->fetched = UINT64_MAX;
        more = mem_calloc((size_t)have + 1, sizeof *more);
        LogPartition **old = more;
        lock(log->logs);
        if (log->partition_count == have) {
            old = log->partitions;
            if (have)
                memcpy(more, old, sizeof *more * (size_t)have);
            more[have] = added;
            added = NULL;
            log->partitions = more;
            log->partition_count = have + 1;
            wake_watchers(log);
        }
        unlock(log->logs);
        mem_free(old);
        mem_free(added);
    }
}

/* ---- writing ---- */

static void *put(char **at, const void *bytes, size_t length)
{
    if (!bytes)
        return NULL;
    void *start = *at;
    if (length)
        memcpy(start, bytes, length);
    (*at)[length] = 0;
    *at += length + 1;
    return start;
}

static LogEntry *entry_new(const Record *record)
{
    size_t headers = sizeof(RecordHeader) * (size_t)record->header_count, bytes = record->key_length + record->value_length + 2;
    for (int i = 0; i < record->header_count; i++)
        bytes += strlen(record->headers[i].key) + record->headers[i].value_length + 2;
    LogEntry *entry = mem_calloc(1, sizeof *entry + headers + bytes);
    RecordHeader *copies = (RecordHeader *)(entry + 1);
    char *at = (char *)copies + headers;
    entry->record = *record;
    entry->record.key = put(&at, record->key, record->key_length);
    entry->record.value = put(&at, record->value, record->value_length);
    for (int i = 0; i < record->header_count; i++) {
        const RecordHeader *header = &record->headers[i];
        copies[i].key = put(&at, header->key, strlen(header->key));
        copies[i].value = put(&at, header->value, header->value_length);
        copies[i].value_length = header->value_length;
    }
    entry->record.headers = copies;
    return entry;
}

/* Locked; false: there was none, and while it was made the lock was free: look at everything again. */
static bool has_room(TopicLogs *logs, LogEntries *list)
{
    bool room = list->count < list->capacity;
    if (!room) {
        unlock(logs);
        lock_with_room(logs, list);
    }
    return room;
}

static void append(TopicLog *log, int partition, LogEntry *entry)
{
    TopicLogs *logs = log->logs;
    lock(logs);
    LogPartition *part = log->partitions[partition];
    while (!has_room(logs, &log->entries) || !has_room(logs, &part->all) || !has_room(logs, &part->given))
        ;
    entry->partition = partition;
    entry->record.offset = part->all.count;
    entry->record.sequence = logs->written++;
    log->entries.items[log->entries.count++] = entry;
    part->all.items[part->all.count++] = entry;
    if (entry->given)
        part->given.items[part->given.count++] = entry;
    wake_watchers(log);
    unlock(logs);
}

static void entry_unwind(void *entry) { mem_free(entry); }

void topic_log_append_to(TopicLog *log, int partition, const Record *record, bool given)
{
    LogEntry *entry = entry_new(record);
    MEMORY_HOLD(entry_unwind, entry);
    entry->given = given;
    append(log, partition, entry);
}

void topic_log_append(TopicLog *log, const Record *record, bool given)
{
    uint32_t place = record->key ? murmur2(record->key, record->key_length - record->window_length) & 0x7fffffff : 0;
    lock(log->logs);
    if (!record->key)
        place = (uint32_t)log->keyless++;
    int partition = (int)(place % (uint32_t)log->partition_count);
    unlock(log->logs);
    topic_log_append_to(log, partition, record, given);
}

void topic_log_cut(TopicLog *log, uint64_t count)
{
    lock(log->logs);
    while (log->entries.count > count) {
        LogEntry *entry = log->entries.items[--log->entries.count];
        LogPartition *part = log->partitions[entry->partition];
        part->all.count--;
        part->given.count -= entry->given;
        entry->cut = log->logs->cut; /* somebody may still look at it */
        log->logs->cut = entry;
    }
    unlock(log->logs);
}

void topic_log_set_room(TopicLog *log, uint64_t records)
{
    lock(log->logs);
    log->room = records;
    wake_watchers(log);
    unlock(log->logs);
}

uint64_t topic_log_room(const TopicLog *log)
{
    lock(log->logs);
    uint64_t room = log->room > log->entries.count ? log->room - log->entries.count : 0;
    unlock(log->logs);
    return room;
}

/* ---- reading ---- */

void topic_log_set_fetched(TopicLog *log, int partition, uint64_t records)
{
    lock(log->logs);
    log->partitions[partition]->fetched = records;
    wake_watchers(log);
    unlock(log->logs);
}

uint64_t topic_log_fetched(const TopicLog *log, int partition)
{
    lock(log->logs);
    uint64_t fetched = log->partitions[partition]->fetched;
    unlock(log->logs);
    return fetched;
}

uint64_t topic_log_count(const TopicLog *log)
{
    lock(log->logs);
    uint64_t count = log->entries.count;
    unlock(log->logs);
    return count;
}

const Record *topic_log_record(const TopicLog *log, uint64_t index)
{
    lock(log->logs);
    const Record *record = &log->entries.items[index]->record;
    unlock(log->logs);
    return record;
}

void topic_log_read_given_only(TopicLog *log) { log->given_only = true; }

static const LogEntries *readable(const TopicLog *log, int partition)
{
    const LogPartition *part = log->partitions[partition];
    return log->given_only ? &part->given : &part->all;
}

uint64_t topic_log_readable(const TopicLog *log, int partition)
{
    lock(log->logs);
    uint64_t count = readable(log, partition)->count;
    unlock(log->logs);
    return count;
}

const Record *topic_log_readable_record(const TopicLog *log, int partition, uint64_t place)
{
    lock(log->logs);
    const Record *record = &readable(log, partition)->items[place]->record;
    unlock(log->logs);
    return record;
}
