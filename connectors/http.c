/* connectors/http.c: HTTP by libcurl. Each request has a handle of its own: they are few, and any thread may make one.
 *
 * libcurl's frames stand between: what it calls must not jump out, so memory here comes from malloc. */
#include "connectors/http.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void start_curl(void) { curl_global_init(CURL_GLOBAL_DEFAULT); }

static size_t take_body(char *bytes, size_t size, size_t count, void *caller)
{
    HttpAnswer *answer = caller;
    size_t length = size * count;
    if (answer->length + length > HTTP_BODY_LIMIT)
        return 0;
    char *more = realloc(answer->body, answer->length + length + 1);
    if (!more)
        return 0;
    memcpy(more + answer->length, bytes, length);
    answer->body = more;
    answer->length += length;
    more[answer->length] = 0;
    return length;
}

static int ask_whether(void *caller, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up)
{
    const HttpRequest *request = caller;
    (void)down_total, (void)down, (void)up_total, (void)up;
    return request->give_up(request->caller);
}

static void set_security(CURL *curl, const HttpRequest *request)
{
    if (request->credentials) {
        curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
        curl_easy_setopt(curl, CURLOPT_USERPWD, request->credentials);
    } else if (request->token) {
        curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
        curl_easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, request->token);
    }
    if (request->ca)
        curl_easy_setopt(curl, CURLOPT_CAINFO, request->ca);
    if (request->certificate)
        curl_easy_setopt(curl, CURLOPT_SSLCERT, request->certificate);
    if (request->key)
        curl_easy_setopt(curl, CURLOPT_SSLKEY, request->key);
    if (request->key_password)
        curl_easy_setopt(curl, CURLOPT_KEYPASSWD, request->key_password);
}

static struct curl_slist *headers_of(const HttpRequest *request)
{
    char line[256];
    snprintf(line, sizeof line, "Accept: %s", request->content_type);
    struct curl_slist *headers = curl_slist_append(NULL, line);
    snprintf(line, sizeof line, "Content-Type: %s", request->content_type);
    if (request->body)
        headers = curl_slist_append(headers, line);
    for (const char *const *header = request->headers; header && *header; header++)
        headers = curl_slist_append(headers, *header);
    return headers;
}

static void take_status(CURL *curl, HttpAnswer *answer)
{
    curl_off_t after_s = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer->status);
    if (curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &after_s) == CURLE_OK)
        answer->retry_after_s = (int64_t)after_s;
}

void http_request(const HttpRequest *request, HttpAnswer *answer)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start_curl);
    *answer = (HttpAnswer){ .status = 0 };
    CURL *curl = curl_easy_init();
    if (!curl) {
        snprintf(answer->reason, sizeof answer->reason, "out of memory");
        return;
    }
    struct curl_slist *headers = headers_of(request);
    char error[CURL_ERROR_SIZE] = "";
    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, request->no_redirects ? 0L : 1L);
    curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 3L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(request->timeout_us / 1000));
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
    if (request->body && request->body_length)
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_length);
    if (request->body)
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body);
    if (request->give_up) {
        curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
        curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, ask_whether);
        curl_easy_setopt(curl, CURLOPT_XFERINFODATA, request);
    }
    set_security(curl, request);
    CURLcode code = curl_easy_perform(curl);
    answer->hopeless = code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CERTPROBLEM || code == CURLE_SSL_CACERT_BADFILE || code == CURLE_SSL_ISSUER_ERROR || code == CURLE_URL_MALFORMAT ||
                       code == CURLE_UNSUPPORTED_PROTOCOL;
    if (code == CURLE_OK)
        take_status(curl, answer);
    else
        snprintf(answer->reason, sizeof answer->reason, "%s", *error ? error : curl_easy_strerror(code));
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
}

void http_answer_release(HttpAnswer *answer)
{
    free(answer->body);
    *answer = (HttpAnswer){ .status = 0 };
}

char *http_escape(const char *text)
{
    static const char digits[] = "0123456789ABCDEF";
    char *escaped = malloc(strlen(text) * 3 + 1), *out = escaped;
    for (const char *p = text; escaped && *p; p++) {
        bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') || strchr("-_.~", *p);
        if (!plain) {
            *out++ = '%';
            *out++ = digits[(unsigned char)*p >> 4];
        }
        *out++ = plain ? *p : digits[(unsigned char)*p & 15];
    }
    if (escaped)
        *out = 0;
    return escaped;
}
