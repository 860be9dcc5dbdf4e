/* engine/bindings.c: --input and --output: what a query reads and writes that does not say it itself. */
#include <strings.h>

#include "engine/session_internal.h"

static void add_quoted(Text *text, const char *value, char quote)
{
    text_add_char(text, quote);
    for (; *value; value++) {
        if (*value == quote)
            text_add_char(text, quote);
        text_add_char(text, *value);
    }
    text_add_char(text, quote);
}

/* CREATE .. "name" and what `value` says of it. */
static void write_definition(const char *object, const char *name, const char *value, Text *sql)
{
    text_printf(sql, "CREATE %s ", object);
    add_quoted(sql, name, '"');
    if (*value == '(' || strncasecmp(value, "with", 4) == 0) {
        text_printf(sql, " %s", value);
        return;
    }
    text_add_c(sql, strcmp(value, "-") == 0 && strcmp(object, "TABLE") == 0 ? " WITH (connector = 'stdout', format = 'json'" : " WITH (path = ");
    if (sql->bytes[sql->length - 1] == ' ')
        add_quoted(sql, value, '\'');
    text_add_char(sql, ')');
}

/* There is no text that an error could be placed in. */
static Error *without_place(Error *error, const char *option, const char *name)
{
    for (Error *each = error; each; each = each->next) {
        error_context(each, "--%s %s", option, name);
        each->at = SPAN_NONE;
        if (each->code == ERR_PARSE || each->code == ERR_BIND || each->code == ERR_UNSUPPORTED)
            each->code = ERR_USAGE;
    }
    return error;
}

Error *session_input(Session *session, const char *name, const char *value)
{
    SessionOutput nowhere = { 0 };
    bool check_only = session->options.check_only;
    Text sql = { 0 };
    MEMORY_HOLD(text_unwind, &sql);
    write_definition("STREAM", name, value, &sql);
    session->options.check_only = false; /* the script is checked with it */
    Error *error = session_run(session, text_c(&sql), sql.length, &nowhere);
    session->options.check_only = check_only;
    text_release(&sql);
    return without_place(error, "input", name);
}

static Error *parse_output(Session *session, const char *text, size_t length)
{
    AstScript script = { 0 };
    TRY(session_parse(session, &session->arena, text, length, &script));
    if (script.statement_count != 1 || script.statements[0]->kind != AST_STMT_CREATE_SOURCE || script.statements[0]->create->columns.count)
        return error_new(ERR_USAGE, "expected a path or WITH (..): the query gives the columns");
    planner_output(session->planner, script.statements[0]);
    return NULL;
}

Error *session_output(Session *session, const char *name, const char *value)
{
    Text sql = { 0 };
    MEMORY_HOLD(text_unwind, &sql);
    write_definition("TABLE", name, value, &sql);
    Error *error;
    MEMORY_GUARDED(error, parse_output(session, arena_strndup(&session->arena, text_c(&sql), sql.length), sql.length));
    text_release(&sql);
    return without_place(error, "output", name);
}
