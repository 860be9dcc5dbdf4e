/* planner/bind_join_terms.c: the conditions of a join: equalities become keys, comparisons of 64 bits are told apart because they bound what is
 * kept, what is about one side alone is tested before the join where that means the same. */
#include "planner/ast_map.h"
#include "planner/bind_join.h"
#include "planner/expr.h"

#include <stdlib.h>
#include <strings.h>

#include "common/calendar.h"

/* ---- sides ---- */

int join_sides_of(const Expr *expr, int left_count)
{
    int sides = expr->kind == EXPR_COLUMN ? (expr->column < left_count ? JOIN_OF_LEFT : JOIN_OF_RIGHT) : 0;
    for (int i = 0; i < expr->arg_count; i++)
        sides |= join_sides_of(expr->args[i], left_count);
    return sides;
}

/* The expression over one side's own columns. */
static Expr *own_expr(JoinBinding *join, const Expr *expr, int side)
{
    Arena *arena = join->block->binder->arena;
    const int count = join->joint.schema.column_count;
    int *map = ARENA_ARRAY(arena, int, count + 1);
    for (int i = 0; i < count; i++)
        map[i] = side ? i - join->left_count : i;
    Expr *own = expr_copy(arena, expr);
    expr_remap(own, map);
    return own;
}

static Error *bind_joint(JoinBinding *join, const AstExpr *ast, Expr **expr)
{
    Block *block = join->block;
    return binder_scope_expr(block->binder, &join->joint, block->parts.items, block->parts.count, ast, expr);
}

/* ---- shapes ---- */

static bool is_call(const Expr *expr, const char *name, int count)
{
    return expr->kind == EXPR_CALL && expr->arg_count == count && strcmp(expr->function->name, name) == 0;
}

bool join_time_offset(Expr *expr, Expr **column, int64_t *offset_us)
{
    *offset_us = 0;
    *column = expr;
    if (expr->kind == EXPR_COLUMN)
        return true;
    const bool plus = is_call(expr, "+", 2), minus = is_call(expr, "-", 2);
    if (!plus && !minus)
        return false;
    const int of_time = expr->args[0]->type->kind == TYPE_INTERVAL && plus;
    Expr *time = expr->args[of_time];
    const Expr *interval = expr->args[!of_time];
    if (!type_is_timestamp(time->type) || interval->kind != EXPR_CONSTANT || interval->type->kind != TYPE_INTERVAL || interval->value.is_null ||
        interval->value.interval.months)
        return false;
    int64_t inner = 0;
    if (!join_time_offset(time, column, &inner))
        return false;
    *offset_us = plus ? time_add(inner, interval->value.interval.us) : time_sub(inner, interval->value.interval.us);
    return true;
}

/* =, and under two-valued comparison what stands for it; NULL on either side: no match, either way. */
static const Expr *comparison(const Expr *expr)
{
    if (expr->kind == EXPR_COALESCE && expr->arg_count == 2 && expr->args[1]->kind == EXPR_CONSTANT && !expr->args[1]->value.is_null && !expr->args[1]->value.integer)
        expr = expr->args[0];
    return expr->kind == EXPR_CALL && expr->arg_count == 2 ? expr : NULL;
}

/* One argument is the left side's, the other the right side's: which is args[0]? -1: it is not so. */
static int side_of_first(const JoinBinding *join, const Expr *call)
{
    int a = join_sides_of(call->args[0], join->left_count), b = join_sides_of(call->args[1], join->left_count);
    return a == JOIN_OF_LEFT && b == JOIN_OF_RIGHT ? 0 : a == JOIN_OF_RIGHT && b == JOIN_OF_LEFT ? 1 : -1;
}

static bool take_key(JoinBinding *join, const Expr *call, bool optional)
{
    const int first = side_of_first(join, call);
    if (first < 0 || strcmp(call->function->name, "=") != 0 || !type_equal(call->args[0]->type, call->args[1]->type))
        return false;
    if (optional && (expr_can_fail(call) || expr_is_volatile(call)))
        return false;
    JoinTerm term = { .exprs = { own_expr(join, call->args[first], 0), own_expr(join, call->args[!first], 1) } };
    for (int k = 0; k < join->keys.count; k++)
        if (expr_equal(join->keys.items[k].exprs[0], term.exprs[0]) && expr_equal(join->keys.items[k].exprs[1], term.exprs[1]))
            return true;
    LIST_ADD(join->block->binder->arena, &join->keys, term);
    return true;
}

static bool is_wide_integer(const Type *type)
{
    return type_physical(type) == PHYSICAL_INT64;
}

/* <, <=, >, >= of 64-bit values as right <= left + offset or right >= left + offset. */
static bool take_compare(JoinBinding *join, const Expr *call)
{
    static const char *const signs[] = { "<=", "<", ">=", ">" };
    const int first = side_of_first(join, call);
    int sign = 0;
    while (sign < 4 && strcmp(call->function->name, signs[sign]) != 0)
        sign++;
    if (first < 0 || sign == 4 || !type_equal(call->args[0]->type, call->args[1]->type) || !is_wide_integer(call->args[0]->type))
        return false;
    const bool strict = sign & 1;
    const bool at_least = (sign >= 2) == (first == 1); /* with the right side on the left of the sign */
    Expr *columns[2];
    int64_t offsets[2] = { 0, 0 };
    for (int s = 0; s < 2; s++) {
        Expr *expr = own_expr(join, call->args[s == first ? 0 : 1], s);
        columns[s] = expr;
        if (!join_time_offset(expr, &columns[s], &offsets[s])) {
            columns[s] = expr;
            offsets[s] = 0;
        }
        if (columns[s]->kind != EXPR_COLUMN && (expr_can_fail(columns[s]) || expr_is_volatile(columns[s])))
            return false;
    }
    int64_t offset = time_sub(offsets[0], offsets[1]);
    if (strict)
        offset = time_add(offset, at_least ? 1 : -1);
    JoinTerm term = { .exprs = { columns[0], columns[1] }, .at_least = at_least, .offset = offset };
    LIST_ADD(join->block->binder->arena, &join->compares, term);
    return true;
}

/* ---- DATEDIFF ---- */

static int64_t unit_length(const Expr *unit)
{
    static const struct { const char *name; int64_t us; } units[] = {
        { "microsecond", 1 }, { "millisecond", US_PER_MS }, { "second", US_PER_SECOND }, { "minute", 60 * US_PER_SECOND }, { "hour", 3600 * US_PER_SECOND }, { "day", US_PER_DAY },
    };
    if (unit->kind != EXPR_CONSTANT || unit->value.is_null || unit->type->kind != TYPE_VARCHAR)
        return 0;
    const Str text = unit->value.text;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strlen(units[i].name) == text.length && strncasecmp(units[i].name, str_bytes(&text), text.length) == 0)
            return units[i].us;
    return 0;
}

static void imply(JoinBinding *join, const Expr *diff, bool at_least, int64_t offset)
{
    const Expr pair = { .args = diff->args + 1, .arg_count = 2 };
    const int first = side_of_first(join, &pair);
    if (first < 0 || !type_equal(pair.args[0]->type, pair.args[1]->type))
        return;
    JoinTerm term = { .exprs = { own_expr(join, pair.args[first], 0), own_expr(join, pair.args[!first], 1) } };
    if (term.exprs[0]->kind != EXPR_COLUMN || term.exprs[1]->kind != EXPR_COLUMN)
        return;
    term.at_least = first == 0 ? at_least : !at_least;
    term.offset = first == 0 ? offset : time_sub(0, offset);
    LIST_ADD(join->block->binder->arena, &join->compares, term);
}

/* DATEDIFF(unit, a, b) <= n counts boundaries between a and b: it implies b < a + (n + 1) units. */
static void imply_bounds(JoinBinding *join, const Expr *call)
{
    const int of_diff = is_call(call->args[1], "datediff", 3);
    const Expr *diff = call->args[of_diff], *limit = call->args[!of_diff];
    int64_t unit_us;
    if (!is_call(diff, "datediff", 3) || limit->kind != EXPR_CONSTANT || !type_is_integer(limit->type) || limit->value.is_null || !(unit_us = unit_length(diff->args[0])))
        return;
    const char *sign = call->function->name;
    const bool less = *sign == (of_diff ? '>' : '<'), equal = strchr(sign, '=') != NULL;
    int64_t n = limit->value.integer;
    if (llabs(n) > INT64_MAX / unit_us / 4)
        return;
    if (strcmp(sign, "=") == 0 || less)
        imply(join, diff, false, (n + equal) * unit_us - 1);
    if (strcmp(sign, "=") == 0 || (!less && strchr("<>", *sign) && strcmp(sign, "<>") != 0))
        imply(join, diff, true, (n - equal) * unit_us + 1);
}

/* ---- ON ---- */

static bool may_go_below(const JoinBinding *join, int side, const Expr *expr)
{
    EdgeTraits traits = port_traits(join->block->binder->arena, join->sides[side].input);
    return !join->preserved[side] && traits.changes != CHANGES_UPSERT && !expr_can_fail(expr) && !expr_is_volatile(expr);
}

static void take_conjunct(JoinBinding *join, Expr *conjunct)
{
    Arena *arena = join->block->binder->arena;
    const Expr *call = comparison(conjunct);
    if (call && (take_key(join, call, false) || take_compare(join, call)))
        return;
    if (call)
        imply_bounds(join, call);
    const int sides = join_sides_of(conjunct, join->left_count);
    for (int s = 0; s < 2; s++)
        if (sides == (s ? JOIN_OF_RIGHT : JOIN_OF_LEFT) && may_go_below(join, s, conjunct)) {
            LIST_ADD(arena, &join->filters[s], own_expr(join, conjunct, s));
            return;
        }
    LIST_ADD(arena, &join->rest, conjunct);
}

static Error *take_condition(JoinBinding *join, const AstExpr *ast)
{
    Arena *arena = join->block->binder->arena;
    Expr *expr = NULL;
    TRY(bind_joint(join, ast, &expr));
    if (expr->type->kind == TYPE_NULL)
        TRY(binder_cast(arena, expr, type_scalar(TYPE_BOOLEAN), &expr));
    if (expr->type->kind != TYPE_BOOLEAN)
        return error_at(ERR_BIND, ast->at, "ON needs conditions, this is %s", type_text(arena, expr->type));
    ExprList conjuncts = { 0 };
    expr_conjuncts(arena, expr, &conjuncts);
    for (int i = 0; i < conjuncts.count; i++)
        if (!expr_is_true(conjuncts.items[i]))
            take_conjunct(join, conjuncts.items[i]);
    return NULL;
}

/* DATEDIFF(minute, a, b) with the names of the sides, as Azure Stream Analytics writes it: their event times. */
static Error *replace_side_time(void *context, const AstExpr *ast, AstExpr **replacement)
{
    JoinBinding *join = context;
    const char *name = ast_call_name(ast);
    if (!name || !name_equal(name, "datediff") || ast->args.count != 3)
        return NULL;
    Arena *arena = join->block->binder->arena;
    AstExpr *copy = arena_copy(arena, ast, sizeof *ast);
    copy->args = (AstExprs){ 0 };
    for (int i = 0; i < 3; i++) {
        AstExpr *arg = ast->args.items[i];
        for (int p = 0; i > 0 && arg->kind == AST_NAME && arg->path.count == 1 && p < join->block->parts.count; p++) {
            const ScopeRelation *part = &join->block->parts.items[p];
            if (part->alias && name_equal(part->alias, arg->path.items[0].text) && part->time_place > 0)
                arg = ast_marker(arena, part->base + part->time_place - 1, arg->at);
        }
        LIST_ADD(arena, &copy->args, arg);
    }
    *replacement = copy;
    return NULL;
}

/* ---- USING ---- */

static Error *side_column(JoinBinding *join, int side, const AstName *name, Expr **expr)
{
    const Relation *relation = &join->sides[side];
    const int column = schema_find(&relation->schema, name->text);
    if (column == -2)
        return error_at(ERR_BIND, name->at, "column '%s' is ambiguous", name->text);
    if (column < 0)
        return error_at(ERR_BIND, name->at, "no column '%s' in %s", name->text, relation->alias ? relation->alias : side ? "the right side" : "the left side");
    *expr = binder_column(join->block->binder->arena, &relation->schema, column, name->at);
    return NULL;
}

static Error *take_using(JoinBinding *join, const AstName *name)
{
    Arena *arena = join->block->binder->arena;
    JoinTerm term = { .exprs = { NULL, NULL } };
    for (int s = 0; s < 2; s++)
        TRY(side_column(join, s, name, &term.exprs[s]));
    Expr *both[2] = { term.exprs[0], term.exprs[1] };
    const Type *common;
    TRY(expr_unify(arena, arena_printf(arena, "USING (%s)", name->text), (Expr **[]){ &both[0], &both[1] }, 2, &common));
    memcpy(term.exprs, both, sizeof both);
    LIST_ADD(arena, &join->keys, term);
    return NULL;
}

/* NATURAL JOIN: the visible columns that both have. */
static void natural_names(JoinBinding *join, AstNames *names)
{
    const Schema *left = &join->sides[0].schema, *right = &join->sides[1].schema;
    for (int i = 0; i < left->column_count; i++)
        for (int j = 0; j < right->column_count; j++)
            if (!left->columns[i].hidden && !right->columns[j].hidden && name_equal(left->columns[i].name, right->columns[j].name)) {
                AstName name = { left->columns[i].name, true, join->ast->at };
                LIST_ADD(join->block->binder->arena, names, name);
            }
}

/* ---- WHERE ---- */

/* What an inner join can use of it; it is tested there all the same. */
static void use_where(JoinBinding *join)
{
    Arena *arena = join->block->binder->arena;
    AstExprs conjuncts = { 0 };
    ast_conjuncts(arena, join->block->query->where, &conjuncts);
    for (int i = 0; i < conjuncts.count; i++) {
        AstExpr *ast = conjuncts.items[i];
        Expr *expr = NULL;
        Error *error = ast_any(ast, is_subquery) ? NULL : ast_map(arena, ast, replace_side_time, join, &ast);
        if (!error && !ast_any(ast, is_subquery))
            error = bind_joint(join, ast, &expr);
        error_free(error); /* WHERE says it, if it is one there */
        if (error || !expr || expr->type->kind != TYPE_BOOLEAN)
            continue;
        ExprList parts = { 0 };
        expr_conjuncts(arena, expr, &parts);
        for (int p = 0; p < parts.count; p++) {
            const Expr *call = comparison(parts.items[p]);
            if (call && !take_key(join, call, true) && !take_compare(join, call))
                imply_bounds(join, call);
        }
    }
}

Error *bind_join_terms(JoinBinding *join, int first_right)
{
    Arena *arena = join->block->binder->arena;
    join->using = join->ast->using;
    if (join->ast->natural)
        natural_names(join, &join->using);
    for (int i = 0; i < join->using.count; i++)
        TRY(take_using(join, &join->using.items[i]));
    AstExprs on = { 0 };
    ast_conjuncts(arena, join->ast->on, &on);
    TRY(bind_on_subqueries(join, first_right, &on));
    for (int i = 0; i < on.count; i++) {
        AstExpr *ast = on.items[i];
        if (ast_any(ast, is_subquery)) {
            LIST_ADD(arena, &join->above, ast);
            continue;
        }
        TRY(ast_map(arena, ast, replace_side_time, join, &ast));
        TRY(take_condition(join, ast));
    }
    join->on_keys = join->keys.count;
    TRY(bind_join_rules(join));
    if (!join->preserved[0] && !join->preserved[1] && !join->only_on && join->block->query->where && !binder_rules(join->block->binder)->joins_by_arrival)
        use_where(join);
    bind_join_window_keys(join);
    return NULL;
}
