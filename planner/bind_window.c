/* planner/bind_window.c: windows in their three spellings become one WindowSpec.
 *
 *   ksqlDB   WINDOW TUMBLING (SIZE 1 MINUTE, GRACE PERIOD ..)            query->window
 *   Flink    FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL ..))     a relation with `pending`
 *            GROUP BY TUMBLE(ts, INTERVAL ..), TUMBLE_START(ts, ..)       a call among the keys
 *   ASA      GROUP BY TumblingWindow(minute, 1), System.Timestamp()       a call among the keys; (s, e] */
#include "planner/binder.h"
#include "common/calendar.h"
#include "planner/ast_map.h"
#include "planner/window_spec.h"

/* ---- names ---- */

static bool named(const char *name, const char *const *names)
{
    for (; name && *names; names++)
        if (name_equal(name, *names))
            return true;
    return false;
}

bool is_window_call(const AstExpr *expr)
{
    static const char *const names[] = { "tumble", "hop", "session", "cumulate", "tumblingwindow", "hoppingwindow", "sessionwindow", "slidingwindow", "snapshotwindow", "windows", NULL };
    return expr->kind == AST_CALL && expr->path.count == 1 && named(expr->path.items[0].text, names);
}

int window_pseudo(const AstExpr *expr)
{
    static const char *const bounds[] = { "window_start", "window_end", "window_time", "windowstart", "windowend", "rowtime", NULL };
    static const char *const starts[] = { "tumble_start", "hop_start", "cumulate_start", "session_start", NULL };
    static const char *const ends[] = { "tumble_end", "hop_end", "cumulate_end", "session_end", NULL };
    static const char *const times[] = { "tumble_rowtime", "hop_rowtime", "cumulate_rowtime", "session_rowtime", "tumble_proctime", "hop_proctime", "cumulate_proctime",
                                         "session_proctime", NULL };
    if (expr->kind == AST_NAME && expr->path.count <= 2) {
        for (int i = 0; bounds[i]; i++)
            if (name_equal(bounds[i], expr->path.items[expr->path.count - 1].text))
                return i;
        return -1;
    }
    const char *name = ast_call_name(expr);
    if (!name)
        return -1;
    if (expr->path.count == 2 && name_equal(expr->path.items[0].text, "system") && name_equal(name, "timestamp"))
        return 1;
    if (expr->path.count != 1)
        return -1;
    return named(name, starts) ? 0 : named(name, ends) ? 1 : named(name, times) ? 2 : -1;
}

bool is_window_bound_call(const AstExpr *expr) { return expr->kind == AST_CALL && window_pseudo(expr) >= 0; }

/* ---- lengths of time ---- */

static Error *interval_us(const Interval *interval, Span at, const char *what, int64_t *us)
{
    if (interval->months)
        return error_at(ERR_BIND, at, "%s cannot be in months", what);
    *us = interval->us;
    return NULL;
}

Error *bind_duration(const AstDuration *given, const char *what, int64_t *us)
{
    return interval_us(&given->interval, given->at, what, us);
}

/* INTERVAL '1' MINUTE, or any constant of type INTERVAL. */
static Error *expr_interval(Binder *binder, const AstExpr *ast, const char *what, Interval *interval)
{
    Value value;
    TRY(binder_literal(binder, ast, NULL, what, &value));
    if (value.is_null || value.type->kind != TYPE_INTERVAL)
        return error_hint(error_at(ERR_BIND, ast->at, "%s must be an interval, this is %s", what, type_text(binder->arena, value.type)), "INTERVAL '1' MINUTE");
    *interval = value.interval;
    return NULL;
}

static Error *expr_duration(Binder *binder, const AstExpr *ast, const char *what, int64_t *us)
{
    Interval interval;
    TRY(expr_interval(binder, ast, what, &interval));
    return interval_us(&interval, ast->at, what, us);
}

/* The same, for what may be in months, too. */
static Error *expr_length(Binder *binder, const AstExpr *ast, const char *what, int64_t *us, int64_t *months)
{
    Interval interval;
    TRY(expr_interval(binder, ast, what, &interval));
    TRY(window_length(&interval, ast->at, what, us, months));
    return window_positive(*us, *months, ast->at, what);
}

/* ASA: minute, 5 */
static Error *unit_duration(Binder *binder, const AstExpr *unit, const AstExpr *count, const char *what, int64_t *us)
{
    static const struct { const char *names[6]; int64_t us; } units[] = {
        { { "microsecond", "mcs", "us", NULL }, 1 },       { { "millisecond", "ms", NULL }, US_PER_MS },
        { { "second", "ss", "s", NULL }, US_PER_SECOND },  { { "minute", "mi", "n", NULL }, US_PER_MINUTE },
        { { "hour", "hh", NULL }, US_PER_HOUR },           { { "day", "dd", "d", NULL }, US_PER_DAY },
        { { "week", "wk", "ww", NULL }, 7 * US_PER_DAY },
    };
    static const char *const all[] = { "microsecond", "millisecond", "second", "minute", "hour", "day", "week" };
    if (unit->kind != AST_NAME || unit->path.count != 1)
        return error_hint(error_at(ERR_BIND, unit->at, "%s starts with a unit", what), "second, minute, hour, day..");
    const char *name = unit->path.items[0].text;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        bool same = named(name, units[i].names);
        size_t length = strlen(name);
        if (!same && length > 1 && (name[length - 1] | 32) == 's') /* minutes */
            same = named(arena_strndup(binder->arena, name, length - 1), units[i].names);
        if (!same)
            continue;
        Value value;
        TRY(binder_literal(binder, count, type_scalar(TYPE_BIGINT), what, &value));
        if (value.is_null || __builtin_mul_overflow(value.integer, units[i].us, us))
            return error_at(ERR_BIND, count->at, "%s is out of range", what);
        return NULL;
    }
    return error_suggest(error_at(ERR_BIND, unit->at, "'%s' is no unit of time", name), name, all, sizeof all / sizeof *all);
}

/* ---- the time a window goes by ---- */

static Error *window_time(Binder *binder, const Relation *relation, int column, Span at, WindowSpec *spec)
{
    EdgeTraits traits = port_traits(binder->arena, relation->input);
    if (column < 0)
        return error_hint(error_at(ERR_BIND, at, "the rows have no event time to make windows of"), "declare WATERMARK FOR, or WITH (timestamp = 'column')");
    const TimeColumn *time = traits_time(&traits, column);
    if (!time && (traits.changes != CHANGES_APPEND || relation->table))
        return error_hint(error_at(ERR_BIND, at, "'%s' is no event-time column of rows that replace each other: what is taken back has an old time", relation->schema.columns[column].name),
                          "PRIMARY KEY (..) NOT ENFORCED leaves the rows of a table as they come");
    if (!time)
        return error_hint(error_at(ERR_BIND, at, "'%s' is no event-time column: nothing says how late its rows may come", relation->schema.columns[column].name),
                          "declare WATERMARK FOR %s AS %s - INTERVAL '5' SECOND, or say TIMESTAMP BY %s behind its name in FROM", relation->schema.columns[column].name,
                          relation->schema.columns[column].name, relation->schema.columns[column].name);
    spec->time_column = column;
    spec->lag_us = time->lag_us;
    spec->processing_time = time->processing;
    return NULL;
}

/* A named time column must be one that the rows' order is known by. */
static Error *named_time(Binder *binder, const Relation *relation, const Expr *expr, Span at, WindowSpec *spec)
{
    if (expr->kind == EXPR_COLUMN)
        return window_time(binder, relation, expr->column, at, spec);
    if (expr->kind == EXPR_CALL && expr->arg_count == 0 && name_equal(expr->function->name, "proctime")) {
        spec->processing_time = true;
        spec->time_column = relation->processing_time ? relation->time_column : -1;
        if (spec->time_column >= 0)
            return NULL;
        return error_hint(binder_unsupported(at, "a window on PROCTIME() itself"), "add a computed column: pt AS PROCTIME()");
    }
    return error_at(ERR_BIND, at, "a window needs an event-time column here");
}

/* Where nothing is said about lateness. */
static void default_grace(const Block *block, WindowUse *use)
{
    const DialectRules *rules = binder_rules(block->binder);
    if (use->lateness_given)
        return;
    const AstEmitKind emit = block_emit(block)->kind;
    if (use->clause && rules->changes_grace_us && (emit == AST_EMIT_CHANGES || emit == AST_EMIT_NONE))
        use->spec.grace_us = !use->spec.size_months && rules->changes_grace_us > use->spec.size_us ? rules->changes_grace_us - use->spec.size_us : 0;
    else
        use->spec.grace_us = rules->late_tolerance_us;
}

/* ---- ksqlDB ---- */

/* Rows by their order: times are shown where there are any, and decide nothing. */
static Error *count_window(const Block *block, const AstWindow *window, WindowSpec *spec)
{
    const AstDuration *times[] = { &window->grace, &window->retention };
    for (int i = 0; i < 2; i++)
        if (times[i]->given)
            return error_at(ERR_BIND, times[i]->at, "a count window goes by the order of rows: none is late");
    if (window->late_into.text)
        return error_at(ERR_BIND, window->late_into.at, "a count window goes by the order of rows: none is late");
    if (window->count <= 0)
        return error_at(ERR_BIND, window->at, "the size of a window must be more than 0");
    spec->kind = WINDOW_COUNT;
    spec->count = window->count;
    spec->count_advance = window->count_advance ? window->count_advance : window->count;
    spec->time_column = block->from.processing_time ? -1 : block->from.time_column;
    return spec->count_advance > 0 ? NULL : error_at(ERR_BIND, window->at, "ADVANCE BY must be more than 0");
}

static Error *clause_window(Block *block, const AstWindow *window, WindowUse *use)
{
    WindowSpec *spec = &use->spec;
    use->at = window->at;
    use->clause = true;
    switch (window->kind) {
    case AST_WINDOW_TUMBLING: spec->kind = WINDOW_TUMBLING; break;
    case AST_WINDOW_HOPPING: spec->kind = WINDOW_HOPPING; break;
    case AST_WINDOW_SESSION: spec->kind = WINDOW_SESSION; break;
    case AST_WINDOW_SLIDING: spec->kind = WINDOW_SLIDING; break;
    case AST_WINDOW_CUMULATING: spec->kind = WINDOW_CUMULATING; break;
    case AST_WINDOW_COUNT: return count_window(block, window, spec);
    case AST_WINDOW_NONE: return NULL;
    }
    const bool session = spec->kind == WINDOW_SESSION, cumulating = spec->kind == WINDOW_CUMULATING;
    const char *size = session ? "the gap of a session" : "the size of a window", *advance = cumulating ? "STEP" : "ADVANCE BY";
    if (window->time_zone)
        TRY(window_zone(window->time_zone_at, window->time_zone, strlen(window->time_zone), spec));
    TRY(window_length(&window->size.interval, window->size.at, size, &spec->size_us, &spec->size_months));
    if (session || spec->kind == WINDOW_SLIDING)
        TRY(interval_us(&window->size.interval, window->size.at, size, &spec->size_us));
    TRY(window_positive(spec->size_us, spec->size_months, window->size.at, size));
    if (window->advance.given) {
        TRY(window_length(&window->advance.interval, window->advance.at, advance, &spec->advance_us, &spec->advance_months));
        TRY(window_positive(spec->advance_us, spec->advance_months, window->advance.at, advance));
    }
    if (window->offset.given)
        TRY(bind_duration(&window->offset, "OFFSET", &spec->offset_us));
    if (window->retention.given)
        TRY(bind_duration(&window->retention, "RETENTION", &spec->retention_us));
    if (window->grace.given) {
        TRY(bind_duration(&window->grace, "GRACE PERIOD", &spec->grace_us));
        if (spec->grace_us < 0)
            return error_at(ERR_BIND, window->grace.at, "a grace period cannot be negative");
        use->lateness_given = true;
    }
    if (window->late_into.text)
        use->late_into = &window->late_into;
    spec->end_inclusive = spec->kind == WINDOW_SLIDING || (binder_rules(block->binder)->windows_end_inclusive && !session);
    TRY(window_time(block->binder, &block->from, block->from.time_column, window->at, spec));
    return NULL;
}

/* ---- Flink's group windows, ASA's functions ---- */

static Error *asa_duration(Binder *binder, const AstExpr *ast, const char *function, const char *what, int64_t *us)
{
    const char *name = ast_call_name(ast);
    if (!name || !name_equal(name, function) || ast->args.count != 2)
        return error_at(ERR_BIND, ast->at, "expected %s(unit, n)", function);
    return unit_duration(binder, ast->args.items[0], ast->args.items[1], what, us);
}

static Error *snapshot_window(const Block *block, Span at, WindowSpec *spec)
{
    *spec = (WindowSpec){ .kind = WINDOW_SNAPSHOT, .size_us = 1, .advance_us = 1, .end_inclusive = true };
    return window_time(block->binder, &block->from, block->from.time_column, at, spec);
}

static Error *asa_window(Block *block, const AstExpr *call, WindowUse *use)
{
    Binder *binder = block->binder;
    WindowSpec *spec = &use->spec;
    const char *name = ast_call_name(call);
    AstExpr *const *args = call->args.items;
    int count = call->args.count;
    if (name_equal(name, "snapshotwindow")) {
        return count ? error_at(ERR_BIND, args[0]->at, "SnapshotWindow takes no arguments") : snapshot_window(block, call->at, spec);
    }
    bool units = count > 0 && args[0]->kind == AST_NAME; /* (minute, 1), else (Duration(..), ..) */
    if (count < (units ? 2 : 1))
        return error_hint(error_at(ERR_BIND, call->at, "%s needs its size", name), "%s(minute, 1)", name);
    if (name_equal(name, "tumblingwindow") || name_equal(name, "slidingwindow")) {
        bool sliding = name_equal(name, "slidingwindow");
        spec->kind = sliding ? WINDOW_SLIDING : WINDOW_TUMBLING;
        if (sliding && count > (units ? 2 : 1))
            return error_hint(error_at(ERR_BIND, args[count - 1]->at, "SlidingWindow takes its size alone"), "SlidingWindow(minute, 2)");
        TRY(units ? unit_duration(binder, args[0], args[1], "the size of a window", &spec->size_us)
                  : asa_duration(binder, args[0], "duration", "the size of a window", &spec->size_us));
        if (count > (units ? 2 : 1))
            TRY(asa_duration(binder, args[units ? 2 : 1], "offset", "the offset of a window", &spec->offset_us));
    } else if (name_equal(name, "hoppingwindow")) {
        spec->kind = WINDOW_HOPPING;
        if (count < (units ? 3 : 2))
            return error_hint(error_at(ERR_BIND, call->at, "HoppingWindow needs its size and its hop"), "HoppingWindow(minute, 5, 1)");
        TRY(units ? unit_duration(binder, args[0], args[1], "the size of a window", &spec->size_us)
                  : asa_duration(binder, args[0], "duration", "the size of a window", &spec->size_us));
        TRY(units ? unit_duration(binder, args[0], args[2], "the hop of a window", &spec->advance_us)
                  : asa_duration(binder, args[1], "hop", "the hop of a window", &spec->advance_us));
        TRY(window_positive(spec->advance_us, 0, call->at, "the hop of a window"));
        if (count > (units ? 3 : 2))
            TRY(asa_duration(binder, args[units ? 3 : 2], "offset", "the offset of a window", &spec->offset_us));
    } else {
        spec->kind = WINDOW_SESSION;
        spec->session_end_with_gap = true;
        if (!units)
            return error_hint(error_at(ERR_BIND, call->at, "SessionWindow needs its unit and timeout"), "SessionWindow(second, 30, 600)");
        TRY(unit_duration(binder, args[0], args[1], "the timeout of a session", &spec->size_us));
        if (count > 2) {
            TRY(unit_duration(binder, args[0], args[2], "the longest session", &spec->max_session_us));
            TRY(window_positive(spec->max_session_us, 0, args[2]->at, "the longest session"));
        }
    }
    spec->end_inclusive = spec->kind != WINDOW_SESSION;
    return window_time(binder, &block->from, block->from.time_column, call->at, spec);
}

/* TUMBLE(ts, size [, offset]), HOP(ts, slide, size [, offset]), CUMULATE(ts, step, size [, offset]), SESSION(ts, gap). */
static Error *flink_window(Block *block, const AstExpr *call, WindowKind kind, WindowSpec *spec)
{
    Binder *binder = block->binder;
    const char *name = ast_call_name(call);
    AstExpr *const *args = call->args.items;
    const bool session = kind == WINDOW_SESSION, steps = kind == WINDOW_HOPPING || kind == WINDOW_CUMULATING;
    const int least = steps ? 3 : 2;
    if (call->args.count < least || call->args.count > least + 1 - session)
        return error_hint(error_at(ERR_BIND, call->at, "%s in GROUP BY takes %d arguments", name, least),
                          kind == WINDOW_TUMBLING ? "TUMBLE(ts, INTERVAL '1' MINUTE)" : kind == WINDOW_HOPPING ? "HOP(ts, slide, size)"
                          : kind == WINDOW_CUMULATING ? "CUMULATE(ts, step, size)" : "SESSION(ts, gap)");
    Expr *time = NULL;
    TRY(block_expr(block, &block->from, args[0], &time));
    TRY(named_time(binder, &block->from, time, args[0]->at, spec));
    spec->kind = kind;
    spec->session_end_with_gap = session;
    spec->end_inclusive = binder_rules(binder)->windows_end_inclusive && !session;
    if (session) {
        TRY(expr_duration(binder, args[1], "the gap of a session", &spec->size_us));
        return window_positive(spec->size_us, 0, args[1]->at, "the gap of a session");
    }
    TRY(expr_length(binder, args[steps ? 2 : 1], "the size of a window", &spec->size_us, &spec->size_months));
    if (steps)
        TRY(expr_length(binder, args[1], kind == WINDOW_HOPPING ? "the slide of a window" : "the step of a window", &spec->advance_us, &spec->advance_months));
    return call->args.count > least ? expr_duration(binder, args[least], "the offset of a window", &spec->offset_us) : NULL;
}

static bool flink_kind(const char *name, WindowKind *kind)
{
    static const struct { const char *name; WindowKind kind; } kinds[] = {
        { "tumble", WINDOW_TUMBLING }, { "hop", WINDOW_HOPPING }, { "cumulate", WINDOW_CUMULATING }, { "session", WINDOW_SESSION } };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (name_equal(name, kinds[i].name)) {
            *kind = kinds[i].kind;
            return true;
        }
    return false;
}

static Error *group_window(Block *block, const AstExpr *call, WindowUse *use);

/* Windows(Window('id', TumblingWindow(..)), HoppingWindow(..), ..) */
static Error *several_windows(Block *block, const AstExpr *call, WindowUse *use)
{
    static const char *const example = "Windows(Window('minute', TumblingWindow(minute, 1)), Window('hour', TumblingWindow(hour, 1)))";
    if (call->args.count == 0)
        return error_hint(error_at(ERR_BIND, call->at, "Windows needs windows"), "%s", example);
    for (int i = 0; i < call->args.count; i++) {
        const AstExpr *item = call->args.items[i];
        const char *name = ast_call_name(item);
        if (i) {
            use->next = ARENA_NEW(block->binder->arena, WindowUse);
            use = use->next;
        }
        use->several = true;
        use->at = item->at;
        if (name && name_equal(name, "window") && item->args.count == 2) {
            Value id;
            TRY(binder_literal(block->binder, item->args.items[0], type_scalar(TYPE_VARCHAR), "the id of a window", &id));
            use->id = id.is_null ? NULL : arena_strndup(block->binder->arena, str_bytes(&id.text), id.text.length);
            item = item->args.items[1];
        }
        if (!is_window_call(item) || name_equal(ast_call_name(item), "windows"))
            return error_hint(error_at(ERR_BIND, item->at, "expected a window"), "%s", example);
        TRY(group_window(block, item, use));
    }
    return NULL;
}

static Error *group_window(Block *block, const AstExpr *call, WindowUse *use)
{
    WindowKind kind;
    use->at = call->at;
    if (name_equal(ast_call_name(call), "windows"))
        return several_windows(block, call, use);
    if (flink_kind(ast_call_name(call), &kind))
        return flink_window(block, call, kind, &use->spec);
    TRY(asa_window(block, call, use));
    return window_positive(use->spec.size_us, 0, call->at, "the size of a window");
}

/* TUMBLE_START(ts, INTERVAL ..) and the like must speak of the query's own window. */
Error *check_window_bound_call(Block *block, const AstExpr *call)
{
    if (call->path.count != 1)
        return NULL; /* System.Timestamp() */
    const char *name = ast_call_name(call), *end = strchr(name, '_');
    AstExpr window = *call;
    AstNames path = { ARENA_NEW(block->binder->arena, AstName), 1, 1 };
    path.items[0] = call->path.items[0];
    path.items[0].text = arena_strndup(block->binder->arena, name, (size_t)(end - name));
    window.path = path;
    WindowUse use = { .at = call->at };
    TRY(group_window(block, &window, &use));
    window_session_zone(&use.spec, &block->from.schema);
    TRY(window_finish(&use.spec, call->at));
    if (window_same(&use.spec, &block->window->spec, true))
        return NULL;
    return error_hint(error_at(ERR_BIND, call->at, "%s speaks of another window than GROUP BY", name), "window_start, window_end and window_time need no arguments");
}

/* What is said behind GROUP BY, and what follows from nothing being said. */
static Error *finish_use(const Block *block, WindowUse *use)
{
    const AstQuery *query = block->query;
    if (query->allowed_lateness.given) {
        TRY(bind_duration(&query->allowed_lateness, "ALLOWED LATENESS", &use->spec.grace_us));
        if (use->spec.grace_us < 0)
            return error_at(ERR_BIND, query->allowed_lateness.at, "an allowed lateness cannot be negative");
        use->lateness_given = true;
    }
    if (query->late_into.text)
        use->late_into = &query->late_into;
    default_grace(block, use);
    return window_finish(&use->spec, use->at);
}

Error *bind_window_clause(Block *block)
{
    const AstQuery *query = block->query;
    Binder *binder = block->binder;
    WindowUse *use = block->window; /* of a table function in FROM */
    if (query->window.kind != AST_WINDOW_NONE) {
        if (use)
            return error_at(ERR_BIND, query->window.at, "two windows in one query");
        use = ARENA_NEW(binder->arena, WindowUse);
        TRY(clause_window(block, &query->window, use));
    }
    for (int i = 0; i < query->group_by.count; i++) {
        if (!is_window_call(query->group_by.items[i]))
            continue;
        if (use)
            return error_at(ERR_BIND, query->group_by.items[i]->at, "two windows in one query");
        use = ARENA_NEW(binder->arena, WindowUse);
        TRY(group_window(block, query->group_by.items[i], use));
    }
    for (int i = 0; i < query->group_by.count && !use && !block->from.window.windowed && block->from.time_column >= 0; i++) {
        const AstExpr *item = query->group_by.items[i];
        if (item->kind != AST_CALL || item->path.count != 2 || window_pseudo(item) != 1)
            continue;
        use = ARENA_NEW(binder->arena, WindowUse); /* System.Timestamp() of rows without a window: their time */
        use->at = item->at;
        TRY(snapshot_window(block, item->at, &use->spec));
    }
    block->window = use;
    if (!use) {
        if (query->allowed_lateness.given)
            return error_at(ERR_BIND, query->allowed_lateness.at, "ALLOWED LATENESS needs a window");
        return NULL; /* rows may also be late for an OVER (..), a MATCH_RECOGNIZE (..) or a join: bind_late.c */
    }
    if (query->late_into.text && use->several)
        return error_hint(error_at(ERR_BIND, query->late_into.at, "LATE INTO takes the rows of one window"), "one query for each window");
    for (WindowUse *each = use; each; each = each->next) {
        window_session_zone(&each->spec, &block->from.schema);
        TRY(finish_use(block, each));
    }
    if (query->window.kind != AST_WINDOW_NONE && !block_aggregates(query))
        return error_hint(error_at(ERR_BIND, use->at, "a WINDOW needs something to aggregate"), "add GROUP BY, or an aggregate such as COUNT(*)");
    return NULL;
}

Error *bind_asa_duration(Binder *binder, const AstExpr *ast, const char *what, int64_t *us) { return asa_duration(binder, ast, "duration", what, us); }
Error *bind_unit_duration(Binder *binder, const AstExpr *unit, const AstExpr *count, const char *what, int64_t *us)
{
    return unit_duration(binder, unit, count, what, us);
}
Error *bind_interval(Binder *binder, const AstExpr *ast, const char *what, int64_t *us) { return expr_duration(binder, ast, what, us); }

/* ---- Flink's table functions ---- */

typedef struct Arguments { /* of TUMBLE(TABLE t, DESCRIPTOR(ts), ..): found by place or by name */
    const AstExpr *data, *time, *size, *slide, *offset, *lateness, *late_into, *zone;
} Arguments;

static Error *collect_arguments(const AstExpr *call, bool steps, Arguments *arguments)
{
    static const char *const known[] = { "data", "timecol", "size", "slide", "step", "offset", "gap", "allowed_lateness", "late_into", "time_zone" };
    const AstExpr **places[6] = { &arguments->data, &arguments->time, &arguments->size, &arguments->offset };
    int place = 0;
    if (steps) {
        places[2] = &arguments->slide;
        places[3] = &arguments->size;
        places[4] = &arguments->offset;
    }
    for (int i = 0; i < call->args.count; i++) {
        const AstExpr *arg = call->args.items[i];
        if (arg->kind != AST_LAMBDA) {
            if (place >= (steps ? 5 : 4))
                return error_at(ERR_BIND, arg->at, "too many arguments for %s", ast_call_name(call));
            *places[place++] = arg;
            continue;
        }
        const char *name = arg->path.items[0].text;
        const AstExpr **slot = name_equal(name, "data") ? &arguments->data
            : name_equal(name, "timecol") ? &arguments->time
            : name_equal(name, "size") || name_equal(name, "gap") ? &arguments->size
            : name_equal(name, "slide") || name_equal(name, "step") ? &arguments->slide
            : name_equal(name, "time_zone") ? &arguments->zone
            : name_equal(name, "offset") ? &arguments->offset
            : name_equal(name, "allowed_lateness") ? &arguments->lateness
            : name_equal(name, "late_into") ? &arguments->late_into : NULL;
        if (!slot)
            return error_suggest(error_at(ERR_BIND, arg->path.items[0].at, "%s has no argument '%s'", ast_call_name(call), name), name, known, sizeof known / sizeof *known);
        *slot = arg->right;
    }
    return NULL;
}

/* *by_time: a file that is named by its path, whose time is what the window says. */
static Error *bind_data(Binder *binder, const AstExpr *data, const AstExpr *time, Relation *relation, const AstExprs **partition, bool *by_time)
{
    AstRelation table = { .at = data->at };
    if (data->hints)
        table.hints = *data->hints;
    if (data->query) {
        table.kind = AST_REL_QUERY;
        table.query = data->query;
    } else if ((data->kind == AST_TABLE_ARG || data->kind == AST_NAME) && data->path.count) {
        table.kind = AST_REL_NAME;
        table.name = data->path;
    } else if ((data->kind == AST_LITERAL || data->kind == AST_TABLE_ARG) && data->value.type->kind == TYPE_VARCHAR) {
        table.kind = AST_REL_FILE;
        table.path = arena_strndup(binder->arena, str_bytes(&data->value.text), data->value.text.length);
    } else {
        return error_hint(error_at(ERR_BIND, data->at, "expected a table"), "TABLE name");
    }
    *partition = data->kind == AST_TABLE_ARG && data->args.count ? &data->args : NULL;
    *by_time = table.kind == AST_REL_FILE;
    return bind_relation(binder, &table, *by_time ? time : NULL, relation);
}

static Error *late_name(Binder *binder, const AstExpr *ast, const AstName **name)
{
    AstName *copy = ARENA_NEW(binder->arena, AstName);
    if (ast->kind == AST_NAME && ast->path.count == 1)
        *copy = ast->path.items[0];
    else if (ast->kind == AST_LITERAL && ast->value.type->kind == TYPE_VARCHAR)
        *copy = (AstName){ arena_strndup(binder->arena, str_bytes(&ast->value.text), ast->value.text.length), true, ast->at };
    else
        return error_at(ERR_BIND, ast->at, "expected the name of a stream");
    *name = copy;
    return NULL;
}

Error *bind_window_function(Binder *binder, const AstRelation *ast, Relation *relation, bool *is_window)
{
    const AstExpr *call = ast->function;
    WindowKind kind = WINDOW_TUMBLING;
    *is_window = call && is_window_call(call) && flink_kind(ast_call_name(call), &kind);
    if (!*is_window)
        return NULL;
    const char *name = ast_call_name(call);
    const bool session = kind == WINDOW_SESSION, steps = kind == WINDOW_HOPPING || kind == WINDOW_CUMULATING;
    Arguments arguments = { 0 };
    TRY(collect_arguments(call, steps, &arguments));
    if (!arguments.data || !arguments.time || !arguments.size || (steps && !arguments.slide))
        return error_hint(error_at(ERR_BIND, call->at, "%s needs its table, its time column and its %s", name, session ? "gap" : "size"),
                          kind == WINDOW_HOPPING ? "HOP(TABLE t, DESCRIPTOR(ts), slide, size)" : kind == WINDOW_CUMULATING ? "CUMULATE(TABLE t, DESCRIPTOR(ts), step, size)"
                          : session ? "SESSION(TABLE t, DESCRIPTOR(ts), gap)" : "TUMBLE(TABLE t, DESCRIPTOR(ts), size)");
    WindowUse *use = ARENA_NEW(binder->arena, WindowUse);
    use->at = call->at;
    use->table_function = true;
    const AstExpr *time = arguments.time;
    bool by_time = false;
    if (time->kind != AST_DESCRIPTOR && time->kind != AST_NAME)
        return error_hint(error_at(ERR_BIND, time->at, "expected the time column"), "DESCRIPTOR(ts)");
    if (time->kind == AST_DESCRIPTOR && time->path.count != 1)
        return error_at(ERR_BIND, time->at, "DESCRIPTOR needs one column");
    AstExpr column = *time;
    column.kind = AST_NAME;
    column.at = time->path.items[0].at;
    Expr *expr = NULL;
    WindowSpec *spec = &use->spec;
    TRY(bind_data(binder, arguments.data, &column, relation, &use->partition_by, &by_time));
    if (by_time)
        expr = binder_column(binder->arena, &relation->schema, relation->time_column, column.at);
    else
        TRY(binder_expr(binder, relation, &column, &expr));
    TRY(named_time(binder, relation, expr, column.at, spec));
    spec->kind = kind;
    if (session) {
        TRY(expr_duration(binder, arguments.size, "the gap of a session", &spec->size_us));
        TRY(window_positive(spec->size_us, 0, arguments.size->at, "the gap of a session"));
    } else {
        TRY(expr_length(binder, arguments.size, "the size of a window", &spec->size_us, &spec->size_months));
    }
    if (steps)
        TRY(expr_length(binder, arguments.slide, kind == WINDOW_HOPPING ? "the slide of a window" : "the step of a window", &spec->advance_us, &spec->advance_months));
    if (arguments.zone && session)
        return error_at(ERR_BIND, arguments.zone->at, "a session has no use for a time zone");
    if (arguments.zone) {
        Value zone;
        TRY(binder_literal(binder, arguments.zone, type_scalar(TYPE_VARCHAR), "TIME_ZONE", &zone));
        if (zone.is_null)
            return error_hint(error_at(ERR_BIND, arguments.zone->at, "TIME_ZONE must be the name of a zone"), "'Europe/Berlin'");
        TRY(window_zone(arguments.zone->at, str_bytes(&zone.text), zone.text.length, spec));
    }
    if (arguments.offset)
        TRY(expr_duration(binder, arguments.offset, "the offset of a window", &spec->offset_us));
    if (arguments.lateness) {
        TRY(expr_duration(binder, arguments.lateness, "ALLOWED_LATENESS", &spec->grace_us));
        use->lateness_given = true;
    }
    if (arguments.late_into)
        TRY(late_name(binder, arguments.late_into, &use->late_into));
    spec->session_end_with_gap = session;
    spec->end_inclusive = binder_rules(binder)->windows_end_inclusive && !session;
    window_session_zone(spec, &relation->schema);
    TRY(window_finish(spec, call->at));
    const Type *type = window_bound_type(binder->arena, spec, &relation->schema);
    static const char *const bounds[] = { "window_start", "window_end", "window_time" };
    Schema schema = { 0, ARENA_ARRAY(binder->arena, Column, relation->schema.column_count + 3) };
    for (int i = 0; i < relation->schema.column_count; i++) {
        schema.columns[schema.column_count] = relation->schema.columns[i];
        for (int b = 0; b < 3; b++) /* bounds of an inner window give way */
            if (name_equal(bounds[b], schema.columns[schema.column_count].name))
                schema.columns[schema.column_count].name = arena_printf(binder->arena, "$%s", bounds[b]);
        schema.column_count++;
    }
    for (int b = 0; b < 3; b++)
        schema.columns[schema.column_count++] = (Column){ .name = bounds[b], .type = type };
    relation->schema = schema;
    relation->pending = use;
    return NULL;
}

Error *bind_window_assign(Binder *binder, Relation *relation)
{
    WindowUse *use = relation->pending;
    Arena *arena = binder->arena;
    if (use->spec.kind == WINDOW_SESSION)
        return bind_session_rows(binder, relation);
    if (use->late_into)
        return error_at(ERR_BIND, use->at, "LATE INTO needs an aggregation: rows are late when their window has closed");
    LogicalNode *node = logical_node(arena, PLAN_WINDOW_ASSIGN, use->at, 1, &relation->input);
    node->assign.window = use->spec;
    Schema under = port_schema(arena, relation->input);
    int count = under.column_count;
    node->schema = (Schema){ count + 3, ARENA_ARRAY(arena, Column, count + 3) };
    for (int i = 0; i < count; i++)
        node->schema.columns[i] = under.columns[i];
    for (int i = count; i < count + 3; i++)
        node->schema.columns[i] = relation->schema.columns[i];
    logical_derive(arena, node);
    relation->input = main_port(node);
    relation->pending = NULL;
    relation->window = (WindowColumns){ true, count, count + 1, count + 2, use->spec };
    relation->time_column = use->spec.end_inclusive ? count + 1 : count + 2;
    relation->processing_time = use->spec.processing_time;
    return NULL;
}
