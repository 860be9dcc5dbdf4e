/* planner/bind_rank.c: ROW_NUMBER, RANK, DENSE_RANK() OVER (PARTITION BY .. ORDER BY ..).
 *
 * A rank becomes a node that appends its number as a column; the filter above it (rk <= 3, QUALIFY) gives the node its limit
 * by rewrite 8. Partitions that hold a window's bound end with the window, others with the bounded input; where it does not end, the best rows so far
 * come out as a changelog. */
#include "planner/ast_map.h"
#include "planner/binder.h"
#include "planner/own_clocks.h"

static bool rank_kind(const char *name, RankKind *kind)
{
    if (name_equal(name, "row_number"))
        *kind = RANK_ROW_NUMBER;
    else if (name_equal(name, "rank"))
        *kind = RANK_RANK;
    else if (name_equal(name, "dense_rank"))
        *kind = RANK_DENSE_RANK;
    else
        return false;
    return true;
}

bool is_rank_call(const AstExpr *expr)
{
    RankKind kind;
    const char *name = ast_call_name(expr);
    return name && expr->over && rank_kind(name, &kind);
}

typedef struct Ranks {
    Block *block;
    Relation *relation;
    struct { struct { const char *text; int column; } *items; int count, capacity; } done;
} Ranks;

typedef struct Computed {
    Expr **exprs;
    Column *columns;
    int count;
    bool any;
} Computed;

static int column_for(Computed *computed, Expr *expr, const char *name)
{
    if (expr->kind == EXPR_COLUMN)
        return expr->column;
    for (int i = 0; i < computed->count; i++)
        if (expr_equal(computed->exprs[i], expr))
            return i;
    computed->exprs[computed->count] = expr;
    computed->columns[computed->count] = (Column){ .name = name, .type = expr->type, .hidden = true };
    computed->any = true;
    return computed->count++;
}

/* When the ranks of a partition are known. */
static Error *set_trigger(Ranks *ranks, const AstExpr *ast, LogicalNode *node, bool window_partition)
{
    Binder *binder = ranks->block->binder;
    const Relation *relation = ranks->relation;
    EdgeTraits traits = port_traits(binder->arena, relation->input);
    const AstEmit *emit = block_emit(ranks->block);
    const bool changes = emit->kind == AST_EMIT_CHANGES && ranks->block->context.top_level;
    if (changes && window_partition)
        return error_hint(binder_unsupported(ast->at, "%s OVER (..) of windows with EMIT CHANGES", ast_call_name(ast)), "leave EMIT CHANGES out");
    if (traits.changes != CHANGES_APPEND && !window_partition && (!traits.bounded || binder->explicit_changes)) {
        node->rank.trigger = TRIGGER_CHANGES;
        node->rank.window_time_column = -1;
        return NULL;
    }
    if (traits.changes != CHANGES_APPEND) {
        if (!traits.bounded || changes)
            return error_hint(binder_unsupported(ast->at, "%s OVER (..) of rows that still change", ast_call_name(ast)), "make the inner query EMIT FINAL");
        binder->needs_final = true;
    }
    const TimeColumn *time = relation->window.time >= 0 ? traits_time(&traits, relation->window.time) : NULL;
    if (window_partition && time) {
        node->rank.trigger = TRIGGER_FINAL;
        node->rank.window_time_column = relation->window.time;
        node->rank.lag_us = time->lag_us;
        return NULL;
    }
    node->rank.trigger = traits.bounded && !changes ? TRIGGER_END : TRIGGER_CHANGES;
    node->rank.window_time_column = -1;
    return NULL;
}

static Error *plan_rank(Ranks *ranks, const AstExpr *ast, int *column)
{
    Block *block = ranks->block;
    Arena *arena = block->binder->arena;
    Relation *relation = ranks->relation;
    const AstOver *over = ast->over;
    RankKind kind = RANK_ROW_NUMBER;
    rank_kind(ast_call_name(ast), &kind);
    if (ast->args.count)
        return error_at(ERR_BIND, ast->args.items[0]->at, "%s takes no arguments", ast_call_name(ast));
    if (over->has_frame)
        return error_at(ERR_BIND, over->at, "%s takes no frame", ast_call_name(ast));
    if (over->limit_duration || over->when)
        return binder_unsupported(over->at, "a frame of %s", ast_call_name(ast));
    if (kind != RANK_ROW_NUMBER && over->order_by.count == 0)
        return error_at(ERR_BIND, ast->at, "%s needs ORDER BY in its OVER (..)", ast_call_name(ast));

    int count = relation->schema.column_count, partitions = over->partition_by.count, orders = over->order_by.count;
    Computed computed = { ARENA_ARRAY(arena, Expr *, count + partitions + orders + 1), ARENA_ARRAY(arena, Column, count + partitions + orders + 1), count, false };
    for (int i = 0; i < count; i++) {
        computed.exprs[i] = binder_column(arena, &relation->schema, i, ast->at);
        computed.columns[i] = relation->schema.columns[i];
    }
    int *partition_columns = ARENA_ARRAY(arena, int, partitions + 1), partition_count = 0;
    SortKey *keys = ARENA_ARRAY(arena, SortKey, orders + 1);
    bool window_partition = false;
    for (int i = 0; i < partitions; i++) {
        Expr *expr = NULL;
        TRY(block_expr(block, relation, over->partition_by.items[i], &expr));
        int at = column_for(&computed, expr, ast_text(arena, over->partition_by.items[i]));
        partition_columns[partition_count++] = at;
        window_partition |= relation->window.windowed && (at == relation->window.start || at == relation->window.end || at == relation->window.time);
    }
    for (int i = 0; i < orders; i++) {
        Expr *expr = NULL;
        const AstOrderItem *item = &over->order_by.items[i];
        TRY(block_expr(block, relation, item->expr, &expr));
        keys[i] = (SortKey){ column_for(&computed, expr, ast_text(arena, item->expr)), item->descending, item->nulls == 1 };
    }
    if (computed.any) {
        LogicalNode *project = binder_project(block->binder, relation, computed.exprs, computed.columns, computed.count, ast->at);
        relation->input = main_port(project);
        relation->schema = project->schema;
    }
    LogicalNode *node = logical_node(arena, PLAN_RANK, ast->at, 1, &relation->input);
    node->rank.rank = kind;
    node->rank.partition_columns = partition_columns;
    node->rank.partition_count = partition_count;
    node->rank.keys = keys;
    node->rank.key_count = orders;
    node->rank.limit = INT64_MAX;
    node->rank.rank_column = true;
    TRY(set_trigger(ranks, ast, node, window_partition));
    *column = computed.count;
    node->schema = (Schema){ computed.count + 1, ARENA_ARRAY(arena, Column, computed.count + 1) };
    for (int i = 0; i < computed.count; i++)
        node->schema.columns[i] = relation->schema.columns[i];
    static const char *const names[] = { "row_number", "rank", "dense_rank" };
    node->schema.columns[*column] = (Column){ .name = names[kind], .type = type_scalar(TYPE_BIGINT), .hidden = true };
    logical_derive(arena, node);
    TRY(own_clocks_check(arena, node, ast->at));
    relation->input = main_port(node);
    relation->schema = node->schema;
    if (node->rank.trigger != TRIGGER_FINAL)
        relation->time_column = -1;
    return NULL;
}

static Error *replace(void *context, const AstExpr *ast, AstExpr **replacement)
{
    Ranks *ranks = context;
    if (!is_rank_call(ast))
        return NULL;
    Arena *arena = ranks->block->binder->arena;
    const char *text = ast_text(arena, ast);
    int column = -1;
    for (int i = 0; i < ranks->done.count; i++)
        if (strcmp(ranks->done.items[i].text, text) == 0)
            column = ranks->done.items[i].column;
    if (column < 0) {
        TRY(plan_rank(ranks, ast, &column));
        LIST_ADD(arena, &ranks->done, ((typeof(*ranks->done.items)){ text, column }));
    }
    *replacement = ast_marker(arena, column, ast->at);
    return NULL;
}

/* ---- System.Timestamp() beside calls OVER (..) ---- */

static bool is_over(const AstExpr *expr) { return expr->over != NULL; }

static Error *as_column(void *context, const AstExpr *ast, AstExpr **replacement)
{
    const Ranks *ranks = context;
    if (ast->kind == AST_CALL && ast->path.count == 2 && window_pseudo(ast) >= 0)
        *replacement = ast_marker(ranks->block->binder->arena, timestamp_column(ranks->relation), ast->at);
    return NULL;
}

Error *bind_times_of_rows(Block *block, AstExpr **exprs, int expr_count, Relation *relation)
{
    Ranks ranks = { .block = block, .relation = relation };
    bool any = false;
    for (int i = 0; i < expr_count; i++)
        any |= ast_any(exprs[i], is_over);
    for (int i = 0; any && i < expr_count && timestamp_column(relation) >= 0; i++)
        TRY(ast_map(block->binder->arena, exprs[i], as_column, &ranks, &exprs[i]));
    return NULL;
}

/* ---- all of them ---- */

Error *bind_ranks(Block *block, AstExpr **exprs, int expr_count, Relation *relation)
{
    Ranks ranks = { .block = block, .relation = relation };
    for (int i = 0; i < expr_count; i++)
        if (ast_any(exprs[i], is_rank_call))
            TRY(ast_map(block->binder->arena, exprs[i], replace, &ranks, &exprs[i]));
    return NULL;
}
