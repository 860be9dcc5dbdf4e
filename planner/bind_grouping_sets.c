/* planner/bind_grouping_sets.c: GROUPING SETS, CUBE, ROLLUP.
 *
 * Every row becomes one row a set: it is unnested with a constant list of the sets, and a key that is not in the set becomes NULL. The set's number
 * is one more key of the aggregate, so that sets stay apart, also equal ones; GROUPING() and GROUP_ID() are functions of it. Nothing else knows. */
#include "planner/ast_map.h"
#include "planner/binder.h"

enum { SETS_MAX = 4096, SET_KEYS_MAX = 60 };

static Error *too_many(const AstQuery *query)
{
    return error_at(ERR_BIND, query->group_at, "more than %d grouping sets", SETS_MAX);
}

static void add_set(Arena *arena, GroupingSets *sets, uint64_t keys)
{
    LIST_ADD(arena, sets, keys);
}

static Error *add_cube(Arena *arena, const AstQuery *query, const uint64_t *elements, int count, uint64_t always, GroupingSets *sets)
{
    if (count > 12)
        return too_many(query);
    for (int which = (1 << count) - 1; which >= 0; which--) { /* all of them first, the first element longest */
        uint64_t keys = always;
        for (int e = 0; e < count; e++)
            if (which >> (count - 1 - e) & 1)
                keys |= elements[e];
        add_set(arena, sets, keys);
    }
    return NULL;
}

Error *grouping_sets_list(Binder *binder, const AstQuery *query, uint64_t always, const uint64_t *elements, int key_count, GroupingSets *sets)
{
    Arena *arena = binder->arena;
    int count = query->grouping_sets.count;
    if (key_count > SET_KEYS_MAX)
        return error_at(ERR_BIND, query->group_at, "more than %d keys in grouping sets", SET_KEYS_MAX);
    switch (query->group_kind) {
    case AST_GROUP_PLAIN: break;
    case AST_GROUP_SETS:
        for (int i = 0; i < count; i++)
            add_set(arena, sets, always | elements[i]);
        break;
    case AST_GROUP_CUBE: return add_cube(arena, query, elements, count, always, sets);
    case AST_GROUP_ROLLUP:
        for (int length = count; length >= 0; length--) {
            uint64_t keys = always;
            for (int e = 0; e < length; e++)
                keys |= elements[e];
            add_set(arena, sets, keys);
        }
        break;
    }
    return sets->count > SETS_MAX ? too_many(query) : NULL;
}

/* ---- rows ---- */

/* STRUCT<number BIGINT, k0 BOOLEAN, k1 BOOLEAN ..>: which keys are in the set. */
static const Type *set_type(Arena *arena, int key_count)
{
    const char **names = ARENA_ARRAY(arena, const char *, key_count + 1);
    const Type **types = ARENA_ARRAY(arena, const Type *, key_count + 1);
    names[0] = "number";
    types[0] = type_scalar(TYPE_BIGINT);
    for (int k = 0; k < key_count; k++) {
        names[k + 1] = arena_printf(arena, "k%d", k);
        types[k + 1] = type_scalar(TYPE_BOOLEAN);
    }
    return type_struct(arena, key_count + 1, names, types);
}

static Expr *set_list(Arena *arena, const GroupingSets *sets, bool without_totals, int key_count, Span at)
{
    const Type *type = set_type(arena, key_count);
    Value list = { .type = type_array(arena, type) };
    list.nested.items = ARENA_ARRAY(arena, Value, sets->count + 1);
    for (int s = 0; s < sets->count; s++) {
        if (without_totals && sets->items[s] == 0)
            continue;
        Value *set = &list.nested.items[list.nested.count++];
        set->type = type;
        set->nested.count = (uint32_t)key_count + 1;
        set->nested.items = ARENA_ARRAY(arena, Value, key_count + 1);
        set->nested.items[0] = (Value){ .type = type->children[0], .integer = s };
        for (int k = 0; k < key_count; k++)
            set->nested.items[k + 1] = (Value){ .type = type->children[k + 1], .integer = sets->items[s] >> k & 1 };
    }
    return expr_constant(arena, &list, at);
}

static Expr *field_of(Arena *arena, Expr *whole, int field, Span at)
{
    Expr *expr = ARENA_NEW(arena, Expr);
    *expr = (Expr){ .kind = EXPR_FIELD, .type = whole->type->children[field], .at = at, .field = field, .arg_count = 1, .args = ARENA_ARRAY(arena, Expr *, 1) };
    expr->args[0] = whole;
    return expr;
}

/* CASE WHEN the set holds it THEN key END */
static Expr *key_in_set(Arena *arena, Expr *in_set, Expr *key, Span at)
{
    Value null = value_null(key->type);
    Expr *expr = ARENA_NEW(arena, Expr);
    *expr = (Expr){ .kind = EXPR_CASE, .type = key->type, .at = at, .arg_count = 3, .args = ARENA_ARRAY(arena, Expr *, 3) };
    expr->args[0] = in_set;
    expr->args[1] = key;
    expr->args[2] = expr_constant(arena, &null, at);
    return expr;
}

PlanInput grouping_sets_rows(Binder *binder, PlanInput input, const GroupingSets *sets, bool without_totals, int *keys, int key_count, int *number, Span at)
{
    Arena *arena = binder->arena;
    Schema under = port_schema(arena, input);
    int count = under.column_count;
    Expr **exprs = ARENA_ARRAY(arena, Expr *, count + key_count + 2);
    Column *columns = ARENA_ARRAY(arena, Column, count + key_count + 2);
    for (int i = 0; i < count; i++) {
        exprs[i] = binder_column(arena, &under, i, at);
        columns[i] = under.columns[i];
    }
    exprs[count] = set_list(arena, sets, without_totals, key_count, at);
    columns[count] = (Column){ .name = "$sets", .hidden = true };
    LogicalNode *with_sets = logical_project(arena, input, exprs, columns, count + 1, POLICY_FAIL, at);
    LogicalNode *unnest = logical_unnest(arena, main_port(with_sets), &count, 1, false, false, at);

    Expr **grouped = ARENA_ARRAY(arena, Expr *, count + key_count + 2), *set = binder_column(arena, &unnest->schema, count + 1, at);
    for (int i = 0; i < count; i++)
        grouped[i] = binder_column(arena, &under, i, at);
    for (int k = 0; k < key_count; k++) {
        grouped[count + k] = key_in_set(arena, field_of(arena, set, k + 1, at), binder_column(arena, &under, keys[k], at), at);
        columns[count + k] = (Column){ .name = under.columns[keys[k]].name, .hidden = true };
        keys[k] = count + k;
    }
    *number = count + key_count;
    grouped[*number] = field_of(arena, set, 0, at);
    columns[*number] = (Column){ .name = "$set", .hidden = true };
    return main_port(logical_project(arena, main_port(unnest), grouped, columns, *number + 1, POLICY_FAIL, at));
}

/* ---- totals ---- */

bool grouping_sets_have_total(const GroupingSets *sets)
{
    for (int s = 0; s < sets->count; s++)
        if (sets->items[s] == 0)
            return true;
    return false;
}

LogicalNode *grouping_sets_totals(Binder *binder, LogicalNode *node, PlanInput rows, const GroupingSets *sets, int keys)
{
    Arena *arena = binder->arena;
    int calls = node->aggregate.call_count, count = 1;
    PlanInput *inputs = ARENA_ARRAY(arena, PlanInput, sets->count + 1);
    inputs[0] = main_port(node);
    for (int s = 0; s < sets->count; s++) {
        if (sets->items[s])
            continue;
        LogicalNode *total = logical_node(arena, PLAN_AGGREGATE, node->at, 1, &rows);
        total->aggregate = node->aggregate;
        total->aggregate.key_count = 0;
        total->aggregate.calls = arena_copy(arena, node->aggregate.calls, sizeof(AggregateCall) * ((size_t)calls + 1));
        total->schema = (Schema){ calls, node->schema.columns + keys + 1 };
        total->schema = *schema_copy(arena, &total->schema);
        logical_derive(arena, total);
        Expr **exprs = ARENA_ARRAY(arena, Expr *, node->schema.column_count + 1);
        for (int i = 0; i < keys; i++) {
            Value null = value_null(node->schema.columns[i].type);
            exprs[i] = expr_constant(arena, &null, node->at);
        }
        Value number = { .type = type_scalar(TYPE_BIGINT), .integer = s };
        exprs[keys] = expr_constant(arena, &number, node->at);
        for (int i = 0; i < calls; i++)
            exprs[keys + 1 + i] = binder_column(arena, &total->schema, i, node->at);
        inputs[count++] = main_port(logical_project(arena, main_port(total), exprs, node->schema.columns, node->schema.column_count, POLICY_FAIL, node->at));
    }
    return logical_union(arena, inputs, count, node->at);
}

/* ---- GROUPING(), GROUP_ID() ---- */

static bool called(const AstExpr *expr, const char *name)
{
    return ast_call_name(expr) && expr->path.count == 1 && name_equal(expr->path.items[0].text, name);
}

bool is_grouping_call(const AstExpr *expr)
{
    return called(expr, "grouping") || called(expr, "grouping_id") || called(expr, "group_id");
}

static AstExpr *integer(Arena *arena, int64_t value, Span at)
{
    AstExpr *literal = ARENA_NEW(arena, AstExpr);
    *literal = (AstExpr){ .kind = AST_LITERAL, .at = at, .op_at = at, .value = { .type = type_scalar(TYPE_BIGINT), .integer = value } };
    return literal;
}

/* What the call gives in a set: a bit for each key, 1 where it is not in the set; how many equal sets came before. */
static int64_t value_in(const GroupingSets *sets, int set, const int *keys, int key_count, bool group_id)
{
    int64_t value = 0;
    for (int k = 0; k < key_count && !group_id; k++)
        value = value * 2 + !(sets->items[set] >> keys[k] & 1);
    for (int before = 0; before < set && group_id; before++)
        value += sets->items[before] == sets->items[set];
    return value;
}

AstExpr *grouping_call_value(Arena *arena, const GroupingSets *sets, const AstExpr *call, const int *keys, int key_count, int number)
{
    bool group_id = called(call, "group_id");
    AstExpr *choice = ARENA_NEW(arena, AstExpr);
    *choice = (AstExpr){ .kind = AST_CASE, .at = call->at, .op_at = call->at, .left = ast_marker(arena, number, call->at), .right = integer(arena, 0, call->at) };
    for (int s = 0; s < sets->count; s++) {
        int64_t value = value_in(sets, s, keys, key_count, group_id);
        if (value == 0)
            continue;
        LIST_ADD(arena, &choice->args, integer(arena, s, call->at));
        LIST_ADD(arena, &choice->args, integer(arena, value, call->at));
    }
    return choice->args.count ? choice : integer(arena, 0, call->at);
}
