/* terminal/raw_mode.h: the terminal's modes and size. Whatever ends the process, the terminal gets its own modes back. */
#pragma once
#include "common/error.h"

/* Keys come one by one, unechoed. editing: also Ctrl-C and such, and pasted text between marks. One terminal at a time. ERR_IO when
 * input is no terminal. */
Error *raw_mode_begin(int input, int output, bool editing);
void raw_mode_end(void); /* safe to repeat; async-signal-safe */
/* Columns and rows; 80 x 24 where nobody knows. */
void terminal_size(int fd, int *columns, int *rows);
