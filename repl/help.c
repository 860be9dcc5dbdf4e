/* repl/help.c: a row a statement; a test parses every example. */
#include "repl/help.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "repl/commands.h"
#include "terminal/raw_mode.h"

static const StatementHelp statements[] = {
    { "ALTER", "ALTER STREAM | TABLE name ADD COLUMN column type [, ..]", "Adds columns at the end.", "ALTER STREAM bids ADD COLUMN channel STRING" },
    { "ASSERT", "ASSERT VALUES stream (columns) VALUES (..)\nASSERT NULL VALUES table (keys) KEY (..)\nASSERT STREAM | TABLE name (columns) WITH (..)\nASSERT [NOT EXISTS] TOPIC name",
      "Fails unless what it says holds: for scripts that check themselves.", "ASSERT VALUES bids (auction, price) VALUES (1, 10.5)" },
    { "CREATE STREAM", "CREATE [OR REPLACE] [SOURCE] STREAM [IF NOT EXISTS] name (\n    column type [KEY | NOT NULL | DEFAULT e | METADATA [FROM 'x'] | HEADERS], ..\n    [, column AS expression]\n    [, WATERMARK FOR column AS expression]\n) [WITH (property = value, ..)] [AS SELECT ..]",
      "Declares rows that are only added: where they come from, their columns, their event time. With AS it is filled by a query.",
      "CREATE STREAM bids (auction BIGINT, price DOUBLE, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH (connector = 'file', path = 'bids.jsonl', format = 'json')" },
    { "CREATE TABLE", "CREATE [OR REPLACE] [SOURCE] TABLE [IF NOT EXISTS] name (\n    column type [PRIMARY KEY] [, ..] [, PRIMARY KEY (..) [NOT ENFORCED]]\n) [WITH (property = value, ..)] [AS SELECT ..]",
      "Declares rows that are known by a key: a newer one takes an older one's place. With connector 'sqlite' a table to look things up in.",
      "CREATE TABLE users (id BIGINT PRIMARY KEY, name STRING) WITH (connector = 'sqlite', path = 'ref.db', table = 'users')" },
    { "CREATE VIEW", "CREATE [OR REPLACE] [TEMPORARY] VIEW name AS SELECT ..", "A name for a query.", "CREATE VIEW dear AS SELECT * FROM bids WHERE price > 100" },
    { "CREATE TYPE", "CREATE TYPE [IF NOT EXISTS] name AS type", "A name for a type.", "CREATE TYPE address AS STRUCT<street STRING, city STRING>" },
    { "CREATE FUNCTION", "CREATE FUNCTION name(parameter type, ..) RETURNS type\n    LANGUAGE SQL | LUA AS '..' | $$ .. $$", "A function of your own: an expression, or a script in Lua.",
      "CREATE FUNCTION with_tax(price DOUBLE) RETURNS DOUBLE LANGUAGE SQL AS 'price * 1.08'" },
    { "DEFINE", "DEFINE name = 'value'", "A variable: ${name} stands for its value from now on.", "DEFINE day = '2026-01-01'" },
    { "DESCRIBE", "DESCRIBE [EXTENDED] name\nDESCRIBE FUNCTION name", "Columns, and with EXTENDED everything else.", "DESCRIBE EXTENDED bids" },
    { "DROP", "DROP STREAM | TABLE | VIEW | TYPE | FUNCTION [IF EXISTS] name [DELETE TOPIC]", "Removes what nothing else needs.", "DROP STREAM IF EXISTS bids" },
    { "EXECUTE STATEMENT SET", "EXECUTE STATEMENT SET BEGIN insert; ..; END", "Several INSERTs as one job that reads each source once.",
      "EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT * FROM bids; INSERT INTO b SELECT * FROM bids; END" },
    { "EXPLAIN", "EXPLAIN [EXTENDED | ANALYZE | WHY NO OUTPUT] query", "The plan; with ANALYZE what each part did; WHY NO OUTPUT looks for the reason that a query is silent.",
      "EXPLAIN ANALYZE SELECT COUNT(*) FROM bids" },
    { "INSERT", "INSERT INTO name [(columns)] SELECT .. | VALUES (..), ..", "Writes rows. INSERT INTO .. SELECT goes on as long as its input.", "INSERT INTO alerts SELECT * FROM bids WHERE price > 1000" },
    { "PAUSE", "PAUSE query_id | ALL", "Stops a query; it keeps its state.", "PAUSE ctas_totals_1" },
    { "PRINT", "PRINT topic [FROM BEGINNING] [INTERVAL n] [LIMIT n]", "The messages of a topic as they are.", "PRINT bids FROM BEGINNING LIMIT 3" },
    { "RESET", "RESET ['setting']", "One setting, or all, as they were at the start.", "RESET" },
    { "RESUME", "RESUME query_id | ALL", "A paused query goes on.", "RESUME ctas_totals_1" },
    { "RUN SCRIPT", "RUN SCRIPT 'file'", "Runs the statements of a file.", "RUN SCRIPT 'setup.sql'" },
    { "SELECT", "[WITH name AS (query), ..] SELECT [DISTINCT] items FROM source [joins]\n    [WINDOW TUMBLING | HOPPING | SESSION (..)] [WHERE ..] [GROUP BY ..] [HAVING ..] [QUALIFY ..]\n    [ORDER BY ..] [EMIT CHANGES | FINAL] [LIMIT n]",
      "A query. Over a file it ends; over a topic, or with EMIT CHANGES, it goes on until Ctrl-C.",
      "SELECT auction, COUNT(*) AS bids FROM bids WINDOW TUMBLING (SIZE 1 MINUTE) GROUP BY auction" },
    { "SET", "SET 'setting' = 'value'", "Changes a setting of this session; SHOW PROPERTIES lists them.", "SET 'dialect' = 'flink'" },
    { "SHOW", "SHOW STREAMS | TABLES | VIEWS | QUERIES | TOPICS | FUNCTIONS | TYPES | VARIABLES | PROPERTIES | LAG [EXTENDED] [LIKE 'x%']", "Lists what there is. LIST says the same.", "SHOW STREAMS" },
    { "TERMINATE", "TERMINATE query_id | ALL", "Ends a query; its state goes.", "TERMINATE ctas_totals_1" },
    { "UNDEFINE", "UNDEFINE name", "Forgets a variable.", "UNDEFINE day" },
    { "UNSET", "UNSET 'setting'", "A setting as it was at the start.", "UNSET 'dialect'" },
    { "VALUES", "VALUES (..), ..", "Rows that are written down.", "VALUES (1, 'a'), (2, 'b')" },
};

const StatementHelp *help_statements(int *count)
{
    *count = (int)(sizeof statements / sizeof *statements);
    return statements;
}

static void show_statement(Shell *shell, const StatementHelp *help)
{
    shell_say(shell, "%s\n\n%s\n\nFor example:\n    %s;\n", help->syntax, help->doc, help->example);
}

static void add_command(Text *out, const Command *command)
{
    char left[40];
    snprintf(left, sizeof left, "\\%s%s%s", command->name, command->argument ? " " : "", command->argument ? command->argument : "");
    text_printf(out, "  %-24s %s\n", left, command->help);
}

/* Words in lines that fit the terminal. */
static void add_words(Text *out, int columns)
{
    size_t line = 0;
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        const size_t length = strlen(statements[i].name) + 2;
        if (line && line + length > (size_t)columns) {
            text_add_char(out, '\n');
            line = 0;
        }
        text_printf(out, "%s%s%s", line ? "" : "  ", statements[i].name, i + 1 < sizeof statements / sizeof *statements ? ", " : "\n");
        line += length + (line ? 0 : 2);
    }
}

static void show_all(Shell *shell)
{
    int count, columns, rows;
    const Command *commands = commands_all(&count);
    Text out = { 0 };
    MEMORY_HOLD(text_unwind, &out);
    terminal_size(1, &columns, &rows);
    text_add_c(&out, "Statements end with ';'. \\? NAME tells of a statement, a function or a command:\n\n");
    add_words(&out, columns);
    text_add_c(&out, "\nCommands (\\x and .x are the same):\n");
    for (int i = 0; i < count; i++)
        add_command(&out, &commands[i]);
    text_add_c(&out, "\nKeys: Tab completes, Ctrl-R searches the history, Alt-Enter begins a line,\nCtrl-X Ctrl-E opens $EDITOR, Ctrl-C drops the input or ends the query, Ctrl-D leaves.\n");
    shell_page(shell, text_c(&out), out.length);
    text_release(&out);
}

static void show_command(Shell *shell, const Command *command)
{
    Text line = { 0 };
    MEMORY_HOLD(text_unwind, &line);
    add_command(&line, command);
    shell_page(shell, text_c(&line), line.length);
    text_release(&line);
}

static bool show_function(Shell *shell, const char *name)
{
    Arena arena;
    arena_init(&arena, NULL);
    MEMORY_HOLD(arena_unwind, &arena);
    bool known = shell->backend->type->usage(shell->backend, &arena, name) != NULL;
    if (known) {
        const char *sql = arena_printf(&arena, "DESCRIBE FUNCTION %s;", name);
        OutputMode mode = shell->mode;
        shell->mode = OUTPUT_VERTICAL;
        shell_execute(shell, "help", sql, strlen(sql));
        shell->mode = mode;
    }
    arena_release(&arena);
    return known;
}

void help_show(Shell *shell, const char *topic)
{
    if (!*topic) {
        show_all(shell);
        return;
    }
    bool found = false;
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++)
        if (strncasecmp(statements[i].name, topic, strlen(topic)) == 0 && (!statements[i].name[strlen(topic)] || statements[i].name[strlen(topic)] == ' ')) {
            show_statement(shell, &statements[i]);
            found = true;
        }
    int count;
    const Command *commands = commands_all(&count);
    const char *name = topic[0] == '\\' || topic[0] == '.' ? topic + 1 : topic;
    for (int i = 0; i < count; i++)
        if (strcmp(commands[i].name, name) == 0 && (!found || name != topic)) {
            show_command(shell, &commands[i]);
            found = true;
        }
    if (show_function(shell, topic) || found)
        return;
    const char *names[64];
    int known = 0;
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++)
        names[known++] = statements[i].name;
    const char *near = nearest_name(topic, names, known);
    shell_say(shell, near ? "no statement, function or command '%s'; did you mean '%s'?" : "no statement, function or command '%s'", topic, near);
}
