/* http/http_internal.h: what the files of the room share: server, connections, exchanges. Private to the room.
 *
 * A connection belongs to the loop's thread. Of an exchange, what answers it may be on any thread: those fields are under server->lock, and no memory is
 * asked for while it is held. */
#pragma once
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>

#include "common/str.h"
#include "http/http.h"

#define OUT_ENOUGH 65536        /* bytes that wait for the socket: more are not made before some are gone */
#define HEADER_COUNT_MAX 100

typedef struct Connection Connection;

/* A piece of an answer on its way. */
typedef struct Chunk {
    struct Chunk *next;
    size_t length, done;
    bool text;                  /* a WebSocket's message: text or bytes */
    int close_code;             /* a WebSocket's end; 0: a message */
    char bytes[];
} Chunk;

typedef struct HeaderList { HttpHeader *items; int count, capacity; } HeaderList;

struct HttpExchange {
    atomic_int references;
    HttpServer *server;
    void *_Atomic user;
    /* the loop's */
    Connection *connection;     /* NULL: gone */
    HttpExchange *next, *previous; /* of the connection */
    int32_t stream;             /* HTTP/2 */
    Arena arena;                /* the request's text */
    HttpRequest request;
    HeaderList headers;
    size_t header_bytes;
    const char *target;         /* the request's path and query as they came */
    Text body;
    bool pieces, refused, requested, told; /* told: the handler knows it and gets `gone` */
    bool body_ended, head_sent, through;
    int64_t body_since_ms;
    uint64_t body_bytes;
    bool keep_alive, http10;    /* HTTP/1.1 */
    /* the answer: under server->lock */
    Arena answer;               /* its headers; before it begins the answering thread's own */
    HeaderList answer_headers;
    int status;
    int64_t length;             /* -1: in pieces */
    bool begun, ended, aborted, closed; /* closed: nobody takes it any more */
    bool websocket, body_paused, apart;
    const char *subprotocol;
    Chunk *first, **last;
    size_t queued;
    int64_t moved_ms;           /* when some of it was taken last, or came into an empty queue */
    bool room_due;              /* more than HTTP_LOW_WATER were queued: `room` is to be called once they are not */
    bool dirty;
    HttpExchange *next_dirty;
};

typedef struct Protocol {
    /* Bytes from the peer. False: the connection ends now. */
    bool (*take)(Connection *connection, const char *bytes, size_t length);
    /* Moves what is to be sent into connection->out, about OUT_ENOUGH of it. False: as above. */
    bool (*push)(Connection *connection);
    /* The server stops: no further requests. */
    void (*drain)(Connection *connection);
    void (*free)(Connection *connection);
} Protocol;

/* What the connection waits for: timeouts look at it. */
typedef enum Phase { PHASE_HANDSHAKE, PHASE_IDLE, PHASE_HEADERS, PHASE_BODY, PHASE_ANSWER, PHASE_LINGER } Phase;

struct Connection {
    HttpServer *server;
    Connection *next, *previous;
    int fd;
    SSL *tls;                   /* NULL: none */
    bool handshaken;
    char peer[48];
    const Protocol *protocol;   /* NULL: not known yet */
    void *state;                /* the protocol's */
    Text early;                 /* bytes before the protocol is known */
    Text out;                   /* for the socket.. */
    size_t out_done;            /* ..of which so many are gone */
    uint32_t events;            /* that epoll watches */
    bool reading;               /* wants bytes */
    bool peer_ended;            /* sends nothing any more */
    bool closing;               /* ends once `out` is gone */
    Phase phase;
    int64_t since_ms;           /* of the phase */
    int64_t stuck_ms;           /* since when the peer takes nothing; 0: it does */
    HttpExchange *exchanges;
    int exchange_count;
};

struct HttpServer {
    HttpOptions options;
    Arena arena;                /* copies of the options' strings */
    int listener, epoll, wake, port;
    pthread_t thread;
    SSL_CTX *tls;
    Connection *connections;
    atomic_int connection_count;
    atomic_bool stopping, draining;
    atomic_int live_exchanges;  /* not freed */
    atomic_size_t body_bytes;   /* of whole bodies, as far as they have come */
    pthread_mutex_t lock;       /* answers; statistics */
    HttpExchange *dirty;
    bool woken;
    SSL_CTX *next_tls;          /* http_server_reload */
    HttpStatistics statistics;
};

int64_t http_now_ms(void);

/* connection.c */
Connection *connection_new(HttpServer *server, int fd, const char *peer);
void connection_event(Connection *connection, uint32_t events);
void connection_close(Connection *connection);           /* gone at once: its exchanges, too */
void connection_answer(Connection *connection);          /* there is something to send */
void connection_time(Connection *connection, int64_t now_ms);
void connection_phase(Connection *connection, Phase phase);
void connection_use(Connection *connection, const Protocol *protocol, void *state);
void connection_read(Connection *connection, bool reading);

/* tls.c */
Error *tls_context_new(const char *certificate, const char *key, SSL_CTX **context);

/* framing.c: where the parts of a request of HTTP/1.1 end; false: not as they should */
typedef struct Framing {
    enum { FRAMING_BEFORE, FRAMING_LINES, FRAMING_LAST, FRAMING_OVER, CHUNK_SIZE, CHUNK_SIZE_END, CHUNK_DATA, CHUNK_DATA_END, CHUNK_NEXT, CHUNK_TRAILER, CHUNK_TRAILER_LINE,
           CHUNK_TRAILER_END } state;
    char before;                /* the last byte of the headers so far */
    uint64_t left;              /* of the chunk */
    int digits;                 /* of its size */
    bool extended;              /* behind its size more is said */
} Framing;
void framing_begin(Framing *framing);
void framing_chunks(Framing *framing);
/* *taken: bytes up to the end of the headers, or of the body in chunks, or all. */
bool framing_headers(Framing *framing, const char *bytes, size_t length, size_t *taken);
bool framing_body(Framing *framing, const char *bytes, size_t length, size_t *taken);

/* http1.c, http2.c, websocket.c */
bool http1_begin(Connection *connection);
bool http2_begin(Connection *connection);
bool websocket_begin(Connection *connection, HttpExchange *exchange, const char *early, size_t length);

/* exchange.c */
HttpExchange *exchange_new(Connection *connection, int32_t stream);
/* False: there are too many or they are too long. */
bool exchange_add_header(HttpExchange *exchange, const char *name, size_t name_length, const char *value, size_t value_length);
void exchange_set_target(HttpExchange *exchange, const char *target, size_t length);
/* The headers are there: asks the handler. */
void exchange_begin(HttpExchange *exchange);
/* More of the body. False: it is larger than it may be; an answer that says so is there. */
bool exchange_body(HttpExchange *exchange, const char *bytes, size_t length);
void exchange_body_end(HttpExchange *exchange);
void exchange_refuse(HttpExchange *exchange, int status, const char *reason);
/* The answer is through or the peer is gone: the handler hears of it; the connection's hold ends. */
void exchange_done(HttpExchange *exchange);
/* Locked inside. Takes up to `most` bytes of what is queued; *ended: the answer ends with them. */
size_t exchange_take(HttpExchange *exchange, char *bytes, size_t most, bool *ended, bool *aborted);
/* Takes a whole chunk; NULL: none. The caller frees it. */
Chunk *exchange_take_chunk(HttpExchange *exchange);
void exchange_tell_room(HttpExchange *exchange);
/* Its peer has taken nothing of what waits for so long. */
bool exchange_is_stuck(HttpExchange *exchange, int64_t now_ms, int64_t most_ms);
const char *http_reason(int status);
