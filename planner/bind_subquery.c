/* planner/bind_subquery.c: EXISTS, IN and scalar sub-queries inside of expressions.
 *
 * Each becomes a node that adds a column: the answer for the row. So they may stand wherever an expression does, under NOT and OR as well. A
 * sub-query that names columns of the outer one does so in equalities of its WHERE: these leave it and become the keys of the node, its
 * rows then are one group a key. */
#include "planner/ast_map.h"
#include "planner/bind_correlation.h"
#include "planner/expr.h"
#include "planner/own_clocks.h"

typedef struct Subqueries {
    Block *block;
    Relation *relation;         /* of the outer rows */
    bool inside_aggregates;     /* only those that stand in arguments of aggregates */
    bool known_only;            /* only those that have been planned already */
    int depth;                  /* of aggregates around */
    AstExprs conditions;        /* IN of several columns where unknown is as good as false: conjuncts and disjuncts of WHERE */
    struct { struct { const char *text; int column; } *items; int count, capacity; } done;
} Subqueries;

bool is_subquery(const AstExpr *expr)
{
    return expr->kind == AST_SCALAR_QUERY || expr->kind == AST_EXISTS || expr->kind == AST_IN_QUERY ||
           expr->kind == AST_QUANTIFIED;
}


Error *subquery_asks(Block *block, const AstExpr *ast, AstExprs *asked)
{
    Arena *arena = block->binder->arena;
    Correlation correlation;
    if (ast->kind == AST_IN_QUERY || ast->kind == AST_QUANTIFIED)
        LIST_ADD(arena, asked, ast->left);
    if (ast->kind == AST_IN_QUERY && ast_is_row(ast->left)) {
        asked->count = 0;
        for (int i = 0; i < ast->left->args.count; i++)
            LIST_ADD(arena, asked, ast->left->args.items[i]);
    }
    TRY(correlate(block, &block->from, ast->query, CORRELATE_CONDITIONS | CORRELATE_ITEMS, &correlation));
    TRY(check_correlation(&correlation));
    for (int i = 0; i < correlation.pairs.count; i++)
        LIST_ADD(arena, asked, correlation.pairs.items[i].outer);
    for (int i = 0; i < correlation.both.count; i++)
        TRY(correlation_outer_names(&correlation, correlation.both.items[i], asked));
    for (int i = 0; i < ast->query->items.count && ast->query->kind == AST_SELECT; i++)
        TRY(correlation_outer_names(&correlation, ast->query->items.items[i].expr, asked));
    return NULL;
}

/* What IN looks for: one value, or those of a row. */
static int asked_count(const AstExpr *ast) { return ast->kind == AST_IN_QUERY && ast_is_row(ast->left) ? ast->left->args.count : 1; }

/* ---- where there is no row ---- */

static Error *empty_aggregate(void *context, const AstExpr *ast, AstExpr **replacement)
{
    Arena *arena = context;
    if (!is_aggregate_call(ast))
        return NULL;
    const char *name = ast_call_name(ast);
    bool counts = strncasecmp(name, "count", 5) == 0 || strncasecmp(name, "approx_count", 12) == 0;
    AstExpr *literal = ARENA_NEW(arena, AstExpr);
    *literal = (AstExpr){ .kind = AST_LITERAL, .at = ast->at, .op_at = ast->at };
    literal->value = counts ? (Value){ .type = type_scalar(TYPE_BIGINT) } : value_null(type_scalar(TYPE_NULL));
    *replacement = literal;
    return NULL;
}

bool subquery_has_one_group(const AstQuery *query)
{
    return query->kind == AST_SELECT && block_aggregates(query) && !query->group_by.count && !query->having && query->group_kind == AST_GROUP_PLAIN;
}

Error *subquery_missing(Binder *binder, const AstQuery *query, int item, const Type *type, Value *value)
{
    *value = value_null(type);
    if (!subquery_has_one_group(query))
        return NULL;
    AstExpr *empty = NULL;
    Expr *expr = NULL;
    const char *reason = NULL;
    Relation nothing = { .time_column = -1, .window = { .start = -1, .end = -1, .time = -1 } };
    TRY(ast_map(binder->arena, query->items.items[item].expr, empty_aggregate, binder->arena, &empty));
    Error *error = binder_expr(binder, &nothing, empty, &expr);
    if (!error)
        error = binder_cast(binder->arena, expr, type, &expr);
    if (!error && expr_evaluate_constant(binder->arena, expr, value, &reason))
        return NULL;
    error_free(error);
    return binder_unsupported(query->items.items[item].at, "a sub-query whose value over no rows is not known beforehand");
}

/* ---- the node ---- */

/* Does the node give rows only when the job has ended, though its inputs may have ended before? */
static bool waits_for_end(const LogicalNode *node)
{
    if (node->traits.clocks)
        return true; /* keys end with the job */
    switch (node->kind) {
    case PLAN_SCAN: case PLAN_VALUES: case PLAN_WATERMARK: case PLAN_FILTER: case PLAN_PROJECT: case PLAN_LOOKUP: case PLAN_WINDOW_ASSIGN:
    case PLAN_UNNEST: case PLAN_UNION: case PLAN_LIMIT: case PLAN_CANDIDATES:
        return false;
    case PLAN_NORMALIZE: return node->normalize.at_end;
    case PLAN_AGGREGATE: return node->aggregate.trigger != TRIGGER_CHANGES;
    case PLAN_WINDOW_AGGREGATE: case PLAN_SESSION_AGGREGATE: return node->aggregate.window.processing_time || node->aggregate.trigger == TRIGGER_DELAY;
    case PLAN_SET: return node->set.trigger == TRIGGER_END;
    case PLAN_JOIN: return node->join.padding == PADDING_AT_END && (node->join.sides[0].preserved || node->join.sides[1].preserved);
    case PLAN_SUBQUERY: return node->subquery.until_end;
    default: return true;
    }
}

static bool any_waits_for_end(Arena *arena, PlanInput rows)
{
    NodeList nodes = { 0 };
    logical_order(arena, &rows, 1, &nodes);
    for (int i = 0; i < nodes.count; i++)
        if (waits_for_end(nodes.items[i]))
            return true;
    return false;
}

/* Columns of the outer rows, and what is computed behind them for the node. */
typedef struct Outer {
    Arena *arena;
    Expr **exprs; Column *columns; int count;
    bool computed;
} Outer;

static int outer_column(Outer *outer, Expr *expr)
{
    if (expr->kind == EXPR_COLUMN)
        return expr->column;
    outer->exprs[outer->count] = expr;
    outer->columns[outer->count] = (Column){ .name = arena_printf(outer->arena, "$asked%d", outer->count), .hidden = true };
    outer->computed = true;
    return outer->count++;
}

/* Both sides of an equality in their common type. */
static Error *same_type(Arena *arena, Expr **outer, Expr **inner, Span at)
{
    const Type *type = type_common(arena, (*outer)->type, (*inner)->type);
    if (!type || type_is_numeric((*outer)->type) != type_is_numeric((*inner)->type))
        if ((*outer)->type->kind != TYPE_NULL && (*inner)->type->kind != TYPE_NULL)
            return error_at(ERR_BIND, at, "cannot compare %s with %s of the sub-query", type_text(arena, (*outer)->type), type_text(arena, (*inner)->type));
    if (type->kind == TYPE_NULL)
        type = type_scalar(TYPE_VARCHAR);
    TRY(expr_coerce(arena, *outer, type, outer));
    return expr_coerce(arena, *inner, type, inner);
}

/* Columns that stand behind those of the input until a window function's rows are assigned. */
static int virtual_columns(const Relation *relation) { return relation->pending ? 3 : 0; }

static void finish_relation(Subqueries *subs, LogicalNode *node, int *column)
{
    Block *block = subs->block;
    Arena *arena = block->binder->arena;
    Relation *relation = subs->relation;
    int before = relation->schema.column_count, more = virtual_columns(relation), count = node->schema.column_count;
    Schema schema = { count + more, ARENA_ARRAY(arena, Column, count + more + 1) };
    for (int i = 0; i < count; i++)
        schema.columns[i] = i < before - more ? relation->schema.columns[i] : node->schema.columns[i];
    for (int i = 0; i < more; i++)
        schema.columns[count + i] = relation->schema.columns[before - more + i];
    *column = count - 1;
    relation->input = main_port(own_clocks_again(arena, node, relation->time_column, binder_policy(block->binder)));
    relation->schema = schema;
    if (node->subquery.changes) { /* an answer may change long after its row's time */
        relation->time_column = -1;
        relation->window = (WindowColumns){ .start = -1, .end = -1, .time = -1 };
    }
    if (more && relation == &block->from) { /* the window's columns are elsewhere now */
        Schema *names = ARENA_NEW(arena, Schema);
        *names = schema;
        block->parts.items[0].schema = names;
    }
}

/* For EXPLAIN. */
static const char *answer_name(Arena *arena, const AstExpr *ast)
{
    if (ast->kind == AST_IN_QUERY)
        return arena_printf(arena, "%s IN (SELECT ..)", ast_text(arena, ast->left));
    return ast->kind == AST_EXISTS ? "EXISTS (SELECT ..)" : "(SELECT ..)";
}

static Error *build(Subqueries *subs, const AstExpr *ast, const Correlation *correlation, const AstQuery *query, const Relation *rows, int *column)
{
    Block *block = subs->block;
    Binder *binder = block->binder;
    Arena *arena = binder->arena;
    Relation *relation = subs->relation;
    int keys = correlation->pairs.count, asked_values = asked_count(ast), port = relation->schema.column_count - virtual_columns(relation), visible = 0;
    SubqueryKind kind = ast->kind == AST_EXISTS ? SUBQUERY_EXISTS : ast->kind == AST_IN_QUERY ? SUBQUERY_IN : SUBQUERY_SCALAR;
    Outer outer = { arena, ARENA_ARRAY(arena, Expr *, port + keys + asked_values + 2), ARENA_ARRAY(arena, Column, port + keys + asked_values + 2), port, false };
    for (int i = 0; i < port; i++) {
        outer.exprs[i] = binder_column(arena, &relation->schema, i, ast->at);
        outer.columns[i] = relation->schema.columns[i];
    }
    int *places = ARENA_ARRAY(arena, int, rows->schema.column_count + 1);
    for (int i = 0; i < rows->schema.column_count; i++)
        if (!rows->schema.columns[i].hidden)
            places[visible++] = i;
    if (kind != SUBQUERY_EXISTS && visible != keys + asked_values && asked_values > 1)
        return error_at(ERR_BIND, query->at, "the sub-query gives %d columns, %d are asked for", visible - keys, asked_values);
    if (kind != SUBQUERY_EXISTS && visible != keys + asked_values)
        return error_at(ERR_BIND, query->at, "the sub-query gives %d columns, one is needed", visible - keys);
    int tied = keys;
    if (asked_values > 1) { /* is there a row that equals it? */
        kind = SUBQUERY_EXISTS;
        keys += asked_values;
    }
    int width = keys + (kind != SUBQUERY_EXISTS), *asked = ARENA_ARRAY(arena, int, keys + 1), value = -1;
    Expr **exprs = ARENA_ARRAY(arena, Expr *, width + 1);
    Column *columns = ARENA_ARRAY(arena, Column, width + 1);
    for (int i = 0; i < width; i++) {
        exprs[i] = binder_column(arena, &rows->schema, places[i], ast->at);
        columns[i] = (Column){ .name = arena_printf(arena, i < keys ? "$key%d" : "$value", i + 1) };
    }
    for (int i = 0; i < keys; i++) {
        Expr *expr = NULL;
        const AstExpr *outside = i < tied ? correlation->pairs.items[i].outer : ast->left->args.items[i - tied];
        TRY(outer_expr(subs->block, subs->relation, outside, &expr));
        TRY(same_type(arena, &expr, &exprs[i], i < tied ? correlation->pairs.items[i].inner->at : outside->at));
        asked[i] = outer_column(&outer, expr);
    }
    if (kind == SUBQUERY_IN) {
        Expr *expr = NULL;
        TRY(block_expr(block, relation, ast->left, &expr));
        TRY(same_type(arena, &expr, &exprs[keys], ast->left->at));
        value = outer_column(&outer, expr);
    }
    PlanInput inputs[2] = { relation->input, main_port(binder_project(binder, rows, exprs, columns, width, ast->at)) };
    if (outer.computed)
        inputs[0] = main_port(binder_project(binder, relation, outer.exprs, outer.columns, outer.count, ast->at));
    LogicalNode *node = logical_node(arena, PLAN_SUBQUERY, ast->at, 2, inputs);
    EdgeTraits outside = port_traits(arena, inputs[0]), inside = port_traits(arena, inputs[1]);
    node->subquery.kind = kind;
    node->subquery.keys = asked;
    node->subquery.key_count = keys;
    node->subquery.value = value;
    node->subquery.on_error = binder_policy(binder);
    node->subquery.changes = !inside.bounded;
    node->subquery.until_end = inside.bounded && any_waits_for_end(arena, inputs[1]);
    const Type *type = kind == SUBQUERY_SCALAR ? exprs[keys]->type : type_scalar(TYPE_BOOLEAN);
    if (kind == SUBQUERY_SCALAR)
        TRY(subquery_missing(binder, ast->query, 0, type, &node->subquery.missing));
    if (node->subquery.changes && relation == &block->from && (relation->pending || block->window))
        return error_hint(binder_unsupported(ast->at, "a sub-query over a stream that does not end, below a window"), "its answer may change when the window has closed");
    if (node->subquery.until_end && !outside.bounded)
        return error_hint(error_at(ERR_BIND, ast->at, "the sub-query's result is known at the end only, and the outer rows do not end"), "leave out ORDER BY, LIMIT and EMIT FINAL");
    node->schema = (Schema){ outer.count + 1, ARENA_ARRAY(arena, Column, outer.count + 1) };
    for (int i = 0; i < outer.count; i++) {
        node->schema.columns[i] = outer.columns[i];
        node->schema.columns[i].type = outer.exprs[i]->type;
    }
    node->schema.columns[outer.count] = (Column){ .name = answer_name(arena, ast), .type = type, .hidden = true };
    logical_derive(arena, node);
    finish_relation(subs, node, column);
    return NULL;
}

enum { NESTED_MAX = 64 };

static Error *plan_subquery(Subqueries *subs, const AstExpr *ast, int *column)
{
    Binder *binder = subs->block->binder;
    if (binder->subquery_depth >= NESTED_MAX)
        return error_at(ERR_BIND, ast->at, "sub-queries in expressions are nested more than %d deep", NESTED_MAX);
    AstQuery inner = *ast->query;
    Correlation correlation;
    Relation rows;
    TRY(correlate(subs->block, subs->relation, &inner, 0, &correlation));
    TRY(decorrelate(ast, &correlation, &inner));
    if (correlation.pairs.count == 0 && !inner.limit && !inner.offset)
        inner.order_by.count = 0; /* which row comes first is nobody's question */
    binder->subquery_depth++;
    Error *error = bind_query(binder, &inner, (QueryContext){ 0 }, &rows);
    binder->subquery_depth--;
    if (error)
        return error;
    if (rows.pending)
        TRY(bind_window_assign(binder, &rows));
    return build(subs, ast, &correlation, &inner, &rows, column);
}

/* ---- expressions ---- */

static void find_conditions(Subqueries *subs, AstExpr *expr)
{
    if (expr && expr->kind == AST_BINARY && (expr->op == OP_AND || expr->op == OP_OR)) {
        find_conditions(subs, expr->left);
        find_conditions(subs, expr->right);
    } else if (expr && expr->kind == AST_IN_QUERY && !expr->negated) {
        LIST_ADD(subs->block->binder->arena, &subs->conditions, expr);
    }
}

/* Is it enough to know the rows for which the test is TRUE? */
static bool is_condition(const Subqueries *subs, const AstExpr *ast)
{
    for (int i = 0; i < subs->conditions.count; i++)
        if (subs->conditions.items[i] == ast)
            return true;
    return false;
}

static Error *replace(void *context, const AstExpr *ast, AstExpr **replacement);

/* The largest or smallest of the inner side, compared: (SELECT MAX(inner) ..) op outer */
static AstExpr *extreme(Arena *arena, const AstExpr *ast, const Correlation *correlation, const char *aggregate)
{
    AstQuery *query = arena_copy(arena, ast->query, sizeof *query);
    AstExpr *call = ARENA_NEW(arena, AstExpr), *value = ARENA_NEW(arena, AstExpr), *test = ARENA_NEW(arena, AstExpr);
    Span at = correlation->inner_side->at;
    *call = (AstExpr){ .kind = AST_CALL, .at = at, .op_at = at };
    LIST_ADD(arena, &call->path, ((AstName){ aggregate, false, at }));
    LIST_ADD(arena, &call->args, correlation->inner_side);
    AstExprs kept = { 0 };
    ast_conjuncts(arena, query->where, &kept);
    int count = 0;
    for (int i = 0; i < kept.count; i++)
        if (kept.items[i] != correlation->comparison)
            kept.items[count++] = kept.items[i];
    kept.count = count;
    query->where = ast_conjunction(arena, &kept);
    query->limit = NULL;
    query->order_by.count = 0;
    query->distinct = false;
    memset(&query->items, 0, sizeof query->items);
    LIST_ADD(arena, &query->items, ((AstSelectItem){ .expr = call, .at = at }));
    *value = (AstExpr){ .kind = AST_SCALAR_QUERY, .at = ast->at, .op_at = ast->at, .query = query };
    *test = (AstExpr){ .kind = AST_BINARY, .op = correlation->op, .at = ast->at, .op_at = ast->at, .left = value, .right = correlation->outer_side };
    return test;
}

/* EXISTS of rows that are larger, smaller or other than something of the outer row: it is enough to look at the largest and the smallest. */
static Error *exists_by_comparison(Subqueries *subs, const AstExpr *ast, AstExpr **replacement)
{
    Arena *arena = subs->block->binder->arena;
    Correlation correlation;
    bool nested = ast_any(ast->query->where, is_subquery);
    if (!ast_any(ast->query->where, ast_is_comparison))
        return NULL;
    TRY(correlate(subs->block, subs->relation, ast->query, CORRELATE_COMPARISON | CORRELATE_CONDITIONS | CORRELATE_ITEMS, &correlation));
    if (!correlation.comparison || correlation.both.count || (correlation.op == OP_NOT_EQUAL && nested) || block_aggregates(ast->query) || ast->query->qualify || ast->query->offset)
        return NULL;
    bool largest = correlation.op == OP_GREATER || correlation.op == OP_GREATER_EQUAL;
    AstExpr *test = extreme(arena, ast, &correlation, largest ? "max" : "min");
    if (correlation.op == OP_NOT_EQUAL) {
        AstExpr *either = ARENA_NEW(arena, AstExpr);
        *either = (AstExpr){ .kind = AST_BINARY, .op = OP_OR, .at = ast->at, .op_at = ast->at, .left = test, .right = extreme(arena, ast, &correlation, "max") };
        test = either;
    }
    AstExpr *known = ARENA_NEW(arena, AstExpr); /* no row, or NULLs: it does not exist */
    *known = (AstExpr){ .kind = AST_IS, .is = IS_TRUE, .negated = ast->negated, .at = ast->at, .op_at = ast->at, .left = test };
    return ast_map(arena, known, replace, subs, replacement);
}

/* The IN without what ties its sub-query to the outer row: the inner sides are selected besides, the outer ones are *ties. */
static Error *untie(Subqueries *subs, const AstExpr *ast, AstExpr **alone, AstExprs *ties)
{
    Arena *arena = subs->block->binder->arena;
    AstQuery *query = arena_copy(arena, ast->query, sizeof *query);
    Correlation correlation;
    TRY(correlate(subs->block, subs->relation, query, 0, &correlation));
    *alone = arena_copy(arena, ast, sizeof *ast);
    if (correlation.pairs.count == 0)
        return NULL;
    if (query->limit || query->offset || query->qualify || block_aggregates(query))
        return error_hint(binder_unsupported(ast->at, "IN of several columns under NOT, or as a value, whose sub-query groups or limits and names columns of the outer query,"),
                          "[NOT] EXISTS (SELECT .. WHERE inner = outer AND ..)");
    query->where = ast_conjunction(arena, &correlation.kept);
    query->items.items = arena_copy(arena, query->items.items, sizeof *query->items.items * (size_t)query->items.count);
    query->items.capacity = query->items.count;
    for (int i = 0; i < correlation.pairs.count; i++) {
        const Pair *pair = &correlation.pairs.items[i];
        LIST_ADD(arena, &query->items, ((AstSelectItem){ .expr = pair->inner, .alias = { arena_printf(arena, "$tie%d", i), true, pair->inner->at }, .at = pair->inner->at }));
        LIST_ADD(arena, ties, pair->outer);
    }
    (*alone)->query = query;
    return NULL;
}

static Error *replace(void *context, const AstExpr *ast, AstExpr **replacement)
{
    Subqueries *subs = context;
    Arena *arena = subs->block->binder->arena;
    if (is_aggregate_call(ast) && subs->inside_aggregates && subs->depth == 0) {
        AstExpr *copy = arena_copy(arena, ast, sizeof *ast);
        Error *error = NULL;
        subs->depth++;
        copy->args.items = ARENA_ARRAY(arena, AstExpr *, ast->args.count + 1);
        for (int i = 0; i < ast->args.count && !error; i++)
            error = ast_map(arena, ast->args.items[i], replace, subs, &copy->args.items[i]);
        if (!error)
            error = ast_map(arena, ast->filter, replace, subs, &copy->filter);
        subs->depth--;
        *replacement = copy;
        return error;
    }
    if (!is_subquery(ast) || (subs->inside_aggregates && subs->depth == 0))
        return NULL;
    if (ast->kind == AST_QUANTIFIED && !subs->known_only) {
        AstExpr *test = NULL;
        TRY(quantified_comparison(subs->block, subs->relation, ast, &test));
        return ast_map(arena, test, replace, subs, replacement);
    }
    if (ast->kind == AST_EXISTS && !subs->known_only) {
        TRY(exists_by_comparison(subs, ast, replacement));
        if (*replacement)
            return NULL;
    }
    if (!subs->known_only) {
        AstExpr *by_list = NULL;
        TRY(subquery_by_list(subs->block, subs->relation, ast, NULL, NULL, &by_list));
        if (by_list)
            return ast_map(arena, by_list, replace, subs, replacement);
    }
    if (asked_count(ast) > 1 && !subs->known_only && !is_condition(subs, ast)) {
        AstExpr *tests = NULL, *alone = NULL;
        AstExprs ties = { 0 };
        TRY(untie(subs, ast, &alone, &ties));
        TRY(row_in_query(arena, alone, &ties, &tests));
        return ast_map(arena, tests, replace, subs, replacement);
    }
    const char *text = ast_text(arena, ast);
    int column = -1;
    for (int i = 0; i < subs->done.count; i++)
        if (strcmp(subs->done.items[i].text, text) == 0)
            column = subs->done.items[i].column;
    if (column < 0 && subs->known_only)
        return NULL;
    if (column < 0) {
        TRY(plan_subquery(subs, ast, &column));
        LIST_ADD(arena, &subs->done, ((typeof(*subs->done.items)){ text, column }));
    }
    AstExpr *marker = ast_marker(arena, column, ast->at);
    *replacement = marker;
    if (ast->negated) {
        AstExpr *negation = ARENA_NEW(arena, AstExpr);
        *negation = (AstExpr){ .kind = AST_UNARY, .op = OP_NOT, .at = ast->at, .op_at = ast->at, .left = marker };
        *replacement = negation;
    }
    return NULL;
}

Error *bind_subqueries(Block *block, AstExpr **exprs, int expr_count, bool inside_aggregates, Relation *relation)
{
    Subqueries subs = { .block = block, .relation = relation, .inside_aggregates = inside_aggregates };
    if (expr_count == 1)
        find_conditions(&subs, exprs[0]);
    for (int i = 0; i < expr_count; i++)
        if (ast_any(exprs[i], is_subquery))
            TRY(ast_map(block->binder->arena, exprs[i], replace, &subs, &exprs[i]));
    return NULL;
}

/* The selected expression that a GROUP BY item means by number or alias; -1: none. */
static int grouped_item(const AstQuery *query, const AstExpr *group)
{
    if (group->kind == AST_LITERAL && group->value.type->kind != TYPE_NULL && type_is_integer(group->value.type))
        return group->value.integer >= 1 && group->value.integer <= query->items.count ? (int)group->value.integer - 1 : -1;
    for (int i = 0; i < query->items.count && group->kind == AST_NAME && group->path.count == 1; i++)
        if (query->items.items[i].alias.text && name_equal(query->items.items[i].alias.text, group->path.items[0].text))
            return i;
    return -1;
}

Error *bind_group_subqueries(Block *block, AstExpr **exprs, int expr_count)
{
    Arena *arena = block->binder->arena;
    const AstQuery *query = block->query;
    AstQuery *copy = arena_copy(arena, query, sizeof *query);
    Subqueries subs = { .block = block, .relation = &block->from };
    copy->group_by.items = ARENA_ARRAY(arena, AstExpr *, query->group_by.count + 1);
    copy->group_by.capacity = query->group_by.count + 1;
    copy->items.items = arena_copy(arena, query->items.items, sizeof *query->items.items * (size_t)query->items.count);
    copy->items.capacity = query->items.count + 1;
    for (int i = 0; i < query->group_by.count; i++) {
        AstExpr *group = query->group_by.items[i];
        int item = grouped_item(query, group);
        TRY(ast_map(arena, group, replace, &subs, &copy->group_by.items[i]));
        if (item >= 0 && !ast_any(query->items.items[item].expr, is_aggregate_call))
            TRY(ast_map(arena, query->items.items[item].expr, replace, &subs, &copy->items.items[item].expr));
    }
    if (query->grouping_sets.count)
        copy->grouping_sets.items = arena_copy(arena, query->grouping_sets.items, sizeof *query->grouping_sets.items * (size_t)query->grouping_sets.count);
    for (int s = 0; s < query->grouping_sets.count; s++) {
        AstExprs *set = &copy->grouping_sets.items[s];
        set->items = ARENA_ARRAY(arena, AstExpr *, set->count + 1);
        for (int i = 0; i < set->count; i++) /* what GROUPING(..) names, too */
            TRY(ast_map(arena, query->grouping_sets.items[s].items[i], replace, &subs, &set->items[i]));
    }
    if (subs.done.count == 0)
        return NULL;
    subs.known_only = true;
    for (int i = 0; i < expr_count; i++)
        if (exprs[i])
            TRY(ast_map(arena, exprs[i], replace, &subs, &exprs[i]));
    block->query = copy;
    return NULL;
}
