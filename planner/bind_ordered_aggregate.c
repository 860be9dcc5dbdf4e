/* planner/bind_ordered_aggregate.c: aggregates over rows as records, and over values in an order:
 *
 *   Collect()                                     the rows of the group as records (ASA)
 *   ARRAY_AGG(x ORDER BY ..), LISTAGG(x, ', ') WITHIN GROUP (ORDER BY ..)
 *
 * TopOne and CollectTop are in bind_top.c. */
#include "planner/binder.h"
#include "planner/ast_map.h"
#include "planner/expr.h"

typedef enum OrderedKind { ORDERED_NONE, ORDERED_COLLECT, ORDERED_LIST, ORDERED_TEXT } OrderedKind;

static OrderedKind ordered_kind(const AstExpr *ast)
{
    const char *name = ast_call_name(ast);
    if (!name || ast->path.count != 1 || ast->over)
        return ORDERED_NONE;
    if (name_equal(name, "collect") && ast->args.count == 0)
        return ORDERED_COLLECT;
    if (!ast->within_order.count)
        return ORDERED_NONE;
    if (name_equal(name, "array_agg") || name_equal(name, "collect_list"))
        return ORDERED_LIST;
    return name_equal(name, "listagg") || name_equal(name, "string_agg") ? ORDERED_TEXT : ORDERED_NONE;
}

bool is_ordered_aggregate(const AstExpr *expr) { return ordered_kind(expr) != ORDERED_NONE; }

static Error *add_argument(BindArgument bind, void *context, Arena *arena, const AstExpr *ast, const char *name, AggregateCallArgs *call)
{
    if (call->arg_count == FUNCTION_MAX_ARGS)
        return error_at(ERR_BIND, ast->at, "at most %d expressions may stand in this ORDER BY", FUNCTION_MAX_ARGS - 1);
    call->names[call->arg_count] = name ? name : ast_text(arena, ast);
    return bind(context, ast, &call->args[call->arg_count++]);
}

/* The keys as arguments; a bit for each that descends and, 32 higher, for each that has NULL first. */
static Error *add_keys(BindArgument bind, void *context, Arena *arena, const AstOrder *order, AggregateCallArgs *call, int64_t *directions)
{
    *directions = 0;
    for (int i = 0; i < order->count; i++) {
        const AstOrderItem *item = &order->items[i];
        TRY(add_argument(bind, context, arena, item->expr, NULL, call));
        const Type *type = call->args[call->arg_count - 1]->type;
        if (type->kind == TYPE_NULL || type_is_nested(type))
            return error_at(ERR_BIND, item->expr->at, "%s has no order", type_text(arena, type));
        *directions |= (int64_t)item->descending << i | (int64_t)(item->nulls == 1) << (32 + i);
    }
    return NULL;
}

/* How many, how keys are ordered, what stands between texts. */
static void set_literals(Arena *arena, int64_t most, int64_t directions, Str separator, AggregateCallArgs *call)
{
    call->constants = ARENA_ARRAY(arena, Value, 3);
    call->constant_count = 3;
    call->constants[0] = (Value){ .type = type_scalar(TYPE_BIGINT), .integer = most };
    call->constants[1] = (Value){ .type = type_scalar(TYPE_BIGINT), .integer = directions };
    call->constants[2] = (Value){ .type = type_scalar(TYPE_VARCHAR), .text = separator };
}

/* ARRAY_AGG, LISTAGG with an order. */
static Error *bind_list(Block *block, const AstExpr *ast, OrderedKind kind, BindArgument bind, void *context, AggregateCallArgs *call)
{
    Arena *arena = block->binder->arena;
    const char *name = ast_call_name(ast);
    int64_t directions = 0;
    Value separator = { .type = type_scalar(TYPE_VARCHAR), .text = str_c(",") };
    if (ast->args.count < 1 || ast->args.count > (kind == ORDERED_TEXT ? 2 : 1))
        return error_at(ERR_BIND, ast->at, "%s with ORDER BY takes %s", name, kind == ORDERED_TEXT ? "a text and a separator" : "one argument");
    if (ast->args.count == 2)
        TRY(binder_literal(block->binder, ast->args.items[1], separator.type, "the separator", &separator));
    TRY(add_keys(bind, context, arena, &ast->within_order, call, &directions));
    TRY(add_argument(bind, context, arena, ast->args.items[0], NULL, call));
    Expr **value = &call->args[call->arg_count - 1];
    call->distinct = ast->distinct;
    for (int i = 0; i < ast->within_order.count && ast->distinct; i++) /* equal values have one place then */
        if (!expr_equal(call->args[i], *value))
            return error_at(ERR_BIND, ast->within_order.items[i].at, "%s of DISTINCT values can only be ordered by these", name);
    if (kind == ORDERED_TEXT && (*value)->type->kind != TYPE_VARCHAR)
        return error_at(ERR_BIND, ast->args.items[0]->at, "%s puts texts together, this is %s", name, type_text(arena, (*value)->type));
    call->function = kind == ORDERED_TEXT ? &ordered_text_aggregate : &ordered_list_aggregate;
    call->type = kind == ORDERED_TEXT ? type_scalar(TYPE_VARCHAR) : type_array(arena, (*value)->type);
    set_literals(arena, INT64_MAX, directions, separator.is_null ? str_c("") : separator.text, call);
    return NULL;
}

Error *bind_ordered_aggregate(Block *block, const AstExpr *ast, BindArgument bind, void *context, AggregateCallArgs *call)
{
    OrderedKind kind = ordered_kind(ast);
    *call = (AggregateCallArgs){ 0 };
    if (kind != ORDERED_COLLECT)
        return bind_list(block, ast, kind, bind, context, call);
    AstExpr collect = { .kind = AST_CALL, .at = ast->at, .op_at = ast->op_at };
    AstName name = { .text = "collect_list", .at = ast->at };
    AstExpr *record = ast_row_struct(block->binder->arena, &block->from, ast->at);
    LIST_ADD(block->binder->arena, &collect.path, name);
    LIST_ADD(block->binder->arena, &collect.args, record);
    return aggregate_call_args(block->binder, &collect, bind, context, call);
}
