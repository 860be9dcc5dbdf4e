/* functions/url.c: parts of URLs (RFC 3986), and the encoding of parameters (application/x-www-form-urlencoded).
 *
 * A text that can be no URL, and a part that a URL does not have, are NULL. */
#include <stddef.h>
#include "functions/functions_internal.h"

#define RESULT(out, CType) ((CType *)(out)->values)
#define ARENA(args) ((args)->evaluation->arena)

/* ---- parts ---- */

/* Bytes [at, end); at is NULL where there is no such part. */
typedef struct Part {
    const char *at, *end;
} Part;

typedef struct Url {
    Part scheme, authority, host, port, path, query, fragment;
} Url;

static bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static int hex_value(char c) { return is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1; }

/* Blanks, controls and a few signs never stand in a URL, a % only before two hex digits. */
static bool may_be_url(const char *at, const char *end)
{
    for (; at < end; at++) {
        if ((unsigned char)*at <= ' ' || *at == 0x7F || strchr("<>\"\\^`{|}", *at))
            return false;
        if (*at == '%' && (end - at < 3 || hex_value(at[1]) < 0 || hex_value(at[2]) < 0))
            return false;
    }
    return true;
}

static const char *find_char(const char *at, const char *end, char c)
{
    const char *found = at < end ? memchr(at, c, (size_t)(end - at)) : NULL;
    return found ? found : end;
}

/* name@host:port; an IPv6 address stands in brackets. */
static bool split_authority(Url *url)
{
    const char *at = url->authority.at, *end = url->authority.end;
    for (const char *sign = find_char(at, end, '@'); sign < end; sign = find_char(at, end, '@'))
        at = sign + 1;
    const char *host_end = at < end && *at == '[' ? find_char(at, end, ']') : find_char(at, end, ':');
    if (at < end && *at == '[' && host_end++ == end)
        return false;
    if (host_end < end && *host_end != ':')
        return false;
    if (host_end > at)
        url->host = (Part){ at, host_end };
    if (host_end + 1 < end)
        url->port = (Part){ host_end + 1, end };
    for (const char *digit = url->port.at; digit && digit < end; digit++)
        if (!is_digit(*digit))
            return false;
    return true;
}

/* False: the text is no URL. */
static bool url_read(const Str *text, Url *url)
{
    const char *at = str_bytes(text), *end = at + text->length;
    *url = (Url){ 0 };
    if (!may_be_url(at, end))
        return false;
    const char *colon = at;
    while (colon < end && (is_alpha(*colon) || (colon > at && (is_digit(*colon) || strchr("+-.", *colon)))))
        colon++;
    if (colon > at && colon < end && *colon == ':') {
        url->scheme = (Part){ at, colon };
        at = colon + 1;
    }
    const char *hash = find_char(at, end, '#');
    if (hash < end)
        url->fragment = (Part){ hash + 1, end };
    const char *mark = find_char(at, hash, '?');
    if (mark < hash)
        url->query = (Part){ mark + 1, hash };
    if (mark - at >= 2 && at[0] == '/' && at[1] == '/') {
        const char *slash = find_char(at + 2, mark, '/');
        url->authority = (Part){ at + 2, slash };
        at = slash;
        if (!split_authority(url))
            return false;
    } else if (url->scheme.at && at < mark && *at != '/') {
        return find_char(url->fragment.at ? url->fragment.at : end, end, '#') == end; /* mailto:a@b has no path */
    }
    url->path = (Part){ at, mark };
    return find_char(url->fragment.at ? url->fragment.at : end, end, '#') == end;
}

/* ---- percent signs ---- */

/* %C3%A9 as what it stands for; with `plus` a + is a blank. False: a % without two hex digits. */
static bool decode(Arena *arena, const char *at, const char *end, bool plus, Str *result)
{
    size_t length = (size_t)(end - at), used = 0;
    if (!memchr(at, '%', length) && !(plus && memchr(at, '+', length))) {
        *result = str_view(at, length);
        return true;
    }
    char *bytes = arena_alloc(arena, length + 1);
    while (at < end) {
        char c = *at++;
        if (c == '%') {
            if (end - at < 2 || hex_value(at[0]) < 0 || hex_value(at[1]) < 0)
                return false;
            c = (char)(hex_value(at[0]) << 4 | hex_value(at[1]));
            at += 2;
        } else if (c == '+' && plus) {
            c = ' ';
        }
        bytes[used++] = c;
    }
    *result = valid_text(arena, bytes, used);
    return true;
}

/* ---- kernels ---- */

/* `offset` is that of the Part in a Url. */
static Error *extract(const Args *args, Vector *out, size_t offset, bool decoded)
{
    for (ARGS_EACH(args, row)) {
        Url url;
        bool fine = url_read(&ARG(args, 0, Str, row), &url);
        const Part *part = (const Part *)((const char *)&url + offset);
        if (!fine || !part->at)
            args_null(args, out, row);
        else if (!decoded || !decode(ARENA(args), part->at, part->end, false, &RESULT(out, Str)[row]))
            RESULT(out, Str)[row] = str_view(part->at, (size_t)(part->end - part->at));
    }
    return NULL;
}
static Error *protocol(const Args *args, Vector *out) { return extract(args, out, offsetof(Url, scheme), false); }
static Error *host(const Args *args, Vector *out) { return extract(args, out, offsetof(Url, host), false); }
static Error *path(const Args *args, Vector *out) { return extract(args, out, offsetof(Url, path), true); }
static Error *query(const Args *args, Vector *out) { return extract(args, out, offsetof(Url, query), true); }
static Error *fragment(const Args *args, Vector *out) { return extract(args, out, offsetof(Url, fragment), true); }

static Error *port(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row)) {
        Url url;
        int64_t number = 0;
        bool fine = url_read(&ARG(args, 0, Str, row), &url) && url.port.at;
        for (const char *at = url.port.at; fine && at < url.port.end; at++) {
            number = number * 10 + (*at - '0');
            fine = number <= 65535;
        }
        if (fine)
            RESULT(out, int64_t)[row] = number;
        else
            args_null(args, out, row);
    }
    return NULL;
}

static bool text_is(Arena *arena, const char *at, const char *end, const Str *wanted)
{
    Str name;
    return decode(arena, at, end, false, &name) && str_equal(&name, wanted);
}

/* The value of a parameter; without = it is empty. */
static bool find_parameter(Arena *arena, const Part *query_part, const Str *name, Str *value)
{
    for (const char *at = query_part->at; at && at <= query_part->end;) {
        const char *end = find_char(at, query_part->end, '&'), *equals = find_char(at, end, '=');
        if (equals < end && text_is(arena, at, equals, name))
            return decode(arena, equals + 1, end, false, value);
        at = end + 1;
    }
    return false;
}

static Error *parameter(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row)) {
        Url url;
        if (!url_read(&ARG(args, 0, Str, row), &url) || !find_parameter(ARENA(args), &url.query, &ARG(args, 1, Str, row), &RESULT(out, Str)[row])) {
            RESULT(out, Str)[row] = (Str){ 0 };
            args_null(args, out, row);
        }
    }
    return NULL;
}

static bool is_word(const Str *text, const char *word) { return text->length == strlen(word) && memcmp(str_bytes(text), word, text->length) == 0; }

/* HOST, PATH.. as Flink and Hive name them, as they stand in the URL. An empty part: there is none, or no such name. */
static Part named_part(const Url *url, const Str *name)
{
    static const struct { const char *name; size_t offset; } parts[] = {
        { "HOST", offsetof(Url, host) }, { "PATH", offsetof(Url, path) }, { "QUERY", offsetof(Url, query) }, { "REF", offsetof(Url, fragment) },
        { "PROTOCOL", offsetof(Url, scheme) }, { "AUTHORITY", offsetof(Url, authority) },
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (is_word(name, parts[i].name))
            return *(const Part *)((const char *)url + parts[i].offset);
    if (is_word(name, "FILE") && url->path.at)
        return (Part){ url->path.at, url->query.at ? url->query.end : url->path.end };
    if (is_word(name, "USERINFO") && url->authority.at) {
        const char *sign = find_char(url->authority.at, url->authority.end, '@');
        return sign < url->authority.end ? (Part){ url->authority.at, sign } : (Part){ 0 };
    }
    return (Part){ 0 };
}

/* The value behind `key=` as it stands there. */
static Part raw_parameter(const Part *query_part, const Str *key)
{
    for (const char *at = query_part->at; at && at < query_part->end;) {
        const char *end = find_char(at, query_part->end, '&'), *equals = find_char(at, end, '=');
        if (equals < end && (size_t)(equals - at) == key->length && memcmp(at, str_bytes(key), key->length) == 0)
            return (Part){ equals + 1, end };
        at = end + 1;
    }
    return (Part){ 0 };
}

static Error *parse_url(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row)) {
        const Str *name = &ARG(args, 1, Str, row);
        Url url;
        Part part = { 0 };
        if (url_read(&ARG(args, 0, Str, row), &url) && (args->arg_count == 2 || is_word(name, "QUERY")))
            part = args->arg_count == 2 ? named_part(&url, name) : raw_parameter(&url.query, &ARG(args, 2, Str, row));
        RESULT(out, Str)[row] = part.at ? str_view(part.at, (size_t)(part.end - part.at)) : (Str){ 0 };
        if (!part.at)
            args_null(args, out, row);
    }
    return NULL;
}

static Error *encode_param(const Args *args, Vector *out)
{
    static const char digits[] = "0123456789ABCDEF";
    for (ARGS_EACH(args, row)) {
        const Str *text = &ARG(args, 0, Str, row);
        char *bytes = arena_alloc(ARENA(args), (size_t)text->length * 3 + 1), *to = bytes;
        for (uint32_t i = 0; i < text->length; i++) {
            char c = str_bytes(text)[i];
            if (is_alpha(c) || is_digit(c) || c == '.' || c == '-' || c == '*' || c == '_') {
                *to++ = c;
            } else if (c == ' ') {
                *to++ = '+';
            } else {
                *to++ = '%';
                *to++ = digits[(unsigned char)c >> 4];
                *to++ = digits[c & 15];
            }
        }
        RESULT(out, Str)[row] = str_view(bytes, (size_t)(to - bytes));
    }
    return NULL;
}

static Error *decode_param(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row)) {
        const Str *text = &ARG(args, 0, Str, row);
        if (!decode(ARENA(args), str_bytes(text), str_bytes(text) + text->length, true, &RESULT(out, Str)[row]))
            args_fail(args, out, row, "a '%%' without two hexadecimal digits behind it");
    }
    return NULL;
}

#define V TYPE_VARCHAR
#define ALIASES(...) (const char *const[]){ __VA_ARGS__, NULL }
#define URL .category = "url"

const ScalarFunction url_functions[] = {
    { "url_extract_protocol", { V }, V, protocol, URL, .doc = "The protocol of a URL.", .example = "url_extract_protocol('http://a.com/b')", .yields = "http" },
    { "url_extract_host", { V }, V, host, URL, .doc = "The host of a URL.", .example = "url_extract_host('http://me@a.com:8080/b')", .yields = "a.com" },
    { "url_extract_port", { V }, TYPE_BIGINT, port, URL, .doc = "The port that a URL names.", .example = "url_extract_port('http://a.com:8080/b')", .yields = "8080" },
    { "url_extract_path", { V }, V, path, URL, .doc = "The path of a URL, decoded; empty where the URL ends with the host.", .example = "url_extract_path('http://a.com/b/c?d=e')", .yields = "/b/c" },
    { "url_extract_query", { V }, V, query, URL, .doc = "What stands behind the question mark, decoded.", .example = "url_extract_query('http://a.com/b?c=d&e=f#g')", .yields = "c=d&e=f" },
    { "url_extract_parameter", { V, V }, V, parameter, URL, .doc = "The value of a parameter in the query, decoded.", .example = "url_extract_parameter('http://a.com/?b=1&c=%C3%A9', 'c')", .yields = "é" },
    { "url_extract_fragment", { V }, V, fragment, URL, .doc = "What stands behind the #, decoded.", .example = "url_extract_fragment('http://a.com/b#c')", .yields = "c" },
    { "parse_url", { V, V }, V, parse_url, URL, .doc = "A part of a URL as it stands there (Flink): HOST, PATH, QUERY, REF, PROTOCOL, AUTHORITY, FILE or USERINFO.",
      .example = "parse_url('http://a.com/b?c=d#e', 'FILE')", .yields = "/b?c=d" },
    { "parse_url", { V, V, V }, V, parse_url, URL, .doc = "With QUERY and the name of a parameter its value, as it stands there.", .example = "parse_url('http://a.com/b?c=d&e=f', 'QUERY', 'e')", .yields = "f" },
    { "url_encode_param", { V }, V, encode_param, .aliases = ALIASES("url_encode"), URL, .doc = "The text as it may stand in a URL's parameter.", .example = "url_encode_param('a b&c')", .yields = "a+b%26c" },
    { "url_decode_param", { V }, V, decode_param, .aliases = ALIASES("url_decode"), .can_fail = true, URL, .doc = "What an encoded parameter stands for.", .example = "url_decode_param('a+b%26c')", .yields = "a b&c" },
    { .name = NULL },
};
