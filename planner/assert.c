/* planner/assert.c: ASSERT: what a script expects of its streams, tables and topics.
 *
 * ASSERT STREAM|TABLE is decided here, ASSERT TOPIC by the session (topics.c). ASSERT VALUES and ASSERT NULL VALUES need the changes of an entry: they become a plan
 * that gives them and the rows that they shall be; whoever runs the plan compares. */
#include "planner/statement.h"

/* ---- ASSERT STREAM | TABLE ---- */

static const char *column_text(Arena *arena, const char *name, const Type *type, const char *key)
{
    return arena_printf(arena, "%s %s%s", name, type_text(arena, type), key);
}

static const char *key_word(const CatalogEntry *entry, int column)
{
    for (int i = 0; i < entry->key_count; i++)
        if (entry->key_columns[i] == column)
            return entry->kind == CATALOG_STREAM ? " KEY" : " PRIMARY KEY";
    return column < entry->column_count && entry->columns[column].is_key ? " KEY" : "";
}

static Error *assert_column(Binder *binder, const CatalogEntry *entry, const AstCreate *create, int column)
{
    Arena *arena = binder->arena;
    const AstColumn *wanted = &create->columns.items[column];
    const Column *found = &entry->schema.columns[column];
    const Type *type = found->type;
    if (wanted->type)
        TRY(binder_type(binder, arena, wanted->type, &type));
    bool primary = wanted->is_primary;
    for (int i = 0; i < create->primary_key.count; i++)
        primary |= name_equal(create->primary_key.items[i].text, wanted->name.text);
    primary &= entry->kind != CATALOG_STREAM; /* a stream's key is no primary key, however it was spelled */
    const char *key = primary ? " PRIMARY KEY" : wanted->is_key || wanted->is_primary ? " KEY" : "";
    if (name_equal(wanted->name.text, found->name) && type_equal(type, found->type) && strcmp(key, key_word(entry, column)) == 0)
        return NULL;
    return error_at(ERR_ASSERT, wanted->at.length ? wanted->at : wanted->name.at, "column %d of '%s' is %s, not %s", column + 1, entry->name,
                    column_text(arena, found->name, found->type, key_word(entry, column)), column_text(arena, wanted->name.text, type, key));
}

static Error *assert_columns(Binder *binder, const CatalogEntry *entry, const AstCreate *create)
{
    Error *errors = NULL;
    MEMORY_HOLD(error_unwind, &errors);
    int wanted = create->columns.count, found = entry->schema.column_count;
    for (int i = 0; i < wanted && i < found; i++)
        errors = error_append(errors, assert_column(binder, entry, create, i));
    if (wanted > found)
        errors = error_append(errors, error_at(ERR_ASSERT, create->columns.items[found].name.at, "'%s' has %d column%s, not %d", entry->name, found, found == 1 ? "" : "s", wanted));
    if (wanted < found && wanted > 0)
        errors = error_append(errors, error_at(ERR_ASSERT, create->name.at, "'%s' has a column %s that is not listed", entry->name,
                                               column_text(binder->arena, entry->schema.columns[wanted].name, entry->schema.columns[wanted].type, key_word(entry, wanted))));
    return errors;
}

static const OptionEntry *stated_property(const CatalogEntry *entry, const char *name)
{
    const AstCreate *create = entry->statement ? entry->statement->create : NULL;
    for (int i = 0; create && i < create->with.count; i++)
        if (option_name_equal(create->with.items[i].name, name))
            return &create->with.items[i];
    return NULL;
}

static Error *assert_properties(const CatalogEntry *entry, const AstProperties *wanted)
{
    Error *errors = NULL;
    MEMORY_HOLD(error_unwind, &errors);
    for (int i = 0; i < wanted->count; i++) {
        const OptionEntry *property = &wanted->items[i], *stated = stated_property(entry, property->name);
        if (!stated)
            errors = error_append(errors, error_at(ERR_ASSERT, property->name_at, "'%s' does not state '%s'", entry->name, property->name));
        else if (!name_equal(stated->value, property->value))
            errors = error_append(errors, error_at(ERR_ASSERT, property->value_at, "'%s' of '%s' is '%s'", property->name, entry->name, stated->value));
    }
    return errors;
}

static Error *assert_relation(Binder *binder, const AstStatement *statement)
{
    const AstCreate *create = statement->assert_create;
    CatalogKind kind = statement->assert == AST_ASSERT_STREAM ? CATALOG_STREAM : CATALOG_TABLE;
    CatalogEntry *entry = binder->catalog->find(binder->catalog, create->name.text, false);
    if (!entry)
        return error_at(ERR_ASSERT, create->name.at, "there is no %s '%s'", catalog_kind_name(kind), create->name.text);
    if (entry->kind != kind)
        return error_at(ERR_ASSERT, create->name.at, "'%s' is a %s", entry->name, catalog_kind_name(entry->kind));
    Error *errors = assert_columns(binder, entry, create);
    MEMORY_HOLD(error_unwind, &errors);
    return error_append(errors, assert_properties(entry, &create->with));
}

/* ---- ASSERT VALUES, ASSERT NULL VALUES ---- */

/* SELECT columns FROM name EMIT CHANGES, at the places of the assertion. */
static AstStatement *changes_query(Arena *arena, const AstStatement *statement)
{
    AstStatement *select = ARENA_NEW(arena, AstStatement);
    AstQuery *query = ARENA_NEW(arena, AstQuery);
    AstRelation *from = ARENA_NEW(arena, AstRelation);
    *select = (AstStatement){ .kind = AST_STMT_QUERY, .at = statement->at, .query = query };
    *from = (AstRelation){ .kind = AST_REL_NAME, .at = statement->name.at };
    *query = (AstQuery){ .kind = AST_SELECT, .at = statement->at, .from = from, .emit = { .kind = AST_EMIT_CHANGES, .at = statement->at } };
    LIST_ADD(arena, &from->name, statement->name);
    for (int i = 0; i < statement->columns.count || (i == 0 && statement->columns.count == 0); i++) {
        AstExpr *expr = ARENA_NEW(arena, AstExpr);
        *expr = (AstExpr){ .kind = AST_STAR, .at = statement->name.at };
        if (statement->columns.count) {
            *expr = (AstExpr){ .kind = AST_NAME, .at = statement->columns.items[i].at };
            LIST_ADD(arena, &expr->path, statement->columns.items[i]);
        }
        LIST_ADD(arena, &query->items, ((AstSelectItem){ .expr = expr, .at = expr->at }));
    }
    return select;
}

/* A row that went has its key only. */
static Error *check_tombstone_columns(const AstStatement *statement, const CatalogEntry *entry)
{
    for (int i = 0; i < statement->columns.count && entry->key_count; i++) {
        const AstName *name = &statement->columns.items[i];
        bool key = false;
        for (int k = 0; k < entry->key_count; k++)
            key |= name_equal(entry->schema.columns[entry->key_columns[k]].name, name->text);
        if (!key)
            return error_at(ERR_BIND, name->at, "'%s' is no key of '%s': a row that went has its key only", name->text, entry->name);
    }
    return NULL;
}

static Error *check_rows(const AstStatement *statement, const CatalogEntry *entry, int width)
{
    for (int r = 0; r < statement->rows.count; r++) {
        const AstExprs *row = &statement->rows.items[r];
        if (row->count != width)
            return error_at(ERR_BIND, row->count ? row->items[0]->at : statement->at, "%d column%s of '%s' %s compared, this row has %d value%s", width, width == 1 ? "" : "s",
                            entry->name, width == 1 ? "is" : "are", row->count, row->count == 1 ? "" : "s");
    }
    return NULL;
}

static Error *assert_values(Planner *planner, Binder *binder, const AstStatement *statement, PlannedStatement *planned)
{
    Arena *arena = binder->arena;
    CatalogEntry *entry = NULL;
    TRY(catalog_get(planner->catalog, &statement->name, &entry));
    if (planner->pending_count) {
        planned->kind = PLANNED_AFTER_JOB;
        return NULL;
    }
    bool tombstone = statement->assert == AST_ASSERT_TOMBSTONE;
    if (tombstone)
        TRY(check_tombstone_columns(statement, entry));
    Outputs outputs = { 0 };
    TRY(statement_outputs(binder, changes_query(arena, statement), NULL, &outputs));
    Schema schema = outputs.items[0].sink->schema;
    TRY(check_rows(statement, entry, schema.column_count));
    Relation rows;
    TRY(bind_values(binder, statement->rows.items, statement->rows.count, statement->at, &schema, &rows));
    planned->expected.rows = rows.input.node->values.rows;
    planned->expected.row_count = statement->rows.count;
    planned->expected.row_at = ARENA_ARRAY(arena, Span, statement->rows.count + 1);
    for (int r = 0; r < statement->rows.count; r++) {
        const AstExprs *row = &statement->rows.items[r];
        planned->expected.row_at[r] = span_join(row->items[0]->at, row->items[row->count - 1]->at);
    }
    planned->expected.name = entry->name;
    planned->expected.tombstones = tombstone;
    planned->expected.compared = &entry->compared;
    outputs_merge(arena, &outputs);
    TRY(physical_plan(arena, &planner->settings, outputs.items, outputs.count, &planned->plan));
    if (!planned->plan->bounded && !planner->connectors->topics) /* logs in the process hold what they hold */
        return error_hint(error_at(ERR_BIND, statement->name.at, "'%s' does not end: there is no row that is not there", entry->name), "assert over files, or over streams of this script");
    planned->kind = PLANNED_ASSERTION;
    return NULL;
}

Error *plan_assert(Planner *planner, Arena *arena, const AstStatement *statement, PlannedStatement *planned)
{
    Binder binder;
    binder_init(&binder, arena, planner->catalog, &planner->settings, planner->connectors, planner->text);
    switch (statement->assert) {
    case AST_ASSERT_STREAM:
    case AST_ASSERT_TABLE: return assert_relation(&binder, statement);
    case AST_ASSERT_TOPIC: return plan_assert_topic(planner, arena, statement, planned);
    case AST_ASSERT_SCHEMA:
        if (planner->pending_count) {
            planned->kind = PLANNED_AFTER_JOB;
            return NULL;
        }
        return assert_schema(&binder, statement);
    case AST_ASSERT_VALUES:
    case AST_ASSERT_TOMBSTONE: return assert_values(planner, &binder, statement, planned);
    }
    return NULL;
}
