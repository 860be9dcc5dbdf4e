/* planner/bind_unnest.c: rows out of lists: UNNEST, LATERAL TABLE(f(..)), CROSS APPLY f(..) in FROM, EXPLODE(..) in SELECT.
 *
 * Whatever gives an ARRAY or a MAP gives rows. In FROM an element that is a STRUCT becomes one column a field, and an entry of a MAP `key`
 * and `value`; what stands to the left may be named in the arguments. In SELECT the table functions of one block are taken together: row i holds
 * the i-th element of each, NULL where a list has ended. */
#include "planner/ast_map.h"
#include "planner/binder.h"

/* Lists to take apart, computed above what is there already. */
typedef struct Lists {
    Arena *arena;
    Expr **exprs; Column *columns; int width; /* of the projection below the unnesting */
    bool computed;
    int *lists; int count;
} Lists;

static void start_lists(Lists *lists, Arena *arena, const Relation *over, int room)
{
    int count = over->schema.column_count;
    *lists = (Lists){ .arena = arena, .width = count, .exprs = ARENA_ARRAY(arena, Expr *, count + room + 1), .columns = ARENA_ARRAY(arena, Column, count + room + 1),
                      .lists = ARENA_ARRAY(arena, int, room + 1) };
    for (int i = 0; i < count; i++) {
        lists->exprs[i] = binder_column(arena, &over->schema, i, SPAN_NONE);
        lists->columns[i] = over->schema.columns[i];
    }
}

static void add_list(Lists *lists, Expr *expr)
{
    lists->lists[lists->count] = expr->column;
    if (expr->kind != EXPR_COLUMN) {
        lists->lists[lists->count] = lists->width;
        lists->exprs[lists->width] = expr;
        lists->columns[lists->width++] = (Column){ .name = arena_printf(lists->arena, "$list%d", lists->count + 1), .hidden = true };
        lists->computed = true;
    }
    lists->count++;
}

/* The projection and the unnesting above `over`; first element column: lists->width. */
static LogicalNode *unnest_lists(Binder *binder, const Relation *over, Lists *lists, bool outer, bool ordinality, Span at)
{
    PlanInput input = over->input;
    if (lists->computed)
        input = main_port(binder_project(binder, over, lists->exprs, lists->columns, lists->width, at));
    return logical_unnest(lists->arena, input, lists->lists, lists->count, outer, ordinality, at);
}

/* The expression must be a list. */
static Error *check_list(Binder *binder, const AstExpr *ast, Expr **expr)
{
    const Type *type = (*expr)->type;
    if (type->kind == TYPE_ARRAY && type->children[0]->kind == TYPE_NULL)
        return binder_cast(binder->arena, *expr, type_array(binder->arena, type_scalar(TYPE_VARCHAR)), expr);
    if (type->kind == TYPE_ARRAY || type->kind == TYPE_MAP)
        return NULL;
    return error_hint(error_at(ERR_BIND, ast->at, "rows come out of an ARRAY or a MAP, this is %s", type_text(binder->arena, type)), "or out of a table function: EXPLODE, CUBE_EXPLODE, GetArrayElements, GetRecordProperties");
}

/* ---- FROM ---- */

static bool is_unnest(const AstExpr *call)
{
    return call->path.count == 1 && name_equal(call->path.items[0].text, "unnest");
}

/* An element's columns behind what `exprs` has already. */
static void spread(Arena *arena, const Schema *schema, int column, const char *name, Expr **exprs, Column *columns, int *count, Span at)
{
    Expr *element = binder_column(arena, schema, column, at);
    if (element->type->kind != TYPE_STRUCT) {
        exprs[*count] = element;
        columns[(*count)++] = (Column){ .name = name };
        return;
    }
    for (int f = 0; f < element->type->child_count; f++) {
        Expr *field = ARENA_NEW(arena, Expr);
        *field = (Expr){ .kind = EXPR_FIELD, .type = element->type->children[f], .at = at, .field = f, .arg_count = 1, .args = ARENA_ARRAY(arena, Expr *, 1) };
        field->args[0] = element;
        exprs[*count] = field;
        columns[(*count)++] = (Column){ .name = element->type->names[f] };
    }
}

static int spread_width(const Schema *schema, int first, int count)
{
    int width = 0;
    for (int i = first; i < first + count; i++)
        width += schema->columns[i].type->kind == TYPE_STRUCT ? schema->columns[i].type->child_count : 1;
    return width;
}

Error *bind_table_function(Binder *binder, const AstRelation *ast, const Relation *left, const ScopeRelation *parts, int part_count, bool outer, Relation *whole, Relation *right)
{
    Arena *arena = binder->arena;
    const AstExpr *call = ast->function;
    const char *name = ast_call_name(call);
    Lists lists;
    int room = call->args.count + 1, base = left->schema.column_count;
    start_lists(&lists, arena, left, room);
    if (is_unnest(call) && call->args.count == 0)
        return error_at(ERR_BIND, call->at, "UNNEST needs an ARRAY or a MAP");
    for (int i = 0; i < (is_unnest(call) ? call->args.count : 1); i++) {
        const AstExpr *arg = is_unnest(call) ? call->args.items[i] : call;
        Expr *expr = NULL;
        const AstExpr *outside = binder->table_call;
        binder->table_call = arg;
        Error *error = binder_scope_expr(binder, left, parts, part_count, arg, &expr);
        binder->table_call = outside;
        if (!error)
            error = check_list(binder, arg, &expr);
        if (error)
            return error;
        add_list(&lists, expr);
    }
    LogicalNode *unnest = unnest_lists(binder, left, &lists, outer, ast->with_ordinality, ast->at);

    int width = base + spread_width(&unnest->schema, lists.width, lists.count) + 1, count = base;
    Expr **exprs = ARENA_ARRAY(arena, Expr *, width + 1);
    Column *columns = ARENA_ARRAY(arena, Column, width + 1);
    for (int i = 0; i < base; i++) {
        exprs[i] = binder_column(arena, &unnest->schema, i, ast->at);
        columns[i] = left->schema.columns[i];
    }
    const char *only = ast->alias.text ? ast->alias.text : arena_printf(arena, "%s", name); /* of an element without fields */
    for (int i = 0; i < lists.count; i++)
        spread(arena, &unnest->schema, lists.width + i, lists.count > 1 ? arena_printf(arena, "%s%d", only, i + 1) : only, exprs, columns, &count, ast->at);
    if (ast->with_ordinality) {
        exprs[count] = binder_column(arena, &unnest->schema, lists.width + lists.count, ast->at);
        columns[count++] = (Column){ .name = "ordinality" };
    }
    LogicalNode *project = logical_project(arena, main_port(unnest), exprs, columns, count, POLICY_FAIL, ast->at);
    *right = (Relation){ .alias = ast->alias.text ? ast->alias.text : name, .time_column = -1, .window = { .start = -1, .end = -1, .time = -1 } };
    right->schema = (Schema){ count - base, ARENA_ARRAY(arena, Column, count - base + 1) };
    for (int i = base; i < count; i++)
        right->schema.columns[i - base] = project->schema.columns[i];
    TRY(bind_column_aliases(ast, arena, right));
    for (int i = base; i < count; i++)
        project->schema.columns[i].name = right->schema.columns[i - base].name;
    *whole = *left;
    whole->input = main_port(project);
    whole->schema = project->schema;
    whole->alias = NULL;
    return NULL;
}

/* A join with a table function on its right: rows of the left side with their elements. */
Error *bind_table_join(Block *block, const AstRelation *join, const Relation *left, Relation *relation)
{
    Binder *binder = block->binder;
    bool outer = join->join == AST_JOIN_LEFT || join->join == AST_JOIN_OUTER_APPLY;
    if (join->join == AST_JOIN_RIGHT || join->join == AST_JOIN_FULL)
        return error_hint(error_at(ERR_BIND, join->at, "a table function has no rows without those of the left side"), "CROSS JOIN, or LEFT JOIN .. ON TRUE");
    if (join->has_within || join->using.count)
        return error_at(ERR_BIND, join->right->at, "a table function is joined by its arguments alone");
    Expr *predicate = NULL;
    Relation right, rows = *left;
    if (port_traits(binder->arena, rows.input).changes == CHANGES_UPSERT)
        TRY(bind_normalize(binder, &rows, false, join->at));
    TRY(bind_table_function(binder, join->right, &rows, block->parts.items, block->parts.count, outer, relation, &right));
    block_add_part(block, &right, left->schema.column_count);
    if (!join->on)
        return NULL;
    TRY(binder_scope_expr(binder, relation, block->parts.items, block->parts.count, join->on, &predicate));
    if (predicate->type->kind != TYPE_BOOLEAN)
        return error_at(ERR_BIND, join->on->at, "ON needs a condition, this is %s", type_text(binder->arena, predicate->type));
    if (predicate->kind == EXPR_CONSTANT && !predicate->value.is_null && predicate->value.integer)
        return NULL;
    if (outer)
        return error_hint(binder_unsupported(join->on->at, "a condition of LEFT JOIN with a table function"), "ON TRUE");
    binder_filter(binder, relation, predicate, join->on->at);
    return NULL;
}

/* ---- SELECT ---- */

bool is_table_call(const AstExpr *expr)
{
    const char *name = ast_call_name(expr);
    return name && expr->path.count == 1 && function_is_table(name);
}

typedef struct TableCalls {
    Block *block;
    Relation *relation;
    Lists lists;
    struct { const char *text; int column; } *done; int done_count;
    Span at;
} TableCalls;

static Error *count_call(void *context, const AstExpr *ast, AstExpr **replacement)
{
    int *count = context;
    (void)replacement;
    *count += is_table_call(ast);
    return NULL;
}

/* Elements stand behind the lists, whose number is known when all calls have been found. */
static Error *find_call(void *context, const AstExpr *ast, AstExpr **replacement)
{
    TableCalls *calls = context;
    Binder *binder = calls->block->binder;
    (void)replacement;
    if (!is_table_call(ast))
        return NULL;
    for (int i = 0; i < ast->args.count; i++)
        if (ast_any(ast->args.items[i], is_table_call))
            return error_at(ERR_BIND, ast->args.items[i]->at, "a table function inside of a table function");
    const char *text = ast_text(binder->arena, ast);
    for (int i = 0; i < calls->done_count; i++)
        if (strcmp(calls->done[i].text, text) == 0)
            return NULL;
    Expr *expr = NULL;
    binder->table_call = ast;
    Error *error = block_expr(calls->block, calls->relation, ast, &expr);
    binder->table_call = NULL;
    if (error)
        return error;
    TRY(check_list(binder, ast, &expr));
    calls->at = calls->done_count ? calls->at : ast->at;
    calls->done[calls->done_count].text = text;
    calls->done[calls->done_count].column = calls->done_count;
    calls->done_count++;
    add_list(&calls->lists, expr);
    return NULL;
}

static Error *put_marker(void *context, const AstExpr *ast, AstExpr **replacement)
{
    TableCalls *calls = context;
    Arena *arena = calls->block->binder->arena;
    if (!is_table_call(ast))
        return NULL;
    const char *text = ast_text(arena, ast);
    for (int i = 0; i < calls->done_count; i++)
        if (strcmp(calls->done[i].text, text) == 0)
            *replacement = ast_marker(arena, calls->lists.width + calls->done[i].column, ast->at);
    return NULL;
}

Error *bind_table_calls(Block *block, AstExpr **exprs, int expr_count, Relation *relation)
{
    Arena *arena = block->binder->arena;
    int room = 0;
    AstExpr *ignored = NULL;
    for (int i = 0; i < expr_count; i++)
        TRY(ast_map(arena, exprs[i], count_call, &room, &ignored));
    if (room == 0)
        return NULL;
    TableCalls calls = { .block = block, .relation = relation };
    calls.done = arena_alloc(arena, sizeof *calls.done * (size_t)room);
    start_lists(&calls.lists, arena, relation, room);
    for (int i = 0; i < expr_count; i++)
        TRY(ast_map(arena, exprs[i], find_call, &calls, &ignored));
    LogicalNode *unnest = unnest_lists(block->binder, relation, &calls.lists, false, false, calls.at);
    for (int i = 0; i < expr_count; i++)
        TRY(ast_map(arena, exprs[i], put_marker, &calls, &exprs[i]));
    Schema names = { unnest->schema.column_count, ARENA_ARRAY(arena, Column, unnest->schema.column_count + 1) };
    for (int i = 0; i < names.column_count; i++)
        names.columns[i] = i < relation->schema.column_count ? relation->schema.columns[i] : unnest->schema.columns[i];
    relation->input = main_port(unnest);
    relation->schema = names;
    return NULL;
}
