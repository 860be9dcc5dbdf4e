/* planner/logical_window.c: event times of windowed results, and how far they may be behind the watermark. */
#include "planner/logical.h"

#include "common/calendar.h"

/* window_time and window_end of a windowed result are event times again; a row for a window that is still open may come as late as
 * the grace (core.md 2: lag). */
int64_t logical_finer_than_ms(Arena *arena, const LogicalNode *node, int time_column)
{
    Schema under = port_schema(arena, node->inputs[0]);
    return time_column >= 0 && time_column < under.column_count && under.columns[time_column].type->precision > 3 ? US_PER_MS : 0;
}

/* The windows whose end or time a column is, whatever it was renamed to. NULL: of none. */
static const LogicalNode *bound_of_windows(PlanInput input, int column)
{
    const LogicalNode *node = input.node;
    while (input.port == PORT_MAIN && (node->kind == PLAN_PROJECT || node->kind == PLAN_FILTER) && column >= 0) {
        if (node->kind == PLAN_PROJECT)
            column = node->project.exprs[column]->kind == EXPR_COLUMN ? node->project.exprs[column]->column : -1;
        input = node->inputs[0];
        node = input.node;
    }
    bool windows = input.port == PORT_MAIN && (node->kind == PLAN_WINDOW_AGGREGATE || node->kind == PLAN_SESSION_AGGREGATE) && node->aggregate.window.kind != WINDOW_COUNT;
    return windows && (column == node->aggregate.key_count + 1 || column == node->aggregate.key_count + 2) ? node : NULL;
}

/* Windows over windows, grouped by the bounds of the inner ones: those bounds are behind the outer window's end by its size at most. */
static void derive_inner_bounds(Arena *arena, LogicalNode *node, int64_t lag)
{
    const WindowSpec *window = &node->aggregate.window;
    const bool fixed = window->kind == WINDOW_TUMBLING || window->kind == WINDOW_HOPPING || window->kind == WINDOW_CUMULATING;
    const LogicalNode *windows = !fixed || window->time_column < 0 || window->size_us <= 0 || window->processing_time ? NULL : bound_of_windows(node->inputs[0], window->time_column);
    for (int k = 0; windows && k < node->aggregate.key_count; k++)
        if (bound_of_windows(node->inputs[0], node->aggregate.key_columns[k]) == windows)
            traits_add_time(arena, &node->traits, (TimeColumn){ k, time_add(lag, time_add(window->size_us, US_PER_MS)), false });
}

void logical_derive_window(Arena *arena, LogicalNode *node)
{
    const WindowSpec *window = &node->aggregate.window;
    if (window->kind == WINDOW_COUNT)
        return; /* nothing bounds how long a window takes to fill */
    int64_t lag = time_add(window->lag_us, window->grace_us);
    if (window->kind == WINDOW_SESSION && !window->session_end_with_gap)
        lag = time_add(lag, window->size_us);
    int end = node->aggregate.key_count + 1;
    int64_t more = window->end_inclusive || window->kind == WINDOW_SESSION ? US_PER_MS : logical_finer_than_ms(arena, node, window->time_column);
    traits_add_time(arena, &node->traits, (TimeColumn){ end + 1, time_add(lag, more), window->processing_time });
    traits_add_time(arena, &node->traits, (TimeColumn){ end, lag, window->processing_time });
    derive_inner_bounds(arena, node, lag);
}
