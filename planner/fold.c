/* planner/fold.c: computing constant expressions while planning.
 *
 * A call of constants is run once, over one row. What fails stays as it is (R13): it fails where and when the query evaluates it, if
 * it ever does. */
#include "planner/expr.h"

/* ---- one call ---- */

static bool call_constant(Arena *arena, const Expr *expr, Value *result, const char **reason)
{
    const ScalarFunction *function = expr->function;
    int count = expr->arg_count;
    if (function->is_volatile)
        return false;
    for (int i = 0; i < count; i++)
        if (!function->sees_nulls && expr->args[i]->value.is_null) {
            *result = value_null(expr->type);
            return true;
        }
    if (function->retypes) {
        *result = expr->args[0]->value;
        result->type = expr->type;
        return true;
    }
    const Value **constants = ARENA_ARRAY(arena, const Value *, (size_t)count + 1);
    const Vector **vectors = ARENA_ARRAY(arena, const Vector *, (size_t)count + 1);
    for (int i = 0; i < count; i++) {
        constants[i] = &expr->args[i]->value;
        vectors[i] = vector_constant(arena, constants[i]);
    }
    Evaluation evaluation = { .arena = arena };
    Args args = { .arg = vectors, .arg_count = count, .row_count = 1, .live = { 1, NULL }, .result_type = expr->type, .evaluation = &evaluation };
    Error *error = function->prepare ? function->prepare(arena, constants, count, &args.prepared) : NULL;
    Vector *out = vector_new(arena, expr->type, 1);
    if (!error)
        error = function->kernel(&args, out);
    if (error) {
        if (reason)
            *reason = arena_strdup(arena, error->message);
        error_free(error);
        return false;
    }
    if (evaluation.failure_count) {
        if (reason)
            *reason = evaluation.failures[0].reason;
        return false;
    }
    *result = vector_get(arena, out, 0);
    return true;
}

/* ---- trees ---- */

static Expr *with_args(Arena *arena, const Expr *expr, Expr **args, int count)
{
    Expr *copy = arena_copy(arena, expr, sizeof *expr);
    copy->args = args;
    copy->arg_count = count;
    return copy;
}

static bool is_boolean(const Expr *expr, bool value)
{
    return expr->kind == EXPR_CONSTANT && expr->type->kind == TYPE_BOOLEAN && !expr->value.is_null && (expr->value.integer != 0) == value;
}

/* Arguments that decide nothing go; one that decides ends the list, and is the result if nothing before it can fail. */
static Expr *fold_logic(Arena *arena, Expr *expr)
{
    bool decides = expr->kind == EXPR_OR, can_fail = false, changed = false;
    ExprList kept = { 0 };
    for (int i = 0; i < expr->arg_count; i++) {
        Expr *arg = expr->args[i];
        if (is_boolean(arg, !decides)) {
            changed = true;
            continue;
        }
        if (is_boolean(arg, decides)) {
            if (!can_fail)
                return expr_boolean(arena, decides, expr->at);
            LIST_ADD(arena, &kept, arg);
            changed |= i + 1 < expr->arg_count;
            break;
        }
        can_fail |= expr_can_fail(arg);
        LIST_ADD(arena, &kept, arg);
    }
    if (kept.count == 0)
        return expr_boolean(arena, !decides, expr->at);
    if (kept.count == 1)
        return kept.items[0];
    return changed ? with_args(arena, expr, kept.items, kept.count) : expr;
}

static bool never_true(const Expr *expr) { return expr->kind == EXPR_CONSTANT && (expr->value.is_null || !expr->value.integer); }

static Expr *fold_case(Arena *arena, Expr *expr)
{
    ExprList kept = { 0 };
    Expr *rest = expr->arg_count % 2 ? expr->args[expr->arg_count - 1] : NULL;
    bool changed = false;
    for (int i = 0; i + 1 < expr->arg_count; i += 2) {
        if (never_true(expr->args[i])) {
            changed = true;
            continue;
        }
        if (is_boolean(expr->args[i], true)) {
            rest = expr->args[i + 1];
            changed = true;
            break;
        }
        LIST_ADD(arena, &kept, expr->args[i]);
        LIST_ADD(arena, &kept, expr->args[i + 1]);
    }
    if (kept.count == 0) {
        Value null = value_null(expr->type);
        return rest ? rest : expr_constant(arena, &null, expr->at);
    }
    if (!changed)
        return expr;
    if (rest)
        LIST_ADD(arena, &kept, rest);
    return with_args(arena, expr, kept.items, kept.count);
}

static Expr *fold_coalesce(Arena *arena, Expr *expr)
{
    ExprList kept = { 0 };
    for (int i = 0; i < expr->arg_count; i++) {
        Expr *arg = expr->args[i];
        if (arg->kind == EXPR_CONSTANT && arg->value.is_null)
            continue;
        LIST_ADD(arena, &kept, arg);
        if (arg->kind == EXPR_CONSTANT)
            break;
    }
    if (kept.count == expr->arg_count)
        return expr;
    if (kept.count == 0)
        return expr->args[0];
    return kept.count == 1 ? kept.items[0] : with_args(arena, expr, kept.items, kept.count);
}

static Expr *fold_field(Arena *arena, Expr *expr)
{
    const Expr *whole = expr->args[0];
    if (whole->kind != EXPR_CONSTANT)
        return expr;
    Value value = whole->value.is_null ? value_null(expr->type) : whole->value.nested.items[expr->field];
    return expr_constant(arena, &value, expr->at);
}

static Expr *fold_call(Arena *arena, Expr *expr)
{
    Value value;
    for (int i = 0; i < expr->arg_count; i++)
        if (expr->args[i]->kind != EXPR_CONSTANT)
            return expr;
    return call_constant(arena, expr, &value, NULL) ? expr_constant(arena, &value, expr->at) : expr;
}

Expr *expr_fold(Arena *arena, Expr *expr)
{
    Expr **args = NULL;
    for (int i = 0; i < expr->arg_count; i++) {
        Expr *folded = expr_fold(arena, expr->args[i]);
        if (folded != expr->args[i] && !args)
            args = arena_copy(arena, expr->args, sizeof *args * (size_t)expr->arg_count);
        if (args)
            args[i] = folded;
    }
    if (args)
        expr = with_args(arena, expr, args, expr->arg_count);
    switch (expr->kind) {
    case EXPR_COLUMN:
    case EXPR_PARAMETER:
    case EXPR_LAMBDA:
    case EXPR_CONSTANT: return expr;
    case EXPR_APPLY: return fold_apply(arena, expr);
    case EXPR_CALL: return fold_call(arena, expr);
    case EXPR_AND:
    case EXPR_OR: return fold_logic(arena, expr);
    case EXPR_CASE: return fold_case(arena, expr);
    case EXPR_COALESCE: return fold_coalesce(arena, expr);
    case EXPR_FIELD: return fold_field(arena, expr);
    }
    return expr;
}

/* Why the folded remains of a constant expression are no constant: the first call of constants in it that fails. */
static void find_reason(Arena *arena, const Expr *expr, const char **reason)
{
    Value value;
    bool all = expr->kind == EXPR_CALL;
    for (int i = 0; i < expr->arg_count && !*reason; i++) {
        find_reason(arena, expr->args[i], reason);
        all &= expr->args[i]->kind == EXPR_CONSTANT;
    }
    if (all && !*reason)
        call_constant(arena, expr, &value, reason);
}

bool expr_evaluate_constant(Arena *arena, const Expr *expr, Value *value, const char **reason)
{
    const char *why = NULL;
    const Expr *folded = expr_is_constant(expr) ? expr_fold(arena, (Expr *)expr) : expr;
    if (folded->kind == EXPR_CONSTANT) {
        *value = folded->value;
        return true;
    }
    if (folded != expr || expr_is_constant(expr))
        find_reason(arena, folded, &why);
    if (reason)
        *reason = why;
    return false;
}
