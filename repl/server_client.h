/* repl/server_client.h: requests to a bidsql server. */
#pragma once
#include <curl/curl.h>
#include <jansson.h>
#include <stdatomic.h>

#include "common/error.h"

typedef struct ServerClient {
    char *url, *user, *token, *certificates;
    long timeout_ms;                /* of a request; 0: none */
    CURLM *multi;
    struct curl_slist *headers;
    atomic_bool interrupted;
} ServerClient;

/* user: "name:password", or a token; certificates: a PEM file to trust; each may be NULL. */
void client_init(ServerClient *client, const char *url, const char *user, const char *token, const char *certificates);
void client_release(ServerClient *client);
/* The request at hand ends soon with ERR_INTERRUPTED. Async-signal-safe. */
void client_interrupt(ServerClient *client);

typedef struct Request {
    ServerClient *client;
    Error *(*take)(struct Request *request, const char *bytes, size_t length); /* of the answer, as it comes */
    void *caller;
    Error *error;
    long status;
} Request;
/* body NULL: GET. */
Error *client_send(Request *request, const char *path, const char *body);
/* The whole answer, as JSON; the caller's. */
Error *client_ask(ServerClient *client, const char *path, const char *body, json_t **answer, long *status);
