/* repl/help.h: what \? and HELP say. */
#pragma once
#include "repl/shell.h"

typedef struct StatementHelp {
    const char *name;       /* "CREATE STREAM" */
    const char *syntax, *doc, *example;
} StatementHelp;
const StatementHelp *help_statements(int *count);

/* topic "": everything in short. */
void help_show(Shell *shell, const char *topic);
