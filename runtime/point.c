/* runtime/point.c: SELECT .. FROM table WHERE key = 5, or key IN (5, 7): such a pull query gets the rows of those keys, or those of all windows of them, not all.
 *
 * Its plan stays as it is and judges those rows like any other: what is found here only says which rows cannot pass. A condition is read as alternatives (OR), each
 * of which says what some columns of the key are; what it says besides is left to the plan. */
#include <string.h>

#include "common/hash.h"
#include "runtime/runtime_internal.h"

#define POINTS_MAX 4096 /* keys that are looked up one by one: the whole table is cheaper then */

/* What one alternative says of the key: a Value for each column; type NULL: nothing. */
typedef struct Alternatives {
    bool any;                   /* it says nothing of the key: any row may pass */
    struct { Value **items; int count, capacity; } list;
} Alternatives;

typedef struct Reading {
    Arena *arena;
    const int *columns; int key_count; /* of the scan, for each column of the key; -1: it is not read */
} Reading;

static const Alternatives anything = { .any = true };

static int key_place(const Reading *reading, const Expr *expr)
{
    for (int k = 0; k < reading->key_count; k++)
        if (expr->kind == EXPR_COLUMN && expr->column >= 0 && expr->column == reading->columns[k])
            return k;
    return -1;
}

static void add_alternative(const Reading *reading, Alternatives *all, int place, const Value *value)
{
    Value *key = arena_calloc(reading->arena, (size_t)reading->key_count + 1, sizeof *key);
    key[place] = *value;
    LIST_ADD(reading->arena, &all->list, key);
}

/* column = constant, either way round. */
static Alternatives read_equal(const Reading *reading, const Expr *expr)
{
    Alternatives all = { .any = true };
    for (int side = 0; side < 2; side++) {
        const Expr *of = expr->args[side], *is = expr->args[1 - side];
        const int place = key_place(reading, of);
        if (place < 0 || is->kind != EXPR_CONSTANT || !type_equal(of->type, is->type))
            continue;
        all.any = false;
        if (!is->value.is_null)
            add_alternative(reading, &all, place, &is->value);
        break;
    }
    return all;
}

/* column IN (constants) */
static Alternatives read_in(const Reading *reading, const Expr *expr)
{
    Alternatives all = { 0 };
    const int place = key_place(reading, expr->args[0]);
    for (int i = 1; i < expr->arg_count; i++) {
        const Expr *is = expr->args[i];
        if (place < 0 || is->kind != EXPR_CONSTANT || !type_equal(expr->args[0]->type, is->type))
            return anything;
        if (!is->value.is_null)
            add_alternative(reading, &all, place, &is->value);
    }
    return all;
}

static Alternatives either(const Reading *reading, Alternatives one, Alternatives other)
{
    if (one.any || other.any || one.list.count + other.list.count > POINTS_MAX)
        return anything;
    for (int i = 0; i < other.list.count; i++)
        LIST_ADD(reading->arena, &one.list, other.list.items[i]);
    return one;
}

/* NULL: no row is both. */
static Value *merge(const Reading *reading, const Value *one, const Value *other)
{
    Value *both = arena_copy(reading->arena, one, sizeof *both * (size_t)reading->key_count);
    for (int k = 0; k < reading->key_count; k++) {
        if (both[k].type && other[k].type && !value_equal(&both[k], &other[k]))
            return NULL;
        both[k] = both[k].type ? both[k] : other[k];
    }
    return both;
}

static Alternatives both(const Reading *reading, Alternatives one, Alternatives other)
{
    Alternatives all = { 0 };
    if (one.any || other.any)
        return one.any ? other : one;
    if ((int64_t)one.list.count * other.list.count > POINTS_MAX) /* what one of them says is true all the same */
        return one.list.count < other.list.count ? one : other;
    for (int i = 0; i < one.list.count; i++)
        for (int j = 0; j < other.list.count; j++) {
            Value *merged = merge(reading, one.list.items[i], other.list.items[j]);
            if (merged)
                LIST_ADD(reading->arena, &all.list, merged);
        }
    return all;
}

static Alternatives read_condition(const Reading *reading, const Expr *expr)
{
    const Value yes = { .type = expr->type, .integer = 1 }, no = { .type = expr->type };
    const Expr *otherwise = expr->kind == EXPR_COALESCE && expr->arg_count == 2 ? expr->args[1] : NULL;
    if (otherwise && otherwise->kind == EXPR_CONSTANT && (otherwise->value.is_null || !otherwise->value.integer)) /* NULL made FALSE */
        return read_condition(reading, expr->args[0]);
    if (expr->kind == EXPR_CALL && expr->arg_count == 2 && strcmp(expr->function->name, "=") == 0)
        return read_equal(reading, expr);
    if (expr->kind == EXPR_CALL && expr->arg_count > 1 && strcmp(expr->function->name, "in") == 0)
        return read_in(reading, expr);
    const bool negated = expr->kind == EXPR_CALL && expr->arg_count == 1 && strcmp(expr->function->name, "not") == 0;
    if (key_place(reading, negated ? expr->args[0] : expr) >= 0) { /* of a BOOLEAN */
        Alternatives all = { 0 };
        add_alternative(reading, &all, key_place(reading, negated ? expr->args[0] : expr), negated ? &no : &yes);
        return all;
    }
    if (expr->kind != EXPR_AND && expr->kind != EXPR_OR)
        return anything;
    Alternatives all = read_condition(reading, expr->args[0]);
    for (int i = 1; i < expr->arg_count; i++)
        all = expr->kind == EXPR_AND ? both(reading, all, read_condition(reading, expr->args[i])) : either(reading, all, read_condition(reading, expr->args[i]));
    return all;
}

/* ---- from alternatives to keys ---- */

/* How many columns from the first one on every alternative names. */
static int named_columns(const Reading *reading, const Alternatives *all)
{
    int named = reading->key_count;
    for (int i = 0; i < all->list.count; i++)
        for (int k = 0; k < named; k++)
            if (!all->list.items[i][k].type)
                named = k;
    return named;
}

/* Keys that are named twice are looked up once. */
static void add_once(PointKeys *keys, Value *key, int columns, uint64_t *seen, size_t places)
{
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    for (int k = 0; k < columns; k++) {
        value_print(&key[k], &text);
        text_add_char(&text, ',');
    }
    const uint64_t hash = checksum_bytes(text_c(&text), text.length);
    text_release(&text);
    size_t at = hash % places;
    for (; seen[at]; at = (at + 1) % places) {
        bool same = true;
        for (int k = 0; k < columns && same; k++)
            same = value_equal(&keys->keys[seen[at] - 1][k], &key[k]);
        if (same)
            return;
    }
    keys->keys[keys->count++] = key;
    seen[at] = (uint64_t)keys->count;
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

bool point_keys(const Plan *plan, const char *stream, const PlanNode *table, Arena *arena, PointKeys *keys)
{
    const PlanNode *scan = point_scan(plan, stream), *filter = scan ? filter_over(plan, scan) : NULL;
    const int key_count = table->sink.table_key_count, group_count = table->sink.table_group_count;
    *keys = (PointKeys){ 0 };
    if (!filter || key_count == 0)
        return false;
    int *columns = ARENA_ARRAY(arena, int, (size_t)key_count);
    for (int k = 0; k < key_count; k++)
        columns[k] = scan_column(scan, table->schema.columns[table->sink.table_keys[k]].name);
    const Reading reading = { arena, columns, key_count };
    const Alternatives all = read_condition(&reading, filter->filter.predicate);
    const int named = all.any ? 0 : named_columns(&reading, &all);
    keys->whole = named == key_count;
    if (all.any || (!keys->whole && (!group_count || named < group_count)))
        return false;
    const size_t places = (size_t)all.list.count * 2 + 1;
    uint64_t *seen = arena_calloc(arena, places, sizeof *seen);
    keys->keys = ARENA_ARRAY(arena, Value *, (size_t)all.list.count + 1);
    for (int i = 0; i < all.list.count; i++)
        add_once(keys, all.list.items[i], keys->whole ? key_count : group_count, seen, places);
    return true;
}

static int count_conditions(const Expr *expr)
{
    int count = expr->kind != EXPR_AND;
    for (int i = 0; expr->kind == EXPR_AND && i < expr->arg_count; i++)
        count += count_conditions(expr->args[i]);
    return count;
}

bool point_is_all(const Plan *plan, const char *stream, const PlanNode *table)
{
    const PlanNode *scan = point_scan(plan, stream), *filter = scan ? filter_over(plan, scan) : NULL;
    return filter && count_conditions(filter->filter.predicate) == table->sink.table_key_count;
}
