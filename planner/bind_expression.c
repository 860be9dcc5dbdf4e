/* planner/bind_expression.c: AstExpr -> Expr: names become columns, operators and calls become functions, conversions become casts.
 *
 * Spellings end here: BETWEEN, IN, simple CASE, EXTRACT and ifnull are the same nodes as what they stand for. So do presets: under
 * two-valued comparison each comparison is wrapped so that unknown is false. */
#include "planner/bind_expression.h"
#include <ctype.h>
#include "common/calendar.h"
#include "planner/ast_map.h"

static Error *unsupported(Span at, const char *what) { return error_at(ERR_UNSUPPORTED, at, "%s is not supported yet", what); }

static Error *negate(BindContext *context, bool negated, Span at, Expr **expr)
{
    return negated ? bind_function(context, "not", at, 1, expr, expr) : NULL;
}

Error *bind_boolean(BindContext *context, const char *what, Expr **expr)
{
    if ((*expr)->type->kind == TYPE_NULL)
        return expr_cast(context->arena, *expr, type_scalar(TYPE_BOOLEAN), false, (*expr)->at, expr);
    if ((*expr)->type->kind != TYPE_BOOLEAN)
        return error_at(ERR_BIND, (*expr)->at, "%s needs a condition, this is %s", what, type_text(context->arena, (*expr)->type));
    return NULL;
}

/* ---- comparisons ---- */

static bool is_null_literal(const Expr *expr) { return expr->kind == EXPR_CONSTANT && expr->value.is_null && expr->type->kind == TYPE_NULL; }

static bool two_valued(const BindContext *context) { return context->rules && context->rules->two_valued_comparison; }

/* Unknown is false, where the preset says so. */
static void settle_unknown(BindContext *context, Expr **expr)
{
    if (!two_valued(context))
        return;
    Expr *no = expr_boolean(context->arena, false, (*expr)->at);
    if ((*expr)->kind == EXPR_CONSTANT) {
        *expr = (*expr)->value.is_null ? no : *expr;
        return;
    }
    Expr *both = ARENA_NEW(context->arena, Expr);
    *both = (Expr){ .kind = EXPR_COALESCE, .type = no->type, .at = (*expr)->at, .arg_count = 2, .args = ARENA_ARRAY(context->arena, Expr *, 2) };
    both->args[0] = *expr;
    both->args[1] = no;
    *expr = both;
}

/* ROWTIME > '2026-01-01T00:00:00' compares with that time in milliseconds (ksqlDB). */
static void date_for_pseudo(BindContext *context, const Expr *pseudo, Expr **text)
{
    int64_t us;
    if (pseudo->kind != EXPR_COLUMN || pseudo->type->kind != TYPE_BIGINT || !pseudo->name ||
        (*text)->kind != EXPR_CONSTANT || (*text)->type->kind != TYPE_VARCHAR || (*text)->value.is_null)
        return;
    if (!name_equal(pseudo->name, "ROWTIME") && !name_equal(pseudo->name, "WINDOWSTART") && !name_equal(pseudo->name, "WINDOWEND"))
        return;
    char whole[64];
    const Str *given = &(*text)->value.text;
    size_t length = context->rules && context->rules->short_times ? timestamp_complete(str_bytes(given), given->length, whole, sizeof whole) : 0;
    if (!timestamp_parse(length ? whole : str_bytes(given), length ? length : given->length, &us, NULL))
        return;
    Value ms = { .type = type_scalar(TYPE_BIGINT), .integer = floor_div(us, US_PER_MS) };
    *text = expr_constant(context->arena, &ms, (*text)->at);
}

/* ksqlDB: beside a DATE or a TIMESTAMP a literal may leave out its end: ts > '2026-01', ts = '2026-01-05T10'. */
static void complete_time(BindContext *context, const Expr *beside, Expr **text)
{
    char whole[64];
    if (!context->rules || !context->rules->short_times || (beside->type->kind != TYPE_DATE && !type_is_timestamp(beside->type)) || (*text)->kind != EXPR_CONSTANT ||
        (*text)->type->kind != TYPE_VARCHAR || (*text)->value.is_null)
        return;
    const size_t length = timestamp_complete(str_bytes(&(*text)->value.text), (*text)->value.text.length, whole, sizeof whole);
    if (!length)
        return;
    Value value = { .type = type_scalar(TYPE_VARCHAR), .text = str_view(arena_strndup(context->arena, whole, length), length) };
    *text = expr_constant(context->arena, &value, (*text)->at);
}

static Error *compare(BindContext *context, const char *sign, Span at, Expr *left, Expr *right, Expr **result)
{
    if (two_valued(context) && (is_null_literal(left) || is_null_literal(right)))
        return error_hint(error_at(ERR_BIND, at, "a comparison with NULL is never true"), "use IS NULL or IS NOT NULL");
    Expr *args[2] = { left, right };
    for (int i = 0; i < 2; i++)
        date_for_pseudo(context, args[1 - i], &args[i]);
    for (int i = 0; i < 2; i++)
        complete_time(context, args[1 - i], &args[i]);
    if (context->rules && context->rules->flat_order && type_is_nested(left->type) && (*sign == '<' || *sign == '>') && strcmp(sign, "<>") != 0)
        return error_at(ERR_BIND, at, "%s with %s: such values have no order", type_text(context->arena, left->type), type_text(context->arena, right->type));
    TRY(bind_function(context, sign, at, 2, args, result));
    settle_unknown(context, result);
    return NULL;
}

static const char *comparison_sign(AstOperator op)
{
    switch (op) {
    case OP_EQUAL: return "=";
    case OP_NOT_EQUAL: return "<>";
    case OP_LESS: return "<";
    case OP_LESS_EQUAL: return "<=";
    case OP_GREATER: return ">";
    case OP_GREATER_EQUAL: return ">=";
    default: return NULL;
    }
}

static const char *arithmetic_sign(AstOperator op)
{
    switch (op) {
    case OP_ADD: return "+";
    case OP_SUBTRACT:
    case OP_NEGATE: return "-";
    case OP_MULTIPLY: return "*";
    case OP_DIVIDE: return "/";
    case OP_MODULO: return "%";
    case OP_CONCAT: return "||";
    default: return NULL;
    }
}

/* AND and OR chains are flat: `a AND b AND c` is one node. */
static Error *bind_logic(BindContext *context, const AstExpr *ast, Expr **result)
{
    ExprList list = { 0 };
    AstOperator op = ast->op;
    const char *word = op == OP_AND ? "AND" : "OR";
    const AstExpr *at = ast;
    struct { const AstExpr **items; int count, capacity; } rest = { 0 }; /* right sides, last first */
    while (at->kind == AST_BINARY && at->op == op) {
        LIST_ADD(context->arena, &rest, at->right);
        at = at->left;
    }
    for (int i = rest.count; i >= 0; i--) {
        Expr *one;
        TRY(bind_expression(context, i == rest.count ? at : rest.items[i], &one));
        TRY(bind_boolean(context, word, &one));
        LIST_ADD(context->arena, &list, one);
    }
    *result = expr_logic(context->arena, op == OP_AND ? EXPR_AND : EXPR_OR, list.items, list.count, ast->at);
    return NULL;
}

/* A date moved by less than a day becomes a timestamp. */
static Error *widen_date(BindContext *context, Expr **date, const Expr *interval)
{
    if ((*date)->type->kind != TYPE_DATE || interval->type->kind != TYPE_INTERVAL)
        return NULL;
    if (interval->kind == EXPR_CONSTANT && (interval->value.is_null || interval->value.interval.us % US_PER_DAY == 0))
        return NULL;
    return expr_cast(context->arena, *date, type_timestamp(context->arena, TYPE_TIMESTAMP, 3), false, (*date)->at, date);
}

/* Where the preset wants it, a number that arithmetic in a lambda needs must not be NULL. */
static Error *require(BindContext *context, Expr **expr)
{
    if (!context->lambda || !context->rules || !context->rules->strict_lambdas || !type_is_numeric((*expr)->type) || (*expr)->kind == EXPR_CONSTANT)
        return NULL;
    return expr_call(context->arena, "not null value", (*expr)->at, 1, expr, expr);
}

static Error *bind_binary(BindContext *context, const AstExpr *ast, Expr **result)
{
    if (ast->op == OP_AND || ast->op == OP_OR)
        return bind_logic(context, ast, result);
    Expr *args[2];
    Span at = ast->at;
    if (comparison_sign(ast->op) && ast_is_row(ast->left) && ast_is_row(ast->right)) {
        AstExpr *columns;
        TRY(row_comparison(context->arena, ast->op, ast->left, ast->right, at, &columns));
        return bind_expression(context, columns, result);
    }
    TRY(bind_expression(context, ast->left, &args[0]));
    TRY(bind_expression(context, ast->right, &args[1]));
    if (comparison_sign(ast->op))
        return compare(context, comparison_sign(ast->op), at, args[0], args[1], result);
    if (ast->op == OP_ADD || ast->op == OP_SUBTRACT) {
        TRY(widen_date(context, &args[0], args[1]));
        TRY(widen_date(context, &args[1], args[0]));
    }
    if (ast->op == OP_CONCAT && args[0]->type->kind == TYPE_ARRAY && args[1]->type->kind == TYPE_ARRAY) {
        const Type *type;
        TRY(expr_unify(context->arena, "||", (Expr **[]){ &args[0], &args[1] }, 2, &type));
    }
    for (int i = 0; i < 2 && ast->op != OP_CONCAT; i++)
        TRY(require(context, &args[i]));
    return bind_function(context, arithmetic_sign(ast->op), at, 2, args, result);
}

static Error *bind_unary(BindContext *context, const AstExpr *ast, Expr **result)
{
    TRY(bind_expression(context, ast->left, result));
    if (ast->op == OP_NOT) {
        TRY(bind_boolean(context, "NOT", result));
        return negate(context, true, ast->at, result);
    }
    if (ast->op == OP_PLUS) {
        if (!type_is_numeric((*result)->type) && (*result)->type->kind != TYPE_INTERVAL)
            return error_at(ERR_BIND, ast->at, "no operator '+' for %s", type_text(context->arena, (*result)->type));
        return NULL;
    }
    if ((*result)->kind == EXPR_CONSTANT && (*result)->type->kind == TYPE_DECIMAL && (*result)->type->precision == 19 && (*result)->type->scale == 0 &&
        !(*result)->value.is_null && (*result)->value.decimal == (Int128)INT64_MAX + 1) { /* 9223372036854775808 alone is no BIGINT, its negative is */
        Value least = { .type = type_scalar(TYPE_BIGINT), .integer = INT64_MIN };
        *result = expr_constant(context->arena, &least, ast->at);
        return NULL;
    }
    return bind_function(context, "-", ast->at, 1, result, result);
}

static Error *bind_is(BindContext *context, const AstExpr *ast, Expr **result)
{
    Expr *args[2] = { NULL, NULL };
    TRY(bind_expression(context, ast->left, &args[0]));
    switch (ast->is) {
    case IS_NULL: return bind_function(context, ast->negated ? "is not null" : "is null", ast->at, 1, args, result);
    case IS_DISTINCT:
        TRY(bind_expression(context, ast->right, &args[1]));
        return bind_function(context, ast->negated ? "is not distinct from" : "is distinct from", ast->at, 2, args, result);
    case IS_TRUE:
    case IS_FALSE:
        TRY(bind_boolean(context, ast->is == IS_TRUE ? "IS TRUE" : "IS FALSE", &args[0]));
        TRY(bind_function(context, ast->is == IS_TRUE ? "is true" : "is false", ast->at, 1, args, result));
        return negate(context, ast->negated, ast->at, result);
    case IS_UNKNOWN:
        TRY(bind_boolean(context, "IS UNKNOWN", &args[0]));
        return bind_function(context, ast->negated ? "is not null" : "is null", ast->at, 1, args, result);
    }
    return NULL;
}

/* BETWEEN SYMMETRIC: the smaller bound is the lower one. */
static Error *order_bounds(BindContext *context, Span at, Expr **low, Expr **high)
{
    Expr *bounds[2] = { *low, *high }, *copies[2] = { expr_copy(context->arena, *low), expr_copy(context->arena, *high) };
    TRY(bind_function(context, "least", at, 2, bounds, low));
    return bind_function(context, "greatest", at, 2, copies, high);
}

static Error *bind_between(BindContext *context, const AstExpr *ast, Expr **result)
{
    Expr *value, *low, *high, *both[2];
    TRY(bind_expression(context, ast->left, &value));
    TRY(bind_expression(context, ast->args.items[0], &low));
    TRY(bind_expression(context, ast->args.items[1], &high));
    if (ast->symmetric)
        TRY(order_bounds(context, ast->at, &low, &high));
    TRY(compare(context, ">=", ast->at, value, low, &both[0]));
    TRY(compare(context, "<=", ast->at, expr_copy(context->arena, value), high, &both[1]));
    *result = expr_logic(context->arena, EXPR_AND, both, 2, ast->at);
    return negate(context, ast->negated, ast->at, result);
}

/* Constants become a set; anything else a chain of =. */
/* ksqlDB: a literal in a list is read as what stands on the left: '10' as a number, 10 as a text. */
static Error *follow_left(BindContext *context, const Expr *left, Expr **item)
{
    const bool left_text = left->type->kind == TYPE_VARCHAR, item_text = (*item)->type->kind == TYPE_VARCHAR;
    if (!context->rules || !context->rules->literals_follow || (*item)->kind != EXPR_CONSTANT || (left_text && item_text) || (*item)->value.is_null)
        return NULL;
    complete_time(context, left, item);
    if (left->type->kind == TYPE_ARRAY && (*item)->type->kind == TYPE_ARRAY) { /* ['3', NULL] beside integers */
        Value value;
        const char *reason = NULL;
        if (!type_equal(left->type, (*item)->type) && value_cast(context->arena, &(*item)->value, left->type, &value, &reason))
            *item = expr_constant(context->arena, &value, (*item)->at);
        return NULL;
    }
    if (left_text == item_text || (!left_text && !type_is_numeric(left->type)))
        return NULL;
    const Type *to = left_text ? left->type : left->type->kind == TYPE_DOUBLE ? left->type : type_decimal(context->arena, 38, 18);
    Expr *cast = NULL;
    TRY(expr_cast(context->arena, *item, to, false, (*item)->at, &cast));
    cast = expr_fold(context->arena, cast);
    if (cast->kind == EXPR_CONSTANT) /* else it is no number, and the comparison says so */
        *item = cast;
    return NULL;
}

static Error *bind_in(BindContext *context, const AstExpr *ast, Expr **result)
{
    Arena *arena = context->arena;
    int count = ast->args.count + 1;
    Expr **args = ARENA_ARRAY(arena, Expr *, (size_t)count);
    bool constants = true;
    if (ast_is_row(ast->left))
        return bind_row_in_list(context, ast, result);
    TRY(bind_expression(context, ast->left, &args[0]));
    for (int i = 1; i < count; i++) {
        TRY(bind_expression(context, ast->args.items[i - 1], &args[i]));
        if (two_valued(context) && is_null_literal(args[i]))
            return error_at(ERR_BIND, args[i]->at, "a comparison with NULL is never true");
        TRY(follow_left(context, args[0], &args[i]));
        constants &= args[i]->kind == EXPR_CONSTANT;
    }
    if (constants && count > 2) {
        TRY(expr_call(arena, "in", ast->at, count, args, result));
        for (int i = 1; i < count; i++)
            constants &= (*result)->args[i]->kind == EXPR_CONSTANT;
        if (constants) {
            if ((*result)->args[0]->kind == EXPR_CONSTANT)
                *result = expr_fold(arena, *result);
            settle_unknown(context, result);
            return negate(context, ast->negated, ast->at, result);
        }
    }
    Expr **equals = ARENA_ARRAY(arena, Expr *, (size_t)count);
    for (int i = 1; i < count; i++)
        TRY(compare(context, "=", ast->at, i == 1 ? args[0] : expr_copy(arena, args[0]), args[i], &equals[i - 1]));
    *result = expr_logic(arena, EXPR_OR, equals, count - 1, ast->at);
    return negate(context, ast->negated, ast->at, result);
}

static Error *bind_like(BindContext *context, const AstExpr *ast, Expr **result)
{
    Expr *args[3];
    int count = 2 + (ast->args.count > 0);
    TRY(bind_expression(context, ast->left, &args[0]));
    TRY(bind_expression(context, ast->right, &args[1]));
    if (count > 2)
        TRY(bind_expression(context, ast->args.items[0], &args[2]));
    TRY(bind_function(context, ast->similar ? "similar to" : "like", ast->at, count, args, result));
    settle_unknown(context, result);
    return negate(context, ast->negated, ast->at, result);
}

/* ---- choices ---- */

Expr *expr_choice(Arena *arena, ExprKind kind, const Type *type, Expr **args, int count, Span at)
{
    Expr *expr = ARENA_NEW(arena, Expr);
    *expr = (Expr){ .kind = kind, .type = type, .at = at, .arg_count = count, .args = args };
    return expr;
}

/* args: when, then, .., else. Converts the results to one type. */
Error *bind_choice(BindContext *context, Expr **args, int count, Span at, Expr **result)
{
    Expr ***results = ARENA_ARRAY(context->arena, Expr **, (size_t)count);
    int result_count = 0;
    for (int i = 1; i < count; i += 2)
        results[result_count++] = &args[i];
    if (count % 2)
        results[result_count++] = &args[count - 1];
    const Type *type;
    TRY(expr_unify(context->arena, "CASE", results, result_count, &type));
    if (type->kind == TYPE_NULL && context->rules && context->rules->typed_nulls)
        return error_hint(error_at(ERR_BIND, at, "a NULL without a type cannot be all that a CASE gives"), "CAST(NULL AS VARCHAR)");
    *result = expr_choice(context->arena, EXPR_CASE, type, args, count, at);
    return NULL;
}

static Error *bind_case(BindContext *context, const AstExpr *ast, Expr **result)
{
    int count = ast->args.count + (ast->right != NULL);
    Expr **args = ARENA_ARRAY(context->arena, Expr *, (size_t)count + 1), *operand = NULL;
    if (ast->left)
        TRY(bind_expression(context, ast->left, &operand));
    for (int i = 0; i < ast->args.count; i++) {
        TRY(bind_expression(context, ast->args.items[i], &args[i]));
        if (i % 2)
            continue;
        if (operand)
            TRY(compare(context, "=", args[i]->at, i ? expr_copy(context->arena, operand) : operand, args[i], &args[i]));
        else
            TRY(bind_boolean(context, "WHEN", &args[i]));
    }
    if (ast->right)
        TRY(bind_expression(context, ast->right, &args[count - 1]));
    return bind_choice(context, args, count, ast->at, result);
}

/* ---- names ---- */

Error *bind_field(BindContext *context, Expr *whole, const char *name, Span name_at, Span at, Expr **result)
{
    if (whole->type->kind == TYPE_MAP && whole->type->children[0]->kind == TYPE_VARCHAR) {
        Value key = { .type = type_scalar(TYPE_VARCHAR), .text = str_c(name) };
        Expr *args[2] = { whole, expr_constant(context->arena, &key, name_at) };
        return bind_function(context, "[]", at, 2, args, result);
    }
    if (whole->type->kind != TYPE_STRUCT) {
        Text text = { 0 };
        MEMORY_HOLD(text_unwind, &text);
        expr_print(whole, &text);
        Error *error = error_at(ERR_BIND, at, "%s is %s and has no field '%s'", text_c(&text), type_text(context->arena, whole->type), name);
        text_release(&text);
        return error;
    }
    int field = type_field(whole->type, name);
    if (field < 0)
        return error_suggest(error_at(ERR_BIND, name_at.length ? name_at : at, "no field '%s' in %s", name, type_text(context->arena, whole->type)), name,
                             whole->type->names, whole->type->child_count);
    Expr *expr = expr_choice(context->arena, EXPR_FIELD, whole->type->children[field], ARENA_ARRAY(context->arena, Expr *, 1), 1, at);
    expr->args[0] = whole;
    expr->field = field;
    *result = expr;
    return NULL;
}

/* Functions that SQL calls without parentheses. */
static bool is_bare_function(const AstExpr *ast)
{
    static const char *const names[] = { "current_timestamp", "current_date", "current_time", "localtimestamp", "localtime", NULL };
    for (int i = 0; ast->path.count == 1 && !ast->path.items[0].quoted && names[i]; i++)
        if (name_equal(ast->path.items[0].text, names[i]))
            return true;
    return false;
}

static Error *bind_name(BindContext *context, const AstExpr *ast, Expr **result)
{
    static const Scope nothing = { NULL, 0 };
    const Scope *scope = context->scope ? context->scope : &nothing;
    int column, used;
    const Column *info;
    if (is_bare_function(ast)) {
        TRY(scope_find(context->arena, scope, NULL, ast->path.items[0].text, ast->at, &column, &info));
        if (column < 0)
            return expr_call(context->arena, lower_word(context->arena, ast->path.items[0].text), ast->at, 0, NULL, result);
    }
    if (context->lambda && scope->relation_count == 0)
        return unknown_parameter(context, &ast->path.items[0]);
    TRY(scope_resolve(context->arena, scope, &ast->path, ast->at, &column, &info, &used));
    *result = expr_column(context->arena, column, info->name, info->type, ast->at);
    if (context->untyped && context->untyped(context, column)) {
        const Value null = value_null(type_scalar(TYPE_NULL));
        *result = expr_constant(context->arena, &null, ast->at);
        return NULL;
    }
    for (int i = used; i < ast->path.count; i++)
        TRY(bind_field(context, *result, ast->path.items[i].text, ast->path.items[i].at, ast->at, result));
    return NULL;
}

static Error *bind_subscript(BindContext *context, const AstExpr *ast, Expr **result)
{
    Expr *args[2];
    TRY(bind_expression(context, ast->left, &args[0]));
    TRY(bind_expression(context, ast->right, &args[1]));
    const Type *type = args[0]->type;
    if (type->kind == TYPE_STRUCT && args[1]->kind == EXPR_CONSTANT && args[1]->type->kind == TYPE_VARCHAR && !args[1]->value.is_null) {
        const Str *name = &args[1]->value.text;
        return bind_field(context, args[0], arena_strndup(context->arena, str_bytes(name), name->length), args[1]->at, ast->at, result);
    }
    if (type->kind == TYPE_MAP)
        TRY(expr_coerce(context->arena, args[1], type->children[0], &args[1]));
    else if (type->kind != TYPE_ARRAY)
        return error_at(ERR_BIND, ast->at, "a subscript needs an ARRAY or a MAP, this is %s", type_text(context->arena, type));
    return bind_function(context, "[]", ast->at, 2, args, result);
}

/* ---- constructors ---- */

static Error *bind_args(BindContext *context, const AstExprs *list, Expr ***args)
{
    *args = ARENA_ARRAY(context->arena, Expr *, (size_t)list->count + 1);
    for (int i = 0; i < list->count; i++)
        TRY(bind_expression(context, list->items[i], &(*args)[i]));
    return NULL;
}

static Expr *empty_nested(Arena *arena, const Type *type, Span at)
{
    Value value = { .type = type };
    value.nested.items = ARENA_ARRAY(arena, Value, 1);
    value.nested.count = 0;
    return expr_constant(arena, &value, at);
}

static Error *bind_array(BindContext *context, const AstExpr *ast, Expr **result)
{
    Expr **args;
    const Type *null = type_scalar(TYPE_NULL);
    if (ast->args.count == 0) {
        *result = empty_nested(context->arena, type_array(context->arena, null), ast->at);
        return NULL;
    }
    TRY(bind_args(context, &ast->args, &args));
    Expr ***places = ARENA_ARRAY(context->arena, Expr **, (size_t)ast->args.count);
    for (int i = 0; i < ast->args.count; i++)
        places[i] = &args[i];
    const Type *type;
    TRY(expr_unify(context->arena, "ARRAY", places, ast->args.count, &type));
    return bind_function(context, "array", ast->at, ast->args.count, args, result);
}

static Error *bind_map(BindContext *context, const AstExpr *ast, Expr **result)
{
    Expr **args;
    const Type *type, *null = type_scalar(TYPE_NULL);
    int count = ast->args.count;
    if (count == 0) {
        *result = empty_nested(context->arena, type_map(context->arena, null, null), ast->at);
        return NULL;
    }
    TRY(bind_args(context, &ast->args, &args));
    for (int part = 0; part < 2; part++) {
        Expr ***places = ARENA_ARRAY(context->arena, Expr **, (size_t)count);
        for (int i = part; i < count; i += 2)
            places[i / 2] = &args[i];
        TRY(expr_unify(context->arena, part ? "a MAP's values" : "a MAP's keys", places, count / 2, &type));
    }
    return bind_function(context, "map", ast->at, count, args, result);
}

static Error *bind_struct_of(BindContext *context, const AstExpr *ast, Expr **result)
{
    Expr **args;
    if (ast->args.count == 0)
        return error_at(ERR_BIND, ast->at, "a STRUCT needs a field");
    TRY(bind_args(context, &ast->args, &args));
    TRY(expr_call(context->arena, "struct", ast->at, ast->args.count, args, result));
    if (ast->path.count == ast->args.count) {
        const char **names = ARENA_ARRAY(context->arena, const char *, (size_t)ast->path.count);
        for (int i = 0; i < ast->path.count; i++) {
            names[i] = dialect_name(context->rules, context->arena, ast->path.items[i].text, ast->path.items[i].quoted);
            for (int j = 0; j < i; j++)
                if (strcmp(names[i], names[j]) == 0)
                    return error_at(ERR_BIND, ast->path.items[i].at, "a second field '%s'", names[i]);
        }
        (*result)->type = type_struct(context->arena, ast->path.count, names, (*result)->type->children);
    }
    *result = expr_fold(context->arena, *result); /* with its names */
    return NULL;
}

/* ---- all kinds ---- */

static bool is_offered(const BindContext *context, const AstExpr *ast)
{
    return context->everywhere || ast->kind == AST_CALL || ast->kind == AST_NAME || ast->kind == AST_SCALAR_QUERY || ast->kind == AST_EXISTS ||
           ast->kind == AST_IN_QUERY || ast->kind == AST_QUANTIFIED;
}

Error *bind_expression(BindContext *context, const AstExpr *ast, Expr **result)
{
    bool handled = false;
    *result = NULL;
    if (context->lambda && ast->kind == AST_NAME)
        TRY(bind_parameter(context, ast, result));
    if (*result)
        return NULL;
    if (context->special && is_offered(context, ast)) {
        TRY(context->special(context, ast, result, &handled));
        if (handled)
            return NULL;
    }
    switch (ast->kind) {
    case AST_LITERAL: {
        Value value = ast->value;
        if (context->rules && context->rules->int_types && value.type->kind == TYPE_BIGINT && value.integer == (int32_t)value.integer)
            value.type = type_scalar(TYPE_INT);
        *result = expr_constant(context->arena, &value, ast->at);
        return NULL;
    }
    case AST_NAME: return bind_name(context, ast, result);
    case AST_STAR: return error_at(ERR_BIND, ast->at, "'*' may not stand here");
    case AST_PARAMETER: return unsupported(ast->at, "a parameter");
    case AST_UNARY: return bind_unary(context, ast, result);
    case AST_BINARY: return bind_binary(context, ast, result);
    case AST_IS: return bind_is(context, ast, result);
    case AST_BETWEEN: return bind_between(context, ast, result);
    case AST_IN_LIST: return bind_in(context, ast, result);
    case AST_IN_QUERY: return unsupported(ast->at, "IN with a sub-query");
    case AST_QUANTIFIED: return unsupported(ast->at, "a comparison with a sub-query's rows");
    case AST_LIKE: return bind_like(context, ast, result);
    case AST_EXISTS: return unsupported(ast->at, "EXISTS");
    case AST_SCALAR_QUERY: return unsupported(ast->at, "a sub-query in an expression");
    case AST_CASE: return bind_case(context, ast, result);
    case AST_CAST: return bind_cast(context, ast, result);
    case AST_CALL: return bind_call(context, ast, result);
    case AST_FIELD: {
        const AstName *name = &ast->path.items[0];
        Expr *whole;
        TRY(bind_expression(context, ast->left, &whole));
        return bind_field(context, whole, name->text, name->at, ast->at, result);
    }
    case AST_SUBSCRIPT: return bind_subscript(context, ast, result);
    case AST_ARRAY: return bind_array(context, ast, result);
    case AST_MAP: return bind_map(context, ast, result);
    case AST_STRUCT: return bind_struct_of(context, ast, result);
    case AST_LAMBDA:
        return error_hint(error_at(ERR_BIND, ast->at, "a lambda may not stand here"), "transform, filter, reduce, any_match and all_match take one");
    case AST_DESCRIPTOR: return error_at(ERR_BIND, ast->at, "DESCRIPTOR stands in window functions only");
    case AST_TABLE_ARG: return error_at(ERR_BIND, ast->at, "TABLE stands in table functions only");
    case AST_EXTRACT: return bind_extract(context, ast, result);
    }
    return NULL;
}

Error *bind_condition(BindContext *context, const AstExpr *ast, const char *what, Expr **result)
{
    TRY(bind_expression(context, ast, result));
    return bind_boolean(context, what, result);
}

Error *bind_constant(BindContext *context, const AstExpr *ast, const Type *to, const char *what, Value *value)
{
    static const Scope nothing = { NULL, 0 };
    const Scope *scope = context->scope;
    const char *reason = NULL;
    Expr *expr;
    context->scope = &nothing;
    Error *error = bind_expression(context, ast, &expr);
    context->scope = scope;
    if (!error && to)
        error = expr_coerce(context->arena, expr, to, &expr);
    if (error)
        return error;
    if (expr_evaluate_constant(context->arena, expr, value, &reason))
        return NULL;
    return error_at(ERR_BIND, ast->at, "%s needs a constant%s%s", what, reason ? ": " : "", reason ? reason : "");
}

const char *ast_expr_name(const AstExpr *ast)
{
    switch (ast->kind) {
    case AST_NAME: return ast->path.items[ast->path.count - 1].text;
    case AST_FIELD: return ast->path.items[0].text;
    default: return NULL;
    }
}
