/* engine/mistakes.h: which mistakes of a script follow from others: those are not told. */
#pragma once
#include "parser/ast.h"

typedef struct Mistakes {
    Arena *arena;
    struct { const char **items; int count, capacity; } missing; /* names of what is not there because of a mistake before */
} Mistakes;

/* A statement is wrong: what it would have made is not there. False: it names something that is not there, so the mistake is another statement's. */
bool mistakes_note(Mistakes *mistakes, const AstStatement *statement);
/* Likewise what does not parse, beside the statements that do. False: it could have changed what those mean. */
bool mistakes_note_unparsed(Mistakes *mistakes, const AstScript *script, const char *text, size_t length, const Error *errors);
/* Two lists as one, by their places. */
Error *errors_in_order(Error *one, Error *other);
