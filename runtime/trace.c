/* runtime/trace.c: spans of what the runtime does: statements, starts of queries, turns. */
#include <ctype.h>
#include <string.h>

#include "runtime/execute.h"

/* A name of few: what kind of statement it is. */
static const char *operation_of(const AstStatement *statement)
{
    switch (statement->kind) {
    case AST_STMT_QUERY: return "SELECT";
    case AST_STMT_CREATE_SOURCE: return "CREATE";
    case AST_STMT_CREATE_AS: return "CREATE AS";
    case AST_STMT_CREATE_VIEW: return "CREATE VIEW";
    case AST_STMT_CREATE_TYPE: return "CREATE TYPE";
    case AST_STMT_CREATE_FUNCTION: return "CREATE FUNCTION";
    case AST_STMT_INSERT_QUERY: return "INSERT INTO";
    case AST_STMT_INSERT_VALUES: return "INSERT VALUES";
    case AST_STMT_STATEMENT_SET: return "STATEMENT SET";
    case AST_STMT_DROP: return "DROP";
    case AST_STMT_ALTER: return "ALTER";
    case AST_STMT_DESCRIBE: return "DESCRIBE";
    case AST_STMT_DESCRIBE_FUNCTION: return "DESCRIBE FUNCTION";
    case AST_STMT_SHOW: return "SHOW";
    case AST_STMT_EXPLAIN: return "EXPLAIN";
    case AST_STMT_SET: return "SET";
    case AST_STMT_UNSET: return "UNSET";
    case AST_STMT_DEFINE: return "DEFINE";
    case AST_STMT_UNDEFINE: return "UNDEFINE";
    case AST_STMT_TERMINATE: return "TERMINATE";
    case AST_STMT_PAUSE: return "PAUSE";
    case AST_STMT_RESUME: return "RESUME";
    case AST_STMT_PRINT: return "PRINT";
    case AST_STMT_RUN_SCRIPT: return "RUN SCRIPT";
    case AST_STMT_ASSERT: return "ASSERT";
    case AST_STMT_CONNECTOR: return "CONNECTOR";
    }
    return "OTHER";
}

/* ---- a statement's text, without what it is about: traces leave the house ---- */

static bool is_word(char c) { return isalnum((unsigned char)c) || c == '_' || c == '$' || (unsigned char)c >= 0x80; }

/* Behind the comment, the quoted text or the body between $$ that begins at `at`; `at`: none does. */
static size_t skip(const char *text, size_t length, size_t at)
{
    char c = text[at], next = at + 1 < length ? text[at + 1] : 0;
    const char *end = NULL;
    if (c == '-' && next == '-')
        end = memchr(text + at, '\n', length - at);
    else if (c == '/' && next == '*')
        end = memmem(text + at + 2, length - at - 2, "*/", 2);
    else if (c == '$' && next == '$')
        end = memmem(text + at + 2, length - at - 2, "$$", 2);
    else if (c != '\'')
        return at;
    if (c != '\'')
        return !end ? length : (size_t)(end - text) + (c == '-' ? 0 : 2);
    for (at++; at < length; at++) {
        if (text[at] != '\'')
            continue;
        if (at + 1 == length || text[at + 1] != '\'')
            return at + 1;
        at++;
    }
    return length;
}

/* With ? for each literal, and without comments. */
static void add_without_literals(Text *out, const char *text, size_t length)
{
    for (size_t at = 0; at < length;) {
        char c = text[at];
        size_t behind = skip(text, length, at);
        bool number = isdigit((unsigned char)c) && (at == 0 || !is_word(text[at - 1]));
        if (number)
            for (behind = at; behind < length && (is_word(text[behind]) || text[behind] == '.'); behind++)
                ;
        if (behind == at)
            behind = at + 1;
        if (number || c == '\'' || (c == '$' && behind > at + 1))
            text_add_char(out, '?');
        else if (behind == at + 1)
            text_add_char(out, c);
        at = behind;
    }
}

static void describe(TraceSpan *span, const char *operation, const char *sql, size_t length)
{
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    add_without_literals(&text, sql, length);
    trace_text(span, "db.system.name", "bidsql");
    trace_text(span, "db.operation.name", operation);
    trace_text_of(span, "db.query.text", text_c(&text), text.length);
    text_release(&text);
}

static Error *add_text(TraceSpan *span, Execution *execution)
{
    const char *sql = execution_text(execution);
    describe(span, operation_of(execution->statement), sql, strlen(sql));
    return NULL;
}

TraceSpan *trace_statement(Execution *execution, TraceScope *scope)
{
    TraceSpan *span = trace_begin(execution->runtime->options.tracer, operation_of(execution->statement), scope);
    Error *error = NULL;
    if (span)
        MEMORY_GUARDED(error, add_text(span, execution));
    error_free(error);
    return span;
}

static Error *add_select(TraceSpan *span, const char *text, size_t length)
{
    describe(span, "SELECT", text, length);
    return NULL;
}

TraceSpan *trace_select(Runtime *runtime, const char *text, size_t length, TraceScope *scope)
{
    TraceSpan *span = trace_begin(runtime->options.tracer, "SELECT", scope);
    Error *error = NULL;
    if (span)
        MEMORY_GUARDED(error, add_select(span, text, length));
    error_free(error);
    return span;
}

void trace_end_with(TraceSpan *span, TraceScope *scope, const Error *error)
{
    if (error)
        trace_fail(span, error->message);
    trace_end(span, scope);
}

TraceSpan *trace_query(Query *query, const char *name, TraceScope *scope)
{
    *scope = (TraceScope){ .entered = false };
    if (query->pull || query->hosted) /* of no life of their own: their SELECT has a span */
        return NULL;
    TraceSpan *span = trace_begin(query->runtime->options.tracer, name, scope);
    trace_text(span, "bidsql.query.id", query->id);
    trace_text(span, "bidsql.query.type", query->persistent ? "persistent" : "push");
    trace_text(span, "bidsql.query.sink", query->sink);
    query->started_in = trace_current();
    return span;
}

/* ---- turns: of each query one in a while ---- */

static void trace_turn(Query *query, const JobCounters *before, const Error *error, int64_t took_ns)
{
    JobCounters after;
    TraceContext context;
    TraceSpan *span = trace_start(query->runtime->options.tracer, TRACE_INTERNAL, "query turn", NULL, &context);
    job_counters(query->job, &after);
    trace_backdate(span, took_ns);
    trace_link(span, &query->started_in);
    trace_text(span, "bidsql.query.id", query->id);
    trace_number(span, "bidsql.turn.number", (int64_t)after.turns);
    trace_number(span, "bidsql.turn.rows_in", (int64_t)(after.rows_in - before->rows_in));
    trace_number(span, "bidsql.turn.rows_out", (int64_t)(after.rows_out - before->rows_out));
    trace_number(span, "bidsql.turn.bytes_in", (int64_t)(after.bytes_in - before->bytes_in));
    trace_number(span, "bidsql.turn.bytes_out", (int64_t)(after.bytes_out - before->bytes_out));
    trace_number(span, "bidsql.turn.late_rows", (int64_t)(after.late_rows - before->late_rows));
    trace_number(span, "bidsql.turn.bad_rows", (int64_t)(after.bad_rows - before->bad_rows));
    if (error)
        trace_fail(span, error->message);
    trace_finish(span);
}

Error *step_traced(Query *query, JobStep *step)
{
    Runtime *runtime = query->runtime;
    int64_t interval_us = runtime->options.trace_turn_interval_us, now_us = interval_us < 0 ? 0 : runtime_now(runtime);
    if (interval_us < 0 || now_us < query->next_trace_us)
        return job_step(query->job, 1, step);
    JobCounters before;
    job_counters(query->job, &before);
    int64_t start_ns = trace_clock_ns();
    Error *error = job_step(query->job, 1, step);
    int64_t took_ns = trace_clock_ns() - start_ns;
    JobCounters after;
    job_counters(query->job, &after);
    if (after.turns != before.turns || error) {
        query->next_trace_us = now_us + interval_us;
        trace_turn(query, &before, error, took_ns);
    }
    return error;
}
