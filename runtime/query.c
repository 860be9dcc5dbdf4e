/* runtime/query.c: a query from its plan to its end. */
#include <string.h>

#include "runtime/prepared.h"
#include "runtime/processing_log.h"

const char *query_state_name(QueryState state)
{
    switch (state) {
    case QUERY_RUNNING: return "RUNNING";
    case QUERY_PAUSED: return "PAUSED";
    case QUERY_ERROR: return "ERROR";
    case QUERY_COMPLETED: return "COMPLETED";
    case QUERY_TERMINATED: return "TERMINATED";
    }
    return "?";
}

/* ---- what a plan reads and writes ---- */

static void add_name(Arena *arena, const char ***names, int *count, int room, const char *name)
{
    if (!*names)
        *names = ARENA_ARRAY(arena, const char *, (size_t)room + 1);
    for (int i = 0; i < *count; i++)
        if (strcmp((*names)[i], name) == 0)
            return;
    (*names)[(*count)++] = arena_strdup(arena, name);
}

static void read_plan(Query *query)
{
    const Plan *plan = query->plan;
    for (int n = 0; n < plan->node_count; n++) {
        const PlanNode *node = plan->nodes[n];
        if (node->kind == PLAN_LOOKUP)
            add_name(query->arena, &query->sources, &query->source_count, plan->node_count, node->lookup.table_name);
        if (node->kind != PLAN_SCAN || !node->scan.source_name)
            continue;
        add_name(query->arena, &query->sources, &query->source_count, plan->node_count, node->scan.source_name);
        if (node->scan.connector == &process_connector)
            add_name(query->arena, &query->channels, &query->channel_count, plan->node_count, ((const ProcessOptions *)node->scan.connector_options)->stream);
    }
    for (int o = 0; o < plan->output_count; o++) {
        const SinkSpec *spec = &plan->outputs[o].sink->sink.spec;
        if (spec->connector == &process_connector)
            add_name(query->arena, &query->fills, &query->fill_count, plan->output_count, ((const ProcessOptions *)spec->options)->stream);
    }
    if (plan->output_count && plan->outputs[0].name)
        query->sink = arena_strdup(query->arena, plan->outputs[0].name);
}

bool query_reads(const Query *query, const char *name)
{
    for (int i = 0; i < query->source_count; i++)
        if (name_equal(query->sources[i], name))
            return true;
    return false;
}

bool plan_keeps_table(const Plan *plan)
{
    for (int o = 0; o < plan->output_count; o++)
        if (plan->outputs[o].sink->sink.keeps_table)
            return true;
    return false;
}

/* ---- life ---- */

Query *query_new(Runtime *runtime, Arena *arena, const Plan *plan, const char *id, const char *sql, bool persistent)
{
    Query *query = mem_calloc(1, sizeof *query);
    query->arena = arena;
    query->runtime = runtime;
    query->references = 1;
    query->plan = plan;
    query->persistent = persistent;
    query->state = QUERY_RUNNING;
    query->until_us = query->retry_us = TIME_MAX;
    query->started_us = runtime_now(runtime);
    query->port = (ChannelPort){ .channels = runtime->channels, .transient = !persistent };
    query->info.watermark_us = TIME_MIN;
    pthread_mutex_init(&query->step, NULL);
    pthread_mutex_init(&query->feed, NULL);
    pthread_mutex_init(&query->inserting, NULL);
    query->id = arena_strdup(query->arena, id);
    query->secret_sql = persistent ? arena_strdup(query->arena, sql) : NULL;
    query->sql = secrets_shown(query->arena, sql, strlen(sql));
    if (plan)
        read_plan(query);
    return query;
}

void query_retain(Query *query) { atomic_fetch_add(&query->references, 1); }

static Error *tell_left_out(Query *query)
{
    processing_log_settle(query);
    return NULL;
}

void query_release(Query *query)
{
    if (!query || atomic_fetch_sub(&query->references, 1) != 1)
        return;
    if (query->job)
        error_free(job_close(query->job));
    Error *error;
    MEMORY_GUARDED(error, tell_left_out(query));
    error_free(error);
    mem_free(query->reason);
    error_free(query->failure);
    error_free(query->end);
    pthread_mutex_destroy(&query->step);
    pthread_mutex_destroy(&query->feed);
    pthread_mutex_destroy(&query->inserting);
    mem_free(query->written);
    arena_release(query->arena);
    mem_free(query->arena);
    mem_free(query);
}

/* ---- its job ---- */

static Error *give_table(ChannelReader *reader, Job *maker, int table)
{
    Batch *rows = NULL;
    for (uint32_t next = 0;;) {
        TRY(job_table_scan(maker, table, &next, &rows));
        if (!rows)
            return NULL;
        channel_reader_give(reader, rows);
        batch_release(rows);
    }
}

/* The rows of keys, or of their windows. */
static Error *give_points(ChannelReader *reader, Job *maker, int table, const PointKeys *points)
{
    for (int i = 0; i < points->count; i++) {
        Batch *row = NULL;
        TRY(points->whole ? job_table_find(maker, table, points->keys[i], &row) : job_table_find_group(maker, table, points->keys[i], &row));
        if (row)
            channel_reader_give(reader, row);
        batch_release(row);
    }
    return NULL;
}

/* What the tables that it reads hold: their jobs do no turn meanwhile. */
static Error *feed_tables(Query *query)
{
    for (int i = 0; i < query->port.readers.count; i++) {
        ChannelReader *reader = query->port.readers.items[i];
        if (processing_log_owns(query->runtime, channel_reader_name(reader))) {
            processing_log_give(query->runtime, reader);
            if (channel_reader_is_bounded(reader))
                channel_reader_end(reader);
            continue;
        }
        Query *maker = query_of_entity(query->runtime, channel_reader_name(reader));
        int table = maker && maker->job ? job_table(maker->job) : -1;
        PointKeys points;
        if (channel_reader_is_bounded(reader) && table < 0)
            return error_new(ERR_CONNECT, "'%s' holds nothing: its query %s%s", channel_reader_name(reader), maker ? "is in state " : "is gone", maker ? query_state_name(maker->state) : "");
        const PlanNode *sink = table >= 0 ? maker->plan->outputs[table].sink : NULL;
        const bool now = query->pull || (query->hosted && query->plan->bounded);
        if (sink && now && point_keys(query->plan, channel_reader_name(reader), sink, query->arena, &points))
            TRY(give_points(reader, maker->job, table, &points));
        else if (table >= 0)
            TRY(give_table(reader, maker->job, table));
        if (channel_reader_is_bounded(reader))
            channel_reader_end(reader);
    }
    return NULL;
}

static Error *open_job(Query *query, bool with_tables)
{
    Runtime *runtime = query->runtime;
    JobOptions options = { .clock = runtime->options.clock, .filesystem = runtime->options.sql_filesystem, .pool = &runtime->pool, .threads = 1,
        .memory_limit_bytes = runtime->options.query_memory_limit_bytes, .max_bad_rows = runtime->options.max_bad_rows, .count_nodes = runtime->options.count_nodes,
        .base_directory = runtime->options.base_directory, .topics = runtime->options.topics, .process = &query->port,
        .on_rows = query->persistent ? NULL : query->pull ? pull_rows : feed_rows, .on_wake = task_wake, .caller = query, .impatient = query->opened_again };
    if (query->hosted) {
        options = *query->hosted;
        options.process = &query->port;
    }
    options.row_log = (RowLog){ processing_log_problem, query };
    processing_log_mark(query);
    if (query->unlogged) /* what has happened so far is kept, and not on its way, when it asks */
        processing_log_flush(runtime);
    TRY(job_open(query->plan, &options, &query->job));
    return with_tables ? feed_tables(query) : NULL;
}

/* The queries that make the tables and streams that it reads. */
static int makers_of(const Query *query, Query **makers, int room)
{
    int count = 0;
    for (Query *maker = query->runtime->queries; maker; maker = maker->next)
        for (int i = 0; i < query->channel_count && count < room; i++)
            if (maker != query && maker->defines && maker->sink && strcmp(maker->sink, query->channels[i]) == 0)
                makers[count++] = maker;
    return count;
}

#define MAKERS_MAX 256

static Error *locked(Query *query, bool with_makers, Error *(*act)(Query *query, bool with_tables))
{
    Query *makers[MAKERS_MAX];
    int count = with_makers ? makers_of(query, makers, MAKERS_MAX) : 0;
    Error *error;
    for (int i = 0; i < count; i++)
        task_lock(makers[i]);
    task_lock(query);
    MEMORY_GUARDED(error, act(query, with_makers));
    if (error && query->job) {
        error_free(job_close(query->job));
        query->job = NULL;
    }
    query_note(query);
    task_unlock(query);
    for (int i = 0; i < count; i++)
        task_unlock(makers[i]);
    return error;
}

static Error *feed_only(Query *query, bool with_tables) { return with_tables ? feed_tables(query) : NULL; }

Error *query_open(Query *query, bool with_tables)
{
    TraceScope scope;
    TraceSpan *span = trace_query(query, "query start", &scope);
    Error *error = locked(query, with_tables, open_job);
    trace_end_with(span, &scope, error);
    return error;
}
Error *query_feed(Query *query) { return locked(query, true, feed_only); }

Error *query_close(Query *query)
{
    task_lock(query);
    Error *error = query->job ? job_close(query->job) : NULL;
    query->job = NULL;
    query->ended = false;
    task_unlock(query);
    return error;
}

void query_note(Query *query)
{
    if (!query->job)
        return;
    JobProgress progress;
    JobCounters counters;
    const int table = job_table(query->job);
    const uint64_t table_rows = table >= 0 ? job_table_rows(query->job, table) : 0;
    job_counters(query->job, &counters);
    job_progress(query->job, &progress);
    pthread_mutex_lock(&query->runtime->tasks);
    query->info.counters = counters;
    query->info.watermark_us = progress.watermark_us;
    query->info.state_bytes = job_bytes(query->job);
    query->info.has_table = table >= 0;
    query->info.table_rows = table_rows;
    pthread_mutex_unlock(&query->runtime->tasks);
}

/* ---- the list ---- */

void query_link(Query *query)
{
    Runtime *runtime = query->runtime;
    pthread_mutex_lock(&runtime->tasks);
    Query **at = &runtime->queries;
    while (*at && ((*at)->persistent || !query->persistent)) /* persistent ones first */
        at = &(*at)->next;
    query->next = *at;
    *at = query;
    pthread_mutex_unlock(&runtime->tasks);
    *(query->persistent ? &runtime->persistent_count : &runtime->push_count) += 1;
}

void query_unlink(Query *query)
{
    Runtime *runtime = query->runtime;
    pthread_mutex_lock(&runtime->tasks);
    for (Query **at = &runtime->queries; *at; at = &(*at)->next)
        if (*at == query) {
            *at = query->next;
            break;
        }
    pthread_mutex_unlock(&runtime->tasks);
    *(query->persistent ? &runtime->persistent_count : &runtime->push_count) -= 1;
    if (query->persistent) {
        runtime->epoch++;
        prepared_forget(runtime->prepared);
    }
}

Query *query_find(Runtime *runtime, const char *id)
{
    for (Query *query = runtime->queries; query; query = query->next)
        if (name_equal(query->id, id))
            return query;
    return NULL;
}

Query *query_of_entity(Runtime *runtime, const char *name)
{
    for (Query *query = runtime->queries; query; query = query->next)
        if (query->defines && query->sink && name_equal(query->sink, name))
            return query;
    return NULL;
}

void query_set_state(Query *query, QueryState state, const char *reason)
{
    char *copy = reason ? mem_strdup(reason) : NULL;
    mem_free(query->reason);
    query->reason = copy;
    query->state = state;
    query->state_stored = false;
}

/* ---- groups ---- */

bool query_feeds(const Query *writer, const Query *reader)
{
    for (int f = 0; f < writer->fill_count; f++)
        for (int i = 0; i < reader->channel_count; i++)
            if (strcmp(reader->channels[i], writer->fills[f]) == 0)
                return true;
    return false;
}

int query_group(Runtime *runtime, Query *query, Arena *arena, Query ***result)
{
    int total = 0, count = 0, placed = 0;
    for (const Query *each = runtime->queries; each; each = each->next)
        total += each->persistent;
    Query **members = ARENA_ARRAY(arena, Query *, (size_t)total + 1), **group = ARENA_ARRAY(arena, Query *, (size_t)total + 1);
    members[count++] = query;
    for (int i = 0; i < count; i++)
        for (Query *each = runtime->queries; each; each = each->next) {
            bool known = !each->persistent;
            for (int m = 0; m < count && !known; m++)
                known = members[m] == each;
            if (!known && (query_feeds(each, members[i]) || query_feeds(members[i], each)))
                members[count++] = each;
        }
    while (placed < count) /* producers first: statements refuse queries that feed themselves */
        for (int m = 0; m < count; m++) {
            bool waits = members[m] == NULL;
            for (int other = 0; other < count && !waits; other++)
                waits = members[other] && other != m && query_feeds(members[other], members[m]);
            if (waits)
                continue;
            group[placed++] = members[m];
            members[m] = NULL;
        }
    *result = group;
    return count;
}
