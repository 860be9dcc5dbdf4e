/* tests/unit/runtime/world.h: a runtime without threads on a clock of its own, and what it says as text. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/value_text.h"
#include "runtime/runtime.h"

typedef struct World {
    TestClock clock;
    RuntimeOptions options;
    Runtime *runtime;
    RuntimeSession *session;
    Text out;                 /* what statements and queries gave */
    Text events;
    char directory[64];       /* for files and for data */
} World;

static void world_event(void *caller, const RuntimeEvent *event)
{
    World *world = caller;
    text_printf(&world->events, "%s %s%s%s\n", event->query_id ? event->query_id : "-", event->what, *event->detail ? ": " : "", event->detail);
}

static inline void world_open(World *world)
{
    world->options.clock = &world->clock.clock;
    world->options.base_directory = world->directory;
    world->options.event = world_event;
    world->options.caller = world;
    Error *error = runtime_new(&world->options, &world->runtime);
    if (error)
        print_error("%s\n", error->message);
    assert_null(error);
    assert_null(runtime_session_new(world->runtime, &world->session));
}

static inline void world_start(World *world)
{
    *world = (World){ .options.threads = RUNTIME_NO_THREADS };
    test_clock_init(&world->clock, 1767225600000000); /* 2026-01-01 */
    strcpy(world->directory, "/tmp/bidsql-runtime-XXXXXX");
    assert_non_null(mkdtemp(world->directory));
    world_open(world);
}

static inline void world_start_with_data(World *world)
{
    static char data[128];
    *world = (World){ .options.threads = RUNTIME_NO_THREADS };
    test_clock_init(&world->clock, 1767225600000000);
    strcpy(world->directory, "/tmp/bidsql-runtime-XXXXXX");
    assert_non_null(mkdtemp(world->directory));
    snprintf(data, sizeof data, "%s/data", world->directory);
    world->options.data_directory = data;
    world_open(world);
}

static void world_close(World *world)
{
    runtime_session_free(world->session);
    runtime_free(world->runtime);
    world->session = NULL;
    world->runtime = NULL;
}

static void world_end(World *world)
{
    world_close(world);
    text_release(&world->out);
    text_release(&world->events);
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", world->directory);
    if (system(command) != 0)
        print_error("'%s' stays\n", world->directory);
}

static inline void world_reopen(World *world)
{
    world_close(world);
    world_open(world);
}

static inline const char *world_path(const World *world, const char *name)
{
    static char path[4][256];
    static int next;
    next = (next + 1) % 4;
    snprintf(path[next], sizeof path[next], "%s/%s", world->directory, name);
    return path[next];
}

static inline void world_write(const World *world, const char *name, const char *mode, const char *text)
{
    FILE *file = fopen(world_path(world, name), mode);
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static inline const char *world_read(World *world, const char *name)
{
    char piece[4096];
    world->out.length = 0;
    FILE *file = fopen(world_path(world, name), "r");
    for (size_t got; file && (got = fread(piece, 1, sizeof piece, file)) > 0;)
        text_add(&world->out, piece, got);
    if (file)
        fclose(file);
    return text_c(&world->out);
}

/* ---- what comes back ---- */

static void add_batch(Text *out, const Batch *batch, bool updating)
{
    for (uint32_t i = 0; i < batch->selection.count; i++) {
        uint32_t row = selection_row(&batch->selection, i);
        if (updating)
            text_printf(out, "%s ", row_kind_text(batch_kind(batch, row)));
        for (int c = 0; c < batch->column_count; c++) {
            text_add_c(out, c ? "," : "");
            if (vector_is_null(batch->columns[c], row))
                text_add_c(out, "NULL");
            else
                text_add_value_plain(out, batch->columns[c], row);
        }
        text_add_char(out, '\n');
    }
}

static inline Error *world_result(void *caller, const RuntimeResult *result)
{
    World *world = caller;
    if (result->kind == RESULT_STATUS) {
        text_printf(&world->out, "%s %s %s%s%s\n", result->action ? result->action : "", result->entity_type ? result->entity_type : "", result->entity_name ? result->entity_name : "",
                    result->query_id ? " " : "", result->query_id ? result->query_id : "");
    } else if (result->kind == RESULT_HOSTED || result->kind == RESULT_SCRIPT) {
        text_printf(&world->out, "handed on: %.*s\n", (int)result->length, result->text);
    } else if (result->kind == RESULT_SELECT) {
        text_printf(&world->out, "select: %.*s\n", (int)result->length, result->text);
    } else {
        for (int row = 0; row < result->rows.row_count; row++) {
            for (int c = 0; c < result->rows.schema.column_count; c++) {
                const Value *value = &result->rows.rows[row * result->rows.schema.column_count + c];
                text_add_c(&world->out, c ? " | " : "");
                if (!value->is_null && value->type->kind == TYPE_VARCHAR)
                    text_add(&world->out, str_bytes(&value->text), value->text.length);
            }
            text_add_char(&world->out, '\n');
        }
    }
    return NULL;
}

/* What the statements say; of an error its message. Whatever is ready then runs. */
static inline const char *execute(World *world, const char *sql)
{
    RuntimeOutput output = { world_result, world };
    Span failed = SPAN_NONE;
    world->out.length = 0;
    Error *error = runtime_execute(world->session, sql, strlen(sql), false, &output, &failed);
    if (error)
        text_printf(&world->out, "error: %s%s%s\n", error->message, error->hint ? "; " : "", error->hint ? error->hint : "");
    error_free(error);
    runtime_work(world->runtime);
    return text_c(&world->out);
}

static inline void world_pass(World *world, int64_t us)
{
    world->clock.current_us += us;
    runtime_work(world->runtime);
}

typedef struct Pulling { World *world; bool updating; } Pulling;

static Error *pull_begin(void *caller, const QueryHeader *header)
{
    ((Pulling *)caller)->updating = header->updating;
    return NULL;
}

static Error *pull_batch(void *caller, const Batch *batch)
{
    Pulling *pulling = caller;
    add_batch(&pulling->world->out, batch, pulling->updating);
    return NULL;
}

/* The rows of a pull query. */
static inline const char *pull(World *world, const char *sql)
{
    Pulling pulling = { world, false };
    QueryOptions options = { .begin = pull_begin, .rows = pull_batch, .caller = &pulling };
    Subscription *subscription = NULL;
    world->out.length = 0;
    Error *error = runtime_query(world->session, sql, strlen(sql), &options, &subscription);
    if (error)
        text_printf(&world->out, "error: %s%s%s\n", error->message, error->hint ? "; " : "", error->hint ? error->hint : "");
    error_free(error);
    assert_null(subscription);
    return text_c(&world->out);
}

static inline Subscription *subscribe(World *world, const char *sql, uint64_t rows)
{
    QueryOptions options = { .subscription_rows = rows };
    Subscription *subscription = NULL;
    Error *error = runtime_query(world->session, sql, strlen(sql), &options, &subscription);
    if (error)
        print_error("%s\n", error->message);
    assert_null(error);
    assert_non_null(subscription);
    runtime_work(world->runtime);
    return subscription;
}

/* What has come since the last time. */
static inline const char *received(World *world, Subscription *subscription)
{
    world->out.length = 0;
    for (bool ended = false; !ended;) {
        uint64_t dropped;
        Error *error;
        Batch *batch = subscription_read(subscription, &dropped, &ended, &error);
        if (dropped)
            text_printf(&world->out, "dropped %llu\n", (unsigned long long)dropped);
        if (ended)
            text_printf(&world->out, "end%s%s\n", error ? ": " : "", error ? error->message : "");
        error_free(error);
        if (!batch)
            break;
        add_batch(&world->out, batch, subscription_header(subscription)->updating);
        batch_release(batch);
    }
    return text_c(&world->out);
}
