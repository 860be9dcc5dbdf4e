/* repl/shell.h: the interactive shell. */
#pragma once
#include "repl/above.h"
#include "repl/backend.h"
#include "repl/result_writer.h"
#include "terminal/editor.h"

/* How rows of a query that does not end are shown. */
typedef enum DisplayMode {
    DISPLAY_APPEND,      /* rows as they come, with the kind of change where there are others than new rows */
    DISPLAY_CHANGELOG,   /* the kind of change, always */
    DISPLAY_LIVE         /* the table that the changes make, in place */
} DisplayMode;
extern const char *const display_mode_names[]; /* NULL-ended */

typedef struct Shell {
    Backend *backend;
    Editor *editor;
    Above *above;           /* what others want to have shown */
    History history;
    OutputMode mode;
    DisplayMode display;
    bool timing, color, unicode, quiet;
    char *pager;            /* the command; NULL: none */
    char *spool_path;       /* \o: where results go; NULL: the terminal */
    int spool_fd;
    Text last;              /* the last statements that ran: for \watch, \e */
    bool done;
} Shell;

typedef struct ShellOptions {
    OutputMode mode;
    bool quiet, no_rc;
    bool color, unicode;
} ShellOptions;

/* Reads statements and commands from the terminal until it is left. The backend stays the caller's. Returns an exit code. */
int shell_run(Backend *backend, const ShellOptions *options);

/* ---- for commands ---- */

/* Runs statements, shows their results; says errors itself. `name`: of the text, in errors. False: one failed. */
bool shell_execute(Shell *shell, const char *name, const char *text, size_t length);
/* The statements that ran last once more; down: shown a line a column. */
bool shell_run_last(Shell *shell, bool down);
/* Lines for people. */
void shell_say(Shell *shell, const char *format, ...) __attribute__((format(printf, 2, 3)));
void shell_say_error(Shell *shell, Error *error, const char *name, const char *text, size_t length); /* takes it over */
/* Text for people, through the pager if it is long. */
void shell_page(Shell *shell, const char *text, size_t length);
/* Runs what is in a file, statements and commands. False: something failed. */
bool shell_run_file(Shell *shell, const char *path);
/* Opens the text in $VISUAL or $EDITOR and offers what came of it as the next input. */
void shell_edit(Shell *shell, const char *text, size_t length);
