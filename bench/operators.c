/* bench/operators.c: what it costs to count what each operator does (JobOptions.count_nodes, as the server does for /metrics): CPU of the same work with and without, in
 * rounds that take turns. Of three kinds of work: topics in memory, many messages a turn; one message a turn; the same through a window.
 *
 * make build/bench/operators; build/bench/operators [rounds] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runtime/runtime.h"

enum { MESSAGES = 400000, SINGLE_MESSAGES = 20000, ROUNDS_MAX = 101 };

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void check(Error *error)
{
    if (!error)
        return;
    fprintf(stderr, "%s\n", error->message);
    exit(1);
}

static void append(TopicLog *log, int number)
{
    char value[160];
    const int length = snprintf(value, sizeof value, "{\"auction\":%d,\"bidder\":%d,\"price\":%d,\"channel\":\"channel-%d\",\"url\":\"https://example.com/item/%d\"}", number % 1000, number % 77,
                                number % 1013, number % 10, number);
    const Record record = { .value = value, .value_length = (uint32_t)length, .timestamp_us = 1767225600000000 + (int64_t)number * 1000 };
    topic_log_append(log, &record, true);
}

/* CPU ns a message. */
static double run(const char *query, bool single, bool count_nodes)
{
    TopicLogs *topics = topic_logs_new();
    TopicLog *log = topic_log(topics, "bids", true);
    const RuntimeOptions options = { .threads = RUNTIME_NO_THREADS, .topics = topics, .count_nodes = count_nodes };
    const RuntimeOutput output = { 0 };
    Runtime *runtime;
    RuntimeSession *session;
    const int count = single ? SINGLE_MESSAGES : MESSAGES;
    check(runtime_new(&options, &runtime));
    check(runtime_session_new(runtime, &session));
    for (int i = 0; i < count && !single; i++)
        append(log, i);
    double cpu = cpu_seconds();
    check(runtime_execute(session, query, strlen(query), false, &output, NULL));
    runtime_work(runtime);
    if (single)
        cpu = cpu_seconds();
    for (int i = 0; i < count && single; i++) {
        append(log, i);
        runtime_work(runtime);
    }
    cpu = cpu_seconds() - cpu;
    runtime_session_free(session);
    runtime_free(runtime);
    topic_logs_free(topics);
    return cpu / count * 1e9;
}

static int ascending(const void *a, const void *b) { return *(const double *)a < *(const double *)b ? -1 : 1; }

static double median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, ascending);
    return values[count / 2];
}

int main(int argc, char **argv)
{
#define BIDS "CREATE STREAM bids (auction BIGINT, bidder BIGINT, price BIGINT, channel STRING) WITH (connector = 'kafka', topic = 'bids', format = 'json');"
    static const struct { const char *name, *query; bool single; } cases[] = {
        { "filter, many messages a turn", BIDS "CREATE STREAM dear WITH (connector = 'blackhole') AS SELECT auction, price * 2 AS price FROM bids WHERE price > 500;", false },
        { "windowed count, many messages a turn", BIDS "CREATE TABLE counts WITH (connector = 'blackhole') AS SELECT auction, COUNT(*) AS n FROM bids WINDOW TUMBLING (SIZE 10 SECONDS) GROUP BY auction EMIT FINAL;", false },
        { "filter, one message a turn", BIDS "CREATE STREAM dear WITH (connector = 'blackhole') AS SELECT auction, price * 2 AS price FROM bids WHERE price > 500;", true },
        { "windowed count, one message a turn", BIDS "CREATE TABLE counts WITH (connector = 'blackhole') AS SELECT auction, COUNT(*) AS n FROM bids WINDOW TUMBLING (SIZE 10 SECONDS) GROUP BY auction EMIT FINAL;", true },
    };
    const int rounds = argc > 1 ? atoi(argv[1]) : 15;
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        double without[ROUNDS_MAX], with[ROUNDS_MAX], ratios[ROUNDS_MAX];
        for (int r = 0; r < rounds && r < ROUNDS_MAX; r++) {
            without[r] = run(cases[c].query, cases[c].single, false);
            with[r] = run(cases[c].query, cases[c].single, true);
            ratios[r] = with[r] / without[r];
        }
        printf("%-40s %8.1f ns a message, %8.1f with operators counted: %.3f of it\n", cases[c].name, median(without, rounds), median(with, rounds), median(ratios, rounds));
    }
    return 0;
}
