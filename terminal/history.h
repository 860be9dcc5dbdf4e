/* terminal/history.h: texts that were typed before, newest last, and the file that keeps them. */
#pragma once
#include "common/memory.h"
#include "common/str.h"

typedef struct History {
    char **entries;
    size_t count, capacity;
    size_t limit;         /* the oldest beyond it go */
    char *path;           /* NULL: no file */
    bool (*is_secret)(const char *text, size_t length); /* such a text is not kept; NULL: none is */
} History;

/* path NULL: only in memory. Reads what the file holds; a file that is not there is an empty history. The entries of the file are one a line,
 * with line ends as \n and backslashes as \\. ERR_IO when it is there and cannot be read; the history is usable, without file, all the same. */
Error *history_init(History *history, const char *path, size_t limit, bool (*is_secret)(const char *text, size_t length));
void history_release(History *history);
/* Keeps a text, unless it is empty, begins with a blank, equals the newest entry, or is secret; adds it to the file (mode 0600, its folder 0700). */
Error *history_add(History *history, const char *text, size_t length);
/* The newest entry before `before` that contains the text; SIZE_MAX: none. */
size_t history_search(const History *history, size_t before, const char *text, size_t length);
Error *history_clear(History *history); /* the file, too */
