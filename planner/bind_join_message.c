/* planner/bind_join_message.c: joined rows as messages: their key, time and windows.
 *
 * Rows of streams are keyed by what they were joined on, rows of two tables by the key that tells them apart: what they were joined on, or, where that
 * is a foreign key, the left table's own. Where it is no column of a side, or either side may be missing, ksqlDB gives it a name: ROWKEY. */
#include "planner/bind_join.h"

static bool is_table(const Relation *relation) { return relation->message && relation->message->is_table; }

/* A column of the side that the n-th key is; -1: it is computed. */
static int key_column(const JoinBinding *join, int n, int side)
{
    const Expr *expr = join->keys.items[n].exprs[side];
    return expr->kind == EXPR_COLUMN ? expr->column : -1;
}

/* The column is the side's key, or holds the same. */
static bool is_own_key(const Relation *relation, int column)
{
    const MessageColumns *message = relation->message;
    bool own = message && message->key_count == 1 && message->key[0] == column;
    for (int i = 0; message && message->key_count == 1 && i < message->equal_count; i++)
        own |= message->equal[i] == column;
    return own;
}

bool bind_join_is_foreign(const JoinBinding *join)
{
    return is_table(&join->sides[0]) && is_table(&join->sides[1]) && join->on_keys == 1 && !is_own_key(&join->sides[0], key_column(join, 0, 0));
}

bool bind_join_names_key(const JoinBinding *join)
{
    bool computed = false;
    for (int n = 0; n < join->on_keys; n++)
        computed |= key_column(join, n, 0) < 0 && key_column(join, n, 1) < 0;
    return (computed || (join->preserved[0] && join->preserved[1])) && !bind_join_is_foreign(join);
}

void bind_join_window_keys(JoinBinding *join)
{
    Arena *arena = join->block->binder->arena;
    const Relation *left = &join->sides[0], *right = &join->sides[1];
    if (!left->message || !right->message || left->message->window == KEY_WINDOW_NONE || right->message->window != left->message->window)
        return;
    const bool same = left->message->window == KEY_WINDOW_SESSION || left->message->window_size_us == right->message->window_size_us;
    const bool by_key = left->table && right->table && join->compares.count == 0 && join->rest.count == 0;
    if (!binder_rules(join->block->binder)->joins_by_arrival && !(same && by_key))
        return; /* conditions say of windows what they mean */
    const int columns[2][2] = { { left->window.start, right->window.start }, { left->window.end, right->window.end } };
    for (int bound = 0; bound < (left->message->window == KEY_WINDOW_SESSION ? 2 : 1); bound++) {
        JoinTerm term = { .exprs = { NULL, NULL } };
        if (columns[bound][0] < 0 || columns[bound][1] < 0)
            continue;
        for (int s = 0; s < 2; s++)
            term.exprs[s] = binder_column(arena, &join->sides[s].schema, columns[bound][s], join->ast->at);
        LIST_ADD(arena, &join->keys, term);
        join->window_keys++;
    }
}

/* Columns of the result that hold the same as the key. */
static void add_equals(Arena *arena, const Relation *side, int column, int base, MessageColumns *message)
{
    message->equal = message->equal ? message->equal : ARENA_ARRAY(arena, int, 64);
    if (column < 0 || message->equal_count >= 60)
        return;
    message->equal[message->equal_count++] = column + base;
    if (!is_own_key(side, column))
        return;
    message->equal[message->equal_count++] = side->message->key[0] + base;
    for (int i = 0; i < side->message->equal_count && message->equal_count < 60; i++)
        message->equal[message->equal_count++] = side->message->equal[i] + base;
}

static void join_key(JoinBinding *join, const LogicalNode *node, int left_width, MessageColumns *message)
{
    Arena *arena = join->block->binder->arena;
    const int count = join->on_keys;
    message->key = ARENA_ARRAY(arena, int, count + 1);
    message->key_names = ARENA_ARRAY(arena, const char *, count + 1);
    message->keyed = true;
    for (int n = 0; n < count; n++) {
        const int left = key_column(join, n, 0), right = key_column(join, n, 1);
        const bool of_right = left < 0 || (join->preserved[1] && right >= 0);
        int column = of_right ? right + left_width : left;
        if (node->join.with_key)
            column = node->schema.column_count - join->keys.count + n;
        else if (left < 0 && right < 0)
            column = -1;
        message->key[n] = column;
        message->key_names[n] = column < 0 ? "the join's key" : node->schema.columns[column].name;
        message->key_count++;
        if (count > 1 || node->join.with_key)
            continue;
        add_equals(arena, &join->sides[0], left, 0, message);
        add_equals(arena, &join->sides[1], right, left_width, message);
    }
}

void bind_join_message(JoinBinding *join, const LogicalNode *node, int left_width, Relation *relation)
{
    Arena *arena = join->block->binder->arena;
    const Relation *left = &join->sides[0], *right = &join->sides[1];
    if (!left->message && !right->message)
        return;
    MessageColumns *message = ARENA_NEW(arena, MessageColumns);
    *message = (MessageColumns){ .time = relation->time_column, .no_value = -1, .headers = -1, .is_table = is_table(left) && is_table(right) };
    message->from = left->message ? left->message->from : right->message->from;
    if (bind_join_is_foreign(join)) {
        message->keyed = true;
        message->key_count = left->message->key_count;
        message->key = left->message->key;
        message->key_names = left->message->key_names;
    } else {
        join_key(join, node, left_width, message);
    }
    if (left->message && right->message && join->window_keys) {
        message->window = left->message->window;
        message->window_size_us = left->message->window_size_us;
        relation->window = left->window;
    }
    relation->message = message;
}
