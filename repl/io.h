/* repl/io.h: whole files in, whole texts out. */
#pragma once
#include <stddef.h>

#include "common/error.h"
#include "common/str.h"

/* Adds what the file holds. ERR_CONNECT where it cannot be opened. */
Error *io_read_file(const char *path, Text *text);
/* Writes all of it; where that fails, nobody is left to be told. */
void io_write_all(int fd, const char *bytes, size_t length);
