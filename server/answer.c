/* server/answer.c: answers and errors, as ksqlDB's clients read them. */
#include "engine/bidsql.h"
#include "server/server_internal.h"

void answer_text(Call *call, int status, const char *content_type, const char *text, size_t length)
{
    int hundred = status / 100;
    if (hundred >= 1 && hundred <= 5)
        call->server->answers[hundred]++;
    http_add_header(call->exchange, "x-content-type-options", "nosniff");
    http_add_header(call->exchange, "cache-control", "no-store");
    http_answer(call->exchange, status, content_type, text, length);
}

void answer_json(Call *call, int status, json_t *json)
{
    char *text = json ? json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    json_decref(json);
    if (text)
        answer_text(call, status, "application/json", text, strlen(text));
    else
        answer_text(call, 500, "application/json", "{}", 2);
    free(text);
}

json_t *ksql_error(int code, const char *message)
{
    json_t *text = json_string(message);
    return json_pack("{s:s,s:i,s:o}", "@type", "generic_error", "error_code", code, "message", text ? text : json_string("the message is no UTF-8"));
}

void answer_ksql_error(Call *call, int code, const char *message) { answer_json(call, code / 100, ksql_error(code, message)); }

int ksql_error_code(const Error *error)
{
    switch (error->code) {
    case ERR_USAGE: return 40000;
    case ERR_PARSE:
    case ERR_BIND:
    case ERR_UNSUPPORTED: return 40001;
    case ERR_ASSERT: return 41700;
    case ERR_ROW: case ERR_TOO_MANY_BAD: case ERR_IO: case ERR_CONNECT: case ERR_MEMORY: case ERR_CLOSED: case ERR_INTERRUPTED: case ERR_INTERNAL: case ERR_BUSY: return 50000;
    }
    return 50000;
}

void error_message(const Error *error, const char *text, size_t length, Text *message)
{
    size_t start = message->length;
    error_render(error, "statement", text, length, false, message);
    while (message->length > start && message->bytes[message->length - 1] == '\n')
        message->length--;
}

/* One of the list: its text with the place, and the parts of it for programs. */
static json_t *error_json(const Error *error, const char *text, size_t length)
{
    Text rendered = { 0 };
    error_message(error, text, length, &rendered);
    json_t *json = json_pack("{s:s,s:s}", "message", error->message, "text", text_c(&rendered));
    if (error->hint)
        json_object_set_new(json, "hint", json_string(error->hint));
    if (error->at.length) {
        json_object_set_new(json, "start", json_integer(error->at.start));
        json_object_set_new(json, "length", json_integer(error->at.length));
    }
    text_release(&rendered);
    return json;
}

json_t *errors_json(const Error *errors, const char *text, size_t length)
{
    json_t *list = json_array();
    for (const Error *error = errors; error; error = error->next) {
        Error alone = *error;
        alone.next = NULL;
        json_array_append_new(list, error_json(&alone, text, length));
    }
    return list;
}
