/* engine/why.c: EXPLAIN WHY NO OUTPUT: runs a query over what is there, and says where its rows went.
 *
 * The plan's conditions are filters each. From the result down to the sources the first node that takes rows and gives none is the cause; where
 * several inputs give nothing there are several. */
#include <stdio.h>

#include "common/calendar.h"
#include "engine/session_internal.h"
#include "engine/status.h"
#include "planner/explain.h"

typedef struct Question {
    const Plan *plan;
    Job *job;
    Arena *arena;
    const NodeCounters *counters;
    Text *text;
    bool *visited;
    int causes;
} Question;

/* ---- texts ---- */

static const char *time_text(const Question *question, int64_t us)
{
    char text[CALENDAR_TEXT + 1];
    if (us == TIME_MIN)
        return "nowhere yet";
    text[timestamp_format(us, 3, text)] = 0;
    return arena_strdup(question->arena, text);
}

static const char *duration_text(const Question *question, int64_t us)
{
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    explain_duration(us, &text);
    const char *copy = arena_strdup(question->arena, text_c(&text));
    text_release(&text);
    return copy;
}

/* The node's line of EXPLAIN without its kind. */
static const char *node_text(const Question *question, const PlanNode *node)
{
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    explain_node(node, &text);
    const char *space = strchr(text_c(&text), ' ');
    const char *copy = arena_strdup(question->arena, space ? space + 1 : "");
    text_release(&text);
    return copy;
}

static const char *rows_text(const Question *question, uint64_t count)
{
    return count == 1 ? "the only row" : arena_printf(question->arena, "the %llu rows", (unsigned long long)count);
}

static const char *of_rows(const Question *question, uint64_t count)
{
    return count == 1 ? "not true for the only row" : arena_printf(question->arena, "true for none of the %llu rows", (unsigned long long)count);
}

static void cause(Question *question, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void cause(Question *question, const char *format, ...)
{
    char line[4096];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    text_printf(question->text, "%s%s\n", question->causes++ ? "and: " : "no output: ", line);
}

static void detail(Question *question, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void detail(Question *question, const char *format, ...)
{
    char line[4096];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    text_printf(question->text, "  %s\n", line);
}

static const NodeCounters *counted(const Question *question, const PlanNode *node) { return &question->counters[node->id]; }

static bool is_aggregate(const PlanNode *node)
{
    return node->kind == PLAN_AGGREGATE || node->kind == PLAN_WINDOW_AGGREGATE || node->kind == PLAN_SESSION_AGGREGATE;
}

/* ---- sources ---- */

/* Names what went wrong with the rows of one place, most of all the first. */
static void explain_bad_rows(Question *question, const PlanNode *node, const char *what)
{
    const RowErrorSummary *errors;
    int count = job_row_errors(question->job, &errors);
    cause(question, "all %llu %s are bad", (unsigned long long)counted(question, node)->bad_rows, what);
    for (int i = 0; i < count; i++)
        detail(question, "%s: %llu times: %s%s%s", errors[i].source, (unsigned long long)errors[i].count, errors[i].reason, *errors[i].place ? "; first at " : "", errors[i].place);
}

static void explain_source(Question *question, const PlanNode *node)
{
    const NodeCounters *c = counted(question, node);
    SplitTime *splits = NULL;
    int count = job_split_times(question->job, node, question->arena, &splits);
    if (c->bad_rows) {
        explain_bad_rows(question, node, "records");
        return;
    }
    if (node->kind == PLAN_VALUES) {
        cause(question, "there are no rows: nothing is inserted");
        return;
    }
    cause(question, "'%s' has no rows%s", node->scan.source_name, node->scan.bounded ? "" : " now");
    for (int s = 0; s < count && s < 5; s++)
        if (*splits[s].name && strcmp(splits[s].name, node->scan.source_name) != 0)
            detail(question, "%s is empty", splits[s].name);
}

/* ---- conditions ---- */

static const PlanNode *below_projections(const PlanNode *node)
{
    while (node->kind == PLAN_PROJECT || node->kind == PLAN_FILTER)
        node = node->inputs[0].node;
    return node;
}

static void column_names(const Expr *expr, const Schema *schema, const char **names, int *count, int *columns)
{
    bool known = expr->kind != EXPR_COLUMN || *count == COUNTED_COLUMNS;
    for (int i = 0; i < *count; i++)
        known |= columns[i] == expr->column;
    if (!known) {
        columns[*count] = expr->column;
        names[(*count)++] = expr->column < schema->column_count ? schema->columns[expr->column].name : "?";
    }
    for (int i = 0; i < expr->arg_count; i++)
        column_names(expr->args[i], schema, names, count, columns);
}

static void explain_filter(Question *question, const PlanNode *node)
{
    const NodeCounters *c = counted(question, node);
    const PlanNode *under = below_projections(node);
    const char *clause = is_aggregate(under) ? "HAVING" : under->kind == PLAN_RANK ? "QUALIFY" : "WHERE";
    cause(question, "%s %s is %s that reach%s it", clause, node_text(question, node), of_rows(question, c->rows_in), c->rows_in == 1 ? "es" : "");
    const char *names[COUNTED_COLUMNS];
    int columns[COUNTED_COLUMNS], count = 0;
    Schema schema = node->inputs[0].node->schema;
    column_names(node->filter.predicate, &schema, names, &count, columns);
    for (int i = 0; i < count; i++)
        if (c->nulls[i] == c->rows_in)
            detail(question, "'%s' is NULL in %s", names[i], c->rows_in == 1 ? "it" : "all of them");
    if (c->bad_rows)
        detail(question, "it fails for %llu of them", (unsigned long long)c->bad_rows);
    for (const PlanNode *before = node->inputs[0].node; before->kind == PLAN_FILTER; before = before->inputs[0].node)
        detail(question, "%s leaves %llu of %llu rows", node_text(question, before), (unsigned long long)counted(question, before)->rows_out, (unsigned long long)counted(question, before)->rows_in);
}

/* ---- time ---- */

/* Which split is behind, and where the others are. */
static void explain_splits(Question *question, const PlanNode *node)
{
    SplitTime *splits = NULL;
    int count = job_split_times(question->job, node, question->arena, &splits), slowest = -1;
    for (int s = 0; s < count; s++)
        if (!splits[s].ended && !splits[s].idle && (slowest < 0 || splits[s].wm_us < splits[slowest].wm_us))
            slowest = s;
    if (slowest < 0 || count < 2)
        return;
    if (splits[slowest].wm_us == TIME_MIN)
        detail(question, "split '%s' holds it back: it has no rows; source.idle_timeout lets go of silent splits", splits[slowest].name);
    else
        detail(question, "split '%s' holds it back: its last is %s", splits[slowest].name, time_text(question, splits[slowest].wm_us));
    for (int s = 0; s < count && s < 8; s++)
        if (s != slowest)
            detail(question, "split '%s': %s%s", splits[s].name, time_text(question, splits[s].wm_us), splits[s].ended ? ", ended" : splits[s].idle ? ", idle" : "");
}

static void explain_open_windows(Question *question, const PlanNode *node)
{
    int64_t wm_us = job_node_watermark(question->job, node), close_us = job_next_close(question->job, node);
    if (close_us == TIME_MAX) {
        cause(question, "%s holds %s back until the watermark has passed %s: it is %s", plan_kind_name(node->kind), rows_text(question, counted(question, node)->rows_in),
              counted(question, node)->rows_in == 1 ? "it" : "them", wm_us == TIME_MIN ? "not there yet" : time_text(question, wm_us));
    } else if (wm_us == TIME_MIN) {
        cause(question, "no window has closed: there is no watermark yet; the first open one closes when it reaches %s", time_text(question, close_us));
    } else {
        cause(question, "no window has closed: the watermark is %s", time_text(question, wm_us));
        detail(question, "the first open one closes when it reaches %s: %s are missing", time_text(question, close_us), duration_text(question, close_us - wm_us));
    }
    explain_splits(question, node);
}

static void explain_aggregate(Question *question, const PlanNode *node)
{
    const NodeCounters *c = counted(question, node);
    bool ended = question->plan->bounded;
    if (c->late_rows == c->rows_in && c->late_rows) {
        cause(question, "%s too late: the watermark of the rows before %s had closed %s windows",
              c->rows_in == 1 ? "the only row came" : arena_printf(question->arena, "all %llu rows came", (unsigned long long)c->rows_in), c->rows_in == 1 ? "it" : "them", c->rows_in == 1 ? "its" : "their");
        explain_splits(question, node);
    } else if (!ended && node->aggregate.has_window) {
        explain_open_windows(question, node);
        if (c->late_rows)
            detail(question, "%llu rows came too late", (unsigned long long)c->late_rows);
    } else if (!ended) {
        cause(question, "%s of %s comes out at the end of the input, which does not come", plan_kind_name(node->kind), rows_text(question, c->rows_in));
    } else if (node->aggregate.drop_null_keys) {
        cause(question, "a key is NULL in %s: the dialect drops such groups", rows_text(question, c->rows_in));
    } else if (node->aggregate.has_window) {
        cause(question, "%s fall%s into no window: %s", rows_text(question, c->rows_in), c->rows_in == 1 ? "s" : "", node_text(question, node));
    } else {
        cause(question, "no group is left of %s: what came was taken back", rows_text(question, c->rows_in));
    }
}

static void explain_over(Question *question, const PlanNode *node)
{
    const NodeCounters *c = counted(question, node);
    int64_t wm_us = job_node_watermark(question->job, node), next_us = job_next_close(question->job, node);
    if (c->late_rows == c->rows_in) {
        cause(question, "%s too late: behind the watermark of the rows before", c->rows_in == 1 ? "the only row came" : arena_printf(question->arena, "all %llu rows came", (unsigned long long)c->rows_in));
    } else if (next_us == TIME_MAX) {
        cause(question, "%s wait%s for rows to follow: %s", rows_text(question, c->rows_in), c->rows_in == 1 ? "s" : "", node_text(question, node));
    } else if (wm_us == TIME_MIN) {
        cause(question, "%s wait%s for the watermark: there is none yet; the first one comes out when it is past %s", rows_text(question, c->rows_in), c->rows_in == 1 ? "s" : "", time_text(question, next_us));
    } else {
        cause(question, "%s wait%s for the watermark, which is %s", rows_text(question, c->rows_in), c->rows_in == 1 ? "s" : "", time_text(question, wm_us));
        detail(question, "the first one comes out when it is past %s", time_text(question, next_us));
    }
    explain_splits(question, node);
}

/* Rows that are late, a pattern that nothing fits, or what the watermark has yet to decide. */
static void explain_match(Question *question, const PlanNode *node)
{
    const NodeCounters *c = counted(question, node);
    const int64_t wm_us = job_node_watermark(question->job, node), next_us = job_next_close(question->job, node);
    if (c->late_rows == c->rows_in && c->late_rows) {
        cause(question, "%s too late: behind the watermark of the rows before", c->rows_in == 1 ? "the only row came" : arena_printf(question->arena, "all %llu rows came", (unsigned long long)c->rows_in));
        explain_splits(question, node);
        return;
    }
    cause(question, "no sequence of %s fits the pattern%s: %s", rows_text(question, c->rows_in), question->plan->bounded ? "" : " so far", node_text(question, node));
    if (question->plan->bounded || next_us == TIME_MAX)
        return;
    if (wm_us == TIME_MIN)
        detail(question, "rows wait for the watermark: there is none yet; the first one takes its place when it is past %s", time_text(question, next_us));
    else
        detail(question, "rows wait for the watermark, which is %s; more is decided when it is past %s", time_text(question, wm_us), time_text(question, next_us));
    explain_splits(question, node);
}

/* ---- the rest ---- */

static void explain_lookup(Question *question, const PlanNode *node)
{
    const NodeCounters *c = counted(question, node);
    cause(question, "%s find%s no match in '%s': %s", rows_text(question, c->rows_in), c->rows_in == 1 ? "s" : "", node->lookup.table_name, node_text(question, node));
}

static void explain_limit(Question *question, const PlanNode *node)
{
    int64_t limit = node->kind == PLAN_LIMIT ? node->limit.limit : node->sort.limit, offset = node->kind == PLAN_LIMIT ? node->limit.offset : node->sort.offset;
    if (limit == 0)
        cause(question, "LIMIT 0 lets nothing through");
    else
        cause(question, "OFFSET %lld skips %s", (long long)offset, rows_text(question, counted(question, node)->rows_in));
}

static void explain_join_loss(Question *question, const PlanNode *node)
{
    const NodeCounters *c = counted(question, node);
    uint64_t rows[2];
    for (int s = 0; s < 2; s++)
        rows[s] = node->inputs[s].port == PORT_MAIN ? counted(question, node->inputs[s].node)->rows_out : 0;
    const char *late = c->late_rows ? arena_printf(question->arena, "; %llu came too late", (unsigned long long)c->late_rows) : "";
    cause(question, "nothing matches: %s of the left side, %s of the right side: %s%s", rows_text(question, rows[0]), rows_text(question, rows[1]), node_text(question, node), late);
}

static void explain_node_loss(Question *question, const PlanNode *node)
{
    const NodeCounters *c = counted(question, node);
    if (c->bad_rows >= c->rows_in && node->kind != PLAN_FILTER) {
        explain_bad_rows(question, node, "rows");
        return;
    }
    if (node->kind == PLAN_FILTER) {
        explain_filter(question, node);
    } else if (is_aggregate(node)) {
        explain_aggregate(question, node);
    } else if (node->kind == PLAN_OVER) {
        explain_over(question, node);
    } else if (node->kind == PLAN_MATCH) {
        explain_match(question, node);
    } else if (node->kind == PLAN_LOOKUP) {
        explain_lookup(question, node);
    } else if (node->kind == PLAN_LIMIT || (node->kind == PLAN_SORT && question->plan->bounded)) {
        explain_limit(question, node);
    } else if (!question->plan->bounded && node->state_bound) {
        explain_open_windows(question, node);
    } else if (node->kind == PLAN_UNNEST) {
        cause(question, "the lists of %s are empty or NULL: %s", rows_text(question, c->rows_in), node_text(question, node));
    } else if (node->kind == PLAN_JOIN) {
        explain_join_loss(question, node);
    } else {
        cause(question, "%s lets none of %s through: %s", plan_kind_name(node->kind), rows_text(question, c->rows_in), node_text(question, node));
    }
}

/* The side of a join without rows, if none come out because of that; -1: there is none. */
static int empty_side(const Question *question, const PlanNode *node)
{
    for (int s = 0; node->kind == PLAN_JOIN && s < 2; s++)
        if (node->inputs[s].port == PORT_MAIN && counted(question, node->inputs[s].node)->rows_out == 0 && !node->join.sides[!s].preserved)
            return s;
    return -1;
}

static void find_causes(Question *question, PlanInput input)
{
    const PlanNode *node = input.node;
    const NodeCounters *c = counted(question, node);
    if (input.port != PORT_MAIN && c->rows_in + c->bad_rows + c->rows_out > 0) {
        cause(question, "%s", input.port == PORT_LATE ? "no row came too late" : "no row was bad");
        return;
    }
    if (question->visited[node->id] || c->rows_out > 0)
        return;
    question->visited[node->id] = true;
    const int empty = empty_side(question, node);
    if (node->input_count == 0)
        explain_source(question, node);
    else if (empty >= 0)
        find_causes(question, node->inputs[empty]);
    else if (c->rows_in > 0)
        explain_node_loss(question, node);
    else
        for (int i = 0; i < node->input_count; i++)
            find_causes(question, node->inputs[i]);
}

/* Who of several inputs gives rows and who does not shows here, too. */
static void print_way(Question *question)
{
    text_add_c(question->text, "the way of the rows:\n");
    for (int id = 0; id < question->plan->node_count; id++) {
        const PlanNode *node = question->plan->nodes[id];
        const NodeCounters *c = counted(question, node);
        if (node->kind == PLAN_SINK)
            continue;
        text_printf(question->text, "  %llu row%s out of ", (unsigned long long)c->rows_out, c->rows_out == 1 ? "" : "s");
        explain_node(node, question->text);
        text_add_char(question->text, '\n');
    }
}

void why_print(const Plan *plan, Job *job, bool answered, MemoryPool *pool, Text *text)
{
    if (answered) {
        text_add_c(text, "the query has output\n");
        return;
    }
    Arena arena;
    arena_init(&arena, pool);
    MEMORY_HOLD(arena_unwind, &arena);
    Question question = { .plan = plan, .job = job, .arena = &arena, .text = text, .counters = job_node_counters(job), .visited = ARENA_ARRAY(&arena, bool, plan->node_count + 1) };
    find_causes(&question, plan->outputs[0].sink->inputs[0]);
    if (question.causes == 0)
        cause(&question, "the rows have not come so far: the input ends before");
    print_way(&question);
    arena_release(&arena);
}

/* ---- in a session ---- */

typedef struct Asking {
    Session *session;
    const Plan *plan;
    const SessionOutput *output;
    const char *title;
    bool answered; /* a row came out */
} Asking;

static Error *look_for_causes(void *caller, Job *job, Error *error)
{
    const Asking *asking = caller;
    if (error && error->code != ERR_CLOSED && error->code != ERR_INTERRUPTED)
        return error;
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    why_print(asking->plan, job, asking->answered, &asking->session->pool, &text);
    Error *failed = session_emit_lines(asking->output, text_c(&text), text.length, asking->title);
    text_release(&text);
    if (error && error->code == ERR_INTERRUPTED) {
        error_free(failed);
        return error;
    }
    error_free(error);
    return failed;
}

static Error *first_row(void *caller, const Batch *batch)
{
    Asking *asking = caller;
    (void)batch;
    asking->answered = true;
    return error_new(ERR_CLOSED, "a row came out");
}

Error *session_why_no_output(Session *session, const Plan *plan, const SessionOutput *output, const char *title)
{
    Asking asking = { .session = session, .plan = plan, .output = output, .title = title };
    SessionOutput rows = { .rows = first_row, .caller = &asking };
    JobLook look = { .until_quiet = true, .look = look_for_causes, .caller = &asking };
    if (session->options.check_only)
        return NULL;
    return session_run_profiled(session, plan, &rows, &look);
}
