/* planner/bind_query.c: queries around blocks: WITH, VALUES, ORDER BY, LIMIT. */
#include "common/calendar.h"
#include "planner/ast_map.h"
#include "planner/binder.h"

/* ---- ORDER BY, LIMIT ---- */

static Error *row_count(Binder *binder, const AstExpr *ast, const char *what, int64_t absent, int64_t *count)
{
    *count = absent;
    if (!ast)
        return NULL;
    Value value;
    TRY(binder_literal(binder, ast, type_scalar(TYPE_BIGINT), what, &value));
    if (value.is_null || value.integer < 0)
        return error_at(ERR_BIND, ast->at, "%s must be 0 or more", what);
    *count = value.integer;
    return NULL;
}

/* By event time: rows wait until no older ones can come, as those of functions OVER (.. ORDER BY time) do. */
static bool order_by_time(Arena *arena, const AstQuery *query, const EdgeTraits *traits, const SortKey *keys, int key_count, Relation *relation)
{
    const TimeColumn *time = traits_time(traits, keys[0].column);
    if (!time || time->processing || keys[0].descending)
        return false;
    LogicalNode *node = logical_node(arena, PLAN_OVER, query->order_by.items[0].at, 1, &relation->input);
    node->over.order = OVER_BY_TIME;
    node->over.keys = arena_copy(arena, keys, sizeof *keys * (size_t)key_count);
    node->over.key_count = key_count;
    node->over.time_column = time->column;
    node->over.lag_us = time->lag_us;
    node->over.window_time_column = -1;
    node->over.on_error = POLICY_FAIL;
    Schema schema = port_schema(arena, relation->input);
    node->schema = *schema_copy(arena, &schema);
    logical_derive(arena, node);
    relation->input = main_port(node);
    return true;
}

/* Of input that does not end. Of windowed results: the first rows of each window, in order, when it closes. Of other rows, under LIMIT: the first
 * ones so far, as changes. Rows that are taken back are ranked so, too, where their input ends. */
static bool order_by_rank(Binder *binder, const AstQuery *query, const SortKey *keys, int key_count, int64_t limit, int64_t offset, Relation *relation)
{
    Arena *arena = binder->arena;
    EdgeTraits traits = port_traits(arena, relation->input);
    const WindowColumns *window = &relation->window;
    const TimeColumn *time = window->windowed && window->time >= 0 ? traits_time(&traits, window->time) : NULL;
    bool windowed = time && window->end >= 0;
    if (traits.changes == CHANGES_APPEND && !windowed && limit < 0)
        return offset == 0 && order_by_time(arena, query, &traits, keys, key_count, relation);
    const bool at_end = binder->final_results && traits.bounded;
    windowed &= !at_end;
    if (windowed ? traits.changes != CHANGES_APPEND || offset : limit < 0 && !at_end)
        return false;
    LogicalNode *rank = logical_node(arena, PLAN_RANK, query->order_by.items[0].at, 1, &relation->input);
    rank->rank.rank = RANK_ROW_NUMBER;
    rank->rank.partition_columns = arena_copy(arena, &window->end, sizeof window->end);
    rank->rank.partition_count = windowed;
    rank->rank.keys = arena_copy(arena, keys, sizeof *keys * (size_t)key_count);
    rank->rank.key_count = key_count;
    rank->rank.limit = limit >= 0 ? time_add(limit, offset) : INT64_MAX;
    rank->rank.offset = offset;
    rank->rank.trigger = windowed ? TRIGGER_FINAL : at_end ? TRIGGER_END : TRIGGER_CHANGES;
    rank->rank.window_time_column = windowed ? window->time : -1;
    rank->rank.lag_us = windowed ? time->lag_us : 0;
    Schema schema = port_schema(arena, relation->input);
    rank->schema = *schema_copy(arena, &schema);
    logical_derive(arena, rank);
    relation->input = main_port(rank);
    if (!windowed) {
        relation->time_column = -1;
        relation->window = (WindowColumns){ .start = -1, .end = -1, .time = -1 };
    }
    return true;
}

Error *bind_order(Binder *binder, const AstQuery *query, const SortKey *keys, int key_count, Relation *relation)
{
    Arena *arena = binder->arena;
    int64_t limit, offset;
    TRY(row_count(binder, query->limit, "LIMIT", -1, &limit));
    TRY(row_count(binder, query->offset, "OFFSET", 0, &offset));
    if (key_count) {
        EdgeTraits traits = port_traits(arena, relation->input);
        const bool changes = traits.changes != CHANGES_APPEND && (binder->explicit_changes || binder->final_results);
        if ((traits.bounded ? changes : limit != 0) && order_by_rank(binder, query, keys, key_count, limit, offset, relation))
            return NULL;
        if (!traits.bounded)
            return error_hint(binder_unsupported(query->order_by.items[0].at, "ORDER BY on a stream that does not end"), "add LIMIT, or order within windows: GROUP BY window_start, window_end, .. EMIT FINAL; or by the event time, ascending");
        if (traits.changes != CHANGES_APPEND)
            binder->needs_final = true;
        LogicalNode *sort = logical_node(arena, PLAN_SORT, query->order_by.items[0].at, 1, &relation->input);
        sort->sort.keys = arena_copy(arena, keys, sizeof *keys * (size_t)key_count);
        sort->sort.key_count = key_count;
        sort->sort.limit = -1;
        logical_derive(arena, sort);
        relation->input = main_port(sort);
        relation->time_column = -1;
        relation->window = (WindowColumns){ .start = -1, .end = -1, .time = -1 };
    }
    if (limit >= 0 || offset > 0)
        relation->input = main_port(logical_limit(arena, relation->input, limit, offset, query->limit ? query->limit->at : query->offset->at));
    return NULL;
}

/* ORDER BY of something that is no block: names and numbers of its columns. */
static Error *order_by_output(Binder *binder, const AstQuery *query, Relation *relation)
{
    int visible = 0;
    SortKey *keys = ARENA_ARRAY(binder->arena, SortKey, query->order_by.count + 1);
    for (int i = 0; i < relation->schema.column_count; i++)
        visible += !relation->schema.columns[i].hidden;
    for (int i = 0; i < query->order_by.count; i++) {
        const AstOrderItem *item = &query->order_by.items[i];
        int column = -1;
        if (item->expr->kind == AST_LITERAL && type_is_integer(item->expr->value.type)) {
            if (item->expr->value.integer < 1 || item->expr->value.integer > visible)
                return error_at(ERR_BIND, item->expr->at, "ORDER BY %lld: there are %d columns", (long long)item->expr->value.integer, visible);
            column = (int)item->expr->value.integer - 1;
        } else {
            Expr *expr = NULL;
            TRY(binder_expr(binder, relation, item->expr, &expr));
            if (expr->kind != EXPR_COLUMN)
                return binder_unsupported(item->expr->at, "an expression in ORDER BY of a set operation");
            column = expr->column;
        }
        keys[i] = (SortKey){ column, item->descending, item->nulls == 1 };
    }
    return bind_order(binder, query, keys, query->order_by.count, relation);
}

/* ---- queries ---- */

/* A few lines can come to any size: each view reads the one before it twice. What goes through a plan goes through it as often as ways lead there. */
#define WEIGHT_MAX 20000
/* ..and in a chain each goes deeper: binding one calls for the next. */
#define DEPTH_MAX 500

static Error *bind_inside(Binder *binder, const AstQuery *query, QueryContext context, Relation *relation)
{
    if (query->into.text && &query->into != context.into)
        return error_hint(error_at(ERR_BIND, query->into.at, "INTO stands in the statement's own query, in the first SELECT of a UNION"), "a sub-query, a view and the other SELECTs have no sink");
    CteScope *outer = binder->ctes;
    for (int i = 0; i < query->ctes.count; i++) {
        CteScope *scope = ARENA_NEW(binder->arena, CteScope);
        scope->cte = &query->ctes.items[i];
        scope->outer = binder->ctes;
        binder->ctes = scope;
    }
    Error *error = NULL;
    switch (query->kind) {
    case AST_SELECT:
        error = bind_select(binder, query, context, relation);
        break;
    case AST_SET_OPERATION:
        if (query->emit.kind != AST_EMIT_NONE)
            context.emit = &query->emit;
        error = bind_set_operation(binder, query, context, relation);
        if (!error)
            error = order_by_output(binder, query, relation);
        break;
    case AST_VALUES:
        error = bind_values(binder, query->rows.items, query->rows.count, query->at, NULL, relation);
        if (!error)
            error = order_by_output(binder, query, relation);
        break;
    }
    binder->ctes = outer;
    if (!error && relation->input.node->weight > WEIGHT_MAX)
        error = error_at(ERR_BIND, query->at, "the query comes to more than %d steps where its views and WITH are put in", WEIGHT_MAX);
    return error;
}

Error *bind_query(Binder *binder, const AstQuery *query, QueryContext context, Relation *relation)
{
    if (binder->query_depth == DEPTH_MAX)
        return error_at(ERR_BIND, query->at, "queries within queries are deeper than %d levels where views and WITH are put in", DEPTH_MAX);
    binder->query_depth++;
    Error *error = bind_inside(binder, query, context, relation);
    binder->query_depth--;
    return error;
}
