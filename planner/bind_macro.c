/* planner/bind_macro.c: aggregates that users define in SQL: an expression over aggregates under a name.
 *
 * What groups mean is decided over syntax trees, so these are macros of trees: a block's calls are replaced by the body, with the arguments, cast
 * to the parameters' types, in the parameters' place, before anything else is made of the block. */
#include "parser/parser.h"
#include "planner/ast_map.h"
#include "planner/statement.h"

static const CatalogEntry *find_macro(Binder *binder, const AstExpr *expr)
{
    const AstName *name = ast_user_name(expr);
    const CatalogEntry *entry = name ? binder->catalog->find(binder->catalog, name->text, SPACE_FUNCTIONS) : NULL;
    return entry && entry->function->macro ? entry : NULL;
}

/* ---- a call ---- */

typedef struct Expansion {
    Binder *binder;
    const CatalogEntry *entry;
    AstExpr *const *args;
} Expansion;

/* A parameter becomes its argument; of p.f the field is taken. */
static Error *substitute(void *context, const AstExpr *expr, AstExpr **replacement)
{
    const Expansion *expansion = context;
    const UserFunction *function = expansion->entry->function;
    for (int i = 0; expr->kind == AST_NAME && i < function->parameter_count; i++) {
        if (!name_equal(function->parameters[i], expr->path.items[0].text))
            continue;
        AstExpr *whole = expansion->args[i];
        for (int f = 1; f < expr->path.count; f++) {
            AstExpr *field = ARENA_NEW(expansion->binder->arena, AstExpr);
            *field = (AstExpr){ .kind = AST_FIELD, .at = whole->at, .op_at = whole->at, .left = whole };
            LIST_ADD(expansion->binder->arena, &field->path, expr->path.items[f]);
            whole = field;
        }
        *replacement = whole;
        return NULL;
    }
    return NULL;
}

static Error *place(void *context, const AstExpr *expr, AstExpr **replacement)
{
    (void)replacement;
    ((AstExpr *)expr)->at = ((AstExpr *)expr)->op_at = *(const Span *)context;
    return NULL;
}

/* ---- size: macros of macros can double at every step ---- */

#define EXPANDED_MAX 100000

typedef struct Size {
    const UserFunction *function;   /* whose parameters count as much as their arguments; NULL: none */
    const int64_t *arg_sizes;
    int64_t nodes;
} Size;

static Error *add_size(void *context, const AstExpr *expr, AstExpr **replacement)
{
    Size *size = context;
    (void)replacement;
    size->nodes++;
    for (int i = 0; size->function && expr->kind == AST_NAME && i < size->function->parameter_count; i++)
        if (name_equal(size->function->parameters[i], expr->path.items[0].text))
            size->nodes += size->arg_sizes[i];
    return NULL;
}

static Error *check_size(Binder *binder, const CatalogEntry *entry, AstExpr *const args[], int arg_count, Span at)
{
    AstExpr *unused;
    int64_t *sizes = ARENA_ARRAY(binder->arena, int64_t, (size_t)arg_count + 1);
    for (int i = 0; i < arg_count; i++) {
        Size size = { .nodes = 0 };
        TRY(ast_map(binder->arena, args[i], add_size, &size, &unused));
        sizes[i] = size.nodes;
    }
    Size size = { entry->function, sizes, 0 };
    TRY(ast_map(binder->arena, entry->function->macro, add_size, &size, &unused));
    return size.nodes <= EXPANDED_MAX ? NULL : error_at(ERR_BIND, at, "'%s' stands for an expression that is too large", entry->name);
}

/* ---- a call, all of it ---- */

static Error *expand(void *context, const AstExpr *expr, AstExpr **replacement);

static Error *expand_call(Binder *binder, const CatalogEntry *entry, const AstExpr *call, AstExpr **result)
{
    Arena *arena = binder->arena;
    const UserFunction *function = entry->function;
    const AstCreate *create = entry->statement->create;
    if (call->over || call->filter || call->distinct || call->star || call->within_order.count)
        return error_at(ERR_UNSUPPORTED, call->at, "%s is made of aggregates: it takes neither OVER, FILTER, DISTINCT nor ORDER BY", entry->name);
    if (call->args.count != function->parameter_count)
        return error_at(ERR_BIND, call->at, "%s takes %d argument%s, not %d", user_function_text(arena, entry), function->parameter_count,
                        function->parameter_count == 1 ? "" : "s", call->args.count);
    AstExpr **args = ARENA_ARRAY(arena, AstExpr *, (size_t)call->args.count + 1), *body, *unused;
    for (int i = 0; i < call->args.count; i++) {
        AstExpr *cast = args[i] = ARENA_NEW(arena, AstExpr);
        *cast = (AstExpr){ .kind = AST_CAST, .at = call->args.items[i]->at, .op_at = call->args.items[i]->at, .type = create->parameters.items[i].type };
        TRY(ast_map(arena, call->args.items[i], expand, binder, &cast->left));
    }
    Span at = call->at;
    TRY(check_size(binder, entry, args, call->args.count, at));
    TRY(ast_map(arena, function->macro, place, &at, &body)); /* a copy.. */
    TRY(ast_map(arena, body, place, &at, &unused));          /* ..that stands where the call does */
    Expansion expansion = { binder, entry, args };
    TRY(ast_map(arena, body, substitute, &expansion, result));
    LIST_ADD(arena, &binder->functions, entry->name);
    return NULL;
}

static Error *expand(void *context, const AstExpr *expr, AstExpr **replacement)
{
    const CatalogEntry *entry = find_macro(context, expr);
    return entry ? expand_call(context, entry, expr, replacement) : NULL;
}

/* ---- a block ---- */

static bool any_macro(Binder *binder)
{
    Arena arena; /* the list is for this question alone, and as long as the catalog */
    int count = 0;
    arena_init(&arena, NULL);
    MEMORY_HOLD(arena_unwind, &arena);
    CatalogEntry **entries = binder->catalog->list(binder->catalog, &arena, &count);
    bool any = false;
    for (int i = 0; i < count && !any; i++)
        any = entries[i]->kind == CATALOG_FUNCTION && entries[i]->function->macro;
    arena_release(&arena);
    return any;
}

Error *expand_macros(Binder *binder, const AstQuery **query)
{
    Arena *arena = binder->arena;
    if (!any_macro(binder))
        return NULL;
    AstQuery *copy = arena_copy(arena, *query, sizeof *copy);
    copy->items.items = arena_copy(arena, copy->items.items, sizeof *copy->items.items * (size_t)copy->items.count);
    for (int i = 0; i < copy->items.count; i++)
        TRY(ast_map(arena, copy->items.items[i].expr, expand, binder, &copy->items.items[i].expr));
    if (copy->order_by.count)
        copy->order_by.items = arena_copy(arena, copy->order_by.items, sizeof *copy->order_by.items * (size_t)copy->order_by.count);
    for (int i = 0; i < copy->order_by.count; i++)
        TRY(ast_map(arena, copy->order_by.items[i].expr, expand, binder, &copy->order_by.items[i].expr));
    TRY(ast_map(arena, copy->having, expand, binder, &copy->having));
    TRY(ast_map(arena, copy->qualify, expand, binder, &copy->qualify));
    *query = copy;
    return NULL;
}

/* ---- CREATE AGGREGATE FUNCTION .. AS (expression) ---- */

static bool is_lambda(const AstExpr *expr) { return expr->kind == AST_LAMBDA; }

/* What it gives: planned over a relation whose columns are the parameters. */
static Error *plan_body(Binder *binder, const AstExpr *body, const UserFunction *function, const Type **type)
{
    Arena *arena = binder->arena;
    const char *sql = arena_printf(arena, "SELECT %s FROM (SELECT ", ast_text(arena, body));
    for (int i = 0; i < function->parameter_count; i++)
        sql = arena_printf(arena, "%s%sCAST(NULL AS %s) AS \"%s\"", sql, i ? ", " : "", type_text(arena, function->types[i]), function->parameters[i]);
    sql = arena_printf(arena, "%s%s) AS parameters", sql, function->parameter_count ? "" : "1 AS \"$\"");
    AstScript script = { 0 };
    Relation relation;
    TRY(parse_script(arena, sql, strlen(sql), NULL, &script));
    TRY(bind_query(binder, script.statements[0]->query, (QueryContext){ .top_level = true }, &relation));
    *type = relation.schema.columns[0].type;
    return NULL;
}

Error *bind_macro(Binder *binder, Arena *arena, const AstCreate *create, UserFunction *function)
{
    AstExpr *body = create->body_expr;
    const Type *type;
    if (create->body)
        TRY(parse_expression(arena, create->body, strlen(create->body), &body));
    if (ast_any(body, is_lambda))
        return error_at(ERR_UNSUPPORTED, create->body_at, "a lambda in an aggregate in SQL is not supported");
    Binder other;
    binder_init(&other, binder->arena, binder->catalog, binder->settings, binder->connectors, binder->text);
    other.final_results = true;
    TRY(ast_map(binder->arena, body, expand, &other, &body));
    Error *error = plan_body(&other, body, function, &type);
    if (error) {
        error->at = create->body_at;
        return error;
    }
    if (!block_aggregates(&(AstQuery){ .items = { &(AstSelectItem){ .expr = body }, 1, 1 } }))
        return error_hint(error_at(ERR_BIND, create->body_at, "there is no aggregate in it"), "CREATE FUNCTION makes functions of rows");
    if (function->returns && !type_equal(type, function->returns)) {
        if (type_convertible(type, function->returns) < 0)
            return error_hint(error_at(ERR_BIND, create->body_at, "it gives %s, not %s", type_text(binder->arena, type), type_text(binder->arena, function->returns)),
                              "CAST(.. AS %s)", type_text(binder->arena, function->returns));
        AstExpr *cast = ARENA_NEW(binder->arena, AstExpr);
        *cast = (AstExpr){ .kind = AST_CAST, .at = body->at, .op_at = body->at, .left = body, .type = create->returns };
        body = cast;
        type = function->returns;
    }
    function->returns = type_copy(arena, type);
    for (int i = 0; i < other.functions.count; i++)
        LIST_ADD(binder->arena, &binder->functions, other.functions.items[i]);
    AstExpr *kept;
    TRY(ast_map(arena, body, expand, &other, &kept)); /* for as long as the catalog */
    function->macro = kept;
    return NULL;
}
