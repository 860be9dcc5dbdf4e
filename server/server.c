/* server/server.c: from options to a server that listens, and its end in good order. */
#include "server/server.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/confined.h"
#include "server/server_internal.h"

#define WAITING_MOST 16384
#define STOP_WAIT_MS 3000
#define LIMITED_ADDRESSES 65536    /* that are told apart; a bucket is 16 bytes */
#define LIMITED_USERS 4096

/* ---- what the runtime tells ---- */

static void on_event(void *caller, const RuntimeEvent *event)
{
    Server *server = caller;
    bool bad = strstr(event->what, "fail") || strcmp(event->what, "error") == 0;
    const char *pairs[] = { "query", event->query_id ? event->query_id : "-", "detail", event->detail ? event->detail : "", NULL };
    server_log(server, bad ? "error" : "info", event->what, pairs);
}

/* ---- the server's id ---- */

/* Made once, and kept beside the data. */
static Error *find_id(Server *server)
{
    unsigned char random[11];
    char path[4096];
    if (RAND_bytes(random, sizeof random) != 1)
        return error_new(ERR_IO, "there are no random numbers");
    for (int i = 0; i < 11; i++)
        snprintf(server->id + 2 * i, 3, "%02x", random[i]);
    if (!server->options.data_directory)
        return NULL;
    snprintf(path, sizeof path, "%s/server.id", server->options.data_directory);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_new(ERR_CONNECT, "cannot open '%s': %s", path, strerror(errno));
    char kept[40] = "";
    ssize_t got = read(fd, kept, 22);
    if (got == 22)
        snprintf(server->id, sizeof server->id, "%.22s", kept);
    else if (pwrite(fd, server->id, 22, 0) != 22 || fsync(fd) != 0)
        got = -2;
    close(fd);
    return got == -2 ? error_new(ERR_IO, "cannot write '%s': %s", path, strerror(errno)) : NULL;
}

/* ---- starting ---- */

static Error *split_listen(Server *server, const char *listen, int *port)
{
    const char *colon = strrchr(listen, ':');
    if (!colon)
        return error_new(ERR_USAGE, "'%s' is no address and port, such as 127.0.0.1:8088", listen);
    char *end;
    long number = strtol(colon + 1, &end, 10);
    if (*end || end == colon + 1 || number < 0 || number > 65535)
        return error_new(ERR_USAGE, "'%s' is no port", colon + 1);
    size_t length = (size_t)(colon - listen);
    bool bracketed = length >= 2 && listen[0] == '[' && listen[length - 1] == ']';
    if (bracketed) {
        listen++;
        length -= 2;
    }
    server->address = length ? arena_strndup(&server->arena, listen, length) : "0.0.0.0";
    *port = (int)number;
    return NULL;
}

static Error *start_runtime(Server *server)
{
    const ServerOptions *options = &server->options;
    const char *here = options->base_directory ? options->base_directory : ".";
    if (options->topics_in_memory)
        server->topics = topic_logs_new();
    TRY(confined_new(filesystem_system(), options->allowed_count ? options->allowed : &here, options->allowed_count ? options->allowed_count : 1, &server->files));
    RuntimeOptions runtime = { .threads = options->threads, .data_directory = options->data_directory, .base_directory = options->base_directory, .dialect = options->dialect,
        .checkpoint_interval_us = options->checkpoint_interval_us, .memory_limit_bytes = options->memory_limit_bytes, .query_memory_limit_bytes = options->query_memory_limit_bytes,
        .max_queries = options->max_queries, .max_subscriptions = options->max_subscriptions, .topics = server->topics, .sql_filesystem = server->files,
        .tracer = server->tracer, .trace_turn_interval_us = options->trace_turn_interval_us, .log_rows = options->log_rows ? options->log_rows : 1000, .log_records = options->log_records,
        .count_nodes = true, .event = on_event, .caller = server };
    return runtime_new(&runtime, &server->runtime);
}

/* ---- the processing log in a topic ---- */

static void add_literal(Text *sql, const char *text, size_t length)
{
    text_add_char(sql, '\'');
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\'')
            text_add_char(sql, '\'');
        text_add_char(sql, text[i]);
    }
    text_add_char(sql, '\'');
}

/* A query like any other: it is stored, listed, paused and terminated as such. One of an earlier start goes on. */
static Error *write_log(Server *server, RuntimeSession *session)
{
    const char *topic = server->options.log_topic, *at = strchr(topic, '@');
    Text sql = { 0 };
    MEMORY_HOLD(text_unwind, &sql);
    const RuntimeOutput nowhere = { 0 };
    text_add_c(&sql, "SET 'dialect' = 'bidsql'; CREATE STREAM IF NOT EXISTS processing_log_topic WITH (connector = 'kafka', value_format = 'json', partitions = 1, topic = ");
    add_literal(&sql, topic, at ? (size_t)(at - topic) : strlen(topic));
    if (at) {
        text_add_c(&sql, ", 'properties.bootstrap.servers' = ");
        add_literal(&sql, at + 1, strlen(at + 1));
    }
    text_add_c(&sql, ") AS SELECT * FROM processing_log;");
    Error *error = runtime_execute(session, text_c(&sql), sql.length, false, &nowhere, NULL);
    text_release(&sql);
    return error;
}

/* A server whose log cannot be written is one all the same. */
static Error *start_log(Server *server)
{
    RuntimeSession *session;
    if (!server->options.log_topic)
        return NULL;
    TRY(runtime_session_new(server->runtime, &session));
    Error *error = write_log(server, session);
    if (error)
        server_log(server, "error", "the processing log is not written to a topic", (const char *[]){ "detail", error->message, NULL });
    error_free(error);
    runtime_session_free(session);
    return NULL;
}

static Error *start_http(Server *server, int port)
{
    const ServerOptions *options = &server->options;
    int most = options->max_connections ? options->max_connections : 2048;
    server->address_limiter = limiter_new(options->address_rate, LIMITED_ADDRESSES);
    server->user_limiter = limiter_new(options->user_rate, LIMITED_USERS);
    HttpOptions http = { .address = server->address, .port = port, .certificate = options->certificate, .key = options->key, .handler = router_handler,
        .max_connections = most, .max_connections_of_peer = options->max_connections_of_address ? options->max_connections_of_address : most / 2, .max_body = (size_t)options->max_body_bytes };
    http.handler.caller = server;
    TRY(http_server_new(&http, &server->http));
    bool six = strchr(server->address, ':') != NULL;
    server->address = arena_printf(&server->arena, "%s%s%s:%d", six ? "[" : "", server->address, six ? "]" : "", http_server_port(server->http));
    server->url = arena_printf(&server->arena, "%s://%s", options->certificate ? "https" : "http", server->address);
    return NULL;
}

static Error *start(Server *server)
{
    int port;
    TRY(split_listen(server, server->options.listen, &port));
    TRY(guard_options(&server->options));
    if (server->options.data_directory && mkdir(server->options.data_directory, 0700) != 0 && errno != EEXIST)
        return error_new(ERR_CONNECT, "cannot make '%s': %s", server->options.data_directory, strerror(errno));
    TRY(find_id(server));
    if (server->options.users_file)
        TRY(users_load(server->options.users_file, &server->users));
    TRY(traces_start(server));
    server->cluster = cluster_new();
    TRY(workers_new(server->worker_count, WAITING_MOST, &server->workers));
    TRY(start_http(server, port)); /* answers at once, that it is starting */
    TRY(start_runtime(server));
    server->ready = true;
    return start_log(server); /* a broker may take its time */
}

Error *server_new(const ServerOptions *options, Server **result)
{
    Server *server = mem_calloc(1, sizeof *server);
    server->options = *options;
    arena_init(&server->arena, NULL);
    pthread_mutex_init(&server->streams_lock, NULL);
    server->worker_count = 8;
    server->started_us = clock_system()->now_us(clock_system());
    Error *error;
    MEMORY_GUARDED(error, start(server));
    if (error)
        server_free(server);
    else
        *result = server;
    return error;
}

int server_port(const Server *server) { return http_server_port(server->http); }
const char *server_url(const Server *server) { return server->url; }

void server_free(Server *server)
{
    if (!server)
        return;
    server->stopping = true;
    push_stop_all(server);
    runtime_stop_callers(server->runtime);
    if (server->http)
        http_server_free(server->http, STOP_WAIT_MS);
    workers_free(server->workers);
    runtime_free(server->runtime);
    tracer_free(server->tracer);
    topic_logs_free(server->topics);
    confined_free(server->files);
    users_free(server->users);
    cluster_free(server->cluster);
    limiter_free(server->address_limiter);
    limiter_free(server->user_limiter);
    pthread_mutex_destroy(&server->streams_lock);
    arena_release(&server->arena);
    mem_free(server);
}
