/* bench/runtime.c: a runtime with many queries: how long a start takes, what they hold while they rest, pull queries a second, rows to many subscribers.
 *
 * make build/bench/runtime; build/bench/runtime [queries] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "runtime/runtime.h"

static double seconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double anonymous_mib(void)
{
    char line[256];
    double kib = 0;
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status))
        sscanf(line, "RssAnon: %lf", &kib);
    if (status)
        fclose(status);
    return kib / 1024;
}

static void check(Error *error)
{
    if (!error)
        return;
    fprintf(stderr, "%s\n", error->message);
    exit(1);
}

static void run(RuntimeSession *session, const char *sql)
{
    RuntimeOutput output = { 0 };
    check(runtime_execute(session, sql, strlen(sql), false, &output, NULL));
}

static Error *count_rows(void *caller, const Batch *batch)
{
    *(uint64_t *)caller += batch->selection.count;
    return NULL;
}

static void pull_rates(Runtime *runtime, RuntimeSession *session)
{
    const Schema *schema;
    uint64_t rows = 0;
    QueryOptions options = { .rows = count_rows, .caller = &rows };
    Subscription *subscription;
    char sql[128], key[16];
    int count = 20000;
    double start = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    for (int i = 0; i < count; i++) {
        snprintf(sql, sizeof sql, "SELECT * FROM counts0 WHERE auction = %d;", i % 1000);
        check(runtime_query(session, sql, strlen(sql), &options, &subscription));
    }
    printf("pull queries by key, as SQL: %.0f a second, %.1f us of CPU each (%llu rows)\n", count / (seconds(CLOCK_MONOTONIC) - start),
           (seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu) / count * 1e6, (unsigned long long)rows);
    start = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    for (int i = 0; i < count; i++) {
        Batch *batch;
        bool windowed;
        snprintf(key, sizeof key, "%d", i % 1000);
        check(runtime_pull_key(runtime, "counts0", &(RuntimeKey){ .text = key }, &schema, &windowed, &batch));
        batch_release(batch);
    }
    printf("rows by key, without SQL: %.0f a second, %.1f us of CPU each\n", count / (seconds(CLOCK_MONOTONIC) - start),
           (seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu) / count * 1e6);
}

static void fan_out(RuntimeSession *session)
{
    enum { SUBSCRIBERS = 1000, ROUNDS = 50 };
    static Subscription *all[SUBSCRIBERS];
    QueryOptions options = { .subscription_rows = 100000 };
    const char *sql = "SELECT auction FROM bids EMIT CHANGES;";
    run(session, "CREATE STREAM bids (auction BIGINT);");
    for (int i = 0; i < SUBSCRIBERS; i++)
        check(runtime_query(session, sql, strlen(sql), &options, &all[i]));
    double start = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    uint64_t rows = 0, dropped;
    for (int round = 0; round < ROUNDS; round++)
        run(session, "INSERT INTO bids VALUES (1), (2), (3), (4), (5), (6), (7), (8), (9), (10), (11), (12), (13), (14), (15), (16), (17), (18), (19), (20);");
    while (rows < (uint64_t)SUBSCRIBERS * ROUNDS * 20)
        for (int i = 0; i < SUBSCRIBERS; i++) {
            bool ended;
            Error *error;
            Batch *batch = subscription_read(all[i], &dropped, &ended, &error);
            if (batch)
                rows += batch->row_count;
            batch_release(batch);
        }
    printf("%d subscribers: %.2f million rows a second to all together, %.0f ns of CPU a row\n", SUBSCRIBERS, (double)rows / (seconds(CLOCK_MONOTONIC) - start) / 1e6,
           (seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu) / (double)rows * 1e9);
    for (int i = 0; i < SUBSCRIBERS; i++)
        subscription_close(all[i]);
}

int main(int argc, char **argv)
{
    int queries = argc > 1 ? atoi(argv[1]) : 100;
    char directory[] = "/tmp/bidsql-bench-XXXXXX", data[64], path[64], sql[512];
    if (!mkdtemp(directory))
        return 1;
    snprintf(data, sizeof data, "%s/data", directory);
    snprintf(path, sizeof path, "%s/bids.jsonl", directory);
    FILE *file = fopen(path, "w");
    for (int i = 0; file && i < 100000; i++)
        fprintf(file, "{\"auction\":%d,\"bidder\":%d,\"price\":%d}\n", i % 1000, i % 77, i % 1013);
    fclose(file);
    RuntimeOptions options = { .data_directory = data, .base_directory = directory };
    Runtime *runtime;
    RuntimeSession *session;
    check(runtime_new(&options, &runtime));
    check(runtime_session_new(runtime, &session));
    double start = seconds(CLOCK_MONOTONIC);
    for (int i = 0; i < queries; i++) {
        snprintf(sql, sizeof sql, "CREATE STREAM bids%d (auction BIGINT, bidder BIGINT, price BIGINT) WITH (connector = 'file', path = 'bids.jsonl', follow = true);"
                 "CREATE TABLE counts%d AS SELECT auction, COUNT(*) AS n, SUM(price) AS total FROM bids%d GROUP BY auction;", i, i, i);
        run(session, sql);
    }
    printf("%d queries are made in %.0f ms\n", queries, (seconds(CLOCK_MONOTONIC) - start) * 1e3);
    sleep(3); /* they read the file, and rest */
    check(runtime_checkpoint(runtime));
    runtime_session_free(session);
    start = seconds(CLOCK_MONOTONIC);
    runtime_free(runtime);
    printf("they stop in %.0f ms\n", (seconds(CLOCK_MONOTONIC) - start) * 1e3);
    start = seconds(CLOCK_MONOTONIC);
    check(runtime_new(&options, &runtime));
    printf("they are back in %.0f ms\n", (seconds(CLOCK_MONOTONIC) - start) * 1e3);
    check(runtime_session_new(runtime, &session));
    sleep(1);
    double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    start = seconds(CLOCK_MONOTONIC);
    sleep(4);
    printf("while they rest: %.1f MiB of anonymous memory, %.2f %% of a core\n", anonymous_mib(),
           (seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu) / (seconds(CLOCK_MONOTONIC) - start) * 100);
    pull_rates(runtime, session);
    fan_out(session);
    runtime_session_free(session);
    runtime_free(runtime);
    snprintf(sql, sizeof sql, "rm -r %s", directory);
    return system(sql);
}
