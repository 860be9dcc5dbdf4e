/* planner/bind_json.c: SQL's functions on JSON with their clauses, as calls of plain functions.
 *
 *   JSON_VALUE(j, p RETURNING T DEFAULT d ON EMPTY DEFAULT e ON ERROR)
 *     CASE json_state(j, p, value) WHEN empty THEN d WHEN error THEN e ELSE TRY_CAST(json_value(j, p) AS T) END
 *   JSON_OBJECT(k VALUE v)  json_object(k, to_json_string(v)), v as it is where it is JSON already */
#include "planner/bind_json.h"

enum { STATE_FOUND, STATE_EMPTY, STATE_ERROR };                             /* of json_state */
enum { ASKED_VALUE, ASKED_QUERY, ASKED_WRAPPED, ASKED_EXISTS };             /* its third argument */

static const char *call_name(const AstExpr *ast) { return ast->kind == AST_CALL && ast->path.count == 1 ? ast->path.items[0].text : ""; }

bool ast_is_json_call(const AstExpr *ast)
{
    const char *name = call_name(ast);
    return ast->json || name_equal(name, "json_object") || name_equal(name, "json_array");
}

bool ast_gives_json(const AstExpr *ast)
{
    static const char *const names[] = { "json_object", "json_array", "json", "json_objectagg", "json_arrayagg", NULL };
    for (int i = 0; names[i]; i++)
        if (name_equal(call_name(ast), names[i]))
            return true;
    return false;
}

static Expr *integer(BindContext *context, int64_t value, Span at)
{
    return expr_constant(context->arena, &(Value){ .type = type_scalar(TYPE_BIGINT), .integer = value }, at);
}

static Error *text_of(BindContext *context, Expr *value, Span at, Expr **result)
{
    *result = value;
    return value->type->kind == TYPE_VARCHAR ? NULL : expr_cast(context->arena, value, type_scalar(TYPE_VARCHAR), false, at, result);
}

/* ---- making JSON ---- */

/* The value as JSON; where NULLs are absent, a NULL stays one. */
static Error *bind_json_item(BindContext *context, const AstExpr *ast, bool absent, Expr **result)
{
    Expr *value, *choice[2];
    TRY(bind_expression(context, ast, &value));
    if (ast_gives_json(ast))
        choice[1] = value;
    else
        TRY(bind_function(context, "json_string", ast->at, 1, &value, &choice[1]));
    *result = choice[1];
    if (absent)
        return NULL;
    choice[0] = choice[1];
    choice[1] = expr_constant(context->arena, &(Value){ .type = type_scalar(TYPE_VARCHAR), .text = str_c("null") }, ast->at);
    Expr **args = arena_copy(context->arena, choice, sizeof choice);
    *result = expr_choice(context->arena, EXPR_COALESCE, type_scalar(TYPE_VARCHAR), args, 2, ast->at);
    return NULL;
}

static Error *empty_text(BindContext *context, const char *text, Span at, Expr **result)
{
    *result = expr_constant(context->arena, &(Value){ .type = type_scalar(TYPE_VARCHAR), .text = str_c(text) }, at);
    return NULL;
}

static Error *misplaced(const AstExpr *ast, const char *what, const char *hint)
{
    return error_hint(error_at(ERR_BIND, ast->at, "%s is not for %s", what, call_name(ast)), "%s", hint);
}

static Error *check_maker(const AstExpr *ast)
{
    const AstJson *json = ast->json;
    if (json && (json->returning || json->wrapper || json->on_empty || json->on_error))
        return misplaced(ast, "RETURNING, WRAPPER, ON EMPTY or ON ERROR", "NULL ON NULL or ABSENT ON NULL");
    return NULL;
}

static Error *bind_object(BindContext *context, const AstExpr *ast, Expr **result)
{
    const AstJson *json = ast->json;
    const int count = ast->args.count;
    if (count % 2)
        return error_hint(error_at(ERR_BIND, ast->at, "JSON_OBJECT takes keys and their values"), "JSON_OBJECT('id' VALUE id, 'name' VALUE name)");
    if (count == 0)
        return empty_text(context, "{}", ast->at, result);
    Expr **args = ARENA_ARRAY(context->arena, Expr *, (size_t)count);
    for (int i = 0; i < count; i += 2) {
        TRY(bind_expression(context, ast->args.items[i], &args[i]));
        TRY(text_of(context, args[i], ast->args.items[i]->at, &args[i]));
        TRY(bind_json_item(context, ast->args.items[i + 1], json && json->on_null == AST_JSON_ABSENT_ON_NULL, &args[i + 1]));
    }
    return bind_function(context, "json_object", ast->at, count, args, result);
}

static Error *bind_array(BindContext *context, const AstExpr *ast, Expr **result)
{
    const AstJson *json = ast->json;
    const int count = ast->args.count;
    if (count == 0)
        return empty_text(context, "[]", ast->at, result);
    Expr **args = ARENA_ARRAY(context->arena, Expr *, (size_t)count);
    for (int i = 0; i < count; i++)
        TRY(bind_json_item(context, ast->args.items[i], !json || json->on_null != AST_JSON_NULL_ON_NULL, &args[i]));
    return bind_function(context, "json_array", ast->at, count, args, result);
}

/* ---- looking into JSON ---- */

typedef struct PathCall {
    BindContext *context;
    const AstExpr *ast;
    Expr *json, *path;
    int64_t asked;
    const Type *type;      /* of the result */
    int default_at;        /* the argument that the next DEFAULT means */
} PathCall;

static Error *state(const PathCall *look, Expr **result)
{
    Arena *arena = look->context->arena;
    Expr *args[3] = { expr_copy(arena, look->json), expr_copy(arena, look->path), integer(look->context, look->asked, look->ast->at) };
    return bind_function(look->context, "json_state", look->ast->at, 3, args, result);
}

static Error *failing(const PathCall *look, int64_t which, Expr **result)
{
    Expr *number = integer(look->context, which, look->ast->at), *failure;
    TRY(expr_call(look->context->arena, "json_fail", look->ast->at, 1, &number, &failure));
    return expr_cast(look->context->arena, failure, look->type, false, look->ast->at, result);
}

static Error *truth(const PathCall *look, AstJsonBehavior behavior, Expr **result)
{
    Value value = { .type = type_scalar(TYPE_BOOLEAN), .integer = behavior == AST_JSON_TRUE, .is_null = behavior == AST_JSON_UNKNOWN };
    *result = expr_constant(look->context->arena, &value, look->ast->at);
    return NULL;
}

/* What stands in place of a value. */
static Error *behave(PathCall *look, AstJsonBehavior behavior, int64_t which, Expr **result)
{
    BindContext *context = look->context;
    const AstExpr *ast = look->ast;
    const bool exists = look->asked == ASKED_EXISTS, value = look->asked == ASKED_VALUE;
    const bool is_truth = behavior == AST_JSON_TRUE || behavior == AST_JSON_FALSE || behavior == AST_JSON_UNKNOWN;
    const bool is_empty = behavior == AST_JSON_EMPTY_ARRAY || behavior == AST_JSON_EMPTY_OBJECT;
    if (behavior == AST_JSON_ERROR)
        return failing(look, which, result);
    if (exists && !is_truth && behavior != AST_JSON_NOT_SAID)
        return misplaced(ast, "this ON ERROR", "TRUE, FALSE, UNKNOWN or ERROR ON ERROR");
    if (!exists && is_truth)
        return misplaced(ast, "TRUE, FALSE and UNKNOWN", value ? "NULL, ERROR or DEFAULT e ON EMPTY, ON ERROR" : "NULL, EMPTY ARRAY, EMPTY OBJECT or ERROR ON EMPTY, ON ERROR");
    if (value ? is_empty : behavior == AST_JSON_DEFAULT)
        return misplaced(ast, value ? "EMPTY" : "DEFAULT", value ? "NULL, ERROR or DEFAULT e ON EMPTY, ON ERROR" : "NULL, EMPTY ARRAY, EMPTY OBJECT or ERROR ON EMPTY, ON ERROR");
    if (exists)
        return truth(look, behavior == AST_JSON_NOT_SAID ? AST_JSON_FALSE : behavior, result);
    if (behavior == AST_JSON_DEFAULT) {
        const AstExpr *given = ast->args.items[look->default_at++];
        TRY(bind_expression(context, given, result));
        return expr_cast(context->arena, *result, look->type, false, given->at, result);
    }
    if (is_empty) {
        TRY(empty_text(context, behavior == AST_JSON_EMPTY_ARRAY ? "[]" : "{}", ast->at, result));
        if (look->type->kind == TYPE_ARRAY)
            TRY(bind_function(context, "json texts", ast->at, 1, result, result));
        return expr_cast(context->arena, *result, look->type, false, ast->at, result);
    }
    *result = expr_constant(context->arena, &(Value){ .type = look->type, .is_null = true }, ast->at);
    return NULL;
}

/* The value that is there, in the type that was asked for. */
static Error *found_value(const PathCall *look, Expr **result)
{
    BindContext *context = look->context;
    const AstJson *json = look->ast->json;
    const Span at = look->ast->at;
    Expr *args[3] = { look->json, look->path, NULL };
    if (look->asked == ASKED_EXISTS) /* it is there, unless the text is NULL */
        return bind_function(context, "json_exists", at, 2, args, result);
    if (look->asked == ASKED_WRAPPED)
        args[2] = integer(context, json->wrapper == AST_JSON_CONDITIONAL_WRAPPER ? 1 : 2, at);
    TRY(bind_function(context, look->asked == ASKED_VALUE ? "json_value" : args[2] ? "json_query wrapped" : "json_query", at, args[2] ? 3 : 2, args, result));
    if (look->asked != ASKED_VALUE && look->type->kind == TYPE_ARRAY)
        TRY(bind_function(context, "json texts", at, 1, result, result));
    if (!type_equal(look->type, (*result)->type))
        TRY(expr_cast(context->arena, *result, look->type, json->on_error != AST_JSON_ERROR, at, result));
    return NULL;
}

static Error *is_state(const PathCall *look, int64_t which, Expr **result)
{
    Expr *both[2];
    TRY(state(look, &both[0]));
    both[1] = integer(look->context, which, look->ast->at);
    return bind_function(look->context, "=", look->ast->at, 2, both, result);
}

/* A value that does not become the type is an error, too. */
static Error *misfit(const PathCall *look, const Expr *found, Expr **result)
{
    Arena *arena = look->context->arena;
    Expr *tests[2], *copy = expr_copy(arena, found), *isnt;
    TRY(bind_function(look->context, "is null", look->ast->at, 1, &copy, &isnt));
    TRY(is_state(look, STATE_FOUND, &tests[0]));
    tests[1] = isnt;
    *result = expr_logic(arena, EXPR_AND, tests, 2, look->ast->at);
    return NULL;
}

static Error *bind_lookup(BindContext *context, const AstExpr *ast, int64_t asked, Expr **result)
{
    const AstJson *json = ast->json;
    const int defaults = (json->on_empty == AST_JSON_DEFAULT) + (json->on_error == AST_JSON_DEFAULT);
    if (ast->args.count - defaults != 2 || json->pairs)
        return error_hint(error_at(ERR_BIND, ast->at, "%s takes a JSON text and a path", call_name(ast)), "%s(payload, '$.user.id')", call_name(ast));
    if (json->on_null || (json->wrapper && asked != ASKED_QUERY) || (json->returning && asked == ASKED_EXISTS) || (json->on_empty && asked == ASKED_EXISTS))
        return misplaced(ast, json->on_null ? "ON NULL" : json->wrapper ? "WRAPPER" : json->returning ? "RETURNING" : "ON EMPTY", "see DESCRIBE FUNCTION json_value, json_query, json_exists");
    if (json->wrapper > AST_JSON_WITHOUT_WRAPPER)
        asked = ASKED_WRAPPED;
    PathCall look = { .context = context, .ast = ast, .asked = asked, .default_at = 2, .type = type_scalar(asked == ASKED_EXISTS ? TYPE_BOOLEAN : TYPE_VARCHAR) };
    TRY(bind_expression(context, ast->args.items[0], &look.json));
    TRY(text_of(context, look.json, ast->args.items[0]->at, &look.json));
    TRY(bind_expression(context, ast->args.items[1], &look.path));
    if (json->returning)
        TRY(bind_type(context, json->returning, &look.type));
    Expr **cases = ARENA_ARRAY(context->arena, Expr *, 7);
    int count = 4;
    TRY(is_state(&look, STATE_EMPTY, &cases[0]));
    TRY(asked == ASKED_EXISTS ? truth(&look, AST_JSON_FALSE, &cases[1]) : behave(&look, json->on_empty, STATE_EMPTY, &cases[1]));
    TRY(is_state(&look, STATE_ERROR, &cases[2]));
    TRY(behave(&look, json->on_error, STATE_ERROR, &cases[3]));
    Expr *found;
    TRY(found_value(&look, &found));
    if (json->on_error == AST_JSON_DEFAULT && !type_equal(look.type, type_scalar(TYPE_VARCHAR))) {
        TRY(misfit(&look, found, &cases[4]));
        cases[5] = expr_copy(context->arena, cases[3]);
        count = 6;
    }
    cases[count++] = found;
    return bind_choice(context, cases, count, ast->at, result);
}

Error *bind_json_call(BindContext *context, const AstExpr *ast, Expr **result)
{
    const char *name = call_name(ast);
    const bool object = name_equal(name, "json_object"), array = name_equal(name, "json_array");
    if (object || array) {
        TRY(check_maker(ast));
        return object ? bind_object(context, ast, result) : bind_array(context, ast, result);
    }
    if (name_equal(name, "json_value"))
        return bind_lookup(context, ast, ASKED_VALUE, result);
    if (name_equal(name, "json_query"))
        return bind_lookup(context, ast, ASKED_QUERY, result);
    if (name_equal(name, "json_exists"))
        return bind_lookup(context, ast, ASKED_EXISTS, result);
    return error_at(ERR_BIND, ast->at, "%s is an aggregate and may not stand here", name);
}
