/* telemetry/span.c: spans while they last: where they stand, whether anybody wants them, what is said of them. */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "telemetry/telemetry_internal.h"

static _Thread_local TraceContext current;

static int64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t trace_clock_ns(void) { return clock_ns(CLOCK_MONOTONIC); }
int64_t steady_us(void) { return trace_clock_ns() / 1000; }

/* ---- contexts ---- */

/* Random bytes are got from the kernel for a few spans at once. */
static void random_bytes(unsigned char *bytes, size_t length)
{
    static _Thread_local unsigned char pool[240];
    static _Thread_local size_t left;
    if (left < length) {
        if (getrandom(pool, sizeof pool, 0) != (ssize_t)sizeof pool) { /* it has none only while the machine starts */
            memset(bytes, 0xb1, length);
            return;
        }
        left = sizeof pool;
    }
    left -= length;
    memcpy(bytes, pool + left, length);
}

static int hex_digit(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; } /* lower case alone (W3C) */

/* False: they are no such digits, or all are 0, which stands for nothing. */
static bool read_id(const char *text, unsigned char *bytes, size_t length)
{
    unsigned any = 0;
    for (size_t i = 0; i < length; i++) {
        int high = hex_digit(text[2 * i]), low = high < 0 ? -1 : hex_digit(text[2 * i + 1]);
        if (low < 0)
            return false;
        any |= bytes[i] = (unsigned char)(high * 16 + low);
    }
    return any != 0;
}

/* "00-<trace id>-<span id>-<flags>"; later versions may have more behind it. */
bool trace_parse_parent(const char *text, TraceContext *context)
{
    TraceContext found = { .valid = true, .remote = true };
    size_t length = strlen(text);
    if (length < 55 || text[2] != '-' || text[35] != '-' || text[52] != '-')
        return false;
    int version_high = hex_digit(text[0]), version_low = hex_digit(text[1]), flags_high = hex_digit(text[53]), flags_low = hex_digit(text[54]);
    if (version_high < 0 || version_low < 0 || flags_high < 0 || flags_low < 0 || (version_high == 15 && version_low == 15))
        return false;
    bool first = version_high == 0 && version_low == 0;
    if (length > 55 && (first || text[55] != '-'))
        return false;
    if (!read_id(text + 3, found.trace_id, 16) || !read_id(text + 36, found.span_id, 8))
        return false;
    found.sampled = flags_low & 1;
    *context = found;
    return true;
}

/* Is the trace one of those that are kept? Every process answers alike, as it looks at the trace's number. */
static bool ratio_takes(double ratio, const unsigned char *trace_id)
{
    uint64_t number = 0;
    for (int i = 8; i < 16; i++)
        number = number << 8 | trace_id[i];
    return ratio >= 1 || (double)(number >> 1) < ratio * 0x1p63;
}

static bool samples(const TracerSettings *settings, const TraceContext *context, const TraceContext *parent)
{
    if (settings->parent_based && parent->valid)
        return parent->sampled;
    switch (settings->sampling) {
    case SAMPLE_ALL: return true;
    case SAMPLE_NONE: return false;
    case SAMPLE_RATIO: return ratio_takes(settings->ratio, context->trace_id);
    }
    return false;
}

TraceContext trace_current(void) { return current; }

void trace_enter(const TraceContext *context, TraceScope *scope)
{
    *scope = (TraceScope){ current, true };
    current = *context;
}

void trace_leave(TraceScope *scope)
{
    if (scope->entered)
        current = scope->before;
    scope->entered = false;
}

/* ---- texts ---- */

/* What fits, as valid UTF-8: a collector refuses the whole batch for one byte. */
static uint16_t keep_text(TraceSpan *span, const char *value, size_t length, uint16_t *at)
{
    size_t room = (size_t)(SPAN_TEXT - span->text_length), most = room < VALUE_MOST ? room : VALUE_MOST, kept = length < most ? length : most;
    char *copy = span->text + span->text_length;
    while (kept < length && kept > 0 && ((unsigned char)value[kept] & 0xc0) == 0x80)
        kept--; /* not in the middle of a character */
    memcpy(copy, value, kept);
    for (size_t valid = 0; (valid += utf8_valid_prefix(copy + valid, kept - valid)) < kept;)
        copy[valid] = '?';
    *at = (uint16_t)span->text_length;
    span->text_length += (int)kept;
    return (uint16_t)kept;
}

void trace_rename(TraceSpan *span, const char *name)
{
    if (span)
        span->name.length = keep_text(span, name, strlen(name), &span->name.at);
}

void trace_state(TraceSpan *span, const char *state)
{
    if (span && strlen(state) < TRACE_STATE_SIZE)
        span->state.length = keep_text(span, state, strlen(state), &span->state.at);
}

void trace_fail(TraceSpan *span, const char *message)
{
    if (!span)
        return;
    span->failed = true;
    if (message)
        span->message.length = keep_text(span, message, strlen(message), &span->message.at);
}

static Attribute *new_attribute(TraceSpan *span, const char *key)
{
    if (!span || span->attribute_count == SPAN_ATTRIBUTES) {
        if (span)
            span->dropped_attributes++;
        return NULL;
    }
    Attribute *attribute = &span->attributes[span->attribute_count++];
    attribute->key = key;
    return attribute;
}

void trace_text_of(TraceSpan *span, const char *key, const char *value, size_t length)
{
    Attribute *attribute = new_attribute(span, key);
    if (!attribute)
        return;
    attribute->kind = ATTRIBUTE_TEXT;
    attribute->text.length = keep_text(span, value, length, &attribute->text.at);
}

void trace_text(TraceSpan *span, const char *key, const char *value)
{
    if (span && value)
        trace_text_of(span, key, value, strlen(value));
}

void trace_number(TraceSpan *span, const char *key, int64_t value)
{
    Attribute *attribute = new_attribute(span, key);
    if (!attribute)
        return;
    attribute->kind = ATTRIBUTE_NUMBER;
    attribute->number = value;
}

void trace_flag(TraceSpan *span, const char *key, bool value)
{
    Attribute *attribute = new_attribute(span, key);
    if (!attribute)
        return;
    attribute->kind = ATTRIBUTE_FLAG;
    attribute->flag = value;
}

void trace_link(TraceSpan *span, const TraceContext *context)
{
    if (span && context->valid && span->link_count < SPAN_LINKS)
        span->links[span->link_count++] = *context;
}

/* ---- life ---- */

static void count_dropped(Tracer *tracer)
{
    pthread_mutex_lock(&tracer->lock);
    tracer->statistics.dropped++;
    pthread_mutex_unlock(&tracer->lock);
}

TraceSpan *trace_start(Tracer *tracer, TraceKind kind, const char *name, const TraceContext *parent, TraceContext *context)
{
    static const TraceContext nowhere;
    *context = nowhere;
    if (!tracer)
        return NULL;
    parent = parent ? parent : &nowhere;
    *context = *parent;
    context->remote = false;
    random_bytes(context->span_id, sizeof context->span_id);
    if (!parent->valid)
        random_bytes(context->trace_id, sizeof context->trace_id);
    context->valid = true;
    context->sampled = samples(&tracer->settings, context, parent);
    if (!context->sampled)
        return NULL;
    TraceSpan *span = malloc(sizeof *span);
    if (!span) {
        count_dropped(tracer);
        return NULL;
    }
    memset(span, 0, offsetof(TraceSpan, attributes));
    span->text_length = 0;
    span->tracer = tracer;
    span->context = *context;
    span->parent = *parent;
    span->kind = kind;
    span->start_ns = clock_ns(CLOCK_REALTIME);
    span->steady_ns = clock_ns(CLOCK_MONOTONIC);
    trace_rename(span, name);
    return span;
}

void trace_backdate(TraceSpan *span, int64_t ago_ns)
{
    if (!span)
        return;
    span->start_ns -= ago_ns;
    span->steady_ns -= ago_ns;
}

void trace_discard(TraceSpan *span) { free(span); }

/* A full queue loses the newest: what waits is a whole story already. */
void trace_finish(TraceSpan *span)
{
    if (!span)
        return;
    Tracer *tracer = span->tracer;
    span->end_ns = span->start_ns + (clock_ns(CLOCK_MONOTONIC) - span->steady_ns);
    pthread_mutex_lock(&tracer->lock);
    bool room = tracer->count < tracer->settings.queue_most;
    if (room) {
        if (tracer->count == 0)
            tracer->since_us = steady_us();
        tracer->ring[(tracer->first + tracer->count++) % tracer->settings.queue_most] = span;
    } else {
        tracer->statistics.dropped++;
    }
    if (tracer->count == 1 || tracer->count == tracer->settings.batch_most)
        pthread_cond_signal(&tracer->changed);
    pthread_mutex_unlock(&tracer->lock);
    if (!room)
        free(span);
}

TraceSpan *trace_begin(Tracer *tracer, const char *name, TraceScope *scope)
{
    TraceContext context;
    *scope = (TraceScope){ .entered = false };
    if (!tracer)
        return NULL;
    TraceSpan *span = trace_start(tracer, TRACE_INTERNAL, name, &current, &context);
    trace_enter(&context, scope);
    return span;
}

void trace_end(TraceSpan *span, TraceScope *scope)
{
    trace_leave(scope);
    trace_finish(span);
}
