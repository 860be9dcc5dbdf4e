/* planner/physical.c: the last step of planning: rewrites in their order, then ids, ports, traits, segments, names. */
#include "planner/physical.h"
#include <ctype.h>
#include "common/calendar.h"
#include "common/hash.h"
#include "planner/explain.h"
#include "planner/expr.h"
#include "planner/own_clocks.h"
#include "planner/rank_changes.h"
#include "planner/rewrite/rewrite.h"

/* ---- canonical texts ---- */

/* Option structs are opaque; their table says what is in them. Where a value came from (a place, an alias) does not show. */
static void print_options(const OptionSpec *specs, const void *options, Text *text)
{
    if (!specs || !options)
        return;
    for (const OptionSpec *spec = specs; spec->name; spec++) {
        if (spec->operational || spec->kind == OPTION_REFUSED)
            continue;
        const void *field = (const char *)options + spec->offset;
        text_printf(text, " %s=", spec->name);
        switch (spec->kind) {
        case OPTION_STRING: {
            const char *value = *(const char *const *)field;
            text_printf(text, "%zu:%s", value ? strlen(value) : 0, value ? value : "");
            break;
        }
        case OPTION_INT:
        case OPTION_DURATION: text_printf(text, "%lld", (long long)*(const int64_t *)field); break;
        case OPTION_DOUBLE: text_printf(text, "%a", *(const double *)field); break;
        case OPTION_BOOL: text_printf(text, "%d", *(const bool *)field); break;
        case OPTION_CHAR: text_printf(text, "%d", *(const char *)field); break;
        case OPTION_ENUM: text_printf(text, "%d", *(const int *)field); break;
        case OPTION_REFUSED: break;
        }
    }
}

static void print_ints(const int *items, int count, Text *text)
{
    text_add_char(text, '(');
    for (int i = 0; i < count; i++)
        text_printf(text, "%d,", items[i]);
    text_add_char(text, ')');
}

static void print_types(const Schema *schema, Text *text)
{
    for (int i = 0; i < schema->column_count; i++) {
        type_print(schema->columns[i].type, text);
        text_add_char(text, ',');
    }
}

static void print_window(const WindowSpec *window, Text *text)
{
    text_printf(text, " w%d %lld %lld %lld %lld %lld %d%d%d t%d %lld", window->kind, (long long)window->size_us, (long long)window->advance_us,
                (long long)window->offset_us, (long long)window->grace_us, (long long)window->max_session_us, window->end_inclusive,
                window->session_end_with_gap, window->processing_time, window->time_column, (long long)window->lag_us);
    if (window->kind == WINDOW_COUNT)
        text_printf(text, " n%lld %lld", (long long)window->count, (long long)window->count_advance);
    if (window->size_months || window->advance_months || window->zone)
        text_printf(text, " m%lld %lld %s", (long long)window->size_months, (long long)window->advance_months, window->zone ? timezone_name(window->zone) : "");
}

static void print_sort_keys(const SortKey *keys, int count, Text *text)
{
    for (int i = 0; i < count; i++)
        text_printf(text, " k%d%d%d", keys[i].column, keys[i].descending, keys[i].nulls_first);
}

static void print_scan(const LogicalNode *node, Text *text)
{
    text_printf(text, " %s ", node->scan.connector->name);
    print_options(node->scan.connector->options, node->scan.connector_options, text);
    if (node->scan.format) {
        text_printf(text, " %s ", node->scan.format->name);
        print_options(node->scan.format->options, node->scan.format_options, text);
    }
    if (node->scan.key_format) {
        text_printf(text, " key %s ", node->scan.key_format->name);
        print_options(node->scan.key_format->options, node->scan.key_format_options, text);
        text_printf(text, " %d %lld %d", node->scan.key_window, (long long)node->scan.key_window_size_us, node->scan.upsert);
        text_printf(text, "%s", node->scan.value_holds_key ? " copies" : "");
    }
    for (int i = 0; i < node->schema.column_count; i++) {
        const DecodeColumn *column = &node->scan.columns[i];
        text_printf(text, " [%d ", column->part);
        for (int p = 0; p < column->path_length; p++)
            text_printf(text, "%zu:%s.", strlen(column->path[p]), column->path[p]);
        type_print(column->type, text);
        text_printf(text, " %d %d %s]", column->field_index, column->not_null, column->timestamp_format ? column->timestamp_format : "");
    }
    text_printf(text, " %s", node->scan.zone ? timezone_name(node->scan.zone) : "");
    text_printf(text, " %d %d %lld %lld", node->scan.declared_count, node->scan.on_error, (long long)node->scan.max_ahead_us, (long long)node->scan.idle_timeout_us);
    for (int i = 0; i < node->scan.declared_count; i++)
        text_printf(text, " %s", node->scan.declared_names[i]);
}

static void print_literals(const AggregateCall *call, Text *text)
{
    for (int c = 0; c < call->constant_count; c++) {
        text_add_char(text, ' ');
        value_print(&call->constants[c], text);
    }
    if (call->limit)
        text_printf(text, " l%lld", (long long)call->limit);
}

static void print_calls(const LogicalNode *node, Text *text)
{
    print_ints(node->aggregate.key_columns, node->aggregate.key_count, text);
    for (int i = 0; i < node->aggregate.call_count; i++) {
        const AggregateCall *call = &node->aggregate.calls[i];
        text_printf(text, " %s", call->function->name);
        print_ints(call->args, call->arg_count, text);
        text_printf(text, "f%d%d ", call->filter, call->distinct);
        type_print(call->type, text);
        print_literals(call, text);
    }
    if (node->aggregate.clock_keys)
        text_printf(text, " o%llx %d", (unsigned long long)node->aggregate.clock_keys, node->aggregate.clock_rows);
    text_printf(text, " e%d %lld %d%d%d%d", node->aggregate.trigger, (long long)node->aggregate.delay_us, node->aggregate.drop_null_keys, node->aggregate.emit_unchanged,
                node->aggregate.keep_empty, node->aggregate.loses_windows);
    if (node->aggregate.has_window)
        print_window(&node->aggregate.window, text);
}

static void print_over(const LogicalNode *node, Text *text)
{
    text_printf(text, " %d %d %lld %d %d ", node->over.order, node->over.time_column, (long long)node->over.lag_us, node->over.window_time_column, node->over.on_error);
    print_ints(node->over.partition_columns, node->over.partition_count, text);
    print_sort_keys(node->over.keys, node->over.key_count, text);
    for (int i = 0; i < node->over.call_count; i++) {
        const OverCall *over = &node->over.calls[i];
        const OverFrame *frame = &over->frame;
        text_printf(text, " %d %s", over->kind, over->call.function ? over->call.function->name : "");
        print_ints(over->call.args, over->call.arg_count, text);
        text_printf(text, "f%d%d %lld o%d%d %d%d%d %d:%lld %d:%lld ", over->call.filter, over->call.distinct, (long long)over->offset, over->otherwise, over->ignore_nulls,
                    frame->unit, frame->exclude, frame->open_start, frame->from, (long long)frame->from_offset, frame->to, (long long)frame->to_offset);
        type_print(over->call.type, text);
        print_literals(&over->call, text);
        if (over->kind == OVER_SPIKE_AND_DIP || over->kind == OVER_CHANGE_POINT)
            text_printf(text, " %.17g %d%d", over->confidence, over->spikes, over->dips);
    }
}

static void print_terms(const MatchTerm *terms, int count, Text *text)
{
    for (int i = 0; i < count; i++) {
        const MatchTerm *term = &terms[i];
        text_printf(text, " %d %llx %d%d %lld %lld %d ", term->kind, (unsigned long long)term->variables, term->first, term->final, (long long)term->offset, (long long)term->shift,
                    term->column);
        if (term->kind == MATCH_AGGREGATE) {
            text_printf(text, "%s f%d%d ", term->call.function->name, term->call.filter, term->call.distinct);
            print_ints(term->call.args, term->call.arg_count, text);
            print_literals(&term->call, text);
        }
        type_print(term->type, text);
    }
}

static void print_match(const LogicalNode *node, Text *text)
{
    text_printf(text, " %d %d %lld %lld %d %d %llx %d ", node->match.by_time, node->match.time_column, (long long)node->match.lag_us, (long long)node->match.within_us,
                node->match.all_rows, node->match.skip, (unsigned long long)node->match.skip_variables, node->match.on_error);
    print_ints(node->match.partition_columns, node->match.partition_count, text);
    print_sort_keys(node->match.keys, node->match.key_count, text);
    for (int i = 0; i < node->match.variable_count; i++) {
        const MatchVariable *variable = &node->match.variables[i];
        text_printf(text, " %s %d ", variable->name ? variable->name : ".", variable->condition);
        if (variable->define)
            expr_canonical(variable->define, text);
    }
    for (int i = 0; i < node->match.step_count; i++) {
        text_printf(text, " %d%d", node->match.steps[i].variable, node->match.steps[i].excluded);
        print_ints(node->match.steps[i].next, node->match.steps[i].next_count, text);
    }
    text_printf(text, " %d%d ^", node->match.omits_empty, node->match.with_unmatched);
    print_ints(node->match.first.next, node->match.first.next_count, text);
    print_terms(node->match.defines, node->match.define_count, text);
    print_terms(node->match.measures, node->match.measure_count, text);
}

/* A snapshot says how much of its output is valid: it must be the same output. */
static void print_sink(const LogicalNode *node, Text *text)
{
    const SinkSpec *spec = &node->sink.spec;
    text_printf(text, " %d %d", node->sink.output, node->sink.with_kinds);
    if (!node->sink.connector)
        return;
    text_printf(text, " %s ", node->sink.connector->name);
    print_options(node->sink.connector->options, spec->options, text);
    if (node->sink.format) {
        text_printf(text, " %s ", node->sink.format->name);
        print_options(node->sink.format->options, node->sink.format_options, text);
    }
    if (node->sink.key_format) {
        text_printf(text, " key %s ", node->sink.key_format->name);
        print_options(node->sink.key_format->options, node->sink.key_format_options, text);
        if (node->sink.value_holds_key || node->sink.key_prefix_length)
            text_printf(text, " copies %d %d", node->sink.value_holds_key, node->sink.key_prefix_length);
    }
    for (int i = 0; node->sink.parts && i < node->schema.column_count; i++)
        text_printf(text, " %d%s", node->sink.parts[i], node->sink.headers && node->sink.headers[i] ? node->sink.headers[i] : "");
    print_ints(spec->partition_columns, spec->partition_count, text);
    print_ints(spec->key_columns, spec->key_count, text);
    for (int i = 0; i < node->schema.column_count; i++)
        text_printf(text, " %zu:%s ", strlen(node->schema.columns[i].name), node->schema.columns[i].name);
    print_types(&node->schema, text);
}

void node_canonical(const LogicalNode *node, Text *text)
{
    text_add_c(text, plan_kind_name(node->kind));
    switch (node->kind) {
    case PLAN_SCAN:
        print_scan(node, text);
        break;
    case PLAN_VALUES:
        print_types(&node->schema, text);
        for (int i = 0; i < node->values.row_count * node->schema.column_count; i++) {
        text_add_char(text, ' ');
            value_print(&node->values.rows[i], text);
        }
        break;
    case PLAN_WATERMARK:
        text_printf(text, " %d %lld %lld %d ", node->watermark.time_column, (long long)node->watermark.extra_us, (long long)node->watermark.max_ahead_us, node->watermark.on_error);
        if (node->watermark.watermark)
            expr_canonical(node->watermark.watermark, text);
        if (node->watermark.passed)
            text_printf(text, " passed %lld", (long long)node->watermark.lag_us);
        for (int i = 0; i < node->watermark.key_count; i++) {
            text_add_c(text, " over ");
            expr_canonical(node->watermark.keys[i], text);
        }
        break;
    case PLAN_FILTER:
        text_printf(text, " %d ", node->filter.on_error);
        expr_canonical(node->filter.predicate, text);
        break;
    case PLAN_PROJECT:
        text_printf(text, " %d", node->project.on_error);
        for (int i = 0; i < node->schema.column_count; i++) {
        text_add_char(text, ' ');
            expr_canonical(node->project.exprs[i], text);
        }
        break;
    case PLAN_NORMALIZE:
        print_ints(node->normalize.key_columns, node->normalize.key_count, text);
        text_printf(text, " t%d%s", node->normalize.time_column, node->normalize.at_end ? " end" : "");
        break;
    case PLAN_LOOKUP: {
        const LookupSpec *spec = &node->lookup.spec;
        text_printf(text, " %s%s ", spec->connector->name, node->lookup.left ? " left" : "");
        print_options(spec->connector->options, spec->options, text);
        for (int i = 0; i < spec->key_count; i++)
            text_printf(text, " %s=%d", spec->key_columns[i], node->lookup.key_columns[i]);
        for (int i = 0; i < spec->value_count; i++)
            text_printf(text, " %s", spec->value_columns[i]);
        text_printf(text, " %s", spec->zone ? timezone_name(spec->zone) : "");
        print_types(&node->schema, text);
        break;
    }
    case PLAN_WINDOW_ASSIGN:
        print_window(&node->assign.window, text);
        break;
    case PLAN_CANDIDATES:
        print_window(&node->candidates.window, text);
        text_printf(text, " v%d%d ", node->candidates.value, node->candidates.smallest);
        print_ints(node->candidates.key_columns, node->candidates.key_count, text);
        break;
    case PLAN_SUBQUERY:
        text_printf(text, " %d v%d c%d%d e%d ", node->subquery.kind, node->subquery.value, node->subquery.changes, node->subquery.until_end, node->subquery.on_error);
        print_ints(node->subquery.keys, node->subquery.key_count, text);
        if (node->subquery.kind == SUBQUERY_SCALAR)
            value_print(&node->subquery.missing, text);
        break;
    case PLAN_UNNEST:
        text_printf(text, " %d%d", node->unnest.outer, node->unnest.ordinality);
        print_ints(node->unnest.lists, node->unnest.list_count, text);
        break;
    case PLAN_AGGREGATE:
    case PLAN_WINDOW_AGGREGATE:
    case PLAN_SESSION_AGGREGATE:
        print_calls(node, text);
        break;
    case PLAN_RANK:
        if (node->rank.offset)
            text_printf(text, " >%lld", (long long)node->rank.offset);
        text_printf(text, " %d %lld %d %d t%d %lld ", node->rank.rank, (long long)node->rank.limit, node->rank.rank_column, node->rank.trigger,
                    node->rank.trigger == TRIGGER_FINAL ? node->rank.window_time_column : 0, (long long)node->rank.lag_us);
        print_ints(node->rank.partition_columns, node->rank.partition_count, text);
        print_sort_keys(node->rank.keys, node->rank.key_count, text);
        break;
    case PLAN_OVER:
        print_over(node, text);
        break;
    case PLAN_MATCH:
        print_match(node, text);
        break;
    case PLAN_SORT:
        text_printf(text, " %lld %lld", (long long)node->sort.limit, (long long)node->sort.offset);
        print_sort_keys(node->sort.keys, node->sort.key_count, text);
        break;
    case PLAN_LIMIT:
        text_printf(text, " %lld %lld", (long long)node->limit.limit, (long long)node->limit.offset);
        break;
    case PLAN_UNION:
    case PLAN_GATHER:
        break;
    case PLAN_SET:
        text_printf(text, " %d%d e%d", node->set.kind, node->set.all, node->set.trigger);
        break;
    case PLAN_JOIN:
        join_canonical(node, text);
        break;
    case PLAN_SINK:
        print_sink(node, text);
        if (node->sink.keeps_table) {
            print_ints(node->sink.table_keys, node->sink.table_key_count, text);
            text_printf(text, " table %d %d %lld", node->sink.table_of_one, node->sink.table_window_end, (long long)node->sink.table_retention_us);
        }
        break;
    }
}

/* ---- finishing ---- */

/* The longest time that a frame reaches back; TIME_MAX: nothing says so in time. */
static int64_t call_reach(const OverCall *over, bool has_time)
{
    if (over->kind == OVER_IS_FIRST)
        return over->offset;
    bool limited = has_time && over->frame.unit == OVER_RANGE && over->frame.from != BOUND_UNBOUNDED_PRECEDING;
    if (!limited || over->kind == OVER_LEAD || over->kind == OVER_ROW_NUMBER || over->kind == OVER_RANK || over->kind == OVER_DENSE_RANK)
        return TIME_MAX;
    return over->frame.from == BOUND_PRECEDING ? over->frame.from_offset : 0;
}

/* Rows that a call keeps of each partition, where it is their number that bounds them; 0: a value. */
static int64_t call_rows(const OverCall *over)
{
    int64_t rows = over->kind == OVER_LAG || over->kind == OVER_LEAD || over->kind == OVER_SPIKE_AND_DIP || over->kind == OVER_CHANGE_POINT ? over->offset : 0;
    if (over->kind == OVER_AGGREGATE || over->kind == OVER_FIRST_VALUE || over->kind == OVER_LAST_VALUE || over->kind == OVER_NTH_VALUE) {
        if (over->frame.unit == OVER_ROWS && over->frame.from == BOUND_PRECEDING)
            rows = over->frame.from_offset;
        if (over->frame.unit == OVER_ROWS && over->frame.to == BOUND_FOLLOWING)
            rows = time_add(rows, over->frame.to_offset);
    }
    return rows;
}

static void over_state_bound(const LogicalNode *node, Text *text)
{
    if (node->over.order == OVER_WHOLE) {
        text_printf(text, "all rows of a partition, until %s", node->over.window_time_column >= 0 ? "its window closes" : "the end of the input");
        return;
    }
    int64_t reach = 0, rows = 0;
    bool timed = true;
    for (int i = 0; i < node->over.call_count; i++) {
        const OverCall *over = &node->over.calls[i];
        int64_t own = call_reach(over, node->over.time_column >= 0), own_rows = call_rows(over);
        timed &= own != TIME_MAX;
        if (own != TIME_MAX && own > reach)
            reach = own;
        rows = own_rows > rows ? own_rows : rows;
    }
    if (node->over.order == OVER_BY_TIME) {
        text_add_c(text, "rows that the watermark has not passed");
        if (node->over.lag_us) {
            text_add_c(text, " by ");
            explain_duration(node->over.lag_us, text);
        }
        text_add_c(text, ", ");
    }
    if (reach) {
        text_add_c(text, "rows of the last ");
        explain_duration(reach, text);
    }
    if (timed) { /* all frames are bounded in time */
        text_add_c(text, reach ? "; keys without such rows go" : "rows of equal time");
        return;
    }
    text_add_c(text, reach ? ", " : "");
    if (rows)
        text_printf(text, "%lld row%s a partition", (long long)rows, rows == 1 ? "" : "s");
    else
        text_add_c(text, "a value a partition");
}

static uint64_t meaning_of(const LogicalNode *node)
{
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    node_canonical(node, &text);
    for (int i = 0; i < node->input_count; i++)
        text_printf(&text, " <%016llx.%d", (unsigned long long)node->inputs[i].node->meaning, node->inputs[i].port);
    uint64_t meaning = checksum_bytes(text_c(&text), text.length);
    text_release(&text);
    return meaning;
}

/* What the state holds: key types, aggregates with their layouts, the window's shape. */
static uint64_t layout_of(Arena *arena, const LogicalNode *node)
{
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    text_add_c(&text, plan_kind_name(node->kind));
    print_types(&node->schema, &text);
    for (int i = 0; i < node->input_count; i++) {
        Schema under = port_schema(arena, node->inputs[i]);
        text_add_char(&text, '<');
        print_types(&under, &text);
    }
    if (node->kind == PLAN_AGGREGATE || node->kind == PLAN_WINDOW_AGGREGATE || node->kind == PLAN_SESSION_AGGREGATE)
        for (int i = 0; i < node->aggregate.call_count; i++)
            text_printf(&text, " %s:%s:%d", node->aggregate.calls[i].function->name, node->aggregate.calls[i].function->layout, node->aggregate.calls[i].distinct);
    for (int i = 0; node->kind == PLAN_OVER && i < node->over.call_count; i++) {
        const OverCall *over = &node->over.calls[i];
        text_printf(&text, " %d:%lld:%s:%d", over->kind, (long long)over->offset, over->call.function ? over->call.function->layout : "", over->call.distinct);
    }
    uint64_t layout = checksum_bytes(text_c(&text), text.length);
    text_release(&text);
    return layout;
}

bool logical_keeps_state(const LogicalNode *node)
{
    switch (node->kind) {
    case PLAN_AGGREGATE: case PLAN_WINDOW_AGGREGATE: case PLAN_SESSION_AGGREGATE: case PLAN_NORMALIZE: case PLAN_RANK: case PLAN_OVER: case PLAN_SORT: case PLAN_LIMIT: case PLAN_SET: case PLAN_SUBQUERY: case PLAN_JOIN: case PLAN_MATCH:
    case PLAN_CANDIDATES:
        return true;
    case PLAN_WATERMARK:
        return node->watermark.key_count;
    case PLAN_SCAN: case PLAN_VALUES: case PLAN_FILTER: case PLAN_PROJECT: case PLAN_LOOKUP: case PLAN_WINDOW_ASSIGN:
    case PLAN_UNNEST: case PLAN_UNION: case PLAN_GATHER:
        return false;
    case PLAN_SINK:
        return node->sink.keeps_table;
    }
    return false;
}

static void set_segment(LogicalNode *node)
{
    node->segment = SEGMENT_ORDERED;
    switch (node->kind) {
    case PLAN_SCAN:
        node->segment = SEGMENT_PARALLEL;
        node->segment_reason = node->scan.format ? "pieces are decoded by any worker; each row by itself" : "rows are made by any worker; each row by itself";
        return;
    case PLAN_VALUES:
        node->segment = SEGMENT_PARALLEL;
        node->segment_reason = "constant rows";
        return;
    case PLAN_WATERMARK: case PLAN_FILTER: case PLAN_PROJECT: case PLAN_LOOKUP: case PLAN_WINDOW_ASSIGN: case PLAN_UNNEST:
        if (node->kind == PLAN_WATERMARK && node->watermark.key_count) {
            node->segment_reason = "the clocks of its keys take rows in turn order";
            return;
        }
        node->segment = node->inputs[0].node->segment;
        if (node->inputs[0].port != PORT_MAIN)
            node->segment = SEGMENT_ORDERED; /* rows put aside come out in turn order */
        node->segment_reason = node->segment == SEGMENT_PARALLEL ? "each row by itself" : "its input is in turn order";
        return;
    case PLAN_NORMALIZE: case PLAN_AGGREGATE: case PLAN_WINDOW_AGGREGATE: case PLAN_SESSION_AGGREGATE: case PLAN_RANK: case PLAN_OVER: case PLAN_SORT: case PLAN_SET: case PLAN_SUBQUERY: case PLAN_JOIN: case PLAN_MATCH:
    case PLAN_CANDIDATES:
        node->segment_reason = "its state takes rows in turn order";
        return;
    case PLAN_GATHER:
        node->segment_reason = "its input is in turn order";
        return;
    case PLAN_LIMIT:
        node->segment_reason = "the first rows in turn order count";
        return;
    case PLAN_UNION:
        node->segment_reason = "inputs meet in turn order";
        return;
    case PLAN_SINK:
        node->segment_reason = node->sink.connector ? "rows are written in turn order" : "rows come out in turn order";
        return;
    }
}

/* The most rows of a match; -1: nothing bounds them. Steps are numbered along the pattern: a way back is a repetition. */
static int64_t longest_match(Arena *arena, const LogicalNode *node)
{
    int64_t *longest = ARENA_ARRAY(arena, int64_t, node->match.step_count); /* behind the step */
    for (int i = node->match.step_count - 1; i >= 0; i--) {
        const MatchStep *step = i ? &node->match.steps[i] : &node->match.first;
        for (int n = 0; n < step->next_count; n++) {
            if (step->next[n] < 0)
                continue;
            if (step->next[n] <= i)
                return -1;
            longest[i] = longest[step->next[n]] + 1 > longest[i] ? longest[step->next[n]] + 1 : longest[i];
        }
    }
    return longest[0];
}

/* Rows that wait, rows of matches that may still become one, and what outlives them. */
static void match_state_bound(Arena *arena, const LogicalNode *node, bool bounded, Text *text)
{
    const int64_t longest = longest_match(arena, node);
    if (node->match.by_time)
        text_add_c(text, "rows that the watermark has not passed, and ");
    text_add_c(text, "a partition's rows from the first one that a match may begin with: ");
    if (node->match.within_us) {
        text_add_c(text, "less than ");
        explain_duration(node->match.within_us, text);
        text_add_c(text, " of them");
    } else if (longest >= 0) {
        text_printf(text, "at most %lld", (long long)longest);
    } else {
        text_add_c(text, bounded ? "as many as a match has" : "nothing bounds the length of a match (no WITHIN)");
    }
    bool numbers = node->match.from_start;
    for (int i = 0; i < node->match.measure_count; i++)
        numbers |= node->match.measures[i].kind == MATCH_NUMBER;
    if (node->match.lookback)
        text_printf(text, "; for PREV %lld more a partition, for ever", (long long)node->match.lookback);
    if (numbers)
        text_add_c(text, "; a number a partition, for ever");
}

static void set_state_bound(Arena *arena, LogicalNode *node)
{
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    bool bounded = node->input_count && port_traits(arena, node->inputs[0]).bounded;
    switch (node->kind) {
    case PLAN_AGGREGATE:
        if (node->aggregate.key_count == 0)
            text_add_c(&text, "one row");
        else
            text_add_c(&text, bounded ? "one entry a key of the input" : "one entry a key: nothing bounds it (no window)");
        for (int i = 0; i < node->aggregate.call_count; i++)
            if (node->aggregate.calls[i].distinct && !node->aggregate.calls[i].function->distinct_is_same) {
                text_add_c(&text, ", and its distinct values");
                break;
            }
        break;
    case PLAN_WINDOW_AGGREGATE:
    case PLAN_SESSION_AGGREGATE: {
        const WindowSpec *window = &node->aggregate.window;
        if (window->kind == WINDOW_COUNT) {
            text_add_c(&text, bounded ? "open windows of each key of the input" : "open windows of each key: nothing bounds the keys");
            break;
        }
        if (window->kind == WINDOW_SLIDING) {
            text_add_c(&text, "rows of the last ");
            explain_duration(time_add(window->size_us, time_add(window->lag_us, window->grace_us)), &text);
            break;
        }
        text_printf(&text, "open %s: ", node->kind == PLAN_SESSION_AGGREGATE ? "sessions" : "windows");
        text_add_c(&text, node->kind == PLAN_SESSION_AGGREGATE ? "last event + " : "end");
        int64_t more = time_add(window->lag_us, window->grace_us);
        if (node->kind == PLAN_SESSION_AGGREGATE)
            more = time_add(more, window->size_us);
        if (more) {
            text_add_c(&text, node->kind == PLAN_SESSION_AGGREGATE ? "" : " + ");
            explain_duration(more, &text);
        }
        text_add_c(&text, window->processing_time ? " not reached by the clock" : " not reached by the watermark");
        break;
    }
    case PLAN_RANK:
        if (rank_of_changes(node) && port_traits(arena, node->inputs[0]).changes != CHANGES_APPEND)
            text_add_c(&text, "all rows as they are now, ");
        else if (node->rank.limit == INT64_MAX)
            text_add_c(&text, "all rows, ");
        else
            text_printf(&text, "%lld row%s a partition, ", (long long)node->rank.limit, node->rank.limit == 1 ? "" : "s");
        text_add_c(&text, node->rank.trigger == TRIGGER_FINAL ? "until its window closes" : node->rank.trigger == TRIGGER_END ? "until the end of the input" : "for ever");
        break;
    case PLAN_CANDIDATES:
        text_printf(&text, "one value a window%s, until the watermark is beyond its end", node->candidates.key_count ? " and key" : "");
        break;
    case PLAN_NORMALIZE:
        text_add_c(&text, "one row a key of the table");
        break;
    case PLAN_OVER:
        over_state_bound(node, &text);
        break;
    case PLAN_MATCH:
        match_state_bound(arena, node, bounded, &text);
        break;
    case PLAN_SORT:
        if (node->sort.limit >= 0)
            text_printf(&text, "%lld rows", (long long)(node->sort.limit + node->sort.offset));
        else
            text_add_c(&text, "all rows of the input");
        break;
    case PLAN_SUBQUERY:
        text_add_c(&text, node->subquery.changes ? "the rows of both inputs: nothing bounds them" : "the sub-query's rows, and those that wait for them");
        break;
    case PLAN_SET:
        text_add_c(&text, node->traits.bounded ? "one entry a distinct row" : "one entry a distinct row: nothing bounds it");
        break;
    case PLAN_JOIN:
        join_state_bound(node, &text);
        break;
    case PLAN_LIMIT:
        text_add_c(&text, "a counter");
        break;
    case PLAN_SINK:
        if (node->sink.keeps_table && node->sink.table_window_end >= 0) {
            text_add_c(&text, "the table: windows until ");
            explain_duration(node->sink.table_retention_us, &text);
            text_add_c(&text, " after they end");
        } else if (node->sink.keeps_table) {
            text_add_c(&text, node->sink.table_of_one ? "the table: one row" : node->sink.table_key_count ? "the table: one row a key" : "the table: one entry a distinct row");
        }
        break;
    case PLAN_WATERMARK:
        if (node->watermark.key_count)
            text_add_c(&text, bounded ? "one clock a key of the input" : "one clock a key: nothing bounds the keys");
        break;
    case PLAN_SCAN: case PLAN_VALUES: case PLAN_FILTER: case PLAN_PROJECT: case PLAN_LOOKUP: case PLAN_WINDOW_ASSIGN:
    case PLAN_UNNEST: case PLAN_UNION: case PLAN_GATHER:
        break;
    }
    if (text.length)
        node->state_bound = arena_strdup(arena, text_c(&text));
    text_release(&text);
}

static void set_names(Arena *arena, Plan *plan)
{
    PlaceTable seen = place_table(arena, plan->node_count);
    for (int n = 0; n < plan->node_count; n++) {
        PlanNode *node = plan->nodes[n];
        int ordinal = 0;
        for (int before = place_first(&seen, node->meaning); before >= 0; before = place_next(&seen, before))
            ordinal += plan->nodes[before]->kind == node->kind && plan->nodes[before]->meaning == node->meaning;
        place_add(&seen, node->meaning, n);
        char kind[32];
        size_t length = 0;
        for (const char *c = plan_kind_name(node->kind); *c && length + 2 < sizeof kind; c++) {
            if (isupper((unsigned char)*c) && length)
                kind[length++] = '-';
            kind[length++] = (char)tolower((unsigned char)*c);
        }
        kind[length] = 0;
        node->name = arena_printf(arena, "%s-%08x-%d", kind, (unsigned)(node->meaning >> 32), ordinal);
    }
}

static bool order_matters(const PlanNode *node)
{
    if (node->kind == PLAN_LIMIT || node->kind == PLAN_RANK || node->kind == PLAN_OVER || node->kind == PLAN_MATCH)
        return true;
    if (node->kind == PLAN_AGGREGATE || node->kind == PLAN_WINDOW_AGGREGATE || node->kind == PLAN_SESSION_AGGREGATE)
        for (int i = 0; i < node->aggregate.call_count; i++)
            if (node->aggregate.calls[i].function->order_sensitive)
                return true;
    return false;
}

/* Where no operator acts on time nobody asks for it: rows without a time are not bad there, and nothing is stamped. Not a rewrite:
 * what a NULL time means depends on it. */
static void drop_unused_watermarks(RewriteContext *context)
{
    NodeList nodes = rewrite_nodes(context);
    bool *acts = ARENA_ARRAY(context->arena, bool, nodes.count + 1); /* something above acts on time */
    bool *own = ARENA_ARRAY(context->arena, bool, nodes.count + 1);  /* .. and would do so by the clocks of keys that are made here */
    bool *bad_rows = ARENA_ARRAY(context->arena, bool, nodes.count + 1);
    for (int n = nodes.count - 1; n >= 0; n--) {
        LogicalNode *node = nodes.items[n];
        const bool stamps = node->kind == PLAN_WATERMARK, stamps_all = stamps && node->watermark.key_count == 0, acting = logical_acts_on_time(node);
        const bool here = acts[n] || acting, here_own = (own[n] || (acting && !(node->kind == PLAN_JOIN && node->join.form == JOIN_TABLE))) && !stamps;
        for (int i = 0; i < node->input_count; i++) {
            int under = logical_place(&nodes, node->inputs[i].node);
            acts[under] |= here && !stamps_all && !(node->kind == PLAN_SUBQUERY && i == 1); /* a new stamp replaces the old one */
            own[under] |= here_own;
            bad_rows[under] |= node->inputs[i].port == PORT_DEAD_LETTER;
        }
        if (stamps && !(stamps_all ? acts[n] : own[n]) && !bad_rows[n])
            rewrite_replace(&nodes, node, node->inputs[0]);
    }
}

Error *physical_plan(Arena *arena, const PlannerSettings *settings, const PhysicalOutput *outputs, int output_count, Plan **result)
{
    RewriteContext context = { .arena = arena, .settings = settings, .root_count = output_count };
    context.roots = ARENA_ARRAY(arena, PlanInput, output_count + 1);
    for (int o = 0; o < output_count; o++) {
        outputs[o].sink->sink.output = o;
        context.roots[o] = main_port(outputs[o].sink);
    }
    drop_unused_watermarks(&context);
    rewrite_share_sources(&context);
    rewrite_all(&context);

    rank_choose_changes(&context);

    TRY(own_clocks_gather(arena, context.roots, output_count));

    Plan *plan = *result = ARENA_NEW(arena, Plan);
    plan->arena = arena;
    plan->rewrites = rewrite_summary(&context);
    NodeList nodes = { 0 };
    Error *error = NULL;
    logical_order(arena, context.roots, output_count, &nodes);
    plan->substream_groups = own_clocks_order(arena, &nodes, &error);
    if (error)
        return error;
    plan->nodes = nodes.items;
    plan->node_count = nodes.count;
    for (int n = 0; n < nodes.count; n++) {
        PlanNode *node = nodes.items[n];
        node->id = n;
        for (int i = 0; i < node->input_count; i++) {
            node->inputs[i].node->late_wanted |= port_is_late(node->inputs[i].port);
            node->inputs[i].node->dead_letter_wanted |= node->inputs[i].port == PORT_DEAD_LETTER;
        }
    }
    uint64_t fingerprint = 0;
    for (int n = 0; n < nodes.count; n++) {
        PlanNode *node = nodes.items[n];
        logical_derive(arena, node);
        node->meaning = meaning_of(node);
        node->layout = logical_keeps_state(node) ? layout_of(arena, node) : 0;
        set_segment(node);
        set_state_bound(arena, node);
        plan->order_sensitive |= order_matters(node);
        plan->every_change |= node->kind == PLAN_AGGREGATE || node->kind == PLAN_WINDOW_AGGREGATE || node->kind == PLAN_SESSION_AGGREGATE ? node->aggregate.emit_unchanged : false;
        if (node->kind == PLAN_SCAN)
            node->scan.want_raw = node->dead_letter_wanted;
        fingerprint = hash_combine(fingerprint, node->meaning);
    }
    plan->fingerprint = fingerprint;
    set_names(arena, plan);
    plan->output_count = output_count;
    plan->outputs = ARENA_ARRAY(arena, PlanOutput, output_count + 1);
    plan->bounded = true;
    for (int o = 0; o < output_count; o++) {
        PlanNode *sink = context.roots[o].node;
        plan->outputs[o] = (PlanOutput){ outputs[o].name, sink, sink->at, sink->traits.changes != CHANGES_APPEND };
        plan->bounded &= sink->traits.bounded;
    }
    return NULL;
}
