#include "repl/io.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

Error *io_read_file(const char *path, Text *text)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return error_new(ERR_CONNECT, "cannot open '%s': %s", path, strerror(errno));
    char piece[65536];
    size_t got;
    while ((got = fread(piece, 1, sizeof piece, file)) > 0)
        text_add(text, piece, got);
    bool failed = ferror(file);
    fclose(file);
    return failed ? error_new(ERR_IO, "cannot read '%s'", path) : NULL;
}

void io_write_all(int fd, const char *bytes, size_t length)
{
    while (length) {
        ssize_t wrote = write(fd, bytes, length);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return;
        bytes += wrote;
        length -= (size_t)wrote;
    }
}
