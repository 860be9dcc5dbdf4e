/* engine/render.c: errors as people read them: place, line, caret, hint. */
#include "engine/bidsql.h"
#include "parser/parser.h"

#include <ctype.h>
#include <stdio.h>
#include <strings.h>

#define LINE_SHOWN 160 /* bytes of a very long line */

/* ---- secrets ---- */

/* Properties whose values stand in no message. */
static bool names_secret(const char *name, size_t length)
{
    static const char *const ends[] = { "password", "key.pem", "user.info", "secret", "token" };
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        size_t end = strlen(ends[i]);
        if (length >= end && strncasecmp(name + length - end, ends[i], end) == 0)
            return true;
    }
    return false;
}

/* The end of the text that begins with the quote at `at`: behind its last quote, or the line's end. */
static size_t text_end(const char *line, size_t length, size_t at)
{
    for (at++; at < length; at++)
        if (line[at] == '\'' && !(at + 1 < length && line[at + 1] == '\''))
            return at + 1;
        else if (line[at] == '\'')
            at++;
    return length;
}

/* In 'name' = 'value' with the name of a secret, the value becomes stars: as many as it has bytes, so that places stay. */
static void hide_secrets(char *line, size_t length)
{
    for (size_t at = 0; at < length;) {
        size_t begin = at;
        bool quoted = line[at] == '\'', word = isalnum((unsigned char)line[at]) || line[at] == '_';
        if (quoted)
            at = text_end(line, length, at);
        while (word && at < length && (isalnum((unsigned char)line[at]) || line[at] == '_' || line[at] == '.'))
            at++;
        if (!quoted && !word) {
            at++;
            continue;
        }
        size_t value = at + strspn(line + at, " \t");
        bool secret = names_secret(line + begin + quoted, at - begin - (quoted ? 2 : 0)) && value < length && line[value] == '=';
        value += secret ? 1 + strspn(line + value + 1, " \t") : 0;
        if (!secret || value >= length || line[value] != '\'')
            continue;
        at = text_end(line, length, value);
        memset(line + value + 1, '*', at - value - 1 - (line[at - 1] == '\''));
    }
}

/* ---- one error ---- */

static void add_excerpt(const TextPlace *place, size_t before, const Error *error, bool color, Text *out)
{
    size_t first = before > LINE_SHOWN / 2 && place->line_length > LINE_SHOWN ? before - LINE_SHOWN / 2 : 0;
    while (first > 0 && ((unsigned char)place->line_text[first] & 0xC0) == 0x80)
        first--;
    size_t shown = place->line_length - first < LINE_SHOWN ? place->line_length - first : LINE_SHOWN;
    char number[16];
    int number_width = snprintf(number, sizeof number, "%d", place->line);
    text_printf(out, "  %s | ", number);
    if (first)
        text_add_c(out, "..");
    for (size_t i = 0; i < shown; i++) {
        char c = place->line_text[first + i];
        text_add_char(out, c == '\t' ? ' ' : c);
    }
    text_printf(out, "\n  %*s | %s", number_width, "", first ? "  " : "");
    for (size_t i = first; i < before && i < first + shown; i++)
        if (((unsigned char)place->line_text[i] & 0xC0) != 0x80)
            text_add_char(out, ' ');
    size_t line_rest = before < place->line_length ? place->line_length - before : 0;
    size_t marked = error->at.length < line_rest ? error->at.length : line_rest;
    if (before - first + marked > shown)
        marked = before - first < shown ? shown - (before - first) : 0;
    text_add_c(out, color ? "\033[31m^" : "^");
    for (size_t i = 1; i < marked; i++)
        if (((unsigned char)place->line_text[before + i] & 0xC0) != 0x80)
            text_add_char(out, '~');
    text_add_c(out, color ? "\033[0m" : "");
    if (error->hint)
        text_printf(out, " %s", error->hint);
    text_add_char(out, '\n');
}

static void add_one(const Error *error, const char *file_name, const char *text, size_t length, bool color, Text *out)
{
    const char *red = color ? "\033[1;31m" : "", *plain = color ? "\033[0m" : "";
    bool placed = error->at.length > 0 && error->at.start <= length;
    TextPlace place = { 0 };
    Text line = { 0 };
    MEMORY_HOLD(text_unwind, &line);
    size_t before = 0;
    if (placed) {
        place = text_place(text, length, error->at.start);
        before = (size_t)(text + error->at.start - place.line_text); /* bytes before the place */
        text_add(&line, place.line_text, place.line_length);
        place.line_text = text_c(&line);
        hide_secrets(line.bytes, line.length);
        text_printf(out, "%s:%d:%d: ", file_name, place.line, place.column);
    } else {
        text_add_c(out, "bidsql: ");
    }
    text_printf(out, "%serror:%s %s\n", red, plain, error->message);
    if (placed)
        add_excerpt(&place, before, error, color, out);
    else if (error->hint)
        text_printf(out, "  %s\n", error->hint);
    text_release(&line);
}

void error_render(const Error *error, const char *file_name, const char *text, size_t length, bool color, Text *out)
{
    for (; error; error = error->next)
        add_one(error, file_name, text, length, color, out);
}
