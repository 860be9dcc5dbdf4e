/* engine/render.c: errors as people read them: place, line, caret, hint. */
#include "engine/bidsql.h"
#include "common/secrets.h"
#include "parser/parser.h"

#include <stdio.h>

#define LINE_SHOWN 160 /* bytes of a very long line */

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

/* shown: the text without its secrets, byte for byte. */
static void add_one(const Error *error, const char *file_name, const char *text, const char *shown, size_t length, bool color, Text *out)
{
    const char *red = color ? "\033[1;31m" : "", *plain = color ? "\033[0m" : "";
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
        add_excerpt(&place, before, error, color, out);
    else if (error->hint)
        text_printf(out, "  %s\n", error->hint);
}

void error_render(const Error *error, const char *file_name, const char *text, size_t length, bool color, Text *out)
{
    Text shown = { 0 };
    MEMORY_HOLD(text_unwind, &shown);
    text_add(&shown, text, length);
    text_c(&shown);
    secrets_cover(shown.bytes, length);
    for (; error; error = error->next)
        add_one(error, file_name, text, shown.bytes, length, color, out);
    text_release(&shown);
}
