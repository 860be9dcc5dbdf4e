/* repl/pager.h: results that do not fit the terminal go through a pager. */
#pragma once
#include <sys/types.h>

#include "common/memory.h"
#include "common/str.h"

typedef struct Pager {
    const char *command;   /* not owned; NULL: none is asked for */
    int rows;              /* of the terminal */
    Text held;             /* the first lines, until it is clear that there are more */
    int lines;
    pid_t process;         /* 0: none runs */
    int pipe;
} Pager;

/* Does somebody read in it? Then the screen is the pager's. */
static inline bool pager_is_open(const Pager *pager) { return pager->process != 0; }
void pager_begin(Pager *pager, const char *command, int rows);
/* Writes to the pager, or to stdout; ERR_CLOSED when the pager was left. */
Error *pager_write(void *pager, const char *bytes, size_t length);
/* All is written: waits until the pager is left. */
Error *pager_end(Pager *pager);
