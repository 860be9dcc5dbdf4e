/* http/server.c: the listening socket and the loop. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "http/http_internal.h"

#define SWEEP_MS 250

int64_t http_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + 1; /* never 0 */
}

/* ---- listening ---- */

static Error *cannot_listen(const HttpOptions *options, int number)
{
    return error_new(ERR_CONNECT, "cannot listen on %s:%d: %s", options->address, options->port, strerror(number));
}

static Error *listen_on(HttpServer *server)
{
    const HttpOptions *options = &server->options;
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV }, *found = NULL;
    char port[16];
    snprintf(port, sizeof port, "%d", options->port);
    int failed = getaddrinfo(options->address, port, &hints, &found);
    if (failed)
        return error_new(ERR_CONNECT, "cannot listen on '%s': %s", options->address, gai_strerror(failed));
    int yes = 1, number = 0;
    server->listener = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (server->listener < 0 || setsockopt(server->listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
        bind(server->listener, found->ai_addr, found->ai_addrlen) != 0 || listen(server->listener, 1024) != 0)
        number = errno;
    freeaddrinfo(found);
    if (number)
        return cannot_listen(options, number);
    struct sockaddr_storage bound;
    socklen_t length = sizeof bound;
    getsockname(server->listener, (struct sockaddr *)&bound, &length);
    server->port = ntohs(bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&bound)->sin6_port : ((struct sockaddr_in *)&bound)->sin_port);
    return NULL;
}

static void peer_text(const struct sockaddr_storage *from, char *text, size_t size)
{
    if (from->ss_family == AF_INET6)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)from)->sin6_addr, text, (socklen_t)size);
    else
        inet_ntop(AF_INET, &((const struct sockaddr_in *)from)->sin_addr, text, (socklen_t)size);
    if (strncmp(text, "::ffff:", 7) == 0)
        memmove(text, text + 7, strlen(text + 7) + 1);
}

static bool has_room(const HttpServer *server, const char *peer)
{
    int same = 0, most = server->options.max_connections_of_peer;
    if (server->connection_count >= server->options.max_connections)
        return false;
    for (const Connection *connection = server->connections; most && connection; connection = connection->next)
        same += strcmp(connection->peer, peer) == 0;
    return !most || same < most;
}

static Error *accept_one(HttpServer *server, int fd, const char *peer)
{
    int yes = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof yes); /* a peer that vanished is noticed, too */
    if (!connection_new(server, fd, peer))
        return error_new(ERR_IO, "no room for a connection");
    return NULL;
}

static void accept_all(HttpServer *server)
{
    for (int i = 0; i < 64; i++) {
        struct sockaddr_storage from;
        socklen_t length = sizeof from;
        char peer[INET6_ADDRSTRLEN] = "";
        int fd = accept4(server->listener, (struct sockaddr *)&from, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return; /* also without file descriptors: the next round tries again */
        peer_text(&from, peer, sizeof peer);
        bool room = !server->draining && has_room(server, peer);
        Error *error = NULL;
        if (room)
            MEMORY_GUARDED(error, accept_one(server, fd, peer));
        pthread_mutex_lock(&server->lock);
        server->statistics.connections += room && !error;
        server->statistics.refused_connections += !room || error;
        pthread_mutex_unlock(&server->lock);
        if (!room || error)
            close(fd);
        error_free(error);
    }
}

/* ---- the loop ---- */

static void answer_dirty(HttpServer *server)
{
    uint64_t count;
    (void)!read(server->wake, &count, sizeof count);
    pthread_mutex_lock(&server->lock);
    HttpExchange *dirty = server->dirty;
    SSL_CTX *tls = server->next_tls;
    server->dirty = NULL;
    server->next_tls = NULL;
    server->woken = false;
    pthread_mutex_unlock(&server->lock);
    if (tls) {
        SSL_CTX_free(server->tls);
        server->tls = tls;
    }
    while (dirty) {
        HttpExchange *exchange = dirty;
        pthread_mutex_lock(&server->lock);
        dirty = exchange->next_dirty;
        exchange->dirty = false;
        pthread_mutex_unlock(&server->lock);
        if (exchange->connection)
            connection_answer(exchange->connection);
        http_exchange_release(exchange);
    }
}

static void tell_drain(HttpServer *server)
{
    for (Connection *connection = server->connections, *next; connection; connection = next) {
        next = connection->next;
        if (!connection->protocol || (!connection->exchanges && connection->phase == PHASE_IDLE)) {
            connection_close(connection);
            continue;
        }
        connection->protocol->drain(connection);
        connection_answer(connection);
    }
}

static void sweep(HttpServer *server)
{
    int64_t now_ms = http_now_ms();
    for (Connection *connection = server->connections, *next; connection; connection = next) {
        next = connection->next;
        connection_time(connection, now_ms);
    }
    if (server->options.handler.tick)
        server->options.handler.tick(server->options.handler.caller);
}

static void *run(void *caller)
{
    HttpServer *server = caller;
    struct epoll_event events[128];
    int64_t swept_ms = http_now_ms();
    bool drained = false;
    sigset_t none;
    sigfillset(&none);
    pthread_sigmask(SIG_BLOCK, &none, NULL); /* signals are others' */
    while (!server->stopping) {
        int count = epoll_wait(server->epoll, events, 128, SWEEP_MS);
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr == &server->listener)
                accept_all(server);
            else if (events[i].data.ptr != &server->wake)
                connection_event(events[i].data.ptr, events[i].events);
        }
        answer_dirty(server); /* after the events: they hold pointers to connections, and answering may end some */
        if (server->draining && !drained)
            tell_drain(server);
        drained = server->draining;
        if (http_now_ms() - swept_ms >= SWEEP_MS) {
            sweep(server);
            swept_ms = http_now_ms();
        }
    }
    while (server->connections)
        connection_close(server->connections);
    answer_dirty(server);
    return NULL;
}

/* ---- life ---- */

static void default_to(int *value, int otherwise) { *value = *value ? *value : otherwise; }

static void take_options(HttpServer *server, const HttpOptions *given)
{
    HttpOptions *options = &server->options;
    *options = *given;
    options->address = arena_strdup(&server->arena, given->address);
    options->certificate = given->certificate ? arena_strdup(&server->arena, given->certificate) : NULL;
    options->key = given->key ? arena_strdup(&server->arena, given->key) : NULL;
    default_to(&options->max_connections, 2048);
    default_to(&options->max_streams, 100);
    default_to(&options->header_timeout_ms, 10000);
    default_to(&options->body_timeout_ms, 30000);
    default_to(&options->idle_timeout_ms, 60000);
    default_to(&options->write_timeout_ms, 60000);
    options->max_body = options->max_body ? options->max_body : 1 << 20;
    options->max_bodies = options->max_bodies ? options->max_bodies : 128 << 20;
    options->max_headers = options->max_headers ? options->max_headers : 32 << 10;
    options->max_message = options->max_message ? options->max_message : 1 << 20;
}

static void watch(HttpServer *server, int fd, void *what)
{
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = what };
    epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event);
}

static Error *start(HttpServer *server)
{
    TRY(listen_on(server));
    if (server->options.certificate)
        TRY(tls_context_new(server->options.certificate, server->options.key, &server->tls));
    server->epoll = epoll_create1(EPOLL_CLOEXEC);
    server->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (server->epoll < 0 || server->wake < 0)
        return cannot_listen(&server->options, errno);
    watch(server, server->listener, &server->listener);
    watch(server, server->wake, &server->wake);
    int failed = pthread_create(&server->thread, NULL, run, server);
    return failed ? cannot_listen(&server->options, failed) : NULL;
}

static void release(HttpServer *server)
{
    const int ends[] = { server->listener, server->epoll, server->wake };
    for (int i = 0; i < 3; i++)
        if (ends[i] >= 0)
            close(ends[i]);
    SSL_CTX_free(server->tls);
    SSL_CTX_free(server->next_tls);
    pthread_mutex_destroy(&server->lock);
    arena_release(&server->arena);
    mem_free(server);
}

Error *http_server_new(const HttpOptions *options, HttpServer **result)
{
    HttpServer *server = mem_calloc(1, sizeof *server);
    server->listener = server->epoll = server->wake = -1;
    arena_init(&server->arena, NULL);
    pthread_mutex_init(&server->lock, NULL);
    take_options(server, options);
    Error *error = start(server);
    if (error)
        release(server);
    else
        *result = server;
    return error;
}

int http_server_port(const HttpServer *server) { return server->port; }

static void wake_loop(HttpServer *server)
{
    uint64_t one = 1;
    (void)!write(server->wake, &one, sizeof one);
}

Error *http_server_reload(HttpServer *server)
{
    SSL_CTX *context = NULL, *unused;
    if (!server->options.certificate)
        return NULL;
    TRY(tls_context_new(server->options.certificate, server->options.key, &context));
    pthread_mutex_lock(&server->lock);
    unused = server->next_tls;
    server->next_tls = context;
    pthread_mutex_unlock(&server->lock);
    SSL_CTX_free(unused);
    wake_loop(server);
    return NULL;
}

void http_server_drain(HttpServer *server)
{
    server->draining = true;
    wake_loop(server);
}

void http_server_statistics(HttpServer *server, HttpStatistics *statistics)
{
    pthread_mutex_lock(&server->lock);
    *statistics = server->statistics;
    pthread_mutex_unlock(&server->lock);
    statistics->open_connections = server->connection_count;
}

void http_server_free(HttpServer *server, int wait_ms)
{
    http_server_drain(server);
    HttpStatistics now;
    for (int waited = 0; waited < wait_ms; waited += 5) {
        http_server_statistics(server, &now);
        if (now.open_exchanges == 0)
            break;
        usleep(5000);
    }
    server->stopping = true;
    wake_loop(server);
    pthread_join(server->thread, NULL);
    while (server->live_exchanges > 0) /* whoever holds one lets it go: its peer is gone */
        usleep(1000);
    release(server);
}
