/* functions/json_reader.c: walking through JSON texts that stand in columns. */
#include "functions/json_reader.h"

#include "common/memory.h"
#include "common/value_text.h"

/* ---- well-formed or not ---- */

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r'))
        at++;
    return at;
}

static int hex_value(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Behind the closing quote; `at` is behind the opening one. NULL: it is no string. */
static const char *string_end(const char *at, const char *end)
{
    while (at < end) {
        unsigned char c = (unsigned char)*at++;
        if (c == '"')
            return at;
        if (c < 0x20)
            return NULL;
        if (c != '\\')
            continue;
        if (at == end)
            return NULL;
        c = (unsigned char)*at++;
        if (c == 'u') {
            for (int i = 0; i < 4; i++)
                if (at == end || hex_value(*at++) < 0)
                    return NULL;
        } else if (!strchr("\"\\/bfnrt", c) || !c) {
            return NULL;
        }
    }
    return NULL;
}

static const char *digits_end(const char *at, const char *end)
{
    const char *start = at;
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return at > start ? at : NULL;
}

static const char *number_end(const char *at, const char *end)
{
    at += at < end && *at == '-';
    if (at < end && *at == '0')
        at++;
    else if (!(at = digits_end(at, end)))
        return NULL;
    if (at < end && *at == '.' && !(at = digits_end(at + 1, end)))
        return NULL;
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        at += at < end && (*at == '+' || *at == '-');
        return digits_end(at, end);
    }
    return at;
}

static const char *word_end(const char *at, const char *end, const char *word)
{
    size_t length = strlen(word);
    return (size_t)(end - at) >= length && memcmp(at, word, length) == 0 ? at + length : NULL;
}

static const char *scalar_end(const char *at, const char *end)
{
    switch (*at) {
    case '"': return string_end(at + 1, end);
    case 't': return word_end(at, end, "true");
    case 'f': return word_end(at, end, "false");
    case 'n': return word_end(at, end, "null");
    default: return number_end(at, end);
    }
}

/* Behind a key and its colon, where the value begins; NULL: there is no key. */
static const char *key_end(const char *at, const char *end)
{
    if (at == end || *at != '"' || !(at = string_end(at + 1, end)))
        return NULL;
    at = skip_blanks(at, end);
    return at < end && *at == ':' ? skip_blanks(at + 1, end) : NULL;
}

/* Behind the value that begins at `at`; NULL: it is not well-formed. Without recursion: `objects` remembers what is open. */
static const char *value_end(const char *at, const char *end)
{
    bool objects[JSON_DEPTH_MAX];
    int depth = 0;
    for (;;) {
        if (at == end)
            return NULL;
        bool opens = *at == '{' || *at == '[';
        if (opens) {
            bool object = *at == '{';
            at = skip_blanks(at + 1, end);
            if (depth == JSON_DEPTH_MAX || at == end)
                return NULL;
            objects[depth++] = object;
            if (*at != (object ? '}' : ']')) {
                if (object && !(at = key_end(at, end)))
                    return NULL;
                continue; /* with its first value */
            }
        } else if (!(at = scalar_end(at, end))) {
            return NULL;
        }
        for (;;) { /* what ends here, too */
            if (depth == 0)
                return at;
            at = skip_blanks(at, end);
            if (at == end)
                return NULL;
            bool object = objects[depth - 1];
            if (*at == ',') {
                at = skip_blanks(at + 1, end);
                if (object && !(at = key_end(at, end)))
                    return NULL;
                break;
            }
            if (*at != (object ? '}' : ']'))
                return NULL;
            at++;
            depth--;
        }
    }
}

bool json_span_read(const Str *text, JsonSpan *value, bool *whole)
{
    const char *bytes = str_bytes(text), *end = bytes + text->length;
    value->at = skip_blanks(bytes, end);
    value->end = value_end(value->at, end);
    *whole = value->end && skip_blanks(value->end, end) == end;
    return value->end != NULL;
}

/* ---- parts ---- */

JsonWalk json_walk(JsonSpan value)
{
    return (JsonWalk){ skip_blanks(value.at + 1, value.end), value.end, json_is_object(value) };
}

bool json_next(JsonWalk *walk, JsonSpan *key, JsonSpan *value)
{
    if (*walk->at == '}' || *walk->at == ']')
        return false;
    if (walk->object) {
        const char *closed = string_end(walk->at + 1, walk->end);
        if (key)
            *key = (JsonSpan){ walk->at, closed };
        walk->at = key_end(walk->at, walk->end);
    }
    *value = (JsonSpan){ walk->at, value_end(walk->at, walk->end) };
    walk->at = skip_blanks(value->end, walk->end);
    if (*walk->at == ',')
        walk->at = skip_blanks(walk->at + 1, walk->end);
    return true;
}

/* ---- strings ---- */

static void add_code_point(Text *text, uint32_t point)
{
    if (point < 0x80) {
        text_add_char(text, (char)point);
        return;
    }
    char bytes[4];
    size_t length = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    static const unsigned char leads[] = { 0, 0, 0xC0, 0xE0, 0xF0 };
    for (size_t i = length; --i > 0; point >>= 6)
        bytes[i] = (char)(0x80 | (point & 0x3F));
    bytes[0] = (char)(leads[length] | point);
    text_add(text, bytes, length);
}

static uint32_t four_digits(const char *at)
{
    uint32_t unit = 0;
    for (int i = 0; i < 4; i++)
        unit = unit << 4 | (uint32_t)hex_value(at[i]);
    return unit;
}

/* `at` is behind \u; returns where the escape, or the pair of them, ends. */
static const char *add_unicode_escape(Text *text, const char *at, const char *end)
{
    uint32_t point = four_digits(at);
    at += 4;
    if (point >= 0xD800 && point < 0xE000) {
        uint32_t low = point < 0xDC00 && end - at > 6 && at[0] == '\\' && at[1] == 'u' ? four_digits(at + 2) : 0;
        bool pair = low >= 0xDC00 && low < 0xE000;
        point = pair ? 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00) : 0xFFFD;
        at += pair ? 6 : 0;
    }
    add_code_point(text, point);
    return at;
}

void json_span_unescape(JsonSpan string, Text *text)
{
    const char *at = string.at + 1, *end = string.end - 1;
    while (at < end) {
        const char *escape = memchr(at, '\\', (size_t)(end - at));
        text_add(text, at, (size_t)((escape ? escape : end) - at));
        if (!escape)
            return;
        at = escape + 2;
        switch (escape[1]) {
        case 'b': text_add_char(text, '\b'); break;
        case 'f': text_add_char(text, '\f'); break;
        case 'n': text_add_char(text, '\n'); break;
        case 'r': text_add_char(text, '\r'); break;
        case 't': text_add_char(text, '\t'); break;
        case 'u': at = add_unicode_escape(text, at, string.end); break;
        default: text_add_char(text, escape[1]);
        }
    }
}

bool json_span_is_text(JsonSpan string, const char *bytes, size_t length)
{
    size_t raw = (size_t)(string.end - string.at) - 2;
    if (!memchr(string.at + 1, '\\', raw))
        return raw == length && memcmp(string.at + 1, bytes, length) == 0;
    if (raw < length)
        return false;
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    json_span_unescape(string, &text);
    bool same = text.length == length && memcmp(text_c(&text), bytes, length) == 0;
    text_release(&text);
    return same;
}

void json_span_compact(JsonSpan value, Text *text)
{
    Text string = { 0 };
    MEMORY_HOLD(text_unwind, &string);
    for (const char *at = value.at; at < value.end;) {
        if (*at == '"') {
            const char *end = string_end(at + 1, value.end);
            string.length = 0;
            json_span_unescape((JsonSpan){ at, end }, &string);
            text_add_json_string(text, text_c(&string), string.length);
            at = end;
            continue;
        }
        if (*at != ' ' && *at != '\t' && *at != '\n' && *at != '\r')
            text_add_char(text, *at);
        at++;
    }
    text_release(&string);
}
