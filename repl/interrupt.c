/* repl/interrupt.c: a signal handler knows one backend at a time. */
#include "repl/interrupt.h"

#include <errno.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "terminal/raw_mode.h"

static Backend *volatile running;
static volatile sig_atomic_t asked;

static void on_interrupt(int number)
{
    (void)number;
    int kept = errno;
    asked = 1;
    Backend *backend = running;
    if (backend)
        backend->type->interrupt(backend);
    errno = kept;
}

static void on_end(int number)
{
    raw_mode_end();
    _exit(128 + number);
}

void interrupt_catch(void)
{
    struct sigaction action = { .sa_handler = on_interrupt }, end = { .sa_handler = on_end };
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &end, NULL);
    signal(SIGTSTP, SIG_DFL);
}

void interrupt_begin(Backend *backend)
{
    asked = 0;
    running = backend;
}

void interrupt_end(void) { running = NULL; }
bool interrupt_asked(void) { return asked; }

bool interrupt_sleep(double seconds)
{
    struct timespec left = { (time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9) };
    while (!asked && nanosleep(&left, &left) != 0)
        ;
    return !asked;
}
