/* repl/pager.c: as long as everything fits, there is no pager at all. */
#include "repl/pager.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static Error *write_all(int fd, const char *bytes, size_t length)
{
    while (length) {
        ssize_t wrote = write(fd, bytes, length);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return errno == EPIPE ? error_new(ERR_CLOSED, "the reader of the output went away") : error_new(ERR_IO, "cannot write the output: %s", strerror(errno));
        bytes += wrote;
        length -= (size_t)wrote;
    }
    return NULL;
}

void pager_begin(Pager *pager, const char *command, int rows) { *pager = (Pager){ .command = command, .rows = rows }; }

/* Without a pager that starts, the text goes to the terminal. */
static void start(Pager *pager)
{
    int ends[2];
    const char *command = pager->command;
    pager->command = NULL;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return;
    pid_t child = fork();
    if (child == 0) {
        signal(SIGINT, SIG_DFL);
        signal(SIGPIPE, SIG_DFL);
        dup2(ends[0], 0);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    close(ends[0]);
    if (child < 0) {
        close(ends[1]);
        return;
    }
    pager->process = child;
    pager->pipe = ends[1];
}

static Error *write_held(Pager *pager)
{
    Error *error = pager->held.length ? write_all(pager->process ? pager->pipe : 1, pager->held.bytes, pager->held.length) : NULL;
    pager->held.length = 0;
    return error;
}

Error *pager_write(void *caller, const char *bytes, size_t length)
{
    Pager *pager = caller;
    if (!pager->command)
        return write_all(pager->process ? pager->pipe : 1, bytes, length);
    text_add(&pager->held, bytes, length);
    for (size_t i = 0; i < length; i++)
        pager->lines += bytes[i] == '\n';
    if (pager->lines < pager->rows)
        return NULL;
    start(pager);
    return write_held(pager);
}

Error *pager_end(Pager *pager)
{
    Error *error = write_held(pager);
    if (pager->process) {
        close(pager->pipe);
        while (waitpid(pager->process, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    text_release(&pager->held);
    *pager = (Pager){ 0 };
    return error;
}
