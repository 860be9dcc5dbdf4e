/* terminal/raw_mode.c: termios, and the way back from it. */
#include "terminal/raw_mode.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static struct termios before;
static volatile sig_atomic_t raw;
static int raw_input, raw_output;
static bool marks; /* raw_mode_begin was for editing */

#define PASTE_MARKS_ON "\033[?2004h"
#define PASTE_MARKS_OFF "\033[?2004l"

static void say(const char *text, size_t length)
{
    while (length) {
        ssize_t wrote = write(raw_output, text, length);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return;
        text += wrote;
        length -= (size_t)wrote;
    }
}

void raw_mode_end(void)
{
    if (!raw)
        return;
    raw = 0;
    int kept = errno;
    if (marks)
        say(PASTE_MARKS_OFF, sizeof PASTE_MARKS_OFF - 1);
    tcsetattr(raw_input, TCSADRAIN, &before);
    errno = kept;
}

/* The default action follows, with the terminal as it was. */
static void on_fatal(int number)
{
    raw_mode_end();
    signal(number, SIG_DFL);
    raise(number);
}

static bool set_modes(void)
{
    struct termios now = before;
    if (marks) {
        cfmakeraw(&now);
        now.c_oflag |= OPOST; /* \n goes to the start of the line, for what others print meanwhile */
    } else {
        now.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    }
    if (tcsetattr(raw_input, TCSADRAIN, &now) != 0)
        return false;
    if (marks)
        say(PASTE_MARKS_ON, sizeof PASTE_MARKS_ON - 1);
    return true;
}

/* Stopped and continued: a shell may have changed the modes. */
static void on_continue(int number)
{
    (void)number;
    int kept = errno;
    if (raw)
        set_modes();
    errno = kept;
}

static void catch_fatal(void)
{
    static bool done;
    if (done)
        return;
    done = true;
    static const int fatal[] = { SIGHUP, SIGQUIT, SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL };
    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++) {
        struct sigaction action = { .sa_handler = on_fatal };
        sigaction(fatal[i], &action, NULL);
    }
    struct sigaction action = { .sa_handler = on_continue, .sa_flags = SA_RESTART };
    sigaction(SIGCONT, &action, NULL);
    atexit(raw_mode_end);
}

Error *raw_mode_begin(int input, int output, bool editing)
{
    if (raw)
        return NULL;
    if (tcgetattr(input, &before) != 0)
        return error_new(ERR_IO, "cannot read the terminal's modes: %s", strerror(errno));
    catch_fatal();
    raw_input = input;
    raw_output = output;
    marks = editing;
    raw = 1; /* before they change: a signal may end us at any moment */
    if (set_modes())
        return NULL;
    Error *error = error_new(ERR_IO, "cannot change the terminal's modes: %s", strerror(errno));
    raw_mode_end();
    return error;
}

void terminal_size(int fd, int *columns, int *rows)
{
    struct winsize size;
    bool known = ioctl(fd, TIOCGWINSZ, &size) == 0;
    *columns = known && size.ws_col > 0 ? size.ws_col : 80;
    *rows = known && size.ws_row > 0 ? size.ws_row : 24;
}
