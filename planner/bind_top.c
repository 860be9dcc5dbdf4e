/* planner/bind_top.c: ASA's TopOne([value]) and CollectTop(n [, value]) OVER (ORDER BY ..): aggregates in spite of their OVER. With LIMIT DURATION there
 * they are analytic: for each row of those before it, in the order of time.
 *
 * TopOne() is the row with the largest order key, MAX_BY(row, key); CollectTop(n) the n largest, TOPK(key, row, n), without the keys and with
 * their places. The key turns every direction round, so that what comes first in the order is the largest. */
#include "planner/ast_map.h"
#include "planner/binder.h"

static bool is_top(const AstExpr *expr)
{
    const char *name = expr->over && expr->path.count == 1 ? ast_call_name(expr) : NULL;
    return name && (name_equal(name, "topone") || name_equal(name, "collecttop"));
}

bool is_top_call(const AstExpr *expr) { return is_top(expr) && !expr->over->limit_duration; }
bool is_top_over_call(const AstExpr *expr) { return is_top(expr) && expr->over->limit_duration; }

static AstExpr *call_of(Arena *arena, const char *name, Span at, int count, AstExpr *const args[])
{
    AstExpr *call = ARENA_NEW(arena, AstExpr);
    *call = (AstExpr){ .kind = AST_CALL, .at = at, .op_at = at };
    AstName path = { .text = name, .at = at };
    LIST_ADD(arena, &call->path, path);
    for (int i = 0; i < count; i++)
        LIST_ADD(arena, &call->args, args[i]);
    return call;
}

AstExpr *ast_row_struct(Arena *arena, const Relation *relation, Span at)
{
    AstExpr *row = ARENA_NEW(arena, AstExpr);
    *row = (AstExpr){ .kind = AST_STRUCT, .at = at, .op_at = at };
    const int count = relation->schema.column_count - (relation->pending ? 3 : 0); /* bounds of windows that have not been assigned yet */
    for (int i = 0; i < count; i++) {
        const Column *column = &relation->schema.columns[i];
        if (column->hidden)
            continue;
        AstName name = { column->name, true, at };
        LIST_ADD(arena, &row->path, name);
        LIST_ADD(arena, &row->args, ast_marker(arena, i, at));
    }
    return row;
}

static AstExpr *order_key(Arena *arena, const AstExpr *ast)
{
    const AstOrder *order = &ast->over->order_by;
    AstExpr **args = ARENA_ARRAY(arena, AstExpr *, order->count + 1);
    char *flags = ARENA_ARRAY(arena, char, order->count + 1);
    for (int i = 0; i < order->count; i++) {
        const AstOrderItem *item = &order->items[i];
        flags[i] = item->descending ? 'a' : 'd';
        flags[i] = item->nulls == 1 ? flags[i] : (char)(flags[i] & ~32);
        args[i + 1] = item->expr;
    }
    args[0] = ARENA_NEW(arena, AstExpr);
    *args[0] = (AstExpr){ .kind = AST_LITERAL, .at = ast->at, .value = { .type = type_scalar(TYPE_VARCHAR), .text = str_view(flags, (size_t)order->count) } };
    return call_of(arena, "$order_key", ast->at, order->count + 1, args);
}

static bool is_one(const AstExpr *ast) { return name_equal(ast_call_name(ast), "topone"); }

static Error *check_call(Block *block, const AstExpr *ast)
{
    const char *name = ast_call_name(ast);
    const AstOver *over = ast->over;
    const bool one = is_one(ast);
    if (over->order_by.count == 0)
        return error_hint(error_at(ERR_BIND, ast->at, "%s needs ORDER BY in its OVER (..)", name), "%s OVER (ORDER BY price DESC)", one ? "TopOne()" : "CollectTop(3)");
    if (over->order_by.count >= FUNCTION_MAX_ARGS)
        return error_at(ERR_BIND, over->at, "%s takes at most %d columns to order by", name, FUNCTION_MAX_ARGS - 1);
    if (is_top_call(ast) && (over->partition_by.count || over->has_frame || over->when))
        return error_hint(binder_unsupported(over->at, "anything but ORDER BY in OVER (..) of %s", name), "its groups are those of GROUP BY; with LIMIT DURATION(minute, 5) it goes by rows");
    if (ast->filter || ast->distinct)
        return binder_unsupported(ast->at, "FILTER or DISTINCT of %s", name);
    if (one ? ast->args.count > 1 : ast->args.count < 1 || ast->args.count > 2)
        return error_at(ERR_BIND, ast->at, one ? "%s takes a value, if it is not the row" : "%s takes a number, and a value if it is not the row", name);
    Value number;
    return one ? NULL : binder_literal(block->binder, ast->args.items[0], type_scalar(TYPE_BIGINT), "the number of rows", &number);
}

/* The aggregate of rows; of CollectTop still without places. */
static AstExpr *aggregate_of(Block *block, const AstExpr *ast)
{
    Arena *arena = block->binder->arena;
    const int given = is_one(ast) ? 0 : 1;
    AstExpr *value = ast->args.count > given ? ast->args.items[given] : ast_row_struct(arena, &block->from, ast->at), *key = order_key(arena, ast);
    return is_one(ast) ? call_of(arena, "max_by", ast->at, 2, (AstExpr *[]){ value, key }) : call_of(arena, "topk", ast->at, 3, (AstExpr *[]){ key, value, ast->args.items[0] });
}

static AstExpr *with_places(Arena *arena, const AstExpr *ast, AstExpr *aggregate) { return is_one(ast) ? aggregate : call_of(arena, "$ranked", ast->at, 1, &aggregate); }

Error *bind_top_call(Block *block, const AstExpr *ast, AstExpr **aggregate)
{
    TRY(check_call(block, ast));
    *aggregate = with_places(block->binder->arena, ast, aggregate_of(block, ast));
    return NULL;
}

Error *bind_top_over_call(Block *block, const AstExpr *ast, AstExpr **call)
{
    Arena *arena = block->binder->arena;
    TRY(check_call(block, ast));
    AstExpr *aggregate = aggregate_of(block, ast);
    aggregate->over = arena_copy(arena, ast->over, sizeof *ast->over);
    aggregate->over->order_by = (AstOrder){ 0 }; /* it is the value's; rows are in the order of their time */
    *call = with_places(arena, ast, aggregate);
    return NULL;
}
