/* engine/check.c: all that is wrong with a script, said before any of it runs.
 *
 * Every statement is planned, in order, on a copy of the planner. An error is told unless it follows from an earlier one: a statement that names
 * something whose making failed, or did not even parse, is silent, and so is what it would have made. What only running can show is not judged: files and databases
 * that an earlier statement writes, things that cannot be opened, assertions. */
#include "engine/mistakes.h"
#include "engine/session_internal.h"

typedef struct Check {
    Session *session;
    Planner *planner;            /* the copy */
    Arena arena;
    Mistakes mistakes;           /* in the arena */
    Error *errors[SCRIPT_DEPTH_MAX + 1]; /* of the scripts that run each other, the outermost first */
    int depth;
    Error *error;                /* of the statement at hand: known here while it is looked at */
    Error *broken;               /* of statements that do not parse */
    /* what DEFINE and SET change in the session and is put back */
    SessionOptions options;
    const char **values; int variable_count;
} Check;

/* Errors of SQL. The rest shows when the script runs; --check, which runs nothing, tells it as well. */
static bool is_judged(const Check *check, const Error *error)
{
    switch (error->code) {
    case ERR_PARSE: case ERR_BIND: case ERR_UNSUPPORTED: return true;
    case ERR_CONNECT: case ERR_IO: case ERR_ASSERT: return check->session->options.check_only && !planner_outside_changed(check->planner);
    default: return false;
    }
}

/* ---- statements ---- */

static Error *check_script(Check *check, const AstScript *script);

static void begin_text(Check *check) { planner_begin_text(check->planner); }

static Error *take_errors(Check *check)
{
    Error *errors = check->errors[check->depth];
    check->errors[check->depth] = NULL;
    return errors;
}

static Error *check_file_parts(Check *check, const char *path, Span at, Text *text)
{
    AstScript script = { 0 };
    Error *error = session_open_script(check->session, &check->arena, path, text);
    if (error) {
        error->code = ERR_CONNECT;
        error->at = at;
        return error;
    }
    error = session_parse(check->session, &check->arena, text->bytes ? text->bytes : "", text->length, &script);
    begin_text(check);
    if (!error)
        error = check_script(check, &script);
    begin_text(check);
    if (!error)
        error = take_errors(check);
    return session_script_error(error, path, text->bytes, text->length, at);
}

static Error *check_file(Check *check, const char *path, Span at)
{
    if (check->depth >= SCRIPT_DEPTH_MAX)
        return error_at(ERR_BIND, at, "scripts run each other more than %d deep", SCRIPT_DEPTH_MAX);
    const char *outer = check->session->script_directory;
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    check->depth++;
    Error *error = check_file_parts(check, path, at, &text);
    check->depth--;
    check->session->script_directory = outer;
    text_release(&text);
    return error;
}

static Error *check_planned(Check *check, Arena *arena, const AstStatement *statement, const PlannedStatement *planned)
{
    switch (planned->kind) {
    case PLANNED_SETTING: return session_apply_setting(check->session, arena, planned);
    case PLANNED_VARIABLE:
        session_variable(check->session, planned->variable.name, planned->variable.value);
        return NULL;
    case PLANNED_SCRIPT:
        planner_job_clear(check->planner);
        return check_file(check, planned->path, statement->at);
    case PLANNED_JOB_PART:
        planner_outside_changes(check->planner);
        return NULL;
    case PLANNED_DONE:
        if (planned->delete_topic.name)
            planner_outside_changes(check->planner);
        return NULL;
    case PLANNED_QUERY: case PLANNED_ROWS: case PLANNED_SHOW: case PLANNED_QUESTION: case PLANNED_ASSERTION: case PLANNED_TOPICS: case PLANNED_AFTER_JOB:
        return NULL;
    }
    return NULL;
}

static Error *check_in(Check *check, Arena *arena, const AstStatement *statement)
{
    PlannedStatement planned = { 0 };
    TRY(planner_statement(check->planner, arena, statement, &planned));
    if (planned.kind == PLANNED_AFTER_JOB) {
        planner_job_clear(check->planner); /* its statements have been planned, each by itself */
        TRY(planner_statement(check->planner, arena, statement, &planned));
    }
    return check_planned(check, arena, statement, &planned);
}

static Error *check_statement(Check *check, const AstStatement *statement)
{
    Arena arena;
    arena_init(&arena, &check->session->pool);
    MEMORY_HOLD(arena_unwind, &arena);
    Error *error = check_in(check, &arena, statement);
    arena_release(&arena);
    return error;
}

/* Gives up only where nothing more can be said: memory, Ctrl-C. */
static Error *check_script(Check *check, const AstScript *script)
{
    for (int i = 0; i < script->statement_count; i++) {
        if (check->session->interrupted)
            return error_new(ERR_INTERRUPTED, "interrupted");
        Error *error = check_statement(check, script->statements[i]);
        if (!error)
            continue;
        if (error->code == ERR_MEMORY)
            return error;
        check->error = error;
        const bool told = mistakes_note(&check->mistakes, script->statements[i]) && is_judged(check, error);
        check->error = NULL;
        if (told)
            check->errors[check->depth] = error_append(check->errors[check->depth], error);
        else
            error_free(error);
    }
    planner_job_clear(check->planner);
    return NULL;
}

static void leave(void *what)
{
    Check *check = what;
    Session *session = check->session;
    for (int depth = 0; depth <= SCRIPT_DEPTH_MAX; depth++)
        error_free(check->errors[depth]);
    error_free(check->error);
    error_free(check->broken);
    if (check->planner)
        planner_free(check->planner);
    session->options = check->options;
    session->variable_names.count = session->variable_values.count = check->variable_count;
    for (int i = 0; i < check->variable_count; i++)
        session->variable_values.items[i] = check->values[i];
    arena_release(&check->arena);
}

Error *session_check(Session *session, const AstScript *script, const SessionText *text, Error *broken)
{
    Check check = { .session = session, .options = session->options, .broken = broken };
    arena_init(&check.arena, &session->pool);
    check.mistakes.arena = &check.arena;
    MEMORY_HOLD(leave, &check);
    if (broken && (broken->code != ERR_PARSE || !mistakes_note_unparsed(&check.mistakes, script, text->bytes, text->length, broken))) {
        check.broken = NULL;
        leave(&check);
        return broken;
    }
    check.values = ARENA_ARRAY(&check.arena, const char *, (size_t)session->variable_names.count + 1);
    check.variable_count = session->variable_names.count;
    for (int i = 0; i < check.variable_count; i++)
        check.values[i] = session->variable_values.items[i];
    check.planner = planner_copy(session->planner);
    planner_only_tries(check.planner);
    Error *error = check_script(&check, script);
    if (!error)
        error = errors_in_order(broken, take_errors(&check));
    else
        error_free(broken);
    check.broken = NULL;
    leave(&check);
    return error;
}
