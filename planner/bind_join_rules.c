/* planner/bind_join_rules.c: what ksqlDB refuses of joins, in its preset. Elsewhere all of it means something. */
#include "planner/bind_join.h"

static bool is_table(const Relation *relation) { return relation->message && relation->message->is_table; }

static KeyWindow window_of(const Relation *relation) { return relation->message ? relation->message->window : KEY_WINDOW_NONE; }

/* The column is the whole key of the side. */
static bool is_whole_key(const Relation *relation, const Expr *expr)
{
    const MessageColumns *message = relation->message;
    if (expr->kind != EXPR_COLUMN || !message || message->key_count != 1)
        return false;
    bool equal = message->key[0] == expr->column;
    for (int i = 0; i < message->equal_count; i++)
        equal |= message->equal[i] == expr->column;
    return equal;
}

static Error *check_windows(const JoinBinding *join)
{
    const KeyWindow left = window_of(&join->sides[0]), right = window_of(&join->sides[1]);
    if (left == KEY_WINDOW_NONE && right == KEY_WINDOW_NONE)
        return NULL;
    if (left == KEY_WINDOW_NONE || right == KEY_WINDOW_NONE)
        return error_at(ERR_BIND, join->ast->at, "rows whose keys hold windows are joined with rows whose keys hold windows");
    bool same = left == right && (left == KEY_WINDOW_SESSION || join->sides[0].message->window_size_us == join->sides[1].message->window_size_us);
    for (int s = 0; s < 2; s++)
        same &= is_whole_key(&join->sides[s], join->keys.items[0].exprs[s]);
    return same ? NULL : error_at(ERR_BIND, join->ast->at, "rows whose keys hold windows are joined on their keys, and on equal windows");
}

Error *bind_join_rules(const JoinBinding *join)
{
    const bool left = is_table(&join->sides[0]), right = is_table(&join->sides[1]);
    const Span at = join->ast->on ? join->ast->on->at : join->ast->at;
    if (!binder_rules(join->block->binder)->joins_by_arrival)
        return NULL;
    if (left && !right)
        return error_hint(error_at(ERR_BIND, join->ast->right->at, "a table is not joined with a stream"), "a stream is joined with a table: FROM stream JOIN table");
    if (join->keys.count == 0)
        return error_at(ERR_BIND, at, "a join needs an equality of which each side names exactly one of the joined sources");
    if (!left && !right && !join->ast->has_within)
        return error_hint(error_at(ERR_BIND, join->ast->right->at, "a join of two streams needs a bound in time"), "JOIN .. WITHIN 1 HOUR ON ..");
    if (right && join->keys.count == 1 && !is_whole_key(&join->sides[1], join->keys.items[0].exprs[1]))
        return error_at(ERR_BIND, at, "a table on the right is joined on its primary key");
    if (bind_join_is_foreign(join) && join->ast->left->kind == AST_REL_JOIN)
        return error_at(ERR_BIND, at, "of several joins only the first one may be on a foreign key");
    return check_windows(join);
}
