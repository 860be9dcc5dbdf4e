/* planner/bind_lambda.c: calls of functions that take lambdas.
 *
 * The collection's type says what the parameters are; the body is then bound as any expression, with the parameters in front of the
 * columns. Names of parameters end here: behind the binder they are slots, counted from the outermost lambda, so that an expression without
 * free parameters can be moved anywhere. */
#include "planner/bind_expression.h"

/* ---- parameters ---- */

static int find_parameter(const LambdaScope *lambda, const char *name)
{
    for (int pass = 0; pass < 2; pass++) /* exact first */
        for (int i = 0; i < lambda->names->count; i++)
            if (pass ? name_equal(lambda->names->items[i].text, name) : strcmp(lambda->names->items[i].text, name) == 0)
                return i;
    return -1;
}

Error *bind_parameter(BindContext *context, const AstExpr *ast, Expr **result)
{
    const AstNames *path = &ast->path;
    for (const LambdaScope *lambda = context->lambda; lambda; lambda = lambda->outer) {
        int found = find_parameter(lambda, path->items[0].text);
        if (found < 0)
            continue;
        Expr *expr = ARENA_NEW(context->arena, Expr);
        *expr = (Expr){ .kind = EXPR_PARAMETER, .type = lambda->types[found], .at = ast->at, .slot = lambda->slot + found, .name = lambda->names->items[found].text };
        *result = expr;
        for (int i = 1; i < path->count; i++)
            TRY(bind_field(context, *result, path->items[i].text, path->items[i].at, ast->at, result));
        return NULL;
    }
    return NULL;
}

Error *unknown_parameter(BindContext *context, const AstName *name)
{
    struct { const char **items; int count, capacity; } names = { 0 };
    for (const LambdaScope *lambda = context->lambda; lambda; lambda = lambda->outer)
        for (int i = 0; i < lambda->names->count; i++)
            LIST_ADD(context->arena, &names, lambda->names->items[i].text);
    return error_suggest(error_at(ERR_BIND, name->at, "no parameter '%s'", name->text), name->text, names.items, names.count);
}

/* ---- lambdas ---- */

static Error *check_parameters(const AstExpr *ast, const char *function, const char *const wanted[], int count)
{
    for (int i = 0; i < ast->path.count; i++)
        for (int j = 0; j < i; j++)
            if (strcmp(ast->path.items[i].text, ast->path.items[j].text) == 0)
                return error_at(ERR_BIND, ast->path.items[i].at, "a second parameter '%s'", ast->path.items[i].text);
    if (ast->path.count == count)
        return NULL;
    Error *error = error_at(ERR_BIND, ast->at, "the lambda of %s has %d parameter%s here, not %d", function, count, count == 1 ? "" : "s", ast->path.count);
    if (count == 1)
        return error_hint(error, "x => ..");
    return count == 2 ? error_hint(error, "(%s, %s) => ..", wanted[0], wanted[1]) : error_hint(error, "(%s, %s, %s) => ..", wanted[0], wanted[1], wanted[2]);
}

static Error *bind_lambda(BindContext *context, const AstExpr *ast, const Type *const types[], Expr **result)
{
    const LambdaScope *outer = context->lambda;
    LambdaScope scope = { &ast->path, types, outer ? outer->slot + outer->names->count : 0, outer };
    Expr *body;
    context->lambda = &scope;
    Error *error = bind_expression(context, ast->right, &body);
    context->lambda = outer;
    if (error)
        return error;
    Expr *expr = ARENA_NEW(context->arena, Expr);
    *expr = (Expr){ .kind = EXPR_LAMBDA, .type = body->type, .at = ast->at, .slot = scope.slot, .parameter_count = ast->path.count, .arg_count = 1 };
    const char **names = ARENA_ARRAY(context->arena, const char *, (size_t)ast->path.count);
    for (int i = 0; i < ast->path.count; i++)
        names[i] = ast->path.items[i].text;
    expr->parameters = names;
    expr->args = ARENA_ARRAY(context->arena, Expr *, 1);
    expr->args[0] = body;
    *result = expr;
    return NULL;
}

static Error *bind_test(BindContext *context, const AstExpr *ast, const char *function, const Type *const types[], Expr **result)
{
    TRY(bind_lambda(context, ast, types, result));
    TRY(bind_boolean(context, arena_printf(context->arena, "the lambda of %s", function), &(*result)->args[0]));
    (*result)->type = (*result)->args[0]->type;
    return NULL;
}

/* The state begins as what it is given and must be what the body gives. A body of another type widens it, which may widen the body again;
 * DECIMALs, which would go on doing so, get all the digits there are. */
static Error *bind_reduce(BindContext *context, const AstExpr *ast, const char *function, const Type **types, Expr **state, Expr **lambda)
{
    Arena *arena = context->arena;
    for (int round = 0;; round++) {
        TRY(bind_lambda(context, ast, types, lambda));
        const Type *made = (*lambda)->type, *common = type_common(arena, types[0], made);
        if (!common)
            return error_at(ERR_BIND, (*lambda)->args[0]->at, "the lambda of %s makes %s of a state that is %s", function, type_text(arena, made), type_text(arena, types[0]));
        if (round == 2 && common->kind == TYPE_DECIMAL)
            common = type_decimal(arena, 38, common->scale);
        bool settled = type_equal(common, types[0]) || round == 3;
        if (!settled)
            types[0] = common;
        TRY(expr_cast(arena, *state, types[0], false, (*state)->at, state));
        if (!settled)
            continue;
        TRY(expr_cast(arena, (*lambda)->args[0], types[0], false, (*lambda)->args[0]->at, &(*lambda)->args[0]));
        (*lambda)->type = types[0];
        return NULL;
    }
}

/* ---- calls ---- */

/* Arguments that are no lambdas, bound; lambdas have a type that only signatures know. */
static Error *bind_others(BindContext *context, const AstExpr *ast, Expr ***args)
{
    *args = ARENA_ARRAY(context->arena, Expr *, (size_t)ast->args.count + 1);
    for (int i = 0; i < ast->args.count; i++) {
        const AstExpr *arg = ast->args.items[i];
        if (arg->kind != AST_LAMBDA) {
            TRY(bind_expression(context, arg, &(*args)[i]));
            continue;
        }
        Expr *lambda = (*args)[i] = ARENA_NEW(context->arena, Expr);
        *lambda = (Expr){ .kind = EXPR_LAMBDA, .type = type_scalar(TYPE_LAMBDA), .at = arg->at };
    }
    return NULL;
}

Error *bind_apply(BindContext *context, const AstExpr *ast, Expr **result)
{
    Arena *arena = context->arena;
    const char *name = ast->path.items[0].text;
    Expr **args;
    TRY(bind_others(context, ast, &args));
    TRY(expr_call(arena, name, ast->at, ast->args.count, args, result));
    Expr *apply = *result;
    LambdaForm form = apply->function->lambda;
    int first = form == LAMBDA_REDUCE ? 2 : 1, state = first - 1;
    const Type *collection = apply->args[0]->type, *types[3];
    const char *wanted[3] = { "s", "x" };
    bool is_map = collection->kind == TYPE_MAP;
    types[0] = apply->args[state]->type; /* REDUCE; else an element comes first */
    types[state] = collection->children[0];
    if (is_map) {
        types[state + 1] = collection->children[1];
        wanted[state] = "k";
        wanted[state + 1] = "v";
    }
    apply->kind = EXPR_APPLY;
    for (int i = first; i < apply->arg_count; i++) {
        const AstExpr *lambda = ast->args.items[i];
        if (lambda->kind != AST_LAMBDA)
            return error_hint(error_at(ERR_BIND, lambda->at, "%s needs a lambda here", name), is_map ? "(k, v) => .." : "x => ..");
        TRY(check_parameters(lambda, name, wanted, state + 1 + is_map));
        if (form == LAMBDA_REDUCE)
            TRY(bind_reduce(context, lambda, name, types, &apply->args[1], &apply->args[i]));
        else if (form == LAMBDA_TRANSFORM)
            TRY(bind_lambda(context, lambda, types, &apply->args[i]));
        else
            TRY(bind_test(context, lambda, name, types, &apply->args[i]));
    }
    if (form == LAMBDA_FILTER)
        apply->type = collection;
    else if (form == LAMBDA_REDUCE)
        apply->type = types[0];
    else if (form == LAMBDA_TRANSFORM)
        apply->type = is_map ? type_map(arena, apply->args[1]->type, apply->args[2]->type) : type_array(arena, apply->args[1]->type);
    *result = fold_apply(arena, apply);
    return NULL;
}
