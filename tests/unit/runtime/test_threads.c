/* tests/unit/runtime/test_threads.c: many clients at once, queries on several threads, snapshots meanwhile. For the thread sanitizer, too. */
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <time.h>

#include "world.h"

#define CLIENTS 6
#define ROUNDS 30

typedef struct Client {
    World *world;
    int number;
    pthread_t thread;
    int wrong;
} Client;

static Error *nothing(void *caller, const RuntimeResult *result)
{
    (void)caller, (void)result;
    return NULL;
}

static void run(Client *client, RuntimeSession *session, const char *sql)
{
    RuntimeOutput output = { nothing, NULL };
    Error *error = runtime_execute(session, sql, strlen(sql), false, &output, NULL);
    if (error) {
        print_error("%s: %s\n", sql, error->message);
        client->wrong++;
    }
    error_free(error);
}

static Error *no_rows(void *caller, const Batch *batch)
{
    *(uint64_t *)caller += batch->selection.count;
    return NULL;
}

static void select_once(Client *client, RuntimeSession *session, const char *sql)
{
    uint64_t rows = 0;
    QueryOptions options = { .rows = no_rows, .caller = &rows };
    Subscription *subscription = NULL;
    Error *error = runtime_query(session, sql, strlen(sql), &options, &subscription);
    client->wrong += error != NULL;
    error_free(error);
    if (!subscription)
        return;
    uint64_t dropped;
    bool ended;
    batch_release(subscription_read(subscription, &dropped, &ended, &error));
    error_free(error);
    subscription_close(subscription);
}

static void *be_client(void *argument)
{
    Client *client = argument;
    RuntimeSession *session = NULL;
    char sql[256];
    Error *error = runtime_session_new(client->world->runtime, &session);
    error_free(error);
    for (int i = 0; i < ROUNDS; i++) {
        snprintf(sql, sizeof sql, "INSERT INTO bids VALUES (%d, %d), (%d, %d);", client->number, i, client->number, i + 1000);
        run(client, session, sql);
        select_once(client, session, "SELECT * FROM counts WHERE auction = 1;");
        select_once(client, session, "SELECT * FROM counts EMIT CHANGES;");
        select_once(client, session, "SELECT price FROM bids EMIT CHANGES;");
        if (i % 10 == 0) {
            snprintf(sql, sizeof sql, "CREATE STREAM own%d AS SELECT * FROM bids WHERE price = %d;", client->number, i);
            run(client, session, sql);
            snprintf(sql, sizeof sql, "DROP STREAM own%d;", client->number);
            run(client, session, sql);
        }
        if (i % 10 == 5)
            error_free(runtime_checkpoint(client->world->runtime));
    }
    runtime_session_free(session);
    return NULL;
}

static void on_ready(void *caller) { sem_post(caller); }

/* Waits until the one row of the table says that everything has arrived. */
static void wait_for_total(World *world, int64_t wanted)
{
    sem_t ready;
    sem_init(&ready, 0, 0);
    QueryOptions options = { .ready = on_ready, .caller = &ready };
    Subscription *subscription = NULL;
    const char *sql = "SELECT n FROM total EMIT CHANGES;";
    assert_null(runtime_query(world->session, sql, strlen(sql), &options, &subscription));
    for (int64_t seen = 0; seen < wanted;) {
        uint64_t dropped;
        bool ended;
        Error *error;
        Batch *batch = subscription_read(subscription, &dropped, &ended, &error);
        assert_false(ended);
        if (!batch) {
            sem_wait(&ready);
            continue;
        }
        for (uint32_t row = 0; row < batch->row_count; row++)
            if (!row_kind_retracts(batch_kind(batch, row)))
                seen = ((int64_t *)batch->columns[0]->values)[row];
        batch_release(batch);
    }
    subscription_close(subscription);
    sem_destroy(&ready);
}

static void clients_do_not_disturb_each_other(void **state)
{
    (void)state;
    World world;
    Client clients[CLIENTS];
    RuntimeOutput output = { nothing, NULL };
    char data[128];
    const char *sql = "CREATE STREAM bids (auction BIGINT, price BIGINT); CREATE STREAM dear AS SELECT * FROM bids WHERE price >= 0;"
                      "CREATE TABLE counts AS SELECT auction, COUNT(*) AS n FROM dear GROUP BY auction; CREATE TABLE total AS SELECT SUM(n) AS n FROM counts;";
    world = (World){ .options.threads = 3 };
    strcpy(world.directory, "/tmp/bidsql-runtime-XXXXXX");
    assert_non_null(mkdtemp(world.directory));
    snprintf(data, sizeof data, "%s/data", world.directory);
    world.options.data_directory = data;
    world.options.checkpoint_interval_us = 20000;
    world.options.base_directory = world.directory;
    assert_null(runtime_new(&world.options, &world.runtime));
    assert_null(runtime_session_new(world.runtime, &world.session));
    assert_null(runtime_execute(world.session, sql, strlen(sql), false, &output, NULL));
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = (Client){ .world = &world, .number = i };
        assert_int_equal(pthread_create(&clients[i].thread, NULL, be_client, &clients[i]), 0);
    }
    for (int i = 0; i < CLIENTS; i++) {
        pthread_join(clients[i].thread, NULL);
        assert_int_equal(clients[i].wrong, 0);
    }
    wait_for_total(&world, CLIENTS * ROUNDS * 2);
    world_end(&world);
}

/* ---- readers of one table, who come and go while it changes ---- */

#define READERS 5
#define KEYS 7
#define ROWS 3000

typedef struct Reader {
    World *world;
    pthread_t thread;
    atomic_bool *written;        /* all rows are */
    int wrong, rounds;
} Reader;

/* Every change fits what the reader has seen so far, whichever query it comes from. False: it does not. */
static bool take_changes(const Batch *batch, int64_t *counts)
{
    for (uint32_t i = 0; i < batch->selection.count; i++) {
        const uint32_t row = selection_row(&batch->selection, i);
        const int64_t key = ((int64_t *)batch->columns[0]->values)[row], count = ((int64_t *)batch->columns[1]->values)[row];
        const RowKind kind = batch_kind(batch, row);
        if (row_kind_retracts(kind) ? counts[key] != count : counts[key] != (kind == ROW_INSERT ? 0 : -1))
            return false;
        counts[key] = kind == ROW_DELETE ? 0 : row_kind_retracts(kind) ? -1 : count; /* -1: what comes next says */
    }
    return true;
}

static void wait_a_second(sem_t *ready)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec++;
    sem_timedwait(ready, &until);
}

static bool follow(Reader *reader, RuntimeSession *session, bool to_the_end)
{
    static const char sql[] = "SELECT auction, n FROM counts EMIT CHANGES;";
    int64_t counts[KEYS] = { 0 }, total = 0;
    sem_t ready;
    sem_init(&ready, 0, 0);
    QueryOptions options = { .ready = on_ready, .caller = &ready };
    Subscription *subscription = NULL;
    bool fine = runtime_query(session, sql, sizeof sql - 1, &options, &subscription) == NULL;
    for (int batches = 0; fine && (to_the_end ? total < ROWS : batches < 3 && !*reader->written);) {
        uint64_t dropped;
        bool ended;
        Error *error;
        Batch *batch = subscription_read(subscription, &dropped, &ended, &error);
        fine = !dropped && !ended && (!batch || take_changes(batch, counts));
        batches += batch != NULL;
        total = 0;
        for (int k = 0; k < KEYS; k++)
            total += counts[k];
        if (!batch && fine && total < ROWS)
            wait_a_second(&ready);
        batch_release(batch);
    }
    subscription_close(subscription);
    sem_destroy(&ready);
    return fine;
}

static void *be_reader(void *argument)
{
    Reader *reader = argument;
    RuntimeSession *session = NULL;
    error_free(runtime_session_new(reader->world->runtime, &session));
    do {
        reader->wrong += !follow(reader, session, false);
        reader->rounds++;
    } while (!*reader->written);
    reader->wrong += !follow(reader, session, true);
    runtime_session_free(session);
    return NULL;
}

static void readers_share_a_query_and_miss_nothing(void **state)
{
    (void)state;
    World world = { .options.threads = 3 };
    Reader readers[READERS];
    atomic_bool written = false;
    RuntimeOutput output = { nothing, NULL };
    RuntimeMetrics metrics;
    const char *sql = "CREATE STREAM bids (auction BIGINT); CREATE TABLE counts AS SELECT auction, COUNT(*) AS n FROM bids GROUP BY auction;";
    assert_null(runtime_new(&world.options, &world.runtime));
    assert_null(runtime_session_new(world.runtime, &world.session));
    assert_null(runtime_execute(world.session, sql, strlen(sql), false, &output, NULL));
    for (int i = 0; i < READERS; i++) {
        readers[i] = (Reader){ .world = &world, .written = &written };
        assert_int_equal(pthread_create(&readers[i].thread, NULL, be_reader, &readers[i]), 0);
    }
    for (int i = 0; i < ROWS; i += 10) {
        char rows[300];
        int length = snprintf(rows, sizeof rows, "INSERT INTO bids VALUES ");
        for (int row = i; row < i + 10; row++)
            length += snprintf(rows + length, sizeof rows - (size_t)length, "%s(%d)", row == i ? "" : ", ", row % KEYS);
        assert_null(runtime_execute(world.session, rows, strlen(rows), false, &output, NULL));
    }
    written = true;
    for (int i = 0; i < READERS; i++) {
        pthread_join(readers[i].thread, NULL);
        assert_int_equal(readers[i].wrong, 0);
    }
    runtime_metrics(world.runtime, &metrics);
    assert_int_equal(metrics.push_queries, 0);
    runtime_session_free(world.session);
    runtime_free(world.runtime);
}

/* Each finds his own row there as soon as he is told. */
static void *be_inserter(void *argument)
{
    Client *client = argument;
    RuntimeSession *session = NULL;
    char sql[128];
    error_free(runtime_session_new(client->world->runtime, &session));
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t rows = 0;
        QueryOptions options = { .rows = no_rows, .caller = &rows };
        Subscription *none = NULL;
        snprintf(sql, sizeof sql, "INSERT INTO users VALUES (%d, %d);", client->number, i);
        run(client, session, sql);
        snprintf(sql, sizeof sql, "SELECT * FROM users WHERE id = %d AND v = %d;", client->number, i);
        error_free(runtime_query(session, sql, strlen(sql), &options, &none));
        client->wrong += rows != 1;
    }
    runtime_session_free(session);
    return NULL;
}

static void who_inserts_finds_his_row(void **state)
{
    (void)state;
    static char data[128];
    World world = { .options.threads = 3 };
    Client clients[CLIENTS];
    RuntimeOutput output = { nothing, NULL };
    const char *sql = "CREATE TABLE users (id BIGINT PRIMARY KEY, v BIGINT);";
    strcpy(world.directory, "/tmp/bidsql-runtime-XXXXXX");
    assert_non_null(mkdtemp(world.directory));
    snprintf(data, sizeof data, "%s/data", world.directory);
    world.options.data_directory = data;
    world.options.checkpoint_interval_us = 20000;
    assert_null(runtime_new(&world.options, &world.runtime));
    assert_null(runtime_session_new(world.runtime, &world.session));
    assert_null(runtime_execute(world.session, sql, strlen(sql), false, &output, NULL));
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = (Client){ .world = &world, .number = i };
        assert_int_equal(pthread_create(&clients[i].thread, NULL, be_inserter, &clients[i]), 0);
    }
    for (int i = 0; i < CLIENTS; i++) {
        pthread_join(clients[i].thread, NULL);
        assert_int_equal(clients[i].wrong, 0);
    }
    world_end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clients_do_not_disturb_each_other),
        cmocka_unit_test(readers_share_a_query_and_miss_nothing),
        cmocka_unit_test(who_inserts_finds_his_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
