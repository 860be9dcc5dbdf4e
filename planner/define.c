/* planner/define.c: CREATE and DROP. An entry is made and checked in full before the catalog sees it. */
#include "parser/parser.h"
#include "common/secrets.h"
#include "planner/ast_map.h"
#include "planner/statement.h"

static CatalogKind kind_of(AstObjectKind object)
{
    switch (object) {
    case AST_OBJECT_STREAM: return CATALOG_STREAM;
    case AST_OBJECT_TABLE: return CATALOG_TABLE;
    case AST_OBJECT_VIEW: return CATALOG_VIEW;
    case AST_OBJECT_TYPE: return CATALOG_TYPE;
    case AST_OBJECT_FUNCTION: return CATALOG_FUNCTION;
    case AST_OBJECT_CONNECTOR: case AST_OBJECT_QUERY: break;
    }
    return CATALOG_STREAM;
}

static const char *const *copy_names(Arena *arena, const char *const *names, int count)
{
    const char **copies = ARENA_ARRAY(arena, const char *, count + 1);
    for (int i = 0; i < count; i++)
        copies[i] = arena_strdup(arena, names[i]);
    return copies;
}

static const char *statement_sql(Arena *arena, const AstStatement *statement)
{
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    ast_print_statement(statement, &text);
    const char *copy = arena_strdup(arena, text_c(&text));
    text_release(&text);
    return copy;
}

static void copy_uses(Arena *arena, const Binder *binder, CatalogEntry *entry)
{
    const char **uses = ARENA_ARRAY(arena, const char *, entry->use_count + binder->uses.count + 1);
    int count = 0;
    for (int i = 0; i < entry->use_count; i++)
        uses[count++] = entry->uses[i];
    for (int i = 0; i < binder->uses.count; i++) {
        bool known = name_equal(binder->uses.items[i], entry->name);
        for (int k = 0; k < count; k++)
            known |= strcmp(uses[k], binder->uses.items[i]) == 0;
        if (!known)
            uses[count++] = arena_strdup(arena, binder->uses.items[i]);
    }
    entry->uses = uses;
    entry->use_count = count;
}

/* Those that it has already stay. */
static void copy_functions(Arena *arena, const Binder *binder, CatalogEntry *entry)
{
    int count = entry->function_count + binder->functions.count;
    const char **names = ARENA_ARRAY(arena, const char *, (size_t)count + 1);
    for (int i = 0; i < count; i++)
        names[i] = i < entry->function_count ? entry->functions[i] : arena_strdup(arena, binder->functions.items[i - entry->function_count]);
    entry->functions = names;
    entry->function_count = count;
}

/* The visible columns of a query as the columns of an entry. */
static Error *columns_from_relation(Arena *arena, const AstCreate *create, const Relation *relation, CatalogEntry *entry, bool with_columns)
{
    int count = 0;
    entry->schema.columns = ARENA_ARRAY(arena, Column, relation->schema.column_count + 1);
    for (int i = 0; i < relation->schema.column_count; i++) {
        const Column *column = &relation->schema.columns[i];
        if (column->hidden)
            continue;
        const char *name = column->name;
        if (create->columns.count) {
            if (count >= create->columns.count)
                return error_at(ERR_BIND, create->columns.items[0].at, "'%s' names %d columns, its query gives more", entry->name, create->columns.count);
            name = create->columns.items[count].name.text;
        }
        entry->schema.columns[count++] = (Column){ .name = arena_strdup(arena, name), .type = type_copy(arena, column->type) };
    }
    if (count < create->columns.count)
        return error_at(ERR_BIND, create->columns.items[count].at, "'%s' names %d columns, its query gives %d", entry->name, create->columns.count, count);
    entry->schema.column_count = count;
    if (!with_columns)
        return NULL;
    entry->column_count = count;
    entry->columns = ARENA_ARRAY(arena, CatalogColumn, count + 1);
    for (int i = 0; i < count; i++)
        entry->columns[i] = (CatalogColumn){ .name = entry->schema.columns[i].name, .type = entry->schema.columns[i].type, .at = create->name.at };
    return NULL;
}

static int visible_index(const Schema *schema, int column)
{
    int visible = 0;
    if (schema->columns[column].hidden)
        return -1;
    for (int i = 0; i < column; i++)
        visible += !schema->columns[i].hidden;
    return visible;
}

/* CREATE TABLE .. AS: its key is what tells the query's rows apart. */
static void key_from_relation(Arena *arena, Binder *binder, const Relation *relation, CatalogEntry *entry)
{
    EdgeTraits traits = port_traits(binder->arena, relation->input);
    for (int k = 0; k < traits.key_count && entry->key_count == 0; k++) {
        int *columns = ARENA_ARRAY(arena, int, traits.keys[k].count + 1), count = 0;
        for (int c = 0; c < traits.keys[k].count; c++) {
            int visible = visible_index(&relation->schema, traits.keys[k].columns[c]);
            if (visible >= 0)
                columns[count++] = visible;
        }
        if (count != traits.keys[k].count || count == 0)
            continue;
        entry->key_columns = columns;
        entry->key_count = count;
        for (int i = 0; i < count; i++) {
            entry->schema.columns[columns[i]].is_key = true;
            entry->columns[columns[i]].is_key = true;
        }
    }
}

static Error *named_columns(Binder *binder, const AstNames *names, CatalogEntry *entry, int **columns, int *count)
{
    *columns = ARENA_ARRAY(&binder->catalog->arena, int, names->count + 1);
    for (int i = 0; i < names->count; i++) {
        int column = schema_find(&entry->schema, names->items[i].text);
        if (column < 0) {
            const char **all = ARENA_ARRAY(binder->arena, const char *, entry->schema.column_count + 1);
            for (int c = 0; c < entry->schema.column_count; c++)
                all[c] = entry->schema.columns[c].name;
            return error_suggest(error_at(ERR_BIND, names->items[i].at, "no column '%s' in %s", names->items[i].text, entry->name), names->items[i].text, all, entry->schema.column_count);
        }
        (*columns)[(*count)++] = column;
    }
    return NULL;
}

static Error *define_as(Binder *binder, const AstStatement *statement, CatalogEntry *entry)
{
    Arena *arena = &binder->catalog->arena;
    const AstCreate *create = statement->create;
    bool connector = false;
    if (statement->kind == AST_STMT_CREATE_AS) {
        TRY(bind_source_definition(binder, create, entry));
        connector = entry->source->connector != NULL;
    }
    entry->query = create->query;
    Relation relation;
    binder->final_results = false;
    TRY(bind_statement_query(binder, statement, &relation));
    if (!connector)
        entry->origin = ORIGIN_QUERY;
    TRY(columns_from_relation(arena, create, &relation, entry, connector));
    if (connector && is_process_connector(entry->source->connector))
        TRY(bind_process_target(binder, &relation, entry, create->name.at));
    if (connector && !is_process_connector(entry->source->connector) && binder->connectors->process && entry->kind == CATALOG_TABLE)
        TRY(bind_process_kept(binder, &relation, entry, create->name.at));
    if (connector && is_record_connector(entry->source->connector))
        TRY(bind_message_target(binder, &relation, entry, create->name.at));
    if (connector) {
        if (create->primary_key.count)
            TRY(named_columns(binder, &create->primary_key, entry, &entry->key_columns, &entry->key_count));
        else if (create->object == AST_OBJECT_TABLE && entry->key_count == 0)
            key_from_relation(arena, binder, &relation, entry);
        TRY(named_columns(binder, &create->partitioned_by, entry, &entry->partition_columns, &entry->partition_count));
    }
    return NULL;
}

Error *define_entry(Planner *planner, Binder *binder, const AstStatement *statement, CatalogEntry **result)
{
    const AstCreate *create = statement->create;
    Arena *arena = &planner->catalog->arena;
    CatalogEntry *entry = ARENA_NEW(arena, CatalogEntry);
    entry->kind = statement->kind == AST_STMT_CREATE_VIEW ? CATALOG_VIEW : kind_of(create->object);
    entry->name = binder_new_name(binder, arena, &create->name);
    entry->at = create->name.at;
    entry->text = planner->text;
    entry->statement = statement;
    entry->settings = planner->settings;
    switch (statement->kind) {
    case AST_STMT_CREATE_SOURCE: TRY(bind_source_definition(binder, create, entry)); break;
    case AST_STMT_CREATE_AS:
    case AST_STMT_CREATE_VIEW: TRY(define_as(binder, statement, entry)); break;
    case AST_STMT_CREATE_TYPE:
        entry->kind = CATALOG_TYPE;
        entry->origin = ORIGIN_NONE;
        TRY(binder_type(binder, arena, create->type, &entry->type));
        break;
    case AST_STMT_CREATE_FUNCTION: TRY(define_function(binder, create, entry)); break;
    default: return error_at(ERR_INTERNAL, statement->at, "nothing to define");
    }
    entry->read_only = create->is_source;
    entry->sql = statement_sql(arena, statement);
    entry->shown = secrets_shown(arena, entry->sql, strlen(entry->sql));
    entry->pinned = bind_pinned(arena, entry, statement);
    entry->types = (const char **)copy_names(arena, binder->types.items, binder->types.count);
    entry->type_count = binder->types.count;
    copy_functions(arena, binder, entry);
    copy_uses(arena, binder, entry);
    *result = entry;
    return NULL;
}

/* ---- what statements put aside ---- */

static Error *define_side(Planner *planner, const char *name, const Schema *schema, const CatalogProducer *producer, Span at)
{
    Arena *arena = &planner->catalog->arena;
    CatalogEntry *old = planner->catalog->find(planner->catalog, name, false);
    if (old && old->origin == ORIGIN_CONNECTOR)
        return NULL; /* the rows are written there */
    if (old && old->origin != ORIGIN_SIDE)
        return error_at(ERR_BIND, at, "rows cannot be put aside into '%s': it is filled otherwise", name);
    CatalogEntry *entry = ARENA_NEW(arena, CatalogEntry);
    *entry = (CatalogEntry){ .kind = CATALOG_STREAM, .origin = ORIGIN_SIDE, .name = arena_strdup(arena, name), .at = at, .text = producer->text, .settings = producer->settings };
    entry->schema = (Schema){ schema->column_count, ARENA_ARRAY(arena, Column, schema->column_count + 1) };
    for (int i = 0; i < schema->column_count; i++)
        entry->schema.columns[i] = (Column){ .name = arena_strdup(arena, schema->columns[i].name), .type = type_copy(arena, schema->columns[i].type) };
    for (int i = 0; old && i < old->producers.count; i++) {
        const CatalogProducer *other = &old->producers.items[i];
        bool same = other->source ? producer->source && name_equal(other->source, producer->source) : other->statement == producer->statement;
        bool earlier_select = !other->source && !producer->source && other->statement->kind == AST_STMT_QUERY && producer->statement->kind == AST_STMT_QUERY;
        if (!same && !earlier_select) /* only the last SELECT counts */
            LIST_ADD(arena, &entry->producers, *other);
    }
    LIST_ADD(arena, &entry->producers, *producer);
    entry->sql = entry->shown = arena_printf(arena, "-- rows that other queries put aside");
    return planner->catalog->put(planner->catalog, entry);
}

Error *define_sides(Planner *planner, const Binder *binder, const AstStatement *statement)
{
    CatalogProducer producer = { .statement = statement, .text = planner->text, .settings = planner->settings };
    for (int s = 0; s < binder->sides.count && statement_query(statement); s++) {
        const SidePort *side = &binder->sides.items[s];
        if (!side->own || side->letters)
            continue;
        Schema port = port_schema(binder->arena, side->input);
        Schema schema = { side->column_count, ARENA_ARRAY(binder->arena, Column, side->column_count + 1) };
        for (int i = 0; i < side->column_count; i++)
            schema.columns[i] = port.columns[side->columns[i]];
        TRY(define_side(planner, side->name, &schema, &producer, statement->at));
    }
    return NULL;
}

static Error *define_source_side(Planner *planner, const CatalogEntry *entry)
{
    if (!entry->source || !entry->source->dead_letter)
        return NULL;
    CatalogProducer producer = { .source = entry->name, .text = planner->text, .settings = planner->settings };
    return define_side(planner, entry->source->dead_letter, &dead_letter_shown, &producer, entry->at);
}

/* ---- CREATE ---- */

Error *define_create(Planner *planner, Arena *arena, const AstStatement *given, PlannedStatement *planned)
{
    const AstStatement *statement = given;
    const AstCreate *create = given->create;
    CatalogEntry *old = planner->catalog->find(planner->catalog, create->name.text, catalog_space(kind_of(create->object)));
    if (old && create->if_not_exists) {
        planned->message = arena_printf(arena, "%s '%s' exists already", catalog_kind_name(old->kind), old->name);
        return NULL;
    }
    if (old && !create->or_replace)
        return error_hint(error_at(ERR_BIND, create->name.at, "%s '%s' exists already", catalog_kind_name(old->kind), old->name), "CREATE OR REPLACE, or DROP it first");
    if (old && old->read_only)
        return error_at(ERR_BIND, create->name.at, "'%s' is a source: it is read only, and not replaced", old->name);
    if (old && create->is_source)
        return error_hint(error_at(ERR_BIND, create->name.at, "'%s' is no source, and does not become one", old->name), "DROP it first");
    TRY(define_whole(planner, given, &statement));
    create = statement->create;
    bool infers = statement->kind == AST_STMT_CREATE_SOURCE && create->columns.count == 0; /* maybe from what the job writes */
    if ((old || infers) && planner->pending_count) {
        planned->kind = PLANNED_AFTER_JOB;
        return NULL;
    }
    Binder binder;
    binder_init(&binder, arena, planner->catalog, &planner->settings, planner->connectors, planner->text);
    CatalogEntry *entry = NULL;
    TRY(define_entry(planner, &binder, statement, &entry));
    if (given != statement) {
        entry->given = given;
        entry->pinned = entry->pinned ? entry->pinned : statement;
    }
    for (int u = 0; u < entry->use_count && old; u++)
        if (name_equal(entry->uses[u], old->name))
            return error_at(ERR_BIND, create->name.at, "'%s' would read itself", old->name);
    for (int f = 0; f < entry->function_count && old && old->kind == CATALOG_FUNCTION; f++)
        if (name_equal(entry->functions[f], old->name))
            return error_at(ERR_BIND, create->name.at, "'%s' would call itself", old->name);
    if (old && old->kind == CATALOG_FUNCTION)
        TRY(check_callers(planner, old, entry, create->name.at));
    bool job = (statement->kind == AST_STMT_CREATE_AS && entry->origin == ORIGIN_CONNECTOR) || (entry->source && entry->source->inserted);
    if (job) {
        Outputs outputs = { 0 };
        TRY(statement_outputs(&binder, statement, entry, &outputs));
        if (planner_reads_pending(planner, &binder, entry->name)) {
            planned->kind = PLANNED_AFTER_JOB;
            return NULL;
        }
    }
    if (statement->kind == AST_STMT_CREATE_SOURCE)
        TRY(bind_register_schemas(&binder, entry, create->name.at));
    TRY(planner->catalog->put(planner->catalog, entry));
    Error *error = define_sides(planner, &binder, statement);
    if (!error)
        error = define_source_side(planner, entry);
    if (!error && old && old->kind == CATALOG_FUNCTION)
        error = define_callers(planner, arena, entry);
    if (error) { /* as if nothing had been asked */
        if (old)
            error_free(planner->catalog->put(planner->catalog, old));
        else
            error_free(planner->catalog->remove(planner->catalog, entry));
        return error;
    }
    if (job) {
        planner_push(planner, statement);
        planned->kind = PLANNED_JOB_PART;
    } else {
        plan_make_topic(statement, entry, planned);
    }
    planned->message = arena_printf(arena, "%s '%s' %s", catalog_kind_name(entry->kind), entry->name, old ? "replaced" : "created");
    return NULL;
}

static Error *check_alterable(const AstStatement *statement, const CatalogEntry *entry)
{
    if (entry->kind != kind_of(statement->object))
        return error_hint(error_at(ERR_BIND, statement->name.at, "'%s' is a %s", entry->name, catalog_kind_name(entry->kind)),
                          entry->kind == CATALOG_VIEW ? "CREATE OR REPLACE VIEW gives it another query" : "ALTER %s %s", catalog_kind_upper(entry->kind), entry->name);
    if (entry->read_only)
        return error_at(ERR_BIND, statement->name.at, "'%s' is a source: it is read only, and not changed", entry->name);
    for (int i = 0; i < statement->added.count; i++) {
        const AstColumn *column = &statement->added.items[i];
        if (column->is_key || column->is_primary)
            return error_at(ERR_BIND, column->at, "a column that is added is no key");
        if (column->not_null && !column->default_value)
            return error_hint(error_at(ERR_BIND, column->at, "rows of before have no '%s': it cannot be NOT NULL", column->name.text), "leave NOT NULL out");
        for (int c = 0; c < entry->schema.column_count; c++)
            if (name_equal(entry->schema.columns[c].name, column->name.text))
                return error_at(ERR_BIND, column->name.at, "'%s' has a column '%s' already", entry->name, entry->schema.columns[c].name);
    }
    return NULL;
}

/* What reads the entry, or fills it, must go on doing so: else the change is not made. */
static Error *check_readers(Planner *planner, Arena *arena, const AstStatement *statement, const CatalogEntry *changed)
{
    int count = 0;
    CatalogEntry **entries = planner->catalog->list(planner->catalog, arena, &count);
    for (int i = 0; i < count; i++) {
        bool concerned = strcmp(entries[i]->name, changed->name) == 0 && catalog_space(entries[i]->kind) == SPACE_RELATIONS;
        for (int u = 0; u < entries[i]->use_count && !concerned; u++)
            concerned = name_equal(entries[i]->uses[u], changed->name);
        if (!concerned || (entries[i]->origin == ORIGIN_CONNECTOR && entries[i] != changed))
            continue;
        Binder binder;
        Relation relation;
        binder_init(&binder, arena, planner->catalog, &planner->settings, planner->connectors, -1);
        Error *error = bind_entry(&binder, entries[i], NULL, statement->name.at, &relation);
        if (error)
            return error_context(error, "'%s' would not plan any more", entries[i]->name);
    }
    return NULL;
}

/* ALTER .. ADD COLUMN: the definition again, with more columns. */
Error *define_alter(Planner *planner, Arena *arena, const AstStatement *statement, PlannedStatement *planned)
{
    CatalogEntry *old = NULL, *entry = NULL;
    TRY(catalog_get(planner->catalog, &statement->name, &old));
    TRY(check_alterable(statement, old));
    if (!old->statement || old->statement->kind != AST_STMT_CREATE_SOURCE || old->statement->create->columns.count == 0)
        return error_at(ERR_BIND, statement->name.at, "'%s' does not declare its columns: there is nothing to add to", old->name);
    if (planner->pending_count) {
        planned->kind = PLANNED_AFTER_JOB;
        return NULL;
    }
    Arena *keep = &planner->catalog->arena;
    AstStatement *changed = arena_copy(keep, old->statement, sizeof *changed);
    AstCreate *create = arena_copy(keep, changed->create, sizeof *create);
    create->columns.items = NULL;
    create->columns.count = create->columns.capacity = 0;
    for (int i = 0; i < old->statement->create->columns.count; i++)
        LIST_ADD(keep, &create->columns, old->statement->create->columns.items[i]);
    for (int i = 0; i < statement->added.count; i++)
        LIST_ADD(keep, &create->columns, statement->added.items[i]);
    changed->create = create;
    Binder binder;
    binder_init(&binder, arena, planner->catalog, &old->settings, planner->connectors, planner->text);
    TRY(define_entry(planner, &binder, changed, &entry));
    entry->producers = old->producers;
    entry->settings = old->settings;
    entry->uses = old->uses;
    entry->use_count = old->use_count;
    entry->compared = old->compared;
    TRY(planner->catalog->put(planner->catalog, entry));
    Error *error = check_readers(planner, arena, statement, entry);
    if (error) {
        error_free(planner->catalog->put(planner->catalog, old));
        return error;
    }
    planned->message = arena_printf(arena, "%s '%s' changed", catalog_kind_name(entry->kind), entry->name);
    return NULL;
}

Error *define_producer(Planner *planner, Binder *binder, const AstStatement *statement, CatalogEntry *target)
{
    Arena *arena = &planner->catalog->arena;
    Relation rows;
    int width = -1;
    TRY(takes_appended(target) ? bind_append(binder, statement, target, &width, &rows) : bind_insert(binder, statement, target, &rows));
    for (int i = 0; i < binder->uses.count; i++)
        if (name_equal(binder->uses.items[i], target->name))
            return error_at(ERR_BIND, statement->name.at, "'%s' would read itself", target->name);
    TRY(define_sides(planner, binder, statement));
    CatalogProducer producer = { .statement = statement, .text = planner->text, .settings = planner->settings, .width = width < 0 ? rows.schema.column_count : width };
    LIST_ADD(arena, &target->producers, producer);
    copy_uses(arena, binder, target);
    copy_functions(arena, binder, target);
    return NULL;
}

/* ---- DROP ---- */

Error *define_drop(Planner *planner, const AstStatement *statement, Arena *arena, PlannedStatement *planned)
{
    CatalogSpace space = catalog_space(kind_of(statement->object));
    if (statement->object == AST_OBJECT_CONNECTOR || statement->object == AST_OBJECT_QUERY)
        return binder_unsupported(statement->at, "this DROP");
    CatalogEntry *entry = planner->catalog->find(planner->catalog, statement->name.text, space);
    if (!entry && statement->if_exists) {
        planned->message = arena_printf(arena, "there is no '%s'", statement->name.text);
        return NULL;
    }
    if (!entry && space == SPACE_RELATIONS)
        TRY(catalog_get(planner->catalog, &statement->name, &entry));
    if (!entry) {
        int count = 0;
        const char *const *names = catalog_names(planner->catalog, space, arena, &count);
        const char *what = space == SPACE_TYPES ? "type" : "user-defined function";
        return error_suggest(error_at(ERR_BIND, statement->name.at, "no %s '%s'", what, statement->name.text), statement->name.text, names, count);
    }
    if (entry->kind != kind_of(statement->object))
        return error_hint(error_at(ERR_BIND, statement->name.at, "'%s' is a %s", entry->name, catalog_kind_name(entry->kind)), "DROP %s %s", catalog_kind_upper(entry->kind), entry->name);
    if (statement->delete_topic && entry->read_only)
        return error_at(ERR_BIND, statement->name.at, "'%s' is a source: it is read only, and its topic is kept", entry->name);
    const CatalogSource *source = entry->source;
    const char *topic = statement->delete_topic && source && source->connector ? connector_topic(source->connector, source->connector_options) : NULL;
    if (statement->delete_topic && !topic)
        return error_at(ERR_BIND, statement->name.at, "'%s' has no topic of its own that could be deleted", entry->name);
    TRY(catalog_check_unused(planner->catalog, entry, statement->name.at));
    if (planner->pending_count) {
        planned->kind = PLANNED_AFTER_JOB;
        return NULL;
    }
    if (topic && !planner->catalog->trial) {
        Binder binder;
        binder_init(&binder, arena, planner->catalog, &planner->settings, planner->connectors, planner->text);
        TRY(bind_forget_schemas(&binder, entry, statement->name.at));
    }
    TRY(planner->catalog->remove(planner->catalog, entry));
    planned->message = arena_printf(arena, topic ? "%s '%s' dropped, and its topic '%s'" : "%s '%s' dropped", catalog_kind_name(entry->kind), entry->name, topic);
    planned->delete_topic.name = topic;
    planned->delete_topic.options = topic ? source->connector_options : NULL;
    planned->delete_topic.at = statement->name.at;
    return NULL;
}
