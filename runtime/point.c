/* runtime/point.c: SELECT .. FROM table WHERE key = 5: such a pull query gets one row of the table, or those of all windows of a key, not all.
 *
 * Its plan stays as it is and judges that row like any other: what is found here only says which rows cannot pass. */
#include <string.h>

#include "runtime/runtime_internal.h"

typedef struct Conjuncts {
    const Expr *items[32];
    int count;
} Conjuncts;

static void split(const Expr *expr, Conjuncts *all)
{
    for (int i = 0; expr->kind == EXPR_AND && i < expr->arg_count; i++)
        split(expr->args[i], all);
    if (expr->kind != EXPR_AND && all->count < 32)
        all->items[all->count++] = expr;
}

/* column = constant, either way round, also where NULL is made FALSE. NULL: it is something else. */
static const Expr *constant_of(const Expr *expr, int column)
{
    if (expr->kind == EXPR_COALESCE && expr->arg_count == 2)
        expr = expr->args[0];
    if (expr->kind != EXPR_CALL || expr->arg_count != 2 || strcmp(expr->function->name, "=") != 0)
        return NULL;
    for (int side = 0; side < 2; side++) {
        const Expr *of = expr->args[side], *is = expr->args[1 - side];
        if (of->kind == EXPR_COLUMN && of->column == column && is->kind == EXPR_CONSTANT && !is->value.is_null && type_equal(of->type, is->type))
            return is;
    }
    return NULL;
}

/* The only reader of a node, if there is one and it is a filter. */
static const PlanNode *filter_over(const Plan *plan, const PlanNode *node)
{
    const PlanNode *reader = NULL;
    for (int n = 0; n < plan->node_count; n++)
        for (int i = 0; i < plan->nodes[n]->input_count; i++)
            if (plan->nodes[n]->inputs[i].node == node) {
                if (reader)
                    return NULL;
                reader = plan->nodes[n];
            }
    return reader && reader->kind == PLAN_FILTER ? reader : NULL;
}

const PlanNode *point_scan(const Plan *plan, const char *stream)
{
    for (int n = 0; n < plan->node_count; n++) {
        const PlanNode *node = plan->nodes[n];
        if (node->kind == PLAN_SCAN && node->scan.connector == &process_connector && strcmp(((const ProcessOptions *)node->scan.connector_options)->stream, stream) == 0)
            return node;
    }
    return NULL;
}

/* The column of the scan that has this name in the channel; -1: it is not read. */
static int scan_column(const PlanNode *scan, const char *name)
{
    for (int i = 0; i < scan->schema.column_count; i++)
        if (scan->scan.columns[i].path_length == 1 && strcmp(scan->scan.columns[i].path[0], name) == 0)
            return i;
    return -1;
}

int point_of(const Plan *plan, const char *stream, const PlanNode *table, Arena *arena, Value **key)
{
    const PlanNode *scan = point_scan(plan, stream), *filter = scan ? filter_over(plan, scan) : NULL;
    if (!filter || table->sink.table_key_count == 0)
        return 0;
    Conjuncts all = { .count = 0 };
    split(filter->filter.predicate, &all);
    *key = ARENA_ARRAY(arena, Value, (size_t)table->sink.table_key_count + 1);
    for (int k = 0; k < table->sink.table_key_count; k++) {
        int column = scan_column(scan, table->schema.columns[table->sink.table_keys[k]].name);
        const Expr *constant = NULL;
        for (int i = 0; column >= 0 && i < all.count && !constant; i++)
            constant = constant_of(all.items[i], column);
        if (!constant)
            return k >= table->sink.table_group_count ? table->sink.table_group_count : 0;
        (*key)[k] = constant->value;
    }
    return table->sink.table_key_count;
}

bool point_is_all(const Plan *plan, const char *stream, const PlanNode *table)
{
    const PlanNode *scan = point_scan(plan, stream), *filter = scan ? filter_over(plan, scan) : NULL;
    Conjuncts all = { .count = 0 };
    if (!filter)
        return false;
    split(filter->filter.predicate, &all);
    return all.count == table->sink.table_key_count;
}
