/* http/connection.c: a socket: bytes in and out, TLS in between, and how long a peer may take for what. */
#include <errno.h>
#include <openssl/err.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/http_internal.h"

#define LINGER_MS 2000

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/* ---- what epoll watches ---- */

static void watch(Connection *connection)
{
    uint32_t events = EPOLLRDHUP;
    bool unsent = connection->out_done < connection->out.length;
    if (connection->reading && !connection->peer_ended)
        events |= EPOLLIN;
    if (unsent || (connection->tls && !connection->handshaken && SSL_want_write(connection->tls)))
        events |= EPOLLOUT;
    if (connection->peer_ended)
        events &= ~(uint32_t)EPOLLRDHUP;
    if (events == connection->events)
        return;
    struct epoll_event event = { .events = events, .data.ptr = connection };
    epoll_ctl(connection->server->epoll, EPOLL_CTL_MOD, connection->fd, &event);
    connection->events = events;
}

Connection *connection_new(HttpServer *server, int fd, const char *peer)
{
    Connection *connection = mem_calloc(1, sizeof *connection);
    connection->server = server;
    connection->fd = fd;
    connection->reading = true;
    snprintf(connection->peer, sizeof connection->peer, "%s", peer);
    if (server->tls) {
        connection->tls = SSL_new(server->tls);
        if (!connection->tls || SSL_set_fd(connection->tls, fd) != 1) {
            SSL_free(connection->tls);
            mem_free(connection);
            return NULL;
        }
        SSL_set_accept_state(connection->tls);
    }
    connection_phase(connection, server->tls ? PHASE_HANDSHAKE : PHASE_HEADERS);
    connection->events = EPOLLIN | EPOLLRDHUP;
    struct epoll_event event = { .events = connection->events, .data.ptr = connection };
    if (epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
        SSL_free(connection->tls);
        mem_free(connection);
        return NULL;
    }
    connection->next = server->connections;
    if (connection->next)
        connection->next->previous = connection;
    server->connections = connection;
    server->connection_count++;
    return connection;
}

void connection_close(Connection *connection)
{
    HttpServer *server = connection->server;
    while (connection->exchanges)
        exchange_done(connection->exchanges);
    if (connection->protocol)
        connection->protocol->free(connection);
    if (connection->tls) {
        ERR_clear_error();
        if (connection->handshaken)
            SSL_shutdown(connection->tls);
        SSL_free(connection->tls);
    }
    close(connection->fd);
    text_release(&connection->out);
    text_release(&connection->early);
    if (connection->previous)
        connection->previous->next = connection->next;
    else
        server->connections = connection->next;
    if (connection->next)
        connection->next->previous = connection->previous;
    server->connection_count--;
    mem_free(connection);
}

void connection_phase(Connection *connection, Phase phase)
{
    connection->phase = phase;
    connection->since_ms = http_now_ms();
}

void connection_use(Connection *connection, const Protocol *protocol, void *state)
{
    connection->protocol = protocol;
    connection->state = state;
}

void connection_read(Connection *connection, bool reading) { connection->reading = reading; }

/* ---- sending ---- */

/* Bytes that went, 0: none now, -1: the connection is broken. */
static ssize_t send_some(Connection *connection, const char *bytes, size_t length)
{
    if (!connection->tls) {
        ssize_t sent;
        do
            sent = send(connection->fd, bytes, length, MSG_NOSIGNAL);
        while (sent < 0 && errno == EINTR);
        return sent >= 0 ? sent : errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
    }
    ERR_clear_error();
    int sent = SSL_write(connection->tls, bytes, length > 1 << 20 ? 1 << 20 : (int)length);
    if (sent > 0)
        return sent;
    int reason = SSL_get_error(connection->tls, sent);
    return reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

static void count_bytes(HttpServer *server, uint64_t in, uint64_t out)
{
    pthread_mutex_lock(&server->lock);
    server->statistics.bytes_in += in;
    server->statistics.bytes_out += out;
    pthread_mutex_unlock(&server->lock);
}

/* False: the connection is broken. */
static bool send_out(Connection *connection)
{
    Text *out = &connection->out;
    while (connection->out_done < out->length) {
        ssize_t sent = send_some(connection, out->bytes + connection->out_done, out->length - connection->out_done);
        if (sent < 0)
            return false;
        if (sent == 0)
            break;
        connection->out_done += (size_t)sent;
        connection->stuck_ms = 0;
        count_bytes(connection->server, 0, (uint64_t)sent);
    }
    if (connection->out_done == out->length) {
        connection->out_done = out->length = 0;
    } else {
        if (!connection->stuck_ms)
            connection->stuck_ms = http_now_ms();
        if (connection->out_done > OUT_ENOUGH) {
            memmove(out->bytes, out->bytes + connection->out_done, out->length - connection->out_done);
            out->length -= connection->out_done;
            connection->out_done = 0;
        }
    }
    return true;
}

/* The last bytes are sent. Closing with bytes unread would make the peer drop what it has not read yet: so its end is waited for, for a while.
 * False: close it now. */
static bool linger(Connection *connection)
{
    if (connection->peer_ended)
        return false;
    if (connection->phase == PHASE_LINGER)
        return true;
    if (connection->tls) {
        ERR_clear_error();
        SSL_shutdown(connection->tls);
    }
    shutdown(connection->fd, SHUT_WR);
    connection_phase(connection, PHASE_LINGER);
    connection_read(connection, true);
    return true;
}

/* Makes and sends until the peer takes no more or there is no more. False: it is closed. */
static bool push_and_send(Connection *connection)
{
    if (connection->phase == PHASE_LINGER)
        return true;
    for (;;) {
        size_t waiting = connection->out.length - connection->out_done;
        if (waiting < OUT_ENOUGH && connection->protocol && !connection->closing && !connection->protocol->push(connection))
            return false;
        bool more = connection->out.length - connection->out_done > waiting || waiting > 0;
        if (!more)
            break;
        if (!send_out(connection))
            return false;
        if (connection->out.length)
            break; /* the socket is full */
    }
    return !(connection->closing && connection->out.length == 0) || linger(connection);
}

static bool answer_now(Connection *connection)
{
    if (!push_and_send(connection))
        return false;
    watch(connection);
    return true;
}

static Error *answer_guarded(Connection *connection, bool *alive)
{
    *alive = answer_now(connection);
    return NULL;
}

void connection_answer(Connection *connection)
{
    Error *error;
    bool alive = false;
    MEMORY_GUARDED(error, answer_guarded(connection, &alive));
    if (error || !alive)
        connection_close(connection);
    error_free(error);
}

/* ---- receiving ---- */

/* Which protocol is it? True: known, or more bytes are needed. */
static bool find_protocol(Connection *connection)
{
    Text *early = &connection->early;
    const unsigned char *chosen = NULL;
    unsigned chosen_length = 0;
    if (connection->tls)
        SSL_get0_alpn_selected(connection->tls, &chosen, &chosen_length);
    bool http2 = chosen_length == 2 && memcmp(chosen, "h2", 2) == 0;
    if (!http2 && !chosen_length) {
        size_t looked_at = early->length < sizeof preface - 1 ? early->length : sizeof preface - 1;
        bool same = memcmp(early->bytes, preface, looked_at) == 0;
        if (same && looked_at < 4)
            return true;
        http2 = same;
    }
    if (!(http2 ? http2_begin : http1_begin)(connection))
        return false;
    Text bytes = *early; /* the protocol may look at connection->early for more */
    connection->early = (Text){ 0 };
    MEMORY_HOLD(text_unwind, &bytes);
    bool fine = connection->protocol->take(connection, bytes.bytes, bytes.length);
    text_release(&bytes);
    return fine;
}

static bool take(Connection *connection, const char *bytes, size_t length)
{
    if (connection->phase == PHASE_LINGER)
        return true;
    count_bytes(connection->server, length, 0);
    if (connection->protocol)
        return connection->protocol->take(connection, bytes, length);
    text_add(&connection->early, bytes, length);
    return find_protocol(connection);
}

/* False: close it now. */
static bool receive(Connection *connection)
{
    char bytes[16384];
    if (connection->phase == PHASE_LINGER && connection->tls) { /* TLS is over: bytes are not looked at */
        ssize_t got = recv(connection->fd, bytes, sizeof bytes, 0);
        return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
    }
    for (int round = 0; connection->reading && round < 8; round++) { /* others have their turn, too */
        ssize_t got;
        if (connection->tls) {
            ERR_clear_error();
            int read = SSL_read(connection->tls, bytes, sizeof bytes);
            int reason = read > 0 ? 0 : SSL_get_error(connection->tls, read);
            if (read <= 0 && (reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE))
                return true;
            got = read > 0 ? read : reason == SSL_ERROR_ZERO_RETURN ? 0 : -1;
        } else {
            got = recv(connection->fd, bytes, sizeof bytes, 0);
            if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
                return true;
            if (got < 0 && errno == EINTR)
                continue;
        }
        if (got < 0)
            return false;
        if (got == 0) {
            connection->peer_ended = true;
            return connection->exchanges != NULL && connection->phase != PHASE_LINGER; /* it may still wait for an answer */
        }
        if (!take(connection, bytes, (size_t)got))
            return false;
    }
    return true;
}

/* False: it failed. */
static bool shake_hands(Connection *connection)
{
    ERR_clear_error();
    int done = SSL_do_handshake(connection->tls);
    if (done == 1) {
        connection->handshaken = true;
        connection_phase(connection, PHASE_HEADERS);
        return true;
    }
    int reason = SSL_get_error(connection->tls, done);
    return reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE;
}

/* An answer in pieces: nobody reads it any more once the peer has ended. */
static bool is_streaming(Connection *connection)
{
    for (const HttpExchange *exchange = connection->exchanges; exchange; exchange = exchange->next)
        if (exchange->head_sent && exchange->length < 0)
            return true;
    return false;
}

static bool handle(Connection *connection, uint32_t events)
{
    if (events & (EPOLLERR | EPOLLHUP))
        return false;
    if (connection->tls && !connection->handshaken) {
        if (!shake_hands(connection))
            return false;
        watch(connection);
        if (!connection->handshaken)
            return true;
        events |= EPOLLIN;
    }
    /* TLS may hold bytes that epoll does not see. */
    do {
        if ((events & (EPOLLIN | EPOLLRDHUP)) && !receive(connection))
            return false;
        if ((events & EPOLLRDHUP) && connection->reading == false)
            connection->peer_ended = true;
        if (connection->peer_ended && is_streaming(connection))
            return false;
        if (!answer_now(connection))
            return false;
    } while (connection->tls && connection->reading && SSL_pending(connection->tls) > 0);
    return true;
}

static Error *handle_guarded(Connection *connection, uint32_t events, bool *alive)
{
    *alive = handle(connection, events);
    return NULL;
}

void connection_event(Connection *connection, uint32_t events)
{
    Error *error;
    bool alive = false;
    MEMORY_GUARDED(error, handle_guarded(connection, events, &alive));
    if (error || !alive)
        connection_close(connection);
    error_free(error);
}

/* ---- time ---- */

static bool body_is_late(const Connection *connection, int64_t now_ms)
{
    for (const HttpExchange *exchange = connection->exchanges; exchange; exchange = exchange->next)
        if (!exchange->body_ended && !exchange->pieces &&
            now_ms - exchange->body_since_ms > connection->server->options.body_timeout_ms + (int64_t)(exchange->body_bytes / 1024 * 1000))
            return true;
    return false;
}

static bool is_late(const Connection *connection, int64_t now_ms)
{
    const HttpOptions *options = &connection->server->options;
    int64_t waited = now_ms - connection->since_ms;
    if (connection->stuck_ms && now_ms - connection->stuck_ms > options->write_timeout_ms)
        return true;
    switch (connection->phase) {
    case PHASE_HANDSHAKE:
    case PHASE_HEADERS: return waited > options->header_timeout_ms;
    case PHASE_IDLE: return waited > options->idle_timeout_ms;
    case PHASE_BODY: return body_is_late(connection, now_ms);
    case PHASE_ANSWER: return false;
    case PHASE_LINGER: return waited > LINGER_MS;
    }
    return false;
}

/* Over HTTP/2 a peer that reads its connection may still let a stream wait, by its window: only that stream is given up. */
static void end_stuck_streams(Connection *connection, int64_t now_ms)
{
    for (HttpExchange *exchange = connection->exchanges; exchange; exchange = exchange->next)
        if (exchange->request.http2 && exchange_is_stuck(exchange, now_ms, connection->server->options.write_timeout_ms)) {
            http_abort(exchange);
            pthread_mutex_lock(&connection->server->lock);
            connection->server->statistics.timeouts++;
            pthread_mutex_unlock(&connection->server->lock);
        }
}

void connection_time(Connection *connection, int64_t now_ms)
{
    end_stuck_streams(connection, now_ms);
    if (!is_late(connection, now_ms))
        return;
    HttpServer *server = connection->server;
    pthread_mutex_lock(&server->lock);
    server->statistics.timeouts += connection->phase != PHASE_IDLE && connection->phase != PHASE_LINGER;
    pthread_mutex_unlock(&server->lock);
    connection_close(connection);
}
