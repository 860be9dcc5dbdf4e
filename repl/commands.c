/* repl/commands.c: the table is the documentation: \? prints it. */
#include "repl/commands.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "repl/help.h"
#include "repl/io.h"
#include "repl/sql_text.h"
#include "repl/watch.h"

/* ---- what they do ---- */

static void run_help(Shell *shell, const Command *command, const char *argument)
{
    (void)command;
    help_show(shell, argument);
}

static void run_quit(Shell *shell, const Command *command, const char *argument)
{
    (void)command;
    (void)argument;
    shell->done = true;
}

static void run_sql(Shell *shell, const Command *command, const char *argument)
{
    Text sql = { 0 };
    MEMORY_HOLD(text_unwind, &sql);
    if (*argument && !command->sql_with)
        shell_say(shell, "\\%s takes nothing behind it", command->name);
    else if (*argument)
        for (const char *at = command->sql_with; *at; at++)
            at[0] == '%' ? (text_add_c(&sql, argument), at++) : text_add_char(&sql, *at);
    else
        text_add_c(&sql, command->sql);
    const OutputMode mode = shell->mode;
    if (*argument && command->down && mode == OUTPUT_BOX)
        shell->mode = OUTPUT_VERTICAL;
    if (sql.length)
        shell_execute(shell, command->name, sql.bytes, sql.length);
    shell->mode = mode;
    text_release(&sql);
}

static void run_again(Shell *shell, const Command *command, const char *argument)
{
    (void)argument;
    if (shell->last.length)
        shell_run_last(shell, command->down);
    else
        shell_say(shell, "nothing has run yet");
}

static bool take_switch(Shell *shell, const char *argument, bool *on)
{
    if (!*argument)
        *on = !*on;
    else if (strcasecmp(argument, "on") == 0)
        *on = true;
    else if (strcasecmp(argument, "off") == 0)
        *on = false;
    else {
        shell_say(shell, "expected on or off, found '%s'", argument);
        return false;
    }
    return true;
}

static void run_timing(Shell *shell, const Command *command, const char *argument)
{
    (void)command;
    if (take_switch(shell, argument, &shell->timing))
        shell_say(shell, "timing is %s", shell->timing ? "on" : "off");
}

static void say_unknown(Shell *shell, const char *what, const char *given, const char *const *names)
{
    int count = 0;
    Text all = { 0 };
    for (; names[count]; count++)
        text_printf(&all, "%s%s", count ? ", " : "", names[count]);
    const char *near = nearest_name(given, names, count);
    if (near)
        shell_say(shell, "no %s '%s'; did you mean '%s'? (%s)", what, given, near, text_c(&all));
    else
        shell_say(shell, "no %s '%s' (%s)", what, given, text_c(&all));
    text_release(&all);
}

static void run_mode(Shell *shell, const Command *command, const char *argument)
{
    (void)command;
    if (!*argument)
        shell_say(shell, "mode is %s", output_mode_names[shell->mode]);
    else if (strcasecmp(argument, "tabular") == 0) /* ksqlDB's word */
        shell->mode = OUTPUT_BOX;
    else if (strcasecmp(argument, "line") == 0)    /* sqlite3's */
        shell->mode = OUTPUT_VERTICAL;
    else if (!output_mode_find(argument, &shell->mode))
        say_unknown(shell, "output mode", argument, output_mode_names);
}

static void run_display(Shell *shell, const Command *command, const char *argument)
{
    (void)command;
    for (int i = 0; *argument && display_mode_names[i]; i++)
        if (strcasecmp(argument, display_mode_names[i]) == 0) {
            shell->display = (DisplayMode)i;
            return;
        }
    if (*argument)
        say_unknown(shell, "display", argument, display_mode_names);
    else
        shell_say(shell, "display is %s", display_mode_names[shell->display]);
}

static void run_vertical(Shell *shell, const Command *command, const char *argument)
{
    (void)command;
    bool on = shell->mode == OUTPUT_VERTICAL;
    if (!take_switch(shell, argument, &on))
        return;
    shell->mode = on ? OUTPUT_VERTICAL : OUTPUT_BOX;
    shell_say(shell, "mode is %s", output_mode_names[shell->mode]);
}

static void end_spool(Shell *shell)
{
    if (shell->spool_path)
        close(shell->spool_fd);
    mem_free(shell->spool_path);
    shell->spool_path = NULL;
}

static void run_output(Shell *shell, const Command *command, const char *argument)
{
    (void)command;
    end_spool(shell);
    if (!*argument || strcasecmp(argument, "off") == 0 || strcasecmp(argument, "stdout") == 0)
        return;
    int fd = open(argument, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) {
        shell_say(shell, "cannot open '%s': %s", argument, strerror(errno));
        return;
    }
    shell->spool_fd = fd;
    shell->spool_path = mem_strdup(argument);
}

static void run_include(Shell *shell, const Command *command, const char *argument)
{
    if (!*argument)
        shell_say(shell, "\\%s wants a file", command->name);
    else
        shell_run_file(shell, argument);
}

static void run_edit(Shell *shell, const Command *command, const char *argument)
{
    (void)command;
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    Error *error = *argument ? io_read_file(argument, &text) : NULL;
    if (!*argument)
        text_add(&text, text_c(&shell->last), shell->last.length);
    if (error)
        shell_say_error(shell, error, argument, "", 0);
    else
        shell_edit(shell, text_c(&text), text.length);
    text_release(&text);
}

static void run_watch(Shell *shell, const Command *command, const char *argument)
{
    (void)command;
    char *end;
    double seconds = *argument ? strtod(argument, &end) : 2;
    if (*argument && (*end || !(seconds > 0) || seconds > 86400))
        shell_say(shell, "\\watch wants seconds, not '%s'", argument);
    else if (!shell->last.length)
        shell_say(shell, "there is no statement to watch yet");
    else
        watch_run(shell, seconds);
}

static void run_set(Shell *shell, const Command *command, const char *argument)
{
    (void)command;
    if (!*argument) {
        shell_execute(shell, "set", "SHOW VARIABLES;", 15);
        return;
    }
    size_t name = strcspn(argument, " =\t");
    const char *value = argument + name + strspn(argument + name, " =\t");
    Text sql = { 0 };
    MEMORY_HOLD(text_unwind, &sql);
    text_printf(&sql, "DEFINE %.*s = '", (int)name, argument);
    for (; *value; value++)
        text_add(&sql, "''", *value == '\'' ? 2 : 0), *value != '\'' ? text_add_char(&sql, *value) : (void)0;
    text_add_c(&sql, "';");
    shell_execute(shell, "set", sql.bytes, sql.length);
    text_release(&sql);
}

static void run_pager(Shell *shell, const Command *command, const char *argument)
{
    (void)command;
    if (*argument) {
        mem_free(shell->pager);
        shell->pager = strcasecmp(argument, "off") == 0 ? NULL : mem_strdup(strcasecmp(argument, "on") == 0 ? "less -SRFX" : argument);
    }
    shell_say(shell, "pager is %s", shell->pager ? shell->pager : "off");
}

static void run_history(Shell *shell, const Command *command, const char *argument)
{
    (void)command;
    const History *history = &shell->history;
    size_t wanted = *argument ? strtoul(argument, NULL, 10) : history->count;
    for (size_t i = wanted < history->count ? history->count - wanted : 0; i < history->count; i++)
        shell_say(shell, "%5zu  %s", i + 1, history->entries[i]);
}

static void run_clear(Shell *shell, const Command *command, const char *argument)
{
    (void)command;
    (void)argument;
    shell_say(shell, "\033[H\033[2J");
}

static void run_version(Shell *shell, const Command *command, const char *argument)
{
    (void)command;
    (void)argument;
    shell_say(shell, "%s (%s)", BIDSQL_VERSION_TEXT, BIDSQL_COMMIT);
}

static void run_place(Shell *shell, const Command *command, const char *argument)
{
    (void)command;
    (void)argument;
    shell_say(shell, "statements run in %s", shell->backend->place);
}

static void run_system(Shell *shell, const Command *command, const char *argument)
{
    (void)command;
    if (!*argument) {
        shell_say(shell, "\\! wants a command");
        return;
    }
    int status = system(argument);
    if (status == -1)
        shell_say(shell, "cannot run it: %s", strerror(errno));
    else if (WIFEXITED(status) && WEXITSTATUS(status))
        shell_say(shell, "exit code %d", WEXITSTATUS(status));
}

static void run_echo(Shell *shell, const Command *command, const char *argument)
{
    (void)command;
    shell_say(shell, "%s", argument);
}

/* ---- the table ---- */

static const char *const help_names[] = { "help", "h", NULL };
static const char *const quit_names[] = { "quit", "exit", NULL };
static const char *const timing_names[] = { "timer", NULL };
static const char *const mode_names[] = { "output", NULL };
static const char *const output_names[] = { "spool", "out", NULL };
static const char *const include_names[] = { "include", "read", "ir", NULL };
static const char *const go_down_names[] = { "G", NULL };
static const char *const edit_names[] = { "edit", NULL };
static const char *const place_names[] = { "server", NULL };
static const char *const tables_names[] = { "tables", NULL };
static const char *const schema_names[] = { "schema", NULL };

static const Command commands[] = {
    { .name = "?", .aliases = help_names, .argument = "[NAME]", .help = "this, or about a statement, a function, a command", .run = run_help, .bare = true },
    { .name = "q", .aliases = quit_names, .help = "leave", .run = run_quit, .bare = true },
    { .name = "d", .aliases = schema_names, .argument = "[NAME]", .help = "streams, or one stream's, table's or view's columns", .run = run_sql, .sql = "SHOW STREAMS; SHOW TABLES;", .sql_with = "DESCRIBE %s;" },
    { .name = "d+", .argument = "NAME", .help = "everything about a stream, table or view", .run = run_sql, .sql = "SHOW STREAMS EXTENDED; SHOW TABLES EXTENDED;", .sql_with = "DESCRIBE EXTENDED %s;" },
    { .name = "ds", .help = "streams", .run = run_sql, .sql = "SHOW STREAMS;" },
    { .name = "dt", .aliases = tables_names, .help = "tables", .run = run_sql, .sql = "SHOW TABLES;" },
    { .name = "dv", .help = "views", .run = run_sql, .sql = "SHOW VIEWS;" },
    { .name = "df", .argument = "[NAME]", .help = "functions, or one of them", .run = run_sql, .sql = "SHOW FUNCTIONS;", .sql_with = "DESCRIBE FUNCTION %s;", .down = true },
    { .name = "dq", .argument = "[ID]", .help = "persistent queries, or the plan of one", .run = run_sql, .sql = "SHOW QUERIES;", .sql_with = "EXPLAIN %s;" },
    { .name = "dT", .help = "types", .run = run_sql, .sql = "SHOW TYPES;" },
    { .name = "dl", .help = "how far behind the sources are", .run = run_sql, .sql = "SHOW LAG;" },
    { .name = "dp", .help = "settings", .run = run_sql, .sql = "SHOW PROPERTIES;" },
    { .name = "timing", .aliases = timing_names, .argument = "[on|off]", .help = "how long statements take", .run = run_timing },
    { .name = "mode", .aliases = mode_names, .argument = "[MODE]", .help = "box, table, csv, tsv, json, jsonl, vertical, markdown", .run = run_mode, .bare = true },
    { .name = "display", .argument = "[HOW]", .help = "of queries that go on: append, changelog, live", .run = run_display },
    { .name = "x", .argument = "[on|off]", .help = "a line a column", .run = run_vertical },
    { .name = "o", .aliases = output_names, .argument = "[FILE]", .help = "results go into a file; without one to the terminal again", .run = run_output, .bare = true },
    { .name = "i", .aliases = include_names, .argument = "FILE", .help = "run the statements and commands in a file", .run = run_include },
    { .name = "e", .aliases = edit_names, .argument = "[FILE]", .help = "edit the last statement, or a file, in $EDITOR", .run = run_edit },
    { .name = "g", .help = "runs a statement, as ';' does; alone: the last one again", .run = run_again },
    { .name = "gx", .aliases = go_down_names, .help = "the same, shown a line a column", .run = run_again, .down = true },
    { .name = "watch", .argument = "[SECONDS]", .help = "run the last statement again and again", .run = run_watch },
    { .name = "set", .argument = "[NAME VALUE]", .help = "variables, or define one: ${NAME}", .run = run_set },
    { .name = "unset", .argument = "NAME", .help = "forget a variable", .run = run_sql, .sql = "SHOW VARIABLES;", .sql_with = "UNDEFINE %s;" },
    { .name = "pager", .argument = "[on|off|COMMAND]", .help = "what shows long results", .run = run_pager },
    { .name = "history", .argument = "[N]", .help = "what was typed", .run = run_history, .bare = true },
    { .name = "clear", .help = "clear the screen", .run = run_clear, .bare = true },
    { .name = "version", .help = "the version", .run = run_version, .bare = true },
    { .name = "conninfo", .aliases = place_names, .help = "where statements run", .run = run_place, .bare = true },
    { .name = "echo", .argument = "TEXT", .help = "print the text", .run = run_echo },
    { .name = "!", .argument = "COMMAND", .help = "run a command of the system", .run = run_system },
};

const Command *commands_all(int *count)
{
    *count = (int)(sizeof commands / sizeof *commands);
    return commands;
}

/* ---- finding them ---- */

static bool is_called(const Command *command, const char *word, size_t length, bool bare)
{
    if (!bare && strlen(command->name) == length && memcmp(command->name, word, length) == 0)
        return true;
    for (int i = 0; command->aliases && command->aliases[i]; i++)
        if (strlen(command->aliases[i]) == length && strncasecmp(command->aliases[i], word, length) == 0)
            return true;
    return bare && length > 1 && strlen(command->name) == length && strncasecmp(command->name, word, length) == 0;
}

typedef struct Typed {
    const Command *command;    /* NULL: none of that name */
    const char *word;
    size_t word_length;
    size_t argument;           /* where it begins */
    bool marked;               /* \x or .x */
} Typed;

static size_t word_end(const char *text, size_t length, size_t at)
{
    if (at < length && (text[at] == '!' || text[at] == '?'))
        return at + 1;
    while (at < length && text[at] != ' ' && text[at] != '\t' && text[at] != '\n' && text[at] != ';' && text[at] != '\r')
        at++;
    return at;
}

static bool find_typed(const char *text, size_t length, Typed *typed)
{
    size_t at = 0;
    while (at < length && (text[at] == ' ' || text[at] == '\t' || text[at] == '\n'))
        at++;
    if (at == length)
        return false;
    *typed = (Typed){ .marked = text[at] == '\\' || text[at] == '.' };
    at += typed->marked;
    size_t end = word_end(text, length, at);
    typed->word = text + at;
    typed->word_length = end - at;
    typed->argument = end;
    for (size_t i = 0; i < sizeof commands / sizeof *commands && !typed->command; i++)
        if ((typed->marked || commands[i].bare) && is_called(&commands[i], typed->word, typed->word_length, !typed->marked))
            typed->command = &commands[i];
    return typed->marked || typed->command;
}

bool command_is(const char *text, size_t length)
{
    Typed typed;
    return find_typed(text, length, &typed);
}

CommandTakes command_takes(const char *text, size_t length)
{
    static const struct { const char *name; CommandTakes takes; } other[] = {
        { "?", TAKES_TOPIC }, { "df", TAKES_FUNCTION }, { "dq", TAKES_QUERY }, { "set", TAKES_VARIABLE }, { "unset", TAKES_VARIABLE }, { "mode", TAKES_MODE }, { "display", TAKES_DISPLAY },
        { "timing", TAKES_SWITCH }, { "x", TAKES_SWITCH }, { "pager", TAKES_SWITCH }, { "i", TAKES_FILE }, { "o", TAKES_FILE }, { "e", TAKES_FILE }, { "d", TAKES_RELATION }, { "d+", TAKES_RELATION },
    };
    Typed typed;
    if (!find_typed(text, length, &typed) || !typed.command)
        return TAKES_NOTHING;
    for (size_t i = 0; i < sizeof other / sizeof *other; i++)
        if (strcmp(typed.command->name, other[i].name) == 0)
            return other[i].takes;
    return TAKES_NOTHING;
}

void commands_complete(Arena *arena, const char *text, size_t cursor, Completions *completions)
{
    char mark = cursor ? text[0] : '\\';
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        const char *names[8] = { commands[i].name };
        for (int a = 0; commands[i].aliases && commands[i].aliases[a] && a < 6; a++)
            names[a + 1] = commands[i].aliases[a];
        for (int n = 0; names[n]; n++) {
            const char *name = arena_printf(arena, "%c%s", mark, names[n]);
            if (strncmp(name, text, cursor) == 0)
                LIST_ADD(arena, completions, ((Completion){ arena_printf(arena, "%s%s", name, commands[i].argument ? " " : ""), name }));
        }
    }
}

static void say_no_command(Shell *shell, const Typed *typed)
{
    const char *names[96];
    int count = 0;
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        names[count++] = commands[i].name;
        for (int a = 0; commands[i].aliases && commands[i].aliases[a]; a++)
            names[count++] = commands[i].aliases[a];
    }
    char given[64];
    snprintf(given, sizeof given, "%.*s", (int)typed->word_length, typed->word);
    const char *near = nearest_name(given, names, count);
    if (near)
        shell_say(shell, "no command '\\%s'; did you mean '\\%s'?", given, near);
    else
        shell_say(shell, "no command '\\%s'; \\? lists them", given);
}

void command_run(Shell *shell, const char *text, size_t length)
{
    Typed typed;
    if (!find_typed(text, length, &typed))
        return;
    if (!typed.command) {
        say_no_command(shell, &typed);
        return;
    }
    size_t from = typed.argument, to = length;
    while (to > from && (text[to - 1] == ' ' || text[to - 1] == '\n' || text[to - 1] == '\t' || text[to - 1] == ';'))
        to--;
    while (from < to && (text[from] == ' ' || text[from] == '\t'))
        from++;
    if (to - from >= 2 && (text[from] == '\'' || text[from] == '"') && text[to - 1] == text[from]) {
        from++;
        to--;
    }
    Text argument = { 0 };
    MEMORY_HOLD(text_unwind, &argument);
    text_add(&argument, text + from, to - from);
    typed.command->run(shell, typed.command, text_c(&argument));
    text_release(&argument);
}
