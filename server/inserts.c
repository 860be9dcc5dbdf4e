/* server/inserts.c: /inserts-stream: rows as lines of JSON, acknowledged one by one.
 *
 * The loop cuts the body into lines; workers write them, one batch at a time and in order. While many wait, the peer is held back. */
#include <sched.h>
#include <string.h>

#include "server/server_internal.h"

#define WAITING_MOST (1 << 20)      /* bytes of lines; more are not read */
#define LINE_MOST (1 << 20)
#define BATCH_MOST 500              /* rows of one INSERT */

typedef struct Inserts {
    ExchangeUse use;                /* first */
    Server *server;
    HttpExchange *exchange;
    RuntimeSession *session;
    char *target;                   /* NULL: the first line has not come */
    uint64_t sequence, said;        /* said: acknowledgements and errors so far */
    bool array;                     /* they are the elements of one JSON array */
    atomic_int references;          /* the exchange's, the worker's */
    pthread_mutex_t lock;
    Text lines;                     /* whole lines and the beginning of one, under lock */
    bool scheduled, ended, gone, failed, paused;
} Inserts;

static void release(Inserts *inserts)
{
    if (--inserts->references > 0)
        return;
    runtime_session_free(inserts->session);
    http_exchange_release(inserts->exchange);
    text_release(&inserts->lines);
    mem_free(inserts->target);
    pthread_mutex_destroy(&inserts->lock);
    mem_free(inserts);
}

/* ---- on a worker ---- */

/* Before each of them. */
static void separate(Inserts *inserts, Text *text)
{
    if (inserts->array)
        text_add_c(text, inserts->said ? ",\n" : "[");
    inserts->said++;
}

static void end(Inserts *inserts)
{
    if (inserts->array)
        http_write(inserts->exchange, inserts->said ? "]" : "[]", inserts->said ? 1 : 2);
    http_end(inserts->exchange);
}

static void acknowledge(Inserts *inserts, uint64_t first, uint64_t count)
{
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    for (uint64_t i = 0; i < count; i++) {
        separate(inserts, &text);
        text_printf(&text, "{\"status\":\"ok\",\"seq\":%llu}%s", (unsigned long long)(first + i), inserts->array ? "" : "\n");
    }
    http_write(inserts->exchange, text_c(&text), text.length);
    text_release(&text);
}

static void fail(Inserts *inserts, uint64_t sequence, int code, const char *message)
{
    json_t *error = ksql_error(code, message);
    json_object_set_new(error, "status", json_string("error"));
    json_object_set_new(error, "seq", json_integer((json_int_t)sequence));
    char *text = json_dumps(error, JSON_COMPACT);
    json_decref(error);
    Text line = { 0 };
    MEMORY_HOLD(text_unwind, &line);
    separate(inserts, &line);
    text_printf(&line, "%s%s", text, inserts->array ? "" : "\n");
    http_write(inserts->exchange, line.bytes, line.length);
    end(inserts);
    text_release(&line);
    free(text);
    inserts->failed = true;
}

/* A value as it stands in SQL. */
static void add_literal(const json_t *value, Text *sql)
{
    switch (json_typeof(value)) {
    case JSON_NULL: text_add_c(sql, "NULL"); return;
    case JSON_TRUE: text_add_c(sql, "TRUE"); return;
    case JSON_FALSE: text_add_c(sql, "FALSE"); return;
    case JSON_INTEGER: text_printf(sql, "%lld", (long long)json_integer_value(value)); return;
    case JSON_REAL: text_printf(sql, "%.17g", json_real_value(value)); return;
    case JSON_STRING:
        text_add_char(sql, '\'');
        for (const char *at = json_string_value(value); *at; at++) {
            if (*at == '\'')
                text_add_char(sql, '\'');
            text_add_char(sql, *at);
        }
        text_add_char(sql, '\'');
        return;
    case JSON_ARRAY:
        text_add_c(sql, "ARRAY[");
        for (size_t i = 0; i < json_array_size(value); i++) {
            text_add_c(sql, i ? ", " : "");
            add_literal(json_array_get(value, i), sql);
        }
        text_add_char(sql, ']');
        return;
    case JSON_OBJECT: {
        const char *name;
        json_t *field;
        bool first = true;
        text_add_c(sql, "STRUCT(");
        json_object_foreach((json_t *)(uintptr_t)value, name, field)
        {
            text_printf(sql, "%s`%s` := ", first ? "" : ", ", name);
            add_literal(field, sql);
            first = false;
        }
        text_add_char(sql, ')');
        return;
    }
    }
}

/* The names of a row's columns, quoted; ksqlDB takes unquoted names in any case. */
static void add_names(const json_t *row, Text *names)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)row, name, value)
    {
        text_add_c(names, names->length ? ", " : "");
        bool quoted = name[0] == '`';
        text_add_c(names, quoted ? "" : "`");
        for (const char *at = name; *at; at++)
            if (quoted || *at != '`')
                text_add_char(names, *at);
        text_add_c(names, quoted ? "" : "`");
    }
}

static void add_values(const json_t *row, Text *sql)
{
    const char *name;
    json_t *value;
    bool first = true;
    text_add_char(sql, '(');
    json_object_foreach((json_t *)(uintptr_t)row, name, value)
    {
        text_add_c(sql, first ? "" : ", ");
        add_literal(value, sql);
        first = false;
    }
    text_add_char(sql, ')');
}

static Error *nothing(void *caller, const RuntimeResult *result)
{
    (void)caller;
    (void)result;
    return NULL;
}

/* Rows that have the same columns go in by one INSERT. */
typedef struct Pending {
    Text names, values;
    uint64_t first, count;
} Pending;

static bool write_pending(Inserts *inserts, Pending *pending)
{
    if (pending->count == 0)
        return true;
    Text sql = { 0 };
    MEMORY_HOLD(text_unwind, &sql);
    const RuntimeOutput output = { nothing, NULL };
    text_printf(&sql, "INSERT INTO `%s` (%s) VALUES %s;", inserts->target, text_c(&pending->names), text_c(&pending->values));
    Error *error = runtime_execute(inserts->session, sql.bytes, sql.length, false, &output, NULL);
    if (error)
        fail(inserts, pending->first, ksql_error_code(error) == 40001 ? 40000 : ksql_error_code(error), error->message);
    else
        acknowledge(inserts, pending->first, pending->count);
    bool fine = !error;
    error_free(error);
    text_release(&sql);
    pending->count = 0;
    pending->names.length = pending->values.length = 0;
    return fine;
}

static bool take_row(Inserts *inserts, Pending *pending, const char *line, size_t length)
{
    json_t *row = json_loadb(line, length, 0, NULL);
    Text names = { 0 };
    MEMORY_HOLD(text_unwind, &names);
    bool fine = true;
    if (!json_is_object(row) || json_object_size(row) == 0) {
        fine = write_pending(inserts, pending);
        if (fine)
            fail(inserts, inserts->sequence, 40000, "the line is no JSON object with columns");
        fine = false;
    } else {
        add_names(row, &names);
        bool same = pending->count && pending->count < BATCH_MOST && names.length == pending->names.length && memcmp(names.bytes, pending->names.bytes, names.length) == 0;
        if (!same)
            fine = write_pending(inserts, pending);
        if (fine && !same) {
            text_add(&pending->names, names.bytes, names.length);
            pending->first = inserts->sequence;
        }
        if (fine) {
            text_add_c(&pending->values, pending->count ? ", " : "");
            add_values(row, &pending->values);
            pending->count++;
            inserts->sequence++;
        }
    }
    text_release(&names);
    json_decref(row);
    return fine;
}

static bool take_target(Inserts *inserts, const char *line, size_t length)
{
    json_t *first = json_loadb(line, length, 0, NULL);
    const char *target = json_string_value(json_object_get(first, "target"));
    Error *error = runtime_session_new(inserts->server->runtime, &inserts->session);
    if (!error)
        error = runtime_session_set(inserts->session, "dialect", inserts->server->options.dialect ? inserts->server->options.dialect : "ksql");
    bool quoted = target && target[0] == '`';
    if (!target || !*target || strchr(target + quoted, '`') != (quoted ? target + strlen(target) - 1 : NULL))
        fail(inserts, 0, 40000, "the first line names no 'target'");
    else if (error)
        fail(inserts, 0, 50000, error->message);
    else {
        inserts->target = mem_strdup(target + quoted);
        if (quoted)
            inserts->target[strlen(inserts->target) - 1] = 0;
    }
    error_free(error);
    json_decref(first);
    return inserts->target != NULL;
}

static Error *write_lines(Inserts *inserts, const Text *lines)
{
    Pending pending = { 0 };
    MEMORY_HOLD(text_unwind, &pending.names);
    MEMORY_HOLD(text_unwind, &pending.values);
    bool fine = true;
    for (size_t at = 0; at < lines->length && fine;) {
        const char *end = memchr(lines->bytes + at, '\n', lines->length - at);
        size_t length = end ? (size_t)(end - lines->bytes) - at : lines->length - at;
        bool blank = strspn(lines->bytes + at, " \t\r") >= length;
        if (!blank)
            fine = inserts->target ? take_row(inserts, &pending, lines->bytes + at, length) : take_target(inserts, lines->bytes + at, length);
        at += length + 1;
    }
    if (fine)
        write_pending(inserts, &pending);
    text_release(&pending.names);
    text_release(&pending.values);
    return NULL;
}

/* Whole lines out of what waits; all of it at the end. */
static bool take_lines(Inserts *inserts, Text *lines)
{
    pthread_mutex_lock(&inserts->lock);
    const char *last = inserts->lines.length ? memrchr(inserts->lines.bytes, '\n', inserts->lines.length) : NULL;
    size_t whole = inserts->ended ? inserts->lines.length : last ? (size_t)(last - inserts->lines.bytes) + 1 : 0;
    Text rest = { 0 };
    if (whole && !inserts->gone) {
        *lines = inserts->lines;
        rest = *lines;
        inserts->lines = (Text){ 0 };
        if (whole < rest.length)
            text_add(&inserts->lines, rest.bytes + whole, rest.length - whole);
        lines->length = whole;
    }
    bool resume = inserts->paused && inserts->lines.length < WAITING_MOST / 2;
    if (resume)
        inserts->paused = false;
    bool more = lines->length > 0;
    if (!more)
        inserts->scheduled = false;
    bool done = !more && inserts->ended && !inserts->gone && !inserts->failed;
    pthread_mutex_unlock(&inserts->lock);
    if (resume)
        http_pause_body(inserts->exchange, false);
    if (done) {
        inserts->failed = true; /* said once */
        end(inserts);
    }
    return more;
}

static void work(void *what)
{
    Inserts *inserts = what;
    Text lines = { 0 };
    while (take_lines(inserts, &lines)) {
        Error *error = NULL;
        if (!inserts->failed)
            MEMORY_GUARDED(error, write_lines(inserts, &lines));
        if (error)
            http_abort(inserts->exchange);
        error_free(error);
        text_release(&lines);
        lines = (Text){ 0 };
    }
    release(inserts);
}

/* ---- on the loop ---- */

void inserts_begin(Server *server, HttpExchange *exchange)
{
    Inserts *inserts = mem_calloc(1, sizeof *inserts);
    inserts->use.kind = USE_INSERTS;
    inserts->server = server;
    inserts->exchange = http_exchange_retain(exchange);
    inserts->references = 1;
    pthread_mutex_init(&inserts->lock, NULL);
    exchange_use(exchange, &inserts->use);
    const char *accept = http_header(http_exchange_request(exchange), "accept");
    inserts->array = accept && strstr(accept, "application/json");
    http_begin(exchange, 200, inserts->array ? "application/json" : "application/vnd.ksqlapi.delimited.v1");
}

void inserts_body(ExchangeUse *use, const char *bytes, size_t length, bool end)
{
    Inserts *inserts = (Inserts *)use;
    HttpExchange *exchange = inserts->exchange;
    pthread_mutex_lock(&inserts->lock);
    Error *error = NULL;
    MEMORY_GUARDED(error, (text_add(&inserts->lines, bytes, length), (Error *)NULL)); /* no raise leaves with the lock held */
    inserts->ended |= end;
    bool too_long = inserts->lines.length > WAITING_MOST + LINE_MOST;
    bool pause = !inserts->paused && inserts->lines.length > WAITING_MOST;
    inserts->paused |= pause;
    bool add = !inserts->scheduled;
    inserts->scheduled = true;
    if (add)
        inserts->references++;
    pthread_mutex_unlock(&inserts->lock);
    if (error || too_long)
        http_abort(exchange);
    error_free(error);
    if (pause)
        http_pause_body(exchange, true);
    while (add && !workers_add(inserts->server->workers, work, inserts))
        sched_yield();
}

void inserts_gone(ExchangeUse *use)
{
    Inserts *inserts = (Inserts *)use;
    pthread_mutex_lock(&inserts->lock);
    inserts->gone = true;
    pthread_mutex_unlock(&inserts->lock);
    release(inserts);
}
