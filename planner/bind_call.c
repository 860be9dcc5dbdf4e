/* planner/bind_call.c: calls of functions, EXTRACT and CAST: units of time as bare words, functions that choose, and what presets make of a name. */
#include <ctype.h>
#include "planner/ast_map.h"
#include "planner/bind_json.h"

const char *lower_word(Arena *arena, const char *text)
{
    char *copy = arena_strdup(arena, text);
    for (char *at = copy; *at; at++)
        *at = (char)tolower((unsigned char)*at);
    return copy;
}

/* Functions that count, and those that give what they take: INT in ksqlDB. */
static bool gives_int(const char *name, int count, Expr *const args[])
{
    static const char *const counting[] = { "len", "length", "instr", "array_length", "json_array_length", "field", "bytes_length", "unix_date", NULL };
    static const char *const taking[] = { "abs", "sign", "floor", "ceil", NULL };
    for (int i = 0; counting[i]; i++)
        if (name_equal(name, counting[i]))
            return true;
    for (int i = 0; taking[i] && count == 1; i++)
        if (name_equal(name, taking[i]))
            return args[0]->type->kind == TYPE_INT;
    return false;
}

Error *bind_function(BindContext *context, const char *name, Span at, int count, Expr *const args[], Expr **result)
{
    TRY(expr_call(context->arena, name, at, count, args, result));
    if (context->rules && context->rules->int_types && gives_int(name, count, args) && (*result)->type->kind == TYPE_BIGINT)
        TRY(expr_cast(context->arena, *result, type_scalar(TYPE_INT), false, at, result));
    for (int i = 0; i < (*result)->arg_count; i++)
        if ((*result)->args[i]->kind != EXPR_CONSTANT)
            return NULL;
    if ((*result)->arg_count)
        *result = expr_fold(context->arena, *result);
    return NULL;
}

/* Functions whose first argument is a unit of time, written as a bare word. */
static bool takes_unit(const char *name)
{
    static const char *const names[] = { "datediff", "dateadd", "datepart", "datename", "timestampdiff", "timestampadd",
                                         "datesub", "timestampsub", "timeadd", "timesub", NULL };
    for (int i = 0; names[i]; i++)
        if (name_equal(names[i], name))
            return true;
    return false;
}

bool has_bare_unit(const AstExpr *ast)
{
    const AstExpr *first = ast->kind == AST_CALL && ast->path.count == 1 && ast->args.count ? ast->args.items[0] : NULL;
    return first && first->kind == AST_NAME && first->path.count == 1 && takes_unit(ast->path.items[0].text);
}

static Expr *word(BindContext *context, const char *text, Span at)
{
    Value value = { .type = type_scalar(TYPE_VARCHAR), .text = str_c(text) };
    return expr_constant(context->arena, &value, at);
}

static Error *bind_call_args(BindContext *context, const AstExpr *ast, const char *name, Expr ***args)
{
    *args = ARENA_ARRAY(context->arena, Expr *, (size_t)ast->args.count + 1);
    for (int i = 0; i < ast->args.count; i++) {
        const AstExpr *arg = ast->args.items[i];
        if (i == 0 && takes_unit(name) && arg->kind == AST_NAME && arg->path.count == 1) {
            (*args)[0] = word(context, lower_word(context->arena, arg->path.items[0].text), arg->at);
            continue;
        }
        TRY(bind_expression(context, arg, &(*args)[i]));
    }
    return NULL;
}

static Error *bind_coalesce(BindContext *context, Expr **args, int count, Span at, const char *name, Expr **result)
{
    Expr ***places = ARENA_ARRAY(context->arena, Expr **, (size_t)count + 1);
    const Type *type;
    if (count == 0)
        return error_at(ERR_BIND, at, "%s needs an argument", name);
    for (int i = 0; i < count; i++)
        places[i] = &args[i];
    TRY(expr_unify(context->arena, name, places, count, &type));
    *result = count == 1 ? args[0] : expr_choice(context->arena, EXPR_COALESCE, type, args, count, at);
    return NULL;
}

static bool is_one_of(const char *name, const char *const names[])
{
    for (int i = 0; names[i]; i++)
        if (name_equal(name, names[i]))
            return true;
    return false;
}

/* GREATEST(a, b) of what is not NULL: each argument that is NULL is replaced by one that is not. */
static Error *skip_nulls(BindContext *context, const char *name, Expr **args, int count)
{
    Arena *arena = context->arena;
    Expr ***places = ARENA_ARRAY(arena, Expr **, (size_t)count + 1), **made = ARENA_ARRAY(arena, Expr *, (size_t)count + 1);
    const Type *type;
    for (int i = 0; i < count; i++)
        places[i] = &args[i];
    if (count < 2)
        return NULL;
    TRY(expr_unify(arena, name, places, count, &type));
    for (int i = 0; i < count; i++) {
        Expr **either = ARENA_ARRAY(arena, Expr *, (size_t)count);
        for (int k = 0; k < count; k++)
            either[k] = args[(i + k) % count];
        made[i] = expr_choice(arena, EXPR_COALESCE, type, either, count, args[i]->at);
    }
    memcpy(args, made, sizeof *args * (size_t)count);
    return NULL;
}

static bool is_java_timestamp(const BindContext *context, const Expr *value)
{
    return context->rules && context->rules->java_texts && value->type->kind == TYPE_TIMESTAMP;
}

/* A TIMESTAMP as text with a T between date and time. */
static Error *java_timestamp(BindContext *context, Expr *value, Span at, Expr **result)
{
    Expr *args[3];
    const char *const texts[] = { " ", "T" };
    TRY(expr_cast(context->arena, value, type_scalar(TYPE_VARCHAR), false, at, &args[0]));
    for (int i = 0; i < 2; i++)
        args[i + 1] = expr_constant(context->arena, &(Value){ .type = type_scalar(TYPE_VARCHAR), .text = str_c(texts[i]) }, at);
    return bind_function(context, "replace", at, 3, args, result);
}

/* CONCAT('a', 1): whatever is no text becomes one. */
static Error *concat_texts(BindContext *context, Expr **args, int count, Span at)
{
    for (int i = 0; i < count; i++)
        if (args[i]->type->kind == TYPE_BYTES)
            return NULL;
    for (int i = 0; i < count; i++)
        if (args[i]->type->kind != TYPE_VARCHAR && args[i]->type->kind != TYPE_NULL)
            TRY(expr_cast(context->arena, args[i], type_scalar(TYPE_VARCHAR), false, at, &args[i]));
    return NULL;
}

static Expr *text_constant(BindContext *context, const char *text, Span at)
{
    return expr_constant(context->arena, &(Value){ .type = type_scalar(TYPE_VARCHAR), .text = str_c(text) }, at);
}

/* Flink: UNIX_TIMESTAMP([text [, pattern]]) gives seconds, FROM_UNIXTIME(seconds [, pattern]) a text; both speak of the session's time zone. */
static Error *unix_seconds(BindContext *context, const char *name, Expr **args, int count, Span at, Expr **result)
{
    static const char pattern[] = "yyyy-MM-dd HH:mm:ss";
    const Type *instant = type_timestamp(context->arena, TYPE_TIMESTAMP_TZ, 3);
    Expr *made[2] = { count ? args[0] : NULL, count > 1 ? args[1] : text_constant(context, pattern, at) };
    if (name_equal(name, "from_unixtime")) {
        Expr *whole[2] = { made[0], expr_constant(context->arena, &(Value){ .type = type_scalar(TYPE_BIGINT) }, at) };
        TRY(bind_function(context, "to_timestamp_ltz", at, 2, whole, &made[0]));
        TRY(expr_cast(context->arena, made[0], type_timestamp(context->arena, TYPE_TIMESTAMP, 3), false, at, &made[0]));
        return bind_function(context, "format_timestamp", at, 2, made, result);
    }
    if (count == 0) {
        TRY(bind_function(context, "now", at, 0, NULL, &made[0]));
    } else if (made[0]->type->kind == TYPE_VARCHAR) {
        TRY(bind_function(context, "parse_timestamp", at, 2, made, &made[0]));
    }
    TRY(expr_cast(context->arena, made[0], instant, false, at, &made[0]));
    return bind_function(context, "epoch", at, 1, made, result);
}

/* TIMESTAMPADD(DAY, 1, date) is a date: units of days and longer leave it one. */
static bool whole_days_of_date(const char *name, Expr *const args[])
{
    static const char *const units[] = { "day", "days", "week", "weeks", "month", "months", "quarter", "quarters", "year", "years", NULL };
    char unit[12];
    if ((!name_equal(name, "timestampadd") && !name_equal(name, "timestampsub")) || args[2]->type->kind != TYPE_DATE || args[0]->kind != EXPR_CONSTANT)
        return false;
    const Value *value = &args[0]->value;
    if (value->is_null || value->type->kind != TYPE_VARCHAR || value->text.length >= sizeof unit)
        return false;
    memcpy(unit, str_bytes(&value->text), value->text.length);
    unit[value->text.length] = 0;
    return is_one_of(unit, units);
}

/* Flink: TO_TIMESTAMP_LTZ(text [, pattern [, time zone]]); without a zone the session's. */
static Error *instant_of_text(BindContext *context, Expr **args, int count, Span at, Expr **result)
{
    if (count == 3) { /* in UTC then */
        Expr *zoned[2] = { NULL, text_constant(context, "UTC", at) };
        TRY(bind_function(context, "parse_timestamp", at, 3, args, &zoned[0]));
        return bind_function(context, "at_time_zone", at, 2, zoned, result);
    }
    TRY(bind_function(context, count == 2 ? "parse_timestamp" : "to_timestamp", at, count, args, result));
    return expr_cast(context->arena, *result, type_timestamp(context->arena, TYPE_TIMESTAMP_TZ, 3), false, at, result);
}

static bool is_unix_seconds(const BindContext *context, const char *name, int count)
{
    const bool named = name_equal(name, "unix_timestamp") || (name_equal(name, "from_unixtime") && count > 0);
    return named && (count == 2 || (count < 2 && context->rules && context->rules->unix_seconds)); /* only Flink has a pattern there */
}

/* ASA: GetRecordPropertyValue(record, 'name') is the record's field of that name. */
static Error *record_property(BindContext *context, const AstExpr *ast, Expr **result)
{
    const AstExpr *name = ast->args.count == 2 ? ast->args.items[1] : NULL;
    if (!name || name->kind != AST_LITERAL || name->value.type->kind != TYPE_VARCHAR)
        return error_hint(error_at(ERR_BIND, ast->at, "%s takes a record and the name of a property in quotes", ast->path.items[0].text), "GetRecordPropertyValue(r, 'speed')");
    AstExpr field = { .kind = AST_FIELD, .at = ast->at, .op_at = name->at, .left = ast->args.items[0] };
    AstName property = { .text = arena_strndup(context->arena, str_bytes(&name->value.text), name->value.text.length), .quoted = true, .at = name->at };
    LIST_ADD(context->arena, &field.path, property);
    return bind_expression(context, &field, result);
}

Error *bind_call(BindContext *context, const AstExpr *ast, Expr **result)
{
    static const char *const coalesces[] = { "coalesce", "ifnull", "nvl", NULL }, *const ifs[] = { "if", "iif", NULL }, *const extremes[] = { "greatest", "least", NULL }, *const extracts[] = { "regexp_extract", "regexp_extract_all", NULL };
    /* of the dialect, and not there yet */
    static const char *const planned[] = { "explode", "unnest", NULL };
    Expr **args;
    if (ast_is_user_call(ast) && context->user_function && !ast->over && !ast->filter && !ast->distinct && !ast->star)
        return context->user_function(context, ast, result);
    if (ast->path.count > 1) {
        Text text = { 0 };
        MEMORY_HOLD(text_unwind, &text);
        for (int i = 0; i < ast->path.count; i++)
            text_printf(&text, "%s%s", i ? "." : "", ast->path.items[i].text);
        Error *error = error_at(ERR_BIND, ast->at, "no function '%s'", text_c(&text));
        text_release(&text);
        return error;
    }
    const char *name = ast->path.items[0].text;
    if (ast->over)
        return error_at(ERR_UNSUPPORTED, ast->at, "%s OVER (..) is not supported here", name);
    if (ast->filter || ast->distinct || ast->star || ast->within_order.count || ast->ignore_nulls) {
        const char *what = ast->filter ? "FILTER" : ast->distinct ? "DISTINCT" : ast->star ? "*" : ast->ignore_nulls ? "IGNORE NULLS" : "ORDER BY";
        return error_at(ERR_BIND, ast->at, "%s needs an aggregate, %s is none here", what, name);
    }
    if (ast_is_json_call(ast))
        return bind_json_call(context, ast, result);
    if (name_equal(name, "getrecordpropertyvalue"))
        return record_property(context, ast, result);
    bool exists;
    const Type *type;
    function_resolve(context->arena, name, NULL, 0, &type, NULL, &exists);
    if (!exists && is_one_of(name, planned))
        return error_at(ERR_UNSUPPORTED, ast->at, "%s is not supported here", name);
    if (!exists && context->user_function)
        return context->user_function(context, ast, result);
    if (!exists) /* the caret goes under the name */
        return expr_call(context->arena, name, ast->path.items[0].at.length ? ast->path.items[0].at : ast->at, 0, NULL, result);
    if (function_takes_lambdas(name))
        return bind_apply(context, ast, result);
    TRY(bind_call_args(context, ast, name, &args));
    if (ast->args.count == 1 && name_equal(name, "to_json_string") && is_java_timestamp(context, args[0]))
        TRY(java_timestamp(context, args[0], ast->at, &args[0]));
    if ((!context->rules || !context->rules->typed_concat) && (name_equal(name, "concat") || name_equal(name, "concat_ws")))
        TRY(concat_texts(context, args, ast->args.count, ast->at));
    if (ast->args.count == 3 && whole_days_of_date(name, args))
        name = name_equal(name, "timestampadd") ? "dateadd" : "datesub";
    if (ast->args.count && name_equal(name, "to_timestamp_ltz") && args[0]->type->kind == TYPE_VARCHAR)
        return instant_of_text(context, args, ast->args.count, ast->at, result);
    if (is_unix_seconds(context, name, ast->args.count))
        return unix_seconds(context, name, args, ast->args.count, ast->at, result);
    if (context->rules && context->rules->pattern_first && ast->args.count > 1 && is_one_of(name, extracts)) {
        Expr *pattern = args[0];
        args[0] = args[1];
        args[1] = pattern;
    }
    if (context->rules && context->rules->java_functions && ast->args.count && name_equal(name, "round") && type_is_numeric(args[0]->type))
        name = "round up";
    if (context->rules && context->rules->java_functions && ast->args.count == 1 && name_equal(name, "initcap") && args[0]->type->kind == TYPE_VARCHAR)
        name = "initcap blanks";
    if (context->rules && context->rules->long_capitals && ast->args.count == 1 && (name_equal(name, "upper") || name_equal(name, "ucase")))
        name = "upper long";
    if (context->rules && context->rules->joins_known && ast->args.count == 2 && name_equal(name, "array_join"))
        name = "array_join known";
    if (context->rules && context->rules->extremes_skip_nulls && is_one_of(name, extremes))
        TRY(skip_nulls(context, name, args, ast->args.count));
    if (is_one_of(name, coalesces))
        return bind_coalesce(context, args, ast->args.count, ast->at, name, result);
    if (is_one_of(name, ifs) && (ast->args.count == 2 || ast->args.count == 3)) {
        TRY(bind_boolean(context, name, &args[0]));
        return bind_choice(context, args, ast->args.count, ast->at, result);
    }
    return bind_function(context, name, ast->at, ast->args.count, args, result);
}

Error *bind_extract(BindContext *context, const AstExpr *ast, Expr **result)
{
    const AstName *unit = &ast->path.items[0];
    const char *name = lower_word(context->arena, unit->text);
    Expr *args[2] = { word(context, name, unit->at), NULL };
    TRY(bind_expression(context, ast->left, &args[1]));
    const Type *types[1] = { args[1]->type }, *casts[1], *type;
    if (args[1]->type->kind == TYPE_TIME && function_resolve(context->arena, name, types, 1, &type, casts, NULL))
        return bind_function(context, name, ast->at, 1, &args[1], result);
    if (args[1]->type->kind == TYPE_TIMESTAMP_TZ && strcmp(name, "epoch") == 0) /* of the instant, whatever clocks show */
        return bind_function(context, name, ast->at, 1, &args[1], result);
    return bind_function(context, "datepart", ast->at, 2, args, result);
}

Error *bind_cast(BindContext *context, const AstExpr *ast, Expr **result)
{
    const Type *type;
    Expr *value;
    TRY(bind_expression(context, ast->left, &value));
    TRY(bind_type(context, ast->type, &type));
    if (type->kind == TYPE_VARCHAR && is_java_timestamp(context, value))
        TRY(java_timestamp(context, value, ast->at, &value));
    if (context->rules && context->rules->java_texts && type_is_nested(value->type) && type->kind == TYPE_VARCHAR)
        TRY(bind_function(context, "java text", ast->at, 1, &value, &value));
    if (context->rules && context->rules->short_times && value->type->kind == TYPE_VARCHAR && (type->kind == TYPE_DATE || type_is_timestamp(type)))
        TRY(bind_function(context, "complete time", ast->at, 1, &value, &value));
    return expr_cast(context->arena, value, type, ast->try_cast, ast->at, result);
}
