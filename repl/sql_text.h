/* repl/sql_text.h: SQL as somebody types it: pieces of it, also while it is not finished, and whether it is. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum SqlPieceKind { PIECE_WORD, PIECE_NAME, PIECE_STRING, PIECE_BODY, PIECE_NUMBER, PIECE_COMMENT, PIECE_VARIABLE, PIECE_SYMBOL } SqlPieceKind;

typedef struct SqlPiece {
    SqlPieceKind kind;     /* PIECE_NAME: a quoted one; PIECE_BODY: $$ .. $$ */
    size_t start, length;
    bool open;             /* its end has not been typed */
} SqlPiece;

/* The next piece behind *at, which moves behind it; false: there is none. Takes any text. */
bool sql_piece_next(const char *text, size_t length, size_t *at, SqlPiece *piece);
/* Does the piece say this word? Without regard to case. */
bool sql_piece_is(const char *text, const SqlPiece *piece, const char *word);

/* Nothing but blanks and comments? */
bool sql_is_blank(const char *text, size_t length);
/* Are the statements finished: does the text end with a `;` that is no part of something? */
bool sql_is_finished(const char *text, size_t length);
/* Does the text end with \g, or \gx, \G (*down: a line a column), in place of a `;`? Then *length is what stands before it. */
bool sql_ends_with_go(const char *text, size_t *length, bool *down);
/* What the end of the text is in: '\'' a string, '"' a quoted name, '*' a comment, '$' a body, '(' brackets, '-' a statement, '=' nothing. */
char sql_open_part(const char *text, size_t length);
/* Does it look like it names a secret, so that it is not to be kept? */
bool sql_is_secret(const char *text, size_t length);
/* A TextStyle for each byte. */
void sql_color(const char *text, size_t length, uint8_t *styles);
