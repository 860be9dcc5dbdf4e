/* engine/render.c: errors as people read them: place, line, caret, hint. */
#include "engine/bidsql.h"
#include "common/secrets.h"
#include "parser/parser.h"
#include "terminal/width.h"

#include <stdio.h>
#include <string.h>

#define LINE_SHOWN 160 /* bytes of a very long line, where nobody says how wide the terminal is */

/* How errors are to look. */
typedef struct Look {
    bool color;
    int columns;           /* of the terminal; 0: not said */
} Look;

/* ---- one error ---- */

/* The part of the line that is shown: [*first, *first + *shown). */
static void choose_part(const TextPlace *place, size_t before, size_t most, size_t *first, size_t *shown)
{
    *first = before > most / 2 && place->line_length > most ? before - most / 2 : 0;
    while (*first > 0 && ((unsigned char)place->line_text[*first] & 0xC0) == 0x80)
        --*first;
    *shown = place->line_length - *first < most ? place->line_length - *first : most;
    while (*first + *shown < place->line_length && ((unsigned char)place->line_text[*first + *shown] & 0xC0) == 0x80)
        ++*shown;
}

/* Behind the caret, or below it where it does not fit. */
static void add_hint(const char *hint, int used, int indent, const Look *look, Text *out)
{
    if (look->columns && used + 1 + display_width(hint, strlen(hint)) > look->columns)
        text_printf(out, "\n  %*s |", indent, "");
    text_printf(out, " %s", hint);
}

static void add_excerpt(const TextPlace *place, size_t before, const Error *error, const Look *look, Text *out)
{
    char number[16];
    const int indent = snprintf(number, sizeof number, "%d", place->line);
    size_t first, shown;
    choose_part(place, before, look->columns > 40 ? (size_t)(look->columns - indent - 8) : LINE_SHOWN, &first, &shown);
    text_printf(out, "  %s | %s", number, first ? ".." : "");
    for (size_t i = 0; i < shown; i++) {
        char c = place->line_text[first + i];
        text_add_char(out, c == '\t' ? ' ' : c);
    }
    int used = indent + 5 + (first ? 2 : 0) + display_width(place->line_text + first, before - first);
    text_printf(out, "\n  %*s | ", indent, "");
    for (int i = indent + 5; i < used; i++)
        text_add_char(out, ' ');
    size_t line_rest = before < place->line_length ? place->line_length - before : 0;
    size_t marked = error->at.length < line_rest ? error->at.length : line_rest;
    if (before - first + marked > shown)
        marked = before - first < shown ? shown - (before - first) : 0;
    const int width = marked ? display_width(place->line_text + before, marked) : 1;
    text_add_c(out, look->color ? "\033[31m^" : "^");
    for (int i = 1; i < width; i++)
        text_add_char(out, '~');
    text_add_c(out, look->color ? "\033[0m" : "");
    if (error->hint)
        add_hint(error->hint, used + width, indent, look, out);
    text_add_char(out, '\n');
}

/* shown: the text without its secrets, byte for byte. */
static void add_one(const Error *error, const char *file_name, const char *text, const char *shown, size_t length, const Look *look, Text *out)
{
    const char *red = look->color ? "\033[1;31m" : "", *plain = look->color ? "\033[0m" : "";
    bool placed = error->at.length > 0 && error->at.start <= length;
    TextPlace place = { 0 };
    size_t before = 0;
    if (placed) {
        place = text_place(text, length, error->at.start);
        before = (size_t)(text + error->at.start - place.line_text); /* bytes before the place */
        place.line_text = shown + error->at.start - before;
        text_printf(out, "%s:%d:%d: ", file_name, place.line, place.column);
    } else {
        text_add_c(out, "bidsql: ");
    }
    text_printf(out, "%serror:%s %s\n", red, plain, error->message);
    if (placed)
        add_excerpt(&place, before, error, look, out);
    else if (error->hint)
        text_printf(out, "  %s\n", error->hint);
}

void error_render(const Error *error, const char *file_name, const char *text, size_t length, bool color, Text *out)
{
    error_render_within(error, file_name, text, length, color, 0, out);
}

void error_render_within(const Error *error, const char *file_name, const char *text, size_t length, bool color, int columns, Text *out)
{
    const Look look = { color, columns };
    Text shown = { 0 };
    MEMORY_HOLD(text_unwind, &shown);
    text_add(&shown, text, length);
    text_c(&shown);
    secrets_cover(shown.bytes, length);
    for (; error; error = error->next)
        add_one(error, file_name, text, shown.bytes, length, &look, out);
    text_release(&shown);
}
