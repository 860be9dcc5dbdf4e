/* planner/explain.c: the plan as people read it.
 *
 * One line a node, its inputs below it; facts about a node stand under it behind a bar. A node with several consumers is
 * printed once and referred to by its number afterwards. */
#include "planner/explain.h"
#include "common/calendar.h"
#include "planner/expr.h"
#include "planner/planner.h"

/* ---- small texts ---- */

void explain_duration(int64_t us, Text *text)
{
    static const struct { int64_t us; const char *name; } units[] = {
        { US_PER_DAY, "d" }, { US_PER_HOUR, "h" }, { US_PER_MINUTE, "min" }, { US_PER_SECOND, "s" }, { US_PER_MS, "ms" }, { 1, "us" },
    };
    if (us == 0) {
        text_add_c(text, "0 s");
        return;
    }
    if (us == INT64_MAX) {
        text_add_c(text, "forever");
        return;
    }
    if (us < 0) {
        text_add_char(text, '-');
        us = -us;
    }
    bool first = true;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (us >= units[i].us) {
            text_printf(text, "%s%lld %s", first ? "" : " ", (long long)(us / units[i].us), units[i].name);
            us %= units[i].us;
            first = false;
        }
}

static void print_columns(const Schema *schema, Text *text)
{
    for (int i = 0; i < schema->column_count; i++) {
        text_printf(text, "%s%s ", i ? ", " : "", schema->columns[i].name);
        type_print(schema->columns[i].type, text);
    }
}

static const char *input_name(Arena *arena, const PlanNode *node, int input, int column)
{
    Schema schema = port_schema(arena, node->inputs[input]);
    return column >= 0 && column < schema.column_count ? schema.columns[column].name : "?";
}

static void print_names(Arena *arena, const PlanNode *node, const int *columns, int count, Text *text)
{
    for (int i = 0; i < count; i++)
        text_printf(text, "%s%s", i ? ", " : "", input_name(arena, node, 0, columns[i]));
}

static void print_sort(Arena *arena, const PlanNode *node, const SortKey *keys, int count, Text *text)
{
    for (int i = 0; i < count; i++)
        text_printf(text, "%s%s%s%s", i ? ", " : "", input_name(arena, node, 0, keys[i].column), keys[i].descending ? " DESC" : "",
                    keys[i].nulls_first ? " NULLS FIRST" : "");
}

static void explain_length(int64_t us, int64_t months, Text *text)
{
    if (months)
        text_printf(text, "%lld month%s", (long long)months, months == 1 ? "" : "s");
    else
        explain_duration(us, text);
}

void explain_window(const WindowSpec *window, Text *text)
{
    switch (window->kind) {
    case WINDOW_TUMBLING: text_add_c(text, "tumbling "); break;
    case WINDOW_HOPPING: text_add_c(text, "hopping "); break;
    case WINDOW_CUMULATING: text_add_c(text, "cumulating "); break;
    case WINDOW_SLIDING: text_add_c(text, "sliding "); break;
    case WINDOW_SNAPSHOT: text_add_c(text, "snapshot"); return;
    case WINDOW_COUNT:
        text_printf(text, "of %lld rows", (long long)window->count);
        if (window->count_advance != window->count)
            text_printf(text, " every %lld", (long long)window->count_advance);
        return;
    case WINDOW_SESSION: text_add_c(text, "session gap "); break;
    }
    explain_length(window->size_us, window->size_months, text);
    if (window->kind == WINDOW_HOPPING || window->kind == WINDOW_CUMULATING) {
        text_add_c(text, window->kind == WINDOW_HOPPING ? " every " : " by steps of ");
        explain_length(window->advance_us, window->advance_months, text);
    }
    if (window->zone)
        text_printf(text, " in %s", timezone_name(window->zone));
    if (window->offset_us) {
        text_add_c(text, " offset ");
        explain_duration(window->offset_us, text);
    }
    if (window->max_session_us) {
        text_add_c(text, " at most ");
        explain_duration(window->max_session_us, text);
    }
    if (window->end_inclusive)
        text_add_c(text, " (s, e]");
}

static const char *policy_name(RowPolicy policy)
{
    switch (policy) {
    case POLICY_FAIL: return "fail";
    case POLICY_SKIP: return "skip";
    case POLICY_NULL: return "null";
    case POLICY_DEAD_LETTER: return "dead letter";
    }
    return "?";
}

/* ---- the line of a node ---- */

static void print_project(const PlanNode *node, Text *text)
{
    for (int i = 0; i < node->schema.column_count; i++) {
        const Expr *expr = node->project.exprs[i];
        const char *name = node->schema.columns[i].name;
        text_add_c(text, i ? ", " : " ");
        size_t start = text->length;
        expr_print(expr, text);
        if (strcmp(text_c(text) + start, name) != 0)
            text_printf(text, " AS %s", name);
    }
    if (node->schema.column_count == 0)
        text_add_c(text, " no columns");
}

static void print_aggregate(Arena *arena, const PlanNode *node, Text *text)
{
    if (node->aggregate.has_window) {
        text_add_char(text, ' ');
        explain_window(&node->aggregate.window, text);
        if (node->aggregate.window.processing_time)
            text_add_c(text, " on processing time");
        else if (node->aggregate.window.kind != WINDOW_COUNT)
            text_printf(text, " on %s", input_name(arena, node, 0, node->aggregate.window.time_column));
    }
    if (node->aggregate.key_count) {
        text_add_c(text, " by ");
        print_names(arena, node, node->aggregate.key_columns, node->aggregate.key_count, text);
        for (int i = 0, clocks = 0; i < node->aggregate.key_count; i++)
            if (i < 64 && node->aggregate.clock_keys >> i & 1)
                text_printf(text, "%s%s", clocks++ ? ", " : ", a clock for each ", input_name(arena, node, 0, node->aggregate.key_columns[i]));
        if (node->aggregate.clock_rows)
            text_printf(text, ", where %s", input_name(arena, node, 0, node->aggregate.clock_rows - 1));
    } else if (!node->aggregate.has_window) {
        text_add_c(text, " of all rows");
    }
    for (int i = 0; i < node->aggregate.call_count; i++)
        text_printf(text, "%s%s", i ? ", " : ": ", node->aggregate.calls[i].name);
}

static double double_of_bits(int64_t bits)
{
    double number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

static void print_bound(OverBound bound, const OverFrame *frame, int64_t offset, const PlanNode *node, Text *text)
{
    const bool near = bound == BOUND_PRECEDING || bound == BOUND_FOLLOWING;
    if (near && frame->unit != OVER_RANGE) {
        text_printf(text, "%lld ", (long long)offset);
    } else if (near) {
        const Type *type = node->over.time_column >= 0 || node->over.key_count == 0 ? NULL : port_schema(NULL, node->inputs[0]).columns[node->over.keys[0].column].type;
        if (!type || type_is_timestamp(type))
            explain_duration(offset, text);
        else if (type_physical(type) == PHYSICAL_DOUBLE)
            text_printf(text, "%.17g", double_of_bits(offset));
        else
            text_printf(text, "%lld", (long long)offset);
        text_add_char(text, ' ');
    }
    static const char *const names[] = { "unbounded preceding", "preceding", "current row", "following", "unbounded following" };
    text_add_c(text, names[bound]);
}

static void print_over_call(const PlanNode *node, const OverCall *over, Text *text)
{
    text_add_c(text, over->call.name);
    const bool framed = over->kind == OVER_AGGREGATE || over->kind == OVER_FIRST_VALUE || over->kind == OVER_LAST_VALUE || over->kind == OVER_NTH_VALUE;
    if (over->frame.open_start) {
        text_add_c(text, " within ");
        explain_duration(over->frame.from_offset, text);
    } else if (framed) {
        static const char *const units[] = { " range ", " rows ", " groups " };
        static const char *const exclusions[] = { "", " without the row", " without its group", " without its ties" };
        text_add_c(text, units[over->frame.unit]);
        print_bound(over->frame.from, &over->frame, over->frame.from_offset, node, text);
        text_add_c(text, " to ");
        print_bound(over->frame.to, &over->frame, over->frame.to_offset, node, text);
        text_add_c(text, exclusions[over->frame.exclude]);
    }
}

static void print_over(Arena *arena, const PlanNode *node, Text *text)
{
    if (node->over.partition_count) {
        text_add_c(text, " by ");
        print_names(arena, node, node->over.partition_columns, node->over.partition_count, text);
    }
    if (node->over.key_count) {
        text_add_c(text, " order ");
        print_sort(arena, node, node->over.keys, node->over.key_count, text);
    } else if (node->over.order == OVER_BY_ARRIVAL) {
        text_add_c(text, " in order of arrival");
    }
    for (int i = 0; i < node->over.call_count; i++) {
        text_add_c(text, i ? ", " : ": ");
        print_over_call(node, &node->over.calls[i], text);
    }
}

static void print_match(Arena *arena, const PlanNode *node, Text *text)
{
    static const char *const skips[] = { "past the last row", "to the next row", "to the first", "to the last" };
    text_printf(text, " %s", node->match.pattern);
    if (node->match.within_us) {
        text_add_c(text, " within ");
        explain_duration(node->match.within_us, text);
    }
    if (node->match.partition_count) {
        text_add_c(text, " by ");
        print_names(arena, node, node->match.partition_columns, node->match.partition_count, text);
    }
    text_add_c(text, node->match.key_count ? " order " : node->match.by_time ? " in order of time" : " in order of arrival");
    print_sort(arena, node, node->match.keys, node->match.key_count, text);
    for (int i = 0; i < node->match.variable_count; i++) {
        const MatchVariable *variable = &node->match.variables[i];
        if (variable->condition < 0 && !variable->define)
            continue;
        text_printf(text, ", %s: ", variable->name);
        if (variable->condition >= 0)
            text_add_c(text, input_name(arena, node, 0, variable->condition));
        if (variable->define) {
            text_add_c(text, variable->condition >= 0 ? " AND " : "");
            expr_print(variable->define, text);
        }
    }
    text_printf(text, ", then %s", skips[node->match.skip]);
    for (int i = 0; i < node->match.variable_count; i++)
        if (node->match.skip_variables >> i & 1)
            text_printf(text, " %s", node->match.variables[i].name);
}

static const char *match_trigger(const PlanNode *node)
{
    if (node->match.all_rows)
        return node->match.by_time ? "all rows of a match, when the watermark has passed what decides it" : "all rows of a match, when it is decided";
    return node->match.by_time ? "a row a match, when the watermark has passed what decides it" : "a row a match, when it is decided";
}

static const char *over_trigger(const PlanNode *node)
{
    switch (node->over.order) {
    case OVER_BY_TIME: return "when the watermark has passed the row's time";
    case OVER_BY_ARRIVAL: return "with every row";
    case OVER_WHOLE: return node->over.window_time_column >= 0 ? "when the window closes" : "at the end of the input";
    }
    return "?";
}

static void print_scan(const PlanNode *node, Text *text)
{
    text_printf(text, " %s", node->scan.source_name);
    for (int i = 0; i < node->schema.column_count; i++) {
        const DecodeColumn *column = &node->scan.columns[i];
        text_add_c(text, i ? ", " : ": ");
        for (int p = 0; p < column->path_length; p++)
            text_printf(text, "%s%s", p ? "." : "", column->path[p]);
        text_add_char(text, ' ');
        type_print(column->type, text);
    }
}

static void print_subquery(Arena *arena, const PlanNode *node, Text *text)
{
    static const char *const names[] = { "exists", "in", "value" };
    text_printf(text, " %s", names[node->subquery.kind]);
    if (node->subquery.value >= 0)
        text_printf(text, " of %s", input_name(arena, node, 0, node->subquery.value));
    for (int i = 0; i < node->subquery.key_count; i++)
        text_printf(text, "%s%s = %s", i ? " and " : " where ", input_name(arena, node, 0, node->subquery.keys[i]), input_name(arena, node, 1, i));
    text_add_c(text, node->subquery.changes ? ", changing" : node->subquery.until_end ? ", at the end" : ", once the other input has ended");
}

static void print_node(Arena *arena, const PlanNode *node, Text *text)
{
    if (node->kind == PLAN_SINK) {
        if (node->sink.connector)
            text_printf(text, "Sink %s%s%s: ", node->sink.connector->name, node->sink.format ? ", " : "", node->sink.format ? node->sink.format->name : "");
        else
            text_add_c(text, "Result: ");
        print_columns(&node->schema, text);
        return;
    }
    text_add_c(text, plan_kind_name(node->kind));
    switch (node->kind) {
    case PLAN_SCAN:
        print_scan(node, text);
        break;
    case PLAN_VALUES:
        text_printf(text, " %d row%s%s", node->values.row_count, node->values.row_count == 1 ? "" : "s", node->schema.column_count ? ": " : "");
        print_columns(&node->schema, text);
        break;
    case PLAN_WATERMARK:
        if (node->watermark.time_column < 0) {
            text_add_c(text, " arrival");
        } else {
            text_printf(text, " %s", input_name(arena, node, 0, node->watermark.time_column));
            if (node->watermark.watermark) {
                text_add_c(text, " as ");
                expr_print(node->watermark.watermark, text);
            }
        }
        if (node->watermark.extra_us) {
            text_add_c(text, " plus ");
            explain_duration(node->watermark.extra_us, text);
        }
        for (int i = 0; i < node->watermark.key_count; i++) {
            text_add_c(text, i ? ", " : ", a clock for each ");
            expr_print(node->watermark.keys[i], text);
        }
        break;
    case PLAN_FILTER:
        text_add_char(text, ' ');
        expr_print(node->filter.predicate, text);
        break;
    case PLAN_PROJECT:
        print_project(node, text);
        break;
    case PLAN_NORMALIZE:
        text_add_c(text, " by ");
        print_names(arena, node, node->normalize.key_columns, node->normalize.key_count, text);
        break;
    case PLAN_LOOKUP:
        text_printf(text, " %s%s on ", node->lookup.left ? "left " : "", node->lookup.table_name);
        for (int i = 0; i < node->lookup.spec.key_count; i++)
            text_printf(text, "%s%s = %s", i ? " and " : "", node->lookup.spec.key_columns[i], input_name(arena, node, 0, node->lookup.key_columns[i]));
        break;
    case PLAN_WINDOW_ASSIGN:
        text_add_char(text, ' ');
        explain_window(&node->assign.window, text);
        text_printf(text, " on %s", node->assign.window.processing_time ? "processing time" : input_name(arena, node, 0, node->assign.window.time_column));
        break;
    case PLAN_CANDIDATES:
        text_printf(text, " for the %s %s of ", node->candidates.smallest ? "smallest" : "largest", input_name(arena, node, 0, node->candidates.value));
        explain_window(&node->candidates.window, text);
        text_printf(text, " on %s", input_name(arena, node, 0, node->candidates.window.time_column));
        if (node->candidates.key_count) {
            text_add_c(text, " by ");
            print_names(arena, node, node->candidates.key_columns, node->candidates.key_count, text);
        }
        break;
    case PLAN_SUBQUERY:
        print_subquery(arena, node, text);
        break;
    case PLAN_UNNEST:
        text_add_c(text, node->unnest.outer ? " outer " : " ");
        print_names(arena, node, node->unnest.lists, node->unnest.list_count, text);
        if (node->unnest.ordinality)
            text_add_c(text, " with ordinality");
        break;
    case PLAN_AGGREGATE:
    case PLAN_WINDOW_AGGREGATE:
    case PLAN_SESSION_AGGREGATE:
        print_aggregate(arena, node, text);
        break;
    case PLAN_RANK:
        text_printf(text, " %s", node->rank.rank == RANK_ROW_NUMBER ? "ROW_NUMBER" : node->rank.rank == RANK_RANK ? "RANK" : "DENSE_RANK");
        if (node->rank.offset)
            text_printf(text, " > %lld,", (long long)node->rank.offset);
        if (node->rank.limit != INT64_MAX)
            text_printf(text, " <= %lld", (long long)node->rank.limit);
        if (node->rank.partition_count) {
            text_add_c(text, " by ");
            print_names(arena, node, node->rank.partition_columns, node->rank.partition_count, text);
        }
        text_add_c(text, node->rank.key_count ? " order " : " in order of arrival");
        print_sort(arena, node, node->rank.keys, node->rank.key_count, text);
        break;
    case PLAN_OVER:
        print_over(arena, node, text);
        break;
    case PLAN_MATCH:
        print_match(arena, node, text);
        break;
    case PLAN_SORT:
        text_add_char(text, ' ');
        print_sort(arena, node, node->sort.keys, node->sort.key_count, text);
        if (node->sort.limit >= 0)
            text_printf(text, " first %lld", (long long)node->sort.limit);
        if (node->sort.offset)
            text_printf(text, " offset %lld", (long long)node->sort.offset);
        break;
    case PLAN_LIMIT:
        if (node->limit.limit >= 0)
            text_printf(text, " %lld", (long long)node->limit.limit);
        if (node->limit.offset)
            text_printf(text, " offset %lld", (long long)node->limit.offset);
        break;
    case PLAN_SET:
        text_printf(text, " %s%s", node->set.kind == SET_INTERSECT ? "intersect" : "except", node->set.all ? " all" : "");
        if (node->set.trigger == TRIGGER_END)
            text_add_c(text, " at the end");
        break;
    case PLAN_JOIN:
        explain_join(node, text);
        break;
    case PLAN_UNION:
        text_printf(text, " of %d", node->input_count);
        break;
    case PLAN_GATHER:
        text_add_c(text, " the rows of all keys");
        break;
    case PLAN_SINK:
        break;
    }
}

/* ---- what stands under it ---- */

typedef struct Printer {
    Arena *arena;
    Text *out;
    const Plan *plan;   /* NULL: a logical tree */
    const PlanNode **printed; int printed_count;
    int *consumers;
    const NodeCounters *counters; /* of the run, by node id; NULL: it has not run */
    bool edges;                   /* what every edge carries */
} Printer;

/* One fact: `prefix` draws the bars of the ancestors. */
static void fact(Printer *printer, const char *prefix, bool bar, const char *name, const char *value)
{
    text_printf(printer->out, "%s%s%s: %s\n", prefix, bar ? "│  " : "   ", name, value);
}

static const char *trigger_text(Arena *arena, const PlanNode *node)
{
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    switch (node->aggregate.trigger) {
    case TRIGGER_CHANGES:
        text_add_c(&text, node->aggregate.emit_unchanged ? "on every row" : "on every change");
        break;
    case TRIGGER_FINAL:
        text_add_c(&text, node->aggregate.has_window && node->aggregate.window.kind == WINDOW_COUNT ? "once, when the window is full" : "once, when the window closes");
        break;
    case TRIGGER_AFTER_WATERMARK: text_add_c(&text, "when the watermark reaches the window's end, then on late changes"); break;
    case TRIGGER_DELAY:
        text_add_c(&text, "every ");
        explain_duration(node->aggregate.delay_us, &text);
        if (node->aggregate.has_window)
            text_add_c(&text, ", then when the window closes");
        break;
    case TRIGGER_END: text_add_c(&text, "once, at the end of the input"); break;
    }
    if (node->aggregate.has_window && node->aggregate.window.grace_us) {
        text_add_c(&text, "; grace ");
        explain_duration(node->aggregate.window.grace_us, &text);
    }
    const char *copy = arena_strdup(arena, text_c(&text));
    text_release(&text);
    return copy;
}

static const char *changes_text(const EdgeTraits *traits)
{
    switch (traits->changes) {
    case CHANGES_APPEND: return "append only";
    case CHANGES_RETRACT: return "updates (+I -U +U -D)";
    case CHANGES_UPSERT: return "upserts by key";
    }
    return "?";
}

static void print_facts(Printer *printer, const PlanNode *node, const char *prefix, bool bar)
{
    Arena *arena = printer->arena;
    if (node->kind == PLAN_SCAN) {
        const char *format = node->scan.format ? arena_printf(arena, ", %s", node->scan.format->name) : "";
        bool fields = false;
        for (int i = 0; i < node->schema.column_count; i++)
            fields |= node->scan.columns[i].path_length > 1;
        const char *columns = fields ? arena_printf(arena, ", %d columns and fields decoded", node->schema.column_count) : node->scan.declared_count > 0 && node->scan.format
            ? arena_printf(arena, ", %d column%s decoded of %d declared", node->schema.column_count, node->schema.column_count == 1 ? "" : "s", node->scan.declared_count) : "";
        const char *policy = node->scan.on_error == POLICY_FAIL ? "" : arena_printf(arena, ", bad records: %s", policy_name(node->scan.on_error));
        fact(printer, prefix, bar, "from", arena_printf(arena, "%s%s%s%s%s", node->scan.connector->name, format, node->scan.bounded ? ", bounded" : ", unbounded", columns, policy));
    }
    bool aggregate = node->kind == PLAN_AGGREGATE || node->kind == PLAN_WINDOW_AGGREGATE || node->kind == PLAN_SESSION_AGGREGATE;
    if (aggregate)
        fact(printer, prefix, bar, "emits", trigger_text(arena, node));
    if (node->kind == PLAN_RANK)
        fact(printer, prefix, bar, "emits", node->rank.trigger == TRIGGER_FINAL ? "when the window closes" : node->rank.trigger == TRIGGER_END ? "at the end of the input" : "on every change");
    if (node->kind == PLAN_OVER)
        fact(printer, prefix, bar, "emits", over_trigger(node));
    if (node->kind == PLAN_MATCH)
        fact(printer, prefix, bar, "emits", match_trigger(node));
    if (node->late_wanted)
        fact(printer, prefix, bar, "late rows", "kept");
    if (node->dead_letter_wanted)
        fact(printer, prefix, bar, "bad rows", "kept");
    if (!printer->plan)
        return;
    if (node->state_bound)
        fact(printer, prefix, bar, "state", node->state_bound);
    bool changes_here = node->kind == PLAN_SINK || (node->traits.changes != CHANGES_APPEND && (aggregate || node->kind == PLAN_RANK));
    if (changes_here)
        fact(printer, prefix, bar, "changes", changes_text(&node->traits));
    bool boundary = node->kind == PLAN_SCAN || node->kind == PLAN_VALUES;
    for (int i = 0; i < node->input_count && !boundary; i++)
        boundary = node->inputs[i].node->segment != node->segment;
    if (boundary && node->segment_reason)
        fact(printer, prefix, bar, node->segment == SEGMENT_PARALLEL ? "parallel" : "ordered", node->segment_reason);
}

static const char *key_text(Arena *arena, const PlanNode *node, const ColumnSet *key)
{
    const char *text = key->count ? "; unique by " : "; one row";
    for (int i = 0; i < key->count; i++)
        text = arena_printf(arena, "%s%s%s", text, i ? ", " : "", node->schema.columns[key->columns[i]].name);
    return text;
}

/* What comes out of it: how rows change, what tells them apart, which columns are event times and how far they may lie behind the watermark. */
static void print_edge(Printer *printer, const PlanNode *node, const char *prefix, bool bar)
{
    Arena *arena = printer->arena;
    const EdgeTraits *traits = &node->traits;
    const char *text = changes_text(traits);
    for (int k = 0; k < traits->key_count; k++)
        text = arena_printf(arena, "%s%s", text, key_text(arena, node, &traits->keys[k]));
    for (int t = 0; t < traits->time_count; t++) {
        const TimeColumn *time = &traits->times[t];
        text = arena_printf(arena, "%s; %s %s", text, time->processing ? "processing time" : "event time", node->schema.columns[time->column].name);
        if (time->lag_us) {
            Text lag = { 0 };
            MEMORY_HOLD(text_unwind, &lag);
            explain_duration(time->lag_us, &lag);
            text = arena_printf(arena, "%s up to %s behind", text, text_c(&lag));
            text_release(&lag);
        }
    }
    fact(printer, prefix, bar, "gives", arena_printf(arena, "%s; %s", text, traits->bounded ? "bounded" : "unbounded"));
}

static const char *size_text(Arena *arena, int64_t bytes)
{
    return bytes < 1024 ? arena_printf(arena, "%lld B", (long long)bytes) : bytes < 1048576 ? arena_printf(arena, "%.1f KiB", (double)bytes / 1024)
        : arena_printf(arena, "%.1f MiB", (double)bytes / 1048576);
}

static const char *count_text(Arena *arena, uint64_t count, const char *what) { return count ? arena_printf(arena, ", %llu %s", (unsigned long long)count, what) : ""; }

/* EXPLAIN ANALYZE: what came in and out is a fact of the input, what it cost is one of this run. */
static void print_run(Printer *printer, const PlanNode *node, const char *prefix, bool bar)
{
    Arena *arena = printer->arena;
    const NodeCounters *c = &printer->counters[node->id];
    bool source = node->kind == PLAN_SCAN || node->kind == PLAN_VALUES;
    const char *in = source ? node->kind == PLAN_SCAN && node->scan.format ? arena_printf(arena, "%llu bytes in, ", (unsigned long long)c->bytes_in) : ""
        : arena_printf(arena, "%llu rows in%s", (unsigned long long)c->rows_in, node->kind == PLAN_SINK ? "" : ", ");
    const char *out = node->kind == PLAN_SINK ? "" : arena_printf(arena, "%llu rows out", (unsigned long long)c->rows_out);
    fact(printer, prefix, bar, "ran", arena_printf(arena, "%s%s%s%s", in, out, count_text(arena, c->late_rows, "late"), count_text(arena, c->bad_rows, "bad")));
    if (node->kind == PLAN_WATERMARK && c->wm_us != TIME_MIN) {
        char at[CALENDAR_TEXT + 1];
        at[timestamp_format(c->wm_us, 3, at)] = 0;
        fact(printer, prefix, bar, "watermark", at);
    }
    const char *state = node->state_bound ? arena_printf(arena, ", state at most %s", size_text(arena, c->state_bytes)) : "";
    fact(printer, prefix, bar, "cost", arena_printf(arena, "%.3f ms in %llu batch%s%s", (double)c->busy_ns / 1e6, (unsigned long long)c->batches, c->batches == 1 ? "" : "es", state));
}

static void print_tree(Printer *printer, PlanInput input, const char *lead, const char *prefix)
{
    const PlanNode *node = input.node;
    text_add_c(printer->out, lead);
    const char *port = port_is_late(input.port) ? (input.port == PORT_LATE_RIGHT ? "late right rows of " : "late rows of ") : input.port == PORT_DEAD_LETTER ? "bad rows of " : "";
    for (int i = 0; i < printer->printed_count; i++)
        if (printer->printed[i] == node) {
            text_printf(printer->out, "%s%s #%d, above\n", port, plan_kind_name(node->kind), node->id);
            return;
        }
    printer->printed[printer->printed_count++] = node;
    text_add_c(printer->out, port);
    print_node(printer->arena, node, printer->out);
    if (node->id >= 0 && printer->consumers[node->id] > 1)
        text_printf(printer->out, "  #%d", node->id);
    text_add_char(printer->out, '\n');
    print_facts(printer, node, prefix, node->input_count > 0);
    if (printer->edges && node->kind != PLAN_SINK)
        print_edge(printer, node, prefix, node->input_count > 0);
    if (printer->counters)
        print_run(printer, node, prefix, node->input_count > 0);
    for (int i = 0; i < node->input_count; i++) {
        bool last = i == node->input_count - 1;
        print_tree(printer, node->inputs[i], arena_printf(printer->arena, "%s%s", prefix, last ? "└─ " : "├─ "),
                   arena_printf(printer->arena, "%s%s", prefix, last ? "   " : "│  "));
    }
}

static void print_plan(const Plan *plan, const NodeCounters *counters, bool edges, Text *text)
{
    Arena arena;
    arena_init(&arena, NULL);
    MEMORY_HOLD(arena_unwind, &arena);
    Printer printer = { .arena = &arena, .out = text, .plan = plan, .counters = counters, .edges = edges };
    printer.printed = ARENA_ARRAY(&arena, const PlanNode *, plan->node_count + 1);
    printer.consumers = ARENA_ARRAY(&arena, int, plan->node_count + 1);
    for (int n = 0; n < plan->node_count; n++)
        for (int i = 0; i < plan->nodes[n]->input_count; i++)
            printer.consumers[plan->nodes[n]->inputs[i].node->id]++;
    for (int o = 0; o < plan->output_count; o++) {
        if (plan->outputs[o].name)
            text_printf(text, "%sinto %s\n", o ? "\n" : "", plan->outputs[o].name);
        print_tree(&printer, main_port(plan->outputs[o].sink), "", "");
    }
    if (plan->rewrites && *plan->rewrites)
        text_printf(text, "rewrites: %s\n", plan->rewrites);
    arena_release(&arena);
}

void explain_plan(const Plan *plan, Text *text) { print_plan(plan, NULL, false, text); }
void explain_edges(const Plan *plan, Text *text) { print_plan(plan, NULL, true, text); }
void explain_run(const Plan *plan, const NodeCounters *counters, Text *text) { print_plan(plan, counters, false, text); }

void explain_logical(Arena *arena, PlanInput root, Text *text)
{
    NodeList nodes = { 0 };
    logical_order(arena, &root, 1, &nodes);
    Printer printer = { .arena = arena, .out = text };
    printer.printed = ARENA_ARRAY(arena, const PlanNode *, nodes.count + 1);
    print_tree(&printer, root, "", "");
}

void explain_node(const PlanNode *node, Text *text)
{
    Arena arena;
    arena_init(&arena, NULL);
    MEMORY_HOLD(arena_unwind, &arena);
    print_node(&arena, node, text);
    arena_release(&arena);
}
