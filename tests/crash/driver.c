/* tests/crash/driver.c: a runtime over a directory that does what its standard input says, line by line, until that ends or it is killed.
 *
 *   driver DIRECTORY INTERVAL_MS
 *
 * Prints "open" once everything is back, and after each statement its rows and "done", or its error. Files of statements stand in DIRECTORY. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/runtime.h"

static Error *print_result(void *caller, const RuntimeResult *result)
{
    (void)caller;
    for (int row = 0; result->kind == RESULT_ROWS && row < result->rows.row_count; row++) {
        const Value *value = &result->rows.rows[row * result->rows.schema.column_count];
        printf("row %.*s\n", (int)value->text.length, str_bytes(&value->text));
    }
    return NULL;
}

static void print_event(void *caller, const RuntimeEvent *event)
{
    (void)caller;
    if (strcmp(event->what, "error") == 0 || strstr(event->what, "failed"))
        fprintf(stderr, "%s %s: %s\n", event->query_id ? event->query_id : "-", event->what, event->detail);
}

static Error *print_rows(void *caller, const Batch *batch)
{
    (void)caller;
    for (uint32_t i = 0; i < batch->selection.count; i++)
        printf("row %lld\n", (long long)((const int64_t *)batch->columns[0]->values)[selection_row(&batch->selection, i)]);
    return NULL;
}

static Error *run_line(RuntimeSession *session, const char *line)
{
    RuntimeOutput output = { print_result, NULL };
    QueryOptions options = { .rows = print_rows };
    Subscription *subscription = NULL;
    if (strncmp(line, "SELECT", 6) == 0) {
        Error *error = runtime_query(session, line, strlen(line), &options, &subscription);
        subscription_close(subscription);
        return error;
    }
    return runtime_execute(session, line, strlen(line), false, &output, NULL);
}

static int fail(Error *error)
{
    fprintf(stderr, "%s\n", error->message);
    error_free(error);
    return 1;
}

int main(int argc, char **argv)
{
    char data[512], line[4096];
    if (argc != 3)
        return 2;
    snprintf(data, sizeof data, "%s/data", argv[1]);
    RuntimeOptions options = { .threads = 2, .base_directory = argv[1], .data_directory = data, .checkpoint_interval_us = atoll(argv[2]) * 1000,
                               .event = print_event };
    Runtime *runtime = NULL;
    RuntimeSession *session = NULL;
    Error *error = runtime_new(&options, &runtime);
    if (!error)
        error = runtime_session_new(runtime, &session);
    if (error)
        return fail(error);
    setvbuf(stdout, NULL, _IOLBF, 0);
    puts("open");
    while (fgets(line, sizeof line, stdin)) {
        error = run_line(session, line);
        if (error)
            printf("error %s\n", error->message);
        error_free(error);
        puts("done");
    }
    runtime_session_free(session);
    runtime_free(runtime);
    puts("closed");
    return 0;
}
