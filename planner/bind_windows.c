/* planner/bind_windows.c: ASA's Windows(Window('id', TumblingWindow(..)), ..): one aggregation for each window, all over the same rows, and
 * the union of their results, each row with the id of its window. */
#include "planner/binder.h"
#include "planner/expr.h"
#include "planner/window_spec.h"

bool is_window_id(const AstExpr *ast)
{
    const AstExpr *call = ast->left;
    return ast->kind == AST_FIELD && ast->path.count == 1 && name_equal(ast->path.items[0].text, "id") && call && call->kind == AST_CALL && call->path.count == 2 &&
           name_equal(call->path.items[0].text, "system") && name_equal(call->path.items[1].text, "window");
}

/* The same aggregation with another window; rewrites change its columns by themselves. */
static LogicalNode *with_window(Block *block, const LogicalNode *first, const WindowUse *use, const TimeColumn *time)
{
    Arena *arena = block->binder->arena;
    LogicalNode *node = logical_node(arena, use->spec.kind == WINDOW_SESSION ? PLAN_SESSION_AGGREGATE : PLAN_WINDOW_AGGREGATE, use->at, 1, first->inputs);
    node->aggregate = first->aggregate;
    node->aggregate.calls = arena_copy(arena, first->aggregate.calls, sizeof(AggregateCall) * ((size_t)first->aggregate.call_count + 1));
    node->aggregate.key_columns = arena_copy(arena, first->aggregate.key_columns, sizeof(int) * ((size_t)first->aggregate.key_count + 1));
    node->aggregate.window = use->spec;
    node->aggregate.window.lag_us = time ? time->lag_us : 0;
    node->schema = (Schema){ first->schema.column_count, arena_copy(arena, first->schema.columns, sizeof(Column) * (size_t)first->schema.column_count) };
    logical_derive(arena, node);
    return node;
}

/* The columns of an aggregation with the window's id behind its bounds. */
static LogicalNode *with_id(Block *block, LogicalNode *node, const WindowUse *use)
{
    Arena *arena = block->binder->arena;
    const int at = node->aggregate.key_count + 3, count = node->schema.column_count + 1;
    Expr **exprs = ARENA_ARRAY(arena, Expr *, count);
    Column *columns = ARENA_ARRAY(arena, Column, count);
    for (int i = 0, from = 0; i < count; i++) {
        if (i == at) {
            Value id = use->id ? (Value){ .type = type_scalar(TYPE_VARCHAR), .text = str_c(use->id) } : value_null(type_scalar(TYPE_VARCHAR));
            exprs[i] = expr_constant(arena, &id, use->at);
            columns[i] = (Column){ .name = "$window_id", .type = type_scalar(TYPE_VARCHAR), .hidden = true };
            continue;
        }
        exprs[i] = binder_column(arena, &node->schema, from, use->at);
        columns[i] = node->schema.columns[from++];
    }
    return logical_project(arena, main_port(node), exprs, columns, count, POLICY_FAIL, use->at);
}

Error *bind_several_windows(Block *block, LogicalNode *first, const WindowUse *uses, LogicalNode **result)
{
    Arena *arena = block->binder->arena;
    int count = 0;
    for (const WindowUse *use = uses; use; use = use->next)
        count++;
    PlanInput *inputs = ARENA_ARRAY(arena, PlanInput, count + 1);
    EdgeTraits under = port_traits(arena, first->inputs[0]);
    const TimeColumn *time = traits_time(&under, first->aggregate.window.time_column);
    count = 0;
    for (const WindowUse *use = uses; use; use = use->next) {
        LogicalNode *node = use == uses ? first : with_window(block, first, use, time);
        TRY(window_trigger(&use->spec, block_emit(block), use->at, &node->aggregate.trigger));
        if (under.changes != CHANGES_APPEND && window_refuses_changes(use->spec.kind))
            return error_hint(binder_unsupported(use->at, "a %s of rows that still change", window_kind_noun(use->spec.kind)), "make the inner query EMIT FINAL");
        inputs[count++] = main_port(with_id(block, node, use));
    }
    *result = logical_union(arena, inputs, count, uses->at);
    return NULL;
}
