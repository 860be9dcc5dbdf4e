/* connectors/stdout.c: the sink that writes records to standard output, or to whom the front door names instead. */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "connectors/connectors_internal.h"

typedef struct StdoutOptions {
    char unused;
} StdoutOptions;

/* ---- where bytes go ---- */

static Error *write_to_descriptor(void *caller, const char *bytes, size_t length, bool last)
{
    (void)caller, (void)last;
    for (size_t done = 0; done < length;) {
        ssize_t wrote = write(STDOUT_FILENO, bytes + done, length - done);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0 && errno == EPIPE)
            return error_new(ERR_CLOSED, "the reader of stdout went away");
        if (wrote < 0)
            return error_new(ERR_IO, "cannot write to stdout: %s", strerror(errno));
        done += (size_t)wrote;
    }
    return NULL;
}

static pthread_rwlock_t writer_lock = PTHREAD_RWLOCK_INITIALIZER; /* of these: */
static StdoutWriter current_writer = write_to_descriptor;
static void *current_caller;

void stdout_set_writer(StdoutWriter writer, void *caller)
{
    pthread_rwlock_wrlock(&writer_lock);
    current_writer = writer ? writer : write_to_descriptor;
    current_caller = caller;
    pthread_rwlock_unlock(&writer_lock);
    stdout_wake();
}

static Error *write_out(const char *bytes, size_t length, bool last)
{
    Error *error;
    pthread_rwlock_rdlock(&writer_lock);
    MEMORY_GUARDED(error, current_writer(current_caller, bytes, length, last));
    pthread_rwlock_unlock(&writer_lock);
    return error;
}

/* ---- the sink ---- */

typedef struct StdoutState {
    bool header_written;
    Text pending;         /* small pieces are collected until the flush */
    const ConnectorContext *context; /* whom to wake */
    struct StdoutState *next;
} StdoutState;

static pthread_mutex_t sinks_lock = PTHREAD_MUTEX_INITIALIZER;
static StdoutState *sinks; /* that are open */

void stdout_wake(void)
{
    pthread_mutex_lock(&sinks_lock);
    for (const StdoutState *each = sinks; each; each = each->next)
        connector_wake(each->context);
    pthread_mutex_unlock(&sinks_lock);
}

#define PENDING_BYTES 65536

static Error *flush(StdoutState *state, bool last)
{
    Error *error = state->pending.length ? write_out(state->pending.bytes, state->pending.length, last) : NULL;
    if (!error || error->code != ERR_BUSY)
        state->pending.length = 0;
    return error;
}

static Error *stdout_flush(Sink *sink) { return flush(sink->state, false); }

static Error *stdout_open(Sink *sink)
{
    StdoutState *state = sink->state = mem_calloc(1, sizeof *state);
    state->context = sink->context;
    pthread_mutex_lock(&sinks_lock);
    state->next = sinks;
    sinks = state;
    pthread_mutex_unlock(&sinks_lock);
    return NULL;
}

static Error *stdout_write(Sink *sink, const char *partition, const char *header, size_t header_length, const char *bytes, size_t length)
{
    (void)partition; /* all go to one place */
    StdoutState *state = sink->state;
    if (!state->header_written && header_length)
        text_add(&state->pending, header, header_length);
    state->header_written = true;
    if (state->pending.length + length >= PENDING_BYTES) {
        TRY(flush(state, false));
        return write_out(bytes, length, false);
    }
    if (length)
        text_add(&state->pending, bytes, length);
    return NULL;
}

static Error *stdout_snapshot(Sink *sink, Text *text)
{
    StdoutState *state = sink->state;
    TRY(stdout_flush(sink));
    text_add_char(text, state->header_written ? '1' : '0');
    return NULL;
}

/* What was shown cannot be taken back: after a restore rows may come twice. */
static Error *stdout_restore(Sink *sink, const char *bytes, size_t length)
{
    StdoutState *state = sink->state;
    state->header_written = length > 0 && bytes[0] == '1';
    state->pending.length = 0;
    return NULL;
}

static Error *stdout_close(Sink *sink, bool commit)
{
    StdoutState *state = sink->state;
    if (!state)
        return NULL;
    (void)commit; /* rows before an error are shown as well */
    Error *error = flush(state, true);
    pthread_mutex_lock(&sinks_lock);
    for (StdoutState **at = &sinks; *at; at = &(*at)->next)
        if (*at == state) {
            *at = state->next;
            break;
        }
    pthread_mutex_unlock(&sinks_lock);
    text_release(&state->pending);
    mem_free(state);
    sink->state = NULL;
    return error;
}

static const SinkType stdout_sink = {
    .takes_updates = true,
    .open = stdout_open,
    .write = stdout_write,
    .flush = stdout_flush,
    .snapshot = stdout_snapshot,
    .restore = stdout_restore,
    .close = stdout_close,
};

static const OptionSpec stdout_options[] = { { 0 } };

const ConnectorType stdout_connector = {
    .name = "stdout",
    .aliases = (const char *const[]){ "print", "console", NULL },
    .doc = "Writes records to standard output.",
    .options = stdout_options,
    .options_size = sizeof(StdoutOptions),
    .sink = &stdout_sink,
    .default_format = "json",
};
