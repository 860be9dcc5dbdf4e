/* planner/bind_aggregate_call.c: which aggregate a call names, and what it gets: columns, and literals that are known now. */
#include "planner/binder.h"
#include "planner/ast_map.h"
#include "planner/bind_json.h"
#include "planner/expr.h"

bool is_aggregate_name(const char *name) { return aggregate_exists(name) || name_equal(name, "count_distinct"); }

static Error *no_such_call(Arena *arena, const AstExpr *ast, const char *name, const Type *const types[], int count)
{
    const char *text = "";
    for (int i = 0; i < count; i++)
        text = arena_printf(arena, "%s%s%s", text, i ? ", " : "", type_text(arena, types[i]));
    return error_at(ERR_BIND, ast->at, "%s does not take (%s)", name, text);
}

/* 1 - share: percentiles in descending order. */
static AstExpr *rest_of(Arena *arena, AstExpr *share)
{
    AstExpr *one = ARENA_NEW(arena, AstExpr), *rest = ARENA_NEW(arena, AstExpr);
    *one = (AstExpr){ .kind = AST_LITERAL, .at = share->at, .value = { .type = type_scalar(TYPE_BIGINT), .integer = 1 } };
    *rest = (AstExpr){ .kind = AST_BINARY, .op = OP_SUBTRACT, .at = share->at, .op_at = share->at, .left = one, .right = share };
    return rest;
}

static AstExpr *call_of(Arena *arena, const char *name, AstExpr *first, AstExpr *second)
{
    AstExpr *call = ARENA_NEW(arena, AstExpr);
    *call = (AstExpr){ .kind = AST_CALL, .at = first->at, .op_at = first->at };
    LIST_ADD(arena, &call->path, ((AstName){ name, false, first->at }));
    LIST_ADD(arena, &call->args, first);
    if (second)
        LIST_ADD(arena, &call->args, second);
    return call;
}

static AstExpr *text_of(Arena *arena, AstExpr *expr)
{
    AstExpr *cast = ARENA_NEW(arena, AstExpr);
    AstType *type = ARENA_NEW(arena, AstType);
    *type = (AstType){ .at = expr->at, .name = { "STRING", false, expr->at }, .precision = -1, .scale = -1 };
    *cast = (AstExpr){ .kind = AST_CAST, .at = expr->at, .op_at = expr->at, .left = expr, .type = type };
    return cast;
}

/* What the aggregate keeps of a row is JSON already, or a member of an object; NULL: nothing. */
static Error *json_argument(Arena *arena, const AstExpr *ast, AstExpr **result)
{
    const bool object = ast_call_name(ast)[5] == 'o' || ast_call_name(ast)[5] == 'O';
    const AstJsonNulls said = ast->json ? ast->json->on_null : AST_JSON_NULLS_NOT_SAID;
    const bool absent = object ? said == AST_JSON_ABSENT_ON_NULL : said != AST_JSON_NULL_ON_NULL;
    if (ast->args.count != (object ? 2 : 1))
        return error_hint(error_at(ERR_BIND, ast->at, "%s takes %s", ast_call_name(ast), object ? "a key and a value" : "one value"), object ? "JSON_OBJECTAGG(KEY k VALUE v)" : "JSON_ARRAYAGG(v)");
    AstExpr *value = ast->args.items[ast->args.count - 1];
    AstExpr *json = ast_gives_json(value) ? value : call_of(arena, absent ? "json_string" : "to_json_string", value, NULL);
    *result = json;
    if (object) {
        AstExpr *key = call_of(arena, "json_quote", text_of(arena, ast->args.items[0]), NULL), *colon = ARENA_NEW(arena, AstExpr), *named = ARENA_NEW(arena, AstExpr), *member = ARENA_NEW(arena, AstExpr);
        *colon = (AstExpr){ .kind = AST_LITERAL, .at = ast->at, .value = { .type = type_scalar(TYPE_VARCHAR), .text = str_c(":") } };
        *named = (AstExpr){ .kind = AST_BINARY, .op = OP_CONCAT, .at = ast->at, .op_at = ast->at, .left = key, .right = colon };
        *member = (AstExpr){ .kind = AST_BINARY, .op = OP_CONCAT, .at = ast->at, .op_at = ast->at, .left = named, .right = json };
        *result = member;
    }
    return NULL;
}

/* The arguments as the function's row has them: F(p) WITHIN GROUP (ORDER BY x) is F(x, p). */
static Error *list_arguments(Arena *arena, const AstExpr *ast, const char *name, AstExprs *list)
{
    if (ast->within_order.count) {
        const AstOrderItem *item = &ast->within_order.items[0];
        if (!name_equal(name, "percentile_disc") && !name_equal(name, "percentile_cont"))
            return error_at(ERR_BIND, ast->at, "ORDER BY means nothing to %s", name);
        if (ast->within_order.count > 1)
            return error_at(ERR_BIND, ast->within_order.items[1].at, "%s is of one expression", name);
        LIST_ADD(arena, list, item->expr);
    }
    if (name_equal(name, "json_arrayagg") || name_equal(name, "json_objectagg")) {
        AstExpr *json = NULL;
        TRY(json_argument(arena, ast, &json));
        LIST_ADD(arena, list, json);
        return NULL;
    }
    bool from_above = ast->within_order.count && ast->within_order.items[0].descending && name_equal(name, "percentile_cont");
    for (int i = 0; i < ast->args.count; i++)
        LIST_ADD(arena, list, from_above ? rest_of(arena, ast->args.items[i]) : ast->args.items[i]);
    return NULL;
}

static Error *take_literals(Arena *arena, const AstExprs *list, const char *name, AggregateCallArgs *call)
{
    const AggregateFunction *function = call->function;
    int first = call->arg_count - function->constants;
    call->constants = ARENA_ARRAY(arena, Value, function->constants + 1);
    for (int i = first; i < call->arg_count; i++) {
        const char *reason = NULL;
        Span at = list->items[i]->at;
        if (!expr_evaluate_constant(arena, call->args[i], &call->constants[i - first], &reason))
            return error_at(ERR_BIND, at, "argument %d of %s must be a literal%s%s", i + 1, name, reason ? ": " : "", reason ? reason : "");
        if (call->constants[i - first].is_null)
            return error_at(ERR_BIND, at, "argument %d of %s must not be NULL", i + 1, name);
    }
    call->arg_count = first;
    call->constant_count = function->constants;
    const char *reason = function->refuse ? function->refuse(call->constants, call->constant_count) : NULL;
    return reason ? error_at(ERR_BIND, list->items[first]->at, "%s", reason) : NULL;
}

static Error *resolve_call(Arena *arena, const AstExpr *ast, const char *name, const AstExprs *list, const Type *const types[], AggregateCallArgs *call)
{
    const Type *casts[FUNCTION_MAX_ARGS] = { NULL };
    const bool tuples = call->distinct && name_equal(name, "count"); /* COUNT(DISTINCT a, b): of those without a NULL */
    const int count = tuples && list->count ? 1 : list->count;
    call->function = aggregate_resolve(arena, name, types, count, &call->type, casts, NULL);
    if (!call->function)
        return no_such_call(arena, ast, ast_call_name(ast), types, list->count);
    for (int i = 0; i < count; i++)
        if (casts[i])
            TRY(binder_cast(arena, call->args[i], casts[i], &call->args[i]));
    return take_literals(arena, list, ast_call_name(ast), call);
}

const AstExpr *aggregate_filter(Arena *arena, const AstExpr *ast)
{
    if (!ast->ignore_nulls || ast->args.count == 0)
        return ast->filter;
    AstExpr *there = ARENA_NEW(arena, AstExpr), *both = ARENA_NEW(arena, AstExpr);
    *there = (AstExpr){ .kind = AST_IS, .is = IS_NULL, .negated = true, .at = ast->at, .op_at = ast->at, .left = ast->args.items[0] };
    *both = (AstExpr){ .kind = AST_BINARY, .op = OP_AND, .at = ast->at, .op_at = ast->at, .left = ast->filter, .right = there };
    return ast->filter ? both : there;
}

Error *aggregate_call_args(Binder *binder, const AstExpr *ast, BindArgument bind, void *context, AggregateCallArgs *call)
{
    Arena *arena = binder->arena;
    const char *name = ast_call_name(ast);
    const Type *types[FUNCTION_MAX_ARGS];
    AstExprs list = { 0 };
    *call = (AggregateCallArgs){ .distinct = ast->distinct };
    TRY(list_arguments(arena, ast, name, &list));
    if (list.count > FUNCTION_MAX_ARGS)
        return error_at(ERR_BIND, ast->at, "%s takes at most %d arguments", name, FUNCTION_MAX_ARGS);
    for (int i = 0; i < list.count; i++) {
        TRY(bind(context, list.items[i], &call->args[i]));
        call->names[i] = ast_text(arena, list.items[i]);
        types[i] = call->args[i]->type;
    }
    call->arg_count = list.count;
    const char *row_name = name;
    if (name_equal(name, "count_distinct") && list.count == 1) { /* COUNT(DISTINCT x) */
        row_name = "count";
        call->distinct = true;
    }
    TRY(ast->user_aggregate ? bind_user_aggregate(binder, ast, call) : resolve_call(arena, ast, row_name, &list, types, call));
    if (!ast->user_aggregate && binder_rules(binder)->dialect == DIALECT_KSQL && name_equal(name, "stddev_samp"))
        call->function = &ksql_stddev_samp;
    if (!ast->user_aggregate && binder_rules(binder)->java_functions && name_equal(call->function->name, "collect_list"))
        call->function = &ksql_collect_list;
    if (!ast->user_aggregate && binder_rules(binder)->narrow_sums && name_equal(name, "sum") && call->args[0]->type->kind == TYPE_DECIMAL)
        call->type = call->args[0]->type;
    if (name_equal(name, "percentile_disc") && ast->within_order.count && ast->within_order.items[0].descending)
        call->function = &percentile_disc_from_above;
    if (call->distinct && call->arg_count == 0)
        return error_at(ERR_BIND, ast->at, "DISTINCT needs an argument");
    call->limit = settings_list_limit(binder->settings, call->function->limit_setting);
    return NULL;
}
