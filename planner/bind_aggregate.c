/* planner/bind_aggregate.c: GROUP BY, aggregates, and what expressions above them may see.
 *
 * The expressions of SELECT, HAVING, QUALIFY and ORDER BY are copied with every grouped expression, aggregate and window bound
 * replaced by a marker: the name of a column of the aggregate's result. What is left binds over that result like any other
 * expression; a plain column that is left is neither grouped nor aggregated. */
#include "planner/binder.h"
#include "common/calendar.h"
#include "planner/ast_map.h"
#include "planner/explain.h"
#include "planner/expr.h"
#include "planner/window_spec.h"

typedef struct Key {
    const AstExpr *ast;
    Expr *expr;
    const char *text;   /* canonical */
    const char *name;
    int column;         /* of the result */
} Key;

typedef struct Call {
    const AstExpr *ast;
    AggregateCallArgs of;
    Expr *filter;
    const char *text, *name;
} Call;

enum { SET_ARGS_MAX = 62 }; /* of GROUPING(..): bits of its result */

typedef struct Grouping {
    Block *block;
    Arena *arena;
    struct { Key *items; int count, capacity; } keys;
    struct { Call *items; int count, capacity; } calls;
    bool windowed;          /* the block has a window of its own */
    bool window_grouped;    /* GROUP BY names the bounds of FROM's window function */
    bool again;             /* rows that are windowed already, grouped by their window */
    WindowSpec again_spec;
    GroupingSets sets;      /* none: every row is in one group. Their number is one more key, behind the others */
    uint64_t found;         /* keys that group_item has just found */
    int between;            /* columns between keys and calls: bounds and pseudo columns */
    bool *in_alias;         /* per item of SELECT: its alias is being replaced by it, and means nothing inside */
} Grouping;

/* ---- what is an aggregate ---- */

bool is_aggregate_call(const AstExpr *expr)
{
    const char *name = ast_call_name(expr);
    return name && !expr->over && (expr->user_aggregate || (expr->path.count == 1 && is_aggregate_name(name)));
}

static bool aggregates(const AstExpr *expr) { return is_aggregate_call(expr) || is_top_call(expr); }

bool block_aggregates(const AstQuery *query)
{
    if (query->group_by.count || query->having || query->group_kind != AST_GROUP_PLAIN)
        return true;
    for (int i = 0; i < query->items.count; i++)
        if (ast_any(query->items.items[i].expr, aggregates))
            return true;
    for (int i = 0; i < query->order_by.count; i++)
        if (ast_any(query->order_by.items[i].expr, aggregates))
            return true;
    return ast_any(query->qualify, aggregates);
}

static const char *canonical(Arena *arena, const Expr *expr)
{
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    expr_canonical(expr, &text);
    const char *copy = arena_strdup(arena, text_c(&text));
    text_release(&text);
    return copy;
}

/* ---- GROUP BY ---- */

/* Binds over FROM without complaint: NULL if it does not bind. */
static Expr *try_bind(Block *block, const AstExpr *ast)
{
    Expr *expr = NULL;
    Error *error = block_expr(block, &block->from, ast, &expr);
    if (error) {
        error_free(error);
        return NULL;
    }
    return expr;
}

static bool is_window_bound(const Block *block, const Expr *expr)
{
    return block->from.pending && expr && expr->kind == EXPR_COLUMN && expr->column >= block->from.schema.column_count - 3;
}

static const char *key_name(Grouping *grouping, const AstExpr *ast, const Expr *expr)
{
    const AstQuery *query = grouping->block->query;
    if (expr->kind == EXPR_COLUMN)
        return grouping->block->from.schema.columns[expr->column].name; /* as it was declared */
    if (ast_expr_name(ast))
        return dialect_name(binder_rules(grouping->block->binder), grouping->arena, ast_expr_name(ast), false);
    const char *text = ast_text(grouping->arena, ast);
    for (int i = 0; i < query->items.count; i++) /* as SELECT calls it */
        if (query->items.items[i].alias.text && strcmp(ast_text(grouping->arena, query->items.items[i].expr), text) == 0)
            return query->items.items[i].alias.text;
    return arena_printf(grouping->arena, "key%d", grouping->keys.count + 1);
}

static uint64_t key_bit(int key) { return key < 64 ? (uint64_t)1 << key : 0; }

static Error *add_key(Grouping *grouping, const AstExpr *ast, const char *name)
{
    Block *block = grouping->block;
    Expr *expr = NULL;
    TRY(block_expr(block, &block->from, ast, &expr));
    if (is_window_bound(block, expr)) {
        grouping->window_grouped = true;
        return NULL;
    }
    if (expr->type->kind == TYPE_NULL)
        return error_at(ERR_BIND, ast->at, "a group key of NULL is no key");
    const char *text = canonical(grouping->arena, expr);
    for (int i = 0; i < grouping->keys.count; i++)
        if (strcmp(grouping->keys.items[i].text, text) == 0) {
            grouping->found |= key_bit(i);
            return NULL;
        }
    grouping->found |= key_bit(grouping->keys.count);
    Key key = { ast, expr, text, name ? name : key_name(grouping, ast, expr), grouping->keys.count };
    LIST_ADD(grouping->arena, &grouping->keys, key);
    return NULL;
}

static Error *group_item(Grouping *grouping, const AstExpr *ast)
{
    Block *block = grouping->block;
    const AstQuery *query = block->query;
    if (is_window_call(ast) || (block->window && !block->from.pending && is_window_bound_call(ast)))
        return NULL; /* bind_window_clause has read it; System.Timestamp() is the window's own */
    if (ast->kind == AST_STRUCT && ast->path.count == 0) { /* GROUP BY (a, b) */
        for (int i = 0; i < ast->args.count; i++)
            TRY(group_item(grouping, ast->args.items[i]));
        return NULL;
    }
    if (ast_any(ast, aggregates))
        return error_at(ERR_BIND, ast->at, "an aggregate cannot be a group key");
    if (ast->kind == AST_LITERAL && ast->value.type->kind != TYPE_NULL && type_is_integer(ast->value.type) && !binder_rules(block->binder)->no_ordinals) {
        int64_t ordinal = ast->value.integer;
        if (ordinal < 1 || ordinal > query->items.count)
            return error_at(ERR_BIND, ast->at, "GROUP BY %lld: there are %d columns", (long long)ordinal, query->items.count);
        const AstSelectItem *item = &query->items.items[ordinal - 1];
        if (ast_any(item->expr, aggregates))
            return error_at(ERR_BIND, ast->at, "GROUP BY %lld: column %lld is an aggregate", (long long)ordinal, (long long)ordinal);
        return add_key(grouping, item->expr, item->alias.text);
    }
    if (ast->kind == AST_NAME && ast->path.count == 1 && !try_bind(block, ast)) /* an alias of SELECT, if it is no column */
        for (int i = 0; i < query->items.count; i++) {
            const AstSelectItem *item = &query->items.items[i];
            if (!item->alias.text || !name_equal(item->alias.text, ast->path.items[0].text))
                continue;
            if (ast_any(item->expr, aggregates))
                return error_at(ERR_BIND, ast->at, "'%s' is an aggregate, not a group key", item->alias.text);
            if (is_window_bound_call(item->expr))
                return NULL;
            return add_key(grouping, item->expr, item->alias.text);
        }
    if (block->window && !block->from.pending && window_pseudo(ast) >= 0 && !try_bind(block, ast))
        return NULL; /* GROUP BY k, window_start beside a window of its own: no key */
    return add_key(grouping, ast, NULL);
}

/* GROUPING SETS, CUBE, ROLLUP: their keys, and which of them stand in which set. */
static Error *group_sets(Grouping *grouping)
{
    const AstQuery *query = grouping->block->query;
    uint64_t always = grouping->found, *elements = ARENA_ARRAY(grouping->arena, uint64_t, query->grouping_sets.count + 1);
    bool beside = grouping->window_grouped, some = false, all = true;
    for (int i = 0; i < query->grouping_sets.count; i++) {
        const AstExprs *items = &query->grouping_sets.items[i];
        grouping->found = 0;
        grouping->window_grouped = false;
        for (int k = 0; k < items->count; k++) {
            if (is_window_call(items->items[k]))
                return error_hint(error_at(ERR_BIND, items->items[k]->at, "a window inside of grouping sets"), "put it beside them: GROUP BY TUMBLE(..), ROLLUP (..)");
            TRY(group_item(grouping, items->items[k]));
        }
        elements[i] = grouping->found;
        some |= grouping->window_grouped;
        all &= grouping->window_grouped;
    }
    if (some && !beside && (!all || query->group_kind != AST_GROUP_SETS))
        return error_hint(error_at(ERR_BIND, query->group_at, "the bounds of the window must be in every grouping set"), "put them beside: GROUP BY window_start, window_end, ROLLUP (..)");
    grouping->window_grouped = beside || some;
    return grouping_sets_list(grouping->block->binder, query, always, elements, grouping->keys.count, &grouping->sets);
}

/* Keys of the aggregate: the number of the set is the last one. */
static int key_width(const Grouping *grouping) { return grouping->keys.count + (grouping->sets.count > 0); }

static bool in_every_set(const Grouping *grouping, int key)
{
    for (int s = 0; s < grouping->sets.count; s++)
        if (!(grouping->sets.items[s] & key_bit(key)))
            return false;
    return true;
}

/* ---- aggregates ---- */

/* Equal calls have equal texts. */
static const char *call_text(Arena *arena, const Call *call)
{
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    text_printf(&text, "%s%s", call->of.function->name, call->of.distinct ? " distinct" : "");
    for (int i = 0; i < call->of.arg_count; i++)
        text_printf(&text, ", %s", canonical(arena, call->of.args[i]));
    for (int i = 0; i < call->of.constant_count; i++) {
        text_add_c(&text, ", ");
        value_print(&call->of.constants[i], &text);
    }
    text_printf(&text, " : %s", call->filter ? canonical(arena, call->filter) : "");
    const char *copy = arena_strdup(arena, text_c(&text));
    text_release(&text);
    return copy;
}

static Error *bind_argument(void *context, const AstExpr *ast, Expr **expr)
{
    Block *block = context;
    if (ast_any(ast, aggregates))
        return error_at(ERR_BIND, ast->at, "an aggregate inside of an aggregate");
    TRY(block_expr(block, &block->from, ast, expr));
    return is_window_bound(block, *expr) ? binder_unsupported(ast->at, "an aggregate of a window's bounds") : NULL;
}

static Error *add_call(Grouping *grouping, const AstExpr *ast, int *index)
{
    Arena *arena = grouping->arena;
    Block *block = grouping->block;
    Call call = { .ast = ast, .name = ast_text(arena, ast) };
    if (is_ordered_aggregate(ast))
        TRY(bind_ordered_aggregate(block, ast, bind_argument, block, &call.of));
    else
        TRY(aggregate_call_args(block->binder, ast, bind_argument, block, &call.of));
    const AstExpr *filter = aggregate_filter(arena, ast);
    if (filter) {
        TRY(block_expr(block, &block->from, filter, &call.filter));
        if (call.filter->type->kind != TYPE_BOOLEAN)
            return error_at(ERR_BIND, filter->at, "FILTER (WHERE ..) needs a condition, this is %s", type_text(arena, call.filter->type));
    }
    call.text = call_text(arena, &call);
    for (*index = 0; *index < grouping->calls.count; ++*index)
        if (strcmp(grouping->calls.items[*index].text, call.text) == 0)
            return NULL;
    LIST_ADD(arena, &grouping->calls, call);
    return NULL;
}

/* ---- replacing ---- */

/* Column numbers of the result while calls are still being found: keys, three bounds, three pseudo columns in BIGINT, the id of one
 * of several windows, calls. */
static int bound_column(const Grouping *grouping, int which) { return key_width(grouping) + which; }
static int call_column(const Grouping *grouping, int index) { return key_width(grouping) + grouping->between + index; }

static AstExpr *match_key(Grouping *grouping, const AstExpr *ast)
{
    if (ast->kind == AST_LITERAL && !binder_rules(grouping->block->binder)->no_ordinals)
        return NULL;
    Expr *expr = try_bind(grouping->block, ast);
    if (!expr)
        return NULL;
    if (is_window_bound(grouping->block, expr))
        return ast_marker(grouping->arena, bound_column(grouping, expr->column - (grouping->block->from.schema.column_count - 3)), ast->at);
    const char *text = canonical(grouping->arena, expr);
    for (int i = 0; i < grouping->keys.count; i++)
        if (strcmp(grouping->keys.items[i].text, text) == 0)
            return ast_marker(grouping->arena, grouping->keys.items[i].column, ast->at);
    return NULL;
}

/* a.b.c where a.b is grouped: field c of the key. */
static AstExpr *match_key_field(Grouping *grouping, const AstExpr *ast)
{
    if (ast->kind != AST_NAME || ast->path.count < 2)
        return NULL;
    AstExpr shorter = *ast;
    shorter.path.count--;
    AstExpr *left = match_key(grouping, &shorter);
    left = left ? left : match_key_field(grouping, &shorter);
    if (!left)
        return NULL;
    AstExpr *field = ARENA_NEW(grouping->arena, AstExpr);
    field->kind = AST_FIELD;
    field->at = field->op_at = ast->at;
    field->left = left;
    LIST_ADD(grouping->arena, &field->path, ast->path.items[ast->path.count - 1]);
    return field;
}

/* GROUPING(a, b): which of the keys the group's set does not hold. */
static Error *replace_grouping(Grouping *grouping, const AstExpr *ast, AstExpr **replacement)
{
    int *keys = ARENA_ARRAY(grouping->arena, int, ast->args.count + 1);
    bool group_id = name_equal(ast_call_name(ast), "group_id");
    if (group_id != (ast->args.count == 0))
        return error_at(ERR_BIND, ast->at, group_id ? "%s takes no arguments" : "%s needs group keys", ast_call_name(ast));
    if (ast->args.count > SET_ARGS_MAX)
        return error_at(ERR_BIND, ast->at, "%s takes at most %d keys", ast_call_name(ast), SET_ARGS_MAX);
    for (int i = 0; i < ast->args.count; i++) {
        const Expr *expr = try_bind(grouping->block, ast->args.items[i]);
        const char *text = expr ? canonical(grouping->arena, expr) : "";
        for (keys[i] = 0; keys[i] < grouping->keys.count && strcmp(grouping->keys.items[keys[i]].text, text) != 0;)
            keys[i]++;
        if (keys[i] == grouping->keys.count)
            return error_at(ERR_BIND, ast->args.items[i]->at, "%s takes group keys, this is none", ast_call_name(ast));
    }
    *replacement = grouping_call_value(grouping->arena, &grouping->sets, ast, keys, ast->args.count, grouping->keys.count);
    return NULL;
}

static bool holds_special(const AstExpr *expr)
{
    return is_aggregate_call(expr) || expr->over || is_window_bound_call(expr) || is_grouping_call(expr);
}

/* The type of what was summed before it was widened for that. */
static const Type *summed_type(const Expr *arg)
{
    return arg->kind == EXPR_CALL && name_equal(arg->function->name, "cast") ? arg->args[0]->type : arg->type;
}

static AstExpr *cast_to(Arena *arena, AstExpr *expr, const Type *to)
{
    AstType *type = ARENA_NEW(arena, AstType);
    *type = (AstType){ .at = expr->at, .name = { .text = type_kind_name(to->kind), .at = expr->at }, .precision = -1, .scale = -1 };
    AstExpr *cast = ARENA_NEW(arena, AstExpr);
    *cast = (AstExpr){ .kind = AST_CAST, .at = expr->at, .left = expr, .type = type };
    return cast;
}

/* Flink: the average of integers is one, without its fraction. */
static AstExpr *whole_average(Arena *arena, AstExpr *average, const Type *of)
{
    if (!type_is_integer(of))
        return average;
    AstExpr *whole = ARENA_NEW(arena, AstExpr);
    *whole = (AstExpr){ .kind = AST_CALL, .at = average->at };
    AstName name = { .text = "trunc", .at = average->at };
    LIST_ADD(arena, &whole->path, name);
    LIST_ADD(arena, &whole->args, average);
    return cast_to(arena, whole, of);
}

static AstExpr *or_zero(Arena *arena, AstExpr *sum, const Type *of)
{
    AstExpr *zero = ARENA_NEW(arena, AstExpr), *either = ARENA_NEW(arena, AstExpr);
    *zero = (AstExpr){ .kind = AST_LITERAL, .at = sum->at, .value = { .type = type_scalar(TYPE_INT) } };
    *either = (AstExpr){ .kind = AST_CALL, .at = sum->at };
    AstName coalesce = { .text = "coalesce", .at = sum->at };
    LIST_ADD(arena, &either->path, coalesce);
    LIST_ADD(arena, &either->args, sum);
    LIST_ADD(arena, &either->args, zero);
    return of->kind == TYPE_INT ? cast_to(arena, either, of) : either;
}

static Error *replace(void *context, const AstExpr *ast, AstExpr **replacement)
{
    Grouping *grouping = context;
    Arena *arena = grouping->arena;
    int bound = grouping->windowed ? window_pseudo(ast) : -1;
    if (is_window_id(ast)) {
        if (!grouping->windowed || !grouping->block->window->several)
            return error_hint(error_at(ERR_BIND, ast->at, "System.Window().Id needs several windows in GROUP BY"), "Windows(Window('minute', TumblingWindow(minute, 1)), ..)");
        *replacement = ast_marker(arena, bound_column(grouping, 6), ast->at);
        return NULL;
    }
    if (is_top_call(ast)) {
        AstExpr *aggregate = NULL;
        TRY(bind_top_call(grouping->block, ast, &aggregate));
        return ast_map(arena, aggregate, replace, grouping, replacement);
    }
    if (ast->over && !is_over_call(ast))
        return binder_unsupported(ast->at, "%s OVER (..)", ast_call_name(ast));
    if (has_bare_unit(ast) && !match_key(grouping, ast)) {
        AstExpr *call = arena_copy(arena, ast, sizeof *ast), *unit = arena_copy(arena, ast->args.items[0], sizeof *unit);
        unit->kind = AST_LITERAL;
        unit->value = (Value){ .type = type_scalar(TYPE_VARCHAR), .text = str_c(unit->path.items[0].text) };
        call->args.items = arena_copy(arena, ast->args.items, sizeof *ast->args.items * (size_t)ast->args.count);
        call->args.items[0] = unit;
        return ast_map(arena, call, replace, grouping, replacement);
    }
    if (bound >= 0) {
        if (ast->kind == AST_CALL)
            TRY(check_window_bound_call(grouping->block, ast));
        *replacement = ast_marker(arena, bound_column(grouping, bound), ast->at);
        return NULL;
    }
    if (is_aggregate_call(ast)) {
        int index = 0;
        TRY(add_call(grouping, ast, &index));
        *replacement = ast_marker(arena, call_column(grouping, index), ast->at);
        if (binder_rules(grouping->block->binder)->integer_average && name_equal(ast_call_name(ast), "avg"))
            *replacement = whole_average(arena, *replacement, summed_type(grouping->calls.items[index].of.args[0]));
        if (binder_rules(grouping->block->binder)->sum_of_nothing_is_zero && name_equal(ast_call_name(ast), "sum"))
            *replacement = or_zero(arena, *replacement, summed_type(grouping->calls.items[index].of.args[0]));
        return NULL;
    }
    if (!grouping->windowed && is_window_bound_call(ast))
        return error_at(ERR_BIND, ast->at, "%s needs a window in GROUP BY", ast_call_name(ast));
    if (is_grouping_call(ast))
        return replace_grouping(grouping, ast, replacement);
    if (ast->kind == AST_CALL && !ast->over) /* a misspelt aggregate is that, and no column that is not grouped */
        TRY(bind_function_known(grouping->block->binder, ast));
    if (!ast_any(ast, holds_special)) {
        *replacement = match_key(grouping, ast);
        if (!*replacement)
            *replacement = match_key_field(grouping, ast);
    }
    if (*replacement || ast->kind != AST_NAME)
        return NULL;
    /* a plain name that is no key: an alias of SELECT, or an error */
    const AstQuery *query = grouping->block->query;
    Expr *expr = NULL;
    Error *error = block_expr(grouping->block, &grouping->block->from, ast, &expr);
    if (error && ast->path.count == 1)
        for (int i = 0; i < query->items.count; i++) {
            const AstSelectItem *item = &query->items.items[i];
            if (item->alias.text && item->expr != ast && !grouping->in_alias[i] && name_equal(item->alias.text, ast->path.items[0].text)) {
                error_free(error);
                grouping->in_alias[i] = true;
                error = ast_map(arena, item->expr, replace, grouping, replacement);
                grouping->in_alias[i] = false;
                return error;
            }
        }
    if (error)
        return error;
    const char *name = ast->path.items[ast->path.count - 1].text;
    return error_hint(error_at(ERR_BIND, ast->at, "column '%s' is neither grouped nor aggregated", name), "add it to GROUP BY, or take MIN(%s), MAX(%s)..", name, name);
}

/* ---- the nodes ---- */

typedef struct Inputs {
    Expr **exprs;
    Column *columns;
    int count;
    bool computed; /* something stands there that is no column of the input */
} Inputs;

/* The input's columns, then what has to be computed from them. */
static void start_inputs(Arena *arena, const Relation *over, int column_count, int room, Inputs *inputs)
{
    inputs->exprs = ARENA_ARRAY(arena, Expr *, column_count + room + 1);
    inputs->columns = ARENA_ARRAY(arena, Column, column_count + room + 1);
    for (int i = 0; i < column_count; i++) {
        inputs->exprs[i] = binder_column(arena, &over->schema, i, SPAN_NONE);
        inputs->columns[i] = over->schema.columns[i];
    }
    inputs->count = column_count;
}

static int input_column(Inputs *inputs, Expr *expr, const char *name)
{
    if (expr->kind == EXPR_COLUMN)
        return expr->column;
    for (int i = 0; i < inputs->count; i++)
        if (inputs->exprs[i]->kind != EXPR_COLUMN && !expr_is_volatile(expr) && expr_equal(inputs->exprs[i], expr))
            return i;
    inputs->exprs[inputs->count] = expr;
    inputs->columns[inputs->count] = (Column){ .name = name, .type = expr->type, .hidden = true };
    inputs->computed = true;
    return inputs->count++;
}

static Error *check_changes(Block *block, const Grouping *grouping, const Relation *over)
{
    const bool sliding = block->window && block->window->spec.kind == WINDOW_SLIDING;
    for (int i = 0; sliding && i < grouping->calls.count; i++)
        if (grouping->calls.items[i].of.function->retract == RETRACT_REFUSE)
            return error_at(ERR_BIND, grouping->calls.items[i].ast->at, "%s cannot take back rows, and rows leave a sliding window", grouping->calls.items[i].name);
    if (port_traits(grouping->arena, over->input).changes == CHANGES_APPEND)
        return NULL;
    if (block->window && window_refuses_changes(block->window->spec.kind))
        return error_hint(binder_unsupported(block->window->at, "a %s of rows that still change", window_kind_noun(block->window->spec.kind)), "make the inner query EMIT FINAL");
    for (int i = 0; i < grouping->calls.count; i++) {
        const Call *call = &grouping->calls.items[i];
        if (call->of.function->retract == RETRACT_REFUSE)
            return error_hint(error_at(ERR_BIND, call->ast->at, "%s cannot take back rows, and its input has updates", call->name),
                              "make the inner query EMIT FINAL");
    }
    return NULL;
}

void note_late_rows(Block *block, const AstName *late_into, LogicalNode *node, int visible, int set_column)
{
    Arena *arena = block->binder->arena;
    if (!late_into || !late_into->text)
        return;
    Schema under = port_schema(arena, node->inputs[0]);
    SidePort side = { .name = late_into->text, .input = { node, PORT_LATE } };
    side.columns = ARENA_ARRAY(arena, int, visible + late_columns.column_count + 1);
    for (int i = 0; i < visible; i++)
        if (!under.columns[i].hidden)
            side.columns[side.column_count++] = i;
    for (int i = 0; i < late_columns.column_count; i++)
        side.columns[side.column_count++] = under.column_count + i;
    side.own = block->binder->stack.count == block->binder->own_depth;
    if (set_column >= 0) {
        Value first = { .type = type_scalar(TYPE_BIGINT) };
        Expr *is_first = NULL, *args[2] = { binder_column(arena, &under, set_column, node->at), expr_constant(arena, &first, node->at) };
        error_free(expr_call(arena, "=", node->at, 2, args, &is_first)); /* two BIGINTs: there is such a function */
        side.input = main_port(logical_filter(arena, side.input, is_first, POLICY_FAIL, node->at));
    }
    LIST_ADD(arena, &block->binder->sides, side);
}

/* Rows that are already windowed, grouped by their window's bound again: every window end is one tumbling window on window_time
 * (see WindowColumns), so that the result closes with the window. */
static bool regroup_window(Arena *arena, const Relation *over, const Grouping *grouping, WindowSpec *spec)
{
    const WindowColumns *columns = &over->window;
    bool by_start = false, by_end = false;
    for (int i = 0; i < grouping->keys.count; i++) {
        const Expr *expr = grouping->keys.items[i].expr;
        if (expr->kind != EXPR_COLUMN || expr->column < 0 || !in_every_set(grouping, i))
            continue;
        by_start |= expr->column == columns->start;
        by_end |= expr->column == columns->end || expr->column == columns->time;
    }
    EdgeTraits traits = port_traits(arena, over->input);
    const TimeColumn *time = columns->time >= 0 ? traits_time(&traits, columns->time) : NULL;
    if (!columns->windowed || !(by_start || by_end) || !time)
        return false;
    *spec = window_cells(&columns->spec, !by_end);
    spec->time_column = columns->time;
    spec->lag_us = time->lag_us;
    spec->processing_time = time->processing;
    return true;
}

/* ksqlDB's rule: a result is as new as the newest row that it was made of. */
static bool needs_latest_time(const Block *block, const Relation *over)
{
    return binder_rules(block->binder)->windowed_time == TIME_OF_LARGEST_EVENT && over->time_column >= 0 && !over->processing_time;
}

static AggregateCall latest_time_call(const Relation *over)
{
    return (AggregateCall){ .function = &latest_time_aggregate, .arg_count = 1, .args = { over->time_column }, .filter = -1,
                            .type = over->schema.columns[over->time_column].type, .name = "$latest_time" };
}

/* Groups as messages: keyed by their keys, and by their window. */
static void message_of_groups(const Grouping *grouping, const Relation *over, const WindowUse *window, int time, Relation *result)
{
    Arena *arena = grouping->arena;
    MessageColumns *message = ARENA_NEW(arena, MessageColumns);
    *message = (MessageColumns){ .keyed = grouping->keys.count > 0, .key_order = true, .is_table = true, .time = time, .no_value = -1, .headers = -1, .from = over->message ? over->message->from : NULL };
    message->key = ARENA_ARRAY(arena, int, grouping->keys.count + 1);
    message->key_names = ARENA_ARRAY(arena, const char *, grouping->keys.count + 1);
    for (int i = 0; i < grouping->keys.count; i++) {
        message->key[i] = i;
        message->key_names[message->key_count++] = grouping->keys.items[i].name;
    }
    if (window && window_is_ksql(&window->spec) && !window->several)
        message->window = KEY_WINDOW_TIME;
    else if (window && window->spec.kind != WINDOW_COUNT) /* the start alone does not tell what window it is */
        message->window = KEY_WINDOW_SESSION;
    if (message->window == KEY_WINDOW_TIME)
        message->window_size_us = window->spec.size_us;
    result->message = message;
}

static RowPolicy node_policy(const Block *block, const Relation *over)
{
    return over->on_expr_error ? *over->on_expr_error : binder_policy(block->binder);
}

/* Rows that a WHERE has dropped do not move the clock. */
static PlanInput own_clock(Arena *arena, PlanInput input, int time_column, RowPolicy on_error, Span at)
{
    LogicalNode *stamp = logical_node(arena, PLAN_WATERMARK, at, 1, &input);
    stamp->watermark.time_column = time_column;
    stamp->watermark.on_error = on_error;
    logical_derive(arena, stamp);
    return main_port(stamp);
}

static Error *only_from_epoch(Binder *binder, Relation *result)
{
    Value epoch = { .type = result->schema.columns[result->window.start].type };
    Expr *args[2] = { binder_column(binder->arena, &result->schema, result->window.start, SPAN_NONE), expr_constant(binder->arena, &epoch, SPAN_NONE) }, *predicate = NULL;
    TRY(expr_call(binder->arena, ">=", SPAN_NONE, 2, args, &predicate));
    binder_filter(binder, result, predicate, SPAN_NONE);
    return NULL;
}

static Error *build(Block *block, Grouping *grouping, Relation *over, Relation *result)
{
    Arena *arena = grouping->arena;
    const WindowUse *window = block->window && (!block->from.pending || grouping->window_grouped) ? block->window : NULL;
    int from_columns = over->schema.column_count;
    if (over->pending)
        from_columns -= 3;
    Inputs inputs = { 0 };
    start_inputs(arena, over, from_columns, grouping->keys.count + grouping->calls.count * (FUNCTION_MAX_ARGS + 1), &inputs);
    int key_count = key_width(grouping);
    int *keys = ARENA_ARRAY(arena, int, key_count + 1);
    for (int i = 0; i < grouping->keys.count; i++)
        keys[i] = input_column(&inputs, grouping->keys.items[i].expr, grouping->keys.items[i].name);
    AggregateCall *calls = ARENA_ARRAY(arena, AggregateCall, grouping->calls.count + 2);
    for (int i = 0; i < grouping->calls.count; i++) {
        const Call *call = &grouping->calls.items[i];
        const AggregateCallArgs *of = &call->of;
        calls[i] = (AggregateCall){ .function = of->function, .arg_count = of->arg_count, .filter = -1, .distinct = of->distinct, .constants = of->constants,
                                    .constant_count = of->constant_count, .limit = of->limit, .type = of->type, .name = call->name, .at = call->ast->at };
        for (int a = 0; a < of->arg_count; a++)
            calls[i].args[a] = input_column(&inputs, of->args[a], of->names[a]);
        if (call->filter)
            calls[i].filter = input_column(&inputs, call->filter, ast_text(arena, aggregate_filter(arena, call->ast)));
    }
    WindowSpec spec = grouping->again_spec;
    bool again = grouping->again;
    Trigger trigger;
    int64_t delay_us;
    if (window) {
        spec = window->spec;
        EdgeTraits traits = port_traits(arena, over->input);
        const TimeColumn *time = traits_time(&traits, spec.time_column);
        spec.lag_us = time ? time->lag_us : 0;
    }
    PlanInput input = over->input;
    if (inputs.computed)
        input = main_port(binder_project(block->binder, over, inputs.exprs, inputs.columns, inputs.count, block->query->at));
    PlanInput rows = input; /* before there is one a set */
    bool totals = false;
    TRY(bind_trigger(block, window || again, &trigger, &delay_us));
    if (window)
        TRY(window_trigger(&window->spec, block_emit(block), window->at, &trigger));
    if (grouping->sets.count) {
        totals = trigger == TRIGGER_END && grouping_sets_have_total(&grouping->sets);
        input = grouping_sets_rows(block->binder, rows, &grouping->sets, totals, keys, grouping->keys.count, &keys[grouping->keys.count], block->query->group_at);
    }
    if (window && dialect_rules(block->binder->settings->dialect)->operator_clock && !spec.processing_time && spec.kind != WINDOW_COUNT)
        input = own_clock(arena, input, spec.time_column, node_policy(block, over), block->query->at);

    PlanKind kind = !window && !again ? PLAN_AGGREGATE : spec.kind == WINDOW_SESSION ? PLAN_SESSION_AGGREGATE : PLAN_WINDOW_AGGREGATE;
    LogicalNode *node = logical_node(arena, kind, block->query->group_at.length ? block->query->group_at : block->query->at, 1, &input);
    node->aggregate.key_columns = keys;
    node->aggregate.key_count = key_count;
    node->aggregate.calls = calls;
    node->aggregate.call_count = grouping->calls.count;
    const bool latest = needs_latest_time(block, over);
    if (latest)
        calls[node->aggregate.call_count++] = latest_time_call(over);
    node->aggregate.has_window = window || again;
    node->aggregate.window = spec;
    node->aggregate.on_error = node_policy(block, over);
    const DialectRules *rules = dialect_rules(block->binder->settings->dialect);
    node->aggregate.drop_null_keys = rules->drop_null_keys && key_count > 0 && grouping->sets.count == 0;
    node->aggregate.trigger = trigger;
    node->aggregate.delay_us = delay_us;
    node->aggregate.loses_windows = kind == PLAN_WINDOW_AGGREGATE && rules->lose_windows_on_jumps && window && window_is_ksql(&window->spec) && node->aggregate.trigger == TRIGGER_FINAL &&
                                    !port_traits(arena, input).bounded;
    node->aggregate.keep_empty = rules->keep_empty_groups && node->aggregate.trigger == TRIGGER_CHANGES;
    const int conflate = block->binder->settings->conflate;
    node->aggregate.emit_unchanged = !(conflate >= 0 ? conflate : rules->conflate) && node->aggregate.trigger == TRIGGER_CHANGES;

    Schema schema = { 0, ARENA_ARRAY(arena, Column, key_count + 3 + grouping->calls.count + 2) };
    for (int i = 0; i < grouping->keys.count; i++)
        schema.columns[schema.column_count++] = (Column){ .name = grouping->keys.items[i].name, .type = grouping->keys.items[i].expr->type };
    if (grouping->sets.count)
        schema.columns[schema.column_count++] = (Column){ .name = "$set", .type = type_scalar(TYPE_BIGINT), .hidden = true };
    static const char *const bounds[] = { "window_start", "window_end", "window_time", "$window_start", "$window_end", "$window_time" };
    for (int i = 0; i < 3 && (window || again); i++)
        schema.columns[schema.column_count++] = (Column){ .name = bounds[again ? 3 + i : i], .type = type_scalar(TYPE_TIMESTAMP), .hidden = true };
    for (int i = 0; i < grouping->calls.count; i++)
        schema.columns[schema.column_count++] = (Column){ .name = grouping->calls.items[i].name, .type = grouping->calls.items[i].of.type };
    if (latest)
        schema.columns[schema.column_count++] = (Column){ .name = "$latest_time", .type = calls[node->aggregate.call_count - 1].type, .hidden = true };
    node->schema = schema;
    logical_derive(arena, node);
    TRY(check_changes(block, grouping, over));
    if (window)
        note_late_rows(block, window->late_into, node, from_columns, grouping->sets.count ? keys[grouping->keys.count] : -1);
    if (totals)
        node = grouping_sets_totals(block->binder, node, rows, &grouping->sets, grouping->keys.count);

    const bool several = window && window->several;
    if (several) {
        if (grouping->sets.count)
            return binder_unsupported(window->at, "GROUPING SETS with several windows");
        TRY(bind_several_windows(block, node, window, &node));
        schema = node->schema;
    }
    *result = (Relation){ .input = main_port(node), .schema = schema, .time_column = -1, .window = { .start = -1, .end = -1, .time = -1 }, .dead_letter = over->dead_letter,
                            .on_expr_error = over->on_expr_error };
    if (several) { /* they end at any time, together or not */
        result->window = (WindowColumns){ true, key_count, key_count + 1, key_count + 2, { .kind = WINDOW_SNAPSHOT, .size_us = 1, .advance_us = 1, .end_inclusive = true } };
        result->time_column = key_count + 1;
    } else if (window) {
        result->window = (WindowColumns){ true, key_count, key_count + 1, key_count + 2, window->spec };
        result->time_column = spec.kind == WINDOW_COUNT ? -1 : spec.end_inclusive ? key_count + 1 : key_count + 2;
    } else if (again) {
        result->window = (WindowColumns){ true, -1, key_count + 1, key_count + 2, over->window.spec };
        for (int i = 0; i < grouping->keys.count; i++)
            if (grouping->keys.items[i].expr->kind == EXPR_COLUMN && grouping->keys.items[i].expr->column == over->window.start)
                result->window.start = i;
            else if (grouping->keys.items[i].expr->kind == EXPR_COLUMN && grouping->keys.items[i].expr->column == over->window.end)
                result->window.end = i;
        result->time_column = over->window.spec.end_inclusive ? key_count + 1 : key_count + 2;
    }
    result->processing_time = (window || again) && spec.processing_time;
    if (window && rules->windows_from_epoch && window->spec.kind == WINDOW_HOPPING)
        TRY(only_from_epoch(block->binder, result));
    message_of_groups(grouping, over, window, latest ? schema.column_count - 1 : result->time_column, result);
    return NULL;
}

/* Above a windowed aggregate of the block: WINDOWSTART, WINDOWEND, ROWTIME in milliseconds, between the bounds and the calls, where
 * the markers expect them. */
static Error *add_pseudo_columns(Grouping *grouping, Relation *result)
{
    Arena *arena = grouping->arena;
    int keys = key_width(grouping), count = result->schema.column_count, made = 0;
    Expr **exprs = ARENA_ARRAY(arena, Expr *, count + 4);
    Column *columns = ARENA_ARRAY(arena, Column, count + 4);
    static const char *const names[] = { "WINDOWSTART", "WINDOWEND", "ROWTIME" };
    for (int i = 0; i < count; i++) {
        exprs[made] = binder_column(arena, &result->schema, i, SPAN_NONE);
        columns[made++] = result->schema.columns[i];
        if (i != keys + 2)
            continue;
        for (int p = 0; p < 3; p++) {
            TRY(binder_to_ms(arena, binder_column(arena, &result->schema, keys + p, SPAN_NONE), &exprs[made]));
            columns[made++] = (Column){ .name = names[p], .hidden = true };
        }
    }
    LogicalNode *project = logical_project(arena, result->input, exprs, columns, made, POLICY_FAIL, result->input.node->at);
    if (result->message->time > keys + 2)
        result->message->time += 3;
    result->input = main_port(project);
    result->schema = project->schema;
    return NULL;
}

static Error *check_session_keys(Block *block, const Grouping *grouping)
{
    const AstExprs *partition = block->window->partition_by;
    if (block->window->spec.kind != WINDOW_SESSION || !block->window->table_function)
        return NULL;
    int given = partition ? partition->count : 0;
    bool same = given == grouping->keys.count && grouping->sets.count == 0;
    for (int i = 0; i < given && same; i++) {
        Expr *expr = NULL;
        TRY(block_expr(block, &block->from, partition->items[i], &expr));
        bool found = false;
        for (int k = 0; k < grouping->keys.count; k++)
            found |= strcmp(grouping->keys.items[k].text, canonical(grouping->arena, expr)) == 0;
        same = found;
    }
    if (same)
        return NULL;
    return error_hint(binder_unsupported(block->window->at, "SESSION with other keys than GROUP BY"),
                      "say SESSION(TABLE t PARTITION BY k, ..) and GROUP BY k, window_start, window_end");
}

Error *bind_aggregate(Block *block, AstExpr **exprs, int expr_count, Relation *result)
{
    Arena *arena = block->binder->arena;
    const AstQuery *query = block->query;
    Grouping grouping = { .block = block, .arena = arena, .in_alias = ARENA_ARRAY(arena, bool, block->query->items.count + 1) };
    Error *errors = NULL;
    for (int i = 0; i < query->group_by.count; i++)
        errors = error_append(errors, group_item(&grouping, query->group_by.items[i]));
    if (!errors && query->group_kind != AST_GROUP_PLAIN)
        errors = group_sets(&grouping);
    if (errors)
        return errors;
    Relation over = block->from;
    if (over.pending && !grouping.window_grouped) { /* GROUP BY without the window: its rows, once for each window */
        TRY(bind_window_assign(block->binder, &block->from));
        block->window = NULL;
        over = block->from;
    }
    grouping.windowed = block->window != NULL;
    if (!grouping.windowed)
        grouping.again = regroup_window(arena, &over, &grouping, &grouping.again_spec);
    grouping.between = grouping.windowed ? 6 + block->window->several : grouping.again ? 3 : 0;
    if (grouping.windowed)
        TRY(check_session_keys(block, &grouping));
    for (int i = 0; i < expr_count; i++)
        if (exprs[i])
            errors = error_append(errors, ast_map(arena, exprs[i], replace, &grouping, &exprs[i]));
    if (errors)
        return errors;
    TRY(build(block, &grouping, &over, result));
    block->group_keys = ARENA_ARRAY(arena, const Expr *, grouping.keys.count + 1);
    for (int i = 0; i < grouping.keys.count; i++)
        block->group_keys[block->group_key_count++] = grouping.keys.items[i].expr;
    if (grouping.windowed)
        TRY(add_pseudo_columns(&grouping, result));
    return NULL;
}

/* ---- DISTINCT ---- */

Error *bind_distinct(Block *block, Relation *relation)
{
    Arena *arena = block->binder->arena;
    Grouping grouping = { .block = block, .arena = arena, .in_alias = ARENA_ARRAY(arena, bool, block->query->items.count + 1) };
    int count = relation->schema.column_count;
    for (int i = 0; i < count; i++) {
        if (relation->schema.columns[i].hidden)
            continue;
        Expr *expr = binder_column(arena, &relation->schema, i, block->query->at);
        Key key = { NULL, expr, "", relation->schema.columns[i].name, grouping.keys.count };
        LIST_ADD(arena, &grouping.keys, key);
    }
    Relation over = *relation;
    WindowUse *window = block->window;
    block->window = NULL; /* its rows have their windows by now */
    grouping.again = regroup_window(arena, &over, &grouping, &grouping.again_spec);
    Error *error = build(block, &grouping, &over, relation);
    block->window = window;
    return error;
}

/* ---- when results come out ---- */

const AstEmit *block_emit(const Block *block)
{
    bool own = block->query->emit.kind != AST_EMIT_NONE || !block->context.emit;
    return own ? &block->query->emit : block->context.emit;
}

Error *bind_trigger(const Block *block, bool windowed, Trigger *trigger, int64_t *delay_us)
{
    const AstEmit *emit = block_emit(block);
    const Binder *binder = block->binder;
    bool bounded = port_traits(binder->arena, block->from.input).bounded;
    *delay_us = 0;
    if (emit->kind == AST_EMIT_AFTER_DELAY) {
        if (emit->delay.interval.months || emit->delay.interval.us <= 0)
            return error_at(ERR_BIND, emit->delay.at, "the delay must be a time of more than 0");
        *delay_us = emit->delay.interval.us;
    }
    if (!windowed && emit->kind == AST_EMIT_AFTER_WATERMARK)
        return error_at(ERR_BIND, emit->at, "EMIT AFTER WATERMARK needs a window: there is no end to wait for");
    if (!windowed && emit->kind == AST_EMIT_FINAL && !bounded)
        return error_at(ERR_BIND, emit->at, "EMIT FINAL needs a window: the input does not end");
    if (binder->final_results && !(block->context.top_level && emit->kind != AST_EMIT_NONE)) {
        *trigger = windowed ? TRIGGER_FINAL : TRIGGER_END;
        return NULL;
    }
    switch (emit->kind) {
    case AST_EMIT_NONE: {
        const WindowUse *window = block->window;
        bool outer = block->context.top_level || block->context.persistent;
        if (!windowed || (window && window->clause && outer))
            *trigger = TRIGGER_CHANGES;
        else
            *trigger = window && window->lateness_given && window->spec.grace_us ? TRIGGER_AFTER_WATERMARK : TRIGGER_FINAL;
        break;
    }
    case AST_EMIT_CHANGES: *trigger = TRIGGER_CHANGES; break;
    case AST_EMIT_FINAL: *trigger = windowed ? TRIGGER_FINAL : TRIGGER_END; break;
    case AST_EMIT_AFTER_WATERMARK: *trigger = TRIGGER_AFTER_WATERMARK; break;
    case AST_EMIT_AFTER_DELAY: *trigger = TRIGGER_DELAY; break;
    }
    return NULL;
}
