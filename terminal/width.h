/* terminal/width.h: graphemes (what a reader takes for one character) and the columns they take on a terminal. */
#pragma once
#include <stddef.h>

/* Bytes of the grapheme that begins at bytes[0] (Unicode UAX #29); 1 for a byte that is no UTF-8; 0 if length is 0. *columns: 0, 1 or 2. */
size_t grapheme_next(const char *bytes, size_t length, int *columns);
/* Where the grapheme before `at` begins; 0 at the start. */
size_t grapheme_before(const char *bytes, size_t at);
/* Columns that the text takes in one line. */
int display_width(const char *bytes, size_t length);
