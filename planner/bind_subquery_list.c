/* planner/bind_subquery_list.c: sub-queries that compare columns of the outer query otherwise than for equality.
 *
 * What equality ties to the outer row is kept as a list: (SELECT ARRAY_AGG(STRUCT(..)) .. WHERE inner = outer), a record of what is asked about for each
 * row. The other conditions are tested on the records, beside the outer row: EXISTS is ANY_MATCH, aggregates are functions of the list that is left. It
 * costs the rows of a key for each outer row, as the question does. */
#include "planner/ast_map.h"
#include "planner/bind_correlation.h"
#include "planner/expr.h"

#define ROW "$row"

typedef struct ListQuery {
    Arena *arena;
    Block *block;
    const Relation *relation;
    const AstExpr *ast;
    Correlation correlation;
    AstExprs fields;        /* names of the sub-query that the records hold */
    AstExprs conditions;    /* of a record, beside the outer row */
    AstExpr *records;       /* the list */
} ListQuery;

/* ---- trees ---- */

static AstExpr *node(const ListQuery *list, AstExprKind kind, Span at)
{
    AstExpr *expr = ARENA_NEW(list->arena, AstExpr);
    *expr = (AstExpr){ .kind = kind, .at = at, .op_at = at };
    return expr;
}

static AstExpr *call(const ListQuery *list, const char *name, AstExpr *first, AstExpr *second)
{
    AstExpr *expr = node(list, AST_CALL, first->at);
    LIST_ADD(list->arena, &expr->path, ((AstName){ name, false, first->at }));
    LIST_ADD(list->arena, &expr->args, first);
    if (second)
        LIST_ADD(list->arena, &expr->args, second);
    return expr;
}

static AstExpr *binary(const ListQuery *list, AstOperator op, AstExpr *left, AstExpr *right)
{
    AstExpr *expr = node(list, AST_BINARY, left->at);
    expr->op = op;
    expr->left = left;
    expr->right = right;
    return expr;
}

static AstExpr *is(const ListQuery *list, AstExpr *value, AstIsKind kind, bool negated)
{
    AstExpr *expr = node(list, AST_IS, value->at);
    expr->is = kind;
    expr->left = value;
    expr->negated = negated;
    return expr;
}

static AstExpr *literal(const ListQuery *list, Value value)
{
    AstExpr *expr = node(list, AST_LITERAL, list->ast->at);
    expr->value = value;
    return expr;
}

static AstExpr *number(const ListQuery *list, int64_t value) { return literal(list, (Value){ .type = type_scalar(TYPE_BIGINT), .integer = value }); }
static AstExpr *truth(const ListQuery *list, bool value) { return literal(list, (Value){ .type = type_scalar(TYPE_BOOLEAN), .integer = value }); }

/* $row => body */
static AstExpr *of_row(const ListQuery *list, AstExpr *body)
{
    AstExpr *lambda = node(list, AST_LAMBDA, body->at);
    LIST_ADD(list->arena, &lambda->path, ((AstName){ ROW, true, body->at }));
    lambda->right = body;
    return lambda;
}

/* CASE WHEN test THEN value [ELSE otherwise] END */
static AstExpr *choice(const ListQuery *list, AstExpr *test, AstExpr *value, AstExpr *otherwise)
{
    AstExpr *expr = node(list, AST_CASE, value->at);
    LIST_ADD(list->arena, &expr->args, test);
    LIST_ADD(list->arena, &expr->args, value);
    expr->right = otherwise;
    return expr;
}

/* The value of the first row of its order: the list is in that order. */
static bool is_first(const AstExpr *ast) { return ast->kind == AST_SCALAR_QUERY && ast->query->limit && !block_aggregates(ast->query); }

/* ---- records ---- */

static char *field_name(const ListQuery *list, int field) { return arena_printf(list->arena, "c%d", field); }

/* Names of the sub-query become fields of the record; what is of the outer row means that. */
static Error *take_name(void *context, const AstExpr *ast, AstExpr **replacement)
{
    ListQuery *list = context;
    if (correlation_is_outer(&list->correlation, ast))
        return outer_ast(list->block, list->relation, ast, replacement);
    if (ast->kind != AST_NAME)
        return NULL;
    const char *text = ast_text(list->arena, ast);
    int field = 0;
    while (field < list->fields.count && strcmp(ast_text(list->arena, list->fields.items[field]), text) != 0)
        field++;
    if (field == list->fields.count)
        LIST_ADD(list->arena, &list->fields, (AstExpr *)ast);
    AstExpr *name = node(list, AST_NAME, ast->at);
    LIST_ADD(list->arena, &name->path, ((AstName){ ROW, true, ast->at }));
    LIST_ADD(list->arena, &name->path, ((AstName){ field_name(list, field), true, ast->at }));
    *replacement = name;
    return NULL;
}

static Error *take_condition(ListQuery *list, const AstExpr *ast)
{
    AstExpr *condition = NULL;
    TRY(ast_map(list->arena, ast, take_name, list, &condition));
    LIST_ADD(list->arena, &list->conditions, condition);
    return NULL;
}

/* The records for which the conditions, and `more`, hold. */
static AstExpr *matching(const ListQuery *list, AstExpr *more)
{
    AstExprs conditions = { 0 };
    for (int i = 0; i < list->conditions.count; i++)
        LIST_ADD(list->arena, &conditions, list->conditions.items[i]);
    if (more)
        LIST_ADD(list->arena, &conditions, more);
    return conditions.count ? call(list, "filter", list->records, of_row(list, ast_conjunction(list->arena, &conditions))) : list->records;
}

/* The query of the list, once all its fields are known. */
static void finish_records(ListQuery *list, const AstExprs *kept)
{
    const AstQuery *written = list->ast->query;
    AstQuery *query = ARENA_NEW(list->arena, AstQuery);
    *query = (AstQuery){ .kind = AST_SELECT, .at = written->at, .from = written->from, .timestamp_by = written->timestamp_by, .timestamp_over = written->timestamp_over };
    query->where = ast_conjunction(list->arena, kept);
    AstExpr *record = node(list, AST_STRUCT, written->at);
    if (list->fields.count == 0) /* they are only counted */
        LIST_ADD(list->arena, &list->fields, number(list, 1));
    for (int i = 0; i < list->fields.count; i++) {
        LIST_ADD(list->arena, &record->path, ((AstName){ field_name(list, i), true, written->at }));
        LIST_ADD(list->arena, &record->args, list->fields.items[i]);
    }
    AstExpr *all = call(list, "array_agg", record, NULL);
    for (int i = 0; i < written->order_by.count && is_first(list->ast); i++) {
        LIST_ADD(list->arena, &all->within_order, written->order_by.items[i]);
        all->within_order.items[i].expr = correlation_numbered_item(written, written->order_by.items[i].expr);
    }
    LIST_ADD(list->arena, &query->items, ((AstSelectItem){ .expr = all, .at = written->at }));
    list->records->query = query;
}

/* ---- aggregates ---- */

static AstExpr *count_of(const ListQuery *list, AstExpr *records)
{
    return call(list, "coalesce", call(list, "array_length", records, NULL), number(list, 0));
}

static Error *unsupported(const AstExpr *call)
{
    return error_hint(binder_unsupported(call->at, "this aggregate in a sub-query that compares columns of the outer query otherwise than for equality"),
                      "COUNT, SUM, MIN and MAX can be there, and AVG of what is no DECIMAL");
}

/* The type of what is added, whose names are the sub-query's and the outer row's. */
static Error *type_of(const ListQuery *list, const AstExpr *ast, const Type **type)
{
    const Block *inner = &list->correlation.inner;
    const Schema *first = &inner->from.schema, *second = &list->block->from.schema;
    const int width = first->column_count + second->column_count;
    Relation both = { .schema = { width, ARENA_ARRAY(list->arena, Column, width + 1) }, .time_column = -1 };
    ScopeRelation *parts = ARENA_ARRAY(list->arena, ScopeRelation, inner->parts.count + list->block->parts.count + 1);
    Expr *bound = NULL;
    for (int i = 0; i < width; i++)
        both.schema.columns[i] = i < first->column_count ? first->columns[i] : second->columns[i - first->column_count];
    for (int p = 0; p < inner->parts.count + list->block->parts.count; p++) {
        parts[p] = p < inner->parts.count ? inner->parts.items[p] : list->block->parts.items[p - inner->parts.count];
        parts[p].base += p < inner->parts.count ? 0 : first->column_count;
    }
    const bool alone = correlation_is_inner((Correlation *)&list->correlation, ast);
    TRY(binder_scope_expr(list->block->binder, &both, parts, alone ? inner->parts.count : inner->parts.count + list->block->parts.count, ast, &bound));
    *type = bound->type;
    return NULL;
}

static bool is_average(const AstExpr *call) { return name_equal(ast_call_name(call), "avg"); }

/* Folded with +, in the type of a SUM, and divided if it is an average; NULL if there is nothing to add. */
static Error *sum_of(ListQuery *list, const AstExpr *written, AstExpr *value, AstExpr *known, AstExpr **result)
{
    AstExpr *arg = written->args.items[0], *lambda = node(list, AST_LAMBDA, written->at), *state = node(list, AST_NAME, written->at);
    const Type *types[1], *casts[1], *type = NULL;
    TRY(type_of(list, arg, &types[0]));
    if (!aggregate_resolve(list->arena, "sum", types, 1, &type, casts, NULL))
        return error_at(ERR_BIND, written->at, "SUM does not take %s", type_text(list->arena, types[0]));
    LIST_ADD(list->arena, &state->path, ((AstName){ "$sum", true, written->at }));
    LIST_ADD(list->arena, &lambda->path, ((AstName){ "$sum", true, written->at }));
    LIST_ADD(list->arena, &lambda->path, ((AstName){ ROW, true, written->at }));
    lambda->right = binary(list, OP_ADD, state, value);
    Value zero = { .type = type };
    AstExpr *fold = call(list, "reduce", matching(list, known), literal(list, zero));
    LIST_ADD(list->arena, &fold->args, lambda);
    AstExpr *count = count_of(list, matching(list, known));
    if (is_average(written) && types[0]->kind == TYPE_DECIMAL)
        return unsupported(written);
    if (is_average(written) && !(type_is_integer(types[0]) && binder_rules(list->block->binder)->integer_average))
        fold = binary(list, OP_ADD, fold, literal(list, (Value){ .type = type_scalar(TYPE_DOUBLE) })); /* not the quotient of integers */
    if (is_average(written))
        fold = binary(list, OP_DIVIDE, fold, count);
    *result = choice(list, binary(list, OP_GREATER, count, number(list, 0)), fold, NULL);
    return NULL;
}

static Error *take_aggregate(void *context, const AstExpr *ast, AstExpr **replacement)
{
    ListQuery *list = context;
    if (!is_aggregate_call(ast))
        return correlation_is_outer(&list->correlation, ast) ? outer_ast(list->block, list->relation, ast, replacement) : NULL;
    const char *name = ast_call_name(ast);
    const bool counts = name_equal(name, "count"), sums = name_equal(name, "sum") || is_average(ast), least = name_equal(name, "min"), most = name_equal(name, "max");
    if (!(counts || sums || least || most) || ast->distinct || ast->filter || ast->over || ast->within_order.count || ast->args.count > 1)
        return unsupported(ast);
    if (ast->args.count == 0) {
        *replacement = count_of(list, matching(list, NULL));
        return NULL;
    }
    AstExpr *value = NULL;
    TRY(ast_map(list->arena, ast->args.items[0], take_name, list, &value));
    AstExpr *known = is(list, value, IS_NULL, true);
    if (sums)
        return sum_of(list, ast, value, known, replacement);
    if (counts)
        *replacement = count_of(list, matching(list, known));
    else
        *replacement = call(list, least ? "array_min" : "array_max", call(list, "transform", matching(list, NULL), of_row(list, value)), NULL);
    return NULL;
}

/* ---- the sub-query ---- */

static bool is_over(const AstExpr *expr) { return expr->kind == AST_CALL && expr->over; }
static bool is_no_value(const AstExpr *expr) { return is_over(expr) || is_table_call(expr) || expr->kind == AST_STAR; }

static bool is_limit(const AstExpr *limit, int64_t least, int64_t most)
{
    return limit->kind == AST_LITERAL && type_is_integer(limit->value.type) && limit->value.integer >= least && limit->value.integer <= most;
}


static bool fits(const AstExpr *ast)
{
    const AstQuery *query = ast->query;
    if (query->kind != AST_SELECT || !query->from || query->ctes.count || query->offset || query->qualify || query->window.kind || query->having || query->group_by.count ||
        query->group_kind != AST_GROUP_PLAIN || query->grouping_sets.count || query->allowed_lateness.given)
        return false;
    if (ast->kind == AST_EXISTS)
        return !block_aggregates(query) && (!query->limit || is_limit(query->limit, 1, INT64_MAX));
    if (query->limit && !(is_first(ast) && is_limit(query->limit, 1, 1)))
        return false;
    if (query->items.count != 1 || ast_any(query->items.items[0].expr, is_no_value) || ast_any(query->items.items[0].expr, is_subquery))
        return false;
    if (block_aggregates(query))
        return ast->kind == AST_SCALAR_QUERY;
    return !query->distinct && (ast->kind == AST_SCALAR_QUERY || !ast_is_row(ast->left));
}

static Error *answer(ListQuery *list, AstExpr **result)
{
    const AstExpr *ast = list->ast;
    AstExpr *item = ast->query->items.items[0].expr, *value = NULL;
    if (ast->kind == AST_EXISTS) {
        AstExpr *any = call(list, "any_match", list->records, of_row(list, list->conditions.count ? ast_conjunction(list->arena, &list->conditions) : truth(list, true)));
        *result = is(list, any, IS_TRUE, ast->negated);
        return NULL;
    }
    if (block_aggregates(ast->query))
        return ast_map(list->arena, item, take_aggregate, list, result);
    TRY(ast_map(list->arena, item, take_name, list, &value));
    if (ast->kind == AST_SCALAR_QUERY) {
        AstExpr *values = call(list, "transform", matching(list, NULL), of_row(list, value));
        *result = is_first(ast) ? node(list, AST_SUBSCRIPT, ast->at) : call(list, "element", values, NULL);
        if (is_first(ast)) {
            (*result)->left = values;
            (*result)->right = number(list, 1);
        }
        return NULL;
    }
    AstExpr *asked = NULL;
    TRY(outer_ast(list->block, list->relation, ast->left, &asked));
    AstExpr *any = call(list, "any_match", matching(list, NULL), of_row(list, binary(list, OP_EQUAL, value, asked)));
    *result = choice(list, is(list, list->records, IS_NULL, false), truth(list, false), any);
    if (ast->negated) {
        AstExpr *whole = *result;
        *result = node(list, AST_UNARY, ast->at);
        (*result)->op = OP_NOT;
        (*result)->left = whole;
    }
    return NULL;
}

Error *subquery_by_list(Block *block, Relation *relation, const AstExpr *ast, KeptPair *keeps, void *context, AstExpr **result)
{
    ListQuery list = { .arena = block->binder->arena, .block = block, .relation = relation, .ast = ast };
    *result = NULL;
    if (!fits(ast))
        return NULL;
    TRY(correlate(block, relation, ast->query, CORRELATE_CONDITIONS | CORRELATE_ITEMS, &list.correlation));
    Correlation *correlation = &list.correlation;
    const bool items = ast->kind != AST_EXISTS && correlation_names_outer(correlation, ast->query->items.items[0].expr);
    if (!keeps && !correlation->both.count && !items)
        return NULL;
    AstExprs kept = { 0 };
    for (int i = 0; i < correlation->kept.count; i++)
        LIST_ADD(list.arena, &kept, correlation->kept.items[i]);
    for (int i = 0; i < correlation->pairs.count; i++) {
        const Pair *pair = &correlation->pairs.items[i];
        AstExpr *equal = binary(&list, OP_EQUAL, pair->inner, pair->outer);
        bool keep = true;
        if (keeps)
            TRY(keeps(context, pair->outer, &keep));
        if (keep)
            LIST_ADD(list.arena, &kept, equal);
        else
            TRY(take_condition(&list, equal));
    }
    for (int i = 0; i < correlation->both.count; i++)
        TRY(take_condition(&list, correlation->both.items[i]));
    list.records = node(&list, AST_SCALAR_QUERY, ast->at);
    TRY(answer(&list, result));
    finish_records(&list, &kept);
    return NULL;
}
