/* planner/fold_lambda.c: lambdas over constant collections, worked off while planning, an element at a time: INSERT .. VALUES, DEFAULT and the
 * like may use them. What fails or is large stays as it is. */
#include "planner/expr.h"

#define FOLDED_MAX 1000

/* A copy of a lambda's body with its parameters replaced by constants. */
static Expr *with_constants(Arena *arena, const Expr *expr, int slot, int count, const Value *values)
{
    if (expr->kind == EXPR_PARAMETER && expr->slot >= slot && expr->slot < slot + count)
        return expr_constant(arena, &values[expr->slot - slot], expr->at);
    Expr *copy = arena_copy(arena, expr, sizeof *expr);
    copy->args = ARENA_ARRAY(arena, Expr *, (size_t)expr->arg_count + 1);
    for (int i = 0; i < expr->arg_count; i++) {
        const Expr *arg = expr->args[i];
        bool hides = arg->kind == EXPR_LAMBDA && arg->slot < slot + count && arg->slot + arg->parameter_count > slot;
        copy->args[i] = hides ? expr_copy(arena, arg) : with_constants(arena, arg, slot, count, values);
    }
    return copy;
}

static bool compute(Arena *arena, const Expr *lambda, const Value *values, Value *result)
{
    const Expr *body = expr_fold(arena, with_constants(arena, lambda->args[0], lambda->slot, lambda->parameter_count, values));
    if (body->kind != EXPR_CONSTANT)
        return false;
    *result = body->value;
    return true;
}

static bool is_true(const Value *value) { return !value->is_null && value->integer; }

/* ANY, ALL: three values. */
static void decide(LambdaForm form, const Value *one, Value *all)
{
    bool decides = form == LAMBDA_ANY;
    if (!one->is_null && (one->integer != 0) == decides)
        *all = *one;
    else if (one->is_null && (all->is_null || (all->integer != 0) != decides))
        *all = value_null(one->type);
}

static bool add_pair(Value *made, uint32_t count, const Value *key)
{
    for (uint32_t i = 0; i < count; i += 2)
        if (value_equal(&made[i], key))
            return false;
    return !key->is_null;
}

static bool apply(Arena *arena, const Expr *expr, Value *result)
{
    LambdaForm form = expr->function->lambda;
    const Value *list = &expr->args[0]->value;
    uint32_t step = list->type->kind == TYPE_MAP ? 2 : 1, made_count = 0;
    Value *made = ARENA_ARRAY(arena, Value, list->nested.count + 2);
    Value state = form == LAMBDA_REDUCE ? expr->args[1]->value : (Value){ .type = expr->type, .integer = form == LAMBDA_ALL };
    for (uint32_t at = 0; at < list->nested.count; at += step) {
        const Value *element = &list->nested.items[at];
        Value values[3] = { state, element[0], element[step - 1] }, one = { .type = NULL };
        const Expr *lambda = expr->args[form == LAMBDA_REDUCE ? 2 : 1];
        if (!compute(arena, lambda, values + (form != LAMBDA_REDUCE), &one))
            return false;
        if (form == LAMBDA_REDUCE) {
            state = one;
        } else if (form == LAMBDA_ANY || form == LAMBDA_ALL) {
            decide(form, &one, &state);
        } else if (form == LAMBDA_FILTER) {
            for (uint32_t i = 0; i < step && is_true(&one); i++)
                made[made_count++] = element[i];
        } else {
            if (step == 2 && !add_pair(made, made_count, &one))
                return false;
            made[made_count++] = one;
            if (step == 2 && !compute(arena, expr->args[2], element, &made[made_count++]))
                return false;
        }
    }
    *result = state;
    if (form == LAMBDA_FILTER || form == LAMBDA_TRANSFORM)
        *result = (Value){ .type = expr->type, .nested = { made, made_count } };
    return true;
}

Expr *fold_apply(Arena *arena, Expr *expr)
{
    const Expr *list = expr->args[0], *state = expr->args[1];
    Value result;
    bool reduces = expr->function->lambda == LAMBDA_REDUCE;
    if (list->kind != EXPR_CONSTANT || (reduces && state->kind != EXPR_CONSTANT) || expr_max_column(expr) >= 0 || expr_is_volatile(expr))
        return expr;
    if (list->value.is_null) {
        result = reduces ? state->value : value_null(expr->type);
        return expr_constant(arena, &result, expr->at);
    }
    if (list->value.nested.count > FOLDED_MAX || !apply(arena, expr, &result))
        return expr;
    return expr_constant(arena, &result, expr->at);
}
