/* planner/bind_aggregate_nodes.c: the nodes of an aggregation: the projection of keys and arguments, the aggregate, what comes of DISTINCT and EMIT. */
#include "planner/bind_grouping.h"
#include "common/calendar.h"
#include "planner/expr.h"
#include "planner/own_clocks.h"
#include "planner/window_spec.h"
#include "planner/ast_map.h"

static bool in_every_set(const Grouping *grouping, int key)
{
    for (int s = 0; s < grouping->sets.count; s++)
        if (!(grouping->sets.items[s] & key_bit(key)))
            return false;
    return true;
}

/* ---- the nodes ---- */

typedef struct Inputs {
    Expr **exprs;
    Column *columns;
    int count;
    bool computed; /* something stands there that is no column of the input */
} Inputs;

/* The input's columns, then what has to be computed from them. */
static void start_inputs(Arena *arena, const Relation *over, int column_count, int room, Inputs *inputs)
{
    inputs->exprs = ARENA_ARRAY(arena, Expr *, column_count + room + 1);
    inputs->columns = ARENA_ARRAY(arena, Column, column_count + room + 1);
    for (int i = 0; i < column_count; i++) {
        inputs->exprs[i] = binder_column(arena, &over->schema, i, SPAN_NONE);
        inputs->columns[i] = over->schema.columns[i];
    }
    inputs->count = column_count;
}

static int input_column(Inputs *inputs, Expr *expr, const char *name)
{
    if (expr->kind == EXPR_COLUMN)
        return expr->column;
    for (int i = 0; i < inputs->count; i++)
        if (inputs->exprs[i]->kind != EXPR_COLUMN && !expr_is_volatile(expr) && expr_equal(inputs->exprs[i], expr))
            return i;
    inputs->exprs[inputs->count] = expr;
    inputs->columns[inputs->count] = (Column){ .name = name, .type = expr->type, .hidden = true };
    inputs->computed = true;
    return inputs->count++;
}

static Error *check_changes(Block *block, const Grouping *grouping, const Relation *over)
{
    const bool sliding = block->window && block->window->spec.kind == WINDOW_SLIDING;
    for (int i = 0; sliding && i < grouping->calls.count; i++)
        if (grouping->calls.items[i].of.function->retract == RETRACT_REFUSE)
            return error_at(ERR_BIND, grouping->calls.items[i].ast->at, "%s cannot take back rows, and rows leave a sliding window", grouping->calls.items[i].name);
    if (port_traits(grouping->arena, over->input).changes == CHANGES_APPEND)
        return NULL;
    if (block->window && window_refuses_changes(block->window->spec.kind))
        return error_hint(binder_unsupported(block->window->at, "a %s of rows that still change", window_kind_noun(block->window->spec.kind)), "make the inner query EMIT FINAL");
    for (int i = 0; i < grouping->calls.count; i++) {
        const Call *call = &grouping->calls.items[i];
        if (call->of.function->retract == RETRACT_REFUSE)
            return error_hint(error_at(ERR_BIND, call->ast->at, "%s cannot take back rows, and its input has updates", call->name),
                              "make the inner query EMIT FINAL");
    }
    return NULL;
}

/* Rows that are already windowed, grouped by their window's bound again: every window end is one tumbling window on window_time
 * (see WindowColumns), so that the result closes with the window. */
bool grouping_regroups(Arena *arena, const Relation *over, const Grouping *grouping, WindowSpec *spec)
{
    const WindowColumns *columns = &over->window;
    bool by_start = false, by_end = false;
    for (int i = 0; i < grouping->keys.count; i++) {
        const Expr *expr = grouping->keys.items[i].expr;
        if (expr->kind != EXPR_COLUMN || expr->column < 0 || !in_every_set(grouping, i))
            continue;
        by_start |= expr->column == columns->start;
        by_end |= expr->column == columns->end || expr->column == columns->time;
    }
    EdgeTraits traits = port_traits(arena, over->input);
    const TimeColumn *time = columns->time >= 0 ? traits_time(&traits, columns->time) : NULL;
    if (!columns->windowed || !(by_start || by_end) || !time)
        return false;
    *spec = window_cells(&columns->spec, !by_end);
    spec->time_column = columns->time;
    spec->lag_us = time->lag_us;
    spec->processing_time = time->processing;
    return true;
}

/* ksqlDB's rule: a result is as new as the newest row that it was made of. */
static bool needs_latest_time(const Block *block, const Relation *over)
{
    return binder_rules(block->binder)->windowed_time == TIME_OF_LARGEST_EVENT && over->time_column >= 0 && !over->processing_time;
}

static AggregateCall latest_time_call(const Relation *over)
{
    return (AggregateCall){ .function = &latest_time_aggregate, .arg_count = 1, .args = { over->time_column }, .filter = -1,
                            .type = over->schema.columns[over->time_column].type, .name = "$latest_time" };
}

/* Groups as messages: keyed by their keys, and by their window. */
static void message_of_groups(const Grouping *grouping, const Relation *over, const WindowUse *window, int time, Relation *result)
{
    Arena *arena = grouping->arena;
    MessageColumns *message = ARENA_NEW(arena, MessageColumns);
    *message = (MessageColumns){ .keyed = grouping->keys.count > 0, .key_order = true, .is_table = true, .time = time, .no_value = -1, .headers = -1, .from = over->message ? over->message->from : NULL };
    message->key = ARENA_ARRAY(arena, int, grouping->keys.count + 1);
    message->key_names = ARENA_ARRAY(arena, const char *, grouping->keys.count + 1);
    for (int i = 0; i < grouping->keys.count; i++) {
        message->key[i] = i;
        message->key_names[message->key_count++] = grouping->keys.items[i].name;
    }
    if (window && window_is_ksql(&window->spec) && !window->several)
        message->window = KEY_WINDOW_TIME;
    else if (window && window->spec.kind != WINDOW_COUNT) /* the start alone does not tell what window it is */
        message->window = KEY_WINDOW_SESSION;
    if (message->window == KEY_WINDOW_TIME)
        message->window_size_us = window->spec.size_us;
    result->message = message;
}

static RowPolicy node_policy(const Block *block, const Relation *over)
{
    return over->on_expr_error ? *over->on_expr_error : binder_policy(block->binder);
}

/* Rows that a WHERE has dropped do not move the clock. */
static PlanInput own_clock(Arena *arena, PlanInput input, int time_column, RowPolicy on_error, Span at)
{
    LogicalNode *stamp = logical_node(arena, PLAN_WATERMARK, at, 1, &input);
    stamp->watermark.time_column = time_column;
    stamp->watermark.on_error = on_error;
    logical_derive(arena, stamp);
    return main_port(stamp);
}

static Error *only_from_epoch(Binder *binder, Relation *result)
{
    Value epoch = { .type = result->schema.columns[result->window.start].type };
    Expr *args[2] = { binder_column(binder->arena, &result->schema, result->window.start, SPAN_NONE), expr_constant(binder->arena, &epoch, SPAN_NONE) }, *predicate = NULL;
    TRY(expr_call(binder->arena, ">=", SPAN_NONE, 2, args, &predicate));
    binder_filter(binder, result, predicate, SPAN_NONE);
    return NULL;
}

Error *grouping_build(Block *block, Grouping *grouping, Relation *over, Relation *result)
{
    Arena *arena = grouping->arena;
    const WindowUse *window = block->window && (!block->from.pending || grouping->window_grouped) ? block->window : NULL;
    int from_columns = over->schema.column_count;
    if (over->pending)
        from_columns -= 3;
    Inputs inputs = { 0 };
    start_inputs(arena, over, from_columns, grouping->keys.count + grouping->calls.count * (FUNCTION_MAX_ARGS + 1), &inputs);
    int key_count = key_width(grouping);
    int *keys = ARENA_ARRAY(arena, int, key_count + 1);
    for (int i = 0; i < grouping->keys.count; i++)
        keys[i] = input_column(&inputs, grouping->keys.items[i].expr, grouping->keys.items[i].name);
    AggregateCall *calls = ARENA_ARRAY(arena, AggregateCall, grouping->calls.count + 2);
    for (int i = 0; i < grouping->calls.count; i++) {
        const Call *call = &grouping->calls.items[i];
        const AggregateCallArgs *of = &call->of;
        calls[i] = (AggregateCall){ .function = of->function, .arg_count = of->arg_count, .filter = -1, .distinct = of->distinct, .constants = of->constants,
                                    .constant_count = of->constant_count, .limit = of->limit, .type = of->type, .name = call->name, .at = call->ast->at };
        for (int a = 0; a < of->arg_count; a++)
            calls[i].args[a] = input_column(&inputs, of->args[a], of->names[a]);
        if (call->filter)
            calls[i].filter = input_column(&inputs, call->filter, ast_text(arena, aggregate_filter(arena, call->ast)));
    }
    WindowSpec spec = grouping->again_spec;
    bool again = grouping->again;
    Trigger trigger;
    int64_t delay_us;
    if (window) {
        spec = window->spec;
        EdgeTraits traits = port_traits(arena, over->input);
        const TimeColumn *time = traits_time(&traits, spec.time_column);
        spec.lag_us = time ? time->lag_us : 0;
    }
    PlanInput input = over->input;
    if (inputs.computed)
        input = main_port(binder_project(block->binder, over, inputs.exprs, inputs.columns, inputs.count, block->query->at));
    PlanInput rows = input; /* before there is one a set */
    bool totals = false;
    TRY(bind_trigger(block, window || again, &trigger, &delay_us));
    if (window)
        TRY(window_trigger(&window->spec, block_emit(block), window->at, &trigger));
    if (grouping->sets.count) {
        totals = trigger == TRIGGER_END && grouping_sets_have_total(&grouping->sets);
        input = grouping_sets_rows(block->binder, rows, &grouping->sets, totals, keys, grouping->keys.count, &keys[grouping->keys.count], block->query->group_at);
    }
    const bool own_clocks = port_traits(arena, input).clocks;
    if (window && !own_clocks && dialect_rules(block->binder->settings->dialect)->operator_clock && !spec.processing_time && spec.kind != WINDOW_COUNT)
        input = own_clock(arena, input, spec.time_column, node_policy(block, over), block->query->at);

    PlanKind kind = !window && !again ? PLAN_AGGREGATE : spec.kind == WINDOW_SESSION ? PLAN_SESSION_AGGREGATE : PLAN_WINDOW_AGGREGATE;
    LogicalNode *node = logical_node(arena, kind, block->query->group_at.length ? block->query->group_at : block->query->at, 1, &input);
    node->aggregate.key_columns = keys;
    node->aggregate.key_count = key_count;
    node->aggregate.calls = calls;
    node->aggregate.call_count = grouping->calls.count;
    const bool latest = needs_latest_time(block, over);
    if (latest)
        calls[node->aggregate.call_count++] = latest_time_call(over);
    node->aggregate.has_window = window || again;
    node->aggregate.window = spec;
    node->aggregate.on_error = node_policy(block, over);
    const DialectRules *rules = dialect_rules(block->binder->settings->dialect);
    node->aggregate.drop_null_keys = rules->drop_null_keys && key_count > 0 && grouping->sets.count == 0;
    node->aggregate.trigger = trigger;
    node->aggregate.delay_us = delay_us;
    node->aggregate.loses_windows = kind == PLAN_WINDOW_AGGREGATE && rules->lose_windows_on_jumps && window && window_is_ksql(&window->spec) && node->aggregate.trigger == TRIGGER_FINAL &&
                                    !port_traits(arena, input).bounded;
    node->aggregate.keep_empty = rules->keep_empty_groups && node->aggregate.trigger == TRIGGER_CHANGES;
    const int conflate = block->binder->settings->conflate;
    node->aggregate.emit_unchanged = !(conflate >= 0 ? conflate : rules->conflate) && node->aggregate.trigger == TRIGGER_CHANGES;

    Schema schema = { 0, ARENA_ARRAY(arena, Column, key_count + 3 + grouping->calls.count + 2) };
    for (int i = 0; i < grouping->keys.count; i++)
        schema.columns[schema.column_count++] = (Column){ .name = grouping->keys.items[i].name, .type = grouping->keys.items[i].expr->type };
    if (grouping->sets.count)
        schema.columns[schema.column_count++] = (Column){ .name = "$set", .type = type_scalar(TYPE_BIGINT), .hidden = true };
    static const char *const bounds[] = { "window_start", "window_end", "window_time", "$window_start", "$window_end", "$window_time" };
    const Schema under = port_schema(arena, input);
    for (int i = 0; i < 3 && (window || again); i++)
        schema.columns[schema.column_count++] = (Column){ .name = bounds[again ? 3 + i : i], .type = window_bound_type(arena, &spec, &under), .hidden = true };
    for (int i = 0; i < grouping->calls.count; i++)
        schema.columns[schema.column_count++] = (Column){ .name = grouping->calls.items[i].name, .type = grouping->calls.items[i].of.type };
    if (latest)
        schema.columns[schema.column_count++] = (Column){ .name = "$latest_time", .type = calls[node->aggregate.call_count - 1].type, .hidden = true };
    node->schema = schema;
    logical_derive(arena, node);
    TRY(own_clocks_check(arena, node, node->at));
    TRY(check_changes(block, grouping, over));
    if (window)
        note_late_rows(block->binder, window->late_into, node, from_columns, grouping->sets.count ? keys[grouping->keys.count] : -1);
    if (totals)
        node = grouping_sets_totals(block->binder, node, rows, &grouping->sets, grouping->keys.count);

    const bool several = window && window->several;
    if (several) {
        if (grouping->sets.count)
            return binder_unsupported(window->at, "GROUPING SETS with several windows");
        TRY(bind_several_windows(block, node, window, &node));
        schema = node->schema;
    }
    *result = (Relation){ .input = main_port(node), .schema = schema, .time_column = -1, .window = { .start = -1, .end = -1, .time = -1 }, .dead_letter = over->dead_letter,
                            .letters = over->letters, .on_expr_error = over->on_expr_error };
    if (several) { /* they end at any time, together or not */
        result->window = (WindowColumns){ true, key_count, key_count + 1, key_count + 2, { .kind = WINDOW_SNAPSHOT, .size_us = 1, .advance_us = 1, .end_inclusive = true } };
        result->time_column = key_count + 1;
    } else if (window) {
        result->window = (WindowColumns){ true, key_count, key_count + 1, key_count + 2, window->spec };
        result->time_column = spec.kind == WINDOW_COUNT ? -1 : spec.end_inclusive ? key_count + 1 : key_count + 2;
    } else if (again) {
        result->window = (WindowColumns){ true, -1, key_count + 1, key_count + 2, over->window.spec };
        for (int i = 0; i < grouping->keys.count; i++)
            if (grouping->keys.items[i].expr->kind == EXPR_COLUMN && grouping->keys.items[i].expr->column == over->window.start)
                result->window.start = i;
            else if (grouping->keys.items[i].expr->kind == EXPR_COLUMN && grouping->keys.items[i].expr->column == over->window.end)
                result->window.end = i;
        result->time_column = over->window.spec.end_inclusive ? key_count + 1 : key_count + 2;
    }
    result->processing_time = (window || again) && spec.processing_time;
    if (window && rules->windows_from_epoch && window->spec.kind == WINDOW_HOPPING)
        TRY(only_from_epoch(block->binder, result));
    message_of_groups(grouping, over, window, latest ? schema.column_count - 1 : result->time_column, result);
    return NULL;
}

/* Above a windowed aggregate of the block: WINDOWSTART, WINDOWEND, ROWTIME in milliseconds, between the bounds and the calls, where
 * the markers expect them. */
Error *grouping_pseudo_columns(Grouping *grouping, Relation *result)
{
    Arena *arena = grouping->arena;
    int keys = key_width(grouping), count = result->schema.column_count, made = 0;
    Expr **exprs = ARENA_ARRAY(arena, Expr *, count + 4);
    Column *columns = ARENA_ARRAY(arena, Column, count + 4);
    static const char *const names[] = { "WINDOWSTART", "WINDOWEND", "ROWTIME" };
    for (int i = 0; i < count; i++) {
        exprs[made] = binder_column(arena, &result->schema, i, SPAN_NONE);
        columns[made++] = result->schema.columns[i];
        if (i != keys + 2)
            continue;
        for (int p = 0; p < 3; p++) {
            TRY(binder_to_ms(arena, binder_column(arena, &result->schema, keys + p, SPAN_NONE), &exprs[made]));
            columns[made++] = (Column){ .name = names[p], .hidden = true };
        }
    }
    LogicalNode *project = logical_project(arena, result->input, exprs, columns, made, POLICY_FAIL, result->input.node->at);
    if (result->message->time > keys + 2)
        result->message->time += 3;
    result->input = main_port(project);
    result->schema = project->schema;
    return NULL;
}

/* ---- DISTINCT ---- */

Error *bind_distinct(Block *block, Relation *relation)
{
    Arena *arena = block->binder->arena;
    Grouping grouping = { .block = block, .arena = arena, .in_alias = ARENA_ARRAY(arena, bool, block->query->items.count + 1) };
    int count = relation->schema.column_count;
    for (int i = 0; i < count; i++) {
        if (relation->schema.columns[i].hidden)
            continue;
        Expr *expr = binder_column(arena, &relation->schema, i, block->query->at);
        Key key = { NULL, expr, "", relation->schema.columns[i].name, grouping.keys.count };
        LIST_ADD(arena, &grouping.keys, key);
    }
    Relation over = *relation;
    WindowUse *window = block->window;
    block->window = NULL; /* its rows have their windows by now */
    grouping.again = grouping_regroups(arena, &over, &grouping, &grouping.again_spec);
    Error *error = grouping_build(block, &grouping, &over, relation);
    block->window = window;
    return error;
}

/* ---- when results come out ---- */

const AstEmit *block_emit(const Block *block)
{
    bool own = block->query->emit.kind != AST_EMIT_NONE || !block->context.emit;
    return own ? &block->query->emit : block->context.emit;
}

Error *bind_trigger(const Block *block, bool windowed, Trigger *trigger, int64_t *delay_us)
{
    const AstEmit *emit = block_emit(block);
    const Binder *binder = block->binder;
    bool bounded = port_traits(binder->arena, block->from.input).bounded;
    *delay_us = 0;
    if (emit->kind == AST_EMIT_AFTER_DELAY) {
        if (emit->delay.interval.months || emit->delay.interval.us <= 0)
            return error_at(ERR_BIND, emit->delay.at, "the delay must be a time of more than 0");
        *delay_us = emit->delay.interval.us;
    }
    if (!windowed && emit->kind == AST_EMIT_AFTER_WATERMARK)
        return error_at(ERR_BIND, emit->at, "EMIT AFTER WATERMARK needs a window: there is no end to wait for");
    if (!windowed && emit->kind == AST_EMIT_FINAL && !bounded)
        return error_at(ERR_BIND, emit->at, "EMIT FINAL needs a window: the input does not end");
    if (binder->final_results && !(block->context.top_level && emit->kind != AST_EMIT_NONE)) {
        *trigger = windowed ? TRIGGER_FINAL : TRIGGER_END;
        return NULL;
    }
    switch (emit->kind) {
    case AST_EMIT_NONE: {
        const WindowUse *window = block->window;
        bool outer = block->context.top_level || block->context.persistent;
        if (!windowed || (window && window->clause && outer))
            *trigger = TRIGGER_CHANGES;
        else
            *trigger = window && window->lateness_given && window->spec.grace_us ? TRIGGER_AFTER_WATERMARK : TRIGGER_FINAL;
        break;
    }
    case AST_EMIT_CHANGES: *trigger = TRIGGER_CHANGES; break;
    case AST_EMIT_FINAL: *trigger = windowed ? TRIGGER_FINAL : TRIGGER_END; break;
    case AST_EMIT_AFTER_WATERMARK: *trigger = TRIGGER_AFTER_WATERMARK; break;
    case AST_EMIT_AFTER_DELAY: *trigger = TRIGGER_DELAY; break;
    }
    return NULL;
}
