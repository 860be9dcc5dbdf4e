/* planner/bind_top.c: ASA's TopOne() and CollectTop(n [, value]) OVER (ORDER BY ..): aggregates in spite of their OVER.
 *
 * TopOne() is the row with the largest order key, MAX_BY(row, key); CollectTop(n) the n largest, TOPK(key, row, n), without the keys and with
 * their places. The key turns every direction round, so that what comes first in the order is the largest. */
#include "planner/ast_map.h"
#include "planner/binder.h"

bool is_top_call(const AstExpr *expr)
{
    const char *name = expr->over && expr->path.count == 1 ? ast_call_name(expr) : NULL;
    return name && (name_equal(name, "topone") || name_equal(name, "collecttop"));
}

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

Error *bind_top_call(Block *block, const AstExpr *ast, AstExpr **aggregate)
{
    Arena *arena = block->binder->arena;
    const char *name = ast_call_name(ast);
    const AstOver *over = ast->over;
    const bool one = name_equal(name, "topone");
    if (over->order_by.count == 0)
        return error_hint(error_at(ERR_BIND, ast->at, "%s needs ORDER BY in its OVER (..)", name), "%s OVER (ORDER BY price DESC)", one ? "TopOne()" : "CollectTop(3)");
    if (over->order_by.count >= FUNCTION_MAX_ARGS)
        return error_at(ERR_BIND, over->at, "%s takes at most %d columns to order by", name, FUNCTION_MAX_ARGS - 1);
    if (over->partition_by.count || over->has_frame || over->limit_duration || over->when)
        return error_hint(binder_unsupported(over->at, "anything but ORDER BY in OVER (..) of %s", name), "its groups are those of GROUP BY");
    if (ast->filter || ast->distinct)
        return binder_unsupported(ast->at, "FILTER or DISTINCT of %s", name);
    if (one ? ast->args.count != 0 : ast->args.count < 1 || ast->args.count > 2)
        return error_at(ERR_BIND, ast->at, one ? "%s takes no arguments" : "%s takes a number, and a value if it is not the row", name);
    Value number;
    if (!one)
        TRY(binder_literal(block->binder, ast->args.items[0], type_scalar(TYPE_BIGINT), "the number of rows", &number));
    AstExpr *value = ast->args.count == 2 ? ast->args.items[1] : ast_row_struct(arena, &block->from, ast->at), *key = order_key(arena, ast);
    if (one) {
        *aggregate = call_of(arena, "max_by", ast->at, 2, (AstExpr *[]){ value, key });
    } else {
        AstExpr *top = call_of(arena, "topk", ast->at, 3, (AstExpr *[]){ key, value, ast->args.items[0] });
        *aggregate = call_of(arena, "$ranked", ast->at, 1, &top);
    }
    return NULL;
}
