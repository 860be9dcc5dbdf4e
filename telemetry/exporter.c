/* telemetry/exporter.c: the thread that sends spans.
 *
 * A batch is sent when it is full or its first span has waited long enough. What a collector that is away or busy may take later is sent again at growing
 * intervals, or when the collector says, until the batch has had its time; then it is lost, and counted. Meanwhile the queue fills, and what finds no room in
 * it is dropped: nobody waits for us. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <zlib.h>

#include "connectors/http.h"
#include "telemetry/telemetry_internal.h"

#define FIRST_PAUSE_US INT64_C(250000)
#define LONGEST_PAUSE_US INT64_C(5000000)
#define STOP_WAIT_US INT64_C(1500000)

/* ---- waiting ---- */

/* Under lock; returns at the time or when something has changed. */
static void wait_until(Tracer *tracer, int64_t until_us)
{
    struct timespec when = { until_us / 1000000, until_us % 1000000 * 1000 };
    pthread_cond_timedwait(&tracer->changed, &tracer->lock, &when);
}

/* libcurl asks whether to go on. */
static bool is_over(void *caller)
{
    Tracer *tracer = caller;
    pthread_mutex_lock(&tracer->lock);
    bool over = tracer->stopping && steady_us() > tracer->stop_us;
    pthread_mutex_unlock(&tracer->lock);
    return over;
}

/* False: it is to end meanwhile. */
static bool pause_for(Tracer *tracer, int64_t us)
{
    int64_t until_us = steady_us() + us;
    pthread_mutex_lock(&tracer->lock);
    while (!tracer->stopping && steady_us() < until_us)
        wait_until(tracer, until_us);
    bool goes_on = !tracer->stopping;
    pthread_mutex_unlock(&tracer->lock);
    return goes_on;
}

/* ---- a batch ---- */

/* Waits for spans and takes them out of the queue. 0: there are none and there will be none. */
static int take_batch(Tracer *tracer, TraceSpan **batch)
{
    const TracerSettings *settings = &tracer->settings;
    int count = 0;
    pthread_mutex_lock(&tracer->lock);
    while (!tracer->stopping && tracer->count < settings->batch_most) {
        int64_t due_us = tracer->count ? tracer->since_us + settings->delay_us : INT64_MAX;
        if (due_us <= steady_us())
            break;
        if (due_us == INT64_MAX)
            pthread_cond_wait(&tracer->changed, &tracer->lock);
        else
            wait_until(tracer, due_us);
    }
    for (; tracer->count && count < settings->batch_most; tracer->count--) {
        batch[count++] = tracer->ring[tracer->first];
        tracer->first = (tracer->first + 1) % settings->queue_most;
    }
    tracer->since_us = steady_us();
    pthread_mutex_unlock(&tracer->lock);
    return count;
}

static Error *compress_body(Text *body)
{
    z_stream stream = { 0 };
    Text packed = { 0 };
    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) /* 16: as gzip */
        return error_memory();
    size_t bound = deflateBound(&stream, body->length);
    Error *error;
    MEMORY_GUARDED(error, (text_reserve(&packed, bound), (Error *)NULL));
    if (!error) {
        stream.next_in = (Bytef *)body->bytes;
        stream.avail_in = (uInt)body->length;
        stream.next_out = (Bytef *)packed.bytes;
        stream.avail_out = (uInt)bound;
        if (deflate(&stream, Z_FINISH) != Z_STREAM_END)
            error = error_memory();
        packed.length = stream.total_out;
    }
    deflateEnd(&stream);
    if (error) {
        text_release(&packed);
        return error;
    }
    text_release(body);
    *body = packed;
    return NULL;
}

static Error *encode(Tracer *tracer, TraceSpan *const *batch, int count, Text *body)
{
    (tracer->settings.json ? otlp_json : otlp_protobuf)(&tracer->settings, tracer->options.version, batch, count, body);
    return tracer->settings.gzip ? compress_body(body) : NULL;
}

static bool may_pass(const HttpAnswer *answer)
{
    return answer->status == 0 ? !answer->hopeless : answer->status == 429 || answer->status == 502 || answer->status == 503 || answer->status == 504;
}

/* Said when it begins and when it is over, not for every batch. */
static void report(Tracer *tracer, bool failed, const HttpAnswer *answer)
{
    char message[512];
    if (failed == tracer->failing || !tracer->options.report)
        return;
    tracer->failing = failed;
    if (!failed)
        snprintf(message, sizeof message, "'%s' takes traces again", tracer->settings.shown_url);
    else if (answer->status)
        snprintf(message, sizeof message, "'%s' does not take traces: status %ld", tracer->settings.shown_url, answer->status);
    else
        snprintf(message, sizeof message, "'%s' does not take traces: %.300s", tracer->settings.shown_url, answer->reason);
    tracer->options.report(tracer->options.caller, failed, message);
}

static void request_once(Tracer *tracer, const Text *body, HttpAnswer *answer)
{
    const TracerSettings *settings = &tracer->settings;
    const HttpRequest request = { .method = "POST", .url = settings->url, .content_type = settings->json ? "application/json" : "application/x-protobuf", .body = body->bytes,
        .body_length = body->length, .headers = settings->headers, .ca = settings->ca, .certificate = settings->certificate, .key = settings->key, .timeout_us = settings->timeout_us,
        .no_redirects = true, .give_up = is_over, .caller = tracer };
    http_request(&request, answer);
    pthread_mutex_lock(&tracer->lock);
    tracer->statistics.requests++;
    tracer->statistics.failed_requests += answer->status < 200 || answer->status > 299;
    pthread_mutex_unlock(&tracer->lock);
    report(tracer, answer->status < 200 || answer->status > 299, answer);
}

/* Between a half and the whole of it, so that many servers do not come back at the same moment. */
static int64_t scattered(int64_t us) { return us / 2 + (int64_t)((uint64_t)steady_us() * 0x9E3779B97F4A7C15ull >> 33) % (us / 2 + 1); }

/* True: it was taken; *rejected: but for so many. */
static bool send_body(Tracer *tracer, const Text *body, int64_t *rejected)
{
    int64_t until_us = steady_us() + tracer->settings.export_timeout_us, pause_us = FIRST_PAUSE_US;
    *rejected = 0;
    while (!is_over(tracer)) {
        HttpAnswer answer;
        request_once(tracer, body, &answer);
        bool taken = answer.status >= 200 && answer.status <= 299, again = !taken && may_pass(&answer);
        int64_t wait_us = answer.retry_after_s > 0 ? answer.retry_after_s * 1000000 : scattered(pause_us);
        *rejected = taken && answer.body ? otlp_rejected(tracer->settings.json, answer.body, answer.length) : 0;
        http_answer_release(&answer);
        if (!again || steady_us() + wait_us > until_us || !pause_for(tracer, wait_us))
            return taken;
        pause_us = pause_us * 2 < LONGEST_PAUSE_US ? pause_us * 2 : LONGEST_PAUSE_US;
    }
    return false;
}

static void send_batch(Tracer *tracer, TraceSpan **batch, int count)
{
    Text body = { 0 };
    Error *error;
    int64_t rejected = 0;
    MEMORY_GUARDED(error, encode(tracer, batch, count, &body));
    bool taken = !error && send_body(tracer, &body, &rejected);
    rejected = rejected < count ? rejected : count;
    pthread_mutex_lock(&tracer->lock);
    tracer->statistics.sent += taken ? (uint64_t)(count - rejected) : 0;
    tracer->statistics.rejected += (uint64_t)rejected;
    tracer->statistics.failed += taken ? 0 : (uint64_t)count;
    pthread_mutex_unlock(&tracer->lock);
    error_free(error);
    text_release(&body);
    for (int i = 0; i < count; i++)
        trace_discard(batch[i]);
}

/* ---- the thread ---- */

static void *run(void *caller)
{
    Tracer *tracer = caller;
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    TraceSpan **batch = calloc((size_t)tracer->settings.batch_most, sizeof *batch);
    for (int count; batch && (count = take_batch(tracer, batch)) > 0;)
        send_batch(tracer, batch, count);
    free(batch);
    return NULL;
}

Error *exporter_start(Tracer *tracer)
{
    if (pthread_create(&tracer->thread, NULL, run, tracer) != 0)
        return error_new(ERR_IO, "no thread can be started for traces");
    tracer->started = true;
    return NULL;
}

void exporter_stop(Tracer *tracer)
{
    pthread_mutex_lock(&tracer->lock);
    tracer->stopping = true;
    tracer->stop_us = steady_us() + STOP_WAIT_US;
    pthread_cond_signal(&tracer->changed);
    pthread_mutex_unlock(&tracer->lock);
    if (tracer->started)
        pthread_join(tracer->thread, NULL);
}
