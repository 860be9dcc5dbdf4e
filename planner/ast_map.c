/* planner/ast_map.c: walking and copying expression trees. */
#include "planner/ast_map.h"
#include "parser/parser.h"

#include <stdlib.h>

typedef struct Lambda {
    const AstNames *parameters;
    const struct Lambda *outer;
} Lambda;

static bool is_parameter(const Lambda *lambda, const AstExpr *expr)
{
    if (expr->kind != AST_NAME || expr->path.count == 0)
        return false;
    for (; lambda; lambda = lambda->outer)
        for (int i = 0; i < lambda->parameters->count; i++)
            if (name_equal(lambda->parameters->items[i].text, expr->path.items[0].text))
                return true;
    return false;
}

static Error *map(Arena *arena, const AstExpr *expr, AstReplacer *replace, void *context, const Lambda *lambda, AstExpr **result);

static Error *map_list(Arena *arena, const AstExprs *list, AstReplacer *replace, void *context, const Lambda *lambda, AstExprs *copy)
{
    *copy = *list;
    copy->items = ARENA_ARRAY(arena, AstExpr *, list->count + 1);
    copy->capacity = list->count + 1;
    for (int i = 0; i < list->count; i++)
        TRY(map(arena, list->items[i], replace, context, lambda, &copy->items[i]));
    return NULL;
}

static Error *map_order(Arena *arena, const AstOrder *order, AstReplacer *replace, void *context, const Lambda *lambda, AstOrder *copy)
{
    *copy = *order;
    copy->items = ARENA_ARRAY(arena, AstOrderItem, order->count + 1);
    copy->capacity = order->count + 1;
    for (int i = 0; i < order->count; i++) {
        copy->items[i] = order->items[i];
        TRY(map(arena, order->items[i].expr, replace, context, lambda, &copy->items[i].expr));
    }
    return NULL;
}

static Error *map(Arena *arena, const AstExpr *expr, AstReplacer *replace, void *context, const Lambda *lambda, AstExpr **result)
{
    *result = NULL;
    if (!expr)
        return NULL;
    if (!is_parameter(lambda, expr)) {
        TRY(replace(context, expr, result));
        if (*result)
            return NULL;
    }
    AstExpr *copy = arena_copy(arena, expr, sizeof *expr);
    Lambda inner = { &expr->path, lambda };
    if (expr->kind == AST_LAMBDA)
        lambda = &inner;
    TRY(map(arena, expr->left, replace, context, lambda, &copy->left));
    TRY(map(arena, expr->right, replace, context, lambda, &copy->right));
    TRY(map_list(arena, &expr->args, replace, context, lambda, &copy->args));
    TRY(map(arena, expr->filter, replace, context, lambda, &copy->filter));
    TRY(map_order(arena, &expr->within_order, replace, context, lambda, &copy->within_order));
    if (expr->over) {
        copy->over = arena_copy(arena, expr->over, sizeof *expr->over);
        TRY(map_list(arena, &expr->over->partition_by, replace, context, lambda, &copy->over->partition_by));
        TRY(map_order(arena, &expr->over->order_by, replace, context, lambda, &copy->over->order_by));
    }
    *result = copy;
    return NULL;
}

Error *ast_map(Arena *arena, const AstExpr *expr, AstReplacer *replace, void *context, AstExpr **result)
{
    return map(arena, expr, replace, context, NULL, result);
}

static bool any_in_order(const AstOrder *order, bool (*test)(const AstExpr *expr))
{
    for (int i = 0; i < order->count; i++)
        if (ast_any(order->items[i].expr, test))
            return true;
    return false;
}

bool ast_any(const AstExpr *expr, bool (*test)(const AstExpr *expr))
{
    if (!expr)
        return false;
    if (test(expr) || ast_any(expr->left, test) || ast_any(expr->right, test) || ast_any(expr->filter, test))
        return true;
    for (int i = 0; i < expr->args.count; i++)
        if (ast_any(expr->args.items[i], test))
            return true;
    if (any_in_order(&expr->within_order, test))
        return true;
    if (expr->over) {
        for (int i = 0; i < expr->over->partition_by.count; i++)
            if (ast_any(expr->over->partition_by.items[i], test))
                return true;
        return any_in_order(&expr->over->order_by, test);
    }
    return false;
}

AstExpr *ast_marker(Arena *arena, int column, Span at)
{
    AstExpr *expr = ARENA_NEW(arena, AstExpr);
    expr->kind = AST_NAME;
    expr->at = expr->op_at = at;
    AstName alias = { MARKER_ALIAS, true, at }, name = { arena_printf(arena, "$%d", column), true, at };
    LIST_ADD(arena, &expr->path, alias);
    LIST_ADD(arena, &expr->path, name);
    return expr;
}

bool ast_is_marker(const AstExpr *expr, int *column)
{
    const bool is = expr->kind == AST_NAME && expr->path.count == 2 && strcmp(expr->path.items[0].text, MARKER_ALIAS) == 0;
    if (is && column)
        *column = atoi(expr->path.items[1].text + 1);
    return is;
}

const char *ast_call_name(const AstExpr *expr)
{
    if (!expr || expr->kind != AST_CALL || expr->path.count == 0)
        return NULL;
    return expr->path.items[expr->path.count - 1].text;
}

bool ast_is_user_call(const AstExpr *expr)
{
    return expr->kind == AST_CALL && expr->path.count == 2 && !expr->path.items[0].quoted &&
           (name_equal(expr->path.items[0].text, "udf") || name_equal(expr->path.items[0].text, "uda"));
}

const AstName *ast_user_name(const AstExpr *expr)
{
    bool one = expr->kind == AST_CALL && expr->path.count == 1;
    return one || ast_is_user_call(expr) ? &expr->path.items[expr->path.count - 1] : NULL;
}

void ast_conjuncts(Arena *arena, const AstExpr *expr, AstExprs *conjuncts)
{
    if (!expr)
        return;
    if (expr->kind == AST_BINARY && expr->op == OP_AND) {
        ast_conjuncts(arena, expr->left, conjuncts);
        ast_conjuncts(arena, expr->right, conjuncts);
        return;
    }
    LIST_ADD(arena, conjuncts, (AstExpr *)expr);
}

const char *ast_text(Arena *arena, const AstExpr *expr)
{
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    ast_print_expr(expr, &text);
    const char *copy = arena_strdup(arena, text_c(&text));
    text_release(&text);
    return copy;
}
