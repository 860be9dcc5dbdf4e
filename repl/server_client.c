/* repl/server_client.c: requests to a bidsql server, one at a time. */
#include "repl/server_client.h"

#include <stdio.h>
#include <string.h>

#include "common/memory.h"
#include "common/str.h"

static char *copy_of(const char *text) { return text ? mem_strdup(text) : NULL; }

void client_init(ServerClient *client, const char *url, const char *user, const char *token, const char *certificates)
{
    *client = (ServerClient){ .url = mem_strdup(url), .user = copy_of(user), .token = copy_of(token), .certificates = copy_of(certificates) };
    while (*client->url && client->url[strlen(client->url) - 1] == '/')
        client->url[strlen(client->url) - 1] = 0;
    client->multi = curl_multi_init();
    client->headers = curl_slist_append(NULL, "content-type: application/json");
}

void client_release(ServerClient *client)
{
    curl_slist_free_all(client->headers);
    curl_multi_cleanup(client->multi);
    mem_free(client->url);
    mem_free(client->user);
    mem_free(client->token);
    mem_free(client->certificates);
}

void client_interrupt(ServerClient *client)
{
    client->interrupted = true;
    curl_multi_wakeup(client->multi);
}

static size_t on_bytes(char *bytes, size_t size, size_t count, void *caller)
{
    Request *request = caller;
    Error *error;
    MEMORY_GUARDED(error, request->take(request, bytes, size * count));
    request->error = error;
    return error ? 0 : size * count;
}

static Error *transfer(Request *request, CURL *curl)
{
    ServerClient *client = request->client;
    int running = 1;
    CURLcode outcome = CURLE_OK;
    curl_multi_add_handle(client->multi, curl);
    while (running && !client->interrupted) {
        if (curl_multi_perform(client->multi, &running) != CURLM_OK)
            break;
        if (running)
            curl_multi_poll(client->multi, NULL, 0, 1000, NULL);
    }
    int left;
    for (CURLMsg *message; (message = curl_multi_info_read(client->multi, &left));)
        if (message->msg == CURLMSG_DONE)
            outcome = message->data.result;
    curl_multi_remove_handle(client->multi, curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &request->status);
    if (request->error)
        return request->error;
    if (client->interrupted)
        return error_new(ERR_INTERRUPTED, "interrupted");
    if (outcome != CURLE_OK)
        return error_new(ERR_CONNECT, "cannot reach %s: %s", client->url, curl_easy_strerror(outcome));
    return NULL;
}

Error *client_send(Request *request, const char *path, const char *body)
{
    ServerClient *client = request->client;
    CURL *curl = curl_easy_init();
    Text url = { 0 };
    if (!curl)
        return error_memory();
    MEMORY_HOLD(text_unwind, &url);
    text_printf(&url, "%s%s", client->url, path);
    curl_easy_setopt(curl, CURLOPT_URL, text_c(&url));
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, client->headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, request);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 10L);
    if (client->user)
        curl_easy_setopt(curl, CURLOPT_USERPWD, client->user);
    if (client->token) {
        curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
        curl_easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, client->token);
    }
    if (client->certificates)
        curl_easy_setopt(curl, CURLOPT_CAINFO, client->certificates);
    if (client->timeout_ms)
        curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, client->timeout_ms);
    if (body)
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    Error *error = transfer(request, curl);
    curl_easy_cleanup(curl);
    text_release(&url);
    return error;
}

static Error *gather(Request *request, const char *bytes, size_t length)
{
    text_add(request->caller, bytes, length);
    return NULL;
}

Error *client_ask(ServerClient *client, const char *path, const char *body, json_t **answer, long *status)
{
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    Request request = { .client = client, .take = gather, .caller = &text };
    Error *error = client_send(&request, path, body);
    *answer = error ? NULL : json_loadb(text_c(&text), text.length, 0, NULL);
    *status = request.status;
    if (!error && !*answer)
        error = error_new(ERR_CONNECT, "%s answers with status %ld and no JSON: is it a bidsql server?", client->url, request.status);
    text_release(&text);
    return error;
}
