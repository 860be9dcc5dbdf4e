/* planner/expr.c: bound expressions as data: building, asking, renumbering. */
#include "planner/expr.h"
#include "common/decimal.h"
#include "common/hash.h"
#include "planner/session_zone.h"

static Expr *expr_new(Arena *arena, ExprKind kind, const Type *type, Span at)
{
    Expr *expr = ARENA_NEW(arena, Expr);
    expr->kind = kind;
    expr->type = type;
    expr->at = at;
    return expr;
}

static void set_args(Arena *arena, Expr *expr, Expr *const args[], int count)
{
    expr->arg_count = count;
    expr->args = ARENA_ARRAY(arena, Expr *, (size_t)count + 1);
    for (int i = 0; i < count; i++)
        expr->args[i] = args[i];
}

/* ---- building ---- */

Expr *expr_column(Arena *arena, int column, const char *name, const Type *type, Span at)
{
    Expr *expr = expr_new(arena, EXPR_COLUMN, type, at);
    expr->column = column;
    expr->name = name;
    return expr;
}

Expr *expr_constant(Arena *arena, const Value *value, Span at)
{
    Expr *expr = expr_new(arena, EXPR_CONSTANT, value->type, at);
    expr->value = *value;
    return expr;
}

Expr *expr_boolean(Arena *arena, bool value, Span at)
{
    return expr_constant(arena, &(Value){ .type = type_scalar(TYPE_BOOLEAN), .integer = value }, at);
}

Expr *expr_logic(Arena *arena, ExprKind kind, Expr *const args[], int count, Span at)
{
    ExprList flat = { 0 };
    for (int i = 0; i < count; i++)
        if (args[i]->kind == kind)
            for (int j = 0; j < args[i]->arg_count; j++)
                LIST_ADD(arena, &flat, args[i]->args[j]);
        else
            LIST_ADD(arena, &flat, args[i]);
    if (flat.count == 1)
        return flat.items[0];
    Expr *expr = expr_new(arena, kind, type_scalar(TYPE_BOOLEAN), at);
    set_args(arena, expr, flat.items, flat.count);
    return expr;
}

static bool is_text_literal(const Expr *expr)
{
    return expr->kind == EXPR_CONSTANT && expr->type->kind == TYPE_VARCHAR && !expr->value.is_null;
}

static bool is_temporal(const Type *type) { return type->kind >= TYPE_DATE && type->kind <= TYPE_INTERVAL; }

/* A literal as the type that its place asks for. */
static Error *convert_text(Arena *arena, Expr *expr, const Type *to, Expr **result)
{
    Value value;
    const char *reason = NULL;
    if (to->kind == TYPE_TIMESTAMP_TZ && session_zone() && value_cast(arena, &expr->value, to, &value, &reason))
        return session_zone_cast(arena, expr, to, false, expr->at, result);
    if (!value_cast(arena, &expr->value, to, &value, &reason)) {
        Text text = { 0 };
        MEMORY_HOLD(text_unwind, &text);
        value_print(&expr->value, &text);
        Error *error = error_at(ERR_BIND, expr->at, "%s is no %s", text_c(&text), type_text(arena, to));
        text_release(&text);
        if (type_is_timestamp(to))
            error_hint(error, "write it like '2026-01-31 12:00:00.000'");
        return error;
    }
    *result = expr_constant(arena, &value, expr->at);
    return NULL;
}

Error *expr_cast(Arena *arena, Expr *expr, const Type *to, bool try_cast, Span at, Expr **result)
{
    *result = expr;
    if (type_equal(expr->type, to))
        return NULL;
    if (session_zone_crossed(expr->type, to))
        return session_zone_cast(arena, expr, to, try_cast, at.length ? at : expr->at, result);
    if (expr->kind == EXPR_CONSTANT) {
        Value value;
        const char *reason;
        if (expr->value.is_null)
            value = value_null(to);
        if (expr->value.is_null || (function_cast(expr->type, to, try_cast) && value_cast(arena, &expr->value, to, &value, &reason))) {
            *result = expr_constant(arena, &value, at.length ? at : expr->at);
            return NULL;
        }
    }
    const ScalarFunction *function = function_cast(expr->type, to, try_cast);
    if (!function) {
        Error *error = error_at(ERR_BIND, at.length ? at : expr->at, "cannot cast %s to %s", type_text(arena, expr->type), type_text(arena, to));
        if (type_is_timestamp(expr->type) && type_is_integer(to))
            error_hint(error, "unix_timestamp(..) gives milliseconds");
        if (type_is_integer(expr->type) && type_is_timestamp(to))
            error_hint(error, "from_unixtime(..) takes milliseconds");
        return error;
    }
    Expr *call = expr_new(arena, EXPR_CALL, to, at.length ? at : expr->at);
    call->function = function;
    set_args(arena, call, &expr, 1);
    *result = call;
    return NULL;
}

Error *expr_coerce(Arena *arena, Expr *expr, const Type *to, Expr **result)
{
    if (is_text_literal(expr) && is_temporal(to))
        return convert_text(arena, expr, to, result);
    bool literal_fits = false, nested = type_is_nested(to) && expr->type->kind == to->kind;
    /* 5 fits INT, 1.5 fits DECIMAL(3,1) and DOUBLE, ARRAY[5] fits ARRAY<INT> */
    if (expr->kind == EXPR_CONSTANT && !expr->value.is_null && (nested || (type_is_numeric(expr->type) && type_is_numeric(to)))) {
        Value value, back;
        const char *reason;
        literal_fits = value_cast(arena, &expr->value, to, &value, &reason) && (to->kind == TYPE_DOUBLE || to->kind == TYPE_FLOAT ||
                       (value_cast(arena, &value, expr->type, &back, &reason) && value_equal(&back, &expr->value)));
    }
    if (!literal_fits && type_convertible(expr->type, to) < 0)
        return error_at(ERR_BIND, expr->at, "cannot use %s as %s", type_text(arena, expr->type), type_text(arena, to));
    return expr_cast(arena, expr, to, false, expr->at, result);
}

/* ---- literals take the shape that their neighbours need ---- */

static int digits_in(Int128 value)
{
    int digits = 1;
    for (value = value < 0 ? -value : value; value >= 10; value /= 10)
        digits++;
    return digits;
}

/* Beside a DECIMAL an integer literal has as many digits as it shows, not the 19 of a BIGINT. */
static void shorten_integers(Arena *arena, Expr *args[], int count)
{
    bool any_decimal = false;
    for (int i = 0; i < count; i++)
        any_decimal |= args[i]->type->kind == TYPE_DECIMAL;
    for (int i = 0; any_decimal && i < count; i++)
        if (args[i]->kind == EXPR_CONSTANT && !args[i]->value.is_null && type_is_integer(args[i]->type)) {
            Value value;
            const char *reason;
            if (value_cast(arena, &args[i]->value, type_decimal(arena, digits_in(args[i]->value.integer), 0), &value, &reason))
                args[i] = expr_constant(arena, &value, args[i]->at);
        }
}

/* ---- calls ---- */

static void print_types(Arena *arena, Expr *const args[], int count, Text *text)
{
    for (int i = 0; i < count; i++)
        text_printf(text, "%s%s", i ? ", " : "", type_text(arena, args[i]->type));
}

static bool has_name(const ScalarFunction *function, const char *name)
{
    if (name_equal(function->name, name))
        return true;
    for (const char *const *alias = function->aliases; alias && *alias; alias++)
        if (name_equal(*alias, name))
            return true;
    return false;
}

/* "(VARCHAR, BIGINT) or (VARCHAR)" */
static void print_signatures(const char *name, Text *text)
{
    int count, found = 0;
    const ScalarFunction *const *all = functions_all(&count);
    for (int i = 0; i < count && found < 5; i++) {
        if (!has_name(all[i], name))
            continue;
        text_add_c(text, found++ ? " or (" : "(");
        for (int a = 0; a < FUNCTION_MAX_ARGS && all[i]->args[a] != TYPE_NONE; a++)
            text_printf(text, "%s%s", a ? ", " : "", all[i]->args[a] == TYPE_ANY ? "any" : type_kind_name(all[i]->args[a]));
        text_add_c(text, all[i]->variadic ? ", ..)" : ")");
    }
}

static bool is_comparison(const char *name) { return strchr("=<>", name[0]) || strstr(name, "distinct from") || strcmp(name, "in") == 0; }

static bool looks_like_number(const Str *text)
{
    double number;
    return double_parse(str_bytes(text), text->length, &number);
}

static Error *no_operator(Arena *arena, const char *name, Span at, int count, Expr *const args[])
{
    Error *error;
    const char *left = type_text(arena, args[0]->type), *right = count > 1 ? type_text(arena, args[1]->type) : "";
    if (count > 2)
        for (int i = 1; i < count; i++)
            if (!type_common(arena, args[0]->type, args[i]->type))
                right = type_text(arena, args[i]->type);
    if (is_comparison(name) && count > 1)
        error = error_at(ERR_BIND, at, "cannot compare %s with %s", left, right);
    else if (count > 1)
        error = error_at(ERR_BIND, at, "no operator '%s' for %s and %s", name, left, right);
    else
        error = error_at(ERR_BIND, at, "no operator '%s' for %s", name, left);
    if (count < 2 || strcmp(name, "[]") == 0)
        return error;
    bool texts[2] = { args[0]->type->kind == TYPE_VARCHAR, args[1]->type->kind == TYPE_VARCHAR };
    if (texts[0] != texts[1]) {
        const Expr *text = args[texts[1]];
        const char *other = texts[0] ? right : left;
        if (strcmp(name, "||") == 0)
            error_hint(error, "convert it: CAST(.. AS VARCHAR)");
        else if (is_text_literal(text) && type_is_numeric(args[texts[0]]->type) && looks_like_number(&text->value.text))
            error_hint(error, "write the number without quotes");
        else
            error_hint(error, "convert one side: CAST(.. AS %s)", other);
    }
    return error;
}

static Error *no_function(Arena *arena, const char *name, Span at, int count, Expr *const args[], bool exists)
{
    if (!exists) {
        int name_count;
        const char *const *names = function_names(&name_count);
        for (int i = 0; i < name_count; i++)
            if (name_equal(names[i], name))
                return error_at(ERR_BIND, at, "the aggregate %s may not stand here", name);
        return error_suggest(error_at(ERR_BIND, at, "no function '%s'", name), name, names, name_count);
    }
    bool is_operator = !((name[0] >= 'a' && name[0] <= 'z') || (name[0] >= 'A' && name[0] <= 'Z') || name[0] == '_') || strchr(name, ' ') || strcmp(name, "in") == 0;
    if (is_operator && count)
        return no_operator(arena, name, at, count, args);
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    text_printf(&text, "no function '%s' takes (", name);
    print_types(arena, args, count, &text);
    text_add_c(&text, "); it takes ");
    print_signatures(name, &text);
    Error *error = error_at(ERR_BIND, at, "%s", text_c(&text));
    text_release(&text);
    return error;
}

/* Patterns and the like are checked now, where their place is known. */
static Error *check_constants(Arena *arena, const Expr *call)
{
    if (!call->function->prepare)
        return NULL;
    const Value **constants = ARENA_ARRAY(arena, const Value *, (size_t)call->arg_count + 1);
    Span at = call->at; /* of the last constant: the pattern, mostly */
    for (int i = 0; i < call->arg_count; i++)
        if (call->args[i]->kind == EXPR_CONSTANT) {
            constants[i] = &call->args[i]->value;
            at = call->args[i]->at;
        }
    const void *prepared = NULL;
    Error *error = call->function->prepare(arena, constants, call->arg_count, &prepared);
    if (!error || error->at.length)
        return error;
    error->at = at;
    for (int i = call->arg_count - 1; i >= 0; i--) { /* or the one without which there is nothing to complain about */
        const Value *hidden = constants[i];
        if (!hidden)
            continue;
        constants[i] = NULL;
        Error *other = call->function->prepare(arena, constants, call->arg_count, &prepared);
        constants[i] = hidden;
        if (!other) {
            error->at = call->args[i]->at;
            break;
        }
        error_free(other);
    }
    return error;
}

Error *expr_call(Arena *arena, const char *name, Span at, int count, Expr *const given[], Expr **result)
{
    Expr **args = ARENA_ARRAY(arena, Expr *, (size_t)count + 1);
    const Type **types = ARENA_ARRAY(arena, const Type *, (size_t)count + 1), **casts = ARENA_ARRAY(arena, const Type *, (size_t)count + 1);
    const Type *type;
    bool exists, texts = false;
    Expr *other = NULL;
    TRY(session_zone_call(arena, name, at, count, given, &other));
    if (other) {
        *result = other;
        return NULL;
    }
    for (int i = 0; i < count; i++)
        args[i] = given[i];
    shorten_integers(arena, args, count);
    for (int i = 0; i < count; i++) {
        types[i] = args[i]->type;
        texts |= is_text_literal(args[i]);
    }
    const ScalarFunction *function = function_resolve(arena, name, types, count, &type, casts, &exists);
    if (!function && exists) { /* ROUND(1.25, 1): the integer is one after all */
        for (int i = 0; i < count; i++)
            types[i] = given[i]->type;
        function = function_resolve(arena, name, types, count, &type, casts, NULL);
        for (int i = 0; i < count && (function || texts); i++)
            args[i] = given[i];
    }
    if (!function && exists && texts) { /* '2026-01-31' where a time is asked for */
        for (int i = 0; i < count; i++)
            types[i] = is_text_literal(args[i]) ? type_scalar(TYPE_NULL) : args[i]->type;
        function = function_resolve(arena, name, types, count, &type, casts, NULL);
        for (int i = 0; function && i < count; i++)
            if (is_text_literal(args[i]) && casts[i] && casts[i]->kind != TYPE_VARCHAR && !is_temporal(casts[i]))
                function = NULL;
    }
    if (!function)
        return no_function(arena, name, at, count, args, exists);
    for (int i = 0; i < count; i++)
        if (casts[i])
            TRY(is_text_literal(args[i]) && is_temporal(casts[i]) ? convert_text(arena, args[i], casts[i], &args[i])
                                                                   : expr_cast(arena, args[i], casts[i], false, args[i]->at, &args[i]));
    Expr *call = expr_new(arena, EXPR_CALL, type, at);
    call->function = function;
    set_args(arena, call, args, count);
    *result = call;
    return check_constants(arena, call);
}

Error *expr_unify(Arena *arena, const char *what, Expr **exprs[], int count, const Type **type)
{
    const Type *common = type_scalar(TYPE_NULL), *before = common;
    Expr **values = ARENA_ARRAY(arena, Expr *, (size_t)count + 1);
    for (int i = 0; i < count; i++)
        values[i] = *exprs[i];
    shorten_integers(arena, values, count);
    bool temporal = false;
    for (int i = 0; i < count; i++)
        temporal |= is_temporal(values[i]->type);
    for (int i = 0; i < count; i++) {
        if (temporal && is_text_literal(values[i]))
            continue;
        before = common;
        common = type_common(arena, common, values[i]->type);
        if (!common)
            return error_at(ERR_BIND, values[i]->at, "%s mixes %s and %s", what, type_text(arena, before), type_text(arena, values[i]->type));
    }
    for (int i = 0; i < count; i++) {
        TRY(temporal && is_text_literal(values[i]) ? convert_text(arena, values[i], common, &values[i])
                                                    : expr_cast(arena, values[i], common, false, values[i]->at, &values[i]));
        *exprs[i] = values[i];
    }
    *type = common;
    return NULL;
}

/* ---- asking ---- */

bool expr_equal(const Expr *a, const Expr *b)
{
    if (a == b)
        return true;
    if (a->kind != b->kind || a->arg_count != b->arg_count || !type_equal(a->type, b->type))
        return false;
    if (a->kind == EXPR_COLUMN && a->column != b->column)
        return false;
    if (a->kind == EXPR_CONSTANT && !value_equal(&a->value, &b->value))
        return false;
    if ((a->kind == EXPR_CALL || a->kind == EXPR_APPLY) && a->function != b->function)
        return false;
    if ((a->kind == EXPR_LAMBDA || a->kind == EXPR_PARAMETER) && (a->slot != b->slot || a->parameter_count != b->parameter_count))
        return false;
    if (a->kind == EXPR_FIELD && a->field != b->field)
        return false;
    for (int i = 0; i < a->arg_count; i++)
        if (!expr_equal(a->args[i], b->args[i]))
            return false;
    return a->kind != EXPR_CALL || !a->function->is_volatile; /* two RANDOM() are two numbers */
}

uint64_t expr_hash(const Expr *expr)
{
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    expr_canonical(expr, &text);
    uint64_t hash = checksum_bytes(text_c(&text), text.length);
    text_release(&text);
    return hash;
}

bool expr_is_volatile(const Expr *expr)
{
    bool is_volatile = expr->kind == EXPR_CALL && expr->function->is_volatile;
    for (int i = 0; !is_volatile && i < expr->arg_count; i++)
        is_volatile = expr_is_volatile(expr->args[i]);
    return is_volatile;
}

bool expr_is_constant(const Expr *expr)
{
    if (expr->kind == EXPR_COLUMN || expr->kind == EXPR_PARAMETER || (expr->kind == EXPR_CALL && expr->function->is_volatile))
        return false;
    for (int i = 0; i < expr->arg_count; i++)
        if (!expr_is_constant(expr->args[i]))
            return false;
    return true;
}

/* x / 2, x % 10: the only ways to fail are excluded by the constant. */
static bool divides_safely(const Expr *call)
{
    const char *name = call->function->name;
    if (strcmp(name, "/") != 0 && strcmp(name, "%") != 0)
        return false;
    const Expr *divisor = call->args[1];
    if (divisor->kind != EXPR_CONSTANT || divisor->value.is_null)
        return false;
    if (type_physical(divisor->type) == PHYSICAL_DOUBLE)
        return divisor->value.number != 0;
    return type_is_integer(divisor->type) && type_is_integer(call->type) && divisor->value.integer != 0 && divisor->value.integer != -1;
}

bool expr_can_fail(const Expr *expr)
{
    if (expr->kind == EXPR_APPLY && expr->function->can_fail)
        return true;
    if (expr->kind == EXPR_CALL && expr->function->can_fail && !divides_safely(expr))
        return true;
    for (int i = 0; i < expr->arg_count; i++)
        if (expr_can_fail(expr->args[i]))
            return true;
    return false;
}

void expr_columns(const Expr *expr, bool *used)
{
    if (expr->kind == EXPR_COLUMN)
        used[expr->column] = true;
    for (int i = 0; i < expr->arg_count; i++)
        expr_columns(expr->args[i], used);
}

int expr_max_column(const Expr *expr)
{
    int most = expr->kind == EXPR_COLUMN ? expr->column : -1;
    for (int i = 0; i < expr->arg_count; i++) {
        int one = expr_max_column(expr->args[i]);
        most = one > most ? one : most;
    }
    return most;
}

void expr_visit_columns(Expr *expr, void (*visit)(void *owner, Expr *column), void *owner)
{
    if (expr->kind == EXPR_COLUMN)
        visit(owner, expr);
    for (int i = 0; i < expr->arg_count; i++)
        expr_visit_columns(expr->args[i], visit, owner);
}

bool expr_is_true(const Expr *expr)
{
    return expr->kind == EXPR_CONSTANT && expr->type->kind == TYPE_BOOLEAN && !expr->value.is_null && expr->value.integer;
}

/* ---- changing ---- */

Expr *expr_copy(Arena *arena, const Expr *expr)
{
    Expr *copy = arena_copy(arena, expr, sizeof *expr);
    copy->args = ARENA_ARRAY(arena, Expr *, (size_t)expr->arg_count + 1);
    for (int i = 0; i < expr->arg_count; i++)
        copy->args[i] = expr_copy(arena, expr->args[i]);
    return copy;
}

void expr_remap(Expr *expr, const int *map)
{
    if (expr->kind == EXPR_COLUMN)
        expr->column = map[expr->column];
    for (int i = 0; i < expr->arg_count; i++)
        expr_remap(expr->args[i], map);
}

void expr_conjuncts(Arena *arena, Expr *expr, ExprList *list)
{
    if (expr->kind != EXPR_AND) {
        LIST_ADD(arena, list, expr);
        return;
    }
    for (int i = 0; i < expr->arg_count; i++)
        expr_conjuncts(arena, expr->args[i], list);
}
