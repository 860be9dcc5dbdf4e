/* planner/bind_history.c: what FOR SYSTEM_TIME AS OF finds behind the join where it is no table: rows that only come, each a version of its key.
 *
 *   a stream with PRIMARY KEY (k) NOT ENFORCED and an event time
 *   the newest rows of keys: ROW_NUMBER() OVER (PARTITION BY k ORDER BY t DESC) = 1. What had been the newest row at some time is asked
 *   for, so its history takes its place: the same projections over the rows that the rank has before it. */
#include "planner/bind_join.h"
#include "planner/expr.h"

/* A plan in which the rank is no more; columns are those of the relation. */
typedef struct History {
    Arena *arena;
    PlanInput input;
    int number, time;               /* the rank's number, which is 1, and what orders the versions; -1: it is no column any more */
    bool first;                     /* a filter has left the newest row alone */
    int *keys; int key_count;
} History;

/* Column c of the input as a column of the projection; -1: it is none. */
static int projected(const LogicalNode *project, int c)
{
    for (int i = 0; i < project->schema.column_count && c >= 0; i++)
        if (project->project.exprs[i]->kind == EXPR_COLUMN && project->project.exprs[i]->column == c)
            return i;
    return -1;
}

static bool constant_integer(const Expr *expr, int64_t *value)
{
    *value = expr->kind == EXPR_CONSTANT ? expr->value.integer : 0;
    return expr->kind == EXPR_CONSTANT && !expr->value.is_null && type_is_integer(expr->type);
}

/* number = 1, number <= 1, number < 2 */
static bool keeps_first(const Expr *predicate, int number)
{
    int64_t bound;
    if (predicate->kind != EXPR_CALL || predicate->arg_count != 2 || predicate->args[0]->kind != EXPR_COLUMN || predicate->args[0]->column != number ||
        !constant_integer(predicate->args[1], &bound))
        return false;
    const char *sign = predicate->function->name;
    return ((strcmp(sign, "=") == 0 || strcmp(sign, "<=") == 0) && bound == 1) || (strcmp(sign, "<") == 0 && bound == 2);
}

/* The rows before the rank, and 1 in place of its number. */
static bool before_rank(const LogicalNode *node, History *history)
{
    const LogicalNode *under = node->inputs[0].node;
    const Schema schema = port_schema(history->arena, node->inputs[0]);
    const EdgeTraits traits = port_traits(history->arena, node->inputs[0]);
    const SortKey *order = &node->rank.keys[0];
    const TimeColumn *time = node->rank.key_count == 1 && under ? traits_time(&traits, order->column) : NULL;
    if (node->rank.rank != RANK_ROW_NUMBER || !node->rank.rank_column || node->rank.partition_count == 0 || !time || time->processing || !order->descending || traits.changes != CHANGES_APPEND)
        return false;
    const int count = schema.column_count;
    Expr **exprs = ARENA_ARRAY(history->arena, Expr *, (size_t)count + 1);
    for (int i = 0; i < count; i++)
        exprs[i] = expr_column(history->arena, i, schema.columns[i].name, schema.columns[i].type, node->at);
    exprs[count] = expr_constant(history->arena, &(Value){ .type = type_scalar(TYPE_BIGINT), .integer = 1 }, node->at);
    history->input = main_port(logical_project(history->arena, node->inputs[0], exprs, node->schema.columns, count + 1, POLICY_FAIL, node->at));
    history->number = count;
    history->time = order->column;
    history->key_count = node->rank.partition_count;
    history->keys = arena_copy(history->arena, node->rank.partition_columns, sizeof *history->keys * (size_t)history->key_count);
    return true;
}

static void copy_over(History *history, const LogicalNode *node)
{
    LogicalNode *copy = arena_copy(history->arena, node, sizeof *node);
    copy->inputs = arena_copy(history->arena, node->inputs, sizeof *node->inputs);
    copy->inputs[0] = history->input;
    int count;
    Expr **exprs = logical_exprs(copy, &count);
    if (copy->kind == PLAN_PROJECT)
        copy->project.exprs = arena_copy(history->arena, copy->project.exprs, sizeof *exprs * (size_t)(count + 1));
    exprs = logical_exprs(copy, &count);
    for (int i = 0; i < count; i++)
        exprs[i] = expr_copy(history->arena, exprs[i]);
    logical_derive(history->arena, copy);
    history->input = main_port(copy);
}

/* The history of what comes out of a port; false: these are no newest rows of keys. */
static bool find_history(PlanInput port, History *history)
{
    const LogicalNode *node = port.node;
    if (port.port != PORT_MAIN)
        return false;
    if (node->kind == PLAN_RANK)
        return before_rank(node, history);
    if ((node->kind != PLAN_PROJECT && node->kind != PLAN_FILTER) || !find_history(node->inputs[0], history))
        return false;
    if (node->kind == PLAN_FILTER) { /* any other one would let an older version show */
        history->first = history->number >= 0 && keeps_first(node->filter.predicate, history->number);
        if (history->first)
            copy_over(history, node);
        return history->first;
    }
    copy_over(history, node);
    history->number = projected(node, history->number);
    history->time = projected(node, history->time);
    for (int k = 0; k < history->key_count; k++)
        history->keys[k] = projected(node, history->keys[k]);
    return true;
}

static bool is_whole(const History *history)
{
    bool whole = history->time >= 0 && history->first;
    for (int k = 0; k < history->key_count; k++)
        whole &= history->keys[k] >= 0;
    return whole;
}

bool bind_history(Arena *arena, Relation *relation, const int **keys, int *key_count)
{
    const EdgeTraits traits = port_traits(arena, relation->input);
    History history = { .arena = arena, .number = -1, .time = -1 };
    if (traits.changes == CHANGES_APPEND && traits.key_count && relation->time_column >= 0 && !relation->processing_time) {
        *keys = traits.keys[0].columns;
        *key_count = traits.keys[0].count;
        return true;
    }
    if (!find_history(relation->input, &history) || !is_whole(&history))
        return false;
    relation->input = history.input;
    relation->time_column = history.time;
    relation->processing_time = false;
    *keys = history.keys;
    *key_count = history.key_count;
    return true;
}
