/* runtime/processing_log.c: see processing_log.h.
 *
 * What waits and what is kept is bounded in entries and in bytes of each; a query may leave so many entries a second, beyond that they are counted and told in one. */
#include "runtime/processing_log.h"

#include <stdio.h>
#include <string.h>

#include "common/calendar.h"
#include "runtime/execute.h"

#define PENDING_MOST 1024        /* entries that wait for maintenance */
#define READER_ROWS 4096         /* that wait for a reader */
#define QUERY_RATE 1000          /* entries of a query in a second */
#define TEXT_MOST 1024           /* bytes of a reason, of a record */
#define NAME_MOST 256            /* bytes of a name */

typedef struct ProcessingLog {
    pthread_mutex_t lock;
    LogEntry *first, *last; int pending;  /* under it */
    _Atomic uint64_t records, dropped;
    /* under control */
    LogEntry **kept; int capacity, oldest, count;
    const Schema *channels[2];            /* columns of the streams' rows */
} ProcessingLog;

static const char *const names[2] = { LOG_STREAM, LOG_KSQL_STREAM };

/* ---- an entry is one piece of memory ---- */

static size_t fitting(const char *text, size_t most)
{
    size_t length = text ? strlen(text) : 0;
    return length <= most ? length : utf8_valid_prefix(text, most);
}

static void take_text(const char **text, size_t most, char **at)
{
    if (!*text)
        return;
    size_t length = fitting(*text, most);
    memcpy(*at, *text, length);
    (*at)[length] = 0;
    *text = *at;
    *at += length + 1;
}

/* A copy that owns its texts, cut to what an entry may hold. */
static LogEntry *entry_new(const LogEntry *from)
{
    const char *const texts[] = { from->query, from->operator, from->source, from->split, from->topic, from->column };
    size_t record = from->record_length < TEXT_MOST ? from->record_length : TEXT_MOST, size = sizeof *from + fitting(from->reason, TEXT_MOST) + 1 + record;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        size += fitting(texts[i], NAME_MOST) + 1;
    LogEntry *entry = mem_alloc(size);
    *entry = *from;
    entry->next = NULL;
    char *at = (char *)(entry + 1);
    take_text(&entry->query, NAME_MOST, &at);
    take_text(&entry->operator, NAME_MOST, &at);
    take_text(&entry->source, NAME_MOST, &at);
    take_text(&entry->split, NAME_MOST, &at);
    take_text(&entry->topic, NAME_MOST, &at);
    take_text(&entry->column, NAME_MOST, &at);
    take_text(&entry->reason, TEXT_MOST, &at);
    if (entry->record)
        entry->record = memcpy(at, entry->record, record);
    entry->record_length = record;
    return entry;
}

/* Its reason without secrets. */
static LogEntry *entry_shown(LogEntry *from)
{
    Arena arena;
    arena_init(&arena, NULL);
    MEMORY_HOLD(arena_unwind, &arena);
    from->reason = from->reason ? secrets_shown(&arena, from->reason, fitting(from->reason, TEXT_MOST)) : "";
    LogEntry *entry = entry_new(from);
    arena_release(&arena);
    return entry;
}

/* ---- leaving entries ---- */

/* The stage is one of a few texts that stay. False: too much waits already. */
static bool add_entry(Runtime *runtime, LogEntry *given)
{
    ProcessingLog *log = runtime->log;
    LogEntry *entry = entry_shown(given);
    pthread_mutex_lock(&log->lock);
    const bool room = log->pending < PENDING_MOST, first = log->pending == 0;
    if (room) {
        if (log->last)
            log->last->next = entry;
        else
            log->first = entry;
        log->last = entry;
        log->pending++;
    }
    pthread_mutex_unlock(&log->lock);
    if (!room)
        mem_free(entry);
    else if (first)
        tasks_wake_maintenance(runtime);
    return room;
}

/* What is left out is told a second later, or when the query ends. */
static void leave_out(Query *query, uint64_t count)
{
    const uint64_t before = atomic_fetch_add(&query->log_left_out, count);
    query->runtime->log->dropped += count;
    if (before == 0)
        tasks_wake_maintenance(query->runtime);
}

void processing_log_settle(Query *query)
{
    uint64_t count = atomic_exchange(&query->log_left_out, 0);
    if (!query->runtime->log || !count)
        return;
    char reason[160];
    snprintf(reason, sizeof reason, "%llu rows more went wrong: they came too fast to be logged one by one", (unsigned long long)count);
    LogEntry entry = { .time_us = runtime_now(query->runtime), .level = "WARN", .query = query->id, .stage = "left out", .reason = reason, .count = count };
    if (!add_entry(query->runtime, &entry))
        query->log_left_out += count;
}

void processing_log_problem(void *caller, const RowProblem *problem)
{
    Query *query = caller;
    Runtime *runtime = query->runtime;
    if (!runtime->log || query->unlogged)
        return;
    const int64_t now_us = runtime_now(runtime), second = floor_div(now_us, 1000000);
    if (second != query->log_second) {
        query->log_second = second;
        query->log_count = 0;
        processing_log_settle(query);
    }
    if (query->log_count++ >= QUERY_RATE) {
        leave_out(query, problem->count);
        return;
    }
    LogEntry entry = { .time_us = now_us, .level = "ERROR", .query = query->id, .stage = problem->stage, .operator = problem->operator, .source = problem->source,
        .split = problem->split, .topic = problem->topic, .column = problem->column, .reason = problem->reason, .has_position = problem->has_position,
        .position = problem->position, .line = problem->line, .count = problem->count };
    if (runtime->options.log_records && problem->record) {
        entry.record = problem->record;
        entry.record_length = problem->record_length;
    }
    if (!add_entry(runtime, &entry))
        leave_out(query, problem->count);
}

static Error *add_event(Runtime *runtime, LogEntry *entry)
{
    if (!add_entry(runtime, entry))
        runtime->log->dropped++;
    return NULL;
}

void processing_log_event(Runtime *runtime, const char *query_id, const char *level, const char *stage, const char *reason)
{
    const Query *query = runtime->log && query_id ? query_find(runtime, query_id) : NULL;
    if (!runtime->log || (query && query->unlogged))
        return;
    LogEntry entry = { .time_us = runtime_now(runtime), .level = level, .query = query_id, .stage = stage, .reason = reason };
    Error *error;
    MEMORY_GUARDED(error, add_event(runtime, &entry));
    error_free(error);
}

/* ---- taking them ---- */

bool processing_log_owns(const Runtime *runtime, const char *name) { return runtime->log && (strcmp(name, names[0]) == 0 || strcmp(name, names[1]) == 0); }

static void keep(ProcessingLog *log, LogEntry *entry)
{
    if (log->count == log->capacity) {
        mem_free(log->kept[log->oldest]);
        log->kept[log->oldest] = entry;
        log->oldest = (log->oldest + 1) % log->capacity;
        return;
    }
    log->kept[(log->oldest + log->count++) % log->capacity] = entry;
}

static Error *publish(Runtime *runtime, const LogEntry *first)
{
    const LogEntry *entries[PENDING_MOST];
    uint32_t count = 0;
    for (const LogEntry *entry = first; entry; entry = entry->next)
        entries[count++] = entry;
    for (int stream = 0; stream < 2; stream++)
        if (channel_is_read(runtime->channels, names[stream]))
            channel_publish(runtime->channels, names[stream], processing_log_rows(runtime->log->channels[stream], stream, entries, count));
    return NULL;
}

/* Queries that have left something out and are silent now. */
static Error *settle_all(Runtime *runtime, int64_t *next_us)
{
    const int64_t now_us = runtime_now(runtime);
    for (Query *query = runtime->queries; query; query = query->next) {
        if (!query->log_left_out)
            continue;
        if (floor_div(now_us, 1000000) != query->log_second)
            processing_log_settle(query);
        else
            *next_us = (query->log_second + 1) * 1000000;
    }
    return NULL;
}

int64_t processing_log_flush(Runtime *runtime)
{
    ProcessingLog *log = runtime->log;
    int64_t next_us = TIME_MAX;
    Error *error;
    if (!log)
        return next_us;
    MEMORY_GUARDED(error, settle_all(runtime, &next_us));
    error_free(error);
    pthread_mutex_lock(&log->lock);
    LogEntry *entry = log->first;
    log->first = log->last = NULL;
    log->records += (uint64_t)log->pending;
    log->pending = 0;
    pthread_mutex_unlock(&log->lock);
    if (entry) {
        MEMORY_GUARDED(error, publish(runtime, entry));
        error_free(error); /* who reads misses them: they are kept all the same */
    }
    for (LogEntry *next; entry; entry = next) {
        next = entry->next;
        keep(log, entry);
    }
    return next_us;
}

void processing_log_give(Runtime *runtime, ChannelReader *reader)
{
    const ProcessingLog *log = runtime->log;
    const LogEntry *entries[BATCH_ROWS];
    const int stream = strcmp(channel_reader_name(reader), names[0]) == 0 ? 0 : 1;
    for (int at = 0; at < log->count;) {
        uint32_t count = 0;
        while (at < log->count && count < BATCH_ROWS)
            entries[count++] = log->kept[(log->oldest + at++) % log->capacity];
        Batch *rows = processing_log_rows(log->channels[stream], stream, entries, count);
        MEMORY_HOLD(batch_unwind, &rows);
        channel_reader_give(reader, rows);
        batch_release(rows);
    }
}

/* ---- who reads it ---- */

static const char *scan_topic(const PlanNode *node)
{
    return node->kind == PLAN_SCAN && node->scan.connector ? connector_topic(node->scan.connector, node->scan.connector_options) : NULL;
}

static const char *sink_topic(const PlanNode *sink) { return sink->sink.connector ? connector_topic(sink->sink.connector, sink->sink.spec.options) : NULL; }

static bool reads_topic(const Plan *plan, const char *topic)
{
    for (int n = 0; topic && n < plan->node_count; n++) {
        const char *read = scan_topic(plan->nodes[n]);
        if (read && strcmp(read, topic) == 0)
            return true;
    }
    return false;
}

/* Does the reader get what the writer writes? */
static bool passes_on(const Query *writer, const Query *reader)
{
    if (!writer->plan || !reader->plan)
        return false;
    for (int o = 0; o < writer->plan->output_count; o++) {
        const PlanOutput *output = &writer->plan->outputs[o];
        if ((output->name && query_reads(reader, output->name)) || reads_topic(reader->plan, sink_topic(output->sink)))
            return true;
    }
    return false;
}

static bool reads_log(const Query *query)
{
    if (query_reads(query, names[0]) || query_reads(query, names[1]))
        return true;
    for (const Query *writer = query->runtime->queries; writer; writer = writer->next)
        if (writer->unlogged && writer != query && passes_on(writer, query))
            return true;
    return false;
}

static void spread(Query *query)
{
    query->unlogged = true;
    for (Query *reader = query->runtime->queries; reader; reader = reader->next)
        if (!reader->unlogged && passes_on(query, reader))
            spread(reader);
}

void processing_log_mark(Query *query)
{
    if (query->runtime->log && !query->unlogged && reads_log(query))
        spread(query);
}

/* ---- life ---- */

/* The statement that makes a stream, which nobody stores: it is made at each start. */
static Error *make_stream(Runtime *runtime, int stream)
{
    RuntimeSession session = { .runtime = runtime };
    RuntimeOutput nowhere = { 0 };
    StoredStatement stored = { .sql = processing_log_streams[stream] };
    Span failed = SPAN_NONE;
    Execution execution = { .runtime = runtime, .session = &session, .text = stored.sql, .length = strlen(stored.sql), .output = &nowhere, .restoring = &stored };
    arena_init(&session.arena, NULL);
    MEMORY_HOLD(arena_unwind, &session.arena);
    Error *error = session_setting(&session, "dialect", "bidsql", SPAN_NONE, SPAN_NONE); /* names are as they are written */
    if (!error)
        error = execute_text(&execution, false, &failed);
    arena_release(&session.arena);
    TRY(error);
    CatalogEntry *entry = runtime->catalog->find(runtime->catalog, names[stream], SPACE_RELATIONS);
    entry->of_server = true;
    runtime->log->channels[stream] = &entry->source->rows->channel;
    channel_make_lossy(runtime->channels, names[stream], READER_ROWS);
    return NULL;
}

Error *processing_log_open(Runtime *runtime)
{
    if (runtime->options.log_rows == 0)
        return NULL;
    ProcessingLog *log = runtime->log = mem_calloc(1, sizeof *log);
    pthread_mutex_init(&log->lock, NULL);
    log->capacity = runtime->options.log_rows;
    log->kept = mem_calloc((size_t)log->capacity, sizeof *log->kept);
    TRY(make_stream(runtime, 0));
    return make_stream(runtime, 1);
}

void processing_log_close(Runtime *runtime)
{
    ProcessingLog *log = runtime->log;
    if (!log)
        return;
    for (LogEntry *entry = log->first, *next; entry; entry = next) {
        next = entry->next;
        mem_free(entry);
    }
    for (int i = 0; i < log->count; i++)
        mem_free(log->kept[(log->oldest + i) % log->capacity]);
    mem_free(log->kept);
    pthread_mutex_destroy(&log->lock);
    mem_free(log);
    runtime->log = NULL;
}

void processing_log_counts(const Runtime *runtime, RuntimeMetrics *metrics)
{
    const ProcessingLog *log = runtime->log;
    if (!log)
        return;
    metrics->log_records = log->records;
    metrics->log_dropped = log->dropped;
    for (int stream = 0; stream < 2; stream++)
        metrics->log_lost += channel_lost(runtime->channels, names[stream]);
}
