/* tests/fuzz/generator.h: random statements out of the grammar of design and documentation: every one of them parses, most of them bind. */
#pragma once
#include "common/str.h"

/* Choices are read from the input, so that its mutations are mutations of the statements; where it ends the first choice is taken, which is
 * always a short one. */
typedef struct Generator {
    const uint8_t *data;
    size_t size, at;
    int depth;
    bool lone;           /* the last relation was a name */
    bool windows;        /* the SELECT at hand says what the windows `w` and `recent` are */
    bool orderly;        /* only what is there: columns of bids, no aggregates where rows are meant */
    Text *out;
} Generator;

/* The streams, tables and views that the statements are about. */
extern const char generator_setup[];
/* Appends one statement without its `;`. */
void generate_statement(Generator *g);
