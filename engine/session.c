/* engine/session.c: a session drives scripts: parse all, then plan and run statement by statement.
 *
 * Everything that INSERT INTO and CREATE .. AS put into the pending job runs as one job before the next SELECT, or at the end of the text. */
#include "connectors/schema_registries.h"
#include "common/calendar.h"
#include "common/secrets.h"
#include "engine/session_internal.h"
#include "engine/status.h"

#include <stdio.h>
#include <unistd.h>

#include "common/decimal.h"

/* ---- life ---- */

static Error *session_alloc(Session **session)
{
    *session = mem_calloc(1, sizeof **session);
    return NULL;
}

Error *session_enter(Session *session) { return session->host.planner ? session->host.enter(session->host.caller) : NULL; }

void session_leave(Session *session)
{
    if (session->host.planner)
        session->host.leave(session->host.caller);
}

static Error *session_open(Session *session)
{
    if (session->host.planner) {
        session->planner = session->host.planner;
        return NULL;
    }
    PlannerOptions options = { .connectors = &session->connectors };
    session->planner = planner_new(&options);
    if (session->options.rewrites_off)
        TRY(session_set(session, "planner.rewrite.all", "off"));
    if (session->options.dialect)
        TRY(session_set(session, "dialect", session->options.dialect));
    return NULL;
}

Error *session_new(const SessionOptions *options, Session **session) { return session_new_in(NULL, options, session); }

Error *session_new_in(const SessionHost *host, const SessionOptions *options, Session **result)
{
    Session *session;
    Error *error;
    MEMORY_GUARDED(error, session_alloc(&session));
    if (error)
        return error;
    session->options = *options;
    if (host)
        session->host = *host;
    if (!session->options.clock)
        session->options.clock = clock_system();
    if (!session->options.filesystem)
        session->options.filesystem = filesystem_system();
    if (session->options.threads <= 0) {
        long cores = sysconf(_SC_NPROCESSORS_ONLN);
        session->options.threads = cores > 0 ? (int)cores : 1;
        session->threads_by_default = true;
    }
    pool_init(&session->pool, NULL, "session", 0);
    arena_init(&session->arena, &session->pool);
    session->connectors = (ConnectorContext){ .filesystem = session->options.filesystem, .clock = session->options.clock,
        .pool = &session->pool, .base_directory = session->options.base_directory, .batch_mode = true, .topics = session->options.topics };
    MEMORY_GUARDED(error, session_open(session));
    if (error) {
        session_free(session);
        return error;
    }
    *result = session;
    return NULL;
}

void session_free(Session *session)
{
    if (!session)
        return;
    if (!session->host.planner)
        planner_free(session->planner);
    session_free_held(session);
    for (int i = 0; i < session->texts.count; i++) {
        if (session->texts.items[i])
            arena_release(session->texts.items[i]);
        mem_free(session->texts.items[i]);
    }
    arena_release(&session->arena);
    mem_free(session);
}

/* ---- settings and variables ---- */

static Error *set_number(const char *name, const char *value, Span at, int64_t minimum, int64_t maximum, int64_t *number)
{
    if (!int64_parse(value, strlen(value), number) || *number < minimum || *number > maximum)
        return error_at(ERR_BIND, at, "'%s' wants a number from %lld to %lld, not '%s'", name, (long long)minimum, (long long)maximum, value);
    return NULL;
}

/* The settings that are the session's own. *known: it is one of them. */
static Error *set_own(Session *session, const char *name, const char *value, Span value_at, bool *known)
{
    int64_t number = 0;
    *known = true;
    if (option_name_equal(name, "exec.threads")) {
        if (value)
            TRY(set_number(name, value, value_at, 1, 256, &number));
        session->options.threads = number ? (int)number : (int)sysconf(_SC_NPROCESSORS_ONLN);
        session->threads_by_default = !number;
    } else if (option_name_equal(name, "exec.batch_rows")) {
        if (value)
            TRY(set_number(name, value, value_at, 1, BATCH_ROWS, &number));
        session->options.batch_rows = (uint32_t)number;
    } else if (option_name_equal(name, "exec.memory_limit")) {
        if (value && (!bytes_parse(value, &number) || number < 0))
            return error_at(ERR_BIND, value_at, "'%s' wants a size such as 512MiB, not '%s'", name, value);
        session->options.memory_limit_bytes = number;
    } else if (option_name_equal(name, "max_errors")) {
        if (value)
            TRY(set_number(name, value, value_at, 0, INT64_MAX, &number));
        session->options.max_bad_rows = value ? (uint64_t)number : UINT64_MAX;
    } else {
        *known = false;
    }
    return NULL;
}

static const char *const own_settings[] = { "exec.threads", "exec.batch_rows", "exec.memory_limit", "max_errors" };
#define OWN_SETTING_COUNT 4

static Error *unknown_setting(Session *session, Arena *arena, const char *name, Span at)
{
    int count;
    const PlannerSetting *settings = planner_settings(session->planner, arena, &count);
    const char **names = ARENA_ARRAY(arena, const char *, (size_t)count + OWN_SETTING_COUNT);
    for (int i = 0; i < count; i++)
        names[i] = settings[i].name;
    for (int i = 0; i < OWN_SETTING_COUNT; i++)
        names[count + i] = own_settings[i];
    return error_suggest(error_at(ERR_BIND, at, "no setting '%s'", name), name, names, count + OWN_SETTING_COUNT);
}

Error *session_check_setting(const Session *session, Arena *arena, const PlannedStatement *planned)
{
    Session trial = { .options = session->options, .planner = session->planner };
    bool known = planned->setting.known || planned->setting.all;
    if (!known)
        TRY(set_own(&trial, planned->setting.name, planned->setting.value, planned->setting.value_at, &known));
    return known ? NULL : unknown_setting(&trial, arena, planned->setting.name, planned->setting.name_at);
}

Error *session_apply_setting(Session *session, Arena *arena, const PlannedStatement *planned)
{
    bool known = planned->setting.known;
    for (int i = 0; planned->setting.all && i < OWN_SETTING_COUNT; i++)
        TRY(set_own(session, own_settings[i], NULL, SPAN_NONE, &known));
    if (!known)
        TRY(set_own(session, planned->setting.name, planned->setting.value, planned->setting.value_at, &known));
    return known ? NULL : unknown_setting(session, arena, planned->setting.name, planned->setting.name_at);
}

static Error *set_any(Session *session, const char *name, const char *value)
{
    bool known;
    TRY(set_own(session, name, value, SPAN_NONE, &known));
    if (!known)
        TRY(planner_set(session->planner, name, value, SPAN_NONE, SPAN_NONE, &known));
    return known ? NULL : unknown_setting(session, &session->arena, name, SPAN_NONE);
}

Error *session_set(Session *session, const char *name, const char *value)
{
    Error *error = session_enter(session);
    if (!error)
        MEMORY_GUARDED(error, set_any(session, name, value));
    session_leave(session);
    if (error && error->code == ERR_BIND)
        error->code = ERR_USAGE; /* there is no SQL text that it could be placed in */
    return error;
}

void session_variable(Session *session, const char *name, const char *value)
{
    for (int i = 0; i < session->variable_names.count; i++)
        if (strcmp(session->variable_names.items[i], name) == 0) {
            session->variable_values.items[i] = value ? arena_strdup(&session->arena, value) : NULL;
            return;
        }
    LIST_ADD(&session->arena, &session->variable_names, arena_strdup(&session->arena, name));
    LIST_ADD(&session->arena, &session->variable_values, value ? arena_strdup(&session->arena, value) : NULL);
}

static Error *define_checked(Session *session, const char *name, const char *value)
{
    session_variable(session, name, value);
    return NULL;
}

Error *session_define(Session *session, const char *name, const char *value)
{
    Error *error;
    MEMORY_GUARDED(error, define_checked(session, name, value));
    return error;
}

/* ---- output ---- */

static void notice(const SessionOutput *output, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void notice(const SessionOutput *output, const char *format, ...)
{
    if (!output->notice)
        return;
    va_list args;
    va_start(args, format);
    char line[4096];
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    output->notice(output->caller, line);
}

Error *session_emit_rows(const SessionOutput *output, const PlannedRows *rows, const char *title)
{
    ResultInfo info = { .schema = &rows->schema, .title = title, .preformatted = rows->preformatted };
    if (output->begin)
        TRY(output->begin(output->caller, &info));
    Error *error = NULL;
    for (int first = 0; first < rows->row_count && !error; first += BATCH_ROWS) {
        int count = rows->row_count - first < BATCH_ROWS ? rows->row_count - first : BATCH_ROWS;
        Batch *batch = batch_for_schema(NULL, &rows->schema, (uint32_t)count);
        MEMORY_HOLD(batch_unwind, &batch);
        for (int row = 0; row < count; row++)
            for (int column = 0; column < rows->schema.column_count; column++)
                vector_set(&batch->arena, batch->columns[column], (uint32_t)row, &rows->rows[(first + row) * rows->schema.column_count + column]);
        batch->row_count = batch->selection.count = (uint32_t)count;
        if (output->rows)
            error = output->rows(output->caller, batch);
        batch_release(batch);
    }
    if (!error && output->end)
        error = output->end(output->caller);
    return error;
}

Error *session_emit_lines(const SessionOutput *output, const char *text, size_t length, const char *title)
{
    Arena arena;
    arena_init(&arena, NULL);
    MEMORY_HOLD(arena_unwind, &arena);
    Column column = { .name = "plan", .type = type_scalar(TYPE_VARCHAR) };
    struct { Value *items; int count, capacity; } lines = { 0 };
    for (size_t at = 0; at < length;) {
        const char *end = memchr(text + at, '\n', length - at);
        size_t size = end ? (size_t)(end - text) - at : length - at;
        LIST_ADD(&arena, &lines, ((Value){ .type = column.type, .text = str_view(text + at, size) }));
        at += size + 1;
    }
    PlannedRows rows = { .schema = { 1, &column }, .rows = lines.items, .row_count = lines.count, .preformatted = true };
    Error *error = session_emit_rows(output, &rows, title);
    arena_release(&arena);
    return error;
}

/* The text behind `--#` on the comment lines right before a statement, or NULL. */
static const char *title_before(Arena *arena, const char *text, uint32_t start)
{
    const char *title = NULL;
    size_t end = start;
    for (;;) {
        while (end > 0 && (text[end - 1] == ' ' || text[end - 1] == '\t'))
            end--;
        if (end == 0 || text[end - 1] != '\n')
            return title;
        size_t line_end = --end;
        while (end > 0 && text[end - 1] != '\n')
            end--;
        size_t at = end;
        while (at < line_end && (text[at] == ' ' || text[at] == '\t'))
            at++;
        if (line_end - at < 2 || text[at] != '-' || text[at + 1] != '-')
            return title;
        if (line_end - at > 3 && text[at + 2] == '#') {
            at += 3;
            while (at < line_end && text[at] == ' ')
                at++;
            title = arena_strndup(arena, text + at, line_end - at);
        }
    }
}

/* ---- jobs ---- */

static void add_counters(Session *session, Job *job)
{
    JobCounters counters;
    job_counters(job, &counters);
    session->counters.rows_in += counters.rows_in;
    session->counters.rows_out += counters.rows_out;
    session->counters.bad_rows += counters.bad_rows;
    session->counters.row_errors += counters.row_errors;
    session->counters.late_rows += counters.late_rows;
    session->counters.late_windows += counters.late_windows;
    int64_t peak = job_peak_bytes(job);
    if (peak > session->counters.peak_bytes)
        session->counters.peak_bytes = peak;
}

static void summarise(Job *job, const SessionOutput *output)
{
    const RowErrorSummary *errors;
    int count = job_row_errors(job, &errors);
    for (int i = 0; i < count; i++)
        notice(output, "%s: %llu bad row%s (%s): %s%s%s", errors[i].source, (unsigned long long)errors[i].count,
               errors[i].count == 1 ? "" : "s", errors[i].stage, errors[i].reason, *errors[i].place ? "; first at " : "", errors[i].place);
    JobCounters counters;
    job_counters(job, &counters);
    if (counters.late_rows)
        notice(output, "%llu row%s came too late%s", (unsigned long long)counters.late_rows, counters.late_rows == 1 ? "" : "s", counters.late_windows ? " for every window" : ", behind the watermark");
}

/* What the caller does with a notice may need memory. */
static Error *tell_counters(Session *session, Job *job, const SessionOutput *output)
{
    add_counters(session, job);
    summarise(job, output);
    uint64_t dropped = session->host.planner ? session->host.dropped(session->host.caller) : 0;
    if (dropped)
        notice(output, "%llu rows were dropped: they came faster than they were read", (unsigned long long)dropped);
    return NULL;
}

typedef struct Running { /* what on_rows needs */
    const SessionOutput *output;
} Running;

static Error *on_job_rows(void *caller, int output_index, const Batch *batch)
{
    (void)output_index; /* a query has one output without a connector */
    Running *running = caller;
    return running->output->rows ? running->output->rows(running->output->caller, batch) : NULL;
}

Error *session_run_plan(Session *session, const Plan *plan, const SessionOutput *output) { return session_run_profiled(session, plan, output, NULL); }

static Error *open_once(Session *session, const Plan *plan, const JobOptions *options, Job **job)
{
    return session->host.planner ? session->host.open(session->host.caller, plan, options, job) : job_open(plan, options, job);
}

#define LOOK_AGAIN_US 250000

/* A schema registry that is away may come back. */
static Error *open_job(Session *session, const Plan *plan, const JobOptions *options, Job **job)
{
    Clock *clock = session->options.clock;
    const int64_t since_us = clock->now_us(clock);
    Error *error;
    while ((error = open_once(session, plan, options, job)) != NULL && error->retriable && error->retry_us && !session->interrupted) {
        const int64_t now_us = clock->now_us(clock);
        if (now_us + LOOK_AGAIN_US - since_us > error->retry_us)
            return error_hint(error, "it was asked for %.1f s", (double)(now_us - since_us) / US_PER_SECOND);
        error_free(error);
        clock->sleep_until_us(clock, now_us + LOOK_AGAIN_US);
    }
    return error;
}

Error *session_run_profiled(Session *session, const Plan *plan, const SessionOutput *output, const JobLook *look)
{
    Running running = { output };
    JobOptions options = { .clock = session->options.clock, .filesystem = session->options.filesystem, .pool = &session->pool,
        .memory_limit_bytes = session->options.memory_limit_bytes, .threads = session->options.threads,
        .threads_by_default = session->threads_by_default,
        .batch_rows = session->options.batch_rows, .max_bad_rows = session->options.max_bad_rows,
        .base_directory = session->options.base_directory, .topics = session->options.topics, .profile = look != NULL,
        .until_quiet = (session->options.hold_jobs || session->options.until_quiet || (look && look->until_quiet)) && !plan->bounded,
        .turn_bytes = session->options.turn_bytes,
        .snapshot_every_turn = session->options.snapshot_every_turn, .shuffle_seed = session->options.shuffle_seed,
        .on_rows = on_job_rows, .caller = &running };
    Job *job;
    if (session->interrupted)
        return error_new(ERR_INTERRUPTED, "interrupted");
    TRY(open_job(session, plan, &options, &job));
    session->job = job;
    if (session->interrupted)
        job_stop(job);
    Error *error;
    MEMORY_GUARDED(error, job_run(job));
    session->job = NULL;
    while (session->job_watchers) /* somebody reads its progress: microseconds */
        usleep(10);
    Error *told;
    MEMORY_GUARDED(told, tell_counters(session, job, output));
    if (error)
        error_free(told);
    else
        error = told;
    if (look)
        MEMORY_GUARDED(error, look->look(look->caller, job, error));
    Error *closed = job_close(job);
    if (session->host.planner)
        session->host.closed(session->host.caller);
    if (!error)
        return closed;
    error_free(closed);
    return error;
}

static Error *explain_to(const Plan *plan, const SessionOutput *output, const char *title)
{
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    explain_plan(plan, &text);
    Error *error = session_emit_lines(output, text_c(&text), text.length, title);
    text_release(&text);
    return error;
}

static Error *run_query(Session *session, const Plan *plan, const SessionOutput *output, const char *title)
{
    if (session->options.explain_only)
        return explain_to(plan, output, title);
    if (session->options.check_only)
        return NULL;
    const PlanOutput *result = &plan->outputs[0];
    ResultInfo info = { .schema = &result->sink->schema, .title = title, .updating = result->updating, .continuous = !plan->bounded, .is_query = true };
    if (output->begin)
        TRY(output->begin(output->caller, &info));
    Error *error = session_run_plan(session, plan, output);
    Error *ended = output->end ? output->end(output->caller) : NULL; /* rows before an error are results, too */
    if (!error)
        return ended;
    error_free(ended);
    return error;
}

static Error *run_job_parts(Session *session, Arena *arena, const SessionOutput *output)
{
    Plan *plan = NULL;
    TRY(planner_job(session->planner, arena, &plan));
    if (plan && session->options.explain_only)
        return explain_to(plan, output, NULL);
    return plan && !session->options.check_only ? session_run_plan(session, plan, output) : NULL;
}

static Error *run_pending(Session *session, const SessionOutput *output)
{
    if (session->host.planner || !planner_job_pending(session->planner)) /* the host runs what goes on */
        return NULL;
    Arena arena;
    arena_init(&arena, &session->pool);
    Error *error;
    MEMORY_GUARDED(error, run_job_parts(session, &arena, output));
    arena_release(&arena);
    return error;
}

/* What ends by itself runs at once. */
static Error *hold_job(Session *session, const AstStatement *statement, const SessionOutput *output)
{
    return statement->kind == AST_STMT_INSERT_VALUES ? run_pending(session, output) : session_hold(session, statement);
}

/* ---- statements ---- */

static Error *run_text(Session *session, const char *text, size_t length, const SessionOutput *output);

static Error *read_pieces(FileSystem *fs, int handle, Text *text)
{
    char piece[65536];
    for (size_t got = 1; got > 0;) {
        TRY(fs->read_next(fs, handle, piece, sizeof piece, &got));
        text_add(text, piece, got);
    }
    return NULL;
}

/* Where a script stands that another one names: beside that one. */
static const char *script_path(Session *session, Arena *arena, const char *path)
{
    const char *directory = session->script_directory ? session->script_directory : session->options.base_directory;
    return directory && path[0] != '/' ? arena_printf(arena, "%s/%s", directory, path) : path;
}

Error *session_open_script(Session *session, Arena *arena, const char *path, Text *text)
{
    FileSystem *fs = session->options.filesystem;
    const char *full = script_path(session, arena, path), *slash = strrchr(full, '/');
    int handle;
    TRY(fs->open_read(fs, full, &handle));
    Error *error;
    MEMORY_GUARDED(error, read_pieces(fs, handle, text));
    fs->close(fs, handle);
    if (slash)
        session->script_directory = arena_strndup(arena, full, slash == full ? 1 : (size_t)(slash - full));
    return error;
}

Error *session_script_error(Error *errors, const char *path, const char *text, size_t length, Span at)
{
    for (Error *error = errors; error; error = error->next) {
        if (error->at.length) {
            TextPlace place = text_place(text, length, error->at.start);
            error_context(error, "%s:%d:%d", path, place.line, place.column);
        }
        error->at = at;
    }
    return errors;
}

static Error *run_script_file(Session *session, Arena *arena, const char *path, Span at, const SessionOutput *output)
{
    if (session->depth >= SCRIPT_DEPTH_MAX)
        return error_at(ERR_BIND, at, "scripts run each other more than %d deep", SCRIPT_DEPTH_MAX);
    const char *outer = session->script_directory;
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    Error *error = session_open_script(session, arena, path, &text);
    if (error) {
        error->at = at;
        error->code = ERR_CONNECT;
    } else {
        error = session_script_error(run_text(session, text.bytes ? text.bytes : "", text.length, output), path, text.bytes, text.length, at);
    }
    session->script_directory = outer;
    text_release(&text);
    return error;
}

/* Outside a server a job runs while nothing else does: there is none. */
static Error *show_lag(Arena *arena, bool extended, const SessionOutput *output)
{
    const char *const *names;
    int count = lag_columns(extended, &names);
    PlannedRows rows = { .schema = { count, ARENA_ARRAY(arena, Column, (size_t)count) } };
    for (int i = 0; i < count; i++)
        rows.schema.columns[i] = (Column){ .name = names[i], .type = type_scalar(TYPE_VARCHAR) };
    return session_emit_rows(output, &rows, NULL);
}

static Error *show_own(Session *session, Arena *arena, const AstStatement *statement, const SessionOutput *output)
{
    static Column columns[3] = { { .name = "name" }, { .name = "value" }, { .name = "meaning" } };
    const AstShowKind show = statement->show;
    if (show == AST_SHOW_LAG)
        return show_lag(arena, statement->extended, output);
    for (int i = 0; i < 3; i++)
        columns[i].type = type_scalar(TYPE_VARCHAR);
    struct { Value *items; int count, capacity; } values = { 0 };
    const Type *type = columns[0].type;
    PlannedRows rows = { .schema = { 2, columns } };
    if (show == AST_SHOW_VARIABLES) {
        for (int i = 0; i < session->variable_names.count; i++) {
            if (!session->variable_values.items[i])
                continue;
            LIST_ADD(arena, &values, ((Value){ .type = type, .text = str_c(session->variable_names.items[i]) }));
            LIST_ADD(arena, &values, ((Value){ .type = type, .text = str_c(secret_value_shown(arena, session->variable_names.items[i], session->variable_values.items[i])) }));
        }
    } else if (show == AST_SHOW_PROPERTIES) {
        int count;
        const PlannerSetting *settings = planner_settings(session->planner, arena, &count);
        rows.schema.column_count = 3;
        for (int i = 0; i < count; i++) {
            LIST_ADD(arena, &values, ((Value){ .type = type, .text = str_c(settings[i].name) }));
            LIST_ADD(arena, &values, ((Value){ .type = type, .text = str_c(settings[i].value ? settings[i].value : "") }));
            LIST_ADD(arena, &values, ((Value){ .type = type, .text = str_c(settings[i].doc) }));
        }
        const char *own[OWN_SETTING_COUNT] = {
            arena_printf(arena, "%d", session->options.threads),
            arena_printf(arena, "%u", session->options.batch_rows ? session->options.batch_rows : BATCH_ROWS),
            session->options.memory_limit_bytes ? arena_printf(arena, "%lld", (long long)session->options.memory_limit_bytes) : "none",
            session->options.max_bad_rows == UINT64_MAX ? "none" : arena_printf(arena, "%llu", (unsigned long long)session->options.max_bad_rows) };
        static const char *const docs[OWN_SETTING_COUNT] = { "Worker threads of a job.", "Rows in the largest batch; 1 shows every single change.",
            "Bytes that a job may hold before it stops in good order.", "Bad rows after which a job stops." };
        for (int i = 0; i < OWN_SETTING_COUNT; i++) {
            LIST_ADD(arena, &values, ((Value){ .type = type, .text = str_c(own_settings[i]) }));
            LIST_ADD(arena, &values, ((Value){ .type = type, .text = str_c(own[i]) }));
            LIST_ADD(arena, &values, ((Value){ .type = type, .text = str_c(docs[i]) }));
        }
    }
    /* SHOW QUERIES has nothing to list outside a server: a job runs while nothing else does. */
    rows.rows = values.items;
    rows.row_count = values.count / rows.schema.column_count;
    return session_emit_rows(output, &rows, NULL);
}

static Error *run_planned(Session *session, Arena *arena, const AstStatement *statement, PlannedStatement *planned,
                          const char *text, const SessionOutput *output)
{
    const char *title = title_before(arena, text, statement->at.start);
    switch (planned->kind) {
    case PLANNED_DONE:
        TRY(session_change_topics(session, statement, planned));
        if (planned->message && *planned->message && !session->options.keep_quiet)
            notice(output, "%s", planned->message);
        return NULL;
    case PLANNED_QUERY:
        TRY(run_pending(session, output));
        return planned->analyze ? session_analyze(session, planned->plan, output, title) : run_query(session, planned->plan, output, title);
    case PLANNED_JOB_PART:
        return session->options.hold_jobs ? hold_job(session, statement, output) : NULL;
    case PLANNED_ROWS:
        return session_emit_rows(output, &planned->rows, title);
    case PLANNED_SETTING:
        return session_apply_setting(session, arena, planned);
    case PLANNED_VARIABLE:
        session_variable(session, planned->variable.name, planned->variable.value);
        return NULL;
    case PLANNED_SHOW:
        return show_own(session, arena, statement, output);
    case PLANNED_QUESTION:
        return session_why_no_output(session, planned->plan, output, title);
    case PLANNED_ASSERTION:
        return session_assert(session, planned, output);
    case PLANNED_TOPICS:
        return session_topics(session, arena, planned, output, title);
    case PLANNED_SCRIPT:
        TRY(run_pending(session, output));
        return run_script_file(session, arena, planned->path, statement->at, output);
    case PLANNED_AFTER_JOB:
        break; /* the caller's */
    }
    return error_new(ERR_INTERNAL, "the planner asked twice for its job to run");
}

static Error *plan_statement(Session *session, Arena *arena, const AstStatement *statement, PlannedStatement *planned)
{
    Error *error = session_enter(session);
    if (!error)
        MEMORY_GUARDED(error, planner_statement(session->planner, arena, statement, planned));
    session_leave(session);
    return error;
}

static Error *run_statement(Session *session, const AstStatement *statement, const char *text, const SessionOutput *output)
{
    Arena arena;
    arena_init(&arena, &session->pool);
    PlannedStatement planned = { 0 };
    Error *error = plan_statement(session, &arena, statement, &planned);
    if (!error && planned.kind == PLANNED_AFTER_JOB) {
        error = run_pending(session, output);
        if (!error)
            error = plan_statement(session, &arena, statement, &planned);
    }
    if (!error)
        MEMORY_GUARDED(error, run_planned(session, &arena, statement, &planned, text, output));
    arena_release(&arena);
    return error;
}

Error *session_parse(Session *session, Arena *arena, const char *text, size_t length, AstScript *script)
{
    int count = 0, total = session->variable_names.count;
    const char **names = ARENA_ARRAY(arena, const char *, (size_t)total + 1), **values = ARENA_ARRAY(arena, const char *, (size_t)total + 1);
    for (int i = 0; i < total; i++)
        if (session->variable_values.items[i]) {
            names[count] = session->variable_names.items[i];
            values[count++] = session->variable_values.items[i];
        }
    ParserVariables variables = { names, values, count };
    return parse_script(arena, text, length, &variables, script);
}

static Error *parse_text(Session *session, const char *text, size_t length, AstScript *script)
{
    LIST_ADD(&session->arena, &session->texts, NULL); /* room first: what is made then is known to the session at once */
    Arena *arena = session->texts.items[session->texts.count - 1] = mem_calloc(1, sizeof *arena);
    arena_init(arena, &session->pool);
    Error *error = session_parse(session, arena, text, length, script);
    if (!session->host.planner && (!error || error->code == ERR_PARSE)) /* the host tells its planner itself */
        planner_begin_text(session->planner);
    return error;
}

static Error *run_text(Session *session, const char *text, size_t length, const SessionOutput *output)
{
    AstScript script = { 0 };
    Error *error;
    MEMORY_GUARDED(error, parse_text(session, text, length, &script));
    bool several = script.statement_count > 1 || (script.statement_count == 1 && script.statements[0]->kind == AST_STMT_RUN_SCRIPT);
    bool check = session->depth == 0 && (several || session->options.check_only); /* a lone statement is checked as it runs */
    const bool broken = error && error->code == ERR_PARSE && session->depth == 0 && script.statement_count > 0;
    if (broken || (!error && check)) {
        const SessionText whole = { text, length };
        Error *unparsed = error;
        MEMORY_GUARDED(error, session_check(session, &script, &whole, unparsed));
    }
    if (session->options.check_only)
        return error;
    session->depth++;
    for (int i = 0; i < script.statement_count && !error; i++) {
        if (session->interrupted)
            error = error_new(ERR_INTERRUPTED, "interrupted");
        else
            error = run_statement(session, script.statements[i], text, output);
    }
    if (!error)
        error = run_pending(session, output);
    if (!session->host.planner)
        planner_job_clear(session->planner);
    session->depth--;
    return error;
}

Error *session_run(Session *session, const char *text, size_t length, const SessionOutput *output)
{
    session->interrupted = false;
    session->script_directory = session->options.script_directory;
    return run_text(session, text, length, output);
}

/* ---- from other threads and signal handlers ---- */

void session_interrupt(Session *session)
{
    session->interrupted = true;
    session->job_watchers++;
    Job *job = session->job;
    if (job)
        job_stop(job);
    session->job_watchers--;
}

void session_progress(Session *session, SessionProgress *progress)
{
    *progress = (SessionProgress){ .bytes_total = -1, .watermark_us = TIME_MIN };
    session->job_watchers++;
    Job *job = session->job;
    if (job) {
        JobProgress now;
        job_progress(job, &now);
        *progress = (SessionProgress){ .running = true, .bytes_done = now.bytes_done, .bytes_total = now.bytes_total, .in_rows = now.in_rows, .rows_in = now.rows_in,
            .rows_out = now.rows_out, .late_rows = now.late_rows, .watermark_us = now.watermark_us };
    }
    session->job_watchers--;
}

void session_counters(const Session *session, SessionCounters *counters) { *counters = session->counters; }
