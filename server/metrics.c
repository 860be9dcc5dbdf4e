/* server/metrics.c: /metrics, in Prometheus' text format 0.0.4: a family is written whole, so queries are visited once and remembered. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "server/server_internal.h"

typedef struct Split {
    const char *source, *name;
    uint64_t rows, bytes;
    int64_t lag, wm_us;            /* lag -1: not known */
    bool idle, paused;
} Split;

typedef struct OperatorSample {
    const char *name, *type;
    bool source, sink, keeps_state, windowed;
    NodeCounters counters;
} OperatorSample;

typedef struct Sample {
    const char *id, *sink;
    QueryState state;
    bool persistent, has_table;
    int restarts, subscribers;
    JobCounters counters;
    uint64_t retries, table_rows;
    int64_t watermark_us, state_bytes, checkpoint_us;
    int64_t busy_us, idle_us, backpressured_us;
    Histogram latency;
    Split *splits; int split_count;
    OperatorSample *operators; int operator_count;
    QueueFill *queues; int queue_count;
} Sample;

typedef struct Samples {
    Arena *arena;
    struct { Sample *items; int count, capacity; } list;
    int64_t now_us;
    Text *out;
} Samples;

static void take_operators(Arena *arena, const Plan *plan, const JobStatus *status, Sample *sample)
{
    sample->operators = ARENA_ARRAY(arena, OperatorSample, (size_t)plan->node_count + 1);
    sample->operator_count = plan->node_count;
    for (int id = 0; id < plan->node_count; id++) {
        const PlanNode *node = plan->nodes[id];
        sample->operators[id] = (OperatorSample){ arena_strdup(arena, node->name), plan_kind_name(node->kind), node->input_count == 0, node->kind == PLAN_SINK,
                                                  node->state_bound != NULL, node->kind == PLAN_WINDOW_AGGREGATE, status->nodes[id] };
    }
}

static void take_sample(void *caller, const QueryInfo *query, const JobStatus *status)
{
    Samples *samples = caller;
    Arena *arena = samples->arena;
    Sample sample = { .id = arena_strdup(arena, query->id), .sink = arena_strdup(arena, query->sink ? query->sink : ""), .state = query->state, .persistent = query->persistent,
        .has_table = query->has_table, .restarts = query->restarts, .subscribers = query->subscribers, .counters = status->counters, .retries = status->retries,
        .table_rows = query->table_rows, .watermark_us = status->watermark_us, .state_bytes = query->state_bytes, .checkpoint_us = query->checkpoint_us,
        .busy_us = status->busy_us, .idle_us = status->idle_us, .backpressured_us = status->backpressured_us, .latency = status->latency,
        .split_count = status->split_count, .splits = ARENA_ARRAY(arena, Split, (size_t)status->split_count + 1) };
    for (int i = 0; i < status->split_count; i++) {
        const SplitStatus *split = &status->splits[i];
        sample.splits[i] = (Split){ arena_strdup(arena, split->source), arena_strdup(arena, split->name), split->rows, split->bytes,
                                    split->end < 0 ? -1 : split->end - (int64_t)split->position, split->wm_us, split->idle, split->paused };
    }
    sample.queues = ARENA_ARRAY(arena, QueueFill, (size_t)query->queue_count + 1);
    for (int i = 0; i < query->queue_count; i++)
        sample.queues[sample.queue_count++] = (QueueFill){ arena_strdup(arena, query->queues[i].stream), query->queues[i].ratio };
    if (status->nodes && query->plan)
        take_operators(arena, query->plan, status, &sample);
    LIST_ADD(arena, &samples->list, sample);
}

/* ---- the format ---- */

static void family(Text *out, const char *name, const char *type, const char *help) { text_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type); }

static void label(Text *out, const char *name, const char *value, bool first)
{
    text_printf(out, "%s%s=\"", first ? "" : ",", name);
    for (; *value; value++) {
        if (*value == '\\' || *value == '"')
            text_add_char(out, '\\');
        if (*value == '\n')
            text_add_c(out, "\\n");
        else
            text_add_char(out, *value);
    }
    text_add_char(out, '"');
}

static void sample_start(Text *out, const char *name, const Sample *sample)
{
    text_printf(out, "%s{", name);
    label(out, "query", sample->id, true);
}

static void split_start(Text *out, const char *name, const Sample *sample, const Split *split)
{
    sample_start(out, name, sample);
    label(out, "source", split->source, false);
    label(out, "partition", split->name, false);
}

typedef double (*QueryNumber)(const Sample *sample);

static void per_query(Samples *samples, const char *name, const char *type, const char *help, QueryNumber number)
{
    family(samples->out, name, type, help);
    for (int i = 0; i < samples->list.count; i++) {
        const Sample *sample = &samples->list.items[i];
        sample_start(samples->out, name, sample);
        text_printf(samples->out, "} %.17g\n", number(sample));
    }
}

static double rows_in(const Sample *s) { return (double)s->counters.rows_in; }
static double rows_out(const Sample *s) { return (double)s->counters.rows_out; }
static double bytes_in(const Sample *s) { return (double)s->counters.bytes_in; }
static double bytes_out(const Sample *s) { return (double)s->counters.bytes_out; }
static double bad_rows(const Sample *s) { return (double)s->counters.bad_rows; }
static double row_errors(const Sample *s) { return (double)s->counters.row_errors; }
static double late_rows(const Sample *s) { return (double)s->counters.late_rows; }
static double dead_letters(const Sample *s) { return (double)s->counters.dead_letters; }
static double late_windows(const Sample *s) { return (double)s->counters.late_windows; }
static double turns(const Sample *s) { return (double)s->counters.turns; }
static double retries(const Sample *s) { return (double)s->retries; }
static double restarts(const Sample *s) { return s->restarts; }
static double subscribers(const Sample *s) { return s->subscribers; }
static double busy(const Sample *s) { return (double)s->busy_us / 1e6; }
static double idle(const Sample *s) { return (double)s->idle_us / 1e6; }
static double backpressured(const Sample *s) { return (double)s->backpressured_us / 1e6; }
static double state_bytes(const Sample *s) { return (double)s->state_bytes; }
static double table_rows(const Sample *s) { return (double)s->table_rows; }
static double lookup_hits(const Sample *s) { return (double)s->counters.lookup_hits; }
static double lookup_misses(const Sample *s) { return (double)s->counters.lookup_misses; }
static double lookup_absent(const Sample *s) { return (double)s->counters.lookup_absent; }

/* ---- operators ---- */

typedef double (*OperatorNumber)(const OperatorSample *operator);
typedef bool (*OperatorFilter)(const OperatorSample *operator);

static bool any_operator(const OperatorSample *operator) { return operator->name != NULL; }
static bool takes_rows(const OperatorSample *operator) { return !operator->source; }
static bool gives_rows(const OperatorSample *operator) { return !operator->sink; }
static bool reads_bytes(const OperatorSample *operator) { return operator->source; }
static bool writes_bytes(const OperatorSample *operator) { return operator->sink; }
static bool keeps_state(const OperatorSample *operator) { return operator->keeps_state; }
static bool has_windows(const OperatorSample *operator) { return operator->windowed && operator->counters.open_windows >= 0; }
static bool has_time(const OperatorSample *operator) { return operator->counters.wm_us != TIME_MIN && operator->counters.wm_us != TIME_MAX; }

#define OPERATOR_NUMBER(name, value) \
    static double name(const OperatorSample *operator) { return (double)(value); }
OPERATOR_NUMBER(operator_rows_in, operator->counters.rows_in)
OPERATOR_NUMBER(operator_rows_out, operator->counters.rows_out)
OPERATOR_NUMBER(operator_bytes_in, operator->counters.bytes_in)
OPERATOR_NUMBER(operator_bytes_out, operator->counters.bytes_out)
OPERATOR_NUMBER(operator_batches, operator->counters.batches)
OPERATOR_NUMBER(operator_late, operator->counters.late_rows)
OPERATOR_NUMBER(operator_errors, operator->counters.bad_rows)
OPERATOR_NUMBER(operator_state_bytes, operator->counters.held_bytes)
OPERATOR_NUMBER(operator_state_rows, operator->counters.held_rows)
OPERATOR_NUMBER(operator_windows, operator->counters.open_windows)
OPERATOR_NUMBER(operator_time, (double)operator->counters.wm_us / 1e6)
OPERATOR_NUMBER(operator_busy, (double)operator->counters.busy_ns / 1e9)
OPERATOR_NUMBER(operator_idle, (double)operator->counters.idle_ns / 1e9)
OPERATOR_NUMBER(operator_backpressured, (double)operator->counters.backpressured_ns / 1e9)

static void per_operator(Samples *samples, const char *name, const char *type, const char *help, OperatorFilter wanted, OperatorNumber number)
{
    family(samples->out, name, type, help);
    for (int i = 0; i < samples->list.count; i++)
        for (int o = 0; o < samples->list.items[i].operator_count; o++) {
            const Sample *sample = &samples->list.items[i];
            const OperatorSample *operator = &sample->operators[o];
            if (!wanted(operator))
                continue;
            sample_start(samples->out, name, sample);
            label(samples->out, "operator", operator->name, false);
            label(samples->out, "type", operator->type, false);
            text_printf(samples->out, "} %.17g\n", number(operator));
        }
}

static void add_operators(Samples *samples)
{
    per_operator(samples, "bidsql_operator_records_in_total", "counter", "Rows that an operator of a query took.", takes_rows, operator_rows_in);
    per_operator(samples, "bidsql_operator_records_out_total", "counter", "Rows that it gave.", gives_rows, operator_rows_out);
    per_operator(samples, "bidsql_operator_bytes_in_total", "counter", "Bytes that it read.", reads_bytes, operator_bytes_in);
    per_operator(samples, "bidsql_operator_bytes_out_total", "counter", "Bytes that it wrote.", writes_bytes, operator_bytes_out);
    per_operator(samples, "bidsql_operator_batches_total", "counter", "Batches that the rows came in.", any_operator, operator_batches);
    per_operator(samples, "bidsql_operator_late_records_dropped_total", "counter", "Rows that found none of its windows open.", keeps_state, operator_late);
    per_operator(samples, "bidsql_operator_errors_total", "counter", "Rows that went wrong in it.", any_operator, operator_errors);
    per_operator(samples, "bidsql_operator_busy_seconds_total", "counter", "Time that it worked.", any_operator, operator_busy);
    per_operator(samples, "bidsql_operator_idle_seconds_total", "counter", "Time that it had nothing to do.", any_operator, operator_idle);
    per_operator(samples, "bidsql_operator_backpressured_seconds_total", "counter", "Time that it waited for room in a sink.", any_operator, operator_backpressured);
    per_operator(samples, "bidsql_operator_state_bytes", "gauge", "Memory of its state.", keeps_state, operator_state_bytes);
    per_operator(samples, "bidsql_operator_state_rows", "gauge", "Keys and rows in its state.", keeps_state, operator_state_rows);
    per_operator(samples, "bidsql_open_windows", "gauge", "Windows that hold rows and are not closed; of overlapping ones the panes that they share.", has_windows, operator_windows);
    per_operator(samples, "bidsql_operator_watermark_timestamp_seconds", "gauge", "How far event time has come where it works.", has_time, operator_time);
}

static void add_queues(Samples *samples)
{
    family(samples->out, "bidsql_queue_fill_ratio", "gauge", "How full the queue is in which rows of a stream or table of the process wait for the query; 1: who writes them waits.");
    for (int i = 0; i < samples->list.count; i++)
        for (int q = 0; q < samples->list.items[i].queue_count; q++) {
            const Sample *sample = &samples->list.items[i];
            bool again = false; /* the same stream twice: the first says it */
            for (int k = 0; k < q; k++)
                again |= strcmp(sample->queues[k].stream, sample->queues[q].stream) == 0;
            if (again)
                continue;
            sample_start(samples->out, "bidsql_queue_fill_ratio", sample);
            label(samples->out, "edge", sample->queues[q].stream, false);
            text_printf(samples->out, "} %.17g\n", sample->queues[q].ratio);
        }
}

/* ---- families ---- */

static void add_states(Samples *samples)
{
    static const QueryState states[] = { QUERY_RUNNING, QUERY_PAUSED, QUERY_ERROR, QUERY_COMPLETED };
    family(samples->out, "bidsql_query_state", "gauge", "1 for the state that the query is in.");
    for (int i = 0; i < samples->list.count; i++)
        for (size_t s = 0; s < sizeof states / sizeof *states; s++) {
            sample_start(samples->out, "bidsql_query_state", &samples->list.items[i]);
            label(samples->out, "state", query_state_name(states[s]), false);
            text_printf(samples->out, "} %d\n", samples->list.items[i].state == states[s]);
        }
    family(samples->out, "bidsql_query_info", "gauge", "1; what kind of query it is and what it fills.");
    for (int i = 0; i < samples->list.count; i++) {
        sample_start(samples->out, "bidsql_query_info", &samples->list.items[i]);
        label(samples->out, "type", samples->list.items[i].persistent ? "persistent" : "push", false);
        label(samples->out, "sink", samples->list.items[i].sink, false);
        text_add_c(samples->out, "} 1\n");
    }
}

static void add_lookups(Samples *samples)
{
    static const struct { const char *result; QueryNumber number; } results[] = { { "hit", lookup_hits }, { "miss", lookup_misses }, { "null", lookup_absent } };
    family(samples->out, "bidsql_lookup_requests_total", "counter", "Rows that asked a lookup table: answered by the cache, by the database, by nothing.");
    for (int i = 0; i < samples->list.count; i++)
        for (size_t r = 0; r < 3; r++) {
            sample_start(samples->out, "bidsql_lookup_requests_total", &samples->list.items[i]);
            label(samples->out, "result", results[r].result, false);
            text_printf(samples->out, "} %.17g\n", results[r].number(&samples->list.items[i]));
        }
}

/* Times that are not known are not written: no date of year 1. */
static void add_times(Samples *samples)
{
    family(samples->out, "bidsql_query_watermark_timestamp_seconds", "gauge", "How far event time has come.");
    for (int i = 0; i < samples->list.count; i++)
        if (samples->list.items[i].watermark_us != TIME_MIN && samples->list.items[i].watermark_us != TIME_MAX) {
            sample_start(samples->out, "bidsql_query_watermark_timestamp_seconds", &samples->list.items[i]);
            text_printf(samples->out, "} %.6f\n", (double)samples->list.items[i].watermark_us / 1e6);
        }
    family(samples->out, "bidsql_query_watermark_lag_seconds", "gauge", "How far event time is behind the clock.");
    for (int i = 0; i < samples->list.count; i++)
        if (samples->list.items[i].watermark_us != TIME_MIN && samples->list.items[i].watermark_us != TIME_MAX) {
            sample_start(samples->out, "bidsql_query_watermark_lag_seconds", &samples->list.items[i]);
            text_printf(samples->out, "} %.6f\n", (double)(samples->now_us - samples->list.items[i].watermark_us) / 1e6);
        }
    family(samples->out, "bidsql_query_last_checkpoint_timestamp_seconds", "gauge", "When the last snapshot was taken that holds the query's state.");
    for (int i = 0; i < samples->list.count; i++)
        if (samples->list.items[i].checkpoint_us > 0) {
            sample_start(samples->out, "bidsql_query_last_checkpoint_timestamp_seconds", &samples->list.items[i]);
            text_printf(samples->out, "} %.6f\n", (double)samples->list.items[i].checkpoint_us / 1e6);
        }
}

static double split_rows(const Split *split) { return (double)split->rows; }
static double split_bytes(const Split *split) { return (double)split->bytes; }
static double split_idle(const Split *split) { return split->idle; }
static double split_paused(const Split *split) { return split->paused; }

static void per_split(Samples *samples, const char *name, const char *type, const char *help, double (*number)(const Split *split))
{
    family(samples->out, name, type, help);
    for (int i = 0; i < samples->list.count; i++)
        for (int s = 0; s < samples->list.items[i].split_count; s++) {
            split_start(samples->out, name, &samples->list.items[i], &samples->list.items[i].splits[s]);
            text_printf(samples->out, "} %.17g\n", number(&samples->list.items[i].splits[s]));
        }
}

static void add_splits(Samples *samples)
{
    per_split(samples, "bidsql_source_records_total", "counter", "Records read.", split_rows);
    per_split(samples, "bidsql_source_bytes_total", "counter", "Bytes read.", split_bytes);
    per_split(samples, "bidsql_source_idle", "gauge", "1: the partition is silent and does not hold event time back.", split_idle);
    per_split(samples, "bidsql_source_paused", "gauge", "1: the partition is ahead of others and waits.", split_paused);
    family(samples->out, "bidsql_source_lag_records", "gauge", "Records that are there and not read.");
    for (int i = 0; i < samples->list.count; i++)
        for (int s = 0; s < samples->list.items[i].split_count; s++)
            if (samples->list.items[i].splits[s].lag >= 0) {
                split_start(samples->out, "bidsql_source_lag_records", &samples->list.items[i], &samples->list.items[i].splits[s]);
                text_printf(samples->out, "} %lld\n", (long long)samples->list.items[i].splits[s].lag);
            }
    family(samples->out, "bidsql_source_event_time_lag_seconds", "gauge", "How far the partition's event time is behind the clock.");
    for (int i = 0; i < samples->list.count; i++)
        for (int s = 0; s < samples->list.items[i].split_count; s++) {
            int64_t wm_us = samples->list.items[i].splits[s].wm_us;
            if (wm_us == TIME_MIN || wm_us == TIME_MAX)
                continue;
            split_start(samples->out, "bidsql_source_event_time_lag_seconds", &samples->list.items[i], &samples->list.items[i].splits[s]);
            text_printf(samples->out, "} %.6f\n", (double)(samples->now_us - wm_us) / 1e6);
        }
}

/* Of the histogram's many buckets, those at these bounds. */
static void add_latency(Samples *samples)
{
    static const double bounds[] = { 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60 };
    family(samples->out, "bidsql_end_to_end_latency_seconds", "histogram", "From the time of a message to the end of the turn that took it.");
    for (int i = 0; i < samples->list.count; i++) {
        const Sample *sample = &samples->list.items[i];
        uint64_t count = 0;
        int bucket = 0;
        for (size_t b = 0; b < sizeof bounds / sizeof *bounds; b++) {
            for (; bucket < HISTOGRAM_BUCKETS && (double)histogram_bound(bucket) <= bounds[b] * 1e6; bucket++)
                count += sample->latency.counts[bucket];
            text_add_c(samples->out, "bidsql_end_to_end_latency_seconds_bucket{");
            label(samples->out, "query", sample->id, true);
            text_printf(samples->out, ",le=\"%g\"} %llu\n", bounds[b], (unsigned long long)count);
        }
        text_add_c(samples->out, "bidsql_end_to_end_latency_seconds_bucket{");
        label(samples->out, "query", sample->id, true);
        text_printf(samples->out, ",le=\"+Inf\"} %llu\n", (unsigned long long)sample->latency.count);
        sample_start(samples->out, "bidsql_end_to_end_latency_seconds_sum", sample);
        text_printf(samples->out, "} %.6f\n", (double)sample->latency.sum / 1e6);
        sample_start(samples->out, "bidsql_end_to_end_latency_seconds_count", sample);
        text_printf(samples->out, "} %llu\n", (unsigned long long)sample->latency.count);
    }
}

static void add_queries(Samples *samples)
{
    add_states(samples);
    per_query(samples, "bidsql_query_records_in_total", "counter", "Rows read.", rows_in);
    per_query(samples, "bidsql_query_records_out_total", "counter", "Rows written.", rows_out);
    per_query(samples, "bidsql_query_bytes_in_total", "counter", "Bytes read.", bytes_in);
    per_query(samples, "bidsql_query_bytes_out_total", "counter", "Bytes written.", bytes_out);
    per_query(samples, "bidsql_decode_errors_total", "counter", "Records that did not decode or had no usable time.", bad_rows);
    per_query(samples, "bidsql_row_errors_total", "counter", "Rows over which an expression failed.", row_errors);
    per_query(samples, "bidsql_dlq_records_total", "counter", "Rows that were put aside as dead letters.", dead_letters);
    per_query(samples, "bidsql_late_records_dropped_total", "counter", "Rows that found none of their windows open.", late_rows);
    per_query(samples, "bidsql_late_windows_dropped_total", "counter", "Windows that a row found closed.", late_windows);
    per_query(samples, "bidsql_query_turns_total", "counter", "Pieces of input that were worked on.", turns);
    per_query(samples, "bidsql_query_retries_total", "counter", "Connections that broke and requests that were sent again.", retries);
    per_query(samples, "bidsql_query_restarts", "gauge", "How often it has failed and begun again.", restarts);
    per_query(samples, "bidsql_query_subscribers", "gauge", "Who reads its rows.", subscribers);
    per_query(samples, "bidsql_query_busy_seconds_total", "counter", "Time with work to do.", busy);
    per_query(samples, "bidsql_query_idle_seconds_total", "counter", "Time without input.", idle);
    per_query(samples, "bidsql_query_backpressured_seconds_total", "counter", "Time without room in a sink.", backpressured);
    per_query(samples, "bidsql_state_bytes", "gauge", "Memory that the query holds.", state_bytes);
    per_query(samples, "bidsql_table_rows", "gauge", "Rows in the table that the query keeps.", table_rows);
    add_lookups(samples);
    add_times(samples);
    add_splits(samples);
    add_latency(samples);
    add_operators(samples);
    add_queues(samples);
}

/* ---- the whole ---- */

static void one(Text *out, const char *name, const char *type, const char *help, double value)
{
    family(out, name, type, help);
    text_printf(out, "%s %.17g\n", name, value);
}

static int open_files(void)
{
    int count = 0;
    DIR *directory = opendir("/proc/self/fd");
    while (directory && readdir(directory))
        count++;
    if (directory)
        closedir(directory);
    return count > 3 ? count - 3 : 0;
}

static double resident_bytes(void)
{
    long pages = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file && fscanf(file, "%ld %ld", &pages, &resident) != 2)
        resident = 0;
    if (file)
        fclose(file);
    return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

static void add_process(Server *server, Text *out)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    one(out, "process_cpu_seconds_total", "counter", "CPU time of the process.",
        (double)usage.ru_utime.tv_sec + (double)usage.ru_stime.tv_sec + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
    one(out, "process_resident_memory_bytes", "gauge", "Resident memory of the process.", resident_bytes());
    one(out, "process_open_fds", "gauge", "Open file descriptors.", open_files());
    one(out, "process_start_time_seconds", "gauge", "When the server was started.", (double)server->started_us / 1e6);
}

static void add_traces(Server *server, Text *out)
{
    TracerStatistics traces;
    tracer_statistics(server->tracer, &traces);
    family(out, "bidsql_trace_spans_total", "counter", "Spans by what became of them.");
    text_printf(out, "bidsql_trace_spans_total{result=\"sent\"} %llu\nbidsql_trace_spans_total{result=\"dropped\"} %llu\n", (unsigned long long)traces.sent, (unsigned long long)traces.dropped);
    text_printf(out, "bidsql_trace_spans_total{result=\"failed\"} %llu\nbidsql_trace_spans_total{result=\"rejected\"} %llu\n", (unsigned long long)traces.failed,
                (unsigned long long)traces.rejected);
    one(out, "bidsql_trace_queue_spans", "gauge", "Spans that wait to be sent.", traces.waiting);
    one(out, "bidsql_trace_requests_total", "counter", "Requests to the collector.", (double)traces.requests);
    one(out, "bidsql_trace_failed_requests_total", "counter", "Those that it did not take.", (double)traces.failed_requests);
}

static void add_server(Server *server, Text *out)
{
    RuntimeMetrics metrics;
    HttpStatistics http;
    runtime_metrics(server->runtime, &metrics);
    http_server_statistics(server->http, &http);
    family(out, "bidsql_build_info", "gauge", "1; the version that runs.");
    text_printf(out, "bidsql_build_info{version=\"%s\",commit=\"%s\"} 1\n", BIDSQL_VERSION, BIDSQL_COMMIT);
    family(out, "bidsql_queries", "gauge", "Queries by state.");
    text_printf(out, "bidsql_queries{state=\"RUNNING\"} %d\nbidsql_queries{state=\"PAUSED\"} %d\nbidsql_queries{state=\"ERROR\"} %d\nbidsql_queries{state=\"COMPLETED\"} %d\n",
                metrics.queries_running, metrics.queries_paused, metrics.queries_error, metrics.queries_completed);
    one(out, "bidsql_push_queries", "gauge", "Push queries that run.", metrics.push_queries);
    one(out, "bidsql_subscriptions", "gauge", "Who reads push queries.", metrics.subscriptions);
    one(out, "bidsql_memory_bytes", "gauge", "Memory that all queries hold.", (double)metrics.memory_bytes);
    family(out, "bidsql_checkpoints_total", "counter", "Snapshots by their outcome.");
    text_printf(out, "bidsql_checkpoints_total{result=\"completed\"} %llu\nbidsql_checkpoints_total{result=\"failed\"} %llu\n", (unsigned long long)metrics.checkpoints,
                (unsigned long long)metrics.checkpoint_failures);
    one(out, "bidsql_checkpoint_size_bytes", "gauge", "Size of the last snapshot.", (double)metrics.last_checkpoint_bytes);
    one(out, "bidsql_checkpoint_duration_seconds", "gauge", "How long the last snapshot took.", (double)metrics.last_checkpoint_duration_us / 1e6);
    one(out, "bidsql_last_checkpoint_timestamp_seconds", "gauge", "When the last snapshot was written.", (double)metrics.last_checkpoint_us / 1e6);
    one(out, "bidsql_pull_queries_total", "counter", "Pull queries answered.", (double)metrics.pull_queries);
    one(out, "bidsql_pull_queries_stopped_total", "counter", "Pull queries that took too long.", (double)server->stopped_pulls);
    one(out, "bidsql_statements_total", "counter", "Statements done.", (double)metrics.statements);
    one(out, "bidsql_query_failures_total", "counter", "Failures of queries.", (double)metrics.failures);
    one(out, "bidsql_subscriber_records_dropped_total", "counter", "Rows that slow subscribers have lost.", (double)metrics.rows_dropped);
    one(out, "bidsql_processing_log_records_total", "counter", "Entries of the processing log.", (double)metrics.log_records);
    family(out, "bidsql_processing_log_dropped_total", "counter", "What the processing log did not show: wrong rows that came too fast, entries that slow readers have lost.");
    text_printf(out, "bidsql_processing_log_dropped_total{reason=\"rate\"} %llu\nbidsql_processing_log_dropped_total{reason=\"reader\"} %llu\n", (unsigned long long)metrics.log_dropped,
                (unsigned long long)metrics.log_lost);
    family(out, "bidsql_http_responses_total", "counter", "Answers by the hundred of their status.");
    for (int i = 1; i <= 5; i++)
        text_printf(out, "bidsql_http_responses_total{code=\"%dxx\"} %lu\n", i, (unsigned long)server->answers[i]);
    family(out, "bidsql_http_rate_limited_total", "counter", "Requests refused because too many came from one address or user.");
    text_printf(out, "bidsql_http_rate_limited_total{by=\"address\"} %lu\nbidsql_http_rate_limited_total{by=\"user\"} %lu\n", (unsigned long)server->limited_addresses,
                (unsigned long)server->limited_users);
    one(out, "bidsql_http_connections_total", "counter", "Connections accepted.", (double)http.connections);
    one(out, "bidsql_http_refused_connections_total", "counter", "Connections refused.", (double)http.refused_connections);
    one(out, "bidsql_http_open_connections", "gauge", "Connections that are open.", http.open_connections);
    one(out, "bidsql_http_requests_total", "counter", "Requests.", (double)http.requests);
    one(out, "bidsql_http_received_bytes_total", "counter", "Bytes received.", (double)http.bytes_in);
    one(out, "bidsql_http_sent_bytes_total", "counter", "Bytes sent.", (double)http.bytes_out);
    one(out, "bidsql_http_timeouts_total", "counter", "Peers that took too long.", (double)http.timeouts);
    add_traces(server, out);
    one(out, "bidsql_http_protocol_errors_total", "counter", "Requests that were none.", (double)http.protocol_errors);
}

static void get_metrics(Call *call)
{
    Text out = { 0 };
    MEMORY_HOLD(text_unwind, &out);
    Samples samples = { .arena = &call->arena, .now_us = clock_system()->now_us(clock_system()), .out = &out };
    runtime_status(call->server->runtime, NULL, take_sample, &samples);
    add_server(call->server, &out);
    add_queries(&samples);
    add_process(call->server, &out);
    answer_text(call, 200, "text/plain; version=0.0.4; charset=utf-8", text_c(&out), out.length);
    text_release(&out);
}

const Route metrics_routes[] = {
    { "GET", "/metrics", get_metrics, ROLE_READER, true, NULL },
    { NULL, NULL, NULL, ROLE_NONE, false, NULL },
};
