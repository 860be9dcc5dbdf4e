/* repl/sql_text.c: a scanner that never fails: what is wrong is the parser's to say, once it is asked. */
#include "repl/sql_text.h"

#include <string.h>
#include <strings.h>

#include "common/str.h"
#include "functions/functions.h"
#include "parser/parser.h"
#include "terminal/layout.h"

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80; }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* Behind the closing quote, or the end. A doubled quote belongs to what is quoted. */
static size_t quoted_end(const char *text, size_t length, size_t at, char quote, bool *open)
{
    for (at++; at < length; at++) {
        if (text[at] != quote)
            continue;
        if (at + 1 < length && text[at + 1] == quote) {
            at++;
            continue;
        }
        return at + 1;
    }
    *open = true;
    return length;
}

static size_t marked_end(const char *text, size_t length, size_t from, const char *mark, bool *open)
{
    const char *end = from < length ? memmem(text + from, length - from, mark, strlen(mark)) : NULL;
    *open = !end;
    return end ? (size_t)(end - text) + strlen(mark) : length;
}

static size_t number_end(const char *text, size_t length, size_t at)
{
    while (at < length && (is_digit(text[at]) || text[at] == '.' || is_letter(text[at]) ||
                           ((text[at] == '+' || text[at] == '-') && (text[at - 1] | 32) == 'e')))
        at++;
    return at;
}

static size_t piece_end(const char *text, size_t length, size_t at, SqlPiece *piece)
{
    char c = text[at], next = at + 1 < length ? text[at + 1] : 0;
    if (c == '\'') {
        piece->kind = PIECE_STRING;
        return quoted_end(text, length, at, '\'', &piece->open);
    }
    if (c == '"' || c == '`') {
        piece->kind = PIECE_NAME;
        return quoted_end(text, length, at, c, &piece->open);
    }
    if (c == '-' && next == '-') {
        piece->kind = PIECE_COMMENT;
        const char *end = memchr(text + at, '\n', length - at);
        return end ? (size_t)(end - text) : length;
    }
    if (c == '/' && next == '*') {
        piece->kind = PIECE_COMMENT;
        return marked_end(text, length, at + 2, "*/", &piece->open);
    }
    if (c == '$' && next == '$') {
        piece->kind = PIECE_BODY;
        return marked_end(text, length, at + 2, "$$", &piece->open);
    }
    if (c == '$' && next == '{') {
        piece->kind = PIECE_VARIABLE;
        bool open;
        return marked_end(text, length, at + 2, "}", &open);
    }
    if (is_digit(c) || (c == '.' && is_digit(next))) {
        piece->kind = PIECE_NUMBER;
        return number_end(text, length, at + 1);
    }
    if (!is_letter(c))
        return at + 1;
    piece->kind = PIECE_WORD;
    while (at < length && (is_letter(text[at]) || is_digit(text[at]) || text[at] == '@'))
        at++;
    return at;
}

bool sql_piece_next(const char *text, size_t length, size_t *at, SqlPiece *piece)
{
    while (*at < length && (text[*at] == ' ' || text[*at] == '\t' || text[*at] == '\n' || text[*at] == '\r'))
        ++*at;
    if (*at >= length)
        return false;
    *piece = (SqlPiece){ .kind = PIECE_SYMBOL, .start = *at };
    *at = piece_end(text, length, *at, piece);
    piece->length = *at - piece->start;
    return true;
}

bool sql_piece_is(const char *text, const SqlPiece *piece, const char *word)
{
    return strlen(word) == piece->length && strncasecmp(text + piece->start, word, piece->length) == 0;
}

/* ---- is it finished ---- */

bool sql_is_blank(const char *text, size_t length)
{
    SqlPiece piece;
    for (size_t at = 0; sql_piece_next(text, length, &at, &piece);)
        if (piece.kind != PIECE_COMMENT || piece.open)
            return false;
    return true;
}

typedef struct SqlEnd {
    char open;         /* as sql_open_part says */
    bool finished;     /* the last piece is a `;` that ends a statement */
} SqlEnd;

static char open_mark(SqlPieceKind kind)
{
    switch (kind) {
    case PIECE_STRING: return '\'';
    case PIECE_NAME: return '"';
    case PIECE_COMMENT: return '*';
    case PIECE_BODY: return '$';
    case PIECE_WORD: case PIECE_NUMBER: case PIECE_VARIABLE: case PIECE_SYMBOL: break;
    }
    return '-';
}

/* EXECUTE STATEMENT SET BEGIN .. END holds statements that end in `;` themselves. */
static SqlEnd look_at_end(const char *text, size_t length)
{
    SqlEnd end = { .open = '=' };
    SqlPiece piece;
    bool first = true, set = false, set_ended = false;
    int depth = 0;
    for (size_t at = 0; sql_piece_next(text, length, &at, &piece);) {
        if (piece.open) {
            end.open = open_mark(piece.kind);
            end.finished = false;
            return end;
        }
        if (piece.kind == PIECE_COMMENT)
            continue;
        bool semicolon = sql_piece_is(text, &piece, ";");
        if (first)
            set = piece.kind == PIECE_WORD && sql_piece_is(text, &piece, "execute");
        if (piece.kind == PIECE_SYMBOL)
            depth += text[piece.start] == '(' ? 1 : text[piece.start] == ')' && depth > 0 ? -1 : 0;
        end.finished = semicolon && (!set || set_ended);
        set_ended = piece.kind == PIECE_WORD && sql_piece_is(text, &piece, "end");
        first = end.finished;
        if (end.finished)
            depth = 0;
        end.open = end.finished ? '=' : depth ? '(' : '-';
    }
    return end;
}

bool sql_ends_with_go(const char *text, size_t *length, bool *down)
{
    static const char *const ends[] = { "\\g", "\\gx", "\\G" };
    size_t end = *length;
    while (end > 0 && (text[end - 1] == ' ' || text[end - 1] == '\n' || text[end - 1] == '\t'))
        end--;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        const size_t size = strlen(ends[i]);
        if (end < size || memcmp(text + end - size, ends[i], size) != 0 || sql_is_blank(text, end - size))
            continue;
        const char part = sql_open_part(text, end - size);
        if (part != '-' && part != '=')
            return false; /* it is a part of a text, a comment */
        *length = end - size;
        *down = i > 0;
        return true;
    }
    return false;
}

bool sql_is_finished(const char *text, size_t length) { return look_at_end(text, length).finished; }
char sql_open_part(const char *text, size_t length) { return look_at_end(text, length).open; }

bool sql_is_secret(const char *text, size_t length)
{
    static const char *const words[] = { "password", "secret", "token", "jaas", "credential", "api.key", "api_key", "basic.auth", NULL };
    for (size_t at = 0; at < length; at++)
        for (int i = 0; words[i]; i++)
            if (strlen(words[i]) <= length - at && strncasecmp(text + at, words[i], strlen(words[i])) == 0)
                return true;
    return false;
}

/* ---- colours ---- */

static bool is_keyword(const char *text, const SqlPiece *piece)
{
    int count, low = 0;
    const char *const *keywords = parser_keywords(&count);
    for (int high = count; low < high;) {
        int middle = (low + high) / 2;
        int order = strncasecmp(keywords[middle], text + piece->start, piece->length);
        if (order == 0 && strlen(keywords[middle]) > piece->length)
            order = 1;
        if (order == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

static TextStyle style_of(const char *text, size_t length, const SqlPiece *piece)
{
    switch (piece->kind) {
    case PIECE_STRING:
    case PIECE_BODY: return STYLE_STRING;
    case PIECE_NUMBER: return STYLE_NUMBER;
    case PIECE_COMMENT: return STYLE_COMMENT;
    case PIECE_VARIABLE: return STYLE_COMMAND;
    case PIECE_NAME:
    case PIECE_SYMBOL: return STYLE_PLAIN;
    case PIECE_WORD: break;
    }
    size_t behind = piece->start + piece->length;
    while (behind < length && text[behind] == ' ')
        behind++;
    if (is_keyword(text, piece))
        return STYLE_KEYWORD;
    return behind < length && text[behind] == '(' ? STYLE_FUNCTION : STYLE_PLAIN;
}

void sql_color(const char *text, size_t length, uint8_t *styles)
{
    SqlPiece piece;
    memset(styles, STYLE_PLAIN, length);
    for (size_t at = 0; sql_piece_next(text, length, &at, &piece);)
        memset(styles + piece.start, (int)style_of(text, length, &piece), piece.length);
}
