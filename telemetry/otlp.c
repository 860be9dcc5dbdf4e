/* telemetry/otlp.c: spans as an ExportTraceServiceRequest of OTLP 1.x, as Protocol Buffers or as JSON.
 *
 * The message is the same in both: resource spans (one: this process) hold scope spans (one: this library) hold spans. */
#include <jansson.h>

#include "common/value_text.h"
#include "telemetry/telemetry_internal.h"

#define SCOPE "bidsql"

/* A sampled span's flags: W3C's in the low byte, and whether the parent (or the link) is known to be another process's. */
static uint32_t flags_of(const TraceContext *context, bool remote_known, bool remote)
{
    return (context->sampled ? 1u : 0u) | (remote_known ? 0x100u : 0u) | (remote ? 0x200u : 0u);
}

/* ---- Protocol Buffers ---- */

enum { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

static int put_varint(unsigned char *bytes, uint64_t value)
{
    int count = 0;
    for (; value > 127; value >>= 7)
        bytes[count++] = (unsigned char)(value | 128);
    bytes[count++] = (unsigned char)value;
    return count;
}

static void add_varint(Text *out, uint64_t value)
{
    unsigned char bytes[10];
    text_add(out, (const char *)bytes, (size_t)put_varint(bytes, value));
}

static void add_tag(Text *out, int field, int wire) { add_varint(out, (uint64_t)field << 3 | (uint64_t)wire); }

static void add_bytes(Text *out, int field, const void *bytes, size_t length)
{
    add_tag(out, field, WIRE_BYTES);
    add_varint(out, length);
    text_add(out, bytes, length);
}

static void add_string(Text *out, int field, const char *text) { add_bytes(out, field, text, strlen(text)); }

static void add_number(Text *out, int field, uint64_t value)
{
    add_tag(out, field, WIRE_VARINT);
    add_varint(out, value);
}

static void add_fixed(Text *out, int field, uint64_t value, int bytes)
{
    add_tag(out, field, bytes == 8 ? WIRE_FIXED64 : WIRE_FIXED32);
    for (int i = 0; i < bytes; i++)
        text_add_char(out, (char)(value >> 8 * i));
}

/* A message within a message: its length is known at its end, and goes before it then. */
static size_t begin_message(Text *out, int field)
{
    add_tag(out, field, WIRE_BYTES);
    return out->length;
}

static void end_message(Text *out, size_t start)
{
    unsigned char prefix[10];
    size_t length = out->length - start, count = (size_t)put_varint(prefix, length);
    text_add(out, (const char *)prefix, count); /* makes room */
    memmove(out->bytes + start + count, out->bytes + start, length);
    memcpy(out->bytes + start, prefix, count);
}

static void add_text_pair(Text *out, int field, const char *key, const char *value, size_t length)
{
    size_t pair = begin_message(out, field);
    add_string(out, 1, key);
    size_t any = begin_message(out, 2);
    add_bytes(out, 1, value, length);
    end_message(out, any);
    end_message(out, pair);
}

static void add_attribute(Text *out, const TraceSpan *span, const Attribute *attribute)
{
    if (attribute->kind == ATTRIBUTE_TEXT) {
        add_text_pair(out, 9, attribute->key, span->text + attribute->text.at, attribute->text.length);
        return;
    }
    size_t pair = begin_message(out, 9);
    add_string(out, 1, attribute->key);
    size_t any = begin_message(out, 2);
    if (attribute->kind == ATTRIBUTE_FLAG)
        add_number(out, 2, attribute->flag);
    else
        add_number(out, 3, (uint64_t)attribute->number);
    end_message(out, any);
    end_message(out, pair);
}

static void add_span(Text *out, const TraceSpan *span)
{
    size_t message = begin_message(out, 2);
    add_bytes(out, 1, span->context.trace_id, 16);
    add_bytes(out, 2, span->context.span_id, 8);
    if (span->state.length)
        add_bytes(out, 3, span->text + span->state.at, span->state.length);
    if (span->parent.valid)
        add_bytes(out, 4, span->parent.span_id, 8);
    add_bytes(out, 5, span->text + span->name.at, span->name.length);
    add_number(out, 6, span->kind);
    add_fixed(out, 7, (uint64_t)span->start_ns, 8);
    add_fixed(out, 8, (uint64_t)span->end_ns, 8);
    for (int i = 0; i < span->attribute_count; i++)
        add_attribute(out, span, &span->attributes[i]);
    if (span->dropped_attributes)
        add_number(out, 10, (uint64_t)span->dropped_attributes);
    for (int i = 0; i < span->link_count; i++) {
        size_t link = begin_message(out, 13);
        add_bytes(out, 1, span->links[i].trace_id, 16);
        add_bytes(out, 2, span->links[i].span_id, 8);
        add_fixed(out, 6, flags_of(&span->links[i], true, span->links[i].remote), 4);
        end_message(out, link);
    }
    if (span->failed) {
        size_t status = begin_message(out, 15);
        if (span->message.length)
            add_bytes(out, 2, span->text + span->message.at, span->message.length);
        add_number(out, 3, 2);
        end_message(out, status);
    }
    add_fixed(out, 16, flags_of(&span->context, span->parent.valid, span->parent.remote), 4);
    end_message(out, message);
}

void otlp_protobuf(const TracerSettings *settings, const char *version, TraceSpan *const *spans, int count, Text *out)
{
    size_t resource_spans = begin_message(out, 1), resource = begin_message(out, 1);
    for (int i = 0; i < settings->resource.count; i++)
        add_text_pair(out, 1, settings->resource.items[i].key, settings->resource.items[i].value, strlen(settings->resource.items[i].value));
    end_message(out, resource);
    size_t scope_spans = begin_message(out, 2), scope = begin_message(out, 1);
    add_string(out, 1, SCOPE);
    if (version)
        add_string(out, 2, version);
    end_message(out, scope);
    for (int i = 0; i < count; i++)
        add_span(out, spans[i]);
    end_message(out, scope_spans);
    end_message(out, resource_spans);
}

/* ---- JSON: numbers of 64 bits are texts, identifiers hexadecimal ---- */

static void json_text(Text *out, const char *name, const char *value, size_t length)
{
    text_printf(out, "\"%s\":", name);
    text_add_json_string(out, value, length);
}

static void json_id(Text *out, const char *name, const unsigned char *bytes, int length)
{
    text_printf(out, "\"%s\":\"", name);
    for (int i = 0; i < length; i++)
        text_printf(out, "%02x", bytes[i]);
    text_add_char(out, '"');
}

static void json_text_pair(Text *out, const char *key, const char *value, size_t length)
{
    text_add_char(out, '{');
    json_text(out, "key", key, strlen(key));
    text_add_c(out, ",\"value\":{");
    json_text(out, "stringValue", value, length);
    text_add_c(out, "}}");
}

static void json_attribute(Text *out, const TraceSpan *span, const Attribute *attribute)
{
    if (attribute->kind == ATTRIBUTE_TEXT) {
        json_text_pair(out, attribute->key, span->text + attribute->text.at, attribute->text.length);
        return;
    }
    text_add_char(out, '{');
    json_text(out, "key", attribute->key, strlen(attribute->key));
    if (attribute->kind == ATTRIBUTE_FLAG)
        text_printf(out, ",\"value\":{\"boolValue\":%s}}", attribute->flag ? "true" : "false");
    else
        text_printf(out, ",\"value\":{\"intValue\":\"%lld\"}}", (long long)attribute->number);
}

static void json_links(Text *out, const TraceSpan *span)
{
    text_add_c(out, ",\"links\":[");
    for (int i = 0; i < span->link_count; i++) {
        text_add_c(out, i ? ",{" : "{");
        json_id(out, "traceId", span->links[i].trace_id, 16);
        text_add_char(out, ',');
        json_id(out, "spanId", span->links[i].span_id, 8);
        text_printf(out, ",\"flags\":%u}", flags_of(&span->links[i], true, span->links[i].remote));
    }
    text_add_char(out, ']');
}

static void json_span(Text *out, const TraceSpan *span)
{
    text_add_char(out, '{');
    json_id(out, "traceId", span->context.trace_id, 16);
    text_add_char(out, ',');
    json_id(out, "spanId", span->context.span_id, 8);
    text_add_char(out, ',');
    if (span->state.length) {
        json_text(out, "traceState", span->text + span->state.at, span->state.length);
        text_add_char(out, ',');
    }
    if (span->parent.valid) {
        json_id(out, "parentSpanId", span->parent.span_id, 8);
        text_add_char(out, ',');
    }
    json_text(out, "name", span->text + span->name.at, span->name.length);
    text_printf(out, ",\"kind\":%d,\"startTimeUnixNano\":\"%lld\",\"endTimeUnixNano\":\"%lld\",\"attributes\":[", (int)span->kind, (long long)span->start_ns, (long long)span->end_ns);
    for (int i = 0; i < span->attribute_count; i++) {
        if (i)
            text_add_char(out, ',');
        json_attribute(out, span, &span->attributes[i]);
    }
    text_printf(out, "],\"droppedAttributesCount\":%d", span->dropped_attributes);
    if (span->link_count)
        json_links(out, span);
    if (span->failed) {
        text_add_c(out, ",\"status\":{");
        json_text(out, "message", span->text + span->message.at, span->message.length);
        text_add_c(out, ",\"code\":2}");
    }
    text_printf(out, ",\"flags\":%u}", flags_of(&span->context, span->parent.valid, span->parent.remote));
}

void otlp_json(const TracerSettings *settings, const char *version, TraceSpan *const *spans, int count, Text *out)
{
    text_add_c(out, "{\"resourceSpans\":[{\"resource\":{\"attributes\":[");
    for (int i = 0; i < settings->resource.count; i++) {
        if (i)
            text_add_char(out, ',');
        json_text_pair(out, settings->resource.items[i].key, settings->resource.items[i].value, strlen(settings->resource.items[i].value));
    }
    text_add_c(out, "]},\"scopeSpans\":[{\"scope\":{\"name\":\"" SCOPE "\"");
    if (version) {
        text_add_char(out, ',');
        json_text(out, "version", version, strlen(version));
    }
    text_add_c(out, "},\"spans\":[");
    for (int i = 0; i < count; i++) {
        if (i)
            text_add_char(out, ',');
        json_span(out, spans[i]);
    }
    text_add_c(out, "]}]}]}");
}

/* ---- answers ---- */

/* A varint; false: there is none. */
static bool read_varint(const unsigned char **at, const unsigned char *end, uint64_t *value)
{
    *value = 0;
    for (int shift = 0; *at < end && shift < 64; shift += 7) {
        unsigned char byte = *(*at)++;
        *value |= (uint64_t)(byte & 127) << shift;
        if (byte < 128)
            return true;
    }
    return false;
}

/* The value of a field in a message: *number of bytes from *bytes on, or a number. False: it has none of that kind, or is no message. */
static bool find_field(const unsigned char *at, const unsigned char *end, uint64_t wanted, int wire, uint64_t *number, const unsigned char **bytes)
{
    uint64_t tag, value;
    while (at < end && read_varint(&at, end, &tag)) {
        uint64_t skipped = 0;
        switch (tag & 7) {
        case WIRE_VARINT:
            if (!read_varint(&at, end, &value))
                return false;
            break;
        case WIRE_BYTES:
            if (!read_varint(&at, end, &value) || value > (uint64_t)(end - at))
                return false;
            skipped = value;
            break;
        case WIRE_FIXED64: skipped = value = 8; break;
        case WIRE_FIXED32: skipped = value = 4; break;
        default: return false;
        }
        if (skipped > (uint64_t)(end - at))
            return false;
        if (tag >> 3 == wanted && (int)(tag & 7) == wire) {
            *number = value;
            *bytes = at;
            return true;
        }
        at += skipped;
    }
    return false;
}

static int64_t rejected_in_json(const char *body, size_t length)
{
    json_t *answer = json_loadb(body, length, 0, NULL), *count = json_object_get(json_object_get(answer, "partialSuccess"), "rejectedSpans");
    int64_t rejected = json_is_integer(count) ? json_integer_value(count) : json_is_string(count) ? strtoll(json_string_value(count), NULL, 10) : 0;
    json_decref(answer);
    return rejected;
}

int64_t otlp_rejected(bool json, const char *body, size_t length)
{
    const unsigned char *at = (const unsigned char *)body, *partial = NULL, *unused;
    uint64_t size = 0, count = 0;
    int64_t rejected = 0;
    if (json)
        rejected = rejected_in_json(body, length);
    else if (find_field(at, at + length, 1, WIRE_BYTES, &size, &partial) && find_field(partial, partial + size, 1, WIRE_VARINT, &count, &unused))
        rejected = (int64_t)count;
    return rejected > 0 ? rejected : 0;
}
