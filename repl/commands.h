/* repl/commands.h: what the shell itself does: \d, .mode, help. One table: docs/cli.md and \? show it. */
#pragma once
#include "repl/shell.h"

/* Is the text a command: \word, .word, or one of the words that ksqlDB's shell knows? */
bool command_is(const char *text, size_t length);
/* Runs it; says what goes wrong. */
void command_run(Shell *shell, const char *text, size_t length);
void commands_complete(Arena *arena, const char *text, size_t cursor, Completions *completions);
/* What kind of argument the command at the start of the text takes. */
typedef enum CommandTakes {
    TAKES_NOTHING, TAKES_RELATION, TAKES_FUNCTION, TAKES_QUERY, TAKES_VARIABLE, TAKES_FILE, TAKES_MODE, TAKES_DISPLAY, TAKES_SWITCH, TAKES_TOPIC
} CommandTakes;
CommandTakes command_takes(const char *text, size_t length);

typedef struct Command Command;
struct Command {
    const char *name;
    const char *const *aliases;    /* NULL-ended; may be NULL */
    const char *argument;          /* as \? shows it; NULL: none */
    const char *help;
    void (*run)(Shell *shell, const Command *command, const char *argument); /* "" without */
    const char *sql, *sql_with;    /* or the statement that it stands for; sql_with has %s for the argument */
    bool down;                     /* sql_with: shown a line a column */
    bool bare;                     /* also without \ or . */
};
const Command *commands_all(int *count);
