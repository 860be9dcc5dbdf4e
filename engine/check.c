/* engine/check.c: all that is wrong with a script, said before any of it runs.
 *
 * Every statement is planned, in order, on a copy of the planner. An error is told unless it follows from an earlier one: a statement that names
 * something whose making failed, or did not even parse, is silent, and so is what it would have made. What only running can show is not judged: files and databases
 * that an earlier statement writes, things that cannot be opened, assertions. */
#include <ctype.h>

#include "engine/session_internal.h"

typedef struct NameList { const char **items; int count, capacity; } NameList;

typedef struct Check {
    Session *session;
    Planner *planner;            /* the copy */
    Arena arena;
    NameList failed;             /* what is not there because of an error before */
    Error *errors[SCRIPT_DEPTH_MAX + 1]; /* of the scripts that run each other, the outermost first */
    int depth;
    Error *error;                /* of the statement at hand: known here while it is looked at */
    Error *broken;               /* of statements that do not parse */
    /* what DEFINE and SET change in the session and is put back */
    SessionOptions options;
    const char **values; int variable_count;
} Check;

/* ---- what a statement names ---- */

/* Names and texts in the statement as it is printed: ${variables} are replaced there. */
static NameList statement_words(Arena *arena, const AstStatement *statement)
{
    NameList words = { 0 };
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    ast_print_statement(statement, &text);
    for (const char *at = text_c(&text); *at;) {
        unsigned char first = (unsigned char)*at;
        const char *start = at++;
        if (first == '"' || first == '`' || first == '\'') {
            while (*at && *at != *start)
                at++;
            LIST_ADD(arena, &words, arena_strndup(arena, start + 1, (size_t)(at - start) - 1));
            at += *at != 0;
        } else if (isalpha(first) || first == '_' || first >= 0x80) {
            while (isalnum((unsigned char)*at) || *at == '_' || *at == '$' || (unsigned char)*at >= 0x80)
                at++;
            LIST_ADD(arena, &words, arena_strndup(arena, start, (size_t)(at - start)));
        }
    }
    text_release(&text);
    return words;
}

static bool names_failed(const Check *check, const NameList *words)
{
    for (int w = 0; w < words->count; w++)
        for (int f = 0; f < check->failed.count; f++)
            if (name_equal(words->items[w], check->failed.items[f]))
                return true;
    return false;
}

/* What is not there, or not as it should be, because the statement failed: what it makes, changes or drops, and the streams of late and bad rows. */
static void note_failed(Check *check, const AstStatement *statement, const NameList *words)
{
    const char *made = statement->create ? statement->create->name.text : NULL;
    if (statement->kind == AST_STMT_ALTER || statement->kind == AST_STMT_DROP)
        made = statement->name.text;
    if (made)
        LIST_ADD(&check->arena, &check->failed, made);
    for (int w = 1; w < words->count; w++) {
        const char *before = words->items[w - 1];
        bool late = name_equal(before, "late_into") || (name_equal(before, "into") && w > 1 && name_equal(words->items[w - 2], "late"));
        if (late || name_equal(before, "dead_letter"))
            LIST_ADD(&check->arena, &check->failed, words->items[w]);
    }
}

/* The error at hand is told, or forgotten, and what the statement would have made is not there. */
static void note_failed_after(Check *check, const AstStatement *statement, const NameList *words, bool told)
{
    Error *error = check->error;
    check->error = NULL;
    if (told)
        check->errors[check->depth] = error_append(check->errors[check->depth], error);
    else
        error_free(error);
    note_failed(check, statement, words);
}

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
        NameList words = statement_words(&check->arena, script->statements[i]);
        note_failed_after(check, script->statements[i], &words, is_judged(check, error) && !names_failed(check, &words));
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

/* ---- beside statements that do not parse ---- */

static const char *next_word(Arena *arena, const char **at, const char *end)
{
    while (*at < end && !isalpha((unsigned char)**at) && **at != '_' && **at != '"' && **at != '`')
        ++*at;
    const char *start = *at;
    const bool quoted = start < end && (*start == '"' || *start == '`');
    if (start == end)
        return NULL;
    do
        ++*at;
    while (*at < end && (quoted ? **at != *start : isalnum((unsigned char)**at) || **at == '_' || **at == '$'));
    const char *word = arena_strndup(arena, start + quoted, (size_t)(*at - start) - quoted);
    *at += quoted && *at < end;
    return word;
}

static bool is_one_of(const char *word, const char *const words[])
{
    for (int i = 0; words[i]; i++)
        if (name_equal(word, words[i]))
            return true;
    return false;
}

/* What a text between two statements would have made is not there. False: it could have changed what the others mean. */
static bool note_broken(Check *check, const char *at, const char *end)
{
    static const char *const changing[] = { "SET", "UNSET", "RESET", "DEFINE", "UNDEFINE", "RUN", NULL };
    static const char *const objects[] = { "STREAM", "TABLE", "VIEW", "TYPE", "FUNCTION", "INTO", NULL }, *const between[] = { "IF", "NOT", "EXISTS", NULL };
    const char *word = next_word(&check->arena, &at, end);
    if (word && is_one_of(word, changing))
        return false;
    for (; word; word = next_word(&check->arena, &at, end)) {
        if (!is_one_of(word, objects))
            continue;
        do
            word = next_word(&check->arena, &at, end);
        while (word && is_one_of(word, between));
        if (!word)
            break;
        LIST_ADD(&check->arena, &check->failed, word);
    }
    return true;
}

static bool note_all_broken(Check *check, const AstScript *script, const SessionText *text, const Error *broken)
{
    for (const Error *each = broken; each; each = each->next) {
        size_t from = 0, to = text->length;
        for (int i = 0; i < script->statement_count; i++) {
            const Span at = script->statements[i]->at;
            if (at.start + at.length <= each->at.start && at.start + at.length > from)
                from = at.start + at.length;
            if (at.start > each->at.start && at.start < to)
                to = at.start;
        }
        if (!note_broken(check, text->bytes + from, text->bytes + to))
            return false;
    }
    return true;
}

/* Both, by their places. */
static Error *in_order(Error *broken, Error *found)
{
    Error *all = NULL;
    while (broken || found) {
        Error **first = !found || (broken && broken->at.start <= found->at.start) ? &broken : &found, *error = *first;
        *first = error->next;
        error->next = NULL;
        all = error_append(all, error);
    }
    return all;
}

Error *session_check(Session *session, const AstScript *script, const SessionText *text, Error *broken)
{
    Check check = { .session = session, .options = session->options, .broken = broken };
    arena_init(&check.arena, &session->pool);
    MEMORY_HOLD(leave, &check);
    if (broken && (broken->code != ERR_PARSE || !note_all_broken(&check, script, text, broken))) {
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
        error = in_order(broken, take_errors(&check));
    else
        error_free(broken);
    check.broken = NULL;
    leave(&check);
    return error;
}
