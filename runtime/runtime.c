/* runtime/runtime.c: the runtime's life, and its clients' sessions. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runtime/execute.h"
#include "runtime/prepared.h"
#include "runtime/processing_log.h"

int64_t runtime_now(const Runtime *runtime) { return runtime->options.clock->now_us(runtime->options.clock); }

/* What the processing log tells of it, too. */
static void log_event(Runtime *runtime, const char *query_id, const char *what, const char *detail)
{
    static const struct { const char *what, *level, *stage; } logged[] = { { "failed", "ERROR", "failed" }, { "error", "ERROR", "error" }, { "restarts", "INFO", "restart" },
        { "checkpoint failed", "ERROR", "checkpoint" }, { "commit failed", "ERROR", "checkpoint" }, { "catalog failed", "ERROR", "catalog" } };
    for (size_t i = 0; i < sizeof logged / sizeof *logged; i++)
        if (strcmp(logged[i].what, what) == 0)
            processing_log_event(runtime, query_id, logged[i].level, logged[i].stage, detail);
}

void runtime_event(Runtime *runtime, const char *query_id, const char *what, const char *format, ...)
{
    char detail[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    RuntimeEvent event = { query_id, what, detail };
    log_event(runtime, query_id, what, detail);
    if (runtime->options.event)
        runtime->options.event(runtime->options.caller, &event);
}

/* ---- life ---- */

static void fill_in(RuntimeOptions *options)
{
    options->clock = options->clock ? options->clock : clock_system();
    options->filesystem = options->filesystem ? options->filesystem : filesystem_system();
    options->sql_filesystem = options->sql_filesystem ? options->sql_filesystem : options->filesystem;
    if (options->threads == 0) {
        long cores = sysconf(_SC_NPROCESSORS_ONLN);
        options->threads = cores > 0 ? (int)cores : 1;
    }
    if (options->threads < 0)
        options->threads = 0;
    options->checkpoint_interval_us = options->checkpoint_interval_us ? options->checkpoint_interval_us : 1000000;
    options->max_queries = options->max_queries ? options->max_queries : 1000;
    options->max_subscriptions = options->max_subscriptions ? options->max_subscriptions : 10000;
    options->subscription_rows = options->subscription_rows ? options->subscription_rows : 8192;
    options->max_bad_rows = options->max_bad_rows ? options->max_bad_rows : UINT64_MAX;
    options->trace_turn_interval_us = !options->tracer ? -1 : options->trace_turn_interval_us ? options->trace_turn_interval_us : 10000000;
    options->retry_first_us = options->retry_first_us ? options->retry_first_us : 200000;
    options->retry_last_us = options->retry_last_us ? options->retry_last_us : 30000000;
    options->retry_count = options->retry_count ? options->retry_count : 10;
}

static Error *runtime_alloc(Runtime **runtime)
{
    *runtime = mem_calloc(1, sizeof **runtime);
    return NULL;
}

static void init_locks(Runtime *runtime)
{
    pthread_condattr_t attributes;
    pthread_mutex_init(&runtime->control, NULL);
    pthread_mutex_init(&runtime->tasks, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&runtime->changed, &attributes);
    pthread_condattr_destroy(&attributes);
}

static Error *open_parts(Runtime *runtime)
{
    runtime->channels = channels_new();
    runtime->prepared = prepared_new();
    runtime->planner_port.channels = runtime->channels;
    runtime->catalog = catalog_new_memory();
    runtime->planner = planner_new(&(PlannerOptions){ .connectors = &runtime->connectors, .catalog = runtime->catalog });
    TRY(processing_log_open(runtime));
    if (!runtime->options.data_directory)
        return NULL;
    TRY(store_open(runtime, runtime->options.data_directory, &runtime->store));
    TRY(checkpoints_open(runtime, runtime->options.data_directory, &runtime->checkpoints));
    return runtime_restore(runtime);
}

Error *runtime_new(const RuntimeOptions *options, Runtime **result)
{
    Runtime *runtime;
    Error *error;
    MEMORY_GUARDED(error, runtime_alloc(&runtime));
    if (error)
        return error;
    runtime->options = *options;
    fill_in(&runtime->options);
    init_locks(runtime);
    pool_init(&runtime->pool, NULL, "runtime", runtime->options.memory_limit_bytes);
    arena_init(&runtime->arena, NULL);
    runtime->next_timer_us = runtime->next_retry_us = TIME_MAX;
    runtime->next_query = 1;
    runtime->connectors = (ConnectorContext){ .filesystem = runtime->options.sql_filesystem, .clock = runtime->options.clock, .pool = &runtime->pool,
        .base_directory = runtime->options.base_directory, .topics = runtime->options.topics, .process = &runtime->planner_port };
    runtime->next_checkpoint_us = runtime_now(runtime) + runtime->options.checkpoint_interval_us;
    pthread_mutex_lock(&runtime->control);
    MEMORY_GUARDED(error, open_parts(runtime));
    pthread_mutex_unlock(&runtime->control);
    if (!error)
        error = tasks_start(runtime);
    if (error) {
        runtime_free(runtime);
        return error;
    }
    *result = runtime;
    return NULL;
}

static void end_queries(Runtime *runtime)
{
    for (Query *query = runtime->queries; query; query = query->next)
        task_stop(query);
    if (runtime->checkpoints) {
        Error *error;
        MEMORY_GUARDED(error, checkpoints_take(runtime));
        if (error)
            runtime_event(runtime, NULL, "checkpoint failed", "%s", error->message);
        error_free(error);
    }
    while (runtime->queries) {
        Query *query = runtime->queries;
        error_free(query_close(query)); /* what sinks hold is in the snapshot, or is done again */
        query_unlink(query);
        query_release(query);
    }
}

void runtime_free(Runtime *runtime)
{
    if (!runtime)
        return;
    tasks_stop(runtime);
    if (runtime->channels && runtime->planner)
        maintain(runtime); /* what ended or failed at last is settled */
    pthread_mutex_lock(&runtime->control);
    for (Query *query = runtime->queries; query; query = query->next)
        print_stop(query);
    pthread_mutex_unlock(&runtime->control);
    prints_wait(runtime);
    pthread_mutex_lock(&runtime->control);
    end_queries(runtime);
    pthread_mutex_unlock(&runtime->control);
    prepared_free(runtime->prepared);
    checkpoints_close(runtime->checkpoints);
    store_close(runtime->store);
    planner_free(runtime->planner);
    catalog_free(runtime->catalog);
    processing_log_close(runtime);
    channels_free(runtime->channels);
    for (int i = 0; i < runtime->texts.count; i++) {
        arena_release(runtime->texts.items[i]);
        mem_free(runtime->texts.items[i]);
    }
    arena_release(&runtime->arena);
    pthread_cond_destroy(&runtime->changed);
    pthread_mutex_destroy(&runtime->tasks);
    pthread_mutex_destroy(&runtime->control);
    mem_free(runtime);
}

Error *runtime_checkpoint(Runtime *runtime)
{
    if (!runtime->checkpoints)
        return error_new(ERR_USAGE, "there is no data directory to write state to");
    Error *error;
    pthread_mutex_lock(&runtime->control);
    MEMORY_GUARDED(error, checkpoints_take(runtime));
    pthread_mutex_unlock(&runtime->control);
    return error;
}

/* ---- sessions ---- */

static Error *session_alloc(Runtime *runtime, RuntimeSession **session)
{
    *session = mem_calloc(1, sizeof **session);
    (*session)->runtime = runtime;
    arena_init(&(*session)->arena, NULL);
    return NULL;
}

Error *runtime_session_new(Runtime *runtime, RuntimeSession **session)
{
    Error *error;
    MEMORY_GUARDED(error, session_alloc(runtime, session));
    return error;
}

void runtime_session_free(RuntimeSession *session)
{
    if (!session)
        return;
    mem_free(session->host);
    arena_release(&session->arena);
    mem_free(session);
}

Error *session_no_setting(RuntimeSession *session, const char *name, Span at)
{
    int count;
    Arena arena;
    arena_init(&arena, NULL);
    MEMORY_HOLD(arena_unwind, &arena);
    const PlannerSetting *settings = planner_settings(session->runtime->planner, &arena, &count);
    const char **names = ARENA_ARRAY(&arena, const char *, (size_t)count + 2);
    for (int i = 0; i < count; i++)
        names[i] = settings[i].name;
    names[count] = "auto.offset.reset";
    names[count + 1] = "explain.analyze.time";
    Error *error = error_suggest(error_at(ERR_BIND, at, "no setting '%s'", name), name, names, count + 2);
    arena_release(&arena);
    return error;
}

static Error *set_analyze_time(RuntimeSession *session, const char *value, Span value_at)
{
    session->analyze_us = 0;
    if (value && (!duration_parse(value, &session->analyze_us) || session->analyze_us <= 0 || session->analyze_us > ANALYZE_MOST_US)) {
        session->analyze_us = 0;
        return error_at(ERR_BIND, value_at, "'explain.analyze.time' is a time of up to 5 minutes, such as '10 s', not '%s'", value);
    }
    return NULL;
}

bool session_owns_setting(const char *name) { return option_name_equal(name, "explain.analyze.time"); }

/* Settings that are the session's own. */
static Error *set_own(RuntimeSession *session, const char *name, const char *value, Span value_at, bool *known)
{
    *known = session_owns_setting(name);
    if (*known)
        return set_analyze_time(session, value, value_at);
    *known = option_name_equal(name, "auto.offset.reset") || option_name_equal(name, "ksql.streams.auto.offset.reset");
    if (!*known)
        return NULL;
    if (value && strcmp(value, "earliest") != 0 && strcmp(value, "latest") != 0)
        return error_at(ERR_BIND, value_at, "'%s' is earliest or latest, not '%s'", name, value);
    session->from_now = value && strcmp(value, "latest") == 0;
    return planner_set(session->runtime->planner, name, value, SPAN_NONE, value_at, known); /* topics */
}

static void keep_setting(RuntimeSession *session, const char *name, const char *value)
{
    int at = 0;
    while (at < session->names.count && !option_name_equal(session->names.items[at], name))
        at++;
    if (at == session->names.count) {
        LIST_ADD(&session->arena, &session->names, arena_strdup(&session->arena, name));
        LIST_ADD(&session->arena, &session->values, NULL);
    }
    session->values.items[at] = value ? arena_strdup(&session->arena, value) : NULL;
}

Error *session_setting(RuntimeSession *session, const char *name, const char *value, Span name_at, Span value_at)
{
    bool known = false;
    TRY(set_own(session, name, value, value_at, &known));
    if (!known)
        TRY(planner_set(session->runtime->planner, name, value, name_at, value_at, &known));
    if (!known)
        return session_no_setting(session, name, name_at);
    keep_setting(session, name, value);
    return NULL;
}

Error *session_begin(RuntimeSession *session)
{
    Runtime *runtime = session->runtime;
    bool known;
    planner_reset(runtime->planner);
    if (runtime->options.dialect)
        TRY(planner_set(runtime->planner, "dialect", runtime->options.dialect, SPAN_NONE, SPAN_NONE, &known));
    for (int i = 0; i < session->names.count; i++)
        if (session->values.items[i])
            TRY(planner_set(runtime->planner, session->names.items[i], session->values.items[i], SPAN_NONE, SPAN_NONE, &known));
    return NULL;
}

static Error *set_outside(RuntimeSession *session, const char *name, const char *value)
{
    TRY(session_begin(session));
    return session_setting(session, name, value, SPAN_NONE, SPAN_NONE);
}

Error *runtime_session_set(RuntimeSession *session, const char *name, const char *value)
{
    Error *error;
    pthread_mutex_lock(&session->runtime->control);
    MEMORY_GUARDED(error, set_outside(session, name, value));
    pthread_mutex_unlock(&session->runtime->control);
    if (error && error->code == ERR_BIND)
        error->code = ERR_USAGE; /* there is no SQL text that it could be placed in */
    return error;
}

void runtime_session_variable(RuntimeSession *session, const char *name, const char *value)
{
    int at = 0;
    while (at < session->variables.count && strcmp(session->variables.items[at], name) != 0)
        at++;
    if (at == session->variables.count) {
        LIST_ADD(&session->arena, &session->variables, arena_strdup(&session->arena, name));
        LIST_ADD(&session->arena, &session->variable_values, NULL);
    }
    session->variable_values.items[at] = value ? arena_strdup(&session->arena, value) : NULL;
}

static Error *define_checked(RuntimeSession *session, const char *name, const char *value)
{
    runtime_session_variable(session, name, value);
    return NULL;
}

Error *runtime_session_define(RuntimeSession *session, const char *name, const char *value)
{
    Error *error;
    MEMORY_GUARDED(error, define_checked(session, name, value));
    return error;
}

void runtime_session_query_id(RuntimeSession *session, const char *id) { session->query_id = arena_strdup(&session->arena, id); }

void runtime_stop_callers(Runtime *runtime)
{
    if (runtime)
        runtime->interrupted = true;
}

static void add_quoted(Text *text, const char *value)
{
    text_add_char(text, '\'');
    for (; *value; value++) {
        if (*value == '\'')
            text_add_char(text, '\'');
        text_add_char(text, *value);
    }
    text_add_char(text, '\'');
}

static void add_setting(Text *text, const char *name, const char *value)
{
    text_add_c(text, "SET ");
    add_quoted(text, name);
    text_add_c(text, " = ");
    add_quoted(text, value);
    text_add_c(text, ";\n");
}

const char *session_settings_sql(RuntimeSession *session, Arena *arena)
{
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    if (session->runtime->options.dialect)
        add_setting(&text, "dialect", session->runtime->options.dialect);
    for (int i = 0; i < session->names.count; i++)
        if (session->values.items[i])
            add_setting(&text, session->names.items[i], session->values.items[i]);
    const char *copy = arena_strdup(arena, text_c(&text));
    text_release(&text);
    return copy;
}

Error *runtime_session_parse(RuntimeSession *session, Arena *arena, const char *text, size_t length, AstScript *script)
{
    int count = 0, total = session->variables.count;
    const char **names = ARENA_ARRAY(arena, const char *, (size_t)total + 1), **values = ARENA_ARRAY(arena, const char *, (size_t)total + 1);
    for (int i = 0; i < total; i++)
        if (session->variable_values.items[i]) {
            names[count] = session->variables.items[i];
            values[count++] = session->variable_values.items[i];
        }
    ParserVariables variables = { names, values, count };
    return parse_script(arena, text, length, &variables, script);
}

void runtime_metrics(Runtime *runtime, RuntimeMetrics *metrics)
{
    pthread_mutex_lock(&runtime->control);
    pthread_mutex_lock(&runtime->tasks);
    *metrics = runtime->metrics;
    pthread_mutex_unlock(&runtime->tasks);
    processing_log_counts(runtime, metrics);
    for (const Query *query = runtime->queries; query; query = query->next) {
        metrics->push_queries += !query->persistent;
        metrics->queries_running += query->persistent && query->state == QUERY_RUNNING;
        metrics->queries_paused += query->state == QUERY_PAUSED;
        metrics->queries_error += query->state == QUERY_ERROR;
        metrics->queries_completed += query->persistent && query->state == QUERY_COMPLETED;
    }
    pthread_mutex_unlock(&runtime->control);
    metrics->pull_queries = runtime->pull_count;
    metrics->subscriptions = runtime->subscription_count;
    metrics->memory_bytes = runtime->pool.used_bytes;
    metrics->memory_peak_bytes = runtime->pool.peak_bytes;
}
