/* planner/bind_over.c: functions OVER (PARTITION BY .. ORDER BY ..) become columns.
 *
 * Calls with the same partition and order are computed by one node, which appends a column for each. ASA's calls (LIMIT DURATION, LAST, ISFIRST)
 * see the rows of FROM, before WHERE and GROUP BY; all others see what GROUP BY and HAVING have left. Ranks that bind_rank.c can plan, over bounded
 * rows and windows, are left to it: they can be limited to the first rows. */
#include "common/calendar.h"
#include "planner/ast_map.h"
#include "planner/binder.h"
#include "planner/own_clocks.h"

enum { REMEMBERED_MAX = 64 }; /* rows that LAG keeps of each partition besides the last ones */

typedef struct OverName { const char *name; OverKind kind; } OverName;

static const OverName over_names[] = {
    { "lag", OVER_LAG },                     { "lead", OVER_LEAD },           { "last", OVER_LAST },             { "first_value", OVER_FIRST_VALUE },
    { "last_value", OVER_LAST_VALUE },       { "nth_value", OVER_NTH_VALUE }, { "row_number", OVER_ROW_NUMBER }, { "rank", OVER_RANK },
    { "dense_rank", OVER_DENSE_RANK },       { "cume_dist", OVER_CUME_DIST }, { "ntile", OVER_NTILE },           { "percent_rank", OVER_PERCENT_RANK },
    { "isfirst", OVER_IS_FIRST },            { "anomalydetection_spikeanddip", OVER_SPIKE_AND_DIP },
    { "anomalydetection_changepoint", OVER_CHANGE_POINT },
};

static const OverName *over_name(const AstExpr *ast)
{
    const char *name = ast_call_name(ast);
    for (size_t i = 0; name && ast->path.count == 1 && i < sizeof over_names / sizeof *over_names; i++)
        if (name_equal(over_names[i].name, name))
            return &over_names[i];
    return NULL;
}

bool is_over_call(const AstExpr *expr)
{
    if (!expr->over || !ast_call_name(expr))
        return false;
    if (is_top_over_call(expr))
        return true;
    AstExpr plain = *expr;
    plain.over = NULL;
    return over_name(expr) || is_aggregate_call(&plain);
}

static bool is_early(const AstExpr *expr)
{
    const OverName *name = is_over_call(expr) ? over_name(expr) : NULL;
    return is_over_call(expr) && (expr->over->limit_duration || (name && (name->kind == OVER_LAST || name->kind == OVER_IS_FIRST)));
}

bool block_has_over(const AstQuery *query)
{
    bool found = ast_any(query->where, is_over_call) || ast_any(query->qualify, is_over_call);
    for (int i = 0; i < query->items.count; i++)
        found = found || ast_any(query->items.items[i].expr, is_over_call);
    for (int i = 0; i < query->order_by.count; i++)
        found = found || ast_any(query->order_by.items[i].expr, is_over_call);
    return found;
}

/* ---- what is planned together ---- */

typedef struct Found {
    const AstExpr *ast;
    const char *text;    /* as SQL: equal calls are one column */
    const char *group;   /* partition and order */
    OverKind kind;
    OverCall call;
    int column;
} Found;

typedef struct Overs {
    Block *block;
    Relation *relation;
    Arena *arena;
    bool early;
    struct { Found *items; int count, capacity; } found;
    /* of the group at hand */
    Expr **exprs;
    Column *columns;
    int count, room;
    bool computed;
} Overs;

static bool is_rank(OverKind kind) { return kind == OVER_ROW_NUMBER || kind == OVER_RANK || kind == OVER_DENSE_RANK; }

/* Does it need all rows of the partition? */
static bool needs_whole(const Found *found)
{
    const AstOver *over = found->ast->over;
    if (found->kind == OVER_PERCENT_RANK || found->kind == OVER_CUME_DIST || found->kind == OVER_NTILE)
        return true;
    if (!over_has_frame(found->kind) || over->limit_duration)
        return found->kind == OVER_LEAD && found->ast->ignore_nulls;
    return over->has_frame ? over->to == FRAME_UNBOUNDED_FOLLOWING : over->order_by.count == 0;
}

static const char *group_text(Overs *overs, const Found *found)
{
    AstOver over = *found->ast->over;
    over.has_frame = false;
    over.limit_duration = over.when = NULL;
    AstExpr call = *found->ast;
    call.over = &over;
    call.args = (AstExprs){ 0 };
    call.filter = NULL;
    call.star = call.distinct = call.ignore_nulls = false;
    call.path = (AstNames){ 0 };
    AstName name = { "f", false, call.at };
    LIST_ADD(overs->arena, &call.path, name);
    return arena_printf(overs->arena, "%s %d", ast_text(overs->arena, &call), needs_whole(found));
}

/* ---- columns of the node's input ---- */

static int column_for(Overs *overs, Expr *expr, const char *name)
{
    if (expr->kind == EXPR_COLUMN)
        return expr->column;
    for (int i = 0; i < overs->count; i++)
        if (overs->exprs[i]->kind != EXPR_COLUMN && !expr_is_volatile(expr) && expr_equal(overs->exprs[i], expr))
            return i;
    if (overs->count == overs->room) {
        int room = 2 * overs->room + 8;
        Expr **exprs = ARENA_ARRAY(overs->arena, Expr *, room);
        Column *columns = ARENA_ARRAY(overs->arena, Column, room);
        for (int i = 0; i < overs->count; i++) {
            exprs[i] = overs->exprs[i];
            columns[i] = overs->columns[i];
        }
        overs->exprs = exprs;
        overs->columns = columns;
        overs->room = room;
    }
    overs->exprs[overs->count] = expr;
    overs->columns[overs->count] = (Column){ .name = name, .type = expr->type, .hidden = true };
    overs->computed = true;
    return overs->count++;
}

static void start_columns(Overs *overs)
{
    const Schema *schema = &overs->relation->schema;
    overs->count = schema->column_count;
    overs->room = schema->column_count + 16;
    overs->exprs = ARENA_ARRAY(overs->arena, Expr *, overs->room);
    overs->columns = ARENA_ARRAY(overs->arena, Column, overs->room);
    overs->computed = false;
    for (int i = 0; i < schema->column_count; i++) {
        overs->exprs[i] = binder_column(overs->arena, schema, i, SPAN_NONE);
        overs->columns[i] = schema->columns[i];
    }
}

static Error *bind_inner(Overs *overs, const AstExpr *ast, Expr **expr)
{
    if (ast_any(ast, is_over_call))
        return error_hint(error_at(ERR_BIND, ast->at, "an OVER (..) inside of an OVER (..)"), "compute the inner one in a sub-query in FROM");
    return block_expr(overs->block, overs->relation, ast, expr);
}

static Error *bind_column(Overs *overs, const AstExpr *ast, int *column)
{
    Expr *expr = NULL;
    TRY(bind_inner(overs, ast, &expr));
    if (expr->type->kind == TYPE_NULL)
        TRY(binder_cast(overs->arena, expr, type_scalar(TYPE_VARCHAR), &expr));
    *column = column_for(overs, expr, ast_text(overs->arena, ast));
    return NULL;
}

static Error *bind_condition_column(Overs *overs, const AstExpr *ast, const char *what, int *column)
{
    TRY(bind_column(overs, ast, column));
    const Type *type = overs->columns[*column].type;
    if (type->kind != TYPE_BOOLEAN)
        return error_at(ERR_BIND, ast->at, "%s needs a condition, this is %s", what, type_text(overs->arena, type));
    return NULL;
}

/* ---- arguments ---- */

static Error *whole_number(Overs *overs, const AstExpr *ast, const char *what, int64_t least, int64_t *number)
{
    return bind_whole_number(overs->block->binder, ast, what, least, number);
}

/* The value, and what stands in for it, of one type. */
static Error *bind_value(Overs *overs, const AstExpr *ast, const AstExpr *otherwise, OverCall *call)
{
    const AstExpr *value = ast->star || (ast->args.count && ast->args.items[0]->kind == AST_STAR) ? ast_row_struct(overs->arena, overs->relation, ast->at) : ast->args.items[0];
    Expr *exprs[2] = { NULL };
    TRY(bind_inner(overs, value, &exprs[0]));
    if (otherwise)
        TRY(bind_inner(overs, otherwise, &exprs[1]));
    if (exprs[0]->type->kind == TYPE_NULL)
        TRY(binder_cast(overs->arena, exprs[0], exprs[1] && exprs[1]->type->kind != TYPE_NULL ? exprs[1]->type : type_scalar(TYPE_VARCHAR), &exprs[0]));
    if (otherwise) {
        const Type *type = exprs[0]->type;
        Expr **both[] = { &exprs[0], &exprs[1] };
        TRY(expr_unify(overs->arena, ast_call_name(ast), both, 2, &type));
        call->otherwise = column_for(overs, exprs[1], ast_text(overs->arena, otherwise));
    }
    call->call.args[0] = column_for(overs, exprs[0], ast_text(overs->arena, value));
    call->call.arg_count = 1;
    call->call.type = exprs[0]->type;
    return NULL;
}

/* (value, confidence in percent, rows of history [, 'spikes' | 'dips' | 'spikesanddips']) */
static Error *bind_anomaly(Overs *overs, const AstExpr *ast, OverCall *call)
{
    enum { HISTORY_MAX = 100000 };
    Arena *arena = overs->arena;
    Binder *binder = overs->block->binder;
    const AstExpr *const *args = (const AstExpr *const *)ast->args.items;
    Expr *value = NULL;
    TRY(bind_inner(overs, args[0], &value));
    if (!type_is_numeric(value->type))
        return error_at(ERR_BIND, args[0]->at, "%s needs a number, this is %s", ast_call_name(ast), type_text(arena, value->type));
    TRY(binder_cast(arena, value, type_scalar(TYPE_DOUBLE), &value));
    call->call.args[0] = column_for(overs, value, ast_text(arena, args[0]));
    call->call.arg_count = 1;
    Value confidence, mode;
    TRY(binder_literal(binder, args[1], type_scalar(TYPE_DOUBLE), "the confidence", &confidence));
    if (confidence.is_null || !(confidence.number > 0 && confidence.number < 100))
        return error_at(ERR_BIND, args[1]->at, "the confidence is a percentage between 0 and 100");
    call->confidence = confidence.number / 100;
    TRY(whole_number(overs, args[2], "the history", 4, &call->offset));
    if (call->offset > HISTORY_MAX)
        return error_at(ERR_BIND, args[2]->at, "the history must be %d or less", HISTORY_MAX);
    if (ast->args.count == 4) {
        static const char *const modes[] = { "spikes", "dips", "spikesanddips" };
        TRY(binder_literal(binder, args[3], type_scalar(TYPE_VARCHAR), "the mode", &mode));
        const char *name = mode.is_null ? "" : arena_strndup(arena, str_bytes(&mode.text), mode.text.length);
        call->spikes = name_equal(name, modes[0]) || name_equal(name, modes[2]);
        call->dips = name_equal(name, modes[1]) || name_equal(name, modes[2]);
        if (!call->spikes && !call->dips)
            return error_suggest(error_at(ERR_BIND, args[3]->at, "the mode is 'spikes', 'dips' or 'spikesanddips'"), name, modes, 3);
    }
    static const char *const names[] = { "Score", "IsAnomaly" };
    const Type *types[] = { type_scalar(TYPE_DOUBLE), type_scalar(TYPE_BIGINT) };
    call->call.type = type_struct(arena, 2, names, types);
    return NULL;
}

static Error *bind_named(Overs *overs, const AstExpr *ast, const OverName *name, OverCall *call)
{
    const AstExpr *const *args = (const AstExpr *const *)ast->args.items;
    const bool star = ast->star && (name->kind == OVER_LAG || name->kind == OVER_LAST);
    const int count = ast->args.count + star;
    const AnalyticFunction *function = analytic_find(name->name);
    if (count < function->least || count > function->most) {
        const char *wanted = function->most == 0 ? "no arguments" : function->most == 1 ? "1 argument" : arena_printf(overs->arena, "%d arguments", function->least);
        if (function->least != function->most)
            wanted = arena_printf(overs->arena, "%d to %d arguments", function->least, function->most);
        return error_at(ERR_BIND, ast->at, "%s takes %s", ast_call_name(ast), wanted);
    }
    switch (name->kind) {
    case OVER_LAG:
    case OVER_LEAD:
        call->offset = 1;
        if (ast->args.count > 1)
            TRY(whole_number(overs, args[1], "the offset", 0, &call->offset));
        return bind_value(overs, ast, ast->args.count > 2 ? args[2] : NULL, call);
    case OVER_LAST: return bind_value(overs, ast, ast->args.count > 1 ? args[1] : NULL, call);
    case OVER_FIRST_VALUE:
    case OVER_LAST_VALUE: return bind_value(overs, ast, NULL, call);
    case OVER_NTH_VALUE:
        TRY(whole_number(overs, args[1], "the place", 1, &call->offset));
        return bind_value(overs, ast, NULL, call);
    case OVER_NTILE:
        TRY(whole_number(overs, args[0], "the number of buckets", 1, &call->offset));
        break;
    case OVER_IS_FIRST:
        TRY(bind_unit_duration(overs->block->binder, args[0], args[1], "the interval of ISFIRST", &call->offset));
        if (call->offset <= 0)
            return error_at(ERR_BIND, args[1]->at, "the interval of ISFIRST must be more than 0");
        break;
    case OVER_SPIKE_AND_DIP:
    case OVER_CHANGE_POINT: return bind_anomaly(overs, ast, call);
    case OVER_AGGREGATE: case OVER_ROW_NUMBER: case OVER_RANK: case OVER_DENSE_RANK: case OVER_PERCENT_RANK: case OVER_CUME_DIST: break;
    }
    call->call.type = type_scalar(name->kind == OVER_PERCENT_RANK || name->kind == OVER_CUME_DIST ? TYPE_DOUBLE : TYPE_BIGINT);
    return NULL;
}

static Error *bind_argument(void *overs, const AstExpr *ast, Expr **expr) { return bind_inner(overs, ast, expr); }

static Error *bind_aggregate_over(Overs *overs, const AstExpr *ast, AggregateCall *call)
{
    AggregateCallArgs of;
    TRY(aggregate_call_args(overs->block->binder, ast, bind_argument, overs, &of));
    call->function = of.function;
    call->arg_count = of.arg_count;
    call->distinct = of.distinct;
    call->constants = of.constants;
    call->constant_count = of.constant_count;
    call->limit = of.limit;
    call->type = of.type;
    for (int i = 0; i < of.arg_count; i++)
        call->args[i] = column_for(overs, of.args[i], of.names[i]);
    return NULL;
}

/* FILTER (WHERE ..) and WHEN. */
static Error *bind_filters(Overs *overs, const AstExpr *ast, OverKind kind, AggregateCall *call)
{
    const AstExpr *filter = ast->filter, *when = ast->over->when;
    const char *name = ast_call_name(ast);
    if (filter && kind != OVER_AGGREGATE)
        return error_at(ERR_BIND, filter->at, "FILTER needs an aggregate, %s is none", name);
    if (when && kind != OVER_IS_FIRST && kind != OVER_LAST && !ast->over->limit_duration)
        return error_hint(error_at(ERR_BIND, when->at, "WHEN needs LIMIT DURATION"), "LIMIT DURATION(minute, 10) WHEN ..");
    if (when && (kind == OVER_LEAD || kind == OVER_SPIKE_AND_DIP || kind == OVER_CHANGE_POINT))
        return binder_unsupported(when->at, "WHEN of %s", name);
    if (filter && when) {
        AstExpr *both = ARENA_NEW(overs->arena, AstExpr);
        *both = (AstExpr){ .kind = AST_BINARY, .op = OP_AND, .at = when->at, .op_at = when->at, .left = (AstExpr *)filter, .right = (AstExpr *)when };
        return bind_condition_column(overs, both, "WHEN", &call->filter);
    }
    if (filter || when)
        return bind_condition_column(overs, filter ? filter : when, filter ? "FILTER (WHERE ..)" : "WHEN", &call->filter);
    return NULL;
}

/* ---- the order ---- */

typedef struct Order {
    OverOrder kind;
    SortKey *keys; int key_count;
    int time_column;
    int64_t lag_us;
    int window_time_column;
    bool by_window;         /* the partition is (part of) a window */
    const TimeColumn *time; /* of the first key, or of the rows where nothing is said; NULL none */
    const Type *range_type; /* of the one key */
} Order;

/* Windows of one size begin in the order in which they end, and their end is a time that the watermark knows. */
static int ordering_column(const Relation *relation, int column)
{
    const WindowSpec *spec = &relation->window.spec;
    const bool one_size = (spec->kind == WINDOW_TUMBLING || spec->kind == WINDOW_HOPPING) && !spec->size_months && !spec->zone;
    return relation->window.windowed && one_size && relation->window.end >= 0 && column == relation->window.start ? relation->window.end : column;
}

static Error *bind_keys(Overs *overs, const AstOver *over, Order *order)
{
    order->keys = ARENA_ARRAY(overs->arena, SortKey, over->order_by.count + 1);
    order->key_count = over->order_by.count;
    for (int i = 0; i < over->order_by.count; i++) {
        const AstOrderItem *item = &over->order_by.items[i];
        Expr *expr = NULL;
        TRY(bind_inner(overs, item->expr, &expr));
        const int column = column_for(overs, expr, ast_text(overs->arena, item->expr));
        order->keys[i] = (SortKey){ ordering_column(overs->relation, column), item->descending, item->nulls == 1 };
    }
    if (order->key_count == 1)
        order->range_type = overs->columns[order->keys[0].column].type;
    return NULL;
}

/* The time that the rows come in the order of. ASA's calls mean the event time of their rows. */
static Error *find_time(Overs *overs, const Found *found, const EdgeTraits *traits, Order *order)
{
    const AstOver *over = found->ast->over;
    int column = -1;
    if (order->key_count && !order->keys[0].descending)
        column = order->keys[0].column;
    else if (order->key_count == 0 && (over->limit_duration || found->kind == OVER_IS_FIRST || found->kind == OVER_LAST))
        column = overs->relation->time_column;
    else
        return NULL;
    order->time = column >= 0 ? traits_time(traits, column) : NULL;
    if (order->time || order->key_count)
        return NULL;
    return error_hint(error_at(ERR_BIND, found->ast->at, "%s OVER (..) needs rows with an event time", ast_call_name(found->ast)), "declare WATERMARK FOR, or say TIMESTAMP BY");
}

static Error *refuse(const Found *found, const Overs *overs)
{
    const AstOver *over = found->ast->over;
    const Relation *relation = overs->relation;
    const char *name = ast_call_name(found->ast);
    const char *time = relation->time_column >= 0 ? relation->schema.columns[relation->time_column].name : "the event time";
    if (over->order_by.count == 0 || needs_whole(found))
        return error_hint(error_at(ERR_BIND, found->ast->at, "%s OVER (..) needs all rows of its partition, and the stream does not end", name),
                          over->order_by.count ? "end the frame with CURRENT ROW, or partition by window_end" : "add ORDER BY %s, or partition by window_end", time);
    return error_hint(error_at(ERR_BIND, over->order_by.items[0].at, "%s OVER (ORDER BY ..): a stream that does not end can only be ordered by its time, ascending", name),
                      "order by %s, or partition by window_end of a windowed query", time);
}

static Error *decide_order(Overs *overs, const Found *found, const int *partition_columns, Order *order)
{
    Binder *binder = overs->block->binder;
    const Relation *relation = overs->relation;
    EdgeTraits traits = port_traits(overs->arena, relation->input);
    const AstOver *over = found->ast->over;
    order->time_column = order->window_time_column = -1;
    for (int i = 0; i < over->partition_by.count; i++)
        order->by_window |= relation->window.windowed && relation->window.time >= 0 && traits_time(&traits, relation->window.time) &&
                            (partition_columns[i] == relation->window.start || partition_columns[i] == relation->window.end || partition_columns[i] == relation->window.time);
    if (traits.changes != CHANGES_APPEND) {
        if (!traits.bounded)
            return error_hint(binder_unsupported(found->ast->at, "%s OVER (..) of rows that still change", ast_call_name(found->ast)), "make the inner query EMIT FINAL");
        binder->needs_final = true;
    }
    TRY(find_time(overs, found, &traits, order));
    if (order->time && !needs_whole(found)) {
        order->kind = order->time->processing ? OVER_BY_ARRIVAL : OVER_BY_TIME;
        order->time_column = order->time->column;
        order->lag_us = order->time->lag_us;
        return NULL;
    }
    if (order->key_count == 0 && !needs_whole(found)) { /* rows as they come */
        order->kind = OVER_BY_ARRIVAL;
        return NULL;
    }
    order->kind = OVER_WHOLE;
    if (order->by_window) {
        order->window_time_column = relation->window.time;
        order->lag_us = traits_time(&traits, relation->window.time)->lag_us;
        return NULL;
    }
    return traits.bounded ? NULL : refuse(found, overs);
}

/* ---- the node of a group ---- */

static Error *bind_over_call(Overs *overs, Found *found, const Order *order)
{
    const AstExpr *ast = found->ast;
    OverCall *call = &found->call;
    AstExpr plain = *ast;
    plain.over = NULL;
    *call = (OverCall){ .kind = found->kind, .otherwise = -1, .ignore_nulls = ast->ignore_nulls };
    call->call = (AggregateCall){ .filter = -1, .name = ast_text(overs->arena, &plain), .at = ast->at };
    if (ast->ignore_nulls && !(found->kind == OVER_LAG || found->kind == OVER_LEAD || found->kind == OVER_LAST || found->kind == OVER_FIRST_VALUE || found->kind == OVER_LAST_VALUE))
        return binder_unsupported(ast->at, "IGNORE NULLS of %s", ast_call_name(ast));
    TRY(found->kind == OVER_AGGREGATE ? bind_aggregate_over(overs, ast, &call->call) : bind_named(overs, ast, over_name(ast), call));
    TRY(bind_filters(overs, ast, found->kind, &call->call));
    if (found->kind == OVER_LAG && (call->call.filter >= 0 || call->ignore_nulls) && call->offset > REMEMBERED_MAX)
        return binder_unsupported(ast->at, "an offset of more than %d with WHEN or IGNORE NULLS", REMEMBERED_MAX);
    TRY(bind_frame(overs->block->binder, ast, found->kind, order->range_type, &call->frame));
    if ((found->kind == OVER_FIRST_VALUE || found->kind == OVER_LAST_VALUE || found->kind == OVER_NTH_VALUE) && call->call.filter >= 0)
        return binder_unsupported(ast->over->when->at, "WHEN of %s", ast_call_name(ast));
    if (order->kind == OVER_BY_ARRIVAL && call->frame.unit == OVER_RANGE && (call->frame.from == BOUND_FOLLOWING || call->frame.to == BOUND_FOLLOWING))
        return binder_unsupported(ast->over->at, "a RANGE that reaches ahead in processing time");
    return NULL;
}

static bool all_window_times(const Relation *relation, const EdgeTraits *traits)
{
    const WindowColumns *window = &relation->window;
    for (int i = 0; i < traits->time_count; i++)
        if (!window->windowed || (traits->times[i].column != window->end && traits->times[i].column != window->time && traits->times[i].column != window->start))
            return false;
    return true;
}

static Error *plan_group(Overs *overs, const char *group)
{
    Arena *arena = overs->arena;
    Binder *binder = overs->block->binder;
    Relation *relation = overs->relation;
    const Found *first = NULL;
    int calls = 0;
    for (int i = 0; i < overs->found.count; i++)
        if (strcmp(overs->found.items[i].group, group) == 0) {
            first = first ? first : &overs->found.items[i];
            calls++;
        }
    const AstOver *over = first->ast->over;
    start_columns(overs);
    int partitions = over->partition_by.count;
    int *partition_columns = ARENA_ARRAY(arena, int, partitions + 1);
    for (int i = 0; i < partitions; i++)
        TRY(bind_column(overs, over->partition_by.items[i], &partition_columns[i]));
    Order order = { 0 };
    TRY(bind_keys(overs, over, &order));
    if (overs->computed) { /* PROCTIME() is a time once it is a column */
        LogicalNode *project = binder_project(binder, relation, overs->exprs, overs->columns, overs->count, first->ast->at);
        relation->input = main_port(project);
        relation->schema = project->schema;
        start_columns(overs);
    }
    TRY(decide_order(overs, first, partition_columns, &order));
    OverCall *list = ARENA_ARRAY(arena, OverCall, calls + 1);
    int made = 0;
    for (int i = 0; i < overs->found.count; i++)
        if (strcmp(overs->found.items[i].group, group) == 0) {
            TRY(bind_over_call(overs, &overs->found.items[i], &order));
            list[made++] = overs->found.items[i].call;
        }
    if (overs->computed) {
        LogicalNode *project = binder_project(binder, relation, overs->exprs, overs->columns, overs->count, first->ast->at);
        relation->input = main_port(project);
        relation->schema = project->schema;
    }
    EdgeTraits traits = port_traits(arena, relation->input);
    LogicalNode *node = logical_node(arena, PLAN_OVER, first->ast->at, 1, &relation->input);
    node->over.partition_columns = partition_columns;
    node->over.partition_count = partitions;
    node->over.order = order.kind;
    node->over.keys = order.keys;
    node->over.key_count = order.key_count;
    node->over.time_column = order.time_column;
    node->over.lag_us = order.lag_us;
    node->over.window_times = all_window_times(relation, &traits);
    node->over.window_time_column = order.window_time_column;
    node->over.calls = list;
    node->over.call_count = calls;
    node->over.on_error = relation->on_expr_error ? *relation->on_expr_error : binder_policy(binder);
    int under = relation->schema.column_count;
    node->schema = (Schema){ under, ARENA_ARRAY(arena, Column, under + calls + 1) };
    for (int i = 0; i < under; i++)
        node->schema.columns[i] = relation->schema.columns[i];
    for (int i = 0; i < overs->found.count; i++)
        if (strcmp(overs->found.items[i].group, group) == 0) {
            overs->found.items[i].column = node->schema.column_count;
            node->schema.columns[node->schema.column_count++] =
                (Column){ .name = arena_printf(arena, "$over%d", node->schema.column_count), .type = overs->found.items[i].call.call.type, .hidden = true };
        }
    logical_derive(arena, node);
    TRY(own_clocks_check(arena, node, first->ast->at));
    const AstName *late_into = &overs->block->query->late_into;
    if (late_into->text && !overs->block->window && !overs->block->late_noted && order.kind == OVER_BY_TIME) {
        note_late_rows(overs->block->binder, late_into, node, under, -1);
        overs->block->late_noted = true;
    }
    relation->input = main_port(node);
    relation->schema = node->schema;
    if (relation->time_column >= 0 && !traits_time(&node->traits, relation->time_column))
        relation->time_column = -1;
    return NULL;
}

/* ---- finding and replacing ---- */

/* Ranks over bounded rows and over windows are bind_rank.c's. */
static bool left_to_rank(Overs *overs, const AstExpr *ast)
{
    if (!is_rank_call(ast))
        return false;
    EdgeTraits traits = port_traits(overs->arena, overs->relation->input);
    if (traits.bounded || traits.changes != CHANGES_APPEND)
        return true;
    const WindowColumns *window = &overs->relation->window;
    for (int i = 0; i < ast->over->partition_by.count && window->windowed; i++) {
        Expr *expr = NULL;
        Error *error = block_expr(overs->block, overs->relation, ast->over->partition_by.items[i], &expr);
        if (!error && expr->kind == EXPR_COLUMN && (expr->column == window->start || expr->column == window->end || expr->column == window->time))
            return true;
        error_free(error);
    }
    if (ast->over->order_by.count == 0)
        return !name_equal(ast_call_name(ast), "row_number");
    Expr *expr = NULL;
    Error *error = block_expr(overs->block, overs->relation, ast->over->order_by.items[0].expr, &expr);
    bool timed = !error && !ast->over->order_by.items[0].descending &&
                 ((expr->kind == EXPR_COLUMN && traits_time(&traits, expr->column)) || (expr->kind == EXPR_CALL && name_equal(expr->function->name, "proctime")));
    error_free(error);
    return !timed;
}

static bool mine(Overs *overs, const AstExpr *ast)
{
    return is_over_call(ast) && is_early(ast) == overs->early && !left_to_rank(overs, ast);
}

/* Walks through an expression; nothing is replaced yet. */
static Error *collect(void *context, const AstExpr *ast, AstExpr **replacement)
{
    Overs *overs = context;
    (void)replacement;
    if (!mine(overs, ast))
        return NULL;
    Found found = { .ast = ast, .text = ast_text(overs->arena, ast), .column = -1 };
    for (int i = 0; i < overs->found.count; i++)
        if (strcmp(overs->found.items[i].text, found.text) == 0)
            return NULL;
    const OverName *name = over_name(ast);
    found.kind = name ? name->kind : OVER_AGGREGATE;
    if (is_rank(found.kind) && found.kind != OVER_ROW_NUMBER && ast->over->order_by.count == 0)
        return error_at(ERR_BIND, ast->at, "%s needs ORDER BY in its OVER (..)", ast_call_name(ast));
    found.group = group_text(overs, &found);
    LIST_ADD(overs->arena, &overs->found, found);
    return NULL;
}

static Error *replace(void *context, const AstExpr *ast, AstExpr **replacement)
{
    Overs *overs = context;
    if (!is_over_call(ast))
        return NULL;
    const char *text = ast_text(overs->arena, ast);
    for (int i = 0; i < overs->found.count; i++)
        if (strcmp(overs->found.items[i].text, text) == 0)
            *replacement = ast_marker(overs->arena, overs->found.items[i].column, ast->at);
    return NULL;
}

static Error *replace_top(void *block, const AstExpr *ast, AstExpr **replacement) { return is_top_over_call(ast) ? bind_top_over_call(block, ast, replacement) : NULL; }

Error *bind_overs(Block *block, AstExpr **exprs, int expr_count, bool early, Relation *relation)
{
    Overs overs = { .block = block, .relation = relation, .arena = block->binder->arena, .early = early };
    AstExpr *same = NULL;
    for (int i = 0; i < expr_count && early; i++)
        if (ast_any(exprs[i], is_top_over_call))
            TRY(ast_map(overs.arena, exprs[i], replace_top, block, &exprs[i]));
    for (int i = 0; i < expr_count; i++)
        if (ast_any(exprs[i], early ? is_early : is_over_call))
            TRY(ast_map(overs.arena, exprs[i], collect, &overs, &same));
    if (overs.found.count == 0)
        return NULL;
    if (early && relation->pending)
        return binder_unsupported(overs.found.items[0].ast->at, "%s OVER (..) below a window function in FROM", ast_call_name(overs.found.items[0].ast));
    for (int i = 0; i < overs.found.count; i++)
        if (overs.found.items[i].column < 0)
            TRY(plan_group(&overs, overs.found.items[i].group));
    for (int i = 0; i < expr_count; i++)
        if (ast_any(exprs[i], is_over_call))
            TRY(ast_map(overs.arena, exprs[i], replace, &overs, &exprs[i]));
    return NULL;
}
