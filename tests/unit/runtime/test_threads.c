/* tests/unit/runtime/test_threads.c: many clients at once, queries on several threads, snapshots meanwhile. For the thread sanitizer, too. */
#include <pthread.h>
#include <semaphore.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(clients_do_not_disturb_each_other) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
