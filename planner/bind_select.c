/* planner/bind_select.c: one SELECT block, in the order in which SQL means it:
 * FROM, windows, WHERE, GROUP BY, HAVING, ranks, QUALIFY, SELECT, DISTINCT. ORDER BY's keys become hidden columns behind the
 * selected ones. So do the event time and the bounds of windows: outer blocks, ROWTIME and WINDOWSTART need them. */
#include <ctype.h>
#include "planner/ast_map.h"
#include "planner/binder.h"
#include "planner/expr.h"
#include "planner/taken_names.h"

#define COLUMNS_MAX 16384  /* of a result: every two are compared by name, and SELECT *, * doubles them */

typedef struct Item {
    AstExpr *expr;          /* as written, or a marker for a column of `*` */
    const char *name;       /* NULL: comes from the expression */
    bool explicit_name;
    Span at;
} Item;

typedef struct Select {
    Block block;
    Arena *arena;
    struct { Item *items; int count, capacity; } items;
    SortKey *order; Span *order_at; int order_count; /* columns of the projection */
    AstExpr **exprs; int expr_count;                 /* items, HAVING, QUALIFY, then order expressions that are no item */
    int having, qualify, first_extra;
    int generated;                                   /* names made up so far */
    TakenNames taken;                                /* of the items so far */
} Select;

/* ---- SELECT * ---- */

static void add_item(Select *select, AstExpr *expr, const char *name, bool explicit_name, Span at)
{
    Item item = { expr, name, explicit_name, at };
    LIST_ADD(select->arena, &select->items, item);
}

static Error *expand_struct(Select *select, const AstExpr *star)
{
    Expr *expr = NULL;
    TRY(block_expr(&select->block, &select->block.from, star->left, &expr));
    if (expr->type->kind != TYPE_STRUCT)
        return error_at(ERR_BIND, star->at, "only a STRUCT has fields to expand, this is %s", type_text(select->arena, expr->type));
    for (int i = 0; i < expr->type->child_count; i++) {
        AstExpr *field = ARENA_NEW(select->arena, AstExpr);
        field->kind = AST_FIELD;
        field->at = field->op_at = star->at;
        field->left = star->left;
        AstName name = { expr->type->names[i], true, star->at };
        LIST_ADD(select->arena, &field->path, name);
        add_item(select, field, expr->type->names[i], false, star->at);
    }
    return NULL;
}

static bool is_message_key(const MessageColumns *message, int column)
{
    for (int k = 0; k < message->key_count; k++)
        if (message->key[k] == column)
            return true;
    return false;
}

/* What a column is called in SELECT *. */
static const char *star_name(const Select *select, const ScopeRelation *part, const char *name)
{
    const bool qualified = select->block.parts.count > 1 && part->alias && binder_rules(select->block.binder)->qualified_star;
    return qualified ? arena_printf(select->arena, "%s_%s", part->alias, name) : name;
}

/* ksqlDB shows the bounds of a windowed table's rows in SELECT *, behind the key. */
static void add_bounds(Select *select, const ScopeRelation *part, Span at)
{
    static const char *const bounds[] = { "WINDOWSTART", "WINDOWEND" };
    if (!select->block.context.shown || !binder_rules(select->block.binder)->bounds_shown)
        return;
    for (int b = 0; b < 2; b++)
        for (int i = 0; i < part->schema->column_count; i++)
            if (part->schema->columns[i].hidden && strcmp(part->schema->columns[i].name, bounds[b]) == 0)
                add_item(select, ast_marker(select->arena, part->base + i, at), star_name(select, part, bounds[b]), false, at);
}

/* How many of the columns are the key, which comes first. */
static int leading_keys(const Block *block, const ScopeRelation *part)
{
    int count = 0;
    while (block->from.message && count < part->schema->column_count && is_message_key(block->from.message, part->base + count))
        count++;
    return count;
}

static Error *expand_star(Select *select, const AstExpr *star)
{
    Block *block = &select->block;
    const char *qualifier = star->path.count ? star->path.items[star->path.count - 1].text : NULL;
    bool found = false;
    if (star->left)
        return expand_struct(select, star);
    for (int p = 0; p < block->parts.count; p++) {
        const ScopeRelation *part = &block->parts.items[p];
        if (qualifier && (!part->alias || !name_equal(part->alias, qualifier)))
            continue;
        found = true;
        /* with a new key the old one's columns are values like others, and the last (ksqlDB) */
        const bool keys_last = block->query->partition_by_given && block->from.message && binder_rules(block->binder)->unnamed_counted;
        const int keys = leading_keys(block, part);
        for (int pass = 0; pass <= keys_last; pass++)
            for (int i = 0; i < part->schema->column_count; i++) {
                if (i == keys && pass == 0)
                    add_bounds(select, part, star->at);
                if (!part->schema->columns[i].hidden && (!keys_last || is_message_key(block->from.message, part->base + i) == (pass == 1)))
                    add_item(select, ast_marker(select->arena, part->base + i, star->at), star_name(select, part, part->schema->columns[i].name), false, star->at);
            }
    }
    if (!found && qualifier) { /* a STRUCT column? */
        AstExpr name = *star;
        name.kind = AST_NAME;
        AstExpr copy = *star;
        copy.left = arena_copy(select->arena, &name, sizeof name);
        Error *error = expand_struct(select, &copy);
        if (!error)
            return NULL;
        error_free(error);
        return error_at(ERR_BIND, star->at, "no table '%s' in this query", qualifier);
    }
    if (!found)
        return error_at(ERR_BIND, star->at, "SELECT * needs FROM");
    return NULL;
}

/* SELECT * PARTITION BY f(x): the new key is one of the columns, and the first. */
static Error *add_partition_items(Select *select)
{
    Block *block = &select->block;
    const AstExprs *keys = &block->query->partition_by;
    for (int k = 0; k < keys->count; k++) {
        const AstExpr *ast = keys->items[k];
        Expr *expr = NULL;
        if (ast->kind == AST_LITERAL)
            continue;
        TRY(block_expr(block, &block->from, ast, &expr));
        if (expr->kind != EXPR_COLUMN || block->from.schema.columns[expr->column].hidden)
            add_item(select, (AstExpr *)ast, NULL, false, ast->at);
    }
    return NULL;
}

/* Does GROUP BY name every column? Then * means them. */
static bool covers_all(const Select *select)
{
    const AstExprs *keys = &select->block.query->group_by;
    const Schema *from = &select->block.from.schema;
    for (int i = 0; i < from->column_count; i++) {
        bool grouped = from->columns[i].hidden;
        for (int k = 0; k < keys->count && !grouped; k++)
            grouped = keys->items[k]->kind == AST_NAME && name_equal(keys->items[k]->path.items[keys->items[k]->path.count - 1].text, from->columns[i].name);
        if (!grouped)
            return false;
    }
    return keys->count > 0;
}

static Error *expand_items(Select *select, bool aggregated)
{
    const AstQuery *query = select->block.query;
    for (int i = 0; i < query->items.count; i++) {
        const AstSelectItem *item = &query->items.items[i];
        if (select->items.count > COLUMNS_MAX)
            return error_at(ERR_BIND, item->at, "more than %d columns", COLUMNS_MAX);
        if (item->expr->kind != AST_STAR) {
            const char *name = item->alias.text ? binder_new_name(select->block.binder, select->arena, &item->alias) : NULL;
            add_item(select, item->expr, name, name != NULL, item->at);
            continue;
        }
        if (aggregated && !item->expr->left && !covers_all(select))
            return error_hint(error_at(ERR_BIND, item->expr->at, "SELECT * does not go with GROUP BY or aggregates"), "name the columns");
        if (!item->expr->left && item->expr->path.count == 0)
            TRY(add_partition_items(select));
        TRY(expand_star(select, item->expr));
    }
    return NULL;
}

/* ---- ORDER BY ---- */

/* The item that an ORDER BY expression means by number or name; -1: an expression of its own. */
static Error *order_item(Select *select, const AstExpr *expr, int *item)
{
    *item = -1;
    if (expr->kind == AST_LITERAL && type_is_integer(expr->value.type)) {
        if (expr->value.integer < 1 || expr->value.integer > select->items.count)
            return error_at(ERR_BIND, expr->at, "ORDER BY %lld: there are %d columns", (long long)expr->value.integer, select->items.count);
        *item = (int)expr->value.integer - 1;
    } else if (expr->kind == AST_NAME && expr->path.count == 1) {
        for (int pass = 0; pass < 2 && *item < 0; pass++)
            for (int i = 0; i < select->items.count && *item < 0; i++) {
                const Item *candidate = &select->items.items[i];
                const char *name = candidate->name ? candidate->name : pass ? ast_expr_name(candidate->expr) : NULL;
                if (name && name_equal(name, expr->path.items[0].text))
                    *item = i;
            }
    } else {
        const char *text = ast_text(select->arena, expr);
        for (int i = 0; i < select->items.count && *item < 0; i++)
            if (select->items.items[i].expr->kind == expr->kind && strcmp(ast_text(select->arena, select->items.items[i].expr), text) == 0)
                *item = i;
    }
    return NULL;
}

/* QUALIFY may use aliases of SELECT where no column has the name. */
static Error *replace_alias(void *context, const AstExpr *ast, AstExpr **replacement)
{
    Select *select = context;
    if (ast->kind != AST_NAME || ast->path.count != 1)
        return NULL;
    Expr *expr = NULL;
    Error *error = block_expr(&select->block, &select->block.from, ast, &expr);
    for (int i = 0; i < select->items.count && error; i++)
        if (select->items.items[i].explicit_name && name_equal(select->items.items[i].name, ast->path.items[0].text)) {
            *replacement = select->items.items[i].expr;
            break;
        }
    error_free(error);
    return NULL;
}

static Error *collect_exprs(Select *select)
{
    const AstQuery *query = select->block.query;
    int count = select->items.count;
    select->exprs = ARENA_ARRAY(select->arena, AstExpr *, count + 2 + query->order_by.count + 1);
    for (int i = 0; i < count; i++)
        select->exprs[i] = select->items.items[i].expr;
    select->having = count;
    select->exprs[count++] = query->having;
    select->qualify = count;
    TRY(ast_map(select->arena, query->qualify, replace_alias, select, &select->exprs[count++]));
    select->first_extra = count;
    select->order = ARENA_ARRAY(select->arena, SortKey, query->order_by.count + 1);
    for (int i = 0; i < query->order_by.count; i++) {
        const AstOrderItem *order = &query->order_by.items[i];
        int item = -1;
        TRY(order_item(select, order->expr, &item));
        if (item < 0) {
            item = select->items.count + (count - select->first_extra);
            select->exprs[count++] = order->expr;
            if (query->distinct)
                return error_at(ERR_BIND, order->expr->at, "with DISTINCT, ORDER BY may only name selected columns");
        }
        select->order[select->order_count++] = (SortKey){ item, order->descending, order->nulls == 1 };
    }
    select->expr_count = count;
    return NULL;
}

/* ---- conditions ---- */

static Error *condition(Select *select, Relation *relation, const AstExpr *ast, const char *what)
{
    Expr *predicate = NULL;
    TRY(block_expr(&select->block, relation, ast, &predicate));
    if (predicate->type->kind != TYPE_BOOLEAN && predicate->type->kind != TYPE_NULL)
        return error_at(ERR_BIND, ast->at, "%s needs a condition, this is %s", what, type_text(select->arena, predicate->type));
    if (predicate->type->kind == TYPE_NULL)
        TRY(binder_cast(select->arena, predicate, type_scalar(TYPE_BOOLEAN), &predicate));
    binder_filter(select->block.binder, relation, predicate, ast->at);
    return NULL;
}

/* WHERE below an aggregation that still has to assign its windows: conditions on the bounds are conditions on the groups. */
static Error *where_under_window(Select *select, const AstExpr *where, AstExpr **having)
{
    Block *block = &select->block;
    AstExprs conjuncts = { 0 };
    ast_conjuncts(select->arena, where, &conjuncts);
    int virtual_from = block->from.schema.column_count - 3;
    for (int i = 0; i < conjuncts.count; i++) {
        Expr *expr = NULL;
        TRY(block_expr(block, &block->from, conjuncts.items[i], &expr));
        if (expr_max_column(expr) < virtual_from) {
            TRY(condition(select, &block->from, conjuncts.items[i], "WHERE"));
            continue;
        }
        if (!*having) {
            *having = conjuncts.items[i];
            continue;
        }
        AstExpr *both = ARENA_NEW(select->arena, AstExpr);
        *both = (AstExpr){ .kind = AST_BINARY, .op = OP_AND, .at = span_join((*having)->at, conjuncts.items[i]->at), .left = *having, .right = conjuncts.items[i] };
        *having = both;
    }
    return NULL;
}

/* ---- the projection ---- */

static const char *unnamed(Select *select, const AstExpr *ast, int number)
{
    const DialectRules *rules = binder_rules(select->block.binder);
    if (rules->unnamed_column) {
        Text text = { 0 }; /* the format is one of ours */
        MEMORY_HOLD(text_unwind, &text);
        _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wformat-nonliteral\"")
        text_printf(&text, rules->unnamed_column, number);
        _Pragma("GCC diagnostic pop")
        const char *name = arena_strdup(select->arena, text_c(&text));
        text_release(&text);
        return name;
    }
    while (ast->kind == AST_CAST && ast->left)
        ast = ast->left;
    if (ast_expr_name(ast))
        return ast_expr_name(ast);
    const char *call = ast_call_name(ast);
    if (call) {
        char *lower = arena_strdup(select->arena, call);
        for (char *c = lower; *c; c++)
            *c = (char)tolower((unsigned char)*c);
        return lower;
    }
    return arena_printf(select->arena, "column%d", number + 1);
}

static const char *generated_name(Select *select, const AstExpr *ast, int index)
{
    if (!binder_rules(select->block.binder)->unnamed_counted)
        return unnamed(select, ast, index);
    const char *name = unnamed(select, ast, select->generated++);
    while (schema_find(&select->block.from.schema, name) >= 0) /* one of the input's columns has that name */
        name = unnamed(select, ast, select->generated++);
    return name;
}

static bool name_taken(const Column *columns, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (columns[i].name && !columns[i].hidden && strcmp(columns[i].name, name) == 0) /* a wrong item has no name */
            return true;
    return false;
}

/* alias.column of a join, where more than one side has such a column. NULL: the column's own name. */
static const char *join_column_name(const Select *select, const AstExpr *ast)
{
    const Block *block = &select->block;
    const char *alias = NULL;
    int found = 0;
    if (ast->kind != AST_NAME || ast->path.count != 2 || !binder_rules(block->binder)->qualified_star)
        return NULL;
    for (int p = 0; p < block->parts.count; p++) {
        const ScopeRelation *part = &block->parts.items[p];
        bool has = false;
        for (int i = 0; i < part->schema->column_count; i++)
            has |= part->schema->columns[i].name && name_equal(part->schema->columns[i].name, ast->path.items[1].text);
        if (part->alias && name_equal(part->alias, ast->path.items[0].text))
            alias = part->alias;
        found += has;
    }
    return alias && found > 1 ? alias : NULL;
}

static Error *item_name(Select *select, int index, const Expr *expr, const Schema *under, const char **result)
{
    const Item *item = &select->items.items[index];
    if (item->explicit_name) {
        if (taken_find(&select->taken, item->name))
            return error_at(ERR_BIND, item->at, "two columns are called '%s'", item->name);
        *result = item->name;
        return NULL;
    }
    const char *name = item->name ? item->name : ast_expr_name(item->expr);
    bool field = name && expr->kind == EXPR_FIELD;
    if (field)
        name = expr->args[0]->type->names[expr->field];
    const char *alias = item->name ? NULL : join_column_name(select, item->expr);
    if (name && expr->kind == EXPR_COLUMN && name_equal(name, under->columns[expr->column].name))
        name = under->columns[expr->column].name; /* the case in which it was declared */
    if (name && alias)
        name = arena_printf(select->arena, "%s_%s", alias, expr->kind == EXPR_COLUMN && under->columns[expr->column].name[0] == '$' ? item->expr->path.items[1].text : name);
    if (!name)
        name = generated_name(select, item->expr, index);
    const char *base = name;
    const Schema *avoided = field && binder_rules(select->block.binder)->unnamed_counted ? &select->block.from.schema : NULL;
    TakenName *first = taken_find(&select->taken, name);
    for (int n = first ? first->number + 1 : 1; taken_find(&select->taken, name) || (avoided && schema_find(avoided, name) >= 0); n++) {
        name = arena_printf(select->arena, "%s_%d", base, n);
        if (first)
            first->number = n;
    }
    *result = name;
    return NULL;
}

static bool is_carried_name(const char *name)
{
    static const char *const names[] = { "ROWTIME", "WINDOWSTART", "WINDOWEND", "window_start", "window_end", "window_time" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

typedef struct Projection {
    Expr **exprs;
    Column *columns;
    int count;
} Projection;

/* Where column `from` of the input stands in the projection; -1 nowhere. */
static int projected(const Projection *projection, int from)
{
    for (int i = 0; i < projection->count && from >= 0; i++)
        if (projection->exprs[i]->kind == EXPR_COLUMN && projection->exprs[i]->column == from)
            return i;
    return -1;
}

static bool is_message_fact(const MessageColumns *message, int column)
{
    return message && (column == message->time || column == message->no_value || column == message->headers);
}

static void carry_hidden(Arena *arena, const Relation *relation, Projection *projection)
{
    const WindowColumns *window = &relation->window;
    for (int i = 0; i < relation->schema.column_count; i++) {
        const Column *column = &relation->schema.columns[i];
        bool meaning = i == relation->time_column || is_message_fact(relation->message, i) || (window->windowed && (i == window->start || i == window->end || i == window->time));
        if (!meaning && !(column->hidden && is_carried_name(column->name)))
            continue;
        if (meaning && projected(projection, i) >= 0)
            continue;
        const char *name = is_carried_name(column->name) || relation->message ? column->name : "$time";
        if (window->windowed && i == window->start)
            name = "window_start";
        else if (window->windowed && i == window->end)
            name = "window_end";
        else if (window->windowed && i == window->time)
            name = "window_time";
        if (name_taken(projection->columns, projection->count, name)) {
            if (!meaning)
                continue;
            name = arena_printf(arena, "$%s", name);
        }
        projection->exprs[projection->count] = binder_column(arena, &relation->schema, i, SPAN_NONE);
        projection->columns[projection->count++] = (Column){ .name = name, .hidden = true };
    }
}

/* PARTITION BY: another key. */
static Error *partition(Select *select, const Relation *under, const Projection *projection, Relation *relation)
{
    const AstQuery *query = select->block.query;
    Arena *arena = select->arena;
    MessageColumns *message = ARENA_NEW(arena, MessageColumns);
    if (relation->message)
        *message = *relation->message;
    else
        *message = (MessageColumns){ .time = relation->time_column, .no_value = -1, .headers = -1 };
    message->keyed = message->key_order = true;
    message->key_count = 0;
    message->window = KEY_WINDOW_NONE;
    message->key = ARENA_ARRAY(arena, int, query->partition_by.count + 1);
    message->key_names = ARENA_ARRAY(arena, const char *, query->partition_by.count + 1);
    for (int k = 0; k < query->partition_by.count; k++) {
        const AstExpr *ast = query->partition_by.items[k];
        Expr *expr = NULL;
        if (ast->kind == AST_LITERAL && ast->value.type->kind == TYPE_NULL && query->partition_by.count == 1)
            break; /* PARTITION BY NULL: no key */
        TRY(block_expr(&select->block, under, ast, &expr));
        int place = -1;
        for (int i = 0; i < select->items.count && place < 0; i++)
            if (expr_equal(projection->exprs[i], expr))
                place = i;
        message->key_names[message->key_count] = ast_text(arena, ast);
        message->key[message->key_count++] = place;
    }
    relation->message = message;
    return NULL;
}

/* A key column that two of the selected columns are; NULL: none. */
static const char *selected_twice(const Select *select, const Relation *under, const Projection *projection)
{
    for (int k = 0; k < under->message->key_count; k++) {
        int found = 0;
        for (int i = 0; i < select->items.count; i++)
            found += projection->exprs[i]->kind == EXPR_COLUMN && projection->exprs[i]->column == under->message->key[k];
        if (found > 1)
            return under->message->key_names[k];
    }
    return NULL;
}

/* NULL, or an array or map of nothing else. */
static bool holds_null_type(const Type *type)
{
    bool holds = type->kind == TYPE_NULL;
    for (int i = 0; i < type->child_count && !holds; i++)
        holds = holds_null_type(type->children[i]);
    return holds;
}

/* ksqlDB: of a join's columns that hold its key the one that is selected is the key, also where its own side is missing. */
static void name_join_key(const Binder *binder, const Relation *under, Projection *projection, int items)
{
    const MessageColumns *message = under->message;
    if (!binder_rules(binder)->joins_by_arrival || !message || message->key_count != 1 || projected(projection, message->key[0]) >= 0)
        return;
    for (int e = 0; e < message->equal_count; e++) {
        const int place = projected(projection, message->equal[e]);
        if (place >= 0 && place < items) {
            projection->exprs[place] = binder_column(binder->arena, &under->schema, message->key[0], projection->exprs[place]->at);
            return;
        }
    }
}

static Error *project(Select *select, Relation *under, Relation *relation)
{
    Arena *arena = select->arena;
    Block *block = &select->block;
    int items = select->items.count, extras = select->expr_count - select->first_extra;
    int room = items + extras + under->schema.column_count + 1;
    Projection projection = { ARENA_ARRAY(arena, Expr *, room), ARENA_ARRAY(arena, Column, room), 0 };
    Error *errors = NULL;
    select->taken = (TakenNames){ .arena = arena };
    MEMORY_HOLD(error_unwind, &errors);
    for (int i = 0; i < items; i++) {
        Expr *expr = NULL;
        Error *error = block_expr(block, under, select->exprs[i], &expr);
        if (!error && holds_null_type(expr->type) && binder_rules(block->binder)->typed_nulls)
            error = error_hint(error_at(ERR_BIND, select->items.items[i].at, "a NULL without a type cannot be a column"), "CAST(NULL AS VARCHAR)");
        if (!error && expr->type->kind == TYPE_NULL) /* SELECT NULL */
            error = binder_cast(arena, expr, type_scalar(TYPE_VARCHAR), &expr);
        Column column = { 0 };
        if (!error)
            error = item_name(select, i, expr, &under->schema, &column.name);
        errors = error_append(errors, error);
        if (error)
            continue;
        projection.exprs[i] = expr;
        projection.columns[i] = column;
        taken_add(&select->taken, column.name);
    }
    if (errors)
        return errors;
    projection.count = items;
    for (int i = 0; i < extras; i++) {
        Expr *expr = NULL;
        TRY(block_expr(block, under, select->exprs[select->first_extra + i], &expr));
        projection.exprs[projection.count] = expr;
        projection.columns[projection.count++] = (Column){ .name = arena_printf(arena, "$order%d", i + 1), .hidden = true };
    }
    name_join_key(block->binder, under, &projection, items);
    carry_hidden(arena, under, &projection);
    LogicalNode *node = binder_project(block->binder, under, projection.exprs, projection.columns, projection.count, block->query->at);
    *relation = (Relation){ .input = main_port(node), .schema = node->schema, .time_column = projected(&projection, under->time_column),
                            .processing_time = under->processing_time, .dead_letter = under->dead_letter, .letters = under->letters, .on_expr_error = under->on_expr_error };
    relation->window = under->window;
    relation->window.start = projected(&projection, under->window.start);
    relation->window.end = projected(&projection, under->window.end);
    relation->window.time = projected(&projection, under->window.time);
    int *places = ARENA_ARRAY(arena, int, under->schema.column_count + 1);
    for (int i = 0; i < under->schema.column_count; i++)
        places[i] = projected(&projection, i);
    bind_message_project(block->binder, under, places, relation);
    if (relation->message)
        relation->message->selected_twice = selected_twice(select, under, &projection);
    return block->query->partition_by_given ? partition(select, under, &projection, relation) : NULL;
}

/* Upserts may stay upserts where rows only change their columns, each by itself. */
static bool plain_projection(const AstQuery *query)
{
    for (int i = 0; i < query->items.count; i++)
        if (ast_any(query->items.items[i].expr, is_table_call) || ast_any(query->items.items[i].expr, is_subquery))
            return false;
    return !query->where && !query->having && !query->qualify && !query->distinct && !block_aggregates(query) && query->order_by.count == 0 &&
           !query->limit && !query->partition_by_given;
}

/* ---- the block ---- */

/* ASA's calls OVER (..) see the rows before WHERE, and may stand in it. */
static Error *bind_early_overs(Select *select)
{
    Block *block = &select->block;
    AstExpr **exprs = ARENA_ARRAY(select->arena, AstExpr *, select->expr_count + 1);
    for (int i = 0; i < select->expr_count; i++)
        exprs[i] = select->exprs[i];
    exprs[select->expr_count] = block->query->where;
    TRY(bind_overs(block, exprs, select->expr_count + 1, true, &block->from));
    if (exprs[select->expr_count] == block->query->where) {
        select->exprs = exprs;
        return NULL;
    }
    AstQuery *query = arena_copy(select->arena, block->query, sizeof *query);
    query->where = exprs[select->expr_count];
    block->query = query;
    select->exprs = exprs;
    return NULL;
}

Error *bind_select(Binder *binder, const AstQuery *query, QueryContext context, Relation *relation)
{
    TRY(expand_macros(binder, &query));
    Select select = { .block = { .binder = binder, .query = query, .context = context }, .arena = binder->arena };
    Block *block = &select.block;
    mark_user_aggregates(binder, query);
    if (query->from) {
        TRY(bind_from(block));
    } else {
        block->from = relation_of_nothing(binder, query->at);
        block_add_part(block, &block->from, 0);
    }
    TRY(bind_window_clause(block));
    bool aggregated = block_aggregates(query);
    if (block->from.pending && !aggregated)
        TRY(bind_window_assign(binder, &block->from));
    if (block->from.message && block->from.message->no_value >= 0 && (query->where || aggregated))
        TRY(bind_without_empty(binder, &block->from, query->from->at));
    if (port_traits(binder->arena, block->from.input).changes == CHANGES_UPSERT && !(context.persistent && plain_projection(query)))
        TRY(bind_normalize(binder, &block->from, block->window || block->from.pending, query->from->at));
    TRY(expand_items(&select, aggregated));
    TRY(collect_exprs(&select));
    TRY(bind_early_overs(&select));
    query = block->query;
    AstExpr *where = query->where;
    TRY(bind_subqueries(block, &where, 1, false, &block->from));
    if (where && block->from.pending)
        TRY(where_under_window(&select, where, &select.exprs[select.having]));
    else if (where)
        TRY(condition(&select, &block->from, where, "WHERE"));
    if (aggregated) {
        TRY(bind_group_subqueries(block, select.exprs, select.expr_count));
        TRY(bind_subqueries(block, select.exprs, select.expr_count, true, &block->from));
        query = block->query;
    }
    Relation grouped, *under = &block->from;
    if (aggregated) {
        TRY(bind_aggregate(block, select.exprs, select.expr_count, &grouped));
        under = &grouped;
    }
    TRY(bind_subqueries(block, select.exprs, select.expr_count, false, under));
    if (select.exprs[select.having])
        TRY(condition(&select, under, select.exprs[select.having], "HAVING"));
    select.exprs[select.having] = NULL;
    TRY(bind_times_of_rows(block, select.exprs, select.expr_count, under));
    TRY(bind_overs(block, select.exprs, select.expr_count, false, under));
    TRY(bind_ranks(block, select.exprs, select.expr_count, under));
    TRY(bind_late_into(block));
    if (select.exprs[select.qualify])
        TRY(condition(&select, under, select.exprs[select.qualify], "QUALIFY"));
    select.exprs[select.qualify] = NULL;
    TRY(bind_table_calls(block, select.exprs, select.expr_count, under));
    TRY(project(&select, under, relation));
    if (query->distinct)
        TRY(bind_distinct(block, relation));
    return bind_order(binder, query, select.order, select.order_count, relation);
}
