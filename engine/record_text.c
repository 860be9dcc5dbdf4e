/* engine/record_text.c: see record_text.h. */
#include "engine/record_text.h"

#include <endian.h>
#include <string.h>

#include "common/value.h"
#include "common/value_text.h"
#include "functions/json_reader.h"

static const char *const format_names[] = { "AVRO", "PROTOBUF", "JSON", "JSON_SR", "KAFKA_INT", "KAFKA_BIGINT", "KAFKA_DOUBLE", "KAFKA_STRING", "UNRECOGNIZED_BYTES" };
static const char *const window_names[] = { "SESSION", "HOPPING", "TUMBLING", NULL };
static const size_t window_bytes[] = { 16, 8, 8, 0 };

void record_text_init(RecordText *text, bool key, RecordSchemas *schemas)
{
    *text = (RecordText){ .key = key, .schemas = schemas };
    for (int format = 0; format < TEXT_FORMATS; format++)
        for (int window = 0; window < TEXT_WINDOWS; window++)
            text->possible[format][window] = window == TEXT_UNWINDOWED || (key && format != TEXT_BYTES);
}

/* ---- one format ---- */

static int64_t big_endian(const char *bytes, size_t length)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < length; i++)
        bits = bits << 8 | (unsigned char)bytes[i];
    return length == 4 ? (int32_t)(uint32_t)bits : (int64_t)bits;
}

static void add_double(const char *bytes, Text *out)
{
    const int64_t bits = big_endian(bytes, 8);
    Value value = { .type = type_scalar(TYPE_DOUBLE) };
    memcpy(&value.number, &bits, sizeof value.number);
    value_print(&value, out);
}

static bool is_json(const char *bytes, size_t length)
{
    const Str text = str_view(bytes, length);
    JsonSpan value;
    bool whole = false;
    return json_span_read(&text, &value, &whole) && whole;
}

static void add_escaped(const char *bytes, size_t length, Text *out)
{
    for (size_t i = 0; i < length; i++) {
        const unsigned char byte = (unsigned char)bytes[i];
        if (byte >= ' ' && byte < 0x7f && byte != '\\')
            text_add_char(out, (char)byte);
        else
            text_printf(out, "\\x%02X", byte);
    }
}

/* False: the bytes are no such record. */
static bool add_as(const RecordText *text, TextFormat format, const char *bytes, size_t length, Text *out)
{
    switch (format) {
    case TEXT_AVRO: return record_schemas_add(text->schemas, "AVRO", text->key, bytes, length, out);
    case TEXT_PROTOBUF: return record_schemas_add(text->schemas, "PROTOBUF", text->key, bytes, length, out);
    case TEXT_JSON_SR: return record_schemas_add(text->schemas, "JSON", text->key, bytes, length, out);
    case TEXT_JSON:
    case TEXT_KAFKA_STRING:
        if (length == 0 || utf8_valid_prefix(bytes, length) != length || (format == TEXT_JSON && !is_json(bytes, length)))
            return false;
        text_add_cell(out, bytes, length); /* on one line, and nothing that steers a terminal */
        return true;
    case TEXT_KAFKA_INT:
    case TEXT_KAFKA_BIGINT:
        if (length != (format == TEXT_KAFKA_INT ? 4 : 8))
            return false;
        text_printf(out, "%lld", (long long)big_endian(bytes, length));
        return true;
    case TEXT_KAFKA_DOUBLE:
        if (length == 8)
            add_double(bytes, out);
        return length == 8;
    case TEXT_BYTES: add_escaped(bytes, length, out); return true;
    case TEXT_FORMATS: break;
    }
    return false;
}

/* Milliseconds that a window may begin or end at: up to the year 9999. Eight characters of a text are far beyond. */
static bool is_bound(int64_t ms) { return ms >= 0 && ms <= 253402300799999; }

/* A windowed key ends in its window: see KeyWindow. The end of a window of fixed size is not in it. */
static bool add_windowed(const RecordText *text, TextFormat format, TextWindow window, const char *bytes, size_t length, Text *out)
{
    const size_t behind = window_bytes[window], before = out->length;
    if (window == TEXT_UNWINDOWED)
        return add_as(text, format, bytes, length, out);
    if (length < behind)
        return false;
    const char *at = bytes + length - behind;
    const int64_t start_ms = big_endian(at + behind - 8, 8), end_ms = big_endian(at, 8); /* of a session: its end, then its start */
    if (!is_bound(start_ms) || !is_bound(end_ms) || end_ms < start_ms)
        return false;
    text_add_char(out, '[');
    if (!add_as(text, format, bytes, length - behind, out)) {
        out->length = before;
        return false;
    }
    text_printf(out, "@%lld/", (long long)start_ms);
    if (window == TEXT_SESSION)
        text_printf(out, "%lld]", (long long)end_ms);
    else
        text_add_c(out, "-]");
    return true;
}

/* ---- all of them ---- */

void record_text_add(RecordText *text, const char *bytes, size_t length, Text *out)
{
    bool shown = false;
    if (!bytes) {
        text_add_c(out, "<null>");
        return;
    }
    text->seen = true;
    for (int format = 0; format < TEXT_FORMATS; format++)
        for (int window = 0; window < TEXT_WINDOWS; window++) {
            const size_t before = out->length;
            bool *possible = &text->possible[format][window];
            *possible = *possible && add_windowed(text, (TextFormat)format, (TextWindow)window, bytes, length, out);
            if (shown)
                out->length = before;
            shown |= *possible;
        }
}

void record_text_formats(const RecordText *text, Text *out)
{
    int count = 0;
    if (!text->seen) {
        text_add_c(out, "¯\\_(ツ)_/¯ - no data processed");
        return;
    }
    for (int format = 0; format < TEXT_BYTES; format++)
        for (int window = 0; window < TEXT_WINDOWS; window++) {
            if (!text->possible[format][window])
                continue;
            text_add_c(out, count++ ? " or " : "");
            if (window == TEXT_UNWINDOWED)
                text_add_c(out, format_names[format]);
            else
                text_printf(out, "%s(%s)", window_names[window], format_names[format]);
        }
    if (count == 0)
        text_add_c(out, "does not match any supported format. It may be text of another encoding than UTF-8, or some other format");
}
