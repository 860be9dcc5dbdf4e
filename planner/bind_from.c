/* planner/bind_from.c: what stands in FROM: names, files, sub-queries, VALUES, window functions, joins. */
#include "planner/ast_map.h"
#include "planner/binder.h"

static const WindowColumns no_window = { .start = -1, .end = -1, .time = -1 };

/* ---- catalog entries ---- */

static Error *enter(Binder *binder, const CatalogEntry *entry, Span at)
{
    for (int i = 0; i < binder->stack.count; i++)
        if (binder->stack.items[i] == entry)
            return error_at(ERR_BIND, at, "'%s' reads itself", entry->name);
    LIST_ADD(binder->arena, &binder->stack, entry);
    return NULL;
}

/* What an entry was defined with holds while its text is bound: settings, places, no CTEs of the reader. */
typedef struct Outside {
    const PlannerSettings *settings;
    int text;
    CteScope *ctes;
} Outside;

static Outside go_inside(Binder *binder, const PlannerSettings *settings, int text)
{
    Outside outside = { binder->settings, binder->text, binder->ctes };
    binder_use_settings(binder, settings);
    binder->text = text;
    binder->ctes = NULL;
    return outside;
}

static void come_back(Binder *binder, Outside outside)
{
    binder_use_settings(binder, outside.settings);
    binder->text = outside.text;
    binder->ctes = outside.ctes;
}

/* Places in another text cannot be shown: the reader's place stands for them. */
static Error *foreign_error(Error *error, const char *name, Span at)
{
    if (error)
        error_context(error, "in '%s'", name);
    for (Error *each = error; each; each = each->next)
        each->at = at;
    return error;
}

/* Its columns are those of when it was made: what `*` gives since ALTER .. ADD COLUMN is not among them. */
static void hide_later_columns(Arena *arena, const CatalogEntry *entry, Relation *relation)
{
    const AstCreate *create = entry->statement ? entry->statement->create : NULL;
    int visible = 0;
    for (int i = 0; i < relation->schema.column_count; i++)
        visible += !relation->schema.columns[i].hidden;
    if (!create || create->columns.count || visible == entry->schema.column_count || entry->schema.column_count == 0)
        return;
    relation->schema = *schema_copy(arena, &relation->schema);
    for (int i = 0, next = 0; i < relation->schema.column_count; i++) {
        Column *column = &relation->schema.columns[i];
        if (column->hidden)
            continue;
        if (next < entry->schema.column_count && strcmp(entry->schema.columns[next].name, column->name) == 0)
            next++;
        else
            *column = (Column){ .name = "$later", .type = column->type, .hidden = true };
    }
}

static Error *bind_defining_query(Binder *binder, CatalogEntry *entry, Span at, Relation *relation)
{
    bool foreign = entry->text != binder->text;
    Outside outside = go_inside(binder, &entry->settings, entry->text);
    QueryContext context = { .persistent = entry->kind != CATALOG_VIEW };
    Error *error = bind_query(binder, entry->query, context, relation);
    come_back(binder, outside);
    if (error)
        return foreign ? foreign_error(error, entry->name, at) : error;
    if (foreign)
        logical_replace_spans(binder->arena, relation->input, at);
    hide_later_columns(binder->arena, entry, relation);
    const AstCreate *create = entry->statement ? entry->statement->create : NULL;
    if (create && create->columns.count && entry->kind == CATALOG_VIEW) { /* CREATE VIEW v (a, b) AS */
        int visible = 0;
        for (int i = 0; i < relation->schema.column_count; i++)
            if (!relation->schema.columns[i].hidden && visible < create->columns.count)
                relation->schema.columns[i].name = create->columns.items[visible++].name.text;
    }
    return NULL;
}

/* Rows that other queries put aside under this name. */
static Error *bind_side_stream(Binder *binder, CatalogEntry *entry, Span at, Relation *relation)
{
    struct { PlanInput *items; int count, capacity; } inputs = { 0 };
    for (int p = 0; p < entry->producers.count; p++) {
        const CatalogProducer *producer = &entry->producers.items[p];
        Binder inner = *binder;
        inner.sides.items = NULL;
        inner.sides.count = inner.sides.capacity = 0;
        inner.bound_from.count = inner.bound_from.capacity = 0;
        binder_use_settings(&inner, &producer->settings);
        inner.text = producer->text;
        inner.ctes = NULL;
        inner.own_depth = binder->stack.count + (producer->source != NULL);
        Relation made;
        Error *error = NULL;
        if (producer->source) {
            CatalogEntry *source = binder->catalog->find(binder->catalog, producer->source, false);
            if (!source)
                continue;
            error = bind_entry(&inner, source, NULL, at, &made);
        } else {
            error = bind_statement_query(&inner, producer->statement, &made);
        }
        binder->uses = inner.uses;
        binder->stack = inner.stack;
        binder_use_settings(binder, binder->settings);
        if (error)
            return producer->text != binder->text ? foreign_error(error, entry->name, at) : error;
        for (int s = 0; s < inner.sides.count; s++) {
            SidePort *side = &inner.sides.items[s];
            if (!side->own || side->letters || !name_equal(side->name, entry->name))
                continue; /* what a query reads fills the stream by itself */
            LogicalNode *pick = logical_pick(binder->arena, side->input, side->columns, side->column_count, at);
            if (producer->text != binder->text)
                logical_replace_spans(binder->arena, main_port(pick), at);
            LIST_ADD(binder->arena, &inputs, main_port(pick));
        }
    }
    if (inputs.count == 0)
        return error_at(ERR_BIND, at, "nothing fills '%s' any more", entry->name);
    for (int i = 1; i < inputs.count; i++)
        for (int c = 0; c < inputs.items[0].node->schema.column_count; c++)
            if (inputs.items[i].node->schema.column_count != inputs.items[0].node->schema.column_count ||
                !type_equal(inputs.items[i].node->schema.columns[c].type, inputs.items[0].node->schema.columns[c].type))
                return error_at(ERR_BIND, at, "the queries that fill '%s' put rows of different columns there", entry->name);
    PlanInput input = inputs.count == 1 ? inputs.items[0] : main_port(logical_union(binder->arena, inputs.items, inputs.count, at));
    *relation = (Relation){ .input = input, .alias = entry->name, .schema = input.node->schema, .time_column = -1, .window = no_window };
    return NULL;
}

/* A table's rows take each other's place by its primary key, unless that is only a promise. What changes already does so by itself. */
static Error *keep_by_key(Binder *binder, const CatalogEntry *entry, Span at, Relation *relation)
{
    EdgeTraits traits = port_traits(binder->arena, relation->input);
    bool promised = entry->source && entry->source->key_not_enforced;
    if (entry->kind != CATALOG_TABLE || entry->key_count == 0 || promised || traits.changes != CHANGES_APPEND)
        return NULL;
    LogicalNode *node = logical_node(binder->arena, PLAN_NORMALIZE, at, 1, &relation->input);
    int *keys = ARENA_ARRAY(binder->arena, int, entry->key_count + 1);
    for (int k = 0; k < entry->key_count; k++) {
        const char *name = entry->columns[entry->key_columns[k]].name;
        keys[k] = -1;
        for (int c = 0; c < relation->schema.column_count; c++)
            if (strcmp(relation->schema.columns[c].name, name) == 0)
                keys[k] = c;
        if (keys[k] < 0)
            return error_at(ERR_INTERNAL, at, "the key column '%s' of '%s' is not among its rows", name, entry->name);
    }
    node->normalize.key_count = entry->key_count;
    node->normalize.key_columns = keys;
    node->normalize.time_column = -1;
    node->normalize.at_end = binder->final_results && traits.bounded;
    logical_derive(binder->arena, node);
    relation->input = main_port(node);
    return NULL;
}

Error *bind_producer(Binder *binder, const CatalogProducer *producer, const CatalogEntry *target, Span at, Relation *rows)
{
    const bool foreign = producer->text != binder->text;
    Outside outside = go_inside(binder, &producer->settings, producer->text);
    Error *error = bind_earlier_insert(binder, producer->statement, target, producer->width, rows);
    come_back(binder, outside);
    if (error)
        return foreign ? foreign_error(error, target->name, at) : error;
    if (foreign)
        logical_replace_spans(binder->arena, rows->input, at);
    return NULL;
}

/* CREATE STREAM s (columns) without connector: the union of what INSERT INTO gives it. */
static Error *bind_process_stream(Binder *binder, CatalogEntry *entry, const AstExpr *timestamp_by, Span at, Relation *relation)
{
    Arena *arena = binder->arena;
    PlanInput *inputs = ARENA_ARRAY(arena, PlanInput, entry->producers.count + 1);
    for (int p = 0; p < entry->producers.count; p++) {
        Relation rows;
        TRY(bind_producer(binder, &entry->producers.items[p], entry, at, &rows));
        inputs[p] = rows.input;
    }
    PlanInput input;
    if (entry->producers.count == 0) {
        Schema schema = { 0, ARENA_ARRAY(arena, Column, entry->column_count + 1) };
        for (int i = 0; i < entry->column_count; i++)
            if (!entry->columns[i].computed)
                schema.columns[schema.column_count++] = (Column){ .name = entry->columns[i].name, .type = entry->columns[i].type };
        input = main_port(logical_values(arena, &schema, NULL, 0, at));
    } else {
        input = entry->producers.count == 1 ? inputs[0] : main_port(logical_union(arena, inputs, entry->producers.count, at));
    }
    TRY(bind_source_columns(binder, entry, input, timestamp_by, at, relation));
    if (!relation->processing_time)
        return keep_by_key(binder, entry, at, relation);
    EdgeTraits traits = port_traits(arena, relation->input); /* no time of its own: that of its rows, if they have one */
    for (int t = 0; t < traits.time_count; t++)
        if (!traits.times[t].processing) {
            relation->time_column = traits.times[t].column;
            relation->processing_time = false;
            break;
        }
    return keep_by_key(binder, entry, at, relation);
}

Error *bind_entry(Binder *binder, CatalogEntry *entry, const AstExpr *timestamp_by, Span at, Relation *relation)
{
    TRY(enter(binder, entry, at));
    binder_use(binder, entry->name);
    Error *error = NULL;
    switch (entry->origin) {
    case ORIGIN_CONNECTOR:
        error = bind_source_scan(binder, entry, timestamp_by, at, relation);
        timestamp_by = NULL;
        break;
    case ORIGIN_QUERY:
        error = bind_defining_query(binder, entry, at, relation);
        if (!error)
            error = bind_appended(binder, entry, at, relation);
        break;
    case ORIGIN_PROCESS:
        error = bind_process_stream(binder, entry, timestamp_by, at, relation);
        timestamp_by = NULL;
        break;
    case ORIGIN_SIDE: error = bind_side_stream(binder, entry, at, relation); break;
    case ORIGIN_NONE: error = error_at(ERR_BIND, at, "'%s' is a type", entry->name); break;
    }
    binder->stack.count--;
    if (!error && timestamp_by)
        error = bind_timestamp_by(binder, timestamp_by, relation);
    if (error)
        return error;
    relation->alias = entry->name;
    const bool rows_only = entry->source && is_record_connector(entry->source->connector) && entry->statement && entry->statement->kind == AST_STMT_CREATE_SOURCE && !is_message_table(entry);
    relation->table = entry->kind == CATALOG_TABLE && !rows_only;
    return NULL;
}

/* ---- TIMESTAMP BY over rows that are not a scan ---- */

Error *bind_timestamp_by(Binder *binder, const AstExpr *ast, Relation *relation)
{
    Arena *arena = binder->arena;
    Expr *expr = NULL;
    TRY(binder_expr(binder, relation, ast, &expr));
    if (type_is_integer(expr->type))
        TRY(binder_from_ms(arena, expr, &expr));
    else if (!type_is_timestamp(expr->type))
        TRY(binder_cast(arena, expr, type_scalar(TYPE_TIMESTAMP), &expr));
    int count = relation->schema.column_count, time = expr->column;
    PlanInput input = relation->input;
    if (expr->kind != EXPR_COLUMN) {
        Expr **exprs = ARENA_ARRAY(arena, Expr *, count + 1);
        Column *columns = ARENA_ARRAY(arena, Column, count + 1);
        for (int i = 0; i < count; i++) {
            exprs[i] = binder_column(arena, &relation->schema, i, ast->at);
            columns[i] = relation->schema.columns[i];
        }
        exprs[count] = expr;
        columns[count] = (Column){ .name = "$time", .hidden = true };
        LogicalNode *project = binder_project(binder, relation, exprs, columns, count + 1, ast->at);
        input = main_port(project);
        relation->schema = project->schema;
        time = count;
    }
    LogicalNode *stamp = logical_node(arena, PLAN_WATERMARK, ast->at, 1, &input);
    stamp->watermark.time_column = time;
    stamp->watermark.on_error = binder_policy(binder) == POLICY_NULL ? POLICY_SKIP : binder_policy(binder);
    logical_derive(arena, stamp);
    Schema names = relation->schema;
    relation->input = main_port(stamp);
    relation->schema = names;
    relation->time_column = time;
    relation->processing_time = false;
    return NULL;
}

/* The largest time of a key's rows is its clock. The clock of all rows below stays: it says in which order files are read. */
Error *bind_timestamp_over(Binder *binder, AstExpr *ast, Relation *relation)
{
    Arena *arena = binder->arena;
    AstExprs given = { 0 };
    if (relation->pending)
        return error_at(ERR_BIND, ast->at, "TIMESTAMP BY .. OVER belongs to the table inside of the window function");
    if (ast_is_row(ast))
        given = ast->args;
    else
        LIST_ADD(arena, &given, ast);
    LogicalNode *stamp = logical_node(arena, PLAN_WATERMARK, ast->at, 1, &relation->input);
    const char **names = ARENA_ARRAY(arena, const char *, given.count + 1);
    stamp->watermark.keys = ARENA_ARRAY(arena, Expr *, given.count + 1);
    for (int i = 0; i < given.count; i++) {
        TRY(binder_expr(binder, relation, given.items[i], &stamp->watermark.keys[i]));
        names[i] = ast_text(arena, given.items[i]);
    }
    stamp->watermark.key_count = given.count;
    stamp->watermark.key_names = names;
    stamp->watermark.time_column = relation->time_column;
    stamp->watermark.on_error = binder_policy(binder);
    logical_derive(arena, stamp);
    relation->input = main_port(stamp);
    return NULL;
}

/* ---- VALUES ---- */

Error *bind_values(Binder *binder, const AstExprs *rows, int row_count, Span at, const Schema *target, Relation *relation)
{
    Arena *arena = binder->arena;
    int width = row_count ? rows[0].count : 0;
    Relation nothing = { .time_column = -1, .window = no_window };
    Expr **exprs = ARENA_ARRAY(arena, Expr *, row_count * width + 1);
    const Type **types = ARENA_ARRAY(arena, const Type *, width + 1);
    for (int r = 0; r < row_count; r++) {
        if (rows[r].count != width)
            return error_at(ERR_BIND, rows[r].count ? rows[r].items[0]->at : at, "row %d has %d values, the first has %d", r + 1, rows[r].count, width);
        for (int c = 0; c < width; c++) {
            Expr **expr = &exprs[r * width + c];
            TRY(binder_expr(binder, &nothing, rows[r].items[c], expr));
            const Type *type = (*expr)->type;
            if (target) {
                TRY(binder_assign(binder, *expr, target->columns[c].type, target->columns[c].name, expr));
            } else {
                types[c] = types[c] ? type_common(arena, types[c], type) : type;
                if (!types[c])
                    return error_at(ERR_BIND, rows[r].items[c]->at, "column %d holds values that have no common type", c + 1);
            }
        }
    }
    Value *values = ARENA_ARRAY(arena, Value, row_count * width + 1);
    Schema schema = { width, ARENA_ARRAY(arena, Column, width + 1) };
    for (int c = 0; c < width; c++) {
        const Type *type = target ? target->columns[c].type : types[c]->kind == TYPE_NULL ? type_scalar(TYPE_VARCHAR) : types[c];
        schema.columns[c] = (Column){ .name = target ? target->columns[c].name : arena_printf(arena, "column%d", c + 1), .type = type };
        for (int r = 0; r < row_count; r++) {
            Expr *expr = exprs[r * width + c];
            TRY(binder_cast(arena, expr, type, &expr));
            TRY(binder_constant(binder, expr, &values[r * width + c]));
        }
    }
    LogicalNode *node = logical_values(arena, &schema, values, row_count, at);
    *relation = (Relation){ .input = main_port(node), .schema = schema, .time_column = -1, .window = no_window };
    return NULL;
}

/* ---- OPTIONS hints ---- */

/* What the declaration says, with what the hint says in its place. */
static AstProperties merged_options(Arena *arena, const AstProperties *declared, const AstProperties *hints, bool foreign, Span at)
{
    AstProperties merged = { 0 };
    for (int i = 0; i < declared->count; i++) {
        bool replaced = false;
        for (int h = 0; h < hints->count; h++)
            replaced |= option_name_equal(declared->items[i].name, hints->items[h].name);
        if (replaced)
            continue;
        LIST_ADD(arena, &merged, declared->items[i]);
        if (foreign)
            merged.items[merged.count - 1].name_at = merged.items[merged.count - 1].value_at = at;
    }
    for (int h = 0; h < hints->count; h++)
        LIST_ADD(arena, &merged, hints->items[h]);
    return merged;
}

static bool is_hint(const Error *error, const AstRelation *ast)
{
    for (int h = 0; h < ast->hints.count; h++)
        if (error->at.start == ast->hints.items[h].name_at.start || error->at.start == ast->hints.items[h].value_at.start)
            return true;
    return false;
}

/* ---- relations ---- */

Relation relation_of_nothing(Binder *binder, Span at)
{
    Schema schema = { 0, ARENA_ARRAY(binder->arena, Column, 1) };
    LogicalNode *node = logical_values(binder->arena, &schema, ARENA_ARRAY(binder->arena, Value, 1), 1, at);
    return (Relation){ .input = main_port(node), .schema = schema, .time_column = -1, .window = no_window };
}

Error *bind_column_aliases(const AstRelation *ast, Arena *arena, Relation *relation)
{
    if (ast->column_aliases.count == 0)
        return NULL;
    relation->schema = *schema_copy(arena, &relation->schema);
    int next = 0;
    for (int i = 0; i < relation->schema.column_count; i++)
        if (!relation->schema.columns[i].hidden && next < ast->column_aliases.count)
            relation->schema.columns[i].name = ast->column_aliases.items[next++].text;
    if (next < ast->column_aliases.count)
        return error_at(ERR_BIND, ast->column_aliases.items[next].at, "there is no column %d to name", next + 1);
    return NULL;
}

/* s / *+ OPTIONS('k' = 'v') * /: the stream as if it had been declared so, for this query. */
static Error *bind_with_hints(Binder *binder, const CatalogEntry *entry, const AstRelation *ast, const AstExpr *timestamp_by, Span at, Relation *relation)
{
    const AstStatement *statement = entry->statement;
    if (entry->origin != ORIGIN_CONNECTOR || !statement || statement->kind != AST_STMT_CREATE_SOURCE)
        return error_at(ERR_BIND, ast->hints.items[0].name_at, "OPTIONS (..) changes properties of streams with a connector, '%s' has none", entry->name);
    AstCreate *create = arena_copy(&binder->catalog->arena, statement->create, sizeof *statement->create);
    create->with = merged_options(&binder->catalog->arena, &create->with, &ast->hints, entry->text != binder->text, at);
    CatalogEntry *changed = ARENA_NEW(&binder->catalog->arena, CatalogEntry);
    *changed = (CatalogEntry){ .kind = entry->kind, .name = entry->name, .at = at, .text = binder->text, .statement = statement, .settings = entry->settings };
    Outside outside = go_inside(binder, &entry->settings, binder->text);
    Error *error = bind_source_definition(binder, create, changed);
    come_back(binder, outside);
    if (error)
        return entry->text != binder->text && !is_hint(error, ast) ? foreign_error(error, entry->name, at) : error;
    binder_use(binder, entry->name);
    TRY(bind_source_scan(binder, changed, timestamp_by, at, relation));
    relation->alias = entry->name;
    return NULL;
}

static Error *bind_name(Binder *binder, const AstRelation *ast, const AstExpr *timestamp_by, Relation *relation)
{
    const AstName *name = &ast->name.items[ast->name.count - 1];
    for (CteScope *scope = binder->ctes; scope; scope = scope->outer) {
        if (!name_equal(scope->cte->name.text, name->text))
            continue;
        if (!scope->bound) { /* bound once, however often it is read */
            CteScope *all = binder->ctes;
            binder->ctes = scope->outer;
            scope->binding = binder->binding;
            binder->binding = scope;
            Error *error = bind_query(binder, scope->cte->query, (QueryContext){ 0 }, &scope->relation);
            binder->binding = scope->binding;
            binder->ctes = all;
            if (error)
                return error;
            AstRelation named = { .column_aliases = scope->cte->columns };
            TRY(bind_column_aliases(&named, binder->arena, &scope->relation));
            scope->bound = true;
        }
        if (ast->hints.count)
            return error_at(ERR_BIND, ast->hints.items[0].name_at, "OPTIONS (..) changes properties of streams with a connector, '%s' is a step of WITH", name->text);
        *relation = scope->relation;
        relation->alias = scope->cte->name.text;
        return timestamp_by ? bind_timestamp_by(binder, timestamp_by, relation) : NULL;
    }
    CatalogEntry *entry = NULL;
    Error *error = catalog_get(binder->catalog, name, &entry);
    for (const CteScope *scope = binder->binding; scope && error; scope = scope->binding)
        if (name_equal(scope->cte->name.text, name->text)) {
            error_free(error);
            return error_hint(binder_unsupported(name->at, "a step of WITH that reads itself"), "GENERATE_SERIES(..) counts; MATCH_RECOGNIZE follows rows");
        }
    TRY(error);
    if (ast->system_time)
        return binder_unsupported(ast->system_time->at, "FOR SYSTEM_TIME AS OF outside of a lookup join");
    if (ast->hints.count)
        return bind_with_hints(binder, entry, ast, timestamp_by, name->at, relation);
    return bind_entry(binder, entry, timestamp_by, name->at, relation);
}

Error *bind_relation(Binder *binder, const AstRelation *ast, const AstExpr *timestamp_by, Relation *relation)
{
    bool is_window = false;
    switch (ast->kind) {
    case AST_REL_NAME:
        TRY(bind_name(binder, ast, timestamp_by, relation));
        timestamp_by = NULL;
        break;
    case AST_REL_FILE: {
        CatalogEntry *entry = NULL;
        TRY(bind_source_file(binder, ast->path, &ast->hints, ast->at, &entry));
        TRY(bind_source_scan(binder, entry, timestamp_by, ast->at, relation));
        relation->alias = NULL;
        timestamp_by = NULL;
        break;
    }
    case AST_REL_QUERY:
        TRY(bind_query(binder, ast->query, (QueryContext){ 0 }, relation));
        relation->alias = NULL;
        break;
    case AST_REL_VALUES:
        TRY(bind_values(binder, ast->rows.items, ast->rows.count, ast->at, NULL, relation));
        break;
    case AST_REL_FUNCTION:
        TRY(bind_window_function(binder, ast, relation, &is_window));
        if (!is_window) {
            Relation nothing = relation_of_nothing(binder, ast->at), whole;
            TRY(bind_table_function(binder, ast, &nothing, NULL, 0, false, &whole, relation));
            relation->input = whole.input;
            return timestamp_by ? bind_timestamp_by(binder, timestamp_by, relation) : NULL;
        }
        break;
    case AST_REL_JOIN:
        return binder_unsupported(ast->at, "a join in parentheses");
    case AST_REL_MATCH:
        TRY(bind_match(binder, ast, relation));
        break;
    }
    if (ast->alias.text)
        relation->alias = ast->alias.text;
    TRY(bind_column_aliases(ast, binder->arena, relation));
    return timestamp_by ? bind_timestamp_by(binder, timestamp_by, relation) : NULL;
}

static bool bound_before(Block *block)
{
    const Binder *binder = block->binder;
    for (int i = 0; i < binder->bound_from.count; i++) {
        const Block *before = binder->bound_from.items[i];
        if (before->query->from != block->query->from)
            continue;
        block->from = before->from;
        block->window = before->window;
        block->parts.count = block->parts.capacity = 0;
        for (int p = 0; p < before->parts.count; p++)
            LIST_ADD(binder->arena, &block->parts, before->parts.items[p]);
        return true;
    }
    return false;
}

Error *bind_from(Block *block)
{
    Binder *binder = block->binder;
    const AstRelation *ast = block->query->from;
    if (bound_before(block))
        return NULL;
    if (ast->kind == AST_REL_JOIN) {
        TRY(bind_join(block, ast, &block->from));
    } else {
        TRY(bind_relation(binder, ast, block->query->timestamp_by, &block->from));
        block_add_part(block, &block->from, 0);
    }
    if (block->query->timestamp_over)
        TRY(bind_timestamp_over(binder, block->query->timestamp_over, &block->from));
    if (block->from.pending)
        block->window = block->from.pending;
    const AstName *late_into = &block->query->late_into;
    if (ast->kind == AST_REL_MATCH && late_into->text && block->from.late_rows && block->from.late_rows->match.by_time) {
        note_late_rows(binder, late_into, block->from.late_rows, port_schema(binder->arena, block->from.late_rows->inputs[0]).column_count, -1);
        block->late_noted = true;
    }
    return NULL;
}
