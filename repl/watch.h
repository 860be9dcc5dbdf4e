/* repl/watch.h: \watch. */
#pragma once
#include "repl/shell.h"

/* Runs the last statements every so many seconds, until Ctrl-C or an error. */
void watch_run(Shell *shell, double seconds);
