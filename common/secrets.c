/* common/secrets.c: finding secrets in SQL.
 *
 * It looks at text and not at trees: statements are also shown as they were written, and mistakes in what does not parse. A secret is the literal behind
 * `name =`, with or without quotes around the name; comments are read, too, as hints and settings that somebody has taken out stand there. */
#include "common/secrets.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "common/str.h"

#define SHOWN "*****"

static bool ends_with(const char *name, size_t length, const char *end)
{
    size_t size = strlen(end);
    return length >= size && strncasecmp(name + length - size, end, size) == 0;
}

static bool contains(const char *name, size_t length, const char *part)
{
    for (size_t at = 0, size = strlen(part); at + size <= length; at++)
        if (strncasecmp(name + at, part, size) == 0)
            return true;
    return false;
}

bool secret_is_name(const char *name, size_t length)
{
    static const char *const ends[] = { "secret", "token", "passphrase", "pwd", "credentials", "user.info", "user_info", "key.pem", "keystore.key", "api.key", "api_key",
                                        "access.key", "access_key", "private.key", "private_key", "secret.key", "secret_key" };
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (ends_with(name, length, ends[i]))
            return true;
    return contains(name, length, "passw") || contains(name, length, "jaas");
}

/* ---- the text, piece by piece ---- */

/* The end of what begins with a quote at `at`: behind its last quote, or the text's end. */
static size_t quoted_end(const char *text, size_t length, size_t at)
{
    char quote = text[at];
    for (at++; at < length; at++)
        if (text[at] == quote && !(at + 1 < length && text[at + 1] == quote))
            return at + 1;
        else if (text[at] == quote)
            at++;
    return length;
}

/* The end of the comment that begins at `at`; `at` if none does. */
static size_t comment_end(const char *text, size_t length, size_t at)
{
    const char *end = NULL;
    if (at + 1 >= length || (strncmp(text + at, "--", 2) != 0 && strncmp(text + at, "/*", 2) != 0))
        return at;
    if (text[at] == '-')
        end = memchr(text + at, '\n', length - at);
    else if ((end = memmem(text + at + 2, length - at - 2, "*/", 2)))
        end += 2;
    return end ? (size_t)(end - text) : length;
}

static size_t skip_blanks(const char *text, size_t length, size_t at)
{
    for (size_t end; at < length; at = end) {
        end = comment_end(text, length, at);
        if (end == at && !isspace((unsigned char)text[at]))
            break;
        end += end == at;
    }
    return at;
}

static bool in_word(char c) { return isalnum((unsigned char)c) || c == '_' || c == '.' || (unsigned char)c >= 0x80; }

static bool is_reference(const char *value, size_t length) { return length > 3 && value[0] == '$' && value[1] == '{' && value[length - 1] == '}'; }

/* The password in 'scheme://user:password@host'; false: there is none. */
static bool url_password(const char *text, size_t length, size_t *start, size_t *end)
{
    const char *host = memmem(text, length, "://", 3);
    if (!host)
        return false;
    size_t from = (size_t)(host - text) + 3, colon = 0, at = from;
    for (; at < length && !strchr("/?# \n", text[at]) && text[at] != '@'; at++)
        if (text[at] == ':' && !colon)
            colon = at + 1;
    *start = colon;
    *end = at;
    return colon && at < length && text[at] == '@';
}

/* What becomes of the bytes [start, end) of the text, a secret. */
typedef void (*Cover)(void *caller, size_t start, size_t end);

/* The value at `at`, behind the name of a secret. Returns its end. */
static size_t cover_value(const char *text, size_t length, size_t at, bool loose, Cover cover, void *caller)
{
    if (at < length && text[at] == '\'') {
        size_t end = quoted_end(text, length, at), inner = end - (end > at + 1 && text[end - 1] == '\'');
        if (inner > at + 1 && !is_reference(text + at + 1, inner - at - 1))
            cover(caller, at + 1, inner);
        return end;
    }
    size_t end = at;
    while (loose && end < length && in_word(text[end]))
        end++;
    if (end > at)
        cover(caller, at, end);
    return end;
}

static void find_secrets(const char *text, size_t from, size_t length, Cover cover, void *caller)
{
    for (size_t at = from; at < length;) {
        size_t begin = at, end = comment_end(text, length, at), start, stop;
        if (end > at) {
            find_secrets(text, at + 2, end, cover, caller);
            at = end;
            continue;
        }
        bool quoted = text[at] == '\'' || text[at] == '"' || text[at] == '`', text_literal = text[at] == '\'';
        if (quoted)
            at = quoted_end(text, length, at);
        while (!quoted && at < length && in_word(text[at]))
            at++;
        if (at == begin) {
            at++;
            continue;
        }
        size_t name = begin + quoted, name_length = at - begin - (quoted && at > begin + 1 ? 2 : quoted);
        size_t next = skip_blanks(text, length, at);
        bool set = next < length && text[next] == '=';
        bool secret = secret_is_name(text + name, name_length) || (text_literal && ends_with(text + name, name_length, ".key"));
        if (set)
            next = skip_blanks(text, length, next + 1);
        if (secret && (set || text_literal)) /* 'name' 'value': a mistake, and a secret all the same */
            at = cover_value(text, length, next, set && text_literal, cover, caller);
        else if (text_literal && url_password(text + name, name_length, &start, &stop))
            cover(caller, name + start, name + stop);
        at = at > begin ? at : begin + 1;
    }
}

/* ---- covering ---- */

static void put_stars(void *caller, size_t start, size_t end)
{
    char *text = caller;
    for (size_t at = start; at < end; at++)
        if (text[at] != '\n' && text[at] != '\r')
            text[at] = '*';
}

void secrets_cover(char *sql, size_t length) { find_secrets(sql, 0, length, put_stars, sql); }

typedef struct Shown {
    const char *sql;
    size_t done;      /* bytes of it that are copied or covered */
    Text text;
} Shown;

static void put_mark(void *caller, size_t start, size_t end)
{
    Shown *shown = caller;
    text_add(&shown->text, shown->sql + shown->done, start - shown->done);
    text_add_c(&shown->text, SHOWN);
    shown->done = end;
}

const char *secrets_shown(Arena *arena, const char *sql, size_t length)
{
    Shown shown = { .sql = sql };
    MEMORY_HOLD(text_unwind, &shown.text);
    find_secrets(sql, 0, length, put_mark, &shown);
    text_add(&shown.text, sql + shown.done, length - shown.done);
    const char *copy = arena_strndup(arena, shown.text.bytes ? shown.text.bytes : "", shown.text.length);
    text_release(&shown.text);
    return copy;
}

const char *secret_value_shown(Arena *arena, const char *name, const char *value)
{
    size_t length = strlen(value), start, end;
    if (length && secret_is_name(name, strlen(name)) && !is_reference(value, length))
        return SHOWN;
    if (!url_password(value, length, &start, &end))
        return value;
    return arena_printf(arena, "%.*s" SHOWN "%s", (int)start, value, value + end);
}
