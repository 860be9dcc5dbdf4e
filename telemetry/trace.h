/* telemetry/trace.h: traces: what was done, when, for how long and by whose request, for OpenTelemetry. The room's door.
 *
 * A span is begun, told things, and ended; ended spans wait in a bounded queue and are sent by a thread of their own. None of these calls waits, fails or
 * raises: without memory or room a span is dropped, and counted. A span that nobody wants (no tracer, not sampled) is NULL, which all of them take. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Tracer Tracer;
typedef struct TraceSpan TraceSpan;

#define TRACE_STATE_SIZE 256

/* Where a span stands: what crosses processes as W3C's `traceparent`, and threads as itself. */
typedef struct TraceContext {
    unsigned char trace_id[16], span_id[8];
    bool valid, sampled, remote;   /* remote: it came from another process */
} TraceContext;

typedef enum TraceKind { TRACE_INTERNAL = 1, TRACE_SERVER, TRACE_CLIENT, TRACE_PRODUCER, TRACE_CONSUMER } TraceKind; /* numbers of OTLP */

/* ---- spans with their parents given; the span is one thread's at a time ---- */

/* A span below `parent` (NULL or not valid: it begins a trace). *context: its own, for spans below it; also set when it is NULL. `name` is copied. */
TraceSpan *trace_start(Tracer *tracer, TraceKind kind, const char *name, const TraceContext *parent, TraceContext *context);
/* Gives it to the exporter. */
void trace_finish(TraceSpan *span);
/* Nobody is to see it. */
void trace_discard(TraceSpan *span);
/* For measuring first and tracing then: nanoseconds of a clock that nobody sets. */
int64_t trace_clock_ns(void);
/* It began so long ago. */
void trace_backdate(TraceSpan *span, int64_t ago_ns);

/* ---- spans of the thread at hand: below whatever it is doing ---- */

typedef struct TraceScope {
    TraceContext before;
    bool entered;
} TraceScope;
/* What the thread does from now on stands below `context`. */
void trace_enter(const TraceContext *context, TraceScope *scope);
void trace_leave(TraceScope *scope);
/* trace_start below the thread's context, and trace_enter; the context becomes the thread's again by trace_end. */
TraceSpan *trace_begin(Tracer *tracer, const char *name, TraceScope *scope);
void trace_end(TraceSpan *span, TraceScope *scope);
/* Of the thread at hand; not valid: none. */
TraceContext trace_current(void);

/* ---- what is said of a span; keys live as long as the process ---- */

void trace_text(TraceSpan *span, const char *key, const char *value);
void trace_text_of(TraceSpan *span, const char *key, const char *value, size_t length);
void trace_number(TraceSpan *span, const char *key, int64_t value);
void trace_flag(TraceSpan *span, const char *key, bool value);
/* Another span that it has to do with. */
void trace_link(TraceSpan *span, const TraceContext *context);
/* It went wrong. message may be NULL. */
void trace_fail(TraceSpan *span, const char *message);
/* W3C's `tracestate`, as it came. */
void trace_state(TraceSpan *span, const char *state);
/* By its route, once that is known. */
void trace_rename(TraceSpan *span, const char *name);

/* Reads W3C's `traceparent`; false: it is none. */
bool trace_parse_parent(const char *text, TraceContext *context);

/* ---- the tracer ---- */

typedef enum TraceSampling { SAMPLE_ALL, SAMPLE_NONE, SAMPLE_RATIO } TraceSampling;

/* Texts live as long as the tracer. NULL and 0: what the environment says (OTEL_..), else the default of OpenTelemetry's specification. */
typedef struct TracerOptions {
    const char *endpoint;          /* "http://localhost:4318"; the environment names none either: there is no tracer */
    const char *headers;           /* "name=value,name=value", percent-encoded */
    const char *protocol;          /* "http/protobuf", "http/json" */
    const char *service_name;      /* "bidsql" */
    const char *sampler;           /* "parentbased_always_on", .. "traceidratio" */
    const char *sampler_argument;  /* of ..ratio: "0.1" */
    const char *version, *instance; /* of this server */
    /* Sending has begun to fail, or goes on again. From the exporter's thread. May be NULL. */
    void (*report)(void *caller, bool failed, const char *message);
    void *caller;
} TracerOptions;

typedef struct Error Error;
/* *tracer NULL: nobody has asked for traces. */
Error *tracer_new(const TracerOptions *options, Tracer **tracer);
/* Sends what waits, for a moment at most. Spans that are not finished must be by now. NULL is fine. */
void tracer_free(Tracer *tracer);

typedef struct TracerStatistics {
    uint64_t sent, dropped, failed, rejected; /* spans: taken by the collector; no room or memory; not sent in time; refused by the collector */
    uint64_t requests, failed_requests;
    int waiting;
} TracerStatistics;
void tracer_statistics(Tracer *tracer, TracerStatistics *statistics); /* NULL: all are 0 */
