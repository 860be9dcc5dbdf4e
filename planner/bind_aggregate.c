/* planner/bind_aggregate.c: GROUP BY, aggregates, and what expressions above them may see.
 *
 * The expressions of SELECT, HAVING, QUALIFY and ORDER BY are copied with every grouped expression, aggregate and window bound
 * replaced by a marker: the name of a column of the aggregate's result. What is left binds over that result like any other
 * expression; a plain column that is left is neither grouped nor aggregated. */
#include "planner/bind_grouping.h"
#include "planner/ast_map.h"
#include "planner/expr.h"

enum { SET_ARGS_MAX = 62 }; /* of GROUPING(..): bits of its result */

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
    TRY(grouping_sets_list(grouping->block->binder, query, always, elements, grouping->keys.count, &grouping->sets));
    const uint64_t all_keys = ((uint64_t)1 << grouping->keys.count) - 1; /* grouping_sets_list allows less than 64 */
    if (grouping->sets.count == 1 && grouping->sets.items[0] == all_keys)
        grouping->sets.count = 0; /* GROUP BY () and other sets that are alone: plain groups, and their plans */
    return NULL;
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

/* CASE COUNT(x) WHEN 0 THEN 0 ELSE SUM(x) END: NULL is left to sums that do not fit. */
static Error *or_zero(Grouping *grouping, const AstExpr *ast, const Type *of, AstExpr **sum)
{
    Arena *arena = grouping->arena;
    AstExpr *zero = ARENA_NEW(arena, AstExpr), *either = ARENA_NEW(arena, AstExpr), *count = arena_copy(arena, ast, sizeof *ast);
    AstName name = { .text = "count", .at = ast->at };
    int index = 0;
    count->path = (AstNames){ 0 };
    LIST_ADD(arena, &count->path, name);
    TRY(add_call(grouping, count, &index));
    *zero = (AstExpr){ .kind = AST_LITERAL, .at = ast->at, .value = { .type = type_scalar(TYPE_INT) } };
    *either = (AstExpr){ .kind = AST_CASE, .at = ast->at, .left = ast_marker(arena, call_column(grouping, index), ast->at), .right = *sum };
    LIST_ADD(arena, &either->args, zero);
    LIST_ADD(arena, &either->args, zero);
    *sum = of->kind == TYPE_INT ? cast_to(arena, either, of) : either;
    return NULL;
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
            TRY(or_zero(grouping, ast, summed_type(grouping->calls.items[index].of.args[0]), replacement));
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
    if (error || expr_max_column(expr) < 0) /* CURRENT_TIMESTAMP is the same for all rows */
        return error;
    const char *name = ast->path.items[ast->path.count - 1].text;
    return error_hint(error_at(ERR_BIND, ast->at, "column '%s' is neither grouped nor aggregated", name), "add it to GROUP BY, or take MIN(%s), MAX(%s)..", name, name);
}

/* ---- the whole ---- */

/* Are the groups those that SESSION(TABLE t PARTITION BY ..) says? *same: yes, or there is no such window. */
static Error *check_session_keys(Block *block, const Grouping *grouping, bool *same)
{
    *same = true;
    if (!block->window || block->window->spec.kind != WINDOW_SESSION || !block->window->table_function)
        return NULL;
    const AstExprs *partition = block->window->partition_by;
    int given = partition ? partition->count : 0;
    *same = given == grouping->keys.count && grouping->sets.count == 0;
    for (int i = 0; i < given && *same; i++) {
        Expr *expr = NULL;
        TRY(block_expr(block, &block->from, partition->items[i], &expr));
        bool found = false;
        for (int k = 0; k < grouping->keys.count; k++)
            found |= strcmp(grouping->keys.items[k].text, canonical(grouping->arena, expr)) == 0;
        *same = found;
    }
    return NULL;
}

static Error *group_items(Grouping *grouping)
{
    const AstQuery *query = grouping->block->query;
    Error *errors = NULL;
    MEMORY_HOLD(error_unwind, &errors);
    for (int i = 0; i < query->group_by.count; i++)
        errors = error_append(errors, group_item(grouping, query->group_by.items[i]));
    return errors || query->group_kind == AST_GROUP_PLAIN ? errors : group_sets(grouping);
}

Error *bind_aggregate(Block *block, AstExpr **exprs, int expr_count, Relation *result)
{
    Arena *arena = block->binder->arena;
    Grouping grouping = { .block = block, .arena = arena, .in_alias = ARENA_ARRAY(arena, bool, block->query->items.count + 1) };
    Error *errors = NULL;
    MEMORY_HOLD(error_unwind, &errors);
    bool same;
    TRY(group_items(&grouping));
    TRY(check_session_keys(block, &grouping, &same));
    Relation over = block->from;
    if (over.pending && (!grouping.window_grouped || !same)) { /* its rows, once for each window, are what is grouped */
        TRY(bind_window_assign(block->binder, &block->from));
        block->window = NULL;
        over = block->from;
        if (grouping.window_grouped) {
            grouping = (Grouping){ .block = block, .arena = arena, .in_alias = grouping.in_alias };
            TRY(group_items(&grouping));
        }
    }
    grouping.windowed = block->window != NULL;
    if (!grouping.windowed)
        grouping.again = grouping_regroups(arena, &over, &grouping, &grouping.again_spec);
    grouping.between = grouping.windowed ? 6 + block->window->several : grouping.again ? 3 : 0;
    for (int i = 0; i < expr_count; i++)
        if (exprs[i])
            errors = error_append(errors, ast_map(arena, exprs[i], replace, &grouping, &exprs[i]));
    if (errors)
        return errors;
    TRY(grouping_build(block, &grouping, &over, result));
    block->group_keys = ARENA_ARRAY(arena, const Expr *, grouping.keys.count + 1);
    for (int i = 0; i < grouping.keys.count; i++)
        block->group_keys[block->group_key_count++] = grouping.keys.items[i].expr;
    if (grouping.windowed)
        TRY(grouping_pseudo_columns(&grouping, result));
    return NULL;
}
