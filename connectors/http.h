/* connectors/http.h: one HTTP request and its answer. The only file that knows libcurl is http.c. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct HttpRequest {
    const char *method;           /* "GET", "POST", "DELETE" */
    const char *url;
    const char *content_type;     /* also what is asked for */
    const char *body;             /* NULL: none */
    size_t body_length;           /* 0: it is a text */
    const char *const *headers;   /* "Name: value", ended by NULL; NULL: none of its own */
    const char *credentials;      /* user:password; NULL: none, or in the address */
    const char *token;            /* bearer */
    const char *ca, *certificate, *key, *key_password; /* TLS: files in PEM; NULL: the system's */
    int64_t timeout_us;
    bool no_redirects;
    bool (*give_up)(void *caller); /* asked about once a second, and when something happens; NULL: nobody is */
    void *caller;
} HttpRequest;

typedef struct HttpAnswer {
    long status;                  /* 0: there was no answer */
    char *body;                   /* ends with a 0; NULL: none; of malloc */
    size_t length;
    int64_t retry_after_s;        /* when to ask again, if it says so in seconds; 0: it does not */
    bool hopeless;                /* status 0: and it will be so again: a certificate that is not trusted, an address that is none */
    char reason[256];             /* status 0: why */
} HttpAnswer;

/* An answer larger than this is none. */
#define HTTP_BODY_LIMIT (4u << 20)

void http_request(const HttpRequest *request, HttpAnswer *answer);
void http_answer_release(HttpAnswer *answer);
/* The text with %XX for what has a meaning in addresses; of malloc, NULL: no memory. */
char *http_escape(const char *text);
