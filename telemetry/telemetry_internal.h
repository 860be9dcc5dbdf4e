/* telemetry/telemetry_internal.h: what the files of the room share. Private to it. */
#pragma once
#include <pthread.h>
#include <stdatomic.h>

#include "common/arena.h"
#include "common/error.h"
#include "common/str.h"
#include "telemetry/trace.h"

#define SPAN_ATTRIBUTES 24
#define SPAN_LINKS 2
#define SPAN_TEXT 2560             /* bytes of a span's texts together */
#define VALUE_MOST 1024            /* of one of them */

typedef struct Attribute {
    const char *key;
    enum { ATTRIBUTE_TEXT, ATTRIBUTE_NUMBER, ATTRIBUTE_FLAG } kind;
    union {
        struct { uint16_t at, length; } text; /* in TraceSpan.text */
        int64_t number;
        bool flag;
    };
} Attribute;

/* One block of memory: whatever does not fit is left out, and counted. */
struct TraceSpan {
    Tracer *tracer;
    TraceContext context, parent;
    TraceKind kind;
    int64_t start_ns, steady_ns, end_ns; /* since 1970; start by a clock that nobody sets; since 1970 */
    struct { uint16_t at, length; } name, state, message;
    bool failed;
    int attribute_count, dropped_attributes, link_count;
    Attribute attributes[SPAN_ATTRIBUTES];
    TraceContext links[SPAN_LINKS];
    int text_length;
    char text[SPAN_TEXT];
};

typedef struct ResourceAttribute { const char *key, *value; } ResourceAttribute;

/* Options and environment, resolved. */
typedef struct TracerSettings {
    const char *url;               /* NULL: no traces */
    const char *shown_url;         /* without a password */
    const char **headers;          /* "Name: value", ended by NULL */
    bool json, gzip;
    const char *ca, *certificate, *key;
    TraceSampling sampling;
    bool parent_based;
    double ratio;
    int64_t timeout_us, delay_us, export_timeout_us;
    int queue_most, batch_most;
    struct { ResourceAttribute *items; int count, capacity; } resource;
} TracerSettings;

struct Tracer {
    Arena arena;
    TracerOptions options;
    TracerSettings settings;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    TraceSpan **ring;              /* ended, not sent */
    int first, count;
    int64_t since_us;              /* when the first of them came; steady */
    bool stopping, started;
    int64_t stop_us;               /* steady: nothing is sent any more from then on */
    pthread_t thread;
    bool failing;                  /* the exporter's: it has been reported */
    TracerStatistics statistics;   /* under lock */
};

int64_t steady_us(void);

/* settings.c: into the tracer's arena */
Error *settings_resolve(Arena *arena, const TracerOptions *options, TracerSettings *settings);

/* otlp.c: an ExportTraceServiceRequest */
void otlp_protobuf(const TracerSettings *settings, const char *version, TraceSpan *const *spans, int count, Text *out);
void otlp_json(const TracerSettings *settings, const char *version, TraceSpan *const *spans, int count, Text *out);
/* How many spans an answer (of either form) says to have been refused. */
int64_t otlp_rejected(bool json, const char *body, size_t length);

/* exporter.c */
Error *exporter_start(Tracer *tracer);
void exporter_stop(Tracer *tracer);
