/* server/server.h: `bidsql server`: persistent queries behind HTTP. The room's door. */
#pragma once
#include "runtime/runtime.h"
#include "server/limits.h"

typedef struct Server Server;

typedef struct ServerOptions {
    const char *listen;             /* "127.0.0.1:8088", "[::1]:8088", ":8088" (all addresses) */
    const char *data_directory;     /* NULL: nothing outlives the server */
    const char *const *allowed; int allowed_count; /* directories that SQL may name; none: the base directory */
    const char *base_directory;     /* NULL: the current directory */
    const char *certificate, *key;  /* PEM; NULL: no TLS */
    const char *users_file;         /* who may do what; NULL: nobody is asked */
    const char *const *origins; int origin_count; /* of pages that browsers may send here: CORS */
    const char *const *hosts; int host_count;     /* names of this server, beside localhost and its address */
    bool insecure;                  /* any address without authentication and TLS */
    bool topics_in_memory;          /* topics are kept in the process, for trying things out */
    const char *dialect;            /* NULL: bidsql, and ksql for ksqlDB's part of the API */
    int threads, max_queries, max_subscriptions, max_connections;
    int64_t memory_limit_bytes, query_memory_limit_bytes, checkpoint_interval_us;
    int max_connections_of_address; /* 0: half of max_connections */
    RateLimit address_rate, user_rate; /* of requests */
    int64_t max_body_bytes;
    int64_t pull_limit_us;          /* a pull query takes at most so long. 0: 5 min; negative: as long as it takes */
    const char *otlp_endpoint, *otlp_headers, *otlp_protocol, *service_name, *traces_sampler, *traces_sampler_argument; /* see TracerOptions */
    int64_t trace_turn_interval_us; /* 0: 10 s; negative: no turns */
    bool log_json;
    int log_rows;                   /* entries of the processing log that are kept; 0: 1000 */
    bool log_records;               /* they show the bytes of wrong rows */
    const char *log_topic;          /* "errors@host:9092": a query writes them there, too; NULL: none does */
} ServerOptions;

/* Opens the data directory, brings back what ran, listens. */
Error *server_new(const ServerOptions *options, Server **server);
int server_port(const Server *server);
/* "http://127.0.0.1:8088" */
const char *server_url(const Server *server);
/* Orderly: what has begun is finished for a while, state is written. */
void server_free(Server *server);

/* `bidsql server ..`: everything from arguments to exit code. */
int server_main(int argc, char **argv);
