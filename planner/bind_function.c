/* planner/bind_function.c: functions that users define.
 *
 * In SQL: the body is bound once, when the function is created, over its parameters as those of a lambda. A call is the body with the
 * arguments in their place: EXPLAIN, pruning and pushdown see the whole expression. Its places are those of the call. In Lua: the body becomes
 * a chunk that takes the parameters, and a call is one of the function that runs chunks; an aggregate's script is a literal of its call. */
#include "planner/ast_map.h"
#include "planner/statement.h"
#include "parser/parser.h"

/* ---- CREATE FUNCTION ---- */

static bool is_built_in(Arena *arena, const char *name)
{
    static const char *const spoken_for[] = { "tumble", "hop", "session", "cumulate", "tumblingwindow", "hoppingwindow", "sessionwindow", "slidingwindow", "snapshotwindow",
                                              "windows", "grouping", "grouping_id", "group_id", "extract", "cast", "try_cast", "exists", "windowstart", "windowend", "udf", "uda", NULL };
    const Type *type, *casts[FUNCTION_MAX_ARGS];
    bool exists;
    for (int i = 0; spoken_for[i]; i++)
        if (name_equal(spoken_for[i], name))
            return true;
    function_resolve(arena, name, NULL, 0, &type, casts, &exists);
    return exists || is_aggregate_name(name) || function_is_table(name) || analytic_find(name);
}

static Error *bind_parameters(Binder *binder, Arena *arena, const AstCreate *create, UserFunction *function, AstNames *names)
{
    int count = function->parameter_count = create->parameters.count;
    const char **texts = ARENA_ARRAY(arena, const char *, (size_t)count + 1);
    const Type **types = ARENA_ARRAY(arena, const Type *, (size_t)count + 1);
    for (int i = 0; i < count; i++) {
        const AstField *field = &create->parameters.items[i];
        for (int j = 0; j < i; j++)
            if (name_equal(texts[j], field->name.text))
                return error_at(ERR_BIND, field->name.at, "a second parameter '%s'", field->name.text);
        texts[i] = arena_strdup(arena, field->name.text);
        TRY(binder_type(binder, arena, field->type, &types[i]));
        LIST_ADD(arena, names, field->name);
    }
    function->parameters = texts;
    function->types = types;
    if (create->returns)
        TRY(binder_type(binder, arena, create->returns, &function->returns));
    return NULL;
}

/* What is wrong with a text in quotes is shown at the text. */
static Error *at_body(const AstCreate *create, Error *error)
{
    if (error && create->body)
        error->at = create->body_at;
    return error ? error_context(error, "the body of '%s'", create->name.text) : NULL;
}

static Error *bind_body(Binder *binder, Arena *arena, const AstCreate *create, const UserFunction *function, const AstNames *names, Expr **body)
{
    AstExpr *ast = create->body_expr;
    LambdaScope parameters = { names, function->types, 0, NULL };
    if (create->body)
        TRY(parse_expression(arena, create->body, strlen(create->body), &ast));
    TRY(binder_body(binder, arena, &parameters, ast, body));
    if (!function->returns || type_equal((*body)->type, function->returns))
        return NULL;
    if (type_convertible((*body)->type, function->returns) < 0 && (*body)->kind != EXPR_CONSTANT)
        return error_hint(error_at(ERR_BIND, (*body)->at, "it gives %s, not %s", type_text(binder->arena, (*body)->type), type_text(binder->arena, function->returns)),
                          "CAST(.. AS %s)", type_text(binder->arena, function->returns));
    return expr_coerce(arena, *body, function->returns, body);
}

/* ---- LANGUAGE LUA ---- */

static bool is_lua_name(const char *name)
{
    static const char *const words[] = { "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in", "local", "nil", "not", "or",
                                         "repeat", "return", "then", "true", "until", "while", NULL };
    for (int i = 0; words[i]; i++)
        if (strcmp(words[i], name) == 0)
            return false;
    const char *letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
    return name[strspn(name, letters)] == 0 && !(name[0] >= '0' && name[0] <= '9');
}

static Error *check_lua_types(Binder *binder, const AstCreate *create, const UserFunction *function)
{
    if (!create->body)
        return error_hint(error_at(ERR_BIND, create->name.at, "a body in Lua is a text"), "AS $$ return .. $$");
    if (!function->returns)
        return error_hint(error_at(ERR_BIND, create->name.at, "a function in Lua must say what it gives"), "RETURNS DOUBLE");
    for (int i = 0; i < function->parameter_count; i++) {
        const AstField *field = &create->parameters.items[i];
        if (!is_lua_name(field->name.text))
            return error_at(ERR_BIND, field->name.at, "'%s' is no name in Lua", field->name.text);
        if (!lua_type_passes(function->types[i]))
            return error_at(ERR_BIND, field->name.at, "Lua takes no %s", type_text(binder->arena, function->types[i]));
    }
    if (!lua_type_passes(function->returns))
        return error_at(ERR_BIND, create->returns->at, "Lua gives no %s", type_text(binder->arena, function->returns));
    return NULL;
}

/* Line 1 is the first one with something in it. */
static const char *lua_text(const AstCreate *create)
{
    const char *text = create->body + strspn(create->body, " \t\r");
    return *text == '\n' ? text + 1 : create->body;
}

static Error *bind_lua_aggregate(Binder *binder, Arena *arena, const AstCreate *create, UserFunction *function)
{
    function->chunk = arena_strdup(arena, lua_text(create));
    Error *error = lua_check_aggregate(binder->arena, create->name.text, function->chunk, &function->retracts);
    if (error)
        error->at = create->body_at;
    return error;
}

/* An expression alone is what the function gives. On one line with the body, so that Lua's line numbers are the body's. */
static Error *bind_lua(Binder *binder, Arena *arena, const AstCreate *create, UserFunction *function)
{
    TRY(check_lua_types(binder, create, function));
    if (create->is_aggregate)
        return bind_lua_aggregate(binder, arena, create, function);
    const char *head = "", *text = lua_text(create);
    for (int i = 0; i < function->parameter_count; i++)
        head = arena_printf(arena, "%s%s%s", head, i ? ", " : "local ", function->parameters[i]);
    head = function->parameter_count ? arena_printf(arena, "%s = ... ", head) : "";
    function->chunk = arena_printf(arena, "%sreturn %s", head, text);
    Error *error = lua_check(binder->arena, create->name.text, function->chunk);
    if (!error)
        return NULL;
    error_free(error);
    function->chunk = arena_printf(arena, "%s%s", head, text);
    error = lua_check(binder->arena, create->name.text, function->chunk);
    if (error)
        error->at = create->body_at;
    return error;
}

Error *define_function(Binder *binder, const AstCreate *create, CatalogEntry *entry)
{
    Arena *arena = &binder->catalog->arena;
    UserFunction *function = ARENA_NEW(arena, UserFunction);
    AstNames names = { 0 };
    Expr *body = NULL;
    if (is_built_in(binder->arena, create->name.text))
        return error_at(ERR_BIND, create->name.at, "function '%s' is built in", create->name.text);
    bool is_lua = create->language && name_equal(create->language, "LUA");
    if (create->language && !is_lua && !name_equal(create->language, "SQL"))
        return error_hint(error_at(ERR_UNSUPPORTED, create->name.at, "functions in %s are not supported", create->language), "LANGUAGE SQL or LUA");
    function->is_aggregate = create->is_aggregate;
    function->max_steps = binder->settings->lua_steps;
    function->max_memory = binder->settings->lua_memory;
    TRY(bind_parameters(binder, arena, create, function, &names));
    entry->origin = ORIGIN_NONE;
    if (is_lua) {
        TRY(bind_lua(binder, arena, create, function));
    } else if (create->is_aggregate) {
        TRY(at_body(create, bind_macro(binder, arena, create, function)));
    } else {
        TRY(at_body(create, bind_body(binder, arena, create, function, &names, &body)));
        function->body = body;
        function->returns = type_copy(arena, body->type);
    }
    function->text = create->body ? arena_strdup(arena, create->body) : arena_strdup(arena, ast_text(binder->arena, create->body_expr));
    entry->function = function;
    return NULL;
}

/* ---- OR REPLACE ---- */

static bool same_signature(const UserFunction *a, const UserFunction *b)
{
    bool same = a->is_aggregate == b->is_aggregate && a->parameter_count == b->parameter_count && type_equal(a->returns, b->returns);
    for (int i = 0; same && i < a->parameter_count; i++)
        same = type_equal(a->types[i], b->types[i]);
    return same;
}

Error *check_callers(Planner *planner, const CatalogEntry *old, const CatalogEntry *entry, Span at)
{
    if (same_signature(old->function, entry->function))
        return NULL;
    Error *error = catalog_check_unused(planner->catalog, old, at);
    return error ? error_hint(error, "it stays %s, or what uses it is dropped first", user_function_text(&planner->catalog->arena, old)) : NULL;
}

/* The signature is the same: what could be bound before can be now. */
Error *define_callers(Planner *planner, Arena *arena, const CatalogEntry *changed)
{
    int count = 0;
    CatalogEntry **entries = planner->catalog->list(planner->catalog, arena, &count);
    for (int i = 0; i < count; i++) {
        if (entries[i]->kind != CATALOG_FUNCTION || !catalog_depends(entries[i], changed))
            continue;
        Binder binder;
        CatalogEntry *fresh = NULL;
        binder_init(&binder, arena, planner->catalog, &entries[i]->settings, planner->connectors, -1);
        TRY(define_entry(planner, &binder, entries[i]->statement, &fresh));
        fresh->settings = entries[i]->settings;
        TRY(planner->catalog->put(planner->catalog, fresh));
        TRY(define_callers(planner, arena, fresh));
    }
    return NULL;
}

/* ---- calls ---- */

const char *user_function_text(Arena *arena, const CatalogEntry *entry)
{
    const UserFunction *function = entry->function;
    const char *text = arena_printf(arena, "%s(", entry->name);
    for (int i = 0; i < function->parameter_count; i++)
        text = arena_printf(arena, "%s%s%s %s", text, i ? ", " : "", function->parameters[i], type_text(arena, function->types[i]));
    return arena_printf(arena, "%s) -> %s", text, type_text(arena, function->returns));
}

static int count_uses(const Expr *expr, int parameter)
{
    int uses = expr->kind == EXPR_PARAMETER && expr->slot == parameter;
    for (int i = 0; i < expr->arg_count; i++)
        uses += count_uses(expr->args[i], parameter);
    return uses;
}

#define EXPANDED_MAX 100000 /* nodes: functions of functions can double at every step.. */
#define EXPANDED_DEPTH 4000 /* ..and deepen */

/* Adds the nodes of the expression, `args` in the parameters' place; stops beyond the limit. Returns its height. */
static int measure(const Expr *expr, Expr *const args[], int count, int64_t *nodes)
{
    if (args && expr->kind == EXPR_PARAMETER && expr->slot < count)
        return measure(args[expr->slot], NULL, 0, nodes);
    int height = 0;
    for (int i = 0; ++*nodes <= EXPANDED_MAX && i < expr->arg_count; i++) {
        int one = measure(expr->args[i], args, count, nodes);
        height = one > height ? one : height;
    }
    return height + 1;
}

static Error *check_size(const CatalogEntry *entry, Expr *const args[], Span at)
{
    int64_t nodes = 0;
    int height = measure(entry->function->body, args, entry->function->parameter_count, &nodes);
    if (nodes <= EXPANDED_MAX && height <= EXPANDED_DEPTH)
        return NULL;
    return error_at(ERR_BIND, at, "'%s' stands for an expression that is too %s", entry->name, nodes > EXPANDED_MAX ? "large" : "deep");
}

/* The body with arguments for parameters. Lambdas of the body get slots behind those around the call, which the arguments may mean. */
static Expr *expand(Arena *arena, const Expr *expr, const char *name, Expr *const args[], int count, int base, Span at)
{
    if (expr->kind == EXPR_PARAMETER && expr->slot < count)
        return expr_copy(arena, args[expr->slot]);
    Expr *copy = arena_copy(arena, expr, sizeof *expr);
    copy->at = at;
    if (expr->kind == EXPR_CALL)
        copy->within = expr->within ? arena_printf(arena, "%s: %s", name, expr->within) : name;
    if (expr->kind == EXPR_PARAMETER || expr->kind == EXPR_LAMBDA)
        copy->slot = expr->slot - count + base;
    copy->args = ARENA_ARRAY(arena, Expr *, (size_t)expr->arg_count + 1);
    for (int i = 0; i < expr->arg_count; i++)
        copy->args[i] = expand(arena, expr->args[i], name, args, count, base, at);
    return copy;
}

static Value *lua_constants(Arena *arena, const CatalogEntry *entry)
{
    const UserFunction *function = entry->function;
    Value *constants = ARENA_ARRAY(arena, Value, LUA_CONSTANTS);
    constants[LUA_CHUNK] = (Value){ .type = type_scalar(TYPE_VARCHAR), .text = str_c(function->chunk) };
    constants[LUA_NAME] = (Value){ .type = type_scalar(TYPE_VARCHAR), .text = str_c(entry->name) };
    constants[LUA_STEPS] = (Value){ .type = type_scalar(TYPE_BIGINT), .integer = function->max_steps };
    constants[LUA_MEMORY] = (Value){ .type = type_scalar(TYPE_BIGINT), .integer = function->max_memory };
    return constants;
}

/* The arguments behind the constants that say what to run. */
static Expr *call_lua(Arena *arena, const CatalogEntry *entry, Expr *const args[], Span at)
{
    const UserFunction *function = entry->function;
    Expr *call = ARENA_NEW(arena, Expr);
    *call = (Expr){ .kind = EXPR_CALL, .type = function->returns, .at = at, .function = function_lua(), .arg_count = function->parameter_count + LUA_CONSTANTS };
    call->args = ARENA_ARRAY(arena, Expr *, (size_t)call->arg_count);
    const Value *constants = lua_constants(arena, entry);
    for (int i = 0; i < LUA_CONSTANTS; i++)
        call->args[i] = expr_constant(arena, &constants[i], at);
    for (int i = 0; i < function->parameter_count; i++)
        call->args[i + LUA_CONSTANTS] = args[i];
    return call;
}

/* What other systems have, and this one has not. */
static Error *outside_function(const AstName *name)
{
    static const char *const models[] = { "ml_predict", "ml_evaluate", "ml_detect_anomalies", "ml_forecast", "predict", "ai_complete", "ai_embedding", NULL };
    for (int i = 0; models[i]; i++)
        if (name_equal(models[i], name->text))
            return error_hint(error_at(ERR_UNSUPPORTED, name->at, "%s: machine-learning models are not called from SQL here", name->text), "AnomalyDetection_SpikeAndDip(..) OVER (..) and _ChangePoint are built in");
    if (name_equal(name->text, "current_watermark"))
        return error_hint(error_at(ERR_UNSUPPORTED, name->at, "CURRENT_WATERMARK: a row does not know the watermark"), "LATE INTO keeps the rows that are late, with the watermark that each met");
    return NULL;
}

static Error *no_such_function(Binder *binder, const AstExpr *call, const AstName *name)
{
    Arena *arena = binder->arena;
    Error *outside = outside_function(name);
    if (outside)
        return outside;
    int own = 0, built_in = 0, count = 0;
    const char *const *mine = catalog_names(binder->catalog, SPACE_FUNCTIONS, arena, &own), *const *others = function_names(&built_in);
    const char **all = ARENA_ARRAY(arena, const char *, (size_t)(own + built_in) + 1);
    for (int i = 0; i < own; i++)
        all[count++] = mine[i];
    for (int i = 0; i < built_in; i++)
        all[count++] = others[i];
    Error *error = error_suggest(error_at(ERR_BIND, name->at, "no function '%s'", name->text), name->text, all, count);
    if (!error->hint && ast_is_user_call(call))
        error_hint(error, "functions in JavaScript or C# do not run here: CREATE FUNCTION %s(..) .. LANGUAGE LUA AS $$ .. $$", name->text);
    else if (!error->hint && binder_rules(binder)->dialect == DIALECT_ASA)
        error_hint(error, "machine-learning functions of the job do not run here; AnomalyDetection_SpikeAndDip(..) OVER (..) and _ChangePoint are built in");
    return error;
}

Error *bind_function_known(Binder *binder, const AstExpr *call)
{
    const Type *type;
    bool exists;
    if (call->path.count != 1)
        return NULL;
    function_resolve(binder->arena, call->path.items[0].text, NULL, 0, &type, NULL, &exists);
    if (exists || binder->catalog->find(binder->catalog, call->path.items[0].text, SPACE_FUNCTIONS))
        return NULL;
    return no_such_function(binder, call, &call->path.items[0]);
}

static Error *count_arguments(Binder *binder, const AstExpr *call, const CatalogEntry *entry)
{
    int count = entry->function->parameter_count;
    return call->args.count == count ? NULL : error_at(ERR_BIND, call->at, "%s takes %d argument%s, not %d", user_function_text(binder->arena, entry), count, count == 1 ? "" : "s", call->args.count);
}

static Error *coerce_argument(Arena *arena, const CatalogEntry *entry, int number, Expr **arg)
{
    Error *error = expr_coerce(arena, *arg, entry->function->types[number], arg);
    return error ? error_context(error, "parameter '%s' of '%s'", entry->function->parameters[number], entry->name) : NULL;
}

static Error *bind_arguments(Binder *binder, BindContext *context, const AstExpr *call, const CatalogEntry *entry, Expr ***args)
{
    const UserFunction *function = entry->function;
    *args = ARENA_ARRAY(context->arena, Expr *, (size_t)function->parameter_count + 1);
    TRY(count_arguments(binder, call, entry));
    for (int i = 0; i < function->parameter_count; i++) {
        TRY(bind_expression(context, call->args.items[i], &(*args)[i]));
        TRY(coerce_argument(context->arena, entry, i, &(*args)[i]));
        if (function->body && expr_is_volatile((*args)[i]) && count_uses(function->body, i) > 1)
            return error_hint(error_at(ERR_BIND, (*args)[i]->at, "'%s' uses its parameter '%s' more than once, and this is another value each time", entry->name, function->parameters[i]),
                              "compute it in a sub-query");
    }
    return NULL;
}

Error *bind_user_call(Binder *binder, BindContext *context, const AstExpr *call, Expr **result)
{
    const AstName *name = ast_user_name(call);
    const CatalogEntry *entry = binder->catalog->find(binder->catalog, name->text, SPACE_FUNCTIONS);
    Expr **args;
    if (!entry) {
        Expr *none = NULL;
        bool aggregate;
        const Type *type, *casts[FUNCTION_MAX_ARGS];
        aggregate_resolve(binder->arena, name->text, NULL, 0, &type, casts, &aggregate);
        return aggregate ? expr_call(context->arena, name->text, name->at, 0, NULL, &none) : no_such_function(binder, call, name);
    }
    const UserFunction *function = entry->function;
    if (function->is_aggregate)
        return error_at(ERR_BIND, call->at, "the aggregate %s may not stand here", name->text);
    LIST_ADD(binder->arena, &binder->functions, entry->name);
    TRY(bind_arguments(binder, context, call, entry, &args));
    if (!function->chunk)
        TRY(check_size(entry, args, call->at));
    int base = context->lambda ? context->lambda->slot + context->lambda->names->count : 0;
    *result = function->chunk ? call_lua(context->arena, entry, args, call->at)
                              : expand(context->arena, function->body, entry->name, args, function->parameter_count, base, call->at);
    *result = expr_fold(context->arena, *result);
    return NULL;
}

/* ---- aggregates ---- */

static const CatalogEntry *find_aggregate(Binder *binder, const AstExpr *ast)
{
    const AstName *name = ast_user_name(ast);
    const CatalogEntry *entry = name ? binder->catalog->find(binder->catalog, name->text, SPACE_FUNCTIONS) : NULL;
    return entry && entry->function->is_aggregate && entry->function->chunk ? entry : NULL;
}

static Error *mark(void *context, const AstExpr *ast, AstExpr **replacement)
{
    (void)replacement;
    ((AstExpr *)ast)->user_aggregate = ast->kind == AST_CALL && find_aggregate(context, ast);
    return NULL;
}

void mark_user_aggregates_in(Binder *binder, const AstExpr *expr)
{
    AstExpr *copy;
    if (catalog_has(binder->catalog, SPACE_FUNCTIONS))
        error_free(ast_map(binder->arena, expr, mark, binder, &copy));
}

void mark_user_aggregates(Binder *binder, const AstQuery *query)
{
    AstExpr *copy;
    if (!catalog_has(binder->catalog, SPACE_FUNCTIONS))
        return;
    for (int i = 0; i < query->items.count; i++)
        error_free(ast_map(binder->arena, query->items.items[i].expr, mark, binder, &copy));
    for (int i = 0; i < query->order_by.count; i++)
        error_free(ast_map(binder->arena, query->order_by.items[i].expr, mark, binder, &copy));
    const AstExpr *others[] = { query->having, query->qualify };
    for (int i = 0; i < 2; i++)
        if (others[i])
            error_free(ast_map(binder->arena, others[i], mark, binder, &copy));
}

Error *bind_user_aggregate(Binder *binder, const AstExpr *ast, AggregateCallArgs *call)
{
    const CatalogEntry *entry = find_aggregate(binder, ast);
    if (!entry) /* dropped since */
        return no_such_function(binder, ast, ast_user_name(ast));
    const UserFunction *function = entry->function;
    LIST_ADD(binder->arena, &binder->functions, entry->name);
    TRY(count_arguments(binder, ast, entry));
    for (int i = 0; i < function->parameter_count; i++)
        TRY(coerce_argument(binder->arena, entry, i, &call->args[i]));
    call->function = aggregate_lua(function->retracts);
    call->type = function->returns;
    call->constant_count = LUA_CONSTANTS;
    call->constants = lua_constants(binder->arena, entry);
    return NULL;
}
