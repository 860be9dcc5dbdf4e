/* common/confined.h: a file system that shows some directories and nothing else. */
#pragma once
#include "common/filesystem.h"

/* Only regular files and directories at or below one of these directories, as they really lie: symbolic links and ".." lead nowhere else. Everything else is
 * ERR_CONNECT. No directory: nothing at all. What is made is the caller's, to be freed by confined_free; the inner one must live longer.
 * ERR_CONNECT when a directory is not there. */
Error *confined_new(FileSystem *inner, const char *const *directories, int count, FileSystem **confined);
void confined_free(FileSystem *confined); /* NULL is fine */
